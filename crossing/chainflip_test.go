package crossing_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"coldtrail/crossing"
	"coldtrail/ledger"
)

// assertTopics checks that a protocol reads the events whose first topics are given
// in hexadecimal, as the published bindings and traces of its contracts have them.
func assertTopics(t *testing.T, p *crossing.Protocol, topics ...string) {
	t.Helper()
	for _, text := range topics {
		if p.Events[ledger.Hash(unhex(t, text))] == nil {
			t.Errorf("%s does not read %s", p.Name, text)
		}
	}
	if len(p.Events) != len(topics) {
		t.Errorf("%s reads %d events, the test knows %d", p.Name, len(p.Events), len(topics))
	}
}

// logView is a transaction of an EVM chain.
func logView(chain ledger.Chain, id byte, transfers []ledger.Transfer, logs ...ledger.Message) *crossing.View {
	return &crossing.View{Chain: chain, Height: 100, Time: 1_740_000_000, Number: 7, Tx: &ledger.Tx{ID: ledger.Hash{id}, Transfers: transfers, Messages: logs}}
}

// wantFault checks that a transaction says nothing but one fault about a reason.
func wantFault(t *testing.T, v *crossing.View, reason string) {
	t.Helper()
	found := decoders().Read(v)
	if len(found.Deposits)+len(found.Payouts) != 0 || len(found.Faults) != 1 || !strings.Contains(found.Faults[0].Reason, reason) {
		t.Errorf("%d deposits, %d payouts, faults %v; want one fault about %q", len(found.Deposits), len(found.Payouts), found.Faults, reason)
	}
}

// wantNothing checks that a transaction says nothing at all.
func wantNothing(t *testing.T, v *crossing.View) {
	t.Helper()
	if found := decoders().Read(v); len(found.Deposits)+len(found.Payouts)+len(found.Faults) != 0 {
		t.Errorf("found %+v, want nothing", found)
	}
}

// onlyDeposit is the only thing that a transaction says.
func onlyDeposit(t *testing.T, v *crossing.View) crossing.Deposit {
	t.Helper()
	found := decoders().Read(v)
	if len(found.Deposits) != 1 || len(found.Payouts)+len(found.Faults) != 0 {
		t.Fatalf("%d deposits, %d payouts, faults %v; want one deposit", len(found.Deposits), len(found.Payouts), found.Faults)
	}
	return found.Deposits[0]
}

// onlyPayout is the only thing that a transaction says.
func onlyPayout(t *testing.T, v *crossing.View) crossing.Payout {
	t.Helper()
	found := decoders().Read(v)
	if len(found.Payouts) != 1 || len(found.Deposits)+len(found.Faults) != 0 {
		t.Fatalf("%d deposits, %d payouts, faults %v; want one payout", len(found.Deposits), len(found.Payouts), found.Faults)
	}
	return found.Payouts[0]
}

// truncated is a transaction whose last message lost its last word.
func truncated(v *crossing.View) *crossing.View {
	m := &v.Tx.Messages[len(v.Tx.Messages)-1]
	m.Data = m.Data[:len(m.Data)-32]
	return v
}

const (
	usdcText = "a0b86991c6218b36c1d19d4a2e9eb0ce3606eb48"
	usdc     = ledger.Asset("eip155:1/erc20:0x" + usdcText)
	ether    = ledger.Asset("eip155:1/slip44:60")
)

const chainflipNative = "SwapNative(uint32,bytes,uint32,uint256,address,bytes)"

func TestChainflipTopics(t *testing.T) {
	assertTopics(t, crossing.Chainflip,
		"6757034e841d88190e95fa8a7570ce6cb721257474400c3282ec536eab810540", "834b524d9f8ccbd31b00b671c896697b96eb4398c0f56e9386a21f5df61e3ce3",
		"47705cc9a85c5f679e1f4e8e7fbd459b8267bc61fa3111ced6fe84f71d7d889e", "030b52f4ea12be896482bc46f95fb31f1ac9457bc1a2a206981fbd18a69cc6e3")
}

