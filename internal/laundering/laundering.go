// Package laundering makes a replayed laundering ready to be traced: its case file, and
// its blocks in the order in which they were made, on both chains.
package laundering

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"coldtrail/chain/bitcoin"
	"coldtrail/chain/evm"
	"coldtrail/internal/replay"
	"coldtrail/ledger"
	"coldtrail/trace"
)

// Height is where the Ethereum of a replay begins: the block before the theft from Bybit.
const Height ledger.Height = 21_895_237

// Laundering is what was played.
type Laundering struct {
	*replay.Played

	Accounts *replay.Accounts
	Blocks   []*ledger.Block // by time, of both chains
	Case     *trace.Case
}

// Play plays a laundering.
func Play(options replay.Options) (*Laundering, error) {
	l := &Laundering{}
	sink := func(b *ledger.Block) error {
		l.Blocks = append(l.Blocks, b)
		return nil
	}
	l.Accounts = replay.NewAccounts(options.Seed, Height, sink)
	var err error
	if l.Played, err = replay.Play(options, l.Accounts, replay.NewOutputs(options.Seed, sink)); err != nil {
		return nil, err
	}
	slices.SortStableFunc(l.Blocks, func(a, b *ledger.Block) int { return cmp.Compare(a.Time, b.Time) })
	l.Case = CaseOf(options.Scenario, l.Played)
	return l, nil
}

// Of lists the blocks of one chain.
func Of(chain ledger.Chain, blocks []*ledger.Block) (list []*ledger.Block) {
	for _, b := range blocks {
		if b.Chain == chain {
			list = append(list, b)
		}
	}
	return list
}

// CaseOf is the case file of a replay.
func CaseOf(scenario string, p *replay.Played) *trace.Case {
	c := &trace.Case{
		File: "replay", Name: "replay", Title: "Replay of " + scenario + " (synthetic)", Victims: p.Victims,
		Networks: map[string]string{"BTC": string(replay.Regtest), "ETH": string(ledger.Ethereum)},
	}
	for _, colour := range slices.Sorted(maps.Keys(p.Truth.Stolen())) {
		c.Name, _, _ = strings.Cut(colour, "/")
	}
	for _, t := range p.Thefts {
		c.Thefts = append(c.Thefts, trace.Theft{Colour: t.Colour, Chain: t.Chain, Asset: t.Asset, Tx: t.Tx, To: t.To, Outpoint: t.Outpoint, Amount: t.Amount.String()})
	}
	for _, l := range p.Labels {
		c.Labels = append(c.Labels, trace.Label{Chain: l.Chain, Address: l.Address, Kind: l.Kind, Entity: l.Entity, By: "the replay", Why: "synthetic"})
	}
	if len(p.Pairs) > 0 {
		c.Services = []trace.Service{{Name: "eXch", By: "the replay", Window: "2h", Wallets: []trace.Wallet{{Chain: string(replay.Regtest), Address: p.Hot}}}}
	}
	return c
}

// Notations finds how the chains of a laundering write addresses.
func Notations(chain ledger.Chain) (ledger.Notation, error) {
	if chain.Family() == ledger.Account {
		return evm.Notation{}, nil
	}
	network, err := bitcoin.NetworkOf(chain)
	return bitcoin.Notation{Network: network}, err
}
