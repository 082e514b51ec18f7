package ledger

// Resolved is a transaction of a UTXO chain together with the outputs that it spends.
type Resolved struct {
	ID       Hash
	Height   Height
	Index    uint32 // position in the block
	Time     int64  // of its block, Unix seconds
	Coinbase bool
	// Inputs are the outputs it spends, in input order. Of a parent that the ledger does
	// not hold nothing is known: value 0 and no address.
	Inputs  []Output
	Outputs []Output
}

// Placed is a transaction of an account chain with where it stands.
type Placed struct {
	Height Height
	Time   int64 // of its block, Unix seconds
	Tx     *Tx
}
