package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"coldtrail/casebook"
	"coldtrail/server"
)

// keyPrefix marks keys, so that scanners for leaked secrets find them.
const keyPrefix = "ct_"

// keyChecksum is how many bytes behind the secret tell a typing error from a key that is
// not known. With them a key is a whole number of digits.
const keyChecksum = 3

var keyDigits = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// keyText is a key as its owner gets it, once: a prefix and 56 digits in base 32.
func keyText(secret casebook.Secret) string {
	return keyPrefix + keyDigits.EncodeToString(append(secret[:], keySum(secret)...))
}

// keySum is the checksum of a key. It has a word of its own before the secret, so that it
// shares nothing with the digest that is kept.
func keySum(secret casebook.Secret) []byte {
	sum := sha256.Sum256(append([]byte("coldtrail key "), secret[:]...))
	return sum[:keyChecksum]
}

// errMistyped says that a text is no key that anybody was ever given.
var errMistyped = errors.New("this is no key: it has a typing error, or a part is missing")

// readKey reads a key. What is wrong with it is not told, nor is the text.
func readKey(text string) (secret casebook.Secret, err error) {
	digits, ok := strings.CutPrefix(text, keyPrefix)
	raw, err := keyDigits.DecodeString(digits)
	if !ok || err != nil || len(raw) != len(secret)+keyChecksum || keyPrefix+keyDigits.EncodeToString(raw) != text {
		return casebook.Secret{}, errMistyped
	}
	copy(secret[:], raw)
	if string(raw[len(secret):]) != string(keySum(secret)) {
		return casebook.Secret{}, errMistyped
	}
	return secret, nil
}

// randomSecret is what a new key is made of.
func randomSecret() (secret casebook.Secret) {
	_, _ = rand.Read(secret[:]) // it never fails
	return secret
}

// randomText is a secret that webhooks are signed with.
func randomText() string {
	secret := randomSecret()
	return "ctw_" + keyDigits.EncodeToString(secret[:])
}

// bookKeys gives the server the keys of a casebook.
type bookKeys struct {
	book   casebook.Keys
	secret func() casebook.Secret
}

// newBookKeys takes the keys of a casebook, and what new keys are made of.
func newBookKeys(book casebook.Keys, secret func() casebook.Secret) *bookKeys {
	return &bookKeys{book, secret}
}

// Keys gives all keys.
func (k *bookKeys) Keys(ctx context.Context) ([]server.Key, error) {
	keys, err := k.book.Keys(ctx)
	return each(keys, err, serverKey)
}

func serverKey(k *casebook.Key) server.Key {
	return server.Key{
		ID: k.ID, Digest: k.Digest, Name: k.Name, Role: server.Role(k.Role), CreatedBy: k.CreatedBy, Created: k.Created, Expires: k.Expires,
		Revoked: k.Revoked, RevokedBy: k.RevokedBy, LastUsed: k.LastUsed,
	}
}

// Digest gives the digest under which a key is kept, unless the text has not the form or
// not the checksum of a key.
func (*bookKeys) Digest(text string) ([32]byte, bool) {
	secret, err := readKey(text)
	if err != nil {
		return [32]byte{}, false
	}
	return secret.Digest(), true
}

// AddKey makes a key and gives it with its text.
func (k *bookKeys) AddKey(ctx context.Context, key server.Key) (added server.Key, text string, err error) {
	secret := k.secret()
	made, err := k.book.AddKey(ctx, secret, casebook.Key{
		Name: key.Name, Role: casebook.Role(key.Role), CreatedBy: key.CreatedBy, Created: key.Created, Expires: key.Expires,
	})
	if err != nil {
		return server.Key{}, "", answered(err)
	}
	return serverKey(&made), keyText(secret), nil
}

// RevokeKey ends a key for good.
func (k *bookKeys) RevokeKey(ctx context.Context, id, by string, at int64) error {
	return answered(k.book.RevokeKey(ctx, id, by, at))
}

// UsedKeys notes when keys were last used.
func (k *bookKeys) UsedKeys(ctx context.Context, last map[string]int64) error {
	part := make(map[string]int64, min(len(last), casebook.MaxBatch))
	for id, at := range last {
		if part[id] = at; len(part) == casebook.MaxBatch {
			if err := k.book.UsedKeys(ctx, part); err != nil {
				return answered(err)
			}
			clear(part)
		}
	}
	if len(part) == 0 {
		return nil
	}
	return answered(k.book.UsedKeys(ctx, part))
}

