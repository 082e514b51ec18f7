package behaviour_test

import (
	"strings"
	"testing"

	"coldtrail/attribution/behaviour"
	"coldtrail/ledger"
)

// scene is a record, and what a pattern finds in it.
type scene struct {
	name  string
	build func(r *record)
	// count is of the transactions of the only finding; 0 where there must be none.
	count int
	// measures are some of those that the finding shows.
	measures map[string]string
}

func run(t *testing.T, name string, scenes []scene) {
	t.Helper()
	of := pattern(t, name)
	for _, c := range scenes {
		t.Run(c.name, func(t *testing.T) {
			r := &record{}
			c.build(r)
			s := r.subject()
			got := behaviour.FindBy(of, s, parameters())
			sound(t, s, got)
			if c.count == 0 {
				if len(got) != 0 {
					t.Fatalf("found: %s", got[0].Text)
				}
				return
			}
			if len(got) != 1 || got[0].Count != c.count || got[0].Pattern != name {
				t.Fatalf("%d findings, want one of %d transactions: %+v", len(got), c.count, got)
			}
			for name, want := range c.measures {
				if have := value(got[0].Measures, name); have != want {
					t.Errorf("%s: %s, want %s", name, have, want)
				}
			}
		})
	}
}

// each calls for 0 to n-1.
func each(n int, do func(i int)) {
	for i := range n {
		do(i)
	}
}

func TestFanOut(t *testing.T) {
	to := func(n int, gap int64, amount uint64) func(*record) {
		return func(r *record) { each(n, func(i int) { r.pay(int64(i)*gap, 1+i, ether, amount+uint64(i)) }) }
	}
	run(t, "fan-out", []scene{
		{"ten receivers in exactly one hour", to(10, 400, 100), 10, map[string]string{"distinct receivers": "10", "most receivers in one window": "10"}},
		{"ten receivers in an hour and nine seconds", to(10, 401, 100), 0, nil},
		{"nine receivers", to(9, 400, 200), 0, nil},
		{"ten receivers, a unit under the sum", func(r *record) {
			each(9, func(i int) { r.pay(int64(i), 1+i, ether, 100) })
			r.pay(9, 10, ether, 99)
		}, 0, nil},
		{"ten payments to nine receivers", func(r *record) { each(10, func(i int) { r.pay(int64(i), 1+i%9, ether, 200) }) }, 0, nil},
		{"windows that overlap are one", to(30, 400, 100), 30, map[string]string{"distinct receivers": "30", "most receivers in one window": "10"}},
		{"five of each of two assets", func(r *record) {
			each(5, func(i int) { r.pay(int64(i), 1+i, ether, 1000); r.pay(int64(i), 11+i, usdt, 1000) })
		}, 0, nil},
		{"ten receivers of a token that nobody lists", func(r *record) { each(10, func(i int) { r.pay(int64(i), 1+i, fake, 1000) }) }, 0, nil},
		{"ten receivers of nothing", func(r *record) { each(10, func(i int) { r.pay(int64(i), 1+i, ether, 0) }) }, 0, nil},
		{"nine receivers and dust for a tenth", func(r *record) {
			each(9, func(i int) { r.pay(int64(i), 1+i, ether, 1000) })
			r.pay(9, 10, ether, 10)
		}, 0, nil},
		{"one bitcoin transaction of ten outputs and change", func(r *record) {
			out := []behaviour.Part{part(purse, 50_000)}
			each(10, func(i int) { out = append(out, part(wallet(1+i), 2000)) })
			r.spend(0, []behaviour.Part{part(purse, 100_000)}, out)
		}, 1, map[string]string{"distinct receivers": "10", "transfers": "10"}},
		{"the same as a coinjoin", func(r *record) {
			var out []behaviour.Part
			each(10, func(i int) { out = append(out, part(wallet(1+i), 2000)) })
			r.spend(0, []behaviour.Part{part(purse, 100_000)}, out).Mix = "wasabi"
		}, 0, nil},
		{"somebody else's transaction of twelve outputs, one of them to the subject", func(r *record) {
			out := []behaviour.Part{part(purse, 50_000)}
			each(11, func(i int) { out = append(out, part(wallet(1+i), 2000)) })
			r.spend(0, []behaviour.Part{part(wallet(99), 100_000)}, out)
		}, 0, nil},
		{"nine outputs, and one back to an address that paid with the subject", func(r *record) {
			out := []behaviour.Part{part(wallet(99), 50_000)}
			each(9, func(i int) { out = append(out, part(wallet(1+i), 2000)) })
			r.spend(0, []behaviour.Part{part(purse, 100_000), part(wallet(99), 1)}, out)
		}, 0, nil},
	})
}

