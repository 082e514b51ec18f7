package rpc

import (
	"context"
	"errors"
	"fmt"

	"github.com/ethereum/go-ethereum/rlp"

	"coldtrail/chain/evm/proof"
	"coldtrail/chain/evm/reply"
	"coldtrail/chain/jsonrpc"
	"coldtrail/ledger"
)

// Parts asks for one block with its receipts and checks them against its header.
func (s *Source) Parts(ctx context.Context, height ledger.Height) (*proof.Parts, error) {
	n := hexNumber(uint64(height))
	calls := []jsonrpc.Call{{Method: "eth_getBlockByNumber", Params: []any{n, true}}, {Method: "eth_getBlockReceipts", Params: []any{n}}}
	answers, err := s.client.Do(ctx, calls)
	if err != nil {
		return nil, err
	}
	p, err := s.parts(ctx, height, answers)
	if err != nil {
		return nil, fmt.Errorf("block %d: %w", height, err)
	}
	return p, nil
}

func (s *Source) parts(ctx context.Context, height ledger.Height, answers []jsonrpc.Answer) (*proof.Parts, error) {
	f := fetch{Source: s, height: height, block: answers[0], receipts: answers[1]}
	if f.block.Refusal != nil {
		return nil, f.block.Refusal
	}
	raw, err := reply.ParseBlock(f.block.Result)
	switch {
	case err != nil:
		return nil, err
	case !raw.Known:
		return nil, jsonrpc.ErrShort
	}
	receipts, err := f.readReceipts(ctx, raw)
	if err != nil {
		return nil, err
	}
	uncles, err := f.readUncles(ctx, raw)
	if err != nil {
		return nil, err
	}
	p, err := raw.Verify(receipts, uncles)
	if err == nil && p.Height() != height {
		err = fmt.Errorf("the node gives block %d instead", p.Height())
	}
	return p, err
}

// RawHeader asks for one header, of which the hash is what the node states.
func (s *Source) RawHeader(ctx context.Context, height ledger.Height) ([]byte, error) {
	answer, err := s.client.One(ctx, "eth_getBlockByNumber", hexNumber(uint64(height)), false)
	if err != nil {
		return nil, err
	}
	header, stated, err := reply.ParseHeader(answer)
	switch {
	case err != nil:
	case header == nil:
		err = errors.New("the node has no block at this height")
	case ledger.Hash(header.Hash()) != stated:
		err = fmt.Errorf("its header gives hash 0x%s, the node says 0x%s", ledger.Hash(header.Hash()), stated)
	}
	if err != nil {
		return nil, fmt.Errorf("block %d: %w", height, err)
	}
	return rlp.EncodeToBytes(header)
}
