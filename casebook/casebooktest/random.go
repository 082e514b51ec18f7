package casebooktest

import (
	"encoding/json"
	"fmt"

	"pgregory.net/rapid"

	"coldtrail/casebook"
	"coldtrail/screen/exposure"
)

// Fill does at random what people and programs do with a casebook, so that rows of every
// table may be there.
func Fill(t *rapid.T, book casebook.Book) {
	f := &filling{t: t, book: book}
	deeds := []func(){f.saveCase, f.work, f.access, f.watch, f.screened, f.alerts, f.withdraw, f.deliver, f.guard, f.policy}
	for range rapid.IntRange(0, 30).Draw(t, "deeds") {
		f.now++
		rapid.SampledFrom(deeds).Draw(t, "deed")()
	}
}

type filling struct {
	t    *rapid.T
	book casebook.Book
	now  int64
}

// id draws one of a few identifiers, which languages order otherwise than bytes.
func (f *filling) id() string { return rapid.SampledFrom(sorted).Draw(f.t, "id") }

// text draws what people write: any UTF-8 without NUL, also quotes and marks.
func (f *filling) text() string {
	return rapid.OneOf(rapid.StringMatching(`[^\x00]{0,40}`), rapid.SampledFrom([]string{"", "'; DROP TABLE cases; --", "$1 ? \\ \" %", "é\u0301\U0001F4B0\u202e", "line\nline\ttab\r\n"})).Draw(f.t, "text")
}

// line draws a text of one line.
func (f *filling) line() string {
	return rapid.StringMatching(`[^\x00\r\n]{0,40}`).Draw(f.t, "line")
}

// number draws a moment, also those at the ends.
func (f *filling) number() int64 {
	return rapid.OneOf(rapid.Int64Range(0, 100), rapid.SampledFrom([]int64{-1 << 63, 1<<63 - 1, -1})).Draw(f.t, "number")
}

func (f *filling) body() json.RawMessage {
	return must1(json.Marshal(map[string]any{f.line(): f.text(), "n": json.Number("1.50")}))(f.t)
}

func (f *filling) saveCase() {
	id := f.id()
	change := casebook.CaseChange{ID: id, Title: f.line(), State: rapid.SampledFrom([]casebook.CaseState{casebook.CaseOpen, casebook.CaseClosed}).Draw(f.t, "state"), Text: f.text(), By: "k", At: f.number(), Why: f.text()}
	if held, err := f.book.Case(context(), id); err == nil {
		change.Expect = held.Revision
	}
	must1(f.book.SaveCase(context(), change))(f.t)
	if rapid.Bool().Draw(f.t, "assigned") {
		must1(f.book.Assign(context(), casebook.Assignment{Case: id, Person: f.id(), Role: casebook.CaseReader, By: "k", At: f.number()}))(f.t)
	}
}

func (f *filling) work() {
	must1(f.book.AddNote(context(), casebook.Note{About: casebook.Topic{Kind: casebook.AboutAddress, Chain: f.id(), Subject: f.id()}, Text: "n" + f.text(), By: f.id(), At: f.number()}))(f.t)
}

func (f *filling) access() {
	secret := casebook.Secret{1, byte(f.now), byte(f.now >> 8)}
	key := must1(f.book.AddKey(context(), secret, casebook.Key{Name: f.line(), Role: casebook.Analyst, Created: f.number(), Expires: f.number()}))(f.t)
	must(f.t, f.book.UsedKeys(context(), map[string]int64{key.ID: f.number()}))
	person := casebook.Person{Issuer: "i" + f.line(), Subject: f.id(), Name: f.line(), Mail: f.line(), Role: casebook.Admin, Granted: f.number()}
	must(f.t, f.book.GrantRole(context(), person))
	if rapid.Bool().Draw(f.t, "revoked") {
		must(f.t, f.book.RevokeKey(context(), key.ID, "k", f.number()))
		must(f.t, f.book.RevokeRole(context(), person, "k", f.number()))
	}
}

