package desk

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
)

// cursor names where a page ended: in which trace, after how many rows.
func (m *made) cursor(after int) string { return m.about.Digest + ":" + strconv.Itoa(after) }

// from reads a cursor. It belongs to one trace: rows of another are in another order.
func (m *made) from(cursor string) (int, error) { return from(m.about.Digest, cursor) }

func from(digest, cursor string) (int, error) {
	if cursor == "" {
		return 0, nil
	}
	at := strings.LastIndexByte(cursor, ':')
	if at < 0 {
		return 0, fmt.Errorf("%w: the cursor is none that was given", ErrInvalid)
	}
	after, err := strconv.Atoi(cursor[at+1:])
	if err != nil || after < 0 {
		return 0, fmt.Errorf("%w: the cursor is none that was given", ErrInvalid)
	}
	if cursor[:at] != digest {
		return 0, ErrGone
	}
	return after, nil
}

// mostPage bounds the rows of a page.
const mostPage = 1000

// part is a page of so many rows: from where to where, and whether more follows.
func part(total, after, limit int) (begin, end int, more bool) {
	if limit <= 0 || limit > mostPage {
		limit = mostPage
	}
	begin = min(after, total)
	end = min(begin+limit, total)
	return begin, end, end < total
}

// selections keeps what the last few questions selected, so that pages after the first
// cost nothing.
type selections struct {
	turn sync.Mutex
	list []*selection // the newest first
}

// selection is rows in order, and what they stand for.
type selection struct {
	question string
	once     sync.Once
	rows     []uint32
	origins  []OriginSum
}

// mostSelections is how many are kept for each trace.
const mostSelections = 8

// of gives what a question selects, which is found out at most once.
func (s *selections) of(question string, find func(*selection)) *selection {
	s.turn.Lock()
	var found *selection
	for i, one := range s.list {
		if one.question == question {
			found = one
			copy(s.list[1:i+1], s.list[:i])
			s.list[0] = found
			break
		}
	}
	if found == nil {
		found = &selection{question: question}
		s.list = append([]*selection{found}, s.list[:min(len(s.list), mostSelections-1)]...)
	}
	s.turn.Unlock()
	found.once.Do(func() { find(found) })
	return found
}
