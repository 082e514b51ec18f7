package venue

import (
	"bytes"
	"fmt"

	"coldtrail/internal/replay"
	"coldtrail/ledger"
	"coldtrail/screen/breaker"
	"coldtrail/screen/exposure"
)

// Incident is the name of the theft.
const Incident = "bybit-2025"

// etherCents is the price of ether at the end of each day from 22 February 2025 on, in
// cents.
var etherCents = []uint64{276_403, 282_131, 251_382, 249_359, 233_145, 230_548, 223_791, 221_664, 251_969, 214_557}

// firstDay is 2025-02-22T00:00:00Z.
const firstDay = 1_740_182_400

// launderingHops is how far the addresses that use the venue are from the thief's own:
// the receiver of the theft pays a tranche, and that the address.
const launderingHops = 2

// aggregator is the venue's contract, which calls itself the sender.
const aggregator = "aggregator-contract"

// Laundering is what the thief sent through the venue, from a replay with the seed: the
// deposits through OKX's contract that could be traced, and those that could not. Who
// paid an address first is who paid its gas, for its money is ether.
func Laundering(seed uint64) ([]Use, error) {
	accounts := replay.NewAccounts(seed, 1, nil)
	doors := map[string]bool{accounts.Account("okx aggregator", 0): true}
	const services = 40
	for i := range services {
		doors[accounts.Account("okx dark", i)] = true
	}
	t := &taker{doors: doors, funder: map[ledger.Address]string{}}
	accounts = replay.NewAccounts(seed, 1, t.take)
	outputs := replay.NewOutputs(seed, func(*ledger.Block) error { return nil })
	if _, err := replay.Play(replay.Options{Seed: seed, Quiet: true, Wallets: 200}, accounts, outputs); err != nil {
		return nil, fmt.Errorf("replaying the laundering: %w", err)
	}
	return ordered(t.uses), nil
}

// taker takes the venue's uses out of a replay's blocks.
type taker struct {
	doors  map[string]bool
	funder map[ledger.Address]string
	uses   []Use
}

func (t *taker) take(b *ledger.Block) error {
	for i := range b.Txs {
		tx := &b.Txs[i]
		for n := range tx.Transfers {
			m := &tx.Transfers[n]
			if m.Asset != b.Chain.Native() {
				continue
			}
			if _, ok := t.funder[m.To]; !ok && m.Kind == ledger.Ordinary {
				t.funder[m.To] = account(m.From)
			}
			if n == 0 && t.doors[account(m.To)] {
				t.use(b, tx)
			}
		}
	}
	return nil
}

// use notes a deposit.
func (t *taker) use(b *ledger.Block, tx *ledger.Tx) {
	first := &tx.Transfers[0]
	moment := b.Time
	cents := first.Amount
	price := ledger.NewAmount(etherCents[min(max(moment-firstDay, 0)/day, int64(len(etherCents)-1))])
	ether := ledger.NewAmount(1_000_000_000_000_000_000)
	cents.Mul(&cents, &price)
	cents.Div(&cents, &ether)
	t.uses = append(t.uses, Use{Stolen: true, Who: Thief, Event: breaker.Event{
		ID: "theft-" + tx.ID.String(), Moment: moment, Venue: Name, Route: laundered,
		Sender: aggregator, Origin: account(first.From), Receiver: payee(tx), Funder: t.funder[first.From],
		Cents: cents.Uint64(), Asset: first.Asset, Amount: exposure.Decimal{Amount: first.Amount},
		Taint: []breaker.Taint{{Incident: Incident, Share: 10_000, Hops: launderingHops}},
	}})
}

// payee is the wallet that a deposit's memo names, or one of its own where no memo shows.
func payee(tx *ledger.Tx) string {
	for i := range tx.Messages {
		data := tx.Messages[i].Data
		at := bytes.Index(data, []byte("bcrt1"))
		if at < 0 {
			continue
		}
		end := at
		for end < len(data) && (data[end] >= 'a' && data[end] <= 'z' || data[end] >= '0' && data[end] <= '9') {
			end++
		}
		return string(data[at:end])
	}
	return "wallet-" + tx.ID.String()[:16]
}

func account(a ledger.Address) string { return fmt.Sprintf("0x%x", a.Bytes()) }
