package memory_test

import (
	"testing"

	"coldtrail/store"
	"coldtrail/store/memory"
	"coldtrail/store/storetest"
)

// TestContract runs the suite over the reference store.
func TestContract(t *testing.T) {
	storetest.Run(t, func(*testing.T) store.Store { return memory.New() })
}
