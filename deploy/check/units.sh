#!/usr/bin/env bash
# The units of systemd: installed into an empty root, verified without a word, hardened to an exposure of
# at most 1.5 of 10, their user and folders made. Where strace is, the program runs through its day and
# may call nothing that the units forbid.
#   units.sh BINARY
set -euo pipefail
binary=$(realpath "${1:?which binary?}")
here=$(cd "$(dirname "$0")/.." && pwd)
command -v systemd-analyze >/dev/null || { echo "units.sh: skipped: no systemd-analyze"; exit 0; }
work=$(mktemp -d /tmp/coldtrail-units-XXXXXX)
server=
# Strace does not hand a signal on to what it traces: that is the number of the child.
traced() { cut -d' ' -f1 "/proc/$server/task/$server/children"; }
end() {
  if [ -n "$server" ]; then kill -KILL "$(traced)" "$server" 2>/dev/null || true; fi
  rm -rf "$work"
}
trap end EXIT
fail() { echo "units.sh: $1" >&2; exit 1; }

root=$work/root
mkdir -p "$root/etc"
ROOT=$root "$here/systemd/install.sh" "$binary" 2>/dev/null
cp /lib/systemd/system/{network-online,multi-user,basic,sysinit,shutdown}.target "$root/usr/lib/systemd/system/"
for unit in coldtrail-serve.service coldtrail-follow@ethereum.service coldtrail-ingest@ethereum.service; do
  # It warns of what it does not know, and still ends with 0: any word is a fault.
  said=$(systemd-analyze verify --root="$root" --man=no "$unit" 2>&1) || fail "$unit: $said"
  [ -z "$said" ] || fail "$unit: $said"
  said=$(systemd-analyze security --offline=true --root="$root" --no-pager --threshold=15 "${unit/ethereum/}" 2>&1) || fail "$unit is too exposed: $said"
  echo "units.sh: $unit: $(tail -n 1 <<<"$said" | sed 's/.*: \([0-9.]* [A-Z]*\).*/exposure \1/')"
done
if [ "$(id -u)" = 0 ]; then
  systemd-sysusers --root="$root" "$root/usr/lib/sysusers.d/coldtrail.conf" >/dev/null 2>&1
  systemd-tmpfiles --root="$root" --create "$root/usr/lib/tmpfiles.d/coldtrail.conf"
  owner=$(awk -F: '$1 == "coldtrail" { print $3 }' "$root/etc/passwd")
  [ "$(stat -c '%a %u' "$root/var/lib/coldtrail")" = "700 $owner" ] || fail "the folder of the store: $(stat -c '%a %u' "$root/var/lib/coldtrail"), the user is $owner"
fi

# System calls: what the program makes, against what the filter of the units lets through.
if ! command -v strace >/dev/null; then echo "units.sh: skipped: no strace"; exit 0; fi
grep -h '^SystemCallFilter' "$here"/systemd/*.service | sort -u >"$work/filters"
diff - "$work/filters" <<<$'SystemCallFilter=@system-service\nSystemCallFilter=~@privileged @resources' || fail "the filters of the units are not those that are checked here"
calls() { # GROUP...: the names in them, and in the groups in these
  local name
  for name in $(systemd-analyze syscall-filter --no-pager "$@" | sed -n 's/^    \([^#].*\)/\1/p'); do
    case $name in @*) calls "$name" ;; *) echo "$name" ;; esac
  done
}
calls @system-service | sort -u >"$work/in"
calls @privileged @resources | sort -u >"$work/out"
comm -23 "$work/in" "$work/out" >"$work/may"
[ "$(wc -l <"$work/may")" -gt 200 ] || fail "the groups of system calls cannot be read"
# As the units do, without root's rights: as root, SQLite calls more.
as=()
if [ "$(id -u)" = 0 ]; then
  as=(setpriv --reuid 65532 --regid 65532 --clear-groups --no-new-privs)
  chmod 0711 "$work"
  install -m 0755 "$binary" "$work/coldtrail"
  binary=$work/coldtrail
  install -d -o 65532 -g 65532 "$work/data"
fi
run() { strace -f -qq -o "$work/trace.$((traces = traces + 1))" -e 'signal=!all' -- "${as[@]}" "$binary" --data "$work/data" "$@"; }
traces=0
data=$(cd "$here/.." && pwd)/testdata
install -m 0644 "$data/bitcoin/blk_0_to_14131.dat.zst" "$work/blocks.dat.zst"
run ingest bitcoin --from "blocks:$work/blocks.dat.zst" --to 2000 >/dev/null 2>"$work/said" || fail "ingest: $(cat "$work/said")"
strace -f -qq -o "$work/trace.serve" -e 'signal=!all' -- "${as[@]}" "$binary" --data "$work/data" serve --open --listen 127.0.0.1:0 2>"$work/log" &
server=$!
for _ in $(seq 300); do
  url=$(sed -n 's/.*listening on \(http:[^,]*\),.*/\1/p' "$work/log")
  if [ -n "$url" ] && "$binary" status --ready "$url" >/dev/null 2>&1; then break; fi
  sleep 0.2
done
run status --ready "$url" >"$work/said" 2>&1 || fail "the server is not ready: $(cat "$work/said" "$work/log")"
kill -TERM "$(traced)"
wait "$server" || fail "serve ended with $?: $(cat "$work/log")"
server=
for trace in "$work"/trace.*; do # from where the program itself begins
  awk -v binary="\"$binary\"" 'index($0, "execve(" binary) { begun = 1; next } begun' "$trace"
done | sed -n 's/^[0-9]* *\([a-z_0-9]*\)(.*/\1/p' | sort -u >"$work/made"
refused=$(comm -23 "$work/made" "$work/may")
[ "$(wc -l <"$work/made")" -gt 30 ] || fail "strace saw only $(wc -l <"$work/made") system calls"
echo "units.sh: $(wc -l <"$work/made") system calls are made; forbidden among them: ${refused:-none}" | tr '\n' ' '
echo
[ -z "$refused" ] || fail "the units forbid what the program calls"
