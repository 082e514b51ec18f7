package casebook

import (
	"context"
	"fmt"
)

// CaseState says whether a case is worked on.
type CaseState string

// The states of a case.
const (
	CaseOpen   CaseState = "open"
	CaseClosed CaseState = "closed"
)

// A Case is a case file with who made it what it is.
type Case struct {
	ID    string    `json:"id"`
	Title string    `json:"title"`
	State CaseState `json:"state"`
	Text  string    `json:"text"` // the case file, YAML, as it was written
	// Revision counts the changes from 1.
	Revision  int64  `json:"revision"`
	OpenedBy  string `json:"opened_by"`
	Opened    int64  `json:"opened"`
	ChangedBy string `json:"changed_by"`
	Changed   int64  `json:"changed"`
}

// A Revision is a case as somebody left it.
type Revision struct {
	Case   string    `json:"case"`
	Number int64     `json:"number"`
	Title  string    `json:"title"`
	State  CaseState `json:"state"`
	Text   string    `json:"text"`
	By     string    `json:"by"`
	At     int64     `json:"at"`
	Why    string    `json:"why,omitempty"`
}

// A CaseChange is what a case is to become.
type CaseChange struct {
	ID    string
	Title string
	State CaseState
	Text  string
	By    string
	At    int64
	Why   string
	// Expect is the revision that the change was made on, 0 for a new case. If it is not
	// the newest the change is refused with ErrChanged.
	Expect int64
}

// A CaseFilter selects cases, in order of their identifiers.
type CaseFilter struct {
	State CaseState // empty for all
	After string    // only identifiers above this one
	Limit int
}

// Cases keeps case files.
type Cases interface {
	// SaveCase adds a revision and gives the case. A change that changes nothing adds none.
	SaveCase(ctx context.Context, change CaseChange) (Case, error)
	// Case gives a case, or ErrNotFound.
	Case(ctx context.Context, id string) (Case, error)
	// Cases gives the cases that a filter selects.
	Cases(ctx context.Context, filter CaseFilter) ([]Case, error)
	// Revisions gives the revisions of a case after a number, oldest first.
	Revisions(ctx context.Context, id string, after int64, limit int) ([]Revision, error)
}

func (c *CaseChange) check() error {
	if c.State != CaseOpen && c.State != CaseClosed {
		return &InvalidError{"state", fmt.Sprintf("%q is neither open nor closed", c.State)}
	}
	return first(checkID("case", c.ID), checkLine("title", c.Title), checkText("case file", c.Text, MaxText), checkID("by", c.By), checkText("why", c.Why, MaxLine))
}

const caseColumns = `id, title, state, text, revision, opened_by, opened_at, changed_by, changed_at`

func scanCase(r row) (Case, error) {
	var c Case
	err := r.Scan(&c.ID, &c.Title, &c.State, &c.Text, &c.Revision, &c.OpenedBy, &c.Opened, &c.ChangedBy, &c.Changed)
	return c, err
}

// SaveCase implements Cases.
func (b *SQL) SaveCase(ctx context.Context, change CaseChange) (Case, error) {
	if err := change.check(); err != nil {
		return Case{}, err
	}
	var saved Case
	err := b.change(ctx, "save case "+change.ID, func(s session) error {
		found, err := rows(ctx, s, scanCase, `SELECT `+caseColumns+` FROM cases WHERE id = ?`, change.ID)
		if err != nil {
			return err
		}
		held := Case{ID: change.ID, OpenedBy: change.By, Opened: change.At}
		if len(found) > 0 {
			held = found[0]
		}
		if held.Revision != change.Expect {
			return fmt.Errorf("revision %d was changed, the newest is %d: %w", change.Expect, held.Revision, ErrChanged)
		}
		if held.Title == change.Title && held.State == change.State && held.Text == change.Text {
			saved = held
			return nil
		}
		saved = Case{change.ID, change.Title, change.State, change.Text, held.Revision + 1, held.OpenedBy, held.Opened, change.By, change.At}
		return saved.write(ctx, s, change.Why)
	})
	return saved, err
}

// write writes a case and its newest revision.
func (c *Case) write(ctx context.Context, s session, why string) error {
	_, err := s.exec(ctx, `INSERT INTO cases (`+caseColumns+`) VALUES `+questionMarks(9)+`
		ON CONFLICT (id) DO UPDATE SET title = excluded.title, state = excluded.state, text = excluded.text,
		revision = excluded.revision, changed_by = excluded.changed_by, changed_at = excluded.changed_at`,
		c.ID, c.Title, c.State, c.Text, c.Revision, c.OpenedBy, c.Opened, c.ChangedBy, c.Changed)
	if err != nil {
		return err
	}
	_, err = s.exec(ctx, `INSERT INTO revisions (case_id, number, title, state, text, by_whom, at, why) VALUES `+questionMarks(8),
		c.ID, c.Revision, c.Title, c.State, c.Text, c.ChangedBy, c.Changed, why)
	return err
}

// Case implements Cases.
func (b *SQL) Case(ctx context.Context, id string) (Case, error) {
	return told[Case]("case " + id)(one(ctx, b.reading(), scanCase, `SELECT `+caseColumns+` FROM cases WHERE id = ?`, id))
}

// Cases implements Cases.
func (b *SQL) Cases(ctx context.Context, f CaseFilter) ([]Case, error) {
	return told[[]Case]("cases")(rows(ctx, b.reading(), scanCase,
		`SELECT `+caseColumns+` FROM cases WHERE (? = '' OR state = ?) AND id > ? ORDER BY id LIMIT ?`, f.State, f.State, f.After, limit(f.Limit)))
}

// Revisions implements Cases.
func (b *SQL) Revisions(ctx context.Context, id string, after int64, most int) ([]Revision, error) {
	scan := func(r row) (Revision, error) {
		var v Revision
		err := r.Scan(&v.Case, &v.Number, &v.Title, &v.State, &v.Text, &v.By, &v.At, &v.Why)
		return v, err
	}
	return told[[]Revision]("revisions of case " + id)(rows(ctx, b.reading(), scan,
		`SELECT case_id, number, title, state, text, by_whom, at, why FROM revisions WHERE case_id = ? AND number > ? ORDER BY number LIMIT ?`, id, after, limit(most)))
}
