package main_test

import (
	"archive/zip"
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// deskJob is a job as the server tells of it.
type deskJob struct {
	ID, Kind, Case, State, Error string
	Done, Total                  uint64
	Result                       *struct {
		Name  string
		Media string `json:"media_type"`
		Bytes int
	}
}

// place is where value of a case is.
type deskPlace struct {
	Colour, Kind, At, Entity, Amount, Origin string
	Act, Who, Why                            string
	Source                                   *struct{ By, Claim string }
}

// deskPage is a page of places, of movements or of what could be frozen.
type deskPage struct {
	Digest, Next string
	Current      bool
	Total        int
	Items        []deskPlace
	Origins      []struct{ Colour, Origin string }
}

// listed is the claim of a list about an address that stolen ether reached.
const listed = "address,network,label,category,by,confidence\n" + reached + ",ethereum,Example Exchange,exchange,Lister,web_crawl\n"

// deskServer serves the theft from Bybit, as a case of the casebook, with a label.
func deskServer(t *testing.T) (s *served, data string) {
	t.Helper()
	data = bybitStore(t)
	list := filepath.Join(t.TempDir(), "list.csv")
	write(t, list, listed)
	must(t, "--data", data, "labels", "import", list)
	must(t, "--data", data, "cases", "add", bybit+"/case.yaml")
	return serve(t, "--data", data, "serve", "--open"), data
}

// asked asks until the answer is there, which a trace makes wait.
func (s *served) asked(path string) string {
	s.t.Helper()
	text := ""
	s.wait("an answer to "+path, func() bool {
		code := 0
		if code, text = s.get(path); code != http.StatusOK && code != http.StatusAccepted {
			s.t.Fatalf("%s: %d %s", path, code, text)
		}
		return code == http.StatusOK
	})
	return text
}

// made starts a job, waits for its end and fetches what it made.
func (s *served) made(body string) (deskJob, string) {
	s.t.Helper()
	r, err := http.Post(s.url+"/v1/jobs", "application/json", strings.NewReader(body)) //nolint:noctx // a test
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = r.Body.Close() }()
	if r.StatusCode != http.StatusAccepted {
		s.t.Fatalf("%s: %d", body, r.StatusCode)
	}
	var j deskJob
	s.wait("the end of "+body, func() bool {
		_, text := s.get(r.Header.Get("Location"))
		j = parse[deskJob](s.t, text)
		return j.State == "done" || j.State == "failed"
	})
	if j.Result == nil {
		return j, ""
	}
	code, text := s.get("/v1/jobs/" + j.ID + "/result")
	if code != http.StatusOK || len(text) != j.Result.Bytes {
		s.t.Fatalf("the result of %s: %d, %d bytes of %d", body, code, len(text), j.Result.Bytes)
	}
	return j, text
}

// TestServeDesk: what the server says of a case is what the command prints, byte for byte,
// now and as of a day, by every method.
func TestServeDesk(t *testing.T) {
	s, data := deskServer(t)
	printed := map[string]string{}
	for _, method := range []string{"fifo", "haircut", "lifo", "poison", "seniority", "tiho"} {
		got := s.asked("/v1/cases/bybit-2025/trace?method=" + method)
		printed[method] = got
		defer func() { // the store is one process's
			if want := must(t, "--data", data, "--json", "trace", "--method", method, bybit+"/case.yaml"); got != want {
				t.Errorf("%s: the server's trace differs from the command's:\n%.300s\n%.300s", method, got, want)
			}
		}()
	}
	day := s.asked("/v1/cases/bybit-2025/trace?as_of=2025-02-21T15:00:00Z")
	defer func() {
		if want := must(t, "--data", data, "--json", "trace", "--as-of", "2025-02-21T15:00:00Z", bybit+"/case.yaml"); day != want || day == printed["fifo"] {
			t.Errorf("as of a moment the server's trace differs from the command's")
		}
	}()
	defer s.stop()
	fifo := parse[deskPage](t, printed["fifo"])
	summary := parse[struct {
		Title, Digest, Method, First, Last string
		Current                            bool
		Revision                           int64
		Colours                            []struct {
			Colour, Stolen string
			Traceable      *uint64 `json:"traceable_bp"`
			Kinds          []struct{ Kind, Origin string }
		}
		Counts map[string]int
	}](t, s.asked("/v1/cases/bybit-2025/summary"))
	if summary.Digest != fifo.Digest || !summary.Current || summary.Revision != 1 || summary.Method != "fifo" || summary.First > summary.Last || len(summary.Colours) != 4 || summary.Counts["flows"] == 0 {
		t.Errorf("the summary is %+v", summary)
	}
	services := 0
	for _, c := range summary.Colours {
		if c.Traceable == nil || *c.Traceable != 10000 {
			t.Errorf("of %s %v is traceable", c.Colour, c.Traceable)
		}
		for _, k := range c.Kinds {
			if k.Kind == "service" {
				services++
			}
		}
	}
	if services == 0 {
		t.Error("nothing reached the labelled service")
	}
	poison := s.asked("/v1/cases/bybit-2025/summary?method=poison")
	if strings.Contains(poison, "traceable_bp") || !strings.Contains(poison, `"note":"an upper bound`) {
		t.Errorf("by poison the summary claims origins: %s", poison)
	}
	for path, want := range map[string]int{
		"/v1/cases/none/summary": 404, "/v1/cases/bybit-2025/places?sort=beauty": 400, "/v1/cases/bybit-2025/places?least=much": 400, "/v1/cases/bybit-2025/places?order=up": 400,
		"/v1/cases/bybit-2025/summary?as_of=2009-01-01": 409,
	} {
		if code, text := s.get(path); code != want {
			t.Errorf("%s answered %d: %s", path, code, text)
		}
	}
	s.checkPlaces(fifo.Digest)
}

