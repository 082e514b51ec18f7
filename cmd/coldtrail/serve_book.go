package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"coldtrail/casebook"
	"coldtrail/screen"
	"coldtrail/screen/exposure"
	"coldtrail/screen/policy"
	"coldtrail/server"
)

// A partError is an error of a part in words for a caller.
type partError struct {
	as   error // one of the server's
	text string
}

// Error is what the caller reads.
func (e *partError) Error() string { return e.text }

// Unwrap says what the server makes of it.
func (e *partError) Unwrap() error { return e.as }

func refuse(as error, format string, args ...any) error {
	return &partError{as, fmt.Sprintf(format, args...)}
}

// answered turns an error of the casebook into one that the server knows how to answer.
func answered(err error) error {
	var invalid *casebook.InvalidError
	as := error(nil)
	switch {
	case err == nil:
		return nil
	case errors.As(err, &invalid):
		return refuse(server.ErrInvalid, "%s", invalid.Error())
	case errors.Is(err, casebook.ErrFull):
		return refuse(server.ErrFull, "%s; nothing was changed", casebook.ErrFull.Error()) // the rest is the database's
	case errors.Is(err, casebook.ErrNotFound):
		as = server.ErrNotFound
	case errors.Is(err, casebook.ErrChanged):
		as = server.ErrChanged
	case errors.Is(err, casebook.ErrConflict):
		as = server.ErrConflict
	default:
		return err
	}
	return refuse(as, "%s", strings.TrimPrefix(err.Error(), "casebook: "))
}

// each converts a list.
func each[A, B any](list []A, err error, to func(*A) B) ([]B, error) {
	if err != nil {
		return nil, answered(err)
	}
	out := make([]B, len(list))
	for i := range list {
		out[i] = to(&list[i])
	}
	return out, nil
}

// retyped makes texts of one kind those of another.
func retyped[A, B ~string](list []A) (out []B) {
	for _, text := range list {
		out = append(out, B(text))
	}
	return out
}

// bookAlerts gives the server the alerts of a casebook.
type bookAlerts struct {
	book   casebook.Alerts
	newest atomic.Int64 // the highest number that was seen
}

func newBookAlerts(book casebook.Alerts) *bookAlerts { return &bookAlerts{book: book} }

// Alerts gives the alerts that a filter selects. A kind or state that does not exist is
// refused: it must not read as if there were no alerts.
func (a *bookAlerts) Alerts(ctx context.Context, f server.AlertFilter) ([]server.Alert, error) {
	filter := casebook.AlertFilter{Kind: casebook.AlertKind(f.Kind), State: casebook.AlertState(f.State), After: f.After, Limit: f.Limit}
	if f.Kind != "" && !slices.Contains(casebook.AlertKinds, filter.Kind) {
		return nil, refuse(server.ErrInvalid, "there are no alerts of kind %q; the kinds are %s", f.Kind, joined(casebook.AlertKinds))
	}
	if f.State != "" && filter.State != casebook.Standing && filter.State != casebook.TakenBack {
		return nil, refuse(server.ErrInvalid, "the state %q is neither %s nor %s", f.State, casebook.Standing, casebook.TakenBack)
	}
	filter.Chain, filter.Subject = chainNamed(f.Chain), subjectNamed(f.Chain, f.Subject)
	alerts, err := a.book.Alerts(ctx, filter)
	return each(alerts, err, serverAlert)
}

func joined[T ~string](list []T) string { return strings.Join(retyped[T, string](list), ", ") }

func serverAlert(a *casebook.Alert) server.Alert {
	alert := server.Alert{
		Sequence: a.Sequence, ID: a.ID, Kind: string(a.Kind), Subject: a.Subject, Chain: a.Chain, Level: a.Level, Body: a.Body,
		Created: a.Created, State: string(a.State), Withdraws: a.Withdraws, WithdrawnBy: a.WithdrawnBy,
	}
	if a.Cause.Block != "" {
		alert.Cause = &server.Cause{Chain: a.Cause.Chain, Height: a.Cause.Height, Block: a.Cause.Block}
	}
	return alert
}

