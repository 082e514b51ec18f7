package main_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"coldtrail/internal/nodetest"
	"coldtrail/internal/replay"
)

// served is a running server.
type served struct {
	t    *testing.T
	url  string
	cmd  *exec.Cmd
	logs *syncBuffer
}

// syncBuffer takes what a process says.
type syncBuffer struct {
	turn sync.Mutex
	text strings.Builder
}

// Write keeps a piece.
func (b *syncBuffer) Write(p []byte) (int, error) {
	b.turn.Lock()
	defer b.turn.Unlock()
	return b.text.Write(p)
}

func (b *syncBuffer) String() string {
	b.turn.Lock()
	defer b.turn.Unlock()
	return b.text.String()
}

// serve starts the program's server on a free port and waits until it answers.
func serve(t *testing.T, args ...string) *served {
	t.Helper()
	s := &served{t: t, logs: &syncBuffer{}}
	s.cmd = exec.CommandContext(context.WithoutCancel(t.Context()), binary, append(args, "--listen", "127.0.0.1:0")...)
	pipe, err := s.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.stop)
	address := make(chan string, 1)
	go func() {
		for lines := bufio.NewScanner(pipe); lines.Scan(); {
			_, _ = fmt.Fprintln(s.logs, lines.Text())
			if _, rest, ok := strings.Cut(lines.Text(), "listening on "); ok {
				address <- strings.TrimSuffix(strings.Fields(rest)[0], ",")
			}
		}
	}()
	select {
	case s.url = <-address:
	case <-time.After(time.Minute):
		t.Fatalf("the server does not listen\n%s", s.logs)
	}
	s.wait("ready", func() bool {
		r, err := http.Get(s.url + "/readyz") //nolint:noctx // a test
		if err != nil {
			return false
		}
		_ = r.Body.Close()
		return r.StatusCode == http.StatusOK
	})
	return s
}

func (s *served) stop() {
	if s.cmd.ProcessState == nil {
		_ = s.cmd.Process.Signal(os.Interrupt)
		_ = s.cmd.Wait()
	}
}

// wait waits until something is so.
func (s *served) wait(what string, so func() bool) {
	s.t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); !so(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			s.t.Fatalf("not %s\n%s", what, s.logs)
		}
	}
}

// verdictOf is what a test looks at.
type verdictOf struct {
	Subject string
	Level   string
	Outcome string
	Reasons json.RawMessage
	Facts   json.RawMessage
	Basis   struct {
		Heads map[string]struct {
			Height uint64
			Hash   string
		}
	}
}

// rest is the verdict without its basis.
func (v *verdictOf) rest() string {
	return fmt.Sprintf("%s %s %s %s %s", v.Subject, v.Level, v.Outcome, v.Reasons, v.Facts)
}

// get asks and gives the status and the text of the answer.
func (s *served) get(path string) (code int, text string) {
	s.t.Helper()
	r, err := http.Get(s.url + path) //nolint:noctx // a test
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = r.Body.Close() }()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return r.StatusCode, string(body)
}

func (s *served) screen(subject string) (verdictOf, error) {
	var v verdictOf
	r, err := http.Get(s.url + "/v1/screen?subject=" + subject) //nolint:noctx // a test
	if err != nil {
		return v, err
	}
	defer func() { _ = r.Body.Close() }()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		return v, err
	}
	if r.StatusCode != http.StatusOK || r.Header.Get("Coldtrail-Data-Age") == "" {
		return v, fmt.Errorf("%d, age %q: %s", r.StatusCode, r.Header.Get("Coldtrail-Data-Age"), text)
	}
	return v, json.Unmarshal(text, &v)
}

// asking sends so many requests a second until it is stopped, and counts those that
// failed.
type asking struct {
	sent, failed atomic.Int64
	slowest      atomic.Int64 // nanoseconds
	why          atomic.Pointer[error]
	stop         func()
}

func (s *served) ask(perSecond int, subjects func() []string) *asking {
	a, end := &asking{}, make(chan struct{})
	var all sync.WaitGroup
	all.Go(func() {
		ticker := time.NewTicker(time.Second / time.Duration(perSecond))
		defer ticker.Stop()
		for n := 0; ; n++ {
			select {
			case <-end:
				return
			case <-ticker.C:
			}
			list := subjects()
			all.Go(func() {
				began := time.Now()
				_, err := s.screen(list[n%len(list)])
				a.sent.Add(1)
				a.slowest.Store(max(a.slowest.Load(), int64(time.Since(began))))
				if err != nil {
					a.failed.Add(1)
					a.why.Store(&err)
				}
			})
		}
	})
	a.stop = sync.OnceFunc(func() {
		close(end)
		all.Wait()
	})
	s.t.Cleanup(a.stop)
	return a
}

