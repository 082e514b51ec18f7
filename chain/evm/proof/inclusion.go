package proof

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/rlp"
	"github.com/ethereum/go-ethereum/trie"

	"coldtrail/chain/evm"
	"coldtrail/ledger"
)

// A Branch is the nodes of a Merkle-Patricia tree from its root to one value (yellow
// paper, appendix D).
type Branch [][]byte

// Inclusion proves one transaction and its receipt against a header. Before is the branch
// of the receipt before it, from which the gas that it used follows; the first
// transaction of a block has none.
type Inclusion struct {
	Index       uint32
	Transaction Branch
	Receipt     Branch
	Before      Branch
}

// The bounds of a branch: no key has more than nine bytes.
const (
	maxNodes = 20
	maxNode  = 16 << 20
)

// RawHeader is the RLP of the header.
func (p *Parts) RawHeader() ([]byte, error) { return rlp.EncodeToBytes(p.Header) }

// Find gives the position of a transaction.
func (p *Parts) Find(id ledger.Hash) (uint32, bool) {
	for i, tx := range p.Body.Transactions {
		if ledger.Hash(tx.Hash()) == id {
			return uint32(i), true
		}
	}
	return 0, false
}

// Inclusion makes the proof of a transaction. Call Verify first.
func (p *Parts) Inclusion(index uint32) (in Inclusion, err error) {
	if int(index) >= len(p.Body.Transactions) || len(p.Receipts) != len(p.Body.Transactions) {
		return in, p.fail("transactions", fmt.Sprintf("it has no transaction %d with a receipt", index))
	}
	in.Index = index
	if in.Transaction, err = branchOf(types.Transactions(p.Body.Transactions), index, p.Header.TxHash); err == nil {
		in.Receipt, err = branchOf(p.Receipts, index, p.Header.ReceiptHash)
	}
	if err == nil && index > 0 {
		in.Before, err = branchOf(p.Receipts, index-1, p.Header.ReceiptHash)
	}
	return in, err
}

// collector keeps the nodes on the way to one key.
type collector struct {
	*trie.StackTrie

	key   []byte // in nibbles
	nodes Branch // by depth, deepest first
}

// Update adds a value; the tree keeps it.
func (c *collector) Update(key, value []byte) error {
	return c.StackTrie.Update(bytes.Clone(key), bytes.Clone(value))
}

// branchOf collects the nodes on the way to a value of a list.
func branchOf(list types.DerivableList, index uint32, root common.Hash) (Branch, error) {
	c := &collector{}
	for _, b := range rlp.AppendUint64(nil, uint64(index)) {
		c.key = append(c.key, b>>4, b&15)
	}
	byDepth := map[int][]byte{}
	c.StackTrie = trie.NewStackTrie(func(path []byte, _ common.Hash, blob []byte) {
		if bytes.HasPrefix(c.key, path) {
			byDepth[len(path)] = bytes.Clone(blob)
		}
	})
	if types.DeriveSha(list, c) != root {
		return nil, errors.New("the list does not have the root that the header states")
	}
	for depth := 0; depth <= len(c.key); depth++ {
		if node, ok := byDepth[depth]; ok {
			c.nodes = append(c.nodes, node)
		}
	}
	return c.nodes, nil
}

// nodes lets the nodes of a branch be found by their hashes.
type nodes map[common.Hash][]byte

// Has says whether a node is in the branch.
func (n nodes) Has(hash []byte) (bool, error) {
	_, ok := n[common.BytesToHash(hash)]
	return ok, nil
}

var errNode = errors.New("a node is not in the branch")

// Get gives a node.
func (n nodes) Get(hash []byte) ([]byte, error) {
	node, ok := n[common.BytesToHash(hash)]
	if !ok {
		return nil, errNode
	}
	return node, nil
}

