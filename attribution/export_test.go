package attribution

import "coldtrail/ledger"

// SetDepth sets how far below the head the base of a list stands: ledgers of tests have
// few blocks.
func (o *Owners) SetDepth(blocks ledger.Height) { o.depth = blocks }
