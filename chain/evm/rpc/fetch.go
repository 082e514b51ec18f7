package rpc

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/ethereum/go-ethereum/core/types"

	"coldtrail/chain/evm"
	"coldtrail/chain/evm/reply"
	"coldtrail/chain/jsonrpc"
	"coldtrail/ledger"
)

// callTracer asks for every call and, within it, for the place of every log.
var callTracer = map[string]any{"tracer": "callTracer", "tracerConfig": map[string]any{"withLog": true}, "timeout": "120s"}

// chooseTraces finds the best way the node offers to learn of internal value.
func (s *Source) chooseTraces(ctx context.Context) error {
	ways := map[Traces]jsonrpc.Call{
		TracesCall: {Method: "debug_traceBlockByNumber", Params: []any{hexNumber(max(1, s.tip.Load())), callTracer}},
		TracesFlat: {Method: "trace_block", Params: []any{hexNumber(max(1, s.tip.Load()))}},
	}
	order := []Traces{TracesCall, TracesFlat}
	if s.options.Traces != TracesAuto {
		order = []Traces{s.options.Traces}
	}
	for _, way := range order {
		if way == TracesNone {
			break
		}
		answers, err := s.client.Do(ctx, []jsonrpc.Call{ways[way]})
		if err != nil {
			return err
		}
		if refusal := answers[0].Refusal; refusal == nil || !refusal.NotOffered() {
			if s.options.Traces = way; way == TracesFlat {
				s.notes = append(s.notes, "the node offers trace_block only: the order of internal moves among token movements is approximate")
			}
			return nil
		}
		if s.options.Traces == way {
			return fmt.Errorf("the node does not offer %s; leave --traces out, or use a node with its debug or trace interface open", ways[way].Method)
		}
	}
	s.options.Traces = TracesNone
	s.notes = append(s.notes, "no traces: native value that contracts move inside transactions is unknown; use a node with debug_traceBlockByNumber or trace_block to know it")
	return nil
}

// fetch asks for blocks in one batch and gives those, from the first on, that hold.
func (s *Source) fetch(ctx context.Context, first, last ledger.Height) ([]*ledger.Block, error) {
	var calls []jsonrpc.Call
	per := 0
	for height := first; height <= last; height++ {
		n := hexNumber(uint64(height))
		calls = append(calls, jsonrpc.Call{Method: "eth_getBlockByNumber", Params: []any{n, true}})
		if s.receipts.Load() {
			calls = append(calls, jsonrpc.Call{Method: "eth_getBlockReceipts", Params: []any{n}})
		} else {
			calls = append(calls, jsonrpc.Call{Method: "eth_chainId"}) // keeps the answers aligned
		}
		switch {
		case height == 0: // nothing ran in the genesis block
			calls = append(calls, jsonrpc.Call{Method: "eth_chainId"})
		case s.options.Traces == TracesCall:
			calls = append(calls, jsonrpc.Call{Method: "debug_traceBlockByNumber", Params: []any{n, callTracer}})
		case s.options.Traces == TracesFlat:
			calls = append(calls, jsonrpc.Call{Method: "trace_block", Params: []any{n}})
		default:
			calls = append(calls, jsonrpc.Call{Method: "eth_chainId"})
		}
		per = 3
	}
	answers, err := s.client.Do(ctx, calls)
	if err != nil {
		return nil, err
	}
	var blocks []*ledger.Block
	for height := first; height <= last; height++ {
		i := int(height-first) * per
		f := fetch{Source: s, height: height, block: answers[i], receipts: answers[i+1], trace: answers[i+2]}
		block, err := f.build(ctx)
		if err != nil {
			return blocks, fmt.Errorf("block %d: %w", height, err)
		}
		blocks = append(blocks, block)
	}
	return blocks, nil
}

// fetch is the answers about one block.
type fetch struct {
	*Source
	height                 ledger.Height
	block, receipts, trace jsonrpc.Answer
}

