package main

import (
	"context"
	"errors"
	"slices"

	"coldtrail/attribution"
	"coldtrail/attribution/label"
	"coldtrail/ledger"
	"coldtrail/screen/exposure"
	"coldtrail/server"
	"coldtrail/store"
)

// The bounds of one answer.
const (
	ledgerQuestions = 4       // answered at once; the others wait
	ledgerAttempts  = 3       // at an answer beneath which blocks were taken back
	mostTouches     = 20_000  // transactions of an account that are added up
	mostReads       = 200_000 // transactions that are read again for its balances
	mostLooked      = 5_000   // transactions that are looked at for one page
	readAtOnce      = 64      // transactions in memory
	mostOthers      = 5       // counterparties of a movement that are named
	mostSides       = 8       // inputs or outputs in which they are looked for
	outputsAtOnce   = 256
)

// storeLedger tells the server what a store holds. An answer is of one state of a chain:
// where blocks were taken back while it was looked up, it is looked up again.
type storeLedger struct {
	store store.Store
	turns chan struct{}
}

// newStoreLedger answers from a store and the labels in it.
func newStoreLedger(from store.Store) *storeLedger {
	return &storeLedger{from, make(chan struct{}, ledgerQuestions)}
}

// chainView is one state of a chain, up to and with its newest block.
type chainView struct {
	chain    ledger.Chain
	notation ledger.Notation
	head     store.Header
}

// end is the number after the last transaction.
func (v *chainView) end() store.TxNumber { return v.head.FirstTx + store.TxNumber(v.head.Txs) }

// address reads an address as people write it.
func (v *chainView) address(text string) (ledger.Address, error) {
	a, err := v.notation.ParseAddress(text)
	if err != nil {
		return a, refuse(server.ErrInvalid, "%s: %s", v.chain.Short(), err)
	}
	return a, nil
}

// nothing is the error for what is not in the blocks that are held.
func (v *chainView) nothing(what string) error {
	return refuse(server.ErrNotFound, "%s: the ledger holds nothing of it in its blocks of %s, the newest of which is %d; that is not to say that there is nothing", what, v.chain.Short(), v.head.Height)
}

// steadily asks for something, again if blocks were taken back meanwhile: their numbers
// then mean other transactions.
func (l *storeLedger) steadily(ctx context.Context, chain ledger.Chain, ask func(*chainView) error) error {
	id, err := parseChain(string(chain))
	if err != nil {
		return refuse(server.ErrInvalid, "%s", err)
	}
	select {
	case l.turns <- struct{}{}:
		defer func() { <-l.turns }()
	case <-ctx.Done():
		return ctx.Err()
	}
	for range ledgerAttempts {
		v, err := l.view(ctx, id)
		if err != nil {
			return err
		}
		asked := ask(v)
		still, err := l.header(ctx, id, v.head.Height)
		if err != nil || asked != nil && ctx.Err() != nil {
			return errors.Join(asked, err)
		}
		if still == v.head {
			return asked
		}
	}
	return refuse(server.ErrUnavailable, "%s is being reorganised; ask again", id.Short())
}

// view is the state that a chain has now.
func (l *storeLedger) view(ctx context.Context, chain ledger.Chain) (*chainView, error) {
	statuses, err := l.store.Status(ctx)
	if err != nil {
		return nil, err
	}
	at := slices.IndexFunc(statuses, func(s store.Status) bool { return s.Chain == chain })
	if at < 0 || statuses[at].Blocks == 0 {
		return nil, refuse(server.ErrNotFound, "the ledger holds no block of %s", chain.Short())
	}
	v := &chainView{chain: chain}
	if v.notation, err = notations(chain); err != nil {
		return nil, refuse(server.ErrNotFound, "%s", err)
	}
	v.head, err = l.header(ctx, chain, statuses[at].Height)
	return v, err
}

// header is the first block of a height or above, or none.
func (l *storeLedger) header(ctx context.Context, chain ledger.Chain, height ledger.Height) (store.Header, error) {
	for h, err := range l.store.Headers(ctx, chain, height) {
		if errors.Is(err, store.ErrUnknownChain) {
			return store.Header{}, nil // all blocks were taken back
		}
		return h, err
	}
	return store.Header{}, nil
}

