package casebooktest

import (
	"testing"

	"coldtrail/casebook"
	"coldtrail/screen/exposure"
)

// sorted are identifiers in the order of their bytes. Rules of languages put them in another:
// they pass over marks, and put a before B.
var sorted = []string{"!b", "#a", "-", "0xAB", "0xaB", "0xab", "A", "A-b", "AB", "Ab", "B", "_", "a", "a-b", "a.b", "aB", "a_b", "ab", "b", "~a"}

// shuffled are the same in an order that is none.
func shuffled() []string {
	list := make([]string, len(sorted))
	for i := range sorted {
		list[i] = sorted[(7*i+3)%len(sorted)]
	}
	return list
}

// ids gives one part of each.
func ids[T any](list []T, id func(*T) string) []string {
	var texts []string
	for i := range list {
		texts = append(texts, id(&list[i]))
	}
	return texts
}

// pages reads a list one by one, each after the one before.
func pages[T any](t *testing.T, id func(*T) string, read func(after T) ([]T, error)) []string {
	t.Helper()
	var texts []string
	for after := *new(T); len(texts) <= len(sorted); {
		list := must1(read(after))(t)
		if len(list) == 0 {
			break
		}
		after = list[0]
		texts = append(texts, id(&after))
	}
	return texts
}

// testOrder wants texts ordered by bytes, in lists and from page to page.
func testOrder(t *testing.T, book casebook.Book) {
	t.Helper()
	ctx := t.Context()
	must(t, book.SaveWatchlist(ctx, casebook.Watchlist{ID: "all", By: "k"}))
	must1(book.SaveCase(ctx, casebook.CaseChange{ID: "A", State: casebook.CaseOpen, By: "k", At: 1, Text: "x"}))(t)
	for _, id := range shuffled() {
		if id != "A" {
			must1(book.SaveCase(ctx, casebook.CaseChange{ID: id, State: casebook.CaseOpen, By: "k", At: 1, Text: "x"}))(t)
		}
		must1(book.Assign(ctx, casebook.Assignment{Case: "A", Person: id, Role: casebook.Lead, By: "k", At: 1}))(t)
		must(t, book.GrantRole(ctx, casebook.Person{Issuer: "https://" + id, Subject: "s", Role: casebook.Viewer}))
		must(t, book.GrantRole(ctx, casebook.Person{Issuer: "one", Subject: id, Role: casebook.Viewer}))
		must(t, book.SaveWatchlist(ctx, casebook.Watchlist{ID: "list" + id, By: "k"}))
		must(t, book.ChangeMembers(ctx, casebook.MemberChange{List: "all", Add: []casebook.Member{{Address: id, By: "k"}}}))
		must(t, book.ChangeMembers(ctx, casebook.MemberChange{List: "list" + id, Add: []casebook.Member{{Address: "one", Chain: id, By: "k"}, {Address: "every", By: "k"}}}))
		must(t, book.SaveTarget(ctx, casebook.Target{ID: id, Kind: casebook.Mail, Address: "a@example.org", By: "k"}))
		must(t, book.SaveSubscription(ctx, casebook.Subscription{ID: id, Target: id, By: "k"}))
		must(t, book.SaveVenue(ctx, casebook.Venue{ID: id, Kind: casebook.Posted, By: "k"}))
		must(t, book.KeepScreened(ctx, []casebook.Screened{{Subject: id, Outcome: exposure.Allow, Asked: 1}}))
		alert := hit("s"+id, 7, id)
		must1(book.Raise(ctx, []casebook.Alert{alert}))(t)
	}
	same(t, "cases", ids(must1(book.Cases(ctx, casebook.CaseFilter{}))(t), func(c *casebook.Case) string { return c.ID }), sorted)
	same(t, "pages of cases", pages(t, func(c *casebook.Case) string { return c.ID }, func(after casebook.Case) ([]casebook.Case, error) {
		return book.Cases(ctx, casebook.CaseFilter{After: after.ID, Limit: 1})
	}), sorted)
	same(t, "a team", ids(must1(book.Team(ctx, "A"))(t), func(a *casebook.Assignment) string { return a.Person }), sorted)
	people := must1(book.People(ctx))(t)
	same(t, "issuers", ids(people[:len(sorted)], func(p *casebook.Person) string { return p.Issuer[len("https://"):] }), sorted)
	same(t, "subjects", ids(people[len(sorted):], func(p *casebook.Person) string { return p.Subject }), sorted)
	same(t, "watch-lists", ids(must1(book.Watchlists(ctx))(t)[1:], func(l *casebook.Watchlist) string { return l.ID[len("list"):] }), sorted)
	same(t, "lists of an address", ids(must1(book.WatchedBy(ctx, "", "every"))(t), func(l *casebook.Watchlist) string { return l.ID[len("list"):] }), sorted)
	same(t, "pages of members", pages(t, func(m *casebook.Member) string { return m.Address }, func(after casebook.Member) ([]casebook.Member, error) {
		return book.Members(ctx, "all", after, 1)
	}), sorted)
	same(t, "targets", ids(must1(book.Targets(ctx))(t), func(a *casebook.Target) string { return a.ID }), sorted)
	same(t, "subscriptions", ids(must1(book.Subscriptions(ctx))(t), func(s *casebook.Subscription) string { return s.ID }), sorted)
	same(t, "venues", ids(must1(book.Venues(ctx))(t), func(v *casebook.Venue) string { return v.ID }), sorted)
	same(t, "pages of screened subjects", pages(t, func(s *casebook.Screened) string { return s.Subject }, func(after casebook.Screened) ([]casebook.Screened, error) {
		return book.ScreenedSince(ctx, 0, after, 1)
	}), sorted)
	same(t, "causes", ids(must1(book.Causes(ctx, "eip155:1", 0))(t), func(c *casebook.Cause) string { return c.Block }), sorted)
}