// TestApart: windows that share no payment stay two findings.
func TestApart(t *testing.T) {
	r := &record{}
	each(10, func(i int) { r.pay(0, 1+i, ether, 100+uint64(i)) })
	each(10, func(i int) { r.pay(hour+1, 1+i, ether, 100+uint64(i)) })
	got := behaviour.FindBy(behaviour.FanOut, r.subject(), parameters())
	if len(got) != 2 || got[0].Count != 10 || got[1].Count != 10 || got[0].To >= got[1].From {
		t.Errorf("%+v", got)
	}
}

func TestEqualFanOut(t *testing.T) {
	run(t, "equal-amount-fan-out", []scene{
		{"ten of one amount in an hour", func(r *record) { each(10, func(i int) { r.pay(int64(i)*400, 1+i, ether, 77) }) }, 10, map[string]string{"each": "77", "longest interval": "400"}},
		{"one a unit more", func(r *record) { each(10, func(i int) { r.pay(int64(i)*400, 1+i, ether, 77+uint64(i/9)) }) }, 0, nil},
		{"a second too slow", func(r *record) { each(10, func(i int) { r.pay(int64(i)*400+int64(i/9), 1+i, ether, 77) }) }, 0, nil},
		{"nine receivers", func(r *record) { each(10, func(i int) { r.pay(int64(i), 1+i%9, ether, 77) }) }, 0, nil},
		{"amounts between them do not matter", func(r *record) {
			each(10, func(i int) { r.pay(int64(i)*400, 1+i, ether, 77); r.pay(int64(i)*400, 1+i, ether, 1000+uint64(i)) })
		}, 10, nil},
	})
}

func TestFanIn(t *testing.T) {
	from := func(n int, gap int64, back uint64, at int64) func(*record) {
		return func(r *record) {
			each(n, func(i int) { r.get(int64(i)*gap, 1+i, ether, 100) })
			r.pay(at, 99, ether, back)
		}
	}
	last := int64(9 * 2400)
	run(t, "fan-in", []scene{
		{"ten senders in exactly six hours, four fifths sent on after exactly a day", from(10, 2400, 800, last+day), 10, map[string]string{"distinct senders": "10", "sent on": "800"}},
		{"a unit less sent on", from(10, 2400, 799, last+day), 0, nil},
		{"sent on a second late", from(10, 2400, 1000, last+day+1), 0, nil},
		{"senders a second too far apart", from(10, 2401, 1000, last+100), 0, nil},
		{"nine senders", from(9, 2400, 900, last), 0, nil},
		{"nothing sent on", func(r *record) { each(20, func(i int) { r.get(int64(i), 1+i, ether, 100) }) }, 0, nil},
		{"sent on in another asset", func(r *record) {
			each(10, func(i int) { r.get(int64(i), 1+i, ether, 100) })
			r.pay(100, 99, usdt, 1000)
		}, 0, nil},
		{"ten addresses of one service are one sender", func(r *record) {
			each(10, func(i int) { r.move(int64(i), service(1+i, "Kraken", "exchange"), party(me), ether, 100) })
			r.pay(100, 99, ether, 1000)
		}, 0, nil},
		{"nine senders and dust of a tenth", func(r *record) {
			each(9, func(i int) { r.get(int64(i), 1+i, ether, 100) })
			r.get(10, 10, ether, 10)
			r.pay(100, 99, ether, 910)
		}, 0, nil},
		{"one bitcoin transaction of ten inputs is one sender", func(r *record) {
			var in []behaviour.Part
			each(10, func(i int) { in = append(in, part(wallet(1+i), 5000)) })
			r.spend(0, in, []behaviour.Part{part(purse, 50_000)})
			r.spend(10, []behaviour.Part{part(purse, 50_000)}, []behaviour.Part{part(wallet(99), 50_000)})
		}, 0, nil},
		{"ten bitcoin transactions are ten", func(r *record) {
			var in []behaviour.Part
			each(10, func(i int) {
				r.spend(int64(i), []behaviour.Part{part(wallet(1+i), 5000)}, []behaviour.Part{part(purse, 5000)})
				in = append(in, part(purse, 5000))
			})
			r.spend(20, in, []behaviour.Part{part(wallet(99), 50_000)})
		}, 10, nil},
	})
}

