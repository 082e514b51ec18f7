package cluster_test

import (
	"encoding/binary"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"coldtrail/attribution/cluster"
	"coldtrail/chain/evm"
	"coldtrail/ledger"
)

const (
	ether = ledger.Asset("eip155:1/slip44:60")
	usdt  = ledger.Asset("eip155:1/erc20:0xdac17f958d2ee523a2206206994597c13d831ec7")
	fake  = ledger.Asset("eip155:1/erc20:0x00000000000000000000000000000000000fa4e0")
)

// account makes an account out of a name of up to 20 letters.
func account(name string) ledger.Address {
	return ledger.NewAddress(ledger.EVMAccount, append([]byte(name), make([]byte, 20-len(name))...))
}

var (
	subject = account("subject")
	hot     = account("hot wallet")
	cold    = account("hot wallet 2")
	rival   = account("rival's wallet")
	alice   = account("alice")
	bob     = account("bob")
	carol   = account("carol")
	shop    = account("contract")
	faucet  = account("faucet")
)

// parties knows two wallets of one service, one of another, a contract and a faucet.
func parties() cluster.Parties {
	return cluster.Parties{
		Service: func(a ledger.Address) (string, bool) {
			switch a {
			case hot, cold:
				return "Exchange", true
			case rival:
				return "Rival", true
			}
			return "", false
		},
		Contract: func(a ledger.Address) bool { return a == shop },
		Crowded:  func(a ledger.Address) bool { return a == faucet },
		Signs:    func(a ledger.Address) bool { return a == alice || a == bob || a == faucet || a == hot },
		Payers: func(a ledger.Address) uint64 {
			if a == hot {
				return 1_000
			}
			return 999
		},
	}
}

// milli is so many thousandths of an ether.
func milli(n uint64) ledger.Amount {
	a, unit := ledger.NewAmount(n), ledger.NewAmount(1_000_000_000_000_000)
	return *a.Mul(&a, &unit)
}

// events writes a history, one transaction a step.
type events struct{ list []ledger.Placed }

// move adds a transaction that its sender signed.
func (v *events) move(height ledger.Height, from, to ledger.Address, asset ledger.Asset, amount ledger.Amount) *ledger.Tx {
	return v.signed(height, from, ledger.Transfer{From: from, To: to, Asset: asset, Amount: amount, LogIndex: ledger.NoLog})
}

// signed adds a transaction of a signer, whose fee is a thousandth of an ether.
func (v *events) signed(height ledger.Height, by ledger.Address, transfers ...ledger.Transfer) *ledger.Tx {
	tx := &ledger.Tx{Index: uint32(len(v.list)), Transfers: transfers, Fee: ledger.Fee{Payer: by, Burned: milli(1)}}
	binary.BigEndian.PutUint64(tx.ID[:], uint64(len(v.list)+1))
	v.list = append(v.list, ledger.Placed{Height: height, Time: int64(height) * 12, Tx: tx})
	return tx
}

func (v *events) history() *cluster.History {
	return &cluster.History{Chain: ledger.Ethereum, Of: subject, Txs: v.list, Parties: parties()}
}

// nth is the identifier of the nth transaction of a history, from 1.
func nth(n int) (h ledger.Hash) {
	binary.BigEndian.PutUint64(h[:], uint64(n))
	return h
}

