package server

import (
	"fmt"
	"net/http"
	"strings"
)

func listWatchLists(x *exchange) { list(x, x.parts.WatchLists.WatchLists) }

// watchList finds the list that the path names.
func (x *exchange) watchList() (*WatchList, bool) {
	ctx, cancel := x.within()
	defer cancel()
	all, err := x.parts.WatchLists.WatchLists(ctx)
	return held(x, all, err, func(l *WatchList) bool { return l.ID == x.request.PathValue("id") })
}

func getWatchList(x *exchange) {
	if l, ok := x.watchList(); ok {
		x.json(http.StatusOK, l)
	}
}

// watchListBody is what a caller says of a list.
type watchListBody struct {
	Name string `json:"name"`
	Note string `json:"note"`
}

// putWatchList makes a list, or changes name and note of one.
func putWatchList(x *exchange) {
	id, ok := x.pathID("id")
	if !ok {
		return
	}
	var in watchListBody
	body, ok := decode(x, &in)
	if !ok {
		return
	}
	l := WatchList{ID: id, Name: in.Name, Note: in.Note, By: x.who.id, Created: x.started.Unix()}
	before, ok := one(x, x.parts.WatchLists.WatchLists, func(l *WatchList) bool { return l.ID == id })
	if !ok {
		return
	}
	if before != nil { // whose it is stays
		l.By, l.Created = before.By, before.Created
	}
	x.saveWatchList(body, l)
}

func (x *exchange) saveWatchList(body []byte, l WatchList) {
	ctx, cancel := x.within()
	defer cancel()
	if err := x.parts.WatchLists.SaveWatchList(ctx, l); err != nil {
		x.fail(err)
		return
	}
	x.change(http.StatusOK, body, l)
}

// endWatchList gives a list up. Its members stay.
func endWatchList(x *exchange) {
	l, ok := x.watchList()
	if !ok {
		return
	}
	if l.Ended == 0 {
		l.Ended = x.started.Unix()
	}
	x.saveWatchList(nil, *l)
}

// listMembers gives who is on a list.
func listMembers(x *exchange) {
	cursor, limit, ok := x.paging()
	if !ok {
		return
	}
	var after Member
	after.Address, after.Chain, _ = strings.Cut(cursor, " ")
	ctx, cancel := x.within()
	defer cancel()
	members, err := x.parts.WatchLists.Members(ctx, x.request.PathValue("id"), after, limit)
	if err != nil {
		x.fail(err)
		return
	}
	x.json(http.StatusOK, pageOf(members, limit, func(m *Member) string { return m.Address + " " + m.Chain }))
}

// changed says how much a change did.
type changed struct {
	Added   int `json:"added"`
	Removed int `json:"removed"`
}

// changeMembers puts addresses on a list and takes others off.
func changeMembers(x *exchange) {
	var change MemberChange
	body, ok := decode(x, &change)
	if !ok {
		return
	}
	if n := len(change.Add) + len(change.Remove); n == 0 || n > MaxQuestions {
		x.fail(invalid("a change has 1 to %d members in add and remove, and this has %d", MaxQuestions, n))
		return
	}
	for _, m := range append(append([]Member(nil), change.Add...), change.Remove...) {
		if m.Address == "" || !isName(m.Address) || len(m.Address) > maxSubject || !isName(m.Chain) || len(m.Chain) > maxChain {
			x.fail(invalid("%.100q on %.50q is no address", m.Address, m.Chain))
			return
		}
	}
	for i := range change.Add {
		change.Add[i].By, change.Add[i].At = x.who.id, x.started.Unix()
	}
	ctx, cancel := x.within()
	defer cancel()
	if err := x.parts.WatchLists.ChangeMembers(ctx, x.request.PathValue("id"), change); err != nil {
		x.fail(fmt.Errorf("watch-list %.200s: %w", x.request.PathValue("id"), err))
		return
	}
	x.change(http.StatusOK, body, changed{len(change.Add), len(change.Remove)})
}
