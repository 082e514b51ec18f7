package server_test

import (
	"bufio"
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"coldtrail/screen/exposure"
	"coldtrail/server"
)

// raw sends bytes on a connection of its own and gives what comes back.
func (w *world) raw(text string) string {
	w.t.Helper()
	conn, err := new(net.Dialer).DialContext(w.t.Context(), "tcp", strings.TrimPrefix(w.url, "http://"))
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	_, _ = io.WriteString(conn, text)
	got, _ := io.ReadAll(bufio.NewReader(conn))
	return string(got)
}

// TestHostileRequests sends what no client sends, and wants the server to answer or hang
// up, and to go on.
func TestHostileRequests(t *testing.T) {
	w := start(t, func(o *server.Options, _ *server.Parts) {
		o.ReadHeaderTimeout, o.ReadTimeout, o.IdleTimeout = 300*time.Millisecond, 600*time.Millisecond, 300*time.Millisecond
	})
	end := "\r\nHost: x\r\nX-API-Key: ctk_viewer\r\nConnection: close\r\n"
	tests := []struct{ name, text, want string }{
		{"no request", "\x00\x01\x02\r\n\r\n", "400 Bad Request"},
		{"headers without end", "GET / HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("a", 64<<10), "431"},
		{"many headers", "GET / HTTP/1.1\r\nHost: x\r\n" + strings.Repeat("X: y\r\n", 20_000) + "\r\n", "431"},
		{"a path without end", "GET /" + strings.Repeat("a", 64<<10) + " HTTP/1.1" + end + "\r\n", "431"},
		{"a header that dribbles (slowloris)", "GET /v1/screen HTTP/1.1\r\nHost: x\r\nX-Sl", ""},
		{"a body that dribbles", "POST /v1/screen HTTP/1.1" + end + "Content-Length: 100\r\n\r\n[", "400 Bad Request"},
		{"a body longer than it says", "POST /v1/screen HTTP/1.1" + end + "Content-Length: 2\r\n\r\n[]GET / HTTP/1.1\r\n\r\n", "200 OK"},
		{"a body of 10 GB", "POST /v1/screen HTTP/1.1" + end + "Content-Length: 10000000000\r\n\r\n", "413"},
		{"two lengths", "POST /v1/screen HTTP/1.1" + end + "Content-Length: 2\r\nContent-Length: 3\r\n\r\n[]", "400 Bad Request"},
		{"length and chunks", "POST /v1/screen HTTP/1.1" + end + "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400 Bad Request"},
		{"two keys", "GET /auth/session HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-API-Key: ctk_viewer\r\nX-API-Key: ctk_admin\r\n\r\n", "401 Unauthorized"},
		{"no host", "GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n", "400 Bad Request"},
		{"a path that climbs", "GET /v1/../../etc/passwd HTTP/1.1" + end + "\r\n", "HTTP/1.1 30"},
		{"a path with a NUL", "GET /v1/cases/%00 HTTP/1.1" + end + "\r\n", "400 Bad Request"},
		{"a tunnel", "CONNECT example.com:443 HTTP/1.1" + end + "\r\n", "404"},
		{"a method that is none", "HACK /v1/screen HTTP/1.1" + end + "\r\n", "405"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := w.raw(test.text)
			status, _, _ := strings.Cut(got, "\r\n")
			if !strings.Contains(status, test.want) || test.want == "" && strings.Contains(status, "200") {
				t.Errorf("answered %q, want %q", status, test.want)
			}
			if got := w.ask("GET", "/v1/screen?subject="+cleanAddress, "viewer", ""); got.status != http.StatusOK {
				t.Errorf("afterwards it answers %d", got.status)
			}
		})
	}
}

