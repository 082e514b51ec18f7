package attribution

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"coldtrail/attribution/behaviour"
	"coldtrail/attribution/cluster"
	"coldtrail/ledger"
	"coldtrail/store"
)

// ErrNoRecord says that the ledger holds nothing of an address, so that nothing can be
// said of its conduct.
var ErrNoRecord = errors.New("the ledger holds no transaction of this address")

// ConductOptions are what conduct is looked for by.
type ConductOptions struct {
	// Parameters decide; see ConductParameters.
	Parameters behaviour.Parameters
	// Pattern is the only one to look for; nil looks for all.
	Pattern *behaviour.Pattern
	// AsOf is the last block that counts; 0 is the newest.
	AsOf ledger.Height
	// Notation writes the chain's addresses, as labels have them.
	Notation ledger.Notation
	// Clusters make the subject the whole cluster of the address; nil, the address alone.
	Clusters *Clusters
	// View says who counterparties are; nil says nothing of anybody.
	View *View
	// Change says which output of a payment goes on in a peel chain, where it decides.
	// Where it does not, or is nil, the larger output does.
	Change *cluster.Change
	// Taint is where a trace saw taint arrive, for commingling.
	Taint []Arrival
	// Toward is the chain to which a transaction's deposit crosses, as a trace saw it.
	Toward map[ledger.Hash]ledger.Chain
	Bounds Bounds
	// Progress is told of transactions read.
	Progress func(done, total uint64)
}

// Bounds are how much is read at most; 0 is the default. What they leave out is stated.
type Bounds struct {
	Addresses    int // of a cluster, earliest first
	Transactions int // of the subject, earliest first
	Path         int // steps along one path, of peel chains, layering and round trips
	Hops         int // steps along all paths together
}

const (
	defaultAddresses    = 10_000
	defaultTransactions = 20_000
	defaultPath         = 200
	defaultHops         = 5_000
	// maxParts bounds the movements, inputs and outputs held at a time.
	maxParts = 1 << 20
)

func (b Bounds) filled() Bounds {
	for _, f := range []struct {
		bound *int
		value int
	}{{&b.Addresses, defaultAddresses}, {&b.Transactions, defaultTransactions}, {&b.Path, defaultPath}, {&b.Hops, defaultHops}} {
		if *f.bound <= 0 {
			*f.bound = f.value
		}
	}
	return b
}

// Arrival is taint of an incident that a transaction moves to an address.
type Arrival struct {
	Tx ledger.Hash
	To ledger.Address
	// From are the addresses that it came from; none at the theft itself.
	From     []ledger.Address
	Incident string
}

// Conducted is what patterns of conduct were found.
type Conducted struct {
	Chain ledger.Chain
	AsOf  ledger.Height    // the last block that counted
	Own   []ledger.Address // of the subject; those that were read
	// Size is the addresses of the cluster, 1 where the subject is an address alone.
	Size         uint32
	Transactions int // of the subject; those that were read
	Findings     []behaviour.Finding
	// LeftOut says in sentences what bounds kept from being read. Nothing that is not
	// named was left out.
	LeftOut []string
}

// conduct is a question on its way.
type conduct struct {
	store store.Store
	chain ledger.Chain
	o     *ConductOptions
	bound Bounds
	end   store.TxNumber // the first transaction that no longer counts
	own   map[ledger.Address]bool
	names map[ledger.Address]party
	links uint32 // of the clusters at the cut-off
	parts int    // held so far
	hops  int    // followed so far
	out   *Conducted
}

// Conduct finds the patterns of conduct of an address, or of its cluster, in what a store
// holds up to a height. Patterns of paths are followed forward from the subject. An
// address that the store does not hold is ErrNoRecord, a chain store.ErrUnknownChain.
func Conduct(ctx context.Context, s store.Store, chain ledger.Chain, a ledger.Address, o *ConductOptions) (*Conducted, error) {
	c, err := newConduct(ctx, s, chain, o)
	if err != nil {
		return nil, err
	}
	if err := c.owner(ctx, a); err != nil {
		return nil, err
	}
	numbers, err := c.record(ctx)
	if err != nil {
		return nil, err
	}
	steps, err := c.steps(ctx, numbers)
	if err != nil {
		return nil, err
	}
	numbers = numbers[:len(steps)] // what does not fit is stated
	c.out.Transactions = len(steps)
	subject := &behaviour.Subject{Own: c.own, Steps: steps, Taint: c.taint()}
	if subject.Openings, err = c.openings(ctx, numbers, steps); err != nil {
		return nil, err
	}
	if err := c.find(ctx, subject, numbers); err != nil {
		return nil, err
	}
	return c.out, nil
}

