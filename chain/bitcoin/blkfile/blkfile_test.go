package blkfile_test

import (
	"testing"

	"coldtrail/chain/bitcoin"
	"coldtrail/chain/bitcoin/blkfile"
	"coldtrail/ingest"
	"coldtrail/ledger"
	"coldtrail/store/memory"
)

// TestRealChain ingests the first 14,132 blocks of Bitcoin and reconciles them.
func TestRealChain(t *testing.T) {
	source, err := blkfile.Open(t.Context(), "../../../testdata/bitcoin/blk_0_to_14131.dat.zst", blkfile.Options{Network: bitcoin.Mainnet})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := source.Close(); err != nil {
			t.Error(err)
		}
	})
	s := memory.New()
	if _, err := ingest.Run(t.Context(), s, ledger.Bitcoin, source, ingest.Options{}); err != nil {
		t.Fatal(err)
	}
	status, err := s.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got := status[0]
	if got.Height != 14131 || got.Blocks != 14132 || got.Txs != 14247 || got.UnspentOutputs != 13416 || got.UnspentValue != 70655000000000 || got.Weakest != ledger.Proven {
		t.Errorf("status %+v", got)
	}
}
