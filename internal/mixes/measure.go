package mixes

import (
	"slices"

	"coldtrail/attribution/coinjoin"
)

// Score is how often a rule was right. Precision is Right of Found, recall Right of Of.
type Score struct {
	Rule  string
	Of    int // transactions of its protocol
	Found int // by it
	Right int // of those, of its protocol
}

// Measure scores each rule alone, at whatever confidence. Of an entry's rule, entries
// count; of the rule for no known protocol, mixes of every protocol. Then it scores the
// surest finding of all rules with at least coinjoin.Threshold, by protocol ("all
// rules: ..."), and whether any mix is found as one, whatever its name.
func Measure(list []Planted) (scores []Score) {
	var protocols []string
	for _, rule := range coinjoin.Rules {
		if rule.Protocol != "unknown" && !slices.Contains(protocols, rule.Protocol) {
			protocols = append(protocols, rule.Protocol)
		}
		entry := rule.Name == "whirlpool-tx0"
		truth := func(p *Planted) bool { return p.Truth == rule.Protocol && p.Entry == entry }
		if rule.Protocol == "unknown" {
			truth = (*Planted).Mixed
		}
		scores = append(scores, score(rule.Name, list, truth, func(p *Planted) bool {
			_, ok := coinjoin.RecogniseBy(rule, &p.Tx)
			return ok
		}))
	}
	for _, protocol := range protocols {
		scores = append(scores, score("all rules: "+protocol, list, func(p *Planted) bool { return p.Mixed() && p.Truth == protocol }, func(p *Planted) bool {
			f, ok := surest(p)
			return ok && f.Rule.Protocol == protocol
		}))
	}
	return append(scores, score("all rules: any mix", list, (*Planted).Mixed, func(p *Planted) bool {
		_, ok := surest(p)
		return ok
	}))
}

// surest is the finding of a mix on which a caller acts.
func surest(p *Planted) (coinjoin.Finding, bool) {
	f, ok := coinjoin.Recognise(&p.Tx)
	return f, ok && !f.Entry && f.Confidence >= coinjoin.Threshold
}

func score(name string, list []Planted, truth, found func(*Planted) bool) Score {
	s := Score{Rule: name}
	for i := range list {
		is, says := truth(&list[i]), found(&list[i])
		if is {
			s.Of++
		}
		if says {
			s.Found++
		}
		if is && says {
			s.Right++
		}
	}
	return s
}

// Taken is how the transactions of one shape were taken.
type Taken struct {
	Shape string
	Truth string
	Of    int
	Found int // as a mix, by the surest rule, with at least coinjoin.Threshold
	Weak  int // with less
	// Merged are those that co-spend would wrongly make one owner's: several own the
	// inputs, and neither a finding nor coinjoin.Stonewall forbids it.
	Merged int
}

// ByShape says how each shape was taken, in the order of first appearance.
func ByShape(list []Planted) (rows []Taken) {
	index := map[string]int{}
	for i := range list {
		p := &list[i]
		at, ok := index[p.Shape]
		if !ok {
			at = len(rows)
			index[p.Shape] = at
			rows = append(rows, Taken{Shape: p.Shape, Truth: p.Truth})
		}
		row := &rows[at]
		row.Of++
		f, weak := coinjoin.Recognise(&p.Tx)
		_, found := surest(p)
		switch {
		case found:
			row.Found++
		case weak && !f.Entry:
			row.Weak++
		}
		if !found && !coinjoin.Stonewall(&p.Tx) && len(slices.Compact(slices.Sorted(slices.Values(p.Owners)))) > 1 {
			row.Merged++
		}
	}
	return rows
}
