#!/usr/bin/env bash
# outside.sh ARGUMENT...: whether a package outside of this repository, with a budget that breaks,
# prints the same report when it is built with these arguments of Cargo's as when it is built for
# this machine.
set -euo pipefail
cd "$(dirname "$0")/.."

package=$(mktemp -d); trap 'rm -rf "$package"' EXIT
mkdir "$package/src"
cat > "$package/Cargo.toml" <<TOML
[package]
name = "outside"
version = "0.0.0"
edition = "2021"
[workspace]
[dependencies]
mod-alloc = { path = "$PWD" }
TOML
cat > "$package/src/main.rs" <<'RUST'
use std::collections::BTreeMap;

use mod_alloc::{Budget, ModAlloc};

#[global_allocator]
static ALLOC: ModAlloc = ModAlloc::new();

fn count(text: &str) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for word in text.split(' ') {
        *counts.entry(word.to_owned()).or_insert(0) += 1;
    }
    counts
}

fn main() {
    let text = "a budget that is broken names the lines that allocate";
    let counted = Budget::new().max(3).check(|| count(text));
    println!("{}", counted.expect_err("it allocates more"));
}
RUST
run() { cargo +nightly run -q --manifest-path "$package/Cargo.toml" "$@" | tr -d '\r'; }
run "$@" > "$package/there.txt"
run > "$package/here.txt"
diff "$package/here.txt" "$package/there.txt" \
  || { echo "outside: the report differs from the one here"; exit 1; }
grep "src/main.rs:11:28" "$package/there.txt"
