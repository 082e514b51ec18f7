package archive

import (
	"context"
	"errors"
	"fmt"

	"coldtrail/ledger"
)

// The bytes of rows that one block may have, so that a hostile file costs bounded
// memory, and what a row costs beside its data.
const (
	maxBlock = 1 << 30
	rowCost  = 200
)

// assembler puts the blocks of one part together from its tables.
type assembler struct {
	n            *notation
	part         *Part
	blocks       *cursor[blockRow]
	transactions *cursor[transactionRow]
	inputs       *cursor[inputRow]
	outputs      *cursor[outputRow]
	transfers    *cursor[transferRow]
	freezes      *cursor[freezeRow]
	messages     *cursor[messageRow]
	openings     *cursor[openingRow]
	cost         int // of the block
}

// readPart yields the blocks of a part with what they cost in bytes.
func readPart(ctx context.Context, dir string, p *Part, n *notation, visit func(b *ledger.Block, cost int) error) (err error) {
	a := &assembler{n: n, part: p}
	defer a.close()
	if err := a.open(dir); err != nil {
		return err
	}
	last, some := ledger.Height(0), false
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		b, err := a.next()
		if err != nil {
			return err
		}
		if b == nil {
			break
		}
		if b.Chain != p.Chain || b.Height < p.First || b.Height > p.Last || some && b.Height <= last {
			return a.blocks.fault(fmt.Errorf("block %d of %q is not due in a part of blocks %d to %d of %s", b.Height, clip(string(b.Chain)), p.First, p.Last, p.Chain))
		}
		last, some = b.Height, true
		if err := visit(b, a.cost); err != nil {
			return err
		}
	}
	return a.finished()
}

func (a *assembler) open(dir string) error {
	var files [claims]File
	for t := range claims {
		files[t].Path = partFile(t, a.part.Number)
		for i := range a.part.Files {
			if a.part.Files[i].Path == files[t].Path {
				files[t] = a.part.Files[i]
			}
		}
	}
	var errs [claims]error
	a.blocks, errs[blocks] = openCursor[blockRow](dir, &files[blocks])
	a.transactions, errs[transactions] = openCursor[transactionRow](dir, &files[transactions])
	a.inputs, errs[inputs] = openCursor[inputRow](dir, &files[inputs])
	a.outputs, errs[outputs] = openCursor[outputRow](dir, &files[outputs])
	a.transfers, errs[transfers] = openCursor[transferRow](dir, &files[transfers])
	a.freezes, errs[freezes] = openCursor[freezeRow](dir, &files[freezes])
	a.messages, errs[messages] = openCursor[messageRow](dir, &files[messages])
	a.openings, errs[openings] = openCursor[openingRow](dir, &files[openings])
	return errors.Join(errs[:]...)
}

func (a *assembler) close() {
	a.blocks.close()
	a.transactions.close()
	a.inputs.close()
	a.outputs.close()
	a.transfers.close()
	a.freezes.close()
	a.messages.close()
	a.openings.close()
}

// finished wants every table to end with the blocks.
func (a *assembler) finished() error {
	return errors.Join(
		ended(a.transactions), ended(a.inputs), ended(a.outputs), ended(a.transfers), ended(a.freezes), ended(a.messages), ended(a.openings),
	)
}

func ended[T any](c *cursor[T]) error {
	row, err := c.next()
	if err == nil && row != nil {
		err = c.fault(errors.New("it belongs to no block"))
	}
	return err
}

// row is a row of a table of blocks.
type row[T any] interface {
	*T
	place() place
}

// due reads the row that must stand at a place, and makes of it what it says.
func due[T, V any, R row[T]](a *assembler, c *cursor[T], at place, read func(R, *notation) (V, error)) (value V, r R, err error) {
	got, err := c.next()
	if err == nil && got == nil {
		err = &Error{File: c.name, Row: c.row + 1, Reason: "the row is missing"}
	}
	if err != nil {
		return value, nil, err
	}
	r = got
	if r.place() != at {
		return value, nil, c.fault(errPlace)
	}
	if value, err = read(r, a.n); err == nil {
		a.cost += rowCost
		if m, ok := any(&value).(*ledger.Message); ok {
			a.cost += len(m.Data)
		}
		if a.cost > maxBlock {
			err = fmt.Errorf("its block is larger than %d bytes", maxBlock)
		}
	}
	if err != nil {
		return value, nil, c.fault(err)
	}
	return value, r, nil
}

// list reads the rows that a transaction or a block has in a table. It takes no memory
// for rows that are only said to be there.
func list[T, V any, R row[T]](a *assembler, c *cursor[T], at place, count uint32, read func(R, *notation) (V, error)) (values []V, err error) {
	for at.index = range count {
		value, _, err := due(a, c, at, read)
		if err != nil {
			return nil, err
		}
		values = append(values, value)
	}
	return values, nil
}

// next puts the next block together; nil at the end.
func (a *assembler) next() (*ledger.Block, error) {
	row, err := a.blocks.next()
	if err != nil || row == nil {
		return nil, err
	}
	a.cost = rowCost
	b, err := row.header()
	if err != nil {
		return nil, a.blocks.fault(err)
	}
	at := place{chain: row.Chain, height: row.Height}
	for i := range row.Transactions {
		at.position, at.index = i, i
		tx, err := a.tx(at)
		if err != nil {
			return nil, err
		}
		b.Txs = append(b.Txs, tx)
	}
	b.Openings, err = list(a, a.openings, place{chain: row.Chain, height: row.Height}, row.Openings, (*openingRow).opening)
	return &b, err
}

// tx puts one transaction together.
func (a *assembler) tx(at place) (ledger.Tx, error) {
	tx, row, err := due(a, a.transactions, at, (*transactionRow).tx)
	if err != nil {
		return tx, err
	}
	counts := *row
	if tx.Inputs, err = list(a, a.inputs, at, counts.Inputs, (*inputRow).outpoint); err != nil {
		return tx, err
	}
	if tx.Outputs, err = list(a, a.outputs, at, counts.Outputs, (*outputRow).output); err != nil {
		return tx, err
	}
	if tx.Transfers, err = list(a, a.transfers, at, counts.Transfers, (*transferRow).transfer); err != nil {
		return tx, err
	}
	if tx.Freezes, err = list(a, a.freezes, at, counts.Freezes, (*freezeRow).freeze); err != nil {
		return tx, err
	}
	tx.Messages, err = list(a, a.messages, at, counts.Messages, (*messageRow).message)
	return tx, err
}
