package replay

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/btcsuite/btcd/address/v2/base58"
	"github.com/btcsuite/btcd/address/v2/bech32"

	"coldtrail/ledger"
)

// Regtest is Bitcoin's regression-test network, so that no address of a replay can
// be taken for a real one.
const Regtest ledger.Chain = "bip122:0f9188f13cb7b2c71f2a335e3a4fc328"

// Outputs plays on a chain of outputs that is only a ledger.
type Outputs struct {
	sink   func(*ledger.Block) error
	block  *ledger.Block
	height ledger.Height
	parent ledger.Hash
	made   uint64
	seed   uint64
}

// NewOutputs plays from height 0 on; blocks go to the sink.
func NewOutputs(seed uint64, sink func(*ledger.Block) error) *Outputs {
	return &Outputs{sink: sink, seed: seed}
}

// Chain is the regression-test network.
func (*Outputs) Chain() ledger.Chain { return Regtest }

// Wallet is a P2WPKH address made from the seed.
func (o *Outputs) Wallet(role string, index int) string {
	sum := keccak(fmt.Sprintf("coldtrail:%d:%s:%d", o.seed, role, index))
	return bech32Address(sum[12:])
}

func bech32Address(program []byte) string {
	words, err := bech32.ConvertBits(program, 8, 5, true)
	if err != nil {
		panic(err) // twenty bytes always convert
	}
	text, err := bech32.Encode("bcrt", append([]byte{0}, words...))
	if err != nil {
		panic(err)
	}
	return text
}

// versions are Base58Check's of the regression-test network, and the witness versions,
// by kind of address.
var (
	versions  = map[ledger.AddressKind]byte{ledger.P2PKH: 0x6f, ledger.P2SH: 0xc4}
	witnesses = map[ledger.AddressKind]byte{ledger.P2WPKH: 0, ledger.P2TR: 1}
)

// WalletOf is an address of a kind made from the seed: P2PKH, P2SH, P2WPKH or P2TR.
func (o *Outputs) WalletOf(kind ledger.AddressKind, role string, index int) string {
	if kind == ledger.P2WPKH {
		return o.Wallet(role, index)
	}
	sum := keccak(fmt.Sprintf("coldtrail:%d:%s:%d", o.seed, role, index))
	if version, ok := versions[kind]; ok {
		return base58.CheckEncode(sum[12:], version)
	}
	words, err := bech32.ConvertBits(sum[:], 8, 5, true)
	if err != nil {
		panic(err) // 32 bytes always convert
	}
	text, err := bech32.EncodeM("bcrt", append([]byte{witnesses[kind]}, words...))
	if err != nil {
		panic(err)
	}
	return text
}

func output(p *Pay) ledger.Output {
	if payload, version, err := base58.CheckDecode(p.To); err == nil {
		kind := ledger.P2PKH
		if version != versions[kind] {
			kind = ledger.P2SH
		}
		return ledger.Output{Value: uint64(p.Value), Address: ledger.NewAddress(kind, payload)}
	}
	_, words, _, err := bech32.DecodeGeneric(p.To)
	if err != nil {
		panic("replay: wallet " + p.To)
	}
	program, err := bech32.ConvertBits(words[1:], 5, 8, false)
	if err != nil {
		panic("replay: wallet " + p.To)
	}
	kind := ledger.P2WPKH
	if words[0] == witnesses[ledger.P2TR] {
		kind = ledger.P2TR
	}
	return ledger.Output{Value: uint64(p.Value), Address: ledger.NewAddress(kind, program)}
}

// interval is the time between blocks in seconds.
const interval = 600

// At closes the open block if the moment belongs to a later one.
func (o *Outputs) At(moment int64) error {
	if o.block != nil && moment/interval > o.block.Time/interval {
		if err := o.Close(); err != nil {
			return err
		}
	}
	if o.block == nil {
		o.block = &ledger.Block{Chain: Regtest, Height: o.height, Parent: o.parent, Time: moment / interval * interval, Provenance: ledger.File}
		o.add(&ledger.Tx{Coinbase: true, Outputs: []ledger.Output{output(&Pay{o.Wallet("miner", 0), 50_0000_0000})}})
	}
	return nil
}