// chase is a theft on both chains and what the thief does with it.
type chase struct {
	t        *testing.T
	accounts *nodetest.AccountStage
	outputs  *nodetest.OutputStage
	node     *nodetest.Bitcoin
	evm      *nodetest.EVM
	coins    []replay.Coin
	holders  []string
	serial   int

	turn     sync.Mutex
	subjects []string
}

func (c *chase) known() []string {
	c.turn.Lock()
	defer c.turn.Unlock()
	return slices.Clone(c.subjects)
}

func (c *chase) know(list ...string) {
	c.turn.Lock()
	defer c.turn.Unlock()
	for _, s := range list {
		if !slices.Contains(c.subjects, s) {
			c.subjects = append(c.subjects, s)
		}
	}
}

// step sends stolen value on, on both chains.
func (c *chase) step() {
	c.t.Helper()
	c.serial++
	from, to := c.holders[len(c.holders)-1], c.accounts.Account("mule", c.serial)
	c.accounts.Grant(from, "", big.NewInt(1e16))
	if _, err := c.accounts.Send(from, to, "", big.NewInt(int64(1e17)+int64(c.serial))); err != nil {
		c.t.Fatal(err)
	}
	c.holders = append(c.holders, to)
	coin := c.coins[len(c.coins)-1]
	c.coins = c.coins[:len(c.coins)-1]
	one, two := c.outputs.Wallet("mule", 2*c.serial), c.outputs.Wallet("mule", 2*c.serial+1)
	part := coin.Value/3 + int64(c.serial)
	_, made, err := c.outputs.Spend([]replay.Coin{coin}, []replay.Pay{{To: one, Value: part}, {To: two, Value: coin.Value - part - 5_000}}, "")
	if err != nil {
		c.t.Fatal(err)
	}
	c.coins = append(c.coins, made...)
	if err := c.outputs.Mine(1); err != nil {
		c.t.Fatal(err)
	}
	c.know(to, one, two)
}

// mark remembers the state of both chains and of the chase.
func (c *chase) mark() (back func()) {
	accounts, outputs := c.accounts.Mark(), c.outputs.Mark()
	coins, holders := slices.Clone(c.coins), slices.Clone(c.holders)
	return func() {
		accounts()
		outputs()
		c.coins, c.holders = coins, holders
	}
}

// newChase starts both nodes and steals on both chains. It gives the case file, too.
func newChase(t *testing.T) (c *chase, file string) {
	t.Helper()
	begin := time.Now().Unix() - 7200
	c = &chase{t: t, evm: nodetest.Anvil(t, "--timestamp", fmt.Sprint(begin-600)), node: nodetest.Btcd(t)}
	var err error
	if c.accounts, err = nodetest.NewAccountStage(c.evm, nodetest.Contracts(t), begin); err != nil {
		t.Fatal(err)
	}
	if c.outputs, err = nodetest.NewOutputStage(c.node, begin); err != nil {
		t.Fatal(err)
	}
	return c, c.rob(begin)
}

// follow are the arguments of a server that follows both nodes, that of accounts under an
// address of its own.
func (c *chase) follow(data, file, accounts string) []string {
	return []string{
		"--data", data, "serve", "--open", "--every", "100ms", "--case", file,
		"--follow", string(c.accounts.Chain()) + "=rpc:" + accounts, "--follow", "simnet=rpc:" + c.node.URL,
	}
}

