// Package proof decodes blocks of Ethereum from RLP and recomputes everything that
// binds them: the block's hash from its header, the roots of its transactions,
// receipts, uncles and withdrawals, and every sender from its signature. What it
// hands out follows from the block hash alone (yellow paper, section 4.3).
package proof

import (
	"bytes"
	"errors"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/consensus/misc/eip4844"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/params"
	"github.com/ethereum/go-ethereum/rlp"
	"github.com/ethereum/go-ethereum/trie"
	"github.com/holiman/uint256"

	"coldtrail/chain/evm"
	"coldtrail/ledger"
)

// maxBytes bounds each part of a block; the largest blocks have a few megabytes.
const maxBytes = 64 << 20

// Parts are a block in the terms of the consensus rules.
type Parts struct {
	Header   *types.Header
	Body     types.Body
	Receipts types.Receipts
}

// An Error says which part of a block does not hold.
type Error struct {
	Block  ledger.Height
	Part   string // "header", "transactions", "receipts", "uncles", "withdrawals" or "sender"
	Reason string
}

// Error names the block, the part and the reason.
func (e *Error) Error() string {
	return fmt.Sprintf("block %d: %s: %s", e.Block, e.Part, e.Reason)
}

// Decode reads the RLP of a header, a body and the list of receipts, the receipts
// with their bloom filters (era1 files, eth/68) or without (eth/69, EIP-7642).
func Decode(header, body, receipts []byte) (*Parts, error) {
	p := &Parts{Header: &types.Header{}}
	if len(header) > maxBytes || len(body) > maxBytes || len(receipts) > maxBytes {
		return nil, &Error{Part: "header", Reason: "a part of the block is larger than 64 MiB"}
	}
	if err := rlp.DecodeBytes(header, p.Header); err != nil {
		return nil, &Error{Part: "header", Reason: err.Error()}
	}
	if !p.Header.Number.IsUint64() {
		return nil, &Error{Part: "header", Reason: "its number does not fit 64 bits"}
	}
	if err := rlp.DecodeBytes(body, &p.Body); err != nil {
		return nil, p.fail("transactions", err.Error())
	}
	var err error
	if p.Receipts, err = decodeReceipts(receipts); err != nil {
		return nil, p.fail("receipts", err.Error())
	}
	return p, nil
}

func decodeReceipts(encoded []byte) (types.Receipts, error) {
	var items []rlp.RawValue
	if err := rlp.DecodeBytes(encoded, &items); err != nil {
		return nil, err
	}
	receipts := make(types.Receipts, len(items))
	for i, item := range items {
		receipts[i] = &types.Receipt{}
		if isSlim(item) {
			if err := rlp.DecodeBytes(item, (*types.SlimReceipt)(receipts[i])); err != nil {
				return nil, fmt.Errorf("receipt %d: %w", i, err)
			}
		} else if err := rlp.DecodeBytes(item, receipts[i]); err != nil {
			return nil, fmt.Errorf("receipt %d: %w", i, err)
		}
		receipts[i].Bloom = types.CreateBloom(receipts[i])
	}
	return receipts, nil
}

// isSlim knows a receipt without bloom filter by its third item: gas used, and not
// the 256 bytes of a filter. Typed receipts are strings and have one.
func isSlim(item []byte) bool {
	kind, content, _, err := rlp.Split(item)
	if err != nil || kind != rlp.List {
		return false
	}
	var third []byte
	for range 3 {
		if _, third, content, err = rlp.Split(content); err != nil {
			return false
		}
	}
	return len(third) != types.BloomByteLength
}

// Height is the block's number.
func (p *Parts) Height() ledger.Height { return ledger.Height(p.Header.Number.Uint64()) }

// Hash is the block's hash, recomputed.
func (p *Parts) Hash() ledger.Hash { return ledger.Hash(p.Header.Hash()) }

func (p *Parts) fail(part, reason string) error {
	return &Error{Block: p.Height(), Part: part, Reason: reason}
}

