package venue

import (
	"math/rand/v2"
	"strconv"

	"coldtrail/screen/breaker"
)

// The rates of honest traffic. Look-alikes come on top of the ordinary uses.
const (
	newUsers      = 250 // of a thousand ordinary uses are by somebody new
	hotWallets    = 12  // exchanges that pay new users' gas
	unlabelled    = 3   // of them are not known as services
	newHotEvery   = 60  // days between new hot wallets, which nobody has labelled
	fleetEvery    = 30  // days between new fleets of bots; one in four trades much
	launchEvery   = 15  // days between launches
	fundEvery     = 15  // days between funds that split money over fresh wallets
	busyEvery     = 30  // days between days of three times the traffic
	farmsPerDay   = 1
	dusted        = 3000 // of a million uses: dust of an old theft
	near          = 500  // of a million: a little of one, close by
	strangers     = 100  // of a million: much of one
	oldIncidents  = 20
	desks         = 3
	firstRegulars = 2000
)

// Honest is everybody but thieves.
type Honest struct {
	random *rand.Rand
	perDay int
	start  int64
	today  int
	serial int
	users  []customer
	hot    []place
	fleets []fleet
	people int
	uses   []Use
	// Bystanders adds people who were paid a little of this incident.
	Bystanders string
}

// customer is a sender.
type customer struct {
	name, funder, print, receiver string
	service                       bool // the funder is a known service
}

// place pays many people's gas.
type place struct {
	name    string
	service bool
}

// fleet is bots of one owner.
type fleet struct {
	bots      []customer
	cents     uint64
	every     int64
	from, to  int // days
	routeName string
}

// NewHonest makes traffic of so many ordinary uses a day, from a moment on.
func NewHonest(seed uint64, perDay int, start int64) *Honest {
	h := &Honest{random: rand.New(rand.NewPCG(seed, 0x76656e7565)), perDay: perDay, start: start} //nolint:gosec // traffic must repeat
	for i := range hotWallets {
		h.hot = append(h.hot, place{name("hot", i), i >= unlabelled})
	}
	for range firstRegulars {
		h.users = append(h.users, h.person())
	}
	for i := range 4 { // operators that have always been there
		h.fleet(i, 5, int64(200+h.random.IntN(1800))*dollar, 3650)
	}
	return h
}

// person is somebody new: with gas from an exchange, from an account of his own, or out
// of a bridge that everybody uses.
func (h *Honest) person() customer {
	h.people++
	c := customer{name: name("user", h.people), print: name("wallet-app", pick(h.random, []int{40, 20, 15, 10, 8, 7}))}
	switch pick(h.random, []int{70, 20, 10}) {
	case 0:
		at := h.hot[pick(h.random, exchangeWeights(len(h.hot)))]
		c.funder, c.service = at.name, at.service
	case 1:
		c.funder = name("own", h.people)
	default:
		c.funder = name("bridge", h.random.IntN(3))
	}
	switch pick(h.random, []int{70, 15, 10, 5}) {
	case 0:
		c.receiver = c.name
	case 1:
		c.receiver = name("deposit", h.people) // of an exchange, for this customer alone
	case 2:
		c.receiver = name("other", h.people)
	default:
		c.receiver = name("popular", h.random.IntN(8))
	}
	return c
}

// exchangeWeights makes the first exchanges busier; a new hot wallet begins as the least.
func exchangeWeights(n int) []int {
	w := make([]int, n)
	for i := range w {
		w[i] = 60 / (i + 2)
	}
	return w
}

// Day is the traffic of the next day, in order of time.
func (h *Honest) Day() []Use {
	h.uses = make([]Use, 0, h.perDay*5/4)
	busy := 1
	if h.today%busyEvery == busyEvery-1 {
		busy = 3
	}
	for range h.perDay * busy {
		h.ordinary()
	}
	for range farmsPerDay {
		h.farm()
	}
	h.occasions()
	h.bots()
	for i := range desks {
		for range 4 {
			desk := customer{name: name("desk", i), funder: name("desk-treasury", i), print: "desk-software", receiver: name("desk", i)}
			h.use(&desk, Desk, h.moment(), uint64(100_000+h.random.IntN(900_000))*dollar)
		}
	}
	h.today++
	return ordered(h.uses)
}

