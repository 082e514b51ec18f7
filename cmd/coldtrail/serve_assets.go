package main

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"coldtrail/casebook"
	"coldtrail/ledger"
	"coldtrail/price"
	"coldtrail/register"
	"coldtrail/server"
	"coldtrail/store"
)

// library tells the server what is written down about assets, thefts and actors.
type library struct {
	store  store.Store
	labels *catalogues
	known  *register.Register
	prices *price.Book
	book   casebook.Casework
	now    func() time.Time
}

var _ server.Assets = (*library)(nil)

// lineOf is an asset of the register as lists have it.
func lineOf(a *register.Asset, statuses []store.Status) server.AssetLine {
	line := server.AssetLine{Asset: a.Asset, Symbol: a.Symbol, Name: a.Name, Decimals: a.Decimals, Kind: a.Kind}
	locate(&line, statuses)
	return line
}

// locate says on which chain an asset is, by which contract.
func locate(line *server.AssetLine, statuses []store.Status) {
	chain, token, _ := strings.Cut(string(line.Asset), "/")
	id, err := ledger.ParseChain(chain)
	if err != nil {
		return // a unit: it is only stated
	}
	line.Chain, line.Held = string(id), holdsChain(statuses, id)
	if contract, ok := strings.CutPrefix(token, "erc20:"); ok {
		line.Contract = contract
	}
}

// Assets lists the assets of the register, in its order.
func (l *library) Assets(ctx context.Context) (server.AssetList, error) {
	statuses, err := l.store.Status(ctx)
	out := server.AssetList{Items: []server.AssetLine{}, Register: l.known.Digest()}
	for i := range l.known.Assets {
		out.Items = append(out.Items, lineOf(&l.known.Assets[i], statuses))
	}
	return out, err
}

// Asset is everything that is known of one.
func (l *library) Asset(ctx context.Context, asset ledger.Asset) (server.AssetPage, error) {
	statuses, err := l.store.Status(ctx)
	if err != nil {
		return server.AssetPage{}, err
	}
	p := server.AssetPage{
		Forms: []server.AssetLine{}, Prices: []server.Price{}, Supplies: []server.AssetSupply{}, Thefts: []server.AssetTheft{}, Sources: []register.Source{}, Register: l.known.Digest(),
	}
	row, ok := l.known.Asset(asset)
	if !ok {
		return l.unlisted(asset, &p, statuses)
	}
	p.AssetLine = lineOf(row, statuses)
	p.Since, p.Background, p.Issuer, p.Freeze, p.Backing, p.Redeems, p.Stands = row.Since, row.Background, row.Issuer, row.Freeze, row.Backing, row.Redeems, row.Stands
	c := &citations{register: l.known}
	c.numbers(row.Sources)
	root := cmp.Or(row.Stands, row.Asset)
	for i := range l.known.Assets {
		if a := &l.known.Assets[i]; a.Asset == root || a.Stands == root {
			p.Forms = append(p.Forms, lineOf(a, statuses))
		}
	}
	if len(p.Forms) == 1 {
		p.Forms = p.Forms[:0] // itself
	}
	for i := range l.known.Supplies {
		if s := &l.known.Supplies[i]; s.Asset == asset {
			c.numbers(s.Sources)
			p.Supplies = append(p.Supplies, server.AssetSupply{Quantity: s.Quantity, AsOf: s.AsOf, Sources: s.Sources})
		}
	}
	p.Thefts = l.thefts(asset, c)
	if newest, ok := l.price(asset, l.now().Unix()); ok {
		p.Prices = append(p.Prices, newest)
	}
	p.Prices = l.stated(asset, c, p.Prices)
	p.Sources = append(p.Sources, c.list...)
	return p, nil
}

