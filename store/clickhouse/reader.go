package clickhouse

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"

	"coldtrail/ledger"
	"coldtrail/store"
)

// Status lists the chains held.
func (s *Store) Status(ctx context.Context) ([]store.Status, error) {
	list, err := s.seals(ctx, "")
	if err != nil {
		return nil, err
	}
	out := []store.Status{}
	for _, one := range list {
		if one.Blocks > 0 {
			out = append(out, one.status())
		}
	}
	return out, nil
}

// A headed block is what the table of headers says.
type headed struct {
	mark
	hash, parent ledger.Hash
	provenance   uint8
	txs          uint32
	openings     string
}

func scanHeaded(r scanned) (h headed, err error) {
	return h, r.Scan(&h.height, &h.tx, &h.output, &h.time, (*[32]byte)(&h.hash), (*[32]byte)(&h.parent), &h.provenance, &h.txs, &h.openings)
}

// heightsAtOnce is how many heights a question about a range covers.
const heightsAtOnce = 4 * perShard

// between asks each shard for the rows of a range of heights.
func (v *view) between(selected string, low, high uint64, end string) (questions []question) {
	touched := map[int]bool{}
	for at := low / perShard; at <= high/perShard; at++ {
		if shard := v.store.byHeight(at * perShard); !touched[shard] {
			touched[shard] = true
			questions = append(questions, question{shard, selected + v.where(fmt.Sprintf("height >= %d AND height <= %d", low, high)) + end})
		}
	}
	return questions
}

// headers reads the headers of a range, in order.
func (v *view) headers(ctx context.Context, low, high uint64) (found []headed, err error) {
	t := v.trip()
	ask(t, v.between("SELECT height, first_tx, first_output, time, hash, parent, provenance, txs, openings FROM "+v.store.t("headers"), low, high, ""), scanHeaded, &found)
	if err := t.run(ctx); err != nil {
		return nil, err
	}
	slices.SortFunc(found, func(a, b headed) int { return int(a.height) - int(b.height) })
	return found, nil
}

// headersFrom yields the headers from one height to another, a range at a time. Ranges
// without blocks, which exports have, are stepped over by the directory.
func (v *view) headersFrom(ctx context.Context, from, to uint64) iter.Seq2[[]headed, error] {
	return func(yield func([]headed, error) bool) {
		directory, err := v.refresh(ctx)
		if err != nil {
			yield(nil, err)
			return
		}
		to = min(to, v.Height)
		for low := max(from, v.First); low <= to; {
			at, _ := slices.BinarySearchFunc(directory, low/perPage, func(m mark, n uint64) int { return int(m.height/perPage) - int(n) })
			if at == len(directory) {
				return
			}
			low = max(low, directory[at].height)
			if low > to {
				return
			}
			high := min(to, (low/heightsAtOnce+1)*heightsAtOnce-1)
			found, err := v.headers(ctx, low, high)
			if err != nil {
				yield(nil, err)
				return
			}
			if len(found) > 0 && !yield(found, nil) {
				return
			}
			low = high + 1
		}
	}
}

// A run of blocks is read at once: so many transactions at most, unless one block has more.
const runTxs = 65_536

// runs cuts headers into runs of contiguous heights.
func (v *view) runs(ctx context.Context, from, to uint64) iter.Seq2[[]headed, error] {
	return func(yield func([]headed, error) bool) {
		for found, err := range v.headersFrom(ctx, from, to) {
			if err != nil {
				yield(nil, err)
				return
			}
			for len(found) > 0 {
				n, txs := 1, found[0].txs
				for n < len(found) && found[n].height == found[n-1].height+1 && txs+found[n].txs <= runTxs {
					txs += found[n].txs
					n++
				}
				if !yield(found[:n], nil) {
					return
				}
				found = found[n:]
			}
		}
	}
}

// Headers yields headers from a height on.
func (s *Store) Headers(ctx context.Context, chain ledger.Chain, from ledger.Height) iter.Seq2[store.Header, error] {
	return func(yield func(store.Header, error) bool) {
		v, err := s.view(ctx, chain)
		if err != nil {
			yield(store.Header{}, err)
			return
		}
		for found, err := range v.headersFrom(ctx, uint64(from), beyond) {
			if err != nil {
				yield(store.Header{}, err)
				return
			}
			for _, h := range found {
				header := store.Header{
					Height: ledger.Height(h.height), Hash: h.hash, Time: h.time, Provenance: ledger.Provenance(h.provenance), FirstTx: store.TxNumber(h.tx), Txs: h.txs,
				}
				if !yield(header, nil) {
					return
				}
			}
		}
	}
}

