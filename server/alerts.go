package server

import (
	"net/http"
	"strconv"
)

// listAlerts gives alerts in the order of their numbers.
func listAlerts(x *exchange) {
	after, limit, ok := x.numbered("kind", "state", "subject", "chain")
	if !ok {
		return
	}
	query := x.request.URL.Query()
	ctx, cancel := x.within()
	defer cancel()
	alerts, err := x.parts.Alerts.Alerts(ctx, AlertFilter{
		Kind: query.Get("kind"), State: query.Get("state"), Subject: query.Get("subject"), Chain: query.Get("chain"), After: after, Limit: limit,
	})
	if err != nil {
		x.fail(err)
		return
	}
	x.json(http.StatusOK, pageOf(alerts, limit, func(a *Alert) string { return strconv.FormatInt(a.Sequence, 10) }))
}

// getAlert gives one alert.
func getAlert(x *exchange) {
	id, ok := x.pathID("id")
	if !ok {
		return
	}
	ctx, cancel := x.within()
	defer cancel()
	alert, err := x.parts.Alerts.Alert(ctx, id)
	if err != nil {
		x.fail(err)
		return
	}
	x.json(http.StatusOK, alert)
}