// Verify checks that body and receipts are those that the header commits to.
func (p *Parts) Verify() error {
	h := p.Header
	hasher := trie.NewListHasher()
	if got := types.DeriveSha(types.Transactions(p.Body.Transactions), hasher); got != h.TxHash {
		return p.fail("transactions", fmt.Sprintf("their root is %s, the header says %s", got, h.TxHash))
	}
	if got := types.DeriveSha(p.Receipts, hasher); got != h.ReceiptHash {
		return p.fail("receipts", fmt.Sprintf("their root is %s, the header says %s", got, h.ReceiptHash))
	}
	if len(p.Receipts) != len(p.Body.Transactions) {
		return p.fail("receipts", fmt.Sprintf("%d for %d transactions", len(p.Receipts), len(p.Body.Transactions)))
	}
	if got := types.CalcUncleHash(p.Body.Uncles); got != h.UncleHash {
		return p.fail("uncles", fmt.Sprintf("their hash is %s, the header says %s", got, h.UncleHash))
	}
	switch {
	case h.WithdrawalsHash == nil && len(p.Body.Withdrawals) > 0:
		return p.fail("withdrawals", "the header knows of none")
	case h.WithdrawalsHash != nil:
		if got := types.DeriveSha(types.Withdrawals(p.Body.Withdrawals), hasher); got != *h.WithdrawalsHash {
			return p.fail("withdrawals", fmt.Sprintf("their root is %s, the header says %s", got, *h.WithdrawalsHash))
		}
	}
	return nil
}

