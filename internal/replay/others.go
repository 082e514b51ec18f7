package replay

import "math/big"

// harmony plays Harmony's Horizon bridge (June 2022): 85,837 ether in three wallets,
// from the 27th on into the mixer, a hundred ether about every six minutes.
func (w *World) harmony() {
	const theft, week = 1_656_028_800, 4 * 86_400
	w.start("harmony-2022", theft, 85_837)
	loot := w.accounts.Account("loot", 0)
	w.Labels = append(w.Labels, Label{string(w.accounts.Chain()), w.accounts.Account("mixer", 0), "mixer", "Tornado Cash"})
	for i := range 3 {
		wallet := w.accounts.Account("wallet", i)
		w.at(theft+week, func() { w.send(loot, wallet, "", w.ether(18_000_000), "") })
		for n := range 179 / int(w.Thin) {
			w.at(theft+week+int64(i)*2*86_400+int64(n+1)*360, func() {
				w.send(wallet, w.accounts.Account("mixer", 0), "", w.ether(100_000*int64(w.Thin)), "mixer")
			})
		}
	}
}

// ronin plays Ronin's bridge (March 2022): 173,600 ether, 6,250 to exchanges in the
// first week, 170,400 into the mixer until the middle of May.
func (w *World) ronin() {
	const theft = 1_648_036_800
	w.start("ronin-2022", theft, 173_600)
	loot := w.accounts.Account("loot", 0)
	for i := range 5 {
		exchange := w.accounts.Account("exchange", i)
		w.Labels = append(w.Labels, Label{string(w.accounts.Chain()), exchange, "service", "an exchange"})
		w.at(theft+5*86_400+int64(i)*3600, func() { w.send(loot, exchange, "", w.ether(1_250_000), "service") })
	}
	w.Labels = append(w.Labels, Label{string(w.accounts.Chain()), w.accounts.Account("mixer", 0), "mixer", "Tornado Cash"})
	n := 1_670 / int(w.Thin)
	for i := range n {
		w.at(theft+12*86_400+int64(i)*45*86_400/int64(n), func() {
			w.send(loot, w.accounts.Account("mixer", 0), "", w.ether(100_000*int64(w.Thin)), "mixer")
		})
	}
}

// coinex plays CoinEx (September 2023): the loss was first put at 27.8, then at 53 to
// 70 million dollars; 4,946 ether left in the part that is played, to two hops.
func (w *World) coinex() {
	const theft = 1_694_520_000
	w.start("coinex-2023", theft, 4_946)
	loot := w.accounts.Account("loot", 0)
	for i := range 10 {
		hop := w.accounts.Account("hop", i)
		w.at(theft+3600+int64(i)*600, func() { w.send(loot, hop, "", w.ether(480_000), "") })
		w.at(theft+86_400+int64(i)*600, func() {
			w.send(hop, w.accounts.Account("end", i/2), "", less(w.Truth.Balance(hop, w.accounts.Token("")), w.fee(gasSend)), "")
		})
	}
}

// dmm plays DMM Bitcoin (May 2024): 4,502.9 bitcoin in ten pieces of about 500, part
// of them through a mixer, part over THORChain to ether.
func (w *World) dmm() {
	const theft = 1_717_131_600
	w.now = theft - 86_400
	value := w.scaled(big.NewInt(4_502_9000_0000)).Int64()
	w.labels()
	w.at(w.now, func() { w.thor = newThorchain(w, w.scaled(big.NewInt(1_000_00000000)).Int64()) })
	if !w.Quiet {
		w.noise(w.now+60, 10)
	}
	l := &launderer{World: w, spent: map[string]*big.Int{}, receivers: map[string]int{}}
	w.at(theft, func() {
		coin, err := w.outputs.Mint(w.outputs.Wallet("dmm", 0), value+networkFee)
		if err != nil {
			w.fail(err)
			return
		}
		txid, made, err := w.outputs.Spend([]Coin{coin}, []Pay{{w.outputs.Wallet("loot", 0), value}}, "")
		if err != nil {
			w.fail(err)
			return
		}
		w.Truth.StealOutput(&made[0], "dmm-2024/btc")
		w.Thefts = append(w.Thefts, Theft{Colour: "btc", Chain: string(w.outputs.Chain()), Outpoint: txid + ":0", Amount: big.NewInt(value)})
		w.add("stolen btc", big.NewInt(value))
		w.after(7200, func() { l.pieces(made[0]) })
	})
}

// pieces splits the loot into ten; half is mixed, the rest goes to ether or stays.
func (l *launderer) pieces(loot Coin) {
	const n = 10
	pays := make([]Pay, n)
	for i := range pays {
		pays[i] = Pay{l.wallet(), (loot.Value - networkFee) / n}
	}
	txid, made, err := l.outputs.Spend([]Coin{loot}, pays, "")
	if err != nil {
		l.fail(err)
		return
	}
	l.Truth.Spend(txid, []Coin{loot}, made, nil)
	for i, c := range made {
		l.after(86_400*int64(i+1)/2, func() {
			switch {
			case i < 5:
				l.pay(c, l.outputs.Wallet("mixer", 0), "mixer")
			case i < 8:
				l.thor.toEther(c, l.accounts.Account("back", i), nil)
			default:
				l.peel(c, 8)
			}
		})
	}
}

// start plays a theft of ether into one account.
func (w *World) start(name string, theft, ether int64) {
	w.now = theft - 86_400
	amount := w.ether(ether * 1000)
	w.at(theft, func() {
		from, to := w.accounts.Account("victim of "+name, 0), w.accounts.Account("loot", 0)
		w.Victims = append(w.Victims, from)
		w.grant(from, "", new(big.Int).Add(amount, w.fee(gasSend)))
		sent, err := w.accounts.Send(from, to, "", amount)
		if err != nil {
			w.fail(err)
			return
		}
		w.Truth.Steal(from, to, w.accounts.Token(""), name+"/eth", amount)
		w.Truth.Fee(from, w.accounts.Token(""), &sent)
		w.Thefts = append(w.Thefts, Theft{Colour: "eth", Chain: string(w.accounts.Chain()), Asset: w.accounts.Token(""), Tx: sent.ID, To: to, Amount: amount})
		w.add("stolen eth", amount)
	})
}
