package memory

import (
	"bytes"
	"context"
	"iter"
	"slices"

	"coldtrail/attribution/label"
)

// labels are claims by subject, each list in order of identifiers.
type labels struct {
	bySubject map[label.Subject][]label.Claim
	revision  label.Revision
}

// AddClaims adds claims.
func (s *Store) AddClaims(ctx context.Context, claims []label.Claim) (added int, err error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.labels.bySubject == nil {
		s.labels.bySubject = map[label.Subject][]label.Claim{}
	}
	for i := range claims {
		c := &claims[i]
		id := c.ID()
		list := s.labels.bySubject[c.Subject]
		at, held := slices.BinarySearchFunc(list, id, func(have label.Claim, id label.ID) int {
			x := have.ID()
			return bytes.Compare(x[:], id[:])
		})
		if held {
			continue
		}
		s.labels.bySubject[c.Subject] = slices.Insert(list, at, *c)
		s.labels.revision.Add(id, c.Learned)
		added++
	}
	return added, nil
}

// Claims gives all claims about subjects.
func (s *Store) Claims(ctx context.Context, subjects []label.Subject) ([][]label.Claim, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	out := make([][]label.Claim, len(subjects))
	for i, subject := range subjects {
		out[i] = slices.Clone(s.labels.bySubject[subject])
	}
	return out, ctx.Err()
}

// ClaimsOn yields every claim of a network, or of all.
func (s *Store) ClaimsOn(ctx context.Context, network label.Network) iter.Seq2[*label.Claim, error] {
	return func(yield func(*label.Claim, error) bool) {
		s.mu.RLock()
		subjects := make([]label.Subject, 0, len(s.labels.bySubject))
		for subject := range s.labels.bySubject {
			if network == "" || subject.Network == network {
				subjects = append(subjects, subject)
			}
		}
		s.mu.RUnlock()
		slices.SortFunc(subjects, label.Subject.Compare)
		for _, subject := range subjects {
			lists, err := s.Claims(ctx, []label.Subject{subject})
			if err != nil {
				yield(nil, err)
				return
			}
			for i := range lists[0] {
				if !yield(&lists[0][i], nil) {
					return
				}
			}
		}
	}
}

// LabelRevision sums up all claims.
func (s *Store) LabelRevision(ctx context.Context) (label.Revision, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.labels.revision, ctx.Err()
}
