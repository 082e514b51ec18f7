package screen

import (
	"context"
	"maps"
	"slices"

	"coldtrail/attribution"
	"coldtrail/attribution/coinjoin"
	"coldtrail/ledger"
	"coldtrail/screen/exposure"
	"coldtrail/screen/proximity"
	"coldtrail/store"
)

// deal is what is added up: one notorious address, one asset, one direction.
type deal struct {
	with      ledger.Address
	asset     ledger.Asset
	direction exposure.Direction
	fact      int // of with
	inForce   bool
}

// dealing is what was moved.
type dealing struct {
	amount      ledger.Amount
	first, last int64
	firstTx     store.TxNumber
	lastTx      store.TxNumber
}

// txsAtOnce is how many transactions are read together.
const txsAtOnce = 1024

// read takes in the transactions of a chain that were not read yet. Where that goes wrong
// half-way nobody knows what was taken in, so that everything is read anew the next time.
func (n *notorious) read(ctx context.Context, s store.Store, status *store.Status) error {
	err := n.readOn(ctx, s, status)
	if err != nil {
		n.forget()
	}
	return err
}

func (n *notorious) readOn(ctx context.Context, s store.Store, status *store.Status) error {
	end, err := endOf(ctx, s, status)
	if err != nil || end == n.next {
		return err
	}
	if n.next == 0 {
		err = n.readPast(ctx, s)
	} else {
		err = n.readNew(ctx, s, end)
	}
	if err != nil {
		return err
	}
	n.next = end
	return n.region.Advance(func(list []ledger.Address) error { return n.readBooks(ctx, s, list) })
}

// endOf is the number of the first transaction that a chain does not have yet.
func endOf(ctx context.Context, s store.Store, status *store.Status) (end store.TxNumber, err error) {
	for h, err := range s.Headers(ctx, status.Chain, status.Height) {
		if err != nil {
			return 0, err
		}
		end = h.FirstTx + store.TxNumber(h.Txs)
	}
	return end, nil
}

// readPast reads the oldest transactions of the notorious addresses.
func (n *notorious) readPast(ctx context.Context, s store.Store) error {
	wanted := map[store.TxNumber]bool{}
	for a := range n.facts {
		histories, err := s.History(ctx, n.chain, []store.Since{{Address: a}})
		if err != nil {
			return err
		}
		last, count := store.NoTx, 0
		for _, t := range histories[0] {
			if t.Tx == last {
				continue
			}
			if count++; count > maxDeals {
				break
			}
			wanted[t.Tx], last = true, t.Tx
		}
	}
	return n.readTxs(ctx, s, slices.Sorted(maps.Keys(wanted)))
}

// readNew reads what a chain has had since: all of it, once, whoever it is of.
func (n *notorious) readNew(ctx context.Context, s store.Store, end store.TxNumber) error {
	for from := n.next; from < end; from += txsAtOnce {
		var numbers []store.TxNumber
		for number := from; number < min(from+txsAtOnce, end); number++ {
			numbers = append(numbers, number)
		}
		if err := n.readTxs(ctx, s, numbers); err != nil {
			return err
		}
	}
	return nil
}

