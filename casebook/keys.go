package casebook

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Role is what somebody may do. Each role includes those before it.
type Role string

// The roles, from the least.
const (
	Viewer   Role = "viewer"   // screens and reads
	Analyst  Role = "analyst"  // opens cases, writes notes, keeps watch-lists
	Operator Role = "operator" // overrides breakers, activates policies
	Admin    Role = "admin"    // gives and takes keys and roles
)

// Roles lists all roles, the least first.
var Roles = []Role{Viewer, Analyst, Operator, Admin}

// Includes says whether a role may do what another may. An unknown role may nothing, and
// nobody may what needs an unknown role.
func (r Role) Includes(needed Role) bool {
	mine, wanted := slices.Index(Roles, r), slices.Index(Roles, needed)
	return mine >= 0 && wanted >= 0 && mine >= wanted
}

var (
	// ErrRevoked says that a key or a person was shut out.
	ErrRevoked = errors.New("access was revoked")
	// ErrExpired says that a key's time is over.
	ErrExpired = errors.New("access has expired")
)

// secretPrefix marks keys, so that scanners for leaked secrets find them.
const secretPrefix = "ctk_"

// A Secret is an API key: 256 random bits from the caller.
type Secret [32]byte

// Text is the key as its owner gets it, once.
func (s Secret) Text() string { return secretPrefix + hex.EncodeToString(s[:]) }

// String keeps the secret out of logs.
func (s Secret) String() string { return secretPrefix + "(secret)" }

// GoString keeps the secret out of logs.
func (s Secret) GoString() string { return s.String() }

// ParseSecret reads a key. What is wrong with it is not told, nor is the text.
func ParseSecret(text string) (Secret, error) {
	var s Secret
	digits, ok := strings.CutPrefix(text, secretPrefix)
	if !ok || len(digits) != 2*len(s) {
		return Secret{}, &InvalidError{"key", "is not of the form " + secretPrefix + " and 64 hexadecimal digits"}
	}
	if _, err := hex.Decode(s[:], []byte(digits)); err != nil {
		return Secret{}, &InvalidError{"key", "is not of the form " + secretPrefix + " and 64 hexadecimal digits"}
	}
	return s, nil
}

// Digest is what is kept of a key: SHA-256 and nothing slower. Slow hashes protect
// passwords, which can be guessed; nobody can try 2^256 keys, and a request must not
// cost a tenth of a second. It needs no salt either, because no two keys are alike.
// A look-up by digest leaks nothing by its time: who lacks the key cannot choose digests.
func (s Secret) Digest() [32]byte { return sha256.Sum256(s[:]) }

// A Key is an API key without its secret.
type Key struct {
	// ID is "key-" and the first 16 hexadecimal digits of the digest. It is no secret.
	ID     string   `json:"id"`
	Digest [32]byte `json:"-"`
	Name   string   `json:"name"`
	Role   Role     `json:"role"`
	// CreatedBy is empty for the first key of a casebook, which nobody could authorise.
	CreatedBy string `json:"created_by,omitempty"`
	Created   int64  `json:"created"`
	Expires   int64  `json:"expires,omitempty"` // 0 never
	Revoked   int64  `json:"revoked,omitempty"` // 0 not
	RevokedBy string `json:"revoked_by,omitempty"`
	// LastUsed is written now and then, not at every use.
	LastUsed int64 `json:"last_used,omitempty"`
}

// Usable says whether a key opens anything at a moment: nil, ErrRevoked or ErrExpired.
func (k *Key) Usable(at int64) error {
	switch {
	case k.Revoked != 0:
		return ErrRevoked
	case k.Expires != 0 && at >= k.Expires:
		return ErrExpired
	}
	return nil
}

// Keys keeps API keys.
type Keys interface {
	// AddKey keeps the digest of a secret with name, role, creator and times of key, and
	// gives it with its identifier. A secret that is held already is ErrConflict.
	AddKey(ctx context.Context, secret Secret, key Key) (Key, error)
	// Authenticate gives the key of a secret, with ErrNotFound, ErrRevoked or ErrExpired
	// where it opens nothing.
	Authenticate(ctx context.Context, secret Secret, at int64) (Key, error)
	// Keys gives all keys in order of their identifiers, also those that open nothing.
	Keys(ctx context.Context) ([]Key, error)
	// RevokeKey ends a key for good. Revoking again changes nothing.
	RevokeKey(ctx context.Context, id, by string, at int64) error
	// UsedKeys notes when keys were last used, by identifier. It never goes back.
	UsedKeys(ctx context.Context, last map[string]int64) error
}

