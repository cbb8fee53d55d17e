#!/usr/bin/env bash
# make.sh: makes the tables of this folder anew, from functions.rs: for each processor the section
# `__unwind_info` of a Mach-O program, and what llvm-objdump reads in it, as lines of an offset and
# an encoding. Needs a nightly toolchain with rust-src, and llvm-objdump and llvm-objcopy.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
lld=$(find "$(rustc +nightly --print sysroot)" -name rust-lld)
cat > "$work/Cargo.toml" <<TOML
[package]
name = "functions"
version = "0.0.0"
edition = "2021"
[[bin]]
name = "functions"
path = "$here/functions.rs"
[profile.dev]
panic = "abort"
[profile.release]
panic = "abort"
[workspace]
TOML
# Without libSystem: what it would have is looked up when the program is started, which nobody does.
cat > "$work/libSystem.tbd" <<TBD
--- !tapi-tbd
tbd-version: 4
targets: [x86_64-macos, arm64-macos]
install-name: /usr/lib/libSystem.B.dylib
exports:
  - targets: [x86_64-macos, arm64-macos]
    symbols: [dyld_stub_binder]
...
TBD
for target in x86_64 aarch64; do
  for profile in dev release; do
    # Without rows for the ends of functions, tables have few entries that are in DWARF alone.
    plain=(); [ $profile = dev ] || plain=(-Zuse-sync-unwind)
    (cd "$work" && SDKROOT=$work cargo +nightly rustc -q -Zbuild-std=core --profile "$profile" \
      --target "$target-apple-darwin" --target-dir target -- -Cforce-unwind-tables "${plain[@]}" \
      -Clinker="$lld" -Clinker-flavor=ld64.lld -Clink-arg=-undefined -Clink-arg=dynamic_lookup \
      -Clink-arg="-L$work")
    program=$work/target/$target-apple-darwin/${profile/dev/debug}/functions
    llvm-objcopy --dump-section "__TEXT,__unwind_info=$here/$target-$profile.table" \
      "$program" "$work/unused"
    llvm-objdump --macho --unwind-info "$program" | grep 'encoding.*=' |
      sed -nE 's/^ *\[[0-9]+\]: function offset=0x([0-9a-f]+), .*=0x([0-9a-f]+)$/\1 \2/p' \
      > "$here/$target-$profile.read"
  done
done
