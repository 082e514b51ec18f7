package server_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"coldtrail/holdings"
	"coldtrail/ledger"
	"coldtrail/register"
	"coldtrail/screen/exposure"
	"coldtrail/server"
)

// The parts here stand in for engines and stores that the binary wires. They answer with
// fixed content, so that what is tested is what the server does with it.

// The subjects that the screening of the tests knows.
const (
	sanctionedAddress = "0x098B716B8Aaf21512996dC57EB0615e2383E2f96"
	delistedAddress   = "0x8589427373D6D84E98730D7795D8f6f8731FDA16"
	ownedAddress      = "0xa0e1c89Ef1a489c9C7dE96311eD5Ce5D32c20E4B"
	cleanAddress      = "0x00000000219ab540356cBB839Cbd05303d7705Fa"
	bitcoinAddress    = "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"
)

// screening is a state of knowledge that tests can change.
type screening struct {
	mu   sync.Mutex
	now  *view
	fail error
}

func (s *screening) Now() server.View {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.now == nil {
		return nil
	}
	return s.now
}

func (s *screening) set(v *view) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = v
}

func (s *screening) At(_ context.Context, q *exposure.Question) (exposure.Verdict, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var v exposure.Verdict
	if s.fail != nil {
		return v, s.fail
	}
	s.now.Screen(q, &v)
	basis := *s.now.basis
	basis.At, basis.Known = q.At, q.Known
	v.Basis = &basis
	return v, nil
}

// Explain names a transaction for every conclusion.
func (*screening) Explain(_ context.Context, v *exposure.Verdict) error {
	for i := range v.Facts {
		if v.Facts[i].Kind == exposure.Owned {
			v.Facts[i].Evidence = []string{"0xtie"}
		}
	}
	return nil
}

// view knows three addresses.
type view struct {
	basis *exposure.Basis
	panic atomic.Bool
	fat   int // bytes of ballast in a fact
}

func newView(seen int64) *view {
	return &view{basis: &exposure.Basis{
		Index: 7,
		Heads: map[string]exposure.Head{
			"eip155:1":             {Height: 21900000, Hash: "0xabc", Time: seen - 12, Seen: seen},
			string(ledger.Bitcoin): {Height: 880000, Hash: "0000", Time: seen - 400, Seen: seen - 30},
		},
		Labels: "sha256:aa", Policy: "default 1 sha256:bb", Cases: "sha256:cc", Rules: "v1",
	}}
}

func (v *view) Basis() *exposure.Basis { return v.basis }

func (v *view) Screen(q *exposure.Question, into *exposure.Verdict) {
	if v.panic.Load() {
		panic("a mistake of the program")
	}
	*into = exposure.Verdict{
		Subject: q.Subject, Chain: q.Chain, Purpose: q.Purpose, Level: exposure.Unknown, Outcome: exposure.Allow,
		Reasons: []exposure.Reason{{Code: "no-facts", Outcome: exposure.Allow, Fact: -1}}, Facts: []exposure.Fact{},
	}
	fact := exposure.Fact{
		Kind: exposure.Labelled, Category: "sanction", Entity: "Lazarus Group", Sanction: true, Authority: "OFAC SDN", Confidence: 100,
		From: 1649894400, By: "OFAC", Source: "https://home.treasury.gov/policy-issues", Claim: "c1" + strings.Repeat("x", v.fat),
	}
	switch {
	case strings.EqualFold(q.Subject, sanctionedAddress):
	case strings.EqualFold(q.Subject, delistedAddress):
		fact.To = 1742515200
	case strings.EqualFold(q.Subject, ownedAddress):
		fact.Kind, fact.About, fact.Rule = exposure.Owned, sanctionedAddress, "deposit-address"
	case strings.HasPrefix(q.Subject, "0x") && len(q.Subject) == 42, len(q.Subject) >= 26 && len(q.Subject) <= 66 && !strings.HasPrefix(q.Subject, "0x"):
		return
	default:
		into.Outcome = exposure.Review
		into.Reasons = []exposure.Reason{{Code: "not-an-address", Outcome: exposure.Review, Fact: -1}}
		return
	}
	into.Level, into.Outcome, into.Score = exposure.Severe, exposure.Freeze, 100
	into.Reasons = []exposure.Reason{{Code: "sanctioned", Outcome: exposure.Freeze, Why: "An authority lists the address.", Fact: 0}}
	into.Facts = []exposure.Fact{fact}
}

