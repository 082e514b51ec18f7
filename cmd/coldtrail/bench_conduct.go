package main

import (
	"context"
	"slices"
	"strings"

	"coldtrail/attribution"
	"coldtrail/attribution/behaviour"
	"coldtrail/attribution/cluster"
	"coldtrail/attribution/coinjoin"
	"coldtrail/internal/mixes"
	"coldtrail/internal/replay"
	"coldtrail/ledger"
	"coldtrail/trace"
)

// coinJoinScore is how often a rule for coinjoins is right.
type coinJoinScore struct {
	On    string `json:"on"`
	Rule  string `json:"rule"`
	Of    int    `json:"of"` // of its protocol
	Found int    `json:"found"`
	Right int    `json:"right"`
}

// patternScore is how often a pattern is found in what single accounts did. Findings in
// what nobody planted are no errors: they satisfy the definition too.
type patternScore struct {
	Pattern    string `json:"pattern"`
	Planted    int    `json:"planted"`
	Found      int    `json:"found"` // of these
	Alike      int    `json:"look_alikes"`
	AlikeFound int    `json:"look_alikes_found"`
	Findings   int    `json:"findings"`
	OfPlanted  int    `json:"findings_of_planted"`
}

// peelScore is how peel chains are followed where the change is decided in some way.
type peelScore struct {
	Change    string `json:"change"`
	Steps     int    `json:"steps"`
	Right     int    `json:"right_steps"` // that go on with the same owner
	Chains    int    `json:"chains"`      // of the least number of steps, longest each
	OfPlanted int    `json:"chains_of_planted"`
	Planted   int    `json:"planted"`
	Found     int    `json:"found"` // planted ones of which all steps are in one chain
	Alike     int    `json:"chains_of_look_alikes"`
	Whole     int    `json:"whole"` // of the chains, those that never leave their owner
}

// mixesCount is how many transactions the rules for coinjoins are measured on.
const mixesCount = 10_000

// coinJoins measures the rules for coinjoins on two replays and on generated transactions.
func (v *benchVerb) coinJoins(ctx context.Context, s *session, world *ownedReplay) (scores []coinJoinScore, err error) {
	scores = recognised("owners", world.resolved(), world.Mixes)
	bybit, err := playOwned(ctx, s, &replayVerb{Scenario: "bybit", Seed: v.Seed, Scale: 1000, Thin: 10, Wallets: 1000})
	if err != nil {
		return nil, err
	}
	scores = append(scores, recognised("bybit", bybit.resolved(), bybit.Mixes)...)
	for _, m := range mixes.Measure(mixes.Generate(v.Seed, mixesCount)) {
		scores = append(scores, coinJoinScore{"mixes", m.Rule, m.Of, m.Found, m.Right})
	}
	return scores, nil
}

// recognised scores the rules whose protocol was played, and all together as co-spend
// heeds them.
func recognised(on string, txs []*ledger.Resolved, truth map[string]string) (scores []coinJoinScore) {
	all := coinJoinScore{On: on, Rule: "all rules"}
	byRule := make([]coinJoinScore, len(coinjoin.Rules))
	for _, tx := range txs {
		at := *tx
		at.Height = coinjoin.Height(replay.Regtest, tx.Height)
		protocol := truth[tx.ID.String()]
		f, ok := coinjoin.Recognise(&at)
		all.count(judged{protocol != "", ok && !f.Entry && f.Confidence >= coinjoin.Threshold})
		for i, rule := range coinjoin.Rules {
			found, ok := coinjoin.RecogniseBy(rule, &at)
			is := protocol == rule.Protocol || protocol != "" && rule.Protocol == "unknown" // which is of every protocol
			byRule[i].count(judged{is, ok && !found.Entry})
		}
	}
	for i, rule := range coinjoin.Rules {
		if rule.Name != "whirlpool-tx0" && (byRule[i].Of > 0 || byRule[i].Found > 0) { // which finds no mixes
			byRule[i].On, byRule[i].Rule = on, rule.Name
			scores = append(scores, byRule[i])
		}
	}
	return append(scores, all)
}

// judged is the truth of a transaction, and what a rule says.
type judged struct{ is, says bool }

