package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"time"

	"coldtrail/attribution"
	"coldtrail/casebook"
	"coldtrail/chain/bitcoin"
	"coldtrail/ledger"
	"coldtrail/screen"
	"coldtrail/screen/policy"
	"coldtrail/store"
	"coldtrail/taint"
	"coldtrail/trace"
)

// screeningFlags say what verdicts rest on.
type screeningFlags struct {
	Case   []string `type:"path" placeholder:"FILE" help:"Case files whose stolen value is followed, beside the open cases of the casebook."`
	Policy string   `type:"path" placeholder:"FILE" help:"Policy that decides; by default the bundled one (coldtrail policy show)."`
	Method string   `default:"fifo" help:"Taint method: fifo, haircut, lifo, poison, seniority or tiho."`
	// Owners counts what is said of other addresses of the same owner.
	Owners bool `default:"true" negatable:"" help:"Count what is said of other addresses of the same owner, by the default rules of common ownership; the first time, all blocks that are held are read for it."`

	live bool // chains are followed, and may be reorganised
}

// rules reads the policy: of the file, else the active one of the casebook.
func (f *screeningFlags) rules(ctx context.Context, book *casebook.SQL) (*policy.Policy, error) {
	if f.Policy == "" {
		p, _, err := activePolicy(ctx, book)
		return p, err
	}
	text, err := os.ReadFile(f.Policy)
	if err != nil {
		return nil, err
	}
	p, err := policy.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.Policy, err)
	}
	return p, p.Validate()
}

// cases lists the open cases of the casebook, and those of files.
func (f *screeningFlags) cases(ctx context.Context, book *casebook.SQL) ([]*trace.Case, error) {
	cases, err := readCases(f.Case)
	if err != nil {
		return nil, err
	}
	for after := ""; ; {
		page, err := book.Cases(ctx, casebook.CaseFilter{State: casebook.CaseOpen, After: after})
		if err != nil || len(page) == 0 {
			return cases, err
		}
		for i := range page {
			c, err := parseCase(page[i].ID, page[i].Text)
			if err != nil {
				return nil, err
			}
			cases = append(cases, c)
		}
		after = page[len(page)-1].ID
	}
}

// newEngine makes an engine that has read nothing yet.
func (f *screeningFlags) newEngine(ctx context.Context, s *session, o *opened) (*screen.Engine, error) {
	rules, err := f.rules(ctx, o.book)
	if err != nil {
		return nil, err
	}
	method, err := taint.MethodNamed(f.Method)
	if err != nil {
		return nil, err
	}
	options := screen.Options{Notations: notations, Policy: rules, Deposits: true, Now: func() int64 { return time.Now().Unix() }}
	if f.Owners {
		options.Clusters = func(ctx context.Context) ([]*attribution.Clusters, error) { return o.reopenClusters(ctx, s) }
	}
	options.Trace = trace.Options{Method: method, Once: !f.live, Subsidy: func(_ ledger.Chain, h ledger.Height) uint64 { return bitcoin.Subsidy(h) }}
	return screen.NewEngine(o.store, options)
}

// rebuild lets the engine read labels, cases and, where one is given, a policy anew.
func (f *screeningFlags) rebuild(ctx context.Context, s *session, o *opened, rules *policy.Policy) error {
	cases, err := f.cases(ctx, o.book)
	if err != nil {
		return err
	}
	if err := o.engine.Rebuild(ctx, cases, rules); err != nil {
		return err
	}
	if err := o.engine.Trouble(); err != nil {
		fmt.Fprintf(s.stderr, "note: a case is not followed: %s\n", inert(err.Error()))
	}
	return nil
}

// opened is a store with its casebook and an engine over them.
type opened struct {
	store    store.Store
	book     *casebook.SQL
	engine   *screen.Engine
	clusters *openedClusters
}

// reopenClusters opens the clusters of all chains that are held by the labels of now.
func (o *opened) reopenClusters(ctx context.Context, s *session) (list []*attribution.Clusters, err error) {
	if o.clusters != nil {
		if err := o.clusters.close(); err != nil {
			return nil, err
		}
	}
	if o.clusters, err = s.openClusters(ctx, o.store, clusterFlags{}); err != nil {
		return nil, err
	}
	for _, chain := range slices.Sorted(maps.Keys(o.clusters.byChain)) {
		list = append(list, o.clusters.byChain[chain])
	}
	return list, nil
}

// hearAll notes that what is held is all there is to go by: of a program that does not
// follow chains nobody expects to know what happened since.
func (o *opened) hearAll(moment int64) {
	for chain := range o.engine.Now().Basis().Heads {
		o.engine.Heard(ledger.Chain(chain), moment)
	}
}

// openScreening opens everything that verdicts rest on, and reads it.
func (f *screeningFlags) openScreening(ctx context.Context, s *session) (*opened, error) {
	o, err := f.openUnread(ctx, s)
	if err != nil {
		return nil, err
	}
	if err := f.rebuild(ctx, s, o, nil); err != nil {
		return nil, errors.Join(err, o.close())
	}
	return o, nil
}

// openUnread opens everything that verdicts rest on.
func (f *screeningFlags) openUnread(ctx context.Context, s *session) (o *opened, err error) {
	o = &opened{}
	defer func() {
		if err != nil {
			err = errors.Join(err, o.close())
		}
	}()
	if o.store, err = s.openStore(ctx); err != nil {
		return o, err
	}
	if o.book, err = s.openBook(ctx); err != nil {
		return o, err
	}
	o.engine, err = f.newEngine(ctx, s, o)
	return o, err
}

func (o *opened) close() error {
	var errs []error
	if o.clusters != nil {
		errs = append(errs, o.clusters.close())
	}
	if o.book != nil {
		errs = append(errs, o.book.Close())
	}
	if o.store != nil {
		errs = append(errs, o.store.Close())
	}
	return errors.Join(errs...)
}
