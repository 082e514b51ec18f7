package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"coldtrail/attribution"
	"coldtrail/attribution/behaviour"
	"coldtrail/attribution/cluster"
	"coldtrail/attribution/label"
	"coldtrail/desk/view"
	"coldtrail/ledger"
	"coldtrail/screen"
	"coldtrail/server"
	"coldtrail/store"
	"coldtrail/trace"
)

// owners tells the server who may have addresses together, and what they do.
type owners struct {
	ledger *storeLedger
	engine *screen.Engine
	// opened are the clusters that the engine keeps. They may be asked in its turn only.
	opened func() *openedClusters
	turns  chan struct{}
}

var _ server.Owners = (*owners)(nil)

// The bounds of one answer.
const (
	ownersAtOnce   = 2
	mostMembers    = 100_000 // how deep pages of a cluster go
	mostLookedUp   = 10_000  // members whose labels are looked up
	claimsAtOnce   = 4_096
	conductTxs     = 5_000
	conductOwn     = 1_000
	conductHops    = 1_500
	mostTiesListed = 1_000
)

// newOwners answers over the clusters that an engine keeps.
func newOwners(o *opened, l *storeLedger) *owners {
	return &owners{l, o.engine, func() *openedClusters { return o.clusters }, make(chan struct{}, ownersAtOnce)}
}

// clusters asks the clusters of a chain while nobody changes them.
func (o *owners) clusters(ctx context.Context, chain ledger.Chain, ask func(*attribution.Clusters) error) error {
	select {
	case o.turns <- struct{}{}:
		defer func() { <-o.turns }()
	case <-ctx.Done():
		return ctx.Err()
	}
	return o.engine.HoldFor(ctx, func() error {
		opened := o.opened()
		if opened == nil {
			return refuse(server.ErrUnavailable, "clusters are not read yet, or the server runs with --no-owners")
		}
		c := opened.byChain[chain]
		if c == nil {
			return refuse(server.ErrNotFound, "the ledger holds no block of %s, or no rule of common ownership is for it", chain.Short())
		}
		return ask(c)
	})
}

// Cluster is the addresses that have one owner with an address.
func (o *owners) Cluster(ctx context.Context, chain ledger.Chain, address string, q server.ClusterQuestion) (out server.Cluster, err error) {
	id, err := parseChain(string(chain))
	if err != nil {
		return out, refuse(server.ErrInvalid, "%s", err)
	}
	err = o.clusters(ctx, id, func(c *attribution.Clusters) error {
		_, n := c.Chain()
		a, err := n.ParseAddress(address)
		if err != nil {
			return refuse(server.ErrInvalid, "%s: %s", id.Short(), err)
		}
		x := &asking{owners: o, chain: id, notation: n, clusters: c, address: a, out: &out}
		if err := x.members(ctx, q.Page); err != nil {
			return err
		}
		if q.To == "" {
			return nil
		}
		return x.why(ctx, q.To)
	})
	return out, err
}

// asking is a question about a cluster on its way.
type asking struct {
	*owners

	chain    ledger.Chain
	notation ledger.Notation
	clusters *attribution.Clusters
	address  ledger.Address
	out      *server.Cluster
}

// members lists a page of the members, and what is said of them.
func (x *asking) members(ctx context.Context, page server.Page) error {
	as, offset := x.clusters.Height(), 0
	if page.After != "" {
		height, from, _ := strings.Cut(page.After, ":")
		h, err := strconv.ParseUint(height, 10, 63)
		n, again := strconv.Atoi(from)
		if err != nil || again != nil || ledger.Height(h) > as || n < 0 || n > mostMembers {
			return refuse(server.ErrInvalid, "the cursor is none of this list")
		}
		as, offset = ledger.Height(h), n
	}
	owner, err := x.clusters.OwnerOf(ctx, x.address, as, max(min(offset+page.Limit, mostMembers), mostLookedUp))
	if errors.Is(err, attribution.ErrNoMember) {
		return refuse(server.ErrNotFound, "%s: %s", x.notation.FormatAddress(x.address), err)
	}
	if err != nil {
		return err
	}
	texts := formatted(owner.Members, x.notation)
	*x.out = server.Cluster{
		Chain: string(x.chain), AsOf: uint64(as), Root: x.notation.FormatAddress(owner.First), Members: owner.Size, Rules: x.clusters.Rules(),
		Items: texts[min(offset, len(texts)):min(offset+page.Limit, len(texts))], Named: []server.NamedMember{}, Actors: []string{}, Weak: []server.WeakLink{},
		Looked: min(len(texts), mostLookedUp),
	}
	if end := offset + page.Limit; end < int(owner.Size) && end < mostMembers {
		x.out.Next = fmt.Sprintf("%d:%d", as, end)
	}
	actors, err := x.named(ctx, owner.Members[:x.out.Looked], texts)
	if err != nil || owner.Size > maxExamined || as < x.clusters.Height() {
		return err
	}
	return x.examine(ctx, actors)
}