// addressSummary is everything that is added up of an address.
type addressSummary struct {
	transfers   uint64 // as Transfers lists them; at least so many where it is partial
	touched     bool   // by a transaction; without any there may still be a stated balance
	first, last visited
	byAsset     map[ledger.Asset]*assetSummary
	// partial says that there was too much: transfers are counted no further, and there
	// are no balances.
	partial bool
}

// assetSummary is what an address received, sent and has of one asset. What went from it
// to itself is neither. The balance may be more where its beginning is not known.
type assetSummary struct{ received, sent, balance ledger.Amount }

// summary adds an address up.
func (l *storeLedger) summary(ctx context.Context, v *chainView, a ledger.Address) (*addressSummary, error) {
	most := mostTouches + 1
	if v.chain.Family() == ledger.UTXO {
		most = int(v.end()) // the touches say all amounts
	}
	list, err := l.touching(ctx, v, a, 0, most)
	if err != nil {
		return nil, err
	}
	s := &addressSummary{byAsset: map[ledger.Asset]*assetSummary{}}
	s.of(v.chain.Native())
	if len(list) == 0 {
		if v.chain.Family() == ledger.Account { // a source may state what it held before
			err = l.balances(ctx, v, a, s)
		}
		return s, err
	}
	ends, err := l.moves(ctx, v, a, []sums{list[0], list[len(list)-1]})
	if err != nil {
		return nil, err
	}
	s.touched, s.first, s.last = true, ends[0], ends[1]
	if v.chain.Family() == ledger.UTXO {
		s.addOutputs(v.chain.Native(), list)
		return s, nil
	}
	if len(list) == most {
		s.partial, s.transfers = true, mostTouches
		return s, l.findLast(ctx, v, a, s)
	}
	for chunk := range slices.Chunk(list, readAtOnce) {
		txs, err := l.moves(ctx, v, a, chunk)
		if err != nil {
			return nil, err
		}
		for i := range txs {
			s.add(txs[i].moves)
		}
	}
	if len(list)*len(s.byAsset) > mostReads {
		s.partial = true
		return s, nil
	}
	return s, l.balances(ctx, v, a, s)
}

func (s *addressSummary) of(asset ledger.Asset) *assetSummary {
	sum := s.byAsset[asset]
	if sum == nil {
		sum = &assetSummary{}
		s.byAsset[asset] = sum
	}
	return sum
}

func (s *addressSummary) add(moves []moved) {
	s.transfers += uint64(len(moves))
	for i := range moves {
		m := &moves[i]
		sum := s.of(m.Asset)
		switch {
		case m.own:
		case m.Direction == exposure.Received:
			plus(&sum.received, &m.Amount.Amount)
		default:
			plus(&sum.sent, &m.Amount.Amount)
		}
	}
}

func (s *addressSummary) addOutputs(native ledger.Asset, list []sums) {
	sum := s.of(native)
	for i := range list {
		if list[i].receives {
			s.transfers++
			plus(&sum.received, &list[i].received)
		}
		if list[i].spends {
			s.transfers++
			plus(&sum.sent, &list[i].sent)
		}
	}
	sum.balance.Sub(&sum.received, &sum.sent) // what is spent was received before
}

// balances asks for what is left. One question may read everything that touched the
// address, so that each is asked by itself: the store waits for none of them long.
func (l *storeLedger) balances(ctx context.Context, v *chainView, a ledger.Address, s *addressSummary) error {
	for asset, sum := range s.byAsset {
		if err := ctx.Err(); err != nil {
			return err
		}
		found, err := l.store.Balances(ctx, v.chain, []store.HoldingAt{{Holding: store.Holding{Address: a, Asset: asset}, Before: v.end()}})
		if err != nil {
			return err
		}
		sum.balance = found[0].Amount
	}
	return nil
}

