package replay

import (
	"fmt"
	"math/big"
)

// The amounts that the patterns are about.
const (
	reporting  = 10_000 // dollars from which a payment is reported
	planted    = 12     // of each pattern
	lookAlikes = 6
)

// plans are the patterns that are planted, each by launderers and by innocent people
// whose doings have the same form. Only where the two differ in what the definition
// looks at can a rule tell them apart.
var plans = []struct {
	pattern string
	play    func(o *owned, actor string, record func(tx string))
	// alike does something similar: within the definition or just outside.
	alike func(o *owned, actor string, record func(tx string))
}{
	{"fan-out", fanOutOf(14, 180, various), fanOutOf(14, 180, various)},        // a payroll
	{"equal-amount-fan-out", fanOutOf(20, 60, equal), fanOutOf(40, 12, equal)}, // an airdrop
	{"fan-in", fanInOf(12), fanInOf(12)},                                       // a collection for charity
	{"structuring", structure(9_000, 900), structure(4_000, 800)},              // rents, well below the threshold
	{"pass-through", passThrough(985, 3), passThrough(900, 3)},                 // a shop that keeps a tenth
	{"dormancy", sleep(200), sleep(200)},                                       // a saver
	{"exchange-hopping", hop(3), hop(2)},                                       // a trader at two exchanges
	{"mixer-use", mix, mix},                                                    // somebody who wants privacy
	{"address-poisoning", poisoned(lookAlike), poisoned(unlike)},               // nothing sent by a stranger
	{"sweep", drains(4, 120), drains(4, 7_200)},                                // somebody who saves at an exchange, hours later
	{"dusting", dust(5), dust(500)},                                            // small payments above the limit
}

// conducts arranges the patterns, each by actors of their own, and then the courses.
func (o *owned) conducts() {
	o.label(o.accounts.Chain(), o.accounts.Account("tornado", 0), "mixer", "Tornado Cash")
	for _, plan := range plans {
		for i := range planted + lookAlikes {
			innocent, play := i >= planted, plan.play
			owner := fmt.Sprintf("launderer by %s %d", plan.pattern, i)
			if innocent {
				owner, play = fmt.Sprintf("innocent with %s %d", plan.pattern, i), plan.alike
			}
			actor := o.account(owner)
			o.rich(actor, milliEther(50_000), dollars(200_000))
			var txs []string
			o.at(o.sometime(5, ownedDays-10), func() { play(o, actor, func(tx string) { txs = append(txs, tx) }) })
			o.at(ownedFrom+(ownedDays+230)*day, func() { o.conduct(plan.pattern, actor, innocent, txs) })
		}
	}
	o.plant()
}

// note sends value and records it.
func (o *owned) note(record func(string), from, to, token string, amount *big.Int) {
	if tx, ok := o.move(from, to, token, amount); ok {
		record(tx)
	} else {
		o.fail(fmt.Errorf("%s cannot send %s of %q", from, amount, token))
	}
}

// person is an account of somebody new.
func (o *owned) person() string {
	o.people++
	return o.account(fmt.Sprintf("somebody %d", o.people))
}

type playing = func(o *owned, actor string, record func(string))

// fanOutOf pays so many people, some seconds apart.
func fanOutOf(n int, seconds int64, amountOf func(*owned) *big.Int) playing {
	return func(o *owned, actor string, record func(string)) {
		for i := range n {
			amount, to := amountOf(o), o.person()
			o.after(int64(i)*seconds, func() { o.note(record, actor, to, "", amount) })
		}
	}
}

func equal(*owned) *big.Int { return milliEther(500) }

func various(o *owned) *big.Int { return milliEther(300 + o.random.Int64N(900)) }

