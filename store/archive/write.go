package archive

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"coldtrail/ledger"
	"coldtrail/store"
)

// Write writes what a store holds into a folder, which must be empty or not there yet.
// The store must not change meanwhile. A block that
// the layout cannot give back is a *BlockError. After an error the parts that are whole
// stay: the same call with Options.Resume goes on behind them.
func Write(ctx context.Context, from Source, dir string, o Options) (*Summary, error) {
	held, err := statuses(ctx, from, o.Chains)
	if err != nil {
		return nil, err
	}
	labels, err := from.LabelRevision(ctx)
	if err != nil {
		return nil, err
	}
	j, err := begin(dir, &o)
	if err != nil {
		return nil, err
	}
	w := &writing{from: from, dir: dir, journal: j, bar: progress{total: labels.Count, tell: o.Progress}}
	for i := range held {
		w.bar.total += held[i].Blocks
	}
	manifest, err := w.all(ctx, held, labels.String(), o.Aside)
	if err != nil {
		return nil, errors.Join(err, w.abandon())
	}
	text, err := json.MarshalIndent(manifest, "", " ")
	if err == nil {
		err = writeWhole(filepath.Join(dir, manifestName), append(text, '\n'))
	}
	if err = errors.Join(err, os.RemoveAll(filepath.Join(dir, scratchName)), j.remove()); err != nil {
		return nil, err
	}
	s := summaryOf(manifest)
	s.Kept = w.kept
	return s, nil
}

// statuses are those of the chains asked for.
func statuses(ctx context.Context, from store.Reader, chains []ledger.Chain) ([]store.Status, error) {
	all, err := from.Status(ctx)
	if err != nil || len(chains) == 0 {
		return all, err
	}
	var held []store.Status
	for i := range all {
		if slices.Contains(chains, all[i].Chain) {
			held = append(held, all[i])
		}
	}
	for _, chain := range chains {
		if !slices.ContainsFunc(held, func(s store.Status) bool { return s.Chain == chain }) {
			return nil, fmt.Errorf("%s: %w", chain.Short(), store.ErrUnknownChain)
		}
	}
	return held, nil
}

// summaryOf adds up what a manifest says.
func summaryOf(m *Manifest) *Summary {
	s := &Summary{Chains: m.Chains, Claims: m.Labels.Claims, Labels: m.Labels.Revision}
	count := func(files []File) {
		for i := range files {
			s.Files++
			s.Rows += files[i].Rows
			s.Bytes += files[i].Bytes
		}
	}
	for i := range m.Parts {
		count(m.Parts[i].Files)
	}
	count(m.Labels.Files)
	return s
}

// writing is an export under way.
type writing struct {
	from    Source
	dir     string
	journal *journal
	at      int // parts that are kept or written
	kept    int
	bar     progress
	part    *partWriter
	claims  *claimWriter
	rows    blockRows
}

func (w *writing) abandon() (err error) {
	if w.part != nil {
		err = w.part.abandon()
	}
	if w.claims != nil {
		err = errors.Join(err, w.claims.sheet.abandon())
	}
	return errors.Join(err, w.journal.file.Close(), os.RemoveAll(filepath.Join(w.dir, scratchName)))
}

func (w *writing) all(ctx context.Context, held []store.Status, revision string, aside func() ([]string, error)) (*Manifest, error) {
	m := &Manifest{Format: formatName, Version: Version, Chains: []Chain{}}
	for i := range held {
		s := &held[i]
		if !chainName(s.Chain) {
			return nil, fmt.Errorf("the store holds %q, which is no chain (CAIP-2)", s.Chain)
		}
		m.Chains = append(m.Chains, Chain{s.Chain, s.First, s.Height, s.Blocks, s.Txs, Digest(s.Content)})
		if err := w.chain(ctx, s); err != nil {
			return nil, err
		}
	}
	var err error
	if m.Labels, err = w.labels(ctx, revision); err != nil {
		return nil, err
	}
	var beside []string
	if aside != nil {
		if beside, err = aside(); err != nil {
			return nil, err
		}
	}
	for _, name := range beside {
		f, err := besideFile(w.dir, name)
		if err != nil {
			return nil, err
		}
		m.Beside = append(m.Beside, f)
	}
	m.Parts = w.journal.parts
	return m, m.check()
}

