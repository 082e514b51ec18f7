package behaviour

import "coldtrail/ledger"

// Burst is a number of things within a window.
type Burst struct {
	Number int    // at least
	Window uint64 // seconds, both ends included
}

// Limits are thresholds of one asset, in its base units, because nothing here knows a
// price. A limit of 0 is not given, and a condition that needs it is not met, save where
// a pattern says that it judges by number alone.
type Limits struct {
	// FanOut is the least sum of a fan-out. Without it fan-outs are judged by number.
	FanOut ledger.Amount
	// Dust is the most that still is dust.
	Dust ledger.Amount
	// Gas is the amount from which a first payment is more than money for fees.
	Gas ledger.Amount
	// Reporting are amounts from which a payment must be reported.
	Reporting []ledger.Amount
}

// Parameters are what decides. Shares are in basis points, times in seconds.
type Parameters struct {
	// Listed are the tokens whose contract is known to be the real one. A token that is
	// not listed may be a counterfeit and counts nowhere but in address poisoning; a
	// chain's own asset needs no listing.
	Listed map[ledger.Asset]bool
	Limits map[ledger.Asset]Limits

	FanOut      Burst // distinct receivers
	EqualFanOut Burst // distinct receivers of one amount
	FanIn       Burst // distinct senders
	// FanInForward is the share that leaves again, within FanInWithin of the last receipt.
	FanInForward, FanInWithin uint64

	Structuring                       Burst  // transfers to one target
	StructuringLeast, StructuringMost uint64 // share of a reporting threshold

	// PassThroughKept is the least share of a receipt that the next movement sends on,
	// within PassThroughWithin.
	PassThroughKept, PassThroughWithin uint64
	Layering                           Burst // hops, each keeping LayeringKept
	LayeringKept                       uint64
	RoundTrip                          Burst // changes of asset

	// DormancyFor is how long nothing was sent, DormancyMoved the share of a balance
	// that then leaves within DormancyWithin.
	DormancyFor, DormancyMoved, DormancyWithin uint64

	Dusting Burst // distinct receivers of dust; the window is of senders

	// PoisoningDigits is how many hexadecimal digits agree at either end, PoisoningWithin
	// how long ago the real counterparty was last dealt with.
	PoisoningDigits int
	PoisoningWithin uint64

	GasFundingWithin, GasTopUpWithin uint64

	// SweepShare of a balance goes to one address within Sweep.Window of a receipt,
	// Sweep.Number times.
	Sweep      Burst
	SweepShare uint64

	HotWallet HotWalletParameters

	Hopping Burst // distinct services
	// BridgeBurst and BridgeSeries are transactions toward one chain; either suffices.
	BridgeBurst, BridgeSeries Burst

	Peel PeelParameters

	// Concepts of labels.
	Services, Exchanges, Bridges, Mixers, DepositWallets []string
}

// HotWalletParameters are those of a service's hot wallet.
type HotWalletParameters struct {
	Senders, Receivers int // distinct, in the window
	Days, ActiveDays   int // of UTC: length of the window, and those with a movement
	Sweepers           int // distinct senders labelled as deposit wallets
}

// PeelParameters are those of peel chains.
type PeelParameters struct {
	Steps int // consecutive, at least
	// Continuing is the least share of the input that the larger output holds, where
	// nothing else tells which is the change; Peeled the most that the other may hold.
	Continuing, Peeled uint64
	Within             uint64 // seconds to the next step
}

const (
	minute = 60
	hour   = 60 * minute
	day    = 24 * hour
	whole  = 10_000 // basis points
)

// DefaultParameters are the published or customary figures. They hold no prices: of
// limits only bitcoin's dust, 1,000 satoshi, and no token is listed.
func DefaultParameters() Parameters {
	return Parameters{
		Limits:      map[ledger.Asset]Limits{ledger.Bitcoin.Native(): {Dust: ledger.NewAmount(1000)}},
		FanOut:      Burst{10, hour},
		EqualFanOut: Burst{10, hour},
		FanIn:       Burst{10, 6 * hour}, FanInForward: 8000, FanInWithin: day,
		Structuring: Burst{5, day}, StructuringLeast: 5000, StructuringMost: 9990,
		PassThroughKept: 9500, PassThroughWithin: 18 * hour,
		Layering: Burst{4, 72 * hour}, LayeringKept: 9500,
		RoundTrip:   Burst{2, 30 * day},
		DormancyFor: 180 * day, DormancyMoved: 5000, DormancyWithin: day,
		Dusting:         Burst{100, day},
		PoisoningDigits: 3, PoisoningWithin: 7 * day,
		GasFundingWithin: 48 * hour, GasTopUpWithin: hour,
		Sweep: Burst{3, 10 * minute}, SweepShare: 9500,
		HotWallet:   HotWalletParameters{Senders: 1000, Receivers: 1000, Days: 30, ActiveDays: 24, Sweepers: 50},
		Hopping:     Burst{3, day},
		BridgeBurst: Burst{3, hour}, BridgeSeries: Burst{10, day},
		Peel:           PeelParameters{Steps: 5, Continuing: 6000, Peeled: 4000, Within: 14 * day},
		Services:       []string{"atm", "exchange", "gambling", "payment_processor", "swap_service", "wallet_service"},
		Exchanges:      []string{"exchange"},
		Bridges:        []string{"defi_bridge"},
		Mixers:         []string{"mixing_service"},
		DepositWallets: []string{"deposit_wallet"},
	}
}

// listed says whether an asset of a chain counts.
func (p *Parameters) listed(chain ledger.Chain, asset ledger.Asset) bool {
	return asset == chain.Native() || p.Listed[asset]
}

// limit is a threshold of an asset; false where it is not given.
func (p *Parameters) limit(asset ledger.Asset, of func(*Limits) *ledger.Amount) (*ledger.Amount, bool) {
	limits := p.Limits[asset]
	amount := of(&limits)
	return amount, !amount.IsZero()
}

func dustOf(l *Limits) *ledger.Amount   { return &l.Dust }
func gasOf(l *Limits) *ledger.Amount    { return &l.Gas }
func fanOutOf(l *Limits) *ledger.Amount { return &l.FanOut }

// isDust says whether an amount is above 0 and within the asset's dust limit.
func (p *Parameters) isDust(asset ledger.Asset, amount *ledger.Amount) bool {
	limit, given := p.limit(asset, dustOf)
	return given && !amount.IsZero() && !amount.Gt(limit)
}