// findLast finds the last transaction of a crowded address by halves.
func (l *storeLedger) findLast(ctx context.Context, v *chainView, a ledger.Address, s *addressSummary) error {
	last := sums{number: s.last.number}
	for least, end := last.number+1, v.end(); least < end; {
		middle := least + (end-least)/2
		found, err := l.touching(ctx, v, a, middle, 1)
		if err != nil {
			return err
		}
		if len(found) == 0 {
			end = middle
		} else {
			last, least = found[0], found[0].number+1
		}
	}
	txs, err := l.moves(ctx, v, a, []sums{last})
	if err == nil {
		s.last = txs[0]
	}
	return err
}

// Address says what the ledger holds of an address. What a crowded account holds is not
// worked out, and the answer says so rather than to name less.
func (l *storeLedger) Address(ctx context.Context, chain ledger.Chain, address string) (answer server.Address, err error) {
	err = l.steadily(ctx, chain, func(v *chainView) error {
		a, err := v.address(address)
		if err != nil {
			return err
		}
		s, err := l.summary(ctx, v, a)
		if err != nil {
			return err
		}
		answer, err = l.describe(ctx, v, v.notation.FormatAddress(a), s)
		return err
	})
	return answer, err
}

// describe writes what was added up of an address.
func (l *storeLedger) describe(ctx context.Context, v *chainView, text string, s *addressSummary) (server.Address, error) {
	answer := server.Address{Chain: string(v.chain), Address: text, Touches: s.transfers, Holdings: []server.Holding{}}
	var err error
	if s.touched {
		if answer.First, err = l.moment(ctx, v, s.first.height); err != nil {
			return answer, err
		}
		if answer.Last, err = l.moment(ctx, v, s.last.height); err != nil {
			return answer, err
		}
	}
	if s.partial {
		return answer, refuse(server.ErrUnavailable, "%s has %d transfers or more, too many to add up for one answer: the first in block %d, the last in block %d; they are listed page by page under /transfers", text, s.transfers, answer.First.Height, answer.Last.Height)
	}
	for _, asset := range sortedAssets(s.byAsset) {
		if balance := s.byAsset[asset].balance; !balance.IsZero() {
			answer.Holdings = append(answer.Holdings, server.Holding{Asset: asset, Amount: exposure.Decimal{Amount: balance}})
		}
	}
	if !s.touched && len(answer.Holdings) == 0 {
		return answer, v.nothing(text)
	}
	answer.Entity, err = l.entity(ctx, label.SubjectOf(v.chain, text))
	return answer, err
}

func sortedAssets(byAsset map[ledger.Asset]*assetSummary) (list []ledger.Asset) {
	for asset := range byAsset {
		list = append(list, asset)
	}
	slices.Sort(list)
	return list
}

func (l *storeLedger) moment(ctx context.Context, v *chainView, height ledger.Height) (*server.Moment, error) {
	h, err := l.header(ctx, v.chain, height)
	return &server.Moment{Height: uint64(height), Time: h.Time}, err
}

// entity names whose an address is said to be, by the surest claim that does.
func (l *storeLedger) entity(ctx context.Context, subject label.Subject) (string, error) {
	view := attribution.NewView(l.store, label.When{}, 0)
	claims, err := view.Of(ctx, subject)
	if err != nil {
		return "", err
	}
	for i := range claims {
		if name, err := view.Entity(ctx, &claims[i]); err != nil || name != "" {
			return name, err
		}
	}
	return "", nil
}

// Labels gives everything that was ever said of an address, surest first, with when it
// held. Claims that contradict one another stand beside one another. That nothing is said
// is an empty list.
func (l *storeLedger) Labels(ctx context.Context, chain ledger.Chain, address string) ([]server.Label, error) {
	id, text, err := canonicalAddress(string(chain), address)
	if err != nil {
		return nil, err
	}
	lists, err := l.store.Claims(ctx, []label.Subject{label.SubjectOf(ledger.Chain(id), text)})
	if err != nil {
		return nil, err
	}
	labels := []server.Label{}
	for _, c := range label.Ever(lists[0], 0) {
		labels = append(labels, server.Label{
			ID: c.Name.String(), Label: c.Label, Actor: c.Actor, Category: c.Concept, Abuse: c.Abuse, Confidence: int(c.Score), By: c.By,
			Source: c.Source, Why: c.Why, From: c.From, Until: c.Until, Learned: c.Learned,
		})
	}
	return labels, nil
}
