package crossing_test

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"coldtrail/chain/bitcoin"
	"coldtrail/crossing"
	"coldtrail/internal/nodetest"
	"coldtrail/ledger"
)

// walletCase is a transaction of a wallet's own tests, with what THORChain's index
// answered about it; testdata/unchained says where it comes from.
type walletCase struct {
	File, Name string
	Tx         walletTx
	Actions    []walletAction
}

type walletTx struct {
	TxID, Hex, From, To, Value, InputData string
	Memo                                  string // of chains of THORChain's own kind
	Timestamp                             int64
	Vin                                   []struct{ Addresses []string }
	Vout                                  []struct{ OpReturn string }
	TokenTransfers                        []walletTransfer
	InternalTxs                           []walletTransfer
}

type walletTransfer struct {
	Contract, From, To, Value string
	Decimals                  int
}

type walletAction struct {
	Type     string
	In, Out  []walletLeg
	Metadata map[string]struct{ Memo string }
}

type walletLeg struct {
	Address, TxID string
	Coins         []struct{ Amount, Asset string }
}

func walletCases(t *testing.T) (cases []walletCase) {
	t.Helper()
	if err := json.Unmarshal(nodetest.Wallet(t), &cases); err != nil {
		t.Fatal(err)
	}
	return cases
}

// held says whether a ledger can hold the chain of the transaction.
func (c *walletCase) held() bool { return c.Tx.Hex != "" || c.Tx.InputData != "" }

// TestWalletMemos reads the memos of all transactions, also of chains that no ledger
// here holds.
func TestWalletMemos(t *testing.T) {
	count := map[crossing.Intent]int{}
	want := map[crossing.Intent]int{}
	others := 0
	for _, c := range walletCases(t) {
		memo := c.Tx.Memo
		if c.held() {
			memo = c.memo(t)
		}
		if memo == "" {
			continue
		}
		m, err := crossing.ParseMemo(memo, crossing.ShortCodes(crossing.THORChain))
		if errors.Is(err, crossing.ErrNoMemo) {
			others++
			continue
		}
		if err != nil {
			t.Errorf("%s: %q: %v", c.File, memo, err)
			continue
		}
		count[m.Intent]++
		switch word, _, _ := strings.Cut(memo, ":"); word {
		case "OUT":
			want[crossing.Out]++
		case "REFUND":
			want[crossing.Refund]++
		case "=", "SWAP":
			want[crossing.Swap]++
		default:
			want[crossing.Stay]++
		}
	}
	if !maps.Equal(count, want) || others != 2 { // a reward's words, and a memo behind a blank
		t.Errorf("read %v, want %v; %d are no memos", count, want, others)
	}
	t.Log(count)
}

// realThenAny reads addresses as their chain writes them, and takes anything else as
// anyNotation does: the deposits are on chains that no ledger holds, too.
type realThenAny struct{ real ledger.Notation }

func (n realThenAny) FormatAddress(a ledger.Address) string { return n.real.FormatAddress(a) }

func (n realThenAny) ParseAddress(text string) (ledger.Address, error) {
	if a, err := n.real.ParseAddress(text); err == nil {
		return a, nil
	}
	return anyNotation{}.ParseAddress(text)
}

func walletDecoders() *crossing.Decoders {
	var contracts []crossing.Contract
	for _, chain := range deckChains {
		contracts = append(contracts, crossing.Contract{Chain: chain, Address: crossing.THORChain.Contracts[0].Address})
	}
	return crossing.NewDecoders(crossing.Config{
		Chains: deckChains, Contracts: map[string][]crossing.Contract{"thorchain": contracts},
		Notation: func(chain ledger.Chain) (ledger.Notation, error) {
			n, err := notation(chain)
			if err != nil {
				return anyNotation{}, nil //nolint:nilerr // a chain that no ledger holds
			}
			return realThenAny{n}, nil
		},
	})
}

