package parquet

import (
	"encoding/hex"
	"errors"
	"fmt"
	"math"

	"coldtrail/ledger"
)

// blockRow is a row of the table blocks. Times are milliseconds since 1970.
type blockRow struct {
	Number    int64   `parquet:"number,delta"`
	Hash      *string `parquet:"hash,optional"`
	Parent    *string `parquet:"parent_hash,optional"`
	Time      int64   `parquet:"timestamp,timestamp(millisecond)"`
	Count     int64   `parquet:"transaction_count"`
	Issuance  *string `parquet:"coldtrail_issuance_id,optional"`
	IssuedAt  *int64  `parquet:"coldtrail_issuance_index,optional"`
	Certainty string  `parquet:"coldtrail_provenance,dict"` // of the ledger it came from, for people
}

// txRow is a row of the table transactions. Sender, receiver and value are those of
// the first movement of native value that is the transaction's own.
type txRow struct {
	Hash        string  `parquet:"hash"`
	Index       int64   `parquet:"transaction_index"`
	Block       int64   `parquet:"block_number,delta"`
	BlockHash   *string `parquet:"block_hash,optional"`
	Time        int64   `parquet:"block_timestamp,timestamp(millisecond)"`
	From        *string `parquet:"from_address,optional"`
	To          *string `parquet:"to_address,optional"`
	Value       *string `parquet:"value,optional"`
	Status      int64   `parquet:"receipt_status"`
	Payer       *string `parquet:"fee_payer,optional"`
	Burned      string  `parquet:"fee_burned"`
	Tip         string  `parquet:"fee_tip"`
	Producer    *string `parquet:"fee_producer,optional"`
	Approximate bool    `parquet:"approximate"`
	External    bool    `parquet:"external"`
}

// logRow is a row of the table logs: an event that no other table tells.
type logRow struct {
	Index   int64    `parquet:"log_index"`
	Hash    *string  `parquet:"transaction_hash,optional"`
	TxIndex *int64   `parquet:"transaction_index,optional"`
	Address *string  `parquet:"address,optional"`
	Data    string   `parquet:"data"`
	Topics  []string `parquet:"topics,list"`
	Block   int64    `parquet:"block_number,delta"`
	Order   int64    `parquet:"message_order"`
}

// tokenRow is a row of the table token_transfers.
type tokenRow struct {
	Token   *string `parquet:"token_address,optional"`
	From    *string `parquet:"from_address,optional"`
	To      *string `parquet:"to_address,optional"`
	Value   string  `parquet:"value"`
	Hash    *string `parquet:"transaction_hash,optional"`
	TxIndex *int64  `parquet:"transaction_index,optional"`
	Log     *int64  `parquet:"log_index,optional"`
	Block   int64   `parquet:"block_number,delta"`
	Asset   string  `parquet:"asset,dict"`
	Order   int64   `parquet:"transfer_order"`
	Kind    int64   `parquet:"transfer_kind"`
}

// traceRow is a row of the table traces: a movement of native value.
type traceRow struct {
	Hash    *string `parquet:"transaction_hash,optional"`
	TxIndex *int64  `parquet:"transaction_index,optional"`
	From    *string `parquet:"from_address,optional"`
	To      *string `parquet:"to_address,optional"`
	Value   string  `parquet:"value"`
	Type    string  `parquet:"trace_type,dict"`
	Call    *string `parquet:"call_type,optional,dict"`
	Path    string  `parquet:"trace_address"`
	Status  int64   `parquet:"status"`
	Block   int64   `parquet:"block_number,delta"`
	Order   int64   `parquet:"transfer_order"`
	Kind    int64   `parquet:"transfer_kind"`
	Log     *int64  `parquet:"log_index,optional"`
}

// freezeRow is a row of the table freezes.
type freezeRow struct {
	Block   int64  `parquet:"block_number,delta"`
	TxIndex *int64 `parquet:"transaction_index,optional"`
	Holder  string `parquet:"holder"`
	Asset   string `parquet:"asset,dict"`
	Lifted  bool   `parquet:"lifted"`
	After   int64  `parquet:"after_transfers"`
	Order   int64  `parquet:"freeze_order"`
}

// openingRow is a row of the table openings: a balance just before a block.
type openingRow struct {
	Block   int64  `parquet:"block_number,delta"`
	Address string `parquet:"address"`
	Asset   string `parquet:"asset,dict"`
	Amount  string `parquet:"amount"`
	Before  int64  `parquet:"before_block"`
	Order   int64  `parquet:"opening_order"`
}

// blockRows are the rows of one block.
type blockRows struct {
	chain    ledger.Chain
	block    blockRow
	txs      []txRow
	logs     []logRow
	tokens   []tokenRow
	traces   []traceRow
	freezes  []freezeRow
	openings []openingRow
}

