package attribution_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"coldtrail/attribution"
	"coldtrail/attribution/feed"
	"coldtrail/attribution/label"
	"coldtrail/ledger"
	"coldtrail/store"
	"coldtrail/store/embedded"
	"coldtrail/store/memory"
)

const (
	one = "1BgGZ9tcN4rm9KBzDn7KprQz87SZ26SAMH"
	two = "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"
)

func batch(t *testing.T, file, text string, learned int64) *feed.Batch {
	t.Helper()
	b, err := feed.Read(file, strings.NewReader(text), nil, feed.Options{Learned: learned})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestDelisting: a complete list that no longer names an address ends what it said, from
// then on; what was known before stays to be asked for.
func TestDelisting(t *testing.T) {
	s := memory.New()
	const file = "sanctioned_addresses_XBT.txt"
	if _, err := attribution.NewImporter(s).Import(t.Context(), batch(t, file, one+"\n"+two+"\n", 100), false); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time nothing is new
		if _, err := attribution.NewImporter(s).Import(t.Context(), batch(t, "elsewhere/"+file, one+"\n", 200), false); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		address string
		when    label.When
		want    int
	}{
		{one, label.When{}, 1}, {two, label.When{}, 0}, {two, label.When{Known: 150}, 1}, {two, label.When{Valid: 150}, 1}, {two, label.When{Known: 50}, 0},
	} {
		got, err := attribution.NewView(s, c.when, 0).Of(t.Context(), label.SubjectOf(ledger.Bitcoin, c.address))
		if err != nil || len(got) != c.want {
			t.Errorf("%s %+v: %d claims, %v, want %d", c.address, c.when, len(got), err, c.want)
		}
	}
	if r, _ := s.LabelRevision(t.Context()); r.Count != 3 {
		t.Errorf("%d claims, want two and one that ends one", r.Count)
	}
}

// TestAllOrNothing: a bad row refuses its file, unless the rest is wanted.
func TestAllOrNothing(t *testing.T) {
	s := memory.New()
	b := batch(t, "x.csv", "address,label,chain\n"+one+",a,bitcoin\nTR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t,b,bitcoin\n", 1)
	var refused *attribution.RejectedError
	if _, err := attribution.NewImporter(s).Import(t.Context(), b, false); !errors.As(err, &refused) || !strings.HasPrefix(err.Error(), "x.csv:3: address TR7") {
		t.Errorf("%v", err)
	}
	if r, _ := s.LabelRevision(t.Context()); r.Count != 0 {
		t.Errorf("%d claims of a refused file", r.Count)
	}
	got, err := attribution.NewImporter(s).Import(t.Context(), b, true)
	if err != nil || got.Added != 1 || len(got.Rejected) != 1 {
		t.Errorf("%+v %v", got, err)
	}
}

// TestStop: the surest claim that names a stop decides, and is named.
func TestStop(t *testing.T) {
	s := memory.New()
	text := "address,label,chain,category,confidence\n" + one + ",guess,bitcoin,gambling,heuristic\n" + one + ",Binance,bitcoin,exchange,service_data\n" + one + ",a miner,bitcoin,miner,ownership\n"
	if _, err := attribution.NewImporter(s).Import(t.Context(), batch(t, "x.csv", text, 1), false); err != nil {
		t.Fatal(err)
	}
	stop, by, err := attribution.NewView(s, label.When{}, 20).StopOf(t.Context(), ledger.Bitcoin, one)
	if err != nil || stop != label.StopService || by.Label != "Binance" {
		t.Errorf("%s %+v %v", stop, by, err)
	}
	if stop, by, err := attribution.NewView(s, label.When{}, 60).StopOf(t.Context(), ledger.Bitcoin, one); err != nil || stop != label.StopNone || by != nil {
		t.Errorf("nobody is so sure: %s %+v %v", stop, by, err)
	}
}

// BenchmarkClaims looks all labels of an address up among 200,000.
func BenchmarkClaims(b *testing.B) {
	s, err := embedded.Open(b.Context(), b.TempDir(), embedded.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	const n = 200_000
	subject := func(i int) label.Subject {
		return label.Subject{Network: "eip155:1", Address: fmt.Sprintf("0x%040x", i*7919)}
	}
	claims := make([]label.Claim, 0, 2*n)
	for i := range n {
		for _, by := range []string{"GraphSense Core Team", "OFAC"} {
			claims = append(claims, label.Claim{Subject: subject(i), Label: "an exchange", Concept: "exchange", By: by, Source: "https://example.org/list", Score: 50, Learned: 1})
		}
	}
	if _, err := s.AddClaims(b.Context(), claims); err != nil {
		b.Fatal(err)
	}
	var labels store.Labels = s
	i := 0
	for b.Loop() {
		i = (i + 104_729) % n
		lists, err := labels.Claims(b.Context(), []label.Subject{subject(i)})
		if err != nil || len(lists[0]) != 2 {
			b.Fatal(len(lists[0]), err)
		}
	}
}