func TestStructuring(t *testing.T) {
	pays := func(amounts ...uint64) func(*record) {
		return func(r *record) {
			for i, n := range amounts {
				r.pay(int64(i)*21_600, 1, usdt, n)
			}
		}
	}
	run(t, "structuring", []scene{
		{"five from half to 99.9 per cent in exactly a day", pays(5000, 9990, 7000, 8000, 9000), 5, map[string]string{"transfers": "5"}},
		{"one a unit above", pays(5000, 9991, 7000, 8000, 9000), 0, nil},
		{"one a unit below", pays(4999, 9990, 7000, 8000, 9000), 0, nil},
		{"four", pays(5000, 9990, 7000, 8000), 0, nil},
		{"the fifth a second late", func(r *record) {
			each(4, func(i int) { r.pay(int64(i), 1, usdt, 9000) })
			r.pay(day+1, 1, usdt, 9000)
		}, 0, nil},
		{"to two targets", func(r *record) { each(6, func(i int) { r.pay(int64(i), 1+i%2, usdt, 9000) }) }, 0, nil},
		{"to five addresses of one service", func(r *record) {
			each(5, func(i int) { r.move(int64(i), party(me), service(1+i, "Kraken", "exchange"), usdt, 9000) })
		}, 5, nil},
	})
	// Without thresholds there is nothing to be under.
	r := &record{}
	pays(5000, 9990, 7000, 8000, 9000)(r)
	p := parameters()
	p.Limits = nil
	if got := behaviour.FindBy(behaviour.Structuring, r.subject(), p); got != nil {
		t.Errorf("%+v", got)
	}
}

func TestPassThrough(t *testing.T) {
	hop := func(out uint64, after int64) func(*record) {
		return func(r *record) { r.get(0, 1, ether, 10_000); r.pay(after, 2, ether, out) }
	}
	run(t, "pass-through", []scene{
		{"95 per cent after exactly 18 hours", hop(9500, 18*hour), 2, map[string]string{"passages": "1", "received": "10000", "sent on": "9500", "median delay": "64800"}},
		{"a unit less", hop(9499, 60), 0, nil},
		{"a second late", hop(10_000, 18*hour+1), 0, nil},
		{"more than came", hop(10_001, 60), 0, nil},
		{"a receipt between", func(r *record) { r.get(0, 1, ether, 10_000); r.get(1, 3, ether, 50); r.pay(2, 2, ether, 10_000) }, 0, nil},
		{"split in two by one transaction", func(r *record) {
			r.get(0, 1, ether, 10_000)
			s := r.pay(2, 2, ether, 9600)
			s.Moves = append(s.Moves, behaviour.Move{From: party(me), To: party(account(3)), Asset: ether, Amount: units(300)})
		}, 0, nil},
		{"an address poisoner between changes nothing", func(r *record) {
			r.get(0, 1, ether, 10_000)
			r.pay(1, 5, fake, 10_000)
			r.get(1, 6, ether, 0)
			r.pay(2, 2, ether, 9_999)
		}, 2, nil},
		{"the next begins exactly 18 hours after the one before", func(r *record) {
			r.get(0, 1, ether, 10_000)
			r.pay(60, 2, ether, 9_900)
			r.get(60+18*hour, 1, ether, 10_000)
			r.pay(90+18*hour, 2, ether, 9_900)
		}, 4, nil},
		{"three in a row are one finding", func(r *record) {
			each(3, func(i int) {
				r.get(int64(i)*hour, 1, ether, 10_000)
				r.pay(int64(i)*hour+60, 2, ether, 9_900)
			})
		}, 6, map[string]string{"passages": "3", "sent on": "29700"}},
	})
}

