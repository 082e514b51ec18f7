package desk

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"coldtrail/trace"
)

// keptOf is a trace that ended in rows, as if it had been made.
func keptOf(rows []trace.Disposition, labels []trace.Source) *Kept {
	r := &trace.Result{Digest: "sha256:aa", Dispositions: rows, Labels: labels, Colours: []trace.Colour{
		{Colour: "c/btc", Asset: "bip122:x/slip44:0", Stolen: "1"}, {Colour: "c/eth", Asset: "eip155:1/slip44:60", Stolen: "1"},
	}}
	x := &subject{key: key{"c", 1, "fifo", 0}}
	return &Kept{newMade(x, &trace.Case{Name: "c"}, r, state{}, &Options{Issuers: []Issuer{{Asset: tether, Who: "Tether", Why: "It issued the token.", Cites: []Citation{{By: "Ethereum", Title: "its contract"}}}}, Now: func() time.Time { return time.Unix(7, 0) }}), true}
}

// tether is an asset whose issuer can freeze.
const tether = "eip155:1/erc20:0xdac17f958d2ee523a2206206994597c13d831ec7"

// drawRow draws a place out of few values, so that many are equal.
func drawRow(t *rapid.T, i int) trace.Disposition {
	pick := func(name string, values ...string) string { return rapid.SampledFrom(values).Draw(t, name) }
	return trace.Disposition{
		Colour: pick("colour", "c/btc", "c/eth"), Kind: pick("kind", "held", "service", "dark"), Chain: pick("chain", "x", "y"), Asset: pick("asset", "a", "b"),
		At: fmt.Sprintf("%s%d", pick("at", "0xAB", "bc1q", "0xab"), i), Address: pick("address", "", "0xCdE", "Übel"), Entity: pick("entity", "", "Börse Ä", "Exchange"),
		Amount: strconv.Itoa(rapid.IntRange(0, 12).Draw(t, "amount")) + pick("digits", "", "00000000000000000000", "00000000000000000001"), Origin: strconv.Itoa(rapid.IntRange(0, 120).Draw(t, "origin")),
		Hops: rapid.Uint32Range(0, 3).Draw(t, "hops"), First: pick("first", "2025", "2026"), Last: pick("last", "2026", "2027"),
	}
}

// TestPlacesAgree walks every page of a question and holds it against filtering and
// sorting by hand: each row once, in order, with the right total and sums.
func TestPlacesAgree(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var rows []trace.Disposition
		for i := range rapid.IntRange(0, 60).Draw(rt, "rows") {
			rows = append(rows, drawRow(rt, i))
		}
		k := keptOf(rows, nil)
		maybe := func(name string, values ...string) string {
			return rapid.SampledFrom(append(values, "", "")).Draw(rt, "asked "+name)
		}
		q := PlaceQuery{
			Sort: maybe("sort", "origin", "amount", "hops", "first", "last", "kind", "chain", "asset", "entity"), Order: maybe("order", "asc", "desc"), Colour: maybe("colour", "c/eth"), Kind: maybe("kind", "held"),
			Chain: maybe("chain", "x"), Asset: maybe("asset", "b"), Entity: maybe("entity", "Exchange"), Text: maybe("text", "ab", "CDE", "übel", "ä", "zz"), Least: maybe("least", "0", "60"),
			Limit: rapid.IntRange(1, 9).Draw(rt, "limit"),
		}
		want := byHand(rows, &q)
		var got []trace.Disposition
		for {
			page, err := k.Places(q)
			if err != nil {
				rt.Fatal(err)
			}
			if page.Total != len(want) || fmt.Sprint(page.Origins) != fmt.Sprint(sumByHand(want)) {
				rt.Fatalf("total %d and %v, want %d and %v", page.Total, page.Origins, len(want), sumByHand(want))
			}
			got = append(got, page.Items...)
			if page.Next == "" {
				break
			}
			if len(page.Items) != q.Limit {
				rt.Fatalf("a page of %d has more behind it", len(page.Items))
			}
			q.After = page.Next
		}
		if len(got) != len(want) {
			rt.Fatalf("walked %d rows, want %d", len(got), len(want))
		}
		seen := map[string]bool{}
		for i := range got {
			if seen[got[i].At] {
				rt.Fatalf("%s is there twice", got[i].At)
			}
			seen[got[i].At] = true
			if valueOf(&got[i], q.Sort) != valueOf(&want[i], q.Sort) {
				rt.Fatalf("row %d by %q is %q, want %q", i, q.Sort, valueOf(&got[i], q.Sort), valueOf(&want[i], q.Sort))
			}
		}
	})
}

