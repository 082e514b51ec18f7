// Package clickhousetest starts real ClickHouse servers and a real ZooKeeper on free
// ports of 127.0.0.1 for tests. Programs and folders end with the test binary,
// however it ends: the kernel kills the programs, a shell removes the folders.
package clickhousetest

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// patience is how long a program may take to start on a busy machine.
const patience = 90 * time.Second

// attempts is how often a start is tried. Another program may take a port between
// the moment it is found free and the moment the server asks for it.
const attempts = 4

// Cluster is a set of running servers that know each other.
type Cluster struct {
	Name   string // in remote_servers, for ON CLUSTER and Distributed
	Keeper string // host:port of ZooKeeper, empty for Single
	Shards [][]*Node
	folder *folder
	keeper *keeper
	ports  []heldPort
}

var single struct {
	sync.Once
	cluster *Cluster
	err     error
}

// Single is one server without ZooKeeper. All tests of the binary share it, so each
// makes a database of its own. It stops when the binary ends.
func Single(tb testing.TB) *Cluster {
	tb.Helper()
	find(tb, server())
	single.Do(func() { single.cluster, single.err = open(tb.Logf, 1, 1, nil) })
	if single.err != nil {
		tb.Fatal(single.err)
	}
	return single.cluster
}

// Start starts shards x replicas servers and one ZooKeeper. They stop when the test ends.
func Start(tb testing.TB, shards, replicas int) *Cluster {
	tb.Helper()
	find(tb, server())
	c, err := open(tb.Logf, shards, replicas, zooKeeper(tb))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if tb.Failed() {
			tb.Log(c.lastWords())
		}
		if err := c.close(); err != nil {
			tb.Error(err)
		}
	})
	return c
}

// server is where Debian's package puts the server: a place that is not on every
// user's path.
func server() string {
	if path, err := exec.LookPath("clickhouse-server"); err == nil {
		return path
	}
	return "/usr/sbin/clickhouse-server"
}

// find skips the test where a program or file is missing. .ci/run fails itself where it
// can install programs and does not succeed.
func find(tb testing.TB, path string) {
	tb.Helper()
	if _, err := os.Stat(path); err != nil {
		tb.Skip(path + " is not there; .ci/run installs it, or: apt-get install --no-install-recommends clickhouse-server zookeeper default-jre-headless")
	}
}

// open starts a cluster, again from the start where that fails.
func open(logf func(string, ...any), shards, replicas int, zookeeper []string) (*Cluster, error) {
	var failed error
	for range attempts {
		c, err := lay(shards, replicas, zookeeper)
		if err != nil {
			return nil, err
		}
		if err = c.start(); err == nil {
			return c, nil
		}
		failed = err
		if err := c.close(); err != nil {
			return nil, err
		}
		if !taken(failed) {
			return nil, failed
		}
		logf("clickhousetest: starting again: %v", failed)
	}
	return nil, fmt.Errorf("no cluster after %d attempts: %w", attempts, failed)
}

// lay finds ports and writes every server's files.
func lay(shards, replicas int, zookeeper []string) (*Cluster, error) {
	folder, err := newFolder()
	if err != nil {
		return nil, err
	}
	ports, err := freePorts(1 + 3*shards*replicas)
	if err != nil {
		return nil, errors.Join(err, folder.remove())
	}
	c := &Cluster{Name: "coldtrail", folder: folder, ports: ports}
	if zookeeper != nil {
		c.keeper = newKeeper(filepath.Join(folder.path, "keeper"), zookeeper, ports[0].number)
		c.Keeper = c.keeper.address
	}
	interserver := map[*Node]string{}
	for shard := range shards {
		var nodes []*Node
		for replica := range replicas {
			p := ports[1+3*(shard*replicas+replica):]
			n := &Node{
				Address: loopback(p[0].number), HTTP: loopback(p[1].number), Shard: shard + 1, Replica: replica + 1, keeper: c.keeper,
				folder: filepath.Join(folder.path, fmt.Sprintf("shard%d-replica%d", shard+1, replica+1)),
			}
			interserver[n] = loopback(p[2].number)
			nodes = append(nodes, n)
		}
		c.Shards = append(c.Shards, nodes)
	}
	for n, address := range interserver {
		if err := writeConfig(c, n, address); err != nil {
			return nil, errors.Join(err, c.close())
		}
	}
	return c, nil
}

func loopback(port int) string { return net.JoinHostPort("127.0.0.1", fmt.Sprint(port)) }

// start starts all programs and waits until all answer.
func (c *Cluster) start() error {
	if c.keeper != nil {
		if err := c.keeper.start(); err != nil {
			return err
		}
	}
	for _, n := range c.nodes() {
		if err := n.launch(); err != nil {
			return err
		}
	}
	for _, n := range c.nodes() {
		if err := n.ready(); err != nil {
			return err
		}
	}
	return nil
}

func (c *Cluster) nodes() []*Node {
	var all []*Node
	for _, shard := range c.Shards {
		all = append(all, shard...)
	}
	return all
}

// close kills what runs and removes the folder.
func (c *Cluster) close() error {
	for _, n := range c.nodes() {
		n.Kill()
	}
	if c.keeper != nil {
		c.keeper.kill()
	}
	release(c.ports)
	return c.folder.remove()
}

// lastWords is what every server said at the end.
func (c *Cluster) lastWords() string {
	var b strings.Builder
	for _, n := range c.nodes() {
		fmt.Fprintf(&b, "shard %d, replica %d said, at the end:\n%s\n", n.Shard, n.Replica, n.tail())
	}
	return b.String()
}

// KillKeeper kills ZooKeeper. Servers go on answering; replicated tables take no inserts.
func (c *Cluster) KillKeeper() { c.keeper.kill() }

// RestartKeeper starts ZooKeeper again on the same port and folder.
func (c *Cluster) RestartKeeper(tb testing.TB) {
	tb.Helper()
	c.keeper.kill()
	if err := again(c.keeper.start); err != nil {
		tb.Fatal(err)
	}
}
