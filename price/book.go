package price

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"sort"
	"time"

	"github.com/holiman/uint256"

	"coldtrail/ledger"
)

// Carry is for how many seconds after its bar closed a price still answers.
const Carry = 7 * Day

// Peg prices an asset as another one, because a contract redeems it at a ratio that it
// gives: one whole unit for Num/Den of the other. Without one an asset is priced by its own
// market only, however close to another it is said to be.
type Peg struct {
	Asset  ledger.Asset `json:"asset"`
	As     ledger.Asset `json:"as"`
	Num    uint64       `json:"num"`
	Den    uint64       `json:"den"`
	Source string       `json:"source"`
}

// Found is the price that answers a question, and what else was known at its moment.
type Found struct {
	Quote

	// Stale says that at least one whole bar has passed since this one closed.
	Stale bool `json:"stale"`
	// Others are what further sources say of the same moment, where they differ.
	Others []Quote `json:"others,omitempty"`
	// By is the redemption by which the price of another asset stands for this one's.
	By *Peg `json:"by,omitempty"`
}

// MissingError says that there is no price of an asset at a moment.
type MissingError struct {
	Asset  ledger.Asset
	Moment int64
	// Last is the newest price before the moment; it is too old to answer.
	Last *Quote
}

// Error names the asset, the moment and the last price, if there is one.
func (e *MissingError) Error() string {
	text := fmt.Sprintf("no price of %s at %s", e.Asset, stamp(e.Moment))
	if e.Last != nil {
		text += fmt.Sprintf("; the last closed at %s, more than %d days before", stamp(e.Last.Close), Carry/Day)
	}
	return text
}

func stamp(unix int64) string { return time.Unix(unix, 0).UTC().Format(time.RFC3339) }

// Book is a set of prices. It does not change.
type Book struct {
	quotes map[ledger.Asset][]Quote // by close, then shortest bars first, then as given
	pegs   map[ledger.Asset]Peg
	digest string
	count  int
}

// NewBook makes a book. Of quotes that differ for one moment the shorter bar answers, then
// the one that stands first; the others are shown beside it.
func NewBook(quotes []Quote, pegs []Peg) (*Book, error) {
	b := &Book{quotes: map[ledger.Asset][]Quote{}, pegs: map[ledger.Asset]Peg{}}
	for i := range quotes {
		if err := quotes[i].Check(); err != nil {
			return nil, fmt.Errorf("price %d: %w", i+1, err)
		}
		b.quotes[quotes[i].Asset] = append(b.quotes[quotes[i].Asset], quotes[i])
	}
	for asset, list := range b.quotes {
		slices.SortStableFunc(list, func(x, y Quote) int {
			return cmp.Or(cmp.Compare(x.Close, y.Close), cmp.Compare(x.Every, y.Every))
		})
		b.quotes[asset] = unrepeated(list)
		b.count += len(b.quotes[asset])
	}
	for i := range pegs {
		p := pegs[i]
		if p.Num == 0 || p.Den == 0 || p.Asset == p.As || p.Source == "" {
			return nil, fmt.Errorf("peg of %s to %s: want a ratio above 0, two assets and a source", p.Asset, p.As)
		}
		if have, twice := b.pegs[p.Asset]; twice && have != p {
			return nil, fmt.Errorf("%s is pegged twice, to %s and to %s", p.Asset, have.As, p.As)
		}
		b.pegs[p.Asset] = p
	}
	b.digest = b.sum()
	return b, nil
}

// unrepeated drops quotes that say the same again.
func unrepeated(list []Quote) (out []Quote) {
	for i := range list {
		same := func(q Quote) bool { return q.text() == list[i].text() }
		from := len(out)
		for from > 0 && out[from-1].Close == list[i].Close {
			from--
		}
		if !slices.ContainsFunc(out[from:], same) {
			out = append(out, list[i])
		}
	}
	return out
}

