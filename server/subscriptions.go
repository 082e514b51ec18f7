package server

import (
	"context"
	"fmt"
	"net/http"

	"coldtrail/screen/exposure"
)

// held finds what has an identifier among a few.
func held[T any](x *exchange, all []T, err error, is func(*T) bool) (*T, bool) {
	if err != nil {
		x.fail(err)
		return nil, false
	}
	for i := range all {
		if is(&all[i]) {
			return &all[i], true
		}
	}
	x.problem(problemNotFound, fmt.Sprintf("%.200q is not among them", x.request.PathValue("id")))
	return nil, false
}

// one finds what has an identifier among all, or gives nil where it is new.
func one[T any](x *exchange, all func(context.Context) ([]T, error), is func(*T) bool) (*T, bool) {
	ctx, cancel := x.within()
	defer cancel()
	items, err := all(ctx)
	if err != nil {
		x.fail(err)
		return nil, false
	}
	for i := range items {
		if is(&items[i]) {
			return &items[i], true
		}
	}
	return nil, true
}

// list answers with all of something.
func list[T any](x *exchange, all func(context.Context) ([]T, error)) {
	ctx, cancel := x.within()
	defer cancel()
	items, err := all(ctx)
	if err != nil {
		x.fail(err)
		return
	}
	x.json(http.StatusOK, pageOf(items, 0, nil))
}

func listSubscriptions(x *exchange) { list(x, x.parts.Subscriptions.Subscriptions) }

func listTargets(x *exchange) { list(x, x.parts.Subscriptions.Targets) }

// subscriptionBody is what a caller says of a subscription.
type subscriptionBody struct {
	Name     string           `json:"name"`
	Target   string           `json:"target"`
	Kinds    []string         `json:"kinds"`
	Levels   []exposure.Level `json:"levels"`
	Chains   []string         `json:"chains"`
	Subjects []string         `json:"subjects"`
}

// putSubscription makes or changes a subscription.
func putSubscription(x *exchange) {
	id, ok := x.pathID("id")
	if !ok {
		return
	}
	var in subscriptionBody
	body, ok := decode(x, &in)
	if !ok {
		return
	}
	sub := Subscription{
		ID: id, Name: in.Name, Target: in.Target, Kinds: in.Kinds, Levels: in.Levels, Chains: in.Chains, Subjects: in.Subjects,
		By: x.who.id, Created: x.started.Unix(),
	}
	if sub.Target == "" {
		x.fail(invalid("target is missing: the identifier of who is told"))
		return
	}
	before, ok := one(x, x.parts.Subscriptions.Subscriptions, func(s *Subscription) bool { return s.ID == id })
	if !ok {
		return
	}
	if before != nil { // whose it is stays
		sub.By, sub.Created = before.By, before.Created
	}
	x.saveSubscription(body, sub)
}

func (x *exchange) saveSubscription(body []byte, sub Subscription) {
	ctx, cancel := x.within()
	defer cancel()
	if err := x.parts.Subscriptions.SaveSubscription(ctx, sub); err != nil {
		x.fail(err)
		return
	}
	x.change(http.StatusOK, body, sub)
}

// endSubscription ends one.
func endSubscription(x *exchange) {
	ctx, cancel := x.within()
	defer cancel()
	all, err := x.parts.Subscriptions.Subscriptions(ctx)
	sub, ok := held(x, all, err, func(s *Subscription) bool { return s.ID == x.request.PathValue("id") })
	if !ok {
		return
	}
	if sub.Ended == 0 {
		sub.Ended = x.started.Unix()
	}
	x.saveSubscription(nil, *sub)
}

// targetBody is what a caller says of a target.
type targetBody struct {
	Name    string `json:"name"`
	Kind    string `json:"kind"`
	Address string `json:"address"`
}

// putTarget makes or changes who can be told.
func putTarget(x *exchange) {
	id, ok := x.pathID("id")
	if !ok {
		return
	}
	var in targetBody
	body, ok := decode(x, &in)
	if !ok {
		return
	}
	if in.Address == "" || in.Kind != "webhook" && in.Kind != "mail" {
		x.fail(invalid("a target has an address, and its kind is webhook or mail"))
		return
	}
	x.saveTarget(body, Target{ID: id, Name: in.Name, Kind: in.Kind, Address: in.Address, By: x.who.id, Created: x.started.Unix()})
}

func (x *exchange) saveTarget(body []byte, target Target) {
	ctx, cancel := x.within()
	defer cancel()
	saved, err := x.parts.Subscriptions.SaveTarget(ctx, target)
	if err != nil {
		x.fail(err)
		return
	}
	x.change(http.StatusOK, body, saved)
}

// endTarget gives one up, with what is still to be delivered there.
func endTarget(x *exchange) {
	ctx, cancel := x.within()
	defer cancel()
	all, err := x.parts.Subscriptions.Targets(ctx)
	target, ok := held(x, all, err, func(t *Target) bool { return t.ID == x.request.PathValue("id") })
	if !ok {
		return
	}
	if target.Ended == 0 {
		target.Ended = x.started.Unix()
	}
	x.saveTarget(nil, *target)
}
