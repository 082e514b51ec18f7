package notify_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http/httptest"
	"net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"coldtrail/casebook"
	"coldtrail/notify"
)

// post is a mail server of a few words.
type post struct {
	listener net.Listener
	tls      *tls.Config // offers STARTTLS where set
	answers  map[string]string
	group    sync.WaitGroup

	mu     sync.Mutex
	said   []string // commands, in order
	text   string   // the last mail
	secure bool
}

func serve(t *testing.T, at string, config *tls.Config, answers map[string]string) *post {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", at+":0")
	if err != nil {
		t.Skip(err)
	}
	p := &post{listener: listener, tls: config, answers: answers}
	p.group.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			p.group.Go(func() { p.talk(conn) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		p.group.Wait()
	})
	return p
}

func (p *post) talk(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	in := bufio.NewReader(conn)
	say := func(text string) { _, _ = io.WriteString(conn, text+"\r\n") }
	say("220 ready")
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimSpace(line)
		verb, _, _ := strings.Cut(strings.ToUpper(line), " ")
		p.mu.Lock()
		p.said = append(p.said, line)
		p.mu.Unlock()
		if answer, ok := p.answers[verb]; ok {
			say(answer)
			continue
		}
		switch verb {
		case "EHLO":
			if p.tls != nil && !p.secure {
				say("250-here\r\n250-AUTH PLAIN\r\n250 STARTTLS")
			} else {
				say("250-here\r\n250 AUTH PLAIN")
			}
		case "STARTTLS":
			say("220 go on")
			conn = tls.Server(conn, p.tls)
			in = bufio.NewReader(conn)
			p.mu.Lock()
			p.secure = true
			p.mu.Unlock()
		case "AUTH":
			say("235 welcome")
		case "DATA":
			say("354 go on")
			var text strings.Builder
			for {
				line, err := in.ReadString('\n')
				if err != nil {
					return
				}
				if line == ".\r\n" {
					break
				}
				text.WriteString(line)
			}
			p.mu.Lock()
			p.text = text.String()
			p.mu.Unlock()
			say("250 taken")
		case "QUIT":
			say("221 bye")
			return
		default:
			say("250 fine")
		}
	}
}

func (p *post) commands() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.said, "\n")
}

func shipment(to string) *casebook.Shipment {
	return &casebook.Shipment{
		Delivery: casebook.Delivery{ID: "d1", Attempts: 3},
		Alert:    casebook.Alert{ID: "a1", Sequence: 9, Kind: casebook.WatchHit, Subject: "0xaa", Level: "severe", Body: json.RawMessage(`{"why":"\r\n.\r\nQUIT"}`), Created: start},
		Target:   casebook.Target{ID: "t", Kind: casebook.Mail, Address: to},
	}
}

func mailer(t *testing.T, server string, change func(*notify.MailOptions)) notify.Send {
	t.Helper()
	options := notify.MailOptions{Server: server, From: "coldtrail@example.org", Clock: func() time.Time { return time.Unix(start, 0) }}
	if change != nil {
		change(&options)
	}
	send, err := notify.Mails(options)
	if err != nil {
		t.Fatal(err)
	}
	return send
}

func TestMail(t *testing.T) {
	p := serve(t, "127.0.0.1", nil, nil)
	send := mailer(t, p.listener.Addr().String(), nil)
	if err := send(t.Context(), shipment("ops@example.org")); err != nil {
		t.Fatal(err)
	}
	if got, want := p.commands(), "EHLO localhost\nMAIL FROM:<coldtrail@example.org>\nRCPT TO:<ops@example.org>\nDATA\nQUIT"; got != want {
		t.Errorf("commands:\n%s\nwant\n%s", got, want)
	}
	message, err := mail.ReadMessage(strings.NewReader(p.text))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"From": "coldtrail@example.org", "To": "ops@example.org", "Subject": "coldtrail: watch-hit (severe) 0xaa", "Date": "Sun, 15 Jun 2025 15:06:40 +0000",
		"Message-Id": "<d1@example.org>", "Coldtrail-Delivery": "d1", "Coldtrail-Attempt": "3", "Auto-Submitted": "auto-generated",
	} {
		if got := message.Header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	body, err := io.ReadAll(base64.NewDecoder(base64.StdEncoding, message.Body))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"coldtrail: watch-hit (severe) 0xaa\r\n", `"why": "\r\n.\r\nQUIT"`, `"alert": "a1"`, "Delivery d1, attempt 3."} {
		if !strings.Contains(string(body), want) {
			t.Errorf("the body has no %q:\n%s", want, body)
		}
	}
}

