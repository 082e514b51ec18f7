package guard

import (
	"bytes"
	"compress/flate"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"

	"coldtrail/casebook"
	"coldtrail/screen/breaker"
)

// saved is a snapshot as the casebook keeps it. State is the breaker's own, compressed; one
// that is too long for one entry stands in parts among the lines of the log.
type saved struct {
	Number int64  `json:"number"` // of the last line it contains
	Digest string `json:"digest"` // of the breaker's configuration
	// Floor is the line of the casebook after which the uses stand that are remembered.
	Floor int64 `json:"floor"`
	// Horizon is the moment up to which uses are forgotten.
	Horizon int64 `json:"horizon,omitempty"`
	Told    int64 `json:"told"`
	Head    *at   `json:"head,omitempty"`
	// Proposals are the overrides that wait for a second person.
	Proposals []proposal `json:"proposals,omitempty"`
	State     []byte     `json:"state,omitempty"`
	// First is the number of the first part in the casebook, Parts how many there are.
	First int64 `json:"first,omitempty"`
	Parts int   `json:"parts,omitempty"`
}

const (
	// partSize is how much of a state one entry holds: it is a third longer in base 64.
	partSize = 180_000
	// partsAtOnce is how many are kept in one transaction, so that uses need not wait.
	partsAtOnce = 4
	// maxState bounds what a state may be when it is unpacked.
	maxState = 1 << 30
)

// due says whether the log has grown enough for another snapshot: so many lines, and as
// many bytes as the last one took, so that snapshots never are most of the casebook.
func (v *venue) due() bool {
	return v.loaded && v.number-v.kept >= v.guard.options.Every && v.grown >= v.weight
}

// snapshot is the state of the venue now. Floor is left for later.
func (v *venue) snapshot() (s saved, sequence int64, state []byte) {
	s = saved{Number: v.number, Digest: v.machine.Digest(), Told: v.told, Head: v.cursor, Proposals: append([]proposal(nil), v.proposals...)}
	s.Floor, s.Horizon = v.sequence, v.memory.horizon
	if list := v.memory.order[v.memory.head:]; len(list) > 0 {
		s.Floor = list[0].first - 1 // a use that was taken back has one as well
	}
	if !v.untold {
		s.Told = v.sequence
	}
	return s, v.sequence, v.machine.Snapshot()
}

// save keeps the state of the venue. Only the making of the snapshot holds up uses.
func (v *venue) save(ctx context.Context, when func() bool) error {
	var s saved
	var sequence int64
	var state []byte
	err := v.do(ctx, func(context.Context) error {
		if !when() {
			return nil
		}
		if err := v.keep(ctx); err != nil {
			return err
		}
		s, sequence, state = v.snapshot()
		return nil
	})
	if err != nil || state == nil {
		return err
	}
	packed, err := pack(state)
	if err != nil {
		return err
	}
	if err := v.store(ctx, &s, sequence, packed); err != nil {
		return err
	}
	return v.do(ctx, func(context.Context) error {
		v.kept, v.grown, v.weight = s.Number, 0, len(packed)
		return nil
	})
}

// store writes a snapshot down, in parts where it is long.
func (v *venue) store(ctx context.Context, s *saved, sequence int64, packed []byte) error {
	book, now := v.guard.options.Book, v.guard.options.Now()
	if len(packed) <= partSize {
		s.State, packed = packed, nil
	}
	for len(packed) > 0 {
		var events []casebook.Event
		for len(packed) > 0 && len(events) < partsAtOnce {
			n := min(len(packed), partSize)
			body, err := json.Marshal(&line{Part: packed[:n]})
			if err != nil {
				return err
			}
			id := partPrefix + strconv.FormatInt(s.Number, 10) + "-" + strconv.FormatInt(now, 10) + "-" + strconv.Itoa(s.Parts)
			events = append(events, casebook.Event{ID: id, At: now, Received: now, Body: body})
			packed = packed[n:]
			s.Parts++
		}
		kept, err := book.PostEvents(ctx, v.id, events)
		if err != nil {
			return err
		}
		if len(kept) != len(events) {
			return errors.New("a part of a snapshot is there already")
		}
		if s.First == 0 {
			s.First = kept[0].Sequence
		}
	}
	body, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return book.KeepSnapshot(ctx, casebook.Snapshot{Venue: v.id, Sequence: sequence, At: now, Body: body})
}

// restore takes the newest snapshot, and says after which line to read on. Without one
// that fits, the log is read from its beginning.
func (v *venue) restore(ctx context.Context, s *settings) (from int64, err error) {
	row, err := v.book.LastSnapshot(ctx, v.id)
	if errors.Is(err, casebook.ErrNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	var kept saved
	if err := json.Unmarshal(row.Body, &kept); err != nil {
		return 0, fmt.Errorf("%w: the snapshot of %q: %w", ErrLog, v.id, err)
	}
	if digest, err := s.Breaker.Digest(); err != nil || digest != kept.Digest {
		return 0, err
	}
	packed, err := v.parts(ctx, &kept)
	if err != nil {
		return 0, err
	}
	state, err := unpack(packed)
	if err != nil {
		return 0, nil //nolint:nilerr // the log has everything that the snapshot had
	}
	machine, err := breaker.Restore(&s.Breaker, state)
	if errors.Is(err, breaker.ErrSnapshot) {
		return 0, nil // of another version: the log has everything
	}
	if err != nil {
		return 0, err
	}
	if err := kept.Head.read(); err != nil {
		return 0, fmt.Errorf("%w: the snapshot of %q: %w", ErrLog, v.id, err)
	}
	v.machine, v.number, v.sequence, v.kept, v.weight = machine, kept.Number, row.Sequence, kept.Number, len(packed)
	v.told, v.cursor, v.proposals = kept.Told, kept.Head, kept.Proposals
	v.memory.horizon = kept.Horizon
	return min(kept.Floor, row.Sequence), nil
}

// parts puts a state together.
func (v *venue) parts(ctx context.Context, s *saved) ([]byte, error) {
	if s.Parts == 0 {
		return s.State, nil
	}
	var packed []byte
	n := 0
	err := v.player.lines(ctx, s.First-1, func(l *line) (bool, error) {
		if l.Part != nil {
			packed = append(packed, l.Part...)
			n++
		}
		return n < s.Parts && len(packed) <= maxState, nil
	})
	return packed, err
}

func pack(state []byte) ([]byte, error) {
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.BestSpeed)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(state); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

func unpack(packed []byte) ([]byte, error) {
	r := flate.NewReader(bytes.NewReader(packed))
	state, err := io.ReadAll(io.LimitReader(r, maxState))
	return state, errors.Join(err, r.Close())
}

// close saves the venue and takes nothing more.
func (v *venue) close(ctx context.Context) error {
	var err error
	if v.isLoaded(ctx) {
		err = v.save(ctx, func() bool { return v.loaded && v.number != v.kept })
	}
	v.mu.Lock()
	v.ended = true
	v.mu.Unlock()
	// Whoever still waits is done first.
	v.turn <- struct{}{}
	v.lead(ctx)
	<-v.turn
	return err
}

// isLoaded says whether the venue was needed at all.
func (v *venue) isLoaded(ctx context.Context) bool {
	select {
	case v.turn <- struct{}{}:
		defer func() { <-v.turn }()
		return v.loaded
	case <-ctx.Done():
		return false
	}
}
