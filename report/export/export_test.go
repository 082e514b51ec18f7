package export_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"coldtrail/ledger"
	"coldtrail/report"
	"coldtrail/report/export"
	"coldtrail/report/reporttest"
	"coldtrail/trace"
)

// bad is text that spreadsheets, XML and terminals could take for more.
const bad = `=HYPERLINK("http://evil","x")&<script>` + "\u202e\x00"

// played is a laundering whose exchange has a hostile name.
var played = sync.OnceValues(func() (reporttest.Answer, error) {
	return reporttest.Replay(context.Background(), func(c *trace.Case) {
		c.Title = bad
		c.AttributedTo = trace.Attribution{Actor: "lazarus-group", By: "FBI", Source: "PSA", Date: "2025-02-26", Confidence: "high"}
		for i := range c.Labels {
			if c.Labels[i].Entity == "an exchange" {
				c.Labels[i].Entity = bad
			}
		}
	})
})

func build(t *testing.T) *report.Report {
	t.Helper()
	a, err := played()
	if err != nil {
		t.Fatal(err)
	}
	r, err := report.Build(a.Cases, a.Result, report.Options{Unit: reporttest.Unit, Analyst: "Ann"})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// files writes a format.
func files(t *testing.T, name string, r *report.Report, o *export.Options) map[string][]byte {
	t.Helper()
	f, err := export.Named(name)
	if err != nil {
		t.Fatal(err)
	}
	list, err := f.Files(r, o)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]byte{}
	for i := range list {
		var text bytes.Buffer
		if err := list[i].Write(&text); err != nil {
			t.Fatalf("%s: %v", list[i].Name, err)
		}
		out[list[i].Name] = text.Bytes()
	}
	return out
}

// sums adds up decimal strings by key.
type sums map[string]*ledger.Amount

func (s sums) add(t *testing.T, key, amount string) {
	t.Helper()
	a, err := ledger.ParseAmount(amount)
	if err != nil {
		t.Fatal(err)
	}
	if s[key] == nil {
		s[key] = new(ledger.Amount)
	}
	s[key].Add(s[key], &a)
}

func (s sums) compare(t *testing.T, what string, want sums) {
	t.Helper()
	if len(s) != len(want) || len(want) == 0 {
		t.Errorf("%s: %d sums, want %d", what, len(s), len(want))
	}
	for key, sum := range want {
		if s[key] == nil || !s[key].Eq(sum) {
			t.Errorf("%s: %s comes to %v, want %s", what, key, s[key], sum.Dec())
		}
	}
}

// endSums adds up the ends of all flows by asset, colour and side.
func endSums(t *testing.T, r *report.Report) (s sums, ends int) {
	t.Helper()
	s = sums{}
	for i := range r.Flows {
		for _, e := range r.Flows[i].From {
			s.add(t, "from "+e.Asset+" "+e.Colour, e.Amount)
			ends++
		}
		for _, e := range r.Flows[i].To {
			s.add(t, "to "+e.Asset+" "+e.Colour, e.Amount)
			ends++
		}
	}
	return s, ends
}

// table reads a CSV into maps.
func table(t *testing.T, text []byte) (rows []map[string]string) {
	t.Helper()
	all, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range all[1:] {
		row := map[string]string{}
		for i, cell := range line {
			row[all[0][i]] = cell
			if strings.ContainsAny(cell[:min(1, len(cell))], "=+-@\t\r") {
				t.Errorf("%s: the cell %q is a formula", all[0][i], cell)
			}
		}
		rows = append(rows, row)
	}
	return rows
}

