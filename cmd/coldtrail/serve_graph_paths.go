package main

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"coldtrail/ledger"
	"coldtrail/screen/exposure"
	"coldtrail/server"
	"coldtrail/store"
)

// The bounds of a search for ways.
const (
	mostPathTouches = 1000   // transactions of an address; one with more is not gone through
	mostPathTxs     = 20_000 // transactions that are read
	mostPathReached = 50_000 // addresses that are reached from one side
)

// moment is where in a chain something happens: a transaction, and a place within it.
type moment struct {
	number store.TxNumber
	index  int
}

func (m moment) before(other moment) bool {
	return m.number < other.number || m.number == other.number && m.index < other.index
}

// arrival is how a search reached an address: by which passage, and from where.
type arrival struct {
	address ledger.Address
	at      moment
	by      *passage
	before  *arrival
	hops    int
}

// side is a search from one end. Seen from the beginning of a way the earlier an address
// is reached the better, from its end the later it is left.
type side struct {
	out      bool
	edge     []*arrival // reached last
	reached  map[ledger.Address][]*arrival
	expanded int
}

// better says that a moment leaves more ways open than another.
func (s *side) better(a, b moment) bool {
	if s.out {
		return a.before(b)
	}
	return b.before(a)
}

func newSide(out bool, a ledger.Address, at moment) *side {
	begin := &arrival{address: a, at: at}
	return &side{out: out, edge: []*arrival{begin}, reached: map[ledger.Address][]*arrival{a: {begin}}}
}

// pathSearch finds the shortest ways from both ends, a hop at a time.
type pathSearch struct {
	storeGraphs

	v        *chainView
	q        *server.PathQuestion
	keepers  *keepers
	begin    store.TxNumber
	ends     [2]ledger.Address
	cache    map[ledger.Address][]passage
	services map[ledger.Address]bool
	looked   int
	why      []string
	found    []*server.Way
}

// Paths finds shortest ways of value from one address to another. It goes through no
// address of a service, nor through one with very many transactions.
func (l storeGraphs) Paths(ctx context.Context, chain ledger.Chain, q *server.PathQuestion) (answer *server.Ways, err error) {
	err = l.steadily(ctx, chain, func(v *chainView) error {
		from, err := v.address(q.From)
		if err != nil {
			return err
		}
		to, err := v.address(q.To)
		if err != nil {
			return err
		}
		if from == to {
			return refuse(server.ErrInvalid, "from and to are one address")
		}
		s := &pathSearch{storeGraphs: l, v: v, q: q, keepers: l.keepers(v), ends: [2]ledger.Address{from, to}, cache: map[ledger.Address][]passage{}, services: map[ledger.Address]bool{}}
		if s.begin, err = l.firstAfter(ctx, v, q.Since); err != nil {
			return err
		}
		if err := s.run(ctx); err != nil {
			return err
		}
		answer = &server.Ways{Items: []server.Way{}, Looked: s.looked, Complete: len(s.why) == 0, Why: strings.Join(s.why, "; ")}
		for _, way := range s.found {
			answer.Items = append(answer.Items, *way)
		}
		return nil
	})
	return answer, err
}

// run looks a hop further from the end with fewer addresses, until ways meet.
func (s *pathSearch) run(ctx context.Context) error {
	forward := newSide(true, s.ends[0], moment{s.begin, -1})
	backward := newSide(false, s.ends[1], moment{store.NoTx, math.MaxInt})
	for hops := 0; hops < s.q.Hops && len(s.found) == 0; hops++ {
		side, other := forward, backward
		if len(forward.edge) == 0 || len(backward.edge) > 0 && len(backward.edge) < len(forward.edge) {
			side, other = backward, forward
		}
		if len(side.edge) == 0 {
			return nil
		}
		if err := s.expand(ctx, side); err != nil {
			return err
		}
		if err := s.meet(ctx, side, other); err != nil {
			return err
		}
	}
	return nil
}

// expand goes one hop further.
func (s *pathSearch) expand(ctx context.Context, side *side) error {
	edge := side.edge
	side.edge = nil
	side.expanded++
	for _, at := range edge {
		if !slices.Contains(side.reached[at.address], at) {
			continue // a better one of this hop took its place
		}
		list, err := s.around(ctx, at.address)
		if err != nil {
			return err
		}
		for i := range list {
			p := &list[i]
			when := moment{p.number, p.index}
			if p.out != side.out || !side.better(at.at, when) {
				continue
			}
			side.reach(&arrival{address: p.other, at: when, by: p, before: at, hops: side.expanded})
		}
		if len(side.reached) > mostPathReached {
			s.missed("so many addresses were reached that the search ended")
			return nil
		}
	}
	return nil
}

