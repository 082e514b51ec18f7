package evidence

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"coldtrail/attribution/label"
	"coldtrail/chain/bitcoin"
	"coldtrail/evidence/bundle"
	"coldtrail/evidence/slice"
	"coldtrail/ledger"
	"coldtrail/taint"
	"coldtrail/trace"
)

// Notations finds how a chain's addresses are written.
type Notations func(ledger.Chain) (ledger.Notation, error)

// Held is a bundle that was opened: what a trace over it needs.
type Held struct {
	*Statement

	Result  *trace.Result // as traced again
	slice   *slice.Slice
	stops   *stops
	cases   []*trace.Case
	options trace.Options
}

// verifier checks one bundle.
type verifier struct {
	Report

	bundle    *bundle.Bundle
	notations Notations
	held      Held
}

// The checks, as they are called.
const (
	checkContainer = "container"
	checkStatement = "statement"
	checkFacts     = "facts"
	checkReplay    = "replay"
	checkLabels    = "labels"
	checkProofs    = "proofs"
)

// Verify checks a bundle with nothing but the bundle. What it holds is returned where it
// could be traced again. An error says that it could not be read; whatever is wrong with
// it is in the report.
func Verify(ctx context.Context, from io.ReaderAt, size int64, notations Notations) (*Report, *Held, error) {
	v := &verifier{notations: notations}
	err := v.run(ctx, from, size)
	v.settle()
	if err != nil {
		return nil, nil, err
	}
	if v.held.Result == nil {
		return &v.Report, nil, nil
	}
	return &v.Report, &v.held, nil
}

func (v *verifier) run(ctx context.Context, from io.ReaderAt, size int64) error {
	if ok, err := v.open(from, size); err != nil || !ok {
		return err
	}
	if !v.readStatement() || !v.readFacts() {
		return nil
	}
	if err := v.replay(ctx); err != nil {
		return err
	}
	v.checkLabels()
	for i := range v.held.Chains {
		v.checkChain(&v.held.Chains[i])
	}
	v.tellDecisions()
	return nil
}

// open checks the container, byte for byte.
func (v *verifier) open(from io.ReaderAt, size int64) (bool, error) {
	var err error
	var f *bundle.FaultError
	if v.bundle, err = bundle.Open(from, size); errors.As(err, &f) {
		v.wrong(checkContainer, f.File, "%s", f.Reason)
		return false, nil
	} else if err != nil {
		return false, err
	}
	faults, err := v.bundle.Check()
	if err != nil {
		return false, err
	}
	for _, f := range faults {
		v.wrong(checkContainer, f.File, "%s", f.Reason)
	}
	if len(faults) > 0 {
		return false, nil
	}
	v.ok(checkContainer, "%d files, every byte as the manifest says; root %s", len(v.bundle.Files), v.bundle.Root)
	return true, nil
}

// readStatement reads what the bundle says of itself, and the cases.
func (v *verifier) readStatement() bool {
	s := &Statement{}
	decoder := json.NewDecoder(bytes.NewReader(v.bundle.Statement))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(s); err != nil {
		v.wrong(checkStatement, bundle.ManifestName, "%v", err)
		return false
	}
	v.Statement, v.held.Statement = s, s
	if s.Basis.Rules != trace.RulesVersion {
		v.unknown(checkReplay, "the bundle was made by accounting rules %s, this program has %s; use a version with those", s.Basis.Rules, trace.RulesVersion)
		return false
	}
	if err := v.readOptions(s); err != nil {
		v.wrong(checkStatement, bundle.ManifestName, "%v", err)
		return false
	}
	if name, ok := v.stranger(s); ok {
		v.wrong(checkStatement, name, "no bundle of this format has such a file")
		return false
	}
	for _, name := range s.Cases {
		text, err := v.bundle.Content(name)
		if err == nil && text == nil {
			err = errors.New("the bundle has no such file")
		}
		var c *trace.Case
		if err == nil {
			c, err = trace.ParseCase(name, bytes.NewReader(text))
		}
		if err != nil {
			v.wrong(checkStatement, name, "%v", err)
			return false
		}
		v.held.cases = append(v.held.cases, c)
	}
	return true
}

