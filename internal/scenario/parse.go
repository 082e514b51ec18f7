package scenario

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"coldtrail/ledger"
	"coldtrail/taint"
	"coldtrail/trace"
)

// Limits of a scenario, so that a hostile file costs bounded memory.
const (
	maxLines = 100_000
	maxLine  = 64 << 10
)

// parser reads a scenario line by line.
type parser struct {
	s     *Scenario
	line  int
	trace *expectation
	txs   map[string]bool
	*book
	books map[ledger.Chain]*book
}

// book is one ledger of the scenario while it is read.
type book struct {
	names    *names
	branch   int // counts rewinds, so that a new branch has new hashes
	block    *ledger.Block
	height   ledger.Height
	anyBlock bool
	openings []ledger.Opening
}

// Parse reads one scenario. The name of the file is for messages only.
func Parse(file string, r io.Reader) (*Scenario, error) {
	p := &parser{s: &Scenario{File: file, labels: map[string]taint.Terminal{}, on: map[ledger.Chain]*names{}, home: map[string]ledger.Chain{}}, txs: map[string]bool{}, book: &book{}, books: map[ledger.Chain]*book{}}
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, 4096), maxLine)
	for lines.Scan() {
		if p.line++; p.line > maxLines {
			return nil, p.fail("more than %d lines", maxLines)
		}
		if err := p.read(lines.Text()); err != nil {
			return nil, err
		}
	}
	if err := lines.Err(); err != nil {
		p.line++
		return nil, p.fail("%v", err)
	}
	p.closeBlock()
	switch {
	case p.s.Chain == "":
		return nil, p.fail("no ledger; begin with `ledger bitcoin` or `ledger ethereum`")
	case len(p.s.traces) == 0:
		return nil, p.fail("no trace; a scenario ends with `trace METHOD` and what must come of it")
	}
	return p.s, nil
}

func (p *parser) fail(format string, args ...any) error {
	return &SyntaxError{File: p.s.File, Line: p.line, Reason: fmt.Sprintf(format, args...)}
}

// read takes one line. Indented lines belong to the block or trace above.
func (p *parser) read(text string) error {
	if i := strings.IndexByte(text, '#'); i >= 0 {
		text = text[:i]
	}
	words := strings.Fields(text)
	if len(words) == 0 {
		return nil
	}
	if text[0] == ' ' || text[0] == '\t' {
		switch {
		case p.trace != nil:
			p.trace.lines = append(p.trace.lines, strings.Join(words, " "))
			return nil
		case p.block != nil:
			return p.readTx(strings.TrimSpace(text))
		}
		return p.fail("an indented line must follow `block` or `trace`")
	}
	p.trace = nil
	directive, ok := directives[words[0]]
	if !ok {
		return p.fail("%q is not a directive; use one of %s", words[0], strings.Join(directiveNames, ", "))
	}
	if p.s.Chain == "" && words[0] != "ledger" {
		return p.fail("begin with `ledger bitcoin` or `ledger ethereum`")
	}
	return directive(p, words[1:])
}

// directives are the words a line may begin with.
var directives = map[string]func(*parser, []string) error{
	"ledger": (*parser).readLedger, "block": (*parser).readBlock, "rewind": (*parser).readRewind, "balance": (*parser).readBalance,
	"theft": (*parser).readTheft, "victim": (*parser).readVictim, "label": (*parser).readLabel, "link": (*parser).readLink,
	"service": (*parser).readService, "accept": (*parser).readAccept, "trace": (*parser).readTrace,
}

var directiveNames = []string{"ledger", "block", "rewind", "balance", "theft", "victim", "label", "link", "service", "accept", "trace"}

func (p *parser) readLedger(args []string) error {
	p.closeBlock()
	if len(args) != 1 {
		return p.fail("want `ledger CHAIN`")
	}
	chain, err := ledger.ParseChain(args[0])
	if err != nil {
		return p.fail("%v", err)
	}
	if p.books[chain] == nil {
		shared := newRegister()
		if p.s.Chain != "" {
			shared = p.s.names.register
			shared.several = true
		}
		p.books[chain] = &book{names: newNames(chain, shared)}
		p.s.on[chain] = p.books[chain].names
	}
	p.book = p.books[chain]
	if p.s.Chain == "" {
		p.s.Chain, p.s.names = chain, p.names
	}
	return nil
}

