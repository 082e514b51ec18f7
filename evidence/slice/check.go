package slice

import (
	"fmt"

	"coldtrail/ledger"
	"coldtrail/store"
)

// check refuses facts that contradict one another, so that what binds one of them to a
// proof binds those that name it.
func (f *Facts) check() error {
	for _, check := range []func() string{f.checkOrder, f.checkNames, f.checkOutputs, f.checkInputs, f.checkMessages, f.checkHistories} {
		if reason := check(); reason != "" {
			return &InconsistentError{f.Status.Chain, reason}
		}
	}
	return nil
}

// at is where a transaction stands.
type at struct {
	height ledger.Height
	index  uint32
	time   int64
}

// place is where the slice says that a transaction stands.
func (f *Facts) place(n store.TxNumber) (at, bool) {
	if t, ok := f.Transactions[n]; ok {
		return at{t.Height, t.Index, t.Time}, true
	}
	if m, ok := f.Movements[n]; ok {
		return at{m.Height, m.Tx.Index, m.Time}, true
	}
	if s, ok := f.Spoken[n]; ok {
		return at{s.Height, s.Tx.Index, s.Time}, true
	}
	return at{}, false
}

// checkOrder wants numbers in chain order: the order in which taint moves.
func (f *Facts) checkOrder() string {
	var before at
	var outputs store.OutputNumber
	some := false
	for _, number := range sortedKeys(f.IDs) {
		here, ok := f.place(number)
		if !ok {
			continue
		}
		if some && (here.height < before.height || here.height == before.height && here.index <= before.index) {
			return fmt.Sprintf("transaction number %d does not stand after the one before it", number)
		}
		if t, ok := f.Transactions[number]; ok {
			if t.FirstOutput < outputs {
				return fmt.Sprintf("the outputs of transaction number %d are not numbered after those before them", number)
			}
			outputs = t.FirstOutput + store.OutputNumber(len(t.Values))
		}
		before, some = here, true
	}
	return ""
}

// checkNames wants every transaction named, and as it says of itself.
func (f *Facts) checkNames() string {
	for number := range f.Transactions {
		if _, ok := f.IDs[number]; !ok {
			return fmt.Sprintf("transaction number %d has no identifier", number)
		}
	}
	for number := range f.Movements {
		if m := f.Movements[number]; f.IDs[number] != m.Tx.ID {
			return fmt.Sprintf("transaction number %d has two identifiers", number)
		}
	}
	for number := range f.Spoken {
		if f.IDs[number] != f.Spoken[number].Tx.ID {
			return fmt.Sprintf("transaction number %d has two identifiers", number)
		}
	}
	for id := range f.Absent {
		if _, ok := f.found[id]; ok {
			return fmt.Sprintf("transaction %s is held and is not", id)
		}
	}
	return ""
}

// checkOutputs compares outputs with the transactions that made and spent them.
func (f *Facts) checkOutputs() string {
	for number, o := range f.Outputs {
		if t, ok := f.Transactions[o.Tx]; ok {
			i := uint64(number - t.FirstOutput)
			if number < t.FirstOutput || i >= uint64(len(t.Values)) || uint64(o.Outpoint.Index) != i || o.Outpoint.Tx != f.IDs[o.Tx] ||
				o.Value != t.Values[i] || o.Unspendable != t.Unspendable[i] {
				return fmt.Sprintf("output %s:%d is not what its transaction made", o.Outpoint.Tx, o.Outpoint.Index)
			}
		} else if id, ok := f.IDs[o.Tx]; ok && id != o.Outpoint.Tx {
			return fmt.Sprintf("output %s:%d is of two transactions", o.Outpoint.Tx, o.Outpoint.Index)
		}
		if t, ok := f.Transactions[o.Spender]; ok && !spends(&t, number) {
			return fmt.Sprintf("output %s:%d is not spent by the transaction that is named", o.Outpoint.Tx, o.Outpoint.Index)
		}
	}
	for outpoint, number := range f.Outpoints {
		if o, ok := f.Outputs[number]; ok && o.Outpoint != outpoint {
			return fmt.Sprintf("output %s:%d has two numbers", outpoint.Tx, outpoint.Index)
		}
	}
	return ""
}

func spends(t *store.Transaction, number store.OutputNumber) bool {
	for i := range t.Inputs {
		if t.Inputs[i].Output == number {
			return true
		}
	}
	return false
}

// checkInputs wants an output that a transaction of the slice spends told as spent by it.
func (f *Facts) checkInputs() string {
	for number, t := range f.Transactions {
		for i := range t.Inputs {
			o, ok := f.Outputs[t.Inputs[i].Output]
			if ok && (o.Spender != number || o.Value != t.Inputs[i].Value) {
				return fmt.Sprintf("input %d of transaction %s is not the output that it names", i, f.IDs[number])
			}
		}
	}
	return ""
}

// checkMessages wants what a transaction says to be of the outputs that it makes.
func (f *Facts) checkMessages() string {
	for number, said := range f.Spoken {
		t, ok := f.Transactions[number]
		if !ok {
			continue
		}
		same := len(t.Values) == len(said.Tx.Outputs) && t.Height == said.Height && t.Time == said.Time
		for i := 0; same && i < len(t.Values); i++ {
			same = t.Values[i] == said.Tx.Outputs[i].Value
		}
		if !same {
			return fmt.Sprintf("transaction %s is told in two ways", f.IDs[number])
		}
	}
	return ""
}

// checkHistories wants histories in chain order.
func (f *Facts) checkHistories() string {
	for q, touches := range f.Histories {
		last := q.From
		for _, t := range touches {
			if t.Tx < last {
				return "the history of an address is not in order"
			}
			last = t.Tx
		}
	}
	return ""
}
