package embedded

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"coldtrail/internal/mapped"
)

// table is a hash table in a mapped file: 80 bits of a keyed hash to a number. The
// key is secret to the store, so nobody can make two identifiers collide on
// purpose; by accident, two of a billion do once in a million stores.
type table struct {
	folder, name string
	file         *os.File
	slots        []byte
	count        uint64 // of slots
	used         uint64 // slots ever filled
}

const (
	slotSize   = 14 // 64 and 16 bits of hash, 32 bits of number and one
	firstSlots = 1 << 12
	// A table is at most so full. Small steps keep it nearly so, at the price of
	// moving every slot more often; measured, disk was the dearer of the two.
	fullPercent = 90
	growShare   = 8
	// releaseSlots is after how many slots growing gives mapped pages back.
	releaseSlots = 1 << 20
	emptySlot    = 0
	// deadSlot marks a number that was taken back; its slot is used again by the
	// same hash only.
	deadSlot = 1<<32 - 1
)

// hash is a keyed hash of an identifier.
type hash struct {
	low  uint64
	high uint16
}

// place is where among n slots the search for a hash begins. Larger hashes begin
// later, so that growing reads and writes the table in order.
func (h hash) place(n uint64) uint64 {
	place, _ := bits.Mul64(h.low, n)
	return place
}

func openTable(folder, name string) (*table, error) {
	t := &table{folder: folder, name: name}
	path := filepath.Join(folder, name)
	if info, err := os.Stat(path); err == nil && info.Size() > 0 {
		err := t.open(path, uint64(info.Size()))
		if err == nil {
			err = t.countUsed()
		}
		return t, err
	}
	return t, t.open(path, firstSlots*slotSize)
}

func (t *table) open(path string, size uint64) error {
	slots := size / slotSize
	if slots*slotSize != size || slots == 0 {
		return fmt.Errorf("%s: a table cannot have %d bytes", path, size)
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	if err = file.Truncate(int64(size)); err == nil {
		err = mapped.Back(file, 0, size)
	}
	if err == nil {
		t.slots, err = unix.Mmap(int(file.Fd()), 0, int(size), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	}
	if err != nil {
		return errors.Join(err, file.Close())
	}
	t.file, t.count, t.used = file, slots, 0
	return nil
}

// countUsed counts the slots of a table that was there before.
func (t *table) countUsed() error {
	for at := uint64(0); at < t.count; at++ {
		if t.number(at) != emptySlot {
			t.used++
		}
	}
	return t.release()
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
	for slot = h.place(t.count); t.number(slot) != emptySlot; {
		if t.tag(slot) == h {
			return slot, true
		}
		if slot++; slot == t.count {
			slot = 0
		}
	}
	return slot, false
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
		if (t.used+1)*100 > t.count*fullPercent {
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

// grow makes the table larger in a new file, which then takes the place of the old.
func (t *table) grow() error {
	path := filepath.Join(t.folder, t.name)
	next := table{folder: t.folder, name: t.name}
	if err := os.Remove(path + ".new"); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := next.open(path+".new", (t.count+t.count/growShare)*slotSize); err != nil {
		return err
	}
	for slot := uint64(0); slot < t.count; slot++ {
		if word := t.number(slot); word != emptySlot && word != deadSlot {
			h := t.tag(slot)
			to, _ := next.find(h)
			next.write(to, h, word)
			next.used++
		}
		if slot%releaseSlots == 0 { // both are passed in order: what lies behind is not needed again
			if err := errors.Join(t.release(), next.release()); err != nil {
				return err
			}
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
