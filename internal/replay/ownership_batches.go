package replay

import (
	"fmt"
	"math/big"

	"coldtrail/ledger"
)

// batchesOfAccount is an account chain on which one transaction pays many.
type batchesOfAccount interface {
	Batch(sender, token string, list []Movement) (Sent, error)
	Spread(sender, contract string, amount *big.Int, to []string) (Sent, error)
}

// Movement is a token's way from one account to another.
type Movement struct {
	From, To string
	Amount   *big.Int // base units
}

// Batch moves a token between many in one transaction of a sender: a contract that the
// holders allow to does it.
func (a *Accounts) Batch(sender, token string, list []Movement) (Sent, error) {
	t, s := a.begin(sender, gasToken*int64(len(list)))
	for i := range list {
		if err := t.move(list[i].From, list[i].To, token, list[i].Amount, ledger.Ordinary); err != nil {
			return *s, err
		}
	}
	return a.end(t, sender, s)
}

// Spread pays everybody the same amount of the native asset through a contract.
func (a *Accounts) Spread(sender, contract string, amount *big.Int, to []string) (Sent, error) {
	t, s := a.begin(sender, gasSend*int64(1+len(to)))
	if err := t.move(sender, contract, "", new(big.Int).Mul(amount, big.NewInt(int64(len(to)))), ledger.Ordinary); err != nil {
		return *s, err
	}
	for _, receiver := range to {
		if err := t.move(contract, receiver, "", amount, ledger.Internal); err != nil {
			return *s, err
		}
	}
	return a.end(t, sender, s)
}

// The traffic of a hot wallet: four rounds a day for four weeks, in each of which it is
// paid by nine and pays nine. The definition asks for a thousand of either.
const (
	rounds             = 4 * 28
	perRound           = 9
	payersOfHotWallets = rounds * perRound
)

// hotWallet is a custodian's wallet: it is paid by customers and out of so many brokers'
// deposit wallets, and pays customers.
func hotWallet(deposits int) playingCourse {
	return func(c *course) {
		c.o.rich(c.actor, milliEther(50_000), dollars(1_000_000))
		var wallets []string
		for i := range deposits {
			broker := fmt.Sprintf("broker %d of %s", i, c.o.Owners[c.actor])
			wallet := c.o.account(broker)
			c.o.rich(wallet, milliEther(1), dollars(500))
			c.o.Deposits[wallet] = broker
			wallets = append(wallets, wallet)
		}
		for round := range rounds {
			var in, out []Movement
			for i := range perRound {
				payer, payee := c.payers[round*perRound+i], c.payers[(round*perRound+i+500)%len(c.payers)]
				in, out = append(in, Movement{payer, c.actor, dollars(300 + c.random.Int64N(200))}), append(out, Movement{c.actor, payee, dollars(20 + c.random.Int64N(20))})
			}
			if round < len(wallets) {
				in = append(in, Movement{wallets[round], c.actor, dollars(400)})
			}
			c.moves(int64(round)*day/4, in)
			c.moves(int64(round)*day/4+7_200, out)
		}
	}
}

// moves arranges what the actor lets move in one transaction.
func (c *course) moves(after int64, list []Movement) {
	c.at(after, func() {
		sent, err := c.batches.Batch(c.actor, "usdt", list)
		if err != nil {
			c.o.fail(err)
		}
		c.record(sent.ID)
	})
}

// dusted sends dust to 110 addresses of the chain of outputs in one transaction: twice
// by somebody who wants to see it move, once by a faucet; a pool pays its miners
// twenty times as much. Whoever gets it is a subject.
func (p *planting) dusted() {
	const receivers = 110
	for i, sender := range []string{"duster 0", "duster 1", "faucet of satoshi", "pool of satoshi"} {
		least := int64(550)
		if sender == "pool of satoshi" {
			least *= 20
		}
		var pays []Pay
		for range receivers {
			p.serial++
			pays = append(pays, Pay{p.o.fresh(fmt.Sprintf("helper %d", p.serial), ledger.P2WPKH), least + 4*int64(len(pays))})
		}
		p.random.Shuffle(len(pays), func(i, j int) { pays[i], pays[j] = pays[j], pays[i] })
		p.o.at(p.moment(10, 80), func() {
			total := int64(2_000)
			for _, pay := range pays {
				total += pay.Value
			}
			txid, _ := p.o.spend([]Coin{p.o.mint(p.o.fresh(sender, ledger.P2WPKH), total)}, pays)
			for _, pay := range pays {
				p.o.Conducts = append(p.o.Conducts, Conduct{"dusted", string(p.o.outputs.Chain()), pay.To, i >= 2, []string{txid}})
			}
		})
	}
}
