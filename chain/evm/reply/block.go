package reply

import (
	"errors"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/go-faster/jx"
	"github.com/holiman/uint256"

	"coldtrail/chain/evm"
	"coldtrail/chain/evm/proof"
	"coldtrail/ledger"
)

// Block is a block as a node states it, with its whole transactions.
type Block struct {
	Hash   ledger.Hash // as stated
	Header types.Header
	Txs    []Tx
	Uncles []common.Hash // their headers are asked for apart

	Withdrawals []*types.Withdrawal
	// Known is false where the node does not have the block.
	Known bool
}

// Tx is a transaction as a node states it. Body is nil for the types that only
// rollups know; Ledger's words are filled for every type.
type Tx struct {
	Body   *types.Transaction
	Stated evm.Tx
}

// ParseBlock reads the answer of eth_getBlockByNumber or eth_getBlockByHash with
// whole transactions.
func ParseBlock(answer []byte) (*Block, error) {
	b := &Block{}
	b.Header.Difficulty, b.Header.Number = new(big.Int), new(big.Int)
	d := jx.DecodeBytes(answer)
	b.Known = d.Next() != jx.Null
	if err := object(d, b.field); err != nil {
		return nil, err
	}
	if b.Known && b.Hash.IsZero() {
		return nil, &FieldError{Field: "hash", Reason: "the block has none"}
	}
	return b, nil
}

// ParseHeader reads a block without looking at its transactions, and the hash that
// the node states; nil where the node does not have it.
func ParseHeader(answer []byte) (*types.Header, ledger.Hash, error) {
	b := &Block{}
	b.Header.Difficulty, b.Header.Number = new(big.Int), new(big.Int)
	d := jx.DecodeBytes(answer)
	if d.Next() == jx.Null {
		return nil, ledger.Hash{}, d.Null()
	}
	err := object(d, func(d *jx.Decoder, key []byte) error {
		switch string(key) {
		case "transactions", "withdrawals", "uncles":
			return d.Skip()
		}
		return b.field(d, key)
	})
	return &b.Header, b.Hash, err
}

func (b *Block) field(d *jx.Decoder, key []byte) (err error) {
	h := &b.Header
	switch string(key) {
	case "hash":
		return fixed(d, b.Hash[:])
	case "transactions":
		return list(d, func(d *jx.Decoder, _ int) error {
			tx, err := parseTx(d)
			b.Txs = append(b.Txs, tx)
			return err
		})
	case "uncles":
		return list(d, func(d *jx.Decoder, _ int) error {
			uncle, err := hash(d)
			b.Uncles = append(b.Uncles, uncle)
			return err
		})
	case "withdrawals":
		return list(d, func(d *jx.Decoder, _ int) error {
			w := &types.Withdrawal{}
			b.Withdrawals = append(b.Withdrawals, w)
			return object(d, withdrawalField(w))
		})
	case "number":
		return big256(d, &h.Number)
	case "difficulty":
		return big256(d, &h.Difficulty)
	case "baseFeePerGas":
		return big256(d, &h.BaseFee)
	case "gasLimit":
		h.GasLimit, err = number(d)
	case "gasUsed":
		h.GasUsed, err = number(d)
	case "timestamp":
		h.Time, err = number(d)
	case "blobGasUsed":
		h.BlobGasUsed, err = optional(d)
	case "excessBlobGas":
		h.ExcessBlobGas, err = optional(d)
	case "slotNumber":
		h.SlotNumber, err = optional(d)
	default:
		return b.bytesField(d, key)
	}
	return err
}

// bytesField reads the header's fields that are bytes.
func (b *Block) bytesField(d *jx.Decoder, key []byte) (err error) {
	h := &b.Header
	switch string(key) {
	case "parentHash":
		return fixed(d, h.ParentHash[:])
	case "sha3Uncles":
		return fixed(d, h.UncleHash[:])
	case "miner":
		return fixed(d, h.Coinbase[:])
	case "stateRoot":
		return fixed(d, h.Root[:])
	case "transactionsRoot":
		return fixed(d, h.TxHash[:])
	case "receiptsRoot":
		return fixed(d, h.ReceiptHash[:])
	case "logsBloom":
		return fixed(d, h.Bloom[:])
	case "mixHash":
		return fixed(d, h.MixDigest[:])
	case "nonce":
		return fixed(d, h.Nonce[:])
	case "extraData":
		h.Extra, err = octets(d, nil)
		return err
	case "withdrawalsRoot":
		return optionalHash(d, &h.WithdrawalsHash)
	case "parentBeaconBlockRoot":
		return optionalHash(d, &h.ParentBeaconRoot)
	case "requestsHash":
		return optionalHash(d, &h.RequestsHash)
	case "blockAccessListHash":
		return optionalHash(d, &h.BlockAccessListHash)
	}
	return d.Skip()
}

