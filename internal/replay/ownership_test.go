package replay_test

import (
	"crypto/sha256"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"

	"coldtrail/internal/replay"
	"coldtrail/ledger"
)

// playOwners plays the scenario of owners and keeps its blocks.
func playOwners(t *testing.T, seed uint64) (*replay.Played, []*ledger.Block) {
	t.Helper()
	var blocks []*ledger.Block
	sink := func(b *ledger.Block) error {
		blocks = append(blocks, b)
		return nil
	}
	played, err := replay.Play(replay.Options{Seed: seed, Scenario: "owners", Thin: 40}, replay.NewAccounts(seed, 1, sink), replay.NewOutputs(seed, sink))
	if err != nil {
		t.Fatal(err)
	}
	return played, blocks
}

// TestOwnersRepeat: the same seed gives the same blocks and the same truth, another seed
// another world.
func TestOwnersRepeat(t *testing.T) {
	digest := func(seed uint64) [32]byte {
		played, blocks := playOwners(t, seed)
		h := sha256.New()
		for _, b := range blocks {
			fmt.Fprintf(h, "%+v\n", *b)
		}
		fmt.Fprintf(h, "%+v\n%+v\n%+v\n", played.Ownership, played.Labels, len(played.Thefts))
		for _, theft := range played.Thefts {
			fmt.Fprintf(h, "%s %s %s %s %s\n", theft.Colour, theft.Tx, theft.To, theft.Outpoint, theft.Amount)
		}
		return [32]byte(h.Sum(nil))
	}
	first, again, other := digest(1), digest(1), digest(2)
	if first != again {
		t.Error("the same seed gave two worlds")
	}
	if first == other {
		t.Error("two seeds gave one world")
	}
}

// TestConductsArePlanted: every pattern is played as often as it says, by subjects of its
// own whose owners are known, in transactions that are in the blocks of its chain.
func TestConductsArePlanted(t *testing.T) {
	want := map[string][2]int{ // by launderers, by others
		"dusted": {220, 220}, "hot-wallet": {2, 2}, "peel-chain": {24, 12},
	}
	for _, pattern := range []string{
		"fan-out", "equal-amount-fan-out", "fan-in", "structuring", "pass-through", "dormancy", "dusting", "address-poisoning", "gas-funding", "gas-top-up",
		"sweep", "exchange-hopping", "bridge-spraying", "mixer-use", "commingling", "commingled-transaction", "layering", "round-trip",
	} {
		want[pattern] = [2]int{12, 6}
	}
	played, blocks := playOwners(t, 1)
	chains := map[string]string{}
	for _, b := range blocks {
		for i := range b.Txs {
			chains[b.Txs[i].ID.String()] = string(b.Chain)
		}
	}
	got, subjects := map[string][2]int{}, map[string]bool{}
	for _, c := range played.Conducts {
		n := got[c.Pattern]
		if c.Innocent {
			n[1]++
		} else {
			n[0]++
		}
		got[c.Pattern] = n
		if subjects[c.Pattern+c.Subject] || played.Owners[c.Subject] == "" || len(c.Txs) == 0 {
			t.Errorf("%s of %s, owned by %q, in %d transactions", c.Pattern, c.Subject, played.Owners[c.Subject], len(c.Txs))
		}
		subjects[c.Pattern+c.Subject] = true
		for _, tx := range c.Txs {
			if chains[strings.TrimPrefix(tx, "0x")] != c.Chain {
				t.Errorf("%s of %s: transaction %s is not on %s", c.Pattern, c.Subject, tx, c.Chain)
			}
		}
	}
	for pattern, n := range want {
		if got[pattern] != n {
			t.Errorf("%s was planted %v times, want %v", pattern, got[pattern], n)
		}
		delete(got, pattern)
	}
	if len(got) > 0 {
		t.Errorf("nobody asks for %v", got)
	}
}

// TestTheftsOfOwners: what the thefts name is there, whole, and reaches nobody before it
// was stolen.
func TestTheftsOfOwners(t *testing.T) {
	played, blocks := playOwners(t, 1)
	var colours []string
	for _, theft := range played.Thefts {
		colours = append(colours, theft.Colour)
		found := false
		for _, b := range blocks {
			for i := range b.Txs {
				tx := &b.Txs[i]
				switch {
				case theft.Tx == "0x"+tx.ID.String():
					found = len(tx.Transfers) == 1 && tx.Transfers[0].Amount.Dec() == theft.Amount.String()
				case theft.Outpoint == tx.ID.String()+":0":
					found = new(big.Int).SetUint64(tx.Outputs[0].Value).Cmp(theft.Amount) == 0
				}
			}
		}
		if !found {
			t.Errorf("%+v is not in the blocks", theft)
		}
	}
	slices.Sort(colours)
	if want := []string{"north-btc", "north-eth", "south-btc", "south-eth"}; !slices.Equal(colours, want) {
		t.Errorf("%v were stolen, want %v", colours, want)
	}
}

// TestBatches: one transaction moves what it says between many, and nothing where there
// is not enough.
func TestBatches(t *testing.T) {
	var blocks []*ledger.Block
	a := replay.NewAccounts(1, 1, func(b *ledger.Block) error {
		blocks = append(blocks, b)
		return nil
	})
	one, two, three, contract := a.Account("one", 0), a.Account("two", 0), a.Account("three", 0), a.Account("contract", 0)
	ether := big.NewInt(1e18)
	a.Grant(one, "", ether)
	a.Grant(two, "usdt", big.NewInt(70))
	if err := a.At(0); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Batch(one, "usdt", []replay.Movement{{From: two, To: three, Amount: big.NewInt(50)}, {From: three, To: one, Amount: big.NewInt(20)}}); err != nil {
		t.Fatal(err)
	}
	spread, err := a.Spread(one, contract, big.NewInt(7), []string{two, three})
	if err != nil {
		t.Fatal(err)
	}
	for _, have := range []struct {
		account, token string
		amount         int64
	}{{one, "usdt", 20}, {two, "usdt", 20}, {three, "usdt", 30}, {two, "", 7}, {three, "", 7}, {contract, "", 0}} {
		if got := a.Balance(have.account, have.token); got.Cmp(big.NewInt(have.amount)) != 0 {
			t.Errorf("%s has %s of %q, want %d", have.account, got, have.token, have.amount)
		}
	}
	if _, err := a.Batch(one, "usdt", []replay.Movement{{From: two, To: three, Amount: big.NewInt(21)}}); err == nil {
		t.Error("more than there was moved")
	}
	if _, err := a.Spread(one, contract, ether, []string{two}); err == nil {
		t.Error("more ether than there was moved")
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	if len(blocks) != 1 || len(blocks[0].Txs) != 2 {
		t.Fatalf("%d blocks", len(blocks))
	}
	moved := blocks[0].Txs[1]
	if moved.ID != spread.Hash || len(moved.Transfers) != 3 || moved.Transfers[0].Kind != ledger.Ordinary || moved.Transfers[2].Kind != ledger.Internal {
		t.Errorf("%+v", moved)
	}
}
