package evm

import (
	"slices"

	"coldtrail/ledger"
)

// plainGas is what a transaction costs that runs no code (yellow paper, G_transaction).
const plainGas = 21_000

// Ledger turns a block into the ledger's words: every unit of value that moved, in
// order of execution, then the fee. What the protocol itself paid out (block
// rewards, withdrawals) is the block's last entry. A block that contradicts itself
// is a *DataError.
func (b *Block) Ledger(network *Network) (*ledger.Block, error) {
	if err := b.sortTxs(); err != nil {
		return nil, err
	}
	out := &ledger.Block{
		Chain: network.Chain(), Height: b.Number, Hash: b.Hash, Parent: b.Parent, Time: b.Time,
		Provenance: b.Provenance, Openings: b.Openings,
	}
	native := out.Chain.Native()
	n := normaliser{block: b, network: network, native: native, prefix: string(out.Chain) + "/erc20:0x", assets: map[ledger.Address]ledger.Asset{}}
	out.Txs = make([]ledger.Tx, len(b.Txs), len(b.Txs)+1)
	for i := range b.Txs {
		if err := n.tx(&b.Txs[i], &out.Txs[i]); err != nil {
			return nil, err
		}
	}
	if paid := n.issuance(); len(paid) > 0 {
		if b.Hash.IsZero() {
			return nil, b.fault(nil, "it pays rewards or withdrawals but has no hash to file them under")
		}
		index := uint32(0)
		if len(b.Txs) > 0 {
			index = b.Txs[len(b.Txs)-1].Index + 1
		}
		out.Txs = append(out.Txs, ledger.Tx{ID: b.Hash, Index: index, Coinbase: true, Transfers: paid})
	}
	return out, nil
}

// normaliser turns the transactions of one block.
type normaliser struct {
	block   *Block
	network *Network
	native  ledger.Asset
	prefix  string
	assets  map[ledger.Address]ledger.Asset
}

func (n *normaliser) tx(tx *Tx, out *ledger.Tx) (err error) {
	*out = ledger.Tx{ID: tx.Hash, Index: tx.Index, Failed: tx.Failed}
	if out.Fee, err = n.fee(tx); err != nil {
		return err
	}
	if !tx.Minted.IsZero() { // it stays even where the transaction fails
		out.Failed = false
		n.move(out, &Move{To: tx.From, Value: tx.Minted}, ledger.Reward)
	}
	if tx.Failed {
		return nil
	}
	to := tx.To
	if to.IsZero() {
		to = tx.Created
	}
	n.move(out, &Move{From: tx.From, To: to, Value: tx.Value}, ledger.Ordinary)
	if len(tx.Note) > 0 && len(tx.Logs) == 0 && !tx.Value.IsZero() {
		out.Messages = append(out.Messages, ledger.Message{Kind: ledger.Calldata, Data: tx.Note})
	}
	n.inside(tx, out)
	creations(tx, out)
	return nil
}

// inside adds what happened inside a transaction that succeeded.
func (n *normaliser) inside(tx *Tx, out *ledger.Tx) {
	switch tx.Trace {
	case OrderedTrace:
		for i := range tx.Steps {
			if s := &tx.Steps[i]; s.Log >= 0 {
				n.log(tx, s.Log, out)
			} else {
				n.move(out, &s.Move, ledger.Internal)
			}
		}
		return
	case FlatTrace:
		for i := range tx.Steps {
			n.move(out, &tx.Steps[i].Move, ledger.Internal)
		}
	case NoTrace:
		out.External = tx.Calls || tx.GasUsed > plainGas || len(tx.Logs) > 0
	}
	internal := len(out.Transfers)
	for i := range tx.Logs {
		n.log(tx, i, out)
	}
	out.Approximate = tx.Trace == FlatTrace && internal > 1 && len(out.Transfers) > internal
}

