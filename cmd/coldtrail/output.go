package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/schollz/progressbar/v3"

	"coldtrail/ledger"
)

// noLabels is the revision of an empty label store: SHA-256 of nothing.
const noLabels = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

func (s *session) printJSON(value any) error {
	encoder := json.NewEncoder(s.stdout)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(value)
}

// progress shows how far long work has come, with rate and time left: a bar on a
// terminal, a line every ten seconds elsewhere.
type progress struct {
	session *session
	what    string
	total   uint64
	began   time.Time
	spoke   time.Time
	bar     *progressbar.ProgressBar
}

func newProgress(s *session, what string, total uint64) *progress {
	now := time.Now()
	p := &progress{session: s, what: what, total: total, began: now, spoke: now}
	if f, ok := s.stderr.(*os.File); ok {
		if info, err := f.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
			p.bar = progressbar.NewOptions64(int64(total),
				progressbar.OptionSetWriter(f), progressbar.OptionSetDescription(what), progressbar.OptionShowIts(),
				progressbar.OptionShowCount(), progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish())
		}
	}
	return p
}

func (p *progress) set(done uint64) {
	if p.bar != nil {
		_ = p.bar.Set64(int64(done))
		return
	}
	now := time.Now()
	if now.Sub(p.spoke) < 10*time.Second || done == 0 {
		return
	}
	p.spoke = now
	rate := float64(done) / now.Sub(p.began).Seconds()
	left := time.Duration(float64(p.total-min(done, p.total))/rate) * time.Second
	fmt.Fprintf(p.session.stderr, "%s: %d of %d, %.0f/s, %s left\n", p.what, done, p.total, rate, left)
}

func (p *progress) end() {
	if p.bar != nil {
		_ = p.bar.Finish()
	}
}

// chainProgress shows work that goes chain by chain; another piece of it begins when all of
// one was done.
func (s *session) chainProgress(what string) func(chain ledger.Chain, done, total uint64) {
	var bar *progress
	return func(chain ledger.Chain, done, total uint64) {
		if bar == nil {
			bar = newProgress(s, what+" "+chain.Short(), total)
		}
		if bar.set(done); done >= total {
			bar.end()
			bar = nil
		}
	}
}

// working shows that something goes on of which nobody can tell how much is left, until the
// function that it gives is called.
func working(s *session, what string) (done func()) {
	p := newProgress(s, what, 0)
	if p.bar != nil {
		p.bar = progressbar.NewOptions64(-1, progressbar.OptionSetWriter(s.stderr), progressbar.OptionSetDescription(what), progressbar.OptionClearOnFinish())
	}
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		ticker := time.NewTicker(100 * time.Millisecond)
		defer ticker.Stop()
		for {
			select {
			case <-stop:
				p.end()
				return
			case now := <-ticker.C:
				switch {
				case p.bar != nil:
					_ = p.bar.Add(1)
				case now.Sub(p.spoke) >= 10*time.Second:
					p.spoke = now
					fmt.Fprintf(s.stderr, "%s: %s so far\n", what, now.Sub(p.began).Round(time.Second))
				}
			}
		}
	}()
	return func() {
		close(stop)
		<-stopped
	}
}

// inert writes others' text so that a terminal takes it for nothing but text: what is not
// printable, such as escape sequences and changes of direction, is spelled out.
func inert(text string) string {
	if strings.ContainsFunc(text, func(c rune) bool { return !unicode.IsGraphic(c) || c == utf8.RuneError }) {
		return strconv.QuoteToGraphic(text)
	}
	return text
}