// maxHeight bounds block numbers.
const maxHeight = 1 << 40

// rowsOf turns a block into rows, and refuses what they cannot hold.
func (w *exporter) rowsOf(b *ledger.Block) (*blockRows, error) {
	if b.Height > maxHeight || b.Time < 0 || b.Time > math.MaxInt64/1000 {
		return nil, fmt.Errorf("height %d or time %d is beyond the layout", b.Height, b.Time)
	}
	r := &blockRows{chain: w.chain, block: blockRow{
		Number: int64(b.Height), Hash: hashText(b.Hash), Parent: hashText(b.Parent), Time: b.Time * 1000, Certainty: b.Provenance.String(),
	}}
	for i := range b.Txs {
		if i > 0 && b.Txs[i].Index <= b.Txs[i-1].Index {
			return nil, fmt.Errorf("transaction %d follows transaction %d", b.Txs[i].Index, b.Txs[i-1].Index)
		}
		if b.Txs[i].Coinbase && i < len(b.Txs)-1 {
			return nil, errors.New("what the protocol paid out is not its last entry")
		}
		if err := r.tx(b, &b.Txs[i]); err != nil {
			return nil, fmt.Errorf("transaction 0x%s: %w", b.Txs[i].ID, err)
		}
	}
	for i, o := range b.Openings {
		address, err := account(&o.Address)
		if err == nil {
			err = r.known(o.Asset)
		}
		if err == nil && o.Before > maxHeight {
			err = fmt.Errorf("it is before block %d", o.Before)
		}
		if err != nil {
			return nil, fmt.Errorf("opening %d: %w", i, err)
		}
		r.openings = append(r.openings, openingRow{
			Block: int64(b.Height), Address: address, Asset: string(o.Asset), Amount: o.Amount.Dec(), Before: int64(o.Before), Order: int64(i),
		})
	}
	return r, nil
}

// account is an address as text; the layout has only accounts of EVM chains.
func account(a *ledger.Address) (string, error) {
	if !a.IsZero() && (a.Kind != ledger.EVMAccount || a.Size != 20) {
		return "", errors.New("an address is not of an EVM chain")
	}
	return addressText(a), nil
}

// known checks that an asset can be read back.
func (r *blockRows) known(asset ledger.Asset) error {
	back, err := r.chain.ParseAsset(string(asset))
	if err == nil && back != asset {
		err = fmt.Errorf("asset %q is not written in lower case", asset)
	}
	return err
}

// tx adds the rows of a transaction, or of what the protocol paid out.
func (r *blockRows) tx(b *ledger.Block, tx *ledger.Tx) error {
	index, err := small("its position", tx.Index)
	if err != nil {
		return err
	}
	if len(tx.Inputs) > 0 || len(tx.Outputs) > 0 {
		return errors.New("it has unspent outputs, which the layout has not")
	}
	at := inTx{block: int64(b.Height), hash: optional("0x" + tx.ID.String()), index: &index}
	if tx.Coinbase {
		if tx.Failed || tx.Approximate || tx.External || tx.Fee != (ledger.Fee{}) {
			return errors.New("the protocol's own payments have a fee or a fault")
		}
		r.block.Issuance, r.block.IssuedAt = at.hash, &index
		at.hash, at.index = nil, nil
	} else {
		row, err := txRowOf(b, tx)
		if err != nil {
			return err
		}
		row.Index = index
		r.txs = append(r.txs, row)
		r.block.Count++
	}
	if err := r.transfers(tx, at); err != nil {
		return err
	}
	if err := r.messages(tx, at); err != nil {
		return err
	}
	for i := range tx.Freezes {
		f := &tx.Freezes[i]
		holder, err := account(&f.Holder)
		if err == nil {
			err = r.known(f.Asset)
		}
		if err != nil {
			return err
		}
		after, err := small("the place of a freeze", f.After)
		if err != nil {
			return err
		}
		r.freezes = append(r.freezes, freezeRow{Block: at.block, TxIndex: at.index, Holder: holder, Asset: string(f.Asset), Lifted: f.Lifted, After: after, Order: int64(len(r.freezes))})
	}
	return nil
}

// inTx says which transaction rows belong to.
type inTx struct {
	block int64
	hash  *string
	index *int64
}

