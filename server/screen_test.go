package server_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"coldtrail/screen/exposure"
	"coldtrail/server"
)

// TestVerdict checks one answer to the last byte: it is what the engine's verdict is with
// its basis, as encoding/json writes it.
func TestVerdict(t *testing.T) {
	w := start(t)
	got := w.ask("GET", "/v1/screen?subject="+sanctionedAddress+"&chain=ethereum", "viewer", "")
	var want exposure.Verdict
	w.screening.now.Screen(&exposure.Question{Subject: sanctionedAddress, Chain: "ethereum"}, &want)
	want.Basis = w.screening.now.basis
	text, err := json.Marshal(&want)
	if err != nil {
		t.Fatal(err)
	}
	if string(got.body) != string(text)+"\n" {
		t.Errorf("answered\n%s, want\n%s", got.body, text)
	}
	if got.header.Get("Coldtrail-Audit") != "1" {
		t.Errorf("the number in the audit log is %q", got.header.Get("Coldtrail-Audit"))
	}
	r := w.audit.last()
	if r.Who != "key-viewer" || r.Action != "GET /v1/screen" || string(r.Question) != "subject="+sanctionedAddress+"&chain=ethereum" || string(r.Answer) != string(text) {
		t.Errorf("the record is %s %s %s %s", r.Who, r.Action, r.Question, r.Answer)
	}
}

// TestAge checks whose age counts.
func TestAge(t *testing.T) {
	w := start(t)
	now := time.Now().Unix()
	v := newView(now - 100) // Ethereum heard of 100 s ago, Bitcoin 130 s
	v.basis.Heads["eip155:10"] = exposure.Head{Height: 1, Hash: "0x1", Time: now - 5000}
	w.screening.set(v)
	tests := []struct {
		name, query string
		want        int64 // -1 unknown
	}{
		{"the chain that is named", "subject=" + cleanAddress + "&chain=eip155:1", 100},
		{"a short name", "subject=" + bitcoinAddress + "&chain=bitcoin", 130},
		{"a chain that is not followed counts from its block", "subject=" + cleanAddress + "&chain=eip155:10", 5000},
		{"a chain that is not held", "subject=" + cleanAddress + "&chain=eip155:56", -1},
		{"a network without an identifier", "subject=TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t&chain=tron", -1},
		{"the stalest chain with such addresses: accounts", "subject=" + cleanAddress, 5000},
		{"the stalest chain with such addresses: outputs", "subject=" + bitcoinAddress, 130},
		{"the stalest of all where it may be of any", "subject=" + strings.Repeat("ab", 32), 5000},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := w.ask("GET", "/v1/screen?"+test.query, "viewer", "")
			age := got.header.Get("Coldtrail-Data-Age")
			if test.want < 0 {
				if age != "unknown" {
					t.Errorf("the age is %q, want unknown", age)
				}
				return
			}
			n, err := strconv.ParseInt(age, 10, 64)
			if err != nil || n < test.want || n > test.want+30 {
				t.Errorf("the age is %q, want %d", age, test.want)
			}
		})
	}
	batch := w.ask("POST", "/v1/screen", "viewer", `[{"subject":"`+bitcoinAddress+`"},{"subject":"`+cleanAddress+`","chain":"eip155:1"}]`)
	if n, _ := strconv.Atoi(batch.header.Get("Coldtrail-Data-Age")); n < 130 || n > 160 {
		t.Errorf("the age of a batch is %q, want that of the stalest, 130", batch.header.Get("Coldtrail-Data-Age"))
	}
}

// TestBatchIsOfOneState swaps the state of knowledge while batches are answered.
func TestBatchIsOfOneState(t *testing.T) {
	w := start(t)
	stop := make(chan struct{})
	swapped := make(chan struct{})
	go func() {
		defer close(swapped)
		for i := uint64(0); ; i++ {
			select {
			case <-stop:
				return
			default:
				v := newView(time.Now().Unix())
				v.basis.Index = i
				w.screening.set(v)
			}
		}
	}()
	body := strings.Repeat(cleanAddress+"\n", 50)
	for range 20 {
		got := w.ask("POST", "/v1/screen", "viewer", body, "Content-Type: text/plain")
		if n := strings.Count(string(got.body), `"basis"`); got.status != http.StatusOK || n != 1 {
			t.Fatalf("answered %d with %d states", got.status, n)
		}
	}
	close(stop)
	<-swapped
}

