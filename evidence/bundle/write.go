package bundle

import (
	"bytes"
	"compress/flate"
	"hash/crc32"
	"io"
)

// Write writes a bundle of files in their order, with what it states. The same statement
// and files give the same bytes.
func Write(w io.Writer, statement any, files []File) error {
	m := Manifest{Format: Format}
	var err error
	if m.Statement, err = Canonical(statement); err != nil {
		return err
	}
	packed := make([][]byte, len(files))
	for i := range files {
		entry, body, err := pack(&files[i])
		if err != nil {
			return err
		}
		m.Files, packed[i] = append(m.Files, entry), body
	}
	m.Root = root(m.Files)
	text, err := m.encode()
	if err != nil {
		return err
	}
	if err := m.check(); err != nil {
		return err
	}
	all := m.framing(text)
	for i := range all {
		body := text
		if i > 0 {
			body = packed[i-1]
		}
		if _, err := w.Write(append(all[i].local(), body...)); err != nil {
			return err
		}
	}
	_, err = w.Write(directory(all))
	return err
}

// pack deflates a file where that makes it smaller.
func pack(f *File) (e Entry, body []byte, err error) {
	if len(f.Content) > maxFile {
		return e, nil, fault(f.Name, "it has %d bytes, at most %d", len(f.Content), maxFile)
	}
	var deflated bytes.Buffer
	writer, err := flate.NewWriter(&deflated, flate.DefaultCompression)
	if err == nil {
		_, err = writer.Write(f.Content)
	}
	if err == nil {
		err = writer.Close()
	}
	if err != nil {
		return e, nil, err
	}
	method, body := uint16(methodDeflated), deflated.Bytes()
	if len(body) >= len(f.Content) {
		method, body = methodStored, f.Content
	}
	e = Entry{
		Name: f.Name, Size: uint32(len(f.Content)), SHA256: digest(f.Content),
		Packed: Packed{CRC32: crc32.ChecksumIEEE(f.Content), Method: method, Size: uint32(len(body)), SHA256: digest(body)},
	}
	return e, body, nil
}

// framing lists the files of the container, the manifest first.
func (m *Manifest) framing(text []byte) []framed {
	all := []framed{{ManifestName, methodStored, crc32.ChecksumIEEE(text), uint32(len(text)), uint32(len(text))}}
	for i := range m.Files {
		all = append(all, framedOf(&m.Files[i]))
	}
	return all
}
