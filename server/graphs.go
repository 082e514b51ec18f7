package server

import (
	"context"
	"net/http"

	"coldtrail/ledger"
	"coldtrail/screen/exposure"
)

// Graphs answers what people ask who follow value by hand. ErrNotFound says that the
// ledger holds nothing of it. What is bounded says whether it is complete.
type Graphs interface {
	// Neighbours adds up who an address had to do with.
	Neighbours(ctx context.Context, chain ledger.Chain, address string, q *NeighbourQuestion) (*Neighbours, error)
	// TransactionGraph is a transaction as nodes and edges.
	TransactionGraph(ctx context.Context, chain ledger.Chain, id string) (*TransactionGraph, error)
	// Paths finds shortest ways of value from one address to another, forward in time.
	Paths(ctx context.Context, chain ledger.Chain, q *PathQuestion) (*Ways, error)
}

// A NeighbourQuestion selects counterparties.
type NeighbourQuestion struct {
	Direction string // both, in or out
	// Since and Until bound the time, Unix seconds; 0 is no bound.
	Since, Until int64
	Asset        ledger.Asset // every asset where it is empty
	// Least leaves out counterparties with less, in base units of each asset.
	Least ledger.Amount
	Page  Page
}

// Neighbours are counterparties, those with the most transfers first.
type Neighbours struct {
	Items []Neighbour `json:"items"`
	// Looked is how many transactions of the address were looked at; Complete says that
	// they are all in the time that was asked for.
	Looked   int    `json:"looked"`
	Complete bool   `json:"complete"`
	Next     string `json:"next,omitempty"`
	Total    int    `json:"total"`
}

// A Neighbour is what passed between an address and another, one way, of one asset.
type Neighbour struct {
	Address string `json:"address"`
	Entity  string `json:"entity,omitempty"`
	// Service says that the entity holds value for others.
	Service   bool               `json:"service"`
	Direction exposure.Direction `json:"direction"`
	Asset     ledger.Asset       `json:"asset"`
	Amount    exposure.Decimal   `json:"amount"`
	Transfers int                `json:"transfers"`
	First     int64              `json:"first"`
	Last      int64              `json:"last"`
	Txs       []string           `json:"txs"` // the first few
	// Shared says that transactions had inputs of several addresses, so that the amount is
	// an upper bound: it is what came out, of all of them together.
	Shared bool `json:"shared"`
}

// A TransactionGraph is a transaction as nodes and edges, with positions.
type TransactionGraph struct {
	Chain       string            `json:"chain"`
	Tx          string            `json:"tx"`
	Height      uint64            `json:"height"`
	Time        int64             `json:"time"`
	Status      string            `json:"status,omitempty"`
	Nodes       []TransactionNode `json:"nodes"`
	Edges       []TransactionEdge `json:"edges"`
	DrawnWidth  int               `json:"drawn_width"`
	DrawnHeight int               `json:"drawn_height"`
	// LeftOut is how many sides of the transaction there was no room for.
	LeftOut int `json:"left_out"`
}

// A TransactionNode is an address, or the transaction itself where it is of many to many.
type TransactionNode struct {
	Key     string `json:"key"`
	Label   string `json:"label"`
	Class   string `json:"class"` // address, output, transaction or fee
	Address string `json:"address,omitempty"`
	Entity  string `json:"entity,omitempty"`
	Service bool   `json:"service"`
	X       int    `json:"x"`
	Y       int    `json:"y"`
}

// A TransactionEdge is value that moved.
type TransactionEdge struct {
	From   string           `json:"from"`
	To     string           `json:"to"`
	Asset  ledger.Asset     `json:"asset"`
	Amount exposure.Decimal `json:"amount"`
	Kind   string           `json:"kind,omitempty"`
	Log    *int             `json:"log_index,omitempty"`
	// Outpoint is what was spent or made; SpentBy is who spent it.
	Outpoint string `json:"outpoint,omitempty"`
	SpentBy  string `json:"spent_by,omitempty"`
}

// A PathQuestion asks for ways from one address to another.
type PathQuestion struct {
	From, To string
	Hops     int   // at most
	Since    int64 // Unix seconds; 0 is no bound
	Limit    int   // ways at most
}

// Ways are the shortest ways of value from one address to another.
type Ways struct {
	Items []Way `json:"items"`
	// Looked is how many transactions were looked at; Complete says that no bound was
	// reached, so that there is no way where none is given.
	Looked   int    `json:"looked"`
	Complete bool   `json:"complete"`
	Why      string `json:"why,omitempty"` // it is not complete
}

