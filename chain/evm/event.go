package evm

import (
	"slices"

	"golang.org/x/crypto/sha3"

	"coldtrail/ledger"
)

// The events that move or bind units of a token. Names and parameters are those of
// EIP-20, WETH9, Lido's stETH, and the freezing of Tether, Circle, Paxos and
// TrueUSD.
var (
	topicTransfer   = topic("Transfer(address,address,uint256)")
	topicApproval   = topic("Approval(address,address,uint256)")
	topicDeposit    = topic("Deposit(address,uint256)")
	topicWithdrawal = topic("Withdrawal(address,uint256)")
	topicShares     = topic("TransferShares(address,address,uint256)")
	topicDestroyed  = topic("DestroyedBlackFunds(address,uint256)")
)

// freezes lists the events by which issuers bind a holder, and whether they lift.
// The holder is the first parameter, indexed or not. An event binds only units of
// the contract that emits it, so a forged one binds nothing but the forger's token.
var freezes = map[ledger.Hash]bool{
	topic("AddedBlackList(address)"):     false, // Tether USD on Ethereum
	topic("RemovedBlackList(address)"):   true,
	topic("BlockPlaced(address)"):        false, // Tether on other networks
	topic("BlockReleased(address)"):      true,
	topic("Blacklisted(address)"):        false, // Circle: USDC, EURC
	topic("UnBlacklisted(address)"):      true,
	topic("AddressFrozen(address)"):      false, // Paxos: USDP, BUSD
	topic("AddressUnfrozen(address)"):    true,
	topic("FreezeAddress(address)"):      false, // Paxos: PYUSD
	topic("UnfreezeAddress(address)"):    true,
	topic("Blacklisted(address,bool)"):   false, // TrueUSD: the second parameter decides
	topic("FrozenAddressWiped(address)"): false, // Paxos; a Transfer to the zero address goes with it
}

var topicBlacklistedIf = topic("Blacklisted(address,bool)")

// topic is the first topic of an event: the hash of its signature.
func topic(signature string) (h ledger.Hash) {
	return Keccak([]byte(signature))
}

// Keccak is Keccak-256, the hash of EVM chains (yellow paper, section 3).
func Keccak(parts ...[]byte) (h ledger.Hash) {
	state := sha3.NewLegacyKeccak256()
	for _, part := range parts {
		state.Write(part)
	}
	state.Sum(h[:0])
	return h
}

// asTransfer reads the movement of an EIP-20 token. Events of that name with the
// amount as a topic belong to tokens whose units are not alike (EIP-721).
func (l *Log) asTransfer() (t ledger.Transfer, ok bool) {
	if len(l.Topics) != 3 || len(l.Data) != 32 {
		return t, false
	}
	var toOK bool
	t.From, ok = addressOf(&l.Topics[1])
	t.To, toOK = addressOf(&l.Topics[2])
	t.Amount.SetBytes(l.Data)
	return t, ok && toOK
}

// TransferLog is the Transfer event of an EIP-20 token, for sources that state the
// movement instead of the event.
func TransferLog(contract, from, to ledger.Address, amount ledger.Amount) Log {
	l := Log{Contract: contract, Topics: []ledger.Hash{topicTransfer, {}, {}}}
	copy(l.Topics[1][12:], from.Bytes())
	copy(l.Topics[2][12:], to.Bytes())
	word := amount.Bytes32()
	l.Data = word[:]
	return l
}

// asWrapping reads a Deposit or Withdrawal of WETH9: who, and how much.
func (l *Log) asWrapping() (who ledger.Address, amount ledger.Amount, ok bool) {
	if len(l.Topics) != 2 || len(l.Data) != 32 {
		return who, amount, false
	}
	who, ok = addressOf(&l.Topics[1])
	amount.SetBytes(l.Data)
	return who, amount, ok
}

// parameter is one of the indexed parameters, or of the others behind them.
func (l *Log) parameter(i int) (word ledger.Hash, ok bool) {
	if i+1 < len(l.Topics) {
		return l.Topics[i+1], true
	}
	at := 32 * (i - max(len(l.Topics)-1, 0))
	if at < 0 || at+32 > len(l.Data) {
		return word, false
	}
	return ledger.Hash(l.Data[at : at+32]), true
}

// asFreeze reads an issuer's word about a holder.
func (l *Log) asFreeze() (holder ledger.Address, lifted, ok bool) {
	lifted, ok = freezes[l.Topics[0]]
	if !ok {
		return holder, false, false
	}
	word, ok := l.parameter(0)
	if !ok {
		return holder, false, false
	}
	if l.Topics[0] == topicBlacklistedIf {
		flag, there := l.parameter(1)
		if !there {
			return holder, false, false
		}
		lifted = flag.IsZero()
	}
	holder, ok = addressOf(&word)
	return holder, lifted, ok
}

// addressOf reads an address from a word; a word with anything in its upper
// twelve bytes is none.
func addressOf(word *ledger.Hash) (ledger.Address, bool) {
	for _, b := range word[:12] {
		if b != 0 {
			return ledger.Address{}, false
		}
	}
	return ledger.NewAddress(ledger.EVMAccount, word[12:]), true
}

// asDestroyed reads whose units an issuer destroyed, and how many.
func (l *Log) asDestroyed() (who ledger.Address, amount ledger.Amount, ok bool) {
	word, ok := l.parameter(0)
	if !ok {
		return who, amount, false
	}
	units, ok := l.parameter(1)
	if !ok {
		return who, amount, false
	}
	who, ok = addressOf(&word)
	amount.SetBytes(units[:])
	return who, amount, ok
}

// EventTopics lists the first topics of the events that move units of a token, and of
// those that bind them to their holder.
func EventTopics() (moved, bound []string) {
	for _, t := range []ledger.Hash{topicTransfer, topicShares, topicDeposit, topicWithdrawal} {
		moved = append(moved, "0x"+t.String())
	}
	for t := range freezes {
		bound = append(bound, "0x"+t.String())
	}
	bound = append(bound, "0x"+topicDestroyed.String())
	slices.Sort(bound)
	return moved, bound
}