func (s *coinJoinScore) count(j judged) {
	if j.is {
		s.Of++
	}
	if j.says {
		s.Found++
	}
	if j.is && j.says {
		s.Right++
	}
}

// conductParameters are those of the patterns that the scenario plants: ether and USDT
// with limits, and on the chain of outputs bitcoin's limit of dust.
func conductParameters() behaviour.Parameters {
	p := behaviour.DefaultParameters()
	dollar := tokenOf("0xdac17f958d2ee523a2206206994597c13d831ec7")
	p.Listed = map[ledger.Asset]bool{dollar: true}
	p.Limits[dollar] = behaviour.Limits{Dust: ledger.NewAmount(10_000), Reporting: []ledger.Amount{ledger.NewAmount(10_000_000_000)}}
	p.Limits[ledger.Ethereum.Native()] = behaviour.Limits{Dust: ledger.NewAmount(10_000_000_000_000), Gas: cluster.GasFunderMost}
	p.Limits[replay.Regtest.Native()] = p.Limits[ledger.Bitcoin.Native()]
	return p
}

// pathParameters list the tokens that the planted paths lead through, too.
func pathParameters() behaviour.Parameters {
	p := conductParameters()
	p.Listed[tokenOf("0xae7ab96520de3a18e5e111b5eaab095312d7fe84")] = true // stETH
	p.Listed[tokenOf("0xd5f7838f5c461feff7fe49ea5ebaf7728bb0adfa")] = true // mETH
	return p
}

func tokenOf(contract string) ledger.Asset {
	return ledger.Asset(string(ledger.Ethereum) + "/erc20:" + contract)
}

// patterns looks for every planted pattern at every address of the chain on which it is
// planted. Peel chains are measured by peels.
func (o *ownedReplay) patterns(ctx context.Context) (scores []patternScore, err error) {
	taint, err := o.arrivals(ctx)
	if err != nil {
		return nil, err
	}
	subjects, planted := map[ledger.Chain]map[ledger.Address]*behaviour.Subject{}, map[ledger.Chain]map[string]map[ledger.Address]*replay.Conduct{}
	for _, chain := range playedChains {
		notation, err := notations(chain)
		if err != nil {
			return nil, err
		}
		subjects[chain], planted[chain] = o.subjects(chain, notation), o.planted(chain, notation)
		for a, s := range subjects[chain] {
			s.Taint = taint[whereabouts{chain, a}]
		}
	}
	for _, pattern := range behaviour.Patterns {
		for _, chain := range playedChains {
			conducts := planted[chain][pattern.Name]
			if pattern == behaviour.PeelPattern || len(conducts) == 0 {
				continue
			}
			score, err := o.pattern(ctx, chain, pattern, subjects[chain], conducts)
			if err != nil {
				return nil, err
			}
			scores = append(scores, score)
		}
	}
	return scores, nil
}

// playedChains are those of every replay.
var playedChains = []ledger.Chain{ledger.Ethereum, replay.Regtest}

// pattern looks for one pattern at every address of a chain.
func (o *ownedReplay) pattern(ctx context.Context, chain ledger.Chain, pattern *behaviour.Pattern, subjects map[ledger.Address]*behaviour.Subject, planted map[ledger.Address]*replay.Conduct) (score patternScore, err error) {
	score.Pattern = pattern.Name
	for _, c := range planted {
		if c.Innocent {
			score.Alike++
		} else {
			score.Planted++
		}
	}
	options := &attribution.ConductOptions{Parameters: conductParameters(), Pattern: pattern}
	if pattern.OfPaths() {
		options.Parameters = pathParameters()
		if options.Notation, err = notations(chain); err != nil {
			return score, err
		}
	}
	for a, subject := range subjects {
		if !pattern.OfPaths() {
			score.take(behaviour.FindBy(pattern, subject, options.Parameters), planted[a])
			continue
		}
		if len(subject.Steps) == 0 { // it had something, and did nothing
			continue
		}
		found, err := attribution.Conduct(ctx, o.store, chain, a, options)
		if err != nil {
			return score, err
		}
		score.take(found.Findings, planted[a])
	}
	return score, nil
}

// whereabouts is an address of a chain.
type whereabouts struct {
	chain   ledger.Chain
	address ledger.Address
}

