package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"coldtrail/ledger"
)

// ErrCorrupt says that stored bytes are not what EncodeBlock wrote.
var ErrCorrupt = errors.New("stored block is corrupt")

// EncodeBlock appends the canonical encoding of a block to dst: the same block
// gives the same bytes on every machine. Stores may keep it; identities hash it.
func EncodeBlock(dst []byte, b *ledger.Block) []byte {
	e := encoder{buf: dst, assets: map[ledger.Asset]uint64{}}
	e.text(string(b.Chain))
	e.number(uint64(b.Height))
	e.buf = append(e.buf, b.Hash[:]...)
	e.buf = append(e.buf, b.Parent[:]...)
	e.buf = binary.AppendVarint(e.buf, b.Time)
	e.number(uint64(b.Provenance))
	e.number(uint64(len(b.Txs)))
	for i := range b.Txs {
		e.tx(&b.Txs[i])
	}
	e.number(uint64(len(b.Openings)))
	for i := range b.Openings {
		o := &b.Openings[i]
		e.address(&o.Address)
		e.asset(o.Asset)
		e.amount(&o.Amount)
		e.number(uint64(o.Before))
	}
	return e.buf
}

// EncodeTx appends the canonical encoding of one transaction to dst.
func EncodeTx(dst []byte, tx *ledger.Tx) []byte {
	e := encoder{buf: dst, assets: map[ledger.Asset]uint64{}}
	e.tx(tx)
	return e.buf
}

// DecodeTx reads what EncodeTx wrote, all of it, or answers ErrCorrupt.
func DecodeTx(src []byte) (*ledger.Tx, error) {
	d := decoder{rest: src}
	tx := &ledger.Tx{}
	d.tx(tx)
	return tx, d.end()
}

type encoder struct {
	buf    []byte
	assets map[ledger.Asset]uint64 // first mention writes the text, later ones its number
}

func (e *encoder) number(n uint64) { e.buf = binary.AppendUvarint(e.buf, n) }

func (e *encoder) text(s string) {
	e.number(uint64(len(s)))
	e.buf = append(e.buf, s...)
}

func (e *encoder) address(a *ledger.Address) {
	e.buf = append(e.buf, byte(a.Kind))
	if a.Kind != ledger.NoAddress {
		e.buf = append(e.buf, a.Size)
		e.buf = append(e.buf, a.Bytes()...)
	}
}

func (e *encoder) asset(a ledger.Asset) {
	if n, ok := e.assets[a]; ok {
		e.number(n)
		return
	}
	e.assets[a] = uint64(len(e.assets)) + 1
	e.number(0)
	e.text(string(a))
}

func (e *encoder) amount(a *ledger.Amount) {
	bytes := a.Bytes()
	e.buf = append(e.buf, byte(len(bytes)))
	e.buf = append(e.buf, bytes...)
}

// The flag bits of an encoded transaction.
const (
	flagCoinbase = 1 << iota
	flagFailed
	flagApproximate
	flagExternal
	flagOpen
	allFlags = flagCoinbase | flagFailed | flagApproximate | flagExternal | flagOpen
)

