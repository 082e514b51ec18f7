package cluster

import "coldtrail/ledger"

// GasTopUpSeconds is how soon after a top-up the tokens must leave; ours.
const GasTopUpSeconds = 3_600

// GasTopUp ties an account that held tokens and no gas to the one that sent it gas just
// before the tokens left.
var GasTopUp = &Rule{
	Name: "gas-top-up", Title: "gas sent to move tokens", Source: "ours, after common practice",
	Family: ledger.Account, Input: AllHistory, Kind: Funding, Confidence: 65,
	Published: "none published", Needs: "the wallets of services, which accounts are contracts, which deal with too many others",
	history: func(r *Rule, h *History) (edges []Edge) {
		tied := map[ledger.Address]bool{}
		for _, g := range TopUps(h) {
			if e, ok := r.tie(g.From, h.Of, g.Used, g.UsedAt); ok && !tied[g.From] {
				tied[g.From] = true
				edges = append(edges, e)
			}
		}
		return edges
	},
}

// TopUps finds who paid for the movement of an account's tokens: the account holds a
// token; its native balance is less than the fee of the transaction that moves it;
// another account, which signs for itself and is no service, no contract and not
// crowded, sends at most a quarter of an ether; and within an hour the account signs a transaction that
// moves that token away. Balances are summed from the history, so that nothing is found
// after the first movement that the history cannot explain: more spent than arrived, or
// a contract call without traces that did more than move tokens away.
func TopUps(h *History) (found []Gas) {
	w := purse{h: h, native: h.Chain.Native(), tokens: map[ledger.Asset]ledger.Amount{}}
	for _, p := range h.inOrder() {
		if h.signed(p.Tx) {
			if g, ok := w.use(&p); ok {
				found = append(found, g)
			}
		}
		if !w.take(&p) {
			break
		}
	}
	return found
}

// purse is what an account holds, as far as its history says.
type purse struct {
	h      *History
	native ledger.Asset
	have   ledger.Amount // wei
	tokens map[ledger.Asset]ledger.Amount

	// The last top-up, and what was there before it.
	gas    Gas
	before ledger.Amount
	at     int64
}

// use says whether a transaction of the account's moves tokens that it could not have
// moved without the last top-up.
func (w *purse) use(p *ledger.Placed) (Gas, bool) {
	var fee ledger.Amount
	if _, over := fee.AddOverflow(&p.Tx.Fee.Burned, &p.Tx.Fee.Tip); over || w.gas.Tx.IsZero() || p.Tx.Failed {
		return Gas{}, false
	}
	if !w.before.Lt(&fee) || p.Time-w.at > GasTopUpSeconds {
		return Gas{}, false
	}
	for i := range p.Tx.Transfers {
		t := &p.Tx.Transfers[i]
		held := w.tokens[t.Asset]
		if t.From == w.h.Of && t.To != w.h.Of && t.Asset != w.native && !t.Amount.IsZero() && !held.Lt(&t.Amount) {
			g := w.gas
			g.Used, g.UsedAt = p.Tx.ID, p.Height
			w.gas = Gas{}
			return g, true
		}
	}
	return Gas{}, false
}

// take brings the balances up to date; false where they are no longer known.
func (w *purse) take(p *ledger.Placed) bool {
	if w.h.signed(p.Tx) {
		_, lack1 := w.have.SubOverflow(&w.have, &p.Tx.Fee.Burned)
		_, lack2 := w.have.SubOverflow(&w.have, &p.Tx.Fee.Tip)
		if lack1 || lack2 || p.Tx.External && !p.Tx.Failed && !w.movesTokensAway(p.Tx) {
			return false
		}
	}
	if p.Tx.Failed {
		return true
	}
	for i := range p.Tx.Transfers {
		t := &p.Tx.Transfers[i]
		switch {
		case t.From == t.To || t.Amount.IsZero():
		case t.Asset != w.native:
			w.moveToken(t)
		case !w.move(p, t):
			return false
		}
	}
	return true
}

// moveToken takes in a movement of a token. Sums that do not fit wrap: no token that
// is worth anything has such amounts.
func (w *purse) moveToken(t *ledger.Transfer) {
	held := w.tokens[t.Asset]
	switch w.h.Of {
	case t.To:
		held.Add(&held, &t.Amount)
	case t.From:
		if held.Lt(&t.Amount) {
			held = t.Amount
		}
		held.Sub(&held, &t.Amount)
	default:
		return
	}
	w.tokens[t.Asset] = held
}

// move takes in a movement of the native asset.
func (w *purse) move(p *ledger.Placed, t *ledger.Transfer) bool {
	switch w.h.Of {
	case t.To:
		w.gas = Gas{}
		if w.h.byHand(p.Tx, t) && !t.Amount.Gt(&GasFunderMost) && w.holdsTokens() {
			w.gas = Gas{From: t.From, Amount: t.Amount, Tx: p.Tx.ID, Height: p.Height}
			w.before, w.at = w.have, p.Time
		}
		_, over := w.have.AddOverflow(&w.have, &t.Amount)
		return !over
	case t.From:
		_, lack := w.have.SubOverflow(&w.have, &t.Amount)
		return !lack
	}
	return true
}

func (w *purse) holdsTokens() bool {
	for asset := range w.tokens {
		held := w.tokens[asset]
		if !held.IsZero() {
			return true
		}
	}
	return false
}

// movesTokensAway says that a transaction did nothing but move the account's tokens:
// such a call pays nobody native value.
func (w *purse) movesTokensAway(tx *ledger.Tx) bool {
	for i := range tx.Transfers {
		if t := &tx.Transfers[i]; t.From != w.h.Of || t.Asset == w.native {
			return false
		}
	}
	return len(tx.Transfers) > 0
}