// TestDeposit: what makes a deposit address, and by how little it is none.
func TestDeposit(t *testing.T) {
	units := ledger.NewAmount(5_000_000)
	for name, c := range map[string]struct {
		make      func(v *events)
		customers []ledger.Address
		sweeps    int // 0: it is none
	}{
		"ether, less its fee": {func(v *events) {
			v.move(10, alice, subject, ether, milli(500))
			v.move(20, subject, hot, ether, milli(499))
		}, []ledger.Address{alice}, 1},
		"all but the tolerance": {func(v *events) {
			v.move(10, alice, subject, ether, milli(500))
			v.move(20, subject, hot, ether, milli(490))
		}, []ledger.Address{alice}, 1},
		"more than the tolerance missing": {func(v *events) {
			v.move(10, alice, subject, ether, milli(500))
			v.move(20, subject, hot, ether, milli(489))
		}, nil, 0},
		"more swept than received": {func(v *events) {
			v.move(10, alice, subject, ether, milli(500))
			v.move(20, subject, hot, ether, milli(501))
		}, nil, 0},
		"the last block in time": {func(v *events) {
			v.move(10, alice, subject, ether, milli(500))
			v.move(10_010, subject, hot, ether, milli(500))
		}, []ledger.Address{alice}, 1},
		"a block too late": {func(v *events) {
			v.move(10, alice, subject, ether, milli(500))
			v.move(10_011, subject, hot, ether, milli(500))
		}, nil, 0},
		"the least receipt": {func(v *events) {
			v.move(10, alice, subject, ether, milli(20))
			v.move(20, subject, hot, ether, milli(10))
		}, []ledger.Address{alice}, 1},
		"less than the least receipt": {func(v *events) {
			v.move(10, alice, subject, ether, milli(19))
			v.move(20, subject, hot, ether, milli(19))
		}, nil, 0},
		"tokens, exactly": {func(v *events) { v.move(10, alice, subject, usdt, units); v.move(20, subject, hot, usdt, units) }, []ledger.Address{alice}, 1},
		"tokens, one unit short": {func(v *events) {
			v.move(10, alice, subject, usdt, units)
			v.move(20, subject, hot, usdt, ledger.NewAmount(4_999_999))
		}, nil, 0},
		"swept before received": {func(v *events) {
			v.move(10, subject, hot, ether, milli(500))
			v.move(20, alice, subject, ether, milli(500))
		}, nil, 0},
		"a receipt answers once": {func(v *events) {
			v.move(10, alice, subject, usdt, units)
			v.move(20, subject, hot, usdt, units)
			v.move(21, subject, hot, usdt, units)
		}, []ledger.Address{alice}, 1},
		"the latest receipt answers": {func(v *events) {
			v.move(10, alice, subject, usdt, units)
			v.move(11, bob, subject, usdt, units)
			v.move(20, subject, hot, usdt, units)
		}, []ledger.Address{bob}, 1},
		"two customers, two wallets": {func(v *events) {
			v.move(10, alice, subject, usdt, units)
			v.move(11, subject, hot, usdt, units)
			v.move(20, bob, subject, ether, milli(99))
			v.move(21, subject, cold, ether, milli(98))
		}, []ledger.Address{alice, bob}, 2},
		"a customer twice": {func(v *events) {
			v.move(10, alice, subject, usdt, units)
			v.move(11, subject, hot, usdt, units)
			v.move(20, alice, subject, usdt, units)
			v.move(21, subject, hot, usdt, units)
		}, []ledger.Address{alice}, 2},
		"gas from the service": {func(v *events) {
			v.move(9, hot, subject, ether, milli(30))
			v.move(10, alice, subject, usdt, units)
			v.move(11, subject, hot, usdt, units)
		}, []ledger.Address{alice}, 1},
		"gas from the service swept again": {func(v *events) { v.move(9, hot, subject, ether, milli(30)); v.move(11, subject, hot, ether, milli(29)) }, nil, 1},
		"a contract is no customer":        {func(v *events) { v.move(10, shop, subject, usdt, units); v.move(11, subject, hot, usdt, units) }, nil, 1},
		"a faucet is no customer": {func(v *events) {
			v.move(10, faucet, subject, ether, milli(50))
			v.move(11, subject, hot, ether, milli(50))
		}, nil, 1},
		"nor who makes new units": {func(v *events) {
			v.move(10, ledger.Address{}, subject, ether, milli(50))
			v.move(11, subject, hot, ether, milli(50))
		}, nil, 1},
		"something to somebody else": {func(v *events) {
			v.move(10, alice, subject, usdt, units)
			v.move(20, subject, hot, usdt, units)
			v.move(30, subject, carol, ether, milli(1))
		}, nil, 0},
		"something to somebody else first": {func(v *events) {
			v.move(1, subject, carol, ether, milli(1))
			v.move(10, alice, subject, usdt, units)
			v.move(20, subject, hot, usdt, units)
		}, nil, 0},
		"two services": {func(v *events) {
			v.move(10, alice, subject, usdt, units)
			v.move(20, subject, hot, usdt, units)
			v.move(30, subject, rival, usdt, units)
		}, nil, 0},
		"a reverted sweep": {func(v *events) {
			v.move(10, alice, subject, usdt, units)
			v.move(20, subject, hot, usdt, units).Failed = true
		}, nil, 0},
		"a forged event about it": {func(v *events) {
			v.move(10, alice, subject, usdt, units)
			v.move(20, subject, hot, usdt, units)
			v.signed(30, carol, ledger.Transfer{From: subject, To: carol, Asset: fake, Amount: units})
		}, []ledger.Address{alice}, 1},
		"forged receipt and forged sweep": {func(v *events) {
			v.signed(10, carol, ledger.Transfer{From: alice, To: subject, Asset: fake, Amount: units}, ledger.Transfer{From: subject, To: hot, Asset: fake, Amount: units})
		}, nil, 0},
		"a transfer of nothing": {func(v *events) {
			v.move(10, alice, subject, usdt, units)
			v.move(20, subject, hot, usdt, units)
			v.move(30, subject, carol, usdt, ledger.Amount{})
		}, []ledger.Address{alice}, 1},
		"a transfer to itself": {func(v *events) {
			v.move(10, alice, subject, usdt, units)
			v.move(20, subject, hot, usdt, units)
			v.move(30, subject, subject, ether, milli(1))
		}, []ledger.Address{alice}, 1},
		"nothing": {func(*events) {}, nil, 0},
	} {
		var v events
		c.make(&v)
		h := v.history()
		d, ok := cluster.Deposit(h)
		if ok != (c.sweeps > 0) || len(d.Sweeps) != c.sweeps || !slices.Equal(d.Customers, c.customers) || ok && d.Entity != "Exchange" {
			t.Errorf("%s: %v, %+v", name, ok, d)
		}
		slices.Reverse(h.Txs)
		h.Txs = append(h.Txs, h.Txs...)
		if again, ok2 := cluster.Deposit(h); ok2 != ok || !slices.Equal(again.Customers, d.Customers) || !slices.Equal(again.Sweeps, d.Sweeps) {
			t.Errorf("%s, in another order and twice: %v, %+v", name, ok2, again)
		}
	}
}

