// Package esplora asks explorers that speak Esplora's interface: for whole blocks, and,
// to trace a case without a node or a ledger, for single transactions and what spends
// them.
//
// Blocks are decoded and checked as those of block files are. A single transaction is
// proven to be in its block: its identifier is recomputed, the merkle branch leads to
// the header's root, and the header has its work. What an explorer can hide is a
// spend; so everything is marked node.
package esplora

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"sync/atomic"

	"coldtrail/chain/bitcoin"
	"coldtrail/chain/jsonrpc"
	"coldtrail/ledger"
)

// Options are the choices of an explorer. Node.URL is where its paths begin, such as
// https://HOST/api; Node.Every keeps to its limit of requests.
type Options struct {
	Network *bitcoin.Network
	Node    jsonrpc.Options
	Proof   bitcoin.Proof
}

// Source is an explorer.
type Source struct {
	client  *jsonrpc.Client
	options Options
	tip     atomic.Uint64
	headers map[ledger.Hash]bitcoin.Header // by block, proven
	taken   map[ledger.Hash]*ledger.Block  // by transaction, cut down to it
}

// maxKept bounds what is kept in memory.
const maxKept = 8192

// Open asks the explorer which network it serves.
func Open(ctx context.Context, options Options) (*Source, error) {
	client, err := jsonrpc.New(options.Node)
	if err != nil {
		return nil, err
	}
	s := &Source{client: client, options: options, headers: map[ledger.Hash]bitcoin.Header{}, taken: map[ledger.Hash]*ledger.Block{}}
	genesis, err := s.HashAt(ctx, 0)
	if err == nil && genesis != options.Network.Genesis {
		err = fmt.Errorf("the explorer's first block is %s, not that of %s; give the right chain or the right explorer", genesis, options.Network.Name)
	}
	if err == nil {
		_, err = s.Tip(ctx)
	}
	if err != nil {
		client.Close()
		return nil, err
	}
	return s, nil
}

// Close frees the connections.
func (s *Source) Close() error {
	s.client.Close()
	return nil
}

// Notes tells what such a source lacks.
func (*Source) Notes() []string { return nil }

// Total is how many blocks the explorer had when it was last asked.
func (s *Source) Total() uint64 { return s.tip.Load() + 1 }

// get asks for a path; check says whether the answer holds.
func (s *Source) get(ctx context.Context, check func([]byte) error, path ...string) error {
	_, err := s.client.Get(ctx, strings.Join(path, "/"), nil, check)
	return err
}

// Tip asks for the height of the newest block.
func (s *Source) Tip(ctx context.Context) (ledger.Height, error) {
	err := s.get(ctx, func(body []byte) error {
		n, err := strconv.ParseUint(strings.TrimSpace(string(body)), 10, 40)
		s.tip.Store(n)
		return err
	}, "blocks", "tip", "height")
	return ledger.Height(s.tip.Load()), err
}

// HashAt is the hash of the block at a height, zero where the explorer has none.
func (s *Source) HashAt(ctx context.Context, height ledger.Height) (hash ledger.Hash, err error) {
	err = s.get(ctx, func(body []byte) (err error) {
		hash, err = ledger.ParseHash(strings.TrimSpace(string(body)))
		return err
	}, "block-height", strconv.FormatUint(uint64(height), 10))
	var missing *jsonrpc.MissingError
	if errors.As(err, &missing) {
		return ledger.Hash{}, nil
	}
	return hash, err
}

// Blocks yields whole blocks from a height to the newest, in order.
func (s *Source) Blocks(ctx context.Context, from ledger.Height) iter.Seq2[*ledger.Block, error] {
	return func(yield func(*ledger.Block, error) bool) {
		tip, err := s.Tip(ctx)
		if err != nil {
			yield(nil, err)
			return
		}
		walk := jsonrpc.Walk{From: uint64(from), To: uint64(tip), Window: 1}
		for block, err := range jsonrpc.Ahead(ctx, s.client, walk, s.window) {
			if !yield(block, err) || err != nil {
				return
			}
		}
	}
}

func (s *Source) window(ctx context.Context, height, _ uint64) ([]*ledger.Block, error) {
	hash, err := s.HashAt(ctx, ledger.Height(height))
	if err != nil {
		return nil, err
	}
	if hash.IsZero() {
		return nil, jsonrpc.ErrShort
	}
	var block *ledger.Block
	err = s.get(ctx, func(raw []byte) (err error) {
		if block, err = bitcoin.Decode(raw, ledger.Height(height), s.options.Network, s.options.Proof); err == nil && block.Hash != hash {
			err = fmt.Errorf("asked for block %s, the explorer gives %s", hash, block.Hash)
		}
		return err
	}, "block", hash.String(), "raw")
	return []*ledger.Block{block}, err
}

