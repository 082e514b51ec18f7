package trace

import (
	"context"
	"slices"
	"time"

	"coldtrail/crossing"
	"coldtrail/crossing/opaque"
	"coldtrail/ledger"
	"coldtrail/taint"
)

// Bridged is everything that went across bridges in a span of time, stolen or not.
type Bridged struct {
	Crossings []Crossing `json:"crossings"`
	// Forged are payouts that name a deposit and do not count, and messages that
	// cannot be what they claim.
	Forged []Anomaly `json:"forged"`

	found []crossing.Crossing
}

// Found are the crossings as they were joined.
func (b *Bridged) Found() []crossing.Crossing { return b.found }

// ListBridged reads every chain of the store from a moment on, to the end or to
// Options.AsOf. Cases may add networks and contracts of bridges; what they call stolen
// is of no account here. Deposits within the last days may still be paid.
func ListBridged(ctx context.Context, s Store, cases []*Case, since time.Time, options Options) (*Bridged, error) {
	p := &plan{store: s, options: options, cases: cases, palette: taint.NewPalette()}
	if err := p.addChains(ctx); err != nil {
		return nil, err
	}
	b, err := p.scanBridges(ctx, since.Unix())
	if err != nil {
		return nil, err
	}
	n := newNames(p)
	out := &Bridged{Crossings: []Crossing{}, Forged: []Anomaly{}, found: b.crossings}
	for i := range b.crossings {
		c := &b.crossings[i]
		row := n.crossing(c, []taint.Lot{taint.CleanLot(c.Amount)})
		row.Evidence, row.In.Tainted = b.evidence(c), ""
		out.Crossings = append(out.Crossings, row)
	}
	for i := range b.forged {
		f := &b.forged[i]
		asset := f.Asset
		if asset == "" {
			asset = f.Place.Chain.Native()
		}
		out.Forged = append(out.Forged, Anomaly{
			Kind: string(taint.Forged), Chain: string(f.Place.Chain), Height: uint64(f.Place.Height), Tx: f.Place.Chain.FormatHash(f.Place.Tx),
			Asset: string(asset), Amount: f.Amount.Dec(), Detail: f.Protocol.Title + ": " + f.Reason + "; it links nothing", Address: n.known(f.Place.Chain, f.To),
		})
	}
	return out, nil
}

// Measure hides what joins the crossings of vaults, scores them by amount, rate and
// time alone, as a swap service's would be, and compares. Half of them, by their keys,
// tell the rates; of the other half it is measured how often the scores were right.
func (b *Bridged) Measure(model opaque.Model) *opaque.Report {
	var deposits, payouts []opaque.Transfer
	var truth []int
	told := []crossing.Crossing{}
	for i := range b.found {
		c := &b.found[i]
		if !c.Via.Vaults || len(c.Payouts) == 0 || c.Status == crossing.GivenBack {
			continue
		}
		answer := -1
		switch {
		case c.Key[0]&1 == 0:
			told = append(told, *c)
		case len(c.Payouts) == 1:
			answer = len(payouts)
		}
		deposits = append(deposits, opaque.Transfer{
			Chain: c.Place.Chain, Asset: c.Asset, Amount: c.Amount, Time: c.Place.Time, Tx: c.Place.Tx, Index: c.Position, Party: c.From,
		})
		truth = append(truth, answer)
		for j := range c.Payouts {
			p := &c.Payouts[j]
			payouts = append(payouts, opaque.Transfer{
				Chain: p.Place.Chain, Asset: p.Asset, Amount: p.Amount, Time: p.Place.Time, Tx: p.Place.Tx, Index: p.Position, Party: p.To,
			})
		}
	}
	return opaque.Measure(model, deposits, payouts, crossing.RatesOf(told).At, truth)
}

// Verdict is what a second opinion says of a link.
type Verdict string

// The verdicts.
const (
	Confirmed    Verdict = "confirmed"    // it names the same payouts
	Incomplete   Verdict = "incomplete"   // it names payouts besides, perhaps on chains that are not held
	Contradicted Verdict = "contradicted" // it does not name a payout that is linked
	Unheard      Verdict = "unheard"      // it does not know the deposit
)

// Opinion is what another source says of one deposit.
type Opinion struct {
	Deposit string   `json:"deposit"`
	Verdict Verdict  `json:"verdict"`
	Linked  []string `json:"linked"` // payouts as they follow from chain data
	Named   []string `json:"named"`  // payouts as the source names them
}

// Ask names the transactions that paid for a deposit; false where it is not known.
type Ask func(ctx context.Context, deposit ledger.Hash) (paid []ledger.Hash, known bool, err error)

// Confirm asks for a second opinion on the newest crossings of vaults, at most so many.
// Nothing of it enters any answer. told is called after each.
func (b *Bridged) Confirm(ctx context.Context, ask Ask, most int, told func(done, total int)) (opinions []Opinion, err error) {
	var list []*crossing.Crossing
	for i := range b.found {
		if c := &b.found[i]; c.Via.Vaults {
			list = append(list, c)
		}
	}
	list = list[max(0, len(list)-most):]
	for i, c := range list {
		paid, known, err := ask(ctx, c.Key)
		if err != nil {
			return opinions, err
		}
		o := compare(c, paid)
		if !known {
			o.Verdict = Unheard
		}
		opinions = append(opinions, o)
		told(i+1, len(list))
	}
	return opinions, nil
}

func compare(c *crossing.Crossing, paid []ledger.Hash) Opinion {
	o := Opinion{Deposit: c.Place.Chain.FormatHash(c.Place.Tx), Verdict: Confirmed, Linked: []string{}, Named: []string{}}
	linked := map[ledger.Hash]bool{}
	for i := range c.Payouts {
		at := &c.Payouts[i].Place
		linked[at.Tx] = true
		o.Linked = append(o.Linked, at.Chain.FormatHash(at.Tx))
		if !slices.Contains(paid, at.Tx) {
			o.Verdict = Contradicted
		}
	}
	for _, id := range paid {
		o.Named = append(o.Named, id.String())
		if !linked[id] && o.Verdict == Confirmed {
			o.Verdict = Incomplete
		}
	}
	return o
}
