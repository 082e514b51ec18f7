package crossing

import (
	"slices"

	"coldtrail/chain/evm"
	"coldtrail/ledger"
)

// Hop moves tokens between rollups: what leaves a rollup has an identifier that
// bonders pay by. The payout's event does not say whom it pays; the deposit's does.
// Source: hop-protocol/contracts, Bridge.sol and L2_Bridge.sol; the forms and addresses
// as deployed, from @hop-protocol/core 0.0.1-beta.236.
var Hop = &Protocol{
	Name: "hop", Title: "Hop", Window: 30 * 24 * 3600, Contracts: hopContracts(),
	Events: map[ledger.Hash]func(*Event, *Found){
		topic("TransferSent(bytes32,uint256,address,uint256,bytes32,uint256,uint256,uint256,uint256)"): readHopSent,
		topic("WithdrawalBonded(bytes32,uint256)"):                                                     readHopBonded,
		topic("Withdrew(bytes32,address,uint256,bytes32)"):                                             readHopWithdrew,
	},
}

// HopFromL1 is Hop's way from Ethereum to a rollup, which has no identifier: what both
// sides repeat is the key, with the name of the token that the bridge is for.
var HopFromL1 = &Protocol{
	Name: "hop-from-l1", Title: "Hop from Ethereum", Kind: Multiset, Window: 7 * 24 * 3600, Contracts: hopContracts(),
	Events: map[ledger.Hash]func(*Event, *Found){
		topic("TransferSentToL2(uint256,address,uint256,uint256,uint256,address,uint256)"): readHopToL2,
		topic("TransferFromL1Completed(address,uint256,uint256,uint256,address,uint256)"):  readHopFromL1,
	},
}

// hopBridges are the bridges by chain and token; each token has its own.
var hopBridges = []struct {
	chain          uint64
	digits, symbol string
}{
	{1, "3d4cc8a61c7528fd86c55cfe061a78dcba48edd1", "DAI"},
	{10, "7191061d5d4c60f598214cc6913502184baddf18", "DAI"},
	{100, "0460352b91d7cf42b0e1c1c30f06b602d9ef2238", "DAI"},
	{137, "ecf268be00308980b5b3fcd0975d47c4c8e1382a", "DAI"},
	{42161, "7ac115536fe3a185100b2c4de4cb328bf3a58ba6", "DAI"},
	{1, "b8901acb165ed027e32754e0ffe830802919727f", "ETH"},
	{10, "83f6244bd87662118d96d9a6d44f09dfff14b30e", "ETH"},
	{100, "d8926c12c0b2e5cd40cfda49ecaff40252af491b", "ETH"},
	{1101, "0ce6c85cf43553de10fc56ceca0aef6ff0dd444d", "ETH"},
	{137, "b98454270065a31d71bf635f6f7ee6a518dfb849", "ETH"},
	{42161, "3749c4f034022c39ecaffaba182555d4508caccc", "ETH"},
	{42170, "8796860ca1677bf5d54ce5a348fe4b779a8212f3", "ETH"},
	{59144, "cbb852a6274e03fa00fb4895de0463f66df27a11", "ETH"},
	{8453, "3666f603cc164936c1b87e207f36beba4ac5f18a", "ETH"},
	{1, "914f986a44acb623a277d6bd17368171fcbe4273", "HOP"},
	{10, "03d7f750777ec48d39d080b020d83eb2cb4e3547", "HOP"},
	{100, "6f03052743cd99ce1b29265e377e320cd24eb632", "HOP"},
	{1101, "9ec9551d4a1a1593b0ee8124d98590cc71b3b09d", "HOP"},
	{137, "58c61aee5ed3d748a1467085ed2650b697a66234", "HOP"},
	{42161, "25fb92e505f752f730cad0bd4fa17ece4a384266", "HOP"},
	{42170, "02d47f76523d2f059b617e4346de67482792eb83", "HOP"},
	{59144, "0a6b1904369fe59e002ad0713ae89d4e3df5a7cf", "HOP"},
	{8453, "e22d2bedb3eca35e6397e0c6d62857094aa26f52", "HOP"},
	{1, "f074540eb83c86211f305e145eb31743e228e57d", "MAGIC"},
	{42161, "ea5abf2c909169823d939de377ef2bf897a6ce98", "MAGIC"},
	{42170, "e638433e2c1df5f7a3a21b0a6b5c4b37278e55dc", "MAGIC"},
	{1, "22b1cbb8d98a01a3b71d034bb899775a76eb1cc2", "MATIC"},
	{100, "7ac71c29fedf94bac5a5c9ab76e1dd12ea885ccc", "MATIC"},
	{137, "553bc791d746767166fa3888432038193ceed5e2", "MATIC"},
	{1, "893246facf345c99e4235e5a7bbee7404c988b96", "SNX"},
	{10, "16284c7323c35f4960540583998c98b1cfc581a7", "SNX"},
	{1, "3666f603cc164936c1b87e207f36beba4ac5f18a", "USDC"},
	{10, "a81d244a1814468c734e5b4101f7b9c0c577a8fc", "USDC"},
	{100, "25d8039bb044dc227f741a9e381ca4ceae2e6ae8", "USDC"},
	{137, "25d8039bb044dc227f741a9e381ca4ceae2e6ae8", "USDC"},
	{42161, "0e0e3d2c5c292161999474247956ef542cabf8dd", "USDC"},
	{8453, "46ae9bab8cea96610807a275ebd36f8e916b5c61", "USDC"},
	{1, "3e4a3a4796d16c0cd582c382691998f7c06420b6", "USDT"},
	{10, "46ae9bab8cea96610807a275ebd36f8e916b5c61", "USDT"},
	{100, "fd5a186a7e8453eb867a360526c5d987a00acac2", "USDT"},
	{137, "6c9a1acf73bd85463a46b0afc076fbdf602b690b", "USDT"},
	{42161, "72209fe68386b37a40d6bca04f78356fd342491f", "USDT"},
	{1, "87269b23e73305117d0404557badc459ced0dbec", "rETH"},
	{10, "a0075e8ce43dcb9970cb7709b9526c1232cc39c2", "rETH"},
	{42161, "c315239cfb05f1e130e7e28e603cea4c014c57f0", "rETH"},
	{1, "36443fc70e073fe9d50425f82a3ee19fef697d62", "sUSD"},
	{10, "33fe5bb8da466da55a8a32d6ade2bb104e2c5201", "sUSD"},
}

