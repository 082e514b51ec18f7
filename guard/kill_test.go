package guard_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"coldtrail/casebook"
	"coldtrail/casebook/sqlite"
	"coldtrail/guard"
	"coldtrail/screen"
	"coldtrail/screen/breaker"
)

// childBook names the casebook that a child process of this test works on until it is
// killed.
const childBook = "COLDTRAIL_GUARD_CHILD"

func isChild() bool { return os.Getenv(childBook) != "" }

// child posts uses and prints each decision that it was given, until it is killed.
func child() {
	ctx := context.Background()
	fail := func(err error) {
		if err != nil {
			fmt.Println("error", err)
			os.Exit(1)
		}
	}
	book, err := sqlite.Open(ctx, os.Getenv(childBook), 1, sqlite.Options{})
	fail(err)
	now := int64(1_000_000)
	g, err := guard.Open(ctx, guard.Options{Book: book, Know: func() *screen.Knowledge { return nil }, Now: func() int64 { return now }, Every: 50})
	fail(err)
	fail(g.SaveVenue(ctx, casebook.Venue{ID: "v", Kind: casebook.Posted, Config: json.RawMessage(`{}`), By: "k"}))
	for i := 0; ; i++ {
		now += 7
		d, err := g.Use(ctx, "v", []breaker.Event{killed(i, now)})
		fail(err)
		fail(g.Tick(ctx))
		state, last, err := g.State(ctx, "v")
		fail(err)
		fmt.Println(d[0].ID, d[0].Sequence, string(d[0].Action), last, state)
	}
}

func killed(i int, now int64) breaker.Event {
	return breaker.Event{ID: fmt.Sprintf("use-%d", i), Moment: now, Route: "A>B", Sender: fmt.Sprintf("sender-%d", i%17), Funder: fmt.Sprintf("funder-%d", i%3), Cents: uint64(i)}
}

// TestKilled: nothing that was answered is lost when the process is killed, and the state
// is the same byte for byte.
func TestKilled(t *testing.T) {
	path := filepath.Join(t.TempDir(), "book.db")
	for _, lines := range []int{3, 120} {
		command := exec.CommandContext(t.Context(), os.Args[0])
		command.Env = append(os.Environ(), childBook+"="+path)
		out, err := command.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := command.Start(); err != nil {
			t.Fatal(err)
		}
		reader := bufio.NewReader(out)
		var said []string
		for range lines {
			text, err := reader.ReadString('\n')
			if err != nil || strings.HasPrefix(text, "error") {
				t.Fatal(text, err)
			}
			said = append(said, strings.TrimSpace(text))
		}
		if err := command.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		for { // what it still had said
			text, err := reader.ReadString('\n')
			if err != nil {
				break
			}
			said = append(said, strings.TrimSpace(text))
		}
		_ = command.Wait()
		checkKilled(t, path, said)
	}
}

func checkKilled(t *testing.T, path string, said []string) {
	t.Helper()
	ctx := t.Context()
	book, err := sqlite.Open(ctx, path, 1, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = book.Close() }()
	g, err := guard.Open(ctx, guard.Options{Book: book, Know: func() *screen.Knowledge { return nil }, Now: func() int64 { return 1 }})
	if err != nil {
		t.Fatal(err)
	}
	kept := map[string]string{}
	for after := int64(0); ; {
		list, err := g.Decisions(ctx, "v", after, 1000)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range list {
			kept[fmt.Sprintf("%s %d %s", d.ID, d.Sequence, d.Action)] = "kept"
			after = d.Sequence
		}
		if len(list) < 1000 {
			break
		}
	}
	for _, line := range said {
		f := strings.Fields(line)
		if len(f) == 5 && kept[strings.Join(f[:3], " ")] == "" {
			t.Errorf("lost: %s", line)
		}
	}
	state, last, err := g.State(ctx, "v")
	if err != nil {
		t.Fatal(err)
	}
	report, err := g.Replay(ctx, "v")
	if err != nil || report.First != nil || report.State != state || report.Last != last {
		t.Errorf("replayed %+v, %v; state %s after %d", report, err, state, last)
	}
	end := strings.Fields(said[len(said)-1])
	if len(end) == 5 && end[3] == fmt.Sprint(last) && end[4] != state {
		t.Errorf("state %s, before it was killed %s", state, end[4])
	}
	if err := g.Close(ctx); err != nil {
		t.Error(err)
	}
}
