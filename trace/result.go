package trace

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"coldtrail/ledger"
	"coldtrail/store"
	"coldtrail/taint"
)

// Result is the answer of a trace, in the shape of `trace --json`. Amounts and
// origins are decimal strings of base units, certainties basis points.
// docs/formats/trace-json.md describes every key.
type Result struct {
	Case         string             `json:"case"`
	Method       string             `json:"method"`
	Note         string             `json:"note,omitempty"` // what the method does not claim
	Basis        Basis              `json:"basis"`
	Colours      []Colour           `json:"colours"`
	Summary      map[string]Summary `json:"summary"`
	Dispositions []Disposition      `json:"dispositions"`
	Crossings    []Crossing         `json:"crossings"`
	Swaps        []Swap             `json:"swaps"`
	// Candidates are payouts of opaque services that may answer tainted deposits.
	Candidates []Candidate `json:"candidates,omitempty"`
	// Labels are the claims by which dispositions name somebody.
	Labels []Source `json:"labels,omitempty"`
	// FactOnly is the same answer without analysts' links, where there are any.
	FactOnly  *FactOnly `json:"fact_only,omitempty"`
	Anomalies []Anomaly `json:"anomalies"`
	Digest    string    `json:"digest"`

	flows   []Flow
	reached []Reached
	work    Work
}

// Source is what says who keeps the books at an address.
type Source struct {
	Chain         string `json:"chain"`
	Address       string `json:"address"`
	Entity        string `json:"entity"`
	Claim         string `json:"claim"` // its identifier among the labels
	About         string `json:"about"` // the address that it is about
	Label         string `json:"label"`
	Category      string `json:"category,omitempty"`
	By            string `json:"by"`
	Source        string `json:"source,omitempty"`
	Confidence    uint8  `json:"confidence"` // of the source, 0 to 100
	Jurisdictions string `json:"jurisdictions,omitempty"`
	// Rule ties the address to the one that the claim is about, where that is another.
	Rule string `json:"rule,omitempty"`
}

// Work is how much tainted value a trace moved, for measuring.
type Work struct {
	Spent uint64 // tainted holdings that were drawn from
	Made  uint64 // places that tainted lots reached
}

// Work tells how much the trace had to do.
func (r *Result) Work() Work { return r.work }

// Basis names everything a result rests on.
type Basis struct {
	Heads  map[string]Head `json:"heads"`
	Labels string          `json:"labels"`
	Rules  string          `json:"rules"`
	Cases  string          `json:"cases"` // digest of the case files' content
	Fees   string          `json:"fees,omitempty"`
	// Conclusions names the rules by which addresses were given to services that no label
	// gives them to.
	Conclusions string `json:"conclusions,omitempty"`
	// CoinJoins is "follow" where coinjoins were followed as any transaction.
	CoinJoins string `json:"coinjoins,omitempty"`
	Weakest   string `json:"weakest"`
	// InternalUnknown lists chains on which a transaction that mattered ran a
	// contract without a trace: native value it moved is not in the answer.
	InternalUnknown []string `json:"internal_value_unknown,omitempty"`
}

// Head is the last block that counted. Content stands in for the hash where the
// source gave none.
type Head struct {
	Height  uint64 `json:"height"`
	Hash    string `json:"hash"`
	Content string `json:"content,omitempty"`
}

// Colour is one stolen asset and how much of it was stolen. Already is what the
// theft took that an earlier one had stolen before, by colour.
type Colour struct {
	Colour  string            `json:"colour"`
	Chain   string            `json:"chain"`
	Asset   string            `json:"asset"`
	Stolen  string            `json:"stolen"`
	Already map[string]string `json:"already_stolen,omitempty"`
}

// Summary is the headline of a colour, in basis points of what was stolen.
type Summary struct {
	Traceable uint64 `json:"traceable_bp"`
	Dark      uint64 `json:"dark_bp"`
	Frozen    uint64 `json:"frozen_bp"`
}

