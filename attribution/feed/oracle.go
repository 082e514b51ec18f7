package feed

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"

	"coldtrail/attribution/label"
	"coldtrail/ledger"
)

// The sanctions oracle is a contract by which Chainalysis publishes sanctioned addresses
// on chain, for other contracts to ask. Its events carry the whole list, so that anybody
// with the chain can replay it and check it. Source: the contract's interface
// (isSanctioned, addToSanctionsList, removeFromSanctionsList and their events).

const (
	oracleName   = "Chainalysis sanctions oracle"
	oracleAt     = "\x40\xc5\x79\x23\x92\x4b\x5c\x5c\x54\x55\xc4\x8d\x93\x31\x71\x39\xad\xda\xc8\xfb"
	oracleAtBase = "\x3a\x91\xa3\x1c\xb3\xdc\x49\xb4\xdb\x9c\xe7\x21\xf5\x0a\x9d\x07\x6c\x8d\x73\x9b"
)

// Oracles are the contracts by chain.
var Oracles = map[ledger.Chain]ledger.Address{
	"eip155:1": evmAddress(oracleAt), "eip155:10": evmAddress(oracleAt), "eip155:56": evmAddress(oracleAt), "eip155:137": evmAddress(oracleAt),
	"eip155:250": evmAddress(oracleAt), "eip155:42161": evmAddress(oracleAt), "eip155:42220": evmAddress(oracleAt), "eip155:43114": evmAddress(oracleAt),
	"eip155:81457": evmAddress(oracleAt), "eip155:8453": evmAddress(oracleAtBase),
}

func evmAddress(text string) ledger.Address {
	return ledger.NewAddress(ledger.EVMAccount, []byte(text))
}

// The topics of its events: Keccak-256 of SanctionedAddressesAdded(address[]) and of
// SanctionedAddressesRemoved(address[]).
var (
	OracleAdded   = topic("2596d7dd6966c5673f9c06ddb0564c4f0e6d8d206ea075b83ad9ddd71a4fb927")
	OracleRemoved = topic("32aab684eee99db715515d1a9987a8fe33bb6341b0e35e60db7eab48a08f9a3a")
)

func topic(digits string) ledger.Hash {
	h, err := ledger.ParseHash(digits)
	if err != nil {
		panic(err) // only the constants above come here
	}
	return h
}

// Oracle replays the events of a chain's oracle in chain order. What it says is learnt
// when the block is: from then on anybody could know it.
type Oracle struct {
	chain ledger.Chain
	at    ledger.Address
	out   *Batch
	open  map[string][]label.Claim // by address, not removed yet
}

// NewOracle begins a replay; false where no oracle of the chain is known.
func NewOracle(chain ledger.Chain) (*Oracle, bool) {
	at, ok := Oracles[chain]
	return &Oracle{
		chain: chain, at: at, open: map[string][]label.Claim{},
		out: &Batch{File: "sanctions oracle " + string(chain), Format: "oracle", Snapshot: true},
	}, ok
}

// Batch is what the oracle says by now.
func (o *Oracle) Batch() *Batch { return o.out }

// Take takes in a transaction. Events of other contracts say nothing, whatever they
// claim; one of the oracle that does not decode is a problem with its transaction.
func (o *Oracle) Take(tx *ledger.Tx, height ledger.Height, time int64) {
	if tx.Failed {
		return
	}
	for i := range tx.Messages {
		m := &tx.Messages[i]
		if m.Kind != ledger.Log || m.Contract != o.at || len(m.Data) < 33 || m.Data[0] != 1 {
			continue
		}
		first := ledger.Hash(m.Data[1:33])
		if first != OracleAdded && first != OracleRemoved {
			continue
		}
		addresses, err := addressArray(m.Data[33:])
		if err != nil {
			o.out.Rejected = append(o.out.Rejected, Problem{o.out.File, int(height), fmt.Sprintf("event %d of transaction 0x%s: %v", m.Position, tx.ID, err)})
			continue
		}
		for _, a := range addresses {
			if first == OracleAdded {
				o.add(a, tx, height, time)
			} else {
				o.remove(a, tx, height, time)
			}
		}
	}
}

// source names the event's place.
func (o *Oracle) source(tx *ledger.Tx) string {
	return fmt.Sprintf("%s, transaction 0x%s", o.chain, tx.ID)
}

func (o *Oracle) add(a string, tx *ledger.Tx, height ledger.Height, time int64) {
	c := label.Claim{
		Subject: label.Subject{Network: label.Network(o.chain), Address: a}, Label: "sanctioned", Abuse: "sanction", Confidence: "authority_data",
		Score: label.Confidences["authority_data"], By: oracleName, Source: o.source(tx), From: time, Stated: time, Learned: time, File: o.out.File, Line: int(height),
	}
	o.open[a] = append(o.open[a], c)
	o.out.Claims = append(o.out.Claims, c)
}

func (o *Oracle) remove(a string, tx *ledger.Tx, height ledger.Height, time int64) {
	for _, c := range o.open[a] {
		o.out.Claims = append(o.out.Claims, label.Claim{
			Subject: c.Subject, By: oracleName, Source: o.source(tx), Why: "removed from the list", From: time, Stated: time, Withdraws: c.ID().String(), Learned: time,
			File: o.out.File, Line: int(height),
		})
	}
	delete(o.open, a)
}

// maxOracle bounds the addresses of one event.
const maxOracle = 10_000

// addressArray reads one dynamic array of addresses (Solidity ABI).
func addressArray(data []byte) ([]string, error) {
	const word = 32
	small := func(at int) (uint64, bool) {
		for _, b := range data[at : at+word-8] {
			if b != 0 {
				return 0, false
			}
		}
		return binary.BigEndian.Uint64(data[at+word-8:]), true
	}
	if len(data) < 2*word {
		return nil, errors.New("shorter than an array")
	}
	offset, ok := small(0)
	if !ok || offset != word {
		return nil, errors.New("the array does not follow its offset")
	}
	n, ok := small(word)
	if !ok || n > maxOracle || uint64(len(data)) < 2*word+n*word {
		return nil, errors.New("the array is longer than the event")
	}
	list := make([]string, n)
	for i := range list {
		at := data[2*word+i*word : 3*word+i*word]
		for _, b := range at[:12] {
			if b != 0 {
				return nil, fmt.Errorf("item %d is no address", i)
			}
		}
		list[i] = "0x" + hex.EncodeToString(at[12:])
	}
	return list, nil
}
