package attribution

import (
	"context"
	"slices"

	"coldtrail/attribution/behaviour"
	"coldtrail/attribution/coinjoin"
	"coldtrail/ledger"
	"coldtrail/store"
)

const (
	askedAtOnce = 16 // addresses whose histories are held at a time
	readAtOnce  = 256
	// touchesPerTx bounds what is asked of one address: on UTXO chains a transaction may
	// touch it many times.
	touchesPerTx = 8
)

// record lists the transactions of the subject before the cut-off. Where there are too
// many, it ends early for all addresses alike: up to there it is complete, which
// balances need.
func (c *conduct) record(ctx context.Context) ([]store.TxNumber, error) {
	numbers, until, err := c.touching(ctx, c.out.Own, c.bound.Transactions)
	if err != nil {
		return nil, err
	}
	if len(numbers) == 0 {
		return nil, ErrNoRecord
	}
	if until < c.end {
		ids, err := c.store.IDs(ctx, c.chain, []store.TxNumber{until})
		if err != nil {
			return nil, err
		}
		c.leaveOut("transaction %s and what came after it: at most %d transactions are read", c.chain.FormatHash(ids[0]), c.bound.Transactions)
	}
	return numbers, nil
}

// touching lists the earliest transactions of addresses, at most so many, and the first
// of theirs that it does not list; the cut-off where it lists all.
func (c *conduct) touching(ctx context.Context, addresses []ledger.Address, most int) (numbers []store.TxNumber, until store.TxNumber, err error) {
	until = c.end
	for chunk := range slices.Chunk(addresses, askedAtOnce) {
		questions := make([]store.Since, len(chunk))
		for i, a := range chunk {
			questions[i] = store.Since{Address: a, Limit: touchesPerTx*most + 1}
		}
		histories, err := c.store.History(ctx, c.chain, questions)
		if err != nil {
			return nil, until, err
		}
		for _, history := range histories {
			if len(history) > touchesPerTx*most {
				until = min(until, history[len(history)-1].Tx)
			}
			for i := range history {
				if n := len(numbers); n == 0 || numbers[n-1] != history[i].Tx {
					numbers = append(numbers, history[i].Tx)
				}
			}
		}
		slices.Sort(numbers)
		numbers = slices.Compact(numbers)
		if len(numbers) > most {
			until = min(until, numbers[most])
		}
		at, _ := slices.BinarySearch(numbers, until)
		numbers = numbers[:at]
	}
	return numbers, until, nil
}

// steps reads the subject's transactions with what is known of the other sides.
func (c *conduct) steps(ctx context.Context, numbers []store.TxNumber) ([]behaviour.Step, error) {
	var all []behaviour.Step
	for chunk := range slices.Chunk(numbers, readAtOnce) {
		steps, err := c.read(ctx, chunk, c.own)
		if err != nil {
			return nil, err
		}
		if err := c.label(ctx, steps); err != nil {
			return nil, err
		}
		for i := range steps {
			steps[i].Toward = c.o.Toward[steps[i].Tx]
		}
		all = append(all, steps...)
		if c.parts > maxParts && len(all) < len(numbers) {
			c.leaveOut("what came after transaction %s: at most %d movements, inputs and outputs are held", c.chain.FormatHash(all[len(all)-1].Tx), maxParts)
			return all, nil
		}
		if c.o.Progress != nil {
			c.o.Progress(uint64(len(all)), uint64(len(numbers)))
		}
	}
	return all, nil
}

// read reads transactions as steps of a subject, without labels.
func (c *conduct) read(ctx context.Context, numbers []store.TxNumber, own map[ledger.Address]bool) ([]behaviour.Step, error) {
	if c.chain.Family() == ledger.Account {
		return c.movements(ctx, numbers, own)
	}
	txs, err := Resolved(ctx, c.store, c.chain, numbers)
	if err != nil {
		return nil, err
	}
	steps := make([]behaviour.Step, len(txs))
	for i, tx := range txs {
		steps[i] = c.spend(tx, own)
		c.parts += len(tx.Inputs) + len(tx.Outputs)
	}
	return steps, nil
}

// spend is a UTXO transaction as a step.
func (c *conduct) spend(tx *ledger.Resolved, own map[ledger.Address]bool) behaviour.Step {
	step := behaviour.Step{Chain: c.chain, Tx: tx.ID, Height: tx.Height, Index: tx.Index, Time: tx.Time, Mix: c.mix(tx)}
	step.In, step.Out = c.sides(tx.Inputs, own), c.sides(tx.Outputs, own)
	var in, out ledger.Amount // sums of 64 bits do not overflow 256
	known := !tx.Coinbase
	for i := range step.In {
		known = known && !step.In[i].Amount.IsZero()
		in.Add(&in, &step.In[i].Amount)
	}
	for i := range step.Out {
		out.Add(&out, &step.Out[i].Amount)
	}
	if known && !out.Gt(&in) {
		step.Fee.Sub(&in, &out)
	}
	return step
}

