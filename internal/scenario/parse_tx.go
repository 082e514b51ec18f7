package scenario

import (
	"math"
	"strconv"
	"strings"

	"coldtrail/ledger"
)

// readTx reads one transaction of the open block: `NAME BODY`.
func (p *parser) readTx(text string) error {
	name, body, ok := strings.Cut(text, " ")
	if !ok {
		return p.fail("want `NAME ...`, a transaction")
	}
	if p.txs[name] {
		return p.fail("transaction %q is there already", name)
	}
	tx := ledger.Tx{ID: p.names.txID(name), Index: uint32(len(p.block.Txs))}
	var err error
	if p.names.chain.Family() == ledger.UTXO {
		err = p.readOutputs(&tx, strings.TrimSpace(body))
	} else {
		err = p.readMovements(&tx, strings.TrimSpace(body))
	}
	if err != nil {
		return err
	}
	p.txs[name] = true
	p.s.home[name] = p.names.chain
	p.block.Txs = append(p.block.Txs, tx)
	return nil
}

// readOutputs reads `mint -> NAME N, ...` or `TX:N, ... -> NAME N, ...`. An
// output to opreturn is unspendable. What the outputs leave is the fee.
func (p *parser) readOutputs(tx *ledger.Tx, body string) error {
	left, right, ok := strings.Cut(body, "->")
	if !ok {
		return p.fail("want `INPUTS -> OUTPUTS`")
	}
	if left = strings.TrimSpace(left); left == "mint" {
		tx.Coinbase = true
	} else {
		for input := range strings.SplitSeq(left, ",") {
			name, vout, _ := strings.Cut(strings.TrimSpace(input), ":")
			index, err := strconv.ParseUint(vout, 10, 32)
			if err != nil {
				return p.fail("input %q: want TX:N or mint", strings.TrimSpace(input))
			}
			tx.Inputs = append(tx.Inputs, ledger.Outpoint{Tx: p.names.txID(name), Index: uint32(index)})
		}
	}
	for output := range strings.SplitSeq(right, ",") {
		words := strings.Fields(output)
		if text, ok := strings.CutPrefix(strings.TrimSpace(output), "memo "); ok {
			tx.Outputs = append(tx.Outputs, ledger.Output{Unspendable: true})
			tx.Messages = append(tx.Messages, p.opReturn(uint32(len(tx.Outputs)-1), text))
			continue
		}
		if len(words) != 2 {
			return p.fail("output %q: want NAME AMOUNT", strings.TrimSpace(output))
		}
		value, err := strconv.ParseUint(words[1], 10, 64)
		if err != nil || value > math.MaxInt64 {
			return p.fail("amount %q is not a whole number of satoshi", words[1])
		}
		out := ledger.Output{Value: value}
		if words[0] == "opreturn" {
			out.Unspendable = true
		} else if out.Address, err = p.names.ParseAddress(words[0]); err != nil {
			return p.fail("%v", err)
		}
		tx.Outputs = append(tx.Outputs, out)
	}
	return nil
}

// readMovements reads `[failed] FROM -> TO AMOUNT [ASSET] ; ... ; fee [burned N] [tip N]`.
func (p *parser) readMovements(tx *ledger.Tx, body string) error {
	if rest, ok := strings.CutPrefix(body, "failed "); ok {
		tx.Failed, body = true, rest
	}
	for part := range strings.SplitSeq(body, ";") {
		words := strings.Fields(part)
		if len(words) == 0 {
			return p.fail("an empty movement")
		}
		var err error
		switch words[0] {
		case "fee":
			err = p.readFee(tx, words[1:])
		case "freeze", "unfreeze":
			err = p.readFreeze(tx, words)
		case "deposit", "payout", "migrate", "data":
			err = p.readMessage(tx, strings.TrimSpace(part))
		default:
			err = p.readMovement(tx, words)
		}
		if err != nil {
			return err
		}
	}
	if tx.Fee.Payer.IsZero() && len(tx.Transfers) > 0 {
		tx.Fee.Payer = tx.Transfers[0].From
	}
	return nil
}

func (p *parser) readMovement(tx *ledger.Tx, words []string) error {
	if len(words) < 4 || len(words) > 5 || words[1] != "->" {
		return p.fail("movement %q: want FROM -> TO AMOUNT [ASSET]", strings.Join(words, " "))
	}
	t := ledger.Transfer{Asset: p.names.parseAsset(at(words, 4)), LogIndex: ledger.NoLog}
	var err error
	if t.From, err = p.names.ParseAddress(words[0]); err != nil {
		return p.fail("%v", err)
	}
	if t.To, err = p.names.ParseAddress(words[2]); err != nil {
		return p.fail("%v", err)
	}
	if t.Amount, err = ledger.ParseAmount(words[3]); err != nil {
		return p.fail("%v", err)
	}
	tx.Transfers = append(tx.Transfers, t)
	return nil
}

// readFreeze reads `freeze NAME ASSET` or `unfreeze NAME ASSET`.
func (p *parser) readFreeze(tx *ledger.Tx, words []string) error {
	if len(words) != 3 {
		return p.fail("want `%s NAME ASSET`", words[0])
	}
	holder, err := p.names.ParseAddress(words[1])
	if err != nil {
		return p.fail("%v", err)
	}
	tx.Freezes = append(tx.Freezes, ledger.Freeze{
		Holder: holder, Asset: p.names.parseAsset(words[2]), Lifted: words[0] == "unfreeze", After: uint32(len(tx.Transfers)),
	})
	return nil
}

// readFee reads `fee [by NAME] [burned N] [tip N] [to NAME]` or `fee N`, a tip.
func (p *parser) readFee(tx *ledger.Tx, words []string) error {
	if len(words) == 1 {
		words = []string{"tip", words[0]}
	}
	for len(words) >= 2 {
		var err error
		switch words[0] {
		case "by":
			tx.Fee.Payer, err = p.names.ParseAddress(words[1])
		case "to":
			tx.Fee.Producer, err = p.names.ParseAddress(words[1])
		case "burned":
			tx.Fee.Burned, err = ledger.ParseAmount(words[1])
		case "tip":
			tx.Fee.Tip, err = ledger.ParseAmount(words[1])
		default:
			return p.fail("fee: %q is unknown; use by, burned, tip, to", words[0])
		}
		if err != nil {
			return p.fail("%v", err)
		}
		words = words[2:]
	}
	if len(words) != 0 {
		return p.fail("want `fee N` or `fee [by NAME] [burned N] [tip N] [to NAME]`")
	}
	return nil
}
