package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"coldtrail/attribution"
	"coldtrail/attribution/cluster"
	"coldtrail/attribution/label"
	"coldtrail/internal/replay"
	"coldtrail/ledger"
	"coldtrail/store"
	"coldtrail/store/memory"
)

// attributed is how often the heuristics of attribution are right, on a replay of which
// every owner is known.
type attributed struct {
	Seed      uint64          `json:"seed"`
	Rules     []ruleScore     `json:"rules"`
	Endings   []endingScore   `json:"endings"`
	CoinJoins []coinJoinScore `json:"coinjoins"`
	Patterns  []patternScore  `json:"patterns"`
	Peels     []peelScore     `json:"peels"`
}

// ruleScore is what a set of rules made of the addresses of a chain. A pair is two
// addresses of one cluster, or of one owner.
type ruleScore struct {
	Chain     string `json:"chain"`
	Rules     string `json:"rules"`
	Addresses int    `json:"addresses"` // of the chain
	// Links join two clusters each on the evidence of two addresses.
	Links      int `json:"links"`
	RightLinks int `json:"right_links"`
	Clusters   int `json:"clusters"` // of two addresses or more
	Pairs      int `json:"pairs"`
	RightPairs int `json:"right_pairs"`
	OwnedPairs int `json:"owned_pairs"` // of one owner, found or not
	// People are owners that are no services.
	RightOfPeople int `json:"right_pairs_of_people"`
	OwnedByPeople int `json:"owned_pairs_of_people"`
	Mixed         int `json:"clusters_of_several"`
	Largest       int `json:"largest_wrong_cluster"` // addresses
	LargestOwners int `json:"owners_in_it"`
	// Wrong counts the links that are not right, by what misled.
	Wrong map[string]int `json:"wrong_links"`
}

// endingScore is how often a trace would stop at a service for a reason other than a label
// of the address itself.
type endingScore struct {
	Chain string `json:"chain"`
	By    string `json:"by"`
	Of    int    `json:"of"`
	Found int    `json:"found"`
	Right int    `json:"right"`
}

// ownedReplay is a played scenario with what is needed to judge by.
type ownedReplay struct {
	*replay.Played
	store  *memory.Store
	blocks []*ledger.Block
	owners map[ledger.Chain]map[ledger.Address]string
	seen   map[ledger.Chain]map[ledger.Address]bool
	people map[string]bool
}

// recorder keeps the blocks that it appends.
type recorder struct {
	store.Writer
	blocks *[]*ledger.Block
}

// Append appends and remembers.
func (r recorder) Append(ctx context.Context, blocks []*ledger.Block) error {
	*r.blocks = append(*r.blocks, blocks...)
	return r.Writer.Append(ctx, blocks)
}

// attribution measures the heuristics of attribution.
func (v *benchVerb) attribution(ctx context.Context, s *session) error {
	world, err := playOwned(ctx, s, &replayVerb{Scenario: "owners", Seed: v.Seed, Scale: 1, Thin: v.Thin})
	if err != nil {
		return err
	}
	out := attributed{Seed: v.Seed}
	if out.Rules, err = world.rules(ctx); err != nil {
		return err
	}
	if out.Endings, err = world.endings(ctx); err != nil {
		return err
	}
	if out.Patterns, err = world.patterns(ctx); err != nil {
		return err
	}
	out.Peels = world.peels()
	if out.CoinJoins, err = v.coinJoins(ctx, s, world); err != nil {
		return err
	}
	return s.printJSON(out)
}

