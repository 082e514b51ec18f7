package server

import (
	"encoding/json"

	"coldtrail/ledger"
	"coldtrail/screen/exposure"
)

// All moments are Unix seconds, amounts are in base units, and who did something is the
// identifier of a key or a person, unless a field says otherwise.

// A Key is an API key without its secret.
type Key struct {
	ID        string   `json:"id"`
	Digest    [32]byte `json:"-"`
	Name      string   `json:"name"`
	Role      Role     `json:"role"`
	CreatedBy string   `json:"created_by,omitempty"`
	Created   int64    `json:"created"`
	Expires   int64    `json:"expires,omitempty"`
	Revoked   int64    `json:"revoked,omitempty"`
	RevokedBy string   `json:"revoked_by,omitempty"`
	LastUsed  int64    `json:"last_used,omitempty"`
}

// An Alert is something that somebody should hear of.
type Alert struct {
	Sequence int64           `json:"sequence"`
	ID       string          `json:"id"`
	Kind     string          `json:"kind"`
	Subject  string          `json:"subject,omitempty"`
	Chain    string          `json:"chain,omitempty"`
	Level    exposure.Level  `json:"level,omitempty"`
	Body     json.RawMessage `json:"body"`
	Cause    *Cause          `json:"cause,omitempty"`
	Created  int64           `json:"created"`
	// State is standing, or withdrawn where the block that it followed from has vanished.
	State       string `json:"state"`
	Withdraws   string `json:"withdraws,omitempty"`
	WithdrawnBy string `json:"withdrawn_by,omitempty"`
}

// A Cause is the block that an alert follows from.
type Cause struct {
	Chain  string `json:"chain"`
	Height uint64 `json:"height"`
	Block  string `json:"block"`
}

// An AlertFilter selects alerts after a number. Empty is all.
type AlertFilter struct {
	Kind, State, Subject, Chain string
	After                       int64
	Limit                       int
}

// A Target is somebody who is told of alerts.
type Target struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Kind    string `json:"kind"` // webhook or mail
	Address string `json:"address"`
	By      string `json:"by"`
	Created int64  `json:"created"`
	Ended   int64  `json:"ended,omitempty"`
	// Secret signs webhooks. It is set only in the answer that tells it.
	Secret string `json:"secret,omitempty"`
}

// A Subscription says which alerts go to a target. An empty list means all.
type Subscription struct {
	ID       string           `json:"id"`
	Name     string           `json:"name"`
	Target   string           `json:"target"`
	Kinds    []string         `json:"kinds,omitempty"`
	Levels   []exposure.Level `json:"levels,omitempty"`
	Chains   []string         `json:"chains,omitempty"`
	Subjects []string         `json:"subjects,omitempty"`
	By       string           `json:"by"`
	Created  int64            `json:"created"`
	Ended    int64            `json:"ended,omitempty"`
}

// A WatchList is a named set of addresses.
type WatchList struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Note    string `json:"note,omitempty"`
	By      string `json:"by"`
	Created int64  `json:"created"`
	Ended   int64  `json:"ended,omitempty"`
}

// A Member is an address on a watch-list.
type Member struct {
	Chain   string `json:"chain,omitempty"`
	Address string `json:"address"`
	Note    string `json:"note,omitempty"`
	By      string `json:"by,omitempty"`
	At      int64  `json:"at,omitempty"`
}

// A MemberChange adds to a watch-list and takes from it.
type MemberChange struct {
	Add    []Member `json:"add,omitempty"`
	Remove []Member `json:"remove,omitempty"`
}

// A Venue is a place whose flow is guarded.
type Venue struct {
	ID      string          `json:"id"`
	Name    string          `json:"name"`
	Kind    string          `json:"kind"` // contract, hot-wallet or events
	Config  json.RawMessage `json:"config"`
	By      string          `json:"by"`
	Created int64           `json:"created"`
	Changed int64           `json:"changed"`
	Ended   int64           `json:"ended,omitempty"`
	// Degraded says that its data is stale, so that nothing is loosened.
	Degraded bool         `json:"degraded"`
	States   []VenueState `json:"states"`
}

// A VenueState is the state of one incident on one route.
type VenueState struct {
	Incident string    `json:"incident"`
	Route    string    `json:"route"`
	State    string    `json:"state"`   // NORMAL, WATCH, LIMIT or HALT
	Beneath  string    `json:"beneath"` // what the signals alone would have it be
	Since    int64     `json:"since"`
	Probing  bool      `json:"probing,omitempty"`
	Score    uint64    `json:"score"`
	Signals  []Reading `json:"signals,omitempty"`
	Override *Override `json:"override,omitempty"`
}

// A Reading is what one signal measured.
type Reading struct {
	Signal string `json:"signal"`
	Value  uint64 `json:"value"`
	Unit   string `json:"unit"`
	Points uint64 `json:"points"`
	Weight uint64 `json:"weight"`
}

