package audit

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
)

// Damage says in which way a log is broken.
type Damage string

// The ways in which a log can be broken.
const (
	Changed   Damage = "changed"   // a record is not as it was written
	Removed   Damage = "removed"   // records are missing
	Reordered Damage = "reordered" // records are there in another order
	Inserted  Damage = "inserted"  // there is a record too many
	Truncated Damage = "truncated" // the end is missing
)

// Broken is the first place at which a log is not as it was written.
type Broken struct {
	Damage Damage `json:"damage"`
	File   string `json:"file"`
	Line   int    `json:"line"` // from 1
	// Sequence is of the record at that place, 0 where there is none that can be read.
	Sequence uint64 `json:"seq"`
	Reason   string `json:"reason"`
}

// String says where and what.
func (b *Broken) String() string {
	return fmt.Sprintf("%s line %d (record %d): %s: %s", b.File, b.Line, b.Sequence, b.Damage, b.Reason)
}

// A Report says what Verify found.
type Report struct {
	Segments int    `json:"segments"`
	Records  uint64 `json:"records"` // whole and in order, from the first
	Head     Head   `json:"head"`    // the last of those
	// Torn is how many bytes follow the last line: of a write under way, of a process
	// that was killed, or of an end that was cut off.
	Torn   int64   `json:"torn,omitempty"`
	Broken *Broken `json:"broken,omitempty"`
	// Refused counts the records that the log said it could not keep.
	Refused uint64 `json:"refused,omitempty"`
}

// Whole says that nothing is broken and nothing torn.
func (r *Report) Whole() bool { return r.Broken == nil && r.Torn == 0 }

// Verify checks a log from its first record to its last, and against heads that were taken
// from it before. Without such a head a log whose end was removed looks like one that was
// shorter. The error is for what could not be read; what is broken is in the report.
func Verify(folder string, heads ...Head) (Report, error) {
	numbers, err := segments(folder)
	if err != nil {
		return Report{}, fmt.Errorf("audit: verify: %w", err)
	}
	c := checker{folder: folder, anchored: true, heads: heads}
	if err := c.files(numbers); err != nil {
		return Report{}, fmt.Errorf("audit: verify: %w", err)
	}
	if c.broken != nil && c.broken.Damage == Removed {
		if err := c.lookAhead(numbers); err != nil {
			return Report{}, fmt.Errorf("audit: verify: %w", err)
		}
	}
	report := Report{Segments: len(numbers), Records: c.records, Head: c.head, Torn: c.torn, Broken: c.broken, Refused: c.refused}
	for _, head := range heads {
		if report.Broken == nil && head.Sequence > c.head.Sequence {
			report.Broken = &Broken{Truncated, c.name, c.line, c.head.Sequence, fmt.Sprintf("the log ends here, and a head was taken of record %d", head.Sequence)}
		}
	}
	return report, nil
}

// checker follows the chain through the files.
type checker struct {
	folder   string
	anchored bool // what came before is known; of the first file of a part it is not
	heads    []Head

	name    string
	line    int
	size    int64 // bytes of whole lines of the file
	torn    int64
	head    Head
	records uint64
	refused uint64
	broken  *Broken
}

// files checks files that follow one another. An error is for what could not be read.
func (c *checker) files(numbers []int) error {
	for _, number := range numbers {
		if c.torn > 0 {
			c.line++
			c.fail(Changed, 0, "the line has no end, and another file follows")
		}
		if c.broken != nil {
			return nil
		}
		if err := c.file(number); err != nil {
			return err
		}
	}
	return nil
}

// file checks one file.
func (c *checker) file(number int) error {
	c.name, c.line, c.size, c.torn = segmentName(number), 0, 0, 0
	for line, err := range lines(filepath.Join(c.folder, c.name)) {
		var torn tornError
		switch {
		case errors.As(err, &torn):
			c.torn = int64(torn)
			return nil
		case err != nil:
			return err
		}
		c.line++
		if c.check(line); c.broken != nil {
			return nil
		}
		c.size += int64(len(line)) + 1
	}
	return nil
}

func (c *checker) fail(damage Damage, sequence uint64, reason string) {
	c.broken = &Broken{damage, c.name, c.line, sequence, reason}
}