// Close hands the open block on, if more than its coinbase is in it.
func (o *Outputs) Close() error {
	b := o.block
	if b == nil || len(b.Txs) < 2 {
		o.block = nil
		return nil
	}
	b.Hash = keccak(fmt.Sprintf("outputs %d of replay %d after %s", b.Height, o.seed, b.Parent))
	o.parent, o.block = b.Hash, nil
	o.height++
	return o.sink(b)
}

func (o *Outputs) add(t *ledger.Tx) {
	o.made++
	t.ID = ledger.Hash(sha256.Sum256(binary.BigEndian.AppendUint64([]byte("output transaction "), o.made^o.seed<<40)))
	t.Index = uint32(len(o.block.Txs))
	o.block.Txs = append(o.block.Txs, *t)
}

// Mint is a second coinbase, as good as any clean coin.
func (o *Outputs) Mint(to string, value int64) (Coin, error) {
	t := &ledger.Tx{Coinbase: true, Outputs: []ledger.Output{output(&Pay{to, value})}}
	o.add(t)
	return Coin{Tx: t.ID, Value: value, Owner: to}, nil
}

// memoCut is where a long memo leaves the OP_RETURN (thornode, memo length
// reduction): the rest follows as the hashes of outputs of 294 satoshi.
const (
	memoCut  = 79
	memoDust = 294
)

// Spend spends coins.
func (o *Outputs) Spend(coins []Coin, pays []Pay, memo string) (string, []Coin, error) {
	t := &ledger.Tx{}
	in, out := int64(0), int64(0)
	for i := range coins {
		t.Inputs = append(t.Inputs, ledger.Outpoint{Tx: coins[i].Tx, Index: coins[i].Index})
		in += coins[i].Value
	}
	for i := range pays {
		t.Outputs = append(t.Outputs, output(&pays[i]))
		out += pays[i].Value
	}
	if memo != "" {
		chunk, rest := memo, ""
		if len(memo) > memoCut+1 {
			chunk, rest = memo[:memoCut]+"^", memo[memoCut:]
		}
		data := append([]byte{byte(len(chunk))}, chunk...)
		if len(chunk) > 75 {
			data = append([]byte{0x4c}, data...)
		}
		t.Messages = []ledger.Message{{Kind: ledger.OpReturn, Position: uint32(len(t.Outputs)), Data: data}}
		t.Outputs = append(t.Outputs, ledger.Output{Unspendable: true})
		for ; rest != ""; rest = rest[min(20, len(rest)):] {
			payload := make([]byte, 20)
			copy(payload, rest[:min(20, len(rest))])
			t.Outputs = append(t.Outputs, ledger.Output{Value: memoDust, Address: ledger.NewAddress(ledger.P2WPKH, payload)})
			out += memoDust
		}
	}
	if in < out {
		return "", nil, fmt.Errorf("coins of %d satoshi cannot pay %d", in, out)
	}
	o.add(t)
	made := make([]Coin, 0, len(t.Outputs))
	for i := range t.Outputs {
		if i < len(pays) {
			made = append(made, Coin{Tx: t.ID, Index: uint32(i), Value: pays[i].Value, Owner: pays[i].To})
		} else {
			made = append(made, Coin{Tx: t.ID, Index: uint32(i), Value: int64(t.Outputs[i].Value), Owner: "data"})
		}
	}
	return t.ID.String(), made, nil
}

// SpendOpen spends coins by signatures that let others add inputs, as trades of
// half-signed transactions do.
func (o *Outputs) SpendOpen(coins []Coin, pays []Pay) (string, []Coin, error) {
	txid, made, err := o.Spend(coins, pays, "")
	if err == nil {
		o.block.Txs[len(o.block.Txs)-1].Open = true
	}
	return txid, made, err
}

// upper is a transaction as payouts name it.
func upper(h ledger.Hash) string { return strings.ToUpper(hex.EncodeToString(h[:])) }
