package trace_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"coldtrail/ledger"
	"coldtrail/store"
	"coldtrail/store/embedded"
	"coldtrail/store/memory"
	"coldtrail/store/storetest"
	"coldtrail/taint"
	"coldtrail/trace"
)

// plainNames writes addresses as the names they are.
type plainNames struct{}

// FormatAddress prints the name.
func (plainNames) FormatAddress(a ledger.Address) string { return string(a.Bytes()) }

// ParseAddress reads a name.
func (plainNames) ParseAddress(text string) (ledger.Address, error) { return ledger.NameAddress(text) }

func plain(ledger.Chain) (ledger.Notation, error) { return plainNames{}, nil }

// drawCases makes some incidents out of a random ledger: outputs or transfers of
// it are stolen, some of them twice.
func drawCases(t *rapid.T, blocks []*ledger.Block) []*trace.Case {
	var outputs, transfers []trace.Theft
	for _, b := range blocks {
		for i := range b.Txs {
			tx := &b.Txs[i]
			for j := range tx.Outputs {
				if tx.Outputs[j].Value > 0 && !repeated(blocks, tx.ID) {
					outputs = append(outputs, trace.Theft{Chain: string(b.Chain), Outpoint: fmt.Sprintf("%s:%d", tx.ID, j)})
				}
			}
			for j := range tx.Transfers {
				if m := &tx.Transfers[j]; !m.Amount.IsZero() && m.From != m.To && !tx.Failed {
					transfers = append(transfers, trace.Theft{Chain: string(b.Chain), Asset: string(m.Asset), Transfer: fmt.Sprintf("%s:%d", tx.ID, j)})
				}
			}
		}
	}
	all := append(outputs, transfers...)
	if len(all) == 0 {
		t.Skip("nothing to steal")
	}
	var cases []*trace.Case
	for c := range rapid.IntRange(1, 3).Draw(t, "incidents") {
		incident := &trace.Case{File: "test", Name: fmt.Sprint("case", c)}
		for n := range rapid.IntRange(1, 3).Draw(t, "thefts") {
			theft := rapid.SampledFrom(all).Draw(t, "theft")
			theft.Colour = fmt.Sprint("colour", n)
			incident.Thefts = append(incident.Thefts, theft)
		}
		cases = append(cases, incident)
	}
	return cases
}

func repeated(blocks []*ledger.Block, id ledger.Hash) bool {
	n := 0
	for _, b := range blocks {
		for i := range b.Txs {
			if b.Txs[i].ID == id {
				n++
			}
		}
	}
	return n > 1
}

// fresh gives an empty store to one random ledger.
type fresh func(rt *rapid.T) store.Store

func inMemory(*rapid.T) store.Store { return memory.New() }

// onDisk gives embedded stores.
func onDisk(t *testing.T) fresh {
	t.Helper()
	return func(rt *rapid.T) store.Store {
		s, err := embedded.Open(t.Context(), t.TempDir(), embedded.Options{})
		if err != nil {
			rt.Fatal(err)
		}
		rt.Cleanup(func() {
			if err := s.Close(); err != nil {
				rt.Error(err)
			}
		})
		return s
	}
}

// TestDriversAndStoresAgree compares both drivers over both stores of one machine.
func TestDriversAndStoresAgree(t *testing.T) { checkDriversAgree(t, inMemory, onDisk(t)) }

// distant is a store that a trace takes for one on other machines.
type distant struct{ store.Store }

// Trips makes it so.
func (distant) Trips() uint64 { return 0 }

func farAway(*rapid.T) store.Store { return distant{memory.New()} }

