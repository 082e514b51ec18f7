package casebook

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"coldtrail/screen/exposure"
)

// AlertKind says what happened.
type AlertKind string

// The kinds of alert.
const (
	VerdictChanged    AlertKind = "verdict-changed"
	WatchHit          AlertKind = "watch-hit"
	BreakerTransition AlertKind = "breaker-transition"
	CaseChanged       AlertKind = "case-change"
	DataStale         AlertKind = "data-stale"
	// Withdrawn takes back an alert whose block is no longer of its chain.
	Withdrawn AlertKind = "withdrawn"
)

// AlertKinds lists all kinds.
var AlertKinds = []AlertKind{VerdictChanged, WatchHit, BreakerTransition, CaseChanged, DataStale, Withdrawn}

// AlertState says whether an alert still holds.
type AlertState string

// The states of an alert.
const (
	Standing AlertState = "standing"
	// TakenBack is the state of an alert that another has withdrawn.
	TakenBack AlertState = "withdrawn"
)

// A Cause is the block that an alert follows from. The zero value is an alert that
// follows from no block, which no reorganisation can undo.
type Cause struct {
	Chain  string `json:"chain,omitempty"` // CAIP-2
	Height uint64 `json:"height,omitempty"`
	Block  string `json:"block,omitempty"` // its hash
}

// An Alert is something that somebody should hear of.
type Alert struct {
	// Sequence numbers all alerts from 1 in the order in which they were kept.
	Sequence int64 `json:"sequence"`
	// ID follows from content and cause, not from when it was found: who computes the
	// same again, after a restart, gets the alert that is held.
	ID      string          `json:"id"`
	Kind    AlertKind       `json:"kind"`
	Subject string          `json:"subject,omitempty"` // address, venue or case
	Chain   string          `json:"chain,omitempty"`
	Level   exposure.Level  `json:"level,omitempty"`
	Body    json.RawMessage `json:"body"`
	Cause   Cause           `json:"cause,omitzero"`
	Created int64           `json:"created"`
	State   AlertState      `json:"state"`
	// Withdraws is the alert that this one takes back, WithdrawnBy the one that takes
	// this one back.
	Withdraws   string `json:"withdraws,omitempty"`
	WithdrawnBy string `json:"withdrawn_by,omitempty"`
}

// content identifies what an alert says and why. The body must be canonical.
func (a *Alert) content() string {
	return digest("alert", a.Kind, a.Subject, a.Chain, a.Level, a.Body, a.Cause, a.Withdraws)
}

// identify gives the alert its identifier. A block may vanish and come back: the alert
// then is another occurrence of the same content, because the first is withdrawn for good.
func (a *Alert) identify(occurrence int64) {
	a.ID = a.content()
	if occurrence > 0 {
		a.ID = digest("again", a.ID, occurrence)
	}
}

// A Withdrawal names blocks that are no longer of their chain.
type Withdrawal struct {
	Blocks []Cause
	Why    string
	At     int64
}

// An AlertFilter selects alerts after a sequence number, in that order. Empty is all.
type AlertFilter struct {
	Kind    AlertKind
	State   AlertState
	Subject string
	Chain   string
	After   int64
	Limit   int
}

// Alerts keeps alerts. Keeping one also decides who is told, in the same transaction.
type Alerts interface {
	// Raise keeps alerts and gives those that were new, with identifier and sequence
	// number. One that is held and stands is not kept again.
	Raise(ctx context.Context, alerts []Alert) ([]Alert, error)
	// Withdraw takes back every standing alert that follows from one of the blocks and
	// gives the alerts that say so. Who was told, or is yet to be, is told of that too,
	// after it.
	Withdraw(ctx context.Context, withdrawal Withdrawal) ([]Alert, error)
	// Causes gives the blocks of a chain, at a height or above, from which standing
	// alerts follow, by height and hash. A caller that was away while its chain was
	// reorganised asks for them and withdraws those that are gone.
	Causes(ctx context.Context, chain string, from uint64) ([]Cause, error)
	// Alert gives an alert, or ErrNotFound.
	Alert(ctx context.Context, id string) (Alert, error)
	// Alerts gives the alerts that a filter selects.
	Alerts(ctx context.Context, filter AlertFilter) ([]Alert, error)
}

