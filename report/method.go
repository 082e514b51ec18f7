package report

import (
	"coldtrail/report/document"
)

// methods says in plain words what each taint method assumes, and where it misleads. The
// pages of the methods say more.
var methods = map[string][2]string{
	"fifo": {
		"First in, first out: what came to an address first leaves it first. This is the rule of Clayton’s case (Devaynes v Noble, 1816).",
		"Who spends chooses the order of payments and so where the stolen part goes; a court that follows another rule will get another answer.",
	},
	"lifo": {
		"Last in, first out: what came to an address last leaves it first.",
		"A payment just before a spending draws the whole result to itself; a court that follows another rule will get another answer.",
	},
	"haircut": {
		"Haircut: every payment from an address carries stolen value in the proportion in which the address holds it.",
		"Stolen value thins out over many strangers who are nobody’s accomplices; a small share says little about whoever holds it.",
	},
	"seniority": {
		"Seniority: the stolen part of what an address holds leaves first, in the order of its payments.",
		"Honest payees of a mixed address are charged before the thief’s own remainder.",
	},
	"tiho": {
		"Taint in, highest out: the stolen part goes to the largest payments first, because a laundering moves the large part on.",
		"It is a bet on how launderers behave; a thief who knows it sends the large payment to a stranger.",
	},
	"poison": {
		"Poison: whatever touches stolen value counts as stolen as a whole. It is a bound for screening, not a division.",
		"Its amounts overlap and add up to more than was stolen; it must not be used to say who has how much.",
	},
}

// method says how it was traced and what that does not show.
func (r *Report) method() document.Section {
	words := methods[r.Result.Method]
	page := document.Source{Kind: "method", ID: "docs/methods/" + r.Result.Method + ".md"}
	swaps := document.Source{Kind: "method", ID: "docs/methods/swaps.md"}
	rule := r.rule()
	by := document.Short(r.Analyst(), maxName)
	s := document.Section{ID: "method", Heading: "Method and limits, in plain words"}
	says := []document.Sentence{
		judgement(by, "The method of this report is "+r.Result.Method+"; which method is right is a question of law, not of computing."),
		fact(words[0], page),
		fact("Every stolen asset is divided into lots that keep their origin; lots are split, moved and swapped, and what they stand for adds up to what was stolen, or the program refuses to answer.", rule),
		fact("A swap within one transaction makes what was received stolen in place of what was given.", swaps),
		fact("A passage between chains is followed where the protocol’s own messages name both sides; what an analyst asserts instead is an inference for ever.", rule),
		fact("A trace ends at addresses whose books somebody else keeps: who is named there could have paid anybody from its common funds.", rule),
	}
	if r.Result.Basis.Fees == "follow" {
		says = append(says, fact("Fees were followed to the block’s producer.", rule))
	} else {
		says = append(says, fact("Fees end the trace.", rule))
	}
	if r.Result.Basis.CoinJoins == "follow" {
		says = append(says, judgement(by, "Coinjoins were followed like any transaction, by the wish of who made this report."))
	} else {
		says = append(says, fact("Value ends at the equal outputs of a coinjoin, which belong to several people.", document.Source{Kind: "method", ID: "docs/methods/coinjoin.md"}))
	}
	limits := []document.Sentence{
		fact(words[1], page),
		fact("An address is no person: that stolen value is at an address does not say that whoever owns it knew.", rule),
		fact("A label is what somebody says; an address may have been sold, shared or labelled wrongly.", rule),
		fact("Addresses that nobody names may be a service’s.", rule),
		fact("The answer is of the blocks named under “What this rests on”: what happened later is not in it, and a reorganised block voids what rests on it.", r.heads()...),
	}
	if !r.conserves() {
		limits = append(limits, fact("By this method amounts are upper bounds; they overlap and must not be added up.", page))
	}
	s.Blocks = []document.Block{{Heading: "How it was traced", List: says}, {Heading: "What it does not show", List: limits}}
	return s
}
