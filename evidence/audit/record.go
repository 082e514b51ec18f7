package audit

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
)

// Hash is SHA-256 of a record.
type Hash [sha256.Size]byte

// String gives the hexadecimal digits.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// MarshalText gives the hexadecimal digits.
func (h Hash) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText reads hexadecimal digits, lower case.
func (h *Hash) UnmarshalText(text []byte) error {
	if len(text) != 2*len(h) || bytes.ContainsAny(text, "ABCDEF") {
		return fmt.Errorf("%q is not a hash of %d lower-case hexadecimal digits", text, 2*len(h))
	}
	if _, err := hex.Decode(h[:], text); err != nil {
		return fmt.Errorf("%q is not a hash: %w", text, err)
	}
	return nil
}

// A Record is one line of the log.
type Record struct {
	Sequence uint64          `json:"seq"` // from 1, without gaps
	Time     int64           `json:"ms"`  // Unix milliseconds, by the clock of the program
	Who      string          `json:"who"`
	What     string          `json:"what"`
	Body     json.RawMessage `json:"body"`
	Previous Hash            `json:"prev"` // zeros for the first record
	Hash     Hash            `json:"hash"`
}

// Head names the end of a log: everything up to it follows from its hash.
type Head struct {
	Sequence uint64 `json:"seq"`
	Hash     Hash   `json:"hash"`
	Time     int64  `json:"ms"`
}

// Head is the head of a log that ends with the record.
func (r *Record) Head() Head { return Head{r.Sequence, r.Hash, r.Time} }

// The parts of a line. Between them are numbers, plain names, compact JSON and digits, so
// equal records have equal lines and a line can be taken apart without parsing.
const (
	partSequence = `{"seq":`
	partTime     = `,"ms":`
	partWho      = `,"who":"`
	partWhat     = `","what":"`
	partBody     = `","body":`
	partPrevious = `,"prev":"`
	partHash     = `","hash":"`
	partEnd      = `"}`
	hashDigits   = 2 * sha256.Size
	// tail is how many bytes follow the body.
	tail = len(partPrevious) + hashDigits + len(partHash) + hashDigits + len(partEnd)
	// maxLine is the longest line that a record can have, with its end.
	maxLine = MaxBody + 2*MaxName + 512
)

// write appends the line of a record to a buffer, with its end, and sets the record's hash.
// The hash is of the line as it would be without it: of the JSON from the first brace to
// the quote after prev, and a closing brace.
func (r *Record) write(line []byte) []byte {
	start := len(line)
	line = append(line, partSequence...)
	line = strconv.AppendUint(line, r.Sequence, 10)
	line = append(line, partTime...)
	line = strconv.AppendInt(line, r.Time, 10)
	line = append(line, partWho...)
	line = append(line, r.Who...)
	line = append(line, partWhat...)
	line = append(line, r.What...)
	line = append(line, partBody...)
	line = append(line, r.Body...)
	line = append(line, partPrevious...)
	line = hex.AppendEncode(line, r.Previous[:])
	line = append(line, partEnd...)
	r.Hash = sha256.Sum256(line[start:])
	line = append(line[:len(line)-len(partEnd)], partHash...)
	line = hex.AppendEncode(line, r.Hash[:])
	line = append(line, partEnd...)
	return append(line, '\n')
}

// ParseRecord takes a line apart, without its end. It refuses every line that could be
// written in another way, and does not check the hash: that is for Sum.
func ParseRecord(line []byte) (Record, error) {
	var r Record
	refuse := func(what string) (Record, error) { return Record{}, fmt.Errorf("audit: the line has no %s", what) }
	rest, ok := bytes.CutPrefix(line, []byte(partSequence))
	if !ok || len(line) < tail {
		return refuse("form of a record")
	}
	digits, rest, ok := bytes.Cut(rest, []byte(partTime))
	sequence, err := strconv.ParseUint(string(digits), 10, 64)
	if !ok || err != nil || strconv.FormatUint(sequence, 10) != string(digits) {
		return refuse("sequence number")
	}
	digits, rest, ok = bytes.Cut(rest, []byte(partWho))
	r.Time, err = strconv.ParseInt(string(digits), 10, 64)
	if !ok || err != nil || strconv.FormatInt(r.Time, 10) != string(digits) {
		return refuse("time")
	}
	who, rest, ok1 := bytes.Cut(rest, []byte(partWhat))
	what, rest, ok2 := bytes.Cut(rest, []byte(partBody))
	if !ok1 || !ok2 || !plain(string(who)) || !plain(string(what)) {
		return refuse("name of who and what")
	}
	if len(rest) <= tail {
		return refuse("body")
	}
	r.Sequence, r.Who, r.What = sequence, string(who), string(what)
	body, end := rest[:len(rest)-tail], rest[len(rest)-tail:]
	if err := r.hashes(end); err != nil {
		return refuse("hashes at its end")
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, body); err != nil || !bytes.Equal(compact.Bytes(), body) || len(body) > MaxBody {
		return refuse("body of compact JSON")
	}
	r.Body = compact.Bytes()
	return r, nil
}

// hashes reads the end of a line.
func (r *Record) hashes(end []byte) error {
	rest, ok1 := bytes.CutPrefix(end, []byte(partPrevious))
	previous, rest, ok2 := bytes.Cut(rest, []byte(partHash))
	sum, rest, ok3 := bytes.Cut(rest, []byte(partEnd))
	if !ok1 || !ok2 || !ok3 || len(rest) > 0 {
		return fmt.Errorf("%q", end)
	}
	if err := r.Previous.UnmarshalText(previous); err != nil {
		return err
	}
	return r.Hash.UnmarshalText(sum)
}

// Sum computes the hash that a record must have.
func (r *Record) Sum() Hash {
	copied := *r
	copied.write(nil)
	return copied.Hash
}

// sumOf computes the hash of a line that ParseRecord has taken.
func sumOf(line []byte) Hash {
	h := sha256.New()
	h.Write(line[:len(line)-len(partHash)-hashDigits-len(partEnd)])
	h.Write([]byte(partEnd))
	return Hash(h.Sum(nil))
}

// refusedIn reads how many records a gap stands for.
func refusedIn(body json.RawMessage) uint64 {
	var gap struct {
		Refused uint64 `json:"refused"`
	}
	if json.Unmarshal(body, &gap) != nil {
		return 0
	}
	return gap.Refused
}
