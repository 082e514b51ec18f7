package casebooktest

import (
	"testing"

	"coldtrail/casebook"
)

// Pairs checks that all alerts are there in pairs, two of one height, with numbers without
// gaps, each with its delivery, and gives how many alerts and how many pairs there are.
func Pairs(t *testing.T, book casebook.Book) (alerts, pairs int) {
	t.Helper()
	byHeight := map[uint64]int{}
	for {
		list := must1(book.Alerts(t.Context(), casebook.AlertFilter{After: int64(alerts)}))(t)
		if len(list) == 0 {
			break
		}
		for _, a := range list {
			alerts++
			byHeight[a.Cause.Height]++
			if a.Sequence != int64(alerts) {
				t.Errorf("alert %d has number %d", alerts, a.Sequence)
			}
			sent, err := book.Deliveries(t.Context(), casebook.DeliveryFilter{Alert: a.ID})
			if err != nil || len(sent) != 1 {
				t.Errorf("alert %d has %d deliveries (%v), want 1", alerts, len(sent), err)
			}
		}
	}
	for height, count := range byHeight {
		if count != 2 {
			t.Errorf("%d of the pair of %d are there", count, height)
		}
	}
	return alerts, len(byHeight)
}
