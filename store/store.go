// Package store is the contract between Coldtrail and whatever keeps its ledger:
// the questions a store must answer, a whole frontier at a time, so that a
// distributed store pays one round trip per hop and not one per address.
//
// Every store numbers transactions and outputs of a chain densely from 0 in chain
// order (height, position in the block, output index). The numbers follow from
// the chain alone, so two stores that hold the same blocks agree on them. They
// are handles for one run: a Rewind gives the numbers it freed to the next blocks.
//
// All methods are safe for concurrent use; reads see the blocks whose Append had
// returned when the read began. The suite in store/storetest is the full contract.
package store

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"coldtrail/attribution/label"
	"coldtrail/ledger"
)

// TxNumber numbers the transactions of one chain from 0 in chain order.
type TxNumber uint64

// NoTx stands for "no such transaction" and, as a spender, for "unspent".
const NoTx TxNumber = 1<<64 - 1

// OutputNumber numbers the outputs of a UTXO chain from 0 in chain order.
type OutputNumber uint64

// NoOutput stands for an output the store does not hold.
const NoOutput OutputNumber = 1<<64 - 1

// ErrLocked says that another writer has the store open.
var ErrLocked = errors.New("store is in use by another process")

// ErrUnknownChain says that the store holds no block of the chain.
var ErrUnknownChain = errors.New("store holds no block of this chain")

// A LinkError says that a block does not continue what the store holds.
type LinkError struct {
	Chain  ledger.Chain
	Height ledger.Height // of the refused block
	Hash   ledger.Hash   // of the refused block
	Head   ledger.Height
	Reason string
}

// Error names the block, the head it was to follow and the reason.
func (e *LinkError) Error() string {
	return fmt.Sprintf("block %d (%s) does not continue the store's head %d: %s", e.Height, e.Chain.FormatHash(e.Hash), e.Head, e.Reason)
}

// Store is everything a store can do. Callers ask for the part they need.
type Store interface {
	Writer
	Questions
	Labels
	Close() error
}

// A Head is the newest block of a chain. Its hash is zero where the source gave none.
type Head struct {
	Height ledger.Height
	Hash   ledger.Hash
}

// Link says whether a block is held already, and refuses one that does not continue the
// chain (LinkError). At gives the identity of the block that is held at a height, and is
// asked only about heights up to the head's.
func (h Head) Link(b *ledger.Block, at func(height ledger.Height) (identity ledger.Hash, ok bool)) (held bool, err error) {
	refuse := func(reason string) error {
		return &LinkError{Chain: b.Chain, Height: b.Height, Hash: b.Hash, Head: h.Height, Reason: reason}
	}
	if b.Height <= h.Height {
		identity, ok := at(b.Height)
		switch {
		case !ok:
			return false, refuse("its height is below the head and not held")
		case identity == Identity(b):
			return true, nil
		}
		return false, refuse("another block is held at its height")
	}
	switch {
	case !b.Parent.IsZero() && !h.Hash.IsZero() && b.Parent != h.Hash:
		return false, refuse("its parent is " + b.Chain.FormatHash(b.Parent) + ", not the head")
	case !b.Hash.IsZero() && b.Height != h.Height+1:
		return false, refuse(fmt.Sprintf("heights %d to %d are missing", h.Height+1, b.Height-1))
	}
	return false, nil
}

// A Range is a run of heights of one chain, both included, that one worker stages while
// others stage other ranges.
type Range struct {
	From, To ledger.Height
	// Attempt is the store's own mark of what was inserted for the range.
	Attempt uint64
}

// A Claim is one process's right to stage a Range.
type Claim interface {
	Bounds() (from, to ledger.Height)
	// Stage inserts blocks of the range; they may come in several calls.
	Stage(ctx context.Context, blocks []*ledger.Block) error
	// Finish says that the range is whole.
	Finish(ctx context.Context) error
	// Drop gives it back.
	Drop()
}

// Labels keeps what people say about addresses and actors. A claim is never changed
// nor removed; one that ends another is a claim itself.
type Labels interface {
	// AddClaims adds claims, all of them or none, and says how many were new. One that
	// is held already stays as it is, with when it was first learnt.
	AddClaims(ctx context.Context, claims []label.Claim) (added int, err error)
	// Claims gives, for each subject, all claims about it in order of their identifiers.
	Claims(ctx context.Context, subjects []label.Subject) ([][]label.Claim, error)
	// ClaimsOn yields every claim about subjects of a network, or of all networks where
	// that is empty, in order of subjects, then identifiers.
	ClaimsOn(ctx context.Context, network label.Network) iter.Seq2[*label.Claim, error]
	// LabelRevision sums up all claims.
	LabelRevision(ctx context.Context) (label.Revision, error)
}

