package evidence

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"coldtrail/ledger"
	"coldtrail/taint"
	"coldtrail/trace"
)

// PathReport is what became of a submitted path.
type PathReport struct {
	Claim  string       `json:"claim,omitempty"`
	By     string       `json:"by,omitempty"`
	Valid  bool         `json:"valid"`
	Colour string       `json:"colour"`
	Method string       `json:"method"`
	Digest string       `json:"digest"` // of the trace that it was compared with
	Steps  []StepReport `json:"steps"`
	// Reasons are what is wrong with the path as a whole.
	Reasons []string `json:"reasons,omitempty"`
	// AtMost is how much of what was stolen can have gone this way: the least that any step
	// carries, in base units of the stolen asset; Share the same in basis points.
	AtMost string  `json:"at_most,omitempty"`
	Stolen string  `json:"stolen,omitempty"`
	Share  *uint64 `json:"share_bp,omitempty"`
}

// StepReport is what became of one step.
type StepReport struct {
	Chain   string   `json:"chain"`
	Tx      string   `json:"tx"`
	Valid   bool     `json:"valid"`
	Reasons []string `json:"reasons,omitempty"`
	Time    string   `json:"time,omitempty"`
	Height  uint64   `json:"height,omitempty"`
	Amount  string   `json:"amount,omitempty"` // of the stolen value that it brought on
	Asset   string   `json:"asset,omitempty"`
	Origin  string   `json:"origin,omitempty"` // the same, in base units of the stolen asset
	// Certainty is that of the least certain of it; Link who asserts it, where no
	// transaction shows it.
	Certainty uint32 `json:"certainty_bp,omitempty"`
	Link      string `json:"link,omitempty"`
}

// Holds says whether a transaction is held by what a path is checked against.
type Holds func(ctx context.Context, chain ledger.Chain, id ledger.Hash) (bool, error)

// Holds says whether the bundle names a transaction.
func (h *Held) Holds(_ context.Context, chain ledger.Chain, id ledger.Hash) (bool, error) {
	f := h.slice.Chains[chain]
	if f == nil {
		return false, nil
	}
	_, ok := f.Find(id)
	return ok, nil
}

// CheckPath compares a submitted path with the flows of a trace: each step must take up
// what the one before brought, later than that, and carry stolen value.
func CheckPath(ctx context.Context, s *Submission, result *trace.Result, holds Holds) (*PathReport, error) {
	p := pathCheck{
		report: PathReport{Claim: s.Claim, By: s.By, Colour: s.Colour, Method: result.Method, Digest: result.Digest, Steps: []StepReport{}},
		holds:  holds, flows: map[string][]int{}, all: result.Flows(),
	}
	if err := p.pickColour(result); err != nil {
		return nil, err
	}
	for i := range p.all {
		p.flows[p.all[i].Chain+" "+p.all[i].Tx] = append(p.flows[p.all[i].Chain+" "+p.all[i].Tx], i)
	}
	reached := []trace.FlowEnd{{At: s.From.At, Address: s.From.At}}
	for i := range s.Steps {
		var err error
		if reached, err = p.step(ctx, &s.Steps[i], reached); err != nil {
			return nil, err
		}
	}
	p.end(s, reached)
	p.carried(result)
	return &p.report, nil
}

// pathCheck checks one path.
type pathCheck struct {
	report PathReport
	holds  Holds
	all    []trace.Flow
	flows  map[string][]int // of each transaction
	before int              // the last flow that was taken up
	some   bool
	least  *ledger.Amount
	taken  ledger.Amount // by the step that is checked, of what the one before brought
}

// pickColour finds the colour that the path is about.
func (p *pathCheck) pickColour(result *trace.Result) error {
	if p.report.Colour == "" && len(result.Colours) == 1 {
		p.report.Colour = result.Colours[0].Colour
	}
	i := slices.IndexFunc(result.Colours, func(c trace.Colour) bool { return c.Colour == p.report.Colour })
	if i < 0 {
		var names []string
		for i := range result.Colours {
			names = append(names, result.Colours[i].Colour)
		}
		return fmt.Errorf("colour %q: the path needs one of %s", p.report.Colour, strings.Join(names, ", "))
	}
	p.report.Stolen = result.Colours[i].Stolen
	return nil
}

