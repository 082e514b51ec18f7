package watch

import (
	"slices"

	"coldtrail/screen/exposure"
)

// levels lists the levels by the numbers they are kept under. The first is of a verdict
// that could not be told.
var levels = []exposure.Level{"", exposure.None, exposure.Low, exposure.Medium, exposure.High, exposure.Severe, exposure.Unknown}

const hidden = 0

// state is what was last found of a subject, without what only says that nobody could
// tell.
type state struct {
	outcome uint8 // its place in exposure.Outcomes
	level   uint8 // its place in levels
	// vague says that only the whole verdict is known: part of it may be that nobody could
	// tell, so that just a graver outcome is a change.
	vague bool
}

// clean is a subject of which nothing was found yet.
var clean = state{level: 1}

// tells says whether a reason is about the subject, and not about what is not known.
func tells(code string) bool {
	switch code {
	case "stale", "chain-not-held", "not-an-address":
		return false
	}
	return true
}

// stateOf is what a verdict says of its subject. One without reasons says nothing.
func stateOf(v *exposure.Verdict) state {
	if len(v.Reasons) == 0 {
		return state{outcome: outcomeNumber(v.Outcome), vague: true}
	}
	s := state{level: levelNumber(v.Level)}
	spoke, mute := false, false
	for i := range v.Reasons { // the gravest first
		switch r := &v.Reasons[i]; {
		case !tells(r.Code):
			mute = true
		case !spoke:
			spoke, s.outcome = true, outcomeNumber(r.Outcome)
		}
	}
	if mute && v.Level == exposure.Unknown {
		s.level = hidden
	}
	return s
}

// stateGiven is what is known where only outcome and level of a verdict were kept.
func stateGiven(outcome exposure.Outcome, level exposure.Level) state {
	s := state{outcome: outcomeNumber(outcome), level: levelNumber(level)}
	if outcome != exposure.Allow && (level == exposure.Unknown || level == "") {
		s.level, s.vague = hidden, true
	}
	return s
}

func outcomeNumber(o exposure.Outcome) uint8 {
	if i := slices.Index(exposure.Outcomes, o); i >= 0 {
		return uint8(i)
	}
	return uint8(slices.Index(exposure.Outcomes, exposure.Review)) // nobody can tell
}

func levelNumber(l exposure.Level) uint8 {
	return uint8(max(slices.Index(levels, l), hidden))
}

// differs says whether a newer state is a change that somebody should hear of.
func (s state) differs(now state) bool {
	switch {
	case now.vague:
		return false
	case s.vague:
		return now.outcome > s.outcome
	case s.outcome != now.outcome:
		return true
	}
	return s.level != hidden && now.level != hidden && s.level != now.level
}

// then is the state after a newer one that is no change.
func (s state) then(now state) state {
	switch {
	case now.vague:
		return s
	case now.level == hidden && s.vague:
		return s
	case now.level == hidden:
		now.level = s.level
	}
	return now
}

// standing is the state in words.
func (s state) standing() Standing {
	return Standing{exposure.Outcomes[s.outcome], levels[s.level]}
}

// place is what a subject is known by: its canonical form, and CAIP-2 or nothing.
type place struct{ address, chain string }

// subject is somebody who is looked at again.
type subject struct {
	place

	mark  uint64 // of the last answer; 0 where there is none
	asked int64
	state state
	// urgent says that it is among those looked at first, telling that an alert is about
	// to be made.
	urgent, telling bool
}

// table is subjects that are looked at one after another.
type table struct {
	list  []subject
	at    map[place]int32
	names [][]string // the watch-lists of each, where they are members
	next  int        // where the pass goes on
	left  int        // how many are still to be looked at
	first []int32    // those to be looked at before all others
	same  map[string]string
}

func (t *table) find(p place) *subject {
	if i, ok := t.at[p]; ok {
		return &t.list[i]
	}
	return nil
}

// add adds a subject that is not there yet.
func (t *table) add(s subject) {
	if t.at == nil {
		t.at, t.same = map[place]int32{}, map[string]string{}
	}
	if chain, ok := t.same[s.chain]; ok {
		s.chain = chain // most have the same few
	} else {
		t.same[s.chain] = s.chain
	}
	t.at[s.place] = int32(len(t.list))
	t.list = append(t.list, s)
}

// begin begins a pass where the last one left off.
func (t *table) begin() { t.left = len(t.list) }

func (t *table) remaining() int { return t.left + len(t.first) }

// again has a subject looked at in the next round.
func (t *table) again(p place) {
	i, ok := t.at[p]
	if !ok {
		return
	}
	if s := &t.list[i]; !s.urgent {
		s.urgent = true
		t.first = append(t.first, i)
	}
	t.list[i].mark = 0
}

// retain drops those asked about before a moment, and beyond most those asked about the
// longest ago, as casebook.Subjects does. It says how many went.
func (t *table) retain(before int64, most int) int {
	kept := make([]subject, 0, min(len(t.list), most))
	for i := range t.list {
		if t.list[i].asked >= before {
			kept = append(kept, t.list[i])
		}
	}
	if len(kept) > most {
		slices.SortFunc(kept, func(a, b subject) int { return a.compare(&b) })
		kept = slices.Clone(kept[len(kept)-most:])
	}
	gone := len(t.list) - len(kept)
	if gone == 0 {
		return 0
	}
	waiting, left := t.first, t.left
	urgent := make([]place, len(waiting))
	for i, at := range waiting {
		urgent[i] = t.list[at].place
	}
	*t = table{}
	for i := range kept {
		kept[i].urgent = false
		t.add(kept[i])
	}
	if left > 0 {
		t.left = len(t.list) // their order has changed
	}
	for _, p := range urgent {
		t.again(p)
	}
	return gone
}
