package crossing

import (
	"coldtrail/chain/evm"
	"coldtrail/ledger"
)

// Celer is cBridge: pools that pay on one chain what was sent on another, and vaults
// whose tokens are minted elsewhere. Validators sign each payout, which names the id
// of its deposit. Source: celer-network/sgn-v2-contracts, Bridge.sol, Pool.sol,
// OriginalTokenVault.sol and PeggedTokenBridge.sol with their second versions.
var Celer = &Protocol{
	Name: "celer", Title: "Celer cBridge", Window: 30 * 24 * 3600,
	Contracts: []Contract{
		{ledger.Ethereum, account("5427fefa711eff984124bfbb1ab6fbf5e3da1820"), "liquidity bridge"},
		{"eip155:10", account("9d39fc627a6d9d9f8c831c16995b209548cc3401"), "liquidity bridge"},
		{"eip155:56", account("dd90e5e87a2081dcf0391920868ebc2ffb81a1af"), "liquidity bridge"},
		{"eip155:137", account("88dcdc47d2f83a99cf0000fdf667a468bb958a78"), "liquidity bridge"},
		{"eip155:250", account("374b8a9f3ec5eb2d97eca84ea27aca45aa1c57ef"), "liquidity bridge"},
		{"eip155:8453", account("7d43aabc515c356145049227cee54b608342c0ad"), "liquidity bridge"},
		{"eip155:42161", account("1619de6b6b20ed217a58d00f37b9d47c7663feca"), "liquidity bridge"},
		{"eip155:43114", account("ef3c714c9425a8f3697a9c969dc1af30ba82e5d4"), "liquidity bridge"},
		{ledger.Ethereum, account("7510792a3b1969f9307f3845ce88e39578f2bae1"), "original token vault v2"},
		{ledger.Ethereum, account("16365b45eb269b5b5dacb34b4a15399ec79b95eb"), "pegged token bridge"},
		{ledger.Ethereum, account("52e4f244f380f8fa51816c8a10a63105dd4de084"), "pegged token bridge v2"},
	},
	Events: map[ledger.Hash]func(*Event, *Found){
		topic("Send(bytes32,address,address,address,uint256,uint64,uint64,uint32)"): readCelerSend,
		topic("Relay(bytes32,address,address,address,uint256,uint64,bytes32)"):      readCelerRelay,
		topic("WithdrawDone(bytes32,uint64,address,address,uint256,bytes32)"):       readCelerWithdrawDone,
		topic("Deposited(bytes32,address,address,uint256,uint64,address)"):          readCelerDeposited,
		topic("Deposited(bytes32,address,address,uint256,uint64,address,uint64)"):   readCelerDepositedV2,
		topic("Mint(bytes32,address,address,uint256,uint64,bytes32,address)"):       readCelerMint,
		topic("Burn(bytes32,address,address,uint256,address)"):                      readCelerBurn,
		topic("Burn(bytes32,address,address,uint256,uint64,address,uint64)"):        readCelerBurnV2,
		topic("Withdrawn(bytes32,address,address,uint256,uint64,bytes32,address)"):  readCelerWithdrawn,
	},
}

// celerChains are where the original of a pegged token may lie; a burn that takes it
// out does not say which.
var celerChains = []uint64{1, 10, 56, 137, 250, 8453, 42161, 43114}

// hashes says whether a hash is that of packed fields; otherwise it notes a fault.
func (e *Event) hashes(found *Found, id ledger.Hash, forms ...[][]byte) bool {
	if e.Bad() {
		e.Fault(found, "an event that cBridge does not emit")
		return false
	}
	for _, form := range forms {
		if evm.Keccak(form...) == id {
			return true
		}
	}
	if len(forms) > 0 {
		e.Fault(found, "its fields do not hash to its id")
	}
	return len(forms) == 0
}

// celerDeposit is what the events of deposits say.
type celerDeposit struct {
	id     ledger.Hash
	to     ledger.Address
	amount ledger.Amount
	chains []uint64 // where it may come out
}

// enter adds a deposit whose token reached one of the accounts.
func (e *Event) enter(found *Found, c *celerDeposit, token, from ledger.Address, accounts ...ledger.Address) {
	d := Deposit{Protocol: e.Protocol, Key: c.id, Position: e.Position, Asset: e.Token(token), Amount: c.amount, From: from, Refund: from}
	var ok bool
	if d.Into, ok = e.arrived(found, d.Asset, &d.Amount, accounts...); !ok {
		return
	}
	for _, chain := range c.chains {
		d.Targets = append(d.Targets, Target{Protocol: e.Protocol, Chain: evmChain(chain), Address: c.to})
	}
	found.Deposits = append(found.Deposits, d)
}

// readCelerSend reads Send(transferId, sender, receiver, token, amount, dstChainId,
// nonce, maxSlippage).
func readCelerSend(e *Event, found *Found) {
	c := celerDeposit{id: e.Word(0), to: e.Address(2), amount: e.Amount(4), chains: []uint64{e.Small(5)}}
	from, token := e.Address(1), e.Address(3)
	nonce, _ := e.Small(6), e.Small(7)
	if e.hashes(found, c.id, [][]byte{from.Bytes(), c.to.Bytes(), token.Bytes(), amountBytes(&c.amount), wide(c.chains[0]), wide(nonce), wide(evmNumber(e.Chain))}) {
		e.enter(found, &c, token, from, e.Contract)
	}
}

