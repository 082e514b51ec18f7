package crossing_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"coldtrail/crossing"
	"coldtrail/ledger"
)

// deck is the dump of a THORChain observer (thornode, MIT; May 2025): what it saw
// on seven chains, with the memos as they stood.
type deck []struct {
	Chain string
	Txs   []deckTx `json:"txArray"`
}

type deckTx struct {
	Height uint64 `json:"block_height"`
	Tx     string
	Memo   string
	Sender string
	To     string
	Coins  []struct{ Asset, Amount string }
}

func shared(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile("../../shared/data/" + path)
	if errors.Is(err, os.ErrNotExist) {
		t.Skipf("%s is not here: real data that are not part of this repository", path)
	}
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// anyNotation takes every text for an address, as the deck writes chains that no
// ledger holds.
type anyNotation struct{}

func (anyNotation) FormatAddress(ledger.Address) string { return "" }

func (anyNotation) ParseAddress(text string) (ledger.Address, error) {
	text = strings.ToLower(text)
	if strings.Contains(text, " ") || len(text) < 20 {
		return ledger.Address{}, errors.New("too short for an address")
	}
	if payload, err := hex.DecodeString(strings.TrimPrefix(text, "0x")); err == nil && len(payload) == 20 {
		return ledger.NewAddress(ledger.EVMAccount, payload), nil
	}
	sum := sha256.Sum256([]byte(text))
	return ledger.NewAddress(ledger.P2WPKH, sum[:20]), nil
}

// deckChains gives every network of the deck a chain.
var deckChains = map[string]ledger.Chain{
	"BTC": ledger.Bitcoin, "LTC": "bip122:12a765e31ffd4059bada1e25190f6e98", "DOGE": "bip122:1a91e3dace36e2be3bf030a65679fe82",
	"BCH": "bip122:000000000000000000651ef99cb9fcbe", "ETH": ledger.Ethereum, "BSC": "eip155:56", "AVAX": "eip155:43114",
}

func readDeck(t *testing.T) (txs map[string]*deckTx, chains map[string]string) {
	t.Helper()
	r, err := zstd.NewReader(strings.NewReader(string(shared(t, "thorchain/observer_deck.json.zst"))))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	var d deck
	if err := json.Unmarshal(text, &d); err != nil {
		t.Fatal(err)
	}
	txs, chains = map[string]*deckTx{}, map[string]string{}
	for i := range d {
		for j := range d[i].Txs {
			tx := &d[i].Txs[j]
			id := strings.ToLower(strings.TrimPrefix(tx.Tx, "0x"))
			txs[id], chains[id] = tx, d[i].Chain
		}
	}
	return txs, chains
}

// TestDeckParses reads every memo that a real observer saw.
func TestDeckParses(t *testing.T) {
	txs, _ := readDeck(t)
	if len(txs) != 1734 {
		t.Fatalf("%d distinct transactions, want 1734", len(txs))
	}
	count := map[crossing.Intent]int{}
	for id, tx := range txs {
		memo, err := crossing.ParseMemo(tx.Memo, crossing.ShortCodes(crossing.THORChain))
		if err != nil {
			t.Errorf("%s: memo %q: %v", id, tx.Memo, err)
			continue
		}
		count[memo.Intent]++
	}
	want := map[crossing.Intent]int{crossing.Swap: 434, crossing.Out: 908, crossing.Refund: 11, crossing.Consolidate: 52, crossing.Stay: 329}
	for intent, n := range want {
		if count[intent] != n {
			t.Errorf("intent %d: %d memos, want %d", intent, count[intent], n)
		}
	}
}

// deckView makes the transaction of an observation: a payment with its memo.
func deckView(t *testing.T, id, network string, tx *deckTx) *crossing.View {
	t.Helper()
	hash, err := ledger.ParseHash(id)
	if err != nil {
		t.Fatal(err)
	}
	chain := deckChains[network]
	address := func(text string) ledger.Address {
		a, err := anyNotation{}.ParseAddress(text)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	value, err := ledger.ParseAmount(tx.Coins[0].Amount)
	if err != nil {
		t.Fatal(err)
	}
	v := &crossing.View{Chain: chain, Height: ledger.Height(tx.Height), Time: 1_747_000_000, Tx: &ledger.Tx{ID: hash}}
	if chain.Family() == ledger.UTXO {
		v.Tx.Outputs = []ledger.Output{{Value: value.Uint64(), Address: address(tx.To)}, {Unspendable: true}}
		data := append([]byte{0x4c, byte(len(tx.Memo))}, tx.Memo...)
		v.Tx.Messages = []ledger.Message{{Kind: ledger.OpReturn, Position: 1, Data: data}}
		v.Spent = []ledger.Output{{Address: address(tx.Sender)}}
		return v
	}
	asset := chain.Native()
	if _, contract, ok := strings.Cut(tx.Coins[0].Asset, "-0X"); ok {
		asset = ledger.Asset(string(chain) + "/erc20:0x" + strings.ToLower(contract))
	}
	v.Tx.Fee.Payer = address(tx.Sender)
	v.Tx.Transfers = []ledger.Transfer{moved(address(tx.Sender), address(tx.To), asset, value)}
	router := crossing.THORChain.Contracts[0].Address
	memo := padded([]byte(tx.Memo))
	token := make([]byte, 32)
	if _, contract, ok := strings.Cut(string(asset), "erc20:0x"); ok {
		token = append(make([]byte, 12), unhex(t, contract)...)
	}
	if kind := strings.ToLower(tx.Memo); strings.HasPrefix(kind, "out:") || strings.HasPrefix(kind, "refund:") {
		v.Tx.Messages = []ledger.Message{event(0, router, "TransferOut(address,address,address,uint256,string)",
			[][]byte{addressWord(address(tx.Sender)), addressWord(address(tx.To))}, token, amountWord(value), word(96), memo)}
		return v
	}
	v.Tx.Messages = []ledger.Message{event(0, router, "Deposit(address,address,uint256,string)",
		[][]byte{addressWord(address(tx.To)), token}, amountWord(value), word(64), memo)}
	return v
}

// TestDeckLinks joins the observations of a real observer: a payout is linked if and
// only if its deposit was seen too.
func TestDeckLinks(t *testing.T) {
	txs, chains := readDeck(t)
	contracts := []crossing.Contract{}
	for _, chain := range deckChains {
		contracts = append(contracts, crossing.Contract{Chain: chain, Address: crossing.THORChain.Contracts[0].Address})
	}
	d := crossing.NewDecoders(crossing.Config{
		Chains: deckChains, Notation: func(ledger.Chain) (ledger.Notation, error) { return anyNotation{}, nil },
		Contracts: map[string][]crossing.Contract{"thorchain": contracts},
	})
	want := map[string]string{} // payout to deposit
	outbound := 0
	m := crossing.NewMatcher()
	for id, tx := range txs {
		v := deckView(t, id, chains[id], tx)
		found := d.Read(v)
		place := crossing.Place{Chain: v.Chain, Height: v.Height, Time: v.Time, Tx: v.Tx.ID}
		m.Add(&place, &found)
		memo, err := crossing.ParseMemo(tx.Memo, nil)
		if err == nil && (memo.Intent == crossing.Out || memo.Intent == crossing.Refund) {
			outbound++
			if inbound := txs[memo.Tx.String()]; inbound != nil {
				want[id] = memo.Tx.String()
			}
		}
	}
	crossings, forged := m.Settle(math.MaxInt64)
	got := map[string]string{}
	for i := range crossings {
		for _, p := range crossings[i].Payouts {
			got[p.Place.Tx.String()] = crossings[i].Place.Tx.String()
		}
	}
	for payout, deposit := range want {
		if got[payout] != deposit {
			t.Errorf("payout %s %q of %s %q %s: linked to %q", payout, txs[payout].Memo, chains[payout], txs[deposit].Memo, txs[payout].To, got[payout])
		}
	}
	for payout, deposit := range got {
		if want[payout] != deposit {
			t.Errorf("payout %s is linked to %s, whose memo it does not name", payout, deposit)
		}
	}
	t.Logf("%d payouts, %d linked, %d deposits, %d forged", outbound, len(got), len(crossings), len(forged))
	for _, f := range forged {
		t.Logf("forged %s: %s", f.Place.Tx, f.Reason)
	}
	if outbound != 919 || slices.Max([]int{len(want), 1}) != len(got) {
		t.Errorf("%d payouts, %d linked, want 919 and %d", outbound, len(got), len(want))
	}
}
