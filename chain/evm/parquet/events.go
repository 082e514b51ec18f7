package parquet

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"coldtrail/chain/evm"
	"coldtrail/ledger"
)

// transferTopic is the first topic of EIP-20's Transfer event.
var transferTopic = evm.Keccak([]byte("Transfer(address,address,uint256)"))

// logs gives transactions their events: from the table logs, or where there is none
// from token_transfers.
func (a *assembly) logs() error {
	at, read := logs, a.log
	if len(a.rows[logs]) == 0 {
		at, read = tokenTransfers, a.token
	}
	seen := map[uint32]bool{}
	for _, r := range a.rows[at] {
		i, l, err := read(r)
		if err != nil {
			return err
		}
		if seen[l.Index] {
			return r.bad("log %d of block %d is there twice", l.Index, a.number)
		}
		seen[l.Index] = true
		a.block.Txs[i].Logs = append(a.block.Txs[i].Logs, l)
	}
	for i := range a.block.Txs {
		slices.SortFunc(a.block.Txs[i].Logs, func(x, y evm.Log) int { return cmp.Compare(x.Index, y.Index) })
	}
	return nil
}

// log reads a row of the table logs, and which transaction it belongs to.
func (a *assembly) log(r *row) (i int, l evm.Log, err error) {
	if i, err = a.find(r, logTxHash, logTxIndex); err != nil {
		return i, l, err
	}
	if l.Index, err = take(r, logIndex, smallOf); err != nil {
		return i, l, err
	}
	if l.Contract, err = take(r, logAddress, addressOf); err != nil {
		return i, l, err
	}
	if l.Data, err = maybe(r, logData, (*leaf).payload); err != nil {
		return i, l, err
	}
	l.Topics, err = topicsOf(r)
	return i, l, err
}

// topicsOf reads the topics of a log: a list, or four columns of which the first that
// is empty ends them.
func topicsOf(r *row) (topics []ledger.Hash, err error) {
	if at := r.leaves[logTopics]; at != nil {
		for _, v := range r.list {
			topic, err := hashOf(at, v)
			if err != nil {
				return nil, r.fault(logTopics, err)
			}
			topics = append(topics, topic)
		}
		return topics, nil
	}
	ended := false
	for column := logTopic0; column <= logTopic3; column++ {
		if !r.has(column) {
			ended = true
			continue
		}
		if ended {
			return nil, r.fault(column, errors.New("the topic follows one that is missing"))
		}
		topic, err := take(r, column, hashOf)
		if err != nil {
			return nil, err
		}
		topics = append(topics, topic)
	}
	return topics, nil
}

// token reads a row of token_transfers as the event that it was made of.
func (a *assembly) token(r *row) (i int, l evm.Log, err error) {
	if i, err = a.find(r, tokenTxHash, -1); err != nil {
		return i, l, err
	}
	if l.Index, err = take(r, tokenLogIndex, smallOf); err != nil {
		return i, l, err
	}
	if l.Contract, err = take(r, tokenContract, addressOf); err != nil {
		return i, l, err
	}
	l.Topics = []ledger.Hash{transferTopic}
	for _, column := range []int{tokenFrom, tokenTo} {
		who, err := take(r, column, addressOf)
		if err != nil {
			return i, l, err
		}
		var word ledger.Hash
		copy(word[12:], who.Bytes())
		l.Topics = append(l.Topics, word)
	}
	amount, err := take(r, tokenValue, (*leaf).amount)
	word := amount.Bytes32()
	l.Data = word[:]
	return i, l, err
}

// traces gives transactions their internal moves, and the block its rewards.
func (a *assembly) traces() error {
	flats := make([][]evm.Flat, len(a.block.Txs))
	for _, r := range a.rows[traces] {
		if !r.has(traceTxHash) {
			if err := a.issue(r); err != nil {
				return err
			}
			continue
		}
		i, err := a.find(r, traceTxHash, traceTxIndex)
		if err != nil {
			return err
		}
		flat, err := flatOf(r)
		if err != nil {
			return err
		}
		flats[i] = append(flats[i], flat)
	}
	for _, r := range a.rows[transactions] {
		hash, err := take(r, txHash, hashOf)
		if err != nil {
			return err
		}
		i := a.byHash[hash]
		if err := a.settle(r, &a.block.Txs[i], flats[i]); err != nil {
			return err
		}
	}
	return nil
}

