package crossing

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"slices"

	"coldtrail/ledger"
)

// A Place is the transaction in which something was said.
type Place struct {
	Chain  ledger.Chain
	Height ledger.Height
	Time   int64
	Number uint64
	Tx     ledger.Hash
}

// Compare orders places by time, then chain, then order on the chain.
func (p *Place) Compare(other *Place) int {
	return cmp.Or(cmp.Compare(p.Time, other.Time), cmp.Compare(p.Chain, other.Chain), cmp.Compare(p.Height, other.Height), cmp.Compare(p.Number, other.Number))
}

// Status is what became of a deposit.
type Status string

// The states of a deposit.
const (
	// InTransit deposits have no payout that counts.
	InTransit Status = "in-transit"
	// PaidOut deposits reached their destination.
	PaidOut Status = "paid"
	// GivenBack deposits went back where they came from.
	GivenBack Status = "refunded"
	// PartlyGivenBack deposits did both.
	PartlyGivenBack Status = "partly-refunded"
)

// A Crossing is a deposit and the payouts that count for it.
type Crossing struct {
	Deposit
	Place   Place
	Via     *Protocol // which network paid, or the deposit's own
	Payouts []PlacedPayout
	Status  Status
	Why     string // why there is no payout, or none that counts
	// Score is the certainty in basis points: 10,000 unless several deposits with
	// one key could each be the one that was paid.
	Score uint32
}

// A PlacedPayout is a payout with its transaction.
type PlacedPayout struct {
	Payout
	Place Place
}

// A Forgery is a payout that names a deposit and does not count, or a message that
// cannot be what it claims.
type Forgery struct {
	Protocol *Protocol
	Place    Place
	Position uint32
	Key      ledger.Hash // of the deposit it names, or zero
	Asset    ledger.Asset
	Amount   ledger.Amount
	To       ledger.Address
	Reason   string
}

// Fact is the score of what follows from chain data alone.
const Fact = 10_000

// key names a deposit among those of protocols that share messages.
type key struct {
	family string
	id     ledger.Hash
}

type placedDeposit struct {
	Deposit
	place Place
}

// entry is everything that was said under one key.
type entry struct {
	key      key
	deposits []placedDeposit
	payouts  []PlacedPayout
	dirty    bool // it waits to be learnt from
	noted    bool // its rate is in the book
	done     bool // it is no longer kept
}

// placedTicket is the name under which a deposit's payout goes.
type placedTicket struct {
	name  ledger.Hash
	place Place
}

// Matcher joins deposits and payouts in whatever order they arrive. It keeps only
// what is not settled yet, and a few words about every vault.
type Matcher struct {
	entries map[key]*entry
	said    map[ledger.Chain]map[ledger.Height][]*entry // for Rewind
	vaults  vaultBook
	rates   rateBook
	forged  []Forgery
	tickets map[key]placedTicket
	dirty   []*entry // to be learnt from

	// Room for the entries that are judged.
	orphans []*entry
	taken   []bool
	reasons []string
	trust   []spot
	near    []rate
}

// NewMatcher makes an empty matcher.
func NewMatcher() *Matcher {
	return &Matcher{entries: map[key]*entry{}, said: map[ledger.Chain]map[ledger.Height][]*entry{}, vaults: vaultBook{}, rates: newRateBook(), tickets: map[key]placedTicket{}}
}

func (p *Protocol) family() string {
	if p.Family != "" {
		return p.Family
	}
	return p.Name
}

// Add takes in what one transaction said.
func (m *Matcher) Add(at *Place, found *Found) {
	for i := range found.Deposits {
		d := &found.Deposits[i]
		e := m.entry(at, key{d.Protocol.family(), d.Key})
		e.deposits = append(e.deposits, placedDeposit{*d, *at})
	}
	for i := range found.Payouts {
		p := &found.Payouts[i]
		e := m.entry(at, key{p.Protocol.family(), p.Key})
		e.payouts = append(e.payouts, PlacedPayout{*p, *at})
	}
	for i := range found.Tickets {
		t := &found.Tickets[i]
		m.tickets[key{t.Protocol.family(), t.Key}] = placedTicket{t.Name, *at}
	}
	for i := range found.Moves {
		move := &found.Moves[i]
		m.vaults.of(at.Chain, move.From).moved(at, move.To)
	}
	for i := range found.Faults {
		f := &found.Faults[i]
		m.forged = append(m.forged, Forgery{Protocol: f.Protocol, Place: *at, Position: f.Position, Reason: f.Reason})
	}
}

