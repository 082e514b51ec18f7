// Package rpc reads blocks from a Bitcoin node (Bitcoin Core, btcd): raw blocks,
// several at a time, decoded and checked as those of block files are.
//
// A node is not trusted: a block must have the hash that was asked for, its work, its
// merkle root and, on the main network, the target that the difficulty rule demands.
// What does not hold is asked for again, told once, and never kept.
package rpc

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"sync/atomic"

	"coldtrail/chain/bitcoin"
	"coldtrail/chain/jsonrpc"
	"coldtrail/ledger"
)

// Options are the choices of a source.
type Options struct {
	Network *bitcoin.Network
	Node    jsonrpc.Options
	Proof   bitcoin.Proof
	Window  int // blocks one batch asks for; 8
}

// Source is a node.
type Source struct {
	client  *jsonrpc.Client
	options Options
	data    *jsonrpc.Patience // with answers that do not hold
	tip     atomic.Uint64
}

// Open asks the node who it is.
func Open(ctx context.Context, options Options) (*Source, error) {
	client, err := jsonrpc.New(options.Node)
	if err != nil {
		return nil, err
	}
	s := &Source{client: client, options: options, data: client.NewPatience()}
	if s.options.Window <= 0 {
		s.options.Window = 8
	}
	if err := s.greet(ctx); err != nil {
		client.Close()
		return nil, err
	}
	return s, nil
}

func (s *Source) greet(ctx context.Context) error {
	genesis, err := s.HashAt(ctx, 0)
	if err != nil {
		return fmt.Errorf("ask the node for its first block: %w", err)
	}
	if genesis != s.options.Network.Genesis {
		return fmt.Errorf("the node's first block is %s, not that of %s; give the right chain or the right node", genesis, s.options.Network.Name)
	}
	_, err = s.Tip(ctx)
	return err
}

// Tip asks for the height of the newest block.
func (s *Source) Tip(ctx context.Context) (ledger.Height, error) {
	answer, err := s.client.One(ctx, "getblockcount")
	if err != nil {
		return 0, fmt.Errorf("ask the node for its newest block: %w", err)
	}
	var n uint64
	if err := json.Unmarshal(answer, &n); err != nil || n > 1<<40 {
		return 0, errors.New("the node's answer to getblockcount is no height")
	}
	s.tip.Store(n)
	return ledger.Height(n), nil
}

// Total is how many blocks the node had when it was last asked.
func (s *Source) Total() uint64 { return s.tip.Load() + 1 }

// Notes tells what the source lacks: nothing.
func (*Source) Notes() []string { return nil }

// Close frees the connections.
func (s *Source) Close() error {
	s.client.Close()
	return nil
}

// The codes by which nodes say that they have no block at a height.
const (
	codeOutOfRange = -8 // Bitcoin Core
	codeMisc       = -1 // btcd
)

// HashAt is the hash of the node's block at a height, zero where it has none.
func (s *Source) HashAt(ctx context.Context, height ledger.Height) (ledger.Hash, error) {
	answers, err := s.client.Do(ctx, []jsonrpc.Call{{Method: "getblockhash", Params: []any{uint64(height)}}})
	if err != nil {
		return ledger.Hash{}, err
	}
	hash, err := readHash(&answers[0])
	if errors.Is(err, jsonrpc.ErrShort) {
		return ledger.Hash{}, nil
	}
	return hash, err
}

func readHash(a *jsonrpc.Answer) (hash ledger.Hash, err error) {
	if a.Refusal != nil {
		if a.Refusal.Code == codeOutOfRange || a.Refusal.Code == codeMisc {
			return hash, jsonrpc.ErrShort
		}
		return hash, a.Refusal
	}
	var text string
	if err := json.Unmarshal(a.Result, &text); err != nil {
		return hash, errors.New("the node's answer to getblockhash is no hash")
	}
	return ledger.ParseHash(text)
}

// Blocks yields the node's blocks from a height to the newest, in order.
func (s *Source) Blocks(ctx context.Context, from ledger.Height) iter.Seq2[*ledger.Block, error] {
	return func(yield func(*ledger.Block, error) bool) {
		tip, err := s.Tip(ctx)
		if err != nil {
			yield(nil, err)
			return
		}
		rule := rule{Source: s}
		walk := jsonrpc.Walk{From: uint64(from), To: uint64(tip), Window: uint64(s.options.Window)}
		for one, err := range jsonrpc.Ahead(ctx, s.client, walk, s.window) {
			if err == nil {
				err = rule.check(ctx, &one)
			}
			if err != nil {
				yield(nil, err)
				return
			}
			if !yield(one.block, nil) {
				return
			}
		}
	}
}

