package mapped_test

import (
	"os"
	"path/filepath"
	"testing"

	"coldtrail/internal/mapped"
)

// TestFresh: an array in memory of its own reaches its file when it is trimmed, or stays
// there from when it is spilled, where it goes on without moving; until then its file is
// empty.
func TestFresh(t *testing.T) {
	for _, spill := range []bool{false, true} {
		folder := t.TempDir()
		a, err := mapped.Fresh[uint64](folder, "numbers")
		if err != nil {
			t.Fatal(err)
		}
		const n = 5_000_000
		if err := a.Grow(n); err != nil || a.Room < n {
			t.Fatal(err, a.Room)
		}
		for i := range uint64(n) {
			a.Data[i] = i * 3
		}
		if info, err := os.Stat(filepath.Join(folder, "numbers")); err != nil || info.Size() != 0 {
			t.Errorf("%v, %v: want an empty file", info, err)
		}
		if spill {
			if err := a.Spill(); err != nil {
				t.Fatal(err)
			}
			if err := a.Grow(2 * n); err != nil {
				t.Fatal(err)
			}
			a.Data[2*n-1] = 7
		}
		if a.Data[n-1] != 3*(n-1) {
			t.Errorf("the last is %d", a.Data[n-1])
		}
		if err := a.Release(); err != nil {
			t.Fatal(err)
		}
		if err := a.Trim(n + 1); err != nil {
			t.Fatal(err)
		}
		if err := a.Close(); err != nil {
			t.Fatal(err)
		}
		again, err := mapped.Open[uint64](folder, "numbers")
		if err != nil {
			t.Fatal(err)
		}
		if again.Room != n+1 || again.Data[12345] != 37035 || again.Data[n-1] != 3*(n-1) || again.Data[n] != 0 {
			t.Errorf("room %d, values %d %d %d", again.Room, again.Data[12345], again.Data[n-1], again.Data[n])
		}
		if err := again.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if mapped.Available() == 0 {
		t.Error("the machine has no memory")
	}
}