// TestAskingAhead traces over stores that are asked ahead, much at once and little: all give
// the same bytes as those that are not, also where a live trace goes on.
func TestAskingAhead(t *testing.T) {
	usual := trace.SetAhead(trace.AheadBounds{})
	defer trace.SetAhead(usual)
	for _, bounds := range []trace.AheadBounds{usual, {Txs: 1, Outputs: 1, Touches: 2, Kept: 1}, {Txs: 3, Outputs: 4, Touches: 3, Kept: 5}} {
		trace.SetAhead(bounds)
		t.Run(fmt.Sprintf("%+v", bounds), func(t *testing.T) {
			checkDriversAgree(t, inMemory, farAway)
			checkSwapsConserve(t, inMemory, farAway)
			checkLiveIsRun(t, farAway, 14)
		})
	}
}

// checkDriversAgree traces random ledgers with several incidents, by both drivers over
// several stores, also after a reorg: all give the same bytes, and the engine's own check
// finds every stolen unit.
func checkDriversAgree(t *testing.T, stores ...fresh) {
	t.Helper()
	rapid.Check(t, func(rt *rapid.T) {
		generate := storetest.UTXOBlocks
		if rapid.Bool().Draw(rt, "accounts") {
			generate = storetest.AccountBlocks
		}
		blocks := generate(rt, storetest.Shape{Blocks: 12})
		cases := drawCases(rt, blocks)
		method := rapid.SampledFrom(taint.Methods).Draw(rt, "method")
		fees := rapid.SampledFrom([]taint.FeeRule{taint.FeesEnd, taint.FeesFollow}).Draw(rt, "fees")
		var first []byte
		for _, empty := range stores {
			s := empty(rt)
			fill(t, rt, s, blocks)
			for _, mode := range []trace.Mode{trace.Streaming, trace.Targeted} {
				var told [][2]ledger.Height
				result, err := trace.Run(t.Context(), s, cases, trace.Options{
					Method: method, Mode: mode, Fees: fees, Notations: plain, Flows: true,
					Subsidy:  func(ledger.Chain, ledger.Height) uint64 { return 500 },
					Progress: func(_ ledger.Chain, done, total ledger.Height) { told = append(told, [2]ledger.Height{done, total}) },
				})
				if err != nil {
					rt.Fatalf("%s, %T: %v", mode, s, err)
				}
				checkProgress(rt, mode, told)
				checkBounds(rt, result, s)
				checkBeginnings(rt, result)
				text, err := json.Marshal(struct {
					R *trace.Result
					F []trace.Flow
				}{result, result.Flows()})
				if err != nil {
					rt.Fatal(err)
				}
				if first == nil {
					first = text
				}
				if !bytes.Equal(first, text) {
					rt.Fatalf("%s over %T differs:\n%s\n%s", mode, s, first, text)
				}
			}
		}
	})
}

// checkProgress wants to have been told of every walk up to its end, never backwards within
// one, and of no more than there is.
func checkProgress(rt *rapid.T, mode trace.Mode, told [][2]ledger.Height) {
	if len(told) == 0 || told[len(told)-1][0] != told[len(told)-1][1] {
		rt.Fatalf("%s: the last that was told is not the end: %v", mode, told)
	}
	for i, now := range told {
		if now[0] == 0 || now[0] > now[1] {
			rt.Fatalf("%s: %d of %d blocks: %v", mode, now[0], now[1], told)
		}
		if i > 0 && told[i-1][0] != told[i-1][1] && (now[0] <= told[i-1][0] || now[1] != told[i-1][1]) {
			rt.Fatalf("%s: a walk went back or did not end: %v", mode, told)
		}
	}
}

// checkBeginnings wants a flow with which each colour begins, and a way from it to wherever
// the colour is.
func checkBeginnings(rt *rapid.T, r *trace.Result) {
	for _, c := range r.Colours {
		begins := slices.ContainsFunc(r.Flows(), func(f trace.Flow) bool {
			of := func(e trace.FlowEnd) bool { return e.Colour == c.Colour }
			return slices.ContainsFunc(f.To, of) && !slices.ContainsFunc(f.From, of)
		})
		if !begins && c.Stolen != "0" && r.Method != taint.Poison.Name {
			rt.Fatalf("no flow is the theft of %s, %s", c.Colour, c.Stolen)
		}
	}
	for i := range r.Dispositions {
		if d := &r.Dispositions[i]; d.Kind == taint.Held.String() {
			if way, err := r.Path(d.Colour, d.At); err != nil || len(way) == 0 {
				rt.Fatalf("%s is held at %s, and the way there is %v, %v", d.Colour, d.At, way, err)
			}
		}
	}
}

