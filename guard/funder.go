package guard

import (
	"context"
	"sync"

	"coldtrail/ledger"
	"coldtrail/screen"
	"coldtrail/store"
)

// funders remembers who first paid accounts, which never changes while a chain goes on.
type funders struct {
	mu           sync.Mutex
	young, older map[addressOn]string
}

// maxFunders bounds one generation of what is remembered.
const maxFunders = 50_000

func (f *funders) get(at addressOn) (string, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if name, ok := f.young[at]; ok {
		return name, true
	}
	name, ok := f.older[at]
	return name, ok
}

func (f *funders) put(at addressOn, name string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.young == nil || len(f.young) >= maxFunders {
		f.older, f.young = f.young, map[addressOn]string{}
	}
	f.young[at] = name
}

// forget drops everything: blocks were taken back.
func (f *funders) forget() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.young, f.older = nil, nil
}

// maxFirst is how many of an account's first transactions are looked at for its funder.
const maxFirst = 8

// funder is who first sent native value to an account, as far as the ledger goes back, and
// empty where it holds nothing of it.
func (g *Guard) funder(ctx context.Context, k *screen.Knowledge, chain ledger.Chain, account string) (string, error) {
	if g.options.Store == nil || k == nil || chain.Family() != ledger.Account {
		return "", nil
	}
	if _, held := k.Basis().Heads[string(chain)]; !held {
		return "", nil
	}
	at := addressOn{chain, account}
	if name, ok := g.funders.get(at); ok {
		return name, nil
	}
	notation, err := g.options.Notations(chain)
	if err != nil {
		return "", err
	}
	address, err := notation.ParseAddress(account)
	if err != nil {
		return "", nil //nolint:nilerr // it is no account, and nobody paid it
	}
	name, err := g.firstPayer(ctx, chain, address, notation)
	if name != "" {
		g.funders.put(at, name)
	}
	return name, err
}

func (g *Guard) firstPayer(ctx context.Context, chain ledger.Chain, address ledger.Address, notation ledger.Notation) (string, error) {
	touches, err := g.options.Store.History(ctx, chain, []store.Since{{Address: address, Limit: maxFirst}})
	if err != nil || len(touches[0]) == 0 {
		return "", err
	}
	var numbers []store.TxNumber
	for _, t := range touches[0] {
		numbers = append(numbers, t.Tx)
	}
	movements, err := g.options.Store.Movements(ctx, chain, numbers)
	if err != nil {
		return "", err
	}
	for i := range movements {
		tx := &movements[i].Tx
		if tx.Failed {
			continue
		}
		for n := range tx.Transfers {
			if t := &tx.Transfers[n]; t.To == address && t.From != address && t.Asset == chain.Native() && !t.From.IsZero() && !t.Amount.IsZero() {
				return notation.FormatAddress(t.From), nil
			}
		}
	}
	return "", nil
}
