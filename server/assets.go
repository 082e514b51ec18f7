package server

import (
	"context"
	"net/http"

	"coldtrail/ledger"
	"coldtrail/register"
)

// Assets tells what is written down about assets, thefts and who is behind them.
type Assets interface {
	// Assets lists the assets of the register.
	Assets(ctx context.Context) (AssetList, error)
	// Asset is everything that is known of one.
	Asset(ctx context.Context, asset ledger.Asset) (AssetPage, error)
	// Prices is what one unit of each asset cost at a day, of those that have a price.
	Prices(ctx context.Context, day string) (PriceList, error)
	// Incident is a theft, by its identifier.
	Incident(ctx context.Context, id string) (IncidentPage, error)
	// Entity is somebody, by his identifier or a name that nobody else has, with so many
	// of the addresses that claims give him.
	Entity(ctx context.Context, name string, addresses int) (EntityPage, error)
}

// AssetLine is an asset in a list.
type AssetLine struct {
	Asset    ledger.Asset `json:"asset"`
	Symbol   string       `json:"symbol"`
	Name     string       `json:"name"`
	Chain    string       `json:"chain,omitempty"`    // CAIP-2; none where it has no ledger
	Contract string       `json:"contract,omitempty"` // none of what is native to its chain
	Decimals uint8        `json:"decimals"`
	Kind     string       `json:"kind"`
	// Held says that the store holds blocks of its chain.
	Held bool `json:"held"`
}

// AssetList is all assets.
type AssetList struct {
	Items    []AssetLine `json:"items"`
	Register string      `json:"register"` // digest
}

// AssetPage is what is known of an asset. What nobody has written down is left out.
type AssetPage struct {
	AssetLine

	Since      string `json:"since,omitempty"`
	Background string `json:"background"`
	Issuer     string `json:"issuer,omitempty"`
	// Freeze is who can freeze an address: a name, or nobody.
	Freeze  string            `json:"freeze,omitempty"`
	Backing string            `json:"backing,omitempty"`
	Redeems *register.Redeems `json:"redeems,omitempty"`
	// Stands is the asset that this one is a form of; Forms are the others of the same one,
	// itself among them.
	Stands   ledger.Asset      `json:"stands_for,omitempty"`
	Forms    []AssetLine       `json:"forms"`
	Prices   []Price           `json:"prices"`
	Supplies []AssetSupply     `json:"supplies"`
	Thefts   []AssetTheft      `json:"thefts"`
	Sources  []register.Source `json:"sources"`
	Register string            `json:"register"` // digest
	// Unlisted says that the register has no row of it: its chain and contract are all
	// that is known.
	Unlisted bool `json:"unlisted"`
}

// AssetSupply is how many units there were, by somebody's word.
type AssetSupply struct {
	Quantity string   `json:"quantity"` // whole units
	AsOf     string   `json:"as_of"`
	Sources  []string `json:"sources"`
}

// AssetTheft is a figure of a theft in which an asset was taken.
type AssetTheft struct {
	Incident string `json:"incident"`
	Title    string `json:"title"`
	Date     string `json:"date"`
	register.Loss
}

// PriceList is what assets cost.
type PriceList struct {
	Items []Price `json:"items"`
	Day   string  `json:"day"`
}

// Price is what one whole unit of an asset cost.
type Price struct {
	Asset  ledger.Asset `json:"asset"`
	Symbol string       `json:"symbol,omitempty"`
	// Day is the day whose close it is, which may be some days before the one asked for.
	Day   string `json:"day"`
	USD   string `json:"usd"` // decimal
	By    string `json:"by"`
	Stale bool   `json:"stale"`
	// As is the asset whose price stands for this one's, by redemption.
	As ledger.Asset `json:"as,omitempty"`
}

