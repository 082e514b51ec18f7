package guard_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"coldtrail/casebook"
	"coldtrail/guard"
	"coldtrail/internal/laundering"
	"coldtrail/internal/replay"
	"coldtrail/ledger"
	"coldtrail/screen/breaker"
	"coldtrail/trace"
)

// feed appends blocks, a few at once, and lets everybody take them in.
func (r *rig) feed(blocks []*ledger.Block) {
	r.tb.Helper()
	for few := range slices.Chunk(blocks, 6) {
		r.must(r.engine.Hold(func() error { return r.store.Append(r.tb.Context(), few) }))
		r.now = max(r.now, few[len(few)-1].Time)
		r.must(r.engine.Advance(r.tb.Context()))
		r.engine.Heard(ledger.Ethereum, r.now)
		r.must(r.guard.Advance(r.tb.Context()))
	}
}

// logged reads what a venue's breaker was told.
func (r *rig) logged(venue string) (list []breaker.Input) {
	r.tb.Helper()
	for after := int64(0); ; {
		events, err := r.book.EventsAfter(r.tb.Context(), venue, after, 1000)
		r.must(err)
		for _, e := range events {
			after = e.Sequence
			var line struct {
				In *breaker.Input `json:"in"`
			}
			r.must(json.Unmarshal(e.Body, &line))
			if line.In != nil {
				list = append(list, *line.In)
			}
		}
		if len(events) < 1000 {
			return list
		}
	}
}

// latest are the uses that count at the end, by identifier, and how often each was told.
func latest(inputs []breaker.Input) (uses map[string]breaker.Event, times map[string]int) {
	uses, times = map[string]breaker.Event{}, map[string]int{}
	for _, in := range inputs {
		switch {
		case in.Event != nil:
			uses[in.Event.ID] = *in.Event
			times[in.Event.ID]++
		case in.Retract != nil:
			delete(uses, in.Retract.ID)
		}
	}
	return uses, times
}

// calls lists the transactions of blocks that move value into an account.
func calls(blocks []*ledger.Block, into string) (ids []string) {
	notation, _ := laundering.Notations(ledger.Ethereum)
	for _, b := range blocks {
		for i := range b.Txs {
			if b.Chain == ledger.Ethereum && slices.ContainsFunc(b.Txs[i].Transfers, func(t ledger.Transfer) bool { return strings.EqualFold(notation.FormatAddress(t.To), into) }) {
				ids = append(ids, string(ledger.Ethereum)+"/0x"+b.Txs[i].ID.String())
			}
		}
	}
	return ids
}

// TestContract: every transaction with the contract is one use, of the account that
// signed it, never of the aggregator in between; thieves are noticed and limited; uses
// become final. The same place as a wallet has payments in and out.
func TestContract(t *testing.T) {
	r := newRig(t, 4)
	l := played()
	router := l.Accounts.Router()
	// The replay's amounts are a thousandth, and its transactions a fortieth.
	r.venue("router", casebook.Contract, fmt.Sprintf(`{"chain": "ethereum", "addresses": [%q], "window": 86400, "long": 172800,
		"price": {"assets": {"eip155:1/slip44:60": {"cents": 200000000, "decimals": 18}}}}`, router))
	r.venue("wallet", casebook.HotWallet, fmt.Sprintf(`{"chain": "ethereum", "addresses": [%q]}`, router))
	r.must(r.guard.Tick(t.Context()))
	rest := l.Blocks[len(l.Blocks)/4:]
	r.feed(rest)
	uses, times := latest(r.logged("router"))
	want := calls(rest, router)
	final, thieves, strangers := 0, 0, 0
	for _, id := range want {
		e, ok := uses[id]
		if !ok {
			t.Fatalf("%s is missing among %d", id, len(uses))
		}
		if strings.EqualFold(e.Origin, router) || strings.EqualFold(e.Sender, router) || strings.EqualFold(e.Origin, l.Accounts.Account("aggregator", 0)) {
			t.Errorf("%s is ascribed to a contract: %+v", id, e)
		}
		if e.Origin == "" && strings.EqualFold(e.Sender, l.Accounts.Account("aggregator", 0)) {
			t.Errorf("%s is ascribed to the aggregator", id)
		}
		if !e.Provisional {
			final++
			if times[id] < 2 {
				t.Errorf("%s is final and was told %d times", id, times[id])
			}
		}
		switch owner := l.Owners[strings.ToLower(e.Sender)]; {
		case owner == "thief":
			if thieves++; len(e.Taint) == 0 {
				t.Errorf("the thief's %s is not tainted: %+v", id, e)
			}
		case strings.HasPrefix(owner, "stranger"):
			if strangers++; len(e.Taint) > 0 {
				t.Errorf("a stranger's %s is tainted: %+v", id, e)
			}
		}
	}
	if len(want) < 50 || final < len(want)/2 || thieves < 50 || strangers < 100 {
		t.Errorf("%d uses, %d final, %d of thieves, %d of strangers", len(want), final, thieves, strangers)
	}
	limited := slices.ContainsFunc(r.told, func(x guard.Transition) bool { return x.Venue == "router" && x.To == breaker.Limit })
	if !limited {
		t.Errorf("the router was never limited: %d transitions", len(r.told))
	}
	r.same("router")
	r.same("wallet")
	if in, _ := latest(r.logged("wallet")); len(in) < len(want) {
		t.Errorf("%d payments of the wallet, %d calls", len(in), len(want))
	}
}

