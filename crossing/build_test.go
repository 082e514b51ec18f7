package crossing_test

import (
	"encoding/binary"
	"encoding/hex"
	"strings"
	"testing"

	"coldtrail/chain/bitcoin"
	"coldtrail/chain/evm"
	"coldtrail/crossing"
	"coldtrail/ledger"
)

// notation writes the addresses of every chain, as the binary wires it.
func notation(chain ledger.Chain) (ledger.Notation, error) {
	if chain.Family() == ledger.Account {
		return evm.Notation{}, nil
	}
	network, err := bitcoin.NetworkOf(chain)
	return bitcoin.Notation{Network: network}, err
}

func decoders() *crossing.Decoders { return crossing.NewDecoders(crossing.Config{Notation: notation}) }

// eth reads an EVM address of a test.
func eth(t *testing.T, text string) ledger.Address {
	t.Helper()
	a, err := evm.Notation{}.ParseAddress("0x" + strings.ToLower(strings.TrimPrefix(text, "0x")))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// unhex reads bytes of a test.
func unhex(t *testing.T, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.TrimPrefix(text, "0x"))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// word is a number as a word of the Solidity ABI.
func word(n uint64) []byte {
	return binary.BigEndian.AppendUint64(make([]byte, 24), n)
}

// amountWord is an amount as a word.
func amountWord(a ledger.Amount) []byte {
	w := a.Bytes32()
	return w[:]
}

// addressWord is an address as a word.
func addressWord(a ledger.Address) []byte { return append(make([]byte, 12), a.Bytes()...) }

// padded is a dynamic parameter as it stands behind its offset: length, bytes, zeros.
func padded(b []byte) []byte {
	out := append(word(uint64(len(b))), b...)
	return append(out, make([]byte, (32-len(b)%32)%32)...)
}

// event makes the message of a log: the event's signature, its indexed words, its data.
func event(position uint32, contract ledger.Address, signature string, indexed [][]byte, data ...[]byte) ledger.Message {
	id := evm.Keccak([]byte(signature))
	m := ledger.Message{Kind: ledger.Log, Contract: contract, Position: position, Data: append([]byte{byte(1 + len(indexed))}, id[:]...)}
	for _, w := range indexed {
		m.Data = append(m.Data, w...)
	}
	for _, d := range data {
		m.Data = append(m.Data, d...)
	}
	return m
}

// moved is a transfer of an asset.
func moved(from, to ledger.Address, asset ledger.Asset, amount ledger.Amount) ledger.Transfer {
	return ledger.Transfer{From: from, To: to, Asset: asset, Amount: amount, LogIndex: ledger.NoLog}
}