// TestDepositOf: neither a service's wallet, nor a contract, nor an account without
// labels about it is a deposit address.
func TestDepositOf(t *testing.T) {
	for name, c := range map[string]struct {
		of      ledger.Address
		parties cluster.Parties
		ok      bool
	}{
		"an account": {subject, parties(), true}, "without labels": {subject, cluster.Parties{}, false},
		"a wallet of the service": {cold, parties(), false}, "a contract": {shop, parties(), false}, "nobody": {ledger.Address{}, parties(), false},
	} {
		var v events
		v.move(10, alice, c.of, ether, milli(500))
		v.move(20, c.of, hot, ether, milli(499))
		h := v.history()
		h.Of, h.Parties = c.of, c.parties
		if d, ok := cluster.Deposit(h); ok != c.ok {
			t.Errorf("%s: %+v", name, d)
		}
	}
}

// TestDepositEdges: who is tied to whom, and when.
func TestDepositEdges(t *testing.T) {
	var v events
	units := ledger.NewAmount(7)
	for i, who := range []ledger.Address{alice, bob, alice, carol} {
		v.move(ledger.Height(10*i+10), who, subject, usdt, units)
		v.move(ledger.Height(10*i+15), subject, []ledger.Address{hot, hot, cold, hot}[i], usdt, units)
	}
	h := v.history()
	if got, want := cluster.DepositAddress.InHistory(h), []cluster.Edge{
		{A: subject, B: hot, Rule: cluster.DepositAddress, Tx: nth(2), Height: 15, Confidence: 85},
		{A: subject, B: cold, Rule: cluster.DepositAddress, Tx: nth(6), Height: 35, Confidence: 85},
	}; !slices.Equal(got, want) {
		t.Errorf("address: %+v", got)
	}
	if got, want := cluster.DepositCustomers.InHistory(h), []cluster.Edge{
		{A: alice, B: bob, Rule: cluster.DepositCustomers, Tx: nth(4), Height: 25, Confidence: 85},
		{A: alice, B: carol, Rule: cluster.DepositCustomers, Tx: nth(8), Height: 45, Confidence: 85},
	}; !slices.Equal(got, want) {
		t.Errorf("customers: %+v", got)
	}
	for i := range 8 { // eleven payers in all
		v.move(ledger.Height(100+2*i), account("payer "+string(rune('a'+i))), subject, usdt, units)
		v.move(ledger.Height(101+2*i), subject, hot, usdt, units)
		want := 2 + i + 1
		if want > 9 {
			want = 0
		}
		if got := cluster.DepositCustomers.InHistory(v.history()); len(got) != want {
			t.Errorf("%d payers: %d edges, want %d", 4+i, len(got), want)
		}
	}
	if got := cluster.DepositAddress.InHistory(v.history()); len(got) != 2 {
		t.Errorf("a shared deposit address is no less the service's: %+v", got)
	}
}

// anyEvents draws a history of few accounts: mostly payments to the subject and what it
// passes on, and now and then anything.
func anyEvents(rt *rapid.T) *events {
	v := &events{}
	height := uint64(1)
	amount := rapid.Map(rapid.SampledFrom([]uint64{0, 1, 25, 30, 100}), milli)
	asset := rapid.SampledFrom([]ledger.Asset{ether, usdt, usdt, fake})
	for range rapid.IntRange(0, 14).Draw(rt, "transactions") {
		height += rapid.OneOf(rapid.Uint64Range(0, 40), rapid.Uint64Range(0, 20_000)).Draw(rt, "later")
		at := ledger.Height(height)
		switch rapid.IntRange(0, 9).Draw(rt, "sort") {
		case 0, 1, 2, 3, 4:
			v.move(at, rapid.SampledFrom([]ledger.Address{alice, bob, carol, shop, hot}).Draw(rt, "payer"), subject, asset.Draw(rt, "asset"), amount.Draw(rt, "amount"))
		case 5, 6, 7, 8:
			v.move(at, subject, rapid.SampledFrom([]ledger.Address{hot, hot, cold}).Draw(rt, "wallet"), asset.Draw(rt, "asset"), amount.Draw(rt, "amount"))
		default:
			wild(rt, v, at)
		}
	}
	return v
}

