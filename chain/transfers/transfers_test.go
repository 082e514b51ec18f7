package transfers_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"coldtrail/chain/evm"
	"coldtrail/chain/transfers"
	"coldtrail/ledger"
)

const header = "block,tx_index,tx_hash,log_index,time,from,to,asset,amount"

var (
	alice = "0x" + strings.Repeat("11", 20)
	bob   = "0x" + strings.Repeat("22", 20)
)

func hash(n int) string { return fmt.Sprintf("0x%064x", n) }

// open writes files into a folder and opens the first.
func open(tb testing.TB, files ...string) (*transfers.Source, error) {
	tb.Helper()
	folder := tb.TempDir()
	for i, text := range files {
		name := []string{"transfers.csv", transfers.BalancesFile}[i]
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			tb.Fatal(err)
		}
	}
	return transfers.Open(tb.Context(), filepath.Join(folder, "transfers.csv"), ledger.Ethereum, evm.Notation{})
}

func blocks(t *testing.T, s *transfers.Source) (all []*ledger.Block) {
	t.Helper()
	for b, err := range s.Blocks(t.Context(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, b)
	}
	return all
}

// TestRows reads rows in any order, with columns in any order, fees, failures and
// kinds, and puts logs in order.
func TestRows(t *testing.T) {
	s, err := open(t, "\ufeffamount,asset,to,from,time,log_index,tx_hash,tx_index,block,fee,status,kind,symbol\r\n"+
		"5,native,"+bob+","+alice+",1700000012,,"+hash(3)+",4,11,7,failed,,ETH\r\n"+
		"2,eip155:1/ERC20:0x"+strings.Repeat("AA", 20)+","+bob+","+alice+",2023-11-14T22:13:20Z,9,"+hash(1)+",0,10,,success,,\r\n"+
		"1,eip155:1/slip44:60,"+alice+","+bob+",1700000000,3,"+hash(1)+",0,10,,,internal,\r\n",
		"address,asset,amount,before_block\n"+alice+",native,100,11\n")
	if err != nil {
		t.Fatal(err)
	}
	got := blocks(t, s)
	if len(got) != 2 || s.Total() != 2 || got[0].Height != 10 || got[1].Height != 11 || got[0].Time != 1_700_000_000 || got[0].Provenance != ledger.File {
		t.Fatalf("%+v", got)
	}
	tx := got[0].Txs[0]
	if len(tx.Transfers) != 2 || tx.Transfers[0].LogIndex != 3 || tx.Transfers[0].Kind != ledger.Internal || tx.Approximate ||
		tx.Transfers[1].Asset != ledger.Asset("eip155:1/erc20:0x"+strings.Repeat("aa", 20)) {
		t.Errorf("%+v", tx)
	}
	failed := got[1].Txs[0]
	if !failed.Failed || failed.Index != 4 || failed.Fee.Tip != ledger.NewAmount(7) || failed.Fee.Payer != failed.Transfers[0].From {
		t.Errorf("%+v", failed)
	}
	if o := got[1].Openings; len(o) != 1 || o[0].Amount != ledger.NewAmount(100) || o[0].Before != 11 {
		t.Errorf("%+v", o)
	}
}

// TestUnordered marks movements whose order the export does not give.
func TestUnordered(t *testing.T) {
	line := "10,0," + hash(1) + ",,1700000000," + alice + "," + bob + ",native,"
	s, err := open(t, header+"\n"+line+"5\n"+line+"6\n")
	if err != nil {
		t.Fatal(err)
	}
	tx := blocks(t, s)[0].Txs[0]
	if !tx.Approximate || tx.Transfers[0].Amount != ledger.NewAmount(5) || tx.Transfers[1].Amount != ledger.NewAmount(6) {
		t.Errorf("%+v", tx)
	}
	if notes := s.Notes(); len(notes) != 1 || !strings.Contains(notes[0], "balances.csv") {
		t.Errorf("notes %q", notes)
	}
}

