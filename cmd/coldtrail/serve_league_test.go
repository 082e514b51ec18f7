package main_test

import (
	"encoding/xml"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestServeLeague: the table of March 2025, actors and thefts over HTTP, as the commands
// print them.
func TestServeLeague(t *testing.T) {
	data := t.TempDir()
	closes := filepath.Join(t.TempDir(), "closes.csv")
	write(t, closes, "date,close_usd\n2025-03-17,1900.00\n")
	s := serve(t, "--data", data, "serve", "--open", "--prices", "ethereum="+closes)
	code, text := s.get("/v1/holdings?as_of=2025-03-17")
	report := parse[struct {
		Digest string
		Stated struct {
			Rows []struct {
				Name, Quantity string
				Rank           int
				USD            string `json:"value_usd"`
			}
			Besides []struct {
				Name, Symbol string
				USD          string `json:"value_usd"`
			}
		}
	}](t, text)
	var got []string
	for _, r := range report.Stated.Rows {
		got = append(got, r.Name+" "+r.Quantity+" "+r.USD)
	}
	want := []string{
		"United States 198109 16656150870.21", "United Kingdom 61245 5149215634.05", "North Korea (Lazarus) 13562 1140234507.78", "Bhutan 10635 894144963.15",
		"El Salvador 6117 514290995.73",
	}
	if code != 200 || !slices.Equal(got, want) {
		t.Errorf("%d: %q, want %q", code, got, want)
	}
	ether := slices.IndexFunc(report.Stated.Besides, func(r struct {
		Name, Symbol string
		USD          string `json:"value_usd"`
	},
	) bool {
		return r.Symbol == "ETH"
	})
	if ether < 0 || report.Stated.Besides[ether].USD != "26033800.00" { // 13,702 × 1,900
		t.Errorf("beside it %+v", report.Stated.Besides)
	}
	printed := parse[struct{ Digest string }](t, must(t, "--data", t.TempDir(), "--json", "holdings", "--as-of", "2025-03-17", "--prices", "ethereum="+closes))
	if report.Digest != printed.Digest {
		t.Errorf("the server's table has digest %s, the command's %s", report.Digest, printed.Digest)
	}
	for path, want := range map[string]int{
		"/v1/holdings?as_of=2025-3-17": 400, "/v1/holdings?asset=dogecoin": 400, "/v1/holdings?as_of=2025-03-17&actor=nobody": 404,
		"/v1/holdings?as_of=2025-03-17&actor=hidden%20cobra": 200, "/v1/incidents?actor=nobody": 404,
	} {
		if code, text := s.get(path); code != want {
			t.Errorf("%s: %d %s, want %d", path, code, text, want)
		}
	}
	thefts := parse[struct{ Items []struct{ ID string } }](t, body(s, "/v1/incidents?actor=dprk"))
	if len(thefts.Items) != 9 || thefts.Items[0].ID != "bybit-2025" {
		t.Errorf("the thefts are %+v", thefts)
	}
	actors := parse[struct {
		Items []struct {
			ID   string
			Line []string
		}
	}](t, body(s, "/v1/entities"))
	if !slices.ContainsFunc(actors.Items, func(a struct {
		ID   string
		Line []string
	},
	) bool {
		return a.ID == "lazarus-group" && slices.Equal(a.Line, []string{"lazarus-group", "reconnaissance-general-bureau", "dprk"})
	}) {
		t.Errorf("the actors are %+v", actors)
	}
	var feed struct {
		Entries []struct {
			Title string `xml:"title"`
		} `xml:"entry"`
	}
	if err := xml.Unmarshal([]byte(body(s, "/v1/incidents/feed")), &feed); err != nil || len(feed.Entries) != 9 || !strings.Contains(feed.Entries[0].Title+feed.Entries[8].Title, "Bybit") {
		t.Errorf("the feed is %+v (%v)", feed, err)
	}
}

// body is what is answered.
func body(s *served, path string) string {
	s.t.Helper()
	_, text := s.get(path)
	return text
}
