package slice

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"coldtrail/ledger"
	"coldtrail/store"
)

// The rows of a slice, one JSON object a line. Keys stand in the order below; what is
// zero or absent is left out where it says so. docs/formats/evidence-bundle.md describes
// them. Numbers are the store's own: they follow from chain order and bind rows to one
// another.

type statusRow struct {
	Chain      string `json:"chain"`
	First      uint64 `json:"first"`
	Height     uint64 `json:"height"`
	Hash       string `json:"hash"`
	Provenance string `json:"provenance"`
	Content    string `json:"content,omitempty"` // where the head has no hash
}

type headerRow struct {
	Height     uint64 `json:"height"`
	Hash       string `json:"hash"`
	Time       int64  `json:"time"`
	Provenance string `json:"provenance"`
	First      uint64 `json:"first_tx"`
	Txs        uint32 `json:"txs"`
}

// nameRow says how a transaction is called, or that none is called so.
type nameRow struct {
	Number *uint64 `json:"number,omitempty"`
	ID     string  `json:"id"`
}

type outpointRow struct {
	Outpoint string  `json:"outpoint"`
	Output   *uint64 `json:"output,omitempty"`
}

type outputRow struct {
	Output      uint64  `json:"output"`
	Outpoint    string  `json:"outpoint"`
	Value       uint64  `json:"value"`
	Address     string  `json:"address,omitempty"`
	Unspendable bool    `json:"unspendable,omitempty"`
	Tx          uint64  `json:"tx"`
	Spender     *uint64 `json:"spender,omitempty"`
}

type inputRow struct {
	Output   *uint64 `json:"output,omitempty"`
	Value    uint64  `json:"value,omitempty"`
	Outpoint string  `json:"outpoint,omitempty"` // of a parent that the store did not hold
}

type transactionRow struct {
	Number      uint64     `json:"number"`
	Height      uint64     `json:"height"`
	Index       uint32     `json:"index"`
	Time        int64      `json:"time"`
	Coinbase    bool       `json:"coinbase,omitempty"`
	Inputs      []inputRow `json:"inputs"`
	First       uint64     `json:"first_output"`
	Values      []uint64   `json:"values"`
	Unspendable []int      `json:"unspendable,omitempty"` // positions
}

type touchRow struct {
	Tx     uint64  `json:"tx"`
	Output *uint64 `json:"output,omitempty"`
	Value  uint64  `json:"value,omitempty"`
	Spent  bool    `json:"spent,omitempty"`
}

type historyRow struct {
	Address string     `json:"address"`
	From    uint64     `json:"from"`
	Limit   int        `json:"limit,omitempty"`
	Touches []touchRow `json:"touches"`
}

type balanceRow struct {
	Address string `json:"address"`
	Asset   string `json:"asset"`
	Before  uint64 `json:"before"`
	Amount  string `json:"amount"`
	Known   bool   `json:"known"`
	Frozen  bool   `json:"frozen,omitempty"`
}

type spanRow struct {
	From    uint64   `json:"from"`
	To      uint64   `json:"to"`
	Numbers []uint64 `json:"numbers"`
}

// movementRow is a transaction of an account chain, or one that carries messages.
type movementRow struct {
	Number uint64 `json:"number"`
	Height uint64 `json:"height"`
	Time   int64  `json:"time"`
	Tx     txRow  `json:"tx"`
}

type txRow struct {
	ID          string        `json:"id"`
	Index       uint32        `json:"index"`
	Coinbase    bool          `json:"coinbase,omitempty"`
	Open        bool          `json:"open,omitempty"`
	Failed      bool          `json:"failed,omitempty"`
	Approximate bool          `json:"approximate,omitempty"`
	External    bool          `json:"external,omitempty"`
	Outputs     []madeRow     `json:"outputs,omitempty"`
	Transfers   []transferRow `json:"transfers,omitempty"`
	Fee         *feeRow       `json:"fee,omitempty"`
	Freezes     []freezeRow   `json:"freezes,omitempty"`
	Messages    []messageRow  `json:"messages,omitempty"`
}

type madeRow struct {
	Value       uint64 `json:"value"`
	Address     string `json:"address,omitempty"`
	Unspendable bool   `json:"unspendable,omitempty"`
}

type transferRow struct {
	From   string `json:"from,omitempty"`
	To     string `json:"to,omitempty"`
	Asset  string `json:"asset"`
	Amount string `json:"amount"`
	Log    int32  `json:"log"` // -1 where no event describes it
	Kind   uint8  `json:"kind,omitempty"`
}

