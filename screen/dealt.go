package screen

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"coldtrail/attribution"
	"coldtrail/attribution/label"
	"coldtrail/ledger"
	"coldtrail/screen/exposure"
	"coldtrail/screen/index"
	"coldtrail/store"
)

// grave says whether dealings with whom a fact is about are worth telling: a listing, or
// what a source that can be relied on says of an offender or of a mixer.
func grave(f *exposure.Fact) bool {
	if f.Sanction {
		return true
	}
	for _, concept := range []string{"abuse", "perpetrator", "mixing_service"} {
		if label.Is(f.Category, concept) {
			return f.Confidence >= 50
		}
	}
	return false
}

// notorious are the addresses of a chain with whom dealings are told, and how far that has
// been read.
type notorious struct {
	facts map[ledger.Address][]exposure.Fact // grave ones
	count map[ledger.Address]int             // transactions that were read
	next  store.TxNumber
	deals map[deal]dealing
}

// deal is what is added up: one party, one notorious address, one asset, one direction.
type deal struct {
	party, with ledger.Address
	asset       ledger.Asset
	direction   exposure.Direction
	fact        int // of with
	inForce     bool
}

// dealing is what was moved.
type dealing struct {
	amount      ledger.Amount
	first, last int64
	firstTx     store.TxNumber
	lastTx      store.TxNumber
}

// maxDeals is how many transactions of a notorious address are read, the oldest: who is
// dealt with more often than that is a service, which its label says.
const maxDeals = 20_000

// know finds whom dealings are told with, among what is said.
func (e *Engine) know(said index.Layer) error {
	e.known = map[ledger.Chain]*notorious{}
	for a, number := range said.Index.Each() {
		facts, err := said.Sets.At(number)
		if err != nil {
			return err
		}
		for i := range facts {
			f := &facts[i]
			chain, err := ledger.ParseChain(f.Chain)
			if err != nil || f.Kind != exposure.Labelled || a.Kind == ledger.Script || !grave(f) {
				continue
			}
			n := e.known[chain]
			if n == nil {
				n = &notorious{facts: map[ledger.Address][]exposure.Fact{}}
				n.forget()
				e.known[chain] = n
			}
			n.facts[a] = append(n.facts[a], *f)
		}
	}
	return nil
}

// forget lets everything be read anew.
func (n *notorious) forget() {
	n.count, n.next, n.deals = map[ledger.Address]int{}, 0, map[deal]dealing{}
}

// dealtLayer reads what the chains show since the last time, and makes facts of it.
func (e *Engine) dealtLayer(ctx context.Context, statuses []store.Status) (index.Layer, error) {
	var list []addressed
	for i := range statuses {
		n := e.known[statuses[i].Chain]
		if n == nil {
			continue
		}
		if err := n.read(ctx, e.store, &statuses[i]); err != nil {
			return index.Layer{}, err
		}
		facts, err := n.tell(ctx, e.store, statuses[i].Chain)
		if err != nil {
			return index.Layer{}, err
		}
		list = append(list, facts...)
	}
	slices.SortStableFunc(list, func(a, b addressed) int {
		return cmp.Or(cmp.Compare(a.address.Kind, b.address.Kind), cmp.Compare(string(a.address.Bytes()), string(b.address.Bytes())))
	})
	return layerOf(list, &index.SetsBuilder{})
}

// read adds up the transactions of a chain that were not read yet. Where that goes wrong
// half-way nobody knows what was added up, so that everything is read anew the next time.
func (n *notorious) read(ctx context.Context, s store.Store, status *store.Status) error {
	err := n.readOn(ctx, s, status)
	if err != nil {
		n.forget()
	}
	return err
}

