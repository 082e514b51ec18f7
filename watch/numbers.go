package watch

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"coldtrail/screen/blocklist"
)

// number is what is kept of the last revision of a list.
type number struct {
	Revision uint64 `json:"revision"`
	Content  string `json:"content"`
	Moment   int64  `json:"moment"`
}

// after is the next number. Where none was given, or none is remembered, it is the present
// second: subscribers refuse numbers that fall.
func (n number) after(now time.Time) uint64 {
	if n.Revision == 0 {
		return uint64(max(now.Unix(), 1))
	}
	return n.Revision + 1
}

const numbersFormat = "coldtrail-blocklist-numbers-1"

// numbersFile is the file of the last revisions.
type numbersFile struct {
	Format string            `json:"format"`
	Lists  map[string]number `json:"lists"`
}

// maxNumbers bounds the file.
const maxNumbers = 1 << 20

// readNumbers reads the last revisions. A file that is not there has none; one that cannot
// be read is an error, as its numbers would be given again.
func readNumbers(path string) (map[string]number, error) {
	if path == "" {
		return map[string]number{}, nil
	}
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return map[string]number{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("revisions of blocklists: %w", err)
	}
	var file numbersFile
	if err := json.Unmarshal(text[:min(len(text), maxNumbers)], &file); err != nil || file.Format != numbersFormat {
		return nil, fmt.Errorf("revisions of blocklists: %s is not of format %s; take it away, and numbers go on from the present second", path, numbersFormat)
	}
	for name, n := range file.Lists {
		if _, err := blocklist.ParseDigest(n.Content); err != nil || n.Revision == 0 {
			return nil, fmt.Errorf("revisions of blocklists: %s: list %.100q has no revision", path, name)
		}
	}
	if file.Lists == nil {
		file.Lists = map[string]number{}
	}
	return file.Lists, nil
}

// writeNumbers puts a whole file in the place of the one before, and returns when it is on
// the disk.
func writeNumbers(path string, numbers map[string]number) (err error) {
	if path == "" {
		return nil
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("revisions of blocklists: %w", err)
		}
	}()
	text, err := json.MarshalIndent(numbersFile{numbersFormat, numbers}, "", "  ")
	if err != nil {
		return err
	}
	fresh := path + ".new"
	file, err := os.OpenFile(fresh, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(append(text, '\n'))
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return errors.Join(err, os.Remove(fresh))
	}
	if err := os.Rename(fresh, path); err != nil {
		return err
	}
	folder, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
