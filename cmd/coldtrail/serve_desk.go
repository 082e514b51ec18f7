package main

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"coldtrail/desk"
	"coldtrail/desk/job"
	"coldtrail/ledger"
	"coldtrail/register"
	"coldtrail/server"
	"coldtrail/store"
	"coldtrail/trace"
)

// openDesk makes what answers questions about cases, and what does long work.
func (x *serving) openDesk() {
	x.jobs = job.New(job.Options{Now: time.Now, Failed: func(j job.Job, err error) {
		x.log.Warn("a job failed", slog.String("job", j.ID), slog.String("title", j.Title), slog.Any("error", err))
	}})
	x.desk = desk.New(desk.Options{
		Store: x.store, Case: x.caseFile, Trace: x.traceCases, Rewinds: x.rewinds.Load, Runner: x.jobs, Issuers: issuersOf(x.league.known), Now: time.Now,
	})
}

// itsIssuer is what the register says of an asset whose issuer can freeze it.
const itsIssuer = "its issuer"

// issuersOf lists who can freeze which asset, by the register.
func issuersOf(known *register.Register) (list []desk.Issuer) {
	for i := range known.Assets {
		a := &known.Assets[i]
		if a.Freeze != itsIssuer || a.Issuer == "" {
			continue
		}
		issuer := desk.Issuer{Asset: a.Asset, Who: a.Issuer, Why: a.Issuer + " issued " + a.Symbol + " and can stop any holder of it, by the register."}
		for _, id := range a.Sources {
			if s, ok := known.Source(id); ok {
				issuer.Cites = append(issuer.Cites, desk.Citation{By: s.By, Title: s.Title, URL: s.URI, Date: s.Date})
			}
		}
		list = append(list, issuer)
	}
	return list
}

// caseFile gives a case out of the casebook, open or closed.
func (x *serving) caseFile(ctx context.Context, id string) (desk.CaseFile, error) {
	c, err := x.book.Case(ctx, id)
	if err != nil {
		return desk.CaseFile{}, answered(err)
	}
	return desk.CaseFile{ID: c.ID, Revision: c.Revision, Text: c.Text}, nil
}

// usualTrace is what `coldtrail trace` does where nothing is said but the method.
func usualTrace(method string) traceFlags {
	return traceFlags{Method: method, Mode: string(trace.Streaming), Fees: "end", CoinJoin: "end", Conclude: "deposits"}
}

// traceCases traces as `coldtrail trace` does, over a state of the store.
func (x *serving) traceCases(ctx context.Context, over store.Questions, cases []*trace.Case, how desk.Job) (*trace.Result, error) {
	flags := usualTrace(how.Method)
	options, err := flags.options(x.session)
	if err != nil {
		return nil, err
	}
	options.Flows = true
	options.Progress = func(_ ledger.Chain, done, total ledger.Height) { how.Progress(uint64(done), uint64(total)) }
	if how.AsOf != 0 {
		options.AsOf = time.Unix(how.AsOf, 0).UTC()
	}
	done, err := flags.stopAt(ctx, x.session, x.store, &options)
	if err != nil {
		return nil, errors.Join(err, done())
	}
	result, err := trace.Run(ctx, over, cases, options)
	if err = errors.Join(err, done()); err != nil {
		return nil, err
	}
	return result, nil
}

// keptTraces is the desk as the server asks it.
type keptTraces struct{ desk *desk.Desk }

// Traced gives the trace that a selector names, or the job that makes it.
func (t keptTraces) Traced(ctx context.Context, s desk.Selector) (server.Traced, *job.Job, error) {
	kept, pending, err := t.desk.Kept(ctx, s)
	if kept == nil {
		return nil, pending, err
	}
	return kept, nil, nil
}

// Compared says where the six methods differ.
func (t keptTraces) Compared(ctx context.Context, s desk.Selector, after string, limit int) (*desk.Comparison, *job.Job, error) {
	return t.desk.Compared(ctx, s, after, limit)
}