func (p *parser) closeBlock() {
	if p.block != nil {
		p.s.steps = append(p.s.steps, step{chain: p.names.chain, block: p.block})
		p.block = nil
	}
}

// readBlock begins a block: `block HEIGHT`. Its time is ten minutes a height.
func (p *parser) readBlock(args []string) error {
	p.closeBlock()
	if len(args) != 1 {
		return p.fail("want `block HEIGHT`")
	}
	n, err := strconv.ParseUint(args[0], 10, 32)
	if err != nil || p.anyBlock && ledger.Height(n) != p.height+1 {
		return p.fail("block %q: heights are whole numbers that rise by one", args[0])
	}
	height := ledger.Height(n)
	p.block = &ledger.Block{
		Chain: p.names.chain, Height: height, Hash: blockHash(p.names.chain, height, p.branch), Time: 1_700_000_000 + int64(n)*600,
		Provenance: ledger.File, Openings: p.openings,
	}
	if p.anyBlock {
		p.block.Parent = p.parentHash(height)
	}
	p.openings, p.height, p.anyBlock = nil, height, true
	return nil
}

// parentHash is the hash of the last block below a height that still stands.
func (p *parser) parentHash(height ledger.Height) ledger.Hash {
	for _, s := range slices.Backward(p.s.steps) {
		if s.block != nil && s.chain == p.names.chain && s.block.Height == height-1 {
			return s.block.Hash
		}
	}
	return ledger.Hash{}
}

// readRewind takes blocks back: `rewind HEIGHT` removes it and all above.
func (p *parser) readRewind(args []string) error {
	p.closeBlock()
	if len(args) != 1 || !p.anyBlock {
		return p.fail("want `rewind HEIGHT` after a block")
	}
	n, err := strconv.ParseUint(args[0], 10, 32)
	height := ledger.Height(n)
	if err != nil || height > p.height || height == 0 {
		return p.fail("rewind %q: want the height of a block above the first", args[0])
	}
	p.s.steps = append(p.s.steps, step{chain: p.names.chain, rewind: &height})
	p.height = height - 1
	p.branch++
	return nil
}

// readBalance states what an account held before the next block.
func (p *parser) readBalance(args []string) error {
	if p.names.chain.Family() != ledger.Account || len(args) < 2 || len(args) > 3 {
		return p.fail("want `balance NAME AMOUNT [ASSET]`, on an account ledger")
	}
	p.closeBlock()
	address, err := p.names.ParseAddress(args[0])
	if err != nil {
		return p.fail("%v", err)
	}
	amount, err := ledger.ParseAmount(args[1])
	if err != nil {
		return p.fail("%v", err)
	}
	before := ledger.Height(0)
	if p.anyBlock {
		before = p.height + 1
	}
	p.openings = append(p.openings, ledger.Opening{Address: address, Asset: p.names.parseAsset(at(args, 2)), Amount: amount, Before: before})
	return nil
}

// readTheft colours an output or a movement: `theft CASE/COLOUR TX:N`.
func (p *parser) readTheft(args []string) error {
	p.closeBlock()
	if len(args) != 2 {
		return p.fail("want `theft [CASE/]COLOUR TX:N`")
	}
	colour := args[0]
	if !strings.Contains(colour, "/") {
		colour = "case/" + colour
	}
	name, _, ok := strings.Cut(args[1], ":")
	if !ok || !p.txs[name] {
		return p.fail("theft of %q: want TX:N of a transaction above", args[1])
	}
	p.s.thefts = append(p.s.thefts, theft{line: p.line, colour: colour, place: args[1]})
	return nil
}

func (p *parser) readVictim(args []string) error {
	p.closeBlock()
	if len(args) == 0 {
		return p.fail("want `victim NAME...`")
	}
	p.s.victim = append(p.s.victim, args...)
	return nil
}

