package casebook

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"slices"
	"strings"
)

// ErrNotEmpty says that a casebook that was to be filled holds something already.
var ErrNotEmpty = errors.New("the casebook to fill is not empty")

// A Content is what a database holds, in short.
type Content struct {
	// Digest is SHA-256 over all rows of all tables, in order of tables and keys, in
	// hexadecimal digits. It is the same for the same rows in every database.
	Digest string `json:"digest"`
	// Rows counts them by table.
	Rows map[string]int64 `json:"rows"`
}

// Copy copies everything of one casebook into an empty other one, and gives what was
// copied: all or none of it. What was written is read back before it counts, and the digest
// of all rows must be equal on both sides. Both must have the newest schema; how they came
// to it is not copied. While it goes on, nobody writes to either.
func Copy(ctx context.Context, from, to Database) (Content, error) {
	var content Content
	if from.Write == to.Write {
		return content, errors.New("casebook: copy: a casebook cannot be copied into itself")
	}
	// The empty one is looked at first: where both are the same, it is refused before
	// it would wait for itself.
	err := transact(ctx, to, "copy into a casebook", func(into session) error {
		if err := fresh(ctx, into); err != nil {
			return err
		}
		return transact(ctx, from, "copy a casebook", func(out session) error {
			if err := newest(ctx, out, "the casebook to copy"); err != nil {
				return err
			}
			var err error
			if content, err = pour(ctx, out, into.insert); err != nil {
				return err
			}
			written, err := pour(ctx, into, nil)
			if err == nil && written.Digest != content.Digest {
				err = fmt.Errorf("what was written has the digest %s, what was read %s; nothing was copied", written.Digest, content.Digest)
			}
			return err
		})
	})
	if err != nil {
		return Content{}, err
	}
	return content, nil
}

// Sum gives the digest of everything that a casebook with the newest schema holds. While it
// reads, nobody writes.
func Sum(ctx context.Context, db Database) (Content, error) {
	var content Content
	err := transact(ctx, db, "sum up a casebook", func(s session) error {
		if err := newest(ctx, s, "the casebook"); err != nil {
			return err
		}
		var err error
		content, err = pour(ctx, s, nil)
		return err
	})
	return content, err
}

// newest wants the newest schema.
func newest(ctx context.Context, s session, what string) error {
	steps, err := history(ctx, s)
	if err == nil && len(steps) != Newest() {
		err = fmt.Errorf("%s has version %d of the schema, want %d; open it once with this program", what, len(steps), Newest())
	}
	return err
}

// fresh wants the newest schema, and tables without rows.
func fresh(ctx context.Context, s session) error {
	if err := newest(ctx, s, "the casebook to fill"); err != nil {
		return err
	}
	for _, table := range tables {
		n, err := one(ctx, s, number, `SELECT COUNT(*) FROM `+table.Name)
		if err != nil {
			return err
		}
		if n > 0 {
			return fmt.Errorf("table %s has %d rows: %w", table.Name, n, ErrNotEmpty)
		}
	}
	return nil
}

// page is how many rows are read and written at once. A row may have two megabytes, and
// databases bound the placeholders of a statement.
const page = 100

// pour reads all rows in order and gives them to take, if there is one.
func pour(ctx context.Context, from session, take func(ctx context.Context, table *Table, list [][]any) error) (Content, error) {
	content, sum := Content{Rows: map[string]int64{}}, sha256.New()
	for i := range tables {
		table := &tables[i]
		write(sum, table.Name)
		var after []any
		for {
			list, err := from.page(ctx, table, after)
			if err != nil {
				return content, fmt.Errorf("table %s: %w", table.Name, err)
			}
			if len(list) == 0 {
				break
			}
			for _, row := range list {
				write(sum, row...)
			}
			if take != nil {
				if err := take(ctx, table, list); err != nil {
					return content, fmt.Errorf("table %s: %w", table.Name, err)
				}
			}
			content.Rows[table.Name] += int64(len(list))
			after = table.keyOf(list[len(list)-1])
		}
		write(sum, content.Rows[table.Name])
	}
	content.Digest = hex.EncodeToString(sum.Sum(nil))
	return content, nil
}

// write adds values to a digest, so that no two lists of values have the same bytes: a
// number is an i and eight bytes, a text a t, its length in eight bytes and itself.
func write(sum hash.Hash, values ...any) {
	for _, value := range values {
		switch value := value.(type) {
		case int64:
			sum.Write(binary.BigEndian.AppendUint64([]byte{'i'}, uint64(value)))
		case string:
			sum.Write(binary.BigEndian.AppendUint64([]byte{'t'}, uint64(len(value))))
			sum.Write([]byte(value))
		}
	}
}

// names lists the columns as statements do.
func (t *Table) names() string {
	names := make([]string, len(t.Columns))
	for i, column := range t.Columns {
		names[i] = column.Name
	}
	return strings.Join(names, ", ")
}

// keyOf gives the values of a row's key.
func (t *Table) keyOf(row []any) []any {
	values := make([]any, len(t.Key))
	for i, name := range t.Key {
		values[i] = row[slices.IndexFunc(t.Columns, func(c Column) bool { return c.Name == name })]
	}
	return values
}

// scan reads a row, each value by the kind of its column.
func (t *Table) scan(r row) ([]any, error) {
	into := make([]any, len(t.Columns))
	for i, column := range t.Columns {
		if into[i] = any(new(string)); column.Kind == Integer {
			into[i] = new(int64)
		}
	}
	if err := r.Scan(into...); err != nil {
		return nil, err
	}
	for i, value := range into {
		switch value := value.(type) {
		case *int64:
			into[i] = *value
		case *string:
			into[i] = *value
		}
	}
	return into, nil
}

// page reads the rows of a table that come after a key, in order.
func (s session) page(ctx context.Context, t *Table, after []any) ([][]any, error) {
	where, order := "", strings.Join(t.Key, ", ")
	if after != nil {
		where = ` WHERE (` + order + `) > ` + questionMarks(len(after))
	}
	return rows(ctx, s, t.scan, `SELECT `+t.names()+` FROM `+t.Name+where+` ORDER BY `+order+` LIMIT ?`, append(slices.Clone(after), page)...)
}

// insert writes rows into a table.
func (s session) insert(ctx context.Context, t *Table, list [][]any) error {
	values := strings.TrimSuffix(strings.Repeat(questionMarks(len(t.Columns))+", ", len(list)), ", ")
	_, err := s.exec(ctx, `INSERT INTO `+t.Name+` (`+t.names()+`) VALUES `+values, slices.Concat(list...)...)
	return err
}
