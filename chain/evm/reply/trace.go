package reply

import (
	"encoding/hex"
	"errors"
	"math/big"
	"strings"

	"github.com/go-faster/jx"

	"coldtrail/chain/evm"
	"coldtrail/ledger"
)

// TxCalls is the call tree of one transaction.
type TxCalls struct {
	Hash ledger.Hash // zero where the node does not say
	Root evm.Call
	Logs bool // the tracer listed logs
}

// maxDepth bounds the nesting of answers; the EVM allows 1024 calls.
const maxDepth = 1030

// ParseCalls reads the answer of debug_traceBlockByNumber with callTracer.
func ParseCalls(answer []byte) ([]TxCalls, error) {
	var out []TxCalls
	err := list(jx.DecodeBytes(answer), func(d *jx.Decoder, _ int) error {
		out = append(out, TxCalls{})
		tx := &out[len(out)-1]
		return object(d, func(d *jx.Decoder, key []byte) error {
			switch string(key) {
			case "txHash":
				return fixed(d, tx.Hash[:])
			case "result":
				return tx.call(d, &tx.Root, 0)
			case "error":
				text, err := d.Str()
				if err == nil {
					err = errors.New(text)
				}
				return err
			}
			return d.Skip()
		})
	})
	return out, err
}

func (tx *TxCalls) call(d *jx.Decoder, c *evm.Call, depth int) error {
	if depth > maxDepth {
		return errors.New("calls are nested deeper than the EVM allows")
	}
	return object(d, func(d *jx.Decoder, key []byte) (err error) {
		switch string(key) {
		case "type":
			var kind []byte
			kind, err = d.StrBytes()
			c.Kind = evm.KindOfCall(string(kind))
		case "from":
			c.From, err = account(d)
		case "to":
			c.To, err = account(d)
		case "value":
			c.Value, err = amount(d)
		case "error":
			c.Failed = true
			err = d.Skip()
		case "calls":
			err = list(d, func(d *jx.Decoder, _ int) error {
				c.Calls = append(c.Calls, evm.Call{})
				return tx.call(d, &c.Calls[len(c.Calls)-1], depth+1)
			})
		case "logs":
			tx.Logs = true
			err = list(d, func(d *jx.Decoder, _ int) error {
				c.Logs = append(c.Logs, evm.CallLog{})
				return callLog(d, &c.Logs[len(c.Logs)-1])
			})
		default:
			err = d.Skip()
		}
		return err
	})
}

func callLog(d *jx.Decoder, l *evm.CallLog) error {
	return object(d, func(d *jx.Decoder, key []byte) (err error) {
		switch string(key) {
		case "address":
			l.Contract, err = account(d)
		case "position":
			var n uint64
			n, err = number(d)
			l.Position = int(n & 0xffff)
		case "topics":
			err = list(d, func(d *jx.Decoder, i int) error {
				if i > 0 {
					return d.Skip()
				}
				return fixed(d, l.Topic[:])
			})
		default:
			err = d.Skip()
		}
		return err
	})
}

// FlatTrace is one entry of trace_block: a call of the transaction Hash, or what
// the protocol paid where Reward is set.
type FlatTrace struct {
	evm.Flat
	Hash   ledger.Hash
	Reward bool

	typed bool // the call says how it was made
}

// ParseFlat reads the answer of trace_block.
func ParseFlat(answer []byte) ([]FlatTrace, error) {
	var out []FlatTrace
	err := list(jx.DecodeBytes(answer), func(d *jx.Decoder, _ int) error {
		out = append(out, FlatTrace{})
		return out[len(out)-1].read(d)
	})
	return out, err
}

