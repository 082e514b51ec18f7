package attribution

import (
	"context"
	"iter"
	"math"
	"slices"

	"coldtrail/attribution/cluster"
	"coldtrail/ledger"
	"coldtrail/store"
)

// crowdedTouches is how many transactions an account may appear in before it is too
// busy to stand for one person, and too long to read again for each of them.
const crowdedTouches = 512

// accounts grows the clusters of an account chain: for every transaction, what the
// rules conclude from its signer's history up to it.
type accounts struct {
	*Clusters
	members map[ledger.Address]cluster.Member
	crowded map[ledger.Address]bool // once crowded, always crowded
	now     store.TxNumber
}

func newAccounts(c *Clusters) *accounts {
	return &accounts{Clusters: c, members: map[ledger.Address]cluster.Member{}, crowded: map[ledger.Address]bool{}}
}

// reload reads the names of the members again, after blocks were taken back.
func (g *accounts) reload() {
	clear(g.members)
	for i, a := range g.forest.Names[:g.forest.Members()] {
		g.members[a] = cluster.Member(i)
	}
}

func (g *accounts) grow(ctx context.Context, from, to ledger.Height, applied func(ledger.Height)) error {
	g.reload()
	if g.forest.Blocks() == 0 { // a reorganisation may have made a crowd smaller
		clear(g.crowded)
	}
	next, stop := iter.Pull2(g.store.Headers(ctx, g.chain, from))
	defer stop()
	for block, err := range g.store.Blocks(ctx, g.chain, from, to) {
		if err != nil {
			return err
		}
		header, err, ok := next()
		switch {
		case err != nil:
			return err
		case !ok || header.Height != block.Height || header.Hash != block.Hash:
			return errMoved
		case uint64(header.FirstTx)+uint64(header.Txs) > math.MaxUint32 || uint64(block.Height) > math.MaxUint32:
			return cluster.ErrFull
		}
		if err := g.block(ctx, block, &header); err != nil {
			return err
		}
		applied(block.Height)
	}
	return nil
}

func (g *accounts) block(ctx context.Context, block *ledger.Block, header *store.Header) error {
	for i := range block.Txs {
		if tx := &block.Txs[i]; !tx.Coinbase && !tx.Fee.Payer.IsZero() {
			if err := g.transaction(ctx, tx, header.FirstTx+store.TxNumber(i)); err != nil {
				return err
			}
		}
	}
	if err := g.forest.Room(0, 0, 1); err != nil {
		return err
	}
	g.forest.Close(cluster.Mark{
		Hash: tail(block.Hash), Height: uint32(block.Height), Members: uint32(g.forest.Members()), Txs: uint32(header.FirstTx) + header.Txs,
	})
	return nil
}

// transaction joins what a transaction completes the evidence for.
func (g *accounts) transaction(ctx context.Context, tx *ledger.Tx, number store.TxNumber) error {
	g.now = number
	history, ok, err := g.history(ctx, tx.Fee.Payer)
	if !ok || err != nil {
		return err
	}
	var failed error
	h := cluster.History{Chain: g.chain, Of: tx.Fee.Payer, Txs: history, Parties: g.parties(ctx, &failed)}
	for rule, r := range g.options.Rules {
		for _, e := range r.InHistory(&h) {
			if err := g.join(ctx, e, uint8(rule)); err != nil {
				return err
			}
		}
	}
	return failed
}

// parties answers what rules ask about other accounts. What goes wrong stays in failed.
func (g *accounts) parties(ctx context.Context, failed *error) cluster.Parties {
	return cluster.Parties{
		Service: g.options.Service,
		Crowded: func(a ledger.Address) bool {
			_, private, err := g.touches(ctx, a)
			*failed = firstOf(*failed, err)
			return !private
		},
		Signs: func(a ledger.Address) bool {
			list, _, err := g.history(ctx, a)
			*failed = firstOf(*failed, err)
			return slices.ContainsFunc(list, func(p ledger.Placed) bool { return p.Tx.Fee.Payer == a && !p.Tx.Coinbase })
		},
		Payers: func(a ledger.Address) uint64 {
			n, err := g.payers(ctx, a)
			*failed = firstOf(*failed, err)
			return n
		},
	}
}