// stranger finds a file that nothing would read: it could say anything to people.
func (v *verifier) stranger(s *Statement) (string, bool) {
	known := map[string]bool{
		resultFile: true, flowsFile: true, stopsFile: true, sourcesFile: true, claimsFile: true, cutsFile: true, decisionsFile: true,
	}
	for i := range s.Cases {
		known[s.Cases[i]] = s.Cases[i] == caseFile(i)
	}
	for i := range s.Chains {
		chain := ledger.Chain(s.Chains[i].Chain)
		for j := range slice.Tables {
			known[slice.FileOf(chain, slice.Tables[j].Name)] = true
		}
		switch s.Chains[i].Proof {
		case proofBitcoin:
			known[proofFile(chain, headersFile)], known[proofFile(chain, transactionsFile)] = true, true
		case proofEthereum:
			known[proofFile(chain, headerLinesFile)], known[proofFile(chain, transactionsFile)] = true, true
		}
	}
	for i := range v.bundle.Files {
		if name := v.bundle.Files[i].Name; !known[name] {
			return name, true
		}
	}
	return "", false
}

func (v *verifier) readOptions(s *Statement) (err error) {
	o, p := &v.held.options, &s.Parameters
	o.Mode, o.Flows, o.Notations, o.Crossings, o.LabelRevision, o.Conclusions = trace.Targeted, true, trace.Notations(v.notations), p.Crossings, p.Labels, p.Conclusions
	o.Subsidy = func(_ ledger.Chain, h ledger.Height) uint64 { return bitcoin.Subsidy(h) }
	if o.Method, err = taint.MethodNamed(s.Method); err != nil {
		return err
	}
	switch p.Fees {
	case follow:
		o.Fees = taint.FeesFollow
	case "":
	default:
		return fmt.Errorf("fees %.20q are not known", p.Fees)
	}
	switch p.CoinJoins {
	case follow:
		o.CoinJoins = trace.CoinJoinsFollow
	case "":
	default:
		return fmt.Errorf("coinjoins %.20q are not known", p.CoinJoins)
	}
	if p.AsOf != "" {
		o.AsOf, err = time.Parse(time.RFC3339, p.AsOf)
	}
	return err
}

// readFacts reads the slice of the ledger and what labels said.
func (v *verifier) readFacts() bool {
	var chains []ledger.Chain
	for i := range v.held.Chains {
		chain, err := ledger.ParseChain(v.held.Chains[i].Chain)
		if err != nil {
			v.wrong(checkStatement, bundle.ManifestName, "%v", err)
			return false
		}
		chains = append(chains, chain)
	}
	var err error
	if v.held.slice, err = slice.Read(chains, v.bundle.Content, slice.Notations(v.notations)); err != nil {
		var row *slice.RowError
		if errors.As(err, &row) {
			v.wrong(checkFacts, row.File, "line %d: %s", row.Line, row.Reason)
		} else {
			v.wrong(checkFacts, "", "%v", err)
		}
		return false
	}
	rows, file, err := rowsOf[stopRow](v.bundle, stopsFile)
	var sources []trace.Source
	if err == nil {
		sources, file, err = rowsOf[trace.Source](v.bundle, sourcesFile)
	}
	if err == nil {
		file = stopsFile
		v.held.stops, err = readStops(rows, sources, v.notations)
	}
	if err != nil {
		v.wrong(checkLabels, file, "%v", err)
		return false
	}
	return true
}

