package clickhousetest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Node is one ClickHouse server.
type Node struct {
	Address        string // of the native protocol, host:port
	HTTP           string // host:port
	Shard, Replica int    // from 1, as in the macros {shard} and {replica}
	folder         string
	keeper         *keeper // nil without ZooKeeper
	logged         int64   // bytes in the log when the server was last started
	program        program
}

// Kill ends the server by SIGKILL and returns when it is dead.
func (n *Node) Kill() { n.program.kill() }

// Stop freezes the server by SIGSTOP: it holds its connections and answers nothing.
func (n *Node) Stop() { n.program.freeze() }

// Cont lets a frozen server go on.
func (n *Node) Cont() { n.program.thaw() }

// Restart starts the server again on the same ports and folder, killing it first where
// it still runs, and waits until it answers. ZooKeeper must run: without it ClickHouse
// 18.16 refuses to start, or starts without its replicated tables and never finds them.
func (n *Node) Restart(tb testing.TB) {
	tb.Helper()
	if n.keeper != nil && !n.keeper.program.runs() {
		tb.Fatal("RestartKeeper first: a server that starts without ZooKeeper may lose its replicated tables")
	}
	n.Kill()
	err := again(func() error {
		if err := n.launch(); err != nil {
			return err
		}
		return n.ready()
	})
	if err != nil {
		tb.Fatal(err)
	}
}

// CaughtUp waits until a server has everything that its shard has. One that was started again has to
// find out first what it missed; until then its queue is empty and its delay is of all time.
func (n *Node) CaughtUp(tb testing.TB) {
	tb.Helper()
	const behind = "SELECT count() > 0, sum((log_max_index >= log_pointer) OR (inserts_in_queue > 0) OR is_readonly OR is_session_expired OR absolute_delay > 1000000000) FROM system.replicas"
	var answer string
	var err error
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if answer, err = n.Query(tb.Context(), behind); err == nil && strings.TrimSpace(answer) == "1\t0" {
			return
		}
	}
	tb.Fatalf("shard %d, replica %d does not catch up: %q, %v", n.Shard, n.Replica, answer, err)
}

// again tries a start on ports that are given, which another program may hold for a moment.
func again(start func() error) error {
	var err error
	for range attempts {
		if err = start(); err == nil || !taken(err) {
			return err
		}
		time.Sleep(time.Second)
	}
	return err
}

// taken reports whether a program ended because somebody else had its port. Any other
// end is a failure, which a second try must not hide.
func taken(err error) bool { return strings.Contains(err.Error(), "Address already in use") }

func (n *Node) launch() error {
	n.logged = 0
	if info, err := os.Stat(n.log()); err == nil {
		n.logged = info.Size()
	}
	return n.program.start(filepath.Join(n.folder, "output.log"), server(), "--config-file="+filepath.Join(n.folder, "config.xml"))
}

func (n *Node) log() string { return filepath.Join(n.folder, "server.log") }

// ready waits until the server answers, and with its own folder: a server of another
// test may have got the port first.
func (n *Node) ready() error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	var answer string
	var err error
	for ; ctx.Err() == nil; time.Sleep(50 * time.Millisecond) {
		if !n.program.runs() {
			return fmt.Errorf("the server of shard %d, replica %d ended:\n%s", n.Shard, n.Replica, n.tail())
		}
		answer, err = n.Query(ctx, "SELECT 1, substitution FROM system.macros WHERE macro = 'folder'")
		if err == nil && answer == "1\t"+n.folder+"\n" && n.distributes() {
			return nil
		}
	}
	n.Kill()
	return fmt.Errorf("the server of shard %d, replica %d does not answer (%q, %w):\n%s", n.Shard, n.Replica, answer, err, n.tail())
}

// distributes reports whether the server takes statements ON CLUSTER. ClickHouse 18.16
// answers before it has its session with ZooKeeper, and such a statement then ends it
// by a null pointer. Nothing but its log tells.
func (n *Node) distributes() bool {
	if n.keeper == nil {
		return true
	}
	text, err := os.ReadFile(n.log())
	if err != nil {
		return false
	}
	if n.logged < int64(len(text)) { // else it has begun a new file
		text = text[n.logged:]
	}
	return bytes.Contains(text, []byte("DDLWorker: Processing tasks"))
}

// tail is the end of what the server said, warnings and errors last.
func (n *Node) tail() string {
	return tail(filepath.Join(n.folder, "output.log")) + tail(filepath.Join(n.folder, "server.err.log"))
}

// Query sends one statement over HTTP and returns the answer as TabSeparated text. A
// refusal is an error with the server's words.
func (n *Node) Query(ctx context.Context, statement string) (string, error) {
	where := url.URL{Scheme: "http", Host: n.HTTP, Path: "/"}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, where.String(), strings.NewReader(statement))
	if err != nil {
		return "", err
	}
	request.Close = true // a killed server leaves no connection behind that the next question would get
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return "", err
	}
	if response.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%s refuses (%s): %s", n.HTTP, response.Status, strings.TrimSpace(string(answer)))
	}
	return string(answer), nil
}
