package trace

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"coldtrail/ledger"
	"coldtrail/store"
	"coldtrail/taint"
)

// dispositions describes every row of a pass, sorted.
func (r *record) dispositions(ctx context.Context, n *names) ([]Disposition, error) {
	if err := r.settleHeld(ctx, n); err != nil {
		return nil, err
	}
	at, err := r.places(ctx, n)
	if err != nil {
		return nil, err
	}
	merged := map[Disposition]*row{}
	for key, row := range r.rows {
		paint := r.plan.palette.Paint(key.class)
		place := at[key.place]
		d := Disposition{
			Colour: paint.Colour, Kind: key.kind.String(), Chain: string(key.place.Chain), Asset: string(key.place.Asset),
			At: place.at, Address: place.address, Entity: key.owner, Certainty: paint.Score, By: paint.By,
		}
		if have := merged[d]; have != nil { // two coinbases with one identifier (BIP-30) are one place in print
			have.add(row)
			continue
		}
		copied := *row
		merged[d] = &copied
	}
	out := make([]Disposition, 0, len(merged))
	for d, row := range merged {
		d.Amount, d.Origin, d.origin = row.amount.Dec(), row.origin.Dec(), row.origin
		d.Hops, d.First, d.Last = row.hops, stamp(row.first), stamp(row.last)
		out = append(out, d)
	}
	slices.SortFunc(out, compareDispositions)
	return out, nil
}

func compareDispositions(a, b Disposition) int {
	return cmp.Or(
		cmp.Compare(a.Colour, b.Colour), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Chain, b.Chain), cmp.Compare(a.Asset, b.Asset),
		cmp.Compare(a.At, b.At), cmp.Compare(a.Certainty, b.Certainty), cmp.Compare(a.By, b.By), cmp.Compare(a.Entity, b.Entity),
	)
}

// settleHeld turns lots in unspent outputs into rows. An output that a later
// duplicate overwrote (BIP-30) is gone: nobody can spend it.
func (r *record) settleHeld(ctx context.Context, n *names) error {
	byChain := map[*chainPlan][]store.OutputNumber{}
	for i := range r.heldAt {
		byChain[r.heldAt[i].chain] = append(byChain[r.heldAt[i].chain], store.OutputNumber(r.heldAt[i].output))
	}
	for _, c := range r.plan.chains {
		outputs, err := n.outputs(ctx, c, byChain[c])
		if err != nil {
			return err
		}
		for i := range r.heldAt {
			h := &r.heldAt[i]
			if h.chain != c {
				continue
			}
			kind := taint.Held
			if outputs[h.output].Unspendable {
				kind = taint.Burned
			}
			place := taint.Place{Chain: c.chain, Asset: c.chain.Native(), Output: h.output}
			for j := range h.lots {
				r.add(rowKey{class: h.lots[j].Class, kind: kind, place: place}, &h.lots[j], 0)
			}
		}
	}
	r.heldAt = nil
	return nil
}

// placeName is a place in print.
type placeName struct{ at, address string }

// places prints every place that rows name.
func (r *record) places(ctx context.Context, n *names) (map[taint.Place]placeName, error) {
	all := make([]taint.Place, 0, len(r.rows))
	for key := range r.rows {
		all = append(all, key.place)
	}
	return n.places(ctx, all)
}

func (n *names) places(ctx context.Context, all []taint.Place) (map[taint.Place]placeName, error) {
	out := map[taint.Place]placeName{}
	outputs := map[ledger.Chain][]store.OutputNumber{}
	fees := map[ledger.Chain][]store.TxNumber{}
	for _, place := range all {
		if place.Chain.Family() == ledger.Account {
			text := n.address(place.Chain, place.Address)
			out[place] = placeName{text, text}
		} else if tx, ok := feeTx(place.Output); ok {
			fees[place.Chain] = append(fees[place.Chain], tx)
		} else {
			outputs[place.Chain] = append(outputs[place.Chain], store.OutputNumber(place.Output))
		}
	}
	for _, c := range n.plan.chains {
		described, err := n.outputs(ctx, c, outputs[c.chain])
		if err != nil {
			return nil, err
		}
		txids, err := n.txids(ctx, c, fees[c.chain])
		if err != nil {
			return nil, err
		}
		for _, place := range all {
			if place.Chain != c.chain || c.chain.Family() == ledger.Account {
				continue
			}
			if tx, ok := feeTx(place.Output); ok {
				out[place] = placeName{at: txids[tx]}
				continue
			}
			o := described[place.Output]
			out[place] = placeName{fmt.Sprintf("%s:%d", c.chain.FormatHash(o.Outpoint.Tx), o.Outpoint.Index), n.address(c.chain, o.Address)}
		}
	}
	return out, nil
}

// anomalyRows describes the anomalies of a pass, in ledger order.
func (r *record) anomalyRows(ctx context.Context, n *names) ([]Anomaly, error) {
	var all []taint.Place
	numbers := map[ledger.Chain][]store.TxNumber{}
	for i := range r.anomalies {
		all = append(all, r.anomalies[i].Place)
		chain := r.anomalies[i].Place.Chain
		numbers[chain] = append(numbers[chain], store.TxNumber(r.anomalies[i].Number))
	}
	at, err := n.places(ctx, all)
	if err != nil {
		return nil, err
	}
	txids := map[ledger.Chain]map[store.TxNumber]string{}
	for _, c := range n.plan.chains {
		if txids[c.chain], err = n.txids(ctx, c, numbers[c.chain]); err != nil {
			return nil, err
		}
	}
	out := make([]Anomaly, len(r.anomalies))
	for i := range r.anomalies {
		a := &r.anomalies[i]
		name := at[a.Place]
		out[i] = Anomaly{
			Kind: string(a.Kind), Chain: string(a.Place.Chain), Height: uint64(a.Height), Tx: txids[a.Place.Chain][store.TxNumber(a.Number)],
			At: name.at, Asset: string(a.Place.Asset), Amount: a.Amount.Dec(), Detail: a.Detail, Address: name.address,
		}
	}
	return out, nil
}
