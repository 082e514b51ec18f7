package casebooktest

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"coldtrail/casebook"
	"coldtrail/screen/exposure"
)

func testCases(t *testing.T, book casebook.Book) {
	t.Helper()
	ctx := t.Context()
	change := casebook.CaseChange{ID: "bybit-2025", Title: "Bybit", State: casebook.CaseOpen, Text: "case: bybit-2025\n", By: "key-1", At: 100, Why: "new"}
	first := must1(book.SaveCase(ctx, change))(t)
	want := casebook.Case{ID: "bybit-2025", Title: "Bybit", State: casebook.CaseOpen, Text: "case: bybit-2025\n", Revision: 1, OpenedBy: "key-1", Opened: 100, ChangedBy: "key-1", Changed: 100}
	same(t, "a new case", first, want)

	_, err := book.SaveCase(ctx, change)
	wants(t, "the same case made again", err, casebook.ErrChanged)

	change.Title, change.By, change.At, change.Expect, change.Why = "Bybit cold wallet", "person-2", 200, 1, "a better title"
	second := must1(book.SaveCase(ctx, change))(t)
	want.Title, want.Revision, want.ChangedBy, want.Changed = "Bybit cold wallet", 2, "person-2", 200
	same(t, "a changed case", second, want)

	change.Expect, change.At = 2, 250
	same(t, "a change that changes nothing", must1(book.SaveCase(ctx, change))(t), want)
	change.Expect, change.Text = 1, "case: other"
	_, err = book.SaveCase(ctx, change)
	wants(t, "a change of an old revision", err, casebook.ErrChanged)

	closing := casebook.CaseChange{ID: "bybit-2025", Title: want.Title, State: casebook.CaseClosed, Text: want.Text, By: "key-1", At: 300, Expect: 2}
	must1(book.SaveCase(ctx, closing))(t)
	history := must1(book.Revisions(ctx, "bybit-2025", 0, 0))(t)
	same(t, "every revision", history, []casebook.Revision{
		{Case: "bybit-2025", Number: 1, Title: "Bybit", State: casebook.CaseOpen, Text: want.Text, By: "key-1", At: 100, Why: "new"},
		{Case: "bybit-2025", Number: 2, Title: "Bybit cold wallet", State: casebook.CaseOpen, Text: want.Text, By: "person-2", At: 200, Why: "a better title"},
		{Case: "bybit-2025", Number: 3, Title: "Bybit cold wallet", State: casebook.CaseClosed, Text: want.Text, By: "key-1", At: 300},
	})
	same(t, "revisions after the second", must1(book.Revisions(ctx, "bybit-2025", 2, 1))(t), history[2:])
	_, err = book.Case(ctx, "none")
	wants(t, "a case that is not there", err, casebook.ErrNotFound)
}

func testCasePages(t *testing.T, book casebook.Book) {
	t.Helper()
	ctx := t.Context()
	for i, id := range []string{"c", "B", "a", "d"} {
		state := casebook.CaseOpen
		if i%2 == 1 {
			state = casebook.CaseClosed
		}
		must1(book.SaveCase(ctx, casebook.CaseChange{ID: id, State: state, By: "k", At: 1, Text: "x"}))(t)
	}
	for _, page := range []struct {
		filter casebook.CaseFilter
		want   string
	}{
		{casebook.CaseFilter{}, "B a c d"},
		{casebook.CaseFilter{Limit: 2}, "B a"},
		{casebook.CaseFilter{Limit: 2, After: "a"}, "c d"},
		{casebook.CaseFilter{State: casebook.CaseClosed}, "B d"},
		{casebook.CaseFilter{State: casebook.CaseOpen, After: "a"}, "c"},
	} {
		var ids []string
		for _, c := range must1(book.Cases(ctx, page.filter))(t) {
			ids = append(ids, c.ID)
		}
		same(t, "a page of cases", strings.Join(ids, " "), page.want)
	}
}

