package guard

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"coldtrail/screen/breaker"
)

// A Report says whether a venue's log gives the same decisions again.
type Report struct {
	Venue string `json:"venue"`
	// Lines were played, and Decisions and Transitions compared.
	Lines       int64 `json:"lines"`
	Decisions   int64 `json:"decisions"`
	Transitions int64 `json:"transitions"`
	// First is the first line that differs, nil where all are the same.
	First *Difference `json:"first,omitempty"`
	// State is the digest of the breaker's state after the last line, Last the number of
	// that line in the casebook.
	State string `json:"state"`
	Last  int64  `json:"last"`
}

// A Difference is a line whose answer was another.
type Difference struct {
	Line     int64           `json:"line"` // in the casebook
	Recorded json.RawMessage `json:"recorded"`
	Replayed json.RawMessage `json:"replayed"`
}

// Replay plays the whole log of a venue into a new breaker and compares every answer with
// the recorded one. Others go on meanwhile; lines that are added then may be in it or not.
func (g *Guard) Replay(ctx context.Context, venue string) (Report, error) {
	v, err := g.venue(venue)
	if err != nil {
		return Report{}, err
	}
	p := player{book: g.options.Book, id: v.id}
	r := Report{Venue: v.id}
	var due []breaker.Output // what the lines that follow have to say
	err = p.lines(ctx, 0, func(l *line) (bool, error) {
		out, err := p.play(ctx, l)
		if err != nil || l.Part != nil {
			return err == nil, err
		}
		r.Lines++
		r.Last = l.sequence
		switch {
		case out != nil:
			due = append(due, bounded(out)...)
		case l.Output == nil || l.Proposal != nil:
			return true, nil
		}
		var said breaker.Output
		if len(due) > 0 {
			said, due = due[0], due[1:]
		}
		return true, r.compare(l, &said)
	})
	if err != nil {
		return r, err
	}
	if len(due) > 0 && r.First == nil { // said, and never written down
		text, err := json.Marshal(due)
		if err != nil {
			return r, err
		}
		r.First = &Difference{Line: r.Last, Replayed: text}
	}
	if p.machine != nil {
		r.State = stateDigest(p.machine.Snapshot())
	}
	return r, nil
}

// compare notes whether a line says the same again.
func (r *Report) compare(l *line, said *breaker.Output) error {
	if said.Decision != nil {
		r.Decisions++
	}
	r.Transitions += int64(len(said.Transitions))
	recorded, err := json.Marshal(l.Output)
	if err != nil {
		return err
	}
	replayed, err := json.Marshal(said)
	if err == nil && r.First == nil && !bytes.Equal(recorded, replayed) {
		r.First = &Difference{l.sequence, recorded, replayed}
	}
	return err
}

// State is the digest of a venue's state, and the number of the last line it follows from.
// Replay gives the same digest for the same line.
func (g *Guard) State(ctx context.Context, venue string) (digest string, last int64, err error) {
	v, err := g.venue(venue)
	if err != nil {
		return "", 0, err
	}
	err = v.do(ctx, func(ctx context.Context) error {
		if err := v.keep(ctx); err != nil {
			return err
		}
		digest, last = stateDigest(v.machine.Snapshot()), v.sequence
		return nil
	})
	return digest, last, err
}

func stateDigest(state []byte) string {
	sum := sha256.Sum256(state)
	return fmt.Sprintf("sha256:%s", hex.EncodeToString(sum[:]))
}