// TestEndlessBody sends chunks for ever.
func TestEndlessBody(t *testing.T) {
	w := start(t)
	chunks := strings.Repeat("ffff\r\n"+strings.Repeat(" ", 0xffff)+"\r\n", 80)
	got := w.raw("POST /v1/screen HTTP/1.1\r\nHost: x\r\nX-API-Key: ctk_viewer\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks)
	if status, _, _ := strings.Cut(got, "\r\n"); !strings.Contains(status, "413") {
		t.Errorf("answered %q", status)
	}
}

// TestHostileBodies sends JSON that means two things, or too much, to every route that
// takes it. Nothing may be taken, and nothing may be a mistake of the program.
func TestHostileBodies(t *testing.T) {
	w := start(t, func(o *server.Options, _ *server.Parts) {
		o.Rates = map[server.Class]server.Rate{server.ClassWriting: {PerSecond: 1e6, Burst: 1e6}}
	})
	many := "{"
	for i := range 100 {
		many += fmt.Sprintf(`"f%d":1,`, i)
	}
	bodies := []string{
		"", " ", "{", "}", "nul", "\xff\xfe{}", `{"a":` + strings.Repeat("[", 5000), strings.Repeat(`{"a":`, 5000), many + `"x":1}`, `{"unknown_field":1}`,
		`{"name":"a","name":"b"}`, `{"name":"a","Name":"b"}`, `{"text":"a","TEXT":"b"}`, `{} {}`, `{}x`, "{\"name\":\"\xc3\x28\"}", `{"name":{"deep":1}}`, `[1,2,3]`, `"text"`, "1e400",
		`{"until":99999999999999999999}`, `{"add":[{"address":"a","admin":true}]}`,
	}
	for _, r := range server.Routes {
		if r.Method != http.MethodPost && r.Method != http.MethodPut || r.Pattern == "/rpc/{chain}" || strings.HasPrefix(r.Pattern, "/auth/") {
			continue
		}
		path := strings.NewReplacer("{id}", "swap").Replace(r.Pattern)
		for _, body := range bodies {
			got := w.ask(r.Method, path, "admin", body, "Content-Type: application/json")
			if got.status < 400 || got.status >= 500 {
				t.Errorf("%s %s of %.60q answered %d: %.200s", r.Method, path, body, got.status, got.body)
			}
			if r.Dialect == server.Problem || r.Dialect == server.TRM {
				got.problem(t)
			}
		}
	}
	if n := w.audit.count(); n != 0 {
		t.Errorf("%d refused changes are in the audit log", n)
	}
	if got := w.ask("GET", "/metrics", "viewer", ""); !bytes.Contains(got.body, []byte("coldtrail_panics_total 0")) {
		t.Error("there were mistakes of the program")
	}
}

// TestTLS serves over TLS with HTTP/2, takes up a renewed certificate, and keeps the old
// one while the new one is broken.
func TestTLS(t *testing.T) {
	folder := t.TempDir()
	certificate, key := filepath.Join(folder, "cert.pem"), filepath.Join(folder, "key.pem")
	write := func(serial int64, age time.Duration) {
		c, k := selfSigned(t, serial)
		for path, text := range map[string][]byte{certificate: c, key: k} {
			if err := os.WriteFile(path, text, 0o600); err != nil {
				t.Fatal(err)
			}
			at := time.Now().Add(age)
			if err := os.Chtimes(path, at, at); err != nil {
				t.Fatal(err)
			}
		}
	}
	write(1, -time.Hour)
	w := start(t, func(o *server.Options, _ *server.Parts) { o.Certificate, o.Key = certificate, key })
	serial := func() int64 {
		transport := &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
		defer transport.CloseIdleConnections()
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.url+"/healthz", nil)
		if err != nil {
			t.Fatal(err)
		}
		got, err := (&http.Client{Transport: transport, Timeout: 5 * time.Second}).Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer got.Body.Close()
		if got.ProtoMajor != 2 {
			t.Errorf("spoken is %s", got.Proto)
		}
		return got.TLS.PeerCertificates[0].SerialNumber.Int64()
	}
	if n := serial(); n != 1 {
		t.Fatalf("the certificate is %d", n)
	}
	write(2, -time.Minute)
	eventually(t, "the new certificate is used", func() bool { return serial() == 2 })
	if err := os.WriteFile(certificate, []byte("broken"), 0o600); err != nil {
		t.Fatal(err)
	}
	time.Sleep(1100 * time.Millisecond)
	if n := serial(); n != 2 {
		t.Errorf("with a broken file the certificate is %d", n)
	}
	write(3, 0)
	eventually(t, "the next certificate is used", func() bool { return serial() == 3 })
	s, err := server.New(server.Options{Now: time.Now, Certificate: filepath.Join(folder, "none"), Key: key}, server.Parts{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Serve(t.Context(), listenOn(t, "127.0.0.1:0")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("without its certificate the server gave %v", err)
	}
}

func selfSigned(t *testing.T, serial int64) (certificate, key []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(serial), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"localhost"}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalECPrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: secret})
}

