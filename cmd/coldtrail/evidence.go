package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"

	"coldtrail/attribution/label"
	"coldtrail/chain/bitcoin"
	"coldtrail/chain/bitcoin/blkfile"
	btcrpc "coldtrail/chain/bitcoin/rpc"
	"coldtrail/chain/evm"
	"coldtrail/chain/evm/era"
	evmrpc "coldtrail/chain/evm/rpc"
	"coldtrail/evidence"
	"coldtrail/ledger"
	"coldtrail/store"
	"coldtrail/trace"
)

type evidenceVerb struct {
	Cases    []string `arg:"" name:"CASE.yaml" help:"Case files; several trace together."`
	Out      string   `short:"o" required:"" type:"path" placeholder:"BUNDLE.zip" help:"File to write."`
	From     []string `placeholder:"[CHAIN=]KIND:PLACE" help:"Where proofs come from: blocks:PLACE or rpc:URL of Bitcoin networks, era1:PLACE or rpc:URL of Ethereum. A chain without it rests on the word of whoever gave its blocks."`
	Sign     string   `type:"path" placeholder:"KEYFILE" help:"Sign the bundle, for minisign; the file of the key is made if missing."`
	Method   string   `default:"fifo" help:"fifo, haircut, lifo, poison, seniority or tiho."`
	AsOf     string   `placeholder:"TIME" help:"RFC 3339 time or date; by default the newest block."`
	Fees     string   `default:"end" enum:"end,follow" help:"As of trace."`
	CoinJoin string   `default:"end" name:"coinjoin" enum:"end,follow" help:"As of trace."`
	Conclude string   `default:"deposits" placeholder:"RULES" help:"As of trace."`
	Least    uint8    `placeholder:"N" help:"As of trace."`

	knownFlags
	nodeFlags
}

