package watch_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"coldtrail/attribution/label"
	"coldtrail/ledger"
	"coldtrail/screen/blocklist"
	"coldtrail/screen/exposure"
	"coldtrail/screen/policy"
	"coldtrail/watch"
)

var key = blocklist.NewSecretKey([32]byte{1, 2, 3})

func (s *stage) publisher(t *testing.T, change ...func(*watch.PublisherOptions)) *watch.Publisher {
	t.Helper()
	options := watch.PublisherOptions{Clock: s.clock, Key: key}
	for _, c := range change {
		c(&options)
	}
	p, err := watch.NewPublisher(options)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (s *stage) publish(t *testing.T, p *watch.Publisher) map[string]blocklist.Revision {
	t.Helper()
	made, err := p.Publish(t.Context(), s.engine.Now())
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// whole is the newest revision of a list, checked as a subscriber does.
func whole(t *testing.T, p *watch.Publisher, name string) *blocklist.List {
	t.Helper()
	l, err := blocklist.Decode(signed(t, p, name, watch.Lines, 0).Body)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// signed is a file whose signature is good.
func signed(t *testing.T, p *watch.Publisher, name string, form watch.Form, since uint64) *watch.File {
	t.Helper()
	f, err := p.File(name, form, since)
	if err != nil {
		t.Fatal(err)
	}
	said, err := blocklist.Verify(f.Body, f.Signature, key.Public())
	if err != nil || !strings.HasPrefix(said, f.Revision.Comment()+"\t") || !strings.HasSuffix(said, "\tlist:"+name+"\tform:"+string(form)) {
		t.Fatalf("signature: %q, %v", said, err)
	}
	return f
}

func addresses(l *blocklist.List) (list []string) {
	for e := range l.Entries() {
		list = append(list, e.Address)
	}
	return list
}

// TestLists: who is on which list, from when on, and why he goes.
func TestLists(t *testing.T) {
	s := newStage(t, start)
	soon := listed("0x1111111111111111111111111111111111111111", start+100)
	hack := label.Claim{
		Subject: label.Subject{Network: "eip155:1", Address: "0x2222222222222222222222222222222222222222"}, Label: "=HYPERLINK(1)\x07", Abuse: "service_hack",
		By: "somebody", Confidence: "forensic", Score: 70, From: start - 5*day, Learned: start - day,
	}
	s.claim(t, listed(tornado, start-day), soon, hack)
	s.rebuild(t)
	p := s.publisher(t)
	if _, err := p.File("refused", watch.Lines, 0); !errors.Is(err, watch.ErrNoList) {
		t.Errorf("before anything was published: %v", err)
	}
	made := s.publish(t, p)
	if made["refused"].Number != start || made["refused"].Entries != 2 || made["sanctions"].Entries != 1 {
		t.Fatalf("%+v", made)
	}
	refused, sanctions := whole(t, p, "refused"), whole(t, p, "sanctions")
	if got := refused.Of("eip155:1", hack.Subject.Address); len(got) != 1 || got[0].Reason != "labelled-grave" || got[0].Category != "service_hack" || got[0].Since != start-5*day {
		t.Errorf("the hacker: %+v", got)
	}
	if got := sanctions.Of("eip155:1", tornado); len(got) != 1 || got[0].Reason != "listed" || got[0].Since != start-day {
		t.Errorf("the mixer: %+v", got)
	}
	first := sanctions.Revision()
	if made := s.publish(t, p); len(made) != 0 {
		t.Errorf("nothing has changed: %+v", made)
	}

	s.set(start + 100) // only the clock says that the next listing begins
	if made, err := p.Changed(t.Context(), s.engine.Now()); err != nil || made["sanctions"].Number != start+1 || made["refused"].Number != start+1 {
		t.Fatal(made, err)
	}
	ended := label.Claim{Subject: label.Subject{Network: "eip155:1", Address: strings.ToLower(tornado)}, By: "OFAC", Withdraws: func() string { c := listed(tornado, start-day); return c.ID().String() }(), From: start + 150, Learned: start + 150}
	s.claim(t, ended)
	s.rebuild(t)
	s.set(start + 200)
	s.publish(t, p)
	after := whole(t, p, "sanctions")
	if got := addresses(after); len(got) != 1 || got[0] != soon.Subject.Address {
		t.Fatalf("%v", got)
	}
	d, err := blocklist.DecodeDelta(signed(t, p, "sanctions", watch.Lines, first.Number).Body)
	if err != nil {
		t.Fatal(err)
	}
	for r := range d.Removed() {
		if r.Why != "delisted" || r.Address != tornado {
			t.Errorf("removed: %+v", r)
		}
	}
	if applied, err := d.Apply(sanctions); err != nil || applied.Revision() != after.Revision() {
		t.Errorf("applied: %v", err)
	}
	for form, want := range map[watch.Form]string{watch.Table: "chain,address,category", watch.Plain: "# coldtrail-blocklist revision:"} {
		if f := signed(t, p, "sanctions", form, 0); !strings.HasPrefix(string(f.Body), want) || !strings.Contains(string(f.Body), soon.Subject.Address) {
			t.Errorf("%s: %s", form, f.Body)
		}
	}
	if f, err := p.File("sanctions", watch.Lines, after.Revision().Number); err != nil || f.Body != nil || f.ETag != after.ETag() {
		t.Errorf("since the newest: %+v, %v", f, err)
	}
	for _, wrong := range []struct {
		name  string
		form  watch.Form
		since uint64
		err   error
	}{
		{"nobody", watch.Lines, 0, watch.ErrNoList},
		{"sanctions", "pdf", 0, watch.ErrNoList},
		{"sanctions", watch.Table, first.Number, watch.ErrNoList},
		{"sanctions", watch.Lines, 1, watch.ErrNoRevision},
		{"sanctions", watch.Lines, after.Revision().Number + 1, watch.ErrNoRevision},
	} {
		if _, err := p.File(wrong.name, wrong.form, wrong.since); !errors.Is(err, wrong.err) {
			t.Errorf("%+v: %v", wrong, err)
		}
	}
}

// TestAnotherPolicy: everybody is decided on again, and who goes does so by the policy.
func TestAnotherPolicy(t *testing.T) {
	s := newStage(t, start)
	s.claim(t, listed(tornado, start-day), label.Claim{
		Subject: label.Subject{Network: "eip155:1", Address: strings.ToLower(stranger)}, Label: "thief", Abuse: "service_hack", By: "somebody",
		Confidence: "forensic", Score: 70, From: start - day, Learned: start - day,
	})
	s.rebuild(t)
	p := s.publisher(t)
	s.publish(t, p)
	before := whole(t, p, "refused")
	text, _, _ := strings.Cut(policy.DefaultText, "\ntests:")
	milder, err := policy.Parse([]byte(strings.Replace(text, "grave: 80", "grave: 95", 1)))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.engine.Rebuild(t.Context(), nil, milder); err != nil {
		t.Fatal(err)
	}
	s.publish(t, p)
	if got := addresses(whole(t, p, "refused")); len(got) != 1 || got[0] != tornado {
		t.Errorf("%v", got)
	}
	d, err := blocklist.DecodeDelta(signed(t, p, "refused", watch.Lines, before.Revision().Number).Body)
	if err != nil {
		t.Fatal(err)
	}
	gone := 0
	for r := range d.Removed() {
		if gone++; r.Address != stranger || r.Why != "policy" {
			t.Errorf("%+v", r)
		}
	}
	if gone != 1 {
		t.Errorf("%d went", gone)
	}
}

// TestDeltas: a subscriber to whom differences come while a laundering goes on, with a
// reorganisation in it, holds at every revision what a publisher says that starts afresh.
func TestDeltas(t *testing.T) {
	blocks, c := played()
	at := turning().block
	s := newStage(t, blocks[at-1].Time)
	if err := s.store.Append(t.Context(), blocks[:at]); err != nil {
		t.Fatal(err)
	}
	s.rebuild(t, c)
	p := s.publisher(t, func(o *watch.PublisherOptions) { o.Deltas = 6 })
	s.publish(t, p)
	held := whole(t, p, "refused")
	first, changed, emptied := held, 0, false
	check := func() {
		t.Helper()
		if made := s.publish(t, p); len(made) == 0 {
			return
		}
		changed++
		d, err := blocklist.DecodeDelta(signed(t, p, "refused", watch.Lines, held.Revision().Number).Body)
		if err != nil {
			t.Fatal(err)
		}
		if held, err = d.Apply(held); err != nil {
			t.Fatal(err)
		}
		if changed == 5 {
			joined, err := blocklist.DecodeDelta(signed(t, p, "refused", watch.Lines, first.Revision().Number).Body)
			if err != nil {
				t.Fatal(err)
			}
			if l, err := joined.Apply(first); err != nil || l.Revision() != held.Revision() {
				t.Errorf("of all differences: %v", err)
			}
		}
		fresh := s.publisher(t)
		s.publish(t, fresh)
		if got, want := held.Revision(), whole(t, fresh, "refused").Revision(); got.Content != want.Content || got.Basis != want.Basis || got.Entries != want.Entries {
			t.Errorf("held %+v, fresh %+v", got, want)
		}
	}
	for i := at; i < at+60; i++ {
		s.append(t, blocks[i])
		check()
		if i == at+40 {
			b := blocks[i]
			if err := s.store.Rewind(t.Context(), b.Chain, b.Height); err != nil {
				t.Fatal(err)
			}
			s.current(t)
			before := held.Len()
			check()
			emptied = held.Len() <= before
			s.append(t, b)
			check()
		}
	}
	if changed < 10 || held.Len() <= first.Len() || !emptied {
		t.Errorf("%d revisions, from %d to %d entries", changed, first.Len(), held.Len())
	}
	if _, err := p.File("refused", watch.Lines, first.Revision().Number); !errors.Is(err, watch.ErrNoRevision) {
		t.Errorf("beyond what is kept: %v", err)
	}
}

// TestNumbersRise: over restarts, also one that finds no file.
func TestNumbersRise(t *testing.T) {
	s := newStage(t, start)
	s.claim(t, listed(tornado, start-day))
	s.rebuild(t)
	path := filepath.Join(t.TempDir(), "blocklists.json")
	open := func(o *watch.PublisherOptions) { o.Path = path }
	last := uint64(0)
	for i, lost := range []bool{false, false, false, true} {
		s.set(start + int64(100*i))
		if lost {
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
		}
		made := s.publish(t, s.publisher(t, open))
		n := made["refused"].Number
		if n <= last {
			t.Errorf("start %d: revision %d after %d", i, n, last)
		}
		if want := uint64(start + i); !lost && n != want {
			t.Errorf("start %d: revision %d, want %d", i, n, want)
		}
		last = n
	}
	if err := os.WriteFile(path, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := s.publisher(t, open).Publish(t.Context(), s.engine.Now()); err == nil || !strings.Contains(err.Error(), "blocklists.json") {
		t.Errorf("a file that is none: %v", err)
	}
}

// TestNumberIsKeptFirst: a revision whose number cannot be kept is not seen, and comes
// once it can be.
func TestNumberIsKeptFirst(t *testing.T) {
	s := newStage(t, start)
	s.claim(t, listed(tornado, start-day))
	s.rebuild(t)
	folder := filepath.Join(t.TempDir(), "later")
	p := s.publisher(t, func(o *watch.PublisherOptions) { o.Path = filepath.Join(folder, "blocklists.json") })
	if _, err := p.Publish(t.Context(), s.engine.Now()); err == nil || len(p.Lists()) != 0 || p.Health().Trouble == "" {
		t.Errorf("%v, %v", p.Lists(), err)
	}
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	if made := s.publish(t, p); made["sanctions"].Entries != 1 || p.Health().Trouble != "" {
		t.Errorf("%+v", made)
	}
}

// TestPace: revisions come no faster than agreed, and no list grows old unsaid.
func TestPace(t *testing.T) {
	s := newStage(t, start)
	s.rebuild(t)
	p := s.publisher(t)
	made := func() int {
		t.Helper()
		m, err := p.Changed(t.Context(), s.engine.Now())
		if err != nil {
			t.Fatal(err)
		}
		return len(m)
	}
	if n := made(); n != 2 {
		t.Errorf("%d lists at first", n)
	}
	s.claim(t, listed(tornado, start-day))
	s.rebuild(t)
	for wait, want := range map[int64]int{9: 0} {
		if s.set(start + wait); made() != want {
			t.Errorf("after %d s", wait)
		}
	}
	if s.set(start + 10); made() != 2 {
		t.Error("after ten seconds nothing came")
	}
	if s.set(start + 600); made() != 0 {
		t.Error("nothing has changed")
	}
	before := whole(t, p, "refused")
	if s.set(start + 610); made() != 2 {
		t.Error("the lists grow old")
	}
	after := whole(t, p, "refused")
	if after.ETag() != before.ETag() || after.Revision().Number != before.Revision().Number+1 {
		t.Errorf("%+v, %+v", before.Revision(), after.Revision())
	}
	d, err := blocklist.DecodeDelta(signed(t, p, "refused", watch.Lines, before.Revision().Number).Body)
	if err != nil {
		t.Fatal(err)
	}
	if applied, err := d.Apply(before); err != nil || applied.Revision() != after.Revision() {
		t.Error(err)
	}
}

// TestPublisherRuns until its context ends.
func TestPublisherRuns(t *testing.T) {
	s := newStage(t, start)
	s.rebuild(t)
	p := s.publisher(t)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx, s.engine.Now) }()
	for len(p.Lists()) < 2 {
		time.Sleep(time.Millisecond)
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// TestFingerprint: a field that is new in Fact and not in the fingerprint would leave
// addresses on lists.
func TestFingerprint(t *testing.T) {
	facts := []exposure.Fact{{}}
	kind := reflect.TypeFor[exposure.Fact]()
	for i := range kind.NumField() {
		var f exposure.Fact
		switch field := reflect.ValueOf(&f).Elem().Field(i); value := field.Addr().Interface().(type) {
		case *exposure.Decimal:
			value.Amount = ledger.NewAmount(1)
		case *[]string:
			*value = []string{"x"}
		default:
			switch {
			case field.Kind() == reflect.String:
				field.SetString("x")
			case field.Kind() == reflect.Bool:
				field.SetBool(true)
			case field.CanInt():
				field.SetInt(1)
			default:
				field.SetUint(1)
			}
		}
		facts = append(facts, f)
	}
	seen := map[uint64]string{}
	for i, mark := range watch.Fingerprints(facts...) {
		name := "nothing"
		if i > 0 {
			name = kind.Field(i - 1).Name
		}
		if other, ok := seen[mark]; ok {
			t.Errorf("%s and %s have one fingerprint", name, other)
		}
		seen[mark] = name
	}
	if again := watch.Fingerprints(facts[0], facts[0]); again[0] != again[1] {
		t.Error("equal facts have two fingerprints")
	}
}
