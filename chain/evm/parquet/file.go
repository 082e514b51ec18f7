package parquet

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"slices"
	"strings"

	pq "github.com/parquet-go/parquet-go"

	"coldtrail/chain/evm"
	"coldtrail/internal/footer"
	"coldtrail/ledger"
)

// What an export of ours says of itself in every file.
const (
	ownKey   = "coldtrail.ledger"
	ownForm  = "1"
	chainKey = "coldtrail.chain"
)

// limits bound what is taken from a file. Footers of data sets have some hundreds of
// kilobytes, and writers make pages of about one MiB.
var limits = footer.Limits{Footer: 256 << 20, Page: 256 << 20, Values: 1 << 26}

// file is one file of a table, and how its rows are ordered.
type file struct {
	path    string
	part    part
	table   table
	own     bool
	columns []string // the name taken for every column of the table; empty where absent
	rows    int64
	lowest  ledger.Height
	highest ledger.Height
	groups  []ledger.Height // highest block of every row group
	// passes are ranges of blocks of at most passRows rows each, in which a file that
	// is not in block order is read; empty where it is.
	passes []pass
}

// pass is a range of blocks, both included.
type pass struct{ from, to ledger.Height }

// passRows is how many rows of a file that is not in block order are held at once.
var passRows = 1 << 18

// guard runs work on a file. The decoder of the format panics on some damaged files:
// that becomes an error like any other.
func guard(path string, work func() error) (err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = &Error{File: path, Reason: fmt.Sprintf("the file is damaged: %v", fault)}
		}
	}()
	if err = work(); err == nil {
		return nil
	}
	var known *Error
	if errors.As(err, &known) {
		return err
	}
	return &Error{File: path, Reason: "the file cannot be read: " + err.Error()}
}

// handle is a file that is open.
type handle struct {
	*pq.File
	disk *os.File
}

// open opens the file, after a look at its footer.
func (f *file) open() (*handle, error) {
	disk, err := os.Open(f.path)
	if err != nil {
		return nil, err
	}
	h := &handle{disk: disk}
	err = guard(f.path, func() (err error) {
		h.File, err = footer.Open(disk, limits)
		return err
	})
	if err != nil {
		_ = disk.Close() // it was only read
		return nil, err
	}
	return h, nil
}

// index looks at the columns and at the order of the rows.
func (f *file) index(network *evm.Network) error {
	h, err := f.open()
	if err != nil {
		return err
	}
	defer h.disk.Close()
	return guard(f.path, func() error {
		if form, ok := h.Lookup(ownKey); ok {
			f.own = true
			if form != ownForm {
				return &Error{File: f.path, Reason: fmt.Sprintf("the export has form %q; this program reads form %s", form, ownForm)}
			}
			if chain, _ := h.Lookup(chainKey); chain != string(network.Chain()) {
				return &Error{File: f.path, Reason: fmt.Sprintf("the export is of chain %q, not of %s", chain, network.Chain())}
			}
		}
		if _, err := f.bind(h); err != nil {
			return err
		}
		return f.order(h)
	})
}

// bind finds the leaf of every column of the table.
func (f *file) bind(h *handle) ([]*leaf, error) {
	leaves := map[string]*leaf{}
	gather(h.Root(), leaves)
	bound := make([]*leaf, len(columns[f.table]))
	f.columns = make([]string, len(bound))
	for i, c := range columns[f.table] {
		var refused error
		for _, name := range c.names {
			l := leaves[name]
			if l == nil {
				continue
			}
			if reason := l.unfit(c.form); reason != "" {
				if refused == nil {
					refused = &Error{File: f.path, Column: name, Reason: reason}
				}
				continue
			}
			bound[i], f.columns[i] = l, name
			break
		}
		switch {
		case bound[i] != nil:
		case refused != nil:
			return nil, refused
		case c.need && (!f.own || i == blockNumber):
			reason := "the column is missing"
			if len(c.names) > 1 {
				reason += "; it may also be named " + strings.Join(c.names[1:], ", ")
			}
			return nil, &Error{File: f.path, Column: c.names[0], Reason: reason}
		}
	}
	return bound, f.lacks()
}

// lacks names what the columns at hand leave open, where one of several would do.
func (f *file) lacks() error {
	missing := func(name, reason string) error { return &Error{File: f.path, Column: name, Reason: reason} }
	switch f.table {
	case logs:
		if f.columns[logTopics] == "" && f.columns[logTopic0] == "" {
			return missing("topics", "the column is missing, and so is topic0")
		}
	case traces:
		if f.columns[traceStatus] == "" && f.columns[traceError] == "" {
			return missing("status", "the column is missing, and so is error; which calls were reverted is not known")
		}
	case blocks, transactions, tokenTransfers, freezes, openings, tableCount:
	}
	return nil
}

// gather lists the leaves of a schema under the name of their outermost field. Of a
// group only one with a single leaf, a list, has a place.
func gather(root *pq.Column, leaves map[string]*leaf) {
	for _, c := range root.Columns() {
		inner, level, list := c, 0, 0
		for depth := 0; ; depth++ {
			if !inner.Required() {
				level++
			}
			if inner.Repeated() {
				list = level
			}
			if inner.Leaf() || len(inner.Columns()) != 1 || depth > 8 {
				break
			}
			inner = inner.Columns()[0]
		}
		if inner.Leaf() {
			leaves[c.Name()] = newLeaf(inner, c.Name())
			leaves[c.Name()].list = list
		} else {
			leaves[c.Name()] = &leaf{name: c.Name(), group: true}
		}
	}
}

// order reads the block numbers of all rows: their range by row group, and whether
// they rise. A file in which they do not is cut into passes.
func (f *file) order(h *handle) error {
	rising, last := true, ledger.Height(0)
	f.lowest = math.MaxUint64
	err := f.scan(h, func(group int, block ledger.Height) {
		f.rows++
		for len(f.groups) < group {
			f.groups = append(f.groups, 0)
		}
		f.groups[group-1] = max(f.groups[group-1], block)
		f.lowest, f.highest = min(f.lowest, block), max(f.highest, block)
		rising = rising && block >= last
		last = block
	})
	if err != nil || rising {
		return err
	}
	counts := map[ledger.Height]int{}
	if err := f.scan(h, func(_ int, block ledger.Height) { counts[block]++ }); err != nil {
		return err
	}
	rows := 0
	for _, height := range slices.Sorted(maps.Keys(counts)) {
		if rows += counts[height]; len(f.passes) == 0 || rows > passRows {
			f.passes = append(f.passes, pass{height, height})
			rows = counts[height]
		}
		f.passes[len(f.passes)-1].to = height
	}
	return nil
}

// scan visits the block number of every row, with the number of its row group from 1.
func (f *file) scan(h *handle, visit func(group int, block ledger.Height)) error {
	r, err := f.reader(h, blockNumber)
	if err != nil {
		return err
	}
	defer r.close()
	for {
		at, err := r.next(nil)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		visit(r.group, at.block)
	}
}
