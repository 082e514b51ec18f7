package slice_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"coldtrail/evidence/slice"
	"coldtrail/ledger"
	"coldtrail/store"
	"coldtrail/store/memory"
	"coldtrail/store/storetest"
	"coldtrail/trace"
)

// plainNames writes addresses as the names they are.
type plainNames struct{}

// FormatAddress prints the name.
func (plainNames) FormatAddress(a ledger.Address) string {
	if a.IsZero() {
		return ""
	}
	return fmt.Sprintf("%d:%x", a.Kind, a.Bytes())
}

// ParseAddress reads a name.
func (plainNames) ParseAddress(text string) (ledger.Address, error) {
	var kind ledger.AddressKind
	var payload []byte
	if _, err := fmt.Sscanf(text, "%d:%x", &kind, &payload); err != nil || len(payload) > 32 {
		return ledger.Address{}, fmt.Errorf("address %q: %w", text, errors.Join(err, errors.ErrUnsupported))
	}
	return ledger.NewAddress(kind, payload), nil
}

func plain(ledger.Chain) (ledger.Notation, error) { return plainNames{}, nil }

// copied writes a slice and reads it again.
func copied(t *rapid.T, s *slice.Slice) *slice.Slice {
	files, err := s.Write(plain)
	if err != nil {
		t.Fatal(err)
	}
	byName := map[string][]byte{}
	for _, f := range files {
		byName[f.Name] = f.Content
	}
	got, err := slice.Read(s.Names(), func(name string) ([]byte, error) { return byName[name], nil }, plain)
	if err != nil {
		t.Fatal(err)
	}
	again, err := got.Write(plain)
	if err != nil {
		t.Fatal(err)
	}
	for i := range files {
		if i >= len(again) || again[i].Name != files[i].Name || !bytes.Equal(again[i].Content, files[i].Content) {
			t.Fatalf("%s reads and writes as other bytes:\n%s", files[i].Name, files[i].Content)
		}
	}
	return got
}

// TestSameAnswers traces random thefts in random ledgers, and again over what the trace
// asked for, written and read.
func TestSameAnswers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		shape := storetest.Shape{Blocks: 8, Names: 6}
		blocks := storetest.UTXOBlocks(t, shape)
		if rapid.Bool().Draw(t, "accounts") {
			blocks = storetest.AccountBlocks(t, shape)
		}
		s := memory.New()
		if err := s.Append(context.Background(), blocks); err != nil {
			t.Fatal(err)
		}
		c := &trace.Case{Name: "case"}
		for _, b := range blocks {
			for i := range b.Txs {
				tx := &b.Txs[i]
				for j := range tx.Outputs {
					if tx.Outputs[j].Value > 0 && rapid.IntRange(0, 3).Draw(t, "steal") == 0 {
						c.Thefts = append(c.Thefts, trace.Theft{Colour: "coins", Chain: string(b.Chain), Outpoint: fmt.Sprintf("%s:%d", tx.ID, j)})
					}
				}
				for j := range tx.Transfers {
					if m := &tx.Transfers[j]; !m.Amount.IsZero() && m.From != m.To && !tx.Failed && rapid.IntRange(0, 3).Draw(t, "steal") == 0 {
						c.Thefts = append(c.Thefts, trace.Theft{
							Colour: "asset" + string(m.Asset[len(m.Asset)-2:]), Chain: string(b.Chain), Asset: string(m.Asset), Transfer: fmt.Sprintf("%s:%d", tx.ID, j),
						})
					}
				}
			}
		}
		if len(c.Thefts) == 0 {
			t.Skip("nothing to steal")
		}
		c.Thefts = c.Thefts[:min(len(c.Thefts), 3)]
		options := trace.Options{Mode: trace.Targeted, Notations: plain, Flows: true, Crossings: true}
		recorder := slice.Record(s)
		want, err := trace.Run(context.Background(), recorder, []*trace.Case{c}, options)
		if err != nil {
			if _, over := trace.Run(context.Background(), s, []*trace.Case{c}, options); over == nil {
				t.Fatalf("only the recorder cannot be traced over: %v", err)
			}
			t.Skip(err)
		}
		if err := recorder.Complete(context.Background()); err != nil {
			t.Fatal(err)
		}
		got, err := trace.Run(context.Background(), copied(t, recorder.Slice).Questions(), []*trace.Case{c}, options)
		if err != nil || got.Digest != want.Digest {
			t.Fatalf("digest %v, want %s: %v", got, want.Digest, err)
		}
	})
}

