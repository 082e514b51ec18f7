package trace

import (
	"cmp"
	"slices"

	"coldtrail/ledger"
	"coldtrail/taint"
)

// Venue is how much tainted value went into one protocol or service, as one asset of one
// chain. It is a volume: what crosses twice counts twice.
type Venue struct {
	Name   string `json:"venue"` // a bridge's protocol, or the entity of a label; empty where nobody names it
	Kind   string `json:"kind"`  // bridge, service, mixer or dark
	Chain  string `json:"chain"`
	Asset  string `json:"asset"`
	Amount string `json:"amount"` // base units
	Times  int    `json:"times"`  // deposits into a bridge, or places where value ended
	// Certainty is the least that any of it rests on, in basis points.
	Certainty uint32 `json:"certainty_bp"`
}

// Venues sums a result up by protocol and service: what its crossings took in, and where its
// dispositions ended at somebody who keeps books. It is sorted by name, kind, chain and
// asset.
func (r *Result) Venues() (list []Venue, err error) {
	type key struct{ name, kind, chain, asset string }
	sums, found := map[key]*ledger.Amount{}, map[key]*Venue{}
	add := func(k key, amount string, certainty uint32) error {
		n, err := ledger.ParseAmount(amount)
		if err != nil || n.IsZero() {
			return err
		}
		if found[k] == nil {
			sums[k], found[k] = &ledger.Amount{}, &Venue{Name: k.name, Kind: k.kind, Chain: k.chain, Asset: k.asset, Certainty: certainty}
		}
		sums[k].Add(sums[k], &n)
		found[k].Times++
		found[k].Certainty = min(found[k].Certainty, certainty)
		return nil
	}
	for i := range r.Crossings {
		c := &r.Crossings[i]
		if err := add(key{c.Protocol, "bridge", c.In.Chain, c.In.Asset}, cmp.Or(c.In.Tainted, "0"), taint.Fact); err != nil {
			return nil, err
		}
	}
	for i := range r.Dispositions {
		d := &r.Dispositions[i]
		switch d.Kind {
		case taint.Service.String(), taint.Mixer.String(), taint.Dark.String():
			if err := add(key{d.Entity, d.Kind, d.Chain, d.Asset}, d.Amount, d.Certainty); err != nil {
				return nil, err
			}
		}
	}
	for k, v := range found {
		v.Amount = sums[k].Dec()
		list = append(list, *v)
	}
	slices.SortFunc(list, func(a, b Venue) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Chain, b.Chain), cmp.Compare(a.Asset, b.Asset))
	})
	return list, nil
}
