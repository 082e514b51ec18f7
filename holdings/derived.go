package holdings

import (
	"cmp"
	"context"
	"slices"

	"coldtrail/ledger"
	"coldtrail/price"
	"coldtrail/register"
)

// Derived is what the addresses of labels and clusters held.
type Derived struct {
	Entities []Entity `json:"entities"`
	// LeftOut says in sentences what was not read; nothing else was left out.
	LeftOut []string `json:"left_out"`
	Changes []Change `json:"changes,omitempty"`
	History []Point  `json:"history,omitempty"`
}

// Entity is somebody with everybody under him.
type Entity struct {
	Actor string `json:"actor"`
	Name  string `json:"name"`
	// Rank is by the value of what is verified and attributed; 0 where that is not known, or
	// where only somebody was asked for.
	Rank int `json:"rank,omitempty"`
	// Strict, Probable and Possible are sums of rounded rows, each within the next: verified;
	// with what sure labels attribute; with the rest. A null means that a row of it has no price.
	Strict   Range `json:"strict"`
	Probable Range `json:"probable"`
	Possible Range `json:"possible"`
	// Kinds is the value of each kind by itself.
	Kinds map[register.Kind]Range `json:"by_kind"`
	Rows  []Row                   `json:"rows"`

	assets []ledger.Asset
	amount ledger.Amount
}

// Range is a sum of values. Unvalued counts the rows that have none.
type Range struct {
	Cents    *string `json:"value_cents"`
	USD      string  `json:"value_usd,omitempty"`
	Rows     int     `json:"rows"`
	Unvalued int     `json:"unvalued"`

	units ledger.Amount
}

// Row is what one address held of one asset.
type Row struct {
	Actor    string        `json:"actor"`
	Kind     register.Kind `json:"kind"`
	Chain    ledger.Chain  `json:"chain"`
	Asset    ledger.Asset  `json:"asset"`
	Symbol   string        `json:"symbol,omitempty"`
	Decimals *uint8        `json:"decimals"` // null where the register does not know the asset
	Address  string        `json:"address"`
	Amount   string        `json:"amount"` // base units
	// AtLeast says that the store begins after the address may have received something.
	AtLeast bool `json:"at_least,omitempty"`
	Shares  bool `json:"shares,omitempty"` // the amount counts shares, not units
	// The block at which it was read.
	Height ledger.Height `json:"height"`
	Hash   string        `json:"hash"`
	Time   int64         `json:"time"`

	Confidence uint8  `json:"confidence"`
	By         string `json:"by"`               // whose label
	Source     string `json:"source,omitempty"` // of the label
	Claim      string `json:"claim"`            // its identifier among the labels
	Beside     string `json:"beside,omitempty"` // the labelled address of the same cluster

	Price   *price.Found `json:"price"`
	Cents   *string      `json:"value_cents"`
	USD     string       `json:"value_usd,omitempty"`
	Missing string       `json:"price_missing,omitempty"`
	Fresh   int64        `json:"fresh_until"`
	Stale   bool         `json:"stale"`

	units ledger.Amount
	cents *ledger.Amount
}

// holdingsOf reads every chain of the store.
func (w *work) holdingsOf(ctx context.Context) (out Derived, err error) {
	out = Derived{Entities: []Entity{}, LeftOut: []string{}}
	var rows []Row
	for i := range w.ends {
		end := &w.ends[i]
		list, left, err := owners(ctx, w.store, end.Chain, w.o)
		if err != nil {
			return out, err
		}
		out.LeftOut = append(out.LeftOut, left...)
		byAddress := make(map[ledger.Address]*owner, len(list))
		addresses := make([]ledger.Address, len(list))
		for j := range list {
			addresses[j], byAddress[list[j].address] = list[j].address, &list[j]
		}
		balances, err := Balances(ctx, w.store, Question{end.Chain, addresses, w.ends[i : i+1], w.known(end.Chain)})
		if err != nil {
			return out, err
		}
		for j := range balances {
			row, err := w.row(&balances[j], byAddress[balances[j].Address], end)
			if err != nil {
				return out, err
			}
			rows = append(rows, row)
		}
	}
	out.Entities = w.entities(rows)
	return out, nil
}

