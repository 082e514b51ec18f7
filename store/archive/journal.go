package archive

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"coldtrail/ledger"
)

// journal is what an export that is under way has finished: a line of JSON for what was
// asked for, then one for each part. The last line may be cut off.
type journal struct {
	path  string
	file  *os.File
	asked asked
	parts []Part
}

// asked is what an export was asked for; who resumes it must ask for the same.
type asked struct {
	Format  string         `json:"format"`
	Version int            `json:"version"`
	Chains  []ledger.Chain `json:"chains"` // empty is all
}

// begin makes the folder ready: empty, or with the parts of an export that was cut off.
func begin(dir string, o *Options) (*journal, error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, err
	}
	j := &journal{path: filepath.Join(dir, journalName), asked: asked{formatName, Version, slices.Sorted(slices.Values(o.Chains))}}
	_, err := os.Stat(filepath.Join(dir, manifestName))
	if err == nil {
		return nil, fmt.Errorf("%s: %w; export into another folder", dir, ErrFinished)
	}
	text, err := readSmall(j.path)
	switch {
	case err == nil && !o.Resume:
		return nil, fmt.Errorf("%s: %w; go on with it by --resume, or remove it", dir, ErrUnfinished)
	case err == nil:
		if err := j.read(text); err != nil {
			return nil, err
		}
	case !errors.Is(err, os.ErrNotExist):
		return nil, err
	}
	if err != nil {
		entries, err := os.ReadDir(dir)
		if err != nil {
			return nil, err
		}
		if len(entries) > 0 {
			return nil, fmt.Errorf("%s is not empty: it has %s; an archive needs a folder of its own", dir, entries[0].Name())
		}
	}
	return j, j.open()
}

// read reads the lines that are whole.
func (j *journal) read(text []byte) error {
	lines := bytes.Split(text, []byte("\n"))
	lines = lines[:len(lines)-1] // what follows the last line's end was cut off
	for i, line := range lines {
		fault := func(err error) error { return &Error{File: journalName, Row: int64(i + 1), Reason: err.Error()} }
		if i == 0 {
			var was asked
			if err := json.Unmarshal(line, &was); err != nil {
				return fault(err)
			}
			if was.Format != j.asked.Format || was.Version != j.asked.Version || !slices.Equal(was.Chains, j.asked.Chains) {
				return fault(fmt.Errorf("the export was begun with other chains (%v) or by another version (%d)", was.Chains, was.Version))
			}
			continue
		}
		var p Part
		err := json.Unmarshal(line, &p)
		if err == nil {
			err = p.check()
		}
		if err == nil && p.Number != i-1 {
			err = fmt.Errorf("part %d where part %d is due", p.Number, i-1)
		}
		if err != nil {
			return fault(err)
		}
		j.parts = append(j.parts, p)
	}
	return nil
}

// keep keeps the first parts only.
func (j *journal) keep(n int) error {
	if n == len(j.parts) {
		return nil
	}
	j.parts = j.parts[:n]
	if err := j.file.Close(); err != nil {
		return err
	}
	return j.open()
}

// open writes the journal anew with the parts that are kept, and goes on behind them.
func (j *journal) open() error {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text) // ends each value with a new line
	if err := encoder.Encode(&j.asked); err != nil {
		return err
	}
	for i := range j.parts {
		if err := encoder.Encode(&j.parts[i]); err != nil {
			return err
		}
	}
	if err := writeWhole(j.path, text.Bytes()); err != nil {
		return err
	}
	var err error
	j.file, err = os.OpenFile(j.path, os.O_WRONLY|os.O_APPEND, 0o600)
	return err
}

// add notes a part that is whole.
func (j *journal) add(p *Part) error {
	j.parts = append(j.parts, *p)
	w := bufio.NewWriter(j.file)
	return errors.Join(json.NewEncoder(w).Encode(p), w.Flush(), lasting(j.file))
}

// remove ends the journal.
func (j *journal) remove() error { return errors.Join(j.file.Close(), os.Remove(j.path)) }