func hopContracts() (list []Contract) {
	for _, b := range hopBridges {
		list = append(list, Contract{evmChain(b.chain), account(b.digits), b.symbol})
	}
	return list
}

// role is what the tables call the contract that emitted the event.
func (e *Event) role() string {
	for _, list := range [][]Contract{e.Protocol.Contracts, e.decoders.config.Contracts[e.Protocol.Name]} {
		for _, c := range list {
			if c.Chain == e.Chain && c.Address == e.Contract {
				return c.Role
			}
		}
	}
	return ""
}

// readHopSent reads TransferSent(transferId!, chainId!, recipient!, amount,
// transferNonce, bonderFee, index, amountOutMin, deadline): the bridge's own token was
// burned. The identifier is the hash of what the event says, and is recomputed.
func readHopSent(e *Event, found *Found) {
	id, destination, to := e.Topic(1), e.TopicSmall(2), e.TopicAddress(3)
	amount, nonce, fee, least, deadline := e.Amount(0), e.Word(1), e.Amount(2), e.Amount(4), e.Word(5)
	_ = e.Word(3)
	chain, recipient := e.Topic(2), e.Topic(3)
	switch {
	case e.Bad() || fee.Gt(&amount):
		e.Fault(found, "a transfer that Hop does not emit")
		return
	case evm.Keccak(chain[:], recipient[:], amountBytes(&amount), nonce[:], amountBytes(&fee), amountBytes(&least), deadline[:]) != id:
		e.Fault(found, "its transfer does not hash to its id")
		return
	}
	d := Deposit{Protocol: e.Protocol, Key: id, Position: e.Position, Amount: amount, From: e.Sender(), Into: zeroAccount}
	if !e.reached(found, &d) {
		return
	}
	d.Targets = []Target{{Protocol: e.Protocol, Chain: evmChain(destination), Address: to}}
	found.Deposits = append(found.Deposits, d)
}

