package replay

// Published is a label as somebody published it: from when on one could know it, and
// whether it is right.
type Published struct {
	Label
	Time  int64  `json:"time"` // Unix seconds
	By    string `json:"by"`
	Wrong bool   `json:"wrong,omitempty"`
}

// publish lists what was said about the case's addresses, and when: the FBI's list of 51
// five days after the theft, providers within a week, two of them wrong, and two that
// contradict each other. A trace by the case file rests on none of it.
func (w *World) publish() {
	const listed = 51
	chain := string(w.accounts.Chain())
	add := func(by string, time int64, wrong bool, l Label) {
		w.Published = append(w.Published, Published{l, time, by, wrong})
	}
	for i := range listed {
		role, index := "tranche", i
		if i >= 49 {
			role, index = "second", i-49
		}
		add("FBI", theftTime+5*86_400, false, Label{chain, w.accounts.Account(role, index), "actor", "TraderTraitor"})
	}
	for i, l := range w.Labels {
		add("a provider", theftTime+3_600+int64(i)*7*86_400/int64(len(w.Labels)), false, l)
	}
	for i := range 2 {
		add("a provider", theftTime+2*86_400, true, Label{chain, w.accounts.Account("stranger", i), "actor", "TraderTraitor"})
	}
	add("a provider", theftTime+86_400, false, Label{chain, w.accounts.Account("aggregator", 0), "service", "an aggregator"})
	add("another provider", theftTime+86_400, true, Label{chain, w.accounts.Account("aggregator", 0), "mixer", "a mixer"})
}
