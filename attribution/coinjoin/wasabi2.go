package coinjoin

// Figures of WabiSabi rounds. Values are in satoshi.
const (
	firstWasabi2 = 741_213 // height
	// smallerRounds is the height, of about 1 June 2024, at which the first coordinator
	// stopped, whose rounds had at least fifty inputs; those of others have less.
	smallerRounds     = 846_000
	wasabi2Large      = 50
	wasabi2Inputs     = 20
	wasabi2Outputs    = 7 // three values twice, and another
	wasabi2Least      = 5000
	wasabi2Values     = 3
	wasabi2PerOwner   = 10 // inputs an owner may register
	wasabi2Confidence = 60
)

// wasabi2: at least twenty inputs, of which no script has more than a tenth; every
// output has 5,000 satoshi at least and a script of its own; at least three values occur
// twice, to which half of all outputs but one belong, and at least one output is of
// another value.
//
// Two conditions of height are ours: no round is before 741,213, and up to 846,000 there
// are at least fifty inputs. That no script has more than a tenth must hold whatever the
// unknown inputs are. Values that occur twice count as mixed.
var wasabi2 = &Rule{
	Name: "wasabi2", Title: "Wasabi 2 (WabiSabi)", Protocol: "Wasabi 2", Source: graphSense,
	recognise: func(s *shape) (Finding, bool) {
		if s.height < firstWasabi2 || len(s.inputs) < wasabi2Inputs || s.height < smallerRounds && len(s.inputs) < wasabi2Large {
			return Finding{}, false
		}
		if n := len(s.groups); n == 0 || s.groups[n-1].value < wasabi2Least || !s.dispersed() || !s.unshared() {
			return Finding{}, false
		}
		values, mixed := 0, 0
		for _, g := range s.groups {
			if g.count >= 2 {
				values++
				mixed += g.count
			}
		}
		if values < wasabi2Values || 2*mixed < len(s.owned)-1 || mixed == len(s.owned) {
			return Finding{}, false
		}
		return s.mix(wasabi2Confidence, max(s.scripts.atLeast()/wasabi2PerOwner, 2), func(g group) bool { return g.count >= 2 })
	},
}
