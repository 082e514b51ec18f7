package server

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// OIDC lets people in by OpenID Connect: with a token that their tools send, or with a
// browser that signs in.
type OIDC struct {
	Issuer string
	// ClientID and ClientSecret are this server's with the issuer. The secret may be empty
	// for a public client; PKCE is used in any case.
	ClientID, ClientSecret string
	// Audience is what tokens that tools send must be for; empty is ClientID.
	Audience string
	// RedirectURL is where the issuer sends browsers back to: https://HOST/auth/callback.
	RedirectURL string
	// Scopes are asked for beside openid; nil is profile.
	Scopes []string
	// Claim holds what roles follow from: a text, or a list of texts; "groups" by default.
	// Roles says which role each gives; the highest counts. Who has none is not let in.
	Claim string
	Roles map[string]Role
	// RoleOf says which role a person has been given, or that he was shut out, by an error.
	// ErrNotFound leaves it to the claim, as nil does for all.
	RoleOf func(ctx context.Context, issuer, subject string) (Role, error)
	// SessionKey signs sessions; empty is a random one, and sessions end with the process.
	SessionKey []byte
	// SessionFor is how long a browser stays signed in; 8 h.
	SessionFor time.Duration
	// DiscoverEvery is how often the issuer is asked again for its keys' place while it
	// does not answer; 30 s.
	DiscoverEvery time.Duration
}

// complete fills in the defaults and refuses what cannot be right.
func (o *OIDC) complete() error {
	issuer, err := url.Parse(o.Issuer)
	if err != nil || issuer.Host == "" || issuer.Scheme != "https" && issuer.Scheme != "http" {
		return fmt.Errorf("OpenID Connect: issuer %q is no URL", o.Issuer)
	}
	if o.ClientID == "" {
		return errors.New("OpenID Connect: there is no client identifier")
	}
	back, err := url.Parse(o.RedirectURL)
	if err != nil || back.Path != "/auth/callback" {
		return fmt.Errorf("OpenID Connect: %q does not lead to /auth/callback", o.RedirectURL)
	}
	for value, role := range o.Roles {
		if !role.Includes(Viewer) {
			return fmt.Errorf("OpenID Connect: %s has the role %q, which is not known", value, role)
		}
	}
	if n := len(o.SessionKey); n > 0 && n < 32 {
		return errors.New("OpenID Connect: the key of sessions has fewer than 32 bytes")
	}
	o.Audience, o.Claim = unless(o.Audience, o.ClientID), unless(o.Claim, "groups")
	o.SessionFor, o.DiscoverEvery = unless(o.SessionFor, 8*time.Hour), unless(o.DiscoverEvery, 30*time.Second)
	if o.Scopes == nil {
		o.Scopes = []string{"profile"}
	}
	if len(o.SessionKey) == 0 {
		o.SessionKey = make([]byte, 32)
		if _, err := rand.Read(o.SessionKey); err != nil {
			return fmt.Errorf("OpenID Connect: %w", err)
		}
	}
	return nil
}

// people lets people in.
type people struct {
	*OIDC
	log    *slog.Logger
	client *http.Client
	now    func() time.Time
	secure bool // cookies only over TLS
	issuer atomic.Pointer[issuer]
	// failed is why the issuer could not be asked, empty where it could.
	failed atomic.Pointer[string]
}

// issuer is what is known of the provider once it has answered.
type issuer struct {
	tokens, logins *oidc.IDTokenVerifier
	oauth          oauth2.Config
}

func newPeople(o *Options) *people {
	return &people{OIDC: o.OIDC, log: o.Log, client: o.Client, now: o.Now, secure: strings.HasPrefix(o.OIDC.RedirectURL, "https://")}
}

