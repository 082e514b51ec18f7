package server

import (
	"crypto/subtle"
	"encoding/base64"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// Role is what somebody may do. Each role includes those before it.
type Role string

// The roles, from the least.
const (
	Nobody   Role = ""         // who has not said who it is
	Viewer   Role = "viewer"   // screens and reads, and changes nothing
	Analyst  Role = "analyst"  // cases, notes, watch-lists, subscriptions, uses of venues
	Operator Role = "operator" // overrides, venues, policies, targets
	Admin    Role = "admin"    // keys
)

// Roles lists the roles that a key can have, the least first.
var Roles = []Role{Viewer, Analyst, Operator, Admin}

// Includes says whether a role may do what another may. An unknown role may nothing, and
// nobody may what needs an unknown role.
func (r Role) Includes(needed Role) bool {
	mine, wanted := r.rank(), needed.rank()
	return mine >= 0 && wanted >= 0 && mine >= wanted
}

func (r Role) rank() int {
	if r == Nobody {
		return 0
	}
	if i := slices.Index(Roles, r); i >= 0 {
		return i + 1
	}
	return -1
}

// identity is who asks.
type identity struct {
	id   string // of a key or a person
	name string
	role Role
	// session is set for who signed in with a browser, whose requests others can cause.
	session *session
}

// refusal is why credentials are not taken.
type refusal struct {
	problem *problemKind
	detail  string
}

// authenticate finds out who asks. The first kind of credentials that is sent counts; a
// wrong key is not made up for by a session.
func (x *exchange) authenticate() (identity, *refusal) {
	if x.options.Open {
		return x.openTo()
	}
	text, isBearer := credentials(x.request.Header)
	if text == "" {
		if x.people != nil {
			return x.people.bySession(x)
		}
		return identity{}, &refusal{problemCredentials, "no credentials were sent"}
	}
	if isBearer && x.people != nil && strings.Count(text, ".") == 2 {
		return x.people.byToken(x, text)
	}
	if x.parts.Keys == nil {
		return identity{}, &refusal{problemCredentials, "this server has no keys"}
	}
	digest, ok := x.parts.Keys.Digest(text)
	if !ok {
		return identity{}, &refusal{problemCredentials, "the key is not of the form of a key"}
	}
	return x.keys.find(digest, x.started.Unix())
}

// openTo lets everybody of this machine in. A page of another site could make a browser
// send requests here, under another name for this machine: those are refused.
func (x *exchange) openTo() (identity, *refusal) {
	host := x.request.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	at, err := netip.ParseAddr(strings.Trim(host, "[]"))
	if host != "localhost" && (err != nil || !at.IsLoopback()) {
		return identity{}, &refusal{problemHost, "the host that was asked for is not this machine's own name"}
	}
	if err := crossOrigin.Check(x.request); err != nil {
		return identity{}, &refusal{problemForgery, "a page of another site caused the request"}
	}
	return identity{id: "open", name: "whoever is at this machine", role: Admin}, nil
}

// crossOrigin refuses what pages of other sites make browsers send.
var crossOrigin = http.NewCrossOriginProtection()

// credentials takes the key or token out of a request: X-API-Key, Token as Chainalysis
// has it, Authorization as Bearer, or as Basic with the key for a name as TRM has it.
func credentials(h http.Header) (text string, isBearer bool) {
	if v := h["X-Api-Key"]; len(v) == 1 {
		return v[0], false
	}
	if v := h["Authorization"]; len(v) == 1 {
		scheme, rest, _ := strings.Cut(v[0], " ")
		switch {
		case strings.EqualFold(scheme, "Bearer"):
			return strings.TrimSpace(rest), true
		case strings.EqualFold(scheme, "Basic"):
			raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(rest))
			if err != nil {
				return "?", false
			}
			name, _, _ := strings.Cut(string(raw), ":")
			return name, false
		}
		return "?", false
	}
	if v := h["Token"]; len(v) == 1 {
		return v[0], false
	}
	return "", false
}

// equal compares without telling by the time where two texts differ.
func equal(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// addressOf names a stranger: the IPv4 address, or the /64 of an IPv6 address, of which
// anybody has plenty.
func addressOf(r *http.Request) string {
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return "@?"
	}
	addr := at.Addr().Unmap()
	if addr.Is6() {
		if prefix, err := addr.Prefix(64); err == nil {
			return "@" + prefix.String()
		}
	}
	return "@" + addr.String()
}
