package trace

import "coldtrail/ledger"

// SetNear sets how far behind the head a walk still reads every block.
func SetNear(blocks ledger.Height) { nearBlocks = blocks }
