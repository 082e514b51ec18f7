package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"coldtrail/attribution"
	"coldtrail/attribution/behaviour"
	"coldtrail/attribution/cluster"
	"coldtrail/ledger"
	"coldtrail/store"
)

type behaviourVerb struct {
	Address string   `arg:"" optional:"" name:"ADDRESS" help:"An address; or a transaction of a UTXO chain, from which a peel chain is followed. With --case it may be left out: every holding at which the cases meet is listed."`
	List    bool     `help:"List the patterns, their definitions and the figures that decide."`
	Chain   string   `placeholder:"C" help:"The chain; by default the one of the store that has such an address."`
	Cluster bool     `help:"Look at all addresses of its owner together."`
	AsOf    uint64   `placeholder:"HEIGHT" help:"As far as was known after this block; by default the newest."`
	Case    []string `placeholder:"CASE.yaml" help:"Case files to trace, for commingling: taint of several cases in one hand. May be given again."`
	Method  string   `default:"fifo" help:"With --case: fifo, haircut, lifo, poison, seniority or tiho."`
	Pattern string   `placeholder:"NAME" help:"Look for this pattern only."`
	Token   []string `placeholder:"ASSET" help:"A token that is real, as CHAIN/erc20:0x…; beside the well-known ones that are listed anyway. May be given again."`
	Limit   []string `placeholder:"KIND=ASSET:AMOUNT" help:"An amount in base units: fan-out, gas, dust or reporting, as in fan-out=native:40000000000000000000; 0 takes it away. May be given again."`
	Change  string   `default:"score" placeholder:"RULES" help:"Which output goes on in a peel chain: a set of change rules, such as score or one-time; none goes by the larger output."`

	Addresses    int `placeholder:"N" help:"Most addresses of a cluster to read; by default 10,000."`
	Transactions int `placeholder:"N" help:"Most transactions to read; by default 20,000."`
	Hops         int `placeholder:"N" help:"Most hops of paths to follow; by default 5,000."`

	clusterFlags
	knownFlags
}

// Run looks for patterns of conduct.
func (v *behaviourVerb) Run(ctx context.Context, s *session) error {
	if v.List {
		return v.list(s)
	}
	if v.Address == "" && len(v.Case) == 0 {
		return errors.New("say whose behaviour: give an ADDRESS; or --case files, for where they meet; --list lists the patterns")
	}
	o, err := v.options()
	if err != nil {
		return err
	}
	from, err := s.openStore(ctx)
	if err != nil {
		return err
	}
	x, err := v.ask(ctx, s, from, o)
	if err = errors.Join(err, from.Close()); err != nil {
		return err
	}
	if s.json {
		err = s.printJSON(x)
	} else {
		s.printBehaviour(x)
	}
	if err == nil && len(x.Findings) > 0 {
		err = errHit
	}
	return err
}

// options are what does not depend on the store.
func (v *behaviourVerb) options() (*attribution.ConductOptions, error) {
	o := &attribution.ConductOptions{
		AsOf:   ledger.Height(v.AsOf),
		Bounds: attribution.Bounds{Addresses: v.Addresses, Transactions: v.Transactions, Hops: v.Hops},
	}
	if v.Pattern != "" {
		at := slices.IndexFunc(behaviour.Patterns, func(p *behaviour.Pattern) bool { return p.Name == v.Pattern })
		if at < 0 {
			return nil, fmt.Errorf("--pattern %q is not known; coldtrail behaviour --list lists them", v.Pattern)
		}
		o.Pattern = behaviour.Patterns[at]
	}
	if v.Change != "none" {
		var err error
		if o.Change, err = cluster.ParseChange(v.Change); err != nil {
			return nil, fmt.Errorf("--change: %w", err)
		}
	}
	return o, nil
}

// ask answers over an open store.
func (v *behaviourVerb) ask(ctx context.Context, s *session, from store.Store, o *attribution.ConductOptions) (*shownBehaviour, error) {
	subject, err := v.subject(ctx, from)
	if err != nil {
		return nil, err
	}
	if o.Notation, err = notations(subject.chain); err != nil {
		return nil, err
	}
	if o.Parameters, err = v.parameters(subject.chain); err != nil {
		return nil, err
	}
	traced, err := v.trace(ctx, s, from, subject.chain)
	if err != nil {
		return nil, err
	}
	if v.Address == "" {
		x := &shownBehaviour{Chain: string(subject.chain), AsOf: v.AsOf, Addresses: []string{}, LeftOut: []string{}, Findings: []shownFinding{}}
		return x, traced.add(x, nil, o.Pattern)
	}
	if o.Taint, o.Toward, err = traced.arrivals(subject.chain, o.Notation); err != nil {
		return nil, err
	}
	if o.View, err = v.view(ctx, from); err != nil {
		return nil, err
	}
	found, err := v.conduct(ctx, s, from, subject, o)
	if errors.Is(err, attribution.ErrNoRecord) {
		return nil, fmt.Errorf("%s: %w of %s; ingest the blocks it is in, or say --chain", v.Address, err, subject.chain.Short())
	}
	if err != nil {
		return nil, err
	}
	x := show(found, o.Notation)
	x.Subject = v.Address
	if traced != nil {
		err = traced.add(x, x.Addresses, o.Pattern)
	}
	return x, err
}

// view says who counterparties are; nobody where there are no labels.
func (v *behaviourVerb) view(ctx context.Context, from store.Store) (*attribution.View, error) {
	when, err := v.when()
	if err != nil {
		return nil, err
	}
	revision, err := from.LabelRevision(ctx)
	if err != nil || revision.Count == 0 {
		return nil, err
	}
	return attribution.NewView(from, when, 0), nil
}

