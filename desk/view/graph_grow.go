package view

import (
	"fmt"
	"slices"

	"coldtrail/ledger"
	"coldtrail/trace"
)

// Clusters says whose an address is: a key that all addresses of one owner share, and
// what to call him. An empty key is nobody's.
type Clusters func(chain, address string) (key, label string)

// Addresses lists by chain the addresses that value of a trace passed, the first first: of
// those Clusters is asked.
func Addresses(r *trace.Result) map[string][]string {
	byChain, seen := map[string][]string{}, map[string]bool{}
	flows := r.Flows()
	for i := range flows {
		for _, ends := range [][]trace.FlowEnd{flows[i].From, flows[i].To} {
			for j := range ends {
				e := &ends[j]
				chain := chainOf(e.Asset)
				if key := chain + " " + e.Address; e.Address != "" && !seen[key] {
					seen[key] = true
					byChain[chain] = append(byChain[chain], e.Address)
				}
			}
		}
	}
	return byChain
}

// place is a node while a graph is made.
type place struct {
	Node

	received, ended, costs, kinds map[string]*ledger.Amount

	addresses map[string]bool
}

// line is an edge while a graph is made.
type line struct {
	Edge

	from, to       int
	amount, origin ledger.Amount
	lastTx         string
}

// lineKey is what makes two movements one edge.
type lineKey struct {
	from, to      int
	colour, asset string
	link          string
}

// grower makes a graph of the flows of a trace.
type grower struct {
	result    *trace.Result
	selection *Selection
	clusters  Clusters
	least     ledger.Amount
	places    []*place
	byKey     map[string]int
	lines     []*line
	byLine    map[lineKey]int
	entities  map[string]string
	stolen    map[string]ledger.Amount
}

func newGrower(r *trace.Result, s *Selection, clusters Clusters) (*grower, error) {
	g := &grower{
		result: r, selection: s, clusters: clusters, byKey: map[string]int{}, byLine: map[lineKey]int{}, entities: map[string]string{}, stolen: map[string]ledger.Amount{},
	}
	if _, err := coloursOf(r, s.Colour); err != nil {
		return nil, err
	}
	switch s.Group {
	case "", ByAddress, ByEntity:
	case ByCluster:
		if clusters == nil {
			return nil, fmt.Errorf("%w: no clusters are held here; group by address or entity", ErrSelection)
		}
	default:
		return nil, fmt.Errorf("%w: group is address, entity or cluster, not %.50q", ErrSelection, s.Group)
	}
	if s.Least != "" {
		least, err := ledger.ParseAmount(s.Least)
		if err != nil {
			return nil, fmt.Errorf("%w: least: %w", ErrSelection, err)
		}
		g.least = least
	}
	for i := range r.Colours {
		stolen, err := number(r.Colours[i].Stolen)
		if err != nil {
			return nil, err
		}
		g.stolen[r.Colours[i].Colour] = stolen
	}
	for i := range r.Dispositions {
		if d := &r.Dispositions[i]; d.Entity != "" {
			g.entities[d.Chain+" "+d.Address] = d.Entity
		}
	}
	return g, nil
}

// takes says whether a flow is in the time that is asked for.
func (g *grower) takes(f *trace.Flow) bool {
	at := unix(f.Time)
	return at >= g.selection.Since && (g.selection.Until == 0 || at <= g.selection.Until)
}

// grow adds flows, and where value ended.
func (g *grower) grow(flows []trace.Flow) error {
	for i := range flows {
		if !g.takes(&flows[i]) {
			continue
		}
		for _, c := range g.result.Colours {
			if g.selection.Colour != "" && c.Colour != g.selection.Colour {
				continue
			}
			if err := g.flow(&flows[i], c.Colour); err != nil {
				return err
			}
		}
	}
	return g.end()
}

