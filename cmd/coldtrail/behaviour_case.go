package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"coldtrail/attribution"
	"coldtrail/attribution/behaviour"
	"coldtrail/ledger"
	"coldtrail/store"
	"coldtrail/trace"
)

// tracedCases is what a trace of the cases says.
type tracedCases struct {
	result *trace.Result
	// short says that the trace ends before the block asked for; it is empty otherwise.
	short string
}

// trace traces the cases up to the block asked for; nil without cases.
func (v *behaviourVerb) trace(ctx context.Context, s *session, from store.Store, chain ledger.Chain) (*tracedCases, error) {
	if len(v.Case) == 0 {
		return nil, nil //nolint:nilnil // nothing to trace
	}
	cases, err := readCases(v.Case)
	if err != nil {
		return nil, err
	}
	as := &traceFlags{Method: v.Method, Mode: string(trace.Streaming), Conclude: "deposits", knownFlags: v.knownFlags}
	options, err := as.options(s)
	if err != nil {
		return nil, err
	}
	options.Flows = true
	last := ledger.Height(0)
	if v.AsOf > 0 {
		if options.AsOf, last, err = momentOf(ctx, from, chain, ledger.Height(v.AsOf)); err != nil {
			return nil, err
		}
	}
	result, err := as.over(ctx, s, from, cases, options)
	if err != nil {
		return nil, err
	}
	t := &tracedCases{result: result}
	if head := result.Basis.Heads[string(chain)]; v.AsOf > 0 && head.Height < uint64(last) {
		t.short = fmt.Sprintf("taint after block %d: block times do not tell what came before block %d from what came after", head.Height, last)
	}
	return t, nil
}

// momentOf is the moment by which a trace ends no later than a block, and the last block
// up to there. Block times may repeat or run backwards; the trace may then end earlier,
// so that nothing later counts.
func momentOf(ctx context.Context, from store.Store, chain ledger.Chain, height ledger.Height) (moment time.Time, last ledger.Height, err error) {
	var at int64
	found := false
	for header, err := range from.Headers(ctx, chain, 0) {
		if err != nil {
			return moment, 0, err
		}
		if header.Height > height {
			at = min(at, header.Time-1)
			break
		}
		at, last, found = max(at, header.Time), header.Height, true
	}
	if !found {
		return moment, 0, fmt.Errorf("the store holds nothing of %s up to block %d; --as-of wants a later one", chain.Short(), height)
	}
	return time.Unix(at, 0), last, nil
}

// incidentOf is the case in the name of a colour.
func incidentOf(colour string) string {
	incident, _, _ := strings.Cut(colour, "/")
	return incident
}

// notThere are ends of flows at which no taint arrives in anybody's hands.
var notThere = []string{"burned", "fee", "rounding"}

// arrivals lists where transactions of a chain moved taint, and to which chain those
// cross that were paid out elsewhere. What an analyst's link asserts is in no
// transaction, and not among them.
func (t *tracedCases) arrivals(chain ledger.Chain, n ledger.Notation) (list []attribution.Arrival, toward map[ledger.Hash]ledger.Chain, err error) {
	if t == nil {
		return nil, nil, nil
	}
	flows := t.result.Flows()
	for i := range flows {
		f := &flows[i]
		if ledger.Chain(f.Chain) != chain || f.Link != "" {
			continue
		}
		more, err := arrivalsOf(f, n)
		if err != nil {
			return nil, nil, err
		}
		list = append(list, more...)
	}
	toward = map[ledger.Hash]ledger.Chain{}
	for i := range t.result.Crossings {
		c := &t.result.Crossings[i]
		if len(c.Out) == 0 || ledger.Chain(c.In.Chain) != chain || c.Out[0].Chain == c.In.Chain || c.In.Tx == "" {
			continue
		}
		id, err := ledger.ParseHash(c.In.Tx)
		if err != nil {
			return nil, nil, err
		}
		toward[id] = ledger.Chain(c.Out[0].Chain)
	}
	return list, toward, nil
}

func arrivalsOf(f *trace.Flow, n ledger.Notation) (list []attribution.Arrival, err error) {
	id, err := ledger.ParseHash(f.Tx)
	if err != nil {
		return nil, err
	}
	from := map[string][]ledger.Address{}
	for _, e := range f.From {
		if e.Address == "" {
			continue
		}
		a, err := n.ParseAddress(e.Address)
		if err != nil {
			return nil, err
		}
		from[incidentOf(e.Colour)] = append(from[incidentOf(e.Colour)], a)
	}
	for _, e := range f.To {
		if e.Address == "" || slices.Contains(notThere, e.Kind) {
			continue
		}
		a, err := n.ParseAddress(e.Address)
		if err != nil {
			return nil, err
		}
		incident := incidentOf(e.Colour)
		list = append(list, attribution.Arrival{Tx: id, To: a, From: from[incident], Incident: incident})
	}
	return list, nil
}

