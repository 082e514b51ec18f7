package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"coldtrail/attribution/label"
	"coldtrail/casebook"
	"coldtrail/casebook/sqlite"
	"coldtrail/ledger"
	"coldtrail/screen"
	"coldtrail/screen/blocklist"
	"coldtrail/screen/exposure"
	"coldtrail/server"
	"coldtrail/store/embedded"
	"coldtrail/store/memory"
)

const listedAddress = "0xd90e2f925DA726b50C4Ed8D0Fb90Ad053324F31b"

// listedEngine is an engine that knows of one listed address.
func listedEngine(t *testing.T) *screen.Engine {
	t.Helper()
	s := memory.New()
	_, err := s.AddClaims(t.Context(), []label.Claim{{
		Subject: label.Subject{Network: "eip155:1", Address: strings.ToLower(listedAddress)}, Label: "Tornado Cash", Abuse: "sanction", By: "OFAC",
		Confidence: "authority_data", Score: 60, From: 1_660_000_000, Learned: 1_660_000_000,
	}})
	if err != nil {
		t.Fatal(err)
	}
	e, err := screen.NewEngine(s, screen.Options{Notations: notations, Now: func() int64 { return 1_750_000_000 }})
	if err == nil {
		err = e.Rebuild(t.Context(), nil, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// TestPublishedLists: the server gets lists, differences and errors that it can answer,
// and a restart signs with the same key.
func TestPublishedLists(t *testing.T) {
	folder, e := t.TempDir(), listedEngine(t)
	p, err := newPublisher(folder, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	lists := publishedLists{p}
	if _, err := lists.Publication(t.Context(), server.Edition{Name: "refused", Form: server.Lines}); !errors.Is(err, server.ErrUnavailable) {
		t.Errorf("before there is one: %v", err)
	}
	if _, err := p.Publish(t.Context(), e.Now()); err != nil {
		t.Fatal(err)
	}
	states, err := lists.Blocklists(t.Context())
	if err != nil || len(states) != 2 || states[0].Name != "refused" || states[1].Name != "sanctions" || states[1].Entries != 1 {
		t.Fatalf("%+v, %v", states, err)
	}
	whole, err := lists.Publication(t.Context(), server.Edition{Name: "sanctions", Form: server.Lines})
	if err != nil || whole.Revision != states[1].Revision || whole.ETag != `W/"`+states[1].Content+`"` || !strings.Contains(string(whole.Body), listedAddress) {
		t.Fatalf("%+v, %v", whole, err)
	}
	info, err := os.Stat(filepath.Join(folder, listKeyFile))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key: %v, %v", info.Mode(), err)
	}
	again, err := listKey(filepath.Join(folder, listKeyFile))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := blocklist.Verify(whole.Body, whole.Signature, again.Public()); err != nil {
		t.Error(err)
	}
	for _, wrong := range []struct {
		which server.Edition
		err   error
	}{
		{server.Edition{Name: "nobody", Form: server.Lines}, server.ErrNotFound},
		{server.Edition{Name: "sanctions", Form: server.Lines, Since: 1}, server.ErrGone},
	} {
		if _, err := lists.Publication(t.Context(), wrong.which); !errors.Is(err, wrong.err) {
			t.Errorf("%+v: %v", wrong.which, err)
		}
	}
	newest, err := lists.Publication(t.Context(), server.Edition{Name: "sanctions", Form: server.Lines, Since: whole.Revision})
	if err != nil || newest.Body != nil || newest.Revision != whole.Revision {
		t.Errorf("since the newest: %+v, %v", newest, err)
	}
	for _, text := range []string{"", "ab", strings.Repeat("g", 64), strings.Repeat("a", 66)} {
		path := filepath.Join(t.TempDir(), listKeyFile)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := listKey(path); err == nil || text != "" && strings.Contains(err.Error(), text) {
			t.Errorf("a key of %d bytes: %v", len(text), err)
		}
	}
}

// TestWatched: whoever is asked about through the server is looked at again.
func TestWatched(t *testing.T) {
	ctx := t.Context()
	s, err := embedded.Open(ctx, filepath.Join(t.TempDir(), "store"), embedded.Options{})
	if err != nil {
		t.Fatal(err)
	}
	book, err := sqlite.Open(ctx, filepath.Join(t.TempDir(), casework), 1, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	e := listedEngine(t)
	o := &opened{store: s, book: book, engine: e}
	defer func() {
		if err := o.close(); err != nil {
			t.Error(err)
		}
	}()
	block := &ledger.Block{Chain: ledger.Ethereum, Height: 5, Hash: ledger.Hash{7}, Time: 1}
	if err := s.Append(ctx, []*ledger.Block{block}); err != nil {
		t.Fatal(err)
	}
	for height, want := range map[ledger.Height]string{4: "", 5: ledger.Ethereum.FormatHash(block.Hash), 6: ""} {
		if hash, err := heldIn(s)(ctx, ledger.Ethereum, height); err != nil || hash != want {
			t.Errorf("block %d: %q, %v", height, hash, err)
		}
	}
	if hash, err := heldIn(s)(ctx, ledger.Bitcoin, 5); err != nil || hash != "" {
		t.Errorf("of a chain that is not held: %q, %v", hash, err)
	}
	var heard []casebook.Alert
	w, err := newWatch(o, []followed{{chain: ledger.Ethereum}}, func(alerts []casebook.Alert) { heard = append(heard, alerts...) }, nil)
	if err != nil {
		t.Fatal(err)
	}
	if (watched{screening{&screen.Engine{}}, w}).Now() != nil {
		t.Error("there is a view of nothing")
	}
	view := watched{screening{e}, w}.Now()
	line := []byte(listedAddress)
	_, outcome := view.ScreenBytes(nil, &exposure.Question{Subject: string(line)})
	var v exposure.Verdict
	view.Screen(&exposure.Question{Subject: strings.ToLower(listedAddress), Purpose: exposure.Deposit}, &v)
	if outcome != exposure.Refuse || v.Outcome != exposure.Freeze || watchQueues(w)[0].Length != 2 {
		t.Errorf("%s, %s, %+v", outcome, v.Outcome, watchQueues(w))
	}
	if err := w.Flush(ctx, e.Now()); err != nil {
		t.Fatal(err)
	}
	rows, err := book.ScreenedSince(ctx, 1, casebook.Screened{}, 0)
	if err != nil || len(rows) != 1 || rows[0].Subject != listedAddress || rows[0].Outcome != exposure.Refuse {
		t.Errorf("%+v, %v", rows, err)
	}
	if r, err := w.Changed(context.WithoutCancel(ctx), e.Now()); err != nil || r.Raised != 0 || len(heard) != 0 {
		t.Errorf("%+v, %v", r, err)
	}
	p, err := newPublisher(t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range watchParts(w, p) {
		if part.State != server.Working {
			t.Errorf("%+v", part)
		}
	}
}