func (v *view) ScreenBytes(dst []byte, q *exposure.Question) ([]byte, exposure.Outcome) {
	var verdict exposure.Verdict
	v.Screen(q, &verdict)
	text, err := json.Marshal(&verdict)
	if err != nil {
		panic(err)
	}
	bare, ok := strings.CutSuffix(string(text), `,"basis":null}`)
	if !ok {
		panic("basis is not last")
	}
	return append(append(dst, bare...), '}'), verdict.Outcome
}

// audit keeps records in memory.
type audit struct {
	mu      sync.Mutex
	records []server.Record
	fail    error
}

func (a *audit) Append(r *server.Record) (uint64, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.fail != nil {
		return 0, a.fail
	}
	kept := *r
	kept.Question, kept.Answer = slices.Clone(r.Question), slices.Clone(r.Answer)
	a.records = append(a.records, kept)
	return uint64(len(a.records)), nil
}

func (a *audit) setFail(err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.fail = err
}

func (a *audit) last() server.Record {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.records) == 0 {
		return server.Record{}
	}
	return a.records[len(a.records)-1]
}

func (a *audit) count() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.records)
}

// keys has a key for each role, whose text is the role's name after "ctk_".
type keys struct {
	mu   sync.Mutex
	keys []server.Key
	used map[string]int64
	fail error
}

func newKeys() *keys {
	k := &keys{used: map[string]int64{}}
	for _, role := range server.Roles {
		k.keys = append(k.keys, server.Key{ID: "key-" + string(role), Digest: sha256.Sum256([]byte("ctk_" + string(role))), Name: "a " + string(role), Role: role, Created: 1})
	}
	k.keys = append(k.keys,
		server.Key{ID: "key-revoked", Digest: sha256.Sum256([]byte("ctk_revoked")), Name: "revoked", Role: server.Admin, Created: 1, Revoked: 2, RevokedBy: "key-admin"},
		server.Key{ID: "key-expired", Digest: sha256.Sum256([]byte("ctk_expired")), Name: "expired", Role: server.Admin, Created: 1, Expires: 2})
	return k
}

func (k *keys) Keys(context.Context) ([]server.Key, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Clone(k.keys), k.fail
}

func (k *keys) Digest(text string) ([32]byte, bool) {
	return sha256.Sum256([]byte(text)), strings.HasPrefix(text, "ctk_")
}

func (k *keys) AddKey(_ context.Context, key server.Key) (server.Key, string, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	text := fmt.Sprintf("ctk_new%d", len(k.keys))
	key.ID, key.Digest = fmt.Sprintf("key-%d", len(k.keys)), sha256.Sum256([]byte(text))
	k.keys = append(k.keys, key)
	return key, text, nil
}

func (k *keys) RevokeKey(_ context.Context, id, by string, at int64) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	for i := range k.keys {
		if k.keys[i].ID == id {
			k.keys[i].Revoked, k.keys[i].RevokedBy = at, by
			return nil
		}
	}
	return fmt.Errorf("key %s: %w", id, server.ErrNotFound)
}

func (k *keys) UsedKeys(_ context.Context, last map[string]int64) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	for id, at := range last {
		k.used[id] = at
	}
	return nil
}

func (k *keys) setFail(err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.fail = err
}

// alerts is a list that grows.
type alerts struct {
	mu   sync.Mutex
	list []server.Alert
}

func (a *alerts) raise(n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for range n {
		sequence := int64(2*len(a.list) + 2) // with gaps
		a.list = append(a.list, server.Alert{
			Sequence: sequence, ID: fmt.Sprintf("alert-%d", sequence), Kind: []string{"watch-hit", "data-stale"}[len(a.list)%2], Subject: cleanAddress, Chain: "eip155:1",
			Level: exposure.High, Body: json.RawMessage(`{"why":"a test"}`), Cause: &server.Cause{Chain: "eip155:1", Height: 5, Block: "0xab"}, Created: 10, State: "standing",
		})
	}
}

func (a *alerts) Alerts(_ context.Context, f server.AlertFilter) ([]server.Alert, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	var out []server.Alert
	for _, alert := range a.list {
		if alert.Sequence > f.After && (f.Kind == "" || f.Kind == alert.Kind) && len(out) < f.Limit {
			out = append(out, alert)
		}
	}
	return out, nil
}

func (a *alerts) Alert(_ context.Context, id string) (server.Alert, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, alert := range a.list {
		if alert.ID == id {
			return alert, nil
		}
	}
	return server.Alert{}, server.ErrNotFound
}

