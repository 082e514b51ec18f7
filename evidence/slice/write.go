package slice

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"slices"

	"coldtrail/ledger"
	"coldtrail/store"
)

// Notations finds how a chain's addresses are written.
type Notations func(ledger.Chain) (ledger.Notation, error)

// A Table is one kind of facts of a chain, in a file of its own.
type Table struct {
	Name  string
	write func(*writer, *Facts)
	read  func(*reader, *Facts, []byte)
}

// Tables lists every kind of facts, in the order in which they are written and read.
var Tables = []Table{
	{"status", writeStatus, readStatus},
	{"headers", writeHeaders, readHeader},
	{"names", writeNames, readName},
	{"outpoints", writeOutpoints, readOutpoint},
	{"outputs", writeOutputs, readOutput},
	{"transactions", writeTransactions, readTransaction},
	{"movements", writeMovements, readMovement},
	{"histories", writeHistories, readHistory},
	{"balances", writeBalances, readBalance},
	{"messages", writeMessages, readMessage},
	{"spoken", writeSpoken, readSpoken},
}

// Written is one file of a slice.
type Written struct {
	Name    string
	Content []byte
}

// Write writes a slice as files, those without a row left out. Equal slices give equal
// bytes.
func (s *Slice) Write(notations Notations) (files []Written, err error) {
	for _, chain := range s.Names() {
		notation, err := notations(chain)
		if err != nil {
			return nil, err
		}
		for i := range Tables {
			w := writer{chain: chain, notation: notation}
			if Tables[i].write(&w, s.Chains[chain]); w.bad != nil {
				return nil, fmt.Errorf("write the %s of %s: %w", Tables[i].Name, chain.Short(), w.bad)
			}
			if len(w.lines) > 0 {
				files = append(files, Written{FileOf(chain, Tables[i].Name), w.lines})
			}
		}
	}
	return files, nil
}

// FileOf names the file of a table.
func FileOf(chain ledger.Chain, table string) string { return folder(chain) + table + ".jsonl" }

func writeStatus(w *writer, f *Facts) {
	s := &f.Status
	row := statusRow{string(s.Chain), uint64(s.First), uint64(s.Height), s.Hash.String(), s.Weakest.String(), ""}
	if s.Hash.IsZero() {
		row.Content = s.Content.String()
	}
	w.row(row)
}

func writeHeaders(w *writer, f *Facts) {
	for _, height := range sortedKeys(f.Headers) {
		h := f.Headers[height]
		w.row(headerRow{uint64(h.Height), h.Hash.String(), h.Time, h.Provenance.String(), uint64(h.FirstTx), h.Txs})
	}
}

func writeNames(w *writer, f *Facts) {
	for _, number := range sortedKeys(f.IDs) {
		w.row(nameRow{optional(uint64(number)), f.IDs[number].String()})
	}
	for _, id := range slices.SortedFunc(maps.Keys(f.Absent), compareHashes) {
		w.row(nameRow{nil, id.String()})
	}
}

func compareHashes(a, b ledger.Hash) int { return bytes.Compare(a[:], b[:]) }

func writeOutpoints(w *writer, f *Facts) {
	order := func(a, b ledger.Outpoint) int {
		return cmp.Or(compareHashes(a.Tx, b.Tx), cmp.Compare(a.Index, b.Index))
	}
	for _, o := range slices.SortedFunc(maps.Keys(f.Outpoints), order) {
		w.row(outpointRow{w.outpoint(&o), optional(uint64(f.Outpoints[o]))})
	}
}

func writeOutputs(w *writer, f *Facts) {
	for _, number := range sortedKeys(f.Outputs) {
		o := f.Outputs[number]
		w.row(outputRow{
			uint64(number), w.outpoint(&o.Outpoint), o.Value, w.address(o.Address), o.Unspendable, uint64(o.Tx), optional(uint64(o.Spender)),
		})
	}
}

func writeTransactions(w *writer, f *Facts) {
	for _, number := range sortedKeys(f.Transactions) {
		t := f.Transactions[number]
		w.row(w.transaction(&t))
	}
}

func writeMovements(w *writer, f *Facts) {
	for _, number := range sortedKeys(f.Movements) {
		m := f.Movements[number]
		w.row(movementRow{uint64(number), uint64(m.Height), m.Time, w.tx(&m.Tx)})
	}
}

func writeHistories(w *writer, f *Facts) {
	order := func(a, b store.Since) int {
		return cmp.Or(compareAddresses(a.Address, b.Address), cmp.Compare(a.From, b.From), cmp.Compare(a.Limit, b.Limit))
	}
	for _, q := range slices.SortedFunc(maps.Keys(f.Histories), order) {
		row := historyRow{w.address(q.Address), uint64(q.From), q.Limit, []touchRow{}}
		for _, t := range f.Histories[q] {
			row.Touches = append(row.Touches, touchRow{uint64(t.Tx), optional(uint64(t.Output)), t.Value, t.Spent})
		}
		w.row(row)
	}
}

func compareAddresses(a, b ledger.Address) int {
	return cmp.Or(cmp.Compare(a.Kind, b.Kind), bytes.Compare(a.Bytes(), b.Bytes()))
}

func writeBalances(w *writer, f *Facts) {
	order := func(a, b store.HoldingAt) int {
		return cmp.Or(compareAddresses(a.Address, b.Address), cmp.Compare(a.Asset, b.Asset), cmp.Compare(a.Before, b.Before))
	}
	for _, q := range slices.SortedFunc(maps.Keys(f.Balances), order) {
		b := f.Balances[q]
		w.row(balanceRow{w.address(q.Address), string(q.Asset), uint64(q.Before), b.Amount.Dec(), b.Known, b.Frozen})
	}
}

// writeMessages leaves out what stands among the movements.
func writeMessages(w *writer, f *Facts) {
	for _, number := range sortedKeys(f.Spoken) {
		if _, ok := f.Movements[number]; !ok {
			said := f.Spoken[number]
			w.row(movementRow{uint64(number), uint64(said.Height), said.Time, w.tx(said.Tx)})
		}
	}
}

func writeSpoken(w *writer, f *Facts) {
	order := func(a, b Span) int { return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To)) }
	for _, span := range slices.SortedFunc(maps.Keys(f.Said), order) {
		row := spanRow{uint64(span.From), uint64(span.To), []uint64{}}
		for _, number := range f.Said[span] {
			row.Numbers = append(row.Numbers, uint64(number))
		}
		w.row(row)
	}
}
