package ledger_test

import (
	"strings"
	"testing"

	"coldtrail/ledger"
)

func TestParseAmount(t *testing.T) {
	most := "115792089237316195423570985008687907853269984665640564039457584007913129639935"
	for text, ok := range map[string]bool{
		"0": true, "401346768858404671846374": true, most: true, most + "0": false, "": false, "-1": false, "+1": false, "1.0": false, "1e3": false, "0x10": false, " 1": false,
	} {
		amount, err := ledger.ParseAmount(text)
		if (err == nil) != ok || ok && amount.Dec() != text {
			t.Errorf("%q: %s, %v", text, amount.Dec(), err)
		}
	}
}

func TestChains(t *testing.T) {
	for text, want := range map[string]ledger.Chain{
		"bitcoin": ledger.Bitcoin, "Ethereum": ledger.Ethereum, "eip155:56": "eip155:56", "bip122:000000000019d6689c085ae165831e93": ledger.Bitcoin,
		"eip155:01": "", "eip155:0": "", "eip155:": "", "bip122:xyz": "", "solana": "", "": "",
	} {
		got, err := ledger.ParseChain(text)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
	if ledger.Bitcoin.Family() != ledger.UTXO || ledger.Ethereum.Family() != ledger.Account || ledger.Chain("eip155:56").Short() != "eip155:56" {
		t.Error("families or names are wrong")
	}
}

func TestAssets(t *testing.T) {
	token := "eip155:1/erc20:0x" + strings.Repeat("ab", 20)
	for text, want := range map[string]ledger.Asset{
		"native": "eip155:1/slip44:60", "eip155:1/slip44:60": "eip155:1/slip44:60", token: ledger.Asset(token),
		"eip155:1/ERC20:0x" + strings.Repeat("AB", 20): ledger.Asset(token),
		"eip155:56/slip44:60":                          "", "eip155:1/erc20:0x12": "", "eip155:1/erc721:0x" + strings.Repeat("ab", 20): "", "": "",
	} {
		got, err := ledger.Ethereum.ParseAsset(text)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
	if _, err := ledger.Bitcoin.ParseAsset("bip122:000000000019d6689c085ae165831e93/erc20:0x" + strings.Repeat("ab", 20)); err == nil {
		t.Error("a token on Bitcoin was accepted")
	}
}

func TestHashes(t *testing.T) {
	digits := strings.Repeat("0123456789abcdef", 4)
	h, err := ledger.ParseHash("0x" + digits)
	if err != nil || h.String() != digits || ledger.Ethereum.FormatHash(h) != "0x"+digits || ledger.Bitcoin.FormatHash(h) != digits {
		t.Errorf("%s, %v", h, err)
	}
	for _, bad := range []string{"", "0x", digits[1:], digits + "0", strings.Repeat("g", 64)} {
		if _, err := ledger.ParseHash(bad); err == nil {
			t.Errorf("%q was accepted", bad)
		}
	}
	if ledger.Weakest(0, ledger.Proven) != ledger.Proven || ledger.Weakest(ledger.Proven, ledger.File) != ledger.File || ledger.Weakest(ledger.Node, 0) != ledger.Node {
		t.Error("the weaker of two provenances is wrong")
	}
}
