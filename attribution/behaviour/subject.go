package behaviour

import (
	"bytes"
	"cmp"
	"slices"

	"coldtrail/ledger"
)

// Subject is who the steps are about.
type Subject struct {
	Own map[ledger.Address]bool
	// Steps are the transactions that touch the subject. Each is given once; a second
	// one of the same hash is passed over. Balances, and with them dormancy, sweeps and
	// gas top-ups, are right only where the record is complete since the openings.
	Steps []Step
	// Openings are what the subject's addresses held before the first step. Their
	// Before is not looked at.
	Openings []ledger.Opening
	// Taint names the incidents whose taint a transaction moves into the subject, as a
	// trace found. It may be nil.
	Taint map[ledger.Hash][]string
}

// Step is one transaction as it concerns a subject.
//
// On account chains a movement has one sender and one receiver, so that Moves pairs
// them. On UTXO chains nothing pairs an input with an output: In and Out are all there
// are. The chain's family decides which of the two is read; the other is ignored.
type Step struct {
	Chain  ledger.Chain
	Tx     ledger.Hash
	Height ledger.Height
	Index  uint32 // position in the block
	Time   int64  // of the block, Unix seconds

	// Moves are movements on account chains, in execution order. Those that touch the
	// subject suffice; with the others, dust that one transaction spreads is seen.
	Moves []Move
	// In and Out are all inputs and outputs, in order, on UTXO chains.
	In, Out []Part

	// Sender is who signed, on account chains; none where the source does not say.
	Sender ledger.Address
	Fee    ledger.Amount // in the chain's own asset, paid by Sender on account chains
	// Mix names the protocol of a coinjoin. What goes in and out of one counts in no
	// pattern but mixer use.
	Mix string
	// Toward is the chain to which a deposit of this transaction crosses, where known.
	Toward ledger.Chain
}

// Party is one end of a movement.
type Party struct {
	Address ledger.Address
	Own     bool     // is of the subject; Subject.Own says the same
	Labels  []string // concepts of what is known of the address, such as "exchange"; sorted
	Entity  string   // who it is said to be; empty where nobody says
}

// Move is a movement of one asset between two accounts.
type Move struct {
	From, To Party
	Asset    ledger.Asset
	Amount   ledger.Amount // base units of Asset
}

// Part is an input or output of a UTXO transaction.
type Part struct {
	Party
	Asset  ledger.Asset
	Amount ledger.Amount // base units of Asset
	// Spender is who spent an output; zero where it is unspent or nobody knows.
	Spender ledger.Hash
}

// Until is the subject as it was known at a height of a chain: steps of other chains
// are kept up to the time of the last step kept, spenders only where they are kept.
// Labels and taint are as the caller gave them.
func (s *Subject) Until(chain ledger.Chain, height ledger.Height) *Subject {
	out := &Subject{Own: s.Own, Openings: s.Openings, Taint: s.Taint}
	last, found := int64(0), false
	for i := range s.Steps {
		if st := &s.Steps[i]; st.Chain == chain && st.Height <= height && (!found || st.Time > last) {
			last, found = st.Time, true
		}
	}
	kept := map[ledger.Hash]bool{}
	for i := range s.Steps {
		st := &s.Steps[i]
		if st.Chain == chain && st.Height <= height || st.Chain != chain && found && st.Time <= last {
			out.Steps = append(out.Steps, *st)
			kept[st.Tx] = true
		}
	}
	for i := range out.Steps {
		outputs := slices.Clone(out.Steps[i].Out)
		for j := range outputs {
			if !kept[outputs[j].Spender] {
				outputs[j].Spender = ledger.Hash{}
			}
		}
		out.Steps[i].Out = outputs
	}
	return out
}

func compareHashes(a, b ledger.Hash) int { return bytes.Compare(a[:], b[:]) }

// compareSteps orders steps by time, then by their place in the chain. Bitcoin's block
// times may run backwards; windows go by the time that a block states.
func compareSteps(a, b *Step) int {
	return cmp.Or(
		cmp.Compare(a.Time, b.Time), cmp.Compare(a.Chain, b.Chain), cmp.Compare(a.Height, b.Height),
		cmp.Compare(a.Index, b.Index), compareHashes(a.Tx, b.Tx),
	)
}

// since is the seconds from a time to one that is not before it.
func since(from, to int64) uint64 { return uint64(to) - uint64(from) }

// is says whether one of a party's labels is among the concepts.
func (p *Party) is(concepts []string) bool {
	return slices.ContainsFunc(p.Labels, func(label string) bool { return slices.Contains(concepts, label) })
}

// key tells parties apart.
type key struct {
	entity  string
	address ledger.Address
	n, part int
}

// byName tells parties apart by entity, or by address where they are nameless.
func (p *Party) byName() key {
	if p.Entity != "" {
		return key{entity: p.Entity}
	}
	return key{address: p.Address}
}
