// Package web is the workbench: pages for people, built from ui/ and embedded, so that one
// binary serves them without a network. It asks nothing of the other packages; the pages
// ask the HTTP API, with the credentials of whoever looks at them.
//
// Everything that the pages show may have been written by a thief: labels, memos, names of
// tokens. The policy that is sent with them lets scripts and styles in from this server
// alone, and lets no script turn text into a page.
package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"
)

//go:embed dist
var built embed.FS

// Policy is the content security policy of the pages. Styles that scripts set are no
// inline styles; nothing is loaded from elsewhere, and nobody may frame the pages.
const Policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; " +
	"manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types svelte-trusted-html"

// Site serves the pages. It is safe for concurrent use.
type Site struct{ files map[string]*file }

// file is one file, as it is sent.
type file struct {
	kind        string
	plain, gzip []byte
	tag         string
	lasting     bool // its name changes with its content
}

// New reads the pages that were built in.
func New() (*Site, error) {
	site := &Site{files: map[string]*file{}}
	err := fs.WalkDir(built, "dist", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		f, err := read(name)
		if err != nil {
			return err
		}
		site.files["/"+strings.TrimPrefix(name, "dist/")] = f
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("web: %w", err)
	}
	front, ok := site.files["/index.html"]
	if !ok {
		return nil, fmt.Errorf("web: the pages were not built: dist has no index.html")
	}
	site.files["/"] = front
	return site, nil
}

func read(name string) (*file, error) {
	text, err := built.ReadFile(name)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(text)
	f := &file{
		kind: mime.TypeByExtension(path.Ext(name)), plain: text, tag: `"` + hex.EncodeToString(sum[:16]) + `"`,
		lasting: strings.HasPrefix(name, "dist/assets/"),
	}
	if kind, ok := kinds[path.Ext(name)]; ok { // the machine's own table may say otherwise
		f.kind = kind
	}
	var packed bytes.Buffer
	w, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(text); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	if packed.Len() < len(text) {
		f.gzip = packed.Bytes()
	}
	return f, nil
}

// kinds are the media types of what the build makes.
var kinds = map[string]string{
	".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml",
}

// Paths lists what is served, for a server to lay out.
func (s *Site) Paths() []string {
	list := make([]string, 0, len(s.files))
	for name := range s.files {
		list = append(list, name)
	}
	return list
}

// Packed is how many bytes of a path are sent to a browser that takes gzip, -1 where
// there is no such path.
func (s *Site) Packed(name string) int {
	f, ok := s.files[name]
	if !ok {
		return -1
	}
	if f.gzip != nil {
		return len(f.gzip)
	}
	return len(f.plain)
}

// ServeHTTP sends a file of the pages, and 404 for any other path.
func (s *Site) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	f, ok := s.files[request.URL.Path]
	if !ok {
		http.NotFound(w, request)
		return
	}
	h := w.Header()
	h.Set("Content-Security-Policy", Policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("ETag", f.tag)
	h.Set("Vary", "Accept-Encoding")
	h.Set("Cache-Control", "no-cache")
	if f.lasting {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	if request.Header.Get("If-None-Match") == f.tag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	body := f.plain
	if f.gzip != nil && strings.Contains(request.Header.Get("Accept-Encoding"), "gzip") {
		h.Set("Content-Encoding", "gzip")
		body = f.gzip
	}
	h.Set("Content-Type", f.kind)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	if request.Method != http.MethodHead {
		_, _ = w.Write(body)
	}
}
