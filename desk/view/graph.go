package view

import "coldtrail/trace"

// A Selection says what of a trace a graph shows. Its zero value is the whole, by address.
type Selection struct {
	Colour string
	// Least leaves out what moves less, in base units of the stolen asset.
	Least string
	// Since and Until leave out what moved before and after, Unix seconds; 0 is no bound.
	Since, Until int64
	// Hops leaves out what is further from the theft, or from Root; 0 is no bound.
	Hops int
	// Root begins at an address, and not at the theft.
	Root string
	// Group says what is one node.
	Group Group
	// Limit bounds the nodes; 0 is DefaultNodes.
	Limit int
}

// Group says what is drawn as one node.
type Group string

// The groups.
const (
	ByAddress Group = "address"
	ByEntity  Group = "entity"  // addresses of one entity are one node
	ByCluster Group = "cluster" // addresses of one owner are one node
)

// The bounds of a graph.
const (
	DefaultNodes = 2000
	MostNodes    = 10_000
)

// A Graph is who passed value to whom.
type Graph struct {
	Of

	Nodes  []Node `json:"nodes"`
	Edges  []Edge `json:"edges"`
	Width  int    `json:"width"`
	Height int    `json:"height"`
	// Total is how many nodes the filters leave, LeftOut what of them is not shown.
	Total   int     `json:"total"`
	LeftOut LeftOut `json:"left_out"`
}

// LeftOut is what a graph does not show because there was no room. Origins are what ended
// at nodes that are left out.
type LeftOut struct {
	Nodes  int     `json:"nodes"`
	Edges  int     `json:"edges"`
	Origin []Share `json:"origin"`
}

// NodeClass says what a node of a graph is.
type NodeClass string

// The classes of nodes.
const (
	NodeAddress     NodeClass = "address"
	NodeOutput      NodeClass = "output"      // an output that no address can be told of
	NodeEntity      NodeClass = "entity"      // several addresses of one entity
	NodeCluster     NodeClass = "cluster"     // several addresses of one owner
	NodeTransaction NodeClass = "transaction" // of many to many: who gave to whom cannot be told
	NodeRest        NodeClass = "rest"        // what a node leads to and is left out
)

// A Node is a place in a graph.
type Node struct {
	Key     string    `json:"key"`
	Label   string    `json:"label"`
	Class   NodeClass `json:"class"`
	Chain   string    `json:"chain"`
	Address string    `json:"address,omitempty"`
	Tx      string    `json:"tx,omitempty"`
	Entity  string    `json:"entity,omitempty"`
	// Kind is what value is there that went no further, by the largest: held, service,
	// mixer and so on; empty where everything went on.
	Kind string `json:"kind,omitempty"`
	// Theft says that stolen value began here.
	Theft bool `json:"theft"`
	// Addresses is how many there are in a node; of a rest, how many nodes it stands for.
	Addresses int `json:"addresses"`
	Hops      int `json:"hops"`
	// Received is what came in, Ended what went no further, Costs what was paid in fees.
	Received []Share `json:"received"`
	Ended    []Share `json:"ended"`
	Costs    []Share `json:"costs"`
	First    int64   `json:"first"`
	Last     int64   `json:"last"`
	X        int     `json:"x"`
	Y        int     `json:"y"`
}

// An Edge is value that moved between two nodes: all of one asset and colour.
type Edge struct {
	From   string `json:"from"`
	To     string `json:"to"`
	Colour string `json:"colour"`
	Asset  string `json:"asset"`
	Amount string `json:"amount"`
	Origin string `json:"origin"`
	// Transactions is how many there were, and Txs the first of them.
	Transactions int      `json:"transactions"`
	Txs          []string `json:"txs"`
	First        int64    `json:"first"`
	Last         int64    `json:"last"`
	Certainty    uint32   `json:"certainty_bp"`
	// Link names who says that value went this way where no transaction shows it.
	Link string `json:"link,omitempty"`
	// Back says that it is drawn from right to left.
	Back bool `json:"back"`
}

// A Path is the shortest way from a theft to a place.
type Path struct {
	Of

	Colour string       `json:"colour"`
	At     string       `json:"at"`
	Flows  []trace.Flow `json:"flows"`
	Graph  *Graph       `json:"graph"`
}
