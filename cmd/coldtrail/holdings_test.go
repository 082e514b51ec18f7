package main_test

import (
	"encoding/csv"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

// founding is the table of the founding story, to the byte.
const founding = `Holdings as of 2025-03-17: balances at 2025-03-17T00:00:00Z, prices of 2025-03-18T00:00:00Z.

STATED HOLDINGS OF BTC
RANK  HOLDER                 BTC      USD                ABOUT    SHARE     EVIDENCE    BY      AS OF       SOURCES
1     United States          198,109  16,656,150,870.21  $16.7bn  0.9433 %  attributed  Arkham  2025-03-17  [1][2]
2     United Kingdom          61,245   5,149,215,634.05  $5.15bn  0.2916 %  attributed  Arkham  2025-03-17  [1]
3     North Korea (Lazarus)   13,562   1,140,234,507.78  $1.14bn  0.0645 %  attributed  Arkham  2025-03-17  [1][3]
4     Bhutan                  10,635     894,144,963.15  $894M    0.0506 %  attributed  Arkham  2025-03-17  [1][4]
5     El Salvador              6,117     514,290,995.73  $514M    0.0291 %  attributed  Arkham  2025-03-17  [1]
`

type heldAnswer struct {
	AsOf   string `json:"as_of"`
	Stated struct {
		Rows, Unranked, Besides []struct {
			Rank                         int
			Actor, Name, State, Quantity string
			Amount, Unranked             string
			Cents                        *string `json:"value_cents"`
			Numbers                      []int   `json:"source_numbers"`
			Also                         []struct{ Quantity, By string }
		}
		Price       *struct{ Source string }
		PriceNumber int `json:"price_source_number"`
	}
	Derived struct {
		Entities []struct {
			Rank             int
			Actor, Name      string
			Strict, Probable struct {
				USD string `json:"value_usd"`
			}
			Rows []struct {
				Address, Amount, Kind, Claim string
				Height                       uint64
			}
		}
		Changes []struct{ Day, Name, Event string }
	}
	Sources []struct{ ID, By, Title, Date string }
	Digest  string
}

// TestFoundingTable: an empty store prints the table of March 2025 ranked, valued and
// sourced, with what contradicts it and what is left out; a regulator can follow every
// figure to a source.
func TestFoundingTable(t *testing.T) {
	data := t.TempDir()
	text := must(t, "--data", data, "holdings", "--as-of", "2025-03-17")
	if !strings.HasPrefix(text, founding) {
		t.Errorf("%s\nwant it to begin with\n%s", text, founding)
	}
	for _, want := range []string{
		"China: 194,000 BTC", "Ukraine: 46,351 BTC", "without addresses", "also 13,518 BTC", "also 13,029 BTC", "also 6,089 BTC", "also 6,118 BTC",
		"13,702 ETH, USD unknown", "Days of volume: unknown", "of 20,999,999.9769 BTC", "No address that a label gives to an actor holds anything", "[5] Yahoo Finance",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in\n%s", want, text)
		}
	}
	got := parse[heldAnswer](t, must(t, "--data", filepath.Join(data, "missing"), "holdings", "--as-of", "2025-03-17", "--json"))
	if len(got.Stated.Rows) != 5 || got.Stated.Rows[2].Quantity != "13562" || got.Stated.Rows[2].Amount != "1356200000000" || *got.Stated.Rows[2].Cents != "114023450778" || got.Stated.Rows[2].State != "dprk" || got.Digest == "" {
		t.Fatalf("%+v", got.Stated.Rows)
	}
	for _, list := range [][]int{got.Stated.Rows[0].Numbers, got.Stated.Rows[4].Numbers, got.Stated.Unranked[0].Numbers, {got.Stated.PriceNumber}} {
		for _, n := range list {
			if n < 1 || n > len(got.Sources) || got.Sources[n-1].Title == "" || got.Sources[n-1].Date == "" {
				t.Errorf("source %d of %d", n, len(got.Sources))
			}
		}
	}
	ranks := map[string]int{}
	for _, row := range parse[heldAnswer](t, must(t, "--data", data, "holdings", "--as-of", "2025-03-17", "--json", "--all")).Stated.Rows {
		ranks[row.Name] = row.Rank
	}
	if ranks["North Korea (Lazarus)"] != 5 || ranks["China"] != 2 || ranks["Ukraine"] != 4 {
		t.Errorf("%v", ranks)
	}
	later := parse[heldAnswer](t, must(t, "--data", data, "holdings", "--as-of", "2025-03-20", "--json"))
	if later.Stated.Rows[2].Quantity != "13441" {
		t.Errorf("%+v", later.Stated.Rows[2])
	}
	if old := parse[heldAnswer](t, must(t, "--data", data, "holdings", "--as-of", "2024-01-01", "--json")); len(old.Stated.Rows) != 0 || old.Stated.Price != nil {
		t.Errorf("%+v", old.Stated)
	}
}

