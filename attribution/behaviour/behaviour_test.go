package behaviour_test

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"coldtrail/attribution/behaviour"
	"coldtrail/ledger"
)

const (
	ether = ledger.Asset("eip155:1/slip44:60")
	usdt  = ledger.Asset("eip155:1/erc20:0xdac17f958d2ee523a2206206994597c13d831ec7")
	fake  = ledger.Asset("eip155:1/erc20:0x0d99217c4084b141dcab56d83693994ba8fda911")
	hour  = int64(3600)
	day   = 24 * hour
	start = int64(1_700_000_000)
)

var sat = ledger.Bitcoin.Native()

// account numbers EVM addresses so that no two of them look alike.
func account(n int) ledger.Address {
	var b [20]byte
	binary.BigEndian.PutUint32(b[:], uint32(n)*2_654_435_761)
	binary.BigEndian.PutUint32(b[16:], uint32(n))
	return ledger.NewAddress(ledger.EVMAccount, b[:])
}

func wallet(n int) ledger.Address {
	var b [20]byte
	binary.BigEndian.PutUint32(b[:], uint32(n))
	return ledger.NewAddress(ledger.P2WPKH, b[:])
}

func hash(n int) (h ledger.Hash) {
	binary.BigEndian.PutUint64(h[:], uint64(n)+1)
	return h
}

func units(n uint64) ledger.Amount { return ledger.NewAmount(n) }

// record builds a subject's steps. Own addresses are account(0) and wallet(0).
type record struct {
	steps []behaviour.Step
	n     int
}

var (
	me    = account(0)
	purse = wallet(0)
	own   = map[ledger.Address]bool{me: true, purse: true}
)

func (r *record) step(at int64) *behaviour.Step {
	r.n++
	r.steps = append(r.steps, behaviour.Step{Chain: ledger.Ethereum, Tx: hash(r.n), Height: ledger.Height(r.n), Time: start + at})
	return &r.steps[len(r.steps)-1]
}

func (r *record) move(at int64, from, to behaviour.Party, asset ledger.Asset, n uint64) *behaviour.Step {
	s := r.step(at)
	s.Moves = []behaviour.Move{{From: from, To: to, Asset: asset, Amount: units(n)}}
	return s
}

// pay and get are movements out of and into the subject's account.
func (r *record) pay(at int64, to int, asset ledger.Asset, n uint64) *behaviour.Step {
	return r.move(at, party(me), party(account(to)), asset, n)
}

func (r *record) get(at int64, from int, asset ledger.Asset, n uint64) *behaviour.Step {
	return r.move(at, party(account(from)), party(me), asset, n)
}

// spend is a Bitcoin transaction.
func (r *record) spend(at int64, in, out []behaviour.Part) *behaviour.Step {
	s := r.step(at)
	s.Chain, s.In, s.Out = ledger.Bitcoin, in, out
	return s
}

func (r *record) subject() *behaviour.Subject { return &behaviour.Subject{Own: own, Steps: r.steps} }

func party(a ledger.Address) behaviour.Party { return behaviour.Party{Address: a} }

func service(n int, entity string, labels ...string) behaviour.Party {
	return behaviour.Party{Address: account(n), Entity: entity, Labels: labels}
}

func part(a ledger.Address, n uint64) behaviour.Part {
	return behaviour.Part{Party: party(a), Asset: sat, Amount: units(n)}
}

// parameters lists the real token and gives every limit that a test needs: fan-out
// from 1,000, dust to 10, gas below 500, reporting from 10,000.
func parameters() behaviour.Parameters {
	p := behaviour.DefaultParameters()
	p.Listed = map[ledger.Asset]bool{usdt: true}
	limits := behaviour.Limits{FanOut: units(1000), Dust: units(10), Gas: units(500), Reporting: []ledger.Amount{units(10_000)}}
	p.Limits = map[ledger.Asset]behaviour.Limits{ether: limits, usdt: limits, sat: {Dust: units(1000)}}
	return p
}

func value(list []behaviour.Parameter, name string) string {
	for _, p := range list {
		if p.Name == name {
			return p.Value
		}
	}
	return "missing"
}

// pattern finds one by name.
func pattern(t *testing.T, name string) *behaviour.Pattern {
	t.Helper()
	i := slices.IndexFunc(behaviour.Patterns, func(p *behaviour.Pattern) bool { return p.Name == name })
	if i < 0 {
		t.Fatalf("no pattern %s", name)
	}
	return behaviour.Patterns[i]
}

