package screen_test

import (
	"testing"

	"coldtrail/attribution/label"
	"coldtrail/internal/laundering"
	"coldtrail/ledger"
	"coldtrail/screen/exposure"
	"coldtrail/store/memory"
)

// account is an address of an account chain.
func account(n byte) ledger.Address {
	payload := make([]byte, 20)
	payload[0], payload[19] = 0xd0, n
	return ledger.NewAddress(ledger.EVMAccount, payload)
}

// wallet is an address of Bitcoin.
func wallet(n byte) ledger.Address {
	payload := make([]byte, 20)
	payload[19] = n
	return ledger.NewAddress(ledger.P2WPKH, payload)
}

func written(t *testing.T, chain ledger.Chain, a ledger.Address) string {
	t.Helper()
	notation, err := laundering.Notations(chain)
	if err != nil {
		t.Fatal(err)
	}
	return notation.FormatAddress(a)
}

// TestDealings: who got from a listed address, and who sent to it, before it was listed and
// after, on both kinds of chain; and that nothing is left when the blocks are taken back.
func TestDealings(t *testing.T) {
	s, at := memory.New(), &clock{now: 100 * day}
	listed, listedWallet := account(1), wallet(1)
	for chain, a := range map[ledger.Chain]ledger.Address{ledger.Ethereum: listed, ledger.Bitcoin: listedWallet} {
		claim := label.Claim{
			Subject: label.SubjectOf(chain, written(t, chain, a)), Label: "somebody", Abuse: "sanction", By: "OFAC", Confidence: "authority_data", Score: 60, From: 50 * day, Learned: 50 * day,
		}
		if _, err := s.AddClaims(t.Context(), []label.Claim{claim}); err != nil {
			t.Fatal(err)
		}
	}
	ether := ledger.Ethereum.Native()
	move := func(n byte, from, to ledger.Address, amount uint64) ledger.Tx {
		return ledger.Tx{ID: ledger.Hash{n}, Fee: ledger.Fee{Payer: from}, Transfers: []ledger.Transfer{{From: from, To: to, Asset: ether, Amount: ledger.NewAmount(amount), LogIndex: ledger.NoLog}}}
	}
	mint := ledger.Tx{ID: ledger.Hash{10}, Coinbase: true, Outputs: []ledger.Output{{Value: 60, Address: listedWallet}, {Value: 40, Address: wallet(2)}}}
	joint := ledger.Tx{ID: ledger.Hash{11}, Index: 1, Inputs: []ledger.Outpoint{{Tx: mint.ID}, {Tx: mint.ID, Index: 1}}, Outputs: []ledger.Output{{Value: 50, Address: wallet(3)}, {Value: 30, Address: listedWallet}}}
	blocks := []*ledger.Block{
		{Chain: ledger.Ethereum, Height: 1, Hash: ledger.Hash{1}, Time: 40 * day, Txs: []ledger.Tx{move(1, listed, account(2), 7)}},
		{Chain: ledger.Ethereum, Height: 2, Hash: ledger.Hash{2}, Parent: ledger.Hash{1}, Time: 60 * day, Txs: []ledger.Tx{move(2, listed, account(2), 5), move(3, account(3), listed, 11), move(4, account(2), account(4), 1)}},
		{Chain: ledger.Bitcoin, Height: 1, Hash: ledger.Hash{3}, Time: 60 * day, Txs: []ledger.Tx{mint, joint}},
	}
	for _, b := range blocks {
		for i := range b.Txs {
			b.Txs[i].Index = uint32(i)
		}
		if err := s.Append(t.Context(), []*ledger.Block{b}); err != nil {
			t.Fatal(err)
		}
	}
	e := engine(t, s, at)
	type dealing struct {
		direction exposure.Direction
		amount    string
		sanction  bool
	}
	check := func(chain ledger.Chain, a ledger.Address, want ...dealing) {
		t.Helper()
		v := ask(e, exposure.Question{Subject: written(t, chain, a), Chain: string(chain)})
		var got []dealing
		for _, f := range v.Facts {
			if f.Kind != exposure.Dealt || f.Hops != 1 || f.Entity != "somebody" || len(f.Evidence) == 0 {
				t.Errorf("%+v", f)
			}
			got = append(got, dealing{f.Direction, f.Amount.Dec(), f.Sanction})
		}
		if len(got) != len(want) {
			t.Fatalf("%v, want %v", got, want)
		}
		for _, w := range want {
			found := false
			for _, g := range got {
				found = found || g == w
			}
			if !found {
				t.Errorf("%v, want %v", got, want)
			}
		}
	}
	check(ledger.Ethereum, account(2), dealing{exposure.Received, "7", false}, dealing{exposure.Received, "5", true})
	check(ledger.Ethereum, account(3), dealing{exposure.Sent, "11", true})
	check(ledger.Ethereum, account(4))
	check(ledger.Bitcoin, wallet(3), dealing{exposure.Received, "30", true}) // 60 of 100 parts of 50
	check(ledger.Bitcoin, wallet(2), dealing{exposure.Sent, "12", true})     // 40 of 100 parts of 30
	if v := ask(e, exposure.Question{Subject: written(t, ledger.Ethereum, account(3)), Chain: "eip155:1"}); v.Outcome != exposure.Refuse {
		t.Errorf("who sent to a listed address after it was listed: %s %v", v.Outcome, codes(&v))
	}
	if err := s.Rewind(t.Context(), ledger.Ethereum, 2); err != nil {
		t.Fatal(err)
	}
	if err := e.Advance(t.Context()); err != nil {
		t.Fatal(err)
	}
	check(ledger.Ethereum, account(2), dealing{exposure.Received, "7", false})
	check(ledger.Ethereum, account(3))
}
