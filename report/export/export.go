// Package export writes a case report in the formats of others: one file per format, and
// one table. Amounts are exact decimal strings everywhere; identifiers follow from what
// they name, so that the same report gives the same bytes.
package export

import (
	"fmt"
	"io"
	"strings"

	"coldtrail/report"
	"coldtrail/report/document"
)

// Options is what formats need beside the report.
type Options struct {
	TLP      string   // who may read it: clear, green, amber or red; amber by default
	Reporter Reporter // who files a suspicious-activity report
}

// File is a file of a format.
type File struct {
	Name  string
	Write func(io.Writer) error
}

// Format is a format, with the files that a report becomes in it.
type Format struct {
	Name, Title string
	Files       func(*report.Report, *Options) ([]File, error)
}

// Formats lists every format.
var Formats = []*Format{HTML, CSV, GraphML, GEXF, STIX, MISP, GoAML}

// Named finds a format.
func Named(name string) (*Format, error) {
	names := make([]string, len(Formats))
	for i, f := range Formats {
		if names[i] = f.Name; f.Name == name {
			return f, nil
		}
	}
	return nil, fmt.Errorf("format %q is not known; use pdf, %s", name, strings.Join(names, ", "))
}

// HTML is the report as one page, and each request to a service as another.
var HTML = &Format{Name: "html", Title: "pages to read and print", Files: func(r *report.Report, _ *Options) ([]File, error) {
	files := []File{{"report.html", func(w io.Writer) error { return document.Render(w, r.Document()) }}}
	for i := range r.Requests {
		name := fmt.Sprintf("request-%02d-%s.html", i+1, fileName(r.Requests[i].Service))
		files = append(files, File{name, func(w io.Writer) error { return document.Render(w, r.RequestDocument(i)) }})
	}
	return files, nil
}}

// fileName makes a name of others' text that no file system takes for anything else.
func fileName(text string) string {
	const most = 40
	var b strings.Builder
	for _, c := range strings.ToLower(text) {
		switch {
		case c >= 'a' && c <= 'z' || c >= '0' && c <= '9':
			b.WriteRune(c)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
		if b.Len() >= most {
			break
		}
	}
	if name := strings.Trim(b.String(), "-"); name != "" {
		return name
	}
	return "service"
}

// one is a format of one file.
func one(name, title, file string, write func(io.Writer, *report.Report, *Options) error) *Format {
	return &Format{Name: name, Title: title, Files: func(r *report.Report, o *Options) ([]File, error) {
		return []File{{file, func(w io.Writer) error { return write(w, r, o) }}}, nil
	}}
}

// Bytes is a file of bytes that are made already.
func Bytes(name string, content []byte) File {
	return File{name, func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	}}
}
