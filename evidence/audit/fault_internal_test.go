package audit

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// disk is a disk that runs full and fails, as told.
type disk struct {
	room     int64 // bytes that can still be written; below 0 any number
	truncate error
	sync     error
	syncs    int
	synced   chan struct{} // hears of the first syncs
}

type diskFile struct {
	*os.File
	disk *disk
}

func (d *disk) open(path string) (file, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o600)
	return &diskFile{f, d}, err
}

// WriteAt writes what there is room for, as a system does.
func (f *diskFile) WriteAt(data []byte, at int64) (int, error) {
	if f.disk.room < 0 || f.disk.room >= int64(len(data)) {
		if f.disk.room >= 0 {
			f.disk.room -= int64(len(data))
		}
		return f.File.WriteAt(data, at)
	}
	n, err := f.File.WriteAt(data[:f.disk.room], at)
	if err != nil {
		return n, err
	}
	f.disk.room = 0
	return n, &os.PathError{Op: "write", Path: f.Name(), Err: syscall.ENOSPC}
}

func (f *diskFile) Truncate(size int64) error {
	if f.disk.truncate != nil {
		return f.disk.truncate
	}
	return f.File.Truncate(size)
}

func (f *diskFile) Sync() error {
	f.disk.syncs++
	select {
	case f.disk.synced <- struct{}{}:
	default:
	}
	return f.disk.sync
}

func onFaulty(t *testing.T, options Options) (*Log, *disk, string) {
	t.Helper()
	d := &disk{room: -1, synced: make(chan struct{}, 8)}
	options.files = d.open
	options.Clock = func() time.Time { return time.UnixMilli(5000) }
	folder := t.TempDir()
	log, _, err := Open(folder, options)
	if err != nil {
		t.Fatal(err)
	}
	return log, d, folder
}

func entry(n int) Entry {
	return Entry{"key-1", "screen", json.RawMessage(fmt.Sprintf(`{"n":%d}`, n))}
}

// kinds lists the records of a log from a number on.
func kinds(t *testing.T, folder string, from uint64) []string {
	t.Helper()
	var found []string
	for r, err := range Records(folder, from) {
		if err != nil {
			t.Fatal(err)
		}
		text := r.What
		if r.What != segmentKind {
			text += string(r.Body)
		}
		found = append(found, text)
	}
	return found
}

func equal(t *testing.T, got, want []string) {
	t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("the log holds\n%q\nwant\n%q", got, want)
	}
}

// TestFull lets the disk run full in the middle of a line, at a whole line and where even
// cutting off fails: the append is refused, the log goes on when there is room, and says
// how much it refused.
func TestFull(t *testing.T) {
	for name, tc := range map[string]struct {
		room     int64
		truncate error
	}{
		"nothing fits": {0, nil}, "half a line": {100, nil}, "one line and a half": {340, nil}, "what is there cannot be cut off": {340, errors.New("no")},
	} {
		t.Run(name, func(t *testing.T) {
			log, d, folder := onFaulty(t, Options{})
			if _, err := log.Append(entry(1)); err != nil {
				t.Fatal(err)
			}
			head := log.Head()
			d.room, d.truncate = tc.room, tc.truncate
			_, err := log.Append(entry(2), entry(3))
			if !errors.Is(err, ErrFull) || !errors.Is(err, syscall.ENOSPC) {
				t.Fatalf("a full disk: %v, want ErrFull", err)
			}
			if _, err := log.Append(entry(4)); err == nil {
				t.Fatal("a full disk took a record")
			}
			if log.Head() != head {
				t.Errorf("the head moved to %+v", log.Head())
			}
			d.room, d.truncate = -1, nil
			n, err := log.Append(entry(5))
			if err != nil || n != 4 {
				t.Errorf("with room again: record %d, %v; want 4", n, err)
			}
			if n, err := log.Append(entry(6)); err != nil || n != 5 {
				t.Errorf("after that: record %d, %v; want 5", n, err)
			}
			if err := log.Close(); err != nil {
				t.Fatal(err)
			}
			found := kinds(t, folder, 1)
			var gap struct {
				Refused int
				From    int64 `json:"from_ms"`
				To      int64 `json:"to_ms"`
				Why     string
			}
			if err := json.Unmarshal([]byte(found[2][len("gap"):]), &gap); err != nil || gap.Refused != 3 || gap.From != 5000 || gap.To != 5000 || gap.Why == "" {
				t.Errorf("the gap: %s (%v), want 3 records refused", found[2], err)
			}
			found[2] = "gap"
			equal(t, found, []string{"segment", `screen{"n":1}`, "gap", `screen{"n":5}`, `screen{"n":6}`})
			report, err := Verify(folder)
			if err != nil || !report.Whole() || report.Refused != 3 {
				t.Errorf("verified: %+v, %v", report, err)
			}
		})
	}
}

