package view_test

import (
	"errors"
	"math/big"
	"slices"
	"sync"
	"testing"

	"coldtrail/desk/view"
	"coldtrail/report/reporttest"
	"coldtrail/taint"
	"coldtrail/trace"
)

// played is the answer of a laundering over THORChain, stolen that of the bundled theft.
var (
	played = sync.OnceValues(func() (reporttest.Answer, error) { return reporttest.Replay(background(), nil) })
	stolen = sync.OnceValues(func() (reporttest.Answer, error) { return reporttest.Bybit(background(), taint.FIFO) })
)

func answer(tb testing.TB, of func() (reporttest.Answer, error)) *trace.Result {
	tb.Helper()
	a, err := of()
	if err != nil {
		tb.Fatal(err)
	}
	return a.Result
}

func big10(tb testing.TB, text string) *big.Int {
	tb.Helper()
	n, ok := new(big.Int).SetString(text, 10)
	if !ok {
		tb.Fatalf("%q is no number", text)
	}
	return n
}

// checkChart wants that everything adds up and runs from left to right.
func checkChart(t *testing.T, r *trace.Result, c *view.Chart) {
	t.Helper()
	column, in, out := map[string]int{}, map[string]*big.Int{}, map[string]*big.Int{}
	for _, n := range c.Nodes {
		column[n.Key], in[n.Key], out[n.Key] = n.Column, new(big.Int), new(big.Int)
	}
	for _, b := range c.Bands {
		if in[b.To] == nil || out[b.From] == nil {
			t.Fatalf("band %+v joins what is no node", b)
		}
		in[b.To].Add(in[b.To], big10(t, b.Origin))
		out[b.From].Add(out[b.From], big10(t, b.Origin))
		if column[b.From] >= column[b.To] {
			t.Errorf("%s: band from %s to %s goes back", c.Colour, b.From, b.To)
		}
	}
	kinds := map[string]*big.Int{}
	for _, n := range c.Nodes {
		origin, ended := big10(t, n.Origin), big10(t, n.Ended)
		if n.Class == view.ClassStolen {
			in[n.Key].Set(big10(t, c.Stolen))
		}
		if in[n.Key].Cmp(origin) != 0 || new(big.Int).Add(out[n.Key], ended).Cmp(origin) != 0 {
			t.Errorf("%s %s: in %s, out %s, ended %s, said %s", c.Colour, n.Key, in[n.Key], out[n.Key], ended, origin)
		}
		if n.Class == view.ClassKind {
			kinds[n.Kind] = ended
		}
	}
	for _, d := range r.Dispositions {
		if d.Colour == c.Colour && kinds[d.Kind] != nil {
			kinds[d.Kind].Sub(kinds[d.Kind], big10(t, d.Origin))
		}
	}
	for kind, left := range kinds {
		if left.Sign() != 0 {
			t.Errorf("%s: of what is %s the chart has %s too much", c.Colour, kind, left)
		}
	}
}

// TestSankeyOfLaundering: a played laundering adds up at every bar, and what went to
// Bitcoin and came back is netted.
func TestSankeyOfLaundering(t *testing.T) {
	r := answer(t, played)
	s, err := view.NewSankey(r, "", func(asset string) string {
		if asset == "eip155:1/slip44:60" {
			return "ETH"
		}
		return ""
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Colours) != 4 || s.Digest != r.Digest {
		t.Fatalf("%d charts of %s", len(s.Colours), s.Digest)
	}
	for i := range s.Colours {
		checkChart(t, r, &s.Colours[i])
	}
	ether := s.Colours[slices.IndexFunc(s.Colours, func(c view.Chart) bool { return c.Colour == "bybit-2025/eth" })]
	var line []string
	for _, n := range ether.Nodes {
		if n.Class != view.ClassKind {
			line = append(line, n.Label)
		}
	}
	if want := []string{"Stolen", "ETH", "THORChain", "slip44:0", "bip122:0f9188f13cb7b2c71f2a335e3a4fc328", "ethereum"}; !has(line, want) {
		t.Errorf("the bars are %q, want %q", line, want)
	}
	// What THORChain paid to Ethereum came back: from Bitcoin and as refunds.
	back := new(big.Int)
	for _, f := range r.Flows() {
		for _, e := range f.To {
			if f.Link == "THORChain" && f.Chain == "eip155:1" && e.Colour == ether.Colour {
				back.Add(back, big10(t, e.Origin))
			}
		}
	}
	if back.Sign() == 0 || ether.Returned != back.String() {
		t.Errorf("returned %s, and %s came back over THORChain", ether.Returned, back)
	}
	if ether.Divided != "0" {
		t.Errorf("divided %s", ether.Divided)
	}
	again, err := view.NewSankey(r, "bybit-2025/eth", nil)
	if err != nil || len(again.Colours) != 1 || again.Colours[0].Returned != ether.Returned {
		t.Errorf("one colour: %v", err)
	}
}

// has says whether all of some texts are in a list.
func has(list, want []string) bool {
	for _, w := range want {
		if !slices.Contains(list, w) {
			return false
		}
	}
	return true
}

// TestSankeyOfTheft: what an analyst asserts is named as such.
func TestSankeyOfTheft(t *testing.T) {
	r := answer(t, stolen)
	s, err := view.NewSankey(r, "bybit-2025/steth", nil)
	if err != nil {
		t.Fatal(err)
	}
	c := &s.Colours[0]
	checkChart(t, r, c)
	at := slices.IndexFunc(c.Nodes, func(n view.ChartNode) bool { return n.Class == view.ClassProtocol })
	if at < 0 || c.Nodes[at].Label != "Asserted by Coldtrail" || c.Nodes[at].Origin != "90375547907685258392043" || c.Columns != 6 {
		t.Errorf("%d columns, %+v", c.Columns, c.Nodes)
	}
	if _, err := view.NewSankey(r, "red", nil); !errors.Is(err, view.ErrSelection) {
		t.Errorf("a colour that is none: %v", err)
	}
}

// TestSankeyOfPoison: a method that claims no origins has no chart.
func TestSankeyOfPoison(t *testing.T) {
	a, err := reporttest.Bybit(t.Context(), taint.Poison)
	if err != nil {
		t.Fatal(err)
	}
	s, err := view.NewSankey(a.Result, "", nil)
	if err != nil || len(s.Colours) != 0 || s.Note == "" {
		t.Errorf("%+v, %v", s, err)
	}
}
