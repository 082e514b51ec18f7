package evidence

import (
	"strings"

	"coldtrail/ledger"
)

// rawRow is a transaction of a UTXO chain as bytes, with the branch that proves its place,
// or without one where it only makes outputs that others spend.
type rawRow struct {
	ID     string   `json:"id"`
	Height *uint64  `json:"height,omitempty"`
	Index  uint32   `json:"index,omitempty"`
	Raw    string   `json:"raw"`              // hexadecimal, without witnesses
	Branch []string `json:"branch,omitempty"` // lowest first, as hashes are printed
}

// proofFile names a file of a chain's proofs.
func proofFile(chain ledger.Chain, name string) string {
	return "proofs/" + strings.ReplaceAll(string(chain), ":", "-") + "/" + name
}

const (
	headersFile      = "headers.bin"
	transactionsFile = "transactions.jsonl"
)