// besideFile describes a file that stands beside.
func besideFile(dir, name string) (File, error) {
	if !besideName(name) {
		return File{}, fmt.Errorf("%q cannot stand beside an archive", name)
	}
	file, err := os.Open(filepath.Join(dir, filepath.FromSlash(name)))
	if err != nil {
		return File{}, err
	}
	defer file.Close()
	f := File{Path: name}
	sum, n, err := digestOf(file)
	f.SHA256, f.Bytes = sum, uint64(n)
	return f, err
}

// chain writes one chain: what is not among the parts that are kept.
func (w *writing) chain(ctx context.Context, s *store.Status) error {
	next, content, err := w.keep(ctx, s)
	if err != nil {
		return err
	}
	n := newNotation(s.Chain)
	if next <= s.Height {
		for b, err := range w.blocksOf(ctx, s.Chain, next, s.Height) {
			if err != nil {
				return err
			}
			if err := w.rows.fill(n, b); err != nil {
				return &BlockError{s.Chain, b.Height, err.Error()}
			}
			content = store.ChainContent(content, b.Height, store.Identity(b))
			if err := w.block(ctx, s.Chain, content); err != nil {
				return err
			}
		}
		if err := w.flush(); err != nil {
			return err
		}
	}
	if content != s.Content {
		return &ContentError{s.Chain, s.Content, content, "what the store answers is not all that its blocks said, so an archive would lose it"}
	}
	return nil
}

// block writes the rows of a block.
func (w *writing) block(ctx context.Context, chain ledger.Chain, content ledger.Hash) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if w.part == nil {
		w.part = newPart(w.dir, len(w.journal.parts), chain)
	}
	if err := w.part.add(&w.rows); err != nil {
		return err
	}
	w.part.part.Content = Digest(content)
	w.bar.add(1)
	if w.part.full() {
		return w.flush()
	}
	return nil
}

// flush completes the part.
func (w *writing) flush() error {
	if w.part == nil {
		return nil
	}
	p, err := w.part.finish()
	if err != nil {
		return err
	}
	w.part = nil
	w.at++
	return w.journal.add(p)
}

// keep finds the parts of a chain that are whole and still what the store holds. It
// gives the height behind them and the content up to there.
func (w *writing) keep(ctx context.Context, s *store.Status) (next ledger.Height, content ledger.Hash, err error) {
	next = s.First
	for w.at < len(w.journal.parts) {
		p := &w.journal.parts[w.at]
		if p.Chain != s.Chain || p.First < next || p.Last > s.Height || (next == s.First) != (p.First == s.First) || !p.whole(w.dir) {
			break
		}
		now, err := w.contentOf(ctx, s.Chain, next, p.Last, content)
		if err != nil {
			return 0, content, err
		}
		if now != ledger.Hash(p.Content) {
			break
		}
		content, next = now, p.Last+1
		w.bar.add(p.Blocks)
		w.at++
		w.kept++
		if p.Last == s.Height {
			return next, content, nil
		}
	}
	// Whatever follows in the journal is not of use: it is written again.
	return next, content, w.journal.keep(w.at)
}

// contentOf works out a chain's content over a range of heights. Where blocks have
// hashes these suffice.
func (w *writing) contentOf(ctx context.Context, chain ledger.Chain, first, last ledger.Height, content ledger.Hash) (ledger.Hash, error) {
	hashed, now := true, content
	for h, err := range w.from.Headers(ctx, chain, first) {
		if err != nil {
			return now, err
		}
		if h.Height > last {
			break
		}
		if hashed = !h.Hash.IsZero(); !hashed {
			break
		}
		now = store.ChainContent(now, h.Height, h.Hash)
	}
	if hashed {
		return now, nil
	}
	now = content
	for b, err := range w.blocksOf(ctx, chain, first, last) {
		if err != nil {
			return now, err
		}
		now = store.ChainContent(now, b.Height, store.Identity(b))
	}
	return now, nil
}

// whole says whether all files of a part are there as they were written.
func (p *Part) whole(dir string) bool {
	for i := range p.Files {
		file, err := os.Open(filepath.Join(dir, filepath.FromSlash(p.Files[i].Path)))
		if err != nil {
			return false
		}
		sum, n, err := digestOf(file)
		_ = file.Close() // it was only read
		if err != nil || sum != p.Files[i].SHA256 || uint64(n) != p.Files[i].Bytes {
			return false
		}
	}
	return true
}

// digestOf reads a file to its end.
func digestOf(r io.Reader) (Digest, int64, error) {
	sum := newSum()
	n, err := io.Copy(sum, r)
	return Digest(sum.Sum(nil)), n, err
}