// sound checks what holds of every finding.
func sound(t interface {
	Helper()
	Errorf(string, ...any)
}, s *behaviour.Subject, list []behaviour.Finding,
) {
	t.Helper()
	times := map[ledger.Hash][]int64{}
	for i := range s.Steps {
		times[s.Steps[i].Tx] = append(times[s.Steps[i].Tx], s.Steps[i].Time)
	}
	for i := range list {
		f := &list[i]
		if f.Pattern == "" || f.Text == "" || len(f.Parameters) == 0 || f.Count < 1 || len(f.Txs) != min(f.Count, 1000) || f.From > f.To {
			t.Errorf("%+v", f)
		}
		if len(f.Parties) > 1000 || len(f.Addresses) > 1000 {
			t.Errorf("%s names %d parties and %d addresses", f.Pattern, len(f.Parties), len(f.Addresses))
		}
		for _, tx := range f.Txs {
			at := times[tx]
			if !slices.ContainsFunc(at, func(t int64) bool { return t >= f.From && t <= f.To }) {
				t.Errorf("%s names a transaction outside its time: %v not in %d to %d", f.Pattern, at, f.From, f.To)
			}
		}
		if strings.Contains(f.Text, "%!") {
			t.Errorf("%s", f.Text)
		}
	}
}

// TestTable: names are unique, every pattern says what it is and where it is from, and
// those of paths are not found by Find.
func TestTable(t *testing.T) {
	seen := map[string]bool{}
	paths := 0
	for _, p := range behaviour.Patterns {
		if p.Name == "" || p.Title == "" || p.Source == "" || seen[p.Name] {
			t.Errorf("%+v", p)
		}
		seen[p.Name] = true
		if p.OfPaths() {
			paths++
			if got := behaviour.FindBy(p, drawn(rand.New(rand.NewPCG(1, 1)), 200), parameters()); got != nil {
				t.Errorf("%s: %v", p.Name, got)
			}
		}
	}
	if len(seen) != 21 || paths != 3 {
		t.Errorf("%d patterns, %d of paths", len(seen), paths)
	}
}

// drawn is a subject's random record: few parties, few amounts and close times, so that
// every pattern has a chance.
func drawn(random *rand.Rand, n int) *behaviour.Subject {
	r := &record{}
	at := int64(0)
	concepts := [][]string{nil, nil, {"exchange"}, {"mixing_service"}, {"defi_bridge"}, {"deposit_wallet"}}
	someone := func() behaviour.Party {
		k := 1 + random.IntN(40)
		p := party(account(k))
		if p.Labels = concepts[k%len(concepts)]; p.Labels != nil && k%2 == 0 {
			p.Entity = fmt.Sprintf("service %d", k)
		}
		return p
	}
	for range n {
		if random.IntN(60) == 0 {
			at += 200 * day
		}
		at += random.Int64N(400)
		asset := []ledger.Asset{ether, usdt, fake}[random.IntN(3)]
		amount := []uint64{0, 5, 100, 9000, 100_000}[random.IntN(5)]
		switch random.IntN(5) {
		case 0, 1:
			r.move(at, party(me), someone(), asset, amount)
		case 2:
			r.move(at, someone(), party(me), asset, amount)
		case 3:
			out := []behaviour.Part{part(wallet(random.IntN(30)), 1+random.Uint64N(3000)), part(wallet(random.IntN(30)), 500)}
			s := r.spend(at, []behaviour.Part{part(wallet(random.IntN(3)), 4000)}, out)
			if random.IntN(5) == 0 {
				s.Mix = "wasabi"
			}
		default:
			s := r.move(at, party(me), someone(), ether, amount)
			s.Sender, s.Fee = me, units(1)
			s.Toward = []ledger.Chain{"", ledger.Bitcoin}[random.IntN(2)]
		}
	}
	s := r.subject()
	s.Taint = map[ledger.Hash][]string{}
	for i := range s.Steps {
		if random.IntN(4) == 0 {
			s.Taint[s.Steps[i].Tx] = []string{[]string{"bybit", "phemex"}[random.IntN(2)], []string{"bybit", "bingx"}[random.IntN(2)]}
		}
	}
	return s
}

func drawnBy(t *rapid.T) *behaviour.Subject {
	return drawn(rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 7)), rapid.IntRange(0, 300).Draw(t, "steps"))
}

