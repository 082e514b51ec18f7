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
	// Coinbase marks the transaction that creates the block reward (UTXO chains),
	// which has no Inputs, and on account chains the last entry of a block: what the
	// protocol itself paid out (block rewards, withdrawals), under the block's hash.
	Coinbase bool
	Inputs   []Outpoint
	Outputs  []Output
	// Open says that an input's signature lets others add inputs to the transaction
	// (SIGHASH_ANYONECANPAY; BIP-143, BIP-341), so that whoever spends one input need
	// not own the others. It is false where the source does not show the signatures.
	Open bool

	// Failed marks an account transaction that was reverted: only its Fee moves.
	Failed bool
	// Approximate marks transfers whose mutual order the source did not give.
	Approximate bool
	// External marks a transaction that called a contract where the source had no
	// traces: native value that contracts moved inside it is not known.
	External  bool
	Transfers []Transfer
	Fee       Fee
	Freezes   []Freeze

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
	// Shares is a token counted in shares instead of its own units, because its
	// balances change without transfers (stETH). Amount is in shares.
	Shares
)

// NoLog is the LogIndex of a transfer that no event log describes.
const NoLog = -1

// Transfer is one movement of one asset between two accounts, in execution order.
// Units that come into being have no From; units that end without an owner no To.
type Transfer struct {
	From, To Address
	Asset    Asset
	Amount   Amount // base units of Asset
	LogIndex int32  // position of the event in its block, or NoLog
	Kind     TransferKind
}

// Fee is what an account transaction cost its payer, in the native asset.
// Burned (base fee, blob fee; EIP-1559, EIP-4844) leaves circulation, Tip goes to
// Producer, the block's producer, where the source names it. A source that cannot
// tell them apart fills Tip.
type Fee struct {
	Payer    Address
	Burned   Amount
	Tip      Amount
	Producer Address
}

// Freeze is an issuer's word that a holder's units of its token may not move, or,
// where Lifted, that they may again.
type Freeze struct {
	Holder Address
	Asset  Asset
	Lifted bool
	After  uint32 // how many transfers of the transaction come before it
}

// Message is what a transaction says beside what it moves: an OP_RETURN payload, an
// event log, calldata, which the ledger carries undecoded, and the contracts it made.
type Message struct {
	Kind     MessageKind
	Contract Address // the emitter of a log, or the contract created; none on UTXO chains
	// Position is the output that carries it, the log's position in its block, or the
	// creation's among those of its transaction.
	Position uint32
	Data     []byte
}

// Creator is who made the contract of a Creation: the transaction's sender, or the
// contract that executed CREATE or CREATE2. It is none for any other message.
func (m *Message) Creator() Address {
	if m.Kind != Creation || len(m.Data) != evmAddressSize {
		return Address{}
	}
	return NewAddress(EVMAccount, m.Data)
}

// evmAddressSize is the length of an account of an EVM chain in bytes.
const evmAddressSize = 20

// MessageKind says where a Message stood in its transaction.
type MessageKind uint8

// The kinds of message.
const (
	// OpReturn is the script of an unspendable data output after its OP_RETURN.
	OpReturn MessageKind = iota + 1
	// Log is an EVM event: the number of its topics in one byte, the topics of 32
	// bytes each, then its data.
	Log
	// Calldata is the text that goes with a payment of native value in a transaction
	// without events. It has no Contract.
	Calldata
	// Creation is a contract that came into being: Contract is the new account, Data
	// the 20 bytes of its creator. Creations stand after the transaction's other
	// messages, in the order in which they began. A source without traces knows only
	// what transactions create themselves, not what contracts create.
	Creation
)

// Opening states a balance just before a block.
type Opening struct {
	Address Address
	Asset   Asset
	Amount  Amount
	Before  Height
}
