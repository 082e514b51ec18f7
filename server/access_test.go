package server_test

import (
	"crypto/sha256"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"coldtrail/server"
)

// TestRoles asks every route with every role: who may is let through to whatever the
// route answers, who may not gets 403, and who has no key gets 401.
func TestRoles(t *testing.T) {
	w := start(t, func(o *server.Options, _ *server.Parts) {
		o.Rates = map[server.Class]server.Rate{server.ClassCredential: {PerSecond: 1000, Burst: 1000}, server.ClassStranger: {PerSecond: 1000, Burst: 1000}}
	})
	for _, r := range server.Routes {
		if r.Pattern == "/v1/events" {
			continue // does not end by itself; TestStreamNeedsKey
		}
		path := strings.NewReplacer("{address}", cleanAddress, "{chain}", "ethereum", "{id}", "x", "{name}", "x").Replace(r.Pattern)
		for _, role := range append([]server.Role{server.Nobody}, server.Roles...) {
			got := w.ask(r.Method, path, string(role), "")
			isLet := got.status != http.StatusUnauthorized && (got.status != http.StatusForbidden || r.Part == "oidc")
			if want := role.Includes(r.Role); isLet != want {
				t.Errorf("%s %s as %q answered %d, let in is to be %v: %s", r.Method, path, role, got.status, want, got.body)
			}
			switch {
			case r.Dialect == server.Chainalysis && role == server.Nobody:
				if got.status != http.StatusForbidden || string(got.body) != `{"message":"Forbidden"}`+"\n" {
					t.Errorf("%s without a key answered %d %s, as Chainalysis does not", path, got.status, got.body)
				}
			case !isLet && role == server.Nobody && got.status != http.StatusUnauthorized:
				t.Errorf("%s %s without a key answered %d", r.Method, path, got.status)
			}
		}
	}
}

// TestRoleOrder checks the order of roles, and that unknown ones may nothing.
func TestRoleOrder(t *testing.T) {
	for i, r := range server.Roles {
		for j, needed := range server.Roles {
			if r.Includes(needed) != (i >= j) {
				t.Errorf("%s includes %s: %v", r, needed, r.Includes(needed))
			}
		}
		if r.Includes("owner") || server.Role("owner").Includes(r) || !r.Includes(server.Nobody) {
			t.Errorf("unknown roles mix with %s", r)
		}
	}
	if server.Role("owner").Includes(server.Nobody) {
		t.Error("an unknown role may what nobody needs a role for")
	}
}

// TestCredentials goes through the ways in which keys are sent.
func TestCredentials(t *testing.T) {
	w := start(t)
	w.keys.mu.Lock()
	w.keys.keys = append(w.keys.keys, server.Key{ID: "key-strange", Digest: sha256.Sum256([]byte("ctk_strange")), Name: "strange", Role: "owner", Created: 1})
	w.keys.mu.Unlock()
	deadline := time.Now().Add(5 * time.Second)
	for w.ask("GET", "/auth/session", "strange", "").status == http.StatusUnauthorized && time.Now().Before(deadline) {
		time.Sleep(10 * time.Millisecond)
	}
	tests := []struct {
		name, header string
		want         int
	}{
		{"X-API-Key", "X-API-Key: ctk_viewer", 200},
		{"Bearer", "Authorization: Bearer ctk_viewer", 200},
		{"bearer in small letters", "Authorization: bearer ctk_viewer", 200},
		{"Basic with the key for a name, as TRM has it", "Authorization: Basic Y3RrX3ZpZXdlcjpjdGtfdmlld2Vy", 200},
		{"Token, as Chainalysis has it", "Token: ctk_viewer", 200},
		{"a key that is not known", "X-API-Key: ctk_nobody", 401},
		{"another form", "X-API-Key: viewer", 401},
		{"an empty key", "X-API-Key: ", 401},
		{"a revoked key", "X-API-Key: ctk_revoked", 401},
		{"an expired key", "X-API-Key: ctk_expired", 401},
		{"a key of a role that is not known", "X-API-Key: ctk_strange", 403},
		{"a scheme that is not known", "Authorization: Digest ctk_viewer", 401},
		{"Basic that is no Base64", "Authorization: Basic ###", 401},
		{"Basic without a name", "Authorization: Basic Og==", 401},
		{"a token where nobody signs in", "Authorization: Bearer a.b.c", 401},
		{"a digest in place of its key", "X-API-Key: ctk_" + strings.Repeat("0", 64), 401},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := w.ask("GET", "/auth/session", "", "", test.header)
			if got.status != test.want {
				t.Fatalf("answered %d, want %d: %s", got.status, test.want, got.body)
			}
			if test.want == http.StatusUnauthorized && got.header.Get("WWW-Authenticate") == "" {
				t.Error("it is not said how to authenticate")
			}
		})
	}
}

