package rpc

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"sync"

	"coldtrail/chain/evm"
	"coldtrail/chain/evm/reply"
	"coldtrail/chain/jsonrpc"
	"coldtrail/ledger"
)

// The functions that tell a holding's balance: EIP-20's balanceOf and Lido's sharesOf.
var (
	balanceOf = selector("balanceOf(address)")
	sharesOf  = selector("sharesOf(address)")
)

func selector(signature string) string {
	hash := evm.Keccak([]byte(signature))
	return fmt.Sprintf("%x", hash[:4])
}

// metHoldings remembers whose opening balance was asked for. It forgets everything
// when it is full: asking twice costs time, nothing else.
type metHoldings struct {
	mu    sync.Mutex
	known map[evm.Holding]ledger.Height // of the opening
}

const maxMet = 1 << 20

func newMetHoldings() *metHoldings { return &metHoldings{known: map[evm.Holding]ledger.Height{}} }

// forget begins anew, as where blocks were taken back.
func (m *metHoldings) forget() {
	m.mu.Lock()
	defer m.mu.Unlock()
	clear(m.known)
}

// missing lists the holdings that no block up to the height has opened.
func (m *metHoldings) missing(holdings []evm.Holding, height ledger.Height) (out []evm.Holding) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, h := range holdings {
		if at, ok := m.known[h]; !ok || at > height {
			out = append(out, h)
		}
	}
	return out
}

func (m *metHoldings) open(h evm.Holding, height ledger.Height) (first bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.known) >= maxMet {
		clear(m.known)
	}
	if at, ok := m.known[h]; ok && at <= height {
		return false
	}
	m.known[h] = height
	return true
}

// holdingsOf lists the holdings a block moves or charges, each once.
func holdingsOf(block *ledger.Block) (out []evm.Holding) {
	seen := map[evm.Holding]bool{}
	add := func(h evm.Holding) {
		if !h.Address.IsZero() && !seen[h] {
			seen[h] = true
			out = append(out, h)
		}
	}
	contracts := map[ledger.Asset]ledger.Address{}
	for i := range block.Txs {
		tx := &block.Txs[i]
		for j := range tx.Transfers {
			t := &tx.Transfers[j]
			contract, ok := contracts[t.Asset]
			if !ok {
				contract = evm.ContractOf(t.Asset)
				contracts[t.Asset] = contract
			}
			for _, end := range []ledger.Address{t.From, t.To} {
				if contract.IsZero() || !evm.IsZeroAddress(end) { // a token's units come from and go to the zero address
					add(evm.Holding{Address: end, Contract: contract, Shares: t.Kind == ledger.Shares})
				}
			}
		}
		add(evm.Holding{Address: tx.Fee.Payer})
		add(evm.Holding{Address: tx.Fee.Producer})
	}
	return out
}

// addOpenings asks what the block's holdings held before it, where nothing known
// says so. What the node cannot tell, as a pruned one, stays unknown.
func (f *fetch) addOpenings(ctx context.Context, block *ledger.Block) error {
	if !f.options.Openings || block.Height == 0 {
		return nil
	}
	ask := f.met.missing(holdingsOf(block), block.Height)
	if f.options.Known != nil && len(ask) > 0 {
		known, err := f.options.Known(ctx, ask)
		if err != nil {
			return errors.Join(errOurs, err)
		}
		rest := ask[:0:0]
		for i, h := range ask {
			if known[i] {
				f.met.open(h, 0)
			} else {
				rest = append(rest, h)
			}
		}
		ask = rest
	}
	amounts, known, err := f.balances(ctx, ask, block.Height-1)
	if err != nil {
		return err
	}
	for i, h := range ask {
		if known[i] {
			block.Openings = append(block.Openings, ledger.Opening{Address: h.Address, Asset: evm.AssetOf(block.Chain, h.Contract), Amount: amounts[i], Before: block.Height})
		}
	}
	return nil
}

