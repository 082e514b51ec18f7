package clickhousetest

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// keeper is a ZooKeeper server.
type keeper struct {
	folder  string
	command []string // java and the class path
	address string
	program program
}

// jars is where Debian's package puts ZooKeeper. Its manifest names the jars it needs.
const jars = "/usr/share/java/zookeeper.jar"

// zooKeeper is how ZooKeeper is run, or skips the test.
func zooKeeper(tb testing.TB) []string {
	tb.Helper()
	java, err := exec.LookPath("java")
	if err != nil {
		java = "/usr/bin/java"
	}
	find(tb, java)
	find(tb, jars)
	return []string{java, jars}
}

func newKeeper(folder string, command []string, port int) *keeper {
	return &keeper{folder: folder, command: command, address: loopback(port)}
}

// A tick of half a second allows sessions between one and ten seconds, so that a dead
// server is missed soon. Nothing is forced to disk: only the machine's end loses it.
const keeperConfig = `tickTime=500
dataDir=%s
clientPort=%s
clientPortAddress=127.0.0.1
admin.enableServer=false
4lw.commands.whitelist=srvr,ruok
maxClientCnxns=0
forceSync=no
`

const keeperLog = `log4j.rootLogger=WARN, console
log4j.appender.console=org.apache.log4j.ConsoleAppender
log4j.appender.console.layout=org.apache.log4j.PatternLayout
log4j.appender.console.layout.ConversionPattern=%d{ISO8601} %p %c - %m%n
`

// start writes the configuration, runs ZooKeeper and waits until it answers.
func (k *keeper) start() error {
	_, port, err := net.SplitHostPort(k.address)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(k.folder, 0o700); err != nil {
		return err
	}
	config := filepath.Join(k.folder, "zoo.cfg")
	if err := os.WriteFile(config, fmt.Appendf(nil, keeperConfig, k.folder, port), 0o600); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(k.folder, "log4j.properties"), []byte(keeperLog), 0o600); err != nil {
		return err
	}
	if err := k.program.start(k.log(), k.command[0], "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", k.folder+":"+k.command[1],
		"org.apache.zookeeper.server.quorum.QuorumPeerMain", config); err != nil {
		return err
	}
	return k.ready()
}

func (k *keeper) log() string { return filepath.Join(k.folder, "output.log") }

func (k *keeper) ready() error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	var answer string
	var err error
	for ; ctx.Err() == nil; time.Sleep(50 * time.Millisecond) {
		if !k.program.runs() {
			return fmt.Errorf("ZooKeeper ended:\n%s", tail(k.log()))
		}
		if answer, err = k.ask(ctx, "srvr"); err == nil && strings.Contains(answer, "Mode: standalone") {
			return nil
		}
	}
	k.kill()
	return fmt.Errorf("ZooKeeper does not answer (%q, %w):\n%s", answer, err, tail(k.log()))
}

// ask sends one of ZooKeeper's words of four letters.
func (k *keeper) ask(ctx context.Context, word string) (string, error) {
	var dialer net.Dialer
	connection, err := dialer.DialContext(ctx, "tcp", k.address)
	if err != nil {
		return "", err
	}
	defer func() { _ = connection.Close() }()
	// A ZooKeeper that is just starting accepts connections which it never answers.
	if err := connection.SetDeadline(time.Now().Add(500 * time.Millisecond)); err != nil {
		return "", err
	}
	if _, err := io.WriteString(connection, word); err != nil {
		return "", err
	}
	answer, err := io.ReadAll(connection)
	return string(answer), err
}

func (k *keeper) kill() { k.program.kill() }
