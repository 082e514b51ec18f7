package parquet

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"

	"coldtrail/chain/evm"
	"coldtrail/ledger"
)

// exact turns the rows of a block of an export of ours back into the very block that
// was exported, but for its provenance.
func (g *gathered) exact(chain ledger.Chain) (*ledger.Block, error) {
	e := exactly{gathered: g, chain: chain, at: map[uint32]int{}, issuance: -1, out: &ledger.Block{Chain: chain, Height: g.number, Provenance: ledger.File}}
	steps := []func() error{e.header, e.txs, e.issued, e.native, e.tokens, e.finishTransfers, e.messages, e.freezes, e.openings}
	for _, step := range steps {
		if err := step(); err != nil {
			return nil, err
		}
	}
	return e.out, nil
}

// exactly puts one exported block together.
type exactly struct {
	*gathered
	chain    ledger.Chain
	out      *ledger.Block
	at       map[uint32]int // by transaction_index
	issuance int            // position of the entry that no transaction made; -1 is none
	moves    []placed
}

// placed is a transfer, and where it belongs.
type placed struct {
	row      *row
	tx       int
	order    uint32
	transfer ledger.Transfer
}

func (e *exactly) header() (err error) {
	r := e.rows[blocks][0]
	if e.out.Hash, err = maybe(r, blockHash, hashOf); err != nil {
		return err
	}
	if e.out.Parent, err = maybe(r, blockParent, hashOf); err != nil {
		return err
	}
	e.out.Time, err = take(r, blockTime, (*leaf).time)
	return err
}

func (e *exactly) txs() error {
	for _, r := range e.rows[transactions] {
		tx, err := exactTx(r)
		if err != nil {
			return err
		}
		if n := len(e.out.Txs); n > 0 && e.out.Txs[n-1].Index >= tx.Index {
			return r.bad("%s follows transaction %d", e.key(tx.Index), e.out.Txs[n-1].Index)
		}
		e.at[tx.Index] = len(e.out.Txs)
		e.out.Txs = append(e.out.Txs, tx)
	}
	r := e.rows[blocks][0]
	n, err := take(r, blockCount, (*leaf).number)
	if err == nil && n != uint64(len(e.out.Txs)) {
		err = r.fault(blockCount, fmt.Errorf("block %d states %d transactions, and the table transactions has %d of them", e.number, n, len(e.out.Txs)))
	}
	return err
}

// exactTx reads a transaction without what moved in it.
func exactTx(r *row) (tx ledger.Tx, err error) {
	if tx.ID, err = take(r, txHash, hashOf); err != nil {
		return tx, err
	}
	if tx.Index, err = take(r, txIndex, smallOf); err != nil {
		return tx, err
	}
	good, err := take(r, txStatus, (*leaf).flag)
	if err != nil {
		return tx, err
	}
	tx.Failed = !good
	if tx.Approximate, err = take(r, ownApproximate, (*leaf).flag); err != nil {
		return tx, err
	}
	if tx.External, err = take(r, ownExternal, (*leaf).flag); err != nil {
		return tx, err
	}
	if tx.Fee.Payer, err = maybe(r, ownFeePayer, addressOf); err != nil {
		return tx, err
	}
	if tx.Fee.Burned, err = take(r, ownFeeBurned, (*leaf).amount); err != nil {
		return tx, err
	}
	if tx.Fee.Tip, err = take(r, ownFeeTip, (*leaf).amount); err != nil {
		return tx, err
	}
	tx.Fee.Producer, err = maybe(r, ownFeeProducer, addressOf)
	return tx, err
}

// issued adds the entry of what the protocol itself paid out.
func (e *exactly) issued() error {
	r := e.rows[blocks][0]
	if !r.has(ownIssuanceID) {
		return nil
	}
	id, err := take(r, ownIssuanceID, hashOf)
	if err != nil {
		return err
	}
	index, err := take(r, ownIssuanceIndex, smallOf)
	if err != nil {
		return err
	}
	e.issuance = len(e.out.Txs)
	e.out.Txs = append(e.out.Txs, ledger.Tx{ID: id, Index: index, Coinbase: true})
	return nil
}

