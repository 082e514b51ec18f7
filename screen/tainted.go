package screen

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"coldtrail/ledger"
	"coldtrail/screen/exposure"
	"coldtrail/screen/index"
	"coldtrail/screen/policy"
	"coldtrail/store"
	"coldtrail/taint"
	"coldtrail/trace"
)

// maxSetBytes is how large the sets of taint may grow before they are made anew: those of
// earlier blocks stay in them until then.
const maxSetBytes = 256 << 20

// taintLayer makes facts of where stolen value went.
func (e *Engine) taintLayer(ctx context.Context, reached []trace.Reached) (index.Layer, error) {
	if e.taint.Sets != nil && e.taint.Sets.Bytes() > maxSetBytes {
		e.sets = index.SetsBuilder{}
	}
	facts, err := e.taintFacts(ctx, reached, e.totals)
	if err != nil {
		return index.Layer{}, err
	}
	e.taint, err = layerOf(facts, &e.sets)
	return e.taint, err
}

// layerOf files facts that come in order of their addresses.
func layerOf(facts []addressed, sets *index.SetsBuilder) (index.Layer, error) {
	var b index.Builder
	for from := 0; from < len(facts); {
		to := from + 1
		for to < len(facts) && facts[to].address == facts[from].address {
			to++
		}
		var set []exposure.Fact
		for i := from; i < to; i++ {
			set = append(set, facts[i].fact)
		}
		number, err := sets.Intern(policy.Normal(set))
		if err != nil {
			return index.Layer{}, err
		}
		if err := b.Add(facts[from].address, number); err != nil {
			return index.Layer{}, err
		}
		from = to
	}
	built, err := b.Build()
	return index.Layer{Index: built, Sets: sets.Build()}, err
}

// addressed is a fact and whom it is about.
type addressed struct {
	address ledger.Address
	fact    exposure.Fact
}

// taintFacts are the facts of what a trace reached, by address. What entered a bridge is
// the depositor's, not the vault's, which holds everybody's.
func (e *Engine) taintFacts(ctx context.Context, reached []trace.Reached, totals map[whose]total) ([]addressed, error) {
	reached = slices.DeleteFunc(reached, func(r trace.Reached) bool { return r.Kind == taint.InTransit && r.Held.IsZero() })
	if err := e.addUp(ctx, reached, totals); err != nil {
		return nil, err
	}
	names, err := e.evidence(ctx, reached)
	if err != nil {
		return nil, err
	}
	list := make([]addressed, 0, len(reached))
	for i := range reached {
		r := &reached[i]
		incident, _, _ := strings.Cut(r.Colour, "/")
		f := exposure.Fact{
			Kind: exposure.Tainted, Direction: exposure.Received, Chain: string(r.Chain), Certainty: r.Certainty,
			Entity: e.attributed(incident), Incident: incident, Colour: r.Colour, Asset: r.Asset, Amount: exposure.Decimal{Amount: r.Received}, Held: exposure.Decimal{Amount: r.Held},
			Origin: exposure.Decimal{Amount: r.Origin}, Hops: r.Hops, From: r.First, To: r.Last, By: r.By, Source: "case " + incident,
			Evidence: names.of(r),
		}
		if amount, ok := totals[whose{r.Chain, r.Address}].of(r.Asset); ok && !amount.Lt(&r.Received) {
			f.Total, f.Share = exposure.Decimal{Amount: amount}, share(&r.Received, &amount)
		}
		list = append(list, addressed{r.Address, f})
	}
	slices.SortStableFunc(list, func(a, b addressed) int {
		return cmp.Or(cmp.Compare(a.address.Kind, b.address.Kind), cmp.Compare(string(a.address.Bytes()), string(b.address.Bytes())))
	})
	return list, nil
}

// attributed is whom a case gives the theft to.
func (e *Engine) attributed(incident string) string {
	for _, c := range e.options.Cases {
		if c.Name == incident {
			return c.AttributedTo.Actor
		}
	}
	return ""
}

// share is part of whole in basis points, rounded down.
func share(part, whole *ledger.Amount) uint32 {
	if whole.IsZero() {
		return 0
	}
	bp := ledger.NewAmount(10_000)
	q, _ := new(ledger.Amount).MulDivOverflow(part, &bp, whole)
	return uint32(q.Uint64())
}

// txNames are identifiers of transactions by chain and number.
type txNames map[ledger.Chain]map[uint64]string

func (n txNames) of(r *trace.Reached) []string {
	first, last := n[r.Chain][r.FirstTx], n[r.Chain][r.LastTx]
	if first == last {
		return []string{last}
	}
	return []string{first, last}
}

// evidence names the first and the last transaction that brought value to each.
func (e *Engine) evidence(ctx context.Context, reached []trace.Reached) (txNames, error) {
	numbers := map[ledger.Chain][]store.TxNumber{}
	for i := range reached {
		r := &reached[i]
		numbers[r.Chain] = append(numbers[r.Chain], store.TxNumber(r.FirstTx), store.TxNumber(r.LastTx))
	}
	names := txNames{}
	for chain, list := range numbers {
		slices.Sort(list)
		list = slices.Compact(list)
		ids, err := e.store.IDs(ctx, chain, list)
		if err != nil {
			return nil, err
		}
		names[chain] = make(map[uint64]string, len(ids))
		for i := range ids {
			names[chain][uint64(list[i])] = chain.FormatHash(ids[i])
		}
	}
	return names, nil
}

