package parquet

// SetPartBlocks makes the files of an export smaller; the result undoes it.
func SetPartBlocks(n int) func() {
	before := partBlocks
	partBlocks = n
	return func() { partBlocks = before }
}

// SetPassRows makes the passes over files that are in no order smaller.
func SetPassRows(n int) func() {
	before := passRows
	passRows = n
	return func() { passRows = before }
}
