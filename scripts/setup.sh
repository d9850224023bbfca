#!/usr/bin/env bash
# Installs what building and testing needs from Debian's packages, and says what it does. Does nothing the second time.
set -euo pipefail

packages=(
  build-essential pkg-config      # C parts: SQLite, ring
  clang libclang-dev              # v4l's bindings to the kernel's headers
  libasound2-dev                  # ALSA
  python3 python3-venv            # takes libLiteRt.so out of its wheel
  sqlite3 openssl                 # look at the wallet's database, verify signatures with another program
  ca-certificates
)

if [[ -x $HOME/.cargo/bin/cargo ]]; then PATH=$HOME/.cargo/bin:$PATH; fi
# Debian 12 has a current compiler only in its web-browser toolchain packages.
if ! command -v cargo >/dev/null; then packages+=(rustc-web cargo-web); fi
"$(dirname "$0")/packages.sh" setup "${packages[@]}"
echo "setup: all packages are there"

version=$(cargo --version)
minor=$(sed -E 's/^cargo 1\.([0-9]+).*/\1/' <<<"$version")
if [[ ! $minor =~ ^[0-9]+$ ]] || ((minor < 95)); then
  echo "setup: found $version, needed: cargo 1.95 or newer; mend: install rustup's 1.95.0 or Debian's rustc-web and cargo-web" >&2
  exit 1
fi
