//go:build !small

package main

import (
	"context"

	"coldtrail/chain/evm/parquet"
)

func openParquet(ctx context.Context, v *ingestVerb, at sourceAt) (blockSource, error) {
	network, err := v.evmNetwork(at.chain)
	if err != nil {
		return nil, err
	}
	return parquet.Open(ctx, at.place, network)
}