// step checks a step against the places where the value was, and gives those where it then
// is.
func (p *pathCheck) step(ctx context.Context, s *SubmittedStep, reached []trace.FlowEnd) ([]trace.FlowEnd, error) {
	chain, err := ledger.ParseChain(s.Chain)
	if err != nil {
		return nil, err
	}
	id, err := ledger.ParseHash(s.Tx)
	if err != nil {
		return nil, err
	}
	r := StepReport{Chain: string(chain), Tx: chain.FormatHash(id)}
	defer func() {
		r.Valid = len(r.Reasons) == 0
		p.report.Steps = append(p.report.Steps, r)
	}()
	flows := p.flows[r.Chain+" "+r.Tx]
	if len(flows) == 0 {
		held, err := p.holds(ctx, chain, id)
		if err != nil {
			return nil, err
		}
		reason := "the transaction is not held: nothing can be said of it"
		if held {
			reason = "no stolen value of this case moves in it"
		}
		r.Reasons = append(r.Reasons, reason)
		return nil, nil
	}
	f := &p.all[flows[0]]
	r.Time, r.Height, r.Link = f.Time, f.Height, f.Link
	if s.From != "" {
		reached = slices.DeleteFunc(slices.Clone(reached), func(e trace.FlowEnd) bool { return !isPlace(&e, s.From) })
		if len(reached) == 0 {
			r.Reasons = append(r.Reasons, fmt.Sprintf("it is said to start at %s, where the step before did not end", s.From))
			return nil, nil
		}
	}
	ends := p.take(&r, flows, reached)
	return p.bring(&r, s, ends), nil
}

// take finds what the flows of a transaction take up from places.
func (p *pathCheck) take(r *StepReport, flows []int, reached []trace.FlowEnd) (ends []trace.FlowEnd) {
	late, other := false, false
	last, brought := p.before, reached
	p.taken.Clear()
	for _, i := range flows {
		f := &p.all[i]
		from := slices.ContainsFunc(f.From, func(e trace.FlowEnd) bool { return e.Colour == p.report.Colour && takesUp(&e, reached) }) || p.thieves(f, reached)
		switch {
		case !from:
			other = true
		case p.some && p.earlier(f, i):
			late = true
		default:
			ends = append(ends, f.To...)
			reached = append(slices.Clone(reached), f.To...) // several moves of one transaction
			last = i
			p.count(f, brought)
		}
	}
	switch {
	case len(ends) > 0:
		p.before, p.some = last, true
	case late:
		r.Reasons = append(r.Reasons, "it is earlier than the step before")
	case other:
		r.Reasons = append(r.Reasons, "it does not spend what the step before brought: no value of this colour leaves "+placesOf(reached)+" in it")
	}
	return ends
}

// count adds up what a flow takes of what the step before brought.
func (p *pathCheck) count(f *trace.Flow, brought []trace.FlowEnd) {
	for i := range f.From {
		if e := &f.From[i]; e.Colour == p.report.Colour && takesUp(e, brought) {
			if origin, err := ledger.ParseAmount(e.Origin); err == nil {
				p.taken.Add(&p.taken, &origin)
			}
		}
	}
}

// thieves says whether a flow is the theft itself, to one of the places, or from where it
// is said to begin.
func (p *pathCheck) thieves(f *trace.Flow, reached []trace.FlowEnd) bool {
	return !p.some && len(f.From) == 0 && slices.ContainsFunc(f.To, func(e trace.FlowEnd) bool { return e.Colour == p.report.Colour && takesUp(&e, reached) })
}

// earlier says whether a flow stands before the last one that was taken up: by their order
// on one chain, by the times of blocks on two.
func (p *pathCheck) earlier(f *trace.Flow, i int) bool {
	last := &p.all[p.before]
	if f.Chain == last.Chain && f.Link == "" && last.Link == "" {
		return i <= p.before
	}
	return f.Time < last.Time && f.Link == ""
}

