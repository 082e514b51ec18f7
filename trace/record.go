package trace

import (
	"bytes"
	"cmp"
	"maps"
	"slices"

	"coldtrail/ledger"
	"coldtrail/store"
	"coldtrail/taint"
)

// record keeps what one pass says. It implements taint.Recorder.
type record struct {
	plan      *plan
	thefts    []taint.Theft
	rows      map[rowKey]*row
	heldAt    []heldOutput // lots in unspent outputs, described at the end
	flows     []taint.Flow
	anomalies []taint.Anomaly
	seen      map[anomalyKey]bool
	work      Work
	deposits  []bucket                                 // by link; nil where links are not active
	crossed   map[int]*bucket                          // by crossing
	spoke     bool                                     // a transaction that moved taint may speak of a crossing
	visited   map[ledger.Chain]map[store.TxNumber]bool // transactions with faulty messages that moved taint
	reached   map[arrival]ledger.Amount                // tainted value that reached services, by transaction and address
	swaps     []taint.Flow
	external  map[ledger.Chain]bool // chains where internal value of a transaction that mattered is not known
	concluded bool                  // it passed an address at which it would stop by a conclusion
	reach     map[reachKey]reach    // what reached whom; nil where nobody asks
	owners    map[heldBy]ledger.Address
	before    map[reachKey]reach // as it was before beforeTx, of whom that reached
	beforeTx  uint64
	track     *track // where answers are noted; nil where nothing is gone on with
}

// rowKey is what dispositions are merged by.
type rowKey struct {
	class taint.Class
	kind  taint.Kind
	place taint.Place
	owner string // entity
}

// row is the merged lots of one key.
type row struct {
	amount, origin ledger.Amount
	hops           uint32
	first, last    int64
}

type heldOutput struct {
	chain  *chainPlan
	output uint64
	lots   []taint.Lot
}

type anomalyKey struct {
	kind   taint.AnomalyKind
	place  taint.Place
	number uint64
	amount ledger.Amount
}

func newRecord(p *plan) *record {
	r := &record{plan: p, rows: map[rowKey]*row{}, seen: map[anomalyKey]bool{}, external: map[ledger.Chain]bool{}, crossed: map[int]*bucket{}, visited: map[ledger.Chain]map[store.TxNumber]bool{}, reached: map[arrival]ledger.Amount{}}
	if p.options.Reach {
		r.reach, r.owners, r.before = map[reachKey]reach{}, map[heldBy]ledger.Address{}, map[reachKey]reach{}
	}
	return r
}

// Stolen keeps a theft.
func (r *record) Stolen(t taint.Theft) {
	r.thefts = append(r.thefts, t)
	r.reachedBy(&t)
}

// Settled merges lots that ended for good.
func (r *record) Settled(s taint.Settlement) {
	place := s.Place
	r.noteService(&s)
	if place.Chain.Family() == ledger.UTXO {
		place.Address = ledger.Address{}
	}
	for i := range s.Lots {
		r.add(rowKey{class: s.Lots[i].Class, kind: s.Kind, place: place, owner: s.Entity}, &s.Lots[i], s.Number)
	}
}

func (r *record) add(key rowKey, lot *taint.Lot, tx uint64) {
	if !lot.Tainted() {
		return
	}
	if key.place.Chain.Family() == ledger.UTXO && key.place.Output == noOutput {
		key.place.Output = noOutput - 1 - tx // a fee has no output: its transaction stands in
	}
	one := row{amount: lot.Amount, origin: lot.Origin, hops: lot.Hops, first: lot.First, last: lot.Last}
	if have := r.rows[key]; have != nil {
		have.add(&one)
		return
	}
	r.rows[key] = &one
}

// add merges another row into this one.
func (w *row) add(other *row) {
	w.amount.Add(&w.amount, &other.amount)
	w.origin.Add(&w.origin, &other.origin)
	w.hops = min(w.hops, other.hops)
	w.first, w.last = min(w.first, other.first), max(w.last, other.last)
}

// noOutput is the output number of fees.
const noOutput = 1<<64 - 1

