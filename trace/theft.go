package trace

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"coldtrail/ledger"
	"coldtrail/store"
	"coldtrail/taint"
)

// addTheft resolves one theft to the outputs or transfers that take its colour.
func (p *plan) addTheft(ctx context.Context, c *chainPlan, name string, t *Theft) error {
	asset, err := c.asset(t.Asset)
	if err != nil {
		return err
	}
	class, err := p.class(name, c, asset)
	if err != nil {
		return err
	}
	var total ledger.Amount
	if c.chain.Family() == ledger.UTXO {
		total, err = p.stealOutputs(ctx, c, class, t)
	} else {
		total, err = p.stealTransfers(ctx, c, class, asset, t)
	}
	if err != nil || t.Amount == "" {
		return err
	}
	stated, err := ledger.ParseAmount(t.Amount)
	if err != nil {
		return err
	}
	if !stated.Eq(&total) {
		return fmt.Errorf("amount says %s, the chain says %s", t.Amount, total.Dec())
	}
	return nil
}

// stealOutputs resolves a theft on a UTXO chain.
func (p *plan) stealOutputs(ctx context.Context, c *chainPlan, class taint.Class, t *Theft) (total ledger.Amount, err error) {
	var numbers []store.OutputNumber
	switch {
	case t.Outpoint != "":
		numbers, err = p.outpoint(ctx, c, t.Outpoint)
	case t.Tx != "":
		numbers, err = p.outputsOf(ctx, c, t)
	case t.Address != "":
		numbers, err = p.received(ctx, c, t)
	default:
		err = errors.New("transfer is for account chains; name the outpoint")
	}
	if err != nil {
		return total, err
	}
	outputs, err := p.store.Outputs(ctx, c.chain, numbers)
	if err != nil {
		return total, err
	}
	for i := range outputs {
		value := ledger.NewAmount(outputs[i].Value)
		total.Add(&total, &value)
		c.outputs[outputs[i].Number] = append(c.outputs[outputs[i].Number], class)
		c.starts = append(c.starts, outputs[i].Tx)
		c.thefts[outputs[i].Tx] = append(c.thefts[outputs[i].Tx], theftPart{uint64(outputs[i].Number), class})
	}
	if total.IsZero() {
		return total, errors.New("nothing was stolen there: the outputs are worth 0")
	}
	return total, nil
}

func (p *plan) outpoint(ctx context.Context, c *chainPlan, text string) ([]store.OutputNumber, error) {
	txid, vout, ok := cutLast(text)
	index, err := strconv.ParseUint(vout, 10, 32)
	if !ok || err != nil {
		return nil, fmt.Errorf("outpoint %q: want TXID:VOUT", text)
	}
	if _, err := p.findTx(ctx, c, txid); err != nil {
		return nil, err
	}
	id, err := ledger.ParseHash(txid)
	if err != nil {
		return nil, err
	}
	numbers, err := p.store.Numbers(ctx, c.chain, []ledger.Outpoint{{Tx: id, Index: uint32(index)}})
	if err != nil {
		return nil, err
	}
	if numbers[0] == store.NoOutput {
		return nil, fmt.Errorf("transaction %s has no output %d", txid, index)
	}
	return numbers, nil
}

// outputsOf chooses among a transaction's outputs: those that pay To, or all.
func (p *plan) outputsOf(ctx context.Context, c *chainPlan, t *Theft) ([]store.OutputNumber, error) {
	if t.From != "" || t.LogIndex != nil {
		return nil, errors.New("from and log_index are for account chains; use to or outpoint")
	}
	number, err := p.findTx(ctx, c, t.Tx)
	if err != nil {
		return nil, err
	}
	txs, err := p.store.Transactions(ctx, c.chain, []store.TxNumber{number})
	if err != nil {
		return nil, err
	}
	var numbers []store.OutputNumber
	for i := range txs[0].Values {
		numbers = append(numbers, txs[0].FirstOutput+store.OutputNumber(i))
	}
	if t.To == "" {
		return numbers, nil
	}
	to, err := c.notation.ParseAddress(t.To)
	if err != nil {
		return nil, err
	}
	outputs, err := p.store.Outputs(ctx, c.chain, numbers)
	if err != nil {
		return nil, err
	}
	numbers = numbers[:0]
	for i := range outputs {
		if outputs[i].Address == to {
			numbers = append(numbers, outputs[i].Number)
		}
	}
	if len(numbers) == 0 {
		return nil, fmt.Errorf("transaction %s pays nothing to %s", t.Tx, t.To)
	}
	return numbers, nil
}

// received lists the outputs an address received between two moments.
func (p *plan) received(ctx context.Context, c *chainPlan, t *Theft) ([]store.OutputNumber, error) {
	touches, err := p.history(ctx, c, t)
	if err != nil {
		return nil, err
	}
	var numbers []store.OutputNumber
	for _, touch := range touches {
		if !touch.Spent {
			numbers = append(numbers, touch.Output)
		}
	}
	if len(numbers) == 0 {
		return nil, fmt.Errorf("address %s received nothing in that time", t.Address)
	}
	return numbers, nil
}

// history lists what touched the theft's address between its two moments.
func (p *plan) history(ctx context.Context, c *chainPlan, t *Theft) ([]store.Touch, error) {
	address, err := c.notation.ParseAddress(t.Address)
	if err != nil {
		return nil, err
	}
	from, err := p.boundary(ctx, c, t.Since, false)
	if err != nil {
		return nil, err
	}
	until, err := p.boundary(ctx, c, t.Until, true)
	if err != nil {
		return nil, err
	}
	histories, err := p.store.History(ctx, c.chain, []store.Since{{Address: address, From: from}})
	if err != nil {
		return nil, err
	}
	touches := histories[0]
	for i := range touches {
		if touches[i].Tx >= until {
			return touches[:i], nil
		}
	}
	return touches, nil
}

