package server_test

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"coldtrail/server"
)

// provider is an OpenID Connect provider: discovery, keys, the page where people sign in
// (which lets in who it is told to at once), and the exchange of codes with PKCE.
type provider struct {
	t      *testing.T
	web    *httptest.Server
	key    *rsa.PrivateKey
	mu     sync.Mutex
	codes  map[string]url.Values // what the login asked for, by code
	claims map[string]any        // of who signs in
	nonce  string                // instead of the one that was asked for
}

func newProvider(t *testing.T) *provider {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	p := &provider{t: t, key: key, codes: map[string]url.Values{}, claims: map[string]any{"sub": "u1", "name": "Ada", "groups": []string{"staff", "desk"}}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		p.write(w, map[string]any{
			"issuer": p.web.URL, "authorization_endpoint": p.web.URL + "/authorize", "token_endpoint": p.web.URL + "/token", "jwks_uri": p.web.URL + "/keys",
			"id_token_signing_alg_values_supported": []string{"RS256"}, "response_types_supported": []string{"code"}, "subject_types_supported": []string{"public"},
		})
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		p.write(w, map[string]any{"keys": []any{map[string]any{
			"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "k1",
			"n": base64.RawURLEncoding.EncodeToString(key.N.Bytes()), "e": base64.RawURLEncoding.EncodeToString(big.NewInt(int64(key.E)).Bytes()),
		}}})
	})
	mux.HandleFunc("GET /authorize", func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		code := fmt.Sprintf("code-%d", len(p.codes))
		p.codes[code] = r.URL.Query()
		p.mu.Unlock()
		http.Redirect(w, r, r.URL.Query().Get("redirect_uri")+"?code="+code+"&state="+url.QueryEscape(r.URL.Query().Get("state")), http.StatusFound)
	})
	mux.HandleFunc("POST /token", p.redeem)
	p.web = httptest.NewServer(mux)
	t.Cleanup(p.web.Close)
	return p
}

func (p *provider) write(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(value); err != nil {
		p.t.Error(err)
	}
}

// redeem changes a code, once, for a token, if the verifier fits the challenge.
func (p *provider) redeem(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	code := r.PostFormValue("code")
	asked, ok := p.codes[code]
	delete(p.codes, code)
	sum := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
	if !ok || asked.Get("code_challenge_method") != "S256" || asked.Get("code_challenge") != base64.RawURLEncoding.EncodeToString(sum[:]) {
		w.WriteHeader(http.StatusBadRequest)
		p.write(w, map[string]any{"error": "invalid_grant"})
		return
	}
	nonce := asked.Get("nonce")
	if p.nonce != "" {
		nonce = p.nonce
	}
	p.write(w, map[string]any{"access_token": "a", "token_type": "Bearer", "expires_in": 3600, "id_token": p.token(map[string]any{"nonce": nonce})})
}

