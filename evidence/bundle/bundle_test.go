package bundle_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"coldtrail/evidence/bundle"
)

var files = []bundle.File{
	{Name: "case/0.yaml", Content: []byte("case: one\n")},
	{Name: "result.json", Content: bytes.Repeat([]byte(`{"amount":"12"}`), 200)},
	{Name: "ledger/empty.jsonl", Content: nil},
}

func written(t *testing.T) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := bundle.Write(&out, map[string]string{"case": "one", "digest": "sha256:00"}, files); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func check(t *testing.T, raw []byte) []*bundle.FaultError {
	t.Helper()
	b, err := bundle.Open(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		var f *bundle.FaultError
		if !errors.As(err, &f) {
			t.Fatalf("not a fault: %v", err)
		}
		return []*bundle.FaultError{f}
	}
	faults, err := b.Check()
	if err != nil {
		t.Fatal(err)
	}
	return faults
}

// TestOtherReaders wants any zip program to read what was written, and the same bytes
// each time.
func TestOtherReaders(t *testing.T) {
	raw := written(t)
	if !bytes.Equal(raw, written(t)) {
		t.Error("the same files gave other bytes")
	}
	r, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		t.Fatal(err)
	}
	if len(r.File) != 4 || r.File[0].Name != bundle.ManifestName {
		t.Fatalf("%d files, first %s", len(r.File), r.File[0].Name)
	}
	for i, f := range r.File[1:] {
		open, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(open)
		if err != nil || f.Name != files[i].Name || !bytes.Equal(got, files[i].Content) {
			t.Errorf("%s: %q, %v", f.Name, got, err)
		}
	}
	if faults := check(t, raw); len(faults) != 0 {
		t.Errorf("faults %v", faults[0])
	}
}

// TestEveryByte changes each byte of a bundle in turn: each change is found, and where it
// is inside a file that file is named.
func TestEveryByte(t *testing.T) {
	raw := written(t)
	for at := range raw {
		for _, change := range []byte{1, 0x80} {
			raw[at] ^= change
			faults := check(t, raw)
			raw[at] ^= change
			if len(faults) == 0 {
				t.Fatalf("a change of byte %d was not found", at)
			}
			if want := owner(t, raw, at); want != "" && faults[0].File != want {
				t.Fatalf("byte %d is of %s, the fault names %q: %s", at, want, faults[0].File, faults[0].Reason)
			}
		}
	}
}

// owner is the file that a byte is of, or nothing where it is framing.
func owner(t *testing.T, raw []byte, at int) string {
	t.Helper()
	r, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range r.File {
		start, err := f.DataOffset()
		if err != nil {
			t.Fatal(err)
		}
		if int64(at) >= start && int64(at) < start+int64(f.CompressedSize64) {
			return f.Name
		}
	}
	return ""
}

// TestCutAndGrown cuts a bundle at every length and adds to its end.
func TestCutAndGrown(t *testing.T) {
	raw := written(t)
	for n := range raw {
		if len(check(t, raw[:n])) == 0 {
			t.Fatalf("%d of %d bytes passed", n, len(raw))
		}
	}
	if faults := check(t, append(raw, 0)); len(faults) != 1 || !strings.Contains(faults[0].Reason, "1 bytes follow") {
		t.Errorf("trailing data: %v", faults)
	}
}

// TestNames refuses names that mean something else somewhere, and duplicates.
func TestNames(t *testing.T) {
	for _, name := range []string{"", "/a", "a/", "../a", "a/../b", "a//b", ".a", "A", "a\\b", "a\x00", "ä", strings.Repeat("a", 121), bundle.ManifestName} {
		if err := bundle.Write(io.Discard, nil, []bundle.File{{Name: name}}); err == nil {
			t.Errorf("name %q passed", name)
		}
	}
	if err := bundle.Write(io.Discard, nil, []bundle.File{{Name: "a"}, {Name: "a"}}); err == nil {
		t.Error("two files of one name passed")
	}
}

// TestBomb wants a file that unpacks to more than it says refused without being unpacked.
func TestBomb(t *testing.T) {
	var out bytes.Buffer
	if err := bundle.Write(&out, nil, []bundle.File{{Name: "zeros", Content: make([]byte, 64<<20)}}); err != nil {
		t.Fatal(err)
	}
	if out.Len() > 1<<20 {
		t.Fatalf("%d bytes", out.Len())
	}
	if faults := check(t, out.Bytes()); len(faults) != 0 {
		t.Errorf("%v", faults[0])
	}
}

func FuzzOpen(f *testing.F) {
	var out bytes.Buffer
	if err := bundle.Write(&out, map[string]string{"case": "one"}, files); err != nil {
		f.Fatal(err)
	}
	f.Add(out.Bytes())
	f.Add([]byte("PK\x03\x04"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		b, err := bundle.Open(bytes.NewReader(raw), int64(len(raw)))
		if err != nil {
			return
		}
		faults, err := b.Check()
		if err != nil || len(faults) > 0 {
			return
		}
		var list []bundle.File // what passes is the one way to write these files, if they pack alike
		for _, e := range b.Files {
			content, err := b.Content(e.Name)
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, bundle.File{Name: e.Name, Content: content})
		}
		if len(list) != len(b.Files) {
			t.Fatal("files were lost")
		}
	})
}
