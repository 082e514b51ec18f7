package embedded

import (
	"errors"
	"fmt"
	"os"

	"github.com/zeebo/xxh3"

	"coldtrail/internal/mapped"
	"coldtrail/ledger"
)

// index is every look-up of a UTXO chain, in mapped files beside the record: it is
// derived from the record and can be deleted at any time.
//
// Each array grows at its end only, and every number in it that points beyond what
// the record holds means nothing. So an ingest that is killed leaves an index that
// is mended by dropping such numbers; only a crash of the machine, after which the
// files may be torn, makes it be built again.
type index struct {
	folder   string
	seed     uint64
	state    *mapped.Array[uint64]
	firstIn  *mapped.Array[uint32] // a transaction: its first input; one more closes the last
	firstOut *mapped.Array[uint32]
	refs     *mapped.Array[uint32] // an input: the output it spends, or noRef
	values   *mapped.Array[uint64] // an output: satoshi
	spender  *mapped.Array[uint32] // an output: see the words below
	prev     *mapped.Array[uint32] // an output: 1 + the address's output before it, or 0
	kinds    *mapped.Array[uint8]  // an output: the kind of its address, and openBit
	ids      *table                // transaction identifier -> number
	heads    *table                // address -> its newest output
	counts   counts
}

// counts is how much of a chain there is.
type counts struct{ txs, inputs, outputs uint64 }

// The words of index.spender: 0 is unspent, 1 + N spent by transaction N.
const (
	unspent         = 0
	wordUnspendable = 1<<32 - 1
	wordOverwritten = 1<<32 - 2
	most            = 1<<32 - 16 // transactions and outputs that the words can number
)

// ErrFull says that a chain has more outputs than this format can number.
var errFull = errors.New("the chain has more than 4,294,967,280 outputs; this store's format ends there")

// The words of index.state.
const (
	stateVersion = iota
	stateOpen    // 1 while a process may be writing
	stateBoot    // which run of the machine that was; two words
	_
	stateTxs // what the index holds when it was closed
	stateContent
	_
	_
	_
	stateWords
)

// openBit, in the kind of a transaction's first output, says that the transaction is
// ledger.Tx.Open. Every transaction of a UTXO chain has an output.
const openBit = 0x80

// indexVersion 3 has openBit. Version 2 was made from records that know of no open
// transaction, and is right as it is.
const (
	indexVersion = 3
	withoutMarks = 2
)

func openIndex(folder string, seed uint64) (ix *index, err error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, err
	}
	ix = &index{folder: folder, seed: seed}
	defer func() {
		if err != nil {
			err = errors.Join(err, ix.unmap())
			ix = nil
		}
	}()
	if ix.state, err = mapped.Open[uint64](folder, "state"); err == nil {
		err = ix.state.Grow(stateWords)
	}
	for name, c := range map[string]**mapped.Array[uint32]{"first-input": &ix.firstIn, "first-output": &ix.firstOut, "refs": &ix.refs, "spender": &ix.spender, "previous": &ix.prev} {
		if err == nil {
			*c, err = mapped.Open[uint32](folder, name)
		}
	}
	if err == nil {
		ix.values, err = mapped.Open[uint64](folder, "values")
	}
	if err == nil {
		ix.kinds, err = mapped.Open[uint8](folder, "kinds")
	}
	if err == nil {
		ix.ids, err = openTable(folder, "ids")
	}
	if err == nil {
		ix.heads, err = openTable(folder, "addresses")
	}
	return ix, err
}

