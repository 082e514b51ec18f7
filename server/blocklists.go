package server

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// listBlocklists says which lists are published.
func listBlocklists(x *exchange) {
	ctx, cancel := x.within()
	defer cancel()
	lists, err := x.parts.Blocklists.Blocklists(ctx)
	if err != nil {
		x.fail(err)
		return
	}
	x.json(http.StatusOK, pageOf(lists, 0, nil))
}

// getBlocklist sends a list, what changed since a revision, or the signature of either.
// The name is that of the list, or of its file: NAME.csv, NAME.txt, and .minisig behind.
func getBlocklist(x *exchange) {
	name, ok := x.pathID("name")
	if !ok {
		return
	}
	name, isSignature := strings.CutSuffix(name, ".minisig")
	which := Edition{Name: strings.TrimSuffix(name, ".jsonl"), Form: Lines}
	for _, form := range []Form{Table, Plain} {
		if bare, ok := strings.CutSuffix(name, "."+string(form)); ok {
			which.Name, which.Form = bare, form
		}
	}
	if which.Since, ok = x.since(which.Form); !ok {
		return
	}
	ctx, cancel := x.within()
	defer cancel()
	p, err := x.parts.Blocklists.Publication(ctx, which)
	if err != nil {
		x.fail(err)
		return
	}
	x.publish(p, &which, isSignature)
}

// since reads the revision that the caller holds.
func (x *exchange) since(form Form) (revision uint64, ok bool) {
	for name, values := range x.request.URL.Query() {
		if name != "since" || len(values) != 1 {
			x.problem(problemInvalid, fmt.Sprintf("there is no parameter %.50q, or it is there twice; there is since", name))
			return 0, false
		}
		n, err := strconv.ParseUint(values[0], 10, 53)
		if err != nil || n == 0 || form != Lines {
			x.problem(problemInvalid, "since is the number of a revision, and only the list in lines of JSON has differences")
			return 0, false
		}
		revision = n
	}
	return revision, true
}

// publish sends a file, unless the caller holds it.
func (x *exchange) publish(p *Publication, which *Edition, isSignature bool) { //nolint:revive // which of two files of one publication
	h := x.Header()
	h.Set("Coldtrail-Revision", strconv.FormatUint(p.Revision, 10))
	h.Set("Cache-Control", "no-cache")
	body, contentType := p.Body, map[Form]string{Lines: "application/jsonl", Table: "text/csv; charset=utf-8", Plain: "text/plain; charset=utf-8"}[which.Form]
	if isSignature {
		body, contentType = p.Signature, "text/plain; charset=utf-8"
		if body == nil {
			x.problem(problemNotFound, "the lists of this server are not signed")
			return
		}
	} else {
		if p.Signature != nil {
			h.Set("Coldtrail-Signature", base64.StdEncoding.EncodeToString(p.Signature))
		}
		if p.ETag != "" {
			h.Set("ETag", p.ETag)
			if matches(x.request.Header.Get("If-None-Match"), p.ETag) {
				x.WriteHeader(http.StatusNotModified)
				return
			}
		}
		if which.Since != 0 && which.Since == p.Revision {
			x.WriteHeader(http.StatusNoContent)
			return
		}
	}
	x.send(http.StatusOK, []string{contentType}, body)
}

// matches compares as If-None-Match does, weakly (RFC 9110, section 13.1.2).
func matches(header, tag string) bool {
	tag = strings.TrimPrefix(tag, "W/")
	for part := range strings.SplitSeq(header, ",") {
		part = strings.TrimSpace(part)
		if part == "*" || strings.TrimPrefix(part, "W/") == tag && part != "" {
			return true
		}
	}
	return false
}
