package attribution

import (
	"context"
	"maps"
	"slices"

	"coldtrail/attribution/cluster"
	"coldtrail/ledger"
)

// Owners lists the addresses of every cluster that holds one of some named addresses, and
// keeps the list current block by block. Addresses are listed in groups: those of one group
// were in one cluster when they were listed, and stay together. A block costs what it
// joins, however large the clusters are. Owners are not safe for concurrent use.
type Owners struct {
	clusters *Clusters
	asked    map[ledger.Address]bool
	current  bool
	depth    ledger.Height

	named  map[cluster.Member]ledger.Address
	byRoot map[cluster.Member]*owner
	seen   cluster.Extent // of the forest, what is taken in
	groups []group
	based  int    // groups of the base
	begun  uint32 // links of the forest that the base stands on
	size   int    // addresses of the base
	recent []Listed
}

// Listed is an address and the group that it is listed in.
type Listed struct {
	Address ledger.Address
	Group   uint32
}

// owner is a cluster with named addresses. It is listed once it has more addresses than
// one.
type owner struct {
	named  []cluster.Member
	listed bool
}

// group is what was one cluster when it was listed: under which root, where the root's ring
// began, by which link, and how many addresses were listed before.
type group struct {
	root, begin cluster.Member
	link        uint32
	before      int
}

// baseDepth is how many blocks below the head the base of the list stands: no
// reorganisation that is accepted reaches there, so that what is taken back is of the
// recent part.
const baseDepth = 128

// How many recent addresses there may be before they are made part of the base: the base
// is read as a whole then, while what is recent is sorted with every block.
const (
	leastRecent = 4_096
	mostRecent  = 200_000
)

// NewOwners lists nothing until Advance.
func NewOwners(c *Clusters, named []ledger.Address) *Owners {
	o := &Owners{clusters: c, depth: baseDepth, asked: make(map[ledger.Address]bool, len(named))}
	for _, a := range named {
		o.asked[a] = true
	}
	return o
}

// Clusters are what the list is made of.
func (o *Owners) Clusters() *Clusters { return o.clusters }

// Change is what an Advance did to a list.
type Change int

// The changes, from the least.
const (
	Unchanged Change = iota
	Grown            // groups and recent addresses came, and groups became one owner's
	TakenBack        // some went, or came apart
	Anew             // the base is another, too
)

// Advance brings clusters and list to the store's head.
func (o *Owners) Advance(ctx context.Context) (Change, error) {
	if err := o.clusters.Sync(ctx); err != nil {
		return Unchanged, err
	}
	kept := o.clusters.forest.Kept()
	most := min(max(leastRecent, o.size/4), mostRecent)
	current := o.current && kept.Links >= o.begun && len(o.recent) <= most
	o.current = false // until all went well
	change := Unchanged
	switch {
	case !current:
		change = Anew
		if err := o.begin(ctx); err != nil {
			return change, err
		}
	case kept.Links < o.seen.Links || kept.Members < o.seen.Members:
		change = TakenBack
		o.retreat(kept)
	}
	if err := o.meet(ctx); err != nil {
		return change, err
	}
	joined, err := o.join(ctx)
	if joined && change == Unchanged {
		change = Grown
	}
	o.current = err == nil
	return change, err
}

// begin makes the list anew: its base of what was joined up to some blocks ago.
func (o *Owners) begin(ctx context.Context) error {
	c := o.clusters
	o.named, o.byRoot = map[cluster.Member]ledger.Address{}, map[cluster.Member]*owner{}
	o.groups, o.recent, o.size, o.begun = nil, nil, 0, 0
	if height := c.Height(); height > o.depth {
		o.begun = c.forest.At(uint64(height - o.depth))
	}
	o.seen = cluster.Extent{Members: c.forest.Members(), Links: o.begun}
	for chunk := range slices.Chunk(slices.Collect(maps.Keys(o.asked)), 4096) {
		members, err := c.members(ctx, chunk)
		if err != nil {
			return err
		}
		for i, m := range members {
			if m != cluster.Nobody {
				o.name(m, chunk[i])
			}
		}
	}
	o.base()
	return nil
}