// certificate is one for 127.0.0.1, with who vouches for it.
func certificate(t *testing.T) (*tls.Config, *x509.CertPool) {
	t.Helper()
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	pool := x509.NewCertPool()
	pool.AddCert(server.Certificate())
	return &tls.Config{Certificates: server.TLS.Certificates, MinVersion: tls.VersionTLS12}, pool
}

func TestMailOverTLS(t *testing.T) {
	config, roots := certificate(t)
	p := serve(t, "127.0.0.1", config, nil)
	secured := func(o *notify.MailOptions) { o.Roots, o.User, o.Password = roots, "me", "pass" }
	if err := mailer(t, p.listener.Addr().String(), secured)(t.Context(), shipment("ops@example.org")); err != nil {
		t.Fatal(err)
	}
	want := "EHLO localhost\nSTARTTLS\nEHLO localhost\nAUTH PLAIN " + base64.StdEncoding.EncodeToString([]byte("\x00me\x00pass")) + "\nMAIL FROM"
	if got := p.commands(); !strings.HasPrefix(got, want) {
		t.Errorf("commands:\n%s\nwant\n%s", got, want)
	}
	q := serve(t, "127.0.0.1", config, nil)
	if err := mailer(t, q.listener.Addr().String(), nil)(t.Context(), shipment("ops@example.org")); err == nil || strings.Contains(q.commands(), "MAIL") {
		t.Errorf("a certificate that nobody vouches for: %v\n%s", err, q.commands())
	}
}

// TestMailWithoutTLS wants nothing to be said to a server elsewhere that offers no TLS.
func TestMailWithoutTLS(t *testing.T) {
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, address := range addresses {
		network, ok := address.(*net.IPNet)
		if !ok || network.IP.IsLoopback() || network.IP.To4() == nil {
			continue
		}
		p := serve(t, network.IP.String(), nil, nil)
		err := mailer(t, p.listener.Addr().String(), nil)(t.Context(), shipment("ops@example.org"))
		if err == nil || err.Error() != "the mail server offers no STARTTLS" || strings.Contains(p.commands(), "MAIL") {
			t.Errorf("%v\n%s", err, p.commands())
		}
		return
	}
	t.Skip("this machine has no address but loopback")
}

func TestMailAnswers(t *testing.T) {
	for name, tc := range map[string]struct {
		verb, answer string
		final        bool
	}{
		"greylisted":          {"RCPT", "451 later", false},
		"no such mailbox":     {"RCPT", "550 who?\x1b", true},
		"who are you":         {"RCPT", "530 authenticate first", false},
		"the text is refused": {"DATA", "554 spam", true},
		"full":                {"MAIL", "452 no room", false},
	} {
		t.Run(name, func(t *testing.T) {
			p := serve(t, "127.0.0.1", nil, map[string]string{tc.verb: tc.answer})
			err := mailer(t, p.listener.Addr().String(), nil)(t.Context(), shipment("ops@example.org"))
			var refusal *notify.RefusalError
			if !errors.As(err, &refusal) || refusal.Final != tc.final || strings.Contains(refusal.Reason, "\x1b") {
				t.Errorf("%v, want a refusal, final %t", err, tc.final)
			}
		})
	}
	t.Run("silence", func(t *testing.T) {
		listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = listener.Close() }()
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		if err := mailer(t, listener.Addr().String(), nil)(ctx, shipment("ops@example.org")); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v, want the deadline", err)
		}
	})
}

func TestMailAddresses(t *testing.T) {
	p := serve(t, "127.0.0.1", nil, nil)
	send := mailer(t, p.listener.Addr().String(), nil)
	for _, to := range []string{"", "ops", "ops@example.org\r\nBcc: x@example.org", "ops@example.org>\r\nDATA", "Ops <ops@example.org>", "a@example.org, b@example.org", "\"a b\"@example.org", "ops@[127.0.0.1]", "é@example.org", "ops@example.org "} {
		var refusal *notify.RefusalError
		if err := send(t.Context(), shipment(to)); !errors.As(err, &refusal) || !refusal.Final {
			t.Errorf("%q: %v, want it refused for good", to, err)
		}
	}
	if p.commands() != "" {
		t.Errorf("the server was asked:\n%s", p.commands())
	}
	for _, options := range []notify.MailOptions{{From: "x", Server: "a:25"}, {From: "a@example.org\r\n", Server: "a:25"}, {From: "a@example.org", Server: "a"}} {
		if _, err := notify.Mails(options); err == nil {
			t.Errorf("%+v was taken", options)
		}
	}
}
