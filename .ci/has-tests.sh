#!/usr/bin/env bash
# Fails unless each filter of tsan.sh and of miri.sh is in the name of a unit test. A module that is
# renamed would otherwise leave its tests out of their runs, and nobody would know. It needs no
# nightly toolchain.
set -euo pipefail
cd "$(dirname "$0")/.."
tests=$(cargo test -q --locked --all-features --lib -- --list)
for script in tsan miri; do
  filters=$(".ci/$script.sh" --filters)
  for filter in $filters; do
    grep -q "$filter.*: test$" <<< "$tests" \
      || { echo "$script.sh: no unit test has '$filter' in its name"; exit 1; }
  done
  echo "$script.sh: its $(wc -w <<< "$filters") filters name tests"
done
