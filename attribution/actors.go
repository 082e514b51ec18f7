package attribution

import (
	"context"
	"slices"
	"strings"
	"sync"

	"coldtrail/attribution/label"
	"coldtrail/store"
)

// Actor is who may be behind addresses, as all sources together have it. Where they
// differ, all of it is here.
type Actor struct {
	ID            string        `json:"id"`
	Label         string        `json:"label"` // of the surest claim
	Names         []string      `json:"names"` // labels and aliases of all claims, each once
	Parents       []string      `json:"parents,omitempty"`
	Jurisdictions []string      `json:"jurisdictions,omitempty"`
	Claims        []label.Claim `json:"claims"` // surest first
}

// Incident is a theft and whom somebody holds responsible.
type Incident struct {
	Case string      `json:"case"`
	By   label.Claim `json:"claim"`
}

// Actors are who is known of, and who belongs to whom, as of a moment. They are safe for
// concurrent use.
type Actors struct {
	byID      map[string]*Actor
	byName    map[string][]string // identifiers, by folded name
	incidents []Incident

	turn  sync.Mutex          // of what follows
	under map[string][]string // asked before, at most mostUnder names
}

// LoadActors reads what counts at a moment.
func LoadActors(ctx context.Context, s store.Labels, when label.When) (*Actors, error) {
	a := &Actors{byID: map[string]*Actor{}, byName: map[string][]string{}, under: map[string][]string{}}
	if err := EachSubject(ctx, s, label.ActorNetwork, when, a.add); err != nil {
		return nil, err
	}
	err := EachSubject(ctx, s, label.IncidentNetwork, when, func(subject label.Subject, claims []label.Claim) error {
		for _, c := range claims {
			a.incidents = append(a.incidents, Incident{subject.Address, c})
		}
		return nil
	})
	for id, actor := range a.byID {
		for _, name := range append([]string{id}, actor.Names...) {
			key := label.Fold(name)
			if key != "" && !slices.Contains(a.byName[key], id) {
				a.byName[key] = append(a.byName[key], id)
				slices.Sort(a.byName[key])
			}
		}
	}
	return a, err
}

func (a *Actors) add(subject label.Subject, claims []label.Claim) error {
	x := &Actor{ID: subject.Address, Label: claims[0].Label, Claims: claims}
	for i := range claims {
		c := &claims[i]
		for _, name := range append([]string{c.Label}, c.Aliases...) {
			x.Names = addOnce(x.Names, name)
		}
		if c.Parent != "" {
			x.Parents = addOnce(x.Parents, c.Parent)
		}
		for _, home := range c.Jurisdictions {
			x.Jurisdictions = addOnce(x.Jurisdictions, home)
		}
	}
	a.byID[x.ID] = x
	return nil
}

func addOnce(list []string, text string) []string {
	if text == "" || slices.Contains(list, text) {
		return list
	}
	return append(list, text)
}

// Find lists the actors of a name, an alias or an identifier: several where sources give
// one name to several.
func (a *Actors) Find(name string) (list []*Actor) {
	for _, id := range a.byName[label.Fold(name)] {
		list = append(list, a.byID[id])
	}
	return list
}

// resolve is the identifier that a name stands for, or the name itself.
func (a *Actors) resolve(name string) string {
	if a.byID[name] != nil {
		return name
	}
	if ids := a.byName[label.Fold(name)]; len(ids) > 0 {
		return ids[0]
	}
	return name
}

// maxLine bounds how long a line of parents is followed, which hostile lists could close
// to a ring.
const maxLine = 16

// Line is an actor and everybody it belongs to, nearest first, along the parents of the
// surest claims up to a state.
func (a *Actors) Line(name string) (ids []string) {
	id := a.resolve(name)
	for id != "" && !slices.Contains(ids, id) && len(ids) < maxLine {
		ids = append(ids, id)
		x := a.byID[id]
		if x == nil || len(x.Parents) == 0 {
			break
		}
		id = a.resolve(x.Parents[0])
	}
	return ids
}

// mostUnder bounds what is kept of names that were asked for.
const mostUnder = 10_000

// Under lists an actor and everybody that belongs to it by any claim, sorted.
func (a *Actors) Under(name string) []string {
	a.turn.Lock()
	defer a.turn.Unlock()
	if list, ok := a.under[name]; ok {
		return list
	}
	found := map[string]bool{a.resolve(name): true}
	for grown := true; grown; {
		grown = false
		for id, x := range a.byID {
			if !found[id] && slices.ContainsFunc(x.Parents, func(p string) bool { return found[a.resolve(p)] }) {
				found[id], grown = true, true
			}
		}
	}
	list := make([]string, 0, len(found))
	for id := range found {
		list = append(list, id)
	}
	slices.Sort(list)
	if len(a.under) < mostUnder {
		a.under[name] = list
	}
	return list
}

// Is says whether somebody, by any name, is an actor or belongs to it.
func (a *Actors) Is(name, actor string) bool {
	return name != "" && slices.Contains(a.Under(actor), a.resolve(name))
}

// Incidents lists the thefts that somebody attributes to an actor or to anybody under
// it.
func (a *Actors) Incidents(name string) (list []Incident) {
	under := a.Under(name)
	for _, x := range a.incidents {
		if slices.Contains(under, a.resolve(x.By.Actor)) {
			list = append(list, x)
		}
	}
	return list
}

// All lists every actor, by identifier.
func (a *Actors) All() []*Actor {
	list := make([]*Actor, 0, len(a.byID))
	for _, x := range a.byID {
		list = append(list, x)
	}
	slices.SortFunc(list, func(x, y *Actor) int { return strings.Compare(x.ID, y.ID) })
	return list
}

// Addresses lists, by identifier of the actor, how many addresses claims give to an
// actor and to everybody under it.
func (a *Actors) Addresses(ctx context.Context, s store.Labels, name string, when label.When) (map[string]int, error) {
	count := map[string]int{}
	err := EachSubject(ctx, s, "", when, func(_ label.Subject, claims []label.Claim) error {
		named := map[string]bool{}
		for i := range claims {
			if claims[i].OnAddress() && a.Is(claims[i].Actor, name) {
				named[a.resolve(claims[i].Actor)] = true
			}
		}
		for id := range named {
			count[id]++
		}
		return nil
	})
	return count, err
}