func (m *Matcher) entry(at *Place, k key) *entry {
	heights := m.said[at.Chain]
	if heights == nil {
		heights = map[ledger.Height][]*entry{}
		m.said[at.Chain] = heights
	}
	e := m.entries[k]
	if e == nil {
		e = &entry{key: k}
		m.entries[k] = e
	}
	heights[at.Height] = append(heights[at.Height], e)
	m.soil(e)
	return e
}

func (m *Matcher) drop(e *entry) {
	e.done = true
	e.deposits, e.payouts = nil, nil
	delete(m.entries, e.key)
}

// soil has an entry learnt from again.
func (m *Matcher) soil(e *entry) {
	if !e.dirty {
		e.dirty = true
		m.dirty = append(m.dirty, e)
	}
}

// InFlight is how many deposits and payouts wait to be settled.
func (m *Matcher) InFlight() (n int) {
	for _, e := range m.entries {
		n += len(e.deposits) + len(e.payouts)
	}
	return n
}

// Rewind forgets what blocks of a chain from a height on said. What is settled
// stays: settle only what is final.
func (m *Matcher) Rewind(chain ledger.Chain, from ledger.Height) {
	gone := func(p *Place) bool { return p.Chain == chain && p.Height >= from }
	for height, entries := range m.said[chain] {
		if height < from {
			continue
		}
		for _, e := range entries {
			if e.done {
				continue
			}
			e.deposits = slices.DeleteFunc(e.deposits, func(d placedDeposit) bool { return gone(&d.place) })
			e.payouts = slices.DeleteFunc(e.payouts, func(p PlacedPayout) bool { return gone(&p.Place) })
			if len(e.deposits)+len(e.payouts) == 0 {
				m.soil(e) // so that its rate is taken back
				m.drop(e)
			}
		}
		delete(m.said[chain], height)
	}
	m.forged = slices.DeleteFunc(m.forged, func(f Forgery) bool { return gone(&f.Place) })
	m.vaults.rewind(chain, from)
	maps.DeleteFunc(m.tickets, func(_ key, t placedTicket) bool { return gone(&t.place) })
	for _, e := range m.entries {
		m.soil(e) // a vault keeps few witnesses: those that are gone may have others
	}
}

// Settle decides every deposit whose time, with the window of its protocol, lies
// before a moment, and forgets it. Crossings come in order of their deposits;
// forgeries in ledger order. Payouts whose deposit never came are forgotten with
// the widest window.
func (m *Matcher) Settle(before int64) (crossings []Crossing, forged []Forgery) {
	ready := m.ready(before)
	m.learn()
	crossings = make([]Crossing, 0, len(ready))
	for _, e := range ready {
		m.board(e)
		m.judge(e, &crossings)
		m.drop(e)
	}
	m.forget(before)
	inOrder := func(a, b Crossing) int {
		return cmp.Or(a.Place.Compare(&b.Place), cmp.Compare(a.Position, b.Position), cmp.Compare(a.Asset, b.Asset))
	}
	if !slices.IsSortedFunc(crossings, inOrder) {
		slices.SortStableFunc(crossings, inOrder)
	}
	forged, m.forged = m.forged, nil
	slices.SortFunc(forged, func(a, b Forgery) int {
		return cmp.Or(a.Place.Compare(&b.Place), cmp.Compare(a.Position, b.Position), cmp.Compare(a.Reason, b.Reason))
	})
	return crossings, forged
}

