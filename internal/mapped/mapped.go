// Package mapped is arrays in files that are mapped into memory.
//
// An array is mapped far beyond its file's end, so that it grows without moving and
// readers never see it move. What was written stays when the process is killed; after
// a crash of the machine a file may be torn, and BootID tells the two apart.
package mapped

import (
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Array is an array of values of fixed size without pointers. Only the first Room of
// Data are backed by the file; touching more is a fault.
type Array[T any] struct {
	Data []T
	Room uint64

	file  *os.File
	bytes []byte // the mapping
}

const (
	reserved = 64 << 30 // bytes of address space for one array
	growth   = 16 << 20 // bytes a file grows by
)

// Open opens or makes the array of a name in a folder.
func Open[T any](folder, name string) (*Array[T], error) {
	file, err := os.OpenFile(filepath.Join(folder, name), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	a := &Array[T]{file: file}
	info, err := file.Stat()
	if err == nil {
		a.bytes, err = unix.Mmap(int(file.Fd()), 0, reserved, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_NORESERVE)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("map %s: %w", name, err), file.Close())
	}
	a.Data = unsafe.Slice((*T)(unsafe.Pointer(&a.bytes[0])), reserved/a.size()) //nolint:gosec // the mapping is page-aligned and that long
	a.Room = uint64(info.Size()) / a.size()
	return a, nil
}

// size is the bytes of one value.
func (*Array[T]) size() uint64 { return uint64(unsafe.Sizeof(*new(T))) }

// Grow makes room for n values.
func (a *Array[T]) Grow(n uint64) error {
	if n <= a.Room {
		return nil
	}
	bytes := (n*a.size() + growth - 1) / growth * growth
	if bytes > reserved {
		return fmt.Errorf("%s: more than %d bytes", a.file.Name(), int64(reserved))
	}
	if err := a.file.Truncate(int64(bytes)); err != nil {
		return err
	}
	a.Room = bytes / a.size()
	return nil
}

// Trim gives back the room beyond n values and writes the rest to disk.
func (a *Array[T]) Trim(n uint64) error {
	if err := a.file.Truncate(int64(n * a.size())); err != nil {
		return err
	}
	a.Room = n
	return a.file.Sync()
}

// Release lets the kernel count the pages as its own again; they stay cached.
func (a *Array[T]) Release() error {
	if used := a.Room * a.size() &^ 4095; used > 0 {
		return unix.Madvise(a.bytes[:used], unix.MADV_DONTNEED)
	}
	return nil
}

// Close unmaps the array.
func (a *Array[T]) Close() error {
	return errors.Join(unix.Munmap(a.bytes), a.file.Close())
}

// BootID names this run of the machine: while it lasts, what was written to a mapped
// file is there, even if the writer was killed. It is zero where that cannot be told.
func BootID() (id [2]uint64) {
	text, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return id
	}
	raw, err := hex.DecodeString(strings.ReplaceAll(strings.TrimSpace(string(text)), "-", ""))
	if err != nil || len(raw) != 16 {
		return id
	}
	for i := range 16 {
		id[i/8] = id[i/8]<<8 | uint64(raw[i])
	}
	return id
}
