package trace

import "coldtrail/ledger"

// SetNear sets how far behind the head a walk still reads every block.
func SetNear(blocks ledger.Height) { nearBlocks = blocks }

// SetAhead sets how much is asked of a distant store at once, and gives what it was.
func SetAhead(bounds aheadBounds) (before aheadBounds) {
	before, lookingAhead = lookingAhead, bounds
	return before
}

// AheadBounds is for SetAhead.
type AheadBounds = aheadBounds