// token signs claims; those that are given count above the usual ones.
func (p *provider) token(more map[string]any) string {
	claims := map[string]any{"iss": p.web.URL, "aud": "coldtrail", "iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix()}
	maps.Copy(claims, p.claims)
	maps.Copy(claims, more)
	return sign(p.t, p.key, `{"alg":"RS256","kid":"k1","typ":"JWT"}`, claims)
}

func sign(t *testing.T, key *rsa.PrivateKey, header string, claims map[string]any) string {
	t.Helper()
	body, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	text := base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString(body)
	sum := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return text + "." + base64.RawURLEncoding.EncodeToString(signature)
}

// startOIDC runs a server that lets people in by a provider.
func startOIDC(t *testing.T, changes ...func(*server.OIDC)) (*world, *provider) {
	t.Helper()
	p := newProvider(t)
	var transport http.Transport
	t.Cleanup(transport.CloseIdleConnections)
	settings := &server.OIDC{
		Issuer: p.web.URL, ClientID: "coldtrail", ClientSecret: "s", RedirectURL: "http://127.0.0.1/auth/callback", DiscoverEvery: 20 * time.Millisecond,
		Roles: map[string]server.Role{"desk": server.Analyst, "staff": server.Viewer, "chiefs": server.Admin},
	}
	for _, change := range changes {
		change(settings)
	}
	w := start(t, func(o *server.Options, _ *server.Parts) {
		o.OIDC, o.Client = settings, &http.Client{Transport: &transport, Timeout: 5 * time.Second}
	})
	eventually(t, "the issuer was found", func() bool { return w.ask("GET", "/auth/login", "", "").status != http.StatusServiceUnavailable })
	return w, p
}

// TestTokens goes through the tokens that tools send.
func TestTokens(t *testing.T) {
	w, p := startOIDC(t)
	stranger, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	usual := map[string]any{"iss": p.web.URL, "aud": "coldtrail", "sub": "u1", "groups": []string{"chiefs"}, "exp": time.Now().Add(time.Hour).Unix()}
	body, _ := json.Marshal(usual)
	tests := []struct {
		name, token string
		status      int
		want        string
	}{
		{"the highest role of several groups counts", p.token(nil), 200, `"name":"Ada","role":"analyst"`},
		{"a group as a text", p.token(map[string]any{"groups": "chiefs"}), 200, `"role":"admin"`},
		{"no group that has a role", p.token(map[string]any{"groups": []string{"others"}}), 403, "no role here"},
		{"no groups", p.token(map[string]any{"groups": nil}), 403, "no role here"},
		{"groups that are no texts", p.token(map[string]any{"groups": 7}), 403, "no role here"},
		{"for another audience", p.token(map[string]any{"aud": "other"}), 401, ""},
		{"of another issuer", p.token(map[string]any{"iss": "https://evil.example"}), 401, ""},
		{"of yesterday", p.token(map[string]any{"exp": time.Now().Add(-time.Hour).Unix()}), 401, ""},
		{"not yet", p.token(map[string]any{"nbf": time.Now().Add(time.Hour).Unix()}), 401, ""},
		{"signed by somebody else", sign(t, stranger, `{"alg":"RS256","kid":"k1"}`, usual), 401, ""},
		{"not signed", base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + base64.RawURLEncoding.EncodeToString(body) + ".", 401, ""},
		{"no token", "a.b.c", 401, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := w.ask("GET", "/auth/session", "", "", "Authorization: Bearer "+test.token)
			if got.status != test.status || !strings.Contains(string(got.body), test.want) {
				t.Errorf("answered %d %s, want %d %s", got.status, got.body, test.status, test.want)
			}
		})
	}
	if got := w.ask("GET", "/auth/session", "", "", "Authorization: Bearer ctk_viewer"); got.status != http.StatusOK {
		t.Errorf("keys no longer open: %d", got.status)
	}
	if got := w.ask("PUT", "/v1/watchlists/x", "", `{}`, "Authorization: Bearer "+p.token(nil)); got.status != http.StatusOK || !strings.Contains(string(got.body), `"by":"person-`) {
		t.Errorf("a change by token answered %d %s", got.status, got.body)
	}
}

// browser is somebody with a browser, which carries cookies.
type browser struct{ *world }

// follow asks, and follows where it is sent, the way back included: the redirect of the
// provider leads to 127.0.0.1 without a port, which here is the server.
func (b *browser) follow(path string) answer {
	b.t.Helper()
	got := b.ask("GET", path, "", "")
	for hops := 0; got.header.Get("Location") != "" && hops < 5; hops++ {
		to := got.header.Get("Location")
		switch {
		case strings.HasPrefix(to, "http://127.0.0.1/auth/callback"):
			got = b.ask("GET", strings.TrimPrefix(to, "http://127.0.0.1"), "", "")
		case strings.HasPrefix(to, "/"):
			return got
		default:
			request, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, to, nil)
			if err != nil {
				b.t.Fatal(err)
			}
			answered, err := b.client.Do(request)
			if err != nil {
				b.t.Fatal(err)
			}
			_ = answered.Body.Close()
			got = answer{status: answered.StatusCode, header: answered.Header}
		}
	}
	return got
}

func (w *world) browse() *browser {
	w.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		w.t.Fatal(err)
	}
	own := *w
	client := *w.client
	client.Jar = jar
	own.client = &client
	return &browser{world: &own}
}

