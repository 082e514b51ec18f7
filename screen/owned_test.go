package screen_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"coldtrail/attribution"
	"coldtrail/attribution/cluster"
	"coldtrail/attribution/label"
	"coldtrail/ledger"
	"coldtrail/screen"
	"coldtrail/screen/exposure"
	"coldtrail/screen/policy"
	"coldtrail/store"
	"coldtrail/store/memory"
	"coldtrail/store/storetest"
)

// plain reads and writes the addresses of random ledgers, by their names.
type plain struct{}

func (plain) FormatAddress(a ledger.Address) string            { return string(a.Bytes()) }
func (plain) ParseAddress(text string) (ledger.Address, error) { return ledger.NameAddress(text) }

// ownersEngine is an engine that looks at clusters of chains of Bitcoin's family.
func ownersEngine(ctx context.Context, s store.Store, at *clock, chains ...ledger.Chain) (*screen.Engine, error) {
	e, err := screen.NewEngine(s, screen.Options{
		Notations: func(ledger.Chain) (ledger.Notation, error) { return plain{}, nil }, Now: at.read,
		Clusters: func(ctx context.Context) (list []*attribution.Clusters, err error) {
			for _, chain := range chains {
				c, err := attribution.OpenClusters(ctx, s, chain, cluster.InMemory(ledger.UTXO), attribution.ClusterOptions{Rules: []*cluster.Rule{cluster.CoSpend}, Notation: plain{}})
				if err != nil {
					return nil, err
				}
				list = append(list, c)
			}
			return list, nil
		},
	})
	if err != nil {
		return nil, err
	}
	return e, e.Rebuild(ctx, nil, nil)
}

func claimOn(address, text, category string, score uint8) label.Claim {
	return label.Claim{Subject: label.SubjectOf(ledger.Bitcoin, address), Label: text, Concept: category, Score: score, By: "somebody", Learned: 1}
}

// coins are blocks of one transaction each, from a line each: who pays with coins of whom
// to whom. "-> a" makes a coin of a's.
func coins(t *testing.T, s store.Store, from int, lines ...string) {
	t.Helper()
	coinsOn(t, s, ledger.Bitcoin, from, lines...)
}

func coinsOn(t *testing.T, s store.Store, chain ledger.Chain, from int, lines ...string) {
	t.Helper()
	owned := map[string][]ledger.Outpoint{}
	parent := ledger.Hash{}
	for i, line := range lines {
		payers, payee, _ := strings.Cut(line, "->")
		to, err := ledger.NameAddress(strings.TrimSpace(payee))
		if err != nil {
			t.Fatal(err)
		}
		tx := ledger.Tx{ID: ledger.Hash{0: byte(i + 1), 1: byte(from)}, Coinbase: strings.TrimSpace(payers) == ""}
		if i < from {
			tx.ID[1] = 0
		}
		for _, who := range strings.Fields(payers) {
			tx.Inputs = append(tx.Inputs, owned[who][0])
			owned[who] = owned[who][1:]
		}
		for j := range 3 {
			tx.Outputs = append(tx.Outputs, ledger.Output{Value: 10, Address: to})
			owned[strings.TrimSpace(payee)] = append(owned[strings.TrimSpace(payee)], ledger.Outpoint{Tx: tx.ID, Index: uint32(j)})
			if !tx.Coinbase {
				break
			}
		}
		b := &ledger.Block{Chain: chain, Height: ledger.Height(i), Hash: ledger.Hash{0: byte(i + 1), 31: tx.ID[1]}, Parent: parent, Time: int64(i+1) * day, Txs: []ledger.Tx{tx}}
		parent = b.Hash
		if i < from {
			continue
		}
		if err := s.Append(t.Context(), []*ledger.Block{b}); err != nil {
			t.Fatal(err)
		}
	}
}

// owners are the cluster facts of an address, as short lines.
func owners(v *exposure.Verdict) (list []string) {
	for i := range v.Facts {
		if f := &v.Facts[i]; f.Kind == exposure.Owned {
			list = append(list, fmt.Sprintf("%s %s of %s by %s %v", f.Category, f.Entity, f.About, f.Rule, f.Evidence))
		}
	}
	return list
}

