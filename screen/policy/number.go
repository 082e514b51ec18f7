package policy

import (
	"fmt"
	"math"
	"slices"

	"gopkg.in/yaml.v3"
)

// numbers are the thresholds of a policy. Rules read them as policy.NAME; those of
// engine also steer the score.
type numbers struct {
	named  map[string]int64
	lines  map[string]int
	engine engine
}

// engine are the numbers that the score is worked out by.
type engine struct {
	directMin      int64 // cents
	directMinShare int64 // basis points
	floor          int64 // cents
	floorShare     int64 // basis points
	dust           int64 // cents
	decay          int64 // basis points per hop after the first
	maxHops        int64
	maxAge         int64 // seconds; 0 is no limit
	owned          int64 // basis points
}

// engineNumber is a number that every policy has to state.
type engineNumber struct {
	name string
	most int64
	to   func(*engine) *int64
}

var engineNumbers = []engineNumber{
	{"direct_min_cents", math.MaxInt64, func(e *engine) *int64 { return &e.directMin }},
	{"direct_min_share_bp", 10000, func(e *engine) *int64 { return &e.directMinShare }},
	{"floor_cents", math.MaxInt64, func(e *engine) *int64 { return &e.floor }},
	{"floor_share_bp", 10000, func(e *engine) *int64 { return &e.floorShare }},
	{"dust_cents", math.MaxInt64, func(e *engine) *int64 { return &e.dust }},
	{"decay_bp", 10000, func(e *engine) *int64 { return &e.decay }},
	{"max_hops", 64, func(e *engine) *int64 { return &e.maxHops }},
	{"max_age_seconds", math.MaxInt64, func(e *engine) *int64 { return &e.maxAge }},
	{"owned_bp", 10000, func(e *engine) *int64 { return &e.owned }},
}

func (ns *numbers) read(n *yaml.Node) error {
	ns.named, ns.lines = map[string]int64{}, map[string]int{}
	return pairs(n, "numbers", maxNumbers, func(key, value *yaml.Node) error {
		var k string
		var v int64
		if err := name(key, "numbers", &k); err != nil {
			return err
		}
		most := int64(math.MaxInt64)
		i := slices.IndexFunc(engineNumbers, func(e engineNumber) bool { return e.name == k })
		if i >= 0 {
			most = engineNumbers[i].most
		}
		if err := whole(value, "numbers."+k, 0, most, &v); err != nil {
			return err
		}
		if i >= 0 {
			*engineNumbers[i].to(&ns.engine) = v
		}
		ns.named[k], ns.lines[k] = v, key.Line
		return nil
	})
}

// complete says whether every number of the score is stated.
func (ns *numbers) complete(line int) error {
	for _, e := range engineNumbers {
		if _, ok := ns.named[e.name]; !ok {
			return &Error{line, "numbers", fmt.Sprintf("%s is missing", e.name)}
		}
	}
	return nil
}

// idle names a number that no rule and no score reads, which is most likely a
// misspelling; the empty string where there is none.
func (ns *numbers) idle(used map[string]bool) string {
	least := ""
	for k := range ns.named {
		known := used[k] || slices.ContainsFunc(engineNumbers, func(e engineNumber) bool { return e.name == k })
		if !known && (least == "" || k < least) {
			least = k
		}
	}
	return least
}

// billion is the unit of decay and weight.
const billion = 1_000_000_000

// decays is what remains of a weight after a number of hops, in billionths: all of it
// up to one hop, then less by the decay with each.
func decays(decay, maxHops int64) []uint64 {
	list := make([]uint64, maxHops+1)
	for i := range list {
		list[i] = billion
		if i > 1 {
			list[i] = list[i-1] * uint64(decay) / 10000
		}
	}
	return list
}
