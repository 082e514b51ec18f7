package remote_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"coldtrail/ledger"
	"coldtrail/price/remote"
)

const later = 1_800_000_000

func sources(t *testing.T, text string) []remote.Source {
	t.Helper()
	list, err := remote.Parse("sources.yaml", strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func options(t *testing.T) remote.Options {
	t.Helper()
	return remote.Options{Folder: t.TempDir(), Now: func() time.Time { return time.Unix(later, 0) }, Log: func(string) {}, Patience: time.Millisecond}
}

func config(url, more string) string {
	return fmt.Sprintf("sources:\n- {name: a site, asset: bitcoin, url: %q, format: json, market: BTC-USD, bar: 1d, %s}\n", url, more)
}

// TestFetch asks a server in the shapes that sites have, and asks about the past once.
func TestFetch(t *testing.T) {
	var asked atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		switch r.URL.Path {
		case "/lists":
			fmt.Fprintf(w, `{"data":{"prices":[[%s000,84075.69,"12.5"]]}}`, r.URL.Query().Get("from"))
		case "/objects":
			fmt.Fprintf(w, `[{"day":%q,"c":"84075.123456789"}]`, r.URL.Query().Get("day"))
		default:
			fmt.Fprint(w, "date,close\n2025-03-17,84075.69\n")
		}
	}))
	defer server.Close()
	const from, to = 1_742_169_600, 1_742_256_000
	lists := sources(t, config(server.URL+"/lists?from={from}", "rows: data.prices, time: \"0\", close: \"1\", volume: \"2\", unit: ms, stamps: open"))
	objects := sources(t, config(server.URL+"/objects?day={from_day}", "time: day, close: c, unit: day, stamps: open, cut: true"))
	table := sources(t, "sources:\n- {name: a site, asset: bitcoin, url: \""+server.URL+"/table\", format: csv}\n")
	o := options(t)
	for name, s := range map[string]remote.Source{"lists": lists[0], "objects": objects[0], "table": table[0]} {
		before := asked.Load()
		for range 2 {
			got, err := s.Fetch(t.Context(), from, to, o)
			if err != nil || len(got) != 1 {
				t.Fatalf("%s: %v, %v", name, got, err)
			}
			if q := got[0]; q.Asset != ledger.Bitcoin.Native() || q.Close != to || q.Source != "a site" || q.Every != 86400 || q.Value/1_000_000 != 8_407_569 && q.Value != 8_407_512_345_678 {
				t.Errorf("%s: %+v", name, q)
			}
			if q := got[0]; name == "lists" && (q.Volume == nil || *q.Volume != 1_250_000_000 || q.Market != "BTC-USD") {
				t.Errorf("%+v", q)
			}
		}
		if n := asked.Load() - before; n != 1 {
			t.Errorf("%s: asked %d times", name, n)
		}
	}
	// A bar that may not have closed yet is asked for again.
	before := asked.Load()
	for range 2 {
		if _, err := lists[0].Fetch(t.Context(), later-86400, later, o); err != nil {
			t.Fatal(err)
		}
	}
	if n := asked.Load() - before; n != 2 {
		t.Errorf("the present was asked for %d times", n)
	}
}

// TestHostile: an answer that cannot be read is an error with its place, and is not kept.
func TestHostile(t *testing.T) {
	var answer atomic.Value
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, answer.Load()) }))
	defer server.Close()
	s := sources(t, config(server.URL, "rows: p, time: \"0\", close: \"1\", unit: s, stamps: close"))[0]
	o := options(t)
	for text, want := range map[string]string{
		"":                                    "no JSON",
		"<html>":                              "no JSON",
		`{"p":[[1,2]`:                         "no JSON",
		`{"q":[]}`:                            `nothing is at "p"`,
		`{"p":{}}`:                            "there is no list, but object",
		`{"p":[[1]]}`:                         `row 1: close: nothing is at "1"`,
		`{"p":[[1,2],[1,null]]}`:              "row 2: close: there is no number or text, but null",
		`{"p":[[1,0]]}`:                       "row 1: close: a price of 0",
		`{"p":[[1,-5]]}`:                      "row 1: close: ",
		`{"p":[[1,1e9]]}`:                     "row 1: close: ",
		`{"p":[[1,0.123456789]]}`:             "more than 8 decimals",
		`{"p":[[0,5]]}`:                       "row 1: time: ",
		`{"p":[[99999999999999,5]]}`:          "is the unit right",
		`{"p":[["noon",5]]}`:                  `row 1: time: "noon"`,
		`{"p":[` + strings.Repeat("[", 20000): "no JSON",
	} {
		answer.Store(text)
		if _, err := s.Fetch(t.Context(), 1, 2, o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: %v, want %s", text, err, want)
		}
	}
	if kept, _ := os.ReadDir(o.Folder); len(kept) != 0 {
		t.Errorf("%d answers were kept", len(kept))
	}
}

// TestRefusal: a server that only fails is an error that says what it did.
func TestRefusal(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) }))
	defer server.Close()
	s := sources(t, config(server.URL, "time: t, close: c, unit: s, stamps: close"))[0]
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if got, err := s.Fetch(ctx, 1, 2, options(t)); err == nil || !strings.Contains(err.Error(), "prices of a site") {
		t.Errorf("%v, %v", got, err)
	}
}

// TestConfig names what is missing.
func TestConfig(t *testing.T) {
	for text, want := range map[string]string{
		"":                 "sources.yaml: EOF",
		"sources: []":      "no sources",
		"other: 1":         "field other not found",
		config("", "x: 1"): "field x not found",
		config("", "time: t, close: c, unit: s, stamps: close"):                                             "want a name and a url",
		config("http://x", "close: c, unit: s, stamps: close"):                                              "want time and close",
		config("http://x", "time: t, close: c, unit: h, stamps: close"):                                     "unit: ",
		config("http://x", "time: t, close: c, unit: s"):                                                    "stamps: ",
		strings.Replace(config("http://x", "time: t"), "json", "xml", 1):                                    "format: ",
		strings.Replace(config("http://x", "time: t"), "bitcoin", "dogcoin", 1):                             "asset: ",
		strings.Replace(config("http://x", "time: t, close: c, unit: s, stamps: open"), "bar: 1d, ", "", 1): "bar: ",
	} {
		if _, err := remote.Parse("sources.yaml", strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}
