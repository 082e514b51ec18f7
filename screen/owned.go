package screen

import (
	"context"
	"slices"
	"strings"

	"coldtrail/attribution"
	"coldtrail/ledger"
	"coldtrail/screen/exposure"
	"coldtrail/screen/index"
	"coldtrail/screen/policy"
)

// owned is what is known of addresses by who else has their owner.
type owned struct {
	lists  []*attribution.Owners
	known  []map[ownerAt]uint32 // by list: the sets of owners
	sets   index.SetsBuilder
	read   *index.Sets // of sets, as far as they were asked for
	base   part
	recent part
	rules  string
}

// ownerAt is an owner at a size: he has the same facts as long as both stay the same, if
// nothing is taken back.
type ownerAt struct {
	root, size uint32
	named      int
}

// part is addresses of all chains, in groups.
type part struct {
	index *index.Index
	slots []slot
	layer index.Layer
}

// slot is a group of a list; or, for an address that is listed on several chains, two
// other slots together.
type slot struct {
	list, group   int
	joint         bool
	first, second uint32
}

// reopen opens the clusters anew, and lists who shares an owner with anybody of whom
// something is said.
func (e *Engine) reopen(ctx context.Context) error {
	e.owned = owned{}
	if e.options.Clusters == nil {
		return nil
	}
	all, err := e.options.Clusters(ctx)
	if err != nil {
		return err
	}
	chains := make([]ledger.Chain, len(all))
	for i, c := range all {
		chains[i], _ = c.Chain()
	}
	named, err := namedOn(e.said, chains)
	if err != nil {
		return err
	}
	rules := make([]string, len(all))
	for i, c := range all {
		e.owned.lists, e.owned.known = append(e.owned.lists, attribution.NewOwners(c, named[i])), append(e.owned.known, map[ownerAt]uint32{})
		rules[i] = string(chains[i]) + " " + c.Rules()
	}
	e.owned.rules = strings.Join(rules, "; ")
	return nil
}

// namedOn are the addresses of each of some chains of which somebody says something.
func namedOn(said index.Layer, chains []ledger.Chain) ([][]ledger.Address, error) {
	lists := make([][]ledger.Address, len(chains))
	for a, set := range said.Each() {
		facts, err := said.Sets.At(set)
		if err != nil {
			return nil, err
		}
		for i, chain := range chains {
			if a.Kind != ledger.Script && slices.ContainsFunc(facts, func(f exposure.Fact) bool { return saidOn(&f, chain) }) {
				lists[i] = append(lists[i], a)
			}
		}
	}
	return lists, nil
}

// saidOn says whether a fact is a claim that holds on a chain: one key holds an account on
// all account chains.
func saidOn(f *exposure.Fact, chain ledger.Chain) bool {
	if f.Kind != exposure.Labelled {
		return false
	}
	of := ledger.Chain(f.Chain)
	return of == "" || of == chain || chain.Family() == ledger.Account && of.Family() == ledger.Account
}

// ownedLayers brings clusters up to the store, and makes facts of the claims about other
// addresses of the same owner.
func (e *Engine) ownedLayers(ctx context.Context) ([]index.Layer, error) {
	o := &e.owned
	if len(o.lists) == 0 {
		return nil, nil
	}
	if o.base.layer.Sets != nil && o.base.layer.Sets.Bytes() > maxSetBytes {
		o.sets, o.read, o.base.index = index.SetsBuilder{}, nil, nil
		o.forget()
	}
	change := attribution.Unchanged
	for _, list := range o.lists {
		one, err := list.Advance(ctx)
		if err != nil {
			o.base.index = nil // what else changed is not known any more
			return nil, err
		}
		change = max(change, one)
	}
	if o.base.index == nil {
		change = attribution.Anew
	}
	if change >= attribution.TakenBack {
		o.forget()
	}
	if change == attribution.Anew {
		if err := o.rebase(ctx); err != nil {
			return nil, err
		}
	}
	if change > attribution.Unchanged {
		if err := e.ownedFacts(); err != nil {
			o.base.index = nil
			return nil, err
		}
	}
	return []index.Layer{o.base.layer, o.recent.layer}, nil
}

