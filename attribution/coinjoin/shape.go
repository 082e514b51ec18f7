package coinjoin

import (
	"cmp"
	"math"
	"slices"

	"coldtrail/ledger"
)

// shape is a transaction as the rules look at it. Outputs that nobody can own (OP_RETURN)
// are left out of every count but data.
type shape struct {
	height  ledger.Height
	inputs  []ledger.Output
	outputs []ledger.Output // all of the transaction, owned or not
	owned   []int           // the outputs that count, by index
	data    int             // those that do not
	groups  []group         // values of the owned outputs, falling
	total   uint64          // satoshi of the owned outputs; the largest number if more
	// distinct is how many scripts the owned outputs have.
	distinct int
	// scripts are those of the inputs. Of an input whose parent is unknown nothing can
	// be said, so that counts of them are bounds.
	scripts scripts
	// unvalued counts inputs of unknown value.
	unvalued int
}

// group is a value and how many outputs have it.
type group struct {
	value uint64 // satoshi
	count int
}

// scripts counts the scripts of inputs.
type scripts struct {
	known   int // distinct ones seen
	unknown int // inputs of which the script is not known
	top     int // inputs of the commonest script seen
}

// atLeast is the least number of distinct scripts that the inputs can have.
func (s scripts) atLeast() int {
	if s.known == 0 && s.unknown > 0 {
		return 1
	}
	return s.known
}

// atMost is the greatest number of distinct scripts that the inputs can have.
func (s scripts) atMost() int { return s.known + s.unknown }

// isOwned says that an output counts: somebody can spend it.
func isOwned(o *ledger.Output) bool { return !o.Unspendable && !o.Address.IsZero() }

// newShape looks at a transaction. Its cost is that of sorting the outputs.
func newShape(tx *ledger.Resolved) *shape {
	s := &shape{height: tx.Height, inputs: tx.Inputs, outputs: tx.Outputs}
	s.owned = make([]int, 0, len(tx.Outputs))
	values := make([]uint64, 0, len(tx.Outputs))
	owners := make(map[ledger.Address]struct{}, len(tx.Outputs))
	for i := range tx.Outputs {
		o := &tx.Outputs[i]
		if !isOwned(o) {
			s.data++
			continue
		}
		s.owned = append(s.owned, i)
		values = append(values, o.Value)
		owners[o.Address] = struct{}{}
		s.total = plus(s.total, o.Value)
	}
	s.distinct = len(owners)
	s.groups = groupsOf(values)
	s.countInputs()
	return s
}

// plus adds, and stays at the largest number rather than overflow.
func plus(a, b uint64) uint64 {
	if a > math.MaxUint64-b {
		return math.MaxUint64
	}
	return a + b
}

// groupsOf sorts values and counts equal ones.
func groupsOf(values []uint64) (groups []group) {
	slices.SortFunc(values, func(a, b uint64) int { return cmp.Compare(b, a) })
	for _, v := range values {
		if n := len(groups); n > 0 && groups[n-1].value == v {
			groups[n-1].count++
			continue
		}
		groups = append(groups, group{v, 1})
	}
	return groups
}

func (s *shape) countInputs() {
	seen := make(map[ledger.Address]int, len(s.inputs))
	for i := range s.inputs {
		in := &s.inputs[i]
		if in.Value == 0 {
			s.unvalued++
		}
		if in.Address.IsZero() {
			s.scripts.unknown++
			continue
		}
		seen[in.Address]++
		s.scripts.top = max(s.scripts.top, seen[in.Address])
	}
	s.scripts.known = len(seen)
}

// dispersed says that no script has more than a tenth of the inputs, whatever the
// unknown ones are.
func (s *shape) dispersed() bool { return (s.scripts.top+s.scripts.unknown)*10 <= len(s.inputs) }

// unshared says that no two owned outputs have one script.
func (s *shape) unshared() bool { return s.distinct == len(s.owned) }

// commonest is the value that most owned outputs from low to high satoshi have, of
// equally common ones the greatest; its count is 0 where there is none.
func (s *shape) commonest(low, high uint64) (best group) {
	for _, g := range s.groups {
		if g.value >= low && g.value <= high && g.count > best.count {
			best = g
		}
	}
	return best
}

// mix is a finding in which the owned outputs of chosen values are mixed coins.
func (s *shape) mix(confidence, participants int, chosen func(group) bool) (Finding, bool) {
	f := Finding{Confidence: uint8(confidence), Participants: participants}
	for _, g := range s.groups {
		if chosen(g) {
			f.Denominations = append(f.Denominations, g.value)
		}
	}
	for _, i := range s.owned {
		if _, ok := slices.BinarySearchFunc(f.Denominations, s.outputs[i].Value, func(a, b uint64) int { return cmp.Compare(b, a) }); ok {
			f.Mixed = append(f.Mixed, i)
		}
	}
	return f, true
}

// only chooses one value.
func only(value uint64) func(group) bool { return func(g group) bool { return g.value == value } }

// allOutputs says that every owned output has one of the kinds of script.
func (s *shape) allOutputs(kinds ...ledger.AddressKind) bool {
	for _, i := range s.owned {
		if !slices.Contains(kinds, s.outputs[i].Address.Kind) {
			return false
		}
	}
	return true
}

// knownInputs says that every input whose script is known has one of the kinds.
func (s *shape) knownInputs(kinds ...ledger.AddressKind) bool {
	for i := range s.inputs {
		if kind := s.inputs[i].Address.Kind; kind != ledger.NoAddress && !slices.Contains(kinds, kind) {
			return false
		}
	}
	return true
}