// playOwned plays a scenario into memory, with its labels.
func playOwned(ctx context.Context, s *session, v *replayVerb) (*ownedReplay, error) {
	o := &ownedReplay{store: memory.New(), people: map[string]bool{}}
	played, err := v.play(ctx, s, recorder{o.store, &o.blocks})
	if err != nil {
		return nil, err
	}
	o.Played = played
	var claims []label.Claim
	for _, l := range played.Labels {
		claims = append(claims, label.Claim{
			Subject: label.SubjectOf(ledger.Chain(l.Chain), l.Address), Label: l.Entity, Actor: strings.ReplaceAll(l.Entity, " ", "-"), Concept: conceptsOfKinds[l.Kind],
			Confidence: "ownership", Score: 100, By: "the replay", Learned: 1,
		})
	}
	if _, err := o.store.AddClaims(ctx, claims); err != nil {
		return nil, err
	}
	return o, o.who()
}

// conceptsOfKinds are the categories of a replay's labels.
var conceptsOfKinds = map[string]string{"service": "exchange", "mixer": "mixing_service", "dark": "swap_service", "in-transit": "defi_bridge"}

// who reads the owners, and which addresses the ledger has.
func (o *ownedReplay) who() error {
	o.owners, o.seen = map[ledger.Chain]map[ledger.Address]string{}, map[ledger.Chain]map[ledger.Address]bool{}
	for _, chain := range []ledger.Chain{replay.Regtest, ledger.Ethereum} {
		o.owners[chain], o.seen[chain] = map[ledger.Address]string{}, map[ledger.Address]bool{}
	}
	for text, owner := range o.Owners {
		chain := replay.Regtest
		if strings.HasPrefix(text, "0x") {
			chain = ledger.Ethereum
		}
		notation, err := notations(chain)
		if err != nil {
			return err
		}
		a, err := notation.ParseAddress(text)
		if err != nil {
			return fmt.Errorf("owner of %s: %w", text, err)
		}
		o.owners[chain][a], o.people[owner] = owner, true
	}
	for _, l := range o.Labels {
		o.people[l.Entity] = false
	}
	for _, service := range o.Deposits {
		o.people[service] = false
	}
	o.met()
	return nil
}

// met notes which of the owned addresses the ledger has.
func (o *ownedReplay) met() {
	for _, b := range o.blocks {
		for i := range b.Txs {
			for _, a := range touched(&b.Txs[i]) {
				if o.owners[b.Chain][a] != "" {
					o.seen[b.Chain][a] = true
				}
			}
		}
	}
}

// touched lists the addresses that a transaction names.
func touched(tx *ledger.Tx) (list []ledger.Address) {
	for i := range tx.Outputs {
		list = append(list, tx.Outputs[i].Address)
	}
	for i := range tx.Transfers {
		list = append(list, tx.Transfers[i].From, tx.Transfers[i].To)
	}
	for i := range tx.Messages {
		if m := &tx.Messages[i]; m.Kind == ledger.Creation {
			list = append(list, m.Contract)
		}
	}
	return append(list, tx.Fee.Payer)
}

// rulesOf are the sets of rules that are measured on a family of chains: each rule alone,
// the default set, and sets that people use.
func rulesOf(family ledger.Family) (sets []string) {
	for _, r := range cluster.Rules {
		if r.Family == family && r.Input != cluster.AllSpends { // which Endings asks
			sets = append(sets, r.Name)
		}
	}
	if family == ledger.UTXO {
		return append(sets, "change:direct|score", "change:direct|one-time", "change:type&reuse&power-of-ten", "co-spend,change:score", "co-spend,change:type&reuse&power-of-ten")
	}
	return append(sets, "deposit-address,deposit-customers", "deposit-address,gas-funder")
}

