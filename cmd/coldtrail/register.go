package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"coldtrail"
	"coldtrail/attribution"
	"coldtrail/attribution/feed"
	"coldtrail/attribution/label"
	"coldtrail/register"
	"coldtrail/store"
	"coldtrail/store/memory"
)

// bundledRegister is the register that the program brings.
const bundledRegister = "testdata/register/register.yaml"

// registerFlags name registers of the user's own.
type registerFlags struct {
	Register []string `placeholder:"FILE" sep:"none" type:"existingfile" help:"Registers of your own, on top of the bundled one (docs/formats/register.md)."`
}

// open reads the bundled register and the user's own.
func (f *registerFlags) open() (*register.Register, error) {
	from, err := coldtrail.Bundled.Open(bundledRegister)
	if err != nil {
		return nil, err
	}
	r, err := register.Parse(bundledRegister, from, nil)
	if err = errors.Join(err, from.Close()); err != nil {
		return nil, err
	}
	for _, name := range f.Register {
		own, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		r, err = register.Parse(name, own, r)
		if err = errors.Join(err, own.Close()); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// bundledActors is the list of actors that the program brings.
const bundledActors = "testdata/actors/actors.yaml"

// whoIsWhoWith is whoIsWho, where somebody has to be known by a name; empty is nobody.
func whoIsWhoWith(ctx context.Context, from store.Labels, when label.When, name string) (*attribution.Actors, error) {
	actors, err := whoIsWho(ctx, from, when)
	if err == nil && name != "" && len(actors.Find(name)) == 0 {
		return nil, fmt.Errorf("nobody is known by the name %q; coldtrail actors list names those who are", name)
	}
	return actors, err
}

// whoIsWho are the actors that the program brings, and those of a store on top.
func whoIsWho(ctx context.Context, from store.Labels, when label.When) (*attribution.Actors, error) {
	all := memory.New()
	f, err := coldtrail.Bundled.Open(bundledActors)
	if err != nil {
		return nil, err
	}
	batch, err := feed.Read("actors.yaml", f, feed.ActorPack, feed.Options{Learned: 1})
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, err
	}
	if _, err := attribution.NewImporter(all).Import(ctx, batch, false); err != nil {
		return nil, fmt.Errorf("bundled actors: %w", err)
	}
	for _, network := range []label.Network{label.ActorNetwork, label.IncidentNetwork} {
		var claims []label.Claim
		for c, err := range from.ClaimsOn(ctx, network) {
			if err != nil {
				return nil, err
			}
			claims = append(claims, *c)
		}
		if _, err := all.AddClaims(ctx, claims); err != nil {
			return nil, err
		}
	}
	return attribution.LoadActors(ctx, all, when)
}
