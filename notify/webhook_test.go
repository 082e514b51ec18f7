package notify_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"coldtrail/casebook"
	"coldtrail/notify"
)

// TestSign computes a signature that was made by other means:
// printf '1750000000.{"a":1}' | openssl dgst -sha256 -hmac a-secret-of-16-b
func TestSign(t *testing.T) {
	const want = "v1=774998b4bc96d118ccd83c65f400df1f3c86f52fc4129086064bc80d1e444c17"
	if got := notify.Sign(secret, "1750000000", []byte(`{"a":1}`)); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestCheck(t *testing.T) {
	body := []byte(`{"a":1}`)
	signed := func(secrets ...string) http.Header {
		var signatures []string
		for _, s := range secrets {
			signatures = append(signatures, notify.Sign(s, "1750000000", body))
		}
		h := http.Header{}
		h.Set(notify.TimestampHeader, "1750000000")
		h.Set(notify.SignatureHeader, strings.Join(signatures, ","))
		return h
	}
	other := signed(secret)
	other.Set(notify.TimestampHeader, "1750000001")
	none := signed(secret)
	none.Del(notify.TimestampHeader)
	now := time.Unix(start+60, 0)
	for name, tc := range map[string]struct {
		header http.Header
		body   string
		known  []string
		now    time.Time
		want   bool
	}{
		"as agreed":                      {signed(secret), string(body), []string{secret}, now, true},
		"two signatures, the old known":  {signed("the-new-secret-01", secret), string(body), []string{secret}, now, true},
		"two signatures, the new known":  {signed("the-new-secret-01", secret), string(body), []string{"the-new-secret-01"}, now, true},
		"one signature, two known":       {signed(secret), string(body), []string{"the-new-secret-01", secret}, now, true},
		"another secret":                 {signed("another-secret-01"), string(body), []string{secret}, now, false},
		"another body":                   {signed(secret), `{"a":2}`, []string{secret}, now, false},
		"another timestamp":              {other, string(body), []string{secret}, now, false},
		"no timestamp":                   {none, string(body), []string{secret}, now, false},
		"no signature":                   {signed(), string(body), []string{secret}, now, false},
		"no secret known":                {signed(secret), string(body), nil, now, false},
		"sent again two minutes later":   {signed(secret), string(body), []string{secret}, now.Add(2 * time.Minute), false},
		"from two minutes in the future": {signed(secret), string(body), []string{secret}, now.Add(-3 * time.Minute), false},
	} {
		err := notify.Check(tc.header, []byte(tc.body), tc.known, tc.now, 90*time.Second)
		if (err == nil) != tc.want || err != nil && !errors.Is(err, notify.ErrUnsigned) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzCheck(f *testing.F) {
	f.Add("1750000000", "v1=00,v1=", `{}`)
	f.Add("1750000000", notify.Sign("another-secret-01", "1750000000", []byte(`{}`)), `{}`)
	f.Fuzz(func(t *testing.T, timestamp, signature, body string) {
		h := http.Header{notify.TimestampHeader: {timestamp}, notify.SignatureHeader: {signature}}
		if err := notify.Check(h, []byte(body), []string{secret}, time.Unix(start, 0), time.Hour); err == nil {
			t.Fatalf("%q with %q passed and was not signed by us", timestamp, signature)
		}
	})
}

func TestPermit(t *testing.T) {
	for address, want := range map[string]bool{
		"8.8.8.8": true, "2606:4700::1111": true, "172.15.0.1": true, "172.32.0.1": true, "100.63.255.255": true, "100.128.0.1": true, "::ffff:8.8.8.8": true,
		"127.0.0.1": false, "127.8.8.8": false, "::1": false, "0.0.0.0": false, "::": false, "0.1.2.3": false,
		"10.1.2.3": false, "172.16.0.1": false, "172.31.255.255": false, "192.168.1.1": false, "100.64.0.1": false,
		"169.254.169.254": false, "fe80::1": false, "fe80::1%eth0": false, "fc00::1": false, "fd00:ec2::254": false, "fec0::1": false,
		"224.0.0.1": false, "ff02::1": false, "255.255.255.255": false, "240.0.0.1": false, "198.18.0.1": false, "192.0.0.1": false, "192.0.2.1": false, "203.0.113.9": false,
		"::ffff:127.0.0.1": false, "::ffff:169.254.169.254": false, "::127.0.0.1": false, "64:ff9b::7f00:1": false, "2002:7f00:1::": false, "2001:0:7f00:1::": false, "2001:db8::1": false,
	} {
		err := notify.Networks(nil).Permit(netip.MustParseAddr(address))
		if (err == nil) != want || err != nil && !errors.Is(err, notify.ErrForbidden) {
			t.Errorf("%s: %v", address, err)
		}
	}
	allowed := notify.Networks{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("::1/128")}
	for address, want := range map[string]bool{"10.9.9.9": true, "::ffff:10.9.9.9": true, "::1": true, "127.0.0.1": false, "192.168.0.1": false, "8.8.8.8": true} {
		if err := allowed.Permit(netip.MustParseAddr(address)); (err == nil) != want {
			t.Errorf("with 10.0.0.0/8 allowed, %s: %v", address, err)
		}
	}
}

// TestForbidden wants nothing to be sent where nothing may be, by address or by name, and
// without TLS only where that was allowed.
func TestForbidden(t *testing.T) {
	var hits atomic.Int64
	handler := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { hits.Add(1) })
	safe, plain := httptest.NewTLSServer(handler), httptest.NewServer(handler)
	defer safe.Close()
	defer plain.Close()
	send, shut := notify.Webhooks(notify.WebhookOptions{Clock: func() time.Time { return time.Unix(start, 0) }})
	defer shut()
	_, port, _ := strings.Cut(strings.TrimPrefix(safe.URL, "https://"), ":")
	try := func(send notify.Send, address string) error {
		return send(t.Context(), &casebook.Shipment{Target: casebook.Target{Address: address, Secrets: []string{secret}}})
	}
	for _, address := range []string{safe.URL, "https://localhost:" + port + "/", "https://[::ffff:127.0.0.1]:" + port + "/", plain.URL, "http://8.8.8.8/", "http://example.org/"} {
		if err := try(send, address); !errors.Is(err, notify.ErrForbidden) {
			t.Errorf("%s: %v, want ErrForbidden", address, err)
		}
	}
	for _, address := range []string{"", "example.org", "ftp://example.org/", "https://user:pass@example.org/", "https:example.org", "https:///x", "https://example.org/#x", ":", "file:///etc/passwd"} {
		if err := try(send, address); err == nil {
			t.Errorf("%s was taken for a webhook's address", address)
		}
	}
	if hits.Load() != 0 {
		t.Errorf("%d requests came through", hits.Load())
	}

	allowing, shutAllowing := notify.Webhooks(notify.WebhookOptions{Clock: func() time.Time { return time.Unix(start, 0) }, Allowed: loopback})
	defer shutAllowing()
	if err := try(allowing, plain.URL); err != nil || hits.Load() != 1 {
		t.Errorf("an allowed receiver without TLS: %v", err)
	}
	if err := try(allowing, "http://localhost:1/"); !errors.Is(err, notify.ErrForbidden) {
		t.Errorf("a name without TLS: %v, want ErrForbidden", err)
	}
	err := try(allowing, safe.URL)
	if err == nil || !strings.Contains(err.Error(), "certificate") || hits.Load() != 1 {
		t.Errorf("a certificate that nobody vouches for: %v", err)
	}
	if err := allowing(t.Context(), &casebook.Shipment{Target: casebook.Target{Address: plain.URL}}); err == nil {
		t.Error("an unsigned message was sent")
	}
}
