package breaker

import (
	"slices"
	"strconv"
	"strings"

	"coldtrail/ledger"
)

// Kind is what the senders of a group have in common.
type Kind uint8

// The kinds. The first two tie accounts to one owner, the others only to one purpose.
const (
	ByFunder Kind = iota
	ByCluster
	ByReceiver
	ByFingerprint
	ByAmount
	kinds
	bySender // the census of senders
)

// String is the kind's name.
func (k Kind) String() string {
	switch k {
	case ByFunder:
		return "shared-funder"
	case ByCluster:
		return "shared-cluster"
	case ByReceiver:
		return "shared-receiver"
	case ByFingerprint:
		return "shared-fingerprint"
	case ByAmount:
		return "equal-amount"
	case kinds, bySender:
	}
	return "kind " + strconv.Itoa(int(k))
}

// owns says whether the kind ties accounts to one owner.
func (k Kind) owns() bool { return k == ByFunder || k == ByCluster }

// groupKey names a group.
type groupKey struct {
	kind Kind
	name string
}

// String writes the kind and the name.
func (k groupKey) String() string { return k.kind.String() + " " + k.name }

func compareKeys(a, b groupKey) int {
	if a.kind != b.kind {
		return int(a.kind) - int(b.kind)
	}
	return strings.Compare(a.name, b.name)
}

// routed is a group's name and its route. Uses of different routes are different groups:
// a great service's customers share its wallet but not what they buy.
type routed struct {
	groupKey
	route string
}

// group is the uses of the window that have something in common on one route.
type group struct {
	members []member
	novel   uint64 // senders with at least one use while novel
	cents   uint64 // of novel uses
	records []*record
	version uint64
	scored  *scored
}

type member struct {
	actor       string
	uses, novel uint64
}

// scored keeps the last score with what it was made of.
type scored struct {
	version, inflow, score uint64
	readings               []Reading
}

func (g *group) find(actor string) int {
	return slices.IndexFunc(g.members, func(m member) bool { return m.actor == actor })
}

// add counts a use, unless there is no room for its sender.
func (g *group) add(r *record, room int) bool {
	i := g.find(r.actor)
	if i < 0 {
		if len(g.members) >= room {
			return false
		}
		i = len(g.members)
		g.members = append(g.members, member{actor: r.actor})
	}
	m := &g.members[i]
	m.uses++
	if r.novel {
		if m.novel++; m.novel == 1 {
			g.novel++
		}
		g.cents += r.cents
	}
	g.records = append(g.records, r)
	g.version++
	return true
}

// drop takes a use out again.
func (g *group) drop(r *record) {
	i := g.find(r.actor)
	m := &g.members[i]
	m.uses--
	if r.novel {
		if m.novel--; m.novel == 0 {
			g.novel--
		}
		g.cents -= r.cents
	}
	if m.uses == 0 {
		g.members = slices.Delete(g.members, i, i+1)
	}
	if g.records[0] == r {
		g.records[0] = nil
		g.records = g.records[1:]
	} else if at := slices.Index(g.records, r); at >= 0 {
		g.records = slices.Delete(g.records, at, at+1)
	}
	g.version++
}

// maxRegular bounds how many of a group's newest uses are looked at for regularity.
const maxRegular = 64

// regular is the share of the group's newest amounts, or of the pauses between them,
// that are within the tolerance of their median: whichever is more, in basis points. It
// takes four uses to say anything.
func (g *group) regular(tolerance uint32) uint64 {
	last := g.records[max(0, len(g.records)-maxRegular):]
	if len(last) < 4 {
		return 0
	}
	amounts, pauses := make([]uint64, 0, maxRegular), make([]uint64, 0, maxRegular)
	for i, r := range last {
		amounts = append(amounts, r.cents)
		if i > 0 {
			pauses = append(pauses, uint64(r.moment-last[i-1].moment))
		}
	}
	return max(alike(amounts, tolerance), alike(pauses, tolerance))
}

// alike is the share of values within the tolerance of the median. A median of 0 has no
// tolerance and says nothing.
func alike(values []uint64, tolerance uint32) uint64 {
	slices.Sort(values)
	median := values[len(values)/2]
	if median == 0 {
		return 0
	}
	room, n := part(median, tolerance), uint64(0)
	for _, v := range values {
		if v >= median-room && v <= plus(median, room) {
			n++
		}
	}
	return share(n, uint64(len(values)))
}

