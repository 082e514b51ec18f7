package taint

import (
	"fmt"
	"strings"

	"coldtrail/ledger"
)

// Serving is the order in which a UTXO transaction's outputs are served.
type Serving uint8

// The orders of service.
const (
	// ByIndex serves outputs in vout order, the fee last.
	ByIndex Serving = iota
	// ByValue serves outputs by value descending, ties by lower vout, the fee last.
	ByValue
)

// Method is a published rule for following stolen money.
type Method struct {
	Name    string
	Serving Serving
	// Conserves is false for upper bounds that carry no origin (poison).
	Conserves bool

	add  func(p *Pool, arrival []Lot)
	draw func(p *Pool, dst []Lot, amount *ledger.Amount) []Lot // the pool holds at least amount > 0
	lack func(dst []Lot, shortfall *ledger.Amount) []Lot
}

// Methods lists every method, sorted by name. A new method is a file and a line.
var Methods = []*Method{FIFO, Haircut, LIFO, Poison, Seniority, TIHO}

// MethodNamed finds a method by the name users type.
func MethodNamed(name string) (*Method, error) {
	names := make([]string, len(Methods))
	for i, m := range Methods {
		if m.Name == name {
			return m, nil
		}
		names[i] = m.Name
	}
	return nil, fmt.Errorf("method %q is unknown; choose one of %s", name, strings.Join(names, ", "))
}
