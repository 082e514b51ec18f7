package server

import (
	"encoding/json"
	"log/slog"
	"strconv"
	"sync/atomic"
)

// auditState says whether the last answer could be written down.
type auditState struct {
	failing atomic.Bool
	at      atomic.Int64 // since when, Unix seconds
}

var (
	auditFailed = []string{"failed"}
	auditOff    = []string{"off"}
)

// record writes down what is about to be answered and names its number in the header. An
// answer that cannot be written down is given all the same: whoever holds a payment needs
// it, and is told.
func (x *exchange) record(question, answer []byte) {
	if x.parts.Audit == nil {
		x.Header()["Coldtrail-Audit"] = auditOff
		return
	}
	sequence, err := x.parts.Audit.Append(&Record{
		Moment: x.started.UnixMilli(), Who: x.who.id, Action: x.action(), Question: question, Answer: answer,
	})
	if err != nil {
		x.metrics.unheard.Inc()
		if x.audit.failing.CompareAndSwap(false, true) {
			x.audit.at.Store(x.started.Unix())
			x.log.Error("the audit log fails; answers are given without it", slog.Any("error", err))
		}
		x.Header()["Coldtrail-Audit"] = auditFailed
		return
	}
	if x.audit.failing.Load() && x.audit.failing.CompareAndSwap(true, false) {
		x.log.Info("the audit log works again", slog.Uint64("sequence", sequence))
	}
	x.Header()["Coldtrail-Audit"] = []string{strconv.FormatUint(sequence, 10)}
}

// action names what was asked, with what it was asked about.
func (x *exchange) action() string { return x.route.Method + " " + x.request.URL.EscapedPath() }

// withoutSecrets is what is written down of an answer that tells a secret.
func withoutSecrets(value any, body []byte) []byte {
	switch v := value.(type) {
	case newKey:
		v.Secret = ""
		return mustJSON(v)
	case Target:
		v.Secret = ""
		return mustJSON(v)
	}
	return body
}

// mustJSON writes a value of texts and numbers.
func mustJSON(value any) []byte {
	body, err := json.Marshal(value)
	if err != nil {
		panic("server: " + err.Error())
	}
	return body
}