// place is one holding: an output, or an asset of an account.
type place struct{ chain, at, asset string }

// add puts into an answer what the trace says of these addresses, or of all.
// Only is the pattern asked for, where it is one.
func (t *tracedCases) add(x *shownBehaviour, of []string, only *behaviour.Pattern) error {
	x.Trace = t.result.Digest
	if t.short != "" {
		x.LeftOut = append(x.LeftOut, t.short)
	}
	if only != nil && only != behaviour.Commingling {
		return nil
	}
	return t.meetings(x, of)
}

// meetings adds a finding for every holding in which taint of several cases lies at the
// end, of these addresses, or of all where none is given.
func (t *tracedCases) meetings(x *shownBehaviour, of []string) error {
	held := map[place][]trace.Disposition{}
	for i := range t.result.Dispositions {
		d := &t.result.Dispositions[i]
		if (d.Kind == "held" || d.Kind == "frozen") && (of == nil || slices.Contains(of, d.Address) && d.Chain == x.Chain) {
			at := place{d.Chain, d.At, d.Asset}
			held[at] = append(held[at], *d)
		}
	}
	var found []shownFinding
	for at, rows := range held {
		incidents := map[string]ledger.Amount{}
		for i := range rows {
			amount, err := ledger.ParseAmount(rows[i].Amount)
			if err != nil {
				return err
			}
			sum := incidents[incidentOf(rows[i].Colour)]
			if _, overflow := sum.AddOverflow(&sum, &amount); overflow {
				sum.SetAllOne()
			}
			incidents[incidentOf(rows[i].Colour)] = sum
		}
		if len(incidents) > 1 {
			found = append(found, t.meeting(at, rows[0].Address, incidents))
		}
	}
	slices.SortFunc(found, func(a, b shownFinding) int {
		return cmp.Or(strings.Compare(a.From, b.From), strings.Compare(a.Text, b.Text))
	})
	x.Findings = append(x.Findings, found...)
	return nil
}

// meeting says that cases meet in a holding, and by which transactions.
func (t *tracedCases) meeting(at place, address string, incidents map[string]ledger.Amount) shownFinding {
	f := shownFinding{
		Pattern: behaviour.Commingling.Name, Title: "Taint of several incidents in one holding", Chains: []string{at.chain}, Txs: []string{},
		Parties: []string{}, Addresses: []string{address}, Resembles: []string{},
		Parameters: []shownParameter{{Name: "least incidents", Value: "2"}}, Measures: []shownParameter{{Name: "holding", Value: at.at}},
	}
	first := t.brought(at, &f)
	var total ledger.Amount
	var parts []string
	for _, incident := range sortedKeys(incidents) {
		amount := incidents[incident]
		if _, overflow := total.AddOverflow(&total, &amount); overflow {
			total.SetAllOne()
		}
		parts = append(parts, fmt.Sprintf("%s of %s", decimals(amount.Dec(), at.asset), incident))
		f.Measures = append(f.Measures, shownParameter{Name: "held of " + incident, Value: amount.Dec(), Unit: "base units of " + at.asset})
		if first[incident] != "" {
			f.Measures = append(f.Measures, shownParameter{Name: "first of " + incident, Value: first[incident]})
		}
	}
	f.Amounts = []shownAmount{{Asset: at.asset, Amount: total.Dec()}}
	f.Text = fmt.Sprintf("At the end %s lie together at %s.", strings.Join(parts, " and "), at.at)
	return f
}

// brought puts into a finding the transactions that brought taint to a place, and gives
// the first of each incident.
func (t *tracedCases) brought(at place, f *shownFinding) map[string]string {
	first := map[string]string{}
	flows := t.result.Flows()
	for i := range flows {
		flow := &flows[i]
		if flow.Chain != at.chain || flow.Link != "" {
			continue
		}
		brings := false
		for _, e := range flow.To {
			if e.At != at.at || e.Asset != at.asset {
				continue
			}
			brings = true
			if incident := incidentOf(e.Colour); first[incident] == "" {
				first[incident] = flow.Tx
			}
		}
		if brings {
			f.Count, f.To = f.Count+1, flow.Time
			f.From = cmp.Or(f.From, flow.Time)
			f.Txs = append(f.Txs, flow.Tx)
		}
	}
	f.Txs = f.Txs[:min(len(f.Txs), mostTxs)]
	return first
}

// mostTxs is how many transactions a finding names, as in package behaviour.
const mostTxs = 1000
