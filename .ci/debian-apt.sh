#!/usr/bin/env bash
# debian-apt.sh FOLDER 'ARCHIVE SUITE'...: makes an apt of its own in FOLDER, for other releases of
# Debian than the one that runs here, and prints the path of its configuration (APT_CONFIG). It
# installs nothing. Exits with 3 where that cannot be had.
set -eu
unavailable() { echo "debian-apt: $*" >&2; exit 3; }

apt=$(mkdir -p "$1" && cd "$1" && pwd); shift
command -v apt-get >/dev/null && command -v dpkg >/dev/null || unavailable "no apt-get here"
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
[ -r "$keyring" ] || unavailable "no keyring of Debian's archive here"
mirror=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null | grep -v '^#' \
  | grep -oE 'https?://[^ /]+' | head -n 1)
[ -n "$mirror" ] || unavailable "apt has no source"

mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial" "$apt/etc"
: > "$apt/status"
for archive in "$@"; do
  echo "deb [arch=amd64 signed-by=$keyring] $mirror/$archive main"
done > "$apt/sources"
cat > "$apt/conf" <<CONF
Dir::State "$apt"; Dir::State::lists "$apt/lists"; Dir::State::status "$apt/status";
Dir::Cache "$apt/cache"; Dir::Etc::sourcelist "$apt/sources";
Dir::Etc::sourceparts "$apt/etc"; Dir::Etc::preferencesparts "$apt/etc";
APT::Architecture "amd64"; APT::Architectures {"amd64";}; APT::Sandbox::User "root";
CONF
APT_CONFIG="$apt/conf" apt-get -qq update >&2 || unavailable "apt-get update failed"
echo "$apt/conf"
