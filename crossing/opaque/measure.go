package opaque

import (
	"cmp"
	"slices"
)

// Measured is how often the scores of a kind of deposit were right, where the truth is
// known.
type Measured struct {
	Deposits int // whose payout is among those given
	// Shown are deposits whose likeliest candidate is at least possible, Right those of
	// them where it is the true one; the same of strong candidates.
	Shown, Right             int
	Strong, StrongRight      int
	Likeliest, LikeliestTrue int // candidates of the one-to-one assignment, whatever their score
}

// Report measures scores by amount and by how busy the service was.
type Report struct {
	All      Measured
	ByAmount [10]Measured // deciles of the amounts of each asset, least first
	ByLoad   [len(Loads)]Measured
}

// Loads are the limits of Report.ByLoad: deposits in the hour around a deposit, fewer
// than each; the last is any number.
var Loads = [...]int{5, 20, 60, 1 << 30}

// Measure scores traffic whose truth is known: for each deposit the index of its only
// payout, or -1 where it has none or several, which then counts as traffic alone.
func Measure(model Model, deposits, payouts []Transfer, rate Rate, truth []int) *Report {
	m := Match(model, deposits, payouts, rate)
	first := make([]int, len(deposits)) // likeliest candidate of each deposit
	for i := range first {
		first[i] = -1
	}
	for i := range m.Candidates {
		if d := m.Candidates[i].Deposit; first[d] < 0 {
			first[d] = i
		}
	}
	deciles, loads := decilesOf(deposits), loadsOf(deposits)
	r := &Report{}
	for d := range deposits {
		if truth[d] < 0 {
			continue
		}
		for _, row := range []*Measured{&r.All, &r.ByAmount[deciles[d]], &r.ByLoad[loads[d]]} {
			row.Deposits++
			if first[d] >= 0 {
				row.count(&m.Candidates[first[d]], truth[d])
			}
		}
	}
	return r
}

func (r *Measured) count(c *Candidate, truth int) {
	right := 0
	if c.Payout == truth {
		right = 1
	}
	if c.Assigned {
		r.Likeliest++
		r.LikeliestTrue += right
	}
	if class := ClassOf(c.Score); class != Weak {
		r.Shown++
		r.Right += right
		if class == Strong {
			r.Strong++
			r.StrongRight += right
		}
	}
}

// decilesOf ranks deposits among those of their asset.
func decilesOf(deposits []Transfer) []int {
	out := make([]int, len(deposits))
	order := make([]int, len(deposits))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(deposits[a].Asset, deposits[b].Asset), deposits[a].Amount.Cmp(&deposits[b].Amount))
	})
	for start := 0; start < len(order); {
		end := start
		for end < len(order) && deposits[order[end]].Asset == deposits[order[start]].Asset {
			end++
		}
		for i := start; i < end; i++ {
			out[order[i]] = (i - start) * 10 / (end - start)
		}
		start = end
	}
	return out
}

// loadsOf finds how busy the hour around each deposit was.
func loadsOf(deposits []Transfer) []int {
	out := make([]int, len(deposits))
	order := orderOf(deposits)
	low, high := 0, 0
	for _, d := range order {
		t := deposits[d].Time
		for deposits[order[low]].Time < t-1800 {
			low++
		}
		for high < len(order) && deposits[order[high]].Time <= t+1800 {
			high++
		}
		out[d] = slices.IndexFunc(Loads[:], func(limit int) bool { return high-low < limit })
	}
	return out
}
