// Package bitcoin turns raw Bitcoin blocks into ledger blocks and proves them:
// transaction identifiers, merkle root, proof of work and the form of every byte
// are recomputed, so that what it yields rests on nobody's word.
//
// The parser reads a block in place and allocates by block, not by transaction,
// because whole chains go through it. It knows no file and no node. Blocks are
// hostile input: whatever is wrong is a DecodeError that says where.
package bitcoin

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"

	"coldtrail/ledger"
)

// Proof says how much of a block is checked.
type Proof uint8

// The choices.
const (
	// WithWork requires valid proof of work; what is decoded is ledger.Proven.
	WithWork Proof = iota
	// WithoutWork accepts blocks of test chains without work; they are ledger.File.
	// Merkle roots are still checked.
	WithoutWork
)

// A DecodeError says where a block breaks the protocol's rules.
type DecodeError struct {
	Offset int // bytes from the start of the block
	Reason string
}

// Error is "byte N: reason".
func (e *DecodeError) Error() string { return fmt.Sprintf("byte %d: %s", e.Offset, e.Reason) }

// maxMoney is the most satoshi that can exist (21 million bitcoin).
const maxMoney = 21_000_000 * 100_000_000

// Subsidy is the block reward at a height in satoshi: 50 bitcoin, halved every
// 210,000 blocks.
func Subsidy(height ledger.Height) uint64 {
	halvings := uint64(height) / 210_000
	if halvings >= 64 {
		return 0
	}
	return 5_000_000_000 >> halvings
}

// Decode reads a whole serialized block at a height and checks it. The parent
// link is for the caller, who knows the chain. The block keeps no reference to raw.
func Decode(raw []byte, height ledger.Height, network *Network, proof Proof) (*ledger.Block, error) {
	header, err := DecodeHeader(raw)
	if err != nil {
		return nil, err
	}
	if proof == WithWork {
		if err := header.CheckWork(network); err != nil {
			return nil, err
		}
	}
	d := decoder{raw: raw, at: HeaderSize}
	b := &ledger.Block{Chain: network.Chain, Height: height, Hash: header.Hash, Parent: header.Parent, Time: int64(header.Time), Provenance: ledger.Proven}
	if proof == WithoutWork {
		b.Provenance = ledger.File
	}
	if b.Txs, err = d.transactions(); err != nil {
		return nil, err
	}
	if root := d.merkleRoot(); root != header.merkle {
		return nil, &DecodeError{Offset: 36, Reason: "merkle root does not match the transactions"}
	}
	if height == 0 {
		for i := range b.Txs[0].Outputs { // the genesis coinbase was never in the database of coins
			b.Txs[0].Outputs[i].Unspendable = true
		}
	}
	return b, nil
}

// HeightOf is the height a block's coinbase states (BIP-34). It is absent in
// blocks before version 2, which need a known parent instead.
func HeightOf(raw []byte) (ledger.Height, bool) {
	d := decoder{raw: raw, at: HeaderSize}
	if len(raw) < HeaderSize || binary.LittleEndian.Uint32(raw) < 2 {
		return 0, false
	}
	d.count(60)
	d.skip(4)
	if d.at+2 <= len(raw) && raw[d.at] == 0 && raw[d.at+1] == 1 {
		d.skip(2)
	}
	if d.count(41) != 1 {
		return 0, false
	}
	d.skip(36)
	script := d.bytes(d.count(1))
	if d.bad != nil || len(script) < 1 {
		return 0, false
	}
	size := int(script[0])
	if size >= 0x51 && size <= 0x60 { // OP_1 to OP_16
		return ledger.Height(size - 0x50), true
	}
	if size == 0 || size > 5 || len(script) < 1+size {
		return 0, false
	}
	var height uint64
	for i := size; i > 0; i-- {
		height = height<<8 | uint64(script[i])
	}
	return ledger.Height(height), true
}

// decoder reads a block in place. The first error stays; everything read after it
// is zero.
type decoder struct {
	raw     []byte
	at      int
	bad     error
	ids     [][32]byte // of the transactions, in wire order
	inputs  []ledger.Outpoint
	outputs []ledger.Output
	scratch []byte
}

func (d *decoder) fail(reason string) {
	if d.bad == nil {
		d.bad = &DecodeError{Offset: d.at, Reason: reason}
	}
}

