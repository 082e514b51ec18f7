package main

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"mime"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"coldtrail/desk"
	"coldtrail/desk/job"
	"coldtrail/evidence"
	"coldtrail/ledger"
	"coldtrail/report"
	"coldtrail/report/export"
	"coldtrail/server"
	"coldtrail/store"
	"coldtrail/trace"
)

// deskJobs is long work as the server asks for it.
type deskJobs struct{ x *serving }

var _ server.Jobs = deskJobs{}

// Jobs lists jobs.
func (d deskJobs) Jobs(_ context.Context, after string, limit int) ([]job.Job, error) {
	return d.x.jobs.List(after, limit)
}

// Job says how a job stands.
func (d deskJobs) Job(_ context.Context, id string) (job.Job, error) { return d.x.jobs.Job(id) }

// EndJob cancels a job, or forgets it.
func (d deskJobs) EndJob(_ context.Context, id string) (job.Job, error) { return d.x.jobs.End(id) }

// JobResult gives what a job made.
func (d deskJobs) JobResult(_ context.Context, id string) (job.File, error) {
	return d.x.jobs.Result(id)
}

// StartJob begins work.
func (d deskJobs) StartJob(ctx context.Context, r server.JobRequest) (job.Job, error) {
	s, err := desk.Query{Case: r.Case, Method: r.Method, AsOf: r.AsOf, By: r.By}.Selector()
	if err != nil {
		return job.Job{}, err
	}
	if r.Kind == "trace" {
		return d.x.desk.Start(ctx, s)
	}
	file, err := d.x.caseFile(ctx, r.Case)
	if err != nil {
		return job.Job{}, err
	}
	w := job.Work{
		Kind: r.Kind, Case: file.ID, Method: s.Method, AsOf: s.AsOf, By: r.By, Unit: "blocks", Title: "Evidence on " + file.ID,
		Key: fmt.Sprintf("%s %q %d %s %d %q", r.Kind, file.ID, file.Revision, s.Method, s.AsOf, []string{strings.Join(r.Formats, ","), r.Analyst, r.TLP}),
		Do: func(ctx context.Context, progress job.Progress) (*job.File, error) {
			return d.x.evidenceOn(ctx, &file, &s, progress)
		},
	}
	if r.Kind == "report" {
		flags, formats, err := reportOf(&r)
		if err != nil {
			return job.Job{}, err
		}
		w.Title = "Report on " + file.ID
		w.Do = func(ctx context.Context, progress job.Progress) (*job.File, error) {
			return d.x.reportOn(ctx, &s, flags, formats, progress)
		}
	}
	return d.x.jobs.Start(w)
}

// asFlag is the moment of a selector as flags have it.
func asFlag(s *desk.Selector) string {
	if s.AsOf == 0 {
		return ""
	}
	return time.Unix(s.AsOf, 0).UTC().Format(time.RFC3339)
}

// evidenceOn builds the bundle that `coldtrail evidence` builds without sources of proofs.
func (x *serving) evidenceOn(ctx context.Context, file *desk.CaseFile, s *desk.Selector, progress job.Progress) (*job.File, error) {
	var out bytes.Buffer
	err := x.desk.Steadily(ctx, func(over store.Questions) error {
		v := evidenceVerb{Method: s.Method, AsOf: asFlag(s), Fees: "end", CoinJoin: "end", Conclude: "deposits"}
		options, closeAll, err := v.options(ctx, x.session, x.store)
		if err != nil {
			return errors.Join(err, closeAll())
		}
		options.Trace.Progress = func(_ ledger.Chain, done, total ledger.Height) { progress(uint64(done), uint64(total)) }
		out.Reset()
		_, err = evidence.Build(ctx, &out, over, []evidence.CaseFile{{Name: file.ID, Text: []byte(file.Text)}}, options)
		return errors.Join(err, closeAll()) // what labels could not tell is told here
	})
	if err != nil {
		return nil, err
	}
	return &job.File{Name: fileName(file.ID) + "-evidence.zip", MediaType: "application/zip", Body: out.Bytes()}, nil
}

// reportOf reads what is to be reported, and refuses what cannot be made here.
func reportOf(r *server.JobRequest) (*reportFlags, []string, error) {
	flags := &reportFlags{Format: r.Formats, Analyst: r.Analyst, TLP: r.TLP}
	if flags.TLP == "" {
		flags.TLP = "amber"
	}
	if !slices.Contains([]string{"clear", "green", "amber", "red"}, flags.TLP) {
		return nil, nil, refuse(server.ErrInvalid, "tlp is clear, green, amber or red, not %.20q", r.TLP)
	}
	names, err := flags.formats()
	if err != nil {
		return nil, nil, refuse(server.ErrInvalid, "%v", err)
	}
	slices.Sort(names)
	return flags, slices.Compact(names), nil
}

// reportOn makes the report that `coldtrail report` makes.
func (x *serving) reportOn(ctx context.Context, s *desk.Selector, flags *reportFlags, formats []string, progress job.Progress) (*job.File, error) {
	kept, err := x.desk.Make(ctx, *s, progress)
	if err != nil {
		return nil, err
	}
	traced := usualTrace(s.Method)
	traced.AsOf, traced.Cases = asFlag(s), []string{fileName(s.Case) + ".yaml"}
	o := flags.describe()
	o.Trace, o.Command = traced.commandLine("trace", "--json"), traced.commandLine("report", flags.own()...)
	r, err := report.Build([]*trace.Case{kept.Case()}, kept.Result(), o)
	if err != nil {
		return nil, err
	}
	with := &export.Options{TLP: flags.TLP}
	if slices.Contains(formats, "goaml") {
		if with.Reporter, err = flags.reporter(x.session, r); err != nil {
			return nil, err
		}
	}
	var files []export.File
	for _, name := range formats {
		more, err := flags.files(ctx, x.session, r, with, name)
		if err != nil {
			return nil, err
		}
		files = append(files, more...)
	}
	return packed(fileName(s.Case)+"-report", files)
}

// packed is a file alone, or several in an archive that bears no time.
func packed(name string, files []export.File) (*job.File, error) {
	var out bytes.Buffer
	if len(files) == 1 {
		ending := filepath.Ext(files[0].Name)
		if err := files[0].Write(&out); err != nil {
			return nil, err
		}
		media, _, err := mime.ParseMediaType(mime.TypeByExtension(ending))
		if err != nil {
			media = "application/octet-stream"
		}
		return &job.File{Name: name + ending, MediaType: media, Body: out.Bytes()}, nil
	}
	archive := zip.NewWriter(&out)
	for i := range files {
		into, err := archive.Create(files[i].Name)
		if err != nil {
			return nil, err
		}
		if err := files[i].Write(into); err != nil {
			return nil, fmt.Errorf("%s: %w", files[i].Name, err)
		}
	}
	if err := archive.Close(); err != nil {
		return nil, err
	}
	return &job.File{Name: name + ".zip", MediaType: "application/zip", Body: out.Bytes()}, nil
}

// fileName is an identifier as files can be called.
func fileName(id string) string {
	return strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' {
			return c
		}
		return '-'
	}, id)
}