// owner is the position of the transaction that a row belongs to; a row without one
// belongs to what the protocol paid out.
func (e *exactly) owner(r *row, indexColumn int) (int, error) {
	if !r.has(indexColumn) {
		if e.issuance < 0 {
			return 0, r.fault(indexColumn, errEmpty)
		}
		return e.issuance, nil
	}
	index, err := take(r, indexColumn, smallOf)
	if err != nil {
		return 0, err
	}
	i, ok := e.at[index]
	if !ok {
		return 0, r.fault(indexColumn, fmt.Errorf("%s is not in the table transactions", e.key(index)))
	}
	return i, nil
}

// movement names the columns of a transfer in one of the two tables of them.
type movement struct{ index, from, to, value, order, kind, log int }

var (
	nativeColumns = movement{traceTxIndex, traceFrom, traceTo, traceValue, ownTraceOrder, ownTraceKind, ownTraceLog}
	tokenColumns  = movement{ownTokenTxIndex, tokenFrom, tokenTo, tokenValue, ownTokenOrder, ownTokenKind, tokenLogIndex}
)

func (e *exactly) native() error {
	for _, r := range e.rows[traces] {
		if err := e.move(r, &nativeColumns, e.chain.Native()); err != nil {
			return err
		}
	}
	return nil
}

