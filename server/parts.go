package server

import (
	"context"
	"errors"

	"coldtrail/ledger"
	"coldtrail/screen/exposure"
)

// Parts is what the server asks. All methods are called concurrently. A part that is nil
// is answered with 501; one that is a nil pointer is a mistake of the caller.
type Parts struct {
	Screening     Screening
	Audit         Audit
	Keys          Keys
	Alerts        Alerts
	Subscriptions Subscriptions
	WatchLists    WatchLists
	Venues        Venues
	Blocklists    Blocklists
	Policies      Policies
	Cases         Cases
	Ledger        Ledger
	League        League
	Views         Views
	Graphs        Graphs
	Health        Health

	Jobs     Jobs
	Desk     Desk
	Casework Casework
	// What is known.
	Search    Search
	Assets    Assets
	Owners    Owners
	Chains    Chains
	LabelDesk LabelDesk
}

// The errors that parts give where the caller can do something about it. They may be
// wrapped; the text after them is shown to the caller. Any other error is a 500, and its
// text is only logged.
var (
	// ErrNotFound says that there is no such thing.
	ErrNotFound = errors.New("there is no such thing")
	// ErrConflict says that the identifier is in use for something else.
	ErrConflict = errors.New("the identifier is in use for something else")
	// ErrChanged says that somebody else has changed it in the meantime.
	ErrChanged = errors.New("somebody has changed it in the meantime")
	// ErrInvalid says that it cannot be taken as it is.
	ErrInvalid = errors.New("it cannot be taken as it is")
	// ErrGone says that it was there, and is kept no longer.
	ErrGone = errors.New("it is kept no longer")
	// ErrFull says that there is no room to keep it.
	ErrFull = errors.New("there is no room to keep it")
	// ErrUnavailable says that it cannot be told now, and may be later.
	ErrUnavailable = errors.New("it cannot be told now")
)

// Screening gives verdicts.
type Screening interface {
	// Now gives the newest state of knowledge, and nil before there is one.
	Now() View
	// At gives the verdict of another time. It may be slow.
	At(ctx context.Context, q *exposure.Question) (exposure.Verdict, error)
	// Explain adds to a verdict's conclusions about owners the transactions that they rest
	// on. It may be slow.
	Explain(ctx context.Context, v *exposure.Verdict) error
}

// View is one state of knowledge. It never changes, so that all answers to one request
// agree. A question that cannot be answered has a verdict of level unknown; that no text
// is an address is the reason "not-an-address".
type View interface {
	// Basis is what all verdicts rest on; the same pointer every time.
	Basis() *exposure.Basis
	// Screen judges. It writes over all of into, whose slices may be shared with others
	// and must not be written to. The verdict's basis may be left nil.
	Screen(q *exposure.Question, into *exposure.Verdict)
	// ScreenBytes appends the verdict as JSON, without the field "basis", which the server
	// puts in, and says its outcome. It keeps nothing of the question.
	ScreenBytes(dst []byte, q *exposure.Question) ([]byte, exposure.Outcome)
}

// Audit keeps what was answered.
type Audit interface {
	// Append keeps a record and gives its number. It returns when the record is as safe as
	// it will be, and keeps nothing of the record's slices. It must not wait for anything
	// but its disk: whoever asked is waiting.
	Append(record *Record) (sequence uint64, err error)
}

// A Record is one answer, or one thing that somebody did.
type Record struct {
	Moment int64  // Unix milliseconds
	Who    string // identifier of a key or a person
	Action string // method and pattern of the route
	// Question is the query or the body that was sent, Answer the body that is about to be.
	Question, Answer []byte
}

// Keys keeps API keys.
type Keys interface {
	// Keys gives all keys, also those that open nothing.
	Keys(ctx context.Context) ([]Key, error)
	// Digest gives the digest under which a key is kept: SHA-256 of the secret in it. It
	// says false where the text has not the form of a key.
	Digest(text string) ([32]byte, bool)
	// AddKey makes a key and gives it with its text, which nobody can tell afterwards.
	AddKey(ctx context.Context, key Key) (added Key, text string, err error)
	// RevokeKey ends a key for good.
	RevokeKey(ctx context.Context, id, by string, at int64) error
	// UsedKeys notes when keys were last used, in Unix seconds.
	UsedKeys(ctx context.Context, last map[string]int64) error
}

// Alerts gives what was found, in the order of their numbers. An alert with a lower
// number than one that was given never appears later.
type Alerts interface {
	// Alerts gives the alerts that a filter selects.
	Alerts(ctx context.Context, filter AlertFilter) ([]Alert, error)
	// Alert gives one, or ErrNotFound.
	Alert(ctx context.Context, id string) (Alert, error)
	// Newest gives the highest number, 0 where there is none.
	Newest(ctx context.Context) (int64, error)
}

