#!/usr/bin/env bash
# Checks the workbench: types, form, logic, that the built pages are those of the source,
# and every page in a real browser over the real binary. Run it from anywhere.
set -euo pipefail
cd "$(dirname "$0")/ui"

# Vite 8 needs this much of Node.js. Building Coldtrail needs none: the built pages are kept.
wanted=20.19
have=$(node --version 2>/dev/null | sed 's/^v//' || true)
if [ -z "$have" ] || [ "$(printf '%s\n%s\n' "$wanted" "$have" | sort -V | head -n1)" != "$wanted" ]; then
  echo "web/check.sh: Node.js $wanted or newer is wanted and ${have:-none} is here" >&2
  [ -z "${CI:-}" ] && echo "web/check.sh: the workbench is not checked" >&2 && exit 0
  exit 1
fi

npm ci --no-audit --no-fund --loglevel=error
echo "== workbench: types of the API"
npm run --silent types -- --check
echo "== workbench: lint, types"
npm run --silent lint
npm run --silent check
echo "== workbench: logic"
npm run --silent unit
echo "== workbench: the built pages are those of the source"
npm run --silent build -- --outDir test-results/dist --logLevel warn
diff -r ../dist test-results/dist || { echo "run npm run build in web/ui and commit web/dist" >&2; exit 1; }
if [ -x "${CHROMIUM:-/usr/bin/chromium}" ]; then
  echo "== workbench: in a browser"
  npm run --silent browser
else
  echo "web/check.sh: no Chromium is here (Debian: apt-get install chromium); the pages are not tried in a browser" >&2
  [ -z "${CI:-}" ]
fi