// board gives a deposit with a ticket the first payout to its recipient that goes by
// the ticket's name.
func (m *Matcher) board(e *entry) {
	t, ok := m.tickets[e.key]
	if !ok {
		return
	}
	delete(m.tickets, e.key)
	for i := range e.deposits {
		d := &e.deposits[i]
		for j := range d.Targets {
			shared := m.entries[key{e.key.family, passengerKey(t.name, d.Targets[j].Address)}]
			if shared == nil || len(shared.deposits) > 0 {
				continue
			}
			slices.SortFunc(shared.payouts, func(a, b PlacedPayout) int {
				return cmp.Or(a.Place.Compare(&b.Place), cmp.Compare(a.Position, b.Position))
			})
			at := slices.IndexFunc(shared.payouts, func(p PlacedPayout) bool { _, reason := d.accepts(&p); return reason == "" })
			if at >= 0 {
				e.payouts = append(e.payouts, shared.payouts[at])
				shared.payouts = slices.Delete(shared.payouts, at, at+1)
			}
		}
	}
}

// widest is the longest window of any protocol, in seconds.
func widest() (seconds int64) {
	for _, p := range Protocols {
		seconds = max(seconds, p.Window)
	}
	return seconds
}

// ready lists the keys to decide now, and notes payouts that nobody deposited for.
func (m *Matcher) ready(before int64) (ready []*entry) {
	late := before - widest()
	m.orphans = m.orphans[:0]
	for _, e := range m.entries {
		if len(e.deposits) == 0 {
			if !slices.ContainsFunc(e.payouts, func(p PlacedPayout) bool { return p.Place.Time >= late }) {
				m.orphans = append(m.orphans, e)
			}
			continue
		}
		open := func(d placedDeposit) bool { return d.place.Time+d.Protocol.Window >= before }
		if !slices.ContainsFunc(e.deposits, open) {
			ready = append(ready, e)
		}
	}
	slices.SortFunc(ready, func(a, b *entry) int {
		return cmp.Or(a.deposits[0].place.Compare(&b.deposits[0].place), bytes.Compare(a.key.id[:], b.key.id[:]), cmp.Compare(a.key.family, b.key.family))
	})
	return ready
}

// forget drops payouts that nobody deposited for, and what only a Rewind of settled
// heights would need.
func (m *Matcher) forget(before int64) {
	for _, e := range m.orphans {
		m.drop(e)
	}
	for chain, heights := range m.said {
		for height, entries := range heights {
			if !slices.ContainsFunc(entries, func(e *entry) bool { return !e.done }) {
				delete(heights, height)
			}
		}
		if len(heights) == 0 {
			delete(m.said, chain)
		}
	}
	m.rates.forget(before - widest() - rateWindow)
	maps.DeleteFunc(m.tickets, func(_ key, t placedTicket) bool { return t.place.Time < before-widest() })
}

// learn goes over what is new in flight for what it says about vaults and rates.
func (m *Matcher) learn() {
	m.rates.retract(m.dirty)
	for _, e := range m.dirty {
		e.dirty = false
		if e.done || len(e.deposits) == 0 || !e.deposits[0].Protocol.Vaults {
			continue
		}
		for i := range e.deposits {
			m.learnFrom(e, &e.deposits[i])
		}
	}
	m.dirty = m.dirty[:0]
	m.vaults.spread()
	m.rates.sort()
}

// learnFrom takes a deposit and the payouts that pay what it asked for as witnesses.
func (m *Matcher) learnFrom(e *entry, d *placedDeposit) {
	m.vaults.of(d.place.Chain, d.vault()).received(&d.place, d.From)
	var paid ledger.Amount
	var asset ledger.Asset
	for j := range e.payouts {
		p := &e.payouts[j]
		if t, reason := d.accepts(p); reason != "" || t != nil && t.Open != "" {
			continue
		}
		m.vaults.of(p.Place.Chain, p.Payer).paid(&p.Place, d.From)
		if p.Kind == Paid && (asset == "" || asset == p.Asset) {
			asset = p.Asset
			_, _ = paid.AddOverflow(&paid, &p.Amount)
		}
	}
	if value, ok := rateOf(&d.Amount, &paid); ok && asset != "" {
		m.rates.note(pair{d.Asset, asset}, rate{d.place.Time, d.Key, value})
		e.noted = true
	}
}

func (d *Deposit) vault() ledger.Address {
	if !d.Vault.IsZero() {
		return d.Vault
	}
	return d.Into
}

// skew is how much earlier than its deposit a payout's block may be dated: a
// Bitcoin block's time may lag two hours behind (consensus rules on timestamps).
const skew = 2 * 3600

