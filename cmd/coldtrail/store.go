package main

import (
	"context"
	"strings"

	"coldtrail/store"
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
	hosts, err := s.clusterHosts()
	return "on ClickHouse " + strings.Join(hosts, ", "), err
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