// creations adds the contracts that the transaction made: first the one that it is
// itself the creation of. Where there is a receiver a receipt's contract is not taken:
// networks that make accounts by calls state there what they like.
func creations(tx *Tx, out *ledger.Tx) {
	made := uint32(0)
	add := func(contract, creator ledger.Address) {
		if !contract.IsZero() && !creator.IsZero() {
			out.Messages = append(out.Messages, ledger.Message{Kind: ledger.Creation, Contract: contract, Position: made, Data: creator.Bytes()})
			made++
		}
	}
	if tx.To.IsZero() {
		add(tx.Created, tx.From)
	}
	for i := range tx.Creations {
		add(tx.Creations[i].Contract, tx.Creations[i].Creator)
	}
}

// move adds a move of the native asset.
func (n *normaliser) move(out *ledger.Tx, m *Move, kind ledger.TransferKind) {
	if !m.Value.IsZero() {
		out.Transfers = append(out.Transfers, ledger.Transfer{
			From: m.From, To: m.To, Asset: n.native, Amount: m.Value, LogIndex: ledger.NoLog, Kind: kind,
		})
	}
}

// log adds what an event moves or binds; any other event travels undecoded, for
// the decoders of bridges.
func (n *normaliser) log(tx *Tx, at int, out *ledger.Tx) {
	l := &tx.Logs[at]
	if len(l.Topics) > 0 && (l.Contract == n.network.Mirror || n.moves(tx, at, out)) {
		return
	}
	if len(l.Topics) > 0 {
		if holder, lifted, ok := l.asFreeze(); ok {
			out.Freezes = append(out.Freezes, ledger.Freeze{Holder: holder, Asset: n.asset(l.Contract), Lifted: lifted, After: uint32(len(out.Transfers))})
		}
		if l.Topics[0] == topicApproval {
			return // it moves nothing, and is a third of all events
		}
	}
	data := []byte{byte(len(l.Topics))}
	for i := range l.Topics {
		data = append(data, l.Topics[i][:]...)
	}
	out.Messages = append(out.Messages, ledger.Message{Kind: ledger.Log, Contract: l.Contract, Position: l.Index, Data: append(data, l.Data...)})
}

// moves adds the movement of a token that an event reports, and says whether it
// reports one.
func (n *normaliser) moves(tx *Tx, at int, out *ledger.Tx) bool {
	l := &tx.Logs[at]
	var t ledger.Transfer
	var ok bool
	switch l.Topics[0] {
	case topicTransfer:
		if t, ok = l.asTransfer(); ok && inShares(tx.Logs, l.Contract) {
			return true // the same movement follows in shares
		}
	case topicShares:
		t, ok = l.asTransfer()
		t.Kind = ledger.Shares
	case topicDeposit, topicWithdrawal:
		if l.Contract != n.network.Wrapped || l.Contract.IsZero() {
			return false
		}
		var who ledger.Address
		who, t.Amount, ok = l.asWrapping()
		t.From, t.To = zeroAddress, who
		if l.Topics[0] == topicWithdrawal {
			t.From, t.To = who, zeroAddress
		}
		if ok && reported(tx.Logs, l.Contract, &t) {
			return true // some wrappers report it as a Transfer too
		}
	case topicDestroyed:
		if t.From, t.Amount, ok = l.asDestroyed(); ok {
			t.To = zeroAddress
			ok = !reported(tx.Logs, l.Contract, &t)
		}
	}
	if !ok {
		return false
	}
	t.Asset, t.LogIndex = n.asset(l.Contract), int32(l.Index&0x7fffffff)
	out.Transfers = append(out.Transfers, t)
	return true
}

// zeroAddress is where EIP-20 tokens come from and end.
var zeroAddress = ledger.NewAddress(ledger.EVMAccount, make([]byte, 20))

// inShares says that a contract reports its movements in shares as well.
func inShares(logs []Log, contract ledger.Address) bool {
	return slices.ContainsFunc(logs, func(l Log) bool {
		return l.Contract == contract && len(l.Topics) == 3 && l.Topics[0] == topicShares && len(l.Data) == 32
	})
}

