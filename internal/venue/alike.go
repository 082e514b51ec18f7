package venue

import (
	"strconv"

	"coldtrail/screen/breaker"
)

// farm is one owner's many small wallets, in regular pauses, for somebody's airdrop. Half
// of the farms collect in one place.
func (h *Honest) farm() {
	n := 20 + h.random.IntN(60)
	id := strconv.Itoa(h.today) + "-" + strconv.Itoa(h.random.IntN(1000))
	second, pause := h.random.Int64N(20*hour), int64(30+h.random.IntN(90))
	cents := uint64(20+h.random.IntN(280)) * dollar
	together := h.random.IntN(2) == 0
	for i := range n {
		c := customer{name: "farm-" + id + "-" + strconv.Itoa(i), funder: "farmer-" + id, print: "farm-script"}
		c.receiver = c.name
		if together {
			c.receiver = "barn-" + id
		}
		h.use(&c, Farmer, h.at(second+int64(i)*pause+h.random.Int64N(5)), cents+uint64(h.random.IntN(dollar)))
	}
}

// launch is people who buy one thing within three hours; six of ten are new. Nobody has
// labelled where their money goes.
func (h *Honest) launch() {
	to, second := name("launch", h.today), 6*hour+h.random.Int64N(12*hour)
	for range 150 {
		c := h.person()
		if h.random.IntN(10) < 4 {
			c = h.users[h.random.IntN(len(h.users))]
		}
		c.receiver = to
		h.use(&c, Launch, h.at(second+h.random.Int64N(3*hour)), uint64(quantiles(h.random, amounts))*dollar/8+dollar)
	}
}

// fund is one owner who moves much money through two to six fresh wallets within one to
// three hours: the hardest look-alike, for it is a laundering but for where the money is
// from.
func (h *Honest) fund() {
	n := 2 + h.random.IntN(5)
	total := int64(100_000) << h.random.IntN(4) // 100,000 to 1.6 million dollars
	total += h.random.Int64N(total)
	second, span := 6*hour+h.random.Int64N(12*hour), hour+h.random.Int64N(2*hour)
	together := h.random.IntN(2) == 0
	route := routes[h.random.IntN(len(routes))].name
	for i := range n {
		c := customer{name: name("fund-"+strconv.Itoa(h.today), i), funder: name("treasury", h.today), print: "wallet-app-0"}
		c.receiver = c.name
		if together {
			c.receiver = name("custody", h.today)
		}
		u := h.use(&c, Fund, h.at(second+h.random.Int64N(span)), uint64(total/int64(n)+h.random.Int64N(total/10))*dollar)
		u.Route = route
	}
}

// fleet adds bots of one owner, which trade until a day.
func (h *Honest) fleet(id, n int, cents int64, to int) {
	f := fleet{cents: uint64(cents), every: int64(10+h.random.IntN(10)) * minute, from: h.today, to: to, routeName: routes[h.random.IntN(len(routes))].name}
	for i := range n {
		c := customer{name: name("bot-"+strconv.Itoa(id), i), funder: name("operator", id), print: name("bot-software", id)}
		c.receiver = c.name
		f.bots = append(f.bots, c)
	}
	h.fleets = append(h.fleets, f)
}

// bots trade at regular times, each shifted against the others.
func (h *Honest) bots() {
	for i := range h.fleets {
		f := &h.fleets[i]
		if h.today > f.to {
			continue
		}
		for n := range f.bots {
			// Those that have always been there trade every other hour, or they were most of the traffic.
			every := f.every
			if f.to > 3000 {
				every = 2 * hour
			}
			for second := int64(n) * every / int64(len(f.bots)); second < day; second += every {
				u := h.use(&f.bots[n], Bot, h.at(second), f.cents)
				u.Route = f.routeName
			}
		}
	}
}

// clean takes what nobody knows out of an event: taint, and where asked the funders.
func (q *Quality) clean(e *breaker.Event) {
	if q.Delay != 0 {
		e.Taint = nil
	}
	if q.NoFunders {
		e.Funder, e.FunderService, e.Cluster = "", false, ""
	}
}
