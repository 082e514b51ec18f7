// Package server answers for Coldtrail over HTTP: verdicts in the way of every payment,
// and the desk work around them. The document openapi.yaml says what is asked and
// answered; the table Routes says who may ask, and a test holds the two together.
//
// It knows no engine. What it needs it asks of the small interfaces in Parts, and what
// nobody has wired is answered with 501. Three rules hold everywhere: an error never
// reads as clean, every verdict carries the age of its data and its number in the audit
// log, and a reply is written down before it is sent. If it cannot be written down it is
// sent all the same, says so, and the server is no longer ready.
package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// Server answers requests. It is safe for concurrent use.
type Server struct {
	parts   Parts
	options Options
	log     *slog.Logger
	mux     *http.ServeMux
	metrics *metrics
	keys    *keyTable
	limits  *limits
	feed    *feed
	people  *people // nil without OpenID Connect
	wired   map[string]bool
	docs    *document
	basis   atomic.Pointer[basisView]
	batches chan struct{} // one token for each batch that is worked on
	labels  chan struct{} // one token for each file of labels that is worked on
	buffers sync.Pool     // of *[]byte

	audit    auditState
	stopping chan struct{}
	stopOnce sync.Once
}

// New makes a server. Options that cannot be right are refused.
func New(options Options, parts Parts) (*Server, error) {
	if err := options.complete(); err != nil {
		return nil, fmt.Errorf("server: %w", err)
	}
	docs, err := readDocument()
	if err != nil {
		return nil, fmt.Errorf("server: %w", err)
	}
	s := &Server{
		parts: parts, options: options, log: options.Log, docs: docs,
		keys: newKeyTable(), limits: newLimits(&options), feed: newFeed(options.EventBuffer),
		batches: make(chan struct{}, options.Batches), labels: make(chan struct{}, labelFiles), stopping: make(chan struct{}),
	}
	s.buffers.New = func() any { return new([]byte) }
	s.metrics = newMetrics(s)
	if options.OIDC != nil {
		s.people = newPeople(&s.options)
	}
	s.wired = parts.wired(s.people != nil)
	s.mux = s.route()
	return s, nil
}

// ErrOpen says that a server without keys was to listen where others can reach it.
var ErrOpen = errors.New("without keys only loopback addresses may be listened on; leave out the open mode, or listen on 127.0.0.1")

// Serve answers on listeners until ctx is done, then lets requests end and returns. It
// also keeps what ages: keys, certificates, the feed of alerts. It returns when
// everything that it started has ended. With certificates in the options it speaks TLS. A
// server serves once.
func (s *Server) Serve(ctx context.Context, listeners ...net.Listener) error {
	if len(listeners) == 0 {
		return errors.New("server: there is nothing to listen on")
	}
	for _, l := range listeners {
		if s.options.Open && !isLoopback(l.Addr()) {
			closeAll(listeners)
			return fmt.Errorf("server: %s: %w", l.Addr(), ErrOpen)
		}
	}
	certificates, err := s.certificates()
	if err != nil {
		closeAll(listeners)
		return fmt.Errorf("server: %w", err)
	}
	s.refreshKeys(ctx)
	group, ctx := errgroup.WithContext(ctx)
	web := s.web(ctx)
	if certificates != nil {
		web.TLSConfig = certificates.config()
	}
	for _, l := range listeners {
		group.Go(func() error {
			var err error
			if certificates != nil {
				err = web.ServeTLS(l, "", "")
			} else {
				err = web.Serve(l)
			}
			if errors.Is(err, http.ErrServerClosed) {
				return nil
			}
			return fmt.Errorf("server: %s: %w", l.Addr(), err)
		})
	}
	group.Go(func() error { return s.keep(ctx) })
	group.Go(func() error {
		<-ctx.Done()
		return s.shut(context.WithoutCancel(ctx), web)
	})
	return group.Wait()
}

// web is the HTTP server with every limit that keeps a slow or wordy client from
// holding it.
func (s *Server) web(ctx context.Context) *http.Server {
	return &http.Server{
		Handler:           s,
		ReadHeaderTimeout: s.options.ReadHeaderTimeout,
		ReadTimeout:       s.options.ReadTimeout,
		WriteTimeout:      s.options.WriteTimeout,
		IdleTimeout:       s.options.IdleTimeout,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug), // strangers' broken handshakes
		BaseContext:       func(net.Listener) context.Context { return context.WithoutCancel(ctx) },
	}
}

// shut ends the streams, waits for what is being answered, and then closes.
func (s *Server) shut(ctx context.Context, web *http.Server) error {
	s.stopOnce.Do(func() { close(s.stopping) })
	ctx, cancel := context.WithTimeout(ctx, s.options.ShutdownTimeout)
	defer cancel()
	if err := web.Shutdown(ctx); err != nil {
		return errors.Join(fmt.Errorf("server: requests were cut off: %w", err), web.Close())
	}
	return nil
}

// keep does what has to be done now and then, until ctx is done.
func (s *Server) keep(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return s.every(ctx, s.options.KeysEvery, s.refreshKeys) })
	if s.parts.Alerts != nil {
		group.Go(func() error { return s.follow(ctx) })
	}
	if s.people != nil {
		group.Go(func() error { return s.every(ctx, s.options.OIDC.DiscoverEvery, s.people.discover) })
	}
	return group.Wait()
}

// every does something at once and then in intervals.
func (s *Server) every(ctx context.Context, interval time.Duration, do func(context.Context)) error {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		do(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// isLoopback says whether only this machine can reach an address.
func isLoopback(addr net.Addr) bool {
	if addr.Network() == "unix" {
		return true
	}
	at, err := netip.ParseAddrPort(addr.String())
	return err == nil && at.Addr().Unmap().IsLoopback()
}

func closeAll(listeners []net.Listener) {
	for _, l := range listeners {
		_ = l.Close()
	}
}

// clock is the time.
func (s *Server) clock() time.Time { return s.options.Now() }

// buffer lends a buffer; give takes it back unless it has become large.
func (s *Server) buffer() *[]byte {
	b, ok := s.buffers.Get().(*[]byte)
	if !ok {
		b = new([]byte)
	}
	*b = (*b)[:0]
	return b
}

func (s *Server) give(b *[]byte) {
	if cap(*b) <= keptBuffer {
		s.buffers.Put(b)
	}
}

// keptBuffer is the largest buffer that is kept for later, in bytes.
const keptBuffer = 8 << 20

// unless gives a value unless it is zero.
func unless[T comparable](value, otherwise T) T { return cmp.Or(value, otherwise) }
