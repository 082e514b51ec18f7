package behaviour

import "fmt"

// HotWallet is the traffic of a service: many in, many out, day after day, fed by its
// customers' deposit wallets. It says what the subject does, not who it is.
var HotWallet = &Pattern{
	Name: "hot-wallet", Title: "The traffic of a service's hot wallet",
	Source: "common practice of attribution; the figures are ours",
	find:   hotWallet,
}

// traffic counts what is in a window of days.
type traffic struct {
	v                                *view
	in, out, deposits, daysOfTraffic counter
}

func (t *traffic) count(f *flow, change func(counter, key)) {
	change(t.daysOfTraffic, key{n: int(dayOf(f.at))})
	if f.out {
		change(t.out, byAddress(f))
		return
	}
	change(t.in, byAddress(f))
	if f.party.is(t.v.p.DepositWallets) {
		change(t.deposits, byAddress(f))
	}
}

// dayOf numbers days of UTC.
func dayOf(t int64) int64 {
	d := t / day
	if t%day < 0 {
		d--
	}
	return d
}

func hotWallet(v *view) (out []Finding) {
	p := &v.p.HotWallet
	ids := v.which(func(f *flow) bool { return f.counts() && !f.nameless() })
	t := &traffic{v, counter{}, counter{}, counter{}, counter{}}
	s := slide{
		n: len(ids), width: uint64(max(p.Days, 1) - 1),
		at:     func(i int) int64 { return dayOf(v.flows[ids[i]].at) },
		add:    func(i int) { t.count(&v.flows[ids[i]], counter.add) },
		remove: func(i int) { t.count(&v.flows[ids[i]], counter.remove) },
		met: func(_, _ int) (int, bool) {
			return len(t.daysOfTraffic), len(t.daysOfTraffic) >= max(p.ActiveDays, 1) && len(t.in) >= p.Senders &&
				len(t.out) >= p.Receivers && len(t.deposits) >= p.Sweepers
		},
	}
	for _, s := range s.spans() {
		part := ids[s.from:s.to]
		all := &traffic{v, counter{}, counter{}, counter{}, counter{}}
		for _, id := range part {
			all.count(&v.flows[id], counter.add)
		}
		f := v.evidence(part, nil)
		f.Parameters = []Parameter{
			number("least distinct senders", p.Senders), number("least distinct receivers", p.Receivers), number("days of the window", p.Days),
			number("least days with movements", p.ActiveDays), number("least senders labelled as deposit wallets", p.Sweepers),
		}
		f.Measures = []Parameter{
			number("distinct senders", len(all.in)), number("distinct receivers", len(all.out)),
			number("senders labelled as deposit wallets", len(all.deposits)), number("most days with movements in one window", s.most),
		}
		f.Text = fmt.Sprintf("%s the subject dealt with %s, %d of them labelled as deposit wallets, and %s in %s, on as many as %d of %s.",
			f.when(), plural(len(all.in), "sender"), len(all.deposits), plural(len(all.out), "receiver"), plural(f.Count, "transaction"), s.most, plural(p.Days, "day"))
		out = append(out, f)
	}
	return out
}
