#!/usr/bin/env bash
# Builds the fuzz targets with the pinned stable toolchain: the coverage that libFuzzer steers by is an LLVM pass that stable
# compilers take too (these are the flags of `cargo fuzz --sanitizer none`). Prints the folder of the programs.
#
# Comparisons are not traced unless COMPARES=yes: that takes two thirds of the time (measured on the codes), and the inputs are made
# of structure and dictionaries instead. Turn it on for a run that looks for more, not for one that counts.
set -euo pipefail
cd "$(dirname "$0")/.."

host=$(rustc -vV | sed -n 's/^host: //p')
flags=(
  -Cpasses=sancov-module
  -Cllvm-args=-sanitizer-coverage-level=4
  -Cllvm-args=-sanitizer-coverage-inline-8bit-counters
  -Cllvm-args=-sanitizer-coverage-pc-table
  -Cllvm-args=-simplifycfg-branch-fold-threshold=0
)
if [[ ${COMPARES:-no} == yes ]]; then flags+=(-Cllvm-args=-sanitizer-coverage-trace-compares); fi
# With --target, programs that run while building are not instrumented.
RUSTFLAGS="${flags[*]}" cargo build --quiet --release --locked --bins \
  --manifest-path fuzz/Cargo.toml --target "$host" --target-dir target/fuzz >&2
echo "target/fuzz/$host/release"
