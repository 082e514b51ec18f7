package main

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"runtime"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"coldtrail/evidence/audit"
	"coldtrail/ledger"
	"coldtrail/screen"
	"coldtrail/screen/exposure"
	"coldtrail/screen/index"
	"coldtrail/screen/policy"
	"coldtrail/server"
	"coldtrail/server/servertest"
)

// screened is what was measured of screening.
type screened struct {
	Addresses  int                `json:"addresses"`
	Build      float64            `json:"build_seconds"`
	PerAddress float64            `json:"bytes_per_address"`
	Find       spread             `json:"find_ns"`       // look-up alone of an address that is listed
	Listed     spread             `json:"listed_ns"`     // verdict in print of such a one
	Unlisted   spread             `json:"unlisted_ns"`   // of one that is not
	Map        spread             `json:"map_ns"`        // look-up alone in a map of Go, of a tenth of the addresses
	Overlay    float64            `json:"overlay_ms"`    // to make the layer of a block anew, 100,000 addresses
	Still      float64            `json:"gap_ms"`        // the longest a reader waits while nothing changes
	Swapped    float64            `json:"swap_gap_ms"`   // and while the state is replaced ten times a second
	HTTP       *servertest.Report `json:"http"`          // with the audit log, the generator on the same machine
	HTTPRatio  float64            `json:"http_ratio"`    // of a bare handler that returns the same bytes
	Audited    uint64             `json:"audit_records"` // that were written meanwhile
}

// spread is how long something took, in nanoseconds.
type spread struct {
	Mean, P50, P99 int64
}

// benchAddress is address n of the generated ones.
func benchAddress(n int) ledger.Address {
	var payload [20]byte
	state := uint64(n)*0x9e3779b97f4a7c15 + 1
	for i := 0; i < 20; i += 4 {
		state ^= state >> 29
		state *= 0xbf58476d1ce4e5b9
		state ^= state >> 32
		binary.BigEndian.PutUint32(payload[i:], uint32(state))
	}
	return ledger.NewAddress(ledger.EVMAccount, payload[:])
}

// benchText is address n as people write it.
func benchText(n int) string {
	a := benchAddress(n)
	return "0x" + hex.EncodeToString(a.Bytes())
}

// screening measures an index of many addresses, in process and over HTTP.
func (v *benchVerb) screening(ctx context.Context, s *session) error {
	out := screened{Addresses: int(v.Addresses)}
	k, err := out.build()
	if err != nil {
		return err
	}
	out.look(k)                         //nolint:contextcheck // guards ask without one
	if err := out.swap(k); err != nil { //nolint:contextcheck // the same
		return err
	}
	if err := out.serve(ctx, v, k); err != nil {
		return err
	}
	return s.printJSON(out)
}

// build makes the index: a thousand different things are said, each of many addresses.
func (o *screened) build() (*screen.Knowledge, error) {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	began := time.Now()
	var sets index.SetsBuilder
	for i := range 1000 {
		f := exposure.Fact{
			Kind: exposure.Labelled, Chain: string(ledger.Ethereum), Category: "scam", Entity: fmt.Sprintf("somebody %d", i), Confidence: 50, By: "a list", Claim: fmt.Sprintf("%032x", i),
		}
		if _, err := sets.Intern([]exposure.Fact{f}); err != nil {
			return nil, err
		}
	}
	var b index.Builder
	for n := range o.Addresses {
		if err := b.Add(benchAddress(n), uint32(n%1000)); err != nil {
			return nil, err
		}
	}
	built, err := b.Build()
	if err != nil {
		return nil, err
	}
	o.Build = time.Since(began).Seconds()
	runtime.GC()
	runtime.ReadMemStats(&after)
	random := rand.New(rand.NewPCG(1, 3)) //nolint:gosec // the same every time
	asked := make([]ledger.Address, 200_000)
	for i := range asked {
		asked[i] = benchAddress(random.IntN(o.Addresses))
	}
	o.Find = measureEach(len(asked), func(i int) { _, _ = built.Find(asked[i]) })
	o.PerAddress = float64(after.HeapAlloc-min(before.HeapAlloc, after.HeapAlloc)) / float64(o.Addresses)
	overlay, err := overlayOf(0)
	if err != nil {
		return nil, err
	}
	return assemble(index.Layer{Index: built, Sets: sets.Build()}, overlay, 1)
}

