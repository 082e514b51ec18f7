package breaker

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"gopkg.in/yaml.v3"

	"coldtrail/ledger"
)

// Config is every parameter of a breaker. Default says what stands where a file does
// not. Times are seconds, values US cents, shares basis points (10,000 is all), scores 0
// to 100.
type Config struct {
	// Venue is the name of what is guarded.
	Venue string `yaml:"venue"`
	// Window is over how long signals are counted, Long over how long the gate of absolute
	// value is, and for how long events are remembered so that labels and retractions reach
	// them. Both are whole minutes.
	Window int64 `yaml:"window"`
	Long   int64 `yaml:"long"`

	Watch Threshold `yaml:"watch"`
	Limit Threshold `yaml:"limit"`
	Halt  Threshold `yaml:"halt"`
	Calm  Calm      `yaml:"calm"`
	Probe Probe     `yaml:"probe"`

	Incident IncidentConfig `yaml:"incident"`
	Group    GroupConfig    `yaml:"group"`
	Novel    Novel          `yaml:"novel"`
	Common   Common         `yaml:"common"`
	Price    Price          `yaml:"price"`
	Stale    Stale          `yaml:"stale"`
	Bounds   Bounds         `yaml:"bounds"`
}

// Threshold is when a state is entered: a score, and for how long it must have lasted.
type Threshold struct {
	Score uint64 `yaml:"score"`
	For   int64  `yaml:"for"`
}

// Calm is when a state is left: the score is below what the state is entered by, less
// the margin, for so long, and a halt has lasted at least Cooldown.
type Calm struct {
	Margin   uint64 `yaml:"margin"`
	For      int64  `yaml:"for"`
	Cooldown int64  `yaml:"cooldown"`
}

// Probe is how a limit or a halt is left: for a time one in so many of the events that
// would be held is held less, and more than so much of them ends the attempt.
type Probe struct {
	For   int64  `yaml:"for"`
	OneIn uint64 `yaml:"one_in"`
	Cents uint64 `yaml:"cents"`
}

// Ramp turns a value into points: none up to From, 100 from To on, in between in
// proportion.
type Ramp struct {
	From   uint64 `yaml:"from"`
	To     uint64 `yaml:"to"`
	Weight uint64 `yaml:"weight"`
}

// IncidentConfig is what is measured of an incident's flow.
type IncidentConfig struct {
	// Share is from when on an origin counts as tainted. Less counts as near-tainted down
	// to NearShare, within NearHops of the theft.
	Share     uint32 `yaml:"share"`
	NearShare uint32 `yaml:"near_share"`
	NearHops  uint32 `yaml:"near_hops"`
	// MinSenders and MinCents are the least evidence; below either the score is 0.
	MinSenders uint64 `yaml:"min_senders"`
	MinCents   uint64 `yaml:"min_cents"`
	// Gate is the tainted value over the long window that limits whatever the score.
	Gate uint64 `yaml:"gate"`

	Senders      Ramp `yaml:"senders"`      // distinct tainted senders, near-tainted half
	Inflow       Ramp `yaml:"inflow"`       // tainted share of the venue's inflow
	Near         Ramp `yaml:"near"`         // tainted and near-tainted share of the inflow
	Coordination Ramp `yaml:"coordination"` // score of the best group with a tainted member
	Late         Ramp `yaml:"late"`         // events that a label reached afterwards
}

// GroupConfig is what is measured of senders that have something in common.
type GroupConfig struct {
	// MinSenders and MinCents are the least evidence; below either the score is 0.
	MinSenders uint64 `yaml:"min_senders"`
	MinCents   uint64 `yaml:"min_cents"`
	// Grain is the least value of an event that counts towards a group, and Equal that of
	// one that may form a group by its exact amount.
	Grain uint64 `yaml:"grain"`
	Equal uint64 `yaml:"equal"`
	// Tolerance is by how much amounts and pauses may differ and still be regular.
	Tolerance uint32 `yaml:"tolerance"`

	Senders Ramp `yaml:"senders"` // distinct novel senders
	Value   Ramp `yaml:"value"`   // what they put in
	Inflow  Ramp `yaml:"inflow"`  // its share of the venue's inflow
	Novelty Ramp `yaml:"novelty"` // the novel ones among all senders of the group
	Regular Ramp `yaml:"regular"` // share of amounts or of pauses that are alike
}

