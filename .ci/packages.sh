#!/usr/bin/env bash
# Checks what `cargo package` would publish of each crate: the sources, the licence, the readme and
# what it links to, and no junk. Then builds both from the packed files alone, mod-alloc with the
# packed macros, and with each set of features.
set -euo pipefail
# What a package may hold; each alternative is a whole path.
wanted='Cargo\.(toml|toml\.orig|lock)|\.cargo_vcs_info\.json|LICENSE|[A-Z]+\.md'
wanted+='|(src|examples)/[a-z0-9_/]+\.rs|src/guide/([a-z_]+|README)\.md'
wanted+='|examples/(README\.md|dhat_heap\.png|log_parser/access\.log)|docs/(growth|report)\.svg'
wanted+='|alloc_budgets/recorded_budget/words\.txt'
check() { # PACKAGE FOLDER EXPECTED-FILE...
  package=$1 folder=$2; shift 2
  list=$(cargo package --list --allow-dirty --locked -p "$package")
  # What its readme, and the comments of its sources, link to and show of its files.
  linked=$(cd "$folder" && { grep -ohE '\]\([^)#:]+[)#]' README.md || true; \
    grep -rohE '\]\([^)#: ]+\.(md|png|rs)\)' src || true; } | sed 's/^](//; s/[)#]$//' | sort -u)
  for file in "$@" $linked; do
    grep -qxF "$file" <<< "$list" || { echo "$package lacks $file"; exit 1; }
  done
  junk=$(grep -vxE "$wanted" <<< "$list" || true)
  [ -z "$junk" ] || { echo "$package would publish: $junk"; exit 1; }
  echo "$package: $(wc -l <<< "$list") files, $(wc -w <<< "$linked") of them linked to"
}
check mod-alloc . LICENSE README.md CHANGELOG.md SECURITY.md src/lib.rs src/allocator.rs \
  examples/dhat_heap.png
check mod-alloc-macros macros LICENSE README.md src/lib.rs
for package in . macros; do
  cmp -s LICENSE "$package/LICENSE" || { echo "$package/LICENSE is not the licence"; exit 1; }
done

# `--workspace` resolves the macros to the packed ones, which no registry has.
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml)
cargo fetch --quiet --locked
cargo package --workspace --no-verify --allow-dirty --locked --offline \
  --target-dir target/packages 2>&1 | grep -v 'ignoring test .* is not included'
# Elsewhere, for here Cargo takes them for parts of this workspace.
unpacked=$(mktemp -d); trap 'rm -rf "$unpacked"' EXIT
for package in mod-alloc mod-alloc-macros; do
  tar -xzf "target/packages/package/$package-$version.crate" -C "$unpacked"
done
packed() { # CARGO-COMMAND PACKAGE ARGUMENT...
  cargo "$1" --quiet --offline --target-dir target/packages "${@:3}" \
    --manifest-path "$unpacked/$2-$version/Cargo.toml" \
    --config "patch.crates-io.mod-alloc-macros.path = '$unpacked/mod-alloc-macros-$version'"
}
for features in --all-features --no-default-features --features=backtraces; do
  packed check mod-alloc --lib --examples $features
  echo "mod-alloc $version builds from the packed files, with $features"
done
# The tests that are packed: those beside the code, and those in examples.
for package in mod-alloc mod-alloc-macros; do
  packed test $package --lib --examples --all-features 2>/dev/null | grep ' [1-9][0-9]* passed'
done
