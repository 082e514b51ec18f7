package parquet

import (
	"encoding/json"
	"fmt"
	"math"

	"coldtrail/chain/evm"
	"coldtrail/ledger"
)

// cancunTime is when Ethereum's Cancun fork began (EIP-7569), for files that do not
// show it by blob gas.
const cancunTime = 1_710_338_135

// assembly puts one block together from its rows.
type assembly struct {
	*gathered
	block   evm.Block
	byIndex map[uint32]int
	byHash  map[ledger.Hash]int
	forced  []ledger.Transfer // moves that the protocol forced, between accounts
}

// block turns the rows of a block into the ledger's words.
func (g *gathered) block(network *evm.Network) (*ledger.Block, error) {
	a := assembly{gathered: g, byIndex: map[uint32]int{}, byHash: map[ledger.Hash]int{}}
	if err := a.header(network); err != nil {
		return nil, err
	}
	for _, r := range g.rows[transactions] {
		if err := a.tx(r); err != nil {
			return nil, err
		}
	}
	steps := []func() error{a.count, a.logs, a.traces, a.statuses}
	for _, step := range steps {
		if err := step(); err != nil {
			return nil, err
		}
	}
	out, err := a.block.Ledger(network)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", g.rows[blocks][0].file.path, err)
	}
	a.force(out)
	return out, nil
}

// header reads the row of the block.
func (a *assembly) header(network *evm.Network) (err error) {
	r, b := a.rows[blocks][0], &a.block
	b.Number, b.Provenance = a.number, ledger.File
	if b.Hash, err = take(r, blockHash, hashOf); err != nil {
		return err
	}
	if b.Parent, err = maybe(r, blockParent, hashOf); err != nil {
		return err
	}
	if b.Time, err = take(r, blockTime, (*leaf).time); err != nil {
		return err
	}
	if b.Producer, err = maybe(r, blockProducer, addressOf); err != nil {
		return err
	}
	if b.BaseFee, err = maybe(r, blockBaseFee, (*leaf).amount); err != nil {
		return err
	}
	if r.has(blockChain) {
		id, err := take(r, blockChain, (*leaf).number)
		if err == nil && id != network.ID {
			err = r.fault(blockChain, fmt.Errorf("the block is of chain %d, not of %d", id, network.ID))
		}
		if err != nil {
			return err
		}
	}
	b.Cancun = r.has(blockBlobGas) || r.leaves[blockBlobGas] == nil && network.ID == 1 && b.Time >= cancunTime
	return a.withdrawals(r)
}

// withdrawals reads what validators were paid out: a list in JSON, in gwei.
func (a *assembly) withdrawals(r *row) error {
	text, err := maybe(r, blockWithdrawals, textOf)
	if err != nil || text == "" {
		return err
	}
	var list []struct {
		Address string      `json:"address"`
		Amount  json.Number `json:"amount"`
	}
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		return r.fault(blockWithdrawals, err)
	}
	for _, w := range list {
		address, err := evm.Notation{}.ParseAddress(w.Address)
		if err != nil {
			return r.fault(blockWithdrawals, err)
		}
		gwei, err := ledger.ParseAmount(w.Amount.String())
		if err == nil && !gwei.IsUint64() {
			err = fmt.Errorf("amount %s does not fit 64 bits", gwei.Dec())
		}
		if err != nil {
			return r.fault(blockWithdrawals, err)
		}
		a.block.Withdrawals = append(a.block.Withdrawals, evm.Withdrawal{Address: address, Gwei: gwei.Uint64()})
	}
	return nil
}

// tx reads the row of a transaction.
func (a *assembly) tx(r *row) (err error) {
	var tx evm.Tx
	if tx.Hash, err = take(r, txHash, hashOf); err != nil {
		return err
	}
	if tx.Index, err = take(r, txIndex, smallOf); err != nil {
		return err
	}
	if tx.From, err = take(r, txFrom, addressOf); err != nil {
		return err
	}
	if tx.To, err = maybe(r, txTo, addressOf); err != nil {
		return err
	}
	if tx.Created, err = maybe(r, txCreated, addressOf); err != nil {
		return err
	}
	if tx.Value, err = take(r, txValue, (*leaf).amount); err != nil {
		return err
	}
	if err := gas(r, &tx); err != nil {
		return err
	}
	tx.Calls = tx.To.IsZero()
	if r.has(txStatus) {
		good, err := take(r, txStatus, (*leaf).flag)
		if err != nil {
			return err
		}
		tx.Failed = !good
	}
	if _, ok := a.byIndex[tx.Index]; ok {
		return r.bad("another transaction is %s", a.key(tx.Index))
	}
	if _, ok := a.byHash[tx.Hash]; ok {
		return r.bad("transaction 0x%s is twice in block %d", tx.Hash, a.number)
	}
	a.byIndex[tx.Index], a.byHash[tx.Hash] = len(a.block.Txs), len(a.block.Txs)
	a.block.Txs = append(a.block.Txs, tx)
	return nil
}

