package server

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

// certificate is a certificate that is read again when its files change, so that it can
// be renewed without an end to what is being answered.
type certificate struct {
	server  *Server
	mu      sync.Mutex
	loaded  *tls.Certificate
	looked  time.Time
	changed [2]time.Time // of the files that were loaded
	failed  [2]time.Time // of files that could not be loaded, so that it is said once
}

// certificateEvery is how often the files are looked at.
const certificateEvery = time.Second

// certificates loads the certificate, or gives nil where there is none to load.
func (s *Server) certificates() (*certificate, error) {
	if s.options.Certificate == "" {
		return nil, nil //nolint:nilnil // without TLS there is none, and that is no error
	}
	c := &certificate{server: s}
	times, err := c.times()
	if err != nil {
		return nil, err
	}
	if err := c.load(times); err != nil {
		return nil, err
	}
	return c, nil
}

func (c *certificate) config() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: c.get, NextProtos: []string{"h2", "http/1.1"}}
}

// times says when the files were last changed.
func (c *certificate) times() (times [2]time.Time, err error) {
	for i, path := range []string{c.server.options.Certificate, c.server.options.Key} {
		info, err := os.Stat(path)
		if err != nil {
			return times, fmt.Errorf("certificate: %w", err)
		}
		times[i] = info.ModTime()
	}
	return times, nil
}

func (c *certificate) load(times [2]time.Time) error {
	pair, err := tls.LoadX509KeyPair(c.server.options.Certificate, c.server.options.Key)
	if err != nil {
		return fmt.Errorf("certificate %s: %w", c.server.options.Certificate, err)
	}
	c.loaded, c.changed = &pair, times
	return nil
}

// get gives the certificate. Files that cannot be loaded leave the one that is held.
func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.server.clock()
	if now.Sub(c.looked) < certificateEvery {
		return c.loaded, nil
	}
	c.looked = now
	times, err := c.times()
	if err == nil && (times == c.changed || times == c.failed) {
		return c.loaded, nil
	}
	if err == nil {
		err = c.load(times)
	}
	if err != nil {
		c.failed = times
		c.server.log.Error("the new certificate cannot be used; the old one still is", slog.Any("error", err))
		return c.loaded, nil
	}
	c.server.log.Info("a new certificate is used")
	return c.loaded, nil
}
