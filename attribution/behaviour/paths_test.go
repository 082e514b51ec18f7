package behaviour_test

import (
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"coldtrail/attribution/behaviour"
	"coldtrail/ledger"
)

func TestPeelStep(t *testing.T) {
	out := func(n int, value uint64) ledger.Output { return ledger.Output{Value: value, Address: wallet(n)} }
	data := ledger.Output{Unspendable: true}
	for _, c := range []struct {
		name    string
		in, out []ledger.Output
		change  int
		want    int // -1 for no peel
	}{
		{"four tenths peeled, six go on", []ledger.Output{out(1, 1000)}, []ledger.Output{out(2, 400), out(3, 600)}, -1, 1},
		{"a satoshi more peeled", []ledger.Output{out(1, 1000)}, []ledger.Output{out(2, 401), out(3, 599)}, -1, -1},
		{"the larger holds too little after the fee", []ledger.Output{out(1, 1000)}, []ledger.Output{out(2, 300), out(3, 599)}, -1, -1},
		{"the same where the change is known", []ledger.Output{out(1, 1000)}, []ledger.Output{out(2, 300), out(3, 599)}, 1, 1},
		{"the change is the smaller one, the payment too large", []ledger.Output{out(1, 1000)}, []ledger.Output{out(2, 300), out(3, 690)}, 0, -1},
		{"the change is no output of the two", []ledger.Output{out(1, 1000)}, []ledger.Output{out(2, 300), out(3, 690)}, 7, -1},
		{"data beside the two", []ledger.Output{out(1, 1000)}, []ledger.Output{out(2, 900), data, out(3, 90)}, -1, 0},
		{"three outputs", []ledger.Output{out(1, 1000)}, []ledger.Output{out(2, 900), out(3, 50), out(4, 40)}, -1, -1},
		{"one output", []ledger.Output{out(1, 1000)}, []ledger.Output{out(2, 900)}, -1, -1},
		{"two inputs of one address", []ledger.Output{out(1, 500), out(1, 500)}, []ledger.Output{out(2, 900), out(3, 90)}, -1, 0},
		{"two inputs of two", []ledger.Output{out(1, 500), out(5, 500)}, []ledger.Output{out(2, 900), out(3, 90)}, -1, -1},
		{"an input that the ledger does not hold", []ledger.Output{{}}, []ledger.Output{out(2, 900), out(3, 90)}, -1, -1},
		{"nothing peeled", []ledger.Output{out(1, 1000)}, []ledger.Output{out(2, 900), out(3, 0)}, -1, -1},
		{"more out than in", []ledger.Output{out(1, 1000)}, []ledger.Output{out(2, 900), out(3, 101)}, -1, -1},
		{"sums that overflow 64 bits", []ledger.Output{out(1, 1<<63), out(1, 1<<63)}, []ledger.Output{out(2, 1<<63), out(3, 1<<62)}, -1, -1},
		{"and a peel among them", []ledger.Output{out(1, 1<<63), out(1, 1<<63)}, []ledger.Output{out(2, 1<<64-2), out(3, 1)}, -1, 0},
		{"one input whose script has no address", []ledger.Output{{Value: 1000}}, []ledger.Output{out(2, 900), out(3, 90)}, -1, 0},
		{"no input", nil, []ledger.Output{out(2, 900), out(3, 90)}, -1, -1},
	} {
		got, ok := behaviour.PeelStep(&ledger.Resolved{Inputs: c.in, Outputs: c.out}, c.change, behaviour.DefaultParameters())
		if got != c.want || ok != (c.want >= 0) {
			t.Errorf("%s: %d %v, want %d", c.name, got, ok, c.want)
		}
	}
	coinbase := &ledger.Resolved{Coinbase: true, Inputs: []ledger.Output{out(1, 1000)}, Outputs: []ledger.Output{out(2, 900), out(3, 90)}}
	if _, ok := behaviour.PeelStep(coinbase, -1, behaviour.DefaultParameters()); ok {
		t.Error("a block reward peels nothing")
	}
}

// chain is n steps that peel 1,000 satoshi each, ten minutes apart. Who spent an output
// is known where spenders is 1.
func chain(n, spenders int) []behaviour.Step {
	r := &record{}
	rest := uint64(100_000_000)
	for i := range n {
		on := part(wallet(101+i), rest-1100)
		off := part(wallet(1+i), 1000)
		s := r.spend(int64(i)*600, []behaviour.Part{part(wallet(100+i), rest)}, []behaviour.Part{off, on})
		if spenders == 1 {
			s.Out[1].Spender = hash(i + 2)
		}
		rest -= 1100
	}
	return r.steps
}

