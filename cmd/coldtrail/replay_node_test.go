package main_test

import (
	"path/filepath"
	"slices"
	"testing"

	"gopkg.in/yaml.v3"

	"coldtrail/internal/nodetest"
	"coldtrail/internal/replay"
	"coldtrail/trace"
)

// TestReplayOnNodes plays the laundering at a thousandth on two real nodes, anvil and
// btcd: a router with THORChain's ABI, vaults that pay out with OUT memos, real
// signatures and blocks. What the nodes then say, ingested as from any node, is
// traced, and must equal what the generator knows, to the satoshi.
func TestReplayOnNodes(t *testing.T) {
	const begin = 1_740_147_215 - 2*86_400
	accounts, err := nodetest.NewAccountStage(nodetest.Anvil(t, "--timestamp", "1739900000"), nodetest.Contracts(t), begin)
	if err != nil {
		t.Fatal(err)
	}
	node := nodetest.Btcd(t)
	outputs, err := nodetest.NewOutputStage(node, begin)
	if err != nil {
		t.Fatal(err)
	}
	options := replay.Options{Seed: 7, Scale: 1000, Thin: 16, Wallets: 3000}
	played, err := replay.Play(options, accounts, outputs)
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	data := filepath.Join(folder, "ledger")
	must(t, "--data", data, "ingest", string(accounts.Chain()), "--from", "rpc:"+accounts.URL())
	must(t, "--data", data, "ingest", "simnet", "--from", "rpc:"+node.URL)
	c := nodeCase(played, accounts, outputs)
	text, err := yaml.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(folder, "case.yaml"), string(text))
	var first *trace.Result
	for _, method := range replay.Methods {
		r := traced(t, folder, method, "streaming")
		compareTruth(t, r, played.Truth.Rows(method))
		checkShares(t, r, played.Truth.Rows(method))
		if first == nil {
			first = r
		}
	}
	statuses := map[string]int{}
	for i := range first.Crossings {
		statuses[first.Crossings[i].Status]++
	}
	wallets := map[string]bool{}
	for i := range first.Dispositions {
		if d := &first.Dispositions[i]; d.Kind == "held" && d.Chain == string(outputs.Chain()) {
			wallets[d.Address] = true
		}
	}
	t.Logf("%d crossings %v, %d bitcoin wallets, headline %v", len(first.Crossings), statuses, len(wallets), first.Summary)
	if statuses["paid"] == 0 || statuses["in-transit"] != 0 || len(wallets) < 1000 {
		t.Errorf("crossings %v into %d wallets", statuses, len(wallets))
	}
	if slices.ContainsFunc(first.Anomalies, func(a trace.Anomaly) bool { return a.Kind == "forged-crossing" }) {
		t.Error("an honest payout is called forged")
	}
}

// nodeCase is the case file of a replay on nodes.
func nodeCase(p *replay.Played, accounts *nodetest.AccountStage, outputs *nodetest.OutputStage) *trace.Case {
	c := &trace.Case{
		Name: "bybit-2025", Victims: p.Victims,
		Networks: map[string]string{"BTC": string(outputs.Chain()), "ETH": string(accounts.Chain())},
		Bridges:  []trace.Bridge{{Protocol: "thorchain", Chain: string(accounts.Chain()), Contract: accounts.Router(), Role: "router"}},
	}
	for _, t := range p.Thefts {
		c.Thefts = append(c.Thefts, trace.Theft{Colour: t.Colour, Chain: t.Chain, Asset: t.Asset, Tx: t.Tx, To: t.To, Amount: t.Amount.String()})
	}
	for _, l := range p.Labels {
		c.Labels = append(c.Labels, trace.Label{Chain: l.Chain, Address: l.Address, Kind: l.Kind, Entity: l.Entity, By: "the replay"})
	}
	return c
}
