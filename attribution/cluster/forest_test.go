package cluster_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"coldtrail/attribution/cluster"
	"coldtrail/ledger"
)

// grown is a forest with what was done to it, block by block.
type grown struct {
	forest *cluster.Forest
	blocks []block
}

// block is a block's outputs (the address each belongs to) and joinings.
type block struct {
	owners []uint32 // an output's address, by its first output
	joins  [][2]uint32
}

func (g *grown) apply(t *rapid.T, b block) {
	previous := make([]uint64, len(b.owners))
	members := uint32(g.forest.Members())
	for i, owner := range b.owners {
		previous[i] = 1<<64 - 1
		if owner < members+uint32(i) {
			previous[i] = uint64(owner)
		}
	}
	if err := g.forest.Room(len(previous), len(b.joins), 1); err != nil {
		t.Fatal(err)
	}
	cluster.Extend(g.forest, previous)
	for _, j := range b.joins {
		g.forest.Join(g.forest.Address(j[0]), g.forest.Address(j[1]), uint32(len(g.blocks)), 0)
	}
	g.blocks = append(g.blocks, b)
	g.forest.Close(cluster.Mark{Hash: [8]byte{byte(len(g.blocks))}, Height: uint32(len(g.blocks)), Members: uint32(g.forest.Members())})
}

// naive gives every output the smallest number of its cluster, after so many blocks.
func (g *grown) naive(blocks int) []uint32 {
	var name []uint32
	for _, b := range g.blocks[:blocks] {
		for i, owner := range b.owners {
			if owner < uint32(len(name)) {
				name = append(name, name[owner])
			} else {
				name = append(name, uint32(len(name)))
			}
			_ = i
		}
		for _, j := range b.joins {
			from, to := max(name[j[0]], name[j[1]]), min(name[j[0]], name[j[1]])
			for i := range name {
				if name[i] == from {
					name[i] = to
				}
			}
		}
	}
	return name
}

// checkClusters compares a forest with the naive model as of some blocks.
func (g *grown) checkClusters(t *rapid.T, blocks int) {
	var links uint32
	if blocks > 0 {
		links = g.forest.At(uint64(blocks))
	}
	want := g.naive(blocks)
	for a := range want {
		for b := range want {
			together := g.forest.RootAt(g.forest.Address(uint32(a)), links) == g.forest.RootAt(g.forest.Address(uint32(b)), links)
			if together != (want[a] == want[b]) {
				t.Fatalf("after %d blocks %d and %d are one owner's: %v, want %v", blocks, a, b, together, want[a] == want[b])
			}
			steps, ok := g.forest.Explain(g.forest.Address(uint32(a)), g.forest.Address(uint32(b)), links, 1000)
			if ok != together {
				t.Fatalf("%d and %d are explained: %v, want %v", a, b, ok, together)
			}
			g.checkSteps(t, g.forest.Address(uint32(a)), g.forest.Address(uint32(b)), steps, blocks)
		}
	}
}

// checkSteps wants a chain of joinings that were really made, from a to b.
func (g *grown) checkSteps(t *rapid.T, a, b uint32, steps []cluster.Step, blocks int) {
	at := a
	for _, s := range steps {
		made := int(s.Tx) < blocks && slices.ContainsFunc(g.blocks[s.Tx].joins, func(j [2]uint32) bool {
			x, y := g.forest.Address(j[0]), g.forest.Address(j[1])
			return x == s.A && y == s.B || x == s.B && y == s.A
		})
		if s.A != at || !made {
			t.Fatalf("%d to %d: step %+v at %d is no joining of its block", a, b, s, at)
		}
		at = s.B
	}
	if len(steps) > 0 && at != b {
		t.Fatalf("%d to %d: the steps end at %d", a, b, at)
	}
}

func drawBlock(t *rapid.T, members int) block {
	var b block
	for i := range rapid.IntRange(0, 4).Draw(t, "outputs") {
		b.owners = append(b.owners, uint32(rapid.IntRange(0, 2*(members+i)+1).Draw(t, "owner")))
	}
	if n := members + len(b.owners); n > 0 {
		for range rapid.IntRange(0, 3).Draw(t, "joins") {
			b.joins = append(b.joins, [2]uint32{uint32(rapid.IntRange(0, n-1).Draw(t, "a")), uint32(rapid.IntRange(0, n-1).Draw(t, "b"))})
		}
	}
	return b
}

