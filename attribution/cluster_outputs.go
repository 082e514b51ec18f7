package attribution

import (
	"context"
	"encoding/binary"
	"math"
	"slices"

	"coldtrail/attribution/cluster"
	"coldtrail/attribution/coinjoin"
	"coldtrail/ledger"
	"coldtrail/store"
)

// outputs grows the clusters of a UTXO chain from columns. Most transactions are judged
// by numbers and kinds alone; those that may be an exception are put together as rules
// want them, with a stand-in for each address.
type outputs struct {
	*Clusters
	cuts map[store.TxNumber]bool
	// named are the owners whose addresses rules know by name.
	named map[cluster.Member]ledger.Address
	// coSpend is the number of that rule in the list, or -1; others says that there are
	// more, for which every transaction has to be put together.
	coSpend int
	others  bool
	// several are the inputs of a run's transactions with more than one, held where the
	// forest has them, those of transaction i between heldStart[i] and heldStart[i+1].
	several   []store.OutputNumber
	held      []cluster.Held
	heldStart []uint32
}

func newOutputs(c *Clusters) *outputs {
	g := &outputs{Clusters: c, coSpend: -1}
	for i, r := range c.options.Rules {
		if r == cluster.CoSpend {
			g.coSpend = i
		} else {
			g.others = true
		}
	}
	return g
}

func (g *outputs) grow(ctx context.Context, from, to ledger.Height, applied func(ledger.Height)) error {
	if err := g.prepare(ctx); err != nil {
		return err
	}
	for run, err := range g.store.Owned(ctx, g.chain, from, to) {
		if err != nil {
			return err
		}
		if uint64(run.FirstOutput) != g.forest.Members() {
			return errMoved
		}
		if err := g.apply(run); err != nil {
			return err
		}
		applied(run.First + ledger.Height(len(run.Hashes)) - 1)
	}
	return nil
}

// prepare looks up what the ledger holds of the cuts and of addresses with names.
func (g *outputs) prepare(ctx context.Context) error {
	g.cuts, g.named = map[store.TxNumber]bool{}, map[cluster.Member]ledger.Address{}
	numbers, err := g.store.Find(ctx, g.chain, g.options.Cuts)
	if err != nil {
		return err
	}
	for _, n := range numbers {
		if n != store.NoTx {
			g.cuts[n] = true
		}
	}
	addresses := append(cluster.OpenScripts(), coinjoin.Coordinators()...)
	firsts, err := firstOutputs(ctx, g.store, g.chain, addresses)
	if err != nil {
		return err
	}
	for i, first := range firsts {
		if first != store.NoOutput {
			g.named[cluster.Member(first)] = addresses[i]
		}
	}
	return nil
}

// firstOutputs are the first outputs that addresses received, NoOutput where there are
// none.
func firstOutputs(ctx context.Context, s store.Store, chain ledger.Chain, addresses []ledger.Address) ([]store.OutputNumber, error) {
	questions := make([]store.Since, len(addresses))
	for i, a := range addresses {
		questions[i] = store.Since{Address: a, Limit: 1}
	}
	histories, err := s.History(ctx, chain, questions)
	if err != nil {
		return nil, err
	}
	list := make([]store.OutputNumber, len(addresses))
	for i, history := range histories {
		list[i] = store.NoOutput
		if len(history) > 0 {
			list[i] = history[0].Output
		}
	}
	return list, nil
}

// apply applies a run of blocks.
func (g *outputs) apply(run *store.Owned) error {
	if uint64(run.FirstTx)+uint64(len(run.InputStart)) > math.MaxUint32 || uint64(run.First)+uint64(len(run.Hashes)) > math.MaxUint32 {
		return cluster.ErrFull
	}
	// Every link joins two of the clusters that the run touches: there are fewer links
	// than inputs and outputs.
	if err := g.forest.Room(len(run.Values), len(run.Inputs)+len(run.Values), len(run.Hashes)); err != nil {
		return err
	}
	cluster.Extend(g.forest, run.Previous)
	if !g.others {
		g.look(run)
	}
	for b := range run.Hashes {
		for i := run.BlockStart[b]; i < run.BlockStart[b+1]; i++ {
			g.transaction(run, ledger.Height(b), int(i))
		}
		g.forest.Close(cluster.Mark{
			Hash: tail(run.Hashes[b]), Height: uint32(run.First) + uint32(b), Members: uint32(run.FirstOutput) + run.OutputStart[run.BlockStart[b+1]],
			Txs: uint32(run.FirstTx) + run.BlockStart[b+1],
		})
	}
	return nil
}

// transaction joins what a transaction says is one owner's.
func (g *outputs) transaction(run *store.Owned, block ledger.Height, i int) {
	inputs := run.Inputs[run.InputStart[i]:run.InputStart[i+1]]
	if len(inputs) == 0 || len(inputs) == 1 && !g.others {
		return
	}
	if g.others || g.exceptional(run, i) {
		g.judge(run, block, i)
		return
	}
	first := cluster.Held{}
	known := false
	for _, held := range g.held[g.heldStart[i]:g.heldStart[i+1]] {
		if held.Unknown() {
			continue
		}
		held.Above = g.forest.Root(held.Above)
		switch {
		case !known:
			first, known = held, true
		case held.Above != first.Above:
			first.Above = g.forest.Tie(first, held, uint32(run.FirstTx)+uint32(i), uint8(g.coSpend))
		}
	}
}

// look looks the inputs of transactions with several up.
func (g *outputs) look(run *store.Owned) {
	g.several, g.heldStart = g.several[:0], append(g.heldStart[:0], 0)
	for i := range len(run.InputStart) - 1 {
		if inputs := run.Inputs[run.InputStart[i]:run.InputStart[i+1]]; len(inputs) > 1 {
			g.several = append(g.several, inputs...)
		}
		g.heldStart = append(g.heldStart, uint32(len(g.several)))
	}
	g.held = cluster.Look(g.forest, g.held, g.several)
}

