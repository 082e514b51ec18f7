package view_test

import (
	"encoding/json"
	"errors"
	"math/big"
	"slices"
	"strings"
	"testing"

	"coldtrail/desk/view"
	"coldtrail/trace"
)

func graphOf(t *testing.T, r *trace.Result, s *view.Selection) *view.Graph {
	t.Helper()
	g, err := view.NewGraph(r, s, nil)
	if err != nil {
		t.Fatal(err)
	}
	checkGraph(t, g)
	return g
}

// checkGraph wants a graph that can be drawn: no two nodes with one key or at one place,
// edges between nodes, which go right unless they say that they do not.
func checkGraph(t *testing.T, g *view.Graph) {
	t.Helper()
	nodes, places := map[string]*view.Node{}, map[[2]int]bool{}
	for i := range g.Nodes {
		n := &g.Nodes[i]
		if nodes[n.Key] != nil || places[[2]int{n.X, n.Y}] || n.X >= g.Width || n.Y >= g.Height {
			t.Errorf("%s is there twice, or another at (%d, %d)", n.Key, n.X, n.Y)
		}
		nodes[n.Key], places[[2]int{n.X, n.Y}] = n, true
	}
	for i := range g.Edges {
		e := &g.Edges[i]
		if nodes[e.From] == nil || nodes[e.To] == nil || e.From == e.To {
			t.Fatalf("edge %+v joins what is no node", e)
		}
		if (nodes[e.From].X >= nodes[e.To].X) != e.Back {
			t.Errorf("edge from %s to %s goes back: %v", e.From, e.To, e.Back)
		}
		if e.Transactions == 0 || len(e.Txs) > 3 || e.First > e.Last {
			t.Errorf("edge %+v", e)
		}
	}
}

func sharesOf(t *testing.T, sums map[string]*big.Int, key string, sign int64, list []view.Share) {
	t.Helper()
	for _, s := range list {
		addBig(t, sums, key+" "+s.Colour, sign, s.Origin)
	}
}

func addBig(t *testing.T, sums map[string]*big.Int, key string, sign int64, origin string) {
	t.Helper()
	if sums[key] == nil {
		sums[key] = new(big.Int)
	}
	sums[key].Add(sums[key], new(big.Int).Mul(big.NewInt(sign), big10(t, origin)))
}

// checkConserved wants that what came into every node came over edges or was stolen
// there, and that it went out, ended or was paid.
func checkConserved(t *testing.T, r *trace.Result, g *view.Graph) {
	t.Helper()
	in, out := map[string]*big.Int{}, map[string]*big.Int{}
	for i := range g.Nodes {
		n := &g.Nodes[i]
		sharesOf(t, in, n.Key, 1, n.Received)
		sharesOf(t, out, n.Key, 1, n.Received)
		sharesOf(t, out, n.Key, -1, n.Ended)
		sharesOf(t, out, n.Key, -1, n.Costs)
	}
	for _, e := range g.Edges {
		addBig(t, in, e.To+" "+e.Colour, -1, e.Origin)
		addBig(t, out, e.From+" "+e.Colour, -1, e.Origin)
	}
	left := map[string]*big.Int{}
	for key, sum := range in {
		if sum.Sign() < 0 {
			t.Errorf("%s: more comes in over edges than was received, by %s", key, sum)
		}
		addBig(t, left, key[strings.LastIndex(key, " ")+1:], 1, sum.String())
	}
	for _, c := range r.Colours {
		if sum := left[c.Colour]; sum == nil || sum.String() != c.Stolen {
			t.Errorf("%s: %s came in over no edge, and %s were stolen", c.Colour, sum, c.Stolen)
		}
	}
	for key, sum := range out {
		if sum.Sign() != 0 {
			t.Errorf("%s: %s of what came in is nowhere", key, sum)
		}
	}
}

