package holdings

import (
	"cmp"
	"slices"

	"coldtrail/ledger"
	"coldtrail/price"
	"coldtrail/register"
)

// Stated is what people say: ranked where their register lets them be, with what
// contradicts it and what is left out, and why.
type Stated struct {
	Asset    ledger.Asset `json:"asset"`
	Symbol   string       `json:"symbol"`
	Decimals uint8        `json:"decimals"`
	Price    *price.Found `json:"price"` // null where there is none
	Missing  string       `json:"price_missing,omitempty"`
	// PriceNumber is the price's source among the report's; 0 where there is no price.
	PriceNumber int           `json:"price_source_number,omitempty"`
	Supply      *Supply       `json:"supply"`
	Rows        []StatedRow   `json:"rows"`
	Unranked    []StatedRow   `json:"unranked"`
	Besides     []StatedRow   `json:"besides"` // other assets of those in the table
	Total       StatedTotal   `json:"total"`
	Changes     []Change      `json:"changes,omitempty"`
	History     []StatedPoint `json:"history,omitempty"`
}

// StatedRow is one statement, valued.
type StatedRow struct {
	register.Statement

	Rank   int    `json:"rank,omitempty"` // 0 is none
	State  string `json:"state"`          // whom the actor belongs to, by the highest
	Symbol string `json:"symbol"`
	Amount string `json:"amount"` // base units
	// Cents is the value; null where no price is known.
	Cents *string `json:"value_cents"`
	USD   string  `json:"value_usd,omitempty"`
	// Share is of the supply, in parts per million; null where that is not known.
	Share *uint64 `json:"share_ppm"`
	// AgeDays is how old the figure was on the day asked for; Fresh until when it counts
	// as fresh, Stale that this was before.
	AgeDays int64 `json:"age_days"`
	Fresh   int64 `json:"fresh_until"`
	Stale   bool  `json:"stale"`
	// Also are other statements on the same holding that count on the day.
	Also    []StatedRow `json:"also,omitempty"`
	Numbers []int       `json:"source_numbers"` // into the report's sources
	// Market sets the holding against the day's market; null, with the reason, where
	// nothing says what was traded.
	Market        *Market `json:"market"`
	MarketMissing string  `json:"market_missing,omitempty"`

	units ledger.Amount
	cents *ledger.Amount
}

// StatedTotal is the sum of the ranked rows. Where statements on one holding differ it
// counts the lowest.
type StatedTotal struct {
	Amount string  `json:"amount"`
	Cents  *string `json:"value_cents"`
	USD    string  `json:"value_usd,omitempty"`
	Rule   string  `json:"rule"`
	// Kinds are the parts of the sum that rest on each kind of evidence.
	Kinds map[register.Kind]string `json:"by_kind"`

	units ledger.Amount
	cents *ledger.Amount
}

// fresh is for how long a figure is fresh, in seconds: a provider's for a day, what nobody
// can look up for a quarter of a year.
func fresh(kind register.Kind) int64 {
	if kind == register.SelfReported || kind == register.Estimated {
		return 92 * price.Day
	}
	return price.Day
}

// stated reads the register as of the day.
func (w *work) stated() (out Stated, err error) {
	out = Stated{Asset: w.o.Asset, Rows: []StatedRow{}, Unranked: []StatedRow{}, Besides: []StatedRow{}, Supply: supplyOf(w.o.Asset, w.day, w.ends, w.o.Register)}
	if a, ok := w.o.Register.Asset(w.o.Asset); ok {
		out.Symbol, out.Decimals = a.Symbol, a.Decimals
	}
	if found, err := w.o.Book.At(w.o.Asset, w.priceTime); err == nil {
		out.Price = found
	} else {
		out.Missing = err.Error()
	}
	for _, group := range w.current() {
		row, err := w.statedRow(group, out.Supply)
		if err != nil {
			return out, err
		}
		switch {
		case row.Asset != w.o.Asset:
			out.Besides = append(out.Besides, row)
		case row.Unranked != "" && !w.o.All:
			out.Unranked = append(out.Unranked, row)
		default:
			out.Rows = append(out.Rows, row)
		}
	}
	// Ranks are among everybody, whoever was asked for.
	other := func(r StatedRow) bool { return !w.asked(r.Actor) }
	out.Rows = slices.DeleteFunc(rankStated(out.Rows), other)
	out.Unranked, out.Besides = slices.DeleteFunc(out.Unranked, other), slices.DeleteFunc(out.Besides, other)
	byAmount := func(a, b StatedRow) int { return cmp.Or(b.units.Cmp(&a.units), cmp.Compare(a.Name, b.Name)) }
	slices.SortStableFunc(out.Unranked, byAmount)
	slices.SortStableFunc(out.Besides, func(a, b StatedRow) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Asset, b.Asset))
	})
	out.Total = total(out.Rows)
	return out, nil
}

