package crossing_test

import (
	"encoding/hex"
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"

	"coldtrail/chain/bitcoin"
	"coldtrail/chain/evm"
	"coldtrail/crossing"
	"coldtrail/ledger"
)

// longMemo is the example of thornode, docs/concepts/memo-length-reduction.md: a
// memo that does not fit an OP_RETURN goes on in the hashes of two outputs.
const longMemo = "SWAP:GAIA.ATOM:cosmos1fegapd4jc3ejqeg0eu3jk4hvr74hg66076gyyd/bc1qnfw0gkk05qxl38mslc69hc6vc64mksyw6zzxhg"

// output is an output to an address, or data where the text begins with a quote.
func btcView(t *testing.T, sender string, outputs ...string) *crossing.View {
	t.Helper()
	n := bitcoin.Notation{Network: bitcoin.Mainnet}
	parse := func(text string) ledger.Address {
		a, err := n.ParseAddress(text)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	v := &crossing.View{Chain: ledger.Bitcoin, Height: 800_000, Time: 1_740_000_000, Tx: &ledger.Tx{ID: ledger.Hash{0xb7}}}
	if sender != "" {
		v.Spent = []ledger.Output{{Address: parse(sender), Value: 1 << 40}}
	}
	for i, o := range outputs {
		if memo, ok := strings.CutPrefix(o, "'"); ok {
			data := append([]byte{byte(len(memo))}, memo...)
			if len(memo) > 75 {
				data = append([]byte{0x4c}, data...)
			}
			v.Tx.Outputs = append(v.Tx.Outputs, ledger.Output{Unspendable: true})
			v.Tx.Messages = append(v.Tx.Messages, ledger.Message{Kind: ledger.OpReturn, Position: uint32(i), Data: data})
			continue
		}
		v.Tx.Outputs = append(v.Tx.Outputs, ledger.Output{Value: 100_000_000, Address: parse(o)})
	}
	return v
}

const (
	thief   = "bc1qlu4a33zjspefa3tnq566xszcr0fvwz05ewhqfq"
	asgard  = "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"
	carrier = "bc1qd4ekccek895xxdnkvvmrgmttwduhwdn622k6gj"
	tail    = "bc1q0fuxsecqqqqqqqqqqqqqqqqqqqqqqqqq2alhdv"
	hops    = "0x4838B106FCe9647Bdf1E7877BF73cE8B0BAD5f97"
)

func TestLongMemo(t *testing.T) {
	v := btcView(t, thief, asgard, "'"+longMemo[:79]+"^", carrier, tail)
	found := decoders().Read(v)
	if len(found.Deposits) != 1 || len(found.Faults) != 0 || !slices.Equal(found.Carriers, []uint32{2, 3}) {
		t.Fatalf("%d deposits, faults %v, carriers %v; want one deposit carried by outputs 2 and 3", len(found.Deposits), found.Faults, found.Carriers)
	}
	d := found.Deposits[0]
	if d.Output != 0 || d.Reason != "pays out on GAIA, which no ledger here holds" || d.Targets[0].Text != "cosmos1fegapd4jc3ejqeg0eu3jk4hvr74hg66076gyyd" {
		t.Errorf("output %d, reason %q, targets %+v", d.Output, d.Reason, d.Targets)
	}
	refund, err := bitcoin.Notation{Network: bitcoin.Mainnet}.ParseAddress("bc1qnfw0gkk05qxl38mslc69hc6vc64mksyw6zzxhg")
	if err != nil || d.Refund != refund {
		t.Errorf("the refund address is not the one that the carriers complete (%v)", err)
	}
}

// TestOutputMemo reads deposits, payouts and moves on Bitcoin.
func TestOutputMemo(t *testing.T) {
	h := strings.Repeat("0A", 32)
	for _, test := range []struct {
		name    string
		sender  string
		outputs []string
		want    string
	}{
		{"deposit with short code", thief, []string{asgard, thief, "'=:e:" + hops + ":1e8/1/0:t:30"}, "deposit 0 to eip155:1 native"},
		{"token by the end of its contract", thief, []string{asgard, "'SWAP:ETH.USDT-ec7:" + hops}, "deposit 0 to eip155:1 …ec7"},
		{"token by its contract", thief, []string{asgard, "'=:ETH.USDT-0XDAC17F958D2EE523A2206206994597C13D831EC7:" + hops}, "deposit 0 to eip155:1 eip155:1/erc20:0xdac17f958d2ee523a2206206994597c13d831ec7"},
		{"change before the deposit", thief, []string{thief, asgard, "'=:e:" + hops}, "deposit 1 to eip155:1 native"},
		{"memo in two data outputs", thief, []string{asgard, "'=:e:" + hops[:20], "'" + hops[20:]}, "deposit 0 to eip155:1 native"},
		{"two networks read one code differently", thief, []string{asgard, "'=:a:" + hops}, "deposit 0 to eip155:43114 native, eip155:42161 native"},
		{"payout", asgard, []string{thief, asgard, "'OUT:" + h}, "payout 0 key 0a0a"},
		{"refund", asgard, []string{thief, asgard, "'REFUND:" + h}, "refund 0 key 0a0a"},
		{"payout with the prefix of EVM", asgard, []string{thief, "'out:0x" + h}, "payout 0 key 0a0a"},
		{"a failed payment under its own hash", asgard, []string{thief, "'OUT:B7" + strings.Repeat("00", 31)}, "nothing"},
		{"migrate", asgard, []string{thief, "'MIGRATE:21000000"}, "move"},
		{"consolidate", asgard, []string{asgard, "'consolidate"}, "move"},
		{"liquidity stays", thief, []string{asgard, "'+:BTC.BTC:thor166n4w5039meulfa3p6ydg60ve6ueac7tlt0jws"}, "deposit 0: the value stays with THORChain or Maya Protocol (+); what comes of it is on that chain"},
		{"someone's words", thief, []string{asgard, "'hello: world"}, "nothing"},
		{"an address with a wrong checksum", asgard, []string{thief, "'=:b:bc1qlu4a33zjspefa3tnq566xszcr0fvwz05ewhqfx"}, "fault, deposit 0 without target"},
		{"the address of another chain", thief, []string{asgard, "'=:b:" + hops}, "fault, deposit 0 without target"},
		{"an address that is cut", thief, []string{asgard, "'=:e:" + hops[:30]}, "fault, deposit 0 without target"},
		{"a name of the network", thief, []string{asgard, "'=:e:lazarus"}, "deposit 0 to eip155:1 native open"},
		{"unicode", thief, []string{asgard, "'=:e:" + "\u202e" + hops}, "fault"},
		{"oversized", thief, []string{asgard, "'=:e:" + hops + strings.Repeat("/", 40), "'" + strings.Repeat("x", 70), "'" + strings.Repeat("x", 70), "'" + strings.Repeat("x", 70)}, "fault"},
		{"no hash", asgard, []string{thief, "'OUT:1234"}, "fault"},
		{"too many outputs", thief, append(slices.Repeat([]string{asgard}, 12), "'=:e:"+hops), "fault"},
		{"nobody but the sender", thief, []string{thief, "'=:e:" + hops}, "fault"},
		{"an unknown sender", "", []string{asgard, "'=:e:" + hops}, "fault"},
		{"shares of more than everything", thief, []string{asgard, "'=:e:" + hops + "::t:10001"}, "fault"},
	} {
		t.Run(test.name, func(t *testing.T) {
			found := decoders().Read(btcView(t, test.sender, test.outputs...))
			if got := describe(&found); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// describe prints what was found in a few words.
func describe(f *crossing.Found) string {
	var words []string
	if len(f.Faults) > 0 {
		words = append(words, "fault")
	}
	for _, d := range f.Deposits {
		text := "deposit " + string('0'+rune(d.Position))
		switch {
		case len(d.Targets) == 0 && strings.HasSuffix(d.Reason, "only a refund can follow"):
			text += " without target"
		case len(d.Targets) == 0:
			text += ": " + d.Reason
		default:
			var targets []string
			for _, x := range d.Targets {
				asset := string(x.Asset)
				switch {
				case x.Asset == x.Chain.Native():
					asset = "native"
				case x.Asset == "":
					asset = "…" + x.Suffix
				}
				line := string(x.Chain) + " " + asset
				if x.Open != "" {
					line += " open"
				}
				if !slices.Contains(targets, line) {
					targets = append(targets, line)
				}
			}
			text += " to " + strings.Join(targets, ", ")
		}
		words = append(words, text)
	}
	for _, p := range f.Payouts {
		kind := "payout "
		if p.Kind == crossing.Refunded {
			kind = "refund "
		}
		words = append(words, kind+string('0'+rune(p.Transfer))+" key "+p.Key.String()[:4])
	}
	for range f.Moves {
		words = append(words, "move")
	}
	if len(words) == 0 {
		return "nothing"
	}
	return strings.Join(words, ", ")
}

// receipt is what a node answers for eth_getTransactionReceipt.
type receipt struct {
	Result struct {
		TransactionHash, From string
		Logs                  []struct {
			Address  string
			Topics   []string
			Data     string
			LogIndex string
		}
	}
}

// readReceipt makes the view of a real receipt, with its token movements and logs.
func readReceipt(t *testing.T, path string) (*crossing.View, []ledger.Address) {
	t.Helper()
	var r receipt
	if err := json.Unmarshal(shared(t, path), &r); err != nil {
		t.Fatal(err)
	}
	block := evm.Block{Number: 22526256, Txs: []evm.Tx{{From: eth(t, r.Result.From), Calls: true}}}
	tx := &block.Txs[0]
	hash, err := ledger.ParseHash(r.Result.TransactionHash)
	if err != nil {
		t.Fatal(err)
	}
	tx.Hash = hash
	var emitters []ledger.Address
	for i, l := range r.Result.Logs {
		log := evm.Log{Contract: eth(t, l.Address), Index: uint32(i), Data: unhex(t, l.Data)}
		for _, topic := range l.Topics {
			log.Topics = append(log.Topics, ledger.Hash(unhex(t, topic)))
		}
		tx.Logs = append(tx.Logs, log)
		emitters = append(emitters, log.Contract)
	}
	b, err := block.Ledger(&evm.Networks[0])
	if err != nil {
		t.Fatal(err)
	}
	return &crossing.View{Chain: ledger.Ethereum, Height: b.Height, Tx: &b.Txs[0]}, emitters
}

// TestRealReceipt reads a mainnet receipt: wrapped bitcoin through LI.FI into the
// router, on to a bitcoin address.
func TestRealReceipt(t *testing.T) {
	v, _ := readReceipt(t, "thorchain/eth_receipt_lifi_thorchain_router_22526256.json")
	found := decoders().Read(v)
	if len(found.Deposits) != 1 || len(found.Faults) != 0 {
		t.Fatalf("%d deposits, faults %v", len(found.Deposits), found.Faults)
	}
	d := found.Deposits[0]
	want, err := bitcoin.Notation{Network: bitcoin.Mainnet}.ParseAddress("bc1q80nz3hx4w6dpzwwmuddyyd0y3uwj0sjxrtmlgu")
	if err != nil {
		t.Fatal(err)
	}
	if d.Asset != "eip155:1/erc20:0x2260fac5e5542a773aa44fbcfedf7c193bc2c599" || d.Amount.Uint64() != 1043565 || d.Into != crossing.THORChain.Contracts[0].Address {
		t.Errorf("%s %s into %s", d.Amount.Dec(), d.Asset, evm.Notation{}.FormatAddress(d.Into))
	}
	if d.Protocol != crossing.THORChain || d.Targets[0].Address != want || d.Targets[0].Chain != ledger.Bitcoin || d.Targets[0].Asset != ledger.Bitcoin.Native() {
		t.Errorf("target %+v, want bitcoin at %v", d.Targets[0], want)
	}
	if d.Front != "LI.FI for jumper.exchange" {
		t.Errorf("in front stood %q", d.Front)
	}
	if d.Vault != eth(t, "c9146363d39cd45b11f6df465cee68d014c962a0") || d.From != eth(t, "52d3c44dbb43dde4ed5c9bec0c8b226269057e1c") {
		t.Errorf("vault %x, from %x", d.Vault.Bytes(), d.From.Bytes())
	}
}

// TestRouterReceipts reads the transactions of thornode's own tests (MIT): deposits
// of ether and of a token, and a payout.
func TestRouterReceipts(t *testing.T) {
	read := func(path string) crossing.Found {
		v, emitters := readReceipt(t, "thorchain/evm_test/"+path)
		router := crossing.Contract{Chain: ledger.Ethereum, Address: emitters[len(emitters)-1]}
		d := crossing.NewDecoders(crossing.Config{Notation: notation, Contracts: map[string][]crossing.Contract{"thorchain": {router}}})
		return d.Read(v)
	}
	out := read("transfer_out_receipt.json")
	if len(out.Payouts) != 1 || len(out.Faults) != 0 {
		t.Fatalf("payouts %+v, faults %v", out.Payouts, out.Faults)
	}
	p := out.Payouts[0]
	if p.Key.String() != "4a9dee79350a69bd76b7cba261b3cec06546973df2eaccedb67ec98eaf21d861" || p.Payer != eth(t, "b8bc698bc9c1ed0df7efc37d7367886602361ee5") ||
		p.To != eth(t, "970e8128ab834e8eac17ab8e3812f010678cf791") || p.Amount.Dec() != "243100000000000000" {
		t.Errorf("payout %s of %s", p.Key, p.Amount.Dec())
	}
	token := read("deposit_tkn_receipt.json")
	if got, want := describe(&token), "deposit 1: the value stays with THORChain (add); what comes of it is on that chain"; got != want {
		t.Errorf("a deposit of a token: %q, want %q", got, want)
	}
}

// TestRouterDeposit checks what makes a deposit on an EVM chain real.
func TestRouterDeposit(t *testing.T) {
	router := crossing.THORChain.Contracts[0].Address
	user, vault, other := eth(t, strings.Repeat("11", 20)), eth(t, strings.Repeat("22", 20)), eth(t, strings.Repeat("33", 20))
	ether, dai := ledger.Ethereum.Native(), ledger.Asset("eip155:1/erc20:0x6b175474e89094c44da98b954eedeac495271d0f")
	ten := ledger.NewAmount(10)
	deposit := func(at uint32, from, to ledger.Address, token []byte, memo string) ledger.Message {
		return event(at, from, "Deposit(address,address,uint256,string)", [][]byte{addressWord(to), token}, amountWord(ten), word(64), padded([]byte(memo)))
	}
	native := make([]byte, 32)
	through := []ledger.Transfer{moved(user, router, ether, ten), moved(router, vault, ether, ten)}
	memo := "=:b:" + thief
	for _, test := range []struct {
		name      string
		transfers []ledger.Transfer
		messages  []ledger.Message
		external  bool
		want      string
		amount    uint64
	}{
		{"ether", through, []ledger.Message{deposit(3, router, vault, native, memo)}, false, "deposit 3 to bip122:000000000019d6689c085ae165831e93 native", 10},
		{"twice to one vault with one memo", through, []ledger.Message{deposit(3, router, vault, native, memo), deposit(4, router, vault, native, strings.ToUpper(memo[:3])+memo[3:])}, false, "deposit 3 to bip122:000000000019d6689c085ae165831e93 native", 20},
		{"two vaults", through, []ledger.Message{deposit(3, router, vault, native, memo), deposit(4, router, other, native, memo)}, false, "fault", 0},
		{"another contract", through, []ledger.Message{deposit(3, other, vault, native, memo)}, false, "nothing", 0},
		{"nothing moved", nil, []ledger.Message{deposit(3, router, vault, native, memo)}, false, "fault", 0},
		{"without traces", through[:1], []ledger.Message{deposit(3, router, vault, native, memo)}, true, "deposit 3 to bip122:000000000019d6689c085ae165831e93 native", 10},
		{"a token", []ledger.Transfer{moved(user, router, dai, ten)}, []ledger.Message{deposit(0, router, vault, addressWord(evm.ContractOf(dai)), memo)}, false, "deposit 0 to bip122:000000000019d6689c085ae165831e93 native", 10},
		{"a memo beyond the data", through, []ledger.Message{event(3, router, "Deposit(address,address,uint256,string)", [][]byte{addressWord(vault), native}, amountWord(ten), word(1<<40))}, false, "fault", 0},
		{"an empty memo", through, []ledger.Message{deposit(3, router, vault, native, "")}, false, "fault, deposit 3 without target", 10},
		{"calldata to a vault", through[1:], []ledger.Message{{Kind: ledger.Calldata, Data: []byte(memo)}}, false, "deposit 0 to bip122:000000000019d6689c085ae165831e93 native", 10},
		{"hexadecimal calldata", through[1:], []ledger.Message{{Kind: ledger.Calldata, Data: []byte(hex.EncodeToString([]byte(memo)))}}, false, "deposit 0 to bip122:000000000019d6689c085ae165831e93 native", 10},
	} {
		t.Run(test.name, func(t *testing.T) {
			tx := &ledger.Tx{ID: ledger.Hash{1}, Transfers: test.transfers, Messages: test.messages, External: test.external, Fee: ledger.Fee{Payer: user}}
			found := decoders().Read(&crossing.View{Chain: ledger.Ethereum, Tx: tx})
			if got := describe(&found); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
			if len(found.Deposits) == 1 && found.Deposits[0].Amount.Uint64() != test.amount {
				t.Errorf("amount %s, want %d", found.Deposits[0].Amount.Dec(), test.amount)
			}
		})
	}
}

// TestOutAndCall follows a payout that an aggregator turns into a token, and one
// where that fails.
func TestOutAndCall(t *testing.T) {
	router := crossing.THORChain.Contracts[0].Address
	vault, target, pool, user := eth(t, strings.Repeat("22", 20)), eth(t, strings.Repeat("44", 20)), eth(t, strings.Repeat("55", 20)), eth(t, strings.Repeat("66", 20))
	ether, dai := ledger.Ethereum.Native(), ledger.Asset("eip155:1/erc20:0x6b175474e89094c44da98b954eedeac495271d0f")
	ten, thirty := ledger.NewAmount(10), ledger.NewAmount(30)
	said := event(0, router, "TransferOutAndCall(address,address,uint256,address,address,uint256,string)", [][]byte{addressWord(vault)},
		addressWord(target), amountWord(ten), addressWord(evm.ContractOf(dai)), addressWord(user), word(0), word(192), padded([]byte("OUT:"+strings.Repeat("0A", 32))))
	view := func(transfers ...ledger.Transfer) *crossing.View {
		return &crossing.View{Chain: ledger.Ethereum, Tx: &ledger.Tx{ID: ledger.Hash{1}, Transfers: transfers, Messages: []ledger.Message{said}}}
	}
	in := []ledger.Transfer{moved(vault, router, ether, ten), moved(router, target, ether, ten)}
	bought := decoders().Read(view(append(in, moved(target, pool, ether, ten), moved(pool, user, dai, thirty))...))
	if len(bought.Payouts) != 1 || bought.Payouts[0].Asset != dai || bought.Payouts[0].Amount != thirty || bought.Payouts[0].Transfer != 3 || bought.Payouts[0].Payer != vault {
		t.Errorf("bought: %+v", bought)
	}
	failed := decoders().Read(view(append(in, moved(target, user, ether, ten))...))
	if len(failed.Payouts) != 1 || failed.Payouts[0].Asset != ether || failed.Payouts[0].Amount != ten {
		t.Errorf("not bought: %+v", failed)
	}
	if stolen := decoders().Read(view(in...)); len(stolen.Payouts) != 0 || len(stolen.Faults) != 1 {
		t.Errorf("nothing reached the recipient: %+v", stolen)
	}
}

func FuzzMemo(f *testing.F) {
	for _, memo := range []string{longMemo, "=:e:" + hops + ":1e8/1/0:t/u:30/40|x", "OUT:" + strings.Repeat("0A", 32), "=<:ETH.USDT-ec7:name", "MIGRATE:1", "\xff"} {
		f.Add([]byte(memo))
	}
	f.Fuzz(func(t *testing.T, memo []byte) {
		if m, err := crossing.ParseMemo(string(memo), crossing.ShortCodes(crossing.THORChain)); err == nil && m == nil {
			t.Error("neither a memo nor an error")
		}
		v := btcView(t, thief, asgard)
		v.Tx.Outputs = append(v.Tx.Outputs, ledger.Output{Unspendable: true})
		v.Tx.Messages = []ledger.Message{{Kind: ledger.OpReturn, Position: 1, Data: memo}}
		found := decoders().Read(v)
		m := crossing.NewMatcher()
		m.Add(&crossing.Place{Chain: v.Chain}, &found)
		if crossings, _ := m.Settle(math.MaxInt64); len(crossings) != len(found.Deposits) {
			t.Errorf("%d deposits, %d crossings", len(found.Deposits), len(crossings))
		}
	})
}

// FuzzEvent looks for panics in hostile events of every protocol.
func FuzzEvent(f *testing.F) {
	f.Add(uint8(0), []byte{}, uint16(0))
	f.Add(uint8(3), append(word(64), word(1<<20)...), uint16(2))
	f.Fuzz(func(t *testing.T, topics uint8, data []byte, which uint16) {
		n := int(which)
		for _, p := range crossing.Protocols {
			for topic := range p.Events {
				if n--; n > 0 {
					continue
				}
				contract := eth(t, strings.Repeat("77", 20))
				chain := ledger.Ethereum
				if len(p.Contracts) > 0 {
					contract, chain = p.Contracts[0].Address, p.Contracts[0].Chain
				}
				m := ledger.Message{Kind: ledger.Log, Contract: contract, Data: append(append([]byte{topics%5 + 1}, topic[:]...), data...)}
				decoders().Read(&crossing.View{Chain: chain, Tx: &ledger.Tx{Messages: []ledger.Message{m}, External: topics > 128}})
			}
		}
	})
}