func (a *Alert) check() error {
	if a.Kind == Withdrawn || !slices.Contains(AlertKinds, a.Kind) {
		return &InvalidError{"alert", fmt.Sprintf("of kind %q cannot be raised", a.Kind)}
	}
	body, err := canonical("body", a.Body)
	if err != nil {
		return err
	}
	a.Body = body
	if (a.Cause.Block == "") != (a.Cause.Chain == "") {
		return &InvalidError{"cause", "must have both chain and block hash, or neither"}
	}
	return first(checkOptional("subject", a.Subject), checkOptional("chain", a.Chain), checkLevel(a.Level), a.Cause.check())
}

func (c *Cause) check() error {
	return first(checkOptional("chain", c.Chain), checkNumber("height", c.Height), checkOptional("block", c.Block))
}

const alertColumns = `sequence, id, kind, subject, chain, level, body, cause_chain, cause_height, cause_block, created_at, state, withdraws, withdrawn_by`

func scanAlert(r row) (Alert, error) {
	var a Alert
	var body string
	err := r.Scan(&a.Sequence, &a.ID, &a.Kind, &a.Subject, &a.Chain, &a.Level, &body,
		&a.Cause.Chain, &a.Cause.Height, &a.Cause.Block, &a.Created, &a.State, &a.Withdraws, &a.WithdrawnBy)
	a.Body = json.RawMessage(body)
	return a, err
}

