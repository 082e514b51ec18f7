package screen

import (
	"maps"
	"slices"

	"coldtrail/attribution/label"
	"coldtrail/ledger"
	"coldtrail/screen/exposure"
	"coldtrail/screen/index"
	"coldtrail/screen/proximity"
	"coldtrail/store"
)

// grave says whether dealings with whom a fact is about are worth telling: a listing, or
// what a source that can be relied on says of an offender or of a mixer.
func grave(f *exposure.Fact) bool {
	if f.Sanction {
		return true
	}
	for _, concept := range []string{"abuse", "perpetrator", "mixing_service"} {
		if label.Is(f.Category, concept) {
			return f.Confidence >= 50
		}
	}
	return false
}

// pooling are the concepts of those who keep many people's money in one wallet: what they
// pay to one has nothing to do with what another paid them.
var pooling = []string{
	"exchange", "wallet_service", "payment_processor", "atm", "mining_service", "gambling", "faucet", "shop", "market", "defi", "hot_wallet", "cold_wallet",
	"warm_wallet", "mixing_service", "swap_service",
}

// pools says whether a fact makes its subject one of those.
func pools(f *exposure.Fact) bool {
	return f.Confidence >= 50 && slices.ContainsFunc(pooling, func(concept string) bool { return label.Is(f.Category, concept) })
}

// nearbyLimits bound what is read of one chain. Changes of balances and parts take some 100
// bytes each, the latter for ten directions and hops: less than 1 GB at most. Who was touched more often than that, or has as many
// changes, is nobody's own address, whatever labels say: a transaction that pays thousands
// makes thousands.
var nearbyLimits = proximity.Limits{Addresses: 100_000, Steps: 2_000_000, Parts: 500_000, Touches: maxTouches, Each: 20_000}

// maxDeals is how many transactions of a notorious address are read, the oldest: who is
// dealt with more often than that is a service, which its label says.
const maxDeals = 20_000

// notorious are the addresses of a chain with whom dealings are told, who is near to them,
// and how far that has been read.
type notorious struct {
	chain    ledger.Chain
	facts    map[ledger.Address][]exposure.Fact // grave ones
	services map[ledger.Address]bool            // of all chains
	classes  *classes
	limits   proximity.Limits

	count  map[ledger.Address]int // transactions that were read
	next   store.TxNumber
	deals  map[ledger.Address]map[deal]dealing // by party
	region *proximity.Region
	dirty  map[ledger.Address]bool // whose facts have to be told anew
	anew   bool                    // everybody's
}

// know finds whom dealings are told with, among what is said.
func (e *Engine) know(said index.Layer) error {
	e.known, e.dealings = map[ledger.Chain]*notorious{}, dealings{}
	services := map[ledger.Address]bool{}
	for a, number := range said.Index.Each() {
		facts, err := said.Sets.At(number)
		if err != nil {
			return err
		}
		if a.Kind == ledger.Script { // filed under a digest, or no address that others know
			continue
		}
		for i := range facts {
			e.knowFact(a, &facts[i], services)
		}
	}
	for _, n := range e.known {
		n.services, n.classes = services, newClasses(n.facts)
		n.forget()
	}
	return nil
}

func (e *Engine) knowFact(a ledger.Address, f *exposure.Fact, services map[ledger.Address]bool) {
	if f.Kind != exposure.Labelled {
		return
	}
	if pools(f) {
		services[a] = true
	}
	chain, err := ledger.ParseChain(f.Chain)
	if err != nil || !grave(f) {
		return
	}
	n := e.known[chain]
	if n == nil {
		n = &notorious{chain: chain, facts: map[ledger.Address][]exposure.Fact{}, limits: e.limits}
		e.known[chain] = n
	}
	n.facts[a] = append(n.facts[a], *f)
}

// forget lets everything be read anew.
func (n *notorious) forget() {
	n.count, n.next, n.deals = map[ledger.Address]int{}, 0, map[ledger.Address]map[deal]dealing{}
	n.region, n.dirty, n.anew = proximity.NewRegion(n.limits, n.role), map[ledger.Address]bool{}, true
}

// role is what an address is to those near to notorious ones.
func (n *notorious) role(a ledger.Address) proximity.Role {
	switch {
	case len(n.facts[a]) > 0:
		return proximity.Source
	case n.services[a]:
		return proximity.Stop
	}
	return proximity.Free
}

// nearby is how far dealings are complete, of chains where they are not up to the last
// hop.
func (e *Engine) nearby() map[string]exposure.Nearby {
	var list map[string]exposure.Nearby
	for _, chain := range slices.Sorted(maps.Keys(e.known)) {
		r := e.known[chain].region
		n := exposure.Nearby{Received: uint32(r.Complete(proximity.Received)), Sent: uint32(r.Complete(proximity.Sent))}
		if n == (exposure.Nearby{Received: proximity.MaxHops, Sent: proximity.MaxHops}) {
			continue
		}
		if list == nil {
			list = map[string]exposure.Nearby{}
		}
		list[string(chain)] = n
	}
	return list
}