func (e *encoder) tx(tx *ledger.Tx) {
	e.buf = append(e.buf, tx.ID[:]...)
	e.number(uint64(tx.Index))
	var flags uint64
	for bit, set := range map[uint64]bool{flagCoinbase: tx.Coinbase, flagFailed: tx.Failed, flagApproximate: tx.Approximate, flagExternal: tx.External, flagOpen: tx.Open} {
		if set {
			flags |= bit
		}
	}
	e.number(flags)
	e.number(uint64(len(tx.Inputs)))
	for i := range tx.Inputs {
		e.buf = append(e.buf, tx.Inputs[i].Tx[:]...)
		e.number(uint64(tx.Inputs[i].Index))
	}
	e.number(uint64(len(tx.Outputs)))
	for i := range tx.Outputs {
		o := &tx.Outputs[i]
		e.number(o.Value)
		e.address(&o.Address)
		e.bit(o.Unspendable)
	}
	e.number(uint64(len(tx.Transfers)))
	for i := range tx.Transfers {
		t := &tx.Transfers[i]
		e.address(&t.From)
		e.address(&t.To)
		e.asset(t.Asset)
		e.amount(&t.Amount)
		e.buf = binary.AppendVarint(e.buf, int64(t.LogIndex))
		e.number(uint64(t.Kind))
	}
	e.address(&tx.Fee.Payer)
	e.amount(&tx.Fee.Burned)
	e.amount(&tx.Fee.Tip)
	e.address(&tx.Fee.Producer)
	e.number(uint64(len(tx.Freezes)))
	for i := range tx.Freezes {
		f := &tx.Freezes[i]
		e.address(&f.Holder)
		e.asset(f.Asset)
		e.bit(f.Lifted)
		e.number(uint64(f.After))
	}
	e.number(uint64(len(tx.Messages)))
	for i := range tx.Messages {
		m := &tx.Messages[i]
		e.number(uint64(m.Kind))
		e.address(&m.Contract)
		e.number(uint64(m.Position))
		e.text(string(m.Data))
	}
}

func (e *encoder) bit(set bool) { //nolint:revive // a bit is what is written, it controls nothing
	if set {
		e.buf = append(e.buf, 1)
		return
	}
	e.buf = append(e.buf, 0)
}

// DecodeBlock reads what EncodeBlock wrote, all of it, or answers ErrCorrupt.
func DecodeBlock(src []byte) (*ledger.Block, error) {
	d := decoder{rest: src}
	b := &ledger.Block{Chain: ledger.Chain(d.bytes(d.count(1)))}
	b.Height = ledger.Height(d.number())
	b.Hash, b.Parent = d.hash(), d.hash()
	b.Time = d.signed()
	b.Provenance = ledger.Provenance(d.small(uint64(ledger.Proven)))
	if n := d.count(40); n > 0 {
		b.Txs = make([]ledger.Tx, n)
		for i := range b.Txs {
			d.tx(&b.Txs[i])
		}
	}
	if n := d.count(4); n > 0 {
		b.Openings = make([]ledger.Opening, n)
		for i := range b.Openings {
			b.Openings[i] = ledger.Opening{Address: d.address(), Asset: d.asset(), Amount: d.amount(), Before: ledger.Height(d.number())}
		}
	}
	if err := d.end(); err != nil {
		return nil, err
	}
	return b, nil
}

// end says what was wrong, if anything was.
func (d *decoder) end() error {
	if d.bad == "" && len(d.rest) > 0 {
		d.fail("bytes left over")
	}
	if d.bad != "" {
		return fmt.Errorf("%w: %s, %d bytes before the end", ErrCorrupt, d.bad, len(d.rest))
	}
	return nil
}

type decoder struct {
	rest   []byte
	assets []ledger.Asset
	bad    string // the first thing wrong; everything after it reads as zero
}

func (d *decoder) fail(reason string) {
	if d.bad == "" {
		d.bad = reason
	}
}

func (d *decoder) number() uint64 {
	n, size := binary.Uvarint(d.rest)
	if size <= 0 || d.bad != "" {
		d.fail("broken number")
		return 0
	}
	d.rest = d.rest[size:]
	return n
}

func (d *decoder) signed() int64 {
	n, size := binary.Varint(d.rest)
	if size <= 0 || d.bad != "" {
		d.fail("broken number")
		return 0
	}
	d.rest = d.rest[size:]
	return n
}

// small reads a number that must not exceed most.
func (d *decoder) small(most uint64) uint64 {
	n := d.number()
	if n > most {
		d.fail("number out of range")
		return 0
	}
	return n
}

// count reads the length of a list whose items take at least size bytes each, so
// that a hostile length cannot reserve more memory than the input pays for.
func (d *decoder) count(size int) int {
	n := d.number()
	if n > uint64(len(d.rest)/size) {
		d.fail("list longer than its bytes")
		return 0
	}
	return int(n)
}

