package venue_test

import (
	"math/big"
	"reflect"
	"testing"

	"coldtrail/internal/replay"
	"coldtrail/internal/venue"
	"coldtrail/ledger"
)

const (
	day    = 86_400
	window = 3600
)

// TestLaundering compares what was taken from the replay with the replay's own totals.
func TestLaundering(t *testing.T) {
	uses, err := venue.Laundering(1)
	if err != nil {
		t.Fatal(err)
	}
	played, err := replay.Play(replay.Options{Seed: 1, Quiet: true, Wallets: 200}, replay.NewAccounts(1, 1, func(*ledger.Block) error { return nil }), replay.NewOutputs(1, func(*ledger.Block) error { return nil }))
	if err != nil {
		t.Fatal(err)
	}
	sum := new(big.Int)
	receivers, origins := map[string]bool{}, map[string]bool{}
	for i := range uses {
		u := &uses[i]
		sum.Add(sum, u.Amount.ToBig())
		receivers[u.Receiver], origins[u.Origin] = true, true
		if !u.Stolen || u.Funder == "" || u.Receiver == "" || u.Cents == 0 || i > 0 && u.Moment < uses[i-1].Moment {
			t.Errorf("use %d: %+v", i, u)
		}
	}
	routed := new(big.Int).Add(played.Totals["routed okx traced"], played.Totals["routed okx dark"])
	// Fees are not sent, and what THORChain refunds is sent once more.
	if sum.Cmp(new(big.Int).Div(new(big.Int).Mul(routed, big.NewInt(99)), big.NewInt(100))) < 0 || sum.Cmp(routed) > 0 {
		t.Errorf("sent %s of %s", sum, routed)
	}
	if len(uses) < 200 || len(origins) < 150 {
		t.Errorf("%d uses by %d accounts", len(uses), len(origins))
	}
}

func TestSameSeedSameTraffic(t *testing.T) {
	one, two, other := venue.NewHonest(7, 500, 0), venue.NewHonest(7, 500, 0), venue.NewHonest(8, 500, 0)
	who := map[venue.Who]int{}
	for d := range 30 {
		a, b, c := one.Day(), two.Day(), other.Day()
		if !reflect.DeepEqual(a, b) {
			t.Fatalf("day %d differs", d)
		}
		if reflect.DeepEqual(a, c) {
			t.Fatalf("day %d is the same by another seed", d)
		}
		for i := range a {
			who[a[i].Who]++
			if a[i].Moment/day != int64(d) {
				t.Fatalf("a use of day %d on day %d", d, a[i].Moment/day)
			}
		}
	}
	for _, kind := range []venue.Who{venue.Regular, venue.NewUser, venue.Bot, venue.Farmer, venue.Launch, venue.Fund, venue.Desk} {
		if who[kind] == 0 {
			t.Errorf("nobody is %s", kind)
		}
	}
}

// TestDetection is what the breaker was built for: the laundering of Bybit through a
// venue with a hundred times as many honest uses.
func TestDetection(t *testing.T) {
	attack, err := venue.NewAttack(11) // no seed that the default was chosen by
	if err != nil {
		t.Fatal(err)
	}
	config := venue.Config()
	for _, row := range []struct {
		quality string
		stopped uint64 // at least, in basis points
	}{{"live taint", 9000}, {"one block late", 9000}, {"ten minutes late", 9000}, {"six hours late", 0}, {"no taint", 0}} {
		t.Run(row.quality, func(t *testing.T) {
			r, err := attack.Play(&config, venue.QualityOf(row.quality))
			if err != nil {
				t.Fatal(err)
			}
			if r.Uses < 100*attack.Stolen {
				t.Errorf("%d uses for %d of the thief's", r.Uses, attack.Stolen)
			}
			if r.Limited.At == 0 || r.Limited.Share > 200 {
				t.Errorf("limited after %d basis points of the stolen money, want at most 200", r.Limited.Share)
			}
			if r.Longest > window {
				t.Errorf("an honest sender was held for %d s, want at most a window", r.Longest)
			}
			if r.Established != 0 {
				t.Errorf("%d uses of established clean senders were held", r.Established)
			}
			if r.Passed+r.Waited+r.Stopped != r.Stolen || r.Stopped*10_000/r.Stolen < row.stopped {
				t.Errorf("passed %d, waited %d, stopped %d of %d", r.Passed, r.Waited, r.Stopped, r.Stolen)
			}
		})
	}
	t.Run("nothing is known: nothing is found", func(t *testing.T) {
		r, err := attack.Play(&config, venue.QualityOf("no taint, no funders"))
		if err != nil {
			t.Fatal(err)
		}
		if r.Limited.At != 0 || r.Passed != r.Stolen {
			t.Errorf("%+v: the document says that this is not found", r)
		}
	})
}

// TestHonestDays lets nobody but honest customers come for sixty days.
func TestHonestDays(t *testing.T) {
	config := venue.Config()
	r, err := venue.HonestDays(&config, 11, 4000, 60, nil)
	if err != nil {
		t.Fatal(err)
	}
	if r.Halts != 0 {
		t.Errorf("%d HALTs", r.Halts)
	}
	if r.Watches > 2 {
		t.Errorf("%d WATCHes in sixty days: %+v", r.Watches, r.Trips)
	}
	if r.Longest > window || r.Refused != 0 || r.Established != 0 {
		t.Errorf("held for %d s, %d refused, %d established", r.Longest, r.Refused, r.Established)
	}
	if r.Uses < 60*4000 || r.Seconds < 59*day {
		t.Errorf("only %d uses in %d s", r.Uses, r.Seconds)
	}
}

// TestCurve wants a nervous breaker to trip more often and not later than a calm one.
func TestCurve(t *testing.T) {
	if testing.Short() {
		t.Skip("plays twenty days twice")
	}
	trips := func(s *venue.Setting) int {
		c := s.Apply(venue.Config())
		if err := c.Check(); err != nil {
			t.Fatal(err)
		}
		r, err := venue.HonestDays(&c, 1, 4000, 20, nil)
		if err != nil {
			t.Fatal(err)
		}
		return r.Watches
	}
	nervous, calm := trips(&venue.Settings[0]), trips(&venue.Settings[len(venue.Settings)-1])
	if nervous <= calm || calm != 0 {
		t.Errorf("%d trips nervous, %d calm", nervous, calm)
	}
}
