package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"coldtrail/chain/bitcoin"
	"coldtrail/chain/bitcoin/blkfile"
	"coldtrail/chain/bitcoin/esplora"
	"coldtrail/chain/bitcoin/etl"
	btcrpc "coldtrail/chain/bitcoin/rpc"
	"coldtrail/chain/evm"
	"coldtrail/chain/evm/era"
	evmetl "coldtrail/chain/evm/etl"
	evmrpc "coldtrail/chain/evm/rpc"
	"coldtrail/chain/jsonrpc"
	"coldtrail/chain/transfers"
	"coldtrail/ledger"
	"coldtrail/store"
)

// nodeFlags are the choices of sources that are nodes.
type nodeFlags struct {
	AuthFile   string `type:"path" placeholder:"FILE" help:"File with USER:PASSWORD (a node's cookie file) or a line \"Bearer TOKEN\"."`
	AtOnce     int    `placeholder:"N" help:"Most requests to a node at once; by default 8."`
	Traces     string `enum:"auto,call,flat,none" default:"auto" help:"How to ask a node for internal value: auto, call (debug_traceBlock), flat (trace_block), none."`
	Unverified bool   `help:"Believe the node's hashes and roots, for networks whose blocks are not Ethereum's."`
	PerSecond  int    `default:"4" placeholder:"N" help:"Most requests in a second to an explorer (esplora, etherscan)."`
	NoOpenings bool   `help:"Do not ask the node what holdings held before they are first met."`
	CheckEvery uint64 `default:"64" placeholder:"N" help:"Compare balances with the node's at every Nth block; 0 never."`
	Wrapped    string `placeholder:"ADDRESS" help:"Contract that wraps the native asset, on a network that is not known by name."`
}

// opener opens a kind of source.
type opener func(ctx context.Context, v *ingestVerb, at sourceAt) (blockSource, error)

// sourceAt is what to open, for which chain, into which store.
type sourceAt struct {
	session *session
	chain   ledger.Chain
	place   string
	into    store.Store
}

// sources lists every kind of source under the name users type.
var sources = map[string]opener{
	"blocks":       openBlocks,
	"bitcoin-etl":  openBitcoinETL,
	"esplora":      openEsplora,
	"ethereum-etl": openEthereumETL,
	"era1":         openEra,
	"rpc":          openNode,
	"parquet":      openParquet,
	"transfers":    openTransfers,
}

// open opens the source.
func (v *ingestVerb) open(ctx context.Context, s *session, chain ledger.Chain, into store.Store) (blockSource, error) {
	kind, place, ok := strings.Cut(v.From, ":")
	if !ok || place == "" {
		return nil, fmt.Errorf("--from %q: want KIND:PLACE, such as blocks:/path/to/blk00000.dat", v.From)
	}
	open := sources[kind]
	if open == nil {
		kinds := make([]string, 0, len(sources))
		for name := range sources {
			kinds = append(kinds, name)
		}
		slices.Sort(kinds)
		return nil, fmt.Errorf("--from %q: kind %q is not supported; use %s", v.From, kind, strings.Join(kinds, ", "))
	}
	return open(ctx, v, sourceAt{s, chain, place, into})
}

// parseChain knows networks by name too.
func parseChain(name string) (ledger.Chain, error) {
	if network, ok := bitcoin.NetworkNamed(name); ok {
		return network.Chain, nil
	}
	if network, ok := evm.NetworkNamed(name); ok {
		return network.Chain(), nil
	}
	return ledger.ParseChain(name)
}

func openBitcoinETL(ctx context.Context, _ *ingestVerb, at sourceAt) (blockSource, error) {
	network, err := bitcoin.NetworkOf(at.chain)
	if err != nil {
		return nil, err
	}
	return etl.Open(ctx, at.place, network)
}

func openEthereumETL(ctx context.Context, v *ingestVerb, at sourceAt) (blockSource, error) {
	network, err := v.evmNetwork(at.chain)
	if err != nil {
		return nil, err
	}
	return evmetl.Open(ctx, at.place, network)
}

func openEsplora(ctx context.Context, v *ingestVerb, at sourceAt) (blockSource, error) {
	return v.openEsplora(ctx, at)
}

func (v *nodeFlags) openEsplora(ctx context.Context, at sourceAt) (*esplora.Source, error) {
	network, err := bitcoin.NetworkOf(at.chain)
	if err != nil {
		return nil, err
	}
	options := esplora.Options{Network: network, Node: at.reach()}
	options.Node.AtOnce, options.Node.Every = v.AtOnce, time.Second/time.Duration(max(v.PerSecond, 1))
	return esplora.Open(ctx, options)
}

func openEra(_ context.Context, v *ingestVerb, at sourceAt) (blockSource, error) {
	network, err := v.evmNetwork(at.chain)
	if err != nil {
		return nil, err
	}
	return era.Open(at.place, network)
}

