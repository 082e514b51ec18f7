package rpc

import (
	"context"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"sync"

	"coldtrail/chain/evm"
	"coldtrail/chain/evm/reply"
	"coldtrail/ledger"
)

// checks remembers what was compared with the node's balances, and what was told.
type checks struct {
	mu   sync.Mutex
	told map[ledger.Address]bool
}

// The most accounts that are compared one by one, and that are told of.
const (
	sampleAccounts = 8
	maxTold        = 1000
)

// checkBalances compares, at every block that is due, how much native balances changed
// with what the ledger knows moved: of every account where the node gives the state
// before and after each transaction, of a few by their balances elsewhere. A
// difference is told once per account: it is value that the source does not show.
func (f *fetch) checkBalances(ctx context.Context, block *ledger.Block) error {
	if f.options.CheckEvery == 0 || block.Height == 0 || uint64(block.Height)%f.options.CheckEvery != 0 || len(block.Txs) == 0 {
		return nil
	}
	if f.options.Traces == TracesCall {
		known, err := f.checkStates(ctx, block)
		if known || err != nil {
			return err
		}
	}
	return f.checkSample(ctx, block)
}

// prestateTracer asks for what each transaction changed.
var prestateTracer = map[string]any{"tracer": "prestateTracer", "tracerConfig": map[string]any{"diffMode": true}, "timeout": "120s"}

// checkStates compares every account. known is false where the node does not tell.
func (f *fetch) checkStates(ctx context.Context, block *ledger.Block) (known bool, err error) {
	answer, err := f.client.One(ctx, "debug_traceBlockByNumber", hexNumber(uint64(block.Height)), prestateTracer)
	if err != nil {
		return false, ctx.Err() // refused: the other way
	}
	got, err := reply.ParseChanges(answer)
	if err != nil {
		return false, fmt.Errorf("states before and after: %w", err)
	}
	transactions := *block
	transactions.Txs = slices.DeleteFunc(slices.Clone(block.Txs), func(tx ledger.Tx) bool { return tx.Coinbase }) // states are of transactions
	want := nativeChanges(&transactions)
	all := maps.Clone(want)
	maps.Copy(all, got)
	for address := range all {
		f.compare(block.Height, address, got[address], want[address])
	}
	return true, nil
}

// checkSample compares a few accounts by their balances before and after.
func (f *fetch) checkSample(ctx context.Context, block *ledger.Block) error {
	changes := nativeChanges(block)
	var sample []evm.Holding
	for _, h := range holdingsOf(block) {
		if h.Contract.IsZero() && len(sample) < sampleAccounts {
			sample = append(sample, h)
		}
	}
	before, knownBefore, err := f.balances(ctx, sample, block.Height-1)
	if err != nil {
		return err
	}
	after, knownAfter, err := f.balances(ctx, sample, block.Height)
	if err != nil {
		return err
	}
	for i, h := range sample {
		if knownBefore[i] && knownAfter[i] {
			f.compare(block.Height, h.Address, new(big.Int).Sub(after[i].ToBig(), before[i].ToBig()), changes[h.Address])
		}
	}
	return nil
}

// compare tells where an account's balance changed by something else than is known to
// have moved; nil is no change.
func (f *fetch) compare(height ledger.Height, address ledger.Address, got, want *big.Int) {
	if got == nil {
		got = new(big.Int)
	}
	if want == nil {
		want = new(big.Int)
	}
	if got.Cmp(want) == 0 || address.IsZero() {
		return
	}
	f.checked.mu.Lock()
	defer f.checked.mu.Unlock()
	if f.checked.told == nil {
		f.checked.told = map[ledger.Address]bool{}
	}
	if !f.checked.told[address] && len(f.checked.told) < maxTold {
		f.checked.told[address] = true
		f.tell(fmt.Sprintf("block %d: the balance of %s changed by %s wei, what is known to have moved makes %s", height, evm.Notation{}.FormatAddress(address), got, want))
	}
}

func (s *Source) tell(text string) {
	if s.options.Node.Log != nil {
		s.options.Node.Log(text)
	}
}

// nativeChanges nets what a block moved of the native asset.
func nativeChanges(block *ledger.Block) map[ledger.Address]*big.Int {
	changes := map[ledger.Address]*big.Int{}
	change := func(a ledger.Address, amount *ledger.Amount, sign int) {
		if changes[a] == nil {
			changes[a] = new(big.Int)
		}
		if sign < 0 {
			changes[a].Sub(changes[a], amount.ToBig())
		} else {
			changes[a].Add(changes[a], amount.ToBig())
		}
	}
	for i := range block.Txs {
		tx := &block.Txs[i]
		for j := range tx.Transfers {
			if t := &tx.Transfers[j]; t.Asset == block.Chain.Native() && !tx.Failed {
				change(t.From, &t.Amount, -1)
				change(t.To, &t.Amount, 1)
			}
		}
		change(tx.Fee.Payer, &tx.Fee.Burned, -1)
		change(tx.Fee.Payer, &tx.Fee.Tip, -1)
		change(tx.Fee.Producer, &tx.Fee.Tip, 1)
	}
	return changes
}
