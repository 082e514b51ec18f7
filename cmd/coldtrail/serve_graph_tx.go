package main

import (
	"context"

	"coldtrail/desk/layout"
	"coldtrail/ledger"
	"coldtrail/server"
)

// The bounds of a transaction that is drawn.
const (
	mostDrawnNodes = 1000
	mostDrawnEdges = 4000
)

// The classes of nodes of a transaction.
const (
	classAddress     = "address"
	classOutput      = "output"
	classTransaction = "transaction"
	classFee         = "fee"
	classIssue       = "issue"
)

// TransactionGraph draws a transaction.
func (l storeGraphs) TransactionGraph(ctx context.Context, chain ledger.Chain, id string) (*server.TransactionGraph, error) {
	tx, err := l.Transaction(ctx, chain, id)
	if err != nil {
		return nil, err
	}
	d := &txDrawing{graph: &server.TransactionGraph{Chain: tx.Chain, Tx: tx.ID, Height: tx.Height, Time: tx.Time, Status: tx.Status, Nodes: []server.TransactionNode{}, Edges: []server.TransactionEdge{}}, index: map[string]int{}}
	if len(tx.Inputs)+len(tx.Outputs) > 0 {
		d.outputs(&tx)
	} else {
		d.movements(&tx)
	}
	v := &chainView{chain: ledger.Chain(tx.Chain)}
	keepers := l.keepers(v)
	for i := range d.graph.Nodes {
		n := &d.graph.Nodes[i]
		if n.Address == "" {
			continue
		}
		if n.Entity, n.Service, err = keepers.of(ctx, n.Address); err != nil {
			return nil, err
		}
	}
	return d.graph, d.place()
}

// txDrawing is a transaction while it is drawn.
type txDrawing struct {
	graph  *server.TransactionGraph
	index  map[string]int
	layers []int
	edges  []layout.Edge
}

// node gives the node of a key, unless there is no room for it.
func (d *txDrawing) node(n server.TransactionNode, layer int) (at int, ok bool) {
	if at, ok = d.index[n.Key]; ok {
		return at, true
	}
	if len(d.graph.Nodes) == mostDrawnNodes {
		return 0, false
	}
	at = len(d.graph.Nodes)
	d.index[n.Key] = at
	d.graph.Nodes, d.layers = append(d.graph.Nodes, n), append(d.layers, layer)
	return at, true
}

func (d *txDrawing) edge(from, to int, e server.TransactionEdge) {
	if len(d.graph.Edges) == mostDrawnEdges {
		d.graph.LeftOut++
		return
	}
	e.From, e.To = d.graph.Nodes[from].Key, d.graph.Nodes[to].Key
	d.graph.Edges, d.edges = append(d.graph.Edges, e), append(d.edges, layout.Edge{From: from, To: to})
}

// The columns of a transaction on a chain of outputs.
const (
	columnInputs = iota
	columnTransaction
	columnOutputs
)

// outputs draws what a transaction spent and made: payers, the transaction, payees.
func (d *txDrawing) outputs(tx *server.Transaction) {
	center, _ := d.node(server.TransactionNode{Key: "tx", Label: tx.ID, Class: classTransaction}, columnTransaction)
	for i := range tx.Inputs {
		in := &tx.Inputs[i]
		if at, ok := d.node(sideNode("in ", in), columnInputs); ok {
			d.edge(at, center, legEdge(in))
		} else {
			d.graph.LeftOut++
		}
	}
	for i := range tx.Outputs {
		out := &tx.Outputs[i]
		if at, ok := d.node(sideNode("out ", out), columnOutputs); ok {
			d.edge(center, at, legEdge(out))
		} else {
			d.graph.LeftOut++
		}
	}
	if tx.Fee != nil {
		d.fee(center, tx.Fee, columnOutputs)
	}
}

func (d *txDrawing) fee(from int, fee *server.Leg, layer int) {
	if at, ok := d.node(server.TransactionNode{Key: "fee", Label: "Fee", Class: classFee}, layer); ok {
		d.edge(from, at, server.TransactionEdge{Asset: fee.Asset, Amount: fee.Amount, Kind: kindFee})
	} else {
		d.graph.LeftOut++
	}
}

// sideNode is the node of one side: an address, or an output where that is not known.
func sideNode(side string, leg *server.Leg) server.TransactionNode {
	if leg.Address == "" {
		return server.TransactionNode{Key: side + leg.Outpoint, Label: leg.Outpoint, Class: classOutput}
	}
	return server.TransactionNode{Key: side + leg.Address, Label: leg.Address, Class: classAddress, Address: leg.Address}
}

func legEdge(leg *server.Leg) server.TransactionEdge {
	return server.TransactionEdge{Asset: leg.Asset, Amount: leg.Amount, Outpoint: leg.Outpoint, SpentBy: leg.SpentBy}
}

// movements draws what a transaction moved from account to account, in its order.
func (d *txDrawing) movements(tx *server.Transaction) {
	for i := range tx.Movements {
		m := &tx.Movements[i]
		from, ok1 := d.node(accountNode(m.From), layout.Free)
		to, ok2 := d.node(accountNode(m.To), layout.Free)
		if !ok1 || !ok2 {
			d.graph.LeftOut++
			continue
		}
		d.edge(from, to, server.TransactionEdge{Asset: m.Asset, Amount: m.Amount, Kind: m.Kind, Log: m.Log})
	}
	if tx.Fee == nil {
		return
	}
	cost := *tx.Fee
	if payer, ok := d.node(accountNode(cost.Address), layout.Free); ok {
		d.fee(payer, &cost, layout.Free)
	} else {
		d.graph.LeftOut++
	}
}

// accountNode is the node of an account, or of nobody: what is issued comes from there,
// and what is destroyed goes there.
func accountNode(address string) server.TransactionNode {
	if address == "" {
		return server.TransactionNode{Key: "issue", Label: "Issued or destroyed", Class: classIssue}
	}
	return server.TransactionNode{Key: address, Label: address, Class: classAddress, Address: address}
}

func (d *txDrawing) place() error {
	placed, err := layout.Place(&layout.Graph{Layers: d.layers, Edges: d.edges})
	if err != nil {
		return err
	}
	for i := range d.graph.Nodes {
		d.graph.Nodes[i].X, d.graph.Nodes[i].Y = placed.X[i], placed.Y[i]
	}
	d.graph.DrawnWidth, d.graph.DrawnHeight = placed.Width, placed.Height
	return nil
}
