package embedded

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/cockroachdb/pebble/v2"

	"coldtrail/attribution/label"
	"coldtrail/store"
)

// Claims lie under their network, their address and their identifier, so that one look
// finds all of one address. Text ends with a zero, which no subject contains.

// subjectKey begins the keys of a subject's claims.
func subjectKey(s label.Subject) []byte {
	key := append([]byte{keyClaim}, s.Network...)
	key = append(append(key, 0), s.Address...)
	return append(key, 0)
}

// revisionSize is the stored length of a revision: how many, and the sum.
const revisionSize = 8 + 32

// AddClaims adds claims in one batch, in order of their keys, so that one pass of an
// iterator tells which are held already.
func (s *Store) AddClaims(ctx context.Context, claims []label.Claim) (added int, err error) {
	type keyed struct {
		key   []byte
		claim *label.Claim
	}
	list := make([]keyed, len(claims))
	for i := range claims {
		id := claims[i].ID()
		list[i] = keyed{append(subjectKey(claims[i].Subject), id[:]...), &claims[i]}
	}
	slices.SortStableFunc(list, func(a, b keyed) int { return bytes.Compare(a.key, b.key) })
	s.mu.Lock()
	defer s.mu.Unlock()
	revision, err := s.revision()
	if err != nil {
		return 0, err
	}
	held, err := s.db.NewIter(&pebble.IterOptions{LowerBound: []byte{keyClaim}, UpperBound: []byte{keyClaim + 1}})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, held.Close()) }()
	batch := s.db.NewBatch()
	defer func() { err = errors.Join(err, batch.Close()) }()
	for i, k := range list {
		if i%1024 == 0 && ctx.Err() != nil {
			return 0, ctx.Err()
		}
		if i > 0 && bytes.Equal(k.key, list[i-1].key) || held.SeekGE(k.key) && bytes.Equal(held.Key(), k.key) {
			continue
		}
		if err := batch.Set(k.key, k.claim.Append(nil), nil); err != nil {
			return 0, err
		}
		revision.Add(label.ID(k.key[len(k.key)-len(label.ID{}):]), k.claim.Learned)
		added++
	}
	if err := held.Error(); err != nil {
		return 0, err
	}
	value := append(binary.BigEndian.AppendUint64(nil, revision.Count), revision.Sum[:]...)
	if err := batch.Set([]byte{keyRevision}, value, nil); err != nil {
		return 0, err
	}
	return added, batch.Commit(pebble.Sync)
}

func (s *Store) revision() (r label.Revision, err error) {
	value, closer, err := s.db.Get([]byte{keyRevision})
	if errors.Is(err, pebble.ErrNotFound) {
		return r, nil
	}
	if err != nil {
		return r, err
	}
	if len(value) != revisionSize {
		return r, errors.Join(fmt.Errorf("%w: revision of labels", store.ErrCorrupt), closer.Close())
	}
	r.Count = binary.BigEndian.Uint64(value)
	copy(r.Sum[:], value[8:])
	return r, closer.Close()
}

// Claims gives all claims about subjects.
func (s *Store) Claims(ctx context.Context, subjects []label.Subject) ([][]label.Claim, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	out := make([][]label.Claim, len(subjects))
	for i := range subjects {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		err := s.scan(subjectKey(subjects[i]), func(_, value []byte) error {
			c, err := readClaim(value)
			out[i] = append(out[i], c)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

func readClaim(value []byte) (c label.Claim, err error) {
	if c, err = label.Decode(value); err != nil {
		err = fmt.Errorf("%w: %w", store.ErrCorrupt, err)
	}
	return c, err
}

// ClaimsOn yields every claim of a network, or of all.
func (s *Store) ClaimsOn(ctx context.Context, network label.Network) iter.Seq2[*label.Claim, error] {
	prefix := []byte{keyClaim}
	if network != "" {
		prefix = append(append(prefix, network...), 0)
	}
	return func(yield func(*label.Claim, error) bool) {
		err := s.scan(prefix, func(_, value []byte) error {
			if err := ctx.Err(); err != nil {
				return err
			}
			c, err := readClaim(value)
			if err != nil {
				return err
			}
			if !yield(&c, nil) {
				return errStop
			}
			return nil
		})
		if err != nil && !errors.Is(err, errStop) {
			yield(nil, err)
		}
	}
}

// LabelRevision sums up all claims.
func (s *Store) LabelRevision(ctx context.Context) (label.Revision, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	r, err := s.revision()
	return r, errors.Join(err, ctx.Err())
}
