package archive

// SetParts makes parts and groups of rows smaller; the result undoes it.
func SetParts(blocks uint64, group int64, claims uint64) func() {
	b, g, c := partBlocks, groupRows, claimRows
	partBlocks, groupRows, claimRows = blocks, group, claims
	return func() { partBlocks, groupRows, claimRows = b, g, c }
}