// Alert gives one.
func (a *bookAlerts) Alert(ctx context.Context, id string) (server.Alert, error) {
	alert, err := a.book.Alert(ctx, id)
	if err != nil {
		return server.Alert{}, answered(err)
	}
	return serverAlert(&alert), nil
}

// Newest gives the highest number. The casebook has no question for it, but numbers
// alerts without gaps: the highest is found by steps that grow and then shrink, from the
// one that was seen last.
func (a *bookAlerts) Newest(ctx context.Context) (int64, error) {
	at := a.newest.Load()
	for step := int64(1); step > 0; {
		found, err := a.book.Alerts(ctx, casebook.AlertFilter{After: at + step - 1, Limit: 1})
		switch {
		case err != nil:
			return 0, answered(err)
		case len(found) > 0:
			at = found[0].Sequence
			step *= 2
		default:
			step /= 2
		}
	}
	a.newest.Store(at)
	return at, nil
}

// bookSubscriptions gives the server the targets and subscriptions of a casebook.
type bookSubscriptions struct {
	book   casebook.Subscriptions
	secret func() string
}

// newBookSubscriptions takes subscriptions of a casebook, and what makes the secrets that
// webhooks are signed with.
func newBookSubscriptions(book casebook.Subscriptions, secret func() string) *bookSubscriptions {
	return &bookSubscriptions{book, secret}
}

// Subscriptions gives all, also those that ended.
func (b *bookSubscriptions) Subscriptions(ctx context.Context) ([]server.Subscription, error) {
	all, err := b.book.Subscriptions(ctx)
	return each(all, err, func(s *casebook.Subscription) server.Subscription {
		return server.Subscription{
			ID: s.ID, Name: s.Name, Target: s.Target, Kinds: retyped[casebook.AlertKind, string](s.Kinds), Levels: s.Levels, Chains: s.Chains,
			Subjects: s.Subjects, By: s.By, Created: s.Created, Ended: s.Ended,
		}
	})
}

// SaveSubscription makes or changes one. Chains and addresses are kept as alerts name
// them: another spelling would never match.
func (b *bookSubscriptions) SaveSubscription(ctx context.Context, s server.Subscription) error {
	if s.Ended == 0 {
		targets, err := b.book.Targets(ctx)
		if err != nil {
			return answered(err)
		}
		if slices.ContainsFunc(targets, func(t casebook.Target) bool { return t.ID == s.Target && t.Ended != 0 }) {
			return refuse(server.ErrInvalid, "the target %s was given up; make it anew first", s.Target)
		}
	}
	sub := casebook.Subscription{
		ID: s.ID, Name: s.Name, Target: s.Target, Kinds: retyped[string, casebook.AlertKind](s.Kinds), Levels: s.Levels, By: s.By, Created: s.Created, Ended: s.Ended,
	}
	for _, chain := range s.Chains {
		sub.Chains = append(sub.Chains, chainNamed(chain))
	}
	only := ""
	if len(s.Chains) == 1 {
		only = s.Chains[0]
	}
	for _, subject := range s.Subjects {
		sub.Subjects = append(sub.Subjects, subjectNamed(only, subject))
	}
	return answered(b.book.SaveSubscription(ctx, sub))
}

// Targets gives all, also those that were given up, without their secrets.
func (b *bookSubscriptions) Targets(ctx context.Context) ([]server.Target, error) {
	all, err := b.book.Targets(ctx)
	return each(all, err, serverTarget)
}

func serverTarget(t *casebook.Target) server.Target {
	return server.Target{ID: t.ID, Name: t.Name, Kind: string(t.Kind), Address: t.Address, By: t.By, Created: t.Created, Ended: t.Ended}
}

