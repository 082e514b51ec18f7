package crossing

import (
	"coldtrail/chain/evm"
	"coldtrail/ledger"
)

// Across is a bridge of spoke pools: a relayer pays a deposit out of its own pocket on
// the chain where it is wanted, and is repaid later. The key is the origin chain and
// the deposit's number. Source: across-protocol/contracts, SpokePool.sol and
// deployed-addresses.json.
var Across = &Protocol{
	Name: "across", Title: "Across", Window: 7 * 24 * 3600,
	Contracts: append([]Contract{
		{ledger.Ethereum, account("5c7bcd6e7de5423a257d81b442095a1a6ced35c5"), "spoke pool"},
		{"eip155:10", account("6f26bf09b1c792e3228e5467807a900a503c0281"), "spoke pool"},
		{"eip155:56", account("4e8e101924ede233c13e2d8622dc8aed2872d505"), "spoke pool"},
		{"eip155:137", account("9295ee1d8c5b022be115a2ad3c30c72e34e7f096"), "spoke pool"},
		{"eip155:324", account("e0b015e54d54fc84a6cb9b666099c46ade9335ff"), "spoke pool"},
		{"eip155:42161", account("e35e9842fceaca96570b734083f4a58e8f7c5f2a"), "spoke pool"},
		{"eip155:59144", account("7e63a5f1a8f0b4d0934b2f2327daed3f6bb2ee75"), "spoke pool"},
		{"eip155:81457", account("2d509190ed0172ba588407d4c2df918f955cc6e1"), "spoke pool"},
	}, append(deployed("09aea4b2242abc8bb4bb78d537a67a245a7bec64", "spoke pool", 130, 480, 8453),
		deployed("3bad7ad0728f9917d1bf08af5782dcbd516cdd96", "spoke pool", 1868, 34443, 534352)...)...),
	Events: map[ledger.Hash]func(*Event, *Found){
		topic("FundsDeposited(bytes32,bytes32,uint256,uint256,uint256,uint256,uint32,uint32,uint32,bytes32,bytes32,bytes32,bytes)"):                                         readAcrossDeposit,
		topic("V3FundsDeposited(address,address,uint256,uint256,uint256,uint32,uint32,uint32,uint32,address,address,address,bytes)"):                                        readAcrossDeposit,
		topic("FilledRelay(bytes32,bytes32,uint256,uint256,uint256,uint256,uint256,uint32,uint32,bytes32,bytes32,bytes32,bytes32,bytes32,(bytes32,bytes32,uint256,uint8))"): readAcrossFill,
		topic("FilledV3Relay(address,address,uint256,uint256,uint256,uint256,uint32,uint32,uint32,address,address,address,address,bytes,(address,bytes,uint256,uint8))"):    readAcrossFillV3,
	},
}

// acrossKey hashes the origin chain and the number of the deposit, 32 bytes each.
func acrossKey(origin uint64, number *ledger.Hash) ledger.Hash {
	chain := ledger.NewAmount(origin)
	return evm.Keccak(amountBytes(&chain), number[:])
}

// readAcrossDeposit reads FundsDeposited(inputToken, outputToken, inputAmount,
// outputAmount, destinationChainId!, depositId!, quoteTimestamp, fillDeadline,
// exclusivityDeadline, depositor!, recipient, exclusiveRelayer, message) and its older
// form, which has the same places.
func readAcrossDeposit(e *Event, found *Found) {
	input, output := e.Word(0), e.Word(1)
	given, wanted := e.Amount(2), e.Amount(3)
	destination, number, depositor, recipient := e.TopicSmall(1), e.Topic(2), e.TopicAddress(3), e.Word(7)
	_ = e.Bytes(9)
	token, ok := accountOf(input[:])
	if e.Bad() || !ok {
		e.Fault(found, "a deposit that no spoke pool emits")
		return
	}
	d := Deposit{
		Protocol: e.Protocol, Key: acrossKey(evmNumber(e.Chain), &number), Position: e.Position, Asset: e.Token(token), Amount: given, From: depositor, Refund: depositor,
	}
	if d.Into, ok = e.settledIn(found, &d); !ok {
		return
	}
	t := Target{Protocol: e.Protocol, Text: foreignText(recipient[:])}
	to, evmAccount := accountOf(recipient[:])
	_, evmToken := accountOf(output[:]) // what wraps ether is paid out unwrapped: the fill says which
	if !evmAccount || !evmToken {
		d.Reason = "pays out on a chain that is not EVM, which no ledger here holds"
	} else {
		// The depositor may change recipient and amount by a signature that only the
		// fill shows; the spoke pool checks it, so the fill's own words count.
		t.Chain, t.Address, t.Text = evmChain(destination), to, ""
		t.Open, t.Most = acrossOpen, wanted
	}
	d.Targets = []Target{t}
	found.Deposits = append(found.Deposits, d)
}

// acrossOpen is why the recipient of a fill may differ from the deposit's.
const acrossOpen = "the depositor may name another recipient by a signature that the spoke pool checks"

// settledIn is where a deposit came to rest: the pool, or, where it takes the native
// asset wrapped, what wraps it there.
func (e *Event) settledIn(found *Found, d *Deposit) (ledger.Address, bool) {
	if into, ok := e.Received(d.Asset, e.Contract); ok {
		return into, true
	}
	if into, ok := e.Received(e.Chain.Native(), e.Contract); ok { // sent as ether, named as its wrapper
		d.Asset = e.Chain.Native()
		return into, true
	}
	return e.arrived(found, d.Asset, &d.Amount, e.Contract)
}

// readAcrossFill reads FilledRelay(inputToken, outputToken, inputAmount,
// outputAmount, repaymentChainId, originChainId!, depositId!, fillDeadline,
// exclusivityDeadline, exclusiveRelayer, relayer!, depositor, recipient, messageHash,
// (updatedRecipient, updatedMessageHash, updatedOutputAmount, fillType)).
func readAcrossFill(e *Event, found *Found) {
	e.acrossFill(found, e.Word(11), e.Amount(13))
	_ = e.Word(14)
}

// readAcrossFillV3 reads FilledV3Relay(inputToken, outputToken, inputAmount,
// outputAmount, repaymentChainId, originChainId!, depositId!, fillDeadline,
// exclusivityDeadline, exclusiveRelayer, relayer!, depositor, recipient, message,
// (updatedRecipient, updatedMessage, updatedOutputAmount, fillType)).
func readAcrossFillV3(e *Event, found *Found) {
	base := e.Tuple(11)
	e.acrossFill(found, e.Word(base), e.Amount(base+2))
}

// acrossFill adds what a relayer paid: the token, or the native asset that it wraps.
// The relayer is a stranger, and not named.
func (e *Event) acrossFill(found *Found, recipient ledger.Hash, amount ledger.Amount) {
	output, origin, number := e.Word(1), e.TopicSmall(1), e.Topic(2)
	token, ok := accountOf(output[:])
	to, ok2 := accountOf(recipient[:])
	if e.Bad() || !ok || !ok2 || amount.IsZero() {
		e.Fault(found, "a fill that no spoke pool emits")
		return
	}
	p := Payout{Key: acrossKey(origin, &number), To: to, Amount: amount}
	e.settle(found, &p, e.Token(token), e.Chain.Native())
}
