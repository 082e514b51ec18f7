package screen

import (
	"cmp"
	"context"
	"slices"

	"coldtrail/attribution"
	"coldtrail/attribution/label"
	"coldtrail/ledger"
	"coldtrail/screen/exposure"
)

// claimed is what is said of one address.
type claimed struct {
	address ledger.Address
	facts   []exposure.Fact
}

// crowd is how many addresses a cluster has that can only be a service's, though nobody
// says so: a person or a group rarely has a tenth of that.
const crowd = 10_000

// passedOn makes facts about an owner's other addresses of what is said of some of them.
// A service has addresses of its customers: what is said of one of these is about the
// customer, so that only what is said of the service itself, or expressly of the whole
// cluster, counts for the others. Of claims that say the same of several addresses the
// surest is told.
func (e *Engine) passedOn(c *attribution.Clusters, claims []claimed, size uint32) (facts []exposure.Fact) {
	chain, notation := c.Chain()
	service, pool := map[string]bool{}, size > crowd
	for i := range claims {
		for j := range claims[i].facts {
			if f := &claims[i].facts[j]; saidOn(f, chain) && isService(f) {
				service[f.Entity], pool = true, pool || f.Confidence >= 50
			}
		}
	}
	for i := range claims {
		for _, f := range claims[i].facts {
			if !saidOn(&f, chain) || pool && !isService(&f) && !service[f.Entity] && !e.definers[f.Claim] {
				continue
			}
			f.Kind, f.Chain, f.Rule, f.About = exposure.Owned, string(chain), c.Rules(), notation.FormatAddress(claims[i].address)
			facts = append(facts, f)
		}
	}
	slices.SortFunc(facts, func(a, b exposure.Fact) int {
		return cmp.Or(sameSaying(&a, &b), cmp.Compare(b.Confidence, a.Confidence), cmp.Compare(a.About, b.About), cmp.Compare(a.Claim, b.Claim))
	})
	return slices.CompactFunc(facts, func(a, b exposure.Fact) bool { return sameSaying(&a, &b) == 0 })
}

// sameSaying compares what two facts say, without of whom and how sure.
func sameSaying(a, b *exposure.Fact) int {
	sanction := func(f *exposure.Fact) int {
		if f.Sanction {
			return 1
		}
		return 0
	}
	return cmp.Or(
		cmp.Compare(a.Category, b.Category), cmp.Compare(a.Entity, b.Entity), cmp.Compare(sanction(a), sanction(b)), cmp.Compare(a.Authority, b.Authority),
		cmp.Compare(a.By, b.By), cmp.Compare(a.Source, b.Source), cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To),
	)
}

// isService says whether a claim calls somebody a service with customers.
func isService(f *exposure.Fact) bool {
	return (&label.Claim{Concept: f.Category}).StopOf() == label.StopService
}

// withoutItself drops what says of an address that it has the same owner as itself.
func (k *Knowledge) withoutItself(facts []exposure.Fact, a ledger.Address) []exposure.Fact {
	return slices.DeleteFunc(facts, func(f exposure.Fact) bool {
		if f.Kind != exposure.Owned {
			return false
		}
		notation, err := k.notations(ledger.Chain(f.Chain))
		return err == nil && notation.FormatAddress(a) == f.About
	})
}

// then is another time: what is asked, by what was known then, of chains as they were.
type then struct {
	q     *exposure.Question
	where *target
	view  *attribution.View
	heads map[string]exposure.Head
}

// ownedThen is what was concluded of an address by who else had its owner as a chain was
// after its head of then, by what was known at a moment.
func (e *Engine) ownedThen(ctx context.Context, t *then) (facts []exposure.Fact, err error) {
	for _, list := range e.owned.lists {
		chain, _ := list.Clusters().Chain()
		head, held := t.heads[string(chain)]
		if !held || t.where.chain != "" && t.where.chain != chain {
			continue
		}
		for _, a := range t.where.keys {
			named, size, err := list.NamedAt(ctx, a, ledger.Height(head.Height))
			if err != nil {
				return nil, err
			}
			claims, err := e.claimedThen(ctx, t, list.Clusters(), named)
			if err != nil {
				return nil, err
			}
			facts = append(facts, e.passedOn(list.Clusters(), claims, size)...)
		}
	}
	return facts, nil
}

// claimedThen is what had been said of some addresses at a moment.
func (e *Engine) claimedThen(ctx context.Context, t *then, of *attribution.Clusters, named []ledger.Address) (claims []claimed, err error) {
	chain, notation := of.Chain()
	for _, a := range named {
		lists, err := e.store.Claims(ctx, []label.Subject{label.SubjectOf(chain, notation.FormatAddress(a))})
		if err != nil {
			return nil, err
		}
		facts, err := factsOf(ctx, t.view, label.Ever(lists[0], t.q.Known))
		if err != nil {
			return nil, err
		}
		claims = append(claims, claimed{a, facts})
	}
	return claims, nil
}
