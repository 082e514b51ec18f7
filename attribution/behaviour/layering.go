package behaviour

import (
	"fmt"
	"maps"
	"slices"

	"coldtrail/ledger"
)

// LayeringPattern is a chain of addresses that each pass on what they got. Layering finds it.
var LayeringPattern = &Pattern{
	Name: "layering", Title: "A chain of addresses that pass money straight on",
	Source: "FATF, Virtual Assets Red Flag Indicators (2020), on layering; the figures are ours",
}

// relay is a hop at which one asset came in once and left once, nearly whole.
type relay struct {
	v       *view
	in, out *flow
}

// Layering finds layering in a path: the subjects of its hops, in order, each with the
// whole record of its time. A hop has exactly one receipt and one sending of the asset,
// to and from its neighbours in the path by the same transactions, and keeps the share
// wanted. Chains lie within the window from first receipt to last sending; those that
// share a hop are one.
func Layering(hops []*Subject, p Parameters) (out []Finding) {
	before := map[ledger.Asset]*relay{}
	runs := map[ledger.Asset][]*relay{}
	for _, hop := range hops {
		relays := relaysOf(hop, &p)
		for _, asset := range slices.Sorted(maps.Keys(runs)) {
			if r := relays[asset]; r == nil || !before[asset].leadsTo(r) {
				out = append(out, layered(runs[asset], &p)...)
				delete(runs, asset)
			}
		}
		for asset, r := range relays {
			runs[asset] = append(runs[asset], r)
		}
		before = relays
	}
	for _, asset := range slices.Sorted(maps.Keys(runs)) {
		out = append(out, layered(runs[asset], &p)...)
	}
	slices.SortStableFunc(out, compareFindings)
	return out
}

func relaysOf(hop *Subject, p *Parameters) map[ledger.Asset]*relay {
	v := newView(hop, p)
	relays := map[ledger.Asset]*relay{}
	moved := v.which(func(f *flow) bool { return f.counts() })
	for _, ids := range group(v, moved, byAsset) {
		if len(ids) == 2 && v.passes(ids[0], ids[1], p.LayeringKept) {
			in := &v.flows[ids[0]]
			relays[in.asset] = &relay{v, in, &v.flows[ids[1]]}
		}
	}
	return relays
}

// leadsTo says that what left one hop is what came to the next.
func (r *relay) leadsTo(next *relay) bool {
	x, y := r.v.steps[r.out.step], next.v.steps[next.in.step]
	return x.Chain == y.Chain && x.Tx == y.Tx && next.v.owns(r.out.party)
}

// layered finds the chains in a run of hops.
func layered(run []*relay, p *Parameters) (out []Finding) {
	var spans []span
	from := 0
	for to := range run {
		for run[to].out.at > run[from].in.at && since(run[from].in.at, run[to].out.at) > p.Layering.Window && from < to {
			from++
		}
		fits := run[to].out.at >= run[from].in.at && since(run[from].in.at, run[to].out.at) <= p.Layering.Window
		if n := to + 1 - from; fits && n >= max(p.Layering.Number, 1) {
			spans = join(spans, span{from, to + 1, n})
		}
	}
	for _, s := range spans {
		out = append(out, layeringFinding(run[s.from:s.to], p))
	}
	return out
}

func layeringFinding(run []*relay, p *Parameters) Finding {
	first, last := run[0].in, run[len(run)-1].out
	f := Finding{Pattern: LayeringPattern.Name, From: first.at, To: last.at, Count: len(run) + 1}
	f.Chains = []ledger.Chain{run[0].v.steps[first.step].Chain}
	f.Txs = []ledger.Hash{run[0].v.steps[first.step].Tx}
	addresses := newNamed()
	for _, r := range run {
		if len(f.Txs) < maxNamed {
			f.Txs = append(f.Txs, r.v.steps[r.out.step].Tx)
		}
		addresses.add(r.in.own)
	}
	f.Addresses = addresses.list
	for _, party := range []*Party{first.party, last.party} {
		if !party.Address.IsZero() {
			f.Parties = append(f.Parties, party.Address)
		}
	}
	f.Amounts = []AssetSum{{Asset: last.asset, Amount: *last.amount}}
	f.Parameters = append(p.Layering.parameters("hops"), share("least share kept at each hop", p.LayeringKept))
	f.Measures = []Parameter{
		number("hops", len(run)), worth("entered", first.asset, first.amount), worth("left", last.asset, last.amount),
		seconds("first receipt to last sending", since(first.at, last.at)),
	}
	entered := AssetSum{Asset: first.asset, Amount: *first.amount}
	f.Text = fmt.Sprintf("%s %s passed through %s, each with one receipt and one sending of the asset; %s left the last.",
		f.when(), entered.text(), plural(len(run), "hop"), f.sums())
	return f
}
