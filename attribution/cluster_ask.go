package attribution

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"coldtrail/attribution/cluster"
	"coldtrail/attribution/label"
	"coldtrail/ledger"
	"coldtrail/store"
)

// ErrNoMember says that an address is in no cluster that is known: the ledger does not
// hold it, or no rule says anything of it.
var ErrNoMember = errors.New("no cluster holds this address")

// Owner is a cluster: addresses of one owner, as the rules have it.
type Owner struct {
	First   ledger.Address   // the earliest address, by which the cluster goes
	Size    uint32           // addresses in all
	Members []ledger.Address // some or all, earliest first, asked for up to a limit
}

// Reason is one piece of evidence that two addresses have one owner.
type Reason struct {
	A, B ledger.Address
	Rule *cluster.Rule
	Tx   ledger.Hash
}

// Chain is the chain of the clusters, and how its addresses are written.
func (c *Clusters) Chain() (ledger.Chain, ledger.Notation) { return c.chain, c.options.Notation }

// Rules names the rules by which the clusters are grown.
func (c *Clusters) Rules() string {
	names := make([]string, len(c.options.Rules))
	for i, r := range c.options.Rules {
		names[i] = r.Name
	}
	return strings.Join(names, ", ")
}

// Height is the last block that the clusters know.
func (c *Clusters) Height() ledger.Height {
	if n := c.forest.Blocks(); n > 0 {
		return ledger.Height(c.forest.Mark(n - 1).Height)
	}
	return 0
}

// member finds an address in the forest.
func (c *Clusters) member(ctx context.Context, a ledger.Address) (cluster.Member, error) {
	members, err := c.members(ctx, []ledger.Address{a})
	if err == nil && members[0] == cluster.Nobody {
		return 0, ErrNoMember
	}
	if err != nil {
		return 0, err
	}
	return members[0], nil
}

// members finds addresses in the forest, Nobody for those that it does not have.
func (c *Clusters) members(ctx context.Context, addresses []ledger.Address) ([]cluster.Member, error) {
	list := make([]cluster.Member, len(addresses))
	if g, ok := c.grower.(*accounts); ok {
		if uint64(len(g.members)) != c.forest.Members() {
			g.reload()
		}
		for i, a := range addresses {
			m, held := g.members[a]
			if list[i] = m; !held {
				list[i] = cluster.Nobody
			}
		}
		return list, nil
	}
	firsts, err := firstOutputs(ctx, c.store, c.chain, addresses)
	for i, first := range firsts {
		if list[i] = cluster.Nobody; uint64(first) < c.forest.Members() {
			list[i] = cluster.Member(first)
		}
	}
	return list, err
}

// addresses are the addresses of members.
func (c *Clusters) addresses(ctx context.Context, members []cluster.Member) ([]ledger.Address, error) {
	list := make([]ledger.Address, len(members))
	if c.chain.Family() == ledger.Account {
		for i, m := range members {
			list[i] = c.forest.Names[m]
		}
		return list, nil
	}
	numbers := make([]store.OutputNumber, len(members))
	for i, m := range members {
		numbers[i] = store.OutputNumber(m)
	}
	outputs, err := c.store.Outputs(ctx, c.chain, numbers)
	for i := range outputs {
		list[i] = outputs[i].Address
	}
	return list, err
}

// OwnerOf is the cluster of an address as it was known after a block, with at most so
// many members.
func (c *Clusters) OwnerOf(ctx context.Context, a ledger.Address, as ledger.Height, most int) (*Owner, error) {
	m, err := c.member(ctx, a)
	if err != nil {
		return nil, err
	}
	links := c.forest.At(uint64(as))
	root := c.forest.RootAt(m, links)
	var members []cluster.Member
	c.forest.Each(c.forest.Root(m), func(x cluster.Member) bool {
		if c.forest.RootAt(x, links) == root {
			members = append(members, x)
		}
		return true
	})
	slices.Sort(members)
	o := &Owner{Size: uint32(len(members))}
	if o.Members, err = c.addresses(ctx, members[:min(len(members), max(most, 1))]); err != nil {
		return nil, err
	}
	o.First = o.Members[0]
	o.Members = o.Members[:min(len(o.Members), most)]
	return o, nil
}

// Roots tells which of some addresses had one owner, as it was known after a block: those
// of one owner have the same member as their root. What no cluster holds has
// cluster.Nobody.
func (c *Clusters) Roots(ctx context.Context, addresses []ledger.Address, as ledger.Height) ([]cluster.Member, error) {
	members, err := c.members(ctx, addresses)
	if err != nil {
		return nil, err
	}
	links := c.forest.At(uint64(as))
	for i, m := range members {
		if m != cluster.Nobody {
			members[i] = c.forest.RootAt(m, links)
		}
	}
	return members, nil
}

// maxReasons bounds an explanation.
const maxReasons = 100_000

