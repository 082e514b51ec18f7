// Package notify tells people and programs of alerts: it takes what is due from a
// casebook's outbox and sends it by webhook or mail, until it has arrived or the time
// that was agreed is over. It decides nothing about alerts and forgets nothing: a
// receiver that is away for an hour gets everything, in order, when it is back.
//
// A delivery may come more than once, because a receiver's word can get lost; it then has
// the same identifier and a higher attempt. Of one subject a target gets alerts in order;
// several subjects and targets are served at once, and no target takes all the room.
package notify

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"coldtrail/casebook"
)

// Send tries a delivery once. A nil error says that it has arrived; a RefusalError says more
// than that it failed.
type Send func(ctx context.Context, shipment *casebook.Shipment) error

// A RefusalError is a failure that says how to go on.
type RefusalError struct {
	// Final says that the receiver will never take this delivery.
	Final bool
	// After is how long the receiver wants to be left alone; zero where it did not say.
	After  time.Duration
	Reason string
}

// Error gives the reason.
func (r *RefusalError) Error() string { return r.Reason }

// Options change how a worker works. Outbox, Senders and Clock are required.
type Options struct {
	Outbox casebook.Outbox
	// Senders sends to each kind of target. What none sends is tried again later, in the
	// hope that a later configuration can.
	Senders map[casebook.TargetKind]Send
	Clock   func() time.Time
	// Jitter may change a wait in seconds, so that many do not end at once.
	Jitter func(seconds int64) int64
	// Backoff is how long to wait after failures; zero is two seconds to five minutes.
	Backoff casebook.Backoff
	// GiveUp is how long a delivery is tried; 0 is seven days.
	GiveUp time.Duration
	// Timeout bounds an attempt; 0 is fifteen seconds.
	Timeout time.Duration
	// Poll is how often the outbox is asked when nobody woke the worker; 0 is a second.
	Poll time.Duration
	// Parallel bounds the attempts at once, PerTarget those at one target; 0 is 32 and 4.
	Parallel  int
	PerTarget int
	// Ended, where it is set, hears of every delivery that arrived or was given up. It is
	// called by several goroutines.
	Ended func(delivery casebook.Delivery, status casebook.DeliveryStatus, reason string)
	// Log hears of failures; nil is silent.
	Log *slog.Logger
}

// A Worker sends what is due.
type Worker struct {
	options Options
	wake    chan struct{}
}

// New makes a worker.
func New(options Options) *Worker {
	if options.Backoff == (casebook.Backoff{}) {
		options.Backoff = casebook.Backoff{First: 2, Most: 300}
	}
	options.GiveUp = orElse(options.GiveUp, 7*24*time.Hour)
	options.Timeout = orElse(options.Timeout, 15*time.Second)
	options.Poll = orElse(options.Poll, time.Second)
	options.Parallel = orElse(options.Parallel, 32)
	options.PerTarget = orElse(options.PerTarget, 4)
	if options.Log == nil {
		options.Log = slog.New(slog.DiscardHandler)
	}
	return &Worker{options, make(chan struct{}, 1)}
}

func orElse[T int | time.Duration](value, otherwise T) T {
	if value <= 0 {
		return otherwise
	}
	return value
}

// Wake says that the outbox has something new. It never waits.
func (w *Worker) Wake() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// Run sends what is due until the context ends, and returns when no attempt is under way.
// An outbox that fails is asked again later: to end would lose more than to wait.
func (w *Worker) Run(ctx context.Context) error {
	timer := time.NewTimer(w.options.Poll)
	defer timer.Stop()
	for ctx.Err() == nil {
		if err := w.Drain(ctx); err != nil && ctx.Err() == nil {
			w.options.Log.LogAttrs(ctx, slog.LevelError, "the outbox does not answer", slog.Any("error", err))
		}
		timer.Reset(w.options.Poll)
		select {
		case <-ctx.Done():
		case <-w.wake:
		case <-timer.C:
		}
	}
	return ctx.Err()
}

// Drain sends what is due, and what becomes due meanwhile, until nothing is and no attempt
// is under way.
func (w *Worker) Drain(ctx context.Context) error {
	flight := flight{ended: make(chan string, w.options.Parallel), perTarget: map[string]int{}}
	defer flight.wait()
	for {
		claimed, err := w.claim(ctx, &flight)
		if err != nil {
			return fmt.Errorf("notify: %w", err)
		}
		if claimed == 0 && flight.count == 0 {
			return nil
		}
		if flight.count == 0 {
			continue
		}
		// Something may be due of a target that is free, while a slow one is waited for.
		select {
		case target := <-flight.ended:
			flight.land(target)
		case <-w.wake:
		case <-time.After(w.options.Poll):
		}
	}
}