// base lists the clusters with named addresses as they were when the base was made.
func (o *Owners) base() {
	f := o.clusters.forest
	begins := map[cluster.Member]cluster.Member{} // of rings that links since then changed
	links := f.Links[o.begun:f.Joined()]
	for i := range links {
		l := &links[len(links)-1-i]
		begins[l.Parent], begins[l.Child] = l.ParentNext, l.ChildNext
	}
	for _, root := range slices.Sorted(maps.Keys(o.byRoot)) {
		begin, changed := begins[root]
		if !changed {
			begin = f.Nodes[root].Next
		}
		if begin != root {
			o.byRoot[root].listed = true
			o.groups = append(o.groups, group{root: root, begin: begin})
		}
	}
	o.based = len(o.groups)
}

// name notes that a member is named.
func (o *Owners) name(m cluster.Member, a ledger.Address) {
	o.named[m] = a
	root := o.clusters.forest.RootAt(m, o.seen.Links)
	of := o.byRoot[root]
	if of == nil {
		of = &owner{}
		o.byRoot[root] = of
	}
	of.named = append(of.named, m)
}

// retreat takes back what rests on links that were taken back.
func (o *Owners) retreat(kept cluster.Extent) {
	o.seen = cluster.Extent{Members: min(o.seen.Members, kept.Members), Links: min(o.seen.Links, kept.Links)}
	for len(o.groups) > o.based && o.groups[len(o.groups)-1].link >= o.seen.Links {
		last := o.groups[len(o.groups)-1]
		o.groups, o.recent = o.groups[:len(o.groups)-1], o.recent[:last.before]
	}
	o.byRoot = map[cluster.Member]*owner{}
	for m, a := range o.named {
		if uint64(m) >= o.seen.Members {
			delete(o.named, m)
			continue
		}
		o.name(m, a)
	}
	for i := range o.groups {
		if of := o.byRoot[o.clusters.forest.RootAt(o.groups[i].root, o.seen.Links)]; of != nil {
			of.listed = true
		}
	}
}

// meet finds out which of the forest's new members are named.
func (o *Owners) meet(ctx context.Context) error {
	c := o.clusters
	var fresh []cluster.Member
	for m := o.seen.Members; m < c.forest.Members(); m++ {
		if c.forest.Address(cluster.Member(m)) == cluster.Member(m) {
			fresh = append(fresh, cluster.Member(m))
		}
	}
	for chunk := range slices.Chunk(fresh, 4096) {
		addresses, err := c.addresses(ctx, chunk)
		if err != nil {
			return err
		}
		for i, a := range addresses {
			if o.asked[a] {
				o.name(chunk[i], a)
			}
		}
	}
	o.seen.Members = c.forest.Members()
	return nil
}

// join takes in the links since, and says whether any concerned a named address.
func (o *Owners) join(ctx context.Context) (concerned bool, err error) {
	f := o.clusters.forest
	var members []cluster.Member // of what is listed, in order
	for at := o.seen.Links; at < f.Joined(); at++ {
		l := &f.Links[at]
		child, parent := o.byRoot[l.Child], o.byRoot[l.Parent]
		if child == nil && parent == nil {
			continue
		}
		concerned = true
		for _, side := range []struct {
			of          *owner
			root, begin cluster.Member
		}{{child, l.Child, l.ChildNext}, {parent, l.Parent, l.ParentNext}} {
			if side.of == nil || !side.of.listed {
				members = o.list(members, side.root, side.begin, at)
			}
		}
		delete(o.byRoot, l.Child)
		o.byRoot[l.Parent] = together(child, parent)
	}
	o.seen.Links = f.Joined()
	return concerned, o.fill(ctx, members)
}

