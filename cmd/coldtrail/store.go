package main

import (
	"context"

	"coldtrail/store/embedded"
)

// openStore opens the embedded store in the folder of the session.
func (s *session) openStore(ctx context.Context) (*embedded.Store, error) {
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
