#!/usr/bin/env bash
# Installs what the tests need, and passes all of them. Run it from anywhere.
# RACE=0 leaves the race detector out; FUZZTIME=60s fuzzes every decoder that long.
set -euo pipefail
cd "$(dirname "$0")"

# The race detector needs a C compiler. Everything else is Go.
race=()
if [ "${RACE:-1}" = 1 ]; then
  if ! command -v gcc >/dev/null; then
    install=(apt-get install -y --no-install-recommends gcc libc6-dev)
    if [ "$(id -u)" = 0 ]; then "${install[@]}" || true
    elif command -v sudo >/dev/null; then sudo -n "${install[@]}" || true; fi
  fi
  if command -v gcc >/dev/null; then race=(-race)
  else echo "test.sh: no C compiler and none could be installed; running without the race detector" >&2; fi
fi

go vet ./...
if [ -n "${FUZZTIME:-}" ]; then
  for package in $(go list ./...); do
    for target in $(go test -list '^Fuzz' "$package" | grep '^Fuzz' || true); do
      go test -run '^$' -fuzz "^$target\$" -fuzztime "$FUZZTIME" "$package"
    done
  done
fi
go test "${race[@]}" -shuffle=on -count=1 -timeout 40m ./...
