package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"coldtrail/chain/bitcoin"
	"coldtrail/crossing/opaque"
	"coldtrail/ledger"
	"coldtrail/store"
	"coldtrail/store/memory"
	"coldtrail/taint"
	"coldtrail/trace"
)

// runPhase measures one stage in this process and prints it as JSON.
func (v *benchVerb) runPhase(ctx context.Context, s *session) error {
	switch v.Phase {
	case "generate":
		return v.generate(s.stdout)
	case "decode":
		return v.decode(s)
	case "lookup":
		return v.withStore(ctx, s, v.lookup)
	case "trace":
		return v.withStore(ctx, s, v.trace)
	case "opaque":
		return v.opaque(ctx, s)
	case "clusters":
		return v.withStore(ctx, s, v.clusters)
	case "clusters-scale":
		return v.clustersScale(ctx, s)
	case "attribution":
		return v.attribution(ctx, s)
	case "screening":
		return v.screening(ctx, s)
	}
	return fmt.Errorf("phase %q is unknown", v.Phase)
}

// opaque measures how often the scores of opaque services are right, on crossings of a
// replayed market whose truth is known.
func (v *benchVerb) opaque(ctx context.Context, s *session) error {
	into := memory.New()
	played := replayVerb{Scenario: "bybit", Seed: v.Seed, Scale: 1000, Thin: 4, Wallets: 1000}
	if _, err := played.play(ctx, s, into); err != nil {
		return err
	}
	bridged, err := trace.ListBridged(ctx, into, nil, time.Unix(0, 0), trace.Options{Notations: notations, Crossings: true})
	if err != nil {
		return err
	}
	return s.printJSON(bridged.Measure(opaque.Prior))
}

func (v *benchVerb) withStore(ctx context.Context, s *session, phase func(context.Context, store.Store) (any, error)) error {
	opened, err := s.openStore(ctx)
	if err != nil {
		return err
	}
	value, err := phase(ctx, opened)
	if err = errors.Join(err, opened.Close()); err != nil {
		return err
	}
	return s.printJSON(value)
}

// processorTime is what this process has used so far.
func processorTime() time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		return 0
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// decode decodes the first file over and over, from memory, on one core.
func (v *benchVerb) decode(s *session) error {
	files, err := filepath.Glob(filepath.Join(v.Keep, "blocks", "blk*.dat"))
	if err != nil {
		return err
	}
	var seconds float64
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		began := processorTime()
		for height := ledger.Height(1); len(raw) > 8; height++ {
			size := int(raw[4]) | int(raw[5])<<8 | int(raw[6])<<16 | int(raw[7])<<24
			if _, err := bitcoin.Decode(raw[8:8+size], height, bitcoin.Regtest, bitcoin.WithWork); err != nil {
				return err
			}
			raw = raw[8+size:]
		}
		seconds += (processorTime() - began).Seconds()
	}
	return s.printJSON(map[string]float64{"Seconds": seconds})
}

// lookups is the measure of neighbourhood look-ups and of the size on disk.
type lookups struct {
	P50, P99      float64 // us
	Record, Index uint64  // bytes
}

// lookup asks for the neighbourhood of random addresses, half of them found by
// random outputs and so mostly busy ones.
func (v *benchVerb) lookup(ctx context.Context, s store.Store) (any, error) {
	random := rand.New(rand.NewPCG(v.Seed, 7)) //nolint:gosec // a benchmark wants the same look-ups every time
	chain := bitcoin.Regtest.Chain
	outputs, err := outputCount(ctx, s)
	if err != nil {
		return nil, err
	}
	const count = 5_000
	numbers := make([]store.OutputNumber, count)
	for i := range numbers {
		numbers[i] = store.OutputNumber(random.Uint64N(outputs))
	}
	slices.Sort(numbers)
	described, err := s.Outputs(ctx, chain, numbers)
	if err != nil {
		return nil, err
	}
	random.Shuffle(count, func(i, j int) { described[i], described[j] = described[j], described[i] })
	times := make([]time.Duration, 0, count)
	for i := range described {
		if described[i].Address.IsZero() {
			continue
		}
		began := time.Now()
		if _, err := s.History(ctx, chain, []store.Since{{Address: described[i].Address, Limit: 100}}); err != nil {
			return nil, err
		}
		times = append(times, time.Since(began))
	}
	slices.Sort(times)
	l := lookups{P50: us(times[len(times)/2]), P99: us(times[len(times)*99/100])}
	if files, ok := s.(interface {
		Size() (record, index uint64, err error)
	}); ok {
		l.Record, l.Index, err = files.Size()
	}
	return l, err
}

func us(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e3 }

func outputCount(ctx context.Context, s store.Store) (uint64, error) {
	status, err := s.Status(ctx)
	if err != nil {
		return 0, err
	}
	chain := bitcoin.Regtest.Chain
	txs, err := s.Transactions(ctx, chain, []store.TxNumber{store.TxNumber(status[0].Txs - 1)})
	if err != nil {
		return 0, err
	}
	return uint64(txs[0].FirstOutput) + uint64(len(txs[0].Values)), nil
}