// TestAuditFails wants the answer to come all the same, to say so, and the server to be
// not ready until the log works again.
func TestAuditFails(t *testing.T) {
	w := start(t)
	w.audit.setFail(errDisk)
	for _, ask := range []struct{ method, path, body string }{
		{"GET", "/v1/screen?subject=" + cleanAddress, ""},
		{"POST", "/v1/screen", `[{"subject":"` + cleanAddress + `"}]`},
		{"GET", "/api/v1/address/" + cleanAddress, ""},
	} {
		got := w.ask(ask.method, ask.path, "viewer", ask.body)
		if got.status != http.StatusOK || got.header.Get("Coldtrail-Audit") != "failed" {
			t.Errorf("%s %s answered %d, audit %q", ask.method, ask.path, got.status, got.header.Get("Coldtrail-Audit"))
		}
	}
	ready := w.ask("GET", "/readyz", "viewer", "")
	if ready.status != http.StatusServiceUnavailable || !strings.Contains(string(ready.body), `{"name":"audit","state":"failed","detail":"answers are not written down since `) {
		t.Errorf("readyz answered %d: %s", ready.status, ready.body)
	}
	if metrics := w.ask("GET", "/metrics", "viewer", ""); !strings.Contains(string(metrics.body), "coldtrail_audit_failures_total 3") {
		t.Error("the failures are not counted")
	}
	w.audit.setFail(nil)
	if got := w.ask("GET", "/v1/screen?subject="+cleanAddress, "viewer", ""); got.header.Get("Coldtrail-Audit") != "1" {
		t.Errorf("audit is %q after it works again", got.header.Get("Coldtrail-Audit"))
	}
	if ready := w.ask("GET", "/readyz", "", ""); ready.status != http.StatusOK {
		t.Errorf("readyz answered %d after the log works again: %s", ready.status, ready.body)
	}
}

// TestErrorsDoNotReadAsClean goes through what can go wrong on the way to a verdict.
func TestErrorsDoNotReadAsClean(t *testing.T) {
	w := start(t)
	call := `{"jsonrpc":"2.0","id":1,"method":"eth_call","params":[{"to":"0x40c57923924b5c5c5455c48d93317139addac8fb","data":"0xdf592f7d` + strings.Repeat("0", 24) + strings.ToLower(cleanAddress[2:]) + `"},"latest"]}`
	asks := []struct{ method, path, body string }{
		{"GET", "/v1/screen?subject=" + cleanAddress, ""},
		{"POST", "/v1/screen", `[{"subject":"` + cleanAddress + `"}]`},
		{"GET", "/api/v1/address/" + cleanAddress, ""},
		{"GET", "/api/risk/v2/entities/" + cleanAddress, ""},
		{"POST", "/public/v1/sanctions/screening", `[{"address":"` + cleanAddress + `"}]`},
		{"POST", "/rpc/ethereum", call},
	}
	check := func(t *testing.T, when string) {
		t.Helper()
		for _, ask := range asks {
			got := w.ask(ask.method, ask.path, "viewer", ask.body)
			if ask.path == "/rpc/ethereum" {
				if strings.Contains(string(got.body), `"result"`) || !strings.Contains(string(got.body), `"error"`) && got.status == http.StatusOK {
					t.Errorf("%s: %s answered %s", when, ask.path, got.body)
				}
				continue
			}
			if got.status < 500 || strings.Contains(string(got.body), "identifications") || strings.Contains(string(got.body), "false") {
				t.Errorf("%s: %s answered %d %s", when, ask.path, got.status, got.body)
			}
			if strings.HasPrefix(ask.path, "/v1/") && got.problem(t)["action"] != "review" {
				t.Errorf("%s: %s does not say to hold: %s", when, ask.path, got.body)
			}
		}
	}
	w.screening.set(nil)
	check(t, "before anything is loaded")
	v := newView(time.Now().Unix())
	v.panic.Store(true)
	w.screening.set(v)
	asks = asks[2:]
	check(t, "where the program is wrong")
	v = newView(time.Now().Unix())
	v.basis.Labels = ""
	w.screening.set(v)
	check(t, "before labels are loaded")
	if metrics := w.ask("GET", "/metrics", "viewer", ""); !strings.Contains(string(metrics.body), "coldtrail_panics_total 4") {
		t.Error("the mistakes of the program are not counted")
	}
	w.screening.set(newView(time.Now().Unix()))
	w.screening.fail = errors.New("the store is gone")
	got := w.ask("GET", "/v1/screen?at=5&subject="+cleanAddress, "viewer", "")
	if got.status != http.StatusInternalServerError || strings.Contains(string(got.body), "store is gone") {
		t.Errorf("answered %d %s", got.status, got.body)
	}
	w.screening.fail = fmt.Errorf("the labels of then: %w", server.ErrUnavailable)
	if got := w.ask("GET", "/v1/screen?known=5&subject="+cleanAddress, "viewer", ""); got.status != http.StatusServiceUnavailable {
		t.Errorf("answered %d %s", got.status, got.body)
	}
}

