package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"coldtrail/chain/evm/etherscan"
	evmrpc "coldtrail/chain/evm/rpc"
	"coldtrail/gather"
	"coldtrail/ledger"
	"coldtrail/store"
	"coldtrail/store/memory"
	"coldtrail/trace"
)

// finder is an explorer of any kind.
type finder interface {
	gather.Explorer
	Tip(ctx context.Context) (ledger.Height, error)
	Notes() []string
	Close() error
}

// finders lists every kind of explorer under the name users type.
var finders = map[string]func(ctx context.Context, v *traceFlags, at sourceAt) (finder, error){
	"esplora":   openEsploraFinder,
	"etherscan": openEtherscan,
	"otterscan": openOtterscan,
}

func openEsploraFinder(ctx context.Context, v *traceFlags, at sourceAt) (finder, error) {
	return v.openEsplora(ctx, at)
}

func openOtterscan(ctx context.Context, v *traceFlags, at sourceAt) (finder, error) {
	node, err := v.node(at)
	if err != nil {
		return nil, err
	}
	network, err := v.evmNetwork(at.chain)
	if err != nil {
		return nil, err
	}
	search, err := evmrpc.OpenSearch(ctx, v.evmOptions(network, node))
	if err != nil {
		return nil, err
	}
	return otterscan{search}, nil
}

func openEtherscan(ctx context.Context, v *traceFlags, at sourceAt) (finder, error) {
	network, err := v.evmNetwork(at.chain)
	if err != nil {
		return nil, err
	}
	options := etherscan.Options{Network: network, Node: at.reach()}
	options.Node.Every = time.Second / time.Duration(max(v.PerSecond, 1))
	if v.AuthFile != "" {
		key, err := os.ReadFile(v.AuthFile)
		if err != nil {
			return nil, fmt.Errorf("--auth-file: %w", err)
		}
		options.Key = strings.TrimSpace(string(key))
	}
	explorer, err := etherscan.Open(ctx, options)
	if err != nil {
		return nil, err
	}
	return byLists{explorer}, nil
}

// gather traces with an explorer instead of a store.
func (v *traceFlags) gather(ctx context.Context, s *session, cases []*trace.Case, options trace.Options) (_ *trace.Result, err error) {
	kind, url, ok := strings.Cut(v.From, ":")
	open := finders[kind]
	if !ok || open == nil {
		return nil, fmt.Errorf("--from %q: want otterscan:URL, etherscan:URL or esplora:URL; other sources are ingested first", v.From)
	}
	chain, err := chainOf(cases)
	if err != nil {
		return nil, err
	}
	explorer, err := open(ctx, v, sourceAt{session: s, chain: chain, place: url})
	if err != nil {
		return nil, err
	}
	defer func() { _ = explorer.Close() }()
	for _, note := range explorer.Notes() {
		fmt.Fprintln(s.stderr, "note: "+note)
	}
	cache, err := v.cache(ctx, s, kind, chain, explorer)
	if err != nil {
		return nil, err
	}
	done, err := v.stopAtOwn(ctx, s, &options)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, done()) }()
	options.Mode, options.Progress = trace.Targeted, nil // the same trace again and again
	bar := newProgress(s, "gather", uint64(max(v.Most, 1)))
	result, err := gather.Run(ctx, cases, gather.Options{
		Chain: chain, Explorer: explorer, Cache: cache, Head: cache.head, Empty: func() gather.Store { return memory.New() },
		Trace: options, MaxAsked: v.Most, Progress: func(asked, open int) {
			bar.total = uint64(asked + open)
			bar.set(uint64(asked))
		},
	})
	bar.end()
	if err != nil {
		return nil, err
	}
	s.reportGathered(result, cache.head)
	return result.Result, nil
}

// stopAtOwn lets a trace without a ledger stop by the labels of the user's store, so that
// it does not ask for what an exchange's wallets did. Nothing is concluded: that takes
// whole histories.
func (v *traceFlags) stopAtOwn(ctx context.Context, s *session, o *trace.Options) (func() error, error) {
	from, err := s.openStore(ctx)
	if err != nil {
		return nil, err
	}
	said := *v
	said.Conclude = ""
	done, err := said.stopAt(ctx, s, from, o)
	if err != nil {
		return nil, errors.Join(err, from.Close())
	}
	return func() error { return errors.Join(done(), from.Close()) }, nil
}

