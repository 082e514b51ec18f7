// Package attribution keeps what is known of who is behind addresses: claims of many
// sources side by side, what they said before and no longer say, and, for whoever has
// to decide, the claim to decide by.
package attribution

import (
	"context"
	"fmt"
	"path"

	"coldtrail/attribution/feed"
	"coldtrail/attribution/label"
	"coldtrail/ledger"
	"coldtrail/store"
)

// Imported is what became of a file.
type Imported struct {
	File      string         `json:"file"`
	Format    string         `json:"format"`
	Claims    int            `json:"claims"`    // that it holds
	Added     int            `json:"added"`     // that were new
	Withdrawn int            `json:"withdrawn"` // that it said before and no longer says
	Rejected  []feed.Problem `json:"rejected"`
	Warnings  []feed.Problem `json:"warnings"`
}

// A RejectedError says that nothing of a file was taken, as some of it is wrong.
type RejectedError struct {
	First feed.Problem
	More  int
}

// Error names the first row.
func (e *RejectedError) Error() string {
	text := e.First.String()
	if e.More > 0 {
		text += fmt.Sprintf(" (and %d more)", e.More)
	}
	return text + "; nothing of this file was kept, --keep-going imports the rest"
}

// Importer takes files in, one after the other.
type Importer struct {
	labels store.Labels
	// said are the claims of earlier imports by source and file, read once a complete
	// list comes; ended are those that were withdrawn.
	said  map[string][]label.Claim
	ended map[string]bool
}

// NewImporter makes an importer into a store.
func NewImporter(s store.Labels) *Importer { return &Importer{labels: s} }

// Import adds what a file says. Unless keep is set, one bad row refuses the file whole.
// What a complete list said before and does not say now is withdrawn.
func (m *Importer) Import(ctx context.Context, b *feed.Batch, keep bool) (*Imported, error) { //nolint:revive // the user's choice
	out := &Imported{File: b.File, Format: b.Format, Claims: len(b.Claims), Rejected: b.Rejected, Warnings: b.Warnings}
	if len(b.Rejected) > 0 && !keep {
		return nil, &RejectedError{b.Rejected[0], len(b.Rejected) - 1}
	}
	claims := b.Claims
	if b.Snapshot && len(b.Claims) > 0 {
		if err := m.load(ctx); err != nil {
			return nil, err
		}
		gone := m.withdrawals(b)
		out.Withdrawn = len(gone)
		claims = append(claims, gone...)
	}
	added, err := m.labels.AddClaims(ctx, claims)
	out.Added = added - out.Withdrawn
	return out, err
}

// load reads what was said before.
func (m *Importer) load(ctx context.Context) error {
	if m.said != nil {
		return nil
	}
	m.said, m.ended = map[string][]label.Claim{}, map[string]bool{}
	for c, err := range m.labels.ClaimsOn(ctx, "") {
		switch {
		case err != nil:
			m.said = nil
			return err
		case c.Withdraws != "":
			m.ended[c.Withdraws] = true
		default:
			m.said[origin(c.By, c.File)] = append(m.said[origin(c.By, c.File)], *c)
		}
	}
	return nil
}

// origin names a list by its source and file.
func origin(by, file string) string { return by + "\x00" + path.Base(file) }

// withdrawals ends the claims that a file of this name made before and does not make
// now.
func (m *Importer) withdrawals(b *feed.Batch) (gone []label.Claim) {
	says := map[label.ID]bool{}
	for i := range b.Claims {
		says[b.Claims[i].ID()] = true
	}
	when := b.Stated
	if when == 0 {
		when = b.Claims[0].Learned
	}
	for _, c := range m.said[origin(b.Claims[0].By, b.File)] {
		id := c.ID()
		if says[id] || m.ended[id.String()] {
			continue
		}
		m.ended[id.String()] = true
		gone = append(gone, label.Claim{
			Subject: c.Subject, By: c.By, Source: c.Source, Why: "no longer in " + path.Base(b.File), From: when, Withdraws: id.String(),
			Learned: b.Claims[0].Learned, File: b.File,
		})
	}
	return gone
}

// View answers by the claims that count at a moment, of at least a confidence.
type View struct {
	labels store.Labels
	when   label.When
	least  uint8
	cache  map[label.Subject][]label.Claim
	err    error
}

