package postgres

import (
	"context"
	"crypto/x509"
	"database/sql/driver"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net"
	"net/netip"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

// server is where a casebook is, and how its connections are made.
type server struct {
	name    string // for people: database and hosts, without user and password
	config  *pgx.ConnConfig
	readers int
}

// errAddress says what an address looks like. It does not repeat what was given, nor where
// it is wrong: a part of a password may be taken for anything.
var errAddress = errors.New("the address of the casebook is not understood: want postgres://USER:PASSWORD@HOST:PORT/DATABASE, where other characters than letters, digits and -._~ in a password are written as % and two hexadecimal digits (/ is %2F, @ is %40); the password may be left out and given in PGPASSWORD or a ~/.pgpass file")

// parse reads an address.
func parse(address string, options Options) (*server, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" || u.Opaque != "" || u.Fragment != "" {
		return nil, errAddress
	}
	config, err := pgx.ParseConfig(address)
	if err != nil {
		return nil, unread(err)
	}
	// Secrets of webhooks and names of customers go this way. Unless the address says
	// otherwise they go encrypted, to the server that was named, or not at all; libpq's
	// default would go on in the clear wherever somebody in between refuses encryption.
	query := u.Query()
	if !query.Has("sslmode") && !query.Has("ssl") && os.Getenv("PGSSLMODE") == "" && !local(config) {
		query.Set("sslmode", "verify-full")
		u.RawQuery = query.Encode()
		if config, err = pgx.ParseConfig(u.String()); err != nil {
			return nil, unread(err)
		}
	}
	if !query.Has("connect_timeout") && os.Getenv("PGCONNECT_TIMEOUT") == "" {
		config.ConnectTimeout = 10 * time.Second
	}
	s := &server{config: config, readers: options.Readers, name: "the casebook in database " + config.Database + " on " + strings.Join(hosts(config), ", ")}
	if s.readers <= 0 {
		s.readers = 8
	}
	s.settings(options)
	return s, nil
}

// unread says why an address was not read: of a file that it names, what is wrong with the
// file; of anything else nothing that could hold a part of a password.
func unread(err error) error {
	var file *fs.PathError
	if errors.As(err, &file) {
		return fmt.Errorf("the address of the casebook names a file: %w", file)
	}
	return errAddress
}

// hosts lists the hosts of an address, each once.
func hosts(config *pgx.ConnConfig) []string {
	list := []string{place(config.Host, config.Port)}
	for _, other := range config.Fallbacks {
		if next := place(other.Host, other.Port); next != list[len(list)-1] {
			list = append(list, next)
		}
	}
	return list
}

func place(host string, port uint16) string {
	return net.JoinHostPort(host, strconv.FormatUint(uint64(port), 10))
}

// local says whether every host is this machine.
func local(config *pgx.ConnConfig) bool {
	here := func(host string) bool {
		ip, err := netip.ParseAddr(host)
		return strings.HasPrefix(host, "/") || host == "localhost" || err == nil && ip.IsLoopback()
	}
	all := here(config.Host)
	for _, other := range config.Fallbacks {
		all = all && here(other.Host)
	}
	return all
}

// settings says what every connection is told. What the address says of times counts.
func (s *server) settings(options Options) {
	params := s.config.RuntimeParams
	or := func(name, value string) {
		if _, given := params[name]; !given {
			params[name] = value
		}
	}
	span := func(of, otherwise time.Duration) string {
		if of <= 0 {
			of = otherwise
		}
		return strconv.FormatInt(max(of.Milliseconds(), 1), 10)
	}
	or("application_name", "coldtrail")
	or("statement_timeout", span(options.Statement, 30*time.Second))
	or("lock_timeout", span(options.Wait, 10*time.Second))
	// A program that hangs within a transaction would keep all others from writing.
	or("idle_in_transaction_session_timeout", span(0, time.Minute))
	params["default_transaction_isolation"] = "read committed" // Dialect says why
	params["client_encoding"] = "UTF8"
	// A standby is behind: it would not show what was just written.
	s.config.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsPrimary
	// No answer of a casebook has rows of this size; whoever answers so is no casebook.
	s.config.MaxProtocolMessageBodyLen = 64 << 20
}

// connector makes connections, with more settings, whose errors say where and what to do.
func (s *server) connector(settings map[string]string) driver.Connector {
	config := s.config.Copy()
	maps.Copy(config.RuntimeParams, settings)
	tell := []stdlib.OptionOpenDB{stdlib.OptionAfterConnect(durable)}
	if settings == nil {
		// A write is not begun on a connection that the server closed a moment ago.
		tell = append(tell, stdlib.OptionShouldPing(func(context.Context, stdlib.ShouldPingParams) bool { return true }))
	}
	return connector{stdlib.GetConnector(*config, tell...), s}
}

// durable has commits acknowledged when they are on the server's disk, where its own
// settings acknowledge them before.
func durable(ctx context.Context, conn *pgx.Conn) error {
	_, err := conn.Exec(ctx, `SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'`)
	if err != nil {
		err = errors.Join(err, conn.Close(ctx))
	}
	return err
}

type connector struct {
	driver.Connector

	server *server
}

// Connect makes a connection.
func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, c.server.told(err)
	}
	return conn, nil
}

// A placed error says where it happened and what to do.
type placed struct {
	name, advice string
	err          error
}

// Error names the database, and says what to do.
func (e *placed) Error() string {
	text := e.name + ": " + e.err.Error()
	if e.advice != "" {
		text += "; " + e.advice
	}
	return text
}

// Unwrap is the error of the driver.
func (e *placed) Unwrap() error { return e.err }

// told names the database in an error, once, and says what to do.
func (s *server) told(err error) error {
	var already *placed
	if errors.As(err, &already) {
		return err
	}
	return &placed{s.name, s.advice(err), err}
}

// advices says what to do about errors of a server, by SQLSTATE.
var advices = map[string]string{
	"28P01": "check user and password",
	"28000": "check the user, and whether the server's pg_hba.conf lets it in from here",
	"3D000": "make the database first: CREATE DATABASE %s ENCODING 'UTF8' TEMPLATE template0",
	"42501": "the user must own the database, or be given GRANT CREATE ON SCHEMA public",
	"53300": "the server takes no more connections; end others or raise its max_connections",
	"55P03": "another program has been writing all the while; try again",
	"57P03": "the server is starting or stopping; try again in a moment",
}

// advice says what to do about an error, or nothing where that is not known.
func (s *server) advice(err error) string {
	var host *net.OpError
	var unknown x509.UnknownAuthorityError
	var other x509.HostnameError
	switch text, known := advices[code(err)]; {
	case known:
		return strings.ReplaceAll(text, "%s", pgx.Identifier{s.config.Database}.Sanitize())
	case errors.As(err, &unknown):
		return "name the authority that signed the server's certificate with ?sslrootcert=FILE"
	case errors.As(err, &other):
		return "use the name that is in the server's certificate"
	case errors.As(err, &host):
		return "check that the server runs there and that it is reached from here"
	case strings.Contains(err.Error(), "server refused TLS connection"):
		return "let the server encrypt (ssl = on), or say ?sslmode=disable where nobody else is on the way"
	case errors.Is(err, pgconn.ErrStandbyConnection):
		return "name the primary server"
	}
	return ""
}
