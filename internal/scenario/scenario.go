// Package scenario is the test language: ledgers, cases and expectations in words
// an analyst can read, for UTXO and account chains. `coldtrail test` runs users'
// own files, the project's tests run testdata/scenarios.
//
// docs/formats/scenario.md describes the language. Every trace runs twice, by the
// streaming and by the targeted driver, and both must give the same bytes.
package scenario

import (
	"fmt"

	"coldtrail/ledger"
	"coldtrail/taint"
	"coldtrail/trace"
)

// Scenario is one parsed file.
type Scenario struct {
	File     string
	Chain    ledger.Chain // the first ledger
	steps    []step
	thefts   []theft
	links    []link
	labels   map[string]taint.Terminal
	victim   []string
	services []service
	traces   []expectation
	names    *names // of the first ledger
	on       map[ledger.Chain]*names
	home     map[string]ledger.Chain // where a transaction is
}

// A SyntaxError says where a scenario cannot be read.
type SyntaxError struct {
	File   string
	Line   int
	Reason string
}

// Error is "file:line: reason".
func (e *SyntaxError) Error() string { return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Reason) }

// A FailureError is an expectation that did not hold.
type FailureError struct {
	File   string
	Line   int
	Method string
	Reason string
	Want   []string
	Got    []string
}

// Error prints the expectation and what came instead.
func (f *FailureError) Error() string {
	text := fmt.Sprintf("%s:%d: %s: %s", f.File, f.Line, f.Method, f.Reason)
	for _, line := range f.Want {
		text += "\n  want  " + line
	}
	for _, line := range f.Got {
		text += "\n  got   " + line
	}
	return text
}

// step is one thing that happens to the ledger, in order.
type step struct {
	chain  ledger.Chain
	block  *ledger.Block  // a block arrives
	rewind *ledger.Height // or the chain is rewound to before this height
}

type theft struct {
	line   int
	colour string // "case/colour"
	place  string // TX:N
}

type link struct {
	line          int
	from, fromIn  string
	to, toIn      string
	amount        string
	before        string
	score         uint32
	assertedBy    string
	justification string
}

// service is an opaque service, and which of its payouts an analyst accepts.
type service struct {
	name    string
	wallets []string
	accepts []accept
}

type accept struct {
	deposit, payout string
	score           uint32
}

// expectation is one trace and what it must give.
type expectation struct {
	line      int
	methods   []*taint.Method
	fees      taint.FeeRule
	coinJoins trace.CoinJoinRule
	subsidy   uint64
	hops      uint32
	lines     []string
}