// end adds what went no further at the nodes that there are.
func (g *grower) end() error {
	for i := range g.result.Dispositions {
		d := &g.result.Dispositions[i]
		if g.selection.Colour != "" && d.Colour != g.selection.Colour || isCost(d.Kind) {
			continue
		}
		at, ok := g.byKey[g.key(d.Chain, d.At, d.Address).Key]
		if !ok {
			continue
		}
		origin, err := number(d.Origin)
		if err != nil {
			return err
		}
		p := g.places[at]
		addTo(p.ended, d.Colour, &origin)
		p.count(d.Kind, &origin)
	}
	return nil
}

// isCost says that a kind of end is what moving cost.
func isCost(kind string) bool { return kind == "fee" || kind == "burned" || kind == "rounding" }

// count keeps the kind of the most that ended.
func (p *place) count(kind string, origin *ledger.Amount) {
	sum := addTo(p.kinds, kind, origin)
	if best := p.kinds[p.Kind]; best == nil || best.Lt(sum) {
		p.Kind = kind
	}
}

func addTo(sums map[string]*ledger.Amount, key string, amount *ledger.Amount) *ledger.Amount {
	if sums[key] == nil {
		sums[key] = new(ledger.Amount)
	}
	sums[key].Add(sums[key], amount)
	return sums[key]
}

// key is the node that a place belongs to.
func (g *grower) key(chain, at, address string) Node {
	entity := g.entities[chain+" "+address]
	n := Node{Key: chain + " " + address, Label: address, Class: NodeAddress, Chain: chain, Address: address, Entity: entity}
	switch {
	case address == "":
		n.Key, n.Label, n.Class = chain+" "+at, at, NodeOutput
	case g.selection.Group == ByEntity && entity != "":
		n = Node{Key: "entity " + chain + " " + entity, Label: entity, Class: NodeEntity, Chain: chain, Entity: entity}
	case g.selection.Group == ByCluster:
		if key, label := g.clusters(chain, address); key != "" {
			n = Node{Key: "cluster " + chain + " " + key, Label: label, Class: NodeCluster, Chain: chain, Entity: entity}
		}
	}
	return n
}

func (g *grower) place(n Node) int {
	at, ok := g.byKey[n.Key]
	if !ok {
		at = len(g.places)
		g.byKey[n.Key] = at
		g.places = append(g.places, &place{
			Node: n, received: map[string]*ledger.Amount{}, ended: map[string]*ledger.Amount{}, costs: map[string]*ledger.Amount{}, kinds: map[string]*ledger.Amount{},
			addresses: map[string]bool{},
		})
	}
	return at
}

// end of a flow at a node.
type flowEnd struct {
	at             int
	asset          string
	amount, origin ledger.Amount
	certainty      uint32
}

// ends gives the ends of a colour, by node and asset; what moving cost is apart.
func (g *grower) ends(list []trace.FlowEnd, colour string) (ends []flowEnd, costs ledger.Amount, err error) {
	for i := range list {
		e := &list[i]
		if e.Colour != colour {
			continue
		}
		x := flowEnd{asset: e.Asset, certainty: e.Certainty}
		if x.origin, err = number(e.Origin); err != nil {
			return nil, costs, err
		}
		if x.amount, err = number(e.Amount); err != nil {
			return nil, costs, err
		}
		if isCost(e.Kind) {
			costs.Add(&costs, &x.origin)
			continue
		}
		x.at = g.place(g.key(chainOf(e.Asset), e.At, e.Address))
		g.places[x.at].addresses[e.Address] = true
		same := slices.IndexFunc(ends, func(o flowEnd) bool { return o.at == x.at && o.asset == x.asset })
		if same < 0 || len(ends) > mostMerged {
			ends = append(ends, x)
			continue
		}
		o := &ends[same]
		o.amount.Add(&o.amount, &x.amount)
		o.origin.Add(&o.origin, &x.origin)
		o.certainty = min(o.certainty, x.certainty)
	}
	return ends, costs, nil
}

// mostMerged bounds the ends among which those of one node are looked for.
const mostMerged = 1000

