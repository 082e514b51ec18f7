package proximity_test

import (
	"cmp"
	"math/big"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"coldtrail/ledger"
	"coldtrail/screen/proximity"
)

const coin = ledger.Asset("eip155:1/slip44:60")

func who(n int) ledger.Address { return ledger.NewAddress(ledger.EVMAccount, []byte{19: byte(n)}) }

// given is a part with who is on the other side.
type given struct {
	to   ledger.Address
	part proximity.Part
}

func pass(a *proximity.Account, parts []proximity.Part, d proximity.Direction) (list []given) {
	a.Pass(slices.Clone(parts), d, func(to ledger.Address, p proximity.Part) { list = append(list, given{to, p}) })
	sortGiven(list)
	return list
}

func sortGiven(list []given) {
	slices.SortFunc(list, func(a, b given) int {
		return cmp.Or(a.part.At.Compare(b.part.At), cmp.Compare(a.part.Class, b.part.Class))
	})
}

// event is something that happens to an account, as a test draws it.
type event struct {
	what   string // "receives", "pays", "gains", "loses"
	other  int
	amount uint64
	mixed  bool
	parts  map[uint32]uint64 // by class
}

func drawEvents(t *rapid.T) (list []event) {
	for range rapid.IntRange(0, 20).Draw(t, "events") {
		e := event{
			what: rapid.SampledFrom([]string{"receives", "receives", "pays", "pays", "gains", "loses"}).Draw(t, "what"), other: rapid.IntRange(1, 4).Draw(t, "other"),
			amount: rapid.Uint64Range(0, 100_000).Draw(t, "amount"), mixed: rapid.IntRange(0, 9).Draw(t, "mixed") == 0, parts: map[uint32]uint64{},
		}
		for class := range uint32(2) {
			if rapid.Bool().Draw(t, "has a part") {
				e.parts[class] = rapid.Uint64Range(0, e.amount).Draw(t, "part")
			}
		}
		list = append(list, e)
	}
	return list
}

func (e *event) payment(n int) *proximity.Payment {
	return &proximity.Payment{From: who(e.other), To: who(e.other), Asset: coin, Amount: ledger.NewAmount(e.amount), At: proximity.Place{Tx: uint64(n)}, Time: int64(n), Mixed: e.mixed}
}

// apply lets an event happen.
func (e *event) apply(a *proximity.Account, n int) {
	amount := ledger.NewAmount(e.amount)
	switch e.what {
	case "receives":
		a.Receive(e.payment(n))
	case "pays":
		a.Pay(e.payment(n))
	case "gains":
		a.Gain(&amount)
	case "loses":
		a.Lose(&amount)
	}
}

// partsOf lists the parts of what happens.
func partsOf(events []event, what string) (list []proximity.Part) {
	for n, e := range events {
		for class, amount := range e.parts {
			if e.what == what && amount > 0 {
				list = append(list, proximity.Part{At: proximity.Place{Tx: uint64(n)}, Time: int64(n), Asset: coin, Class: class, Amount: ledger.NewAmount(amount)})
			}
		}
	}
	return list
}

// naive is haircut of one class as one would write it down, in plain numbers.
func naive(events []event, class uint32) (list []given) {
	balance, held := new(big.Int), new(big.Int)
	for n, e := range events {
		amount := new(big.Int).SetUint64(e.amount)
		switch e.what {
		case "receives":
			balance.Add(balance, amount)
			if !e.mixed {
				held.Add(held, new(big.Int).SetUint64(e.parts[class]))
			}
			continue
		case "gains":
			balance.Add(balance, amount)
			continue
		case "loses":
			if balance.Cmp(amount) < 0 {
				amount.Set(balance)
			}
		case "pays":
			if balance.Cmp(amount) < 0 {
				balance.Set(amount) // the rest came unseen
			}
		}
		if balance.Sign() == 0 {
			continue
		}
		part := new(big.Int).Mul(amount, held)
		part.Div(part, balance)
		held.Sub(held, part)
		balance.Sub(balance, amount)
		if e.what == "pays" && !e.mixed && part.Sign() > 0 && part.Uint64()*10_000 >= e.amount {
			list = append(list, given{who(e.other), proximity.Part{At: proximity.Place{Tx: uint64(n)}, Time: int64(n), Asset: coin, Class: class, Amount: ledger.NewAmount(part.Uint64())}})
		}
	}
	return list
}

// TestPassIsHaircut: every part is what one works out by hand, each class by itself, and no
// class gives more than it got.
func TestPassIsHaircut(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		events := drawEvents(t)
		var a proximity.Account
		for n := range events {
			events[n].apply(&a, n)
		}
		parts := partsOf(events, "receives")
		got := pass(&a, parts, proximity.Received)
		for class := range uint32(2) {
			mine := slices.DeleteFunc(slices.Clone(got), func(g given) bool { return g.part.Class != class })
			if want := naive(events, class); !slices.Equal(mine, want) {
				t.Fatalf("class %d: %v, want %v", class, mine, want)
			}
			in, out := ledger.NewAmount(0), ledger.NewAmount(0)
			for i := range parts {
				if parts[i].Class == class {
					in.Add(&in, &parts[i].Amount)
				}
			}
			for i := range mine {
				out.Add(&out, &mine[i].part.Amount)
			}
			if in.Lt(&out) {
				t.Fatalf("class %d got %s and gave %s", class, in.Dec(), out.Dec())
			}
		}
	})
}