// Subscriptions keeps who is told of what.
type Subscriptions interface {
	Subscriptions(ctx context.Context) ([]Subscription, error)
	// SaveSubscription makes or changes one; its target must exist.
	SaveSubscription(ctx context.Context, subscription Subscription) error
	Targets(ctx context.Context) ([]Target, error)
	// SaveTarget makes or changes a target. Where a secret was made for it, it is in the
	// target that is given back, this once.
	SaveTarget(ctx context.Context, target Target) (Target, error)
}

// WatchLists keeps addresses that are looked at again and again.
type WatchLists interface {
	WatchLists(ctx context.Context) ([]WatchList, error)
	SaveWatchList(ctx context.Context, list WatchList) error
	// ChangeMembers adds and removes, or gives ErrNotFound where there is no such list.
	ChangeMembers(ctx context.Context, list string, change MemberChange) error
	// Members gives members after one, by address, then chain.
	Members(ctx context.Context, list string, after Member, limit int) ([]Member, error)
}

// Venues guards places that value flows through.
type Venues interface {
	Venues(ctx context.Context) ([]Venue, error)
	SaveVenue(ctx context.Context, venue Venue) error
	// Use says what is to be done with uses of a venue, in their order. A use that was
	// decided before has the same answer; its identifier for another use is ErrConflict.
	Use(ctx context.Context, venue string, uses []Use) ([]Decision, error)
	// Override sets a state by hand and says what changed.
	Override(ctx context.Context, venue string, override Override) ([]Transition, error)
	// Decisions gives decisions after a number, in order.
	Decisions(ctx context.Context, venue string, after int64, limit int) ([]Decision, error)
}

// Blocklists publishes lists of refused addresses.
type Blocklists interface {
	// Blocklists says which there are.
	Blocklists(ctx context.Context) ([]BlocklistState, error)
	// Publication gives a list, or what changed since a revision. It is ErrNotFound where
	// there is no such list or form, ErrGone where that revision is kept no longer.
	Publication(ctx context.Context, which Edition) (*Publication, error)
}

// Policies decides what follows from what is known.
type Policies interface {
	Policy(ctx context.Context) (Policy, error)
	// DryRun says what a policy would decide, and changes nothing.
	DryRun(ctx context.Context, draft Draft) (DryRun, error)
	// Activate makes a policy the one that counts.
	Activate(ctx context.Context, draft Draft) (Policy, error)
}

// Cases keeps the work of analysts.
type Cases interface {
	Cases(ctx context.Context, filter CaseFilter) ([]Case, error)
	Case(ctx context.Context, id string) (Case, error)
	// SaveCase adds a revision; ErrChanged if it was made on one that is not the newest.
	SaveCase(ctx context.Context, change CaseChange) (Case, error)
	// Notes gives the notes on a case after a number.
	Notes(ctx context.Context, id string, after int64, limit int) ([]Note, error)
	AddNote(ctx context.Context, id string, note Note) (Note, error)
}

// Ledger tells what is held of chains. Chain is CAIP-2; addresses and transactions are as
// people write them. ErrNotFound says that the ledger holds nothing of it, which is not
// that there is nothing.
type Ledger interface {
	Address(ctx context.Context, chain ledger.Chain, address string) (Address, error)
	// Transfers gives what touched an address after a cursor of its own, and the cursor
	// for what comes next, empty at the end.
	Transfers(ctx context.Context, chain ledger.Chain, address string, page Page) ([]Transfer, string, error)
	Labels(ctx context.Context, chain ledger.Chain, address string) ([]Label, error)
	Transaction(ctx context.Context, chain ledger.Chain, id string) (Transaction, error)
}

// Health says how the parts of the whole are.
type Health interface {
	// Parts gives the state of each part. It must be quick: probes ask often.
	Parts(ctx context.Context) []Part
	// Queues says how much waits to be done.
	Queues() []Queue
}

// A Part is one part of the whole.
type Part struct {
	Name  string    `json:"name"`
	State PartState `json:"state"`
	// Detail says more to who has signed in.
	Detail string `json:"detail,omitempty"`
	// Needed says that the server is not ready unless this part works.
	Needed bool `json:"needed"`
}

// PartState says how a part is.
type PartState string

// The states of a part. Degraded still works.
const (
	Working  PartState = "working"
	Degraded PartState = "degraded"
	Failed   PartState = "failed"
)

// A Queue is work that waits.
type Queue struct {
	Name     string `json:"name"`
	Length   int    `json:"length"`
	Capacity int    `json:"capacity"`
}

// A Page selects a part of a list.
type Page struct {
	After string // cursor
	Limit int
}
