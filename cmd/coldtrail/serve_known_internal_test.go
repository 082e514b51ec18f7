package main

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"coldtrail/attribution/label"
	"coldtrail/casebook/sqlite"
	"coldtrail/ledger"
	"coldtrail/server"
	"coldtrail/store/memory"
)

// TestPace counts what was of late, and forgets the rest.
func TestPace(t *testing.T) {
	f := newFollowState([]followed{{chain: ledger.Bitcoin}})
	begin := time.Unix(1_700_000_000, 0)
	rate := func(after time.Duration) (rate uint64, current bool, trouble string) {
		var s server.ChainStatus
		f.of(ledger.Bitcoin, begin.Add(after), &s)
		if s.Rate != nil {
			rate = *s.Rate
		}
		if !s.Followed {
			t.Error("it is followed")
		}
		return rate, s.Current, s.Trouble
	}
	f.advanced(ledger.Bitcoin, 1_000, begin) // how many came before nobody knows
	if r, current, _ := rate(0); r != 0 || current {
		t.Errorf("at first %d, current %v", r, current)
	}
	f.advanced(ledger.Bitcoin, 1_300, begin.Add(10*time.Second))
	f.advanced(ledger.Bitcoin, 1_200, begin.Add(11*time.Second)) // a reorganisation
	f.advanced(ledger.Bitcoin, 1_500, begin.Add(20*time.Second))
	if r, _, _ := rate(21 * time.Second); r != 20 { // 600 blocks in 30 seconds
		t.Errorf("%d in a second, want 20", r)
	}
	if r, _, _ := rate(45 * time.Second); r != 10 {
		t.Errorf("later %d, want 10", r)
	}
	f.asked(ledger.Bitcoin, "no route", begin)
	if r, current, trouble := rate(time.Hour); r != 0 || current || trouble != "no route" {
		t.Errorf("in the end %d, %v, %q", r, current, trouble)
	}
	f.asked(ledger.Bitcoin, "", begin)
	if _, current, trouble := rate(time.Hour); !current || trouble != "" {
		t.Errorf("it answers again: %v, %q", current, trouble)
	}
	f.asked(ledger.Ethereum, "nobody follows it", begin)
	var s server.ChainStatus
	if f.of(ledger.Bitcoin, begin, &s); s.Heard != begin.Unix() {
		t.Errorf("it was heard at %d", s.Heard)
	}
	s = server.ChainStatus{}
	if f.of(ledger.Ethereum, begin, &s); s.Followed {
		t.Error("ethereum is not followed")
	}
}

// said is a claim about an account by its number.
func said(n int, text, actor string) label.Claim {
	return label.Claim{
		Subject: label.Subject{Network: "eip155:1", Address: fmt.Sprintf("0x%040x", n)}, Label: text, Actor: actor, By: "a desk", Score: 50, Learned: int64(n + 1), File: "x/list.csv", Line: n + 1,
	}
}