func (a *alerts) Newest(context.Context) (int64, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.list) == 0 {
		return 0, nil
	}
	return a.list[len(a.list)-1].Sequence, nil
}

// desk is the work around: everything that people keep.
type desk struct {
	mu            sync.Mutex
	subscriptions map[string]server.Subscription
	targets       map[string]server.Target
	lists         map[string]server.WatchList
	members       []server.Member
	venues        map[string]server.Venue
	uses          map[string]server.Use
	cases         map[string]server.Case
	notes         []server.Note
	policy        server.Policy
	full          bool
}

func newDesk() *desk {
	return &desk{
		subscriptions: map[string]server.Subscription{}, targets: map[string]server.Target{}, lists: map[string]server.WatchList{},
		venues: map[string]server.Venue{"swap": {
			ID: "swap", Name: "Our swap", Kind: "events", Config: json.RawMessage("{}"), By: "key-operator", Created: 1, Changed: 1,
			States: []server.VenueState{{Incident: "bybit-2025", Route: "*", State: "WATCH", Beneath: "WATCH", Since: 5, Score: 41, Signals: []server.Reading{{Signal: "share", Value: 3, Unit: "bp", Points: 1, Weight: 30}}}},
		}},
		uses: map[string]server.Use{}, cases: map[string]server.Case{},
		policy: server.Policy{Digest: "sha256:p1", Name: "default", Version: "1", Text: "rules: []", Activated: 3},
	}
}

func values[T any](m map[string]T) []T {
	var out []T
	for _, id := range slices.Sorted(mapsKeys(m)) {
		out = append(out, m[id])
	}
	return out
}

func mapsKeys[T any](m map[string]T) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

func (d *desk) Subscriptions(context.Context) ([]server.Subscription, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return values(d.subscriptions), nil
}

func (d *desk) SaveSubscription(_ context.Context, s server.Subscription) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, ok := d.targets[s.Target]; !ok {
		return fmt.Errorf("target %s: %w", s.Target, server.ErrNotFound)
	}
	d.subscriptions[s.ID] = s
	return nil
}

func (d *desk) Targets(context.Context) ([]server.Target, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return values(d.targets), nil
}

func (d *desk) SaveTarget(_ context.Context, t server.Target) (server.Target, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	_, held := d.targets[t.ID]
	d.targets[t.ID] = t
	if !held {
		t.Secret = "made for " + t.ID
	}
	return t, nil
}

func (d *desk) WatchLists(context.Context) ([]server.WatchList, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return values(d.lists), nil
}

func (d *desk) SaveWatchList(_ context.Context, l server.WatchList) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.full {
		return fmt.Errorf("save watch-list: %w", server.ErrFull)
	}
	d.lists[l.ID] = l
	return nil
}

func (d *desk) ChangeMembers(_ context.Context, list string, change server.MemberChange) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, ok := d.lists[list]; !ok {
		return server.ErrNotFound
	}
	d.members = append(d.members, change.Add...)
	slices.SortFunc(d.members, func(a, b server.Member) int { return strings.Compare(a.Address, b.Address) })
	return nil
}

func (d *desk) Members(_ context.Context, _ string, after server.Member, limit int) ([]server.Member, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []server.Member
	for _, m := range d.members {
		if m.Address > after.Address && len(out) < limit {
			out = append(out, m)
		}
	}
	return out, nil
}

func (d *desk) Venues(context.Context) ([]server.Venue, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return values(d.venues), nil
}

func (d *desk) SaveVenue(_ context.Context, v server.Venue) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.venues[v.ID] = v
	return nil
}

func (d *desk) Use(_ context.Context, venue string, uses []server.Use) ([]server.Decision, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, ok := d.venues[venue]; !ok {
		return nil, server.ErrNotFound
	}
	var out []server.Decision
	for _, u := range uses {
		if held, ok := d.uses[u.ID]; ok && held != u {
			return nil, fmt.Errorf("use %s: %w", u.ID, server.ErrConflict)
		}
		d.uses[u.ID] = u
		action := "pass"
		if strings.EqualFold(u.Sender, sanctionedAddress) {
			action = "refuse"
		}
		out = append(out, server.Decision{ID: u.ID, Moment: u.Moment, Action: action})
	}
	return out, nil
}

