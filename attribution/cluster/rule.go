package cluster

import (
	"fmt"
	"strings"

	"coldtrail/ledger"
)

// Input says what a rule judges.
type Input uint8

// The inputs.
const (
	// OneTransaction is a transaction of a UTXO chain: Rule.InTx.
	OneTransaction Input = iota + 1
	// AllSpends is every transaction in which one UTXO address spends: Rule.InSpends.
	AllSpends
	// AllHistory is every transaction of one account: Rule.InHistory.
	AllHistory
)

// Kind is the sort of evidence that a rule rests on. Two rules of one kind see the same
// fact twice, so that they do not strengthen one another (see Combine).
type Kind string

// The kinds of evidence.
const (
	Spending      Kind = "co-spend"      // keys that signed together
	Returning     Kind = "change"        // where the rest of a payment went
	Depositing    Kind = "deposit"       // what a service's wallet collected
	Funding       Kind = "funding"       // who paid for gas
	Authorisation Kind = "authorisation" // who may spend whose tokens
	Creating      Kind = "creation"      // who made a contract
)

// Rule is one heuristic.
type Rule struct {
	Name   string // as users type it
	Title  string
	Source string // the paper or code that it was read in
	Family ledger.Family
	Input  Input
	Kind   Kind
	// Confidence, 0 to 100, is that of its edges; change rules may be surer or less
	// sure of a single decision.
	Confidence uint8
	// Default says that the rule is in the set that is used where nobody chose. Only
	// rules whose false merges are known to be rare belong there.
	Default   bool
	Published string // its error rate and whose figure that is, or "none published"
	Needs     string // what the caller must know beyond the ledger

	// Exactly one of these is set, by Input.
	tx      func(r *Rule, tx *ledger.Resolved, facts *Facts) ([]Edge, Exclusion)
	spends  func(r *Rule, s *Spends) []Edge
	history func(r *Rule, h *History) []Edge
}

// Rules lists every rule, sorted by name. A new rule is a file and a line.
var Rules = []*Rule{
	ChangeMeiklejohn, ChangeOneTime, ChangeScore, CoSpend, Creator, DepositAddress, DepositCustomers, DepositSpend, DepositUnlisted,
	GasFunder, GasTopUp, SelfAuthorisation,
}

// RuleNamed finds a rule by the name users type: one of Rules, or "change:" with a set
// of change rules as ParseChange reads it.
func RuleNamed(name string) (*Rule, error) {
	names := make([]string, len(Rules))
	for i, r := range Rules {
		if r.Name == name {
			return r, nil
		}
		names[i] = r.Name
	}
	if text, ok := strings.CutPrefix(name, changePrefix); ok {
		c, err := ParseChange(text)
		if err != nil {
			return nil, err
		}
		return c.Rule(), nil
	}
	return nil, fmt.Errorf("rule %q is unknown; choose one of %s, or %s with a set of change rules such as %soptimal&type",
		name, strings.Join(names, ", "), changePrefix, changePrefix)
}

// Defaults lists the rules of the default set for a family of chains.
func Defaults(family ledger.Family) (list []*Rule) {
	for _, r := range Rules {
		if r.Default && r.Family == family {
			list = append(list, r)
		}
	}
	return list
}

// InTx applies a rule to a transaction of a UTXO chain. Where it yields no edges the
// exclusion says why. Rules with another Input refuse with NotOfTransaction.
func (r *Rule) InTx(tx *ledger.Resolved, facts *Facts) ([]Edge, Exclusion) {
	if r.tx == nil {
		return nil, NotOfTransaction
	}
	if facts == nil {
		facts = &Facts{}
	}
	return r.tx(r, tx, facts)
}

// InSpends applies a rule to the spends of a UTXO address; rules with another Input
// yield nothing.
func (r *Rule) InSpends(s *Spends) []Edge {
	if r.spends == nil {
		return nil
	}
	return r.spends(r, s)
}

// InHistory applies a rule to the history of an account; rules with another Input
// yield nothing.
func (r *Rule) InHistory(h *History) []Edge {
	if r.history == nil {
		return nil
	}
	return r.history(r, h)
}