// flight is the attempts that are under way. Only Drain's goroutine touches the counts.
type flight struct {
	group     sync.WaitGroup
	ended     chan string // of which target
	count     int
	perTarget map[string]int
}

func (f *flight) land(target string) {
	f.count--
	if f.perTarget[target]--; f.perTarget[target] == 0 {
		delete(f.perTarget, target)
	}
}

func (f *flight) wait() { f.group.Wait() }

// claim takes as much as there is room for and starts the attempts.
func (w *Worker) claim(ctx context.Context, f *flight) (int, error) {
	for more := true; more; {
		select {
		case target := <-f.ended:
			f.land(target)
		default:
			more = false
		}
	}
	room := w.options.Parallel - f.count
	if room <= 0 || ctx.Err() != nil {
		return 0, ctx.Err()
	}
	now := w.options.Clock().Unix()
	claim := casebook.Claim{At: now, Until: now + w.lease(), Limit: room, PerTarget: w.options.PerTarget}
	for target, n := range f.perTarget {
		if n >= w.options.PerTarget {
			claim.Except = append(claim.Except, target)
		} else {
			claim.PerTarget = min(claim.PerTarget, w.options.PerTarget-n)
		}
	}
	shipments, err := w.options.Outbox.Claim(ctx, claim)
	if err != nil {
		return 0, err
	}
	for i := range shipments {
		f.count++
		f.perTarget[shipments[i].Target.ID]++
		f.group.Go(func() {
			w.try(ctx, &shipments[i])
			f.ended <- shipments[i].Target.ID
		})
	}
	return len(shipments), nil
}

// lease is how many seconds a claim holds: longer than an attempt can take.
func (w *Worker) lease() int64 { return int64(w.options.Timeout/time.Second) + 30 }

// try sends one delivery and says how it went.
func (w *Worker) try(ctx context.Context, shipment *casebook.Shipment) {
	err := w.send(ctx, shipment)
	how := w.judge(ctx, shipment, err)
	// The word must get out also when the program is about to end.
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if settled := w.options.Outbox.Settle(last, how); settled != nil {
		// The claim runs out and the delivery is tried again, as the attempt it then is.
		w.options.Log.LogAttrs(last, slog.LevelError, "a delivery could not be settled", slog.String("delivery", how.Delivery), slog.Any("error", settled))
		return
	}
	level := slog.LevelDebug
	switch {
	case how.Status == casebook.GivenUp:
		level = slog.LevelError
	case err != nil:
		level = slog.LevelWarn
	}
	w.options.Log.LogAttrs(last, level, "delivery", slog.String("delivery", how.Delivery), slog.String("target", shipment.Target.ID),
		slog.Int("attempt", how.Attempt), slog.String("status", string(how.Status)), slog.String("reason", how.Reason))
	if how.Status != casebook.Waiting && w.options.Ended != nil {
		w.options.Ended(shipment.Delivery, how.Status, how.Reason)
	}
}

// send tries a delivery once, for as long as an attempt may take.
func (w *Worker) send(ctx context.Context, shipment *casebook.Shipment) error {
	send := w.options.Senders[shipment.Target.Kind]
	if send == nil {
		return fmt.Errorf("nothing here sends to a target of kind %s", shipment.Target.Kind)
	}
	ctx, cancel := context.WithTimeout(ctx, w.options.Timeout)
	defer cancel()
	return send(ctx, shipment)
}

// judge says how to go on after an attempt.
func (w *Worker) judge(ctx context.Context, shipment *casebook.Shipment, err error) casebook.Settlement {
	now := w.options.Clock().Unix()
	how := casebook.Settlement{Delivery: shipment.Delivery.ID, Attempt: shipment.Delivery.Attempts, Status: casebook.Delivered, At: now}
	if err == nil {
		return how
	}
	how.Reason = err.Error()
	how.Status, how.Next = casebook.Waiting, now+w.options.Backoff.After(shipment.Delivery.Attempts, w.options.Jitter)
	var refusal *RefusalError
	if errors.As(err, &refusal) && refusal.After > 0 {
		// A receiver may ask for patience, for an hour at most: it does not decide when
		// a delivery is given up.
		asked := min(refusal.After, time.Hour)
		how.Next = max(how.Next, now+int64((asked+time.Second-1)/time.Second))
	}
	switch {
	case ctx.Err() != nil:
		// The program ends; that says nothing about the receiver.
		how.Next, how.Reason = now, "the attempt was broken off because the program ended"
	case refusal != nil && refusal.Final:
		how.Status, how.Next = casebook.GivenUp, 0
	case now-shipment.Delivery.Since >= int64(w.options.GiveUp/time.Second):
		how.Status, how.Next = casebook.GivenUp, 0
		how.Reason = fmt.Sprintf("given up after %d attempts: %s", how.Attempt, how.Reason)
	}
	return how
}
