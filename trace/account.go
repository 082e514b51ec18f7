package trace

import (
	"context"
	"maps"
	"slices"

	"coldtrail/ledger"
	"coldtrail/store"
	"coldtrail/taint"
)

// accountWalk is one pass over one account chain.
type accountWalk struct {
	*plan
	store   Store
	ahead   *ahead // nil where the store is near
	c       *chainPlan
	state   *taint.Accounts
	credits map[store.TxNumber][]taint.Credit
	news    []ledger.Address // addresses that began to hold taint in the last step
	listed  map[ledger.Address]bool
	queue   *txQueue
	given   *inflow
	starts  []store.TxNumber
	at      store.TxNumber // the transaction that is applied
	r       *record
}

func (p *plan) newAccountWalk(ctx context.Context, c *chainPlan, r *record, given *inflow) *accountWalk {
	w := &accountWalk{plan: p, c: c, credits: map[store.TxNumber][]taint.Credit{}, listed: map[ledger.Address]bool{}, given: given, r: r}
	w.store, w.ahead = p.askAhead()
	hooks := taint.AccountHooks{
		Opening:  w.opening(ctx),
		Terminal: func(a ledger.Address) (taint.Terminal, bool) { return p.terminal(c, r, uint64(w.at), a, given) },
		Deposit:  p.deposit(c, r),
		Cross:    r.crossedBy(c),
		Watch:    func(a ledger.Address) { w.news = append(w.news, a) },
		Rebases:  func(a ledger.Asset) bool { return rebasing[a] },
	}
	w.state = taint.NewAccounts(c.chain, taint.NewPool(p.method(), p.palette), p.rules, r, hooks)
	w.starts = append(slices.Clone(c.starts), p.arrivals(c.chain, given)...)
	for i := range given.links {
		if l := &p.links[i]; l.to == c && len(given.links[i].lots) > 0 {
			w.credits[l.before] = append(w.credits[l.before], taint.Credit{To: l.far, Lots: given.links[i].lots, From: given.links[i].from, By: l.source.By})
			w.starts = append(w.starts, l.before)
		}
	}
	return w
}

// run walks from the first theft on, or goes on where another walk ended.
func (w *accountWalk) run(ctx context.Context, from *mark) error {
	if from == nil {
		if len(w.starts) == 0 {
			return nil
		}
		if w.options.Mode == Targeted {
			return w.targeted(ctx, 0)
		}
		movements, err := w.store.Movements(ctx, w.c.chain, []store.TxNumber{slices.Min(w.starts)})
		if err != nil {
			return err
		}
		return w.streaming(ctx, movements[0].Height)
	}
	w.state.Restore(from.accounts)
	w.starts = slices.DeleteFunc(w.starts, func(n store.TxNumber) bool { return n < from.end })
	if w.c.to.Height-from.height <= nearBlocks {
		w.listed = maps.Clone(from.listed)
		return w.streaming(ctx, from.height+1)
	}
	for address := range from.listed {
		w.news = append(w.news, address)
	}
	return w.targeted(ctx, from.end)
}

func (w *accountWalk) save(m *mark) {
	m.accounts, m.listed = w.state.Save(), maps.Clone(w.listed)
	for _, address := range w.news { // of blocks that were streamed
		m.listed[address] = true
	}
}

// hold records what is held at the end; what the issuer of a token has frozen is so.
func (w *accountWalk) hold(ctx context.Context) error {
	r := w.r
	var questions []store.HoldingAt
	w.state.Held(func(h taint.Holding, _ []taint.Lot) {
		if h.Asset != w.c.chain.Native() {
			questions = append(questions, store.HoldingAt{Holding: store.Holding(h), Before: w.c.end})
		}
	})
	balances, err := w.store.Balances(ctx, w.c.chain, questions)
	if err != nil {
		return err
	}
	frozen := map[store.Holding]bool{}
	for i := range balances {
		if balances[i].Frozen {
			frozen[questions[i].Holding] = true
		}
	}
	w.state.Held(func(h taint.Holding, lots []taint.Lot) {
		kind := taint.Held
		if frozen[store.Holding(h)] {
			kind = taint.Frozen
		}
		r.holdAccount(w.c, h, kind, lots)
	})
	return nil
}

