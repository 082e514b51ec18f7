package evidence

import (
	"cmp"
	"fmt"
	"slices"

	"coldtrail/ledger"
	"coldtrail/store"
	"coldtrail/taint"
	"coldtrail/trace"
)

// stopRow is where a trace stopped because of labels.
type stopRow struct {
	Chain   string `json:"chain"`
	Address string `json:"address"`
	Kind    string `json:"kind"`
	Entity  string `json:"entity"`
	Score   uint32 `json:"score_bp,omitempty"` // of the conclusion, where one was drawn
	By      string `json:"by,omitempty"`       // the rule that drew it
}

// place is an address of a chain.
type place struct {
	chain   ledger.Chain
	address ledger.Address
}

type placeText struct {
	chain   ledger.Chain
	address string
}

// stops is what labels said during a trace.
type stops struct {
	terminals map[place]taint.Terminal
	sources   map[placeText]trace.Source
}

func newStops() *stops {
	return &stops{map[place]taint.Terminal{}, map[placeText]trace.Source{}}
}

// record lets a trace go on asking its labels, and keeps what they say.
func (s *stops) record(o *trace.Options) {
	if terminals := o.Terminals; terminals != nil {
		o.Terminals = func(c ledger.Chain, a ledger.Address, end store.TxNumber) (taint.Terminal, bool) {
			t, ok := terminals(c, a, end)
			if ok {
				s.terminals[place{c, a}] = t
			}
			return t, ok
		}
	}
	if sources := o.Sources; sources != nil {
		o.Sources = func(c ledger.Chain, address string) (trace.Source, bool) {
			source, ok := sources(c, address)
			if ok {
				s.sources[placeText{c, address}] = source
			}
			return source, ok
		}
	}
}

// replay lets a trace stop where it did before.
func (s *stops) replay(o *trace.Options) {
	o.Terminals, o.Sources = nil, nil
	if len(s.terminals) > 0 {
		o.Terminals = func(c ledger.Chain, a ledger.Address, _ store.TxNumber) (taint.Terminal, bool) {
			t, ok := s.terminals[place{c, a}]
			return t, ok
		}
	}
	o.Sources = func(c ledger.Chain, address string) (trace.Source, bool) {
		source, ok := s.sources[placeText{c, address}]
		return source, ok
	}
}

// rows lists what was said, in order.
func (s *stops) rows(notations func(ledger.Chain) (ledger.Notation, error)) (list []stopRow, sources []trace.Source, err error) {
	for at, t := range s.terminals {
		notation, err := notations(at.chain)
		if err != nil {
			return nil, nil, err
		}
		list = append(list, stopRow{string(at.chain), notation.FormatAddress(at.address), t.Kind.String(), t.Entity, t.Score, t.By})
	}
	slices.SortFunc(list, func(a, b stopRow) int {
		return cmp.Or(cmp.Compare(a.Chain, b.Chain), cmp.Compare(a.Address, b.Address))
	})
	for _, source := range s.sources {
		sources = append(sources, source)
	}
	slices.SortFunc(sources, func(a, b trace.Source) int {
		return cmp.Or(cmp.Compare(a.Chain, b.Chain), cmp.Compare(a.Address, b.Address))
	})
	return list, sources, nil
}

// readStops is the inverse of rows.
func readStops(list []stopRow, sources []trace.Source, notations func(ledger.Chain) (ledger.Notation, error)) (*stops, error) {
	s := newStops()
	for i := range list {
		row := &list[i]
		chain, err := ledger.ParseChain(row.Chain)
		if err != nil {
			return nil, err
		}
		notation, err := notations(chain)
		if err != nil {
			return nil, err
		}
		address, err := notation.ParseAddress(row.Address)
		if err != nil {
			return nil, err
		}
		kind, ok := taint.KindNamed(row.Kind)
		if !ok || row.Score > taint.Fact {
			return nil, fmt.Errorf("a trace cannot stop at %.100q as %.20q", row.Address, row.Kind)
		}
		s.terminals[place{chain, address}] = taint.Terminal{Kind: kind, Entity: row.Entity, Score: row.Score, By: row.By}
	}
	for i := range sources {
		s.sources[placeText{ledger.Chain(sources[i].Chain), sources[i].Address}] = sources[i]
	}
	return s, nil
}
