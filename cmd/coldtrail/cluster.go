package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"coldtrail/attribution"
	"coldtrail/attribution/label"
	"coldtrail/ledger"
	"coldtrail/store"
)

type clusterVerb struct {
	Show  clusterShowVerb  `cmd:"" help:"List the addresses that one owner has, and what is said of them."`
	Why   clusterWhyVerb   `cmd:"" help:"Say by which transactions two addresses have one owner."`
	Check clusterCheckVerb `cmd:"" help:"Find clusters that are wrong somewhere: labels of two actors, large mergers; name the transactions to look at."`
	Cut   clusterCutVerb   `cmd:"" help:"Rule a transaction out: it joins nobody. The decision is kept with your name and reason."`
	Rules clusterRulesVerb `cmd:"" help:"List the rules of common ownership, with what is published of their errors."`
}

// onCluster opens the store and the clusters of a chain.
func (s *session) onCluster(ctx context.Context, chain string, flags clusterFlags, ask func(store.Store, *attribution.Clusters, ledger.Chain, ledger.Notation) error) (err error) {
	id, err := parseChain(chain)
	if err != nil {
		return err
	}
	notation, err := notations(id)
	if err != nil {
		return err
	}
	from, err := s.openStore(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	opened, err := s.openClusters(ctx, from, flags, id)
	defer func() { err = errors.Join(err, opened.close()) }()
	if err != nil {
		return err
	}
	c := opened.byChain[id]
	if c == nil {
		return fmt.Errorf("the store holds no block of %s, or --rules names none of its family; ingest it first", id.Short())
	}
	return ask(from, c, id, notation)
}

type clusterShowVerb struct {
	Address string `arg:"" name:"ADDRESS" help:"Any address of the cluster."`
	Chain   string `default:"bitcoin" help:"The chain."`
	AsOf    uint64 `placeholder:"HEIGHT" help:"As far as was known after this block; by default the newest."`
	Most    int    `default:"50" help:"Most addresses to list."`
	clusterFlags
	knownFlags
}

// shownCluster is a cluster in JSON.
type shownCluster struct {
	Chain     string      `json:"chain"`
	AsOf      uint64      `json:"as_of"`
	First     string      `json:"first"`
	Size      uint32      `json:"size"`
	Addresses []string    `json:"addresses"`
	Labels    []shown     `json:"labels"`
	Actors    []string    `json:"actors"`
	Conflict  bool        `json:"conflict"`
	Cohesion  uint32      `json:"cohesion_bp,omitempty"` // of what is known now; nothing is said of earlier blocks
	Weak      []shownWeak `json:"weak,omitempty"`
}

// shownWeak is a transaction without which a cluster falls apart.
type shownWeak struct {
	Tx    string   `json:"tx"`
	Parts []uint32 `json:"parts"`
	Apart int      `json:"actors_apart"`
}

// maxExamined is how large a cluster is examined without being asked to.
const maxExamined = 20_000

// Run prints a cluster.
func (v *clusterShowVerb) Run(ctx context.Context, s *session) error {
	when, err := v.when()
	if err != nil {
		return err
	}
	return s.onCluster(ctx, v.Chain, v.clusterFlags, func(from store.Store, c *attribution.Clusters, chain ledger.Chain, n ledger.Notation) error {
		a, err := n.ParseAddress(v.Address)
		if err != nil {
			return err
		}
		x, actors, err := v.find(ctx, from, c, when, a)
		if err == nil && x.Size <= maxExamined && x.AsOf >= uint64(c.Height()) {
			err = x.examine(ctx, c, chain, a, actors)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", v.Address, err)
		}
		if s.json {
			return s.printJSON(x)
		}
		s.printCluster(x)
		return nil
	})
}

// find reads the cluster of an address with what is said of it, and who labels say is
// behind its addresses.
func (v *clusterShowVerb) find(ctx context.Context, from store.Store, c *attribution.Clusters, when label.When, a ledger.Address) (*shownCluster, map[ledger.Address]string, error) {
	chain, n := c.Chain()
	as := c.Height()
	if v.AsOf > 0 {
		as = ledger.Height(v.AsOf)
	}
	owner, err := c.OwnerOf(ctx, a, as, max(v.Most, 1))
	if err != nil {
		return nil, nil, err
	}
	x := &shownCluster{Chain: string(chain), AsOf: uint64(as), First: n.FormatAddress(owner.First), Size: owner.Size, Labels: []shown{}, Actors: []string{}}
	for _, m := range owner.Members {
		x.Addresses = append(x.Addresses, n.FormatAddress(m))
	}
	actors, err := x.label(ctx, from, c, when)
	return x, actors, err
}

// label finds what is said of the addresses listed.
func (x *shownCluster) label(ctx context.Context, from store.Store, c *attribution.Clusters, when label.When) (map[ledger.Address]string, error) {
	chain, n := c.Chain()
	subjects := make([]label.Subject, len(x.Addresses))
	for i, text := range x.Addresses {
		subjects[i] = label.SubjectOf(chain, text)
	}
	lists, err := from.Claims(ctx, subjects)
	if err != nil {
		return nil, err
	}
	actors := map[ledger.Address]string{}
	for i, list := range lists {
		claims := label.At(list, when)
		if len(claims) == 0 {
			continue
		}
		x.Labels = append(x.Labels, shown{Subject: subjects[i], Claims: claims})
		for _, claim := range claims {
			if claim.Actor == "" {
				continue
			}
			if !slices.Contains(x.Actors, claim.Actor) {
				x.Actors = append(x.Actors, claim.Actor)
			}
			a, err := n.ParseAddress(x.Addresses[i])
			if err != nil {
				return nil, err
			}
			if actors[a] == "" {
				actors[a] = claim.Actor
			}
		}
	}
	slices.Sort(x.Actors)
	x.Conflict = len(x.Actors) > 1
	return actors, nil
}

// mostWeak is how many transactions are named that hold a cluster together alone.
const mostWeak = 5

func (x *shownCluster) examine(ctx context.Context, c *attribution.Clusters, chain ledger.Chain, a ledger.Address, actors map[ledger.Address]string) error {
	found, err := c.Examine(ctx, a, actors, mostWeak)
	if err != nil {
		return err
	}
	x.Cohesion = found.Cohesion
	for i := range found.Weak {
		w := &found.Weak[i]
		x.Weak = append(x.Weak, shownWeak{chain.FormatHash(w.Tx), w.Parts[:min(len(w.Parts), 8)], w.Apart})
	}
	return nil
}

func (s *session) printCluster(x *shownCluster) {
	fmt.Fprintf(s.stdout, "Cluster of %s on %s after block %d: %d addresses\n", x.First, ledger.Chain(x.Chain).Short(), x.AsOf, x.Size)
	if x.Cohesion > 0 && x.Size > 1 {
		fmt.Fprintf(s.stdout, "  cohesion %s: the share that stays together whatever single transaction is wrong\n", percent(uint64(x.Cohesion)))
	}
	for _, w := range x.Weak {
		fmt.Fprintf(s.stdout, "  without %s it falls into %v\n", w.Tx, w.Parts)
	}
	if x.Conflict {
		fmt.Fprintf(s.stdout, "  CONFLICT: labels name %s; see coldtrail cluster check\n", strings.Join(x.Actors, " and "))
	}
	for _, a := range x.Addresses {
		fmt.Fprintln(s.stdout, "  "+a)
	}
	if more := int(x.Size) - len(x.Addresses); more > 0 {
		fmt.Fprintf(s.stdout, "  … and %d more (--most N lists more)\n", more)
	}
	for i := range x.Labels {
		s.printShown(&x.Labels[i])
	}
}

type clusterWhyVerb struct {
	A     string `arg:"" name:"A" help:"An address."`
	B     string `arg:"" name:"B" help:"Another."`
	Chain string `default:"bitcoin" help:"The chain."`
	AsOf  uint64 `placeholder:"HEIGHT" help:"As far as was known after this block; by default the newest."`
	clusterFlags
}

// shownReason is a piece of evidence in JSON.
type shownReason struct {
	A          string `json:"a"`
	B          string `json:"b"`
	Rule       string `json:"rule"`
	Tx         string `json:"tx"`
	Confidence uint8  `json:"confidence"`
}

func shownReasons(list []attribution.Reason, chain ledger.Chain, n ledger.Notation) []shownReason {
	rows := make([]shownReason, len(list))
	for i := range list {
		r := &list[i]
		rows[i] = shownReason{n.FormatAddress(r.A), n.FormatAddress(r.B), r.Rule.Name, chain.FormatHash(r.Tx), r.Rule.Confidence}
	}
	return rows
}

// Run explains two addresses.
func (v *clusterWhyVerb) Run(ctx context.Context, s *session) error {
	return s.onCluster(ctx, v.Chain, v.clusterFlags, func(_ store.Store, c *attribution.Clusters, chain ledger.Chain, n ledger.Notation) error {
		a, err := n.ParseAddress(v.A)
		if err != nil {
			return err
		}
		b, err := n.ParseAddress(v.B)
		if err != nil {
			return err
		}
		as := c.Height()
		if v.AsOf > 0 {
			as = ledger.Height(v.AsOf)
		}
		reasons, joined, err := c.Why(ctx, a, b, as)
		if err != nil {
			return err
		}
		rows := shownReasons(reasons, chain, n)
		if s.json {
			return s.printJSON(map[string]any{"joined": joined, "as_of": as, "steps": rows})
		}
		if !joined {
			fmt.Fprintf(s.stdout, "No rule says that one owner has both, as far as block %d shows.\n", as)
			return errHit
		}
		for i, r := range rows {
			fmt.Fprintf(s.stdout, "%d. %s and %s\n   %s in %s (confidence %d)\n", i+1, r.A, r.B, r.Rule, r.Tx, r.Confidence)
		}
		return nil
	})
}

type clusterCheckVerb struct {
	Chain string `default:"bitcoin" help:"The chain."`
	Least uint32 `default:"100" help:"Mergers of two clusters that both had at least so many addresses."`
	Most  int    `default:"20" help:"Most of each to list."`
	Cut   bool   `help:"Rule out the transactions that alone hold the addresses of two actors together; it is kept as the guard's decision and can be undone."`
	clusterFlags
	knownFlags
}

// shownClash is a cluster whose labels name different actors.
type shownClash struct {
	First   string        `json:"first"`
	Size    uint32        `json:"size"`
	Actors  []label.Claim `json:"claims"`
	Suspect []shownWeak   `json:"suspects"`
}

// shownMerge is a joining of two large clusters.
type shownMerge struct {
	shownReason
	Larger  uint32 `json:"larger"`
	Smaller uint32 `json:"smaller"`
}

// Run finds what is wrong somewhere.
func (v *clusterCheckVerb) Run(ctx context.Context, s *session) error {
	when, err := v.when()
	if err != nil {
		return err
	}
	return s.onCluster(ctx, v.Chain, v.clusterFlags, func(into store.Store, c *attribution.Clusters, chain ledger.Chain, n ledger.Notation) error {
		clashes, err := v.clashes(ctx, c, chain, n, when)
		if err == nil && v.Cut {
			err = v.cut(ctx, s, into, chain, clashes)
		}
		if err != nil {
			return err
		}
		found, err := c.Merges(ctx, max(v.Least, 2), v.Most)
		if err != nil {
			return err
		}
		merges := []shownMerge{}
		for i := range found {
			merges = append(merges, shownMerge{shownReasons([]attribution.Reason{found[i].Reason}, chain, n)[0], found[i].Larger, found[i].Smaller})
		}
		if s.json {
			err = s.printJSON(map[string]any{"conflicts": clashes, "merges": merges})
		} else {
			err = s.printCheck(clashes, merges)
		}
		if err == nil && len(clashes) > 0 {
			err = errHit
		}
		return err
	})
}

// guardName is who decides where nobody looked.
const guardName = "collapse guard"

// cut rules out the first suspect of each cluster. Where several transactions hold actors
// together only together, the next check finds the next.
func (*clusterCheckVerb) cut(ctx context.Context, s *session, into store.Store, chain ledger.Chain, clashes []shownClash) error {
	for i := range clashes {
		x := &clashes[i]
		if len(x.Suspect) == 0 {
			continue
		}
		id, err := ledger.ParseHash(x.Suspect[0].Tx)
		if err != nil {
			return err
		}
		why := fmt.Sprintf("it alone holds %d pairs of actors together in the cluster of %s", x.Suspect[0].Apart, x.First)
		d := attribution.Decision{Chain: chain, Tx: id, By: guardName, Why: why, At: time.Now().Unix()}
		if err := d.Cut(ctx, into); err != nil {
			return err
		}
		fmt.Fprintf(s.stderr, "%s is ruled out: %s\n", x.Suspect[0].Tx, why)
	}
	return nil
}

func (v *clusterCheckVerb) clashes(ctx context.Context, c *attribution.Clusters, chain ledger.Chain, n ledger.Notation, when label.When) ([]shownClash, error) {
	found, err := c.Clashes(ctx, when)
	if err != nil {
		return nil, err
	}
	list := []shownClash{}
	for i := range found[:min(len(found), v.Most)] {
		f := &found[i]
		x := shownClash{First: n.FormatAddress(f.First), Size: f.Size, Actors: f.Claims, Suspect: []shownWeak{}}
		actors := map[ledger.Address]string{}
		for _, claim := range f.Claims {
			a, err := n.ParseAddress(claim.Subject.Address)
			if err != nil {
				return nil, err
			}
			actors[a] = claim.Actor
		}
		structure, err := c.Examine(ctx, f.First, actors, mostWeak)
		if err != nil {
			return nil, err
		}
		for j := range structure.Weak {
			if w := &structure.Weak[j]; w.Apart > 0 {
				x.Suspect = append(x.Suspect, shownWeak{chain.FormatHash(w.Tx), w.Parts[:min(len(w.Parts), 8)], w.Apart})
			}
		}
		list = append(list, x)
	}
	return list, nil
}

func (s *session) printCheck(clashes []shownClash, merges []shownMerge) error {
	if len(clashes) == 0 {
		fmt.Fprintln(s.stdout, "No cluster has labels of two actors.")
	}
	for i := range clashes {
		x := &clashes[i]
		var names []string
		for j := range x.Actors {
			names = append(names, fmt.Sprintf("%s (%q by %s, at %s)", x.Actors[j].Actor, x.Actors[j].Label, x.Actors[j].By, x.Actors[j].Subject.Address))
		}
		fmt.Fprintf(s.stdout, "Cluster of %s, %d addresses: %s\n", x.First, x.Size, strings.Join(names, "; "))
		for _, w := range x.Suspect {
			fmt.Fprintf(s.stdout, "  %s alone holds %d pairs of them together; without it: %v addresses\n  if it is no payment of one owner: coldtrail cluster cut %s --by NAME --why REASON\n", w.Tx, w.Apart, w.Parts, w.Tx)
		}
		if len(x.Suspect) == 0 {
			fmt.Fprintln(s.stdout, "  no single transaction explains it; look at its labels")
		}
	}
	if len(merges) == 0 {
		return nil
	}
	fmt.Fprintln(s.stdout, "\nLarge clusters that became one:")
	w := tabwriter.NewWriter(s.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ADDRESSES\tAND\tRULE\tTRANSACTION")
	for i := range merges {
		fmt.Fprintf(w, "%d\t%d\t%s\t%s\n", merges[i].Larger, merges[i].Smaller, merges[i].Rule, merges[i].Tx)
	}
	return w.Flush()
}

type clusterCutVerb struct {
	Tx    string `arg:"" name:"TXID" help:"The transaction that joins nobody."`
	Chain string `default:"bitcoin" help:"The chain."`
	By    string `required:"" help:"Your name."`
	Why   string `required:"" help:"Your reason."`
	Undo  bool   `help:"Let it in again."`
}

// Run records an analyst's decision.
func (v *clusterCutVerb) Run(ctx context.Context, s *session) (err error) {
	chain, err := parseChain(v.Chain)
	if err != nil {
		return err
	}
	id, err := ledger.ParseHash(v.Tx)
	if err != nil {
		return err
	}
	into, err := s.openStore(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, into.Close()) }()
	numbers, err := into.Find(ctx, chain, []ledger.Hash{id})
	if err != nil {
		return err
	}
	if numbers[0] == store.NoTx {
		return fmt.Errorf("transaction %s is not in the ledger of %s", v.Tx, chain.Short())
	}
	decision := attribution.Decision{Chain: chain, Tx: id, By: v.By, Why: v.Why, At: time.Now().Unix()}
	decide, done := decision.Cut, "ruled out; clusters are brought up to date when they are next asked for"
	if v.Undo {
		decide, done = decision.Undo, "let in again"
	}
	if err := decide(ctx, into); err != nil {
		return err
	}
	if s.json {
		return s.printJSON(map[string]any{"tx": chain.FormatHash(id), "by": v.By, "why": v.Why, "undo": v.Undo})
	}
	fmt.Fprintf(s.stdout, "%s: %s\n", chain.FormatHash(id), done)
	return nil
}
