package replay

import (
	"fmt"

	"coldtrail/ledger"
)

// The size of the scenario of owners.
const (
	ownedFrom    = 1_704_067_200 // 2024-01-01
	ownedDays    = 90
	purses       = 500
	purseMixers  = 120 // of these, mix
	payments     = 6_000
	clients      = 300 // people with accounts
	utxoServices = 5
)

const day = 86_400

// owned plays the scenario of owners.
type owned struct {
	*World
	coins    kindsOfWallet
	ledger   rolesOfAccount
	purses   []*purse
	services []*collector
	serial   map[string]int // addresses of each owner

	clients   []*client
	exchanges []*exchange
	phishers  []string
	contracts int
	people    int // strangers so far
}

// ownership plays a world of owners on both chains, for measuring who is taken for whom:
// people with many addresses, services that collect, coinjoins, and launderers among
// them. Shares of habits are chosen so that each occurs often, not as they are anywhere.
func (w *World) ownership() {
	k, _ := w.outputs.(knownOutputs)
	coins, ok := k.UTXOChain.(kindsOfWallet)
	a, _ := w.accounts.(knownAccounts)
	roles, ok2 := a.AccountChain.(rolesOfAccount)
	if !ok || !ok2 {
		w.fail(fmt.Errorf("scenario owners needs a ledger of its own, not a node"))
		return
	}
	w.now = ownedFrom
	o := &owned{World: w, coins: coins, ledger: roles, serial: map[string]int{}}
	o.playOutputs()
	o.playAccounts()
}

// sometime is a moment in the days from one to another.
func (o *owned) sometime(from, to int64) int64 {
	return ownedFrom + from*day + o.random.Int64N((to-from)*day)
}

// times lets something happen so often, each time at a random moment from a day on.
func (o *owned) times(n int, from int64, what func()) {
	for range max(n/int(o.Thin), 1) {
		o.at(o.sometime(from, ownedDays), what)
	}
}

// fresh is a new bitcoin address of an owner.
func (o *owned) fresh(owner string, kind ledger.AddressKind) string {
	o.serial[owner]++
	address := o.coins.WalletOf(kind, "bitcoin of "+owner, o.serial[owner])
	o.own(address, owner)
	return address
}

// spend spends coins; what an output pays may be told by the index.
func (o *owned) spend(coins []Coin, pays []Pay) (txid string, made []Coin) {
	txid, made, err := o.outputs.Spend(coins, pays, "")
	if err != nil {
		o.fail(err)
		return "", make([]Coin, len(pays))
	}
	return txid, made
}

func sum(coins []Coin) (n int64) {
	for i := range coins {
		n += coins[i].Value
	}
	return n
}

// label says who a service is, where it says so itself.
func (o *owned) label(chain ledger.Chain, address, kind, entity string) {
	o.Labels = append(o.Labels, Label{string(chain), address, kind, entity})
}