// big256 reads a quantity into a big integer; null leaves it as it is.
func big256(d *jx.Decoder, into **big.Int) error {
	if d.Next() == jx.Null {
		return d.Null()
	}
	a, err := amount(d)
	*into = a.ToBig()
	return err
}

func optional(d *jx.Decoder) (*uint64, error) {
	if d.Next() == jx.Null {
		return nil, d.Null()
	}
	n, err := number(d)
	return &n, err
}

func optionalHash(d *jx.Decoder, into **common.Hash) error {
	if d.Next() == jx.Null {
		return d.Null()
	}
	h, err := hash(d)
	*into = &h
	return err
}

func withdrawalField(w *types.Withdrawal) func(*jx.Decoder, []byte) error {
	return func(d *jx.Decoder, key []byte) (err error) {
		switch string(key) {
		case "index":
			w.Index, err = number(d)
		case "validatorIndex":
			w.Validator, err = number(d)
		case "address":
			err = fixed(d, w.Address[:])
		case "amount":
			w.Amount, err = number(d)
		default:
			err = d.Skip()
		}
		return err
	}
}

// Verify checks the stated hash against the header and joins the block with its
// receipts and uncles in the terms of the consensus rules.
func (b *Block) Verify(receipts []Receipt, uncles []*types.Header) (*proof.Parts, error) {
	p := &proof.Parts{Header: &b.Header}
	if got := p.Hash(); got != b.Hash {
		return nil, &proof.Error{Block: p.Height(), Part: "header", Reason: fmt.Sprintf("its hash is 0x%s, the node says 0x%s", got, b.Hash)}
	}
	for i := range b.Txs {
		if b.Txs[i].Body == nil {
			return nil, &proof.Error{Block: p.Height(), Part: "transactions", Reason: fmt.Sprintf("transaction 0x%s has a type that Ethereum does not know", b.Txs[i].Stated.Hash)}
		}
		p.Body.Transactions = append(p.Body.Transactions, b.Txs[i].Body)
	}
	p.Body.Uncles, p.Body.Withdrawals = uncles, b.Withdrawals
	for i := range receipts {
		p.Receipts = append(p.Receipts, &receipts[i].Receipt)
	}
	return p, p.Verify()
}

// Stated is the block as the node states it, hashes, senders and gas unchecked.
func (b *Block) Stated(receipts []Receipt, uncles []*types.Header) (*evm.Block, error) {
	h := &b.Header
	if len(receipts) != len(b.Txs) {
		return nil, &FieldError{Field: "receipts", Reason: fmt.Sprintf("%d for %d transactions", len(receipts), len(b.Txs))}
	}
	if !h.Number.IsUint64() || h.Time > 1<<62 {
		return nil, &FieldError{Field: "number", Reason: "it does not fit 64 bits"}
	}
	out := &evm.Block{
		Number: ledger.Height(h.Number.Uint64()), Hash: b.Hash, Parent: ledger.Hash(h.ParentHash), Time: int64(h.Time),
		Producer: ledger.NewAddress(ledger.EVMAccount, h.Coinbase[:]), Cancun: h.ExcessBlobGas != nil,
	}
	if h.BaseFee != nil {
		out.BaseFee.SetFromBig(h.BaseFee)
	}
	for _, uncle := range uncles {
		out.Uncles = append(out.Uncles, evm.Uncle{Number: ledger.Height(uncle.Number.Uint64()), Producer: ledger.NewAddress(ledger.EVMAccount, uncle.Coinbase[:])})
	}
	for _, w := range b.Withdrawals {
		out.Withdrawals = append(out.Withdrawals, evm.Withdrawal{Address: ledger.NewAddress(ledger.EVMAccount, w.Address[:]), Gwei: w.Amount})
	}
	for i := range receipts {
		tx, r := b.Txs[i].Stated, &receipts[i]
		if r.Hash != tx.Hash {
			return nil, &FieldError{Field: fmt.Sprintf("receipts[%d]", i), Reason: fmt.Sprintf("it is of transaction 0x%s, want 0x%s", r.Hash, tx.Hash)}
		}
		tx.Index = uint32(i)
		r.fill(&tx)
		out.Txs = append(out.Txs, tx)
	}
	return out, nil
}

