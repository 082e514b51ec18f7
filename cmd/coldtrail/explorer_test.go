package main

import (
	"encoding/json"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"coldtrail/internal/nodetest"
	"coldtrail/trace"
)

// explorerOf answers as an explorer does, out of what a real node says.
type explorerOf struct {
	w    *world
	mu   sync.Mutex
	asks int
	busy int // refusals still to make
}

// call is a frame of a trace.
type callFrame struct {
	Type  string         `json:"type"`
	From  common.Address `json:"from"`
	To    common.Address `json:"to"`
	Value *hexutil.Big   `json:"value"`
	Error string         `json:"error"`
	Calls []callFrame    `json:"calls"`
}

func (e *explorerOf) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.asks++
	if e.busy > 0 {
		e.busy--
		_, _ = w.Write([]byte(`{"status":"0","message":"NOTOK","result":"Max rate limit reached"}`))
		return
	}
	q := r.URL.Query()
	var params []any
	switch q.Get("action") {
	case "eth_getTransactionReceipt", "eth_getTransactionByHash":
		params = []any{q.Get("txhash")}
	case "eth_getBlockByNumber":
		params = []any{q.Get("tag"), true}
	case "txlist", "txlistinternal", "tokentx":
		rows := e.list(q.Get("action"), common.HexToAddress(q.Get("address")), q.Get("txhash"))
		page, _ := strconv.Atoi(q.Get("page"))
		if page > 1 {
			rows = rows[:0]
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"status": map[bool]string{true: "1", false: "0"}[len(rows) > 0], "message": "OK", "result": rows})
		return
	}
	var result json.RawMessage
	e.w.node.Call(&result, q.Get("action"), params...)
	_ = json.NewEncoder(w).Encode(map[string]any{"jsonrpc": "2.0", "id": 1, "result": result})
}

// list goes through the whole chain, which is short.
func (e *explorerOf) list(action string, who common.Address, only string) []map[string]string {
	rows := []map[string]string{}
	for n := uint64(1); n <= e.w.node.Tip(); n++ {
		var receipts types.Receipts
		e.w.node.Call(&receipts, "eth_getBlockReceipts", hexutil.Uint64(n))
		for i, receipt := range receipts {
			var tx struct {
				From  common.Address  `json:"from"`
				To    *common.Address `json:"to"`
				Value *hexutil.Big    `json:"value"`
			}
			e.w.node.Call(&tx, "eth_getTransactionByHash", receipt.TxHash)
			row := func(from, to common.Address, value *big.Int) map[string]string {
				return map[string]string{"blockNumber": fmt.Sprint(n), "hash": receipt.TxHash.Hex(), "transactionIndex": fmt.Sprint(i), "from": strings.ToLower(from.Hex()), "to": strings.ToLower(to.Hex()), "value": value.String(), "contractAddress": "", "isError": fmt.Sprint(1 - receipt.Status)}
			}
			switch action {
			case "txlist":
				to := receipt.ContractAddress
				if tx.To != nil {
					to = *tx.To
				}
				if tx.From == who || to == who {
					one := row(tx.From, to, tx.Value.ToInt())
					one["gasUsed"], one["gasPrice"] = fmt.Sprint(receipt.GasUsed), receipt.EffectiveGasPrice.String()
					rows = append(rows, one)
				}
			case "tokentx":
				for _, l := range receipt.Logs {
					if len(l.Topics) == 3 && l.Topics[0] == e.w.contracts["Dollar"].ABI.Events["Transfer"].ID {
						from, to := common.BytesToAddress(l.Topics[1][:]), common.BytesToAddress(l.Topics[2][:])
						if from == who || to == who {
							one := row(from, to, new(big.Int).SetBytes(l.Data))
							one["contractAddress"] = strings.ToLower(l.Address.Hex())
							rows = append(rows, one)
						}
					}
				}
			case "txlistinternal":
				if only != "" && only != receipt.TxHash.Hex() {
					continue
				}
				var root callFrame
				e.w.node.Call(&root, "debug_traceTransaction", receipt.TxHash, map[string]any{"tracer": "callTracer"})
				e.internal(&root, "", receipt.Status == 0, func(f *callFrame, path string, failed bool) {
					if f.Value == nil || f.Value.ToInt().Sign() == 0 || path == "" || f.Type == "DELEGATECALL" || only == "" && f.From != who && f.To != who {
						return
					}
					one := row(f.From, f.To, f.Value.ToInt())
					one["type"], one["traceId"], one["isError"] = strings.ToLower(f.Type), path, map[bool]string{true: "1", false: "0"}[failed]
					rows = append(rows, one)
				})
			}
		}
	}
	return rows
}

func (e *explorerOf) internal(f *callFrame, path string, failed bool, visit func(*callFrame, string, bool)) {
	failed = failed || f.Error != ""
	visit(f, path, failed)
	for i := range f.Calls {
		below := fmt.Sprint(i)
		if path != "" {
			below = path + "_" + below
		}
		e.internal(&f.Calls[i], below, failed, visit)
	}
}

// TestExplorer traces a theft by an explorer's lists and gets the answer that the
// whole ledger gives, also after refusals, and a second time without asking.
func TestExplorer(t *testing.T) {
	w := newWorld(t, nodetest.Anvil(t), 13)
	victim, thief, mule, last := w.people[1], w.people[3], w.people[4], w.people[5]
	w.call(thief, w.usda, nil, "Dollar", "transfer", mule.address, milli(123))
	w.send(mule, &thief.address, milli(77), nil)
	w.mine()
	theft := w.call(victim, w.usda, nil, "Dollar", "transfer", thief.address, milli(900_000))
	w.mine()
	w.trade(thief, mule, []common.Address{w.poolA}, w.usda, milli(1_500_000), true)
	w.mine()
	w.send(mule, &last.address, milli(850_000), nil)
	w.mine()
	w.call(last, w.spreader, milli(30_000), "Spreader", "spread", []common.Address{w.people[2].address, {0xaa}}, milli(15_000))
	w.mine()
	data, elsewhere := t.TempDir(), t.TempDir()
	w.ingest(t, data, "flat")
	file := filepath.Join(data, "case.yaml")
	chain := "eip155:" + w.node.ID.String()
	text := fmt.Sprintf("case: dollars\nthefts:\n  - {colour: usda, chain: %q, asset: %q, tx: %q}\n", chain, chain+"/erc20:"+strings.ToLower(w.usda.Hex()), theft.Hex())
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	explorer := &explorerOf{w: w, busy: 2}
	server := httptest.NewServer(explorer)
	defer server.Close()
	for _, method := range []string{"fifo", "lifo", "haircut", "seniority", "tiho"} {
		want := w.trace(t, data, file, method)
		before := explorer.asks
		got := w.trace(t, elsewhere, file, method, "--from", "etherscan:"+server.URL, "--wrapped", w.wrapped.Hex(), "--per-second", "10000")
		if diff := cmp.Diff(want.Dispositions, got.Dispositions, cmpopts.IgnoreUnexported(trace.Disposition{})); diff != "" {
			t.Errorf("%s: by lists (-store +lists):\n%s", method, diff)
		}
		if len(want.Dispositions) == 0 || method == "lifo" && want.Dispositions[0].Hops != 4 { // spends what is newest, which is what was stolen
			t.Errorf("%s: only %+v", method, want.Dispositions)
		}
		if method == "lifo" && explorer.asks-before > 20 {
			t.Errorf("%d questions were asked again", explorer.asks-before)
		}
	}
}
