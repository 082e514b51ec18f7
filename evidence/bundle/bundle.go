// Package bundle is the container of evidence: files in a zip whose every byte follows
// from its content, under a manifest of hashes.
//
// A zip can be read in more than one way: from its local headers, from its directory,
// with other data around it. Here there is one way. The manifest comes first, and what
// it says of the files determines every byte of the framing, so that nothing can be
// added, hidden, renamed or moved. Whatever differs is a FaultError that names the file.
// Bundles are hostile input: sizes are bounded before anything is unpacked.
package bundle

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// Format names the container and the version of its rules.
const Format = "coldtrail-evidence/1"

// ManifestName is the name of the first file of a bundle.
const ManifestName = "manifest.json"

// The bounds of a bundle.
const (
	maxFiles    = 1024
	maxName     = 120
	maxManifest = 4 << 20
	maxFile     = 1 << 30 // unpacked
	maxTotal    = 3 << 30 // unpacked; the packed size stays under 4 GiB, so that no zip64 is needed
)

// A File is one file of a bundle.
type File struct {
	Name    string
	Content []byte
}

// Manifest is what a bundle says of itself.
type Manifest struct {
	Format string `json:"format"`
	// Statement is canonical JSON: what the bundle is evidence of.
	Statement json.RawMessage `json:"statement"`
	Files     []Entry         `json:"files"`
	// Root is the root of a Merkle tree over the files (RFC 6962), in their order.
	Root string `json:"root"`
	// SHA256 is over the canonical JSON of the manifest without this key.
	SHA256 string `json:"sha256"`
}

// An Entry is a file as the manifest lists it.
type Entry struct {
	Name   string `json:"name"`
	Size   uint32 `json:"size"` // bytes
	SHA256 string `json:"sha256"`
	Packed Packed `json:"packed"`
}

// Packed is how a file stands in the container.
type Packed struct {
	CRC32  uint32 `json:"crc32"`  // of the content, as zip has it
	Method uint16 `json:"method"` // 0 as it is, 8 deflated
	Size   uint32 `json:"size"`
	SHA256 string `json:"sha256"`
}

// A FaultError says which file of a bundle is not what it should be. File is empty where it
// is the container itself.
type FaultError struct {
	File   string `json:"file"`
	Reason string `json:"reason"`
}

// Error is "file: reason".
func (f *FaultError) Error() string {
	if f.File == "" {
		return "container: " + f.Reason
	}
	return f.File + ": " + f.Reason
}

func fault(file, format string, args ...any) *FaultError {
	return &FaultError{File: file, Reason: fmt.Sprintf(format, args...)}
}

// checkName refuses names that could mean something else on some machine.
func checkName(name string) *FaultError {
	plain := func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '.' && r != '-' && r != '_' && r != '/'
	}
	if name == "" || len(name) > maxName || strings.ContainsFunc(name, plain) {
		return fault("", "name %.130q: want 1 to %d of a-z 0-9 . - _ /", name, maxName)
	}
	for part := range strings.SplitSeq(name, "/") {
		if part == "" || part[0] == '.' {
			return fault("", "name %q: no part may be empty or begin with a dot", name)
		}
	}
	return nil
}

// root is the Merkle tree hash (RFC 6962, section 2.1) over the files' names and hashes.
func root(entries []Entry) string {
	leaves := make([][32]byte, len(entries))
	for i := range entries {
		leaves[i] = sha256.Sum256([]byte("\x00" + entries[i].Name + "\x00" + entries[i].SHA256))
	}
	sum := treeHash(leaves)
	return hex.EncodeToString(sum[:])
}

func treeHash(leaves [][32]byte) [32]byte {
	switch len(leaves) {
	case 0:
		return sha256.Sum256(nil)
	case 1:
		return leaves[0]
	}
	split := 1
	for split*2 < len(leaves) {
		split *= 2
	}
	left, right := treeHash(leaves[:split]), treeHash(leaves[split:])
	return sha256.Sum256(append(append([]byte{1}, left[:]...), right[:]...))
}

// Canonical writes JSON with sorted keys and without spaces. Numbers keep their digits.
func Canonical(value any) ([]byte, error) {
	text, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	return canonical(text)
}

func canonical(text []byte) ([]byte, error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var plain any
	if err := decoder.Decode(&plain); err != nil {
		return nil, err
	}
	if _, err := decoder.Token(); err != io.EOF {
		return nil, fmt.Errorf("more than one JSON value")
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(plain)
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), err
}

// encode writes a manifest, its own hash included.
func (m *Manifest) encode() ([]byte, error) {
	sum, err := m.sum()
	if err != nil {
		return nil, err
	}
	m.SHA256 = sum
	text, err := Canonical(m)
	return append(text, '\n'), err
}

// sum is the hash of a manifest over all else.
func (m *Manifest) sum() (string, error) {
	text, err := Canonical(m)
	if err != nil {
		return "", err
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(text, &fields); err != nil {
		return "", err
	}
	delete(fields, "sha256")
	if text, err = Canonical(fields); err != nil {
		return "", err
	}
	return digest(text), nil
}

func digest(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}
