package replay

import (
	"fmt"
	"math/big"
	"slices"
)

// thorchain is the vaults of the network and what they owe.
type thorchain struct {
	w      *World
	vaults []*vault
	churns int
	swaps  int
}

// vault is one vault on both chains.
type vault struct {
	account, wallet string
	coins           []Coin
}

const vaults = 3

// newThorchain gives vaults funds on both chains.
func newThorchain(w *World, satoshi int64) *thorchain {
	t := &thorchain{w: w}
	for i := range vaults {
		v := &vault{account: w.accounts.Account("vault", i), wallet: w.outputs.Wallet("vault", i)}
		const pieces = 50
		for range pieces {
			coin, err := w.outputs.Mint(v.wallet, satoshi/vaults/pieces)
			if err != nil {
				w.fail(err)
			}
			v.coins = append(v.coins, coin)
		}
		w.grant(v.account, "", w.ether(200_000_000))
		t.vaults = append(t.vaults, v)
	}
	return t
}

// rate is ether per bitcoin, in hundredths, at the market of the day.
func (w *World) rate() int64 {
	day := (w.now - rateDay) / 86400
	return rates[max(0, min(int(day), len(rates)-1))]
}

// toSatoshi is what ether buys at the market, less a fee of 0.1 to 0.5 per cent.
func (w *World) toSatoshi(wei *big.Int) int64 {
	z := new(big.Int).Mul(wei, big.NewInt(100))
	z.Div(z, new(big.Int).Mul(big.NewInt(w.rate()), big.NewInt(1e10)))
	return part(z, 995_000+w.random.Int64N(4000)).Int64()
}

func (w *World) toWei(satoshi int64) *big.Int {
	z := new(big.Int).Mul(big.NewInt(satoshi), big.NewInt(1e8))
	z.Mul(z, big.NewInt(w.rate()))
	return part(z, 995_000+w.random.Int64N(4000))
}

// any is a vault that is in use.
func (t *thorchain) any() *vault { return t.vaults[t.w.random.IntN(len(t.vaults))] }

// toBitcoin sends all that an account can spare into the router, for a wallet. What
// arrives is handed on, coin by coin; what is refunded, to the second function.
func (t *thorchain) toBitcoin(from, wallet, via string, arrives func(Coin), refunded func()) {
	w := t.w
	native := w.accounts.Token("")
	amount := less(w.Truth.Balance(from, native), w.fee(gasDeposit))
	satoshi := w.toSatoshi(amount)
	if amount.Sign() <= 0 || satoshi < 20_000 {
		return
	}
	shares := t.plan(amount, satoshi)
	memo := "=:BTC.BTC:" + wallet
	if w.chance(20) {
		memo = "=:b:" + wallet
	}
	if n := len(shares); n > 1 {
		memo += fmt.Sprintf(":0/1/%d", n)
	}
	v := t.any()
	sent, err := w.accounts.Deposit(from, v.account, amount, memo, via)
	if err != nil {
		w.fail(err)
		return
	}
	c := w.Truth.DepositAccount(from, native, amount, shares)
	w.Truth.Grant(v.account, native, amount)
	w.Truth.Fee(from, native, &sent)
	t.swaps++
	delay := 120 + w.random.Int64N(1200)
	for i, s := range shares {
		if s.Refund {
			w.after(delay+slot*2, func() {
				if t.payEther(v, &owed{from, "REFUND:" + upper(sent.Hash), c, i, s.Amount}) && refunded != nil {
					refunded()
				}
			})
			continue
		}
		w.after(delay+int64(i)*interval, func() { t.pay(&owed{wallet, "OUT:" + upper(sent.Hash), c, i, s.Amount}, arrives) })
	}
}

// plan says what becomes of a deposit: one to four payments, in three of a hundred
// cases a refund of all or of half.
func (t *thorchain) plan(amount *big.Int, satoshi int64) (shares []Share) {
	w := t.w
	if w.chance(30) {
		if w.chance(700) {
			return []Share{{Amount: part(amount, 999_500), Refund: true}}
		}
		half := part(amount, 500_000)
		return []Share{{Amount: big.NewInt(satoshi / 2)}, {Amount: half, Refund: true}}
	}
	n := int64(1)
	if w.chance(200) && satoshi > 200_000 {
		n = 2 + w.random.Int64N(3)
	}
	for i := range n {
		piece := satoshi / n
		if i == 0 {
			piece += satoshi % n
		}
		shares = append(shares, Share{Amount: big.NewInt(piece)})
	}
	return shares
}

// networkFee is what a vault pays for a transaction, in satoshi.
const networkFee = 2_000

