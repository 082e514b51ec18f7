package embedded

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/klauspost/compress/zstd"

	"coldtrail/ledger"
	"coldtrail/store"
)

// A group is a run of transactions of a UTXO chain as columns: the record from
// which every index can be built again. Its layout, all numbers unsigned varints
// unless said otherwise:
//
//	count of transactions, of inputs, of outputs
//	32 bytes a transaction: its identifier
//	a transaction: inputs, outputs
//	an input: first output number of its transaction less the number it spends, or
//	          0 and 36 bytes for an outpoint whose parent is unknown
//	an output: value
//	an output: 1 byte of kind, bit 7 for unspendable, and the address
//	count of messages; a message: transaction, kind, output, length, bytes
//
// A message of the kind openMark says of its transaction that it is open.
type group struct {
	firstTx     uint64
	firstOutput uint64
	ids         []byte
	inputs      []uint32 // count for each transaction
	outputs     []uint32
	refs        []uint32 // noRef where the parent is unknown
	unknown     map[int]ledger.Outpoint
	values      []uint64
	addresses   []ledger.Address
	barred      []bool // unspendable
	messages    map[int][]ledger.Message
	open        map[int]bool // transactions whose signatures let others add inputs
}

// The compressors of groups. Both are safe for concurrent use; what a hostile
// record may grow to is bounded.
var (
	groupEncoder = must(zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1)))
	groupDecoder = must(zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(256<<20)))
)

func must[T any](value T, err error) T {
	if err != nil {
		panic(err) // the options are constants
	}
	return value
}

// noRef marks an input whose parent is unknown.
const noRef = math.MaxUint32

// addressSize is the payload of a kind of address; 0 where it varies.
var addressSize = [...]int{
	ledger.NoAddress: 0, ledger.P2PKH: 20, ledger.P2SH: 20, ledger.P2WPKH: 20, ledger.P2WSH: 32, ledger.P2TR: 32, ledger.Script: 32,
	ledger.EVMAccount: 20, ledger.Named: 0,
}

const barredBit = 0x80

// openMark is a message that nobody wrote: its transaction is ledger.Tx.Open. Records
// from before there were such marks have none and are read as they are; programs of
// that time refuse a record that has one.
const openMark = 0xff

// groupWriter builds a group.
type groupWriter struct {
	firstTx, firstOutput    uint64
	txs, inputs, outputs    uint64
	ids, counts, refs       []byte
	values, addresses, data []byte
	messages                uint64
}

func (g *groupWriter) reset(firstTx, firstOutput uint64) {
	*g = groupWriter{
		firstTx: firstTx, firstOutput: firstOutput, ids: g.ids[:0], counts: g.counts[:0], refs: g.refs[:0],
		values: g.values[:0], addresses: g.addresses[:0], data: g.data[:0],
	}
}

// add appends a transaction whose inputs are resolved to refs.
func (g *groupWriter) add(tx *ledger.Tx, refs []uint32) {
	base := g.firstOutput + g.outputs
	g.ids = append(g.ids, tx.ID[:]...)
	g.counts = binary.AppendUvarint(g.counts, uint64(len(refs)))
	g.counts = binary.AppendUvarint(g.counts, uint64(len(tx.Outputs)))
	for i, ref := range refs {
		if ref == noRef {
			g.refs = append(g.refs, 0)
			g.refs = append(g.refs, tx.Inputs[i].Tx[:]...)
			g.refs = binary.LittleEndian.AppendUint32(g.refs, tx.Inputs[i].Index)
			continue
		}
		g.refs = binary.AppendUvarint(g.refs, base-uint64(ref))
	}
	for i := range tx.Outputs {
		o := &tx.Outputs[i]
		g.values = binary.AppendUvarint(g.values, o.Value)
		kind := byte(o.Address.Kind)
		if o.Unspendable {
			kind |= barredBit
		}
		g.addresses = append(g.addresses, kind)
		if o.Address.Kind == ledger.Named {
			g.addresses = append(g.addresses, o.Address.Size)
		}
		g.addresses = append(g.addresses, o.Address.Bytes()...)
	}
	for i := range tx.Messages {
		m := &tx.Messages[i]
		g.message(uint64(m.Kind), m.Position, m.Data)
	}
	if tx.Open {
		g.message(openMark, 0, nil)
	}
	g.txs++
	g.inputs += uint64(len(refs))
	g.outputs += uint64(len(tx.Outputs))
}

// message appends a message of the transaction that is being added.
func (g *groupWriter) message(kind uint64, position uint32, data []byte) {
	for _, n := range []uint64{g.txs, kind, uint64(position), uint64(len(data))} {
		g.data = binary.AppendUvarint(g.data, n)
	}
	g.data = append(g.data, data...)
	g.messages++
}

// bytes is the encoded group, compressed: identifiers do not shrink, but owners
// repeat.
func (g *groupWriter) bytes() []byte { return groupEncoder.EncodeAll(g.plain(), nil) }

func (g *groupWriter) plain() (dst []byte) {
	for _, n := range []uint64{g.firstOutput, g.txs, g.inputs, g.outputs} {
		dst = binary.AppendUvarint(dst, n)
	}
	for _, column := range [][]byte{g.ids, g.counts, g.refs, g.values, g.addresses} {
		dst = append(dst, column...)
	}
	return append(binary.AppendUvarint(dst, g.messages), g.data...)
}

// reader reads a group; the first thing wrong stays.
type reader struct {
	rest []byte
	bad  bool
}

