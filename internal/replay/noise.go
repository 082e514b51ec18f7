package replay

import (
	"math/big"
)

// noise is everybody else for some days: swaps through THORChain, about a hundred a
// day and over a thousand while the market is excited, payouts of exchanges.
func (w *World) noise(from int64, days int) {
	for day := range days {
		swaps := 100
		if at := from + int64(day)*86_400; at > rateDay-86_400 && at < rateDay+10*86_400 {
			swaps = 1_300
		}
		swaps = max(swaps/int(w.Thin), 4)
		for i := range swaps {
			serial := day*10_000 + i
			w.at(from+int64(day)*86_400+int64(i)*86_400/int64(swaps)+w.random.Int64N(60), func() { w.stranger(serial) })
		}
		for i := range max(24/int(w.Thin), 1) {
			w.at(from+int64(day)*86_400+int64(i)*3600, w.batch)
		}
		for i := range max(6/int(w.Thin), 1) {
			w.at(from+int64(day)*86_400+int64(i)*14_400+1800, func() { w.coinJoin(nil, nil) })
		}
	}
}

// stranger swaps ether for bitcoin, or bitcoin for ether.
func (w *World) stranger(serial int) {
	if w.chance(250) {
		coin, err := w.outputs.Mint(w.outputs.Wallet("stranger", serial), w.scaled(big.NewInt(1_0000_0000+w.random.Int64N(2_0000_0000))).Int64()+100_000)
		if err != nil {
			w.fail(err)
			return
		}
		w.thor.toEther(coin, w.accounts.Account("stranger", serial), nil)
		return
	}
	who := w.accounts.Account("stranger", serial)
	if w.chance(60) { // a customer of the opaque service
		amount := w.ether(500 + w.random.Int64N(20_000))
		w.grant(who, "", new(big.Int).Add(amount, w.fee(gasSend)))
		w.opaque(who, "", amount, w.outputs.Wallet("stranger", serial))
		return
	}
	w.grant(who, "", new(big.Int).Add(w.ether(500+w.random.Int64N(20_000)), w.fee(gasSwap)))
	w.thor.toBitcoin(who, w.outputs.Wallet("stranger", serial), "", nil, nil)
}

// batch is an exchange that pays a hundred customers.
func (w *World) batch() {
	const customers = 100
	value := int64(1_000_000)
	coin, err := w.outputs.Mint(w.outputs.Wallet("exchange hot wallet", 0), customers*value+networkFee)
	if err != nil {
		w.fail(err)
		return
	}
	pays := make([]Pay, customers)
	for i := range pays {
		pays[i] = Pay{w.outputs.Wallet("customer", w.random.IntN(100_000)), value}
	}
	if _, _, err := w.outputs.Spend([]Coin{coin}, pays, ""); err != nil {
		w.fail(err)
	}
}

// airdrop gives somebody a token that he did not ask for.
func (w *World) airdrop(to string) {
	from := w.accounts.Account("airdropper", 0)
	one := big.NewInt(1_000_000)
	w.grant(from, "", w.fee(2*gasToken))
	w.grant(from, "usdt", one)
	w.send(from, to, "usdt", one, "")
}

// poison sends nothing from an address that resembles a counterparty.
func (w *World) poison(to, like string) {
	from := like[:6] + w.accounts.Account("poisoner", w.random.IntN(1000))[6:38] + like[38:]
	w.own(from, "poisoner")
	w.grant(from, "", w.fee(2*gasToken))
	sent, err := w.accounts.Send(from, to, "usdt", new(big.Int))
	if err != nil {
		w.fail(err)
		return
	}
	w.Truth.Fee(from, w.accounts.Token(""), &sent)
}

// honestWeek is the noise alone.
func (w *World) honestWeek() {
	w.now = theftTime - 86_400*8
	w.at(w.now, func() { w.thor = newThorchain(w, w.scaled(big.NewInt(20_000_00000000)).Int64()) })
	w.noise(w.now+60, 7)
}
