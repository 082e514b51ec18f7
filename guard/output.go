package guard

import (
	"context"
	"math"
	"slices"
	"strconv"

	"coldtrail/ledger"
	"coldtrail/screen/breaker"
	"coldtrail/screen/exposure"
	"coldtrail/store"
)

// payments are the payments into and out of wallets of a UTXO chain. What comes in is
// ascribed to the owner of the most valuable input, for nothing on chain says whose coin
// went where; what goes out is a use by each who is paid.
func (g *Guard) payments(ctx context.Context, s *settings, from, to ledger.Height) (list []found, last *at, err error) {
	x, err := g.span(ctx, s.Chain, from, to)
	if err != nil || x.last == nil {
		return nil, nil, err
	}
	numbers, err := g.touched(ctx, s, x)
	if err != nil {
		return nil, nil, err
	}
	txs, err := g.options.Store.Transactions(ctx, s.Chain, numbers)
	if err != nil {
		return nil, nil, err
	}
	ids, err := g.options.Store.IDs(ctx, s.Chain, numbers)
	if err != nil {
		return nil, nil, err
	}
	for i := range txs {
		tx := &txs[i]
		block := x.blocks[tx.Height]
		if block == nil || tx.Coinbase {
			continue
		}
		parties, err := g.resolve(ctx, s.Chain, tx)
		if err != nil {
			return nil, nil, err
		}
		name := string(s.Chain) + "/" + s.Chain.FormatHash(ids[i])
		for _, e := range parties.uses(s, name) {
			e.Moment, e.Provisional, e.Asset = tx.Time, true, s.Chain.Native()
			list = append(list, found{e, block})
		}
	}
	return list, x.last, nil
}

// span is the blocks of some heights: their transactions are numbered from first on, up to
// but not including end.
type span struct {
	blocks     map[ledger.Height]*at
	last       *at
	first, end store.TxNumber
}

func (g *Guard) span(ctx context.Context, chain ledger.Chain, from, to ledger.Height) (*span, error) {
	x := &span{blocks: map[ledger.Height]*at{}, first: math.MaxUint64}
	for h, err := range g.options.Store.Headers(ctx, chain, from) {
		if err != nil {
			return nil, err
		}
		if h.Height > to {
			break
		}
		x.last = atBlock(h.Height, h.Hash)
		x.blocks[h.Height] = x.last
		x.first, x.end = min(x.first, h.FirstTx), h.FirstTx+store.TxNumber(h.Txs)
	}
	return x, nil
}

// touched lists the transactions that the wallets are in.
func (g *Guard) touched(ctx context.Context, s *settings, x *span) (numbers []store.TxNumber, err error) {
	var questions []store.Since
	for a := range s.own {
		questions = append(questions, store.Since{Address: a, From: x.first})
	}
	histories, err := g.options.Store.History(ctx, s.Chain, questions)
	if err != nil {
		return nil, err
	}
	for _, touches := range histories {
		for _, t := range touches {
			if t.Tx < x.end {
				numbers = append(numbers, t.Tx)
			}
		}
	}
	slices.Sort(numbers)
	return slices.Compact(numbers), nil
}

// moved is a transaction with whom it is between.
type moved struct{ inputs, outputs []store.Output }

func (g *Guard) resolve(ctx context.Context, chain ledger.Chain, tx *store.Transaction) (*moved, error) {
	var ask []store.OutputNumber
	for i := range tx.Inputs {
		if n := tx.Inputs[i].Output; n != store.NoOutput {
			ask = append(ask, n)
		}
	}
	spent := len(ask)
	for i := range tx.Values {
		ask = append(ask, tx.FirstOutput+store.OutputNumber(i))
	}
	outputs, err := g.options.Store.Outputs(ctx, chain, ask)
	if err != nil {
		return nil, err
	}
	return &moved{outputs[:spent], outputs[spent:]}, nil
}

// uses are the payments of one transaction.
func (m *moved) uses(s *settings, name string) (list []breaker.Event) {
	asset := string(s.Chain.Native())
	var payer *store.Output
	fromUs := false
	for i := range m.inputs {
		in := &m.inputs[i]
		fromUs = fromUs || s.own[in.Address]
		if !in.Address.IsZero() && (payer == nil || in.Value > payer.Value) {
			payer = in
		}
	}
	for i := range m.outputs {
		out := &m.outputs[i]
		if s.own[out.Address] == fromUs || out.Address.IsZero() || out.Value == 0 {
			continue
		}
		e := breaker.Event{ID: name + "/" + strconv.Itoa(i), Amount: exposure.Decimal{Amount: ledger.NewAmount(out.Value)}}
		switch {
		case fromUs:
			to := s.notation.FormatAddress(out.Address)
			e.Route, e.Sender, e.Receiver = ">"+asset, to, to
		case payer != nil:
			e.Route, e.Sender = asset+">", s.notation.FormatAddress(payer.Address)
		default: // the ledger does not go back to who paid
			e.Route, e.Sender, e.Unknown = asset+">", "unknown payer of "+name, true
		}
		list = append(list, e)
	}
	return list
}
