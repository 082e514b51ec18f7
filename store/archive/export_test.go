package archive

import "os"

// SetParts makes parts and groups of rows smaller, and does not wait for the disk; the
// result undoes it.
func SetParts(blocks uint64, group int64, claims uint64) func() {
	b, g, c, l := partBlocks, groupRows, claimRows, lasting
	partBlocks, groupRows, claimRows, lasting = blocks, group, claims, func(*os.File) error { return nil }
	return func() { partBlocks, groupRows, claimRows, lasting = b, g, c, l }
}
