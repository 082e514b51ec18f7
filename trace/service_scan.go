package trace

import (
	"context"
	"slices"

	"coldtrail/crossing"
	"coldtrail/crossing/opaque"
	"coldtrail/ledger"
	"coldtrail/store"
)

// serviceScan reads the traffic of one service: all of it, tainted or not, because
// honest customers compete with the thief for every payout.
type serviceScan struct {
	*plan
	m     *serviceMatch
	since int64
	known map[ledger.Hash]bool // transactions with payouts of bridges

	c       *chainPlan
	from    store.TxNumber
	takes   map[ledger.Address]bool // labelled addresses on the chain
	wallets map[ledger.Address]bool
}

func (s *serviceScan) scan(ctx context.Context) error {
	for _, c := range s.chains {
		s.c, s.takes, s.wallets = c, s.labelled(c), s.walletsOn(c)
		if len(s.takes)+len(s.wallets) == 0 {
			continue
		}
		header, err := s.headerAt(ctx, c, s.since-clockSlack)
		if err != nil {
			return err
		}
		s.from = header.FirstTx
		numbers, err := s.touched(ctx)
		if err != nil {
			return err
		}
		for chunk := range slices.Chunk(numbers, scanBatch) {
			if c.chain.Family() == ledger.UTXO {
				err = s.readOutputs(ctx, chunk)
			} else {
				err = s.readMovements(ctx, chunk)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// labelled lists the addresses of a chain at which the service takes value in.
func (s *serviceScan) labelled(c *chainPlan) map[ledger.Address]bool {
	list := map[ledger.Address]bool{}
	for _, from := range s.cases {
		for i := range from.Labels {
			l := &from.Labels[i]
			if chain, err := ledger.ParseChain(l.Chain); err != nil || chain != c.chain || l.Entity != s.m.source.Name {
				continue
			}
			if address, err := c.notation.ParseAddress(l.Address); err == nil {
				list[address] = true
			}
		}
	}
	return list
}

func (s *serviceScan) walletsOn(c *chainPlan) map[ledger.Address]bool {
	list := map[ledger.Address]bool{}
	for i := range s.m.source.Wallets {
		w := &s.m.source.Wallets[i]
		if chain, err := ledger.ParseChain(w.Chain); err != nil || chain != c.chain {
			continue
		}
		if address, err := c.notation.ParseAddress(w.Address); err == nil {
			list[address] = true
		}
	}
	return list
}

// touched lists the transactions of the service, in chain order.
func (s *serviceScan) touched(ctx context.Context) (numbers []store.TxNumber, err error) {
	var questions []store.Since
	for _, list := range []map[ledger.Address]bool{s.takes, s.wallets} {
		for address := range list {
			questions = append(questions, store.Since{Address: address, From: s.from})
		}
	}
	histories, err := s.store.History(ctx, s.c.chain, questions)
	if err != nil {
		return nil, err
	}
	for _, touches := range histories {
		for _, touch := range touches {
			if touch.Tx < s.c.end {
				numbers = append(numbers, touch.Tx)
			}
		}
	}
	slices.Sort(numbers)
	return slices.Compact(numbers), nil
}

// own says whether an address is the service's.
func (s *serviceScan) own(a ledger.Address) bool { return s.takes[a] || s.wallets[a] }

func (s *serviceScan) readMovements(ctx context.Context, numbers []store.TxNumber) error {
	movements, err := s.store.Movements(ctx, s.c.chain, numbers)
	if err != nil {
		return err
	}
	for i := range movements {
		m := &movements[i]
		if m.Tx.Failed {
			continue
		}
		place := crossing.Place{Chain: s.c.chain, Height: m.Height, Time: m.Time, Number: uint64(m.Number), Tx: m.Tx.ID}
		for j := range m.Tx.Transfers {
			t := &m.Tx.Transfers[j]
			x := serviceTransfer{place: place, Transfer: opaque.Transfer{Chain: s.c.chain, Asset: t.Asset, Amount: t.Amount, Time: m.Time, Tx: m.Tx.ID, Index: uint32(j)}}
			switch {
			case t.Amount.IsZero() || s.own(t.From) && s.own(t.To):
			case s.takes[t.To]:
				x.into, x.Party = t.To, t.From
				x.at = arrival{chain: s.c.chain, number: uint64(m.Number), address: t.To, asset: t.Asset}
				s.deposit(x)
			case s.wallets[t.From] && !s.known[m.Tx.ID]:
				x.into, x.Party = t.From, t.To
				s.m.payouts = append(s.m.payouts, x)
			}
		}
	}
	return nil
}

// deposit adds a deposit; several of one asset to one address in a transaction are
// one.
func (s *serviceScan) deposit(x serviceTransfer) {
	if at, ok := s.m.index[x.at]; ok {
		have := &s.m.deposits[at].Amount
		have.Add(have, &x.Amount)
		return
	}
	s.m.index[x.at] = len(s.m.deposits)
	s.m.deposits = append(s.m.deposits, x)
}

func (s *serviceScan) readOutputs(ctx context.Context, numbers []store.TxNumber) error {
	txs, err := s.store.Transactions(ctx, s.c.chain, numbers)
	if err != nil {
		return err
	}
	ids, err := s.store.IDs(ctx, s.c.chain, numbers)
	if err != nil {
		return err
	}
	for i := range txs {
		if err := s.readOutputsOf(ctx, &txs[i], ids[i]); err != nil {
			return err
		}
	}
	return nil
}

// readOutputsOf reads one transaction: outputs at labelled addresses are deposits;
// where a wallet of the service pays, the others are payouts.
func (s *serviceScan) readOutputsOf(ctx context.Context, tx *store.Transaction, id ledger.Hash) error {
	var ask []store.OutputNumber
	for i := range tx.Inputs {
		if tx.Inputs[i].Output != store.NoOutput {
			ask = append(ask, tx.Inputs[i].Output)
		}
	}
	inputs := len(ask)
	for i := range tx.Values {
		ask = append(ask, tx.FirstOutput+store.OutputNumber(i))
	}
	outputs, err := s.store.Outputs(ctx, s.c.chain, ask)
	if err != nil {
		return err
	}
	var payer, party ledger.Address
	for i := range outputs[:inputs] {
		if party.IsZero() {
			party = outputs[i].Address
		}
		if s.wallets[outputs[i].Address] {
			payer = outputs[i].Address
		}
	}
	place := crossing.Place{Chain: s.c.chain, Height: tx.Height, Time: tx.Time, Number: uint64(tx.Number), Tx: id}
	for i := range outputs[inputs:] {
		o := &outputs[inputs+i]
		x := serviceTransfer{place: place, Transfer: opaque.Transfer{
			Chain: s.c.chain, Asset: s.c.chain.Native(), Amount: ledger.NewAmount(o.Value), Time: tx.Time, Tx: id, Index: uint32(i),
		}}
		switch {
		case o.Value == 0 || o.Unspendable:
		case !payer.IsZero() && !s.own(o.Address) && !s.known[id]:
			x.into, x.Party = payer, o.Address
			s.m.payouts = append(s.m.payouts, x)
		case payer.IsZero() && !s.own(party) && s.takes[o.Address]:
			x.into, x.Party = o.Address, party
			x.at = arrival{chain: s.c.chain, number: uint64(tx.Number), address: o.Address, asset: x.Asset, output: uint64(o.Number)}
			s.deposit(x)
		}
	}
	return nil
}