// NewView makes a view of a store's labels.
func NewView(s store.Labels, when label.When, least uint8) *View {
	return &View{labels: s, when: when, least: least, cache: map[label.Subject][]label.Claim{}}
}

// maxCached bounds the subjects that a view remembers.
const maxCached = 1 << 20

// Of lists the claims about a subject, surest first.
func (v *View) Of(ctx context.Context, subject label.Subject) ([]label.Claim, error) {
	if list, ok := v.cache[subject]; ok {
		return list, nil
	}
	lists, err := v.labels.Claims(ctx, []label.Subject{subject})
	if err != nil {
		return nil, err
	}
	var counted []label.Claim
	for _, c := range label.At(lists[0], v.when) {
		if c.Score >= v.least {
			counted = append(counted, c)
		}
	}
	if len(v.cache) < maxCached {
		v.cache[subject] = counted
	}
	return counted, nil
}

// StopOf is where value stops at an address of a ledger, and the claim that says so: the
// surest that names a stop.
func (v *View) StopOf(ctx context.Context, chain ledger.Chain, address string) (label.Stop, *label.Claim, error) {
	list, err := v.Of(ctx, label.SubjectOf(chain, address))
	if err != nil {
		return label.StopNone, nil, err
	}
	for i := range list {
		if stop := list[i].StopOf(); stop != label.StopNone {
			return stop, &list[i], nil
		}
	}
	return label.StopNone, nil, nil
}

// Entity names, for people, who a claim is about: the actor by the name that a list of
// actors gives him, or else the label.
func (v *View) Entity(ctx context.Context, c *label.Claim) (string, error) {
	if c.Actor == "" {
		return c.Label, nil
	}
	list, err := v.Of(ctx, label.Subject{Network: label.ActorNetwork, Address: c.Actor})
	if err != nil {
		return "", err
	}
	if len(list) > 0 {
		return list[0].Label, nil
	}
	if c.Label != "" {
		return c.Label, nil
	}
	return c.Actor, nil
}

// Jurisdictions are where an actor is said to be at home, by the codes of ISO 3166.
func (v *View) Jurisdictions(ctx context.Context, actor string) ([]string, error) {
	if actor == "" {
		return nil, nil
	}
	list, err := v.Of(ctx, label.Subject{Network: label.ActorNetwork, Address: actor})
	if err != nil {
		return nil, err
	}
	for i := range list {
		if where := list[i].Jurisdictions; len(where) > 0 {
			return where, nil
		}
	}
	return nil, nil
}

// Services answers which service's own wallet an address of a chain is: labelled so, and
// not a deposit address. What goes wrong is kept for Err.
func (v *View) Services(ctx context.Context, chain ledger.Chain, notation ledger.Notation) func(ledger.Address) (string, bool) {
	return func(a ledger.Address) (string, bool) {
		_, claim, err := v.StopOf(ctx, chain, notation.FormatAddress(a))
		if err != nil || claim == nil || !claim.Collects() {
			v.fail(err)
			return "", false
		}
		entity, err := v.Entity(ctx, claim)
		v.fail(err)
		return entity, err == nil && entity != ""
	}
}

func (v *View) fail(err error) {
	if v.err == nil {
		v.err = err
	}
}

// Err is the first thing that went wrong where an answer had no room for it.
func (v *View) Err() error { return v.err }

// EachSubject visits the claims that count at a moment, all about one subject together,
// of a network or, where that is empty, of all.
func EachSubject(ctx context.Context, s store.Labels, network label.Network, when label.When, visit func(label.Subject, []label.Claim) error) error {
	var group []label.Claim
	flush := func() error {
		if len(group) == 0 {
			return nil
		}
		subject, list := group[0].Subject, label.At(group, when)
		group = group[:0]
		if len(list) == 0 {
			return nil
		}
		return visit(subject, list)
	}
	for c, err := range s.ClaimsOn(ctx, network) {
		if err != nil {
			return err
		}
		if len(group) > 0 && group[0].Subject != c.Subject {
			if err := flush(); err != nil {
				return err
			}
		}
		group = append(group, *c)
	}
	return flush()
}
