#!/usr/bin/env bash
# repeat.sh TIMES [COMMAND..]: builds all tests, of the clients too, in debug and in release, and
# runs them TIMES times over beside four processes that keep the machine busy. COMMAND goes before
# each binary: `.ci/repeat.sh 50 taskset -c 0` is on one core. Goes on after a failure; at the end
# it lists how often which binary failed, with what it printed in target/repeat/, and fails.
#
# From the environment: ONLY, an extended regular expression that the names of the binaries have to
# match, as in `ONLY='^(process|tokio_tasks)$'`, and PROFILES, `dev release` unless set. Doctests
# are not run, nor what runs Cargo itself.
set -euo pipefail
cd "$(dirname "$0")/.."
times=${1:?how often?}; shift
export INSTA_UPDATE=no INSTA_FORCE_PASS=0
unset RUST_BACKTRACE MOD_ALLOC_BACKTRACE MOD_ALLOC_DHAT

# FOLDER BINARY: where the tests of a package run, and one of them.
binaries=()
list() { # CARGO'S OPTIONS..
  while read -r folder binary; do
    name=$(basename "$binary"); name=${name%-*}
    [[ $name =~ ^(ui|snapshot_text)$ || ! $name =~ ${ONLY:-.} ]] || binaries+=("$folder $binary")
  done < <(cargo test --no-run --locked --message-format=json "$@" | grep '"test":true' \
    | sed -nE 's/.*"manifest_path":"([^"]*)\/Cargo\.toml".*"executable":"([^"]*)".*/\1 \2/p')
}
for profile in ${PROFILES:-dev release}; do
  list --workspace --all-features --tests --profile "$profile"
  list --manifest-path tests/clients/Cargo.toml --workspace --tests --profile "$profile"
done
[ ${#binaries[@]} -gt 0 ] || { echo "no test's name matches '${ONLY:-.}'"; exit 1; }

busy=(); trap 'kill "${busy[@]}"' EXIT
for _ in 1 2 3 4; do
  while :; do :; done & busy+=($!)
done

logs=target/repeat; rm -rf "$logs"; mkdir -p "$logs"; logs=$(cd "$logs" && pwd)
declare -A failures=()
for ((run = 1; run <= times; run++)); do
  for entry in "${binaries[@]}"; do
    read -r folder binary <<< "$entry"
    log="$logs/$(basename "$binary").$run"
    libraries="$(dirname "$binary"):$(rustc --print target-libdir)"
    if (cd "$folder" && LD_LIBRARY_PATH=$libraries "$@" "$binary") > "$log" 2>&1; then
      rm "$log"
    else
      echo "run $run: $binary failed"
      failures[$binary]=$((${failures[$binary]:-0} + 1))
    fi
  done
  echo "run $run of $times is done after $SECONDS s"
done
for binary in "${!failures[@]}"; do
  echo "$binary failed ${failures[$binary]} times, see $logs"
done
[ ${#failures[@]} -eq 0 ] || exit 1
echo "${#binaries[@]} binaries, $times times each: no failure"
