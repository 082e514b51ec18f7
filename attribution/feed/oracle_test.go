package feed_test

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"

	"coldtrail/attribution/feed"
	"coldtrail/attribution/label"
	"coldtrail/chain/evm"
	"coldtrail/ledger"
)

// event is an event of a contract as the ledger carries it.
func event(contract ledger.Address, topic ledger.Hash, data string) ledger.Tx {
	raw, err := hex.DecodeString(data)
	if err != nil {
		panic(err) // only the test's own digits
	}
	return ledger.Tx{ID: topic, Messages: []ledger.Message{{Kind: ledger.Log, Contract: contract, Data: append(append([]byte{1}, topic[:]...), raw...)}}}
}

// array is addresses as Solidity encodes them.
func array(addresses ...string) string {
	text := fmt.Sprintf("%064x%064x", 32, len(addresses))
	for _, a := range addresses {
		text += strings.Repeat("0", 24) + a
	}
	return text
}

const (
	first  = "12d66f87a04a9e220743712ce6d9bb1b5616b8fc"
	second = "47ce0c6ed5b0ce3d3a51fdb1c52dc66a7c3c2936"
)

// TestOracle replays additions and removals: an address is listed from the block that
// says so until the one that takes it back, and again from the next; events of others and
// such as do not decode say nothing, and the latter are named.
func TestOracle(t *testing.T) {
	if got := evm.Keccak([]byte("SanctionedAddressesAdded(address[])")); got != feed.OracleAdded {
		t.Errorf("topic of additions is %s", got)
	}
	if got := evm.Keccak([]byte("SanctionedAddressesRemoved(address[])")); got != feed.OracleRemoved {
		t.Errorf("topic of removals is %s", got)
	}
	o, ok := feed.NewOracle(ledger.Ethereum)
	if !ok {
		t.Fatal("Ethereum's oracle is not known")
	}
	at := feed.Oracles[ledger.Ethereum]
	if text := (evm.Notation{}).FormatAddress(at); text != "0x40C57923924B5c5c5455c48D93317139ADDaC8fb" {
		t.Error(text)
	}
	impostor := ledger.NewAddress(ledger.EVMAccount, make([]byte, 20))
	for i, tx := range []ledger.Tx{
		event(at, feed.OracleAdded, array(first, second)), event(at, feed.OracleRemoved, array(first)), event(at, feed.OracleAdded, array(first)),
		event(impostor, feed.OracleRemoved, array(second)), event(at, feed.OracleAdded, array(first)[:130]), event(at, feed.OracleAdded, fmt.Sprintf("%064x%064x", 32, 1<<40)),
		event(at, feed.OracleAdded, fmt.Sprintf("%064x%064xff%062x", 32, 1, 1)),
		{Failed: true, Messages: event(at, feed.OracleRemoved, array(second)).Messages},
	} {
		o.Take(&tx, ledger.Height(100+i), int64(1000+i))
	}
	b := o.Batch()
	if len(b.Claims) != 4 || len(b.Rejected) != 3 || b.Rejected[0].Line != 104 {
		t.Fatalf("%d claims, rejected %v", len(b.Claims), b.Rejected)
	}
	about := func(address string) (list []label.Claim) {
		for _, c := range b.Claims {
			if c.Subject == (label.Subject{Network: "eip155:1", Address: "0x" + address}) {
				list = append(list, c)
			}
		}
		return list
	}
	for _, c := range []struct {
		address string
		when    label.When
		want    int
	}{
		{first, label.When{Valid: 999}, 0},
		{first, label.When{Valid: 1000}, 1},
		{first, label.When{Valid: 1001}, 0},
		{first, label.When{Valid: 1002}, 1},
		{first, label.When{}, 1},
		{second, label.When{}, 1},
		{first, label.When{Known: 1001}, 0},
		{first, label.When{Known: 1000}, 1},
	} {
		if got := label.At(about(c.address), c.when); len(got) != c.want {
			t.Errorf("%s %+v: %d claims, want %d", c.address, c.when, len(got), c.want)
		}
	}
	if !slices.ContainsFunc(b.Claims, func(c label.Claim) bool { return strings.Contains(c.Source, feed.OracleRemoved.String()) }) {
		t.Error("a removal does not name its transaction")
	}
	if _, ok := feed.NewOracle(ledger.Bitcoin); ok {
		t.Error("Bitcoin has no oracle")
	}
}

func FuzzOracle(f *testing.F) {
	f.Add([]byte("\x01"), true)
	for _, data := range []string{array(first), array(), array(first, second)[:100]} {
		raw, _ := hex.DecodeString(data)
		f.Add(raw, false)
	}
	f.Fuzz(func(t *testing.T, data []byte, removed bool) {
		o, _ := feed.NewOracle(ledger.Ethereum)
		topic := feed.OracleAdded
		if removed {
			topic = feed.OracleRemoved
		}
		tx := ledger.Tx{Messages: []ledger.Message{{Kind: ledger.Log, Contract: feed.Oracles[ledger.Ethereum], Data: append(append([]byte{1}, topic[:]...), data...)}}}
		o.Take(&tx, 1, 1)
		for _, c := range o.Batch().Claims {
			if err := c.Check(); err != nil {
				t.Errorf("%+v: %v", c, err)
			}
		}
	})
}