func openTransfers(ctx context.Context, _ *ingestVerb, at sourceAt) (blockSource, error) {
	notation, err := notations(at.chain)
	if err != nil {
		return nil, err
	}
	return transfers.Open(ctx, at.place, at.chain, notation)
}

func openBlocks(ctx context.Context, v *ingestVerb, at sourceAt) (blockSource, error) {
	network, err := bitcoin.NetworkOf(at.chain)
	if err != nil {
		return nil, err
	}
	options := blkfile.Options{Network: network}
	if v.NoPow {
		options.Proof = bitcoin.WithoutWork
	}
	statuses, err := at.into.Status(ctx)
	if err != nil {
		return nil, err
	}
	for _, status := range statuses {
		if status.Chain == at.chain {
			options.Head = blkfile.Head{Height: status.Height, Hash: status.Hash}
		}
	}
	return blkfile.Open(ctx, at.place, options)
}

// openNode opens a node of the chain's family.
func openNode(ctx context.Context, v *ingestVerb, at sourceAt) (blockSource, error) {
	node, err := v.node(at)
	if err != nil {
		return nil, err
	}
	if at.chain.Family() == ledger.UTXO {
		return v.openBitcoinNode(ctx, at, node)
	}
	network, err := v.evmNetwork(at.chain)
	if err != nil {
		return nil, err
	}
	options := v.evmOptions(network, node)
	options.Known = knownHoldings(at)
	return evmrpc.Open(ctx, options)
}

func (v *ingestVerb) openBitcoinNode(ctx context.Context, at sourceAt, node jsonrpc.Options) (blockSource, error) {
	network, err := bitcoin.NetworkOf(at.chain)
	if err != nil {
		return nil, err
	}
	options := btcrpc.Options{Network: network, Node: node}
	if v.NoPow {
		options.Proof = bitcoin.WithoutWork
	}
	return btcrpc.Open(ctx, options)
}

// evmOptions are the choices for a node of an EVM chain.
func (v *nodeFlags) evmOptions(network evm.Network, node jsonrpc.Options) evmrpc.Options {
	options := evmrpc.Options{Network: network, Node: node, Traces: evmrpc.Traces(v.Traces), Openings: !v.NoOpenings, CheckEvery: v.CheckEvery}
	if v.Unverified {
		options.Check = evmrpc.CheckNothing
	}
	return options
}

// node is how to reach the node.
func (v *nodeFlags) node(at sourceAt) (jsonrpc.Options, error) {
	options := at.reach()
	options.AtOnce = v.AtOnce
	if v.AuthFile == "" {
		return options, nil
	}
	text, err := os.ReadFile(v.AuthFile)
	if err != nil {
		return options, fmt.Errorf("--auth-file: %w", err)
	}
	if options.Auth = strings.TrimSpace(string(text)); !strings.Contains(options.Auth, ":") && !strings.HasPrefix(options.Auth, "Bearer ") {
		return options, fmt.Errorf("--auth-file %s: want USER:PASSWORD or Bearer TOKEN", v.AuthFile)
	}
	return options, nil
}

// reach is how to reach the place over HTTP.
func (at *sourceAt) reach() jsonrpc.Options {
	return jsonrpc.Options{URL: at.place, Now: time.Now, Log: func(text string) { fmt.Fprintln(at.session.stderr, "note: "+text) }}
}

// evmNetwork is the network of an EVM chain, with what the flags say of it.
func (v *nodeFlags) evmNetwork(chain ledger.Chain) (evm.Network, error) {
	if chain.Family() != ledger.Account {
		return evm.Network{}, fmt.Errorf("%s is not an EVM chain", chain.Short())
	}
	network := evm.NetworkOf(chain)
	if v.Wrapped == "" {
		return network, nil
	}
	address, err := evm.Notation{}.ParseAddress(v.Wrapped)
	if err != nil {
		return network, fmt.Errorf("--wrapped: %w", err)
	}
	network.Wrapped = address
	return network, nil
}

// knownHoldings says of which holdings the store knows what they held.
func knownHoldings(at sourceAt) func(context.Context, []evm.Holding) ([]bool, error) {
	return func(ctx context.Context, holdings []evm.Holding) ([]bool, error) {
		known := make([]bool, len(holdings))
		statuses, err := at.into.Status(ctx)
		if err != nil || !slices.ContainsFunc(statuses, func(s store.Status) bool { return s.Chain == at.chain }) {
			return known, err
		}
		questions := make([]store.HoldingAt, len(holdings))
		for i, h := range holdings {
			questions[i] = store.HoldingAt{Holding: store.Holding{Address: h.Address, Asset: evm.AssetOf(at.chain, h.Contract)}, Before: store.NoTx}
		}
		balances, err := at.into.Balances(ctx, at.chain, questions)
		for i := range balances {
			known[i] = balances[i].Known
		}
		return known, err
	}
}