// payments counts what goes into and out of a wallet of a UTXO chain in blocks.
func payments(blocks []*ledger.Block, wallet ledger.Address) (in, out int) {
	owner := map[ledger.Outpoint]ledger.Address{}
	for _, b := range played().Blocks {
		for i := range b.Txs {
			for n, o := range b.Txs[i].Outputs {
				owner[ledger.Outpoint{Tx: b.Txs[i].ID, Index: uint32(n)}] = o.Address
			}
		}
	}
	for _, b := range blocks {
		for i := range b.Txs {
			tx := &b.Txs[i]
			if b.Chain != replay.Regtest || tx.Coinbase {
				continue
			}
			spends := slices.ContainsFunc(tx.Inputs, func(o ledger.Outpoint) bool { return owner[o] == wallet })
			for _, o := range tx.Outputs {
				switch {
				case o.Address.IsZero() || o.Value == 0:
				case spends && o.Address != wallet:
					out++
				case !spends && o.Address == wallet:
					in++
				}
			}
		}
	}
	return in, out
}

// TestBitcoinWallet: payments into and out of a wallet of a UTXO chain, once each.
func TestBitcoinWallet(t *testing.T) {
	r := newRig(t, 4)
	rest := played().Blocks[len(played().Blocks)/4:]
	notation, err := laundering.Notations(replay.Regtest)
	r.must(err)
	count := map[ledger.Address]int{}
	for _, b := range rest {
		for i := range b.Txs {
			for _, o := range b.Txs[i].Outputs {
				if b.Chain == replay.Regtest && !b.Txs[i].Coinbase && !o.Unspendable {
					count[o.Address]++
				}
			}
		}
	}
	var busiest ledger.Address
	for a, n := range count {
		if n > count[busiest] || n == count[busiest] && strings.Compare(string(a.Bytes()), string(busiest.Bytes())) < 0 {
			busiest = a
		}
	}
	r.venue("btc", casebook.HotWallet, fmt.Sprintf(`{"chain": %q, "addresses": [%q]}`, replay.Regtest, notation.FormatAddress(busiest)))
	r.must(r.guard.Tick(t.Context()))
	r.feed(rest)
	in, out := 0, 0
	uses, _ := latest(r.logged("btc"))
	for _, e := range uses {
		if e.Sender == notation.FormatAddress(busiest) {
			t.Errorf("the wallet itself is the sender: %+v", e)
		}
		if strings.HasPrefix(e.Route, ">") {
			out++
		} else {
			in++
		}
	}
	wantIn, wantOut := payments(rest, busiest)
	if in != wantIn || out != wantOut || in == 0 {
		t.Errorf("%d in, %d out of a wallet; want %d and %d", in, out, wantIn, wantOut)
	}
	r.same("btc")
}

