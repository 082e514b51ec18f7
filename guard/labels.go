package guard

import (
	"bytes"
	"context"
	"slices"
	"strings"

	"coldtrail/ledger"
	"coldtrail/screen"
	"coldtrail/screen/breaker"
	"coldtrail/screen/exposure"
)

// merge is what is known of a use when more is learnt. What makes no difference to the
// breaker changes nothing, and a use is never washed clean by money that came later: what
// was known stays as long as anything of the incident is found at all. named nil stands
// for all incidents.
func merge(c *breaker.IncidentConfig, old, learnt []breaker.Taint, named map[string]bool) []breaker.Taint {
	list := make([]breaker.Taint, 0, len(old)+len(learnt))
	find := func(in []breaker.Taint, name string) *breaker.Taint {
		for i := range in {
			if in[i].Incident == name {
				return &in[i]
			}
		}
		return nil
	}
	for i := range learnt {
		t := learnt[i]
		if had := find(old, t.Incident); had != nil && class(c, had) >= class(c, &t) {
			t = *had
		}
		list = append(list, t)
	}
	for i := range old {
		if t := &old[i]; find(learnt, t.Incident) == nil && (named == nil || named[t.Incident]) {
			list = append(list, *t)
		}
	}
	if len(list) == 0 {
		return nil
	}
	slices.SortFunc(list, func(a, b breaker.Taint) int { return strings.Compare(a.Incident, b.Incident) })
	return list[:min(len(list), maxTaint)]
}

// differs says whether the breaker makes something else of a use: another class of an
// incident.
func differs(c *breaker.IncidentConfig, a, b []breaker.Taint) bool {
	classes := func(list []breaker.Taint) map[string]int {
		m := map[string]int{}
		for i := range list {
			if n := class(c, &list[i]); n > 0 {
				m[list[i].Incident] = n
			}
		}
		return m
	}
	x, y := classes(a), classes(b)
	if len(x) != len(y) {
		return true
	}
	for name, n := range x {
		if y[name] != n {
			return true
		}
	}
	return false
}

// lookedUp are the addresses that were screened in one pass.
type lookedUp struct {
	seen map[addressOn]*seen
	text []byte
}

type addressOn struct {
	chain ledger.Chain
	text  string
}

// noFacts is in a verdict's print where nothing is known of the subject. Within a text its
// quotation marks would be escaped.
var noFacts = []byte(`"facts":[]`)

// look screens an address. Most are of people of whom nothing is known, which a verdict in
// print says without asking every rule.
func (l *lookedUp) look(k *screen.Knowledge, chain ledger.Chain, text string) *seen {
	if text == "" {
		return nil
	}
	at := addressOn{chain, text}
	if s, ok := l.seen[at]; ok {
		return s
	}
	var s *seen
	if !isHash(text) {
		q := exposure.Question{Subject: text, Chain: string(chain)}
		if l.text, _ = k.ScreenBytes(l.text[:0], &q); !bytes.Contains(l.text, noFacts) {
			s = look(k, chain, exposure.AnyPurpose, text)
			s.verdict = nil
		}
	}
	l.seen[at] = s
	return s
}

// learnt is what is now known of a use.
type learnt struct {
	use   *use
	taint []breaker.Taint
	named map[string]bool
}

// reconsider screens everybody whom uses concern.
func reconsider(k *screen.Knowledge, uses []*use, config *breaker.IncidentConfig) []learnt {
	done, list := lookedUp{seen: map[addressOn]*seen{}}, make([]learnt, 0, len(uses))
	for _, u := range uses {
		j := judged{config: config, moment: u.moment}
		j.origin(done.look(k, u.who.chain, u.who.origin))
		if u.who.receiver != u.who.origin && !u.who.receiverService {
			j.beside(done.look(k, "", u.who.receiver))
		}
		if !u.who.funderService {
			j.beside(done.look(k, u.who.chain, u.who.funder))
		}
		list = append(list, learnt{u, j.taint(), j.named})
	}
	return list
}

// relabel tells the breaker what was learnt of uses after they happened.
func (v *venue) relabel(ctx context.Context, k *screen.Knowledge, now int64) error {
	what := content(k)
	if what == "" {
		return nil
	}
	var uses []*use
	var config breaker.IncidentConfig
	err := v.do(ctx, func(context.Context) error {
		if v.known != what {
			uses, config = v.memory.all(), v.settings.Breaker.Incident
		}
		return nil
	})
	if err != nil {
		return err
	}
	// What is screened here never changes, so that nobody has to wait for it.
	list := reconsider(k, uses, &config) //nolint:contextcheck // answers from memory: see look
	for part := range slices.Chunk(list, maxLines) {
		if err := v.do(ctx, func(context.Context) error { return v.label(part, now) }); err != nil {
			return err
		}
	}
	return v.do(ctx, func(context.Context) error {
		v.known = what
		return nil
	})
}

// label tells the breaker of the uses of which it makes something else by now.
func (v *venue) label(list []learnt, now int64) error {
	c := &v.settings.Breaker.Incident
	for i := range list {
		l := &list[i]
		if l.use.gone || len(l.taint) == 0 && len(l.use.taint) == 0 {
			continue
		}
		taint := merge(c, l.use.taint, l.taint, l.named)
		if !differs(c, l.use.taint, taint) {
			continue
		}
		in := &breaker.Label{ID: l.use.id, Moment: max(now, v.machine.Clock()), Taint: taint}
		if err := v.tell(&breaker.Input{Label: in}); err != nil {
			return err
		}
	}
	return nil
}