// Why explains by which evidence two addresses have one owner, as far as was known after
// a block; none where they have not.
func (c *Clusters) Why(ctx context.Context, a, b ledger.Address, as ledger.Height) ([]Reason, bool, error) {
	x, err := c.member(ctx, a)
	if err != nil {
		return nil, false, err
	}
	y, err := c.member(ctx, b)
	if err != nil {
		return nil, false, err
	}
	steps, ok := c.forest.Explain(x, y, c.forest.At(uint64(as)), maxReasons)
	reasons, err := c.reasons(ctx, steps)
	return reasons, ok, err
}

func (c *Clusters) reasons(ctx context.Context, steps []cluster.Step) ([]Reason, error) {
	var members []cluster.Member
	numbers := make([]store.TxNumber, len(steps))
	for i := range steps {
		members = append(members, steps[i].A, steps[i].B)
		numbers[i] = store.TxNumber(steps[i].Tx)
	}
	addresses, err := c.addresses(ctx, members)
	if err != nil {
		return nil, err
	}
	ids, err := c.store.IDs(ctx, c.chain, numbers)
	list := make([]Reason, len(ids))
	for i, id := range ids {
		list[i] = Reason{A: addresses[2*i], B: addresses[2*i+1], Rule: c.options.Rules[steps[i].Rule], Tx: id}
	}
	return list, err
}

// Merge is a joining of two clusters that both were large.
type Merge struct {
	Reason
	Larger, Smaller uint32 // addresses before
}

// Merges lists the joinings of clusters that both had at least so many addresses, the
// largest first.
func (c *Clusters) Merges(ctx context.Context, least uint32, most int) ([]Merge, error) {
	merges := c.forest.Merges(least, most)
	steps := make([]cluster.Step, len(merges))
	for i := range merges {
		steps[i] = merges[i].Step
	}
	reasons, err := c.reasons(ctx, steps)
	list := make([]Merge, len(reasons))
	for i := range reasons {
		list[i] = Merge{reasons[i], merges[i].Larger, merges[i].Smaller}
	}
	return list, err
}

// MaxExamined is how many addresses a cluster may have to be examined whole.
const MaxExamined = 1_000_000

// Weakness is a transaction without which a cluster falls apart.
type Weakness struct {
	Tx    ledger.Hash
	Parts []uint32 // addresses of each part, largest first
	Apart int      // pairs of actors that it alone holds together
}

// Structure is how well a cluster hangs together.
type Structure struct {
	Addresses uint32
	Cohesion  uint32 // basis points: see cluster.Structure
	Weak      []Weakness
}

// Examine finds which single transactions hold the cluster of an address together, given
// who labels say is behind its addresses, and lists at most so many.
func (c *Clusters) Examine(ctx context.Context, a ledger.Address, actors map[ledger.Address]string, most int) (*Structure, error) {
	m, err := c.member(ctx, a)
	if err != nil {
		return nil, err
	}
	var members []cluster.Member
	c.forest.Each(c.forest.Root(m), func(x cluster.Member) bool {
		members = append(members, x)
		return len(members) < MaxExamined
	})
	evidence, err := c.evidence(ctx, members)
	if err != nil {
		return nil, err
	}
	named := map[cluster.Member]string{}
	for address, actor := range actors {
		if x, err := c.member(ctx, address); err == nil {
			named[x] = actor
		} else if !errors.Is(err, ErrNoMember) {
			return nil, err
		}
	}
	found := cluster.Examine(evidence, named)
	out := &Structure{Addresses: max(found.Addresses, uint32(len(members))), Cohesion: found.Cohesion}
	for i := range found.Weak[:min(len(found.Weak), most)] {
		w := &found.Weak[i]
		ids, err := c.store.IDs(ctx, c.chain, []store.TxNumber{store.TxNumber(w.Tx)})
		if err != nil {
			return nil, err
		}
		out.Weak = append(out.Weak, Weakness{ids[0], w.Parts, w.Apart})
	}
	return out, nil
}

// evidence is every transaction that ties members of one cluster.
func (c *Clusters) evidence(ctx context.Context, members []cluster.Member) ([]cluster.Evidence, error) {
	if g, ok := c.grower.(*outputs); ok {
		return g.evidence(ctx, members)
	}
	among := map[cluster.Member]bool{}
	for _, m := range members {
		among[m] = true
	}
	var list []cluster.Evidence
	for i := range c.forest.Links[:c.forest.Joined()] {
		if l := &c.forest.Links[i]; among[l.A] && among[l.B] {
			list = append(list, cluster.Evidence{Tx: l.Tx, Addresses: []cluster.Member{l.A, l.B}})
		}
	}
	return list, nil
}

// evidence reads every transaction in which members spend, and applies the rules again.
func (g *outputs) evidence(ctx context.Context, members []cluster.Member) ([]cluster.Evidence, error) {
	if err := g.prepare(ctx); err != nil {
		return nil, err
	}
	var spends []store.TxNumber
	for chunk := range slices.Chunk(members, 1024) {
		addresses, err := g.addresses(ctx, chunk)
		if err != nil {
			return nil, err
		}
		questions := make([]store.Since, len(addresses))
		for i, a := range addresses {
			questions[i] = store.Since{Address: a}
		}
		histories, err := g.store.History(ctx, g.chain, questions)
		if err != nil {
			return nil, err
		}
		for _, history := range histories {
			for _, t := range history {
				if t.Spent {
					spends = append(spends, t.Tx)
				}
			}
		}
	}
	slices.Sort(spends)
	return g.evidenceIn(ctx, slices.Compact(spends))
}

