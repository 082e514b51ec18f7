// Package evidence makes and checks bundles: one file from which a stranger, with no
// store, no node and no trust in whoever made it, can see where stolen money went.
//
// A bundle holds the cases, every fact of the ledger that the trace asked for, proofs that
// bind those facts to the chains' own hashes as far as there are such proofs, what labels
// and analysts say, and the answer. Verify checks the proofs, traces again over the facts
// of the bundle alone and wants the same bytes. What no proof covers is not hidden: it is
// listed with whose word it rests on.
package evidence

import (
	"context"
	"encoding/json"
	"fmt"

	"coldtrail/attribution/label"
	"coldtrail/ledger"
	"coldtrail/trace"
)

// A CaseFile is a case as it was written.
type CaseFile struct {
	Name string // for messages
	Text []byte
}

// Tool is the program that made a bundle.
type Tool struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Commit  string `json:"commit"`
}

// BitcoinSource gives blocks as they are serialized.
type BitcoinSource interface {
	Raw(ctx context.Context, height ledger.Height) ([]byte, error)
	RawHeader(ctx context.Context, height ledger.Height) ([]byte, error)
}

// Options are the choices of a bundle.
type Options struct {
	// Trace is how the case is traced; the mode is always targeted.
	Trace trace.Options
	Tool  Tool
	// Bitcoin and Ethereum give what proofs are made of, by chain. A chain without a source
	// has no proofs, and its facts rest on somebody's word.
	Bitcoin  map[ledger.Chain]BitcoinSource
	Ethereum map[ledger.Chain]EthereumSource
	// Wrapped is the contract that wraps a chain's native asset, where the network is not
	// known by name.
	Wrapped map[ledger.Chain]ledger.Address
	// Claims gives what is said of an address, and Cuts what analysts ruled out of a chain's
	// clusters; nil where there are no labels.
	Claims func(ctx context.Context, chain ledger.Chain, address string) ([]label.Claim, error)
	Cuts   func(ctx context.Context, chain ledger.Chain) ([]label.Claim, error)
	// Proving is told of blocks and headers read for the proofs of a chain; nil is nobody.
	// Trace.Progress is told of two traces: of the ledger, and of what was recorded.
	Proving func(chain ledger.Chain, done, total uint64)
}

// reading tells of what is read for the proofs of a chain.
type reading struct {
	tell        func(chain ledger.Chain, done, total uint64)
	chain       ledger.Chain
	done, total uint64
}

// one was read.
func (r *reading) one() {
	r.done++
	if r.tell != nil {
		r.tell(r.chain, r.done, r.total)
	}
}

// Statement is what a bundle is evidence of. It stands in the manifest.
type Statement struct {
	Case       string           `json:"case"`
	Method     string           `json:"method"`
	Digest     string           `json:"digest"` // of the trace
	Basis      trace.Basis      `json:"basis"`
	Parameters Parameters       `json:"parameters"`
	Cases      []string         `json:"cases"` // files
	Chains     []ChainStatement `json:"chains"`
	Tool       Tool             `json:"tool"`
}

// Parameters are the choices of the trace.
type Parameters struct {
	AsOf        string `json:"as_of,omitempty"` // RFC 3339
	Fees        string `json:"fees,omitempty"`  // "follow"
	CoinJoins   string `json:"coinjoins,omitempty"`
	Crossings   bool   `json:"crossings"`
	Labels      string `json:"labels"` // revision
	Conclusions string `json:"conclusions,omitempty"`
}

// ChainStatement is what a bundle holds of a chain.
type ChainStatement struct {
	Chain string `json:"chain"`
	// Proof is the kind of proofs: "bitcoin", "ethereum", or nothing.
	Proof string `json:"proof,omitempty"`
	// First is the height of the first header of a Bitcoin proof.
	First uint64 `json:"first,omitempty"`
	// NoWork says that the headers have no valid proof of work, as on test chains.
	NoWork bool `json:"no_work,omitempty"`
	// Wrapped is the contract that wraps the native asset, where somebody had to say so.
	Wrapped string `json:"wrapped,omitempty"`
}

// The files of a bundle beside the ledger's and the proofs'.
const (
	resultFile    = "result.json"
	flowsFile     = "flows.jsonl"
	stopsFile     = "labels/stops.jsonl"
	sourcesFile   = "labels/sources.jsonl"
	claimsFile    = "labels/claims.jsonl"
	cutsFile      = "labels/cuts.jsonl"
	decisionsFile = "decisions.jsonl"
)

func caseFile(i int) string { return fmt.Sprintf("cases/%d.yaml", i) }

// lines writes values as JSON, one a line.
func lines[T any](rows []T) ([]byte, error) {
	var text []byte
	for i := range rows {
		line, err := json.Marshal(&rows[i])
		if err != nil {
			return nil, err
		}
		text = append(append(text, line...), '\n')
	}
	return text, nil
}