// feeTx is the transaction behind a fee's stand-in number, if it is one.
func feeTx(output uint64) (store.TxNumber, bool) {
	const most = 1 << 62 // no chain has so many outputs
	return store.TxNumber(noOutput - 1 - output), output > most
}

// Moved keeps a flow, with its own copy of the lots.
func (r *record) Moved(f taint.Flow) {
	r.reachedIn(&f)
	r.work.Spent += uint64(len(f.From))
	r.work.Made += uint64(len(f.To))
	if !r.plan.options.Flows && f.Swap == nil {
		return
	}
	f.From, f.To = copyLegs(f.From), copyLegs(f.To)
	if f.Swap != nil {
		r.swaps = append(r.swaps, f)
	}
	if r.plan.options.Flows {
		r.flows = append(r.flows, f)
	}
}

// merge joins another record into this one.
func (r *record) merge(o *record) {
	r.thefts = append(r.thefts, o.thefts...)
	for key, row := range o.rows {
		if have := r.rows[key]; have != nil {
			have.add(row)
			continue
		}
		r.rows[key] = row
	}
	r.heldAt = append(r.heldAt, o.heldAt...)
	r.flows = append(r.flows, o.flows...)
	for i := range o.anomalies {
		r.Found(o.anomalies[i])
	}
	r.work.Spent += o.work.Spent
	r.work.Made += o.work.Made
	for i := range o.deposits {
		if len(o.deposits[i].lots) > 0 {
			r.deposits[i] = o.deposits[i]
		}
	}
	for i, b := range o.crossed {
		r.crossed[i] = b
	}
	for at, amount := range o.reached {
		r.reached[at] = amount
	}
	r.swaps = append(r.swaps, o.swaps...)
	r.concluded = r.concluded || o.concluded
	maps.Copy(r.reach, o.reach)
	maps.Copy(r.owners, o.owners)
	for chain := range o.external {
		r.external[chain] = true
	}
	for chain, numbers := range o.visited {
		r.visited[chain] = numbers
	}
}

// visit notes a transaction that moved taint, where its messages are faulty or may turn
// out to be.
func (r *record) visit(chain ledger.Chain, number store.TxNumber) {
	if b := r.plan.bridges; b != nil && (r.track != nil || len(b.faults[chain][number]) > 0) {
		if r.visited[chain] == nil {
			r.visited[chain] = map[store.TxNumber]bool{}
		}
		r.visited[chain][number] = true
	}
}

func copyLegs(legs []taint.Leg) []taint.Leg {
	legs = slices.Clone(legs)
	for i := range legs {
		legs[i].Lots = slices.Clone(legs[i].Lots)
	}
	return legs
}

// Found keeps an anomaly once.
func (r *record) Found(a taint.Anomaly) {
	if a.Kind == taint.InternalUnknown {
		r.external[a.Place.Chain] = true
	}
	key := anomalyKey{a.Kind, a.Place, a.Number, a.Amount}
	if !r.seen[key] {
		r.seen[key] = true
		r.anomalies = append(r.anomalies, a)
	}
}

func compareAnomalies(a, b taint.Anomaly) int {
	return cmp.Or(
		cmp.Compare(a.Place.Chain, b.Place.Chain), cmp.Compare(a.Number, b.Number), cmp.Compare(a.Kind, b.Kind),
		cmp.Compare(a.Place.Asset, b.Place.Asset), bytes.Compare(a.Place.Address.Bytes(), b.Place.Address.Bytes()),
		cmp.Compare(a.Place.Output, b.Place.Output), a.Amount.Cmp(&b.Amount),
	)
}

// holdOutput keeps lots that are unspent at the end.
func (r *record) holdOutput(c *chainPlan, output uint64, lots []taint.Lot) {
	r.heldAt = append(r.heldAt, heldOutput{c, output, lots})
}

// holdAccount merges lots that an account holds at the end, frozen or not.
func (r *record) holdAccount(c *chainPlan, h taint.Holding, kind taint.Kind, lots []taint.Lot) {
	place := taint.Place{Chain: c.chain, Asset: h.Asset, Address: h.Address}
	for i := range lots {
		r.add(rowKey{class: lots[i].Class, kind: kind, place: place}, &lots[i], 0)
	}
}