// TestCSV reads the tables back: origins come to what was stolen, movements are all there,
// and what is asked of services is what ended there.
func TestCSV(t *testing.T) {
	r := build(t)
	out := files(t, "csv", r, &export.Options{})
	got, want := sums{}, sums{}
	for _, row := range table(t, out["dispositions.csv"]) {
		got.add(t, row["colour"], row["origin"])
	}
	for _, c := range r.Result.Colours {
		want.add(t, c.Colour, c.Stolen)
	}
	got.compare(t, "origins", want)

	want, ends := endSums(t, r)
	got = sums{}
	rows := table(t, out["flows.csv"])
	for _, row := range rows {
		got.add(t, row["side"]+" "+row["asset"]+" "+row["colour"], row["amount"])
	}
	got.compare(t, "movements", want)
	if len(rows) != ends {
		t.Errorf("%d rows of movements, want %d", len(rows), ends)
	}

	got, want = sums{}, sums{}
	for _, row := range table(t, out["requests.csv"]) {
		got.add(t, row["ask"]+" "+row["asset"], row["amount"])
		if row["ask"] == "freeze" && !strings.HasPrefix(row["service"], `'=HYPERLINK`) {
			t.Errorf("the service is written %q", row["service"])
		}
	}
	for _, d := range r.Result.Dispositions {
		switch {
		case d.Kind == "service":
			want.add(t, "freeze "+d.Asset, d.Amount)
		case d.Kind == "dark" && d.Entity != "":
			want.add(t, "information "+d.Asset, d.Amount)
		}
	}
	got.compare(t, "requests", want)
	if rows := table(t, out["crossings.csv"]); len(rows) < len(r.Result.Crossings) {
		t.Errorf("%d rows of crossings, want at least %d", len(rows), len(r.Result.Crossings))
	}
}

// TestCSVDecimals writes satoshi with a point.
func TestCSVDecimals(t *testing.T) {
	for _, row := range table(t, files(t, "csv", build(t), &export.Options{})["dispositions.csv"]) {
		if row["unit"] == "BTC" {
			whole, rest, _ := strings.Cut(row["amount_decimal"], ".")
			if got := strings.TrimLeft(whole+rest+strings.Repeat("0", 8-len(rest)), "0"); got != row["amount"] {
				t.Fatalf("%s satoshi are written %s", row["amount"], row["amount_decimal"])
			}
		}
	}
}

// graphML and gexf are what the tests read of the two formats.
type graphML struct {
	Keys []struct {
		ID   string `xml:"id,attr"`
		Name string `xml:"attr.name,attr"`
		Type string `xml:"attr.type,attr"`
		For  string `xml:"for,attr"`
	} `xml:"key"`
	Nodes []struct {
		ID string `xml:"id,attr"`
	} `xml:"graph>node"`
	Edges []struct {
		Source string `xml:"source,attr"`
		Target string `xml:"target,attr"`
		Data   []struct {
			Key   string `xml:"key,attr"`
			Value string `xml:",chardata"`
		} `xml:"data"`
	} `xml:"graph>edge"`
}

type gexf struct {
	XMLName xml.Name `xml:"http://gexf.net/1.3 gexf"`
	Version string   `xml:"version,attr"`
	Classes []struct {
		Class string `xml:"class,attr"`
		Keys  []struct {
			ID    string `xml:"id,attr"`
			Title string `xml:"title,attr"`
			Type  string `xml:"type,attr"`
		} `xml:"attribute"`
	} `xml:"graph>attributes"`
	Nodes []struct {
		ID string `xml:"id,attr"`
	} `xml:"graph>nodes>node"`
	Edges []struct {
		Source string `xml:"source,attr"`
		Target string `xml:"target,attr"`
		Values []struct {
			For   string `xml:"for,attr"`
			Value string `xml:"value,attr"`
		} `xml:"attvalues>attvalue"`
	} `xml:"graph>edges>edge"`
}

// drawn is an edge of either format, and which nodes are transactions.
type drawn struct {
	source, target string
	values         map[string]string
}

// checkGraph compares a graph with the movements: an edge for each end, sums equal, every
// end tied to a node that is there.
func checkGraph(t *testing.T, what string, r *report.Report, nodes []string, edges []drawn) {
	t.Helper()
	known, origins := map[string]bool{}, map[string]bool{}
	for _, id := range nodes {
		if known[id] {
			t.Errorf("%s: the node %s stands twice", what, id)
		}
		known[id] = true
	}
	want, ends := endSums(t, r)
	if len(edges) != ends {
		t.Errorf("%s: %d edges, want %d", what, len(edges), ends)
	}
	both := sums{}
	for key, sum := range want {
		_, rest, _ := strings.Cut(key, " ")
		both.add(t, rest, sum.Dec())
	}
	got := sums{}
	for _, e := range edges {
		if !known[e.source] || !known[e.target] || e.source == e.target {
			t.Errorf("%s: an edge from %s to %s", what, e.source, e.target)
		}
		got.add(t, e.values["asset"]+" "+e.values["colour"], e.values["amount"])
		origins[e.values["origin"]] = true
		if mark := map[bool]string{true: "fact", false: "inference"}[e.values["certainty_bp"] == "10000"]; e.values["mark"] != mark {
			t.Errorf("%s: certainty %s is marked %s", what, e.values["certainty_bp"], e.values["mark"])
		}
	}
	got.compare(t, what, both)
	if len(origins) < 100 {
		t.Errorf("%s: %d different origins", what, len(origins))
	}
}