// Run traces the cases and writes what proves the answer.
func (v *evidenceVerb) Run(ctx context.Context, s *session) (err error) {
	from, err := s.openStore(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	options, closeAll, err := v.options(ctx, s, from)
	if err != nil {
		return errors.Join(err, closeAll())
	}
	var out bytes.Buffer
	statement, err := v.build(ctx, s, &out, from, options)
	if err = errors.Join(err, closeAll()); err != nil { // what labels could not tell is told here
		return err
	}
	if err := writeWhole(v.Out, out.Bytes()); err != nil {
		return err
	}
	if err := v.sign(s, out.Bytes(), statement); err != nil {
		return err
	}
	if s.json {
		return s.printJSON(map[string]any{"bundle": v.Out, "bytes": out.Len(), "statement": statement})
	}
	fmt.Fprintf(s.stdout, "%s: %d bytes, digest %s\nAnybody can check it with: coldtrail verify %s\n", v.Out, out.Len(), statement.Digest, filepath.Base(v.Out))
	return nil
}

func (v *evidenceVerb) build(ctx context.Context, s *session, out *bytes.Buffer, from store.Store, options evidence.Options) (*evidence.Statement, error) {
	var files []evidence.CaseFile
	for _, name := range v.Cases {
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		files = append(files, evidence.CaseFile{Name: name, Text: text})
	}
	options.Proving = s.chainProgress("proofs of")
	return evidence.Build(ctx, out, from, files, options)
}

// options are those of the trace, and where proofs come from.
func (v *evidenceVerb) options(ctx context.Context, s *session, from store.Store) (o evidence.Options, closeAll func() error, err error) {
	var closers []func() error
	closeAll = func() (err error) {
		for _, c := range closers {
			err = errors.Join(err, c())
		}
		return err
	}
	as := traceFlags{
		Method: v.Method, Mode: string(trace.Targeted), AsOf: v.AsOf, Fees: v.Fees, CoinJoin: v.CoinJoin, Conclude: v.Conclude, Least: v.Least, knownFlags: v.knownFlags,
	}
	if o.Trace, err = as.options(s); err != nil {
		return o, closeAll, err
	}
	done, err := as.stopAt(ctx, s, from, &o.Trace)
	closers = append(closers, done)
	if err != nil {
		return o, closeAll, err
	}
	o.Tool = toolOf()
	o.Claims = func(ctx context.Context, chain ledger.Chain, address string) ([]label.Claim, error) {
		lists, err := from.Claims(ctx, []label.Subject{label.SubjectOf(chain, address)})
		if err != nil {
			return nil, err
		}
		return lists[0], nil
	}
	o.Cuts = func(ctx context.Context, chain ledger.Chain) (list []label.Claim, err error) {
		for c, err := range from.ClaimsOn(ctx, label.Network("tx:"+string(chain))) {
			if err != nil {
				return nil, err
			}
			list = append(list, *c)
		}
		return list, nil
	}
	o.Bitcoin, o.Ethereum = map[ledger.Chain]evidence.BitcoinSource{}, map[ledger.Chain]evidence.EthereumSource{}
	for _, text := range v.From {
		closer, err := v.open(ctx, s, text, &o)
		if err != nil {
			return o, closeAll, err
		}
		closers = append(closers, closer)
	}
	return o, closeAll, nil
}

// open opens a source of proofs.
func (v *evidenceVerb) open(ctx context.Context, s *session, text string, o *evidence.Options) (closer func() error, err error) {
	name, source, ok := strings.Cut(text, "=")
	if !ok || strings.Contains(name, "/") { // a place may have an equals sign, a chain has no slash
		name, source = "", text
	}
	kind, at, ok := strings.Cut(source, ":")
	if !ok || at == "" {
		return nil, fmt.Errorf("--from %q: want KIND:PLACE, such as blocks:/path/to/blocks, with CHAIN= before it where the cases name several", text)
	}
	chain, err := v.chainNamed(name)
	if err != nil {
		return nil, fmt.Errorf("--from %q: %w", text, err)
	}
	place := sourceAt{session: s, chain: chain, place: at}
	switch {
	case kind == "blocks" && chain.Family() == ledger.UTXO:
		return v.openFiles(ctx, place, o)
	case kind == "rpc" && chain.Family() == ledger.UTXO:
		return v.openBitcoinNode(ctx, place, o)
	case kind == "era1" && chain.Family() == ledger.Account:
		network, err := v.evmNetwork(chain)
		if err != nil {
			return nil, err
		}
		opened, err := era.Open(at, network)
		if err != nil {
			return nil, err
		}
		o.Ethereum[chain] = opened
		v.wrap(chain, network, o)
		return opened.Close, nil
	case kind == "rpc" && chain.Family() == ledger.Account:
		return v.openEthereumNode(ctx, place, o)
	}
	return nil, fmt.Errorf("--from %q: proofs of %s come from blocks: or rpc: of a Bitcoin network, era1: or rpc: of Ethereum", text, chain.Short())
}

// chainNamed is the chain that is named, or the only one of the cases.
func (v *evidenceVerb) chainNamed(name string) (ledger.Chain, error) {
	if name != "" {
		return parseChain(name)
	}
	cases, err := readCases(v.Cases)
	if err != nil {
		return "", err
	}
	chain, err := chainOf(cases)
	if err != nil {
		return "", errors.New("the cases name several chains; write CHAIN=KIND:PLACE")
	}
	return chain, nil
}

func (v *evidenceVerb) openFiles(ctx context.Context, at sourceAt, o *evidence.Options) (func() error, error) {
	network, err := bitcoin.NetworkOf(at.chain)
	if err != nil {
		return nil, err
	}
	opened, err := blkfile.Open(ctx, at.place, blkfile.Options{Network: network})
	if err != nil {
		return nil, err
	}
	o.Bitcoin[at.chain] = opened
	return opened.Close, nil
}

func (v *evidenceVerb) openBitcoinNode(ctx context.Context, at sourceAt, o *evidence.Options) (func() error, error) {
	node, err := v.node(at)
	if err != nil {
		return nil, err
	}
	network, err := bitcoin.NetworkOf(at.chain)
	if err != nil {
		return nil, err
	}
	opened, err := btcrpc.Open(ctx, btcrpc.Options{Network: network, Node: node})
	if err != nil {
		return nil, err
	}
	o.Bitcoin[at.chain] = opened
	return opened.Close, nil
}

func (v *evidenceVerb) openEthereumNode(ctx context.Context, at sourceAt, o *evidence.Options) (func() error, error) {
	node, err := v.node(at)
	if err != nil {
		return nil, err
	}
	network, err := v.evmNetwork(at.chain)
	if err != nil {
		return nil, err
	}
	options := v.evmOptions(network, node)
	options.Traces = evmrpc.TracesNone // proofs need none
	opened, err := evmrpc.Open(ctx, options)
	if err != nil {
		return nil, err
	}
	o.Ethereum[at.chain] = opened
	v.wrap(at.chain, network, o)
	return opened.Close, nil
}

// wrap keeps which contract wraps the native asset, where the user said so.
func (v *evidenceVerb) wrap(chain ledger.Chain, network evm.Network, o *evidence.Options) {
	if v.Wrapped != "" {
		o.Wrapped = map[ledger.Chain]ledger.Address{chain: network.Wrapped}
	}
}

// toolOf says which program this is.
func toolOf() evidence.Tool {
	t := evidence.Tool{Name: "coldtrail", Version: "unknown"}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return t
	}
	t.Version = info.Main.Version
	for _, setting := range info.Settings {
		switch {
		case setting.Key == "vcs.revision":
			t.Commit = setting.Value
		case setting.Key == "vcs.modified" && setting.Value == "true":
			t.Commit += "+changes"
		}
	}
	return t
}