// One is the block with one transaction and its receipt, unchecked but for the
// block's hash, which must follow from its header.
func (b *Block) One(index int, receipt *Receipt) (*evm.Block, error) {
	part := *b
	part.Txs, part.Withdrawals = b.Txs[index:index+1], nil
	if got := ledger.Hash(b.Header.Hash()); got != b.Hash {
		return nil, &FieldError{Field: "hash", Reason: fmt.Sprintf("the header gives 0x%s, the answer says 0x%s", got, b.Hash)}
	}
	out, err := part.Stated([]Receipt{*receipt}, nil)
	if err != nil {
		return nil, err
	}
	out.Txs[0].Index = uint32(index)
	out.Rewards = []evm.Move{} // of a part of a block nothing is said of rewards
	return out, nil
}

// txFields are a transaction's fields as they stand in JSON.
type txFields struct {
	kind                        uint64
	nonce, gas                  uint64
	to                          *common.Address
	input                       []byte
	chain, gasPrice, tip, limit ledger.Amount
	blobLimit, v, r, s, parity  ledger.Amount
	hasParity                   bool
	blobs                       []common.Hash
	access                      types.AccessList
	authorizations              []types.SetCodeAuthorization
}

func parseTx(d *jx.Decoder) (tx Tx, err error) {
	var f txFields
	if d.Next() == jx.String {
		return tx, errors.New("the block has only hashes; whole transactions were asked for")
	}
	err = object(d, func(d *jx.Decoder, key []byte) (err error) {
		switch string(key) {
		case "hash":
			return fixed(d, tx.Stated.Hash[:])
		case "from":
			tx.Stated.From, err = account(d)
		case "value":
			tx.Stated.Value, err = amount(d)
		case "mint":
			tx.Stated.Minted, err = amount(d)
		case "type":
			f.kind, err = number(d)
		case "nonce":
			f.nonce, err = number(d)
		case "gas":
			f.gas, err = number(d)
		case "to":
			f.to, err = address(d)
		case "input":
			f.input, err = octets(d, nil)
		default:
			return f.field(d, key)
		}
		return err
	})
	if err != nil {
		return tx, err
	}
	tx.Stated.GasPrice = f.gasPrice
	tx.Stated.Calls = len(f.input) > 0 || f.to == nil
	tx.Stated.Note = evm.NoteOf(f.input)
	if f.to != nil {
		tx.Stated.To = ledger.NewAddress(ledger.EVMAccount, f.to[:])
	}
	tx.Body = f.body(&tx.Stated.Value)
	return tx, nil
}

func (f *txFields) field(d *jx.Decoder, key []byte) (err error) {
	switch string(key) {
	case "chainId":
		f.chain, err = amount(d)
	case "gasPrice":
		f.gasPrice, err = amount(d)
	case "maxPriorityFeePerGas":
		f.tip, err = amount(d)
	case "maxFeePerGas":
		f.limit, err = amount(d)
	case "maxFeePerBlobGas":
		f.blobLimit, err = amount(d)
	case "v":
		f.v, err = amount(d)
	case "r":
		f.r, err = amount(d)
	case "s":
		f.s, err = amount(d)
	case "yParity":
		f.parity, err = amount(d)
		f.hasParity = true
	case "blobVersionedHashes":
		err = list(d, func(d *jx.Decoder, _ int) error {
			blob, err := hash(d)
			f.blobs = append(f.blobs, blob)
			return err
		})
	case "accessList":
		err = list(d, func(d *jx.Decoder, _ int) error {
			f.access = append(f.access, types.AccessTuple{StorageKeys: []common.Hash{}})
			return object(d, accessField(&f.access[len(f.access)-1]))
		})
	case "authorizationList":
		err = list(d, func(d *jx.Decoder, _ int) error {
			f.authorizations = append(f.authorizations, types.SetCodeAuthorization{})
			return object(d, authorizationField(&f.authorizations[len(f.authorizations)-1]))
		})
	default:
		err = d.Skip()
	}
	return err
}

func accessField(a *types.AccessTuple) func(*jx.Decoder, []byte) error {
	return func(d *jx.Decoder, key []byte) error {
		switch string(key) {
		case "address":
			return fixed(d, a.Address[:])
		case "storageKeys":
			return list(d, func(d *jx.Decoder, _ int) error {
				slot, err := hash(d)
				a.StorageKeys = append(a.StorageKeys, slot)
				return err
			})
		}
		return d.Skip()
	}
}

func authorizationField(a *types.SetCodeAuthorization) func(*jx.Decoder, []byte) error {
	return func(d *jx.Decoder, key []byte) (err error) {
		switch string(key) {
		case "chainId":
			a.ChainID, err = amount(d)
		case "address":
			err = fixed(d, a.Address[:])
		case "nonce":
			a.Nonce, err = number(d)
		case "yParity", "v":
			var parity uint64
			parity, err = number(d)
			a.V = uint8(parity & 1)
		case "r":
			a.R, err = amount(d)
		case "s":
			a.S, err = amount(d)
		default:
			err = d.Skip()
		}
		return err
	}
}