// TestGraphML reads the graph back.
func TestGraphML(t *testing.T) {
	r := build(t)
	var g graphML
	if err := xml.Unmarshal(files(t, "graphml", r, &export.Options{})["movements.graphml"], &g); err != nil {
		t.Fatal(err)
	}
	names := map[string]string{}
	for _, k := range g.Keys {
		names[k.ID] = k.Name
		if (k.Name == "amount" || k.Name == "origin") && k.Type != "string" {
			t.Errorf("%s is a %s, which cannot hold it", k.Name, k.Type)
		}
	}
	nodes := make([]string, len(g.Nodes))
	for i := range g.Nodes {
		nodes[i] = g.Nodes[i].ID
	}
	var edges []drawn
	for _, e := range g.Edges {
		d := drawn{e.Source, e.Target, map[string]string{}}
		for _, v := range e.Data {
			d.values[names[v.Key]] = v.Value
		}
		edges = append(edges, d)
	}
	checkGraph(t, "graphml", r, nodes, edges)
}

// TestGEXF reads the graph back.
func TestGEXF(t *testing.T) {
	r := build(t)
	var g gexf
	if err := xml.Unmarshal(files(t, "gexf", r, &export.Options{})["movements.gexf"], &g); err != nil {
		t.Fatal(err)
	}
	names := map[string]string{}
	for _, c := range g.Classes {
		for _, k := range c.Keys {
			names[k.ID] = k.Title
			if !slices.Contains([]string{"string", "long", "integer"}, k.Type) {
				t.Errorf("%s has the type %s, which GEXF 1.3 does not know", k.Title, k.Type)
			}
		}
	}
	if g.Version != "1.3" || len(g.Classes) != 2 {
		t.Errorf("version %s with %d classes of attributes", g.Version, len(g.Classes))
	}
	nodes := make([]string, len(g.Nodes))
	for i := range g.Nodes {
		nodes[i] = g.Nodes[i].ID
	}
	var edges []drawn
	for _, e := range g.Edges {
		d := drawn{e.Source, e.Target, map[string]string{}}
		for _, v := range e.Values {
			d.values[names[v.For]] = v.Value
		}
		edges = append(edges, d)
	}
	checkGraph(t, "gexf", r, nodes, edges)
}

