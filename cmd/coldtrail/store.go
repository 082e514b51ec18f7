package main

import (
	"context"
	"strings"
	"time"

	"coldtrail/store"
	"coldtrail/store/clickhouse"
	"coldtrail/store/embedded"
)

// openStore opens the store of the session: on ClickHouse where an address is given, and
// otherwise in the folder.
func (s *session) openStore(ctx context.Context) (store.Store, error) {
	if s.store != "" {
		return s.openCluster(ctx)
	}
	return s.openEmbedded(ctx)
}

// place says where the store is, without a password.
func (s *session) place() (string, error) {
	if s.store == "" {
		folder, err := s.folder()
		return "in " + folder, err
	}
	options, err := clickhouse.Parse(strings.TrimSpace(s.store), time.Now)
	return "on ClickHouse " + strings.Join(options.Hosts, ", "), err
}

// openCluster opens the store on ClickHouse.
func (s *session) openCluster(ctx context.Context) (*clickhouse.Store, error) {
	options, err := clickhouse.Parse(strings.TrimSpace(s.store), time.Now)
	if err != nil {
		return nil, err
	}
	return clickhouse.Open(ctx, options)
}

// openEmbedded opens the store in the folder of the session.
func (s *session) openEmbedded(ctx context.Context) (*embedded.Store, error) {
	folder, err := s.folder()
	if err != nil {
		return nil, err
	}
	var bar *progress
	opened, err := embedded.Open(ctx, folder, embedded.Options{Beside: []string{gathered, clustered, casework, casework + "-wal", casework + "-shm", audited, listKeyFile, listNumbersFile, fetchedPrices}, Progress: func(done, total uint64) {
		if bar == nil {
			bar = newProgress(s, "build look-up files", total)
		}
		bar.set(done)
	}})
	if bar != nil {
		bar.end()
	}
	return opened, err
}