// readLabel names where the trace stops: `label NAME KIND [ENTITY]`.
func (p *parser) readLabel(args []string) error {
	p.closeBlock()
	if len(args) < 2 {
		return p.fail("want `label NAME KIND [ENTITY]`")
	}
	kind, ok := taint.KindNamed(args[1])
	if !ok {
		return p.fail("label kind %q is not a disposition", args[1])
	}
	p.s.labels[args[0]] = taint.Terminal{Kind: kind, Entity: strings.Join(args[2:], " ")}
	return nil
}

// readLink asserts: `link NAME ASSET -> NAME AMOUNT ASSET before TX score BP`.
func (p *parser) readLink(args []string) error {
	p.closeBlock()
	if len(args) != 10 || args[2] != "->" || args[6] != "before" || args[8] != "score" {
		return p.fail("want `link NAME ASSET -> NAME AMOUNT ASSET before TX score BASIS_POINTS`")
	}
	score, err := strconv.ParseUint(args[9], 10, 16)
	if err != nil || !p.txs[args[7]] {
		return p.fail("link: want a transaction above and a score in basis points")
	}
	p.s.links = append(p.s.links, link{
		line: p.line, from: args[0], fromIn: args[1], to: args[3], amount: args[4], toIn: args[5], before: args[7],
		score: uint32(score), assertedBy: "analyst", justification: "the scenario says so",
	})
	return nil
}

// readService names the wallets that an opaque service pays from: `service ENTITY pays
// NAME...`. It takes in at what labels of the entity name.
func (p *parser) readService(args []string) error {
	p.closeBlock()
	if len(args) < 3 || args[1] != "pays" {
		return p.fail("want `service ENTITY pays NAME...`")
	}
	p.s.services = append(p.s.services, service{name: args[0], wallets: args[2:]})
	return nil
}

// readAccept follows a payout of a service: `accept ENTITY TX TX:N [BASIS_POINTS]`.
func (p *parser) readAccept(args []string) error {
	p.closeBlock()
	at := slices.IndexFunc(p.s.services, func(s service) bool { return len(args) > 0 && s.name == args[0] })
	if at < 0 || len(args) < 3 || len(args) > 4 || !p.txs[args[1]] {
		return p.fail("want `accept ENTITY TX TX:N [BASIS_POINTS]` behind the service")
	}
	score := uint64(0)
	if len(args) == 4 {
		var err error
		if score, err = strconv.ParseUint(args[3], 10, 16); err != nil {
			return p.fail("accept: score %q: want basis points", args[3])
		}
	}
	p.s.services[at].accepts = append(p.s.services[at].accepts, accept{deposit: args[1], payout: args[2], score: uint32(score)})
	return nil
}

// readTrace begins an expectation: `trace METHOD... [fees=follow coinjoin=follow subsidy=N hops=N]`.
func (p *parser) readTrace(args []string) error {
	p.closeBlock()
	e := expectation{line: p.line}
	for _, arg := range args {
		key, value, option := strings.Cut(arg, "=")
		number, err := strconv.ParseUint(value, 10, 32)
		switch {
		case !option && arg == "all":
			e.methods = append(e.methods, taint.Methods...)
		case !option:
			method, err := taint.MethodNamed(arg)
			if err != nil {
				return p.fail("%v", err)
			}
			e.methods = append(e.methods, method)
		case key == "fees" && value == "follow":
			e.fees = taint.FeesFollow
		case key == "coinjoin" && value == "follow":
			e.coinJoins = trace.CoinJoinsFollow
		case key == "subsidy" && err == nil:
			e.subsidy = number
		case key == "hops" && err == nil:
			e.hops = uint32(number)
		default:
			return p.fail("trace option %q is unknown; use fees=follow, coinjoin=follow, subsidy=N, hops=N", arg)
		}
	}
	if len(e.methods) == 0 {
		return p.fail("want `trace METHOD...`")
	}
	p.s.traces = append(p.s.traces, e)
	p.trace = &p.s.traces[len(p.s.traces)-1]
	return nil
}

func at(words []string, i int) string {
	if i < len(words) {
		return words[i]
	}
	return ""
}
