package desk

import (
	"coldtrail/ledger"
	"coldtrail/trace"
)

// About says which trace an answer is of. Moments are Unix seconds.
type About struct {
	Case     string `json:"case"`
	Revision int64  `json:"revision"` // of the case
	Method   string `json:"method"`
	AsOf     int64  `json:"as_of,omitempty"`
	Made     int64  `json:"made"`
	// Current says that the store holds nothing newer that would count.
	Current bool   `json:"current"`
	Digest  string `json:"digest"`
}

// Summary is the headline of a case.
type Summary struct {
	About

	Title        string          `json:"title"`
	Date         string          `json:"date,omitempty"`
	Aliases      []string        `json:"aliases"`
	AttributedTo *Attribution    `json:"attributed_to,omitempty"`
	Note         string          `json:"note,omitempty"`
	Basis        trace.Basis     `json:"basis"`
	Colours      []ColourSummary `json:"colours"`
	Counts       Counts          `json:"counts"`
	// FactOnly says that there is an answer without what people assert, beside this one.
	FactOnly bool `json:"fact_only"`
	// First and Last are when value of the case first and last reached where it is.
	First string `json:"first,omitempty"`
	Last  string `json:"last,omitempty"`
}

// Attribution says who is held responsible, and who says so.
type Attribution struct {
	Actor      string `json:"actor"`
	By         string `json:"by"`
	Source     string `json:"source,omitempty"`
	Date       string `json:"date,omitempty"`
	Confidence string `json:"confidence"`
}

// ColourSummary is the headline of a stolen asset, in basis points of what was stolen. A
// method that claims no origin has none.
type ColourSummary struct {
	Colour    string    `json:"colour"`
	Chain     string    `json:"chain"`
	Asset     string    `json:"asset"`
	Stolen    string    `json:"stolen"`
	Traceable *uint64   `json:"traceable_bp,omitempty"`
	Dark      *uint64   `json:"dark_bp,omitempty"`
	Frozen    *uint64   `json:"frozen_bp,omitempty"`
	Kinds     []KindSum `json:"kinds"`
}

// KindSum is what of a colour ended in one way.
type KindSum struct {
	Kind   string `json:"kind"`
	Origin string `json:"origin"`
	Places int    `json:"places"`
}

// Counts says how much there is to look at.
type Counts struct {
	Places     int `json:"places"`
	Crossings  int `json:"crossings"`
	Swaps      int `json:"swaps"`
	Candidates int `json:"candidates"`
	Anomalies  int `json:"anomalies"`
	Flows      int `json:"flows"`
}

// PlaceQuery selects places and their order. Empty selects all.
type PlaceQuery struct {
	Sort, Order                        string
	Colour, Kind, Chain, Asset, Entity string
	Text                               string // part of place, address or entity, in any capitals
	Least                              string // origin, in base units
	After                              string // where the page before ended
	Limit                              int
}

// PlacePage is a part of the places where value of a case is.
type PlacePage struct {
	About

	Items []trace.Disposition `json:"items"`
	// Total is how many places the filters let through, Origins what they stand for.
	Total   int         `json:"total"`
	Origins []OriginSum `json:"origins"`
	Next    string      `json:"next,omitempty"`
}

// OriginSum is how much of a stolen asset something stands for.
type OriginSum struct {
	Colour string `json:"colour"`
	Asset  string `json:"asset"`
	Origin string `json:"origin"`
}

// FlowQuery selects movements, in ledger order. Empty selects all.
type FlowQuery struct {
	At, Colour string
	After      string
	Limit      int
}

// FlowPage is a part of the movements of a case.
type FlowPage struct {
	About

	Items []trace.Flow `json:"items"`
	Total int          `json:"total"`
	Next  string       `json:"next,omitempty"`
}

// FreezeQuery selects a part of what could still be frozen.
type FreezeQuery struct {
	Colour, Act, Who string
	After            string
	Limit            int
}

// FreezePage is a part of what could still be frozen, the largest first.
type FreezePage struct {
	About

	Items   []Freezable `json:"items"`
	Total   int         `json:"total"`
	Origins []OriginSum `json:"origins"`
	Next    string      `json:"next,omitempty"`
}

// Act is by which power value could be frozen.
type Act string

// The powers.
const (
	// ByService: a service keeps the books at the address.
	ByService Act = "service"
	// ByIssuer: whoever issued the asset can stop it at any address.
	ByIssuer Act = "issuer"
)

// Freezable is value that somebody could still freeze.
type Freezable struct {
	trace.Disposition

	Act           Act    `json:"act"`
	Who           string `json:"who"`
	Jurisdictions string `json:"jurisdictions,omitempty"`
	Why           string `json:"why"`
	// Source is the claim that says whose address it is, or a publication on the issuer's
	// power.
	Source *trace.Source `json:"source,omitempty"`
	Cites  []Citation    `json:"cites"`
}

// Citation is a publication.
type Citation struct {
	By    string `json:"by"`
	Title string `json:"title"`
	URL   string `json:"url,omitempty"`
	Date  string `json:"date,omitempty"`
}

// Issuer is who can stop an asset at any address.
type Issuer struct {
	Asset ledger.Asset
	Who   string
	Why   string
	Cites []Citation
}

// Comparison is a part of where the methods differ, the most first.
type Comparison struct {
	Case     string `json:"case"`
	Revision int64  `json:"revision"`
	AsOf     int64  `json:"as_of,omitempty"`
	Current  bool   `json:"current"`

	Methods []MethodSummary `json:"methods"`
	Items   []Difference    `json:"items"`
	Total   int             `json:"total"`
	Next    string          `json:"next,omitempty"`
}

// MethodSummary is the headline by one method.
type MethodSummary struct {
	Method  string         `json:"method"`
	Note    string         `json:"note,omitempty"`
	Digest  string         `json:"digest"`
	Colours []MethodColour `json:"colours"`
}

// MethodColour is the headline of a colour by one method.
type MethodColour struct {
	Colour    string  `json:"colour"`
	Traceable *uint64 `json:"traceable_bp,omitempty"`
	Dark      *uint64 `json:"dark_bp,omitempty"`
	Frozen    *uint64 `json:"frozen_bp,omitempty"`
}

// Difference is what the methods say of one place. A method that finds nothing there says
// 0.
type Difference struct {
	Colour  string `json:"colour"`
	Chain   string `json:"chain"`
	Asset   string `json:"asset"`
	At      string `json:"at"`
	Address string `json:"address"`
	Entity  string `json:"entity"`
	// Origins is how much of the stolen asset the place stands for, by each method that
	// conserves it.
	Origins map[string]string `json:"origins"`
	// Spread is the largest less the smallest origin, ShareBP that in basis points of what
	// was stolen.
	Spread  string `json:"spread"`
	ShareBP uint64 `json:"share_bp"`
	// Poison is the amount there that poison calls tainted.
	Poison string `json:"poison"`
}
