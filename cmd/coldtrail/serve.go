package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/big"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"coldtrail/casebook"
	"coldtrail/desk"
	"coldtrail/desk/job"
	"coldtrail/evidence/audit"
	"coldtrail/guard"
	"coldtrail/ingest"
	"coldtrail/ledger"
	"coldtrail/notify"
	"coldtrail/screen"
	"coldtrail/screen/exposure"
	"coldtrail/screen/policy"
	"coldtrail/server"
	"coldtrail/watch"
	"coldtrail/web"
)

// audited is the folder of the audit log beside the store.
const audited = "audit"

type serveVerb struct {
	Listen    []string      `default:"127.0.0.1:8801" placeholder:"HOST:PORT" help:"Where to listen."`
	Follow    []string      `placeholder:"CHAIN=KIND:PLACE" help:"Chains to follow, such as bitcoin=rpc:http://127.0.0.1:8332; may be given several times."`
	Open      bool          `help:"Let everybody in without keys; only on loopback addresses."`
	Cert      string        `type:"path" placeholder:"FILE" help:"TLS certificate, PEM; read again when it changes."`
	Key       string        `type:"path" placeholder:"FILE" help:"Its key."`
	Stale     time.Duration `default:"10m" placeholder:"TIME" help:"Age of a chain's data from which the server calls itself not ready."`
	Receivers []string      `placeholder:"NETWORK" help:"Networks to which webhooks may go although they are private, such as 127.0.0.0/8 or 10.1.0.0/16."`
	SMTP      string        `name:"smtp" placeholder:"HOST:PORT" help:"Mail server for alerts; its user and password come from COLDTRAIL_SMTP_USER and COLDTRAIL_SMTP_PASSWORD."`
	SMTPFrom  string        `name:"smtp-from" placeholder:"ADDRESS" help:"Sender of mails."`

	oidcFlags
	screeningFlags
	followFlags
	leagueFlags
}

// serving is everything that runs while the server does.
type serving struct {
	*opened

	verb      *serveVerb
	session   *session
	log       *slog.Logger
	audit     *audit.Log
	worker    *notify.Worker
	shut      func() // the connections of webhooks
	watch     *watch.Watch
	publisher *watch.Publisher
	guard     *guard.Guard
	league    *league
	labels    *catalogues
	jobs      *job.Runner
	desk      *desk.Desk
	server    *server.Server
	again     chan struct{} // cases, the policy or labels may have changed
	rules     atomic.Pointer[policy.Policy]
	rewinds   atomic.Uint64 // how often blocks were taken back

	following *followState

	turn   sync.Mutex
	states map[ledger.Chain]string        // what is wrong with the nodes that are followed
	forks  map[ledger.Chain]ledger.Height // after which blocks were taken back since the last advance
}

// Run serves until it is interrupted.
func (v *serveVerb) Run(ctx context.Context, s *session) (err error) {
	chains, err := parseFollowed("--follow", v.Follow)
	if err != nil {
		return err
	}
	v.live = len(chains) > 0
	o, err := v.openUnread(ctx, s)
	if err != nil {
		return err
	}
	x := &serving{
		opened: o, verb: v, session: s, following: newFollowState(chains), again: make(chan struct{}, 1), states: map[ledger.Chain]string{}, forks: map[ledger.Chain]ledger.Height{},
		log: slog.New(slog.NewTextHandler(s.stderr, &slog.HandlerOptions{Level: slog.LevelInfo})),
	}
	defer func() { err = errors.Join(err, x.close(context.WithoutCancel(ctx))) }()
	if err := x.open(ctx, chains); err != nil {
		return err
	}
	listeners, err := v.listeners(ctx)
	if err != nil {
		return err
	}
	for _, l := range listeners {
		fmt.Fprintf(s.stderr, "note: listening on %s://%s, the workbench at /, the API's documentation at /docs\n", v.scheme(), l.Addr())
	}
	return x.run(ctx, chains, listeners)
}

func (v *serveVerb) scheme() string {
	if v.Cert != "" {
		return "https"
	}
	return "http"
}

func (v *serveVerb) listeners(ctx context.Context) (list []net.Listener, err error) {
	for _, address := range v.Listen {
		l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
		if err != nil {
			for _, other := range list {
				err = errors.Join(err, other.Close())
			}
			return nil, err
		}
		list = append(list, l)
	}
	return list, nil
}

