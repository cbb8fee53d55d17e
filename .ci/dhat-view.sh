#!/usr/bin/env bash
# dhat-view.sh FILE.json...: opens each file in DHAT's own viewer, and fails where that refuses it
# or shows other totals than the file's. Exits with 3 where the viewer, or what runs it here (node
# and jsdom), cannot be had.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
tools=$here/../target/dhat-view
jsdom=26.1.0
[ $# -gt 0 ] || { echo "usage: dhat-view.sh FILE.json..." >&2; exit 2; }
unavailable() { echo "dhat-view: $*" >&2; exit 3; }

mkdir -p "$tools"
node -e 'process.exit(process.versions.node.split(".")[0] >= 18 ? 0 : 1)' 2>/dev/null ||
  unavailable "no node, or none as new as 18"

# An apt with lists of its own, which installs nothing.
apt() {
  apt-get -qq -o Dir::State::lists="$tools/lists" -o Dir::Cache="$tools/cache" \
    -o APT::Sandbox::User= "$@" >&2
}
viewer=/usr/libexec/valgrind/dh_view.html
if [ ! -r "$viewer" ]; then
  viewer=$tools/valgrind$viewer
  if [ ! -r "$viewer" ]; then
    command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null ||
      unavailable "valgrind is not installed, and there is no apt-get"
    mkdir -p "$tools/lists/partial" "$tools/cache/archives/partial"
    (cd "$tools" && apt update && apt download valgrind) ||
      unavailable "the package valgrind could not be downloaded"
    dpkg-deb -x "$tools"/valgrind_*.deb "$tools/valgrind"
    rm -rf "$tools"/valgrind_*.deb "$tools/lists" "$tools/cache"
    [ -r "$viewer" ] || unavailable "the package valgrind has no $viewer"
  fi
fi

if ! grep -qs "\"version\": \"$jsdom\"" "$tools/node_modules/jsdom/package.json"; then
  command -v npm >/dev/null || unavailable "no npm"
  npm install --no-save --no-audit --no-fund --loglevel=error --prefix "$tools" \
    "jsdom@$jsdom" >/dev/null ||
    unavailable "jsdom $jsdom could not be installed"
fi

# The viewer writes numbers as the locale does.
LC_ALL=C NODE_PATH=$tools/node_modules node "$here/dhat-view.cjs" "$viewer" "$@"
