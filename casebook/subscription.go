package casebook

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"coldtrail/screen/exposure"
)

// TargetKind says how somebody is told.
type TargetKind string

// The kinds of target.
const (
	Webhook TargetKind = "webhook"
	Mail    TargetKind = "mail"
	// Stream is who listens to the server's events. Nothing is delivered there: a
	// listener says which alert it saw last and gets those after it.
	Stream TargetKind = "stream"
)

// A Target is somebody who is told of alerts.
type Target struct {
	ID      string     `json:"id"`
	Name    string     `json:"name"`
	Kind    TargetKind `json:"kind"`
	Address string     `json:"address"` // a URL, a mail address, or a name for a stream
	// Secrets sign webhooks: the newest first, a second one while receivers change over.
	// They are kept as they are, because signing needs them; the file of the casebook
	// must be readable by its owner only.
	Secrets []string `json:"-"`
	By      string   `json:"by"`
	Created int64    `json:"created"`
	// Ended is when the target was given up, 0 for one that counts.
	Ended int64 `json:"ended,omitempty"`
}

// A Subscription says which alerts go to a target. An empty list means all.
type Subscription struct {
	ID     string      `json:"id"`
	Name   string      `json:"name"`
	Target string      `json:"target"`
	Kinds  []AlertKind `json:"kinds,omitempty"`
	// Levels selects among alerts that have a level; those without pass.
	Levels   []exposure.Level `json:"levels,omitempty"`
	Chains   []string         `json:"chains,omitempty"` // those without a chain pass
	Subjects []string         `json:"subjects,omitempty"`
	By       string           `json:"by"`
	Created  int64            `json:"created"`
	Ended    int64            `json:"ended,omitempty"`
}

// Wants says whether an alert belongs to what was subscribed. That an alert was withdrawn
// also reaches whoever was told of it, subscribed or not.
func (s *Subscription) Wants(a *Alert) bool {
	return s.Ended == 0 &&
		(len(s.Kinds) == 0 || slices.Contains(s.Kinds, a.Kind)) &&
		(len(s.Levels) == 0 || a.Level == "" || slices.Contains(s.Levels, a.Level)) &&
		(len(s.Chains) == 0 || a.Chain == "" || slices.Contains(s.Chains, a.Chain)) &&
		(len(s.Subjects) == 0 || slices.Contains(s.Subjects, a.Subject))
}

// Subscriptions keeps who wants to be told what.
type Subscriptions interface {
	// SaveTarget makes or changes a target. Ending one gives up what is still to be
	// delivered there.
	SaveTarget(ctx context.Context, target Target) error
	// Targets gives all targets, also those given up, in order of their identifiers.
	Targets(ctx context.Context) ([]Target, error)
	// SaveSubscription makes or changes a subscription; its target must exist.
	SaveSubscription(ctx context.Context, subscription Subscription) error
	// Subscriptions gives all, also those ended, in order of their identifiers.
	Subscriptions(ctx context.Context) ([]Subscription, error)
}

// MaxSecrets is how many secrets a target may have at once.
const MaxSecrets = 2

func (t *Target) check() error {
	switch t.Kind {
	case Webhook, Mail, Stream:
	default:
		return &InvalidError{"target", fmt.Sprintf("kind %q is not known", t.Kind)}
	}
	switch {
	case len(t.Secrets) > MaxSecrets:
		return &InvalidError{"target", fmt.Sprintf("has %d secrets, at most %d are taken", len(t.Secrets), MaxSecrets)}
	case t.Kind == Webhook && len(t.Secrets) == 0:
		return &InvalidError{"target", "is a webhook and has no secret to sign with"}
	case t.Address == "":
		return &InvalidError{"target", "has no address"}
	}
	for _, secret := range t.Secrets {
		if len(secret) < 16 {
			return &InvalidError{"target", "has a secret of fewer than 16 bytes"}
		}
		if err := checkLine("secret", secret); err != nil {
			return &InvalidError{"target", "has a secret that is no single line of text"}
		}
	}
	return first(checkID("target", t.ID), checkLine("name", t.Name), checkLine("address", t.Address), checkID("by", t.By))
}

const targetColumns = `id, name, kind, address, secrets, by_whom, created_at, ended_at`

func scanTarget(r row) (Target, error) {
	var t Target
	var secrets string
	if err := r.Scan(&t.ID, &t.Name, &t.Kind, &t.Address, &secrets, &t.By, &t.Created, &t.Ended); err != nil {
		return t, err
	}
	return t, json.Unmarshal([]byte(secrets), &t.Secrets)
}