// TestCatalogue: every claim is in its list, every address with its actor and its label,
// and what was withdrawn with none; a new claim makes it anew.
func TestCatalogue(t *testing.T) {
	s := memory.New()
	var claims []label.Claim
	for n := range 10 {
		claims = append(claims, said(n, "Hot Wallet", "exchange"), said(n, fmt.Sprint("Wallet ", n), "exchange"))
	}
	gone := said(0, "", "")
	gone.Withdraws, gone.From, gone.Label = claims[1].ID().String(), 5, ""
	if _, err := s.AddClaims(t.Context(), append(claims, gone)); err != nil {
		t.Fatal(err)
	}
	all := newCatalogues(s)
	c, err := all.now(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(c.lists) != 1 || c.lists[0].Name != "list.csv" || c.lists[0].Claims != 20 || c.lists[0].Withdrawn != 1 || c.lists[0].First != 1 || c.lists[0].Last != 10 || c.lists[0].Digest != c.revision.String() {
		t.Errorf("the list: %+v, all %s", c.lists, c.revision.String())
	}
	if n := c.named["exchange"]; n.count != 10 || len(n.first) != 10 {
		t.Errorf("the actor: %+v", n)
	}
	if len(c.labels) != 10 || c.labels[0].fold != "hotwallet" || c.labels[0].count != 10 || len(c.labels[0].first) != mostLabelled || c.labels[1].fold != "wallet1" || !c.complete {
		t.Errorf("the labels: %+v", c.labels)
	}
	if again, err := all.now(t.Context()); err != nil || again != c {
		t.Errorf("it was made again (%v)", err)
	}
	if _, err := s.AddClaims(t.Context(), []label.Claim{said(11, "More", "other")}); err != nil {
		t.Fatal(err)
	}
	if again, err := all.now(t.Context()); err != nil || again.named["other"].count != 1 {
		t.Errorf("a new claim is missing: %+v (%v)", again, err)
	}
}

// TestSearchBound: of many labels as many are listed as are asked for, what is equal first,
// and the answer says that there are more.
func TestSearchBound(t *testing.T) {
	d := diskStore(t)
	var claims []label.Claim
	for n := range 500 {
		claims = append(claims, said(n, fmt.Sprint("Exchange ", n), "big-exchange"))
	}
	if _, err := d.AddClaims(t.Context(), claims); err != nil {
		t.Fatal(err)
	}
	known, err := (&registerFlags{}).open()
	if err != nil {
		t.Fatal(err)
	}
	s := &searcher{d, newCatalogues(d), known, openTestBook(t, sqlite.Options{})}
	got, err := s.Search(t.Context(), server.SearchQuestion{Text: "exchange 1", Limit: 5})
	if err != nil || len(got.Items) != 5 || got.Complete || got.Items[0].Title != "Exchange 1" || got.Items[1].Title != "Exchange 10" {
		t.Errorf("%+v, %v", got, err)
	}
	got, err = s.Search(t.Context(), server.SearchQuestion{Text: "Big Exchange", Limit: 5})
	if want := (server.FoundItem{Type: server.FoundEntity, ID: "big-exchange", Title: "big-exchange", Detail: "500 addresses", Held: true}); err != nil || len(got.Items) != 1 || got.Items[0] != want {
		t.Errorf("whom no list of actors has: %+v, %v", got, err)
	}
	got, err = s.Search(t.Context(), server.SearchQuestion{Text: "CHANGE 49", Limit: 100})
	if err != nil || len(got.Items) != 11 || !got.Complete {
		t.Errorf("inside of names: %+v, %v", got, err)
	}
	var group sync.WaitGroup
	for range 8 { // all at once, on one catalogue
		group.Go(func() {
			if got, err := s.Search(t.Context(), server.SearchQuestion{Text: "Lazarus", Limit: 5}); err != nil || len(got.Items) != 1 || got.Items[0].ID != "lazarus-group" {
				t.Errorf("%+v, %v", got, err)
			}
			l := &library{d, s.labels, known, nil, s.book, time.Now}
			if got, err := l.Entity(t.Context(), "Lazarus", 5); err == nil || got.ID != "" {
				t.Errorf("nobody has that name: %+v", got)
			}
			if got, err := l.Entity(t.Context(), "Lazarus Group", 5); err != nil || len(got.Members) != 1 {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
	group.Wait()
	got, err = s.Search(t.Context(), server.SearchQuestion{Text: "ge", Limit: 100})
	if err != nil || slices.ContainsFunc(got.Items, func(x server.FoundItem) bool { return x.Type == server.FoundLabel }) {
		t.Errorf("two letters are looked for inside of names: %+v, %v", got, err)
	}
}

// FuzzSearch: whatever is written, a search answers within its limit.
func FuzzSearch(f *testing.F) {
	for _, q := range []string{"lazarus", "0x47666fab8bd0ac7003bce3f5c3585383f09486e2", bybitTheft, bybitTheft[2:] + ":1", "#21895251", "ethereum 21895251", "btc", "bc1q", "\u202e", ":", "#", "eip155:1 1"} {
		f.Add(q)
	}
	known, err := (&registerFlags{}).open()
	if err != nil {
		f.Fatal(err)
	}
	var s *searcher
	f.Fuzz(func(t *testing.T, q string) {
		if s == nil {
			d := memory.New()
			s = &searcher{d, newCatalogues(d), known, nil}
		}
		x := &search{searcher: s, text: q, fold: label.Fold(q), most: 5, complete: true}
		for _, look := range []func() error{
			func() error { return x.addresses(t.Context()) }, func() error { return x.transactions(t.Context()) }, func() error { return x.blocks(t.Context()) },
			func() error { return x.entities(t.Context()) }, func() error { return x.register(t.Context()) }, func() error { return x.labelTexts(t.Context()) },
		} {
			if err := look(); err != nil && !errors.Is(err, t.Context().Err()) {
				t.Fatal(err)
			}
		}
		for _, item := range x.found {
			if item.ID == "" || item.Title == "" || item.Type == "" || item.rank >= fitsNot {
				t.Errorf("%q found %+v", q, item)
			}
		}
	})
}