// reported says that a contract reports the same movement by a Transfer event.
func reported(logs []Log, contract ledger.Address, t *ledger.Transfer) bool {
	return slices.ContainsFunc(logs, func(l Log) bool {
		if l.Contract != contract || len(l.Topics) == 0 || l.Topics[0] != topicTransfer {
			return false
		}
		have, ok := l.asTransfer()
		return ok && have.From == t.From && have.To == t.To && have.Amount.Eq(&t.Amount)
	})
}

func (n *normaliser) asset(contract ledger.Address) ledger.Asset {
	asset, ok := n.assets[contract]
	if !ok {
		asset = ledger.Asset(n.prefix + hexOf(&contract))
		n.assets[contract] = asset
	}
	return asset
}

// fee is what the transaction cost its sender: gas at the base fee and blob gas are
// burned (EIP-1559, EIP-4844), the rest is the tip.
func (n *normaliser) fee(tx *Tx) (ledger.Fee, error) {
	if tx.Fee != nil {
		return *tx.Fee, nil
	}
	fee := ledger.Fee{Payer: tx.From}
	gas, blobGas, base := ledger.NewAmount(tx.GasUsed), ledger.NewAmount(tx.BlobGas), n.block.BaseFee
	if tx.GasPrice.IsZero() {
		base.Clear() // a rollup's deposit, or a network without fees
	}
	if tx.GasPrice.Lt(&base) {
		return fee, n.block.fault(tx, "it pays %s wei per gas, less than the block's base fee of %s", tx.GasPrice.Dec(), base.Dec())
	}
	var tip, blobs ledger.Amount
	tip.Sub(&tx.GasPrice, &base)
	_, over1 := fee.Burned.MulOverflow(&gas, &base)
	_, over2 := fee.Tip.MulOverflow(&gas, &tip)
	_, over3 := blobs.MulOverflow(&blobGas, &tx.BlobPrice)
	_, over4 := fee.Burned.AddOverflow(&fee.Burned, &blobs)
	_, over5 := fee.Tip.AddOverflow(&fee.Tip, &tx.DataFee)
	if over1 || over2 || over3 || over4 || over5 {
		return fee, n.block.fault(tx, "its fee does not fit 256 bits")
	}
	if n.network.Fees == BurnBase {
		fee.Producer = n.block.Producer
		return fee, nil
	}
	if _, over := fee.Tip.AddOverflow(&fee.Tip, &fee.Burned); over {
		return fee, n.block.fault(tx, "its fee does not fit 256 bits")
	}
	fee.Burned.Clear()
	return fee, nil
}

// issuance is what the protocol itself moved: rewards, then withdrawals. Only the
// irregular change of state of the DAO fork took it from somebody.
func (n *normaliser) issuance() (paid []ledger.Transfer) {
	move := func(m Move) {
		if !m.Value.IsZero() {
			paid = append(paid, ledger.Transfer{From: m.From, To: m.To, Asset: n.native, Amount: m.Value, LogIndex: ledger.NoLog, Kind: ledger.Reward})
		}
	}
	pay := func(to ledger.Address, wei ledger.Amount) { move(Move{To: to, Value: wei}) }
	for i := range n.block.Rewards {
		move(n.block.Rewards[i])
	}
	if base := n.network.reward(n.block.Number); base > 0 && n.block.Rewards == nil {
		for _, uncle := range n.block.Uncles { // depth is 1 to 6
			pay(uncle.Producer, ledger.NewAmount((base/8)*(8-min(8, uint64(n.block.Number-min(uncle.Number, n.block.Number))))))
		}
		pay(n.block.Producer, ledger.NewAmount(base+base/32*uint64(min(len(n.block.Uncles), 2))))
	}
	for _, w := range n.block.Withdrawals {
		gwei, unit := ledger.NewAmount(w.Gwei), ledger.NewAmount(1e9)
		pay(w.Address, *gwei.Mul(&gwei, &unit))
	}
	return paid
}