// SaveTarget makes or changes a target. A webhook that is new, or that moves to another
// address, gets a new secret, which is told once. After a move messages are signed with
// the one before too, so that a receiver that only got another name misses nothing.
func (b *bookSubscriptions) SaveTarget(ctx context.Context, t server.Target) (server.Target, error) {
	target := casebook.Target{ID: t.ID, Name: t.Name, Kind: casebook.TargetKind(t.Kind), Address: t.Address, By: t.By, Created: t.Created, Ended: t.Ended}
	all, err := b.book.Targets(ctx)
	if err != nil {
		return server.Target{}, answered(err)
	}
	moved := true
	if at := slices.IndexFunc(all, func(held casebook.Target) bool { return held.ID == t.ID }); at >= 0 {
		held := &all[at]
		moved = held.Address != t.Address || held.Kind != target.Kind
		target.Secrets, target.By, target.Created = held.Secrets, held.By, held.Created
	}
	if moved {
		if err := checkTarget(target.Kind, target.Address); err != nil {
			return server.Target{}, err
		}
	}
	secret := ""
	if target.Kind == casebook.Webhook && (moved || len(target.Secrets) == 0) {
		secret = b.secret()
		target.Secrets = slices.Insert(slices.Clone(target.Secrets[:min(1, len(target.Secrets))]), 0, secret)
	}
	if err := b.book.SaveTarget(ctx, target); err != nil {
		return server.Target{}, answered(err)
	}
	saved := serverTarget(&target)
	saved.Secret = secret
	return saved, nil
}

// bookWatchLists gives the server the watch-lists of a casebook.
type bookWatchLists struct{ book casebook.Watchlists }

func newBookWatchLists(book casebook.Watchlists) *bookWatchLists { return &bookWatchLists{book} }

// WatchLists gives all, also those that were given up.
func (b *bookWatchLists) WatchLists(ctx context.Context) ([]server.WatchList, error) {
	all, err := b.book.Watchlists(ctx)
	return each(all, err, func(l *casebook.Watchlist) server.WatchList { return server.WatchList(*l) })
}

// SaveWatchList makes a list or changes one.
func (b *bookWatchLists) SaveWatchList(ctx context.Context, list server.WatchList) error {
	return answered(b.book.SaveWatchlist(ctx, casebook.Watchlist(list)))
}

// ChangeMembers adds and removes. Addresses are kept as verdicts name them; one that
// cannot be an address of its chain is refused.
func (b *bookWatchLists) ChangeMembers(ctx context.Context, list string, change server.MemberChange) error {
	c := casebook.MemberChange{List: list}
	for _, m := range change.Add {
		var err error
		if m.Chain, m.Address, err = canonicalAddress(m.Chain, m.Address); err != nil {
			return err
		}
		c.Add = append(c.Add, casebook.Member(m))
	}
	for _, m := range change.Remove {
		if chain, address, err := canonicalAddress(m.Chain, m.Address); err == nil {
			m.Chain, m.Address = chain, address
		}
		c.Remove = append(c.Remove, casebook.Member(m))
	}
	return answered(b.book.ChangeMembers(ctx, c))
}

// Members gives members after one.
func (b *bookWatchLists) Members(ctx context.Context, list string, after server.Member, limit int) ([]server.Member, error) {
	all, err := b.book.Watchlists(ctx)
	if err != nil {
		return nil, answered(err)
	}
	if !slices.ContainsFunc(all, func(l casebook.Watchlist) bool { return l.ID == list }) {
		return nil, refuse(server.ErrNotFound, "there is no watch-list %s", list)
	}
	members, err := b.book.Members(ctx, list, casebook.Member(after), limit)
	return each(members, err, func(m *casebook.Member) server.Member { return server.Member(*m) })
}

// bookCases gives the server the cases of a casebook.
type bookCases struct {
	book    casebook.Casework
	changed func()
}

// newBookCases takes the cases of a casebook, and what is called after one has changed.
func newBookCases(book casebook.Casework, changed func()) *bookCases {
	return &bookCases{book, changed}
}

