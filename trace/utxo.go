package trace

import (
	"container/heap"
	"context"
	"slices"

	"coldtrail/attribution/coinjoin"
	"coldtrail/ledger"
	"coldtrail/store"
	"coldtrail/taint"
)

// utxoWalk is one pass over one UTXO chain.
type utxoWalk struct {
	*plan
	store Store
	ahead *ahead // nil where the store is near
	c     *chainPlan
	r     *record
	state *taint.UTXO
	spend taint.Spend
	queue *txQueue // transactions still to visit, when targeted
	ask   []store.OutputNumber
	given *inflow
	// starts are where value begins or arrives from elsewhere.
	starts []store.TxNumber
}

func (p *plan) newUTXOWalk(c *chainPlan, r *record, given *inflow) *utxoWalk {
	w := &utxoWalk{plan: p, c: c, r: r, given: given, state: taint.NewUTXO(c.chain, taint.NewPool(p.method(), p.palette), p.rules, r, r.crossedBy(c))}
	w.store, w.ahead = p.askAhead()
	w.starts = append(slices.Clone(c.starts), p.arrivals(c.chain, given)...)
	slices.Sort(w.starts)
	w.starts = slices.Compact(w.starts)
	return w
}

// run walks from the first theft on, or goes on where another walk ended.
func (w *utxoWalk) run(ctx context.Context, from *mark) error {
	if from == nil {
		if len(w.starts) == 0 {
			return nil
		}
		if w.options.Mode == Targeted {
			return w.targeted(ctx, nil)
		}
		first, err := w.heightOf(ctx, w.starts[0])
		if err != nil {
			return err
		}
		return w.streaming(ctx, first)
	}
	w.state.Restore(from.outputs)
	w.starts = slices.DeleteFunc(w.starts, func(n store.TxNumber) bool { return n < from.end })
	if w.c.to.Height-from.height <= nearBlocks {
		return w.streaming(ctx, from.height+1)
	}
	var held []store.OutputNumber
	w.state.Held(func(output uint64, _ []taint.Lot) { held = append(held, store.OutputNumber(output)) })
	return w.targeted(ctx, held)
}

func (w *utxoWalk) save(m *mark) { m.outputs = w.state.Save() }

func (w *utxoWalk) hold(context.Context) error {
	w.state.Held(func(output uint64, lots []taint.Lot) { w.r.holdOutput(w.c, output, lots) })
	return nil
}

// streaming applies every block from one on. A transaction without taint costs one look
// at a bitmap for each input.
func (w *utxoWalk) streaming(ctx context.Context, first ledger.Height) error {
	starts := w.starts
	for segment, err := range w.store.Segments(ctx, w.c.chain, first, w.c.to.Height) {
		if err != nil {
			return err
		}
		if starts, err = w.segment(ctx, segment, starts); err != nil {
			return err
		}
		w.tell(w.c, first, segment.First+ledger.Height(len(segment.BlockStart)-2))
	}
	return nil
}

// segment applies the blocks of a segment and returns the starts still ahead.
func (w *utxoWalk) segment(ctx context.Context, s *store.Segment, starts []store.TxNumber) ([]store.TxNumber, error) {
	for b := range len(s.BlockStart) - 1 {
		var err error
		if starts, err = w.block(ctx, s, b, starts); err != nil {
			return nil, err
		}
		if w.rules.Fees == taint.FeesFollow {
			first := s.FirstTx + store.TxNumber(s.BlockStart[b])
			if err := w.reward(ctx, first, uint64(s.BlockStart[b+1]-s.BlockStart[b])); err != nil {
				return nil, err
			}
		}
	}
	return starts, nil
}

// block applies one block of a segment, but its coinbase where that comes last
// because its fees follow.
func (w *utxoWalk) block(ctx context.Context, s *store.Segment, b int, starts []store.TxNumber) ([]store.TxNumber, error) {
	for i := s.BlockStart[b]; i < s.BlockStart[b+1]; i++ {
		number := s.FirstTx + store.TxNumber(i)
		wanted := len(starts) > 0 && starts[0] == number
		if wanted {
			starts = starts[1:]
		}
		if !wanted && !w.touches(s.Inputs[s.InputStart[i]:s.InputStart[i+1]]) || i == s.BlockStart[b] && w.rules.Fees == taint.FeesFollow {
			continue
		}
		if err := w.apply(ctx, number); err != nil {
			return nil, err
		}
	}
	return starts, nil
}