// A Use is one use of a venue: a request to it, or a transaction with it. What is not
// known is left empty.
type Use struct {
	ID              string           `json:"id"`
	Moment          int64            `json:"moment"`
	Route           string           `json:"route"`
	Sender          string           `json:"sender"`
	Origin          string           `json:"origin,omitempty"`
	Receiver        string           `json:"receiver,omitempty"`
	Funder          string           `json:"funder,omitempty"`
	Cluster         string           `json:"cluster,omitempty"`
	Fingerprint     string           `json:"fingerprint,omitempty"`
	FunderService   bool             `json:"funder_service,omitempty"`
	ReceiverService bool             `json:"receiver_service,omitempty"`
	Cents           uint64           `json:"usd_cents,omitempty"`
	Asset           ledger.Asset     `json:"asset,omitempty"`
	Amount          exposure.Decimal `json:"amount,omitzero"`
	Provisional     bool             `json:"provisional,omitempty"`
}

// A Decision is what is to be done with one use.
type Decision struct {
	Sequence int64  `json:"sequence,omitempty"`
	ID       string `json:"id"`
	Moment   int64  `json:"moment"`
	Action   string `json:"action"` // pass, delay, review or refuse
	// Until is when to ask again with the same identifier, 0 where nothing is gained by it.
	Until       int64           `json:"until,omitempty"`
	Reasons     []VenueReason   `json:"reasons"`
	Degraded    bool            `json:"degraded,omitempty"`
	Cold        bool            `json:"cold,omitempty"`
	Transitions []Transition    `json:"transitions,omitempty"`
	Verdict     json.RawMessage `json:"verdict,omitempty"` // what screening said of the origin
}

// A VenueReason is one state that a use met.
type VenueReason struct {
	Match     string    `json:"match"`
	Action    string    `json:"action"`
	Incident  string    `json:"incident,omitempty"`
	Route     string    `json:"route"`
	State     string    `json:"state"`
	Shared    string    `json:"shared,omitempty"`
	Note      string    `json:"note,omitempty"`
	Score     uint64    `json:"score"`
	Threshold uint64    `json:"threshold"`
	Signals   []Reading `json:"signals,omitempty"`
}

// A Transition is a change of state.
type Transition struct {
	Sequence  uint64    `json:"sequence"`
	Moment    int64     `json:"moment"`
	Incident  string    `json:"incident"`
	Route     string    `json:"route"`
	From      string    `json:"from"`
	To        string    `json:"to"`
	Cause     string    `json:"cause"`
	Score     uint64    `json:"score"`
	Threshold uint64    `json:"threshold,omitempty"`
	Signals   []Reading `json:"signals,omitempty"`
	By        string    `json:"by,omitempty"`
	Reason    string    `json:"reason,omitempty"`
	Until     int64     `json:"until,omitempty"`
}

// An Override is a state that a person sets, above what the signals say.
type Override struct {
	Moment   int64  `json:"moment,omitempty"`
	Incident string `json:"incident"`
	Route    string `json:"route"`
	State    string `json:"state"`
	Until    int64  `json:"until"`
	// Name is the person, in words; By is whose key it was, or who had signed in.
	Name   string `json:"name"`
	Reason string `json:"reason"`
	By     string `json:"by,omitempty"`
}

// A BlocklistState is what there is of a list.
type BlocklistState struct {
	Name     string `json:"name"`
	Revision uint64 `json:"revision"`
	Moment   int64  `json:"moment"`
	Entries  int    `json:"entries"`
	Content  string `json:"content"` // digest
}

// Form is how a list is written.
type Form string

// The forms of a list.
const (
	Lines Form = "jsonl" // one JSON object a line; the only form of a difference
	Table Form = "csv"
	Plain Form = "txt"
)

// An Edition names what is wanted of a list.
type Edition struct {
	Name string
	Form Form
	// Since is the revision that the caller holds; 0 is for the whole list.
	Since uint64
}

// A Publication is a file that is ready to be sent. It never changes.
type Publication struct {
	Body []byte
	// Signature is minisign's file over Body; nil where lists are not signed.
	Signature []byte
	// ETag is in quotes, as HTTP writes it.
	ETag     string
	Revision uint64
	Moment   int64
}

// A Policy is what is decided by.
type Policy struct {
	Digest    string `json:"digest"`
	Name      string `json:"name"`
	Version   string `json:"version"`
	Text      string `json:"text"`
	Activated int64  `json:"activated"`
	By        string `json:"by,omitempty"`
	Reason    string `json:"reason,omitempty"`
}

// A Draft is a policy that is tried or made to count.
type Draft struct {
	Text string `json:"text"`
	// Reason is why; needed to activate.
	Reason string `json:"reason,omitempty"`
	// Expect is the digest of the policy that the draft is to follow; empty for any.
	Expect string `json:"expect,omitempty"`
	By     string `json:"-"`
	At     int64  `json:"-"`
}

// A DryRun is what a policy would decide.
type DryRun struct {
	Digest  string `json:"digest"`
	Version string `json:"version"`
	// Judged is how many subjects were judged again, Changed how many outcomes differ.
	Judged  int            `json:"judged"`
	Changed int            `json:"changed"`
	Moves   map[string]int `json:"moves"` // by "from>to"
	// Examples are some of those that differ.
	Examples []DryRunExample `json:"examples"`
}

