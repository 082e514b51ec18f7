package evm_test

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"coldtrail/chain/evm"
	"coldtrail/ledger"
)

func party(n byte) ledger.Address {
	return ledger.NewAddress(ledger.EVMAccount, append(make([]byte, 19), n))
}

// created lists what a transaction created, in words.
func created(tb interface{ Fatal(...any) }, b *evm.Block) (lines []string) {
	network := evm.Network{ID: 1}
	out, err := b.Ledger(&network)
	if err != nil {
		tb.Fatal(err)
	}
	for i := range out.Txs {
		for j := range out.Txs[i].Messages {
			m := &out.Txs[i].Messages[j]
			creator := m.Creator()
			lines = append(lines, fmt.Sprintf("%d: kind %d, %x by %x", m.Position, m.Kind, m.Contract.Bytes()[19:], creator.Bytes()[19:]))
		}
	}
	return lines
}

// TestCreations: what a trace tells of contracts created, and where they stand.
func TestCreations(t *testing.T) {
	create := func(from, to byte, calls ...evm.Call) evm.Call {
		return evm.Call{Kind: evm.CallCreate, From: party(from), To: party(to), Calls: calls}
	}
	call := func(from, to byte, calls ...evm.Call) evm.Call {
		return evm.Call{Kind: evm.CallPlain, From: party(from), To: party(to), Calls: calls}
	}
	failed := func(c evm.Call) evm.Call { c.Failed = true; return c }
	for name, c := range map[string]struct {
		to, receipt byte
		failed      bool
		root        *evm.Call
		want        []string
	}{
		"a payment":               {to: 2},
		"by a transaction":        {receipt: 3, want: []string{"0: kind 4, 03 by 01"}},
		"by one that failed":      {receipt: 3, failed: true},
		"with a receiver":         {to: 2, receipt: 3},
		"a receipt says nothing":  {},
		"the trace says as much":  {receipt: 3, root: new(create(1, 3)), want: []string{"0: kind 4, 03 by 01"}},
		"only the trace says so":  {root: new(create(1, 3)), want: []string{"0: kind 4, 03 by 01"}},
		"the first frame failed":  {root: new(failed(create(1, 3)))},
		"by a constructor":        {receipt: 3, root: new(create(1, 3, create(3, 4, create(4, 5)), create(3, 6))), want: []string{"0: kind 4, 03 by 01", "1: kind 4, 04 by 03", "2: kind 4, 05 by 04", "3: kind 4, 06 by 03"}},
		"by a factory":            {to: 2, root: new(call(1, 2, call(2, 7, create(7, 8)), create(2, 9))), want: []string{"0: kind 4, 08 by 07", "1: kind 4, 09 by 02"}},
		"one that failed":         {to: 2, root: new(call(1, 2, failed(create(2, 8, create(8, 9))), create(2, 4))), want: []string{"0: kind 4, 04 by 02"}},
		"in a call that failed":   {to: 2, root: new(call(1, 2, failed(call(2, 7, create(7, 8)))))},
		"traced, but it failed":   {to: 2, failed: true, root: new(call(1, 2, create(2, 8)))},
		"an address is not known": {to: 2, root: new(call(1, 2, evm.Call{Kind: evm.CallCreate, From: party(2)}, evm.Call{Kind: evm.CallCreate, To: party(5)}, create(2, 6))), want: []string{"0: kind 4, 06 by 02"}},
	} {
		for _, flat := range []bool{false, true} {
			b := &evm.Block{Txs: []evm.Tx{{From: party(1), Failed: c.failed, GasUsed: 60_000}}}
			tx := &b.Txs[0]
			if c.to > 0 {
				tx.To = party(c.to)
			}
			if c.receipt > 0 {
				tx.Created = party(c.receipt)
			}
			if c.root != nil && flat {
				entries := flatten(c.root, nil)
				slices.Reverse(entries) // in any order
				b.SetFlat(tx, entries)
			} else if c.root != nil {
				if err := b.SetCalls(tx, c.root, true); err != nil {
					t.Fatal(err)
				}
			}
			if got := created(t, b); !slices.Equal(got, c.want) {
				t.Errorf("%s, flat %v: %q, want %q", name, flat, got, c.want)
			}
		}
	}
}

// flatten lists a call tree as trace_block does.
func flatten(c *evm.Call, path []uint32) []evm.Flat {
	list := []evm.Flat{{Kind: c.Kind, From: c.From, To: c.To, Value: c.Value, Failed: c.Failed, Address: path}}
	for i := range c.Calls {
		list = append(list, flatten(&c.Calls[i], append(slices.Clone(path), uint32(i)))...)
	}
	return list
}

// TestTracesAgree: both forms of trace tell the same creations, wherever calls fail.
func TestTracesAgree(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var frame func(depth int, from ledger.Address) evm.Call
		frame = func(depth int, from ledger.Address) evm.Call {
			c := evm.Call{From: from, To: party(byte(rapid.IntRange(1, 200).Draw(rt, "to"))), Kind: evm.CallKind(rapid.IntRange(0, 3).Draw(rt, "kind")), Failed: rapid.IntRange(0, 4).Draw(rt, "failed") == 0}
			for range rapid.IntRange(0, 3-depth).Draw(rt, "calls") {
				c.Calls = append(c.Calls, frame(depth+1, c.To))
			}
			return c
		}
		root := frame(0, party(1))
		root.Failed = false
		var want []string
		var walk func(c *evm.Call)
		walk = func(c *evm.Call) {
			if c.Failed {
				return
			}
			if c.Kind == evm.CallCreate {
				want = append(want, fmt.Sprintf("%d: kind 4, %x by %x", len(want), c.To.Bytes()[19:], c.From.Bytes()[19:]))
			}
			for i := range c.Calls {
				walk(&c.Calls[i])
			}
		}
		walk(&root)
		for _, flat := range []bool{false, true} {
			b := &evm.Block{Txs: []evm.Tx{{From: party(1)}}}
			if root.Kind != evm.CallCreate {
				b.Txs[0].To = root.To
			}
			if flat {
				b.SetFlat(&b.Txs[0], rapid.Permutation(flatten(&root, nil)).Draw(rt, "order"))
			} else if err := b.SetCalls(&b.Txs[0], &root, true); err != nil {
				rt.Fatal(err)
			}
			if got := created(rt, b); !slices.Equal(got, want) {
				rt.Fatalf("flat %v: %q, want %q", flat, got, want)
			}
		}
	})
}
