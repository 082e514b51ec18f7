#!/usr/bin/env bash
# Installs libchdb.so, today's ClickHouse as a library, into .tools/chdb (over half a
# gigabyte) and prints its path, the value of COLDTRAIL_CHDB:
#   COLDTRAIL_CHDB=$(internal/chdbtest/install.sh) go test ./internal/chdbtest
set -euo pipefail
cd "$(dirname "$0")/../.."
# What npm's chdb 3.4.0 loads; its other parts are for Node.js.
package=@chdb/lib-linux-x64-gnu version=26.7.3-stable.1
folder="$PWD/.tools/chdb"
library="$folder/node_modules/$package/libchdb.so"
if [ "$(uname -sm)" != "Linux x86_64" ]; then
  echo "install.sh: $package is for Linux on x86_64; this is $(uname -sm)" >&2
  exit 2
fi
if [ "$(cat "$folder/version" 2>/dev/null)" != "$version" ] || [ ! -e "$library" ]; then
  mkdir -p "$folder"
  npm install --prefix "$folder" --no-save --no-package-lock --no-audit --no-fund "$package@$version" >&2
  echo "$version" >"$folder/version"
fi
[ -e "$library" ] || { echo "install.sh: $package $version has no libchdb.so" >&2; exit 2; }
echo "$library"
