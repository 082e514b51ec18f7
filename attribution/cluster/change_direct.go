package cluster

import "coldtrail/ledger"

// Direct takes an output that pays an input's own address for change. It names the
// change but ties nothing: the address is the payer's already. Source: graphsense-lib,
// direct change.
var Direct = &Named{
	Name: "direct", Title: "change returned to an input address", Source: "graphsense-lib, heuristics_service.py, direct change", Confidence: 100,
	find: func(q *question) candidates {
		return q.at(100, q.where(func(_ int, o *ledger.Output) bool { return q.payers[o.Address] }))
	},
}
