package server

import (
	"net/http"
	"strings"
)

func listKeys(x *exchange) { list(x, x.parts.Keys.Keys) }

// keyBody is what a caller says of a new key.
type keyBody struct {
	Name    string `json:"name"`
	Role    Role   `json:"role"`
	Expires int64  `json:"expires"`
}

// newKey is a key with its text, which is told once.
type newKey struct {
	Key
	Secret string `json:"secret,omitempty"`
}

// postKey makes a key.
func postKey(x *exchange) {
	var in keyBody
	body, ok := decode(x, &in)
	if !ok {
		return
	}
	switch {
	case strings.TrimSpace(in.Name) == "" || len(in.Name) > maxName:
		x.fail(invalid("a key has a name of at most %d bytes, which says whose it is", maxName))
		return
	case !in.Role.Includes(Viewer):
		x.fail(invalid("the role is none of viewer, analyst, operator and admin"))
		return
	case in.Expires != 0 && in.Expires <= x.started.Unix():
		x.fail(invalid("expires is in the past"))
		return
	}
	ctx, cancel := x.within()
	defer cancel()
	added, text, err := x.parts.Keys.AddKey(ctx, Key{Name: in.Name, Role: in.Role, Expires: in.Expires, CreatedBy: x.who.id, Created: x.started.Unix()})
	if err != nil {
		x.fail(err)
		return
	}
	x.refreshKeys(ctx)
	x.change(http.StatusCreated, body, newKey{added, text})
}

// revokeKey ends a key for good, here at once.
func revokeKey(x *exchange) {
	id, ok := x.pathID("id")
	if !ok {
		return
	}
	ctx, cancel := x.within()
	defer cancel()
	if err := x.parts.Keys.RevokeKey(ctx, id, x.who.id, x.started.Unix()); err != nil {
		x.fail(err)
		return
	}
	x.refreshKeys(ctx)
	x.record(nil, nil)
	x.WriteHeader(http.StatusNoContent)
}
