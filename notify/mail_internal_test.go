package notify

import (
	"bytes"
	"encoding/json"
	"mime"
	"net/mail"
	"testing"
	"time"

	"coldtrail/casebook"
)

// FuzzCompose writes mails about anything: the headers are those that were meant, one of
// each, and no line is longer than mail allows.
func FuzzCompose(f *testing.F) {
	f.Add("0xaa", "high", "why")
	f.Add("a\r\nBcc: x@example.org\r\n\r\n", "\n.\n", "\x00\xff=?utf-8?q?=0d=0a?=")
	f.Add("=?utf-8?q?=0d=0aBcc:_x?=", "a  b", "")
	f.Add("\u2028\u202e", "é", "=?")
	m := mailer{MailOptions{Clock: func() time.Time { return time.Unix(0, 0) }}, "coldtrail@example.org", "localhost"}
	f.Fuzz(func(t *testing.T, about, kind, why string) {
		body, err := json.Marshal(why)
		if err != nil {
			t.Fatal(err)
		}
		text, err := m.compose(&casebook.Shipment{Delivery: casebook.Delivery{ID: "d"}, Alert: casebook.Alert{Kind: casebook.AlertKind(kind), Subject: about, Body: body}}, "ops@example.org")
		if err != nil {
			t.Fatal(err)
		}
		for line := range bytes.SplitSeq(text, []byte("\r\n")) {
			if len(line) > 998 || bytes.ContainsAny(line, "\r\n\x00") || bytes.Equal(line, []byte(".")) {
				t.Fatalf("a line of %d bytes: %q", len(line), line)
			}
		}
		message, err := mail.ReadMessage(bytes.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		if len(message.Header) != 11 {
			t.Fatalf("%d headers: %v", len(message.Header), message.Header)
		}
		for name, values := range message.Header {
			if len(values) != 1 {
				t.Fatalf("%s comes %d times", name, len(values))
			}
		}
		var decoder mime.WordDecoder
		want := subject(&casebook.Alert{Kind: casebook.AlertKind(kind), Subject: about})
		if got, err := decoder.DecodeHeader(message.Header.Get("Subject")); err != nil || got != want {
			t.Fatalf("the subject reads %q (%v), want %q", got, err, want)
		}
		if to := message.Header.Get("To"); to != "ops@example.org" {
			t.Fatalf("to %q", to)
		}
	})
}