// Disposition is where lots ended, merged per colour, kind, chain, asset, place
// and certainty.
type Disposition struct {
	Colour    string `json:"colour"`
	Kind      string `json:"kind"`
	Chain     string `json:"chain"`
	Asset     string `json:"asset"`
	At        string `json:"at"`
	Address   string `json:"address"`
	Entity    string `json:"entity"`
	Amount    string `json:"amount"`
	Origin    string `json:"origin"`
	Certainty uint32 `json:"certainty_bp"`
	By        string `json:"by,omitempty"`
	Hops      uint32 `json:"hops"`
	First     string `json:"first"`
	Last      string `json:"last"`

	origin ledger.Amount
}

// Compare orders dispositions by how much of the stolen asset they stand for.
func (d *Disposition) Compare(other *Disposition) int {
	return cmp.Or(d.origin.Cmp(&other.origin), compareDecimals(d.Amount, other.Amount))
}

// compareDecimals compares decimal strings without leading zeros.
func compareDecimals(a, b string) int {
	return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b))
}

// FactOnly is the answer that rests on chain data alone.
type FactOnly struct {
	Summary      map[string]Summary `json:"summary"`
	Dispositions []Disposition      `json:"dispositions"`
}

// Crossing is value that left one place and came out at another.
type Crossing struct {
	Protocol  string `json:"protocol"`
	In        Side   `json:"in"`
	Out       []Side `json:"out"`
	Certainty uint32 `json:"certainty_bp"`
	Evidence  string `json:"evidence"`
	// Status is in-transit, paid, refunded or partly-refunded; Reason says why
	// nothing followed. Destination is what the deposit asked for.
	Status      string `json:"status,omitempty"`
	Reason      string `json:"reason,omitempty"`
	Destination string `json:"destination,omitempty"`
	Through     string `json:"through,omitempty"` // the aggregator before the bridge
}

// Side is one end of a crossing.
type Side struct {
	Chain     string   `json:"chain"`
	Asset     string   `json:"asset"`
	Amount    string   `json:"amount"`
	Addresses []string `json:"addresses"`
	Into      string   `json:"into,omitempty"`    // the vault, pool or contract that took it
	Tainted   string   `json:"tainted,omitempty"` // the part of Amount that is tainted
	Kind      string   `json:"kind,omitempty"`    // "refund", or nothing
	Tx        string   `json:"tx,omitempty"`
	Time      string   `json:"time,omitempty"`
}

// Anomaly is something that did not add up, with its transaction.
type Anomaly struct {
	Kind    string `json:"kind"`
	Chain   string `json:"chain"`
	Height  uint64 `json:"height"`
	Tx      string `json:"tx"`
	At      string `json:"at"`
	Asset   string `json:"asset"`
	Amount  string `json:"amount"`
	Detail  string `json:"detail"`
	Address string `json:"address,omitempty"`
}

func (p *plan) method() *taint.Method { return p.options.Method }

// result turns two passes, without and with links, into the answer.
func (p *plan) result(ctx context.Context, facts, final *record) (*Result, error) {
	names := newNames(p)
	result := &Result{work: final.work, Method: p.method().Name, Basis: p.basis(), Crossings: []Crossing{}, Anomalies: []Anomaly{}}
	if !p.method().Conserves {
		result.Note = "an upper bound for screening: amounts overlap, nothing is conserved, origins are not claimed"
	}
	ids := make([]string, len(p.cases))
	for i, c := range p.cases {
		ids[i] = c.Name
	}
	result.Case = strings.Join(ids, "+")
	if final.reach != nil {
		result.reached = final.reachedRows(p.palette)
	}
	var err error
	if result.Dispositions, err = final.dispositions(ctx, names); err != nil {
		return nil, err
	}
	if result.Colours, err = p.checkConserved(final, result.Dispositions); err != nil {
		return nil, err
	}
	result.Summary = p.summaries(final, result.Dispositions)
	result.Labels = p.sources(result.Dispositions)
	result.Crossings = append(result.Crossings, final.crossingRows(names)...)
	result.Candidates = final.candidateRows(names)
	if final != facts {
		only := &FactOnly{}
		if only.Dispositions, err = facts.dispositions(ctx, names); err != nil {
			return nil, err
		}
		if _, err = p.checkConserved(facts, only.Dispositions); err != nil {
			return nil, err
		}
		only.Summary = p.summaries(facts, only.Dispositions)
		result.FactOnly = only
		for i := range facts.anomalies { // what the facts lack, links or not
			final.Found(facts.anomalies[i])
		}
		slices.SortStableFunc(final.anomalies, compareAnomalies)
		for i := range p.links {
			result.Crossings = append(result.Crossings, p.links[i].crossing(&final.deposits[i]))
		}
	}
	if result.Anomalies, err = final.anomalyRows(ctx, names); err != nil {
		return nil, err
	}
	if result.Swaps, err = final.swapRows(ctx, names); err != nil {
		return nil, err
	}
	result.Basis.InternalUnknown = final.internalUnknown()
	if p.options.Flows {
		if err := result.describeFlows(ctx, final, names); err != nil {
			return nil, err
		}
	}
	result.Digest, err = digest(result)
	return result, err
}

