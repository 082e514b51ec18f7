package screen_test

import (
	"context"
	"errors"
	"testing"

	"coldtrail/attribution/label"
	"coldtrail/ledger"
	"coldtrail/screen/exposure"
	"coldtrail/store"
	"coldtrail/store/memory"
)

var errBroken = errors.New("the disk is gone for a moment")

// breaking is a store that cannot read transactions while it is broken.
type breaking struct {
	store.Store
	broken bool
}

func (b *breaking) Movements(ctx context.Context, chain ledger.Chain, numbers []store.TxNumber) ([]store.Movement, error) {
	if b.broken {
		return nil, errBroken
	}
	return b.Store.Movements(ctx, chain, numbers)
}

func (b *breaking) Transactions(ctx context.Context, chain ledger.Chain, numbers []store.TxNumber) ([]store.Transaction, error) {
	if b.broken {
		return nil, errBroken
	}
	return b.Store.Transactions(ctx, chain, numbers)
}

// TestDealingsAfterAnError: what could not be read once is read the next time, on both kinds
// of chain, and nothing that was read before is counted twice.
func TestDealingsAfterAnError(t *testing.T) {
	s, at := &breaking{Store: memory.New()}, &clock{now: 100 * day}
	listed, listedWallet := account(1), wallet(1)
	for chain, a := range map[ledger.Chain]ledger.Address{ledger.Ethereum: listed, ledger.Bitcoin: listedWallet} {
		claim := label.Claim{
			Subject: label.SubjectOf(chain, written(t, chain, a)), Label: "somebody", Abuse: "sanction", By: "OFAC", Confidence: "authority_data", Score: 60, From: day, Learned: day,
		}
		if _, err := s.AddClaims(t.Context(), []label.Claim{claim}); err != nil {
			t.Fatal(err)
		}
	}
	pay := func(n byte, amount uint64) ledger.Tx {
		return ledger.Tx{ID: ledger.Hash{n}, Transfers: []ledger.Transfer{{From: listed, To: account(2), Asset: ledger.Ethereum.Native(), Amount: ledger.NewAmount(amount), LogIndex: ledger.NoLog}}}
	}
	mint := ledger.Tx{ID: ledger.Hash{11}, Coinbase: true, Outputs: []ledger.Output{{Value: 60, Address: listedWallet}, {Value: 40, Address: listedWallet}}}
	spend := func(n byte, index uint32, value uint64) ledger.Tx {
		return ledger.Tx{ID: ledger.Hash{n}, Index: 1, Inputs: []ledger.Outpoint{{Tx: mint.ID, Index: index}}, Outputs: []ledger.Output{{Value: value, Address: wallet(2)}}}
	}
	add := func(blocks ...*ledger.Block) {
		t.Helper()
		if err := s.Append(t.Context(), blocks); err != nil {
			t.Fatal(err)
		}
	}
	add(&ledger.Block{Chain: ledger.Ethereum, Height: 1, Hash: ledger.Hash{1}, Time: 40 * day, Txs: []ledger.Tx{pay(1, 7)}},
		&ledger.Block{Chain: ledger.Bitcoin, Height: 1, Hash: ledger.Hash{2}, Time: 40 * day, Txs: []ledger.Tx{mint, spend(12, 0, 60)}})
	e := engine(t, s, at)
	reward := ledger.Tx{ID: ledger.Hash{13}, Coinbase: true, Outputs: []ledger.Output{{Value: 50, Address: wallet(9)}}}
	add(&ledger.Block{Chain: ledger.Ethereum, Height: 2, Hash: ledger.Hash{3}, Parent: ledger.Hash{1}, Time: 41 * day, Txs: []ledger.Tx{pay(2, 5)}},
		&ledger.Block{Chain: ledger.Bitcoin, Height: 2, Hash: ledger.Hash{4}, Parent: ledger.Hash{2}, Time: 41 * day, Txs: []ledger.Tx{reward, spend(14, 1, 39)}})
	s.broken = true
	for range 2 { // a second try, too
		if err := e.Advance(t.Context()); !errors.Is(err, errBroken) {
			t.Fatalf("the store is broken, and the engine says %v", err)
		}
	}
	s.broken = false
	if err := e.Advance(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, want := range []struct {
		chain   ledger.Chain
		address ledger.Address
		amount  string
	}{{ledger.Ethereum, account(2), "12"}, {ledger.Bitcoin, wallet(2), "99"}} {
		v := ask(e, exposure.Question{Subject: written(t, want.chain, want.address), Chain: string(want.chain)})
		if len(v.Facts) != 1 || v.Facts[0].Amount.Dec() != want.amount || len(v.Facts[0].Evidence) != 2 {
			t.Errorf("%s: %+v, want %s by two transactions", want.chain.Short(), v.Facts, want.amount)
		}
	}
}
