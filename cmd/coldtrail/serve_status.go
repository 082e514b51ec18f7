package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"coldtrail/chain/bitcoin"
	"coldtrail/ledger"
	"coldtrail/server"
	"coldtrail/store"
)

// chainDesk tells the server what is held of chains, how they are followed, and what can
// be shown of a transaction.
type chainDesk struct {
	ledger *storeLedger
	follow *followState
	now    func() time.Time
}

var _ server.Chains = (*chainDesk)(nil)

// followState is how the chains are that are followed.
type followState struct {
	turn   sync.Mutex
	chains map[ledger.Chain]*followedState
}

// followedState is how one of them is.
type followedState struct {
	trouble string
	current bool
	heard   int64 // Unix seconds
	height  ledger.Height
	pace    pace
}

func newFollowState(chains []followed) *followState {
	f := &followState{chains: map[ledger.Chain]*followedState{}}
	for _, c := range chains {
		f.chains[c.chain] = &followedState{}
	}
	return f
}

// asked notes what a node answered: that it had nothing newer, or what went wrong.
func (f *followState) asked(chain ledger.Chain, trouble string, now time.Time) {
	f.turn.Lock()
	defer f.turn.Unlock()
	if c := f.chains[chain]; c != nil {
		c.trouble, c.current = trouble, trouble == ""
		if c.current {
			c.heard = now.Unix()
		}
	}
}

// advanced notes that blocks were added up to a height.
func (f *followState) advanced(chain ledger.Chain, height ledger.Height, now time.Time) {
	f.turn.Lock()
	defer f.turn.Unlock()
	c := f.chains[chain]
	if c == nil {
		return
	}
	if c.height > 0 && height > c.height {
		c.pace.add(now, uint64(height-c.height))
	}
	c.height, c.trouble, c.current, c.heard = height, "", false, now.Unix()
}

// without lists the chains that are followed and of which nothing is held yet.
func (f *followState) without(statuses []store.Status) (list []ledger.Chain) {
	for chain := range f.chains { // which are never others
		if !slices.ContainsFunc(statuses, func(st store.Status) bool { return st.Chain == chain }) {
			list = append(list, chain)
		}
	}
	slices.Sort(list)
	return list
}

// of is how a chain is followed.
func (f *followState) of(chain ledger.Chain, now time.Time, to *server.ChainStatus) {
	f.turn.Lock()
	defer f.turn.Unlock()
	c := f.chains[chain]
	if c == nil {
		return
	}
	to.Followed, to.Trouble, to.Current, to.Heard = true, c.trouble, c.current, c.heard
	if rate := c.pace.rate(now); rate > 0 {
		to.Rate = &rate
	}
}

// pace says how many there were in a second of late.
type pace struct{ steps []step }

// step is how many there were at a moment.
type step struct {
	at time.Time
	n  uint64
}

// paceSpan is what counts as of late.
const paceSpan = 30 * time.Second

func (p *pace) add(now time.Time, n uint64) {
	p.steps = append(p.forget(now), step{now, n})
}

// forget leaves out what is too long ago.
func (p *pace) forget(now time.Time) []step {
	kept := p.steps[:0]
	for _, s := range p.steps {
		if now.Sub(s.at) < paceSpan {
			kept = append(kept, s)
		}
	}
	p.steps = kept
	return kept
}

// rate is rounded down, and 0 where there were none.
func (p *pace) rate(now time.Time) uint64 {
	sum := uint64(0)
	for _, s := range p.forget(now) {
		sum += s.n
	}
	return sum / uint64(paceSpan/time.Second)
}

// Status says what is held.
func (c *chainDesk) Status(ctx context.Context) (server.Status, error) {
	statuses, err := c.ledger.store.Status(ctx)
	if err != nil {
		return server.Status{}, err
	}
	out := server.Status{Chains: []server.ChainStatus{}}
	for i := range statuses {
		s := server.ChainStatus{ChainHeld: heldOf(&statuses[i])}
		c.follow.of(statuses[i].Chain, c.now(), &s)
		out.Chains = append(out.Chains, s)
	}
	for _, chain := range c.follow.without(statuses) {
		s := server.ChainStatus{ChainHeld: statusChain{Chain: string(chain)}}
		c.follow.of(chain, c.now(), &s)
		out.Chains = append(out.Chains, s)
	}
	revision, err := c.ledger.store.LabelRevision(ctx)
	out.Labels, out.Claims = revision.String(), revision.Count
	return out, err
}