// accepts says whether a payout pays what the deposit asked for, and the target it
// reaches; a refund has none. Who paid is not looked at.
func (d *placedDeposit) accepts(p *PlacedPayout) (*Target, string) {
	if p.Place.Time+skew < d.place.Time || p.Place.Chain == d.place.Chain && p.Place.Number < d.place.Number {
		return nil, "it is earlier than the deposit that it names"
	}
	if p.Kind == Refunded {
		switch {
		case p.Place.Chain != d.place.Chain || p.Asset != d.Asset:
			return nil, "a refund of another asset than was deposited"
		case p.To != d.Refund && d.Protocol.Vaults: // a contract that vouches knows whom it gives back to
			return nil, "a refund to somebody who did not deposit"
		case !p.Shared && p.Protocol != d.Protocol:
			return nil, "a refund by another network"
		}
		return nil, ""
	}
	reason := "the deposit that it names asks for no payment that can follow"
	for i := range d.Targets {
		t := &d.Targets[i]
		switch {
		case t.Chain != p.Place.Chain:
			reason = "it pays on another chain than the deposit asked for"
		case !p.Shared && t.Protocol != nil && t.Protocol.family() == p.Protocol.family() && t.Protocol != p.Protocol:
			reason = "it is paid by another network"
		case t.Asset != "" && t.Asset != p.Asset || t.Suffix != "" && !hasSuffix(p.Asset, t.Suffix):
			reason = "it pays another asset than the deposit asked for"
		case t.Open == "" && t.Address != p.To:
			reason = "it pays somebody else than the deposit asked for"
		default:
			return t, ""
		}
	}
	return nil, reason
}

func hasSuffix(asset ledger.Asset, suffix string) bool {
	return len(asset) > len(suffix) && string(asset[len(asset)-len(suffix):]) == suffix
}

// judge decides the deposits of one key.
func (m *Matcher) judge(e *entry, crossings *[]Crossing) {
	slices.SortFunc(e.deposits, func(a, b placedDeposit) int {
		return cmp.Or(a.place.Compare(&b.place), cmp.Compare(a.Position, b.Position))
	})
	slices.SortFunc(e.payouts, func(a, b PlacedPayout) int {
		return cmp.Or(a.Place.Compare(&b.Place), cmp.Compare(a.Position, b.Position), cmp.Compare(a.Transfer, b.Transfer))
	})
	m.taken = append(m.taken[:0], make([]bool, len(e.payouts))...)
	m.reasons = append(m.reasons[:0], make([]string, len(e.payouts))...)
	taken, reasons := m.taken, m.reasons
	for i := range e.deposits {
		d := &e.deposits[i]
		c := Crossing{Deposit: d.Deposit, Place: d.place, Via: d.Protocol, Score: Fact}
		m.collect(d, e, &c, taken, reasons)
		c.conclude(reasons)
		if len(c.Payouts) > 0 {
			c.Score = e.certainty(d)
		}
		*crossings = append(*crossings, c)
	}
	for i := range e.payouts {
		if p := &e.payouts[i]; !taken[i] && !p.Among && !m.ownWay(e, p) {
			m.forged = append(m.forged, Forgery{
				Protocol: p.Protocol, Place: p.Place, Position: p.Position, Key: p.Key, Asset: p.Asset, Amount: p.Amount, To: p.To, Reason: reasons[i],
			})
		}
	}
}

// ownWay says whether a payout is what the network itself makes of a deposit that
// stayed with it, such as a share in a pool taken out: no forgery, and no payment of
// that deposit's value either.
func (m *Matcher) ownWay(e *entry, p *PlacedPayout) bool {
	leaves := func(d placedDeposit) bool { return !d.Stays }
	return !slices.ContainsFunc(e.deposits, leaves) && m.vaults.established(p.Place.Chain, p.Payer)
}

// certainty is Fact unless several depositors share the key: then any of them could
// be the one who was paid.
func (e *entry) certainty(d *placedDeposit) uint32 {
	rivals := uint32(1)
	for i := range e.deposits {
		if o := &e.deposits[i]; o.From != d.From || !slices.EqualFunc(o.Targets, d.Targets, func(a, b Target) bool { return a.Address == b.Address }) {
			rivals++
		}
	}
	return Fact / rivals
}

