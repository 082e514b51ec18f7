package main_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"coldtrail/chain/bitcoin"
	"coldtrail/chain/evm"
	"coldtrail/ledger"
	"coldtrail/trace"
)

// TestCrossingFromExports follows stolen ether into bitcoin from exports alone: an
// ethereum-etl folder without traces and a bitcoin-etl folder, as an analyst may have
// them.
func TestCrossingFromExports(t *testing.T) {
	dir := t.TempDir()
	hash := func(name string) string {
		sum := sha256.Sum256([]byte(name))
		return hex.EncodeToString(sum[:])
	}
	account := func(name string) string { return "0x" + hash(name)[:40] }
	const router = "0xd37bbe5744d730a1d98d8dc97c42f0ca46ad7146"
	n := bitcoin.Notation{Network: bitcoin.Mainnet}
	wallet := func(name string) string {
		sum := sha256.Sum256([]byte(name))
		return n.FormatAddress(ledger.NewAddress(ledger.P2WPKH, sum[:20]))
	}
	event := evm.Keccak([]byte("Deposit(address,address,uint256,string)"))
	memo := "=:b:" + wallet("loot")
	word := func(x uint64) string { return fmt.Sprintf("%064x", x) }
	data := word(10e9) + word(64) + word(uint64(len(memo))) + hex.EncodeToString([]byte(memo)) + strings.Repeat("00", 32-len(memo)%32)
	topics := strings.Join([]string{"0x" + event.String(), "0x" + strings.Repeat("0", 24) + account("vault")[2:], "0x" + strings.Repeat("0", 64)}, ",")
	eth, btc, store := filepath.Join(dir, "eth"), filepath.Join(dir, "btc"), filepath.Join(dir, "store")
	for _, d := range []string{eth, btc} {
		if err := os.Mkdir(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	write(t, filepath.Join(eth, "blocks.csv"), "number,hash,parent_hash,timestamp,miner,transaction_count\n"+
		fmt.Sprintf("100,0x%s,0x%s,1740147300,%s,1\n101,0x%s,0x%s,1740147312,%s,1\n", hash("b100"), hash("b99"), account("miner"), hash("b101"), hash("b100"), account("miner")))
	write(t, filepath.Join(eth, "transactions.csv"), "hash,block_number,transaction_index,from_address,to_address,value,gas,gas_price,input\n"+
		fmt.Sprintf("0x%s,100,0,%s,%s,10000000000,21000,1,0x\n", hash("theft"), account("victim"), account("thief"))+
		fmt.Sprintf("0x%s,101,0,%s,%s,10000000000,90000,1,0x44bc937b\n", hash("deposit"), account("thief"), router))
	write(t, filepath.Join(eth, "logs.csv"), "log_index,transaction_hash,block_number,address,data,topics\n"+
		fmt.Sprintf("0,0x%s,101,%s,0x%s,\"%s\"\n", hash("deposit"), router, data, topics))
	script := func(memo string) string { return fmt.Sprintf("6a4c%02x%x", len(memo), memo) }
	line := func(v map[string]any) string {
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return string(text) + "\n"
	}
	out := func(i int, who string, value int64) map[string]any {
		return map[string]any{"index": i, "value": value, "addresses": []string{wallet(who)}}
	}
	write(t, filepath.Join(btc, "transactions.json"),
		line(map[string]any{"hash": hash("coins"), "block_number": 800_000, "index": 0, "is_coinbase": true, "inputs": []any{}, "outputs": []any{out(0, "asgard", 900_000)}})+
			line(map[string]any{"hash": hash("reward"), "block_number": 800_001, "index": 0, "is_coinbase": true, "inputs": []any{}, "outputs": []any{out(0, "miner", 1)}})+
			line(map[string]any{
				"hash": hash("payout"), "block_number": 800_001, "index": 1, "is_coinbase": false,
				"inputs": []any{map[string]any{"index": 0, "spent_transaction_hash": hash("coins"), "spent_output_index": 0}},
				"outputs": []any{
					out(0, "loot", 300_000), out(1, "asgard", 590_000),
					map[string]any{"index": 2, "value": 0, "type": "nulldata", "addresses": []string{}, "script_hex": script("OUT:" + strings.ToUpper(hash("deposit")))},
				},
			}))
	blocks := ""
	for i, txs := range [][]string{{"coins"}, {"reward", "payout"}} {
		var ids []ledger.Hash
		for _, tx := range txs {
			id, err := ledger.ParseHash(hash(tx))
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, id)
		}
		blocks += line(map[string]any{"hash": hash(fmt.Sprint("btc", i)), "number": 800_000 + i, "timestamp": 1740147320 + 900*i, "transaction_count": len(txs), "merkle_root": bitcoin.MerkleRoot(ids).String()})
	}
	write(t, filepath.Join(btc, "blocks.json"), blocks)
	write(t, filepath.Join(dir, "case.yaml"), "case: x\nthefts:\n  - {colour: eth, chain: ethereum, tx: 0x"+hash("theft")+"}\n")
	must(t, "--data", store, "ingest", "ethereum", "--from", "ethereum-etl:"+eth)
	must(t, "--data", store, "ingest", "bitcoin", "--from", "bitcoin-etl:"+btc)
	early := parse[trace.Result](t, must(t, "--data", store, "trace", filepath.Join(dir, "case.yaml"), "--as-of", "2025-02-21T14:15:11Z", "--json"))
	if len(early.Crossings) != 0 || early.Dispositions[0].Kind != "held" || early.Dispositions[0].Chain != "eip155:1" {
		t.Errorf("before the deposit: %+v %+v", early.Dispositions, early.Crossings)
	}
	between := parse[trace.Result](t, must(t, "--data", store, "trace", filepath.Join(dir, "case.yaml"), "--as-of", "2025-02-21T14:15:12Z", "--json"))
	if len(between.Crossings) != 1 || between.Crossings[0].Status != "in-transit" || between.Dispositions[0].Kind != "in-transit" {
		t.Errorf("after the deposit, before the payout: %+v %+v", between.Dispositions, between.Crossings)
	}
	r := parse[trace.Result](t, must(t, "--data", store, "trace", filepath.Join(dir, "case.yaml"), "--json"))
	if len(r.Dispositions) != 1 || len(r.Crossings) != 1 {
		t.Fatalf("%d dispositions, %d crossings, want one of each: %+v %+v", len(r.Dispositions), len(r.Crossings), r.Dispositions, r.Crossings)
	}
	d, c := r.Dispositions[0], r.Crossings[0]
	if d.Kind != "held" || d.At != hash("payout")+":0" || d.Amount != "300000" || d.Origin != "10000000000" || d.Certainty != 10_000 || d.Address != wallet("loot") {
		t.Errorf("disposition %+v", d)
	}
	if c.Protocol != "thorchain" || c.Status != "paid" || c.Evidence != "memo" || c.In.Tx != "0x"+hash("deposit") || c.Out[0].Tx != hash("payout") || c.Out[0].Amount != "300000" {
		t.Errorf("crossing %+v", c)
	}
}