func (d *desk) Override(_ context.Context, venue string, o server.Override) ([]server.Transition, error) {
	return []server.Transition{{Sequence: 1, Moment: o.Moment, Incident: o.Incident, Route: o.Route, From: "WATCH", To: o.State, Cause: "override", By: o.By, Reason: o.Reason, Until: o.Until}}, nil
}

func (d *desk) Decisions(_ context.Context, _ string, after int64, limit int) ([]server.Decision, error) {
	var out []server.Decision
	for n := after + 1; n <= 5 && len(out) < limit; n++ {
		out = append(out, server.Decision{Sequence: n, ID: fmt.Sprint("use-", n), Moment: n, Action: "pass", Reasons: []server.VenueReason{{Match: "near", Action: "review", Route: "*", State: "LIMIT", Score: 3, Threshold: 2}}})
	}
	return out, nil
}

func (d *desk) Policy(context.Context) (server.Policy, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.policy, nil
}

func (d *desk) DryRun(_ context.Context, draft server.Draft) (server.DryRun, error) {
	if strings.Contains(draft.Text, "broken") {
		return server.DryRun{}, fmt.Errorf("line 1: %w", server.ErrInvalid)
	}
	return server.DryRun{Digest: "sha256:p2", Version: "2", Judged: 10, Changed: 1, Moves: map[string]int{"allow>review": 1}, Examples: []server.DryRunExample{{Subject: cleanAddress, From: exposure.Allow, To: exposure.Review}}}, nil
}

func (d *desk) Activate(_ context.Context, draft server.Draft) (server.Policy, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if draft.Expect != "" && draft.Expect != d.policy.Digest {
		return server.Policy{}, server.ErrChanged
	}
	d.policy = server.Policy{Digest: "sha256:p2", Name: "default", Version: "2", Text: draft.Text, Activated: draft.At, By: draft.By, Reason: draft.Reason}
	return d.policy, nil
}

func (d *desk) Cases(_ context.Context, f server.CaseFilter) ([]server.Case, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []server.Case
	for _, c := range values(d.cases) {
		if c.ID > f.After && len(out) < f.Limit {
			out = append(out, c)
		}
	}
	return out, nil
}

func (d *desk) Case(_ context.Context, id string) (server.Case, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	c, ok := d.cases[id]
	if !ok {
		return c, fmt.Errorf("case %s: %w", id, server.ErrNotFound)
	}
	return c, nil
}

func (d *desk) SaveCase(_ context.Context, change server.CaseChange) (server.Case, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	held := d.cases[change.ID]
	if held.Revision != change.Expect {
		return held, server.ErrChanged
	}
	saved := server.Case{ID: change.ID, Title: change.Title, State: change.State, Text: change.Text, Revision: held.Revision + 1, OpenedBy: change.By, Opened: change.At, ChangedBy: change.By, Changed: change.At}
	d.cases[change.ID] = saved
	return saved, nil
}

func (d *desk) Notes(_ context.Context, _ string, after int64, limit int) ([]server.Note, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []server.Note
	for _, n := range d.notes {
		if n.Sequence > after && len(out) < limit {
			out = append(out, n)
		}
	}
	return out, nil
}

func (d *desk) AddNote(_ context.Context, _ string, n server.Note) (server.Note, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	n.Sequence = int64(len(d.notes) + 1)
	n.ID = fmt.Sprint("note-", n.Sequence)
	d.notes = append(d.notes, n)
	return n, nil
}

// lists publishes one list in three forms.
type lists struct{}

func (lists) Blocklists(context.Context) ([]server.BlocklistState, error) {
	return []server.BlocklistState{{Name: "refused", Revision: 12, Moment: 1740182400, Entries: 1, Content: "sha256:dd"}}, nil
}

func (lists) Publication(_ context.Context, e server.Edition) (*server.Publication, error) {
	if e.Name != "refused" {
		return nil, fmt.Errorf("list %s: %w", e.Name, server.ErrNotFound)
	}
	p := &server.Publication{Body: []byte(`{"format":"coldtrail-blocklist-1"}` + "\n"), Signature: []byte("untrusted comment: x\nRW\n"), ETag: `W/"sha256:dd"`, Revision: 12, Moment: 1740182400}
	switch {
	case e.Since > 0 && e.Since < 10:
		return nil, fmt.Errorf("revision %d: %w", e.Since, server.ErrGone)
	case e.Since > 0:
		p.Body, p.ETag = []byte(`{"format":"coldtrail-blocklist-delta-1"}`+"\n"), fmt.Sprintf(`"%d-12"`, e.Since)
	case e.Form == server.Table:
		p.Body = []byte("chain,address,category,entity,reason,since\n")
	case e.Form == server.Plain:
		p.Body = []byte("# refused 12\n")
	}
	return p, nil
}

