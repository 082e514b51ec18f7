package storetest

import (
	"crypto/sha256"
	"fmt"

	"pgregory.net/rapid"

	"coldtrail/ledger"
)

// Shape says how large a random ledger is.
type Shape struct {
	Blocks int
	// Names is how many addresses take part; 0 is a few.
	Names int
	// Whole keeps the ledger complete from height 0, without repeated coinbases.
	Whole Completeness
}

// Completeness says whether a random ledger may lack what came before it.
type Completeness uint8

// The choices.
const (
	MayLack Completeness = iota
	Complete
)

func name(text string) ledger.Address {
	a, err := ledger.NameAddress(text)
	if err != nil {
		panic(err) // only names written in this package come here
	}
	return a
}

func txID(n int) ledger.Hash { return ledger.Hash(sha256.Sum256(fmt.Append(nil, "transaction ", n))) }

// builder makes blocks that link.
type builder struct {
	chain  ledger.Chain
	height ledger.Height
	parent ledger.Hash
	txs    int
}

func (b *builder) mint(to string, value uint64) ledger.Tx {
	tx := ledger.Tx{ID: txID(b.txs), Coinbase: true, Outputs: []ledger.Output{{Value: value, Address: name(to)}}}
	b.txs++
	return tx
}

func (b *builder) spend(to string, value uint64, from ...ledger.Outpoint) ledger.Tx {
	tx := ledger.Tx{ID: txID(b.txs), Inputs: from, Outputs: []ledger.Output{{Value: value, Address: name(to)}}}
	b.txs++
	return tx
}

func (b *builder) block(txs ...ledger.Tx) *ledger.Block {
	for i := range txs {
		txs[i].Index = uint32(i)
	}
	block := &ledger.Block{
		Chain: b.chain, Height: b.height, Parent: b.parent, Time: 1_600_000_000 + int64(b.height)*600, Provenance: ledger.File, Txs: txs,
		Hash: ledger.Hash(sha256.Sum256(fmt.Append(nil, "block ", b.chain, b.height, b.txs))),
	}
	b.parent = block.Hash
	b.height++
	return block
}

// unspentOutput is an output that a random transaction may spend.
type unspentOutput struct {
	at    ledger.Outpoint
	value uint64
}

// UTXOBlocks draws a random UTXO ledger: chains within a block, zero values, burnt
// outputs, reused addresses, repeated coinbases, parents that are not there, signatures
// that let others add inputs.
func UTXOBlocks(t *rapid.T, shape Shape) []*ledger.Block {
	b := builder{chain: ledger.Bitcoin}
	if shape.Whole == MayLack && rapid.IntRange(0, 4).Draw(t, "begins late") == 0 {
		b.height = 700
	}
	late := b.height > 0
	names := max(shape.Names, 6)
	var open []unspentOutput
	var blocks []*ledger.Block
	for range shape.Blocks {
		var txs []ledger.Tx
		reward := b.mint("n0", 1)
		reward.Outputs = nil
		if shape.Whole == MayLack && len(blocks) > 0 && rapid.IntRange(0, 9).Draw(t, "twin") == 0 {
			reward.ID = blocks[0].Txs[0].ID
			reward.Outputs = blocks[0].Txs[0].Outputs
			open = forget(open, reward.ID)
		} else {
			reward.Outputs = drawOutputs(t, names, rapid.Uint64Range(1, 1000).Draw(t, "reward"))
		}
		txs = append(txs, reward)
		for range rapid.IntRange(0, 4).Draw(t, "transactions") {
			if len(open) == 0 && !late {
				break
			}
			tx := ledger.Tx{ID: txID(b.txs)}
			b.txs++
			var in uint64
			for range rapid.IntRange(1, 3).Draw(t, "inputs") {
				if len(open) == 0 {
					break
				}
				i := rapid.IntRange(0, len(open)-1).Draw(t, "input")
				tx.Inputs = append(tx.Inputs, open[i].at)
				in += open[i].value
				open = append(open[:i:i], open[i+1:]...)
			}
			if late && (len(tx.Inputs) == 0 || rapid.IntRange(0, 3).Draw(t, "lost parent") == 0) {
				tx.Inputs = append(tx.Inputs, ledger.Outpoint{Tx: txID(1_000_000 + b.txs), Index: uint32(b.txs)})
				in += rapid.Uint64Range(0, 100).Draw(t, "lost value")
			}
			tx.Outputs = drawOutputs(t, names, in-rapid.Uint64Range(0, in/4).Draw(t, "fee"))
			if rapid.IntRange(0, 5).Draw(t, "message") == 0 {
				tx.Messages = []ledger.Message{{Kind: ledger.OpReturn, Position: 0, Data: []byte("memo")}}
			}
			tx.Open = rapid.IntRange(0, 7).Draw(t, "anyone can pay") == 0
			txs = append(txs, tx)
			open = append(open, spendable(&tx)...)
		}
		open = append(open, spendable(&reward)...) // a coinbase is never spent in its own block
		blocks = append(blocks, b.block(txs...))
	}
	return blocks
}

func forget(open []unspentOutput, id ledger.Hash) []unspentOutput {
	var kept []unspentOutput
	for _, o := range open {
		if o.at.Tx != id {
			kept = append(kept, o)
		}
	}
	return kept
}

func drawOutputs(t *rapid.T, names int, total uint64) []ledger.Output {
	var out []ledger.Output
	for range rapid.IntRange(1, 4).Draw(t, "outputs") {
		o := ledger.Output{Value: rapid.Uint64Range(0, total).Draw(t, "value")}
		total -= o.Value
		if rapid.IntRange(0, 7).Draw(t, "burnt") == 0 {
			o.Unspendable = true
		} else {
			o.Address = name(fmt.Sprint("n", rapid.IntRange(0, names-1).Draw(t, "owner")))
		}
		out = append(out, o)
	}
	return out
}

