// Package audit keeps a log of what was asked, decided and changed, in which every record
// carries the hash of the one before it. Who alters, removes, reorders or inserts a record
// breaks the chain behind it, and Verify says where; who cuts off its end is found by a
// signed head that was handed out before. What the log cannot do is keep somebody with the
// rights of its owner from rewriting all of it: that is what heads kept elsewhere are for.
//
// A log is a folder of files of JSON lines, see docs/formats/audit-log.md. Appends from
// many goroutines are written together. What Append acknowledged has been handed to the
// operating system and survives the end of the process; it is synced to the disk at least
// every second, and before Append returns for everything but the kinds that the options
// call lazy.
package audit

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"
	"unicode/utf8"
)

// The kinds of record that the log writes itself.
const (
	segmentKind = "segment" // begins a file
	gapKind     = "gap"     // says that records were refused before it
	cutKind     = "cut"     // says that a torn end was cut off before it
	ownName     = "audit"   // who writes those
)

// MaxBody is the most bytes that the JSON of a record may have.
const MaxBody = 1 << 20

// MaxName is the most bytes that who and what may have.
const MaxName = 200

var (
	// ErrFull says that there is no room on the disk. Nothing of the append is in the log;
	// once there is room the log goes on, and says first how much it had to refuse.
	ErrFull = errors.New("the audit log has no room left on its disk")
	// ErrFailed says that the disk could not keep what it had taken. Nobody knows what is
	// there, so the log takes nothing more until it is opened, and checked, again.
	ErrFailed = errors.New("the audit log could not be synced to its disk")
	// ErrClosed says that the log was closed.
	ErrClosed = errors.New("the audit log is closed")
	// ErrLocked says that another process has the log open.
	ErrLocked = errors.New("the audit log is in use by another process")
)

// An EntryError says what a log does not take.
type EntryError struct{ Reason string }

// Error gives the reason.
func (e *EntryError) Error() string { return "audit: the record " + e.Reason }

// An Entry is what is to be kept.
type Entry struct {
	Who  string          // the identifier of a key, a person, or a part of the program
	What string          // the kind: screen, policy, override, case, key and so on
	Body json.RawMessage // any JSON; empty is {}
}

// Options change how a log works. Only Clock is required.
type Options struct {
	// Clock tells the time; records carry it in milliseconds.
	Clock func() time.Time
	// Every is how long a record may wait until it is synced to the disk; 0 is a second.
	Every time.Duration
	// Lazy lists the kinds for which Append does not wait for the disk. Nil is "screen",
	// of which there are many and which nobody ordered; to wait for all, give a list
	// that is empty and not nil.
	Lazy []string
	// Segment is how many bytes a file gets before the next is begun; 0 is 64 MiB.
	Segment int64

	files files // for tests that let disks fail
}

// A Log is open for appending.
type Log struct {
	options Options
	lazy    map[string]bool
	lock    *lock
	write   writer
	signal  chan struct{} // there is something pending
	done    chan struct{} // the writing goroutine has ended

	mu      sync.Mutex
	pending *group
	head    Head
	closed  bool
}

// group is what goes to the disk in one write.
type group struct {
	entries []*Entry
	sync    bool
	done    chan struct{}
	first   uint64 // number of the first entry
	err     error
}

// Append keeps entries, all or none and side by side, and gives the number of the last.
// It is safe for many goroutines, and faster for many than for one.
func (l *Log) Append(entries ...Entry) (uint64, error) {
	if len(entries) == 0 {
		return 0, &EntryError{"is missing"}
	}
	ready := make([]*Entry, len(entries))
	wait := false
	for i := range entries {
		entry, err := entries[i].prepare()
		if err != nil {
			return 0, err
		}
		ready[i] = entry
		wait = wait || !l.lazy[entry.What]
	}
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return 0, ErrClosed
	}
	g := l.pending
	if g == nil {
		g = &group{done: make(chan struct{})}
		l.pending = g
	}
	at := len(g.entries)
	g.entries = append(g.entries, ready...)
	g.sync = g.sync || wait
	l.mu.Unlock()
	l.wake()
	<-g.done
	if g.err != nil {
		return 0, g.err
	}
	return g.first + uint64(at+len(ready)-1), nil
}