// TestForest: over random blocks and rewinds a forest has the clusters that a naive model
// has, now and as of every earlier block; every joining is explained by evidence of the
// time; rings hold exactly their cluster; and a forest that was rewound is the forest
// that never went on.
func TestForest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := &grown{forest: cluster.Open(cluster.InMemory(ledger.UTXO))}
		for range rapid.IntRange(1, 8).Draw(t, "steps") {
			if len(g.blocks) > 0 && rapid.IntRange(0, 3).Draw(t, "rewind") == 0 {
				to := rapid.IntRange(0, len(g.blocks)).Draw(t, "to")
				g.forest.Rewind(uint64(to))
				g.blocks = g.blocks[:to]
				continue
			}
			g.apply(t, drawBlock(t, int(g.forest.Members())))
		}
		for n := range len(g.blocks) + 1 {
			g.checkClusters(t, n)
		}
		fresh := &grown{forest: cluster.Open(cluster.InMemory(ledger.UTXO))}
		for _, b := range g.blocks {
			fresh.apply(t, b)
		}
		if diff := cmp.Diff(contents(fresh.forest), contents(g.forest)); diff != "" {
			t.Fatalf("rebuilt and rewound forests differ:\n%s", diff)
		}
		checkRings(t, g)
	})
}

func contents(f *cluster.Forest) string {
	n, l, m := f.Members(), f.Joined(), f.Blocks()
	return fmt.Sprint(f.Nodes[:n], f.Links[:l], f.Marks[:m])
}

func checkRings(t *rapid.T, g *grown) {
	want := map[uint32][]uint32{}
	for i, name := range g.naive(len(g.blocks)) {
		if g.forest.Address(uint32(i)) == uint32(i) {
			want[name] = append(want[name], uint32(i))
		}
	}
	for name, members := range want {
		var got []uint32
		root := g.forest.Root(name)
		g.forest.Each(root, func(a uint32) bool { got = append(got, a); return true })
		if slices.Sort(got); !slices.Equal(got, members) || g.forest.Size(root) != uint32(len(members)) {
			t.Fatalf("cluster of %d has %v (%d), want %v", name, got, g.forest.Size(root), members)
		}
	}
}

// TestKilledForest: whatever of a joining had reached memory when the process was killed,
// opening the space again gives the forest as of its last mark.
func TestKilledForest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		space := cluster.InMemory(ledger.UTXO)
		g := &grown{forest: cluster.Open(space)}
		g.apply(t, block{owners: []uint32{0, 1, 2, 3, 4, 5}, joins: [][2]uint32{{0, 1}, {2, 3}}})
		want := contents(g.forest)
		before := *space
		before.Nodes = slices.Clone(space.Nodes)
		if err := g.forest.Room(0, 4, 1); err != nil {
			t.Fatal(err)
		}
		g.forest.Join(uint32(rapid.IntRange(0, 5).Draw(t, "a")), uint32(rapid.IntRange(0, 5).Draw(t, "b")), 1, 0)
		g.forest.Join(uint32(rapid.IntRange(0, 5).Draw(t, "c")), uint32(rapid.IntRange(0, 5).Draw(t, "d")), 1, 0)
		// Any write of the last link may be missing: put some of the old values back.
		last := space.Links[max(1, g.forest.Joined())-1]
		if g.forest.Joined() == 3 { // one link since the mark
			for _, m := range []uint32{last.Child, last.Parent} {
				for _, field := range []func(*cluster.Node) *uint32{
					func(n *cluster.Node) *uint32 { return &n.Up }, func(n *cluster.Node) *uint32 { return &n.Count }, func(n *cluster.Node) *uint32 { return &n.Next },
				} {
					if rapid.Bool().Draw(t, "missing") {
						*field(&space.Nodes[m]) = *field(&before.Nodes[m])
					}
				}
			}
		}
		if got := contents(cluster.Open(space)); got != want {
			t.Fatalf("got  %s\nwant %s", got, want)
		}
	})
}