// check checks a line against the one before it.
func (c *checker) check(line []byte) {
	r, err := ParseRecord(line)
	if err != nil {
		c.fail(Changed, 0, err.Error())
		return
	}
	if !c.anchored {
		c.head = Head{Sequence: r.Sequence - 1, Hash: r.Previous}
		c.anchored = true
	}
	expected := c.head.Sequence + 1
	switch {
	case sumOf(line) != r.Hash:
		c.fail(Changed, r.Sequence, "its hash is not of what it says")
	case r.Sequence > expected:
		c.fail(Removed, r.Sequence, fmt.Sprintf("record %d should come here", expected))
	case r.Sequence < expected:
		c.fail(Inserted, r.Sequence, fmt.Sprintf("that number was there before, record %d should come here", expected))
	case r.Previous != c.head.Hash:
		c.fail(Changed, r.Sequence, "it does not follow from the record before it: one of the two was written again")
	case (c.line == 1) != (r.What == segmentKind):
		c.fail(Changed, r.Sequence, "a file begins with a record that says so, and has no other")
	}
	if c.broken != nil {
		return
	}
	for _, head := range c.heads {
		if head.Sequence == r.Sequence && head.Hash != r.Hash {
			c.fail(Changed, r.Sequence, "a head that was taken of it has another hash: the log was written again up to here")
			return
		}
	}
	c.head = r.Head()
	c.records++
	if r.What == gapKind {
		c.refused += refusedIn(r.Body)
	}
}

// lookAhead tells records that are missing from records that come later.
func (c *checker) lookAhead(numbers []int) error {
	expected := c.head.Sequence + 1
	for _, number := range numbers {
		for line, err := range lines(filepath.Join(c.folder, segmentName(number))) {
			if err != nil {
				if errors.As(err, new(tornError)) {
					break
				}
				return err
			}
			if r, err := ParseRecord(line); err == nil && r.Sequence == expected && r.Previous == c.head.Hash && sumOf(line) == r.Hash {
				c.broken.Damage = Reordered
				c.broken.Reason = fmt.Sprintf("record %d should come here and comes later, in %s", expected, segmentName(number))
				return nil
			}
		}
	}
	return nil
}

// tornError is how many bytes follow the last whole line.
type tornError int64

// Error says how many.
func (e tornError) Error() string { return fmt.Sprintf("%d bytes without an end of line", int64(e)) }

// lines yields the whole lines of a file without their ends; a line is valid until the
// next. A line that is longer than any record is handed on cut, which no parser takes.
func lines(path string) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		file, err := os.Open(path)
		if err != nil {
			yield(nil, err)
			return
		}
		defer file.Close()
		in := bufio.NewReaderSize(file, maxLine)
		for {
			line, err := in.ReadSlice('\n')
			if errors.Is(err, io.EOF) {
				if len(line) > 0 {
					yield(nil, tornError(len(line)))
				}
				return
			}
			if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
				yield(nil, err)
				return
			}
			if !yield(bytes.TrimSuffix(line, []byte("\n")), nil) {
				return
			}
		}
	}
}

// Records yields the records of a log from a number on, in order. It checks every line by
// itself and not the chain: that is for Verify. A torn end ends it.
func Records(folder string, from uint64) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		numbers, err := segments(folder)
		if err != nil {
			yield(Record{}, fmt.Errorf("audit: read: %w", err))
			return
		}
		for i, number := range numbers {
			if i+1 < len(numbers) && startsBy(folder, numbers[i+1], from) {
				continue
			}
			if !readFile(filepath.Join(folder, segmentName(number)), from, yield) {
				return
			}
		}
	}
}

// readFile yields the records of one file and says whether to go on.
func readFile(path string, from uint64, yield func(Record, error) bool) bool {
	for line, err := range lines(path) {
		if errors.As(err, new(tornError)) {
			return true
		}
		var r Record
		if err == nil {
			r, err = ParseRecord(line)
		}
		if err == nil && sumOf(line) != r.Hash {
			err = errors.New("a record's hash is not of what it says")
		}
		if err != nil {
			yield(Record{}, fmt.Errorf("audit: read %s: %w", path, err))
			return false
		}
		if r.Sequence >= from && !yield(r, nil) {
			return false
		}
	}
	return true
}

// startsBy says whether a file begins with a record that is not above a number, so that
// the files before it have nothing of interest.
func startsBy(folder string, number int, from uint64) bool {
	for line, err := range lines(filepath.Join(folder, segmentName(number))) {
		r, parseErr := ParseRecord(line)
		return err == nil && parseErr == nil && r.Sequence <= from
	}
	return false
}