// conduct looks, with the clusters where they are asked for.
func (v *behaviourVerb) conduct(ctx context.Context, s *session, from store.Store, subject *asked, o *attribution.ConductOptions) (found *attribution.Conducted, err error) {
	if v.Cluster {
		opened, err := s.openClusters(ctx, from, v.clusterFlags, subject.chain)
		defer func() { err = errors.Join(err, opened.close()) }()
		if err != nil {
			return nil, err
		}
		o.Clusters = opened.byChain[subject.chain]
	}
	bar := newProgress(s, "transactions", 0)
	o.Progress = func(done, total uint64) {
		bar.total = total
		bar.set(done)
	}
	defer bar.end()
	if subject.tx != nil {
		return attribution.ConductFrom(ctx, from, subject.chain, *subject.tx, o)
	}
	return attribution.Conduct(ctx, from, subject.chain, subject.address, o)
}

// asked is what the question is about.
type asked struct {
	chain   ledger.Chain
	address ledger.Address
	tx      *ledger.Hash // instead of an address
}

// subject finds the chain that an address, or a transaction, is of.
func (v *behaviourVerb) subject(ctx context.Context, from store.Store) (*asked, error) {
	statuses, err := from.Status(ctx)
	if err != nil {
		return nil, err
	}
	chains, err := v.chains(statuses)
	if err != nil {
		return nil, err
	}
	if v.Address == "" {
		if len(chains) > 1 && v.AsOf > 0 {
			return nil, fmt.Errorf("--as-of is a block of which chain? say --chain (the store holds %s)", short(chains))
		}
		return &asked{chain: chains[0]}, nil
	}
	if tx, err := ledger.ParseHash(v.Address); err == nil {
		return ofTransaction(ctx, from, chains, tx)
	}
	var fits []*asked
	var names []string
	var reason error
	for _, chain := range chains {
		notation, err := notations(chain)
		if err != nil {
			return nil, err
		}
		a, err := notation.ParseAddress(v.Address)
		if err != nil {
			reason = cmp.Or(reason, err)
			continue
		}
		fits, names = append(fits, &asked{chain: chain, address: a}), append(names, chain.Short())
	}
	switch {
	case len(fits) == 0 && len(chains) == 1:
		return nil, reason
	case len(fits) == 0:
		return nil, fmt.Errorf("%q is no address of a chain in the store (%s)", v.Address, short(chains))
	case len(fits) > 1:
		return nil, fmt.Errorf("%s may be of %s; say which with --chain", v.Address, strings.Join(names, " or "))
	}
	return fits[0], nil
}

// chains are those that the question may be about.
func (v *behaviourVerb) chains(statuses []store.Status) (chains []ledger.Chain, err error) {
	for i := range statuses {
		chains = append(chains, statuses[i].Chain)
	}
	if v.Chain != "" {
		chain, err := parseChain(v.Chain)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(chains, chain) {
			return nil, fmt.Errorf("the store holds no block of %s; ingest it first (coldtrail ingest --help)", chain.Short())
		}
		return []ledger.Chain{chain}, nil
	}
	if len(chains) == 0 {
		return nil, errors.New("the store holds no block of any chain; ingest one first (coldtrail ingest --help)")
	}
	return chains, nil
}

func short(chains []ledger.Chain) string {
	names := make([]string, len(chains))
	for i, chain := range chains {
		names[i] = chain.Short()
	}
	return strings.Join(names, ", ")
}

// ofTransaction finds the UTXO chain that holds a transaction.
func ofTransaction(ctx context.Context, from store.Store, chains []ledger.Chain, tx ledger.Hash) (*asked, error) {
	for _, chain := range chains {
		if chain.Family() != ledger.UTXO {
			continue
		}
		numbers, err := from.Find(ctx, chain, []ledger.Hash{tx})
		if err != nil {
			return nil, err
		}
		if numbers[0] != store.NoTx {
			return &asked{chain: chain, tx: &tx}, nil
		}
	}
	return nil, fmt.Errorf("no UTXO chain of the store (%s) holds transaction %s; on account chains give an address", short(chains), tx)
}

// parameters are the defaults with what the user changes.
func (v *behaviourVerb) parameters(chain ledger.Chain) (behaviour.Parameters, error) {
	p := attribution.ConductParameters()
	for _, text := range v.Token {
		asset, err := chain.ParseAsset(text)
		if err != nil {
			return p, fmt.Errorf("--token: %w", err)
		}
		p.Listed[asset] = true
	}
	for _, text := range v.Limit {
		if err := setLimit(&p, chain, text); err != nil {
			return p, fmt.Errorf("--limit %q: %w", text, err)
		}
	}
	return p, nil
}

// setLimit reads KIND=ASSET:AMOUNT.
func setLimit(p *behaviour.Parameters, chain ledger.Chain, text string) error {
	kind, rest, _ := strings.Cut(text, "=")
	at := strings.LastIndex(rest, ":")
	if at < 0 {
		return errors.New("want KIND=ASSET:AMOUNT, as in fan-out=native:40000000000000000000")
	}
	asset, err := chain.ParseAsset(rest[:at])
	if err != nil {
		return err
	}
	amount, err := ledger.ParseAmount(rest[at+1:])
	if err != nil {
		return err
	}
	limits := p.Limits[asset]
	switch kind {
	case "fan-out":
		limits.FanOut = amount
	case "gas":
		limits.Gas = amount
	case "dust":
		limits.Dust = amount
	case "reporting":
		limits.Reporting = append(limits.Reporting, amount)
	default:
		return fmt.Errorf("%q is no kind; use fan-out, gas, dust or reporting", kind)
	}
	p.Limits[asset] = limits
	return nil
}
