#!/usr/bin/env bash
# install.sh PACKAGE...: installs those of Debian's packages that are missing. Exits with 3 where
# it cannot.
set -eu
missing=()
for package in "$@"; do
  dpkg -s "$package" >/dev/null 2>&1 || missing+=("$package")
done
[ ${#missing[@]} != 0 ] || exit 0
export DEBIAN_FRONTEND=noninteractive
{ apt-get -qq update && apt-get -qq install -y --no-install-recommends "${missing[@]}"; } \
  >/dev/null 2>&1 || { echo "install: cannot install ${missing[*]}" >&2; exit 3; }
