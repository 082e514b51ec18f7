package behaviour

import (
	"fmt"

	"coldtrail/ledger"
)

// RoundTripPattern is money that comes back to where it left, in another guise on the
// way. RoundTrip finds it.
var RoundTripPattern = &Pattern{
	Name: "round-trip", Title: "Money that returns after changes of asset",
	Source: "FATF, Virtual Assets Red Flag Indicators (2020), on conversions without reason; the figures are ours",
}

// Leg is one movement of a path.
type Leg struct {
	Chain    ledger.Chain
	Tx       ledger.Hash
	Time     int64 // Unix seconds
	From, To ledger.Address
	Asset    ledger.Asset
	Amount   ledger.Amount // base units of Asset
	// Joined says that a crossing or a swap joins the leg to the one before, so that it
	// need not begin where that one ended.
	Joined bool
}

// RoundTrip says whether a path that a caller followed is a round trip: it leaves the
// subject by its first leg, comes back by its last and touches it nowhere between, each
// leg begins where the one before ended, never earlier, the asset changes often enough,
// and all lies within the window. That the legs carry the same money is what the caller
// says; the finding does not.
func RoundTrip(own map[ledger.Address]bool, path []Leg, p Parameters) (Finding, bool) {
	last := len(path) - 1
	if last < 1 || !own[path[0].From] || !own[path[last].To] || path[0].From.IsZero() || path[last].To.IsZero() {
		return Finding{}, false
	}
	changes := 0
	for i := 1; i <= last; i++ {
		before, leg := &path[i-1], &path[i]
		if own[before.To] || own[leg.From] || leg.Time < before.Time || leg.From != before.To && !leg.Joined {
			return Finding{}, false
		}
		if leg.Asset != before.Asset {
			changes++
		}
	}
	if changes < max(p.RoundTrip.Number, 1) || since(path[0].Time, path[last].Time) > p.RoundTrip.Window {
		return Finding{}, false
	}
	return roundTripFinding(path, changes, &p), true
}

func roundTripFinding(path []Leg, changes int, p *Parameters) Finding {
	left, back := &path[0], &path[len(path)-1]
	f := Finding{Pattern: RoundTripPattern.Name, From: left.Time, To: back.Time}
	chains := map[ledger.Chain]bool{}
	parties, addresses := newNamed(), newNamed()
	addresses.add(left.From)
	addresses.add(back.To)
	for i := range path {
		leg := &path[i]
		if i == 0 || leg.Tx != path[i-1].Tx || leg.Chain != path[i-1].Chain {
			f.Count++
			if len(f.Txs) < maxNamed {
				f.Txs = append(f.Txs, leg.Tx)
			}
		}
		chains[leg.Chain] = true
		if i > 0 {
			parties.add(leg.From)
		}
		if i < len(path)-1 {
			parties.add(leg.To)
		}
	}
	f.Chains, f.Parties, f.Addresses = sortedKeys(chains), parties.list, addresses.list
	f.Amounts = []AssetSum{{Asset: back.Asset, Amount: back.Amount}}
	f.Parameters = p.RoundTrip.parameters("changes of asset")
	f.Measures = []Parameter{
		number("changes of asset", changes), number("legs", len(path)),
		worth("left", left.Asset, &left.Amount), worth("returned", back.Asset, &back.Amount),
	}
	gone := AssetSum{Asset: left.Asset, Amount: left.Amount}
	f.Text = fmt.Sprintf("%s %s left the subject and, by a path of %s with %s of asset, %s came back to it.",
		f.when(), gone.text(), plural(len(path), "leg"), plural(changes, "change"), f.sums())
	return f
}