// checked is a block and its header, for the difficulty rule.
type checked struct {
	block  *ledger.Block
	header bitcoin.Header
}

// retryNull is how often a block that the node should have is asked for again.
const retryNull = 3

// window fetches a run of blocks, again until each holds.
func (s *Source) window(ctx context.Context, first, last uint64) (out []checked, err error) {
	null := 0
	for try := 0; first <= last; {
		got, err := s.fetch(ctx, first, last)
		out = append(out, got...)
		if first += uint64(len(got)); len(got) > 0 {
			try, null = 0, 0
		}
		var broken *jsonrpc.PatienceError
		switch {
		case err == nil:
			continue
		case ctx.Err() != nil:
			return out, ctx.Err()
		case errors.As(err, &broken):
			return out, err
		case errors.Is(err, jsonrpc.ErrShort):
			if null++; null > retryNull {
				return out, jsonrpc.ErrShort
			}
		}
		if err := s.data.Wait(ctx, try, err); err != nil {
			return out, err
		}
		try++
	}
	s.data.Well()
	return out, nil
}

// fetch asks for hashes in one batch and for their blocks in the next.
func (s *Source) fetch(ctx context.Context, first, last uint64) (out []checked, err error) {
	var ask []jsonrpc.Call
	for height := first; height <= last; height++ {
		ask = append(ask, jsonrpc.Call{Method: "getblockhash", Params: []any{height}})
	}
	answers, err := s.client.Do(ctx, ask)
	if err != nil {
		return nil, err
	}
	var hashes []ledger.Hash
	var short error
	for i := range answers {
		hash, err := readHash(&answers[i])
		if err != nil {
			short = fmt.Errorf("block %d: %w", first+uint64(i), err)
			break
		}
		ask[i] = jsonrpc.Call{Method: "getblock", Params: []any{hash.String(), 0}}
		hashes = append(hashes, hash)
	}
	if len(hashes) == 0 {
		return nil, short
	}
	if answers, err = s.client.Do(ctx, ask[:len(hashes)]); err != nil {
		return nil, err
	}
	for i := range hashes {
		one, err := s.decode(&answers[i], ledger.Height(first)+ledger.Height(i), hashes[i])
		if err != nil {
			return out, fmt.Errorf("block %d: %w", first+uint64(i), err)
		}
		out = append(out, one)
	}
	return out, short
}

func (s *Source) decode(a *jsonrpc.Answer, height ledger.Height, want ledger.Hash) (one checked, err error) {
	if a.Refusal != nil {
		return one, a.Refusal
	}
	var text string
	if err := json.Unmarshal(a.Result, &text); err != nil {
		return one, errors.New("the node's answer to getblock is no raw block")
	}
	raw, err := hex.DecodeString(text)
	if err != nil {
		return one, errors.New("the node's answer to getblock is not hexadecimal")
	}
	if one.header, err = bitcoin.DecodeHeader(raw); err != nil {
		return one, err
	}
	if one.header.Hash != want {
		return one, fmt.Errorf("asked for %s, the node gives %s", want, one.header.Hash)
	}
	one.block, err = bitcoin.Decode(raw, height, s.options.Network, s.options.Proof)
	return one, err
}

// rule checks targets against the difficulty rule, block after block.
type rule struct {
	*Source
	last  bitcoin.Header
	known bool
}

func (r *rule) check(ctx context.Context, one *checked) error {
	defer func() { r.last, r.known = one.header, true }()
	height := one.block.Height
	if !r.options.Network.Retargets || r.options.Proof == bitcoin.WithoutWork || height == 0 {
		return nil
	}
	if !r.known {
		before, err := r.header(ctx, height-1)
		if err != nil {
			return err
		}
		r.last = before
	}
	want := r.last.Bits
	if height%bitcoin.RetargetBlocks == 0 {
		first, err := r.header(ctx, height-bitcoin.RetargetBlocks)
		if err != nil {
			return err
		}
		want = bitcoin.NextBits(r.options.Network, want, first.Time, r.last.Time)
	}
	if one.header.Bits != want {
		return fmt.Errorf("block %d (%s): target %08x, the difficulty rule demands %08x", height, one.header.Hash, one.header.Bits, want)
	}
	return nil
}

// header asks for one header and checks its work.
func (r *rule) header(ctx context.Context, height ledger.Height) (h bitcoin.Header, err error) {
	raw, err := r.RawHeader(ctx, height)
	if err != nil {
		return h, err
	}
	if h, err = bitcoin.DecodeHeader(raw); err == nil {
		err = h.CheckWork(r.options.Network)
	}
	if err != nil {
		return h, fmt.Errorf("header of block %d: %w", height, err)
	}
	return h, nil
}
