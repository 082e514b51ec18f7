package main

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/klauspost/compress/zstd"

	"coldtrail"
	"coldtrail/attribution"
	"coldtrail/attribution/feed"
	"coldtrail/attribution/label"
)

type labelsVerb struct {
	Import labelsImportVerb `cmd:"" help:"Take in what others say about addresses and actors: TagPacks, sanctions lists, tables, STIX and more."`
	List   labelsListVerb   `cmd:"" help:"Say what is held, by source."`
	Show   labelsShowVerb   `cmd:"" help:"Say everything that is said about an address or an actor."`
	Export labelsExportVerb `cmd:"" help:"Write labels in the formats of others."`
	Oracle labelsOracleVerb `cmd:"" help:"Replay the on-chain sanctions oracle from a chain of the store."`
}

type labelsImportVerb struct {
	Bundled    bool     `help:"Import what the program brings: the groups behind known thefts, and whom they belong to."`
	Files      []string `arg:"" optional:"" name:"FILE" type:"path" help:"Files or folders; .zst, .gz and .tar are opened."`
	Format     string   `placeholder:"F" help:"tagpack, actorpack, case, ofac-csv, ofac-xml, ofac-advanced, ofac-list, ftm, stix, csv, etherscan or list; by default told from the file."`
	KeepGoing  bool     `help:"Import what is right of a file with bad rows, and write those to a reject file."`
	Reject     string   `type:"path" placeholder:"FILE" help:"With --keep-going: where bad rows are listed; by default labels-rejected.csv beside the store."`
	Learned    string   `placeholder:"TIME" help:"When this became known to you; by default now."`
	By         string   `help:"Who says so, where the file does not say."`
	Source     string   `help:"Where it was published, where the file does not say."`
	Label      string   `help:"What is said, where the file has only addresses."`
	Actor      string   `help:"Actor behind all addresses, where the file does not say."`
	Category   string   `help:"Category of the taxonomy, where the file does not say."`
	Abuse      string   `help:"Abuse of the taxonomy, where the file does not say."`
	Network    string   `help:"Network of the addresses, where the file does not say."`
	Confidence string   `help:"How sure the source is, by its reason, such as authority_data, where the file does not say."`
}

// Run imports files, each whole or not at all.
func (v *labelsImportVerb) Run(ctx context.Context, s *session) (err error) {
	x := &labelsImport{session: s, keep: v.KeepGoing, options: feed.Options{
		Learned: time.Now().Unix(), By: v.By, Source: v.Source, Label: v.Label, Actor: v.Actor, Category: v.Category, Abuse: v.Abuse, Network: v.Network, Confidence: v.Confidence,
	}}
	if v.Learned != "" {
		moment, err := parseMoment("--learned", v.Learned)
		if err != nil {
			return err
		}
		x.options.Learned = moment.Unix()
	}
	if v.Format != "" {
		if x.format, err = feed.Named(v.Format); err != nil {
			return err
		}
	}
	into, err := s.openStore(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, into.Close()) }()
	x.into = attribution.NewImporter(into)
	x.bar = newProgress(s, "labels", 0)
	if len(v.Files) == 0 && !v.Bundled {
		return errors.New("name at least one file or folder, or --bundled")
	}
	if v.Bundled {
		if err := x.bundled(ctx); err != nil {
			return err
		}
	}
	for _, file := range v.Files {
		if err := x.visit(ctx, file); err != nil {
			return err
		}
	}
	x.bar.end()
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := x.writeRejected(v.Reject); err != nil {
		return err
	}
	if s.json {
		err = s.printJSON(map[string]any{"files": x.done, "skipped": x.skipped, "refused": texts(x.refused)})
	} else {
		err = x.print()
	}
	return errors.Join(append([]error{err}, x.refused...)...)
}

func texts(errs []error) []string {
	list := []string{}
	for _, err := range errs {
		list = append(list, err.Error())
	}
	return list
}

// labelsImport is an import on its way.
type labelsImport struct {
	session *session
	keep    bool
	format  *feed.Feed
	options feed.Options
	into    *attribution.Importer
	bar     *progress
	done    []*attribution.Imported
	skipped []string
	refused []error // files of which nothing was kept
	rows    uint64
}

