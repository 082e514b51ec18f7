package server

import (
	"encoding/json"
	"net/http"

	"coldtrail/desk"
	"coldtrail/desk/job"
)

// A problemKind is one way in which a request can fail.
type problemKind struct {
	slug   string
	status int
	title  string
	// next is what the caller can do.
	next string
}

// The problems.
var (
	problemInvalid     = &problemKind{"invalid", http.StatusBadRequest, "The request cannot be understood", "Correct what the detail names and send it again; sending the same again gives the same answer."}
	problemCredentials = &problemKind{"credentials", http.StatusUnauthorized, "Who you are is not known", "Send a key in X-API-Key or Authorization: Bearer, or sign in at /auth/login. An administrator makes keys with POST /v1/keys."}
	problemRole        = &problemKind{"role", http.StatusForbidden, "This is not yours to do", "Ask an administrator for a key of the role that is named."}
	problemForgery     = &problemKind{"forgery", http.StatusForbidden, "It is not certain that you meant this", "Send the token of GET /auth/session in X-CSRF-Token, from a page of this server."}
	problemHost        = &problemKind{"host", http.StatusForbidden, "This server answers to its own machine only", "Ask it as localhost, or run it with keys."}
	problemNotFound    = &problemKind{"not-found", http.StatusNotFound, "There is no such thing", "Look at /docs for what there is; a list names what can be asked for one by one."}
	problemMethod      = &problemKind{"method", http.StatusMethodNotAllowed, "This cannot be done here", "Use one of the methods in the header Allow."}
	problemConflict    = &problemKind{"conflict", http.StatusConflict, "The identifier is in use for something else", "Choose another identifier, or repeat exactly what was sent first."}
	problemChanged     = &problemKind{"changed", http.StatusConflict, "Somebody has changed it in the meantime", "Read it again, make the change on what is there now, and send that."}
	problemGone        = &problemKind{"gone", http.StatusGone, "It is kept no longer", "Take the whole list, without since or cursor."}
	problemTooLarge    = &problemKind{"too-large", http.StatusRequestEntityTooLarge, "The request is too large", "Send at most 4 MiB and 10,000 questions at once, 32 MiB of labels, and several requests for more."}
	problemMediaType   = &problemKind{"media-type", http.StatusUnsupportedMediaType, "The body is of a type that is not taken", "Set Content-Type to one that /docs names for this route."}
	problemRate        = &problemKind{"rate", http.StatusTooManyRequests, "Too much was asked", "Wait for as many seconds as Retry-After says. Ask about many addresses in one POST."}
	problemInternal    = &problemKind{"internal", http.StatusInternalServerError, "The server made a mistake", "Hold the payment: this is no answer. Ask again; if it stays, give the operator the detail."}
	problemNotWired    = &problemKind{"not-wired", http.StatusNotImplemented, "This server does not do that", "Ask the operator to run it with the part that is named."}
	problemUnavailable = &problemKind{"unavailable", http.StatusServiceUnavailable, "It cannot be told now", "Hold the payment: this is no answer. Ask again soon; /readyz says what is missing."}
	problemUntraceable = &problemKind{"untraceable", http.StatusConflict, "The case cannot be traced", "Correct the case file, or ingest what the detail says is not held."}
	problemFull        = &problemKind{"full", http.StatusInsufficientStorage, "There is no room to keep it", "Nothing was changed. Tell the operator that the disk is full."}
)

// problems lists all, for the document.
var problems = []*problemKind{
	problemInvalid, problemCredentials, problemRole, problemForgery, problemHost, problemNotFound, problemMethod,
	problemConflict, problemChanged, problemGone, problemTooLarge, problemMediaType, problemRate, problemInternal,
	problemNotWired, problemUnavailable, problemFull, problemUntraceable,
}

// failures says which problem an error of a part is.
var failures = []struct {
	err     error
	problem *problemKind
}{
	{ErrNotFound, problemNotFound},
	{ErrConflict, problemConflict},
	{ErrChanged, problemChanged},
	{ErrInvalid, problemInvalid},
	{ErrGone, problemGone},
	{ErrFull, problemFull},
	{ErrUnavailable, problemUnavailable},
	{desk.ErrInvalid, problemInvalid},
	{desk.ErrNotFound, problemNotFound},
	{desk.ErrGone, problemGone},
	{desk.ErrUntraceable, problemUntraceable},
	{desk.ErrUnsteady, problemUnavailable},
	{job.ErrNotFound, problemNotFound},
	{job.ErrNotDone, problemConflict},
	{job.ErrGone, problemGone},
	{job.ErrBusy, problemUnavailable},
}

// problemDocument is RFC 9457, with what can be done.
type problemDocument struct {
	Type     string `json:"type"`
	Title    string `json:"title"`
	Status   int    `json:"status"`
	Detail   string `json:"detail,omitempty"`
	Instance string `json:"instance,omitempty"`
	Next     string `json:"next"`
	// Action is set where a payment waits for the answer: it must not be taken for clean.
	Action string `json:"action,omitempty"`
}

// problem answers that it did not work, in the dialect of the route.
func (x *exchange) problem(p *problemKind, detail string) {
	h := x.Header()
	h.Del("Etag")
	h.Del("Coldtrail-Audit")
	if x.route.Dialect == Chainalysis || x.route.Dialect == Entity {
		x.foreign(p, detail)
		return
	}
	document := problemDocument{"/docs#" + p.slug, p.title, p.status, detail, x.request.URL.Path, p.next, ""}
	if x.route.Part == "screening" || x.route.Part == "venues" && x.route.Method == http.MethodPost {
		document.Action = "review"
	}
	body, err := json.Marshal(document)
	if err != nil {
		body = []byte(`{"type":"/docs#internal","status":500}`)
	}
	x.send(p.status, typeProblem, append(body, '\n'))
}