func TestPeelChain(t *testing.T) {
	for _, c := range []struct {
		name   string
		steps  []behaviour.Step
		change func([]behaviour.Step)
		want   []int // lengths
	}{
		{"five steps", chain(5, 1), nil, []int{5}},
		{"four steps", chain(4, 1), nil, nil},
		{"five steps, by address and amount", chain(5, 0), nil, []int{5}},
		{"someone else spent the rest of the third", chain(7, 1), func(s []behaviour.Step) { s[2].Out[1].Spender = hash(900) }, nil},
		{"the same in a longer chain", chain(12, 1), func(s []behaviour.Step) { s[5].Out[1].Spender = hash(900) }, []int{6, 6}},
		{"exactly fourteen days between two", chain(5, 1), func(s []behaviour.Step) {
			for i := 3; i < 5; i++ {
				s[i].Time += 14*day - 600
			}
		}, []int{5}},
		{"a second more", chain(5, 1), func(s []behaviour.Step) {
			for i := 3; i < 5; i++ {
				s[i].Time += 14*day - 599
			}
		}, nil},
		{"a block time that runs backwards", chain(5, 1), func(s []behaviour.Step) { s[2].Time -= 3600 }, []int{5}},
		{"a coinjoin among them", chain(11, 1), func(s []behaviour.Step) { s[5].Mix = "joinmarket" }, []int{5, 5}},
		{"a step that pays three", chain(11, 1), func(s []behaviour.Step) { s[5].Out = append(s[5].Out, part(wallet(7), 1)) }, []int{5, 5}},
		{"two inputs of the subject's", chain(5, 1), func(s []behaviour.Step) {
			for i := range s {
				extra := part(wallet(700), 10)
				extra.Own = true
				s[i].In[0].Own = true
				s[i].In = append(s[i].In, extra)
			}
		}, []int{5}},
		{"two inputs of anybody's", chain(5, 1), func(s []behaviour.Step) { s[2].In = append(s[2].In, part(wallet(700), 10)) }, nil},
		{"the marked change is the payment of the rest", chain(5, 1), func(s []behaviour.Step) { s[2].Out[0].Own = true }, nil},
		{"more steps than a finding names", chain(1200, 1), nil, []int{1200}},
		{"an account chain", chain(5, 1), func(s []behaviour.Step) {
			for i := range s {
				s[i].Chain = ledger.Ethereum
			}
		}, nil},
	} {
		if c.change != nil {
			c.change(c.steps)
		}
		got := behaviour.PeelChain(c.steps, parameters())
		sound(t, &behaviour.Subject{Steps: c.steps}, got)
		var lengths []int
		for i := range got {
			lengths = append(lengths, got[i].Count)
		}
		if !reflect.DeepEqual(lengths, c.want) {
			t.Errorf("%s: %v, want %v", c.name, lengths, c.want)
		}
	}
}

// TestPeelChainFinding: what is reported of a chain of six with a service paid twice.
func TestPeelChainFinding(t *testing.T) {
	steps := chain(6, 1)
	for _, i := range []int{1, 3} {
		steps[i].Out[0].Party = behaviour.Party{Address: wallet(50), Entity: "Kraken", Labels: []string{"exchange"}}
	}
	steps[5].Time += 1000
	got := behaviour.PeelChain(steps, parameters())
	if len(got) != 1 {
		t.Fatalf("%+v", got)
	}
	f := &got[0]
	for name, want := range map[string]string{
		"steps": "6", "distinct receivers": "5", "services reached": "1", "services": "Kraken", "median interval": "600", "left at the end": "99993400",
	} {
		if have := value(f.Measures, name); have != want {
			t.Errorf("%s: %s, want %s", name, have, want)
		}
	}
	if len(f.Amounts) != 1 || f.Amounts[0].Amount.Uint64() != 6000 || f.Amounts[0].Asset != sat || len(f.Parties) != 5 || len(f.Addresses) != 6 {
		t.Errorf("%+v", f)
	}
	if want := "Between 2023-11-14T22:13:20Z and 2023-11-14T23:20:00Z, in 6 steps that each spend what the one before left, " +
		"6000 satoshi went to 5 receivers, 1 service of them named, and 99993400 satoshi remained."; f.Text != want {
		t.Error(f.Text)
	}
}