// rules measures every set of rules.
func (o *ownedReplay) rules(ctx context.Context) (scores []ruleScore, err error) {
	for _, chain := range []ledger.Chain{replay.Regtest, ledger.Ethereum} {
		for _, names := range rulesOf(chain.Family()) {
			score, err := o.rule(ctx, chain, names)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", names, err)
			}
			scores = append(scores, score)
		}
	}
	hindsight, err := o.hindsight(ctx)
	if err != nil {
		return nil, err
	}
	scores = append(scores, hindsight...)
	resolved := o.resolved()
	everything := o.judged(replay.Regtest, "co-spend, coinjoins not left out", coSpent(resolved, func(*ledger.Resolved) cluster.Exclusion { return cluster.Included }))
	truly := o.judged(replay.Regtest, "co-spend, exactly the coinjoins left out", coSpent(resolved, func(tx *ledger.Resolved) cluster.Exclusion {
		if slices.Contains(o.CoinJoins, tx.ID.String()) {
			return cluster.Mixing
		}
		return cluster.Included
	}))
	return append(scores, everything, truly), nil
}

// rule grows clusters by a set of rules and judges them.
func (o *ownedReplay) rule(ctx context.Context, chain ledger.Chain, names string) (ruleScore, error) {
	c, err := o.clusters(ctx, chain, names)
	if err != nil {
		return ruleScore{}, err
	}
	merges, err := c.Merges(ctx, 1, 1<<31)
	links := make([]tie, len(merges))
	for i := range merges {
		links[i] = tie{merges[i].A, merges[i].B, merges[i].Tx}
	}
	return o.judged(chain, names, links), err
}

// clusters grows the clusters of a chain in memory.
func (o *ownedReplay) clusters(ctx context.Context, chain ledger.Chain, names string) (*attribution.Clusters, error) {
	flags := clusterFlags{Rules: names}
	rules, err := flags.of(chain.Family())
	if err != nil {
		return nil, err
	}
	options := attribution.ClusterOptions{Rules: rules}
	if options.Notation, err = notations(chain); err != nil {
		return nil, err
	}
	view := attribution.NewView(o.store, label.When{}, 0)
	if chain.Family() == ledger.Account {
		options.Service, options.ServiceBasis = view.Services(ctx, chain, options.Notation), "the replay"
	}
	c, err := attribution.OpenClusters(ctx, o.store, chain, cluster.InMemory(chain.Family()), options)
	if err == nil {
		err = c.Sync(ctx)
	}
	if err == nil {
		err = view.Err()
	}
	return c, err
}

// tie is a link, and its evidence.
type tie struct {
	a, b ledger.Address
	tx   ledger.Hash
}

// coSpent are the links of the rule applied to each transaction by itself.
func coSpent(txs []*ledger.Resolved, excluded func(*ledger.Resolved) cluster.Exclusion) (links []tie) {
	for _, tx := range txs {
		edges, _ := cluster.CoSpend.InTx(tx, &cluster.Facts{Excluded: excluded(tx)})
		for _, e := range edges {
			links = append(links, tie{e.A, e.B, e.Tx})
		}
	}
	return links
}

// judged compares clusters with the owners. Links that join nothing new do not count.
func (o *ownedReplay) judged(chain ledger.Chain, names string, links []tie) ruleScore {
	owners, up := o.owners[chain], map[ledger.Address]ledger.Address{}
	var root func(a ledger.Address) ledger.Address
	root = func(a ledger.Address) ledger.Address {
		if above, ok := up[a]; ok && above != a {
			up[a] = root(above)
			return up[a]
		}
		return a
	}
	score := ruleScore{Chain: chain.Short(), Rules: names, Wrong: map[string]int{}}
	for _, l := range links {
		a, b := root(l.a), root(l.b)
		if a == b {
			continue
		}
		up[a] = b
		score.Links++
		if owners[l.a] == owners[l.b] {
			score.RightLinks++
		} else {
			score.Wrong[o.misled(chain, l)]++
		}
	}
	clusters, all := map[ledger.Address]map[string]int{}, map[string]int{}
	for a := range o.seen[chain] {
		score.Addresses++
		all[owners[a]]++
		r := root(a)
		if clusters[r] == nil {
			clusters[r] = map[string]int{}
		}
		clusters[r][owners[a]]++
	}
	for owner, n := range all {
		score.OwnedPairs += pairs(n)
		if o.people[owner] {
			score.OwnedByPeople += pairs(n)
		}
	}
	for _, held := range clusters {
		score.take(held, o.people)
	}
	return score
}