// whose is an address of a chain.
type whose struct {
	chain   ledger.Chain
	address ledger.Address
}

// total is what arrived at an address, by asset, up to the last arrival of stolen value.
// An address that is touched too often has none.
type total struct {
	last    store.TxNumber
	byAsset map[ledger.Asset]ledger.Amount
	filling bool
}

func (t total) of(asset ledger.Asset) (ledger.Amount, bool) {
	amount, ok := t.byAsset[asset]
	return amount, ok
}

// maxTouches is how often an address may be touched and still be added up: a share of
// what millions of transactions brought is a service's, whose label says so.
const maxTouches = 2_000

// addUp adds up what arrived at each address, where stolen value came since that was done
// last.
func (e *Engine) addUp(ctx context.Context, reached []trace.Reached, totals map[whose]total) error {
	last := map[whose]store.TxNumber{}
	for i := range reached {
		at := whose{reached[i].Chain, reached[i].Address}
		last[at] = max(last[at], store.TxNumber(reached[i].LastTx))
	}
	ask := map[ledger.Chain][]store.Since{}
	for at, n := range last {
		if t, ok := totals[at]; !ok || t.last != n {
			ask[at.chain] = append(ask[at.chain], store.Since{Address: at.address, Limit: maxTouches + 1})
		}
	}
	for chain, questions := range ask {
		histories, err := e.store.History(ctx, chain, questions)
		if err != nil {
			return err
		}
		if chain.Family() == ledger.UTXO {
			for i, touches := range histories {
				at := whose{chain, questions[i].Address}
				totals[at] = addOutputs(chain, touches, last[at])
			}
			continue
		}
		var numbers []store.TxNumber
		for i, touches := range histories {
			at := whose{chain, questions[i].Address}
			t, visited := beginMovements(touches, last[at])
			totals[at], numbers = t, append(numbers, visited...)
		}
		if err := e.addMovements(ctx, chain, numbers, totals); err != nil {
			return err
		}
	}
	return nil
}

func addOutputs(chain ledger.Chain, touches []store.Touch, last store.TxNumber) total {
	t := total{last: last}
	if len(touches) > maxTouches && touches[maxTouches].Tx <= last {
		return t
	}
	var sum ledger.Amount
	for _, touch := range touches {
		if !touch.Spent && touch.Tx <= last {
			value := ledger.NewAmount(touch.Value)
			sum.Add(&sum, &value)
		}
	}
	t.byAsset = map[ledger.Asset]ledger.Amount{chain.Native(): sum}
	return t
}

// beginMovements is a total to be filled on an account chain, where a touch says no
// amount, and the transactions to look at.
func beginMovements(touches []store.Touch, last store.TxNumber) (t total, numbers []store.TxNumber) {
	t = total{last: last}
	if len(touches) > maxTouches && touches[maxTouches].Tx <= last {
		return t, nil
	}
	t.byAsset, t.filling = map[ledger.Asset]ledger.Amount{}, true
	for _, touch := range touches {
		if touch.Tx <= last {
			numbers = append(numbers, touch.Tx)
		}
	}
	return t, numbers
}

// addMovements fills totals from transactions of an account chain.
func (e *Engine) addMovements(ctx context.Context, chain ledger.Chain, numbers []store.TxNumber, totals map[whose]total) error {
	slices.Sort(numbers)
	for chunk := range slices.Chunk(slices.Compact(numbers), 4096) {
		movements, err := e.store.Movements(ctx, chain, chunk)
		if err != nil {
			return err
		}
		for i := range movements {
			addMovement(chain, &movements[i], totals)
		}
	}
	for at, t := range totals {
		if t.filling {
			t.filling = false
			totals[at] = t
		}
	}
	return nil
}

func addMovement(chain ledger.Chain, m *store.Movement, totals map[whose]total) {
	if m.Tx.Failed {
		return
	}
	for i := range m.Tx.Transfers {
		t := &m.Tx.Transfers[i]
		sum := totals[whose{chain, t.To}]
		if !sum.filling || m.Number > sum.last || t.From == t.To {
			continue
		}
		amount := sum.byAsset[t.Asset]
		_, _ = amount.AddOverflow(&amount, &t.Amount)
		sum.byAsset[t.Asset] = amount
	}
}

// forgetTotals drops what was added up of chains that no longer continue the blocks that
// were held then: their transactions have other numbers.
func (e *Engine) forgetTotals(ctx context.Context, statuses []store.Status) error {
	for i := range statuses {
		s := &statuses[i]
		before, ok := e.ends[s.Chain]
		if !ok || before.Content == s.Content {
			e.ends[s.Chain] = *s
			continue
		}
		same := false
		for h, err := range e.store.Headers(ctx, s.Chain, before.Height) {
			if err != nil {
				return err
			}
			same = h.Height == before.Height && h.Hash == before.Hash && !h.Hash.IsZero()
			break
		}
		if !same {
			maps.DeleteFunc(e.totals, func(at whose, _ total) bool { return at.chain == s.Chain })
			if n := e.known[s.Chain]; n != nil {
				n.forget()
			}
		}
		e.ends[s.Chain] = *s // not before: what could not be compared is compared again
	}
	return nil
}
