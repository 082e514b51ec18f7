package server

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"
)

// healthz says that the process answers, and nothing more.
func healthz(x *exchange) { x.json(http.StatusOK, map[string]string{"status": "alive"}) }

// readiness is the truth about what works.
type readiness struct {
	Ready  bool       `json:"ready"`
	Parts  []Part     `json:"parts"`
	Chains []chainAge `json:"chains"`
	Queues []Queue    `json:"queues"`
}

// chainAge is how old what is known of a chain is.
type chainAge struct {
	Chain  string `json:"chain"`
	Height uint64 `json:"height"`
	// Age is in seconds. Followed says that it is counted from when the source was last
	// heard of, and not from the time of the block.
	Age      int64 `json:"age_seconds"`
	Followed bool  `json:"followed"`
	Stale    bool  `json:"stale"`
}

// readyz says whether the server does what it is for: 200 where it does, 503 where not.
func readyz(x *exchange) {
	r := readiness{Ready: true, Parts: x.ownParts(), Chains: []chainAge{}, Queues: []Queue{}}
	x.chains(&r)
	if x.parts.Health != nil {
		ctx, cancel := x.within()
		defer cancel()
		r.Parts = append(r.Parts, x.parts.Health.Parts(ctx)...)
		r.Queues = append(r.Queues, x.parts.Health.Queues()...)
	}
	for i := range r.Parts {
		p := &r.Parts[i]
		if p.Needed && p.State == Failed {
			r.Ready = false
		}
		if x.who.role == Nobody {
			p.Detail = "" // may name paths and hosts
		}
	}
	status := http.StatusOK
	if !r.Ready {
		status = http.StatusServiceUnavailable
	}
	x.json(status, r)
}

// ownParts says how what belongs to the server itself is.
func (x *exchange) ownParts() []Part {
	parts := []Part{x.screeningPart(), x.auditPart()}
	if !x.options.Open {
		parts = append(parts, x.keysPart())
	}
	if x.people != nil {
		p := Part{Name: "oidc", State: Working}
		if why := x.people.failed.Load(); x.people.issuer.Load() == nil {
			p.State = Degraded
			if why != nil {
				p.Detail = *why
			}
		}
		parts = append(parts, p)
	}
	return parts
}

func (x *exchange) screeningPart() Part {
	p := Part{Name: "screening", State: Working, Needed: true}
	switch view := x.view(); {
	case x.parts.Screening == nil:
		p.State, p.Detail = Failed, "this server runs without it"
	case view == nil:
		p.State, p.Detail = Failed, "the state of knowledge is still being loaded"
	case view.Basis().Labels == "":
		p.State, p.Detail = Degraded, "no labels are loaded: sanctions lists are not answered"
	}
	return p
}

func (x *exchange) auditPart() Part {
	p := Part{Name: "audit", State: Working, Needed: true}
	switch {
	case x.parts.Audit == nil:
		p.State, p.Needed, p.Detail = Degraded, false, "this server runs without an audit log"
	case x.audit.failing.Load():
		p.State = Failed
		p.Detail = "answers are not written down since " + time.Unix(x.audit.at.Load(), 0).UTC().Format(time.RFC3339)
	}
	return p
}

func (x *exchange) keysPart() Part {
	p := Part{Name: "keys", State: Working, Needed: true}
	read := x.keys.read.Load()
	switch {
	case x.parts.Keys == nil && x.people != nil:
		p.State, p.Needed, p.Detail = Degraded, false, "this server has no keys; people sign in"
	case x.parts.Keys == nil:
		p.State, p.Detail = Failed, "this server has no keys, and nobody can sign in"
	case read == 0:
		p.State, p.Detail = Failed, "the keys could not be read yet"
	case x.started.Sub(time.Unix(read, 0)) > x.options.KeysStale:
		p.State, p.Detail = Failed, "the keys could not be read again since "+time.Unix(read, 0).UTC().Format(time.RFC3339)
	}
	return p
}

// chains says how old what is known of each chain is. A chain that is followed and stale
// makes the server not ready; one that is not followed is what it is.
func (x *exchange) chains(r *readiness) {
	view := x.view()
	if view == nil {
		return
	}
	heads := view.Basis().Heads
	for _, chain := range slices.Sorted(maps.Keys(heads)) {
		head := heads[chain]
		age := chainAge{Chain: chain, Height: head.Height, Age: ageOf(head, x.started.Unix()), Followed: head.Seen != 0}
		age.Stale = time.Duration(age.Age)*time.Second > x.options.Stale
		if age.Stale && age.Followed {
			r.Ready = false
			r.Parts = append(r.Parts, Part{
				Name: "chain " + chain, State: Failed, Needed: true,
				Detail: fmt.Sprintf("nothing was heard of it for %d s; %d s are allowed", age.Age, int64(x.options.Stale/time.Second)),
			})
		}
		r.Chains = append(r.Chains, age)
	}
}
