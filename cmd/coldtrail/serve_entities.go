package main

import (
	"context"
	"errors"
	"slices"
	"strings"

	"coldtrail/attribution"
	"coldtrail/attribution/label"
	"coldtrail/casebook"
	"coldtrail/register"
	"coldtrail/server"
)

// Entity is somebody, by his identifier or by a name that nobody else has.
func (l *library) Entity(ctx context.Context, name string, addresses int) (server.EntityPage, error) {
	c, err := l.labels.now(ctx)
	if err != nil {
		return server.EntityPage{}, err
	}
	x, err := actorNamed(c.actors, name)
	if errors.Is(err, server.ErrNotFound) && c.named[name] != nil { // no list of actors has him
		x, err = &attribution.Actor{ID: name, Label: name}, nil
	}
	if err != nil {
		return server.EntityPage{}, err
	}
	p := server.EntityPage{
		Actor: serverActor(c.actors, x), Parents: notNull(x.Parents), Members: []string{},
		Incidents: l.theftsOf(c.actors, x.ID), Claims: entityClaims(x.Claims), Addresses: []server.EntityAddress{},
	}
	for actor, by := range c.named {
		switch ids := c.actors.Line(actor); {
		case len(ids) > 0 && ids[0] == x.ID:
			p.Named += by.count
			p.Addresses = append(p.Addresses, by.first...)
		case c.actors.Is(actor, x.ID):
			p.OfMembers += by.count
		}
	}
	slices.SortFunc(p.Addresses, func(a, b server.EntityAddress) int {
		return (label.Subject{Network: label.Network(a.Network), Address: a.Address}).Compare(label.Subject{Network: label.Network(b.Network), Address: b.Address})
	})
	p.Addresses = p.Addresses[:min(len(p.Addresses), addresses)]
	for i := range p.Addresses {
		a := &p.Addresses[i]
		a.Address = asWritten(label.Subject{Network: label.Network(a.Network), Address: a.Address})
	}
	for _, id := range c.actors.Under(x.ID) {
		if id != x.ID {
			p.Members = append(p.Members, id)
		}
	}
	return p, nil
}

