package server

import (
	"context"
	"net/http"
	"slices"
	"strconv"
)

// Casework says who changed a case, and who works on it.
type Casework interface {
	// Revisions gives the revisions of a case after a number, oldest first.
	Revisions(ctx context.Context, id string, after int64, limit int) ([]Revision, error)
	// CaseMembers gives who works on a case, by person.
	CaseMembers(ctx context.Context, id string) ([]CaseMember, error)
	// SaveCaseMember puts somebody on a case, or changes the role.
	SaveCaseMember(ctx context.Context, id string, member CaseMember) (CaseMember, error)
	// RemoveCaseMember takes somebody off a case, and gives who it was. Of off the person
	// counts, and who says so when.
	RemoveCaseMember(ctx context.Context, id string, off CaseMember) (CaseMember, error)
}

// A Revision is a case as somebody left it.
type Revision struct {
	Number int64  `json:"number"`
	Title  string `json:"title"`
	State  string `json:"state"`
	Text   string `json:"text"`
	By     string `json:"by"`
	At     int64  `json:"at"`
	Why    string `json:"why,omitempty"`
}

// A CaseMember is somebody who works on a case.
type CaseMember struct {
	Person string `json:"person"`
	Role   string `json:"role"` // lead, analyst or reader
	By     string `json:"by"`
	At     int64  `json:"at"`
}

// caseRoles are what somebody can be on a case. They open nothing: what somebody may do is
// the role of the key or of the person.
var caseRoles = []string{"lead", "analyst", "reader"}

// listRevisions gives who changed what of a case, when and why.
func listRevisions(x *exchange) {
	after, limit, ok := x.numbered()
	if !ok {
		return
	}
	id, ok := x.pathID("id")
	if !ok {
		return
	}
	ctx, cancel := x.within()
	defer cancel()
	list, err := x.parts.Casework.Revisions(ctx, id, after, limit)
	if err != nil {
		x.fail(err)
		return
	}
	x.json(http.StatusOK, pageOf(list, limit, func(r *Revision) string { return strconv.FormatInt(r.Number, 10) }))
}

// listCaseMembers gives who works on a case.
func listCaseMembers(x *exchange) {
	id, ok := x.pathID("id")
	if !ok {
		return
	}
	ctx, cancel := x.within()
	defer cancel()
	list, err := x.parts.Casework.CaseMembers(ctx, id)
	if err != nil {
		x.fail(err)
		return
	}
	x.json(http.StatusOK, pageOf(list, 0, nil))
}

// roleBody is what a caller says of a member.
type roleBody struct {
	Role string `json:"role"`
}

// putCaseMember puts somebody on a case.
func putCaseMember(x *exchange) {
	id, ok := x.pathID("id")
	if !ok {
		return
	}
	person, ok := x.pathID("person")
	if !ok {
		return
	}
	var in roleBody
	body, ok := decode(x, &in)
	if !ok {
		return
	}
	if !slices.Contains(caseRoles, in.Role) {
		x.fail(invalid("the role %.50q is none of lead, analyst and reader", in.Role))
		return
	}
	ctx, cancel := x.within()
	defer cancel()
	saved, err := x.parts.Casework.SaveCaseMember(ctx, id, CaseMember{Person: person, Role: in.Role, By: x.who.id, At: x.started.Unix()})
	if err != nil {
		x.fail(err)
		return
	}
	x.change(http.StatusOK, body, saved)
}

// removeCaseMember takes somebody off a case.
func removeCaseMember(x *exchange) {
	id, ok := x.pathID("id")
	if !ok {
		return
	}
	person, ok := x.pathID("person")
	if !ok {
		return
	}
	ctx, cancel := x.within()
	defer cancel()
	removed, err := x.parts.Casework.RemoveCaseMember(ctx, id, CaseMember{Person: person, By: x.who.id, At: x.started.Unix()})
	if err != nil {
		x.fail(err)
		return
	}
	x.change(http.StatusOK, nil, removed)
}
