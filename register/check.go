package register

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"coldtrail/ledger"
	"coldtrail/price"
)

// check says what is wrong, and where.
func (r *Register) check() (place string, err error) {
	seen := map[string]bool{}
	once := func(name string) error {
		if name == "" || strings.ContainsFunc(name, func(c rune) bool { return c <= ' ' || c > '~' }) {
			return fmt.Errorf("%q is no identifier", clip(name))
		}
		if seen[name] {
			return fmt.Errorf("%s is defined twice", clip(name))
		}
		seen[name] = true
		return nil
	}
	for i := range r.Sources {
		s := &r.Sources[i]
		err := errors.Join(once(s.ID), required("by", s.By), required("title", s.Title), date("date", s.Date))
		if err != nil {
			return "source " + clip(s.ID), first(err)
		}
	}
	clear(seen)
	for i := range r.Assets {
		a := &r.Assets[i]
		if err := errors.Join(once(string(a.Asset)), r.asset(a)); err != nil {
			return "asset " + clip(string(a.Asset)), first(err)
		}
	}
	clear(seen)
	for i := range r.Incidents {
		in := &r.Incidents[i]
		if err := errors.Join(once(in.ID), r.incident(in)); err != nil {
			return "incident " + clip(in.ID), first(err)
		}
	}
	return r.checkFigures()
}

func (r *Register) checkFigures() (place string, err error) {
	for i := range r.Stated {
		if err := r.statement(&r.Stated[i]); err != nil {
			return "statement of " + clip(r.Stated[i].Name), first(err)
		}
	}
	for i := range r.Prices {
		p := &r.Prices[i]
		err := errors.Join(r.sourced(p.Sources), caip("asset", p.Asset), required("market", p.Market))
		if err == nil {
			_, err = p.Quote()
		}
		if err != nil {
			return "price of " + clip(string(p.Asset)), first(err)
		}
	}
	for i := range r.Supplies {
		s := &r.Supplies[i]
		_, dayErr := Day(s.AsOf)
		_, amountErr := r.Amount(s.Asset, s.Quantity)
		if err := errors.Join(r.sourced(s.Sources), caip("asset", s.Asset), dayErr, amountErr); err != nil {
			return "supply of " + clip(string(s.Asset)), first(err)
		}
	}
	return "", nil
}

// first is the first of several errors: one is enough to find the row.
func first(err error) error {
	text, _, _ := strings.Cut(err.Error(), "\n")
	return errors.New(text)
}

func required(name, text string) error {
	if strings.TrimSpace(text) == "" {
		return errors.New(name + " is missing")
	}
	return nil
}

func clip(text string) string {
	if len(text) > 60 {
		return text[:60] + "..."
	}
	return text
}

// sourced wants a source, and every source to be one.
func (r *Register) sourced(ids []string) error {
	if len(ids) == 0 {
		return errors.New("no source")
	}
	for _, id := range ids {
		if _, ok := r.Source(id); !ok {
			return fmt.Errorf("source %q is not defined", clip(id))
		}
	}
	return nil
}

// date wants a day, a month, a year, or the word undated.
func date(name, text string) error {
	if text == "undated" {
		return nil
	}
	for _, form := range []string{"2006-01-02", "2006-01", "2006"} {
		if _, err := time.Parse(form, text); err == nil {
			return nil
		}
	}
	return fmt.Errorf("%s %q is no day (2025-03-17), month or year", name, clip(text))
}

// Day is the beginning of a day of the UTC calendar in Unix seconds.
func Day(text string) (int64, error) {
	day, err := time.Parse("2006-01-02", text)
	if err != nil {
		return 0, fmt.Errorf("%q is no day; want such as 2025-03-17", clip(text))
	}
	return day.Unix(), nil
}

