// Package holdings says who holds how much: from the addresses that labels and clusters
// give to somebody, at a moment, block by block; and beside it, never mixed with it, what
// people state. Kinds of evidence are told apart in every sum, figures that contradict each
// other are both shown, and what is not known is unknown and not zero.
package holdings

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	"coldtrail/attribution"
	"coldtrail/attribution/label"
	"coldtrail/ledger"
	"coldtrail/price"
	"coldtrail/register"
	"coldtrail/store"
)

// Store is what holdings are read from.
type Store interface {
	store.Questions
	store.Labels
}

// Options are what holdings rest on, beside the store.
type Options struct {
	Book     *price.Book
	Register *register.Register
	Actors   *attribution.Actors
	// When says which labels count.
	When label.When
	// Actor restricts the answer to somebody and everybody under him; empty is everybody.
	Actor string
	// Asset is what the stated table is a table of.
	Asset ledger.Asset
	// All ranks statements too that their register leaves out of the ranking.
	All bool
	// Sale is the percentage of each holding whose sale is set against the market; 0 is none.
	Sale uint64
	// Notation writes a chain's addresses.
	Notation func(ledger.Chain) (ledger.Notation, error)
	// Clusters add the addresses that clustering gives to the owner of a labelled one; nil
	// adds none.
	Clusters map[ledger.Chain]*attribution.Clusters
}

// Report is who held how much at the beginning of a day.
type Report struct {
	AsOf string `json:"as_of"` // the day
	// BalanceTime is the moment of balances: the beginning of the day. PriceTime is that of
	// prices: its end, as a day's price is its close.
	BalanceTime int64   `json:"balance_time"`
	PriceTime   int64   `json:"price_time"`
	Stated      Stated  `json:"stated"`
	Derived     Derived `json:"derived"`
	Basis       Basis   `json:"basis"`
	// Sources are the publications that rows refer to, by their place in this list, from 1.
	Sources []register.Source `json:"sources"`
	Digest  string            `json:"digest"`
}

// Basis names everything a report rests on.
type Basis struct {
	Prices   string `json:"prices"`
	Register string `json:"register"`
	Labels   string `json:"labels"`
	Heads    []End  `json:"heads"`
	Clusters bool   `json:"clusters"`
}

// seal gives the report its digest: SHA-256 over its canonical JSON without it.
func (r *Report) seal() error {
	r.Digest = ""
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	var tree any
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&tree); err != nil {
		return err
	}
	delete(tree.(map[string]any), "digest") // a report is an object
	if text, err = json.Marshal(tree); err != nil {
		return err
	}
	sum := sha256.Sum256(text)
	r.Digest = "sha256:" + hex.EncodeToString(sum[:])
	return nil
}
