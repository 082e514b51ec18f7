package coinjoin

// Figures of Wasabi 1.1.
const (
	wasabi11Least = 50 // confidence where the owners are as few as the scripts allow
	wasabi11Most  = 90 // our limit: the source goes on to 100
)

// wasabi11: as wasabi1, but outputs stand near levels, doublings of 0.1 bitcoin that may
// be off by a twentieth. A level counts from two outputs on; the fullest must have
// three, and takes the place of the equal outputs. Outputs of levels are at least half
// of all but the coordinator's, or at least those that remain if every script of an
// input got change.
//
// The confidence grows from 50 to 100 with the owners that the fullest level shows among
// the scripts of the inputs; here it ends at 90. Half of it is left where one of the two
// last conditions fails. Of the outputs of levels only values that occur twice count as
// mixed, and without one there is no mix (ours).
var wasabi11 = &Rule{
	Name: "wasabi1.1", Title: "Wasabi 1.1", Protocol: "Wasabi 1", Source: graphSense, exchangeless: true,
	recognise: func(s *shape) (Finding, bool) {
		n, mixed := s.levels()
		if n < leastEqual || !s.isWasabi1Round(n) {
			return Finding{}, false
		}
		most := 2*mixed >= len(s.owned)-1
		rest := mixed >= len(s.owned)-s.scripts.atLeast()-1
		if !most && !rest {
			return Finding{}, false
		}
		scripts := s.scripts.atMost()
		confidence := min(wasabi11Least+50*(wasabi1PerOwner*n-scripts)/((wasabi1PerOwner-1)*scripts), wasabi11Most)
		if !most || !rest {
			confidence /= 2
		}
		f, _ := s.mix(confidence, n, func(g group) bool { return g.count >= 2 && levelOf(g.value) >= 0 })
		return f, len(f.Mixed) > 0
	},
}

// maxLevels is one more than the highest level that the money in existence can fill.
const maxLevels = 28

// levelOf is the level of Wasabi 1.1 near which a value (satoshi) stands, or -1. Levels
// are far enough apart for one at most.
func levelOf(value uint64) int {
	for level := range maxLevels {
		low := uint64(wasabi1Base-wasabi1Width) << level
		if value < low {
			return -1
		}
		if value <= uint64(wasabi1Base+wasabi1Width)<<level {
			return level
		}
	}
	return -1
}

// levels counts the outputs of each level; n is that of the fullest, mixed that of all
// levels that count.
func (s *shape) levels() (n, mixed int) {
	var counts [maxLevels]int
	for _, g := range s.groups {
		if level := levelOf(g.value); level >= 0 {
			counts[level] += g.count
		}
	}
	for _, count := range counts {
		if count >= 2 {
			n = max(n, count)
			mixed += count
		}
	}
	return n, mixed
}
