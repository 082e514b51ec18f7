package cluster

import "coldtrail/ledger"

// Creator ties a contract to the account that signed its creation.
var Creator = &Rule{
	Name: "creator", Title: "contract created by", Source: "ours, after common practice; how contracts come into being: yellow paper, section 7",
	Family: ledger.Account, Input: AllHistory, Kind: Creating, Confidence: 80,
	Published: "none published", Needs: "contract creations in the ledger, the wallets of services, which accounts deal with too many others",
	history: func(r *Rule, h *History) (edges []Edge) {
		for _, c := range Contracts(h) {
			if e, ok := r.tie(h.Of, c.Address, c.Tx, c.Height); ok {
				edges = append(edges, e)
			}
		}
		return edges
	},
}

// Contract is a contract that an account created.
type Contract struct {
	Address ledger.Address
	Tx      ledger.Hash // the transaction that first created it
	Height  ledger.Height
}

// Contracts lists the contracts that a private account created itself, in order: it
// signed the transaction, and the ledger names it as the creator. What a contract
// created that it merely called is not among them: factories make contracts for
// everybody, and whose they are the call does not say.
func Contracts(h *History) (list []Contract) {
	if !h.Parties.private(h.Of) {
		return nil
	}
	known := map[ledger.Address]bool{}
	for _, p := range h.inOrder() {
		if p.Tx.Failed || !h.signed(p.Tx) {
			continue
		}
		for i := range p.Tx.Messages {
			m := &p.Tx.Messages[i]
			if m.Kind != ledger.Creation || m.Contract.IsZero() || m.Creator() != h.Of || known[m.Contract] {
				continue
			}
			known[m.Contract] = true
			list = append(list, Contract{Address: m.Contract, Tx: p.Tx.ID, Height: p.Height})
		}
	}
	return list
}