// fill appends the blocks in random batches, and takes some back on the way.
func fill(t *testing.T, rt *rapid.T, s store.Store, blocks []*ledger.Block) {
	t.Helper()
	for at := 0; at < len(blocks); {
		n := min(len(blocks), at+rapid.IntRange(1, 6).Draw(rt, "batch"))
		if err := s.Append(t.Context(), blocks[at:n]); err != nil {
			rt.Fatal(err)
		}
		at = n
		if at < len(blocks) && rapid.IntRange(0, 2).Draw(rt, "reorg") == 0 {
			at = rapid.IntRange(0, at-1).Draw(rt, "back to")
			if err := s.Rewind(t.Context(), blocks[0].Chain, blocks[at].Height); err != nil {
				rt.Fatal(err)
			}
		}
	}
}

// checkBounds checks that no holding has more taint than value (not for poison).
func checkBounds(rt *rapid.T, r *trace.Result, s store.Store) {
	if r.Method == "poison" {
		return
	}
	sums := map[string]ledger.Amount{}
	for _, d := range r.Dispositions {
		if d.Kind != "held" || ledger.Chain(d.Chain).Family() != ledger.UTXO {
			continue
		}
		amount, err := ledger.ParseAmount(d.Amount)
		if err != nil {
			rt.Fatal(err)
		}
		sum := sums[d.At]
		sum.Add(&sum, &amount)
		sums[d.At] = sum
	}
	for at, sum := range sums {
		id, err := ledger.ParseHash(at[:64])
		if err != nil {
			rt.Fatal(err)
		}
		var index uint32
		if _, err := fmt.Sscanf(at[65:], "%d", &index); err != nil {
			rt.Fatal(err)
		}
		numbers, err := s.Numbers(rt.Context(), ledger.Bitcoin, []ledger.Outpoint{{Tx: id, Index: index}})
		if err != nil {
			rt.Fatal(err)
		}
		outputs, err := s.Outputs(rt.Context(), ledger.Bitcoin, numbers)
		if err != nil {
			rt.Fatal(err)
		}
		if value := ledger.NewAmount(outputs[0].Value); sum.Gt(&value) {
			rt.Fatalf("%s holds %d and is tainted with %s", at, outputs[0].Value, sum.Dec())
		}
	}
}

// unit is one satoshi or wei of the brute-force model: its colour, or "".
type unit = string

// bruteOutputs follows every single satoshi through a ledger: nothing but slices of
// units, so that it can be read in a minute. It returns what each place ends with.
func bruteOutputs(blocks []*ledger.Block, stolen map[ledger.Outpoint]unit, method string) map[string]map[unit]int {
	coins := map[ledger.Outpoint][]unit{}
	ends := map[string]map[unit]int{}
	put := func(kind, at string, units []unit) {
		for _, u := range units {
			if u != "" {
				key := kind + " " + at
				if ends[key] == nil {
					ends[key] = map[unit]int{}
				}
				ends[key][u]++
			}
		}
	}
	for _, b := range blocks {
		for i := range b.Txs {
			tx := &b.Txs[i]
			var pool []unit
			for _, in := range tx.Inputs {
				pool = append(pool, coins[in]...)
				delete(coins, in)
			}
			if tx.Coinbase {
				for j := range tx.Outputs {
					pool = append(pool, make([]unit, tx.Outputs[j].Value)...)
				}
			}
			order := make([]int, len(tx.Outputs))
			for j := range order {
				order[j] = j
			}
			if method == "tiho" {
				slices.SortStableFunc(order, func(a, c int) int { return int(tx.Outputs[c].Value) - int(tx.Outputs[a].Value) })
			}
			for _, j := range order {
				var got []unit
				got, pool = bruteDraw(pool, int(tx.Outputs[j].Value), method)
				at := ledger.Outpoint{Tx: tx.ID, Index: uint32(j)}
				for k := range got {
					if got[k] == "" {
						got[k] = stolen[at]
					}
				}
				if tx.Outputs[j].Unspendable {
					put("burned", fmt.Sprintf("%s:%d", tx.ID, j), got)
				} else {
					coins[at] = got
				}
			}
			put("fee", tx.ID.String(), pool)
		}
	}
	for at, units := range coins {
		put("held", fmt.Sprintf("%s:%d", at.Tx, at.Index), units)
	}
	return ends
}

