package attribution

import (
	"context"
	"fmt"

	"coldtrail/attribution/label"
	"coldtrail/ledger"
	"coldtrail/store"
)

// A cut is an analyst's decision that a transaction joins nobody: a claim about the
// transaction, by him, with his reason. It is kept like any other, counts from when it
// was made, and can be withdrawn.

// cutLabel is what a cut says.
const cutLabel = "not one owner"

// transactions is the network of claims about a chain's transactions.
func transactions(chain ledger.Chain) label.Network { return label.Network("tx:" + string(chain)) }

// cutSubject is what a cut is about.
func cutSubject(chain ledger.Chain, tx ledger.Hash) label.Subject {
	return label.Subject{Network: transactions(chain), Address: tx.String()}
}

// Decision is an analyst's word on a transaction.
type Decision struct {
	Chain ledger.Chain
	Tx    ledger.Hash
	By    string // his name
	Why   string
	At    int64 // Unix seconds
}

// Cut rules a transaction out.
func (d *Decision) Cut(ctx context.Context, s store.Labels) error {
	c := label.Claim{
		Subject: cutSubject(d.Chain, d.Tx), Label: cutLabel, By: d.By, Why: d.Why, Score: 100, Confidence: "override", Learned: d.At, Stated: d.At,
	}
	if err := c.Check(); err != nil {
		return err
	}
	_, err := s.AddClaims(ctx, []label.Claim{c})
	return err
}

// Undo lets a transaction in again: every cut of it that counts is withdrawn.
func (d *Decision) Undo(ctx context.Context, s store.Labels) error {
	lists, err := s.Claims(ctx, []label.Subject{cutSubject(d.Chain, d.Tx)})
	if err != nil {
		return err
	}
	var ends []label.Claim
	for _, c := range label.At(lists[0], label.When{}) {
		ends = append(ends, label.Claim{Subject: c.Subject, By: d.By, Why: d.Why, From: d.At, Withdraws: c.ID().String(), Learned: d.At, Stated: d.At})
	}
	if len(ends) == 0 {
		return fmt.Errorf("transaction %s is not ruled out", d.Chain.FormatHash(d.Tx))
	}
	_, err = s.AddClaims(ctx, ends)
	return err
}

// Cuts lists the transactions of a chain that are ruled out, as far as was known.
func Cuts(ctx context.Context, s store.Labels, chain ledger.Chain, when label.When) (list []ledger.Hash, err error) {
	err = EachSubject(ctx, s, transactions(chain), when, func(subject label.Subject, _ []label.Claim) error {
		id, err := ledger.ParseHash(subject.Address)
		if err != nil {
			return fmt.Errorf("%w: cut of %q", store.ErrCorrupt, subject.Address)
		}
		list = append(list, id)
		return nil
	})
	return list, err
}
