package postgrestest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// places is where the programs of PostgreSQL are, and who may run them.
type places struct {
	initdb, postgres string
	account          *account // nil for the user of the test
}

// find finds the programs, or skips the test; where CI runs they must be there, because a
// test that is not run says nothing.
func find(tb testing.TB) places {
	tb.Helper()
	folders, _ := filepath.Glob("/usr/lib/postgresql/*/bin") // Debian, one for each version
	if path, err := exec.LookPath("postgres"); err == nil {
		if target, err := filepath.EvalSymlinks(path); err == nil {
			folders = append(folders, filepath.Dir(target))
		}
	}
	for _, folder := range folders {
		p := places{initdb: filepath.Join(folder, "initdb"), postgres: filepath.Join(folder, "postgres")}
		_, err := exec.LookPath(p.initdb)
		if _, other := exec.LookPath(p.postgres); err != nil || other != nil {
			continue
		}
		// The server refuses to run as root.
		if p.account, err = unprivileged(); err != nil {
			tb.Fatal(err)
		}
		return p
	}
	const message = "PostgreSQL is not installed (package postgresql); the test needs initdb and postgres"
	if os.Getenv("CI") != "" {
		tb.Fatal(message)
	}
	tb.Skip(message)
	return places{}
}

// Server is a server on loopback.
type Server struct {
	places   places
	folder   string
	port     int
	settings []string
	limit    int      // bytes of a file, 0 for any
	process  *process // nil while it is down
}

// create makes a cluster and starts its server.
func create(p places, settings ...string) (*Server, error) {
	folder, err := os.MkdirTemp("", "coldtrail-postgres-")
	if err != nil {
		return nil, err
	}
	s := &Server{places: p, folder: folder, settings: settings}
	if err := s.initialise(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(folder))
	}
	for range 3 { // somebody else may take the port that was free
		if s.port, err = freePort(); err != nil {
			break
		}
		if err = s.up(); err == nil {
			return s, nil
		}
	}
	return nil, errors.Join(err, s.remove())
}

// initialise makes the folder of the data.
func (s *Server) initialise() error {
	words := filepath.Join(s.folder, "password")
	if err := os.WriteFile(words, []byte(Password+"\n"), 0o600); err != nil {
		return err
	}
	if err := s.places.account.own(s.folder, words); err != nil {
		return err
	}
	cmd := s.command(s.places.initdb, "--pgdata", s.data(), "--username", User, "--pwfile", words, "--auth", "scram-sha-256",
		"--encoding", "UTF8", "--locale", "C", "--locale-provider", "icu", "--icu-locale", "en-US", "--no-sync", "--no-instructions")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w: %s", err, out)
	}
	return nil
}

func (s *Server) data() string { return filepath.Join(s.folder, "data") }

// command is a program run as somebody who may, with nothing of the test's surroundings.
func (s *Server) command(path string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(context.Background(), path, args...)
	cmd.Dir, cmd.Env = s.folder, []string{"LC_ALL=C", "TZ=UTC", "PATH=/usr/bin:/bin"}
	s.places.account.run(cmd)
	return cmd
}

// URL is the address of a database.
func (s *Server) URL(database string) string {
	u := url.URL{Scheme: "postgres", User: url.UserPassword(User, Password), Host: net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)), Path: "/" + database}
	return u.String()
}

// Up starts a server that is down, on the port that it had, and waits until it answers.
func (s *Server) Up(tb testing.TB) {
	tb.Helper()
	if err := s.up(); err != nil {
		tb.Fatal(err)
	}
}

func (s *Server) up() error {
	deadline := time.Now().Add(time.Minute)
	for {
		args := []string{"-D", s.data(), "-p", strconv.Itoa(s.port), "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="}
		for _, setting := range s.settings {
			args = append(args, "-c", setting)
		}
		if err := s.begin(args); err != nil {
			return err
		}
		err := s.answers(deadline)
		if err == nil {
			return nil
		}
		// The memory of a server that was killed may be in use until its last process is gone.
		again := strings.Contains(s.said(), "still in use") && time.Now().Before(deadline)
		if err := errors.Join(err, s.process.end(interrupt)); !again {
			said := s.said()
			return fmt.Errorf("the server does not answer: %w; it said: %s", err, said[max(0, len(said)-2000):])
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// begin starts the process, whose words go to a file.
func (s *Server) begin(args []string) error {
	words, err := os.Create(s.log())
	if err != nil {
		return err
	}
	defer func() { _ = words.Close() }()
	cmd := s.command(s.places.postgres, args...)
	if s.limit > 0 { // the shell counts in halves of a KiB
		cmd = s.command("/bin/sh", append([]string{"-c", `ulimit -S -f "$0" && exec "$@"`, strconv.Itoa(s.limit / 512), s.places.postgres}, args...)...)
	}
	cmd.Stdout, cmd.Stderr = words, words
	s.process, err = launch(cmd)
	return err
}

func (s *Server) log() string { return filepath.Join(s.folder, "server.log") }

// said is what the server said since it was started.
func (s *Server) said() string {
	text, err := os.ReadFile(s.log())
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// answers waits until the server answers.
func (s *Server) answers(deadline time.Time) error {
	for {
		err := s.exec(context.Background(), "postgres", `SELECT 1`)
		if err == nil || s.process.ended() || time.Now().After(deadline) {
			return err
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// Kill ends the server and all its processes at once, as kill -9 does.
func (s *Server) Kill(tb testing.TB) {
	tb.Helper()
	if err := s.process.kill(); err != nil {
		tb.Fatal(err)
	}
}

// Down stops the server in order; clients are thrown out.
func (s *Server) Down(tb testing.TB) {
	tb.Helper()
	if err := s.process.end(interrupt); err != nil {
		tb.Fatal(err)
	}
}

// Limit starts the server again with files that do not grow beyond a size, as on a full
// disk; 0 bounds nothing.
func (s *Server) Limit(tb testing.TB, bytes int) {
	tb.Helper()
	s.Down(tb)
	s.limit = bytes
	s.Up(tb)
}

// remove stops the server and deletes what it left.
func (s *Server) remove() error {
	var err error
	if s.process != nil {
		err = s.process.end(interrupt)
	}
	return errors.Join(err, os.RemoveAll(s.folder))
}

// freePort finds a port that nobody listens on.
func freePort() (int, error) {
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer func() { _ = l.Close() }()
	address, ok := l.Addr().(*net.TCPAddr)
	if !ok {
		return 0, errors.New("no TCP port")
	}
	return address.Port, nil
}