// TestRefusedQuestions goes through questions that are none.
func TestRefusedQuestions(t *testing.T) {
	w := start(t)
	for _, query := range []string{
		"", "subject=", "chain=ethereum", "subject=a&subject=b", "subject=a&colour=red", "subject=a&purpose=love",
		"subject=a&amount=-1", "subject=a&amount=1e9", "subject=a&amount=" + strings.Repeat("9", 100), "subject=a&at=yesterday", "subject=a&at=-5",
		"subject=%zz", "subject=a;chain=b", "subject=a%00b", "subject=%ff%fe", "subject=a+b", "subject=" + strings.Repeat("a", 201),
		"subject=a&chain=" + strings.Repeat("c", 81), "subject=a&chain=%22", "subject=a&a=1&b=2&c=3&d=4&e=5&f=6&g=7&h=8",
	} {
		got := w.ask("GET", "/v1/screen?"+query, "viewer", "")
		if got.status != http.StatusBadRequest {
			t.Errorf("%s answered %d: %s", query, got.status, got.body)
			continue
		}
		got.problem(t)
	}
	for _, body := range []string{
		"x", "{}", "[", "[]x", "[][]", `[{}]`, `[{"subject":""}]`, `[{"subject":5}]`, `[{"subject":"a","risk":1}]`, `[{"Subject":"a"}]`,
		`[{"subject":"a","subject":"b"}]`, `{"questions":[],"questions":[]}`, `{"questions":[],"more":1}`, `{"questions":{}}`, `[{"subject":"a","amount":5}]`,
		`[{"subject":"a","at":1.5}]`, `[{"subject":"a","at":-1}]`, "[{\"subject\":\"a\xff\"}]", `[{"subject":"a\u0000"}]`, `[null]`, `null`, `"a"`,
		`[{"subject":"a","purpose":"x"}]`, strings.Repeat("[", 100_000),
	} {
		got := w.ask("POST", "/v1/screen", "viewer", body)
		if got.status != http.StatusBadRequest {
			t.Errorf("%.100s answered %d: %s", body, got.status, got.body)
		}
	}
	if n := w.audit.count(); n != 0 {
		t.Errorf("%d refused questions are in the audit log", n)
	}
}

