package crossing

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"coldtrail/ledger"
)

// Intent is what a memo asks of THORChain or of a fork of it.
type Intent uint8

// The intents.
const (
	// Swap asks for another asset, at the market or at a limit.
	Swap Intent = iota + 1
	// Out says that a vault pays what a deposit asked for.
	Out
	// Refund says that a vault gives a deposit back.
	Refund
	// Migrate says that a vault moves to its successor.
	Migrate
	// Consolidate says that a vault merges its own outputs.
	Consolidate
	// Stay lists everything that leaves value with the network: liquidity, savings,
	// bonds, loans, trade accounts, donations, names.
	Stay
)

// Memo is a memo of THORChain or Maya, taken apart. Source: thornode,
// docs/concepts/memos.md, and x/thorchain/memo.
type Memo struct {
	Intent      Intent
	Function    string // as the network calls it, lower case
	Asset       MemoAsset
	Destination string // may be empty: the sender
	Refund      string
	Limit       ledger.Amount // least to be paid, in units of 1e-8; 0 is none
	Interval    uint64        // blocks between parts of a streaming swap
	Quantity    uint64        // parts of a streaming swap; 0 lets the network choose
	Affiliates  []string
	Shares      []uint64 // of the affiliates, basis points
	Aggregator  string   // end of the contract that swaps the payout on, where one is asked for
	Token       string   // what it is to buy
	Tx          ledger.Hash
}

// MemoAsset is an asset as memos write it: CHAIN.SYMBOL-CONTRACT, where the
// contract may be cut to its end or left out.
type MemoAsset struct {
	Chain    string // upper case
	Form     byte   // '.' on its own chain; '/', '~' and '-' on the network itself
	Symbol   string // upper case
	Contract string // lower case, without 0x, perhaps only its end
}

// maxMemo is the longest memo that the network reads (thornode, constants).
const maxMemo = 250

// ErrNoMemo says that a text is not a memo, nor pretends to be one.
var ErrNoMemo = errors.New("not a memo")

// memoFunctions are the words that begin a memo.
var memoFunctions = map[string]Intent{
	"swap": Swap, "s": Swap, "=": Swap, "=<": Swap,
	"out": Out, "refund": Refund, "migrate": Migrate, "ragnarok": Migrate, "consolidate": Consolidate,
	"add": Stay, "+": Stay, "withdraw": Stay, "wd": Stay, "-": Stay, "donate": Stay, "d": Stay, "reserve": Stay, "bond": Stay, "unbond": Stay,
	"rebond": Stay, "leave": Stay, "name": Stay, "n": Stay, "~": Stay, "loan+": Stay, "$+": Stay, "loan-": Stay, "$-": Stay,
	"trade+": Stay, "trade-": Stay, "secure+": Stay, "secure-": Stay, "pool+": Stay, "pool-": Stay, "x": Stay, "exec": Stay, "switch": Stay,
	"tcy": Stay, "tcy+": Stay, "tcy-": Stay, "maint": Stay, "operator": Stay, "m=<": Stay, "noop": Stay,
}

// ParseMemo takes a memo apart; codes are the network's short names of assets. A
// text that does not begin like a memo is ErrNoMemo; any other error says what is
// wrong with one.
func ParseMemo(text string, codes map[string]string) (*Memo, error) {
	text, _, _ = strings.Cut(text, "|") // what follows is for contracts
	name, rest, more := strings.Cut(text, ":")
	function := strings.ToLower(name)
	intent, ok := memoFunctions[function]
	if !ok {
		return nil, ErrNoMemo
	}
	m := &Memo{Intent: intent, Function: function}
	switch {
	case len(text) > maxMemo:
		return nil, fmt.Errorf("the memo has %d bytes, more than the %d that the network reads", len(text), maxMemo)
	case !isPrintable(text):
		return nil, errors.New("the memo is not printable ASCII")
	case !more && intent != Stay && intent != Consolidate:
		return nil, ErrNoMemo
	}
	var err error
	switch fields := strings.Split(rest, ":"); intent {
	case Swap:
		err = m.readSwap(fields, codes)
	case Out, Refund:
		m.Tx, err = memoHash(fields[0])
	case Migrate:
		if _, bad := strconv.ParseUint(fields[0], 10, 64); bad != nil {
			err = fmt.Errorf("height %q is not a number", fields[0])
		}
	case Consolidate, Stay:
	}
	return m, err
}

func isPrintable(text string) bool {
	for _, c := range []byte(text) {
		if c < 0x20 || c > 0x7e {
			return false
		}
	}
	return true
}

// memoHash reads the transaction that a payout names: 64 digits, or more where an
// EVM prefix or the index of a Cosmos message goes with it.
func memoHash(text string) (ledger.Hash, error) {
	text, _, _ = strings.Cut(text, "-")
	return ledger.ParseHash(strings.TrimPrefix(strings.TrimPrefix(text, "0x"), "0X"))
}

// readSwap reads ASSET:DEST/REFUND:LIM/INTERVAL/QUANTITY:AFF/…:BPS/…:AGG:TOKEN:MIN.
func (m *Memo) readSwap(fields []string, codes map[string]string) (err error) {
	field := func(i int) string {
		if i < len(fields) {
			return fields[i]
		}
		return ""
	}
	if m.Asset, err = parseMemoAsset(field(0), codes); err != nil {
		return err
	}
	m.Destination, m.Refund, _ = strings.Cut(field(1), "/")
	if err := m.readLimit(field(2)); err != nil {
		return err
	}
	if field(3) != "" {
		m.Affiliates = strings.Split(field(3), "/")
	}
	if field(4) != "" {
		for part := range strings.SplitSeq(field(4), "/") {
			share, err := strconv.ParseUint(part, 10, 64)
			if err != nil || share > 10_000 {
				return fmt.Errorf("affiliate share %q is not a number of basis points", part)
			}
			m.Shares = append(m.Shares, share)
		}
	}
	m.Aggregator, m.Token = field(5), field(6)
	return nil
}