// wild adds a transaction of any form.
func wild(rt *rapid.T, v *events, at ledger.Height) {
	everybody := rapid.SampledFrom([]ledger.Address{subject, hot, cold, rival, alice, bob, carol, shop, faucet, {}})
	var transfers []ledger.Transfer
	for range rapid.IntRange(0, 3).Draw(rt, "transfers") {
		transfers = append(transfers, ledger.Transfer{
			From: everybody.Draw(rt, "from"), To: everybody.Draw(rt, "to"), Asset: rapid.SampledFrom([]ledger.Asset{ether, usdt, fake}).Draw(rt, "asset"),
			Amount: milli(rapid.Uint64Range(0, 100).Draw(rt, "amount")), Kind: rapid.SampledFrom([]ledger.TransferKind{ledger.Ordinary, ledger.Internal}).Draw(rt, "kind"),
		})
	}
	tx := v.signed(at, everybody.Draw(rt, "signer"), transfers...)
	tx.Failed = rapid.IntRange(0, 3).Draw(rt, "failed") == 0
	tx.External = rapid.IntRange(0, 3).Draw(rt, "external") == 0
	for range rapid.IntRange(0, 2).Draw(rt, "creates") {
		creator := rapid.SampledFrom([]ledger.Address{tx.Fee.Payer, tx.Fee.Payer, subject, shop})
		tx.Messages = append(tx.Messages, creation(everybody.Draw(rt, "contract"), creator.Draw(rt, "creator")))
	}
}

// TestHistoriesHold: edges of accounts join two different accounts that the history
// names; those dated before a cut are what the history up to the cut yields, unless what
// came later refuted them; and time alone takes none away.
func TestHistoriesHold(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		v := anyEvents(rt)
		whole := v.history()
		named := map[ledger.Address]bool{subject: true}
		for _, p := range v.list {
			for _, t := range p.Tx.Transfers {
				named[t.From], named[t.To] = true, true
			}
			for _, m := range p.Tx.Messages {
				named[m.Contract] = true
			}
		}
		for _, r := range cluster.Rules {
			if r.Input != cluster.AllHistory {
				continue
			}
			edges := r.InHistory(whole)
			for _, e := range edges {
				if e.A == e.B || e.A.IsZero() || e.B.IsZero() || !named[e.A] || !named[e.B] || e.Rule != r || e.Confidence != r.Confidence {
					rt.Fatalf("%s: %+v", r.Name, e)
				}
			}
			cut := rapid.IntRange(0, len(v.list)).Draw(rt, "cut")
			early := &events{list: v.list[:cut]}
			before := r.InHistory(early.history())
			for _, e := range before {
				if len(edges) > 0 && !slices.Contains(edges, e) && r != cluster.DepositUnlisted {
					rt.Fatalf("%s: %+v is gone from %+v", r.Name, e, edges)
				}
			}
			for _, e := range edges {
				at := slices.IndexFunc(v.list, func(p ledger.Placed) bool { return p.Tx.ID == e.Tx })
				if at < cut && !slices.Contains(before, e) {
					rt.Fatalf("%s: %+v rests on what came after it", r.Name, e)
				}
			}
		}
	})
	found := map[string]int{} // or it would all be true of nothing
	for seed := range 4_000 {
		h := rapid.Custom(anyEvents).Example(seed).history()
		for _, r := range cluster.Rules {
			found[r.Name] += len(r.InHistory(h))
		}
	}
	for _, name := range []string{"creator", "deposit-address", "deposit-customers", "gas-funder", "gas-top-up"} {
		if found[name] < 10 {
			t.Errorf("%d edges of %s in 4,000 histories", found[name], name)
		}
	}
}