func TestDormancy(t *testing.T) {
	sleep := func(slept int64, out uint64, after int64) func(*record) {
		return func(r *record) {
			r.get(0, 1, ether, 20_000)
			r.pay(10, 2, ether, 10_000)
			r.pay(10+slept, 3, ether, 100)
			r.pay(10+slept+after, 4, ether, out)
		}
	}
	run(t, "dormancy", []scene{
		{"180 days, then half within exactly a day", sleep(180*day, 4900, day), 2, map[string]string{"slept": "15552000", "held before": "10000"}},
		{"a second less sleep", sleep(180*day-1, 9000, 10), 0, nil},
		{"a unit less than half", sleep(180*day, 4899, day), 0, nil},
		{"the half a second late", sleep(180*day, 9000, day+1), 0, nil},
		{"receipts do not wake", func(r *record) {
			r.get(0, 1, ether, 20_000)
			r.get(100*day, 1, ether, 20_000)
			r.pay(180*day, 2, ether, 20_000)
		}, 1, nil},
		{"a poisoner's transfers in its name do not wake", func(r *record) {
			r.get(0, 1, ether, 20_000)
			r.pay(100*day, 3, fake, 500)
			r.pay(100*day, 4, usdt, 0)
			r.pay(180*day, 2, ether, 20_000)
		}, 1, nil},
		{"a signed transaction of no value does", func(r *record) {
			r.get(0, 1, ether, 20_000)
			r.pay(100*day, 4, ether, 0).Sender = me
			r.pay(180*day, 2, ether, 20_000)
		}, 0, nil},
		{"more left than the record ever brought: the balance is not known", func(r *record) {
			r.get(0, 1, ether, 20_000)
			r.pay(1, 2, ether, 30_000)
			r.get(2, 1, ether, 10_000)
			r.pay(181*day, 2, ether, 10_000)
		}, 0, nil},
		{"an old output of bitcoin", func(r *record) {
			r.spend(0, []behaviour.Part{part(wallet(1), 90_000)}, []behaviour.Part{part(purse, 90_000)})
			r.spend(3650*day, []behaviour.Part{part(purse, 90_000)}, []behaviour.Part{part(wallet(2), 45_000), part(purse, 44_000)})
		}, 1, nil},
	})
	// An opening balance is a balance.
	r := &record{}
	r.pay(0, 1, ether, 100)
	r.pay(200*day, 2, ether, 600)
	s := r.subject()
	s.Openings = []ledger.Opening{{Address: me, Asset: ether, Amount: units(1100)}}
	if got := behaviour.FindBy(behaviour.Dormancy, s, parameters()); len(got) != 1 || got[0].Count != 1 || value(got[0].Measures, "held before") != "1000" {
		t.Errorf("%+v", got)
	}
}

func TestDusting(t *testing.T) {
	spray := func(n int, amount uint64, gap int64) func(*record) {
		return func(r *record) { each(n, func(i int) { r.pay(int64(i)*gap, 1+i, ether, amount) }) }
	}
	run(t, "dusting", []scene{
		{"dust to a hundred within a day", spray(100, 10, 872), 100, map[string]string{"distinct receivers": "100"}},
		{"to 99", spray(99, 10, 800), 0, nil},
		{"a unit more than dust", spray(100, 11, 800), 0, nil},
		{"too slowly", spray(100, 10, 873), 0, nil},
		{"of nothing", spray(100, 0, 1), 0, nil},
	})
	outputs := func(n int, amount uint64) func(*record) {
		return func(r *record) {
			out := []behaviour.Part{part(purse, amount), part(wallet(2), 5000)}
			each(n, func(i int) { out = append(out, part(wallet(10+i), amount)) })
			r.spend(0, []behaviour.Part{part(wallet(1), 500_000)}, out)
		}
	}
	run(t, "dusted", []scene{
		{"dust in a transaction that gives a hundred others dust", outputs(100, 1000), 1, map[string]string{"most other receivers in one transaction": "100"}},
		{"99 others", outputs(99, 1000), 0, nil},
		{"a satoshi more than dust", outputs(100, 1001), 0, nil},
		{"dust alone", func(r *record) { r.get(0, 1, ether, 5) }, 0, nil},
		{"one account transaction that gives a hundred others dust", func(r *record) {
			s := r.get(0, 1, ether, 5)
			each(100, func(i int) {
				s.Moves = append(s.Moves, behaviour.Move{From: party(account(1)), To: party(account(10 + i)), Asset: ether, Amount: units(5)})
			})
		}, 1, nil},
		{"the others' dust is of another sender", func(r *record) {
			s := r.get(0, 1, ether, 5)
			each(100, func(i int) {
				s.Moves = append(s.Moves, behaviour.Move{From: party(account(2)), To: party(account(10 + i)), Asset: ether, Amount: units(5)})
			})
		}, 0, nil},
	})
}

// likeness is an address that begins and ends as account(1) in so many digits.
func likeness(first, last int) ledger.Address {
	a := account(1)
	model := account(1)
	for i := range 20 {
		a.Payload[i] ^= 0xff
	}
	set := func(digit int) {
		mask := byte(0xf0) >> (4 * (digit % 2))
		a.Payload[digit/2] = a.Payload[digit/2]&^mask | model.Payload[digit/2]&mask
	}
	for d := range first {
		set(d)
	}
	for d := range last {
		set(39 - d)
	}
	return a
}

