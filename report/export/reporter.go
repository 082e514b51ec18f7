package export

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"gopkg.in/yaml.v3"

	"coldtrail/ledger"
	"coldtrail/report"
)

// placeholder begins a text that who reports must write.
const placeholder = "FILL IN: "

// Reporter is who files a suspicious-transaction report, from a file of theirs. Codes are
// those of their country.
type Reporter struct {
	EntityID   string `yaml:"rentity_id"`
	Branch     string `yaml:"rentity_branch"`
	Submission string `yaml:"submission_code"` // E by default: electronic
	Code       string `yaml:"report_code"`     // STR by default
	Reference  string `yaml:"entity_reference"`
	DateName   string `yaml:"date_element"` // submission_date by default; some schemas say report_date
	Date       string `yaml:"date"`         // such as 2025-03-01T00:00:00
	Currency   string `yaml:"currency_code_local"`

	Person   Person   `yaml:"reporting_person"`
	Location Location `yaml:"location"`

	Reason      string   `yaml:"reason"`
	Action      string   `yaml:"action"`
	Indicators  []string `yaml:"indicators"`
	Transmode   string   `yaml:"transmode_code"`
	FundsCode   string   `yaml:"funds_code"`
	FromCountry string   `yaml:"from_country"`
	ToCountry   string   `yaml:"to_country"`

	// Service is the name under which labels know who reports; without it the deposits at
	// all services are listed.
	Service string `yaml:"service"`
	// Prices are what a whole unit of an asset (CAIP-19) was worth in local currency.
	Prices map[string]string `yaml:"prices"`
}

// Person is who signs.
type Person struct {
	Gender     string `yaml:"gender"`
	Title      string `yaml:"title"`
	FirstName  string `yaml:"first_name"`
	LastName   string `yaml:"last_name"`
	Birthdate  string `yaml:"birthdate"`
	IDNumber   string `yaml:"id_number"`
	Email      string `yaml:"email"`
	Occupation string `yaml:"occupation"`
}

// Location is where the reporter is.
type Location struct {
	Type    string `yaml:"address_type"`
	Address string `yaml:"address"`
	City    string `yaml:"city"`
	Country string `yaml:"country_code"`
}

// field is an element of the report, and whether it must be there.
type field struct {
	name, value string
	needed      bool
}

func (f *field) text() string {
	if f.value == "" {
		return placeholder + f.name
	}
	return f.value
}

// header are the elements before the person, in the order of the schema.
func (p *Reporter) header() []field {
	or := func(value, other string) string {
		if value == "" {
			return other
		}
		return value
	}
	return []field{
		{"rentity_id", p.EntityID, true},
		{"rentity_branch", p.Branch, false},
		{"submission_code", or(p.Submission, "E"), true},
		{"report_code", or(p.Code, "STR"), true},
		{"entity_reference", p.Reference, false},
		{or(p.DateName, "submission_date"), p.Date, true},
		{"currency_code_local", p.Currency, true},
	}
}

func (p *Person) fields() []field {
	return []field{
		{"gender", p.Gender, false},
		{"title", p.Title, false},
		{"first_name", p.FirstName, true},
		{"last_name", p.LastName, true},
		{"birthdate", p.Birthdate, false},
		{"id_number", p.IDNumber, false},
		{"email", p.Email, false},
		{"occupation", p.Occupation, false},
	}
}

func (l *Location) fields() []field {
	return []field{{"address_type", l.Type, true}, {"address", l.Address, true}, {"city", l.City, true}, {"country_code", l.Country, true}}
}

// maxReporter bounds the file of a reporter.
const maxReporter = 1 << 20

