package servertest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"
)

// Bench says what to measure of a server that runs.
type Bench struct {
	// Address is host:port of the server, Key a key of the role viewer; empty for a server
	// without keys.
	Address, Key string
	// Subject gives address n. The generator asks for n below Known, which are prepared.
	Subject func(n int) string
	Known   int
	// Connections is how many there are; 32. For is how long each measurement goes on; 3 s.
	Connections int
	For         time.Duration
	// Batch is how many addresses a batch has; 1000.
	Batch int
	Now   func() time.Time
}

// Report is what was measured, side by side in one run.
type Report struct {
	Single Result // GET /v1/screen
	// Bare is a handler of net/http that answers the same bytes and nothing else.
	Bare Result
	// Lines is POST /v1/screen of text, JSON of JSON.
	Lines, JSON Result
}

// Ratio is the server's rate as a share of the bare handler's.
func (r *Report) Ratio() float64 { return r.Single.PerSecond() / r.Bare.PerSecond() }

// Print writes the report for people.
func (r *Report) Print(w io.Writer) {
	fmt.Fprintf(w, "GET /v1/screen        %s\n", r.Single)
	fmt.Fprintf(w, "bare net/http         %s\n", r.Bare)
	fmt.Fprintf(w, "ratio                 %.2f of the bare handler\n", r.Ratio())
	fmt.Fprintf(w, "POST lines of text    %s\n", r.Lines)
	fmt.Fprintf(w, "POST JSON             %s\n", r.JSON)
}

// Run measures: the server and the bare handler in turn, twice, so that what else the
// machine does falls on both, and the better half of each counts; then batches.
func (b *Bench) Run(ctx context.Context) (*Report, error) {
	b.defaults()
	var headers []string
	if b.Key != "" {
		headers = []string{"X-API-Key: " + b.Key}
	}
	gets := make([][]byte, min(b.Known, 4096))
	for i := range gets {
		gets[i] = Get("/v1/screen?subject="+b.Subject(i), b.host(), headers...)
	}
	single := b.load(b.Address, gets, 1)
	body, header, err := b.sample(ctx, b.Subject(0))
	if err != nil {
		return nil, err
	}
	bare, err := serveBare(body, header)
	if err != nil {
		return nil, err
	}
	report := &Report{}
	err = errors.Join(b.alternate(ctx, report, single, b.load(bare.address, gets, 1)), bare.close())
	if err != nil {
		return nil, err
	}
	if report.Lines, err = b.load(b.Address, b.batches("text/plain", headers), b.Batch).Run(ctx); err != nil {
		return nil, fmt.Errorf("lines of text: %w", err)
	}
	if report.JSON, err = b.load(b.Address, b.batches("application/json", headers), b.Batch).Run(ctx); err != nil {
		return nil, fmt.Errorf("JSON: %w", err)
	}
	return report, nil
}

func (b *Bench) defaults() {
	if b.Connections == 0 {
		b.Connections = 32
	}
	if b.For == 0 {
		b.For = 3 * time.Second
	}
	if b.Batch == 0 {
		b.Batch = 1000
	}
}

// host is what the requests name; a server without keys answers to loopback names only.
func (b *Bench) host() string { return b.Address }

func (b *Bench) load(address string, requests [][]byte, subjects int) *Load {
	connections := b.Connections
	if subjects > 1 {
		connections = 4 // enough to keep two cores at work, and few enough for the bound on batches
	}
	return &Load{
		Address: address, Connections: connections, For: b.For, Subjects: subjects, Now: b.Now,
		Request: func(connection, n int) []byte { return requests[(connection*977+n)%len(requests)] },
	}
}

// alternate measures the server and the bare handler in turn.
func (b *Bench) alternate(ctx context.Context, r *Report, single, bare *Load) error {
	for range 2 {
		for _, m := range []struct {
			load *Load
			best *Result
		}{{bare, &r.Bare}, {single, &r.Single}} {
			got, err := m.load.Run(ctx)
			if err != nil {
				return err
			}
			if m.best.Requests == 0 || got.PerSecond() > m.best.PerSecond() {
				*m.best = got
			}
		}
	}
	return nil
}

// batches writes a few batches of different addresses.
func (b *Bench) batches(kind string, headers []string) [][]byte {
	headers = append([]string{"Content-Type: " + kind}, headers...)
	var out [][]byte
	for k := range 8 {
		var body []byte
		if kind == "application/json" {
			body = append(body, '[')
		}
		for i := range b.Batch {
			subject := b.Subject((k*b.Batch + i) % b.Known)
			switch {
			case kind == "text/plain":
				body = append(append(body, subject...), '\n')
			case i > 0:
				body = append(body, ',')
				fallthrough
			default:
				body = append(strconv.AppendQuote(append(body, `{"subject":`...), subject), '}')
			}
		}
		if kind == "application/json" {
			body = append(body, ']')
		}
		out = append(out, Post("/v1/screen", b.host(), body, headers...))
	}
	return out
}

// sample asks once, for the bare handler to answer the same.
func (b *Bench) sample(ctx context.Context, subject string) ([]byte, http.Header, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+b.Address+"/v1/screen?subject="+subject, nil)
	if err != nil {
		return nil, nil, err
	}
	if b.Key != "" {
		request.Header.Set("X-API-Key", b.Key)
	}
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	answer, err := (&http.Client{Transport: transport, Timeout: 10 * time.Second}).Do(request)
	if err != nil {
		return nil, nil, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("the server answered %s: %.300s", answer.Status, body)
	}
	return body, answer.Header, err
}

// bareServer answers the same bytes to everything.
type bareServer struct {
	address string
	web     *http.Server
	group   errgroup.Group
}

func serveBare(body []byte, header http.Header) (*bareServer, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it is closed by hand
	if err != nil {
		return nil, err
	}
	s := &bareServer{address: listener.Addr().String()}
	kind := header["Content-Type"]
	length := []string{strconv.Itoa(len(body))}
	s.web = &http.Server{ReadHeaderTimeout: 5 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		h := w.Header()
		h["Content-Type"], h["Content-Length"] = kind, length
		_, _ = w.Write(body)
	})}
	s.group.Go(func() error {
		if err := s.web.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	return s, nil
}

func (s *bareServer) close() error { return errors.Join(s.web.Close(), s.group.Wait()) }
