package evidence

import (
	"context"

	"coldtrail/evidence/slice"
	"coldtrail/ledger"
)

// EthereumSource x.
type EthereumSource interface {
	RawHeader(ctx context.Context, height ledger.Height) ([]byte, error)
}

const proofEthereum = "ethereum"

type ethereumCheck struct {
	*verifier
	s    *ChainStatement
	f    *slice.Facts
	word string
}

func (c *ethereumCheck) run() {}

func (b *builder) proveEthereum(ctx context.Context, f *slice.Facts, source EthereumSource, s *ChainStatement) error {
	return nil
}
