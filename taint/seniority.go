package taint

import "coldtrail/ledger"

// Seniority draws tainted lots first, in order of arrival, then clean ones. The
// idea, that taint keeps precedence, is discussed in Möser and Narayanan,
// "Effective Cryptocurrency Regulation through Blacklisting" (2019); this exact
// rule is Coldtrail's.
var Seniority = &Method{Name: "seniority", Serving: ByIndex, Conserves: true, add: addSenior, draw: drawSenior, lack: cleanShortfall}

// addSenior keeps the tainted lots in order of arrival and all clean value as one
// lot behind them: clean lots have no identity, so this is the order of the draw.
func addSenior(p *Pool, arrival []Lot) {
	var clean ledger.Amount
	if n := len(p.lots); n > p.head && !p.lots[n-1].Tainted() {
		clean = p.lots[n-1].Amount
		p.lots = p.lots[:n-1]
	}
	for i := range arrival {
		if !arrival[i].Tainted() {
			clean.Add(&clean, &arrival[i].Amount)
			continue
		}
		p.lots = p.append(&arrival[i])
	}
	lot := CleanLot(clean)
	p.lots = p.append(&lot)
}

func drawSenior(p *Pool, dst []Lot, amount *ledger.Amount) []Lot { return drawFront(p, dst, amount) }
