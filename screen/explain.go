package screen

import (
	"context"
	"errors"
	"slices"
	"strings"

	"coldtrail/attribution"
	"coldtrail/ledger"
	"coldtrail/screen/exposure"
)

// mostTies is how many transactions are told by which two addresses have one owner.
const mostTies = 1_000

// Explain adds to the conclusions about owners in a verdict the transactions they rest on,
// and the rules that these rest on. More than mostTies are not told: `coldtrail cluster
// why` prints them.
func (e *Engine) Explain(ctx context.Context, v *exposure.Verdict) error {
	if !slices.ContainsFunc(v.Facts, func(f exposure.Fact) bool { return f.Kind == exposure.Owned }) {
		return nil
	}
	e.turn.Lock()
	defer e.turn.Unlock()
	v.Facts = slices.Clone(v.Facts)
	for i := range v.Facts {
		if f := &v.Facts[i]; f.Kind == exposure.Owned {
			if err := e.explain(ctx, v.Subject, f); err != nil {
				return err
			}
		}
	}
	return nil
}

func (e *Engine) explain(ctx context.Context, subject string, f *exposure.Fact) error {
	at := slices.IndexFunc(e.owned.lists, func(o *attribution.Owners) bool { c, _ := o.Clusters().Chain(); return string(c) == f.Chain })
	if at < 0 {
		return nil
	}
	clusters := e.owned.lists[at].Clusters()
	_, notation := clusters.Chain()
	a, err := notation.ParseAddress(subject)
	if err != nil {
		return nil //nolint:nilerr // a transaction: its parties are asked for by themselves
	}
	b, err := notation.ParseAddress(f.About)
	if err != nil {
		return err
	}
	reasons, tied, err := clusters.Why(ctx, a, b, clusters.Height())
	switch {
	case errors.Is(err, attribution.ErrNoMember) || err == nil && (!tied || len(reasons) > mostTies):
		return nil // it was so a block ago, or is too long
	case err != nil:
		return err
	}
	var rules []string
	for i := range reasons {
		f.Evidence = append(f.Evidence, ledger.Chain(f.Chain).FormatHash(reasons[i].Tx))
		rules = append(rules, reasons[i].Rule.Name)
	}
	slices.Sort(rules)
	f.Rule, f.Evidence = strings.Join(slices.Compact(rules), ", "), slices.Compact(f.Evidence)
	return nil
}
