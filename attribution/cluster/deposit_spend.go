package cluster

import (
	"cmp"
	"slices"

	"coldtrail/ledger"
)

// DepositSpendLeast is how many spends show that an address collects for a service;
// ours, as a customer may once empty a wallet of his into a service.
const DepositSpendLeast = 2

// DepositSpend ties an address of a UTXO chain to the service that spends it.
var DepositSpend = &Rule{
	Name: "deposit-spend", Title: "deposit address of a service, by its spends", Source: "ours, after Victor 2020",
	Family: ledger.UTXO, Input: AllSpends, Kind: Depositing, Confidence: 80,
	Published: "none published", Needs: "the wallets of services, which transactions mix coins",
	spends: func(r *Rule, s *Spends) []Edge {
		c, ok := SpentBy(s)
		if !ok {
			return nil
		}
		e, ok := r.tie(s.Of, c.Wallet, c.Tx, c.Height)
		if !ok {
			return nil
		}
		return []Edge{e}
	},
}

// Collecting is a service that spends an address.
type Collecting struct {
	Entity string
	Wallet ledger.Address // of the service, that the first spend names
	Spends int
	// Tx is the spend at which the evidence was complete.
	Tx     ledger.Hash
	Height ledger.Height
}

// SpentBy recognises an address that a service spends: two spends or more, of which
// every one either has an input of a wallet of the service, or pays all its outputs
// that can be spent to wallets of it; all of one service, none of them excluded, and
// every input known. One spend of another sort, and it is none.
func SpentBy(s *Spends) (Collecting, bool) {
	if s.Of.IsZero() || s.Service == nil {
		return Collecting{}, false
	}
	if _, itself := s.Service(s.Of); itself {
		return Collecting{}, false
	}
	var c Collecting
	for _, tx := range s.inOrder() {
		entity, wallet, ok := s.judge(tx)
		if !ok || c.Entity != "" && c.Entity != entity {
			return Collecting{}, false
		}
		if c.Entity == "" {
			c.Entity, c.Wallet = entity, wallet
		}
		if c.Spends++; c.Spends == DepositSpendLeast {
			c.Tx, c.Height = tx.ID, tx.Height
		}
	}
	return c, c.Spends >= DepositSpendLeast
}

// judge says which service a spend belongs to.
func (s *Spends) judge(tx *ledger.Resolved) (entity string, wallet ledger.Address, ok bool) {
	facts := &Facts{}
	if s.Excluded != nil {
		facts.Excluded = s.Excluded(tx)
	}
	if excluded(tx, facts) != Included {
		return "", wallet, false
	}
	var among, paid services
	for i := range tx.Inputs {
		a := tx.Inputs[i].Address
		if a.IsZero() {
			return "", wallet, false
		}
		if name, ok := s.Service(a); ok && a != s.Of {
			among.meet(name, a)
		}
	}
	for i := range tx.Outputs {
		o := &tx.Outputs[i]
		if o.Unspendable {
			continue
		}
		name, ok := s.Service(o.Address)
		if !ok {
			paid.others = true
		}
		paid.meet(name, o.Address)
	}
	if among.entity != "" {
		return among.entity, among.wallet, !among.several
	}
	return paid.entity, paid.wallet, paid.entity != "" && !paid.several && !paid.others
}

// services are those that one side of a spend names.
type services struct {
	entity          string
	wallet          ledger.Address
	several, others bool
}

func (v *services) meet(entity string, wallet ledger.Address) {
	switch {
	case entity == "":
	case v.entity == "":
		v.entity, v.wallet = entity, wallet
	case v.entity != entity:
		v.several = true
	}
}

// inOrder is the spends as they happened, each once.
func (s *Spends) inOrder() []*ledger.Resolved {
	list := slices.DeleteFunc(slices.Clone(s.Txs), func(tx *ledger.Resolved) bool { return tx == nil })
	slices.SortStableFunc(list, func(a, b *ledger.Resolved) int {
		return cmp.Or(cmp.Compare(a.Height, b.Height), cmp.Compare(a.Index, b.Index), slices.Compare(a.ID[:], b.ID[:]))
	})
	return slices.CompactFunc(list, func(a, b *ledger.Resolved) bool {
		return a.Height == b.Height && a.Index == b.Index && a.ID == b.ID
	})
}
