package bundle

import (
	"bytes"
	"compress/flate"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
)

// Bundle is an opened bundle. Its manifest is whole; whether the files are as it says
// is what Check tells.
type Bundle struct {
	Manifest

	from    io.ReaderAt
	size    int64
	text    []byte // of the manifest
	offsets map[string]span
}

type span struct {
	at    int64
	entry *Entry
}

// Open reads the manifest of a bundle. An error is a FaultError, unless reading itself failed.
func Open(from io.ReaderAt, size int64) (*Bundle, error) {
	b := &Bundle{from: from, size: size, offsets: map[string]span{}}
	if err := b.readManifest(); err != nil {
		return nil, err
	}
	if err := b.parse(); err != nil {
		return nil, err
	}
	if err := b.check(); err != nil {
		return nil, err
	}
	at := int64(localSize + len(ManifestName) + len(b.text))
	for i := range b.Files {
		e := &b.Files[i]
		at += int64(localSize + len(e.Name))
		b.offsets[e.Name] = span{at, e}
		at += int64(e.Packed.Size)
	}
	return b, nil
}

// readManifest reads the first file.
func (b *Bundle) readManifest() error {
	head := make([]byte, localSize+len(ManifestName))
	if _, err := b.from.ReadAt(head, 0); err != nil {
		return readFault("", err, "it is too short to be a bundle")
	}
	if binary.LittleEndian.Uint32(head) != localSignature || string(head[localSize:]) != ManifestName {
		return fault("", "its first file is not %s; this is no bundle", ManifestName)
	}
	length := binary.LittleEndian.Uint32(head[22:])
	if length > maxManifest {
		return fault(ManifestName, "it has %d bytes, at most %d", length, maxManifest)
	}
	b.text = make([]byte, length)
	if _, err := b.from.ReadAt(b.text, int64(len(head))); err != nil {
		return readFault(ManifestName, err, "it ends early")
	}
	return nil
}

// readFault tells a file that ends early from one that cannot be read.
func readFault(file string, err error, short string) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF { //nolint:errorlint // an io.ReaderAt returns them bare
		return fault(file, "%s", short)
	}
	return fmt.Errorf("read the bundle: %w", err)
}

