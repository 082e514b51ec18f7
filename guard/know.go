package guard

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"coldtrail/ledger"
	"coldtrail/screen"
	"coldtrail/screen/breaker"
	"coldtrail/screen/exposure"
)

// seen is what screening says of one address.
type seen struct {
	subject string // in its canonical form
	level   exposure.Level
	service bool
	found   []finding
	verdict *exposure.Verdict
}

// finding is a statement about an address's money, and since when it holds.
type finding struct {
	breaker.Taint

	from int64
}

// services are the concepts of places that many people share.
var services = map[string]bool{
	"service": true, "exchange": true, "wallet_service": true, "escrow_wallet": true, "cold_wallet": true, "hot_wallet": true, "warm_wallet": true,
	"mining_service": true, "miner": true, "gambling": true, "payment_processor": true, "faucet": true, "market": true, "defi": true, "defi_lending": true,
	"defi_dex": true, "defi_derivative": true, "defi_bridge": true, "defi_staking": true, "defi_custody": true,
}

// setAside are the codes of facts that a policy shows and holds against nobody.
var setAside = map[string]bool{"dust": true, "poisoning": true, "after": true}

// look screens an address. Without knowledge nobody can tell anything, and nobody is a
// transaction: finding one takes long, and a guard must not wait.
func look(k *screen.Knowledge, chain ledger.Chain, purpose exposure.Purpose, text string) *seen {
	if k == nil || isHash(text) {
		return &seen{subject: text, level: exposure.Unknown}
	}
	q := exposure.Question{Subject: text, Chain: string(chain), Purpose: purpose}
	v := &exposure.Verdict{}
	k.Screen(&q, v)
	s := &seen{subject: v.Subject, level: v.Level, verdict: v}
	if s.subject == "" {
		s.subject = text
	}
	refused, aside := make([]bool, len(v.Facts)), make([]bool, len(v.Facts))
	for i := range v.Reasons {
		r := &v.Reasons[i]
		if r.Fact < 0 || r.Fact >= len(v.Facts) {
			continue
		}
		aside[r.Fact] = aside[r.Fact] || setAside[r.Code]
		refused[r.Fact] = refused[r.Fact] || r.Outcome == exposure.Refuse || r.Outcome == exposure.Freeze
	}
	for i := range v.Facts {
		f := &v.Facts[i]
		if f.Kind == exposure.Labelled && services[f.Category] && !refused[i] {
			s.service = true
		}
		if aside[i] || f.Kind != exposure.Tainted && !refused[i] {
			continue
		}
		if t := findingOf(f); t.Incident != "" {
			s.found = append(s.found, t)
		}
	}
	return s
}

// isHash says whether a text may be a transaction's identifier.
func isHash(text string) bool { return len(strings.TrimPrefix(text, "0x")) == 64 }

// unknownShare stands for a share that is not known.
const unknownShare = 1 << 31

// findingOf is what a fact says of an address's money: what an incident brought, or that
// it is somebody's from whom the policy refuses it.
func findingOf(f *exposure.Fact) finding {
	t := finding{from: f.From}
	t.Incident, t.Share, t.Hops = f.Incident, f.Share, f.Hops
	switch f.Kind {
	case exposure.Labelled, exposure.Owned:
		t.Share, t.Hops = 10_000, 0
	case exposure.Dealt:
		t.Hops = max(f.Hops, 1)
	case exposure.Tainted:
	}
	if f.Total.IsZero() && (f.Kind == exposure.Tainted || f.Kind == exposure.Dealt) {
		t.Share = unknownShare
	}
	if t.Incident == "" {
		t.Incident = "label:" + cmp.Or(f.Entity, f.Authority, f.Category)
	}
	t.Incident = strings.ToValidUTF8(t.Incident[:min(len(t.Incident), maxText)], "")
	return t
}

// class is what a statement makes of a use, as the breaker has it: 0 nothing, 1 near, 2
// tainted.
func class(c *breaker.IncidentConfig, t *breaker.Taint) int {
	switch {
	case t.Hops == 0 || t.Share >= c.Share:
		return 2
	case t.Share >= c.NearShare && t.Hops <= c.NearHops:
		return 1
	}
	return 0
}

// judged collects what is known of a use, by incident.
type judged struct {
	config *breaker.IncidentConfig
	moment int64
	best   map[string]breaker.Taint
	named  map[string]bool // incidents that anything was found of
}

