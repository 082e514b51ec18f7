package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"coldtrail/ledger"
	"coldtrail/screen/exposure"
	"coldtrail/server"
	"coldtrail/store"
)

// The bounds of what is added up of an address.
const (
	mostNeighbourTxs = 20_000
	mostNeighbours   = 100_000
	shownNeighbours  = 3 // transactions that are named
)

// neighbourKey is what one row adds up.
type neighbourKey struct {
	other ledger.Address
	out   bool
	asset ledger.Asset
}

// neighbourhood is what was added up.
type neighbourhood struct {
	q        *server.NeighbourQuestion
	v        *chainView
	rows     map[neighbourKey]*server.Neighbour
	last     map[neighbourKey]store.TxNumber
	looked   int
	complete bool
}

// Neighbours adds up who an address had to do with. A page is of the chain as it was for
// the first page, which is GONE where blocks were taken back since.
func (l storeGraphs) Neighbours(ctx context.Context, chain ledger.Chain, address string, q *server.NeighbourQuestion) (answer *server.Neighbours, err error) {
	err = l.steadily(ctx, chain, func(v *chainView) error {
		a, err := v.address(address)
		if err != nil {
			return err
		}
		given, v, err := l.resumed(ctx, v, q.Page.After)
		if err != nil {
			return err
		}
		n := &neighbourhood{q: q, v: v, rows: map[neighbourKey]*server.Neighbour{}, last: map[neighbourKey]store.TxNumber{}, complete: true}
		if err := l.addUp(ctx, n, a); err != nil {
			return err
		}
		if n.looked == 0 && q.Page.After == "" {
			if err := l.holdsAnything(ctx, v, a); err != nil {
				return err
			}
		}
		answer, err = n.page(given)
		if err != nil {
			return err
		}
		keepers := l.keepers(v)
		for i := range answer.Items {
			if answer.Items[i].Entity, answer.Items[i].Service, err = keepers.of(ctx, answer.Items[i].Address); err != nil {
				return err
			}
		}
		return nil
	})
	return answer, err
}

// resumed reads a cursor: so many rows were given, of the chain up to a block.
func (l storeGraphs) resumed(ctx context.Context, v *chainView, cursor string) (int, *chainView, error) {
	if cursor == "" {
		return 0, v, nil
	}
	parts := strings.Split(cursor, ".")
	if len(parts) != 3 {
		return 0, v, errCursor
	}
	given, err1 := strconv.ParseUint(parts[0], 10, 31)
	height, err2 := strconv.ParseUint(parts[1], 10, 63)
	if err1 != nil || err2 != nil {
		return 0, v, errCursor
	}
	h, err := l.header(ctx, v.chain, ledger.Height(height))
	if err != nil {
		return 0, v, err
	}
	if h.Height != ledger.Height(height) || headName(&h) != parts[2] {
		return 0, v, refuse(server.ErrGone, "the list cannot go on: block %d was taken out of the chain since; ask without a cursor to begin again", height)
	}
	return int(given), &chainView{chain: v.chain, notation: v.notation, head: h}, nil
}

var errCursor = refuse(server.ErrInvalid, "the cursor is none of this list; ask without one to begin")

// headName names a block also where the source gave no hash.
func headName(h *store.Header) string { return fmt.Sprintf("%s-%d", h.Hash, h.FirstTx) }

// addUp goes through the transactions of an address.
func (l storeGraphs) addUp(ctx context.Context, n *neighbourhood, a ledger.Address) error {
	from, err := l.firstAfter(ctx, n.v, n.q.Since)
	if err != nil {
		return err
	}
	numbers, more, err := l.touched(ctx, n.v, a, from, mostNeighbourTxs)
	if err != nil {
		return err
	}
	n.complete = !more
	for chunk := range slices.Chunk(numbers, readAtOnce) {
		list, err := l.passages(ctx, n.v, a, chunk)
		if err != nil {
			return err
		}
		n.looked += len(chunk)
		for i := range list {
			n.add(&list[i])
		}
		if len(list) > 0 && n.q.Until != 0 && list[len(list)-1].time > n.q.Until+clockSlack {
			n.complete = true // what follows is later still
			return nil
		}
		if len(n.rows) > mostNeighbours {
			n.complete = false
			return nil
		}
	}
	return nil
}

// add adds one passage, if it is asked for.
func (n *neighbourhood) add(p *passage) {
	q := n.q
	switch {
	case p.time < q.Since, q.Until != 0 && p.time > q.Until:
		return
	case q.Direction == "in" && p.out, q.Direction == "out" && !p.out:
		return
	case q.Asset != "" && p.asset != q.Asset:
		return
	}
	key := neighbourKey{p.other, p.out, p.asset}
	row := n.rows[key]
	if row == nil {
		row = &server.Neighbour{Address: n.v.notation.FormatAddress(p.other), Direction: exposure.Received, Asset: p.asset, First: p.time, Last: p.time, Txs: []string{}}
		if p.out {
			row.Direction = exposure.Sent
		}
		n.rows[key] = row
	}
	plus(&row.Amount.Amount, &p.amount)
	row.Transfers++
	row.First, row.Last = min(row.First, p.time), max(row.Last, p.time)
	row.Shared = row.Shared || p.shared
	if len(row.Txs) < shownNeighbours && (len(row.Txs) == 0 || n.last[key] != p.number) {
		row.Txs = append(row.Txs, n.v.chain.FormatHash(p.id))
	}
	n.last[key] = p.number
}

// page gives the rows after those that were given.
func (n *neighbourhood) page(given int) (*server.Neighbours, error) {
	rows := make([]*server.Neighbour, 0, len(n.rows))
	for _, row := range n.rows {
		if !row.Amount.Lt(&n.q.Least) {
			rows = append(rows, row)
		}
	}
	slices.SortFunc(rows, func(a, b *server.Neighbour) int {
		return cmp.Or(cmp.Compare(b.Transfers, a.Transfers), cmp.Compare(b.Last, a.Last), cmp.Compare(a.Address, b.Address), cmp.Compare(a.Direction, b.Direction), cmp.Compare(a.Asset, b.Asset))
	})
	if given > len(rows) {
		return nil, errCursor
	}
	answer := &server.Neighbours{Items: []server.Neighbour{}, Looked: n.looked, Complete: n.complete, Total: len(rows)}
	for _, row := range rows[given:min(len(rows), given+n.q.Page.Limit)] {
		answer.Items = append(answer.Items, *row)
	}
	if given += len(answer.Items); given < len(rows) {
		answer.Next = fmt.Sprintf("%d.%d.%s", given, n.v.head.Height, headName(&n.v.head))
	}
	return answer, nil
}
