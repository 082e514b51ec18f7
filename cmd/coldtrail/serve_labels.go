package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"coldtrail/attribution"
	"coldtrail/attribution/feed"
	"coldtrail/attribution/label"
	"coldtrail/screen"
	"coldtrail/server"
	"coldtrail/store"
)

// labelDesk takes in what others say, for the server.
type labelDesk struct {
	store   store.Labels
	labels  *catalogues
	engine  *screen.Engine
	changed func()        // is called after labels have changed
	turn    chan struct{} // of imports: each follows a preview of the labels as they are
}

var _ server.LabelDesk = (*labelDesk)(nil)

// mostListed is how many changes a preview lists.
const mostListed = 1_000

func newLabelDesk(from store.Labels, labels *catalogues, engine *screen.Engine, changed func()) *labelDesk {
	return &labelDesk{from, labels, engine, changed, make(chan struct{}, 1)}
}

// Lists says what was taken in.
func (d *labelDesk) Lists(ctx context.Context) (server.LabelLists, error) {
	c, err := d.labels.now(ctx)
	if err != nil {
		return server.LabelLists{}, err
	}
	return server.LabelLists{Items: append([]server.LabelList{}, c.lists...), Labels: c.revision.String(), Claims: c.revision.Count}, nil
}

// filed is a file that was read, and what it would change.
type filed struct {
	batch      *feed.Batch
	difference *attribution.Difference
	changes    server.LabelChanges
}

// compare reads a file and says what it would change.
func (d *labelDesk) compare(ctx context.Context, f *server.LabelFile) (*filed, error) {
	var format *feed.Feed
	var err error
	if f.Format != "" {
		if format, err = feed.Named(f.Format); err != nil {
			return nil, refuse(server.ErrInvalid, "%s", err)
		}
	}
	o := &f.Otherwise
	x := &filed{}
	x.batch, err = feed.Read(f.Name, bytes.NewReader(f.Body), format, feed.Options{
		Learned: f.At, By: o.By, Source: o.Source, Label: o.Label, Actor: o.Actor, Category: o.Category, Abuse: o.Abuse, Network: o.Network, Confidence: o.Confidence,
	})
	if errors.Is(err, feed.ErrFormat) {
		return nil, refuse(server.ErrInvalid, "%s: no format recognises it; say which with format", f.Name)
	}
	if err != nil {
		return nil, refuse(server.ErrInvalid, "%s", err)
	}
	revision, err := d.store.LabelRevision(ctx)
	if err != nil {
		return nil, err
	}
	if x.difference, err = attribution.NewImporter(d.store).Compare(ctx, x.batch); err != nil {
		return nil, err
	}
	sum := sha256.Sum256(f.Body)
	x.changes = server.LabelChanges{
		Name: f.Name, Format: x.batch.Format, Content: "sha256:" + hex.EncodeToString(sum[:]), Whole: x.batch.Snapshot, Counts: x.counts(), Items: []server.LabelChange{},
	}
	x.changes.Digest, err = digestOf(f, &x.changes, revision.String())
	return x, err
}

// digestOf stands for a file, how it is read, and the labels that it is compared with.
func digestOf(f *server.LabelFile, c *server.LabelChanges, revision string) (string, error) {
	text, err := json.Marshal([]any{c.Name, c.Format, c.Content, f.KeepGoing, f.Otherwise, revision})
	sum := sha256.Sum256(text)
	return "sha256:" + hex.EncodeToString(sum[:]), err
}

func (x *filed) counts() server.LabelCounts {
	d := x.difference
	return server.LabelCounts{
		Added: len(d.Added), Changed: len(d.Changed), Withdrawn: len(d.Withdrawn), Unchanged: d.Unchanged + len(d.Ended),
		Refused: len(x.batch.Rejected), Warnings: len(x.batch.Warnings) + len(d.Ended),
	}
}

// Preview says what a file would change: first what is wrong with it, then what it changes
// and ends, then what it adds.
func (d *labelDesk) Preview(ctx context.Context, f server.LabelFile) (server.LabelChanges, error) {
	x, err := d.compare(ctx, &f)
	if err != nil {
		return server.LabelChanges{}, err
	}
	x.problems(server.LabelRefused, x.batch.Rejected)
	for i := range x.difference.Changed {
		x.revised(server.LabelChanged, &x.difference.Changed[i])
	}
	for i := range x.difference.Withdrawn {
		x.claim(server.LabelWithdrawn, &x.difference.Withdrawn[i], "", "the file no longer says so")
	}
	for i := range x.difference.Ended {
		x.claim(server.LabelWarning, &x.difference.Ended[i], "", "it was said before and withdrawn, and stays so; say it in other words or with a date")
	}
	x.problems(server.LabelWarning, x.batch.Warnings)
	for i := range x.difference.Added {
		x.revised(server.LabelAdded, &x.difference.Added[i])
	}
	c := x.changes.Counts
	x.changes.Complete = len(x.changes.Items) == c.Added+c.Changed+c.Withdrawn+c.Refused+c.Warnings
	return x.changes, nil
}

func (x *filed) add(item server.LabelChange) {
	if len(x.changes.Items) < mostListed {
		x.changes.Items = append(x.changes.Items, item)
	}
}

func (x *filed) problems(kind server.LabelChangeKind, list []feed.Problem) {
	for i := range list {
		x.add(server.LabelChange{Change: kind, Reason: list[i].Reason, Line: list[i].Line})
	}
}

func (x *filed) revised(kind server.LabelChangeKind, r *attribution.Revised) {
	before := ""
	if r.Before != nil {
		before = r.Before.Label
		if kind == server.LabelChanged && before == r.Label {
			before = fmt.Sprintf("%s, with other particulars", before)
		}
	}
	x.claim(kind, r.Claim, before, "")
}

func (x *filed) claim(kind server.LabelChangeKind, c *label.Claim, before, reason string) {
	x.add(server.LabelChange{
		Change: kind, Network: string(c.Subject.Network), Subject: asWritten(c.Subject), Label: c.Label, Actor: c.Actor, Category: c.Concept, Before: before, Reason: reason, Line: c.Line,
	})
}

// Import takes in a file that was previewed.
func (d *labelDesk) Import(ctx context.Context, f server.LabelFile) (server.LabelImport, error) {
	select {
	case d.turn <- struct{}{}:
		defer func() { <-d.turn }()
	case <-ctx.Done():
		return server.LabelImport{}, ctx.Err()
	}
	x, err := d.compare(ctx, &f)
	if err != nil {
		return server.LabelImport{}, err
	}
	if x.changes.Digest != f.Digest {
		return server.LabelImport{}, refuse(server.ErrChanged, "this is not what was previewed: the file, how it is to be read, or the labels that are held are others; ask for a preview again")
	}
	err = d.engine.HoldFor(ctx, func() error { // no verdict is worked out by half of them
		_, err := attribution.NewImporter(d.store).Import(ctx, x.batch, f.KeepGoing)
		return err
	})
	var refused *attribution.RejectedError
	if errors.As(err, &refused) {
		return server.LabelImport{}, refuse(server.ErrInvalid, "%d rows are no claims, the first: %s; correct them, or say keep_going=true to take the rest", refused.More+1, refused.First.String())
	}
	if err != nil {
		return server.LabelImport{}, err
	}
	d.changed()
	revision, err := d.store.LabelRevision(ctx)
	return server.LabelImport{
		Name: f.Name, Format: x.changes.Format, Digest: f.Digest, Content: x.changes.Content, Counts: x.changes.Counts, Labels: revision.String(), Claims: revision.Count,
	}, err
}
