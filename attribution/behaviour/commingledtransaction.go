package behaviour

import (
	"fmt"
	"strings"
)

// CommingledTransaction is a transaction that brings taint of several incidents together.
var CommingledTransaction = &Pattern{
	Name: "commingled-transaction", Title: "Transactions in which several incidents meet",
	Source: Commingling.Source,
	find:   commingledTransactions,
}

// commingledTransactions makes one finding of the transactions in which the same
// incidents meet.
func commingledTransactions(v *view) (out []Finding) {
	found := map[string][]int{}
	var order []string
	for i := range v.steps {
		incidents := v.incidents(i)
		if len(incidents) < 2 {
			continue
		}
		set := strings.Join(incidents, "\x00")
		if found[set] == nil {
			order = append(order, set)
		}
		found[set] = append(found[set], i)
	}
	for _, set := range order {
		names := strings.Split(set, "\x00")
		var flows []int
		for _, i := range found[set] {
			flows = append(flows, v.brought(i)...)
		}
		f := v.evidence(flows, found[set])
		f.Parameters = []Parameter{number("least incidents", 2)}
		f.Measures = []Parameter{number("incidents", len(names)), words("names", listing(names))}
		f.Text = fmt.Sprintf("%s each of %s brought taint of %s together (%s).", f.when(), plural(f.Count, "transaction"), plural(len(names), "incident"), listing(names))
		out = append(out, f)
	}
	return out
}