// TestUnlisted: a deposit address that no list tells of.
func TestUnlisted(t *testing.T) {
	payers := []ledger.Address{alice, bob, carol, account("dave"), account("erin")}
	// pattern has every payer pay an ether and every ether swept.
	pattern := func(n int, gap, residue uint64, to ledger.Address) *events {
		v := &events{}
		for i, who := range payers[:n] {
			at := ledger.Height(20_000 * (i + 1))
			v.move(at, who, subject, ether, milli(1_000))
			v.move(at+ledger.Height(gap), subject, to, ether, milli(999-residue))
			residue = 0
		}
		return v
	}
	for name, c := range map[string]struct {
		events *events
		want   bool
	}{
		"five payers":                 {pattern(5, 100, 0, hot), true},
		"four payers":                 {pattern(4, 100, 0, hot), false},
		"swept after a day":           {pattern(5, 7_200, 0, hot), true},
		"swept after more than a day": {pattern(5, 7_201, 0, hot), false},
		"as much left as may be":      {pattern(5, 100, 10, hot), true},
		"more left":                   {pattern(5, 100, 11, hot), false},
		"a wallet that too few pay":   {pattern(5, 100, 0, cold), false},
		"something for somebody else": {func() *events {
			v := pattern(5, 100, 0, hot)
			v.move(200_000, subject, carol, usdt, milli(1))
			return v
		}(), false},
		"a token that a fifth payer never had swept": {func() *events {
			v := pattern(4, 100, 0, hot)
			v.signed(200_000, carol, ledger.Transfer{From: account("erin"), To: subject, Asset: fake, Amount: milli(1)})
			return v
		}(), false},
		"a token that left without arriving": {func() *events { v := pattern(5, 100, 0, hot); v.move(200_000, subject, hot, usdt, milli(1)); return v }(), false},
		"a tenth late is in order": {func() *events {
			v := pattern(5, 100, 0, hot)
			v.move(200_000, alice, subject, ether, milli(500))
			v.move(220_000, subject, hot, ether, milli(499))
			return v
		}(), true},
	} {
		got, ok := cluster.Unlisted(c.events.history())
		if ok != c.want {
			t.Errorf("%s: %v, %+v", name, ok, got)
		}
		edges := cluster.DepositUnlisted.InHistory(c.events.history())
		if ok && (got.Into != hot || got.Funders != 5 || len(edges) != 1 || edges[0] != (cluster.Edge{A: subject, B: hot, Rule: cluster.DepositUnlisted, Tx: nth(10), Height: got.Height, Confidence: 60})) {
			t.Errorf("%s: %+v, %+v", name, got, edges)
		}
		if !ok && edges != nil {
			t.Errorf("%s: %+v", name, edges)
		}
	}
}

// TestFirstGas: who paid for an account's first gas.
func TestFirstGas(t *testing.T) {
	for name, c := range map[string]struct {
		make func(v *events)
		from ledger.Address // nobody: no answer
	}{
		"funded, then used": {func(v *events) {
			v.move(10, alice, subject, ether, milli(5))
			v.move(20, subject, carol, ether, milli(1))
		}, alice},
		"used after 48 hours": {func(v *events) {
			v.move(10, alice, subject, ether, milli(5))
			v.move(14_410, subject, carol, ether, milli(1))
		}, alice},
		"used later": {func(v *events) {
			v.move(10, alice, subject, ether, milli(5))
			v.move(14_411, subject, carol, ether, milli(1))
		}, ledger.Address{}},
		"never used": {func(v *events) { v.move(10, alice, subject, ether, milli(5)) }, ledger.Address{}},
		"used, though it failed": {func(v *events) {
			v.move(10, alice, subject, ether, milli(5))
			v.move(20, subject, carol, ether, milli(1)).Failed = true
		}, alice},
		"a quarter of an ether": {func(v *events) {
			v.move(10, alice, subject, ether, milli(250))
			v.move(20, subject, carol, ether, milli(1))
		}, alice},
		"more than that": {func(v *events) {
			v.move(10, alice, subject, ether, milli(251))
			v.move(20, subject, carol, ether, milli(1))
		}, ledger.Address{}},
		"a service paid": {func(v *events) {
			v.move(10, hot, subject, ether, milli(5))
			v.move(20, subject, carol, ether, milli(1))
		}, ledger.Address{}},
		"a service paid first": {func(v *events) {
			v.move(9, hot, subject, ether, milli(5))
			v.move(10, alice, subject, ether, milli(5))
			v.move(20, subject, carol, ether, milli(1))
		}, ledger.Address{}},
		"a service paid later": {func(v *events) {
			v.move(10, alice, subject, ether, milli(5))
			v.move(11, hot, subject, ether, milli(5))
			v.move(20, subject, carol, ether, milli(1))
		}, alice},
		"a faucet paid": {func(v *events) {
			v.move(10, faucet, subject, ether, milli(5))
			v.move(20, subject, carol, ether, milli(1))
		}, ledger.Address{}},
		"a contract paid": {func(v *events) {
			v.signed(10, alice, ledger.Transfer{From: shop, To: subject, Asset: ether, Amount: milli(5), Kind: ledger.Internal})
			v.move(20, subject, carol, ether, milli(1))
		}, ledger.Address{}},
		"a contract nobody knows": {func(v *events) {
			v.signed(10, alice, ledger.Transfer{From: carol, To: subject, Asset: ether, Amount: milli(5), Kind: ledger.Internal})
			v.move(20, subject, carol, ether, milli(1))
		}, ledger.Address{}},
		"tokens came first": {func(v *events) {
			v.move(9, bob, subject, usdt, milli(5))
			v.move(10, alice, subject, ether, milli(5))
			v.move(20, subject, carol, usdt, milli(1))
		}, alice},
		"it acted before": {func(v *events) {
			v.move(9, subject, carol, usdt, milli(1))
			v.move(10, alice, subject, ether, milli(5))
			v.move(20, subject, carol, ether, milli(1))
		}, ledger.Address{}},
		"a reverted payment is not": {func(v *events) {
			v.move(9, bob, subject, ether, milli(5)).Failed = true
			v.move(10, alice, subject, ether, milli(5))
			v.move(20, subject, carol, ether, milli(1))
		}, alice},
		"block rewards": {func(v *events) {
			v.signed(10, ledger.Address{}, ledger.Transfer{To: subject, Asset: ether, Amount: milli(5), Kind: ledger.Reward}).Coinbase = true
			v.move(20, subject, carol, ether, milli(1))
		}, ledger.Address{}},
	} {
		var v events
		c.make(&v)
		g, ok := cluster.FirstGas(v.history())
		if ok == c.from.IsZero() || ok && g.From != c.from {
			t.Errorf("%s: %v, %+v", name, ok, g)
		}
		edges := cluster.GasFunder.InHistory(v.history())
		if ok && (len(edges) != 1 || edges[0] != (cluster.Edge{A: c.from, B: subject, Rule: cluster.GasFunder, Tx: nth(len(v.list)), Height: v.list[len(v.list)-1].Height, Confidence: 55})) || !ok && edges != nil {
			t.Errorf("%s: %+v", name, edges)
		}
	}
}