// sources lists what says who keeps the books where value ended, by chain and address.
func (p *plan) sources(rows []Disposition) (list []Source) {
	if p.options.Sources == nil {
		return nil
	}
	seen := map[string]bool{}
	for i := range rows {
		d := &rows[i]
		if key := d.Chain + " " + d.Address; d.Entity != "" && !seen[key] {
			seen[key] = true
			if source, ok := p.options.Sources(ledger.Chain(d.Chain), d.Address); ok {
				list = append(list, source)
			}
		}
	}
	slices.SortFunc(list, func(a, b Source) int { return cmp.Or(cmp.Compare(a.Chain, b.Chain), cmp.Compare(a.Address, b.Address)) })
	return list
}

// internalUnknown lists the chains whose internal value mattered and is not known.
func (r *record) internalUnknown() (chains []string) {
	for _, c := range r.plan.chains {
		if r.external[c.chain] {
			chains = append(chains, string(c.chain))
		}
	}
	return chains
}

func (p *plan) basis() Basis {
	b := Basis{
		Heads: map[string]Head{}, Labels: p.options.LabelRevision, Rules: RulesVersion, Cases: CaseDigest(p.cases), Conclusions: p.options.Conclusions,
	}
	if b.Labels == "" {
		sum := sha256.Sum256(nil)
		b.Labels = "sha256:" + hex.EncodeToString(sum[:])
	}
	if p.options.CoinJoins == CoinJoinsFollow {
		b.CoinJoins = "follow"
	}
	if p.rules.Fees == taint.FeesFollow {
		b.Fees = "follow"
	}
	var weakest ledger.Provenance
	for _, c := range p.chains {
		head := Head{Height: uint64(c.to.Height)}
		if !c.to.Hash.IsZero() {
			head.Hash = c.chain.FormatHash(c.to.Hash)
		} else if c.to.Height == c.status.Height {
			head.Content = "sha256:" + c.status.Content.String()
		}
		b.Heads[string(c.chain)] = head
		weakest = ledger.Weakest(weakest, c.status.Weakest)
	}
	b.Weakest = weakest.String()
	return b
}

// CaseDigest is over the parsed content of the cases, so that comments and
// layout do not matter and every asserted fact does.
func CaseDigest(cases []*Case) string {
	h := sha256.New()
	for _, c := range cases {
		text, err := yaml.Marshal(c)
		if err != nil {
			panic(fmt.Sprintf("trace: a case does not marshal: %v", err)) // plain strings and numbers always do
		}
		h.Write(text)
		h.Write([]byte("---\n"))
	}
	return "sha256:" + hex.EncodeToString(h.Sum(nil))
}

// stolen adds up what each colour took.
func (r *record) stolen() map[string]*Colour {
	colours := map[string]*Colour{}
	totals := map[string]*ledger.Amount{}
	already := map[string]map[string]ledger.Amount{}
	for _, c := range r.plan.colours {
		colours[c.name] = &Colour{Colour: c.name, Chain: string(c.chain), Asset: string(c.asset)}
		totals[c.name] = new(ledger.Amount)
		already[c.name] = map[string]ledger.Amount{}
	}
	for i := range r.thefts {
		name := r.plan.palette.Paint(r.thefts[i].Class).Colour
		totals[name].Add(totals[name], &r.thefts[i].Taken)
		for other, amount := range r.thefts[i].Already {
			sum := already[name][other]
			sum.Add(&sum, &amount)
			already[name][other] = sum
		}
	}
	for name, c := range colours {
		c.Stolen = totals[name].Dec()
		for other, amount := range already[name] {
			if c.Already == nil {
				c.Already = map[string]string{}
			}
			c.Already[other] = amount.Dec()
		}
	}
	return colours
}