// takesUp says whether an end is one of those that were reached. A place that somebody
// named may be an output or an address, and of any asset.
func takesUp(e *trace.FlowEnd, reached []trace.FlowEnd) bool {
	return slices.ContainsFunc(reached, func(r trace.FlowEnd) bool { return isPlace(e, r.At) && (r.Asset == "" || r.Asset == e.Asset) })
}

// isPlace says whether an end is at an output or an address.
func isPlace(e *trace.FlowEnd, place string) bool {
	if strings.HasPrefix(place, "0x") { // capitals are but a checksum there
		return strings.EqualFold(place, e.At) || strings.EqualFold(place, e.Address)
	}
	return place != "" && (place == e.At || place == e.Address)
}

// placesOf names some of the places.
func placesOf(ends []trace.FlowEnd) string {
	var places []string
	for i := range ends[:min(3, len(ends))] {
		places = append(places, ends[i].At)
	}
	return strings.Join(places, ", ")
}

// bring sums up what a step brought, and gives the places.
func (p *pathCheck) bring(r *StepReport, s *SubmittedStep, ends []trace.FlowEnd) (places []trace.FlowEnd) {
	var amount, origin ledger.Amount
	r.Certainty = taint.Fact
	for i := range ends {
		e := &ends[i]
		if e.Colour != p.report.Colour || s.To != "" && !isPlace(e, s.To) || e.Kind == taint.Fee.String() && s.To == "" {
			continue
		}
		a, err1 := ledger.ParseAmount(e.Amount)
		o, err2 := ledger.ParseAmount(e.Origin)
		if err1 != nil || err2 != nil {
			continue // amounts of our own results are numbers
		}
		amount.Add(&amount, &a)
		origin.Add(&origin, &o)
		r.Asset, r.Certainty = e.Asset, min(r.Certainty, e.Certainty)
		places = append(places, *e)
	}
	switch {
	case len(ends) == 0:
		r.Certainty = 0
		return nil
	case len(places) == 0:
		r.Reasons = append(r.Reasons, "no stolen value reaches "+s.To+" by it, by "+p.report.Method)
		r.Certainty = 0
		return nil
	}
	r.Amount, r.Origin = amount.Dec(), origin.Dec()
	if claimed, err := ledger.ParseAmount(s.Amount); err == nil && s.Amount != "" && claimed.Gt(&amount) {
		r.Reasons = append(r.Reasons, fmt.Sprintf("it is said to bring %s on; of what it moves %s is stolen, by %s", s.Amount, amount.Dec(), p.report.Method))
	}
	carried := origin
	if !p.taken.IsZero() && p.taken.Lt(&carried) { // other inputs brought the rest
		carried = p.taken
	}
	if p.least == nil || carried.Lt(p.least) {
		p.least = &carried
	}
	return places
}

// end checks where the path ends, and sums up.
func (p *pathCheck) end(s *Submission, reached []trace.FlowEnd) {
	r := &p.report
	r.Valid = true
	for i := range r.Steps {
		r.Valid = r.Valid && r.Steps[i].Valid
	}
	if !r.Valid {
		return
	}
	last := &p.all[p.before]
	there := func(e trace.FlowEnd) bool { return isPlace(&e, s.To.At) }
	chain, _ := ledger.ParseChain(s.To.Chain) // the submission was checked
	if string(chain) != last.Chain || !slices.ContainsFunc(reached, there) {
		r.Valid = false
		r.Reasons = append(r.Reasons, "its last step does not reach "+s.To.At)
	}
}

// carried says how much can have gone this way.
func (p *pathCheck) carried(result *trace.Result) {
	r := &p.report
	stolen, err := ledger.ParseAmount(r.Stolen)
	if !r.Valid || p.least == nil || err != nil || stolen.IsZero() || result.Note != "" {
		return // a method that conserves nothing makes no claim
	}
	r.AtMost = p.least.Dec()
	var share ledger.Amount
	whole := ledger.NewAmount(taint.Fact)
	share.MulDivOverflow(p.least, &whole, &stolen)
	bp := share.Uint64()
	r.Share = &bp
}