// TestOwnerIsKnown: who spends together with a thief has his owner, as a conclusion that
// names the transaction; before, and after a reorganisation without it, he has not.
func TestOwnerIsKnown(t *testing.T) {
	s, at := memory.New(), &clock{now: 100 * day}
	lines := []string{"-> thief", "-> friend", "-> stranger", "thief friend -> shop", "friend stranger -> shop"}
	coins(t, s, 0, lines[:4]...)
	if _, err := s.AddClaims(t.Context(), []label.Claim{claimOn("thief", "the thief", "perpetrator", 90)}); err != nil {
		t.Fatal(err)
	}
	e, err := ownersEngine(t.Context(), s, at, ledger.Bitcoin)
	if err != nil {
		t.Fatal(err)
	}
	e.Heard(ledger.Bitcoin, at.now)
	tie := ledger.Bitcoin.FormatHash(ledger.Hash{0: 4})
	check := func(subject string, outcome exposure.Outcome, want ...string) {
		t.Helper()
		v := ask(e, exposure.Question{Subject: subject, Chain: "bitcoin"})
		if err := e.Explain(t.Context(), &v); err != nil {
			t.Fatal(err)
		}
		if got := owners(&v); !slices.Equal(got, want) || v.Outcome != outcome {
			t.Errorf("%s: %s, %q; want %s, %q", subject, v.Outcome, got, outcome, want)
		}
		text, _ := e.Now().ScreenBytes(nil, &exposure.Question{Subject: subject, Chain: "bitcoin"})
		var printed exposure.Verdict
		if err := json.Unmarshal(text, &printed); err != nil || len(owners(&printed)) != len(want) || printed.Outcome != outcome {
			t.Errorf("in print %s is %s (%v)", subject, text, err)
		}
	}
	known := "perpetrator the thief of thief by co-spend [" + tie + "]"
	check("friend", exposure.Review, known)
	check("stranger", exposure.Allow)
	check("thief", exposure.Refuse)

	coins(t, s, 4, lines...) // the fifth block; its transaction has another name than below
	if err := e.Advance(t.Context()); err != nil {
		t.Fatal(err)
	}
	other := ledger.Bitcoin.FormatHash(ledger.Hash{0: 5, 1: 4})
	check("stranger", exposure.Review, "perpetrator the thief of thief by co-spend ["+other+" "+tie+"]")

	v, err := e.At(t.Context(), &exposure.Question{Subject: "stranger", Chain: "bitcoin", At: 4 * day})
	if err != nil || len(owners(&v)) != 0 {
		t.Errorf("before the fifth block the stranger had %q (%v)", owners(&v), err)
	}
	v, err = e.At(t.Context(), &exposure.Question{Subject: "friend", Chain: "bitcoin", At: 4 * day})
	if err != nil || !slices.Equal(owners(&v), []string{"perpetrator the thief of thief by co-spend []"}) {
		t.Errorf("after the fourth block the friend had %q (%v)", owners(&v), err)
	}
	v, err = e.At(t.Context(), &exposure.Question{Subject: "friend", Chain: "bitcoin", Known: 1})
	if err != nil || len(owners(&v)) != 1 {
		t.Errorf("by what was known when it was learnt, the friend has %q (%v)", owners(&v), err)
	}

	if err := s.Rewind(t.Context(), ledger.Bitcoin, 3); err != nil {
		t.Fatal(err)
	}
	coins(t, s, 3, "-> thief", "-> friend", "-> stranger", "friend stranger -> shop")
	if err := e.Advance(t.Context()); err != nil {
		t.Fatal(err)
	}
	check("friend", exposure.Allow)
	check("stranger", exposure.Allow)
}

// TestServiceHasCustomers: a deposit address that belongs to a scammer makes no scammer of
// the exchange; what is said of the exchange, and expressly of the whole cluster, counts
// for all its addresses.
func TestServiceHasCustomers(t *testing.T) {
	s, at := memory.New(), &clock{now: 100 * day}
	coins(t, s, 0, "-> hot", "-> deposit", "-> other", "hot deposit -> cold", "hot other -> cold")
	whole := claimOn("hot", "Exchange", "money_laundering", 60)
	whole.Cluster = true
	claims := []label.Claim{claimOn("hot", "Exchange", "exchange", 60), claimOn("deposit", "A scammer", "scam", 90), claimOn("hot", "Exchange", "sanction", 40), whole}
	if _, err := s.AddClaims(t.Context(), claims); err != nil {
		t.Fatal(err)
	}
	e, err := ownersEngine(t.Context(), s, at, ledger.Bitcoin)
	if err != nil {
		t.Fatal(err)
	}
	for subject, want := range map[string][]string{
		"other":   {"exchange Exchange of hot by co-spend []", "money_laundering Exchange of hot by co-spend []", "sanction Exchange of hot by co-spend []"},
		"deposit": {"exchange Exchange of hot by co-spend []", "money_laundering Exchange of hot by co-spend []", "sanction Exchange of hot by co-spend []"},
		"hot":     nil,
		"cold":    nil,
	} {
		v := ask(e, exposure.Question{Subject: subject, Chain: "bitcoin"})
		if got := owners(&v); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", subject, got, want)
		}
	}
}