// settle takes the trace of one transaction. A transaction whose first frame is not
// there has none, and is marked so.
func (a *assembly) settle(r *row, tx *evm.Tx, flat []evm.Flat) error {
	slices.SortStableFunc(flat, func(x, y evm.Flat) int { return slices.Compare(x.Address, y.Address) })
	for i := 1; i < len(flat); i++ {
		if slices.Equal(flat[i].Address, flat[i-1].Address) {
			return r.bad("the trace of transaction 0x%s has two entries at %v", tx.Hash, flat[i].Address)
		}
	}
	if len(flat) == 0 || len(flat[0].Address) > 0 {
		return nil
	}
	if !r.has(txStatus) {
		tx.Failed = flat[0].Failed
	}
	if flat[0].Failed && !tx.Failed {
		return r.bad("transaction 0x%s succeeded by its receipt and failed by its trace", tx.Hash)
	}
	a.block.SetFlat(tx, flat)
	return nil
}

// flatOf reads a row of the table traces.
func flatOf(r *row) (f evm.Flat, err error) {
	kind, err := take(r, traceType, textOf)
	if err != nil {
		return f, err
	}
	if kind == "call" {
		if kind, err = take(r, traceCall, textOf); err != nil {
			return f, err
		}
	}
	f.Kind = evm.KindOfCall(kind)
	if f.From, err = maybe(r, traceFrom, addressOf); err != nil {
		return f, err
	}
	if f.To, err = maybe(r, traceTo, addressOf); err != nil {
		return f, err
	}
	if f.Kind == evm.CallCreate && f.To.IsZero() {
		if f.To, err = maybe(r, traceCreated, addressOf); err != nil {
			return f, err
		}
	}
	if f.Value, err = maybe(r, traceValue, (*leaf).amount); err != nil {
		return f, err
	}
	if f.Failed, err = failed(r); err != nil {
		return f, err
	}
	path, err := maybe(r, tracePath, textOf)
	if err != nil {
		return f, err
	}
	if f.Address, err = pathOf(path); err != nil {
		return f, r.fault(tracePath, err)
	}
	if f.Kind != evm.CallOther && !f.Failed && !f.Value.IsZero() && (f.From.IsZero() || f.To.IsZero()) {
		return f, r.bad("a call moves %s wei, and one of its accounts is missing", f.Value.Dec())
	}
	return f, nil
}

// failed says that a call was reverted.
func failed(r *row) (bool, error) {
	reason, err := maybe(r, traceError, textOf)
	if err != nil || reason != "" {
		return err == nil, err
	}
	if !r.has(traceStatus) {
		if r.leaves[traceError] == nil {
			return false, r.fault(traceStatus, errEmpty)
		}
		return false, nil
	}
	good, err := take(r, traceStatus, (*leaf).flag)
	return !good, err
}

// maxPath is the depth limit of the EVM's call stack.
const maxPath = 1024

// pathOf reads the place of a call in its tree: numbers with commas between them, or
// with underscores.
func pathOf(text string) (path []uint32, err error) {
	text = strings.Trim(text, "[]")
	if text == "" {
		return nil, nil
	}
	for _, word := range strings.FieldsFunc(text, func(c rune) bool { return c == ',' || c == '_' || c == ' ' }) {
		n, err := strconv.ParseUint(word, 10, 31)
		if err != nil {
			return nil, fmt.Errorf("%q is no place in a tree of calls", clip([]byte(text)))
		}
		if path = append(path, uint32(n)); len(path) > maxPath {
			return nil, fmt.Errorf("the call is deeper than the %d the EVM allows", maxPath)
		}
	}
	return path, nil
}

// issue reads a trace that belongs to no transaction: what the protocol paid or, in
// two historic blocks, placed and moved.
func (a *assembly) issue(r *row) error {
	kind, err := take(r, traceType, textOf)
	if err != nil {
		return err
	}
	from, err := maybe(r, traceFrom, addressOf)
	if err != nil {
		return err
	}
	to, err := maybe(r, traceTo, addressOf)
	if err != nil {
		return err
	}
	wei, err := take(r, traceValue, (*leaf).amount)
	if err != nil {
		return err
	}
	switch kind {
	case "reward", "genesis":
		if to.IsZero() {
			to = from // cryo names the author there
		}
		if to.IsZero() {
			return r.fault(traceTo, errEmpty)
		}
		a.block.Rewards = append(a.block.Rewards, evm.Move{To: to, Value: wei})
	case "daofork":
		if from.IsZero() || to.IsZero() {
			return r.fault(traceTo, errEmpty)
		}
		a.forced = append(a.forced, ledger.Transfer{From: from, To: to, Amount: wei, LogIndex: ledger.NoLog})
	default:
		return r.fault(traceType, fmt.Errorf("%q belongs to a transaction, and none is named", clip([]byte(kind))))
	}
	return nil
}
