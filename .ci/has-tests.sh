#!/usr/bin/env bash
# has-tests.sh FILTER...: fails unless each filter is in the name of a unit test. A module that is
# renamed would otherwise leave its tests out of a run that filters, and nobody would know.
set -euo pipefail
cd "$(dirname "$0")/.."
tests=$(cargo test -q --locked --all-features --lib -- --list)
for filter in "$@"; do
  grep -q "$filter.*: test$" <<< "$tests" \
    || { echo "no unit test has '$filter' in its name"; exit 1; }
done
