package clickhouse

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"coldtrail/ledger"
	"coldtrail/store"
)

// What follows from what lies before a block, numbers, totals, which output an input spends,
// is filled in by the one writer of a chain, a batch of blocks at a time: everything that the
// batch touches is asked for at once.

// A made output is one that inputs may name.
type made struct {
	seat        // block and place in it
	value       uint64
	address     string
	unspendable bool
	spent       bool
	overwritten bool
}

// filler knows what a batch touches.
type filler struct {
	view    *view // before the batch
	next    *seal // after the blocks so far
	rows    *sheets
	attempt uint64

	byID     map[ledger.Hash][]born // transactions by identifier, the newest last
	last     map[string]seat        // the newest output of each address
	accounts map[string]bool        // seen before
	mu       sync.Mutex             // guards last while it is asked for
}

// born is a transaction that made outputs.
type born struct{ outputs []*made }

// block fills in one block.
func (f *filler) block(b *ledger.Block) error {
	n := f.next
	if n.Blocks == 0 {
		n.First = uint64(b.Height)
	}
	height := uint64(b.Height)
	start := n.totals
	outputs := uint32(0)
	for i := range b.Txs {
		if b.Chain.Family() == ledger.UTXO {
			if err := f.transaction(b, i, outputs); err != nil {
				return fmt.Errorf("transaction %s: %w", b.Txs[i].ID, err)
			}
		} else {
			f.meet(&b.Txs[i])
		}
		outputs += uint32(len(b.Txs[i].Outputs))
	}
	identity := store.Identity(b)
	n.Blocks++
	n.Txs += uint64(len(b.Txs))
	n.Counted += uint64(len(b.Txs)) - store.Issuances(b)
	n.Outputs += uint64(outputs)
	if n.Blocks == 1 {
		n.Weakest = b.Provenance
	}
	n.Weakest = ledger.Weakest(n.Weakest, b.Provenance)
	n.Content = sum(store.ChainContent(ledger.Hash(n.Content), b.Height, identity))
	n.Height, n.Hash, n.Time = height, sum(b.Hash), b.Time
	stated := *b
	stated.Txs = nil
	var openings string
	if len(b.Openings) > 0 {
		openings = string(store.EncodeBlock(nil, &stated))
	}
	f.rows.add("headers", f.view.store.byHeight(height), string(b.Chain), height, f.attempt, string(b.Hash[:]), string(b.Parent[:]), b.Time, uint8(b.Provenance),
		string(identity[:]), string(n.Content[:]), start.Txs, uint32(len(b.Txs)), start.Outputs, outputs,
		n.Blocks, n.Counted, uint8(n.Weakest), n.Unspent, n.UnspentValue, n.Accounts, openings)
	return nil
}

// meet counts the addresses that a transaction shows for the first time.
func (f *filler) meet(tx *ledger.Tx) {
	for _, a := range store.Touched(tx) {
		if address := addressBytes(a); !f.accounts[address] {
			f.accounts[address] = true
			f.next.Accounts++
		}
	}
}

// transaction resolves the inputs of a transaction of the UTXO family, refuses what cannot
// be, and files the spends.
func (f *filler) transaction(b *ledger.Block, position int, first uint32) error {
	tx := &b.Txs[position]
	spent, err := f.inputs(b, tx)
	if err != nil {
		return err
	}
	r := resolution{tx: tx, seat: seat{uint64(b.Height), uint32(position)}, first: first}
	for _, o := range spent {
		r.input(o)
		if o != nil {
			f.spend(b.Chain, o, r.seat)
		}
	}
	f.overwrite(b.Chain, tx.ID, r.seat)
	here := born{}
	for i := range tx.Outputs {
		o := &tx.Outputs[i]
		m := &made{seat: seat{uint64(b.Height), first + uint32(i)}, value: o.Value, address: addressBytes(o.Address), unspendable: o.Unspendable}
		here.outputs = append(here.outputs, m)
		f.count(m, 1)
		r.output(o, f.previous(m))
	}
	f.byID[tx.ID] = append(f.byID[tx.ID], here)
	r.file(f, b.Chain)
	return nil
}

// previous gives the output that an address had received before this one, and remembers
// this one.
func (f *filler) previous(m *made) seat {
	if m.address == "" {
		return noSeat
	}
	previous, ok := f.last[m.address]
	f.last[m.address] = m.seat
	if !ok {
		return noSeat
	}
	return previous
}

