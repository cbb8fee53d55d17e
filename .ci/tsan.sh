#!/usr/bin/env bash
# Runs what several threads do under ThreadSanitizer. Nothing is suppressed. Exits with 3 where the
# nightly toolchain or the sources of its standard library are missing: std's own locks and joins
# are not seen unless they are instrumented too, and dozens of false reports hide the true ones.
# With `--filters`: only names the modules that it runs, for has-tests.sh.
set -euo pipefail
cd "$(dirname "$0")/.."

# Not the stack walks, their stacks and symbols: the sanitizer's own frames are in their way, and
# they start no threads that share anything.
modules=(counters:: open_scopes:: threads:: stacks:: blocks:: sys::stable_set:: sys::stable_vec::
  sys::vec::)
[ "${1-}" != --filters ] || { echo "${modules[@]}"; exit; }

__CARGO_TESTS_ONLY_SRC_ROOT=$(.ci/std-sources.sh) || exit 3
export __CARGO_TESTS_ONLY_SRC_ROOT

# With debug assertions, counters are stored by assembly, which the sanitizer does not see.
export CARGO_PROFILE_DEV_DEBUG_ASSERTIONS=false CARGO_PROFILE_DEV_DEBUG=line-tables-only
export CARGO_TARGET_DIR=target/tsan
# Where std's sources lie, as its own builds have it: below this folder they would be the user's.
remap="--remap-path-prefix=$(dirname "$__CARGO_TESTS_ONLY_SRC_ROOT")=/rustc/std"
export RUSTFLAGS="-Zsanitizer=thread $remap"
run() {
  cargo +nightly test --config profile.dev.package.mod-alloc.opt-level=1 --locked --all-features \
    -Zbuild-std --target x86_64-unknown-linux-gnu "$@"
}
run --lib -- "${modules[@]}" --skip later_threads
run --test attribution --test counting
run --test attribution_model -- 400
