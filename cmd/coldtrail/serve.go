package main

import (
	"context"
	"crypto/rand"
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
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"coldtrail/casebook"
	"coldtrail/evidence/audit"
	"coldtrail/ingest"
	"coldtrail/ledger"
	"coldtrail/notify"
	"coldtrail/screen"
	"coldtrail/screen/exposure"
	"coldtrail/server"
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

	screeningFlags
	followFlags
}

// serving is everything that runs while the server does.
type serving struct {
	*opened

	verb    *serveVerb
	session *session
	log     *slog.Logger
	audit   *audit.Log
	worker  *notify.Worker
	shut    func() // the connections of webhooks
	server  *server.Server
	again   chan struct{} // labels, cases or the policy have changed

	turn   sync.Mutex
	states map[ledger.Chain]chainState
}

// chainState is how a chain that is followed is.
type chainState struct {
	failed string
	since  int64
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
		opened: o, verb: v, session: s, again: make(chan struct{}, 1), states: map[ledger.Chain]chainState{},
		log: slog.New(slog.NewTextHandler(s.stderr, &slog.HandlerOptions{Level: slog.LevelInfo})),
	}
	defer func() { err = errors.Join(err, x.close()) }()
	if err := x.open(ctx); err != nil {
		return err
	}
	listeners, err := v.listeners(ctx)
	if err != nil {
		return err
	}
	for _, l := range listeners {
		fmt.Fprintf(s.stderr, "note: listening on %s://%s, documentation at /docs\n", v.scheme(), l.Addr())
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

// open opens the audit log and puts the server together.
func (x *serving) open(ctx context.Context) error {
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
	x.worker = notify.New(notify.Options{
		Outbox: x.book, Senders: senders, Clock: time.Now, Jitter: jitter, Log: x.log,
	})
	options := server.Options{
		Now: time.Now, Log: x.log, Open: x.verb.Open, Certificate: x.verb.Cert, Key: x.verb.Key, Stale: x.verb.Stale,
	}
	x.server, err = server.New(options, x.parts())
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
func (x *serving) parts() server.Parts {
	return server.Parts{Screening: screening{x.engine}, Audit: auditor{x.audit}, Health: x}
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

// run does everything until the context ends.
func (x *serving) run(ctx context.Context, chains []followed, listeners []net.Listener) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return x.server.Serve(ctx, listeners...) })
	group.Go(func() error { return x.read(ctx, chains) })
	group.Go(func() error {
		if err := x.worker.Run(ctx); ctx.Err() == nil {
			return err
		}
		return nil
	})
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
	return x.verb.rebuild(ctx, x.session, x.opened, nil)
}

// changesEvery is how often the casebook is asked whether another process opened or
// closed a case.
const changesEvery = 5 * time.Second

// mindChanges reads everything anew when cases change.
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
		if err != nil || now == before {
			continue // the casebook does not answer, or nothing changed
		}
		if err := x.reread(ctx); err != nil {
			x.log.LogAttrs(ctx, slog.LevelError, "what changed cannot be read; the state before answers", slog.Any("error", err))
			continue
		}
		before = now
	}
}

// casesNow sums up the open cases.
func (x *serving) casesNow(ctx context.Context) (sum string, err error) {
	for after := ""; ; {
		page, err := x.book.Cases(ctx, casebook.CaseFilter{State: casebook.CaseOpen, After: after})
		if err != nil || len(page) == 0 {
			return sum, err
		}
		for i := range page {
			sum += fmt.Sprintf("%s %d\n", page[i].ID, page[i].Revision)
		}
		after = page[len(page)-1].ID
	}
}

func (x *serving) advanced(ctx context.Context, chain ledger.Chain, p ingest.Progress) error {
	head := x.engine.Now().Basis().Heads[string(chain)]
	x.log.LogAttrs(ctx, slog.LevelDebug, "block", slog.String("chain", chain.Short()), slog.Uint64("height", head.Height), slog.Uint64("added", p.Blocks))
	return nil
}

func (x *serving) current(chain ledger.Chain) { x.state(chain, chainState{}) }

func (x *serving) failed(chain ledger.Chain, err error, again time.Duration) {
	x.state(chain, chainState{failed: err.Error(), since: time.Now().Unix()})
	x.log.Warn("a node does not answer", slog.String("chain", chain.Short()), slog.Any("error", err), slog.Duration("again", again))
}

func (x *serving) reorganised(chain ledger.Chain, fork ledger.Height, depth int) {
	x.log.Info("the chain was reorganised", slog.String("chain", chain.Short()), slog.Uint64("after", uint64(fork)), slog.Int("blocks", depth))
}

func (x *serving) state(chain ledger.Chain, state chainState) {
	x.turn.Lock()
	defer x.turn.Unlock()
	x.states[chain] = state
}

// Parts says how everything is.
func (x *serving) Parts(context.Context) (list []server.Part) {
	engine := server.Part{Name: "screening", State: server.Working, Needed: true}
	if x.engine.Now() == nil {
		engine.State, engine.Detail = server.Failed, "labels and cases are still being read"
	}
	list = append(list, engine)
	x.turn.Lock()
	defer x.turn.Unlock()
	for _, chain := range chainsOf(x.states) {
		part := server.Part{Name: "node of " + chain.Short(), State: server.Working}
		if state := x.states[chain]; state.failed != "" {
			part.State, part.Detail = server.Degraded, state.failed
		}
		list = append(list, part)
	}
	return list
}

// Queues says how much waits to be done.
func (*serving) Queues() []server.Queue { return nil }

// close ends what was opened, in order.
func (x *serving) close() error {
	var errs []error
	if x.shut != nil {
		x.shut()
	}
	if x.audit != nil {
		errs = append(errs, x.audit.Close())
	}
	return errors.Join(append(errs, x.opened.close())...)
}

// chainsOf lists chains in order.
func chainsOf[V any](m map[ledger.Chain]V) []ledger.Chain { return slices.Sorted(maps.Keys(m)) }
