package parquet_test

import (
	"encoding/hex"
	"errors"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	pq "github.com/parquet-go/parquet-go"

	"coldtrail/chain/evm"
	"coldtrail/chain/evm/parquet"
	"coldtrail/ledger"
)

// write makes a file of rows.
func write[T any](tb testing.TB, folder, name string, rows []T) {
	tb.Helper()
	path := filepath.Join(folder, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		tb.Fatal(err)
	}
	if err := pq.WriteFile(path, rows); err != nil {
		tb.Fatal(err)
	}
}

func network(tb testing.TB, chain ledger.Chain) evm.Network {
	tb.Helper()
	return evm.NetworkOf(chain)
}

// readAll opens a folder and reads every block.
func readAll(tb testing.TB, folder string, from ledger.Height) (found []*ledger.Block, notes []string, err error) {
	tb.Helper()
	source, err := parquet.Open(tb.Context(), folder, network(tb, ledger.Ethereum))
	if err != nil {
		return nil, nil, err
	}
	defer func() {
		if err := source.Close(); err != nil {
			tb.Error(err)
		}
	}()
	for b, err := range source.Blocks(tb.Context(), from) {
		if err != nil {
			return nil, nil, err
		}
		found = append(found, b)
	}
	return found, source.Notes(), nil
}

func mustRead(tb testing.TB, folder string) ([]*ledger.Block, []string) {
	tb.Helper()
	found, notes, err := readAll(tb, folder, 0)
	if err != nil {
		tb.Fatal(err)
	}
	return found, notes
}

func sequence(blocks []*ledger.Block) iter.Seq2[*ledger.Block, error] {
	return func(yield func(*ledger.Block, error) bool) {
		for _, b := range blocks {
			if !yield(b, nil) {
				return
			}
		}
	}
}

// who is an account of one repeated byte.
func who(b byte) ledger.Address {
	return ledger.NewAddress(ledger.EVMAccount, []byte(strings.Repeat(string([]byte{b}), 20)))
}

func hexWho(b byte) string { return "0x" + strings.Repeat(hex.EncodeToString([]byte{b}), 20) }

func id(b byte) (h ledger.Hash) {
	copy(h[:], strings.Repeat(string([]byte{b}), 32))
	return h
}

func hexID(b byte) string { return "0x" + id(b).String() }

func wordOf(b byte) string { return "0x" + strings.Repeat("00", 12) + hexWho(b)[2:] }

var transferTopic = "0x" + evm.Keccak([]byte("Transfer(address,address,uint256)")).String()

func amount(tb testing.TB, text string) ledger.Amount {
	tb.Helper()
	a, err := ledger.ParseAmount(text)
	if err != nil {
		tb.Fatal(err)
	}
	return a
}

func ptr[T any](v T) *T { return &v }

// refused wants an *Error about a column, with some words.
func refused(t *testing.T, folder, column, words string) {
	t.Helper()
	_, _, err := readAll(t, folder, 0)
	var fault *parquet.Error
	if !errors.As(err, &fault) {
		t.Fatalf("error %v, want one of the package", err)
	}
	if fault.Column != column || !strings.Contains(fault.Reason, words) {
		t.Fatalf("error %q, want column %q and %q", err, column, words)
	}
}

func same(t *testing.T, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("want -, got +:\n%s", diff)
	}
}
