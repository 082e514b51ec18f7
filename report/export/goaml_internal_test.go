package export

import "coldtrail/report"

// Local shows the reckoning of values to the tests.
func (p *Reporter) Local(amount, asset string, r *report.Report) (string, error) {
	return p.local(amount, asset, r)
}
