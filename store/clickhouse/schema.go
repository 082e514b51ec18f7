package clickhouse

import (
	"fmt"
	"strings"
)

// A table is one table of the schema: the same on a single server and on every replica
// of a cluster. Each row belongs to a block of a chain (height) and to an attempt to
// write it; see seal for which attempts count.
type table struct {
	name    string
	columns []column
	key     string // what rows are sorted by, and the look-up that is fast
	// version names the column by which the newest row of a key replaces the others.
	version string
	// partition is what parts are kept apart by; empty keeps all together, so that one
	// insert of few rows is seen whole or not at all.
	partition string
	// granularity is how many rows one entry of the index covers: fewer where single
	// keys are looked up, more where ranges are read.
	granularity int
	// spread says by what rows are put on shards; for people, the store computes it.
	spread string
}

// A column has a name, a type, and the codec that servers which know codecs get.
type column struct{ name, kind, codec string }

const (
	amount = "FixedString(32)" // 256 bit, big-endian: old servers have no wider integer than 64 bit
	digest = "FixedString(32)"
	rising = "CODEC(Delta, ZSTD)" // for numbers that rise from row to row
	packed = "CODEC(ZSTD)"
)

// perPartition is how many heights lie in one partition: a deletion after a
// reorganisation rewrites parts of one partition at most two.
const perPartition = 1_000_000

const (
	byHeight  = "intDiv(height, 1024)"
	byAddress = "cityHash64(address)"
	byID      = "cityHash64(id)"
)

func columns(text ...string) (list []column) {
	for _, line := range text {
		name, rest, _ := strings.Cut(line, " ")
		kind, codec, _ := strings.Cut(rest, " CODEC")
		if codec != "" {
			codec = "CODEC" + codec
		}
		list = append(list, column{name, kind, codec})
	}
	return list
}

// tables is the schema.
var tables = []table{
	{
		name: "seals", key: "chain, session", version: "sequence", granularity: 64, spread: "0",
		columns: columns("chain String", "session UInt64", "sequence UInt64", "state String"),
	},
	{
		name: "headers", key: "chain, height", partition: "height", granularity: 256, spread: byHeight,
		columns: columns("chain String", "height UInt64 "+rising, "attempt UInt64", "hash "+digest, "parent "+digest, "time Int64 "+rising, "provenance UInt8",
			"identity "+digest, "content "+digest, "first_tx UInt64 "+rising, "txs UInt32", "first_output UInt64 "+rising, "outputs UInt32",
			"blocks UInt64 "+rising, "counted UInt64 "+rising, "weakest UInt8", "unspent UInt64 "+rising, "unspent_value UInt64 "+rising, "accounts UInt64 "+rising,
			"openings String "+packed),
	},
	{
		name: "staged", key: "chain, height", partition: "height", granularity: 256, spread: byHeight,
		columns: columns("chain String", "height UInt64 "+rising, "attempt UInt64", "header String "+packed),
	},
	{
		name: "transactions", key: "chain, height, position", partition: "height", granularity: 256, spread: byHeight,
		columns: columns("chain String", "height UInt64 "+rising, "position UInt32", "attempt UInt64", "id "+digest, "speaks UInt8", "body String "+packed),
	},
	{
		name: "ids", key: "chain, id", partition: "height", granularity: 512, spread: byID,
		columns: columns("chain String", "id "+digest, "height UInt64", "position UInt32", "attempt UInt64", "first_output UInt32", "outputs UInt32"),
	},
	{
		name: "postings", key: "chain, address, height, position, spent, made, output", partition: "height", granularity: 1024, spread: byAddress,
		columns: columns("chain String", "address String "+packed, "height UInt64 "+rising, "position UInt32", "attempt UInt64", "spent UInt8", "made UInt64",
			"output UInt32", "value UInt64", "effect String "+packed),
	},
	{
		name: "openings", key: "chain, address", partition: "height", granularity: 1024, spread: byAddress,
		columns: columns("chain String", "address String", "height UInt64", "position UInt32", "attempt UInt64", "asset String", "before UInt64", "amount "+amount),
	},
	{
		name: "outputs", key: "chain, height, output", partition: "height", granularity: 256, spread: byHeight,
		columns: columns("chain String", "height UInt64 "+rising, "output UInt32", "attempt UInt64", "position UInt32", "vout UInt32", "value UInt64",
			"address String "+packed, "unspendable UInt8"),
	},
	{
		name: "spends", key: "chain, made, output", partition: "made", granularity: 512, spread: "intDiv(made, 1024)",
		columns: columns("chain String", "made UInt64 "+rising, "output UInt32", "height UInt64", "position UInt32", "attempt UInt64", "overwritten UInt8"),
	},
	{
		name: "resolved", key: "chain, height, position", partition: "height", granularity: 256, spread: byHeight,
		columns: columns("chain String", "height UInt64 "+rising, "position UInt32", "attempt UInt64", "open UInt8", "first_output UInt32",
			"in_made Array(UInt64) "+packed, "in_output Array(UInt32) "+packed, "in_value Array(UInt64) "+packed, "in_kind Array(UInt8) "+packed,
			"out_value Array(UInt64) "+packed, "out_kind Array(UInt8) "+packed, "previous_made Array(UInt64) "+packed, "previous_output Array(UInt32) "+packed),
	},
	{
		name: "claims", key: "network, address, id", granularity: 1024, spread: `cityHash64(concat(network, '\0', address))`,
		columns: columns("network String", "address String", "id FixedString(16)", "batch UInt64", "claim String "+packed),
	},
	{
		name: "label_batches", key: "sequence", granularity: 1024, spread: "0",
		columns: columns("sequence UInt64", "batch UInt64", "count UInt64", "sum "+digest),
	},
}