func (o *owned) forget() {
	for i := range o.known {
		o.known[i] = map[ownerAt]uint32{}
	}
}

// rebase reads the bases of all lists.
func (o *owned) rebase(ctx context.Context) error {
	o.base.index = nil
	var err error
	o.base, err = partOf(func(add func(list int, l attribution.Listed) error) error {
		for i, list := range o.lists {
			if err := list.Base(ctx, func(l attribution.Listed) error { return add(i, l) }); err != nil {
				return err
			}
		}
		return nil
	})
	return err
}

// partOf indexes addresses by their groups.
func partOf(each func(add func(list int, l attribution.Listed) error) error) (p part, err error) {
	type of struct {
		list  int
		group uint32
	}
	numbers := map[of]uint32{}
	b := index.Builder{Merge: func(first, second uint32) uint32 {
		p.slots = append(p.slots, slot{joint: true, first: first, second: second})
		return uint32(len(p.slots) - 1)
	}}
	err = each(func(list int, l attribution.Listed) error {
		number, ok := numbers[of{list, l.Group}]
		if !ok {
			number = uint32(len(p.slots))
			numbers[of{list, l.Group}], p.slots = number, append(p.slots, slot{list: list, group: int(l.Group)})
		}
		return b.Add(l.Address, number)
	})
	if err == nil {
		p.index, err = b.Build()
	}
	return p, err
}

// ownedFacts makes facts of all owners that are not known yet, and layers of them.
func (e *Engine) ownedFacts() (err error) {
	o := &e.owned
	o.recent, err = partOf(func(add func(list int, l attribution.Listed) error) error {
		for i, list := range o.lists {
			for _, l := range list.Recent() {
				if err := add(i, l); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, p := range []*part{&o.base, &o.recent} {
		groups := make([]uint32, len(p.slots))
		for i, s := range p.slots {
			if groups[i], err = e.ownedSet(s, groups); err != nil {
				return err
			}
		}
		p.layer = index.Layer{Index: p.index, Groups: groups}
	}
	sets := o.sets.Build()
	o.base.layer.Sets, o.recent.layer.Sets = sets, sets
	return nil
}

// ownedSet is the set of a slot, given those of the slots before it; Absent where nothing
// said of the owner's addresses counts for the others.
func (e *Engine) ownedSet(s slot, before []uint32) (uint32, error) {
	o := &e.owned
	if s.joint {
		return o.union(before[s.first], before[s.second])
	}
	list := o.lists[s.list]
	root := list.Owner(s.group)
	named, size := list.Named(root)
	key := ownerAt{root, size, len(named)}
	if set, ok := o.known[s.list][key]; ok {
		return set, nil
	}
	var claims []claimed
	for _, a := range named {
		set, ok := e.said.Find(a)
		if !ok {
			continue
		}
		facts, err := e.said.Sets.At(set)
		if err != nil {
			return index.Absent, err
		}
		claims = append(claims, claimed{a, facts})
	}
	set := uint32(index.Absent)
	if facts := e.passedOn(list.Clusters(), claims, size); len(facts) > 0 {
		var err error
		if set, err = o.sets.Intern(policy.Normal(facts)); err != nil {
			return index.Absent, err
		}
	}
	o.known[s.list][key] = set
	return set, nil
}

// union is the set of the facts of two.
func (o *owned) union(first, second uint32) (uint32, error) {
	if first == index.Absent || second == index.Absent || first == second {
		return min(first, second), nil
	}
	var all []exposure.Fact
	for _, set := range []uint32{first, second} {
		if o.read == nil || int(set) >= o.read.Len() {
			o.read = o.sets.Build()
		}
		facts, err := o.read.At(set)
		if err != nil {
			return index.Absent, err
		}
		all = append(all, facts...)
	}
	return o.sets.Intern(policy.Normal(all))
}