// Block gives what the parts say, senders recovered from signatures. Call Verify
// first. Blob fees follow from the header by the schedule of the network; where it
// is not Ethereum's, blobPrice gives them, or is nil.
func (p *Parts) Block(network *evm.Network, blobPrice func(tx int) ledger.Amount) (*evm.Block, error) {
	h := p.Header
	b := &evm.Block{
		Number: p.Height(), Hash: p.Hash(), Parent: ledger.Hash(h.ParentHash),
		Producer: addressOf(h.Coinbase), Provenance: ledger.Proven, Cancun: h.ExcessBlobGas != nil,
	}
	if b.Time = int64(h.Time); b.Time < 0 {
		return nil, p.fail("header", "its time does not fit")
	}
	if h.BaseFee != nil && b.BaseFee.SetFromBig(h.BaseFee) {
		return nil, p.fail("header", "its base fee does not fit 256 bits")
	}
	for _, uncle := range p.Body.Uncles {
		if !uncle.Number.IsUint64() {
			return nil, p.fail("uncles", "a number does not fit 64 bits")
		}
		b.Uncles = append(b.Uncles, evm.Uncle{Number: ledger.Height(uncle.Number.Uint64()), Producer: addressOf(uncle.Coinbase)})
	}
	for _, w := range p.Body.Withdrawals {
		b.Withdrawals = append(b.Withdrawals, evm.Withdrawal{Address: addressOf(w.Address), Gwei: w.Amount})
	}
	if h.ExcessBlobGas != nil && network.ID == params.MainnetChainConfig.ChainID.Uint64() {
		price, ok := blobFee(h)
		if !ok {
			return nil, p.fail("header", "it has blob gas before the fork that brought it")
		}
		blobPrice = func(int) ledger.Amount { return price }
	}
	a := assembler{Parts: p, signer: p.signer(network), blobPrice: blobPrice}
	b.Txs = make([]evm.Tx, len(p.Body.Transactions))
	for i := range b.Txs {
		if err := a.tx(i, &b.Txs[i]); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// signer is how senders are recovered: by the rules of the block on Ethereum (before
// Homestead signatures were less strict, EIP-2), by the newest elsewhere.
func (p *Parts) signer(network *evm.Network) types.Signer {
	id := new(big.Int).SetUint64(network.ID)
	if id.Cmp(params.MainnetChainConfig.ChainID) == 0 {
		return types.MakeSigner(params.MainnetChainConfig, p.Header.Number, p.Header.Time)
	}
	return types.LatestSignerForChainID(id)
}

// blobFee is the price of blob gas by Ethereum's schedule (EIP-4844, EIP-7691,
// EIP-7892). The schedule panics before Cancun, so the fork is checked first.
func blobFee(h *types.Header) (price ledger.Amount, ok bool) {
	if !params.MainnetChainConfig.IsCancun(h.Number, h.Time) {
		return price, false
	}
	over := price.SetFromBig(eip4844.CalcBlobFee(params.MainnetChainConfig, h))
	return price, !over
}

// assembler turns transactions and receipts into the terms of package evm.
type assembler struct {
	*Parts
	signer    types.Signer
	blobPrice func(int) ledger.Amount
	gas       uint64 // used by the transactions before
	logs      uint32 // of the transactions before
}

func (a *assembler) tx(i int, out *evm.Tx) error {
	tx, receipt := a.Body.Transactions[i], a.Receipts[i]
	from, err := types.Sender(a.signer, tx)
	if err != nil {
		return a.fail("sender", fmt.Sprintf("transaction %s: %s", tx.Hash(), err))
	}
	if receipt.CumulativeGasUsed < a.gas {
		return a.fail("receipts", fmt.Sprintf("transaction %s: gas used falls", tx.Hash()))
	}
	*out = evm.Tx{
		Hash: ledger.Hash(tx.Hash()), Index: uint32(i), From: addressOf(from), Calls: len(tx.Data()) > 0 || tx.To() == nil, Note: evm.NoteOf(tx.Data()),
		GasUsed: receipt.CumulativeGasUsed - a.gas, BlobGas: tx.BlobGas(),
	}
	a.gas = receipt.CumulativeGasUsed
	if to := tx.To(); to != nil {
		out.To = addressOf(*to)
	} else {
		out.Created = CreatedBy(out.From, tx.Nonce())
	}
	price, err := effectivePrice(tx, a.Header.BaseFee)
	if err != nil || out.Value.SetFromBig(tx.Value()) {
		return a.fail("transactions", fmt.Sprintf("transaction %s: %v", tx.Hash(), errors.Join(err, errAmount)))
	}
	out.GasPrice = price
	if out.BlobGas > 0 && a.blobPrice != nil {
		out.BlobPrice = a.blobPrice(i)
	}
	out.Failed = failed(tx, receipt, out.GasUsed)
	for _, l := range receipt.Logs {
		entry := evm.Log{Index: a.logs, Contract: addressOf(l.Address), Data: l.Data, Topics: make([]ledger.Hash, len(l.Topics))}
		for j := range l.Topics {
			entry.Topics[j] = ledger.Hash(l.Topics[j])
		}
		out.Logs = append(out.Logs, entry)
		a.logs++
	}
	return nil
}

var errAmount = errors.New("an amount does not fit")

// failed says whether a transaction was reverted. Before Byzantium receipts do not
// say: gas left over, or an event, proves success; a call that used all its gas
// beyond the plain cost ran out of it.
func failed(tx *types.Transaction, receipt *types.Receipt, gasUsed uint64) bool {
	if len(receipt.PostState) == 0 {
		return receipt.Status == types.ReceiptStatusFailed
	}
	return len(receipt.Logs) == 0 && gasUsed == tx.Gas() && gasUsed > params.TxGas
}

// effectivePrice is what a unit of gas cost the sender (EIP-1559).
func effectivePrice(tx *types.Transaction, baseFee *big.Int) (price ledger.Amount, err error) {
	if baseFee == nil {
		if price.SetFromBig(tx.GasPrice()) {
			err = errAmount
		}
		return price, err
	}
	var base, tip, limit uint256.Int
	if base.SetFromBig(baseFee) || tip.SetFromBig(tx.GasTipCap()) || limit.SetFromBig(tx.GasFeeCap()) {
		return price, errAmount
	}
	if _, over := price.AddOverflow(&base, &tip); over || limit.Lt(&price) {
		price = limit
	}
	return price, nil
}

// CreatedBy is the address of the contract that an account's transaction with a
// nonce creates (yellow paper, section 7).
func CreatedBy(sender ledger.Address, nonce uint64) ledger.Address {
	var list bytes.Buffer
	if err := rlp.Encode(&list, []any{sender.Bytes(), nonce}); err != nil {
		panic(err) // bytes and a number always encode
	}
	hash := evm.Keccak(list.Bytes())
	return ledger.NewAddress(ledger.EVMAccount, hash[12:])
}

func addressOf(a common.Address) ledger.Address {
	return ledger.NewAddress(ledger.EVMAccount, a[:])
}
