package clickhousetest_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"coldtrail/internal/clickhousetest"
)

// TestFreeze wants a frozen server to answer nothing, and to answer when it goes on.
func TestFreeze(t *testing.T) {
	n := clickhousetest.Start(t, 1, 1).Shards[0][0]
	n.Stop()
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	if answer, err := n.Query(ctx, "SELECT 1"); err == nil {
		t.Errorf("a frozen server answers %q", answer)
	}
	n.Cont()
	if got := ask(t, n, "SELECT 1"); got != "1" {
		t.Errorf("a server that goes on answers %q", got)
	}
	n.Stop()
	n.Restart(t)
	if got := ask(t, n, "SELECT 2"); got != "2" {
		t.Errorf("a server restarted from its frozen state answers %q", got)
	}
}

// TestPortsAreHeld: no other cluster takes the port of a server that is down.
func TestPortsAreHeld(t *testing.T) {
	n := clickhousetest.Start(t, 1, 1).Shards[0][0]
	n.Kill()
	var config net.ListenConfig
	if c, err := config.ListenPacket(t.Context(), "udp", n.Address); err == nil {
		t.Error("nothing holds the port of a server that is down", c.Close())
	}
}

// TestHeldPort lets somebody hold a dead server's port for a while.
func TestHeldPort(t *testing.T) {
	n := clickhousetest.Start(t, 1, 1).Shards[0][0]
	ask(t, n, "CREATE TABLE kept (height UInt64) ENGINE = MergeTree ORDER BY height")
	ask(t, n, "INSERT INTO kept VALUES (7)")
	n.Kill()
	var config net.ListenConfig
	l, err := config.Listen(t.Context(), "tcp", n.Address)
	if err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(time.Second, func() { _ = l.Close() })
	n.Restart(t)
	if got := ask(t, n, "SELECT height FROM kept"); got != "7" {
		t.Errorf("the restarted server has %q", got)
	}
}

// endEnv names how TestEndOf ends; without it the test does nothing.
const endEnv = "COLDTRAIL_CLICKHOUSETEST_END"

// TestEndOf starts servers, says where they are, and ends as it is told.
func TestEndOf(t *testing.T) {
	how := os.Getenv(endEnv)
	if how == "" {
		t.Skip("only TestEnds runs this, in a process of its own")
	}
	clickhousetest.Single(t)
	n := clickhousetest.Start(t, 1, 1).Shards[0][0]
	folder := ask(t, n, "SELECT substitution FROM system.macros WHERE macro = 'folder'")
	fmt.Fprintf(os.Stderr, "folder %s\n", filepath.Dir(folder))
	switch how {
	case "panic":
		panic("as told")
	case "exit":
		os.Exit(3)
	case "wait":
		time.Sleep(time.Minute)
	}
}

// TestEnds ends a test binary in every way there is, and wants nothing left of it.
func TestEnds(t *testing.T) {
	clickhousetest.Single(t) // skips where there is no server
	for _, how := range []string{"return", "panic", "exit", "wait"} {
		t.Run(how, func(t *testing.T) {
			temp := t.TempDir()
			command := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestEndOf$", "-test.v")
			command.Env = append(os.Environ(), endEnv+"="+how, "TMPDIR="+temp)
			stderr, err := command.StderrPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := command.Start(); err != nil {
				t.Fatal(err)
			}
			folder := ""
			for lines := bufio.NewScanner(stderr); lines.Scan(); {
				if after, ok := strings.CutPrefix(lines.Text(), "folder "); ok {
					folder = after
					if how == "wait" {
						if err := command.Process.Kill(); err != nil {
							t.Fatal(err)
						}
					}
				}
			}
			_ = command.Wait() // it fails as it was told
			if filepath.Dir(folder) != temp {
				t.Fatalf("the servers ran in %q, not below %s", folder, temp)
			}
			left := func() []string { return append(entries(t, temp), processesOf(t, temp)...) }
			for range 100 {
				if len(left()) == 0 {
					return
				}
				time.Sleep(100 * time.Millisecond)
			}
			t.Errorf("left behind: %q", left())
		})
	}
}

func entries(t *testing.T, folder string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(folder, "*"))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// processesOf lists the command lines of running programs that name a folder.
func processesOf(t *testing.T, folder string) []string {
	t.Helper()
	paths, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err == nil && strings.Contains(string(text), folder) {
			found = append(found, strings.ReplaceAll(string(text), "\x00", " "))
		}
	}
	return found
}
