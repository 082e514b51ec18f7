package casebook

import (
	"context"
	"encoding/json"
	"fmt"
)

// A Policy is the text by which verdicts are reached.
type Policy struct {
	// Digest identifies it: what the engine of policies computes, or where the caller
	// gives none "sha256:" and the digits of SHA-256 over the text.
	Digest  string `json:"digest"`
	Name    string `json:"name"`
	Version string `json:"version"`
	Text    string `json:"text"`
	By      string `json:"by"`
	Added   int64  `json:"added"`
}

// An Activation says since when a policy is the one that counts.
type Activation struct {
	Sequence int64  `json:"sequence"` // numbers all activations from 1
	Policy   string `json:"policy"`   // digest
	By       string `json:"by"`
	At       int64  `json:"at"`
	Why      string `json:"why,omitempty"`
}

// A DryRun is what a policy would have decided.
type DryRun struct {
	Sequence int64  `json:"sequence"` // numbers all dry runs from 1
	Policy   string `json:"policy"`   // digest
	By       string `json:"by"`
	At       int64  `json:"at"`
	// Result is in the engine's form.
	Result json.RawMessage `json:"result"`
}

// Policies keeps policies. None is ever changed or removed.
type Policies interface {
	// AddPolicy keeps a policy and gives it with its digest. One that is held stays as it
	// is; the same digest with another text is ErrConflict.
	AddPolicy(ctx context.Context, policy Policy) (Policy, error)
	// Policies gives all policies in the order in which they were added.
	Policies(ctx context.Context) ([]Policy, error)
	// Activate makes a policy the one that counts, or gives ErrNotFound.
	Activate(ctx context.Context, activation Activation) (Activation, error)
	// Activations gives all activations, the one that counts first.
	Activations(ctx context.Context) ([]Activation, error)
}

// DryRuns keeps what was tried before it counted.
type DryRuns interface {
	// KeepDryRun keeps a result and gives it with its number.
	KeepDryRun(ctx context.Context, run DryRun) (DryRun, error)
	// DryRuns gives the dry runs of a policy, the newest first.
	DryRuns(ctx context.Context, policy string, limit int) ([]DryRun, error)
}

const policyColumns = `digest, name, version, text, by_whom, added_at`

func scanPolicy(r row) (Policy, error) {
	var p Policy
	err := r.Scan(&p.Digest, &p.Name, &p.Version, &p.Text, &p.By, &p.Added)
	return p, err
}

// AddPolicy implements Policies.
func (b *SQL) AddPolicy(ctx context.Context, p Policy) (Policy, error) {
	if p.Digest == "" {
		p.Digest = "sha256:" + sum(p.Text)
	}
	err := first(checkID("digest", p.Digest), checkLine("name", p.Name), checkLine("version", p.Version), checkText("policy", p.Text, MaxText), checkID("by", p.By))
	if err != nil {
		return Policy{}, err
	}
	err = b.change(ctx, "add policy "+p.Name, func(s session) error {
		held, err := rows(ctx, s, scanPolicy, `SELECT `+policyColumns+` FROM policies WHERE digest = ?`, p.Digest)
		if err != nil {
			return err
		}
		if len(held) > 0 {
			if held[0].Text != p.Text {
				return fmt.Errorf("policy %s: %w", p.Digest, ErrConflict)
			}
			p = held[0]
			return nil
		}
		sequence, err := next(ctx, s, "policies")
		if err != nil {
			return err
		}
		_, err = s.exec(ctx, `INSERT INTO policies (sequence, `+policyColumns+`) VALUES `+questionMarks(7), sequence, p.Digest, p.Name, p.Version, p.Text, p.By, p.Added)
		return err
	})
	if err != nil {
		return Policy{}, err
	}
	return p, nil
}

// Policies implements Policies.
func (b *SQL) Policies(ctx context.Context) ([]Policy, error) {
	return told[[]Policy]("policies")(rows(ctx, b.reading(), scanPolicy, `SELECT `+policyColumns+` FROM policies ORDER BY sequence`))
}

// Activate implements Policies.
func (b *SQL) Activate(ctx context.Context, a Activation) (Activation, error) {
	if err := first(checkID("by", a.By), checkText("why", a.Why, MaxLine)); err != nil {
		return Activation{}, err
	}
	err := b.change(ctx, "activate policy "+a.Policy, func(s session) error {
		if _, err := one(ctx, s, text, `SELECT digest FROM policies WHERE digest = ?`, a.Policy); err != nil {
			return err
		}
		var err error
		if a.Sequence, err = next(ctx, s, "activations"); err != nil {
			return err
		}
		_, err = s.exec(ctx, `INSERT INTO activations (sequence, policy, by_whom, at, why) VALUES (?, ?, ?, ?, ?)`, a.Sequence, a.Policy, a.By, a.At, a.Why)
		return err
	})
	return a, err
}

// Activations implements Policies.
func (b *SQL) Activations(ctx context.Context) ([]Activation, error) {
	return told[[]Activation]("activations")(rows(ctx, b.reading(), func(r row) (Activation, error) {
		var a Activation
		err := r.Scan(&a.Sequence, &a.Policy, &a.By, &a.At, &a.Why)
		return a, err
	}, `SELECT sequence, policy, by_whom, at, why FROM activations ORDER BY sequence DESC`))
}

// KeepDryRun implements DryRuns.
func (b *SQL) KeepDryRun(ctx context.Context, run DryRun) (DryRun, error) {
	result, err := canonical("result", run.Result)
	if err := first(err, checkID("by", run.By)); err != nil {
		return DryRun{}, err
	}
	run.Result = result
	err = b.change(ctx, "keep a dry run", func(s session) error {
		if _, err := one(ctx, s, text, `SELECT digest FROM policies WHERE digest = ?`, run.Policy); err != nil {
			return err
		}
		var err error
		if run.Sequence, err = next(ctx, s, "dry_runs"); err != nil {
			return err
		}
		_, err = s.exec(ctx, `INSERT INTO dry_runs (sequence, policy, by_whom, at, result) VALUES (?, ?, ?, ?, ?)`, run.Sequence, run.Policy, run.By, run.At, string(result))
		return err
	})
	return run, err
}

// DryRuns implements DryRuns.
func (b *SQL) DryRuns(ctx context.Context, policy string, most int) ([]DryRun, error) {
	return told[[]DryRun]("dry runs")(rows(ctx, b.reading(), func(r row) (DryRun, error) {
		var d DryRun
		var result string
		err := r.Scan(&d.Sequence, &d.Policy, &d.By, &d.At, &result)
		d.Result = json.RawMessage(result)
		return d, err
	}, `SELECT sequence, policy, by_whom, at, result FROM dry_runs WHERE policy = ? ORDER BY sequence DESC LIMIT ?`, policy, limit(most)))
}