// TestSignIn signs in with a browser, changes something, and signs out.
func TestSignIn(t *testing.T) {
	w, _ := startOIDC(t)
	b := w.browse()
	got := b.follow("/auth/login?return=/docs%23problems")
	if got.status != http.StatusSeeOther || got.header.Get("Location") != "/docs" {
		t.Fatalf("signing in ended with %d at %q: %s", got.status, got.header.Get("Location"), got.body)
	}
	for _, c := range got.header.Values("Set-Cookie") {
		if !strings.Contains(c, "HttpOnly") || !strings.Contains(c, "SameSite=Lax") || !strings.Contains(c, "Path=/") {
			t.Errorf("the cookie %s is open to scripts or other sites", c)
		}
	}
	state := b.ask("GET", "/auth/session", "", "")
	who := read[struct {
		ID, Name, Role string
		Token          string `json:"csrf_token"`
		Expires        int64
	}](t, state.body)
	if who.Name != "Ada" || who.Role != "analyst" || who.Token == "" || who.Expires < time.Now().Add(7*time.Hour).Unix() {
		t.Fatalf("who has signed in is %s", state.body)
	}
	tests := []struct {
		name    string
		headers []string
		want    int
	}{
		{"without the token", nil, 403},
		{"with another token", []string{"X-CSRF-Token: x"}, 403},
		{"caused by another site", []string{"X-CSRF-Token: " + who.Token, "Sec-Fetch-Site: cross-site"}, 403},
		{"caused by another origin", []string{"X-CSRF-Token: " + who.Token, "Origin: https://evil.example"}, 403},
		{"from a page of this server", []string{"X-CSRF-Token: " + who.Token, "Sec-Fetch-Site: same-origin"}, 200},
	}
	for _, test := range tests {
		t.Run("a change "+test.name, func(t *testing.T) {
			if got := b.ask("PUT", "/v1/watchlists/x", "", `{"name":"x"}`, test.headers...); got.status != test.want {
				t.Errorf("answered %d %s, want %d", got.status, got.body, test.want)
			}
		})
	}
	if got := b.ask("PUT", "/v1/policy", "", `{"text":"x","reason":"y"}`, "X-CSRF-Token: "+who.Token); got.status != http.StatusForbidden {
		t.Errorf("an analyst activated a policy: %d", got.status)
	}
	if got := b.ask("POST", "/auth/logout", "", ""); got.status != http.StatusForbidden {
		t.Errorf("anybody can sign the browser out: %d", got.status)
	}
	if got := b.ask("POST", "/auth/logout", "", "", "X-CSRF-Token: "+who.Token); got.status != http.StatusNoContent {
		t.Errorf("signing out answered %d", got.status)
	}
	if got := b.ask("GET", "/auth/session", "", ""); got.status != http.StatusUnauthorized {
		t.Errorf("after signing out: %d", got.status)
	}
}

// TestSignInRefused goes through ways to be signed in as somebody else.
func TestSignInRefused(t *testing.T) {
	w, p := startOIDC(t)
	fresh := w.ask("GET", "/auth/login", "", "")
	theirs := fresh.header.Get("Location")
	state := func(to string) string {
		u, err := url.Parse(to)
		if err != nil {
			t.Fatal(err)
		}
		return u.Query().Get("state")
	}
	t.Run("an answer that no login asked for", func(t *testing.T) {
		if got := w.browse().ask("GET", "/auth/callback?code=c&state="+state(theirs), "", ""); got.status != http.StatusForbidden {
			t.Errorf("answered %d", got.status)
		}
	})
	t.Run("the answer to another's login", func(t *testing.T) {
		b := w.browse()
		b.ask("GET", "/auth/login", "", "")
		if got := b.ask("GET", "/auth/callback?code=c&state="+state(theirs), "", ""); got.status != http.StatusForbidden {
			t.Errorf("answered %d", got.status)
		}
	})
	t.Run("a code that the provider does not know", func(t *testing.T) {
		b := w.browse()
		mine := b.ask("GET", "/auth/login", "", "")
		if got := b.ask("GET", "/auth/callback?code=c&state="+state(mine.header.Get("Location")), "", ""); got.status != http.StatusUnauthorized {
			t.Errorf("answered %d %s", got.status, got.body)
		}
	})
	t.Run("the provider says no", func(t *testing.T) {
		b := w.browse()
		mine := b.ask("GET", "/auth/login", "", "")
		if got := b.ask("GET", "/auth/callback?error=access_denied&state="+state(mine.header.Get("Location")), "", ""); got.status != http.StatusUnauthorized || !strings.Contains(string(got.body), "access_denied") {
			t.Errorf("answered %d %s", got.status, got.body)
		}
	})
	t.Run("a token of another login", func(t *testing.T) {
		p.mu.Lock()
		p.nonce = "replayed"
		p.mu.Unlock()
		b := w.browse()
		if got := b.follow("/auth/login"); got.status != http.StatusUnauthorized {
			t.Errorf("answered %d %s", got.status, got.body)
		}
		p.mu.Lock()
		p.nonce = ""
		p.mu.Unlock()
	})
	t.Run("a session that was changed", func(t *testing.T) {
		forged := base64.RawURLEncoding.EncodeToString([]byte(`{"s":"u1","n":"Eve","r":"admin","e":99999999999,"t":"x"}`))
		for _, cookie := range []string{forged + "." + base64.RawURLEncoding.EncodeToString([]byte("signature")), forged + ".", forged, ".", ""} {
			if got := w.ask("GET", "/auth/session", "", "", "Cookie: coldtrail-session="+cookie); got.status != http.StatusUnauthorized {
				t.Errorf("%s answered %d", cookie, got.status)
			}
		}
	})
	t.Run("the cookie of a login in place of a session's", func(t *testing.T) {
		cookie := fresh.header.Get("Set-Cookie")
		_, value, _ := strings.Cut(cookie, "=")
		value, _, _ = strings.Cut(value, ";")
		if got := w.ask("GET", "/auth/session", "", "", "Cookie: coldtrail-session="+value); got.status != http.StatusUnauthorized {
			t.Errorf("answered %d", got.status)
		}
	})
	for _, to := range []string{"https://evil.example", "//evil.example", `/\evil.example`, "javascript:alert(1)", "/%0d%0aX: y", "evil", "http:evil.example"} {
		t.Run("back to "+to, func(t *testing.T) {
			got := w.browse().follow("/auth/login?return=" + url.QueryEscape(to))
			if back := got.header.Get("Location"); !strings.HasPrefix(back, "/") || strings.HasPrefix(back, "//") || strings.Contains(back, "evil") {
				t.Errorf("sent to %q", back)
			}
		})
	}
}