// usable says whether the index can serve a record with these counts and content,
// and mends what a killed process left. What is not usable is built again.
func (ix *index) usable(record counts, content ledger.Hash) bool {
	s := ix.state.Data
	if s[stateVersion] != indexVersion && s[stateVersion] != withoutMarks || ix.firstIn.Room <= record.txs || ix.refs.Room < record.inputs || ix.values.Room < record.outputs || ix.spender.Room < record.outputs || ix.prev.Room < record.outputs || ix.kinds.Room < record.outputs {
		return false
	}
	if s[stateOpen] == 0 {
		if s[stateTxs] != record.txs || content != ix.content() {
			return false
		}
		ix.counts = record
		return true
	}
	boot := mapped.BootID()
	if boot == [2]uint64{} || boot != [2]uint64{s[stateBoot], s[stateBoot+1]} {
		return false
	}
	if uint64(ix.firstIn.Data[record.txs]) != record.inputs || uint64(ix.firstOut.Data[record.txs]) != record.outputs {
		return false
	}
	ix.cut(record)
	return true
}

func (ix *index) content() (h ledger.Hash) {
	for i := range 4 {
		for j := range 8 {
			h[8*i+j] = byte(ix.state.Data[stateContent+i] >> (8 * j))
		}
	}
	return h
}

// begin marks the index as being written.
func (ix *index) begin() {
	s := ix.state.Data
	s[stateVersion], s[stateOpen] = indexVersion, 1
	boot := mapped.BootID()
	s[stateBoot], s[stateBoot+1] = boot[0], boot[1]
}

func (ix *index) hashID(id *ledger.Hash) hash {
	h := xxh3.Hash128Seed(id[:], ix.seed)
	return hash{h.Lo, uint16(h.Hi)}
}

func (ix *index) hashAddress(a *ledger.Address) hash {
	var text [33]byte
	text[0] = byte(a.Kind)
	n := 1 + copy(text[1:], a.Bytes())
	h := xxh3.Hash128Seed(text[:n], ix.seed)
	return hash{h.Lo, uint16(h.Hi)}
}

// reserve makes room for a transaction.
func (ix *index) reserve(inputs, outputs int) error {
	c := counts{ix.counts.txs + 1, ix.counts.inputs + uint64(inputs), ix.counts.outputs + uint64(outputs)}
	if c.txs > most || c.inputs > most || c.outputs > most {
		return errFull
	}
	return errors.Join(
		ix.firstIn.Grow(c.txs+1), ix.firstOut.Grow(c.txs+1), ix.refs.Grow(c.inputs), ix.values.Grow(c.outputs),
		ix.spender.Grow(c.outputs), ix.prev.Grow(c.outputs), ix.kinds.Grow(c.outputs),
	)
}

// add appends a transaction with resolved inputs.
func (ix *index) add(tx *ledger.Tx, refs []uint32) error {
	if err := ix.reserve(len(refs), len(tx.Outputs)); err != nil {
		return err
	}
	c := &ix.counts
	number := uint32(c.txs)
	copy(ix.refs.Data[c.inputs:], refs)
	for _, ref := range refs {
		if ref != noRef {
			ix.spender.Data[ref] = number + 1
		}
	}
	for i := range tx.Outputs {
		o := &tx.Outputs[i]
		at := c.outputs + uint64(i)
		ix.values.Data[at] = o.Value
		ix.spender.Data[at] = unspent
		if o.Unspendable {
			ix.spender.Data[at] = wordUnspendable
		}
		ix.prev.Data[at] = 0
		ix.kinds.Data[at] = uint8(o.Address.Kind)
		if tx.Open && i == 0 {
			ix.kinds.Data[at] |= openBit
		}
		if o.Address.IsZero() {
			continue
		}
		h := ix.hashAddress(&o.Address)
		if before, ok := ix.heads.get(h); ok {
			ix.prev.Data[at] = before + 1
		}
		if err := ix.heads.put(h, uint32(at)); err != nil {
			return err
		}
	}
	if err := ix.ids.put(ix.hashID(&tx.ID), number); err != nil {
		return err
	}
	c.txs++
	c.inputs += uint64(len(refs))
	c.outputs += uint64(len(tx.Outputs))
	ix.firstIn.Data[c.txs], ix.firstOut.Data[c.txs] = uint32(c.inputs), uint32(c.outputs)
	return nil
}

