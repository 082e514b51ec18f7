package cluster

import "coldtrail/ledger"

// Change is a set of outputs that may be the change of a payment, as a rule or rules
// put together say. Where the set has one member, that is the change.
type Change struct {
	text string
	sign byte // that holds it together; 0 for one name
	find func(q *question) candidates
}

// candidates are the outputs that a rule does not rule out: by output, how sure the rule
// is should that one alone be left, and 0 for those it rules out.
type candidates []uint8

// Decision is which output of a transaction returns to the payer.
type Decision struct {
	Output     int   // by index, or -1
	Confidence uint8 // 0 to 100; 0 without an output
	// Excluded says why there is none.
	Excluded Exclusion
	// Votes is what every feature said of every output, whether the rule asked it or
	// not; empty where the transaction was not judged at all.
	Votes []Vote
}

// Vote is what one feature says of the outputs: 1 for change, -1 for a payment, 0 for
// nothing, by output.
type Vote struct {
	Feature *Feature
	Outputs []int8
}

// String is the set as users type it.
func (c *Change) String() string { return c.text }

// In decides which output of a transaction is the change.
func (c *Change) In(tx *ledger.Resolved, facts *Facts) Decision {
	if facts == nil {
		facts = &Facts{}
	}
	q, e := ask(tx, facts)
	if e != Included {
		return Decision{Output: -1, Excluded: e}
	}
	d := Decision{Output: -1, Votes: q.votes()}
	found := c.find(q)
	if d.Output = only(found); d.Output < 0 {
		d.Excluded = Undecided
		return d
	}
	d.Confidence = found[d.Output]
	return d
}

// changePrefix begins the name of a rule that a set of change rules makes.
const changePrefix = "change:"

// Rule makes a rule of a set: the change belongs to who paid.
func (c *Change) Rule() *Rule {
	return &Rule{
		Name: changePrefix + c.text, Title: "change by " + c.text, Source: "the members of the set",
		Family: ledger.UTXO, Input: OneTransaction, Kind: Returning, Confidence: 50,
		Published: "none published", Needs: needsOfChange, tx: c.tie,
	}
}

const needsOfChange = "which transactions mix coins; of every output address whether it was seen before and paid again up to the cut-off"

// tie ties the first input address to the change. Change that returns to an input
// address says nothing new.
func (c *Change) tie(r *Rule, tx *ledger.Resolved, facts *Facts) ([]Edge, Exclusion) {
	d := c.In(tx, facts)
	if d.Output < 0 {
		return nil, d.Excluded
	}
	to := tx.Outputs[d.Output].Address
	for i := range tx.Inputs {
		if tx.Inputs[i].Address == to {
			return nil, OneAddress
		}
	}
	for i := range tx.Inputs {
		if ownerless(&tx.Inputs[i]) {
			continue
		}
		if e, ok := r.tie(tx.Inputs[i].Address, to, tx.ID, tx.Height); ok {
			e.Confidence = d.Confidence
			return []Edge{e}, Included
		}
	}
	return nil, OneAddress
}

// ChangeOneTime is the one-time rule as GraphSense applies it.
var ChangeOneTime = published(OneTime, "none published")

// ChangeMeiklejohn is the one-time rule as it was first published.
var ChangeMeiklejohn = published(Meiklejohn,
	"0.17 % false positives, an estimate of the authors after refinements of theirs that are not all applied here (2013, quoted at second hand)")

// ChangeScore is the sum of features.
var ChangeScore = published(Score, "none published for this sum; the figures of Möser and Narayanan are of a trained model")

// published makes a rule of a single named set.
func published(n *Named, errors string) *Rule {
	c := &Change{text: n.Name, find: n.find}
	r := c.Rule()
	r.Title, r.Source, r.Confidence, r.Published = n.Title, n.Source, n.Confidence, errors
	return r
}
