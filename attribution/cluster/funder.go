package cluster

import "coldtrail/ledger"

// GasFunderSeconds is how soon after its first funding an account must act; ours.
const GasFunderSeconds = 172_800

// GasFunderMost is the most that a first funding may be, in wei: a quarter of an ether.
// It stands for 500 US dollars, the limit that was meant; ledgers hold no prices.
var GasFunderMost = ledger.NewAmount(250_000_000_000_000_000)

// GasFunder ties an account to the one that paid for its first gas. It shows who worked
// together rather than who is whom.
var GasFunder = &Rule{
	Name: "gas-funder", Title: "first gas paid by", Source: "ours, after common practice",
	Family: ledger.Account, Input: AllHistory, Kind: Funding, Confidence: 55,
	Published: "none published", Needs: "the wallets of services, which accounts are contracts, which deal with too many others",
	history: func(r *Rule, h *History) []Edge {
		f, ok := FirstGas(h)
		if !ok {
			return nil
		}
		e, ok := r.tie(f.From, h.Of, f.Used, f.UsedAt)
		if !ok {
			return nil
		}
		return []Edge{e}
	},
}

// Gas is a payment that paid for what an account did next.
type Gas struct {
	From   ledger.Address
	Amount ledger.Amount // wei
	Tx     ledger.Hash
	Height ledger.Height
	// Used is the account's own transaction that the payment made possible.
	Used   ledger.Hash
	UsedAt ledger.Height
}

// FirstGas finds who funded an account: the first native asset that reached it is at
// most a quarter of an ether and comes from an account that signed that transaction
// itself and is no service, no contract and not crowded; and within 48 hours the account
// signs its first own transaction. Where it acted or paid before it was paid, its
// beginning is not in the history, and there is no answer.
func FirstGas(h *History) (Gas, bool) {
	var g Gas
	var since int64
	for _, p := range h.inOrder() {
		switch {
		case h.signed(p.Tx): // its first own transaction
			g.Used, g.UsedAt = p.Tx.ID, p.Height
			return g, !g.Tx.IsZero() && p.Time-since <= GasFunderSeconds
		case p.Tx.Failed || !g.Tx.IsZero():
			continue
		}
		t := h.firstNative(p.Tx)
		if t == nil {
			continue
		}
		if !h.byHand(p.Tx, t) || t.Amount.Gt(&GasFunderMost) {
			return Gas{}, false
		}
		g, since = Gas{From: t.From, Amount: t.Amount, Tx: p.Tx.ID, Height: p.Height}, p.Time
	}
	return Gas{}, false
}

// firstNative is the first movement of the native asset to or from the account.
func (h *History) firstNative(tx *ledger.Tx) *ledger.Transfer {
	for i := range tx.Transfers {
		t := &tx.Transfers[i]
		if t.Asset == h.Chain.Native() && !t.Amount.IsZero() && t.From != t.To && (t.From == h.Of || t.To == h.Of) {
			return t
		}
	}
	return nil
}

// byHand says that a private account paid and signed a movement of the native asset
// itself.
func (h *History) byHand(tx *ledger.Tx, t *ledger.Transfer) bool {
	return t.Kind == ledger.Ordinary && !tx.Coinbase && t.From == tx.Fee.Payer && t.From != h.Of && h.Parties.private(t.From)
}
