// Package venue generates the traffic of a guarded swap aggregator: the part of the
// Bybit laundering that went through OKX, as the replay plays it, and honest customers
// with everything about them that looks like a laundering. It plays both through a
// breaker and measures what the breaker did, for tests and for users' own checks.
//
// Everything but what the replay takes from published figures is invented; the rates
// of the look-alikes are written at their constants. The same options give the same
// bytes.
package venue

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"strconv"

	"coldtrail/screen/breaker"
)

// Name is what the guarded venue is called.
const Name = "aggregator"

// A Use is one event with its truth.
type Use struct {
	breaker.Event
	// Stolen says that the money is the thief's. Who is who honest customer it is.
	Stolen bool
	Who    Who
}

// Who is a kind of customer.
type Who string

// The kinds of customer.
const (
	Thief    Who = "thief"
	Regular  Who = "regular" // somebody who comes back
	NewUser  Who = "new"
	Bot      Who = "bot"      // regular times and equal amounts
	Farmer   Who = "farmer"   // many small wallets of one owner
	Launch   Who = "launch"   // many people who buy one thing
	Fund     Who = "fund"     // one owner who splits much money over fresh wallets
	Desk     Who = "desk"     // large trades all day
	Bystand  Who = "bystand"  // somebody who was paid a little of a theft
	Stranger Who = "stranger" // somebody who holds much of an old theft, for no fault of his
)

// routes are what honest customers trade, with weights in per mille.
var routes = []struct {
	name   string
	weight int
}{{"ETH>USDC", 280}, {"USDC>ETH", 240}, {"ETH>USDT", 140}, {"USDT>ETH", 120}, {laundered, 80}, {"ETH>SOL", 60}, {"ETH>wstETH", 50}, {"DAI>USDC", 30}}

// laundered is the route of the laundering.
const laundered = "ETH>BTC"

// hours are how busy each hour of the day is, in UTC.
var hours = []int{34, 30, 28, 27, 28, 30, 34, 40, 47, 50, 50, 48, 47, 52, 60, 62, 60, 56, 52, 48, 44, 42, 40, 37}

// amounts are the values of honest uses, in US dollars: (share in per mille, value). The
// median is 800, the mean about 18,000, as heavy-tailed as a log-normal distribution.
var amounts = [][2]int64{
	{0, 5},
	{100, 40},
	{250, 150},
	{500, 800},
	{750, 4_000},
	{900, 20_000},
	{970, 80_000},
	{990, 250_000},
	{999, 1_200_000},
	{1000, 4_000_000},
}

// quantiles interpolates a table at a random place; between its rows in ten-thousandths.
func quantiles(random *rand.Rand, table [][2]int64) int64 {
	p := random.Int64N(10_000)
	i := max(1, slices.IndexFunc(table, func(row [2]int64) bool { return row[0]*10 > p }))
	a, b := table[i-1], table[i]
	return a[1] + (b[1]-a[1])*(p-a[0]*10)/(b[0]*10-a[0]*10)
}

// pick draws an index by weights.
func pick(random *rand.Rand, weights []int) int {
	sum := 0
	for _, w := range weights {
		sum += w
	}
	p := random.IntN(sum)
	for i, w := range weights {
		if p -= w; p < 0 {
			return i
		}
	}
	return 0
}

const (
	minute = 60
	hour   = 60 * minute
	day    = 24 * hour
	dollar = 100
)

// ordered sorts uses by time and then by name.
func ordered(uses []Use) []Use {
	slices.SortFunc(uses, func(a, b Use) int { return cmp.Or(cmp.Compare(a.Moment, b.Moment), cmp.Compare(a.ID, b.ID)) })
	return uses
}

// name is a synthetic address.
func name(role string, n int) string { return role + "-" + strconv.Itoa(n) }
