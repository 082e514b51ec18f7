#!/usr/bin/env bash
# Builds what the demo needs, as fast as it can be built, and runs it; takes the demo's
# options. The build is small (without ClickHouse, PostgreSQL and Parquet) and not optimised,
# which halves the wait of the first time. For real work: go build ./cmd/coldtrail
set -euo pipefail
cd "$(dirname "$0")"
export CGO_ENABLED=0
build=(-tags small -ldflags=-w "-gcflags=all=-N -l -dwarf=false")
binary="$PWD/.tools/coldtrail-demo"
mkdir -p "${binary%/*}"

# go build -v names each package that it compiles.
total=$(go list -deps "${build[@]}" ./cmd/coldtrail | wc -l)
started=$SECONDS done=0
while read -r line; do
  case $line in
  *[[:space:]:]*) echo "$line" >&2; continue ;; # said by the compiler, no package
  esac
  done=$((done + 1))
  passed=$((SECONDS - started))
  [ -t 2 ] && [ "$passed" -gt 1 ] && printf '\rcompiling, only the first time: %d of %d packages, %d s, about %d s left ' \
    "$done" "$total" "$passed" $(((total - done) * passed / done)) >&2
done < <(go build -v -o "$binary" "${build[@]}" ./cmd/coldtrail 2>&1)
wait $! # a build that failed ends here; what an earlier one left is not shown
[ -t 2 ] && [ "$done" -gt 0 ] && echo >&2
exec "$binary" demo "$@"