// Questions is everything a store answers.
type Questions interface {
	Reader
	UTXO
	Accounts
	Messages
}

// Writer takes blocks in and out.
type Writer interface {
	// Append adds blocks in chain order; all of them or none. The first block of a
	// chain may have any height. A later one must rise in height and, where its
	// parent hash is known, name the head as parent; where hashes are known heights
	// must also be contiguous. Blocks the store already holds (same height and
	// identity) are skipped, so appending again changes nothing. A different block
	// at a held height is a LinkError: call Rewind first. An input that names an
	// output already spent, or one created later in the block, is an error.
	Append(ctx context.Context, blocks []*ledger.Block) error
	// Rewind removes every block of the chain at height from and above, with all
	// that follows from it. Removing what is not there does nothing.
	Rewind(ctx context.Context, chain ledger.Chain, from ledger.Height) error
}

// Reader answers what is held, on every kind of chain.
type Reader interface {
	// Status lists every chain held, sorted by Chain.
	Status(ctx context.Context) ([]Status, error)
	// Headers yields the block headers of a chain from a height on, in order.
	Headers(ctx context.Context, chain ledger.Chain, from ledger.Height) iter.Seq2[Header, error]
	// Find gives the numbers of transactions, NoTx where the store does not hold
	// one. Of two transactions with one identifier (BIP-30) the later is meant.
	Find(ctx context.Context, chain ledger.Chain, ids []ledger.Hash) ([]TxNumber, error)
	// IDs is the inverse of Find. An unknown number is an error.
	IDs(ctx context.Context, chain ledger.Chain, numbers []TxNumber) ([]ledger.Hash, error)
	// History gives, for each question, what touched the address, in chain order.
	History(ctx context.Context, chain ledger.Chain, questions []Since) ([][]Touch, error)
}

// UTXO answers for chains of the UTXO family.
type UTXO interface {
	// Numbers resolves outpoints, NoOutput where the store does not hold one.
	Numbers(ctx context.Context, chain ledger.Chain, outpoints []ledger.Outpoint) ([]OutputNumber, error)
	// Outputs describes outputs. An unknown number is an error.
	Outputs(ctx context.Context, chain ledger.Chain, numbers []OutputNumber) ([]Output, error)
	// Transactions describes transactions. An unknown number is an error.
	Transactions(ctx context.Context, chain ledger.Chain, numbers []TxNumber) ([]Transaction, error)
	// Segments yields the chain's blocks from one height to another, both
	// included, as columns in chain order. A segment is valid until the next one.
	Segments(ctx context.Context, chain ledger.Chain, from, to ledger.Height) iter.Seq2[*Segment, error]
	// Owned yields the same with who owns what, as far as it is needed to tell owners
	// apart without their addresses.
	Owned(ctx context.Context, chain ledger.Chain, from, to ledger.Height) iter.Seq2[*Owned, error]
}

// Accounts answers for chains of the account family.
type Accounts interface {
	// Movements describes account transactions. An unknown number is an error.
	Movements(ctx context.Context, chain ledger.Chain, numbers []TxNumber) ([]Movement, error)
	// Blocks yields whole blocks from one height to another, both included.
	Blocks(ctx context.Context, chain ledger.Chain, from, to ledger.Height) iter.Seq2[*ledger.Block, error]
	// Balances gives what holdings held just before transactions.
	Balances(ctx context.Context, chain ledger.Chain, questions []HoldingAt) ([]Balance, error)
}

// Messages answers what transactions say to the decoders of bridges.
type Messages interface {
	// Said yields, in chain order, the transactions of the blocks from one height to
	// another, both included, that carry a data output (UTXO chains), or calldata or
	// an event with one of the first topics (account chains). What is yielded is
	// valid until the next one.
	Said(ctx context.Context, chain ledger.Chain, from, to ledger.Height, topics map[ledger.Hash]bool) iter.Seq2[*Said, error]
}

// Said is one transaction that carries messages.
type Said struct {
	Number TxNumber
	Height ledger.Height
	Time   int64
	// Tx is whole on account chains. On UTXO chains it has no Inputs: ask for the
	// Transaction where they matter.
	Tx *ledger.Tx
}

// Speaks says whether Said yields a transaction.
func Speaks(tx *ledger.Tx, topics map[ledger.Hash]bool) bool {
	for i := range tx.Messages {
		m := &tx.Messages[i]
		switch m.Kind {
		case ledger.OpReturn, ledger.Calldata:
			return true
		case ledger.Creation:
		case ledger.Log:
			if len(m.Data) > 32 && m.Data[0] > 0 && topics[ledger.Hash(m.Data[1:33])] {
				return true
			}
		}
	}
	return false
}