// TestPassBackIsMirror: the way back through an account is the way forth through one in which
// all that happened happens the other way round, from the last to the first.
func TestPassBackIsMirror(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		events := drawEvents(t)
		var a proximity.Account
		for n := range events {
			events[n].apply(&a, n)
		}
		got := pass(&a, partsOf(events, "pays"), proximity.Sent)

		var mirrored proximity.Account
		held := heldAfter(events)
		last := ledger.NewAmount(held[len(events)])
		mirrored.Open(&last)
		opposite := map[string]string{"receives": "pays", "pays": "receives", "gains": "loses", "loses": "gains"}
		var turned []event
		for n := len(events) - 1; n >= 0; n-- {
			e := events[n]
			if e.what == "loses" {
				e.amount = min(e.amount, held[n])
			}
			unseen := event{what: "loses"}
			if e.what == "pays" && e.amount > held[n] { // what came unseen, just before
				unseen.amount = e.amount - held[n]
			}
			e.what = opposite[e.what]
			turned = append(turned, e, unseen)
		}
		for n := range turned {
			turned[n].apply(&mirrored, n)
		}
		var want []given
		for _, g := range pass(&mirrored, partsOf(turned, "receives"), proximity.Received) {
			n := len(events) - 1 - int(g.part.At.Tx)/2
			g.part.At.Tx, g.part.Time = uint64(n), int64(n)
			want = append(want, g)
		}
		sortGiven(want)
		if !slices.Equal(got, want) {
			t.Fatalf("%v, want %v", got, want)
		}
	})
}

// heldAfter is what is held before each event, and in the end.
func heldAfter(events []event) []uint64 {
	held := []uint64{0}
	for _, e := range events {
		now := held[len(held)-1]
		switch e.what {
		case "receives", "gains":
			now += e.amount
		default:
			now -= min(now, e.amount)
		}
		held = append(held, now)
	}
	return held
}

// TestPassHostile: a token may state any amounts; nothing wraps round.
func TestPassHostile(t *testing.T) {
	var all ledger.Amount
	all.SetAllOne()
	pay := func(n uint64) *proximity.Payment {
		return &proximity.Payment{From: who(1), To: who(2), Asset: coin, Amount: all, At: proximity.Place{Tx: n}}
	}
	var a proximity.Account
	a.Receive(pay(1))
	a.Receive(pay(2))
	a.Pay(pay(3))
	a.Pay(pay(4))
	parts := []proximity.Part{{At: proximity.Place{Tx: 1}, Asset: coin, Amount: all}, {At: proximity.Place{Tx: 2}, Asset: coin, Amount: all}}
	got := pass(&a, parts, proximity.Received)
	if len(got) != 1 || got[0].part.Amount != all || got[0].part.At.Tx != 3 {
		t.Errorf("%v, want all of it at the first payment", got)
	}
}

// TestSpend: who paid whom in a transaction of outputs.
func TestSpend(t *testing.T) {
	tx := &ledger.Resolved{
		Time:    7,
		Inputs:  []ledger.Output{{Value: 60, Address: who(1)}, {Value: 30, Address: who(2)}, {}, {Value: 10, Address: who(1)}},
		Outputs: []ledger.Output{{Value: 50, Address: who(3)}, {Value: 9, Unspendable: true}, {Value: 33, Address: who(2)}},
	}
	s := proximity.NewSpend(tx, 5, coin, false)
	list := func(each func(ledger.Address, func(*proximity.Payment)), a ledger.Address) (list []proximity.Payment) {
		each(a, func(p *proximity.Payment) { list = append(list, *p) })
		return list
	}
	payment := func(from, to int, amount, position uint64) proximity.Payment {
		return proximity.Payment{From: who(from), To: who(to), Asset: coin, Amount: ledger.NewAmount(amount), At: proximity.Place{Tx: 5, Position: position}, Time: 7}
	}
	for _, test := range []struct {
		name string
		got  []proximity.Payment
		want []proximity.Payment
	}{
		{"the first pays", list(s.Paid, who(1)), []proximity.Payment{payment(1, 3, 35, 0), payment(1, 2, 23, 4)}},
		{"the second pays, and has change", list(s.Paid, who(2)), []proximity.Payment{payment(2, 3, 15, 1)}},
		{"the second gets", list(s.Got, who(2)), []proximity.Payment{payment(1, 2, 23, 4)}},
		{"the third gets", list(s.Got, who(3)), []proximity.Payment{payment(1, 3, 35, 0), payment(2, 3, 15, 1)}},
		{"nobody pays", list(s.Paid, ledger.Address{}), nil},
	} {
		if !slices.Equal(test.got, test.want) {
			t.Errorf("%s: %v, want %v", test.name, test.got, test.want)
		}
	}
	b := proximity.NewBook()
	b.Spend(s, who(2))
	if a := b.Accounts[coin]; a.Received != ledger.NewAmount(23) || a.Sent != ledger.NewAmount(15) || b.Touches != 2 {
		t.Errorf("the second received %s and sent %s, in %d touches", a.Received.Dec(), a.Sent.Dec(), b.Touches)
	}
}
