package attribution

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"

	"coldtrail/attribution/cluster"
	"coldtrail/attribution/coinjoin"
	"coldtrail/ledger"
	"coldtrail/store"
)

// ClusterOptions are what clusters are grown by, beside the ledger.
type ClusterOptions struct {
	// Rules are applied in this order; none are the default set of the chain's family.
	Rules []*cluster.Rule
	// Cuts are transactions that an analyst ruled out: they join nobody.
	Cuts []ledger.Hash
	// Service names the service whose own wallet an account is (account chains).
	Service func(ledger.Address) (entity string, ok bool)
	// ServiceBasis names the labels that Service answers by.
	ServiceBasis string
	// Notation reads and writes the chain's addresses, as labels have them.
	Notation ledger.Notation
	// Progress is told of blocks done.
	Progress func(done, total uint64)
}

// Clusters are the clusters of one chain, kept current with a store. They are not safe
// for concurrent use.
type Clusters struct {
	store   store.Store
	chain   ledger.Chain
	forest  *cluster.Forest
	options ClusterOptions
	grower  grower
}

// grower applies the blocks of one family.
type grower interface {
	// grow applies the blocks from a height on. A block that does not follow on what
	// the forest has is errMoved.
	grow(ctx context.Context, from, to ledger.Height, applied func(ledger.Height)) error
}

// errMoved says that the store was rewound while it was read.
var errMoved = errors.New("the chain was rewound meanwhile")

// OpenClusters opens the clusters of a chain in a space. What they were grown by is
// compared with the options: of other rules they begin anew, and transactions ruled out
// or let in again take them back to before the first of these.
func OpenClusters(ctx context.Context, s store.Store, chain ledger.Chain, space *cluster.Space, options ClusterOptions) (*Clusters, error) {
	if len(options.Rules) == 0 {
		options.Rules = cluster.Defaults(chain.Family())
	}
	for _, r := range options.Rules {
		if r.Family != chain.Family() {
			return nil, fmt.Errorf("rule %s is not of %s", r.Name, chain.Short())
		}
	}
	options.Cuts = slices.Clone(options.Cuts)
	slices.SortFunc(options.Cuts, func(a, b ledger.Hash) int { return slices.Compare(a[:], b[:]) })
	options.Cuts = slices.Compact(options.Cuts)
	c := &Clusters{store: s, chain: chain, forest: cluster.Open(space), options: options}
	if chain.Family() == ledger.UTXO {
		c.grower = newOutputs(c)
	} else {
		c.grower = newAccounts(c)
	}
	return c, c.adopt(ctx, space)
}

// basis is what the clusters are grown by, a line each: the rules, then the
// transactions ruled out.
func (c *Clusters) basis() string {
	names := make([]string, len(c.options.Rules))
	for i, r := range c.options.Rules {
		names[i] = r.Name
	}
	lines := []string{fmt.Sprintf("%s mixing %d %s %s", c.chain, coinjoin.Threshold, strings.Join(names, " "), c.options.ServiceBasis)}
	for i := range c.options.Cuts {
		lines = append(lines, c.options.Cuts[i].String())
	}
	return strings.Join(lines, "\n")
}

// adopt takes over what a space holds as far as it was grown by the same.
func (c *Clusters) adopt(ctx context.Context, space *cluster.Space) error {
	basis := c.basis()
	if space.Basis == basis {
		return nil
	}
	before, now := strings.Split(space.Basis, "\n"), strings.Split(basis, "\n")
	if before[0] != now[0] {
		c.forest.Rewind(0)
	} else if err := c.rewindTo(ctx, differing(before[1:], now[1:])); err != nil {
		return err
	}
	space.Basis = basis
	return space.Keep(basis)
}

