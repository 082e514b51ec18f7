package clickhouse

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	driver "github.com/ClickHouse/clickhouse-go/v2"
)

// A replica is one server and what is known of it.
type replica struct {
	address string
	conn    driver.Conn
	pulse   driver.Conn // for pings alone, so that they never wait for a statement
	clock   func() time.Time

	mu      sync.Mutex
	away    time.Time         // when it last failed to answer; zero where it answers
	ready   bool              // its tables are there
	holding map[string]moment // the newest seal of each chain of which it is known to hold everything
}

// A shard is a part of the data, with its copies.
type shard struct {
	number   int
	replicas []*replica
}

// A ShardError says that a part of the data cannot be reached, so that nothing can be
// answered: an answer without it might leave facts out.
type ShardError struct {
	Shard  int // from 1
	Shards int
	Causes []error // of each replica
}

// Error names the shard, its replicas and what to do.
func (e *ShardError) Error() string {
	texts := make([]string, len(e.Causes))
	for i, cause := range e.Causes {
		texts[i] = cause.Error()
	}
	return fmt.Sprintf("shard %d of %d cannot answer, and without it no answer is whole: %s; bring one of its replicas back", e.Shard, e.Shards, strings.Join(texts, "; "))
}

// Unwrap gives the causes.
func (e *ShardError) Unwrap() []error { return e.Causes }

// errBehind says that a replica has not yet fetched everything.
var errBehind = errors.New("has not fetched everything yet")

// errSilent says that a server takes connections and does not answer.
var errSilent = errors.New("does not answer")

// watched does something with a server, and gives it up where the server does not answer a
// ping in the meantime: one that is frozen would be waited for as long as the slowest
// statement may take.
func (s *Store) watched(ctx context.Context, r *replica, do func(ctx context.Context) error) error {
	inner, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		for sleep(inner, s.options.Dial) == nil {
			if err := s.ping(inner, r); err != nil && inner.Err() == nil {
				cancel(errSilent)
			}
		}
	}()
	err := do(inner)
	if err != nil && errors.Is(context.Cause(inner), errSilent) {
		return errSilent
	}
	return err
}

// ping asks a server for a sign of life.
func (s *Store) ping(ctx context.Context, r *replica) error {
	ctx, cancel := context.WithTimeout(ctx, s.options.Dial)
	defer cancel()
	return r.pulse.Ping(ctx)
}

// newReplica makes the connection pools of a server. Nothing is asked yet.
func newReplica(o *Options, address string) (*replica, error) {
	conn, err := dial(o, address)
	if err != nil {
		return nil, err
	}
	pulse, err := dial(o, address)
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return &replica{address: address, conn: conn, pulse: pulse, clock: o.Clock}, nil
}

// close ends the connections.
func (r *replica) close() error { return errors.Join(r.conn.Close(), r.pulse.Close()) }

// errBroken says that an insert broke off after rows had been sent: nobody knows whether they
// are there. The same rows must not be given to another replica, which may know them by their
// digest, leave them out, and see the first server's part vanish with it. The write begins
// anew under another attempt.
var errBroken = errors.New("an insert broke off")

// dial makes a connection pool.
func dial(o *Options, address string) (driver.Conn, error) {
	options := &driver.Options{
		Addr: []string{address}, Auth: driver.Auth{Username: o.User, Password: o.Password},
		Compression: &driver.Compression{Method: driver.CompressionLZ4}, DialTimeout: o.Dial, ReadTimeout: 5 * time.Minute,
		MaxOpenConns: 32, MaxIdleConns: 8,
		Settings: driver.Settings{"max_query_size": 64 << 20},
	}
	if o.Secure {
		options.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	return driver.Open(options)
}

// patienceWithAway is how long a replica that did not answer is asked last.
const patienceWithAway = 3 * time.Second

func (r *replica) isAway() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return !r.away.IsZero() && r.clock().Sub(r.away) < patienceWithAway
}

// failed remembers that a server did not answer; whatever it holds is looked at anew.
func (r *replica) failed() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.away, r.holding, r.ready = r.clock(), map[string]moment{}, false
}

func (r *replica) answered() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.away = time.Time{}
}

func (r *replica) holds(at point) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return !r.holding[at.of].before(at.moment)
}

