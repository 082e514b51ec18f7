package blocklist

import "strconv"

func (d *Delta) appendHead(out []byte) []byte {
	out = strconv.AppendInt(append(out, `{"added":`...), int64(len(d.added)), 10)
	out = appendQuoted(append(out, `,"format":`...), deltaFormat)
	out = appendRevision(append(out, `,"from":`...), &d.from, "")
	out = strconv.AppendInt(append(out, `,"removed":`...), int64(len(d.removed)), 10)
	out = appendRevision(append(out, `,"to":`...), &d.to, "")
	return append(out, '}')
}

// Encode writes the delta: a line for both revisions, and a line for each entry that is
// added or removed, in the order of the entries.
func (d *Delta) Encode() []byte {
	out := append(d.appendHead(nil), '\n')
	added, removed := d.added, d.removed
	for len(added) > 0 || len(removed) > 0 {
		if len(removed) == 0 || len(added) > 0 && added[0].Compare(removed[0].Entry) < 0 {
			out = appendEntry(out, &added[0], &mark{op: opAdd})
			added = added[1:]
		} else {
			out = appendEntry(out, &removed[0].Entry, &mark{opRemove, removed[0].Why})
			removed = removed[1:]
		}
		out = append(out, '\n')
	}
	return out
}

// DecodeDelta reads what Encode writes, and refuses anything else with an Error. Whether
// the delta is true, Apply says.
func DecodeDelta(file []byte) (*Delta, error) {
	s := scanner{rest: file}
	var head deltaLine
	first, err := s.next(&head)
	if err != nil {
		return nil, err
	}
	d, reason := head.delta()
	if reason != "" {
		return nil, refuse(s.line, "%s", reason)
	}
	var last *Entry
	for len(s.rest) > 0 {
		e, err := d.decodeLine(&s)
		if err != nil {
			return nil, err
		}
		if last != nil && last.Compare(e) >= 0 {
			return nil, refuse(s.line, "entry is not after the one before")
		}
		last = &e
	}
	if int64(len(d.added)) != head.Added || int64(len(d.removed)) != head.Removed {
		return nil, refuse(1, "%d added and %d removed are announced, %d and %d follow", head.Added, head.Removed, len(d.added), len(d.removed))
	}
	s.line = 1
	if err := s.canonical(first, d.appendHead(nil)); err != nil {
		return nil, err
	}
	return d, nil
}

// delta is what the line says.
func (l *deltaLine) delta() (*Delta, string) {
	if l.Format != deltaFormat {
		return nil, "format is not " + deltaFormat
	}
	from, reason := l.From.revision()
	if reason != "" {
		return nil, "from: " + reason
	}
	to, reason := l.To.revision()
	if reason != "" {
		return nil, "to: " + reason
	}
	d := &Delta{from: from, to: to}
	return d, d.direction()
}

// decodeLine reads one line and notes what it says.
func (d *Delta) decodeLine(s *scanner) (Entry, error) {
	var read entryLine
	text, err := s.next(&read)
	if err != nil {
		return Entry{}, err
	}
	e, reason := read.entry()
	switch {
	case reason != "":
		return Entry{}, refuse(s.line, "%s", reason)
	case read.Op == opAdd:
		d.added = append(d.added, e)
	case read.Op != opRemove:
		return Entry{}, refuse(s.line, "op %.100q is neither %s nor %s", read.Op, opAdd, opRemove)
	case !isName(read.Why, maxCode):
		return Entry{}, refuse(s.line, "why %.100q is no code", read.Why)
	default:
		d.removed = append(d.removed, Removal{e, read.Why})
	}
	return e, s.canonical(text, appendEntry(nil, &e, &mark{read.Op, read.Why}))
}