// differing lists what is in one of two lists only.
func differing(a, b []string) (ids []ledger.Hash) {
	for _, pair := range [][2][]string{{a, b}, {b, a}} {
		for _, text := range pair[0] {
			if id, err := ledger.ParseHash(text); err == nil && !slices.Contains(pair[1], text) {
				ids = append(ids, id)
			}
		}
	}
	return ids
}

// rewindTo takes back the blocks from the earliest of some transactions on.
func (c *Clusters) rewindTo(ctx context.Context, ids []ledger.Hash) error {
	if len(ids) == 0 {
		return nil
	}
	numbers, err := c.store.Find(ctx, c.chain, ids)
	if err != nil {
		return err
	}
	first := slices.Min(numbers) // NoTx is the largest
	at, _ := slices.BinarySearchFunc(c.forest.Marks[:c.forest.Blocks()], uint64(first), func(m cluster.Mark, tx uint64) int {
		if uint64(m.Txs) <= tx {
			return -1
		}
		return 1
	})
	c.forest.Rewind(uint64(at))
	return nil
}

// Sync brings the clusters to the store's head: what a reorganisation took out of the
// chain is taken back, and new blocks are applied.
func (c *Clusters) Sync(ctx context.Context) error {
	for try := 0; ; try++ {
		err := c.sync(ctx)
		if !errors.Is(err, errMoved) || try == 8 {
			return err
		}
		if try > 0 { // twice the same: what is held is not what was applied
			c.forest.Rewind(0)
		}
	}
}

func (c *Clusters) sync(ctx context.Context) error {
	statuses, err := c.store.Status(ctx)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(statuses, func(s store.Status) bool { return s.Chain == c.chain })
	if at < 0 {
		c.forest.Rewind(0)
		return nil
	}
	status := &statuses[at]
	if err := c.retreat(ctx); err != nil {
		return err
	}
	from := status.First
	if n := c.forest.Blocks(); n > 0 {
		from = ledger.Height(c.forest.Mark(n-1).Height) + 1
	}
	if from > status.Height {
		return nil
	}
	return c.grower.grow(ctx, from, status.Height, func(height ledger.Height) {
		if c.options.Progress != nil {
			c.options.Progress(uint64(height-from)+1, uint64(status.Height-from)+1)
		}
	})
}

// retreat takes back blocks that the store no longer holds, in growing strides: it may
// take back more than it must. Blocks without hashes cannot be told apart, so that all
// are taken back.
func (c *Clusters) retreat(ctx context.Context) error {
	for stride := uint64(1); c.forest.Blocks() > 0; stride *= 2 {
		held, err := c.holds(ctx, c.forest.Mark(c.forest.Blocks()-1))
		if held || err != nil {
			return err
		}
		c.forest.Rewind(c.forest.Blocks() - min(stride, c.forest.Blocks()))
	}
	return nil
}

// holds says whether the store has the block of a mark.
func (c *Clusters) holds(ctx context.Context, m cluster.Mark) (bool, error) {
	for header, err := range c.store.Headers(ctx, c.chain, ledger.Height(m.Height)) {
		if err != nil {
			return false, err
		}
		return !header.Hash.IsZero() && header.Height == ledger.Height(m.Height) && tail(header.Hash) == m.Hash &&
			uint64(header.FirstTx)+uint64(header.Txs) == uint64(m.Txs), nil
	}
	return false, nil
}

// tail is the part of a block's hash that a mark keeps: the last bytes, since the first
// of Bitcoin's are zeros.
func tail(h ledger.Hash) (t [8]byte) {
	copy(t[:], h[len(h)-len(t):])
	return t
}

// standInSize is the bytes of a stand-in's payload; no real address has so few.
const standInSize = 4

// standIn is an address in the place of another: its kind, and a number that tells it
// from others. Rules compare addresses and ask for their kinds, no more.
func standIn(kind ledger.AddressKind, owner cluster.Member) ledger.Address {
	var payload [standInSize]byte
	binary.BigEndian.PutUint32(payload[:], owner)
	return ledger.NewAddress(kind, payload[:])
}
