package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"coldtrail/ledger"
	"coldtrail/server"
	"coldtrail/store"
)

// position is where a page ended: after so many transfers of a transaction, in a block.
// The block's hash vouches for everything before it.
type position struct {
	number store.TxNumber
	id     ledger.Hash
	block  ledger.Hash
	given  int
}

func (p *position) String() string {
	return fmt.Sprintf("%d.%s.%s.%d", p.number, p.id, p.block, p.given)
}

func parsePosition(text string) (p position, err error) {
	bad := refuse(server.ErrInvalid, "the cursor is none of this list; ask without one to begin")
	parts := strings.Split(text, ".")
	if len(parts) != 4 {
		return p, bad
	}
	number, err1 := strconv.ParseUint(parts[0], 10, 64)
	id, err2 := ledger.ParseHash(parts[1])
	block, err3 := ledger.ParseHash(parts[2])
	given, err4 := strconv.ParseUint(parts[3], 10, 31)
	if errors.Join(err1, err2, err3, err4) != nil {
		return p, bad
	}
	return position{store.TxNumber(number), id, block, int(given)}, nil
}

// stands says whether a page may go on after a position: its transaction is where it was,
// in the same block.
func (l *storeLedger) stands(ctx context.Context, v *chainView, p *position) error {
	gone := refuse(server.ErrGone, "the list cannot go on after transaction %s: since then it was taken out of the chain, or a block before it was; ask without a cursor to begin again", v.chain.FormatHash(p.id))
	if p.number >= v.end() {
		return gone
	}
	ids, err := l.store.IDs(ctx, v.chain, []store.TxNumber{p.number})
	if err != nil {
		return err
	}
	if ids[0] != p.id {
		return gone
	}
	h, err := l.holding(ctx, v, p.number)
	if err != nil {
		return err
	}
	if h.Hash != p.block {
		return gone
	}
	return nil
}

// holding is the block that holds a transaction.
func (l *storeLedger) holding(ctx context.Context, v *chainView, number store.TxNumber) (store.Header, error) {
	if v.chain.Family() == ledger.UTXO {
		txs, err := l.store.Transactions(ctx, v.chain, []store.TxNumber{number})
		if err != nil {
			return store.Header{}, err
		}
		return l.header(ctx, v.chain, txs[0].Height)
	}
	movements, err := l.store.Movements(ctx, v.chain, []store.TxNumber{number})
	if err != nil {
		return store.Header{}, err
	}
	return l.header(ctx, v.chain, movements[0].Height)
}

// Transfers gives a page of what visited an address. A page may be shorter than asked and
// have another behind it.
func (l *storeLedger) Transfers(ctx context.Context, chain ledger.Chain, address string, page server.Page) (list []server.Transfer, next string, err error) {
	err = l.steadily(ctx, chain, func(v *chainView) error {
		list, next = nil, ""
		a, err := v.address(address)
		if err != nil {
			return err
		}
		from := position{}
		if page.After != "" {
			if from, err = parsePosition(page.After); err != nil {
				return err
			}
			if err := l.stands(ctx, v, &from); err != nil {
				return err
			}
		}
		var after *position
		list, after, err = l.page(ctx, v, a, from, page.Limit)
		switch {
		case err != nil:
			return err
		case after != nil:
			h, err := l.holding(ctx, v, after.number)
			after.block, next = h.Hash, ""
			if err != nil {
				return err
			}
			next = after.String()
		case len(list) == 0 && page.After == "":
			return l.holdsAnything(ctx, v, a)
		}
		return nil
	})
	return list, next, err
}

// holdsAnything is nil for an address of which the ledger holds something, if only what it
// held before all that is in the ledger.
func (l *storeLedger) holdsAnything(ctx context.Context, v *chainView, a ledger.Address) error {
	touches, err := l.touching(ctx, v, a, 0, 1)
	if err != nil || len(touches) > 0 {
		return err
	}
	s, err := l.summary(ctx, v, a)
	if err != nil {
		return err
	}
	_, err = l.describe(ctx, v, v.notation.FormatAddress(a), s)
	return err
}

// pageBuilder fills a page of transfers.
type pageBuilder struct {
	from  position
	limit int
	list  []server.Transfer
	after *position // where the page ends so far
}

// take adds what a transaction moved, and says whether the page is full before its end.
func (b *pageBuilder) take(tx *visited) (full bool) {
	moves, room := tx.moves, b.limit-len(b.list)
	if tx.number == b.from.number {
		moves = moves[min(b.from.given, len(moves)):]
	}
	for i := range moves[:min(room, len(moves))] {
		b.list = append(b.list, moves[i].Transfer)
	}
	left := max(0, len(moves)-room)
	if left == 0 || room > 0 {
		b.after = &position{number: tx.number, id: tx.id, given: len(tx.moves) - left}
	}
	return left > 0
}

// page lists transfers after a position, and says where it ended if that was not the end.
func (l *storeLedger) page(ctx context.Context, v *chainView, a ledger.Address, from position, limit int) ([]server.Transfer, *position, error) {
	b := &pageBuilder{from: from, limit: max(limit, 1)}
	for looked, number := 0, from.number; looked <= mostLooked; {
		touches, err := l.touching(ctx, v, a, number, b.limit+1)
		if err != nil {
			return nil, nil, err
		}
		for chunk := range slices.Chunk(touches, readAtOnce) {
			txs, err := l.moves(ctx, v, a, chunk)
			if err != nil {
				return nil, nil, err
			}
			if slices.ContainsFunc(txs, func(tx visited) bool { return b.take(&tx) }) {
				return b.list, b.after, nil
			}
		}
		if len(touches) <= b.limit {
			return b.list, nil, nil
		}
		looked += len(touches)
		number = touches[len(touches)-1].number + 1
	}
	return b.list, b.after, nil
}
