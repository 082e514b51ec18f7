package archive_test

import (
	"encoding/binary"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"coldtrail/ledger"
	"coldtrail/store/archive"
	"coldtrail/store/embedded"
)

// The blocks of the benchmarks, and the transactions of each.
const (
	benchBlocks = 100
	benchTxs    = 500
)

// drawn makes hashes and addresses that do not shrink, as real ones do not.
type drawn struct{ *rand.Rand }

func (d drawn) hash() (h ledger.Hash) {
	for at := 0; at < len(h); at += 8 {
		binary.LittleEndian.PutUint64(h[at:], d.Uint64())
	}
	return h
}

func (d drawn) address(kind ledger.AddressKind) ledger.Address {
	h := d.hash()
	return ledger.NewAddress(kind, h[:20])
}

// benchUTXO has payments of two inputs and two outputs, half to addresses used before.
func benchUTXO() (blocks []*ledger.Block) {
	d := drawn{rand.New(rand.NewPCG(1, 2))}
	var open []ledger.Outpoint
	var known []ledger.Address
	parent := ledger.Hash{}
	for n := range benchBlocks {
		b := &ledger.Block{Chain: ledger.Bitcoin, Height: ledger.Height(n), Hash: d.hash(), Parent: parent, Time: 1_600_000_000 + int64(n)*600, Provenance: ledger.Proven}
		for i := range benchTxs {
			tx := ledger.Tx{ID: d.hash(), Index: uint32(i)}
			for range min(2, len(open)*i) {
				at := d.IntN(len(open))
				tx.Inputs = append(tx.Inputs, open[at])
				open[at] = open[len(open)-1]
				open = open[:len(open)-1]
			}
			tx.Coinbase = len(tx.Inputs) == 0
			for j := range 2 {
				owner := d.address(ledger.P2WPKH)
				if len(known) > 0 && d.IntN(2) == 0 {
					owner = known[d.IntN(len(known))]
				}
				known = append(known, owner)
				tx.Outputs = append(tx.Outputs, ledger.Output{Value: 1000, Address: owner})
				open = append(open, ledger.Outpoint{Tx: tx.ID, Index: uint32(j)})
			}
			b.Txs = append(b.Txs, tx)
		}
		parent = b.Hash
		blocks = append(blocks, b)
	}
	return blocks
}

// benchAccounts has a movement of a token with its event in each transaction.
func benchAccounts() (blocks []*ledger.Block) {
	d := drawn{rand.New(rand.NewPCG(3, 4))}
	tokens := make([]ledger.Asset, 50)
	for i := range tokens {
		contract := d.address(ledger.EVMAccount)
		tokens[i] = ledger.Asset(string(ledger.Ethereum) + "/erc20:0x" + ledger.Hash(contract.Payload).String()[:40])
	}
	parent := ledger.Hash{}
	for n := range benchBlocks {
		b := &ledger.Block{Chain: ledger.Ethereum, Height: ledger.Height(n), Hash: d.hash(), Parent: parent, Time: 1_600_000_000 + int64(n)*12, Provenance: ledger.Node}
		producer := d.address(ledger.EVMAccount)
		for i := range benchTxs {
			payer, data := d.address(ledger.EVMAccount), d.hash()
			b.Txs = append(b.Txs, ledger.Tx{
				ID: d.hash(), Index: uint32(i), Fee: ledger.Fee{Payer: payer, Burned: ledger.NewAmount(d.Uint64() >> 12), Tip: ledger.NewAmount(d.Uint64() >> 20), Producer: producer},
				Transfers: []ledger.Transfer{{From: payer, To: d.address(ledger.EVMAccount), Asset: tokens[d.IntN(len(tokens))], Amount: ledger.NewAmount(d.Uint64() >> 4), LogIndex: int32(i)}},
				Messages:  []ledger.Message{{Kind: ledger.Log, Contract: payer, Position: uint32(i), Data: append([]byte{1}, data[:]...)}},
			})
		}
		parent = b.Hash
		blocks = append(blocks, b)
	}
	return blocks
}

// BenchmarkArchive writes from a store of one machine and reads into another.
func BenchmarkArchive(b *testing.B) {
	for name, blocks := range map[string][]*ledger.Block{"utxo": benchUTXO(), "accounts": benchAccounts()} {
		from, err := embedded.Open(b.Context(), b.TempDir(), embedded.Options{})
		if err == nil {
			err = from.Append(b.Context(), blocks)
		}
		if err != nil {
			b.Fatal(err)
		}
		report := func(b *testing.B, s *archive.Summary) {
			b.Helper()
			b.ReportMetric(float64(s.Rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
			b.ReportMetric(float64(s.Bytes)/float64(s.Rows), "B/row")
			b.ReportMetric(float64(s.Rows), "rows")
		}
		b.Run("write "+name, func(b *testing.B) {
			var s *archive.Summary
			for b.Loop() {
				if s, err = archive.Write(b.Context(), from, filepath.Join(b.TempDir(), "a"), archive.Options{}); err != nil {
					b.Fatal(err)
				}
			}
			report(b, s)
		})
		dir := filepath.Join(b.TempDir(), "a")
		if _, err := archive.Write(b.Context(), from, dir, archive.Options{}); err != nil {
			b.Fatal(err)
		}
		b.Run("read "+name, func(b *testing.B) {
			var s *archive.Summary
			for b.Loop() {
				b.StopTimer()
				into, err := embedded.Open(b.Context(), b.TempDir(), embedded.Options{})
				if err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
				if s, err = archive.Read(b.Context(), dir, into, archive.Options{}); err != nil {
					b.Fatal(err)
				}
				b.StopTimer()
				if err := into.Close(); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
			}
			report(b, s)
		})
		if err := from.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