// overlayOf is the layer that a block changes.
func overlayOf(round int) (index.Layer, error) {
	const addresses = 100_000
	var sets index.SetsBuilder
	number, err := sets.Intern([]exposure.Fact{{Kind: exposure.Tainted, Direction: exposure.Received, Chain: string(ledger.Ethereum), Incident: "a theft", Certainty: 10_000, Share: 9_000, Hops: 3}})
	if err != nil {
		return index.Layer{}, err
	}
	var b index.Builder
	for n := range addresses {
		if err := b.Add(benchAddress(1<<40+round+n), number); err != nil {
			return index.Layer{}, err
		}
	}
	built, err := b.Build()
	return index.Layer{Index: built, Sets: sets.Build()}, err
}

func assemble(base, overlay index.Layer, serial uint64) (*screen.Knowledge, error) {
	now := time.Now().Unix()
	basis := &exposure.Basis{Index: serial, Heads: map[string]exposure.Head{string(ledger.Ethereum): {Height: serial, Time: now, Seen: now}}, Policy: policy.Default().String()}
	options := screen.Options{Notations: notations, Policy: policy.Default(), Now: func() int64 { return time.Now().Unix() }}
	return screen.Assemble(nil, options, basis, base, overlay, overlay)
}

// look measures verdicts in process, and a map of Go beside them.
func (o *screened) look(k *screen.Knowledge) {
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same every time
	verdicts := func(from int) spread {
		var buffer []byte
		q := exposure.Question{Chain: string(ledger.Ethereum)}
		texts := make([]string, 200_000)
		for i := range texts {
			texts[i] = benchText(from + random.IntN(o.Addresses))
		}
		return measureEach(len(texts), func(i int) {
			q.Subject = texts[i]
			buffer, _ = k.ScreenBytes(buffer[:0], &q)
		})
	}
	o.Listed, o.Unlisted = verdicts(0), verdicts(1<<41)
	plain := map[ledger.Address]uint32{}
	for n := range o.Addresses / 10 {
		plain[benchAddress(n)] = uint32(n)
	}
	asked := make([]ledger.Address, 200_000)
	for i := range asked {
		asked[i] = benchAddress(random.IntN(o.Addresses))
	}
	found := 0
	o.Map = measureEach(len(asked), func(i int) {
		if _, ok := plain[asked[i]]; ok {
			found++
		}
	})
}

// measureEach times calls one by one.
func measureEach(n int, do func(int)) spread {
	took := make([]int64, n)
	sum := int64(0)
	for i := range took {
		began := time.Now()
		do(i)
		took[i] = int64(time.Since(began))
		sum += took[i]
	}
	slices.Sort(took)
	return spread{sum / int64(n), took[n/2], took[n*99/100]}
}

// swap measures how long a reader has to wait at most, without and with states that are
// replaced.
func (o *screened) swap(k *screen.Knowledge) error {
	var now atomic.Pointer[screen.Knowledge]
	now.Store(k)
	read := func(long time.Duration) float64 {
		var buffer []byte
		q := exposure.Question{Subject: benchText(7), Chain: string(ledger.Ethereum)}
		longest, last := time.Duration(0), time.Now()
		for end := last.Add(long); ; {
			buffer, _ = now.Load().ScreenBytes(buffer[:0], &q)
			at := time.Now()
			longest, last = max(longest, at.Sub(last)), at
			if at.After(end) {
				return longest.Seconds() * 1000
			}
		}
	}
	o.Still = read(2 * time.Second)
	layer, err := overlayOf(1)
	if err != nil {
		return err
	}
	var all errgroup.Group
	stop := make(chan struct{})
	all.Go(func() error {
		ticker := time.NewTicker(100 * time.Millisecond)
		defer ticker.Stop()
		for round := uint64(2); ; round++ {
			select {
			case <-stop:
				return nil
			case <-ticker.C:
			}
			next, err := assemble(layer, layer, round)
			if err != nil {
				return err
			}
			now.Store(next)
		}
	})
	o.Swapped = read(2 * time.Second)
	close(stop)
	began := time.Now()
	_, err = overlayOf(2)
	o.Overlay = time.Since(began).Seconds() * 1000
	return errors.Join(err, all.Wait())
}