// TestGaps wants what was not asked refused, and never answered with nothing.
func TestGaps(t *testing.T) {
	s := memory.New()
	block := &ledger.Block{Chain: ledger.Ethereum, Height: 1, Provenance: ledger.File, Txs: []ledger.Tx{{ID: ledger.Hash{1}}}}
	if err := s.Append(t.Context(), []*ledger.Block{block}); err != nil {
		t.Fatal(err)
	}
	r := slice.Record(s)
	if _, err := r.Status(t.Context()); err != nil {
		t.Fatal(err)
	}
	if numbers, err := r.Find(t.Context(), ledger.Ethereum, []ledger.Hash{{1}, {2}}); err != nil || numbers[1] != store.NoTx {
		t.Fatal(numbers, err)
	}
	q := r.Questions()
	if numbers, err := q.Find(t.Context(), ledger.Ethereum, []ledger.Hash{{2}, {1}}); err != nil || numbers[0] != store.NoTx || numbers[1] != 0 {
		t.Errorf("%v, %v", numbers, err)
	}
	if _, err := q.Find(t.Context(), ledger.Ethereum, []ledger.Hash{{3}}); !errors.Is(err, slice.ErrNotHeld) {
		t.Errorf("find: %v", err)
	}
	if _, err := q.Movements(t.Context(), ledger.Ethereum, []store.TxNumber{0}); !errors.Is(err, slice.ErrNotHeld) {
		t.Errorf("movements: %v", err)
	}
	if _, err := q.History(t.Context(), ledger.Ethereum, []store.Since{{}}); !errors.Is(err, slice.ErrNotHeld) {
		t.Errorf("history: %v", err)
	}
	if _, err := q.Balances(t.Context(), ledger.Ethereum, []store.HoldingAt{{}}); !errors.Is(err, slice.ErrNotHeld) {
		t.Errorf("balances: %v", err)
	}
	for _, err := range q.Said(t.Context(), ledger.Ethereum, 0, 1, nil) {
		if !errors.Is(err, slice.ErrNotHeld) {
			t.Errorf("said: %v", err)
		}
	}
	if _, err := q.IDs(t.Context(), ledger.Bitcoin, nil); !errors.Is(err, store.ErrUnknownChain) {
		t.Errorf("another chain: %v", err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add("status", []byte(`{"chain":"eip155:1","first":1,"height":2,"hash":"`+ledger.Hash{1}.String()+`","provenance":"file"}`+"\n"))
	f.Add("transactions", []byte(`{"number":1,"height":1,"index":0,"time":1,"inputs":[{"output":1,"value":2}],"first_output":2,"values":[5],"unspendable":[0]}`+"\n"))
	f.Add("movements", []byte(`{"number":1,"height":1,"time":1,"tx":{"id":"`+ledger.Hash{1}.String()+`","index":0,"transfers":[{"asset":"eip155:1/slip44:60","amount":"5","log":-1}]}}`+"\n"))
	f.Fuzz(func(t *testing.T, table string, text []byte) {
		status := []byte(`{"chain":"eip155:1","first":1,"height":2,"hash":"` + ledger.Hash{1}.String() + `","provenance":"file"}` + "\n")
		s, err := slice.Read([]ledger.Chain{ledger.Ethereum}, func(name string) ([]byte, error) {
			switch name {
			case slice.FileOf(ledger.Ethereum, table):
				return text, nil
			case slice.FileOf(ledger.Ethereum, "status"):
				return status, nil
			}
			return nil, nil
		}, plain)
		if err != nil {
			return
		}
		if _, err := s.Write(plain); err != nil {
			t.Fatal(err)
		}
	})
}