// inputs finds what a transaction spends; nil stands for an output that is not held, which
// can be only where the chain is not held from its start.
func (f *filler) inputs(b *ledger.Block, tx *ledger.Tx) ([]*made, error) {
	if tx.Coinbase != (len(tx.Inputs) == 0) {
		return nil, fmt.Errorf("a coinbase has no inputs, and only a coinbase")
	}
	var in, out uint64
	known := true
	list := make([]*made, len(tx.Inputs))
	seen := map[ledger.Outpoint]bool{}
	for i, outpoint := range tx.Inputs {
		o, err := f.spendable(b, outpoint)
		if err == nil && seen[outpoint] {
			err = fmt.Errorf("output %s:%d is spent already", outpoint.Tx, outpoint.Index)
		}
		if err != nil {
			return nil, err
		}
		seen[outpoint] = true
		if list[i] = o; o == nil {
			known = false
			continue
		}
		in += o.value
	}
	for i := range tx.Outputs {
		out += tx.Outputs[i].Value
	}
	if !tx.Coinbase && known && in < out {
		return nil, fmt.Errorf("pays %d out of %d", out, in)
	}
	return list, nil
}

func (f *filler) spendable(b *ledger.Block, outpoint ledger.Outpoint) (*made, error) {
	twins := f.byID[outpoint.Tx]
	if len(twins) == 0 || int(outpoint.Index) >= len(twins[len(twins)-1].outputs) {
		first := uint64(b.Height)
		if f.next.Blocks > 0 {
			first = f.next.First
		}
		if first == 0 {
			return nil, fmt.Errorf("output %s:%d does not exist", outpoint.Tx, outpoint.Index)
		}
		return nil, nil //nolint:nilnil // an output that is not held is an answer here
	}
	o := twins[len(twins)-1].outputs[outpoint.Index]
	switch {
	case o.unspendable || o.overwritten:
		return nil, fmt.Errorf("output %s:%d can never be spent", outpoint.Tx, outpoint.Index)
	case o.spent:
		return nil, fmt.Errorf("output %s:%d is spent already", outpoint.Tx, outpoint.Index)
	}
	return o, nil
}

// spend files that an output is spent, and that its address's history shows it.
func (f *filler) spend(chain ledger.Chain, o *made, by seat) {
	f.count(o, -1)
	o.spent = true
	s := f.view.store
	f.rows.add("spends", s.byHeight(o.height), string(chain), o.height, o.at, by.height, by.at, f.attempt, uint8(0))
	if o.address != "" {
		f.rows.add("postings", s.byText(o.address), string(chain), o.address, by.height, by.at, f.attempt, uint8(1), o.height, o.at, o.value, "")
	}
}

// overwrite makes the unspent outputs of an earlier transaction with the same identifier
// unspendable, as happened to two coinbases before BIP-30.
func (f *filler) overwrite(chain ledger.Chain, id ledger.Hash, by seat) {
	for _, twin := range f.byID[id] {
		for _, o := range twin.outputs {
			if !o.spent && !o.overwritten {
				f.count(o, -1)
				o.overwritten = true
				f.rows.add("spends", f.view.store.byHeight(o.height), string(chain), o.height, o.at, by.height, by.at, f.attempt, uint8(1))
			}
		}
	}
}

// count keeps the totals of spendable outputs.
func (f *filler) count(o *made, change int) {
	if o.unspendable || o.overwritten {
		return
	}
	if change > 0 {
		f.next.Unspent++
		f.next.UnspentValue += o.value
	} else {
		f.next.Unspent--
		f.next.UnspentValue -= o.value
	}
}

// nowhere stands for no output.
const nowhere = 1<<64 - 1

// A resolution is what a row of the table resolved says of a transaction.
type resolution struct {
	tx    *ledger.Tx
	seat  seat
	first uint32

	inMade, inValue        []uint64
	inOutput               []uint32
	inKind                 []uint8
	outValue, previousMade []uint64
	outKind                []uint8
	previousOutput         []uint32
}

func (r *resolution) input(o *made) {
	if o == nil {
		o = &made{seat: seat{height: nowhere}}
	}
	r.inMade, r.inOutput = append(r.inMade, o.height), append(r.inOutput, o.at)
	r.inValue, r.inKind = append(r.inValue, o.value), append(r.inKind, uint8(readAddress(o.address).Kind))
}

func (r *resolution) output(o *ledger.Output, previous seat) {
	r.outValue, r.outKind = append(r.outValue, o.Value), append(r.outKind, uint8(o.Address.Kind))
	r.previousMade, r.previousOutput = append(r.previousMade, previous.height), append(r.previousOutput, previous.at)
}