func testNotes(t *testing.T, book casebook.Book) {
	t.Helper()
	ctx := t.Context()
	about := casebook.Topic{Kind: casebook.AboutAddress, Chain: "eip155:1", Subject: "0xab"}
	one := must1(book.AddNote(ctx, casebook.Note{About: about, Text: "seen 'before'; DROP TABLE notes", By: "key-1", At: 10}))(t)
	same(t, "the first number", one.Sequence, int64(1))
	same(t, "the same note again", must1(book.AddNote(ctx, casebook.Note{About: about, Text: one.Text, By: "key-1", At: 10}))(t), one)
	two := must1(book.AddNote(ctx, casebook.Note{About: about, Text: one.Text, By: "key-1", At: 11}))(t)
	must1(book.AddNote(ctx, casebook.Note{About: casebook.Topic{Kind: casebook.AboutAddress, Chain: "eip155:10", Subject: "0xab"}, Text: "elsewhere", By: "k", At: 1}))(t)
	same(t, "notes about an address", must1(book.Notes(ctx, about, 0, 0))(t), []casebook.Note{one, two})
	same(t, "notes after the first", must1(book.Notes(ctx, about, one.Sequence, 5))(t), []casebook.Note{two})
}

func testKeys(t *testing.T, book casebook.Book) {
	t.Helper()
	ctx := t.Context()
	secret := casebook.Secret{1, 2, 3}
	key := must1(book.AddKey(ctx, secret, casebook.Key{Name: "exchange", Role: casebook.Operator, CreatedBy: "key-0", Created: 50, Expires: 1000}))(t)
	same(t, "the key by its secret", must1(book.Authenticate(ctx, secret, 999))(t), key)
	same(t, "role and times", casebook.Key{Name: key.Name, Role: key.Role, CreatedBy: key.CreatedBy, Created: key.Created, Expires: key.Expires},
		casebook.Key{Name: "exchange", Role: casebook.Operator, CreatedBy: "key-0", Created: 50, Expires: 1000})
	_, err := book.Authenticate(ctx, secret, 1000)
	wants(t, "at its end", err, casebook.ErrExpired)
	_, err = book.Authenticate(ctx, casebook.Secret{1, 2}, 60)
	wants(t, "another secret", err, casebook.ErrNotFound)
	_, err = book.AddKey(ctx, secret, casebook.Key{Name: "again", Role: casebook.Viewer})
	wants(t, "the same secret again", err, casebook.ErrConflict)

	must(t, book.UsedKeys(ctx, map[string]int64{key.ID: 70, "key-unknown": 70}))
	must(t, book.UsedKeys(ctx, map[string]int64{key.ID: 65}))
	same(t, "last use", must1(book.Authenticate(ctx, secret, 80))(t).LastUsed, int64(70))

	must(t, book.RevokeKey(ctx, key.ID, "key-9", 90))
	must(t, book.RevokeKey(ctx, key.ID, "key-8", 95))
	_, err = book.Authenticate(ctx, secret, 91)
	wants(t, "revoked", err, casebook.ErrRevoked)
	keys := must1(book.Keys(ctx))(t)
	if len(keys) != 1 || keys[0].Revoked != 90 || keys[0].RevokedBy != "key-9" || keys[0].Digest != secret.Digest() {
		t.Errorf("keys: %+v, want one, revoked at 90 by key-9", keys)
	}
	wants(t, "an unknown key", book.RevokeKey(ctx, "key-unknown", "k", 1), casebook.ErrNotFound)
}