// named looks up what is said of members, and who they are said to be.
func (x *asking) named(ctx context.Context, members []ledger.Address, texts []string) (map[ledger.Address]string, error) {
	actors := map[ledger.Address]string{}
	for at := 0; at < len(members); at += claimsAtOnce {
		chunk := members[at:min(at+claimsAtOnce, len(members))]
		subjects := make([]label.Subject, len(chunk))
		for i := range chunk {
			subjects[i] = label.SubjectOf(x.chain, texts[at+i])
		}
		lists, err := x.ledger.store.Claims(ctx, subjects)
		if err != nil {
			return nil, err
		}
		for i, list := range lists {
			claims := label.At(list, label.When{})
			if len(claims) == 0 {
				continue
			}
			x.out.Named = append(x.out.Named, server.NamedMember{Address: texts[at+i], Labels: serverLabels(claims), Conflicts: serverConflicts(claims)})
			for j := range claims {
				x.actor(actors, chunk[i], claims[j].Actor)
			}
		}
	}
	slices.Sort(x.out.Actors)
	x.out.Conflict = len(x.out.Actors) > 1
	return actors, nil
}

func (x *asking) actor(actors map[ledger.Address]string, a ledger.Address, name string) {
	if name == "" {
		return
	}
	if !slices.Contains(x.out.Actors, name) {
		x.out.Actors = append(x.out.Actors, name)
	}
	if actors[a] == "" {
		actors[a] = name
	}
}

// examine says how firmly the cluster hangs together.
func (x *asking) examine(ctx context.Context, actors map[ledger.Address]string) error {
	found, err := x.clusters.Examine(ctx, x.address, actors, mostWeak)
	if err != nil {
		return err
	}
	x.out.Cohesion = found.Cohesion
	for i := range found.Weak {
		w := &found.Weak[i]
		x.out.Weak = append(x.out.Weak, server.WeakLink{Tx: x.chain.FormatHash(w.Tx), Parts: w.Parts[:min(len(w.Parts), 8)], Apart: w.Apart})
	}
	return nil
}

// why says by which transactions another address has the same owner.
func (x *asking) why(ctx context.Context, to string) error {
	b, err := x.notation.ParseAddress(to)
	if err != nil {
		return refuse(server.ErrInvalid, "to: %s: %s", x.chain.Short(), err)
	}
	reasons, joined, err := x.clusters.Why(ctx, x.address, b, ledger.Height(x.out.AsOf))
	if err != nil && !errors.Is(err, attribution.ErrNoMember) {
		return err
	}
	if len(reasons) > mostTiesListed {
		return refuse(server.ErrUnavailable, "%d transactions lead from one to the other, too many for one answer: coldtrail cluster why prints them", len(reasons))
	}
	x.out.Why = &server.ClusterTies{To: x.notation.FormatAddress(b), Joined: joined && err == nil, Steps: []server.ClusterTie{}}
	for _, r := range shownReasons(reasons, x.chain, x.notation) {
		x.out.Why.Steps = append(x.out.Why.Steps, server.ClusterTie(r))
	}
	return nil
}

func serverLabels(claims []label.Claim) []server.Label {
	list := make([]server.Label, len(claims))
	for i := range claims {
		list[i] = serverLabel(&claims[i])
	}
	return list
}

func serverConflicts(claims []label.Claim) []server.Conflict {
	list := []server.Conflict{}
	for _, c := range label.Conflicts(claims) {
		list = append(list, server.Conflict{Over: c.Over, A: serverLabel(&c.A), B: serverLabel(&c.B)})
	}
	return list
}

// Conflicts are the claims about an address that hold now and cannot both be right.
func (o *owners) Conflicts(ctx context.Context, chain ledger.Chain, address string) ([]server.Conflict, error) {
	id, text, err := canonicalAddress(string(chain), address)
	if err != nil {
		return nil, err
	}
	lists, err := o.ledger.store.Claims(ctx, []label.Subject{label.SubjectOf(ledger.Chain(id), text)})
	if err != nil {
		return nil, err
	}
	return serverConflicts(label.At(lists[0], label.When{})), nil
}

