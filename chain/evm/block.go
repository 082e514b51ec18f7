package evm

import (
	"fmt"

	"coldtrail/ledger"
)

// Block is one block of an EVM chain as its source gave it: what every source can
// fill, and no more. Ledger turns it into the ledger's words.
type Block struct {
	Number      ledger.Height
	Hash        ledger.Hash
	Parent      ledger.Hash
	Time        int64
	Producer    ledger.Address // the fee recipient ("miner")
	BaseFee     ledger.Amount  // wei per gas; 0 before London (EIP-1559)
	Uncles      []Uncle
	Withdrawals []Withdrawal
	Txs         []Tx
	Provenance  ledger.Provenance
	// Cancun says that the block has the rules of that fork, by which SELFDESTRUCT
	// burns only in the transaction that created the contract (EIP-6780).
	Cancun bool
	// Rewards are the block's rewards where the source states them, as traces of
	// kind "reward" do; otherwise they follow from the network's schedule.
	Rewards  []Move
	Openings []ledger.Opening
}

// Holding is an account and one of its tokens; none is the native asset.
type Holding struct {
	Address  ledger.Address
	Contract ledger.Address
	Shares   bool // the token is counted in shares
}

// Uncle is an ommer of a proof-of-work block; its producer earned a part of the
// reward (yellow paper, section 11.3).
type Uncle struct {
	Number   ledger.Height
	Producer ledger.Address
}

// Withdrawal is ether that the consensus layer paid out (EIP-4895).
type Withdrawal struct {
	Address ledger.Address
	Gwei    uint64
}

// Trace says how much a source tells of what happened inside a transaction.
type Trace uint8

// The kinds of knowledge about internal value.
const (
	// NoTrace: internal native value is not known.
	NoTrace Trace = iota
	// FlatTrace: internal moves are known, their order among the logs is not.
	FlatTrace
	// OrderedTrace: internal moves and logs stand in the order of execution.
	OrderedTrace
)

// Tx is one transaction with its receipt and, where the source has it, its trace.
type Tx struct {
	Hash    ledger.Hash
	Index   uint32
	From    ledger.Address
	To      ledger.Address // none where a contract is created
	Created ledger.Address // the contract created where there is no To, or none
	Value   ledger.Amount  // wei
	Calls   bool           // carries calldata or creates: contract code may have run
	Note    []byte         // calldata of at most MaxNote bytes, as texts go with payments
	Minted  ledger.Amount  // wei that a rollup deposit brings to From (OP stack)

	Failed    bool
	GasUsed   uint64
	GasPrice  ledger.Amount // effective, wei per gas
	BlobGas   uint64        // EIP-4844
	BlobPrice ledger.Amount // wei per blob gas
	DataFee   ledger.Amount // what a rollup charges for the layer below, wei
	// Fee is what the source states in all, where it states no gas; else nil.
	Fee *ledger.Fee

	Logs  []Log
	Trace Trace
	// Steps are internal moves and logs. With OrderedTrace they stand in execution
	// order and hold every log; with FlatTrace they hold only moves.
	Steps []Step
	// Creations are the contracts that calls inside the transaction made, without
	// Created, in the order in which their creation began. Only a trace tells them.
	Creations []Creation
}

// Creation is a contract that came into being, and the contract that executed CREATE or
// CREATE2 (EIP-1014).
type Creation struct{ Contract, Creator ledger.Address }

// MaxNote is how long a text may be that goes with a payment: twice the longest memo
// of THORChain, which is also sent in hexadecimal digits.
const MaxNote = 500

// NoteOf is the calldata of a transaction if it can be such a text: printable ASCII.
func NoteOf(data []byte) []byte {
	if len(data) == 0 || len(data) > MaxNote {
		return nil
	}
	for _, c := range data {
		if c < 0x20 || c > 0x7e {
			return nil
		}
	}
	return data
}

// Log is an event of a transaction.
type Log struct {
	Index    uint32 // position in the block
	Contract ledger.Address
	Topics   []ledger.Hash
	Data     []byte
}

// Move is native value that moved inside a transaction, or that the protocol paid.
type Move struct {
	From, To ledger.Address
	Value    ledger.Amount // wei
}

// Step is one internal move, or the log at position Log of the transaction's Logs.
type Step struct {
	Move Move
	Log  int // -1 for a move
}

// A DataError says which part of a block contradicts itself or the protocol.
type DataError struct {
	Block  ledger.Height
	Tx     ledger.Hash // zero where the fault is the block's
	Reason string
}

// Error names the block, the transaction and the reason.
func (e *DataError) Error() string {
	if e.Tx.IsZero() {
		return fmt.Sprintf("block %d: %s", e.Block, e.Reason)
	}
	return fmt.Sprintf("block %d: transaction 0x%s: %s", e.Block, e.Tx, e.Reason)
}

func (b *Block) fault(tx *Tx, format string, args ...any) error {
	e := &DataError{Block: b.Number, Reason: fmt.Sprintf(format, args...)}
	if tx != nil {
		e.Tx = tx.Hash
	}
	return e
}
