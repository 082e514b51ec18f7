package breaker

import (
	"errors"
	"fmt"
	"math"

	"coldtrail/ledger"
	"coldtrail/screen/exposure"
)

// An Event is one use of a venue: a request to its interface, or a transaction with its
// contract or wallet. What is not known is left empty; it is then never taken for clean
// by what the empty field would have told.
type Event struct {
	// ID names the event for good: a transaction, or the request that asked. The same ID
	// again is the same event asked about again, and is counted once.
	ID string `json:"id"`
	// Moment is when it happened, Unix seconds.
	Moment int64 `json:"moment"`
	// Venue must be the machine's own, or empty.
	Venue string `json:"venue,omitempty"`
	// Route is what is exchanged for what, and where to: asset in, ">", asset out, as the
	// venue writes them. Routes are compared as whole texts.
	Route string `json:"route"`
	// Sender is who calls the venue. Origin is the account behind an aggregator, where the
	// sender is one: misuse is ascribed to it and never to the aggregator.
	Sender string `json:"sender"`
	Origin string `json:"origin,omitempty"`
	// Receiver is where the proceeds go.
	Receiver string `json:"receiver,omitempty"`
	// Funder is who first paid the origin's gas; Cluster names the owner, where a cluster
	// is known. Fingerprint is what the origin's transactions look like (source of the gas
	// price, rhythm of nonces): equal texts are alike.
	Funder      string `json:"funder,omitempty"`
	Cluster     string `json:"cluster,omitempty"`
	Fingerprint string `json:"fingerprint,omitempty"`
	// FunderService and ReceiverService say that a label calls the funder or the receiver
	// a service of many customers: that two people share it says nothing.
	FunderService   bool `json:"funder_service,omitempty"`
	ReceiverService bool `json:"receiver_service,omitempty"`
	// Cents is the value in hundredths of a US dollar; 0 where there is no price. Asset and
	// Amount are what is put in, in base units.
	Cents  uint64           `json:"usd_cents,omitempty"`
	Asset  ledger.Asset     `json:"asset,omitempty"`
	Amount exposure.Decimal `json:"amount,omitzero"`
	// Taint is what screening said of the origin at that moment. Unknown says that it
	// could not tell.
	Taint   []Taint `json:"taint,omitempty"`
	Unknown bool    `json:"unknown,omitempty"`
	// Provisional says that the event is not final and may vanish. The same ID without it
	// makes it final.
	Provisional bool `json:"provisional,omitempty"`
}

// Taint is what of an incident is known to be in the origin's hands.
type Taint struct {
	Incident string `json:"incident"`
	// Share is the tainted part of the value, in basis points.
	Share uint32 `json:"share_bp"`
	// Hops is how far away the theft is: 0 the thief's own address, 1 paid by it.
	Hops uint32 `json:"hops"`
}

// A Label is what was learnt of an event after it happened. It replaces the event's
// taint; an empty list withdraws what was said before.
type Label struct {
	ID     string  `json:"id"`
	Moment int64   `json:"moment"` // when it was learnt, Unix seconds
	Taint  []Taint `json:"taint"`
}

// A Retraction says that an event did not happen after all: its block was replaced.
type Retraction struct {
	ID     string `json:"id"`
	Moment int64  `json:"moment"`
}

// Health is how good the data is that events come with.
type Health struct {
	Moment int64 `json:"moment"`
	// LabelAge is how old the newest word of the label sources is, in seconds; Lag is how
	// many blocks the index is behind the chain.
	LabelAge int64  `json:"label_age"`
	Lag      uint64 `json:"lag_blocks"`
}

// The errors. A caller that gets one does not know that the event is clean.
var (
	// ErrEvent says that an event cannot be used.
	ErrEvent = errors.New("the event cannot be used")
	// ErrUnknown says that an event is not remembered, or never was seen.
	ErrUnknown = errors.New("the event is not remembered")
	// ErrOverride says that an override is not complete or not allowed now.
	ErrOverride = errors.New("the override is not allowed")
	// ErrConfig says that a configuration cannot be used.
	ErrConfig = errors.New("the configuration cannot be used")
	// ErrSnapshot says that bytes are no snapshot of this machine.
	ErrSnapshot = errors.New("the snapshot cannot be used")
)

// Limits of what an event may carry.
const (
	maxText  = 256 // bytes of an identifier
	maxTaint = 8   // incidents of one event
	wholeBP  = 10_000
)

// check refuses what is no event of this venue.
func (e *Event) check(venue string) error {
	if e.ID == "" || e.Route == "" || e.Sender == "" {
		return fmt.Errorf("%w: id, route and sender are needed", ErrEvent)
	}
	if e.Venue != "" && e.Venue != venue {
		return fmt.Errorf("%w: it is of venue %q and not of %q", ErrEvent, e.Venue, venue)
	}
	for _, text := range []string{e.ID, e.Route, e.Sender, e.Origin, e.Receiver, e.Funder, e.Cluster, e.Fingerprint, string(e.Asset)} {
		if len(text) > maxText {
			return fmt.Errorf("%w: a text is longer than %d bytes", ErrEvent, maxText)
		}
	}
	return checkTaint(e.Taint)
}

func checkTaint(list []Taint) error {
	if len(list) > maxTaint {
		return fmt.Errorf("%w: more than %d incidents", ErrEvent, maxTaint)
	}
	for i := range list {
		t := &list[i]
		if t.Incident == "" || len(t.Incident) > maxText {
			return fmt.Errorf("%w: an incident has no name, or one longer than %d bytes", ErrEvent, maxText)
		}
		if t.Share > wholeBP {
			return fmt.Errorf("%w: a share of %d basis points", ErrEvent, t.Share)
		}
	}
	return nil
}

// actor is who the use is ascribed to.
func (e *Event) actor() string {
	if e.Origin != "" {
		return e.Origin
	}
	return e.Sender
}

// plus adds without overflow: what is too much stays at the greatest number.
func plus(a, b uint64) uint64 {
	if a > math.MaxUint64-b {
		return math.MaxUint64
	}
	return a + b
}

// part is so many basis points of a value.
func part(value uint64, bp uint32) uint64 {
	return value/wholeBP*uint64(bp) + value%wholeBP*uint64(bp)/wholeBP
}

// share is part of whole in basis points, at most all of it.
func share(part, whole uint64) uint64 {
	switch {
	case part == 0 || whole == 0:
		return 0
	case part >= whole:
		return wholeBP
	case whole > math.MaxUint64/wholeBP:
		return part / (whole / wholeBP)
	}
	return part * wholeBP / whole
}
