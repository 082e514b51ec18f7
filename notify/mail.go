package notify

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/mail"
	"net/netip"
	"net/smtp"
	"net/textproto"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"coldtrail/casebook"
)

// MailOptions say how mail is sent. Server, From and Clock are required.
type MailOptions struct {
	// Server is host and port of the mail server. Unless it is on loopback it must offer
	// STARTTLS, with a certificate for the host.
	Server string
	From   string // a mail address
	// User and Password are given to the server where User is set, only over TLS.
	User, Password string
	Clock          func() time.Time
	// Roots are the authorities that are believed; nil is those of the system.
	Roots *x509.CertPool
}

// Mails gives what sends mail.
func Mails(options MailOptions) (Send, error) {
	from, err := address(options.From)
	if err != nil {
		return nil, fmt.Errorf("notify: sender: %w", err)
	}
	host, _, err := net.SplitHostPort(options.Server)
	if err != nil {
		return nil, fmt.Errorf("notify: mail server: %w", err)
	}
	return (&mailer{options, from, host}).send, nil
}

type mailer struct {
	options MailOptions
	from    string
	host    string
}

// address reads one plain mail address. Names, lists and line ends are refused: the text
// goes into headers and into the dialogue with the server.
func address(text string) (string, error) {
	parsed, err := mail.ParseAddress(text)
	if err != nil {
		return "", fmt.Errorf("%q is no mail address", text)
	}
	if parsed.Address != text || strings.ContainsFunc(text, func(c rune) bool { return c <= ' ' || c > '~' || strings.ContainsRune(`<>"(),;:\[]`, c) }) {
		return "", fmt.Errorf("%q is not a plain mail address", text)
	}
	return text, nil
}

