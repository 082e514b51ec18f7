package clickhouse

import (
	"context"
	"fmt"
	"iter"
	"slices"

	"coldtrail/ledger"
	"coldtrail/store"
)

// A parent is where a transaction lies, and which outputs of its block are its own.
type parent struct {
	id             ledger.Hash
	height         uint64
	position       uint32
	first, outputs uint32
}

// identified gives the transactions with some identifiers, each identifier's in chain order.
func (v *view) identified(ctx context.Context, ids []string) (found []parent, err error) {
	t := v.trip()
	ask(t, about(v.store, ids, v.store.byText, func(piece []string) string {
		return "SELECT id, height, position, first_output, outputs FROM " + v.store.t("ids") + v.where("id IN "+list(piece, quote))
	}), func(r scanned) (p parent, err error) {
		return p, r.Scan((*[32]byte)(&p.id), &p.height, &p.position, &p.first, &p.outputs)
	}, &found)
	if err := t.run(ctx); err != nil {
		return nil, err
	}
	slices.SortFunc(found, func(a, b parent) int {
		return compareSeats(seat{a.height, a.position}, seat{b.height, b.position})
	})
	return found, nil
}

// newestByID keeps the last transaction of each identifier (BIP-30).
func newestByID(found []parent) map[ledger.Hash]parent {
	byID := make(map[ledger.Hash]parent, len(found))
	for _, p := range found {
		byID[p.id] = p
	}
	return byID
}

// A fate is an output and what has become of it.
type fate struct {
	seat
	position    uint32 // of the transaction that made it
	vout        uint32
	value       uint64
	address     string
	unspendable bool
	overwritten bool
	spender     seat
}

// noSeat stands for nobody.
var noSeat = seat{height: nowhere}

// fates describes outputs; all must be held. More may be asked in the same round trip.
func (v *view) fates(ctx context.Context, wanted []seat, also func(*trip)) (map[seat]fate, error) {
	slices.SortFunc(wanted, compareSeats)
	wanted = slices.Compact(wanted)
	type spend struct {
		output, spender seat
		overwritten     uint8
	}
	var outputs []fate
	var spends []spend
	t := v.trip()
	of := func(s seat) int { return v.store.byHeight(s.height) }
	ask(t, about(v.store, wanted, of, func(piece []seat) string {
		return "SELECT height, output, position, vout, value, address, unspendable FROM " + v.store.t("outputs") + v.where(within("height", piece)+" AND (height, output) IN "+seats(piece))
	}), func(r scanned) (f fate, err error) {
		var unspendable uint8
		err = r.Scan(&f.height, &f.at, &f.position, &f.vout, &f.value, &f.address, &unspendable)
		f.unspendable, f.spender = unspendable == 1, noSeat
		return f, err
	}, &outputs)
	ask(t, about(v.store, wanted, of, func(piece []seat) string {
		return "SELECT made, output, height, position, overwritten FROM " + v.store.t("spends") + v.where(within("made", piece)+" AND (made, output) IN "+seats(piece))
	}), func(r scanned) (s spend, err error) {
		return s, r.Scan(&s.output.height, &s.output.at, &s.spender.height, &s.spender.at, &s.overwritten)
	}, &spends)
	if also != nil {
		also(t)
	}
	if err := t.run(ctx); err != nil {
		return nil, err
	}
	byPlace := make(map[seat]fate, len(outputs))
	for _, f := range outputs {
		byPlace[f.seat] = f
	}
	if len(byPlace) != len(wanted) {
		return nil, fmt.Errorf("%w: %d of %d outputs are missing", store.ErrCorrupt, len(wanted)-len(byPlace), len(wanted))
	}
	for _, s := range spends {
		f := byPlace[s.output]
		if s.overwritten == 1 {
			f.overwritten = true
		} else {
			f.spender = s.spender
		}
		byPlace[s.output] = f
	}
	return byPlace, nil
}

// within narrows a question to the heights that a list of places spans, so that a server
// leaves out whole partitions.
func within(column string, sorted []seat) string {
	return fmt.Sprintf("%[1]s >= %[2]d AND %[1]s <= %[3]d", column, sorted[0].height, sorted[len(sorted)-1].height)
}