// settleOpenings drops the openings that an earlier block has stated already: blocks
// are fetched side by side.
func (s *Source) settleOpenings(block *ledger.Block) {
	kept := block.Openings[:0]
	shares := map[ledger.Asset]bool{}
	for i := range block.Txs {
		for j := range block.Txs[i].Transfers {
			if t := &block.Txs[i].Transfers[j]; t.Kind == ledger.Shares {
				shares[t.Asset] = true
			}
		}
	}
	for _, o := range block.Openings {
		if s.met.open(evm.Holding{Address: o.Address, Contract: evm.ContractOf(o.Asset), Shares: shares[o.Asset]}, block.Height) {
			kept = append(kept, o)
		}
	}
	block.Openings = kept
}

// balances asks for balances at the end of a block. known is false where the node
// cannot tell.
func (s *Source) balances(ctx context.Context, holdings []evm.Holding, at ledger.Height) (amounts []ledger.Amount, known []bool, err error) {
	amounts, known = make([]ledger.Amount, len(holdings)), make([]bool, len(holdings))
	const most = 500
	for from := 0; from < len(holdings); from += most {
		part := holdings[from:min(from+most, len(holdings))]
		calls := make([]jsonrpc.Call, len(part))
		for i, h := range part {
			calls[i] = balanceCall(h, at)
		}
		answers, err := s.client.Do(ctx, calls)
		if err != nil {
			return nil, nil, err
		}
		for i := range answers {
			if answers[i].Refusal == nil {
				amounts[from+i], err = reply.ParseAmount(answers[i].Result)
				known[from+i] = err == nil
			}
		}
	}
	return amounts, known, nil
}

func balanceCall(h evm.Holding, at ledger.Height) jsonrpc.Call {
	block := hexNumber(uint64(at))
	if h.Contract.IsZero() {
		return jsonrpc.Call{Method: "eth_getBalance", Params: []any{evm.Notation{}.FormatAddress(h.Address), block}}
	}
	function := balanceOf
	if h.Shares {
		function = sharesOf
	}
	data := fmt.Sprintf("0x%s%024x%x", function, 0, h.Address.Bytes())
	return jsonrpc.Call{Method: "eth_call", Params: []any{map[string]string{"to": evm.Notation{}.FormatAddress(h.Contract), "data": data}, block}}
}

// checks counts how often the ledger's account of a block was compared with the
// node's balances.
type checks struct {
	mu       sync.Mutex
	accounts int
	told     map[ledger.Address]bool
}

// checkEvery and checkAccounts say how many blocks and accounts are compared.
const (
	checkEvery    = 64
	checkAccounts = 8
)

// checkBalances compares, at a few blocks, how much some accounts' native balances
// changed with what the ledger knows moved. A difference is told once per account:
// it is internal value that the source does not show.
func (f *fetch) checkBalances(ctx context.Context, raw *evm.Block, block *ledger.Block) error {
	if block.Height == 0 || block.Height%checkEvery != 0 || len(raw.Txs) == 0 {
		return nil
	}
	changes := nativeChanges(block)
	var sample []evm.Holding
	for _, h := range holdingsOf(block) {
		if h.Contract.IsZero() && len(sample) < checkAccounts {
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
	f.checked.mu.Lock()
	defer f.checked.mu.Unlock()
	if f.checked.told == nil {
		f.checked.told = map[ledger.Address]bool{}
	}
	for i, h := range sample {
		if !knownBefore[i] || !knownAfter[i] {
			continue
		}
		f.checked.accounts++
		got := new(big.Int).Sub(after[i].ToBig(), before[i].ToBig())
		want := changes[h.Address]
		if want == nil {
			want = new(big.Int)
		}
		if got.Cmp(want) != 0 && !f.checked.told[h.Address] && len(f.checked.told) < 1000 {
			f.checked.told[h.Address] = true
			f.tell(fmt.Sprintf("block %d: the balance of %s changed by %s wei, what is known to have moved makes %s", block.Height, evm.Notation{}.FormatAddress(h.Address), got, want))
		}
	}
	return nil
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