// unlisted is what is known of an asset of which the register says nothing.
func (*library) unlisted(asset ledger.Asset, p *server.AssetPage, statuses []store.Status) (server.AssetPage, error) {
	chain, _, _ := strings.Cut(string(asset), "/")
	id, err := parseChain(chain)
	if err != nil {
		return *p, refuse(server.ErrNotFound, "the register has no asset %.160s; its identifier is CAIP-19, as eip155:1/slip44:60", asset)
	}
	canonical, err := id.ParseAsset(string(asset))
	if err != nil {
		return *p, refuse(server.ErrInvalid, "%s", err)
	}
	p.AssetLine, p.Unlisted = server.AssetLine{Asset: canonical, Kind: "token"}, true
	if canonical == id.Native() {
		p.Kind = "native"
	}
	locate(&p.AssetLine, statuses)
	return *p, nil
}

// thefts lists the figures of thefts in which an asset was taken, newest first.
func (l *library) thefts(asset ledger.Asset, c *citations) []server.AssetTheft {
	list := []server.AssetTheft{}
	for i := range l.known.Incidents {
		in := &l.known.Incidents[i]
		for j := range in.Losses {
			if loss := in.Losses[j]; loss.Asset == asset {
				c.numbers(loss.Sources)
				list = append(list, server.AssetTheft{Incident: in.ID, Title: in.Title, Date: in.Date, Loss: loss})
			}
		}
	}
	slices.SortStableFunc(list, func(a, b server.AssetTheft) int { return strings.Compare(b.Date, a.Date) })
	return list
}

// price is the price of an asset at a moment, however old, and false where there is none.
func (l *library) price(asset ledger.Asset, moment int64) (server.Price, bool) {
	found, err := l.prices.At(asset, moment)
	var missing *price.MissingError
	if errors.As(err, &missing) && missing.Last != nil {
		found, err = l.prices.At(asset, missing.Last.Close)
	}
	if err != nil {
		return server.Price{}, false
	}
	return l.told(asset, found, moment), true
}

func (l *library) told(asset ledger.Asset, found *price.Found, moment int64) server.Price {
	p := server.Price{
		Asset: asset, Day: time.Unix(found.Close-1, 0).UTC().Format("2006-01-02"), USD: found.Value.String(), By: found.Source, Stale: moment-found.Close >= found.Every,
	}
	if row, ok := l.known.Asset(asset); ok {
		p.Symbol = row.Symbol
	}
	if found.By != nil {
		p.As = found.By.As
	}
	return p
}

// stated adds the prices that the register has of an asset, newest first.
func (l *library) stated(asset ledger.Asset, c *citations, list []server.Price) []server.Price {
	var rows []server.Price
	for i := range l.known.Prices {
		row := &l.known.Prices[i]
		quote, err := row.Quote()
		if row.Asset != asset || err != nil { // it was checked when the register was read
			continue
		}
		c.numbers(row.Sources)
		p := l.told(asset, &price.Found{Quote: quote}, quote.Close)
		if !slices.ContainsFunc(list, func(x server.Price) bool { return x.Day == p.Day && x.USD == p.USD && x.By == p.By }) {
			rows = append(rows, p)
		}
	}
	slices.SortStableFunc(rows, func(a, b server.Price) int { return strings.Compare(b.Day, a.Day) })
	return append(list, rows...)
}

// Prices is what assets cost at the end of a day, or, without one, what each cost last.
func (l *library) Prices(_ context.Context, day string) (server.PriceList, error) {
	out := server.PriceList{Items: []server.Price{}, Day: day}
	moment := l.now().Unix()
	if day != "" {
		begins, err := register.Day(day)
		if err != nil {
			return out, refuse(server.ErrInvalid, "at: %v", err)
		}
		moment = begins + price.Day
	}
	for _, asset := range l.prices.Assets() {
		if day == "" {
			if p, ok := l.price(asset, moment); ok {
				out.Items = append(out.Items, p)
			}
			continue
		}
		found, err := l.prices.At(asset, moment)
		var missing *price.MissingError
		switch {
		case errors.As(err, &missing):
		case err != nil:
			return out, err
		default:
			out.Items = append(out.Items, l.told(asset, found, moment))
		}
	}
	return out, nil
}
