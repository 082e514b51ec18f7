package clickhouse

import (
	"context"
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"sync"

	"coldtrail/attribution/label"
	"coldtrail/store"
)

// Claims are inserted in batches. A batch counts once the table of batches lists it, so a
// batch that broke off is as if it had never been.

// labelState is which batches count, as far as this process knows.
type labelState struct {
	mu       sync.Mutex
	batches  map[uint64]bool
	sequence uint64
	revision label.Revision
}

// labelsOf names the labels where a point names a chain.
const labelsOf = "labels"

// A labelling is the labels as they are at a moment.
type labelling struct {
	point
	batches  map[uint64]bool // that count; shared, under the lock of labelState
	revision label.Revision
}

// labelView brings the list of batches up to date, and says how new it is.
func (s *Store) labelView(ctx context.Context) (now labelling, err error) {
	l := &s.labels
	l.mu.Lock()
	defer l.mu.Unlock()
	s.trips.Add(1)
	sql := fmt.Sprintf("SELECT toUInt64(%s), groupArray(sequence), groupArray(batch), groupArray(count), groupArray(sum) FROM %s WHERE sequence > %d",
		s.lag("label_batches"), s.t("label_batches"), l.sequence)
	var sequences, batches, counts []uint64
	var sums []string
	err = s.on(ctx, s.shards[0], func(ctx context.Context, r *replica) error {
		var behind uint64
		sequences, batches, counts, sums = nil, nil, nil, nil
		if err := r.conn.QueryRow(ctx, s.say(sql)).Scan(&behind, &sequences, &batches, &counts, &sums); err != nil {
			return err
		}
		if behind > 0 {
			return errBehind
		}
		return nil
	})
	if err != nil {
		return now, err
	}
	if l.batches == nil {
		l.batches = map[uint64]bool{}
	}
	for i, sequence := range sequences {
		l.batches[batches[i]] = true
		if sequence > l.sequence {
			l.sequence, l.revision.Count = sequence, counts[i]
			copy(l.revision.Sum[:], sums[i])
		}
	}
	return labelling{point{labelsOf, moment{sequence: l.sequence}}, l.batches, l.revision}, nil
}

// A filed claim is one of a batch.
type filed struct {
	label.Claim
	id    label.ID
	batch uint64
}

// scanClaim reads a claim, or the row that only marks the table (see Store.mark).
func scanClaim(r scanned) (f filed, err error) {
	var text string
	if err := r.Scan(&f.batch, (*[16]byte)(&f.id), &text); err != nil || text == "" {
		return f, err
	}
	if f.Claim, err = label.Decode([]byte(text)); err != nil {
		err = fmt.Errorf("%w: %w", store.ErrCorrupt, err)
	}
	return f, err
}

// bySubject says on which shard the claims of a subject lie.
func (s *Store) bySubject(subject label.Subject) int {
	return s.byText(string(subject.Network) + "\x00" + subject.Address)
}

// claimsOf reads all claims about subjects that count, in order of subjects and identifiers.
func (s *Store) claimsOf(ctx context.Context, subjects []label.Subject) ([]filed, error) {
	now, err := s.labelView(ctx)
	if err != nil {
		return nil, err
	}
	var found []filed
	t := s.trip(now.point)
	ask(t, about(s, subjects, s.bySubject, func(piece []label.Subject) string {
		return "SELECT batch, id, claim FROM " + s.t("claims") + " WHERE (network, address) IN " + list(piece, func(x label.Subject) string {
			return "(" + quote(string(x.Network)) + "," + quote(x.Address) + ")"
		})
	}), scanClaim, &found)
	if err := t.run(ctx); err != nil {
		return nil, err
	}
	return s.counting(found, now.batches), nil
}

// counting leaves out what does not count, and puts the rest in order.
func (s *Store) counting(found []filed, known map[uint64]bool) []filed {
	s.labels.mu.Lock()
	found = slices.DeleteFunc(found, func(f filed) bool { return !known[f.batch] })
	s.labels.mu.Unlock()
	slices.SortFunc(found, func(a, b filed) int {
		if c := a.Subject.Compare(b.Subject); c != 0 {
			return c
		}
		return slices.Compare(a.id[:], b.id[:])
	})
	return found
}