// open opens everything else and puts the server together.
func (x *serving) open(ctx context.Context, chains []followed) error {
	folder, err := x.session.folder()
	if err != nil {
		return err
	}
	var recovery audit.Recovery
	if x.audit, recovery, err = audit.Open(filepath.Join(folder, audited), audit.Options{Clock: time.Now}); err != nil {
		return err
	}
	if recovery.Cut > 0 {
		x.log.LogAttrs(ctx, slog.LevelWarn, "the last write to the audit log never ended; its bytes are set aside", slog.Int64("bytes", recovery.Cut), slog.String("file", recovery.File))
	}
	senders, err := x.senders()
	if err != nil {
		return err
	}
	x.worker = notify.New(notify.Options{Outbox: x.book, Senders: senders, Clock: time.Now, Jitter: jitter, Log: x.log})
	if x.watch, err = newWatch(x.opened, chains, x.raised, x.log); err != nil {
		return err
	}
	if x.publisher, err = newPublisher(folder, x.log); err != nil {
		return err
	}
	x.guard, err = guard.Open(ctx, guard.Options{
		Book: x.book, Know: x.engine.Now, Store: x.store, Notations: notations, Now: func() int64 { return time.Now().Unix() }, Told: x.told,
	})
	if err != nil {
		return err
	}
	if x.league, err = x.verb.openLeague(ctx, x.store); err != nil {
		return err
	}
	x.labels = newCatalogues(x.store)
	x.openDesk()
	options := server.Options{Now: time.Now, Log: x.log, Open: x.verb.Open, Certificate: x.verb.Cert, Key: x.verb.Key, Stale: x.verb.Stale}
	if options.OIDC, err = x.verb.oidc(x.book); err != nil {
		return err
	}
	if options.Workbench, err = web.New(); err != nil {
		return err
	}
	parts, err := x.parts()
	if err != nil {
		return err
	}
	x.server, err = server.New(options, parts)
	return err
}

// raised lets alerts go their way.
func (x *serving) raised([]casebook.Alert) {
	x.worker.Wake()
	x.server.Notify()
}

// told makes an alert of a change of state of a venue.
func (x *serving) told(ctx context.Context, t *guard.Transition) error {
	body, err := json.Marshal(t)
	if err != nil {
		return err
	}
	raised, err := x.book.Raise(ctx, []casebook.Alert{{Kind: casebook.BreakerTransition, Subject: t.Venue, Body: body, Created: time.Now().Unix()}})
	if err == nil && len(raised) > 0 {
		x.raised(raised)
	}
	return err
}

// senders are how alerts reach people and programs.
func (x *serving) senders() (map[casebook.TargetKind]notify.Send, error) {
	hooks := notify.WebhookOptions{Clock: time.Now}
	for _, text := range x.verb.Receivers {
		network, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, fmt.Errorf("--receivers %q: want a network such as 10.1.0.0/16: %w", text, err)
		}
		hooks.Allowed = append(hooks.Allowed, network)
	}
	senders := map[casebook.TargetKind]notify.Send{}
	senders[casebook.Webhook], x.shut = notify.Webhooks(hooks)
	if x.verb.SMTP == "" {
		return senders, nil
	}
	mails, err := notify.Mails(notify.MailOptions{
		Server: x.verb.SMTP, From: x.verb.SMTPFrom, User: os.Getenv("COLDTRAIL_SMTP_USER"), Password: os.Getenv("COLDTRAIL_SMTP_PASSWORD"), Clock: time.Now,
	})
	senders[casebook.Mail] = mails
	return senders, err
}

// jitter spreads repetitions over a fifth of their wait.
func jitter(seconds int64) int64 {
	n, err := rand.Int(rand.Reader, big.NewInt(seconds/5+1))
	if err != nil {
		return seconds
	}
	return seconds + n.Int64()
}

// parts are what the server asks.
func (x *serving) parts() (server.Parts, error) {
	given := ""
	if x.verb.Policy != "" {
		text, err := os.ReadFile(x.verb.Policy)
		if err != nil {
			return server.Parts{}, err
		}
		given = string(text)
	}
	held := newStoreLedger(x.store)
	whose := newOwners(x.opened, held)
	return server.Parts{
		Screening: watched{screening{x.engine}, x.watch}, Audit: auditor{x.audit}, Keys: newBookKeys(x.book, randomSecret), Alerts: newBookAlerts(x.book),
		Subscriptions: newBookSubscriptions(x.book, randomText), WatchLists: minded{newBookWatchLists(x.book), x.watch}, Venues: guardedVenues{x.guard},
		Blocklists: publishedLists{x.publisher}, Policies: newBookPolicies(x.book, x.engine.Now, given, x.ruled), Cases: newBookCases(x.book, x.remind),
		Ledger: held, Graphs: storeGraphs{held}, League: x.league, Health: x,
		Search:    &searcher{x.store, x.labels, x.league.known, x.book},
		Assets:    &library{x.store, x.labels, x.league.known, x.league.book, x.book, time.Now},
		Owners:    whose,
		Chains:    &chainDesk{held, x.following, time.Now},
		LabelDesk: newLabelDesk(x.store, x.labels, x.engine, x.remind),
		Jobs:      deskJobs{x},
		Desk:      keptTraces{x.desk},
		Casework:  bookCasework{x.book},
		Views:     x.openViews(whose),
	}, nil
}

