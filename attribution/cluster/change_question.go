package cluster

import "coldtrail/ledger"

// question is a transaction as change rules see it.
type question struct {
	tx    *ledger.Resolved
	known []Known
	// open says which outputs may be change: spendable, with an owner and a value.
	open     []bool
	payers   map[ledger.Address]bool // the input addresses
	smallest uint64                  // of the inputs, in satoshi
	fee      uint64                  // satoshi
	kind     ledger.AddressKind      // of every input; NoAddress where they differ
}

// ask prepares a transaction, or says why nothing can be concluded from it.
func ask(tx *ledger.Resolved, facts *Facts) (*question, Exclusion) {
	if e := excluded(tx, facts); e != Included {
		return nil, e
	}
	if len(tx.Inputs) == 0 {
		return nil, UnknownInput
	}
	if len(facts.Outputs) != len(tx.Outputs) {
		return nil, NoFacts
	}
	q := &question{tx: tx, known: facts.Outputs, open: make([]bool, len(tx.Outputs)), payers: map[ledger.Address]bool{}}
	q.kind, q.smallest = tx.Inputs[0].Address.Kind, tx.Inputs[0].Value
	in, out := total(tx.Inputs), total(tx.Outputs)
	for i := range tx.Inputs {
		a := tx.Inputs[i].Address
		if a.IsZero() {
			return nil, UnknownInput
		}
		if a.Kind != q.kind {
			q.kind = ledger.NoAddress
		}
		q.payers[a] = true
		q.smallest = min(q.smallest, tx.Inputs[i].Value)
	}
	if in < out {
		return nil, UnknownInput // it cannot pay what it pays
	}
	q.fee = in - out
	count := 0
	for i := range tx.Outputs {
		o := &tx.Outputs[i]
		if q.open[i] = !o.Unspendable && !o.Address.IsZero() && o.Value > 0; q.open[i] {
			count++
		}
	}
	if count < 2 {
		return nil, OneOutput
	}
	return q, Included
}

// total is the sum of outputs in satoshi, or the most that fits.
func total(list []ledger.Output) (sum uint64) {
	for i := range list {
		next := sum + list[i].Value
		if next < sum {
			return ^uint64(0)
		}
		sum = next
	}
	return sum
}

// where lists the open outputs of which something holds.
func (q *question) where(holds func(i int, o *ledger.Output) bool) []bool {
	set := make([]bool, len(q.open))
	for i := range set {
		set[i] = q.open[i] && holds(i, &q.tx.Outputs[i])
	}
	return set
}

// at makes candidates of a set, all of one confidence.
func (q *question) at(confidence uint8, set []bool) candidates {
	found := make(candidates, len(set))
	for i, in := range set {
		if in {
			found[i] = confidence
		}
	}
	return found
}

// only is the one output for which a list holds something, or -1.
func only[T comparable](list []T) int {
	var none T
	found := -1
	for i, v := range list {
		if v != none {
			if found >= 0 {
				return -1
			}
			found = i
		}
	}
	return found
}

// each counts how many open outputs pay every address.
func (q *question) each() map[ledger.Address]int {
	count := map[ledger.Address]int{}
	for i := range q.open {
		count[q.tx.Outputs[i].Address]++
	}
	return count
}
