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
	given uint64 // bytes of the file that the disk has given room for, from its begin
	apart bool   // the mapping is memory of its own until Trim or Spill
}

const (
	reserved = 64 << 30 // bytes of address space for one array
	growth   = 16 << 20 // bytes a file grows by
	ahead    = 1 << 20  // bytes that the disk is asked for at once
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

// Fresh makes the array of a name in a folder, in place of any other, in memory of its
// own: the kernel does not write it back while it is filled in no order, and backs it by
// large pages. Trim writes it to its file in one go; until then a kill loses it.
func Fresh[T any](folder, name string) (*Array[T], error) {
	file, err := os.OpenFile(filepath.Join(folder, name), os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, err
	}
	a := &Array[T]{file: file, apart: true}
	if a.bytes, err = unix.Mmap(-1, 0, reserved, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON|unix.MAP_NORESERVE); err != nil {
		return nil, errors.Join(fmt.Errorf("memory for %s: %w", name, err), file.Close())
	}
	_ = unix.Madvise(a.bytes, unix.MADV_HUGEPAGE)                               // only faster
	a.Data = unsafe.Slice((*T)(unsafe.Pointer(&a.bytes[0])), reserved/a.size()) //nolint:gosec // the mapping is page-aligned and that long
	return a, nil
}

// Spill moves an array that is in memory of its own to its file, where it stays.
func (a *Array[T]) Spill() error {
	if !a.apart {
		return nil
	}
	if err := a.write(a.Room); err != nil {
		return err
	}
	_, err := unix.MmapPtr(int(a.file.Fd()), 0, unsafe.Pointer(&a.bytes[0]), reserved, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_NORESERVE|unix.MAP_FIXED) //nolint:gosec // over the mapping that is there
	if err == nil {
		a.apart = false
	}
	return err
}

// write writes the first n values to the file.
func (a *Array[T]) write(n uint64) error {
	const piece = 64 << 20
	rest := a.bytes[:n*a.size()]
	for at := int64(0); len(rest) > 0; {
		m, err := a.file.WriteAt(rest[:min(piece, len(rest))], at)
		if err != nil {
			return err
		}
		at, rest = at+int64(m), rest[m:]
	}
	return nil
}

// size is the bytes of one value.
func (*Array[T]) size() uint64 { return uint64(unsafe.Sizeof(*new(T))) }

// Grow makes room for n values, on the disk too: a page of a file for which there is none
// kills whoever writes to it.
func (a *Array[T]) Grow(n uint64) error {
	if n <= a.Room {
		return a.back(n)
	}
	bytes := (n*a.size() + growth - 1) / growth * growth
	if bytes > reserved {
		return fmt.Errorf("%s: more than %d bytes", a.file.Name(), int64(reserved))
	}
	if a.apart {
		a.Room = bytes / a.size()
		return nil
	}
	if err := a.file.Truncate(int64(bytes)); err != nil {
		return err
	}
	a.Room = bytes / a.size()
	return a.back(n)
}

// back asks the disk for room for n values.
func (a *Array[T]) back(n uint64) error {
	need := n * a.size()
	if a.apart || need <= a.given {
		return nil
	}
	need = (need + ahead - 1) / ahead * ahead
	need = min(need, a.Room*a.size())
	if err := Back(a.file, a.given, need); err != nil {
		return err
	}
	a.given = need
	return nil
}

// Back asks the disk for room for the bytes of a file from one to another, which are in it.
// On a file system that cannot say, none is asked for.
func Back(file *os.File, from, to uint64) error {
	err := unix.Fallocate(int(file.Fd()), 0, int64(from), int64(to-from))
	if errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.ENOSYS) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("room for %s: %w", file.Name(), err)
	}
	return nil
}

// Trim gives back the room beyond n values and writes the rest to disk.
func (a *Array[T]) Trim(n uint64) error {
	if a.apart {
		if err := a.write(n); err != nil {
			return err
		}
	}
	if err := a.file.Truncate(int64(n * a.size())); err != nil {
		return err
	}
	a.Room, a.given = n, n*a.size()
	return a.file.Sync()
}

// Release lets the kernel count the pages as its own again; they stay cached.
func (a *Array[T]) Release() error {
	if a.apart {
		return nil // there is no file to read it from again
	}
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

// Available is how many bytes of memory the machine can give without swapping, by its
// own estimate; 0 where that cannot be told.
func Available() uint64 {
	text, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(text), "MemAvailable:")
	var kilobytes uint64
	if _, err := fmt.Sscan(rest, &kilobytes); err != nil {
		return 0
	}
	return kilobytes << 10
}