func (d *decoder) bytes(n int) []byte {
	if n > len(d.rest) || d.bad != "" {
		d.fail("cut short")
		return nil
	}
	out := d.rest[:n]
	d.rest = d.rest[n:]
	return out
}

func (d *decoder) hash() (h ledger.Hash) {
	copy(h[:], d.bytes(len(h)))
	return h
}

func (d *decoder) byte() byte {
	if one := d.bytes(1); one != nil {
		return one[0]
	}
	return 0
}

func (d *decoder) address() ledger.Address {
	kind := ledger.AddressKind(d.byte())
	if kind == ledger.NoAddress {
		return ledger.Address{}
	}
	if size := d.byte(); kind <= ledger.Named && size <= 32 {
		return ledger.NewAddress(kind, d.bytes(int(size)))
	}
	d.fail("address out of range")
	return ledger.Address{}
}

func (d *decoder) asset() ledger.Asset {
	if n := d.number(); n > 0 {
		if n > uint64(len(d.assets)) {
			d.fail("asset out of range")
			return ""
		}
		return d.assets[n-1]
	}
	asset := ledger.Asset(d.bytes(d.count(1)))
	d.assets = append(d.assets, asset)
	return asset
}

func (d *decoder) amount() (a ledger.Amount) {
	size := d.byte()
	if size > 32 {
		d.fail("amount out of range")
		return a
	}
	a.SetBytes(d.bytes(int(size)))
	return a
}

func (d *decoder) index() uint32 {
	return uint32(d.small(math.MaxUint32))
}

func (d *decoder) tx(tx *ledger.Tx) {
	tx.ID, tx.Index = d.hash(), d.index()
	flags := d.small(allFlags)
	tx.Coinbase, tx.Failed = flags&flagCoinbase != 0, flags&flagFailed != 0
	tx.Approximate, tx.External, tx.Open = flags&flagApproximate != 0, flags&flagExternal != 0, flags&flagOpen != 0
	if n := d.count(33); n > 0 {
		tx.Inputs = make([]ledger.Outpoint, n)
		for i := range tx.Inputs {
			tx.Inputs[i] = ledger.Outpoint{Tx: d.hash(), Index: d.index()}
		}
	}
	if n := d.count(3); n > 0 {
		tx.Outputs = make([]ledger.Output, n)
		for i := range tx.Outputs {
			tx.Outputs[i] = ledger.Output{Value: d.number(), Address: d.address(), Unspendable: d.byte() == 1}
		}
	}
	if n := d.count(6); n > 0 {
		tx.Transfers = make([]ledger.Transfer, n)
		for i := range tx.Transfers {
			d.transfer(&tx.Transfers[i])
		}
	}
	tx.Fee = ledger.Fee{Payer: d.address(), Burned: d.amount(), Tip: d.amount(), Producer: d.address()}
	if n := d.count(4); n > 0 {
		tx.Freezes = make([]ledger.Freeze, n)
		for i := range tx.Freezes {
			tx.Freezes[i] = ledger.Freeze{Holder: d.address(), Asset: d.asset(), Lifted: d.byte() == 1, After: uint32(d.small(uint64(len(tx.Transfers))))}
		}
	}
	if n := d.count(4); n > 0 {
		tx.Messages = make([]ledger.Message, n)
		for i := range tx.Messages {
			tx.Messages[i] = ledger.Message{Kind: ledger.MessageKind(d.small(uint64(ledger.Creation))), Contract: d.address(), Position: d.index()}
			tx.Messages[i].Data = append([]byte(nil), d.bytes(d.count(1))...)
		}
	}
}

func (d *decoder) transfer(t *ledger.Transfer) {
	t.From, t.To, t.Asset, t.Amount = d.address(), d.address(), d.asset(), d.amount()
	log := d.signed()
	if log < ledger.NoLog || log > math.MaxInt32 {
		d.fail("log index out of range")
	}
	t.LogIndex = int32(log)
	t.Kind = ledger.TransferKind(d.small(uint64(ledger.Shares)))
}
