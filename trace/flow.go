package trace

import (
	"context"
	"fmt"
	"slices"

	"coldtrail/ledger"
	"coldtrail/store"
	"coldtrail/taint"
)

// Flow is what one transaction did to tainted lots: from where to where, with
// amounts per colour. A theft has nothing before it.
type Flow struct {
	Chain  string    `json:"chain"`
	Tx     string    `json:"tx"`
	Height uint64    `json:"height"`
	Time   string    `json:"time"`
	From   []FlowEnd `json:"from"`
	To     []FlowEnd `json:"to"`
	// Link names who asserts a flow that no transaction shows.
	Link string `json:"link,omitempty"`
}

// FlowEnd is one side of a flow: a place and what moved of one colour.
type FlowEnd struct {
	At        string `json:"at"`
	Address   string `json:"address"`
	Asset     string `json:"asset"`
	Kind      string `json:"kind"`
	Colour    string `json:"colour"`
	Amount    string `json:"amount"`
	Origin    string `json:"origin"`
	Certainty uint32 `json:"certainty_bp"`
}

// Flows lists what moved, in ledger order, where Options.Flows asked for it.
func (r *Result) Flows() []Flow { return r.flows }

// Path is the shortest chain of flows from a theft of the colour to a place, as
// results print it (`at`), oldest first.
func (r *Result) Path(colour, at string) ([]Flow, error) {
	return findPath(r.flows, colour, at)
}

// describeFlows prints the flows of a pass.
func (r *Result) describeFlows(ctx context.Context, rec *record, n *names) error {
	var all []taint.Place
	numbers := map[ledger.Chain][]store.TxNumber{}
	for i := range rec.flows {
		f := &rec.flows[i]
		numbers[f.Chain] = append(numbers[f.Chain], store.TxNumber(f.Number))
		for _, legs := range [][]taint.Leg{f.From, f.To} {
			for j := range legs {
				legs[j].Place = flowPlace(legs[j].Place, f.Number)
				all = append(all, legs[j].Place)
			}
		}
	}
	at, err := n.places(ctx, all)
	if err != nil {
		return err
	}
	r.flows = make([]Flow, 0, len(rec.flows))
	txids := map[ledger.Chain]map[store.TxNumber]string{}
	for _, c := range n.plan.chains {
		if txids[c.chain], err = n.txids(ctx, c, numbers[c.chain]); err != nil {
			return err
		}
	}
	for i := range rec.flows {
		f := &rec.flows[i]
		r.flows = append(r.flows, Flow{
			Chain: string(f.Chain), Tx: txids[f.Chain][store.TxNumber(f.Number)], Height: uint64(f.Height), Time: stamp(f.Time),
			From: rec.ends(f.From, at), To: rec.ends(f.To, at), Link: f.By,
		})
	}
	return nil
}

// flowPlace leaves what names a place: the address of an output is looked up.
func flowPlace(place taint.Place, tx uint64) taint.Place {
	if place.Chain.Family() == ledger.UTXO {
		place.Address = ledger.Address{}
		if place.Output == noOutput {
			place.Output = noOutput - 1 - tx
		}
	}
	return place
}

// ends merges the tainted lots of legs per place, colour and certainty.
func (r *record) ends(legs []taint.Leg, at map[taint.Place]placeName) []FlowEnd {
	out := []FlowEnd{}
	for i := range legs {
		type sums struct{ amount, origin ledger.Amount }
		merged := map[taint.Class]*sums{}
		for j := range legs[i].Lots {
			lot := &legs[i].Lots[j]
			if !lot.Tainted() {
				continue
			}
			s := merged[lot.Class]
			if s == nil {
				s = &sums{}
				merged[lot.Class] = s
			}
			s.amount.Add(&s.amount, &lot.Amount)
			s.origin.Add(&s.origin, &lot.Origin)
		}
		classes := make([]taint.Class, 0, len(merged))
		for class := range merged {
			classes = append(classes, class)
		}
		slices.SortFunc(classes, r.plan.palette.Compare)
		for _, class := range classes {
			paint, name := r.plan.palette.Paint(class), at[legs[i].Place]
			out = append(out, FlowEnd{
				At: name.at, Address: name.address, Asset: string(legs[i].Place.Asset), Kind: legs[i].Kind.String(), Colour: paint.Colour,
				Amount: merged[class].amount.Dec(), Origin: merged[class].origin.Dec(), Certainty: paint.Score,
			})
		}
	}
	return out
}

// findPath searches back from a place: the flows that reached it, then those that
// reached where they came from, before them, until one that has nothing before it.
func findPath(flows []Flow, colour, at string) ([]Flow, error) {
	type step struct {
		flow int
		next *step
	}
	seen := map[int]bool{}
	brought := flowsTo(flows, colour)
	done := map[[3]string]int{} // before which flow each place was looked for already
	// reaching lists the flows before an index that brought the colour to a place.
	reaching := func(before int, chain, at, asset string, next *step) (steps []*step) {
		list, place := brought[at], [3]string{chain, at, asset}
		first, _ := slices.BinarySearch(list, done[place])
		last, _ := slices.BinarySearch(list, before)
		done[place] = max(done[place], before)
		for k := last - 1; k >= first; k-- {
			i := list[k]
			brings := func(e FlowEnd) bool { return e.At == at && e.Colour == colour && (asset == "" || e.Asset == asset) }
			if !seen[i] && (chain == "" || flows[i].Chain == chain) && slices.ContainsFunc(flows[i].To, brings) {
				seen[i] = true
				steps = append(steps, &step{flow: i, next: next})
			}
		}
		return steps
	}
	for wave := reaching(len(flows), "", at, "", nil); len(wave) > 0; wave = wave[1:] {
		s := wave[0]
		f := &flows[s.flow]
		ends := slices.DeleteFunc(slices.Clone(f.From), func(e FlowEnd) bool { return e.Colour != colour })
		if len(ends) == 0 {
			var path []Flow
			for ; s != nil; s = s.next {
				path = append(path, flows[s.flow])
			}
			return path, nil
		}
		before, chain := s.flow, f.Chain
		if f.Link != "" { // what it stands for may lie later, or on another chain
			before, chain = len(flows), ""
		}
		for _, end := range ends {
			wave = append(wave, reaching(before, chain, end.At, end.Asset, s)...)
		}
	}
	return nil, fmt.Errorf("%w: colour %s at %s", errNoPath, colour, at)
}

// flowsTo lists, for every place, the flows that brought a colour there, in their order.
func flowsTo(flows []Flow, colour string) map[string][]int {
	brought := map[string][]int{}
	for i := range flows {
		for j := range flows[i].To {
			e := &flows[i].To[j]
			if list := brought[e.At]; e.Colour == colour && (len(list) == 0 || list[len(list)-1] != i) {
				brought[e.At] = append(list, i)
			}
		}
	}
	return brought
}
