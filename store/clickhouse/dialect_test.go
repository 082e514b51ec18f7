package clickhouse_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"coldtrail/attribution/label"
	"coldtrail/internal/chdbtest"
	"coldtrail/internal/clickhousetest"
	"coldtrail/ledger"
	"coldtrail/store"
	"coldtrail/store/clickhouse"
	"coldtrail/store/storetest"
)

// questions asks an old server everything, and gives the statements that did it.
func questions(t *testing.T) (database string, said []string) {
	t.Helper()
	o := options(clickhousetest.Single(t))
	o.Tune(1, -time.Hour) // what is left over is cleared at once
	s := open(t, o)
	var turn sync.Mutex
	seen := map[string]bool{}
	s.Listen(func(sql string) {
		turn.Lock()
		defer turn.Unlock()
		if !seen[sql] {
			seen[sql] = true
			said = append(said, sql)
		}
	})
	outputs := hashed(rapid.Custom(func(rt *rapid.T) []*ledger.Block { return storetest.UTXOBlocks(rt, storetest.Shape{Blocks: 8}) }).Example(3))
	accounts := hashed(rapid.Custom(func(rt *rapid.T) []*ledger.Block { return storetest.AccountBlocks(rt, storetest.Shape{Blocks: 8}) }).Example(3))
	var touched []store.HoldingAt
	for _, a := range store.Touched(&accounts[0].Txs[0]) {
		touched = append(touched, store.HoldingAt{Holding: store.Holding{Address: a, Asset: ledger.Ethereum.Native()}, Before: 3})
	}
	for _, blocks := range [][]*ledger.Block{outputs, accounts} {
		for _, err := range []error{s.Append(t.Context(), blocks[:6]), s.Rewind(t.Context(), blocks[0].Chain, 4), s.Append(t.Context(), blocks[4:])} {
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, err := s.AddClaims(t.Context(), []label.Claim{{Subject: label.Subject{Network: "eip155:1", Address: "it's \\ a\x00b"}, Label: "x", By: "y"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Balances(t.Context(), accounts[0].Chain, touched); err != nil {
		t.Fatal(err)
	}
	for _, err := range s.ClaimsOn(t.Context(), "eip155:1") {
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, err := storetest.Dump(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return o.Database, said
}

// TestDialect says every statement that an old server answered to today's ClickHouse, which
// makes the tables with all that it can.
func TestDialect(t *testing.T) {
	engine := chdbtest.Open(t)
	database, said := questions(t)
	made := append([]string{"CREATE DATABASE `" + database + "`"}, clickhouse.Today(database)...)
	for _, sql := range append(made, clickhouse.Inserts(database)...) {
		if err := engine.Exec(sql); err != nil {
			t.Fatalf("%s\n%v", sql, err)
		}
	}
	if !strings.Contains(strings.Join(made, ""), "CODEC(Delta, ZSTD)") {
		t.Error("today's servers are not given codecs")
	}
	kinds := map[string]int{}
	for _, sql := range said {
		kinds[strings.Fields(sql)[0]]++
		if strings.HasPrefix(sql, "ALTER") {
			if err := engine.Exec(sql); err != nil {
				t.Errorf("%.300s\n%v", sql, err)
			}
			continue
		}
		if _, err := engine.Query(sql); err != nil {
			t.Errorf("%.300s\n%v", sql, err)
		}
	}
	t.Logf("%v", kinds)
	if kinds["SELECT"] < 40 || kinds["ALTER"] < 5 {
		t.Errorf("only %v were said", kinds)
	}
}