func (r *replica) holdsNow(at point) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.holding == nil {
		r.holding = map[string]moment{}
	}
	r.holding[at.of] = r.holding[at.of].later(at.moment)
}

// refusal tells an answer of the server from a server that is not there. What the server
// says of itself (read-only without ZooKeeper, shutting down) is no answer.
func refusal(err error) bool {
	var e *driver.Exception
	if !errors.As(err, &e) {
		return false
	}
	switch e.Code {
	case 242, // TABLE_IS_READ_ONLY
		244, // UNEXPECTED_ZOOKEEPER_ERROR: a server that is only starting
		225, // NO_ZOOKEEPER
		999, // KEEPER_EXCEPTION
		236, // ABORTED
		394, // QUERY_WAS_CANCELLED
		209, // SOCKET_TIMEOUT
		210, // NETWORK_ERROR
		319: // UNKNOWN_STATUS_OF_INSERT
		return false
	}
	return true
}

// order lists a shard's replicas: those that answer first.
func (s *shard) order() []*replica {
	list := make([]*replica, 0, len(s.replicas))
	var away []*replica
	for _, r := range s.replicas {
		if r.isAway() {
			away = append(away, r)
		} else {
			list = append(list, r)
		}
	}
	return append(list, away...)
}

// on does something on one replica of a shard, and on the next where it fails. A refusal
// of the server is an answer and ends it.
func (s *Store) on(ctx context.Context, sh *shard, do func(ctx context.Context, r *replica) error) error {
	deadline := s.options.Clock().Add(s.options.Patience)
	for wait := 2 * time.Millisecond; ; wait = min(2*wait, 200*time.Millisecond) {
		var causes []error
		behind := false
		for _, r := range sh.order() {
			err := s.watched(ctx, r, func(ctx context.Context) error {
				if err := s.prepare(ctx, r, sh); err != nil {
					return err
				}
				return do(ctx, r)
			})
			switch {
			case err == nil:
				r.answered()
				return nil
			case ctx.Err() != nil:
				return context.Cause(ctx)
			case errors.Is(err, errBroken):
				r.failed()
				return &ShardError{Shard: sh.number, Shards: len(s.shards), Causes: []error{fmt.Errorf("%s: %w", r.address, err)}}
			case errors.Is(err, errBehind):
				behind = true
			case refusal(err):
				return fmt.Errorf("ClickHouse %s: %w", r.address, err)
			default:
				r.failed()
			}
			causes = append(causes, fmt.Errorf("%s: %w", r.address, err))
		}
		// A replica that is catching up is worth waiting for; one that is gone is not.
		if !behind || s.options.Clock().After(deadline) {
			return &ShardError{Shard: sh.number, Shards: len(s.shards), Causes: causes}
		}
		if err := sleep(ctx, wait); err != nil {
			return err
		}
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(d):
		return nil
	}
}

// lag is a statement that says in how many tables a replica is behind: entries of the log
// that it has not read, or inserts of others that it has not fetched. It is an expression
// without dependence on anything, so a server evaluates it before it reads a table. A server
// that was killed and has not yet read its queue again shows an empty one; it gives itself
// away by a delay of all time.
func (s *Store) lag(tables ...string) string {
	if s.options.Cluster == "" {
		return "toUInt64(0)"
	}
	text := "(SELECT sum((log_max_index >= log_pointer) OR (inserts_in_queue > 0) OR is_readonly OR is_session_expired OR absolute_delay > 1000000000) + (count() = 0) FROM system.replicas WHERE database = " + quote(s.options.Database)
	if len(tables) > 0 {
		text += " AND table IN " + list(tables, quote)
	}
	return text + ")"
}

// complete makes sure that a replica holds everything that a seal covers. Whoever wrote the
// seal had inserted it all before, so it is enough that the replica is not behind now.
func (s *Store) complete(ctx context.Context, r *replica, at point) error {
	if r.holds(at) {
		return nil
	}
	var behind uint64
	if err := r.conn.QueryRow(ctx, "SELECT toUInt64("+s.lag()+")").Scan(&behind); err != nil {
		return err
	}
	if behind > 0 {
		return errBehind
	}
	r.holdsNow(at)
	return nil
}
