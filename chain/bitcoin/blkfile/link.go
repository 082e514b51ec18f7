package blkfile

import (
	"errors"
	"fmt"
	"slices"

	"github.com/holiman/uint256"

	"coldtrail/chain/bitcoin"
	"coldtrail/ledger"
)

// link orders the entries: it joins parents and children, finds where the chain
// begins, and keeps the branch with the most work.
func (s *Source) link(all []entry) error {
	entries, index, err := s.distinct(all)
	if err != nil {
		return err
	}
	parents := make([]uint32, len(entries))
	var roots []uint32
	for i := range entries {
		parent, ok := index[entries[i].parent]
		if !ok {
			parent = noParent
			roots = append(roots, uint32(i))
		}
		parents[i] = parent
	}
	root, err := s.root(entries, roots)
	if err != nil {
		return err
	}
	tip, err := mostWork(entries, parents, root)
	if err != nil {
		return err
	}
	for at := tip; at != noParent; at = parents[at] {
		s.chain = append(s.chain, entries[at])
	}
	slices.Reverse(s.chain)
	if stale := len(entries) - len(s.chain); stale > 0 {
		s.notes = append(s.notes, fmt.Sprintf("%d blocks of stale branches were left out", stale))
	}
	return s.checkTargets()
}

// distinct drops blocks that are there twice.
func (s *Source) distinct(all []entry) ([]entry, map[ledger.Hash]uint32, error) {
	index := make(map[ledger.Hash]uint32, len(all))
	entries := all[:0]
	duplicates := 0
	for _, e := range all {
		if _, ok := index[e.hash]; ok {
			duplicates++
			continue
		}
		index[e.hash] = uint32(len(entries))
		entries = append(entries, e)
	}
	if len(entries) >= noParent {
		return nil, nil, errors.New("too many blocks")
	}
	if duplicates > 0 {
		s.notes = append(s.notes, fmt.Sprintf("%d blocks were there twice", duplicates))
	}
	return entries, index, nil
}

// root finds where the chain begins and its height: at the genesis block, after
// the known head, or, where the files hold one run whose parent is unknown, at the
// height its first coinbase states (BIP-34).
func (s *Source) root(entries []entry, roots []uint32) (uint32, error) {
	lost := noParent
	found := uint32(noParent)
	for _, r := range roots {
		switch {
		case entries[r].hash == s.options.Network.Genesis:
			s.base, found = 0, r
		case found == noParent && !s.options.Head.Hash.IsZero() && entries[r].parent == s.options.Head.Hash:
			s.base, found = s.options.Head.Height+1, r
		default:
			lost = int(r)
		}
	}
	if found != noParent && len(roots) == 1 {
		return found, nil
	}
	orphan := func(i uint32) error {
		e := &entries[i]
		return &FileError{File: s.files[e.file].name, Offset: e.offset, Err: fmt.Errorf("block %s: its parent %s is missing", e.hash, e.parent)}
	}
	if len(roots) != 1 {
		return 0, orphan(uint32(lost))
	}
	e := &entries[roots[0]]
	raw := make([]byte, e.size)
	if err := s.files[e.file].readAt(raw, e.offset); err != nil {
		return 0, &FileError{File: s.files[e.file].name, Offset: e.offset, Err: err}
	}
	height, ok := bitcoin.HeightOf(raw)
	if !ok {
		return 0, orphan(roots[0])
	}
	s.base = height
	s.notes = append(s.notes, fmt.Sprintf("the chain begins at height %d, as its first coinbase states; parents of earlier outputs are unknown", height))
	return roots[0], nil
}

// mostWork finds the tip with the most work behind it. Among equals the one that
// stands first in the files wins, as nodes prefer what they saw first.
func mostWork(entries []entry, parents []uint32, root uint32) (uint32, error) {
	work := make([]uint256.Int, len(entries))
	known := make([]bool, len(entries))
	tip := root
	var stack []uint32
	for i := range entries {
		for at := uint32(i); at != noParent && !known[at]; at = parents[at] {
			stack = append(stack, at)
			if len(stack) > len(entries) {
				return 0, errors.New("blocks name one another as parents in a circle")
			}
		}
		for len(stack) > 0 {
			at := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			work[at] = bitcoin.Work(entries[at].bits)
			if parents[at] != noParent {
				work[at].Add(&work[at], &work[parents[at]])
			}
			known[at] = true
		}
		if work[i].Gt(&work[tip]) {
			tip = uint32(i)
		}
	}
	return tip, nil
}

// checkTargets checks the difficulty rule wherever the files hold what it needs.
func (s *Source) checkTargets() error {
	if !s.options.Network.Retargets || s.options.Proof == bitcoin.WithoutWork {
		return nil
	}
	for i := 1; i < len(s.chain); i++ {
		height := uint64(s.base) + uint64(i)
		want := s.chain[i-1].bits
		if height%bitcoin.RetargetBlocks == 0 {
			if i < bitcoin.RetargetBlocks {
				continue // the period began before the files do
			}
			want = bitcoin.NextBits(s.options.Network, want, s.chain[i-bitcoin.RetargetBlocks].time, s.chain[i-1].time)
		}
		if e := &s.chain[i]; e.bits != want {
			return &FileError{File: s.files[e.file].name, Offset: e.offset, Err: fmt.Errorf("block %d (%s): target %08x, the difficulty rule demands %08x", height, e.hash, e.bits, want)}
		}
	}
	return nil
}