// A capability is something that today's servers have and old ones lack, from a version on.
type capability struct {
	name  string
	since [2]uint64 // major, minor
	use   string
}

// capabilities is everything in which servers differ that this package cares for. What
// is not used says why.
var capabilities = []capability{
	{"codecs", [2]uint64{19, 14}, "columns are packed by what they are, about a third smaller"},
	{"constant folding of huge IN lists", [2]uint64{20, 1}, "not relied on: lists are cut at 10,000"},
	{"skip indexes", [2]uint64{20, 1}, "not used: every question goes by the sorting key"},
	{"lightweight DELETE", [2]uint64{23, 3}, "not used: what a seal leaves out is invisible at once, ALTER DELETE clears it away later"},
	{"UInt256", [2]uint64{21, 6}, "not used: amounts are added up in the program, which must hold on every server"},
}

// can says whether a server of a version has a capability.
func can(version [2]uint64, name string) bool {
	for _, c := range capabilities {
		if c.name == name {
			return version[0] > c.since[0] || version[0] == c.since[0] && version[1] >= c.since[1]
		}
	}
	return false
}

// A place is where tables are made: a server's version, and, in a cluster, who the
// replica is.
type place struct {
	version  [2]uint64
	database string
	cluster  string // name of the cluster; empty on a single server
	shard    int
	replica  string
}

// create is the statement that makes a table. In a cluster the copies of one shard share
// a path in ZooKeeper.
func (t *table) create(p place) string {
	var b strings.Builder
	fmt.Fprintf(&b, "CREATE TABLE IF NOT EXISTS %s.%s (", name(p.database), t.name)
	for i, c := range t.columns {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(c.name + " " + c.kind)
		if c.codec != "" && can(p.version, "codecs") {
			b.WriteString(" " + c.codec)
		}
	}
	b.WriteString(") ENGINE = " + t.engine(p))
	if t.partition != "" {
		fmt.Fprintf(&b, " PARTITION BY (chain, intDiv(%s, %d))", t.partition, perPartition)
	}
	fmt.Fprintf(&b, " ORDER BY (%s) SETTINGS index_granularity = %d", t.key, t.granularity)
	return b.String()
}

func (t *table) engine(p place) string {
	kind := "MergeTree"
	if t.version != "" {
		kind = "ReplacingMergeTree"
	}
	var arguments []string
	if p.cluster != "" {
		kind = "Replicated" + kind
		arguments = append(arguments, quote(fmt.Sprintf("/coldtrail/%s/%d/%s", p.database, p.shard, t.name)), quote(p.replica))
	}
	if t.version != "" {
		arguments = append(arguments, t.version)
	}
	return kind + "(" + strings.Join(arguments, ", ") + ")"
}

// distributed is the statement that makes the table of all shards, for people who ask by
// SQL. The store asks shards itself, because it must know that the replica which answers
// holds everything.
func (t *table) distributed(p place) string {
	return fmt.Sprintf("CREATE TABLE IF NOT EXISTS %[1]s.%[2]s_everywhere AS %[1]s.%[2]s ENGINE = Distributed(%[3]s, %[1]s, %[2]s, %[4]s)",
		name(p.database), t.name, name(p.cluster), t.spread)
}

// names lists the columns of a table.
func (t *table) names() string {
	list := make([]string, len(t.columns))
	for i, c := range t.columns {
		list[i] = c.name
	}
	return strings.Join(list, ", ")
}

// tableOf finds a table of the schema by its name.
func tableOf(name string) *table {
	for i := range tables {
		if tables[i].name == name {
			return &tables[i]
		}
	}
	panic("no table " + name)
}
