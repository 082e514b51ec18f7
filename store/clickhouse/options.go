package clickhouse

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"
)

// Options say where the servers are.
type Options struct {
	// Hosts are servers of the native protocol, host:port. In a cluster any of them will do:
	// the others are asked for.
	Hosts    []string
	Database string
	User     string
	Password string
	Secure   bool // TLS
	// Cluster is the cluster's name in the servers' remote_servers; empty is a single server.
	Cluster string
	// Keeper is ZooKeeper or ClickHouse Keeper, host:port each. It lets several processes
	// share work and keeps two writers apart; without it the last one to begin wins.
	Keeper []string
	// Clock is what the time is: it must be given. It bounds waiting, and marks how old
	// left-overs are; nothing that is answered depends on it.
	Clock func() time.Time
	// Dial bounds making a connection; 0 is two seconds.
	Dial time.Duration
	// Patience bounds how long a question waits for a replica that holds everything; 0 is ten seconds.
	Patience time.Duration
	// Session is how long ZooKeeper waits for a process that is silent; 0 is ten seconds.
	Session time.Duration

	// clearAt is how many stretches with left-overs are borne before they are cleared
	// away, clearAge how old they must be, so that no question is still reading there.
	clearAt  int
	clearAge time.Duration
}

// Parse reads clickhouse://USER:PASSWORD@HOST:PORT,HOST:PORT/DATABASE?cluster=NAME&keeper=HOST:PORT,HOST:PORT&secure=true.
// The port may be left out (9000, with secure 9440), and so may the user and the database (default).
func Parse(text string, clock func() time.Time) (Options, error) {
	fail := func(reason string) (Options, error) {
		return Options{}, fmt.Errorf("address of ClickHouse: %s; wanted is clickhouse://USER:PASSWORD@HOST:PORT,HOST:PORT/DATABASE?cluster=NAME&keeper=HOST:PORT", reason)
	}
	scheme, rest, _ := strings.Cut(text, "://")
	if scheme != "clickhouse" {
		return fail("it does not begin with clickhouse://")
	}
	rest, query, _ := strings.Cut(rest, "?")
	hosts, database, _ := strings.Cut(rest, "/")
	o := Options{Clock: clock}
	if at := strings.LastIndexByte(hosts, '@'); at >= 0 {
		// The error of an unreadable user would repeat the password.
		user, err := url.Parse("clickhouse://" + hosts[:at] + "@host")
		if err != nil {
			return fail("user or password cannot be read: write special characters as %XX")
		}
		o.User = user.User.Username()
		o.Password, _ = user.User.Password()
		hosts = hosts[at+1:]
	}
	parameters, err := url.ParseQuery(query)
	if err != nil {
		return fail("what stands behind ? cannot be read")
	}
	for key, values := range parameters {
		switch key {
		case "cluster":
			o.Cluster = values[0]
		case "keeper":
			o.Keeper = ports(values[0], "2181")
		case "secure":
			o.Secure = values[0] == "true" || values[0] == "1"
		default:
			return fail(fmt.Sprintf("%q is unknown", key))
		}
	}
	port := "9000"
	if o.Secure {
		port = "9440"
	}
	o.Hosts, o.Database = ports(hosts, port), database
	if len(o.Hosts) == 0 {
		return fail("it names no host")
	}
	return o.complete()
}

// complete fills in what was left out.
func (o Options) complete() (Options, error) {
	if o.Clock == nil {
		return o, errors.New("address of ClickHouse: no clock was given")
	}
	fill(&o.Database, "default")
	fill(&o.User, "default")
	fill(&o.Dial, 2*time.Second)
	fill(&o.Patience, 10*time.Second)
	fill(&o.Session, 10*time.Second)
	fill(&o.clearAt, 32)
	fill(&o.clearAge, 10*time.Minute)
	for _, text := range []string{o.Database, o.Cluster} {
		if strings.ContainsAny(text, "`'\\/\"") {
			return o, errors.New("address of ClickHouse: a database's or cluster's name has other characters than letters, digits and _")
		}
	}
	return o, nil
}

func fill[T comparable](value *T, otherwise T) {
	var none T
	if *value == none {
		*value = otherwise
	}
}

// ports splits a list of hosts and adds the port where it is left out.
func ports(text, port string) (list []string) {
	for host := range strings.SplitSeq(text, ",") {
		if host = strings.TrimSpace(host); host == "" {
			continue
		}
		if _, _, err := net.SplitHostPort(host); err != nil {
			host = net.JoinHostPort(strings.Trim(host, "[]"), port)
		}
		list = append(list, host)
	}
	return list
}
