package ledger

import (
	"fmt"
	"strconv"
	"strings"
)

// Chain is a CAIP-2 chain identifier such as "eip155:1".
type Chain string

// The chains with a short name.
const (
	// Bitcoin is the main network; the reference is the first half of the genesis hash.
	Bitcoin Chain = "bip122:000000000019d6689c085ae165831e93"
	// Ethereum is the main network.
	Ethereum Chain = "eip155:1"
)

// Family says how a chain keeps its books.
type Family uint8

// The two families.
const (
	// UTXO chains spend whole outputs.
	UTXO Family = iota + 1
	// Account chains move amounts between balances.
	Account
)

// Family follows from the CAIP-2 namespace: bip122 is UTXO, everything else Account.
func (c Chain) Family() Family {
	if strings.HasPrefix(string(c), "bip122:") {
		return UTXO
	}
	return Account
}

// shortNames lists what people type for a chain.
var shortNames = map[string]Chain{"bitcoin": Bitcoin, "ethereum": Ethereum}

// ParseChain reads a short name ("bitcoin", "ethereum") or a CAIP-2 identifier
// of the bip122 or eip155 namespace.
func ParseChain(text string) (Chain, error) {
	if c, ok := shortNames[strings.ToLower(text)]; ok {
		return c, nil
	}
	namespace, reference, ok := strings.Cut(text, ":")
	switch {
	case ok && namespace == "eip155":
		if n, err := strconv.ParseUint(reference, 10, 64); err == nil && n > 0 && strconv.FormatUint(n, 10) == reference {
			return Chain(text), nil
		}
	case ok && namespace == "bip122":
		if len(reference) == 32 && isLowerHex(reference) {
			return Chain(text), nil
		}
	}
	return "", fmt.Errorf("chain %q is unknown; use bitcoin, ethereum, eip155:N or bip122:<32 hex digits>", text)
}

// Short is the short name of the chain, or the CAIP-2 identifier where it has none.
func (c Chain) Short() string {
	for name, chain := range shortNames {
		if chain == c {
			return name
		}
	}
	return string(c)
}

// FormatHash prints a hash as the chain's users do: EVM chains prefix it with 0x.
func (c Chain) FormatHash(h Hash) string {
	if c.Family() == Account {
		return "0x" + h.String()
	}
	return h.String()
}

// Asset is a CAIP-19 asset identifier, lower case, such as
// "eip155:1/erc20:0xdac17f958d2ee523a2206206994597c13d831ec7".
type Asset string

// Native is the chain's own asset, named by its SLIP-44 coin type. EVM chains
// all use ether's type, 60, as CAIP-19 examples do.
func (c Chain) Native() Asset {
	if c.Family() == UTXO {
		return Asset(string(c) + "/slip44:0")
	}
	return Asset(string(c) + "/slip44:60")
}

// ParseAsset reads "native" or a CAIP-19 identifier that lives on the chain.
func (c Chain) ParseAsset(text string) (Asset, error) {
	asset := Asset(strings.ToLower(text))
	if asset == "native" || asset == c.Native() {
		return c.Native(), nil
	}
	kind, ok := strings.CutPrefix(string(asset), string(c)+"/")
	if !ok {
		return "", fmt.Errorf("asset %q is not on chain %s", text, c)
	}
	if contract, ok := strings.CutPrefix(kind, "erc20:0x"); ok && c.Family() == Account && len(contract) == 40 && isLowerHex(contract) {
		return asset, nil
	}
	return "", fmt.Errorf("asset %q: want native or %s/erc20:0x<40 hex digits>", text, c)
}

func isLowerHex(text string) bool {
	for _, c := range []byte(text) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}