func firstOf(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

// join joins what an edge says, if it is not joined yet. The evidence may stand earlier
// than now, where only now something else made it count; the joining is of now.
func (g *accounts) join(ctx context.Context, e cluster.Edge, rule uint8) error {
	a, err := g.member(e.A)
	if err != nil {
		return err
	}
	b, err := g.member(e.B)
	if err != nil || g.forest.Root(a) == g.forest.Root(b) {
		return err
	}
	numbers, err := g.store.Find(ctx, g.chain, []ledger.Hash{e.Tx})
	if err != nil {
		return err
	}
	if numbers[0] > g.now {
		return errMoved // the evidence is gone
	}
	if err := g.forest.Room(0, 1, 1); err != nil {
		return err
	}
	g.forest.Join(a, b, uint32(numbers[0]), rule)
	return nil
}

// member is the number of an account, which it gets with its first edge.
func (g *accounts) member(a ledger.Address) (cluster.Member, error) {
	if m, ok := g.members[a]; ok {
		return m, nil
	}
	if err := g.forest.Room(1, 0, 1); err != nil {
		return 0, err
	}
	m := cluster.Member(g.forest.Members())
	g.forest.Names[m] = a
	cluster.Extend(g.forest, []uint64{math.MaxUint64})
	g.members[a] = m
	return m, nil
}

// touches lists the transactions of an account up to now, or says that there are too
// many.
func (g *accounts) touches(ctx context.Context, a ledger.Address) (numbers []store.TxNumber, private bool, err error) {
	if g.crowded[a] {
		return nil, false, nil
	}
	histories, err := g.store.History(ctx, g.chain, []store.Since{{Address: a, Limit: crowdedTouches + 1}})
	if err != nil {
		return nil, false, err
	}
	for _, t := range histories[0] {
		if t.Tx <= g.now {
			numbers = append(numbers, t.Tx)
		}
	}
	if len(numbers) > crowdedTouches {
		g.crowded[a] = true
		return nil, false, nil
	}
	return numbers, true, nil
}

func (g *accounts) history(ctx context.Context, a ledger.Address) (list []ledger.Placed, private bool, err error) {
	numbers, private, err := g.touches(ctx, a)
	if !private || err != nil {
		return nil, private, err
	}
	list, err = placed(ctx, g.store, g.chain, numbers)
	return list, true, err
}

// placed reads transactions of an account chain.
func placed(ctx context.Context, s store.Store, chain ledger.Chain, numbers []store.TxNumber) ([]ledger.Placed, error) {
	movements, err := s.Movements(ctx, chain, numbers)
	if err != nil {
		return nil, err
	}
	list := make([]ledger.Placed, len(movements))
	for i := range movements {
		list[i] = ledger.Placed{Height: movements[i].Height, Time: movements[i].Time, Tx: &movements[i].Tx}
	}
	return list, nil
}

// maxPayers bounds the transactions that are read to count an account's payers.
const maxPayers = 8 * cluster.UnlistedPayers

// payers counts who paid an account up to now.
func (g *accounts) payers(ctx context.Context, a ledger.Address) (uint64, error) {
	histories, err := g.store.History(ctx, g.chain, []store.Since{{Address: a, Limit: maxPayers}})
	if err != nil {
		return 0, err
	}
	payers := map[ledger.Address]bool{}
	for chunk := range slices.Chunk(histories[0], crowdedTouches) {
		numbers := make([]store.TxNumber, 0, len(chunk))
		for _, t := range chunk {
			if t.Tx <= g.now {
				numbers = append(numbers, t.Tx)
			}
		}
		list, err := placed(ctx, g.store, g.chain, numbers)
		if err != nil {
			return 0, err
		}
		for i := range list {
			addPayers(payers, a, list[i].Tx)
		}
		if len(payers) >= cluster.UnlistedPayers {
			break
		}
	}
	return uint64(len(payers)), nil
}

// addPayers adds who paid an account in a transaction.
func addPayers(payers map[ledger.Address]bool, a ledger.Address, tx *ledger.Tx) {
	for i := range tx.Transfers {
		if t := &tx.Transfers[i]; t.To == a && t.From != a && !t.Amount.IsZero() {
			payers[t.From] = true
		}
	}
}
