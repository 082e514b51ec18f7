package embedded_test

import (
	"testing"

	"coldtrail/store"
	"coldtrail/store/embedded"
	"coldtrail/store/storetest"
)

// TestContract runs the suite over the embedded store.
func TestContract(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Store {
		t.Helper()
		s, err := embedded.Open(t.Context(), t.TempDir(), embedded.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return s
	})
}

// TestPersistent checks what a folder must keep.
func TestPersistent(t *testing.T) {
	storetest.RunPersistent(t, func(t *testing.T, folder string) (store.Store, error) {
		t.Helper()
		return embedded.Open(t.Context(), folder, embedded.Options{})
	})
}
