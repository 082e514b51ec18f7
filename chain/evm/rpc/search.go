package rpc

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"coldtrail/chain/evm"
	"coldtrail/chain/evm/reply"
	"coldtrail/chain/jsonrpc"
	"coldtrail/ledger"
)

// Searcher is a node with Otterscan's interface (Erigon, Reth, anvil): it finds the
// transactions of an address, so that a trace needs no ledger of one's own.
type Searcher struct {
	*Source
	blocks map[ledger.Height]*ledger.Block // whole blocks fetched, without openings
}

// maxFetched bounds the whole blocks kept for addresses that meet in them.
const maxFetched = 256

// OpenSearch is Open for a node that must have Otterscan's interface.
func OpenSearch(ctx context.Context, options Options) (*Searcher, error) {
	options.Openings = false // asked for by address instead
	s, err := Open(ctx, options)
	if err != nil {
		return nil, err
	}
	if _, err := s.client.One(ctx, "ots_getApiLevel"); err != nil {
		return nil, errors.Join(fmt.Errorf("the node does not offer Otterscan's interface (ots_…); use Erigon, Reth or anvil with it switched on: %w", err), s.Close())
	}
	return &Searcher{Source: s, blocks: map[ledger.Height]*ledger.Block{}}, nil
}

// pageSize is how many transactions one question asks for.
const pageSize = 100

// Span is heights from one to another, both included.
type Span struct{ From, To ledger.Height }

// Touching gives the blocks with transactions of the address within a span, cut down
// to these, and what its holdings held before. more says that there were more than
// the limit.
func (s *Searcher) Touching(ctx context.Context, address ledger.Address, within Span, limit int) (blocks []*ledger.Block, more bool, err error) {
	heights, more, err := s.heights(ctx, address, within, limit)
	if err != nil {
		return nil, false, err
	}
	if heights, err = s.addLogged(ctx, heights, address, within, more); err != nil {
		return nil, false, err
	}
	opened := map[evm.Holding]bool{}
	for _, height := range heights {
		whole, err := s.whole(ctx, height)
		if err != nil {
			return nil, false, err
		}
		part := *whole
		part.Txs = nil
		for i := range whole.Txs {
			if touches(&whole.Txs[i], address) {
				part.Txs = append(part.Txs, whole.Txs[i])
			}
		}
		if err := s.openHoldings(ctx, &part, address, opened); err != nil {
			return nil, false, err
		}
		blocks = append(blocks, &part)
	}
	return blocks, more, nil
}

// Containing gives the block of a transaction, cut down to it.
func (s *Searcher) Containing(ctx context.Context, tx ledger.Hash) (*ledger.Block, error) {
	answer, err := s.client.One(ctx, "eth_getTransactionByHash", "0x"+tx.String())
	if err != nil {
		return nil, err
	}
	height, ok, err := reply.ParseTxHeight(answer)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, fmt.Errorf("the node has no transaction 0x%s", tx)
	}
	whole, err := s.whole(ctx, height)
	if err != nil {
		return nil, err
	}
	part := *whole
	at := slices.IndexFunc(whole.Txs, func(t ledger.Tx) bool { return t.ID == tx })
	if at < 0 {
		return nil, fmt.Errorf("the node says that transaction 0x%s is in block %d, where it is not", tx, height)
	}
	part.Txs = whole.Txs[at : at+1]
	return &part, nil
}

// heights lists the blocks that touch an address, oldest first.
func (s *Searcher) heights(ctx context.Context, address ledger.Address, within Span, limit int) (all []ledger.Height, more bool, err error) {
	after := uint64(within.From)
	if after > 0 {
		after-- // the search begins behind it
	}
	found := 0
	for {
		answer, err := s.client.One(ctx, "ots_searchTransactionsAfter", evm.Notation{}.FormatAddress(address), after, pageSize)
		if err != nil {
			return nil, false, err
		}
		page, err := reply.ParseSearch(answer)
		if err != nil {
			return nil, false, err
		}
		last := after
		for _, height := range page.Heights {
			if uint64(height) < after {
				return nil, false, fmt.Errorf("the node finds block %d where blocks after %d were asked for", height, after)
			}
			if last = max(last, uint64(height)); height >= within.From && height <= within.To {
				all = append(all, height)
			}
		}
		found += len(page.Heights)
		switch {
		case page.Newest || len(page.Heights) == 0 || last > uint64(within.To):
			slices.Sort(all)
			return slices.Compact(all), false, nil
		case found >= limit || last == after:
			slices.Sort(all)
			return slices.Compact(all), true, nil
		}
		after = last
	}
}

