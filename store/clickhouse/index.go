package clickhouse

import (
	"context"
	"fmt"
	"slices"
	"sort"
	"strings"
	"sync"

	"coldtrail/ledger"
	"coldtrail/store"
)

// Rows are filed by height and position, the contract speaks of numbers. An index turns one
// into the other: the first numbers of blocks, in pages of 64 heights, fetched when they are
// asked for, and a directory of all pages.

const (
	perPage   = 64
	mostPages = 1 << 14 // kept at a time, about 50 MB at most
)

// A mark is a block and the numbers that begin there.
type mark struct {
	height, tx, output uint64
	time               int64
}

// A page is the blocks of 64 heights.
type page struct {
	marks []mark
	upTo  uint64 // height of the head when it was read: blocks above may be missing
}

// An index belongs to one epoch of a chain: a rewind makes another one.
type index struct {
	chain ledger.Chain
	epoch uint64

	mu        sync.Mutex
	directory []mark // the first block of each page, with numbers
	upTo      uint64 // height up to which the directory is whole
	pages     map[uint64]page
}

// indexOf gives the index of a seal's epoch, and takes over what rewinds left standing.
func (s *Store) indexOf(at *seal) *index {
	s.mu.Lock()
	defer s.mu.Unlock()
	have := s.index[at.Chain]
	switch {
	case have != nil && have.epoch == at.Epoch:
		return have
	case have != nil && have.epoch > at.Epoch: // a question that began before the rewind
		return &index{chain: at.Chain, epoch: at.Epoch, pages: map[uint64]page{}}
	}
	next := &index{chain: at.Chain, epoch: at.Epoch, pages: map[uint64]page{}}
	if have != nil {
		have.mu.Lock()
		next.inherit(have, at)
		have.mu.Unlock()
	}
	s.index[at.Chain] = next
	return next
}

// inherit keeps the pages below every rewind since.
func (x *index) inherit(from *index, at *seal) {
	missed := int(at.Epoch - from.epoch)
	if missed > len(at.Rewinds) {
		return
	}
	lowest := slices.Min(at.Rewinds[len(at.Rewinds)-missed:])
	first := lowest / perPage * perPage
	for number, p := range from.pages {
		if number*perPage < first {
			x.pages[number] = p
		}
	}
	end := sort.Search(len(from.directory), func(i int) bool { return from.directory[i].height >= first })
	x.directory = slices.Clip(from.directory[:end])
	if first > 0 {
		x.upTo = min(from.upTo, first-1)
	}
}

// scanMark reads a block's numbers.
func scanMark(r scanned) (m mark, err error) {
	return m, r.Scan(&m.height, &m.tx, &m.output, &m.time)
}

// refresh completes the directory up to the head.
func (v *view) refresh(ctx context.Context) ([]mark, error) {
	x := v.index
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.upTo >= v.Height && len(x.directory) > 0 {
		return x.directory, nil
	}
	// The last page may have been empty so far, so it is read again.
	from := uint64(0)
	if n := len(x.directory); n > 0 {
		from = x.directory[n-1].height / perPage * perPage
	}
	var found []mark
	t := v.trip()
	ask(t, v.store.everywhere(fmt.Sprintf("SELECT min(height) AS low, min(first_tx), min(first_output), toInt64(0) FROM %s%s GROUP BY intDiv(height, %d)",
		v.store.t("headers"), v.where(fmt.Sprintf("height >= %d", from)), perPage)), scanMark, &found)
	if err := t.run(ctx); err != nil {
		return nil, err
	}
	slices.SortFunc(found, func(a, b mark) int { return int(a.height) - int(b.height) })
	end := sort.Search(len(x.directory), func(i int) bool { return x.directory[i].height >= from })
	x.directory = append(slices.Clip(x.directory[:end]), found...)
	x.upTo = v.Height
	return x.directory, nil
}

