package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"coldtrail/casebook"
	"coldtrail/casebook/sqlite"
	"coldtrail/chain/bitcoin"
	"coldtrail/ledger"
	"coldtrail/screen"
	"coldtrail/screen/policy"
	"coldtrail/store"
	"coldtrail/store/embedded"
	"coldtrail/taint"
	"coldtrail/trace"
)

// casework is the file of the casebook beside the store.
const casework = "casebook.db"

// screeningFlags say what verdicts rest on.
type screeningFlags struct {
	Case   []string `type:"path" placeholder:"FILE" help:"Case files whose stolen value is followed, beside the open cases of the casebook."`
	Policy string   `type:"path" placeholder:"FILE" help:"Policy that decides; by default the bundled one (coldtrail policy show)."`
	Method string   `default:"fifo" help:"Taint method: fifo, haircut, lifo, poison, seniority or tiho."`

	live bool // chains are followed, and may be reorganised
}

// openBook opens the casebook beside the store.
func (s *session) openBook(ctx context.Context) (*casebook.SQL, error) {
	folder, err := s.folder()
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(folder, 0o750); err != nil {
		return nil, err
	}
	return sqlite.Open(ctx, filepath.Join(folder, casework), time.Now().Unix(), sqlite.Options{})
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
func (f *screeningFlags) newEngine(ctx context.Context, from store.Store, book *casebook.SQL) (*screen.Engine, error) {
	rules, err := f.rules(ctx, book)
	if err != nil {
		return nil, err
	}
	method, err := taint.MethodNamed(f.Method)
	if err != nil {
		return nil, err
	}
	options := screen.Options{Notations: notations, Policy: rules, Deposits: true, Now: func() int64 { return time.Now().Unix() }}
	options.Trace = trace.Options{Method: method, Once: !f.live, Subsidy: func(_ ledger.Chain, h ledger.Height) uint64 { return bitcoin.Subsidy(h) }}
	return screen.NewEngine(from, options)
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
	store  *embedded.Store
	book   *casebook.SQL
	engine *screen.Engine
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
	o.engine, err = f.newEngine(ctx, o.store, o.book)
	return o, err
}

func (o *opened) close() error {
	var errs []error
	if o.book != nil {
		errs = append(errs, o.book.Close())
	}
	if o.store != nil {
		errs = append(errs, o.store.Close())
	}
	return errors.Join(errs...)
}