// Find gives the numbers of transactions.
func (s *Store) Find(ctx context.Context, chain ledger.Chain, ids []ledger.Hash) ([]store.TxNumber, error) {
	v, err := s.view(ctx, chain)
	if err != nil {
		return nil, err
	}
	wanted := map[string]bool{}
	for i := range ids {
		wanted[string(ids[i][:])] = true
	}
	found, err := v.identified(ctx, sorted(wanted))
	if err != nil {
		return nil, err
	}
	marks, err := v.blocks(ctx, heightsOf(found, func(p parent) uint64 { return p.height }))
	if err != nil {
		return nil, err
	}
	byID := newestByID(found)
	out := make([]store.TxNumber, len(ids))
	for i, id := range ids {
		out[i] = store.NoTx
		if p, ok := byID[id]; ok {
			out[i] = store.TxNumber(marks[p.height].tx + uint64(p.position))
		}
	}
	return out, nil
}

// IDs gives the identifiers of transactions.
func (s *Store) IDs(ctx context.Context, chain ledger.Chain, numbers []store.TxNumber) ([]ledger.Hash, error) {
	v, err := s.view(ctx, chain)
	if err != nil {
		return nil, err
	}
	places, err := v.transactions(ctx, numbers)
	if err != nil || len(numbers) == 0 {
		return []ledger.Hash{}, err
	}
	ids, err := v.ids(ctx, distinct(places))
	if err != nil {
		return nil, err
	}
	out := make([]ledger.Hash, len(numbers))
	for i, place := range places {
		out[i] = ids[place.seat()]
	}
	return out, nil
}

// A posting is one appearance of an address.
type posting struct {
	address string
	seat    // the transaction
	spent   uint8
	made    uint64
	output  uint32
	value   uint64
}

// History gives what touched addresses: one statement on each shard, however many they are.
func (s *Store) History(ctx context.Context, chain ledger.Chain, questions []store.Since) ([][]store.Touch, error) {
	v, err := s.view(ctx, chain)
	if err != nil {
		return nil, err
	}
	starts, err := v.starts(ctx, questions)
	if err != nil {
		return nil, err
	}
	limits, order := limitsOf(questions)
	postings, err := v.postings(ctx, order, starts, limits)
	if err != nil {
		return nil, err
	}
	marks, err := v.blocks(ctx, postedIn(postings))
	if err != nil {
		return nil, err
	}
	byAddress := map[string][]store.Touch{}
	for _, p := range postings {
		touch := store.Touch{Tx: store.TxNumber(marks[p.height].tx + uint64(p.at)), Output: store.NoOutput}
		if chain.Family() == ledger.UTXO {
			touch.Output, touch.Value, touch.Spent = store.OutputNumber(marks[p.made].output+uint64(p.output)), p.value, p.spent == 1
		}
		byAddress[p.address] = append(byAddress[p.address], touch)
	}
	out := make([][]store.Touch, len(questions))
	for i, q := range questions {
		touches := byAddress[addressBytes(q.Address)]
		at, _ := slices.BinarySearchFunc(touches, q.From, func(t store.Touch, n store.TxNumber) int {
			if t.Tx < n {
				return -1
			}
			return 1
		})
		touches = touches[at:]
		if q.Limit > 0 && len(touches) > q.Limit {
			touches = touches[:q.Limit]
		}
		out[i] = append([]store.Touch{}, touches...)
	}
	return out, nil
}

// starts gives, for each address, the earliest transaction that is asked for, packed into
// one number; addresses that are asked for from the beginning are left out.
func (v *view) starts(ctx context.Context, questions []store.Since) (map[string]uint64, error) {
	starts := map[string]uint64{}
	var numbers []store.TxNumber
	var of []string
	whole := map[string]bool{}
	for _, q := range questions {
		address := addressBytes(q.Address)
		switch {
		case q.From == 0:
			whole[address] = true
		case uint64(q.From) >= v.Txs:
			starts[address] = min(beyond, orBeyond(starts, address))
		default:
			numbers, of = append(numbers, q.From), append(of, address)
		}
	}
	places, err := v.transactions(ctx, numbers)
	if err != nil {
		return nil, err
	}
	for i, place := range places {
		starts[of[i]] = min(place.height<<32|uint64(place.at), orBeyond(starts, of[i]))
	}
	for address := range whole {
		delete(starts, address)
	}
	return starts, nil
}

