package crossing

import (
	"encoding/binary"
	"slices"

	"coldtrail/chain/bitcoin"
	"coldtrail/chain/evm"
	"coldtrail/ledger"
)

// TBTC is bitcoin in wallets of a threshold of signers, as a token. What happens on
// Bitcoin carries no word of it; the events on Ethereum name its transactions: the
// funding of a deposit, and what pays a redemption. Source: keep-network/tbtc-v2,
// Bridge.sol, Deposit.sol, Redemption.sol and TBTCOptimisticMinting.sol.
var TBTC = &Protocol{
	Name: "tbtc", Title: "tBTC", Kind: Multiset, Window: 60 * 24 * 3600,
	Contracts: []Contract{
		{ledger.Ethereum, account("5e4861a80b55f035d899f66772117f00fa0e8e7b"), "bridge"},
		{ledger.Ethereum, account("9c070027cdc9dc8f82416b2e5314e11dfb4fe3cd"), "vault"},
	},
	Events: map[ledger.Hash]func(*Event, *Found){
		topic("DepositRevealed(bytes32,uint32,address,uint64,bytes8,bytes20,bytes20,bytes4,address)"): readDepositRevealed,
		topic("OptimisticMintingFinalized(address,uint256,address,uint256)"):                          readOptimisticMinting,
		topic("RedemptionRequested(bytes20,bytes,address,uint64,uint64,uint64)"):                      readRedemptionRequested,
		topic("RedemptionsCompleted(bytes20,bytes32)"):                                                readRedemptionsCompleted,
	},
}

const tbtcAsset ledger.Asset = "eip155:1/erc20:0x18084fba666a33d37592fa2633fd49a74dd93a88"

const (
	tbtcUnits     = 10_000_000_000 // of the token in a satoshi
	tbtcScriptMax = 35
)

// tokenUnits is satoshi in units of tBTC.
func tokenUnits(satoshi uint64) ledger.Amount {
	amount, unit := ledger.NewAmount(satoshi), ledger.NewAmount(tbtcUnits)
	amount.Mul(&amount, &unit) // 64 bits times 34 fit
	return amount
}

// printedHash turns a transaction's hash as Bitcoin hashes it into the one that its
// users write.
func printedHash(h ledger.Hash) ledger.Hash {
	slices.Reverse(h[:])
	return h
}

// readDepositRevealed reads DepositRevealed(fundingTxHash, fundingOutputIndex,
// depositor!, amount, blindingFactor, walletPubKeyHash!, refundPubKeyHash,
// refundLocktime, vault): an output on Bitcoin is a deposit of so many satoshi.
func readDepositRevealed(e *Event, found *Found) {
	hash, index, depositor, amount := e.Word(0), e.Small(1), e.TopicAddress(1), e.Small(2)
	_, _, _ = e.Topic(2), e.Word(5), e.Word(6)
	if e.Bad() || index > 1<<32-1 || amount == 0 {
		e.Fault(found, "a deposit that the bridge does not emit")
		return
	}
	chain, _ := e.ChainNamed("BTC")
	key := evm.Keccak(hash[:], binary.BigEndian.AppendUint32(nil, uint32(index)))
	found.Elsewhere = append(found.Elsewhere, Elsewhere{Chain: chain, Tx: printedHash(hash), Read: func(v *View, there *Found) {
		if index >= uint64(len(v.Tx.Outputs)) || v.Tx.Outputs[index].Value != amount {
			there.Faults = append(there.Faults, Fault{Protocol: e.Protocol, Position: uint32(index), Reason: "a deposit was revealed on Ethereum that this transaction does not make"})
			return
		}
		there.Deposits = append(there.Deposits, Deposit{
			Protocol: e.Protocol, Key: key, Position: uint32(index), Into: v.Tx.Outputs[index].Address, Output: uint32(index),
			Asset: v.Chain.Native(), Amount: ledger.NewAmount(amount),
			Targets: []Target{{Protocol: e.Protocol, Chain: e.Chain, Asset: tbtcAsset, Address: depositor, Most: tokenUnits(amount)}},
		})
	}})
}

// readOptimisticMinting reads OptimisticMintingFinalized(minter!, depositKey!,
// depositor!, optimisticMintingDebt).
func readOptimisticMinting(e *Event, found *Found) {
	p := Payout{Key: e.Topic(2), To: e.TopicAddress(3)}
	_, _ = e.Topic(1), e.Amount(0)
	if e.Bad() {
		e.Fault(found, "a mint that the vault does not emit")
		return
	}
	e.settle(found, &p, tbtcAsset)
}

// redemptionKey names a wallet's redemption to an address; one at a time can be open.
func redemptionKey(wallet ledger.Hash, to ledger.Address) ledger.Hash {
	return evm.Keccak(wallet[:20], []byte{byte(to.Kind)}, to.Bytes())
}

// readRedemptionRequested reads RedemptionRequested(walletPubKeyHash!,
// redeemerOutputScript, redeemer!, requestedAmount, treasuryFee, txMaxFee); amounts are
// satoshi, the script stands behind its length in one byte.
func readRedemptionRequested(e *Event, found *Found) {
	wallet, script, redeemer := e.Topic(1), e.Bytes(0), e.TopicAddress(2)
	requested, treasury, miner := e.Small(1), e.Small(2), e.Small(3)
	if e.Bad() || len(script) < 2 || len(script) > tbtcScriptMax || int(script[0]) != len(script)-1 || treasury > requested || miner > requested-treasury {
		e.Fault(found, "a redemption that the bridge does not emit")
		return
	}
	to, _ := bitcoin.Classify(script[1:])
	d := Deposit{
		Protocol: e.Protocol, Key: redemptionKey(wallet, to), Position: e.Position, Asset: tbtcAsset, Amount: tokenUnits(requested), From: redeemer, Refund: redeemer,
	}
	var ok bool
	if d.Into, ok = e.arrived(found, d.Asset, &d.Amount, zeroAccount); !ok {
		return
	}
	chain, _ := e.ChainNamed("BTC")
	d.Targets = []Target{{
		Protocol: e.Protocol, Chain: chain, Asset: chain.Native(), Address: to, Least: ledger.NewAmount(requested - treasury - miner), Most: ledger.NewAmount(requested - treasury),
	}}
	found.Deposits = append(found.Deposits, d)
}

// readRedemptionsCompleted reads RedemptionsCompleted(walletPubKeyHash!,
// redemptionTxHash): every output of that transaction may pay a redemption; the rest is
// the wallet's change.
func readRedemptionsCompleted(e *Event, found *Found) {
	wallet, hash := e.Topic(1), e.Word(0)
	if e.Bad() {
		e.Fault(found, "a completion that the bridge does not emit")
		return
	}
	chain, _ := e.ChainNamed("BTC")
	found.Elsewhere = append(found.Elsewhere, Elsewhere{Chain: chain, Tx: printedHash(hash), Read: func(v *View, there *Found) {
		for i := range v.Tx.Outputs {
			out := &v.Tx.Outputs[i]
			there.Payouts = append(there.Payouts, Payout{
				Protocol: e.Protocol, Key: redemptionKey(wallet, out.Address), Position: uint32(i), Asset: v.Chain.Native(), Amount: ledger.NewAmount(out.Value),
				To: out.Address, Transfer: i, Among: true,
			})
		}
	}})
}
