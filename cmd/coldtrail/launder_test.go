package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"coldtrail/internal/nodetest"
	"coldtrail/trace"
)

// TestLaunder follows stolen staking tokens on a real node: through an aggregator
// into ether for a mule, from ether into dollars for another, which the issuer then
// freezes. The origin is carried in shares, to the unit, through every step, though
// balances of the staking token grow in between.
func TestLaunder(t *testing.T) {
	w := newWorld(t, nodetest.Anvil(t), 9)
	victim, thief, mule, last := w.people[1], w.people[3], w.people[4], w.people[5]
	w.call(thief, w.wrapped, nil, "Wrapped", "transfer", victim.address, milli(10))
	w.call(victim, w.staked, nil, "Staked", "rebase", milli(7777))
	w.mine()
	theft := w.call(victim, w.staked, nil, "Staked", "transfer", thief.address, milli(5000))
	w.mine()
	w.call(victim, w.staked, nil, "Staked", "rebase", milli(3333))
	first := w.trade(thief, mule, []common.Address{w.poolS}, w.staked, w.stakedBalance(thief.address), true)
	w.mine()
	got := w.gained(mule.address)
	w.call(mule, w.router, got, "Router", "trade", []common.Address{w.poolA}, w.wrapped, new(big.Int), last.address, false, big.NewInt(25))
	w.mine()
	w.call(w.issuer, w.usda, nil, "Dollar", "freeze", last.address)
	w.mine()
	data := t.TempDir()
	w.ingest(t, data, "call")

	chain := "eip155:" + w.node.ID.String()
	file := filepath.Join(data, "case.yaml")
	text := fmt.Sprintf("case: stolen-stake\nthefts:\n  - {colour: stake, chain: %q, asset: %q, tx: %q, to: %q}\n",
		chain, chain+"/erc20:"+strings.ToLower(w.staked.Hex()), theft.Hex(), thief.address.Hex())
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	elsewhere := t.TempDir()
	for _, method := range []string{"fifo", "lifo", "haircut", "seniority", "tiho"} {
		result := w.trace(t, data, file, method)
		if again := w.trace(t, data, file, method, "--mode", "targeted"); again.Digest != result.Digest {
			t.Errorf("%s: the drivers differ", method)
		}
		sum := new(big.Int)
		frozen := false
		for _, d := range result.Dispositions {
			origin, _ := new(big.Int).SetString(d.Origin, 10)
			sum.Add(sum, origin)
			if d.Kind == "frozen" {
				frozen = true
				if d.At != last.address.Hex() || d.Asset != chain+"/erc20:"+strings.ToLower(w.usda.Hex()) {
					t.Errorf("%s: frozen at %s in %s", method, d.At, d.Asset)
				}
			}
		}
		if sum.String() != result.Colours[0].Stolen || result.Colours[0].Stolen != w.movedShares(theft).String() {
			t.Errorf("%s: origins add up to %s, stolen %s, the chain moved %s shares", method, sum, result.Colours[0].Stolen, w.movedShares(theft))
		}
		if frozen != (method != "fifo") { // the mule held ether of its own, which fifo spends first
			t.Errorf("%s: frozen is %v in %+v", method, frozen, result.Dispositions)
		}
		// Without a ledger: the same answer from what the node finds by address, and
		// again from what was kept, without the node.
		gathered := w.trace(t, elsewhere, file, method, "--from", "otterscan:"+w.node.URL, "--wrapped", w.wrapped.Hex())
		if diff := cmp.Diff(result.Dispositions, gathered.Dispositions, cmpopts.IgnoreUnexported(trace.Disposition{})); diff != "" {
			t.Errorf("%s: gathered on demand (-store +gathered):\n%s", method, diff)
		}
		w.checkSwap(t, result, first.Hex(), thief.address, mule.address, w.poolS)
		for _, a := range result.Anomalies {
			t.Errorf("%s: anomaly %+v", method, a)
		}
	}
}

// checkSwap looks for the swap of a transaction.
func (w *world) checkSwap(t *testing.T, result *trace.Result, tx string, from, to, pool common.Address) { //nolint:revive // every part of one swap
	t.Helper()
	for _, s := range result.Swaps {
		if s.Tx != tx {
			continue
		}
		if s.Initiator != from.Hex() || s.Principal != from.Hex() || len(s.Received) == 0 || s.Received[0].Address != to.Hex() || !strings.Contains(strings.Join(s.Pools, " "), pool.Hex()) {
			t.Errorf("swap %+v", s)
		}
		return
	}
	t.Errorf("no swap in transaction %s: %+v", tx, result.Swaps)
}

func (w *world) trace(t *testing.T, data, file, method string, more ...string) *trace.Result {
	t.Helper()
	var out, notes bytes.Buffer
	if code := run(append([]string{"--data", data, "--json", "trace", file, "--method", method}, more...), &out, &notes); code != exitDone {
		t.Fatalf("trace: %s", notes.String())
	}
	result := &trace.Result{}
	if err := json.Unmarshal(out.Bytes(), result); err != nil {
		t.Fatal(err)
	}
	return result
}
