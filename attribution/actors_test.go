package attribution_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"coldtrail/attribution"
	"coldtrail/attribution/feed"
	"coldtrail/attribution/label"
	"coldtrail/ledger"
	"coldtrail/store"
	"coldtrail/store/memory"
)

func importText(t *testing.T, s store.Labels, file, text string, learned int64) {
	t.Helper()
	if _, err := attribution.NewImporter(s).Import(t.Context(), batch(t, file, text, learned), false); err != nil {
		t.Fatal(err)
	}
}

// TestActors: any name finds the actor; thefts and addresses of those under it are its
// own, up to the state; every statement keeps who made it and when; a ring of parents
// ends.
func TestActors(t *testing.T) {
	s := memory.New()
	for _, file := range []string{"actors/actors.yaml", "bybit-2025/case.yaml"} {
		text, err := os.ReadFile("../testdata/" + file)
		if err != nil {
			t.Fatal(err)
		}
		importText(t, s, file, string(text), 1_750_000_000)
	}
	importText(t, s, "x.csv", "address,label,actor,chain\n"+one+",a wallet,lazarusgroup,bitcoin\n"+two+",another,andariel,bitcoin\n", 1_750_000_000)
	importText(t, s, "rings.yaml", "creator: x\nactors:\n- {id: a, label: A, parent: b}\n- {id: b, label: B, parent: a}\n", 1)
	a, err := attribution.LoadActors(t.Context(), s, label.When{})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"lazarus-group", "Lazarus Group", "LazarusGroup", "TraderTraitor", "apt38", "hidden cobra"} {
		if got := a.Find(name); len(got) != 1 || got[0].ID != "lazarus-group" {
			t.Errorf("%s finds %v", name, got)
		}
	}
	if line := a.Line("TraderTraitor"); !slices.Equal(line, []string{"lazarus-group", "reconnaissance-general-bureau", "dprk"}) {
		t.Error(line)
	}
	if line := a.Line("a"); !slices.Equal(line, []string{"a", "b"}) {
		t.Error(line)
	}
	if under := a.Under("North Korea"); !slices.Equal(under, []string{"andariel", "dprk", "lazarus-group", "reconnaissance-general-bureau"}) {
		t.Error(under)
	}
	if !a.Is("lazarusgroup", "DPRK") || a.Is("dprk", "lazarus-group") || a.Is("", "dprk") || !a.Is("somebody", "somebody") {
		t.Error("who is whom")
	}
	incidents := a.Incidents("DPRK")
	if len(incidents) != 1 || incidents[0].Case != "bybit-2025" || incidents[0].By.By != "FBI" || incidents[0].By.Stated != 1_740_528_000 || len(a.Incidents("a")) != 0 {
		t.Errorf("%+v", incidents)
	}
	count, err := a.Addresses(t.Context(), s, "dprk", label.When{})
	if err != nil || len(count) != 2 || count["lazarus-group"] != 1 || count["andariel"] != 1 {
		t.Errorf("%v %v", count, err)
	}
	if statements := a.Find("Lazarus Group")[0].Claims; len(statements) != 2 || statements[0].Stated == 0 || statements[0].By == statements[1].By {
		t.Errorf("%+v", statements)
	}
	before, err := attribution.LoadActors(t.Context(), s, label.When{Known: 1_700_000_000})
	if err != nil || len(before.Find("Lazarus Group")) != 0 || len(before.All()) != 2 {
		t.Errorf("known before it was learnt: %v %v", before.All(), err)
	}
}

// TestReplayOracle: the list of the sanctions oracle is replayed from the ledger, except
// for its newest blocks; again it says nothing new.
func TestReplayOracle(t *testing.T) {
	s := memory.New()
	word := strings.Repeat("\x00", 31)
	listed := strings.Repeat("\xab", 20)
	data := word + "\x20" + word + "\x01" + word[:12] + listed
	parent := ledger.Hash{}
	for h := range attribution.OracleDepth + 3 {
		b := &ledger.Block{Chain: ledger.Ethereum, Height: ledger.Height(h), Hash: ledger.Hash{1, byte(h)}, Parent: parent, Time: int64(1000 + h)}
		parent = b.Hash
		topic := map[int]ledger.Hash{1: feed.OracleAdded, 2: feed.OracleRemoved, attribution.OracleDepth: feed.OracleAdded}[h]
		if !topic.IsZero() {
			b.Txs = []ledger.Tx{{ID: ledger.Hash{2, byte(h)}, Messages: []ledger.Message{{
				Kind: ledger.Log, Contract: feed.Oracles[ledger.Ethereum], Data: append(append([]byte{1}, topic[:]...), data...),
			}}}}
		}
		if err := s.Append(t.Context(), []*ledger.Block{b}); err != nil {
			t.Fatal(err)
		}
	}
	subject := label.Subject{Network: "eip155:1", Address: "0x" + strings.Repeat("ab", 20)}
	for range 2 {
		b, err := attribution.ReplayOracle(t.Context(), s, ledger.Ethereum)
		if err != nil || len(b.Claims) != 2 {
			t.Fatalf("%d claims, %v; one is too new", len(b.Claims), err)
		}
		if _, err := attribution.NewImporter(s).Import(t.Context(), b, false); err != nil {
			t.Fatal(err)
		}
		lists, err := s.Claims(t.Context(), []label.Subject{subject})
		if err != nil || len(lists[0]) != 2 || len(label.At(lists[0], label.When{})) != 0 || len(label.At(lists[0], label.When{Valid: 1001})) != 1 {
			t.Errorf("%+v %v", lists, err)
		}
	}
	if _, err := attribution.ReplayOracle(t.Context(), s, ledger.Bitcoin); err == nil || !strings.Contains(err.Error(), "no sanctions oracle") {
		t.Error(err)
	}
}
