package audit_test

import (
	"bufio"
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"coldtrail/evidence/audit"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// clock tells a time that stands still.
func clock() time.Time { return time.UnixMilli(1_732_000_000_123) }

func open(tb testing.TB, folder string, options audit.Options) (*audit.Log, audit.Recovery) {
	tb.Helper()
	if options.Clock == nil {
		options.Clock = clock
	}
	log, recovery, err := audit.Open(folder, options)
	if err != nil {
		tb.Fatal(err)
	}
	return log, recovery
}

func shut(tb testing.TB, log *audit.Log) {
	tb.Helper()
	if err := log.Close(); err != nil {
		tb.Fatal(err)
	}
}

func add(tb testing.TB, log *audit.Log, entries ...audit.Entry) uint64 {
	tb.Helper()
	n, err := log.Append(entries...)
	if err != nil {
		tb.Fatal(err)
	}
	return n
}

func screen(n int) audit.Entry {
	return audit.Entry{Who: "key-1", What: "screen", Body: json.RawMessage(fmt.Sprintf(`{"n":%d}`, n))}
}

func verify(tb testing.TB, folder string, heads ...audit.Head) audit.Report {
	tb.Helper()
	report, err := audit.Verify(folder, heads...)
	if err != nil {
		tb.Fatal(err)
	}
	return report
}

// TestFormat writes two records and computes their lines by hand.
func TestFormat(t *testing.T) {
	folder := t.TempDir()
	log, recovery := open(t, folder, audit.Options{})
	if recovery != (audit.Recovery{}) {
		t.Errorf("a new log: %+v", recovery)
	}
	if n := add(t, log, audit.Entry{Who: "key-7", What: "override", Body: json.RawMessage(" { \"why\" : \"<&>é\\n\", \"n\": 1.50 } ")}); n != 2 {
		t.Errorf("the first entry has number %d, want 2: the first record begins the file", n)
	}
	shut(t, log)
	var want strings.Builder
	previous := strings.Repeat("0", 64)
	for i, middle := range []string{
		`"who":"audit","what":"segment","body":{"format":"coldtrail-audit-1","segment":1}`,
		`"who":"key-7","what":"override","body":{"why":"<&>é\n","n":1.50}`,
	} {
		text := fmt.Sprintf(`{"seq":%d,"ms":1732000000123,%s,"prev":"%s"`, i+1, middle, previous)
		sum := sha256.Sum256([]byte(text + "}"))
		previous = hex.EncodeToString(sum[:])
		want.WriteString(text + `,"hash":"` + previous + `"}` + "\n")
	}
	got, err := os.ReadFile(filepath.Join(folder, "audit-00000001.jsonl"))
	if err != nil || string(got) != want.String() {
		t.Errorf("the file (%v):\n%s\nwant\n%s", err, got, want.String())
	}
	report := verify(t, folder)
	if !report.Whole() || report.Records != 2 || report.Head.Hash.String() != previous || report.Segments != 1 {
		t.Errorf("report %+v", report)
	}
	info, err := os.Stat(filepath.Join(folder, "audit-00000001.jsonl"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file's mode is %v (%v), want 0600", info.Mode(), err)
	}
}

func TestRefused(t *testing.T) {
	log, _ := open(t, t.TempDir(), audit.Options{})
	for name, entry := range map[string]audit.Entry{
		"nobody":      {What: "screen"},
		"a space":     {Who: "a b", What: "screen"},
		"a quote":     {Who: `a"b`, What: "screen"},
		"a newline":   {Who: "a", What: "screen\n"},
		"no ASCII":    {Who: "é", What: "screen"},
		"a long name": {Who: strings.Repeat("a", audit.MaxName+1), What: "screen"},
		"own kind":    {Who: "a", What: "gap"},
		"no JSON":     {Who: "a", What: "screen", Body: json.RawMessage(`{"a":`)},
		"two values":  {Who: "a", What: "screen", Body: json.RawMessage(`{} {}`)},
		"no UTF-8":    {Who: "a", What: "screen", Body: json.RawMessage("\"\xff\"")},
		"too large":   {Who: "a", What: "screen", Body: json.RawMessage(`"` + strings.Repeat("a", audit.MaxBody) + `"`)},
	} {
		var refused *audit.EntryError
		if _, err := log.Append(screen(1), entry); !errors.As(err, &refused) {
			t.Errorf("%s: got %v, want an EntryError", name, err)
		}
	}
	if _, err := log.Append(); err == nil {
		t.Error("an append of nothing was taken")
	}
	if head := log.Head(); head != (audit.Head{}) {
		t.Errorf("after refusals the head is %+v", head)
	}
	if n := add(t, log, audit.Entry{Who: "a", What: "screen", Body: json.RawMessage(`"` + strings.Repeat("a", audit.MaxBody-2) + `"`)}); n != 2 {
		t.Errorf("number %d", n)
	}
	shut(t, log)
	shut(t, log)
	if _, err := log.Append(screen(1)); !errors.Is(err, audit.ErrClosed) {
		t.Errorf("after closing: %v", err)
	}
	if err := log.Sync(); !errors.Is(err, audit.ErrClosed) {
		t.Errorf("sync after closing: %v", err)
	}
}

// TestReopened goes on where the log ended, over several files and openings.
func TestReopened(t *testing.T) {
	folder := t.TempDir()
	n := 0
	var head audit.Head
	for round := range 5 {
		log, recovery := open(t, folder, audit.Options{Segment: 2000})
		if recovery.Head != head || recovery.Cut != 0 {
			t.Errorf("round %d: recovered %+v, want head %+v", round, recovery, head)
		}
		for range 20 {
			n++
			add(t, log, screen(n))
		}
		head = log.Head()
		if _, _, err := audit.Open(folder, audit.Options{Clock: clock}); !errors.Is(err, audit.ErrLocked) {
			t.Errorf("opened twice: %v", err)
		}
		shut(t, log)
	}
	report := verify(t, folder)
	if !report.Whole() || report.Segments < 10 || report.Records != uint64(n+report.Segments) || report.Head != head {
		t.Errorf("report %+v, want %d entries and a record for each file", report, n)
	}
	count, last := 0, uint64(0)
	for r, err := range audit.Records(folder, 50) {
		if err != nil {
			t.Fatal(err)
		}
		if r.Sequence < 50 || last != 0 && r.Sequence != last+1 {
			t.Errorf("record %d after %d", r.Sequence, last)
		}
		last = r.Sequence
		count++
	}
	if count != int(report.Records)-49 {
		t.Errorf("%d records from the 50th, want %d", count, report.Records-49)
	}
}

// TestTogether appends from many goroutines: numbers are given once each, the entries of
// one append stand side by side, and each is where its number says.
func TestTogether(t *testing.T) {
	folder := t.TempDir()
	log, _ := open(t, folder, audit.Options{Segment: 20_000})
	var mu sync.Mutex
	want := map[uint64]string{}
	var group sync.WaitGroup
	for g := range 64 {
		group.Go(func() {
			for i := range 20 {
				first := audit.Entry{Who: "key-1", What: "screen", Body: json.RawMessage(fmt.Sprintf(`{"g":%d,"i":%d}`, g, i))}
				second := first
				second.What = []string{"screen", "override"}[i/19]
				n, err := log.Append(first, second)
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				want[n], want[n-1] = string(first.Body), string(first.Body)
				mu.Unlock()
			}
		})
	}
	group.Wait()
	shut(t, log)
	if len(want) != 64*20*2 {
		t.Errorf("%d numbers were given, want %d", len(want), 64*20*2)
	}
	entries := 0
	for r, err := range audit.Records(folder, 1) {
		if err != nil {
			t.Fatal(err)
		}
		if r.What == "segment" {
			continue
		}
		entries++
		if string(r.Body) != want[r.Sequence] {
			t.Errorf("record %d says %s, want %s", r.Sequence, r.Body, want[r.Sequence])
		}
	}
	if report := verify(t, folder); entries != len(want) || !report.Whole() {
		t.Errorf("%d entries, want %d; %+v", entries, len(want), report)
	}
}

// written makes a log of three files and gives their lines.
func written(t *testing.T) (folder string, files [][]string) {
	t.Helper()
	folder = t.TempDir()
	log, _ := open(t, folder, audit.Options{Segment: 1000})
	for n := range 13 {
		add(t, log, screen(n))
	}
	shut(t, log)
	for number := 1; ; number++ {
		text, err := os.ReadFile(filepath.Join(folder, fmt.Sprintf("audit-%08d.jsonl", number)))
		if err != nil {
			break
		}
		files = append(files, strings.Split(strings.TrimSuffix(string(text), "\n"), "\n"))
	}
	if len(files) != 4 || len(files[0]) != 5 || len(files[1]) != 5 {
		t.Fatalf("the log has files of other sizes than the test expects: %d, the first of %d lines", len(files), len(files[0]))
	}
	return folder, files
}

func name(file int) string { return fmt.Sprintf("audit-%08d.jsonl", file+1) }

// resealed writes a record again with another body and its own right hash.
func resealed(t *testing.T, line, body string) string {
	t.Helper()
	r, err := audit.ParseRecord([]byte(line))
	if err != nil {
		t.Fatal(err)
	}
	was := string(r.Body)
	r.Body = json.RawMessage(body)
	sum := r.Sum()
	return strings.NewReplacer(`"body":`+was, `"body":`+body, r.Hash.String(), sum.String()).Replace(line)
}

// TestTampering does to a log what somebody might, one thing at a time, and wants to be
// told which and where.
func TestTampering(t *testing.T) {
	for what, tc := range map[string]struct {
		do   func(t *testing.T, files [][]string) [][]string
		want audit.Broken
	}{
		"a body is changed": {func(_ *testing.T, f [][]string) [][]string {
			f[1][2] = strings.Replace(f[1][2], `{"n":5}`, `{"n":6}`, 1)
			return f
		}, audit.Broken{Damage: audit.Changed, File: name(1), Line: 3, Sequence: 8, Reason: "its hash is not of what it says"}},
		"who did it is changed": {func(_ *testing.T, f [][]string) [][]string {
			f[0][1] = strings.Replace(f[0][1], `key-1`, `key-2`, 1)
			return f
		}, audit.Broken{Damage: audit.Changed, File: name(0), Line: 2, Sequence: 2, Reason: "its hash is not of what it says"}},
		"a body is changed and sealed again": {func(t *testing.T, f [][]string) [][]string {
			t.Helper()
			f[1][2] = resealed(t, f[1][2], `{"n":6}`)
			return f
		}, audit.Broken{Damage: audit.Changed, File: name(1), Line: 4, Sequence: 9, Reason: "it does not follow from the record before it: one of the two was written again"}},
		"a space is added": {func(_ *testing.T, f [][]string) [][]string {
			f[0][3] = strings.Replace(f[0][3], `{"n":`, `{"n": `, 1)
			return f
		}, audit.Broken{Damage: audit.Changed, File: name(0), Line: 4, Reason: "audit: the line has no body of compact JSON"}},
		"a record is removed": {func(_ *testing.T, f [][]string) [][]string {
			f[1] = slices.Delete(f[1], 2, 3)
			return f
		}, audit.Broken{Damage: audit.Removed, File: name(1), Line: 3, Sequence: 9, Reason: "record 8 should come here"}},
		"the first record is removed": {func(_ *testing.T, f [][]string) [][]string {
			f[0] = f[0][1:]
			return f
		}, audit.Broken{Damage: audit.Removed, File: name(0), Line: 1, Sequence: 2, Reason: "record 1 should come here"}},
		"the beginning of a file is removed": {func(_ *testing.T, f [][]string) [][]string {
			f[2] = f[2][1:]
			return f
		}, audit.Broken{Damage: audit.Removed, File: name(2), Line: 1, Sequence: 12, Reason: "record 11 should come here"}},
		"a file is removed": {func(_ *testing.T, f [][]string) [][]string {
			f[1] = nil
			return f
		}, audit.Broken{Damage: audit.Removed, File: name(2), Line: 1, Sequence: 11, Reason: "record 6 should come here"}},
		"two records change places": {func(_ *testing.T, f [][]string) [][]string {
			f[1][2], f[1][3] = f[1][3], f[1][2]
			return f
		}, audit.Broken{Damage: audit.Reordered, File: name(1), Line: 3, Sequence: 9, Reason: "record 8 should come here and comes later, in " + name(1)}},
		"two files change places": {func(_ *testing.T, f [][]string) [][]string {
			f[0], f[1] = f[1], f[0]
			return f
		}, audit.Broken{Damage: audit.Reordered, File: name(0), Line: 1, Sequence: 6, Reason: "record 1 should come here and comes later, in " + name(1)}},
		"a record comes twice": {func(_ *testing.T, f [][]string) [][]string {
			f[1] = slices.Insert(f[1], 3, f[1][2])
			return f
		}, audit.Broken{Damage: audit.Inserted, File: name(1), Line: 4, Sequence: 8, Reason: "that number was there before, record 9 should come here"}},
		"a forged record is inserted": {func(t *testing.T, f [][]string) [][]string {
			t.Helper()
			f[1] = slices.Insert(f[1], 2, resealed(t, f[1][2], `{"n":99}`))
			return f
		}, audit.Broken{Damage: audit.Inserted, File: name(1), Line: 4, Sequence: 8, Reason: "that number was there before, record 9 should come here"}},
		"text is inserted": {func(_ *testing.T, f [][]string) [][]string {
			f[0] = slices.Insert(f[0], 2, "x")
			return f
		}, audit.Broken{Damage: audit.Changed, File: name(0), Line: 3, Reason: "audit: the line has no form of a record"}},
		"two files are made one": {func(_ *testing.T, f [][]string) [][]string {
			f[0] = append(f[0], f[1]...)
			f[1] = nil
			return f
		}, audit.Broken{Damage: audit.Changed, File: name(0), Line: 6, Sequence: 6, Reason: "a file begins with a record that says so, and has no other"}},
		"the last record is removed": {func(_ *testing.T, f [][]string) [][]string {
			f[3] = f[3][:1]
			return f
		}, audit.Broken{Damage: audit.Truncated, File: name(3), Line: 1, Sequence: 16, Reason: "the log ends here, and a head was taken of record 17"}},
		"the last file is removed": {func(_ *testing.T, f [][]string) [][]string {
			return f[:3]
		}, audit.Broken{Damage: audit.Truncated, File: name(2), Line: 5, Sequence: 15, Reason: "the log ends here, and a head was taken of record 17"}},
	} {
		t.Run(what, func(t *testing.T) {
			folder, files := written(t)
			whole := verify(t, folder)
			if !whole.Whole() || whole.Records != 17 {
				t.Fatalf("before: %+v", whole)
			}
			for number := range files {
				if err := os.Remove(filepath.Join(folder, name(number))); err != nil {
					t.Fatal(err)
				}
			}
			for number, lines := range tc.do(t, files) {
				if lines == nil {
					continue
				}
				if err := os.WriteFile(filepath.Join(folder, name(number)), []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			report := verify(t, folder, whole.Head)
			if report.Whole() || report.Broken == nil || *report.Broken != tc.want {
				t.Errorf("got  %+v\nwant %+v", report.Broken, tc.want)
			}
			// Without a head only the end can go unnoticed.
			if report := verify(t, folder); (report.Broken == nil) != (tc.want.Damage == audit.Truncated) {
				t.Errorf("without a head: %+v", report.Broken)
			}
		})
	}
}

// TestTornInTheMiddle leaves a file without the end of its last line, and another behind it.
func TestTornInTheMiddle(t *testing.T) {
	folder, files := written(t)
	text := strings.Join(files[1], "\n")
	if err := os.WriteFile(filepath.Join(folder, name(1)), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	want := audit.Broken{Damage: audit.Changed, File: name(1), Line: 5, Reason: "the line has no end, and another file follows"}
	if report := verify(t, folder); report.Broken == nil || *report.Broken != want {
		t.Errorf("got  %+v\nwant %+v", report.Broken, want)
	}
}

// TestRewritten writes the whole log again with another content: only the head that
// somebody else kept gives it away.
func TestRewritten(t *testing.T) {
	var heads [2]audit.Head
	var folders [2]string
	for i := range heads {
		folders[i] = t.TempDir()
		log, _ := open(t, folders[i], audit.Options{})
		add(t, log, screen(i))
		heads[i] = log.Head()
		add(t, log, screen(7))
		shut(t, log)
	}
	if report := verify(t, folders[1], heads[1]); !report.Whole() {
		t.Errorf("its own head: %+v", report.Broken)
	}
	report := verify(t, folders[1], heads[0])
	if report.Broken == nil || report.Broken.Damage != audit.Changed || report.Broken.Sequence != 2 {
		t.Errorf("another's head: %+v", report.Broken)
	}
}

func TestCheckpoint(t *testing.T) {
	folder := t.TempDir()
	log, _ := open(t, folder, audit.Options{})
	add(t, log, screen(1))
	key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize))
	public, _ := key.Public().(ed25519.PublicKey)
	checkpoint := audit.Sign(log.Head(), key)
	shut(t, log)
	text := checkpoint.Text()
	head, err := audit.ParseCheckpoint(text, public)
	if err != nil || head.Sequence != 2 || head != checkpoint.Head {
		t.Fatalf("read back: %+v, %v", head, err)
	}
	if report := verify(t, folder, head); !report.Whole() {
		t.Errorf("verified with it: %+v", report)
	}
	other, _ := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{8}, ed25519.SeedSize)).Public().(ed25519.PublicKey)
	if _, err := audit.ParseCheckpoint(text, other); !errors.Is(err, audit.ErrSignature) {
		t.Errorf("another key: %v", err)
	}
	for from, to := range map[string]string{`"seq":2`: `"seq":3`, `"ms":1732000000123`: `"ms":1732000000124`, head.Hash.String(): strings.Repeat("0", 64)} {
		changed := strings.Replace(string(text), from, to, 1)
		if _, err := audit.ParseCheckpoint([]byte(changed), public); !errors.Is(err, audit.ErrSignature) {
			t.Errorf("%s changed to %s: %v", from, to, err)
		}
	}
	if _, err := audit.ParseCheckpoint([]byte(`{"format":"other"}`), public); err == nil {
		t.Error("another format was read")
	}
}

// TestTorn leaves a log as a killed process might: what is torn is cut off, kept aside and
// told in the log itself.
func TestTorn(t *testing.T) {
	for what, tc := range map[string]struct {
		tear func(t *testing.T, folder string)
		cut  int64
	}{
		"within a line": {func(t *testing.T, folder string) {
			t.Helper()
			lengthen(t, filepath.Join(folder, name(3)), `{"seq":18,"ms":17`)
		}, 17},
		"a line without its end": {func(t *testing.T, folder string) {
			t.Helper()
			text, err := os.ReadFile(filepath.Join(folder, name(3)))
			if err != nil {
				t.Fatal(err)
			}
			lengthen(t, filepath.Join(folder, name(3)), string(bytes.TrimSuffix(bytes.SplitAfter(text, []byte("\n"))[1], []byte("\n"))))
		}, 223},
		"zeros": {func(t *testing.T, folder string) {
			t.Helper()
			lengthen(t, filepath.Join(folder, name(3)), strings.Repeat("\x00", 4096))
		}, 4096},
		"within the first line of a file": {func(t *testing.T, folder string) {
			t.Helper()
			lengthen(t, filepath.Join(folder, name(4)), `{"seq":18`)
		}, 9},
		"a file without a line": {func(t *testing.T, folder string) {
			t.Helper()
			lengthen(t, filepath.Join(folder, name(4)), "")
		}, 0},
	} {
		t.Run(what, func(t *testing.T) {
			folder, _ := written(t)
			tc.tear(t, folder)
			if report := verify(t, folder); report.Torn != tc.cut || report.Broken != nil || report.Records != 17 {
				t.Errorf("before: %+v, want %d bytes torn", report, tc.cut)
			}
			log, recovery := open(t, folder, audit.Options{Segment: 1000})
			if recovery.Cut != tc.cut || recovery.Head.Sequence != 17 {
				t.Errorf("recovered %+v, want %d bytes cut after record 17", recovery, tc.cut)
			}
			add(t, log, screen(99))
			shut(t, log)
			report := verify(t, folder, recovery.Head)
			if !report.Whole() {
				t.Errorf("after: %+v", report)
			}
			said := ""
			for r, err := range audit.Records(folder, 18) {
				if err != nil {
					t.Fatal(err)
				}
				said += r.What + " "
			}
			if want := map[bool]string{true: "cut screen ", false: "screen "}[tc.cut > 0]; said != want {
				t.Errorf("records after it: %s, want %s", said, want)
			}
			if tc.cut > 0 {
				kept, err := os.ReadFile(filepath.Join(folder, recovery.File))
				if err != nil || int64(len(kept)) != tc.cut {
					t.Errorf("%d bytes were kept (%v), want %d", len(kept), err, tc.cut)
				}
			}
		})
	}
}

func lengthen(t *testing.T, path, text string) {
	t.Helper()
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	_, err = file.WriteString(text)
	if err := errors.Join(err, file.Close()); err != nil {
		t.Fatal(err)
	}
}

// TestOpenBroken wants a log that was tampered with to be refused and left as it is.
func TestOpenBroken(t *testing.T) {
	folder, files := written(t)
	files[3][0] = strings.Replace(files[3][0], `"segment":4`, `"segment":9`, 1)
	text := strings.Join(files[3], "\n") + "\n"
	if err := os.WriteFile(filepath.Join(folder, name(3)), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var broken *audit.BrokenError
	_, _, err := audit.Open(folder, audit.Options{Clock: clock})
	if !errors.As(err, &broken) || broken.File != name(3) || broken.Line != 1 || broken.Sequence != 16 {
		t.Errorf("opened: %v", err)
	}
	if after, err := os.ReadFile(filepath.Join(folder, name(3))); err != nil || string(after) != text {
		t.Errorf("the file was changed (%v)", err)
	}
}

// TestKilled kills a program that appends from many goroutines, several times over: what
// it had acknowledged is there, in its place.
func TestKilled(t *testing.T) {
	if folder := os.Getenv("COLDTRAIL_TEST_APPEND"); folder != "" {
		appendForEver(t, folder)
	}
	folder := t.TempDir()
	for round := range 5 {
		acknowledged := killAppender(t, folder, 300+400*round)
		log, recovery := open(t, folder, audit.Options{Segment: 50_000})
		shut(t, log)
		report := verify(t, folder, recovery.Head)
		if !report.Whole() {
			t.Fatalf("round %d: %+v", round, report)
		}
		bodies := map[uint64]string{}
		for r, err := range audit.Records(folder, 1) {
			if err != nil {
				t.Fatal(err)
			}
			bodies[r.Sequence] = string(r.Body)
		}
		for sequence, body := range acknowledged {
			if bodies[sequence] != body {
				t.Errorf("round %d: record %d says %s, acknowledged was %s", round, sequence, bodies[sequence], body)
			}
		}
	}
}

// killAppender runs a program that appends, kills it after so many acknowledgements, and
// gives all it acknowledged.
func killAppender(t *testing.T, folder string, appends int) map[uint64]string {
	t.Helper()
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestKilled$")
	child.Env = append(os.Environ(), "COLDTRAIL_TEST_APPEND="+folder)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	acknowledged := map[uint64]string{}
	in := bufio.NewReader(out)
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			break // also a line that was cut off by the end
		}
		number, body, _ := strings.Cut(strings.TrimSpace(line), " ")
		sequence, err := strconv.ParseUint(number, 10, 64)
		if err != nil {
			t.Fatalf("the program said %q", line)
		}
		acknowledged[sequence] = body
		if len(acknowledged) == appends {
			if err := child.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := child.Wait(); err == nil || len(acknowledged) < appends {
		t.Fatalf("the program ended by itself after %d appends: %v", len(acknowledged), err)
	}
	return acknowledged
}

func appendForEver(t *testing.T, folder string) {
	t.Helper()
	log, _ := open(t, folder, audit.Options{Segment: 50_000})
	var group sync.WaitGroup
	var mu sync.Mutex
	for g := range 16 {
		group.Go(func() {
			for i := 0; ; i++ {
				body := fmt.Sprintf(`{"g":%d,"i":%d}`, g, i)
				what := []string{"screen", "case"}[min(i%50, 1)^1]
				n, err := log.Append(audit.Entry{Who: "key-1", What: what, Body: json.RawMessage(body)})
				if err != nil {
					os.Exit(1)
				}
				mu.Lock()
				fmt.Println(n, body)
				mu.Unlock()
			}
		})
	}
	group.Wait()
}

func FuzzParseRecord(f *testing.F) {
	folder := f.TempDir()
	log, _ := open(f, folder, audit.Options{})
	add(f, log, screen(1), audit.Entry{Who: "a", What: "b"}, audit.Entry{Who: "a", What: "b", Body: json.RawMessage(`"\",\"prev\":\""`)})
	shut(f, log)
	text, err := os.ReadFile(filepath.Join(folder, name(0)))
	if err != nil {
		f.Fatal(err)
	}
	for line := range bytes.Lines(text) {
		f.Add(bytes.TrimSpace(line))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		r, err := audit.ParseRecord(line)
		if err != nil {
			return
		}
		// What is read has one form only: the line itself.
		var generic map[string]any
		if err := json.Unmarshal(line, &generic); err != nil || len(generic) != 7 {
			t.Fatalf("%q was read and is no object of seven members: %v", line, err)
		}
		again := fmt.Sprintf(`{"seq":%d,"ms":%d,"who":"%s","what":"%s","body":%s,"prev":"%s","hash":"%s"}`, r.Sequence, r.Time, r.Who, r.What, r.Body, r.Previous, r.Hash)
		if again != string(line) {
			t.Fatalf("read %q, written %q", line, again)
		}
	})
}

func FuzzParseCheckpoint(f *testing.F) {
	key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize))
	public, _ := key.Public().(ed25519.PublicKey)
	checkpoint := audit.Sign(audit.Head{Sequence: 5, Time: 6}, key)
	f.Add(checkpoint.Text())
	f.Fuzz(func(t *testing.T, text []byte) {
		if head, err := audit.ParseCheckpoint(text, public); err == nil && head != checkpoint.Head {
			t.Fatalf("%q names %+v, which was never signed", text, head)
		}
	})
}