func (n *notorious) readOn(ctx context.Context, s store.Store, status *store.Status) error {
	questions := make([]store.Since, 0, len(n.facts))
	for a := range n.facts {
		if n.count[a] < maxDeals {
			questions = append(questions, store.Since{Address: a, From: n.next})
		}
	}
	histories, err := s.History(ctx, status.Chain, questions)
	if err != nil {
		return err
	}
	of := map[store.TxNumber][]ledger.Address{}
	for i, touches := range histories {
		a, last := questions[i].Address, store.NoTx
		for _, t := range touches {
			if t.Tx != last && n.count[a] < maxDeals {
				n.count[a]++
				of[t.Tx] = append(of[t.Tx], a)
			}
			last = t.Tx
			n.next = max(n.next, t.Tx+1)
		}
	}
	numbers := slices.Sorted(maps.Keys(of))
	for chunk := range slices.Chunk(numbers, 1024) {
		if status.Chain.Family() == ledger.UTXO {
			err = n.readSpends(ctx, s, status.Chain, chunk, of)
		} else {
			err = n.readMovements(ctx, s, status.Chain, chunk, of)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (n *notorious) readMovements(ctx context.Context, s store.Store, chain ledger.Chain, numbers []store.TxNumber, of map[store.TxNumber][]ledger.Address) error {
	movements, err := s.Movements(ctx, chain, numbers)
	if err != nil {
		return err
	}
	for i := range movements {
		m := &movements[i]
		if m.Tx.Failed {
			continue
		}
		for j := range m.Tx.Transfers {
			t := &m.Tx.Transfers[j]
			switch {
			case t.From == t.To:
			case slices.Contains(of[m.Number], t.From):
				n.add(deal{party: t.To, with: t.From, asset: t.Asset, direction: exposure.Received}, &t.Amount, m.Number, m.Time)
			case slices.Contains(of[m.Number], t.To):
				n.add(deal{party: t.From, with: t.To, asset: t.Asset, direction: exposure.Sent}, &t.Amount, m.Number, m.Time)
			}
		}
	}
	return nil
}

// readSpends adds up transactions of a UTXO chain: what an output got of an input is its
// part of all inputs (haircut), rounded down.
func (n *notorious) readSpends(ctx context.Context, s store.Store, chain ledger.Chain, numbers []store.TxNumber, of map[store.TxNumber][]ledger.Address) error {
	txs, err := attribution.Resolved(ctx, s, chain, numbers)
	if err != nil {
		return err
	}
	for i, tx := range txs {
		n.spend(chain, tx, numbers[i], of[numbers[i]])
	}
	return nil
}

func (n *notorious) spend(chain ledger.Chain, tx *ledger.Resolved, number store.TxNumber, with []ledger.Address) {
	gave := map[ledger.Address]ledger.Amount{}
	var total ledger.Amount
	for i := range tx.Inputs {
		value := ledger.NewAmount(tx.Inputs[i].Value)
		sum := gave[tx.Inputs[i].Address]
		sum.Add(&sum, &value)
		gave[tx.Inputs[i].Address] = sum
		total.Add(&total, &value)
	}
	if total.IsZero() {
		return
	}
	for i := range tx.Outputs {
		to, value := tx.Outputs[i].Address, ledger.NewAmount(tx.Outputs[i].Value)
		for from, amount := range gave {
			if from == to || to.IsZero() || from.IsZero() { // of a parent that is not held nothing is known
				continue
			}
			part, _ := new(ledger.Amount).MulDivOverflow(&value, &amount, &total)
			switch {
			case slices.Contains(with, from):
				n.add(deal{party: to, with: from, asset: chain.Native(), direction: exposure.Received}, part, number, tx.Time)
			case slices.Contains(with, to):
				n.add(deal{party: from, with: to, asset: chain.Native(), direction: exposure.Sent}, part, number, tx.Time)
			}
		}
	}
}

// add adds a movement under every fact about the notorious side.
func (n *notorious) add(d deal, amount *ledger.Amount, number store.TxNumber, time int64) {
	for i := range n.facts[d.with] {
		f := &n.facts[d.with][i]
		d.fact, d.inForce = i, f.From <= time && (f.To == 0 || f.To > time)
		have, ok := n.deals[d]
		if !ok {
			have = dealing{first: time, firstTx: number}
		}
		_, _ = have.amount.AddOverflow(&have.amount, amount)
		have.last, have.lastTx = time, number
		n.deals[d] = have
	}
}

// tell makes facts of the dealings. Whoever is notorious himself needs none.
func (n *notorious) tell(ctx context.Context, s store.Store, chain ledger.Chain) ([]addressed, error) {
	var numbers []store.TxNumber
	for _, x := range n.deals {
		numbers = append(numbers, x.firstTx, x.lastTx)
	}
	slices.Sort(numbers)
	numbers = slices.Compact(numbers)
	ids, err := s.IDs(ctx, chain, numbers)
	if err != nil {
		return nil, err
	}
	name := func(number store.TxNumber) string {
		i, _ := slices.BinarySearch(numbers, number)
		return chain.FormatHash(ids[i])
	}
	var list []addressed
	for d, x := range n.deals {
		if len(n.facts[d.party]) > 0 {
			continue
		}
		f := n.facts[d.with][d.fact]
		f.Kind, f.Direction, f.Asset, f.Amount, f.Hops, f.Chain = exposure.Dealt, d.direction, d.asset, exposure.Decimal{Amount: x.amount}, 1, string(chain)
		f.From, f.To, f.Sanction = x.first, x.last, f.Sanction && d.inForce
		f.Evidence = []string{name(x.firstTx)}
		if x.lastTx != x.firstTx {
			f.Evidence = append(f.Evidence, name(x.lastTx))
		}
		list = append(list, addressed{d.party, f})
	}
	return list, nil
}
