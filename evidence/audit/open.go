package audit

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// A Recovery says what was found when a log was opened.
type Recovery struct {
	Head Head `json:"head"` // the last whole record; zero for a new log
	// Cut is how many bytes of a write that never ended were cut off. They are kept in
	// the file named, and a record says so.
	Cut  int64  `json:"cut,omitempty"`
	File string `json:"file,omitempty"`
}

// A BrokenError says that a log is not as it was written, and where.
type BrokenError struct{ Broken }

// Error names the place and what is wrong.
func (e *BrokenError) Error() string { return "the audit log is broken: " + e.String() }

// Open opens the log of a folder, or begins one. The last files are checked; to check all
// is for Verify. What a killed process left of a line is cut off and reported; a whole
// line that is wrong is a BrokenError, because nothing but a hand or a damaged disk
// makes one.
func Open(folder string, options Options) (*Log, Recovery, error) {
	log, recovery, err := open(folder, options)
	if err != nil {
		return nil, Recovery{}, fmt.Errorf("audit: open %s: %w", folder, err)
	}
	return log, recovery, nil
}

func open(folder string, options Options) (*Log, Recovery, error) {
	if options.Clock == nil {
		return nil, Recovery{}, errors.New("options name no clock")
	}
	if options.Every <= 0 {
		options.Every = time.Second
	}
	if options.Segment <= 0 {
		options.Segment = 64 << 20
	}
	if options.Lazy == nil {
		options.Lazy = []string{"screen"}
	}
	if options.files == nil {
		options.files = onDisk
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, Recovery{}, err
	}
	held, err := take(folder)
	if err != nil {
		return nil, Recovery{}, err
	}
	l := &Log{
		options: options, lazy: map[string]bool{}, lock: held, signal: make(chan struct{}, 1), done: make(chan struct{}),
		write: writer{folder: folder, open: options.files, most: options.Segment},
	}
	for _, kind := range options.Lazy {
		l.lazy[kind] = true
	}
	recovery, err := l.recover(folder)
	if err != nil {
		return nil, Recovery{}, errors.Join(err, l.write.close(), held.release())
	}
	l.head = l.write.head
	go l.run()
	return l, recovery, nil
}

// recover finds the end of the log, cuts off a torn line, and leaves the writer there.
func (l *Log) recover(folder string) (Recovery, error) {
	numbers, err := segments(folder)
	if err != nil {
		return Recovery{}, err
	}
	var recovery Recovery
	var end ending
	for {
		if end, err = last(folder, numbers); err != nil {
			return Recovery{}, err
		}
		if end.torn > 0 {
			if recovery.File, err = setAside(folder, end); err != nil {
				return Recovery{}, err
			}
			recovery.Cut = end.torn
		}
		if len(numbers) == 0 || end.size > 0 {
			break
		}
		// A file of which not one line is whole was begun and never acknowledged.
		if err := os.Remove(filepath.Join(folder, segmentName(end.number))); err != nil {
			return Recovery{}, err
		}
		numbers = numbers[:len(numbers)-1]
	}
	recovery.Head = end.head
	if err := l.resume(folder, end); err != nil || recovery.Cut == 0 {
		return recovery, err
	}
	body := fmt.Appendf(nil, `{"bytes":%d,"file":"%s"}`, recovery.Cut, recovery.File)
	if _, err := l.write.append([]*Entry{{ownName, cutKind, body}}, l.options.Clock().UnixMilli()); err != nil {
		return Recovery{}, err
	}
	return recovery, l.write.flush()
}

// resume leaves the writer behind the last whole line.
func (l *Log) resume(folder string, end ending) error {
	w := &l.write
	w.number, w.head, w.size = end.number, end.head, end.size
	if end.size == 0 {
		return nil // the first append begins a file
	}
	file, err := l.options.files(filepath.Join(folder, segmentName(end.number)))
	if err != nil {
		return err
	}
	w.file = file
	return file.Truncate(end.size)
}

// ending is where a log ends.
type ending struct {
	number int   // of the last file
	size   int64 // bytes of whole lines in it
	torn   int64 // bytes behind them
	head   Head
}

// last checks the last file and the one before, and gives where the log ends.
func last(folder string, numbers []int) (ending, error) {
	var end ending
	if len(numbers) == 0 {
		return end, nil
	}
	c := checker{folder: folder, anchored: len(numbers) <= 2}
	if err := c.files(numbers[max(0, len(numbers)-2):]); err != nil {
		return end, err
	}
	if c.broken != nil {
		return end, &BrokenError{*c.broken}
	}
	return ending{numbers[len(numbers)-1], c.size, c.torn, c.head}, nil
}

// setAside copies what is torn off to a file of its own, so that nobody can say that the
// log has eaten it, and gives its name.
func setAside(folder string, end ending) (string, error) {
	data, err := os.ReadFile(filepath.Join(folder, segmentName(end.number)))
	if err != nil {
		return "", err
	}
	data = data[end.size:]
	sum := sha256.Sum256(data)
	name := "cut-" + hex.EncodeToString(sum[:]) + ".bin"
	root, err := os.OpenRoot(folder)
	if err != nil {
		return "", err
	}
	return name, errors.Join(root.WriteFile(name, data, 0o600), root.Close())
}