// load makes sure that pages are there, and gives them.
func (v *view) load(ctx context.Context, wanted map[uint64]bool) (map[uint64]page, error) {
	x := v.index
	have := make(map[uint64]page, len(wanted))
	var missing []uint64
	x.mu.Lock()
	for number := range wanted {
		p, ok := x.pages[number]
		if ok && (p.upTo >= v.Height || p.upTo >= number*perPage+perPage-1) {
			have[number] = p
		} else {
			missing = append(missing, number)
		}
	}
	x.mu.Unlock()
	if len(missing) == 0 {
		return have, nil
	}
	slices.Sort(missing)
	var found []mark
	t := v.trip()
	questions := about(v.store, missing, func(n uint64) int { return v.store.byHeight(n * perPage) }, func(piece []uint64) string {
		return "SELECT height, first_tx, first_output, time FROM " + v.store.t("headers") + v.where("("+ranges(piece)+")")
	})
	ask(t, questions, scanMark, &found)
	if err := t.run(ctx); err != nil {
		return nil, err
	}
	slices.SortFunc(found, func(a, b mark) int { return int(a.height) - int(b.height) })
	for _, number := range missing {
		have[number] = page{upTo: v.Height}
	}
	for _, m := range found {
		p := have[m.height/perPage]
		p.marks = append(p.marks, m)
		have[m.height/perPage] = p
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, number := range missing {
		for old := range x.pages { // any: the map gives them in no order
			if len(x.pages) < mostPages {
				break
			}
			delete(x.pages, old)
		}
		if x.pages[number].upTo <= v.Height {
			x.pages[number] = have[number]
		}
	}
	return have, nil
}

// ranges is the condition that a height lies on one of some pages; neighbours are one range.
func ranges(pages []uint64) string {
	var parts []string
	for i := 0; i < len(pages); {
		j := i + 1
		for j < len(pages) && pages[j] == pages[j-1]+1 {
			j++
		}
		parts = append(parts, fmt.Sprintf("height >= %d AND height < %d", pages[i]*perPage, (pages[j-1]+1)*perPage))
		i = j
	}
	return strings.Join(parts, " OR ")
}

// blocks gives the marks of blocks by their heights.
func (v *view) blocks(ctx context.Context, heights []uint64) (map[uint64]mark, error) {
	wanted := map[uint64]bool{}
	for _, h := range heights {
		wanted[h/perPage] = true
	}
	pages, err := v.load(ctx, wanted)
	if err != nil {
		return nil, err
	}
	marks := make(map[uint64]mark, len(heights))
	for _, h := range heights {
		p := pages[h/perPage]
		at, ok := slices.BinarySearchFunc(p.marks, h, func(m mark, h uint64) int { return int(m.height) - int(h) })
		if !ok {
			return nil, fmt.Errorf("%w: no header of block %d", store.ErrCorrupt, h)
		}
		marks[h] = p.marks[at]
	}
	return marks, nil
}

// A spot is where a number lies: a block, and the place in it.
type spot struct {
	mark
	at uint32
}

// spots resolves numbers of transactions or outputs; first tells which.
func (v *view) spots(ctx context.Context, numbers []uint64, first func(mark) uint64) ([]spot, error) {
	if len(numbers) == 0 {
		return nil, nil
	}
	directory, err := v.refresh(ctx)
	if err != nil {
		return nil, err
	}
	at := make([]uint64, len(numbers))
	wanted := map[uint64]bool{}
	for i, n := range numbers {
		// The last page that begins at or below the number. Blocks without any have the
		// same first number as the next: the last of them is meant.
		k := sort.Search(len(directory), func(k int) bool { return first(directory[k]) > n }) - 1
		if k < 0 {
			return nil, fmt.Errorf("%w: number %d lies below the first block", store.ErrCorrupt, n)
		}
		at[i] = directory[k].height / perPage
		wanted[at[i]] = true
	}
	pages, err := v.load(ctx, wanted)
	if err != nil {
		return nil, err
	}
	out := make([]spot, len(numbers))
	for i, n := range numbers {
		marks := pages[at[i]].marks
		k := sort.Search(len(marks), func(k int) bool { return first(marks[k]) > n }) - 1
		if k < 0 {
			return nil, fmt.Errorf("%w: no block holds number %d", store.ErrCorrupt, n)
		}
		out[i] = spot{marks[k], uint32(n - first(marks[k]))}
	}
	return out, nil
}

func firstTx(m mark) uint64     { return m.tx }
func firstOutput(m mark) uint64 { return m.output }

// transactions resolves numbers of transactions, and refuses those that are not held.
func (v *view) transactions(ctx context.Context, numbers []store.TxNumber) ([]spot, error) {
	plain := make([]uint64, len(numbers))
	for i, n := range numbers {
		if uint64(n) >= v.Txs {
			return nil, fmt.Errorf("transaction number %d is not held", n)
		}
		plain[i] = uint64(n)
	}
	return v.spots(ctx, plain, firstTx)
}

// outputs does so for outputs.
func (v *view) outputs(ctx context.Context, numbers []store.OutputNumber) ([]spot, error) {
	plain := make([]uint64, len(numbers))
	for i, n := range numbers {
		if uint64(n) >= v.Outputs {
			return nil, fmt.Errorf("output number %d is not held", n)
		}
		plain[i] = uint64(n)
	}
	return v.spots(ctx, plain, firstOutput)
}

// A seat is a block and a place in it: how rows are filed.
type seat struct {
	height uint64
	at     uint32
}

func (s spot) seat() seat { return seat{s.height, s.at} }

// seats writes a list of them.
func seats(list []seat) string {
	var b strings.Builder
	for i, s := range list {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "(%d,%d)", s.height, s.at)
	}
	return "(" + b.String() + ")"
}

// distinct gives each seat once, in order.
func distinct(spots []spot) []seat {
	list := make([]seat, len(spots))
	for i, s := range spots {
		list[i] = s.seat()
	}
	slices.SortFunc(list, compareSeats)
	return slices.Compact(list)
}

func compareSeats(a, b seat) int {
	if a.height != b.height {
		return int(a.height) - int(b.height)
	}
	return int(a.at) - int(b.at)
}
