package server

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"coldtrail/ledger"
)

// The on-chain sanctions oracle is a contract with the function isSanctioned(address).
// Whoever asks it through a node can ask here, at any contract address.

// isSanctionedSelector is the first four bytes of Keccak-256 of isSanctioned(address).
const isSanctionedSelector = "df592f7d"

// call is a request of JSON-RPC 2.0.
type call struct {
	Version string            `json:"jsonrpc"`
	ID      json.RawMessage   `json:"id"`
	Method  string            `json:"method"`
	Params  []json.RawMessage `json:"params"`
}

// reply is an answer of JSON-RPC 2.0. One of Result and Error is set.
type reply struct {
	Version string          `json:"jsonrpc"`
	ID      json.RawMessage `json:"id"`
	Result  *string         `json:"result,omitempty"`
	Error   *rpcError       `json:"error,omitempty"`
}

type rpcError struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

// The codes of errors.
const (
	rpcParse    = -32700
	rpcRequest  = -32600
	rpcMethod   = -32601
	rpcParams   = -32602
	rpcNoAnswer = -32000
)

// oracle answers eth_call of isSanctioned, one or many at once. It is an error, and never
// false, where it cannot be told.
func oracle(x *exchange) {
	chain, err := ledger.ParseChain(x.request.PathValue("chain"))
	if err != nil || chain.Family() != ledger.Account {
		x.problem(problemNotFound, fmt.Sprintf("%.100q is no EVM chain; use ethereum or eip155:N", x.request.PathValue("chain")))
		return
	}
	body, out := x.buffer(), x.buffer()
	defer x.give(body)
	defer x.give(out)
	if _, ok := x.readBody(body, "application/json"); !ok {
		return
	}
	calls, isBatch, failed := parseCalls(*body)
	if failed != nil {
		x.json(http.StatusOK, reply{Version: "2.0", ID: nullID, Error: failed})
		return
	}
	if !x.charge(ClassScreening, len(calls)) {
		return
	}
	l, ok := x.lists()
	answers := make([]reply, len(calls))
	for i := range calls {
		answers[i] = x.call(l, chain, &calls[i])
	}
	var answer any = answers
	if !isBatch {
		answer = answers[0]
	}
	if ok {
		x.age(l.ages.moment())
	} else {
		x.age(none)
	}
	x.change(http.StatusOK, *body, answer)
}

var nullID = json.RawMessage("null")

// parseCalls reads one request, or a batch of them.
func parseCalls(body []byte) (calls []call, isBatch bool, failed *rpcError) {
	if err := checkJSON(body); err != nil {
		return nil, false, &rpcError{rpcParse, err.Error()}
	}
	if trimmed := bytes.TrimLeft(body, " \t\r\n"); len(trimmed) > 0 && trimmed[0] == '[' {
		err := json.Unmarshal(body, &calls)
		switch {
		case err != nil || len(calls) == 0:
			return nil, true, &rpcError{rpcRequest, "the batch is empty, or holds something else than requests"}
		case len(calls) > MaxQuestions:
			return nil, true, &rpcError{rpcRequest, errTooMany.Error()}
		}
		return calls, true, nil
	}
	calls = make([]call, 1)
	if err := json.Unmarshal(body, &calls[0]); err != nil {
		return nil, false, &rpcError{rpcRequest, "the body is no request of JSON-RPC: " + plain(err)}
	}
	return calls, false, nil
}

// call answers one request.
func (x *exchange) call(l *listing, chain ledger.Chain, c *call) reply {
	r := reply{Version: "2.0", ID: c.ID}
	if r.ID == nil || !isID(c.ID) {
		r.ID = nullID
	}
	var result string
	switch {
	case c.Version != "2.0" || !isID(c.ID):
		r.Error = &rpcError{rpcRequest, `a request has "jsonrpc":"2.0" and a text or a number for an id`}
	case c.Method == "eth_chainId":
		result, r.Error = chainID(chain)
	case c.Method != "eth_call":
		r.Error = &rpcError{rpcMethod, fmt.Sprintf("the method %.100s is not found; there are eth_call and eth_chainId", c.Method)}
	default:
		result, r.Error = l.isSanctioned(chain, c.Params)
	}
	if r.Error == nil {
		r.Result = &result
	}
	return r
}

// isID says whether a value can be the id of a request: a text or a number.
func isID(id json.RawMessage) bool {
	return len(id) > 0 && len(id) <= 200 && (id[0] == '"' || id[0] == '-' || id[0] >= '0' && id[0] <= '9')
}

func chainID(chain ledger.Chain) (string, *rpcError) {
	_, number, _ := strings.Cut(string(chain), ":")
	n, err := strconv.ParseUint(number, 10, 64)
	if err != nil {
		return "", &rpcError{rpcNoAnswer, "the chain has no number"}
	}
	return "0x" + strconv.FormatUint(n, 16), nil
}

// isSanctioned answers with the 32 bytes of true or false.
func (l *listing) isSanctioned(chain ledger.Chain, params []json.RawMessage) (string, *rpcError) {
	address, failed := argument(params)
	switch {
	case failed != nil:
		return "", failed
	case l == nil:
		return "", &rpcError{rpcNoAnswer, "the sanctions lists are not loaded; this is no answer"}
	case !l.ask(address, string(chain)):
		return "", &rpcError{rpcNoAnswer, "the address cannot be judged; this is no answer"}
	}
	if l.listed(nil) {
		return wordOf('1'), nil
	}
	return wordOf('0'), nil
}

// wordOf is a word of 32 bytes with its last digit.
func wordOf(last byte) string { return "0x" + strings.Repeat("0", 63) + string(last) }

// argument reads the address that a call asks about.
func argument(params []json.RawMessage) (string, *rpcError) {
	var message struct {
		To    string `json:"to"`
		Data  string `json:"data"`
		Input string `json:"input"`
	}
	if len(params) == 0 || len(params) > 2 || json.Unmarshal(params[0], &message) != nil {
		return "", &rpcError{rpcParams, "eth_call has a message and a block"}
	}
	if len(params) == 2 {
		var block string
		_ = json.Unmarshal(params[1], &block)
		switch block {
		case "latest", "pending", "safe", "finalized":
		default:
			return "", &rpcError{rpcParams, "only the newest state is answered: latest, pending, safe or finalized; ask /v1/screen with at= for another time"}
		}
	}
	data := unless(message.Input, message.Data)
	if message.Input != "" && message.Data != "" && !strings.EqualFold(message.Input, message.Data) {
		return "", &rpcError{rpcParams, "data and input differ"}
	}
	raw, err := hex.DecodeString(strings.TrimPrefix(data, "0x"))
	if err != nil || !strings.HasPrefix(data, "0x") || !isAddress(message.To) {
		return "", &rpcError{rpcParams, "to is an address and data is hexadecimal digits after 0x"}
	}
	if len(raw) < 4 || hex.EncodeToString(raw[:4]) != isSanctionedSelector {
		return "", &rpcError{rpcParams, "only isSanctioned(address), 0x" + isSanctionedSelector + ", can be called"}
	}
	if len(raw) != 36 || !bytes.Equal(raw[4:16], make([]byte, 12)) {
		return "", &rpcError{rpcParams, "the argument is not one address in a word of 32 bytes"}
	}
	return "0x" + hex.EncodeToString(raw[16:]), nil
}

// isAddress says whether a text is 20 bytes in hexadecimal digits after 0x.
func isAddress(text string) bool {
	raw, err := hex.DecodeString(strings.TrimPrefix(text, "0x"))
	return err == nil && len(raw) == 20 && strings.HasPrefix(text, "0x")
}