// arrivals traces the scenario's thefts and says where a transaction moved taint of which
// incident: nobody tells it but where the thefts are.
func (o *ownedReplay) arrivals(ctx context.Context) (map[whereabouts]map[ledger.Hash][]string, error) {
	byIncident := map[string]*trace.Case{}
	for _, t := range o.Thefts {
		incident, colour, _ := strings.Cut(t.Colour, "-")
		if byIncident[incident] == nil {
			byIncident[incident] = &trace.Case{Name: incident}
		}
		c := byIncident[incident]
		c.Thefts = append(c.Thefts, trace.Theft{Colour: colour, Chain: t.Chain, Asset: t.Asset, Tx: t.Tx, To: t.To, Outpoint: t.Outpoint, Amount: t.Amount.String()})
	}
	var cases []*trace.Case
	for _, incident := range sortedKeys(byIncident) {
		cases = append(cases, byIncident[incident])
	}
	result, err := trace.Run(ctx, o.store, cases, trace.Options{Notations: notations, Flows: true})
	if err != nil {
		return nil, err
	}
	traced, taint := tracedCases{result: result}, map[whereabouts]map[ledger.Hash][]string{}
	for _, chain := range playedChains {
		notation, err := notations(chain)
		if err != nil {
			return nil, err
		}
		list, _, err := traced.arrivals(chain, notation)
		if err != nil {
			return nil, err
		}
		for _, a := range list {
			at := whereabouts{chain, a.To}
			if slices.Contains(a.From, a.To) { // it is there already
				continue
			}
			if taint[at] == nil {
				taint[at] = map[ledger.Hash][]string{}
			}
			taint[at][a.Tx] = append(taint[at][a.Tx], a.Incident)
		}
	}
	return taint, nil
}

// take counts the findings at an account, where something was planted or not.
func (s *patternScore) take(found []behaviour.Finding, c *replay.Conduct) {
	s.Findings += len(found)
	if c == nil {
		return
	}
	hits := 0
	for i := range found {
		if names(found[i].Txs, c.Txs) {
			hits++
		}
	}
	switch {
	case hits == 0:
	case c.Innocent:
		s.AlikeFound++
	default:
		s.Found++
		s.OfPlanted += hits
	}
}

// names says that a finding names a planted transaction.
func names(found []ledger.Hash, planted []string) bool {
	return slices.ContainsFunc(found, func(id ledger.Hash) bool {
		return slices.ContainsFunc(planted, func(tx string) bool { return strings.TrimPrefix(tx, "0x") == id.String() })
	})
}

// planted are the patterns on a chain, by name and address.
func (o *ownedReplay) planted(chain ledger.Chain, notation ledger.Notation) map[string]map[ledger.Address]*replay.Conduct {
	list := map[string]map[ledger.Address]*replay.Conduct{}
	for i := range o.Conducts {
		c := &o.Conducts[i]
		if c.Chain != string(chain) {
			continue
		}
		a, err := notation.ParseAddress(c.Subject)
		if err != nil {
			continue
		}
		if list[c.Pattern] == nil {
			list[c.Pattern] = map[ledger.Address]*replay.Conduct{}
		}
		list[c.Pattern][a] = c
	}
	return list
}

// parties says what labels name an address. Deposit addresses are known as such, as a
// list of labels would have them.
func (o *ownedReplay) parties(chain ledger.Chain, notation ledger.Notation) func(ledger.Address) behaviour.Party {
	parties := map[ledger.Address]behaviour.Party{}
	for _, l := range o.Labels {
		if a, err := notation.ParseAddress(l.Address); err == nil && l.Chain == string(chain) {
			parties[a] = behaviour.Party{Labels: []string{conceptsOfKinds[l.Kind]}, Entity: l.Entity}
		}
	}
	for text, entity := range o.Deposits {
		if a, err := notation.ParseAddress(text); err == nil {
			parties[a] = behaviour.Party{Labels: []string{"deposit_wallet"}, Entity: entity}
		}
	}
	return func(a ledger.Address) behaviour.Party {
		p := parties[a]
		p.Address = a
		return p
	}
}

