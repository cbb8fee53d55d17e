#!/usr/bin/env bash
# The snapshot text of call sites is the same, byte for byte, in two runs, in two folders, in debug
# and in release builds, with each kind of debug information, with rewritten paths and with the
# nightly toolchain: that of examples/call_sites.rs, and that of the program of tests/snapshot_text.
# They are built in a package of their own, without the tests' dependencies, which would have to be
# compiled for each build. What this machine has no toolchain for is named.
set -euo pipefail
cd "$(dirname "$0")/.."
export CARGO_TERM_COLOR=never CARGO_PROFILE_RELEASE_DEBUG=line-tables-only
unset RUST_BACKTRACE MOD_ALLOC_BACKTRACE MOD_ALLOC_DHAT

work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
target="$PWD/target/snapshot-text"

# The text of the insta snapshot, without its head.
snapshot=snapshot_text__the_text_is_the_same_in_every_build.snap
sed '1,/^---$/{1d;/^---$/!d;/^---$/d}' "tests/snapshot_text/snapshots/$snapshot" > "$work/program"

# FOLDER CRATE: makes the package, whose files have the names that they have in the texts
package() {
  mkdir -p "$1/tests/snapshot_text" "$1/examples"
  cp "$2/tests/snapshot_text/program.rs" "$1/tests/snapshot_text/"
  cp "$2/examples/call_sites.rs" "$1/examples/"
  cat > "$1/Cargo.toml" <<TOML
[package]
name = "snapshot-text"
version = "0.0.0"
edition = "2021"

[[bin]]
name = "program"
path = "tests/snapshot_text/main.rs"

[dependencies]
mod-alloc = { path = "$2" }

[workspace]
TOML
  cat > "$1/tests/snapshot_text/main.rs" <<RUST
mod program;

#[global_allocator]
static GLOBAL: mod_alloc::ModAlloc = mod_alloc::ModAlloc::new();

fn main() {
    print!("{}", program::run());
}
RUST
}

check() { # NAME CARGO-ARGUMENT... (the first may be a +TOOLCHAIN)
  local name=$1 toolchain=() run; shift
  case "${1-}" in +*) toolchain=("$1"); shift ;; esac
  for run in 1 2; do
    same program --bin program "$@"
    same call_sites --example call_sites "$@" -- --snapshot
  done
  echo "$name: the same"
}

same() { # TEXT CARGO-ARGUMENT...
  local text=$1; shift
  cargo "${toolchain[@]+"${toolchain[@]}"}" run -q --offline "$@" > "$work/text" 2> "$work/log" \
    || { cat "$work/log"; exit 1; }
  [ -e "$work/$text" ] || cp "$work/text" "$work/$text"
  diff "$work/$text" "$work/text" || { echo "$name: another text"; exit 1; }
}

package "$work/package" "$PWD"
mkdir -p "$work/another folder/checkout"
tar --exclude=target --exclude=.git -cf - . | tar -xf - -C "$work/another folder/checkout"
package "$work/another folder/package" "$work/another folder/checkout"

cd "$work/package"
export CARGO_TARGET_DIR="$target"
check "debug"
check "release" --release
CARGO_PROFILE_RELEASE_DEBUG=full check "release, full debug information" --release
CARGO_PROFILE_DEV_DEBUG=line-tables-only check "debug, line tables only"
CARGO_PROFILE_RELEASE_LTO=fat CARGO_PROFILE_RELEASE_CODEGEN_UNITS=1 \
  check "release, fat LTO" --release
RUSTFLAGS="${RUSTFLAGS-} -Csymbol-mangling-version=v0" check "release, v0 mangling" --release
RUSTFLAGS="${RUSTFLAGS-} --remap-path-prefix=$work/package=." \
  check "release, remapped paths" --release

# Without the source, a build has its names from the debug information or says that it has not:
# never another text.
without_source() { # NAME PROFILE-FOLDER
  mv tests/snapshot_text/program.rs hidden
  if "$target/$2/program" > "$work/text" 2> "$work/log"; then
    diff "$work/program" "$work/text" || { echo "$1: another text"; exit 1; }
  else
    grep -q "program.rs, can't be read. Set .debug = true." "$work/log" \
      || { cat "$work/log"; exit 1; }
  fi
  mv hidden tests/snapshot_text/program.rs
  echo "$1: the same, or none"
}
cargo build -q --offline --bin program
without_source "debug, without the source" debug
cargo build -q --offline --bin program --release
without_source "release, without the source" release
if cargo +nightly --version > "$work/log" 2>&1; then
  export CARGO_TARGET_DIR="$target/nightly"
  check "nightly, debug" +nightly
  check "nightly, release" +nightly --release
  check "nightly, trimmed paths" +nightly -Ztrim-paths --config 'profile.dev.trim-paths="all"'
else
  echo "skipped: the nightly toolchain is not installed"
fi

cd "$work/another folder/package"
export CARGO_TARGET_DIR="$work/target"
check "another folder, debug"
check "another folder, release" --release
