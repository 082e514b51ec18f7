package main

import (
	"bytes"
	"math/big"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/rpc"

	"coldtrail/chain/evm"
	"coldtrail/internal/nodetest"
	"coldtrail/ledger"
	"coldtrail/store"
	"coldtrail/store/embedded"
)

// TestAnvil ingests random traffic from anvil, over a reorganisation, and compares
// every balance at every block with the node's own answer.
func TestAnvil(t *testing.T) {
	for seed, traces := range []string{"call", "flat"} {
		t.Run(traces, func(t *testing.T) {
			node := nodetest.Anvil(t)
			w := newWorld(t, node, uint64(seed+1))
			data := t.TempDir()
			w.traffic(40, 16)
			w.ingest(t, data, traces)
			var snapshot string
			node.Call(&snapshot, "evm_snapshot")
			w.traffic(6, 8)
			w.ingest(t, data, traces)
			node.Call(nil, "evm_revert", snapshot)
			w.nonce = map[common.Address]uint64{}
			w.traffic(8, 8)
			if notes := w.ingest(t, data, traces); !strings.Contains(notes, "the chain was reorganised") {
				t.Errorf("no word of the reorganisation in %q", notes)
			}
			w.compare(t, data)
			w.withoutTraces(t)
		})
	}
}

// withoutTraces ingests without internal value: it is said, marked on the
// transactions that ran contracts, and seen in the balances.
func (w *world) withoutTraces(t *testing.T) {
	t.Helper()
	data := t.TempDir()
	var out, notes bytes.Buffer
	chain := "eip155:" + w.node.ID.String()
	if code := run([]string{"--data", data, "ingest", chain, "--from", "rpc:" + w.node.URL, "--traces", "none", "--check-every", "1"}, &out, &notes); code != exitDone {
		t.Fatal(notes.String())
	}
	for _, want := range []string{"native value that contracts move inside transactions is unknown", "what is known to have moved makes"} {
		if !strings.Contains(notes.String(), want) {
			t.Errorf("nothing said of %q in %.1000s", want, notes.String())
		}
	}
	s, err := embedded.Open(t.Context(), data, embedded.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	external, plain := 0, 0
	for block, err := range s.Blocks(t.Context(), ledger.Chain(chain), 0, 1<<40) {
		if err != nil {
			t.Fatal(err)
		}
		for i := range block.Txs {
			if tx := &block.Txs[i]; tx.External {
				external++
			} else if !tx.Failed {
				plain++
			}
		}
	}
	if external < 100 || plain < 20 {
		t.Errorf("%d transactions marked as of unknown internal value, %d not", external, plain)
	}
}

// TestGeth does the same with geth in its development mode.
func TestGeth(t *testing.T) {
	t.Parallel() // it waits for a block every second
	node := nodetest.Geth(t)
	w := newWorld(t, node, 7)
	data := t.TempDir()
	w.traffic(20, 16)
	w.ingest(t, data, "call")
	fork := node.Tip()
	w.traffic(3, 12)
	w.ingest(t, data, "call")
	node.Call(nil, "debug_setHead", hexutil.Uint64(fork))
	w.nonce = map[common.Address]uint64{}
	w.traffic(5, 12)
	w.ingest(t, data, "call")
	w.compare(t, data)
}

// traffic mines blocks of random transactions.
func (w *world) traffic(blocks, most int) {
	for range blocks {
		for range 1 + w.random.IntN(most) {
			w.act()
		}
		w.mine()
	}
}

// ingest runs the command and gives what it says.
func (w *world) ingest(t *testing.T, data, traces string) string {
	t.Helper()
	var out, notes bytes.Buffer
	args := []string{"--data", data, "ingest", "eip155:" + w.node.ID.String(), "--from", "rpc:" + w.node.URL, "--traces", traces, "--wrapped", w.wrapped.Hex(), "--check-every", "1"}
	if code := run(args, &out, &notes); code != exitDone {
		t.Fatalf("ingest: %s", notes.String())
	}
	if strings.Contains(notes.String(), "what is known to have moved") {
		t.Errorf("the node's states differ from the ledger: %.2000s", notes.String())
	}
	return notes.String()
}

// compare checks every balance at the end of every block.
func (w *world) compare(t *testing.T, data string) {
	t.Helper()
	s, err := embedded.Open(t.Context(), data, embedded.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	chain := ledger.Chain("eip155:" + w.node.ID.String())
	seen := map[ledger.Address]bool{}
	tip, compared := w.node.Tip(), 0
	for header, err := range s.Headers(t.Context(), chain, 0) {
		if err != nil {
			t.Fatal(err)
		}
		for block, err := range s.Blocks(t.Context(), chain, header.Height, header.Height) {
			if err != nil {
				t.Fatal(err)
			}
			for i := range block.Txs {
				for _, a := range store.Touched(&block.Txs[i]) {
					seen[a] = true
				}
			}
		}
		compared += w.compareBlock(t, s, chain, header, seen)
		if uint64(header.Height) == tip {
			break
		}
	}
	if compared < 2000 {
		t.Errorf("only %d balances were compared", compared)
	}
	t.Logf("%d balances of %d accounts agree", compared, len(seen))
}

func (w *world) compareBlock(t *testing.T, s *embedded.Store, chain ledger.Chain, header store.Header, seen map[ledger.Address]bool) int {
	t.Helper()
	var questions []store.HoldingAt
	var batch []rpc.BatchElem
	at := hexutil.Uint64(header.Height)
	for address := range seen {
		ask := func(contract common.Address, result any, method string, params ...any) {
			asset := chain.Native()
			if (contract != common.Address{}) {
				asset = evm.AssetOf(chain, ledger.NewAddress(ledger.EVMAccount, contract[:]))
			}
			questions = append(questions, store.HoldingAt{Holding: store.Holding{Address: address, Asset: asset}, Before: header.FirstTx + store.TxNumber(header.Txs)})
			batch = append(batch, rpc.BatchElem{Method: method, Args: append(params, at), Result: result})
		}
		account := common.Address(address.Bytes())
		ask(common.Address{}, new(hexutil.Big), "eth_getBalance", account)
		for _, token := range []common.Address{w.usda, w.usdb, w.wrapped, w.staked} {
			method := "balanceOf"
			if token == w.staked {
				method = "sharesOf"
			}
			if (account == common.Address{}) {
				continue // where tokens come from and go to
			}
			data, err := w.contracts["Staked"].ABI.Pack(method, account)
			if err != nil {
				t.Fatal(err)
			}
			ask(token, new(hexutil.Bytes), "eth_call", map[string]any{"to": token, "data": hexutil.Bytes(data)})
		}
	}
	balances, err := s.Balances(t.Context(), chain, questions)
	if err != nil {
		t.Fatal(err)
	}
	for from := 0; from < len(batch); from += 200 {
		if err := w.node.Client.BatchCall(batch[from:min(from+200, len(batch))]); err != nil {
			t.Fatal(err)
		}
	}
	for i := range batch {
		if batch[i].Error != nil {
			t.Fatal(batch[i].Error)
		}
		want := new(big.Int)
		switch result := batch[i].Result.(type) {
		case *hexutil.Big:
			want = result.ToInt()
		case *hexutil.Bytes:
			want.SetBytes(*result)
		}
		if got := balances[i].Amount.ToBig(); got.Cmp(want) != 0 {
			t.Fatalf("block %d: %s holds %s of %s, the node says %s", header.Height, evm.Notation{}.FormatAddress(questions[i].Address), got, questions[i].Asset, want)
		}
	}
	return len(batch)
}