// exceptional says that a transaction may be one whose inputs are not joined, or not
// all: it may mix, a signature lets others add inputs, somebody ruled it out, it may be a
// PayJoin, or an input has no owner.
func (g *outputs) exceptional(run *store.Owned, i int) bool {
	if run.Open[i] || len(g.cuts) > 0 && g.cuts[run.FirstTx+store.TxNumber(i)] {
		return true
	}
	kinds := run.InputKinds[run.InputStart[i]:run.InputStart[i+1]]
	differ := false
	for j, kind := range kinds {
		differ = differ || kind != kinds[0]
		if kind == ledger.Script || kind == ledger.P2SH || kind == ledger.P2WSH {
			at := int(run.InputStart[i]) + j
			if run.InputValues[at] == cluster.AnchorValue || g.isNamed(g.forest.Address(cluster.Member(run.Inputs[at]))) {
				return true
			}
		}
	}
	values := run.Values[run.OutputStart[i]:run.OutputStart[i+1]]
	return differ && mayPayJoin(run, i) || coinjoin.Possible(len(kinds), values) || mayStonewall(values)
}

// isNamed says that rules know an owner's address by name.
func (g *outputs) isNamed(owner cluster.Member) bool {
	if len(g.named) == 0 {
		return false
	}
	_, named := g.named[owner]
	return named
}

// mayPayJoin says that of two outputs that can be spent one is larger than every input:
// without that no PayJoin is suspected.
func mayPayJoin(run *store.Owned, i int) bool {
	outputs, most := 0, uint64(0)
	for at := run.OutputStart[i]; at < run.OutputStart[i+1]; at++ {
		if run.Kinds[at] != ledger.NoAddress {
			outputs, most = outputs+1, max(most, run.Values[at])
		}
	}
	return outputs == 2 && most > slices.Max(run.InputValues[run.InputStart[i]:run.InputStart[i+1]])
}

// mayStonewall says that two of three or four outputs are equal: see coinjoin.Stonewall.
func mayStonewall(values []uint64) bool {
	if len(values) < 3 || len(values) > 4 {
		return false
	}
	for i := range values {
		for j := range values[:i] {
			if values[i] == values[j] {
				return true
			}
		}
	}
	return false
}

// judge puts a transaction together and applies the rules to it.
func (g *outputs) judge(run *store.Owned, block ledger.Height, i int) {
	tx, facts := g.facts(run, block, i)
	for number, rule := range g.options.Rules {
		edges, _ := rule.InTx(tx, facts)
		for _, e := range edges {
			g.forest.Join(g.owner(e.A), g.owner(e.B), uint32(run.FirstTx)+uint32(i), uint8(number))
		}
	}
}

// facts puts a transaction together with what is known of it.
func (g *outputs) facts(run *store.Owned, block ledger.Height, i int) (*ledger.Resolved, *cluster.Facts) {
	tx, known := g.resolve(run, block, i)
	facts := &cluster.Facts{Outputs: known}
	switch {
	case g.cuts[run.FirstTx+store.TxNumber(i)]:
		facts.Excluded = cluster.FalseMerge
	case run.Open[i]:
		facts.Excluded = cluster.AnyoneCanPay
	default:
		facts.Excluded = mixing(g.chain)(tx)
	}
	return tx, facts
}

// resolve puts a transaction together with stand-ins for its addresses.
func (g *outputs) resolve(run *store.Owned, block ledger.Height, i int) (*ledger.Resolved, []cluster.Known) {
	tx := &ledger.Resolved{Height: run.First + block, Coinbase: run.InputStart[i] == run.InputStart[i+1]}
	binary.BigEndian.PutUint64(tx.ID[:], uint64(run.FirstTx)+uint64(i)) // rules only hand it on
	for at := run.InputStart[i]; at < run.InputStart[i+1]; at++ {
		in := ledger.Output{Value: run.InputValues[at]}
		if run.Inputs[at] != store.NoOutput {
			in.Address = g.address(run.InputKinds[at], cluster.Member(run.Inputs[at]))
		}
		tx.Inputs = append(tx.Inputs, in)
	}
	first := run.FirstOutput + store.OutputNumber(run.OutputStart[i])
	var known []cluster.Known
	for at := run.OutputStart[i]; at < run.OutputStart[i+1]; at++ {
		number := run.FirstOutput + store.OutputNumber(at)
		out := ledger.Output{Value: run.Values[at], Unspendable: run.Kinds[at] == ledger.NoAddress}
		k := cluster.Known{Received: 1}
		if run.Kinds[at] != ledger.NoAddress {
			out.Address = g.address(run.Kinds[at], cluster.Member(number))
			if g.forest.Address(cluster.Member(number)) < cluster.Member(first) {
				k.SeenBefore, k.Received = true, 2 // or more, which is all the same to rules
			}
		}
		tx.Outputs = append(tx.Outputs, out)
		known = append(known, k)
	}
	return tx, known
}

// address is the stand-in for an output's address, or the address itself where rules
// know it.
func (g *outputs) address(kind ledger.AddressKind, output cluster.Member) ledger.Address {
	owner := g.forest.Address(output)
	if a, ok := g.named[owner]; ok {
		return a
	}
	return standIn(kind, owner)
}

// owner is who a stand-in stands for.
func (g *outputs) owner(a ledger.Address) cluster.Member {
	if a.Size != standInSize {
		for member, named := range g.named {
			if named == a {
				return member
			}
		}
	}
	return binary.BigEndian.Uint32(a.Payload[:standInSize])
}