func (d *decoder) skip(n int) {
	if n > len(d.raw)-d.at {
		d.fail("block ends early")
		d.at = len(d.raw)
		return
	}
	d.at += n
}

func (d *decoder) bytes(n int) []byte {
	from := d.at
	d.skip(n)
	if d.bad != nil {
		return nil
	}
	return d.raw[from:d.at]
}

func (d *decoder) uint64() uint64 {
	if b := d.bytes(8); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

// count reads a compact size of a list whose items take at least size bytes, so
// that a hostile length cannot reserve more memory than the input pays for.
func (d *decoder) count(size int) int {
	if d.at >= len(d.raw) {
		d.fail("block ends early")
		return 0
	}
	n := uint64(d.raw[d.at])
	d.at++
	if n >= 0xfd {
		n = d.wide(n)
	}
	if n > uint64((len(d.raw)-d.at)/size) {
		d.fail("list longer than its bytes")
		return 0
	}
	return int(n)
}

// wide reads the rest of a compact size; a longer form than needed is an error,
// because it would give the same transaction two encodings.
func (d *decoder) wide(prefix uint64) (n uint64) {
	var least uint64
	switch prefix {
	case 0xfd:
		if b := d.bytes(2); b != nil {
			n, least = uint64(binary.LittleEndian.Uint16(b)), 0xfd
		}
	case 0xfe:
		if b := d.bytes(4); b != nil {
			n, least = uint64(binary.LittleEndian.Uint32(b)), math.MaxUint16+1
		}
	default:
		n, least = d.uint64(), math.MaxUint32+1
	}
	if n < least {
		d.fail("compact size is not in its shortest form")
	}
	return n
}

// span is where a transaction's inputs and outputs stand in the block's slabs.
type span struct{ in, out int }

// transactions reads all transactions to the last byte.
func (d *decoder) transactions() ([]ledger.Tx, error) {
	n := d.count(60)
	if n == 0 {
		d.fail("block without transactions")
	}
	if d.bad != nil {
		return nil, d.bad
	}
	txs := make([]ledger.Tx, n)
	spans := make([]span, n+1)
	d.ids = make([][32]byte, n)
	d.inputs = make([]ledger.Outpoint, 0, 3*n)
	d.outputs = make([]ledger.Output, 0, 3*n)
	for i := range txs {
		tx := &txs[i]
		tx.Index = uint32(i)
		d.transaction(tx, i)
		spans[i+1] = span{len(d.inputs), len(d.outputs)}
		if d.bad != nil {
			return nil, d.bad
		}
	}
	if d.at != len(d.raw) {
		d.fail("bytes left over after the last transaction")
		return nil, d.bad
	}
	for i := range txs {
		a, b := spans[i], spans[i+1]
		txs[i].Inputs, txs[i].Outputs = d.inputs[a.in:b.in:b.in], d.outputs[a.out:b.out:b.out]
		if txs[i].Coinbase {
			txs[i].Inputs = nil
		}
	}
	return txs, nil
}

// transaction reads one transaction and computes its identifier, which leaves
// witnesses out (BIP-141).
func (d *decoder) transaction(tx *ledger.Tx, index int) {
	start := d.at
	d.skip(4)
	segwit := d.at+2 <= len(d.raw) && d.raw[d.at] == 0 && d.raw[d.at+1] == 1
	if segwit {
		d.skip(2)
	}
	body := d.at
	inputs := d.readInputs(tx, index)
	d.readOutputs(tx)
	end := d.at
	if segwit {
		d.readWitnesses(tx, inputs)
	}
	d.skip(4)
	if d.bad != nil {
		return
	}
	plain := d.raw[start:d.at]
	if segwit {
		d.scratch = append(d.scratch[:0], d.raw[start:start+4]...)
		d.scratch = append(d.scratch, d.raw[body:end]...)
		d.scratch = append(d.scratch, d.raw[d.at-4:d.at]...)
		plain = d.scratch
	}
	d.ids[index] = doubleHash(plain)
	tx.ID = reversed(&d.ids[index])
}

func (d *decoder) readInputs(tx *ledger.Tx, index int) int {
	n := d.count(41)
	if n == 0 {
		d.fail("transaction without inputs")
	}
	for range n {
		outpoint := d.bytes(36)
		if outpoint == nil {
			return n
		}
		in := ledger.Outpoint{Tx: reversed((*[32]byte)(outpoint)), Index: binary.LittleEndian.Uint32(outpoint[32:])}
		null := in.Tx.IsZero() && in.Index == math.MaxUint32
		switch {
		case null && index == 0 && n == 1:
			tx.Coinbase = true
		case null:
			d.fail("null input outside a coinbase")
		case index == 0:
			d.fail("first transaction is not a coinbase")
		}
		d.inputs = append(d.inputs, in)
		script := d.bytes(d.count(1))
		tx.Open = tx.Open || len(script) > 0 && !null && AnyoneCanPay(script)
		d.skip(4)
	}
	return n
}

func (d *decoder) readOutputs(tx *ledger.Tx) {
	n := d.count(9)
	if n == 0 {
		d.fail("transaction without outputs")
	}
	var total uint64
	for i := range n {
		value := d.uint64()
		script := d.bytes(d.count(1))
		if total += value; value > maxMoney || total > maxMoney {
			d.fail("output value out of range")
		}
		if d.bad != nil {
			return
		}
		address, class := Classify(script)
		d.outputs = append(d.outputs, ledger.Output{Value: value, Address: address, Unspendable: class == NullData || class == Oversized})
		if class == NullData {
			data := append([]byte(nil), script[1:]...)
			tx.Messages = append(tx.Messages, ledger.Message{Kind: ledger.OpReturn, Position: uint32(i), Data: data})
		}
	}
}

// readWitnesses looks for signatures that let others add inputs.
func (d *decoder) readWitnesses(tx *ledger.Tx, inputs int) {
	some := false
	for range inputs {
		items := d.count(1)
		some = some || items > 0
		w := witness{items: items}
		from := d.at
		for range items {
			w.next, w.last = w.last, d.bytes(d.count(1))
			tx.Open = tx.Open || opensDER(w.last)
		}
		if d.bad != nil {
			return
		}
		if signatures := w.signatures(); signatures > 0 && !tx.Open {
			tx.Open = d.opensSchnorr(from, signatures)
		}
	}
	tx.Open = tx.Open && !tx.Coinbase
	if !some {
		d.fail("witness marker without witnesses")
	}
}

// opensSchnorr looks through the first items of a witness that has been read.
func (d *decoder) opensSchnorr(from, items int) bool {
	again := decoder{raw: d.raw, at: from}
	for range items {
		if opensSchnorr(again.bytes(again.count(1))) {
			return true
		}
	}
	return false
}

func (d *decoder) merkleRoot() [32]byte { return merkleRoot(d.ids) }

// MerkleRoot computes the root that a block's header must have over transactions.
// It is zero, which no header has, where a transaction stands twice side by side.
func MerkleRoot(ids []ledger.Hash) ledger.Hash {
	if len(ids) == 0 {
		return ledger.Hash{}
	}
	wire := make([][32]byte, len(ids))
	for i := range ids {
		wire[i] = reversed((*[32]byte)(&ids[i]))
	}
	root := merkleRoot(wire)
	return reversed(&root)
}

// merkleRoot computes the root over identifiers in wire order, using their memory.
// A list whose tail repeats gives the same root as the shorter list
// (CVE-2012-2459); it has two equal identifiers side by side and gets a zero root.
func merkleRoot(level [][32]byte) [32]byte {
	var pair [64]byte
	for len(level) > 1 {
		next := level[:0]
		for i := 0; i < len(level); i += 2 {
			right := i
			if i+1 < len(level) {
				if right = i + 1; level[i] == level[right] {
					return [32]byte{}
				}
			}
			copy(pair[:32], level[i][:])
			copy(pair[32:], level[right][:])
			next = append(next, doubleHash(pair[:]))
		}
		level = next
	}
	return level[0]
}

func doubleHash(data []byte) [32]byte {
	once := sha256.Sum256(data)
	return sha256.Sum256(once[:])
}

// reversed turns a hash of the wire into the order people print.
func reversed(wire *[32]byte) (h ledger.Hash) {
	for i := 0; i < 32; i += 8 {
		binary.BigEndian.PutUint64(h[i:], binary.LittleEndian.Uint64(wire[24-i:]))
	}
	return h
}
