package policy

import (
	"math"

	"coldtrail/screen/exposure"
)

// kinds of facts, by number.
const (
	labelKind = iota
	clusterKind
	taintKind
	counterpartyKind
	kindCount
	allKinds = 1<<kindCount - 1
)

var kindNames = []exposure.Kind{exposure.Labelled, exposure.Owned, exposure.Tainted, exposure.Dealt}

// state is where a fact stands against the moment asked for.
type state uint8

const (
	inForce state = iota
	later         // begins after the moment
	ended         // had ended by the moment
)

// aside is why a fact is shown but not judged.
type aside uint8

const (
	judged aside = iota
	dust
	poisoning
	after   // value that moved after the moment asked for
	foreign // a kind or a concept that nobody defined
)

// view is a fact as rules see it: with its worth, severity and weight.
type view struct {
	fact   *exposure.Fact
	record record

	kind   uint8
	state  state
	aside  aside
	valued bool // the policy has a price for its asset
	direct bool // no one in between

	graded      graded
	confidence  uint32 // 0 to 100; 100 where not stated
	certainty   uint32 // basis points; 10000 where not stated
	share       uint32 // basis points
	shareKnown  bool
	cents, held int64
	material    bool // direct exposure that counts in full
	trifling    bool // below the floor
	weight      uint64
	score       uint32
}

// look works out what a fact is worth at a moment.
func (p *Policy) look(v *view, f *exposure.Fact, at int64) {
	*v = view{fact: f, record: v.record}
	v.kind = kindCount
	for i, k := range kindNames {
		if f.Kind == k {
			v.kind = uint8(i)
		}
	}
	category := f.Category
	if category == "" && v.kind == taintKind {
		category = p.taint
	}
	known := category == ""
	if !known {
		v.graded, known = p.severities.of[category]
	}
	if s := p.severities.of["sanction"]; f.Sanction && (!known || s.severity >= v.graded.severity) {
		v.graded, known = s, true // what an authority lists needs no category
	}
	if v.kind == kindCount || !known {
		v.aside = foreign
		return
	}
	v.confidence = min(uint32(f.Confidence), 100)
	if v.confidence == 0 {
		v.confidence = 100
	}
	v.certainty = min(f.Certainty, 10000)
	if v.certainty == 0 {
		v.certainty = 10000
	}
	switch {
	case f.From > at:
		v.state = later
	case f.To != 0 && f.To <= at && v.kind < taintKind:
		v.state = ended
	}
	v.direct = f.Hops <= 1
	if v.kind >= taintKind {
		p.value(v)
	}
}

// value works out what value that moved is worth.
func (p *Policy) value(v *view) {
	f := v.fact
	if v.state == later {
		v.aside = after
		return
	}
	v.share, v.shareKnown = shareOf(f)
	if a, ok := p.assets[string(f.Asset)]; ok && a.Price != unpriced {
		v.valued, v.cents = true, a.cents(&f.Amount)
		v.held = a.cents(&f.Held)
	}
	if f.Amount.IsZero() && f.Held.IsZero() && f.Origin.IsZero() && f.Share == 0 {
		v.aside = poisoning
		return
	}
	if f.Direction != exposure.Sent && !f.Amount.IsZero() && p.isDust(v) {
		v.aside = dust
		return
	}
	e := &p.numbers.engine
	v.material = v.direct && (v.valued && v.cents >= e.directMin || v.shareKnown && int64(v.share) >= e.directMinShare || !v.valued && !v.shareKnown)
	v.trifling = v.valued && v.cents < e.floor && v.shareKnown && int64(v.share) <= e.floorShare
}

// isDust says whether so little came that its receiver need not have wanted it. What has
// neither a limit nor a price is never dust.
func (p *Policy) isDust(v *view) bool {
	if a, ok := p.assets[string(v.fact.Asset)]; ok && !a.Dust.IsZero() {
		return v.fact.Amount.Lt(&a.Dust.Amount)
	}
	return v.valued && v.cents < p.numbers.engine.dust
}

// shareOf is the part of the total that the amount is, in basis points, as stated or, if
// not, worked out and rounded down.
func shareOf(f *exposure.Fact) (share uint32, known bool) {
	if f.Share != 0 {
		return min(f.Share, 10000), true
	}
	if f.Total.IsZero() {
		return 0, false
	}
	if !f.Amount.Lt(&f.Total.Amount) {
		return 10000, true
	}
	if f.Total.IsUint64() && f.Total.Uint64() <= math.MaxUint64/10000 {
		return uint32(f.Amount.Uint64() * 10000 / f.Total.Uint64()), true
	}
	var result exposure.Decimal
	result.MulDivOverflow(&f.Amount.Amount, &tenThousand, &f.Total.Amount) // below 10000, as amount < total
	return uint32(result.Uint64()), true
}
