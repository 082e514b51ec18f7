package casebook

import (
	"context"
	"fmt"
	"strings"
)

// DeliveryStatus says how far a delivery is.
type DeliveryStatus string

// The statuses of a delivery.
const (
	Waiting   DeliveryStatus = "waiting"
	Delivered DeliveryStatus = "delivered"
	// GivenUp is a delivery that was tried for as long as was agreed, or that its target
	// refused for good. It stays, with the reason, and can be tried again by hand.
	GivenUp DeliveryStatus = "given-up"
)

// A Delivery is one alert for one target.
type Delivery struct {
	// ID follows from alert and target and is the same at every attempt, so that a
	// receiver sees what it has seen before.
	ID      string         `json:"id"`
	Alert   string         `json:"alert"`
	Target  string         `json:"target"`
	Subject string         `json:"subject,omitempty"` // of the alert
	Status  DeliveryStatus `json:"status"`
	// Sequence is of the alert. Of one subject a target gets alerts in this order: one
	// waits until the one before is delivered or given up.
	Sequence int64 `json:"sequence"`
	// Attempts counts those begun, also one during which the program ended.
	Attempts int   `json:"attempts"`
	Next     int64 `json:"next"`  // not before that moment
	Since    int64 `json:"since"` // when it began to wait
	Ended    int64 `json:"ended,omitempty"`
	// Reason is why the last attempt failed, or why it was given up.
	Reason string `json:"reason,omitempty"`
}

// A Shipment is a delivery that is to be tried now, with all that is needed for it.
type Shipment struct {
	Delivery Delivery
	Alert    Alert
	Target   Target
}

// A Claim asks for deliveries whose turn it is.
type Claim struct {
	At int64
	// Until is when another may try, should nothing be heard of the attempt.
	Until int64
	Limit int
	// PerTarget bounds how many of one target are given; Except names targets of which
	// none are wanted now.
	PerTarget int
	Except    []string
}

// A Settlement says how an attempt ended.
type Settlement struct {
	Delivery string
	Attempt  int
	Status   DeliveryStatus // Waiting to try again
	At       int64
	Next     int64 // when to try again
	Reason   string
}

// A DeliveryFilter selects deliveries, by sequence and identifier.
type DeliveryFilter struct {
	Alert  string
	Target string
	Status DeliveryStatus
	After  Delivery // only those after this one
	Limit  int
}

// Outbox is who has been told, and who is yet to be.
type Outbox interface {
	// Claim gives deliveries to try, oldest first, and counts the attempt. One that
	// was claimed is not given again before its claim has run out. At most one delivery
	// of a subject and target is out at a time.
	Claim(ctx context.Context, claim Claim) ([]Shipment, error)
	// Settle says how an attempt ended. That it was delivered counts whenever it comes;
	// anything else only of the attempt that is out (ErrChanged).
	Settle(ctx context.Context, settlement Settlement) error
	// Redeliver puts a delivery that has ended back into the queue. Alerts that came
	// later may have been delivered already.
	Redeliver(ctx context.Context, id string, at int64) error
	// Deliveries gives the deliveries that a filter selects.
	Deliveries(ctx context.Context, filter DeliveryFilter) ([]Delivery, error)
	// Queued counts what is waiting, by target.
	Queued(ctx context.Context) (map[string]int64, error)
}

// Backoff is how long to wait after failures: First seconds after the first, twice as
// long after each other, Most at most.
type Backoff struct{ First, Most int64 }

// After gives the seconds to wait after an attempt, counted from 1. Jitter gets them and
// may change them, so that many deliveries do not come back at once; nil changes nothing.
// At least one second is waited and at most Most.
func (b Backoff) After(attempt int, jitter func(seconds int64) int64) int64 {
	most := max(b.Most, 1)
	wait := min(max(b.First, 1), most)
	for ; attempt > 1 && wait < most; attempt-- {
		wait = min(2*wait, most)
	}
	if jitter != nil {
		wait = jitter(wait)
	}
	return min(max(wait, 1), most)
}

// DeliveryID identifies the delivery of an alert to a target.
func DeliveryID(alert, target string) string { return digest("delivery", alert, target) }

