package server

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"time"
)

// The sizes that requests may have.
const (
	// MaxBody is the largest body, in bytes.
	MaxBody = 4 << 20
	// MaxQuestions is how many questions one request may ask.
	MaxQuestions = 10_000
	// MaxHistoric is how many of them may ask for another time.
	MaxHistoric = 100
	maxHeader   = 16 << 10
	maxReply    = 64 << 20 // bytes of the answer to one batch
)

// Options says how a server behaves. Now has to be set; everything else has a default.
type Options struct {
	// Now is the clock.
	Now func() time.Time
	// Log takes what operators should see; nil discards it.
	Log *slog.Logger
	// Open lets everybody in as an administrator, without keys. Serve then refuses
	// addresses that other machines can reach, and requests that name another host.
	Open bool

	// Certificate and Key are PEM files. They are read again when they change.
	Certificate, Key string

	// The limits of one connection: 5 s, 30 s, 60 s and 120 s. Shutdown waits 15 s.
	ReadHeaderTimeout, ReadTimeout, WriteTimeout, IdleTimeout, ShutdownTimeout time.Duration
	// AnswerTimeout bounds what is looked up in stores for one request; 20 s.
	AnswerTimeout time.Duration

	// Rates bounds what one key may ask, by class. A class that is not named has its
	// default.
	Rates map[Class]Rate
	// Batches is how many batches are worked on at once, which bounds their memory; 8.
	// More are answered with 503.
	Batches int

	// Stale is the age at which data makes the server not ready; 10 minutes.
	Stale time.Duration
	// KeysEvery is how often the keys are read again; 5 s. After KeysStale without
	// success the server is not ready; 2 minutes.
	KeysEvery, KeysStale time.Duration

	// EventsEvery is how often alerts are looked for when nobody calls Notify; 1 s.
	// Heartbeat is the pause after which a silent stream says that it lives; 15 s.
	EventsEvery, Heartbeat time.Duration
	// EventBuffer is how many alerts a reader of the stream may be behind before it is
	// dropped; 1024. Streams is how many readers there may be; 256.
	EventBuffer, Streams int
	// StreamPatience is how long one write to a reader may take; 10 s.
	StreamPatience time.Duration

	// Origins are the web origins whose scripts may read answers, such as
	// https://app.example. None is the default.
	Origins []string
	// OIDC lets people in by OpenID Connect; nil lets in none.
	OIDC *OIDC
	// Workbench is the pages for people; nil serves none. They hold nothing that is known, so
	// that everybody may load them; what they ask needs credentials like any other question.
	Workbench Workbench
	// Client is used to talk to the OpenID Connect provider; nil is one with timeouts.
	Client *http.Client
}

// Workbench is pages that a browser loads.
type Workbench interface {
	http.Handler
	// Paths lists the paths that are answered, "/" for the first page.
	Paths() []string
}

// A Rate bounds how often something may happen.
type Rate struct {
	// PerSecond is how many in the long run, Burst how many at once.
	PerSecond, Burst int
}

// rates is what holds where the options say nothing. Screening is counted in questions,
// everything else in requests.
var rates = map[Class]Rate{
	ClassScreening:  {PerSecond: 100_000, Burst: 200_000},
	ClassHistoric:   {PerSecond: 10, Burst: MaxHistoric},
	ClassReading:    {PerSecond: 100, Burst: 300},
	ClassWriting:    {PerSecond: 50, Burst: 200},
	ClassGuarding:   {PerSecond: 5000, Burst: 10_000},
	ClassStreaming:  {PerSecond: 1, Burst: 20},
	ClassStranger:   {PerSecond: 20, Burst: 100},
	ClassCredential: {PerSecond: 1, Burst: 20},
}

// complete fills in the defaults and refuses what cannot be right.
func (o *Options) complete() error {
	if o.Now == nil {
		return errors.New("there is no clock")
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if (o.Certificate == "") != (o.Key == "") {
		return errors.New("a certificate needs its key, and a key its certificate")
	}
	o.completeTimes()
	o.Batches = unless(o.Batches, 8)
	o.EventBuffer, o.Streams = unless(o.EventBuffer, 1024), unless(o.Streams, 256)
	if o.Client == nil {
		o.Client = &http.Client{Timeout: 10 * time.Second}
	}
	for _, origin := range o.Origins {
		u, err := url.Parse(origin)
		if err != nil || u.Scheme == "" || u.Host == "" || u.Scheme+"://"+u.Host != origin {
			return fmt.Errorf("origin %q is not of the form https://host", origin)
		}
	}
	named := o.Rates
	o.Rates = map[Class]Rate{}
	for class, rate := range rates {
		if set, ok := named[class]; ok {
			rate = set
		}
		o.Rates[class] = rate
	}
	for class := range named {
		if _, ok := rates[class]; !ok {
			return fmt.Errorf("there is no class %q of rates", class)
		}
	}
	if o.OIDC != nil {
		return o.OIDC.complete()
	}
	return nil
}

func (o *Options) completeTimes() {
	o.ReadHeaderTimeout = unless(o.ReadHeaderTimeout, 5*time.Second)
	o.ReadTimeout = unless(o.ReadTimeout, 30*time.Second)
	o.WriteTimeout = unless(o.WriteTimeout, 60*time.Second)
	o.IdleTimeout = unless(o.IdleTimeout, 120*time.Second)
	o.ShutdownTimeout = unless(o.ShutdownTimeout, 15*time.Second)
	o.AnswerTimeout = unless(o.AnswerTimeout, 20*time.Second)
	o.Stale = unless(o.Stale, 10*time.Minute)
	o.KeysEvery = unless(o.KeysEvery, 5*time.Second)
	o.KeysStale = unless(o.KeysStale, 2*time.Minute)
	o.EventsEvery = unless(o.EventsEvery, time.Second)
	o.StreamPatience = unless(o.StreamPatience, 10*time.Second)
	o.Heartbeat = unless(o.Heartbeat, 15*time.Second)
}
