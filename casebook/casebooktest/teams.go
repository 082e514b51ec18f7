package casebooktest

import (
	"errors"
	"testing"

	"coldtrail/casebook"
)

func testTeams(t *testing.T, book casebook.Book) {
	t.Helper()
	ctx := t.Context()
	for _, id := range []string{"a", "b"} {
		must1(book.SaveCase(ctx, casebook.CaseChange{ID: id, State: casebook.CaseOpen, Text: "case: x", By: "key-1", At: 1}))(t)
	}
	zoe := casebook.Assignment{Case: "a", Person: "zoe@example.org", Role: casebook.Lead, By: "key-1", At: 10}
	ann := casebook.Assignment{Case: "a", Person: "ann", Role: casebook.CaseReader, By: "zoe@example.org", At: 20}
	same(t, "the first", must1(book.Assign(ctx, zoe))(t), zoe)
	same(t, "the second", must1(book.Assign(ctx, ann))(t), ann)
	must1(book.Assign(ctx, casebook.Assignment{Case: "b", Person: "bob", Role: casebook.CaseAnalyst, By: "key-1", At: 30}))(t)
	again := zoe
	again.By, again.At = "key-2", 40
	same(t, "what is so already stays as it was said", must1(book.Assign(ctx, again))(t), zoe)
	same(t, "the team", must1(book.Team(ctx, "a"))(t), []casebook.Assignment{ann, zoe})

	raised := casebook.Assignment{Case: "a", Person: "ann", Role: casebook.CaseAnalyst, By: "key-1", At: 50}
	off := casebook.Assignment{Case: "a", Person: "zoe@example.org", By: "key-1", At: 60}
	same(t, "a change", must1(book.Assign(ctx, raised))(t), raised)
	same(t, "an end", must1(book.Assign(ctx, off))(t), off)
	same(t, "the team afterwards", must1(book.Team(ctx, "a"))(t), []casebook.Assignment{raised})
	same(t, "everything that was said", must1(book.Assignments(ctx, "a"))(t), []casebook.Assignment{zoe, ann, raised, off})
	_, err := book.Assign(ctx, off)
	wants(t, "somebody who was taken off already", err, casebook.ErrNotFound)
	zoe.At = 70
	must1(book.Assign(ctx, zoe))(t)
	same(t, "the team with one who came back", must1(book.Team(ctx, "a"))(t), []casebook.Assignment{raised, zoe})

	_, err = book.Assign(ctx, casebook.Assignment{Case: "none", Person: "ann", Role: casebook.Lead, By: "key-1", At: 1})
	wants(t, "a case that is not there", err, casebook.ErrNotFound)
	for _, a := range []casebook.Assignment{
		{Case: "a", Person: "ann", Role: "boss", By: "key-1"}, {Case: "a", Person: "an n", Role: casebook.Lead, By: "key-1"}, {Case: "a", Person: "ann", Role: casebook.Lead},
	} {
		var invalid *casebook.InvalidError
		if _, err := book.Assign(ctx, a); !errors.As(err, &invalid) {
			t.Errorf("%+v: %v", a, err)
		}
	}
}
