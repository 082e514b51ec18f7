package main

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"coldtrail/holdings"
	"coldtrail/ledger"
	"coldtrail/price"
	"coldtrail/trace"
)

// values finds what amounts were worth, where the user gives prices; without any the report
// says nothing of values.
func (v *reportVerb) values(ctx context.Context, s *session, result *trace.Result) (func(asset, amount, at string) (string, bool), error) {
	if len(v.Prices) == 0 && len(v.Sources) == 0 {
		return nil, nil //nolint:nilnil // no values are asked for
	}
	known, err := v.open()
	if err != nil {
		return nil, err
	}
	folder, err := s.folder()
	if err != nil {
		return nil, err
	}
	span := priced{folder: filepath.Join(folder, fetchedPrices), log: func(text string) { fmt.Fprintf(s.stderr, "note: %s\n", inert(text)) }}
	for i := range result.Dispositions {
		for _, text := range []string{result.Dispositions[i].First, result.Dispositions[i].Last} {
			if moment, err := time.Parse(time.RFC3339, text); err == nil {
				if span.from == 0 || moment.Unix() < span.from {
					span.from = moment.Unix()
				}
				span.until = max(span.until, moment.Unix())
			}
		}
	}
	quotes, err := v.quotes(ctx, span)
	if err != nil {
		return nil, err
	}
	book, err := bookOf(quotes, known)
	if err != nil {
		return nil, err
	}
	decimals := map[ledger.Asset]uint8{}
	for i := range known.Assets {
		decimals[known.Assets[i].Asset] = known.Assets[i].Decimals
	}
	return func(asset, amount, at string) (string, bool) { return valueAt(book, decimals, asset, amount, at) }, nil
}

// valueAt is what an amount was worth by the last bar that had closed, with its source;
// false where nobody can tell.
func valueAt(book *price.Book, decimals map[ledger.Asset]uint8, asset, amount, at string) (string, bool) {
	moment, err := time.Parse(time.RFC3339, at)
	if err != nil {
		return "", false
	}
	units, err := ledger.ParseAmount(amount)
	if err != nil {
		return "", false
	}
	digits, known := decimals[ledger.Asset(asset)]
	found, err := book.At(ledger.Asset(asset), moment.Unix())
	if err != nil || !known {
		return "", false
	}
	cents, err := price.Cents(&units, digits, found.Value)
	if err != nil {
		return "", false
	}
	stale := ""
	if found.Stale {
		stale = ", stale"
	}
	return fmt.Sprintf("USD %s (%s, closed %s%s)", valueText(holdings.Dollars(cents.Dec())), found.Source, time.Unix(found.Close, 0).UTC().Format(time.RFC3339), stale), true
}