// TestKeysAge makes, uses, revokes, and loses keys.
func TestKeysAge(t *testing.T) {
	w := start(t, func(o *server.Options, _ *server.Parts) { o.KeysStale = time.Second })
	made := w.ask("POST", "/v1/keys", "admin", `{"name":"The shop","role":"viewer"}`)
	key := read[struct{ ID, Secret string }](t, made.body)
	if made.status != http.StatusCreated || key.Secret == "" {
		t.Fatalf("answered %d %s", made.status, made.body)
	}
	if r := w.audit.last(); strings.Contains(string(r.Answer), key.Secret) || r.Action != "POST /v1/keys" || r.Who != "key-admin" {
		t.Errorf("the record is %s %s: %s", r.Who, r.Action, r.Answer)
	}
	secret := strings.TrimPrefix(key.Secret, "ctk_")
	if got := w.ask("GET", "/v1/screen?subject="+cleanAddress, secret, ""); got.status != http.StatusOK {
		t.Fatalf("the new key is not known at once: %d", got.status)
	}
	if got := w.ask("DELETE", "/v1/keys/"+key.ID, "admin", ""); got.status != http.StatusNoContent {
		t.Fatalf("revoking answered %d %s", got.status, got.body)
	}
	if got := w.ask("GET", "/v1/screen?subject="+cleanAddress, secret, ""); got.status != http.StatusUnauthorized {
		t.Errorf("the revoked key still opens things: %d", got.status)
	}
	if got := w.ask("DELETE", "/v1/keys/none", "admin", ""); got.status != http.StatusNotFound {
		t.Errorf("revoking no key answered %d", got.status)
	}
	eventually(t, "the casebook is told of use", func() bool {
		w.keys.mu.Lock()
		defer w.keys.mu.Unlock()
		return w.keys.used[key.ID] > 0 && w.keys.used["key-admin"] > 0
	})
	w.keys.setFail(errors.New("the casebook is locked"))
	if got := w.ask("GET", "/v1/screen?subject="+cleanAddress, "viewer", ""); got.status != http.StatusOK {
		t.Errorf("keys that were read no longer open: %d", got.status)
	}
	eventually(t, "the server says that its keys are old", func() bool { return w.ask("GET", "/readyz", "", "").status == http.StatusServiceUnavailable })
	w.keys.setFail(nil)
	eventually(t, "the server is ready again", func() bool { return w.ask("GET", "/readyz", "", "").status == http.StatusOK })
}

// eventually waits for what other goroutines do.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if is() {
			return
		}
	}
	t.Fatalf("it did not come about that %s", what)
}

// TestKeysNotRead wants nobody to be told that a key is wrong while keys cannot be read.
func TestKeysNotRead(t *testing.T) {
	broken := newKeys()
	broken.fail = errors.New("locked")
	w := start(t, func(_ *server.Options, p *server.Parts) { p.Keys = broken })
	if got := w.ask("GET", "/v1/screen?subject=a", "viewer", ""); got.status != http.StatusServiceUnavailable {
		t.Errorf("answered %d %s", got.status, got.body)
	}
	if got := w.ask("GET", "/readyz", "", ""); got.status != http.StatusServiceUnavailable {
		t.Errorf("readyz answered %d", got.status)
	}
}

// TestOpen lets everybody in on loopback, and no page of another site.
func TestOpen(t *testing.T) {
	w := start(t, func(o *server.Options, p *server.Parts) { o.Open, p.Keys = true, nil })
	if got := w.ask("GET", "/v1/screen?subject="+cleanAddress, "", ""); got.status != http.StatusOK {
		t.Errorf("answered %d %s", got.status, got.body)
	}
	tests := []struct {
		name    string
		headers []string
		want    int
	}{
		{"from this machine", nil, 200},
		{"as localhost", []string{"Host: localhost:8080"}, 200},
		{"as ::1", []string{"Host: [::1]:8080"}, 200},
		{"under a name that leads here (DNS rebinding)", []string{"Host: evil.example:8080"}, 403},
		{"under an address of another machine", []string{"Host: 192.0.2.1"}, 403},
		{"from a page of another site", []string{"Sec-Fetch-Site: cross-site"}, 403},
		{"from a page of another origin", []string{"Origin: https://evil.example"}, 403},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := w.ask("PUT", "/v1/watchlists/x", "", `{"name":"x"}`, test.headers...); got.status != test.want {
				t.Errorf("answered %d, want %d: %s", got.status, test.want, got.body)
			}
		})
	}
	s, err := server.New(server.Options{Now: time.Now, Open: true}, server.Parts{})
	if err != nil {
		t.Fatal(err)
	}
	listener := listenOn(t, "0.0.0.0:0")
	if err := s.Serve(t.Context(), listener); !errors.Is(err, server.ErrOpen) {
		t.Errorf("listening to everybody without keys gave %v", err)
	}
	if err := listener.Close(); err == nil {
		t.Error("the listener was left open")
	}
}