// TestHoldingsOfTheRealChain: the first address to pay another held 50 bitcoin on the
// morning of 12 January 2009 and 18 in the evening, by the blocks themselves.
func TestHoldingsOfTheRealChain(t *testing.T) {
	data, folder := t.TempDir(), t.TempDir()
	labels := filepath.Join(folder, "labels.csv")
	write(t, labels, "address,label,actor,chain,confidence\n12cbQLTFMXRnSzktFkuoG3eHoMeFtpTu3S,first payer,bhutan,bitcoin,ownership\n1Q2TWHE3GMdB6BZKafqwxXtWAWgFt5Jvm3,first payee,lazarus-group,bitcoin,authority_data\n")
	must(t, "--data", data, "ingest", "bitcoin", "--from", "blocks:"+realChain)
	must(t, "--data", data, "labels", "import", labels)
	prices := filepath.Join(folder, "p.csv")
	write(t, prices, "date,close\n2009-01-12,2.00\n2009-01-13,3.00\n")
	for day, want := range map[string]string{"2009-01-12": "100.00", "2009-01-13": "54.00"} {
		got := parse[heldAnswer](t, must(t, "--data", data, "holdings", "--as-of", day, "--prices", "bitcoin="+prices, "--json"))
		found := false
		for _, e := range got.Derived.Entities {
			if e.Actor == "bhutan" {
				found = e.Strict.USD == want && e.Probable.USD == want && e.Rows[0].Kind == "verified" && e.Rows[0].Claim != ""
			}
		}
		if !found {
			t.Errorf("%s: %+v, want %s", day, got.Derived.Entities, want)
		}
	}
	cluster := filepath.Join(folder, "cluster.csv")
	write(t, cluster, "address,label,actor,chain,confidence\n1DNdPgBZRWjDj1JbVZQEYMv7jvqJF7R4Py,one of five,ukraine,bitcoin,ownership\n")
	must(t, "--data", data, "labels", "import", cluster)
	clustered := must(t, "--data", data, "holdings", "--as-of", "2009-01-15", "--actor", "Ukraine", "--cluster", "--prices", "bitcoin="+prices)
	if !strings.Contains(clustered, "-     Ukraine  150.00        150.00               750.00        5") || !strings.Contains(clustered, "inferred: 4 addresses, USD 600.00") {
		t.Error(clustered)
	}
	feed := filepath.Join(folder, "events.xml")
	text := must(t, "--data", data, "holdings", "--since", "2009-01-09", "--as-of", "2009-01-13", "--rows", "--atom", feed, "--prices", "bitcoin="+prices)
	for _, want := range []string{"2009-01-10  Bhutan entered at rank 1", "2009-01-13  Democratic People's Republic of Korea entered at rank 2", "18 BTC", "10 BTC", "attributed 60"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in\n%s", want, text)
		}
	}
	out, err := os.ReadFile(feed)
	var parsed struct {
		Entries []struct {
			ID string `xml:"id"`
		} `xml:"entry"`
	}
	if err != nil || xml.Unmarshal(out, &parsed) != nil || len(parsed.Entries) != 2 || parsed.Entries[0].ID != "tag:coldtrail.invalid,2025:rank/derived/2009-01-13/dprk/entered" {
		t.Errorf("%v: %s", err, out)
	}
	rows, err := csv.NewReader(strings.NewReader(must(t, "--data", data, "holdings", "--as-of", "2009-01-13", "--csv"))).ReadAll()
	if err != nil || len(rows) != 3 || rows[1][7] != "1800000000" && rows[2][7] != "1800000000" {
		t.Errorf("%v, %v", rows, err)
	}
}