// ConductFrom follows the peel chain that begins with a transaction of a UTXO chain.
func ConductFrom(ctx context.Context, s store.Store, chain ledger.Chain, tx ledger.Hash, o *ConductOptions) (*Conducted, error) {
	if chain.Family() != ledger.UTXO {
		return nil, fmt.Errorf("peel chains are followed on UTXO chains; %s keeps accounts, give an address", chain.Short())
	}
	c, err := newConduct(ctx, s, chain, o)
	if err != nil {
		return nil, err
	}
	numbers, err := s.Find(ctx, chain, []ledger.Hash{tx})
	if err != nil {
		return nil, err
	}
	if numbers[0] >= c.end {
		return nil, fmt.Errorf("the ledger of %s holds no transaction %s up to block %d", chain.Short(), chain.FormatHash(tx), c.out.AsOf)
	}
	steps, _, err := c.peel(ctx, numbers[0])
	if err == nil {
		c.out.Transactions = len(steps)
		c.out.Findings = behaviour.PeelChain(steps, o.Parameters)
	}
	return c.out, err
}

func newConduct(ctx context.Context, s store.Store, chain ledger.Chain, o *ConductOptions) (*conduct, error) {
	c := &conduct{
		store: s, chain: chain, o: o, bound: o.Bounds.filled(), end: store.NoTx, own: map[ledger.Address]bool{}, names: map[ledger.Address]party{},
		out: &Conducted{Chain: chain, Size: 1},
	}
	statuses, err := s.Status(ctx)
	if err != nil {
		return nil, err
	}
	at := slices.IndexFunc(statuses, func(st store.Status) bool { return st.Chain == chain })
	if at < 0 {
		return nil, fmt.Errorf("%w: %s", store.ErrUnknownChain, chain.Short())
	}
	c.out.AsOf = statuses[at].Height
	if o.AsOf == 0 || o.AsOf >= c.out.AsOf {
		return c, nil
	}
	if o.AsOf < statuses[at].First {
		return nil, fmt.Errorf("the store holds %s from block %d on, nothing up to block %d", chain.Short(), statuses[at].First, o.AsOf)
	}
	c.out.AsOf = o.AsOf
	for header, err := range s.Headers(ctx, chain, o.AsOf+1) {
		if err != nil {
			return nil, err
		}
		c.end = header.FirstTx
		break
	}
	return c, nil
}

// owner finds the addresses of the subject.
func (c *conduct) owner(ctx context.Context, a ledger.Address) error {
	c.out.Own = []ledger.Address{a}
	if clusters := c.o.Clusters; clusters != nil {
		owner, err := clusters.OwnerOf(ctx, a, c.out.AsOf, c.bound.Addresses)
		switch {
		case errors.Is(err, ErrNoMember): // no rule says anything of it
		case err != nil:
			return err
		default:
			c.out.Own, c.out.Size = owner.Members, owner.Size
			if !slices.Contains(c.out.Own, a) {
				c.out.Own = append(c.out.Own[:len(c.out.Own)-1:len(c.out.Own)-1], a)
			}
		}
		c.links = clusters.forest.At(uint64(c.out.AsOf))
	}
	if more := int(c.out.Size) - len(c.out.Own); more > 0 {
		c.leaveOut("%d of the %d addresses of the cluster, the latest: at most %d are read", more, c.out.Size, c.bound.Addresses)
	}
	for _, own := range c.out.Own {
		c.own[own] = true
	}
	return nil
}

func (c *conduct) leaveOut(format string, args ...any) {
	c.out.LeftOut = append(c.out.LeftOut, fmt.Sprintf(format, args...))
}

// taint is what of the arrivals came to the subject from outside of it.
func (c *conduct) taint() map[ledger.Hash][]string {
	found := map[ledger.Hash][]string{}
	for i := range c.o.Taint {
		a := &c.o.Taint[i]
		outside := func(from ledger.Address) bool { return !c.own[from] }
		if c.own[a.To] && (len(a.From) == 0 || slices.ContainsFunc(a.From, outside)) && !slices.Contains(found[a.Tx], a.Incident) {
			found[a.Tx] = append(found[a.Tx], a.Incident)
		}
	}
	return found
}

// find finds what was asked for, in the order of behaviour.Patterns.
func (c *conduct) find(ctx context.Context, subject *behaviour.Subject, numbers []store.TxNumber) error {
	wanted := func(p *behaviour.Pattern) bool { return c.o.Pattern == nil || c.o.Pattern == p }
	if c.o.Pattern == nil {
		c.out.Findings = behaviour.Find(subject, c.o.Parameters)
	} else {
		c.out.Findings = behaviour.FindBy(c.o.Pattern, subject, c.o.Parameters)
	}
	if wanted(behaviour.LayeringPattern) || wanted(behaviour.RoundTripPattern) {
		layered, returned, err := c.paths(ctx, subject)
		if err != nil {
			return err
		}
		if wanted(behaviour.LayeringPattern) {
			c.out.Findings = append(c.out.Findings, layered...)
		}
		if wanted(behaviour.RoundTripPattern) {
			c.out.Findings = append(c.out.Findings, returned...)
		}
	}
	if wanted(behaviour.PeelPattern) && c.chain.Family() == ledger.UTXO {
		peeled, err := c.peels(ctx, subject.Steps, numbers)
		if err != nil {
			return err
		}
		c.out.Findings = append(c.out.Findings, peeled...)
	}
	return nil
}
