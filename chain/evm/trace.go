package evm

import (
	"cmp"
	"slices"

	"coldtrail/ledger"
)

// CallKind is how a call was made.
type CallKind uint8

// The kinds of call that matter to value. Delegated, static and code calls run in
// the caller's own account and move nothing, whatever value a tracer prints.
const (
	// CallOther moves no value.
	CallOther CallKind = iota
	// CallPlain is CALL.
	CallPlain
	// CallCreate is CREATE or CREATE2.
	CallCreate
	// CallDestroy is SELFDESTRUCT: the balance goes to To.
	CallDestroy
)

// KindOfCall reads a tracer's word for a call: geth's opcode names, or the trace
// types of OpenEthereum's trace module.
func KindOfCall(word string) CallKind {
	switch word {
	case "CALL", "call":
		return CallPlain
	case "CREATE", "CREATE2", "create", "create2":
		return CallCreate
	case "SELFDESTRUCT", "selfdestruct", "suicide":
		return CallDestroy
	}
	return CallOther
}

// Call is one frame of a call tree, as geth's callTracer gives it. The first frame
// is the transaction itself.
type Call struct {
	Kind     CallKind
	From, To ledger.Address
	Value    ledger.Amount // wei
	Failed   bool          // reverted, with all inside it
	Calls    []Call
	Logs     []CallLog
}

// CallLog marks a log within a frame: Position counts the calls before it.
type CallLog struct {
	Position int
	Contract ledger.Address
	Topic    ledger.Hash // the first, or zero
}

// maxDepth is the depth limit of the EVM's call stack.
const maxDepth = 1024

// SetCalls takes a transaction's call tree. With logs in the tree, and the same
// logs as in the receipt, the order of execution is known; else only the moves are.
func (b *Block) SetCalls(tx *Tx, root *Call, withLogs bool) error { //nolint:revive // whether the tracer was asked for logs
	w := callWalk{moves: moves{block: b, created: map[ledger.Address]bool{}}, tx: tx}
	if err := w.frame(root, 0); err != nil {
		return err
	}
	tx.Trace, tx.Steps, tx.Creations = FlatTrace, w.steps, w.creations
	tx.createdBy(root.Kind, root.To, root.Failed)
	if withLogs && w.logs == len(tx.Logs) && !w.other {
		tx.Trace = OrderedTrace
		return nil
	}
	tx.Steps = slices.DeleteFunc(tx.Steps, func(s Step) bool { return s.Log >= 0 })
	return nil
}

// callWalk flattens a call tree in execution order.
type callWalk struct {
	moves
	tx    *Tx
	logs  int  // logs met
	other bool // a log met is not the receipt's
}

func (w *callWalk) frame(c *Call, depth int) error {
	if depth > maxDepth {
		return w.block.fault(w.tx, "its trace is deeper than the %d calls the EVM allows", maxDepth)
	}
	if c.Failed {
		return nil
	}
	w.add(c.Kind, Move{From: c.From, To: c.To, Value: c.Value}, depth > 0)
	next := 0
	for i := range c.Calls {
		next = w.emit(c, next, i)
		if err := w.frame(&c.Calls[i], depth+1); err != nil {
			return err
		}
	}
	w.emit(c, next, len(c.Calls))
	return nil
}

// emit passes the logs of a frame that come before its call number position.
func (w *callWalk) emit(c *Call, next, position int) int {
	for ; next < len(c.Logs) && (c.Logs[next].Position <= position || position == len(c.Calls)); next++ {
		if w.logs >= len(w.tx.Logs) || !c.Logs[next].is(&w.tx.Logs[w.logs]) {
			w.other = true
		}
		w.steps = append(w.steps, Step{Log: w.logs})
		w.logs++
	}
	return next
}

func (c *CallLog) is(l *Log) bool {
	return c.Contract == l.Contract && (len(l.Topics) == 0 && c.Topic.IsZero() || len(l.Topics) > 0 && l.Topics[0] == c.Topic)
}

// createdBy takes the contract that a transaction makes from its first frame, where no
// receipt told it.
func (tx *Tx) createdBy(kind CallKind, contract ledger.Address, failed bool) { //nolint:revive // a fact of the frame
	if kind == CallCreate && !failed && tx.To.IsZero() && tx.Created.IsZero() {
		tx.Created = contract
	}
}

// moves gathers the internal moves and creations of a transaction.
type moves struct {
	block     *Block
	created   map[ledger.Address]bool // contracts the transaction has made so far
	steps     []Step
	creations []Creation // by the calls inside
}

// add adds what a frame moved and made; inner says that it is not the transaction itself. A
// contract that destroys itself in its own favour burns its balance, since Cancun
// only where the same transaction made it; otherwise nothing moves.
func (m *moves) add(kind CallKind, move Move, inner bool) { //nolint:revive // the first frame is the transaction's own value
	if kind == CallCreate {
		m.created[move.To] = true
		if inner {
			m.creations = append(m.creations, Creation{Contract: move.To, Creator: move.From})
		}
	}
	if !inner || kind == CallOther || move.Value.IsZero() {
		return
	}
	if kind == CallDestroy && move.To == move.From {
		if m.block.Cancun && !m.created[move.From] {
			return
		}
		move.To = ledger.Address{}
	}
	m.steps = append(m.steps, Step{Move: move, Log: -1})
}

// Flat is one entry of a flat trace (trace_block of OpenEthereum's trace module,
// traces of ethereum-etl). Address is its path from the transaction's first frame.
type Flat struct {
	Kind     CallKind
	From, To ledger.Address
	Value    ledger.Amount
	Failed   bool
	Address  []uint32
}

// SetFlat takes a transaction's flat trace, in any order.
func (b *Block) SetFlat(tx *Tx, entries []Flat) {
	entries = slices.Clone(entries)
	slices.SortStableFunc(entries, func(x, y Flat) int { return slices.Compare(x.Address, y.Address) })
	m := moves{block: b, created: map[ledger.Address]bool{}}
	var failed []uint32 // path of the frame that was reverted last
	reverted := false
	for i := range entries {
		e := &entries[i]
		if reverted && len(e.Address) >= len(failed) && slices.Equal(e.Address[:len(failed)], failed) {
			continue
		}
		if reverted = e.Failed; reverted {
			failed = e.Address
			continue
		}
		m.add(e.Kind, Move{From: e.From, To: e.To, Value: e.Value}, len(e.Address) > 0)
	}
	tx.Trace, tx.Steps, tx.Creations = FlatTrace, m.steps, m.creations
	if len(entries) > 0 && len(entries[0].Address) == 0 {
		tx.createdBy(entries[0].Kind, entries[0].To, entries[0].Failed)
	}
}

// sortTxs puts transactions in the order of the block and refuses doubles.
func (b *Block) sortTxs() error {
	slices.SortStableFunc(b.Txs, func(x, y Tx) int { return cmp.Compare(x.Index, y.Index) })
	for i := 1; i < len(b.Txs); i++ {
		if b.Txs[i].Index == b.Txs[i-1].Index {
			return b.fault(&b.Txs[i], "another transaction has its position %d", b.Txs[i].Index)
		}
	}
	return nil
}