// Status is what a store holds of one chain.
type Status struct {
	Chain   ledger.Chain
	First   ledger.Height
	Height  ledger.Height
	Hash    ledger.Hash // of the head; zero where the source gave none
	Time    int64       // of the head
	Blocks  uint64
	Txs     uint64 // without what an account chain's protocol paid out itself
	Weakest ledger.Provenance
	// Content chains the identities (see Identity) of all blocks held, so that
	// two stores with equal Content hold the same facts.
	Content ledger.Hash

	UnspentOutputs uint64 // UTXO chains: spendable outputs not spent
	UnspentValue   uint64 // UTXO chains, satoshi
	Accounts       uint64 // account chains: addresses ever seen
}

// Header is a block without its transactions.
type Header struct {
	Height     ledger.Height
	Hash       ledger.Hash
	Time       int64
	Provenance ledger.Provenance
	FirstTx    TxNumber
	Txs        uint32
}

// Since asks for the history of one address from a transaction on.
type Since struct {
	Address ledger.Address
	From    TxNumber
	Limit   int // 0 is no limit
}

// Touch is one appearance of an address in a transaction. On UTXO chains there
// is one Touch for each output received and one for each output spent; on account
// chains one for each transaction that Touched lists the address for.
// Touches are ordered by Tx, then received before spent, then Output.
type Touch struct {
	Tx     TxNumber
	Output OutputNumber // NoOutput on account chains
	Value  uint64       // satoshi of that output
	Spent  bool         // the output was spent here, not received
}

// Output is one output of a UTXO chain and its fate.
type Output struct {
	Number   OutputNumber
	Outpoint ledger.Outpoint
	Value    uint64 // satoshi
	Address  ledger.Address
	// Unspendable is set for outputs nobody can spend: OP_RETURN and the like, the
	// genesis coinbase, and coinbases that a later duplicate overwrote (BIP-30).
	Unspendable bool
	Tx          TxNumber // that made it
	Spender     TxNumber // that spent it, or NoTx
}

// Input is one input of a transaction with the value it brings.
type Input struct {
	Output OutputNumber // NoOutput where the parent is not in the store
	Value  uint64       // satoshi; 0 and meaningless where the parent is unknown
	// Outpoint is filled only where the parent is unknown.
	Outpoint ledger.Outpoint
}

// Transaction is one transaction of a UTXO chain with its inputs resolved.
type Transaction struct {
	Number      TxNumber
	Height      ledger.Height
	Index       uint32
	Time        int64
	Coinbase    bool
	Inputs      []Input
	FirstOutput OutputNumber // outputs are numbered from here in vout order
	Values      []uint64     // of the outputs, satoshi
	Unspendable []bool       // of the outputs
}

// Segment is a run of whole blocks as columns. Transaction i of the segment has
// number FirstTx+i, spends Inputs[InputStart[i]:InputStart[i+1]] and makes
// Values[OutputStart[i]:OutputStart[i+1]], numbered from FirstOutput+OutputStart[i].
type Segment struct {
	First       ledger.Height // of the first block; heights in a segment are contiguous
	BlockStart  []uint32      // transaction index of each block's first; one more closes the last
	FirstTx     TxNumber
	FirstOutput OutputNumber
	InputStart  []uint32 // one per transaction and one more
	OutputStart []uint32
	Inputs      []OutputNumber // NoOutput where the parent is unknown
	Values      []uint64
}

// Owned is a Segment with its owners. An address goes by its first output: following
// Previous from any output of an address ends there.
type Owned struct {
	Segment
	Hashes      []ledger.Hash        // of the blocks
	Previous    []OutputNumber       // of each output: its address's output before it, or NoOutput
	Kinds       []ledger.AddressKind // of each output's address
	InputKinds  []ledger.AddressKind // of each input's address; NoAddress where the parent is unknown
	InputValues []uint64             // satoshi; 0 where the parent is unknown
	Open        []bool               // of each transaction: ledger.Tx.Open
}

// Movement is one transaction of an account chain.
type Movement struct {
	Number TxNumber
	Height ledger.Height
	Time   int64
	Tx     ledger.Tx
}

// Holding is an account and one asset in it.
type Holding struct {
	Address ledger.Address
	Asset   ledger.Asset
}

// HoldingAt asks for a balance just before a transaction.
type HoldingAt struct {
	Holding
	Before TxNumber
}

// Balance is the least a holding can have held, given what the store knows: the
// latest stated opening plus what came in less what went out since, never below 0.
// Known is false where no opening was stated, so that the truth may be more. Frozen
// says that the issuer's last word before the transaction was a freeze.
type Balance struct {
	Amount ledger.Amount
	Known  bool
	Frozen bool
}