// TestRoleOf lets the casebook say who may what, above the provider's groups.
func TestRoleOf(t *testing.T) {
	var mu sync.Mutex
	var role server.Role
	var failure error
	w, p := startOIDC(t, func(o *server.OIDC) {
		o.RoleOf = func(context.Context, string, string) (server.Role, error) {
			mu.Lock()
			defer mu.Unlock()
			return role, failure
		}
	})
	b := w.browse()
	set := func(r server.Role, err error) {
		mu.Lock()
		defer mu.Unlock()
		role, failure = r, err
	}
	set("", server.ErrNotFound)
	if got := b.follow("/auth/login"); got.status != http.StatusSeeOther {
		t.Fatalf("signing in answered %d %s", got.status, got.body)
	}
	tests := []struct {
		name   string
		role   server.Role
		err    error
		status int
		want   string
	}{
		{"nothing was said of the person", "", server.ErrNotFound, 200, `"role":"analyst"`},
		{"a role was given", server.Operator, nil, 200, `"role":"operator"`},
		{"the person was shut out", "", errors.New("revoked"), 401, "revoked"},
		{"it cannot be told", "", server.ErrUnavailable, 503, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			set(test.role, test.err)
			for how, got := range map[string]answer{
				"session": b.ask("GET", "/auth/session", "", ""),
				"token":   w.ask("GET", "/auth/session", "", "", "Authorization: Bearer "+p.token(nil)),
			} {
				if got.status != test.status || !strings.Contains(string(got.body), test.want) {
					t.Errorf("by %s it answered %d %s", how, got.status, got.body)
				}
			}
		})
	}
}

// TestIssuerAway wants the server to run while the issuer does not, and to say so.
func TestIssuerAway(t *testing.T) {
	w := start(t, func(o *server.Options, _ *server.Parts) {
		o.OIDC = &server.OIDC{Issuer: "http://127.0.0.1:1", ClientID: "c", RedirectURL: "http://127.0.0.1/auth/callback", DiscoverEvery: 20 * time.Millisecond}
		o.Client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: time.Second}
	})
	if got := w.ask("GET", "/auth/login", "", ""); got.status != http.StatusServiceUnavailable {
		t.Errorf("signing in answered %d", got.status)
	}
	if got := w.ask("GET", "/v1/screen?subject="+cleanAddress, "", "", "Authorization: Bearer a.b.c"); got.status != http.StatusServiceUnavailable {
		t.Errorf("a token answered %d", got.status)
	}
	if got := w.ask("GET", "/v1/screen?subject="+cleanAddress, "viewer", ""); got.status != http.StatusOK {
		t.Errorf("keys do not open: %d", got.status)
	}
	eventually(t, "readyz says so", func() bool {
		got := w.ask("GET", "/readyz", "viewer", "")
		return got.status == http.StatusOK && strings.Contains(string(got.body), `{"name":"oidc","state":"degraded","detail":"`)
	})
}
