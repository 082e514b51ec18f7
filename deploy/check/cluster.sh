#!/usr/bin/env bash
# Runs the three keepers and four ClickHouse servers of deploy/compose for real, with the very files that
# compose mounts and passwords of secrets.sh, each in a network namespace of its own under its own name.
# What Debian has is old (ClickHouse 18.16 knows the root element <yandex> alone), so that word is
# changed; nothing else is. Needs root, and Debian's clickhouse-server, clickhouse-client, zookeeper.
set -euo pipefail
if [ -z "${INSIDE:-}" ]; then
  for need in /usr/sbin/clickhouse-server /usr/bin/clickhouse-client /usr/share/java/zookeeper.jar; do
    [ -e "$need" ] || { echo "cluster.sh: skipped: no $need"; exit 0; }
  done
  if [ "$(id -u)" != 0 ] || ! unshare -n true 2>/dev/null; then echo "cluster.sh: skipped: no right to make network namespaces"; exit 0; fi
  # Everything ends with the process namespace, whatever happens.
  INSIDE=1 exec unshare --mount --net --pid --ipc --fork --kill-child --mount-proc "$0" "$@"
fi
here=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d /tmp/coldtrail-cluster-XXXXXX)
trap 'end $?' EXIT
end() { # CODE
  if [ "$1" != 0 ]; then tail -n 5 "$work"/*/output >&2 || true; fi
  rm -rf "$work"
}
chmod 0755 "$work"
hosts=(keeper-1 keeper-2 keeper-3 clickhouse-1-1 clickhouse-1-2 clickhouse-2-1 clickhouse-2-2)

ip link set lo up
ip link add bridge type bridge
ip address add 10.77.0.1/24 dev bridge
ip link set bridge up
mount -t tmpfs tmpfs /run
mkdir -p /run/netns /run/secrets
number=10
echo "127.0.0.1 localhost" >"$work/hosts"
for host in "${hosts[@]}"; do
  number=$((number + 1))
  ip netns add "$host"
  ip link add "v$number" type veth peer name eth0 netns "$host"
  ip link set "v$number" master bridge up
  ip -n "$host" address add "10.77.0.$number/24" dev eth0
  ip -n "$host" link set eth0 up
  ip -n "$host" link set lo up
  echo "10.77.0.$number $host" >>"$work/hosts"
done
mount --bind "$work/hosts" /etc/hosts
bash "$here/compose/secrets.sh" "$work/secrets" 2>/dev/null
sed -i 's/clickhouse>/yandex>/' "$work/secrets/clickhouse.xml"
cp "$work/secrets/clickhouse.xml" /run/secrets/clickhouse.xml
chmod 0444 /run/secrets/clickhouse.xml
password=$(sed -n 's/.*<coldtrail_password>\(.*\)<.*/\1/p' /run/secrets/clickhouse.xml)

keeper() { # NUMBER
  local host=keeper-$1 folder=$work/keeper-$1
  mkdir -p "$folder/data"
  echo "$1" >"$folder/data/myid"
  printf 'log4j.rootLogger=WARN, c\nlog4j.appender.c=org.apache.log4j.ConsoleAppender\nlog4j.appender.c.layout=org.apache.log4j.SimpleLayout\n' >"$folder/log4j.properties"
  ip netns exec "$host" unshare --mount bash -c "
    mkdir -p /run/data && mount --bind '$folder/data' /run/data && mkdir -p /data && mount --bind '$folder/data' /data &&
    exec java -Xmx128m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp '$folder:/usr/share/java/zookeeper.jar' org.apache.zookeeper.server.quorum.QuorumPeerMain '$here/compose/zoo.cfg'" >"$folder/output" 2>&1 &
  pids[$1]=$!
}
clickhouse() { # SHARD REPLICA
  local host=clickhouse-$1-$2 folder=$work/clickhouse-$1-$2
  mkdir -p "$folder/config/config.d" "$folder/data"
  sed 's/clickhouse>/yandex>/' "$here/clickhouse/config.xml" >"$folder/config/config.xml"
  sed 's/clickhouse>/yandex>/' "$here/clickhouse/users.xml" >"$folder/config/users.xml"
  sed 's/clickhouse>/yandex>/' "$here/compose/cluster.xml" >"$folder/config/config.d/cluster.xml"
  chown -R clickhouse "$folder"
  ip netns exec "$host" unshare --mount bash -c "
    mkdir -p /var/lib/clickhouse /etc/clickhouse-server && mount --bind '$folder/data' /var/lib/clickhouse && mount --bind '$folder/config' /etc/clickhouse-server &&
    SHARD=$1 REPLICA_HOST=$host exec setpriv --reuid clickhouse --clear-groups --no-new-privs --bounding-set=-all /usr/sbin/clickhouse-server --config-file=/etc/clickhouse-server/config.xml" >"$folder/output" 2>&1 &
}
ask() { clickhouse-client --host "clickhouse-$1" --user coldtrail --password "$password" --query "$2"; }
within() { # SECONDS WHAT COMMAND...: repeats until it works
  local end=$((SECONDS + $1)) what=$2
  shift 2
  until "$@" >"$work/said" 2>&1; do
    if [ $SECONDS -ge $end ]; then echo "cluster.sh: not within time: $what: $(tail -c 600 "$work/said")" >&2; exit 1; fi
    sleep 0.3
  done
}
equal() { # WHAT WANT GOT
  if [ "$2" != "$3" ]; then echo "cluster.sh: $1: want $2, got $3" >&2; exit 1; fi
}
gives() { [ "$(ask "$1" "$2")" = "$3" ]; }

# The health check of compose.yaml, word for word, in the namespace of its keeper.
check=$(sed -n "s/.*test: \[\"CMD\", \"bash\", \"-c\", \"\(.*\)\"\]/\1/p" "$here/compose/compose.yaml")
[ -n "$check" ] || { echo "cluster.sh: compose.yaml has no health check of keepers" >&2; exit 1; }
for n in 1 2 3; do keeper "$n"; done
if ip netns exec keeper-1 bash -c "$check" 2>/dev/null; then echo "cluster.sh: a keeper without a quorum is healthy" >&2; exit 1; fi
for n in 1 2 3; do within 60 "keeper $n" ip netns exec "keeper-$n" bash -c "$check"; done
for s in 1 2; do for r in 1 2; do clickhouse $s $r; done; done
for s in 1 2; do for r in 1 2; do within 60 "ClickHouse $s-$r" ip netns exec "clickhouse-$s-$r" wget -q -O /dev/null http://127.0.0.1:8123/ping; done; done

for s in 1 2; do for r in 1 2; do
  equal "macros of $s-$r" "$s clickhouse-$s-$r" "$(ask $s-$r "SELECT arrayStringConcat(groupArray(substitution), ' ') FROM (SELECT substitution FROM system.macros ORDER BY macro DESC)")"
  equal "the cluster of $s-$r" "4 2" "$(ask $s-$r "SELECT concat(toString(count()), ' ', toString(uniq(shard_num))) FROM system.clusters WHERE cluster = 'coldtrail'")"
  ask $s-$r "CREATE DATABASE coldtrail"
  ask $s-$r "CREATE TABLE coldtrail.t (n UInt64) ENGINE = ReplicatedMergeTree('/coldtrail/{shard}/t', '{replica}') ORDER BY n"
  ask $s-$r "CREATE TABLE coldtrail.t_everywhere AS coldtrail.t ENGINE = Distributed(coldtrail, coldtrail, t, n)"
done; done
# Written at one replica of each shard, read at the others: that needs the interserver port, its
# password and its name; the sum over all shards needs the password of the cluster.
ask 1-1 "INSERT INTO coldtrail.t VALUES (1), (2)"
ask 2-2 "INSERT INTO coldtrail.t VALUES (40)"
within 30 "shard 1 is replicated" gives 1-2 "SELECT sum(n) FROM coldtrail.t" 3
within 30 "shard 2 is replicated" gives 2-1 "SELECT sum(n) FROM coldtrail.t" 40
for s in 1 2; do for r in 1 2; do equal "the sum at $s-$r" 43 "$(ask $s-$r "SELECT sum(n) FROM coldtrail.t_everywhere")"; done; done
said=$(ip netns exec clickhouse-1-2 wget -S -O /dev/null "http://clickhouse-1-1:9009/?endpoint=none" 2>&1 || true)
case $said in *"HTTP/1.1 401"*) ;; *) echo "cluster.sh: without a password the interserver port says: $said" >&2; exit 1 ;; esac
for who in "--user default" "--user coldtrail" "--user coldtrail --password wrong"; do
  # shellcheck disable=SC2086 # words
  if clickhouse-client --host clickhouse-1-1 $who --query "SELECT 1" >/dev/null 2>&1; then echo "cluster.sh: let in: $who" >&2; exit 1; fi
done
# Two keepers of three go on.
kill -9 "${pids[3]}"
within 40 "writing with two keepers" ask 1-2 "INSERT INTO coldtrail.t VALUES (100)"
within 30 "replication with two keepers" gives 1-1 "SELECT sum(n) FROM coldtrail.t" 103
echo "cluster.sh: 3 keepers and 4 servers with the files of compose: passwords, macros, cluster, replication, one keeper lost"
