// Package servertest measures a screening server from outside: it opens connections,
// sends requests on them one after the other, and counts what comes back. It reads and
// writes HTTP/1.1 by hand, so that the generator takes as little as possible of the
// machine that it shares with what it measures.
package servertest

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"
)

// Load says how to press.
type Load struct {
	// Address is host:port of a server without TLS.
	Address string
	// Request gives the bytes of request n of a connection. They are sent as they are.
	Request func(connection, n int) []byte
	// Connections is how many there are, each with one request at a time. For is how long
	// it goes on.
	Connections int
	For         time.Duration
	// Subjects is how many addresses one request asks about.
	Subjects int
	// Now is the clock.
	Now func() time.Time
}

// Result is what was measured.
type Result struct {
	Requests int
	Subjects int
	Bytes    int64
	Took     time.Duration
	// P50, P99 and Worst are of the time from the first byte sent to the last received.
	P50, P99, Worst time.Duration
}

// PerSecond is how many requests were answered in a second.
func (r Result) PerSecond() float64 { return float64(r.Requests) / r.Took.Seconds() }

// SubjectsPerSecond is how many addresses were.
func (r Result) SubjectsPerSecond() float64 { return float64(r.Subjects) / r.Took.Seconds() }

// String is one line for people.
func (r Result) String() string {
	return fmt.Sprintf("%.0f requests/s, %.0f addresses/s, %.1f MB/s, p50 %s, p99 %s, worst %s",
		r.PerSecond(), r.SubjectsPerSecond(), float64(r.Bytes)/r.Took.Seconds()/1e6, r.P50.Round(time.Microsecond), r.P99.Round(time.Microsecond), r.Worst.Round(time.Microsecond))
}

// Run presses until the time is over. An answer of another status than 2xx, or a broken
// connection, is an error: a load that was refused has measured nothing.
func (l *Load) Run(ctx context.Context) (Result, error) {
	group, ctx := errgroup.WithContext(ctx)
	parts := make([]part, l.Connections)
	begun := l.Now()
	for i := range parts {
		group.Go(func() error { return l.connect(ctx, i, begun.Add(l.For), &parts[i]) })
	}
	if err := group.Wait(); err != nil {
		return Result{}, err
	}
	result := Result{Took: l.Now().Sub(begun)}
	var all []time.Duration
	for i := range parts {
		all = append(all, parts[i].took...)
		result.Bytes += parts[i].bytes
	}
	if len(all) == 0 {
		return result, errors.New("nothing was answered in the time")
	}
	slices.Sort(all)
	result.Requests, result.Subjects = len(all), len(all)*l.Subjects
	result.P50, result.P99, result.Worst = all[len(all)/2], all[len(all)*99/100], all[len(all)-1]
	return result, nil
}

// part is what one connection saw.
type part struct {
	took  []time.Duration
	bytes int64
}

func (l *Load) connect(ctx context.Context, connection int, until time.Time, p *part) error {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", l.Address)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	in := bufio.NewReaderSize(conn, 64<<10)
	for n := 0; ; n++ {
		request := l.Request(connection, n)
		sent := l.Now()
		if !sent.Before(until) {
			return nil
		}
		if _, err := conn.Write(request); err != nil {
			return fmt.Errorf("connection %d, request %d: %w", connection, n, err)
		}
		size, err := readAnswer(in)
		if err != nil {
			return fmt.Errorf("connection %d, request %d: %w", connection, n, err)
		}
		p.took = append(p.took, l.Now().Sub(sent))
		p.bytes += int64(size)
	}
}

// readAnswer reads one answer, and says how long its body was.
func readAnswer(in *bufio.Reader) (int, error) {
	status, err := in.ReadSlice('\n')
	if err != nil {
		return 0, err
	}
	if !bytes.HasPrefix(status, []byte("HTTP/1.1 2")) {
		line := string(status)
		rest, _ := in.Peek(in.Buffered())
		return 0, fmt.Errorf("answered %q %.600q", line, rest)
	}
	length := -1
	for {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return 0, err
		}
		if len(line) <= 2 {
			break
		}
		if name, value, ok := bytes.Cut(line, []byte(": ")); ok && len(name) == 14 && bytes.EqualFold(name, []byte("Content-Length")) {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
				return 0, err
			}
		}
	}
	if length < 0 {
		return 0, errors.New("the answer has no length")
	}
	_, err = io.CopyN(io.Discard, in, int64(length))
	return length, err
}

// Get writes a GET request with headers, each of the form "Name: value".
func Get(target, host string, headers ...string) []byte {
	return request("GET", target, host, nil, headers)
}

// Post writes a POST request.
func Post(target, host string, body []byte, headers ...string) []byte {
	return request("POST", target, host, body, append(headers, "Content-Length: "+strconv.Itoa(len(body))))
}

func request(method, target, host string, body []byte, headers []string) []byte {
	out := fmt.Appendf(nil, "%s %s HTTP/1.1\r\nHost: %s\r\n", method, target, host)
	for _, h := range headers {
		out = append(append(out, h...), "\r\n"...)
	}
	return append(append(out, "\r\n"...), body...)
}
