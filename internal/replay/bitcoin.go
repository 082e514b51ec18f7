package replay

import (
	"math/big"
)

// wallet is a fresh bitcoin wallet of the group.
func (l *launderer) wallet() string {
	l.wallets++
	return l.outputs.Wallet("wallet", l.wallets)
}

// arrives decides what becomes of a coin from THORChain: it stays, is split over
// many wallets, peeled, mixed, or goes back to ether, each in its published share.
func (l *launderer) arrives(coin Coin) {
	if l.received == nil {
		l.received = new(big.Int)
	}
	l.received.Add(l.received, big.NewInt(coin.Value))
	l.add("satoshi from THORChain", big.NewInt(coin.Value))
	l.serial++
	wait := 3600 + l.random.Int64N(5*86_400)
	switch {
	case l.due("mixed", mixedBitcoin, coin.Value):
		if l.chance(500) {
			l.after(wait, func() { l.join(coin) })
			return
		}
		l.after(wait, func() { l.pay(coin, l.outputs.Wallet("mixer", l.serial%services), "mixer") })
	case l.due("back", backBitcoin, coin.Value):
		to := l.accounts.Account("back", l.serial)
		l.after(wait, func() { l.thor.toEther(coin, to, nil) })
	case l.chance(10):
		l.after(wait, func() { l.peel(coin, 5+l.random.IntN(56)) })
	default:
		l.after(wait, func() { l.spread(coin, l.target()) })
	}
}

// due says whether a share of all bitcoin lags behind, and counts the coin if so.
func (l *launderer) due(name string, of, value int64) bool {
	want := new(big.Int).Mul(l.received, big.NewInt(of))
	want.Div(want, big.NewInt(allBitcoin))
	if l.spent[name] == nil {
		l.spent[name] = new(big.Int)
	}
	if want.Cmp(l.spent[name]) <= 0 {
		return false
	}
	l.spent[name].Add(l.spent[name], big.NewInt(value))
	l.add("satoshi "+name, big.NewInt(value))
	return true
}

// target is over how many wallets a coin is to be split, so that the whole comes to
// the number asked for.
func (l *launderer) target() int {
	expected := max(2_700/int(l.Thin), 1)
	average := max(l.Wallets/expected, 1)
	return 1 + l.random.IntN(2*average)
}

// spread splits a coin over wallets, twelve at most in one transaction, until there
// are as many as wanted.
func (l *launderer) spread(coin Coin, want int) {
	const dust = 10_000
	n := min(want, 12, int(coin.Value/dust))
	if n < 2 {
		l.add("wallets", big.NewInt(1))
		return
	}
	if !l.Quiet && l.chance(20) { // a speck that somebody sends to see it move
		if _, err := l.outputs.Mint(coin.Owner, 546); err != nil {
			l.fail(err)
		}
	}
	left := coin.Value - networkFee
	pays, weights, sum := make([]Pay, n), make([]int64, n), int64(0)
	for i := range weights {
		weights[i] = 1 + l.random.Int64N(5)
		sum += weights[i]
	}
	for i := range pays {
		pays[i] = Pay{l.wallet(), (coin.Value - networkFee) / sum * weights[i]}
		if i == n-1 {
			pays[i].Value = left
		}
		left -= pays[i].Value
	}
	txid, made, err := l.outputs.Spend([]Coin{coin}, pays, "")
	if err != nil {
		l.fail(err)
		return
	}
	l.Truth.Spend(txid, []Coin{coin}, made, nil)
	for i, c := range made {
		share := want / n
		if i < want%n {
			share++
		}
		l.after(3600+l.random.Int64N(86_400), func() { l.spread(c, share) })
	}
}

// pay sends a whole coin to an address where value ends.
func (l *launderer) pay(coin Coin, to, kind string) {
	txid, made, err := l.outputs.Spend([]Coin{coin}, []Pay{{to, coin.Value - networkFee}}, "")
	if err != nil {
		l.fail(err)
		return
	}
	l.Truth.Spend(txid, []Coin{coin}, made, map[int]Fate{0: {Kind: kind}})
}

// peel pays a little to an exchange, again and again.
func (l *launderer) peel(coin Coin, steps int) {
	little := coin.Value * (1 + l.random.Int64N(4)) / 100
	if steps == 0 || little < 10_000 {
		l.add("wallets", big.NewInt(1))
		return
	}
	l.serial++
	pays := []Pay{{l.outputs.Wallet("exchange", l.serial%services), little}, {l.wallet(), coin.Value - little - networkFee}}
	fates := map[int]Fate{0: {Kind: "service"}}
	if l.chance(500) {
		pays[0], pays[1] = pays[1], pays[0]
		fates = map[int]Fate{1: {Kind: "service"}}
	}
	txid, made, err := l.outputs.Spend([]Coin{coin}, pays, "")
	if err != nil {
		l.fail(err)
		return
	}
	l.Truth.Spend(txid, []Coin{coin}, made, fates)
	rest := made[1]
	if _, swapped := fates[1]; swapped {
		rest = made[0]
	}
	l.after(1800+l.random.Int64N(7200), func() { l.peel(rest, steps-1) })
}

// opaque sends ether to a swap service, which pays bitcoin of its own a while later,
// less half to three per cent. Nothing on chain joins the two; the replay alone knows
// the pair.
func (w *World) opaque(from, to string, amount *big.Int, wallet string) {
	native := w.accounts.Token("")
	w.exchanged++
	into := w.accounts.Account("exch deposit", w.exchanged%services)
	sent, err := w.accounts.Send(from, into, "", amount)
	if err != nil {
		w.fail(err)
		return
	}
	w.Truth.Move(from, into, native, amount, to)
	w.Truth.Fee(from, native, &sent)
	satoshi := part(big.NewInt(w.toSatoshi(amount)), 1_000_000-5_000-w.random.Int64N(25_000)).Int64()
	if satoshi < 10_000 {
		return
	}
	w.after(300+w.random.Int64N(5100), func() {
		coin, err := w.outputs.Mint(w.outputs.Wallet(exchWallet, 0), satoshi+networkFee)
		if err != nil {
			w.fail(err)
			return
		}
		_, made, err := w.outputs.Spend([]Coin{coin}, []Pay{{wallet, satoshi}}, "")
		if err != nil {
			w.fail(err)
			return
		}
		w.Pairs = append(w.Pairs, Pair{sent.ID, outpoint(&made[0]), to != ""})
		w.add("satoshi from eXch", big.NewInt(satoshi))
	})
}

// exchWallet is the role of the wallet that the swap service pays from.
const exchWallet = "exch hot wallet"
