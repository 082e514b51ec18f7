// Package nodetest starts real nodes on loopback for tests: anvil, geth and btcd, in
// folders of their own, stopped when the test ends. It compiles the test contracts.
package nodetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/rpc"
)

// root is the project's folder.
func root() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "..", "..")
}

// tools is where test.sh installs the nodes.
func tools() string { return filepath.Join(root(), ".tools") }

// find finds a program, or skips the test; where CI runs a missing program is a
// failure, because a test that is not run says nothing.
func find(tb testing.TB, places ...string) string {
	tb.Helper()
	for _, place := range places {
		if path, err := exec.LookPath(place); err == nil {
			return path
		}
	}
	message := filepath.Base(places[len(places)-1]) + " is not installed; ./test.sh installs it"
	if os.Getenv("CI") != "" {
		tb.Fatal(message)
	}
	tb.Skip(message)
	return ""
}

// freePort finds a port that nobody listens on.
func freePort(tb testing.TB) int {
	tb.Helper()
	var config net.ListenConfig
	l, err := config.Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	address, ok := l.Addr().(*net.TCPAddr)
	if !ok {
		tb.Fatal("no TCP port")
	}
	return address.Port
}

// start runs a program until the test ends and keeps what it says.
func start(tb testing.TB, path string, args ...string) {
	tb.Helper()
	log, err := os.Create(filepath.Join(tb.TempDir(), filepath.Base(path)+".log"))
	if err != nil {
		tb.Fatal(err)
	}
	cmd := exec.CommandContext(context.Background(), path, args...)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		done := make(chan struct{})
		go func() { _ = cmd.Wait(); close(done) }()
		select {
		case <-done:
		case <-time.After(10 * time.Second):
			_ = cmd.Process.Kill()
			<-done
		}
		if tb.Failed() {
			if text, err := os.ReadFile(log.Name()); err == nil {
				tb.Logf("%s said, at the end:\n%s", filepath.Base(path), text[max(0, len(text)-4000):])
			}
		}
		_ = log.Close()
	})
}

// EVM is a running node of an EVM chain.
type EVM struct {
	tb     testing.TB
	URL    string
	Client *rpc.Client
	ID     *big.Int // EIP-155 chain identifier
}

// Anvil starts anvil, which mines when Mine says so; flags go to it as they are.
func Anvil(tb testing.TB, flags ...string) *EVM {
	tb.Helper()
	built, _ := filepath.Glob(filepath.Join(tools(), "node_modules/@foundry-rs/anvil-*/bin/anvil")) // one per platform
	path := find(tb, append(built, "anvil")...)
	port := freePort(tb)
	start(tb, path, append([]string{"--port", fmt.Sprint(port), "--no-mining", "--order", "fifo", "--hardfork", "prague", "--silent"}, flags...)...)
	return connect(tb, fmt.Sprintf("http://127.0.0.1:%d", port))
}

// Geth starts geth in its development mode. Its build takes minutes, so the test is
// skipped where COLDTRAIL_GETH does not name the program.
func Geth(tb testing.TB) *EVM {
	tb.Helper()
	path := os.Getenv("COLDTRAIL_GETH")
	if path == "" {
		tb.Skip("COLDTRAIL_GETH does not name a geth; GETH=1 ./test.sh builds one")
	}
	port := freePort(tb)
	start(tb, path, "--dev", "--dev.period", "1", "--dev.gaslimit", "200000000", "--gcmode", "archive", "--datadir", tb.TempDir(), "--http", "--http.port", fmt.Sprint(port),
		"--http.api", "eth,debug,web3,net", "--ipcdisable", "--nodiscover", "--port", "0", "--authrpc.port", fmt.Sprint(freePort(tb)))
	return connect(tb, fmt.Sprintf("http://127.0.0.1:%d", port))
}

// connect waits until the node answers.
func connect(tb testing.TB, url string) *EVM {
	tb.Helper()
	client, err := rpc.Dial(url)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(client.Close)
	e := &EVM{tb: tb, URL: url, Client: client}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		var id hexutil.Big
		if err = client.Call(&id, "eth_chainId"); err == nil {
			e.ID = id.ToInt()
			return e
		}
		if time.Now().After(deadline) {
			tb.Fatalf("%s does not answer: %v", url, err)
		}
	}
}

// Call asks the node; a refusal fails the test.
func (e *EVM) Call(result any, method string, params ...any) {
	e.tb.Helper()
	if err := e.Client.Call(result, method, params...); err != nil {
		e.tb.Fatalf("%s: %v", method, err)
	}
}

// Tip is the newest block's number.
func (e *EVM) Tip() uint64 {
	e.tb.Helper()
	var n hexutil.Uint64
	e.Call(&n, "eth_blockNumber")
	return uint64(n)
}

// Wait waits until every transaction is in a block. On anvil it mines one first.
func (e *EVM) Wait(txs []common.Hash) {
	e.tb.Helper()
	_ = e.Client.Call(nil, "evm_mine") // geth does not know it and mines by itself
	for _, tx := range txs {
		for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
			var receipt *struct {
				Block *hexutil.Big `json:"blockNumber"`
			}
			if err := e.Client.Call(&receipt, "eth_getTransactionReceipt", tx); err == nil && receipt != nil {
				break
			}
			if time.Now().After(deadline) {
				e.tb.Fatalf("transaction %s is in no block", tx)
			}
		}
	}
}

// Wallet prints the transactions that a wallet's client is tested with, as JSON;
// testdata/unchained says what they are.
func Wallet(tb testing.TB) []byte {
	tb.Helper()
	const name = "unchained-client-10.14.11"
	return runScript(tb, "testdata/unchained/dump.mjs", name, filepath.Join(tools(), name))
}

// runScript runs a script of the project that needs a package from the tools.
func runScript(tb testing.TB, path, needs string, args ...string) []byte {
	tb.Helper()
	node := find(tb, "node")
	if _, err := os.Stat(filepath.Join(tools(), needs)); err != nil {
		find(tb, filepath.Join(tools(), needs))
	}
	out, err := exec.CommandContext(tb.Context(), node, append([]string{filepath.Join(root(), path)}, args...)...).Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			tb.Fatalf("%s: %s", path, exit.Stderr)
		}
		tb.Fatal(err)
	}
	return out
}

// Contract is a compiled contract.
type Contract struct {
	ABI  abi.ABI
	Code []byte
}

// Contracts compiles the test contracts with npm's solc.
func Contracts(tb testing.TB) map[string]Contract {
	tb.Helper()
	out := runScript(tb, "testdata/solidity/compile.mjs", "node_modules/solc", tools())
	var compiled map[string]struct {
		ABI      json.RawMessage `json:"abi"`
		Bytecode hexutil.Bytes   `json:"bytecode"`
	}
	if err := json.Unmarshal(out, &compiled); err != nil {
		tb.Fatal(err)
	}
	contracts := map[string]Contract{}
	for name, c := range compiled {
		parsed, err := abi.JSON(strings.NewReader(string(c.ABI)))
		if err != nil {
			tb.Fatal(name, err)
		}
		contracts[name] = Contract{ABI: parsed, Code: c.Bytecode}
	}
	return contracts
}