// reach keeps an arrival unless one with as few hops is as good.
func (s *side) reach(a *arrival) {
	list := s.reached[a.address]
	for _, known := range list {
		if known.hops < a.hops && !s.better(a.at, known.at) {
			return
		}
		if known.hops == a.hops {
			if !s.better(a.at, known.at) {
				return
			}
			list = slices.DeleteFunc(list, func(k *arrival) bool { return k == known })
			break
		}
	}
	s.reached[a.address] = append(list, a)
	s.edge = append(s.edge, a)
}

// around gives what an address had to do with, from the beginning on. An address that is
// not gone through has nothing.
func (s *pathSearch) around(ctx context.Context, a ledger.Address) ([]passage, error) {
	if list, ok := s.cache[a]; ok {
		return list, nil
	}
	s.cache[a] = nil
	if closed, err := s.isClosed(ctx, a); err != nil || closed {
		return nil, err
	}
	if s.looked >= mostPathTxs {
		s.missed(fmt.Sprintf("%d transactions were looked at, and no more are", s.looked))
		return nil, nil
	}
	numbers, more, err := s.touched(ctx, s.v, a, s.begin, mostPathTouches)
	if err != nil {
		return nil, err
	}
	if more {
		s.missed(fmt.Sprintf("%s has more than %d transactions", s.v.notation.FormatAddress(a), mostPathTouches))
		if !slices.Contains(s.ends[:], a) {
			return nil, nil
		}
	}
	for chunk := range slices.Chunk(numbers, readAtOnce) {
		list, err := s.passages(ctx, s.v, a, chunk)
		if err != nil {
			return nil, err
		}
		for i := range list {
			if list[i].time >= s.q.Since && !list[i].amount.IsZero() { // who sends nothing only wants to be seen
				s.cache[a] = append(s.cache[a], list[i])
			}
		}
	}
	s.looked += len(numbers)
	return s.cache[a], nil
}

// isClosed says that no way goes through an address: what a service pays says nothing of
// who paid it.
func (s *pathSearch) isClosed(ctx context.Context, a ledger.Address) (bool, error) {
	if slices.Contains(s.ends[:], a) {
		return false, nil
	}
	if closed, ok := s.services[a]; ok {
		return closed, nil
	}
	text := s.v.notation.FormatAddress(a)
	entity, service, err := s.keepers.of(ctx, text)
	if err != nil {
		return false, err
	}
	s.services[a] = service
	if service {
		s.missed(fmt.Sprintf("%s is kept by %s, and what a service pays says nothing of who paid it", text, entity))
	}
	return service, nil
}

// mostReasons bounds the reasons that are told.
const mostReasons = 5

// missed says why a way may be missed.
func (s *pathSearch) missed(why string) {
	switch {
	case slices.Contains(s.why, why):
	case len(s.why) < mostReasons:
		s.why = append(s.why, why)
	case len(s.why) == mostReasons:
		s.why = append(s.why, "and more")
	}
}

// meet joins ways of both sides where one arrives before the other leaves.
func (s *pathSearch) meet(ctx context.Context, side, other *side) error {
	seen := map[string]bool{}
	for _, a := range side.edge {
		if len(other.reached[a.address]) == 0 {
			continue
		}
		if closed, err := s.isClosed(ctx, a.address); err != nil {
			return err
		} else if closed {
			continue
		}
		for _, b := range other.reached[a.address] {
			first, second := a, b
			if !side.out {
				first, second = b, a
			}
			if !first.at.before(second.at) || len(s.found) == s.q.Limit {
				continue
			}
			way := s.way(first, second)
			if key := fmt.Sprint(way.Steps); !seen[key] {
				seen[key] = true
				s.found = append(s.found, way)
			}
		}
	}
	return nil
}

// way writes a way: back from where the sides meet to the beginning, then on to the end.
func (s *pathSearch) way(first, second *arrival) *server.Way {
	way := &server.Way{Steps: []server.WayStep{}}
	for a := first; a.by != nil; a = a.before {
		way.Steps = append(way.Steps, s.step(a.before.address, a.address, a.by))
	}
	slices.Reverse(way.Steps)
	for a := second; a.by != nil; a = a.before {
		way.Steps = append(way.Steps, s.step(a.address, a.before.address, a.by))
	}
	return way
}

func (s *pathSearch) step(from, to ledger.Address, p *passage) server.WayStep {
	return server.WayStep{
		From: s.v.notation.FormatAddress(from), To: s.v.notation.FormatAddress(to), Tx: s.v.chain.FormatHash(p.id), Height: uint64(p.height), Time: p.time,
		Asset: p.asset, Amount: exposure.Decimal{Amount: p.amount}, Shared: p.shared,
	}
}
