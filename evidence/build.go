package evidence

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"coldtrail/attribution/label"
	"coldtrail/evidence/bundle"
	"coldtrail/evidence/slice"
	"coldtrail/ledger"
	"coldtrail/store"
	"coldtrail/taint"
	"coldtrail/trace"
)

// ErrReplay says that the facts that were recorded do not give the same answer: a defect
// of ours.
var ErrReplay = errors.New("the bundle's own facts do not give the answer again; nothing was written, please report this")

// builder makes one bundle.
type builder struct {
	options  Options
	from     store.Questions
	recorder *slice.Recorder
	stops    *stops
	cases    []*trace.Case
	result   *trace.Result
	files    []bundle.File
	state    Statement
}

// Build traces cases over a store and writes the bundle. The same basis gives the same
// bytes.
func Build(ctx context.Context, w io.Writer, from store.Questions, cases []CaseFile, options Options) (*Statement, error) {
	b := &builder{options: options, from: from, recorder: slice.Record(from), stops: newStops()}
	for i := range cases {
		c, err := trace.ParseCase(cases[i].Name, bytes.NewReader(cases[i].Text))
		if err != nil {
			return nil, err
		}
		b.cases = append(b.cases, c)
		b.state.Cases = append(b.state.Cases, caseFile(i))
		b.add(caseFile(i), cases[i].Text)
	}
	if err := b.trace(ctx); err != nil {
		return nil, err
	}
	if err := b.checkSources(); err != nil {
		return nil, err
	}
	if err := b.write(ctx); err != nil {
		return nil, err
	}
	return &b.state, bundle.Write(w, &b.state, b.files)
}

// checkSources refuses a source that proves nothing of this answer: somebody would believe
// that it did.
func (b *builder) checkSources() error {
	sources := slices.Concat(sortedKeys(b.options.Bitcoin), sortedKeys(b.options.Ethereum))
	for _, chain := range sources {
		if f := b.recorder.Chains[chain]; f == nil || len(f.Transactions)+len(f.Movements) == 0 {
			return fmt.Errorf("the trace asked for no transaction of %s; leave its source of proofs out", chain.Short())
		}
	}
	return nil
}

func (b *builder) add(name string, content []byte) {
	b.files = append(b.files, bundle.File{Name: name, Content: content})
}

// trace traces while everything that is asked is recorded, and again over the record.
func (b *builder) trace(ctx context.Context) error {
	o := b.options.Trace
	o.Mode, o.Flows = trace.Targeted, true
	if o.Method == nil {
		o.Method = taint.FIFO
	}
	recording := o
	b.stops.record(&recording)
	var err error
	if b.result, err = trace.Run(ctx, b.recorder, b.cases, recording); err != nil {
		return err
	}
	if err := b.recorder.Complete(ctx); err != nil {
		return err
	}
	b.stops.replay(&o)
	again, err := trace.Run(ctx, b.recorder.Questions(), b.cases, o)
	if err != nil || again.Digest != b.result.Digest {
		return errors.Join(ErrReplay, err)
	}
	b.state.Case, b.state.Method, b.state.Digest, b.state.Basis, b.state.Tool = b.result.Case, b.result.Method, b.result.Digest, b.result.Basis, b.options.Tool
	b.state.Parameters = parametersOf(&o)
	return nil
}

func parametersOf(o *trace.Options) Parameters {
	p := Parameters{Crossings: o.Crossings, Labels: o.LabelRevision, Conclusions: o.Conclusions}
	if o.Fees == taint.FeesFollow {
		p.Fees = follow
	}
	if o.CoinJoins == trace.CoinJoinsFollow {
		p.CoinJoins = follow
	}
	if !o.AsOf.IsZero() {
		p.AsOf = o.AsOf.UTC().Format(time.RFC3339)
	}
	return p
}

const follow = "follow"

// write fills the bundle.
func (b *builder) write(ctx context.Context) error {
	result, err := bundle.Canonical(b.result)
	if err != nil {
		return err
	}
	b.add(resultFile, append(result, '\n'))
	if err := b.addLines(flowsFile, func() ([]byte, error) { return lines(b.result.Flows()) }); err != nil {
		return err
	}
	if err := b.addLines(decisionsFile, func() ([]byte, error) { return lines(decisions(b.cases)) }); err != nil {
		return err
	}
	if err := b.addLabels(ctx); err != nil {
		return err
	}
	for _, chain := range b.recorder.Names() {
		if err := b.addProof(ctx, chain); err != nil {
			return fmt.Errorf("proofs of %s: %w", chain.Short(), err)
		}
	}
	ledgers, err := b.recorder.Write(slice.Notations(b.options.Trace.Notations))
	if err != nil {
		return err
	}
	for i := range ledgers {
		b.add(ledgers[i].Name, ledgers[i].Content)
	}
	slices.SortFunc(b.files, func(x, y bundle.File) int { return cmp.Compare(x.Name, y.Name) })
	return nil
}

// addLines adds a file of rows, where there are any.
func (b *builder) addLines(name string, write func() ([]byte, error)) error {
	text, err := write()
	if err == nil && len(text) > 0 {
		b.add(name, text)
	}
	return err
}

func (b *builder) addLabels(ctx context.Context) error {
	rows, sources, err := b.stops.rows(b.options.Trace.Notations)
	if err != nil {
		return err
	}
	claims, err := b.claims(ctx, sources)
	if err != nil {
		return err
	}
	var cuts []label.Claim
	for _, chain := range b.recorder.Names() {
		if b.options.Cuts == nil {
			break
		}
		list, err := b.options.Cuts(ctx, chain)
		if err != nil {
			return err
		}
		for i := range list {
			cuts = append(cuts, withoutFolder(list[i]))
		}
	}
	for name, write := range map[string]func() ([]byte, error){
		stopsFile: func() ([]byte, error) { return lines(rows) }, sourcesFile: func() ([]byte, error) { return lines(sources) },
		claimsFile: func() ([]byte, error) { return lines(claims) }, cutsFile: func() ([]byte, error) { return lines(cuts) },
	} {
		if err := b.addLines(name, write); err != nil {
			return err
		}
	}
	return nil
}

// claims gives the claims that the sources name, whole.
func (b *builder) claims(ctx context.Context, sources []trace.Source) (list []label.Claim, err error) {
	seen := map[string]bool{}
	for i := range sources {
		s := &sources[i]
		if seen[s.Claim] || b.options.Claims == nil {
			continue
		}
		seen[s.Claim] = true
		claims, err := b.options.Claims(ctx, ledger.Chain(s.Chain), s.About)
		if err != nil {
			return nil, err
		}
		at := slices.IndexFunc(claims, func(c label.Claim) bool { return c.ID().String() == s.Claim })
		if at < 0 {
			return nil, fmt.Errorf("the store has no claim %s about %s, which a label rests on", s.Claim, s.About)
		}
		list = append(list, withoutFolder(claims[at]))
	}
	return list, nil
}

// withoutFolder leaves of where a claim was read the name of the file alone: its folder is
// of somebody's machine, and says nothing to others.
func withoutFolder(c label.Claim) label.Claim {
	if at := strings.LastIndexAny(c.File, `/\`); at >= 0 {
		c.File = c.File[at+1:]
	}
	return c
}