// valueOf is what a sort looks at, so that texts compare as the values do.
func valueOf(d *trace.Disposition, by string) string {
	switch by {
	case "", "origin":
		return fmt.Sprintf("%40s", d.Origin)
	case "amount":
		return fmt.Sprintf("%40s", d.Amount)
	case "hops":
		return fmt.Sprint(d.Hops)
	case "first":
		return d.First
	case "last":
		return d.Last
	case "kind":
		return d.Kind
	case "chain":
		return d.Chain
	case "asset":
		return d.Asset
	}
	return d.Entity
}

func byHand(rows []trace.Disposition, q *PlaceQuery) (out []trace.Disposition) {
	for _, d := range rows {
		origin, _ := strconv.Atoi(d.Origin)
		least, _ := strconv.Atoi(q.Least)
		text := strings.ToLower(q.Text)
		if q.Colour != "" && q.Colour != d.Colour || q.Kind != "" && q.Kind != d.Kind || q.Chain != "" && q.Chain != d.Chain || q.Asset != "" && q.Asset != d.Asset ||
			q.Entity != "" && q.Entity != d.Entity || origin < least || !strings.Contains(strings.ToLower(d.At+"\n"+d.Address+"\n"+d.Entity), text) {
			continue
		}
		out = append(out, d)
	}
	slices.SortStableFunc(out, func(a, b trace.Disposition) int {
		n := cmp.Compare(valueOf(&a, q.Sort), valueOf(&b, q.Sort))
		if q.Order == "asc" {
			return n
		}
		return -n
	})
	return out
}

func sumByHand(rows []trace.Disposition) []OriginSum {
	sums := map[string]int{}
	for i := range rows {
		n, _ := strconv.Atoi(rows[i].Origin)
		sums[rows[i].Colour] += n
	}
	out := []OriginSum{}
	for _, c := range []OriginSum{{Colour: "c/btc", Asset: "bip122:x/slip44:0"}, {Colour: "c/eth", Asset: "eip155:1/slip44:60"}} {
		if n := sums[c.Colour]; n > 0 {
			c.Origin = strconv.Itoa(n)
			out = append(out, c)
		}
	}
	return out
}

// TestCursors refuses cursors that are none, and those of other traces.
func TestCursors(t *testing.T) {
	k := keptOf([]trace.Disposition{{Colour: "c/eth", Origin: "1"}}, nil)
	for cursor, want := range map[string]error{
		"x": ErrInvalid, "sha256:aa:x": ErrInvalid, "sha256:aa:-1": ErrInvalid, "sha256:bb:0": ErrGone, "sha256:aa:99999999999999999999": ErrInvalid, "sha256:aa:7": nil, "sha256:aa:0": nil,
	} {
		page, err := k.Places(PlaceQuery{After: cursor, Limit: 5})
		if !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", cursor, err, want)
		}
		if cursor == "sha256:aa:7" && (len(page.Items) != 0 || page.Total != 1 || page.Next != "") {
			t.Errorf("after the end: %+v", page)
		}
	}
}

