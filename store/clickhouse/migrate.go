package clickhouse

import (
	"context"
	"errors"
	"fmt"
)

// ErrNewer says that the tables were made by a later version of the program.
var ErrNewer = errors.New("the tables are newer than this program")

// schemaVersion is the version of the schema. Each server remembers the versions it has
// gone through, and a server that was away goes through them when it is back.
const schemaVersion = 1

// prepare makes sure, once per connection, that a server has the tables.
func (s *Store) prepare(ctx context.Context, r *replica, sh *shard) error {
	r.mu.Lock()
	ready := r.ready
	r.mu.Unlock()
	if ready {
		return nil
	}
	if err := s.migrate(ctx, r, sh); err != nil {
		return err
	}
	r.mu.Lock()
	r.ready = true
	r.mu.Unlock()
	return nil
}

func (s *Store) migrate(ctx context.Context, r *replica, sh *shard) error {
	p := place{version: s.version, database: s.options.Database, cluster: s.options.Cluster, shard: sh.number, replica: r.address}
	var known uint64
	held := "SELECT count() FROM system.tables WHERE database = " + quote(s.options.Database) + " AND name = 'schema_versions'"
	if err := r.conn.QueryRow(ctx, held).Scan(&known); err != nil {
		return err
	}
	if known == 0 {
		for _, statement := range []string{
			"CREATE DATABASE IF NOT EXISTS " + name(s.options.Database),
			"CREATE TABLE IF NOT EXISTS " + s.t("schema_versions") + " (version UInt32, shards UInt32) ENGINE = TinyLog",
		} {
			if err := r.conn.Exec(ctx, statement); err != nil {
				return err
			}
		}
	}
	var version, shards uint32
	if err := r.conn.QueryRow(ctx, "SELECT max(version), max(shards) FROM "+s.t("schema_versions")).Scan(&version, &shards); err != nil {
		return err
	}
	switch {
	case version > schemaVersion:
		return fmt.Errorf("%w: version %d, this program knows %d", ErrNewer, version, schemaVersion)
	case version > 0 && int(shards) != len(s.shards):
		return fmt.Errorf("the tables were made for %d shards, and the cluster has %d: rows would be looked for in the wrong place; make a new database and move everything by export and import", shards, len(s.shards))
	case version == schemaVersion:
		return nil
	}
	return s.forward(ctx, r, p)
}

// forward makes the tables of version 1.
func (s *Store) forward(ctx context.Context, r *replica, p place) error {
	for i := range tables {
		t := &tables[i]
		if err := r.conn.Exec(ctx, t.create(p)); err != nil {
			return fmt.Errorf("table %s: %w", t.name, err)
		}
		if s.options.Cluster == "" {
			continue
		}
		if err := r.conn.Exec(ctx, t.distributed(p)); err != nil {
			return fmt.Errorf("table %s_everywhere: %w", t.name, err)
		}
		if err := s.mark(ctx, r, t); err != nil {
			return fmt.Errorf("table %s: %w", t.name, err)
		}
	}
	return r.conn.Exec(ctx, fmt.Sprintf("INSERT INTO %s (version, shards) SELECT toUInt32(%d), toUInt32(%d)", s.t("schema_versions"), schemaVersion, len(s.shards)))
}

// mark inserts one row that belongs to no chain. The log of a table that was never written
// to looks like one that a replica has not read; with the row, the two differ. Servers drop
// an insert that is equal to an earlier one, so the second replica adds nothing.
func (s *Store) mark(ctx context.Context, r *replica, t *table) error {
	first := t.columns[0]
	value := "''"
	if first.kind == "UInt64" {
		value = "toUInt64(0)"
	}
	return r.conn.Exec(ctx, fmt.Sprintf("INSERT INTO %s (%s) SELECT %s", s.t(t.name), first.name, value))
}
