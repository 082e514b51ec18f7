package etherscan

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"coldtrail/chain/evm"
	"coldtrail/ledger"
)

// Span is heights from one to another, both included.
type Span struct{ From, To ledger.Height }

// listRow is a row of the explorer's lists; which fields are there depends on the list.
type listRow struct {
	Height   string `json:"blockNumber"`
	Hash     string `json:"hash"`
	From     string `json:"from"`
	To       string `json:"to"`
	Value    string `json:"value"`
	GasUsed  string `json:"gasUsed"`
	GasPrice string `json:"gasPrice"`
	Error    string `json:"isError"`
	Contract string `json:"contractAddress"` // of the token, or made by the transaction
	Type     string `json:"type"`
	Trace    string `json:"traceId"`
}

func (r *listRow) height() (ledger.Height, error) {
	n, err := strconv.ParseUint(r.Height, 10, 62)
	if err != nil {
		return 0, fmt.Errorf("%.30q is no block number", r.Height)
	}
	return ledger.Height(n), nil
}

// address reads an account; empty is none.
func address(text string) (ledger.Address, error) {
	if text == "" {
		return ledger.Address{}, nil
	}
	return evm.Notation{}.ParseAddress(strings.ToLower(text))
}

// flat is an internal move.
func (r *listRow) flat(order int) (f evm.Flat, err error) {
	to := r.To
	if to == "" {
		to = r.Contract
	}
	var errs [3]error
	f.From, errs[0] = address(r.From)
	f.To, errs[1] = address(to)
	f.Value, errs[2] = ledger.ParseAmount(r.Value)
	f.Kind, f.Failed, f.Address = evm.KindOfCall(r.Type), r.Error == "1", pathOf(r.Trace, order)
	if f.Kind == evm.CallOther && (r.Type == "" || strings.HasPrefix(r.Type, "call")) {
		f.Kind = evm.CallPlain
	}
	return f, errors.Join(errs[:]...)
}

// pageRows is how many rows a page has; services refuse more than 10,000 in all.
const (
	pageRows = 1000
	maxRows  = 10_000
)

// The lists of the account module in which an address can stand.
var lists = []string{"txlist", "txlistinternal", "tokentx"}

// Touching takes the transactions of an address within a span whole, oldest first,
// and says what its holdings held before, added up from the lists. more says that
// there were more transactions than the limit.
func (e *Explorer) Touching(ctx context.Context, who ledger.Address, within Span, limit int) (blocks []*ledger.Block, more bool, err error) {
	h := history{who: who, from: within.From, found: map[ledger.Hash]ledger.Height{}, held: map[ledger.Address]*sums{}, complete: true}
	for _, list := range lists {
		if err := e.list(ctx, list, within.To, &h); err != nil {
			return nil, false, err
		}
	}
	hashes := slices.SortedFunc(maps.Keys(h.found), func(x, y ledger.Hash) int {
		if h.found[x] != h.found[y] {
			return int(int64(h.found[x]) - int64(h.found[y]))
		}
		return slices.Compare(x[:], y[:])
	})
	if more = !h.complete || len(hashes) > limit; len(hashes) > limit {
		hashes = hashes[:limit]
	}
	for _, hash := range hashes {
		block, err := e.take(ctx, h.found[hash], hash)
		if err != nil {
			return nil, false, err
		}
		blocks = append(blocks, block)
	}
	if len(blocks) > 0 && h.complete {
		first := *blocks[0]
		h.forget(blocks, e.options.Network.Wrapped)
		first.Openings = h.openings(first.Chain, first.Height)
		blocks[0] = &first
	}
	return blocks, more, nil
}

