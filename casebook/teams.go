package casebook

import (
	"context"
	"fmt"
)

// CaseRole says what somebody is on a case. It opens nothing: what somebody may do is the
// role of the key or the person.
type CaseRole string

// The roles on a case. NotOnCase is that of somebody who was taken off.
const (
	Lead        CaseRole = "lead"
	CaseAnalyst CaseRole = "analyst"
	CaseReader  CaseRole = "reader"
	NotOnCase   CaseRole = ""
)

// An Assignment puts somebody on a case, or takes somebody off it.
type Assignment struct {
	Case   string   `json:"case"`
	Person string   `json:"person"`
	Role   CaseRole `json:"role"`
	By     string   `json:"by"`
	At     int64    `json:"at"`
}

// Teams keeps who works on cases. What was said before stays.
type Teams interface {
	// Assign puts somebody on a case, changes the role there, or takes somebody off; it
	// gives what holds now. What changes nothing is not kept again. It is ErrNotFound where
	// there is no such case, or where somebody is taken off who is not on it.
	Assign(ctx context.Context, a Assignment) (Assignment, error)
	// Team gives who is on a case, in order of persons.
	Team(ctx context.Context, id string) ([]Assignment, error)
	// Assignments gives everything that was said about who is on a case, in order.
	Assignments(ctx context.Context, id string) ([]Assignment, error)
}

func (a *Assignment) check() error {
	switch a.Role {
	case Lead, CaseAnalyst, CaseReader, NotOnCase:
	default:
		return &InvalidError{"role", fmt.Sprintf("%.50q is none of lead, analyst and reader", string(a.Role))}
	}
	return first(checkID("case", a.Case), checkID("person", a.Person), checkID("by", a.By))
}

const assignmentColumns = `case_id, person, role, by_whom, at`

func scanAssignment(r row) (Assignment, error) {
	var a Assignment
	err := r.Scan(&a.Case, &a.Person, &a.Role, &a.By, &a.At)
	return a, err
}

// Assign implements Teams.
func (b *SQL) Assign(ctx context.Context, a Assignment) (Assignment, error) {
	if err := a.check(); err != nil {
		return a, err
	}
	err := b.change(ctx, "assign to case "+a.Case, func(s session) error {
		if _, err := one(ctx, s, text, `SELECT id FROM cases WHERE id = ?`, a.Case); err != nil {
			return err
		}
		said, err := rows(ctx, s, scanAssignment, `SELECT `+assignmentColumns+` FROM assignments WHERE case_id = ? AND person = ? ORDER BY sequence DESC LIMIT 1`, a.Case, a.Person)
		if err != nil {
			return err
		}
		held := append(said, Assignment{})[0]
		switch {
		case held.Role == NotOnCase && a.Role == NotOnCase:
			return fmt.Errorf("%s is not on the case: %w", a.Person, ErrNotFound)
		case held.Role == a.Role:
			a = held
			return nil
		}
		n, err := next(ctx, s, "assignments")
		if err != nil {
			return err
		}
		_, err = s.exec(ctx, `INSERT INTO assignments (sequence, `+assignmentColumns+`) VALUES `+questionMarks(6), n, a.Case, a.Person, a.Role, a.By, a.At)
		return err
	})
	return a, err
}

// Team implements Teams.
func (b *SQL) Team(ctx context.Context, id string) ([]Assignment, error) {
	return told[[]Assignment]("team of case " + id)(rows(ctx, b.reading(), scanAssignment,
		`SELECT `+assignmentColumns+` FROM assignments WHERE case_id = ? AND role <> '' AND
		sequence IN (SELECT MAX(sequence) FROM assignments WHERE case_id = ? GROUP BY person) ORDER BY person`, id, id))
}

// Assignments implements Teams.
func (b *SQL) Assignments(ctx context.Context, id string) ([]Assignment, error) {
	return told[[]Assignment]("assignments of case " + id)(rows(ctx, b.reading(), scanAssignment,
		`SELECT `+assignmentColumns+` FROM assignments WHERE case_id = ? ORDER BY sequence`, id))
}
