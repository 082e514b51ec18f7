package archive

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"coldtrail/chain/bitcoin"
	"coldtrail/chain/evm"
	"coldtrail/ledger"
)

// kindNames are what the columns of address kinds say. No address has neither text nor
// kind.
var kindNames = [...]string{
	ledger.P2PKH: "p2pkh", ledger.P2SH: "p2sh", ledger.P2WPKH: "p2wpkh", ledger.P2WSH: "p2wsh", ledger.P2TR: "p2tr",
	ledger.Script: "script", ledger.EVMAccount: "account", ledger.Named: "name",
}

// hexEnd, behind a kind, says that the text is the address's payload in hexadecimal,
// because the chain has no notation that would give it back.
const hexEnd = "/hex"

// spelled is an address as two columns.
type spelled struct{ text, kind string }

// notation writes and reads the addresses of one chain. Addresses repeat, so it
// remembers some of them.
type notation struct {
	chain ledger.Notation // nil where this program knows none
	wrote map[ledger.Address]spelled
	read  map[spelled]ledger.Address
}

// remembered bounds what a notation remembers.
const remembered = 1 << 16

func newNotation(chain ledger.Chain) *notation {
	n := &notation{wrote: map[ledger.Address]spelled{}, read: map[spelled]ledger.Address{}}
	if chain.Family() == ledger.Account {
		n.chain = evm.Notation{}
	} else if network, err := bitcoin.NetworkOf(chain); err == nil {
		n.chain = bitcoin.Notation{Network: network}
	}
	return n
}

// write gives the text and the kind of an address.
func (n *notation) write(a *ledger.Address) (spelled, error) {
	if a.Kind == ledger.NoAddress {
		return spelled{}, nil
	}
	if s, ok := n.wrote[*a]; ok {
		return s, nil
	}
	if int(a.Kind) >= len(kindNames) || a.Size > 32 || ledger.NewAddress(a.Kind, a.Bytes()) != *a {
		return spelled{}, fmt.Errorf("an address of kind %d with %d bytes is none", a.Kind, a.Size)
	}
	s := spelled{kind: kindNames[a.Kind]}
	if a.Kind == ledger.Named {
		s.text = string(a.Bytes())
	} else if n.chain != nil {
		s.text = n.chain.FormatAddress(*a)
	}
	if back, err := n.spell(s); err != nil || back != *a {
		s = spelled{text: hex.EncodeToString(a.Bytes()), kind: s.kind + hexEnd}
	}
	if len(n.wrote) == remembered {
		clear(n.wrote)
	}
	n.wrote[*a] = s
	return s, nil
}

// parse gives the address of a text and a kind.
func (n *notation) parse(s spelled) (ledger.Address, error) {
	if s == (spelled{}) {
		return ledger.Address{}, nil
	}
	if a, ok := n.read[s]; ok {
		return a, nil
	}
	if len(s.text) > 200 || len(s.kind) > 20 {
		return ledger.Address{}, errors.New("the address is longer than any")
	}
	a, err := n.spell(s)
	if err != nil {
		return a, err
	}
	if len(n.read) == remembered {
		clear(n.read)
	}
	n.read[s] = a
	return a, nil
}

// spell reads what write writes.
func (n *notation) spell(s spelled) (ledger.Address, error) {
	name, plain := strings.CutSuffix(s.kind, hexEnd)
	kind := ledger.NoAddress
	for k, known := range kindNames {
		if known == name && known != "" {
			kind = ledger.AddressKind(k)
		}
	}
	switch {
	case kind == ledger.NoAddress:
		return ledger.Address{}, fmt.Errorf("address %q has the unknown kind %q", s.text, s.kind)
	case plain:
		payload, err := hex.DecodeString(s.text)
		if err != nil || len(payload) > 32 {
			return ledger.Address{}, fmt.Errorf("address %q: want at most 64 hexadecimal digits", s.text)
		}
		return ledger.NewAddress(kind, payload), nil
	case kind == ledger.Named:
		if !utf8.ValidString(s.text) || strings.ContainsFunc(s.text, func(r rune) bool { return !unicode.IsPrint(r) }) {
			return ledger.Address{}, fmt.Errorf("name %q is not printable", s.text)
		}
		return ledger.NameAddress(s.text)
	case n.chain == nil:
		return ledger.Address{}, fmt.Errorf("address %q is of a chain whose notation is not known", s.text)
	}
	a, err := n.chain.ParseAddress(s.text)
	if err == nil && a.Kind != kind {
		err = fmt.Errorf("address %q is not of kind %s", s.text, s.kind)
	}
	return a, err
}
