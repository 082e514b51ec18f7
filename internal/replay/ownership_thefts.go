package replay

import (
	"math/big"

	"coldtrail/ledger"
)

// robbery is a theft on both chains, whose proceeds meet those of another.
type robbery struct {
	name   string
	thief  string            // his account
	pays   []Pay             // what he splits the stolen coin into
	coins  map[string][]Coin // of that, by address
	amount *big.Int          // of ether
}

// How much is stolen.
const (
	stolenEther = 1_000_000   // thousandths
	mostMet     = 1_0000_0000 // satoshi of one theft in one hand
)

func (p *planting) robbery(name string) *robbery {
	return &robbery{name: name, thief: p.o.account("thief of " + name), coins: map[string][]Coin{}, amount: milliEther(stolenEther)}
}

// rob arranges the theft, before anything is done with what is stolen. Played.Thefts names
// it, which is all that says where taint begins: this scenario keeps no Truth.
func (p *planting) rob(r *robbery) {
	victim := p.o.account("victim of " + r.name)
	p.o.rich(victim, new(big.Int).Add(r.amount, milliEther(100)), nil)
	p.o.at(p.moment(3, 4), func() {
		p.o.note(func(tx string) {
			p.o.Thefts = append(p.o.Thefts, Theft{Colour: r.name + "-eth", Chain: string(p.o.accounts.Chain()), Asset: p.o.accounts.Token(""), Tx: tx, To: r.thief, Amount: r.amount})
		}, victim, r.thief, "", r.amount)
	})
	p.o.at(p.moment(3, 4), func() {
		stolen := int64(networkFee)
		for _, pay := range r.pays {
			stolen += pay.Value
		}
		coin := p.o.mint(p.o.fresh("victim of "+r.name, ledger.P2WPKH), stolen+networkFee)
		txid, made := p.o.spend([]Coin{coin}, []Pay{{p.o.fresh("thief of "+r.name, ledger.P2WPKH), stolen}})
		p.o.Thefts = append(p.o.Thefts, Theft{Colour: r.name + "-btc", Chain: string(p.o.outputs.Chain()), Outpoint: txid + ":0", Amount: big.NewInt(stolen)})
		p.o.after(2*day, func() {
			_, parts := p.o.spend(made, r.pays)
			for _, coin := range parts {
				r.coins[coin.Owner] = append(r.coins[coin.Owner], coin)
			}
		})
	})
}

// meet brings ether of both thefts to an account, which sends most of it on.
func meet(c *course) {
	c.pays(0, c.thefts[0].thief, c.actor, "", c.some(2_000, 1_000))
	c.pays(c.random.Int64N(5*day), c.thefts[1].thief, c.actor, "", c.some(4_000, 1_000))
	c.paid(6*day, c.actor, c.somebody(), "", milliEther(5_500))
}

// sell lets thieves buy at a shop that others buy at, too.
func sell(thieves ...int) playingCourse {
	return func(c *course) {
		for i, thief := range thieves {
			c.paid(int64(i)*day, c.helper("", nil), c.actor, "", c.some(50, 100))
			c.pays(int64(i)*day+c.random.Int64N(day), c.thefts[thief].thief, c.actor, "", c.some(2_000, 1_000))
		}
	}
}

// bringTogether puts coins of thefts together that came to one address, and sends what
// there is on.
func bringTogether(thefts ...int) playingCourse {
	return func(c *course) {
		at := c.o.fresh(c.o.Owners[c.actor], ledger.P2WPKH)
		for _, theft := range thefts {
			r := c.thefts[theft]
			r.pays = append(r.pays, Pay{at, mostMet/2 + c.random.Int64N(mostMet/2)})
		}
		c.at(0, func() {
			var coins []Coin
			for i, theft := range thefts {
				if i == 0 || theft != thefts[0] {
					coins = append(coins, c.thefts[theft].coins[at]...)
				}
			}
			txid, made := c.o.spend(coins, []Pay{{c.actor, sum(coins) - networkFee}})
			c.record(txid)
			c.o.after(2*day, func() {
				c.o.spend(made, []Pay{{c.o.fresh(c.o.Owners[at], ledger.P2WPKH), made[0].Value - networkFee}})
			})
		})
	}
}