// bundled imports what the program brings.
func (x *labelsImport) bundled(ctx context.Context) error {
	for _, name := range []string{bundledActors, demoFolder + "/case.yaml"} {
		f, err := coldtrail.Bundled.Open(name)
		if err != nil {
			return err
		}
		if err := errors.Join(x.read(ctx, name, f, false), f.Close()); err != nil {
			return err
		}
	}
	return nil
}

// visit imports a file, or what a folder holds.
func (x *labelsImport) visit(ctx context.Context, path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return x.open(ctx, path, false)
	}
	return filepath.WalkDir(path, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		return x.open(ctx, path, true)
	})
}

// open imports one file, opened if it is packed. Among others of a folder or archive
// what nobody recognises is skipped.
func (x *labelsImport) open(ctx context.Context, path string, among bool) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	var from io.Reader = f
	name := path
	switch filepath.Ext(path) {
	case ".zst":
		z, err := zstd.NewReader(f, zstd.WithDecoderMaxMemory(256<<20), zstd.WithDecoderConcurrency(1))
		if err != nil {
			return err
		}
		defer z.Close()
		from, name = z, strings.TrimSuffix(path, ".zst")
	case ".gz":
		z, err := gzip.NewReader(f)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		from, name = z, strings.TrimSuffix(path, ".gz")
	}
	if strings.HasSuffix(name, ".tar") {
		return x.archive(ctx, name, from)
	}
	return x.read(ctx, name, from, among)
}

// archive imports the files of an archive.
func (x *labelsImport) archive(ctx context.Context, name string, from io.Reader) error {
	files := tar.NewReader(from)
	for {
		header, err := files.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if header.Typeflag != tar.TypeReg {
			continue
		}
		if err := x.read(ctx, name+"/"+header.Name, files, true); err != nil {
			return err
		}
	}
}

func (x *labelsImport) read(ctx context.Context, name string, from io.Reader, among bool) error { //nolint:revive // where a file lies decides
	batch, err := feed.Read(name, from, x.format, x.options)
	if errors.Is(err, feed.ErrFormat) && among {
		x.skipped = append(x.skipped, name)
		return nil
	}
	if err != nil {
		x.refused = append(x.refused, err)
		return ctx.Err()
	}
	imported, err := x.into.Import(ctx, batch, x.keep)
	var rejected *attribution.RejectedError
	if errors.As(err, &rejected) {
		x.refused = append(x.refused, err)
		return nil
	}
	if err != nil {
		return err
	}
	x.rows += uint64(imported.Claims)
	x.bar.set(x.rows)
	x.done = append(x.done, imported)
	return nil
}

// writeRejected lists the bad rows of what was imported without them.
func (x *labelsImport) writeRejected(path string) error {
	var text strings.Builder
	text.WriteString("file,line,reason\n")
	n := 0
	for _, imported := range x.done {
		for i := range imported.Rejected {
			p := &imported.Rejected[i]
			fmt.Fprintf(&text, "%q,%d,%q\n", p.File, p.Line, p.Reason)
			n++
		}
	}
	if n == 0 {
		return nil
	}
	if path == "" {
		folder, err := x.session.folder()
		if err != nil {
			return err
		}
		path = strings.TrimSuffix(folder, string(filepath.Separator)) + "-labels-rejected.csv"
	}
	fmt.Fprintf(x.session.stderr, "%d rows are no claims; they are listed in %s\n", n, path)
	return os.WriteFile(path, []byte(text.String()), 0o600)
}

func (x *labelsImport) print() error {
	w := tabwriter.NewWriter(x.session.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "FILE\tFORMAT\tCLAIMS\tNEW\tWITHDRAWN\tREFUSED\tWARNINGS")
	var sum attribution.Imported
	refused, warned := 0, 0
	for _, i := range x.done {
		fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%d\t%d\t%d\n", filepath.Base(i.File), i.Format, i.Claims, i.Added, i.Withdrawn, len(i.Rejected), len(i.Warnings))
		sum.Claims, sum.Added, sum.Withdrawn = sum.Claims+i.Claims, sum.Added+i.Added, sum.Withdrawn+i.Withdrawn
		refused, warned = refused+len(i.Rejected), warned+len(i.Warnings)
	}
	fmt.Fprintf(w, "all (%d)\t\t%d\t%d\t%d\t%d\t%d\n", len(x.done), sum.Claims, sum.Added, sum.Withdrawn, refused, warned)
	if err := w.Flush(); err != nil {
		return err
	}
	for _, name := range x.skipped {
		fmt.Fprintf(x.session.stderr, "%s: no format recognises it; skipped\n", name)
	}
	return nil
}