// Cases gives the cases that a filter selects.
func (b *bookCases) Cases(ctx context.Context, f server.CaseFilter) ([]server.Case, error) {
	filter := casebook.CaseFilter{State: casebook.CaseState(f.State), After: f.After, Limit: f.Limit}
	if f.State != "" && filter.State != casebook.CaseOpen && filter.State != casebook.CaseClosed {
		return nil, refuse(server.ErrInvalid, "the state %q is neither %s nor %s", f.State, casebook.CaseOpen, casebook.CaseClosed)
	}
	cases, err := b.book.Cases(ctx, filter)
	return each(cases, err, serverCase)
}

func serverCase(c *casebook.Case) server.Case {
	return server.Case{
		ID: c.ID, Title: c.Title, State: string(c.State), Text: c.Text, Revision: c.Revision, OpenedBy: c.OpenedBy, Opened: c.Opened,
		ChangedBy: c.ChangedBy, Changed: c.Changed,
	}
}

// Case gives one.
func (b *bookCases) Case(ctx context.Context, id string) (server.Case, error) {
	c, err := b.book.Case(ctx, id)
	if err != nil {
		return server.Case{}, answered(err)
	}
	return serverCase(&c), nil
}

// SaveCase adds a revision. Text and title that are left out stay as they are. The text
// has to be the case file of a case of this name, unless a case is closed that has it.
func (b *bookCases) SaveCase(ctx context.Context, c server.CaseChange) (server.Case, error) {
	held, err := b.book.Case(ctx, c.ID)
	if err != nil && !errors.Is(err, casebook.ErrNotFound) {
		return server.Case{}, answered(err)
	}
	c.Text = cmp.Or(c.Text, held.Text)
	if c.State != string(casebook.CaseClosed) || c.Text != held.Text || c.Text == "" {
		parsed, err := parseCase(c.ID, c.Text)
		if err != nil {
			return server.Case{}, refuse(server.ErrInvalid, "%s", err)
		}
		if parsed.Name != c.ID {
			return server.Case{}, refuse(server.ErrInvalid, "%s: case: it is the case file of %q, and goes under that identifier", c.ID, parsed.Name)
		}
		c.Title = cmp.Or(c.Title, parsed.Title)
	}
	saved, err := b.book.SaveCase(ctx, casebook.CaseChange{
		ID: c.ID, Title: cmp.Or(c.Title, held.Title), State: casebook.CaseState(c.State), Text: c.Text, By: c.By, At: c.At, Why: c.Why, Expect: c.Expect,
	})
	if err != nil {
		return server.Case{}, answered(err)
	}
	if saved.Revision != c.Expect && b.changed != nil {
		b.changed()
	}
	return serverCase(&saved), nil
}

// Notes gives the notes on a case.
func (b *bookCases) Notes(ctx context.Context, id string, after int64, limit int) ([]server.Note, error) {
	if _, err := b.book.Case(ctx, id); err != nil {
		return nil, answered(err)
	}
	notes, err := b.book.Notes(ctx, casebook.Topic{Kind: casebook.AboutCase, Subject: id}, after, limit)
	return each(notes, err, serverNote)
}

func serverNote(n *casebook.Note) server.Note {
	return server.Note{Sequence: n.Sequence, ID: n.ID, Text: n.Text, By: n.By, At: n.At}
}

// AddNote adds a note to a case.
func (b *bookCases) AddNote(ctx context.Context, id string, note server.Note) (server.Note, error) {
	if _, err := b.book.Case(ctx, id); err != nil {
		return server.Note{}, answered(err)
	}
	added, err := b.book.AddNote(ctx, casebook.Note{About: casebook.Topic{Kind: casebook.AboutCase, Subject: id}, Text: note.Text, By: note.By, At: note.At})
	if err != nil {
		return server.Note{}, answered(err)
	}
	return serverNote(&added), nil
}

