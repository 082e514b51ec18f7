package attribution_test

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"coldtrail/attribution"
	"coldtrail/attribution/cluster"
	"coldtrail/ledger"
	"coldtrail/store/memory"
	"coldtrail/store/storetest"
)

// TestOwners: whatever blocks come and are taken back, the list kept current is that of
// the clusters as a naive model has them: every address of a cluster with a named one, and
// which named ones it has, now and after each earlier block.
func TestOwners(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s, v := memory.New(), &storetest.Village{}
		var known []ledger.Address
		for _, n := range rapid.SliceOfNDistinct(rapid.IntRange(0, 15), 1, 4, rapid.ID).Draw(rt, "named") {
			known = append(known, storetest.VillageAddress(n))
		}
		options := attribution.ClusterOptions{Rules: []*cluster.Rule{cluster.CoSpend}, Notation: named{}}
		var list *attribution.Owners
		base, recent := map[ledger.Address]uint32{}, map[ledger.Address]uint32{}
		for range rapid.IntRange(1, 12).Draw(rt, "steps") {
			if back := rapid.IntRange(-3, 3).Draw(rt, "back"); back > 0 && back < len(v.Blocks) {
				if err := s.Rewind(rt.Context(), ledger.Bitcoin, v.TakeBack(back)); err != nil {
					rt.Fatal(err)
				}
			}
			for range rapid.IntRange(1, 3).Draw(rt, "blocks") {
				if err := s.Append(rt.Context(), []*ledger.Block{v.Grow(rt)}); err != nil {
					rt.Fatal(err)
				}
			}
			if list == nil {
				list = attribution.NewOwners(open(rt, s, ledger.Bitcoin, cluster.InMemory(ledger.UTXO), options), known)
				list.SetDepth(ledger.Height(rapid.IntRange(0, 4).Draw(rt, "depth")))
			}
			change, err := list.Advance(rt.Context())
			if err != nil {
				rt.Fatal(err)
			}
			before := len(recent)
			if change == attribution.Anew {
				clear(base)
				if err := list.Base(rt.Context(), func(l attribution.Listed) error {
					if _, twice := base[l.Address]; twice {
						rt.Fatalf("%s is listed twice", l.Address.Bytes())
					}
					base[l.Address] = l.Group
					return nil
				}); err != nil {
					rt.Fatal(err)
				}
			}
			clear(recent)
			for _, l := range list.Recent() {
				recent[l.Address] = l.Group
			}
			if len(recent) != len(list.Recent()) || change == attribution.Unchanged && before != len(recent) {
				rt.Fatalf("%d are listed, %d addresses; %d before, and it says %d", len(list.Recent()), len(recent), before, change)
			}
			compareListed(rt, list, v, known, listing{base, recent})
		}
	})
}

// listing is what a list has, by address.
type listing struct{ base, recent map[ledger.Address]uint32 }

func compareListed(t *rapid.T, list *attribution.Owners, v *storetest.Village, named []ledger.Address, has listing) {
	clusters := naive(v.Blocks, ledger.Height(len(v.Blocks)), []*cluster.Rule{cluster.CoSpend}).clusters()
	listed := 0
	for _, members := range clusters {
		var want []string
		for _, m := range members {
			if slices.Contains(named, m) {
				want = append(want, string(m.Bytes()))
			}
		}
		slices.Sort(want)
		for _, m := range members {
			group, inBase := has.base[m]
			other, inRecent := has.recent[m]
			switch {
			case len(members) == 1 || len(want) == 0:
				if inBase || inRecent {
					t.Fatalf("%s is listed, with no named owner", m.Bytes())
				}
				continue
			case inBase == inRecent:
				t.Fatalf("%s of a cluster that names %v: in the base %v, recent %v", m.Bytes(), want, inBase, inRecent)
			case inRecent:
				group = other
			}
			listed++
			got, size := list.Named(list.Owner(int(group)))
			if !slices.Equal(texts(got), want) || int(size) != len(members) {
				t.Fatalf("the owner of %s has %v of %d addresses, want %v of %d", m.Bytes(), texts(got), size, want, len(members))
			}
		}
	}
	if listed != len(has.base)+len(has.recent) {
		t.Fatalf("%d are listed, want %d", len(has.base)+len(has.recent), listed)
	}
	compareThen(t, list, v, named)
}

