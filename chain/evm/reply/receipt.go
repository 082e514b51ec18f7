package reply

import (
	"bytes"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/go-faster/jx"

	"coldtrail/chain/evm"
	"coldtrail/ledger"
)

// Receipt is a receipt as a node states it.
type Receipt struct {
	types.Receipt
	Hash      ledger.Hash // of its transaction
	Block     ledger.Hash
	GasUsed   uint64
	GasPrice  ledger.Amount // effective; Priced says that it was stated
	Priced    bool
	BlobGas   uint64
	BlobPrice ledger.Amount
	DataFee   ledger.Amount // l1Fee of rollups
	Created   ledger.Address
	Known     bool
}

// ParseReceipts reads the answer of eth_getBlockReceipts, or a list of answers of
// eth_getTransactionReceipt.
func ParseReceipts(answer []byte) ([]Receipt, error) {
	var out []Receipt
	p := receiptParser{}
	err := list(jx.DecodeBytes(answer), func(d *jx.Decoder, _ int) error {
		out = append(out, Receipt{})
		return p.receipt(d, &out[len(out)-1])
	})
	for i := range out {
		out[i].Bloom = types.CreateBloom(&out[i].Receipt)
	}
	return out, err
}

// receiptParser keeps the bytes of all logs together: blocks have hundreds of them.
type receiptParser struct {
	data   []byte
	topics []common.Hash
}

func (p *receiptParser) receipt(d *jx.Decoder, r *Receipt) error {
	r.Known = d.Next() != jx.Null
	return object(d, func(d *jx.Decoder, key []byte) (err error) {
		switch string(key) {
		case "transactionHash":
			return fixed(d, r.Hash[:])
		case "blockHash":
			return fixed(d, r.Block[:])
		case "type":
			var kind uint64
			kind, err = number(d)
			r.Type = uint8(kind & 0xff)
		case "status":
			r.Status, err = number(d)
		case "root":
			r.PostState, err = octets(d, nil)
		case "cumulativeGasUsed":
			r.CumulativeGasUsed, err = number(d)
		case "gasUsed":
			r.GasUsed, err = number(d)
		case "effectiveGasPrice":
			r.GasPrice, err = amount(d)
			r.Priced = true
		case "blobGasUsed":
			r.BlobGas, err = number(d)
		case "blobGasPrice":
			r.BlobPrice, err = amount(d)
		case "l1Fee":
			r.DataFee, err = amount(d)
		case "contractAddress":
			r.Created, err = account(d)
		case "logs":
			err = list(d, func(d *jx.Decoder, _ int) error {
				l := &types.Log{}
				r.Logs = append(r.Logs, l)
				return p.log(d, l)
			})
		default:
			err = d.Skip()
		}
		return err
	})
}

func (p *receiptParser) log(d *jx.Decoder, l *types.Log) error {
	return object(d, func(d *jx.Decoder, key []byte) (err error) {
		switch string(key) {
		case "address":
			return fixed(d, l.Address[:])
		case "topics":
			from := len(p.topics)
			err = list(d, func(d *jx.Decoder, _ int) error {
				topic, err := hash(d)
				p.topics = append(p.topics, topic)
				return err
			})
			l.Topics = p.topics[from:len(p.topics):len(p.topics)]
		case "logIndex":
			var index uint64
			index, err = number(d)
			l.Index = uint(index)
		case "data":
			from := len(p.data)
			p.data, err = octets(d, p.data)
			l.Data = p.data[from:len(p.data):len(p.data)]
		default:
			err = d.Skip()
		}
		return err
	})
}

// fill completes a stated transaction.
func (r *Receipt) fill(tx *evm.Tx) {
	tx.Failed = len(r.PostState) == 0 && r.Status == types.ReceiptStatusFailed
	tx.GasUsed, tx.BlobGas, tx.BlobPrice, tx.DataFee, tx.Created = r.GasUsed, r.BlobGas, r.BlobPrice, r.DataFee, r.Created
	if r.Priced {
		tx.GasPrice = r.GasPrice
	}
	for _, l := range r.Logs {
		entry := evm.Log{Index: uint32(l.Index), Contract: ledger.NewAddress(ledger.EVMAccount, l.Address[:]), Data: l.Data}
		for j := range l.Topics {
			entry.Topics = append(entry.Topics, ledger.Hash(l.Topics[j]))
		}
		tx.Logs = append(tx.Logs, entry)
	}
}

// ParseLogHeights reads an answer of eth_getLogs and lists the blocks of the events
// that name the address, in a topic or in a word of their data.
func ParseLogHeights(answer []byte, address ledger.Address) (heights []ledger.Height, err error) {
	word := make([]byte, 32)
	copy(word[12:], address.Bytes())
	err = list(jx.DecodeBytes(answer), func(d *jx.Decoder, _ int) error {
		names, height := false, uint64(0)
		err := object(d, func(d *jx.Decoder, key []byte) (err error) {
			switch string(key) {
			case "blockNumber":
				height, err = number(d)
			case "topics":
				err = list(d, func(d *jx.Decoder, _ int) error {
					topic, err := hash(d)
					names = names || bytes.Equal(topic[:], word)
					return err
				})
			case "data":
				var data []byte
				data, err = octets(d, nil)
				for ; len(data) >= 32; data = data[32:] {
					names = names || bytes.Equal(data[:32], word)
				}
			default:
				err = d.Skip()
			}
			return err
		})
		if names {
			heights = append(heights, ledger.Height(height))
		}
		return err
	})
	return heights, err
}
