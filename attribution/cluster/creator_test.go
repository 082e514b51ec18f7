package cluster_test

import (
	"slices"
	"testing"

	"coldtrail/attribution/cluster"
	"coldtrail/ledger"
)

// creation is a contract that came into being.
func creation(contract, creator ledger.Address) ledger.Message {
	return ledger.Message{Kind: ledger.Creation, Contract: contract, Data: creator.Bytes()}
}

// TestCreator: whose a contract is, and of which nobody can say.
func TestCreator(t *testing.T) {
	first, second, third := account("first contract"), account("second contract"), account("third contract")
	short := creation(first, subject)
	short.Data = short.Data[:19]
	event := creation(first, subject)
	event.Kind = ledger.Log
	by := func(signer ledger.Address, messages ...ledger.Message) func(v *events) {
		return func(v *events) { v.signed(10, signer).Messages = messages }
	}
	type made struct {
		contract ledger.Address
		tx       int
	}
	for name, c := range map[string]struct {
		make func(v *events)
		want []made
	}{
		"one that it created": {by(subject, creation(first, subject)), []made{{first, 1}}},
		"one in each transaction": {func(v *events) {
			v.signed(10, subject).Messages = []ledger.Message{creation(first, subject)}
			v.move(11, subject, carol, ether, milli(1))
			v.signed(20, subject).Messages = []ledger.Message{creation(second, subject)}
		}, []made{{first, 1}, {second, 3}}},
		"its constructor created more": {by(subject, creation(first, subject), creation(second, first), creation(third, second)), []made{{first, 1}}},
		"a factory that it called":     {by(subject, creation(first, shop)), nil},
		"signed by another":            {by(alice, creation(first, subject)), nil},
		"created by another":           {by(alice, creation(subject, alice)), nil},
		"a transaction that failed": {func(v *events) {
			tx := v.signed(10, subject)
			tx.Messages, tx.Failed = []ledger.Message{creation(first, subject)}, true
		}, nil},
		"what the protocol paid out": {func(v *events) {
			tx := v.signed(10, subject)
			tx.Messages, tx.Coinbase = []ledger.Message{creation(first, subject)}, true
		}, nil},
		"again, after it destroyed itself": {func(v *events) {
			v.signed(10, subject).Messages = []ledger.Message{creation(first, subject)}
			v.signed(20, subject).Messages = []ledger.Message{creation(first, subject)}
		}, []made{{first, 1}}},
		"itself":         {by(subject, creation(subject, subject)), nil},
		"no contract":    {by(subject, creation(ledger.Address{}, subject)), nil},
		"no creator":     {by(subject, short), nil},
		"no creation":    {by(subject, event), nil},
		"nothing at all": {func(*events) {}, nil},
	} {
		var v events
		c.make(&v)
		var want []cluster.Edge
		for _, m := range c.want {
			want = append(want, cluster.Edge{A: subject, B: m.contract, Rule: cluster.Creator, Tx: nth(m.tx), Height: v.list[m.tx-1].Height, Confidence: 80})
		}
		h := v.history()
		if got := cluster.Creator.InHistory(h); !slices.Equal(got, want) {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
		slices.Reverse(h.Txs)
		h.Txs = append(h.Txs, h.Txs...)
		if got := cluster.Creator.InHistory(h); !slices.Equal(got, want) {
			t.Errorf("%s, in another order and twice: %+v", name, got)
		}
	}
}

// TestCreatorOf: what a service, a contract or an account that serves many creates is
// not one person's.
func TestCreatorOf(t *testing.T) {
	made := account("the contract")
	for name, c := range map[string]struct {
		of   ledger.Address
		want int
	}{
		"an account": {subject, 1}, "one that is known to sign": {alice, 1}, "a service": {hot, 0}, "one that serves many": {faucet, 0},
		"a contract": {shop, 0}, "nobody": {ledger.Address{}, 0},
	} {
		var v events
		v.signed(10, c.of).Messages = []ledger.Message{creation(made, c.of)}
		h := v.history()
		h.Of = c.of
		if got := cluster.Creator.InHistory(h); len(got) != c.want {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
