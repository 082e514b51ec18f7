package casebook

import (
	"context"
	"database/sql"
	"fmt"
	"iter"
	"strings"
)

// maxStored bounds the bytes of one text in a table. The longest that is taken are the
// subjects of a subscription.
const maxStored = 4 << 20

// Export gives every row of every table, as of one moment: tables in the order of Tables,
// rows in the order of their keys. A row has a string or an int64 for each column. Among them are the secrets of webhooks and the digests of keys.
func Export(ctx context.Context, db Database, each func(table *Table, row []any) error) error {
	tx, err := db.Read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true, Isolation: sql.LevelRepeatableRead})
	if err != nil {
		return fmt.Errorf("casebook: export: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // nothing was written
	s := session{tx, &db.Dialect}
	if err := newest(ctx, s, "the casebook"); err != nil {
		return fmt.Errorf("casebook: export: %w", err)
	}
	for i := range tables {
		if err := exportTable(ctx, s, &tables[i], each); err != nil {
			return fmt.Errorf("casebook: export table %s: %w", tables[i].Name, err)
		}
	}
	return nil
}

func exportTable(ctx context.Context, s session, t *Table, each func(table *Table, row []any) error) (err error) {
	found, err := s.on.QueryContext(ctx, "SELECT "+t.names()+" FROM "+t.Name+" ORDER BY "+strings.Join(t.Key, ", "))
	if err != nil {
		return err
	}
	defer func() { _ = found.Close() }() // Err tells what went wrong
	for found.Next() {
		row, err := t.scan(found)
		if err != nil {
			return err
		}
		if err := each(t, row); err != nil {
			return err
		}
	}
	return found.Err()
}

// Import fills a casebook of the newest schema, which must be empty (ErrNotEmpty), with
// the rows that Export gave: all of them or none. It is asked for the rows of each table
// in the order of Tables.
func Import(ctx context.Context, db Database, rows func(table *Table) iter.Seq2[[]any, error]) error {
	return transact(ctx, db, "import", func(s session) error {
		if err := fresh(ctx, s); err != nil {
			return err
		}
		for i := range tables {
			if err := importTable(ctx, s, &tables[i], rows(&tables[i])); err != nil {
				return fmt.Errorf("table %s: %w", tables[i].Name, err)
			}
		}
		return nil
	})
}

// Empty wants a casebook of the newest schema that holds nothing; otherwise ErrNotEmpty.
func Empty(ctx context.Context, db Database) error {
	return transact(ctx, db, "look for what it holds", func(s session) error { return fresh(ctx, s) })
}

func importTable(ctx context.Context, s session, t *Table, rows iter.Seq2[[]any, error]) error {
	statement := "INSERT INTO " + t.Name + " (" + t.names() + ") VALUES " + questionMarks(len(t.Columns))
	n := 0
	for row, err := range rows {
		n++
		if err == nil {
			err = t.check(row)
		}
		if err == nil {
			_, err = s.exec(ctx, statement, row...)
		}
		if err != nil {
			return fmt.Errorf("row %d: %w", n, err)
		}
	}
	return nil
}

// check wants a row to have the kinds of its columns.
func (t *Table) check(row []any) error {
	if len(row) != len(t.Columns) {
		return &InvalidError{t.Name, fmt.Sprintf("has %d columns, not %d", len(t.Columns), len(row))}
	}
	for i, c := range t.Columns {
		switch value := row[i].(type) {
		case string:
			if c.Kind != Text {
				return &InvalidError{c.Name, "is a text where a number is due"}
			}
			if err := checkText(c.Name, value, maxStored); err != nil {
				return err
			}
		case int64:
			if c.Kind != Integer {
				return &InvalidError{c.Name, "is a number where a text is due"}
			}
		default:
			return &InvalidError{c.Name, fmt.Sprintf("is a %T", value)}
		}
	}
	return nil
}