// TestTopUps: who paid for moving tokens.
func TestTopUps(t *testing.T) {
	units := ledger.NewAmount(100)
	begin := func(v *events) *events { v.move(1, bob, subject, usdt, units); return v }
	for name, c := range map[string]struct {
		make func(v *events)
		from []ledger.Address
	}{
		"gas, then the tokens leave": {func(v *events) {
			begin(v).move(10, alice, subject, ether, milli(2))
			v.move(20, subject, carol, usdt, units)
		}, []ledger.Address{alice}},
		"a part of them": {func(v *events) {
			begin(v).move(10, alice, subject, ether, milli(2))
			v.move(20, subject, carol, usdt, ledger.NewAmount(1))
		}, []ledger.Address{alice}},
		"after an hour": {func(v *events) {
			begin(v).move(10, alice, subject, ether, milli(2))
			v.move(310, subject, carol, usdt, units)
		}, []ledger.Address{alice}},
		"after more than an hour": {func(v *events) {
			begin(v).move(10, alice, subject, ether, milli(2))
			v.move(311, subject, carol, usdt, units)
		}, nil},
		"the tokens came after": {func(v *events) {
			v.move(10, alice, subject, ether, milli(2))
			v.move(11, bob, subject, usdt, units)
			v.move(20, subject, carol, usdt, units)
		}, nil},
		"it had gas": {func(v *events) {
			begin(v).move(9, bob, subject, ether, milli(1))
			v.move(10, alice, subject, ether, milli(2))
			v.move(20, subject, carol, usdt, units)
		}, nil},
		"it had less than the fee": {func(v *events) {
			begin(v).move(9, bob, subject, ether, ledger.NewAmount(999))
			v.move(10, alice, subject, ether, milli(2))
			v.move(20, subject, carol, usdt, units)
		}, []ledger.Address{alice}},
		"ether left, not tokens": {func(v *events) {
			begin(v).move(10, alice, subject, ether, milli(9))
			v.move(20, subject, carol, ether, milli(1))
		}, nil},
		"tokens it never had": {func(v *events) {
			begin(v).move(10, alice, subject, ether, milli(2))
			v.move(20, subject, carol, fake, units)
		}, nil},
		"a service paid": {func(v *events) {
			begin(v).move(10, hot, subject, ether, milli(2))
			v.move(20, subject, carol, usdt, units)
		}, nil},
		"more than gas": {func(v *events) {
			begin(v).move(10, alice, subject, ether, milli(251))
			v.move(20, subject, carol, usdt, units)
		}, nil},
		"a failed attempt": {func(v *events) {
			begin(v).move(10, alice, subject, ether, milli(2))
			v.move(20, subject, carol, usdt, units).Failed = true
		}, nil},
		"twice, by two": {func(v *events) {
			begin(v).move(10, alice, subject, ether, milli(1))
			v.move(20, subject, carol, usdt, ledger.NewAmount(40))
			v.move(30, carol, subject, ether, milli(1))
			v.move(40, subject, carol, usdt, ledger.NewAmount(40))
		}, []ledger.Address{alice, carol}},
		"a token call without traces": {func(v *events) {
			begin(v).move(10, alice, subject, ether, milli(1))
			v.move(20, subject, carol, usdt, ledger.NewAmount(40)).External = true
			v.move(30, carol, subject, ether, milli(1))
			v.move(40, subject, carol, usdt, ledger.NewAmount(40))
		}, []ledger.Address{alice, carol}},
		"a call that may have paid ether": {func(v *events) {
			begin(v).move(10, alice, subject, ether, milli(1))
			v.signed(20, subject).External = true
			v.move(30, carol, subject, ether, milli(1))
			v.move(40, subject, carol, usdt, ledger.NewAmount(40))
		}, nil},
		"spent more than ever came": {func(v *events) {
			begin(v).move(5, subject, carol, ether, milli(1))
			v.move(10, alice, subject, ether, milli(2))
			v.move(20, subject, carol, usdt, units)
		}, nil},
	} {
		var v events
		c.make(&v)
		var from []ledger.Address
		for _, g := range cluster.TopUps(v.history()) {
			from = append(from, g.From)
		}
		edges := cluster.GasTopUp.InHistory(v.history())
		if !slices.Equal(from, c.from) || len(edges) != len(c.from) {
			t.Errorf("%s: %v, %+v", name, from, edges)
		}
		for i, e := range edges {
			if e.A != c.from[i] || e.B != subject || e.Confidence != 65 {
				t.Errorf("%s: %+v", name, e)
			}
		}
	}
}