// bookPolicies gives the server the policies of a casebook.
type bookPolicies struct {
	book    casebook.Policies
	known   func() *screen.Knowledge
	given   string // the text of --policy, which decides instead; empty without
	changed func(*policy.Policy)

	writing sync.Mutex // one activation at a time: it follows the one that it expects
	trying  sync.Mutex // one dry run at a time: it takes a processor for seconds
}

// newBookPolicies takes the policies of a casebook. Known gives what dry runs are tried
// on. Given is the text of a policy that counts whatever the casebook says, or empty.
// Changed is called with a policy after it was made the one that counts.
func newBookPolicies(book casebook.Policies, known func() *screen.Knowledge, given string, changed func(*policy.Policy)) *bookPolicies {
	return &bookPolicies{book: book, known: known, given: given, changed: changed}
}

// activePolicy is the policy of a casebook that counts, or the bundled one where none was
// made to.
func activePolicy(ctx context.Context, book casebook.Policies) (*policy.Policy, server.Policy, error) {
	activations, err := book.Activations(ctx)
	if err != nil {
		return nil, server.Policy{}, answered(err)
	}
	if len(activations) == 0 {
		p := policy.Default()
		return p, serverPolicy(p, policy.DefaultText), nil
	}
	held, err := book.Policies(ctx)
	if err != nil {
		return nil, server.Policy{}, answered(err)
	}
	active := activations[0]
	at := slices.IndexFunc(held, func(p casebook.Policy) bool { return p.Digest == active.Policy })
	if at < 0 {
		return nil, server.Policy{}, fmt.Errorf("the casebook has lost its active policy %s", active.Policy)
	}
	p, err := policy.Parse([]byte(held[at].Text))
	if err != nil {
		return nil, server.Policy{}, fmt.Errorf("the active policy %s@%s of the casebook: %w", held[at].Name, held[at].Version, err)
	}
	said := serverPolicy(p, held[at].Text)
	said.Activated, said.By, said.Reason = active.At, active.By, active.Why
	return p, said, nil
}

func serverPolicy(p *policy.Policy, text string) server.Policy {
	return server.Policy{Digest: p.Digest(), Name: p.Name(), Version: p.Version(), Text: text}
}

// Policy gives the policy that counts.
func (b *bookPolicies) Policy(ctx context.Context) (server.Policy, error) {
	if b.given != "" {
		p, err := readPolicy(b.given)
		if err != nil {
			return server.Policy{}, err
		}
		return serverPolicy(p, b.given), nil
	}
	_, said, err := activePolicy(ctx, b.book)
	return said, err
}

// readPolicy reads a policy, which has to pass its own tests.
func readPolicy(text string) (*policy.Policy, error) {
	p, err := policy.Parse([]byte(text))
	if err == nil {
		err = p.Validate()
	}
	if err != nil {
		return nil, refuse(server.ErrInvalid, "%s", err)
	}
	return p, nil
}

// Activate makes a policy the one that counts. Nothing happens where it does already.
func (b *bookPolicies) Activate(ctx context.Context, draft server.Draft) (server.Policy, error) {
	if b.given != "" {
		return server.Policy{}, refuse(server.ErrInvalid, "the server was started with --policy, and that file decides; start it without to activate policies here")
	}
	p, err := readPolicy(draft.Text)
	if err != nil {
		return server.Policy{}, err
	}
	b.writing.Lock()
	defer b.writing.Unlock()
	_, current, err := activePolicy(ctx, b.book)
	switch {
	case err != nil:
		return server.Policy{}, err
	case draft.Expect != "" && draft.Expect != current.Digest:
		return server.Policy{}, refuse(server.ErrChanged, "%s@%s counts now, with the digest %s", current.Name, current.Version, current.Digest)
	case current.Digest == p.Digest() && current.Text == draft.Text && current.Activated != 0:
		return current, nil
	}
	_, err = b.book.AddPolicy(ctx, casebook.Policy{Digest: p.Digest(), Name: p.Name(), Version: p.Version(), Text: draft.Text, By: draft.By, Added: draft.At})
	if errors.Is(err, casebook.ErrConflict) {
		return server.Policy{}, refuse(server.ErrConflict, "%s@%s is held with the same rules in other words; raise its version", p.Name(), p.Version())
	}
	if err != nil {
		return server.Policy{}, answered(err)
	}
	if _, err = b.book.Activate(ctx, casebook.Activation{Policy: p.Digest(), By: draft.By, At: draft.At, Why: draft.Reason}); err != nil {
		return server.Policy{}, answered(err)
	}
	if b.changed != nil {
		b.changed(p)
	}
	said := serverPolicy(p, draft.Text)
	said.Activated, said.By, said.Reason = draft.At, draft.By, draft.Reason
	return said, nil
}

