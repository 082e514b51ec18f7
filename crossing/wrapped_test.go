package crossing_test

import (
	"strings"
	"testing"

	"coldtrail/chain/bitcoin"
	"coldtrail/crossing"
	"coldtrail/ledger"
)

// TestWrappedBitcoin reads burns of wrapped bitcoin: where they are to be paid. How they
// are joined with bitcoin's own transactions is tested over ledgers of both chains.
func TestWrappedBitcoin(t *testing.T) {
	user, zero := eth(t, strings.Repeat("cb", 20)), eth(t, strings.Repeat("00", 20))
	to, err := bitcoin.Notation{Network: bitcoin.Mainnet}.ParseAddress(thief)
	if err != nil {
		t.Fatal(err)
	}
	read := func(asset ledger.Asset, amount uint64, m ledger.Message) crossing.Found {
		return decoders().Read(&crossing.View{Chain: ledger.Ethereum, Tx: &ledger.Tx{Transfers: []ledger.Transfer{moved(user, zero, asset, ledger.NewAmount(amount))}, Messages: []ledger.Message{m}}})
	}
	const wbtc, tbtc = ledger.Asset("eip155:1/erc20:0x2260fac5e5542a773aa44fbcfedf7c193bc2c599"), ledger.Asset("eip155:1/erc20:0x18084fba666a33d37592fa2633fd49a74dd93a88")
	burned := func(address string) ledger.Message {
		return event(1, crossing.WBTC.Contracts[0].Address, "Burned(uint256,address,uint256,string,uint256,bytes32)", [][]byte{word(9), addressWord(user)},
			word(500), word(128), word(1), word(77), padded([]byte(address)))
	}
	w := read(wbtc, 500, burned(thief))
	if len(w.Deposits) != 1 || w.Deposits[0].Targets[0].Address != to || w.Deposits[0].Amount.Uint64() != 500 || w.Deposits[0].Into != zero || w.Deposits[0].Reason != "" {
		t.Errorf("WBTC: %+v", w)
	}
	if odd := read(wbtc, 500, burned("my wallet")); len(odd.Deposits) != 1 || odd.Deposits[0].Targets[0].Open == "" {
		t.Errorf("WBTC to a word: %+v", odd)
	}
	script := append([]byte{22, 0, 20}, to.Bytes()...)
	asked := func(script []byte, fee uint64) ledger.Message {
		return event(1, crossing.TBTC.Contracts[0].Address, "RedemptionRequested(bytes20,bytes,address,uint64,uint64,uint64)",
			[][]byte{append(make([]byte, 20), make([]byte, 12)...), addressWord(user)}, word(128), word(1000), word(fee), word(10), padded(script))
	}
	r := read(tbtc, 1000*10_000_000_000, asked(script, 5))
	if len(r.Deposits) != 1 || r.Deposits[0].Targets[0].Address != to || r.Deposits[0].Targets[0].Most.Uint64() != 995 || r.Deposits[0].Targets[0].Least.Uint64() != 985 || r.Deposits[0].From != user {
		t.Errorf("tBTC: %+v", r)
	}
	for name, m := range map[string]ledger.Message{"a script of another length": asked(script[:20], 5), "a fee above everything": asked(script, 1001)} {
		if found := read(tbtc, 1000*10_000_000_000, m); len(found.Deposits) != 0 || len(found.Faults) != 1 {
			t.Errorf("%s: %+v", name, found)
		}
	}
	const cbbtc = ledger.Asset("eip155:1/erc20:0xcbb7c0000ab88b473b1f5afd9ef808440eed33bf")
	ended := read(cbbtc, 7, event(1, crossing.CBBTC.Contracts[0].Address, "Burn(address,uint256)", [][]byte{addressWord(user)}, word(7)))
	if len(ended.Deposits) != 1 || ended.Deposits[0].Reason != crossing.CBBTC.Limit || ended.Deposits[0].Into != zero || ended.Deposits[0].Amount.Uint64() != 7 {
		t.Errorf("cbBTC: %+v", ended)
	}
	hostile := event(1, crossing.WBTC.Contracts[0].Address, "BurnConfirmed(uint256,address,uint256,string,string,uint256,bytes32)", [][]byte{word(9), addressWord(user)},
		word(500), word(160), word(224), word(1), word(77), padded([]byte(thief)), padded([]byte("see mail")))
	if found := read(wbtc, 500, hostile); len(found.Elsewhere) != 0 || len(found.Faults) != 1 {
		t.Errorf("a transaction that is no hash: %+v", found)
	}
}
