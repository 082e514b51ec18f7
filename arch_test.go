package coldtrail_test

import (
	"cmp"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "coldtrail"

var rewrite = flag.Bool("rewrite", false, "rewrite the map in ARCHITECTURE.md")

// kind is what a package may be; ARCHITECTURE.md explains the letters.
type kind string

// The kinds.
const (
	pure     kind = "P" // values in, values out: no I/O, clock, randomness, goroutines, floats
	contract kind = "C"
	engine   kind = "E"
	adapter  kind = "A"
	wiring   kind = "W" // may import everything, is imported by nobody
	serving  kind = "S" // answers and shows; asks engines, knows no adapter
	suite    kind = "T" // suites and generators for tests and for users' own checks
)

// A rule says what one package is for and which of our packages it may import.
type rule struct {
	pkg     string
	kind    kind
	imports []string
	purpose string
}

// rules is the architecture. A package may import only rows above its own, and
// only those it names. A package that is missing here fails the test, and so does
// a row without a package.
var rules = []rule{
	{".", wiring, nil, "the map you are reading, and the bundled data of the demo"},
	{"ledger", pure, nil, "the vocabulary: chain, asset, address, amount, block, transfer, message"},

	{"chain/bitcoin", pure, []string{"ledger"}, "raw Bitcoin blocks and scripts to ledger blocks, proven"},
	{"chain/bitcoin/blkfile", adapter, []string{"ledger", "chain/bitcoin"}, "the block files of a node"},
	{"chain/bitcoin/etl", adapter, []string{"ledger", "chain/bitcoin"}, "exports of bitcoin-etl"},
	{"chain/jsonrpc", adapter, nil, "questions to a node over HTTP: batches, repetition, patience"},
	{"chain/bitcoin/esplora", adapter, []string{"ledger", "chain/bitcoin", "chain/jsonrpc"}, "blocks and single transactions of an Esplora explorer"},
	{"chain/bitcoin/rpc", adapter, []string{"ledger", "chain/bitcoin", "chain/jsonrpc"}, "blocks of a Bitcoin node"},
	{"chain/evm", pure, []string{"ledger"}, "EVM blocks, receipts, logs and traces to ledger blocks"},
	{"chain/evm/proof", pure, []string{"ledger", "chain/evm"}, "Ethereum's RLP: hashes, roots and senders recomputed"},
	{"chain/evm/reply", pure, []string{"ledger", "chain/evm", "chain/evm/proof"}, "what nodes answer: blocks, receipts, traces"},
	{"chain/evm/rpc", adapter, []string{"ledger", "chain/evm", "chain/evm/proof", "chain/evm/reply", "chain/jsonrpc"}, "blocks of a node, checked before they are handed on"},
	{"chain/evm/era", adapter, []string{"ledger", "chain/evm", "chain/evm/proof"}, "era1 archives, proven"},
	{"chain/evm/etl", adapter, []string{"ledger", "chain/evm"}, "exports of ethereum-etl"},
	{"chain/evm/etherscan", adapter, []string{"ledger", "chain/evm", "chain/evm/reply", "chain/jsonrpc"}, "explorers that answer by address"},
	{"internal/footer", adapter, nil, "what a Parquet file says of its own sizes, checked before a decoder believes it"},
	{"chain/evm/parquet", adapter, []string{"ledger", "chain/evm", "internal/footer"}, "blocks in folders of Parquet files, in and out"},
	{"chain/transfers", adapter, []string{"ledger"}, "an analyst's CSV of movements"},

	{"crossing", pure, []string{"ledger", "chain/bitcoin", "chain/evm"}, "how value goes from chain to chain, one file per protocol; match.go joins both sides"},

	{"crossing/midgard", adapter, []string{"ledger", "chain/jsonrpc"}, "a second opinion on links, of THORChain's own index; nothing rests on it"},
	{"crossing/opaque", pure, []string{"ledger"}, "which payout of a swap service may answer which deposit, scored"},

	{"attribution/label", contract, []string{"ledger", "chain/bitcoin", "chain/evm"}, "what people say about addresses and actors: who, since when, how sure"},
	{"attribution/feed", pure, []string{"ledger", "attribution/label"}, "lists that others publish, in and out, one file per format"},
	{"attribution/coinjoin", pure, []string{"ledger"}, "transactions in which several owners mix, one file per protocol"},
	{"attribution/cluster", pure, []string{"ledger", "attribution/coinjoin"}, "which addresses have one owner, one file per rule; the forest that keeps it, rewinds and explains"},
	{"attribution/behaviour", pure, []string{"ledger"}, "patterns of conduct as facts about named transactions, one file per pattern"},

	{"internal/mapped", adapter, nil, "arrays in files that are mapped into memory"},
	{"store", contract, []string{"ledger", "attribution/label"}, "the questions a store must answer"},
	{"store/memory", adapter, []string{"ledger", "attribution/label", "store"}, "the reference store: the oracle of the others"},
	{"store/embedded", adapter, []string{"ledger", "attribution/label", "internal/mapped", "store"}, "the store of one machine, on Pebble"},
	{"store/archive", adapter, []string{"ledger", "chain/bitcoin", "chain/evm", "attribution/label", "internal/footer", "internal/mapped", "store"}, "all that a store holds as tables in Parquet files, out and in again"},
	{"store/clickhouse", adapter, []string{"ledger", "attribution/label", "store"}, "the store of a cluster, on ClickHouse: exact while servers fail"},
	{"store/storetest", suite, []string{"ledger", "attribution/label", "store", "store/memory"}, "the suite every store must pass, and random ledgers"},
	{"attribution/cluster/files", adapter, []string{"ledger", "attribution/cluster", "internal/mapped"}, "a forest of clusters in mapped files"},
	{"attribution", engine, []string{"ledger", "attribution/label", "attribution/feed", "attribution/coinjoin", "attribution/cluster", "attribution/behaviour", "store"}, "labels and clusters kept current: what lists said before, the claim to decide by, who owns what and why"},
	{"price", pure, []string{"ledger"}, "what a unit of an asset cost, by whom and when; a missing price stays missing"},
	{"price/table", pure, []string{"ledger", "price"}, "prices in CSV"},
	{"price/chainlink", pure, []string{"ledger", "chain/evm", "price"}, "prices out of a chain itself: the answers of data feeds"},
	{"register", pure, []string{"ledger", "price"}, "thefts, assets and stated holdings, each row with who says so and when"},
	{"price/remote", adapter, []string{"ledger", "chain/jsonrpc", "price", "price/table"}, "prices over HTTP: sources are lines of a file, answers are kept"},
	{"ingest", engine, []string{"ledger", "store"}, "blocks from a source into a store, whole or not at all"},

	{"holdings", engine, []string{"ledger", "chain/bitcoin", "attribution", "attribution/label", "store", "price", "register"}, "who held how much, from addresses, beside what people state"},
	{"holdings/atom", pure, nil, "Atom feeds of events"},

	{"taint", pure, []string{"ledger"}, "how stolen money crosses one transaction, one file per method"},
	{"trace", engine, []string{"ledger", "crossing", "crossing/opaque", "attribution/coinjoin", "store", "taint"}, "from a case file to where every unit is now"},

	{"gather", engine, []string{"ledger", "store", "trace"}, "a trace that fetches only what it touches, from an explorer"},

	{"report/drawing", pure, []string{"ledger"}, "flow charts and time lines as plain shapes, in whole numbers"},
	{"report/document", pure, []string{"report/drawing"}, "the model of a report, in which every sentence is marked, and its page"},
	{"report", engine, []string{"ledger", "taint", "trace", "report/drawing", "report/document"}, "a case report from the answer of a trace: what is said, and how it is marked"},
	{"report/export", engine, []string{"ledger", "attribution/label", "attribution/feed", "trace", "report", "report/document"}, "a report in the formats of others, one file per format"},
	{"report/pdf", adapter, nil, "a page printed as PDF by a Chromium on the machine"},
	{"report/xsd", adapter, nil, "an XML file checked against a schema that the user has"},

	{"screen/exposure", pure, []string{"ledger"}, "the vocabulary of screening: facts, questions, verdicts and what they rest on"},
	{"screen/policy", pure, []string{"ledger", "attribution/label", "screen/exposure"}, "what follows from what is known: rules in CEL, the score, the bundled policy"},
	{"screen/index", pure, []string{"ledger", "screen/exposure"}, "who something is known of, in memory: immutable tables, facts shared"},
	{"screen/proximity", pure, []string{"ledger"}, "who is near to an address: value followed from hand to hand by proportion, both ways, kept current"},
	{"screen/blocklist", pure, nil, "lists of refused addresses for others: revisions, what changed, signatures"},
	{"screen/breaker", pure, []string{"ledger", "screen/exposure"}, "a state machine that stops a coordinated flow and lets everybody else pass"},
	{"screen", engine, []string{"ledger", "attribution", "attribution/label", "attribution/coinjoin", "store", "taint", "trace", "screen/exposure", "screen/policy", "screen/index", "screen/proximity"}, "the verdict, now: one state of knowledge after another, each whole"},

	{"casebook", contract, []string{"screen/exposure"}, "what people made and nobody can compute again: cases, keys, watch-lists, alerts, venues, policies"},
	{"casebook/sqlite", adapter, []string{"casebook"}, "the casebook of one machine, in one file"},
	{"casebook/postgres", adapter, []string{"casebook"}, "the casebook of several machines, on PostgreSQL"},
	{"casebook/parquet", adapter, []string{"casebook", "internal/footer"}, "a casebook as tables in Parquet files, out and in again"},
	{"casebook/casebooktest", suite, []string{"casebook", "screen/exposure"}, "the suite every casebook must pass"},
	{"notify", adapter, []string{"casebook", "screen/exposure"}, "alerts to programs and people: signed webhooks, mail"},
	{"evidence/audit", adapter, nil, "the log of what was asked, decided and changed, each record chained to the one before"},
	{"evidence/bundle", pure, nil, "the container of evidence: files in a zip of which every byte follows from its content"},
	{"evidence/slice", pure, []string{"ledger", "store"}, "the part of a ledger that a trace asked for: recorded, written, answered from again"},
	{"evidence", engine, []string{"ledger", "chain/bitcoin", "chain/evm", "chain/evm/proof", "attribution/label", "store", "taint", "trace", "evidence/bundle", "evidence/slice"}, "where money went, in one file that proves what can be proven and says what rests on whose word"},
	{"guard", engine, []string{"ledger", "store", "casebook", "screen", "screen/exposure", "screen/breaker"}, "guarded venues: every use screened, counted, answered and kept"},
	{"watch", engine, []string{"ledger", "casebook", "screen", "screen/exposure", "screen/policy", "screen/index", "screen/blocklist"}, "who was screened is screened again: alerts, and lists of refused addresses"},
	{"desk/job", engine, nil, "long work, a few jobs at a time: progress, results, an end when nobody wants it any more"},
	{"desk", engine, []string{"ledger", "store", "taint", "trace", "desk/job"}, "every question about a case, answered out of traces that are made once and kept"},
	{"desk/layout", pure, nil, "where the nodes of a graph of flows are drawn, in whole numbers"},
	{"desk/view", engine, []string{"ledger", "trace", "desk/layout"}, "the answer of a trace as flow chart, time line and graph"},
	{"server", serving, []string{"ledger", "screen/exposure", "register", "holdings", "desk", "desk/job", "desk/layout", "desk/view"}, "the HTTP API"},
	{"web", serving, nil, "the workbench: pages for people, built from web/ui and embedded"},
	{"server/servertest", suite, nil, "a load on a server, and a bare handler beside it"},

	{"internal/scenario", suite, []string{"ledger", "chain/evm", "store", "taint", "trace"}, "the test language, also `coldtrail test`"},
	{"internal/synthetic", suite, nil, "a seeded chain as real block files, for measuring"},
	{"internal/replay", suite, []string{"ledger"}, "launderings replayed from published figures, with their exact truth"},
	{"internal/laundering", suite, []string{"ledger", "chain/bitcoin", "chain/evm", "internal/replay", "trace"}, "a replayed laundering ready to be traced: its case and its blocks"},
	{"report/reporttest", suite, []string{"ledger", "chain/evm", "chain/transfers", "ingest", "store/memory", "taint", "trace", "report", "internal/replay", "internal/laundering"}, "answers to report on: the bundled theft, and a played laundering"},
	{"internal/venue", suite, []string{"ledger", "screen/exposure", "screen/breaker", "internal/replay"}, "traffic of a guarded venue, honest and not, with the truth"},
	{"internal/mixes", suite, []string{"ledger", "attribution/coinjoin"}, "generated transactions that mix and that only look so, with the truth"},
	{"internal/clickhousetest", suite, nil, "real ClickHouse servers and ZooKeeper on loopback, for tests"},
	{"internal/chdbtest", suite, nil, "today's ClickHouse as a library, for statements in tests"},
	{"internal/postgrestest", suite, nil, "a real PostgreSQL server on loopback, for tests"},
	{"internal/nodetest", suite, []string{"ledger", "internal/replay"}, "real nodes on loopback, and contracts compiled, for tests"},
	{"cmd/coldtrail", wiring, []string{"*"}, "the binary: the only place that wires parts together"},
}

// impure lists what a pure package may not import. A prefix bans its children.
var impure = []string{"os", "net", "io/fs", "database", "log", "syscall", "time", "math/rand", "crypto/rand", "embed"}

// values lists packages under a banned prefix that hold only values.
var values = map[string][]string{"time": {"Unix", "Time", "Duration", "UTC", "Parse", "RFC3339"}}

// pureModules lists the only third-party modules a pure package may import:
// wide integers and codecs.
var pureModules = []string{
	"github.com/holiman/uint256", "golang.org/x/crypto/sha3", "golang.org/x/crypto/ripemd160",
	"github.com/ethereum/go-ethereum/common", "github.com/ethereum/go-ethereum/core/types", "github.com/ethereum/go-ethereum/rlp",
	"github.com/ethereum/go-ethereum/trie", "github.com/ethereum/go-ethereum/params", "github.com/ethereum/go-ethereum/consensus/misc/eip4844",
	"github.com/go-faster/jx", "gopkg.in/yaml.v3", "cel.dev/cel-go", "golang.org/x/crypto/blake2b", "github.com/btcsuite/btcd/address/v2/base58", "github.com/btcsuite/btcd/address/v2/bech32",
}

// TestArchitecture checks every package against its rule.
func TestArchitecture(t *testing.T) {
	found := parsePackages(t)
	for _, r := range rules {
		if len(found[r.pkg]) == 0 {
			t.Errorf("%s: on the map, but there is no such package", r.pkg)
		}
	}
	for dir, files := range found {
		i := slices.IndexFunc(rules, func(r rule) bool { return r.pkg == dir })
		if i < 0 {
			t.Errorf("%s: not on the map; add it to rules", dir)
			continue
		}
		checkDoc(t, dir, files)
		for _, f := range files {
			checkImports(t, rules[i], f)
			if rules[i].kind == pure {
				checkPure(t, rules[i], f)
			}
		}
	}
}

// TestImportsPointUp keeps rules in dependency order, so it reads top-down.
func TestImportsPointUp(t *testing.T) {
	above := []string{"*"}
	for _, r := range rules {
		for _, imp := range r.imports {
			if !slices.Contains(above, imp) {
				t.Errorf("%s imports %s, which is not above it", r.pkg, imp)
			}
		}
		above = append(above, r.pkg)
	}
}

func checkDoc(t *testing.T, dir string, files []*ast.File) {
	t.Helper()
	docs := slices.DeleteFunc(slices.Clone(files), func(f *ast.File) bool { return f.Doc == nil })
	if len(docs) != 1 {
		t.Errorf("%s: %d package comments, want 1", dir, len(docs))
	}
}

func checkImports(t *testing.T, r rule, f *ast.File) {
	t.Helper()
	for _, spec := range f.Imports {
		path, _ := strconv.Unquote(spec.Path.Value)
		if own, ok := strings.CutPrefix(path, module+"/"); ok {
			if !slices.Contains(r.imports, own) && !slices.Contains(r.imports, "*") {
				t.Errorf("%s may not import %s", r.pkg, own)
			}
		}
	}
}

func checkPure(t *testing.T, r rule, f *ast.File) {
	t.Helper()
	for _, spec := range f.Imports {
		path, _ := strconv.Unquote(spec.Path.Value)
		if slices.ContainsFunc(impure, under(path)) && values[path] == nil || isThirdParty(path) && !slices.ContainsFunc(pureModules, under(path)) {
			t.Errorf("%s is pure and may not import %s", r.pkg, path)
		}
	}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			if x, ok := n.X.(*ast.Ident); ok && values[x.Name] != nil && x.Obj == nil && !slices.Contains(values[x.Name], n.Sel.Name) {
				t.Errorf("%s is pure and may not use %s.%s", r.pkg, x.Name, n.Sel.Name)
			}
		case *ast.GoStmt:
			t.Errorf("%s is pure and may not start goroutines", r.pkg)
		case *ast.Ident: // Go may fuse float operations, so results differ by CPU.
			if n.Name == "float64" || n.Name == "float32" {
				t.Errorf("%s is pure and may not use floats", r.pkg)
			}
		}
		return true
	})
}

