#!/usr/bin/env bash
# Makes what the report needs (the program, two Python environments below target/report) and runs it. Arguments: scripts/report/__main__.py.
# What cannot be made is no reason to stop: the report says what it left out, and why.
set -euo pipefail
cd "$(dirname "$0")/.."
out=target/report
mkdir -p "$out"

# environment NAME REQUIREMENTS [PIP OPTIONS]: made once, and again when the requirements change.
environment() {
  local folder=$out/$1 requirements=$2
  shift 2
  if [[ -x $folder/bin/python ]] && cmp -s "$requirements" "$folder/requirements.txt"; then return; fi
  echo "report: making $folder, output in $folder.log"
  rm -rf "$folder"
  if ! { python3 -m venv "$folder" && "$folder/bin/pip" install --quiet --disable-pip-version-check --no-deps "$@" -r "$requirements"; } >"$folder.log" 2>&1; then
    echo "report: $folder could not be made: $(tail -n 1 "$folder.log")" >&2
    rm -rf "$folder"
    return
  fi
  cp "$requirements" "$folder/requirements.txt"
}

# Reader of the peers PassportEye and fastmrz, and the fonts of the drawn documents.
packages=(tesseract-ocr fonts-ocr-b fonts-dejavu-core fonts-noto-cjk fonts-noto-cjk-extra fonts-wqy-zenhei fonts-wqy-microhei)
scripts/packages.sh report "${packages[@]}" 2>"$out/apt.log" || echo "report: not installed, see $out/apt.log" >&2

cargo build --release --locked
environment peers scripts/report/peers.txt
environment scenes models/build/scenes-requirements.txt --require-hashes
exec python3 scripts/report "$@"
