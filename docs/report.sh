#!/usr/bin/env bash
# Makes docs/report.svg: a terminal with the report of the README's own first example, in colour.
# Needs python3.
set -euo pipefail
cd "$(dirname "$0")/.."

package="$(mktemp -d)"
trap 'rm -rf "$package"' EXIT
mkdir "$package/src"
cat >"$package/Cargo.toml" <<END
[package]
name = "words"
edition = "2021"

[dev-dependencies]
mod-alloc = { path = "$PWD" }

[workspace]
END

# The first Rust block of the README with a line that begins so, without remarks.
block() {
  awk -v line="$1" '
    /^```/ { if (inside && found) { printf "%s", text; exit } inside = /^```rust/; found = 0; text = "" }
    /^```/ || /^\/\/ / { next }
    inside { text = text $0 "\n"; if (index($0, line) == 1) found = 1 }
  ' README.md
}
{ block "#[cfg(test)]"; echo; block "pub fn longest"; } >"$package/src/lib.rs"

output="$(cd "$package" && MOD_ALLOC_COLOR=always RUST_BACKTRACE=0 \
  CARGO_TARGET_DIR="$OLDPWD/target" cargo test --quiet --lib 2>&1 || true)"
# From the report's head to its command.
report="$(sed -n '/allocation budget exceeded/,/full stacks: /p' <<<"$output")"
[ -n "$report" ] || { echo "no report: $output" >&2; exit 1; }
python3 docs/report-svg.py <<<"$report" >docs/report.svg
