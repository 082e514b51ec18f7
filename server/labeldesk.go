package server

import (
	"context"
	"net/http"
	"path"
	"time"
)

// LabelDesk takes in what others say about addresses and actors.
type LabelDesk interface {
	// Lists says what was taken in, list by list.
	Lists(ctx context.Context) (LabelLists, error)
	// Preview says what a file would change, and changes nothing.
	Preview(ctx context.Context, file LabelFile) (LabelChanges, error)
	// Import takes a file in. It is ErrChanged where the digest is not that of a preview of
	// this very file on the labels as they are now.
	Import(ctx context.Context, file LabelFile) (LabelImport, error)
}

// LabelFile is a file with claims, and what is to be taken where it does not say itself.
type LabelFile struct {
	Name   string
	Format string // empty: told from name and content
	Digest string // of the preview
	Body   []byte
	// KeepGoing takes what is right of a file with bad rows.
	KeepGoing bool
	At        int64 // when it is learnt, Unix seconds
	Otherwise LabelDefaults
}

// LabelDefaults stand in where a row says nothing.
type LabelDefaults struct {
	By         string `json:"by,omitempty"`
	Source     string `json:"source,omitempty"`
	Label      string `json:"label,omitempty"`
	Actor      string `json:"actor,omitempty"`
	Category   string `json:"category,omitempty"`
	Abuse      string `json:"abuse,omitempty"`
	Network    string `json:"network,omitempty"`
	Confidence string `json:"confidence,omitempty"`
}

// LabelLists is what was taken in.
type LabelLists struct {
	Items  []LabelList `json:"items"`
	Labels string      `json:"labels"` // revision of all
	Claims uint64      `json:"claims"`
}

// LabelList is what one source says in one file, by whatever versions of it were taken in.
type LabelList struct {
	Name string `json:"name"` // of the file
	By   string `json:"by"`
	// First and Last are when something of it was learnt.
	First int64 `json:"first"`
	Last  int64 `json:"last"`
	// Claims is how many it made, Withdrawn how many of those it no longer makes.
	Claims    int    `json:"claims"`
	Withdrawn int    `json:"withdrawn"`
	Digest    string `json:"digest"` // of the claims
}

// LabelCounts sums up what a file changes.
type LabelCounts struct {
	Added     int `json:"added"`
	Changed   int `json:"changed"`
	Withdrawn int `json:"withdrawn"`
	Unchanged int `json:"unchanged"`
	Refused   int `json:"refused"`
	Warnings  int `json:"warnings"`
}

// LabelChanges is what a file would change.
type LabelChanges struct {
	Name   string `json:"name"`
	Format string `json:"format"`
	// Digest stands for this file, read so, on the labels as they are.
	Digest string `json:"digest"`
	// Content is the SHA-256 of the file.
	Content string `json:"content"`
	// Whole says that the file lists everything that its source says, so that what it said
	// before and does not say now is withdrawn.
	Whole  bool          `json:"whole"`
	Counts LabelCounts   `json:"counts"`
	Items  []LabelChange `json:"items"`
	// Complete says that all changes are listed. What is unchanged is only counted.
	Complete bool `json:"complete"`
}

// LabelChangeKind says what becomes of a row.
type LabelChangeKind string

// What becomes of rows.
const (
	LabelAdded     LabelChangeKind = "added"
	LabelChanged   LabelChangeKind = "changed"
	LabelWithdrawn LabelChangeKind = "withdrawn"
	LabelRefused   LabelChangeKind = "refused"
	LabelWarning   LabelChangeKind = "warning"
)

// LabelChange is what becomes of one row, or of a claim that a file no longer makes.
type LabelChange struct {
	Change   LabelChangeKind `json:"change"`
	Network  string          `json:"network"`
	Subject  string          `json:"subject"`
	Label    string          `json:"label"`
	Actor    string          `json:"actor,omitempty"`
	Category string          `json:"category,omitempty"`
	Before   string          `json:"before,omitempty"` // what the same list said of it
	Reason   string          `json:"reason,omitempty"`
	Line     int             `json:"line,omitempty"`
}

// LabelImport is what became of a file.
type LabelImport struct {
	Name    string      `json:"name"`
	Format  string      `json:"format"`
	Digest  string      `json:"digest"`
	Content string      `json:"content"`
	Counts  LabelCounts `json:"counts"`
	Labels  string      `json:"labels"` // revision after it
	Claims  uint64      `json:"claims"`
}

