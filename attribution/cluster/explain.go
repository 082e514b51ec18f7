package cluster

import "slices"

// Step is one piece of evidence: a transaction by which a rule says that two addresses
// have one owner.
type Step struct {
	A, B Member
	Tx   uint32
	Rule uint8
}

// Explain lists why two addresses are one owner's when the forest had so many links: a
// chain of evidence from a to b, made of the earliest transactions that tie them. It
// says false where they are not joined, or the chain has more steps than most.
func (f *Forest) Explain(a, b Member, links uint32, most int) ([]Step, bool) {
	var steps []Step
	type task struct {
		from, to Member
		step     *Step // to be given as it is, instead
	}
	tasks := []task{{from: a, to: b}}
	for len(tasks) > 0 {
		t := tasks[len(tasks)-1]
		tasks = tasks[:len(tasks)-1]
		if t.step != nil {
			steps = append(steps, *t.step)
			continue
		}
		if t.from == t.to {
			continue
		}
		at, fromChild, ok := f.joining(t.from, t.to, links)
		if !ok || len(steps)+len(tasks) > most {
			return nil, false
		}
		l := &f.Links[at]
		s := Step{A: l.A, B: l.B, Tx: l.Tx, Rule: l.Rule}
		if !fromChild {
			s.A, s.B = s.B, s.A
		}
		tasks = append(tasks, task{from: s.B, to: t.to}, task{step: &s}, task{from: t.from, to: s.A})
	}
	return steps, true
}

// joining is the link by which two addresses first were in one cluster, and whether the
// first of them was in the child. On the way up links only become later, so that going
// on from whichever was joined earlier meets there.
func (f *Forest) joining(a, b Member, links uint32) (at uint32, aInChild, ok bool) {
	for a != b {
		x, y := f.linkOf(a, links), f.linkOf(b, links)
		switch {
		case x == none && y == none:
			return 0, false, false
		case x < y:
			at, aInChild, a = x, true, f.Nodes[a].Up
		default:
			at, aInChild, b = y, false, f.Nodes[b].Up
		}
	}
	return at, aInChild, true
}

// linkOf is the link that put an address under another; none for a root.
func (f *Forest) linkOf(address Member, links uint32) uint32 {
	n := f.Nodes[address]
	if n.Up == address || n.Count >= links {
		return none
	}
	return n.Count
}

// Merge is a joining of two clusters that both were large.
type Merge struct {
	Step
	Larger, Smaller uint32 // addresses before
}

// Merges lists joinings in which the smaller cluster had at least so many addresses,
// largest first: where a forest collapsed, it is among them.
func (f *Forest) Merges(least uint32, most int) (list []Merge) {
	for i := range f.Links[:f.Joined()] {
		if l := &f.Links[i]; l.ChildCount >= least {
			list = append(list, Merge{Step{l.A, l.B, l.Tx, l.Rule}, l.ParentCount, l.ChildCount})
		}
	}
	slices.SortStableFunc(list, func(a, b Merge) int { return int(int64(b.Smaller) - int64(a.Smaller)) })
	return list[:min(len(list), most)]
}