// rebasing lists tokens whose balances change without transfer events.
var rebasing = map[ledger.Asset]bool{
	"eip155:1/erc20:0xae7ab96520de3a18e5e111b5eaab095312d7fe84": true, // Lido stETH: daily oracle report
}

func (w *accountWalk) opening(ctx context.Context) taint.OpeningFunc {
	return func(h taint.Holding, before uint64) (taint.Opening, error) {
		question := store.HoldingAt{Holding: store.Holding{Address: h.Address, Asset: h.Asset}, Before: store.TxNumber(before)}
		balances, err := w.store.Balances(ctx, w.c.chain, []store.HoldingAt{question})
		if err != nil {
			return taint.Opening{}, err
		}
		return taint.Opening{Amount: balances[0].Amount, Known: balances[0].Known}, nil
	}
}

// streaming applies every block from one on.
func (w *accountWalk) streaming(ctx context.Context, first ledger.Height) error {
	headers := map[ledger.Height]store.TxNumber{}
	for header, err := range w.store.Headers(ctx, w.c.chain, first) {
		if err != nil {
			return err
		}
		headers[header.Height] = header.FirstTx
	}
	for block, err := range w.store.Blocks(ctx, w.c.chain, first, w.c.to.Height) {
		if err != nil {
			return err
		}
		for i := range block.Txs {
			number := headers[block.Height] + store.TxNumber(i)
			if err := w.apply(number, block.Height, block.Time, &block.Txs[i]); err != nil {
				return err
			}
		}
		w.tell(w.c, first, block.Height)
	}
	return nil
}

// targeted visits only transactions that touch addresses while they hold taint.
func (w *accountWalk) targeted(ctx context.Context, from store.TxNumber) error {
	w.queue = newTxQueue(w.starts)
	if err := w.list(ctx, from); err != nil {
		return err
	}
	var done stride
	for w.queue.Len() > 0 {
		if err := w.lookAhead(ctx); err != nil {
			return err
		}
		number := w.queue.pop()
		movements, err := w.store.Movements(ctx, w.c.chain, []store.TxNumber{number})
		if err != nil {
			return err
		}
		m := &movements[0]
		if err := w.apply(number, m.Height, m.Time, &m.Tx); err != nil {
			return err
		}
		if err := w.list(ctx, number+1); err != nil {
			return err
		}
		done.step(w.plan, w.c, m.Height)
	}
	done.step(w.plan, w.c, w.c.to.Height)
	return nil
}

// list queues everything that touches the addresses new since the last step from a
// transaction on, in one question.
func (w *accountWalk) list(ctx context.Context, from store.TxNumber) error {
	var questions []store.Since
	for _, address := range w.news {
		if !w.listed[address] {
			w.listed[address] = true
			questions = append(questions, store.Since{Address: address, From: from})
		}
	}
	w.news = w.news[:0]
	if len(questions) == 0 {
		return nil
	}
	histories, err := w.store.History(ctx, w.c.chain, questions)
	if err != nil {
		return err
	}
	for _, touches := range histories {
		for _, touch := range touches {
			if touch.Tx < w.c.end {
				w.queue.push(touch.Tx)
			}
		}
	}
	return nil
}

// apply moves lots through a transaction, if it concerns any.
func (w *accountWalk) apply(number store.TxNumber, height ledger.Height, time int64, tx *ledger.Tx) error {
	step := taint.Step{
		Moment: taint.Moment{Number: uint64(number), Height: height, Time: time},
		Tx:     tx, Claims: w.c.transfers[number], Credits: w.credits[number], Payouts: w.paidIn(w.c.chain, number, w.given),
	}
	if w.at = number; !w.state.Concerns(&step) {
		return nil
	}
	step.Deposits = w.bridges.depositsIn(w.c.chain, number, w.given)
	w.r.spoke = w.r.spoke || len(tx.Messages) > 0
	w.r.visit(w.c.chain, number)
	return w.state.Apply(&step)
}