func testPeople(t *testing.T, book casebook.Book) {
	t.Helper()
	ctx := t.Context()
	ada := casebook.Person{Issuer: "https://id.example", Subject: "ada", Name: "Ada", Mail: "ada@example.org", Role: casebook.Analyst, GrantedBy: "key-1", Granted: 5}
	_, err := book.Person(ctx, ada.Issuer, ada.Subject)
	wants(t, "a stranger", err, casebook.ErrNotFound)
	must(t, book.GrantRole(ctx, ada))
	same(t, "a person", must1(book.Person(ctx, ada.Issuer, ada.Subject))(t), ada)
	_, err = book.Person(ctx, "https://other.example", "ada")
	wants(t, "the same subject of another issuer", err, casebook.ErrNotFound)

	must(t, book.RevokeRole(ctx, ada, "key-1", 9))
	_, err = book.Person(ctx, ada.Issuer, ada.Subject)
	wants(t, "who was shut out", err, casebook.ErrRevoked)
	people := must1(book.People(ctx))(t)
	if len(people) != 1 || people[0].Revoked != 9 || people[0].RevokedBy != "key-1" {
		t.Errorf("people: %+v, want one, revoked at 9", people)
	}
	ada.Role, ada.Granted = casebook.Admin, 12
	must(t, book.GrantRole(ctx, ada))
	same(t, "let in again", must1(book.Person(ctx, ada.Issuer, ada.Subject))(t), ada)
	wants(t, "shutting out a stranger", book.RevokeRole(ctx, casebook.Person{Issuer: "x", Subject: "y"}, "k", 1), casebook.ErrNotFound)
}

func testWatchlists(t *testing.T, book casebook.Book) {
	t.Helper()
	ctx := t.Context()
	list := casebook.Watchlist{ID: "vips", Name: "Customers", Note: "large", By: "key-1", Created: 7}
	wants(t, "members of no list", book.ChangeMembers(ctx, casebook.MemberChange{List: "vips", Add: []casebook.Member{{Address: "a", By: "k"}}}), casebook.ErrNotFound)
	must(t, book.SaveWatchlist(ctx, list))
	member := func(chain, address string) casebook.Member {
		return casebook.Member{Chain: chain, Address: address, Note: "n", By: "key-1", At: 8}
	}
	all := []casebook.Member{member("", "0xaa"), member("eip155:1", "0xaa"), member("eip155:1", "0xbb"), member("eip155:10", "0xbb")}
	must(t, book.ChangeMembers(ctx, casebook.MemberChange{List: "vips", Add: []casebook.Member{all[3], all[1], all[0], all[2]}}))
	same(t, "members", must1(book.Members(ctx, "vips", casebook.Member{}, 0))(t), all)
	same(t, "members after the second", must1(book.Members(ctx, "vips", all[1], 1))(t), all[2:3])

	same(t, "lists of an address", must1(book.WatchedBy(ctx, "eip155:1", "0xbb"))(t), []casebook.Watchlist{list})
	same(t, "by the entry of every chain", must1(book.WatchedBy(ctx, "eip155:56", "0xaa"))(t), []casebook.Watchlist{list})
	same(t, "on another chain", len(must1(book.WatchedBy(ctx, "eip155:56", "0xbb"))(t)), 0)

	all[2].Note = "renamed"
	must(t, book.ChangeMembers(ctx, casebook.MemberChange{List: "vips", Add: all[2:3], Remove: []casebook.Member{{Chain: "", Address: "0xaa"}, {Address: "none"}}}))
	same(t, "members after a change", must1(book.Members(ctx, "vips", casebook.Member{}, 0))(t), all[1:])

	list.Ended, list.Name = 20, "Old customers"
	must(t, book.SaveWatchlist(ctx, list))
	same(t, "all lists", must1(book.Watchlists(ctx))(t), []casebook.Watchlist{list})
	same(t, "lists that count", len(must1(book.WatchedBy(ctx, "eip155:1", "0xbb"))(t)), 0)
}

