#!/usr/bin/env bash
# Runs tests as programs of s390x Linux, under qemu: there the upper half of a number comes first,
# and there are no call sites. With arguments, which go to `cargo test`, it runs those tests alone.
# Exits with 3 where what it takes cannot be had.
set -euo pipefail
cd "$(dirname "$0")/.."
. .ci/qemu.sh s390x

[ $# != 0 ] || set -- --lib --test attribute --test attribution --test attribution_model \
  --test budget --test counting --test growth --test heap_profiles --test model --test recorded \
  --test report
export MOD_ALLOC_TEST_PART=${MOD_ALLOC_TEST_PART-20}
cargo +nightly test -q "${build[@]}" --locked --all-features --config "$(little mod-alloc)" "$@"