const (
	triedAtOnce  = 256 // examples in memory
	triedSamples = 10  // examples shown of each move
)

// triedPurposes are what subjects are judged for. The empty one would say nothing more.
var triedPurposes = []exposure.Purpose{exposure.Deposit, exposure.Withdrawal, exposure.Swap, exposure.Refund}

// DryRun judges everybody of whom something is known by a policy, and says where the
// outcome would be another, for any purpose. A subject counts once, and one stands for all
// of whom nothing but the same owner is known. What is not done when three quarters of the
// time are over is left out: Judged says how far it came.
func (b *bookPolicies) DryRun(ctx context.Context, draft server.Draft) (server.DryRun, error) {
	p, err := readPolicy(draft.Text)
	if err != nil {
		return server.DryRun{}, err
	}
	known := b.known()
	if known == nil {
		return server.DryRun{}, refuse(server.ErrUnavailable, "labels and cases are still being read")
	}
	if draft.Expect != "" && draft.Expect != known.Policy().Digest() {
		return server.DryRun{}, refuse(server.ErrChanged, "%s counts now", known.Policy())
	}
	if !b.trying.TryLock() {
		return server.DryRun{}, refuse(server.ErrUnavailable, "another dry run is going on")
	}
	defer b.trying.Unlock()
	if end, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, end.Add(-time.Until(end)/4))
		defer cancel()
	}
	run := server.DryRun{Digest: p.Digest(), Version: p.Version(), Moves: map[string]int{}, Examples: []server.DryRunExample{}}
	var chunk []policy.Example
	for e := range known.Examples(exposure.AnyPurpose, nil) {
		if chunk = append(chunk, e); len(chunk) < triedAtOnce {
			continue
		}
		if ctx.Err() != nil {
			return run, nil
		}
		try(&run, known.Policy(), p, chunk)
		chunk = chunk[:0]
	}
	try(&run, known.Policy(), p, chunk)
	return run, nil
}

// try judges some subjects by two policies.
func try(run *server.DryRun, before, after *policy.Policy, chunk []policy.Example) {
	run.Judged += len(chunk)
	moved := make([]bool, len(chunk))
	for _, purpose := range triedPurposes {
		for i := range chunk {
			chunk[i].Question.Purpose = purpose
		}
		for _, c := range policy.Compare(before, after, chunk) {
			if c.Before.Outcome == c.After.Outcome || moved[c.Example] {
				continue
			}
			moved[c.Example] = true
			run.Changed++
			move := string(c.Before.Outcome) + ">" + string(c.After.Outcome)
			if run.Moves[move]++; run.Moves[move] > triedSamples {
				continue
			}
			run.Examples = append(run.Examples, server.DryRunExample{
				Subject: c.Subject, Chain: chunk[c.Example].Subject.Chain, From: c.Before.Outcome, To: c.After.Outcome,
				Reason: fmt.Sprintf("%s: by %s, was by %s", purpose, strings.Join(c.After.Deciding, ", "), strings.Join(c.Before.Deciding, ", ")),
			})
		}
	}
}
