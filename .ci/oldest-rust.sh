#!/usr/bin/env bash
# Runs the tests with Rust 1.75, the oldest that the library supports, or with 1.78 where the former
# is not installed. Exits with 3 where neither can be had.
set -euo pipefail
cd "$(dirname "$0")/.."
# The random programs are the same with any compiler.
export CARGO_TARGET_DIR=target/oldest MOD_ALLOC_TEST_PART=20

# These texts are of today's toolchains: old ones name closures, macros and parts of their std in
# other ways, and have the column of a method where the whole expression begins. And the
# unoptimised std of 1.78 takes more for a report than a stack of 16 KiB has, and 1,768 bytes for an
# allocation that is recorded.
mapfile -t not_of_old_rust < .ci/not-of-old-rust
tests=(--workspace --all-features --locked)
skips=("${not_of_old_rust[@]/#/--skip=}")

if rustup toolchain list 2>/dev/null | grep -q '^1\.75\.0'; then
  cargo +1.75.0 test "${tests[@]}" -- "${skips[@]}"
else
  .ci/older-rust.sh target/rust-1.78 || exit 3
  cargo=target/rust-1.78/bin/cargo
  echo "1.75.0 is not installed: with $(target/rust-1.78/bin/rustc --version)"
  # It keeps an index of its own, which is empty where it has not run before.
  $cargo fetch --locked
  $cargo test "${tests[@]}" --offline -- "${skips[@]}"
fi
