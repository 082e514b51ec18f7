package embedded

import (
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/zeebo/xxh3"

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
	state    *column[uint64]
	firstIn  *column[uint32] // a transaction: its first input; one more closes the last
	firstOut *column[uint32]
	refs     *column[uint32] // an input: the output it spends, or noRef
	values   *column[uint64] // an output: satoshi
	spender  *column[uint32] // an output: see the words below
	prev     *column[uint32] // an output: 1 + the address's output before it, or 0
	ids      *table          // transaction identifier -> number
	heads    *table          // address -> its newest output
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

const indexVersion = 1

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
	if ix.state, err = openColumn[uint64](folder, "state"); err == nil {
		err = ix.state.grow(stateWords)
	}
	for name, c := range map[string]**column[uint32]{"first-input": &ix.firstIn, "first-output": &ix.firstOut, "refs": &ix.refs, "spender": &ix.spender, "previous": &ix.prev} {
		if err == nil {
			*c, err = openColumn[uint32](folder, name)
		}
	}
	if err == nil {
		ix.values, err = openColumn[uint64](folder, "values")
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
	s := ix.state.data
	if s[stateVersion] != indexVersion || ix.firstIn.room <= record.txs || ix.refs.room < record.inputs || ix.values.room < record.outputs || ix.spender.room < record.outputs || ix.prev.room < record.outputs {
		return false
	}
	if s[stateOpen] == 0 {
		if s[stateTxs] != record.txs || content != ix.content() {
			return false
		}
		ix.counts = record
		return true
	}
	boot := bootID()
	if boot == [2]uint64{} || boot != [2]uint64{s[stateBoot], s[stateBoot+1]} {
		return false
	}
	if uint64(ix.firstIn.data[record.txs]) != record.inputs || uint64(ix.firstOut.data[record.txs]) != record.outputs {
		return false
	}
	ix.cut(record)
	return true
}

func (ix *index) content() (h ledger.Hash) {
	for i := range 4 {
		for j := range 8 {
			h[8*i+j] = byte(ix.state.data[stateContent+i] >> (8 * j))
		}
	}
	return h
}

// begin marks the index as being written.
func (ix *index) begin() {
	s := ix.state.data
	s[stateVersion], s[stateOpen] = indexVersion, 1
	boot := bootID()
	s[stateBoot], s[stateBoot+1] = boot[0], boot[1]
}

// bootID names this run of the machine: while it lasts, what was written to a
// mapped file is there, even if the writer was killed.
func bootID() (id [2]uint64) {
	text, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return id
	}
	raw, err := hex.DecodeString(strings.ReplaceAll(strings.TrimSpace(string(text)), "-", ""))
	if err != nil || len(raw) != 16 {
		return id
	}
	for i := range 16 {
		id[i/8] = id[i/8]<<8 | uint64(raw[i])
	}
	return id
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
		ix.firstIn.grow(c.txs+1), ix.firstOut.grow(c.txs+1), ix.refs.grow(c.inputs), ix.values.grow(c.outputs),
		ix.spender.grow(c.outputs), ix.prev.grow(c.outputs),
	)
}

// add appends a transaction with resolved inputs.
func (ix *index) add(tx *ledger.Tx, refs []uint32) error {
	if err := ix.reserve(len(refs), len(tx.Outputs)); err != nil {
		return err
	}
	c := &ix.counts
	number := uint32(c.txs)
	copy(ix.refs.data[c.inputs:], refs)
	for _, ref := range refs {
		if ref != noRef {
			ix.spender.data[ref] = number + 1
		}
	}
	for i := range tx.Outputs {
		o := &tx.Outputs[i]
		at := c.outputs + uint64(i)
		ix.values.data[at] = o.Value
		ix.spender.data[at] = unspent
		if o.Unspendable {
			ix.spender.data[at] = wordUnspendable
		}
		ix.prev.data[at] = 0
		if o.Address.IsZero() {
			continue
		}
		h := ix.hashAddress(&o.Address)
		if before, ok := ix.heads.get(h); ok {
			ix.prev.data[at] = before + 1
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
	ix.firstIn.data[c.txs], ix.firstOut.data[c.txs] = uint32(c.inputs), uint32(c.outputs)
	return nil
}

// cut drops everything beyond the counts. Transactions whose identifier an
// earlier one has too (BIP-30) are put right by the caller.
func (ix *index) cut(to counts) {
	for _, ref := range ix.refs.data[to.inputs:ix.refs.room] {
		if uint64(ref) < to.outputs && uint64(ix.spender.data[ref]) > to.txs && ix.spender.data[ref] < most {
			ix.spender.data[ref] = unspent
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
			word = ix.prev.data[word-1]
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
		ix.firstIn.trim(c.txs+1), ix.firstOut.trim(c.txs+1), ix.refs.trim(c.inputs), ix.values.trim(c.outputs), ix.spender.trim(c.outputs),
		ix.prev.trim(c.outputs), ix.ids.sync(), ix.heads.sync(),
	)
	if err == nil {
		s := ix.state.data
		s[stateTxs] = c.txs
		for i := range 4 {
			s[stateContent+i] = 0
			for j := range 8 {
				s[stateContent+i] |= uint64(content[8*i+j]) << (8 * j)
			}
		}
		s[stateOpen] = 0
		err = ix.state.trim(stateWords)
	}
	return errors.Join(err, ix.unmap())
}

func (ix *index) unmap() error {
	var errs []error
	for _, c := range []*column[uint32]{ix.firstIn, ix.firstOut, ix.refs, ix.spender, ix.prev} {
		if c != nil {
			errs = append(errs, c.close())
		}
	}
	for _, c := range []*column[uint64]{ix.state, ix.values} {
		if c != nil {
			errs = append(errs, c.close())
		}
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
		ix.firstIn.release(), ix.firstOut.release(), ix.refs.release(), ix.values.release(), ix.spender.release(), ix.prev.release(),
		ix.ids.release(), ix.heads.release(),
	)
}

// resolve finds the output that an outpoint names; noRef where it is not held.
func (ix *index) resolve(outpoint *ledger.Outpoint) uint32 {
	number, ok := ix.ids.get(ix.hashID(&outpoint.Tx))
	if !ok {
		return noRef
	}
	first, end := ix.firstOut.data[number], ix.firstOut.data[number+1]
	if outpoint.Index >= end-first {
		return noRef
	}
	return first + outpoint.Index
}

func (ix *index) String() string {
	return fmt.Sprintf("%s: %d transactions, %d inputs, %d outputs", ix.folder, ix.counts.txs, ix.counts.inputs, ix.counts.outputs)
}