// discover asks the issuer where its keys are, until it has said so once.
func (p *people) discover(ctx context.Context) {
	if p.issuer.Load() != nil {
		return
	}
	// The keys are fetched later, whenever a new one is used, so their context must not end.
	provider, err := oidc.NewProvider(oidc.ClientContext(context.WithoutCancel(ctx), p.client), p.Issuer)
	if err != nil {
		if ctx.Err() == nil {
			why := err.Error()
			p.failed.Store(&why)
			p.log.Warn("the OpenID Connect issuer does not answer; nobody can sign in", slog.Any("error", err))
		}
		return
	}
	p.issuer.Store(&issuer{
		tokens: provider.Verifier(&oidc.Config{ClientID: p.Audience, Now: p.now}),
		logins: provider.Verifier(&oidc.Config{ClientID: p.ClientID, Now: p.now}),
		oauth: oauth2.Config{
			ClientID: p.ClientID, ClientSecret: p.ClientSecret, Endpoint: provider.Endpoint(),
			RedirectURL: p.RedirectURL, Scopes: append([]string{oidc.ScopeOpenID}, p.Scopes...),
		},
	})
	p.failed.Store(nil)
}

var errIssuer = &refusal{problemUnavailable, "the OpenID Connect issuer has not answered yet"}

// byToken lets in who sends a token of the issuer's.
func (p *people) byToken(x *exchange, text string) (identity, *refusal) {
	known := p.issuer.Load()
	if known == nil {
		return identity{}, errIssuer
	}
	ctx, cancel := x.within()
	defer cancel()
	token, err := known.tokens.Verify(oidc.ClientContext(ctx, p.client), text)
	if err != nil {
		x.log.Debug("a token was refused", slog.Any("error", err))
		return identity{}, &refusal{problemCredentials, "the token is not one of the issuer's for this server, or its time is over"}
	}
	return p.identify(ctx, token)
}

// identify says who a token is of, and what he may.
func (p *people) identify(ctx context.Context, token *oidc.IDToken) (identity, *refusal) {
	var claims map[string]json.RawMessage
	if err := token.Claims(&claims); err != nil {
		return identity{}, &refusal{problemCredentials, "the token's claims cannot be read"}
	}
	var name string
	for _, claim := range []string{"name", "preferred_username", "email"} {
		if json.Unmarshal(claims[claim], &name) == nil && name != "" {
			break
		}
	}
	who := identity{id: personID(token.Issuer, token.Subject), name: name, role: p.roleBy(claims[p.Claim])}
	return p.confirm(ctx, who, token.Subject)
}

// confirm asks whether a person was given another role, or was shut out.
func (p *people) confirm(ctx context.Context, who identity, subject string) (identity, *refusal) {
	if p.RoleOf != nil {
		role, err := p.RoleOf(ctx, p.Issuer, subject)
		switch {
		case err == nil:
			who.role = role
		case errors.Is(err, ErrUnavailable), ctx.Err() != nil:
			return identity{}, &refusal{problemUnavailable, "it cannot be told now which role you have"}
		case !errors.Is(err, ErrNotFound):
			return identity{}, &refusal{problemCredentials, "your access was revoked"}
		}
	}
	if !who.role.Includes(Viewer) {
		return identity{}, &refusal{problemRole, who.id + " has no role here"}
	}
	return who, nil
}

// roleBy gives the highest role that follows from a claim.
func (p *people) roleBy(claim json.RawMessage) Role {
	var values []string
	if json.Unmarshal(claim, &values) != nil {
		var value string
		if json.Unmarshal(claim, &value) != nil {
			return Nobody
		}
		values = []string{value}
	}
	best := Nobody
	for _, v := range values {
		if role, ok := p.Roles[v]; ok && role.Includes(best) {
			best = role
		}
	}
	return best
}

// personID names a person where keys and people both can act. It is a digest, because an
// issuer's address and subject may be long and hold anything.
func personID(issuer, subject string) string {
	sum := sha256.Sum256(mustJSON([]string{"person", issuer, subject}))
	return "person-" + hex.EncodeToString(sum[:8])
}

// returnPath keeps the way back after signing in to this server's own pages.
func returnPath(asked string) string {
	u, err := url.Parse(asked)
	if err != nil || u.Scheme != "" || u.Host != "" || !strings.HasPrefix(u.Path, "/") || strings.HasPrefix(u.Path, "//") || strings.Contains(asked, `\`) ||
		slices.ContainsFunc([]rune(asked), func(c rune) bool { return c < ' ' }) {
		return "/docs"
	}
	return u.RequestURI()
}