func (e *exactly) tokens() error {
	for _, r := range e.rows[tokenTransfers] {
		asset, err := e.asset(r, ownTokenAsset)
		if err == nil {
			err = e.move(r, &tokenColumns, asset)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (e *exactly) asset(r *row, column int) (ledger.Asset, error) {
	text, err := take(r, column, textOf)
	if err != nil {
		return "", err
	}
	asset, err := e.chain.ParseAsset(text)
	if err != nil {
		return "", r.fault(column, err)
	}
	return asset, nil
}

// move reads a transfer.
func (e *exactly) move(r *row, c *movement, asset ledger.Asset) (err error) {
	p := placed{row: r, transfer: ledger.Transfer{Asset: asset, LogIndex: ledger.NoLog}}
	if p.tx, err = e.owner(r, c.index); err != nil {
		return err
	}
	if p.order, err = take(r, c.order, smallOf); err != nil {
		return err
	}
	t := &p.transfer
	if t.From, err = maybe(r, c.from, addressOf); err != nil {
		return err
	}
	if t.To, err = maybe(r, c.to, addressOf); err != nil {
		return err
	}
	if t.Amount, err = take(r, c.value, (*leaf).amount); err != nil {
		return err
	}
	kind, err := take(r, c.kind, smallOf)
	if err != nil {
		return err
	}
	if kind > uint32(ledger.Shares) {
		return r.fault(c.kind, fmt.Errorf("%d is no kind of transfer", kind))
	}
	t.Kind = ledger.TransferKind(kind)
	if r.has(c.log) {
		index, err := take(r, c.log, smallOf)
		if err != nil {
			return err
		}
		t.LogIndex = int32(index)
	}
	e.moves = append(e.moves, p)
	return nil
}

// finishTransfers puts the transfers into the order of the export, from which none
// may be missing.
func (e *exactly) finishTransfers() error {
	slices.SortStableFunc(e.moves, func(a, b placed) int { return cmp.Or(cmp.Compare(a.tx, b.tx), cmp.Compare(a.order, b.order)) })
	for i := range e.moves {
		p := &e.moves[i]
		tx := &e.out.Txs[p.tx]
		if int(p.order) != len(tx.Transfers) {
			return p.row.bad("transfer %d of %s is here where transfer %d is due", p.order, e.key(tx.Index), len(tx.Transfers))
		}
		tx.Transfers = append(tx.Transfers, p.transfer)
	}
	return nil
}

// ordered sorts rows by a column of positions.
func ordered(rows []*row, column int) error {
	at := map[*row]uint32{}
	for _, r := range rows {
		n, err := take(r, column, smallOf)
		if err != nil {
			return err
		}
		at[r] = n
	}
	slices.SortStableFunc(rows, func(a, b *row) int { return cmp.Compare(at[a], at[b]) })
	return nil
}

// messages reads the events that travel undecoded, calldata and creations.
func (e *exactly) messages() error {
	if err := ordered(e.rows[logs], ownLogOrder); err != nil {
		return err
	}
	for _, r := range e.rows[logs] {
		i, err := e.owner(r, logTxIndex)
		if err != nil {
			return err
		}
		m, err := exactMessage(r)
		if err != nil {
			return err
		}
		e.out.Txs[i].Messages = append(e.out.Txs[i].Messages, m)
	}
	return nil
}

// exactMessage reads a row of the table logs; where it stands says what it is.
func exactMessage(r *row) (m ledger.Message, err error) {
	position, err := take(r, logIndex, (*leaf).number)
	if err != nil {
		return m, err
	}
	if m.Contract, err = maybe(r, logAddress, addressOf); err != nil {
		return m, err
	}
	topics, err := topicsOf(r)
	if err != nil {
		return m, err
	}
	data, err := maybe(r, logData, (*leaf).payload)
	if err != nil {
		return m, err
	}
	switch {
	case position <= math.MaxInt32:
		m.Kind, m.Position, m.Data = ledger.Log, uint32(position), []byte{byte(len(topics))}
		for _, topic := range topics {
			m.Data = append(m.Data, topic[:]...)
		}
		m.Data = append(m.Data, data...)
	case position == noPosition:
		m = ledger.Message{Kind: ledger.Calldata, Data: data}
	case position >= creationPosition && position <= lastPosition:
		m.Kind, m.Position, m.Data = ledger.Creation, uint32(position-creationPosition), data
		if m.Creator().IsZero() {
			return m, r.fault(logData, errors.New("a contract is created by none"))
		}
	default:
		return m, r.fault(logIndex, fmt.Errorf("an event at %d, beyond any block", position))
	}
	return m, nil
}

func (e *exactly) freezes() error {
	if err := ordered(e.rows[freezes], freezeOrder); err != nil {
		return err
	}
	for _, r := range e.rows[freezes] {
		i, err := e.owner(r, freezeTxIndex)
		if err != nil {
			return err
		}
		var f ledger.Freeze
		if f.Holder, err = maybe(r, freezeHolder, addressOf); err != nil {
			return err
		}
		if f.Asset, err = e.asset(r, freezeAsset); err != nil {
			return err
		}
		if f.Lifted, err = take(r, freezeLifted, (*leaf).flag); err != nil {
			return err
		}
		if f.After, err = take(r, freezeAfter, smallOf); err != nil {
			return err
		}
		e.out.Txs[i].Freezes = append(e.out.Txs[i].Freezes, f)
	}
	return nil
}

func (e *exactly) openings() error {
	if err := ordered(e.rows[openings], openingOrder); err != nil {
		return err
	}
	for _, r := range e.rows[openings] {
		var o ledger.Opening
		var err error
		if o.Address, err = maybe(r, openingAddress, addressOf); err != nil {
			return err
		}
		if o.Asset, err = e.asset(r, openingAsset); err != nil {
			return err
		}
		if o.Amount, err = take(r, openingAmount, (*leaf).amount); err != nil {
			return err
		}
		before, err := take(r, openingBefore, (*leaf).number)
		if err != nil {
			return err
		}
		o.Before = ledger.Height(before)
		e.out.Openings = append(e.out.Openings, o)
	}
	return nil
}

// contractText is the token's contract as the layout writes it; empty for others.
func contractText(asset ledger.Asset) string {
	contract := evm.ContractOf(asset)
	return addressText(&contract)
}
