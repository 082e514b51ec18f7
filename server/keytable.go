package server

import (
	"context"
	"crypto/subtle"
	"log/slog"
	"maps"
	"sync"
	"sync/atomic"
)

// keyTable holds the keys in memory, so that no request waits for the casebook. It is
// read again every few seconds: a key that is revoked elsewhere opens things for as long.
type keyTable struct {
	rows atomic.Pointer[map[[32]byte]*keyRow]
	// read is when the keys were last read, Unix seconds; 0 never.
	read atomic.Int64
	mu   sync.Mutex // one refresh at a time
}

type keyRow struct {
	Key
	who  identity
	used atomic.Int64
	told int64 // what used was when the casebook was told; of the refresh
}

func newKeyTable() *keyTable {
	t := &keyTable{}
	t.rows.Store(&map[[32]byte]*keyRow{})
	return t
}

// find looks a key up. That it is found by the digest of a secret leaks nothing by its
// time: who lacks the secret cannot choose digests.
func (t *keyTable) find(digest [32]byte, now int64) (identity, *refusal) {
	row := (*t.rows.Load())[digest]
	switch {
	case row == nil || subtle.ConstantTimeCompare(row.Digest[:], digest[:]) != 1:
		if t.read.Load() == 0 {
			return identity{}, &refusal{problemUnavailable, "the keys could not be read yet"}
		}
		return identity{}, &refusal{problemCredentials, "the key is not known"}
	case row.Revoked != 0:
		return identity{}, &refusal{problemCredentials, "the key " + row.ID + " was revoked"}
	case row.Expires != 0 && now >= row.Expires:
		return identity{}, &refusal{problemCredentials, "the time of the key " + row.ID + " is over"}
	}
	if row.used.Load() < now {
		row.used.Store(now)
	}
	return row.who, nil
}

// refreshKeys reads the keys again and notes which were used.
func (s *Server) refreshKeys(ctx context.Context) {
	if s.parts.Keys == nil {
		return
	}
	t := s.keys
	t.mu.Lock()
	defer t.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, s.options.AnswerTimeout)
	defer cancel()
	keys, err := s.parts.Keys.Keys(ctx)
	if err != nil {
		if ctx.Err() == nil {
			s.log.Warn("the keys could not be read; those that were read before still hold", slog.Any("error", err))
		}
		return
	}
	before, rows := *t.rows.Load(), make(map[[32]byte]*keyRow, len(keys))
	for _, k := range keys {
		row := &keyRow{Key: k, who: identity{id: k.ID, name: k.Name, role: k.Role}}
		if old := before[k.Digest]; old != nil {
			row.used.Store(old.used.Load())
			row.told = old.told
		}
		rows[k.Digest] = row
	}
	t.rows.Store(&rows)
	t.read.Store(s.clock().Unix())
	s.noteUse(ctx, rows)
}

// noteUse tells the casebook which keys were used since it was last told.
func (s *Server) noteUse(ctx context.Context, rows map[[32]byte]*keyRow) {
	used := map[string]int64{}
	for row := range maps.Values(rows) {
		if at := row.used.Load(); at > row.told+60 {
			used[row.ID] = at
			row.told = at
		}
	}
	if len(used) == 0 {
		return
	}
	if err := s.parts.Keys.UsedKeys(ctx, used); err != nil && ctx.Err() == nil {
		s.log.Warn("when keys were last used could not be kept", slog.Any("error", err))
	}
}
