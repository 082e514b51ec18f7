package bitcoin

import (
	"fmt"

	"coldtrail/ledger"
)

// Network is one of the chains that speak Bitcoin's protocol.
type Network struct {
	Name      string
	Chain     ledger.Chain
	Magic     [4]byte // before every block in a file, as bytes
	Genesis   ledger.Hash
	LimitBits uint32 // the easiest target, compact
	Retargets bool   // whether the difficulty rule holds without exceptions
	PubKey    byte   // version byte of P2PKH addresses
	Script    byte   // version byte of P2SH addresses
	Bech32    string // human-readable part of segwit addresses
}

func mustHash(text string) ledger.Hash {
	h, err := ledger.ParseHash(text)
	if err != nil {
		panic(err) // only the constants below come here
	}
	return h
}

func network(n Network, genesis string) *Network {
	n.Genesis = mustHash(genesis)
	n.Chain = ledger.Chain("bip122:" + genesis[:32])
	return &n
}

// The networks.
var (
	Mainnet = network(Network{
		Name: "bitcoin", Magic: [4]byte{0xf9, 0xbe, 0xb4, 0xd9}, LimitBits: 0x1d00ffff, Retargets: true, PubKey: 0x00, Script: 0x05, Bech32: "bc",
	}, "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f")
	Testnet3 = network(Network{
		Name: "testnet3", Magic: [4]byte{0x0b, 0x11, 0x09, 0x07}, LimitBits: 0x1d00ffff, PubKey: 0x6f, Script: 0xc4, Bech32: "tb",
	}, "000000000933ea01ad0ee984209779baaec3ced90fa3f408719526f8d77f4943")
	Signet = network(Network{
		Name: "signet", Magic: [4]byte{0x0a, 0x03, 0xcf, 0x40}, LimitBits: 0x1e0377ae, PubKey: 0x6f, Script: 0xc4, Bech32: "tb",
	}, "00000008819873e925422c1ff0f99f7cc9bbb232af63a077a480a3633bee1ef6")
	Regtest = network(Network{
		Name: "regtest", Magic: [4]byte{0xfa, 0xbf, 0xb5, 0xda}, LimitBits: 0x207fffff, PubKey: 0x6f, Script: 0xc4, Bech32: "bcrt",
	}, "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206")
	Simnet = network(Network{
		Name: "simnet", Magic: [4]byte{0x16, 0x1c, 0x14, 0x12}, LimitBits: 0x207fffff, PubKey: 0x3f, Script: 0x7b, Bech32: "sb",
	}, "683e86bd5c6d110d91b94b97137ba6bfe02dbbdb8e3dff722a669b5d69d77af6")
)

// Networks lists every network.
var Networks = []*Network{Mainnet, Testnet3, Signet, Regtest, Simnet}

// NetworkOf finds the network of a chain.
func NetworkOf(chain ledger.Chain) (*Network, error) {
	for _, n := range Networks {
		if n.Chain == chain {
			return n, nil
		}
	}
	return nil, fmt.Errorf("chain %s is not a Bitcoin network that is known here", chain)
}

// NetworkNamed finds a network by its name.
func NetworkNamed(name string) (*Network, bool) {
	for _, n := range Networks {
		if n.Name == name {
			return n, true
		}
	}
	return nil, false
}
