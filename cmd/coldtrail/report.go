package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"

	"coldtrail/report"
	"coldtrail/report/export"
	"coldtrail/report/pdf"
	"coldtrail/report/xsd"
)

type reportVerb struct {
	traceFlags
	reportFlags
	registerFlags
	priceFiles
}

// reportFlags say what to make of an answer.
type reportFlags struct {
	Out        string   `short:"o" required:"" type:"path" placeholder:"PLACE" help:"File, whose ending says the format (.html, .pdf, .graphml, .gexf), or a folder for several formats."`
	Format     []string `placeholder:"FORMATS" help:"html, pdf, csv, graphml, gexf, stix, misp, goaml, with commas between them; in a folder by default all but pdf and goaml."`
	Analyst    string   `placeholder:"NAME" help:"Who makes the report."`
	ReviewedBy string   `placeholder:"NAME" help:"Who has checked it."`
	Dated      string   `placeholder:"DATE" help:"The date that the report bears; by default none, so that the same answer gives the same bytes."`
	TLP        string   `name:"tlp" default:"amber" enum:"clear,green,amber,red" help:"Who may read the STIX and MISP files (Traffic Light Protocol)."`
	Chromium   string   `type:"path" placeholder:"PATH" env:"COLDTRAIL_CHROMIUM" help:"Chromium to print PDF with; by default one of the usual names."`
	NoSandbox  bool     `help:"Run Chromium without its sandbox, as root must and many containers; the page runs no scripts and loads nothing."`
	Reporter   string   `type:"path" placeholder:"FILE" help:"YAML file that says who files the suspicious-activity report; see docs/formats/goaml.md."`
	XSD        string   `name:"xsd" type:"path" placeholder:"FILE" help:"Your country's goAML schema, to check the draft against."`
}

// Run traces the cases and reports.
func (v *reportVerb) Run(ctx context.Context, s *session) error {
	formats, err := v.formats()
	if err != nil {
		return err
	}
	cases, err := readCases(v.Cases)
	if err != nil {
		return err
	}
	options, err := v.options(s)
	if err != nil {
		return err
	}
	options.Flows = true
	result, err := v.trace(ctx, s, cases, options)
	if err != nil {
		return err
	}
	o := v.describe()
	if o.Value, err = v.values(ctx, s, result); err != nil {
		return err
	}
	o.Trace = v.commandLine("trace", "--json")
	o.Command = v.commandLine("report", v.own()...)
	r, err := report.Build(cases, result, o)
	if err != nil {
		return err
	}
	return v.write(ctx, s, r, formats)
}

// formats are the names of the formats asked for.
func (v *reportFlags) formats() ([]string, error) {
	names := v.Format
	if len(names) == 0 {
		if ending := strings.TrimPrefix(filepath.Ext(v.Out), "."); slices.Contains([]string{"html", "pdf", "graphml", "gexf"}, ending) {
			return []string{ending}, nil
		}
		names = []string{"html", "csv", "graphml", "gexf", "stix", "misp"}
	}
	for _, name := range names {
		if name == "pdf" {
			if _, err := pdf.Find(v.Chromium); err != nil {
				return nil, err // before long work, not after
			}
			continue
		}
		if _, err := export.Named(name); err != nil {
			return nil, err
		}
	}
	if v.XSD != "" && !slices.Contains(names, "goaml") {
		return nil, errors.New("--xsd checks the draft of a suspicious-activity report; add --format goaml")
	}
	return names, nil
}

// describe is what the report says beside the answer.
func (v *reportFlags) describe() report.Options {
	version := "unknown"
	if info, ok := debug.ReadBuildInfo(); ok {
		version = "coldtrail " + info.Main.Version
	}
	return report.Options{Analyst: v.Analyst, Reviewer: v.ReviewedBy, Dated: v.Dated, Version: version, Unit: unitOf, Network: networkOf}
}