// TestWholeGraph: the graph of a whole laundering has everything, by address and by entity.
func TestWholeGraph(t *testing.T) {
	for name, of := range map[string]*trace.Result{"played": answer(t, played), "stolen": answer(t, stolen)} {
		for _, group := range []view.Group{view.ByAddress, view.ByEntity} {
			g := graphOf(t, of, &view.Selection{Limit: view.MostNodes, Group: group})
			checkConserved(t, of, g)
			if g.Total != len(g.Nodes) || g.LeftOut.Nodes != 0 || g.LeftOut.Edges != 0 || len(g.LeftOut.Origin) != 0 {
				t.Errorf("%s by %s: %d of %d nodes, left out %+v", name, group, len(g.Nodes), g.Total, g.LeftOut)
			}
		}
	}
}

// TestGraphByEntity: what one service has is one node, and what a cluster has one node.
func TestGraphByEntity(t *testing.T) {
	r := answer(t, played)
	g := graphOf(t, r, &view.Selection{Limit: view.MostNodes, Group: view.ByEntity})
	at := slices.IndexFunc(g.Nodes, func(n view.Node) bool { return n.Class == view.NodeEntity && n.Addresses > 1 })
	if at < 0 {
		t.Fatal("no entity has several addresses")
	}
	plain := graphOf(t, r, &view.Selection{Limit: view.MostNodes})
	if len(plain.Nodes) <= len(g.Nodes) {
		t.Errorf("%d nodes by address, %d by entity", len(plain.Nodes), len(g.Nodes))
	}
	all, err := view.NewGraph(r, &view.Selection{Limit: view.MostNodes, Group: view.ByCluster}, func(chain, _ string) (string, string) {
		if chain == "eip155:1" {
			return "everybody", "Everybody on Ethereum"
		}
		return "", ""
	})
	if err != nil {
		t.Fatal(err)
	}
	checkGraph(t, all)
	if at := slices.IndexFunc(all.Nodes, func(n view.Node) bool { return n.Class == view.NodeCluster }); at < 0 || all.Nodes[at].Label != "Everybody on Ethereum" || !all.Nodes[at].Theft {
		t.Errorf("by cluster: %d", at)
	}
	if _, err := view.NewGraph(r, &view.Selection{Group: view.ByCluster}, nil); !errors.Is(err, view.ErrSelection) {
		t.Errorf("without clusters: %v", err)
	}
}

// TestGraphIsBounded: what there is no room for is counted, every node that is shown can
// be reached from a theft, and what leads out has a rest.
func TestGraphIsBounded(t *testing.T) {
	r := answer(t, played)
	g := graphOf(t, r, &view.Selection{Limit: 50})
	rests, shown := 0, 0
	reached := map[string]bool{}
	for _, n := range g.Nodes {
		if n.Class == view.NodeRest {
			rests++
			continue
		}
		shown++
		reached[n.Key] = n.Theft
	}
	for range g.Nodes {
		for _, e := range g.Edges {
			reached[e.To] = reached[e.To] || reached[e.From]
		}
	}
	for _, n := range g.Nodes {
		if !reached[n.Key] {
			t.Errorf("%s hangs in the air", n.Key)
		}
	}
	if shown != 50 || rests == 0 || g.LeftOut.Nodes != g.Total-50 || g.LeftOut.Edges == 0 || len(g.LeftOut.Origin) == 0 {
		t.Errorf("%d nodes and %d rests of %d, left out %+v", shown, rests, g.Total, g.LeftOut)
	}
	again := graphOf(t, r, &view.Selection{Limit: 50})
	a, _ := json.Marshal(g)
	if b, _ := json.Marshal(again); string(a) != string(b) {
		t.Error("drawn again it is another")
	}
}

