package watch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"coldtrail/casebook"
	"coldtrail/ledger"
	"coldtrail/screen"
	"coldtrail/screen/exposure"
)

// Standing is outcome and level of a verdict. Level is empty where nobody could tell.
type Standing struct {
	Outcome exposure.Outcome `json:"outcome"`
	Level   exposure.Level   `json:"level,omitempty"`
}

// Finding is the body of an alert about a verdict. It holds nothing that differs between
// runs, so that equal findings are one alert.
type Finding struct {
	From Standing `json:"from"`
	To   Standing `json:"to"`
	// Purpose is what the verdicts are for; empty for nothing in particular.
	Purpose exposure.Purpose `json:"purpose,omitempty"`
	// Lists are the watch-lists that name the subject.
	Lists []string `json:"lists,omitempty"`
	// After is the alert of this kind about the subject that stood before.
	After   string  `json:"after,omitempty"`
	Verdict Verdict `json:"verdict"`
}

// Verdict is a verdict with the part of its basis that is the same wherever it is reached;
// the block is the alert's cause.
type Verdict struct {
	Level   exposure.Level    `json:"level"`
	Outcome exposure.Outcome  `json:"outcome"`
	Score   uint32            `json:"score"`
	Reasons []exposure.Reason `json:"reasons"`
	Facts   []exposure.Fact   `json:"facts"`
	// LeftOut is how many more facts there are; a reason that rests on one of them has -1.
	LeftOut int    `json:"facts_left_out,omitempty"`
	Labels  string `json:"labels"`
	Policy  string `json:"policy"`
	Cases   string `json:"cases"`
	Rules   string `json:"rules"`
}

// maxBody bounds the body of an alert, in bytes.
const maxBody = 64 << 10

// write gives the finding as JSON, with as many facts as there is room for.
func (f *Finding) write() (json.RawMessage, error) {
	for {
		text, err := json.Marshal(f)
		if err != nil {
			return nil, err
		}
		if len(text) <= maxBody || len(f.Verdict.Facts) == 0 {
			// Labels quote others, who may write what no database holds.
			return json.RawMessage(strings.ReplaceAll(string(text), `\u0000`, `\ufffd`)), nil
		}
		f.Verdict.halve()
	}
}

func (v *Verdict) halve() {
	keep := len(v.Facts) / 2
	v.LeftOut += len(v.Facts) - keep
	v.Facts = v.Facts[:keep]
	reasons := v.Reasons[:0:0]
	orphans := map[string]bool{}
	for _, r := range v.Reasons {
		if r.Fact >= keep {
			r.Fact = -1
		}
		if r.Fact < 0 {
			if orphans[r.Code] {
				continue // thousands of facts may each have the same reason
			}
			orphans[r.Code] = true
		}
		reasons = append(reasons, r)
	}
	v.Reasons = reasons
}

// finding puts a change into words.
func finding(k *screen.Knowledge, from state, v *exposure.Verdict) Finding {
	b := k.Basis()
	return Finding{
		From: from.standing(), To: Standing{v.Outcome, v.Level},
		Verdict: Verdict{Level: v.Level, Outcome: v.Outcome, Score: v.Score, Reasons: v.Reasons, Facts: v.Facts, Labels: b.Labels, Policy: b.Policy, Cases: b.Cases, Rules: b.Rules},
	}
}

// cause is the block that a verdict follows from: the newest of the chain whose value
// decided. A verdict by what people say follows from none.
func cause(k *screen.Knowledge, v *exposure.Verdict) casebook.Cause {
	var newest *exposure.Fact
	for _, i := range decisive(v) {
		if f := &v.Facts[i]; f.Kind != exposure.Labelled && (newest == nil || f.To > newest.To) {
			newest = f
		}
	}
	if newest == nil {
		return casebook.Cause{}
	}
	head, ok := k.Basis().Heads[newest.Chain]
	if !ok || head.Hash == "" {
		return casebook.Cause{}
	}
	return casebook.Cause{Chain: newest.Chain, Height: head.Height, Block: head.Hash}
}

// decisive are the numbers of the facts on which the gravest reasons rest.
func decisive(v *exposure.Verdict) (facts []int) {
	outcome := exposure.Outcome("")
	for _, r := range v.Reasons { // the gravest first
		switch {
		case !tells(r.Code):
			continue
		case outcome == "":
			outcome = r.Outcome
		case r.Outcome != outcome:
			return facts
		}
		if r.Fact >= 0 && r.Fact < len(v.Facts) {
			facts = append(facts, r.Fact)
			continue
		}
		for i := range v.Facts { // of a rule about all together
			facts = append(facts, i)
		}
	}
	return facts
}

// topic is what alerts are about that follow one another.
type topic struct {
	kind casebook.AlertKind
	place
}

// heard is the newest alert on a topic that stands.
type heard struct {
	id       string
	sequence int64
	created  int64
	state    state
}

