package server

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"net/http"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// session is what a browser carries, signed: who has signed in, and until when.
type session struct {
	Subject string `json:"s"`
	Name    string `json:"n"`
	Role    Role   `json:"r"`
	Expires int64  `json:"e"` // Unix seconds
	// Token is to be sent with whatever changes something, which only pages of this server
	// can know.
	Token string `json:"t"`
}

// attempt is what a browser carries while it signs in.
type attempt struct {
	State    string `json:"s"`
	Nonce    string `json:"n"`
	Verifier string `json:"v"`
	Return   string `json:"r"`
	Expires  int64  `json:"e"`
}

// attemptFor is how long signing in may take.
const attemptFor = 10 * time.Minute

// The names of the cookies, and what their signatures are for.
const (
	sessionCookie = "coldtrail-session"
	attemptCookie = "coldtrail-login"
)

// random is a text that nobody can guess.
func random() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails: the program ends first
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// seal signs a value for a purpose.
func (p *people) seal(purpose string, value any) string {
	body := base64.RawURLEncoding.EncodeToString(mustJSON(value))
	return body + "." + base64.RawURLEncoding.EncodeToString(p.sign(purpose, body))
}

func (p *people) sign(purpose, body string) []byte {
	mac := hmac.New(sha256.New, p.SessionKey)
	mac.Write([]byte(purpose + "\x00" + body))
	return mac.Sum(nil)
}

// unseal reads what seal wrote for the same purpose.
func (p *people) unseal(purpose, text string, into any) bool {
	for i := len(text) - 1; i > 0; i-- {
		if text[i] != '.' {
			continue
		}
		signature, err := base64.RawURLEncoding.DecodeString(text[i+1:])
		if err != nil || !hmac.Equal(signature, p.sign(purpose, text[:i])) {
			return false
		}
		body, err := base64.RawURLEncoding.DecodeString(text[:i])
		return err == nil && json.Unmarshal(body, into) == nil
	}
	return false
}

// cookieName binds cookies to this host where they are sent over TLS only.
func (p *people) cookieName(name string) string {
	if p.secure {
		return "__Host-" + name
	}
	return name
}

func (p *people) setCookie(x *exchange, name, value string, lasting time.Duration) {
	age := int(lasting / time.Second)
	if value == "" {
		age = -1
	}
	http.SetCookie(x, &http.Cookie{ //nolint:gosec // Secure is set unless the redirect goes to plain HTTP, which is for tests and loopback
		Name: p.cookieName(name), Value: value, Path: "/", MaxAge: age, HttpOnly: true, Secure: p.secure, SameSite: http.SameSiteLaxMode,
	})
}

func (p *people) cookie(x *exchange, name string, into any) bool {
	c, err := x.request.Cookie(p.cookieName(name))
	return err == nil && p.unseal(name, c.Value, into)
}

// bySession lets in whose browser has signed in. What changes something must come from a
// page of this server: the browser says so, and the page knows the token.
func (p *people) bySession(x *exchange) (identity, *refusal) {
	var held session
	if !p.cookie(x, sessionCookie, &held) {
		return identity{}, &refusal{problemCredentials, "no credentials were sent"}
	}
	if x.started.Unix() >= held.Expires {
		return identity{}, &refusal{problemCredentials, "the time of the session is over"}
	}
	switch x.request.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
	default:
		if crossOrigin.Check(x.request) != nil || !equal(x.request.Header.Get("X-CSRF-Token"), held.Token) {
			return identity{}, &refusal{problemForgery, "the request lacks the session's token, or a page of another site caused it"}
		}
	}
	who := identity{id: personID(p.Issuer, held.Subject), name: held.Name, role: held.Role, session: &held}
	ctx, cancel := context.WithTimeout(x.request.Context(), x.options.AnswerTimeout)
	defer cancel()
	return p.confirm(ctx, who, held.Subject)
}