func (m *mailer) send(ctx context.Context, shipment *casebook.Shipment) error {
	to, err := address(shipment.Target.Address)
	if err != nil {
		return &RefusalError{Final: true, Reason: err.Error()}
	}
	text, err := m.compose(shipment, to)
	if err != nil {
		return err
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", m.options.Server)
	if err != nil {
		return err
	}
	// The dialogue has no context of its own: when time is over its connection is closed.
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	err = m.talk(conn, to, text)
	if ctx.Err() != nil {
		return fmt.Errorf("the mail server: %w", ctx.Err())
	}
	return judged(err)
}

// judged reads a mail server's refusal: 5yz is for good (RFC 5321, section 4.2.1), except
// where it is about who we are and not about the message.
func judged(err error) error {
	var reply *textproto.Error
	if !errors.As(err, &reply) {
		return err
	}
	identity := reply.Code >= 530 && reply.Code <= 539 || reply.Code < 500
	return &RefusalError{Final: !identity, Reason: fmt.Sprintf("the mail server answered %d: %s", reply.Code, quoted([]byte(reply.Msg)))}
}

// talk hands a mail to the server.
func (m *mailer) talk(conn net.Conn, to string, text []byte) error {
	client, err := smtp.NewClient(conn, m.host)
	if err != nil {
		_ = conn.Close()
		return err
	}
	defer func() { _ = client.Close() }()
	if offered, _ := client.Extension("STARTTLS"); offered {
		if err := client.StartTLS(&tls.Config{ServerName: m.host, MinVersion: tls.VersionTLS12, RootCAs: m.options.Roots}); err != nil {
			return fmt.Errorf("the mail server's TLS: %w", err)
		}
	} else if !isLoopback(conn) {
		return errors.New("the mail server offers no STARTTLS")
	}
	if m.options.User != "" {
		if err := client.Auth(smtp.PlainAuth("", m.options.User, m.options.Password, m.host)); err != nil {
			return err
		}
	}
	if err := client.Mail(m.from); err != nil {
		return err
	}
	if err := client.Rcpt(to); err != nil {
		return err
	}
	body, err := client.Data()
	if err != nil {
		return err
	}
	if _, err := body.Write(text); err != nil {
		return err
	}
	if err := body.Close(); err != nil {
		return err
	}
	_ = client.Quit() // it has the mail
	return nil
}

// isLoopback says whether the other end is on this machine, by its address and not by the
// name that was called.
func isLoopback(conn net.Conn) bool {
	to, err := netip.ParseAddrPort(conn.RemoteAddr().String())
	return err == nil && to.Addr().Unmap().IsLoopback()
}

// compose writes a mail. What alerts say comes from chains and cases, and so from anybody:
// in headers it is one line of encoded text, in the body it is base64.
func (m *mailer) compose(shipment *casebook.Shipment, to string) ([]byte, error) {
	message, err := json.MarshalIndent(MessageOf(&shipment.Alert), "", "  ")
	if err != nil {
		return nil, err
	}
	a := &shipment.Alert
	var body strings.Builder
	fmt.Fprintf(&body, "%s\r\n\r\n", subject(a))
	if a.Withdraws != "" {
		fmt.Fprintf(&body, "This takes back alert %s: its block is no longer of its chain.\r\n\r\n", a.Withdraws)
	}
	body.Write(bytes.ReplaceAll(message, []byte("\n"), []byte("\r\n")))
	fmt.Fprintf(&body, "\r\n\r\nDelivery %s, attempt %d.\r\n", shipment.Delivery.ID, shipment.Delivery.Attempts)

	_, domain, _ := strings.Cut(m.from, "@")
	var text bytes.Buffer
	for _, header := range [][2]string{
		{"From", m.from},
		{"To", to},
		{"Subject", words(subject(a))},
		{"Date", m.options.Clock().UTC().Format(time.RFC1123Z)},
		{"Message-ID", "<" + shipment.Delivery.ID + "@" + domain + ">"},
		{"Auto-Submitted", "auto-generated"},
		{DeliveryHeader, shipment.Delivery.ID},
		{AttemptHeader, fmt.Sprint(shipment.Delivery.Attempts)},
		{"MIME-Version", "1.0"},
		{"Content-Type", "text/plain; charset=utf-8"},
		{"Content-Transfer-Encoding", "base64"},
	} {
		fmt.Fprintf(&text, "%s: %s\r\n", header[0], header[1])
	}
	text.WriteString("\r\n")
	encoded := base64.StdEncoding.EncodeToString([]byte(body.String()))
	for len(encoded) > 0 {
		n := min(len(encoded), 76)
		text.WriteString(encoded[:n] + "\r\n")
		encoded = encoded[n:]
	}
	return text.Bytes(), nil
}

// words writes a line for a header (RFC 2047). The encoder of the standard library neither
// folds long lines nor hides text that only looks encoded.
func words(line string) string {
	if !strings.ContainsFunc(line, func(c rune) bool { return c > '~' }) && !strings.Contains(line, "=?") {
		return line
	}
	var encoded []string
	for line != "" {
		n := 0
		for i, c := range line {
			if n = i + utf8.RuneLen(c); n > 40 {
				break
			}
		}
		encoded = append(encoded, "=?utf-8?b?"+base64.StdEncoding.EncodeToString([]byte(line[:n]))+"?=")
		line = line[n:]
	}
	return strings.Join(encoded, "\r\n ")
}

// subject says what an alert is about in one line.
func subject(a *casebook.Alert) string {
	words := []string{"coldtrail:", string(a.Kind)}
	if a.Level != "" {
		words = append(words, "("+string(a.Level)+")")
	}
	line := strings.ToValidUTF8(strings.Join(append(words, a.Subject), " "), "?")
	line = strings.Map(func(c rune) rune {
		if unicode.IsControl(c) || !unicode.IsPrint(c) {
			return ' '
		}
		return c
	}, line)
	runes := []rune(line)
	return strings.TrimSpace(string(runes[:min(len(runes), 200)]))
}
