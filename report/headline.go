package report

import (
	"coldtrail/ledger"
	"coldtrail/trace"
)

// Share names a part of the headline.
type Share string

// The parts of the headline, as the trace's summary has them, and what is left.
const (
	Traceable Share = "traceable" // held, at services, on the way
	Dark      Share = "dark"      // in mixers, or where it cannot be followed
	Frozen    Share = "frozen"    // frozen or given back
	Spent     Share = "spent"     // fees, burned, rounding, or cut off by a limit
)

// shareOf says to which part a kind of place belongs.
func shareOf(kind string) Share {
	switch kind {
	case "held", "service", "in-transit":
		return Traceable
	case "mixer", "dark":
		return Dark
	case "frozen", "recovered":
		return Frozen
	}
	return Spent
}

// The least certainties, in basis points, of what counts as probable and as possible; the
// classes of opaque services have the same.
const (
	strict   = 10_000
	probable = 8_000
)

// Headline is an interval of a colour, never one figure: what facts alone say, that and
// what is probable, that and what is possible. In basis points of what was stolen.
type Headline struct {
	Strict, Probable, Possible uint64
}

// Headlines are the intervals of a colour. A method that does not conserve has none.
func (r *Report) Headlines(colour *trace.Colour) (map[Share]Headline, error) {
	return r.shares(colour, r.Result.Dispositions)
}

// shares are the intervals of a colour by given dispositions.
func (r *Report) shares(colour *trace.Colour, rows []trace.Disposition) (map[Share]Headline, error) {
	if !r.conserves() {
		return nil, nil //nolint:nilnil // no headline is no error
	}
	type sums [3]ledger.Amount
	by := map[Share]*sums{Traceable: {}, Dark: {}, Frozen: {}, Spent: {}}
	for i := range rows {
		d := &rows[i]
		if d.Colour != colour.Colour {
			continue
		}
		origin, err := parse(d.Origin)
		if err != nil {
			return nil, err
		}
		s := by[shareOf(d.Kind)]
		for tier, least := range []uint32{strict, probable, 0} {
			if d.Certainty >= least {
				s[tier].Add(&s[tier], &origin)
			}
		}
	}
	total, err := parse(colour.Stolen)
	if err != nil {
		return nil, err
	}
	out := map[Share]Headline{}
	for share, s := range by {
		out[share] = Headline{basisPoints(&s[0], &total), basisPoints(&s[1], &total), basisPoints(&s[2], &total)}
	}
	return out, nil
}

// text is the interval in print.
func (h Headline) text() string {
	if h.Strict == h.Possible {
		return percent(h.Strict)
	}
	return figure(h.Strict) + " – " + percent(h.Possible)
}