func TestPoisoning(t *testing.T) {
	after := func(at int64, asset ledger.Asset, amount uint64, a ledger.Address) func(*record) {
		return func(r *record) { r.pay(0, 1, ether, 5000); r.move(at, party(me), party(a), asset, amount) }
	}
	run(t, "address-poisoning", []scene{
		{"a counterfeit in the subject's name, exactly a week later", after(7*day, fake, 5000, likeness(3, 3)), 1, map[string]string{"of unlisted tokens": "1"}},
		{"a transfer of nothing of the real token", after(5, usdt, 0, likeness(3, 3)), 1, map[string]string{"of nothing": "1"}},
		{"dust of the real token", func(r *record) {
			r.pay(0, 1, ether, 5000)
			r.move(5, party(likeness(4, 4)), party(me), usdt, 10)
		}, 1, map[string]string{"of dust": "1"}},
		{"a second more than a week later", after(7*day+1, fake, 5000, likeness(3, 3)), 0, nil},
		{"only two digits at the front", after(5, fake, 5000, likeness(2, 5)), 0, nil},
		{"only two digits at the back", after(5, fake, 5000, likeness(5, 2)), 0, nil},
		{"a real payment to a look-alike is none", after(5, usdt, 11, likeness(3, 3)), 0, nil},
		{"the real counterparty itself", after(5, usdt, 0, account(1)), 0, nil},
		{"before the real dealing", func(r *record) {
			r.move(0, party(me), party(likeness(3, 3)), fake, 10)
			r.pay(1, 1, ether, 5000)
		}, 0, nil},
		{"two exactly a week apart are one finding", func(r *record) {
			r.pay(0, 1, ether, 5000)
			r.move(day, party(me), party(likeness(3, 3)), fake, 10)
			r.pay(3*day, 1, ether, 5000)
			r.move(8*day, party(me), party(likeness(3, 3)), fake, 10)
		}, 2, nil},
		{"several are one finding", func(r *record) {
			r.pay(0, 1, ether, 5000)
			r.move(5, party(me), party(likeness(3, 3)), fake, 10)
			r.move(6, party(likeness(4, 4)), party(me), ether, 0)
		}, 2, map[string]string{"movements": "2", "look-alike addresses": "2"}},
	})
	r := &record{}
	after(5, fake, 7, likeness(3, 3))(r)
	got := behaviour.FindBy(behaviour.Poisoning, r.subject(), parameters())
	if len(got) != 1 || got[0].Parties[0] != likeness(3, 3) || got[0].Resembles[0] != account(1) {
		t.Errorf("%+v", got)
	}
}

func TestGasFunding(t *testing.T) {
	fund := func(amount uint64, from behaviour.Party, after int64) func(*record) {
		return func(r *record) {
			r.move(0, from, party(me), ether, amount)
			r.pay(after, 2, ether, 300).Sender = me
		}
	}
	run(t, "gas-funding", []scene{
		{"below the limit, used after exactly two days", fund(499, party(account(1)), 2*day), 2, map[string]string{"addresses funded": "1", "payments": "1"}},
		{"at the limit", fund(500, party(account(1)), 10), 0, nil},
		{"used a second late", fund(499, party(account(1)), 2*day+1), 0, nil},
		{"from an exchange", fund(499, service(1, "Kraken", "exchange"), 10), 0, nil},
		{"never used", func(r *record) { r.get(0, 1, ether, 400) }, 0, nil},
		{"not the first receipt", func(r *record) {
			r.get(0, 1, ether, 5000)
			r.get(1, 2, ether, 400)
			r.pay(2, 3, ether, 100)
		}, 0, nil},
		{"a transaction before shows an earlier receipt", func(r *record) {
			r.pay(0, 3, ether, 100)
			r.get(1, 2, ether, 400)
			r.pay(2, 3, ether, 100)
		}, 0, nil},
		{"somebody else's transaction is no use of it", func(r *record) {
			r.get(0, 1, ether, 400)
			r.pay(10, 2, usdt, 0).Sender = account(66)
		}, 0, nil},
		{"two addresses of one funder are one finding", func(r *record) {
			r.get(0, 1, ether, 400)
			second := behaviour.Party{Address: account(50), Own: true}
			r.move(1, party(account(1)), second, ether, 400)
			r.pay(2, 3, ether, 100)
			r.move(3, second, party(account(3)), ether, 100)
		}, 4, map[string]string{"addresses funded": "2"}},
	})
	r := &record{}
	fund(499, party(account(1)), 10)(r)
	p := parameters()
	p.Limits = nil
	if got := behaviour.FindBy(behaviour.GasFunding, r.subject(), p); got != nil {
		t.Errorf("without a limit the value condition is not met: %+v", got)
	}
}

