package screen

import "coldtrail/screen/proximity"

// Limit bounds what is read of dealings, from the next Rebuild on.
func (e *Engine) Limit(limits proximity.Limits) { e.limits = limits }