// TestFullAtNewFile lets the disk run full where the next file begins.
func TestFullAtNewFile(t *testing.T) {
	log, d, folder := onFaulty(t, Options{Segment: 500})
	for n := range 2 {
		if _, err := log.Append(entry(n)); err != nil {
			t.Fatal(err)
		}
	}
	d.room = 150
	if _, err := log.Append(entry(2)); !errors.Is(err, ErrFull) {
		t.Fatalf("a full disk: %v, want ErrFull", err)
	}
	if _, err := os.Stat(filepath.Join(folder, segmentName(2))); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that was never begun is there (%v)", err)
	}
	d.room = -1
	if n, err := log.Append(entry(3)); err != nil || n != 6 {
		t.Errorf("with room again: record %d, %v; want 6", n, err)
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	report, err := Verify(folder)
	if err != nil || !report.Whole() || report.Segments != 2 || report.Refused != 1 {
		t.Errorf("verified: %+v, %v", report, err)
	}
}

// TestUnsynced lets the disk lose what it took: the log stops, for good.
func TestUnsynced(t *testing.T) {
	log, d, _ := onFaulty(t, Options{})
	if _, err := log.Append(entry(1)); err != nil {
		t.Fatal(err)
	}
	d.sync = syscall.EIO
	if _, err := log.Append(Entry{"key-1", "override", nil}); !errors.Is(err, ErrFailed) || !errors.Is(err, syscall.EIO) {
		t.Errorf("an act whose record was lost: %v, want ErrFailed", err)
	}
	d.sync = nil
	if _, err := log.Append(entry(2)); !errors.Is(err, ErrFailed) {
		t.Errorf("afterwards: %v, want ErrFailed", err)
	}
	if err := log.Sync(); !errors.Is(err, ErrFailed) {
		t.Errorf("a sync afterwards: %v, want ErrFailed", err)
	}
	if err := log.Close(); !errors.Is(err, ErrFailed) {
		t.Errorf("closed: %v, want ErrFailed", err)
	}
}

// TestSyncs counts when the disk is waited for.
func TestSyncs(t *testing.T) {
	log, d, _ := onFaulty(t, Options{Every: time.Hour})
	count := func(what string, want int, entries ...Entry) {
		t.Helper()
		before := d.syncs
		if _, err := log.Append(entries...); err != nil {
			t.Fatal(err)
		}
		if err := log.Sync(); err != nil && want >= 0 {
			t.Fatal(err)
		}
		if got := d.syncs - before; got != want {
			t.Errorf("%s: %d syncs, want %d", what, got, want)
		}
	}
	before := d.syncs
	if _, err := log.Append(entry(1), entry(2)); err != nil {
		t.Fatal(err)
	}
	if d.syncs != before {
		t.Errorf("screening was synced %d times, want not at all", d.syncs-before)
	}
	count("an act of an operator, and a sync with nothing left to do", 1, Entry{"key-1", "policy", nil})
	count("a sync by hand", 1, entry(3))
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}

	log, d, _ = onFaulty(t, Options{Every: time.Millisecond})
	if _, err := log.Append(entry(1)); err != nil {
		t.Fatal(err)
	}
	<-d.synced // by itself, after a while
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
}