// checkPlaces walks the places of the case in pages of 7, and looks at what filters leave.
func (s *served) checkPlaces(digest string) {
	s.t.Helper()
	var seen []string
	first := deskPage{}
	for cursor := ""; ; {
		page := parse[deskPage](s.t, s.asked("/v1/cases/bybit-2025/places?limit=7"+cursor))
		if first.Digest == "" {
			first = page
		}
		for _, p := range page.Items {
			seen = append(seen, p.Colour+" "+p.Kind+" "+p.At)
		}
		if page.Digest != digest || page.Next == "" {
			break
		}
		cursor = "&cursor=" + page.Next
	}
	slices.Sort(seen)
	if n := len(seen); n != first.Total || len(slices.Compact(seen)) != n || n < 45 {
		s.t.Errorf("walked %d places of %d", n, first.Total)
	}
	all := parse[struct {
		Colours []struct{ Colour, Stolen string }
	}](s.t, s.asked("/v1/cases/bybit-2025/trace"))
	for i, c := range all.Colours {
		if first.Origins[i].Colour != c.Colour || first.Origins[i].Origin != c.Stolen {
			s.t.Errorf("the places of %s add up to %+v, stolen was %s", c.Colour, first.Origins[i], c.Stolen)
		}
	}
	if code, text := s.get("/v1/cases/bybit-2025/places?method=lifo&cursor=" + first.Next); code != http.StatusGone {
		s.t.Errorf("a cursor of another trace: %d %s", code, text)
	}
	one := parse[deskPage](s.t, s.asked("/v1/cases/bybit-2025/places?q="+strings.ToUpper(reached[2:])))
	if one.Total != 1 || one.Items[0].Entity != "Example Exchange" || one.Items[0].Amount != "10000000000000000000000" {
		s.t.Errorf("found by its address: %+v", one)
	}
	frozen := parse[deskPage](s.t, s.asked("/v1/cases/bybit-2025/freezelist"))
	if frozen.Total != 1 || frozen.Items[0].Act != "service" || frozen.Items[0].Who != "Example Exchange" || frozen.Items[0].Source == nil || frozen.Items[0].Source.By != "Lister" {
		s.t.Errorf("what could be frozen is %+v", frozen)
	}
	flows := parse[struct {
		Total int
		Items []struct{ Tx, Time string }
	}](s.t, s.asked("/v1/cases/bybit-2025/flows?at="+reached))
	if flows.Total != 1 || len(flows.Items) != 1 || flows.Items[0].Time < "2025-02-21" {
		s.t.Errorf("to the service moved %+v", flows)
	}
	methods := parse[struct {
		Methods []struct{ Method, Digest string }
		Items   []struct {
			Origins map[string]string
			Spread  string
			Poison  string
		}
		Total int
	}](s.t, s.asked("/v1/cases/bybit-2025/methods"))
	if len(methods.Methods) != 6 || methods.Methods[0].Digest != digest || methods.Total < first.Total || len(methods.Items[0].Origins) != 5 || methods.Items[0].Spread == "0" {
		s.t.Errorf("the methods differ so: %+v", methods)
	}
}

