package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"coldtrail/attribution"
	"coldtrail/attribution/cluster"
	"coldtrail/attribution/cluster/files"
	"coldtrail/chain/bitcoin"
	"coldtrail/ledger"
	"coldtrail/store"
)

// grown is the measure of growing clusters.
type grown struct {
	Inputs, Outputs, Transactions uint64
	// Seconds of processor time: in all, and of that for reading or making the chain.
	Seconds, Reading float64
	Disk             uint64 // bytes of the forest's files
	Links            uint64
}

// clusters grows the clusters of the bench's own chain in files.
func (v *benchVerb) clusters(ctx context.Context, s store.Store) (value any, err error) {
	folder, err := os.MkdirTemp(v.Keep, "clusters-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	t := &timed{Store: s}
	g, err := growIn(ctx, t, folder)
	return g, err
}

// growIn grows clusters in the files of a folder, or in memory where it has no name.
func growIn(ctx context.Context, from *timed, folder string) (g grown, err error) {
	space := cluster.InMemory(ledger.UTXO)
	var kept *files.Folder
	if expected := from.expected; folder == "" && expected > 0 {
		// Memory that moves while it grows would be what is measured.
		if err := space.Grow(space, expected*3/2, expected/2, expected/madeBlockTxs); err != nil {
			return g, err
		}
	}
	if folder != "" {
		if kept, space, err = files.Open(folder, ledger.UTXO); err != nil {
			return g, err
		}
	}
	began := processorTime()
	notation := bitcoin.Notation{Network: bitcoin.Regtest}
	c, err := attribution.OpenClusters(ctx, from, bitcoin.Regtest.Chain, space, attribution.ClusterOptions{Rules: []*cluster.Rule{cluster.CoSpend}, Notation: notation})
	if err == nil {
		err = c.Sync(ctx)
	}
	g = grown{Seconds: (processorTime() - began).Seconds(), Reading: from.spent.Seconds(), Inputs: from.inputs, Outputs: from.outputs, Links: space.Counts[1]}
	if kept != nil {
		err = errors.Join(err, kept.Close())
		g.Disk = sizeOf(folder)
	}
	return g, err
}

// sizeOf is how many bytes the files of a folder have.
func sizeOf(folder string) (sum uint64) {
	names, err := filepath.Glob(filepath.Join(folder, "*"))
	if err != nil {
		return 0
	}
	for _, name := range names {
		if info, err := os.Stat(name); err == nil {
			sum += uint64(info.Size())
		}
	}
	return sum
}

// timed counts what a store yields and how long that takes.
type timed struct {
	store.Store
	expected        uint64 // inputs, where that is known
	inputs, outputs uint64
	spent           time.Duration
}

// Owned yields what the store has.
func (t *timed) Owned(ctx context.Context, chain ledger.Chain, from, to ledger.Height) iter.Seq2[*store.Owned, error] {
	return func(yield func(*store.Owned, error) bool) {
		began := processorTime()
		for run, err := range t.Store.Owned(ctx, chain, from, to) {
			t.spent += processorTime() - began
			if err == nil {
				t.inputs += uint64(len(run.Inputs))
				t.outputs += uint64(len(run.Values))
			}
			if !yield(run, err) {
				return
			}
			began = processorTime()
		}
		t.spent += processorTime() - began
	}
}

// clustersScale grows the clusters of a chain that is made on the fly, so that nothing
// but the engine takes memory and time.
func (v *benchVerb) clustersScale(ctx context.Context, s *session) (err error) {
	folder := ""
	if v.InFiles {
		if folder, err = os.MkdirTemp(v.Keep, "clusters-"); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	}
	made := &madeChain{want: v.Inputs, seed: v.Seed}
	g, err := growIn(ctx, &timed{Store: made, expected: v.Inputs}, folder)
	if err != nil {
		return err
	}
	g.Transactions = made.txs
	return s.printJSON(g)
}

// The shape of the chain that is made: about 2.06 inputs and 2.3 outputs to a
// transaction, 40 of 100 outputs to an address seen before.
const (
	madeBlockTxs  = 2_500
	madeRunBlocks = 2
	madeRecent    = 1 << 22 // outputs from which most choices are made
	madeNone      = 1<<32 - 1
)

// madeChain is a UTXO chain of wallets that exists only while it is read, once.
type madeChain struct {
	store.Store // answers nothing else
	want, seed  uint64

	random *rand.Rand
	run    store.Owned
	txs    uint64
	inputs uint64

	// By output: its address and the next older unspent output of its wallet.
	address, older []uint32
	// By address: its last output and its wallet.
	last, wallet []uint32
	// By wallet: its newest unspent output.
	purse []uint32
}

// Status is one chain, as long as it takes.
func (m *madeChain) Status(context.Context) ([]store.Status, error) {
	return []store.Status{{Chain: bitcoin.Regtest.Chain, Height: ledger.Height(m.want)}}, nil
}

// Headers are none: nobody goes back.
func (*madeChain) Headers(context.Context, ledger.Chain, ledger.Height) iter.Seq2[store.Header, error] {
	return func(func(store.Header, error) bool) {}
}

// Find finds nothing.
func (*madeChain) Find(_ context.Context, _ ledger.Chain, ids []ledger.Hash) ([]store.TxNumber, error) {
	list := make([]store.TxNumber, len(ids))
	for i := range list {
		list[i] = store.NoTx
	}
	return list, nil
}

// History is empty: no address has a name.
func (*madeChain) History(_ context.Context, _ ledger.Chain, questions []store.Since) ([][]store.Touch, error) {
	return make([][]store.Touch, len(questions)), nil
}

// Owned makes the chain.
func (m *madeChain) Owned(context.Context, ledger.Chain, ledger.Height, ledger.Height) iter.Seq2[*store.Owned, error] {
	return func(yield func(*store.Owned, error) bool) {
		m.random = rand.New(rand.NewPCG(m.seed, 3)) //nolint:gosec // the same chain every time
		size := int(m.want/2*24/10) + madeBlockTxs*16
		m.address, m.older = make([]uint32, 0, size), make([]uint32, 0, size)
		m.last, m.wallet = make([]uint32, 0, size*2/3), make([]uint32, 0, size*2/3)
		for height := ledger.Height(0); m.inputs < m.want; height += madeRunBlocks {
			m.begin(height)
			for b := range madeRunBlocks {
				m.block(b)
			}
			if !yield(&m.run, nil) {
				return
			}
		}
	}
}

func (m *madeChain) begin(height ledger.Height) {
	r := &m.run
	r.First, r.FirstTx, r.FirstOutput = height, store.TxNumber(m.txs), store.OutputNumber(len(m.address))
	r.BlockStart, r.InputStart, r.OutputStart = append(r.BlockStart[:0], 0), append(r.InputStart[:0], 0), append(r.OutputStart[:0], 0)
	r.Inputs, r.Values, r.Hashes, r.Previous = r.Inputs[:0], r.Values[:0], r.Hashes[:0], r.Previous[:0]
	r.Kinds, r.InputKinds, r.InputValues, r.Open = r.Kinds[:0], r.InputKinds[:0], r.InputValues[:0], r.Open[:0]
}

func (m *madeChain) block(b int) {
	r := &m.run
	for i := range madeBlockTxs {
		if i > 0 && len(m.address) > 4*madeBlockTxs {
			m.spend()
		} else { // a coinbase; at first there is nothing else
			m.pay(m.payee(), uint64(m.random.Uint32()))
		}
		r.InputStart, r.OutputStart = append(r.InputStart, uint32(len(r.Inputs))), append(r.OutputStart, uint32(len(r.Values)))
		r.Open = append(r.Open, false)
		m.txs++
	}
	var hash ledger.Hash
	binary.BigEndian.PutUint64(hash[24:], uint64(r.First)+uint64(b)+1)
	r.Hashes, r.BlockStart = append(r.Hashes, hash), append(r.BlockStart, uint32(len(r.InputStart)-1))
}

// some is an output to take a choice from: 88 of 100 times a recent one.
func (m *madeChain) some() uint32 {
	n, recent := uint64(len(m.address)), uint64(0)
	if m.random.Uint32N(100) < 88 && n > madeRecent {
		recent = n - madeRecent
	}
	return uint32(recent + m.random.Uint64N(n-recent))
}

// payee is an address to pay: of 100, 33 were seen before, 47 are new ones of a wallet and
// 20 are of a new wallet.
func (m *madeChain) payee() uint32 {
	choice := m.random.Uint32N(100)
	switch n := len(m.address); {
	case n > 0 && choice < 33:
		return m.address[m.some()]
	case n > 0 && choice < 80:
		return m.newAddress(m.wallet[m.address[m.some()]])
	}
	m.purse = append(m.purse, madeNone)
	return m.newAddress(uint32(len(m.purse) - 1))
}

func (m *madeChain) newAddress(wallet uint32) uint32 {
	m.last, m.wallet = append(m.last, madeNone), append(m.wallet, wallet)
	return uint32(len(m.last) - 1)
}

// pay makes an output.
func (m *madeChain) pay(address uint32, value uint64) {
	number, wallet := uint32(len(m.address)), m.wallet[address]
	previous := store.NoOutput
	if before := m.last[address]; before != madeNone {
		previous = store.OutputNumber(before)
	}
	m.last[address] = number
	m.address, m.older = append(m.address, address), append(m.older, m.purse[wallet])
	m.purse[wallet] = number
	m.run.Values, m.run.Previous = append(m.run.Values, value), append(m.run.Previous, previous)
	m.run.Kinds = append(m.run.Kinds, kindOfMade(wallet))
}

// kindOfMade is the kind of a wallet's addresses: 30 of 100 P2PKH, 25 P2SH, 45 P2WPKH.
func kindOfMade(wallet uint32) ledger.AddressKind {
	switch n := wallet * 2_654_435_761 >> 16 % 100; {
	case n < 30:
		return ledger.P2PKH
	case n < 55:
		return ledger.P2SH
	}
	return ledger.P2WPKH
}

// spend makes a transaction of one wallet.
func (m *madeChain) spend() {
	wallet := m.wallet[m.address[m.some()]]
	for m.purse[wallet] == madeNone {
		wallet = m.wallet[m.address[m.some()]]
	}
	want := 1
	switch choice := m.random.Uint32N(1000); {
	case choice < 16:
		want = 10 + int(m.random.Uint32N(90))
	case choice < 110:
		want = 4 + int(m.random.Uint32N(8))
	case choice < 520:
		want = 2 + int(m.random.Uint32N(2))
	}
	r := &m.run
	first := m.address[m.purse[wallet]]
	for ; want > 0 && m.purse[wallet] != madeNone; want-- {
		input := m.purse[wallet]
		m.purse[wallet] = m.older[input]
		r.Inputs = append(r.Inputs, store.OutputNumber(input))
		r.InputKinds, r.InputValues = append(r.InputKinds, kindOfMade(wallet)), append(r.InputValues, 1_000_000_000)
		m.inputs++
	}
	payees := 1
	switch choice := m.random.Uint32N(1000); {
	case choice < 12:
		payees = 10 + int(m.random.Uint32N(40))
	case choice < 80:
		payees = 2 + int(m.random.Uint32N(3))
	}
	for range payees {
		value := uint64(m.random.Uint32N(1 << 29))
		if value%3 == 0 {
			value -= value % 100_000
		}
		m.pay(m.payee(), value)
	}
	if m.random.Uint32N(100) < 85 { // what was too much
		if m.random.Uint32N(100) < 75 {
			first = m.newAddress(wallet)
		}
		m.pay(first, uint64(m.random.Uint32N(1<<29)))
	}
}

// measureClusters prints how fast clusters grow.
func (b *bench) measureClusters(ctx context.Context) error {
	var g grown
	if _, err := b.phase(ctx, "clusters", &g); err != nil {
		return err
	}
	b.add("clusters grown, reading included", g.Seconds*1e9/float64(g.Inputs), "ns/input", "")
	b.add("  of that, the engine alone", max(0, g.Seconds-g.Reading)*1e9/float64(g.Inputs), "ns/input", "<= 100")
	b.add("clusters on disk", float64(g.Disk)/float64(g.Inputs+g.Outputs), "B/(in+out)", "")
	if b.verb.Inputs == 0 {
		return nil
	}
	args := []string{"--inputs", fmt.Sprint(b.verb.Inputs)}
	if b.verb.InFiles {
		args = append(args, "--in-files")
	}
	u, err := b.phase(ctx, "clusters-scale", &g, args...)
	if err != nil {
		return err
	}
	name := fmt.Sprintf("clusters of %.4g inputs, ", float64(g.Inputs))
	b.add(name+"inputs per transaction", float64(g.Inputs)/float64(g.Transactions), "", "2.06")
	b.add(name+"outputs per transaction", float64(g.Outputs)/float64(g.Transactions), "", "2.3")
	b.add(name+"the engine alone", (g.Seconds-g.Reading)*1e9/float64(g.Inputs), "ns/input", "<= 100")
	b.add(name+"making the chain", g.Reading*1e9/float64(g.Inputs), "ns/input", "")
	b.add(name+"joinings", float64(g.Links), "", "")
	b.add(name+"peak memory, with the chain's maker", float64(u.peak)/(1<<20), "MiB", "")
	if g.Disk > 0 {
		b.add(name+"on disk", float64(g.Disk)/float64(g.Inputs+g.Outputs), "B/(in+out)", "")
	}
	return nil
}