// fanInOf collects from so many and sends it on.
func fanInOf(n int) playing {
	return func(o *owned, actor string, record func(string)) {
		total := new(big.Int)
		for i := range n {
			from, amount := o.person(), milliEther(400+o.random.Int64N(700))
			o.rich(from, milliEther(2_000), nil)
			total.Add(total, amount)
			o.after(int64(i)*900, func() { o.note(record, from, actor, "", amount) })
		}
		to := o.person()
		o.after(int64(n)*900+7_200, func() { o.note(record, actor, to, "", part(total, 950_000)) })
	}
}

// structure pays one target five times in a day, each time so many dollars.
func structure(from, width int64) playing {
	return func(o *owned, actor string, record func(string)) {
		to := o.person()
		for i := range int64(6) {
			amount := dollars(from + o.random.Int64N(width))
			o.after(i*7_200, func() { o.note(record, actor, to, "usdt", amount) })
		}
	}
}

// passThrough sends on so many per mille of what arrives.
func passThrough(kept int64, times int) playing {
	return func(o *owned, actor string, record func(string)) {
		for i := range times {
			from, to, amount := o.person(), o.person(), milliEther(2_000+o.random.Int64N(5_000))
			o.rich(from, milliEther(10_000), nil)
			o.after(int64(i)*day, func() { o.note(record, from, actor, "", amount) })
			o.after(int64(i)*day+3_600, func() { o.note(record, actor, to, "", part(amount, kept*1_000)) })
		}
	}
}

// sleep does nothing for so many days and then moves nearly everything.
func sleep(days int64) playing {
	return func(o *owned, actor string, record func(string)) {
		first, last := o.person(), o.person()
		o.move(actor, first, "", milliEther(10))
		o.after(days*day, func() { o.note(record, actor, last, "", part(o.rest(actor), 900_000)) })
	}
}

// hop pays into so many exchanges on one day.
func hop(n int) playing {
	return func(o *owned, actor string, record func(string)) {
		for i := range n {
			o.after(int64(i)*5_000, func() { o.note(record, actor, o.exchanges[i].hot, "", milliEther(1_000)) })
		}
	}
}

// mix pays into a mixer.
func mix(o *owned, actor string, record func(string)) {
	for i := range int64(4) {
		o.after(i*1_800, func() { o.note(record, actor, o.accounts.Account("tornado", 0), "", milliEther(1_000)) })
	}
}

// poisoned pays somebody, and then gets nothing from an address that looks like his, or
// from one that does not.
func poisoned(likeness func(of, from string) string) playing {
	return func(o *owned, actor string, record func(string)) {
		friend := o.person()
		o.after(0, func() { o.move(actor, friend, "", milliEther(100)) })
		from := likeness(friend, o.person())
		o.own(from, "poisoner")
		o.rich(from, milliEther(100), nil)
		o.after(3_600, func() {
			sent, err := o.accounts.Send(from, actor, "usdt", new(big.Int))
			if err != nil {
				o.fail(err)
			}
			record(sent.ID)
		})
	}
}

// lookAlike begins and ends as another address does.
func lookAlike(of, from string) string { return of[:6] + from[6:38] + of[38:] }

func unlike(_, from string) string { return from }

// dust sends so many millionths of a thousandth of an ether to 110 people.
func dust(micro int64) playing {
	return func(o *owned, actor string, record func(string)) {
		for i := range int64(110) {
			to := o.person()
			o.after(i*60, func() { o.note(record, actor, to, "", big.NewInt(micro*1e12)) })
		}
	}
}

// drains empties an account after each receipt, some seconds later.
func drains(times int, seconds int64) playing {
	return func(o *owned, actor string, record func(string)) {
		to := o.person()
		o.move(actor, o.person(), "", part(o.rest(actor), 999_000))
		for i := range times {
			from := o.person()
			o.rich(from, milliEther(10_000), nil)
			at := int64(i+1) * day
			o.after(at, func() { o.note(record, from, actor, "", milliEther(1_000)) })
			o.after(at+seconds, func() { o.note(record, actor, to, "", o.rest(actor)) })
		}
	}
}
