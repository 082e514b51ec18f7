package rpc

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"coldtrail/chain/bitcoin"
	"coldtrail/ledger"
)

// Raw asks for a serialized block. Its header has the hash that the node names; nothing
// else is checked.
func (s *Source) Raw(ctx context.Context, height ledger.Height) ([]byte, error) {
	return s.rawOf(ctx, height, "getblock", 0)
}

// RawHeader asks for a serialized header.
func (s *Source) RawHeader(ctx context.Context, height ledger.Height) ([]byte, error) {
	return s.rawOf(ctx, height, "getblockheader", false)
}

func (s *Source) rawOf(ctx context.Context, height ledger.Height, method string, form any) ([]byte, error) {
	hash, err := s.HashAt(ctx, height)
	if err == nil && hash.IsZero() {
		err = errors.New("the node has no block at this height")
	}
	if err != nil {
		return nil, fmt.Errorf("block %d: %w", height, err)
	}
	answer, err := s.client.One(ctx, method, hash.String(), form)
	if err != nil {
		return nil, fmt.Errorf("block %d: %w", height, err)
	}
	var text string
	raw, err := []byte(nil), json.Unmarshal(answer, &text)
	if err == nil {
		raw, err = hex.DecodeString(text)
	}
	var h bitcoin.Header
	if err == nil {
		h, err = bitcoin.DecodeHeader(raw)
	}
	if err == nil && h.Hash != hash {
		err = fmt.Errorf("asked for %s, the node gives %s", hash, h.Hash)
	}
	if err != nil {
		return nil, fmt.Errorf("block %d: %w", height, err)
	}
	return raw, nil
}