func (f *filling) watch() {
	list := f.id()
	must(f.t, f.book.SaveWatchlist(context(), casebook.Watchlist{ID: list, Name: f.line(), Note: f.text(), By: "k", Created: f.number(), Ended: f.number()}))
	var add []casebook.Member
	for range rapid.IntRange(0, 250).Draw(f.t, "members") { // more than a page of a copy
		add = append(add, casebook.Member{Chain: f.id(), Address: fmt.Sprint(f.id(), len(add)), Note: f.line(), By: "k", At: f.now})
	}
	must(f.t, f.book.ChangeMembers(context(), casebook.MemberChange{List: list, Add: add}))
	told(f.t, f.book, f.id())
}

func (f *filling) screened() {
	var batch []casebook.Screened
	for range rapid.IntRange(0, 5).Draw(f.t, "subjects") {
		batch = append(batch, casebook.Screened{Subject: f.id(), Chain: f.id(), Outcome: exposure.Review, Level: exposure.Low, Judged: f.number(), Asked: f.now, By: f.id()})
	}
	must(f.t, f.book.KeepScreened(context(), batch))
}

func (f *filling) alerts() {
	var list []casebook.Alert
	for range rapid.IntRange(1, 4).Draw(f.t, "alerts") {
		a := hit(f.id(), uint64(rapid.IntRange(1, 3).Draw(f.t, "height")), f.id())
		a.Body, a.Created = f.body(), f.now
		list = append(list, a)
	}
	must1(f.book.Raise(context(), list))(f.t)
}

func (f *filling) withdraw() {
	blocks := must1(f.book.Causes(context(), "eip155:1", 0))(f.t)
	if len(blocks) > 0 {
		must1(f.book.Withdraw(context(), casebook.Withdrawal{Blocks: blocks[:1], Why: f.line(), At: f.now}))(f.t)
	}
}

func (f *filling) deliver() {
	for i, s := range must1(f.book.Claim(context(), casebook.Claim{At: f.now, Until: f.now + 60, Limit: 3}))(f.t) {
		status := []casebook.DeliveryStatus{casebook.Waiting, casebook.Delivered, casebook.GivenUp}[i%3]
		must(f.t, f.book.Settle(context(), casebook.Settlement{Delivery: s.Delivery.ID, Attempt: s.Delivery.Attempts, Status: status, At: f.now, Next: f.now + 1, Reason: f.text()}))
	}
}

func (f *filling) guard() {
	venue := f.id()
	must(f.t, f.book.SaveVenue(context(), casebook.Venue{ID: venue, Name: f.line(), Kind: casebook.Posted, Config: f.body(), By: "k", Created: f.number(), Changed: f.number(), Ended: f.number()}))
	must1(f.book.PostEvents(context(), venue, []casebook.Event{{ID: fmt.Sprint(f.id(), f.now), At: f.number(), Received: f.number(), Body: f.body()}}))(f.t)
	must(f.t, f.book.KeepSnapshot(context(), casebook.Snapshot{Venue: venue, At: f.number(), Sequence: f.number(), Body: f.body()}))
	must1(f.book.Override(context(), casebook.Override{Venue: venue, State: "halt", Why: "w" + f.line(), By: f.id(), At: f.now, Until: f.now + 9}))(f.t)
}

func (f *filling) policy() {
	p := must1(f.book.AddPolicy(context(), casebook.Policy{Name: f.line(), Version: f.line(), Text: f.text(), By: f.id(), Added: f.number()}))(f.t)
	must1(f.book.Activate(context(), casebook.Activation{Policy: p.Digest, By: f.id(), At: f.number(), Why: f.line()}))(f.t)
	must1(f.book.KeepDryRun(context(), casebook.DryRun{Policy: p.Digest, By: f.id(), At: f.number(), Result: f.body()}))(f.t)
}
