package crossing

import (
	"encoding/binary"
	"encoding/hex"
	"strconv"

	"coldtrail/chain/evm"
	"coldtrail/ledger"
)

// Event is one EVM log with a reader of its parameters (Solidity ABI). A read
// beyond the end gives zero and marks the event bad; a decoder asks Bad once, after
// its last read.
type Event struct {
	*View
	Protocol *Protocol
	Contract ledger.Address // the emitter
	Position uint32         // of the log in its block
	Topics   []ledger.Hash
	Data     []byte
	bad      bool
}

func firstTopic(m *ledger.Message) (topic ledger.Hash, ok bool) {
	if len(m.Data) < 33 || m.Data[0] == 0 {
		return topic, false
	}
	return ledger.Hash(m.Data[1:33]), true
}

func newEvent(v *View, p *Protocol, m *ledger.Message) *Event {
	e := &Event{View: v, Protocol: p, Contract: m.Contract, Position: m.Position}
	n := int(m.Data[0])
	if len(m.Data) < 1+32*n {
		e.bad = true
		return e
	}
	for i := range n {
		e.Topics = append(e.Topics, ledger.Hash(m.Data[1+32*i:33+32*i]))
	}
	e.Data = m.Data[1+32*n:]
	return e
}

// Bad says that a read went beyond the event, or found a value out of range.
func (e *Event) Bad() bool { return e.bad }

// Topic is an indexed parameter; 1 is the first.
func (e *Event) Topic(i int) (h ledger.Hash) {
	if i >= len(e.Topics) {
		e.bad = true
		return h
	}
	return e.Topics[i]
}

// TopicAddress is an indexed address.
func (e *Event) TopicAddress(i int) ledger.Address {
	h := e.Topic(i)
	return e.asAddress(&h)
}

// Word is a word of the data; 0 is the first.
func (e *Event) Word(i int) (h ledger.Hash) {
	if i < 0 || i >= len(e.Data)/32 {
		e.bad = true
		return h
	}
	return ledger.Hash(e.Data[32*i : 32*i+32])
}

// Address is a word of the data read as an address.
func (e *Event) Address(i int) ledger.Address {
	h := e.Word(i)
	return e.asAddress(&h)
}

// Amount is a word of the data read as a number.
func (e *Event) Amount(i int) (amount ledger.Amount) {
	h := e.Word(i)
	amount.SetBytes(h[:])
	return amount
}

// Small is a word of the data read as a number of at most 64 bits.
func (e *Event) Small(i int) uint64 {
	h := e.Word(i)
	return e.asSmall(&h)
}

// TopicSmall is an indexed number of at most 64 bits.
func (e *Event) TopicSmall(i int) uint64 {
	h := e.Topic(i)
	return e.asSmall(&h)
}

// Bytes is a dynamic parameter (bytes or string) whose offset stands in word i,
// counted from the start of the data.
func (e *Event) Bytes(i int) []byte { return e.BytesFrom(0, i) }

// BytesFrom is a dynamic member of a tuple that begins at word base.
func (e *Event) BytesFrom(base, i int) []byte {
	offset := e.Small(base + i)
	at := uint64(32*base) + offset
	if offset > uint64(len(e.Data)) || at%32 != 0 || e.bad {
		e.bad = true
		return nil
	}
	size := e.Small(int(at / 32))
	if e.bad || size > uint64(len(e.Data))-at-32 {
		e.bad = true
		return nil
	}
	return e.Data[at+32 : at+32+size]
}

// Tuple is the word at which a dynamic tuple begins whose offset stands in word i.
func (e *Event) Tuple(i int) int {
	offset := e.Small(i)
	if offset%32 != 0 || offset > uint64(len(e.Data)) {
		e.bad = true
		return 0
	}
	return int(offset / 32)
}

func (e *Event) asAddress(h *ledger.Hash) ledger.Address {
	for _, b := range h[:12] {
		if b != 0 {
			e.bad = true
		}
	}
	return ledger.NewAddress(ledger.EVMAccount, h[12:])
}

func (e *Event) asSmall(h *ledger.Hash) uint64 {
	for _, b := range h[:24] {
		if b != 0 {
			e.bad = true
		}
	}
	return binary.BigEndian.Uint64(h[24:])
}

// Token is the asset of a token's contract on the event's chain; the zero address
// and 0xEeee… stand for the native one.
func (e *Event) Token(contract ledger.Address) ledger.Asset { return tokenOf(e.Chain, contract) }

// Fault notes that the event is not what its protocol would emit.
func (e *Event) Fault(found *Found, reason string) {
	found.Faults = append(found.Faults, Fault{Protocol: e.Protocol, Position: e.Position, Reason: reason})
}

// tokenOf is the asset of a token's contract on a chain.
func tokenOf(chain ledger.Chain, contract ledger.Address) ledger.Asset {
	if contract.IsZero() || contract == zeroAccount || contract == etherAlias {
		return chain.Native()
	}
	return evm.AssetOf(chain, contract)
}

// accountOf reads an account from a word of another chain's form: twenty bytes
// behind twelve of zero. Anything else is no EVM account.
func accountOf(word []byte) (ledger.Address, bool) {
	if len(word) != 32 {
		return ledger.Address{}, false
	}
	for _, b := range word[:12] {
		if b != 0 {
			return ledger.Address{}, false
		}
	}
	return ledger.NewAddress(ledger.EVMAccount, word[12:]), true
}

// evmChain is the chain of an EIP-155 number.
func evmChain(id uint64) ledger.Chain {
	return ledger.Chain("eip155:" + strconv.FormatUint(id, 10))
}

// topic is the first topic of an event.
func topic(signature string) ledger.Hash { return evm.Keccak([]byte(signature)) }

// account reads an address of the tables of this package; it panics on a mistake in
// them.
func account(digits string) ledger.Address {
	payload, err := hex.DecodeString(digits)
	if err != nil || len(payload) != 20 {
		panic("crossing: address " + digits)
	}
	return ledger.NewAddress(ledger.EVMAccount, payload)
}

var (
	zeroAccount = account("0000000000000000000000000000000000000000")
	etherAlias  = account("eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee")
)
