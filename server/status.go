package server

import (
	"context"
	"net/http"

	"coldtrail/ledger"
)

// Chains tells what the store holds of chains, and what can be shown of it.
type Chains interface {
	// Status says what is held, and how the chains that are followed are.
	Status(ctx context.Context) (Status, error)
	// Proof says by whose word a transaction stands, and what the store can show for it.
	Proof(ctx context.Context, chain ledger.Chain, id string) (Proof, error)
}

// Status is what a store holds. Chains, labels and claims are those of `coldtrail status
// --json`.
type Status struct {
	Chains []ChainStatus `json:"chains"`
	Labels string        `json:"labels"` // revision
	Claims uint64        `json:"claims"`
}

// ChainStatus is a chain with how it is followed.
type ChainStatus struct {
	ChainHeld

	Followed bool `json:"followed"`
	// Trouble is what is wrong with its node; empty where nothing is.
	Trouble string `json:"trouble,omitempty"`
	// Current says that its node had nothing newer when it last answered, at Heard in Unix
	// seconds. A node that stops answering is asked again and again before that is trouble.
	Current bool  `json:"current"`
	Heard   int64 `json:"heard,omitempty"`
	// Rate is how many blocks were added in a second of late; none while none are.
	Rate *uint64 `json:"blocks_per_second,omitempty"`
}

// ChainHeld is what a store holds of a chain.
type ChainHeld struct {
	Chain          string  `json:"chain"`
	Height         uint64  `json:"height"`
	Hash           string  `json:"hash"`
	Blocks         uint64  `json:"blocks"`
	Txs            uint64  `json:"txs"`
	Weakest        string  `json:"weakest"`
	First          uint64  `json:"first"`
	Time           string  `json:"time"` // RFC 3339
	Content        string  `json:"content"`
	UnspentOutputs *uint64 `json:"unspent_outputs,omitempty"`
	UnspentValue   string  `json:"unspent_value,omitempty"`
	Accounts       *uint64 `json:"accounts,omitempty"`
}

// Proof is what stands behind a transaction.
type Proof struct {
	Chain      string `json:"chain"`
	ID         string `json:"id"`
	Height     uint64 `json:"height"`
	Block      string `json:"block,omitempty"` // none where the source gave none
	Time       int64  `json:"time"`
	Index      int    `json:"index"` // in the block
	Txs        int    `json:"txs"`   // of the block
	Provenance string `json:"provenance"`
	// Merkle leads from the transaction to the root that its block's header has (Bitcoin).
	Merkle *MerkleProof `json:"merkle,omitempty"`
	// Shown are statements that the answer proves, Word those that rest on somebody's word,
	// Next what to do to prove more.
	Shown []string `json:"shown"`
	Word  []string `json:"word"`
	Next  string   `json:"next"`
}

// MerkleProof is a branch of a merkle tree, from the leaf up. Hashes are as explorers
// print them: reversed.
type MerkleProof struct {
	Root   string   `json:"root"`
	Branch []string `json:"branch"`
}

// getStatus gives what the store holds.
func getStatus(x *exchange) {
	ctx, cancel := x.within()
	defer cancel()
	status, err := x.parts.Chains.Status(ctx)
	if err != nil {
		x.fail(err)
		return
	}
	x.json(http.StatusOK, status)
}

// getProof gives what stands behind a transaction.
func getProof(x *exchange) {
	chain, ok := x.pathChain()
	if !ok {
		return
	}
	id, ok := x.pathID("id")
	if !ok {
		return
	}
	ctx, cancel := x.within()
	defer cancel()
	proof, err := x.parts.Chains.Proof(ctx, chain, id)
	if err != nil {
		x.fail(err)
		return
	}
	x.ageOn(chain)
	x.json(http.StatusOK, proof)
}