// Numbers resolves outpoints.
func (s *Store) Numbers(ctx context.Context, chain ledger.Chain, outpoints []ledger.Outpoint) ([]store.OutputNumber, error) {
	v, err := s.view(ctx, chain)
	if err != nil {
		return nil, err
	}
	ids := map[string]bool{}
	for i := range outpoints {
		ids[string(outpoints[i].Tx[:])] = true
	}
	found, err := v.identified(ctx, sorted(ids))
	if err != nil {
		return nil, err
	}
	marks, err := v.blocks(ctx, heightsOf(found, func(p parent) uint64 { return p.height }))
	if err != nil {
		return nil, err
	}
	byID := newestByID(found)
	out := make([]store.OutputNumber, len(outpoints))
	for i, outpoint := range outpoints {
		out[i] = store.NoOutput
		if p, ok := byID[outpoint.Tx]; ok && outpoint.Index < p.outputs {
			out[i] = store.OutputNumber(marks[p.height].output + uint64(p.first) + uint64(outpoint.Index))
		}
	}
	return out, nil
}

func heightsOf[T any](items []T, of func(T) uint64) []uint64 {
	out := make([]uint64, len(items))
	for i, item := range items {
		out[i] = of(item)
	}
	return out
}

// Outputs describes outputs.
func (s *Store) Outputs(ctx context.Context, chain ledger.Chain, numbers []store.OutputNumber) ([]store.Output, error) {
	v, err := s.view(ctx, chain)
	if err != nil {
		return nil, err
	}
	places, err := v.outputs(ctx, numbers)
	if err != nil || len(numbers) == 0 {
		return []store.Output{}, err
	}
	fates, err := v.fates(ctx, distinct(places), nil)
	if err != nil {
		return nil, err
	}
	var makers []seat
	var heights []uint64
	for _, f := range fates {
		makers = append(makers, seat{f.height, f.position})
		heights = append(heights, f.height)
		if f.spender != noSeat {
			heights = append(heights, f.spender.height)
		}
	}
	ids, err := v.ids(ctx, makers)
	if err != nil {
		return nil, err
	}
	marks, err := v.blocks(ctx, heights)
	if err != nil {
		return nil, err
	}
	out := make([]store.Output, len(numbers))
	for i, place := range places {
		f := fates[place.seat()]
		out[i] = store.Output{
			Number: numbers[i], Outpoint: ledger.Outpoint{Tx: ids[seat{f.height, f.position}], Index: f.vout}, Value: f.value, Address: readAddress(f.address),
			Unspendable: f.unspendable || f.overwritten, Tx: store.TxNumber(place.tx + uint64(f.position)), Spender: store.NoTx,
		}
		if f.spender != noSeat {
			out[i].Spender = store.TxNumber(marks[f.spender.height].tx + uint64(f.spender.at))
		}
	}
	return out, nil
}

// ids gives the identifiers of transactions; all must be held.
func (v *view) ids(ctx context.Context, wanted []seat) (map[seat]ledger.Hash, error) {
	slices.SortFunc(wanted, compareSeats)
	wanted = slices.Compact(wanted)
	type named struct {
		seat
		id ledger.Hash
	}
	var found []named
	t := v.trip()
	ask(t, about(v.store, wanted, func(s seat) int { return v.store.byHeight(s.height) }, func(piece []seat) string {
		return "SELECT height, position, id FROM " + v.store.t("transactions") + v.where(within("height", piece)+" AND (height, position) IN "+seats(piece))
	}), func(r scanned) (n named, err error) { return n, r.Scan(&n.height, &n.at, (*[32]byte)(&n.id)) }, &found)
	if err := t.run(ctx); err != nil {
		return nil, err
	}
	byPlace := make(map[seat]ledger.Hash, len(found))
	for _, n := range found {
		byPlace[n.seat] = n.id
	}
	if len(byPlace) != len(wanted) {
		return nil, fmt.Errorf("%w: %d of %d transactions are missing", store.ErrCorrupt, len(wanted)-len(byPlace), len(wanted))
	}
	return byPlace, nil
}

// A resolved transaction of the UTXO family.
type resolvedTx struct {
	seat
	open           uint8
	first          uint32
	inMade         []uint64
	inOutput       []uint32
	inValue        []uint64
	inKind         []uint8
	outValue       []uint64
	outKind        []uint8
	previousMade   []uint64
	previousOutput []uint32
}

const resolvedColumns = "height, position, open, first_output, in_made, in_output, in_value, in_kind, out_value, out_kind, previous_made, previous_output"

func scanResolved(r scanned) (x resolvedTx, err error) {
	return x, r.Scan(&x.height, &x.at, &x.open, &x.first, &x.inMade, &x.inOutput, &x.inValue, &x.inKind, &x.outValue, &x.outKind, &x.previousMade, &x.previousOutput)
}