func TestGasTopUp(t *testing.T) {
	top := func(before uint64, asset ledger.Asset, after int64) func(*record) {
		return func(r *record) {
			if before > 0 {
				r.get(0, 6, ether, before)
			}
			r.get(1, 5, usdt, 9000)
			r.get(100, 1, ether, 77)
			r.pay(100+after, 2, asset, 50).Sender = me
		}
	}
	run(t, "gas-top-up", []scene{
		{"tokens, nothing to pay with, and a token sent after exactly an hour", top(0, usdt, hour), 2, map[string]string{"payments": "1"}},
		{"a remainder of dust before", top(10, usdt, 60), 2, nil},
		{"a unit more before", top(11, usdt, 60), 0, nil},
		{"a second late", top(0, usdt, hour+1), 0, nil},
		{"ether sent instead", top(0, ether, 60), 0, nil},
		{"no tokens before", func(r *record) {
			r.get(0, 1, ether, 77)
			r.get(1, 5, usdt, 9000)
			r.pay(2, 2, usdt, 50)
		}, 0, nil},
		{"a token sent in the same transaction", func(r *record) {
			r.get(0, 5, usdt, 9000)
			s := r.get(1, 1, ether, 77)
			s.Moves = append(s.Moves, behaviour.Move{From: party(me), To: party(account(2)), Asset: usdt, Amount: units(50)})
		}, 0, nil},
		{"a counterfeit is no token to move", func(r *record) {
			r.get(0, 5, fake, 9000)
			r.get(1, 1, ether, 77)
			r.pay(2, 2, fake, 50)
		}, 0, nil},
	})
}

func TestSweep(t *testing.T) {
	swept := func(times int, out uint64, after int64) func(*record) {
		return func(r *record) {
			each(times, func(i int) {
				at := int64(i) * day
				r.get(at, 1+i, usdt, 10_000)
				r.pay(at+after, 99, usdt, out)
				if out < 10_000 {
					r.pay(at+after+hour, 98, usdt, 10_000-out)
				}
			})
		}
	}
	run(t, "sweep", []scene{
		{"three times 95 per cent after exactly ten minutes", swept(3, 9500, 600), 3, map[string]string{"sweeps": "3"}},
		{"a unit less", swept(3, 9499, 600), 0, nil},
		{"a second late", swept(3, 9500, 601), 0, nil},
		{"twice", swept(2, 10_000, 60), 0, nil},
		{"into three addresses", func(r *record) {
			each(3, func(i int) { r.get(int64(i)*day, 1, usdt, 500); r.pay(int64(i)*day+9, 90+i, usdt, 500) })
		}, 0, nil},
		{"two receipts before one sweep are one", func(r *record) {
			each(3, func(i int) {
				r.get(int64(i)*day, 1, usdt, 500)
				r.get(int64(i)*day+1, 2, usdt, 500)
				r.pay(int64(i)*day+9, 90, usdt, 1000)
			})
		}, 3, nil},
		{"three bitcoin deposits", func(r *record) {
			each(3, func(i int) {
				at := int64(i) * day
				r.spend(at, []behaviour.Part{part(wallet(1+i), 90_000)}, []behaviour.Part{part(purse, 90_000)})
				r.spend(at+500, []behaviour.Part{part(purse, 90_000)}, []behaviour.Part{part(wallet(99), 89_000)})
			})
		}, 3, nil},
		{"three bitcoin payments to two", func(r *record) {
			each(3, func(i int) {
				at := int64(i) * day
				r.spend(at, []behaviour.Part{part(wallet(1+i), 90_000)}, []behaviour.Part{part(purse, 90_000)})
				r.spend(at+500, []behaviour.Part{part(purse, 90_000)}, []behaviour.Part{part(wallet(99), 59_000), part(wallet(98), 30_000)})
			})
		}, 0, nil},
	})
}

func TestHotWallet(t *testing.T) {
	busy := func(in, out, days, deposits int) func(*record) {
		return func(r *record) {
			each(in, func(i int) {
				from := party(account(1 + i))
				if i < deposits {
					from.Labels = []string{"deposit_wallet"}
				}
				r.move(int64(i%days)*day, from, party(me), ether, 1000)
			})
			each(out, func(i int) { r.pay(int64(i%days)*day+9, 5000+i, ether, 900) })
		}
	}
	run(t, "hot-wallet", []scene{
		{"just enough of everything", busy(1000, 1000, 24, 50), 2000, map[string]string{
			"distinct senders": "1000", "distinct receivers": "1000", "senders labelled as deposit wallets": "50", "most days with movements in one window": "24",
		}},
		{"999 senders", busy(999, 1000, 24, 50), 0, nil},
		{"999 receivers", busy(1000, 999, 24, 50), 0, nil},
		{"23 days", busy(1000, 1000, 23, 50), 0, nil},
		{"49 deposit wallets", busy(1000, 1000, 24, 49), 0, nil},
		{"24 days spread over 47", func(r *record) {
			each(1000, func(i int) {
				from := party(account(1 + i))
				from.Labels = []string{"deposit_wallet"}
				r.move(int64(i%24)*2*day, from, party(me), ether, 1000)
				r.pay(int64(i%24)*2*day+9, 5000+i, ether, 900)
			})
		}, 0, nil},
	})
}