func (n *notorious) readTxs(ctx context.Context, s store.Store, numbers []store.TxNumber) error {
	for chunk := range slices.Chunk(numbers, txsAtOnce) {
		if n.chain.Family() == ledger.UTXO {
			txs, err := attribution.Resolved(ctx, s, n.chain, chunk)
			if err != nil {
				return err
			}
			for i, tx := range txs {
				n.spend(tx, chunk[i])
			}
			continue
		}
		movements, err := s.Movements(ctx, n.chain, chunk)
		if err != nil {
			return err
		}
		for i := range movements {
			if err := n.move(ctx, s, &movements[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

// move takes in a transaction of an account chain.
func (n *notorious) move(ctx context.Context, s store.Store, m *store.Movement) error {
	touched := store.Touched(&m.Tx)
	counted := n.counted(touched)
	if len(counted) > 0 {
		for i := range m.Tx.Transfers {
			p, ok := proximity.Transfer(&m.Tx, i, uint64(m.Number), m.Time)
			switch {
			case !ok:
			case slices.Contains(counted, p.From):
				n.add(p.To, p.From, proximity.Received, &p)
			case slices.Contains(counted, p.To):
				n.add(p.From, p.To, proximity.Sent, &p)
			}
		}
	}
	for _, a := range touched {
		if b := n.region.Book(a); b != nil && !b.Crowded {
			if err := n.open(ctx, s, []opening{{a, b, m}}); err != nil {
				return err
			}
			b.Move(&m.Tx, a, uint64(m.Number), m.Time, n.chain.Native())
			n.region.Touched(a)
		}
	}
	return nil
}

// spend takes in a transaction of a UTXO chain.
func (n *notorious) spend(tx *ledger.Resolved, number store.TxNumber) {
	var touched []ledger.Address
	seen := map[ledger.Address]bool{{}: true}
	for _, side := range [][]ledger.Output{tx.Inputs, tx.Outputs} {
		for i := range side {
			a := side[i].Address
			if !seen[a] && (len(n.facts[a]) > 0 || n.region.Book(a) != nil) {
				touched = append(touched, a)
			}
			seen[a] = true
		}
	}
	if len(touched) == 0 {
		return
	}
	s := n.spendOf(tx, number)
	for _, a := range n.counted(touched) {
		s.Paid(a, func(p *proximity.Payment) { n.add(p.To, a, proximity.Received, p) })
		s.Got(a, func(p *proximity.Payment) { n.add(p.From, a, proximity.Sent, p) })
	}
	for _, a := range touched {
		if b := n.region.Book(a); b != nil && !b.Crowded {
			b.Spend(s, a)
			n.region.Touched(a)
		}
	}
}

func (n *notorious) spendOf(tx *ledger.Resolved, number store.TxNumber) *proximity.Spend {
	judged := *tx
	judged.Height = coinjoin.Height(n.chain, tx.Height)
	f, mixed := coinjoin.Recognise(&judged)
	return proximity.NewSpend(tx, uint64(number), n.chain.Native(), mixed && f.Confidence >= coinjoin.Threshold && !f.Entry)
}

// counted are the notorious ones among those whom a transaction touches, as far as not
// enough of theirs was read.
func (n *notorious) counted(touched []ledger.Address) (list []ledger.Address) {
	for _, a := range touched {
		if len(n.facts[a]) > 0 && n.count[a] < maxDeals {
			n.count[a]++
			list = append(list, a)
		}
	}
	return list
}

// add adds a payment between a notorious address and a party under every fact about the
// former. Whoever is notorious himself needs none; nor does nobody, as where a protocol pays
// out new coins.
func (n *notorious) add(party, with ledger.Address, d proximity.Direction, p *proximity.Payment) {
	if party.IsZero() || len(n.facts[party]) > 0 {
		return
	}
	number := store.TxNumber(p.At.Tx)
	for i := range n.facts[with] {
		x := deal{with: with, asset: p.Asset, direction: directionOf(d), fact: i, inForce: holds(&n.facts[with][i], p.Time)}
		have, ok := n.deals[party][x]
		if !ok {
			have = dealing{first: p.Time, firstTx: number}
		}
		_, _ = have.amount.AddOverflow(&have.amount, &p.Amount)
		have.last, have.lastTx = p.Time, number
		if n.deals[party] == nil {
			n.deals[party] = map[deal]dealing{}
		}
		n.deals[party][x] = have
	}
	n.dirty[party] = true
	for class := range n.classes.of(n.facts[with], p.Time) {
		n.region.Add(d, party, with, &proximity.Part{At: p.At, Time: p.Time, Asset: p.Asset, Class: class, Amount: p.Amount})
	}
}

func directionOf(d proximity.Direction) exposure.Direction {
	if d == proximity.Sent {
		return exposure.Sent
	}
	return exposure.Received
}
