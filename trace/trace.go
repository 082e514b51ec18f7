// Package trace follows stolen money through a store: from the thefts a case
// file names to where every unit is now.
//
// Two drivers feed the same pure core (package taint). Streaming applies every
// block in order to the sparse tainted state; Targeted walks only what tainted
// holdings touch, through look-ups, in the same order. Both give the same bytes.
// Every result names its basis, and the engine refuses to emit one that does not
// conserve what was stolen.
package trace

import (
	"context"
	"errors"
	"time"

	"coldtrail/ledger"
	"coldtrail/store"
	"coldtrail/taint"
)

// RulesVersion names the accounting rules that results rest on. It changes when
// the same ledger, cases and method would give other bytes.
const RulesVersion = "v2"

// Mode is how the ledger is walked.
type Mode string

// The two drivers.
const (
	// Streaming applies every block in order.
	Streaming Mode = "streaming"
	// Targeted follows only what tainted holdings touch.
	Targeted Mode = "targeted"
)

// Store is what a trace asks of a store.
type Store = store.Questions

// Notations finds how a chain's addresses are written.
type Notations func(ledger.Chain) (ledger.Notation, error)

// Options are the choices of a run. The zero value traces by fifo, streaming, up
// to the newest block.
type Options struct {
	Method *taint.Method
	Mode   Mode
	Fees   taint.FeeRule
	// AsOf ends every chain at its last block not after this moment; zero is the head.
	AsOf time.Time
	// Notations is required.
	Notations Notations
	// Terminals says where the trace stops, beside the cases' own victims, as far as the
	// transactions before end show.
	Terminals func(c ledger.Chain, a ledger.Address, end store.TxNumber) (taint.Terminal, bool)
	// CoinJoins says what becomes of value in coinjoins.
	CoinJoins CoinJoinRule
	// LabelRevision names the labels behind Terminals in the basis, and Conclusions the
	// rules.
	LabelRevision, Conclusions string
	// Sources says what a terminal at an address rested on, for Result.Labels.
	Sources func(c ledger.Chain, address string) (Source, bool)
	// Subsidy is a chain's block subsidy in base units, for FeesFollow.
	Subsidy func(ledger.Chain, ledger.Height) uint64
	// Crossings follows value across bridges, over every chain of the store.
	Crossings bool
	// Flows keeps every movement, for Result.Flows and Result.Path.
	Flows bool
	// Once says that a live trace will not see blocks taken back: it then makes no marks
	// on its way to the first head, which takes as long again.
	Once bool
	// Reach keeps what reached every address, for Live.Reached.
	Reach bool
	// Progress is told of heights done, from the first that a walk visits to the last that
	// counts. A chain may be walked several times: where less is done than before, or all
	// was done, another walk has begun.
	Progress func(chain ledger.Chain, done, total ledger.Height)
}

// CoinJoinRule says what becomes of value in transactions in which several owners mix.
type CoinJoinRule uint8

// The choices.
const (
	// CoinJoinsEnd lets lots that reach equal outputs of a coinjoin end there; its change
	// is followed.
	CoinJoinsEnd CoinJoinRule = iota
	// CoinJoinsFollow treats them as any transaction.
	CoinJoinsFollow
)

// ErrConservation says that a run lost or made stolen units: a defect of ours.
var ErrConservation = errors.New("result does not conserve what was stolen; nothing was written, please report this")

// Run traces cases together over what the store holds. Colours of all incidents
// share one pass, and first taint wins between them in ledger order.
func Run(ctx context.Context, s Store, cases []*Case, options Options) (*Result, error) {
	if options.Method == nil {
		options.Method = taint.FIFO
	}
	if options.Mode == "" {
		options.Mode = Streaming
	}
	p, err := newPlan(ctx, s, cases, options)
	if err != nil {
		return nil, err
	}
	if p.hasServices() && options.Crossings {
		if err := p.findBridges(ctx); err != nil {
			return nil, err
		}
	}
	facts, err := p.settle(ctx, true)
	if err != nil {
		return nil, err
	}
	final := facts
	if len(p.links) > 0 || p.infers(facts) || p.decides() || facts.concluded {
		if final, err = p.settle(ctx, false); err != nil {
			return nil, err
		}
	}
	return p.result(ctx, facts, final)
}

// infers says whether a crossing that took in taint is less than a fact.
func (p *plan) infers(r *record) bool {
	for i := range r.crossed {
		if c := &p.bridges.crossings[i]; len(c.Payouts) > 0 && c.Score != taint.Fact {
			return true
		}
	}
	return false
}
