package server

import (
	"fmt"
	"net/http"
)

// screened is one address of TRM's sanctions screening.
type screened struct {
	Address string `json:"address"`
	Chain   string `json:"chain,omitempty"`
}

type sanctioned struct {
	Address      string `json:"address"` // as it was sent
	IsSanctioned bool   `json:"isSanctioned"`
}

// areSanctioned answers as TRM's sanctions screening does: 201, and an answer for each
// address in order. What is no address fails the whole request, because "false" would
// read as clean.
func areSanctioned(x *exchange) {
	var asked []screened
	body, ok := decode(x, &asked)
	if !ok {
		return
	}
	l, ok := x.lists()
	switch {
	case len(asked) > MaxQuestions:
		x.problem(problemTooLarge, errTooMany.Error())
		return
	case len(asked) == 0:
		x.problem(problemInvalid, "there is no address in the request")
		return
	case !x.charge(ClassScreening, len(asked)):
		return
	case !ok:
		x.problem(problemUnavailable, "the sanctions lists are not loaded")
		return
	}
	answers := make([]sanctioned, len(asked))
	for i, a := range asked {
		if !l.ask(a.Address, a.Chain) {
			x.problem(problemInvalid, fmt.Sprintf("entry %d, %.100q, is no address", i, a.Address))
			return
		}
		answers[i] = sanctioned{a.Address, l.listed(nil)}
	}
	x.age(l.ages.moment())
	x.change(http.StatusCreated, body, answers)
}