// send queues the deliveries of an alert.
func (a *Alert) send(ctx context.Context, s session, targets []string) error {
	for _, target := range targets {
		_, err := s.exec(ctx, `INSERT INTO deliveries (id, alert, target, subject, sequence, turn, attempts, next_at, leased_until, status, created_at, ended_at, reason)
			VALUES (?, ?, ?, ?, ?, 0, 0, ?, 0, ?, ?, 0, '')`,
			DeliveryID(a.ID, target), a.ID, target, a.Subject, a.Sequence, a.Created, Waiting, a.Created)
		if err == nil {
			err = advance(ctx, s, target, a.Subject)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// advance gives the turn to the earliest delivery that waits of a target and subject. The
// turn is kept, and not found at every claim, because a receiver that is away may leave
// a hundred thousand waiting. Writers exclude one another, so it is never lost.
func advance(ctx context.Context, s session, target, subject string) error {
	earliest, err := one(ctx, s, number, `SELECT COALESCE(MIN(sequence), 0) FROM deliveries WHERE status = 'waiting' AND target = ? AND subject = ?`, target, subject)
	if err != nil || earliest == 0 {
		return err
	}
	_, err = s.exec(ctx, `UPDATE deliveries SET turn = 1 WHERE status = 'waiting' AND target = ? AND subject = ? AND sequence = ? AND turn = 0`, target, subject, earliest)
	return err
}

const deliveryColumns = `id, alert, target, subject, status, sequence, attempts, next_at, created_at, ended_at, reason`

func scanDelivery(r row) (Delivery, error) {
	var d Delivery
	err := r.Scan(&d.ID, &d.Alert, &d.Target, &d.Subject, &d.Status, &d.Sequence, &d.Attempts, &d.Next, &d.Since, &d.Ended, &d.Reason)
	return d, err
}

// Claim implements Outbox.
func (b *SQL) Claim(ctx context.Context, c Claim) ([]Shipment, error) {
	if err := checkBatch("targets", len(c.Except)); err != nil {
		return nil, err
	}
	due, err := b.due(ctx, &c)
	if err != nil || len(due) == 0 {
		return nil, err // an idle outbox costs no write
	}
	var out []Shipment
	err = b.change(ctx, "claim deliveries", func(s session) error {
		out = nil
		for _, id := range due {
			n, err := s.exec(ctx, `UPDATE deliveries SET attempts = attempts + 1, leased_until = ? WHERE id = ? AND status = 'waiting' AND next_at <= ? AND leased_until <= ?`, c.Until, id, c.At, c.At)
			if err != nil {
				return err
			}
			if n == 0 {
				continue // another worker was first
			}
			shipment, err := load(ctx, s, id)
			if err != nil {
				return err
			}
			out = append(out, shipment)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// due gives the deliveries whose turn it is, whose time has come and that nobody has.
func (b *SQL) due(ctx context.Context, c *Claim) ([]string, error) {
	query := `SELECT id FROM (
		SELECT d.id, d.next_at, d.sequence, ROW_NUMBER() OVER (PARTITION BY d.target ORDER BY d.next_at, d.sequence) AS place
		FROM deliveries d WHERE d.status = 'waiting' AND d.turn = 1 AND d.next_at <= ? AND d.leased_until <= ?` + except(len(c.Except)) + `
	) q WHERE place <= ? ORDER BY next_at, sequence LIMIT ?`
	args := []any{c.At, c.At}
	for _, target := range c.Except {
		args = append(args, target)
	}
	perTarget := c.PerTarget
	if perTarget <= 0 {
		perTarget = MaxPage
	}
	return told[[]string]("due deliveries")(rows(ctx, b.reading(), text, query, append(args, perTarget, limit(c.Limit))...))
}

func except(targets int) string {
	if targets == 0 {
		return ""
	}
	return " AND d.target NOT IN " + questionMarks(targets)
}

// load gives a delivery with its alert and target.
func load(ctx context.Context, s session, id string) (Shipment, error) {
	d, err := one(ctx, s, scanDelivery, `SELECT `+deliveryColumns+` FROM deliveries WHERE id = ?`, id)
	if err != nil {
		return Shipment{}, err
	}
	a, err := one(ctx, s, scanAlert, `SELECT `+alertColumns+` FROM alerts WHERE id = ?`, d.Alert)
	if err != nil {
		return Shipment{}, err
	}
	t, err := one(ctx, s, scanTarget, `SELECT `+targetColumns+` FROM targets WHERE id = ?`, d.Target)
	return Shipment{d, a, t}, err
}

// Settle implements Outbox.
func (b *SQL) Settle(ctx context.Context, how Settlement) error {
	switch how.Status {
	case Waiting, Delivered, GivenUp:
	default:
		return &InvalidError{"status", fmt.Sprintf("%q is not known", how.Status)}
	}
	// A reason may quote a receiver; it is kept as far as it is text of a fair length.
	reason := strings.ToValidUTF8(strings.ReplaceAll(how.Reason, "\x00", ""), "?")
	reason = strings.ToValidUTF8(reason[:min(len(reason), MaxLine)], "")
	return b.change(ctx, "settle a delivery", func(s session) error {
		d, err := one(ctx, s, scanDelivery, `SELECT `+deliveryColumns+` FROM deliveries WHERE id = ?`, how.Delivery)
		if err != nil {
			return err
		}
		switch {
		case how.Status == Delivered:
			_, err = s.exec(ctx, `UPDATE deliveries SET status = ?, turn = 0, ended_at = ?, leased_until = 0, reason = '' WHERE id = ?`, Delivered, how.At, d.ID)
		case d.Status != Waiting || d.Attempts != how.Attempt:
			return ErrChanged
		case how.Status == GivenUp:
			_, err = s.exec(ctx, `UPDATE deliveries SET status = ?, turn = 0, ended_at = ?, leased_until = 0, reason = ? WHERE id = ?`, GivenUp, how.At, reason, d.ID)
		default:
			_, err = s.exec(ctx, `UPDATE deliveries SET next_at = ?, leased_until = 0, reason = ? WHERE id = ?`, how.Next, reason, d.ID)
			return err
		}
		if err != nil {
			return err
		}
		return advance(ctx, s, d.Target, d.Subject)
	})
}

// Redeliver implements Outbox.
func (b *SQL) Redeliver(ctx context.Context, id string, at int64) error {
	return b.change(ctx, "deliver again", func(s session) error {
		d, err := one(ctx, s, scanDelivery, `SELECT `+deliveryColumns+` FROM deliveries WHERE id = ? AND status <> 'waiting'`, id)
		if err != nil {
			return err
		}
		_, err = s.exec(ctx, `UPDATE deliveries SET status = ?, next_at = ?, created_at = ?, ended_at = 0, leased_until = 0 WHERE id = ?`, Waiting, at, at, id)
		if err != nil {
			return err
		}
		// The turn goes to the earlier of the two; a later one that has it gives it up.
		if _, err := s.exec(ctx, `UPDATE deliveries SET turn = 0 WHERE status = 'waiting' AND target = ? AND subject = ?`, d.Target, d.Subject); err != nil {
			return err
		}
		return advance(ctx, s, d.Target, d.Subject)
	})
}

// Deliveries implements Outbox.
func (b *SQL) Deliveries(ctx context.Context, f DeliveryFilter) ([]Delivery, error) {
	return told[[]Delivery]("deliveries")(rows(ctx, b.reading(), scanDelivery, `SELECT `+deliveryColumns+` FROM deliveries
		WHERE (sequence > ? OR (sequence = ? AND id > ?)) AND (? = '' OR alert = ?) AND (? = '' OR target = ?) AND (? = '' OR status = ?) ORDER BY sequence, id LIMIT ?`,
		f.After.Sequence, f.After.Sequence, f.After.ID, f.Alert, f.Alert, f.Target, f.Target, f.Status, f.Status, limit(f.Limit)))
}

// Queued implements Outbox.
func (b *SQL) Queued(ctx context.Context) (map[string]int64, error) {
	type queue struct {
		target string
		length int64
	}
	queues, err := rows(ctx, b.reading(), func(r row) (queue, error) {
		var q queue
		err := r.Scan(&q.target, &q.length)
		return q, err
	}, `SELECT target, COUNT(*) FROM deliveries WHERE status = 'waiting' GROUP BY target`)
	if err != nil {
		return nil, fmt.Errorf("casebook: queues: %w", err)
	}
	lengths := map[string]int64{}
	for _, q := range queues {
		lengths[q.target] = q.length
	}
	return lengths, nil
}