// bruteDraw takes n units out of a pool.
func bruteDraw(pool []unit, n int, method string) (got, rest []unit) {
	switch method {
	case "lifo":
		return slices.Clone(pool[len(pool)-n:]), pool[:len(pool)-n]
	case "seniority", "tiho":
		sorted := slices.Clone(pool)
		slices.SortStableFunc(sorted, func(a, b unit) int {
			switch {
			case a != "" && b == "":
				return -1
			case a == "" && b != "":
				return 1
			}
			return 0
		})
		pool = sorted
	}
	return slices.Clone(pool[:n]), pool[n:]
}

// TestBruteForce compares the engine with the unit-by-unit model.
func TestBruteForce(t *testing.T) { checkBruteForce(t, inMemory) }

func checkBruteForce(t *testing.T, empty fresh) {
	t.Helper()
	rapid.Check(t, func(rt *rapid.T) {
		blocks := storetest.UTXOBlocks(rt, storetest.Shape{Blocks: 10, Whole: storetest.Complete})
		cases := drawCases(rt, blocks)
		stolen := map[ledger.Outpoint]unit{}
		for _, c := range cases {
			for _, theft := range c.Thefts {
				id, err := ledger.ParseHash(theft.Outpoint[:64])
				if err != nil {
					rt.Fatal(err)
				}
				at := ledger.Outpoint{Tx: id}
				if _, err := fmt.Sscanf(theft.Outpoint[65:], "%d", &at.Index); err != nil {
					rt.Fatal(err)
				}
				colour := c.Name + "/" + theft.Colour
				if have, ok := stolen[at]; !ok || colour < have { // two thefts of one output: the first by name
					stolen[at] = colour
				}
			}
		}
		s := empty(rt)
		if err := s.Append(t.Context(), blocks); err != nil {
			rt.Fatal(err)
		}
		for _, method := range []*taint.Method{taint.FIFO, taint.LIFO, taint.Seniority, taint.TIHO} {
			result, err := trace.Run(t.Context(), s, cases, trace.Options{Method: method, Notations: plain})
			if err != nil {
				rt.Fatal(err)
			}
			got := map[string]map[unit]int{}
			for _, d := range result.Dispositions {
				key := d.Kind + " " + d.At
				if got[key] == nil {
					got[key] = map[unit]int{}
				}
				n := 0
				if _, err := fmt.Sscanf(d.Amount, "%d", &n); err != nil || d.Origin != d.Amount {
					rt.Fatalf("%+v: %v", d, err)
				}
				got[key][d.Colour] += n
			}
			want := bruteOutputs(blocks, stolen, method.Name)
			if !maps.EqualFunc(want, got, maps.Equal) {
				rt.Fatalf("%s:\nunit by unit %v\nby lots      %v", method.Name, want, got)
			}
		}
	})
}