// txRowOf is the transaction's own row.
func txRowOf(b *ledger.Block, tx *ledger.Tx) (txRow, error) {
	payer, err := account(&tx.Fee.Payer)
	if err != nil {
		return txRow{}, err
	}
	producer, err := account(&tx.Fee.Producer)
	if err != nil {
		return txRow{}, err
	}
	row := txRow{
		Hash: "0x" + tx.ID.String(), Block: int64(b.Height), BlockHash: hashText(b.Hash), Time: b.Time * 1000, Status: 1,
		Payer: optional(payer), Burned: tx.Fee.Burned.Dec(), Tip: tx.Fee.Tip.Dec(), Producer: optional(producer),
		Approximate: tx.Approximate, External: tx.External, From: optional(payer),
	}
	if tx.Failed {
		row.Status = 0
	}
	if len(tx.Transfers) > 0 && tx.Transfers[0].Kind == ledger.Ordinary && tx.Transfers[0].Asset == b.Chain.Native() {
		t := &tx.Transfers[0]
		row.From, row.To, row.Value = optional(addressText(&t.From)), optional(addressText(&t.To)), optional(t.Amount.Dec())
	}
	return row, nil
}

// transfers adds movements: native value as traces, tokens as token transfers.
func (r *blockRows) transfers(tx *ledger.Tx, at inTx) error {
	inner := 0
	for i := range tx.Transfers {
		t := &tx.Transfers[i]
		from, err := account(&t.From)
		if err != nil {
			return err
		}
		to, err := account(&t.To)
		if err == nil {
			err = r.known(t.Asset)
		}
		if err != nil {
			return err
		}
		if t.LogIndex < ledger.NoLog || t.Kind > ledger.Shares {
			return fmt.Errorf("transfer %d has log %d and kind %d", i, t.LogIndex, t.Kind)
		}
		var log *int64
		if t.LogIndex >= 0 {
			index := int64(t.LogIndex)
			log = &index
		}
		if t.Asset != r.chain.Native() {
			r.tokens = append(r.tokens, tokenRow{
				Token: optional(contractText(t.Asset)), From: optional(from), To: optional(to), Value: t.Amount.Dec(), Hash: at.hash, TxIndex: at.index,
				Log: log, Block: at.block, Asset: string(t.Asset), Order: int64(i), Kind: int64(t.Kind),
			})
			continue
		}
		row := traceRow{
			Hash: at.hash, TxIndex: at.index, From: optional(from), To: optional(to), Value: t.Amount.Dec(), Type: "call", Call: optional("call"),
			Status: 1, Block: at.block, Order: int64(i), Kind: int64(t.Kind), Log: log,
		}
		if t.Kind == ledger.Reward {
			row.Type, row.Call = "reward", nil
		} else if i > 0 || t.Kind == ledger.Internal {
			row.Path = fmt.Sprint(inner)
			inner++
		}
		r.traces = append(r.traces, row)
	}
	return nil
}

// noPosition is the place in its block of what is no event: beyond any. Creations stand
// behind it, by their place in their transaction.
const (
	noPosition       = 1 << 32
	creationPosition = noPosition + 1
	lastPosition     = creationPosition + math.MaxUint32
)

// messages adds the events that travel undecoded. Calldata stands at noPosition,
// creations from creationPosition on, with the contract as address.
func (r *blockRows) messages(tx *ledger.Tx, at inTx) error {
	for i := range tx.Messages {
		m := &tx.Messages[i]
		contract, err := account(&m.Contract)
		if err != nil {
			return err
		}
		if m.Kind == ledger.Calldata && m.Contract.IsZero() && m.Position == 0 {
			data := "0x" + hex.EncodeToString(m.Data)
			r.logs = append(r.logs, logRow{Index: noPosition, Hash: at.hash, TxIndex: at.index, Block: at.block, Data: data, Order: int64(len(r.logs))})
			continue
		}
		if m.Kind == ledger.Creation && !m.Creator().IsZero() {
			data := "0x" + hex.EncodeToString(m.Data)
			r.logs = append(r.logs, logRow{
				Index: creationPosition + int64(m.Position), Hash: at.hash, TxIndex: at.index, Address: optional(contract), Block: at.block, Data: data, Order: int64(len(r.logs)),
			})
			continue
		}
		if m.Kind != ledger.Log || len(m.Data) == 0 || m.Data[0] > maxList || len(m.Data) < 1+32*int(m.Data[0]) {
			return fmt.Errorf("message %d is no event", i)
		}
		position, err := small("the place of an event", m.Position)
		if err != nil {
			return err
		}
		row := logRow{Index: position, Hash: at.hash, TxIndex: at.index, Address: optional(contract), Block: at.block, Order: int64(len(r.logs))}
		data := m.Data[1:]
		for range m.Data[0] {
			row.Topics = append(row.Topics, "0x"+hex.EncodeToString(data[:32]))
			data = data[32:]
		}
		row.Data = "0x" + hex.EncodeToString(data)
		r.logs = append(r.logs, row)
	}
	return nil
}