// FuzzParseQuery wants every query to be a question or refused, and a question that is
// taken to be one that the limits allow.
func FuzzParseQuery(f *testing.F) {
	for _, seed := range []string{"subject=a", "subject=a&chain=ethereum&at=5", "subject=%41&known=2024-01-01T00:00:00Z", "&&subject=a", "subject=a&amount=5"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, query string) {
		var q exposure.Question
		if server.ParseQuery(query, &q) == nil {
			plausible(t, &q)
		}
	})
}

// FuzzParseQuestions wants the hand-written decoder to take nothing that encoding/json,
// made strict, refuses, and to read the same out of it.
func FuzzParseQuestions(f *testing.F) {
	for _, seed := range []string{`[{"subject":"a"}]`, `{"questions":[{"subject":"a","chain":"bitcoin","purpose":"swap","asset":"x","amount":"5","at":1,"known":2}]}`, `[]`, `[{"subject":"\u0041"}]`, `[{"subject":"a","at":"2024-01-01T00:00:00Z"}]`, "[{\"subject\":\"a\"}]x"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		questions, err := server.ParseQuestions(body, nil)
		if err != nil {
			return
		}
		for i := range questions {
			plausible(t, &questions[i])
		}
		if bytes.Contains(body, []byte(`"at"`)) || bytes.Contains(body, []byte(`"known"`)) || bytes.Contains(body, []byte(`\u`)) {
			return // moments may be texts here, which the other decoder does not know
		}
		var other []exposure.Question
		if err := server.DecodeJSON(body, &other); err != nil {
			var object struct {
				Questions []exposure.Question `json:"questions"`
			}
			if err := server.DecodeJSON(body, &object); err != nil {
				t.Fatalf("took %q, which is refused: %v", body, err)
			}
			other = object.Questions
		}
		if len(other) != len(questions) {
			t.Fatalf("read %d questions, want %d", len(questions), len(other))
		}
		for i := range other {
			if other[i] != questions[i] {
				t.Errorf("question %d is %+v, want %+v", i, questions[i], other[i])
			}
		}
	})
}

func plausible(t *testing.T, q *exposure.Question) {
	t.Helper()
	if q.Subject == "" || len(q.Subject) > 200 || len(q.Chain) > 80 || q.At < 0 || q.Known < 0 || strings.ContainsAny(q.Subject, "\x00\n ") {
		t.Errorf("taken: %+v", q)
	}
}

// FuzzEachLine wants every line once, trimmed, in order, as bufio reads them.
func FuzzEachLine(f *testing.F) {
	f.Add([]byte("a\nb\r\n\n c \n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		var want []string
		for _, line := range bytes.Split(text, []byte("\n")) {
			if line = bytes.TrimSpace(line); len(line) > 0 {
				want = append(want, string(line))
			}
		}
		last := 0
		var got []string
		err := server.EachLine(text, func(number int, line []byte) error {
			if number <= last {
				t.Errorf("line %d after %d", number, last)
			}
			last = number
			got = append(got, string(line))
			return nil
		})
		if err != nil || strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("read %q, want %q, %v", got, want, err)
		}
	})
}
