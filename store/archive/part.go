package archive

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"os"
	"path/filepath"

	pq "github.com/parquet-go/parquet-go"

	"coldtrail/ledger"
)

// What one part holds at most, and one group of rows, which is in memory until it is
// written. A block is never divided.
var (
	partBlocks = uint64(100_000)
	partRows   = 2_000_000
	groupRows  = int64(1 << 16)
)

// groupClaims is the same of claims, whose texts are longer.
const groupClaims = 1 << 13

// groupData bounds the bytes of messages in a group of rows.
const groupData = 32 << 20

// What each file says of itself.
const formatKey = "coldtrail.archive"

// sheet is a table's file while it is written. It comes into being with its first row.
type sheet[T any] struct {
	table  table
	writer *pq.GenericWriter[T]
	disk   *disk
	rows   uint64
}

// sheetFile is a sheet of any table.
type sheetFile interface {
	finish() (*File, error)
	abandon() error
}

// put adds rows.
func (s *sheet[T]) put(p *partWriter, rows []T) error {
	if len(rows) == 0 {
		return nil
	}
	if s.writer == nil {
		var err error
		if s.disk, err = createFile(p.dir, partFile(s.table, p.part.Number)); err != nil {
			return err
		}
		rows := groupRows
		if s.table == claims {
			rows = groupClaims
		}
		s.writer = pq.NewGenericWriter[T](s.disk, pq.Compression(&pq.Zstd), pq.MaxRowsPerRowGroup(rows), pq.KeyValueMetadata(formatKey, fmt.Sprint(Version)))
	}
	n, err := s.writer.Write(rows)
	s.rows += uint64(n)
	return err
}

// finish completes the file; it has none where no row came.
func (s *sheet[T]) finish() (*File, error) {
	if s.writer == nil {
		return nil, nil
	}
	if err := s.writer.Close(); err != nil {
		return nil, fmt.Errorf("%s: %w", s.disk.name, err)
	}
	f, err := s.disk.finish()
	f.Rows = s.rows
	return &f, err
}

func (s *sheet[T]) abandon() error {
	if s.disk == nil {
		return nil
	}
	return s.disk.abandon()
}

// disk is a file that is being written, with its digest. It has its name only when it
// is whole.
type disk struct {
	name  string // in the archive
	path  string
	file  *os.File
	sum   hash.Hash
	bytes uint64
	ended bool
}

func createFile(dir, name string) (*disk, error) {
	path := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(path+partialEnd, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	return &disk{name: name, path: path, file: file, sum: sha256.New()}, nil
}

// Write writes, and takes the bytes into the digest.
func (d *disk) Write(p []byte) (int, error) {
	n, err := d.file.Write(p)
	_, _ = d.sum.Write(p[:n]) // never fails
	d.bytes += uint64(n)
	return n, err
}

func (d *disk) finish() (File, error) {
	d.ended = true
	f := File{Path: d.name, Bytes: d.bytes, SHA256: Digest(d.sum.Sum(nil))}
	if err := errors.Join(lasting(d.file), d.file.Close()); err != nil {
		return f, err
	}
	if err := os.Rename(d.path+partialEnd, d.path); err != nil {
		return f, err
	}
	return f, syncFolder(filepath.Dir(d.path))
}

func (d *disk) abandon() error {
	if d.ended {
		return nil
	}
	_ = d.file.Close() // it is removed
	return os.Remove(d.path + partialEnd)
}

// partWriter writes one part.
type partWriter struct {
	dir  string
	part Part
	rows int
	data int // bytes of messages in the group of rows

	blocks       sheet[blockRow]
	transactions sheet[transactionRow]
	inputs       sheet[inputRow]
	outputs      sheet[outputRow]
	transfers    sheet[transferRow]
	freezes      sheet[freezeRow]
	messages     sheet[messageRow]
	openings     sheet[openingRow]
}

func newPart(dir string, number int, chain ledger.Chain) *partWriter {
	p := &partWriter{dir: dir, part: Part{Number: number, Chain: chain}}
	p.blocks.table, p.transactions.table, p.inputs.table, p.outputs.table = blocks, transactions, inputs, outputs
	p.transfers.table, p.freezes.table, p.messages.table, p.openings.table = transfers, freezes, messages, openings
	return p
}

// sheets are the files in the order of the tables.
func (p *partWriter) sheets() []sheetFile {
	return []sheetFile{&p.blocks, &p.transactions, &p.inputs, &p.outputs, &p.transfers, &p.freezes, &p.messages, &p.openings}
}

// add writes the rows of a block.
func (p *partWriter) add(r *blockRows) error {
	err := errors.Join(
		p.blocks.put(p, []blockRow{r.block}), p.transactions.put(p, r.transactions), p.inputs.put(p, r.inputs), p.outputs.put(p, r.outputs),
		p.transfers.put(p, r.transfers), p.freezes.put(p, r.freezes), p.messages.put(p, r.messages), p.openings.put(p, r.openings),
	)
	if err != nil {
		return err
	}
	if p.data += r.data; p.data > groupData {
		p.data = 0
		err = p.messages.writer.Flush()
	}
	if p.part.Blocks == 0 {
		p.part.First = ledger.Height(r.block.Height)
	}
	p.part.Last = ledger.Height(r.block.Height)
	p.part.Blocks++
	p.rows += r.size()
	return err
}

// full says whether the next block begins another part.
func (p *partWriter) full() bool { return p.part.Blocks >= partBlocks || p.rows >= partRows }

// finish completes the part.
func (p *partWriter) finish() (*Part, error) {
	for _, s := range p.sheets() {
		f, err := s.finish()
		if err != nil {
			return nil, err
		}
		if f != nil {
			p.part.Files = append(p.part.Files, *f)
		}
	}
	return &p.part, nil
}

// abandon removes what is not whole.
func (p *partWriter) abandon() (err error) {
	for _, s := range p.sheets() {
		err = errors.Join(err, s.abandon())
	}
	return err
}