// approved is an Approval event.
func approved(owner, spender ledger.Address, amount byte) ledger.Message {
	topic := evm.Keccak([]byte("Approval(address,address,uint256)"))
	data := append([]byte{3}, topic[:]...)
	for _, a := range []ledger.Address{owner, spender} {
		data = append(append(data, make([]byte, 12)...), a.Bytes()...)
	}
	return ledger.Message{Kind: ledger.Log, Contract: shop, Data: append(append(data, make([]byte, 31)...), amount)}
}

func TestSelfAuthorisation(t *testing.T) {
	short := approved(subject, alice, 1)
	short.Data = short.Data[:128]
	fourth := approved(subject, alice, 1)
	fourth.Data[0] = 4
	other := approved(subject, alice, 1)
	other.Data[1] ^= 1
	dirty := approved(subject, alice, 1)
	dirty.Data[1+64] = 1
	text := approved(subject, alice, 1)
	text.Kind = ledger.Calldata
	for name, c := range map[string]struct {
		signer   ledger.Address
		messages []ledger.Message
		want     []ledger.Address
	}{
		"an account that signs":        {subject, []ledger.Message{approved(subject, alice, 1)}, []ledger.Address{alice}},
		"two of them, one twice":       {subject, []ledger.Message{approved(subject, alice, 1), approved(subject, bob, 1), approved(subject, alice, 2)}, []ledger.Address{alice, bob}},
		"one that may be a contract":   {subject, []ledger.Message{approved(subject, carol, 1)}, nil},
		"a service":                    {subject, []ledger.Message{approved(subject, hot, 1)}, nil},
		"one that serves many":         {subject, []ledger.Message{approved(subject, faucet, 1)}, nil},
		"an approval taken back":       {subject, []ledger.Message{approved(subject, alice, 0)}, nil},
		"signed by another":            {alice, []ledger.Message{approved(subject, alice, 1)}, nil},
		"of another owner":             {subject, []ledger.Message{approved(bob, alice, 1)}, nil},
		"of itself":                    {subject, []ledger.Message{approved(subject, subject, 1)}, nil},
		"of a token that is one piece": {subject, []ledger.Message{fourth}, nil},
		"cut short":                    {subject, []ledger.Message{short}, nil},
		"another event":                {subject, []ledger.Message{other}, nil},
		"no address in its topic":      {subject, []ledger.Message{dirty}, nil},
		"no event":                     {subject, []ledger.Message{text, {Kind: ledger.Log}}, nil},
	} {
		var v events
		v.signed(10, c.signer).Messages = c.messages
		edges := cluster.SelfAuthorisation.InHistory(v.history())
		if len(edges) != len(c.want) {
			t.Errorf("%s: %+v", name, edges)
			continue
		}
		for i, e := range edges {
			if e != (cluster.Edge{A: subject, B: c.want[i], Rule: cluster.SelfAuthorisation, Tx: nth(1), Height: 10, Confidence: 30}) {
				t.Errorf("%s: %+v", name, e)
			}
		}
	}
	var v events
	v.signed(10, subject).Messages = []ledger.Message{approved(subject, alice, 1)}
	v.list[0].Tx.Failed = true
	if edges := cluster.SelfAuthorisation.InHistory(v.history()); edges != nil {
		t.Errorf("a reverted transaction: %+v", edges)
	}
}

