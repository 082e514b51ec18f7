package etl

import (
	"cmp"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"coldtrail/chain/evm"
	"coldtrail/ledger"
)

// builder puts one block together from the rows of its tables.
type builder struct {
	*Source
	block evm.Block
	count int // transactions the block states, or -1
	at    map[ledger.Hash]int
	gas   []uint64 // limit of each transaction
	bare  []bool   // the receipt says neither success nor failure
	got   []bool   // a receipt was there
	flat  [][]evm.Flat
	moves []evm.Move // of the protocol
}

// field is a column of a row by its place in the table's list.
func (r *row) field(i int) string { return r.fields[i] }

func (r *row) fail(i int, reason string) error {
	return r.table.fail(r.line, r.table.names[i], reason)
}

// number reads a whole number; empty is 0.
func (r *row) number(i int, bits int) (uint64, error) {
	text := r.field(i)
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(text, 10, bits)
	if err != nil {
		return 0, r.fail(i, fmt.Sprintf("%.40q is not a whole number", text))
	}
	return n, nil
}

// amount reads a whole number of base units; empty is 0.
func (r *row) amount(i int) (ledger.Amount, error) {
	if r.field(i) == "" {
		return ledger.Amount{}, nil
	}
	a, err := ledger.ParseAmount(r.field(i))
	if err != nil {
		return a, r.fail(i, err.Error())
	}
	return a, nil
}

func (r *row) hash(i int) (ledger.Hash, error) {
	h, err := ledger.ParseHash(r.field(i))
	if err != nil {
		return h, r.fail(i, err.Error())
	}
	return h, nil
}

// address reads an account; empty is none.
func (r *row) address(i int) (ledger.Address, error) {
	text := r.field(i)
	if text == "" {
		return ledger.Address{}, nil
	}
	var payload [20]byte
	if len(text) != 42 || text[:2] != "0x" {
		return ledger.Address{}, r.fail(i, fmt.Sprintf("%.60q is not 0x and 40 hexadecimal digits", text))
	}
	if _, err := hex.Decode(payload[:], []byte(text[2:])); err != nil {
		return ledger.Address{}, r.fail(i, fmt.Sprintf("%.60q is not hexadecimal", text))
	}
	return ledger.NewAddress(ledger.EVMAccount, payload[:]), nil
}

// reader gathers the first error of several fields.
type reader struct {
	*row
	err error
}

func first[T any](r *reader, value T, err error) T {
	if r.err == nil {
		r.err = err
	}
	return value
}

func (r *reader) number64(i int) uint64 { n, err := r.number(i, 64); return first(r, n, err) }
func (r *reader) number32(i int) uint32 {
	n, err := r.number(i, 31)
	return uint32(first(r, n, err))
}

func (r *reader) units(i int) ledger.Amount    { a, err := r.amount(i); return first(r, a, err) }
func (r *reader) id(i int) ledger.Hash         { h, err := r.hash(i); return first(r, h, err) }
func (r *reader) account(i int) ledger.Address { a, err := r.address(i); return first(r, a, err) }

// noUncles is the hash of an empty list of uncles.
const noUncles = "0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347"

func (b *builder) header(row *row) error {
	r := reader{row: row}
	block := &b.block
	block.Hash, block.Parent = r.id(1), r.id(2)
	seconds := r.number64(3)
	block.Producer = r.account(4)
	if b.count = -1; r.field(5) != "" {
		b.count = int(r.number32(5))
	}
	block.BaseFee = r.units(6)
	block.Cancun = r.field(7) != ""
	if r.err != nil {
		return r.err
	}
	if seconds > 1<<40 {
		return r.fail(3, "it is not Unix seconds")
	}
	block.Time = int64(seconds)
	if uncles := r.field(9); uncles != "" && uncles != noUncles && b.tables["traces"] == nil && len(b.notes) < 16 {
		note := "some blocks have uncles, whose rewards an export without traces does not tell"
		if !slices.Contains(b.notes, note) {
			b.notes = append(b.notes, note)
		}
	}
	return b.withdrawals(row)
}