// gas reads what a transaction used and paid. Before EIP-1559 a receipt states no
// price, and the price is the transaction's own.
func gas(r *row, tx *evm.Tx) (err error) {
	if tx.GasUsed, err = take(r, txGas, (*leaf).number); err != nil {
		return err
	}
	price := txPrice
	if !r.has(txPrice) && r.has(txLegacyPrice) {
		price = txLegacyPrice
	}
	if tx.GasPrice, err = take(r, price, (*leaf).amount); err != nil {
		return err
	}
	if tx.BlobGas, err = maybe(r, txBlobGas, (*leaf).number); err != nil {
		return err
	}
	tx.BlobPrice, err = maybe(r, txBlobPrice, (*leaf).amount)
	return err
}

// count compares with the number of transactions that the block states, and wants
// their positions to be without a gap.
func (a *assembly) count() error {
	at := a.rows[blocks][0]
	if at.has(blockCount) {
		n, err := take(at, blockCount, (*leaf).number)
		if err != nil {
			return err
		}
		if n != uint64(len(a.block.Txs)) {
			return at.fault(blockCount, fmt.Errorf("block %d states %d transactions, and the table transactions has %d of them", a.number, n, len(a.block.Txs)))
		}
	}
	for i := range a.block.Txs {
		if _, ok := a.byIndex[uint32(i)]; !ok {
			return at.bad("%s is missing from the table transactions", a.key(uint32(i)))
		}
	}
	return nil
}

// find is the position of the transaction that a row of another table belongs to.
func (a *assembly) find(r *row, hashColumn, indexColumn int) (int, error) {
	hash, err := take(r, hashColumn, hashOf)
	if err != nil {
		return 0, err
	}
	i, ok := a.byHash[hash]
	if !ok {
		return 0, r.fault(hashColumn, fmt.Errorf("block %d has no transaction 0x%s in the table transactions", a.number, hash))
	}
	if indexColumn >= 0 && r.has(indexColumn) {
		index, err := take(r, indexColumn, smallOf)
		if err != nil {
			return 0, err
		}
		if index != a.block.Txs[i].Index {
			return 0, r.fault(indexColumn, fmt.Errorf("transaction 0x%s is at position %d in the table transactions", hash, a.block.Txs[i].Index))
		}
	}
	return i, nil
}

// statuses settles whether transactions failed whose receipt has no status (before
// EIP-658): their trace says so.
func (a *assembly) statuses() error {
	for _, r := range a.rows[transactions] {
		if r.has(txStatus) {
			continue
		}
		hash, err := take(r, txHash, hashOf)
		if err != nil {
			return err
		}
		if a.block.Txs[a.byHash[hash]].Trace == evm.NoTrace && !a.block.Txs[a.byHash[hash]].Failed {
			return r.fault(txStatus, fmt.Errorf("the receipt has no status, and without a trace it is not known whether the transaction failed; add the table traces"))
		}
	}
	return nil
}

// force adds what the protocol moved between accounts (the irregular state change of
// the DAO fork) to the block's last entry.
func (a *assembly) force(out *ledger.Block) {
	if len(a.forced) == 0 {
		return
	}
	if n := len(out.Txs); n == 0 || !out.Txs[n-1].Coinbase {
		index := uint32(0)
		if n > 0 {
			index = min(out.Txs[n-1].Index, math.MaxUint32-1) + 1
		}
		out.Txs = append(out.Txs, ledger.Tx{ID: out.Hash, Index: index, Coinbase: true})
	}
	last := &out.Txs[len(out.Txs)-1]
	for i := range a.forced {
		a.forced[i].Asset = out.Chain.Native()
	}
	last.Transfers = append(last.Transfers, a.forced...)
}