// checkConserved refuses a result whose origins do not add up to what was stolen.
func (p *plan) checkConserved(r *record, rows []Disposition) ([]Colour, error) {
	stolen := r.stolen()
	sums := map[string]ledger.Amount{}
	for i := range rows {
		sum := sums[rows[i].Colour]
		sum.Add(&sum, &rows[i].origin)
		sums[rows[i].Colour] = sum
	}
	colours := make([]Colour, 0, len(p.colours))
	for _, c := range p.colours {
		sum := sums[c.name]
		if p.method().Conserves && sum.Dec() != stolen[c.name].Stolen {
			return nil, fmt.Errorf("%w (colour %s: stolen %s, accounted for %s)", ErrConservation, c.name, stolen[c.name].Stolen, sum.Dec())
		}
		colours = append(colours, *stolen[c.name])
	}
	return colours, nil
}

// summaries adds up the headline of every colour. Poison claims no origin, so it
// has none.
func (p *plan) summaries(r *record, rows []Disposition) map[string]Summary {
	summaries := map[string]Summary{}
	if !p.method().Conserves {
		return summaries
	}
	stolen := r.stolen()
	for _, c := range p.colours {
		var traceable, dark, frozen ledger.Amount
		for i := range rows {
			if rows[i].Colour != c.name {
				continue
			}
			switch rows[i].Kind {
			case "held", "service", "in-transit":
				traceable.Add(&traceable, &rows[i].origin)
			case "mixer", "dark":
				dark.Add(&dark, &rows[i].origin)
			case "frozen", "recovered":
				frozen.Add(&frozen, &rows[i].origin)
			}
		}
		total, err := ledger.ParseAmount(stolen[c.name].Stolen)
		if err != nil || total.IsZero() {
			summaries[c.name] = Summary{}
			continue
		}
		summaries[c.name] = Summary{basisPoints(&traceable, &total), basisPoints(&dark, &total), basisPoints(&frozen, &total)}
	}
	return summaries
}

func basisPoints(part, total *ledger.Amount) uint64 {
	whole := ledger.NewAmount(taint.Fact)
	var z ledger.Amount
	z.MulDivOverflow(part, &whole, total)
	return z.Uint64()
}

// names prints places of every chain of a plan.
type names struct {
	plan  *plan
	chain map[ledger.Chain]*chainPlan
}

func newNames(p *plan) *names {
	n := &names{plan: p, chain: map[ledger.Chain]*chainPlan{}}
	for _, c := range p.chains {
		n.chain[c.chain] = c
	}
	return n
}

func (n *names) address(chain ledger.Chain, a ledger.Address) string {
	if a.IsZero() {
		return ""
	}
	return n.chain[chain].notation.FormatAddress(a)
}

// txids names transactions of one chain.
func (n *names) txids(ctx context.Context, c *chainPlan, numbers []store.TxNumber) (map[store.TxNumber]string, error) {
	slices.Sort(numbers)
	numbers = slices.Compact(numbers)
	out := make(map[store.TxNumber]string, len(numbers))
	if len(numbers) == 0 {
		return out, nil
	}
	ids, err := n.plan.store.IDs(ctx, c.chain, numbers)
	for i := range ids {
		out[numbers[i]] = c.chain.FormatHash(ids[i])
	}
	return out, err
}

// outputs describes outputs of one chain by number.
func (n *names) outputs(ctx context.Context, c *chainPlan, numbers []store.OutputNumber) (map[uint64]store.Output, error) {
	slices.Sort(numbers)
	numbers = slices.Compact(numbers)
	out := make(map[uint64]store.Output, len(numbers))
	if len(numbers) == 0 {
		return out, nil
	}
	outputs, err := n.plan.store.Outputs(ctx, c.chain, numbers)
	for i := range outputs {
		out[uint64(outputs[i].Number)] = outputs[i]
	}
	return out, err
}

func stamp(unix int64) string { return time.Unix(unix, 0).UTC().Format("2006-01-02T15:04:05Z") }

var errNoPath = errors.New("no such disposition in this result")