// TestSpentBy: an address of a UTXO chain that a service spends.
func TestSpentBy(t *testing.T) {
	of, wallet, second, foreign, stranger := key('d'), key('W'), key('V'), key('R'), key('x')
	service := func(a ledger.Address) (string, bool) {
		switch a {
		case wallet, second:
			return "Exchange", true
		case foreign:
			return "Rival", true
		}
		return "", false
	}
	n := 0
	spend := func(inputs, outputs []ledger.Output) *ledger.Resolved {
		n++
		return &ledger.Resolved{ID: nth(n), Height: ledger.Height(n), Inputs: inputs, Outputs: outputs}
	}
	mine := coin(50_000, of)
	collected := func() *ledger.Resolved { return spend(outputs(mine, mine), outputs(coin(99_000, wallet))) }
	with := func(a ledger.Address) *ledger.Resolved {
		return spend(outputs(mine, coin(70_000, a)), outputs(coin(110_000, stranger)))
	}
	for name, c := range map[string]struct {
		txs  []*ledger.Resolved
		want bool
	}{
		"collected twice":                    {[]*ledger.Resolved{collected(), collected()}, true},
		"collected once":                     {[]*ledger.Resolved{collected()}, false},
		"spent with the service's wallet":    {[]*ledger.Resolved{with(wallet), with(second)}, true},
		"one way and the other":              {[]*ledger.Resolved{collected(), with(second)}, true},
		"once with a stranger":               {[]*ledger.Resolved{collected(), collected(), with(stranger)}, false},
		"a rest for a stranger":              {[]*ledger.Resolved{collected(), spend(outputs(mine), outputs(coin(40_000, wallet), coin(9_000, stranger)))}, false},
		"a rest for nobody":                  {[]*ledger.Resolved{collected(), spend(outputs(mine), outputs(coin(40_000, wallet), ledger.Output{Unspendable: true}))}, true},
		"two services paid":                  {[]*ledger.Resolved{collected(), spend(outputs(mine), outputs(coin(40_000, wallet), coin(9_000, foreign)))}, false},
		"two services spend":                 {[]*ledger.Resolved{collected(), spend(outputs(mine, coin(1, wallet), coin(1, foreign)), outputs(coin(9_000, stranger)))}, false},
		"two services, one after the other":  {[]*ledger.Resolved{collected(), with(foreign)}, false},
		"an input of which nothing is known": {[]*ledger.Resolved{collected(), spend(outputs(mine, ledger.Output{}, coin(1, wallet)), outputs(coin(9_000, wallet)))}, false},
		"in a coinjoin":                      {[]*ledger.Resolved{collected(), collected(), {ID: nth(99), Height: 99, Time: 99, Inputs: outputs(mine), Outputs: outputs(coin(1, wallet))}}, false},
		"the same spend twice":               {slices.Repeat([]*ledger.Resolved{collected()}, 2), false},
		"all burned":                         {[]*ledger.Resolved{collected(), spend(outputs(mine), outputs(ledger.Output{Unspendable: true}))}, false},
		"nothing":                            {[]*ledger.Resolved{nil}, false},
	} {
		s := &cluster.Spends{Of: of, Txs: c.txs, Service: service, Excluded: func(tx *ledger.Resolved) cluster.Exclusion {
			if tx.Time == 99 {
				return cluster.Mixing
			}
			return cluster.Included
		}}
		got, ok := cluster.SpentBy(s)
		edges := cluster.DepositSpend.InSpends(s)
		if ok != c.want || (len(edges) == 1) != c.want {
			t.Errorf("%s: %v, %+v, %+v", name, ok, got, edges)
			continue
		}
		if ok && (got.Entity != "Exchange" || edges[0] != cluster.Edge{A: of, B: wallet, Rule: cluster.DepositSpend, Tx: c.txs[1].ID, Height: c.txs[1].Height, Confidence: 80}) {
			t.Errorf("%s: %+v, %+v", name, got, edges)
		}
	}
	if got, ok := cluster.SpentBy(&cluster.Spends{Of: wallet, Txs: []*ledger.Resolved{collected(), collected()}, Service: service}); ok {
		t.Errorf("a wallet of the service: %+v", got)
	}
}