// under reports whether path is a prefix's package or one of its children.
func under(path string) func(prefix string) bool {
	return func(prefix string) bool { return path == prefix || strings.HasPrefix(path, prefix+"/") }
}

func isThirdParty(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return strings.Contains(first, ".") && !strings.HasPrefix(path, module)
}

// TestMap keeps the table in ARCHITECTURE.md equal to rules.
func TestMap(t *testing.T) {
	const file, begin, end = "ARCHITECTURE.md", "<!-- map -->\n", "<!-- /map -->"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok1 := strings.Cut(string(text), begin)
	_, tail, ok2 := strings.Cut(rest, end)
	if !ok1 || !ok2 {
		t.Fatalf("%s: map markers not found", file)
	}
	var b strings.Builder
	fmt.Fprint(&b, "| Package | Kind | Purpose | May import |\n| --- | --- | --- | --- |\n")
	for _, r := range rules {
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", r.pkg, r.kind, r.purpose, cmp.Or(strings.Join(r.imports, ", "), "nothing of ours"))
	}
	want := head + begin + b.String() + end + tail
	if *rewrite {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if want != string(text) {
		t.Errorf("%s is out of date; run: go test -run TestMap -rewrite .", file)
	}
}

// parsePackages parses every non-test Go file, grouped by directory.
func parsePackages(t *testing.T) map[string][]*ast.File {
	t.Helper()
	pkgs := map[string][]*ast.File{}
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			name := d.Name()
			if path != "." && (strings.HasPrefix(name, ".") || name == "testdata" || name == "node_modules") {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		dir := filepath.ToSlash(filepath.Dir(path))
		pkgs[dir] = append(pkgs[dir], f)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return pkgs
}
