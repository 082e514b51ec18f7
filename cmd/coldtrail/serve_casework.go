package main

import (
	"context"

	"coldtrail/casebook"
	"coldtrail/server"
)

// bookCasework gives the server who changed cases of a casebook and who works on them.
type bookCasework struct{ book casebook.Casework }

var _ server.Casework = bookCasework{}

// Revisions gives the revisions of a case.
func (b bookCasework) Revisions(ctx context.Context, id string, after int64, limit int) ([]server.Revision, error) {
	if _, err := b.book.Case(ctx, id); err != nil {
		return nil, answered(err)
	}
	list, err := b.book.Revisions(ctx, id, after, limit)
	return each(list, err, func(r *casebook.Revision) server.Revision {
		return server.Revision{Number: r.Number, Title: r.Title, State: string(r.State), Text: r.Text, By: r.By, At: r.At, Why: r.Why}
	})
}

// CaseMembers gives who works on a case.
func (b bookCasework) CaseMembers(ctx context.Context, id string) ([]server.CaseMember, error) {
	if _, err := b.book.Case(ctx, id); err != nil {
		return nil, answered(err)
	}
	team, err := b.book.Team(ctx, id)
	return each(team, err, serverMember)
}

func serverMember(a *casebook.Assignment) server.CaseMember {
	return server.CaseMember{Person: a.Person, Role: string(a.Role), By: a.By, At: a.At}
}

// SaveCaseMember puts somebody on a case.
func (b bookCasework) SaveCaseMember(ctx context.Context, id string, m server.CaseMember) (server.CaseMember, error) {
	kept, err := b.book.Assign(ctx, casebook.Assignment{Case: id, Person: m.Person, Role: casebook.CaseRole(m.Role), By: m.By, At: m.At})
	if err != nil {
		return server.CaseMember{}, answered(err)
	}
	return serverMember(&kept), nil
}

// RemoveCaseMember takes somebody off a case, and says who it was.
func (b bookCasework) RemoveCaseMember(ctx context.Context, id string, off server.CaseMember) (server.CaseMember, error) {
	team, err := b.book.Team(ctx, id)
	if err != nil {
		return server.CaseMember{}, answered(err)
	}
	for i := range team {
		if team[i].Person == off.Person {
			_, err := b.book.Assign(ctx, casebook.Assignment{Case: id, Person: off.Person, By: off.By, At: off.At})
			return serverMember(&team[i]), answered(err)
		}
	}
	return server.CaseMember{}, refuse(server.ErrNotFound, "%s is not on the case %s", off.Person, id)
}