// caip wants an asset of a chain, or "unit/SYMBOL" for what no ledger here holds.
func caip(name string, asset ledger.Asset) error {
	place, token, ok := strings.Cut(string(asset), "/")
	if place == "unit" && ok && token != "" && token == strings.ToLower(token) {
		return nil
	}
	chain, err := ledger.ParseChain(place)
	if err == nil && string(chain) != place {
		err = errors.New("want the chain's full name")
	}
	if err == nil {
		var canonical ledger.Asset
		if canonical, err = chain.ParseAsset(string(asset)); err == nil && canonical != asset {
			err = fmt.Errorf("want it as %s", canonical)
		}
	}
	if err != nil {
		return fmt.Errorf("%s %q: %w", name, clip(string(asset)), err)
	}
	return nil
}

var assetKinds = []string{"native", "token", "wrapped", "staked", "stable", "unit"}

func (r *Register) asset(a *Asset) error {
	err := errors.Join(caip("asset", a.Asset), required("symbol", a.Symbol), required("name", a.Name), required("background", a.Background), r.sourced(a.Sources))
	if !slices.Contains(assetKinds, a.Kind) {
		err = errors.Join(err, fmt.Errorf("kind %q: use one of %s", clip(a.Kind), strings.Join(assetKinds, ", ")))
	}
	if a.Decimals > price.MostDecimals {
		err = errors.Join(err, fmt.Errorf("%d decimals", a.Decimals))
	}
	if a.Since != "" {
		err = errors.Join(err, date("since", a.Since))
	}
	if a.Stands != "" {
		err = errors.Join(err, caip("stands_for", a.Stands), r.stands(a))
	}
	if a.Redeems != nil {
		err = errors.Join(err, caip("redeems", a.Redeems.As), required("redeems: why", a.Redeems.Why))
		if a.Redeems.Num == 0 || a.Redeems.Den == 0 {
			err = errors.Join(err, errors.New("redeems: want a ratio above 0"))
		}
	}
	return err
}

// stands wants what an asset is a form of to be in the register, and a form of nothing.
func (r *Register) stands(a *Asset) error {
	of, ok := r.Asset(a.Stands)
	switch {
	case !ok:
		return fmt.Errorf("stands_for: %s is not in the register", clip(string(a.Stands)))
	case of == a || of.Stands != "":
		return fmt.Errorf("stands_for: %s is a form of something itself", clip(string(a.Stands)))
	}
	return nil
}

func (r *Register) incident(in *Incident) error {
	err := errors.Join(required("title", in.Title), date("date", in.Date))
	if len(in.Losses) == 0 {
		err = errors.Join(err, errors.New("no losses; say which figure, even if only in dollars"))
	}
	for i := range in.Losses {
		l := &in.Losses[i]
		err = errors.Join(err, r.sourced(l.Sources))
		switch {
		case l.Quantity == "" && l.USD == 0:
			err = errors.Join(err, fmt.Errorf("loss %d says neither a quantity nor dollars", i+1))
		case l.USDTo != 0 && l.USDTo <= l.USD:
			err = errors.Join(err, fmt.Errorf("loss %d: usd_to is not above usd", i+1))
		case l.Quantity != "":
			_, amountErr := r.Amount(l.Asset, l.Quantity)
			err = errors.Join(err, caip("asset", l.Asset), amountErr)
		}
	}
	for i := range in.By {
		by := &in.By[i]
		err = errors.Join(err, required("actor", by.Actor), required("by", by.By), r.sourced(by.Sources))
		if by.Date != "" {
			err = errors.Join(err, date("attributed_to: date", by.Date))
		}
	}
	return err
}

func (r *Register) statement(s *Statement) error {
	_, dayErr := Day(s.AsOf)
	_, amountErr := r.Amount(s.Asset, s.Quantity)
	err := errors.Join(required("actor", s.Actor), required("name", s.Name), required("by", s.By), caip("asset", s.Asset), dayErr, amountErr, r.sourced(s.Sources))
	if !slices.Contains(Kinds, s.Kind) {
		err = errors.Join(err, fmt.Errorf("kind %q: use one of %v", clip(string(s.Kind)), Kinds))
	}
	return err
}
