#!/usr/bin/env bash
# Checks the library for targets that nothing here can run, one by one: that it compiles, and what
# clippy says of it; and its tests, where some are of that target alone. `targets.sh TARGET..`
# checks those alone. Exits with 3 where the nightly toolchain or the sources of its standard
# library are missing.
set -euo pipefail
cd "$(dirname "$0")/.."

__CARGO_TESTS_ONLY_SRC_ROOT=$(.ci/std-sources.sh) || exit 3
export __CARGO_TESTS_ONLY_SRC_ROOT CARGO_TARGET_DIR=target/targets CARGO_PROFILE_DEV_DEBUG=false

with_tests=(
  aarch64-apple-darwin
  x86_64-pc-windows-msvc
  aarch64-unknown-linux-musl
  mips-unknown-linux-gnu       # of 32 bits, the upper half comes first, without 64-bit atomics
)
targets=(
  "${with_tests[@]}"
  x86_64-unknown-linux-musl
  aarch64-linux-android        # thread-locals of the library, not of the system
  x86_64-unknown-freebsd
  riscv64gc-unknown-linux-gnu
  armv5te-unknown-linux-gnueabi
  wasm32-wasip1                # no threads, and no unwinding
)
[ $# = 0 ] || targets=("$@")
for target in "${targets[@]}"; do
  echo "$target"
  tests=()
  [[ " ${with_tests[*]} " != *" $target "* ]] || tests=(--tests)
  # It takes the expansion for what is written where the system has no thread-locals.
  cargo +nightly clippy -q -Zbuild-std --target "$target" --locked --all-features --lib \
    ${tests[@]+"${tests[@]}"} -- -D warnings -A clippy::missing-const-for-thread-local
done