type keysVerb struct {
	Add    keysAddVerb    `cmd:"" help:"Make a key and print it, once."`
	List   keysListVerb   `cmd:"" help:"List keys, without what opens them."`
	Revoke keysRevokeVerb `cmd:"" help:"End keys for good."`
}

type keysAddVerb struct {
	Name    string `required:"" placeholder:"NAME" help:"Whose it is, or what for."`
	Role    string `required:"" enum:"viewer,analyst,operator,admin" placeholder:"ROLE" help:"viewer screens and reads; analyst also keeps cases and watch-lists; operator also overrides breakers and activates policies; admin also makes keys."`
	Expires string `placeholder:"TIME" help:"When it ends: RFC 3339, or a date, which is the last day; by default never."`
	By      string `placeholder:"NAME" help:"Who does it; by default the user's name on this machine."`
}

// Run makes a key.
func (v *keysAddVerb) Run(ctx context.Context, s *session) (err error) {
	now := time.Now()
	key := server.Key{Name: v.Name, Role: server.Role(v.Role), CreatedBy: actor(v.By), Created: now.Unix()}
	if strings.TrimSpace(v.Name) == "" {
		return errors.New("--name is empty; a key has a name that says whose it is")
	}
	if v.Expires != "" {
		moment, err := parseMoment("--expires", v.Expires)
		if err != nil {
			return err
		}
		if !moment.After(now) {
			return fmt.Errorf("--expires %s is in the past", v.Expires)
		}
		key.Expires = moment.Unix()
	}
	book, err := s.openBook(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, book.Close()) }()
	added, text, err := newBookKeys(book, randomSecret).AddKey(ctx, key)
	if err != nil {
		return err
	}
	if s.json {
		return s.printJSON(struct {
			server.Key

			Secret string `json:"secret"`
		}{added, text})
	}
	fmt.Fprintf(s.stderr, "note: %s of %s, role %s. This is the only time that the key is shown; only its digest is kept.\n", added.ID, inert(added.Name), added.Role)
	_, err = fmt.Fprintln(s.stdout, text)
	return err
}

type keysListVerb struct{}

// Run lists keys.
func (*keysListVerb) Run(ctx context.Context, s *session) (err error) {
	book, err := s.openBook(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, book.Close()) }()
	keys, err := newBookKeys(book, randomSecret).Keys(ctx)
	if err != nil {
		return err
	}
	if s.json {
		return s.printJSON(map[string]any{"keys": keys})
	}
	w := tabwriter.NewWriter(s.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "KEY\tNAME\tROLE\tSTATE\tMADE\tBY\tLAST USED")
	now := time.Now().Unix()
	for i := range keys {
		k := &keys[i]
		state := "opens"
		switch {
		case k.Revoked != 0:
			state = "revoked " + stampDay(k.Revoked) + " by " + inert(k.RevokedBy)
		case k.Expires != 0 && now >= k.Expires:
			state = "expired " + stampDay(k.Expires)
		case k.Expires != 0:
			state = "until " + time.Unix(k.Expires, 0).UTC().Format(time.RFC3339)
		}
		used := "never"
		if k.LastUsed != 0 {
			used = time.Unix(k.LastUsed, 0).UTC().Format(time.RFC3339)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", k.ID, inert(k.Name), k.Role, state, stampDay(k.Created), inert(k.CreatedBy), used)
	}
	return w.Flush()
}

type keysRevokeVerb struct {
	Keys []string `arg:"" name:"KEY" help:"Identifiers of keys, as keys list has them."`
	By   string   `placeholder:"NAME" help:"Who does it; by default the user's name on this machine."`
}

// Run ends keys.
func (v *keysRevokeVerb) Run(ctx context.Context, s *session) (err error) {
	book, err := s.openBook(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, book.Close()) }()
	for _, id := range v.Keys {
		if strings.HasPrefix(id, keyPrefix) {
			return errors.New("this is a key itself; name it by its identifier, which keys list tells")
		}
		if err := book.RevokeKey(ctx, id, actor(v.By), time.Now().Unix()); err != nil {
			if errors.Is(err, casebook.ErrNotFound) {
				return fmt.Errorf("%s: %w; coldtrail keys list names them", inert(id), casebook.ErrNotFound)
			}
			return err
		}
		if !s.json {
			fmt.Fprintf(s.stdout, "%s opens nothing any more; a server that runs knows within seconds\n", id)
		}
	}
	if !s.json {
		return nil
	}
	return s.printJSON(map[string]any{"revoked": v.Keys})
}
