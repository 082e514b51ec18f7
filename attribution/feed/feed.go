// Package feed reads what others publish about addresses and actors, and writes it back
// in their formats. One file for each format, and one table of all.
//
// Everything read is hostile: sizes, depths and lines are bounded, checksums are
// verified, and a row that is not what it says is a Problem with its line, never a
// claim. Nothing is fetched, and no text is ever run or rendered here.
package feed

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"coldtrail/attribution/label"
)

// Options say what a file does not say itself.
type Options struct {
	Learned int64 // when it is learnt, Unix seconds; required
	// The rest stands in where a row says nothing.
	By, Source, Label, Actor, Category, Abuse, Network, Confidence string
}

// Problem is a row that is no claim, or one that is with a flaw.
type Problem struct {
	File   string `json:"file"`
	Line   int    `json:"line"`
	Reason string `json:"reason"`
}

// String is "file:line: reason".
func (p *Problem) String() string { return fmt.Sprintf("%s:%d: %s", p.File, p.Line, p.Reason) }

// Batch is what a file says.
type Batch struct {
	File, Format string
	Claims       []label.Claim
	Rejected     []Problem // rows that are left out
	Warnings     []Problem // rows that are taken, with a flaw
	// Snapshot says that the file lists everything that its source says today, so that
	// what it said before and does not say now has ended.
	Snapshot bool
	Stated   int64 // when the source was made, if it says so
}

// Feed is one format.
type Feed struct {
	Name, Title string
	// recognises says whether a file is of the format, by its name and first bytes.
	recognises func(name string, head []byte) bool
	read       func(*reading, io.Reader) error
}

// Feeds lists every format; the first that recognises a file reads it.
var Feeds = []*Feed{Incident, TagPack, ActorPack, OFACAdvanced, OFACXML, OFACCSV, STIX, FollowTheMoney, Etherscan, OFACList, CSV, List}

// ErrFormat says that no format recognises a file.
var ErrFormat = errors.New("the format is not recognised; name one with --format")

// Named finds a format by its name.
func Named(name string) (*Feed, error) {
	var names []string
	for _, f := range Feeds {
		if f.Name == name {
			return f, nil
		}
		names = append(names, f.Name)
	}
	return nil, fmt.Errorf("format %q: use one of %s", name, strings.Join(names, ", "))
}

// headSize is how much of a file is looked at to tell its format.
const headSize = 4096

