package chdbtest

import (
	"fmt"
	"runtime"
	"unsafe"

	"github.com/ebitengine/purego"
)

// connection and result are chdb_connection and chdb_result of chdb.h, which are opaque.
type (
	connection struct{ handle unsafe.Pointer }
	result     struct{ _ byte }
)

// library is libchdb.so, loaded. The functions have the names and the meaning that
// chdb.h of chDB 26.7 gives them.
type library struct {
	connectTo         func(argc int32, argv unsafe.Pointer) *connection                                                         // chdb_connect
	closeConnection   func(*connection)                                                                                         // chdb_close_conn
	run               func(handle unsafe.Pointer, query *byte, queryLength uintptr, format *byte, formatLength uintptr) *result // chdb_query_n
	destroy           func(*result)                                                                                             // chdb_destroy_query_result
	buffer            func(*result) *byte                                                                                       // chdb_result_buffer
	length            func(*result) uintptr                                                                                     // chdb_result_length
	refusal           func(*result) *byte                                                                                       // chdb_result_error, nil without an error
	setSignalHandlers func(enabled int32)                                                                                       // chdb_set_signal_handlers_enabled
}

// load loads the library. Nothing else of the process may load it, nor unload it: its
// threads live until the process ends.
func load(path string) (*library, error) {
	handle, err := purego.Dlopen(path, purego.RTLD_NOW|purego.RTLD_GLOBAL)
	if err != nil {
		return nil, err
	}
	l := &library{}
	for _, f := range []struct {
		name     string
		function any
	}{
		{"chdb_connect", &l.connectTo},
		{"chdb_close_conn", &l.closeConnection},
		{"chdb_query_n", &l.run},
		{"chdb_destroy_query_result", &l.destroy},
		{"chdb_result_buffer", &l.buffer},
		{"chdb_result_length", &l.length},
		{"chdb_result_error", &l.refusal},
		{"chdb_set_signal_handlers_enabled", &l.setSignalHandlers},
	} {
		symbol, err := purego.Dlsym(handle, f.name)
		if err != nil {
			return nil, fmt.Errorf("no function %s, so this is no chDB of 26.7 or newer: %w", f.name, err)
		}
		purego.RegisterFunc(f.function, symbol)
	}
	return l, nil
}

// connect opens a database in a folder; nil where the library refuses.
func (l *library) connect(folder string) *connection {
	// Its handlers would make five minutes of silence and a crash out of a panic of Go.
	l.setSignalHandlers(0)
	var pinned runtime.Pinner
	defer pinned.Unpin()
	var words []*byte
	for _, word := range []string{"clickhouse", "--path=" + folder} {
		text := append([]byte(word), 0)
		pinned.Pin(&text[0])
		words = append(words, &text[0])
	}
	words = append(words, nil)
	pinned.Pin(&words[0])
	c := l.connectTo(int32(len(words)-1), unsafe.Pointer(&words[0]))
	if c == nil || c.handle == nil {
		return nil
	}
	return c
}

// query runs a statement; the answer is copied out of the library's memory.
func (l *library) query(c *connection, statement, format string) (answer, refusal string) {
	r := l.run(c.handle, unsafe.StringData(statement), uintptr(len(statement)), unsafe.StringData(format), uintptr(len(format)))
	runtime.KeepAlive(statement)
	if r == nil {
		return "", "no result at all"
	}
	defer l.destroy(r)
	if message := l.refusal(r); message != nil {
		return "", terminated(message)
	}
	if b := l.buffer(r); b != nil {
		answer = string(unsafe.Slice(b, l.length(r)))
	}
	return answer, ""
}

// terminated copies a text of C.
func terminated(first *byte) string {
	length := 0
	for *(*byte)(unsafe.Add(unsafe.Pointer(first), length)) != 0 {
		length++
	}
	return string(unsafe.Slice(first, length))
}