// view makes the transaction: of Bitcoin from its bytes, of Ethereum from its movements
// and the event that the router emits for its call.
func (c *walletCase) view(t *testing.T) *crossing.View {
	t.Helper()
	v := &crossing.View{Chain: ledger.Ethereum, Time: c.Tx.Timestamp, Tx: &ledger.Tx{}}
	var err error
	if v.Tx.ID, err = ledger.ParseHash(strings.TrimPrefix(c.Tx.TxID, "0x")); err != nil {
		t.Fatal(err)
	}
	if c.Tx.Hex != "" {
		v.Chain = ledger.Bitcoin
		tx, err := bitcoin.DecodeTx(unhex(t, c.Tx.Hex), 1)
		if err != nil {
			t.Fatalf("%s: %v", c.File, err)
		}
		tx.ID, v.Tx = v.Tx.ID, &tx
		a, err := bitcoin.Notation{Network: bitcoin.Mainnet}.ParseAddress(c.Tx.Vin[0].Addresses[0])
		if err != nil {
			t.Fatal(err)
		}
		v.Spent = []ledger.Output{{Address: a}}
		return v
	}
	v.Tx.Fee.Payer = eth(t, c.Tx.From)
	for _, list := range [][]walletTransfer{{{From: c.Tx.From, To: c.Tx.To, Value: c.Tx.Value}}, c.Tx.TokenTransfers, c.Tx.InternalTxs} {
		for _, x := range list {
			x.move(t, v)
		}
	}
	v.Tx.Messages = []ledger.Message{c.event(t)}
	return v
}

// move adds the movement to a transaction.
func (x *walletTransfer) move(t *testing.T, v *crossing.View) {
	t.Helper()
	amount, err := ledger.ParseAmount(x.Value)
	if err != nil {
		t.Fatal(err)
	}
	asset := v.Chain.Native()
	if x.Contract != "" {
		asset = ledger.Asset(string(v.Chain) + "/erc20:" + strings.ToLower(x.Contract))
	}
	if !amount.IsZero() {
		v.Tx.Transfers = append(v.Tx.Transfers, moved(eth(t, x.From), eth(t, x.To), asset, amount))
	}
}

// event is what the router emits for the call, by its source.
func (c *walletCase) event(t *testing.T) ledger.Message {
	t.Helper()
	input := unhex(t, c.Tx.InputData)
	if len(input) < 4+32 {
		return ledger.Message{Kind: ledger.Calldata, Data: input}
	}
	arg := func(i int) []byte { return input[4+32*i : 4+32*(i+1)] }
	value, err := ledger.ParseAmount(c.Tx.Value)
	if err != nil {
		t.Fatal(err)
	}
	router, memo := eth(t, c.Tx.To), padded([]byte(c.memo(t)))
	switch selector := hex.EncodeToString(input[:4]); selector {
	case "1fece7b4", "44bc937b": // deposit and depositWithExpiry (vault, asset, amount, memo)
		amount := arg(2)
		if value.Sign() > 0 {
			amount = amountWord(value)
		}
		return event(0, router, "Deposit(address,address,uint256,string)", [][]byte{arg(0), arg(1)}, amount, word(64), memo)
	case "574da717": // transferOut(to, asset, amount, memo)
		amount := arg(2)
		if value.Sign() > 0 {
			amount = amountWord(value)
		}
		return event(0, router, "TransferOut(address,address,address,uint256,string)", [][]byte{addressWord(eth(t, c.Tx.From)), arg(0)}, arg(1), amount, word(96), memo)
	case "4039fd4b": // transferOutAndCall(target, finalAsset, to, amountOutMin, memo)
		return event(0, router, "TransferOutAndCall(address,address,uint256,address,address,uint256,string)", [][]byte{addressWord(eth(t, c.Tx.From))},
			arg(0), amountWord(value), arg(1), arg(2), arg(3), word(192), memo)
	case "e4d0c7f0": // an aggregator's swapIn(router, vault, memo, token, …), which deposits the ether it bought
		last := c.Tx.InternalTxs[len(c.Tx.InternalTxs)-1]
		bought, err := ledger.ParseAmount(last.Value)
		if err != nil {
			t.Fatal(err)
		}
		return event(0, eth(t, last.From), "Deposit(address,address,uint256,string)", [][]byte{arg(1), make([]byte, 32)}, amountWord(bought), word(64), memo)
	default:
		t.Fatalf("%s: call %s", c.File, selector)
		return ledger.Message{}
	}
}

// memo is the text of the call or output, found without the code under test: behind
// its length, at the end of the call.
func (c *walletCase) memo(t *testing.T) string {
	t.Helper()
	for _, out := range c.Tx.Vout {
		if out.OpReturn != "" {
			return strings.TrimSuffix(strings.TrimPrefix(out.OpReturn, "OP_RETURN ("), ")")
		}
	}
	input := unhex(t, c.Tx.InputData)
	for at := len(input) - 64; at >= 4; at -= 32 {
		if size := int(input[at+31]); strings.Trim(string(input[at:at+31]), "\x00") == "" && size > 0 && at+32+size <= len(input) && size > len(input)-at-64 {
			return string(input[at+32 : at+32+size])
		}
	}
	return string(input)
}

