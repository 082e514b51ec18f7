package server

import (
	"net/http"
	"strconv"
	"strings"
)

// listCases gives cases in order of their identifiers.
func listCases(x *exchange) {
	after, limit, ok := x.paging("state")
	if !ok {
		return
	}
	ctx, cancel := x.within()
	defer cancel()
	cases, err := x.parts.Cases.Cases(ctx, CaseFilter{State: x.request.URL.Query().Get("state"), After: after, Limit: limit})
	if err != nil {
		x.fail(err)
		return
	}
	x.json(http.StatusOK, pageOf(cases, limit, func(c *Case) string { return c.ID }))
}

// getCase gives one case.
func getCase(x *exchange) {
	id, ok := x.pathID("id")
	if !ok {
		return
	}
	ctx, cancel := x.within()
	defer cancel()
	found, err := x.parts.Cases.Case(ctx, id)
	if err != nil {
		x.fail(err)
		return
	}
	x.json(http.StatusOK, found)
}

// putCase opens a case, or adds a revision to one.
func putCase(x *exchange) {
	id, ok := x.pathID("id")
	if !ok {
		return
	}
	var change CaseChange
	body, ok := decode(x, &change)
	if !ok {
		return
	}
	if change.State == "" {
		change.State = "open"
	}
	if change.State != "open" && change.State != "closed" {
		x.fail(invalid("a case is open or closed"))
		return
	}
	change.ID, change.By, change.At = id, x.who.id, x.started.Unix()
	ctx, cancel := x.within()
	defer cancel()
	saved, err := x.parts.Cases.SaveCase(ctx, change)
	if err != nil {
		x.fail(err)
		return
	}
	x.change(http.StatusOK, body, saved)
}

// listNotes gives the notes on a case, oldest first.
func listNotes(x *exchange) {
	after, limit, ok := x.numbered()
	if !ok {
		return
	}
	ctx, cancel := x.within()
	defer cancel()
	notes, err := x.parts.Cases.Notes(ctx, x.request.PathValue("id"), after, limit)
	if err != nil {
		x.fail(err)
		return
	}
	x.json(http.StatusOK, pageOf(notes, limit, func(n *Note) string { return strconv.FormatInt(n.Sequence, 10) }))
}

// noteBody is what a caller writes.
type noteBody struct {
	Text string `json:"text"`
}

// postNote adds a note to a case. Notes are not edited; a later one corrects an earlier.
func postNote(x *exchange) {
	var in noteBody
	body, ok := decode(x, &in)
	if !ok {
		return
	}
	if strings.TrimSpace(in.Text) == "" {
		x.fail(invalid("the note is empty"))
		return
	}
	ctx, cancel := x.within()
	defer cancel()
	note, err := x.parts.Cases.AddNote(ctx, x.request.PathValue("id"), Note{Text: in.Text, By: x.who.id, At: x.started.Unix()})
	if err != nil {
		x.fail(err)
		return
	}
	x.change(http.StatusCreated, body, note)
}