func (j *judged) add(t breaker.Taint) {
	if j.best == nil {
		j.best, j.named = map[string]breaker.Taint{}, map[string]bool{}
	}
	j.named[t.Incident] = true
	// What share of its money it is is not known: touched by it, and no more than near.
	if t.Share == unknownShare {
		t.Share = j.config.NearShare
	}
	have, ok := j.best[t.Incident]
	if order := cmp.Or(class(j.config, &t)-class(j.config, &have), int(t.Share)-int(have.Share), int(have.Hops)-int(t.Hops)); !ok || order > 0 {
		j.best[t.Incident] = t
	}
}

// origin takes what is found of who the use is ascribed to, as far as it was so then:
// money that came later says nothing about a use before.
func (j *judged) origin(s *seen) {
	if s == nil {
		return
	}
	for i := range s.found {
		if f := &s.found[i]; f.from <= j.moment {
			j.add(f.Taint)
		}
	}
}

// beside takes what is found of who paid the origin's gas, or of who gets the proceeds: a
// tainted one makes the use near-tainted, one hop further away. A service's customers
// share it without sharing anything.
func (j *judged) beside(s *seen) {
	if s == nil || s.service {
		return
	}
	for i := range s.found {
		if f := &s.found[i]; f.from <= j.moment && f.Share != unknownShare && class(j.config, &f.Taint) == 2 {
			j.add(breaker.Taint{Incident: f.Incident, Share: j.config.NearShare, Hops: f.Hops + 1})
		}
	}
}

// maxTaint is how many incidents the breaker takes of one use.
const maxTaint = 8

// taint lists the gravest, in order of their names.
func (j *judged) taint() []breaker.Taint {
	if len(j.best) == 0 {
		return nil
	}
	list := slices.Collect(maps.Values(j.best))
	slices.SortFunc(list, func(a, b breaker.Taint) int {
		return cmp.Or(class(j.config, &b)-class(j.config, &a), int(b.Share)-int(a.Share), strings.Compare(a.Incident, b.Incident))
	})
	if len(list) > maxTaint {
		list = list[:maxTaint]
	}
	slices.SortFunc(list, func(a, b breaker.Taint) int { return strings.Compare(a.Incident, b.Incident) })
	return list
}

// maxVerdict is how long a verdict may be with its facts to be kept with a decision.
const maxVerdict = 8 << 10

// print writes a verdict. A long one goes without its facts: its basis says by what they
// can be found again.
func (s *seen) print() json.RawMessage {
	if s.verdict == nil {
		return nil
	}
	text, err := json.Marshal(s.verdict)
	if err == nil && len(text) > maxVerdict {
		short := *s.verdict
		short.Facts = []exposure.Fact{}
		short.Reasons = slices.Clone(short.Reasons[:min(len(short.Reasons), 16)])
		for i := range short.Reasons {
			short.Reasons[i].Fact = -1
		}
		text, err = json.Marshal(&short)
	}
	if err != nil {
		return nil
	}
	return text
}

// content names what knowledge rests on, without its age.
func content(k *screen.Knowledge) string {
	if k == nil {
		return ""
	}
	b := k.Basis()
	var text strings.Builder
	text.WriteString(b.Labels + " " + b.Cases + " " + b.Policy)
	for _, chain := range slices.Sorted(maps.Keys(b.Heads)) {
		head := b.Heads[chain]
		text.WriteString(" " + chain + " " + strconv.FormatUint(head.Height, 10) + " " + head.Hash)
	}
	return text.String()
}

// never is the age of data that there is none of, in seconds.
const never = 1 << 40

// health says how old the data is that a venue's uses are judged by.
func (g *Guard) health(chain ledger.Chain, now int64) breaker.Health {
	h := breaker.Health{Moment: now, Lag: g.behind(chain)}
	k := g.options.Know()
	if k == nil || len(k.Basis().Heads) == 0 {
		h.LabelAge = never
		return h
	}
	for name, head := range k.Basis().Heads {
		if chain == "" || name == string(chain) {
			h.LabelAge = max(h.LabelAge, now-cmp.Or(head.Seen, head.Time))
		}
	}
	if _, ok := k.Basis().Heads[string(chain)]; chain != "" && !ok {
		h.LabelAge = never
	}
	if g.options.LabelAge != nil {
		h.LabelAge = max(h.LabelAge, g.options.LabelAge())
	}
	return h
}
