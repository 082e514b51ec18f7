package screen_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"coldtrail/attribution/label"
	"coldtrail/ledger"
	"coldtrail/screen"
	"coldtrail/screen/exposure"
	"coldtrail/screen/proximity"
	"coldtrail/store/memory"
)

// tale is a ledger that is told payment by payment, a block for each.
type tale struct {
	t      *testing.T
	chain  ledger.Chain
	asset  ledger.Asset // that is paid: it has no price, so that shares decide
	s      *memory.Store
	blocks []*ledger.Block
	ids    byte
	forks  byte
	engine *screen.Engine
}

// tell begins a tale in which listed is on a list and exchange is an exchange's.
func tell(t *testing.T, chain ledger.Chain, listed, exchange ledger.Address) *tale {
	t.Helper()
	s := memory.New()
	claims := []label.Claim{
		{Subject: label.SubjectOf(chain, written(t, chain, listed)), Label: "somebody", Abuse: "sanction", By: "OFAC", Confidence: "authority_data", Score: 60, From: 1, Learned: 1},
		{Subject: label.SubjectOf(chain, written(t, chain, exchange)), Label: "an exchange", Concept: "exchange", By: "a list", Confidence: "ownership", Score: 60, Learned: 1},
	}
	if _, err := s.AddClaims(t.Context(), claims); err != nil {
		t.Fatal(err)
	}
	asset := ledger.Asset(string(chain) + "/erc20:0x00000000000000000000000000000000000000aa")
	return &tale{t: t, chain: chain, asset: asset, s: s, engine: engine(t, s, &clock{now: 150})}
}

// block adds a block and lets the engine see it.
func (x *tale) block(txs ...ledger.Tx) {
	x.t.Helper()
	height := len(x.blocks)
	b := &ledger.Block{Chain: x.chain, Height: ledger.Height(height), Hash: ledger.Hash{byte(height), x.forks, 1}, Time: 100 + int64(height), Txs: txs}
	if height > 0 {
		b.Parent = x.blocks[height-1].Hash
	}
	for i := range txs {
		x.ids++
		txs[i].ID, txs[i].Index = ledger.Hash{0xee, x.ids}, uint32(i)
	}
	if err := x.s.Append(x.t.Context(), []*ledger.Block{b}); err != nil {
		x.t.Fatal(err)
	}
	x.blocks = append(x.blocks, b)
	if err := x.engine.Advance(x.t.Context()); err != nil {
		x.t.Fatal(err)
	}
}

// back takes the blocks from one on back.
func (x *tale) back(from int) {
	x.t.Helper()
	if err := x.s.Rewind(x.t.Context(), x.chain, ledger.Height(from)); err != nil {
		x.t.Fatal(err)
	}
	x.blocks, x.forks = x.blocks[:from], x.forks+1
	if err := x.engine.Advance(x.t.Context()); err != nil {
		x.t.Fatal(err)
	}
}

// move is a transfer of an account chain; from nobody it is a reward.
func (x *tale) move(from, to ledger.Address, amount uint64) ledger.Tx {
	tx := ledger.Tx{Transfers: []ledger.Transfer{{From: from, To: to, Asset: x.asset, Amount: ledger.NewAmount(amount), LogIndex: ledger.NoLog}}}
	if from.IsZero() {
		tx.Coinbase, tx.Transfers[0].Kind = true, ledger.Reward
	}
	return tx
}

// pay is a block with one transfer.
func (x *tale) pay(from, to ledger.Address, amount uint64) {
	x.t.Helper()
	x.block(x.move(from, to, amount))
}

// told lists what is known of somebody's dealings: direction, hops, amount, total, share.
func (x *tale) told(a ledger.Address) (list []string) {
	x.t.Helper()
	v := x.ask(a)
	for i := range v.Facts {
		f := &v.Facts[i]
		if f.Kind != exposure.Dealt {
			continue
		}
		if f.Entity != "somebody" || f.Authority != "OFAC" || !f.Sanction || f.Confidence != 60 || len(f.Evidence) == 0 || f.From == 0 || f.Claim == "" {
			x.t.Errorf("%+v", f)
		}
		list = append(list, fmt.Sprintf("%s %d: %s of %s, %d bp", f.Direction, f.Hops, f.Amount.Dec(), f.Total.Dec(), f.Share))
	}
	slices.Sort(list)
	return list
}

