package clickhouse

import (
	"context"
	"testing"
	"time"

	"coldtrail/ledger"
)

// Empty makes a store look new: every chain is rewound to nothing, and the labels so far are
// not counted. What lay in the tables stays there, where no answer may show it.
func (s *Store) Empty(ctx context.Context) error {
	list, err := s.seals(ctx, "")
	if err != nil {
		return err
	}
	for _, one := range list {
		if err := s.Rewind(ctx, one.Chain, 0); err != nil {
			return err
		}
	}
	if _, err := s.labelView(ctx); err != nil {
		return err
	}
	s.labels.mu.Lock()
	defer s.labels.mu.Unlock()
	s.labels.batches, s.labels.revision.Count, s.labels.revision.Sum = nil, 0, [32]byte{}
	return nil
}

// Tune makes left-overs be cleared away sooner.
func (o *Options) Tune(clearAt int, age time.Duration) { o.clearAt, o.clearAge = clearAt, age }

// Listen is told of every question and deletion.
func (s *Store) Listen(heard func(sql string)) { s.listen = heard }

// Today lists the statements that make the tables on today's ClickHouse.
func Today(database string) (list []string) {
	p := place{version: [2]uint64{26, 7}, database: database}
	for i := range tables {
		list = append(list, tables[i].create(p))
	}
	return list
}

// Inserts lists, for each table, an insert of a row of nothing.
func Inserts(database string) (list []string) {
	for i := range tables {
		list = append(list, "INSERT INTO "+name(database)+"."+tables[i].name+" ("+tables[i].columns[0].name+") SELECT "+map[bool]string{true: "''", false: "toUInt64(0)"}[tables[i].columns[0].kind == "String"])
	}
	return list
}

// Stretches counts those in which there may be left-overs.
func (s *Store) Stretches(t *testing.T, chain ledger.Chain) int {
	t.Helper()
	list, err := s.seals(t.Context(), chain)
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	return len(list[0].Stale)
}