func (r *resolution) file(f *filler, chain ledger.Chain) {
	f.rows.add("resolved", f.view.store.byHeight(r.seat.height), string(chain), r.seat.height, r.seat.at, f.attempt, bit(r.tx.Open), r.first,
		r.inMade, r.inOutput, r.inValue, r.inKind, r.outValue, r.outKind, r.previousMade, r.previousOutput)
}

// look asks for everything that a batch touches.
func (f *filler) look(ctx context.Context, blocks []*ledger.Block) error {
	f.byID, f.last, f.accounts = map[ledger.Hash][]born{}, map[string]seat{}, map[string]bool{}
	if f.view.Blocks == 0 {
		return nil
	}
	if f.view.Chain.Family() == ledger.Account {
		return f.lookAccounts(ctx, blocks)
	}
	return f.lookOutputs(ctx, blocks)
}

// lookAccounts finds which addresses were seen before.
func (f *filler) lookAccounts(ctx context.Context, blocks []*ledger.Block) error {
	wanted := map[string]bool{}
	for _, b := range blocks {
		for i := range b.Txs {
			for _, a := range store.Touched(&b.Txs[i]) {
				wanted[addressBytes(a)] = true
			}
		}
	}
	var found []string
	t := f.view.trip()
	ask(t, about(f.view.store, sorted(wanted), f.view.store.byText, func(piece []string) string {
		return "SELECT address FROM " + f.view.store.t("postings") + f.view.where("address IN "+list(piece, quote)) + " GROUP BY address"
	}), scanText, &found)
	if err := t.run(ctx); err != nil {
		return err
	}
	for _, address := range found {
		f.accounts[address] = true
	}
	return nil
}

func scanText(r scanned) (text string, err error) { return text, r.Scan(&text) }

func sorted(set map[string]bool) []string {
	out := make([]string, 0, len(set))
	for text := range set {
		out = append(out, text)
	}
	slices.Sort(out)
	return out
}

// lookOutputs finds the transactions whose outputs are spent or whose identifiers come
// again, then their outputs and what has become of them, and the newest output of every
// address that receives.
func (f *filler) lookOutputs(ctx context.Context, blocks []*ledger.Block) error {
	ids, addresses := namedIn(blocks)
	parents, err := f.view.identified(ctx, sorted(ids))
	if err != nil {
		return err
	}
	var wanted []seat
	for i := range parents {
		for k := range parents[i].outputs {
			wanted = append(wanted, seat{parents[i].height, parents[i].first + k})
		}
	}
	fates, err := f.view.fates(ctx, wanted, func(t *trip) { f.lookNewest(t, sorted(addresses)) })
	if err != nil {
		return err
	}
	for i := range parents {
		var b born
		for k := range parents[i].outputs {
			o := fates[seat{parents[i].height, parents[i].first + k}]
			b.outputs = append(b.outputs, &made{
				seat: o.seat, value: o.value, address: o.address, unspendable: o.unspendable, spent: o.spender != noSeat, overwritten: o.overwritten,
			})
		}
		f.byID[parents[i].id] = append(f.byID[parents[i].id], b)
	}
	return nil
}

// namedIn lists the identifiers that blocks name, and the addresses that receive.
func namedIn(blocks []*ledger.Block) (ids, addresses map[string]bool) {
	ids, addresses = map[string]bool{}, map[string]bool{}
	for _, b := range blocks {
		for i := range b.Txs {
			tx := &b.Txs[i]
			ids[string(tx.ID[:])] = true
			for _, in := range tx.Inputs {
				ids[string(in.Tx[:])] = true
			}
			for j := range tx.Outputs {
				if a := addressBytes(tx.Outputs[j].Address); a != "" {
					addresses[a] = true
				}
			}
		}
	}
	return ids, addresses
}

// lookNewest plans to find the newest output of each address.
func (f *filler) lookNewest(t *trip, addresses []string) {
	s := f.view.store
	ask(t, about(s, addresses, s.byText, func(piece []string) string {
		return "SELECT address, max(bitOr(bitShiftLeft(height, 32), toUInt64(output))) FROM " + s.t("postings") +
			f.view.where("spent = 0 AND address IN "+list(piece, quote)) + " GROUP BY address"
	}), func(r scanned) (struct{}, error) {
		var address string
		var packed uint64
		err := r.Scan(&address, &packed)
		f.mu.Lock()
		defer f.mu.Unlock()
		f.last[address] = seat{packed >> 32, uint32(packed)}
		return struct{}{}, err
	}, &[]struct{}{})
}
