#!/usr/bin/env bash
# platforms.sh: what can be proved on this machine of other targets and toolchains, one step after
# the other, each in a target folder of its own. All of them run, whatever comes of one. Prints a
# line `skipped: ...` for each that this machine has no means for; exits with 1 if one failed.
set -uo pipefail
cd "$(dirname "$0")/.."

failed=()
# platform WHAT SCRIPT
platform() {
  local status=0
  printf '\n=== %s (after %s s)\n' "$1" "$SECONDS"
  "$2" || status=$?
  case $status in
    0) ;;
    3) echo "skipped: $1: what it takes could not be had" ;;
    *) failed+=("$1") ;;
  esac
}

platform "clippy for targets that cannot be run here" .ci/targets.sh
platform "the tests as a program of 32 bits" .ci/i686.sh
platform "the tests with musl" .ci/musl.sh
platform "the tests on Windows, under wine" .ci/windows.sh
platform "the tests on aarch64, under qemu" .ci/aarch64.sh
platform "the tests on s390x, under qemu" .ci/s390x.sh
platform "data races, with ThreadSanitizer" .ci/tsan.sh
platform "the oldest Rust that can be had" .ci/oldest-rust.sh

printf '\n=== other targets and toolchains done (after %s s)\n' "$SECONDS"
for what in "${failed[@]+"${failed[@]}"}"; do echo "failed: $what"; done
[ ${#failed[@]} = 0 ]