// tracing is the measure of one trace.
type tracing struct {
	Method   string
	Targeted bool
	Percent  float64 // of inputs tainted
	Seconds  float64
	Idle     float64 // seconds of it that go to untainted inputs
	Inputs   uint64
	Made     uint64
}

// trace measures streaming taint at three densities and every method, and a
// targeted trace.
func (v *benchVerb) trace(ctx context.Context, s store.Store) (any, error) {
	var all []tracing
	var idle float64 // seconds an untainted input costs
	for _, percent := range []float64{0.001, 0.1, 10} {
		methods := []*taint.Method{taint.FIFO}
		if percent > 1 {
			methods = taint.Methods
		}
		thefts, wanted := uint64(1), percent
		for _, method := range methods {
			t, used, err := v.approach(ctx, s, method, wanted, thefts)
			if err != nil {
				return nil, err
			}
			if thefts = used; percent > 1 {
				wanted = 0 // the other methods trace the same thefts
			}
			if percent < 0.01 {
				idle = t.Seconds / float64(t.Inputs)
			}
			t.Idle = idle * float64(t.Inputs)
			all = append(all, t)
		}
	}
	t, err := v.traceOnce(ctx, s, taint.FIFO, trace.Targeted, 500)
	t.Targeted = true
	return append(all, t), err
}

// approach finds the number of thefts that taints about so many of the inputs.
func (v *benchVerb) approach(ctx context.Context, s store.Store, method *taint.Method, percent float64, thefts uint64) (tracing, uint64, error) {
	var t tracing
	var err error
	for range 6 {
		if t, err = v.traceOnce(ctx, s, method, trace.Streaming, thefts); err != nil {
			break
		}
		if t.Percent == 0 { // nothing stolen so late was spent
			thefts *= 20
			continue
		}
		ratio := percent / t.Percent
		next := uint64(float64(thefts) * ratio)
		if percent == 0 || ratio > 0.6 && ratio < 1.6 || next == thefts || next == 0 {
			break
		}
		thefts = min(next, mostThefts)
	}
	return t, thefts, err
}

// mostThefts bounds the thefts of one trace: more would measure memory.
const mostThefts = 20_000

// benchSpan is over how many of the newest transactions the thefts are spread.
const benchSpan = 1_000_000

// traceOnce steals outputs spread over the end of the chain and traces them.
func (v *benchVerb) traceOnce(ctx context.Context, s store.Store, method *taint.Method, mode trace.Mode, thefts uint64) (t tracing, err error) {
	chain := bitcoin.Regtest.Chain
	status, err := s.Status(ctx)
	if err != nil {
		return t, err
	}
	c := &trace.Case{File: "bench", Name: "bench"}
	txs := status[0].Txs
	span := min(txs/2, benchSpan)
	numbers := make([]store.TxNumber, 0, thefts)
	for i := range thefts {
		numbers = append(numbers, store.TxNumber(txs-span+i*span/thefts))
	}
	ids, err := s.IDs(ctx, chain, numbers)
	if err != nil {
		return t, err
	}
	described, err := s.Transactions(ctx, chain, numbers)
	if err != nil {
		return t, err
	}
	for i, id := range ids {
		if at := slices.IndexFunc(described[i].Values, func(value uint64) bool { return value > 0 }); at >= 0 {
			c.Thefts = append(c.Thefts, trace.Theft{Colour: "stolen", Chain: string(chain), Outpoint: fmt.Sprintf("%s:%d", id, at)})
		}
	}
	var began, ended time.Duration
	options := trace.Options{Method: method, Mode: mode, Notations: notations, Progress: func(ledger.Chain, ledger.Height, ledger.Height) {
		if ended = processorTime(); began == 0 {
			began = ended
		}
	}}
	start := processorTime()
	result, err := trace.Run(ctx, s, []*trace.Case{c}, options)
	if err != nil {
		return t, err
	}
	first := numbers[0]
	if mode == trace.Targeted {
		began, ended = start, processorTime()
	}
	t = tracing{Method: method.Name, Seconds: (ended - began).Seconds(), Made: result.Work().Made}
	if t.Inputs, err = inputsFrom(ctx, s, first); err == nil {
		t.Percent = 100 * float64(result.Work().Spent) / float64(t.Inputs)
	}
	return t, err
}

// inputsFrom counts the inputs from a transaction's block to the head.
func inputsFrom(ctx context.Context, s store.Store, first store.TxNumber) (n uint64, err error) {
	chain := bitcoin.Regtest.Chain
	txs, err := s.Transactions(ctx, chain, []store.TxNumber{first})
	if err != nil {
		return 0, err
	}
	for segment, err := range s.Segments(ctx, chain, txs[0].Height, 1<<62) {
		if err != nil {
			return 0, err
		}
		n += uint64(len(segment.Inputs))
	}
	return n, nil
}
