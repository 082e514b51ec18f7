// Package rpc reads blocks from a node of an EVM chain: several at a time, checked
// against the hashes and roots that bind them before anything is handed on.
//
// A node is not trusted. Answers that contradict each other, hashes that do not
// follow from headers, roots that do not follow from transactions or receipts, and
// traces that do not fit are asked for again, told once, and never kept. What a
// node says of internal value cannot be proven; everything from here is marked node.
package rpc

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync/atomic"

	"coldtrail/chain/evm"
	"coldtrail/chain/evm/reply"
	"coldtrail/chain/jsonrpc"
	"coldtrail/ledger"
)

// Traces says how internal value is asked for.
type Traces string

// The ways.
const (
	// TracesAuto takes the first way that the node offers, the best first.
	TracesAuto Traces = "auto"
	// TracesCall asks debug_traceBlockByNumber with callTracer: moves and logs in order.
	TracesCall Traces = "call"
	// TracesFlat asks trace_block: moves, in unknown order among the logs.
	TracesFlat Traces = "flat"
	// TracesNone does without: internal value stays unknown, and is said to be.
	TracesNone Traces = "none"
)

// Check says what is done about hashes and roots.
type Check uint8

// The checks.
const (
	// CheckAll recomputes hashes, roots and senders.
	CheckAll Check = iota
	// CheckNothing believes the node: for networks whose blocks are not Ethereum's.
	CheckNothing
)

// Options are the choices of a source.
type Options struct {
	Network evm.Network
	Node    jsonrpc.Options
	Traces  Traces
	Check   Check
	// CheckEvery is at which blocks balances are compared with the node's: 64 is every
	// 64th, 0 none.
	CheckEvery uint64
	// Window is how many blocks one batch asks for; 4.
	Window int
	// Openings asks the node what holdings held before the block in which they are
	// first met, where Known says that the store does not know.
	Openings bool
	Known    func(ctx context.Context, holdings []evm.Holding) ([]bool, error)
}

// Source is a node.
type Source struct {
	client   *jsonrpc.Client
	options  Options
	data     *jsonrpc.Patience // with answers that do not hold
	notes    []string
	tip      atomic.Uint64
	receipts atomic.Bool // the node knows eth_getBlockReceipts
	met      *metHoldings
	checked  checks
}

// Open asks the node who it is and what it offers.
func Open(ctx context.Context, options Options) (*Source, error) {
	client, err := jsonrpc.New(options.Node)
	if err != nil {
		return nil, err
	}
	s := &Source{client: client, options: options, data: client.NewPatience(), met: newMetHoldings()}
	s.receipts.Store(true)
	if s.options.Window <= 0 {
		s.options.Window = 4
	}
	if s.options.Traces == "" {
		s.options.Traces = TracesAuto
	}
	if options.Network.Headers == evm.OwnHeader {
		s.options.Check = CheckNothing
	}
	if err := s.greet(ctx); err != nil {
		client.Close()
		return nil, err
	}
	return s, nil
}

// greet checks that the node serves the network and finds its head.
func (s *Source) greet(ctx context.Context) error {
	id, err := s.number(ctx, "eth_chainId")
	if err != nil {
		return fmt.Errorf("ask the node for its chain: %w", err)
	}
	if id != s.options.Network.ID {
		return fmt.Errorf("the node serves eip155:%d, not %s; give the right chain or the right node", id, s.options.Network.Chain())
	}
	if _, err := s.Tip(ctx); err != nil {
		return err
	}
	if s.options.Check == CheckNothing {
		s.notes = append(s.notes, "hashes and roots of this network's blocks are taken as the node states them")
	}
	return s.chooseTraces(ctx)
}

func (s *Source) number(ctx context.Context, method string) (uint64, error) {
	answer, err := s.client.One(ctx, method)
	if err != nil {
		return 0, err
	}
	return reply.ParseNumber(answer)
}