// list reads one of the lists from the address's first transaction on.
func (e *Explorer) list(ctx context.Context, name string, to ledger.Height, h *history) error {
	for page := 1; ; page++ {
		if page > maxRows/pageRows {
			h.complete = false
			return nil
		}
		rows, err := e.rows(ctx, url.Values{
			"action": {name}, "address": {evm.Notation{}.FormatAddress(h.who)}, "startblock": {"0"}, "endblock": {strconv.FormatUint(uint64(to), 10)},
			"page": {strconv.Itoa(page)}, "offset": {strconv.Itoa(pageRows)}, "sort": {"asc"},
		})
		if err != nil {
			return err
		}
		for i := range rows {
			if err := h.add(name, &rows[i]); err != nil {
				return fmt.Errorf("%s of %s: %w", name, evm.Notation{}.FormatAddress(h.who), err)
			}
		}
		if len(rows) < pageRows {
			return nil
		}
	}
}

// history gathers what the lists say of an address.
type history struct {
	who      ledger.Address
	from     ledger.Height
	found    map[ledger.Hash]ledger.Height // transactions in the span
	held     map[ledger.Address]*sums      // before the span, by token; none is the native asset
	complete bool
}

type sums struct{ in, out ledger.Amount }

func (h *history) add(list string, r *listRow) error {
	height, err := r.height()
	if err != nil {
		return err
	}
	hash, err := ledger.ParseHash(r.Hash)
	if err != nil {
		return err
	}
	if height >= h.from {
		h.found[hash] = height
		if list == "tokentx" {
			return h.know(r)
		}
		return nil
	}
	return h.before(list, r)
}

// know notes a token that the address had nothing of before, unless it had.
func (h *history) know(r *listRow) error {
	contract, err := address(r.Contract)
	if err == nil && h.held[contract] == nil {
		h.held[contract] = &sums{}
	}
	return err
}

// before adds up a movement before the span.
func (h *history) before(list string, r *listRow) error {
	from, err1 := address(r.From)
	to, err2 := address(r.To)
	value, err3 := ledger.ParseAmount(r.Value)
	contract := ledger.Address{}
	var err4 error
	if list == "tokentx" {
		contract, err4 = address(r.Contract)
	} else if to.IsZero() {
		to, err4 = address(r.Contract)
	}
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return err
	}
	s := h.held[contract]
	if s == nil {
		s = &sums{}
		h.held[contract] = s
	}
	if r.Error != "1" || list == "tokentx" {
		if to == h.who {
			s.in.Add(&s.in, &value)
		}
		if from == h.who {
			s.out.Add(&s.out, &value)
		}
	}
	if list == "txlist" && from == h.who {
		gas, err1 := ledger.ParseAmount(r.GasUsed)
		price, err2 := ledger.ParseAmount(r.GasPrice)
		if err := errors.Join(err1, err2); err != nil {
			return err
		}
		s.out.Add(&s.out, gas.Mul(&gas, &price))
	}
	return nil
}

// forget drops what the lists cannot add up: tokens counted in shares, of which they
// tell other units, and wrapping, which they do not tell.
func (h *history) forget(blocks []*ledger.Block, wrapped ledger.Address) {
	if !wrapped.IsZero() {
		delete(h.held, wrapped)
	}
	for _, b := range blocks {
		for i := range b.Txs {
			for j := range b.Txs[i].Transfers {
				if t := &b.Txs[i].Transfers[j]; t.Kind == ledger.Shares {
					delete(h.held, evm.ContractOf(t.Asset))
				}
			}
		}
	}
}

// openings are the balances before the span. One that comes out below nothing, as
// where rewards are missing from the lists, is not stated.
func (h *history) openings(chain ledger.Chain, before ledger.Height) (out []ledger.Opening) {
	if h.held[ledger.Address{}] == nil {
		h.held[ledger.Address{}] = &sums{}
	}
	for contract, s := range h.held {
		if s.in.Lt(&s.out) {
			continue
		}
		out = append(out, ledger.Opening{Address: h.who, Asset: evm.AssetOf(chain, contract), Amount: *new(ledger.Amount).Sub(&s.in, &s.out), Before: before})
	}
	slices.SortFunc(out, func(x, y ledger.Opening) int { return strings.Compare(string(x.Asset), string(y.Asset)) })
	return out
}