// Read reads a file in a format, or in the one that recognises it where that is nil. The
// name is for messages and for formats that say something in it.
func Read(file string, from io.Reader, format *Feed, options Options) (*Batch, error) {
	head := make([]byte, headSize)
	n, err := io.ReadFull(from, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	head = head[:n]
	if format == nil {
		at := slices.IndexFunc(Feeds, func(f *Feed) bool { return f.recognises(strings.ToLower(file), head) })
		if at < 0 {
			return nil, fmt.Errorf("%s: %w", file, ErrFormat)
		}
		format = Feeds[at]
	}
	r := &reading{options: options, out: &Batch{File: file, Format: format.Name}}
	if err := format.read(r, io.MultiReader(bytes.NewReader(head), from)); err != nil {
		return nil, fmt.Errorf("%s (%s): %w", file, format.Name, err)
	}
	return r.out, nil
}

// reading is a file while it is read.
type reading struct {
	options Options
	out     *Batch
}

// maxProblems bounds what a file full of rubbish may report.
const maxProblems = 10_000

var errProblems = fmt.Errorf("more than %d rows are no claims; is this the right format", maxProblems)

func (r *reading) reject(line int, reason string) error {
	if len(r.out.Rejected) >= maxProblems {
		return errProblems
	}
	r.out.Rejected = append(r.out.Rejected, Problem{r.out.File, line, reason})
	return nil
}

// add takes a claim about an address, once the address and all else hold.
func (r *reading) add(line int, network, address string, c *label.Claim) error {
	if network == "" {
		network = r.options.Network
	}
	if network == "" {
		var err error
		if network, err = guess(address); err != nil {
			return r.reject(line, err.Error())
		}
	}
	subject, checked, err := label.ParseSubject(network, address)
	var mismatch *label.MismatchError
	switch {
	case errors.As(err, &mismatch):
		r.out.Warnings = append(r.out.Warnings, Problem{r.out.File, line, "checksum mismatch: " + err.Error() + "; taken by its digits"})
	case err != nil:
		return r.reject(line, err.Error())
	case subject.Network == label.Monero && !checked:
		r.out.Warnings = append(r.out.Warnings, Problem{r.out.File, line, "a public key in the place of an address of Monero; kept as it is written"})
	}
	c.Subject, c.Unchecked = subject, !checked
	return r.take(line, c)
}

// guess is the network of an address without one. Accounts of EVM chains are taken for
// Ethereum's, forms of Bitcoin's for Bitcoin's.
func guess(address string) (string, error) {
	list := label.Guess(strings.TrimSpace(address))
	if len(list) == 0 {
		if strings.HasPrefix(address, "0x") && len(address) == 42 {
			return "ethereum", nil // its capitals are wrong, which is said later
		}
		return "", fmt.Errorf("%q is no address of a network that is known", shorten(address))
	}
	return string(list[0]), nil
}

// take takes a claim whose subject is settled.
func (r *reading) take(line int, c *label.Claim) error {
	o := &r.options
	for _, f := range []struct {
		to       *string
		standard string
	}{{&c.By, o.By}, {&c.Source, o.Source}, {&c.Label, o.Label}, {&c.Actor, o.Actor}, {&c.Concept, o.Category}, {&c.Abuse, o.Abuse}, {&c.Confidence, o.Confidence}} {
		if *f.to == "" {
			*f.to = f.standard
		}
	}
	if c.Score == 0 {
		c.Score = label.Confidences[c.Confidence]
	}
	if c.Score == 0 {
		c.Score = label.Confidences["unknown"]
	}
	c.Learned, c.File, c.Line = o.Learned, r.out.File, line
	if err := c.Check(); err != nil {
		return r.reject(line, err.Error())
	}
	r.out.Claims = append(r.out.Claims, *c)
	return nil
}

// concept maps a source's word to the taxonomy; what it does not know is kept in the
// claim's reason.
func concept(word string, c *label.Claim) string {
	if word == "" {
		return ""
	}
	if found, ok := label.ConceptOf(word); ok {
		return found
	}
	c.Why = joined(c.Why, "category: "+word)
	return ""
}

func joined(parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), "; ")
}

func shorten(text string) string {
	const most = 80
	if len(text) > most {
		text = text[:most] + "…"
	}
	return text
}

// moment reads a date or a time; 0 where there is none.
func moment(text string) (int64, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return 0, nil
	}
	for _, form := range []string{"2006-01-02", time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04:05", "01/02/2006", "2006-01"} {
		if t, err := time.Parse(form, text); err == nil {
			return t.Unix(), nil
		}
	}
	return 0, fmt.Errorf("%q is no date", shorten(text))
}

// The bounds of a file.
const (
	maxDocument = 32 << 20 // YAML and JSON, which are read whole
	maxFile     = 1 << 30  // what is read in pieces
	maxRun      = 1 << 20  // a line, or the text between two tags
)

// whole reads a document that has to be in memory.
func whole(from io.Reader) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(from, maxDocument+1))
	if err == nil && len(text) > maxDocument {
		err = fmt.Errorf("larger than %d MiB; split it", maxDocument>>20)
	}
	return text, err
}

// bounded reads a file in pieces and refuses runs without a mark that are too long:
// what is read of them would be kept in memory.
type bounded struct {
	from    io.Reader
	mark    byte
	run     int
	all     int64
	refused error
}

// Read reads on.
func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.from.Read(p)
	b.all += int64(n)
	rest := p[:n]
	for {
		at := bytes.IndexByte(rest, b.mark)
		if at < 0 {
			b.run += len(rest)
			break
		}
		if b.run += at; b.run > maxRun {
			break
		}
		b.run, rest = 0, rest[at+1:]
	}
	switch {
	case b.run > maxRun:
		b.refused = fmt.Errorf("more than %d KiB without %q", maxRun>>10, b.mark)
	case b.all > maxFile:
		b.refused = fmt.Errorf("larger than %d MiB", maxFile>>20)
	}
	if b.refused != nil {
		return 0, b.refused
	}
	return n, err
}
