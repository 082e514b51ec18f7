package blkfile

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/klauspost/compress/zstd"
)

// file is one block file, open for random reads.
type file struct {
	name   string
	handle *os.File
	size   int64
	key    []byte // obfuscation key, repeated by file offset; nil for none
	remove string // temporary file to remove, if any
	last   bool   // may end inside a record
}

// openFiles opens a file, or every blk*.dat of a folder in order of name.
func openFiles(ctx context.Context, place string) ([]*file, error) {
	info, err := os.Stat(place)
	if err != nil {
		return nil, err
	}
	paths := []string{place}
	if info.IsDir() {
		paths = nil
		for _, pattern := range []string{"blk*.dat", "blk*.dat.zst"} {
			found, err := filepath.Glob(filepath.Join(place, pattern))
			if err != nil {
				return nil, err
			}
			paths = append(paths, found...)
		}
		slices.Sort(paths)
	}
	if len(paths) == 0 {
		return nil, fmt.Errorf("%s: %w", place, ErrEmpty)
	}
	var files []*file
	for i, path := range paths {
		f, err := openFile(ctx, path)
		if err != nil {
			for _, opened := range files {
				err = errors.Join(err, opened.close())
			}
			return nil, err
		}
		f.last = i == len(paths)-1
		files = append(files, f)
	}
	return files, nil
}

func openFile(ctx context.Context, path string) (*file, error) {
	f := &file{name: path}
	var err error
	if f.key, err = obfuscation(filepath.Dir(path)); err != nil {
		return nil, err
	}
	if strings.HasSuffix(path, ".zst") {
		f.key = nil
		f.handle, err = unpack(ctx, path)
		if err == nil {
			f.remove = f.handle.Name()
		}
	} else {
		f.handle, err = os.Open(path)
	}
	if err != nil {
		return nil, err
	}
	info, err := f.handle.Stat()
	if err != nil {
		return nil, errors.Join(err, f.close())
	}
	f.size = info.Size()
	return f, nil
}

// obfuscation reads the key of Bitcoin Core 28 and later, beside the files.
func obfuscation(folder string) ([]byte, error) {
	path := filepath.Join(folder, "xor.dat")
	if !exists(path) {
		return nil, nil
	}
	key, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if len(key) != 8 {
		return nil, fmt.Errorf("%s: obfuscation key has %d bytes, want 8", path, len(key))
	}
	if bytes.Equal(key, make([]byte, 8)) {
		return nil, nil
	}
	return key, nil
}

// maxUnpacked bounds what a compressed file may grow to: Core's files have 128 MiB.
const maxUnpacked = 64 << 30

// unpack decompresses a file beside the system's temporary files.
func unpack(ctx context.Context, path string) (*os.File, error) {
	packed, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer packed.Close()
	reader, err := zstd.NewReader(packed, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(256<<20))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	defer reader.Close()
	out, err := os.CreateTemp("", "coldtrail-blk-*.dat")
	if err != nil {
		return nil, err
	}
	n, err := io.Copy(out, io.LimitReader(&cancellable{ctx, reader}, maxUnpacked+1))
	if err == nil && n > maxUnpacked {
		err = errors.New("unpacks to more than 64 GiB")
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), out.Close(), os.Remove(out.Name()))
	}
	return out, nil
}

// cancellable stops reading when its context ends.
type cancellable struct {
	ctx context.Context //nolint:containedctx // an io.Reader has no other way to hear of it
	r   io.Reader
}

// Read reads unless the context has ended.
func (c *cancellable) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}

func (f *file) readAt(p []byte, offset int64) error {
	n, err := f.handle.ReadAt(p, offset)
	if n < len(p) {
		if err == nil || errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return err
	}
	if f.key != nil {
		for i := range p {
			p[i] ^= f.key[(offset+int64(i))&7]
		}
	}
	return nil
}

func (f *file) close() error {
	if f.handle == nil {
		return nil
	}
	err := f.handle.Close()
	f.handle = nil
	if f.remove != "" {
		err = errors.Join(err, os.Remove(f.remove))
	}
	return err
}
