package coinjoin

import "coldtrail/ledger"

// What every mix has, by any rule; Possible rests on these.
const (
	leastInputs  = 3
	leastOutputs = 4
	leastEqual   = 3
	// maxCompared bounds the outputs that Possible compares pair by pair; of more it
	// cannot tell.
	maxCompared = 64
)

// Possible is a cheap test by the number of inputs and the output values (satoshi)
// alone: false means that no rule can take the transaction for a mix, whoever the
// owners are. Entries (Finding.Entry) are no mixes. The values may include those of
// outputs that nobody can own. It allocates nothing and is meant for every transaction
// of a chain.
func Possible(inputs int, outputs []uint64) bool {
	return possible(inputs, outputs, func(v *uint64) uint64 { return *v })
}

func valueOf(o *ledger.Output) uint64 { return o.Value }

// possible is true wherever there are three equal outputs; three outputs near levels of
// Wasabi 1.1 among ten inputs, which need not be equal; or as many inputs and outputs
// as a round of WabiSabi has. Further outputs never make it false.
func possible[T any](inputs int, outputs []T, value func(*T) uint64) bool {
	if inputs < leastInputs || len(outputs) < leastOutputs {
		return false
	}
	if len(outputs) > maxCompared || inputs >= wasabi2Inputs && len(outputs) >= wasabi2Outputs {
		return true
	}
	leveled := 0
	for i := range outputs {
		v := value(&outputs[i])
		if inputs >= wasabi1Inputs && levelOf(v) >= 0 {
			leveled++
		}
		equal := 1
		for j := i + 1; j < len(outputs); j++ {
			if value(&outputs[j]) == v {
				equal++
			}
		}
		if leveled == leastEqual || equal >= leastEqual {
			return true
		}
	}
	return false
}

// mayEnter says that a transaction has the one data output of an entry.
func mayEnter(tx *ledger.Resolved) bool {
	data := 0
	for i := range tx.Outputs {
		if !isOwned(&tx.Outputs[i]) {
			data++
		}
	}
	return data == 1 && len(tx.Outputs) > 2
}
