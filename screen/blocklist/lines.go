package blocklist

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
)

// The formats, as the first line of a file names them.
const (
	listFormat  = "coldtrail-blocklist-1"
	deltaFormat = "coldtrail-blocklist-delta-1"
)

// maxLine is longer than any line that can be right, in bytes.
const maxLine = 2048

// A mark is what a line of a delta says beside the entry.
type mark struct{ op, why string }

// The operations of a delta.
const (
	opAdd    = "add"
	opRemove = "remove"
)

// appendEntry writes an entry as RFC 8785 does: the names in order, no spaces, only
// quotes and backslashes escaped. Other characters that it would escape are in no entry.
func appendEntry(out []byte, e *Entry, m *mark) []byte {
	out = appendQuoted(append(out, `{"address":`...), e.Address)
	out = appendQuoted(append(out, `,"category":`...), e.Category)
	out = appendQuoted(append(out, `,"chain":`...), e.Chain)
	out = appendQuoted(append(out, `,"entity":`...), e.Entity)
	if m != nil {
		out = appendQuoted(append(out, `,"op":`...), m.op)
	}
	out = appendQuoted(append(out, `,"reason":`...), e.Reason)
	out = appendQuoted(append(out, `,"since":`...), formatMoment(e.Since))
	if m != nil && m.op == opRemove {
		out = appendQuoted(append(out, `,"why":`...), m.why)
	}
	return append(out, '}')
}

func appendQuoted(out []byte, text string) []byte {
	out = append(out, '"')
	for _, c := range []byte(text) {
		if c == '"' || c == '\\' {
			out = append(out, '\\')
		}
		out = append(out, c)
	}
	return append(out, '"')
}

// appendRevision writes a revision; the format stands between its parts where it is the
// first line of a list.
func appendRevision(out []byte, r *Revision, format string) []byte {
	out = appendQuoted(append(out, `{"basis":`...), r.Basis.String())
	out = appendQuoted(append(out, `,"content":`...), r.Content.String())
	out = strconv.AppendInt(append(out, `,"entries":`...), int64(r.Entries), 10)
	if format != "" {
		out = appendQuoted(append(out, `,"format":`...), format)
	}
	out = appendQuoted(append(out, `,"moment":`...), formatMoment(r.Moment))
	out = strconv.AppendUint(append(out, `,"revision":`...), r.Number, 10)
	return append(out, '}')
}

// What a line may hold, for reading.
type (
	entryLine struct {
		Address  string `json:"address"`
		Category string `json:"category"`
		Chain    string `json:"chain"`
		Entity   string `json:"entity"`
		Op       string `json:"op"`
		Reason   string `json:"reason"`
		Since    string `json:"since"`
		Why      string `json:"why"`
	}
	revisionLine struct {
		Basis    string `json:"basis"`
		Content  string `json:"content"`
		Entries  int64  `json:"entries"`
		Format   string `json:"format"`
		Moment   string `json:"moment"`
		Revision uint64 `json:"revision"`
	}
	deltaLine struct {
		Added   int64        `json:"added"`
		Format  string       `json:"format"`
		From    revisionLine `json:"from"`
		Removed int64        `json:"removed"`
		To      revisionLine `json:"to"`
	}
)

// entry is what the line says.
func (l *entryLine) entry() (Entry, string) {
	since, err := parseMoment(l.Since)
	if err != nil {
		return Entry{}, "since: " + err.Error()
	}
	e := Entry{Chain: l.Chain, Address: l.Address, Category: l.Category, Entity: l.Entity, Reason: l.Reason, Since: since}
	return e, e.check()
}

// revision is what the line says.
func (l *revisionLine) revision() (Revision, string) {
	basis, err := ParseDigest(l.Basis)
	if err != nil {
		return Revision{}, "basis: " + err.Error()
	}
	content, err := ParseDigest(l.Content)
	if err != nil {
		return Revision{}, "content: " + err.Error()
	}
	moment, err := parseMoment(l.Moment)
	if err != nil {
		return Revision{}, "moment: " + err.Error()
	}
	r := Revision{Number: l.Revision, Moment: moment, Basis: basis, Entries: int(l.Entries), Content: content}
	if l.Entries < 0 || l.Entries > lastNumber {
		return Revision{}, "entries: not a number of them"
	}
	return r, r.check()
}

// A scanner takes a file apart into lines.
type scanner struct {
	rest []byte
	line int // the number of the last one
}

// next reads one line into a value and returns it without its end.
func (s *scanner) next(into any) ([]byte, error) {
	s.line++
	end := bytes.IndexByte(s.rest[:min(len(s.rest), maxLine)], '\n')
	switch {
	case end < 0 && len(s.rest) >= maxLine:
		return nil, refuse(s.line, "line is over %d bytes", maxLine)
	case end < 0:
		return nil, refuse(s.line, "file ends within a line")
	}
	text := s.rest[:end]
	s.rest = s.rest[end+1:]
	if err := json.Unmarshal(text, into); err != nil {
		return nil, refuse(s.line, "%.200s", err)
	}
	return text, nil
}

// canonical refuses a line that is not written as we would.
func (s *scanner) canonical(text, ours []byte) error {
	if !bytes.Equal(text, ours) {
		return refuse(s.line, "line is not in the canonical form, which is %s", ours)
	}
	return nil
}

// Encode writes the list: a line for the revision, and a line for each entry.
func (l *List) Encode() []byte {
	out := append(appendRevision(nil, &l.revision, listFormat), '\n')
	for i := range l.entries {
		out = append(appendEntry(out, &l.entries[i], nil), '\n')
	}
	return out
}

// Decode reads what Encode writes. Anything else is refused with an Error: other
// spellings of the same, entries out of order or twice, a count or digest that is not of
// the entries.
func Decode(file []byte) (*List, error) {
	s := scanner{rest: file}
	var head revisionLine
	text, err := s.next(&head)
	if err != nil {
		return nil, err
	}
	if head.Format != listFormat {
		return nil, refuse(s.line, "format is %.100q and not %s", head.Format, listFormat)
	}
	revision, reason := head.revision()
	if reason != "" {
		return nil, refuse(s.line, "%s", reason)
	}
	if err := s.canonical(text, appendRevision(nil, &revision, listFormat)); err != nil {
		return nil, err
	}
	l := &List{revision: revision}
	var ours []byte
	for len(s.rest) > 0 {
		var read entryLine
		text, err := s.next(&read)
		if err != nil {
			return nil, err
		}
		e, reason := read.entry()
		if reason != "" {
			return nil, refuse(s.line, "%s", reason)
		}
		ours = appendEntry(ours[:0], &e, nil)
		if err := s.canonical(text, ours); err != nil {
			return nil, err
		}
		if n := len(l.entries); n > 0 && l.entries[n-1].Compare(e) >= 0 {
			return nil, refuse(s.line, "entry is not after the one before")
		}
		l.entries = append(l.entries, e)
	}
	l.entries = slices.Clip(l.entries)
	switch content := digest(l.entries); {
	case len(l.entries) != revision.Entries:
		return nil, refuse(1, "%d entries are announced, %d follow", revision.Entries, len(l.entries))
	case content != revision.Content:
		return nil, refuse(1, "content is announced as %s and is %s", revision.Content, content)
	}
	return l, nil
}