func testSubjects(t *testing.T, book casebook.Book) {
	t.Helper()
	ctx := t.Context()
	entry := func(subject string, outcome exposure.Outcome, judged, asked int64, by string) casebook.Screened {
		return casebook.Screened{Subject: subject, Chain: "eip155:1", Outcome: outcome, Level: exposure.Low, Judged: judged, Asked: asked, By: by}
	}
	must(t, book.KeepScreened(ctx, []casebook.Screened{
		entry("a", exposure.Allow, 10, 10, "k1"), entry("b", exposure.Review, 11, 11, "k1"), entry("a", exposure.Refuse, 12, 9, "k2"),
	}))
	same(t, "one batch", must1(book.ScreenedSince(ctx, 0, casebook.Screened{}, 0))(t),
		[]casebook.Screened{entry("a", exposure.Refuse, 12, 10, "k1"), entry("b", exposure.Review, 11, 11, "k1")})

	must(t, book.KeepScreened(ctx, []casebook.Screened{
		entry("a", exposure.Allow, 5, 20, "k3"),  // asked later, judged earlier: out of order
		entry("b", exposure.Freeze, 30, 0, ""),   // screened again, unasked
		entry("new", exposure.Freeze, 30, 0, ""), // nobody asked about this
	}))
	a, b := entry("a", exposure.Refuse, 12, 20, "k3"), entry("b", exposure.Freeze, 30, 11, "k1")
	same(t, "two batches", must1(book.ScreenedSince(ctx, 0, casebook.Screened{}, 0))(t), []casebook.Screened{a, b})
	same(t, "asked since 12", must1(book.ScreenedSince(ctx, 12, casebook.Screened{}, 0))(t), []casebook.Screened{a})
	same(t, "after a", must1(book.ScreenedSince(ctx, 0, a, 0))(t), []casebook.Screened{b})

	many := make([]casebook.Screened, 0, 1203)
	for i := range cap(many) {
		many = append(many, casebook.Screened{Subject: "many-" + strings.Repeat("x", i%7) + string(rune('a'+i%26)) + strings.Repeat("y", i/100), Outcome: exposure.Allow, Level: exposure.Unknown, Asked: int64(100 + i), Judged: 100})
	}
	must(t, book.KeepScreened(ctx, many))
	held := must1(book.ScreenedSince(ctx, 100, casebook.Screened{}, 0))(t)
	distinct := map[string]int64{}
	for _, s := range many {
		distinct[s.Subject] = s.Asked
	}
	if len(held) != min(len(distinct), casebook.MaxPage) {
		t.Errorf("%d subjects kept of a large batch, want %d", len(held), len(distinct))
	}
	for _, s := range held {
		if s.Asked != distinct[s.Subject] {
			t.Errorf("%s was asked at %d, want %d", s.Subject, s.Asked, distinct[s.Subject])
		}
	}
	same(t, "forgotten by age", must1(book.ForgetScreened(ctx, 20, 1<<40))(t), int64(1))
	if gone := must1(book.ForgetScreened(ctx, 0, 5))(t); gone != int64(len(distinct)+1-5) {
		t.Errorf("%d forgotten by number, want %d", gone, len(distinct)+1-5)
	}
	left := must1(book.ScreenedSince(ctx, 0, casebook.Screened{}, 0))(t)
	for _, s := range left {
		if s.Asked < int64(100+len(many)-5) {
			t.Errorf("%+v was kept though others were asked about later", s)
		}
	}
	same(t, "left", len(left), 5)
}