// Novel is who is not yet established: a sender is, once it was first seen Age ago and
// let through on Days distinct days, and no taint was ever known of it. Nothing is called
// novel before the machine has run for WarmUp. Cents is the value from which a novel
// sender is delayed on a route that is halted.
type Novel struct {
	Age    int64  `yaml:"age"`
	Days   uint64 `yaml:"days"`
	WarmUp int64  `yaml:"warm_up"`
	Cents  uint64 `yaml:"cents"`
}

// Common is when a funder, receiver or fingerprint is everybody's: seen Age ago first,
// on Days distinct days, with so many distinct senders. Then sharing it says nothing.
type Common struct {
	Age     int64  `yaml:"age"`
	Days    uint64 `yaml:"days"`
	Senders uint64 `yaml:"senders"`
}

// Price is what stands in for a missing one.
type Price struct {
	// Unpriced is what an event without any price counts as.
	Unpriced uint64 `yaml:"unpriced"`
	// Assets has a fixed price for an asset.
	Assets map[ledger.Asset]Fixed `yaml:"assets"`
}

// Fixed is a price: so many cents for ten to the power of Decimals base units.
type Fixed struct {
	Cents    uint64 `yaml:"cents"`
	Decimals uint64 `yaml:"decimals"`
}

// Stale is from when on data is too old to loosen anything by: the age of the labels,
// and the blocks that the index is behind.
type Stale struct {
	Labels int64  `yaml:"labels"`
	Lag    uint64 `yaml:"lag"`
}

// Bounds is how much is remembered at most. What goes beyond is counted in Size.
type Bounds struct {
	Events  int `yaml:"events"`  // events of the long window
	Marks   int `yaml:"marks"`   // tainted uses of the long window
	Groups  int `yaml:"groups"`  // groups of the window
	Members int `yaml:"members"` // senders of one group, and groups of one incident
	Cells   int `yaml:"cells"`   // incidents by route that have a state
	Senders int `yaml:"senders"` // senders whose history is known; as many are established
	Places  int `yaml:"places"`  // the same of funders, receivers and fingerprints
}

// Default is the configuration that is used where none is given.
func Default() Config {
	const (
		minute = 60
		hour   = 60 * minute
		day    = 24 * hour
		dollar = 100
	)
	return Config{
		Venue: "venue", Window: hour, Long: day,
		Watch: Threshold{40, 3 * minute},
		Limit: Threshold{60, 5 * minute},
		Halt:  Threshold{80, 15 * minute},
		Calm:  Calm{Margin: 15, For: hour, Cooldown: 6 * hour},
		Probe: Probe{For: hour, OneIn: 10, Cents: 50_000 * dollar},
		Incident: IncidentConfig{
			Share: 1000, NearShare: 10, NearHops: 3,
			MinSenders: 2, MinCents: 25_000 * dollar, Gate: 10_000_000 * dollar,
			Senders: Ramp{1, 4, 45}, Inflow: Ramp{100, 2000, 30}, Near: Ramp{100, 2000, 10},
			Coordination: Ramp{0, 100, 10}, Late: Ramp{0, 4, 5},
		},
		Group: GroupConfig{
			MinSenders: 3, MinCents: 650_000 * dollar, Grain: 100 * dollar, Equal: 10_000 * dollar, Tolerance: 200,
			Senders: Ramp{2, 6, 30}, Value: Ramp{250_000 * dollar, 1_000_000 * dollar, 20}, Inflow: Ramp{500, 2500, 20},
			Novelty: Ramp{5000, 9000, 20}, Regular: Ramp{5000, 9000, 10},
		},
		Novel:  Novel{Age: 7 * day, Days: 2, WarmUp: 7 * day, Cents: 50_000 * dollar},
		Common: Common{Age: 7 * day, Days: 5, Senders: 20},
		Price:  Price{Unpriced: 10_000 * dollar},
		Stale:  Stale{Labels: 15 * minute, Lag: 3},
		Bounds: Bounds{Events: 100_000, Marks: 100_000, Groups: 100_000, Members: 256, Cells: 1024, Senders: 200_000, Places: 200_000},
	}
}