func (w *utxoWalk) touches(inputs []store.OutputNumber) bool {
	for _, input := range inputs {
		if w.state.Holds(uint64(input)) {
			return true
		}
	}
	return false
}

// targeted visits only transactions that make or spend tainted outputs, in chain
// order: every visit adds the spenders of what it tainted to the queue, which begins
// with the starts and the spenders of what is held already.
func (w *utxoWalk) targeted(ctx context.Context, held []store.OutputNumber) error {
	w.queue = newTxQueue(w.starts)
	if err := w.queueSpenders(ctx, held); err != nil {
		return err
	}
	var done stride
	for w.queue.Len() > 0 {
		if err := w.lookAhead(ctx); err != nil {
			return err
		}
		number := w.queue.pop()
		if w.rules.Fees == taint.FeesFollow {
			if err := w.visitBlock(ctx, number); err != nil {
				return err
			}
		} else if err := w.visit(ctx, number); err != nil {
			return err
		}
		done.step(w.plan, w.c, w.spend.Height)
	}
	done.step(w.plan, w.c, w.c.to.Height)
	return nil
}

// visit applies a transaction and queues the spenders of what it tainted.
func (w *utxoWalk) visit(ctx context.Context, number store.TxNumber) error {
	if err := w.apply(ctx, number); err != nil {
		return err
	}
	return w.follow(ctx)
}

// follow queues the spenders of the outputs the last transaction tainted.
func (w *utxoWalk) follow(ctx context.Context) error {
	w.ask = w.ask[:0]
	for i := range w.spend.Outputs {
		if output := w.spend.First + uint64(i); w.state.Holds(output) {
			w.ask = append(w.ask, store.OutputNumber(output))
		}
	}
	return w.queueSpenders(ctx, w.ask)
}

func (w *utxoWalk) queueSpenders(ctx context.Context, held []store.OutputNumber) error {
	if len(held) == 0 {
		return nil
	}
	outputs, err := w.store.Outputs(ctx, w.c.chain, held)
	if err != nil {
		return err
	}
	for i := range outputs {
		if spender := outputs[i].Spender; spender != store.NoTx && spender < w.c.end {
			w.queue.push(spender)
		}
	}
	return nil
}

// visitBlock visits the queued transactions of one block, its coinbase last,
// because it may receive their fees.
func (w *utxoWalk) visitBlock(ctx context.Context, number store.TxNumber) error {
	header, err := w.headerOf(ctx, number)
	if err != nil {
		return err
	}
	last := header.FirstTx + store.TxNumber(header.Txs)
	for {
		if number != header.FirstTx {
			if err := w.visit(ctx, number); err != nil {
				return err
			}
		}
		if w.queue.Len() == 0 || w.queue.numbers[0] >= last {
			break
		}
		if err := w.lookAhead(ctx); err != nil {
			return err
		}
		number = w.queue.pop()
	}
	if err := w.reward(ctx, header.FirstTx, uint64(header.Txs)); err != nil {
		return err
	}
	return w.follow(ctx)
}

// apply loads a transaction and moves lots through it.
func (w *utxoWalk) apply(ctx context.Context, number store.TxNumber) error {
	if err := w.load(ctx, number); err != nil {
		return err
	}
	w.state.Apply(&w.spend)
	return nil
}

// load fills w.spend.
func (w *utxoWalk) load(ctx context.Context, number store.TxNumber) error {
	txs, err := w.store.Transactions(ctx, w.c.chain, []store.TxNumber{number})
	if err != nil {
		return err
	}
	tx := &txs[0]
	w.spend.Moment = taint.Moment{Number: uint64(number), Height: tx.Height, Time: tx.Time}
	w.spend.Coinbase = tx.Coinbase
	w.spend.First = uint64(tx.FirstOutput)
	w.spend.Inputs = slices.Grow(w.spend.Inputs[:0], len(tx.Inputs))[:len(tx.Inputs)]
	for i := range tx.Inputs {
		in := &tx.Inputs[i]
		w.spend.Inputs[i] = taint.SpentOutput{Output: uint64(in.Output), Value: in.Value, Unknown: in.Output == store.NoOutput}
	}
	w.spend.Outputs = slices.Grow(w.spend.Outputs[:0], len(tx.Values))[:len(tx.Values)]
	for i := range tx.Values {
		claims := w.c.outputs[tx.FirstOutput+store.OutputNumber(i)]
		w.spend.Outputs[i] = taint.NewOutput{Value: tx.Values[i], Unspendable: tx.Unspendable[i], Claims: claims}
		w.r.spoke = w.r.spoke || tx.Unspendable[i] || w.accountsHeld // another chain's event may name this transaction
	}
	w.cross(number)
	return w.findTerminals(ctx, tx)
}