// groupSignals are the signals of a group, in the order in which they are printed.
var groupSignals = []struct {
	name, unit string
	ramp       func(*GroupConfig) Ramp
	value      func(*group, *GroupConfig, uint64) uint64
}{
	{"group-senders", "senders", func(c *GroupConfig) Ramp { return c.Senders }, func(g *group, _ *GroupConfig, _ uint64) uint64 { return g.novel }},
	{"group-value", "cents", func(c *GroupConfig) Ramp { return c.Value }, func(g *group, _ *GroupConfig, _ uint64) uint64 { return g.cents }},
	{"group-inflow", "bp", func(c *GroupConfig) Ramp { return c.Inflow }, func(g *group, _ *GroupConfig, inflow uint64) uint64 { return share(g.cents, inflow) }},
	{"group-novelty", "bp", func(c *GroupConfig) Ramp { return c.Novelty }, func(g *group, _ *GroupConfig, _ uint64) uint64 { return share(g.novel, uint64(len(g.members))) }},
	{"group-regularity", "bp", func(c *GroupConfig) Ramp { return c.Regular }, func(g *group, c *GroupConfig, _ uint64) uint64 { return g.regular(c.Tolerance) }},
}

// score says how much a group looks like one will behind many senders.
func (m *Machine) score(g *group) (uint64, []Reading) {
	c := &m.config.Group
	if g == nil || g.novel < c.MinSenders || g.cents < c.MinCents {
		return 0, nil
	}
	if s := g.scored; s != nil && s.version == g.version && s.inflow == m.inflow {
		return s.score, s.readings
	}
	readings := make([]Reading, 0, len(groupSignals))
	for i := range groupSignals {
		s := &groupSignals[i]
		readings = append(readings, read(s.name, s.unit, s.value(g, c, m.inflow), s.ramp(c)))
	}
	score := mean(readings)
	g.scored = &scored{g.version, m.inflow, score, readings}
	return score, readings
}

// groupKeys are the groups that an event belongs to: what it shares with others, unless
// that is everybody's.
func (m *Machine) groupKeys(e *Event, cents uint64) []groupKey {
	list := make([]groupKey, 0, kinds)
	add := func(kind Kind, name string, known bool) {
		if name == "" || known {
			return
		}
		if at, _, ok := m.places.find(keyOf(kind, name)); ok && m.config.Common.isCommon(&at, m.clock) {
			return
		}
		list = append(list, groupKey{kind, name})
	}
	actor := e.actor()
	add(ByFunder, e.Funder, e.FunderService || e.Funder == actor)
	add(ByCluster, e.Cluster, false)
	add(ByReceiver, e.Receiver, e.ReceiverService || e.Receiver == actor || e.Receiver == e.Sender)
	add(ByFingerprint, e.Fingerprint, false)
	if cents >= m.config.Group.Equal && !e.Amount.IsZero() {
		add(ByAmount, e.Amount.Dec()+" "+string(e.Asset), false)
	}
	return list
}

// join counts a record in its groups, and remembers in which.
func (m *Machine) join(r *record) {
	if r.cents < m.config.Group.Grain {
		return
	}
	for i, k := range r.keys {
		k := routed{k, r.route}
		g := m.groups[k]
		if g == nil {
			if len(m.groups) >= m.config.Bounds.Groups {
				m.size.Overflow++
				continue
			}
			g = &group{}
			m.groups[k] = g
		}
		if !g.add(r, m.config.Bounds.Members) {
			m.size.Overflow++
			continue
		}
		r.in |= 1 << i
	}
}

// leave takes a record out of the groups it counted in.
func (m *Machine) leave(r *record) {
	for i, k := range r.keys {
		if r.in&(1<<i) == 0 {
			continue
		}
		k := routed{k, r.route}
		g := m.groups[k]
		g.drop(r)
		if len(g.members) == 0 {
			delete(m.groups, k)
		}
	}
	r.in = 0
}

// maxCents bounds the value of one use, so that sums over all that is remembered stay
// exact: ten to the thirteenth cents are a hundred billion dollars.
const maxCents = 10_000_000_000_000

// cents is the value of an event: its own, by the fixed price of its asset, or what
// stands for an unknown one.
func (m *Machine) cents(e *Event) uint64 {
	if e.Cents != 0 {
		return min(e.Cents, maxCents)
	}
	fixed, ok := m.config.Price.Assets[e.Asset]
	if !ok || e.Amount.IsZero() || fixed.Cents == 0 {
		return min(m.config.Price.Unpriced, maxCents)
	}
	product, over := e.Amount.Amount, false
	factor := ledger.NewAmount(fixed.Cents)
	if _, over = product.MulOverflow(&product, &factor); over {
		return maxCents
	}
	ten, scale := ledger.NewAmount(10), ledger.NewAmount(fixed.Decimals)
	ten.Exp(&ten, &scale)
	product.Div(&product, &ten)
	if !product.IsUint64() {
		return maxCents
	}
	return min(product.Uint64(), maxCents)
}