// Raise implements Alerts.
func (b *SQL) Raise(ctx context.Context, alerts []Alert) ([]Alert, error) {
	if err := checkBatch("alerts", len(alerts)); err != nil {
		return nil, err
	}
	alerts = slices.Clone(alerts)
	for i := range alerts {
		if err := alerts[i].check(); err != nil {
			return nil, err
		}
	}
	var raised []Alert
	err := b.change(ctx, "raise alerts", func(s session) error {
		raised = nil
		told, err := routes(ctx, s)
		if err != nil {
			return err
		}
		for i := range alerts {
			isNew, err := alerts[i].keep(ctx, s)
			if err != nil {
				return err
			}
			if !isNew {
				continue
			}
			if err := alerts[i].send(ctx, s, told.targets(&alerts[i])); err != nil {
				return err
			}
			raised = append(raised, alerts[i])
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return raised, nil
}

// keep keeps an alert unless it is held and stands.
func (a *Alert) keep(ctx context.Context, s session) (bool, error) {
	a.State, a.WithdrawnBy = Standing, ""
	type held struct {
		occurrence int64
		state      AlertState
	}
	content := a.content()
	newest, err := rows(ctx, s, func(r row) (held, error) {
		var h held
		err := r.Scan(&h.occurrence, &h.state)
		return h, err
	}, `SELECT occurrence, state FROM alerts WHERE content = ? ORDER BY occurrence DESC LIMIT 1`, content)
	if err != nil {
		return false, err
	}
	occurrence := int64(0)
	if len(newest) > 0 {
		if newest[0].state == Standing {
			return false, nil
		}
		occurrence = newest[0].occurrence + 1
	}
	a.identify(occurrence)
	if a.Sequence, err = next(ctx, s, "alerts"); err != nil {
		return false, err
	}
	_, err = s.exec(ctx, `INSERT INTO alerts (content, occurrence, `+alertColumns+`) VALUES `+questionMarks(16),
		content, occurrence, a.Sequence, a.ID, a.Kind, a.Subject, a.Chain, a.Level, string(a.Body),
		a.Cause.Chain, int64(a.Cause.Height), a.Cause.Block, a.Created, a.State, a.Withdraws, a.WithdrawnBy)
	return err == nil, err
}

// routing is who is told what, as of one transaction.
type routing struct {
	delivered     map[string]bool // targets that get deliveries
	subscriptions []Subscription
}

// routes reads who is told what.
func routes(ctx context.Context, s session) (*routing, error) {
	ids, err := rows(ctx, s, text, `SELECT id FROM targets WHERE ended_at = 0 AND kind <> 'stream'`)
	if err != nil {
		return nil, err
	}
	told := &routing{delivered: map[string]bool{}}
	for _, id := range ids {
		told.delivered[id] = true
	}
	told.subscriptions, err = rows(ctx, s, scanSubscription, `SELECT `+subscriptionColumns+` FROM subscriptions WHERE ended_at = 0 ORDER BY id`)
	return told, err
}

// targets gives who is told of an alert, each once, in order. More are those who must be
// told whatever they subscribed to.
func (r *routing) targets(a *Alert, more ...string) []string {
	var ids []string
	for _, id := range more {
		if r.delivered[id] {
			ids = append(ids, id)
		}
	}
	for i := range r.subscriptions {
		if sub := &r.subscriptions[i]; r.delivered[sub.Target] && sub.Wants(a) {
			ids = append(ids, sub.Target)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// Withdraw implements Alerts.
func (b *SQL) Withdraw(ctx context.Context, w Withdrawal) ([]Alert, error) {
	if err := first(checkBatch("blocks", len(w.Blocks)), checkText("why", w.Why, MaxLine)); err != nil {
		return nil, err
	}
	for _, block := range w.Blocks {
		if block.Chain == "" || block.Block == "" {
			return nil, &InvalidError{"block", "has no chain or no hash"}
		}
		if err := block.check(); err != nil {
			return nil, err
		}
	}
	var said []Alert
	err := b.change(ctx, "withdraw alerts", func(s session) error {
		said = nil
		told, err := routes(ctx, s)
		if err != nil {
			return err
		}
		for _, block := range w.Blocks {
			by, err := block.takeBack(ctx, s, told, &w)
			if err != nil {
				return err
			}
			said = append(said, by...)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return said, nil
}

// takeBack withdraws every standing alert that follows from a block.
func (c *Cause) takeBack(ctx context.Context, s session, told *routing, w *Withdrawal) ([]Alert, error) {
	gone, err := rows(ctx, s, scanAlert, `SELECT `+alertColumns+` FROM alerts
		WHERE state = 'standing' AND cause_chain = ? AND cause_height = ? AND cause_block = ? AND kind <> 'withdrawn' ORDER BY sequence`,
		c.Chain, int64(c.Height), c.Block)
	if err != nil {
		return nil, err
	}
	said := make([]Alert, len(gone))
	for i := range gone {
		if said[i], err = gone[i].takeBack(ctx, s, told, w); err != nil {
			return nil, err
		}
	}
	return said, nil
}

// takeBack keeps the alert that withdraws another, and tells who was told of that.
func (a *Alert) takeBack(ctx context.Context, s session, told *routing, w *Withdrawal) (Alert, error) {
	body, err := json.Marshal(map[string]any{"alert": a.ID, "kind": a.Kind, "why": w.Why})
	if err != nil {
		return Alert{}, err
	}
	by := Alert{Kind: Withdrawn, Subject: a.Subject, Chain: a.Chain, Level: a.Level, Body: body, Cause: a.Cause, Created: w.At, Withdraws: a.ID}
	if _, err := by.keep(ctx, s); err != nil {
		return Alert{}, err
	}
	if err := touched(s.exec(ctx, `UPDATE alerts SET state = ?, withdrawn_by = ? WHERE id = ?`, TakenBack, by.ID, a.ID)); err != nil {
		return Alert{}, err
	}
	heard, err := rows(ctx, s, text, `SELECT target FROM deliveries WHERE alert = ?`, a.ID)
	if err != nil {
		return Alert{}, err
	}
	return by, by.send(ctx, s, told.targets(&by, heard...))
}

// Causes implements Alerts.
func (b *SQL) Causes(ctx context.Context, chain string, from uint64) ([]Cause, error) {
	if err := checkNumber("height", from); err != nil {
		return nil, err
	}
	scan := func(r row) (Cause, error) {
		c := Cause{Chain: chain}
		err := r.Scan(&c.Height, &c.Block)
		return c, err
	}
	return told[[]Cause]("causes of alerts")(rows(ctx, b.reading(), scan, `SELECT DISTINCT cause_height, cause_block FROM alerts
		WHERE state = 'standing' AND cause_chain = ? AND cause_height >= ? AND kind <> 'withdrawn' ORDER BY cause_height, cause_block`, chain, int64(from)))
}

// Alert implements Alerts.
func (b *SQL) Alert(ctx context.Context, id string) (Alert, error) {
	return told[Alert]("alert " + id)(one(ctx, b.reading(), scanAlert, `SELECT `+alertColumns+` FROM alerts WHERE id = ?`, id))
}

// Alerts implements Alerts.
func (b *SQL) Alerts(ctx context.Context, f AlertFilter) ([]Alert, error) {
	return told[[]Alert]("alerts")(rows(ctx, b.reading(), scanAlert, `SELECT `+alertColumns+` FROM alerts
		WHERE sequence > ? AND (? = '' OR kind = ?) AND (? = '' OR state = ?) AND (? = '' OR subject = ?) AND (? = '' OR chain = ?) ORDER BY sequence LIMIT ?`,
		f.After, f.Kind, f.Kind, f.State, f.State, f.Subject, f.Subject, f.Chain, f.Chain, limit(f.Limit)))
}