// build joins the answers and checks that they belong together.
func (f *fetch) build(ctx context.Context) (*ledger.Block, error) {
	if f.block.Refusal != nil {
		return nil, f.block.Refusal
	}
	raw, err := reply.ParseBlock(f.block.Result)
	if err != nil {
		return nil, err
	}
	if !raw.Known {
		return nil, jsonrpc.ErrShort
	}
	if !raw.Header.Number.IsUint64() || ledger.Height(raw.Header.Number.Uint64()) != f.height {
		return nil, fmt.Errorf("the node gives block %s instead", raw.Header.Number)
	}
	receipts, err := f.readReceipts(ctx, raw)
	if err != nil {
		return nil, err
	}
	uncles, err := f.readUncles(ctx, raw)
	if err != nil {
		return nil, err
	}
	block, err := f.join(raw, receipts, uncles)
	if err != nil {
		return nil, err
	}
	block.Provenance = ledger.Node
	if err := f.addTraces(block); err != nil {
		return nil, err
	}
	out, err := block.Ledger(&f.options.Network)
	if err != nil {
		return nil, err
	}
	if err := f.checkBalances(ctx, out); err != nil {
		return nil, err
	}
	return out, f.addOpenings(ctx, out)
}

func (f *fetch) join(raw *reply.Block, receipts []reply.Receipt, uncles []*types.Header) (*evm.Block, error) {
	if f.options.Check == CheckNothing {
		return raw.Stated(receipts, uncles)
	}
	parts, err := raw.Verify(receipts, uncles)
	if err != nil {
		return nil, err
	}
	block, err := parts.Block(&f.options.Network, func(tx int) ledger.Amount { return receipts[tx].BlobPrice })
	if err != nil {
		return nil, err
	}
	for i := range block.Txs {
		if block.Txs[i].From != raw.Txs[i].Stated.From {
			return nil, fmt.Errorf("transaction 0x%s is signed by %s, the node says %s", block.Txs[i].Hash,
				evm.Notation{}.FormatAddress(block.Txs[i].From), evm.Notation{}.FormatAddress(raw.Txs[i].Stated.From))
		}
	}
	return block, nil
}

// readReceipts reads the block's receipts, or asks for them one by one where the
// node does not know them by block.
func (f *fetch) readReceipts(ctx context.Context, raw *reply.Block) ([]reply.Receipt, error) {
	if f.Source.receipts.Load() {
		if f.receipts.Refusal == nil {
			receipts, err := reply.ParseReceipts(f.receipts.Result)
			if err == nil && len(receipts) != len(raw.Txs) {
				err = fmt.Errorf("the node gives %d receipts for %d transactions", len(receipts), len(raw.Txs))
			}
			return receipts, err
		}
		if !f.receipts.Refusal.NotOffered() {
			return nil, f.receipts.Refusal
		}
		f.Source.receipts.Store(false)
	}
	calls := make([]jsonrpc.Call, len(raw.Txs))
	for i := range raw.Txs {
		calls[i] = jsonrpc.Call{Method: "eth_getTransactionReceipt", Params: []any{"0x" + raw.Txs[i].Stated.Hash.String()}}
	}
	if len(calls) == 0 {
		return nil, nil
	}
	answers, err := f.client.Do(ctx, calls)
	if err != nil {
		return nil, err
	}
	texts := make([][]byte, len(answers))
	for i := range answers {
		if answers[i].Refusal != nil {
			return nil, answers[i].Refusal
		}
		texts[i] = answers[i].Result
	}
	receipts, err := reply.ParseReceipts(append(append([]byte{'['}, bytes.Join(texts, []byte{','})...), ']'))
	for i := range receipts {
		if !receipts[i].Known {
			return nil, fmt.Errorf("the node has no receipt of transaction 0x%s", raw.Txs[i].Stated.Hash)
		}
	}
	return receipts, err
}

// readUncles asks for the headers of uncles, which a block only names.
func (f *fetch) readUncles(ctx context.Context, raw *reply.Block) ([]*types.Header, error) {
	if len(raw.Uncles) == 0 {
		return nil, nil
	}
	if len(raw.Uncles) > 2 {
		return nil, fmt.Errorf("it has %d uncles, the protocol allows 2", len(raw.Uncles))
	}
	calls := make([]jsonrpc.Call, len(raw.Uncles))
	for i := range calls {
		calls[i] = jsonrpc.Call{Method: "eth_getUncleByBlockNumberAndIndex", Params: []any{hexNumber(uint64(f.height)), hexNumber(uint64(i))}}
	}
	answers, err := f.client.Do(ctx, calls)
	if err != nil {
		return nil, err
	}
	var uncles []*types.Header
	for i := range answers {
		if answers[i].Refusal != nil {
			return nil, answers[i].Refusal
		}
		header, _, err := reply.ParseHeader(answers[i].Result)
		if err != nil || header == nil || !header.Number.IsUint64() {
			return nil, errors.Join(errors.New("an uncle is missing"), err)
		}
		uncles = append(uncles, header)
	}
	return uncles, nil
}