// TestFreezable: who can act is the service that keeps the books, with the claim that says
// so, or the issuer of what is held; what is frozen or gone is not on the list.
func TestFreezable(t *testing.T) {
	const usdt = "eip155:1/erc20:0xdac17f958d2ee523a2206206994597c13d831ec7"
	row := func(kind, asset, at, entity, origin string) trace.Disposition {
		return trace.Disposition{Colour: "c/eth", Kind: kind, Chain: "eip155:1", Asset: asset, At: at, Address: at, Entity: entity, Amount: origin, Origin: origin}
	}
	k := keptOf([]trace.Disposition{
		row("held", usdt, "0x1", "", "5"), row("held", "eip155:1/slip44:60", "0x2", "", "90"), row("service", "eip155:1/slip44:60", "0x3", "Example", "70"), row("frozen", usdt, "0x4", "", "60"),
		row("service", usdt, "0x5", "Other", "6"), row("dark", usdt, "0x6", "Mixer", "50"), row("service", usdt, "0x7", "", "40"), row("service", usdt, "0x8", "Example", "10"),
	}, []trace.Source{
		{Chain: "eip155:1", Address: "0x3", Entity: "Example", Label: "Example 1", By: "Lister", Confidence: 80, Jurisdictions: "SC"},
		{Chain: "eip155:1", Address: "0x8", Entity: "Example", Label: "Example 1", By: "Lister", Confidence: 80, Rule: "deposit-address", About: "0x3"},
	})
	page, err := k.Freezable(FreezeQuery{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range page.Items {
		got = append(got, f.At+" "+string(f.Act)+" "+f.Who+" "+f.Origin)
	}
	if want := "[0x3 service Example 70 0x8 service Example 10 0x5 service Other 6 0x1 issuer Tether 5]"; fmt.Sprint(got) != want {
		t.Errorf("%v, want %s", got, want)
	}
	if f := page.Items[0]; f.Jurisdictions != "SC" || f.Source == nil || f.Why != `Lister says that the address is of Example, who keeps the books there ("Example 1", confidence 80 of 100).` {
		t.Errorf("%+v", f)
	}
	if f := page.Items[1]; f.Why != `By the rule deposit-address the address belongs with 0x3, which is of Example as Lister says ("Example 1", confidence 80 of 100).` {
		t.Errorf("%+v", f)
	}
	if f := page.Items[2]; f.Source != nil || !strings.HasPrefix(f.Why, "The case file says") {
		t.Errorf("%+v", f)
	}
	if f := page.Items[3]; len(f.Cites) != 1 || f.Why != "It issued the token." {
		t.Errorf("%+v", f)
	}
	page, err = k.Freezable(FreezeQuery{Act: "service", Who: "Example", Limit: 1})
	if err != nil || page.Total != 2 || page.Origins[0].Origin != "80" || page.Next != "sha256:aa:1" {
		t.Errorf("of one service: %+v %v", page, err)
	}
}

// TestSelections keeps the last questions and finds the others out again.
func TestSelections(t *testing.T) {
	var s selections
	found := 0
	ask := func(n int) {
		s.of(strconv.Itoa(n), func(*selection) { found++ })
	}
	for n := range mostSelections {
		ask(n)
	}
	ask(0) // is the newest now
	if found != mostSelections || len(s.list) != mostSelections {
		t.Errorf("found out %d, kept %d", found, len(s.list))
	}
	ask(100) // 1 leaves
	ask(0)
	ask(1)
	if found != mostSelections+2 || len(s.list) != mostSelections {
		t.Errorf("found out %d, kept %d", found, len(s.list))
	}
}

// FuzzQuery wants every question to be read or refused, and what is read to be in bounds.
func FuzzQuery(f *testing.F) {
	f.Add("fifo", "2025-03-01", "true", "5")
	f.Add("", "2025-03-01T12:00:00+02:00", "", "")
	f.Add("x", "9999-12-31", "1", "-1")
	f.Fuzz(func(t *testing.T, method, asOf, fresh, wait string) {
		s, err := Query{Case: "c", Method: method, AsOf: asOf, Fresh: fresh, Wait: wait}.Selector()
		if err != nil {
			if !errors.Is(err, ErrInvalid) {
				t.Errorf("refused with %v", err)
			}
			return
		}
		if s.AsOf < 0 || asOf != "" && s.AsOf == 0 || s.Wait < 0 || s.Wait > mostWait*1e9 || s.Method == "" {
			t.Errorf("read %+v", s)
		}
	})
}

// million is a trace of a million places.
func million() *Kept {
	rows := make([]trace.Disposition, 1_000_000)
	for i := range rows {
		n := uint64(i) * 2_654_435_761 % 1_000_003
		rows[i] = trace.Disposition{
			Colour: "c/eth", Kind: []string{"held", "service", "dark"}[n%3], Chain: "eip155:1", Asset: "eip155:1/slip44:60", At: fmt.Sprintf("0x%040X", n), Address: fmt.Sprintf("0x%040X", n),
			Amount: strconv.FormatUint(n*1_000_000_007, 10), Origin: strconv.FormatUint(n*999_999_937, 10), Hops: uint32(n % 40), First: "2025-02-21T14:13:35Z", Last: "2025-03-21T14:13:35Z",
		}
	}
	return keptOf(rows, nil)
}

// BenchmarkPlaces measures, over a million places: the first question in an order, a
// question with a filter that was not asked before, and a page of one that was.
func BenchmarkPlaces(b *testing.B) {
	k := million()
	ask := func(b *testing.B, q PlaceQuery) {
		b.Helper()
		q.Limit = 100
		if _, err := k.Places(q); err != nil {
			b.Fatal(err)
		}
	}
	b.Run("sort", func(b *testing.B) {
		for b.Loop() {
			orderOf(k.result.Dispositions, byAmount)
		}
	})
	ask(b, PlaceQuery{})
	b.Run("filter", func(b *testing.B) {
		n := 0
		for b.Loop() {
			n++
			ask(b, PlaceQuery{Kind: "held", Least: strconv.Itoa(n)})
		}
	})
	b.Run("text", func(b *testing.B) {
		n := 0
		for b.Loop() {
			n++
			ask(b, PlaceQuery{Text: "abc" + strconv.Itoa(n)})
		}
	})
	ask(b, PlaceQuery{})
	b.Run("page", func(b *testing.B) {
		for b.Loop() {
			ask(b, PlaceQuery{After: "sha256:aa:500000"})
		}
	})
}