// boundary is the number of the first transaction at a moment, or, with after, of
// the first one behind it. An empty moment is the chain's start or end.
func (p *plan) boundary(ctx context.Context, c *chainPlan, text string, after bool) (store.TxNumber, error) { //nolint:revive // the two ends of one range
	if text == "" {
		if after {
			return c.end, nil
		}
		return 0, nil
	}
	before, err := beforeMoment(text, after)
	if err != nil {
		return 0, err
	}
	for header, err := range p.store.Headers(ctx, c.chain, c.status.First) {
		if err != nil {
			return 0, err
		}
		if !before(header) {
			return min(header.FirstTx, c.end), nil
		}
	}
	return c.end, nil
}

// beforeMoment says of a block whether it comes before a height, a time or a date.
func beforeMoment(text string, after bool) (func(store.Header) bool, error) { //nolint:revive // the two ends of one range
	if height, err := strconv.ParseUint(text, 10, 64); err == nil {
		if after {
			height++
		}
		return func(h store.Header) bool { return uint64(h.Height) < height }, nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02"} {
		moment, err := time.Parse(layout, text)
		if err != nil {
			continue
		}
		if after && layout == "2006-01-02" {
			moment = moment.Add(24*time.Hour - time.Second)
		}
		if after {
			moment = moment.Add(time.Second)
		}
		return func(h store.Header) bool { return h.Time < moment.Unix() }, nil
	}
	return nil, fmt.Errorf("moment %q: want RFC 3339, a date or a height", text)
}

// stealTransfers resolves a theft on an account chain.
func (p *plan) stealTransfers(ctx context.Context, c *chainPlan, class taint.Class, asset ledger.Asset, t *Theft) (total ledger.Amount, err error) {
	choose, numbers, err := p.chooseTransfers(ctx, c, asset, t)
	if err != nil {
		return total, err
	}
	movements, err := p.store.Movements(ctx, c.chain, numbers)
	if err != nil {
		return total, err
	}
	for i := range movements {
		m := &movements[i]
		if m.Tx.Failed {
			if t.Address == "" {
				return total, fmt.Errorf("transaction %s failed; it moved nothing", c.chain.FormatHash(m.Tx.ID))
			}
			continue
		}
		for j := range m.Tx.Transfers {
			transfer := &m.Tx.Transfers[j]
			if transfer.From == transfer.To || transfer.Amount.IsZero() || !choose(j, transfer) {
				continue
			}
			byIndex := c.transfers[m.Number]
			if byIndex == nil {
				byIndex = map[int][]taint.Class{}
				c.transfers[m.Number] = byIndex
			}
			byIndex[j] = append(byIndex[j], class)
			c.starts = append(c.starts, m.Number)
			c.thefts[m.Number] = append(c.thefts[m.Number], theftPart{uint64(j), class})
			total.Add(&total, &transfer.Amount)
		}
	}
	if total.IsZero() {
		return total, fmt.Errorf("no movement of %s there matches the theft", asset)
	}
	return total, nil
}

// chooseTransfers says in which transactions a theft is and which of their
// transfers it takes.
func (p *plan) chooseTransfers(ctx context.Context, c *chainPlan, asset ledger.Asset, t *Theft) (func(int, *ledger.Transfer) bool, []store.TxNumber, error) {
	switch {
	case t.Outpoint != "":
		return nil, nil, errors.New("outpoint is for UTXO chains; name the tx")
	case t.Address != "":
		return p.chooseReceived(ctx, c, asset, t)
	case t.Transfer != "":
		txid, position, ok := cutLast(t.Transfer)
		index, err := strconv.Atoi(position)
		if !ok || err != nil || index < 0 {
			return nil, nil, fmt.Errorf("transfer %q: want TX:N, the Nth movement from 0", t.Transfer)
		}
		number, err := p.findTx(ctx, c, txid)
		choose := func(i int, transfer *ledger.Transfer) bool { return i == index && transfer.Asset == asset }
		return choose, []store.TxNumber{number}, err
	}
	from, err := c.optional(t.From)
	if err != nil {
		return nil, nil, err
	}
	to, err := c.optional(t.To)
	if err != nil {
		return nil, nil, err
	}
	number, err := p.findTx(ctx, c, t.Tx)
	choose := func(_ int, transfer *ledger.Transfer) bool {
		return transfer.Asset == asset && (from.IsZero() || transfer.From == from) && (to.IsZero() || transfer.To == to) &&
			(t.LogIndex == nil || transfer.LogIndex == *t.LogIndex)
	}
	return choose, []store.TxNumber{number}, err
}

func (p *plan) chooseReceived(ctx context.Context, c *chainPlan, asset ledger.Asset, t *Theft) (func(int, *ledger.Transfer) bool, []store.TxNumber, error) {
	address, err := c.notation.ParseAddress(t.Address)
	if err != nil {
		return nil, nil, err
	}
	touches, err := p.history(ctx, c, t)
	if err != nil {
		return nil, nil, err
	}
	numbers := make([]store.TxNumber, len(touches))
	for i, touch := range touches {
		numbers[i] = touch.Tx
	}
	return func(_ int, transfer *ledger.Transfer) bool { return transfer.Asset == asset && transfer.To == address }, numbers, nil
}

// optional parses an address where one is given.
func (c *chainPlan) optional(text string) (ledger.Address, error) {
	if text == "" {
		return ledger.Address{}, nil
	}
	return c.notation.ParseAddress(text)
}