const (
	// MaxLabels is the largest file of labels, in bytes.
	MaxLabels = 32 << 20
	// labelFiles is how many of them are worked on at once, which bounds their memory: one of
	// 32 MiB may make half a million claims.
	labelFiles = 1
	// labelTime bounds the work on one. Answers have to begin within a minute.
	labelTime = 50 * time.Second
)

// labelTypes are what a file of labels may call itself; its name and content decide.
var labelTypes = []string{
	"application/octet-stream", "text/plain", "text/csv", "application/json", "application/xml", "text/xml", "application/yaml", "application/x-yaml", "text/yaml", "application/jsonl",
}

// listLabelLists gives what was taken in.
func listLabelLists(x *exchange) {
	ctx, cancel := x.within()
	defer cancel()
	lists, err := x.parts.LabelDesk.Lists(ctx)
	if err != nil {
		x.fail(err)
		return
	}
	x.json(http.StatusOK, lists)
}

// previewLabels says what a file would change.
func previewLabels(x *exchange) {
	x.withLabels(func(ctx context.Context, file *LabelFile) {
		changes, err := x.parts.LabelDesk.Preview(ctx, *file)
		if err != nil {
			x.fail(err)
			return
		}
		x.json(http.StatusOK, changes)
	})
}

// importLabels takes a file in. What is written down of it is not the file, but its digest.
func importLabels(x *exchange) {
	x.withLabels(func(ctx context.Context, file *LabelFile) {
		if file.Digest == "" {
			x.fail(invalid("the digest is missing: ask for a preview first, and send the one that it gives"))
			return
		}
		done, err := x.parts.LabelDesk.Import(ctx, *file)
		if err != nil {
			x.fail(err)
			return
		}
		x.change(http.StatusOK, mustJSON(labelsAsked{file.Name, file.Format, file.Digest, done.Content, file.KeepGoing, file.Otherwise}), done)
	})
}

// labelsAsked is what is written down of an import.
type labelsAsked struct {
	Name      string        `json:"name"`
	Format    string        `json:"format,omitempty"`
	Digest    string        `json:"digest"`
	Content   string        `json:"content"`
	KeepGoing bool          `json:"keep_going,omitempty"`
	Otherwise LabelDefaults `json:"otherwise"`
}

// withLabels reads a file of labels and the query that goes with it.
func (x *exchange) withLabels(do func(context.Context, *LabelFile)) {
	file := &LabelFile{At: x.started.Unix()}
	o, keep := &file.Otherwise, ""
	ok := x.parameters(map[string]*string{
		"name": &file.Name, "format": &file.Format, "digest": &file.Digest, "keep_going": &keep, "by": &o.By, "source": &o.Source, "label": &o.Label,
		"actor": &o.Actor, "category": &o.Category, "abuse": &o.Abuse, "network": &o.Network, "confidence": &o.Confidence,
	})
	if !ok {
		return
	}
	if file.KeepGoing, ok = x.yes("keep_going", keep); !ok {
		return
	}
	if err := checkLabelFile(file); err != nil {
		x.fail(err)
		return
	}
	select {
	case x.labels <- struct{}{}:
		defer func() { <-x.labels }()
	default:
		x.Header().Set("Retry-After", "5")
		x.problem(problemUnavailable, "another file of labels is being read, and there is room for no more")
		return
	}
	if _, ok := x.readBodyUpTo(&file.Body, MaxLabels, labelTypes...); !ok {
		return
	}
	ctx, cancel := context.WithTimeout(x.request.Context(), labelTime)
	defer cancel()
	do(ctx, file)
}

// checkLabelFile refuses names that are no file's, and texts that nobody can read.
func checkLabelFile(f *LabelFile) error {
	if err := readable("name", f.Name); err != nil {
		return err
	}
	if f.Name != path.Base(f.Name) || f.Name == "." || f.Name == ".." || f.Name == "/" {
		return invalid("name %.100q is not the name of a file, without folders", f.Name)
	}
	o := &f.Otherwise
	for _, field := range [][2]string{
		{"format", f.Format},
		{"digest", f.Digest},
		{"by", o.By},
		{"source", o.Source},
		{"label", o.Label},
		{"actor", o.Actor},
		{"category", o.Category},
		{"abuse", o.Abuse},
		{"network", o.Network},
		{"confidence", o.Confidence},
	} {
		if field[1] == "" {
			continue
		}
		if err := readable(field[0], field[1]); err != nil {
			return err
		}
	}
	return nil
}
