package proximity

import (
	"coldtrail/ledger"
)

// Spend is a transaction of a UTXO chain as payments: of each output, every input's
// address paid its part of all inputs, rounded down. What an address pays to itself is no
// payment.
type Spend struct {
	tx     *ledger.Resolved
	number uint64
	asset  ledger.Asset
	mixed  bool
	payers []ledger.Address // in order of the inputs, each once
	gave   map[ledger.Address]ledger.Amount
	total  ledger.Amount
}

// NewSpend reads a transaction.
func NewSpend(tx *ledger.Resolved, number uint64, asset ledger.Asset, mixed bool) *Spend {
	s := &Spend{tx: tx, number: number, asset: asset, mixed: mixed, gave: map[ledger.Address]ledger.Amount{}}
	for i := range tx.Inputs {
		in, value := &tx.Inputs[i], ledger.NewAmount(tx.Inputs[i].Value)
		s.total.Add(&s.total, &value)
		if in.Address.IsZero() { // of a parent that is not held nothing is known
			continue
		}
		sum, known := s.gave[in.Address]
		if !known {
			s.payers = append(s.payers, in.Address)
		}
		sum.Add(&sum, &value)
		s.gave[in.Address] = sum
	}
	return s
}

// Paid gives the payments of an address, in order.
func (s *Spend) Paid(by ledger.Address, give func(*Payment)) {
	for i, payer := range s.payers {
		if payer != by || s.total.IsZero() {
			continue
		}
		for j := range s.tx.Outputs {
			s.pay(i, j, give)
		}
	}
}

// Got gives the payments to an address, in order.
func (s *Spend) Got(by ledger.Address, give func(*Payment)) {
	if s.total.IsZero() {
		return
	}
	for j := range s.tx.Outputs {
		if s.tx.Outputs[j].Address != by {
			continue
		}
		for i := range s.payers {
			s.pay(i, j, give)
		}
	}
}

func (s *Spend) pay(payer, output int, give func(*Payment)) {
	from, out := s.payers[payer], &s.tx.Outputs[output]
	if from == out.Address || out.Address.IsZero() {
		return
	}
	value, gave := ledger.NewAmount(out.Value), s.gave[from]
	part, _ := new(ledger.Amount).MulDivOverflow(&value, &gave, &s.total)
	give(&Payment{
		From: from, To: out.Address, Asset: s.asset, Amount: *part, At: Place{s.number, uint64(output)*uint64(len(s.payers)) + uint64(payer)},
		Time: s.tx.Time, Mixed: s.mixed,
	})
}

// touches is how many inputs and outputs of an address there are, and what came to it.
func (s *Spend) touches(self ledger.Address) (n int, got ledger.Amount) {
	for i := range s.tx.Inputs {
		if s.tx.Inputs[i].Address == self {
			n++
		}
	}
	for i := range s.tx.Outputs {
		if s.tx.Outputs[i].Address == self {
			n++
			value := ledger.NewAmount(s.tx.Outputs[i].Value)
			got.Add(&got, &value)
		}
	}
	return n, got
}
