#!/usr/bin/env bash
# Runs tests as static programs with musl, and compares the report of a package outside of this
# repository with the one of glibc. With arguments, which go to `cargo test`, it runs those tests
# alone. Exits with 3 where the nightly toolchain's standard library for musl cannot be had.
set -euo pipefail
cd "$(dirname "$0")/.."
target=x86_64-unknown-linux-musl
rustup +nightly target add $target >/dev/null 2>&1 \
  || { echo "musl: rustup +nightly target add $target" >&2; exit 3; }
export CARGO_TARGET_DIR=target/musl MOD_ALLOC_TEST_PART=${MOD_ALLOC_TEST_PART-20}
unset RUST_BACKTRACE

tests() { cargo +nightly test -q --target $target --locked --all-features "$@"; }
[ $# = 0 ] || { tests "$@"; exit; }
# Where a thread of musl's starts there is no unwind table, so the outermost frames of a stack that
# is too deep are not found; the report says so.
tests --test allowed --test attribute --test attribution --test attribution_model --test budget \
  --test call_sites --test counting --test report --test retained \
  -- --skip deeper_stacks_keep_both_ends_and_say_so
tests --test heap_profiles --test model --test recorded

.ci/outside.sh --target $target