// knownFlags say as of when labels count.
type knownFlags struct {
	Known string `placeholder:"TIME" help:"Only what was known then."`
	Valid string `placeholder:"TIME" help:"What held then; by default what holds now."`
}

func (k *knownFlags) when() (w label.When, err error) {
	for _, f := range []struct {
		flag, text string
		to         *int64
	}{{"--known", k.Known, &w.Known}, {"--valid", k.Valid, &w.Valid}} {
		if f.text == "" {
			continue
		}
		moment, err := parseMoment(f.flag, f.text)
		if err != nil {
			return w, err
		}
		*f.to = moment.Unix()
	}
	return w, nil
}

type labelsShowVerb struct {
	Address string `arg:"" name:"ADDRESS" help:"An address of any network, or the identifier of an actor."`
	Network string `placeholder:"N" help:"Of this network only."`
	knownFlags
}

// shown is what is said about one subject.
type shown struct {
	Subject   label.Subject `json:"subject"`
	Claims    []label.Claim `json:"claims"`
	Conflicts []clash       `json:"conflicts,omitempty"`
}

// clash names two claims that contradict each other.
type clash struct {
	Over string `json:"over"`
	A    string `json:"a"`
	B    string `json:"b"`
}

// Run prints all claims about a subject.
func (v *labelsShowVerb) Run(ctx context.Context, s *session) (err error) {
	when, err := v.when()
	if err != nil {
		return err
	}
	subjects, err := subjectsOf(v.Address, v.Network)
	if err != nil {
		return err
	}
	from, err := s.openStore(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	lists, err := from.Claims(ctx, subjects)
	if err != nil {
		return err
	}
	found := []shown{}
	for i, list := range lists {
		claims := label.At(list, when)
		if len(claims) == 0 {
			continue
		}
		x := shown{Subject: subjects[i], Claims: claims}
		for _, c := range label.Conflicts(claims) {
			x.Conflicts = append(x.Conflicts, clash{c.Over, c.A.ID().String(), c.B.ID().String()})
		}
		found = append(found, x)
	}
	if s.json {
		return s.printJSON(map[string]any{"subjects": found})
	}
	if len(found) == 0 {
		fmt.Fprintf(s.stdout, "Nothing is said about %s. That is not to say that it is clean.\n", v.Address)
	}
	for i := range found {
		s.printShown(&found[i])
	}
	return nil
}

// subjectsOf lists what an address may mean: it on every network whose form it has, and
// an actor of that name.
func subjectsOf(address, network string) (list []label.Subject, err error) {
	if network == string(label.ActorNetwork) || network == string(label.IncidentNetwork) {
		return []label.Subject{{Network: label.Network(network), Address: address}}, nil
	}
	if network != "" {
		subject, _, err := label.ParseSubject(network, address)
		var mismatch *label.MismatchError
		if err != nil && !errors.As(err, &mismatch) {
			return nil, err
		}
		return []label.Subject{subject}, nil
	}
	for _, n := range label.Guess(address) {
		if subject, _, err := label.ParseSubject(string(n), address); err == nil {
			list = append(list, subject)
		}
	}
	return append(list, label.Subject{Network: label.ActorNetwork, Address: address}, label.Subject{Network: label.IncidentNetwork, Address: address}), nil
}

func (s *session) printShown(x *shown) {
	fmt.Fprintf(s.stdout, "%s %s\n", x.Subject.Network.Short(), x.Subject.Address)
	for i := range x.Claims {
		c := &x.Claims[i]
		fmt.Fprintf(s.stdout, "  %q by %s, confidence %d", c.Label, inert(c.By), c.Score)
		for _, part := range [][2]string{{"actor", c.Actor}, {"category", c.Concept}, {"abuse", c.Abuse}, {"parent", c.Parent}, {"also", strings.Join(c.Aliases, ", ")}, {"in", strings.Join(c.Jurisdictions, ", ")}} {
			if part[1] != "" {
				fmt.Fprintf(s.stdout, ", %s %s", part[0], inert(part[1]))
			}
		}
		if c.From != 0 {
			fmt.Fprintf(s.stdout, ", from %s", stampDay(c.From))
		}
		if c.Until != 0 {
			fmt.Fprintf(s.stdout, ", until %s", stampDay(c.Until))
		}
		fmt.Fprintf(s.stdout, "; learnt %s", stampDay(c.Learned))
		if c.Source != "" {
			fmt.Fprintf(s.stdout, "; %s", inert(c.Source))
		}
		if c.Why != "" {
			fmt.Fprintf(s.stdout, "; %q", c.Why)
		}
		if c.Unchecked {
			fmt.Fprint(s.stdout, "; the address could not be checked")
		}
		fmt.Fprintln(s.stdout)
	}
	for _, c := range x.Conflicts {
		fmt.Fprintf(s.stdout, "  CONFLICT over %s; nothing is resolved, decide yourself\n", c.Over)
	}
}

func stampDay(unix int64) string { return time.Unix(unix, 0).UTC().Format("2006-01-02") }

type labelsListVerb struct{}

// Run counts claims by who made them and what about.
func (*labelsListVerb) Run(ctx context.Context, s *session) (err error) {
	from, err := s.openStore(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	type row struct {
		By       string `json:"by"`
		Network  string `json:"network"`
		Category string `json:"category"`
		Claims   int    `json:"claims"`
	}
	count := map[string]int{}
	for c, err := range from.ClaimsOn(ctx, "") {
		if err != nil {
			return err
		}
		count[strings.Join([]string{c.By, c.Subject.Network.Short(), c.Concept}, "\x00")]++
	}
	revision, err := from.LabelRevision(ctx)
	if err != nil {
		return err
	}
	rows := []row{}
	for _, key := range sortedKeys(count) {
		parts := strings.Split(key, "\x00")
		rows = append(rows, row{parts[0], parts[1], parts[2], count[key]})
	}
	if s.json {
		return s.printJSON(map[string]any{"labels": revision.String(), "claims": revision.Count, "sources": rows})
	}
	w := tabwriter.NewWriter(s.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "BY\tNETWORK\tCATEGORY\tCLAIMS")
	for _, r := range rows {
		fmt.Fprintf(w, "%q\t%s\t%s\t%d\n", r.By, r.Network, r.Category, r.Claims)
	}
	fmt.Fprintf(w, "all\t\t\t%d\n", revision.Count)
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(s.stdout, "revision", revision.String())
	return nil
}

type labelsExportVerb struct {
	Format string `default:"tagpack" enum:"tagpack,csv,stix,misp" help:"tagpack, csv, stix or misp."`
	Out    string `short:"o" required:"" type:"path" placeholder:"FILE" help:"Where to."`
	By     string `help:"Only what this source says."`
	Actor  string `help:"Only addresses of this actor, by any of its names, and of those that belong to it."`
	knownFlags
}

// Run writes the claims that count.
func (v *labelsExportVerb) Run(ctx context.Context, s *session) (err error) {
	when, err := v.when()
	if err != nil {
		return err
	}
	from, err := s.openStore(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	actors, err := attribution.LoadActors(ctx, from, when)
	if err != nil {
		return err
	}
	var counted []label.Claim
	err = attribution.EachSubject(ctx, from, "", when, func(_ label.Subject, claims []label.Claim) error {
		for i := range claims {
			if c := &claims[i]; (v.By == "" || c.By == v.By) && (v.Actor == "" || actors.Is(c.Actor, v.Actor)) {
				counted = append(counted, *c)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	f, err := os.Create(v.Out)
	if err != nil {
		return err
	}
	err = errors.Join(feed.Writers[v.Format](f, slices.Clip(counted)), f.Close())
	if err == nil {
		fmt.Fprintf(s.stderr, "%d claims in %s\n", len(counted), v.Out)
	}
	return err
}