// owed is one share of a crossing, or a vault's own payment.
type owed struct {
	to, memo string
	crossing *Crossing
	share    int
	amount   *big.Int
}

// pay pays one share in bitcoin.
func (t *thorchain) pay(o *owed, arrives func(Coin)) {
	w, satoshi := t.w, o.amount.Int64()
	v, coins, sum := t.fund(satoshi + networkFee)
	pays := []Pay{{o.to, satoshi}}
	if rest := sum - satoshi - networkFee; rest > 1_000 {
		pays = append(pays, Pay{v.wallet, rest})
	}
	_, made, err := w.outputs.Spend(coins, pays, o.memo)
	if err != nil {
		w.fail(err)
		return
	}
	if len(pays) > 1 {
		v.coins = append(v.coins, made[1])
	}
	w.Truth.PayOutput(o.crossing, o.share, &made[0])
	if arrives != nil {
		arrives(made[0])
	}
}

// fund takes coins of a vault that suffice.
func (t *thorchain) fund(satoshi int64) (v *vault, coins []Coin, sum int64) {
	order := slices.Clone(t.vaults)
	slices.SortFunc(order, func(a, b *vault) int { return len(b.coins) - len(a.coins) })
	for _, v := range order {
		coins, sum = nil, 0
		for i, c := range v.coins {
			coins = append(coins, c)
			if sum += c.Value; sum >= satoshi {
				v.coins = slices.Clone(v.coins[i+1:])
				return v, coins, sum
			}
		}
	}
	t.w.fail(fmt.Errorf("no vault has %d satoshi", satoshi))
	return t.vaults[0], nil, satoshi
}

// payEther pays from a vault through the router.
func (t *thorchain) payEther(v *vault, o *owed) bool {
	w := t.w
	native := w.accounts.Token("")
	sent, err := w.accounts.PayOut(v.account, o.to, o.amount, o.memo)
	if err != nil {
		w.fail(err)
		return false
	}
	w.Truth.Move(v.account, "paid out", native, o.amount, "") // the crossing's units stand for these
	w.Truth.PayAccount(o.crossing, o.share, o.to, native)
	w.Truth.Fee(v.account, native, &sent)
	return true
}

// toEther sends a coin into THORChain, for an account.
func (t *thorchain) toEther(coin Coin, to string, arrives func()) {
	w := t.w
	v := t.any()
	memo := "=:ETH.ETH:" + to
	long := w.chance(100)
	if long {
		memo += ":0/1/0:-_/t/lifi:10/20/30" // too long for one output: it goes on in others
	}
	value := coin.Value - networkFee
	if long {
		value -= 2 * memoDust
	}
	wei := w.toWei(value)
	txid, made, err := w.outputs.Spend([]Coin{coin}, []Pay{{v.wallet, value}}, memo)
	if err != nil {
		w.fail(err)
		return
	}
	fates := map[int]Fate{0: {Shares: []Share{{Amount: wei}}}}
	for i := 2; i < len(made); i++ {
		fates[i] = Fate{Kind: "burned"}
	}
	c := w.Truth.Spend(txid, []Coin{coin}, made, fates)
	v.coins = append(v.coins, made[0])
	t.swaps++
	w.after(900+w.random.Int64N(1800), func() {
		if t.payEther(t.any(), &owed{to, "OUT:" + upper(made[0].Tx), c, 0, wei}) && arrives != nil {
			arrives()
		}
	})
}

// churn moves everything to new vaults, as the network does every three days.
func (t *thorchain) churn() {
	w := t.w
	t.churns++
	memo := fmt.Sprintf("MIGRATE:%d", 20_000_000+t.churns*43_200)
	native := w.accounts.Token("")
	for i, old := range t.vaults {
		next := &vault{account: w.accounts.Account("vault", t.churns*vaults+i), wallet: w.outputs.Wallet("vault", t.churns*vaults+i)}
		for chunk := range slices.Chunk(old.coins, 50) {
			sum := int64(0)
			for _, c := range chunk {
				sum += c.Value
			}
			pays := []Pay{{next.wallet, sum/2 - networkFee}, {next.wallet, sum - sum/2 - networkFee}}
			_, made, err := w.outputs.Spend(slices.Clone(chunk), pays, memo)
			if err != nil {
				w.fail(err)
				return
			}
			next.coins = append(next.coins, made[0], made[1])
		}
		amount := less(w.Truth.Balance(old.account, native), w.ether(1_000_000))
		sent, err := w.accounts.PayOut(old.account, next.account, amount, memo)
		if err != nil {
			w.fail(err)
			return
		}
		w.Truth.Move(old.account, next.account, native, amount, "")
		w.Truth.Fee(old.account, native, &sent)
		t.vaults[i] = next
	}
}