// login sends a browser to the issuer.
func login(x *exchange) {
	p := x.people
	known := p.issuer.Load()
	if known == nil {
		x.problem(errIssuer.problem, errIssuer.detail)
		return
	}
	try := attempt{random(), random(), oauth2.GenerateVerifier(), returnPath(x.request.URL.Query().Get("return")), x.started.Add(attemptFor).Unix()}
	p.setCookie(x, attemptCookie, p.seal(attemptCookie, try), attemptFor)
	x.redirect(known.oauth.AuthCodeURL(try.State, oidc.Nonce(try.Nonce), oauth2.S256ChallengeOption(try.Verifier)))
}

// redirect sends a browser elsewhere.
func (x *exchange) redirect(to string) {
	x.Header().Set("Location", to)
	x.WriteHeader(http.StatusSeeOther)
}

// callback takes a browser back from the issuer and signs it in.
func callback(x *exchange) {
	p := x.people
	known := p.issuer.Load()
	if known == nil {
		x.problem(errIssuer.problem, errIssuer.detail)
		return
	}
	var try attempt
	held := p.cookie(x, attemptCookie, &try)
	p.setCookie(x, attemptCookie, "", 0)
	query := x.request.URL.Query()
	switch {
	case !held || x.started.Unix() >= try.Expires:
		x.problem(problemForgery, "signing in was not begun here, or too long ago; begin again at /auth/login")
		return
	case !equal(query.Get("state"), try.State):
		x.problem(problemForgery, "the answer of the issuer belongs to another attempt; begin again at /auth/login")
		return
	case query.Get("code") == "":
		x.problem(problemCredentials, "the issuer did not let you in: "+firstOf(query.Get("error"), 100))
		return
	}
	who, refused := p.redeem(x, known, query.Get("code"), &try)
	if refused != nil {
		x.problem(refused.problem, refused.detail)
		return
	}
	p.setCookie(x, sessionCookie, p.seal(sessionCookie, who.session), p.SessionFor)
	x.record([]byte("signed in as "+string(who.role)), nil)
	x.redirect(try.Return)
}

// redeem changes the issuer's code for a token and says who it is of.
func (p *people) redeem(x *exchange, known *issuer, code string, try *attempt) (identity, *refusal) {
	ctx, cancel := x.within()
	defer cancel()
	ctx = oidc.ClientContext(ctx, p.client)
	got, err := known.oauth.Exchange(ctx, code, oauth2.VerifierOption(try.Verifier))
	if err != nil {
		x.log.Warn("a code could not be redeemed", slog.Any("error", err))
		return identity{}, &refusal{problemCredentials, "the issuer did not redeem the code; begin again at /auth/login"}
	}
	text, _ := got.Extra("id_token").(string)
	token, err := known.logins.Verify(ctx, text)
	if err != nil || !equal(token.Nonce, try.Nonce) {
		return identity{}, &refusal{problemCredentials, "the issuer's token is not for this attempt"}
	}
	who, refused := p.identify(ctx, token)
	if refused != nil {
		return identity{}, refused
	}
	x.who = who
	who.session = &session{token.Subject, who.name, who.role, x.started.Add(p.SessionFor).Unix(), random()}
	return who, nil
}

// firstOf cuts what others wrote.
func firstOf(text string, n int) string { return text[:min(len(text), n)] }

// sessionState is what a page needs to know of who has signed in.
type sessionState struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Role    Role   `json:"role"`
	Expires int64  `json:"expires,omitempty"`
	Token   string `json:"csrf_token,omitempty"`
}

// getSession says who asks.
func getSession(x *exchange) {
	state := sessionState{ID: x.who.id, Name: x.who.name, Role: x.who.role}
	if x.who.session != nil {
		state.Expires, state.Token = x.who.session.Expires, x.who.session.Token
	}
	x.json(http.StatusOK, state)
}

// logout forgets the session. Whoever makes another's browser sign out does no harm, but
// shall not be able to: the session's token is needed where there is a session.
func logout(x *exchange) {
	if x.who.session == nil {
		var held session
		if x.people.cookie(x, sessionCookie, &held) && x.started.Unix() < held.Expires {
			x.problem(problemForgery, "the request lacks the session's token")
			return
		}
	}
	x.people.setCookie(x, sessionCookie, "", 0)
	x.WriteHeader(http.StatusNoContent)
}
