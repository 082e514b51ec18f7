package coinjoin

// Rules are all rules, in order of precedence: of two findings of equal confidence the
// earlier rule's is taken.
var Rules = []*Rule{
	whirlpoolSegwit,
	whirlpool,
	wasabi2Strict,
	wasabi1Coordinator,
	wasabi1,
	wasabi11,
	wasabi2,
	joinMarket,
	whirlpoolTx0,
	other,
}

// graphSense and dumplings are the two programs in which the rules were read.
const (
	graphSense = "graphsense-lib, heuristics_service.py (after Schnoering and Vazirgiannis, arXiv 2311.12491)"
	dumplings  = "Dumplings, Scanner.cs (nopara73)"
)