// readCelerRelay reads Relay(transferId, sender, receiver, token, amount,
// srcChainId, srcTransferId).
func readCelerRelay(e *Event, found *Found) {
	from, token, source := e.Address(1), e.Address(3), e.Small(5)
	p := Payout{To: e.Address(2), Amount: e.Amount(4), Key: e.Word(6)}
	if e.hashes(found, e.Word(0), [][]byte{from.Bytes(), p.To.Bytes(), token.Bytes(), amountBytes(&p.Amount), wide(source), wide(evmNumber(e.Chain)), p.Key[:]}) {
		e.release(found, &p, token)
	}
}

// readCelerWithdrawDone reads WithdrawDone(withdrawId, seqnum, receiver, token,
// amount, refid): a refund where it names a transfer, else a provider's own money.
func readCelerWithdrawDone(e *Event, found *Found) {
	sequence, token := e.Small(1), e.Address(3)
	p := Payout{Kind: Refunded, To: e.Address(2), Amount: e.Amount(4), Key: e.Word(5)}
	if e.hashes(found, e.Word(0), [][]byte{wide(evmNumber(e.Chain)), wide(sequence), p.To.Bytes(), token.Bytes(), amountBytes(&p.Amount)}) && !p.Key.IsZero() {
		e.release(found, &p, token)
	}
}

// readCelerDeposited reads Deposited(depositId, depositor, token, amount,
// mintChainId, mintAccount), whose id cannot be recomputed as the nonce is missing.
func readCelerDeposited(e *Event, found *Found) {
	c := celerDeposit{id: e.Word(0), amount: e.Amount(3), chains: []uint64{e.Small(4)}, to: e.Address(5)}
	from, token := e.Address(1), e.Address(2)
	if e.hashes(found, c.id) {
		e.enter(found, &c, token, from, e.Contract)
	}
}

// readCelerDepositedV2 reads the same event of the second version, with the nonce.
func readCelerDepositedV2(e *Event, found *Found) {
	c := celerDeposit{id: e.Word(0), amount: e.Amount(3), chains: []uint64{e.Small(4)}, to: e.Address(5)}
	from, token := e.Address(1), e.Address(2)
	if e.hashes(found, c.id, e.secondForm(&c, from, token, e.Small(6))) {
		e.enter(found, &c, token, from, e.Contract)
	}
}

// secondForm is what the id of a deposit or burn hashes in the second version.
func (e *Event) secondForm(c *celerDeposit, from, token ledger.Address, nonce uint64) [][]byte {
	return [][]byte{from.Bytes(), token.Bytes(), amountBytes(&c.amount), wide(c.chains[0]), c.to.Bytes(), wide(nonce), wide(evmNumber(e.Chain)), e.Contract.Bytes()}
}

// readCelerBurn reads Burn(burnId, token, account, amount, withdrawAccount), which
// does not say on which chain the original lies.
func readCelerBurn(e *Event, found *Found) {
	c := celerDeposit{id: e.Word(0), amount: e.Amount(3), chains: celerChains, to: e.Address(4)}
	token, from := e.Address(1), e.Address(2)
	if e.hashes(found, c.id) {
		e.enter(found, &c, token, from, zeroAccount, e.Contract)
	}
}

// readCelerBurnV2 reads Burn(burnId, token, account, amount, toChainId, toAccount,
// nonce); chain 0 stands for wherever the original lies.
func readCelerBurnV2(e *Event, found *Found) {
	c := celerDeposit{id: e.Word(0), amount: e.Amount(3), chains: []uint64{e.Small(4)}, to: e.Address(5)}
	token, from := e.Address(1), e.Address(2)
	if !e.hashes(found, c.id, e.secondForm(&c, from, token, e.Small(6))) {
		return
	}
	if c.chains[0] == 0 {
		c.chains = celerChains
	}
	e.enter(found, &c, token, from, zeroAccount, e.Contract)
}

// readCelerMint reads Mint(mintId, token, account, amount, refChainId, refId,
// depositor).
func readCelerMint(e *Event, found *Found) { e.answer(found, e.Address(1), e.Address(2)) }

// readCelerWithdrawn reads Withdrawn(withdrawId, receiver, token, amount, refChainId,
// refId, burnAccount).
func readCelerWithdrawn(e *Event, found *Found) { e.answer(found, e.Address(2), e.Address(1)) }

// answer adds the payout of a vault or pegged bridge. One that names its own chain
// gives back; one that names chain 0 pays a fee of the bridge out.
func (e *Event) answer(found *Found, token, to ledger.Address) {
	source, other := e.Small(4), e.Address(6)
	p := Payout{To: to, Amount: e.Amount(3), Key: e.Word(5)}
	first := [][]byte{to.Bytes(), token.Bytes(), amountBytes(&p.Amount), other.Bytes(), wide(source), p.Key[:]}
	second := append(first[:len(first):len(first)], e.Contract.Bytes())
	if !e.hashes(found, e.Word(0), first, second) || source == 0 {
		return
	}
	if evmChain(source) == e.Chain {
		p.Kind = Refunded
	}
	e.release(found, &p, token)
}

// release adds a payout in a token, or in the native asset that it wraps.
func (e *Event) release(found *Found, p *Payout, token ledger.Address) {
	if p.Amount.IsZero() {
		e.Fault(found, "pays nothing")
		return
	}
	e.settle(found, p, e.Token(token), e.Chain.Native())
}
