package scenario

import (
	"strings"

	"coldtrail/chain/evm"
	"coldtrail/ledger"
)

// memo is a text between quotes, with @TX for a transaction's identifier in capitals.
func (p *parser) memo(text string) string {
	text = strings.Trim(strings.TrimSpace(text), "\"")
	before, name, found := strings.Cut(text, "@")
	if !found {
		return text
	}
	end := strings.IndexAny(name, ":|/ ")
	if end < 0 {
		end = len(name)
	}
	return before + strings.ToUpper(p.names.txID(name[:end]).String()) + name[end:]
}

// opReturn is the message of a data output.
func (p *parser) opReturn(output uint32, text string) ledger.Message {
	memo := p.memo(text)
	size := []byte{byte(len(memo))}
	if len(memo) > 75 {
		size = []byte{0x4c, byte(len(memo))}
	}
	return ledger.Message{Kind: ledger.OpReturn, Position: output, Data: append(size, memo...)}
}

// readMessage reads what a THORChain router says, or calldata:
//
//	deposit VAULT AMOUNT ASSET "MEMO"
//	payout VAULT -> NAME AMOUNT ASSET "MEMO"
//	migrate VAULT -> VAULT
//	data "TEXT"
//
// The movements stand beside it. The router is the account of that name.
func (p *parser) readMessage(tx *ledger.Tx, part string) error {
	head, quoted, _ := strings.Cut(part, "\"")
	words := strings.Fields(head)
	memo := p.memo(quoted)
	position := uint32(len(tx.Messages))
	if words[0] == "data" {
		tx.Messages = append(tx.Messages, ledger.Message{Kind: ledger.Calldata, Position: position, Data: []byte(memo)})
		return nil
	}
	want := map[string]int{"deposit": 4, "payout": 6, "migrate": 4}[words[0]]
	if len(words) != want {
		return p.fail("%q: want deposit VAULT AMOUNT ASSET \"MEMO\", payout VAULT -> NAME AMOUNT ASSET \"MEMO\" or migrate VAULT -> VAULT", part)
	}
	router, err := p.names.ParseAddress("router")
	if err != nil {
		return p.fail("%v", err)
	}
	vault, err := p.names.ParseAddress(words[1])
	if err != nil {
		return p.fail("%v", err)
	}
	e := routerEvent{indexed: []ledger.Address{vault}}
	switch words[0] {
	case "deposit":
		e.signature, e.amount, e.asset = "Deposit(address,address,uint256,string)", words[2], words[3]
	case "payout":
		e.signature, e.amount, e.asset = "TransferOut(address,address,address,uint256,string)", words[4], words[5]
	case "migrate":
		e.signature, e.amount, e.asset = "TransferAllowance(address,address,address,uint256,string)", "0", ""
	}
	if words[0] != "deposit" {
		to, err := p.names.ParseAddress(words[3])
		if err != nil {
			return p.fail("%v", err)
		}
		e.indexed = append(e.indexed, to)
	}
	amount, err := ledger.ParseAmount(e.amount)
	if err != nil {
		return p.fail("%v", err)
	}
	e.token = evm.ContractOf(p.names.parseAsset(e.asset))
	tx.Messages = append(tx.Messages, ledger.Message{Kind: ledger.Log, Contract: router, Position: position, Data: e.encode(&amount, memo)})
	return nil
}

// routerEvent is an event of a router before it is encoded.
type routerEvent struct {
	signature     string
	amount, asset string
	indexed       []ledger.Address
	token         ledger.Address
}

// encode writes the event as its log: Deposit(to!, asset!, amount, memo), and
// TransferOut and TransferAllowance(vault!, to!, asset, amount, memo).
func (e *routerEvent) encode(amount *ledger.Amount, memo string) []byte {
	word := func(a ledger.Address) []byte {
		out := make([]byte, 32)
		copy(out[12:], a.Bytes())
		return out
	}
	number := func(n int) []byte {
		amount := ledger.NewAmount(uint64(n))
		out := amount.Bytes32()
		return out[:]
	}
	id := evm.Keccak([]byte(e.signature))
	data := append([]byte{3}, id[:]...)
	for _, a := range e.indexed {
		data = append(data, word(a)...)
	}
	data = append(data, word(e.token)...) // indexed in a deposit, the first parameter otherwise
	value := amount.Bytes32()
	data = append(data, value[:]...)
	offset := 96
	if len(e.indexed) == 1 {
		offset = 64
	}
	data = append(append(data, number(offset)...), number(len(memo))...)
	padded := make([]byte, (len(memo)+31)/32*32)
	copy(padded, memo)
	return append(data, padded...)
}
