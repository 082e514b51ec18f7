package rpc

import (
	"context"
	"errors"
	"fmt"
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