// cut drops everything beyond the counts. Transactions whose identifier an
// earlier one has too (BIP-30) are put right by the caller.
func (ix *index) cut(to counts) {
	for _, ref := range ix.refs.Data[to.inputs:ix.refs.Room] {
		if uint64(ref) < to.outputs && uint64(ix.spender.Data[ref]) > to.txs && ix.spender.Data[ref] < most {
			ix.spender.Data[ref] = unspent
		}
	}
	for slot := uint64(0); slot < ix.ids.count; slot++ {
		if word := ix.ids.number(slot); word != emptySlot && word != deadSlot && uint64(word-1) >= to.txs {
			ix.ids.write(slot, ix.ids.tag(slot), deadSlot)
		}
	}
	for slot := uint64(0); slot < ix.heads.count; slot++ {
		word := ix.heads.number(slot)
		if word == emptySlot || word == deadSlot || uint64(word-1) < to.outputs {
			continue
		}
		for word != 0 && uint64(word-1) >= to.outputs {
			word = ix.prev.Data[word-1]
		}
		if word == 0 {
			word = deadSlot
		}
		ix.heads.write(slot, ix.heads.tag(slot), word)
	}
	ix.counts = to
}

// close writes the index to disk and marks it as whole.
func (ix *index) close(content ledger.Hash) error {
	c := ix.counts
	err := errors.Join(
		ix.firstIn.Trim(c.txs+1), ix.firstOut.Trim(c.txs+1), ix.refs.Trim(c.inputs), ix.values.Trim(c.outputs), ix.spender.Trim(c.outputs),
		ix.prev.Trim(c.outputs), ix.kinds.Trim(c.outputs), ix.ids.sync(), ix.heads.sync(),
	)
	if err == nil {
		s := ix.state.Data
		s[stateTxs] = c.txs
		for i := range 4 {
			s[stateContent+i] = 0
			for j := range 8 {
				s[stateContent+i] |= uint64(content[8*i+j]) << (8 * j)
			}
		}
		s[stateOpen] = 0
		err = ix.state.Trim(stateWords)
	}
	return errors.Join(err, ix.unmap())
}

func (ix *index) unmap() error {
	var errs []error
	for _, c := range []*mapped.Array[uint32]{ix.firstIn, ix.firstOut, ix.refs, ix.spender, ix.prev} {
		if c != nil {
			errs = append(errs, c.Close())
		}
	}
	for _, c := range []*mapped.Array[uint64]{ix.state, ix.values} {
		if c != nil {
			errs = append(errs, c.Close())
		}
	}
	if ix.kinds != nil {
		errs = append(errs, ix.kinds.Close())
	}
	for _, t := range []*table{ix.ids, ix.heads} {
		if t != nil && t.file != nil {
			errs = append(errs, t.close())
		}
	}
	return errors.Join(errs...)
}

// release lets the kernel count the index's pages as cache of its own.
func (ix *index) release() error {
	return errors.Join(
		ix.firstIn.Release(), ix.firstOut.Release(), ix.refs.Release(), ix.values.Release(), ix.spender.Release(), ix.prev.Release(), ix.kinds.Release(),
		ix.ids.release(), ix.heads.release(),
	)
}

// resolve finds the output that an outpoint names; noRef where it is not held.
func (ix *index) resolve(outpoint *ledger.Outpoint) uint32 {
	number, ok := ix.ids.get(ix.hashID(&outpoint.Tx))
	if !ok {
		return noRef
	}
	first, end := ix.firstOut.Data[number], ix.firstOut.Data[number+1]
	if outpoint.Index >= end-first {
		return noRef
	}
	return first + outpoint.Index
}

func (ix *index) String() string {
	return fmt.Sprintf("%s: %d transactions, %d inputs, %d outputs", ix.folder, ix.counts.txs, ix.counts.inputs, ix.counts.outputs)
}
