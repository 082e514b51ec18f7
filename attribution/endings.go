package attribution

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"coldtrail/attribution/cluster"
	"coldtrail/attribution/label"
	"coldtrail/ledger"
	"coldtrail/store"
)

// Ending is where a trace stops, and what says so.
type Ending struct {
	Stop   label.Stop
	Entity string // who keeps the books there, for people
	// Jurisdictions are where that is at home, where a list of actors says so.
	Jurisdictions []string
	// Claim is what it rests on: about the address itself, or about another that a rule
	// ties to it.
	Claim label.Claim
	// Rule ties the address to the one that the claim is about; nil where the claim is
	// about the address itself.
	Rule *cluster.Rule
}

// Endings says of addresses whether a trace stops there: by what is said of them; by
// what is said of others that the same owner's coins were spent with; and because
// everything that reaches them is swept into wallets of a service. It is asked without a
// context, in the middle of a trace: what goes wrong is kept, and Err has to be asked
// once the trace is done.
type Endings struct {
	ctx       context.Context //nolint:containedctx // an answer in the middle of a trace has no other
	store     store.Store
	view      *View
	notations func(ledger.Chain) (ledger.Notation, error)
	clusters  map[ledger.Chain]*stops
	deposits  map[depositOf]*Ending
	conclude  Conclusions
	used      map[string]*Ending
	err       error
}

// Conclusions are what rules may conclude beside what is said of an address itself.
type Conclusions struct {
	// Deposits finds deposit addresses by their histories.
	Deposits bool
	// Clusters carries what is said of one address to those it was spent with; a chain
	// that is missing has none.
	Clusters map[ledger.Chain]*Clusters
}

// depositOf is a question about a deposit address.
type depositOf struct {
	chain   ledger.Chain
	address ledger.Address
	end     store.TxNumber
}

// NewEndings makes endings of what counts in a view.
func NewEndings(ctx context.Context, s store.Store, view *View, notations func(ledger.Chain) (ledger.Notation, error), conclude Conclusions) (*Endings, error) {
	e := &Endings{
		ctx: ctx, store: s, view: view, notations: notations, conclude: conclude, clusters: map[ledger.Chain]*stops{},
		deposits: map[depositOf]*Ending{}, used: map[string]*Ending{},
	}
	for chain, c := range conclude.Clusters {
		found, err := c.stops(ctx, view)
		if err != nil {
			return nil, fmt.Errorf("clusters of %s: %w", chain.Short(), err)
		}
		e.clusters[chain] = found
	}
	return e, nil
}

// Err is the first thing that went wrong.
func (e *Endings) Err() error { return e.err }

// Used gives the ending that a trace was told of at an address, for its report.
func (e *Endings) Used(chain ledger.Chain, address string) *Ending {
	return e.used[string(chain)+" "+strings.ToLower(address)]
}

// At says where a trace stops at an address, as far as the transactions before end
// show; nil where it goes on.
func (e *Endings) At(chain ledger.Chain, a ledger.Address, end store.TxNumber) *Ending {
	if e.err != nil || a.IsZero() {
		return nil
	}
	ending, err := e.at(chain, a, end)
	if err != nil {
		e.err = err
		return nil
	}
	return ending
}

func (e *Endings) at(chain ledger.Chain, a ledger.Address, end store.TxNumber) (*Ending, error) {
	notation, err := e.notations(chain)
	if err != nil {
		return nil, err
	}
	text := notation.FormatAddress(a)
	ending, err := e.said(chain, text)
	if ending == nil && err == nil && e.clusters[chain] != nil {
		ending, err = e.clusters[chain].of(e.ctx, a)
	}
	if ending == nil && err == nil && e.conclude.Deposits {
		ending, err = e.deposit(depositOf{chain, a, end})
	}
	if ending != nil {
		e.used[string(chain)+" "+strings.ToLower(text)] = ending
	}
	return ending, err
}

// said is what claims say of an address itself.
func (e *Endings) said(chain ledger.Chain, text string) (*Ending, error) {
	stop, claim, err := e.view.StopOf(e.ctx, chain, text)
	if claim == nil || err != nil {
		return nil, err
	}
	ending := &Ending{Stop: stop, Claim: *claim}
	if ending.Entity, err = e.view.Entity(e.ctx, claim); err == nil {
		ending.Jurisdictions, err = e.view.Jurisdictions(e.ctx, claim.Actor)
	}
	return ending, err
}

// deposit concludes from an address's history, once for each question.
func (e *Endings) deposit(q depositOf) (*Ending, error) {
	if ending, ok := e.deposits[q]; ok {
		return ending, nil
	}
	ending, err := e.findDeposit(q)
	if err == nil && len(e.deposits) < maxCached {
		e.deposits[q] = ending
	}
	return ending, err
}