// Transactions describes transactions.
func (s *Store) Transactions(ctx context.Context, chain ledger.Chain, numbers []store.TxNumber) ([]store.Transaction, error) {
	v, err := s.view(ctx, chain)
	if err != nil {
		return nil, err
	}
	places, err := v.transactions(ctx, numbers)
	if err != nil || len(numbers) == 0 {
		return []store.Transaction{}, err
	}
	found, err := v.resolve(ctx, distinct(places))
	if err != nil {
		return nil, err
	}
	marks, err := v.blocks(ctx, madeIn(found.resolved))
	if err != nil {
		return nil, err
	}
	out := make([]store.Transaction, len(numbers))
	for i, place := range places {
		tx, x := found.bodies[place.seat()], found.resolved[place.seat()]
		t := store.Transaction{
			Number: numbers[i], Height: ledger.Height(place.height), Index: tx.Index, Time: place.time, Coinbase: tx.Coinbase,
			FirstOutput: store.OutputNumber(place.output + uint64(x.first)), Values: x.outValue,
		}
		for k, made := range x.inMade {
			if made == nowhere {
				t.Inputs = append(t.Inputs, store.Input{Output: store.NoOutput, Outpoint: tx.Inputs[k]})
				continue
			}
			t.Inputs = append(t.Inputs, store.Input{Output: store.OutputNumber(marks[made].output + uint64(x.inOutput[k])), Value: x.inValue[k]})
		}
		if len(x.outValue) == 0 {
			t.Values = nil
		}
		for k := range tx.Outputs {
			t.Unspendable = append(t.Unspendable, tx.Outputs[k].Unspendable || found.overwritten[seat{place.height, x.first + uint32(k)}])
		}
		out[i] = t
	}
	return out, nil
}

// resolved transactions, and which of their outputs were overwritten.
type resolvedTxs struct {
	bodies      map[seat]*ledger.Tx
	resolved    map[seat]resolvedTx
	overwritten map[seat]bool
}

// resolve reads transactions with what was filled in, and which of their outputs were
// overwritten.
func (v *view) resolve(ctx context.Context, wanted []seat) (*resolvedTxs, error) {
	of := func(s seat) int { return v.store.byHeight(s.height) }
	var resolved []resolvedTx
	var overwritten []seat
	t := v.trip()
	bodies := v.askBodies(t, wanted)
	ask(t, about(v.store, wanted, of, func(piece []seat) string {
		return "SELECT " + resolvedColumns + " FROM " + v.store.t("resolved") + v.where(within("height", piece)+" AND (height, position) IN "+seats(piece))
	}), scanResolved, &resolved)
	ask(t, about(v.store, blocksOf(wanted), v.store.byHeight, func(piece []uint64) string {
		return "SELECT made, output FROM " + v.store.t("spends") + v.where("overwritten = 1 AND made IN "+list(piece, decimal))
	}), scanSeat, &overwritten)
	if err := t.run(ctx); err != nil {
		return nil, err
	}
	txs, err := bodies()
	if err != nil {
		return nil, err
	}
	byPlace := make(map[seat]resolvedTx, len(resolved))
	for _, x := range resolved {
		byPlace[x.seat] = x
	}
	if len(byPlace) != len(wanted) {
		return nil, fmt.Errorf("%w: %d of %d resolved transactions are missing", store.ErrCorrupt, len(wanted)-len(byPlace), len(wanted))
	}
	found := &resolvedTxs{bodies: txs, resolved: byPlace, overwritten: map[seat]bool{}}
	for _, s := range overwritten {
		found.overwritten[s] = true
	}
	return found, nil
}

func scanSeat(r scanned) (s seat, err error) { return s, r.Scan(&s.height, &s.at) }

func blocksOf(sorted []seat) []uint64 {
	return slices.Compact(heightsOf(sorted, func(s seat) uint64 { return s.height }))
}

// madeIn lists the blocks of the outputs that transactions spend.
func madeIn(resolved map[seat]resolvedTx) (heights []uint64) {
	for _, x := range resolved {
		for _, made := range x.inMade {
			if made != nowhere {
				heights = append(heights, made)
			}
		}
	}
	slices.Sort(heights)
	return slices.Compact(heights)
}