// TestShortPeelChain: the median of one interval is that interval.
func TestShortPeelChain(t *testing.T) {
	p := parameters()
	p.Peel.Steps = 2
	if got := behaviour.PeelChain(chain(2, 1), p); len(got) != 1 || value(got[0].Measures, "median interval") != "600" {
		t.Errorf("%+v", got)
	}
}

// relays is n hops in a row, every one an address of its own, with the amounts that
// come to each and go from the last.
func relays(gap int64, amounts ...uint64) (hops []*behaviour.Subject) {
	r := &record{}
	for i, n := range amounts {
		r.move(int64(i)*gap, party(account(10+i)), party(account(11+i)), usdt, n)
	}
	for i := 1; i < len(r.steps); i++ {
		hops = append(hops, &behaviour.Subject{Own: map[ledger.Address]bool{account(10 + i): true}, Steps: r.steps[i-1 : i+1]})
	}
	return hops
}

func TestLayering(t *testing.T) {
	for _, c := range []struct {
		name   string
		hops   []*behaviour.Subject
		change func([]*behaviour.Subject) []*behaviour.Subject
		want   []int // transactions of each finding
	}{
		{"four hops in exactly 72 hours", relays(18*hour, 10_000, 9500, 9025, 9000, 8550), nil, []int{5}},
		{"three hops", relays(hour, 10_000, 9500, 9025, 9000), nil, nil},
		{"four seconds too slow", relays(18*hour+1, 10_000, 9500, 9025, 9000, 8550), nil, nil},
		{"one hop keeps a unit too little", relays(hour, 10_000, 9499, 9400, 9300, 9200), nil, nil},
		{"a hop sends more than it got", relays(hour, 10_000, 10_001, 9400, 9300, 9200), nil, nil},
		{"six hops too slow for one window are two that overlap", relays(18*hour, 10_000, 9999, 9998, 9997, 9996, 9995, 9994), nil, []int{7}},
		{"a second receipt at a hop", relays(hour, 10_000, 9900, 9800, 9700, 9600), func(h []*behaviour.Subject) []*behaviour.Subject {
			r := &record{n: 500}
			r.move(0, party(account(77)), party(account(12)), usdt, 900)
			h[1].Steps = append(append([]behaviour.Step{}, h[1].Steps...), r.steps...)
			return h
		}, nil},
		{"nothing and counterfeits at a hop do not matter", relays(hour, 10_000, 9900, 9800, 9700, 9600), func(h []*behaviour.Subject) []*behaviour.Subject {
			r := &record{n: 500}
			r.move(0, party(account(12)), party(account(77)), usdt, 0)
			r.move(0, party(account(12)), party(account(77)), fake, 70)
			h[1].Steps = append(append([]behaviour.Step{}, h[1].Steps...), r.steps...)
			return h
		}, []int{5}},
		{"all in one moment", relays(0, 10_000, 9900, 9800, 9700, 9600), nil, []int{5}},
		{"a hop left out", relays(hour, 10_000, 9900, 9800, 9700, 9600), func(h []*behaviour.Subject) []*behaviour.Subject {
			return append(h[:1:1], h[2:]...)
		}, nil},
		{"two chains one after the other", append(relays(hour, 100, 99, 98, 97, 96), relays(hour, 100, 99, 98, 97, 96)...), nil, []int{5, 5}},
		{"none", nil, nil, nil},
	} {
		if c.change != nil {
			c.hops = c.change(c.hops)
		}
		var lengths []int
		for _, f := range behaviour.Layering(c.hops, parameters()) {
			lengths = append(lengths, f.Count)
			if f.Pattern != "layering" || len(f.Addresses) != f.Count-1 || len(f.Txs) != f.Count {
				t.Errorf("%s: %+v", c.name, f)
			}
		}
		if !reflect.DeepEqual(lengths, c.want) {
			t.Errorf("%s: %v, want %v", c.name, lengths, c.want)
		}
	}
}

