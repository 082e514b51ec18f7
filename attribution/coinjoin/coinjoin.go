// Package coinjoin recognises transactions in which several owners mix coins, and
// those in which one owner prepares coins for a mix.
//
// In a coinjoin the owner of one input is not the owner of the next, so that co-spend
// clustering would make one person out of many; and outputs of equal value are nobody's
// in particular, so that nothing on chain carries a trace on. Each rule knows one
// protocol by counts, values and scripts. A finding is a statement about a shape with a
// confidence, never a fact.
//
// Sources: graphsense-lib (rules after Schnoering and Vazirgiannis, arXiv 2311.12491)
// and Dumplings (nopara73), whose rules were read in their code; each rule names its
// own. Heights are those of Bitcoin's main network. Where a rule here differs from its
// source, its comment says how; docs/methods/coinjoin.md has all of it with the error
// measured.
package coinjoin

import (
	"coldtrail/ledger"
)

// Threshold is the least confidence with which a transaction should be kept out of
// co-spend clustering. It is JoinMarket's: its source gives 49 to say "rather not", but
// to join the wallets of everybody who took part is an error that spreads through every
// later result, while wallets left apart can be joined by the next evidence. Who ends
// taint at Finding.Mixed may well ask for more, because that error is of the other
// kind: with 60, coins that only look like JoinMarket's are followed on.
const Threshold = 49

// Rule recognises the transactions of one protocol, as one reading of it has them.
type Rule struct {
	Name     string // stable, in results
	Title    string // for people
	Protocol string // "JoinMarket", "Wasabi 1", "Wasabi 2", "Whirlpool" or "unknown"
	Source   string // where the rule was read
	// exchangeless rules do not apply to a transaction that an exchange pays.
	exchangeless bool
	recognise    func(*shape) (Finding, bool)
}

// Finding is why a transaction is taken for a coinjoin.
type Finding struct {
	Rule          *Rule
	Confidence    uint8    // 0 to 100
	Denominations []uint64 // satoshi, the values that stand for mixed coins, falling
	// Mixed are the outputs of these values, by index: nothing on chain joins one of
	// them to an input.
	Mixed []int
	// Participants is the least number of owners that the shape implies.
	Participants int
	// Entry marks what one owner does before a mix: the inputs are co-owned, and
	// Mixed is empty.
	Entry bool
}

// Context is what is known of a transaction beside its data.
type Context struct {
	// ExchangeInput says that a label gives an input to an exchange. Payouts of
	// exchanges are what looks most like JoinMarket and Wasabi 1; their rules are silent
	// then, as in graphsense-lib.
	ExchangeInput bool
}

// Recognise is RecogniseWith of a transaction of which nothing else is known.
func Recognise(tx *ledger.Resolved) (Finding, bool) { return RecogniseWith(tx, Context{}) }

// RecogniseWith is the surest finding of all rules, of equal ones that of the earlier
// rule. A transaction of the shape of a Stonewall is no mix, whatever a rule says.
func RecogniseWith(tx *ledger.Resolved, context Context) (best Finding, found bool) {
	if tx.Coinbase || !possible(len(tx.Inputs), tx.Outputs, valueOf) && !mayEnter(tx) {
		return Finding{}, false
	}
	s := newShape(tx)
	stonewall := s.stonewall()
	for _, rule := range Rules {
		if rule.exchangeless && context.ExchangeInput {
			continue
		}
		finding, ok := rule.recognise(s)
		if !ok || stonewall && !finding.Entry || found && finding.Confidence <= best.Confidence {
			continue
		}
		finding.Rule = rule
		best, found = finding, true
	}
	return best, found
}

// RecogniseBy is the finding of one rule alone, without the veto of Stonewall.
func RecogniseBy(rule *Rule, tx *ledger.Resolved) (Finding, bool) {
	if tx.Coinbase {
		return Finding{}, false
	}
	finding, ok := rule.recognise(newShape(tx))
	if !ok {
		return Finding{}, false
	}
	finding.Rule = rule
	return finding, true
}