// commit makes alerts of what has changed and keeps them. Where that fails, those
// concerned are looked at again.
func (p *pass) commit(ctx context.Context) error {
	changes := p.changes
	p.changes = nil
	w := p.watch
	alerts := make([]casebook.Alert, 0, len(changes))
	made := make([]change, 0, len(changes))
	standing := map[casebook.Cause]bool{}
	for i := range changes {
		c := &changes[i]
		alert, err := p.alert(c)
		if err != nil {
			p.retry(changes)
			return err
		}
		if _, ok := standing[alert.Cause]; !ok {
			if standing[alert.Cause], err = w.stands(ctx, &alert.Cause); err != nil {
				p.retry(changes)
				return err
			}
		}
		if !standing[alert.Cause] { // the knowledge is older than a reorganisation
			p.retry(changes[i : i+1])
			continue
		}
		alerts, made = append(alerts, alert), append(made, *c)
	}
	n, err := w.raise(ctx, alerts)
	p.raised += n
	if err != nil {
		p.retry(made)
		return err
	}
	return p.settle(ctx, made)
}

// retry has subjects looked at again in the next round.
func (p *pass) retry(changes []change) {
	for i := range changes {
		s := &p.table.list[changes[i].at]
		s.telling = false
		p.table.again(s.place)
	}
}

// alert puts one change into words.
func (p *pass) alert(c *change) (casebook.Alert, error) {
	s := &p.table.list[c.at]
	f := finding(p.knowledge, s.state, &c.verdict)
	f.After = p.watch.last[topic{p.kind, s.place}].id
	if p.table.names != nil {
		f.Lists = p.table.names[c.at]
	}
	body, err := f.write()
	return casebook.Alert{
		Kind: p.kind, Subject: s.address, Chain: s.chain, Level: c.verdict.Level, Body: body, Cause: cause(p.knowledge, &c.verdict),
		Created: p.watch.options.Clock().Unix(),
	}, err
}

// settle notes what was told of.
func (p *pass) settle(ctx context.Context, made []change) error {
	at := p.watch.options.Clock().Unix()
	rows := make([]casebook.Screened, 0, len(made))
	for i := range made {
		c := &made[i]
		s := &p.table.list[c.at]
		s.state, s.mark, s.telling = s.state.changed(c.now), c.mark, false
		rows = append(rows, casebook.Screened{Subject: s.address, Chain: s.chain, Outcome: c.verdict.Outcome, Level: c.verdict.Level, Judged: at})
	}
	if p.kind != casebook.VerdictChanged || len(rows) == 0 {
		return nil
	}
	// Should this fail, the alerts say as much when the casebook is read again.
	return p.watch.options.Book.KeepScreened(ctx, rows)
}

// changed is the state after a newer one that was told of.
func (s state) changed(now state) state {
	if s.outcome == now.outcome && now.level == hidden {
		now.level = s.level
	}
	return now
}

// raise keeps alerts and says how many were new. An alert that the casebook will never take
// is left out, and counted.
func (w *Watch) raise(ctx context.Context, alerts []casebook.Alert) (int, error) {
	if len(alerts) == 0 {
		return 0, nil
	}
	raised, err := w.options.Book.Raise(ctx, alerts)
	var invalid *casebook.InvalidError
	switch {
	case errors.As(err, &invalid) && len(alerts) > 1:
		n := 0
		for i := range alerts {
			more, err := w.raise(ctx, alerts[i:i+1])
			if n += more; err != nil {
				w.loaded = false // some were kept: what stands is read anew
				return n, err
			}
		}
		return n, nil
	case errors.As(err, &invalid):
		w.count.refused++
		w.options.Log.LogAttrs(ctx, slog.LevelError, "the casebook does not take an alert", slog.String("subject", alerts[0].Subject), slog.Any("error", err))
		return 0, nil
	case err != nil:
		return 0, fmt.Errorf("watch: %w", err)
	}
	for i := range raised {
		w.note(&raised[i])
	}
	w.count.raised += uint64(len(raised))
	w.tell(raised)
	return len(raised), nil
}

// note remembers an alert that stands.
func (w *Watch) note(a *casebook.Alert) {
	var f Finding
	h := heard{id: a.ID, sequence: a.Sequence, created: a.Created}
	if err := json.Unmarshal(a.Body, &f); err == nil {
		h.state = stateGiven(f.To.Outcome, f.To.Level)
	}
	w.last[topicOf(a)] = h
}

func topicOf(a *casebook.Alert) topic { return topic{a.Kind, place{a.Subject, a.Chain}} }

func (w *Watch) tell(alerts []casebook.Alert) {
	if w.options.Raised != nil && len(alerts) > 0 {
		w.options.Raised(alerts)
	}
}

// stands says whether a cause is a block that is held, or no block.
func (w *Watch) stands(ctx context.Context, c *casebook.Cause) (bool, error) {
	if c.Chain == "" || w.options.Held == nil {
		return true, nil
	}
	hash, err := w.options.Held(ctx, ledger.Chain(c.Chain), ledger.Height(c.Height))
	if err != nil {
		return false, fmt.Errorf("watch: block %d of %s: %w", c.Height, c.Chain, err)
	}
	return hash == c.Block, nil
}
