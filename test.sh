#!/usr/bin/env bash
# Installs what the tests need into .tools, and passes all of them, also those of the
# workbench in a browser (web/check.sh) and of what is deployed (deploy/check.sh). Run it from anywhere. RACE=0 leaves the race detector out; GETH=1 builds geth (minutes) and
# tests with it; FUZZTIME=60s fuzzes every decoder that long.
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

# Real nodes, and the compiler of the test contracts. Tests that need one of these
# are skipped where it could not be installed, but fail where CI is set.
tools="$PWD/.tools"
mkdir -p "$tools/bin"
if ! command -v npm >/dev/null; then
  if [ "$(id -u)" = 0 ]; then apt-get install -y --no-install-recommends nodejs npm || true
  elif command -v sudo >/dev/null; then sudo -n apt-get install -y --no-install-recommends nodejs npm || true; fi
fi
npm_packages=(@foundry-rs/anvil@1.7.1 solc@0.8.37)
if [ "$(cat "$tools/npm-packages" 2>/dev/null)" != "${npm_packages[*]}" ] && command -v npm >/dev/null; then
  npm install --prefix "$tools" --no-save --no-package-lock --no-audit --no-fund "${npm_packages[@]}" && echo "${npm_packages[*]}" >"$tools/npm-packages"
fi
# Transactions of a wallet's own tests; the package's dependencies are not needed.
wallet=unchained-client-10.14.11
if [ ! -d "$tools/$wallet" ] && command -v npm >/dev/null; then
  (cd "$tools" && npm pack --silent "@shapeshiftoss/unchained-client@${wallet##*-}" && tar xzf "shapeshiftoss-$wallet.tgz" && rm "shapeshiftoss-$wallet.tgz" && mv package "$wallet")
fi
node_of() { # MODULE VERSION: builds a node once, under its version
  local name; name=$(basename "$1")
  if [ ! -x "$tools/bin/$name-$2" ]; then
    GOBIN="$tools/bin" go install "$1@$2" && mv "$tools/bin/$name" "$tools/bin/$name-$2"
  fi
  ln -sf "$name-$2" "$tools/bin/$name"
}
node_of github.com/btcsuite/btcd v0.26.2
if [ "${GETH:-}" = 1 ]; then
  node_of github.com/ethereum/go-ethereum/cmd/geth v1.16.9
  export COLDTRAIL_GETH="$tools/bin/geth"
fi

go vet ./...
go vet -tags small ./cmd/coldtrail
if command -v npm >/dev/null; then web/check.sh; else echo "test.sh: no npm; the workbench is not checked" >&2; fi
deploy/check.sh
if [ -n "${FUZZTIME:-}" ]; then
  for package in $(go list ./...); do
    for target in $(go test -list '^Fuzz' "$package" | grep '^Fuzz' || true); do
      go test -run '^$' -fuzz "^$target\$" -fuzztime "$FUZZTIME" "$package"
    done
  done
fi
go test "${race[@]}" -shuffle=on -count=1 -timeout 40m ./...
