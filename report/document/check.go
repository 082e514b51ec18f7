package document

import "fmt"

// A MarkError says which sentence of a document has no mark, or rests on nothing.
type MarkError struct {
	Section string // its heading
	Text    string
	Reason  string
}

// Error says it in one line.
func (e *MarkError) Error() string {
	return fmt.Sprintf("report: section %q: %q %s", e.Section, e.Text, e.Reason)
}

// Check refuses a document with a sentence that is not marked, a fact or inference that
// rests on nothing, or a judgement of nobody.
func (d *Document) Check() error {
	for i := range d.Facts {
		if err := d.Facts[i].Value.check("title"); err != nil {
			return err
		}
	}
	for i := range d.Sections {
		for j := range d.Sections[i].Blocks {
			if err := d.Sections[i].Blocks[j].check(d.Sections[i].Heading); err != nil {
				return err
			}
		}
	}
	return nil
}

func (b *Block) check(section string) error {
	for i := range b.Paragraph {
		if err := b.Paragraph[i].check(section); err != nil {
			return err
		}
	}
	for i := range b.List {
		if err := b.List[i].check(section); err != nil {
			return err
		}
	}
	for i := range b.Tiles {
		if err := b.Tiles[i].Says.check(section); err != nil {
			return err
		}
	}
	if b.Figure != nil {
		if err := b.Figure.Caption.check(section); err != nil {
			return err
		}
	}
	if b.Code != nil {
		if err := b.Code.check(section); err != nil {
			return err
		}
	}
	if b.Table == nil {
		return nil
	}
	return b.Table.check(section)
}

func (t *Table) check(section string) error {
	if err := t.Caption.check(section); err != nil {
		return err
	}
	for i := range t.Rows {
		r := &t.Rows[i]
		if len(r.Cells) != len(t.Columns) {
			return &MarkError{section, fmt.Sprint(r.Cells), fmt.Sprintf("has %d cells under %d columns", len(r.Cells), len(t.Columns))}
		}
		row := Sentence{Mark: r.Mark, Text: fmt.Sprint(r.Cells), Rests: r.Rests, By: r.By}
		if err := row.check(section); err != nil {
			return err
		}
	}
	return nil
}

func (s *Sentence) check(section string) error {
	fail := func(reason string) error { return &MarkError{section, s.Text, reason} }
	switch s.Mark {
	case Fact, Inference:
		if len(s.Rests) == 0 {
			return fail("is marked as " + s.Mark.String() + " and rests on nothing")
		}
	case Judgement:
		if s.By == "" {
			return fail("is marked as judgement and nobody is named whose it is")
		}
	default:
		return fail("is not marked as fact, inference or judgement")
	}
	if s.Text == "" {
		return fail("says nothing")
	}
	for _, source := range s.Rests {
		if source.Kind == "" || source.ID == "" {
			return fail("rests on a source without a kind or an identifier")
		}
	}
	return nil
}
