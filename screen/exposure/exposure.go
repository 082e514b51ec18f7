// Package exposure is the vocabulary of screening: what is known of an address, which
// level of risk that is, and the verdict that somebody who has to decide gets, with
// every reason and what each rests on.
package exposure

import (
	"coldtrail/ledger"
)

// Kind says what a fact is about.
type Kind string

// The kinds of fact.
const (
	// Labelled is a claim about the address itself.
	Labelled Kind = "label"
	// Owned is a claim about another address of the same owner.
	Owned Kind = "cluster"
	// Tainted is value of an incident that reached the address, by exact accounting.
	Tainted Kind = "taint"
	// Dealt is value moved between the address and a labelled one, directly or from hand
	// to hand.
	Dealt Kind = "counterparty"
)

// Direction says which way value went, seen from the address. It is empty where a fact
// is about the address and not about value.
type Direction string

// The directions. They are never netted.
const (
	Received Direction = "received"
	Sent     Direction = "sent"
)

// A Fact is one thing known of an address, with its source. Facts are values that many
// addresses may share.
type Fact struct {
	Kind      Kind      `json:"kind"`
	Direction Direction `json:"direction,omitempty"`
	// Chain is where it holds, CAIP-2; empty for a claim about every chain of a family.
	Chain string `json:"chain,omitempty"`
	// Category is a concept of the GraphSense taxonomy, such as sanction, service_hack,
	// mixing_service or exchange.
	Category string `json:"category,omitempty"`
	Entity   string `json:"entity,omitempty"`
	// Sanction says that an authority lists the subject; Authority is who.
	Sanction  bool   `json:"sanction,omitempty"`
	Authority string `json:"authority,omitempty"`
	// Confidence is of the source, 0 to 100; Certainty of what taint accounting
	// concluded, in basis points.
	Confidence uint8  `json:"confidence,omitempty"`
	Certainty  uint32 `json:"certainty_bp,omitempty"`

	// Incident and Colour name the theft (Tainted).
	Incident string       `json:"incident,omitempty"`
	Colour   string       `json:"colour,omitempty"`
	Asset    ledger.Asset `json:"asset,omitempty"`
	// Amount is what was received or sent, Held what is still there, both in base units
	// of Asset; Origin is what Amount stands for of the stolen asset.
	Amount Decimal `json:"amount,omitzero"`
	Held   Decimal `json:"held,omitzero"`
	Origin Decimal `json:"origin,omitzero"`
	// Total is everything that the address received or sent of the asset, and Share the
	// part of it that Amount is, in basis points. Zero where it is not known.
	Total Decimal `json:"total,omitzero"`
	Share uint32  `json:"share_bp,omitempty"`
	// Hops is how far away the source is: 0 the address itself, 1 direct, from 2 indirect.
	Hops uint32 `json:"hops"`

	// From and To bound when the fact holds, Learned is when we learnt it: Unix seconds,
	// 0 where open. For value, From is the first and To the last movement.
	From    int64 `json:"from,omitempty"`
	To      int64 `json:"to,omitempty"`
	Learned int64 `json:"learned,omitempty"`

	// Claim identifies the label, By is who said it, Source where.
	Claim  string `json:"claim,omitempty"`
	By     string `json:"by,omitempty"`
	Source string `json:"source,omitempty"`
	// Rule ties the address to the one that the claim is about (Owned), and About is that
	// one.
	Rule  string `json:"rule,omitempty"`
	About string `json:"about,omitempty"`
	// Evidence names the transactions that show it, oldest first; for taint the newest
	// that brought value. `coldtrail trace --path` prints the whole way.
	Evidence []string `json:"evidence,omitempty"`
}

// Decimal is an amount that is written in decimal digits.
type Decimal struct{ ledger.Amount }

// MarshalJSON writes the digits as a string.
func (d Decimal) MarshalJSON() ([]byte, error) { return []byte(`"` + d.Dec() + `"`), nil }

// UnmarshalJSON reads a string of digits.
func (d *Decimal) UnmarshalJSON(text []byte) error {
	if len(text) < 2 || text[0] != '"' || text[len(text)-1] != '"' {
		return &DecimalError{string(text)}
	}
	amount, err := ledger.ParseAmount(string(text[1 : len(text)-1]))
	d.Amount = amount
	return err
}

// IsZero says that there is nothing.
func (d Decimal) IsZero() bool { return d.Amount.IsZero() }

// A DecimalError says that a text is no amount.
type DecimalError struct{ Text string }

// Error quotes the text.
func (e *DecimalError) Error() string { return "amount " + e.Text + " is not a string of digits" }

