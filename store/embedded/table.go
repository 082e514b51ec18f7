package embedded

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// table is a hash table in a mapped file: 80 bits of a keyed hash to a number. The
// key is secret to the store, so nobody can make two identifiers collide on
// purpose; by accident, two of a billion do once in a million stores.
type table struct {
	folder, name string
	file         *os.File
	slots        []byte
	mask         uint64
	used         uint64 // slots ever filled
}

const (
	slotSize   = 14 // 64 and 16 bits of hash, 32 bits of number and one
	firstSlots = 1 << 12
	emptySlot  = 0
	// deadSlot marks a number that was taken back; its slot is used again by the
	// same hash only.
	deadSlot = 1<<32 - 1
)

// hash is a keyed hash of an identifier.
type hash struct {
	low  uint64
	high uint16
}

// place is where the search for a hash begins.
func (h hash) place() uint64 { return h.low ^ h.low>>32 }

func openTable(folder, name string) (*table, error) {
	t := &table{folder: folder, name: name}
	path := filepath.Join(folder, name)
	if info, err := os.Stat(path); err == nil && info.Size() > 0 {
		return t, t.open(path, uint64(info.Size()))
	}
	return t, t.open(path, firstSlots*slotSize)
}

func (t *table) open(path string, size uint64) error {
	slots := size / slotSize
	if slots&(slots-1) != 0 || slots*slotSize != size || slots == 0 {
		return fmt.Errorf("%s: a table cannot have %d bytes", path, size)
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	if err = file.Truncate(int64(size)); err == nil {
		t.slots, err = unix.Mmap(int(file.Fd()), 0, int(size), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	}
	if err != nil {
		return errors.Join(err, file.Close())
	}
	t.file, t.mask, t.used = file, slots-1, 0
	for at := uint64(0); at < slots; at++ {
		if t.number(at) != emptySlot {
			t.used++
		}
	}
	return nil
}

func (t *table) number(slot uint64) uint32 {
	return binary.LittleEndian.Uint32(t.slots[slot*slotSize+10:])
}

func (t *table) tag(slot uint64) hash {
	p := t.slots[slot*slotSize:]
	return hash{binary.LittleEndian.Uint64(p), binary.LittleEndian.Uint16(p[8:])}
}

// find gives the slot of a hash, or the empty slot where it belongs.
func (t *table) find(h hash) (slot uint64, found bool) {
	for slot = h.place() & t.mask; ; slot = (slot + 1) & t.mask {
		if t.number(slot) == emptySlot {
			return slot, false
		}
		if t.tag(slot) == h {
			return slot, true
		}
	}
}

// get gives the number kept for a hash.
func (t *table) get(h hash) (uint32, bool) {
	slot, found := t.find(h)
	if !found || t.number(slot) == deadSlot {
		return 0, false
	}
	return t.number(slot) - 1, true
}

// put keeps a number for a hash, in place of any other.
func (t *table) put(h hash, number uint32) error {
	slot, found := t.find(h)
	if !found {
		if (t.used+1)*5 > (t.mask+1)*4 {
			if err := t.grow(); err != nil {
				return err
			}
			slot, _ = t.find(h)
		}
		t.used++
	}
	t.write(slot, h, number+1)
	return nil
}

func (t *table) write(slot uint64, h hash, word uint32) {
	p := t.slots[slot*slotSize:]
	binary.LittleEndian.PutUint64(p, h.low)
	binary.LittleEndian.PutUint16(p[8:], h.high)
	binary.LittleEndian.PutUint32(p[10:], word)
}

// grow doubles the table into a new file, which then takes the place of the old.
func (t *table) grow() error {
	path := filepath.Join(t.folder, t.name)
	next := table{folder: t.folder, name: t.name}
	if err := os.Remove(path + ".new"); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := next.open(path+".new", 2*(t.mask+1)*slotSize); err != nil {
		return err
	}
	for slot := uint64(0); slot <= t.mask; slot++ {
		if word := t.number(slot); word != emptySlot && word != deadSlot {
			h := t.tag(slot)
			to, _ := next.find(h)
			next.write(to, h, word)
			next.used++
		}
	}
	if err := errors.Join(t.close(), os.Rename(path+".new", path)); err != nil {
		return err
	}
	*t = next
	return nil
}

func (t *table) sync() error { return t.file.Sync() }

func (t *table) release() error { return unix.Madvise(t.slots, unix.MADV_DONTNEED) }

func (t *table) close() error { return errors.Join(unix.Munmap(t.slots), t.file.Close()) }