// flow adds what one transaction did of a colour. From one place to many, or from many to
// one without costs, edges say it exactly; else the transaction is a node between.
func (g *grower) flow(f *trace.Flow, colour string) error {
	from, _, err := g.ends(f.From, colour)
	if err != nil {
		return err
	}
	to, costs, err := g.ends(f.To, colour)
	if err != nil || len(from)+len(to) == 0 {
		return err
	}
	m := movement{f, colour}
	for i := range to {
		p := g.places[to[i].at]
		p.seen(unix(f.Time))
		if len(from) == 0 {
			p.Theft = p.Theft || f.Link == ""
			addTo(p.received, colour, &to[i].origin)
		}
	}
	switch {
	case len(from) == 0:
		return nil
	case len(from) == 1:
		for i := range to {
			g.line(m, from[0].at, &to[i], to[i].at)
		}
		addTo(g.places[from[0].at].costs, colour, &costs)
	case len(to) == 1 && f.Link == "" && costs.IsZero():
		for i := range from {
			g.line(m, from[i].at, &from[i], to[0].at)
		}
	default:
		tx := g.place(Node{Key: "tx " + f.Chain + " " + f.Tx, Label: f.Tx, Class: NodeTransaction, Chain: f.Chain, Tx: f.Tx})
		g.through(m, tx, from, to, &costs)
	}
	return nil
}

// through leads many places through a transaction to many. What went in may pay for
// several transactions of a link, so that it is cut down to what this one gave.
func (g *grower) through(m movement, tx int, from, to []flowEnd, costs *ledger.Amount) {
	var came ledger.Amount
	went := *costs
	for i := range from {
		came.Add(&came, &from[i].origin)
	}
	for i := range to {
		went.Add(&went, &to[i].origin)
	}
	left := went
	for i := range from {
		if m.flow.Link != "" && went.Lt(&came) {
			from[i].origin.MulDivOverflow(&from[i].origin, &went, &came)
			if i == len(from)-1 {
				from[i].origin = left
			}
			left.Sub(&left, &from[i].origin)
		}
		g.line(m, from[i].at, &from[i], tx)
	}
	for i := range to {
		g.line(m, tx, &to[i], to[i].at)
	}
	addTo(g.places[tx].costs, m.colour, costs)
}

// movement is a flow of one colour.
type movement struct {
	flow   *trace.Flow
	colour string
}

func (p *place) seen(at int64) {
	if at == 0 {
		return
	}
	if p.First == 0 || at < p.First {
		p.First = at
	}
	p.Last = max(p.Last, at)
}

// line adds to the edge between two nodes. What stays at a node is none.
func (g *grower) line(m movement, from int, what *flowEnd, to int) {
	if from == to {
		return
	}
	key := lineKey{from, to, m.colour, what.asset, m.flow.Link}
	i, ok := g.byLine[key]
	if !ok {
		i = len(g.lines)
		g.byLine[key] = i
		g.lines = append(g.lines, &line{from: from, to: to, Edge: Edge{Colour: m.colour, Asset: what.asset, Link: m.flow.Link, Certainty: what.certainty, Txs: []string{}}})
	}
	l := g.lines[i]
	l.amount.Add(&l.amount, &what.amount)
	l.origin.Add(&l.origin, &what.origin)
	addTo(g.places[to].received, m.colour, &what.origin)
	l.Certainty = min(l.Certainty, what.certainty)
	if l.lastTx != m.flow.Tx {
		l.lastTx = m.flow.Tx
		if l.Transactions++; len(l.Txs) < shownTxs {
			l.Txs = append(l.Txs, m.flow.Tx)
		}
	}
	at := unix(m.flow.Time)
	if l.First == 0 || at < l.First {
		l.First = at
	}
	l.Last = max(l.Last, at)
	g.places[from].seen(at)
	g.places[to].seen(at)
}

// shownTxs is how many transactions of an edge are named.
const shownTxs = 3