// TestExamplesOfAnOwner: of those of whom only the owner is known one stands for all, where
// nobody wants the others; who is known for something else always comes.
func TestExamplesOfAnOwner(t *testing.T) {
	s, at := memory.New(), &clock{now: 100 * day}
	coins(t, s, 0, "-> thief", "-> a", "-> b", "-> c", "thief a -> shop", "thief b -> shop", "a c -> shop")
	if _, err := s.AddClaims(t.Context(), []label.Claim{claimOn("thief", "the thief", "perpetrator", 90), claimOn("c", "a shop", "shop", 20)}); err != nil {
		t.Fatal(err)
	}
	e, err := ownersEngine(t.Context(), s, at, ledger.Bitcoin)
	if err != nil {
		t.Fatal(err)
	}
	asked := 0
	answer := func(worth bool) func(*policy.Example) bool {
		return func(first *policy.Example) bool {
			asked++
			if first.Name != "a" && first.Name != "b" || len(first.Facts) == 0 {
				t.Errorf("it asks of %+v", first)
			}
			return worth
		}
	}
	for _, test := range []struct {
		worth func(*policy.Example) bool
		asked int
		want  []string
	}{{nil, 0, []string{"c", "thief", "shop", "a"}}, {answer(false), 1, []string{"c", "thief", "shop", "a"}}, {answer(true), 1, []string{"c", "thief", "shop", "a", "b"}}} {
		var got []string
		asked = 0
		for x := range e.Now().Examples(exposure.Deposit, test.worth) {
			got = append(got, x.Name)
			if v := ask(e, x.Question); len(v.Facts) != len(x.Facts) {
				t.Errorf("%s has %d facts, as an example %d", x.Name, len(v.Facts), len(x.Facts))
			}
		}
		slices.Sort(got)
		slices.Sort(test.want)
		if !slices.Equal(got, test.want) || asked != test.asked {
			t.Errorf("%v, asked %d times; want %v, %d", got, asked, test.want, test.asked)
		}
	}
}

// TestOwnerOnTwoChains: an address that two chains have is told what holds on the one that
// is asked for, whichever of its owners is known since when.
func TestOwnerOnTwoChains(t *testing.T) {
	const other = ledger.Chain("bip122:000000000933ea01ad0ee984209779ba")
	s, at := memory.New(), &clock{now: 100 * day}
	here, there := []string{"-> thief", "-> friend", "thief friend -> shop"}, []string{"-> robber", "-> friend", "robber friend -> shop"}
	coins(t, s, 0, here...)
	coinsOn(t, s, other, 0, there[:2]...)
	robber := claimOn("robber", "the robber", "perpetrator", 90)
	robber.Subject.Network = label.Network(other)
	if _, err := s.AddClaims(t.Context(), []label.Claim{claimOn("thief", "the thief", "perpetrator", 90), robber}); err != nil {
		t.Fatal(err)
	}
	kept, err := ownersEngine(t.Context(), s, at, ledger.Bitcoin, other)
	if err != nil {
		t.Fatal(err)
	}
	coinsOn(t, s, other, 2, there...)
	if err := kept.Advance(t.Context()); err != nil {
		t.Fatal(err)
	}
	fresh, err := ownersEngine(t.Context(), s, at, ledger.Bitcoin, other)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range []*screen.Engine{kept, fresh} {
		for chain, want := range map[ledger.Chain]string{ledger.Bitcoin: "the thief of thief", other: "the robber of robber"} {
			v := ask(e, exposure.Question{Subject: "friend", Chain: string(chain)})
			if got := owners(&v); !slices.Equal(got, []string{"perpetrator " + want + " by co-spend []"}) {
				t.Errorf("on %s the friend has %q", chain, got)
			}
		}
	}
}

// villager is how an address of a village is written.
func villager(n int) string { return plain{}.FormatAddress(storetest.VillageAddress(n)) }

// TestOwnersFollowTheChain: whatever blocks come and are taken back, a state of knowledge
// kept current says of every address what one made anew says.
func TestOwnersFollowTheChain(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s, v, at := memory.New(), &storetest.Village{}, &clock{now: 1_000_000}
		categories := []string{"perpetrator", "exchange", "scam", "victim"}
		var claims []label.Claim
		for _, n := range rapid.SliceOfNDistinct(rapid.IntRange(0, 15), 1, 5, rapid.ID).Draw(rt, "named") {
			claims = append(claims, claimOn(villager(n), fmt.Sprint("who ", n%2), rapid.SampledFrom(categories).Draw(rt, "category"), 60))
		}
		if _, err := s.AddClaims(rt.Context(), claims); err != nil {
			rt.Fatal(err)
		}
		var kept *screen.Engine
		for range rapid.IntRange(1, 8).Draw(rt, "steps") {
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
			var err error
			if kept == nil {
				kept, err = ownersEngine(rt.Context(), s, at, ledger.Bitcoin)
			} else {
				err = kept.Advance(rt.Context())
			}
			if err != nil {
				rt.Fatal(err)
			}
			fresh, err := ownersEngine(rt.Context(), s, at, ledger.Bitcoin)
			if err != nil {
				rt.Fatal(err)
			}
			for n := range 16 {
				q := exposure.Question{Subject: villager(n), Chain: "bitcoin"}
				got, want := ask(kept, q), ask(fresh, q)
				got.Basis, want.Basis = nil, nil
				if a, b := fmt.Sprintf("%+v", got), fmt.Sprintf("%+v", want); a != b {
					rt.Fatalf("%s is\n%s, made anew\n%s", q.Subject, a, b)
				}
			}
		}
	})
}
