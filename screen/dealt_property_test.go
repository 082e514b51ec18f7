package screen_test

import (
	"slices"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"coldtrail/attribution/label"
	"coldtrail/internal/laundering"
	"coldtrail/ledger"
	"coldtrail/screen"
	"coldtrail/screen/exposure"
	"coldtrail/screen/index"
	"coldtrail/screen/proximity"
	"coldtrail/store"
	"coldtrail/store/memory"
	"coldtrail/store/storetest"
)

// people is how many addresses take part in a random ledger.
const people = 12

// inLife gives the people of a random ledger addresses of its chain.
func inLife(chain ledger.Chain, a ledger.Address) ledger.Address {
	if a.Kind != ledger.Named {
		return a
	}
	n, err := strconv.Atoi(string(a.Bytes()[1:]))
	if err != nil {
		panic(err)
	}
	if chain.Family() == ledger.UTXO {
		return wallet(byte(n + 1))
	}
	return account(byte(n + 1))
}

// realBlocks does so in blocks, which it writes to.
func realBlocks(blocks []*ledger.Block) []*ledger.Block {
	for _, b := range blocks {
		be := func(a *ledger.Address) { *a = inLife(b.Chain, *a) }
		for i := range b.Txs {
			tx := &b.Txs[i]
			for j := range tx.Outputs {
				be(&tx.Outputs[j].Address)
			}
			for j := range tx.Transfers {
				be(&tx.Transfers[j].From)
				be(&tx.Transfers[j].To)
			}
			be(&tx.Fee.Payer)
			be(&tx.Fee.Producer)
			for j := range tx.Freezes {
				be(&tx.Freezes[j].Holder)
			}
			for j := range tx.Messages {
				be(&tx.Messages[j].Contract)
			}
		}
		for i := range b.Openings {
			be(&b.Openings[i].Address)
		}
	}
	return blocks
}

// drawClaims says of some people that they are listed, scammers or exchanges.
func drawClaims(tb testing.TB, t *rapid.T, s store.Store) {
	tb.Helper()
	for _, chain := range []ledger.Chain{ledger.Ethereum, ledger.Bitcoin} {
		notation, err := laundering.Notations(chain)
		if err != nil {
			tb.Fatal(err)
		}
		for n := range people {
			a := account(byte(n + 1))
			if chain == ledger.Bitcoin {
				a = wallet(byte(n + 1))
			}
			claim := label.Claim{Subject: label.SubjectOf(chain, notation.FormatAddress(a)), By: "somebody", Confidence: "forensic", Score: 60, Learned: 1}
			switch rapid.IntRange(0, 9).Draw(t, "is") {
			case 0:
				claim.Label, claim.Abuse, claim.Confidence, claim.From = "listed", "sanction", "authority_data", 1_600_000_000+int64(rapid.IntRange(0, 20).Draw(t, "since"))*600
			case 1:
				claim.Label, claim.Concept, claim.Abuse = "scammer", "perpetrator", "scam"
			case 2:
				claim.Label, claim.Concept = "exchange", "exchange"
			default:
				continue
			}
			if _, err := s.AddClaims(tb.Context(), []label.Claim{claim}); err != nil {
				tb.Fatal(err)
			}
		}
	}
}

// TestDealingsFreshRebuild: whatever blocks came, went and were replaced, and whatever could not
// be read for a moment, the facts are those of an engine that reads the same store for the
// first time.
func TestDealingsFreshRebuild(t *testing.T) {
	reached := map[uint32]int{}
	cut := 0
	rapid.Check(t, func(rt *rapid.T) {
		s, at := &breaking{Store: memory.New()}, &clock{now: 1_700_000_000}
		drawClaims(t, rt, s)
		limits := proximity.Limits{Addresses: 1000, Steps: 10_000, Parts: 10_000, Touches: 1000, Each: 1000}
		little := rapid.Bool().Draw(rt, "little room")
		if little {
			limits.Addresses, limits.Steps, limits.Parts = rapid.IntRange(0, 8).Draw(rt, "addresses"), rapid.IntRange(0, 100).Draw(rt, "steps"), rapid.IntRange(0, 40).Draw(rt, "parts")
		}
		if rapid.Bool().Draw(rt, "crowds") {
			limits.Touches, limits.Each = rapid.IntRange(1, 30).Draw(rt, "touches"), rapid.IntRange(1, 40).Draw(rt, "each")
		}
		shape := storetest.Shape{Blocks: rapid.IntRange(2, 24).Draw(rt, "blocks"), Names: people}
		left := map[ledger.Chain][]*ledger.Block{
			ledger.Ethereum: realBlocks(storetest.AccountBlocks(rt, shape)), ledger.Bitcoin: realBlocks(storetest.UTXOBlocks(rt, shape)),
		}
		e := limited(t, s, at, limits)
		for len(left[ledger.Ethereum])+len(left[ledger.Bitcoin]) > 0 {
			for _, chain := range []ledger.Chain{ledger.Ethereum, ledger.Bitcoin} {
				n := rapid.IntRange(min(1, len(left[chain])), min(4, len(left[chain]))).Draw(rt, "next")
				if len(left[ledger.Ethereum])+len(left[ledger.Bitcoin]) < 6 {
					n = len(left[chain])
				}
				blocks := left[chain][:n]
				left[chain] = left[chain][n:]
				if err := s.Append(t.Context(), blocks); err != nil {
					rt.Fatal(err)
				}
				if n == 0 || rapid.IntRange(0, 3).Draw(rt, "reorganised") > 0 {
					continue
				}
				if rapid.Bool().Draw(rt, "seen before") {
					advance(t, rt, e)
				}
				from := rapid.IntRange(0, n-1).Draw(rt, "from")
				if err := s.Rewind(t.Context(), chain, blocks[from].Height); err != nil {
					rt.Fatal(err)
				}
				if rapid.Bool().Draw(rt, "seen between") {
					advance(t, rt, e)
				}
				left[chain] = append(replaced(blocks[from:], left[chain]), left[chain]...)
			}
			if s.broken = rapid.IntRange(0, 5).Draw(rt, "broken") == 0; s.broken {
				_ = e.Advance(t.Context()) // it may have nothing to read
				s.broken = false
			}
			advance(t, rt, e)
			fresh := limited(t, s, at, limits)
			c := comparison{little, reached}
			c.compare(rt, e, fresh)
			if len(e.Now().Basis().Nearby) > 0 {
				cut++
			}
		}
	})
	if reached[3] == 0 || cut == 0 || reached[1] == 0 {
		t.Errorf("facts by hops: %v; %d states without room", reached, cut)
	}
	t.Logf("facts by hops: %v; %d states without room", reached, cut)
}

