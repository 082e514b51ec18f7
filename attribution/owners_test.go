package attribution_test

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"coldtrail/attribution"
	"coldtrail/attribution/cluster"
	"coldtrail/ledger"
	"coldtrail/store/memory"
)

// village is a small random UTXO chain whose last blocks may be taken back and replaced
// by others: people of a few addresses each, who pay with coins of several.
type village struct {
	blocks  []*ledger.Block
	unspent [][]ledger.Outpoint // after each block
	made    int
}

// grow adds a random block.
func (v *village) grow(t *rapid.T) *ledger.Block {
	pay := func(tx *ledger.Tx) {
		v.made++
		tx.ID = ledger.Hash(sha256.Sum256(fmt.Append(nil, "tx ", v.made)))
		for range rapid.IntRange(1, 3).Draw(t, "outputs") {
			a, err := ledger.NameAddress(fmt.Sprintf("a%02d", rapid.IntRange(0, 15).Draw(t, "to")))
			if err != nil {
				t.Fatal(err)
			}
			tx.Outputs = append(tx.Outputs, ledger.Output{Value: 10, Address: a})
		}
	}
	var open []ledger.Outpoint
	b := &ledger.Block{Chain: ledger.Bitcoin, Height: ledger.Height(len(v.blocks)), Time: int64(len(v.blocks))}
	if len(v.blocks) > 0 {
		b.Parent, open = v.blocks[len(v.blocks)-1].Hash, slices.Clone(v.unspent[len(v.unspent)-1])
	}
	coinbase := ledger.Tx{Coinbase: true}
	pay(&coinbase)
	b.Txs = append(b.Txs, coinbase)
	for range rapid.IntRange(0, 3).Draw(t, "payments") {
		tx := ledger.Tx{Index: uint32(len(b.Txs))}
		for range rapid.IntRange(1, 2).Draw(t, "inputs") {
			if len(open) > 0 {
				at := rapid.IntRange(0, len(open)-1).Draw(t, "coin")
				tx.Inputs = append(tx.Inputs, open[at])
				open = slices.Delete(open, at, at+1)
			}
		}
		if len(tx.Inputs) > 0 {
			pay(&tx)
			tx.Outputs = tx.Outputs[:1] // no payment for two looks like a mix or a PayJoin
			b.Txs = append(b.Txs, tx)
		}
	}
	for i := range b.Txs {
		for j := range b.Txs[i].Outputs {
			open = append(open, ledger.Outpoint{Tx: b.Txs[i].ID, Index: uint32(j)})
		}
	}
	b.Hash = ledger.Hash(sha256.Sum256(fmt.Append(nil, "block ", v.made, b.Parent)))
	v.blocks, v.unspent = append(v.blocks, b), append(v.unspent, open)
	return b
}

// TestOwners: whatever blocks come and are taken back, the list kept current is that of
// the clusters as a naive model has them: every address of a cluster with a named one, and
// which named ones it has, now and after each earlier block.
func TestOwners(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s, v := memory.New(), &village{}
		var known []ledger.Address
		for _, n := range rapid.SliceOfNDistinct(rapid.IntRange(0, 15), 1, 4, rapid.ID).Draw(rt, "named") {
			a, err := ledger.NameAddress(fmt.Sprintf("a%02d", n))
			if err != nil {
				rt.Fatal(err)
			}
			known = append(known, a)
		}
		options := attribution.ClusterOptions{Rules: []*cluster.Rule{cluster.CoSpend}, Notation: named{}}
		var list *attribution.Owners
		base, recent := map[ledger.Address]uint32{}, map[ledger.Address]uint32{}
		for range rapid.IntRange(1, 12).Draw(rt, "steps") {
			if back := rapid.IntRange(-3, 3).Draw(rt, "back"); back > 0 && back < len(v.blocks) {
				at := len(v.blocks) - back
				if err := s.Rewind(rt.Context(), ledger.Bitcoin, ledger.Height(at)); err != nil {
					rt.Fatal(err)
				}
				v.blocks, v.unspent = v.blocks[:at], v.unspent[:at]
			}
			for range rapid.IntRange(1, 3).Draw(rt, "blocks") {
				if err := s.Append(rt.Context(), []*ledger.Block{v.grow(rt)}); err != nil {
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
			if change == attribution.NewAltogether {
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

func compareListed(t *rapid.T, list *attribution.Owners, v *village, named []ledger.Address, has listing) {
	clusters := naive(v.blocks, ledger.Height(len(v.blocks)), []*cluster.Rule{cluster.CoSpend}).clusters()
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
func compareThen(t *rapid.T, list *attribution.Owners, v *village, named []ledger.Address) {
	as := ledger.Height(rapid.IntRange(0, len(v.blocks)-1).Draw(t, "as"))
	for _, members := range naive(v.blocks, as, []*cluster.Rule{cluster.CoSpend}).clusters() {
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
