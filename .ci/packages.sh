#!/usr/bin/env bash
# Checks what `cargo package` would publish of each crate: the sources, the licence, the readme, the
# picture in it, and no junk.
set -eu
# What a package may hold; each alternative is a whole path.
wanted='Cargo\.(toml|toml\.orig|lock)|\.cargo_vcs_info\.json|LICENSE|README\.md'
wanted+='|(src|examples)/[a-z0-9_/]+\.rs|examples/dhat_heap\.png'
check() { # PACKAGE EXPECTED-FILE...
  package=$1; shift
  list=$(cargo package --list --allow-dirty --locked -p "$package")
  for file in "$@"; do
    grep -qx "$file" <<< "$list" || { echo "$package lacks $file"; exit 1; }
  done
  junk=$(grep -vxE "$wanted" <<< "$list" || true)
  [ -z "$junk" ] || { echo "$package would publish: $junk"; exit 1; }
  echo "$package: $(wc -l <<< "$list") files"
}
check mod-alloc LICENSE README.md src/lib.rs src/allocator.rs examples/dhat_heap.png
check mod-alloc-macros LICENSE README.md src/lib.rs
for package in . macros; do
  cmp -s LICENSE "$package/LICENSE" || { echo "$package/LICENSE is not the licence"; exit 1; }
done