// A DryRunExample is one subject whose outcome would differ.
type DryRunExample struct {
	Subject string           `json:"subject"`
	Chain   string           `json:"chain,omitempty"`
	From    exposure.Outcome `json:"from"`
	To      exposure.Outcome `json:"to"`
	Reason  string           `json:"reason,omitempty"`
}

// A Case is a case file with who made it what it is.
type Case struct {
	ID        string `json:"id"`
	Title     string `json:"title"`
	State     string `json:"state"` // open or closed
	Text      string `json:"text"`  // the case file, YAML
	Revision  int64  `json:"revision"`
	OpenedBy  string `json:"opened_by"`
	Opened    int64  `json:"opened"`
	ChangedBy string `json:"changed_by"`
	Changed   int64  `json:"changed"`
}

// A CaseChange is what a case is to become.
type CaseChange struct {
	ID    string `json:"-"`
	Title string `json:"title"`
	State string `json:"state"`
	Text  string `json:"text"`
	Why   string `json:"why,omitempty"`
	// Expect is the revision that the change was made on, 0 for a new case.
	Expect int64  `json:"expect,omitempty"`
	By     string `json:"-"`
	At     int64  `json:"-"`
}

// A CaseFilter selects cases in order of their identifiers.
type CaseFilter struct {
	State, After string
	Limit        int
}

// A Note is what somebody wrote on a case.
type Note struct {
	Sequence int64  `json:"sequence"`
	ID       string `json:"id"`
	Text     string `json:"text"`
	By       string `json:"by"`
	At       int64  `json:"at"`
}

// An Address is what the ledger holds of an address.
type Address struct {
	Chain    string    `json:"chain"`
	Address  string    `json:"address"` // in its canonical form
	Entity   string    `json:"entity,omitempty"`
	Cluster  string    `json:"cluster,omitempty"`
	Members  int       `json:"cluster_members,omitempty"`
	Touches  uint64    `json:"transfers"`
	First    *Moment   `json:"first,omitempty"`
	Last     *Moment   `json:"last,omitempty"`
	Holdings []Holding `json:"holdings"`
}

// A Moment is a block and its time.
type Moment struct {
	Height uint64 `json:"height"`
	Time   int64  `json:"time"`
}

// A Holding is what an address has of an asset.
type Holding struct {
	Asset  ledger.Asset     `json:"asset"`
	Amount exposure.Decimal `json:"amount"`
}

// A Transfer is one movement, seen from an address.
type Transfer struct {
	Tx        string             `json:"tx"`
	Height    uint64             `json:"height"`
	Time      int64              `json:"time"`
	Direction exposure.Direction `json:"direction"`
	Asset     ledger.Asset       `json:"asset"`
	Amount    exposure.Decimal   `json:"amount"`
	// Counterparties are the other side, the first few; a movement of a UTXO chain is of
	// many to many.
	Counterparties []string `json:"counterparties"`
	Kind           string   `json:"kind,omitempty"`
}

// A Label is what somebody says of an address.
type Label struct {
	ID         string `json:"id"`
	Label      string `json:"label"`
	Actor      string `json:"actor,omitempty"`
	Category   string `json:"category,omitempty"`
	Abuse      string `json:"abuse,omitempty"`
	Confidence int    `json:"confidence"`
	By         string `json:"by"`
	Source     string `json:"source,omitempty"`
	Why        string `json:"why,omitempty"`
	From       int64  `json:"from,omitempty"`
	Until      int64  `json:"until,omitempty"`
	Learned    int64  `json:"learned"`
}

// A Transaction is what the ledger holds of a transaction.
type Transaction struct {
	Chain      string `json:"chain"`
	ID         string `json:"id"`
	Height     uint64 `json:"height"`
	Block      string `json:"block"`
	Time       int64  `json:"time"`
	Provenance string `json:"provenance"` // proven, node or file
	Status     string `json:"status,omitempty"`
	Fee        *Leg   `json:"fee,omitempty"`
	// Inputs and Outputs on UTXO chains, Movements on others.
	Inputs    []Leg      `json:"inputs,omitempty"`
	Outputs   []Leg      `json:"outputs,omitempty"`
	Movements []Movement `json:"movements,omitempty"`
}

// A Leg is one side of a transaction.
type Leg struct {
	Address string           `json:"address,omitempty"`
	Asset   ledger.Asset     `json:"asset"`
	Amount  exposure.Decimal `json:"amount"`
	// Outpoint is where it comes from, or what it becomes; SpentBy is who spent it.
	Outpoint string `json:"outpoint,omitempty"`
	SpentBy  string `json:"spent_by,omitempty"`
}

// A Movement is value that goes from one account to another.
type Movement struct {
	From   string           `json:"from"`
	To     string           `json:"to"`
	Asset  ledger.Asset     `json:"asset"`
	Amount exposure.Decimal `json:"amount"`
	Kind   string           `json:"kind,omitempty"`
	Log    *int             `json:"log_index,omitempty"`
}