// TestHoldingsRefuse: what cannot be read is said, and where.
func TestHoldingsRefuse(t *testing.T) {
	data, folder := t.TempDir(), t.TempDir()
	bad := filepath.Join(folder, "bad.csv")
	write(t, bad, "date,close\n2025-03-17,abc\n")
	mustFail(t, "bad.csv:2: close", "--data", data, "holdings", "--prices", "bitcoin="+bad)
	mustFail(t, "no column says what is priced", "--data", data, "holdings", "--prices", bad)
	mustFail(t, "no day", "--data", data, "holdings", "--as-of", "yesterday")
	mustFail(t, "nobody is known", "--data", data, "holdings", "--actor", "Atlantis")
	own := filepath.Join(folder, "own.yaml")
	write(t, own, "stated:\n- {actor: a, name: A}\n")
	mustFail(t, "own.yaml: statement of A", "--data", data, "holdings", "--register", own)
	write(t, own, "sources:\n- {id: desk, by: a desk, title: memo, date: 2025-06-01}\nstated:\n- {actor: bhutan, name: Bhutan, asset: \"bip122:000000000019d6689c085ae165831e93/slip44:0\", quantity: \"14000\", as_of: 2025-06-01, by: a desk, kind: estimated, sources: [desk]}\n")
	text := must(t, "--data", data, "holdings", "--as-of", "2025-06-02", "--since", "2025-05-31", "--register", own)
	for _, want := range []string{"2025-06-01  Bhutan rose from rank 4 to 3: passed North Korea (Lazarus)", "Price: unknown", "14,000"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in\n%s", want, text)
		}
	}
}

// TestIncidents: thefts roll up to the state behind the group.
func TestIncidents(t *testing.T) {
	data := t.TempDir()
	text := must(t, "--data", data, "incidents", "--actor", "North Korea")
	for _, want := range []string{"bybit-2025", "401,346.768858404671846374 ETH", "4,502.9 BTC, USD 308,000,000", "harmony-2022", "by FBI, 2025-02-26", "dprk                           9"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in\n%s", want, text)
		}
	}
	got := parse[struct {
		Incidents []struct{ ID, Date string }
		Sources   []struct{ ID string }
	}](t, must(t, "--data", data, "incidents", "--json"))
	if len(got.Incidents) != 9 || got.Incidents[0].ID != "bybit-2025" || len(got.Sources) == 0 {
		t.Errorf("%+v", got)
	}
	if text = must(t, "assets"); !strings.Contains(text, "BTC  Bitcoin  native, 8 decimals") || !strings.Contains(text, "priced as eip155:1/slip44:60, 1 for 1") {
		t.Error(text)
	}
}

// TestPriceSource: a site is asked once, and its price values the table.
func TestPriceSource(t *testing.T) {
	var asked atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		fmt.Fprintf(w, `{"prices":[[%s000,90000.5,"1000"]]}`, r.URL.Query().Get("to"))
	}))
	defer server.Close()
	data, file := t.TempDir(), filepath.Join(t.TempDir(), "sources.yaml")
	write(t, file, "sources:\n- {name: a site, asset: bitcoin, url: \""+server.URL+"?to={to}\", format: json, rows: prices, time: \"0\", close: \"1\", volume: \"2\", unit: ms, stamps: close, bar: 1d, market: BTC-USD}\n")
	for range 2 {
		text := must(t, "--data", data, "holdings", "--as-of", "2025-03-17", "--price-source", file, "--sale", "10")
		for _, want := range []string{"1,220,586,781.00", "Price: USD 90,000.50 a BTC, BTC-USD, closed 2025-03-18T00:00:00Z, by a site", "also USD 84,075.69 by yahoo-btc-usd", "North Korea (Lazarus): 13.562000 days of the volume of a site; no figure for a sale: sigma needs 21 daily closes"} {
			if !strings.Contains(text, want) {
				t.Errorf("%q is missing in\n%s", want, text)
			}
		}
	}
	if asked.Load() != 1 {
		t.Errorf("asked %d times", asked.Load())
	}
}
