package pdf_test

import (
	"bytes"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"coldtrail/report/document"
	"coldtrail/report/pdf"
)

// chromium finds the real one.
func chromium(t *testing.T) pdf.Options {
	t.Helper()
	program, err := pdf.Find("")
	if err != nil {
		t.Skip("no Chromium on this machine")
	}
	return pdf.Options{Chromium: program, NoSandbox: os.Geteuid() == 0}
}

func pages(file []byte) int { return len(regexp.MustCompile(`/Type\s*/Page\b`).FindAll(file, -1)) }

// TestPrint prints a document of three parts, each on a page of its own, and reads title
// and number of pages of the PDF.
func TestPrint(t *testing.T) {
	o := chromium(t)
	d := &document.Document{Title: "A theft", Kind: "Case report"}
	for _, id := range []string{"a", "b", "c"} {
		d.Sections = append(d.Sections, document.Section{ID: id, Heading: id, Alone: true, Blocks: []document.Block{{Paragraph: []document.Sentence{
			{Mark: document.Fact, Text: "Something is so.", Rests: []document.Source{{Kind: "block", ID: "1"}}},
		}}}})
	}
	var page bytes.Buffer
	if err := document.Render(&page, d); err != nil {
		t.Fatal(err)
	}
	file, err := pdf.Print(t.Context(), page.Bytes(), o)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(file, []byte("%PDF-1.")) || pages(file) != 4 { // the title, then three parts
		t.Errorf("%d pages, want 4; it begins %q", pages(file), file[:8])
	}
	if !bytes.Contains(file, []byte("/Title (A theft)")) {
		t.Error("the PDF has no title")
	}
}

// TestNoNetwork prints a page that asks for an image and a style of a server on this
// machine: neither is fetched.
func TestNoNetwork(t *testing.T) {
	o := chromium(t)
	var asked atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	defer server.Close()
	page := `<!DOCTYPE html><title>x</title><link rel="stylesheet" href="` + server.URL + `/a.css"><img src="` + server.URL + `/b.png"><p>text`
	file, err := pdf.Print(t.Context(), []byte(page), o)
	if err != nil {
		t.Fatal(err)
	}
	if asked.Load() != 0 || pages(file) != 1 {
		t.Errorf("the server was asked %d times; %d pages", asked.Load(), pages(file))
	}
}

// TestFind names what is not there, and says what to do where nothing is.
func TestFind(t *testing.T) {
	folder := t.TempDir()
	t.Setenv("PATH", folder)
	if _, err := pdf.Find(""); !errors.Is(err, pdf.ErrNoChromium) || !strings.Contains(err.Error(), "--chromium") {
		t.Errorf("got %v, want %v", err, pdf.ErrNoChromium)
	}
	if _, err := pdf.Find(filepath.Join(folder, "none")); err == nil || errors.Is(err, pdf.ErrNoChromium) {
		t.Errorf("a program that is not there: %v", err)
	}
	script(t, filepath.Join(folder, "google-chrome"), "exit 0")
	if got, err := pdf.Find(""); err != nil || filepath.Base(got) != "google-chrome" {
		t.Errorf("got %q, %v, want google-chrome", got, err)
	}
}

func script(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
}

// TestFailures: a Chromium that prints nothing, fails, or hangs is an error that says so.
func TestFailures(t *testing.T) {
	path := filepath.Join(t.TempDir(), "chromium")
	for text, want := range map[string]string{
		"exit 0":                               "printed no PDF",
		"echo 'x:FATAL:disk full' >&2; exit 3": "exit status 3: x:FATAL:disk full",
		"echo 'Running as root without --no-sandbox' >&2; exit 1":               "give --no-sandbox",
		"for a; do case $a in --print-to-pdf=*) echo no > ${a#*=};; esac; done": "printed no PDF",
	} {
		script(t, path, text)
		if _, err := pdf.Print(t.Context(), []byte("x"), pdf.Options{Chromium: path}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
	script(t, path, "exec sleep 60")
	if _, err := pdf.Print(t.Context(), []byte("x"), pdf.Options{Chromium: path, Patience: 50 * time.Millisecond}); err == nil || !strings.Contains(err.Error(), "it took too long") {
		t.Errorf("one that hangs: %v", err)
	}
}