// A Way is one way: each step begins where the one before ended, and not earlier.
type Way struct {
	Steps []WayStep `json:"steps"`
}

// A WayStep is one transfer of a way.
type WayStep struct {
	From   string           `json:"from"`
	To     string           `json:"to"`
	Tx     string           `json:"tx"`
	Height uint64           `json:"height"`
	Time   int64            `json:"time"`
	Asset  ledger.Asset     `json:"asset"`
	Amount exposure.Decimal `json:"amount"`
	// Shared says that others paid into the transaction too, so that the amount may be theirs.
	Shared bool `json:"shared"`
}

// The bounds of what is asked.
const (
	maxNeighbours = 500
	maxPathHops   = 12
	maxWays       = 20
	maxKey        = 300
)

// listNeighbours adds up who an address had to do with.
func listNeighbours(x *exchange) {
	chain, address, ok := x.pathAddress()
	if !ok {
		return
	}
	q := &NeighbourQuestion{Direction: "both"}
	since, until, asset, least := "", "", "", ""
	if q.Page.After, q.Page.Limit, ok = x.paging("direction", "since", "until", "asset", "least"); !ok {
		return
	}
	if q.Page.Limit > maxNeighbours {
		x.fail(invalid("limit is a number from 1 to %d", maxNeighbours))
		return
	}
	query := x.request.URL.Query()
	q.Direction = unless(query.Get("direction"), "both")
	since, until, asset, least = query.Get("since"), query.Get("until"), query.Get("asset"), query.Get("least")
	if err := q.read(since, until, asset, least); err != nil {
		x.fail(err)
		return
	}
	ctx, cancel := x.within()
	defer cancel()
	found, err := x.parts.Graphs.Neighbours(ctx, chain, address, q)
	if err != nil {
		x.fail(err)
		return
	}
	if found.Next != "" {
		found.Next = cursorOf(found.Next)
	}
	x.ageOn(chain)
	x.json(http.StatusOK, found)
}

func (q *NeighbourQuestion) read(since, until, asset, least string) (err error) {
	switch q.Direction {
	case "both", "in", "out":
	default:
		return invalid("direction is both, in or out, not %.20q", q.Direction)
	}
	if q.Since, q.Until, err = span(since, until); err != nil {
		return err
	}
	if len(asset) > maxAsset || !isName(asset) {
		return invalid("the asset %.100q is none", asset)
	}
	q.Asset = ledger.Asset(asset)
	if least != "" {
		if q.Least, err = ledger.ParseAmount(least); err != nil {
			return invalid("least: %.200s", err.Error())
		}
	}
	return nil
}

// getTransactionGraph draws a transaction.
func getTransactionGraph(x *exchange) {
	chain, ok := x.pathChain()
	if !ok {
		return
	}
	id, ok := x.pathID("id")
	if !ok {
		return
	}
	ctx, cancel := x.within()
	defer cancel()
	found, err := x.parts.Graphs.TransactionGraph(ctx, chain, id)
	if err != nil {
		x.fail(err)
		return
	}
	x.ageOn(chain)
	x.json(http.StatusOK, found)
}

// listPaths finds ways from one address to another.
func listPaths(x *exchange) {
	chain, ok := x.pathChain()
	if !ok {
		return
	}
	q := &PathQuestion{}
	hops, since, limit := "", "", ""
	if !x.parameters(map[string]*string{"from": &q.From, "to": &q.To, "hops": &hops, "since": &since, "limit": &limit}) {
		return
	}
	var err error
	switch {
	case q.From == "" || q.To == "":
		err = invalid("from and to are needed: the addresses between which a way is wanted")
	case !isName(q.From) || !isName(q.To):
		err = invalid("from or to is no address")
	}
	if err == nil {
		q.Hops, err = count("hops", hops, maxPathHops, 6)
	}
	if err == nil {
		q.Since, _, err = span(since, "")
	}
	if err == nil {
		q.Limit, err = count("limit", limit, maxWays, 3)
	}
	if err != nil {
		x.fail(err)
		return
	}
	ctx, cancel := x.within()
	defer cancel()
	found, err := x.parts.Graphs.Paths(ctx, chain, q)
	if err != nil {
		x.fail(err)
		return
	}
	x.ageOn(chain)
	x.json(http.StatusOK, found)
}