// compareThen asks for an earlier block.
func compareThen(t *rapid.T, list *attribution.Owners, v *storetest.Village, named []ledger.Address) {
	as := ledger.Height(rapid.IntRange(0, len(v.Blocks)-1).Draw(t, "as"))
	for _, members := range naive(v.Blocks, as, []*cluster.Rule{cluster.CoSpend}).clusters() {
		var want []string
		for _, m := range members {
			if slices.Contains(named, m) {
				want = append(want, string(m.Bytes()))
			}
		}
		slices.Sort(want)
		for _, m := range members {
			got, size, err := list.NamedAt(t.Context(), m, as)
			if err != nil || !slices.Equal(texts(got), want) || len(want) > 0 && int(size) != len(members) {
				t.Fatalf("after %d the owner of %s had %v of %d addresses (%v), want %v of %d", as, m.Bytes(), texts(got), size, err, want, len(members))
			}
		}
	}
}

func texts(list []ledger.Address) (out []string) {
	for _, a := range list {
		out = append(out, string(a.Bytes()))
	}
	slices.Sort(out)
	return out
}

// BenchmarkOwners measures what one more block costs where a service has very many
// addresses, and how long the list takes to be made anew.
func BenchmarkOwners(b *testing.B) {
	const each = 50
	s, made := memory.New(), 0
	var parent ledger.Hash
	address := func(n int) ledger.Address {
		var payload [20]byte
		binary.BigEndian.PutUint64(payload[:], uint64(n))
		return ledger.NewAddress(ledger.P2PKH, payload[:])
	}
	grow := func() { // a block in which the service collects fifty more addresses
		mint := ledger.Tx{ID: ledger.Hash(sha256.Sum256(fmt.Append(nil, "mint ", made))), Coinbase: true}
		collect := ledger.Tx{ID: ledger.Hash(sha256.Sum256(fmt.Append(nil, "collect ", made))), Index: 1}
		for i := range each {
			mint.Outputs = append(mint.Outputs, ledger.Output{Value: 10, Address: address(made*each + i + 1)})
		}
		mint.Outputs = append(mint.Outputs, ledger.Output{Value: 10, Address: address(0)})
		for i := range mint.Outputs {
			collect.Inputs = append(collect.Inputs, ledger.Outpoint{Tx: mint.ID, Index: uint32(i)})
		}
		collect.Outputs = []ledger.Output{{Value: 10 * (each + 1), Address: address(0)}}
		block := &ledger.Block{Chain: ledger.Bitcoin, Height: ledger.Height(made), Hash: ledger.Hash(sha256.Sum256(fmt.Append(nil, "block ", made))), Parent: parent, Txs: []ledger.Tx{mint, collect}}
		parent, made = block.Hash, made+1
		if err := s.Append(b.Context(), []*ledger.Block{block}); err != nil {
			b.Fatal(err)
		}
	}
	for range 4_000 {
		grow()
	}
	c, err := attribution.OpenClusters(b.Context(), s, ledger.Bitcoin, cluster.InMemory(ledger.UTXO), attribution.ClusterOptions{Rules: []*cluster.Rule{cluster.CoSpend}, Notation: named{}})
	if err == nil {
		err = c.Sync(b.Context())
	}
	if err != nil {
		b.Fatal(err)
	}
	b.Run("anew", func(b *testing.B) {
		listed := 0
		for b.Loop() {
			list := attribution.NewOwners(c, []ledger.Address{address(0)})
			if _, err := list.Advance(b.Context()); err != nil {
				b.Fatal(err)
			}
			if err := list.Base(b.Context(), func(attribution.Listed) error { listed++; return nil }); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(listed), "ns/address")
	})
	b.Run("a block", func(b *testing.B) {
		list := attribution.NewOwners(c, []ledger.Address{address(0)})
		if _, err := list.Advance(b.Context()); err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			b.StopTimer()
			grow()
			b.StartTimer()
			if change, err := list.Advance(b.Context()); err != nil || change == attribution.Unchanged {
				b.Fatal(change, err)
			}
		}
	})
}