// TestServeJobs: the bundle is the command's and verifies, the report is the command's, and
// a job that fails says why.
func TestServeJobs(t *testing.T) {
	s, data := deskServer(t)
	traced, _ := s.made(`{"kind":"trace","case":"bybit-2025","method":"lifo"}`)
	if traced.State != "done" || traced.Result != nil {
		t.Errorf("a trace ended as %+v", traced)
	}
	if code, _ := s.get("/v1/jobs/" + traced.ID + "/result"); code != http.StatusConflict {
		t.Errorf("the file of a trace: %d", code)
	}
	if code, _ := s.get("/v1/cases/bybit-2025/summary?method=lifo&wait=0"); code != http.StatusOK {
		t.Errorf("after its job the trace is not there: %d", code)
	}
	bundle, packed := s.made(`{"kind":"evidence","case":"bybit-2025"}`)
	for _, j := range []deskJob{traced, bundle} {
		if j.Total == 0 || j.Done != j.Total {
			t.Errorf("how far it came was not told: %+v", j)
		}
	}
	page, html := s.made(`{"kind":"report","case":"bybit-2025","formats":["graphml"],"analyst":"A. Analyst"}`)
	several, archive := s.made(`{"kind":"report","case":"bybit-2025","formats":["html","csv","stix"]}`)
	failed, _ := s.made(`{"kind":"evidence","case":"bybit-2025","as_of":"2009-01-01"}`)
	if failed.State != "failed" || failed.Error == "" {
		t.Errorf("evidence of before the theft: %+v", failed)
	}
	for body, want := range map[string]int{`{"kind":"report","case":"bybit-2025","formats":["docx"]}`: 400, `{"kind":"report","case":"none"}`: 404, `{"kind":"trace","case":"bybit-2025","method":"luck"}`: 400} {
		if code := post(t, s.url+"/v1/jobs", body); code != want {
			t.Errorf("%s: %d, want %d", body, code, want)
		}
	}
	s.stop()
	folder := t.TempDir()
	mine, theirs := filepath.Join(folder, "mine.zip"), filepath.Join(folder, "theirs.zip")
	must(t, "--data", data, "evidence", bybit+"/case.yaml", "--out", theirs)
	if want := readFile(t, theirs); bundle.Result.Name != "bybit-2025-evidence.zip" || packed != want {
		t.Errorf("the bundle %s differs from the command's: %d bytes, %d", bundle.Result.Name, len(packed), len(want))
	}
	write(t, mine, packed)
	if r := coldtrail(t, "verify", mine); r.code != 0 {
		t.Errorf("the bundle does not verify: %d %s%s", r.code, r.stdout, r.stderr)
	}
	must(t, "--data", data, "report", bybit+"/case.yaml", "--format", "graphml", "--analyst", "A. Analyst", "--out", filepath.Join(folder, "r"))
	if want := readFile(t, filepath.Join(folder, "r", page.name())); html != want || len(want) < 1000 {
		t.Errorf("the report differs from the command's: %d bytes, %d", len(html), len(want))
	}
	must(t, "--data", data, "report", bybit+"/case.yaml", "--format", "csv,html,stix", "--out", filepath.Join(folder, "all"))
	files, err := zip.NewReader(bytes.NewReader([]byte(archive)), int64(len(archive)))
	if err != nil || several.Result.Media != "application/zip" || len(files.File) < 4 {
		t.Fatalf("the archive: %+v %v", several.Result, err)
	}
	for _, f := range files.File {
		in, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		var got bytes.Buffer
		_, _ = got.ReadFrom(in)
		want := readFile(t, filepath.Join(folder, "all", f.Name))
		if strings.HasSuffix(f.Name, ".html") {
			continue // it names the file that the case was read from
		}
		if got.String() != want {
			t.Errorf("%s differs from the command's", f.Name)
		}
	}
}

// name is the file of the format in a folder of the command's.
func (j *deskJob) name() string { return "movements" + filepath.Ext(j.Result.Name) }

func readFile(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func post(t *testing.T, url, body string) int {
	t.Helper()
	client := http.Client{Timeout: time.Minute}
	r, err := client.Post(url, "application/json", strings.NewReader(body)) //nolint:noctx // a test
	if err != nil {
		t.Fatal(err)
	}
	_ = r.Body.Close()
	return r.StatusCode
}

// TestServeCasework: who changed a case, and who works on it, over HTTP and in the
// casebook.
func TestServeCasework(t *testing.T) {
	data := t.TempDir()
	must(t, "--data", data, "cases", "add", bybit+"/case.yaml", "--by", "ann", "--why", "a theft")
	must(t, "--data", data, "cases", "close", "bybit-2025", "--by", "bob", "--why", "all is dark")
	s := serve(t, "--data", data, "serve", "--open")
	_, text := s.get("/v1/cases/bybit-2025/revisions")
	history := parse[struct {
		Items []struct {
			Number         int64
			State, By, Why string
		}
	}](t, text)
	if len(history.Items) != 2 || history.Items[0].By != "ann" || history.Items[0].Why != "a theft" || history.Items[1].State != "closed" || history.Items[1].Why != "all is dark" {
		t.Errorf("the revisions are %s", text)
	}
	s.send(http.MethodPut, "/v1/cases/bybit-2025/members/zoe@example.org", map[string]string{"role": "lead"})
	s.send(http.MethodPut, "/v1/cases/bybit-2025/members/ann", map[string]string{"role": "reader"})
	s.send(http.MethodDelete, "/v1/cases/bybit-2025/members/ann", nil)
	if _, text = s.get("/v1/cases/bybit-2025/members"); !strings.HasPrefix(text, `{"items":[{"person":"zoe@example.org","role":"lead","by":"`) || strings.Contains(text, "ann") {
		t.Errorf("on the case are %s", text)
	}
	for _, path := range []string{"/v1/cases/none/members", "/v1/cases/none/revisions"} {
		if code, _ := s.get(path); code != http.StatusNotFound {
			t.Errorf("%s: %d", path, code)
		}
	}
}
