package register

import (
	"coldtrail/ledger"
	"coldtrail/price"
)

// Asset is what is known of an asset: how it is counted, what it is and where it came from.
type Asset struct {
	Asset    ledger.Asset `yaml:"asset" json:"asset"`
	Symbol   string       `yaml:"symbol" json:"symbol"`
	Name     string       `yaml:"name" json:"name"`
	Decimals uint8        `yaml:"decimals" json:"decimals"`
	// Kind is native, token, wrapped, staked, stable or unit. A unit has no ledger here and
	// is only stated.
	Kind       string `yaml:"kind" json:"kind"`
	Since      string `yaml:"since" json:"since,omitempty"`
	Background string `yaml:"background" json:"background"`
	// Issuer is who issues it, Freeze who can freeze an address ("nobody" where it is known
	// that nobody can), Backing what stands behind a unit. What is not known is left out.
	Issuer  string   `yaml:"issuer" json:"issuer,omitempty"`
	Freeze  string   `yaml:"freeze" json:"freeze,omitempty"`
	Backing string   `yaml:"backing" json:"backing,omitempty"`
	Redeems *Redeems `yaml:"redeems" json:"redeems,omitempty"`
	// Stands is the asset that it is a form of, on the same chain or another one.
	Stands  ledger.Asset `yaml:"stands_for" json:"stands_for,omitempty"`
	Sources []string     `yaml:"sources" json:"sources"`
}

// Redeems says that a contract gives one whole unit for Num/Den of another asset.
type Redeems struct {
	As  ledger.Asset `yaml:"as" json:"as"`
	Num uint64       `yaml:"num" json:"num"`
	Den uint64       `yaml:"den" json:"den"`
	Why string       `yaml:"why" json:"why"`
}

// Incident is a theft.
type Incident struct {
	ID       string        `yaml:"id" json:"id"`
	Title    string        `yaml:"title" json:"title"`
	Date     string        `yaml:"date" json:"date"` // a day or a month
	Case     string        `yaml:"case" json:"case,omitempty"`
	Losses   []Loss        `yaml:"losses" json:"losses"`
	By       []Attribution `yaml:"attributed_to" json:"attributed_to"`
	Route    string        `yaml:"route" json:"route,omitempty"`
	Note     string        `yaml:"note" json:"note,omitempty"`
	Recovery string        `yaml:"recovery" json:"recovery,omitempty"`
}

// Loss is one figure of what was taken. Figures that differ are rows of their own.
type Loss struct {
	Asset    ledger.Asset `yaml:"asset" json:"asset,omitempty"`
	Quantity string       `yaml:"quantity" json:"quantity,omitempty"` // whole units
	// USD is what the source says that it was worth, in whole dollars; USDTo where it gives
	// a range.
	USD     uint64   `yaml:"usd" json:"usd,omitempty"`
	USDTo   uint64   `yaml:"usd_to" json:"usd_to,omitempty"`
	Basis   string   `yaml:"basis" json:"basis,omitempty"` // what the figure counts, or when it was known
	Sources []string `yaml:"sources" json:"sources"`
}

// Attribution is who holds whom responsible. Where nobody does, or no publication is at
// hand, the incident has none.
type Attribution struct {
	Actor      string   `yaml:"actor" json:"actor"`
	By         string   `yaml:"by" json:"by"`
	Date       string   `yaml:"date" json:"date,omitempty"`
	Confidence string   `yaml:"confidence" json:"confidence,omitempty"`
	Sources    []string `yaml:"sources" json:"sources"`
}

// Statement is what somebody says that somebody holds.
type Statement struct {
	Actor    string       `yaml:"actor" json:"actor"`
	Name     string       `yaml:"name" json:"name"` // as tables print it
	Asset    ledger.Asset `yaml:"asset" json:"asset"`
	Quantity string       `yaml:"quantity" json:"quantity"` // whole units
	AsOf     string       `yaml:"as_of" json:"as_of"`       // the day it is a figure of
	By       string       `yaml:"by" json:"by"`
	Kind     Kind         `yaml:"kind" json:"kind"`
	USD      string       `yaml:"usd" json:"stated_usd,omitempty"` // as the source words the value
	Table    string       `yaml:"table" json:"table,omitempty"`    // the published table it is a row of
	Unranked string       `yaml:"unranked" json:"unranked,omitempty"`
	Note     string       `yaml:"note" json:"note,omitempty"`
	Sources  []string     `yaml:"sources" json:"sources"`
}

// Kind is what a figure of a holding rests on.
type Kind string

// The kinds, strongest first. They are never summed without being told apart.
const (
	Verified         Kind = "verified"          // addresses that the owner or a court published
	Attributed       Kind = "attributed"        // addresses that a named provider labels
	SelfReported     Kind = "self-reported"     // the owner's word, without addresses
	Inferred         Kind = "inferred"          // addresses that clustering adds
	CustodyDependent Kind = "custody-dependent" // addresses of a custodian
	Estimated        Kind = "estimated"         // a third party's figure without addresses
)

// Kinds lists all kinds in that order.
var Kinds = []Kind{Verified, Attributed, SelfReported, Inferred, CustodyDependent, Estimated}

// Price is one daily close, as a fact with its source.
type Price struct {
	Asset   ledger.Asset `yaml:"asset" json:"asset"`
	Day     string       `yaml:"day" json:"day"`
	Close   string       `yaml:"close" json:"close"` // US dollars
	Market  string       `yaml:"market" json:"market"`
	Sources []string     `yaml:"sources" json:"sources"`
}

// Supply is how many units of an asset existed on a day, by somebody's word.
type Supply struct {
	Asset    ledger.Asset `yaml:"asset" json:"asset"`
	Quantity string       `yaml:"quantity" json:"quantity"`
	AsOf     string       `yaml:"as_of" json:"as_of"`
	Sources  []string     `yaml:"sources" json:"sources"`
}

// Quote is the price as a quote.
func (p *Price) Quote() (q price.Quote, err error) {
	day, err := Day(p.Day)
	if err != nil {
		return q, err
	}
	value, err := price.Parse(p.Close)
	if err != nil {
		return q, err
	}
	return price.Quote{Asset: p.Asset, Value: value, Close: day + price.Day, Every: price.Day, Source: p.Sources[0], Market: p.Market}, nil
}