// TestEveryPatternOccurs guards the random records: a property of findings that never
// occur shows nothing.
func TestEveryPatternOccurs(t *testing.T) {
	seen := map[string]int{}
	p := small()
	for seed := range uint64(60) {
		s := drawn(rand.New(rand.NewPCG(seed, 7)), 300)
		list := behaviour.Find(s, p)
		sound(t, s, list)
		for i := range list {
			seen[list[i].Pattern]++
		}
	}
	for _, pattern := range behaviour.Patterns {
		// A look-alike, a first receipt and spread dust are not in these records.
		rare := []string{"address-poisoning", "gas-funding", "dusted", "gas-top-up"}
		if !pattern.OfPaths() && !slices.Contains(rare, pattern.Name) && seen[pattern.Name] == 0 {
			t.Errorf("%s never occurs: %v", pattern.Name, seen)
		}
	}
}

// small lowers what random records of a few hundred steps cannot reach.
func small() behaviour.Parameters {
	p := parameters()
	p.FanOut, p.EqualFanOut, p.FanIn = behaviour.Burst{Number: 4, Window: 3600}, behaviour.Burst{Number: 3, Window: 3600}, behaviour.Burst{Number: 3, Window: 3600}
	p.Dusting = behaviour.Burst{Number: 3, Window: 3600}
	p.Structuring.Number, p.Sweep.Number = 2, 1
	p.Sweep.Window, p.SweepShare = 3600, 1000
	p.DormancyMoved = 1
	p.HotWallet = behaviour.HotWalletParameters{Senders: 2, Receivers: 2, Days: 5, ActiveDays: 1, Sweepers: 1}
	return p
}

// TestPrefix: what is found in a record up to a height does not depend on what came later.
func TestPrefix(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawnBy(t)
		if len(s.Steps) == 0 {
			return
		}
		at := rapid.IntRange(0, len(s.Steps)-1).Draw(t, "at")
		cut := &s.Steps[at]
		before := behaviour.Find(s.Until(cut.Chain, cut.Height), small())
		changed := &behaviour.Subject{Own: s.Own, Taint: s.Taint, Steps: slices.Clone(s.Steps[:at+1])}
		for i := at + 1; i < len(s.Steps); i++ { // a different future
			later := s.Steps[i]
			later.Tx, later.Moves, later.In = hash(100_000+i), nil, nil
			if later.Time > cut.Time {
				changed.Steps = append(changed.Steps, later)
			}
		}
		after := behaviour.Find(changed.Until(cut.Chain, cut.Height), small())
		kept := map[ledger.Hash]bool{}
		for _, st := range s.Steps[:at+1] {
			kept[st.Tx] = true
		}
		for i := range before {
			for _, tx := range before[i].Txs {
				if st := slices.IndexFunc(s.Steps, func(st behaviour.Step) bool { return st.Tx == tx }); !kept[tx] && s.Steps[st].Time > cut.Time {
					t.Fatalf("%s names a later transaction", before[i].Pattern)
				}
			}
		}
		if cut.Time < s.Steps[min(at+1, len(s.Steps)-1)].Time && !reflect.DeepEqual(before, after) {
			t.Fatalf("the future changed the past:\n%v\n%v", before, after)
		}
	})
}

// TestUntil: what is kept at a height, of this chain and of others.
func TestUntil(t *testing.T) {
	s := &behaviour.Subject{}
	add := func(n int, chain ledger.Chain, height ledger.Height, at int64, spender int) {
		s.Steps = append(s.Steps, behaviour.Step{Chain: chain, Tx: hash(n), Height: height, Time: at, Out: []behaviour.Part{{Spender: hash(spender)}}})
	}
	add(1, ledger.Bitcoin, 10, 1000, 2)
	add(2, ledger.Bitcoin, 11, 900, 3) // its block states an earlier time
	add(3, ledger.Bitcoin, 12, 1100, 9)
	add(4, ledger.Ethereum, 99, 1000, 9)
	add(5, ledger.Ethereum, 1, 1001, 9)
	got := s.Until(ledger.Bitcoin, 11)
	var kept []ledger.Hash
	for i := range got.Steps {
		kept = append(kept, got.Steps[i].Tx)
	}
	if want := []ledger.Hash{hash(1), hash(2), hash(4)}; !reflect.DeepEqual(kept, want) {
		t.Fatalf("%v, want %v", kept, want)
	}
	if got.Steps[0].Out[0].Spender != hash(2) || !got.Steps[1].Out[0].Spender.IsZero() {
		t.Error("a spender is known before it spent, or not after")
	}
	if s.Steps[1].Out[0].Spender != hash(3) {
		t.Error("the subject itself was changed")
	}
	if got := s.Until(ledger.Bitcoin, 9); len(got.Steps) != 0 {
		t.Errorf("before all: %v", got.Steps)
	}
}

