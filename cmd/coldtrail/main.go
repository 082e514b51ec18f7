// Command coldtrail follows stolen cryptocurrency. This package is the only place
// that wires the parts together; every verb has a file.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"
)

// The exit codes. An error must never look like "clean".
const (
	exitDone    = 0
	exitHit     = 1 // a hit, or refused by policy
	exitUnknown = 2 // could not tell
)

// commandLine is every verb and flag.
type commandLine struct {
	Data  string `help:"Folder of the store; made if missing." type:"path" placeholder:"DIR"`
	Store string `help:"Store on ClickHouse instead of in a folder: clickhouse://USER:PASSWORD@HOST:PORT,HOST:PORT/DATABASE?cluster=NAME&keeper=HOST:PORT." env:"COLDTRAIL_STORE" placeholder:"URL"`
	Book  string `name:"casebook" env:"COLDTRAIL_CASEBOOK" placeholder:"URL" help:"Casebook on PostgreSQL, postgres://USER@HOST/DATABASE; the password is best left to PGPASSWORD or ~/.pgpass. By default a file beside the store."`
	JSON  bool   `name:"json" help:"Print results as JSON."`

	Demo      demoVerb      `cmd:"" help:"Follow the bundled Bybit theft, offline, and look at it in the workbench."`
	Ingest    ingestVerb    `cmd:"" help:"Bring blocks of a chain into the store."`
	Export    exportVerb    `cmd:"" help:"Write a chain of the store, or everything, into Parquet files."`
	Import    importVerb    `cmd:"" help:"Bring everything in that export --all wrote, into another store and casebook."`
	Replay    replayVerb    `cmd:"" help:"Play a laundering from published figures into a ledger of its own, with the truth beside it."`
	Labels    labelsVerb    `cmd:"" help:"What is known of who is behind addresses."`
	Actors    actorsVerb    `cmd:"" help:"Who is known of, and who belongs to whom, up to states."`
	Cluster   clusterVerb   `cmd:"" help:"Which addresses have one owner, and why."`
	Behaviour behaviourVerb `cmd:"" help:"Patterns of what an address or its owner did: splitting, collecting, peeling, mixing, poisoning and their like."`
	Follow    followVerb    `cmd:"" help:"Stay at the tips of nodes, through reorganisations, with the stolen value of all open cases."`
	Cases     casesVerb     `cmd:"" help:"The cases that are open, and those that were."`
	Casebook  casebookVerb  `cmd:"" help:"What people made: cases, notes, keys, watch-lists, alerts, venues, policies."`
	Screen    screenVerb    `cmd:"" help:"Say whether to deal with an address or a transaction, and why."`
	Serve     serveVerb     `cmd:"" help:"The workbench and the HTTP API: answer, follow chains, tell of changes."`
	Breaker   breakerVerb   `cmd:"" help:"A breaker that stops a coordinated flow of stolen money."`
	Policy    policyVerb    `cmd:"" help:"The rules by which verdicts are given."`
	Trace     traceVerb     `cmd:"" help:"Say where stolen money is now."`
	Report    reportVerb    `cmd:"" help:"Report a case: a page or PDF to read, tables, graphs, requests to services, drafts for authorities."`
	Crossings crossingsVerb `cmd:"" help:"List what went across bridges, stolen or not."`
	Holdings  holdingsVerb  `cmd:"" help:"Who held how much: what addresses show, beside what people state."`
	Incidents incidentsVerb `cmd:"" help:"Thefts: what was taken, when, and whom who holds responsible."`
	Assets    assetsVerb    `cmd:"" help:"The assets that are known by name, and where they come from."`
	Venues    venuesVerb    `cmd:"" help:"How much stolen money went through which protocol and service, by theft and actor."`
	Status    statusVerb    `cmd:"" help:"Say what the store holds, or whether a server is ready."`
	Test      testVerb      `cmd:"" help:"Run scenario files."`
	Bench     benchVerb     `cmd:"" help:"Measure on a generated chain."`
	Keys      keysVerb      `cmd:"" help:"Who may ask the server."`
	Watch     watchVerb     `cmd:"" help:"Watch-lists: addresses about which somebody wants to hear."`
	Notify    notifyVerb    `cmd:"" help:"Who is told of alerts, and how."`
	Evidence  evidenceVerb  `cmd:"" help:"Write one file that proves where stolen money went, to whoever doubts it."`
	Verify    verifyVerb    `cmd:"" help:"Check a bundle of evidence, or that an audit log is as it was written."`
	Version   versionVerb   `cmd:"" help:"Print the version."`
}

// session is what a verb gets from the command line.
type session struct {
	data     string
	store    string // the address of one on ClickHouse, empty for the folder
	casebook string // the address of one on PostgreSQL, empty for the file beside the store
	json     bool
	stdout   io.Writer
	stderr   io.Writer
}

// errHit makes the exit code 1 without a message.
var errHit = errors.New("hit")

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

func run(args []string, stdout, stderr io.Writer) (code int) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := readSecrets(os.Environ()); err != nil {
		return complain(stderr, err)
	}
	line := commandLine{}
	exited, exit := false, 0
	parser, err := kong.New(&line,
		kong.Name("coldtrail"),
		kong.Description("Follows stolen cryptocurrency, exactly. Start with: coldtrail demo"),
		kong.Writers(stdout, stderr),
		kong.Exit(func(status int) { exited, exit = true, status }),
		kong.BindTo(ctx, (*context.Context)(nil)),
	)
	if err != nil {
		return complain(stderr, err)
	}
	parsed, err := parser.Parse(args)
	if exited {
		return exit
	}
	if err != nil {
		return complain(stderr, fmt.Errorf("%w (coldtrail --help lists every command)", err))
	}
	err = parsed.Run(&session{data: line.Data, store: line.Store, casebook: line.Book, json: line.JSON, stdout: stdout, stderr: stderr})
	switch {
	case err == nil:
		return exitDone
	case errors.Is(err, errHit):
		return exitHit
	case errors.Is(err, errCannotTell):
		return exitUnknown
	case ctx.Err() != nil:
		return complain(stderr, errors.New("interrupted; run the same command again to go on"))
	}
	return complain(stderr, err)
}

// complain prints an error in one line.
func complain(stderr io.Writer, err error) int {
	text := strings.Join(strings.Fields(strings.ReplaceAll(err.Error(), "\n", "; ")), " ")
	fmt.Fprintln(stderr, "coldtrail: "+text)
	return exitUnknown
}