func testRefused(t *testing.T, book casebook.Book) {
	t.Helper()
	ctx := t.Context()
	good := casebook.CaseChange{ID: "a", State: casebook.CaseOpen, By: "k", At: 1}
	with := func(change func(*casebook.CaseChange)) error {
		c := good
		change(&c)
		_, err := book.SaveCase(ctx, c)
		return err
	}
	_, note := book.AddNote(ctx, casebook.Note{About: casebook.Topic{Kind: "star", Subject: "x"}, Text: "t", By: "k"})
	_, key := book.AddKey(ctx, casebook.Secret{1}, casebook.Key{Role: "root"})
	_, zero := book.AddKey(ctx, casebook.Secret{}, casebook.Key{Role: casebook.Viewer})
	_, body := book.Raise(ctx, []casebook.Alert{{Kind: casebook.WatchHit, Body: []byte(`{"a":1} x`)}})
	_, nul := book.Raise(ctx, []casebook.Alert{{Kind: casebook.WatchHit, Body: []byte(`{"a":"\u0000"}`)}})
	_, kind := book.Raise(ctx, []casebook.Alert{{Kind: casebook.Withdrawn}})
	_, height := book.Raise(ctx, []casebook.Alert{{Kind: casebook.WatchHit, Cause: casebook.Cause{Chain: "eip155:1", Height: 1 << 63, Block: "0x1"}}})
	_, many := book.Raise(ctx, make([]casebook.Alert, casebook.MaxBatch+1))
	for name, err := range map[string]error{
		"no identifier":      with(func(c *casebook.CaseChange) { c.ID = "" }),
		"long identifier":    with(func(c *casebook.CaseChange) { c.ID = strings.Repeat("a", casebook.MaxID+1) }),
		"spaces":             with(func(c *casebook.CaseChange) { c.ID = "a b" }),
		"no state":           with(func(c *casebook.CaseChange) { c.State = "" }),
		"two lines of title": with(func(c *casebook.CaseChange) { c.Title = "a\nb" }),
		"long text":          with(func(c *casebook.CaseChange) { c.Text = strings.Repeat("a", casebook.MaxText+1) }),
		"no UTF-8":           with(func(c *casebook.CaseChange) { c.Text = "a\xff" }),
		"NUL":                with(func(c *casebook.CaseChange) { c.Text = "a\x00" }),
		"nobody":             with(func(c *casebook.CaseChange) { c.By = "" }),
		"topic":              note, "role": key, "a key of zeros": zero, "body with a rest": body, "NUL in a body": nul, "withdrawn by hand": kind,
		"height": height, "too many": many,
		"person's role":    book.GrantRole(ctx, casebook.Person{Issuer: "i", Subject: "s"}),
		"outcome":          book.KeepScreened(ctx, []casebook.Screened{{Subject: "a", Outcome: "fine"}}),
		"level":            book.KeepScreened(ctx, []casebook.Screened{{Subject: "a", Outcome: exposure.Allow, Level: "grave"}}),
		"unsigned webhook": book.SaveTarget(ctx, casebook.Target{ID: "t", Kind: casebook.Webhook, Address: "https://example.org", By: "k"}),
		"short secret":     book.SaveTarget(ctx, casebook.Target{ID: "t", Kind: casebook.Webhook, Address: "https://example.org", Secrets: []string{"short"}, By: "k"}),
		"venue":            book.SaveVenue(ctx, casebook.Venue{ID: "v", Kind: "shop", By: "k"}),
	} {
		var invalid *casebook.InvalidError
		if !errors.As(err, &invalid) {
			t.Errorf("%s: got %v, want an InvalidError", name, err)
		}
	}
	same(t, "cases after refusals", len(must1(book.Cases(ctx, casebook.CaseFilter{}))(t)), 0)
}

// testWriters has several writers and readers at once: all writes are there, numbers have
// no gaps, and of several changes of one revision one wins.
func testWriters(t *testing.T, book casebook.Book) {
	t.Helper()
	ctx := t.Context()
	const writers, each = 8, 10
	must1(book.SaveCase(ctx, casebook.CaseChange{ID: "c", State: casebook.CaseOpen, By: "k", At: 1}))(t)
	var group sync.WaitGroup
	won := make([]int, writers)
	for w := range writers {
		group.Go(func() {
			for i := range each {
				_, err := book.AddNote(ctx, casebook.Note{About: casebook.Topic{Kind: casebook.AboutCase, Subject: "c"}, Text: "n", By: "key-" + string(rune('a'+w)), At: int64(i)})
				if err != nil {
					t.Error(err)
				}
				if _, err := book.Notes(ctx, casebook.Topic{Kind: casebook.AboutCase, Subject: "c"}, 0, 0); err != nil {
					t.Error(err)
				}
			}
			_, err := book.SaveCase(ctx, casebook.CaseChange{ID: "c", Title: string(rune('a' + w)), State: casebook.CaseOpen, By: "k", At: 2, Expect: 1})
			if err == nil {
				won[w] = 1
			} else if !errors.Is(err, casebook.ErrChanged) {
				t.Error(err)
			}
		})
	}
	group.Wait()
	notes := must1(book.Notes(ctx, casebook.Topic{Kind: casebook.AboutCase, Subject: "c"}, 0, 0))(t)
	same(t, "notes", len(notes), writers*each)
	for i, n := range notes {
		same(t, "number", n.Sequence, int64(i+1))
	}
	total := 0
	for _, n := range won {
		total += n
	}
	same(t, "changes that won", total, 1)
}