// body is the transaction in the terms of the consensus rules, or nil for types
// that Ethereum does not know.
func (f *txFields) body(value *ledger.Amount) *types.Transaction {
	parity := f.v
	if f.hasParity {
		parity = f.parity
	}
	big := func(a ledger.Amount) *big.Int { return a.ToBig() }
	copied := func(a ledger.Amount) *uint256.Int { return &a }
	switch f.kind {
	case types.LegacyTxType:
		return types.NewTx(&types.LegacyTx{
			Nonce: f.nonce, GasPrice: big(f.gasPrice), Gas: f.gas, To: f.to, Value: big(*value), Data: f.input, V: big(f.v), R: big(f.r), S: big(f.s),
		})
	case types.AccessListTxType:
		return types.NewTx(&types.AccessListTx{
			ChainID: big(f.chain), Nonce: f.nonce, GasPrice: big(f.gasPrice), Gas: f.gas, To: f.to, Value: big(*value), Data: f.input,
			AccessList: f.access, V: big(parity), R: big(f.r), S: big(f.s),
		})
	case types.DynamicFeeTxType:
		return types.NewTx(&types.DynamicFeeTx{
			ChainID: big(f.chain), Nonce: f.nonce, GasTipCap: big(f.tip), GasFeeCap: big(f.limit), Gas: f.gas, To: f.to, Value: big(*value),
			Data: f.input, AccessList: f.access, V: big(parity), R: big(f.r), S: big(f.s),
		})
	}
	if f.to == nil { // the types below cannot create contracts
		return nil
	}
	switch f.kind {
	case types.BlobTxType:
		return types.NewTx(&types.BlobTx{
			ChainID: copied(f.chain), Nonce: f.nonce, GasTipCap: copied(f.tip), GasFeeCap: copied(f.limit), Gas: f.gas, To: *f.to, Value: copied(*value),
			Data: f.input, AccessList: f.access, BlobFeeCap: copied(f.blobLimit), BlobHashes: f.blobs, V: copied(parity), R: copied(f.r), S: copied(f.s),
		})
	case types.SetCodeTxType:
		return types.NewTx(&types.SetCodeTx{
			ChainID: copied(f.chain), Nonce: f.nonce, GasTipCap: copied(f.tip), GasFeeCap: copied(f.limit), Gas: f.gas, To: *f.to, Value: copied(*value),
			Data: f.input, AccessList: f.access, AuthList: f.authorizations, V: copied(parity), R: copied(f.r), S: copied(f.s),
		})
	}
	return nil
}

// ParseNumber reads an answer that is one quantity.
func ParseNumber(answer []byte) (uint64, error) { return number(jx.DecodeBytes(answer)) }

// ParseAmount reads an answer that is one quantity of up to 256 bits, or a word that
// a contract returned. No bytes at all, as an account without code returns, are 0.
func ParseAmount(answer []byte) (ledger.Amount, error) {
	return amount(jx.DecodeBytes(answer))
}

// ParseTxHeight reads the block number of an answer of eth_getTransactionByHash; ok
// is false where the node does not have the transaction in a block.
func ParseTxHeight(answer []byte) (height ledger.Height, ok bool, err error) {
	err = object(jx.DecodeBytes(answer), func(d *jx.Decoder, key []byte) error {
		if string(key) != "blockNumber" || d.Next() == jx.Null {
			return d.Skip()
		}
		n, err := number(d)
		height, ok = ledger.Height(n), true
		return err
	})
	return height, ok, err
}

// Page is a page of Otterscan's search: the blocks of the transactions found. Newest
// says that nothing newer follows.
type Page struct {
	Heights []ledger.Height
	Newest  bool
}

// ParseSearch reads the answer of ots_searchTransactionsAfter.
func ParseSearch(answer []byte) (page Page, err error) {
	err = object(jx.DecodeBytes(answer), func(d *jx.Decoder, key []byte) (err error) {
		switch string(key) {
		case "txs":
			return list(d, func(d *jx.Decoder, _ int) error {
				return object(d, func(d *jx.Decoder, key []byte) error {
					if string(key) != "blockNumber" {
						return d.Skip()
					}
					n, err := number(d)
					page.Heights = append(page.Heights, ledger.Height(n))
					return err
				})
			})
		case "firstPage":
			page.Newest, err = d.Bool()
			return err
		}
		return d.Skip()
	})
	return page, err
}
