#!/usr/bin/env bash
# Puts the binary and the units where they belong. ROOT is put before every path (for packages).
#   install.sh BINARY
set -euo pipefail
binary=${1:?which binary? for example: install.sh ./coldtrail}
here=$(dirname "$0")
root=${ROOT:-}
install -D -m 0755 "$binary" "$root/usr/bin/coldtrail"
for unit in "$here"/*.service; do install -D -m 0644 "$unit" "$root/usr/lib/systemd/system/$(basename "$unit")"; done
install -D -m 0644 "$here/coldtrail.sysusers.conf" "$root/usr/lib/sysusers.d/coldtrail.conf"
install -D -m 0644 "$here/coldtrail.tmpfiles.conf" "$root/usr/lib/tmpfiles.d/coldtrail.conf"
if [ -z "$root" ]; then
  systemd-sysusers coldtrail.conf
  systemd-tmpfiles --create coldtrail.conf
  systemctl daemon-reload
fi
echo "install.sh: next: /etc/coldtrail/serve.env, then systemctl enable --now coldtrail-serve" >&2
