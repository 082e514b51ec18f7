package desk

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"

	"coldtrail/desk/job"
	"coldtrail/ledger"
	"coldtrail/taint"
)

// allMethods stands for all methods in a key.
const allMethods = "*"

// compared is where the methods differ. It never changes.
type compared struct {
	digest  string // of the digests of the traces
	state   state
	methods []MethodSummary
	items   []Difference
}

// Compared says where the methods differ, the most first. It takes a trace by each, all
// over one state of the store.
func (d *Desk) Compared(ctx context.Context, s Selector, after string, limit int) (*Comparison, *job.Job, error) {
	x, err := d.subject(ctx, &s, allMethods)
	if err != nil {
		return nil, nil, err
	}
	found, current, err := d.comparison(ctx, x.key, s.accepts())
	if err == nil && found == nil {
		var pending *job.Job
		if pending, err = d.await(ctx, d.comparing(x), s.Wait); pending != nil || err != nil {
			return nil, pending, err
		}
		if found, current, err = d.comparison(ctx, x.key, anyAge); found == nil && err == nil {
			err = ErrUnsteady
		}
	}
	if err != nil {
		return nil, nil, err
	}
	offset, err := from(found.digest, after)
	if err != nil {
		return nil, nil, err
	}
	begin, end, more := part(len(found.items), offset, limit)
	page := &Comparison{
		Case: x.id, Revision: x.revision, AsOf: x.asOf, Current: current, Methods: found.methods, Items: append([]Difference{}, found.items[begin:end]...), Total: len(found.items),
	}
	if more {
		page.Next = fmt.Sprintf("%s:%d", found.digest, end)
	}
	return page, nil, nil
}

// comparison gives one that is kept, and nothing where it is not, or has to be current and
// is not.
func (d *Desk) comparison(ctx context.Context, k key, accept age) (*compared, bool, error) {
	found := d.use(k)
	if found == nil || found.compared == nil {
		return nil, false, nil
	}
	is, err := d.isCurrent(ctx, &found.compared.state, k.asOf)
	if err != nil || accept == currentOnly && !is {
		return nil, false, err
	}
	return found.compared, is, nil
}

// comparing is the work: a trace by each method. They are kept as others are.
func (d *Desk) comparing(x *subject) job.Work {
	return job.Work{
		Kind: "trace", Title: "Trace " + x.id + " by all methods", Case: x.id, AsOf: x.asOf, By: x.by, Unit: "blocks",
		Key: fmt.Sprintf("compare %q %d %d", x.id, x.revision, x.asOf),
		Do: func(ctx context.Context, progress job.Progress) (*job.File, error) {
			if found, _, err := d.comparison(ctx, x.key, currentOnly); found != nil || err != nil {
				return nil, err
			}
			var names []string
			for _, method := range taint.Methods {
				names = append(names, method.Name)
			}
			traces, err := d.traced(ctx, x, names, progress)
			if err != nil {
				return nil, err
			}
			for i, m := range traces {
				m.about.Method = names[i]
				k := x.key
				k.method = names[i]
				d.keep(k, &item{made: m, rows: m.rows()})
			}
			c := compare(traces)
			d.keep(x.key, &item{compared: c, rows: len(c.items) * len(names)})
			return nil, nil //nolint:nilnil // it is kept, and no file
		},
	}
}

// spot is a place of a colour.
type spot struct{ colour, chain, asset, at string }

// tally is what the methods say of a spot.
type tally struct {
	address, entity string
	origins         []ledger.Amount // by method
	poison          ledger.Amount
}

// compare adds up what each method says of each place.
func compare(traces []*made) *compared {
	c := &compared{state: traces[0].state}
	spots, sum := map[spot]*tally{}, sha256.New()
	for n, m := range traces {
		sum.Write([]byte(m.about.Digest))
		c.methods = append(c.methods, summaryOf(m))
		origins := m.origins()
		for i := range m.result.Dispositions {
			d := &m.result.Dispositions[i]
			at := spot{d.Colour, d.Chain, d.Asset, d.At}
			t := spots[at]
			if t == nil {
				t = &tally{address: d.Address, origins: make([]ledger.Amount, len(traces))}
				spots[at] = t
			}
			t.entity = cmp.Or(t.entity, d.Entity)
			if conserves(m.about.Method) {
				t.origins[n].Add(&t.origins[n], &origins[i])
				continue
			}
			amount := amountOf(d.Amount)
			t.poison.Add(&t.poison, &amount)
		}
	}
	c.digest = hex.EncodeToString(sum.Sum(nil))
	c.rank(spots, traces)
	return c
}

func summaryOf(m *made) MethodSummary {
	s := MethodSummary{Method: m.about.Method, Note: m.result.Note, Digest: m.about.Digest, Colours: []MethodColour{}}
	for i := range m.result.Colours {
		x := MethodColour{Colour: m.result.Colours[i].Colour}
		x.Traceable, x.Dark, x.Frozen = headline(m.result, x.Colour)
		s.Colours = append(s.Colours, x)
	}
	return s
}

func conserves(method string) bool {
	m, err := taint.MethodNamed(method)
	return err == nil && m.Conserves
}

// rank puts the places in order: by the part of what was stolen that the methods disagree
// about, the largest first.
func (c *compared) rank(spots map[spot]*tally, traces []*made) {
	type ranked struct {
		Difference

		share ledger.Amount // of what was stolen, in 10^18ths
	}
	stolen := map[string]ledger.Amount{}
	for i := range traces[0].result.Colours {
		stolen[traces[0].result.Colours[i].Colour] = amountOf(traces[0].result.Colours[i].Stolen)
	}
	list := make([]ranked, 0, len(spots))
	for at, t := range spots {
		x := ranked{Difference: Difference{Colour: at.colour, Chain: at.chain, Asset: at.asset, At: at.at, Address: t.address, Entity: t.entity, Origins: map[string]string{}, Poison: t.poison.Dec()}}
		spread := t.spread(traces, x.Origins)
		x.Spread = spread.Dec()
		if all := stolen[at.colour]; !all.IsZero() {
			whole, points := ledger.NewAmount(1_000_000_000_000_000_000), ledger.NewAmount(taint.Fact)
			var share ledger.Amount
			x.share.MulDivOverflow(&spread, &whole, &all)
			share.MulDivOverflow(&spread, &points, &all)
			x.ShareBP = share.Uint64()
		}
		list = append(list, x)
	}
	slices.SortFunc(list, func(a, b ranked) int {
		return cmp.Or(b.share.Cmp(&a.share), compareDigits(b.Spread, a.Spread), compareDigits(b.Poison, a.Poison), cmp.Compare(a.Colour, b.Colour), cmp.Compare(a.Chain, b.Chain), cmp.Compare(a.Asset, b.Asset), cmp.Compare(a.At, b.At))
	})
	for i := range list {
		c.items = append(c.items, list[i].Difference)
	}
}

// spread is the largest less the smallest origin of the methods that conserve; it writes
// down what each says.
func (t *tally) spread(traces []*made, into map[string]string) ledger.Amount {
	var least, most ledger.Amount
	first := true
	for n, m := range traces {
		if !conserves(m.about.Method) {
			continue
		}
		origin := t.origins[n]
		into[m.about.Method] = origin.Dec()
		if first || origin.Lt(&least) {
			least = origin
		}
		if first || most.Lt(&origin) {
			most = origin
		}
		first = false
	}
	most.Sub(&most, &least)
	return most
}
