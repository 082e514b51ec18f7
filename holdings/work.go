package holdings

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"coldtrail/ledger"
	"coldtrail/price"
	"coldtrail/register"
	"coldtrail/store"
)

// work is a report while it is made.
type work struct {
	store                  Store
	o                      *Options
	day                    string
	balanceTime, priceTime int64
	ends                   []End
	sources                []register.Source
	numbers                map[string]int
}

// AsOf reports on a day.
func AsOf(ctx context.Context, s Store, day string, o *Options) (*Report, error) {
	chains, err := held(ctx, s)
	if err != nil {
		return nil, err
	}
	begin, err := register.Day(day)
	if err != nil {
		return nil, err
	}
	var ends []End
	for _, chain := range chains {
		of, err := Ends(ctx, s, chain, []int64{begin})
		if err != nil {
			return nil, err
		}
		ends = append(ends, of...)
	}
	return report(ctx, s, day, ends, o)
}

func held(ctx context.Context, s store.Reader) (chains []ledger.Chain, err error) {
	statuses, err := s.Status(ctx)
	for i := range statuses {
		chains = append(chains, statuses[i].Chain)
	}
	return chains, err
}

func report(ctx context.Context, s Store, day string, ends []End, o *Options) (*Report, error) {
	begin, err := register.Day(day)
	if err != nil {
		return nil, err
	}
	w := &work{store: s, o: o, day: day, balanceTime: begin, priceTime: begin + price.Day, ends: ends, numbers: map[string]int{}}
	r := &Report{AsOf: day, BalanceTime: w.balanceTime, PriceTime: w.priceTime}
	if r.Stated, err = w.stated(); err != nil {
		return nil, err
	}
	if r.Derived, err = w.holdingsOf(ctx); err != nil {
		return nil, err
	}
	revision, err := s.LabelRevision(ctx)
	if err != nil {
		return nil, err
	}
	r.Basis = Basis{Prices: o.Book.Digest(), Register: o.Register.Digest(), Labels: revision.String(), Heads: slices.Concat([]End{}, ends), Clusters: len(o.Clusters) > 0}
	if r.Stated.Price != nil {
		r.Stated.PriceNumber = w.number(r.Stated.Price.Source)
	}
	if r.Stated.Supply != nil && r.Stated.Supply.Source != "" {
		w.number(r.Stated.Supply.Source)
	}
	r.Sources = slices.Concat([]register.Source{}, w.sources)
	return r, r.seal()
}

// number gives a source its place in the report, from 1. A source of prices that is no
// publication of the register is listed by its name.
func (w *work) number(id string) int {
	if n := w.numbers[id]; n > 0 {
		return n
	}
	of, ok := w.o.Register.Source(id)
	if !ok {
		of = &register.Source{ID: id, By: id, Title: "prices"}
	}
	w.sources = append(w.sources, *of)
	w.numbers[id] = len(w.sources)
	return len(w.sources)
}

// top is whom an actor belongs to in the end: a state, where it is known.
func (w *work) top(actor string) string {
	line := w.o.Actors.Line(actor)
	if len(line) == 0 {
		return actor
	}
	return line[len(line)-1]
}

// name is what tables call an actor.
func (w *work) name(actor string) string {
	for _, x := range w.o.Actors.Find(actor) {
		if x.ID == actor {
			return x.Label
		}
	}
	return actor
}

// asked says whether the report is about an actor.
func (w *work) asked(actor string) bool { return w.o.Actor == "" || w.o.Actors.Is(actor, w.o.Actor) }

// value is an amount in cents by the price of the day; nil where there is none.
func (w *work) value(asset ledger.Asset, decimals uint8, amount *ledger.Amount) (*ledger.Amount, *price.Found, error) {
	found, err := w.o.Book.At(asset, w.priceTime)
	var missing *price.MissingError
	if errors.As(err, &missing) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	cents, err := price.Cents(amount, decimals, found.Value)
	if err != nil {
		return nil, nil, fmt.Errorf("value of %s of %s: %w", amount.Dec(), asset, err)
	}
	return &cents, found, nil
}

// written writes cents for machines and for people.
func written(cents *ledger.Amount) (*string, string) {
	if cents == nil {
		return nil, ""
	}
	text := cents.Dec()
	return &text, Dollars(text)
}

// Dollars writes cents as dollars: "114023450828" is "1140234508.28".
func Dollars(cents string) string {
	for len(cents) < 3 {
		cents = "0" + cents
	}
	return cents[:len(cents)-2] + "." + cents[len(cents)-2:]
}

func chainOf(asset ledger.Asset) ledger.Chain {
	chain, _, _ := strings.Cut(string(asset), "/")
	return ledger.Chain(chain)
}
