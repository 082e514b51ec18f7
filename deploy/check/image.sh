#!/usr/bin/env bash
# Builds the image by its recipe, whole and unchanged, and runs what it holds: read-only, as its user, in a
# root that has nothing else, with its own health check. The base image with Go is the one thing that is
# not the real one: in its place stands an empty image into which this machine's Go is mounted.
# Needs root and buildah.
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
if ! command -v buildah >/dev/null || [ "$(id -u)" != 0 ] || ! unshare --mount --net true 2>/dev/null; then
  echo "image.sh: skipped: it needs root, buildah and namespaces"; exit 0
fi
work=$(mktemp -d /tmp/coldtrail-image-XXXXXX)
fail() { echo "image.sh: $1" >&2; exit 1; }
b() { buildah --root "$work/root" --runroot "$work/run" --storage-driver vfs "$@"; }
end() {
  b umount --all >/dev/null 2>&1 || true
  rm -rf "$work"
}
trap end EXIT

goroot=$(go env GOROOT)
modules=$(go env GOMODCACHE) # where it is: what is compiled knows its folder, and is not compiled again
mkdir "$work/empty"
printf 'FROM scratch\nENV PATH=%s/bin:/usr/bin:/bin HOME=/root GOMODCACHE=%s GOCACHE=/cache GOPROXY=%s GOTOOLCHAIN=local\nWORKDIR /tmp\n' "$goroot" "$modules" "$(go env GOPROXY)" >"$work/empty/recipe"
b bud --isolation chroot -f "$work/empty/recipe" -t localhost/go "$work/empty" >"$work/said" 2>&1 || fail "$(tail -n 5 "$work/said")"
mounts=(-v "$modules:$modules" -v "$(go env GOCACHE):/cache")
for folder in /usr /bin /lib /lib64 /etc; do [ ! -e "$folder" ] || mounts+=(-v "$folder:$folder:ro"); done
case $goroot in /usr/*) ;; *) mounts+=(-v "$goroot:$goroot:ro") ;; esac
b bud --isolation chroot --format docker --network host "${mounts[@]}" --build-arg GO_IMAGE=localhost/go --build-arg REVISION=check \
  -f "$here/container/Containerfile" -t localhost/coldtrail "$here/.." >"$work/said" 2>&1 || fail "$(tail -n 15 "$work/said")"

b inspect --type image localhost/coldtrail >"$work/image.json"
config() { node -e 'const c=JSON.parse(require("fs").readFileSync(process.argv[1])).Docker.config; for (const w of [].concat(eval("c."+process.argv[2]))) console.log(w)' "$work/image.json" "$1"; }
user=$(config User)
mapfile -t command < <(config Entrypoint; config Cmd)
mapfile -t health < <(config 'Healthcheck.Test.slice(1)')
mapfile -t environment < <(config Env)
[ "$user" = 65532:65532 ] || fail "the user is $user"
holder=$(b from localhost/coldtrail)
tree=$(b mount "$holder")
files=$(cd "$tree" && find . ! -type d | sort | tr '\n' ' ')
[ "$files" = "./coldtrail ./etc/ssl/certs/ca-certificates.crt " ] || fail "the image holds other files: $files"
grep -q 'BEGIN CERTIFICATE' "$tree/etc/ssl/certs/ca-certificates.crt" || fail "the image has no certificates"

# The volume takes the owner of its folder in the image.
mkdir "$work/volume" "$work/new"
cp -a "$tree/var/lib/coldtrail" "$work/volume/data"
cat >"$work/inside" <<'INSIDE'
set -euo pipefail
ip link set lo up
mount --bind "$tree" "$new"
mount --bind "$volume" "$new/var/lib/coldtrail"
mount -o remount,bind,ro "$new"
into=(env -i "${environment[@]}" setpriv --no-new-privs chroot --userspec="$user" "$new")
in_image() { "${into[@]}" "$@"; }
"${into[@]}" "${command[@]}" & # each of these becomes the next: this is the number of the server
server=$!
for _ in $(seq 100); do
  if said=$(in_image "${health[@]}" 2>&1); then break; fi
  sleep 0.2
done
in_image "${health[@]}"
awk '/^(Uid|CapEff|NoNewPrivs)/' "/proc/$server/status"
kill -TERM "$server"
wait "$server"
if in_image "${health[@]}" 2>/dev/null; then echo "healthy though it has ended"; exit 1; fi
INSIDE
{
  declare -p tree user command health environment
  echo "new=$work/new volume=$work/volume/data"
  cat "$work/inside"
} >"$work/script"
unshare --mount --net --pid --ipc --fork --kill-child --mount-proc bash "$work/script" >"$work/said" 2>&1 || fail "$(cat "$work/said")"
for want in '^ready$' 'CapEff:.0000000000000000$' 'Uid:.65532' 'NoNewPrivs:.1'; do grep -q -P "$want" "$work/said" || fail "not there: $want in $(cat "$work/said")"; done
[ -e "$work/volume/data/audit" ] || fail "it wrote no audit log: $(ls "$work/volume/data")"
echo "image.sh: built by its recipe; $(stat -c %s "$tree/coldtrail") bytes; ran read-only as $user, healthy, ended with 0"