// parse takes the manifest in, if it is written in the one way that is allowed.
func (b *Bundle) parse() error {
	plain, err := canonical(b.text)
	if err != nil {
		return fault(ManifestName, "it is no JSON: %v", err)
	}
	if !bytes.Equal(append(plain, '\n'), b.text) {
		return fault(ManifestName, "it is not canonical JSON")
	}
	var kind struct {
		Format string `json:"format"`
	}
	if err := json.Unmarshal(b.text, &kind); err != nil || kind.Format != Format {
		return fault(ManifestName, "format %.40q is not %s", kind.Format, Format)
	}
	decoder := json.NewDecoder(bytes.NewReader(b.text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&b.Manifest); err != nil {
		return fault(ManifestName, "%v", err)
	}
	sum, err := b.sum()
	if err != nil || sum != b.SHA256 {
		return fault(ManifestName, "its hash is %s, it says %.64q", sum, b.SHA256)
	}
	return nil
}

// check looks whether a manifest keeps the rules.
func (m *Manifest) check() error {
	if len(m.Files) > maxFiles {
		return fault(ManifestName, "it lists %d files, at most %d", len(m.Files), maxFiles)
	}
	seen := map[string]bool{ManifestName: true}
	total, packed := uint64(0), uint64(0)
	for i := range m.Files {
		e := &m.Files[i]
		if err := checkName(e.Name); err != nil {
			return err
		}
		if seen[e.Name] {
			return fault(e.Name, "it is listed twice")
		}
		seen[e.Name] = true
		total += uint64(e.Size)
		packed += uint64(e.Packed.Size)
		switch {
		case e.Size > maxFile || total > maxTotal || packed > maxTotal:
			return fault(e.Name, "the files up to it are larger than a bundle may be")
		case e.Packed.Method != methodStored && e.Packed.Method != methodDeflated:
			return fault(e.Name, "method %d is neither 0 nor 8", e.Packed.Method)
		case e.Packed.Method == methodStored && e.Packed.Size != e.Size:
			return fault(e.Name, "it is not packed and has two sizes")
		}
	}
	if m.Root != root(m.Files) {
		return fault(ManifestName, "its root is not that of its files")
	}
	return nil
}

// Check compares every byte of the bundle with what the manifest says, and lists what
// differs.
func (b *Bundle) Check() (faults []*FaultError, err error) {
	all := b.framing(b.text)
	at := int64(0)
	for i := range all {
		name := all[i].name
		local := all[i].local()
		bad, err := b.compare(at, local, name, "what stands before it")
		if err == nil && bad == nil && i > 0 {
			bad, err = b.checkFile(b.offsets[name])
		}
		if err != nil {
			return nil, err
		}
		if bad != nil {
			faults = append(faults, bad)
		}
		at += int64(len(local)) + int64(all[i].packed)
	}
	tail := directory(all)
	bad, err := b.compare(at, tail, "", "its directory")
	if err != nil {
		return nil, err
	}
	if bad == nil && b.size != at+int64(len(tail)) {
		bad = fault("", "%d bytes follow its end", b.size-at-int64(len(tail)))
	}
	if bad != nil {
		faults = append(faults, bad)
	}
	return faults, nil
}

// compare tells where bytes of the framing are not as they must be.
func (b *Bundle) compare(at int64, want []byte, file, what string) (*FaultError, error) {
	got := make([]byte, len(want))
	if n, err := b.from.ReadAt(got, at); n < len(got) {
		bad := readFault(file, err, what+" is cut short")
		if f, ok := bad.(*FaultError); ok { //nolint:errorlint // readFault wraps nothing
			return f, nil
		}
		return nil, bad
	}
	for i := range want {
		if got[i] != want[i] {
			return fault(file, "%s differs at byte %d of the container", what, at+int64(i)), nil
		}
	}
	return nil, nil
}

// checkFile reads one file through.
func (b *Bundle) checkFile(s span) (*FaultError, error) {
	e, packed := s.entry, sha256.New()
	section := io.NewSectionReader(b.from, s.at, int64(e.Packed.Size))
	if n, err := io.Copy(packed, section); err != nil {
		return nil, fmt.Errorf("read the bundle: %w", err)
	} else if n < int64(e.Packed.Size) {
		return fault(e.Name, "it is cut short"), nil
	}
	if sum(packed) != e.Packed.SHA256 {
		return fault(e.Name, "it was changed: its packed bytes have hash %s, the manifest says %.64q", sum(packed), e.Packed.SHA256), nil
	}
	content, crc := sha256.New(), crc32.NewIEEE()
	n, err := io.Copy(io.MultiWriter(content, crc), io.LimitReader(b.unpack(s), int64(e.Size)+1))
	switch {
	case err != nil:
		return fault(e.Name, "it does not unpack: %v", err), nil
	case n != int64(e.Size):
		return fault(e.Name, "it does not have the %d bytes that the manifest says", e.Size), nil
	case sum(content) != e.SHA256 || crc.Sum32() != e.Packed.CRC32:
		return fault(e.Name, "it was changed: its hash is %s, the manifest says %.64q", sum(content), e.SHA256), nil
	}
	return nil, nil
}

func sum(h hash.Hash) string { return hex.EncodeToString(h.Sum(nil)) }

func (b *Bundle) unpack(s span) io.Reader {
	section := io.NewSectionReader(b.from, s.at, int64(s.entry.Packed.Size))
	if s.entry.Packed.Method == methodStored {
		return section
	}
	return flate.NewReader(section)
}

// Content is a file of the bundle, or nil where it has none of the name. Call Check
// before; what is read is bounded by the manifest.
func (b *Bundle) Content(name string) ([]byte, error) {
	s, ok := b.offsets[name]
	if !ok {
		return nil, nil
	}
	content, err := io.ReadAll(io.LimitReader(b.unpack(s), int64(s.entry.Size)))
	if err != nil {
		return nil, fault(name, "it does not unpack: %v", err)
	}
	return content, nil
}