// addTraces gives transactions what the node says of their internal moves.
func (f *fetch) addTraces(block *evm.Block) error {
	if f.options.Traces == TracesNone || f.height == 0 {
		return nil
	}
	if f.trace.Refusal != nil {
		if stateGone(f.trace.Refusal.Message) {
			return nil // a pruned node: what it cannot know is marked unknown
		}
		return fmt.Errorf("trace: %w", f.trace.Refusal)
	}
	if f.options.Traces == TracesFlat {
		return addFlat(block, f.trace.Result)
	}
	traces, err := reply.ParseCalls(f.trace.Result)
	if err != nil {
		return fmt.Errorf("trace: %w", err)
	}
	if len(traces) != len(block.Txs) {
		return fmt.Errorf("trace: the node traces %d of %d transactions", len(traces), len(block.Txs))
	}
	for i := range traces {
		t, tx := &traces[i], &block.Txs[i]
		if !t.Hash.IsZero() && t.Hash != tx.Hash {
			return fmt.Errorf("trace: number %d is of transaction 0x%s, want 0x%s", i, t.Hash, tx.Hash)
		}
		if err := fits(tx, &evm.Flat{From: t.Root.From, To: t.Root.To, Value: t.Root.Value, Failed: t.Root.Failed}); err != nil {
			return err
		}
		if err := block.SetCalls(tx, &t.Root, t.Logs || len(tx.Logs) == 0); err != nil {
			return err
		}
	}
	return nil
}

// stateGone knows how nodes say that they no longer have an old block's state.
func stateGone(message string) bool {
	for _, words := range []string{"missing trie node", "historical state", "state not available", "required historical", "pruned"} {
		if strings.Contains(strings.ToLower(message), words) {
			return true
		}
	}
	return false
}

func addFlat(block *evm.Block, answer []byte) error {
	entries, err := reply.ParseFlat(answer)
	if err != nil {
		return fmt.Errorf("trace: %w", err)
	}
	of := map[ledger.Hash][]evm.Flat{}
	for i := range entries {
		if e := &entries[i]; !e.Reward {
			of[e.Hash] = append(of[e.Hash], e.Flat)
		}
	}
	for i := range block.Txs {
		tx := &block.Txs[i]
		entries := of[tx.Hash]
		delete(of, tx.Hash)
		if len(entries) == 0 {
			return fmt.Errorf("trace: the node traces nothing of transaction 0x%s", tx.Hash)
		}
		for j := range entries {
			if len(entries[j].Address) == 0 {
				if err := fits(tx, &entries[j]); err != nil {
					return err
				}
			}
		}
		block.SetFlat(tx, entries)
	}
	if len(of) > 0 {
		return fmt.Errorf("trace: the node traces %d transactions that are not in the block", len(of))
	}
	return nil
}

// fits checks that a trace's first call is the transaction.
func fits(tx *evm.Tx, root *evm.Flat) error {
	to := tx.To
	if to.IsZero() {
		to = tx.Created
	}
	switch {
	case root.From != tx.From:
		return fmt.Errorf("trace: it says that transaction 0x%s is from %s", tx.Hash, evm.Notation{}.FormatAddress(root.From))
	case !root.To.IsZero() && root.To != to:
		return fmt.Errorf("trace: it says that transaction 0x%s is to %s", tx.Hash, evm.Notation{}.FormatAddress(root.To))
	case !root.Value.Eq(&tx.Value):
		return fmt.Errorf("trace: it says that transaction 0x%s moves %s wei, it moves %s", tx.Hash, root.Value.Dec(), tx.Value.Dec())
	case root.Failed != tx.Failed:
		return fmt.Errorf("trace: whether transaction 0x%s failed differs from its receipt", tx.Hash)
	}
	return nil
}