// IncidentPage is a theft with who is held responsible.
type IncidentPage struct {
	Incident register.Incident `json:"incident"`
	// Actors are who it is attributed to, as far as they are known of.
	Actors []Actor `json:"actors"`
	// Assets are those of its figures.
	Assets []AssetLine `json:"assets"`
	// Claims are what labels say of who did it.
	Claims   []EntityClaim     `json:"claims"`
	Cases    []string          `json:"cases"` // of the casebook, that follow it
	Sources  []register.Source `json:"sources"`
	Register string            `json:"register"` // digest
}

// EntityPage is somebody with what is said of him.
type EntityPage struct {
	Actor

	Parents []string `json:"parents"`
	// Members are who belongs to him, by any claim.
	Members   []string        `json:"members"`
	Incidents []EntityTheft   `json:"incidents"`
	Claims    []EntityClaim   `json:"claims"` // who he is
	Addresses []EntityAddress `json:"addresses"`
	// Named is how many addresses claims give to him, OfMembers to who belongs to him.
	Named     int `json:"named"`
	OfMembers int `json:"of_members"`
}

// EntityTheft is a theft that somebody attributes to an actor or to whom he commands.
type EntityTheft struct {
	ID    string `json:"id"`
	Title string `json:"title,omitempty"` // none where only a label knows it
	Date  string `json:"date,omitempty"`
	Actor string `json:"actor"`
	By    string `json:"by"`
}

// EntityClaim is what somebody says of who an actor is, or who did something.
type EntityClaim struct {
	Label

	Parent        string   `json:"parent,omitempty"`
	Aliases       []string `json:"aliases"`
	Jurisdictions []string `json:"jurisdictions"`
}

// EntityAddress is an address that a claim gives to an actor.
type EntityAddress struct {
	Network    string `json:"network"` // CAIP-2 where a ledger can hold it
	Address    string `json:"address"`
	Label      string `json:"label"`
	By         string `json:"by"`
	Confidence int    `json:"confidence"`
}

// getAssets gives the assets of the register.
func getAssets(x *exchange) {
	ctx, cancel := x.within()
	defer cancel()
	list, err := x.parts.Assets.Assets(ctx)
	if err != nil {
		x.fail(err)
		return
	}
	x.json(http.StatusOK, list)
}

// getAsset gives what is known of an asset.
func getAsset(x *exchange) {
	asset := ""
	if !x.parameters(map[string]*string{"asset": &asset}) {
		return
	}
	if asset == "" || len(asset) > maxAsset || !isName(asset) {
		x.fail(invalid("asset is a CAIP-19 identifier such as eip155:1/slip44:60"))
		return
	}
	ctx, cancel := x.within()
	defer cancel()
	found, err := x.parts.Assets.Asset(ctx, ledger.Asset(asset))
	if err != nil {
		x.fail(err)
		return
	}
	x.json(http.StatusOK, found)
}

// getPrices gives what assets cost.
func getPrices(x *exchange) {
	day := ""
	if !x.parameters(map[string]*string{"at": &day}) {
		return
	}
	ctx, cancel := x.within()
	defer cancel()
	list, err := x.parts.Assets.Prices(ctx, day)
	if err != nil {
		x.fail(err)
		return
	}
	x.json(http.StatusOK, list)
}

// getIncident gives one theft.
func getIncident(x *exchange) {
	id, ok := x.pathID("id")
	if !ok {
		return
	}
	ctx, cancel := x.within()
	defer cancel()
	found, err := x.parts.Assets.Incident(ctx, id)
	if err != nil {
		x.fail(err)
		return
	}
	x.json(http.StatusOK, found)
}

// getEntity gives one actor.
func getEntity(x *exchange) {
	name := x.request.PathValue("id")
	if len(name) > maxName {
		x.fail(invalid("the name has %d bytes, at most %d are taken", len(name), maxName))
		return
	}
	if err := readable("the name", name); err != nil {
		x.fail(err)
		return
	}
	_, limit, ok := x.paging()
	if !ok {
		return
	}
	ctx, cancel := x.within()
	defer cancel()
	found, err := x.parts.Assets.Entity(ctx, name, limit)
	if err != nil {
		x.fail(err)
		return
	}
	x.json(http.StatusOK, found)
}
