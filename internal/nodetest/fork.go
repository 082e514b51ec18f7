package nodetest

import (
	"maps"
	"slices"
)

// Mark remembers where the chain is. Going back there takes all blocks since from the
// node: what is mined then is a reorganisation.
func (s *AccountStage) Mark() (back func()) {
	var snapshot string
	s.node.Call(&snapshot, "evm_snapshot")
	nonces, last := maps.Clone(s.nonces), s.last
	return func() {
		s.node.tb.Helper()
		s.node.Call(nil, "evm_revert", snapshot)
		s.nonces, s.last = nonces, last
	}
}

// Mine mines empty blocks.
func (s *AccountStage) Mine(blocks int) {
	s.node.tb.Helper()
	for range blocks {
		s.last++
		s.node.Call(nil, "evm_setNextBlockTimestamp", s.last)
		s.node.Call(nil, "evm_mine")
	}
}

// Mark remembers where the chain is. Going back there makes the node leave all blocks
// since: what is mined then is a reorganisation. Blocks that were left must not be mined
// again just as they were.
func (s *OutputStage) Mark() (back func()) {
	saved := *s
	saved.bank = slices.Clone(s.bank)
	return func() {
		s.node.tb.Helper()
		s.node.Invalidate(int(saved.height) + 1)
		s.tip, s.height, s.bank, s.open = saved.tip, saved.height, saved.bank, nil
	}
}

// Mine mines blocks a second apart; the first has all that waits.
func (s *OutputStage) Mine(blocks int) error {
	for range blocks {
		s.now++
		if err := s.mine(); err != nil {
			return err
		}
	}
	return nil
}
