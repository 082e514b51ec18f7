// Package desk answers questions about cases. It traces a case once for each method and
// moment that somebody asks for, keeps the answer while there is room, and tells of it
// what people look for: the headline, where value is now, how it moved, what could still
// be frozen, and where the methods differ.
package desk

import "errors"

// The errors that callers can do something about.
var (
	// ErrInvalid says that a question cannot be understood.
	ErrInvalid = errors.New("the question cannot be understood")
	// ErrNotFound says that there is no such case.
	ErrNotFound = errors.New("there is no such case")
	// ErrGone says that a page is of a trace that is kept no longer.
	ErrGone = errors.New("the trace that this page belongs to is kept no longer")
	// ErrUntraceable says that the store does not hold what the case names.
	ErrUntraceable = errors.New("the case cannot be traced")
)
