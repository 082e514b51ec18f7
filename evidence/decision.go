package evidence

import (
	"fmt"

	"coldtrail/trace"
)

// A Decision is what a person asserts or decided, which no proof covers: everything that
// the answer rests on beside the chains.
type Decision struct {
	Case string `json:"case"`
	Kind string `json:"kind"` // link, label, bridge, wallets, accepted payout, followed payouts, victim
	What string `json:"what"`
	By   string `json:"by,omitempty"`
	Why  string `json:"why,omitempty"`
}

// decisions lists what people assert in cases, in the cases' order.
func decisions(cases []*trace.Case) (list []Decision) {
	for _, c := range cases {
		for i := range c.Links {
			l := &c.Links[i]
			what := fmt.Sprintf("what %s of %v took in on %s left %s as %s of %s", named(l.From.Asset), l.From.Addresses, l.From.Chain, l.To.Address, l.To.Amount, named(l.To.Asset))
			list = append(list, Decision{c.Name, "link", what, l.By, l.Why})
		}
		for i := range c.Labels {
			l := &c.Labels[i]
			list = append(list, Decision{c.Name, "label", fmt.Sprintf("%s on %s is of %s (%s)", l.Address, l.Chain, l.Entity, l.Kind), l.By, l.Why})
		}
		for i := range c.Bridges {
			b := &c.Bridges[i]
			list = append(list, Decision{Case: c.Name, Kind: "bridge", What: fmt.Sprintf("%s on %s is of %s (%s)", b.Contract, b.Chain, b.Protocol, b.Role)})
		}
		for i := range c.Services {
			list = append(list, ofService(c.Name, &c.Services[i])...)
		}
		for _, victim := range c.Victims {
			list = append(list, Decision{Case: c.Name, Kind: "victim", What: victim})
		}
	}
	return list
}

func ofService(name string, s *trace.Service) (list []Decision) {
	for _, w := range s.Wallets {
		list = append(list, Decision{name, "wallets", fmt.Sprintf("%s on %s pays for %s", w.Address, w.Chain, s.Name), s.By, ""})
	}
	for i := range s.Accept {
		a := &s.Accept[i]
		list = append(list, Decision{name, "accepted payout", fmt.Sprintf("%s answers deposit %s into %s", a.Payout, a.Deposit, s.Name), a.By, a.Why})
	}
	if s.Follow != nil {
		what := fmt.Sprintf("payouts of %s are followed from a score of %d bp", s.Name, s.Follow.Least)
		list = append(list, Decision{name, "followed payouts", what, s.Follow.By, s.Follow.Why})
	}
	return list
}

func named(asset string) string {
	if asset == "" {
		return "native"
	}
	return asset
}