// TestWallet reads real transactions with their memos and joins each payout with the
// deposit that THORChain's index names, and with no other.
func TestWallet(t *testing.T) {
	cases := slices.DeleteFunc(walletCases(t), func(c walletCase) bool { return !c.held() })
	if len(cases) != 60 {
		t.Errorf("%d cases, want 60", len(cases))
	}
	d := walletDecoders()
	for i := range cases {
		c := &cases[i]
		t.Run(c.File+"/"+c.Name, func(t *testing.T) {
			v := c.view(t)
			found := d.Read(v)
			memo := c.memo(t)
			verb, rest, _ := strings.Cut(memo, ":")
			if verb == "OUT" || verb == "REFUND" {
				if c.File == "thorchainLpRefundToken" || c.File == "thorchainSaversRefundToken" {
					// The call refunds ether, the movement beside it is of another transaction.
					if got := describe(&found); got != "fault" {
						t.Errorf("%q: %s", memo, got)
					}
					return
				}
				if len(found.Payouts) != 1 || len(found.Deposits)+len(found.Faults) > 0 {
					t.Fatalf("%q: %+v", memo, found)
				}
				c.joins(t, d, v, &found, rest)
				return
			}
			if got, want := describe(&found), walletDeposits[c.File+"/"+c.Name]; got != want {
				t.Errorf("%q: %s, want %s", memo, got, want)
			}
		})
	}
}

// joins checks a payout against the index: it belongs to the deposit that the index
// names, if that deposit asked to be paid.
func (c *walletCase) joins(t *testing.T, d *crossing.Decoders, v *crossing.View, found *crossing.Found, hash string) {
	t.Helper()
	p := &found.Payouts[0]
	if !strings.EqualFold(p.Key.String(), hash) {
		t.Errorf("names %s, want %s", p.Key, hash)
	}
	m := crossing.NewMatcher()
	at := crossing.Place{Chain: v.Chain, Height: 1000, Number: 1000, Time: v.Time, Tx: v.Tx.ID}
	m.Add(&at, found)
	want := ""
	if a := c.answer(hash); a != nil {
		memo := strings.ToUpper(a.Metadata[a.Type].Memo)
		asked := found.Payouts[0].Kind == crossing.Refunded || strings.HasPrefix(memo, "=:") || strings.HasPrefix(memo, "SWAP:")
		if c.deposit(t, d, m, &a.In[0], a.Metadata[a.Type].Memo) && asked {
			want = strings.ToLower(hash)
		}
	}
	crossings, forged := m.Settle(math.MaxInt64)
	got := ""
	for i := range crossings {
		for j := range crossings[i].Payouts {
			got += crossings[i].Payouts[j].Key.String()
		}
	}
	if got != want {
		t.Errorf("joined with %q, want %q; %v", got, want, forged)
	}
}

// answer is what the index says about the deposit that a payout names: its refund, if
// that is what the payout is.
func (c *walletCase) answer(hash string) (best *walletAction) {
	for i := range c.Actions {
		if a := &c.Actions[i]; strings.EqualFold(a.In[0].TxID, hash) && (best == nil || a.Type == "refund") {
			best = a
		}
	}
	return best
}

// deposit adds the deposit that the index describes; false where its chain is the
// network's own.
func (c *walletCase) deposit(t *testing.T, d *crossing.Decoders, m *crossing.Matcher, in *walletLeg, memo string) bool {
	t.Helper()
	network, _, _ := strings.Cut(strings.ReplaceAll(in.Coins[0].Asset, "/", "."), ".")
	if _, held := deckChains[network]; !held {
		return false
	}
	amount := in.Coins[0].Amount // hundred-millionths of every asset
	switch contract := strings.Contains(in.Coins[0].Asset, "-0X"); {
	case !contract && network != "BTC":
		amount += "0000000000"
	case contract && len(c.Tx.TokenTransfers) > 0 && c.Tx.TokenTransfers[0].Decimals == 18:
		amount += "0000000000"
	case contract:
		amount = amount[:len(amount)-2]
	}
	tx := deckTx{Height: 1, Tx: in.TxID, Memo: memo, Sender: in.Address, To: "0x00000000000000000000000000000000000000aa"}
	tx.Coins = append(tx.Coins, struct{ Asset, Amount string }{in.Coins[0].Asset, amount})
	v := deckView(t, in.TxID, network, &tx)
	from, err := walletAddress(v.Chain, in.Address)
	if err != nil {
		t.Fatal(err)
	}
	v.Time = c.Tx.Timestamp - 60
	if v.Chain.Family() == ledger.UTXO {
		v.Spent[0].Address = from
	}
	found := d.Read(v)
	if len(found.Deposits) != 1 {
		t.Fatalf("deposit %q: %+v", memo, found)
	}
	m.Add(&crossing.Place{Chain: v.Chain, Height: 1, Number: 1, Time: v.Time, Tx: v.Tx.ID}, &found)
	return true
}

