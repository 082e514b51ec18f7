// Package blkfile reads the block files of a Bitcoin node: blk*.dat of Bitcoin
// Core and btcd, plain, obfuscated by xor.dat or compressed, blocks in any order,
// the last file possibly still being written.
//
// It reads twice: headers first, to prove the work and find the chain with the
// most of it, then the blocks of that chain in order. Memory follows the number
// of headers, never the size of the files.
package blkfile

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"

	"coldtrail/chain/bitcoin"
	"coldtrail/ledger"
)

// Options say what to expect. Network is required.
type Options struct {
	Network *bitcoin.Network
	Proof   bitcoin.Proof
	// Head is the block the files may continue; its Hash is zero where there is none.
	Head Head
}

// Head is a block that is known already.
type Head struct {
	Height ledger.Height
	Hash   ledger.Hash
}

// A FileError says what is wrong in a file, and where.
type FileError struct {
	File   string
	Offset int64
	Err    error
}

// Error is "file: offset N: reason".
func (e *FileError) Error() string { return fmt.Sprintf("%s: offset %d: %v", e.File, e.Offset, e.Err) }

// Unwrap gives the reason.
func (e *FileError) Unwrap() error { return e.Err }

// ErrEmpty says that a place holds no block.
var ErrEmpty = errors.New("no block found; want blk*.dat files or one serialized block")

// Source is a set of block files whose chain is known.
type Source struct {
	options Options
	files   []*file
	chain   []entry       // in chain order
	base    ledger.Height // of chain[0]
	notes   []string
}

// Open scans the headers of a file or of all blk*.dat in a folder, and finds the
// chain. Whatever is wrong with it is an error here, before any block is yielded.
func Open(ctx context.Context, place string, options Options) (*Source, error) {
	s := &Source{options: options}
	if err := s.open(ctx, place); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Source) open(ctx context.Context, place string) error {
	var err error
	if s.files, err = openFiles(ctx, place); err != nil {
		return err
	}
	scan := scanner{source: s}
	for i := range s.files {
		if err := scan.file(ctx, i); err != nil {
			return err
		}
	}
	if len(scan.entries) == 0 {
		return fmt.Errorf("%s: %w", place, ErrEmpty)
	}
	return s.link(scan.entries)
}

// Close closes the files and removes what was unpacked.
func (s *Source) Close() error {
	var errs []error
	for _, f := range s.files {
		errs = append(errs, f.close())
	}
	s.files = nil
	return errors.Join(errs...)
}

// Total is how many blocks the chain has.
func (s *Source) Total() uint64 { return uint64(len(s.chain)) }

// First is the height of the first block.
func (s *Source) First() ledger.Height { return s.base }

// Notes tells what was passed over: duplicates, stale branches, a torn tail.
func (s *Source) Notes() []string { return s.notes }

// decoded is a block or what is wrong with it.
type decoded struct {
	block *ledger.Block
	err   error
}

// Blocks yields the blocks from a height on, in order. One goroutine reads and
// decodes ahead of the caller.
func (s *Source) Blocks(ctx context.Context, from ledger.Height) iter.Seq2[*ledger.Block, error] {
	return func(yield func(*ledger.Block, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		ahead := make(chan decoded, 8)
		go func() {
			defer close(ahead)
			s.decode(ctx, from, ahead)
		}()
		defer func() {
			cancel()
			for range ahead { // until the goroutine has ended
				continue
			}
		}()
		for d := range ahead {
			if !yield(d.block, d.err) || d.err != nil {
				return
			}
		}
	}
}

func (s *Source) decode(ctx context.Context, from ledger.Height, out chan<- decoded) {
	var raw []byte
	for i := range s.chain {
		height := s.base + ledger.Height(i)
		if height < from {
			continue
		}
		var d decoded
		if d.err = ctx.Err(); d.err == nil {
			d.block, raw, d.err = s.decodeOne(&s.chain[i], height, raw)
		}
		select {
		case out <- d:
		case <-ctx.Done():
			return
		}
		if d.err != nil {
			return
		}
	}
}

// decodeOne reads and decodes one block; buf is reused.
func (s *Source) decodeOne(e *entry, height ledger.Height, buf []byte) (*ledger.Block, []byte, error) {
	f := s.files[e.file]
	if cap(buf) < int(e.size) {
		buf = make([]byte, e.size)
	}
	buf = buf[:e.size]
	block, err := func() (*ledger.Block, error) {
		if err := f.readAt(buf, e.offset); err != nil {
			return nil, err
		}
		return bitcoin.Decode(buf, height, s.options.Network, s.options.Proof)
	}()
	if err != nil {
		return nil, buf, &FileError{File: f.name, Offset: e.offset, Err: fmt.Errorf("block %d (%s): %w", height, e.hash, err)}
	}
	return block, buf, nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