// Behaviour is the patterns of conduct that an address shows, by what `coldtrail behaviour`
// goes by. Less is read than there: an answer is waited for.
func (o *owners) Behaviour(ctx context.Context, chain ledger.Chain, address string, q server.BehaviourQuestion) (out server.Behaviour, err error) {
	if q.Pattern != "" && !slices.ContainsFunc(behaviour.Patterns, func(p *behaviour.Pattern) bool { return p.Name == q.Pattern }) {
		return out, refuse(server.ErrInvalid, "there is no pattern %.50q; coldtrail behaviour --list lists them", q.Pattern)
	}
	v := &behaviourVerb{Change: "score", Pattern: q.Pattern, Addresses: conductOwn, Transactions: conductTxs, Hops: conductHops}
	look := func(clusters *attribution.Clusters) error {
		return o.ledger.steadily(ctx, chain, func(view *chainView) error {
			found, err := o.conduct(ctx, v, view, address, clusters)
			if err == nil {
				out = *show(found, view.notation)
				out.Subject = address
			}
			return err
		})
	}
	if !q.Owner {
		err = look(nil)
		return out, err
	}
	id, err := parseChain(string(chain))
	if err != nil {
		return out, refuse(server.ErrInvalid, "%s", err)
	}
	err = o.clusters(ctx, id, look)
	return out, err
}

// conduct looks at one state of a chain.
func (o *owners) conduct(ctx context.Context, v *behaviourVerb, view *chainView, address string, clusters *attribution.Clusters) (*attribution.Conducted, error) {
	a, err := view.address(address)
	if err != nil {
		return nil, err
	}
	options, err := v.options()
	if err != nil {
		return nil, err
	}
	options.Notation, options.Clusters, options.AsOf = view.notation, clusters, view.head.Height
	if options.Parameters, err = v.parameters(view.chain); err != nil {
		return nil, err
	}
	revision, err := o.ledger.store.LabelRevision(ctx)
	if err != nil {
		return nil, err
	}
	if revision.Count > 0 {
		options.View = attribution.NewView(o.ledger.store, label.When{}, 0)
	}
	found, err := attribution.Conduct(ctx, o.ledger.store, view.chain, a, options)
	if errors.Is(err, attribution.ErrNoRecord) || errors.Is(err, store.ErrUnknownChain) {
		return nil, view.nothing(view.notation.FormatAddress(a))
	}
	return found, err
}

// mostTogether bounds the addresses that are put together by owner for one graph: the engine
// waits meanwhile.
const mostTogether = 200_000

// together puts the addresses that a trace touched together by owner, as far as was known
// at the trace's own heads. An owner goes by the first of his addresses that value passed;
// an address whose owner has no other there stands for itself.
func (o *owners) together(ctx context.Context, r *trace.Result) (view.Clusters, error) {
	touched := view.Addresses(r)
	n := 0
	for _, texts := range touched {
		n += len(texts)
	}
	if n > mostTogether {
		return nil, refuse(server.ErrInvalid, "the trace touched %d addresses, and at most %d are put together by owner; group by address or entity", n, mostTogether)
	}
	firsts := map[string]string{} // by chain and address
	for _, chain := range sortedKeys(touched) {
		err := o.clusters(ctx, ledger.Chain(chain), func(c *attribution.Clusters) error {
			groups, err := sameOwner(ctx, c, touched[chain], ledger.Height(r.Basis.Heads[chain].Height))
			for _, list := range groups {
				for _, address := range list {
					firsts[chain+" "+address] = list[0]
				}
			}
			return err
		})
		if err != nil && !errors.Is(err, server.ErrNotFound) { // no rule is for the chain: each address stands for itself
			return nil, err
		}
	}
	return func(chain, address string) (key, label string) {
		first := firsts[chain+" "+address]
		return first, first
	}, nil
}

// sameOwner gives those of some addresses that have an owner in common with another, owner
// by owner, in the order in which they came.
func sameOwner(ctx context.Context, c *attribution.Clusters, texts []string, as ledger.Height) (groups [][]string, err error) {
	_, notation := c.Chain()
	addresses := make([]ledger.Address, len(texts))
	for i, text := range texts {
		if addresses[i], err = notation.ParseAddress(text); err != nil {
			return nil, err
		}
	}
	roots, err := c.Roots(ctx, addresses, as)
	if err != nil {
		return nil, err
	}
	byRoot := map[cluster.Member][]string{}
	for i, root := range roots {
		if root != cluster.Nobody {
			byRoot[root] = append(byRoot[root], texts[i])
		}
	}
	for _, list := range byRoot {
		if len(list) > 1 {
			groups = append(groups, list)
		}
	}
	return groups, nil
}
