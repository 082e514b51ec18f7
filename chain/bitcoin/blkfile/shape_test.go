package blkfile_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"go.uber.org/goleak"

	"coldtrail/chain/bitcoin"
	"coldtrail/chain/bitcoin/blkfile"
	"coldtrail/ledger"
)

// records splits the real chain into its framed blocks.
func records(t *testing.T) (all [][]byte) {
	t.Helper()
	packed, err := os.ReadFile("../../../testdata/bitcoin/blk_0_to_14131.dat.zst")
	if err != nil {
		t.Fatal(err)
	}
	reader, err := zstd.NewReader(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	raw, err := reader.DecodeAll(packed, nil)
	if err != nil {
		t.Fatal(err)
	}
	for len(raw) > 8 && raw[0] == 0xf9 { // the file ends in room that was not written
		size := 8 + binary.LittleEndian.Uint32(raw[4:])
		all = append(all, raw[:size])
		raw = raw[size:]
	}
	return all
}

// lay writes files of records, obfuscated where a key is given.
func lay(t *testing.T, key []byte, files ...[][]byte) string {
	t.Helper()
	folder := t.TempDir()
	if key != nil {
		if err := os.WriteFile(filepath.Join(folder, "xor.dat"), key, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for i, file := range files {
		var raw []byte
		for _, record := range file {
			raw = append(raw, record...)
		}
		for j := range raw {
			if key != nil {
				raw[j] ^= key[j%8]
			}
		}
		if err := os.WriteFile(filepath.Join(folder, fmt.Sprintf("blk%05d.dat", i)), raw, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

// chainOf reads a place and checks that its blocks link, from height 0 on.
func chainOf(t *testing.T, place string) (n int, notes string) {
	t.Helper()
	s, err := blkfile.Open(t.Context(), place, blkfile.Options{Network: bitcoin.Mainnet})
	if err != nil {
		t.Fatal(err)
	}
	var last ledger.Hash
	for b, err := range s.Blocks(t.Context(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		if int(b.Height) != n || b.Parent != last {
			t.Fatalf("block %d (%s) after %s", b.Height, b.Hash, last)
		}
		last = b.Hash
		n++
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return n, strings.Join(s.Notes(), "; ")
}

// TestOutOfOrder reads blocks in any order over several obfuscated files, some of
// them twice, with room not written yet at the end, and one that is torn.
func TestOutOfOrder(t *testing.T) {
	all := records(t)
	shuffled := append([][]byte(nil), all...)
	rand.New(rand.NewPCG(3, 4)).Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
	first := append(slices.Clone(shuffled[:5000]), make([]byte, 4096))
	folder := lay(t, []byte{1, 2, 3, 4, 5, 6, 7, 8}, first, append(shuffled[5000:], all[7], all[8], all[9][:50]))
	n, notes := chainOf(t, folder)
	if n != len(all) || !strings.Contains(notes, "2 blocks were there twice") || !strings.Contains(notes, "the last block is not complete") {
		t.Errorf("%d blocks; %s", n, notes)
	}
}

// TestStaleBranch keeps the branch with the most work.
func TestStaleBranch(t *testing.T) {
	all := records(t)
	s, err := blkfile.Open(t.Context(), lay(t, nil, all[:101]), blkfile.Options{Network: bitcoin.Mainnet})
	if err != nil {
		t.Fatal(err)
	}
	if s.Total() != 101 || s.First() != 0 {
		t.Errorf("%d blocks from %d", s.Total(), s.First())
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// TestContinue goes on after a known head, as pruned nodes' files need.
func TestContinue(t *testing.T) {
	all := records(t)
	folder := lay(t, nil, all[500:600])
	if _, err := blkfile.Open(t.Context(), folder, blkfile.Options{Network: bitcoin.Mainnet}); err == nil || !strings.Contains(err.Error(), "its parent") {
		t.Errorf("blocks from nowhere: %v", err)
	}
	header, err := bitcoin.DecodeHeader(all[499][8:])
	if err != nil {
		t.Fatal(err)
	}
	s, err := blkfile.Open(t.Context(), folder, blkfile.Options{Network: bitcoin.Mainnet, Head: blkfile.Head{Height: 499, Hash: header.Hash}})
	if err != nil {
		t.Fatal(err)
	}
	if s.First() != 500 || s.Total() != 100 {
		t.Errorf("%d blocks from %d", s.Total(), s.First())
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// TestBroken names file, offset and reason.
func TestBroken(t *testing.T) {
	all := records(t)
	work := append([]byte(nil), all[3]...)
	work[8+76]++ // the nonce
	huge := append([]byte(nil), all[3]...)
	binary.LittleEndian.PutUint32(huge[4:], 5_000_000)
	for name, test := range map[string]struct {
		files [][][]byte
		want  string
	}{
		"no work":        {[][][]byte{{all[0], all[1], all[2], work}}, "has no valid proof of work"},
		"orphan":         {[][][]byte{{all[0], all[1], all[3]}}, "its parent"},
		"torn in middle": {[][][]byte{{all[0], all[1][:60]}, {all[2]}}, "blk00000.dat: offset"},
		"too large":      {[][][]byte{{all[0], huge}}, "a block cannot have 5000000 bytes"},
		"garbage":        {[][][]byte{{all[0], []byte("garbage that is long enough to be a header of a block, but is not one; really, it is not one")}}, "no block begins here"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := blkfile.Open(t.Context(), lay(t, nil, test.files...), blkfile.Options{Network: bitcoin.Mainnet})
			if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

// TestStop leaves no goroutine behind when the reader stops early or is cancelled.
func TestStop(t *testing.T) {
	defer goleak.VerifyNone(t)
	s, err := blkfile.Open(t.Context(), lay(t, nil, records(t)[:1000]), blkfile.Options{Network: bitcoin.Mainnet})
	if err != nil {
		t.Fatal(err)
	}
	for b, err := range s.Blocks(t.Context(), 0) {
		if err != nil || b.Height != 0 {
			t.Errorf("%+v, %v", b, err)
		}
		break
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for _, err := range s.Blocks(ctx, 0) {
		if cancel(); err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// FuzzOpen looks for panics in hostile files.
func FuzzOpen(f *testing.F) {
	f.Add([]byte{0xf9, 0xbe, 0xb4, 0xd9, 1, 0, 0, 0})
	f.Add([]byte("noise"))
	f.Add(make([]byte, 200))
	f.Fuzz(func(t *testing.T, raw []byte) {
		place := filepath.Join(t.TempDir(), "blk00000.dat")
		if err := os.WriteFile(place, raw, 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := blkfile.Open(t.Context(), place, blkfile.Options{Network: bitcoin.Mainnet, Proof: bitcoin.WithoutWork})
		if err != nil {
			return
		}
		for _, err := range s.Blocks(t.Context(), 0) {
			if err != nil {
				break
			}
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
}
