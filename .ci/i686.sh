#!/usr/bin/env bash
# Runs the tests as a program of 32 bits, which a processor of 64 runs as well. Exits with 3 where
# the nightly toolchain, the sources of its standard library, or the C library of 32 bits are
# missing and cannot be installed. Arguments go to `cargo test`.
set -euo pipefail
cd "$(dirname "$0")/.."

__CARGO_TESTS_ONLY_SRC_ROOT=$(.ci/std-sources.sh) || exit 3
export __CARGO_TESTS_ONLY_SRC_ROOT CARGO_TARGET_DIR=target/i686
export CARGO_PROFILE_DEV_DEBUG=line-tables-only MOD_ALLOC_TEST_PART=${MOD_ALLOC_TEST_PART-20}
# These alone: gcc-multilib conflicts with the compilers for other processors.
.ci/install.sh libc6-dev-i386 "lib32gcc-$(gcc -dumpversion)-dev" || exit 3
linked=$(mktemp); trap 'rm -f "$linked"' EXIT
echo 'int main(void) { return 0; }' | gcc -m32 -x c -o "$linked" - -lgcc_s 2>/dev/null \
  && "$linked" || { echo "i686: gcc -m32 makes no program that runs here" >&2; exit 3; }

[ $# != 0 ] || set -- --no-fail-fast
cargo +nightly test -q -Zbuild-std --target i686-unknown-linux-gnu --locked --all-features \
  --config 'target.i686-unknown-linux-gnu.rustflags=["-Clink-arg=-m32"]' "$@"
