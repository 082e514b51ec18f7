package crossing

import (
	"fmt"
	"strings"

	"coldtrail/ledger"
)

// LiFi stands in front of other bridges: it swaps, then hands value to one of them.
// Where that one is read here, its own event is the deposit and LI.FI only says who was
// in front; where it is not, LI.FI's event says where the value is to come out, and its
// receiver contract on the other side repeats the identifier. Source:
// lifinance/contracts, ILiFi.sol.
var LiFi = &Protocol{
	Name: "lifi", Title: "LI.FI", Window: 7 * 24 * 3600,
	Contracts: append(deployed("1231deb6f5749ef6ce6943a275a1d3e7486f4eae", "diamond", 1, 10, 56, 100, 137, 8453, 42161, 43114, 59144, 534352),
		deployed("9b11bc9fac17c058cab6286b0c785be6a65492ef", "immutable diamond", 1, 10, 56, 100, 137, 42161, 43114)...),
	Events: map[ledger.Hash]func(*Event, *Found){
		topic("LiFiTransferStarted((bytes32,string,string,address,address,address,uint256,uint256,bool,bool))"): readLiFiStarted,
		topic("LiFiTransferCompleted(bytes32,address,address,uint256,uint256)"):                                 readLiFiCompleted,
	},
}

var (
	topicNonEVM        = topic("BridgeToNonEVMChain(bytes32,uint256,bytes)")
	topicNonEVMBytes32 = topic("BridgeToNonEVMChainBytes32(bytes32,uint256,bytes32)")
	// nonEVM is the receiver that LI.FI writes where the real one is in another event.
	nonEVM = account("11f111f111f111f111f111f111f111f111f111f1")
)

// A Front is an aggregator that stands before the bridge of a transaction.
type Front struct {
	Name    string // as the deposit's Front is printed
	unknown Deposit
}

// readLiFiStarted reads LiFiTransferStarted((transactionId, bridge, integrator,
// referrer, sendingAssetId, receiver, minAmount, destinationChainId, …)).
func readLiFiStarted(e *Event, found *Found) {
	base := e.Tuple(0)
	id, bridge, integrator := e.Word(base), string(e.BytesFrom(base, 1)), string(e.BytesFrom(base, 2))
	token, receiver, amount, destination := e.Address(base+4), e.Address(base+5), e.Amount(base+6), e.Small(base+7)
	if e.Bad() || !isPrintable(bridge) || !isPrintable(integrator) {
		e.Fault(found, "a transfer that LI.FI does not emit")
		return
	}
	f := Front{Name: "LI.FI"}
	if integrator != "" {
		f.Name += " for " + clip(integrator)
	}
	d := Deposit{
		Protocol: e.Protocol, Key: id, Position: e.Position, Asset: e.Token(token), Amount: amount, From: e.Sender(), Front: f.Name,
		Reason: fmt.Sprintf("LI.FI handed it to %q, which is not read here", clip(bridge)),
	}
	d.Into = e.handedTo(&d)
	t := Target{Protocol: e.Protocol, Chain: evmChain(destination), Address: receiver}
	if receiver == nonEVM {
		t.Chain, t.Address, t.Text = "", ledger.Address{}, e.nonEVMReceiver(&id)
	}
	d.Targets = []Target{t}
	f.unknown = d
	found.Fronts = append(found.Fronts, f)
}

// handedTo is who took the value from LI.FI, if anybody.
func (e *Event) handedTo(d *Deposit) ledger.Address {
	for i := len(e.Tx.Transfers) - 1; i >= 0; i-- {
		if t := &e.Tx.Transfers[i]; t.From == e.Contract && t.To != e.Sender() && t.Asset == d.Asset && !t.Amount.Lt(&d.Amount) && !t.Amount.IsZero() {
			return t.To
		}
	}
	return ledger.Address{}
}

// nonEVMReceiver is the receiver on a chain of another kind, as text.
func (e *Event) nonEVMReceiver(id *ledger.Hash) (text string) {
	e.others(topicNonEVM, func(x *Event) {
		if to := string(x.Bytes(0)); x.Topic(1) == *id && isPrintable(to) && !x.Bad() {
			text = clip(to)
		}
	})
	e.others(topicNonEVMBytes32, func(x *Event) {
		if to := x.Word(0); x.Topic(1) == *id && !x.Bad() {
			text = foreignText(to[:])
		}
	})
	return text
}

// readLiFiCompleted reads LiFiTransferCompleted(transactionId!, receivingAssetId,
// receiver, amount, timestamp) of LI.FI's receiver contract.
func readLiFiCompleted(e *Event, found *Found) {
	p := Payout{Key: e.Topic(1), To: e.Address(1), Amount: e.Amount(2)}
	token := e.Address(0)
	if e.Bad() || p.Amount.IsZero() {
		e.Fault(found, "a payout that LI.FI does not emit")
		return
	}
	e.settle(found, &p, e.Token(token))
}

// face names who stood before the deposits of a transaction, or makes a deposit of what
// an aggregator handed to a bridge that is not read here.
func (f *Found) face() {
	for i := range f.Fronts {
		front := &f.Fronts[i]
		if len(f.Deposits) == 0 && !front.unknown.Into.IsZero() {
			f.Deposits = append(f.Deposits, front.unknown)
			continue
		}
		for j := range f.Deposits {
			d := &f.Deposits[j]
			if !strings.Contains(d.Front, front.Name) {
				d.Front = strings.TrimPrefix(d.Front+", "+front.Name, ", ")
			}
		}
	}
}