// withdrawals reads a list of objects; ethereum-etl writes it into CSV with single
// quotes.
func (b *builder) withdrawals(r *row) error {
	text := strings.TrimSpace(r.field(8))
	if text == "" {
		return nil
	}
	var list []struct {
		Address string      `json:"address"`
		Amount  json.Number `json:"amount"`
	}
	decoder := json.NewDecoder(strings.NewReader(strings.ReplaceAll(text, "'", `"`)))
	if err := decoder.Decode(&list); err != nil {
		return r.fail(8, "it is not a list of withdrawals")
	}
	for _, w := range list {
		address, err := evm.Notation{}.ParseAddress(strings.ToLower(w.Address))
		gwei, numberErr := strconv.ParseUint(w.Amount.String(), 10, 64)
		if err != nil || numberErr != nil {
			return r.fail(8, "a withdrawal has no address or no amount in gwei")
		}
		b.block.Withdrawals = append(b.block.Withdrawals, evm.Withdrawal{Address: address, Gwei: gwei})
	}
	return nil
}

// note is calldata if it can be a text that goes with a payment.
func note(input string) []byte {
	if len(input) <= 2 || len(input) > 2+2*evm.MaxNote {
		return nil
	}
	data, err := hex.DecodeString(strings.TrimPrefix(input, "0x"))
	if err != nil {
		return nil
	}
	return evm.NoteOf(data)
}

func (b *builder) tx(row *row) error {
	r := reader{row: row}
	tx := evm.Tx{Hash: r.id(0), Index: r.number32(2), From: r.account(3), To: r.account(4), Value: r.units(5), GasPrice: r.units(7)}
	tx.Calls = len(r.field(8)) > 2 || tx.To.IsZero()
	tx.Note = note(r.field(8))
	if blobs := r.field(9); blobs != "" {
		tx.BlobGas = uint64(strings.Count(blobs, ",")+1) << 17
	}
	gas := r.number64(6)
	if r.err == nil && tx.From.IsZero() {
		return r.fail(3, "the transaction has no sender")
	}
	if _, ok := b.at[tx.Hash]; ok && r.err == nil {
		return r.fail(0, "the transaction is there twice")
	}
	b.at[tx.Hash] = len(b.block.Txs)
	b.block.Txs = append(b.block.Txs, tx)
	b.gas = append(b.gas, gas)
	return r.err
}

// index puts the transactions in order and checks that none is missing.
func (b *builder) index() error {
	order := make([]int, len(b.block.Txs))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(x, y int) int { return cmp.Compare(b.block.Txs[x].Index, b.block.Txs[y].Index) })
	txs, gas := make([]evm.Tx, len(order)), make([]uint64, len(order))
	for i, from := range order {
		txs[i], gas[i] = b.block.Txs[from], b.gas[from]
		b.at[txs[i].Hash] = i
		if int(txs[i].Index) != i {
			return &evm.DataError{Block: b.block.Number, Tx: txs[i].Hash, Reason: fmt.Sprintf("%s has it at index %d where %d is due", b.tables["transactions"].name, txs[i].Index, i)}
		}
	}
	if b.count >= 0 && b.count != len(txs) {
		return &evm.DataError{Block: b.block.Number, Reason: fmt.Sprintf("it states %d transactions, %s has %d", b.count, b.tables["transactions"].name, len(txs))}
	}
	b.block.Txs, b.gas = txs, gas
	b.bare, b.got, b.flat = make([]bool, len(txs)), make([]bool, len(txs)), make([][]evm.Flat, len(txs))
	return nil
}

// of finds the transaction that a row of another table belongs to.
func (b *builder) of(r *row, column int) (int, error) {
	hash, err := r.hash(column)
	if err != nil {
		return 0, err
	}
	at, ok := b.at[hash]
	if !ok {
		return 0, r.fail(column, fmt.Sprintf("transaction 0x%s is not in block %d", hash, b.block.Number))
	}
	return at, nil
}

func (b *builder) receipt(row *row) error {
	at, err := b.of(row, 0)
	if err != nil {
		return err
	}
	if b.got[at] {
		return row.fail(0, "the receipt is there twice")
	}
	r := reader{row: row}
	tx := &b.block.Txs[at]
	b.got[at] = true
	if r.field(2) == "" {
		return r.fail(2, "the receipt does not say how much gas was used")
	}
	tx.GasUsed, tx.Created = r.number64(2), r.account(3)
	switch status := r.field(5); status {
	case "":
		b.bare[at] = true
	case "0", "1":
		tx.Failed = status == "0"
	default:
		return r.fail(5, fmt.Sprintf("%.20q is neither 0 nor 1", status))
	}
	if r.field(6) != "" {
		tx.GasPrice = r.units(6)
	}
	if r.field(7) != "" {
		tx.BlobGas = r.number64(7)
	}
	tx.BlobPrice, tx.DataFee = r.units(8), r.units(9)
	return r.err
}