// TestSTIX reads the bundle back: identifiers are of their type and unique, every
// reference is there, everything is marked, and the judgement of who did it is one.
func TestSTIX(t *testing.T) {
	r := build(t)
	var b struct {
		Type    string           `json:"type"`
		Objects []map[string]any `json:"objects"`
	}
	if err := json.Unmarshal(files(t, "stix", r, &export.Options{TLP: "green"})["stix.json"], &b); err != nil {
		t.Fatal(err)
	}
	id := regexp.MustCompile(`^([a-z-]+)--[0-9a-f]{8}-[0-9a-f]{4}-[1-5][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	kinds, known := map[string]int{}, map[string]bool{}
	wallets := map[string]bool{}
	for _, o := range b.Objects {
		name, _ := o["id"].(string)
		if m := id.FindStringSubmatch(name); m == nil || m[1] != o["type"] || known[name] {
			t.Errorf("identifier %q of a %v", name, o["type"])
		}
		known[name] = true
		kinds[o["type"].(string)]++
		if o["type"] == "cryptocurrency-wallet" {
			wallets[o["value"].(string)] = true
		}
		if o["spec_version"] != "2.1" {
			t.Errorf("%s is of version %v", name, o["spec_version"])
		}
	}
	green := "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da"
	for _, o := range b.Objects {
		for key, value := range o {
			var refs []any
			switch {
			case strings.HasSuffix(key, "_ref"):
				refs = []any{value}
			case strings.HasSuffix(key, "_refs"):
				refs, _ = value.([]any)
			}
			for _, ref := range refs {
				if !known[ref.(string)] {
					t.Errorf("%v refers to %v, which is not there", o["id"], ref)
				}
			}
		}
		if marks, _ := o["object_marking_refs"].([]any); o["type"] != "marking-definition" && (len(marks) != 1 || marks[0] != green) {
			t.Errorf("%v is marked %v", o["id"], marks)
		}
		if o["type"] == "relationship" && o["relationship_type"] == "attributed-to" && strings.HasPrefix(o["target_ref"].(string), "intrusion-set") {
			if o["confidence"] != 85.0 || o["description"] != "judgement of FBI PSA 2025-02-26" {
				t.Errorf("attribution %v", o)
			}
		}
	}
	want := map[string]bool{}
	for _, d := range r.Result.Dispositions {
		if d.Address != "" {
			want[d.Address] = true
		}
	}
	for address := range want {
		if !wallets[address] {
			t.Errorf("no wallet for %s", address)
		}
	}
	for kind, least := range map[string]int{"report": 1, "campaign": 1, "intrusion-set": 1, "relationship": 100, "identity": 4} {
		if kinds[kind] < least {
			t.Errorf("%d objects of type %s, want at least %d: %v", kinds[kind], kind, least, kinds)
		}
	}
}

// TestMISP reads the event back: one object of the template for each address.
func TestMISP(t *testing.T) {
	r := build(t)
	var e struct {
		Event struct {
			Info   string              `json:"info"`
			Date   string              `json:"date"`
			Tag    []map[string]string `json:"Tag"`
			Object []map[string]any    `json:"Object"`
		} `json:"Event"`
	}
	if err := json.Unmarshal(files(t, "misp", r, &export.Options{})["misp.json"], &e); err != nil {
		t.Fatal(err)
	}
	got, uuids := map[string]bool{}, map[string]bool{}
	for _, o := range e.Event.Object {
		if o["template_uuid"] != "d0e6997e-78da-4815-a6a1-cfc1c1cb8a46" || o["template_version"] != "7" || o["name"] != "coin-address" {
			t.Errorf("object %v", o)
		}
		uuids[o["uuid"].(string)] = true
		relations := map[string]string{}
		for _, a := range o["Attribute"].([]any) {
			a := a.(map[string]any)
			relations[a["object_relation"].(string)] = a["value"].(string)
		}
		address := relations["address"] + relations["address-crypto"]
		got[address] = true
		if relations["first-seen"] == "" || relations["last-seen"] < relations["first-seen"] || relations["text"] == "" {
			t.Errorf("%s: %v", address, relations)
		}
	}
	want := map[string]bool{}
	for _, d := range r.Result.Dispositions {
		if d.Address != "" && !slices.Contains([]string{"fee", "burned", "rounding"}, d.Kind) {
			want[d.Address] = true
		}
	}
	if !maps.Equal(got, want) || len(uuids) != len(want) {
		t.Errorf("%d addresses with %d identifiers, want %d", len(got), len(uuids), len(want))
	}
	last := ""
	for _, d := range r.Result.Dispositions {
		if want[d.Address] {
			last = max(last, d.Last)
		}
	}
	if e.Event.Tag[0]["name"] != "tlp:amber" || e.Event.Date != last[:10] {
		t.Errorf("event %v of %s, want tlp:amber of %s", e.Event.Tag, e.Event.Date, last)
	}
}

// TestSameBytes writes every format twice.
func TestSameBytes(t *testing.T) {
	for _, f := range export.Formats {
		a, b := files(t, f.Name, build(t), &export.Options{}), files(t, f.Name, build(t), &export.Options{})
		for name, text := range a {
			if !bytes.Equal(text, b[name]) {
				t.Errorf("%s differs", name)
			}
		}
	}
}

// TestNames: names of files are no paths, whatever a service is called.
func TestNames(t *testing.T) {
	for _, name := range slices.Sorted(maps.Keys(files(t, "html", build(t), &export.Options{}))) {
		if !regexp.MustCompile(`^[a-z0-9-]+\.html$`).MatchString(name) {
			t.Errorf("a file is called %q", name)
		}
	}
	if _, err := export.Named("docx"); err == nil || !strings.Contains(err.Error(), "html, csv, graphml") {
		t.Errorf("an unknown format: %v", err)
	}
}

// TestTLP refuses words that are no marking.
func TestTLP(t *testing.T) {
	for _, f := range []*export.Format{export.STIX, export.MISP} {
		list, err := f.Files(build(t), &export.Options{TLP: "purple"})
		if err == nil {
			err = list[0].Write(&bytes.Buffer{})
		}
		if err == nil || !strings.Contains(err.Error(), "use clear, green, amber or red") {
			t.Errorf("%s: %v", f.Name, err)
		}
	}
}