// TestDays: a day of UTC begins at midnight.
func TestDays(t *testing.T) {
	p := parameters()
	p.HotWallet = behaviour.HotWalletParameters{Senders: 1, Receivers: 1, Days: 2, ActiveDays: 2}
	midnight := day - start%day
	for at, want := range map[int64]int{midnight + day - 1: 0, midnight + day: 1} {
		r := &record{}
		r.get(midnight, 1, ether, 1000)
		r.pay(at, 2, ether, 900)
		if got := behaviour.FindBy(behaviour.HotWallet, r.subject(), p); len(got) != want {
			t.Errorf("%d seconds after midnight: %d findings, want %d", at-midnight, len(got), want)
		}
	}
}

func TestExchangeHopping(t *testing.T) {
	names := []string{"Binance", "Kraken", "OKX", "Kraken"}
	hops := func(n int, gap int64, concept string) func(*record) {
		return func(r *record) {
			each(n, func(i int) { r.move(int64(i)*gap, party(me), service(1+i, names[i], concept), ether, 1000) })
		}
	}
	run(t, "exchange-hopping", []scene{
		{"three services in exactly a day", hops(3, day/2, "exchange"), 3, map[string]string{"distinct services": "3", "services": "Binance, Kraken, OKX"}},
		{"a second more", hops(3, day/2+1, "exchange"), 0, nil},
		{"two services", hops(2, 1, "exchange"), 0, nil},
		{"a fourth payment to the second", hops(4, 1, "swap_service"), 4, map[string]string{"distinct services": "3"}},
		{"three that are no services", hops(3, 1, "phishing"), 0, nil},
		{"three that nobody names", func(r *record) {
			each(3, func(i int) { r.move(int64(i), party(me), service(1+i, "", "exchange"), ether, 1000) })
		}, 0, nil},
		{"dust to the third", func(r *record) {
			hops(2, 1, "exchange")(r)
			r.move(5, party(me), service(9, "OKX", "exchange"), ether, 10)
		}, 0, nil},
	})
}

func TestBridgeSpraying(t *testing.T) {
	cross := func(n int, gap int64, toward ledger.Chain) func(*record) {
		return func(r *record) {
			each(n, func(i int) {
				r.move(int64(i)*gap, party(me), service(1, "a bridge", "defi_bridge"), ether, 1000).Toward = toward
			})
		}
	}
	run(t, "bridge-spraying", []scene{
		{"three in exactly an hour", cross(3, 1800, ledger.Bitcoin), 3, map[string]string{"course": "toward bitcoin", "median interval": "1800"}},
		{"three in an hour and two seconds", cross(3, 1801, ledger.Bitcoin), 0, nil},
		{"ten in exactly a day", cross(10, 9600, ledger.Bitcoin), 10, nil},
		{"nine in a day", cross(9, 9600, ledger.Bitcoin), 0, nil},
		{"ten, a second too slow", func(r *record) {
			cross(9, 9600, ledger.Bitcoin)(r)
			r.move(day+1, party(me), service(1, "a bridge", "defi_bridge"), ether, 1000).Toward = ledger.Bitcoin
		}, 0, nil},
		{"to two chains in turn", func(r *record) {
			cross(2, 10, ledger.Bitcoin)(r)
			cross(2, 10, "eip155:56")(r)
		}, 0, nil},
		{"the destination is not known", cross(3, 10, ""), 3, map[string]string{"course": "into one bridge, whose destination is not stated"}},
		{"three movements of one transaction are one", func(r *record) {
			s := r.move(0, party(me), service(1, "a bridge", "defi_bridge"), ether, 1000)
			s.Moves = append(s.Moves, s.Moves[0], s.Moves[0])
		}, 0, nil},
		{"a vault that nobody labels, with a destination", func(r *record) {
			each(3, func(i int) { r.pay(int64(i), 1, ether, 1000).Toward = ledger.Bitcoin })
		}, 3, nil},
		{"an address that nobody labels", func(r *record) { each(3, func(i int) { r.pay(int64(i), 1, ether, 1000) }) }, 0, nil},
	})
}

