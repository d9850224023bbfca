#!/usr/bin/env bash
# Builds target/debian/boothd_VERSION_ARCH.deb for this machine's architecture, with cargo-deb in a pinned version of its own.
set -euo pipefail
cd "$(dirname "$0")/.."
version=3.8.0
tool=target/tools/bin/cargo-deb
if [[ $("$tool" --version 2>/dev/null || true) != "cargo-deb $version" ]]; then
  echo "deb: building cargo-deb $version into target/tools"
  cargo install --quiet --locked --root target/tools --version "$version" cargo-deb
fi
scripts/packages.sh deb dpkg-dev liblzma-dev
cargo build --release --locked
mkdir -p target/deb target/debian
cp "target/litert/$(uname -m)/libLiteRt.so" target/deb/
# Line tables are three quarters of the file; whoever needs them has target/release/boothd of the same build.
strip --strip-debug -o target/deb/boothd target/release/boothd
rm -f target/debian/*.deb
"$tool" --no-build --output target/debian/
ls -l target/debian/*.deb
