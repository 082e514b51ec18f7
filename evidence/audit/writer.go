package audit

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// file is what is written to, files where it comes from.
type file interface {
	io.WriterAt
	Truncate(size int64) error
	Sync() error
	Close() error
}

type files func(path string) (file, error)

// onDisk opens or makes a file that only its owner may read.
func onDisk(path string) (file, error) { return os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o600) }

// segmentName is the name of the file with a number, from 1.
func segmentName(number int) string { return fmt.Sprintf("audit-%08d.jsonl", number) }

// segments lists the numbers of the files of a log, in order.
func segments(folder string) ([]int, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	var numbers []int
	for _, entry := range entries {
		digits, ok1 := strings.CutPrefix(entry.Name(), "audit-")
		digits, ok2 := strings.CutSuffix(digits, ".jsonl")
		number, err := strconv.Atoi(digits)
		if ok1 && ok2 && err == nil && segmentName(number) == entry.Name() {
			numbers = append(numbers, number)
		}
	}
	slices.Sort(numbers)
	return numbers, nil
}

// lock keeps other processes out of a folder.
type lock struct{ file *os.File }

func take(folder string) (*lock, error) {
	file, err := os.OpenFile(filepath.Join(folder, "LOCK"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = file.Close()
		return nil, ErrLocked
	}
	return &lock{file}, nil
}

// release lets others in; the lock goes with the file.
func (l *lock) release() error { return l.file.Close() }

// writer is the end of the log. Only the goroutine that writes touches it.
type writer struct {
	folder  string
	open    files
	most    int64 // bytes of a file
	file    file
	number  int   // of the file
	size    int64 // bytes that count; whatever is behind them was never acknowledged
	head    Head
	dirty   bool // something is not synced
	torn    bool // something is behind the bytes that count
	failed  error
	refused refusals
	buffer  []byte
}

// refusals counts what could not be written since the last record that was.
type refusals struct {
	records  int
	from, to int64 // milliseconds
	why      string
}

// append writes entries behind one another and gives the number of the first.
func (w *writer) append(entries []*Entry, at int64) (uint64, error) {
	if w.failed != nil {
		return 0, w.failed
	}
	if len(entries) == 0 {
		return 0, nil
	}
	first, err := w.put(entries, at)
	if err == nil {
		w.refused = refusals{}
		return first, nil
	}
	if w.refused.records == 0 {
		w.refused.from = at
	}
	w.refused.records += len(entries)
	w.refused.to, w.refused.why = at, err.Error()
	return 0, err
}

// put writes the lines in one call, to the file or to the next one.
func (w *writer) put(entries []*Entry, at int64) (uint64, error) {
	if w.torn {
		if err := w.file.Truncate(w.size); err != nil {
			return 0, refusal(err)
		}
		w.torn = false
	}
	head := w.head
	w.buffer = w.buffer[:0]
	add := func(who, what string, body []byte) {
		r := Record{Sequence: head.Sequence + 1, Time: at, Who: who, What: what, Body: body, Previous: head.Hash}
		w.buffer = r.write(w.buffer)
		head = r.Head()
	}
	fresh := w.file == nil || w.size >= w.most
	if fresh {
		add(ownName, segmentKind, fmt.Appendf(nil, `{"format":"coldtrail-audit-1","segment":%d}`, w.number+1))
	}
	if w.refused.records > 0 {
		add(ownName, gapKind, fmt.Appendf(nil, `{"refused":%d,"from_ms":%d,"to_ms":%d,"why":%q}`, w.refused.records, w.refused.from, w.refused.to, printable(w.refused.why)))
	}
	first := head.Sequence + 1
	for _, entry := range entries {
		add(entry.Who, entry.What, entry.Body)
	}
	var err error
	if fresh {
		err = w.begin()
	} else {
		err = w.extend()
	}
	if err != nil {
		return 0, err
	}
	w.head, w.dirty = head, true
	if cap(w.buffer) > 8<<20 {
		w.buffer = nil
	}
	return first, nil
}

// printable keeps what a quoted text of Go and one of JSON have in common.
func printable(text string) string {
	return strings.Map(func(c rune) rune {
		if c < ' ' || c > '~' || c == '"' || c == '\\' {
			return '?'
		}
		return c
	}, text)
}

// extend writes the buffer behind what counts.
func (w *writer) extend() error {
	_, err := w.file.WriteAt(w.buffer, w.size)
	if err == nil {
		w.size += int64(len(w.buffer))
		return nil
	}
	// A part may have been written. It is cut off now, or before anything else is written.
	w.torn = w.file.Truncate(w.size) != nil
	return refusal(err)
}

// begin writes the buffer to the next file and goes on there. The file before is synced
// first: if that one has lost something, this one must not begin.
func (w *writer) begin() error {
	if err := w.flush(); err != nil {
		return err
	}
	path := filepath.Join(w.folder, segmentName(w.number+1))
	next, err := w.open(path)
	if err != nil {
		return refusal(err)
	}
	// Where an attempt failed before, its rest is still there.
	err = next.Truncate(0)
	if err == nil {
		_, err = next.WriteAt(w.buffer, 0)
	}
	if err == nil {
		err = syncFolder(w.folder)
	}
	if err != nil {
		_ = errors.Join(next.Truncate(0), next.Close(), os.Remove(path))
		return refusal(err)
	}
	if w.file != nil {
		_ = w.file.Close() // it is synced
	}
	w.file, w.number, w.size = next, w.number+1, int64(len(w.buffer))
	return nil
}

// syncFolder makes the name of a new file last.
func syncFolder(folder string) error {
	dir, err := os.Open(folder)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// flush syncs what was written. After a failure the system may have dropped what it could
// not write, and would report success the next time: the log must not go on.
func (w *writer) flush() error {
	if w.failed != nil || !w.dirty {
		return w.failed
	}
	if err := w.file.Sync(); err != nil {
		w.failed = fmt.Errorf("%w: %w", ErrFailed, err)
		return w.failed
	}
	w.dirty = false
	return nil
}

func (w *writer) close() error {
	err := w.flush()
	if w.file != nil {
		err = errors.Join(err, w.file.Close())
	}
	return err
}

// refusal is the error of a write of which nothing is left.
func refusal(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EFBIG) {
		return fmt.Errorf("%w: %w", ErrFull, err)
	}
	return fmt.Errorf("audit: write: %w", err)
}