// TestSizes goes through what is too much.
func TestSizes(t *testing.T) {
	w := start(t)
	tests := []struct {
		name, body, kind string
		want             int
	}{
		{"as many questions as are taken", "[" + strings.Repeat(`{"subject":"`+cleanAddress+`"},`, 9999) + `{"subject":"` + cleanAddress + `"}]`, "application/json", 200},
		{"one more", "[" + strings.Repeat(`{"subject":"`+cleanAddress+`"},`, 10000) + `{"subject":"` + cleanAddress + `"}]`, "application/json", 413},
		{"as many lines as are taken", strings.Repeat(cleanAddress+"\n", 10000), "text/plain", 200},
		{"one more line", strings.Repeat(cleanAddress+"\n", 10001), "text/plain", 413},
		{"a body over 4 MiB", strings.Repeat(" ", server.MaxBody+1), "application/json", 413},
		{"a body of 4 MiB of nothing", strings.Repeat(" ", server.MaxBody), "application/json", 400},
		{"a type that is not taken", "<x/>", "application/xml", 415},
		{"a type that cannot be read", "[]", "application/;;", 415},
		{"another encoding of texts", "[]", "text/plain; charset=utf-16", 415},
		{"101 questions about another time", "[" + strings.Repeat(`{"subject":"a1234567890123456789012345678","at":5},`, 100) + `{"subject":"a","at":5}]`, "application/json", 400},
		{"no question at all", "[]", "application/json", 200},
		{"no line at all", "\n\n", "text/plain", 200},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := w.ask("POST", "/v1/screen", "viewer", test.body, "Content-Type: "+test.kind)
			if got.status != test.want {
				t.Fatalf("answered %d, want %d: %.300s", got.status, test.want, got.body)
			}
			if test.want != http.StatusOK {
				got.problem(t)
			}
		})
	}
	fat := newView(time.Now().Unix())
	fat.fat = 100_000
	w.screening.set(fat)
	got := w.ask("POST", "/v1/screen", "viewer", strings.Repeat(sanctionedAddress+"\n", 1000), "Content-Type: text/plain")
	if got.status != http.StatusRequestEntityTooLarge {
		t.Errorf("an answer of 100 MB answered %d", got.status)
	}
}

// TestBatchOrder checks that answers stand in the order of the questions.
func TestBatchOrder(t *testing.T) {
	w := start(t)
	got := w.ask("POST", "/v1/screen", "viewer", `[{"subject":"`+cleanAddress+`"},{"subject":"`+sanctionedAddress+`"},{"subject":"`+bitcoinAddress+`","at":77},{"subject":"nonsense"}]`)
	answer := read[struct {
		Basis    *exposure.Basis    `json:"basis"`
		Verdicts []exposure.Verdict `json:"verdicts"`
	}](t, got.body)
	want := []struct {
		level exposure.Level
		code  string
		at    int64
	}{{exposure.Unknown, "no-facts", 0}, {exposure.Severe, "sanctioned", 0}, {exposure.Unknown, "no-facts", 77}, {exposure.Unknown, "not-an-address", 0}}
	if len(answer.Verdicts) != len(want) || answer.Basis.Index != 7 {
		t.Fatalf("answered %s", got.body)
	}
	for i, v := range answer.Verdicts {
		if v.Level != want[i].level || v.Reasons[0].Code != want[i].code {
			t.Errorf("verdict %d is %s for %s", i, v.Level, v.Reasons[0].Code)
		}
		if (v.Basis != nil) != (want[i].at != 0) || v.Basis != nil && v.Basis.At != want[i].at {
			t.Errorf("verdict %d has the basis %v", i, v.Basis)
		}
	}
}

// TestBatchesAreBounded wants 503 and not memory where many batches come at once.
func TestBatchesAreBounded(t *testing.T) {
	slow := &slowScreening{screening: &screening{}, entered: make(chan struct{}, 8), leave: make(chan struct{})}
	w := start(t, func(o *server.Options, p *server.Parts) {
		o.Batches = 1
		p.Screening = slow
	})
	slow.set(newView(time.Now().Unix()))
	done := make(chan int, 1)
	go func() { done <- w.ask("POST", "/v1/screen", "viewer", `[{"subject":"a","at":1}]`).status }()
	<-slow.entered
	got := w.ask("POST", "/v1/screen", "viewer", `[{"subject":"a"}]`)
	if got.status != http.StatusServiceUnavailable || got.header.Get("Retry-After") == "" {
		t.Errorf("answered %d %s", got.status, got.body)
	}
	if one := w.ask("GET", "/v1/screen?subject="+cleanAddress, "viewer", ""); one.status != http.StatusOK {
		t.Errorf("single questions wait for batches: %d", one.status)
	}
	close(slow.leave)
	if status := <-done; status != http.StatusOK {
		t.Errorf("the first batch answered %d", status)
	}
}