// bruteAccounts follows every wei of one asset through an account ledger.
func bruteAccounts(blocks []*ledger.Block, stolen map[string]unit, method string) map[string]map[unit]int {
	wallets := map[ledger.Address][]unit{}
	ends := map[string]map[unit]int{}
	put := func(key string, units []unit) {
		for _, u := range units {
			if u != "" {
				if ends[key] == nil {
					ends[key] = map[unit]int{}
				}
				ends[key][u]++
			}
		}
	}
	take := func(from ledger.Address, n int) (got []unit) {
		if lack := n - len(wallets[from]); lack > 0 { // came in unseen, and leaves last
			got, wallets[from] = bruteDraw(wallets[from], n-lack, method)
			return append(got, make([]unit, lack)...)
		}
		got, wallets[from] = bruteDraw(wallets[from], n, method)
		return got
	}
	for _, b := range blocks {
		for i := range b.Txs {
			tx := &b.Txs[i]
			for j := range tx.Transfers {
				m := &tx.Transfers[j]
				if tx.Failed || m.From == m.To {
					continue
				}
				got := take(m.From, int(m.Amount.Uint64()))
				for k := range got {
					if got[k] == "" {
						got[k] = stolen[fmt.Sprintf("%s:%d", tx.ID, j)]
					}
				}
				wallets[m.To] = append(wallets[m.To], got...)
			}
			if payer := tx.Fee.Payer; !payer.IsZero() {
				put("burned "+string(payer.Bytes()), take(payer, int(tx.Fee.Burned.Uint64())))
				put("fee "+string(payer.Bytes()), take(payer, int(tx.Fee.Tip.Uint64())))
			}
			if earner := tx.Fee.Producer; !earner.IsZero() { // what was stolen has ended as fee
				wallets[earner] = append(wallets[earner], make([]unit, tx.Fee.Tip.Uint64())...)
			}
		}
	}
	for a, units := range wallets {
		put("held "+string(a.Bytes()), units)
	}
	return ends
}

// TestBruteForceAccounts compares account rules with the unit-by-unit model, on
// ledgers of one asset, so that there are no swaps.
func TestBruteForceAccounts(t *testing.T) { checkBruteForceAccounts(t, inMemory) }

func checkBruteForceAccounts(t *testing.T, empty fresh) {
	t.Helper()
	rapid.Check(t, func(rt *rapid.T) {
		blocks := storetest.AccountBlocks(rt, storetest.Shape{Blocks: 8})
		for _, b := range blocks {
			b.Openings = nil
			for i := range b.Txs {
				for j := range b.Txs[i].Transfers {
					b.Txs[i].Transfers[j].Asset = ledger.Ethereum.Native()
				}
			}
		}
		cases := drawCases(rt, blocks)
		stolen := map[string]unit{}
		for _, c := range cases {
			for _, theft := range c.Thefts {
				colour := c.Name + "/" + theft.Colour
				if have, ok := stolen[theft.Transfer]; !ok || colour < have {
					stolen[theft.Transfer] = colour
				}
			}
		}
		s := empty(rt)
		if err := s.Append(t.Context(), blocks); err != nil {
			rt.Fatal(err)
		}
		for _, method := range []*taint.Method{taint.FIFO, taint.LIFO, taint.Seniority, taint.TIHO} {
			result, err := trace.Run(t.Context(), s, cases, trace.Options{Method: method, Notations: plain})
			if err != nil {
				rt.Fatal(err)
			}
			got := map[string]map[unit]int{}
			for _, d := range result.Dispositions {
				key := d.Kind + " " + d.At
				if got[key] == nil {
					got[key] = map[unit]int{}
				}
				n := 0
				if _, err := fmt.Sscanf(d.Amount, "%d", &n); err != nil {
					rt.Fatal(err)
				}
				got[key][d.Colour] += n
			}
			want := bruteAccounts(blocks, stolen, method.Name)
			if !maps.EqualFunc(want, got, maps.Equal) {
				rt.Fatalf("%s:\nunit by unit %v\nby lots      %v", method.Name, want, got)
			}
		}
	})
}