func (x *tale) ask(a ledger.Address) exposure.Verdict {
	x.t.Helper()
	return ask(x.engine, exposure.Question{Subject: written(x.t, x.chain, a), Chain: string(x.chain)})
}

func (x *tale) want(who string, a ledger.Address, want ...string) {
	x.t.Helper()
	if got := x.told(a); !slices.Equal(got, want) {
		x.t.Errorf("%s:\n%s\nwant\n%s", who, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

var (
	nobody                  = ledger.Address{}
	listedOne, exchangeOne  = account(1), account(2)
	payer, payee, next, far = account(3), account(4), account(5), account(6)
)

// TestHopsReceived: what a listed address paid is followed by proportion. The payer holds 60
// of his own and 40 of the listed one's; of each 50 that he pays, 20 are the listed one's.
func TestHopsReceived(t *testing.T) {
	x := tell(t, ledger.Ethereum, listedOne, exchangeOne)
	x.pay(nobody, listedOne, 1000)
	x.pay(nobody, payer, 60)
	x.pay(listedOne, payer, 40)
	x.want("the payer", payer, "received 1: 40 of 100, 4000 bp")
	x.pay(payer, payee, 50) // 50 · 40/100
	x.pay(payer, next, 25)  // 25 · 20/50
	x.pay(payee, far, 10)   // 10 · 20/50
	x.want("the payee", payee, "received 2: 20 of 50, 4000 bp")
	x.want("who was paid next", next, "received 2: 10 of 25, 4000 bp")
	x.want("three hops away", far, "received 3: 4 of 10, 4000 bp")
	x.want("the listed one himself", listedOne)

	x.pay(listedOne, payer, 25) // he holds 25, of which 10, and then 50, of which 35
	x.pay(payer, payee, 50)
	x.want("the payer, later", payer, "received 1: 65 of 125, 5200 bp")
	x.want("the payee, later", payee, "received 2: 55 of 100, 5500 bp")
	if v := x.ask(payee); v.Outcome != exposure.Review || v.Level != exposure.Medium || !slices.Contains(codes(&v), "dealt-large") {
		t.Errorf("a large part from two hops away: %s %s %v", v.Outcome, v.Level, codes(&v))
	}
	v := x.ask(payee)
	want := []string{x.chain.FormatHash(x.blocks[3].Txs[0].ID), x.chain.FormatHash(x.blocks[7].Txs[0].ID)}
	if f := &v.Facts[0]; !slices.Equal(f.Evidence, want) || f.From != 103 || f.To != 107 {
		t.Errorf("evidence %v of %d to %d, want %v", f.Evidence, f.From, f.To, want)
	}

	x.back(5) // before anything went on from the payee
	x.want("the payee, after the reorganisation", payee, "received 2: 20 of 50, 4000 bp")
	x.want("three hops away, after the reorganisation", far)
}

// TestHopsSent: who paid somebody who paid a listed address. He held 90 when he paid 45
// to it, of which the victim had brought 30: a third of 45 is the victim's. The victim
// held 150 before he paid, of which a friend had brought 50: a third of 15.
func TestHopsSent(t *testing.T) {
	victim, friend := next, far
	x := tell(t, ledger.Ethereum, listedOne, exchangeOne)
	x.pay(nobody, payer, 60)
	x.pay(nobody, victim, 100)
	x.pay(nobody, friend, 50)
	x.pay(friend, victim, 50)
	x.pay(victim, payer, 30)
	x.want("the victim, before", victim)
	x.pay(payer, listedOne, 45)
	x.want("the payer", payer, "sent 1: 45 of 45, 10000 bp")
	x.want("the victim", victim, "sent 2: 15 of 30, 5000 bp")
	x.want("the friend", friend, "sent 3: 5 of 50, 1000 bp")
	x.pay(friend, victim, 0)
	x.pay(victim, payer, 30) // too late to have gone on
	x.want("the victim, who paid again", victim, "sent 2: 15 of 60, 2500 bp")
}

// TestHopsTimeOrder: what was paid before anything came from the listed address is not the
// listed address's, and what came after the payment to it did not pay for it.
func TestHopsTimeOrder(t *testing.T) {
	x := tell(t, ledger.Ethereum, listedOne, exchangeOne)
	x.pay(nobody, listedOne, 1000)
	x.pay(nobody, payer, 60)
	x.pay(payer, payee, 50)
	x.pay(listedOne, payer, 40)
	x.pay(payer, listedOne, 20)
	x.pay(payee, payer, 50)
	x.want("the payee", payee)
	if v := x.ask(payee); v.Outcome != exposure.Allow {
		t.Errorf("%s %v", v.Outcome, codes(&v))
	}
}

// TestHopsWithinTransaction: the order of transfers counts, and so does the fee.
func TestHopsWithinTransaction(t *testing.T) {
	x := tell(t, ledger.Ethereum, listedOne, exchangeOne)
	x.asset = x.chain.Native()
	x.pay(nobody, listedOne, 1000)
	x.pay(nobody, payer, 50)
	tx := x.move(payer, next, 10) // before anything came
	tx.Transfers = append(tx.Transfers, x.move(listedOne, payer, 60).Transfers[0], x.move(payer, payee, 50).Transfers[0])
	tx.Fee = ledger.Fee{Payer: payer, Burned: ledger.NewAmount(20), Tip: ledger.NewAmount(5)}
	x.block(tx)
	x.want("who was paid before", next)
	x.want("who was paid after", payee, "received 2: 30 of 50, 6000 bp") // 60 of 100
	x.pay(payer, far, 25)                                                // of 50 with 30 left 20 and then 5, which take 12 and 3
	x.want("who got the rest", far, "received 2: 15 of 25, 6000 bp")
}

// TestHopsService: an exchange has dealt with the listed address, and is judged by its share;
// its customers are not judged by its customers.
func TestHopsService(t *testing.T) {
	customer, depositor := payee, next
	x := tell(t, ledger.Ethereum, listedOne, exchangeOne)
	x.pay(nobody, listedOne, 1000)
	x.pay(nobody, depositor, 50)
	x.pay(listedOne, exchangeOne, 500)
	x.pay(depositor, exchangeOne, 50)
	x.pay(exchangeOne, customer, 400)
	x.pay(exchangeOne, listedOne, 100)
	x.want("the exchange", exchangeOne, "received 1: 500 of 0, 0 bp", "sent 1: 100 of 0, 0 bp")
	x.want("the customer", customer)
	x.want("the depositor", depositor)
	if v := x.ask(customer); v.Outcome != exposure.Allow || v.Level != exposure.None || !slices.Equal(codes(&v), []string{"no-facts"}) {
		t.Errorf("a customer of an exchange: %s %s %v", v.Outcome, v.Level, codes(&v))
	}
	x.pay(listedOne, payer, 100)
	x.pay(payer, exchangeOne, 100)
	x.want("the exchange, later", exchangeOne, "received 1: 500 of 0, 0 bp", "received 2: 100 of 0, 0 bp", "sent 1: 100 of 0, 0 bp")
	x.want("the customer, later", customer)
}

// TestHopsContract: what comes to a contract is not what its users get.
func TestHopsContract(t *testing.T) {
	x := tell(t, ledger.Ethereum, listedOne, exchangeOne)
	created := x.move(far, payer, 1)
	created.Messages = []ledger.Message{{Kind: ledger.Creation, Contract: payer, Data: far.Bytes()}}
	x.pay(nobody, listedOne, 1000)
	x.pay(nobody, far, 1)
	x.block(created)
	x.pay(listedOne, payer, 99)
	x.pay(payer, payee, 50)
	x.want("the contract", payer, "received 1: 99 of 100, 9900 bp")
	x.want("its user", payee)
}

// TestHopsDust: less than a ten-thousandth of a payment is not followed.
func TestHopsDust(t *testing.T) {
	x := tell(t, ledger.Ethereum, listedOne, exchangeOne)
	x.pay(nobody, listedOne, 1000)
	x.pay(nobody, payer, 9_999_000)
	x.pay(listedOne, payer, 1000)
	x.pay(payer, payee, 1_000_000) // 100 of it: just enough
	x.pay(nobody, payer, 1000)
	x.pay(payer, next, 1_000_000) // 99.99
	x.want("just enough", payee, "received 2: 100 of 1000000, 1 bp")
	x.want("too little", next)
}

// TestHopsEnd: the sixth hop is not told.
func TestHopsEnd(t *testing.T) {
	x := tell(t, ledger.Ethereum, listedOne, exchangeOne)
	x.pay(nobody, listedOne, 10)
	from := listedOne
	for n := range byte(6) {
		x.pay(from, account(20+n), 10)
		from = account(20 + n)
	}
	for n := range byte(5) {
		x.want(fmt.Sprint("hop ", n+1), account(20+n), fmt.Sprintf("received %d: 10 of 10, 10000 bp", n+1))
	}
	x.want("hop 6", account(25))
	if v := x.ask(account(24)); v.Outcome != exposure.Review {
		t.Errorf("five hops away, all of it: %s %v", v.Outcome, codes(&v))
	}
	if v := x.ask(account(25)); v.Outcome != exposure.Allow {
		t.Errorf("six hops away: %s %v", v.Outcome, codes(&v))
	}
}

// TestHopsOpening: what an address held before the ledger begins dilutes what came.
func TestHopsOpening(t *testing.T) {
	x := tell(t, ledger.Ethereum, listedOne, exchangeOne)
	b := &ledger.Block{
		Chain: x.chain, Hash: ledger.Hash{1}, Time: 100, Txs: []ledger.Tx{x.move(listedOne, payer, 10), x.move(payer, payee, 10)},
		Openings: []ledger.Opening{{Address: payer, Asset: x.asset, Amount: ledger.NewAmount(30)}},
	}
	b.Txs[0].ID, b.Txs[1].ID, b.Txs[1].Index = ledger.Hash{1}, ledger.Hash{2}, 1
	if err := x.s.Append(t.Context(), []*ledger.Block{b}); err != nil {
		t.Fatal(err)
	}
	if err := x.engine.Advance(t.Context()); err != nil {
		t.Fatal(err)
	}
	x.want("the payee", payee, "received 2: 2 of 10, 2000 bp") // a quarter of 10
}

// TestHopsOutputs: on chains of Bitcoin's family it is balances, and not coins, that pass on.
// The payer holds 40 of his own beside 60 of the listed one's, and pays 30 out of the
// latter: 18. Change is no payment.
func TestHopsOutputs(t *testing.T) {
	listed, exchange, payer, payee, victim := wallet(1), wallet(2), wallet(3), wallet(4), wallet(5)
	x := tell(t, ledger.Bitcoin, listed, exchange)
	mint := func(outputs ...ledger.Output) ledger.Tx { return ledger.Tx{Coinbase: true, Outputs: outputs} }
	id := func(n byte) ledger.Hash { return ledger.Hash{0xee, n} }
	x.block(mint(ledger.Output{Value: 60, Address: listed}, ledger.Output{Value: 40, Address: payer}, ledger.Output{Value: 100, Address: victim}))
	x.block(mint(), ledger.Tx{Inputs: []ledger.Outpoint{{Tx: id(1)}}, Outputs: []ledger.Output{{Value: 60, Address: payer}}})
	x.want("the payer", payer, "received 1: 60 of 100, 6000 bp")
	x.block(mint(), ledger.Tx{Inputs: []ledger.Outpoint{{Tx: id(3)}}, Outputs: []ledger.Output{{Value: 30, Address: payee}, {Value: 28, Address: payer}}})
	x.want("the payee", payee, "received 2: 18 of 30, 6000 bp")
	x.want("the payer, with change", payer, "received 1: 60 of 100, 6000 bp")

	// The victim spends 100 and the payer 40. Of 70 and 20 that the payee gets, the victim
	// paid 50 and 14, the payer 20 and 5; one is lost to rounding. Of the victim's 50 the
	// payer paid 14. The payer held 68, of which 41 were the listed one's (42 less one of
	// the fee of 2): of 20, 5 and 14 that is 12, 3 and 8.
	x.block(mint(), ledger.Tx{
		Inputs:  []ledger.Outpoint{{Tx: id(1), Index: 2}, {Tx: id(1), Index: 1}},
		Outputs: []ledger.Output{{Value: 70, Address: payee}, {Value: 20, Address: payee}, {Value: 50, Address: victim}},
	})
	x.want("the payee, paid again", payee, "received 2: 33 of 120, 2750 bp")
	x.want("the victim, before anything was sent", victim, "received 2: 8 of 114, 701 bp")

	// The payee, who holds 120, pays the listed address 60. Back in time, 5 were paid by the
	// payer (of 119 that hold 60: 2), 14 by the victim (of 114 that hold 58: 7), 20 by the
	// payer (of 100 that hold 51: 10), 50 by the victim (of 80 that hold 41: 25), and 30 by
	// the payer, which take the 16 that are left.
	x.block(mint(), ledger.Tx{Inputs: []ledger.Outpoint{{Tx: id(7)}}, Outputs: []ledger.Output{{Value: 60, Address: listed}, {Value: 10, Address: payee}}})
	x.want("the victim", victim, "received 2: 8 of 114, 701 bp", "sent 2: 32 of 64, 5000 bp")
	x.want("the payer, in the end", payer, "received 1: 60 of 100, 6000 bp", "sent 2: 28 of 69, 4057 bp")
	x.want("the payee, in the end", payee, "received 2: 33 of 120, 2750 bp", "sent 1: 60 of 60, 10000 bp")
}

// TestHopsCoinjoin: nobody can tell whose coins come out of a coinjoin.
func TestHopsCoinjoin(t *testing.T) {
	listed, exchange := wallet(1), wallet(2)
	x := tell(t, ledger.Bitcoin, listed, exchange)
	id := func(n byte) ledger.Hash { return ledger.Hash{0xee, n} }
	mint := ledger.Tx{Coinbase: true, Outputs: []ledger.Output{{Value: 101_000, Address: listed}}}
	for n := range byte(4) {
		mint.Outputs = append(mint.Outputs, ledger.Output{Value: 100_000, Address: wallet(20 + n)})
	}
	x.block(mint)
	x.block(ledger.Tx{Coinbase: true}, ledger.Tx{Inputs: []ledger.Outpoint{{Tx: id(1)}}, Outputs: []ledger.Output{{Value: 101_000, Address: wallet(10)}}})
	mix := ledger.Tx{Inputs: []ledger.Outpoint{{Tx: id(3)}}}
	for n := range byte(5) {
		if n > 0 {
			mix.Inputs = append(mix.Inputs, ledger.Outpoint{Tx: id(1), Index: uint32(n)})
		}
		mix.Outputs = append(mix.Outputs, ledger.Output{Value: 100_000, Address: wallet(30 + n)})
	}
	x.block(ledger.Tx{Coinbase: true}, mix)
	x.want("who went into the mix", wallet(10), "received 1: 101000 of 101000, 10000 bp")
	for n := range byte(5) {
		x.want("who came out", wallet(30+n))
	}
	mix.Outputs = slices.Clone(mix.Outputs)
	mix.Outputs[4].Value-- // no mix, then
	x.back(2)
	x.block(ledger.Tx{Coinbase: true}, mix)
	x.want("who was paid by one of five", wallet(30), "received 2: 20159 of 100000, 2015 bp") // 100,000 · 101,000/501,000
}

// TestHopsNoRoom: a hop that cannot be read whole is left out, and the basis says so.
func TestHopsNoRoom(t *testing.T) {
	x := tell(t, ledger.Ethereum, listedOne, exchangeOne)
	x.engine.Limit(proximity.Limits{Addresses: 2, Steps: 100, Parts: 100, Touches: 100, Each: 100})
	if err := x.engine.Rebuild(t.Context(), nil, nil); err != nil {
		t.Fatal(err)
	}
	x.pay(nobody, listedOne, 100)
	x.pay(listedOne, payer, 50)
	x.pay(payer, payee, 50)
	if near := x.engine.Now().Basis().Nearby; near != nil {
		t.Errorf("two addresses fit, and %v are known", near)
	}
	x.want("the payee", payee, "received 2: 50 of 50, 10000 bp")
	x.pay(payee, next, 25)
	if near := x.engine.Now().Basis().Nearby[string(x.chain)]; near != (exposure.Nearby{Received: 2, Sent: 5}) {
		t.Errorf("%v hops are known", near)
	}
	x.want("the payee, still", payee, "received 2: 50 of 50, 10000 bp")
	x.want("the third", next)
	x.pay(far, listedOne, 0)
	x.pay(nobody, far, 1)
	x.pay(far, listedOne, 1) // a fourth, near enough to displace the second hop
	if near := x.engine.Now().Basis().Nearby[string(x.chain)]; near != (exposure.Nearby{Received: 1, Sent: 5}) {
		t.Errorf("%v hops are known", near)
	}
	x.want("who paid the listed one", far, "sent 1: 1 of 1, 10000 bp")
	x.want("the payee, displaced", payee)
}