// TestOrder: neither the order in which steps are given nor that of equal times matters,
// nor a transaction given twice.
func TestOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawnBy(t)
		for i := range s.Steps {
			s.Steps[i].Time -= s.Steps[i].Time % 600
		}
		want := behaviour.Find(s, small())
		other := &behaviour.Subject{Own: s.Own, Taint: s.Taint, Steps: rapid.Permutation(s.Steps).Draw(t, "order")}
		if len(s.Steps) > 0 {
			other.Steps = append(other.Steps, s.Steps[len(s.Steps)/2])
		}
		if got := behaviour.Find(other, small()); !reflect.DeepEqual(got, want) {
			t.Fatalf("%v\nis not\n%v", got, want)
		}
		sound(t, s, want)
	})
}

// TestFindBy: one pattern finds what it finds among all.
func TestFindBy(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawnBy(t)
		var each []behaviour.Finding
		for _, p := range behaviour.Patterns {
			each = append(each, behaviour.FindBy(p, s, small())...)
		}
		if all := behaviour.Find(s, small()); !reflect.DeepEqual(all, each) {
			t.Fatalf("%v\nis not\n%v", all, each)
		}
	})
}

// TestFanOutModel compares fan-out with a model that tries every window.
func TestFanOutModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := &record{}
		at := int64(0)
		for range rapid.IntRange(0, 60).Draw(t, "payments") {
			at += rapid.Int64Range(0, 900).Draw(t, "gap")
			r.pay(at, 1+rapid.IntRange(0, 14).Draw(t, "to"), ether, 11+rapid.Uint64Range(0, 400).Draw(t, "amount"))
		}
		p := parameters()
		p.FanOut = behaviour.Burst{Number: rapid.IntRange(2, 6).Draw(t, "k"), Window: 1800}
		in := make([]bool, len(r.steps))    // in some window that qualifies
		joint := make([]bool, len(r.steps)) // in one with the step before
		for i := range r.steps {
			for j := i; j < len(r.steps) && r.steps[j].Time-r.steps[i].Time <= 1800; j++ {
				receivers, sum := map[ledger.Address]bool{}, uint64(0)
				for _, st := range r.steps[i : j+1] {
					receivers[st.Moves[0].To.Address] = true
					sum += st.Moves[0].Amount.Uint64()
				}
				if len(receivers) >= p.FanOut.Number && sum >= 1000 {
					for k := i; k <= j; k++ {
						in[k] = true
						joint[k] = joint[k] || k > i
					}
				}
			}
		}
		var want [][]ledger.Hash
		for i := range r.steps {
			switch {
			case !in[i]:
			case joint[i]:
				want[len(want)-1] = append(want[len(want)-1], r.steps[i].Tx)
			default:
				want = append(want, []ledger.Hash{r.steps[i].Tx})
			}
		}
		var got [][]ledger.Hash
		for _, f := range behaviour.FindBy(behaviour.FanOut, r.subject(), p) {
			got = append(got, f.Txs)
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("%v, want %v", got, want)
		}
	})
}

// TestMany runs every pattern over 100,000 steps.
func TestMany(t *testing.T) {
	s := drawn(rand.New(rand.NewPCG(3, 3)), 100_000)
	list := behaviour.Find(s, parameters())
	sound(t, s, list)
	if len(list) == 0 {
		t.Error("nothing was found in 100,000 steps")
	}
	// The worst for merging: one hour, one amount, one receiver each.
	r := &record{}
	for i := range 100_000 {
		r.pay(int64(i%3600), 1+i, ether, 10_000)
	}
	got := behaviour.FindBy(behaviour.EqualFanOut, r.subject(), parameters())
	if len(got) != 1 || got[0].Count != 100_000 || len(got[0].Txs) != 1000 || value(got[0].Measures, "distinct receivers") != "100000" {
		t.Errorf("%d findings", len(got))
	}
}

