package evidence_test

import (
	"bytes"
	"strings"
	"testing"

	"coldtrail/evidence"
	"coldtrail/evidence/bundle"
	"coldtrail/ledger"
)

// TestStranger refuses a file that nothing reads.
func TestStranger(t *testing.T) {
	a, text := laundered(t)
	raw := build(t, a.store(t), text, options())
	b, err := bundle.Open(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		t.Fatal(err)
	}
	files := []bundle.File{{Name: "read-me.txt", Content: []byte("the money went elsewhere")}}
	for _, e := range b.Files {
		content, err := b.Content(e.Name)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, bundle.File{Name: e.Name, Content: content})
	}
	var out bytes.Buffer
	if err := bundle.Write(&out, b.Statement, files); err != nil {
		t.Fatal(err)
	}
	if r := verify(t, out.Bytes()); r.State != evidence.Wrong || wrong(r).File != "read-me.txt" {
		t.Errorf("%+v", r.Checks)
	}
}

// TestUselessSource refuses a source of proofs for a chain that the trace does not touch.
func TestUselessSource(t *testing.T) {
	a, text := laundered(t)
	o := options()
	o.Ethereum = map[ledger.Chain]evidence.EthereumSource{ledger.Ethereum: a}
	_, err := evidence.Build(t.Context(), &bytes.Buffer{}, a.store(t), []evidence.CaseFile{{Name: "case.yaml", Text: []byte(text)}}, o)
	if err == nil || !strings.Contains(err.Error(), "asked for no transaction of ethereum") {
		t.Error(err)
	}
}

// TestOtherRules cannot tell of a bundle by other accounting rules.
func TestOtherRules(t *testing.T) {
	a, text := laundered(t)
	raw := build(t, a.store(t), text, options())
	b, err := bundle.Open(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		t.Fatal(err)
	}
	b.Statement = bytes.Replace(b.Statement, []byte(`"rules":"v2"`), []byte(`"rules":"v1"`), 1)
	var files []bundle.File
	for _, e := range b.Files {
		content, err := b.Content(e.Name)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, bundle.File{Name: e.Name, Content: content})
	}
	var out bytes.Buffer
	if err := bundle.Write(&out, b.Statement, files); err != nil {
		t.Fatal(err)
	}
	if r := verify(t, out.Bytes()); r.State != evidence.Unknown {
		t.Errorf("%s: %+v", r.State, r.Checks)
	}
}

// FuzzVerify changes the files of a bundle and makes its hashes right again: no lie may
// break the verifier, and none that changes the answer may pass.
func FuzzVerify(f *testing.F) {
	a, text := laundered(f)
	o := options()
	o.Ethereum = map[ledger.Chain]evidence.EthereumSource{"eip155:4242": a}
	raw := build(f, a.store(f), text, o)
	b, err := bundle.Open(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		f.Fatal(err)
	}
	for i := range b.Files {
		f.Add(uint8(i), uint32(100), []byte("9"))
		f.Add(uint8(i), uint32(7), []byte{})
	}
	want := verify(f, raw).Statement.Digest
	f.Fuzz(func(t *testing.T, file uint8, at uint32, with []byte) {
		name := b.Files[int(file)%len(b.Files)].Name
		changed := rewritten(t, raw, name, func(content []byte) []byte {
			at := int(at) % len(content)
			return append(append(bytes.Clone(content[:at]), with...), content[min(at+max(len(with), 1), len(content)):]...)
		})
		if r := verify(t, changed); r.State == evidence.OK && r.Statement.Digest != want {
			t.Errorf("another answer passed after a change of %s", name)
		}
	})
}
