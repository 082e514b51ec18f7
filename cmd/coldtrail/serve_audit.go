package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"strings"

	"coldtrail/evidence/audit"
	"coldtrail/server"
)

// auditor keeps what the server answered in the audit log.
type auditor struct{ log *audit.Log }

// auditBody is a record of one answer. A long answer is kept as its digest: what it says
// follows from its question and from the basis that it names.
type auditBody struct {
	Moment   int64           `json:"moment"` // Unix milliseconds
	Action   string          `json:"action,omitempty"`
	Question json.RawMessage `json:"question,omitempty"`
	Answer   json.RawMessage `json:"answer,omitempty"`
	Digest   string          `json:"answer_sha256,omitempty"`
	Bytes    int             `json:"answer_bytes,omitempty"`
	Part     int             `json:"part,omitempty"` // of a question that is too long for one record
}

// The longest answer that is kept whole, and the most of a question in one record.
const (
	wholeAnswer  = 64 << 10
	partQuestion = 384 << 10
)

// Append keeps a record and gives its number.
func (a auditor) Append(r *server.Record) (uint64, error) {
	if body, ok := shortBody(r); ok {
		return a.log.Append(audit.Entry{Who: r.Who, What: auditKind(r.Action), Body: body})
	}
	first := auditBody{Moment: r.Moment, Action: r.Action}
	if len(r.Answer) > wholeAnswer {
		sum := sha256.Sum256(r.Answer)
		first.Digest, first.Bytes = hex.EncodeToString(sum[:]), len(r.Answer)
	} else {
		first.Answer = asJSON(r.Answer)
	}
	var entries []audit.Entry
	question := r.Question
	for part := 1; ; part++ {
		n := min(len(question), partQuestion)
		body := first
		if part > 1 {
			body = auditBody{Moment: r.Moment}
		}
		if part > 1 || n < len(question) {
			body.Part, body.Question = part, asText(question[:n])
		} else {
			body.Question = asJSON(question)
		}
		text, err := json.Marshal(&body)
		if err != nil {
			return 0, err
		}
		entries = append(entries, audit.Entry{Who: r.Who, What: auditKind(r.Action), Body: text})
		if question = question[n:]; len(question) == 0 {
			return a.log.Append(entries...)
		}
	}
}

// shortBody is the body of a record as auditBody has it, put together by hand: of
// questions in plain letters, which is nearly all there is.
func shortBody(r *server.Record) ([]byte, bool) {
	if len(r.Answer) == 0 || len(r.Question) == 0 || len(r.Question) > partQuestion || r.Question[0] == '{' {
		return nil, false
	}
	body := make([]byte, 0, len(r.Question)+len(r.Question)/16+min(len(r.Answer), wholeAnswer)+256)
	body = append(body, `{"moment":`...)
	body = strconv.AppendInt(body, r.Moment, 10)
	body = append(body, `,"question":"`...)
	for _, c := range r.Question {
		switch {
		case c == '\n':
			body = append(body, '\\', 'n')
		case c < ' ' || c > '~' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&':
			return nil, false
		default:
			body = append(body, c)
		}
	}
	switch {
	case len(r.Answer) > wholeAnswer:
		sum := sha256.Sum256(r.Answer)
		body = append(body, `","answer_sha256":"`...)
		body = hex.AppendEncode(body, sum[:])
		body = append(body, `","answer_bytes":`...)
		body = strconv.AppendInt(body, int64(len(r.Answer)), 10)
	case r.Answer[0] == '{' && !bytes.Contains(bytes.TrimSpace(r.Answer), []byte{'\n'}):
		body = append(body, `","answer":`...)
		body = append(body, bytes.TrimSpace(r.Answer)...)
	default: // lines
		return nil, false
	}
	return append(body, '}'), true
}

// auditKind is the kind of a record: screening is what there is most of, and nobody's
// order.
func auditKind(action string) string {
	for _, route := range []string{"/v1/screen", "/api/v1/address/", "/public/v1/sanctions/", "/rpc/"} {
		if strings.Contains(action, route) {
			return "screen"
		}
	}
	method, path, _ := strings.Cut(action, " ")
	parts := strings.SplitN(path, "/", 4) // "", v1, what it is about, and the rest
	return method + ":" + strings.Join(parts[:min(len(parts), 3)], "/")
}

// asJSON is a text as it is where it is JSON, and in quotes where not.
func asJSON(text []byte) json.RawMessage {
	switch {
	case len(text) == 0:
		return nil
	case text[0] == '{' && json.Valid(text):
		return text
	}
	return asText(text)
}

// asText is a text in quotes. What is no UTF-8 is replaced.
func asText(text []byte) json.RawMessage {
	quoted, err := json.Marshal(string(text))
	if err != nil {
		return nil
	}
	return quoted
}