// rowsOf reads a file of rows.
func rowsOf[T any](b *bundle.Bundle, name string) (rows []T, file string, err error) {
	text, err := b.Content(name)
	if err != nil {
		return nil, name, err
	}
	for line := 1; len(text) > 0; line++ {
		one, rest, ok := bytes.Cut(text, []byte("\n"))
		if !ok {
			return nil, name, fmt.Errorf("line %d does not end", line)
		}
		var row T
		decoder := json.NewDecoder(bytes.NewReader(one))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&row); err != nil {
			return nil, name, fmt.Errorf("line %d: %w", line, err)
		}
		rows, text = append(rows, row), rest
	}
	return rows, name, nil
}

// replay traces again over the facts of the bundle, and compares every byte.
func (v *verifier) replay(ctx context.Context) error {
	result, err := v.held.trace(ctx)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		v.wrong(checkReplay, "", "%v", err)
		return nil
	case result.Digest != v.held.Digest:
		v.wrong(checkReplay, "", "the facts of the bundle give digest %s, it states %s", result.Digest, v.held.Digest)
		return nil
	}
	text, err := bundle.Canonical(result)
	if err != nil {
		return err
	}
	v.compare(resultFile, append(text, '\n'))
	if text, err = lines(result.Flows()); err != nil {
		return err
	}
	v.compare(flowsFile, text)
	v.held.Result = result
	v.ok(checkReplay, "traced again from the bundle alone: digest %s, as stated", result.Digest)
	return nil
}

// trace traces over the bundle. Facts that somebody made up can break what holds of every
// store; that is an error here.
func (h *Held) trace(ctx context.Context) (result *trace.Result, err error) {
	defer func() {
		if broken := recover(); broken != nil {
			err = fmt.Errorf("the facts of the bundle do not fit together: %v", broken)
		}
	}()
	o := h.options
	h.stops.replay(&o)
	return trace.Run(ctx, h.slice.Questions(), h.cases, o)
}

// compare wants a file to be what it must be.
func (v *verifier) compare(name string, want []byte) {
	got, err := v.bundle.Content(name)
	if err == nil && !bytes.Equal(got, want) {
		err = errors.New("it is not what the facts of the bundle give")
	}
	if err != nil {
		v.wrong(checkReplay, name, "%v", err)
	}
}

// checkLabels compares what labels said with the claims that they name.
func (v *verifier) checkLabels() {
	claims, file, err := rowsOf[label.Claim](v.bundle, claimsFile)
	if err == nil {
		_, file, err = rowsOf[label.Claim](v.bundle, cutsFile)
	}
	if err != nil {
		v.wrong(checkLabels, file, "%v", err)
		return
	}
	byID := map[string]*label.Claim{}
	for i := range claims {
		byID[claims[i].ID().String()] = &claims[i]
	}
	for _, s := range v.held.stops.sources {
		c := byID[s.Claim]
		if c == nil {
			v.rests(s.Chain, "a label at "+s.Address+" of which the claim is not in the bundle", 1, s.By)
			continue
		}
		if c.Subject.Address != s.About || c.Label != s.Label || c.By != s.By || c.Source != s.Source || c.Score != s.Confidence {
			v.wrong(checkLabels, sourcesFile, "claim %s does not say what is said of %s", s.Claim, s.Address)
		}
	}
	v.ok(checkLabels, "%d stops, %d claims with their sources, each with the identifier that its words give", len(v.held.stops.terminals), len(claims))
}

// tellDecisions lists what people assert.
func (v *verifier) tellDecisions() {
	v.Decisions = decisions(v.held.cases)
	text, err := lines(v.Decisions)
	if err == nil {
		v.compare(decisionsFile, text)
	}
	v.rests("", "what analysts assert in the case files, listed as decisions", len(v.Decisions), "those who are named there")
	byWhom := map[string]int{}
	for _, s := range v.held.stops.sources {
		byWhom[s.By]++
	}
	for _, by := range sortedKeys(byWhom) {
		v.rests("", "who keeps the books at addresses where value ended", byWhom[by], "labels by "+by)
	}
}