// together is an owner of two clusters, either of which may have no named address.
func together(a, b *owner) *owner {
	if a == nil || b != nil && len(b.named) > len(a.named) {
		a, b = b, a
	}
	a.listed = true
	if b != nil {
		a.named = append(a.named, b.named...)
	}
	return a
}

// list lists a cluster as it was before a link.
func (o *Owners) list(members []cluster.Member, root, begin cluster.Member, link uint32) []cluster.Member {
	o.groups = append(o.groups, group{root: root, begin: begin, link: link, before: len(o.recent)})
	number := uint32(len(o.groups) - 1)
	o.clusters.forest.Part(begin, root, func(m cluster.Member) bool {
		members, o.recent = append(members, m), append(o.recent, Listed{Group: number})
		return true
	})
	return members
}

// fill looks up the addresses of the last that were listed.
func (o *Owners) fill(ctx context.Context, members []cluster.Member) error {
	at := o.recent[len(o.recent)-len(members):]
	for chunk := range slices.Chunk(members, 4096) {
		addresses, err := o.clusters.addresses(ctx, chunk)
		if err != nil {
			return err
		}
		for i, a := range addresses {
			at[i].Address = a
		}
		at = at[len(chunk):]
	}
	return nil
}

// Groups is how many groups there are: their numbers are those below.
func (o *Owners) Groups() int { return len(o.groups) }

// Owner is the cluster that a group belongs to by now: the same for two groups of one
// cluster.
func (o *Owners) Owner(group int) cluster.Member { return o.clusters.forest.Root(o.groups[group].root) }

// Named are the named addresses of an owner, in no order, and how many addresses it has
// in all.
func (o *Owners) Named(owner cluster.Member) (list []ledger.Address, size uint32) {
	if of := o.byRoot[owner]; of != nil {
		for _, m := range of.named {
			list = append(list, o.named[m])
		}
	}
	return list, o.clusters.forest.Size(owner)
}

// NamedAt are the named addresses that had the same owner as an address, as it was known
// after a block, and how many addresses that owner had. An address in no cluster has none.
func (o *Owners) NamedAt(ctx context.Context, a ledger.Address, as ledger.Height) (list []ledger.Address, size uint32, err error) {
	c := o.clusters
	members, err := c.members(ctx, []ledger.Address{a})
	if err != nil || members[0] == cluster.Nobody {
		return nil, 0, err
	}
	of := o.byRoot[c.forest.Root(members[0])]
	if of == nil {
		return nil, 0, nil
	}
	links := c.forest.At(uint64(as))
	root := c.forest.RootAt(members[0], links)
	for _, m := range of.named {
		if c.forest.RootAt(m, links) == root {
			list = append(list, o.named[m])
		}
	}
	return list, c.forest.SizeAt(root, links), nil
}

// Base visits the addresses of the base with their groups. What is recent is not among them.
func (o *Owners) Base(ctx context.Context, visit func(Listed) error) error {
	o.size = 0
	var members []cluster.Member
	var numbers []uint32
	flush := func() error {
		addresses, err := o.clusters.addresses(ctx, members)
		if err != nil {
			return err
		}
		for i, a := range addresses {
			if err := visit(Listed{a, numbers[i]}); err != nil {
				return err
			}
		}
		o.size += len(members)
		members, numbers = members[:0], numbers[:0]
		return ctx.Err()
	}
	for number, g := range o.groups[:o.based] {
		var err error
		o.clusters.forest.Part(g.begin, g.root, func(m cluster.Member) bool {
			if members, numbers = append(members, m), append(numbers, uint32(number)); len(members) == 4096 {
				err = flush()
			}
			return err == nil
		})
		if err != nil {
			return err
		}
	}
	return flush()
}

// Recent are the addresses that were listed since the base was made. They must not be
// changed.
func (o *Owners) Recent() []Listed { return o.recent }