// TestBadRows names line, column and reason of everything that is wrong.
func TestBadRows(t *testing.T) {
	row := func(block, index, id, log, time, from, to, asset, amount string) string {
		return strings.Join([]string{block, index, id, log, time, from, to, asset, amount}, ",") + "\n"
	}
	good := row("10", "0", hash(1), "5", "1700000000", alice, bob, "native", "1")
	for name, test := range map[string]struct{ rows, want string }{
		"sign":           {row("10", "0", hash(1), "", "1700000000", alice, bob, "native", "-1"), ":2: amount: "},
		"fraction":       {row("10", "0", hash(1), "", "1700000000", alice, bob, "native", "1.5"), ":2: amount: "},
		"exponent":       {row("10", "0", hash(1), "", "1700000000", alice, bob, "native", "1e18"), ":2: amount: "},
		"overflow":       {row("10", "0", hash(1), "", "1700000000", alice, bob, "native", "1"+strings.Repeat("0", 78)), "does not fit 256 bits"},
		"checksum":       {row("10", "0", hash(1), "", "1700000000", "0x5AAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", bob, "native", "1"), ":2: from: "},
		"short address":  {row("10", "0", hash(1), "", "1700000000", alice, "0x22", "native", "1"), ":2: to: "},
		"hash":           {row("10", "0", "0x12", "", "1700000000", alice, bob, "native", "1"), ":2: tx_hash: "},
		"time":           {row("10", "0", hash(1), "", "yesterday", alice, bob, "native", "1"), ":2: time: "},
		"other chain":    {row("10", "0", hash(1), "", "1700000000", alice, bob, "eip155:56/slip44:60", "1"), ":2: asset: "},
		"block":          {row("ten", "0", hash(1), "", "1700000000", alice, bob, "native", "1"), ":2: block: "},
		"fields":         {"1,2\n", ":2: wrong number of fields"},
		"quotes":         {"\"1,2\n", ":2: "},
		"same log":       {good + good, ":3: log_index: the transaction has this log already"},
		"two hashes":     {good + row("10", "0", hash(2), "6", "1700000000", alice, bob, "native", "1"), ":3: tx_index: another transaction has this place"},
		"two places":     {good + row("11", "0", hash(1), "6", "1700000012", alice, bob, "native", "1"), ":3: tx_hash: this transaction stands at block 10"},
		"two times":      {good + row("10", "1", hash(2), "", "1700000001", alice, bob, "native", "1"), ":3: time: block 10 has another time"},
		"time runs back": {good + row("11", "1", hash(2), "", "1600000000", alice, bob, "native", "1"), ":3: time: block 11 is older"},
		"not UTF-8":      {row("10", "0", hash(1), "", "1700000000", alice, bob, "native", "\xff1"), "not valid UTF-8"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := open(t, header+"\n"+test.rows)
			var located *transfers.RowError
			if !errors.As(err, &located) || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
	for name, text := range map[string]string{"empty": "", "column missing": "block,amount\n", "column twice": header + ",block\n"} {
		if _, err := open(t, text); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	for name, text := range map[string]string{
		"twice": alice + ",native,1,10\n" + alice + ",native,2,10\n", "too late": alice + ",native,1,99\n", "amount": alice + ",native,x,10\n",
	} {
		if _, err := open(t, header+"\n"+good, "address,asset,amount,before_block\n"+text); err == nil || !strings.Contains(err.Error(), transfers.BalancesFile+":") {
			t.Errorf("balances, %s: %v", name, err)
		}
	}
}

// TestFolder reads every CSV of a folder, and refuses chains without accounts.
func TestFolder(t *testing.T) {
	folder := t.TempDir()
	for i, height := range []string{"12", "10"} {
		text := header + "\n" + height + ",0," + hash(i) + ",,1700000000," + alice + "," + bob + ",native,1\n"
		if err := os.WriteFile(filepath.Join(folder, fmt.Sprint(i)+".csv"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s, err := transfers.Open(t.Context(), folder, ledger.Ethereum, evm.Notation{})
	if err != nil {
		t.Fatal(err)
	}
	if got := blocks(t, s); len(got) != 2 || got[0].Height != 10 {
		t.Errorf("%+v", got)
	}
	if _, err := transfers.Open(t.Context(), folder, ledger.Bitcoin, evm.Notation{}); err == nil {
		t.Error("transfers on a UTXO chain were accepted")
	}
}

// FuzzOpen looks for panics in hostile exports, and for errors without a place.
func FuzzOpen(f *testing.F) {
	f.Add(header + "\n10,0," + hash(1) + ",,1700000000," + alice + "," + bob + ",native,1\n")
	f.Add("\"")
	f.Add(header + "\n\n,,,,\n")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := open(t, text)
		if err == nil {
			blocks(t, s)
		}
	})
}