// subjects are what every address of a chain did, each by itself.
func (o *ownedReplay) subjects(chain ledger.Chain, notation ledger.Notation) map[ledger.Address]*behaviour.Subject {
	party := o.parties(chain, notation)
	list := map[ledger.Address]*behaviour.Subject{}
	of := func(a ledger.Address) *behaviour.Subject {
		if list[a] == nil {
			list[a] = &behaviour.Subject{Own: map[ledger.Address]bool{a: true}}
		}
		return list[a]
	}
	note := func(step behaviour.Step, who []ledger.Address) {
		for _, a := range who {
			of(a).Steps = append(of(a).Steps, step)
		}
	}
	if chain.Family() == ledger.UTXO {
		for _, tx := range o.resolved() {
			note(o.spendOf(chain, tx, party))
		}
		return list
	}
	for _, b := range o.blocks {
		if b.Chain != chain {
			continue
		}
		for _, opening := range b.Openings {
			of(opening.Address).Openings = append(of(opening.Address).Openings, opening)
		}
		for i := range b.Txs {
			note(stepOf(b, &b.Txs[i], party))
		}
	}
	return list
}

// spendOf is a transaction of a chain of outputs, and whom it concerns.
func (o *ownedReplay) spendOf(chain ledger.Chain, tx *ledger.Resolved, party func(ledger.Address) behaviour.Party) (st behaviour.Step, who []ledger.Address) {
	st = behaviour.Step{Chain: chain, Tx: tx.ID, Height: tx.Height, Index: tx.Index, Time: tx.Time, Mix: o.Mixes[tx.ID.String()]}
	parts := func(list []ledger.Output) (parts []behaviour.Part) {
		for i := range list {
			a := list[i].Address
			parts = append(parts, behaviour.Part{Party: party(a), Asset: chain.Native(), Amount: ledger.NewAmount(list[i].Value)})
			if !a.IsZero() && !slices.Contains(who, a) {
				who = append(who, a)
			}
		}
		return parts
	}
	st.In, st.Out = parts(tx.Inputs), parts(tx.Outputs)
	return st, who
}

// stepOf is a transaction of an account chain, and whom it concerns.
func stepOf(b *ledger.Block, tx *ledger.Tx, party func(ledger.Address) behaviour.Party) (behaviour.Step, []ledger.Address) {
	st := behaviour.Step{Chain: b.Chain, Tx: tx.ID, Height: b.Height, Index: tx.Index, Time: b.Time, Sender: tx.Fee.Payer}
	st.Fee.Add(&tx.Fee.Burned, &tx.Fee.Tip)
	who := []ledger.Address{tx.Fee.Payer}
	for i := range tx.Transfers {
		t := &tx.Transfers[i]
		st.Moves = append(st.Moves, behaviour.Move{From: party(t.From), To: party(t.To), Asset: t.Asset, Amount: t.Amount})
		for _, a := range []ledger.Address{t.From, t.To} {
			if !slices.Contains(who, a) {
				who = append(who, a)
			}
		}
	}
	return st, who
}

// peels follows peel chains with the change decided by nothing, and by rules.
func (o *ownedReplay) peels() (scores []peelScore) {
	txs := o.resolved()
	facts := factsOf(txs)
	for _, set := range []string{"", "score", "type&reuse&power-of-ten"} {
		decide := func(int) int { return -1 }
		name := "the larger output"
		if set != "" {
			change, err := cluster.ParseChange(set)
			if err != nil {
				continue
			}
			name = set
			decide = func(i int) int { return change.In(txs[i], facts[i]).Output }
		}
		scores = append(scores, o.peelsBy(name, txs, decide))
	}
	return scores
}

// follow is where a peel goes on.
type follow struct {
	ok, right, led bool
	next           int
}

// peelsBy finds the peels among all transactions but coinjoins, and joins them to chains.
func (o *ownedReplay) peelsBy(name string, txs []*ledger.Resolved, decide func(int) int) peelScore {
	score, p := peelScore{Change: name}, behaviour.DefaultParameters()
	owners, spender := o.owners[replay.Regtest], o.spenders()
	number := map[ledger.Hash]int{}
	for i, tx := range txs {
		number[tx.ID] = i
	}
	steps := make([]follow, len(txs))
	for i, tx := range txs {
		on, ok := behaviour.PeelStep(tx, decide(i), p)
		if !ok || slices.Contains(o.CoinJoins, tx.ID.String()) {
			continue
		}
		score.Steps++
		steps[i] = follow{ok: true, next: -1, right: owners[tx.Outputs[on].Address] == owners[tx.Inputs[0].Address]}
		if steps[i].right {
			score.Right++
		}
		if next, spent := spender[ledger.Outpoint{Tx: tx.ID, Index: uint32(on)}]; spent {
			steps[i].next = number[next]
		}
	}
	o.chains(&score, txs, steps, p)
	return score
}