func (r *reader) number() uint64 {
	n, size := binary.Uvarint(r.rest)
	if size <= 0 || r.bad {
		r.bad = true
		return 0
	}
	r.rest = r.rest[size:]
	return n
}

func (r *reader) take(n uint64) []byte {
	if n > uint64(len(r.rest)) || r.bad {
		r.bad = true
		return nil
	}
	out := r.rest[:n]
	r.rest = r.rest[n:]
	return out
}

// decodeGroup reads a group. The result keeps no reference to raw.
func decodeGroup(firstTx uint64, packed []byte) (*group, error) {
	raw, err := groupDecoder.DecodeAll(packed, nil)
	if err != nil {
		return nil, fmt.Errorf("%w: group of transaction %d: %w", store.ErrCorrupt, firstTx, err)
	}
	r := reader{rest: raw}
	g := &group{firstTx: firstTx, firstOutput: r.number(), unknown: map[int]ledger.Outpoint{}, messages: map[int][]ledger.Message{}, open: map[int]bool{}}
	txs, inputs, outputs := r.number(), r.number(), r.number()
	size := uint64(len(raw))
	if r.bad || txs > size/32 || inputs > size || outputs > size || g.firstOutput > math.MaxUint32 {
		return nil, fmt.Errorf("%w: group of transaction %d has impossible counts", store.ErrCorrupt, firstTx)
	}
	g.ids = append([]byte(nil), r.take(txs*32)...)
	g.inputs, g.outputs = make([]uint32, txs), make([]uint32, txs)
	var sumIn, sumOut uint64
	for i := range g.inputs {
		in, out := r.number(), r.number()
		if sumIn, sumOut = sumIn+in, sumOut+out; in > inputs || out > outputs || sumIn > inputs || sumOut > outputs {
			r.bad = true
			break
		}
		g.inputs[i], g.outputs[i] = uint32(in), uint32(out)
	}
	if r.bad || sumIn != inputs || sumOut != outputs {
		return nil, fmt.Errorf("%w: group of transaction %d has counts that do not add up", store.ErrCorrupt, firstTx)
	}
	g.readRefs(&r, inputs)
	g.values = make([]uint64, outputs)
	for i := range g.values {
		g.values[i] = r.number()
	}
	g.readAddresses(&r, outputs)
	g.readMessages(&r, txs)
	if r.bad || len(r.rest) > 0 {
		return nil, fmt.Errorf("%w: group of transaction %d breaks off %d bytes before its end", store.ErrCorrupt, firstTx, len(r.rest))
	}
	return g, nil
}

func (g *group) readRefs(r *reader, inputs uint64) {
	g.refs = make([]uint32, 0, inputs)
	base := g.firstOutput
	for i, n := range g.inputs {
		for range n {
			distance := r.number()
			switch {
			case distance > base:
				r.bad = true
				return
			case distance > 0:
				g.refs = append(g.refs, uint32(base-distance))
				continue
			}
			outpoint := r.take(36)
			if outpoint == nil {
				return
			}
			g.unknown[len(g.refs)] = ledger.Outpoint{Tx: ledger.Hash(outpoint[:32]), Index: binary.LittleEndian.Uint32(outpoint[32:])}
			g.refs = append(g.refs, noRef)
		}
		base += uint64(g.outputs[i])
	}
}

func (g *group) readAddresses(r *reader, outputs uint64) {
	g.addresses, g.barred = make([]ledger.Address, outputs), make([]bool, outputs)
	for i := range g.addresses {
		head := r.take(1)
		if head == nil {
			return
		}
		kind := ledger.AddressKind(head[0] &^ barredBit)
		g.barred[i] = head[0]&barredBit != 0
		if kind > ledger.Named {
			r.bad = true
			return
		}
		size := uint64(addressSize[kind])
		if kind == ledger.Named {
			if size = r.number(); size > 32 {
				r.bad = true
				return
			}
		}
		if kind != ledger.NoAddress {
			g.addresses[i] = ledger.NewAddress(kind, r.take(size))
		}
	}
}

func (g *group) readMessages(r *reader, txs uint64) {
	for n := r.number(); n > 0 && !r.bad; n-- {
		tx, kind, output, size := r.number(), r.number(), r.number(), r.number()
		if tx < txs && kind == openMark && output == 0 && size == 0 && !r.bad {
			g.open[int(tx)] = true
			continue
		}
		if tx >= txs || kind > uint64(ledger.Creation) || output > math.MaxUint32 {
			r.bad = true
			return
		}
		m := ledger.Message{Kind: ledger.MessageKind(kind), Position: uint32(output), Data: append([]byte(nil), r.take(size)...)}
		g.messages[int(tx)] = append(g.messages[int(tx)], m)
	}
}

// each calls visit for every transaction with its resolved inputs.
func (g *group) each(visit func(tx *ledger.Tx, refs []uint32) error) error {
	in, out := 0, 0
	for i := range g.inputs {
		tx := ledger.Tx{ID: ledger.Hash(g.ids[32*i : 32*i+32]), Coinbase: g.inputs[i] == 0, Messages: g.messages[i], Open: g.open[i]}
		refs := g.refs[in : in+int(g.inputs[i])]
		for j := range refs {
			tx.Inputs = append(tx.Inputs, g.unknown[in+j])
		}
		for j := range int(g.outputs[i]) {
			tx.Outputs = append(tx.Outputs, ledger.Output{Value: g.values[out+j], Address: g.addresses[out+j], Unspendable: g.barred[out+j]})
		}
		if err := visit(&tx, refs); err != nil {
			return err
		}
		in, out = in+len(refs), out+len(tx.Outputs)
	}
	return nil
}
