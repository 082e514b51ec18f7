package report

import (
	"cmp"
	"slices"
	"strings"

	"coldtrail/ledger"
	"coldtrail/trace"
)

// Ask is what a service is asked.
type Ask string

// What services are asked.
const (
	// Freeze: value of the case reached addresses whose books the service keeps.
	Freeze Ask = "freeze"
	// Inform: value reached a service that cannot be followed through: it alone knows what
	// it paid for it.
	Inform Ask = "information"
)

// Request is what one service is asked, with the places that it is about.
type Request struct {
	Service       string
	Jurisdictions string
	Ask           Ask
	Lines         []Line
	Sums          []Sum
	Claims        []trace.Source // what says that the addresses are the service's
}

// Line is a place of a request. Arrivals are the transactions that brought the value
// there; Listed is what of its origin they account for.
type Line struct {
	trace.Disposition

	Arrivals []Arrival
	Listed   ledger.Amount
}

// Arrival is a transaction that brought value of the case to a place.
type Arrival struct {
	Chain, Tx, Time, Amount string
}

// Sum is what a request comes to in one asset.
type Sum struct {
	Chain, Asset string
	Amount       ledger.Amount
}

// asks says what is asked where value ended so, or nothing.
func asks(d *trace.Disposition) (Ask, bool) {
	switch {
	case d.Kind == "service":
		return Freeze, true
	case d.Kind == "dark" && d.Entity != "":
		return Inform, true
	}
	return "", false
}

// requests collects what each service is asked: who is asked to freeze first, by name.
func (r *Report) requests() ([]Request, error) {
	type key struct {
		service string
		ask     Ask
	}
	arrivals := r.arrivals()
	byKey := map[key]*Request{}
	for i := range r.Result.Dispositions {
		d := &r.Result.Dispositions[i]
		ask, ok := asks(d)
		if !ok {
			continue
		}
		k := key{d.Entity, ask}
		if byKey[k] == nil {
			byKey[k] = &Request{Service: d.Entity, Ask: ask}
		}
		line := Line{Disposition: *d}
		for _, a := range arrivals[placeOf(d)] {
			origin, err := parse(a.origin)
			if err != nil {
				return nil, err
			}
			line.Listed.Add(&line.Listed, &origin)
			line.Arrivals = append(line.Arrivals, a.Arrival)
		}
		byKey[k].Lines = append(byKey[k].Lines, line)
	}
	out := make([]Request, 0, len(byKey))
	for _, q := range byKey {
		if err := r.finish(q); err != nil {
			return nil, err
		}
		out = append(out, *q)
	}
	slices.SortFunc(out, func(a, b Request) int { return cmp.Or(cmp.Compare(a.Ask, b.Ask), cmp.Compare(a.Service, b.Service)) })
	return out, nil
}

// place is where of which colour and certainty.
type place struct {
	colour, chain, asset, at string
	certainty                uint32
}

func placeOf(d *trace.Disposition) place {
	return place{d.Colour, d.Chain, d.Asset, d.At, d.Certainty}
}

// arrived is an arrival with its origin.
type arrived struct {
	Arrival

	origin string
}

// arrivals lists what reached each place, oldest first.
func (r *Report) arrivals() map[place][]arrived {
	out := map[place][]arrived{}
	for i := range r.Flows {
		f := &r.Flows[i]
		for j := range f.To {
			e := &f.To[j]
			p := place{e.Colour, chainOf(e.Asset), e.Asset, e.At, e.Certainty}
			out[p] = append(out[p], arrived{Arrival{f.Chain, f.Tx, f.Time, e.Amount}, e.Origin})
		}
	}
	for _, list := range out {
		slices.SortStableFunc(list, func(a, b arrived) int { return cmp.Compare(a.Time, b.Time) })
	}
	return out
}

// finish sorts the lines of a request, adds them up by asset, and finds the claims.
func (r *Report) finish(q *Request) error {
	slices.SortFunc(q.Lines, func(a, b Line) int {
		return cmp.Or(
			cmp.Compare(a.Chain, b.Chain), cmp.Compare(a.Asset, b.Asset), b.Compare(&a.Disposition), cmp.Compare(a.At, b.At),
			cmp.Compare(a.Colour, b.Colour), cmp.Compare(a.Certainty, b.Certainty), cmp.Compare(a.By, b.By))
	})
	addresses := map[string]bool{}
	for i := range q.Lines {
		l := &q.Lines[i]
		addresses[l.Chain+" "+l.Address] = true
		amount, err := parse(l.Amount)
		if err != nil {
			return err
		}
		if n := len(q.Sums); n == 0 || q.Sums[n-1].Asset != l.Asset {
			q.Sums = append(q.Sums, Sum{Chain: l.Chain, Asset: l.Asset})
		}
		sum := &q.Sums[len(q.Sums)-1]
		sum.Amount.Add(&sum.Amount, &amount)
	}
	for _, s := range r.Result.Labels {
		if addresses[s.Chain+" "+s.Address] {
			q.Claims = append(q.Claims, s)
			if q.Jurisdictions == "" {
				q.Jurisdictions = s.Jurisdictions
			}
		}
	}
	return nil
}

// chainOf is the chain of an asset (CAIP-19).
func chainOf(asset string) string {
	chain, _, _ := strings.Cut(asset, "/")
	return chain
}
