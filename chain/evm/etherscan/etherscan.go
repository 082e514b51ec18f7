// Package etherscan asks explorers that speak Etherscan's interface for the history of
// single addresses, so that a case can be traced without a node or a ledger.
//
// The explorer's lists say which transactions touch an address; each of these is then
// taken whole: its block's header, whose hash is recomputed, its receipt with every
// event, and its internal moves. What an address held before is added up from the
// lists, from its first transaction on, where they are complete. All of it is the
// explorer's word and marked node.
package etherscan

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"coldtrail/chain/evm"
	"coldtrail/chain/evm/reply"
	"coldtrail/chain/jsonrpc"
	"coldtrail/ledger"
)

// Options are the choices of an explorer. Node.URL is the interface's address, such
// as https://HOST/v2/api; Node.Every keeps to its limit of requests.
type Options struct {
	Network evm.Network
	Node    jsonrpc.Options
	Key     string // or empty
}

// Explorer is one service for one network.
type Explorer struct {
	client  *jsonrpc.Client
	options Options
	blocks  map[ledger.Height]*reply.Block
	txs     map[ledger.Hash]*ledger.Block // taken whole already
}

// maxKept bounds what is kept in memory of blocks and transactions.
const maxKept = 4096

// Open makes an explorer and asks it for its newest block.
func Open(ctx context.Context, options Options) (*Explorer, error) {
	client, err := jsonrpc.New(options.Node)
	if err != nil {
		return nil, err
	}
	e := &Explorer{client: client, options: options, blocks: map[ledger.Height]*reply.Block{}, txs: map[ledger.Hash]*ledger.Block{}}
	if _, err := e.Tip(ctx); err != nil {
		client.Close()
		return nil, err
	}
	return e, nil
}

// Close frees the connections.
func (e *Explorer) Close() error {
	e.client.Close()
	return nil
}

// Notes tells what such a source lacks.
func (*Explorer) Notes() []string {
	return []string{"an explorer's word: receipts and internal moves are not proven, and the order of internal moves among token movements is approximate"}
}

// Tip asks for the number of the newest block.
func (e *Explorer) Tip(ctx context.Context) (ledger.Height, error) {
	answer, err := e.proxy(ctx, url.Values{"action": {"eth_blockNumber"}})
	if err != nil {
		return 0, fmt.Errorf("ask the explorer for its newest block: %w", err)
	}
	n, err := reply.ParseNumber(answer)
	return ledger.Height(n), err
}

// ask asks one question; answers that mean "slow down" are asked for again.
func (e *Explorer) ask(ctx context.Context, query url.Values) (json.RawMessage, error) {
	query.Set("chainid", strconv.FormatUint(e.options.Network.ID, 10))
	if e.options.Key != "" {
		query.Set("apikey", e.options.Key)
	}
	var result json.RawMessage
	_, err := e.client.Get(ctx, "", query, func(body []byte) error {
		var answer struct {
			Status  string          `json:"status"`
			Message string          `json:"message"`
			Result  json.RawMessage `json:"result"`
			Error   *struct {
				Message string `json:"message"`
			} `json:"error"`
		}
		if err := json.Unmarshal(body, &answer); err != nil {
			return errors.New("the answer is not JSON")
		}
		if answer.Error != nil {
			return fmt.Errorf("the explorer answers: %s", answer.Error.Message)
		}
		if answer.Status == "0" && len(answer.Result) > 0 && answer.Result[0] == '"' { // a list would be no error, but empty
			var reason string
			_ = json.Unmarshal(answer.Result, &reason)
			return fmt.Errorf("the explorer answers: %s %s", answer.Message, reason)
		}
		if len(answer.Result) == 0 {
			return errors.New("the answer has no result")
		}
		result = answer.Result
		return nil
	})
	return result, err
}

func (e *Explorer) proxy(ctx context.Context, query url.Values) ([]byte, error) {
	query.Set("module", "proxy")
	return e.ask(ctx, query)
}

// Containing gives the block of a transaction, cut down to it.
func (e *Explorer) Containing(ctx context.Context, tx ledger.Hash) (*ledger.Block, error) {
	if block := e.txs[tx]; block != nil {
		return block, nil
	}
	answer, err := e.proxy(ctx, url.Values{"action": {"eth_getTransactionByHash"}, "txhash": {"0x" + tx.String()}})
	if err != nil {
		return nil, err
	}
	height, ok, err := reply.ParseTxHeight(answer)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, fmt.Errorf("the explorer has no transaction 0x%s", tx)
	}
	return e.take(ctx, height, tx)
}

