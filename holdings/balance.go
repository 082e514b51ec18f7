package holdings

import (
	"context"
	"slices"

	"coldtrail/ledger"
	"coldtrail/store"
)

// Balance is what an address held of an asset at each of some ends.
type Balance struct {
	Address ledger.Address
	Asset   ledger.Asset
	Amounts []ledger.Amount
	// AtLeast says, for each end, that more may have been there: the store begins after the
	// address's history may have begun.
	AtLeast []bool
	// Shares says that the amounts count shares of a token whose balances change without
	// transfers, not its units.
	Shares bool
}

// atOnce is how many addresses are asked for in one question.
const atOnce = 1024

// Question asks what addresses of a chain held at rising ends. Known are assets to ask for
// though nothing of them may have moved.
type Question struct {
	Chain     ledger.Chain
	Addresses []ledger.Address
	Ends      []End
	Known     []ledger.Asset
}

// Balances answers a question: on UTXO chains the unspent
// outputs, on account chains the balances of every asset that moved there and of those that
// are known besides. What was zero throughout is left out.
func Balances(ctx context.Context, s store.Questions, q Question) (list []Balance, err error) {
	read := outputs
	if q.Chain.Family() == ledger.Account {
		read = accounts
	}
	for part := range slices.Chunk(q.Addresses, atOnce) {
		questions := make([]store.Since, len(part))
		for i := range part {
			questions[i].Address = part[i]
		}
		histories, err := s.History(ctx, q.Chain, questions)
		if err != nil {
			return nil, err
		}
		for i := range part {
			of, err := read(ctx, s, q.Chain, reading{part[i], histories[i], q.Ends, q.Known})
			if err != nil {
				return nil, err
			}
			list = append(list, of...)
		}
	}
	return list, nil
}

// reading is one address while it is read.
type reading struct {
	address ledger.Address
	history []store.Touch
	ends    []End
	known   []ledger.Asset
}

// span is when an output was there: made by a transaction, gone with another.
type span struct{ made, gone store.TxNumber }

// outputs adds up unspent outputs.
func outputs(ctx context.Context, s store.Questions, chain ledger.Chain, r reading) ([]Balance, error) {
	spans := map[store.OutputNumber]*span{}
	var numbers []store.OutputNumber
	values := map[store.OutputNumber]uint64{}
	for _, t := range r.history {
		if !t.Spent {
			spans[t.Output] = &span{made: t.Tx, gone: store.NoTx}
			numbers, values[t.Output] = append(numbers, t.Output), t.Value
		} else if held := spans[t.Output]; held != nil {
			held.gone = t.Tx
		}
	}
	described, err := s.Outputs(ctx, chain, numbers)
	if err != nil {
		return nil, err
	}
	overwrite(described, spans)
	b := Balance{Address: r.address, Asset: chain.Native(), Amounts: make([]ledger.Amount, len(r.ends)), AtLeast: make([]bool, len(r.ends))}
	some := false
	for i := range r.ends {
		sum := uint64(0)
		for _, n := range numbers {
			if held := spans[n]; held.made < r.ends[i].Before && held.gone >= r.ends[i].Before {
				sum += values[n]
			}
		}
		b.Amounts[i].SetUint64(sum)
		some = some || sum > 0
	}
	if !some {
		return nil, nil
	}
	return []Balance{b}, nil
}

// overwrite ends the spans of outputs that nobody can spend. One that a later transaction
// of the same identifier overwrote (BIP-30) was there until then; any other never was.
func overwrite(described []store.Output, spans map[store.OutputNumber]*span) {
	next := map[ledger.Outpoint]*store.Output{} // the later one of the same name
	for i := len(described) - 1; i >= 0; i-- {
		o := &described[i]
		after := next[o.Outpoint]
		switch held := spans[o.Number]; {
		case !o.Unspendable:
		case after == nil, spans[after.Number].gone == spans[after.Number].made:
			held.gone = held.made
		case held.gone == store.NoTx:
			held.gone = after.Tx
		}
		next[o.Outpoint] = o
	}
}

// accounts asks for the balances of every asset that may be there.
func accounts(ctx context.Context, s store.Questions, chain ledger.Chain, r reading) ([]Balance, error) {
	assets, shares, err := moved(ctx, s, chain, r)
	if err != nil {
		return nil, err
	}
	var questions []store.HoldingAt
	for _, asset := range assets {
		for i := range r.ends {
			questions = append(questions, store.HoldingAt{Holding: store.Holding{Address: r.address, Asset: asset}, Before: r.ends[i].Before})
		}
	}
	answers, err := s.Balances(ctx, chain, questions)
	if err != nil {
		return nil, err
	}
	var list []Balance
	for i, asset := range assets {
		b := Balance{Address: r.address, Asset: asset, Shares: shares[asset]}
		some := false
		for j, answer := range answers[i*len(r.ends) : (i+1)*len(r.ends)] {
			if r.ends[j].Empty {
				answer = store.Balance{}
			}
			b.Amounts, b.AtLeast = append(b.Amounts, answer.Amount), append(b.AtLeast, !answer.Known)
			some = some || !answer.Amount.IsZero()
		}
		if some {
			list = append(list, b)
		}
	}
	return list, nil
}

// moved lists the assets that an address may hold, sorted, and which of them are counted
// in shares.
func moved(ctx context.Context, s store.Questions, chain ledger.Chain, r reading) (assets []ledger.Asset, shares map[ledger.Asset]bool, err error) {
	shares = map[ledger.Asset]bool{}
	seen := map[ledger.Asset]bool{chain.Native(): true}
	for _, asset := range r.known {
		seen[asset] = true
	}
	numbers := make([]store.TxNumber, len(r.history))
	for i := range r.history {
		numbers[i] = r.history[i].Tx
	}
	for part := range slices.Chunk(numbers, atOnce) {
		movements, err := s.Movements(ctx, chain, part)
		if err != nil {
			return nil, nil, err
		}
		for i := range movements {
			for _, t := range movements[i].Tx.Transfers {
				if t.From == r.address || t.To == r.address {
					seen[t.Asset] = true
					shares[t.Asset] = shares[t.Asset] || t.Kind == ledger.Shares
				}
			}
		}
	}
	for asset := range seen {
		assets = append(assets, asset)
	}
	slices.Sort(assets)
	return assets, shares, nil
}
