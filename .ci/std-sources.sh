#!/usr/bin/env bash
# std-sources.sh: prints the folder with the sources of the standard library that fit the nightly
# toolchain, for `-Zbuild-std`: that of STD_SOURCES, or of rustup's component rust-src, or the one
# from Debian, which is kept in the user's cache. (Not below target/: what lies in a workspace is
# known to Cargo by its place there, and would be built again for each of the workspaces here.)
# Exits with 3 where there is no such toolchain, or no such sources can be had.
set -euo pipefail
cd "$(dirname "$0")/.."
unavailable() { echo "std-sources: $*" >&2; exit 3; }

version=$(rustc +nightly --version 2>/dev/null) || unavailable "no nightly toolchain"
minor=$(echo "$version" | grep -oE '1\.[0-9]+' | head -n 1)
folder="${XDG_CACHE_HOME:-$HOME/.cache}/mod-alloc/std-sources-$minor"
for sources in "${STD_SOURCES-}" "$(rustc +nightly --print sysroot)/lib/rustlib/src/rust/library" \
  "$folder"/usr/src/rustc-*/library; do
  [ ! -d "$sources/std" ] || { echo "$sources"; exit; }
done

APT_CONFIG=$(.ci/debian-apt.sh "$folder/apt" 'debian sid') || exit 3
export APT_CONFIG
package=$(apt-cache madison rust-src \
  | awk -v minor="$minor." 'index($3, minor) == 1 { print $3; exit }')
[ -n "$package" ] || unavailable "rustup component add rust-src (Debian has none for Rust $minor)"
rm -rf "$folder/deb" && mkdir "$folder/deb"
(cd "$folder/deb" && apt-get -qq download "rust-src=$package" >&2) \
  || unavailable "rust-src could not be downloaded"
# Of the compiler's own sources nothing is needed.
dpkg --fsys-tarfile "$folder"/deb/*.deb \
  | tar -x -C "$folder" --wildcards './usr/src/rustc-*/library'
rm -rf "$folder/deb" "$folder/apt"
sources=$(echo "$folder"/usr/src/rustc-*/library)
[ -d "$sources/std" ] || unavailable "rust-src holds no std"
echo "$sources"