func (g *outputs) evidenceIn(ctx context.Context, numbers []store.TxNumber) (list []cluster.Evidence, err error) {
	for len(numbers) > 0 {
		txs, err := g.store.Transactions(ctx, g.chain, numbers[:1])
		if err != nil {
			return nil, err
		}
		height := txs[0].Height
		if height > g.Height() {
			return list, nil // newer than the clusters
		}
		for run, err := range g.store.Owned(ctx, g.chain, height, height) {
			if err != nil {
				return nil, err
			}
			last := run.FirstTx + store.TxNumber(len(run.InputStart)-1)
			for len(numbers) > 0 && numbers[0] < last {
				if e := g.evidenceOf(run, int(numbers[0]-run.FirstTx)); len(e.Addresses) > 1 {
					list = append(list, e)
				}
				numbers = numbers[1:]
			}
		}
	}
	return list, nil
}

// evidenceOf lists whom a transaction ties.
func (g *outputs) evidenceOf(run *store.Owned, i int) cluster.Evidence {
	e := cluster.Evidence{Tx: uint32(run.FirstTx) + uint32(i)}
	tx, facts := g.facts(run, 0, i)
	for _, rule := range g.options.Rules {
		edges, _ := rule.InTx(tx, facts)
		for _, edge := range edges {
			e.Addresses = append(e.Addresses, g.owner(edge.A), g.owner(edge.B))
		}
	}
	slices.Sort(e.Addresses)
	e.Addresses = slices.Compact(e.Addresses)
	return e
}

// Clash is a cluster whose labels name different actors.
type Clash struct {
	First  ledger.Address
	Size   uint32
	Claims []label.Claim // the surest of each actor, by actor
}

// leastActor is the confidence from which on a label's actor counts against another.
const leastActor = 50

// claimsOn visits the claims that count about addresses of the chain, address by
// address.
func (c *Clusters) claimsOn(ctx context.Context, when label.When, visit func(ledger.Address, []label.Claim) error) error {
	return EachSubject(ctx, c.store, label.Network(c.chain), when, func(subject label.Subject, claims []label.Claim) error {
		address, err := c.options.Notation.ParseAddress(subject.Address)
		if err != nil {
			return nil //nolint:nilerr // a form of address that the ledger does not know, which no cluster holds
		}
		return visit(address, claims)
	})
}

// Clashes lists the clusters whose labels name different actors, each at a confidence of
// 50 or more. Such a cluster is wrong somewhere, or its labels are.
func (c *Clusters) Clashes(ctx context.Context, when label.When) ([]Clash, error) {
	byRoot, err := c.actors(ctx, when)
	if err != nil {
		return nil, err
	}
	var list []Clash
	for root, actors := range byRoot {
		if len(actors) < 2 {
			continue
		}
		addresses, err := c.addresses(ctx, []cluster.Member{c.first(root)})
		if err != nil {
			return nil, err
		}
		clash := Clash{First: addresses[0], Size: c.forest.Size(root)}
		for _, claim := range actors {
			clash.Claims = append(clash.Claims, claim)
		}
		slices.SortFunc(clash.Claims, func(a, b label.Claim) int { return cmp.Compare(a.Actor, b.Actor) })
		list = append(list, clash)
	}
	slices.SortFunc(list, func(a, b Clash) int {
		return cmp.Or(cmp.Compare(b.Size, a.Size), slices.Compare(a.First.Payload[:], b.First.Payload[:]))
	})
	return list, nil
}

// actors are the surest claims by cluster and actor.
func (c *Clusters) actors(ctx context.Context, when label.When) (map[cluster.Member]map[string]label.Claim, error) {
	byRoot := map[cluster.Member]map[string]label.Claim{}
	err := c.claimsOn(ctx, when, func(a ledger.Address, claims []label.Claim) error {
		m, err := c.member(ctx, a)
		if errors.Is(err, ErrNoMember) {
			return nil
		}
		if err != nil {
			return err
		}
		root := c.forest.Root(m)
		for _, claim := range claims {
			if claim.Actor == "" || claim.Score < leastActor {
				continue
			}
			if byRoot[root] == nil {
				byRoot[root] = map[string]label.Claim{}
			}
			actor := label.Fold(claim.Actor)
			if have, ok := byRoot[root][actor]; !ok || label.Compare(claim, have) < 0 {
				byRoot[root][actor] = claim
			}
		}
		return nil
	})
	return byRoot, err
}

// first is the earliest address of a root's cluster.
func (c *Clusters) first(root cluster.Member) (first cluster.Member) {
	first = root
	c.forest.Each(root, func(m cluster.Member) bool {
		first = min(first, m)
		return true
	})
	return first
}