// askBodies plans to read transactions as they were staged. The function gives them after
// the trip; all must be held.
func (v *view) askBodies(t *trip, wanted []seat) func() (map[seat]*ledger.Tx, error) {
	found := &[]stagedTx{}
	ask(t, about(v.store, wanted, func(s seat) int { return v.store.byHeight(s.height) }, func(piece []seat) string {
		return "SELECT height, position, body FROM " + v.store.t("transactions") + v.where(within("height", piece)+" AND (height, position) IN "+seats(piece))
	}), scanBody, found)
	return func() (map[seat]*ledger.Tx, error) {
		byPlace := make(map[seat]*ledger.Tx, len(*found))
		for _, x := range *found {
			tx, err := store.DecodeTx([]byte(x.body))
			if err != nil {
				return nil, fmt.Errorf("block %d, transaction %d: %w", x.height, x.at, err)
			}
			byPlace[x.seat] = tx
		}
		if len(byPlace) != len(wanted) {
			return nil, fmt.Errorf("%w: %d of %d transactions are missing", store.ErrCorrupt, len(wanted)-len(byPlace), len(wanted))
		}
		return byPlace, nil
	}
}

// Segments yields blocks as columns.
func (s *Store) Segments(ctx context.Context, chain ledger.Chain, from, to ledger.Height) iter.Seq2[*store.Segment, error] {
	return func(yield func(*store.Segment, error) bool) {
		for owned, err := range s.Owned(ctx, chain, from, to) {
			if err != nil {
				yield(nil, err)
				return
			}
			if !yield(&owned.Segment, nil) {
				return
			}
		}
	}
}

// Owned yields blocks as columns with their owners.
func (s *Store) Owned(ctx context.Context, chain ledger.Chain, from, to ledger.Height) iter.Seq2[*store.Owned, error] {
	return func(yield func(*store.Owned, error) bool) {
		v, err := s.view(ctx, chain)
		if err != nil {
			yield(nil, err)
			return
		}
		for run, err := range v.runs(ctx, uint64(from), uint64(to)) {
			var o *store.Owned
			if err == nil {
				o, err = v.segment(ctx, run)
			}
			if err != nil {
				yield(nil, err)
				return
			}
			if !yield(o, nil) {
				return
			}
		}
	}
}

// segment reads a run of blocks with contiguous heights.
func (v *view) segment(ctx context.Context, run []headed) (*store.Owned, error) {
	low, high := run[0].height, run[len(run)-1].height
	var resolved []resolvedTx
	t := v.trip()
	ask(t, v.between("SELECT "+resolvedColumns+" FROM "+v.store.t("resolved"), low, high, " ORDER BY height, position"), scanResolved, &resolved)
	if err := t.run(ctx); err != nil {
		return nil, err
	}
	slices.SortFunc(resolved, func(a, b resolvedTx) int { return compareSeats(a.seat, b.seat) })
	var heights []uint64
	for i := range resolved {
		heights = append(append(heights, resolved[i].inMade...), resolved[i].previousMade...)
	}
	marks, err := v.blocks(ctx, slices.DeleteFunc(heights, func(h uint64) bool { return h == nowhere }))
	if err != nil {
		return nil, err
	}
	number := func(made uint64, output uint32) store.OutputNumber {
		if made == nowhere {
			return store.NoOutput
		}
		return store.OutputNumber(marks[made].output + uint64(output))
	}
	o := &store.Owned{Segment: store.Segment{
		First: ledger.Height(low), BlockStart: []uint32{0}, FirstTx: store.TxNumber(run[0].tx), FirstOutput: store.OutputNumber(run[0].output),
		InputStart: []uint32{0}, OutputStart: []uint32{0},
	}}
	at := 0
	for _, block := range run {
		o.Hashes = append(o.Hashes, block.hash)
		for range block.txs {
			if at == len(resolved) || resolved[at].height != block.height {
				return nil, fmt.Errorf("%w: block %d lacks resolved transactions", store.ErrCorrupt, block.height)
			}
			appendResolved(o, &resolved[at], number)
			at++
		}
		o.BlockStart = append(o.BlockStart, uint32(at))
	}
	return o, nil
}

func appendResolved(o *store.Owned, x *resolvedTx, number func(uint64, uint32) store.OutputNumber) {
	for k, made := range x.inMade {
		o.Inputs = append(o.Inputs, number(made, x.inOutput[k]))
		o.InputKinds = append(o.InputKinds, ledger.AddressKind(x.inKind[k]))
		o.InputValues = append(o.InputValues, x.inValue[k])
	}
	for k, value := range x.outValue {
		o.Values = append(o.Values, value)
		o.Kinds = append(o.Kinds, ledger.AddressKind(x.outKind[k]))
		o.Previous = append(o.Previous, number(x.previousMade[k], x.previousOutput[k]))
	}
	o.Open = append(o.Open, x.open == 1)
	o.InputStart = append(o.InputStart, uint32(len(o.Inputs)))
	o.OutputStart = append(o.OutputStart, uint32(len(o.Values)))
}