// readLimit reads LIM/INTERVAL/QUANTITY; every part may be missing.
func (m *Memo) readLimit(text string) (err error) {
	parts := strings.Split(text, "/")
	if len(parts) > 3 {
		return fmt.Errorf("limit %q has %d parts, want at most 3", text, len(parts))
	}
	if m.Limit, err = memoNumber(parts[0]); err != nil {
		return err
	}
	for i, part := range parts[1:] {
		n, err := memoNumber(part)
		if err != nil || !n.IsUint64() {
			return fmt.Errorf("part %q of a streaming swap is not a number", part)
		}
		if i == 0 {
			m.Interval = n.Uint64()
		} else {
			m.Quantity = n.Uint64()
		}
	}
	return nil
}

// memoNumber reads a whole number, or one in scientific notation: 1e8, 161e6. A
// fraction that is left is cut, as the network does.
func memoNumber(text string) (ledger.Amount, error) {
	if text == "" {
		return ledger.Amount{}, nil
	}
	mantissa, exponent, scientific := strings.Cut(strings.ToLower(text), "e")
	whole, fraction, _ := strings.Cut(mantissa, ".")
	zeros := uint64(0)
	if scientific {
		var err error
		if zeros, err = strconv.ParseUint(strings.TrimPrefix(exponent, "+"), 10, 8); err != nil || zeros > 77 {
			return ledger.Amount{}, fmt.Errorf("number %q has an exponent out of range", text)
		}
	}
	if len(fraction) > 80 {
		return ledger.Amount{}, fmt.Errorf("number %q is too long", text)
	}
	fraction += strings.Repeat("0", int(zeros))
	return ledger.ParseAmount(whole + fraction[:zeros])
}

// parseMemoAsset reads an asset or its short code.
func parseMemoAsset(text string, codes map[string]string) (MemoAsset, error) {
	if full, ok := codes[strings.ToLower(text)]; ok {
		text = full
	}
	at := strings.IndexAny(text, "~./-")
	if at <= 0 || at > 10 || at == len(text)-1 {
		return MemoAsset{}, fmt.Errorf("asset %q: want CHAIN.SYMBOL or a short code", text)
	}
	symbol, contract, _ := strings.Cut(text[at+1:], "-")
	a := MemoAsset{Chain: strings.ToUpper(text[:at]), Form: text[at], Symbol: strings.ToUpper(symbol)}
	a.Contract = strings.TrimPrefix(strings.ToLower(contract), "0x")
	for _, c := range []byte(a.Chain) {
		if (c < 'A' || c > 'Z') && (c < '0' || c > '9') {
			return MemoAsset{}, fmt.Errorf("asset %q: %q is not a chain", text, a.Chain)
		}
	}
	return a, nil
}

// dataOutputs are the bounds within which the network reads a memo out of the
// outputs of a UTXO transaction (thornode, bifrost/pkg/chainclients/utxo).
const (
	memoCut    = 79 // where the rest of a long memo moves to other outputs
	memoMarker = '^'
)

// outputMemo puts the memo of a UTXO transaction together: the pushes of its
// OP_RETURN outputs in order and, where those are full and end in '^', the hashes of
// the P2WPKH and P2PKH outputs behind, which then are text and no addresses.
// carriers are those outputs.
func outputMemo(tx *ledger.Tx) (text string, carriers []uint32) {
	var memo []byte
	marked := false
	for i := range tx.Outputs {
		out := &tx.Outputs[i]
		if data, ok := opReturnAt(tx, uint32(i)); ok {
			memo = append(memo, pushes(data)...)
			if at := strings.IndexByte(string(memo), memoMarker); len(memo) >= memoCut+1 && at >= memoCut {
				marked = true
			}
			continue
		}
		if !marked || len(memo) >= maxMemo || out.Address.Kind != ledger.P2WPKH && out.Address.Kind != ledger.P2PKH {
			continue
		}
		chunk := strings.TrimRight(string(out.Address.Bytes()), "\x00")
		memo = append(memo, chunk...)
		carriers = append(carriers, uint32(i))
		if len(chunk) < 20 {
			break
		}
	}
	text = string(memo)
	if marked {
		text = strings.Replace(text, string(memoMarker), "", 1)
	}
	return text, carriers
}

func opReturnAt(tx *ledger.Tx, output uint32) ([]byte, bool) {
	for i := range tx.Messages {
		if m := &tx.Messages[i]; m.Kind == ledger.OpReturn && m.Position == output {
			return m.Data, true
		}
	}
	return nil, false
}

// pushes joins the data that a script pushes; a malformed script gives what came
// before the fault.
func pushes(script []byte) (data []byte) {
	for len(script) > 0 {
		op := int(script[0])
		size, head := op, 1
		switch {
		case op == 0x4c && len(script) > 1: // OP_PUSHDATA1
			size, head = int(script[1]), 2
		case op == 0x4d && len(script) > 2: // OP_PUSHDATA2
			size, head = int(script[1])|int(script[2])<<8, 3
		case op > 0x4b:
			return data
		}
		if len(script) < head+size {
			return data
		}
		data = append(data, script[head:head+size]...)
		script = script[head+size:]
	}
	return data
}