const keyColumns = `id, digest, name, role, created_by, created_at, expires_at, revoked_at, revoked_by, used_at`

func scanKey(r row) (Key, error) {
	var k Key
	var sum string
	if err := r.Scan(&k.ID, &sum, &k.Name, &k.Role, &k.CreatedBy, &k.Created, &k.Expires, &k.Revoked, &k.RevokedBy, &k.LastUsed); err != nil {
		return k, err
	}
	if n, err := hex.Decode(k.Digest[:], []byte(sum)); err != nil || n != len(k.Digest) {
		return Key{}, fmt.Errorf("the digest of key %s is damaged", k.ID)
	}
	return k, nil
}

// AddKey implements Keys.
func (b *SQL) AddKey(ctx context.Context, secret Secret, key Key) (Key, error) {
	if !key.Role.Includes(Viewer) {
		return Key{}, &InvalidError{"role", fmt.Sprintf("%q is not known", key.Role)}
	}
	if secret == (Secret{}) {
		return Key{}, &InvalidError{"key", "is all zeros"}
	}
	if err := first(checkLine("name", key.Name), checkOptional("created_by", key.CreatedBy)); err != nil {
		return Key{}, err
	}
	sum := secret.Digest()
	made := Key{Digest: sum, Name: key.Name, Role: key.Role, CreatedBy: key.CreatedBy, Created: key.Created, Expires: key.Expires}
	made.ID = "key-" + hex.EncodeToString(sum[:8])
	err := b.change(ctx, "add key "+made.ID, func(s session) error {
		n, err := s.exec(ctx, `INSERT INTO api_keys (`+keyColumns+`) VALUES `+questionMarks(10)+` ON CONFLICT DO NOTHING`,
			made.ID, hex.EncodeToString(sum[:]), made.Name, made.Role, made.CreatedBy, made.Created, made.Expires, 0, "", 0)
		if err == nil && n == 0 {
			err = ErrConflict
		}
		return err
	})
	return made, err
}

// Authenticate implements Keys.
func (b *SQL) Authenticate(ctx context.Context, secret Secret, at int64) (Key, error) {
	sum := secret.Digest()
	key, err := one(ctx, b.reading(), scanKey, `SELECT `+keyColumns+` FROM api_keys WHERE digest = ?`, hex.EncodeToString(sum[:]))
	if err == nil {
		err = key.Usable(at)
	}
	if err != nil {
		return Key{}, fmt.Errorf("casebook: key: %w", err)
	}
	return key, nil
}

// Keys implements Keys.
func (b *SQL) Keys(ctx context.Context) ([]Key, error) {
	return told[[]Key]("keys")(rows(ctx, b.reading(), scanKey, `SELECT `+keyColumns+` FROM api_keys ORDER BY id`))
}

// RevokeKey implements Keys.
func (b *SQL) RevokeKey(ctx context.Context, id, by string, at int64) error {
	if err := checkID("by", by); err != nil {
		return err
	}
	return b.change(ctx, "revoke key "+id, func(s session) error {
		held, err := one(ctx, s, scanKey, `SELECT `+keyColumns+` FROM api_keys WHERE id = ?`, id)
		if err != nil || held.Revoked != 0 {
			return err
		}
		_, err = s.exec(ctx, `UPDATE api_keys SET revoked_at = ?, revoked_by = ? WHERE id = ?`, max(at, 1), by, id)
		return err
	})
}

// UsedKeys implements Keys.
func (b *SQL) UsedKeys(ctx context.Context, last map[string]int64) error {
	if err := checkBatch("keys", len(last)); err != nil {
		return err
	}
	return b.change(ctx, "note the use of keys", func(s session) error {
		for id, at := range last {
			if _, err := s.exec(ctx, `UPDATE api_keys SET used_at = ? WHERE id = ? AND used_at < ?`, at, id, at); err != nil {
				return err
			}
		}
		return nil
	})
}
