package main

import (
	"fmt"
	"os"
	"path/filepath"

	"coldtrail/chain/bitcoin"
	"coldtrail/chain/evm"
	"coldtrail/ledger"
)

// folder is where the store is: --data, or coldtrail in the user's data folder
// ($XDG_DATA_HOME, by default ~/.local/share).
func (s *session) folder() (string, error) {
	if s.data != "" {
		return s.data, nil
	}
	if base := os.Getenv("XDG_DATA_HOME"); base != "" {
		return filepath.Join(base, "coldtrail"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("no home folder; say where the store is with --data DIR: %w", err)
	}
	return filepath.Join(home, ".local", "share", "coldtrail"), nil
}

// notations finds how a chain's addresses are written.
func notations(chain ledger.Chain) (ledger.Notation, error) {
	if chain.Family() == ledger.Account {
		return evm.Notation{}, nil
	}
	network, err := bitcoin.NetworkOf(chain)
	if err != nil {
		return nil, err
	}
	return bitcoin.Notation{Network: network}, nil
}
