// Package pdf prints a page as PDF by a Chromium that is on the machine. The page is given
// to it as a file; it gets no network, and keeps nothing.
package pdf

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// ErrNoChromium says that no Chromium was found.
var ErrNoChromium = errors.New("no Chromium on this machine; install one (Debian's package chromium), name one with --chromium, or print the HTML from any browser")

// Names are the programs that are looked for, in this order.
var Names = []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "headless_shell", "chrome-headless-shell", "microsoft-edge"}

// Find finds the program to print with: the one named, or the first known one.
func Find(named string) (string, error) {
	if named != "" {
		path, err := exec.LookPath(named)
		if err != nil {
			return "", fmt.Errorf("%s cannot be run as Chromium: %w", named, err)
		}
		return path, nil
	}
	for _, name := range Names {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", ErrNoChromium
}

// Options is how to print.
type Options struct {
	Chromium string // path of the program
	// NoSandbox runs Chromium without its own sandbox, which does not work for root and in
	// many containers. The page is ours, runs no scripts and loads nothing.
	NoSandbox bool
	Patience  time.Duration // two minutes by default
}

// Print prints an HTML page.
func Print(ctx context.Context, html []byte, o Options) (pdf []byte, err error) {
	folder, err := os.MkdirTemp("", "coldtrail-pdf-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	page, out := filepath.Join(folder, "page.html"), filepath.Join(folder, "page.pdf")
	if err := os.WriteFile(page, html, 0o600); err != nil {
		return nil, err
	}
	if o.Patience == 0 {
		o.Patience = 2 * time.Minute
	}
	ctx, stop := context.WithTimeout(ctx, o.Patience)
	defer stop()
	var said bytes.Buffer
	command := exec.CommandContext(ctx, o.Chromium, o.arguments(folder, page, out)...) //nolint:gosec // the program that the user names
	command.Stderr, command.Stdout = &said, &said
	command.Env = append(os.Environ(), "HOME="+folder)
	command.WaitDelay = 5 * time.Second
	if err := command.Run(); err != nil {
		return nil, fmt.Errorf("%s could not print: %w%s", o.Chromium, err, why(ctx, said.String()))
	}
	pdf, err = os.ReadFile(out)
	if err != nil || !bytes.HasPrefix(pdf, []byte("%PDF-")) {
		return nil, fmt.Errorf("%s printed no PDF%s", o.Chromium, why(ctx, said.String()))
	}
	return pdf, nil
}

// arguments are how Chromium is run: without network and anything of the user's. Scripts stay
// enabled, because Chromium prints by one of its own; the policy of the page allows none.
func (o *Options) arguments(folder, page, out string) []string {
	list := []string{
		"--headless", "--disable-gpu", "--no-first-run", "--no-default-browser-check", "--disable-extensions", "--disable-sync", "--disable-dev-shm-usage",
		"--disable-background-networking", "--disable-component-update", "--disable-domain-reliability", "--disable-breakpad", "--metrics-recording-only",
		"--host-resolver-rules=MAP * ~NOTFOUND", "--proxy-server=127.0.0.1:9",
		"--user-data-dir=" + filepath.Join(folder, "profile"),
		"--no-pdf-header-footer", "--generate-pdf-document-outline", "--print-to-pdf=" + out,
	}
	if o.NoSandbox {
		list = append(list, "--no-sandbox")
	}
	return append(list, "file://"+page)
}

// why is what a user can do about a failure.
func why(ctx context.Context, said string) string {
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return ": it took too long"
	case strings.Contains(said, "no usable sandbox"), strings.Contains(said, "without --no-sandbox"):
		return ": its sandbox does not work here (as root, or in a container); run as another user, or give --no-sandbox"
	}
	for line := range strings.Lines(said) {
		if strings.Contains(line, "FATAL") || strings.Contains(line, "ERROR") && !strings.Contains(line, "dbus") { // which servers do not have
			return ": " + strings.TrimSpace(line)
		}
	}
	return ""
}
