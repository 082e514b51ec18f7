package view

// A Sankey is a flow chart of every stolen asset.
type Sankey struct {
	Of

	Colours []Chart `json:"colours"`
}

// A Chart follows one stolen asset. At every node but the first what comes in is what
// goes out and what ended there.
type Chart struct {
	Colour string `json:"colour"`
	Chain  string `json:"chain"`
	Asset  string `json:"asset"`
	Stolen string `json:"stolen"`
	// Columns is how many there are.
	Columns int         `json:"columns"`
	Nodes   []ChartNode `json:"nodes"`
	Bands   []Band      `json:"bands"`
	// Returned is what came back to an asset that it had left, added up over all loops. It
	// is taken out of the bands of those loops, so that the chart runs one way.
	Returned string `json:"returned"`
	// Divided is what moved in transactions that took in several assets and gave several,
	// and was divided in proportion: which went to which cannot be told.
	Divided string `json:"divided"`
}

// Class says what a node of a chart stands for.
type Class string

// The classes of nodes of a chart.
const (
	ClassStolen   Class = "stolen"
	ClassAsset    Class = "asset"    // an asset on its chain
	ClassProtocol Class = "protocol" // a bridge, a swap, a service, or somebody's assertion
	ClassChain    Class = "chain"    // where it is now
	ClassKind     Class = "kind"     // how it ended
)

// A ChartNode is one bar.
type ChartNode struct {
	Key   string `json:"key"`
	Label string `json:"label"`
	Class Class  `json:"class"`
	// Chain, Asset and Kind are what the node is of, where that says something.
	Chain  string `json:"chain,omitempty"`
	Asset  string `json:"asset,omitempty"`
	Kind   string `json:"kind,omitempty"`
	Column int    `json:"column"`
	// Origin is what comes in, Ended the part that goes no further.
	Origin string `json:"origin"`
	Ended  string `json:"ended"`
}

// A Band goes from one bar to another.
type Band struct {
	From   string `json:"from"`
	To     string `json:"to"`
	Origin string `json:"origin"`
	// Class is the class of the node that it leads to; for the last column the kind.
	Class string `json:"class"`
	// Certainty is that of the least certain part, in basis points.
	Certainty uint32 `json:"certainty_bp"`
}
