#!/usr/bin/env bash
# The snapshot text of call sites is the same, byte for byte, in two runs, in two folders, in debug and in release builds, with each kind
# of debug information and with the nightly toolchain: that of examples/call_sites.rs, and that of the program of tests/snapshot_text.
# What this machine has no toolchain for is named.
set -euo pipefail
cd "$(dirname "$0")/.."
export CARGO_TERM_COLOR=never INSTA_UPDATE=no INSTA_FORCE_PASS=0 CARGO_PROFILE_RELEASE_DEBUG=line-tables-only
unset RUST_BACKTRACE MOD_ALLOC_BACKTRACE

work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
target="$PWD/target/snapshot-text"

check() { # NAME CARGO-ARGUMENT... (the first may be a +TOOLCHAIN)
  local name=$1 toolchain=(); shift
  case "${1-}" in +*) toolchain=("$1"); shift ;; esac
  cargo "${toolchain[@]+"${toolchain[@]}"}" test -q --locked --test snapshot_text "$@" > "$work/log" 2>&1 || { cat "$work/log"; echo "$name: another text"; exit 1; }
  for run in 1 2; do
    cargo "${toolchain[@]+"${toolchain[@]}"}" run -q --locked --example call_sites "$@" -- --snapshot > "$work/text" 2> "$work/log" || { cat "$work/log"; exit 1; }
    [ -e "$work/first" ] || cp "$work/text" "$work/first"
    cmp "$work/first" "$work/text" || { diff "$work/first" "$work/text" || true; echo "$name: another text"; exit 1; }
  done
  echo "$name: the same"
}

export CARGO_TARGET_DIR="$target"
check "debug"
check "release" --release
CARGO_PROFILE_RELEASE_DEBUG=full check "release, full debug information" --release
CARGO_PROFILE_DEV_DEBUG=line-tables-only check "debug, line tables only"
CARGO_PROFILE_RELEASE_LTO=fat CARGO_PROFILE_RELEASE_CODEGEN_UNITS=1 check "release, fat LTO" --release
RUSTFLAGS="${RUSTFLAGS-} -Csymbol-mangling-version=v0" check "release, v0 mangling" --release
if cargo +nightly --version > "$work/log" 2>&1; then
  export CARGO_TARGET_DIR="$target/nightly"
  check "nightly, debug" +nightly
  check "nightly, release" +nightly --release
else
  echo "skipped: the nightly toolchain is not installed"
fi

mkdir -p "$work/another folder/checkout"
tar --exclude=target --exclude=.git -cf - . | tar -xf - -C "$work/another folder/checkout"
cd "$work/another folder/checkout"
export CARGO_TARGET_DIR="$work/target"
check "another folder, debug"
check "another folder, release" --release
