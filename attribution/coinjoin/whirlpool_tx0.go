package coinjoin

// Figures of Tx0.
const (
	tx0Most       = 70 // coins made for the mix
	tx0Confidence = 60
	tx0Single     = 30 // where only one coin is made
)

// whirlpoolTx0: the transaction by which one owner cuts coins for Whirlpool. There is
// exactly one data output; the commonest value that is 100 to 110,000 satoshi above the
// size of a pool has one to seventy outputs, all but two at most (the fee and a change);
// and exactly one output is from half to three times the pool's fee.
//
// With a single coin any small payment with a data output can have this shape; the
// confidence is then 30 (ours). Pools whose fee is not known are left out. It needs no
// parents.
var whirlpoolTx0 = &Rule{
	Name: "whirlpool-tx0", Title: "Whirlpool entry (Tx0)", Protocol: "Whirlpool", Source: graphSense,
	recognise: func(s *shape) (Finding, bool) {
		if s.data != 1 || len(s.owned) < 2 || len(s.inputs) == 0 {
			return Finding{}, false
		}
		for _, p := range pools {
			d := s.commonest(p.size+surplusLeast, p.size+surplusMost)
			if p.fee == 0 || d.count == 0 || d.count > tx0Most || d.count < len(s.owned)-2 {
				continue
			}
			fees := 0
			for _, g := range s.groups {
				if 2*g.value >= p.fee && g.value <= 3*p.fee {
					fees += g.count
				}
			}
			if fees != 1 {
				continue
			}
			f := Finding{Confidence: tx0Confidence, Participants: 1, Entry: true, Denominations: []uint64{d.value}}
			if d.count == 1 {
				f.Confidence = tx0Single
			}
			return f, true
		}
		return Finding{}, false
	},
}
