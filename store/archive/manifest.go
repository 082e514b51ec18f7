package archive

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"coldtrail/ledger"
)

// The files of an archive that are no tables.
const (
	manifestName = "manifest.json"
	journalName  = "journal.jsonl" // while an export is under way
	scratchName  = ".scratch"      // the same
	partialEnd   = ".partial"      // of files that are being written
	formatName   = "coldtrail-archive"
	maxManifest  = 256 << 20 // bytes; a part has about two kilobytes
)

// Manifest says what an archive holds.
type Manifest struct {
	Format  string  `json:"format"`
	Version int     `json:"version"`
	Chains  []Chain `json:"chains"`
	Parts   []Part  `json:"parts"`
	Labels  Labels  `json:"labels"`
	Beside  []File  `json:"beside,omitempty"`
}

// Chain is one chain of an archive.
type Chain struct {
	Chain   ledger.Chain  `json:"chain"`
	First   ledger.Height `json:"first"`
	Height  ledger.Height `json:"height"`
	Blocks  uint64        `json:"blocks"`
	Txs     uint64        `json:"transactions"` // as store.Status counts them
	Content Digest        `json:"content"`
}

// Part is a run of blocks of one chain, with a file for each table that has rows.
type Part struct {
	Number  int           `json:"number"`
	Chain   ledger.Chain  `json:"chain"`
	First   ledger.Height `json:"first"`
	Last    ledger.Height `json:"last"`
	Blocks  uint64        `json:"blocks"`
	Content Digest        `json:"content"` // of the chain up to here
	Files   []File        `json:"files"`
}

// Labels are the claims of an archive.
type Labels struct {
	Claims   uint64 `json:"claims"`
	Revision string `json:"revision"`
	Files    []File `json:"files"`
}

// File is one file of an archive.
type File struct {
	Path   string `json:"path"` // from the archive's folder, with slashes
	Rows   uint64 `json:"rows,omitempty"`
	Bytes  uint64 `json:"bytes"`
	SHA256 Digest `json:"sha256"`
}

// Digest is SHA-256, in JSON 64 hexadecimal digits.
type Digest [32]byte

// MarshalText writes the digits.
func (d Digest) MarshalText() ([]byte, error) { return []byte(hex.EncodeToString(d[:])), nil }

// UnmarshalText reads the digits.
func (d *Digest) UnmarshalText(text []byte) error {
	h, err := ledger.ParseHash(string(text))
	if err != nil || len(text) != 64 {
		return fmt.Errorf("%q is no SHA-256", clip(string(text)))
	}
	*d = Digest(h)
	return nil
}

// clip keeps hostile texts in messages short.
func clip(text string) string {
	if len(text) > 80 {
		return text[:80] + "…"
	}
	return text
}

// partFile is the name of a table's file in a part.
func partFile(t table, number int) string { return fmt.Sprintf("%s/part-%06d.parquet", t, number) }

// readManifest reads and checks what an archive says of itself.
func readManifest(dir string) (*Manifest, error) {
	text, err := readSmall(filepath.Join(dir, manifestName))
	if errors.Is(err, os.ErrNotExist) {
		if _, err := os.Stat(filepath.Join(dir, journalName)); err == nil {
			return nil, fmt.Errorf("%s: %w: its export was cut off; go on with it by export --all --resume", dir, ErrUnfinished)
		}
		return nil, fmt.Errorf("%s: %w: there is no %s", dir, ErrNone, manifestName)
	}
	if err != nil {
		return nil, err
	}
	m, err := decodeManifest(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	return m, nil
}

func readSmall(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxManifest+1))
	if err == nil && len(text) > maxManifest {
		err = fmt.Errorf("%s is larger than %d bytes", path, maxManifest)
	}
	return text, err
}

// decodeManifest reads a manifest. The version is looked at before the rest, which
// another version may have changed.
func decodeManifest(text []byte) (*Manifest, error) {
	fault := func(reason string, args ...any) error {
		return &Error{File: manifestName, Reason: fmt.Sprintf(reason, args...)}
	}
	var head struct {
		Format  string `json:"format"`
		Version int    `json:"version"`
	}
	if err := json.Unmarshal(text, &head); err != nil {
		return nil, fault("it is not JSON as it should be: %v", err)
	}
	if head.Format != formatName {
		return nil, fault("it is of format %q, not of %s", clip(head.Format), formatName)
	}
	if head.Version != Version {
		return nil, fmt.Errorf("%w: version %d, known is %d", ErrVersion, head.Version, Version)
	}
	m := &Manifest{}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(m); err != nil {
		return nil, fault("it is not JSON as it should be: %v", err)
	}
	if err := m.check(); err != nil {
		return nil, fault("%v", err)
	}
	return m, nil
}

