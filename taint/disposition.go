package taint

import (
	"slices"

	"coldtrail/ledger"
)

// Kind is where a lot ended up. Every lot ends in exactly one.
type Kind uint8

// The dispositions.
const (
	// Held value is unspent at a holding nobody labelled, or at the thief's own.
	Held Kind = iota
	// Service value reached a labelled exchange, custodian or the like; the trace stops.
	Service
	// Mixer value entered a mixer.
	Mixer
	// Dark value entered an opaque swap service without an accepted link.
	Dark
	// InTransit value entered a bridge whose payout is not known yet.
	InTransit
	// Frozen value was frozen by its issuer, or a label says so.
	Frozen
	// Recovered value is back at a victim's address.
	Recovered
	// Burned value can never be spent.
	Burned
	// Fee value went to a block's producer.
	Fee
	// Rounding is origin whose amount a conversion rounded to nothing.
	Rounding
	// Truncated value lies beyond a limit the user set.
	Truncated
)

var kindNames = [...]string{"held", "service", "mixer", "dark", "in-transit", "frozen", "recovered", "burned", "fee", "rounding", "truncated"}

// String is the word results use.
func (k Kind) String() string { return kindNames[k] }

// KindNamed finds a disposition by its word.
func KindNamed(word string) (Kind, bool) {
	for i, name := range kindNames {
		if name == word {
			return Kind(i), true
		}
	}
	return 0, false
}

// Terminal says that value which reaches an address stops there.
type Terminal struct {
	Kind   Kind
	Entity string
	// Score is the certainty, in basis points, of a conclusion that it rests on, and By
	// the rule that drew it; 0 where somebody said it of the address itself.
	Score uint32
	By    string
}

// Inferred says that the terminal rests on a conclusion.
func (t *Terminal) Inferred() bool { return t.Score > 0 && t.Score < Fact }

// conclude makes lots inferred that end by a conclusion; it gives others back as they
// are.
func (t *Terminal) conclude(p *Palette, lots []Lot) []Lot {
	if t == nil || !t.Inferred() {
		return lots
	}
	lots = slices.Clone(lots)
	for i := range lots {
		lots[i].Class = p.Infer(lots[i].Class, t.Score, t.By)
	}
	return lots
}

// Place is where lots sit or sat: an output, or an account and asset.
type Place struct {
	Chain   ledger.Chain
	Asset   ledger.Asset
	Output  uint64         // number of the output, on UTXO chains
	Address ledger.Address // on account chains; on UTXO chains where it was looked up
}

// Moment is the transaction in which something happened.
type Moment struct {
	Number uint64 // of the transaction in its chain
	Height ledger.Height
	Time   int64 // Unix seconds
}

// Settlement is lots that ended for good in a transaction.
type Settlement struct {
	Moment
	Place  Place
	Kind   Kind
	Entity string
	Lots   []Lot // clean lots among them are of no account
}

// Leg is one side of a Flow: a place and the lots that left or reached it.
type Leg struct {
	Place Place
	Kind  Kind // of what the leg ends in; Held where it can move on
	Lots  []Lot
}

// Flow is what one transaction did to tainted lots. On UTXO chains it is
// many-to-many; on account chains there is one Flow for each movement.
type Flow struct {
	Moment
	Chain ledger.Chain
	From  []Leg
	To    []Leg
	// By names who asserts a flow that no transaction shows; From may lie later.
	By string
	// Swap describes the swap that the flow is, or is nil.
	Swap *SwapNote
}

// SwapNote says who swapped: the trader is the principal, never the aggregator.
type SwapNote struct {
	Initiator ledger.Address // who sent the transaction
	Principal ledger.Address // whose value it was
	Pools     []ledger.Address
}

// Theft is lots that took a colour in a transaction.
type Theft struct {
	Moment
	Class   Class
	Place   Place
	Taken   ledger.Amount            // units that took the colour
	Already map[string]ledger.Amount // units stolen before, by colour
}

// AnomalyKind names what does not add up.
type AnomalyKind string

// The anomalies the engine finds.
const (
	// Shortfall: more left a holding than it is known to have held.
	Shortfall AnomalyKind = "shortfall"
	// Rebase: the same, of a token whose balances change without transfers.
	Rebase AnomalyKind = "rebase"
	// MissingIncomingLeg: a shortfall at an address that had given another tainted
	// asset away before; the likely swap's incoming leg is not in the data.
	MissingIncomingLeg AnomalyKind = "missing-incoming-leg"
	// UnknownOpening: taint reached a holding whose balance before is not known.
	UnknownOpening AnomalyKind = "unknown-opening-balance"
	// UnknownParent: an input spends an output the ledger does not hold.
	UnknownParent AnomalyKind = "unknown-parent"
	// ZeroTransfer: a transfer of nothing touches a tainted address.
	ZeroTransfer AnomalyKind = "zero-transfer"
	// Unbacked: a tainted address sends a token it was never seen to hold, as
	// look-alike tokens and address poisoning pretend.
	Unbacked AnomalyKind = "unbacked-transfer"
	// SwapThrough: a tracked contract paid into a swap and received nothing for it.
	SwapThrough AnomalyKind = "swap-through"
	// AmbiguousSwap: accounts gave and others received, and who for whom is not known.
	AmbiguousSwap AnomalyKind = "ambiguous-swap"
	// InternalUnknown: a contract ran and the source had no trace, so native value
	// may have moved unseen.
	InternalUnknown AnomalyKind = "internal-value-unknown"
	// LookAlike: a transfer of nothing, or of a token never held, to or from an
	// address that resembles a real counterparty.
	LookAlike AnomalyKind = "look-alike-address"
	// Forged: a message claims to belong to a bridge and cannot.
	Forged AnomalyKind = "forged-crossing"
	// ApproximateOrder: the source did not give the order of a transaction's movements.
	ApproximateOrder AnomalyKind = "approximate-order"
)

// Anomaly is something that did not add up, with its transaction. It changed
// nothing but what its kind says.
type Anomaly struct {
	Moment
	Kind   AnomalyKind
	Place  Place
	Amount ledger.Amount // base units of the place's asset
	Detail string
}

// Recorder is told what happens. Slices are valid only during the call.
type Recorder interface {
	Stolen(Theft)
	Settled(Settlement)
	Moved(Flow)
	Found(Anomaly)
}
