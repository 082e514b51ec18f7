#!/usr/bin/env bash
# Checks all that is deployed: the recipe of the image, units, compose file and manifests, by the programs that
# read them where they can be had. What cannot run here is said, and with CI set it is a failure.
# IMAGE=0 leaves the build of the image out, which compiles everything once more on a clean machine.
set -euo pipefail
cd "$(dirname "$0")"
programs=(buildah shellcheck strace iproute2 wget)
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  missing=()
  for package in "${programs[@]}"; do dpkg -s "$package" >/dev/null 2>&1 || missing+=("$package"); done
  if [ ${#missing[@]} -gt 0 ]; then
    apt-get -qq update || true # a new machine has no lists yet
    DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "${missing[@]}" >/dev/null || echo "deploy/check.sh: not installed: ${missing[*]}" >&2
  fi
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
said=$work/said
: >"$said"
if command -v shellcheck >/dev/null; then shellcheck -- *.sh */*.sh; else echo "check.sh: skipped: no shellcheck" | tee -a "$said"; fi
(cd check && go mod tidy -diff && go vet ./... && go test -count=1 ./...)
lint=../.tools/bin/golangci-lint
if [ -x "$lint" ]; then (cd check && "../$lint" fmt --diff && "../$lint" run --allow-parallel-runners); fi
(cd .. && go build -o "$work/coldtrail" ./cmd/coldtrail)
check/units.sh "$work/coldtrail" | tee -a "$said"
check/cluster.sh | tee -a "$said"
if [ "${IMAGE:-1}" = 1 ]; then check/image.sh | tee -a "$said"; fi
if [ -n "${CI:-}" ] && grep -q skipped "$said"; then
  echo "deploy/check.sh: with CI set nothing may be skipped" >&2
  exit 1
fi