func (b *builder) log(row *row) error {
	at, err := b.of(row, 1)
	if err != nil {
		return err
	}
	r := reader{row: row}
	l := evm.Log{Index: r.number32(0), Contract: r.account(3)}
	if r.err != nil {
		return r.err
	}
	digits, ok := strings.CutPrefix(r.field(4), "0x")
	if l.Data, err = hex.DecodeString(digits); err != nil || !ok && digits != "" {
		return r.fail(4, "it is not 0x and hexadecimal digits")
	}
	if topics := r.field(5); topics != "" {
		for topic := range strings.SplitSeq(topics, ",") {
			h, err := ledger.ParseHash(strings.TrimSpace(topic))
			if err != nil || len(l.Topics) == 4 {
				return r.fail(5, "it is not a list of at most four topics")
			}
			l.Topics = append(l.Topics, h)
		}
	}
	b.block.Txs[at].Logs = append(b.block.Txs[at].Logs, l)
	return nil
}

// token makes the event of a token transfer.
func (b *builder) token(row *row) error {
	at, err := b.of(row, 4)
	if err != nil {
		return err
	}
	r := reader{row: row}
	l := evm.TransferLog(r.account(0), r.account(1), r.account(2), r.units(3))
	l.Index = r.number32(5)
	b.block.Txs[at].Logs = append(b.block.Txs[at].Logs, l)
	return r.err
}

// The trace types that are the protocol's own and belong to no transaction.
var ofProtocol = map[string]bool{"reward": true, "genesis": true, "daofork": true}

func (b *builder) trace(row *row) error {
	r := reader{row: row}
	entry := evm.Flat{From: r.account(2), To: r.account(3), Value: r.units(4), Failed: r.field(9) != "" || r.field(10) == "0"}
	if r.err != nil {
		return r.err
	}
	kind := r.field(5)
	if ofProtocol[kind] {
		b.moves = append(b.moves, evm.Move{From: entry.From, To: entry.To, Value: entry.Value})
		return nil
	}
	at, err := b.of(row, 1)
	if err != nil {
		return err
	}
	if kind == "call" && r.field(6) != "" {
		kind = r.field(6)
	}
	entry.Kind = evm.KindOfCall(kind)
	for part := range strings.SplitSeq(strings.Trim(r.field(8), "[] "), ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		n, err := strconv.ParseUint(part, 10, 32)
		if err != nil {
			return r.fail(8, fmt.Sprintf("%.40q is not a path of calls", r.field(8)))
		}
		entry.Address = append(entry.Address, uint32(n))
	}
	b.flat[at] = append(b.flat[at], entry)
	return nil
}

// finish checks that the tables agree and fills what one leaves to another.
func (b *builder) finish() error {
	if b.tables["traces"] != nil { // they tell every reward
		b.block.Rewards = append([]evm.Move{}, b.moves...)
	}
	for i := range b.block.Txs {
		tx := &b.block.Txs[i]
		slices.SortStableFunc(tx.Logs, func(x, y evm.Log) int { return cmp.Compare(x.Index, y.Index) })
		switch {
		case b.tables["receipts"] == nil:
			tx.Fee = &ledger.Fee{Payer: tx.From}
		case !b.got[i]:
			return &evm.DataError{Block: b.block.Number, Tx: tx.Hash, Reason: "it has no receipt in " + b.tables["receipts"].name}
		case b.bare[i]: // before Byzantium a call that used all its gas, without an event, ran out of it
			tx.Failed = len(tx.Logs) == 0 && tx.GasUsed == b.gas[i] && tx.GasUsed > 21_000
		}
		if b.tables["traces"] == nil {
			continue
		}
		if len(b.flat[i]) == 0 {
			return &evm.DataError{Block: b.block.Number, Tx: tx.Hash, Reason: "it has no trace in " + b.tables["traces"].name}
		}
		for j := range b.flat[i] {
			if root := &b.flat[i][j]; len(root.Address) == 0 && (b.tables["receipts"] == nil || b.bare[i]) {
				tx.Failed = root.Failed
			}
		}
		b.block.SetFlat(tx, b.flat[i])
	}
	return nil
}