// collect gives a deposit the payouts that count for it.
func (m *Matcher) collect(d *placedDeposit, e *entry, c *Crossing, taken []bool, reasons []string) {
	trusted := m.trusted(d, e, taken)
	sums := sums{bound: rateBound{m, d}}
	for i := range e.payouts {
		p := &e.payouts[i]
		if taken[i] {
			continue
		}
		t, reason := d.accepts(p)
		if reason == "" && d.Protocol.Vaults && !slices.Contains(trusted, spot{p.Place.Chain, p.Payer}) {
			reason = m.stranger(t)
		}
		if reason == "" {
			reason = sums.add(d, t, p)
		}
		if reasons[i] = reason; reason != "" {
			continue
		}
		taken[i] = true
		if t != nil && t.Protocol != nil {
			c.Via = t.Protocol
		}
		c.Payouts = append(c.Payouts, *p)
		if d.Protocol.Kind == Multiset {
			return // each payout of a multiset answers one deposit
		}
	}
}

func (*Matcher) stranger(t *Target) string {
	if t != nil && t.Open != "" {
		return "whom it should pay is not known, and its payer is not known as a vault: " + t.Open
	}
	return "it comes from a stranger, not from the vault that pays such deposits"
}

// sums are what the payouts of a deposit add up to.
type sums struct {
	paid, back ledger.Amount
	bound      rateBound
}

// add adds a payout, and says why it cannot be what the deposit bought.
func (s *sums) add(d *placedDeposit, t *Target, p *PlacedPayout) string {
	if p.Kind == Refunded {
		sum, over := new(ledger.Amount).AddOverflow(&s.back, &p.Amount)
		if over || sum.Gt(&d.Amount) && d.Protocol.Vaults {
			return "it refunds more than was deposited"
		}
		s.back.Set(sum)
		return ""
	}
	sum, over := new(ledger.Amount).AddOverflow(&s.paid, &p.Amount)
	if over || t != nil && !t.Most.IsZero() && sum.Gt(&t.Most) || s.bound.exceeded(p.Asset, sum) {
		return "it pays more than the deposit can have bought"
	}
	s.paid.Set(sum)
	return ""
}

// trusted says whose payouts count for a deposit: on each chain, vaults that pay for
// others too or, where none of those pays, whoever paid first. The vault that took
// the deposit may always give it back.
func (m *Matcher) trusted(d *placedDeposit, e *entry, taken []bool) (trusted []spot) {
	if !d.Protocol.Vaults {
		return nil
	}
	trusted = m.trust[:0]
	defer func() { m.trust = trusted }()
	var first []spot // of each chain
	on := func(list []spot, chain ledger.Chain) bool {
		return slices.ContainsFunc(list, func(s spot) bool { return s.chain == chain })
	}
	for i := range e.payouts {
		p := &e.payouts[i]
		t, reason := d.accepts(p)
		if taken[i] || reason != "" {
			continue
		}
		payer := spot{p.Place.Chain, p.Payer}
		own := payer.chain == d.place.Chain && p.Payer == d.vault()
		switch {
		case own || m.vaults.established(payer.chain, p.Payer):
			trusted = append(trusted, payer)
		case !on(first, payer.chain) && (t == nil || t.Open == ""):
			first = append(first, payer)
		}
	}
	for _, payer := range first {
		if !on(trusted, payer.chain) {
			trusted = append(trusted, payer)
		}
	}
	return trusted
}

// conclude says what became of the deposit.
func (c *Crossing) conclude(reasons []string) {
	paid := slices.ContainsFunc(c.Payouts, func(p PlacedPayout) bool { return p.Kind == Paid })
	back := slices.ContainsFunc(c.Payouts, func(p PlacedPayout) bool { return p.Kind == Refunded })
	switch {
	case paid && back:
		c.Status = PartlyGivenBack
	case paid:
		c.Status = PaidOut
	case back:
		c.Status = GivenBack
	default:
		c.Status = InTransit
		c.Why = c.Reason
		if c.Why == "" {
			c.Why = "no payout is in the ledger"
		}
		if n := len(slices.DeleteFunc(slices.Clone(reasons), func(r string) bool { return r == "" })); n > 0 {
			c.Why += fmt.Sprintf("; %d that name it do not count", n)
		}
	}
}
