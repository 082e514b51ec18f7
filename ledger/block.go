package ledger

import "time"

// Block is one block of one chain, or, from an export, the part of it that the
// export holds.
type Block struct {
	Chain      Chain
	Height     Height
	Hash       Hash // zero where the source did not say
	Parent     Hash // zero where the source did not say
	Time       int64
	Provenance Provenance
	// Txs stand in block order with rising Index. An export may leave gaps.
	Txs []Tx
	// Openings are balances that the source states for the moment before a block.
	Openings []Opening
}

// When is the block's time in UTC.
func (b *Block) When() time.Time { return time.Unix(b.Time, 0).UTC() }

// Tx is one transaction. On UTXO chains it is one many-to-many transfer from
// Inputs to Outputs: there is no edge from one input to one output, and inventing
// one is what a taint method does. On account chains value moves in Transfers.
type Tx struct {
	ID    Hash
	Index uint32 // position in the block
	// Coinbase marks the transaction that creates the block reward (UTXO chains);
	// it has no Inputs.
	Coinbase bool
	Inputs   []Outpoint
	Outputs  []Output

	// Failed marks an account transaction that was reverted: only its Fee moves.
	Failed bool
	// Approximate marks transfers whose mutual order the source did not give.
	Approximate bool
	Transfers   []Transfer
	Fee         Fee

	Messages []Message
}

// Outpoint names an output: the transaction that made it and its position there.
type Outpoint struct {
	Tx    Hash
	Index uint32
}

// Output is value locked to an owner on a UTXO chain.
type Output struct {
	Value   uint64 // satoshi
	Address Address
	// Unspendable marks outputs that provably nobody can spend, such as OP_RETURN.
	Unspendable bool
}

// TransferKind tells ordinary movements from those that make or end units.
type TransferKind uint8

// The kinds of transfer.
const (
	// Ordinary value goes from one account to another.
	Ordinary TransferKind = iota
	// Internal native value moved by a contract call inside a transaction.
	Internal
	// Reward is native value the protocol creates (block reward, withdrawal).
	Reward
)

// NoLog is the LogIndex of a transfer that no event log describes.
const NoLog = -1

// Transfer is one movement of one asset between two accounts, in execution order.
type Transfer struct {
	From, To Address
	Asset    Asset
	Amount   Amount // base units of Asset
	LogIndex int32  // position of the event in its block, or NoLog
	Kind     TransferKind
}

// Fee is what an account transaction cost its payer, in the native asset.
// Burned (base fee, blob fee; EIP-1559, EIP-4844) leaves circulation, Tip goes to
// the block's producer. A source that cannot tell them apart fills Tip.
type Fee struct {
	Payer  Address
	Burned Amount
	Tip    Amount
}

// Message is data that a decoder may read later: an OP_RETURN payload, an event
// log, calldata. The ledger carries it undecoded.
type Message struct {
	Kind     MessageKind
	Contract Address // the emitter of a log; none on UTXO chains
	Output   uint32  // the output that carries it, on UTXO chains
	Data     []byte
}

// MessageKind says where a Message stood in its transaction.
type MessageKind uint8

// The kinds of message.
const (
	// OpReturn is the script of an unspendable data output after its OP_RETURN.
	OpReturn MessageKind = iota + 1
	// Log is an EVM event: topics, then data.
	Log
)

// Opening states a balance just before a block.
type Opening struct {
	Address Address
	Asset   Asset
	Amount  Amount
	Before  Height
}
