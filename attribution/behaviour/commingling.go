package behaviour

import (
	"fmt"
	"slices"
)

// Commingling is taint of several incidents in one subject's hands.
var Commingling = &Pattern{
	Name: "commingling", Title: "Taint of several incidents in one hand",
	Source: "how the theft from Bybit (2025) was tied to earlier ones: their proceeds met at one address",
	find:   commingling,
}

// incidents are those whose taint a step moves into the subject, sorted.
func (v *view) incidents(step int) []string {
	return slices.Compact(slices.Sorted(slices.Values(v.subject.Taint[v.steps[step].Tx])))
}

// commingling makes one finding of everything that the subject received of any incident.
func commingling(v *view) []Finding {
	var steps []int
	var names []string
	first := map[string]int{}
	for i := range v.steps {
		incidents := v.incidents(i)
		for _, name := range incidents {
			if _, ok := first[name]; !ok {
				first[name] = i
				names = append(names, name)
			}
		}
		if len(incidents) > 0 {
			steps = append(steps, i)
		}
	}
	if len(names) < 2 {
		return nil
	}
	var flows []int
	for _, i := range steps {
		flows = append(flows, v.brought(i)...)
	}
	f := v.evidence(flows, steps)
	f.Parameters = []Parameter{number("least incidents", 2)}
	f.Measures = []Parameter{number("incidents", len(names))}
	for _, name := range names[:min(len(names), 20)] {
		st := v.steps[first[name]]
		f.Measures = append(f.Measures, words("first of "+name, st.Chain.FormatHash(st.Tx)))
	}
	f.Text = fmt.Sprintf("%s taint of %s (%s) came to the subject, in %s.", f.when(), plural(len(names), "incident"), listing(names), plural(f.Count, "transaction"))
	return []Finding{f}
}

// brought are the real flows of a step into the subject.
func (v *view) brought(step int) (ids []int) {
	for id := v.first[step]; id < v.first[step+1]; id++ {
		if f := &v.flows[id]; f.counts() && !f.out {
			ids = append(ids, id)
		}
	}
	return ids
}
