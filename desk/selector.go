package desk

import (
	"fmt"
	"strconv"
	"time"

	"coldtrail/taint"
)

// Selector says which trace is meant.
type Selector struct {
	Case   string
	Method string
	// AsOf ends every chain at its last block not after this moment, in Unix seconds; 0 is
	// the newest block.
	AsOf int64
	// Fresh asks for a trace that rests on everything the store holds now.
	Fresh bool
	// Wait is how long to wait for one that is being made.
	Wait time.Duration
	By   string // who asks
}

// How long a question may wait for a trace, in seconds.
const (
	usualWait = 10
	mostWait  = 25
)

// Query is a selector as people write it. Empty is the default.
type Query struct{ Case, Method, AsOf, Fresh, Wait, By string }

// Selector reads a query.
func (q Query) Selector() (Selector, error) {
	s := Selector{Case: q.Case, Method: taint.FIFO.Name, Wait: usualWait * time.Second, By: q.By}
	if q.Method != "" {
		method, err := taint.MethodNamed(q.Method)
		if err != nil {
			return s, fmt.Errorf("%w: method: %w", ErrInvalid, err)
		}
		s.Method = method.Name
	}
	var err error
	if s.AsOf, err = moment(q.AsOf); err != nil {
		return s, err
	}
	if s.Fresh, err = truth("fresh", q.Fresh); err != nil {
		return s, err
	}
	if q.Wait != "" {
		seconds, err := strconv.Atoi(q.Wait)
		if err != nil || seconds < 0 || seconds > mostWait {
			return s, fmt.Errorf("%w: wait is a number of seconds from 0 to %d, not %.20q", ErrInvalid, mostWait, q.Wait)
		}
		s.Wait = time.Duration(seconds) * time.Second
	}
	return s, nil
}

// moment reads RFC 3339 or a date, which means its end, as the command line does.
func moment(text string) (int64, error) {
	if text == "" {
		return 0, nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		day, wrong := time.Parse(time.DateOnly, text)
		if wrong != nil {
			return 0, fmt.Errorf("%w: as_of %.40q: want a date (2025-03-01) or RFC 3339 (2025-03-01T12:00:00Z)", ErrInvalid, text)
		}
		at = day.Add(24*time.Hour - time.Second)
	}
	if at.Unix() <= 0 {
		return 0, fmt.Errorf("%w: as_of %.40q is before 1970", ErrInvalid, text)
	}
	return at.Unix(), nil
}

func truth(name, text string) (bool, error) {
	switch text {
	case "", "false":
		return false, nil
	case "true":
		return true, nil
	}
	return false, fmt.Errorf("%w: %s is true or false, not %.20q", ErrInvalid, name, text)
}