func spendable(tx *ledger.Tx) (open []unspentOutput) {
	for i := range tx.Outputs {
		if !tx.Outputs[i].Unspendable {
			open = append(open, unspentOutput{ledger.Outpoint{Tx: tx.ID, Index: uint32(i)}, tx.Outputs[i].Value})
		}
	}
	return open
}

// saidBy is a message that Said yields for saidTopics (0 and 1), or one that it does
// not.
func saidBy(kind int, contract ledger.Address, position uint32) ledger.Message {
	if kind == 0 {
		return ledger.Message{Kind: ledger.Calldata, Contract: contract, Data: []byte("memo")}
	}
	topic := ledger.Hash{byte(kind)}
	return ledger.Message{Kind: ledger.Log, Contract: contract, Position: position, Data: append(append([]byte{1}, topic[:]...), 7)}
}

// drawCreations draws contracts that a transaction makes, of creators that often do
// nothing else.
func drawCreations(t *rapid.T, who func(string) ledger.Address) (list []ledger.Message) {
	for i := range rapid.IntRange(1, 3).Draw(t, "creations") {
		creator := make([]byte, 20)
		creator[19] = byte(rapid.IntRange(0, 2).Draw(t, "creator"))
		list = append(list, ledger.Message{Kind: ledger.Creation, Contract: who("contract"), Position: uint32(i), Data: creator})
	}
	return list
}

// AccountBlocks draws a random account ledger: several assets, movements within a
// transaction, transfers to oneself and of nothing, failed transactions, fees,
// stated and unknown openings, contracts created.
func AccountBlocks(t *rapid.T, shape Shape) []*ledger.Block {
	b := builder{chain: ledger.Ethereum, height: ledger.Height(rapid.IntRange(0, 1).Draw(t, "from")) * 100}
	assets := []ledger.Asset{
		ledger.Ethereum.Native(),
		ledger.Asset(string(ledger.Ethereum) + "/erc20:0x00000000000000000000000000000000000000aa"),
		ledger.Asset(string(ledger.Ethereum) + "/erc20:0x00000000000000000000000000000000000000bb"),
	}
	names := max(shape.Names, 5)
	who := func(label string) ledger.Address {
		return name(fmt.Sprint("n", rapid.IntRange(0, names-1).Draw(t, label)))
	}
	var blocks []*ledger.Block
	for range shape.Blocks {
		var txs []ledger.Tx
		for range rapid.IntRange(0, 4).Draw(t, "transactions") {
			tx := ledger.Tx{ID: txID(b.txs), Failed: rapid.IntRange(0, 9).Draw(t, "failed") == 0}
			b.txs++
			for range rapid.IntRange(1, 4).Draw(t, "movements") {
				tx.Transfers = append(tx.Transfers, ledger.Transfer{
					From: who("from"), To: who("to"), Asset: rapid.SampledFrom(assets).Draw(t, "asset"),
					Amount: ledger.NewAmount(rapid.Uint64Range(0, 60).Draw(t, "amount")), LogIndex: ledger.NoLog,
				})
			}
			if rapid.Bool().Draw(t, "fee") {
				tx.Fee = ledger.Fee{
					Payer: who("payer"), Burned: ledger.NewAmount(rapid.Uint64Range(0, 3).Draw(t, "burned")),
					Tip: ledger.NewAmount(rapid.Uint64Range(0, 2).Draw(t, "tip")),
				}
				if rapid.Bool().Draw(t, "earned") {
					tx.Fee.Producer = who("producer")
				}
			}
			if kind := rapid.IntRange(0, 9).Draw(t, "says"); kind < 3 {
				tx.Messages = []ledger.Message{saidBy(kind, who("speaker"), uint32(b.txs))}
			}
			if !tx.Failed && rapid.IntRange(0, 5).Draw(t, "creates") == 0 {
				tx.Messages = append(tx.Messages, drawCreations(t, who)...)
			}
			if rapid.IntRange(0, 9).Draw(t, "freezes") == 0 {
				tx.Freezes = []ledger.Freeze{{
					Holder: who("holder"), Asset: rapid.SampledFrom(assets).Draw(t, "asset"), Lifted: rapid.IntRange(0, 2).Draw(t, "lifted") == 0,
					After: uint32(rapid.IntRange(0, len(tx.Transfers)).Draw(t, "after")),
				}}
			}
			txs = append(txs, tx)
		}
		if rapid.IntRange(0, 4).Draw(t, "issues") == 0 {
			txs = append(txs, ledger.Tx{ID: txID(b.txs), Coinbase: true, Transfers: []ledger.Transfer{{
				To: who("paid"), Asset: assets[0], Amount: ledger.NewAmount(rapid.Uint64Range(1, 9).Draw(t, "reward")), LogIndex: ledger.NoLog, Kind: ledger.Reward,
			}}})
			b.txs++
		}
		block := b.block(txs...)
		if rapid.IntRange(0, 2).Draw(t, "opening") == 0 {
			block.Openings = []ledger.Opening{{
				Address: who("opened"), Asset: rapid.SampledFrom(assets).Draw(t, "asset"),
				Amount: ledger.NewAmount(rapid.Uint64Range(0, 80).Draw(t, "balance")), Before: block.Height,
			}}
		}
		blocks = append(blocks, block)
	}
	return blocks
}
