package clickhouse

import (
	"context"
	"errors"
	"fmt"

	driver "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/go-faster/city"
)

// A sheet collects rows of one table for one shard, as columns.
type sheet struct {
	table string
	shard int
	cells []any // one slice per column, of the column's type
}

// sheets are what one write inserts.
type sheets struct {
	store *Store
	list  map[string][]*sheet // by table, by shard
}

func (s *Store) sheets() *sheets { return &sheets{store: s, list: map[string][]*sheet{}} }

// add puts a row on a shard. The values are those of the table's columns, in order.
func (w *sheets) add(table string, shard int, values ...any) {
	byShard := w.list[table]
	if byShard == nil {
		byShard = make([]*sheet, len(w.store.shards))
		w.list[table] = byShard
	}
	if byShard[shard] == nil {
		byShard[shard] = &sheet{table: table, shard: shard, cells: make([]any, len(values))}
	}
	s := byShard[shard]
	for i, value := range values {
		s.cells[i] = grow(s.cells[i], value)
	}
}

// grow appends a value to a column of its type.
func grow(column, value any) any {
	switch v := value.(type) {
	case string:
		have, _ := column.([]string)
		return append(have, v)
	case uint64:
		have, _ := column.([]uint64)
		return append(have, v)
	case uint32:
		have, _ := column.([]uint32)
		return append(have, v)
	case uint8:
		have, _ := column.([]uint8)
		return append(have, v)
	case int64:
		have, _ := column.([]int64)
		return append(have, v)
	case []uint64:
		have, _ := column.([][]uint64)
		return append(have, v)
	case []uint32:
		have, _ := column.([][]uint32)
		return append(have, v)
	case []uint8:
		have, _ := column.([][]uint8)
		return append(have, v)
	}
	panic(fmt.Sprintf("no column of %T", value))
}

// insert plans the insertion of everything.
func (w *sheets) insert(t *trip) {
	for i := range tables {
		for _, s := range w.list[tables[i].name] {
			if s != nil {
				t.jobs = append(t.jobs, func(ctx context.Context) error { return w.send(ctx, s) })
			}
		}
	}
}

// send inserts one sheet on the first replica of its shard that takes it.
func (w *sheets) send(ctx context.Context, s *sheet) error {
	t := tableOf(s.table)
	return w.store.write(ctx, w.store.shards[s.shard], t, func(ctx context.Context, r *replica) error {
		batch, err := r.conn.PrepareBatch(ctx, "INSERT INTO "+w.store.t(s.table)+" ("+t.names()+")")
		if err != nil {
			return err
		}
		for i, cells := range s.cells {
			if err := batch.Column(i).Append(cells); err != nil {
				return errors.Join(err, batch.Abort())
			}
		}
		if err := batch.Send(); err != nil {
			return broken(err)
		}
		return nil
	})
}

// broken marks what may have left rows behind. What a server says of a quorum it says before
// it takes rows.
func broken(err error) error {
	var said *driver.Exception
	if errors.As(err, &said) && (said.Code == earlierUnsettled || said.Code == tooFewReplicas) {
		return err
	}
	return fmt.Errorf("%w: %w", errBroken, err)
}

// byText says on which shard a text lies: cityHash64, as the servers compute it too.
func (s *Store) byText(text string) int {
	return int(city.CH64([]byte(text)) % uint64(len(s.shards)))
}