type feeRow struct {
	Payer    string `json:"payer,omitempty"`
	Burned   string `json:"burned,omitempty"`
	Tip      string `json:"tip,omitempty"`
	Producer string `json:"producer,omitempty"`
}

type freezeRow struct {
	Holder string `json:"holder"`
	Asset  string `json:"asset"`
	Lifted bool   `json:"lifted,omitempty"`
	After  uint32 `json:"after"`
}

type messageRow struct {
	Kind     uint8  `json:"kind"`
	Contract string `json:"contract,omitempty"`
	Position uint32 `json:"position"`
	Data     string `json:"data"` // hexadecimal
}

// writer turns facts into rows.
type writer struct {
	chain    ledger.Chain
	notation ledger.Notation
	lines    []byte
	bad      error
}

func (w *writer) row(value any) {
	text, err := json.Marshal(value)
	if err != nil && w.bad == nil {
		w.bad = err
	}
	w.lines = append(append(w.lines, text...), '\n')
}

func (w *writer) address(a ledger.Address) string {
	text := w.notation.FormatAddress(a)
	if text == "" && !a.IsZero() && w.bad == nil {
		w.bad = fmt.Errorf("an address of kind %d cannot be written on %s", a.Kind, w.chain.Short())
	}
	return text
}

func (w *writer) amount(a *ledger.Amount) string {
	if a.IsZero() {
		return ""
	}
	return a.Dec()
}

func (w *writer) outpoint(o *ledger.Outpoint) string {
	return o.Tx.String() + ":" + strconv.FormatUint(uint64(o.Index), 10)
}

// none is the number of no transaction and of no output.
const none = uint64(store.NoTx)

// optional leaves out a number that stands for none.
func optional(n uint64) *uint64 {
	if n == none {
		return nil
	}
	return &n
}

func (w *writer) tx(tx *ledger.Tx) txRow {
	row := txRow{
		ID: tx.ID.String(), Index: tx.Index, Coinbase: tx.Coinbase, Open: tx.Open, Failed: tx.Failed, Approximate: tx.Approximate, External: tx.External,
	}
	for i := range tx.Outputs {
		o := &tx.Outputs[i]
		row.Outputs = append(row.Outputs, madeRow{o.Value, w.address(o.Address), o.Unspendable})
	}
	for i := range tx.Transfers {
		t := &tx.Transfers[i]
		row.Transfers = append(row.Transfers, transferRow{w.address(t.From), w.address(t.To), string(t.Asset), t.Amount.Dec(), t.LogIndex, uint8(t.Kind)})
	}
	if fee := (feeRow{w.address(tx.Fee.Payer), w.amount(&tx.Fee.Burned), w.amount(&tx.Fee.Tip), w.address(tx.Fee.Producer)}); fee != (feeRow{}) {
		row.Fee = &fee
	}
	for i := range tx.Freezes {
		f := &tx.Freezes[i]
		row.Freezes = append(row.Freezes, freezeRow{w.address(f.Holder), string(f.Asset), f.Lifted, f.After})
	}
	for i := range tx.Messages {
		m := &tx.Messages[i]
		row.Messages = append(row.Messages, messageRow{uint8(m.Kind), w.address(m.Contract), m.Position, hex.EncodeToString(m.Data)})
	}
	return row
}

func (w *writer) transaction(t *store.Transaction) transactionRow {
	row := transactionRow{
		Number: uint64(t.Number), Height: uint64(t.Height), Index: t.Index, Time: t.Time, Coinbase: t.Coinbase,
		Inputs: []inputRow{}, First: uint64(t.FirstOutput), Values: t.Values,
	}
	for i := range t.Inputs {
		in := &t.Inputs[i]
		if in.Output == store.NoOutput {
			row.Inputs = append(row.Inputs, inputRow{Outpoint: w.outpoint(&in.Outpoint)})
			continue
		}
		row.Inputs = append(row.Inputs, inputRow{Output: optional(uint64(in.Output)), Value: in.Value})
	}
	for i, set := range t.Unspendable {
		if set {
			row.Unspendable = append(row.Unspendable, i)
		}
	}
	return row
}

// folder is where the rows of a chain stand.
func folder(chain ledger.Chain) string {
	return "ledger/" + strings.ReplaceAll(string(chain), ":", "-") + "/"
}
