// Package remote fetches prices over HTTP. A source is a few lines of a file, not code: where
// it is, and where in its answer times and closes stand. Answers are kept, so that the same
// question about the past is asked once; they are bounded, and one that cannot be read is
// an error with its place, never a price.
package remote

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"coldtrail/chain/jsonrpc"
	"coldtrail/ledger"
	"coldtrail/price"
	"coldtrail/price/table"
)

// Source says how one source is asked and read.
type Source struct {
	Name  string `yaml:"name"`  // as prices name it
	Asset string `yaml:"asset"` // CAIP-19, or a chain for its native asset
	// URL is asked, with {from} and {to} (Unix seconds), {from_ms} and {to_ms}, {from_day} and
	// {to_day} put in.
	URL    string `yaml:"url"`
	Format string `yaml:"format"` // json or csv (in the form of package table)
	Market string `yaml:"market"`
	// Rows, Time, Close and Volume say where a JSON answer has them: a path of names and
	// positions with points between, from the top to the list, and within one of its items.
	Rows   string `yaml:"rows"`
	Time   string `yaml:"time"`
	Close  string `yaml:"close"`
	Volume string `yaml:"volume"`
	Unit   string `yaml:"unit"`   // of times: s, ms, day or rfc3339
	Stamps string `yaml:"stamps"` // whether times are the open or the close of bars
	Bar    string `yaml:"bar"`    // the length of bars, such as 1d
	// Cut lets digits after the eighth decimal go; without it such a price is refused.
	Cut   bool          `yaml:"cut"`
	Every time.Duration `yaml:"every"` // the least time between two questions

	asset ledger.Asset
	bar   int64
}

// mostConfig, mostAnswer and mostRows bound what is read.
const (
	mostConfig = 1 << 20
	mostAnswer = 64 << 20
	mostRows   = 1_000_000
)

// Parse reads a file of sources.
func Parse(file string, from io.Reader) ([]Source, error) {
	var all struct {
		Sources []Source `yaml:"sources"`
	}
	decoder := yaml.NewDecoder(io.LimitReader(from, mostConfig))
	decoder.KnownFields(true)
	if err := decoder.Decode(&all); err != nil {
		return nil, fmt.Errorf("%s: %s", file, strings.Join(strings.Fields(strings.TrimPrefix(err.Error(), "yaml: ")), " "))
	}
	for i := range all.Sources {
		if err := all.Sources[i].check(); err != nil {
			return nil, fmt.Errorf("%s: source %d (%s): %w", file, i+1, all.Sources[i].Name, err)
		}
	}
	if len(all.Sources) == 0 {
		return nil, fmt.Errorf("%s: no sources", file)
	}
	return all.Sources, nil
}

func (s *Source) check() (err error) {
	if s.Name == "" || s.URL == "" {
		return errors.New("want a name and a url")
	}
	if s.asset, err = table.Asset(s.Asset); err != nil {
		return fmt.Errorf("asset: %w", err)
	}
	if s.Format == "csv" {
		return nil
	}
	units := map[string]bool{"s": true, "ms": true, "day": true, "rfc3339": true}
	switch {
	case s.Format != "json":
		return errors.New("format: want json or csv")
	case s.Time == "" || s.Close == "":
		return errors.New("want time and close: where in a row they stand")
	case !units[s.Unit]:
		return errors.New("unit: want s, ms, day or rfc3339")
	case s.Stamps != "open" && s.Stamps != "close":
		return errors.New("stamps: want open or close, as a bar's price is that of its close")
	case s.Bar == "":
		return errors.New("bar: want the length of bars, such as 1d")
	}
	s.bar, err = table.Interval(s.Bar)
	return err
}

// Options say where answers are kept, and by which clock they are old.
type Options struct {
	Folder string // made if missing
	Now    func() time.Time
	Log    func(string)
	// Patience is how long a source may fail before that is an error; a minute by default.
	Patience time.Duration
}

// Fetch gives the prices of a source between two moments, as the source answers: from what is
// kept, or by asking.
func (s *Source) Fetch(ctx context.Context, from, to int64, o Options) ([]price.Quote, error) {
	target := s.target(from, to)
	sum := sha256.Sum256([]byte(s.Format + "\n" + target))
	kept := filepath.Join(o.Folder, hex.EncodeToString(sum[:16]))
	if body, err := os.ReadFile(kept); err == nil {
		quotes, err := s.read(body)
		if err != nil {
			return nil, fmt.Errorf("%s, as kept in %s (delete it to ask again): %w", s.Name, kept, err)
		}
		return quotes, nil
	}
	body, err := s.ask(ctx, target, o)
	if err != nil {
		return nil, fmt.Errorf("prices of %s: %w", s.Name, err)
	}
	quotes, err := s.read(body)
	if err != nil {
		return nil, fmt.Errorf("prices of %s: %w", s.Name, err)
	}
	if o.Now().Unix()-to < price.Day { // the last bar may not have closed yet
		return quotes, nil
	}
	return quotes, keep(o.Folder, kept, body)
}

func (s *Source) target(from, to int64) string {
	day := func(unix int64) string { return time.Unix(unix, 0).UTC().Format("2006-01-02") }
	number := func(n int64) string { return strconv.FormatInt(n, 10) }
	return strings.NewReplacer(
		"{from}", number(from), "{to}", number(to), "{from_ms}", number(from*1000), "{to_ms}", number(to*1000), "{from_day}", day(from), "{to_day}", day(to),
	).Replace(s.URL)
}

func (s *Source) ask(ctx context.Context, target string, o Options) ([]byte, error) {
	patience := o.Patience
	if patience == 0 {
		patience = time.Minute
	}
	client, err := jsonrpc.New(jsonrpc.Options{URL: target, Every: s.Every, Patience: patience, MaxBytes: mostAnswer, AtOnce: 1, Now: o.Now, Log: o.Log})
	if err != nil {
		return nil, err
	}
	defer client.Close()
	return client.Get(ctx, "", nil, func([]byte) error { return nil })
}

// keep writes an answer whole or not at all.
func keep(folder, name string, body []byte) error {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(folder, "fetched-")
	if err != nil {
		return err
	}
	_, err = f.Write(body)
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return os.Rename(f.Name(), name)
}
