#!/usr/bin/env bash
# Makes the passwords of the cluster, once, and the files that hold them. The folder is for
# its owner alone; the files in it can be read by whoever runs in a container that has one.
#   secrets.sh [FOLDER]      by default secrets, beside this script
set -euo pipefail
folder=${1:-$(dirname "$0")/secrets}
if [ -e "$folder" ]; then
  echo "secrets.sh: $folder is there already; passwords in use are not changed" >&2
  exit 1
fi
draft="$folder.new"
umask 077
mkdir "$draft"
random() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }
clickhouse=$(random) interserver=$(random) postgres=$(random)
umask 022
printf '%s\n' "$postgres" >"$draft/postgres"
printf 'postgres://coldtrail:%s@postgres:5432/coldtrail?sslmode=disable\n' "$postgres" >"$draft/casebook"
printf 'clickhouse://coldtrail:%s@clickhouse-1-1:9000,clickhouse-1-2:9000,clickhouse-2-1:9000,clickhouse-2-2:9000/coldtrail?cluster=coldtrail&keeper=keeper-1:2181,keeper-2:2181,keeper-3:2181\n' "$clickhouse" >"$draft/store"
cat >"$draft/clickhouse.xml" <<XML
<?xml version="1.0"?>
<clickhouse>
    <coldtrail_password>$clickhouse</coldtrail_password>
    <coldtrail_password_sha256>$(printf %s "$clickhouse" | sha256sum | cut -d' ' -f1)</coldtrail_password_sha256>
    <interserver_password>$interserver</interserver_password>
</clickhouse>
XML
mv "$draft" "$folder"
echo "secrets.sh: made $folder; keep it out of version control and in your backup" >&2