// TestGraphFilters: hops, least, time, colour and root leave out what they say.
func TestGraphFilters(t *testing.T) {
	r := answer(t, stolen)
	two := graphOf(t, r, &view.Selection{Colour: "bybit-2025/eth", Hops: 2, Limit: view.MostNodes})
	for _, n := range two.Nodes {
		if n.Hops > 2 {
			t.Errorf("%s is %d hops away", n.Key, n.Hops)
		}
	}
	if len(two.Nodes) < 10 || two.Nodes[0].Address != "0x47666Fab8bd0Ac7003bce3f5C3585383F09486E2" || !two.Nodes[0].Theft {
		t.Errorf("%d nodes, the first is %+v", len(two.Nodes), two.Nodes[0])
	}
	const least = "10000000000000000000000"
	for _, e := range graphOf(t, r, &view.Selection{Colour: "bybit-2025/eth", Least: least}).Edges {
		if big10(t, e.Origin).Cmp(big10(t, least)) < 0 {
			t.Errorf("an edge of %s", e.Origin)
		}
	}
	const since, until = 1740152000, 1740153000
	some := graphOf(t, r, &view.Selection{Since: since, Until: until})
	if len(some.Edges) == 0 {
		t.Error("nothing moved in that time")
	}
	for _, e := range some.Edges {
		if e.First < since || e.Last > until {
			t.Errorf("an edge from %d to %d", e.First, e.Last)
		}
	}
	const root = "0xA4B2Fd68593B6F34E51cB9eDB66E71c1B4Ab449e"
	from := graphOf(t, r, &view.Selection{Root: root})
	if from.Nodes[0].Address != root || from.Nodes[0].Hops != 0 || from.Total >= graphOf(t, r, &view.Selection{}).Total {
		t.Errorf("%d nodes, the first is %+v", from.Total, from.Nodes[0])
	}
	for _, s := range []*view.Selection{{Colour: "red"}, {Least: "-1"}, {Group: "house"}} {
		if _, err := view.NewGraph(r, s, nil); !errors.Is(err, view.ErrSelection) {
			t.Errorf("%+v: %v", s, err)
		}
	}
	if _, err := view.NewGraph(r, &view.Selection{Root: "0x0"}, nil); !errors.Is(err, view.ErrNothing) {
		t.Errorf("a root that is nowhere: %v", err)
	}
}

// TestPath: the graph of a way is a chain from the theft to the place, over the bridge.
func TestPath(t *testing.T) {
	r := answer(t, played)
	at := slices.IndexFunc(r.Dispositions, func(d trace.Disposition) bool {
		return d.Colour == "bybit-2025/eth" && d.Kind == "held" && strings.HasPrefix(d.Chain, "bip122:") && d.Hops > 4
	})
	d := &r.Dispositions[at]
	p, err := view.NewPath(r, d.Colour, d.At)
	if err != nil {
		t.Fatal(err)
	}
	checkGraph(t, p.Graph)
	want, err := r.Path(d.Colour, d.At)
	if err != nil || len(p.Flows) != len(want) || !p.Graph.Nodes[0].Theft {
		t.Errorf("%d flows, want %d, %v; %+v", len(p.Flows), len(want), err, p.Graph.Nodes[0])
	}
	over, ends := false, map[string]bool{}
	for _, e := range p.Graph.Edges {
		over = over || e.Link == "THORChain"
		ends[e.To] = true
	}
	if !over || !ends[d.Chain+" "+d.Address] || len(p.Graph.Nodes) > 2*len(p.Flows)+2 {
		t.Errorf("%d nodes of %d flows, over the bridge: %v, to %s: %v", len(p.Graph.Nodes), len(p.Flows), over, d.Address, ends[d.Chain+" "+d.Address])
	}
	if _, err := view.NewPath(r, d.Colour, "nowhere"); !errors.Is(err, view.ErrNothing) {
		t.Errorf("nowhere: %v", err)
	}
	if _, err := view.NewPath(r, "", d.At); !errors.Is(err, view.ErrSelection) {
		t.Errorf("no colour: %v", err)
	}
}

// BenchmarkGraph draws a whole laundering.
func BenchmarkGraph(b *testing.B) {
	r := answer(b, played)
	for b.Loop() {
		if _, err := view.NewGraph(r, &view.Selection{}, nil); err != nil {
			b.Fatal(err)
		}
	}
}