func orBeyond(starts map[string]uint64, address string) uint64 {
	if have, ok := starts[address]; ok {
		return have
	}
	return beyond
}

// limitsOf gives how many touches each address may have, 0 for all, and the addresses in
// order. An address that is asked for twice is read whole.
func limitsOf(questions []store.Since) (map[string]int, []string) {
	limits := map[string]int{}
	for _, q := range questions {
		address := addressBytes(q.Address)
		if _, twice := limits[address]; twice {
			limits[address] = 0
		} else {
			limits[address] = q.Limit
		}
	}
	order := make([]string, 0, len(limits))
	for address := range limits {
		order = append(order, address)
	}
	slices.Sort(order)
	return limits, order
}

// postings reads the appearances of addresses in chain order: those with a limit in one
// statement, those without in another, of the same trip.
func (v *view) postings(ctx context.Context, addresses []string, starts map[string]uint64, limits map[string]int) (all []posting, err error) {
	var bounded, whole []string
	most := 0
	for _, address := range addresses {
		if limits[address] > 0 {
			bounded = append(bounded, address)
			most = max(most, limits[address])
		} else {
			whole = append(whole, address)
		}
	}
	t := v.trip()
	const order = " ORDER BY address, height, position, spent, made, output"
	v.askPostings(t, whole, starts, order, &all)
	v.askPostings(t, bounded, starts, fmt.Sprintf("%s LIMIT %d BY address", order, most), &all)
	if err := t.run(ctx); err != nil {
		return nil, err
	}
	slices.SortFunc(all, comparePostings)
	return all, nil
}

func comparePostings(a, b posting) int {
	if c := strings.Compare(a.address, b.address); c != 0 {
		return c
	}
	if c := compareSeats(a.seat, b.seat); c != 0 {
		return c
	}
	if a.spent != b.spent {
		return int(a.spent) - int(b.spent)
	}
	return compareSeats(seat{a.made, a.output}, seat{b.made, b.output})
}

func (v *view) askPostings(t *trip, addresses []string, starts map[string]uint64, end string, into *[]posting) {
	scan := func(r scanned) (p posting, err error) {
		return p, r.Scan(&p.address, &p.height, &p.at, &p.spent, &p.made, &p.output, &p.value)
	}
	ask(t, about(v.store, addresses, v.store.byText, func(piece []string) string {
		return "SELECT address, height, position, spent, made, output, value FROM " + v.store.t("postings") + v.where("address IN "+list(piece, quote)+since(piece, starts)) + end
	}), scan, into)
}

// since is the condition that a posting lies at or after what is asked of its address.
func since(addresses []string, starts map[string]uint64) string {
	var named []string
	var from []uint64
	for _, address := range addresses {
		if start, ok := starts[address]; ok {
			named, from = append(named, address), append(from, start)
		}
	}
	if len(named) == 0 {
		return ""
	}
	lowest := uint64(0)
	if len(named) == len(addresses) {
		lowest = slices.Min(from) >> 32
	}
	return fmt.Sprintf(" AND height >= %d AND bitOr(bitShiftLeft(height, 32), toUInt64(position)) >= transform(address, %s, %s, toUInt64(0))",
		lowest, array(named, quote), array(from, func(n uint64) string { return "toUInt64(" + decimal(n) + ")" }))
}

// array writes an array of literals.
func array[T any](items []T, write func(T) string) string {
	text := list(items, write)
	return "[" + text[1:len(text)-1] + "]"
}

// postedIn lists the blocks that postings name.
func postedIn(postings []posting) []uint64 {
	var heights []uint64
	for _, p := range postings {
		heights = append(heights, p.height)
		if p.spent == 1 {
			heights = append(heights, p.made)
		}
	}
	slices.Sort(heights)
	return slices.Compact(heights)
}
