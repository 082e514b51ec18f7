package etl

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"coldtrail/chain/bitcoin"
	"coldtrail/ledger"
)

// txLine is a transaction as exported.
type txLine struct {
	Hash     string       `json:"hash"`
	Index    uint32       `json:"index"`
	Coinbase bool         `json:"is_coinbase"`
	Inputs   []inputLine  `json:"inputs"`
	Outputs  []outputLine `json:"outputs"`
}

type inputLine struct {
	Tx     *string `json:"spent_transaction_hash"`
	Output *uint32 `json:"spent_output_index"`
	Script *string `json:"script_hex"`
}

type outputLine struct {
	Index     int      `json:"index"`
	ScriptHex *string  `json:"script_hex"`
	Addresses []string `json:"addresses"`
	Value     uint64   `json:"value"`
}

// maxMoney is the most satoshi that can exist.
const maxMoney = 21_000_000 * 100_000_000

func parseTx(text []byte, notation bitcoin.Notation) (tx ledger.Tx, err error) {
	var line txLine
	if err := json.Unmarshal(text, &line); err != nil {
		return tx, err
	}
	tx.Index, tx.Coinbase = line.Index, line.Coinbase
	if tx.ID, err = ledger.ParseHash(line.Hash); err != nil {
		return tx, fmt.Errorf("hash: %w", err)
	}
	if line.Coinbase != (line.Index == 0) {
		return tx, errors.New("is_coinbase: the first transaction of a block is the coinbase, and no other")
	}
	if !line.Coinbase {
		if tx.Inputs, err = parseInputs(line.Inputs); err == nil {
			tx.Open, err = opens(line.Inputs)
		}
		if err != nil {
			return tx, err
		}
	}
	var total uint64
	for i := range line.Outputs {
		o := &line.Outputs[i]
		if total += o.Value; o.Value > maxMoney || total > maxMoney {
			return tx, fmt.Errorf("outputs[%d].value: out of range", i)
		}
		if o.Index != i {
			return tx, fmt.Errorf("outputs[%d].index: is %d", i, o.Index)
		}
		if err := addOutput(&tx, o, notation); err != nil {
			return tx, fmt.Errorf("outputs[%d]: %w", i, err)
		}
	}
	if len(tx.Outputs) == 0 {
		return tx, errors.New("outputs: there is none")
	}
	return tx, nil
}

func parseInputs(lines []inputLine) ([]ledger.Outpoint, error) {
	if len(lines) == 0 {
		return nil, errors.New("inputs: there is none")
	}
	inputs := make([]ledger.Outpoint, len(lines))
	for i, in := range lines {
		if in.Tx == nil || in.Output == nil {
			return nil, fmt.Errorf("inputs[%d]: the spent output is missing", i)
		}
		id, err := ledger.ParseHash(*in.Tx)
		if err != nil {
			return nil, fmt.Errorf("inputs[%d].spent_transaction_hash: %w", i, err)
		}
		inputs[i] = ledger.Outpoint{Tx: id, Index: *in.Output}
	}
	return inputs, nil
}

// opens says that an input script has a signature that lets others add inputs.
// Exports have no witnesses.
func opens(lines []inputLine) (open bool, err error) {
	for i, in := range lines {
		if in.Script == nil {
			continue
		}
		script, err := hex.DecodeString(*in.Script)
		if err != nil {
			return false, fmt.Errorf("inputs[%d].script_hex: it is not hexadecimal", i)
		}
		open = open || bitcoin.AnyoneCanPay(script)
	}
	return open, nil
}

// addOutput classifies the script, or where the export leaves it out takes the
// single address it names.
func addOutput(tx *ledger.Tx, o *outputLine, notation bitcoin.Notation) error {
	out := ledger.Output{Value: o.Value}
	if o.ScriptHex == nil {
		if len(o.Addresses) != 1 {
			return errors.New("script_hex is missing, and there is not one address")
		}
		var err error
		if out.Address, err = notation.ParseAddress(o.Addresses[0]); err != nil {
			return err
		}
		tx.Outputs = append(tx.Outputs, out)
		return nil
	}
	script, err := hex.DecodeString(*o.ScriptHex)
	if err != nil {
		return errors.New("script_hex is not hexadecimal")
	}
	address, class := bitcoin.Classify(script)
	out.Address, out.Unspendable = address, class == bitcoin.NullData || class == bitcoin.Oversized
	if class == bitcoin.NullData {
		tx.Messages = append(tx.Messages, ledger.Message{Kind: ledger.OpReturn, Position: uint32(len(tx.Outputs)), Data: script[1:]})
	}
	tx.Outputs = append(tx.Outputs, out)
	return nil
}