// Tip asks for the number of the newest block.
func (s *Source) Tip(ctx context.Context) (ledger.Height, error) {
	tip, err := s.number(ctx, "eth_blockNumber")
	if err != nil {
		return 0, fmt.Errorf("ask the node for its newest block: %w", err)
	}
	s.tip.Store(tip)
	return ledger.Height(tip), nil
}

// Total is how many blocks the node had when it was last asked.
func (s *Source) Total() uint64 { return s.tip.Load() + 1 }

// Notes tells what the source lacks.
func (s *Source) Notes() []string { return s.notes }

// Close frees the connections.
func (s *Source) Close() error {
	s.client.Close()
	return nil
}

// HashAt is the hash of the node's block at a height, zero where it has none.
func (s *Source) HashAt(ctx context.Context, height ledger.Height) (ledger.Hash, error) {
	for try := 0; ; try++ {
		answer, err := s.client.One(ctx, "eth_getBlockByNumber", hexNumber(uint64(height)), false)
		if err != nil {
			return ledger.Hash{}, err
		}
		hash, err := s.checkHash(answer, height)
		if err == nil {
			s.data.Well()
			return hash, nil
		}
		if err := s.data.Wait(ctx, try, err); err != nil {
			return ledger.Hash{}, err
		}
	}
}

func (s *Source) checkHash(answer []byte, height ledger.Height) (ledger.Hash, error) {
	header, stated, err := reply.ParseHeader(answer)
	if err != nil || header == nil {
		return ledger.Hash{}, err
	}
	if got := ledger.Hash(header.Hash()); s.options.Check == CheckAll && got != stated {
		return ledger.Hash{}, fmt.Errorf("block %d: its header gives hash 0x%s, the node says 0x%s", height, got, stated)
	}
	if !header.Number.IsUint64() || ledger.Height(header.Number.Uint64()) != height {
		return ledger.Hash{}, fmt.Errorf("asked for block %d, the node gives block %s", height, header.Number)
	}
	return stated, nil
}

// Blocks yields the node's blocks from a height to the newest, in order. It fetches
// ahead, as many windows at once as the node bears.
func (s *Source) Blocks(ctx context.Context, from ledger.Height) iter.Seq2[*ledger.Block, error] {
	return func(yield func(*ledger.Block, error) bool) {
		tip, err := s.Tip(ctx)
		if err != nil {
			yield(nil, err)
			return
		}
		s.met.forget()
		walk := jsonrpc.Walk{From: uint64(from), To: uint64(tip), Window: uint64(s.options.Window)}
		for block, err := range jsonrpc.Ahead(ctx, s.client, walk, s.window) {
			if err == nil {
				s.settleOpenings(block)
			}
			if !yield(block, err) || err != nil {
				return
			}
		}
	}
}

// retryNull is how often a block that the node should have is asked for again
// before the walk ends: right after a reorganisation nodes lag behind themselves.
const retryNull = 3

// window fetches a run of blocks, again until each holds.
func (s *Source) window(ctx context.Context, first, last uint64) ([]*ledger.Block, error) {
	var blocks []*ledger.Block
	null := 0
	var given *jsonrpc.PatienceError // the node was given up
	for try := 0; first <= last; {
		got, err := s.fetch(ctx, ledger.Height(first), ledger.Height(last))
		for _, block := range got {
			blocks = append(blocks, block)
			first++
			try, null = 0, 0
		}
		switch {
		case err == nil:
			continue
		case ctx.Err() != nil:
			return blocks, ctx.Err()
		case errors.As(err, &given) || errors.Is(err, errOurs):
			return blocks, err
		case errors.Is(err, jsonrpc.ErrShort):
			if null++; null > retryNull {
				return blocks, jsonrpc.ErrShort
			}
		}
		if err := s.data.Wait(ctx, try, err); err != nil {
			return blocks, err
		}
		try++
	}
	s.data.Well()
	return blocks, nil
}

// errOurs marks failures that are not the node's.
var errOurs = errors.New("the store does not say what it knows")

func hexNumber(n uint64) string { return fmt.Sprintf("0x%x", n) }
