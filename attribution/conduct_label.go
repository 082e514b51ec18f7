package attribution

import (
	"context"
	"slices"

	"coldtrail/attribution/behaviour"
	"coldtrail/attribution/label"
	"coldtrail/ledger"
)

// party is what labels say of an address.
type party struct {
	labels []string // concepts, with all that they are a kind of; sorted
	entity string
}

// label writes into steps what is known of who stands on the other side of the subject.
func (c *conduct) label(ctx context.Context, steps []behaviour.Step) error {
	if c.o.View == nil {
		return nil
	}
	var parties []*behaviour.Party
	for i := range steps {
		parties = append(parties, others(&steps[i])...)
	}
	return c.name(ctx, parties)
}

// others are the parties whose names patterns ask for. On UTXO chains who pays the
// subject is named by the inputs, and whom it pays by the outputs.
func others(st *behaviour.Step) (list []*behaviour.Party) {
	for i := range st.Moves {
		m := &st.Moves[i]
		if m.From.Own || m.To.Own {
			list = append(list, &m.From, &m.To)
		}
	}
	side := st.In
	if slices.ContainsFunc(st.In, func(in behaviour.Part) bool { return in.Own }) {
		side = st.Out
	}
	for i := range side {
		list = append(list, &side[i].Party)
	}
	return list
}

// name looks parties up, all at once.
func (c *conduct) name(ctx context.Context, parties []*behaviour.Party) error {
	if c.o.View == nil {
		return nil
	}
	var missing []ledger.Address
	var subjects []label.Subject
	asked := map[ledger.Address]bool{}
	for _, p := range parties {
		if _, known := c.names[p.Address]; known || p.Own || p.Address.IsZero() || asked[p.Address] {
			continue
		}
		asked[p.Address] = true
		missing = append(missing, p.Address)
		subjects = append(subjects, label.SubjectOf(c.chain, c.o.Notation.FormatAddress(p.Address)))
	}
	if err := c.o.View.fetch(ctx, subjects); err != nil {
		return err
	}
	for i, a := range missing {
		found, err := c.o.View.party(ctx, subjects[i])
		if err != nil {
			return err
		}
		c.names[a] = found
	}
	for _, p := range parties {
		if !p.Own {
			p.Labels, p.Entity = c.names[p.Address].labels, c.names[p.Address].entity
		}
	}
	return nil
}

// fetch reads the claims about many subjects in one question.
func (v *View) fetch(ctx context.Context, subjects []label.Subject) error {
	missing := slices.DeleteFunc(slices.Clone(subjects), func(s label.Subject) bool {
		_, known := v.cache[s]
		return known
	})
	if len(missing) == 0 || len(v.cache)+len(missing) > maxCached {
		return nil // asked one by one
	}
	lists, err := v.labels.Claims(ctx, missing)
	if err != nil {
		return err
	}
	for i, list := range lists {
		var counted []label.Claim
		for _, c := range label.At(list, v.when) {
			if c.Score >= v.least {
				counted = append(counted, c)
			}
		}
		v.cache[missing[i]] = counted
	}
	return nil
}

// party sums up what is said of an address. It goes by the name in the surest claim that
// makes it somebody who keeps books, otherwise in the surest of all.
func (v *View) party(ctx context.Context, subject label.Subject) (p party, err error) {
	claims, err := v.Of(ctx, subject)
	if err != nil || len(claims) == 0 {
		return p, err
	}
	name := &claims[0]
	for i := range claims {
		p.labels = append(p.labels, kinds(claims[i].Concept)...)
		p.labels = append(p.labels, kinds(claims[i].Abuse)...)
		if name.StopOf() == label.StopNone && claims[i].StopOf() != label.StopNone {
			name = &claims[i]
		}
	}
	slices.Sort(p.labels)
	p.labels = slices.Compact(p.labels)
	p.entity, err = v.Entity(ctx, name)
	return p, err
}

// ancestry is what every concept is a kind of, itself included.
var ancestry = func() map[string][]string {
	m := map[string][]string{}
	for _, concept := range label.Concepts() {
		for _, of := range label.Concepts() {
			if label.Is(concept, of) {
				m[concept] = append(m[concept], of)
			}
		}
	}
	return m
}()

// kinds are all concepts that a concept is a kind of.
func kinds(concept string) []string { return ancestry[concept] }