// list writes a list as JSON; none is an empty list.
func list[T ~string](of []T) string {
	if of == nil {
		return "[]"
	}
	text, err := json.Marshal(of)
	if err != nil {
		panic(err) // texts always have a JSON form
	}
	return string(text)
}

// SaveTarget implements Subscriptions.
func (b *SQL) SaveTarget(ctx context.Context, t Target) error {
	if err := t.check(); err != nil {
		return err
	}
	return b.change(ctx, "save target "+t.ID, func(s session) error {
		_, err := s.exec(ctx, `INSERT INTO targets (`+targetColumns+`) VALUES `+questionMarks(8)+`
			ON CONFLICT (id) DO UPDATE SET name = excluded.name, kind = excluded.kind, address = excluded.address, secrets = excluded.secrets, ended_at = excluded.ended_at`,
			t.ID, t.Name, t.Kind, t.Address, list(t.Secrets), t.By, t.Created, t.Ended)
		if err != nil || t.Ended == 0 {
			return err
		}
		_, err = s.exec(ctx, `UPDATE deliveries SET status = ?, turn = 0, ended_at = ?, reason = ? WHERE target = ? AND status = 'waiting'`, GivenUp, t.Ended, "the target was ended", t.ID)
		return err
	})
}

// Targets implements Subscriptions.
func (b *SQL) Targets(ctx context.Context) ([]Target, error) {
	return told[[]Target]("targets")(rows(ctx, b.reading(), scanTarget, `SELECT `+targetColumns+` FROM targets ORDER BY id`))
}

const subscriptionColumns = `id, name, target, kinds, levels, chains, subjects, by_whom, created_at, ended_at`

func scanSubscription(r row) (Subscription, error) {
	var s Subscription
	var kinds, levels, chains, subjects string
	if err := r.Scan(&s.ID, &s.Name, &s.Target, &kinds, &levels, &chains, &subjects, &s.By, &s.Created, &s.Ended); err != nil {
		return s, err
	}
	return s, first(json.Unmarshal([]byte(kinds), &s.Kinds), json.Unmarshal([]byte(levels), &s.Levels),
		json.Unmarshal([]byte(chains), &s.Chains), json.Unmarshal([]byte(subjects), &s.Subjects))
}

func (s *Subscription) check() error {
	if err := first(checkID("subscription", s.ID), checkLine("name", s.Name), checkID("target", s.Target), checkID("by", s.By)); err != nil {
		return err
	}
	if err := checkBatch("subscription", len(s.Kinds)+len(s.Levels)+len(s.Chains)+len(s.Subjects)); err != nil {
		return err
	}
	for _, kind := range s.Kinds {
		if !slices.Contains(AlertKinds, kind) {
			return &InvalidError{"subscription", fmt.Sprintf("wants alerts of kind %q, which is not known", kind)}
		}
	}
	for _, level := range s.Levels {
		if err := checkLevel(level); err != nil || level == "" {
			return &InvalidError{"subscription", fmt.Sprintf("wants alerts of level %q, which is not known", level)}
		}
	}
	for _, chain := range s.Chains {
		if err := checkID("chain", chain); err != nil {
			return err
		}
	}
	for _, subject := range s.Subjects {
		if err := checkID("subject", subject); err != nil {
			return err
		}
	}
	return nil
}

// SaveSubscription implements Subscriptions.
func (b *SQL) SaveSubscription(ctx context.Context, sub Subscription) error {
	if err := sub.check(); err != nil {
		return err
	}
	return b.change(ctx, "save subscription "+sub.ID, func(s session) error {
		if _, err := one(ctx, s, text, `SELECT id FROM targets WHERE id = ?`, sub.Target); err != nil {
			return fmt.Errorf("target %s: %w", sub.Target, err)
		}
		_, err := s.exec(ctx, `INSERT INTO subscriptions (`+subscriptionColumns+`) VALUES `+questionMarks(10)+`
			ON CONFLICT (id) DO UPDATE SET name = excluded.name, target = excluded.target, kinds = excluded.kinds, levels = excluded.levels,
			chains = excluded.chains, subjects = excluded.subjects, ended_at = excluded.ended_at`,
			sub.ID, sub.Name, sub.Target, list(sub.Kinds), list(sub.Levels), list(sub.Chains), list(sub.Subjects), sub.By, sub.Created, sub.Ended)
		return err
	})
}

// Subscriptions implements Subscriptions.
func (b *SQL) Subscriptions(ctx context.Context) ([]Subscription, error) {
	return told[[]Subscription]("subscriptions")(rows(ctx, b.reading(), scanSubscription, `SELECT `+subscriptionColumns+` FROM subscriptions ORDER BY id`))
}