// value is what a branch proves to stand at a position under a root.
func (b Branch) value(root common.Hash, index uint32) ([]byte, error) {
	if len(b) > maxNodes {
		return nil, fmt.Errorf("a branch of %d nodes, at most %d", len(b), maxNodes)
	}
	found := nodes{}
	for _, node := range b {
		if len(node) > maxNode {
			return nil, fmt.Errorf("a node of %d bytes, at most %d", len(node), maxNode)
		}
		found[common.Hash(evm.Keccak(node))] = node
	}
	value, err := trie.VerifyProof(root, rlp.AppendUint64(nil, uint64(index)), found)
	if err == nil && len(value) == 0 {
		err = errors.New("nothing stands there")
	}
	return value, err
}

// DecodeHeader reads the RLP of a header, to the last byte.
func DecodeHeader(raw []byte) (*Parts, error) {
	p := &Parts{Header: &types.Header{}}
	if len(raw) > maxBytes {
		return nil, &Error{Part: "header", Reason: "it is larger than 64 MiB"}
	}
	if err := rlp.DecodeBytes(raw, p.Header); err != nil {
		return nil, &Error{Part: "header", Reason: err.Error()}
	}
	if !p.Header.Number.IsUint64() {
		return nil, &Error{Part: "header", Reason: "its number does not fit 64 bits"}
	}
	return p, nil
}

// Proven is the transaction that an inclusion proves to be in the block of a header, in
// the ledger's words. Positions of events count from the transaction's first, because
// nothing tells how many came before it; there are no internal moves.
func (p *Parts) Proven(in *Inclusion, network *evm.Network) (*ledger.Tx, error) {
	raw, err := in.Transaction.value(p.Header.TxHash, in.Index)
	if err != nil {
		return nil, p.fail("transactions", fmt.Sprintf("position %d: %v", in.Index, err))
	}
	tx := &types.Transaction{}
	if err := tx.UnmarshalBinary(raw); err != nil {
		return nil, p.fail("transactions", fmt.Sprintf("position %d: %v", in.Index, err))
	}
	receipt, err := p.receipt(in.Receipt, in.Index)
	if err != nil {
		return nil, err
	}
	one := &Parts{Header: p.Header, Body: types.Body{Transactions: []*types.Transaction{tx}}, Receipts: types.Receipts{receipt}}
	a := assembler{Parts: one, signer: p.signer(network)}
	if in.Index > 0 {
		before, err := p.receipt(in.Before, in.Index-1)
		if err != nil {
			return nil, err
		}
		a.gas = before.CumulativeGasUsed
	}
	return a.alone(in.Index, network)
}

// receipt reads a receipt that a branch proves.
func (p *Parts) receipt(b Branch, index uint32) (*types.Receipt, error) {
	raw, err := b.value(p.Header.ReceiptHash, index)
	r := &types.Receipt{}
	if err == nil {
		err = r.UnmarshalBinary(raw)
	}
	if err != nil {
		return nil, p.fail("receipts", fmt.Sprintf("position %d: %v", index, err))
	}
	return r, nil
}

// alone turns the only transaction of the parts into the ledger's words.
func (a *assembler) alone(index uint32, network *evm.Network) (*ledger.Tx, error) {
	one := *a.Parts
	transactions := one.Body.Transactions
	one.Body.Transactions = nil // the block without it, for what the header says
	b, err := one.Block(network, nil)
	if err != nil {
		return nil, err
	}
	if b.Cancun {
		price, ok := blobFee(a.Header)
		a.blobPrice = func(int) ledger.Amount { return price }
		if !ok && transactions[0].BlobGas() > 0 {
			return nil, a.fail("header", "its blob fee is not known")
		}
	}
	b.Txs = make([]evm.Tx, 1)
	if err := a.tx(0, &b.Txs[0]); err != nil {
		return nil, err
	}
	b.Txs[0].Index = index
	out, err := b.Ledger(network)
	if err != nil {
		return nil, err
	}
	return &out.Txs[0], nil
}
