// Package chdbtest runs statements on today's ClickHouse for tests: libchdb.so, the whole
// engine as a library without a server. It is over half a gigabyte, so tests that need
// it are skipped where COLDTRAIL_CHDB does not name it; install.sh installs it.
package chdbtest

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"
)

// Variable is the environment variable that names libchdb.so.
const Variable = "COLDTRAIL_CHDB"

// Engine is an opened engine with a folder of its own.
type Engine struct {
	mutex      sync.Mutex
	library    *library
	connection *connection // nil when it is closed
}

// The library is loaded once. It has one folder at a time.
var loaded struct {
	sync.Once
	library *library
	err     error
	open    sync.Mutex
}

// Open opens the engine on an empty folder and closes it when the test ends. A binary can
// have one engine open at a time; a second one fails the test.
func Open(tb testing.TB) *Engine {
	tb.Helper()
	path := os.Getenv(Variable)
	if path == "" {
		tb.Skip(Variable + " does not name a libchdb.so; internal/chdbtest/install.sh installs one and prints its path")
	}
	loaded.Do(func() { loaded.library, loaded.err = load(path) })
	if loaded.err != nil {
		tb.Fatalf("%s: %v", path, loaded.err)
	}
	if !loaded.open.TryLock() {
		tb.Fatal("an engine is open already, and a process can have one at a time: share it, with a database for each test")
	}
	tb.Cleanup(loaded.open.Unlock)
	c := loaded.library.connect(tb.TempDir())
	if c == nil {
		tb.Fatalf("%s opens no database", path)
	}
	e := &Engine{library: loaded.library, connection: c}
	tb.Cleanup(e.close)
	return e
}

func (e *Engine) close() {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	e.library.closeConnection(e.connection)
	e.connection = nil
}

// Exec runs a statement of which the rows, if any, are not wanted.
func (e *Engine) Exec(statement string) error {
	_, err := e.text(statement)
	return err
}

// Query runs a statement and returns the fields of each row, unescaped. NULL is the two
// characters \N, as in TabSeparated.
func (e *Engine) Query(statement string) ([][]string, error) {
	text, err := e.text(statement)
	if err != nil {
		return nil, err
	}
	return rows(text)
}

// text is the answer as TabSeparated text.
func (e *Engine) text(statement string) (string, error) {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	if e.connection == nil {
		return "", errors.New("the engine is closed: its test has ended")
	}
	answer, refusal := e.library.query(e.connection, statement, "TabSeparated")
	if refusal != "" {
		return "", fmt.Errorf("the engine refuses %.200q: %s", statement, refusal)
	}
	return answer, nil
}