func (c *conduct) sides(list []ledger.Output, own map[ledger.Address]bool) []behaviour.Part {
	parts := make([]behaviour.Part, len(list))
	for i := range list {
		o := &list[i]
		parts[i] = behaviour.Part{Party: behaviour.Party{Address: o.Address, Own: own[o.Address]}, Asset: c.chain.Native(), Amount: ledger.NewAmount(o.Value)}
	}
	return parts
}

// mix names the protocol of a coinjoin; it is empty where a transaction is none.
func (c *conduct) mix(tx *ledger.Resolved) string {
	judged := *tx
	judged.Height = coinjoin.Height(c.chain, tx.Height)
	f, ok := coinjoin.Recognise(&judged)
	switch {
	case !ok || f.Confidence < coinjoin.Threshold || f.Entry:
		return ""
	case f.Rule.Protocol == "unknown":
		return "an unknown protocol"
	}
	return f.Rule.Protocol
}

// movements reads account transactions as steps.
func (c *conduct) movements(ctx context.Context, numbers []store.TxNumber, own map[ledger.Address]bool) ([]behaviour.Step, error) {
	list, err := placed(ctx, c.store, c.chain, numbers)
	if err != nil {
		return nil, err
	}
	steps := make([]behaviour.Step, len(list))
	for i := range list {
		tx := list[i].Tx
		steps[i] = behaviour.Step{Chain: c.chain, Tx: tx.ID, Height: list[i].Height, Index: tx.Index, Time: list[i].Time, Sender: tx.Fee.Payer}
		if _, overflow := steps[i].Fee.AddOverflow(&tx.Fee.Burned, &tx.Fee.Tip); overflow {
			steps[i].Fee.SetAllOne()
		}
		transfers := tx.Transfers
		if tx.Failed { // only its fee moves
			transfers = nil
		}
		steps[i].Moves = make([]behaviour.Move, len(transfers))
		for j := range transfers {
			t := &transfers[j]
			steps[i].Moves[j] = behaviour.Move{
				From: behaviour.Party{Address: t.From, Own: own[t.From]}, To: behaviour.Party{Address: t.To, Own: own[t.To]}, Asset: t.Asset, Amount: t.Amount,
			}
		}
		c.parts += len(transfers)
	}
	return steps, nil
}

// openings are the balances that sources state for the moment before the record begins,
// of what the record moves.
func (c *conduct) openings(ctx context.Context, numbers []store.TxNumber, steps []behaviour.Step) ([]ledger.Opening, error) {
	if c.chain.Family() == ledger.UTXO || len(steps) == 0 {
		return nil, nil
	}
	var questions []store.HoldingAt
	asked := map[store.Holding]bool{}
	ask := func(p *behaviour.Party, asset ledger.Asset) {
		h := store.Holding{Address: p.Address, Asset: asset}
		if p.Own && c.counts(asset) && !asked[h] {
			asked[h] = true
			questions = append(questions, store.HoldingAt{Holding: h, Before: numbers[0]})
		}
	}
	for i := range steps {
		for j := range steps[i].Moves {
			m := &steps[i].Moves[j]
			ask(&m.From, m.Asset)
			ask(&m.To, m.Asset)
		}
		ask(&behaviour.Party{Address: steps[i].Sender, Own: c.own[steps[i].Sender]}, c.chain.Native())
	}
	balances, err := c.store.Balances(ctx, c.chain, questions)
	if err != nil {
		return nil, err
	}
	var list []ledger.Opening
	for i := range balances {
		if b := &balances[i]; b.Known && !b.Amount.IsZero() {
			list = append(list, ledger.Opening{Address: questions[i].Address, Asset: questions[i].Asset, Amount: b.Amount})
		}
	}
	return list, nil
}

// counts says that an asset is the chain's own or a token listed as real.
func (c *conduct) counts(asset ledger.Asset) bool {
	return asset == c.chain.Native() || c.o.Parameters.Listed[asset]
}

// real says that an amount of an asset is more than nothing and dust.
func (c *conduct) real(asset ledger.Asset, amount *ledger.Amount) bool {
	dust := c.o.Parameters.Limits[asset].Dust
	return c.counts(asset) && amount.Gt(&dust) && !amount.IsZero()
}
