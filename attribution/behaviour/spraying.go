package behaviour

import "fmt"

// BridgeSpraying is many crossings to one chain in a short time.
var BridgeSpraying = &Pattern{
	Name: "bridge-spraying", Title: "Many crossings to one chain",
	Source: "FATF, Virtual Assets Red Flag Indicators (2020), on chain hopping; the pace of single addresses after the theft from Bybit (2025); the figures are ours",
	find:   bridgeSpraying,
}

// bridgeSpraying counts transactions to a destination chain or, where it is not known,
// into one bridge.
func bridgeSpraying(v *view) (out []Finding) {
	ids := v.which(func(f *flow) bool {
		return f.out && f.counts() && !f.nameless() && (v.steps[f.step].Toward != "" || f.party.is(v.p.Bridges))
	})
	type course struct {
		toward string
		bridge key
	}
	groups := group(v, ids, func(f *flow) course {
		if toward := v.steps[f.step].Toward; toward != "" {
			return course{toward: string(toward)}
		}
		return course{bridge: f.party.byName()}
	})
	for _, ids := range groups {
		short := burst{v: v, ids: ids, is: v.p.BridgeBurst, key: byStep}
		long := burst{v: v, ids: ids, is: v.p.BridgeSeries, key: byStep}
		for _, s := range union(short.spans(), long.spans()) {
			part := ids[s.from:s.to]
			f := v.evidence(part, nil)
			to := "into one bridge, whose destination is not stated"
			if toward := v.steps[v.flows[part[0]].step].Toward; toward != "" {
				to = "toward " + toward.Short()
			}
			longest, median := v.intervals(v.firsts(part))
			f.Parameters = []Parameter{
				number("least transactions in the short window", v.p.BridgeBurst.Number), seconds("short window", v.p.BridgeBurst.Window),
				number("least transactions in the long window", v.p.BridgeSeries.Number), seconds("long window", v.p.BridgeSeries.Window),
			}
			f.Measures = []Parameter{
				words("course", to), number("most transactions in one window", s.most),
				seconds("longest interval", longest), seconds("median interval", median),
			}
			f.Text = fmt.Sprintf("%s the subject made %s %s, %s in all.", f.when(), plural(f.Count, "crossing"), to, f.sums())
			out = append(out, f)
		}
	}
	return out
}

// firsts keeps one flow of each step.
func (v *view) firsts(ids []int) (out []int) {
	for i, id := range ids {
		if i == 0 || v.flows[id].step != v.flows[ids[i-1]].step {
			out = append(out, id)
		}
	}
	return out
}