// TestChainflipSwap reads swaps from Ethereum. The first is of the kind that took
// 205 ETH of the Bybit theft to Bitcoin (bc1qlu4a33z…).
func TestChainflipSwap(t *testing.T) {
	vault, user, token := eth(t, "f5e10380213880111522dd0efd3dbb45b9f62bcc"), eth(t, hops), eth(t, usdcText)
	amount := ledger.NewAmount(205_000)
	native := func(dst, asset uint64, address []byte) *crossing.View {
		return logView(ledger.Ethereum, 1, []ledger.Transfer{moved(user, vault, ether, amount)},
			event(4, vault, chainflipNative, [][]byte{addressWord(user)}, word(dst), word(160), word(asset), amountWord(amount), word(160+32+uint64(len(padded(address)))-32), padded(address), padded([]byte("cf"))))
	}
	d := onlyDeposit(t, native(3, 5, []byte(thief)))
	if d.Into != vault || d.Asset != ether || d.Amount != amount || d.From != user || d.Position != 4 || !strings.Contains(d.Reason, "State Chain") {
		t.Errorf("deposit %+v", d)
	}
	btc := btcView(t, thief, asgard).Spent[0].Address
	if x := d.Targets[0]; x.Chain != ledger.Bitcoin || x.Address != btc || x.Asset != ledger.Bitcoin.Native() || x.Text != thief {
		t.Errorf("target %+v", x)
	}
	if x := onlyDeposit(t, native(4, 7, user.Bytes())).Targets[0]; x.Chain != "eip155:42161" || x.Address != user || x.Asset != "eip155:42161/erc20:0xaf88d065e77c8cc2239327c5edb3a432268e5831" {
		t.Errorf("target %+v", x)
	}
	if d := onlyDeposit(t, native(5, 9, bytes.Repeat([]byte{9}, 32))); d.Reason != "pays out on Solana, which no ledger here holds" || d.Targets[0].Chain != "" || !strings.HasPrefix(d.Targets[0].Text, "0x0909") {
		t.Errorf("deposit %+v", d)
	}
	call := logView(ledger.Ethereum, 1, []ledger.Transfer{moved(user, vault, usdc, amount)},
		event(4, vault, "XCallToken(uint32,bytes,uint32,address,uint256,address,bytes,uint256,bytes)", [][]byte{addressWord(user)},
			word(4), word(256), word(6), addressWord(token), amountWord(amount), word(320), word(1), word(384), padded(user.Bytes()), padded([]byte("m")), padded([]byte("cf"))))
	if d := onlyDeposit(t, call); d.Asset != usdc || d.Into != vault || d.Targets[0].Asset != "eip155:42161/slip44:60" {
		t.Errorf("deposit %+v", d)
	}

	for _, test := range []struct {
		network, asset uint64
		address        []byte
		reason         string
	}{
		{3, 5, []byte(hops), "address"}, {1, 1, user.Bytes()[:19], "20 bytes"}, {9, 1, user.Bytes(), "chain 9"}, {1, 5, user.Bytes(), "its chain does not have"},
	} {
		found := decoders().Read(native(test.network, test.asset, test.address))
		if len(found.Deposits) != 1 || len(found.Deposits[0].Targets) != 0 || !strings.HasSuffix(found.Deposits[0].Reason, "only a refund can follow") || len(found.Faults) != 1 {
			t.Errorf("chain %d, asset %d: %+v; want a deposit without a target, and a fault about %q", test.network, test.asset, found, test.reason)
		}
	}
	wantFault(t, truncated(native(3, 5, []byte(thief))), "no vault of Chainflip")
	missing := native(3, 5, []byte(thief))
	missing.Tx.Transfers = nil
	wantFault(t, missing, "nothing arrived")
	missing.Tx.External, missing.Tx.Transfers = true, []ledger.Transfer{moved(user, token, ether, amount)}
	if d := onlyDeposit(t, missing); d.Into != token {
		t.Errorf("without traces it came to rest at %v, want the first receiver", d.Into)
	}
	stranger := native(3, 5, []byte(thief))
	stranger.Tx.Messages[0].Contract = user
	wantNothing(t, stranger)
	elsewhere := native(3, 5, []byte(thief))
	elsewhere.Chain = "eip155:10"
	wantNothing(t, elsewhere)
}

// TestChainflipOutputs reads vault swaps from Bitcoin. The first is the vector of
// chainflip-backend, btc/vault_swap_encoding.rs: 63 bytes for Polkadot.
func TestChainflipOutputs(t *testing.T) {
	const vault = "bc1p96yhxaszqgtu3cu95v9hfd6c9yuxxpyl5e4rl5thuqftqas9jyzsdersag" // of the same file
	vector := "0004" + strings.Repeat("09", 32) + "0500" + strings.Repeat("ff", 16) + "ffff0200050a0806070809"
	tail := "0500" + strings.Repeat("ff", 16) + "ffff0200050a00"
	user := eth(t, hops)
	view := func(payload string, outputs ...string) *crossing.View {
		if len(outputs) == 0 {
			outputs = []string{vault, "'" + string(unhex(t, payload)), thief}
		}
		v := btcView(t, thief, outputs...)
		for i := range v.Tx.Outputs {
			if v.Tx.Outputs[i].Unspendable {
				v.Tx.Outputs[i].Value = 0
			}
		}
		return v
	}
	d := onlyDeposit(t, view(vector))
	if d.Reason != "pays out on Polkadot, which no ledger here holds" || d.Output != 0 || d.Into.Kind != ledger.P2TR || d.Amount != ledger.NewAmount(100_000_000) || d.Refund != d.From {
		t.Errorf("deposit %+v", d)
	}
	if least := d.Targets[0].Least; least.Hex() != "0xffffffffffffffffffffffffffffffff" {
		t.Errorf("least %s", least.Hex())
	}
	if x := onlyDeposit(t, view("0003"+strings.TrimPrefix(strings.ToLower(hops), "0x")+tail)).Targets[0]; x.Chain != ledger.Ethereum || x.Asset != usdc || x.Address != user {
		t.Errorf("target %+v", x)
	}
	for name, v := range map[string]*crossing.View{
		"version 1":             view("01" + vector[2:]),
		"asset 0":               view("0000" + vector[4:]),
		"a byte too much":       view(vector + "00"),
		"a byte too few":        view(vector[:len(vector)-2]),
		"three affiliates":      view(vector[:len(vector)-10] + "0c0607080901"),
		"no taproot vault":      view("", asgard, "'"+string(unhex(t, vector)), thief),
		"no refund output":      view("", vault, "'"+string(unhex(t, vector))),
		"data in the wrong row": view("", vault, thief, "'"+string(unhex(t, vector))),
		"an EVM address as BTC": view("0005a8" + strings.ToLower(hops[2:]) + "6162" + tail),
	} {
		if found := decoders().Read(v); len(found.Deposits) != 0 || slices.ContainsFunc(found.Faults, func(f crossing.Fault) bool { return f.Protocol == crossing.Chainflip }) {
			t.Errorf("%s: %+v, want nothing", name, found)
		}
	}
}