// check wants parts that follow one another, and files that have the only name they can
// have, so that no manifest leads out of its folder.
func (m *Manifest) check() error {
	at := 0
	for i := range m.Chains {
		c := &m.Chains[i]
		if !chainName(c.Chain) || i > 0 && c.Chain <= m.Chains[i-1].Chain {
			return fmt.Errorf("chain %q is none, or out of order", clip(string(c.Chain)))
		}
		n, err := c.check(m.Parts[at:], at)
		if err != nil {
			return err
		}
		at += n
	}
	if at != len(m.Parts) {
		return fmt.Errorf("part %d is of no chain of the archive", m.Parts[at].Number)
	}
	for i := range m.Labels.Files {
		if m.Labels.Files[i].Path != partFile(claims, i) {
			return fmt.Errorf("file %q is not one of claims", clip(m.Labels.Files[i].Path))
		}
	}
	for i := range m.Beside {
		if !besideName(m.Beside[i].Path) {
			return fmt.Errorf("file %q is not in the archive", clip(m.Beside[i].Path))
		}
	}
	return nil
}

// check wants the chain to begin a list of parts that are numbered from a number on, and
// says how many of them are the chain's.
func (c *Chain) check(parts []Part, from int) (n int, err error) {
	var blocks uint64
	for ; n < len(parts) && parts[n].Chain == c.Chain; n++ {
		p := &parts[n]
		if err := p.check(); err != nil {
			return 0, err
		}
		if p.Number != from+n || p.First > p.Last || n > 0 && p.First <= parts[n-1].Last {
			return 0, fmt.Errorf("part %d of %s does not follow the one before", p.Number, c.Chain)
		}
		blocks += p.Blocks
	}
	if n == 0 || parts[0].First != c.First || parts[n-1].Last != c.Height || parts[n-1].Content != c.Content || blocks != c.Blocks {
		return 0, fmt.Errorf("the parts of %s are not what the chain is said to be", c.Chain)
	}
	return n, nil
}

// chainName says whether a text can be the name of a chain (CAIP-2).
func chainName(chain ledger.Chain) bool {
	namespace, reference, ok := strings.Cut(string(chain), ":")
	return ok && namespace != "" && reference != "" && len(chain) <= 64 && !strings.ContainsFunc(string(chain), func(c rune) bool { return c <= ' ' || c > '~' })
}

// besideName says whether a name stays within the archive's folder and is not one of its
// own.
func besideName(name string) bool {
	folder, _, ok := strings.Cut(name, "/")
	return ok && filepath.IsLocal(filepath.FromSlash(name)) && !slices.Contains(tableNames[:], folder) && !strings.HasPrefix(folder, ".")
}

func (p *Part) check() error {
	next := table(0)
	for i := range p.Files {
		for next < claims && p.Files[i].Path != partFile(next, p.Number) {
			next++
		}
		if next >= claims || i == 0 && next != blocks {
			return fmt.Errorf("file %q is not one of part %d, or not in the order of the tables", clip(p.Files[i].Path), p.Number)
		}
		next++
	}
	if len(p.Files) == 0 || p.Files[0].Rows != p.Blocks {
		return fmt.Errorf("part %d has not a row for each of its %d blocks", p.Number, p.Blocks)
	}
	return nil
}

// writeWhole writes a file so that it is there whole or not at all, also after a crash of
// the machine.
func writeWhole(path string, text []byte) error {
	file, err := os.OpenFile(path+partialEnd, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(text)
	if err = errors.Join(err, lasting(file), file.Close()); err != nil {
		return err
	}
	if err := os.Rename(path+partialEnd, path); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(path))
}

// lasting makes a file or a folder outlast a crash of the machine.
var lasting = (*os.File).Sync

// syncFolder makes the names in a folder last.
func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(lasting(folder), folder.Close())
}