func (e *Endings) findDeposit(q depositOf) (*Ending, error) {
	histories, err := e.store.History(e.ctx, q.chain, []store.Since{{Address: q.address, Limit: crowdedTouches + 1}})
	if err != nil {
		return nil, err
	}
	if len(histories[0]) > crowdedTouches {
		return nil, nil //nolint:nilnil // too busy for anybody's deposit address
	}
	var numbers []store.TxNumber
	for _, t := range histories[0] {
		if t.Tx < q.end && (t.Spent || q.chain.Family() == ledger.Account) {
			numbers = append(numbers, t.Tx)
		}
	}
	if len(numbers) == 0 {
		return nil, nil //nolint:nilnil // nothing left it yet
	}
	s := services{endings: e, chain: q.chain, claims: map[string]*Ending{}}
	rule, entity := cluster.DepositSpend, ""
	if q.chain.Family() == ledger.UTXO {
		entity, err = s.spends(q.address, numbers)
	} else {
		rule = cluster.DepositAddress
		entity, err = s.sweeps(q.address, numbers)
	}
	if err = errors.Join(err, s.err); entity == "" || err != nil {
		return nil, err
	}
	found := *s.claims[entity]
	found.Rule = rule
	return &found, nil
}

// services answers the rules' question who an address's service is.
type services struct {
	endings *Endings
	chain   ledger.Chain
	claims  map[string]*Ending // by entity
	err     error
}

// service names the service whose wallet an address is. Deposit addresses do not count.
func (s *services) service(a ledger.Address) (string, bool) {
	if s.err != nil {
		return "", false
	}
	notation, err := s.endings.notations(s.chain)
	if err != nil {
		s.err = err
		return "", false
	}
	ending, err := s.endings.said(s.chain, notation.FormatAddress(a))
	if err != nil {
		s.err = err
		return "", false
	}
	if ending == nil || !ending.Claim.Collects() || ending.Entity == "" {
		return "", false
	}
	s.claims[ending.Entity] = ending
	return ending.Entity, true
}

func (s *services) sweeps(a ledger.Address, numbers []store.TxNumber) (string, error) {
	history, err := placed(s.endings.ctx, s.endings.store, s.chain, numbers)
	if err != nil {
		return "", err
	}
	d, ok := cluster.Deposit(&cluster.History{Chain: s.chain, Of: a, Txs: history, Parties: cluster.Parties{Service: s.service}})
	if !ok {
		return "", nil
	}
	return d.Entity, nil
}

func (s *services) spends(a ledger.Address, numbers []store.TxNumber) (string, error) {
	txs, err := Resolved(s.endings.ctx, s.endings.store, s.chain, numbers)
	if err != nil {
		return "", err
	}
	found, ok := cluster.SpentBy(&cluster.Spends{Of: a, Txs: txs, Service: s.service, Excluded: mixing(s.chain)})
	if !ok {
		return "", nil
	}
	return found.Entity, nil
}

// stops are the clusters of a chain in which somebody keeps books, by root.
type stops struct {
	clusters *Clusters
	byRoot   map[cluster.Member]*Ending
	torn     map[cluster.Member]bool // named for several
}

// stops finds the clusters that a claim gives to a service, a mixer or a swap service.
// Where claims name different entities the cluster says nothing: it is wrong somewhere.
func (c *Clusters) stops(ctx context.Context, view *View) (*stops, error) {
	s := &stops{clusters: c, byRoot: map[cluster.Member]*Ending{}, torn: map[cluster.Member]bool{}}
	err := c.claimsOn(ctx, view.when, func(a ledger.Address, claims []label.Claim) error {
		m, err := c.member(ctx, a)
		if errors.Is(err, ErrNoMember) {
			return nil
		}
		if err != nil {
			return err
		}
		return s.add(ctx, view, c.forest.Root(m), claims)
	})
	for root := range s.torn {
		delete(s.byRoot, root)
	}
	return s, err
}

// add takes in what is said of one address of a cluster.
func (s *stops) add(ctx context.Context, view *View, root cluster.Member, claims []label.Claim) error {
	for i := range claims {
		stop := claims[i].StopOf()
		if stop == label.StopNone || claims[i].Score < view.least || claims[i].Score < leastActor {
			continue
		}
		ending := &Ending{Stop: stop, Claim: claims[i]}
		var err error
		if ending.Entity, err = view.Entity(ctx, &claims[i]); err != nil {
			return err
		}
		if ending.Jurisdictions, err = view.Jurisdictions(ctx, claims[i].Actor); err != nil {
			return err
		}
		have := s.byRoot[root]
		if have != nil && (have.Stop != stop || have.Entity != ending.Entity) {
			s.torn[root] = true
		}
		if have == nil || label.Compare(claims[i], have.Claim) < 0 {
			s.byRoot[root] = ending
		}
	}
	return nil
}

// of is the ending of an address's cluster.
func (s *stops) of(ctx context.Context, a ledger.Address) (*Ending, error) {
	m, err := s.clusters.member(ctx, a)
	if errors.Is(err, ErrNoMember) {
		return nil, nil //nolint:nilnil // it was never spent with another
	}
	if err != nil {
		return nil, err
	}
	found := s.byRoot[s.clusters.forest.Root(m)]
	if found == nil {
		return nil, nil //nolint:nilnil // nobody says who that is
	}
	ending := *found
	ending.Rule = cluster.CoSpend
	if s.clusters.chain.Family() == ledger.Account {
		ending.Rule = cluster.DepositAddress
	}
	return &ending, nil
}
