#!/usr/bin/env bash
# Runs under Miri what it can run: the sets, tables and counters that threads share, not what calls
# the system or walks stacks. Exits with 3 where the nightly toolchain has no Miri.
# With `--filters`: only names the modules that it runs, for has-tests.sh.
set -euo pipefail
cd "$(dirname "$0")/.."

modules=(counters:: open_scopes:: threads:: stacks::stack:: stacks::site_table:: blocks::live::
  blocks::entry:: blocks::leak_counter:: blocks::birth:: blocks::uses::
  sys::stable_set:: sys::stable_vec:: sys::vec::)
[ "${1-}" != --filters ] || { echo "${modules[@]}"; exit; }

cargo +nightly miri --version >/dev/null 2>&1 \
  || { echo "miri: rustup +nightly component add miri" >&2; exit 3; }
# What threads keep for those that come after them is never given back.
export MIRIFLAGS=-Zmiri-ignore-leaks CARGO_TARGET_DIR=target/miri
cargo +nightly miri test --locked --all-features --lib -- "${modules[@]}" \
  --skip threads_that_intern_the_same --skip random --skip model \
  --skip later_threads