// replaced is what comes instead of blocks that were taken back: on account chains other
// amounts under other hashes.
func replaced(blocks, later []*ledger.Block) []*ledger.Block {
	if blocks[0].Chain.Family() == ledger.UTXO {
		return blocks
	}
	list := make([]*ledger.Block, len(blocks))
	for i, b := range blocks {
		fork := *b
		fork.Hash[31] ^= 0xff
		if i > 0 {
			fork.Parent = list[i-1].Hash
		}
		fork.Txs = nil
		for _, tx := range b.Txs {
			tx.ID[31] ^= 0xff
			transfers := tx.Transfers
			tx.Transfers = nil
			for _, transfer := range transfers {
				one := ledger.NewAmount(1)
				transfer.Amount.Add(&transfer.Amount, &one)
				tx.Transfers = append(tx.Transfers, transfer)
			}
			fork.Txs = append(fork.Txs, tx)
		}
		list[i] = &fork
	}
	if len(later) > 0 {
		next := *later[0]
		next.Parent = list[len(list)-1].Hash
		later[0] = &next
	}
	return list
}

func limited(t *testing.T, s store.Store, at *clock, limits proximity.Limits) *screen.Engine {
	t.Helper()
	e, err := screen.NewEngine(s, screen.Options{Notations: laundering.Notations, Now: at.read})
	if err != nil {
		t.Fatal(err)
	}
	e.Limit(limits)
	if err := e.Rebuild(t.Context(), nil, nil); err != nil {
		t.Fatal(err)
	}
	return e
}

func advance(t *testing.T, rt *rapid.T, e *screen.Engine) {
	t.Helper()
	if err := e.Advance(t.Context()); err != nil {
		rt.Fatal(err)
	}
}

// comparison is of engines that have room for all, or little.
type comparison struct {
	little  bool
	reached map[uint32]int // facts by hops
}

// compare wants both engines to know the same, of everybody; where there is little
// room, as far as both know something.
func (c *comparison) compare(rt *rapid.T, a, b *screen.Engine) {
	if got, want := a.Now().Basis().Nearby, b.Now().Basis().Nearby; !c.little && len(got)+len(want) > 0 {
		rt.Fatalf("left out %v, fresh %v, with room for all", got, want)
	}
	if got, want := a.Now().Len(), b.Now().Len(); !c.little && got != want {
		rt.Fatalf("%d addresses, fresh %d", got, want)
	}
	for _, subject := range b.Now().Subjects() {
		q := exposure.Question{Subject: subject.Address, Chain: subject.Chain}
		got, want := c.common(a, b, q), c.common(b, a, q)
		if len(got) != len(want) {
			rt.Fatalf("%s:\n%+v\nfresh:\n%+v", subject.Address, got, want)
		}
		for i := range want {
			if f := &want[i]; index.Compare(&got[i], f) != 0 || f.Hops > 1 && f.Amount.IsZero() {
				rt.Fatalf("%s:\n%+v\nfresh:\n%+v", subject.Address, got, want)
			}
			c.reached[want[i].Hops]++
		}
	}
}

// common are the facts that an engine tells as far as another tells some. Where hops
// are left out direct dealings may lack a total.
func (c *comparison) common(e, other *screen.Engine, q exposure.Question) []exposure.Fact {
	v := ask(e, q)
	facts := slices.Clone(v.Facts)
	for i := range facts {
		if facts[i].Hops == 1 && c.little {
			facts[i].Total, facts[i].Share = exposure.Decimal{}, 0
		}
	}
	return slices.DeleteFunc(facts, func(f exposure.Fact) bool {
		near, left := other.Now().Basis().Nearby[f.Chain]
		return f.Kind == exposure.Dealt && left && (f.Direction == exposure.Received && f.Hops > near.Received || f.Direction == exposure.Sent && f.Hops > near.Sent)
	})
}