func TestMixerUse(t *testing.T) {
	mixer := service(1, "Tornado Cash", "mixing_service")
	run(t, "mixer-use", []scene{
		{"into and out of a mixer", func(r *record) {
			r.move(0, party(me), mixer, ether, 1000)
			r.move(900*day, mixer, party(me), ether, 990)
		}, 2, map[string]string{"mixer": "Tornado Cash", "transfers into it": "1", "transfers out of it": "1"}},
		{"dust of a mixer", func(r *record) { r.move(0, mixer, party(me), ether, 10) }, 0, nil},
		{"a counterfeit of a mixer", func(r *record) { r.move(0, party(me), mixer, fake, 1000) }, 0, nil},
		{"somebody else's use in the same transaction", func(r *record) {
			s := r.pay(0, 2, ether, 1000)
			s.Moves = append(s.Moves, behaviour.Move{From: party(account(9)), To: mixer, Asset: ether, Amount: units(1000)})
		}, 0, nil},
		{"two coinjoins", func(r *record) {
			each(2, func(i int) {
				r.spend(int64(i), []behaviour.Part{part(purse, 9000), part(wallet(1), 9000)}, []behaviour.Part{part(wallet(2), 5000), part(wallet(3), 5000)}).Mix = "wasabi-2"
			})
		}, 2, map[string]string{"coinjoins": "2"}},
		{"a coinjoin without the subject", func(r *record) {
			r.spend(0, []behaviour.Part{part(wallet(1), 9000)}, []behaviour.Part{part(wallet(2), 5000)}).Mix = "wasabi-2"
		}, 0, nil},
	})
	r := &record{}
	r.move(0, party(me), mixer, ether, 1000)
	r.move(1, party(me), service(2, "Railgun", "mixing_service"), ether, 1000)
	if got := behaviour.FindBy(behaviour.MixerUse, r.subject(), parameters()); len(got) != 2 || value(got[1].Measures, "mixer") != "Railgun" {
		t.Errorf("two mixers: %+v", got)
	}
}

func TestCommingling(t *testing.T) {
	build := func(taint ...[]string) *behaviour.Subject {
		r := &record{}
		for i := range taint {
			r.get(int64(i), 1+i, ether, 1000)
		}
		s := r.subject()
		s.Taint = map[ledger.Hash][]string{}
		for i, incidents := range taint {
			s.Taint[s.Steps[i].Tx] = incidents
		}
		return s
	}
	one, other := pattern(t, "commingling"), pattern(t, "commingled-transaction")
	for _, c := range []struct {
		name           string
		taint          [][]string
		subject, joint int // transactions of the finding
	}{
		{"two incidents in two transactions meet in the subject", [][]string{{"bybit"}, nil, {"phemex"}}, 2, 0},
		{"in one transaction", [][]string{{"phemex", "bybit", "bybit"}}, 1, 1},
		{"one incident, twice", [][]string{{"bybit"}, {"bybit", "bybit"}}, 0, 0},
		{"none", [][]string{nil, {}}, 0, 0},
		{"twice in one transaction, and once alone", [][]string{{"bybit", "phemex"}, {"phemex", "bybit"}, {"bybit"}}, 3, 2},
	} {
		s := build(c.taint...)
		for pattern, want := range map[*behaviour.Pattern]int{one: c.subject, other: c.joint} {
			got := behaviour.FindBy(pattern, s, parameters())
			sound(t, s, got)
			if (want == 0) != (len(got) == 0) || want > 0 && (len(got) != 1 || got[0].Count != want || value(got[0].Measures, "incidents") != "2") {
				t.Errorf("%s, %s: %+v, want %d transactions", c.name, pattern.Name, got, want)
			}
		}
	}
	s := build([]string{"phemex", "bybit"})
	got := behaviour.FindBy(one, s, parameters())
	if want := "taint of 2 incidents (bybit, phemex) came to the subject, in 1 transaction."; !strings.HasSuffix(got[0].Text, want) {
		t.Error(got[0].Text)
	}
	if have := value(got[0].Measures, "first of bybit"); have != ledger.Ethereum.FormatHash(s.Steps[0].Tx) {
		t.Error(have)
	}
	s.Taint = nil
	if got := behaviour.Find(s, parameters()); len(got) != 0 {
		t.Errorf("without a trace: %+v", got)
	}
}