// misled says what a wrong link rests on: a transaction of several owners, or else who the
// two are.
func (o *ownedReplay) misled(chain ledger.Chain, l tie) string {
	if what := o.Shared[l.tx.String()]; what != "" {
		return what
	}
	who := []string{o.class(chain, l.a), o.class(chain, l.b)}
	slices.Sort(who)
	return who[0] + " and " + who[1]
}

// class is what sort of owner an address has.
func (o *ownedReplay) class(chain ledger.Chain, a ledger.Address) string {
	if notation, err := notations(chain); err == nil {
		text := notation.FormatAddress(a)
		if o.Deposits[text] != "" || o.Deposits[strings.ToLower(text)] != "" {
			return "deposit address"
		}
	}
	return strings.TrimRight(o.owners[chain][a], " 0123456789")
}

func pairs(n int) int { return n * (n - 1) / 2 }

// take counts a cluster, given how many addresses each owner has in it.
func (s *ruleScore) take(held map[string]int, people map[string]bool) {
	size := 0
	for owner, n := range held {
		size += n
		s.RightPairs += pairs(n)
		if people[owner] {
			s.RightOfPeople += pairs(n)
		}
	}
	s.Pairs += pairs(size)
	if size > 1 {
		s.Clusters++
	}
	if len(held) > 1 {
		s.Mixed++
		if size > s.Largest || size == s.Largest && len(held) > s.LargestOwners {
			s.Largest, s.LargestOwners = size, len(held)
		}
	}
}

// endings measures where a trace would stop at services that no label names.
func (o *ownedReplay) endings(ctx context.Context) (scores []endingScore, err error) {
	for _, chain := range []ledger.Chain{replay.Regtest, ledger.Ethereum} {
		c, err := o.clusters(ctx, chain, "")
		if err != nil {
			return nil, err
		}
		for _, by := range []struct {
			name string
			with attribution.Conclusions
		}{
			{"deposit addresses", attribution.Conclusions{Deposits: true}},
			{"clusters", attribution.Conclusions{Clusters: map[ledger.Chain]*attribution.Clusters{chain: c}}},
		} {
			score, err := o.ending(ctx, chain, by.with)
			if err != nil {
				return nil, err
			}
			score.Chain, score.By = chain.Short(), by.name
			scores = append(scores, score)
		}
	}
	return scores, nil
}

// ending asks about every address that no label names. Of deposit addresses those count
// that something has left; of clusters, all that a labelled service owns.
func (o *ownedReplay) ending(ctx context.Context, chain ledger.Chain, with attribution.Conclusions) (score endingScore, err error) {
	endings, err := attribution.NewEndings(ctx, o.store, attribution.NewView(o.store, label.When{}, 0), notations, with)
	if err != nil {
		return score, err
	}
	notation, err := notations(chain)
	if err != nil {
		return score, err
	}
	labelled, listed, left := map[string]bool{}, map[string]bool{}, o.left(chain)
	for _, l := range o.Labels {
		labelled[l.Address], listed[l.Entity] = true, true
	}
	for a := range o.seen[chain] {
		text := notation.FormatAddress(a)
		if labelled[text] || labelled[strings.ToLower(text)] {
			continue
		}
		owner := o.owners[chain][a]
		_, deposit := o.Deposits[text]
		_, lower := o.Deposits[strings.ToLower(text)]
		if with.Deposits && (deposit || lower) && left[a] && listed[owner] || !with.Deposits && listed[owner] {
			score.Of++
		}
		if e := endings.At(chain, a, store.NoTx); e != nil {
			score.Found++
			if e.Entity == owner {
				score.Right++
			}
		}
	}
	return score, endings.Err()
}

