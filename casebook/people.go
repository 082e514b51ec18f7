package casebook

import (
	"context"
	"fmt"
)

// A Person is somebody whom an OpenID Connect issuer vouches for.
type Person struct {
	Issuer  string `json:"issuer"`
	Subject string `json:"subject"` // the issuer's name for the person, never reused
	Name    string `json:"name,omitempty"`
	Mail    string `json:"mail,omitempty"` // for people to read; nothing is decided by it
	Role    Role   `json:"role"`
	// GrantedBy is empty where the first admin came from configuration.
	GrantedBy string `json:"granted_by,omitempty"`
	Granted   int64  `json:"granted"`
	Revoked   int64  `json:"revoked,omitempty"` // 0 not
	RevokedBy string `json:"revoked_by,omitempty"`
}

// ID names a person where keys and people both can act. It is a digest, because an
// issuer's address and subject may be long and hold anything.
func (p *Person) ID() string { return "person-" + digest("person", p.Issuer, p.Subject)[:16] }

// People keeps the roles of people.
type People interface {
	// GrantRole gives a person a role, instead of the one before, and lets in one who was
	// shut out.
	GrantRole(ctx context.Context, person Person) error
	// Person gives a person by issuer and subject: ErrNotFound for who was never granted a
	// role, ErrRevoked for who was shut out.
	Person(ctx context.Context, issuer, subject string) (Person, error)
	// People gives all people, also those shut out, by issuer and subject.
	People(ctx context.Context) ([]Person, error)
	// RevokeRole shuts a person out.
	RevokeRole(ctx context.Context, person Person, by string, at int64) error
}

const personColumns = `issuer, subject, name, mail, role, granted_by, granted_at, revoked_at, revoked_by`

func scanPerson(r row) (Person, error) {
	var p Person
	err := r.Scan(&p.Issuer, &p.Subject, &p.Name, &p.Mail, &p.Role, &p.GrantedBy, &p.Granted, &p.Revoked, &p.RevokedBy)
	return p, err
}

// GrantRole implements People.
func (b *SQL) GrantRole(ctx context.Context, p Person) error {
	if !p.Role.Includes(Viewer) {
		return &InvalidError{"role", fmt.Sprintf("%q is not known", p.Role)}
	}
	if p.Issuer == "" || p.Subject == "" {
		return &InvalidError{"person", "has no issuer or no subject"}
	}
	err := first(checkLine("issuer", p.Issuer), checkLine("subject", p.Subject), checkLine("name", p.Name), checkLine("mail", p.Mail), checkOptional("granted_by", p.GrantedBy))
	if err != nil {
		return err
	}
	return b.change(ctx, "grant a role", func(s session) error {
		_, err := s.exec(ctx, `INSERT INTO people (`+personColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, 0, '')
			ON CONFLICT (issuer, subject) DO UPDATE SET name = excluded.name, mail = excluded.mail, role = excluded.role,
			granted_by = excluded.granted_by, granted_at = excluded.granted_at, revoked_at = 0, revoked_by = ''`,
			p.Issuer, p.Subject, p.Name, p.Mail, p.Role, p.GrantedBy, p.Granted)
		return err
	})
}

// Person implements People.
func (b *SQL) Person(ctx context.Context, issuer, subject string) (Person, error) {
	p, err := one(ctx, b.reading(), scanPerson, `SELECT `+personColumns+` FROM people WHERE issuer = ? AND subject = ?`, issuer, subject)
	if err == nil && p.Revoked != 0 {
		err = ErrRevoked
	}
	if err != nil {
		return Person{}, fmt.Errorf("casebook: person: %w", err)
	}
	return p, nil
}

// People implements People.
func (b *SQL) People(ctx context.Context) ([]Person, error) {
	return told[[]Person]("people")(rows(ctx, b.reading(), scanPerson, `SELECT `+personColumns+` FROM people ORDER BY issuer, subject`))
}

// RevokeRole implements People.
func (b *SQL) RevokeRole(ctx context.Context, p Person, by string, at int64) error {
	if err := checkID("by", by); err != nil {
		return err
	}
	return b.change(ctx, "revoke a role", func(s session) error {
		return touched(s.exec(ctx, `UPDATE people SET revoked_at = ?, revoked_by = ? WHERE issuer = ? AND subject = ?`, max(at, 1), by, p.Issuer, p.Subject))
	})
}