func (l *Log) wake() {
	select {
	case l.signal <- struct{}{}:
	default: // it is awake already
	}
}

// prepare checks an entry and gives it the form in which it is written. The names need no
// escapes, so that a record has one form only.
func (e *Entry) prepare() (*Entry, error) {
	for _, name := range []string{e.Who, e.What} {
		if !plain(name) {
			return nil, &EntryError{fmt.Sprintf("has %q for a name; wanted are 1 to %d printable ASCII characters without quotes, backslashes and spaces", name, MaxName)}
		}
	}
	if e.What == segmentKind || e.What == gapKind || e.What == cutKind {
		return nil, &EntryError{"is of kind " + e.What + ", which the log writes itself"}
	}
	if len(e.Body) == 0 {
		return &Entry{e.Who, e.What, json.RawMessage("{}")}, nil
	}
	if len(e.Body) > MaxBody {
		return nil, &EntryError{fmt.Sprintf("has %d bytes of JSON, at most %d are taken", len(e.Body), MaxBody)}
	}
	if !utf8.Valid(e.Body) {
		return nil, &EntryError{"is not UTF-8"}
	}
	var body bytes.Buffer
	body.Grow(len(e.Body))
	if err := json.Compact(&body, e.Body); err != nil {
		return nil, &EntryError{"is not JSON: " + err.Error()}
	}
	return &Entry{e.Who, e.What, body.Bytes()}, nil
}

// plain says whether a name can be written without escapes.
func plain(name string) bool {
	if name == "" || len(name) > MaxName {
		return false
	}
	for _, c := range []byte(name) {
		if c <= ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

// Head is the end of the log as far as it was acknowledged.
func (l *Log) Head() Head {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.head
}

// Sync puts everything that was acknowledged on the disk.
func (l *Log) Sync() error {
	g := &group{sync: true, done: make(chan struct{})}
	l.mu.Lock()
	switch {
	case l.closed:
		l.mu.Unlock()
		return ErrClosed
	case l.pending != nil:
		g = l.pending
		g.sync = true
	default:
		l.pending = g
	}
	l.mu.Unlock()
	l.wake()
	<-g.done
	return g.err
}

// Close syncs and closes the log. Appends that wait are written first.
func (l *Log) Close() error {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return nil
	}
	l.closed = true
	l.mu.Unlock()
	l.wake()
	<-l.done
	return errors.Join(l.write.close(), l.lock.release())
}

// run writes what is pending until the log is closed.
func (l *Log) run() {
	defer close(l.done)
	// The timer ticks once for what was written and not yet synced.
	timer := time.NewTimer(l.options.Every)
	timer.Stop()
	defer timer.Stop()
	for {
		select {
		case <-l.signal:
		case <-timer.C:
			_ = l.write.flush() // whoever appends next hears of it
		}
		wasDirty := l.write.dirty
		for {
			l.mu.Lock()
			g, closed := l.pending, l.closed
			l.pending = nil
			l.mu.Unlock()
			if g == nil && closed {
				return
			}
			if g == nil {
				break
			}
			l.commit(g)
		}
		if l.write.dirty && !wasDirty {
			timer.Reset(l.options.Every)
		}
	}
}

// commit writes a group and tells who waits for it.
func (l *Log) commit(g *group) {
	g.first, g.err = l.write.append(g.entries, l.options.Clock().UnixMilli())
	if g.err == nil && g.sync {
		g.err = l.write.flush()
	}
	l.mu.Lock()
	l.head = l.write.head
	l.mu.Unlock()
	close(g.done)
}