// ReadReporter reads a reporter's file (YAML). Unknown keys are errors.
func ReadReporter(r io.Reader) (p Reporter, err error) {
	d := yaml.NewDecoder(io.LimitReader(r, maxReporter))
	d.KnownFields(true)
	if err := d.Decode(&p); err != nil && !errors.Is(err, io.EOF) {
		return p, fmt.Errorf("reporter: %s", strings.Join(strings.Fields(err.Error()), " "))
	}
	if name := p.DateName; name != "" && name != "submission_date" && name != "report_date" {
		return p, fmt.Errorf("reporter: date_element %q: use submission_date or report_date", name)
	}
	for asset, price := range p.Prices {
		if _, _, err := parsePrice(price); err != nil {
			return p, fmt.Errorf("reporter: prices: %s: %w", asset, err)
		}
	}
	return p, nil
}

// Missing lists what a reporter still has to fill in for a draft.
func (p *Reporter) Missing(r *report.Report) (list []string) {
	all := append(append(p.header(), p.Person.fields()...), p.Location.fields()...)
	for i := range all {
		if f := &all[i]; f.needed && f.value == "" {
			list = append(list, f.name)
		}
	}
	for _, f := range []field{{"action", p.Action, true}, {"transmode_code", p.Transmode, true}, {"funds_code", p.FundsCode, true}, {"from_country", p.FromCountry, true}, {"to_country", p.ToCountry, true}} {
		if f.value == "" {
			list = append(list, f.name)
		}
	}
	if len(p.Indicators) == 0 {
		list = append(list, "indicators")
	}
	seen := map[string]bool{}
	for i := range r.Requests {
		if q := &r.Requests[i]; p.Service == "" || p.Service == q.Service {
			for j := range q.Sums {
				if asset := q.Sums[j].Asset; p.Prices[asset] == "" && !seen[asset] {
					seen[asset] = true
					list = append(list, "prices: "+asset)
				}
			}
		}
	}
	return list
}

// local is an amount in local currency, to the hundredth, rounded half to even; nothing
// where the asset has no price.
func (p *Reporter) local(amount, asset string, r *report.Report) (string, error) {
	price := p.Prices[asset]
	if price == "" {
		return "", nil
	}
	value, digits, err := parsePrice(price)
	if err != nil {
		return "", err
	}
	units, err := ledger.ParseAmount(amount)
	if err != nil {
		return "", err
	}
	scale, over := power(r.Digits(asset)+digits), false
	hundred := ledger.NewAmount(100)
	var cents, rest, product ledger.Amount
	if _, over = value.MulOverflow(&value, &hundred); !over {
		_, over = product.MulOverflow(&units, &value)
	}
	if over {
		return "", fmt.Errorf("goaml: %s of %s at %s is more than can be reckoned", amount, asset, price)
	}
	cents.DivMod(&product, &scale, &rest)
	one, twice := ledger.NewAmount(1), rest
	twice.Add(&rest, &rest)
	if c := twice.Cmp(&scale); c > 0 || c == 0 && cents.Uint64()%2 == 1 {
		cents.Add(&cents, &one)
	}
	text := cents.Dec()
	for len(text) < 3 {
		text = "0" + text
	}
	return text[:len(text)-2] + "." + text[len(text)-2:], nil
}

// power is a power of ten.
func power(n int) ledger.Amount {
	ten, z := ledger.NewAmount(10), ledger.NewAmount(1)
	for range n {
		z.Mul(&z, &ten)
	}
	return z
}

// parsePrice reads a decimal number as a whole one and its digits behind the point.
func parsePrice(text string) (ledger.Amount, int, error) {
	whole, rest, _ := strings.Cut(text, ".")
	if len(rest) > 12 || len(whole) > 20 {
		return ledger.Amount{}, 0, fmt.Errorf("price %q: at most 12 digits behind the point", text)
	}
	digits := strings.TrimLeft(whole+rest, "0")
	if digits == "" {
		digits = "0"
	}
	a, err := ledger.ParseAmount(digits)
	if err != nil || a.IsZero() || whole == "" {
		return a, 0, fmt.Errorf("price %q: want a positive decimal number such as 2780.50", text)
	}
	return a, len(rest), nil
}