// write writes the files of the formats.
func (v *reportFlags) write(ctx context.Context, s *session, r *report.Report, formats []string) (err error) {
	o := &export.Options{TLP: v.TLP}
	if slices.Contains(formats, "goaml") {
		if o.Reporter, err = v.reporter(s, r); err != nil {
			return err
		}
	}
	var files []export.File
	for _, name := range formats {
		more, err := v.files(ctx, s, r, o, name)
		if err != nil {
			return err
		}
		files = append(files, more...)
	}
	written, err := v.place(files)
	if err != nil {
		return err
	}
	if err := v.check(ctx, s, written); err != nil {
		return err
	}
	if s.json {
		return s.printJSON(map[string]any{"case": r.Result.Case, "digest": r.Result.Digest, "summary": r.Result.Summary, "files": written, "requests": len(r.Requests)})
	}
	for _, file := range written {
		fmt.Fprintln(s.stdout, file)
	}
	return nil
}

// files are the files of one format; a PDF is printed from the page.
func (v *reportFlags) files(ctx context.Context, s *session, r *report.Report, o *export.Options, name string) ([]export.File, error) {
	if name != "pdf" {
		format, err := export.Named(name)
		if err != nil {
			return nil, err
		}
		return format.Files(r, o)
	}
	program, err := pdf.Find(v.Chromium)
	if err != nil {
		return nil, err
	}
	pages, err := export.HTML.Files(r, o)
	if err != nil {
		return nil, err
	}
	var page bytes.Buffer
	if err := pages[0].Write(&page); err != nil {
		return nil, err
	}
	fmt.Fprintf(s.stderr, "note: %s prints the PDF\n", program)
	printed, err := pdf.Print(ctx, page.Bytes(), pdf.Options{Chromium: program, NoSandbox: v.NoSandbox})
	if err != nil {
		return nil, err
	}
	return []export.File{export.Bytes("report.pdf", printed)}, nil
}

// place writes files where --out says: one into a file, several into a folder.
func (v *reportFlags) place(files []export.File) (written []string, err error) {
	folder := v.Out
	if filepath.Ext(v.Out) != "" {
		if info, err := os.Stat(v.Out); err != nil || !info.IsDir() {
			if ending := filepath.Ext(v.Out); filepath.Ext(files[0].Name) != ending {
				return nil, fmt.Errorf("--out %s: %s is no %s; give a folder, or a file with that ending", v.Out, files[0].Name, ending)
			}
			if len(v.Format) > 1 {
				return nil, fmt.Errorf("--out %s is a file; give a folder for several formats", v.Out)
			}
			if strings.HasSuffix(files[0].Name, ".csv") {
				return nil, fmt.Errorf("--out %s is a file; csv is several tables: give a folder", v.Out)
			}
			files, folder = []export.File{{Name: filepath.Base(v.Out), Write: files[0].Write}}, filepath.Dir(v.Out)
		}
	}
	texts := make([]bytes.Buffer, len(files)) // all or none
	for i := range files {
		if err := files[i].Write(&texts[i]); err != nil {
			return nil, fmt.Errorf("%s: %w", files[i].Name, err)
		}
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, err
	}
	for i := range files {
		path := filepath.Join(folder, files[i].Name)
		if err := writeWhole(path, texts[i].Bytes()); err != nil {
			return nil, err
		}
		written = append(written, path)
	}
	return written, nil
}

// reporter reads who files the report, and says what is missing.
func (v *reportFlags) reporter(s *session, r *report.Report) (p export.Reporter, err error) {
	if v.Reporter != "" {
		f, err := os.Open(v.Reporter)
		if err != nil {
			return p, err
		}
		p, err = export.ReadReporter(f)
		if err = errors.Join(err, f.Close()); err != nil {
			return p, fmt.Errorf("%s: %w", v.Reporter, err)
		}
	}
	if missing := p.Missing(r); len(missing) > 0 {
		fmt.Fprintf(s.stderr, "note: the goAML draft has placeholders that you must fill in, here or in --reporter FILE: %s\n", strings.Join(missing, ", "))
	}
	return p, nil
}

// check validates the draft against the user's schema.
func (v *reportFlags) check(ctx context.Context, s *session, written []string) error {
	if v.XSD == "" {
		return nil
	}
	for _, file := range written {
		if strings.HasSuffix(file, ".xml") {
			if err := xsd.Validate(ctx, file, v.XSD); err != nil {
				return fmt.Errorf("the files are written, but: %w", err)
			}
			fmt.Fprintf(s.stderr, "note: %s meets %s\n", file, v.XSD)
		}
	}
	return nil
}