// minded is watch-lists of which a watch hears when they change.
type minded struct {
	*bookWatchLists

	watch *watch.Watch
}

// SaveWatchList makes or changes a list.
func (m minded) SaveWatchList(ctx context.Context, list server.WatchList) error {
	defer m.watch.ListsChanged()
	return m.bookWatchLists.SaveWatchList(ctx, list)
}

// ChangeMembers adds and removes.
func (m minded) ChangeMembers(ctx context.Context, list string, change server.MemberChange) error {
	defer m.watch.ListsChanged()
	return m.bookWatchLists.ChangeMembers(ctx, list, change)
}

// ruled makes a policy the one that decides.
func (x *serving) ruled(p *policy.Policy) {
	x.rules.Store(p)
	x.remind()
}

// remind says that cases or the policy may have changed.
func (x *serving) remind() {
	select {
	case x.again <- struct{}{}:
	default:
	}
}

// screening is the engine as the server asks it.
type screening struct{ engine *screen.Engine }

// Now gives the newest state of knowledge, and nil before there is one.
func (s screening) Now() server.View {
	if k := s.engine.Now(); k != nil {
		return k
	}
	return nil
}

// At gives the verdict of another time.
func (s screening) At(ctx context.Context, q *exposure.Question) (exposure.Verdict, error) {
	return s.engine.At(ctx, q)
}

// Explain adds to conclusions about owners what they rest on.
func (s screening) Explain(ctx context.Context, v *exposure.Verdict) error {
	return s.engine.Explain(ctx, v)
}

// run does everything until the context ends.
func (x *serving) run(ctx context.Context, chains []followed, listeners []net.Listener) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, part := range []func(context.Context) error{
		func(ctx context.Context) error { return x.server.Serve(ctx, listeners...) },
		func(ctx context.Context) error { return x.read(ctx, chains) },
		x.worker.Run,
		func(ctx context.Context) error { return x.watch.Run(ctx, x.engine.Now) },
		func(ctx context.Context) error { return x.publisher.Run(ctx, x.engine.Now) },
		x.tick,
		func(ctx context.Context) error {
			return x.labels.keep(ctx, func(err error) {
				x.log.LogAttrs(ctx, slog.LevelError, "labels cannot be gone through; search and lists do not answer", slog.Any("error", err))
			})
		},
		x.jobs.Run,
	} {
		group.Go(func() error {
			err := part(ctx)
			if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
				return nil // it was to end
			}
			return err
		})
	}
	return group.Wait()
}

// read reads everything, then follows the chains and reads again what people change.
func (x *serving) read(ctx context.Context, chains []followed) error {
	began := time.Now()
	if err := x.reread(ctx); err != nil {
		return err
	}
	x.log.LogAttrs(ctx, slog.LevelInfo, "ready to screen", slog.Int("addresses", x.engine.Now().Len()), slog.Duration("took", time.Since(began)))
	group, ctx := errgroup.WithContext(ctx)
	if len(chains) > 0 {
		group.Go(func() error {
			return x.verb.follow(ctx, x.session, x.opened, chains, watcher{current: x.current, failed: x.failed, reorganised: x.reorganised, changed: x.advanced})
		})
	}
	group.Go(func() error { return x.mindChanges(ctx) })
	return group.Wait()
}

// reread lets the engine read everything anew.
func (x *serving) reread(ctx context.Context) error {
	if err := x.verb.rebuild(ctx, x.session, x.opened, x.rules.Load()); err != nil {
		return err
	}
	x.watch.Wake()
	x.publisher.Wake()
	x.labels.wake()
	return nil
}

// changesEvery is how often the casebook is asked whether another process opened or
// closed a case.
const changesEvery = 5 * time.Second

// mindChanges reads everything anew when cases, the policy or labels change.
func (x *serving) mindChanges(ctx context.Context) error {
	ticker := time.NewTicker(changesEvery)
	defer ticker.Stop()
	before, err := x.casesNow(ctx)
	if err != nil {
		return err
	}
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-x.again:
		case <-ticker.C:
		}
		now, err := x.casesNow(ctx)
		if err != nil || now == before && !x.otherLabels(ctx) {
			continue // the casebook does not answer, or nothing changed
		}
		if err := x.reread(ctx); err != nil {
			x.log.LogAttrs(ctx, slog.LevelError, "what changed cannot be read; the state before answers", slog.Any("error", err))
			continue
		}
		before = now
	}
}

