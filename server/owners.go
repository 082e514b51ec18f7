package server

import (
	"context"
	"net/http"

	"coldtrail/ledger"
)

// Owners tells who may have addresses together, and what they do with them. Chain is
// CAIP-2; addresses are as people write them.
type Owners interface {
	// Cluster is the addresses that have one owner with an address.
	Cluster(ctx context.Context, chain ledger.Chain, address string, q ClusterQuestion) (Cluster, error)
	// Behaviour is the patterns of conduct that an address shows.
	Behaviour(ctx context.Context, chain ledger.Chain, address string, q BehaviourQuestion) (Behaviour, error)
	// Conflicts are the claims about an address that cannot both be right.
	Conflicts(ctx context.Context, chain ledger.Chain, address string) ([]Conflict, error)
}

// ClusterQuestion asks for a page of a cluster and, where To is set, why that address is
// in it.
type ClusterQuestion struct {
	Page

	To string
}

// Cluster is addresses that have one owner, by the rules.
type Cluster struct {
	Chain   string `json:"chain"`
	AsOf    uint64 `json:"as_of"` // height
	Root    string `json:"root"`  // its earliest address
	Members uint32 `json:"members"`
	Rules   string `json:"rules"`
	// Items are members, earliest first.
	Items []string `json:"items"`
	Next  string   `json:"next,omitempty"`
	// Named is what labels say of members.
	Named []NamedMember `json:"named"`
	// Looked is how many members were looked up for Named, the earliest first.
	Looked   int      `json:"looked"`
	Actors   []string `json:"actors"`   // that labels of members name
	Conflict bool     `json:"conflict"` // they name several
	// Cohesion and Weak say how firmly the cluster hangs together; they are left out of
	// large ones.
	Cohesion uint32       `json:"cohesion_bp,omitempty"`
	Weak     []WeakLink   `json:"weak"`
	Why      *ClusterTies `json:"why,omitempty"`
}

// NamedMember is a member of a cluster of which something is said.
type NamedMember struct {
	Address   string     `json:"address"`
	Labels    []Label    `json:"labels"`
	Conflicts []Conflict `json:"conflicts"`
}

// WeakLink is a transaction without which a cluster falls apart.
type WeakLink struct {
	Tx    string   `json:"tx"`
	Parts []uint32 `json:"parts"`        // addresses of each
	Apart int      `json:"actors_apart"` // pairs of actors that it alone holds together
}

// ClusterTies is why two addresses have one owner.
type ClusterTies struct {
	To     string       `json:"to"`
	Joined bool         `json:"joined"` // false: no rule says so
	Steps  []ClusterTie `json:"steps"`
}

// ClusterTie is one transaction by which two addresses have one owner.
type ClusterTie struct {
	A          string `json:"a"`
	B          string `json:"b"`
	Rule       string `json:"rule"`
	Tx         string `json:"tx"`
	Confidence uint8  `json:"confidence"`
}

// Conflict is two claims that cannot both be right. Nothing is resolved.
type Conflict struct {
	Over string `json:"over"` // actor, or category
	A    Label  `json:"a"`
	B    Label  `json:"b"`
}

// BehaviourQuestion asks for patterns: one, or all; of an address, or of all that its
// owner has.
type BehaviourQuestion struct {
	Pattern string
	Owner   bool
}

// Behaviour is the conduct of an address, as `coldtrail behaviour --json` prints it.
type Behaviour struct {
	Chain        string    `json:"chain"`
	Subject      string    `json:"subject,omitempty"` // as it was asked for
	AsOf         uint64    `json:"as_of,omitempty"`
	ClusterSize  uint32    `json:"cluster_size,omitempty"`
	Addresses    []string  `json:"addresses"`
	Transactions int       `json:"transactions,omitempty"`
	Trace        string    `json:"trace,omitempty"` // digest of the trace of the cases
	LeftOut      []string  `json:"left_out"`
	Findings     []Finding `json:"findings"`
}

// Finding is a pattern that transactions met.
type Finding struct {
	Pattern    string          `json:"pattern"`
	Title      string          `json:"title"`
	Text       string          `json:"text"`
	Chains     []string        `json:"chains"`
	From       string          `json:"from"` // RFC 3339
	To         string          `json:"to"`
	Count      int             `json:"transactions"`
	Txs        []string        `json:"txs"` // at most 1,000
	Amounts    []FindingAmount `json:"amounts"`
	Parties    []string        `json:"parties"`
	Addresses  []string        `json:"addresses"`
	Resembles  []string        `json:"resembles"`
	Parameters []FindingFigure `json:"parameters"`
	Measures   []FindingFigure `json:"measures"`
}

// FindingAmount is how much of an asset a finding is about.
type FindingAmount struct {
	Asset     string `json:"asset"`
	Amount    string `json:"amount"` // base units
	Saturated bool   `json:"saturated,omitempty"`
}

// FindingFigure is a figure that decided, or that was measured.
type FindingFigure struct {
	Name  string `json:"name"`
	Value string `json:"value"`
	Unit  string `json:"unit,omitempty"`
}

// getCluster gives the cluster of an address.
func getCluster(x *exchange) {
	chain, address, ok := x.pathAddress()
	if !ok {
		return
	}
	after, limit, ok := x.paging("to")
	if !ok {
		return
	}
	q := ClusterQuestion{Page: Page{after, limit}, To: x.request.URL.Query().Get("to")}
	if len(q.To) > maxName || !isName(q.To) {
		x.fail(invalid("to %.100q is no address", q.To))
		return
	}
	ctx, cancel := x.within()
	defer cancel()
	found, err := x.parts.Owners.Cluster(ctx, chain, address, q)
	if err != nil {
		x.fail(err)
		return
	}
	if found.Next != "" {
		found.Next = cursorOf(found.Next)
	}
	x.ageOn(chain)
	x.json(http.StatusOK, found)
}

// getBehaviour gives the conduct of an address.
func getBehaviour(x *exchange) {
	chain, address, ok := x.pathAddress()
	if !ok {
		return
	}
	q, owner := BehaviourQuestion{}, ""
	if !x.parameters(map[string]*string{"pattern": &q.Pattern, "owner": &owner}) {
		return
	}
	if q.Owner, ok = x.yes("owner", owner); !ok {
		return
	}
	ctx, cancel := x.within()
	defer cancel()
	found, err := x.parts.Owners.Behaviour(ctx, chain, address, q)
	if err != nil {
		x.fail(err)
		return
	}
	x.ageOn(chain)
	x.json(http.StatusOK, found)
}

// yes reads a parameter that is true or false; false without it.
func (x *exchange) yes(name, text string) (yes, ok bool) {
	switch text {
	case "", "false":
		return false, true
	case "true":
		return true, true
	}
	x.fail(invalid("%s is true or false, not %.20q", name, text))
	return false, false
}

// listConflicts gives the claims about an address that disagree.
func listConflicts(x *exchange) {
	chain, address, ok := x.pathAddress()
	if !ok {
		return
	}
	ctx, cancel := x.within()
	defer cancel()
	list, err := x.parts.Owners.Conflicts(ctx, chain, address)
	if err != nil {
		x.fail(err)
		return
	}
	x.json(http.StatusOK, pageOf(list, 0, nil))
}
