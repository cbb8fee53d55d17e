#!/usr/bin/env bash
# older-rust.sh PREFIX: makes Rust 1.78 from Debian's packages below PREFIX, without installing
# anything, and prints nothing but errors. Afterwards PREFIX/bin/{cargo,rustc,rustdoc} run it. Exits
# with 3 where that toolchain cannot be had.
set -eu
unavailable() { echo "older-rust: $*" >&2; exit 3; }

prefix=$(mkdir -p "$1/bin" && cd "$1" && pwd)
[ -x "$prefix/bin/cargo" ] && exit 0
APT_CONFIG=$("$(dirname "$0")/debian-apt.sh" "$prefix/apt" 'debian bullseye' \
  'debian-security bullseye-security') || exit 3
export APT_CONFIG

version=$(apt-cache madison rustc-web | awk '$3 ~ /^1\.78\./ { print $3; exit }')
[ -n "$version" ] || unavailable "Debian no longer has rustc 1.78"
mkdir -p "$prefix/debs"
(
  cd "$prefix/debs"
  apt-get -qq download "rustc-web=$version" "cargo-web=$version" "libstd-rust-web-1.78=$version" \
    "libstd-rust-web-dev=$version" libllvm16 libz3-4 libedit2 libffi7 libtinfo6 libxml2 libssl1.1 \
    libhttp-parser2.9 libicu67 libbsd0 libmd0 libpcre3 libssh2-1 >&2
  for deb in *.deb; do dpkg -x "$deb" "$prefix/unpacked"; done
) || unavailable "a package of rustc 1.78 could not be downloaded"
rm -rf "$prefix/debs" "$prefix/apt"

lib=usr/lib/x86_64-linux-gnu
for tool in rustc rustdoc cargo; do # cargo last: it marks the work as done.
  cat > "$prefix/bin/$tool" <<WRAPPER
#!/bin/sh
export LD_LIBRARY_PATH="$prefix/unpacked/$lib:$prefix/unpacked/lib/x86_64-linux-gnu"
export RUSTC="$prefix/bin/rustc" RUSTDOC="$prefix/bin/rustdoc"
exec "$prefix/unpacked/usr/bin/$tool" "\$@"
WRAPPER
  chmod +x "$prefix/bin/$tool"
done