// otherLabels says whether labels have changed since the engine read them.
func (x *serving) otherLabels(ctx context.Context) bool {
	revision, err := x.store.LabelRevision(ctx)
	return err == nil && revision.String() != x.engine.Now().Basis().Labels
}

// casesNow sums up the open cases and the policy.
func (x *serving) casesNow(ctx context.Context) (string, error) {
	var sum strings.Builder
	if p := x.rules.Load(); p != nil {
		sum.WriteString(p.Digest())
	}
	for after := ""; ; {
		page, err := x.book.Cases(ctx, casebook.CaseFilter{State: casebook.CaseOpen, After: after})
		if err != nil || len(page) == 0 {
			return sum.String(), err
		}
		for i := range page {
			fmt.Fprintf(&sum, "\n%s %d", page[i].ID, page[i].Revision)
		}
		after = page[len(page)-1].ID
	}
}

// tickEvery is how often venues are told the time.
const tickEvery = 2 * time.Second

// tick lets time pass at the venues.
func (x *serving) tick(ctx context.Context) error {
	ticker := time.NewTicker(tickEvery)
	defer ticker.Stop()
	for {
		if err := x.guard.Tick(ctx); err != nil && ctx.Err() == nil {
			x.log.LogAttrs(ctx, slog.LevelError, "a venue", slog.Any("error", err))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// advanced tells everybody that verdicts rest on new blocks.
func (x *serving) advanced(ctx context.Context, chain ledger.Chain, at ingest.Progress) error {
	x.following.advanced(chain, at.Height, time.Now())
	x.turn.Lock()
	fork, back := x.forks[chain]
	delete(x.forks, chain)
	x.turn.Unlock()
	var errs []error
	if back {
		errs = append(errs, x.watch.TakenBack(ctx, chain, fork), x.guard.TakenBack(ctx, chain, fork))
	}
	if err := errors.Join(append(errs, x.guard.Advance(ctx))...); err != nil && ctx.Err() == nil {
		x.log.LogAttrs(ctx, slog.LevelError, "alerts or venues", slog.String("chain", chain.Short()), slog.Any("error", err))
	}
	x.watch.Wake()
	x.publisher.Wake()
	return nil
}

func (x *serving) current(chain ledger.Chain) {
	x.state(chain, "")
	x.following.asked(chain, "", time.Now())
	x.guard.Behind(chain, 0)
}

func (x *serving) failed(chain ledger.Chain, err error, again time.Duration) {
	x.state(chain, err.Error())
	x.following.asked(chain, err.Error(), time.Now())
	x.log.Warn("a node does not answer", slog.String("chain", chain.Short()), slog.Any("error", err), slog.Duration("again", again))
}

func (x *serving) reorganised(chain ledger.Chain, fork ledger.Height, depth int) {
	x.rewinds.Add(1)
	x.turn.Lock()
	defer x.turn.Unlock()
	if before, ok := x.forks[chain]; !ok || fork < before {
		x.forks[chain] = fork
	}
	x.log.Info("the chain was reorganised", slog.String("chain", chain.Short()), slog.Uint64("after", uint64(fork)), slog.Int("blocks", depth))
}

func (x *serving) state(chain ledger.Chain, wrong string) {
	x.turn.Lock()
	defer x.turn.Unlock()
	x.states[chain] = wrong
}

// Parts says how everything is.
func (x *serving) Parts(context.Context) (list []server.Part) {
	cases := server.Part{Name: "cases", State: server.Working}
	if err := x.engine.Trouble(); err != nil {
		cases.State, cases.Detail = server.Degraded, err.Error()
	}
	list = append(list, cases)
	x.turn.Lock()
	defer x.turn.Unlock()
	for _, chain := range slices.Sorted(maps.Keys(x.states)) {
		part := server.Part{Name: "node of " + chain.Short(), State: server.Working}
		if wrong := x.states[chain]; wrong != "" {
			part.State, part.Detail = server.Degraded, wrong
		}
		list = append(list, part)
	}
	return append(list, watchParts(x.watch, x.publisher)...)
}

// Queues says how much waits to be done.
func (x *serving) Queues() []server.Queue { return watchQueues(x.watch) }

// close ends what was opened, in order.
func (x *serving) close(ctx context.Context) error {
	var errs []error
	if x.guard != nil {
		errs = append(errs, x.guard.Close(ctx))
	}
	if x.shut != nil {
		x.shut()
	}
	if x.audit != nil {
		errs = append(errs, x.audit.Close())
	}
	return errors.Join(append(errs, x.opened.close())...)
}