// TestExamine compares the structure of random clusters with a naive model that takes
// every transaction away in turn.
func TestExamine(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		evidence := drawEvidence(t)
		actors := map[uint32]string{}
		for range rapid.IntRange(0, 4).Draw(t, "labels") {
			actors[uint32(rapid.IntRange(0, 9).Draw(t, "labelled"))] = rapid.SampledFrom([]string{"binance", "kraken", "okx"}).Draw(t, "actor")
		}
		got := cluster.Examine(evidence, actors)
		whole := parts(evidence, map[uint32]bool{})
		members := 0
		for _, part := range whole {
			members += len(part)
		}
		if int(got.Addresses) != members {
			t.Fatalf("%d addresses, want %d", got.Addresses, members)
		}
		weak := map[uint32][]uint32{}
		gone := map[uint32]bool{}
		for _, w := range got.Weak {
			weak[w.Tx], gone[w.Tx] = w.Parts, true
		}
		for i := range evidence {
			tx := evidence[i].Tx
			left := partsWith(evidence, tx)
			if (len(left) > 1) != (weak[tx] != nil) {
				t.Fatalf("without %d there are %v, reported %v", tx, left, weak[tx])
			}
			if weak[tx] != nil && !slices.Equal(weak[tx], left) {
				t.Fatalf("without %d the parts are %v, want %v", tx, weak[tx], left)
			}
		}
		if len(got.Weak) == 0 {
			if got.Cohesion != 10_000 {
				t.Fatalf("cohesion %d of a cluster that hangs together", got.Cohesion)
			}
			return
		}
		largest := 0
		for _, part := range parts(evidence, gone) {
			largest = max(largest, len(part))
		}
		if want := uint32(largest * 10_000 / members); got.Cohesion != want {
			t.Fatalf("cohesion %d, want %d", got.Cohesion, want)
		}
	})
}

func drawEvidence(t *rapid.T) (list []cluster.Evidence) {
	for tx := range rapid.IntRange(1, 6).Draw(t, "transactions") {
		e := cluster.Evidence{Tx: uint32(tx)}
		for range rapid.IntRange(2, 4).Draw(t, "inputs") {
			if m := uint32(rapid.IntRange(0, 9).Draw(t, "input")); !slices.Contains(e.Addresses, m) {
				e.Addresses = append(e.Addresses, m)
			}
		}
		list = append(list, e)
	}
	return list
}

// parts are the connected addresses without some transactions.
func parts(evidence []cluster.Evidence, without map[uint32]bool) (list [][]uint32) {
	for i := range evidence {
		for _, m := range evidence[i].Addresses {
			if !slices.ContainsFunc(list, func(p []uint32) bool { return slices.Contains(p, m) }) {
				list = append(list, []uint32{m})
			}
		}
	}
	for i := range evidence {
		if without[evidence[i].Tx] {
			continue
		}
		var joined []uint32
		list = slices.DeleteFunc(list, func(p []uint32) bool {
			if slices.ContainsFunc(evidence[i].Addresses, func(m uint32) bool { return slices.Contains(p, m) }) {
				joined = append(joined, p...)
				return true
			}
			return false
		})
		list = append(list, joined)
	}
	return list
}

// partsWith are the sizes of what a transaction's own component falls into without it,
// largest first.
func partsWith(evidence []cluster.Evidence, tx uint32) (sizes []uint32) {
	var own []uint32
	for _, p := range parts(evidence, nil) {
		for i := range evidence {
			if evidence[i].Tx == tx && slices.Contains(p, evidence[i].Addresses[0]) {
				own = p
			}
		}
	}
	for _, p := range parts(evidence, map[uint32]bool{tx: true}) {
		if slices.Contains(own, p[0]) {
			sizes = append(sizes, uint32(len(p)))
		}
	}
	slices.Sort(sizes)
	slices.Reverse(sizes)
	return sizes
}

// TestCollapse: two exchanges held together by one mix are parted there, and the mix is
// named first.
func TestCollapse(t *testing.T) {
	got := cluster.Examine([]cluster.Evidence{
		{Tx: 1, Addresses: []uint32{1, 2, 3}},
		{Tx: 2, Addresses: []uint32{2, 3}},
		{Tx: 3, Addresses: []uint32{11, 12}},
		{Tx: 4, Addresses: []uint32{11, 12, 13}},
		{Tx: 5, Addresses: []uint32{3, 4}},
		{Tx: 9, Addresses: []uint32{1, 12}},
	}, map[uint32]string{2: "binance", 13: "kraken"})
	want := cluster.Structure{Addresses: 7, Cohesion: 2857, Weak: []cluster.Weakness{
		{Tx: 9, Parts: []uint32{4, 3}, Apart: 1}, {Tx: 1, Parts: []uint32{4, 3}, Apart: 1}, {Tx: 4, Parts: []uint32{6, 1}, Apart: 1}, {Tx: 5, Parts: []uint32{6, 1}},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