// chains joins steps to the longest chains and compares them with those planted.
func (o *ownedReplay) chains(score *peelScore, txs []*ledger.Resolved, steps []follow, p behaviour.Parameters) {
	goesOn := func(i int) bool {
		next := steps[i].next
		return next >= 0 && steps[next].ok && uint64(max(txs[next].Time-txs[i].Time, 0)) <= p.Peel.Within
	}
	for i := range steps {
		if steps[i].ok && goesOn(i) {
			steps[steps[i].next].led = true
		}
	}
	chainOf := map[string]int{}
	for i := range steps {
		if !steps[i].ok || steps[i].led {
			continue
		}
		chain, whole := []int{i}, true
		for at := i; goesOn(at); at = steps[at].next {
			chain, whole = append(chain, steps[at].next), whole && steps[at].right
		}
		if len(chain) < p.Peel.Steps {
			continue
		}
		score.Chains++
		if whole {
			score.Whole++
		}
		o.whose(score, txs[i])
		for _, at := range chain {
			chainOf[txs[at].ID.String()] = score.Chains
		}
	}
	o.together(score, chainOf)
}

// whose counts a chain by who begins it.
func (o *ownedReplay) whose(score *peelScore, first *ledger.Resolved) {
	switch o.class(replay.Regtest, first.Inputs[0].Address) {
	case "thief":
		score.OfPlanted++
	case "spender":
		score.Alike++
	}
}

// together counts the planted chains of which all steps are in one.
func (o *ownedReplay) together(score *peelScore, chainOf map[string]int) {
	for i := range o.Conducts {
		c := &o.Conducts[i]
		if c.Pattern != behaviour.PeelPattern.Name || c.Innocent {
			continue
		}
		score.Planted++
		if at := chainOf[c.Txs[0]]; at > 0 && !slices.ContainsFunc(c.Txs, func(id string) bool { return chainOf[id] != at }) {
			score.Found++
		}
	}
}

// spenders says which transaction spends an output.
func (o *ownedReplay) spenders() map[ledger.Outpoint]ledger.Hash {
	list := map[ledger.Outpoint]ledger.Hash{}
	for _, b := range o.blocks {
		for i := range b.Txs {
			for _, in := range b.Txs[i].Inputs {
				list[in] = b.Txs[i].ID
			}
		}
	}
	return list
}

// factsOf is what the whole ledger holds of the addresses of each transaction's outputs.
func factsOf(txs []*ledger.Resolved) []*cluster.Facts {
	type life struct {
		last            int
		received, spent uint32
	}
	lives := map[ledger.Address]*life{}
	of := func(a ledger.Address) *life {
		if lives[a] == nil {
			lives[a] = &life{}
		}
		return lives[a]
	}
	for i, tx := range txs {
		for _, a := range distinct(tx.Inputs) {
			of(a).spent++
		}
		for _, a := range distinct(tx.Outputs) {
			l := of(a)
			l.received++
			l.last = i
		}
	}
	facts, seen := make([]*cluster.Facts, len(txs)), map[ledger.Address]bool{}
	for i, tx := range txs {
		facts[i] = &cluster.Facts{}
		for j := range tx.Outputs {
			a := tx.Outputs[j].Address
			l := of(a)
			facts[i].Outputs = append(facts[i].Outputs, cluster.Known{SeenBefore: seen[a], ReusedAfter: l.last > i, Received: l.received, Spent: l.spent})
		}
		for j := range tx.Outputs {
			seen[tx.Outputs[j].Address] = true
		}
	}
	return facts
}

// distinct lists the addresses of outputs, each once.
func distinct(outputs []ledger.Output) (list []ledger.Address) {
	for i := range outputs {
		if a := outputs[i].Address; !a.IsZero() && !slices.Contains(list, a) {
			list = append(list, a)
		}
	}
	return list
}
