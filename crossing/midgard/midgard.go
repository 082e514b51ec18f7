// Package midgard asks THORChain's own index (Midgard), or one of its nodes, which
// transactions paid for a deposit. Nothing rests on the answer: it is compared with the
// links that follow from chain data alone, for whoever wants a second opinion.
//
// Sources: Midgard v2 API, GET /v2/actions; thornode, GET /thorchain/tx/{hash}.
package midgard

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"coldtrail/chain/jsonrpc"
	"coldtrail/ledger"
)

// Source is an index or a node.
type Source struct {
	client *jsonrpc.Client
	kind   string
}

// Kinds are the names of what can be asked.
var Kinds = []string{"midgard", "thornode"}

// ErrKind says that a name is none of Kinds.
var ErrKind = errors.New("ask midgard:URL or thornode:URL")

// Open prepares to ask a source of a kind; the first question is the first contact.
func Open(kind string, options jsonrpc.Options) (*Source, error) {
	if !slices.Contains(Kinds, kind) {
		return nil, fmt.Errorf("%q: %w", kind, ErrKind)
	}
	client, err := jsonrpc.New(options)
	if err != nil {
		return nil, err
	}
	return &Source{client: client, kind: kind}, nil
}

// Close frees the connections.
func (s *Source) Close() { s.client.Close() }

// Paid lists the transactions that paid for a deposit or refunded it, on all chains but
// the network's own, sorted; false where the source does not know the deposit.
func (s *Source) Paid(ctx context.Context, deposit ledger.Hash) (paid []ledger.Hash, known bool, err error) {
	id := strings.ToUpper(deposit.String())
	read, path, query := s.readActions(deposit), "v2/actions", url.Values{"txid": {id}}
	if s.kind == "thornode" {
		read, path, query = readObserved, "thorchain/tx/"+id, nil
	}
	_, err = s.client.Get(ctx, path, query, func(body []byte) (err error) {
		paid, known, err = read(body)
		return err
	})
	var missing *jsonrpc.MissingError
	if errors.As(err, &missing) {
		return nil, false, nil
	}
	slices.SortFunc(paid, func(a, b ledger.Hash) int { return slices.Compare(a[:], b[:]) })
	return slices.Compact(paid), known, err
}

// transaction is one side of an action.
type transaction struct {
	TxID string `json:"txID"`
}

// readActions reads Midgard's answer. It also lists actions that the transaction paid
// for; those are of other deposits.
func (s *Source) readActions(deposit ledger.Hash) func([]byte) ([]ledger.Hash, bool, error) {
	return func(body []byte) (paid []ledger.Hash, known bool, err error) {
		var answer struct {
			Actions []struct {
				In  []transaction `json:"in"`
				Out []transaction `json:"out"`
			} `json:"actions"`
		}
		if err := json.Unmarshal(body, &answer); err != nil {
			return nil, false, fmt.Errorf("midgard: %w", err)
		}
		for _, action := range answer.Actions {
			if !slices.ContainsFunc(action.In, func(t transaction) bool { return strings.EqualFold(t.TxID, deposit.String()) }) {
				continue
			}
			known = true
			for _, out := range action.Out {
				if paid, err = appendHash(paid, out.TxID); err != nil {
					return nil, false, fmt.Errorf("midgard: %w", err)
				}
			}
		}
		return paid, known, nil
	}
}

// readObserved reads a node's answer.
func readObserved(body []byte) (paid []ledger.Hash, known bool, err error) {
	var answer struct {
		Observed struct {
			OutHashes []string `json:"out_hashes"`
			Tx        struct {
				ID string `json:"id"`
			} `json:"tx"`
		} `json:"observed_tx"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return nil, false, fmt.Errorf("thornode: %w", err)
	}
	for _, hash := range answer.Observed.OutHashes {
		if paid, err = appendHash(paid, hash); err != nil {
			return nil, false, fmt.Errorf("thornode: %w", err)
		}
	}
	return paid, answer.Observed.Tx.ID != "", nil
}

// appendHash adds a transaction. Payments on the network itself have none, or zeros.
func appendHash(list []ledger.Hash, text string) ([]ledger.Hash, error) {
	if text == "" {
		return list, nil
	}
	h, err := ledger.ParseHash(strings.TrimPrefix(strings.ToLower(text), "0x"))
	if err != nil || h.IsZero() {
		return list, err
	}
	return append(list, h), nil
}
