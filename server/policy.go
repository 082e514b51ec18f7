package server

import (
	"net/http"
	"strings"
)

// getPolicy gives the policy that counts.
func getPolicy(x *exchange) {
	ctx, cancel := x.within()
	defer cancel()
	policy, err := x.parts.Policies.Policy(ctx)
	if err != nil {
		x.fail(err)
		return
	}
	h := x.Header()
	h.Set("ETag", `"`+policy.Digest+`"`)
	x.json(http.StatusOK, policy)
}

// draft reads a policy that is to be tried or to count.
func (x *exchange) draft() (Draft, []byte, bool) {
	var d Draft
	body, ok := decode(x, &d)
	if !ok {
		return d, nil, false
	}
	if strings.TrimSpace(d.Text) == "" {
		x.fail(invalid("the text of the policy is missing"))
		return d, nil, false
	}
	d.By, d.At = x.who.id, x.started.Unix()
	return d, body, true
}

// tryPolicy says what a policy would decide otherwise, and changes nothing.
func tryPolicy(x *exchange) {
	d, body, ok := x.draft()
	if !ok {
		return
	}
	ctx, cancel := x.within()
	defer cancel()
	run, err := x.parts.Policies.DryRun(ctx, d)
	if err != nil {
		x.fail(err)
		return
	}
	if run.Moves == nil {
		run.Moves = map[string]int{}
	}
	if run.Examples == nil {
		run.Examples = []DryRunExample{}
	}
	x.change(http.StatusOK, body, run)
}

// putPolicy makes a policy the one that counts.
func putPolicy(x *exchange) {
	d, body, ok := x.draft()
	if !ok {
		return
	}
	if strings.TrimSpace(d.Reason) == "" {
		x.fail(invalid("a reason is missing: why this policy is to count"))
		return
	}
	ctx, cancel := x.within()
	defer cancel()
	policy, err := x.parts.Policies.Activate(ctx, d)
	if err != nil {
		x.fail(err)
		return
	}
	x.change(http.StatusOK, body, policy)
}