// status says where a transaction stands.
type status struct {
	Confirmed bool   `json:"confirmed"`
	Height    uint64 `json:"block_height"`
	Hash      string `json:"block_hash"`
}

// Containing gives the block of a transaction, cut down to it and without the block's
// hash: what is gathered is no whole chain.
func (s *Source) Containing(ctx context.Context, tx ledger.Hash) (*ledger.Block, error) {
	if block := s.taken[tx]; block != nil {
		return block, nil
	}
	var at status
	err := s.get(ctx, func(body []byte) error { return json.Unmarshal(body, &at) }, "tx", tx.String(), "status")
	var missing *jsonrpc.MissingError
	if errors.As(err, &missing) || err == nil && !at.Confirmed {
		return nil, fmt.Errorf("the explorer has no confirmed transaction %s", tx)
	}
	if err != nil {
		return nil, err
	}
	return s.take(ctx, tx, at)
}

// take fetches a transaction and proves that it is in its block.
func (s *Source) take(ctx context.Context, id ledger.Hash, at status) (*ledger.Block, error) {
	if block := s.taken[id]; block != nil {
		return block, nil
	}
	hash, err := ledger.ParseHash(at.Hash)
	if err != nil {
		return nil, err
	}
	header, err := s.header(ctx, hash)
	if err != nil {
		return nil, err
	}
	var position uint32
	err = s.get(ctx, func(body []byte) (err error) {
		position, err = proveIn(&header, id, body)
		return err
	}, "tx", id.String(), "merkle-proof")
	if err != nil {
		return nil, err
	}
	block := &ledger.Block{Chain: s.options.Network.Chain, Height: ledger.Height(at.Height), Time: int64(header.Time), Provenance: ledger.Node}
	err = s.get(ctx, func(raw []byte) error {
		tx, err := bitcoin.DecodeTx(raw, position)
		if err == nil && tx.ID != id {
			err = fmt.Errorf("asked for transaction %s, the explorer gives %s", id, tx.ID)
		}
		block.Txs = []ledger.Tx{tx}
		return err
	}, "tx", id.String(), "raw")
	if err != nil {
		return nil, err
	}
	if len(s.taken) >= maxKept {
		clear(s.taken)
	}
	s.taken[id] = block
	return block, nil
}

// header fetches a block's header and checks its work.
func (s *Source) header(ctx context.Context, hash ledger.Hash) (h bitcoin.Header, err error) {
	if have, ok := s.headers[hash]; ok {
		return have, nil
	}
	err = s.get(ctx, func(body []byte) error {
		raw, err := hex.DecodeString(strings.TrimSpace(string(body)))
		if err == nil {
			h, err = bitcoin.DecodeHeader(raw)
		}
		if err == nil && h.Hash != hash {
			err = fmt.Errorf("asked for block %s, the explorer gives %s", hash, h.Hash)
		}
		if err == nil && s.options.Proof == bitcoin.WithWork {
			err = h.CheckWork(s.options.Network)
		}
		return err
	}, "block", hash.String(), "header")
	if err == nil {
		s.headers[hash] = h
	}
	return h, err
}

// proveIn checks a merkle branch and gives the transaction's position.
func proveIn(header *bitcoin.Header, id ledger.Hash, body []byte) (uint32, error) {
	var proof struct {
		Branch   []string `json:"merkle"`
		Position uint32   `json:"pos"`
	}
	if err := json.Unmarshal(body, &proof); err != nil {
		return 0, errors.New("the merkle proof is not JSON")
	}
	branch := make([]ledger.Hash, len(proof.Branch))
	for i, text := range proof.Branch {
		var err error
		if branch[i], err = ledger.ParseHash(text); err != nil || i > 32 {
			return 0, errors.New("the merkle proof is no list of hashes")
		}
	}
	if !header.Contains(id, proof.Position, branch) {
		return 0, fmt.Errorf("transaction %s is not proven to be in block %s", id, header.Hash)
	}
	return proof.Position, nil
}

// Spending gives the blocks of the transactions that spend outputs of a transaction,
// each cut down to it.
func (s *Source) Spending(ctx context.Context, tx ledger.Hash) (blocks []*ledger.Block, err error) {
	var spends []struct {
		Spent  bool   `json:"spent"`
		ID     string `json:"txid"`
		Status status `json:"status"`
	}
	err = s.get(ctx, func(body []byte) error { return json.Unmarshal(body, &spends) }, "tx", tx.String(), "outspends")
	if err != nil {
		return nil, err
	}
	for _, spend := range spends {
		if !spend.Spent || !spend.Status.Confirmed {
			continue
		}
		id, err := ledger.ParseHash(spend.ID)
		if err != nil {
			return nil, err
		}
		block, err := s.take(ctx, id, spend.Status)
		if err != nil {
			return nil, err
		}
		blocks = append(blocks, block)
	}
	return blocks, nil
}