// known lists the assets of a chain that the register knows.
func (w *work) known(chain ledger.Chain) (list []ledger.Asset) {
	for i := range w.o.Register.Assets {
		if asset := w.o.Register.Assets[i].Asset; chainOf(asset) == chain {
			list = append(list, asset)
		}
	}
	return list
}

func (w *work) row(b *Balance, by *owner, end *End) (row Row, err error) {
	row = Row{
		Actor: by.actor, Kind: by.kind, Chain: end.Chain, Asset: b.Asset, Address: by.text, Amount: b.Amounts[0].Dec(), Shares: b.Shares,
		AtLeast: b.AtLeast[0], Height: end.Height, Hash: end.Hash, Time: end.Time, Confidence: by.claim.Score, By: by.claim.By, Source: by.claim.Source,
		Claim: by.claim.ID().String(), Beside: by.beside, units: b.Amounts[0], Stale: end.Behind, Fresh: end.Time,
	}
	asset, ok := w.o.Register.Asset(b.Asset)
	switch {
	case !ok:
		row.Missing = "the register does not know how many decimals the asset has"
		return row, nil
	case b.Shares:
		row.Symbol, row.Decimals, row.Missing = asset.Symbol, &asset.Decimals, "the ledger counts shares, and what a share is worth is not known"
		return row, nil
	}
	row.Symbol, row.Decimals = asset.Symbol, &asset.Decimals
	if row.cents, row.Price, err = w.value(b.Asset, asset.Decimals, &b.Amounts[0]); err != nil {
		return row, err
	}
	if row.cents == nil {
		row.Missing = "no price"
	}
	row.Cents, row.USD = written(row.cents)
	return row, nil
}

// entities rolls rows up and ranks whom they belong to.
func (w *work) entities(rows []Row) []Entity {
	byTop := map[string][]Row{}
	for i := range rows {
		top := w.top(rows[i].Actor)
		byTop[top] = append(byTop[top], rows[i])
	}
	var list []Entity
	for top, of := range byTop {
		slices.SortStableFunc(of, func(a, b Row) int {
			return cmp.Or(compareKnown(a.cents, b.cents), cmp.Compare(a.Asset, b.Asset), cmp.Compare(a.Address, b.Address))
		})
		list = append(list, w.entity(top, of))
	}
	slices.SortFunc(list, func(a, b Entity) int { return cmp.Compare(a.Actor, b.Actor) })
	standings, assets := make([]standing, len(list)), map[ledger.Asset]bool{}
	for i := range list {
		e := &list[i]
		standings[i] = standing{amount: e.amount, name: e.Name}
		if e.Probable.Cents != nil {
			standings[i].value = &e.Probable.units
		}
		for _, a := range e.assets {
			assets[a] = true
		}
	}
	order, ranks := ranked(standings, len(assets) == 1)
	out := make([]Entity, len(list))
	for place, i := range order {
		out[place] = list[i]
		if w.o.Actor == "" { // who was asked for alone is not ranked, as nobody else was read
			out[place].Rank = ranks[i]
		}
	}
	return out
}

func (w *work) entity(top string, rows []Row) Entity {
	e := Entity{Actor: top, Name: w.name(top), Rows: rows, Kinds: map[register.Kind]Range{}}
	seen := map[ledger.Asset]bool{}
	for i := range rows {
		r := &rows[i]
		kind := e.Kinds[r.Kind]
		kind.add(r)
		e.Kinds[r.Kind] = kind
		e.Possible.add(r)
		if r.Kind == register.Verified {
			e.Strict.add(r)
		}
		if r.Kind == register.Verified || r.Kind == register.Attributed && r.Confidence >= sure {
			e.Probable.add(r)
			e.amount.Add(&e.amount, &r.units)
			if !seen[r.Asset] {
				seen[r.Asset] = true
				e.assets = append(e.assets, r.Asset)
			}
		}
	}
	for _, r := range []*Range{&e.Strict, &e.Probable, &e.Possible} {
		r.close()
	}
	for kind, r := range e.Kinds {
		r.close()
		e.Kinds[kind] = r
	}
	return e
}

func (r *Range) add(row *Row) {
	r.Rows++
	if row.cents == nil {
		r.Unvalued++
		return
	}
	r.units.Add(&r.units, row.cents)
}

// close writes the sum: unknown where not one of its rows has a value.
func (r *Range) close() {
	if r.Rows == 0 || r.Unvalued < r.Rows {
		r.Cents, r.USD = written(&r.units)
	}
}