// TestWide runs every pattern over transactions of 100,000 parts.
func TestWide(t *testing.T) {
	r := &record{}
	batch := r.get(0, 1, ether, 5)
	for i := range 100_000 {
		batch.Moves = append(batch.Moves, behaviour.Move{From: party(account(1)), To: party(account(2 + i)), Asset: ether, Amount: units(5)})
	}
	r.get(1, 1, ether, 1_000_000)
	r.step(2)
	airdrop := &r.steps[len(r.steps)-1]
	for i := range 100_000 {
		airdrop.Moves = append(airdrop.Moves, behaviour.Move{From: party(me), To: party(account(2 + i)), Asset: ether, Amount: units(5)})
	}
	var in, out []behaviour.Part
	for i := range 100_000 {
		in, out = append(in, part(purse, 5000)), append(out, part(wallet(1+i), 4000))
	}
	r.spend(3, in, out)
	s := r.subject()
	list := behaviour.Find(s, parameters())
	sound(t, s, list)
	got := map[string]string{}
	for i := range list {
		got[list[i].Pattern] = value(list[i].Measures, "distinct receivers") + value(list[i].Measures, "most other receivers in one transaction")
	}
	want := map[string]string{
		"fan-out": "100000missing", "equal-amount-fan-out": "100000missing", "dusting": "100000missing", "dusted": "missing100000",
		"gas-funding": "missingmissing", // the airdrop's 5 wei came first
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// FuzzFind feeds hostile steps: no parts, the greatest amounts, times at both ends.
func FuzzFind(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte("\x00\xff\x01\x80\x02\x7f\x03\x10\x04\x20\x05\x30\x06\x40\x07\x50\x08\x60\x09\x70"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 4000 {
			return
		}
		s := hostile(data)
		first := behaviour.Find(s, parameters())
		if again := behaviour.Find(s, parameters()); !reflect.DeepEqual(first, again) {
			t.Fatal("two answers")
		}
		behaviour.Find(s, behaviour.Parameters{})
		behaviour.Find(s.Until(ledger.Ethereum, 3), small())
		behaviour.PeelChain(s.Steps, parameters())
		behaviour.Layering([]*behaviour.Subject{s, s, s}, parameters())
	})
}

// hostile reads four bytes a part.
func hostile(data []byte) *behaviour.Subject {
	s := &behaviour.Subject{Own: map[ledger.Address]bool{me: true, purse: true, {}: true}, Taint: map[ledger.Hash][]string{}}
	ends := []int64{0, 1 << 62, -1 << 62, 1<<63 - 1, -1 << 63, 86_400, -1}
	var st *behaviour.Step
	for len(data) >= 4 {
		a, b, c, d := data[0], data[1], data[2], data[3]
		data = data[4:]
		if st == nil || a&1 == 1 {
			s.Steps = append(s.Steps, behaviour.Step{Chain: []ledger.Chain{ledger.Ethereum, ledger.Bitcoin, ""}[int(a>>1)%3], Tx: hash(int(b % 64)), Height: ledger.Height(c % 8)})
			st = &s.Steps[len(s.Steps)-1]
			st.Time = ends[int(d)%len(ends)] + int64(a)
			if b&1 == 1 {
				st.Sender, st.Fee = me, *new(ledger.Amount).SetAllOne()
			}
			s.Taint[st.Tx] = append(s.Taint[st.Tx], string(data[:min(len(data), 1)]))
		}
		amount := *new(ledger.Amount).SetAllOne()
		if c&1 == 1 {
			amount = units(uint64(d))
		}
		x, y := party(account(int(b%4))), party(account(int(c%4)))
		if d&1 == 1 {
			x.Address.Size, y.Address = 255, ledger.Address{}
		}
		x.Own = d&6 == 6
		x.Labels = []string{"exchange", "mixing_service", "defi_bridge"}[:d%4]
		asset := []ledger.Asset{ether, usdt, fake, "", sat}[int(b)%5]
		st.Moves = append(st.Moves, behaviour.Move{From: x, To: y, Asset: asset, Amount: amount})
		piece := behaviour.Part{Party: x, Asset: asset, Amount: amount, Spender: hash(int(c % 64))}
		if d&8 == 0 {
			st.In = append(st.In, piece)
		} else {
			st.Out = append(st.Out, piece)
		}
	}
	return s
}
