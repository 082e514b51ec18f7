package replay

import (
	"fmt"
	"math/big"
	"strings"

	"coldtrail/ledger"
)

// Ownership is the planted truth that heuristics of attribution are measured by.
type Ownership struct {
	// Owners is who controls every address of the replay, by its text. An address that
	// two people were drawn for belongs to the first.
	Owners map[string]string
	// Deposits are addresses at which a service collects for one customer, with the
	// service. They belong to it.
	Deposits map[string]string
	// Mixes are the coinjoins by transaction, with their protocol as rules name it.
	Mixes map[string]string
	// Shared are the transactions whose inputs are of several owners, by what they are: a
	// protocol of Mixes, "PayJoin" or "trade".
	Shared map[string]string
	// Conducts are the patterns that were planted.
	Conducts []Conduct
}

// Conduct is a pattern of behaviour that was planted, by people who launder or, to look
// like it, by others.
type Conduct struct {
	Pattern  string // as package behaviour names it
	Chain    string
	Subject  string // the address whose conduct it is
	Innocent bool
	Txs      []string // in order of time, as the chain's users write them
}

// own notes who controls an address.
func (w *World) own(address, owner string) {
	if _, known := w.Owners[address]; !known {
		w.Owners[address] = owner
	}
}

// knownAccounts is an account chain that notes whose the addresses are that it names.
type knownAccounts struct {
	AccountChain
	world *World
}

// Account names an address and notes its owner.
func (k knownAccounts) Account(role string, index int) string {
	address := k.AccountChain.Account(role, index)
	k.world.own(address, ownerOf(role, index))
	return address
}

// Swap notes whose the contracts of a swap are.
func (k knownAccounts) Swap(trader string, give, get Leg) (Sent, error) {
	k.Account("exchange router", 0)
	k.Account("pool "+give.Token+" "+get.Token, 0)
	return k.AccountChain.Swap(trader, give, get)
}

// Router notes whose the router is.
func (k knownAccounts) Router() string {
	router := k.AccountChain.Router()
	k.world.own(router, "THORChain")
	return router
}

// Deposit notes whose the router is.
func (k knownAccounts) Deposit(from, vault string, value *big.Int, memo, via string) (Sent, error) {
	k.Router()
	return k.AccountChain.Deposit(from, vault, value, memo, via)
}

// PayOut notes whose the router is.
func (k knownAccounts) PayOut(vault, to string, value *big.Int, memo string) (Sent, error) {
	k.Router()
	return k.AccountChain.PayOut(vault, to, value, memo)
}

// knownOutputs is a chain of outputs that notes whose the wallets are that it names.
type knownOutputs struct {
	UTXOChain
	world *World
}

// Wallet names an address and notes its owner.
func (k knownOutputs) Wallet(role string, index int) string {
	address := k.UTXOChain.Wallet(role, index)
	if role != "joiner" { // whoever takes part in the coinjoin
		k.world.own(address, ownerOf(role, index))
	}
	return address
}

// group owns what the thieves of every case hold.
const group = "thief"

// ownerOf is who plays a role. Where nothing is said of one, each role is one owner.
func ownerOf(role string, index int) string {
	switch role {
	case "receiver", "second", "swapper", "cmeth holder", "tranche", "receiver of", "wallet", "dark wallet", "loot", "hop", "end", "back":
		return group
	case victim:
		return "Bybit"
	case "exch deposit", exchWallet:
		return "eXch"
	case "okx dark", "okx aggregator":
		return "OKX"
	case "exchange", "exchange hot wallet":
		return "an exchange"
	case "vault", "thorchain router":
		return "THORChain"
	case "stranger", "customer":
		return fmt.Sprintf("%s %d", role, index)
	}
	return strings.TrimPrefix(role, "victim of ")
}

// kindsOfWallet is a chain of outputs that makes addresses of every kind, and trades by
// half-signed transactions.
type kindsOfWallet interface {
	WalletOf(kind ledger.AddressKind, role string, index int) string
	SpendOpen(coins []Coin, pays []Pay) (txid string, made []Coin, err error)
}

// rolesOfAccount is an account chain on which tokens are approved and contracts made.
type rolesOfAccount interface {
	Balance(account, token string) *big.Int
	Approve(owner, spender, token string, amount *big.Int) (Sent, error)
	Create(sender, creator, contract string) (Sent, error)
}
