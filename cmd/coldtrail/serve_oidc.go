package main

import (
	"context"
	"errors"
	"os"

	"coldtrail/casebook"
	"coldtrail/server"
)

// oidcFlags let people in by OpenID Connect.
type oidcFlags struct {
	OIDCIssuer   string            `name:"oidc-issuer" placeholder:"URL" help:"OpenID Connect provider that people sign in with."`
	OIDCClient   string            `name:"oidc-client" placeholder:"ID" help:"This server's identifier there; its secret comes from COLDTRAIL_OIDC_SECRET."`
	OIDCRedirect string            `name:"oidc-redirect" placeholder:"URL" help:"Where the provider sends people back to: https://HOST/auth/callback."`
	OIDCClaim    string            `name:"oidc-claim" default:"groups" placeholder:"NAME" help:"Claim from which roles follow."`
	OIDCRoles    map[string]string `name:"oidc-role" placeholder:"GROUP=ROLE" help:"Which role a value of the claim gives: viewer, analyst, operator or admin."`
}

// oidc is how people are let in; nil where they are not.
func (f *oidcFlags) oidc(people casebook.People) (*server.OIDC, error) {
	if f.OIDCIssuer == "" {
		return nil, nil //nolint:nilnil // nobody signs in
	}
	if f.OIDCClient == "" || f.OIDCRedirect == "" {
		return nil, errors.New("--oidc-issuer needs --oidc-client and --oidc-redirect")
	}
	o := &server.OIDC{
		Issuer: f.OIDCIssuer, ClientID: f.OIDCClient, ClientSecret: os.Getenv("COLDTRAIL_OIDC_SECRET"), RedirectURL: f.OIDCRedirect, Claim: f.OIDCClaim,
		Roles: map[string]server.Role{},
	}
	for group, role := range f.OIDCRoles {
		o.Roles[group] = server.Role(role)
	}
	o.RoleOf = func(ctx context.Context, issuer, subject string) (server.Role, error) {
		person, err := people.Person(ctx, issuer, subject)
		switch {
		case errors.Is(err, casebook.ErrNotFound):
			return "", server.ErrNotFound
		case err != nil: // also one who was shut out
			return "", err
		}
		return server.Role(person.Role), nil
	}
	return o, nil
}