// cross marks the outputs by which value enters or leaves a bridge, and those that
// carry a memo.
func (w *utxoWalk) cross(number store.TxNumber) {
	if w.bridges == nil {
		return
	}
	w.r.visit(w.c.chain, number)
	for _, i := range w.bridges.carriers[w.c.chain][number] {
		w.spend.Outputs[i].Unspendable = true
	}
	deposits := w.bridges.depositsIn(w.c.chain, number, w.given)
	for i := range deposits {
		w.spend.Outputs[w.bridges.crossings[deposits[i].Crossing].Output].Deposit = &deposits[i]
	}
	paid := w.paidIn(w.c.chain, number, w.given)
	for i := range paid {
		w.spend.Outputs[paid[i].Transfer].Payout = &paid[i]
	}
}

// findTerminals looks the owners of a transaction's outputs up, where any address of the
// chain is a terminal, and those of its inputs too, where it may be a coinjoin.
func (w *utxoWalk) findTerminals(ctx context.Context, tx *store.Transaction) error {
	mixes := w.options.CoinJoins == CoinJoinsEnd && coinjoin.Possible(len(tx.Inputs), tx.Values)
	if len(w.c.terminals) == 0 && w.options.Terminals == nil && w.bridges == nil && !mixes && w.r.reach == nil {
		return nil
	}
	w.ask = w.ask[:0]
	for i := range tx.Values {
		w.ask = append(w.ask, tx.FirstOutput+store.OutputNumber(i))
	}
	outputs, err := w.store.Outputs(ctx, w.c.chain, w.ask)
	if err != nil {
		return err
	}
	for i := range outputs {
		w.spend.Outputs[i].Address = outputs[i].Address
		if terminal, ok := w.terminal(w.c, w.r, w.spend.Number, outputs[i].Address, w.given); ok && len(w.spend.Outputs[i].Claims) == 0 {
			w.spend.Outputs[i].Terminal = &terminal
		}
	}
	if mixes {
		return w.findMixed(ctx, tx, outputs)
	}
	return nil
}

// findMixed lets value end at the equal outputs of a coinjoin.
func (w *utxoWalk) findMixed(ctx context.Context, tx *store.Transaction, outputs []store.Output) error {
	resolved, err := w.resolve(ctx, tx, outputs)
	if err != nil {
		return err
	}
	found, ok := coinjoin.Recognise(resolved)
	if !ok || found.Confidence < coinjoin.Threshold {
		return nil
	}
	for _, i := range found.Mixed {
		if out := &w.spend.Outputs[i]; out.Terminal == nil && len(out.Claims) == 0 {
			out.Terminal = &taint.Terminal{Kind: taint.Mixer, Entity: found.Rule.Protocol + " coinjoin " + resolved.ID.String()}
		}
	}
	return nil
}

// resolve puts a transaction together with what it spends.
func (w *utxoWalk) resolve(ctx context.Context, tx *store.Transaction, outputs []store.Output) (*ledger.Resolved, error) {
	ids, err := w.store.IDs(ctx, w.c.chain, []store.TxNumber{tx.Number})
	if err != nil {
		return nil, err
	}
	r := &ledger.Resolved{
		ID: ids[0], Height: coinjoin.Height(w.c.chain, tx.Height), Index: tx.Index, Time: tx.Time, Coinbase: tx.Coinbase, Inputs: make([]ledger.Output, len(tx.Inputs)),
	}
	for i := range outputs {
		r.Outputs = append(r.Outputs, ledger.Output{Value: outputs[i].Value, Address: outputs[i].Address, Unspendable: outputs[i].Unspendable})
	}
	w.ask = w.ask[:0]
	for i := range tx.Inputs {
		if tx.Inputs[i].Output != store.NoOutput {
			w.ask = append(w.ask, tx.Inputs[i].Output)
		}
	}
	spent, err := w.store.Outputs(ctx, w.c.chain, w.ask)
	if err != nil {
		return nil, err
	}
	for i := range tx.Inputs {
		if tx.Inputs[i].Output != store.NoOutput {
			r.Inputs[i] = ledger.Output{Value: spent[0].Value, Address: spent[0].Address}
			spent = spent[1:]
		}
	}
	return r, nil
}