// Purpose is what a verdict is wanted for.
type Purpose string

// The purposes.
const (
	AnyPurpose Purpose = ""           // nothing in particular
	Deposit    Purpose = "deposit"    // value came from the subject
	Withdrawal Purpose = "withdrawal" // value is to go to the subject
	Swap       Purpose = "swap"       // the subject wants to trade
	Refund     Purpose = "refund"     // value is to go back to the subject
)

// A Question asks for a verdict about one subject.
type Question struct {
	// Subject is an address or a transaction identifier, as people write it.
	Subject string `json:"subject"`
	// Chain is CAIP-2 or a short name; empty for every chain that the subject may be of.
	Chain   string  `json:"chain,omitempty"`
	Purpose Purpose `json:"purpose,omitempty"`
	// Asset and Amount are of the payment in question, in base units, where there is one.
	Asset  ledger.Asset `json:"asset,omitempty"`
	Amount Decimal      `json:"amount,omitzero"`
	// At and Known ask for the verdict of another time: what held then, and what was
	// known then. Unix seconds; 0 is now.
	At    int64 `json:"at,omitempty"`
	Known int64 `json:"known,omitempty"`
}

// Level is how grave what is known is.
type Level string

// The levels. Unknown is not None: it says that nobody can tell.
const (
	None    Level = "none"
	Low     Level = "low"
	Medium  Level = "medium"
	High    Level = "high"
	Severe  Level = "severe"
	Unknown Level = "unknown"
)

// Outcome is what a policy says is to be done.
type Outcome string

// The outcomes, from the mildest to the gravest.
const (
	Allow   Outcome = "allow"
	Monitor Outcome = "monitor" // allow, and look again
	Review  Outcome = "review"  // hold until somebody has looked
	Refuse  Outcome = "refuse"
	Freeze  Outcome = "freeze" // and report
)

// Outcomes lists all, mildest first.
var Outcomes = []Outcome{Allow, Monitor, Review, Refuse, Freeze}

// A Reason is why a verdict is what it is.
type Reason struct {
	// Code is the rule of the policy that spoke, or of the engine itself: no-facts,
	// chain-not-held, stale, not-an-address, dust, poisoning, after, undefined, no-price,
	// no-rule, rule-error.
	Code    string  `json:"code"`
	Outcome Outcome `json:"outcome"`
	// Why is the policy's sentence for people.
	Why string `json:"why,omitempty"`
	// Fact is the number of the fact it rests on among the verdict's, or -1.
	Fact int `json:"fact"`
}

// A Verdict is the answer to a question.
type Verdict struct {
	Subject string  `json:"subject"` // in its canonical form
	Chain   string  `json:"chain,omitempty"`
	Purpose Purpose `json:"purpose,omitempty"`
	Level   Level   `json:"level"`
	Outcome Outcome `json:"outcome"`
	// Score is the engine's number, 0 to 100; it never stands alone.
	Score   uint32   `json:"score"`
	Reasons []Reason `json:"reasons"`
	Facts   []Fact   `json:"facts"`
	Basis   *Basis   `json:"basis"`
}

// Basis is everything that a verdict rests on: equal basis, equal verdict.
type Basis struct {
	// Index numbers the state of knowledge within one run, rising.
	Index  uint64          `json:"index"`
	Heads  map[string]Head `json:"heads"`  // by CAIP-2 chain
	Labels string          `json:"labels"` // digest of all claims
	Policy string          `json:"policy"` // name, version and digest
	Cases  string          `json:"cases"`  // digest of the open cases
	Rules  string          `json:"rules"`  // version of the taint accounting
	// Owners names, by chain, the rules by which addresses were given to one owner; empty
	// where clusters are not looked at.
	Owners string `json:"owners,omitempty"`
	At     int64  `json:"at,omitempty"`
	Known  int64  `json:"known,omitempty"`
	// Nearby lists the chains of which dealings over several hands are not known up to
	// the last hop, as there are too many: that there are none from further away says
	// nothing there.
	Nearby map[string]Nearby `json:"nearby,omitempty"`
}

// Nearby is the last hop up to which dealings are known, by direction.
type Nearby struct {
	Received uint32 `json:"received"`
	Sent     uint32 `json:"sent"`
}

// Head is the newest block that counted, and how old the knowledge is.
type Head struct {
	Height uint64 `json:"height"`
	Hash   string `json:"hash"`
	Time   int64  `json:"time"` // of the block, Unix seconds
	// Seen is when the source was last heard to have nothing newer; an answer's age is
	// counted from it. Zero where the chain is not followed.
	Seen int64 `json:"seen,omitempty"`
}