// left lists the addresses that something has left.
func (o *ownedReplay) left(chain ledger.Chain) map[ledger.Address]bool {
	list := map[ledger.Address]bool{}
	if chain.Family() == ledger.UTXO {
		for _, tx := range o.resolved() {
			for i := range tx.Inputs {
				list[tx.Inputs[i].Address] = true
			}
		}
		return list
	}
	for _, b := range o.blocks {
		for i := range b.Txs {
			for j := range b.Txs[i].Transfers {
				list[b.Txs[i].Transfers[j].From] = true
			}
		}
	}
	return list
}

// resolved are the transactions of the chain of outputs with what they spend.
func (o *ownedReplay) resolved() (list []*ledger.Resolved) {
	outputs := map[ledger.Outpoint]ledger.Output{}
	for _, b := range o.blocks {
		if b.Chain.Family() != ledger.UTXO {
			continue
		}
		for i := range b.Txs {
			tx := &b.Txs[i]
			r := &ledger.Resolved{ID: tx.ID, Height: b.Height, Index: tx.Index, Time: b.Time, Coinbase: tx.Coinbase, Outputs: tx.Outputs}
			for _, in := range tx.Inputs {
				r.Inputs = append(r.Inputs, outputs[in])
			}
			for j := range tx.Outputs {
				outputs[ledger.Outpoint{Tx: tx.ID, Index: uint32(j)}] = tx.Outputs[j]
			}
			list = append(list, r)
		}
	}
	return list
}

// measureAttribution prints how often the heuristics are right.
func (b *bench) measureAttribution(ctx context.Context) error {
	var a attributed
	if _, err := b.phase(ctx, "attribution", &a); err != nil {
		return err
	}
	b.attribution = &a
	for i := range a.Rules {
		r := &a.Rules[i]
		name := r.Rules + ", "
		b.share(name+"links that are right", r.RightLinks, r.Links)
		b.share(name+"pairs that are right", r.RightPairs, r.Pairs)
		b.share(name+"pairs of one owner found", r.RightPairs, r.OwnedPairs)
		b.share(name+"pairs of people found", r.RightOfPeople, r.OwnedByPeople)
		b.add(name+"clusters of several owners", float64(r.Mixed), "", "")
		b.add(name+"largest wrong cluster", float64(r.Largest), "addresses", "")
	}
	for _, e := range a.Endings {
		name := fmt.Sprintf("services by %s, %s, ", e.By, shortest(e.Chain))
		b.share(name+"right", e.Right, e.Found)
		b.share(name+"found", e.Right, e.Of)
	}
	for _, c := range a.CoinJoins {
		name := fmt.Sprintf("coinjoins by %s, %s, ", c.Rule, c.On)
		b.share(name+"right", c.Right, c.Found)
		b.share(name+"found", c.Right, c.Of)
	}
	for _, p := range a.Patterns {
		b.share("pattern "+p.Pattern+", planted that are found", p.Found, p.Planted)
		b.share("pattern "+p.Pattern+", findings that are planted", p.OfPlanted, p.Findings)
		b.share("pattern "+p.Pattern+", look-alikes that are found", p.AlikeFound, p.Alike)
	}
	for _, p := range a.Peels {
		b.share("peel steps, change by "+p.Change+", that stay with the owner", p.Right, p.Steps)
		b.share("peel chains, change by "+p.Change+", that are planted", p.OfPlanted, p.Chains)
		b.share("peel chains, change by "+p.Change+", planted that are found", p.Found, p.Planted)
	}
	return nil
}

// shortest names a chain of a replay.
func shortest(chain string) string {
	kind, _, _ := strings.Cut(chain, ":")
	return kind
}

// share adds a percentage; of nothing there is none.
func (b *bench) share(name string, part, of int) {
	if of > 0 {
		b.add(name, 100*float64(part)/float64(of), "%", "")
		return
	}
	b.table = append(b.table, measure{name, "-", "%", ""})
}