// chain holds one address.
type chain struct{}

func (chain) Address(_ context.Context, c ledger.Chain, address string) (server.Address, error) {
	if address == bitcoinAddress {
		return server.Address{}, fmt.Errorf("%s on %s: %w", address, c, server.ErrNotFound)
	}
	return server.Address{
		Chain: string(c), Address: address, Touches: 2, First: &server.Moment{Height: 1, Time: 2}, Last: &server.Moment{Height: 3, Time: 4},
		Holdings: []server.Holding{{Asset: c.Native(), Amount: exposure.Decimal{Amount: amount("5")}}},
	}, nil
}

func amount(digits string) ledger.Amount {
	a, err := ledger.ParseAmount(digits)
	if err != nil {
		panic(err)
	}
	return a
}

func (chain) Transfers(_ context.Context, c ledger.Chain, _ string, p server.Page) ([]server.Transfer, string, error) {
	if p.After == "end" {
		return nil, "", nil
	}
	return []server.Transfer{{Tx: "0x1", Height: 1, Time: 2, Direction: exposure.Received, Asset: c.Native(), Amount: exposure.Decimal{Amount: amount("7")}}}, "end", nil
}

func (chain) Labels(context.Context, ledger.Chain, string) ([]server.Label, error) {
	return []server.Label{{ID: "l1", Label: "A wallet", Confidence: 50, By: "me", Learned: 1}}, nil
}

func (chain) Transaction(_ context.Context, c ledger.Chain, id string) (server.Transaction, error) {
	return server.Transaction{
		Chain: string(c), ID: id, Height: 1, Block: "0xb", Time: 2, Provenance: "proven", Fee: &server.Leg{Asset: c.Native(), Amount: exposure.Decimal{Amount: amount("1")}},
		Movements: []server.Movement{{From: "0x1", To: "0x2", Asset: c.Native(), Amount: exposure.Decimal{Amount: amount("9")}}},
	}, nil
}

// table is a league table of one.
type table struct{}

func (table) Holdings(_ context.Context, q server.HoldingsQuestion) (*holdings.Report, error) {
	switch {
	case q.AsOf == "yesterday":
		return nil, fmt.Errorf("%w: as_of: %q is no day", server.ErrInvalid, q.AsOf)
	case q.Actor == "nobody":
		return nil, fmt.Errorf("%w: nobody is known by that name", server.ErrNotFound)
	}
	return &holdings.Report{AsOf: q.AsOf + " of " + q.Actor + " in " + q.Asset + " " + strconv.FormatBool(q.All), Sources: []register.Source{}}, nil
}

func (table) Entities(context.Context) ([]server.Actor, error) {
	return []server.Actor{{ID: "lazarus-group", Label: "Lazarus Group", Names: []string{"HIDDEN COBRA"}, Line: []string{"lazarus-group", "dprk"}, Jurisdictions: []string{"KP"}}}, nil
}

func (table) Incidents(_ context.Context, actor string) (server.Incidents, error) {
	return server.Incidents{
		Items:   []register.Incident{{ID: "theft-of-" + actor, Title: "A theft", Date: "2025-02-21", Losses: []register.Loss{}, By: []register.Attribution{}}},
		Sources: []register.Source{{ID: "s", By: "somebody", Title: "A paper"}}, Register: "sha256:aa",
	}, nil
}

func (table) Feed(context.Context) ([]byte, error) { return []byte("<feed/>"), nil }

// health can be made ill.
type health struct{ state atomic.Pointer[server.Part] }

func (h *health) Parts(context.Context) []server.Part {
	if p := h.state.Load(); p != nil {
		return []server.Part{*p}
	}
	return []server.Part{{Name: "store", State: server.Working, Needed: true, Detail: "/var/lib/x"}}
}

func (h *health) Queues() []server.Queue {
	return []server.Queue{{Name: "outbox", Length: 3, Capacity: 1000}}
}

var errDisk = errors.New("write /var/log/audit: no space left on device")

// slowScreening waits before it looks at another time.
type slowScreening struct {
	*screening
	entered, leave chan struct{}
}

func (s *slowScreening) At(ctx context.Context, q *exposure.Question) (exposure.Verdict, error) {
	s.entered <- struct{}{}
	<-s.leave
	return s.screening.At(ctx, q)
}