// take takes one transaction whole.
func (e *Explorer) take(ctx context.Context, height ledger.Height, tx ledger.Hash) (*ledger.Block, error) {
	if block := e.txs[tx]; block != nil {
		return block, nil
	}
	raw, err := e.block(ctx, height)
	if err != nil {
		return nil, err
	}
	at := slices.IndexFunc(raw.Txs, func(t reply.Tx) bool { return t.Stated.Hash == tx })
	if at < 0 {
		return nil, fmt.Errorf("the explorer says that transaction 0x%s is in block %d, where it is not", tx, height)
	}
	answer, err := e.proxy(ctx, url.Values{"action": {"eth_getTransactionReceipt"}, "txhash": {"0x" + tx.String()}})
	if err != nil {
		return nil, err
	}
	receipts, err := reply.ParseReceipts(append(append([]byte{'['}, answer...), ']'))
	if err != nil || len(receipts) != 1 || !receipts[0].Known {
		return nil, errors.Join(fmt.Errorf("the explorer has no receipt of transaction 0x%s", tx), err)
	}
	one, err := raw.One(at, &receipts[0])
	if err != nil {
		return nil, err
	}
	if err := e.addInternal(ctx, one); err != nil {
		return nil, err
	}
	one.Provenance = ledger.Node
	block, err := one.Ledger(&e.options.Network)
	if err != nil {
		return nil, err
	}
	if len(e.txs) >= maxKept {
		clear(e.txs)
	}
	e.txs[tx] = block
	return block, nil
}

func (e *Explorer) block(ctx context.Context, height ledger.Height) (*reply.Block, error) {
	if b := e.blocks[height]; b != nil {
		return b, nil
	}
	answer, err := e.proxy(ctx, url.Values{"action": {"eth_getBlockByNumber"}, "tag": {fmt.Sprintf("0x%x", uint64(height))}, "boolean": {"true"}})
	if err != nil {
		return nil, err
	}
	b, err := reply.ParseBlock(answer)
	if err != nil {
		return nil, err
	}
	if !b.Known || !b.Header.Number.IsUint64() || b.Header.Number.Uint64() != uint64(height) {
		return nil, fmt.Errorf("the explorer does not give block %d", height)
	}
	if len(e.blocks) >= maxKept/16 {
		clear(e.blocks)
	}
	e.blocks[height] = b
	return b, nil
}

// addInternal gives the transaction its internal moves.
func (e *Explorer) addInternal(ctx context.Context, one *evm.Block) error {
	tx := &one.Txs[0]
	rows, err := e.rows(ctx, url.Values{"action": {"txlistinternal"}, "txhash": {"0x" + tx.Hash.String()}})
	if err != nil {
		return err
	}
	flat := []evm.Flat{{Kind: evm.CallPlain, From: tx.From, To: tx.To, Value: tx.Value, Failed: tx.Failed}}
	for i := range rows {
		entry, err := rows[i].flat(i)
		if err != nil {
			return fmt.Errorf("internal moves of transaction 0x%s: %w", tx.Hash, err)
		}
		flat = append(flat, entry)
	}
	one.SetFlat(tx, flat)
	return nil
}

// rows asks for a list of the account module.
func (e *Explorer) rows(ctx context.Context, query url.Values) ([]listRow, error) {
	query.Set("module", "account")
	answer, err := e.ask(ctx, query)
	if err != nil {
		return nil, err
	}
	var rows []listRow
	if err := json.Unmarshal(answer, &rows); err != nil {
		return nil, fmt.Errorf("%s: the answer is not a list of transactions", query.Get("action"))
	}
	return rows, nil
}

// pathOf reads a trace identifier such as 0_1_2, or makes one that keeps the order.
func pathOf(text string, order int) []uint32 {
	path := []uint32{}
	for part := range strings.SplitSeq(text, "_") {
		n, err := strconv.ParseUint(part, 10, 32)
		if err != nil {
			return []uint32{uint32(order)}
		}
		path = append(path, uint32(n))
	}
	return path
}
