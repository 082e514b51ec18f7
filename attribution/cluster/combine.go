package cluster

import "slices"

const (
	// whole is certainty in basis points.
	whole = 10_000
	// ceiling is the most that evidence adds up to: no inference is a fact.
	ceiling = 9_500
)

// Combine is how sure the edges of one pair make us together, in basis points: one less
// the product of the doubts that the kinds of evidence leave, each kind counted by its
// surest edge, and never above 9,500. Doubt is rounded up. Any veto (labels of two
// actors, a known false merge) leaves nothing.
func Combine(edges []Edge, vetoes int) uint32 {
	if vetoes > 0 {
		return 0
	}
	surest := map[Kind]uint32{}
	for i := range edges {
		kind := Kind("")
		if edges[i].Rule != nil {
			kind = edges[i].Rule.Kind
		}
		surest[kind] = max(surest[kind], uint32(min(edges[i].Confidence, 100)))
	}
	list := make([]uint32, 0, len(surest))
	for _, c := range surest {
		list = append(list, c)
	}
	slices.Sort(list) // rounding depends on the order
	doubt := uint32(whole)
	for _, c := range list {
		doubt = (doubt*(100-c) + 99) / 100
	}
	return min(whole-doubt, ceiling)
}