// occasions are what comes every so many days, shifted so that not all come at once.
func (h *Honest) occasions() {
	at := func(every, shift int) bool { return (h.today+shift)%every == 0 }
	if at(newHotEvery, 7) {
		h.hot = append(h.hot, place{name("hot", len(h.hot)), false})
	}
	if at(fleetEvery, 11) {
		cents := int64(100+h.random.IntN(2900)) * dollar
		if h.random.IntN(4) == 0 {
			cents = int64(5_000+h.random.IntN(15_000)) * dollar
		}
		h.fleet(len(h.fleets), 6, cents, h.today+10)
	}
	if at(launchEvery, 4) {
		h.launch()
	}
	if at(fundEvery, 9) {
		h.fund()
	}
}

// moment is some second of the day, by how busy its hours are.
func (h *Honest) moment() int64 {
	return h.at(int64(pick(h.random, hours))*hour + h.random.Int64N(hour))
}

// at is a second of today, at the latest the last one.
func (h *Honest) at(second int64) int64 {
	return h.start + int64(h.today)*day + min(second, day-1)
}

// ordinary is one use by somebody who comes back, or somebody new.
func (h *Honest) ordinary() {
	cents := uint64(quantiles(h.random, amounts)) * dollar
	cents += uint64(h.random.IntN(dollar))
	if h.random.IntN(1000) < newUsers {
		c := h.person()
		h.users = append(h.users, c)
		h.use(&c, NewUser, h.moment(), cents)
		return
	}
	// Half of the uses are by the newest tenth of all customers, the rest by anybody.
	n := len(h.users)
	i := h.random.IntN(n)
	if h.random.IntN(2) == 0 {
		i = n - 1 - h.random.IntN(n/10)
	}
	h.use(&h.users[i], Regular, h.moment(), cents)
}

// use adds one use.
func (h *Honest) use(c *customer, who Who, moment int64, cents uint64) *Use {
	weights := make([]int, 0, len(routes))
	for i := range routes {
		weights = append(weights, routes[i].weight)
	}
	h.serial++
	u := Use{Who: who, Event: breaker.Event{
		ID: "use-" + strconv.Itoa(h.serial), Moment: moment, Venue: Name, Route: routes[pick(h.random, weights)].name,
		Sender: aggregator, Origin: c.name, Receiver: c.receiver, Funder: c.funder, FunderService: c.service, Fingerprint: c.print, Cents: cents,
	}}
	h.taint(&u)
	h.uses = append(h.uses, u)
	return &h.uses[len(h.uses)-1]
}

// taint gives some a little of an old theft, and very few much of it.
func (h *Honest) taint(u *Use) {
	old := "theft-of-" + strconv.Itoa(2010+h.random.IntN(oldIncidents))
	switch p := h.random.IntN(1_000_000); {
	case p < dusted:
		u.Taint = []breaker.Taint{{Incident: old, Share: uint32(h.random.IntN(10)), Hops: uint32(2 + h.random.IntN(5))}}
	case p < dusted+near:
		u.Who, u.Taint = Bystand, []breaker.Taint{{Incident: old, Share: uint32(10 + h.random.IntN(900)), Hops: uint32(1 + h.random.IntN(3))}}
	case p < dusted+near+strangers:
		u.Who, u.Taint = Stranger, []breaker.Taint{{Incident: old, Share: uint32(1000 + h.random.IntN(9000)), Hops: uint32(2 + h.random.IntN(5))}}
	case p < 2*(dusted+near) && h.Bystanders != "":
		share := uint32(h.random.IntN(10)) // dust, by poisoning and airdrops
		if h.random.IntN(7) == 0 {
			share = uint32(10 + h.random.IntN(900))
		}
		u.Who, u.Taint = Bystand, []breaker.Taint{{Incident: h.Bystanders, Share: share, Hops: uint32(2 + h.random.IntN(2))}}
	}
}
