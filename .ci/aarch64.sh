#!/usr/bin/env bash
# Runs tests as programs of aarch64 Linux, under qemu's emulation of a process, and compares walks
# with the system's unwinder, with and without pointer authentication. Without arguments it runs
# the library's tests and those of attributes, budgets, reports and call sites; arguments go to
# `cargo test` instead, so that `aarch64.sh --tests` runs all. Installs what it needs where it may,
# and exits with 3 where that cannot be had.
set -euo pipefail
cd "$(dirname "$0")/.."
unavailable() { echo "aarch64: $*" >&2; exit 3; }

__CARGO_TESTS_ONLY_SRC_ROOT=$(.ci/std-sources.sh) || exit 3
export __CARGO_TESTS_ONLY_SRC_ROOT CARGO_TARGET_DIR=target/aarch64
.ci/install.sh qemu-user-static gcc-aarch64-linux-gnu || exit 3

# Where std's sources lie, as its own builds have it; below this folder they would be the user's.
remap="--remap-path-prefix=$(dirname "$__CARGO_TESTS_ONLY_SRC_ROOT")=/rustc/std"
root=/usr/aarch64-linux-gnu
target=aarch64-unknown-linux-gnu
export QEMU_LD_PREFIX=$root
export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc
export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER="qemu-aarch64-static -cpu max"

# Tests start programs, which the system has to know how to run.
formats=/proc/sys/fs/binfmt_misc
if [ ! -e $formats/register ]; then
  mount -t binfmt_misc none $formats 2>/dev/null || unavailable "binfmt_misc cannot be mounted"
  trap 'umount $formats' EXIT
fi
if [ ! -e $formats/qemu-aarch64 ]; then
  magic='\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00'
  mask='\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff'
  echo ":qemu-aarch64:M::$magic:$mask:$(command -v qemu-aarch64-static):F" > $formats/register \
    || unavailable "programs of aarch64 cannot be registered"
fi

# std as it comes: optimised, with lines alone, which an emulator reads much sooner. What is tested
# is optimised a little, too, since it would take minutes.
export CARGO_PROFILE_DEV_DEBUG=line-tables-only
build=(-Zbuild-std --target "$target" --locked --config 'profile.dev.package."*".opt-level=2')
tests() {
  RUSTFLAGS=$remap cargo +nightly test -q "${build[@]}" --all-features \
    --config profile.dev.package.mod-alloc.opt-level=1 "$@"
}
[ $# != 0 ] || set -- --lib --test attribution --test attribute --test budget --test call_sites \
  --test counting --test report --test retained
tests "$@"

# compare RUSTFLAGS CFLAGS
compare() {
  RUSTFLAGS="$remap $1" CFLAGS_aarch64_unknown_linux_gnu=$2 CARGO_TARGET_DIR=$unwinding \
    cargo +nightly run -q "${build[@]}" --manifest-path tests/unwinding/Cargo.toml \
    --config profile.dev.package.mod-alloc-unwinding.opt-level=1 | grep " equal "
}
# Both packages in one folder would build std anew each time.
unwinding=$CARGO_TARGET_DIR/unwinding
compare "" ""
# The return addresses of all functions are signed, of std's and of C, too.
compare -Zbranch-protection=pac-ret,leaf,bti -mbranch-protection=standard