// current groups what counts on the day by who holds which asset: the statements of the
// latest day, first the one that is a row of a published table, then the lowest.
func (w *work) current() (groups [][]register.Statement) {
	latest := map[[2]string]string{}
	for i := range w.o.Register.Stated {
		s := &w.o.Register.Stated[i]
		key := [2]string{s.Actor, string(s.Asset)}
		if s.AsOf <= w.day && s.AsOf > latest[key] {
			latest[key] = s.AsOf
		}
	}
	at := map[[2]string]int{}
	for _, s := range w.o.Register.Stated {
		key := [2]string{s.Actor, string(s.Asset)}
		if latest[key] == "" || s.AsOf != latest[key] {
			continue
		}
		if _, ok := at[key]; !ok {
			at[key] = len(groups)
			groups = append(groups, nil)
		}
		groups[at[key]] = append(groups[at[key]], s)
	}
	for _, group := range groups {
		slices.SortStableFunc(group, func(a, b register.Statement) int {
			x, _ := w.o.Register.Amount(a.Asset, a.Quantity)
			y, _ := w.o.Register.Amount(b.Asset, b.Quantity)
			return cmp.Or(boolFirst(a.Table != "", b.Table != ""), x.Cmp(&y))
		})
	}
	return groups
}

func boolFirst(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	}
	return 1
}

func (w *work) statedRow(group []register.Statement, supply *Supply) (row StatedRow, err error) {
	s := group[0]
	row = StatedRow{Statement: s, State: w.top(s.Actor)}
	if row.units, err = w.o.Register.Amount(s.Asset, s.Quantity); err != nil {
		return row, err
	}
	row.Amount = row.units.Dec()
	asset, _ := w.o.Register.Asset(s.Asset)
	row.Symbol = asset.Symbol
	if row.cents, _, err = w.value(s.Asset, asset.Decimals, &row.units); err != nil {
		return row, err
	}
	row.Cents, row.USD = written(row.cents)
	if s.Asset == w.o.Asset {
		row.Share = supply.share(&row.units)
	}
	found, _ := w.o.Book.At(s.Asset, w.priceTime)
	if row.Market, err = MarketOf(w.o.Book, found, &row.units, asset.Decimals, w.o.Sale); err != nil {
		row.MarketMissing = err.Error()
	}
	day, err := register.Day(s.AsOf)
	if err != nil {
		return row, err
	}
	row.AgeDays, row.Fresh = (w.balanceTime-day)/price.Day, day+fresh(s.Kind)
	row.Stale = row.Fresh < w.balanceTime
	for _, id := range s.Sources {
		row.Numbers = append(row.Numbers, w.number(id))
	}
	for i := range group[1:] {
		also, err := w.statedRow(group[i+1:i+2], supply)
		if err != nil {
			return row, err
		}
		row.Also = append(row.Also, also)
	}
	return row, nil
}

func rankStated(rows []StatedRow) []StatedRow {
	standings := make([]standing, len(rows))
	for i := range rows {
		standings[i] = standing{rows[i].cents, rows[i].units, rows[i].Name}
	}
	order, ranks := ranked(standings, true)
	out := make([]StatedRow, len(rows))
	for place, i := range order {
		out[place] = rows[i]
		out[place].Rank = ranks[i]
	}
	return out
}

// total sums the lowest statement of each row; the value is the sum of rounded values, and
// unknown where one of them is.
func total(rows []StatedRow) (t StatedTotal) {
	t.Rule = "the sum of the rows; where statements on one holding differ, the lowest counts"
	cents, kinds := ledger.Amount{}, map[register.Kind]ledger.Amount{}
	t.cents, t.Kinds = &cents, map[register.Kind]string{}
	for i := range rows {
		low := &rows[i]
		for j := range rows[i].Also {
			if also := &rows[i].Also[j]; also.units.Lt(&low.units) {
				low = also
			}
		}
		t.units.Add(&t.units, &low.units)
		kind := kinds[low.Kind]
		kind.Add(&kind, &low.units)
		kinds[low.Kind], t.Kinds[low.Kind] = kind, kind.Dec()
		if low.cents == nil {
			t.cents = nil
		} else if t.cents != nil {
			t.cents.Add(t.cents, low.cents)
		}
	}
	t.Amount = t.units.Dec()
	t.Cents, t.USD = written(t.cents)
	return t
}
