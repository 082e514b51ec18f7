package main

import (
	"context"
	"maps"
	"slices"

	"coldtrail/attribution"
	"coldtrail/attribution/cluster"
	"coldtrail/attribution/label"
	"coldtrail/ledger"
)

// afterwards marks rules that are judged by whole histories.
const afterwards = ", by whole histories"

// hindsight applies every rule about accounts to each account's whole history, without
// clusters: what the rule itself is worth. Clusters are grown block by block, and what a
// rule would conclude only later, or take back, they have not, or still have.
func (o *ownedReplay) hindsight(ctx context.Context) (scores []ruleScore, err error) {
	notation, err := notations(ledger.Ethereum)
	if err != nil {
		return nil, err
	}
	view := attribution.NewView(o.store, label.When{}, 0)
	histories := o.histories()
	parties := partiesOf(histories)
	parties.Service = view.Services(ctx, ledger.Ethereum, notation)
	accounts := slices.SortedFunc(maps.Keys(histories), func(a, b ledger.Address) int { return slices.Compare(a.Payload[:], b.Payload[:]) })
	for _, rule := range cluster.Rules {
		if rule.Input != cluster.AllHistory {
			continue
		}
		var links []tie
		for _, a := range accounts {
			for _, e := range rule.InHistory(&cluster.History{Chain: ledger.Ethereum, Of: a, Txs: histories[a], Parties: parties}) {
				links = append(links, tie{e.A, e.B, e.Tx})
			}
		}
		scores = append(scores, o.judged(ledger.Ethereum, rule.Name+afterwards, links))
	}
	return scores, view.Err()
}

// histories are the transactions of every account that signs or moves something.
func (o *ownedReplay) histories() map[ledger.Address][]ledger.Placed {
	list := map[ledger.Address][]ledger.Placed{}
	for _, b := range o.blocks {
		if b.Chain != ledger.Ethereum {
			continue
		}
		for i := range b.Txs {
			met := map[ledger.Address]bool{}
			for _, a := range touched(&b.Txs[i]) {
				if !a.IsZero() && !met[a] {
					met[a] = true
					list[a] = append(list[a], ledger.Placed{Height: b.Height, Time: b.Time, Tx: &b.Txs[i]})
				}
			}
		}
	}
	return list
}

// partiesOf answers from histories what rules ask about others.
func partiesOf(histories map[ledger.Address][]ledger.Placed) cluster.Parties {
	const crowd = 512 // as attribution has it
	return cluster.Parties{
		Crowded: func(a ledger.Address) bool { return len(histories[a]) > crowd },
		Signs: func(a ledger.Address) bool {
			return slices.ContainsFunc(histories[a], func(p ledger.Placed) bool { return p.Tx.Fee.Payer == a })
		},
		Payers: func(a ledger.Address) uint64 {
			payers := map[ledger.Address]bool{}
			for _, p := range histories[a] {
				for i := range p.Tx.Transfers {
					if t := &p.Tx.Transfers[i]; t.To == a && t.From != a {
						payers[t.From] = true
					}
				}
			}
			return uint64(len(payers))
		},
	}
}