func TestRoundTrip(t *testing.T) {
	home := account(0)
	leg := func(at int64, from, to int, asset ledger.Asset) behaviour.Leg {
		return behaviour.Leg{Chain: ledger.Ethereum, Tx: hash(int(at)), Time: start + at, From: account(from), To: account(to), Asset: asset, Amount: units(1000)}
	}
	moved := func(l behaviour.Leg, by int64) behaviour.Leg { l.Time += by; return l }
	joined := func(l behaviour.Leg) behaviour.Leg { l.Joined = true; return l }
	for _, c := range []struct {
		name string
		path []behaviour.Leg
		ok   bool
	}{
		{"two changes in exactly thirty days", []behaviour.Leg{leg(0, 0, 1, ether), leg(1, 1, 2, usdt), leg(30*day, 2, 0, ether)}, true},
		{"all in one moment", []behaviour.Leg{leg(0, 0, 1, ether), moved(leg(1, 1, 2, usdt), -1), moved(leg(2, 2, 0, ether), -2)}, true},
		{"a second more", []behaviour.Leg{leg(0, 0, 1, ether), leg(1, 1, 2, usdt), leg(30*day+1, 2, 0, ether)}, false},
		{"one change", []behaviour.Leg{leg(0, 0, 1, ether), leg(1, 1, 2, usdt), leg(2, 2, 0, usdt)}, false},
		{"not back", []behaviour.Leg{leg(0, 0, 1, ether), leg(1, 1, 2, usdt), leg(2, 2, 3, ether)}, false},
		{"not from home", []behaviour.Leg{leg(0, 4, 1, ether), leg(1, 1, 2, usdt), leg(2, 2, 0, ether)}, false},
		{"home between", []behaviour.Leg{leg(0, 0, 1, ether), leg(1, 1, 0, usdt), leg(2, 0, 1, usdt), leg(3, 1, 0, ether)}, false},
		{"a gap", []behaviour.Leg{leg(0, 0, 1, ether), leg(1, 5, 2, usdt), leg(2, 2, 0, ether)}, false},
		{"the gap is a crossing", []behaviour.Leg{leg(0, 0, 1, ether), joined(leg(1, 5, 2, usdt)), leg(2, 2, 0, ether)}, true},
		{"back in time", []behaviour.Leg{leg(5, 0, 1, ether), leg(1, 1, 2, usdt), leg(6, 2, 0, ether)}, false},
		{"one leg", []behaviour.Leg{leg(0, 0, 0, ether)}, false},
		{"none", nil, false},
	} {
		f, ok := behaviour.RoundTrip(map[ledger.Address]bool{home: true}, c.path, parameters())
		if ok != c.ok {
			t.Errorf("%s: %v", c.name, ok)
		}
		if ok && (f.Pattern != "round-trip" || value(f.Measures, "changes of asset") != "2" || f.Count != 3 || len(f.Addresses) != 1 || slices.Contains(f.Parties, home) || f.Text == "") {
			t.Errorf("%s: %+v", c.name, f)
		}
	}
}

// TestRoundTripOfTwo: there and back, where one change of asset is enough.
func TestRoundTripOfTwo(t *testing.T) {
	path := []behaviour.Leg{
		{Chain: ledger.Ethereum, Tx: hash(1), From: me, To: account(1), Asset: ether, Amount: units(5)},
		{Chain: ledger.Ethereum, Tx: hash(2), From: account(1), To: me, Asset: usdt, Amount: units(9)},
	}
	p := parameters()
	p.RoundTrip.Number = 1
	f, ok := behaviour.RoundTrip(own, path, p)
	if !ok || len(f.Parties) != 1 || f.Parties[0] != account(1) || value(f.Measures, "left") != "5" || value(f.Measures, "returned") != "9" {
		t.Errorf("%v %+v", ok, f)
	}
}

// TestPeelAgrees: a chain's steps are those that PeelStep accepts one by one.
func TestPeelAgrees(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := rapid.Uint64Range(1, 1000).Draw(t, "in")
		outs := rapid.SliceOfN(rapid.Uint64Range(1, 1000), 1, 3).Draw(t, "out")
		tx := &ledger.Resolved{Inputs: []ledger.Output{{Value: in, Address: wallet(1)}}}
		step := behaviour.Step{Chain: ledger.Bitcoin, Tx: hash(1), In: []behaviour.Part{part(wallet(1), in)}}
		for i, n := range outs {
			tx.Outputs = append(tx.Outputs, ledger.Output{Value: n, Address: wallet(2 + i)})
			step.Out = append(step.Out, part(wallet(2+i), n))
		}
		p := parameters()
		p.Peel.Steps = 1
		on, ok := behaviour.PeelStep(tx, -1, p)
		got := behaviour.PeelChain([]behaviour.Step{step}, p)
		if ok != (len(got) == 1) {
			t.Fatalf("%v, and %d chains", ok, len(got))
		}
		// The rule in plain fractions.
		want := len(outs) == 2 && outs[0]+outs[1] <= in && max(outs[0], outs[1])*10 >= in*6 && min(outs[0], outs[1])*10 <= in*4
		if ok != want || ok && outs[on] != max(outs[0], outs[1]) {
			t.Fatalf("%d of %v into %d: %v, want %v", on, outs, in, ok, want)
		}
	})
}