// ParseConfig reads a configuration in YAML over the default. A key that is not known is
// an error, and so is a value that makes no sense.
func ParseConfig(text []byte) (Config, error) {
	c := Default()
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(&c); err != nil && !errors.Is(err, io.EOF) {
		return Config{}, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	if err := decoder.Decode(&struct{}{}); !errors.Is(err, io.EOF) {
		return Config{}, fmt.Errorf("%w: more than one document", ErrConfig)
	}
	return c, c.Check()
}

// YAML writes the whole configuration, defaults included.
func (c *Config) YAML() ([]byte, error) { return yaml.Marshal(c) }

// Digest identifies the configuration: SHA-256 of its YAML.
func (c *Config) Digest() (string, error) {
	text, err := c.YAML()
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(text)
	return "sha256:" + hex.EncodeToString(sum[:]), nil
}

// The bounds of what a configuration may say: longer times and larger tables are
// mistakes.
const (
	maxSeconds = 366 * 86_400
	maxTable   = 10_000_000
	maxWeight  = 1_000
)

// Check says what is wrong with a configuration.
func (c *Config) Check() error {
	for _, row := range c.rows() {
		if row.bad {
			return fmt.Errorf("%w: %s", ErrConfig, row.what)
		}
	}
	return nil
}

type wrong struct {
	bad  bool
	what string
}

// rows lists what may be wrong.
func (c *Config) rows() []wrong {
	list := []wrong{
		{c.Venue == "" || len(c.Venue) > maxText, "venue must have a name of at most 256 bytes"},
		{c.Window < 60 || c.Window%60 != 0, "window must be whole minutes"},
		{c.Long < c.Window || c.Long%60 != 0 || c.Long > maxSeconds, "long must be whole minutes, at least as long as window and at most a year"},
		{c.Watch.Score == 0 || c.Watch.Score > c.Limit.Score || c.Limit.Score > c.Halt.Score || c.Halt.Score > points, "scores must rise from watch to halt, within 1 to 100"},
		{c.Calm.Margin >= c.Watch.Score, "calm.margin must be less than watch.score, or nothing is ever calm"},
		{c.Probe.OneIn == 0, "probe.one_in must be at least 1"},
		{c.Incident.Share == 0 || c.Incident.Share > wholeBP || c.Incident.NearShare > c.Incident.Share, "incident.share must be within 1 to 10000, and near_share not above it"},
		{c.Incident.MinSenders == 0 || c.Group.MinSenders < 2, "incident.min_senders must be at least 1, group.min_senders at least 2"},
		{c.Group.Tolerance > wholeBP, "group.tolerance must be at most 10000"},
		{c.Common.Senders == 0, "common.senders must be at least 1"},
		{len(c.Price.Assets) > 1000, "price.assets must be at most 1000"},
	}
	for _, seconds := range []int64{c.Watch.For, c.Limit.For, c.Halt.For, c.Calm.For, c.Calm.Cooldown, c.Probe.For, c.Novel.Age, c.Novel.WarmUp, c.Common.Age, c.Stale.Labels} {
		list = append(list, wrong{seconds < 0 || seconds > maxSeconds, fmt.Sprintf("a time of %d seconds", seconds)})
	}
	for _, n := range []int{c.Bounds.Events, c.Bounds.Marks, c.Bounds.Groups, c.Bounds.Members, c.Bounds.Cells, c.Bounds.Senders, c.Bounds.Places} {
		list = append(list, wrong{n < 1 || n > maxTable, fmt.Sprintf("a bound of %d", n)})
	}
	i, g := &c.Incident, &c.Group
	for _, ramps := range [][]Ramp{{i.Senders, i.Inflow, i.Near, i.Coordination, i.Late}, {g.Senders, g.Value, g.Inflow, g.Novelty, g.Regular}} {
		sum := uint64(0)
		for _, r := range ramps {
			list = append(list, wrong{r.From >= r.To || r.Weight > maxWeight, fmt.Sprintf("a ramp from %d to %d of weight %d", r.From, r.To, r.Weight)})
			sum += min(r.Weight, maxWeight)
		}
		list = append(list, wrong{sum == 0, "all weights of a family are 0"})
	}
	for _, p := range c.Price.Assets {
		list = append(list, wrong{p.Decimals > 36, "price.assets: more than 36 decimals"})
	}
	return list
}
