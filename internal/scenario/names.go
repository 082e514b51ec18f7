package scenario

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"coldtrail/ledger"
)

// names gives the plain names of a scenario addresses, assets and transaction
// identifiers, and prints them back. It is the scenario's ledger.Notation.
type names struct {
	chain ledger.Chain
	*register
}

// register is what the names of all ledgers of a scenario share.
type register struct {
	several bool // more than one ledger: assets are always printed
	address map[ledger.Address]string
	asset   map[ledger.Asset]string
	tx      map[ledger.Hash]string
}

func newRegister() *register {
	return &register{address: map[ledger.Address]string{}, asset: map[ledger.Asset]string{}, tx: map[ledger.Hash]string{}}
}

func newNames(chain ledger.Chain, r *register) *names {
	n := &names{chain: chain, register: r}
	n.asset[chain.Native()] = n.native()
	return n
}

func (n *names) native() string {
	if n.chain.Family() == ledger.UTXO {
		return "BTC"
	}
	return "ETH"
}

// ParseAddress gives a name an address. On account chains "zero" is the zero
// address, and the name of a token is the address of its contract.
func (n *names) ParseAddress(name string) (ledger.Address, error) {
	named, err := ledger.NameAddress(name)
	if err != nil {
		return ledger.Address{}, err
	}
	if n.chain.Family() == ledger.Account {
		sum := sha256.Sum256([]byte(name))
		named = ledger.NewAddress(ledger.EVMAccount, sum[:20])
		if name == "zero" {
			named = ledger.NewAddress(ledger.EVMAccount, make([]byte, 20))
		}
	}
	n.address[named] = name
	return named, nil
}

// FormatAddress prints the name.
func (n *names) FormatAddress(a ledger.Address) string { return n.address[a] }

// parseAsset gives a name an asset: the native one, or a token of that name.
func (n *names) parseAsset(name string) ledger.Asset {
	if name == "" || name == n.native() {
		return n.chain.Native()
	}
	sum := sha256.Sum256([]byte(name))
	asset := ledger.Asset(string(n.chain) + "/erc20:0x" + hex.EncodeToString(sum[:20]))
	n.asset[asset] = name
	return asset
}

// naming writes @NAME in the place of a transaction's identifier that ends a text.
func (n *register) naming(text string) string {
	at := len(text) - 2*len(ledger.Hash{})
	if at < 0 {
		return text
	}
	if id, err := ledger.ParseHash(text[at:]); err == nil && n.tx[id] != "" {
		return text[:at] + "@" + n.tx[id]
	}
	return text
}

func (n *register) txID(name string) ledger.Hash {
	id := ledger.Hash(sha256.Sum256([]byte("transaction " + name)))
	n.tx[id] = name
	return id
}

// place prints "NAME:N" for an output and the plain name for anything else.
func (n *register) place(at string) string {
	text, index := at, ""
	if len(at) > 64 && at[64] == ':' {
		text, index = at[:64], at[64:]
	}
	if id, err := ledger.ParseHash(text); err == nil && n.tx[id] != "" {
		return n.tx[id] + index
	}
	return at
}

func blockHash(chain ledger.Chain, height ledger.Height, branch int) ledger.Hash {
	return ledger.Hash(sha256.Sum256(fmt.Appendf(nil, "block %s %d branch %d", chain, height, branch)))
}
