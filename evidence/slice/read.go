package slice

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"coldtrail/ledger"
	"coldtrail/store"
)

// A RowError says which line of a slice is wrong.
type RowError struct {
	File   string
	Line   int
	Reason string
}

// Error is "file: line N: reason".
func (e *RowError) Error() string { return fmt.Sprintf("%s: line %d: %s", e.File, e.Line, e.Reason) }

// Read reads the slice of some chains from its files; content gives a file, or nil where
// there is none. Facts that contradict one another are refused.
func Read(chains []ledger.Chain, content func(name string) ([]byte, error), notations Notations) (*Slice, error) {
	s := New()
	for _, chain := range chains {
		notation, err := notations(chain)
		if err != nil {
			return nil, err
		}
		for i := range Tables {
			name := FileOf(chain, Tables[i].Name)
			text, err := content(name)
			if err != nil {
				return nil, err
			}
			r := reader{chain: chain, notation: notation}
			if err := r.lines(name, text, s.add(chain), Tables[i].read); err != nil {
				return nil, err
			}
		}
		f := s.Chains[chain]
		if f.Status.Chain != chain {
			return nil, &RowError{FileOf(chain, "status"), 1, "it is not of " + string(chain)}
		}
		if err := f.check(); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// reader turns rows into facts. The first thing wrong stays.
type reader struct {
	chain    ledger.Chain
	notation ledger.Notation
	bad      error
}

func (r *reader) lines(file string, text []byte, f *Facts, read func(*reader, *Facts, []byte)) error {
	for line := 1; len(text) > 0; line++ {
		end := bytes.IndexByte(text, '\n')
		if end < 0 {
			return &RowError{file, line, "it does not end"}
		}
		read(r, f, text[:end])
		if r.bad != nil {
			return &RowError{file, line, r.bad.Error()}
		}
		text = text[end+1:]
	}
	return nil
}

func (r *reader) fail(format string, args ...any) {
	if r.bad == nil {
		r.bad = fmt.Errorf(format, args...)
	}
}

// row reads one line; keys that are not known are errors.
func row[T any](r *reader, line []byte) (value T) {
	decoder := json.NewDecoder(bytes.NewReader(line))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&value); err != nil {
		r.fail("%w", err)
	} else if rest := bytes.TrimSpace(line[decoder.InputOffset():]); len(rest) > 0 {
		r.fail("more than one value")
	}
	return value
}

// put adds a fact that must not be stated twice.
func put[K comparable, V any](r *reader, m map[K]V, key K, value V) {
	if _, ok := m[key]; ok {
		r.fail("it is stated twice")
	}
	m[key] = value
}

var provenances = map[string]ledger.Provenance{"file": ledger.File, "node": ledger.Node, "proven": ledger.Proven}

func (r *reader) provenance(text string) ledger.Provenance {
	p, ok := provenances[text]
	if !ok {
		r.fail("provenance %.20q is not known", text)
	}
	return p
}

func (r *reader) hash(text string) ledger.Hash {
	h, err := ledger.ParseHash(text)
	if err != nil {
		r.fail("%w", err)
	}
	return h
}

func (r *reader) address(text string) ledger.Address {
	if text == "" {
		return ledger.Address{}
	}
	a, err := r.notation.ParseAddress(text)
	if err != nil {
		r.fail("%w", err)
	}
	return a
}

func (r *reader) amount(text string) ledger.Amount {
	if text == "" {
		return ledger.Amount{}
	}
	a, err := ledger.ParseAmount(text)
	if err != nil {
		r.fail("%w", err)
	}
	return a
}

func (r *reader) asset(text string) ledger.Asset {
	if !strings.HasPrefix(text, string(r.chain)+"/") {
		r.fail("asset %.100q is not on %s", text, r.chain)
	}
	return ledger.Asset(text)
}

func (r *reader) outpoint(text string) ledger.Outpoint {
	id, index, _ := strings.Cut(text, ":")
	n, err := strconv.ParseUint(index, 10, 32)
	if err != nil {
		r.fail("outpoint %.100q: want TXID:VOUT", text)
	}
	return ledger.Outpoint{Tx: r.hash(id), Index: uint32(n)}
}

func orNone(n *uint64) uint64 {
	if n == nil {
		return none
	}
	return *n
}

// maxNumber is above all numbers of transactions and outputs, and far below none.
const maxNumber = math.MaxInt64

func (r *reader) number(n uint64) uint64 {
	if n > maxNumber {
		r.fail("number %d is out of range", n)
	}
	return n
}

func (r *reader) tx(t *txRow) *ledger.Tx {
	tx := &ledger.Tx{
		ID: r.hash(t.ID), Index: t.Index, Coinbase: t.Coinbase, Open: t.Open, Failed: t.Failed, Approximate: t.Approximate, External: t.External,
	}
	for i := range t.Outputs {
		o := &t.Outputs[i]
		tx.Outputs = append(tx.Outputs, ledger.Output{Value: o.Value, Address: r.address(o.Address), Unspendable: o.Unspendable})
	}
	for i := range t.Transfers {
		x := &t.Transfers[i]
		if x.Log < ledger.NoLog || x.Kind > uint8(ledger.Shares) {
			r.fail("transfer %d is out of range", i)
		}
		tx.Transfers = append(tx.Transfers, ledger.Transfer{
			From: r.address(x.From), To: r.address(x.To), Asset: r.asset(x.Asset), Amount: r.amount(x.Amount), LogIndex: x.Log, Kind: ledger.TransferKind(x.Kind),
		})
	}
	if t.Fee != nil {
		tx.Fee = ledger.Fee{Payer: r.address(t.Fee.Payer), Burned: r.amount(t.Fee.Burned), Tip: r.amount(t.Fee.Tip), Producer: r.address(t.Fee.Producer)}
	}
	for i := range t.Freezes {
		x := &t.Freezes[i]
		if int64(x.After) > int64(len(t.Transfers)) {
			r.fail("freeze %d is out of range", i)
		}
		tx.Freezes = append(tx.Freezes, ledger.Freeze{Holder: r.address(x.Holder), Asset: r.asset(x.Asset), Lifted: x.Lifted, After: x.After})
	}
	for i := range t.Messages {
		x := &t.Messages[i]
		data, err := hex.DecodeString(x.Data)
		if err != nil || x.Kind == 0 || x.Kind > uint8(ledger.Creation) {
			r.fail("message %d: %w", i, errors.Join(err, errMessage))
		}
		tx.Messages = append(tx.Messages, ledger.Message{Kind: ledger.MessageKind(x.Kind), Contract: r.address(x.Contract), Position: x.Position, Data: data})
	}
	return tx
}

var errMessage = errors.New("want a known kind and hexadecimal data")

func (r *reader) transaction(t *transactionRow) store.Transaction {
	tx := store.Transaction{
		Number: store.TxNumber(r.number(t.Number)), Height: ledger.Height(t.Height), Index: t.Index, Time: t.Time, Coinbase: t.Coinbase,
		FirstOutput: store.OutputNumber(r.number(t.First)), Values: t.Values, Unspendable: make([]bool, len(t.Values)),
	}
	for i := range t.Inputs {
		in := &t.Inputs[i]
		input := store.Input{Output: store.OutputNumber(orNone(in.Output)), Value: in.Value}
		if in.Output == nil {
			input.Outpoint = r.outpoint(in.Outpoint)
		} else {
			r.number(*in.Output)
		}
		tx.Inputs = append(tx.Inputs, input)
	}
	total := uint64(0)
	for i, at := range t.Unspendable {
		if at < 0 || at >= len(t.Values) {
			r.fail("unspendable[%d] is no output", i)
			return tx
		}
		tx.Unspendable[at] = true
	}
	for _, value := range t.Values {
		if total += value; value > maxNumber || total > maxNumber {
			r.fail("a value is out of range")
		}
	}
	return tx
}
