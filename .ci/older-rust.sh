#!/usr/bin/env bash
# older-rust.sh PREFIX: makes Rust 1.78 from Debian's packages below PREFIX, without installing
# anything, and prints nothing but errors. Afterwards PREFIX/bin/{cargo,rustc,rustdoc} run it. Exits
# with 3 where that toolchain cannot be had.
set -eu
unavailable() { echo "older-rust: $*" >&2; exit 3; }

prefix=$(mkdir -p "$1/bin" && cd "$1" && pwd)
[ -x "$prefix/bin/cargo" ] && exit 0
command -v apt-get >/dev/null && command -v dpkg >/dev/null || unavailable "no apt-get here"
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
[ -r "$keyring" ] || unavailable "no keyring of Debian's archive here"
mirror=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null | grep -v '^#' \
  | grep -oE 'https?://[^ /]+' | head -n 1)
[ -n "$mirror" ] || unavailable "apt has no source"

# An apt of its own, with the release that carries 1.78.
apt="$prefix/apt"
mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial" "$apt/etc"
: > "$apt/status"
for archive in 'debian bullseye' 'debian-security bullseye-security'; do
  echo "deb [arch=amd64 signed-by=$keyring] $mirror/$archive main"
done > "$apt/sources"
cat > "$apt/conf" <<CONF
Dir::State "$apt"; Dir::State::lists "$apt/lists"; Dir::State::status "$apt/status";
Dir::Cache "$apt/cache"; Dir::Etc::sourcelist "$apt/sources";
Dir::Etc::sourceparts "$apt/etc"; Dir::Etc::preferencesparts "$apt/etc";
APT::Architecture "amd64"; APT::Architectures {"amd64";}; APT::Sandbox::User "root";
CONF
export APT_CONFIG="$apt/conf"
apt-get -qq update >&2 || unavailable "apt-get update failed"

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
rm -rf "$prefix/debs" "$apt"

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