// notNull is a list that JSON never writes as null.
func notNull[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// actorNamed finds one actor.
func actorNamed(actors *attribution.Actors, name string) (*attribution.Actor, error) {
	found := actors.Find(name)
	if at := slices.IndexFunc(found, func(x *attribution.Actor) bool { return x.ID == name }); at >= 0 {
		return found[at], nil
	}
	switch len(found) {
	case 0:
		return nil, refuse(server.ErrNotFound, "nobody is known by the name %.100q", name)
	case 1:
		return found[0], nil
	}
	var ids []string
	for _, x := range found {
		ids = append(ids, x.ID)
	}
	return nil, refuse(server.ErrInvalid, "%.100q is the name of several: %s; ask for one of them", name, strings.Join(ids, ", "))
}

func serverActor(actors *attribution.Actors, x *attribution.Actor) server.Actor {
	return server.Actor{
		ID: x.ID, Label: x.Label, Names: notNull(x.Names), Line: notNull(actors.Line(x.ID)), Jurisdictions: notNull(x.Jurisdictions),
	}
}

// theftsOf lists the thefts that the register or a claim attributes to an actor or to whom
// he commands, newest first.
func (l *library) theftsOf(actors *attribution.Actors, id string) []server.EntityTheft {
	list := []server.EntityTheft{}
	for i := range l.known.Incidents {
		in := &l.known.Incidents[i]
		for _, by := range in.By {
			if actors.Is(by.Actor, id) {
				list = append(list, server.EntityTheft{ID: in.ID, Title: in.Title, Date: in.Date, Actor: by.Actor, By: by.By})
			}
		}
	}
	for _, in := range actors.Incidents(id) {
		theft := server.EntityTheft{ID: in.Case, Actor: in.By.Actor, By: in.By.By}
		at := slices.IndexFunc(l.known.Incidents, func(x register.Incident) bool { return x.ID == in.Case || x.Case == in.Case })
		if at >= 0 {
			theft.ID, theft.Title, theft.Date = l.known.Incidents[at].ID, l.known.Incidents[at].Title, l.known.Incidents[at].Date
		}
		if !slices.ContainsFunc(list, func(x server.EntityTheft) bool { return x.ID == theft.ID && x.Actor == theft.Actor && x.By == theft.By }) {
			list = append(list, theft)
		}
	}
	slices.SortStableFunc(list, func(a, b server.EntityTheft) int { return strings.Compare(b.Date, a.Date) })
	return list
}

// entityClaims are claims about an actor or a theft, surest first.
func entityClaims(claims []label.Claim) []server.EntityClaim {
	list := []server.EntityClaim{}
	for i := range claims {
		c := &claims[i]
		list = append(list, server.EntityClaim{Label: serverLabel(c), Parent: c.Parent, Aliases: notNull(c.Aliases), Jurisdictions: notNull(c.Jurisdictions)})
	}
	return list
}

func serverLabel(c *label.Claim) server.Label {
	return server.Label{
		ID: c.ID().String(), Label: c.Label, Actor: c.Actor, Category: c.Concept, Abuse: c.Abuse, Confidence: int(c.Score), By: c.By,
		Source: c.Source, Why: c.Why, From: c.From, Until: c.Until, Learned: c.Learned,
	}
}

// Incident is a theft, by its identifier or that of its case.
func (l *library) Incident(ctx context.Context, id string) (server.IncidentPage, error) {
	at := slices.IndexFunc(l.known.Incidents, func(x register.Incident) bool { return x.ID == id })
	if at < 0 {
		at = slices.IndexFunc(l.known.Incidents, func(x register.Incident) bool { return x.Case == id })
	}
	if at < 0 {
		return server.IncidentPage{}, refuse(server.ErrNotFound, "the register has no theft %.100q", id)
	}
	in := l.known.Incidents[at]
	catalogue, err := l.labels.now(ctx)
	if err != nil {
		return server.IncidentPage{}, err
	}
	statuses, err := l.store.Status(ctx)
	if err != nil {
		return server.IncidentPage{}, err
	}
	in.Losses, in.By = notNull(in.Losses), notNull(in.By)
	p := server.IncidentPage{
		Incident: in, Actors: []server.Actor{}, Assets: []server.AssetLine{}, Claims: []server.EntityClaim{}, Cases: []string{}, Sources: []register.Source{}, Register: l.known.Digest(),
	}
	c := &citations{register: l.known}
	c.incident(&in)
	p.Sources = append(p.Sources, c.list...)
	for _, by := range in.By {
		for _, x := range catalogue.actors.Find(by.Actor) {
			if !slices.ContainsFunc(p.Actors, func(a server.Actor) bool { return a.ID == x.ID }) {
				p.Actors = append(p.Actors, serverActor(catalogue.actors, x))
			}
		}
	}
	for i := range in.Losses {
		row, ok := l.known.Asset(in.Losses[i].Asset)
		if ok && !slices.ContainsFunc(p.Assets, func(x server.AssetLine) bool { return x.Asset == row.Asset }) {
			p.Assets = append(p.Assets, lineOf(row, statuses))
		}
	}
	return p, l.casesOf(ctx, &in, &p)
}

// casesOf adds the cases of the casebook that follow a theft, and what claims say of who
// did it.
func (l *library) casesOf(ctx context.Context, in *register.Incident, p *server.IncidentPage) error {
	ids := slices.Compact(slices.DeleteFunc([]string{in.Case, in.ID}, func(id string) bool { return id == "" }))
	for _, id := range ids {
		_, err := l.book.Case(ctx, id)
		switch {
		case errors.Is(err, casebook.ErrNotFound):
		case err != nil:
			return answered(err)
		default:
			p.Cases = append(p.Cases, id)
		}
		lists, err := l.store.Claims(ctx, []label.Subject{{Network: label.IncidentNetwork, Address: id}})
		if err != nil {
			return err
		}
		claims := label.At(lists[0], label.When{})
		p.Claims = append(p.Claims, entityClaims(claims)...)
	}
	return nil
}