// BenchmarkAppend appends records of the size of a verdict from 64 goroutines.
func BenchmarkAppend(b *testing.B) {
	body := json.RawMessage(`{"subject":"0x47666fab8bd0ac7003bce3f5c3585383f09486e2","chain":"eip155:1","outcome":"refuse","level":"severe","index":1234,"policy":"default/1","reasons":["sanctioned","tainted-direct"]}`)
	for _, bench := range []struct {
		name string
		lazy []string
	}{{"synced every second", nil}, {"each synced", []string{}}} {
		b.Run(bench.name, func(b *testing.B) {
			log, _ := open(b, b.TempDir(), audit.Options{Lazy: bench.lazy})
			defer shut(b, log)
			work := make(chan struct{}, 1024)
			var group sync.WaitGroup
			for range 64 {
				group.Go(func() {
					for range work {
						if _, err := log.Append(audit.Entry{Who: "key-0123456789abcdef", What: "screen", Body: body}); err != nil {
							b.Error(err)
						}
					}
				})
			}
			for b.Loop() {
				work <- struct{}{}
			}
			close(work)
			group.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
		})
	}
}

// BenchmarkVerify checks a log of a hundred thousand records.
func BenchmarkVerify(b *testing.B) {
	folder := b.TempDir()
	log, _ := open(b, folder, audit.Options{})
	entries := make([]audit.Entry, 1000)
	for i := range entries {
		entries[i] = audit.Entry{Who: "key-1", What: "screen", Body: json.RawMessage(`{"subject":"0x47666fab8bd0ac7003bce3f5c3585383f09486e2","chain":"eip155:1","outcome":"refuse"}`)}
	}
	for range 100 {
		add(b, log, entries...)
	}
	shut(b, log)
	for b.Loop() {
		if report := verify(b, folder); !report.Whole() || report.Records != 100_001 {
			b.Fatal(report)
		}
	}
	b.ReportMetric(100_001*float64(b.N)/b.Elapsed().Seconds(), "records/s")
}