// reward applies a block's coinbase once its other transactions are done.
func (w *utxoWalk) reward(ctx context.Context, first store.TxNumber, count uint64) error {
	if !w.state.TaintedFees() {
		if _, claimed := slices.BinarySearch(w.starts, first); claimed {
			return w.apply(ctx, first)
		}
		return nil
	}
	numbers := make([]store.TxNumber, 0, count)
	for i := uint64(1); i < count; i++ {
		numbers = append(numbers, first+store.TxNumber(i))
	}
	txs, err := w.store.Transactions(ctx, w.c.chain, numbers)
	if err != nil {
		return err
	}
	fees := make([]taint.PaidFee, len(txs))
	for i := range txs {
		fees[i] = taint.PaidFee{Number: uint64(txs[i].Number), Value: feeOf(&txs[i])}
	}
	if err := w.load(ctx, first); err != nil {
		return err
	}
	subsidy := uint64(0)
	if w.options.Subsidy != nil {
		subsidy = w.options.Subsidy(w.c.chain, w.spend.Height)
	}
	w.state.Reward(&w.spend, subsidy, fees)
	return nil
}

// feeOf is inputs less outputs; 0 where an input's value is unknown.
func feeOf(tx *store.Transaction) uint64 {
	var in, out uint64
	for i := range tx.Inputs {
		if tx.Inputs[i].Output == store.NoOutput {
			return 0
		}
		in += tx.Inputs[i].Value
	}
	for _, value := range tx.Values {
		out += value
	}
	if in < out {
		return 0
	}
	return in - out
}

func (w *utxoWalk) heightOf(ctx context.Context, number store.TxNumber) (ledger.Height, error) {
	txs, err := w.store.Transactions(ctx, w.c.chain, []store.TxNumber{number})
	if err != nil {
		return 0, err
	}
	return txs[0].Height, nil
}

func (w *utxoWalk) headerOf(ctx context.Context, number store.TxNumber) (store.Header, error) {
	height, err := w.heightOf(ctx, number)
	if err != nil {
		return store.Header{}, err
	}
	for header, err := range w.store.Headers(ctx, w.c.chain, height) {
		return header, err
	}
	return store.Header{}, store.ErrUnknownChain
}

// txQueue yields transaction numbers in order, each once.
type txQueue struct {
	numbers numberHeap
	last    store.TxNumber
	any     bool
}

func newTxQueue(starts []store.TxNumber) *txQueue {
	q := &txQueue{numbers: slices.Clone(starts)}
	heap.Init(&q.numbers)
	return q
}

// Len is how many numbers wait, duplicates of the next included.
func (q *txQueue) Len() int {
	for len(q.numbers) > 0 && q.any && q.numbers[0] <= q.last {
		heap.Pop(&q.numbers)
	}
	return len(q.numbers)
}

func (q *txQueue) push(n store.TxNumber) { heap.Push(&q.numbers, n) }

func (q *txQueue) pop() store.TxNumber {
	n, _ := heap.Pop(&q.numbers).(store.TxNumber)
	q.last, q.any = n, true
	return n
}

// next gives the first numbers that wait, each once. They stay.
func (q *txQueue) next(most int) (first []store.TxNumber) {
	for rest := slices.Clone(q.numbers); len(rest) > 0 && len(first) < most; {
		if n, _ := heap.Pop(&rest).(store.TxNumber); len(first) == 0 || n != first[len(first)-1] {
			first = append(first, n)
		}
	}
	return first
}

type numberHeap []store.TxNumber

func (h numberHeap) Len() int           { return len(h) }
func (h numberHeap) Less(i, j int) bool { return h[i] < h[j] }
func (h numberHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }

// Push appends; package heap calls it.
func (h *numberHeap) Push(x any) {
	n, _ := x.(store.TxNumber)
	*h = append(*h, n)
}

// Pop takes the last; package heap calls it.
func (h *numberHeap) Pop() any {
	old := *h
	n := old[len(old)-1]
	*h = old[:len(old)-1]
	return n
}