// reached finds the movement of exactly the deposit's amount to the account that it
// went into, which tells its asset.
func (e *Event) reached(found *Found, d *Deposit) bool {
	for i := len(e.Tx.Transfers) - 1; i >= 0; i-- {
		if t := &e.Tx.Transfers[i]; t.To == d.Into && t.From != t.To && t.Amount.Eq(&d.Amount) && !t.Amount.IsZero() {
			d.Asset = t.Asset
			return true
		}
	}
	if e.Tx.External && len(e.Tx.Transfers) > 0 { // what contracts passed on inside is not known
		if t := &e.Tx.Transfers[0]; t.Asset == e.Chain.Native() && t.Amount.Eq(&d.Amount) {
			d.Asset, d.Into = t.Asset, t.To
			return true
		}
	}
	e.Fault(found, "says it took in "+d.Amount.Dec()+", but nothing arrived")
	return false
}

// readHopBonded reads WithdrawalBonded(transferId!, amount): a bonder paid. Whom is
// decided by the deposit: everybody whom the transaction paid last is on offer.
func readHopBonded(e *Event, found *Found) {
	id := e.Topic(1)
	_ = e.Amount(0)
	if e.Bad() {
		e.Fault(found, "a withdrawal that Hop does not emit")
		return
	}
	type receipt struct {
		to    ledger.Address
		asset ledger.Asset
	}
	var seen []receipt
	for i := len(e.Tx.Transfers) - 1; i >= 0; i-- {
		t := &e.Tx.Transfers[i]
		at := receipt{t.To, t.Asset}
		if t.To == zeroAccount || t.To == e.Contract || t.From == t.To || t.Amount.IsZero() || slices.Contains(seen, at) {
			continue
		}
		seen = append(seen, at)
		found.Payouts = append(found.Payouts, Payout{
			Protocol: e.Protocol, Key: id, Position: e.Position, Asset: t.Asset, Amount: t.Amount, To: t.To, Transfer: i, Among: true,
		})
	}
	if len(seen) == 0 {
		e.Fault(found, "says that it paid, but nothing moved")
	}
}

// readHopWithdrew reads Withdrew(transferId!, recipient!, amount, transferNonce):
// somebody proved a transfer that no bonder paid.
func readHopWithdrew(e *Event, found *Found) {
	p := Payout{Key: e.Topic(1), To: e.TopicAddress(2)}
	_, _ = e.Amount(0), e.Word(1)
	if e.Bad() {
		e.Fault(found, "a withdrawal that Hop does not emit")
		return
	}
	e.settleLast(found, &p)
}

// hopKey joins both sides of a transfer from Ethereum.
func (e *Event) hopKey(chain uint64, to ledger.Address, words ...ledger.Hash) ledger.Hash {
	text := append(wide(chain), to.Bytes()...)
	for i := range words {
		text = append(text, words[i][:]...)
	}
	return evm.Keccak(text, []byte(e.role()))
}

// readHopToL2 reads TransferSentToL2(chainId!, recipient!, amount, amountOutMin,
// deadline, relayer!, relayerFee).
func readHopToL2(e *Event, found *Found) {
	destination, to, relayer := e.TopicSmall(1), e.TopicAddress(2), e.Topic(3)
	amount := e.Amount(0)
	key := e.hopKey(destination, to, e.Word(0), e.Word(1), e.Word(2), relayer, e.Word(3))
	if e.Bad() {
		e.Fault(found, "a transfer that Hop does not emit")
		return
	}
	d := Deposit{Protocol: e.Protocol, Key: key, Position: e.Position, Amount: amount, From: e.Sender(), Into: e.Contract}
	if !e.reached(found, &d) {
		return
	}
	d.Targets = []Target{{Protocol: e.Protocol, Chain: evmChain(destination), Address: to}}
	found.Deposits = append(found.Deposits, d)
}

// readHopFromL1 reads TransferFromL1Completed(recipient!, amount, amountOutMin,
// deadline, relayer!, relayerFee).
func readHopFromL1(e *Event, found *Found) {
	p := Payout{To: e.TopicAddress(1)}
	p.Key = e.hopKey(evmNumber(e.Chain), p.To, e.Word(0), e.Word(1), e.Word(2), e.Topic(2), e.Word(3))
	if e.Bad() {
		e.Fault(found, "a transfer that Hop does not emit")
		return
	}
	e.settleLast(found, &p)
}
