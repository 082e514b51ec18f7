package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-zookeeper/zk"

	"coldtrail/store"
)

// keeper is the connection to ZooKeeper or ClickHouse Keeper. It is made at the first need.
type keeper struct {
	hosts   []string
	session time.Duration
	root    string
	clock   func() time.Time

	mu     sync.Mutex
	conn   *zk.Conn
	leases map[*Lease]bool
}

func newKeeper(o *Options) *keeper {
	return &keeper{hosts: o.Keeper, session: o.Session, clock: o.Clock, root: "/coldtrail/" + o.Database, leases: map[*Lease]bool{}}
}

// silent keeps the library from writing to the standard error of the program.
type silent struct{}

// Printf drops a line.
func (silent) Printf(string, ...any) {}

func (k *keeper) connect() (*zk.Conn, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.conn != nil {
		return k.conn, nil
	}
	conn, events, err := zk.Connect(k.hosts, k.session, zk.WithLogger(silent{}))
	if err != nil {
		return nil, fmt.Errorf("keeper: %w", err)
	}
	k.conn = conn
	go k.follow(events)
	return conn, nil
}

// follow ends all leases when the session has ended: ZooKeeper has given them to others. A
// connection that is only broken keeps them until the session's time is over; whoever can
// not hear that it is over must not believe that it goes on.
func (k *keeper) follow(events <-chan zk.Event) {
	var over *time.Timer
	for event := range events {
		if event.State == zk.StateHasSession && over != nil {
			over.Stop()
			over = nil
		}
		if event.State == zk.StateDisconnected && over == nil {
			over = time.AfterFunc(k.session, k.lose)
		}
		if event.State == zk.StateExpired {
			k.lose()
		}
	}
}

func (k *keeper) lose() {
	k.mu.Lock()
	defer k.mu.Unlock()
	for l := range k.leases {
		l.lost.Store(true)
	}
	k.leases = map[*Lease]bool{}
}

func (k *keeper) close() {
	k.lose()
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.conn != nil {
		k.conn.Close()
		k.conn = nil
	}
}

// A Lease is the right of one process to do something, until it gives it up, ends, or is
// cut off from ZooKeeper for longer than a session.
type Lease struct {
	keeper *keeper
	path   string
	epoch  uint64
	lost   atomic.Bool
}

// Epoch is higher than that of every lease before: the number of the transaction in
// ZooKeeper that made it.
func (l *Lease) Epoch() uint64 { return l.epoch }

// Lost says whether it has ended.
func (l *Lease) Lost() bool { return l.lost.Load() }

// Release gives it up.
func (l *Lease) Release() {
	if l.Lost() {
		return
	}
	l.keeper.mu.Lock()
	conn := l.keeper.conn
	delete(l.keeper.leases, l)
	l.keeper.mu.Unlock()
	l.lost.Store(true)
	if conn != nil {
		_ = conn.Delete(l.path, -1) // where it fails, the end of the session gives it up
	}
}

// lease takes a right, or answers store.ErrLocked with who has it.
func (k *keeper) lease(ctx context.Context, name string) (*Lease, error) {
	conn, err := k.connect()
	if err != nil {
		return nil, err
	}
	if err := k.ensure(conn, k.root+"/leases"); err != nil {
		return nil, err
	}
	l, err := k.leaseAt(conn, k.root+"/leases/"+name)
	return l, errors.Join(err, ctx.Err())
}

// leaseAt takes the right that a path stands for.
func (k *keeper) leaseAt(conn *zk.Conn, path string) (*Lease, error) {
	host, _ := os.Hostname() // only for people to read
	_, err := conn.Create(path, fmt.Appendf(nil, "%s, process %d", host, os.Getpid()), zk.FlagEphemeral, zk.WorldACL(zk.PermAll))
	if errors.Is(err, zk.ErrNodeExists) {
		owner, _, getErr := conn.Get(path)
		if getErr != nil {
			owner = []byte("another process")
		}
		return nil, fmt.Errorf("%w: %s has %s", store.ErrLocked, owner, path)
	}
	if err != nil {
		return nil, fmt.Errorf("keeper: %s: %w", path, err)
	}
	_, stat, err := conn.Exists(path)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("keeper: %s: %w", path, err), conn.Delete(path, -1))
	}
	l := &Lease{keeper: k, path: path, epoch: uint64(stat.Czxid)}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.leases[l] = true
	return l, nil
}

// wait takes a right as soon as it is free.
func (k *keeper) wait(ctx context.Context, name string, patience time.Duration) (*Lease, error) {
	deadline := k.clock().Add(patience)
	for {
		l, err := k.lease(ctx, name)
		if err == nil || !errors.Is(err, store.ErrLocked) || k.clock().After(deadline) {
			return l, err
		}
		if err := sleep(ctx, 50*time.Millisecond); err != nil {
			return nil, err
		}
	}
}

// ensure makes a path with all above it.
func (k *keeper) ensure(conn *zk.Conn, path string) error {
	for i := 1; i <= len(path); i++ {
		if i < len(path) && path[i] != '/' {
			continue
		}
		_, err := conn.Create(path[:i], nil, 0, zk.WorldACL(zk.PermAll))
		if err != nil && !errors.Is(err, zk.ErrNodeExists) {
			return fmt.Errorf("keeper: %s: %w", path[:i], err)
		}
	}
	return nil
}

// number gives a number that nobody was given before, higher than all earlier ones: that of
// the transaction in ZooKeeper which asked for it.
func (k *keeper) number() (uint64, error) {
	conn, err := k.connect()
	if err != nil {
		return 0, err
	}
	path := k.root + "/number"
	stat, err := conn.Set(path, nil, -1)
	if errors.Is(err, zk.ErrNoNode) {
		if err := k.ensure(conn, path); err != nil {
			return 0, err
		}
		stat, err = conn.Set(path, nil, -1)
	}
	if err != nil {
		return 0, fmt.Errorf("keeper: %w", err)
	}
	return uint64(stat.Mzxid), nil
}
