package behaviour

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"coldtrail/ledger"
)

// maxNamed bounds the transactions and addresses that one finding names.
const maxNamed = 1000

// Finding is one instance of a pattern: these transactions satisfy this definition with
// these parameters. It is a fact about them and no more.
type Finding struct {
	Pattern  string
	Chains   []ledger.Chain // sorted
	From, To int64          // first and last time, Unix seconds
	// Txs are the transactions in order of time, at most 1,000; Count is how many there are.
	Txs   []ledger.Hash
	Count int
	// Amounts are what the movements concerned come to, by asset.
	Amounts []AssetSum
	// Parties are the other sides in order of appearance, Addresses the subject's own;
	// at most 1,000 of each.
	Parties, Addresses []ledger.Address
	// Resembles is, for each of Parties, the real counterparty whose likeness it has. It
	// is empty but for address poisoning.
	Resembles []ledger.Address
	// Parameters decided, Measures were found.
	Parameters, Measures []Parameter
	// Text says it in one sentence.
	Text string
}

// Parameter is a named value. Unit is empty for plain numbers and words.
type Parameter struct{ Name, Value, Unit string }

// AssetSum is an amount of an asset, in base units. Where Saturated, the true sum is
// more than 256 bits can hold and Amount is the most they do.
type AssetSum struct {
	Asset     ledger.Asset
	Amount    ledger.Amount
	Saturated bool
}

// number, seconds and share make parameters.
func number[N int | uint64](name string, n N) Parameter {
	return Parameter{name, strconv.FormatInt(int64(n), 10), ""}
}

func seconds(name string, n uint64) Parameter {
	return Parameter{name, strconv.FormatUint(n, 10), "seconds"}
}

func share(name string, n uint64) Parameter {
	return Parameter{name, strconv.FormatUint(n, 10), "basis points"}
}

func worth(name string, asset ledger.Asset, amount *ledger.Amount) Parameter {
	return Parameter{name, amount.Dec(), "base units of " + string(asset)}
}

func words(name, text string) Parameter { return Parameter{name, text, ""} }

// notGiven states that a limit is missing.
const notGiven = "none given; judged by number alone"

// evidence makes a finding of flows and of further steps.
func (v *view) evidence(flows, steps []int) Finding {
	f := Finding{}
	flows = slices.Compact(slices.Sorted(slices.Values(flows)))
	sums := map[ledger.Asset]*total{}
	parties, addresses := newNamed(), newNamed()
	all := slices.Clone(steps)
	for _, id := range flows {
		flow := &v.flows[id]
		all = append(all, flow.step)
		if sums[flow.asset] == nil {
			sums[flow.asset] = &total{}
		}
		sums[flow.asset].add(flow.amount)
		parties.add(flow.party.Address)
		addresses.add(flow.own)
	}
	f.Parties, f.Addresses, f.Amounts = parties.list, addresses.list, sorted(sums)
	v.dated(&f, all)
	return f
}

// dated fills in what follows from the steps.
func (v *view) dated(f *Finding, steps []int) {
	steps = slices.Compact(slices.Sorted(slices.Values(steps)))
	f.Count = len(steps)
	chains := map[ledger.Chain]bool{}
	for i, n := range steps {
		st := v.steps[n]
		if i == 0 {
			f.From = st.Time
		}
		f.To = st.Time
		if i < maxNamed {
			f.Txs = append(f.Txs, st.Tx)
		}
		chains[st.Chain] = true
	}
	f.Chains = sortedKeys(chains)
}

func sorted(sums map[ledger.Asset]*total) (out []AssetSum) {
	for asset, sum := range sums {
		amount, saturated := sum.amount()
		out = append(out, AssetSum{asset, amount, saturated})
	}
	slices.SortFunc(out, func(a, b AssetSum) int { return strings.Compare(string(a.Asset), string(b.Asset)) })
	return out
}

func sortedKeys(chains map[ledger.Chain]bool) []ledger.Chain {
	return slices.Sorted(maps.Keys(chains))
}

// named collects addresses in order of appearance. All counts even those not kept.
type named struct {
	list []ledger.Address
	seen map[ledger.Address]bool
}

func newNamed() *named { return &named{seen: map[ledger.Address]bool{}} }

func (n *named) add(a ledger.Address) {
	if a.IsZero() || n.seen[a] {
		return
	}
	n.seen[a] = true
	if len(n.list) < maxNamed {
		n.list = append(n.list, a)
	}
}

// distinct counts the other sides of flows.
func (v *view) distinct(ids []int, by func(*flow) key) int {
	seen := counter{}
	for _, id := range ids {
		seen.add(by(&v.flows[id]))
	}
	return len(seen)
}

// when says the time of a finding.
func (f *Finding) when() string {
	if f.From == f.To {
		return "At " + moment(f.From)
	}
	return fmt.Sprintf("Between %s and %s", moment(f.From), moment(f.To))
}

func moment(t int64) string { return time.Unix(t, 0).UTC().Format(time.RFC3339) }

// sums says the amounts of a finding.
func (f *Finding) sums() string {
	parts := make([]string, 0, len(f.Amounts))
	for i := range min(len(f.Amounts), 3) {
		parts = append(parts, f.Amounts[i].text())
	}
	if more := len(f.Amounts) - len(parts); more > 0 {
		parts = append(parts, plural(more, "other asset"))
	}
	return strings.Join(parts, ", ")
}

func (s *AssetSum) text() string {
	text := s.Amount.Dec() + " " + unitOf(s.Asset)
	if s.Saturated {
		return "more than " + text
	}
	return text
}

// unitOf is the word for an asset's base unit.
func unitOf(asset ledger.Asset) string {
	chain, kind, _ := strings.Cut(string(asset), "/")
	switch {
	case kind == "slip44:0" && strings.HasPrefix(chain, "bip122:"):
		return "satoshi"
	case kind == "slip44:60" && chain == string(ledger.Ethereum):
		return "wei"
	}
	return "base units of " + string(asset)
}

// plural counts a noun.
func plural(n int, noun string) string {
	switch {
	case n == 1:
		return "1 " + noun
	case strings.HasSuffix(noun, "s"):
		return fmt.Sprintf("%d %ses", n, noun)
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// listing joins names, the first few of them.
func listing(names []string) string {
	const few = 20
	if len(names) > few {
		return strings.Join(names[:few], ", ") + fmt.Sprintf(" and %d more", len(names)-few)
	}
	return strings.Join(names, ", ")
}