func (q *Quote) text() string {
	volume := "-"
	if q.Volume != nil {
		volume = fmt.Sprint(*q.Volume)
	}
	return fmt.Sprintf("%q %d %d %d %q %q %s\n", q.Asset, q.Close, q.Every, q.Value, q.Source, q.Market, volume)
}

func (b *Book) sum() string {
	lines := make([]string, 0, b.count+len(b.pegs))
	for _, list := range b.quotes {
		for i := range list {
			lines = append(lines, list[i].text())
		}
	}
	for _, p := range b.pegs {
		lines = append(lines, fmt.Sprintf("peg %q %q %d %d %q\n", p.Asset, p.As, p.Num, p.Den, p.Source))
	}
	slices.Sort(lines)
	sum := sha256.New()
	for _, line := range lines {
		sum.Write([]byte(line))
	}
	return "sha256:" + hex.EncodeToString(sum.Sum(nil))
}

// Digest names everything that the book says, in whatever order it came.
func (b *Book) Digest() string { return b.digest }

// Len is how many prices the book holds.
func (b *Book) Len() int { return b.count }

// Assets lists what the book has a price of, by a quote or by redemption, in order.
func (b *Book) Assets() (list []ledger.Asset) {
	for asset := range b.quotes {
		list = append(list, asset)
	}
	for asset, peg := range b.pegs {
		if len(b.quotes[asset]) == 0 && len(b.quotes[peg.As]) > 0 {
			list = append(list, asset)
		}
	}
	slices.Sort(list)
	return list
}

// At is the price of an asset at a moment: the last bar that had closed by then, if it is
// not older than Carry; otherwise a *MissingError. An asset that a contract redeems is
// priced by what it is redeemed for.
func (b *Book) At(asset ledger.Asset, moment int64) (*Found, error) {
	peg, pegged := b.pegs[asset]
	if !pegged {
		return b.market(asset, moment)
	}
	if _, again := b.pegs[peg.As]; again {
		return nil, fmt.Errorf("%s is pegged to %s, which is pegged itself", asset, peg.As)
	}
	found, err := b.market(peg.As, moment)
	if err != nil {
		return nil, err
	}
	value, err := divideHalfEven(uint256.NewInt(uint64(found.Value)), uint256.NewInt(peg.Num), uint256.NewInt(peg.Den))
	if err != nil || !value.IsUint64() || value.IsZero() {
		return nil, fmt.Errorf("the price of %s by its redemption for %s is out of range", asset, peg.As)
	}
	found.Asset, found.Value, found.By, found.Others, found.Volume = asset, Value(value.Uint64()), &peg, nil, nil
	return found, nil
}

func (b *Book) market(asset ledger.Asset, moment int64) (*Found, error) {
	list := b.quotes[asset]
	end := sort.Search(len(list), func(i int) bool { return list[i].Close > moment })
	if end == 0 {
		return nil, &MissingError{Asset: asset, Moment: moment}
	}
	first := end - 1
	for first > 0 && list[first-1].Close == list[end-1].Close {
		first--
	}
	found := &Found{Quote: list[first], Stale: moment-list[first].Close >= list[first].Every}
	if moment-found.Close > Carry {
		last := found.Quote
		return nil, &MissingError{Asset: asset, Moment: moment, Last: &last}
	}
	for _, q := range list[first+1 : end] {
		if q.Value != found.Value {
			found.Others = append(found.Others, q)
		}
	}
	return found, nil
}

// Daily lists an asset's daily closes of one source at or before a moment, newest last, at
// most so many and without a gap.
func (b *Book) Daily(asset ledger.Asset, source string, moment int64, most int) (days []Quote) {
	list := b.quotes[asset]
	for i := len(list) - 1; i >= 0 && len(days) < most; i-- {
		q := list[i]
		if q.Close > moment || q.Every != Day || q.Source != source || len(days) > 0 && days[len(days)-1].Close == q.Close {
			continue
		}
		if len(days) > 0 && days[len(days)-1].Close-q.Close != Day {
			break
		}
		days = append(days, q)
	}
	slices.Reverse(days)
	return days
}