// TestServeThroughReorganisations screens at 500 requests a second while anvil and btcd
// are followed at their tips and take back up to 64 blocks, again and again. After each
// of these every verdict is what somebody says who reads both nodes for the first time,
// and no request fails.
func TestServeThroughReorganisations(t *testing.T) {
	c, file := newChase(t)
	s := serve(t, c.follow(t.TempDir(), file, c.accounts.URL())...)
	s.wait("at both tips", func() bool { return c.atTips(s) })
	load := s.ask(500, c.known)
	for _, depth := range []int{1, 3, 12, 33, 64} {
		back := c.mark()
		c.step()
		c.accounts.Mine(depth - 1)
		if err := c.outputs.Mine(depth - 1); err != nil {
			t.Fatal(err)
		}
		s.wait("at both tips", func() bool { return c.atTips(s) })
		c.compare(s, file)
		back()
		c.step() // which is not what it was
		c.accounts.Mine(depth)
		if err := c.outputs.Mine(depth); err != nil {
			t.Fatal(err)
		}
		s.wait("at both tips", func() bool { return c.atTips(s) })
		c.compare(s, file)
	}
	load.stop()
	t.Logf("%d requests, the slowest took %s, %d subjects", load.sent.Load(), time.Duration(load.slowest.Load()), len(c.known()))
	if load.failed.Load() > 0 {
		t.Errorf("%d of %d requests failed: %v", load.failed.Load(), load.sent.Load(), *load.why.Load())
	}
	if n := strings.Count(s.logs.String(), "the chain was reorganised"); n < 8 {
		t.Errorf("%d reorganisations were noticed", n)
	}
}

// rob steals on both chains and writes the case file.
func (c *chase) rob(begin int64) string {
	c.t.Helper()
	victim, thief := c.accounts.Account("victim", 0), c.accounts.Account("thief", 0)
	c.accounts.Grant(victim, "", big.NewInt(2e18))
	stolen, err := c.accounts.Send(victim, thief, "", big.NewInt(1e18))
	if err != nil {
		c.t.Fatal(err)
	}
	if err := c.outputs.At(begin); err != nil {
		c.t.Fatal(err)
	}
	coin, err := c.outputs.Mint(c.outputs.Wallet("thief", 0), 20_0000_0000)
	if err != nil {
		c.t.Fatal(err)
	}
	if err := c.outputs.Mine(1); err != nil {
		c.t.Fatal(err)
	}
	c.coins, c.holders = []replay.Coin{coin}, []string{thief}
	c.know(victim, thief, coin.Owner, c.accounts.Account("bystander", 0), c.outputs.Wallet("bystander", 0))
	for range 3 {
		c.step()
	}
	file := filepath.Join(c.t.TempDir(), "case.yaml")
	write(c.t, file, fmt.Sprintf("case: chase\ntitle: A theft on two chains\nvictims: [%q]\nthefts:\n  - {colour: eth, chain: %q, tx: %q, to: %q}\n  - {colour: btc, chain: %q, outpoint: \"%s:%d\"}\n",
		victim, c.accounts.Chain(), stolen.ID, thief, c.outputs.Chain(), coin.Tx.String(), coin.Index))
	return file
}

// atTips says whether the server's answers rest on the newest block of both nodes.
func (c *chase) atTips(s *served) bool {
	v, err := s.screen(c.known()[0])
	if err != nil {
		return false
	}
	var block struct{ Hash string }
	c.evm.Call(&block, "eth_getBlockByNumber", "latest", false)
	return v.Basis.Heads[string(c.accounts.Chain())].Hash == block.Hash && v.Basis.Heads[string(c.outputs.Chain())].Hash == c.node.Best()
}

// compare reads both nodes into a new store and screens everybody there.
func (c *chase) compare(s *served, file string) {
	c.t.Helper()
	data := c.t.TempDir()
	must(c.t, "--data", data, "ingest", string(c.accounts.Chain()), "--from", "rpc:"+c.accounts.URL())
	must(c.t, "--data", data, "ingest", "simnet", "--from", "rpc:"+c.node.URL)
	subjects := c.known()
	r := coldtrail(c.t, append([]string{"--data", data, "--json", "screen", "--case", file}, subjects...)...)
	fresh := strings.Split(strings.TrimSpace(r.stdout), "\n")
	if len(fresh) != len(subjects) {
		c.t.Fatalf("%d verdicts on %d subjects\n%s", len(fresh), len(subjects), r.stderr)
	}
	refused := 0
	for i, subject := range subjects {
		want := parse[verdictOf](c.t, fresh[i])
		got, err := s.screen(subject)
		if err != nil {
			c.t.Fatal(err)
		}
		if got.rest() != want.rest() {
			c.t.Errorf("%s:\n%s\nread anew:\n%s", subject, got.rest(), want.rest())
		}
		if want.Outcome == "refuse" {
			refused++
		}
	}
	if refused < 6 {
		c.t.Errorf("%d of %d are refused", refused, len(subjects))
	}
}