// reportGathered says where gathering stopped.
func (s *session) reportGathered(result *gather.Result, head ledger.Height) {
	fmt.Fprintf(s.stderr, "note: %d places were asked for, up to block %d; --fresh begins again at the newest\n", result.Asked, head)
	if n := len(result.Unasked); n > 0 {
		fmt.Fprintf(s.stderr, "note: %d more hold stolen value and were not asked for (%s …); raise --most to go on\n", n, result.Unasked[0])
	}
	for _, address := range result.Busy {
		fmt.Fprintf(s.stderr, "note: %s has more transactions than were fetched; what left it later is not followed\n", address)
	}
}

// chainOf is the one chain that the cases are on.
func chainOf(cases []*trace.Case) (chain ledger.Chain, err error) {
	for _, c := range cases {
		for i := range c.Thefts {
			one, err := parseChain(c.Thefts[i].Chain)
			if err != nil {
				return "", err
			}
			if chain != "" && chain != one {
				return "", errors.New("--from serves one chain; the cases name several")
			}
			chain = one
		}
	}
	return chain, nil
}

// otterscan lets a node's search answer as gather asks.
type otterscan struct{ *evmrpc.Searcher }

// Touching asks for the history of an address.
func (o otterscan) Touching(ctx context.Context, address ledger.Address, within gather.Span, limit int) (gather.Answer, error) {
	blocks, more, err := o.Searcher.Touching(ctx, address, evmrpc.Span(within), limit)
	return gather.Answer{Blocks: blocks, More: more}, err
}

// byLists lets an explorer's lists answer as gather asks.
type byLists struct{ *etherscan.Explorer }

// Touching asks for the history of an address.
func (l byLists) Touching(ctx context.Context, address ledger.Address, within gather.Span, limit int) (gather.Answer, error) {
	blocks, more, err := l.Explorer.Touching(ctx, address, etherscan.Span(within), limit)
	return gather.Answer{Blocks: blocks, More: more}, err
}

// gathered is the folder, beside the store, of what explorers answered.
const gathered = "gathered"

// folderCache keeps answers as files, and the head they rest on.
type folderCache struct {
	folder string
	head   ledger.Height
}

// cache opens the folder of a chain's answers; the first run fixes its head.
func (v *traceFlags) cache(ctx context.Context, s *session, kind string, chain ledger.Chain, search finder) (*folderCache, error) {
	base, err := s.folder()
	if err != nil {
		return nil, err
	}
	c := &folderCache{folder: filepath.Join(base, gathered, kind+"-"+strings.ReplaceAll(string(chain), ":", "-"))}
	if v.Fresh {
		if err := os.RemoveAll(c.folder); err != nil {
			return nil, err
		}
	}
	if err := os.MkdirAll(c.folder, 0o700); err != nil {
		return nil, err
	}
	headFile := filepath.Join(c.folder, "head")
	if text, err := os.ReadFile(headFile); err == nil {
		n, err := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 62)
		if err != nil {
			return nil, fmt.Errorf("%s: it is not a height; use --fresh", headFile)
		}
		c.head = ledger.Height(n)
		return c, nil
	}
	if c.head, err = search.Tip(ctx); err != nil {
		return nil, err
	}
	return c, writeWhole(headFile, strconv.AppendUint(nil, uint64(c.head), 10))
}

// Load reads an answer: whether there was more, then blocks with their lengths.
func (c *folderCache) Load(key string) (answer gather.Answer, found bool, err error) {
	path := filepath.Join(c.folder, key)
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return answer, false, nil
	}
	broken := fmt.Errorf("%s is broken; use --fresh", path)
	if err != nil || len(text) == 0 {
		return answer, false, errors.Join(broken, err)
	}
	answer.More = text[0] == 1
	for text = text[1:]; len(text) > 0; {
		size, n := binary.Uvarint(text)
		if n <= 0 || size > uint64(len(text)-n) {
			return answer, false, broken
		}
		block, err := store.DecodeBlock(text[n : n+int(size)])
		if err != nil {
			return answer, false, errors.Join(broken, err)
		}
		answer.Blocks = append(answer.Blocks, block)
		text = text[n+int(size):]
	}
	return answer, true, nil
}

// Save writes an answer, whole or not at all.
func (c *folderCache) Save(key string, answer gather.Answer) error {
	text := []byte{0}
	if answer.More {
		text[0] = 1
	}
	for _, block := range answer.Blocks {
		encoded := store.EncodeBlock(nil, block)
		text = append(binary.AppendUvarint(text, uint64(len(encoded))), encoded...)
	}
	return writeWhole(filepath.Join(c.folder, key), text)
}

// writeWhole writes a file that is never seen half written.
func writeWhole(path string, text []byte) error {
	if err := os.WriteFile(path+".new", text, 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}
