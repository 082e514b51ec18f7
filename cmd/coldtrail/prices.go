package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"coldtrail/holdings"
	"coldtrail/ledger"
	"coldtrail/price"
	"coldtrail/price/chainlink"
	"coldtrail/price/remote"
	"coldtrail/price/table"
	"coldtrail/register"
	"coldtrail/store"
)

// priceFiles say where prices come from, beside those that the register holds. What stands
// first decides where two sources differ.
type priceFiles struct {
	Prices  []string `placeholder:"[ASSET=]FILE" sep:"none" help:"CSV files of prices; ASSET says what a file prices that does not say so itself, as in bitcoin=closes.csv."`
	Sources []string `name:"price-source" placeholder:"FILE" sep:"none" type:"existingfile" help:"Files that say where prices are to be had over HTTP (docs/formats/prices.md); answers are kept beside the store."`
}

// priceFlags are prices from files, from sources, and from the ledger itself.
type priceFlags struct {
	priceFiles

	Chainlink bool `help:"Prices out of the ledger, too: what Chainlink's data feeds published on Ethereum in the seven days before the end of each day asked for."`
}

// priced is the time that prices are wanted for.
type priced struct {
	from, until int64
	folder      string       // where what was fetched is kept
	log         func(string) // is told what cannot be read
}

// fetchedPrices is the folder of fetched prices beside the store.
const fetchedPrices = "prices"

// book reads all prices.
func (f *priceFlags) book(ctx context.Context, s store.Questions, r *register.Register, span priced) (*price.Book, error) {
	quotes, err := f.quotes(ctx, span)
	if err != nil {
		return nil, err
	}
	if f.Chainlink {
		of, err := feedPrices(ctx, s, span)
		if err != nil {
			return nil, err
		}
		quotes = append(quotes, of...)
	}
	return bookOf(quotes, r)
}

// quotes reads the prices of files and sources.
func (f *priceFiles) quotes(ctx context.Context, span priced) (quotes []price.Quote, err error) {
	for _, name := range f.Prices {
		of, err := readPrices(name)
		if err != nil {
			return nil, err
		}
		quotes = append(quotes, of...)
	}
	for _, name := range f.Sources {
		of, err := fetchPrices(ctx, name, span)
		if err != nil {
			return nil, err
		}
		quotes = append(quotes, of...)
	}
	return quotes, nil
}

// bookOf adds what the register says.
func bookOf(quotes []price.Quote, r *register.Register) (*price.Book, error) {
	for i := range r.Prices {
		q, err := r.Prices[i].Quote()
		if err != nil {
			return nil, err
		}
		quotes = append(quotes, q)
	}
	var pegs []price.Peg
	for i := range r.Assets {
		if a := &r.Assets[i]; a.Redeems != nil {
			pegs = append(pegs, price.Peg{Asset: a.Asset, As: a.Redeems.As, Num: a.Redeems.Num, Den: a.Redeems.Den, Source: a.Redeems.Why})
		}
	}
	return price.NewBook(quotes, pegs)
}

// readPrices reads one file of prices.
func readPrices(name string) (quotes []price.Quote, err error) {
	o := table.Options{}
	if before, after, ok := strings.Cut(name, "="); ok {
		if o.Asset, err = table.Asset(before); err != nil {
			return nil, fmt.Errorf("--prices %s: %w", name, err)
		}
		name = after
	}
	o.File = filepath.Base(name)
	from, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	quotes, err = table.Read(from, o)
	return quotes, errors.Join(err, from.Close())
}

// fetchPrices asks the sources of a file.
func fetchPrices(ctx context.Context, name string, span priced) (quotes []price.Quote, err error) {
	from, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	sources, err := remote.Parse(name, from)
	if err = errors.Join(err, from.Close()); err != nil {
		return nil, err
	}
	for i := range sources {
		of, err := sources[i].Fetch(ctx, span.from-price.Carry, span.until, remote.Options{Folder: span.folder, Now: time.Now, Log: span.log})
		if err != nil {
			return nil, err
		}
		quotes = append(quotes, of...)
	}
	return quotes, nil
}

// feedPrices reads what data feeds published, as far as the store holds their chains.
func feedPrices(ctx context.Context, s store.Questions, span priced) (quotes []price.Quote, err error) {
	statuses, err := s.Status(ctx)
	if err != nil {
		return nil, err
	}
	for i := range statuses {
		chain := statuses[i].Chain
		if chain.Family() != ledger.Account {
			continue
		}
		ends, err := holdings.Ends(ctx, s, chain, []int64{span.from - price.Carry, span.until})
		if err != nil {
			return nil, err
		}
		for said, err := range s.Said(ctx, chain, ends[0].Height, ends[1].Height, map[ledger.Hash]bool{chainlink.Topic: true}) {
			if err != nil {
				return nil, err
			}
			quotes = append(quotes, saidPrices(chain, said, span)...)
		}
	}
	return quotes, nil
}

// saidPrices are the answers of feeds in one transaction; what a feed says and cannot be an
// answer is told and passed over.
func saidPrices(chain ledger.Chain, said *store.Said, span priced) (quotes []price.Quote) {
	for j := range said.Tx.Messages {
		q, ok, err := chainlink.Decode(chain, said.Time, &said.Tx.Messages[j])
		if err != nil {
			span.log(fmt.Sprintf("no price in block %d of %s: %v", said.Height, chain.Short(), err))
		}
		if ok {
			quotes = append(quotes, q)
		}
	}
	return quotes
}

// assetNamed reads an asset by its identifier, the name of a chain or a symbol of the
// register.
func assetNamed(text string, r *register.Register) (ledger.Asset, error) {
	var found []ledger.Asset
	for i := range r.Assets {
		if a := &r.Assets[i]; strings.EqualFold(a.Symbol, text) || string(a.Asset) == text {
			found = append(found, a.Asset)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return table.Asset(text)
	}
	return "", fmt.Errorf("%q may be %v; name one of them in full", text, found)
}