func walletAddress(chain ledger.Chain, text string) (ledger.Address, error) {
	n, err := notation(chain)
	if err != nil {
		return anyNotation{}.ParseAddress(text)
	}
	a, err := n.ParseAddress(strings.ToLower(text))
	if err == nil {
		return a, nil
	}
	if a, err = n.ParseAddress(text); err != nil {
		return a, errors.Join(fmt.Errorf("address %q", text), err)
	}
	return a, nil
}

// walletDeposits is what each deposit asks for: a target, or what the network does with
// it. The bitcoin ones could be of either network, until a payout comes.
var walletDeposits = map[string]string{
	"thorchainLoanOpen/tx":                 "deposit 0: the value stays with THORChain or Maya Protocol ($+); what comes of it is on that chain",
	"thorchainLoanOpenEth/tx":              "deposit 0: the value stays with THORChain ($+); what comes of it is on that chain",
	"thorchainLoanRepayment/tx":            "deposit 0: the value stays with THORChain or Maya Protocol ($-); what comes of it is on that chain",
	"thorchainLoanRepaymentEth/tx":         "deposit 0: the value stays with THORChain ($-); what comes of it is on that chain",
	"thorchainLoanRepaymentToken/tx":       "deposit 0: the value stays with THORChain ($-); what comes of it is on that chain",
	"thorchainLpDeposit/tx":                "deposit 0: the value stays with THORChain or Maya Protocol (+); what comes of it is on that chain",
	"thorchainLpDepositEth/tx":             "deposit 0: the value stays with THORChain (+); what comes of it is on that chain",
	"thorchainLpDepositToken/tx":           "deposit 0: the value stays with THORChain (+); what comes of it is on that chain",
	"thorchainLpWithdraw/tx":               "deposit 0: the value stays with THORChain or Maya Protocol (-); what comes of it is on that chain",
	"thorchainLpWithdrawEth/tx":            "deposit 0: the value stays with THORChain (-); what comes of it is on that chain",
	"thorchainLpWithdrawToken/tx":          "deposit 0: the value stays with THORChain (-); what comes of it is on that chain",
	"thorchainSaversDeposit/tx":            "deposit 0: the value stays with THORChain or Maya Protocol (+); what comes of it is on that chain",
	"thorchainSaversDepositEth/tx":         "deposit 0: the value stays with THORChain or Maya Protocol (+); what comes of it is on that chain",
	"thorchainSaversDepositToken/tx":       "deposit 0: the value stays with THORChain (+); what comes of it is on that chain",
	"thorchainSaversWithdraw/tx":           "deposit 0: the value stays with THORChain or Maya Protocol (-); what comes of it is on that chain",
	"thorchainSaversWithdrawEth/tx":        "nothing", // anybody can write such a word on a payment, and no value stays
	"thorchainSaversWithdrawToken/tx":      "deposit 0: the value stays with THORChain (-); what comes of it is on that chain",
	"thorchainStreamingSwap/tx":            "deposit 0 to eip155:1 …ec7",
	"thorchainStreamingSwapEth/tx":         "deposit 0 to bip122:12a765e31ffd4059bada1e25190f6e98 …",
	"thorchainStreamingSwapToken/tx":       "deposit 0 to  …",
	"thorchainSwap/tx":                     "deposit 0 to  …",
	"thorchainSwapEth/txDeposit":           "deposit 0 to  …",
	"thorchainSwapEth/txDepositWithExpiry": "deposit 0 to bip122:000000000019d6689c085ae165831e93 native",
	"thorchainSwapLongtail/tx":             "deposit 0 to bip122:1a91e3dace36e2be3bf030a65679fe82 …",
	"thorchainSwapToken/tx":                "deposit 0 to  …",
}
