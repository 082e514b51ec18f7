package nodetest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/btcsuite/btcd/address/v2/base58"
)

// Bitcoin is a running btcd on its simulation network.
type Bitcoin struct {
	tb   testing.TB
	URL  string // with user and password
	Auth string
	url  string
}

// simnetAddress is an address to which rewards go; nobody needs its key.
func simnetAddress() string {
	return base58.CheckEncode(bytes.Repeat([]byte{7}, 20), 0x3f)
}

// Btcd starts btcd.
func Btcd(tb testing.TB) *Bitcoin {
	tb.Helper()
	path := find(tb, filepath.Join(tools(), "bin", "btcd"), "btcd")
	dir, port := tb.TempDir(), freePort(tb)
	start(tb, path, "--simnet", "--notls", "--txindex", "--nolisten", "--nodnsseed", "--rpcuser=user", "--rpcpass=secret", "--miningaddr="+simnetAddress(),
		fmt.Sprintf("--rpclisten=127.0.0.1:%d", port), "--datadir="+dir, "--logdir="+dir, "--configfile="+filepath.Join(dir, "none.conf"))
	b := &Bitcoin{
		tb: tb, Auth: "user:secret", URL: fmt.Sprintf("http://user:secret@127.0.0.1:%d", port), url: fmt.Sprintf("http://127.0.0.1:%d", port),
	}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		if _, err := b.post(tb.Context(), []byte(`{"jsonrpc":"1.0","id":1,"method":"getblockcount","params":[]}`)); err == nil {
			return b
		}
		if time.Now().After(deadline) {
			tb.Fatal("btcd does not answer")
		}
	}
}

func (b *Bitcoin) post(ctx context.Context, question []byte) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, b.url, bytes.NewReader(question))
	if err != nil {
		return nil, err
	}
	request.SetBasicAuth("user", "secret")
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	return io.ReadAll(response.Body)
}

// Ask passes a question on as it is.
func (b *Bitcoin) Ask(ctx context.Context, question []byte) []byte {
	answer, err := b.post(ctx, question)
	if err != nil {
		b.tb.Error(err)
	}
	return answer
}

// call asks one question; a refusal fails the test.
func (b *Bitcoin) call(result any, method string, params ...any) {
	b.tb.Helper()
	if params == nil {
		params = []any{}
	}
	question, err := json.Marshal(map[string]any{"jsonrpc": "1.0", "id": 1, "method": method, "params": params})
	if err != nil {
		b.tb.Fatal(err)
	}
	answer, err := b.post(b.tb.Context(), question)
	if err != nil {
		b.tb.Fatal(err)
	}
	reply := struct {
		Result any             `json:"result"`
		Error  json.RawMessage `json:"error"`
	}{Result: result}
	if err := json.Unmarshal(answer, &reply); err != nil || len(reply.Error) > 0 && string(reply.Error) != "null" {
		b.tb.Fatalf("%s: %s %v", method, answer, err)
	}
}

// Generate mines blocks.
func (b *Bitcoin) Generate(blocks int) {
	b.tb.Helper()
	var hashes []string
	b.call(&hashes, "generate", blocks)
}

// Tip is the newest block's height.
func (b *Bitcoin) Tip() (height int) {
	b.tb.Helper()
	b.call(&height, "getblockcount")
	return height
}

// Block is a raw block in hexadecimal digits.
func (b *Bitcoin) Block(height int) (raw string) {
	b.tb.Helper()
	var hash string
	b.call(&hash, "getblockhash", height)
	b.call(&raw, "getblock", hash, 0)
	return raw
}

// Invalidate makes the node leave the block at a height and all above it.
func (b *Bitcoin) Invalidate(height int) {
	b.tb.Helper()
	var hash string
	b.call(&hash, "getblockhash", height)
	b.call(nil, "invalidateblock", hash)
}

// Best is the newest block's hash.
func (b *Bitcoin) Best() (hash string) {
	b.tb.Helper()
	b.call(&hash, "getbestblockhash")
	return hash
}
