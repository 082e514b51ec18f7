package notify

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"coldtrail/casebook"
	"coldtrail/screen/exposure"
)

// The headers of a webhook.
const (
	DeliveryHeader  = "Coldtrail-Delivery"
	AttemptHeader   = "Coldtrail-Attempt"
	TimestampHeader = "Coldtrail-Timestamp"
	SignatureHeader = "Coldtrail-Signature"
)

// maxAnswer is how much of a receiver's answer is read.
const maxAnswer = 64 << 10

// A Message is the body of a webhook. It is the same at every attempt.
type Message struct {
	Alert     string             `json:"alert"`
	Sequence  int64              `json:"sequence"`
	Kind      casebook.AlertKind `json:"kind"`
	Subject   string             `json:"subject,omitempty"`
	Chain     string             `json:"chain,omitempty"`
	Level     exposure.Level     `json:"level,omitempty"`
	Created   int64              `json:"created"`
	Withdraws string             `json:"withdraws,omitempty"`
	Cause     casebook.Cause     `json:"cause,omitzero"`
	Body      json.RawMessage    `json:"body"`
}

// MessageOf is the message of an alert. Whether the alert was withdrawn since is not in
// it: the alert that says so follows.
func MessageOf(a *casebook.Alert) Message {
	return Message{a.ID, a.Sequence, a.Kind, a.Subject, a.Chain, a.Level, a.Created, a.Withdraws, a.Cause, a.Body}
}

// Sign gives the signature of a message: "v1=" and the hexadecimal digits of HMAC-SHA256
// with the secret over the timestamp, a full stop and the body.
func Sign(secret, timestamp string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(timestamp + "."))
	mac.Write(body)
	return "v1=" + hex.EncodeToString(mac.Sum(nil))
}

// ErrUnsigned says that a message is not from who knows the secret, or not from now.
var ErrUnsigned = errors.New("the message is not signed as agreed")

// Check says whether a receiver may believe a message: it is signed with one of the
// secrets, and its timestamp is within a tolerance of the moment, so that nobody can send
// an old one again later. It is what receivers in Go may use, and the model for others.
func Check(header http.Header, body []byte, secrets []string, now time.Time, tolerance time.Duration) error {
	timestamp := header.Get(TimestampHeader)
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil {
		return fmt.Errorf("%w: no timestamp", ErrUnsigned)
	}
	if age := now.Sub(time.Unix(seconds, 0)); age > tolerance || age < -tolerance {
		return fmt.Errorf("%w: it is of another time", ErrUnsigned)
	}
	for given := range strings.SplitSeq(header.Get(SignatureHeader), ",") {
		for _, secret := range secrets {
			if hmac.Equal([]byte(strings.TrimSpace(given)), []byte(Sign(secret, timestamp, body))) {
				return nil
			}
		}
	}
	return fmt.Errorf("%w: no signature fits", ErrUnsigned)
}

// WebhookOptions change how webhooks are sent. Only Clock is required.
type WebhookOptions struct {
	Clock func() time.Time
	// Allowed lists networks that receivers may be in although they are private.
	Allowed Networks
	// Roots are the authorities that are believed; nil is those of the system.
	Roots *x509.CertPool
	// Agent is how the program calls itself.
	Agent string
}

// Webhooks gives what sends webhooks, and what closes its connections in the end.
//
// Receivers are reached over TLS, checked; plain HTTP is only for receivers in a network
// that was allowed. A name is resolved and its address judged at every connection, so
// that a name which points elsewhere later does not get in. Redirects are not followed:
// a receiver that moved must be entered anew.
func Webhooks(options WebhookOptions) (send Send, shut func()) {
	if options.Agent == "" {
		options.Agent = "coldtrail"
	}
	transport := &http.Transport{
		Proxy:                  nil, // a proxy would connect to what is refused here
		DialContext:            options.Allowed.dialer().DialContext,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: options.Roots},
		ForceAttemptHTTP2:      true,
		MaxIdleConnsPerHost:    4,
		MaxIdleConns:           64,
		IdleConnTimeout:        30 * time.Second,
		TLSHandshakeTimeout:    10 * time.Second,
		ResponseHeaderTimeout:  15 * time.Second,
		MaxResponseHeaderBytes: maxAnswer,
	}
	client := &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	w := &webhook{client, options}
	return w.send, transport.CloseIdleConnections
}

type webhook struct {
	client  *http.Client
	options WebhookOptions
}

func (w *webhook) send(ctx context.Context, shipment *casebook.Shipment) error {
	request, err := w.request(ctx, shipment)
	if err != nil {
		return err
	}
	response, err := w.client.Do(request)
	if err != nil {
		return unwrapped(err)
	}
	defer response.Body.Close()
	// What is left unread costs the connection, not memory.
	answer, _ := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if response.StatusCode >= 200 && response.StatusCode <= 299 {
		return nil
	}
	return w.refusal(response, answer)
}

// unwrapped drops the address from an error of the client, which may hold a password and
// is known anyway.
func unwrapped(err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		return wrapped.Err
	}
	return err
}

// request makes the signed request of a delivery.
func (w *webhook) request(ctx context.Context, shipment *casebook.Shipment) (*http.Request, error) {
	address, err := w.options.Allowed.check(shipment.Target.Address)
	if err != nil {
		return nil, err
	}
	body, err := json.Marshal(MessageOf(&shipment.Alert))
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	timestamp := strconv.FormatInt(w.options.Clock().Unix(), 10)
	signatures := make([]string, len(shipment.Target.Secrets))
	for i, secret := range shipment.Target.Secrets {
		signatures[i] = Sign(secret, timestamp, body)
	}
	if len(signatures) == 0 {
		return nil, errors.New("the target has no secret to sign with")
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", w.options.Agent)
	request.Header.Set(DeliveryHeader, shipment.Delivery.ID)
	request.Header.Set(AttemptHeader, strconv.Itoa(shipment.Delivery.Attempts))
	request.Header.Set(TimestampHeader, timestamp)
	request.Header.Set(SignatureHeader, strings.Join(signatures, ","))
	return request, nil
}

// refusal reads an answer that is no success. Who says that the message itself is wrong,
// or that the receiver is gone for good, is believed; anything else may be an accident of
// the way, or of a receiver that is being set up, and is tried again.
func (w *webhook) refusal(response *http.Response, answer []byte) error {
	r := &RefusalError{Reason: fmt.Sprintf("the receiver answered %d: %s", response.StatusCode, quoted(answer))}
	switch response.StatusCode {
	case http.StatusBadRequest, http.StatusGone, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity:
		r.Final = true
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		r.After = w.retryAfter(response.Header.Get("Retry-After"))
	}
	return r
}

// retryAfter reads seconds or a date; what is neither says nothing.
func (w *webhook) retryAfter(text string) time.Duration {
	if seconds, err := strconv.ParseInt(strings.TrimSpace(text), 10, 32); err == nil {
		return max(time.Duration(seconds)*time.Second, 0)
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(at.Sub(w.options.Clock()), 0)
	}
	return 0
}

// quoted is the beginning of a receiver's answer, made harmless for logs and terminals.
func quoted(answer []byte) string {
	return strconv.QuoteToASCII(string(answer[:min(len(answer), 120)]))
}