// addLogged adds the blocks in which events name the address: tokens it received
// without being called, and freezes. Otterscan's search knows only calls. Where the
// search stopped at its limit, events count up to the same block.
func (s *Searcher) addLogged(ctx context.Context, heights []ledger.Height, address ledger.Address, within Span, more bool) ([]ledger.Height, error) { //nolint:revive // whether the search is complete
	if more && len(heights) > 0 {
		within.To = heights[len(heights)-1]
	}
	word := fmt.Sprintf("0x%024x%x", 0, address.Bytes())
	moved, bound := evm.EventTopics()
	for _, filter := range []map[string]any{
		{"topics": []any{append(slices.Clone(moved), bound...), word}},
		{"topics": []any{moved, nil, word}},
		{"topics": []any{bound}}, // some freezes are not indexed by their holder
	} {
		found, err := s.logged(ctx, filter, address, within)
		if err != nil {
			return nil, err
		}
		heights = append(heights, found...)
	}
	slices.Sort(heights)
	return slices.Compact(heights), nil
}

// logged lists the blocks whose events pass a filter and name the address. Nodes
// limit how much they look through; the span is halved until they bear it.
func (s *Searcher) logged(ctx context.Context, filter map[string]any, address ledger.Address, within Span) ([]ledger.Height, error) {
	filter["fromBlock"], filter["toBlock"] = hexNumber(uint64(within.From)), hexNumber(uint64(within.To))
	answers, err := s.client.Do(ctx, []jsonrpc.Call{{Method: "eth_getLogs", Params: []any{filter}}})
	if err != nil {
		return nil, err
	}
	if refusal := answers[0].Refusal; refusal != nil {
		if refusal.NotOffered() || within.From >= within.To {
			return nil, fmt.Errorf("eth_getLogs: %w", refusal)
		}
		middle := within.From + (within.To-within.From)/2
		low, err := s.logged(ctx, filter, address, Span{within.From, middle})
		if err != nil {
			return nil, err
		}
		high, err := s.logged(ctx, filter, address, Span{middle + 1, within.To})
		return append(low, high...), err
	}
	return reply.ParseLogHeights(answers[0].Result, address)
}

// whole fetches a block with all checks.
func (s *Searcher) whole(ctx context.Context, height ledger.Height) (*ledger.Block, error) {
	if block := s.blocks[height]; block != nil {
		return block, nil
	}
	got, err := s.window(ctx, uint64(height), uint64(height))
	if err != nil {
		return nil, err
	}
	if len(s.blocks) >= maxFetched {
		clear(s.blocks)
	}
	s.blocks[height] = got[0]
	return got[0], nil
}

func touches(tx *ledger.Tx, address ledger.Address) bool {
	if tx.Fee.Payer == address || tx.Fee.Producer == address {
		return true
	}
	return slices.ContainsFunc(tx.Transfers, func(t ledger.Transfer) bool { return t.From == address || t.To == address }) ||
		slices.ContainsFunc(tx.Freezes, func(f ledger.Freeze) bool { return f.Holder == address })
}

// openHoldings asks what the address held before the block, once for every asset.
func (s *Searcher) openHoldings(ctx context.Context, block *ledger.Block, address ledger.Address, opened map[evm.Holding]bool) error {
	var ask []evm.Holding
	for _, h := range holdingsOf(block) {
		if h.Address == address && !opened[h] {
			opened[h] = true
			ask = append(ask, h)
		}
	}
	if len(ask) == 0 || block.Height == 0 {
		return nil
	}
	amounts, known, err := s.balances(ctx, ask, block.Height-1)
	if err != nil {
		return err
	}
	for i, h := range ask {
		if known[i] {
			block.Openings = append(block.Openings, ledger.Opening{Address: address, Asset: evm.AssetOf(block.Chain, h.Contract), Amount: amounts[i], Before: block.Height})
		}
	}
	return nil
}