// AddClaims adds claims.
func (s *Store) AddClaims(ctx context.Context, claims []label.Claim) (added int, err error) {
	s.writing.Lock()
	defer s.writing.Unlock()
	if s.keeper != nil {
		lease, err := s.keeper.wait(ctx, "labels", s.options.Patience)
		if err != nil {
			return 0, err
		}
		defer lease.Release()
	}
	err = s.again(ctx, func() error {
		added, err = s.addClaims(ctx, claims)
		return err
	})
	return added, err
}

func (s *Store) addClaims(ctx context.Context, claims []label.Claim) (added int, err error) {
	subjects := map[label.Subject]bool{}
	var order []label.Subject
	for i := range claims {
		if !subjects[claims[i].Subject] {
			subjects[claims[i].Subject] = true
			order = append(order, claims[i].Subject)
		}
	}
	held, err := s.claimsOf(ctx, order)
	if err != nil {
		return 0, err
	}
	known := make(map[label.ID]bool, len(held))
	for _, f := range held {
		known[f.id] = true
	}
	now, err := s.labelView(ctx)
	if err != nil {
		return 0, err
	}
	revision, next := now.revision, now.sequence+1
	batch := rand.Uint64() //nolint:gosec // it must only differ from those of writes that broke off
	rows := s.sheets()
	for i := range claims {
		c := &claims[i]
		id := c.ID()
		if known[id] {
			continue
		}
		known[id] = true
		rows.add("claims", s.bySubject(c.Subject), string(c.Subject.Network), c.Subject.Address, string(id[:]), batch, string(c.Append(nil)))
		revision.Add(id, c.Learned)
		added++
	}
	if added == 0 {
		return 0, ctx.Err()
	}
	last := s.sheets()
	last.add("label_batches", 0, next, batch, revision.Count, string(revision.Sum[:]))
	for _, part := range []*sheets{rows, last} {
		if err := s.put(ctx, part); err != nil {
			return 0, err
		}
	}
	return added, s.settle(ctx, point{labelsOf, moment{sequence: now.sequence + 1}})
}

// put inserts sheets in one trip.
func (s *Store) put(ctx context.Context, rows *sheets) error {
	t := s.trip(point{})
	rows.insert(t)
	return t.run(ctx)
}

// Claims gives all claims about subjects.
func (s *Store) Claims(ctx context.Context, subjects []label.Subject) ([][]label.Claim, error) {
	unique := slices.Clone(subjects)
	slices.SortFunc(unique, label.Subject.Compare)
	found, err := s.claimsOf(ctx, slices.Compact(unique))
	if err != nil {
		return nil, err
	}
	bySubject := map[label.Subject][]label.Claim{}
	for _, f := range found {
		bySubject[f.Subject] = append(bySubject[f.Subject], f.Claim)
	}
	out := make([][]label.Claim, len(subjects))
	for i, subject := range subjects {
		out[i] = slices.Clone(bySubject[subject])
	}
	return out, nil
}

// ClaimsOn yields every claim of a network, or of all.
func (s *Store) ClaimsOn(ctx context.Context, network label.Network) iter.Seq2[*label.Claim, error] {
	return func(yield func(*label.Claim, error) bool) {
		now, err := s.labelView(ctx)
		if err != nil {
			yield(nil, err)
			return
		}
		where := ""
		if network != "" {
			where = " WHERE network = " + quote(string(network))
		}
		var found []filed
		t := s.trip(now.point)
		ask(t, s.everywhere("SELECT batch, id, claim FROM "+s.t("claims")+where+" "), scanClaim, &found)
		if err := t.run(ctx); err != nil {
			yield(nil, err)
			return
		}
		for _, f := range s.counting(found, now.batches) {
			if !yield(&f.Claim, nil) {
				return
			}
		}
	}
}

// LabelRevision sums up all claims.
func (s *Store) LabelRevision(ctx context.Context) (label.Revision, error) {
	now, err := s.labelView(ctx)
	return now.revision, err
}
