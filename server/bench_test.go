package server_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"coldtrail/screen/exposure"
	"coldtrail/server"
	"coldtrail/server/servertest"
)

var measure = flag.Bool("measure", false, "measure the server with a load from this machine")

// quick is a screening that costs what a look-up in memory costs: every subject is
// unlisted, and its verdict is written by hand.
type quick struct{ *view }

func (q quick) ScreenBytes(dst []byte, question *exposure.Question) ([]byte, exposure.Outcome) {
	dst = append(append(dst, `{"subject":"`...), question.Subject...)
	return append(dst, `","level":"unknown","outcome":"allow","score":0,"reasons":[{"code":"no-facts","outcome":"allow","fact":-1}],"facts":[]}`...), exposure.Allow
}

type quickScreening struct {
	*screening
	view quick
}

func (q *quickScreening) Now() server.View { return q.view }

// counting is an audit log that costs nothing, so that the server is measured.
type counting struct{}

func (c *counting) Append(*server.Record) (uint64, error) { return 12345678, nil }

// TestMeasure prints what the server does in a second, with -measure. It asserts nothing
// about time.
func TestMeasure(t *testing.T) {
	if !*measure {
		t.Skip("measures with -measure only")
	}
	w := start(t, func(o *server.Options, p *server.Parts) {
		p.Screening = &quickScreening{&screening{}, quick{newView(time.Now().Unix())}}
		p.Audit = &counting{}
		o.Rates = map[server.Class]server.Rate{server.ClassScreening: {PerSecond: 1e9, Burst: 1e9}}
	})
	random := rand.New(rand.NewPCG(1, 2))
	subjects := make([]string, 20_000)
	for i := range subjects {
		subjects[i] = fmt.Sprintf("0x%016x%016x%08x", random.Uint64(), random.Uint64(), random.Uint32())
	}
	bench := servertest.Bench{
		Address: strings.TrimPrefix(w.url, "http://"), Key: "ctk_viewer", Known: len(subjects), Now: time.Now, For: 3 * time.Second,
		Subject: func(n int) string { return subjects[n] },
	}
	report, err := bench.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	report.Print(os.Stdout)
}

// nowhere takes answers and forgets them.
type nowhere struct{ header http.Header }

func (n *nowhere) Header() http.Header         { return n.header }
func (n *nowhere) Write(b []byte) (int, error) { return len(b), nil }
func (n *nowhere) WriteHeader(int)             {}

// BenchmarkScreen is one question without the network: what the server adds to it.
func BenchmarkScreen(b *testing.B) {
	s, err := server.New(server.Options{Now: time.Now, Open: true, Rates: map[server.Class]server.Rate{server.ClassScreening: {PerSecond: 1e9, Burst: 1e9}}},
		server.Parts{Screening: &quickScreening{&screening{}, quick{newView(time.Now().Unix())}}, Audit: &counting{}})
	if err != nil {
		b.Fatal(err)
	}
	request := httptest.NewRequestWithContext(b.Context(), http.MethodGet, "/v1/screen?subject="+cleanAddress, nil)
	request.Host = "localhost"
	w := &nowhere{http.Header{}}
	b.ReportAllocs()
	for b.Loop() {
		clear(w.header)
		s.ServeHTTP(w, request)
	}
	if w.header.Get("Coldtrail-Audit") == "" {
		b.Fatal("it was not answered")
	}
}

// TestBench runs every measurement for a moment, and wants a load that is refused to be an
// error and no figure.
func TestBench(t *testing.T) {
	w := start(t)
	bench := servertest.Bench{
		Address: strings.TrimPrefix(w.url, "http://"), Key: "ctk_viewer", Known: 3, Now: time.Now, For: 100 * time.Millisecond, Connections: 2, Batch: 5,
		Subject: func(n int) string { return []string{cleanAddress, sanctionedAddress, bitcoinAddress}[n] },
	}
	report, err := bench.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for name, r := range map[string]servertest.Result{"single": report.Single, "bare": report.Bare, "lines": report.Lines, "JSON": report.JSON} {
		perRequest := 1
		if name == "lines" || name == "JSON" {
			perRequest = 5
		}
		if r.Requests == 0 || r.Subjects != perRequest*r.Requests || r.P50 > r.P99 || r.P99 > r.Worst || r.Bytes == 0 {
			t.Errorf("%s measured %+v", name, r)
		}
	}
	if n := w.audit.count(); n < report.Single.Requests+report.Lines.Requests {
		t.Errorf("%d answers are in the audit log", n)
	}
	bench.Key = "ctk_wrong"
	if _, err := bench.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "40") && !strings.Contains(err.Error(), "42") {
		t.Errorf("a load that is refused gave %v", err)
	}
}
