#!/usr/bin/env bash
# Runs tests as programs of aarch64 Linux, under qemu; compares walks with the system's unwinder,
# with and without pointer authentication; and compares the report of a package outside of this
# repository with the one that this machine prints. With arguments, which go to `cargo test`, it
# runs those tests alone. Exits with 3 where what it takes cannot be had.
set -euo pipefail
cd "$(dirname "$0")/.."
. .ci/qemu.sh aarch64

tests() {
  cargo +nightly test -q "${build[@]}" --locked --all-features --config "$(little mod-alloc)" "$@"
}
[ $# = 0 ] || { tests "$@"; exit; }
# Where functions that were inlined have no paths, others fail, and of these one.
tests --lib --test attribution --test attribute --test budget --test call_sites --test counting \
  -- --skip merged::a_function_that_ends_with_a_call_may_be_missing

.ci/outside.sh "${build[@]}"

# compare RUSTFLAGS CFLAGS
compare() {
  RUSTFLAGS="$RUSTFLAGS $1" CFLAGS_aarch64_unknown_linux_gnu=$2 CARGO_TARGET_DIR=$unwinding \
    cargo +nightly run -q "${build[@]}" --locked --manifest-path tests/unwinding/Cargo.toml \
    --config "$(little mod-alloc-unwinding)" | grep " equal "
}
# Both packages in one folder would build std anew each time.
unwinding=$CARGO_TARGET_DIR/unwinding
compare "" ""
# The return addresses of all functions are signed, of std's and of C, too.
compare -Zbranch-protection=pac-ret,leaf,bti -mbranch-protection=standard