// fixed is one state of knowledge for good.
type fixed struct{ k *screen.Knowledge }

// Now gives it.
func (f fixed) Now() server.View { return f.k }

// At gives no verdict of another time.
func (fixed) At(context.Context, *exposure.Question) (exposure.Verdict, error) {
	return exposure.Verdict{}, errors.New("nothing else was measured")
}

// Explain has nothing to explain: nobody's owner is known.
func (fixed) Explain(context.Context, *exposure.Verdict) error { return nil }

// serve measures the server with its audit log.
func (o *screened) serve(ctx context.Context, v *benchVerb, k *screen.Knowledge) (err error) {
	folder, err := os.MkdirTemp(v.Keep, "audit-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	log, _, err := audit.Open(folder, audit.Options{Clock: time.Now})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	rates := map[server.Class]server.Rate{server.ClassScreening: {PerSecond: 1 << 30, Burst: 1 << 30}}
	web, err := server.New(server.Options{Now: time.Now, Open: true, Rates: rates}, server.Parts{Screening: fixed{k}, Audit: auditor{log}})
	if err != nil {
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	serving, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- web.Serve(serving, listener) }()
	bench := servertest.Bench{
		Address: listener.Addr().String(), Known: 100_000, Batch: 1000, Now: time.Now,
		Subject: func(n int) string { return benchText(1<<42 + n) }, // most that is asked is not listed
	}
	o.HTTP, err = bench.Run(ctx)
	stop()
	if err = errors.Join(err, <-done); err != nil {
		return err
	}
	o.HTTPRatio, o.Audited = o.HTTP.Ratio(), log.Head().Sequence
	return nil
}

// screening adds what was measured to the table.
func (b *bench) screening(ctx context.Context) error {
	var o screened
	if _, err := b.phase(ctx, "screening", &o, "--addresses", fmt.Sprint(b.verb.Addresses)); err != nil {
		return err
	}
	of := fmt.Sprintf("%.1fM addresses", float64(o.Addresses)/1e6)
	b.add("index of "+of+", bytes an address", o.PerAddress, "B", "<= 48")
	b.add("index, built", o.Build, "s", "")
	b.add("look-up in process, p99", float64(o.Find.P99)/1000, "us", "<= 5")
	b.add("verdict in print, listed, p99", float64(o.Listed.P99)/1000, "us", "<= 5")
	b.add("verdict in print, not listed, p99", float64(o.Unlisted.P99)/1000, "us", "<= 5")
	b.add("look-up alone in a Go map of a tenth, p99", float64(o.Map.P99)/1000, "us", "")
	b.add("layer of a block, 100,000 addresses", o.Overlay, "ms", "")
	b.add("longest gap of a reader, nothing replaced", o.Still, "ms", "")
	b.add("longest gap of a reader, replaced 10 times a second", o.Swapped, "ms", "<= 5")
	b.add("HTTP, single", o.HTTP.Single.PerSecond(), "1/s", ">= 25000")
	b.add("HTTP, single, of a bare handler", o.HTTPRatio, "", ">= 0.60")
	b.add("HTTP, single, p99", o.HTTP.Single.P99.Seconds()*1000, "ms", "<= 20 at half the load")
	b.add("HTTP, batches of lines", o.HTTP.Lines.SubjectsPerSecond(), "addresses/s", ">= 1000000")
	b.add("HTTP, batches of lines, p99", o.HTTP.Lines.P99.Seconds()*1000, "ms", "<= 20 at half the load")
	b.add("HTTP, batches of JSON", o.HTTP.JSON.SubjectsPerSecond(), "addresses/s", "")
	return nil
}
