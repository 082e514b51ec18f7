package archive

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	"coldtrail/ledger"
	"coldtrail/store"
)

// What one durable step of a store takes at most.
const (
	appendTxs  = 16_384
	appendCost = 64 << 20 // bytes of rows
)

// Read brings an archive into a store. Each file is checked against its digest before it
// is used, blocks go in by their order, and what the store then holds must have the
// content that the manifest states; that is a *ContentError otherwise. After an error
// blocks that went in stay: the same call again goes on.
func Read(ctx context.Context, dir string, into Target, o Options) (*Summary, error) {
	m, err := readManifest(dir)
	if err != nil {
		return nil, err
	}
	for _, name := range o.Beside {
		if err := m.checkBeside(dir, name); err != nil {
			return nil, err
		}
	}
	if err := m.only(o.Chains); err != nil {
		return nil, err
	}
	r := &reading{dir: dir, into: into, bar: progress{total: m.Labels.Claims, tell: o.Progress}}
	for i := range m.Chains {
		r.bar.total += m.Chains[i].Blocks
	}
	for i := range m.Chains {
		if err := r.chain(ctx, m, &m.Chains[i]); err != nil {
			return nil, err
		}
	}
	s := summaryOf(m)
	if s.Others, err = r.labels(ctx, &m.Labels); err != nil {
		return nil, err
	}
	return s, r.compare(ctx, m)
}

// Has says whether an archive says that a file stands beside it.
func Has(dir, name string) (bool, error) {
	m, err := readManifest(dir)
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(m.Beside, func(f File) bool { return f.Path == name }), nil
}

// checkBeside wants a file that stands beside to be what it was.
func (m *Manifest) checkBeside(dir, name string) error {
	at := slices.IndexFunc(m.Beside, func(f File) bool { return f.Path == name })
	if at < 0 {
		return &Error{File: name, Reason: "the archive has no such file"}
	}
	f, err := besideFile(dir, name)
	if errors.Is(err, os.ErrNotExist) {
		return &Error{File: name, Reason: "the file is missing"}
	}
	if err == nil && f != m.Beside[at] {
		err = &Error{File: name, Reason: "it is not the file that was written: its SHA-256 is another than the manifest's"}
	}
	return err
}

// only leaves other chains out.
func (m *Manifest) only(chains []ledger.Chain) error {
	if len(chains) == 0 {
		return nil
	}
	for _, chain := range chains {
		if !slices.ContainsFunc(m.Chains, func(c Chain) bool { return c.Chain == chain }) {
			return fmt.Errorf("the archive has no blocks of %s", chain.Short())
		}
	}
	m.Chains = slices.DeleteFunc(m.Chains, func(c Chain) bool { return !slices.Contains(chains, c.Chain) })
	m.Parts = slices.DeleteFunc(m.Parts, func(p Part) bool { return !slices.Contains(chains, p.Chain) })
	return nil
}

// reading is an import under way.
type reading struct {
	dir   string
	into  Target
	bar   progress
	batch []*ledger.Block
	txs   int
	cost  int
}

// chain brings one chain in.
func (r *reading) chain(ctx context.Context, m *Manifest, c *Chain) error {
	var content ledger.Hash
	n := newNotation(c.Chain)
	for i := range m.Parts {
		p := &m.Parts[i]
		if p.Chain != c.Chain {
			continue
		}
		err := readPart(ctx, r.dir, p, n, func(b *ledger.Block, cost int) error {
			content = store.ChainContent(content, b.Height, store.Identity(b))
			return r.add(ctx, b, cost)
		})
		if err == nil && Digest(content) != p.Content {
			err = &ContentError{c.Chain, ledger.Hash(p.Content), content, fmt.Sprintf("the rows of part %d are not what the manifest says of them", p.Number)}
		}
		if err != nil {
			return err
		}
	}
	return r.flush(ctx)
}

// add takes a block, and brings a batch in when it is large enough.
func (r *reading) add(ctx context.Context, b *ledger.Block, cost int) error {
	r.batch = append(r.batch, b)
	r.txs += 1 + len(b.Txs)
	if r.cost += cost; r.txs < appendTxs && r.cost < appendCost {
		return nil
	}
	return r.flush(ctx)
}

func (r *reading) flush(ctx context.Context) error {
	if len(r.batch) == 0 {
		return nil
	}
	if err := r.into.Append(ctx, r.batch); err != nil {
		var link *store.LinkError
		if errors.As(err, &link) {
			err = fmt.Errorf("%w; import into a store that holds nothing else of %s", err, link.Chain.Short())
		}
		return err
	}
	r.bar.add(uint64(len(r.batch)))
	r.batch, r.txs, r.cost = nil, 0, 0
	return nil
}

// labels brings the claims in. It says whether the store holds others too.
func (r *reading) labels(ctx context.Context, l *Labels) (others bool, err error) {
	t := taking{into: r.into, bar: &r.bar}
	for i := range l.Files {
		if err := t.take(ctx, r.dir, &l.Files[i]); err != nil {
			return false, err
		}
	}
	if t.sum.Count != l.Claims || t.sum.String() != l.Revision {
		return false, &Error{File: manifestName, Reason: fmt.Sprintf("the claims are of revision %s, not %s as it says", t.sum.String(), clip(l.Revision))}
	}
	if err := t.flush(ctx); err != nil {
		return false, err
	}
	now, err := r.into.LabelRevision(ctx)
	return now.String() != l.Revision, err
}

// compare wants the store to hold what the archive says.
func (r *reading) compare(ctx context.Context, m *Manifest) error {
	held, err := r.into.Status(ctx)
	if err != nil {
		return err
	}
	for i := range m.Chains {
		c := &m.Chains[i]
		at := slices.IndexFunc(held, func(s store.Status) bool { return s.Chain == c.Chain })
		if at < 0 {
			return &ContentError{c.Chain, ledger.Hash(c.Content), ledger.Hash{}, "the store holds nothing of it after the import"}
		}
		if s := &held[at]; Digest(s.Content) != c.Content {
			return &ContentError{
				c.Chain, ledger.Hash(c.Content), s.Content,
				fmt.Sprintf("the store holds blocks %d to %d, the archive %d to %d; import into a store that holds nothing else of it", s.First, s.Height, c.First, c.Height),
			}
		}
	}
	return nil
}
