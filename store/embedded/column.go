package embedded

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"unsafe"

	"golang.org/x/sys/unix"
)

// column is an array of numbers in a file, mapped into memory far beyond the
// file's end, so that it grows without moving and readers never see it move.
type column[T uint32 | uint64] struct {
	file  *os.File
	bytes []byte // the mapping
	data  []T    // the same, as numbers; only the first room of them are backed
	room  uint64
}

const (
	reserved = 64 << 30 // bytes of address space for one column
	growth   = 16 << 20 // bytes a file grows by
)

func openColumn[T uint32 | uint64](folder, name string) (*column[T], error) {
	file, err := os.OpenFile(filepath.Join(folder, name), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	c := &column[T]{file: file}
	size := uint64(unsafe.Sizeof(*new(T)))
	info, err := file.Stat()
	if err == nil {
		c.bytes, err = unix.Mmap(int(file.Fd()), 0, reserved, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_NORESERVE)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("map %s: %w", name, err), file.Close())
	}
	c.data = unsafe.Slice((*T)(unsafe.Pointer(&c.bytes[0])), reserved/size) //nolint:gosec // the mapping is page-aligned and that long
	c.room = uint64(info.Size()) / size
	return c, nil
}

// grow makes room for n numbers.
func (c *column[T]) grow(n uint64) error {
	if n <= c.room {
		return nil
	}
	size := uint64(unsafe.Sizeof(*new(T)))
	bytes := (n*size + growth - 1) / growth * growth
	if bytes > reserved {
		return fmt.Errorf("%s: more than %d bytes", c.file.Name(), int64(reserved))
	}
	if err := c.file.Truncate(int64(bytes)); err != nil {
		return err
	}
	c.room = bytes / size
	return nil
}

// trim gives back the room beyond n numbers and writes the rest to disk.
func (c *column[T]) trim(n uint64) error {
	size := uint64(unsafe.Sizeof(*new(T)))
	if err := c.file.Truncate(int64(n * size)); err != nil {
		return err
	}
	c.room = n
	return c.file.Sync()
}

// release lets the kernel count the pages as its own again; they stay cached.
func (c *column[T]) release() error {
	size := uint64(unsafe.Sizeof(*new(T)))
	if used := c.room * size &^ 4095; used > 0 {
		return unix.Madvise(c.bytes[:used], unix.MADV_DONTNEED)
	}
	return nil
}

func (c *column[T]) close() error {
	return errors.Join(unix.Munmap(c.bytes), c.file.Close())
}
