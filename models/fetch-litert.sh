#!/usr/bin/env bash
# fetch-litert.sh OUTDIR [ARCH...]: puts the pinned TFLite runtime at OUTDIR/ARCH/libLiteRt.so (default: every arch of litert.lock).
#
# The library comes out of the PyPI wheel ai-edge-litert. pip checks the wheel's sha256, this script the library's. What is there
# and right is left alone, so the script can run before every build. Needs python3 with pip, or with venv (Debian: python3-venv).
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
lock=$here/litert.lock
if [[ $# -lt 1 || $1 == -* ]]; then
  echo "usage: $0 OUTDIR [ARCH...]   (ARCH: $(awk '!/^#/ && $1 != "version" {printf "%s ", $1}' "$lock"))" >&2
  exit 64
fi
out=$1
shift

version=$(awk '$1 == "version" {print $2}' "$lock")
mapfile -t known < <(awk '!/^#/ && NF == 4 {print $1}' "$lock")
wanted=("$@")
[[ $# -gt 0 ]] || wanted=("${known[@]}")
for arch in "${wanted[@]}"; do
  if [[ " ${known[*]} " != *" $arch "* ]]; then
    echo "fetch-litert: no library is pinned for \`$arch\`; $lock has: ${known[*]}" >&2
    exit 64
  fi
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

right() { [[ -f $2 ]] && echo "$1  $2" | sha256sum --check --status; }

# The pip to download with: python3's own, or one in a throw-away venv.
pip=()
find_pip() {
  [[ ${#pip[@]} -eq 0 ]] || return 0
  if python3 -m pip --version >/dev/null 2>&1; then
    pip=(python3 -m pip)
  else
    echo "fetch-litert: python3 has no pip, making a venv for one"
    if ! python3 -m venv "$work/venv" >"$work/venv.log" 2>&1; then
      cat "$work/venv.log" >&2
      echo "fetch-litert: python3 has neither pip nor venv; install one: apt-get install python3-venv" >&2
      exit 69
    fi
    pip=("$work/venv/bin/python" -m pip)
  fi
}

for arch in "${wanted[@]}"; do
  read -r tag wheel_sha so_sha < <(awk -v a="$arch" '$1 == a {print $2, $3, $4}' "$lock")
  target=$out/$arch/libLiteRt.so
  if right "$so_sha" "$target"; then
    echo "fetch-litert: $target is there (ai-edge-litert $version)"
    continue
  fi
  find_pip
  echo "fetch-litert: downloading ai-edge-litert $version for $arch from PyPI"
  echo "ai-edge-litert==$version --hash=sha256:$wheel_sha" >"$work/requirements.txt"
  "${pip[@]}" download --quiet --disable-pip-version-check --no-deps --only-binary=:all: --require-hashes \
    --requirement "$work/requirements.txt" --implementation cp --python-version 3.11 --abi cp311 \
    --platform "$tag" --dest "$work/$arch"
  mkdir -p "$out/$arch"
  python3 - "$work/$arch" "$out/$arch" <<'PYTHON'
import pathlib, sys, zipfile

wheel, = pathlib.Path(sys.argv[1]).glob("*.whl")
target = pathlib.Path(sys.argv[2])
with zipfile.ZipFile(wheel) as archive:
    for name in archive.namelist():
        if name == "ai_edge_litert/libLiteRt.so":
            (target / "libLiteRt.so.new").write_bytes(archive.read(name))
        elif "/licenses/" in name and not name.endswith("/"):
            (target / pathlib.PurePosixPath(name).name).write_bytes(archive.read(name))
PYTHON
  if ! right "$so_sha" "$target.new"; then
    echo "fetch-litert: the library in the wheel for $arch is not the pinned one (sha256 $so_sha); nothing was installed" >&2
    rm -f "$target.new"
    exit 65
  fi
  mv "$target.new" "$target"
  echo "fetch-litert: $target is ready"
done
