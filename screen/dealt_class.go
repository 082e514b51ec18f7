package screen

import (
	"coldtrail/ledger"
	"coldtrail/screen/exposure"
)

// classes are what can be said of notorious addresses, each once however many addresses it
// is said of: further than one hop away nobody asks which of a thief's addresses it was.
type classes struct {
	numbers map[class]uint32
	facts   []exposure.Fact // what each says
}

// class is all of a fact that tells it from another of further away.
type class struct {
	category, entity, authority, by, source string
	confidence                              uint8
	sanction                                bool
}

// classOf is the class of a fact about who moved value at a moment. That somebody is listed
// counts only while he is.
func classOf(f *exposure.Fact, inForce bool) class {
	return class{f.Category, f.Entity, f.Authority, f.By, f.Source, f.Confidence, f.Sanction && inForce}
}

// holds says whether a fact is in force at a moment.
func holds(f *exposure.Fact, time int64) bool {
	return f.From <= time && (f.To == 0 || f.To > time)
}

// newClasses numbers the classes of all facts. One that rests on a single claim names it.
func newClasses(about map[ledger.Address][]exposure.Fact) *classes {
	c := &classes{numbers: map[class]uint32{}}
	for _, facts := range about {
		for i := range facts {
			for _, inForce := range []bool{false, true} {
				c.add(&facts[i], inForce)
			}
		}
	}
	return c
}

func (c *classes) add(f *exposure.Fact, inForce bool) {
	k := classOf(f, inForce)
	if n, ok := c.numbers[k]; ok {
		if have := &c.facts[n]; have.Claim != f.Claim {
			have.Claim, have.Learned = "", 0
		}
		return
	}
	c.numbers[k] = uint32(len(c.facts))
	c.facts = append(c.facts, exposure.Fact{
		Kind: exposure.Dealt, Category: k.category, Entity: k.entity, Sanction: k.sanction, Authority: k.authority, Confidence: k.confidence,
		Claim: f.Claim, Learned: f.Learned, By: k.by, Source: k.source,
	})
}

// of lists the classes of somebody at a moment, each once.
func (c *classes) of(facts []exposure.Fact, time int64) map[uint32]bool {
	list := map[uint32]bool{}
	for i := range facts {
		list[c.numbers[classOf(&facts[i], holds(&facts[i], time))]] = true
	}
	return list
}