// Proof says what the store can show of a transaction.
func (c *chainDesk) Proof(ctx context.Context, chain ledger.Chain, id string) (answer server.Proof, err error) {
	l := c.ledger
	err = l.steadily(ctx, chain, func(v *chainView) error {
		hash, err := ledger.ParseHash(id)
		if err != nil {
			return refuse(server.ErrInvalid, "%s", err)
		}
		numbers, err := l.store.Find(ctx, v.chain, []ledger.Hash{hash})
		if err != nil {
			return err
		}
		if numbers[0] >= v.end() {
			return v.nothing(v.chain.FormatHash(hash))
		}
		h, err := l.blockOf(ctx, v, numbers[0])
		if err != nil {
			return err
		}
		answer = server.Proof{
			Chain: string(v.chain), ID: v.chain.FormatHash(hash), Height: uint64(h.Height), Time: h.Time, Index: int(numbers[0] - h.FirstTx), Txs: int(h.Txs),
			Provenance: h.Provenance.String(), Shown: []string{}, Word: []string{},
		}
		if !h.Hash.IsZero() {
			answer.Block = v.chain.FormatHash(h.Hash)
		}
		return l.show(ctx, v, &h, &answer)
	})
	return answer, err
}

// blockOf is the block of a transaction.
func (l *storeLedger) blockOf(ctx context.Context, v *chainView, number store.TxNumber) (store.Header, error) {
	var height ledger.Height
	if v.chain.Family() == ledger.UTXO {
		txs, err := l.store.Transactions(ctx, v.chain, []store.TxNumber{number})
		if err != nil {
			return store.Header{}, err
		}
		height = txs[0].Height
	} else {
		movements, err := l.store.Movements(ctx, v.chain, []store.TxNumber{number})
		if err != nil {
			return store.Header{}, err
		}
		height = movements[0].Height
	}
	h, err := l.header(ctx, v.chain, height)
	if err == nil && h.Height != height {
		err = errors.New("the block has gone meanwhile")
	}
	return h, err
}

// show adds what follows from the store, and what does not.
func (l *storeLedger) show(ctx context.Context, v *chainView, h *store.Header, p *server.Proof) error {
	p.Next = "coldtrail evidence makes a file with headers, branches and receipts from a source of blocks, which coldtrail verify checks without a store"
	switch {
	case h.Provenance == ledger.Proven && v.chain.Family() == ledger.UTXO:
		if err := l.branch(ctx, v, h, p); err != nil {
			return err
		}
		p.Shown = append(p.Shown, fmt.Sprintf("The branch leads from the transaction to the merkle root %s.", p.Merkle.Root))
		p.Word = append(p.Word, "That the header of the block has this root and its proof of work was checked when the block was taken in; the store keeps the header's hash, not its bytes. Compare the root with the header of block "+p.Block+" at any source.")
	case h.Provenance == ledger.Proven:
		p.Word = append(p.Word, "Transaction, receipt and roots of its block were recomputed when it was taken in; the store keeps what they say, not their bytes.")
	case h.Provenance == ledger.Node:
		p.Word = append(p.Word, "It stands by the word of the node that gave the block.")
	default:
		p.Word = append(p.Word, "It stands by the word of whoever made the file that it was read from; nothing of it could be checked.")
	}
	return nil
}

// branch adds the way to the merkle root, by the identifiers of all transactions of the
// block.
func (l *storeLedger) branch(ctx context.Context, v *chainView, h *store.Header, p *server.Proof) error {
	numbers := make([]store.TxNumber, h.Txs)
	for i := range numbers {
		numbers[i] = h.FirstTx + store.TxNumber(i)
	}
	ids, err := l.store.IDs(ctx, v.chain, numbers)
	if err != nil {
		return err
	}
	p.Merkle = &server.MerkleProof{Root: v.chain.FormatHash(bitcoin.MerkleRoot(ids)), Branch: []string{}}
	for _, beside := range bitcoin.MerkleBranch(ids, uint32(p.Index)) {
		p.Merkle.Branch = append(p.Merkle.Branch, v.chain.FormatHash(beside))
	}
	return nil
}