func (f *FlatTrace) read(d *jx.Decoder) error {
	var kind string
	err := object(d, func(d *jx.Decoder, key []byte) (err error) {
		switch string(key) {
		case "transactionHash":
			return fixed(d, f.Hash[:])
		case "type":
			kind, err = d.Str()
		case "error":
			f.Failed = d.Next() != jx.Null
			err = d.Skip()
		case "traceAddress":
			err = list(d, func(d *jx.Decoder, _ int) error {
				n, err := d.UInt32()
				f.Address = append(f.Address, n)
				return err
			})
		case "action":
			err = object(d, f.action)
		case "result":
			err = object(d, func(d *jx.Decoder, key []byte) (err error) {
				if string(key) == "address" { // of a contract created
					f.To, err = account(d)
					return err
				}
				return d.Skip()
			})
		default:
			err = d.Skip()
		}
		return err
	})
	switch {
	case kind == "reward":
		f.Reward = true
	case kind != "call":
		f.Kind = evm.KindOfCall(kind)
	case f.Kind != evm.CallOther || !f.typed:
		f.Kind = evm.CallPlain
	}
	return err
}

// action reads who gave what to whom: from and to of calls, address and
// refundAddress of self-destructs, author of rewards.
func (f *FlatTrace) action(d *jx.Decoder, key []byte) (err error) {
	switch string(key) {
	case "callType":
		var kind []byte
		kind, err = d.StrBytes()
		f.typed, f.Kind = true, evm.KindOfCall(string(kind))
	case "from", "address":
		f.From, err = account(d)
	case "to", "refundAddress", "author":
		f.To, err = account(d)
	case "value", "balance":
		f.Value, err = amount(d)
	default:
		err = d.Skip()
	}
	return err
}

// ParseChanges reads the answer of debug_traceBlockByNumber with prestateTracer in
// its difference mode, and adds up by how much each account's native balance changed.
func ParseChanges(answer []byte) (map[ledger.Address]*big.Int, error) {
	changes := map[ledger.Address]*big.Int{}
	err := list(jx.DecodeBytes(answer), func(d *jx.Decoder, _ int) error {
		var before, after map[ledger.Address]*ledger.Amount
		err := object(d, func(d *jx.Decoder, key []byte) error {
			if string(key) != "result" {
				return d.Skip()
			}
			return object(d, func(d *jx.Decoder, key []byte) (err error) {
				switch string(key) {
				case "pre":
					before, err = states(d)
				case "post":
					after, err = states(d)
				default:
					err = d.Skip()
				}
				return err
			})
		})
		addChanges(changes, before, after)
		return err
	})
	return changes, err
}

// states reads accounts and their balances; nil is an account without a balance in
// the list, which did not change.
func states(d *jx.Decoder) (map[ledger.Address]*ledger.Amount, error) {
	out := map[ledger.Address]*ledger.Amount{}
	return out, object(d, func(d *jx.Decoder, key []byte) error {
		payload, err := hex.DecodeString(strings.TrimPrefix(string(key), "0x"))
		if err != nil || len(payload) != 20 {
			return errors.New("it is no account")
		}
		address := ledger.NewAddress(ledger.EVMAccount, payload)
		out[address] = nil
		return object(d, func(d *jx.Decoder, key []byte) error {
			if string(key) != "balance" {
				return d.Skip()
			}
			balance, err := amount(d)
			out[address] = &balance
			return err
		})
	})
}

// addChanges adds one transaction. An account that is not in the state after it any
// more is gone, with all it had.
func addChanges(changes map[ledger.Address]*big.Int, before, after map[ledger.Address]*ledger.Amount) {
	change := func(a ledger.Address, had, has *ledger.Amount) {
		if changes[a] == nil {
			changes[a] = new(big.Int)
		}
		if has != nil {
			changes[a].Add(changes[a], has.ToBig())
		}
		if had != nil {
			changes[a].Sub(changes[a], had.ToBig())
		}
	}
	for a, had := range before {
		has, there := after[a]
		if there && has == nil {
			continue
		}
		change(a, had, has)
	}
	for a, has := range after {
		if _, there := before[a]; !there {
			change(a, nil, has)
		}
	}
}