// TestTakenBack: uses of blocks that vanish are retracted, whoever says so, and those of
// the blocks that take their place count once.
func TestTakenBack(t *testing.T) {
	for _, told := range []string{"told", "found out", "found out after a restart"} {
		t.Run(told, func(t *testing.T) {
			r := newRig(t, 4)
			l := played()
			router := l.Accounts.Router()
			r.venue("router", casebook.Contract, fmt.Sprintf(`{"chain": "ethereum", "addresses": [%q]}`, router))
			r.must(r.guard.Tick(t.Context()))
			rest := l.Blocks[len(l.Blocks)/4:]
			cut := len(rest) / 2
			r.feed(rest[:cut])
			chain := slices.DeleteFunc(slices.Clone(rest[:cut]), func(b *ledger.Block) bool { return b.Chain != ledger.Ethereum })
			gone := chain[len(chain)-8:]
			before, _ := latest(r.logged("router"))
			r.must(r.engine.Hold(func() error { return r.store.Rewind(t.Context(), ledger.Ethereum, gone[0].Height) }))
			r.must(r.engine.Advance(t.Context()))
			switch told {
			case "told":
				r.must(r.guard.TakenBack(t.Context(), ledger.Ethereum, gone[0].Height-1))
			case "found out":
				r.must(r.guard.Advance(t.Context()))
			default:
				r.shut()
				r.open()
				r.must(r.guard.Tick(t.Context()))
			}
			after, _ := latest(r.logged("router"))
			vanished := calls(gone, router)
			for _, id := range vanished {
				if _, ok := after[id]; ok {
					t.Errorf("%s is still there", id)
				}
			}
			if len(vanished) == 0 || len(after) != len(before)-len(vanished) {
				t.Errorf("%d uses, %d of blocks that vanished, %d left", len(before), len(vanished), len(after))
			}
			r.same("router")
			// The same transactions in other blocks.
			var other []*ledger.Block
			parent := gone[0].Parent
			for n, b := range gone {
				c := *b
				c.Parent = parent
				c.Hash[0] ^= byte(n + 1)
				parent = c.Hash
				other = append(other, &c)
			}
			r.feed(other)
			again, _ := latest(r.logged("router"))
			for _, id := range vanished {
				if _, ok := again[id]; !ok {
					t.Errorf("%s is missing", id)
				}
			}
			if len(again) != len(before) {
				t.Errorf("%d uses at first, %d at last", len(before), len(again))
			}
			r.same("router")
		})
	}
}

// TestLateLabels: what is learnt of uses afterwards is told to the breaker, which limits
// by it; money that came to somebody after a use says nothing about it.
func TestLateLabels(t *testing.T) {
	r := newRig(t, 1)
	thieves := r.tainted(6)
	r.must(r.engine.Rebuild(t.Context(), nil, nil)) // nobody has opened the case yet
	r.venue("dex", casebook.Posted, `{"chain": "ethereum"}`)
	if d, _ := r.attack("dex", thieves, 12); d.Action != breaker.Pass {
		t.Fatalf("a thief of whom nobody knows: %s", d.Action)
	}
	for i := range 3 {
		r.use("dex", r.swap(fmt.Sprint("more-", i), thieves[i], 20_000))
	}
	r.must(r.engine.Rebuild(t.Context(), []*trace.Case{played().Case}, nil))
	r.now += minute
	r.must(r.guard.Advance(t.Context()))
	labels := 0
	for _, in := range r.logged("dex") {
		if in.Label != nil {
			labels++
			if len(in.Label.Taint) != 1 || in.Label.Taint[0].Incident != played().Case.Name || !strings.Contains(in.Label.ID, "thief") && !strings.Contains(in.Label.ID, "more") {
				t.Errorf("label %+v", in.Label)
			}
		}
	}
	if labels != 15 {
		t.Errorf("%d labels, 15 uses by thieves", labels)
	}
	r.must(r.guard.Advance(t.Context()))
	if n := len(r.logged("dex")); n == 0 {
		t.Error("no log")
	}
	for range 7 {
		r.to(r.now + minute)
	}
	if s := r.state("dex", played().Case.Name, route); s != breaker.Limit {
		t.Errorf("the route is at %s", s)
	}
	again := 0
	for _, in := range r.logged("dex") {
		if in.Label != nil {
			again++
		}
	}
	if again != labels {
		t.Errorf("%d labels were told again", again-labels)
	}
	if d := r.use("dex", r.swap("now", thieves[0], 100))[0]; d.Action != breaker.Refuse {
		t.Errorf("a thief now: %s", d.Action)
	}
	r.same("dex")

	early := newRig(t, 1)
	early.now = played().Blocks[0].Time - hour
	early.venue("dex", casebook.Posted, `{"chain": "ethereum"}`)
	early.use("dex", early.swap("before", thieves[0], 40_000))
	early.must(early.guard.Advance(t.Context()))
	for _, in := range early.logged("dex") {
		if in.Label != nil || in.Event != nil && len(in.Event.Taint) > 0 {
			t.Errorf("a use before the theft: %+v %+v", in.Event, in.Label)
		}
	}
}