// TestRates checks that one key's haste is its own, in the form of each dialect.
func TestRates(t *testing.T) {
	w := start(t, func(o *server.Options, _ *server.Parts) {
		o.Rates = map[server.Class]server.Rate{
			server.ClassScreening: {PerSecond: 1, Burst: 5}, server.ClassReading: {PerSecond: 1, Burst: 2}, server.ClassCredential: {PerSecond: 1, Burst: 3},
		}
	})
	screen := "/v1/screen?subject=" + cleanAddress
	if got := w.ask("POST", "/v1/screen", "viewer", `[{"subject":"a"},{"subject":"b"},{"subject":"c"},{"subject":"d"}]`); got.status != http.StatusOK {
		t.Fatalf("four questions of five answered %d", got.status)
	}
	if got := w.ask("GET", screen, "viewer", ""); got.status != http.StatusOK {
		t.Fatalf("the fifth question answered %d", got.status)
	}
	got := w.ask("GET", screen, "viewer", "")
	if got.status != http.StatusTooManyRequests || got.header.Get("Retry-After") != "1" || got.problem(t)["action"] != "review" {
		t.Errorf("the sixth question answered %d, Retry-After %q", got.status, got.header.Get("Retry-After"))
	}
	if got := w.ask("GET", "/api/v1/address/"+cleanAddress, "viewer", ""); got.status != http.StatusForbidden || !strings.Contains(string(got.body), `"message"`) {
		t.Errorf("in Chainalysis' form it answered %d %s", got.status, got.body)
	}
	if got := w.ask("POST", "/v1/screen", "viewer", `[{"subject":"a"},{"subject":"b"}]`); got.status != http.StatusTooManyRequests {
		t.Errorf("a batch answered %d", got.status)
	}
	if got := w.ask("GET", screen, "analyst", ""); got.status != http.StatusOK {
		t.Errorf("another key pays for it: %d", got.status)
	}
	if got := w.ask("GET", "/v1/policy", "viewer", ""); got.status != http.StatusOK {
		t.Errorf("another class pays for it: %d", got.status)
	}
	for range 3 {
		w.ask("GET", screen, "wrong", "")
	}
	if got := w.ask("GET", screen, "wrong", ""); got.status != http.StatusTooManyRequests {
		t.Errorf("guessing keys is not slowed down: %d", got.status)
	}
	if got := w.ask("GET", screen, "operator", ""); got.status != http.StatusOK {
		t.Errorf("who has a right key pays for another's guesses: %d", got.status)
	}
}

// TestCORS lets scripts of named origins read, and only them.
func TestCORS(t *testing.T) {
	w := start(t, func(o *server.Options, _ *server.Parts) { o.Origins = []string{"https://app.example"} })
	got := w.ask("GET", "/v1/screen?subject="+cleanAddress, "viewer", "", "Origin: https://app.example")
	if got.header.Get("Access-Control-Allow-Origin") != "https://app.example" || got.header.Get("Access-Control-Allow-Credentials") != "" {
		t.Errorf("the headers are %v", got.header)
	}
	got = w.ask("OPTIONS", "/v1/screen", "", "", "Origin: https://app.example", "Access-Control-Request-Method: POST")
	if got.status != http.StatusNoContent || got.header.Get("Access-Control-Allow-Methods") != "GET, HEAD, POST" {
		t.Errorf("the question of a browser answered %d %v", got.status, got.header)
	}
	for _, origin := range []string{"https://evil.example", "null", "https://app.example.evil.example"} {
		if got := w.ask("GET", "/v1/screen?subject="+cleanAddress, "viewer", "", "Origin: "+origin); got.header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s may read", origin)
		}
	}
}

// TestOptions refuses options that cannot be right.
func TestOptions(t *testing.T) {
	good := server.OIDC{Issuer: "https://id.example", ClientID: "coldtrail", RedirectURL: "https://coldtrail.example/auth/callback"}
	changed := func(change func(*server.OIDC)) *server.OIDC {
		o := good
		change(&o)
		return &o
	}
	for name, o := range map[string]server.Options{
		"no clock":                 {},
		"a certificate and no key": {Now: time.Now, Certificate: "x"},
		"a certificate that is not there and a key": {Now: time.Now, Origins: []string{"app.example"}},
		"an origin with a path":                     {Now: time.Now, Origins: []string{"https://app.example/"}},
		"a class that is not":                       {Now: time.Now, Rates: map[server.Class]server.Rate{"love": {}}},
		"no issuer":                                 {Now: time.Now, OIDC: changed(func(o *server.OIDC) { o.Issuer = "" })},
		"no client":                                 {Now: time.Now, OIDC: changed(func(o *server.OIDC) { o.ClientID = "" })},
		"another way back":                          {Now: time.Now, OIDC: changed(func(o *server.OIDC) { o.RedirectURL = "https://coldtrail.example/" })},
		"a role that is not":                        {Now: time.Now, OIDC: changed(func(o *server.OIDC) { o.Roles = map[string]server.Role{"x": "owner"} })},
		"a short key of sessions":                   {Now: time.Now, OIDC: changed(func(o *server.OIDC) { o.SessionKey = []byte("short") })},
	} {
		if _, err := server.New(o, server.Parts{}); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}
