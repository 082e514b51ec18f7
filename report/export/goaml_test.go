package export_test

import (
	"encoding/xml"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"coldtrail/report/export"
	"coldtrail/report/xsd"
)

// complete is a reporter's file in which nothing is missing.
const complete = `
rentity_id: "77"
entity_reference: C-1
date: 2025-03-10T00:00:00
currency_code_local: EUR
reporting_person: {first_name: Ann, last_name: "<b>Analyst</b>"}
location: {address_type: B, address: Main Street 1, city: Vienna, country_code: AT}
action: "accounts frozen"
indicators: [VA01, VA07]
transmode_code: VA
funds_code: V
from_country: XX
to_country: AT
prices:
  eip155:1/slip44:60: "2345.67"
  "bip122:0f9188f13cb7b2c71f2a335e3a4fc328/slip44:0": "88000"
`

// core is a schema of the common core of goAML in our words: the elements that this draft
// has, in the order of the standard. No country's schema.
const core = `<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" elementFormDefault="qualified">
 <xs:simpleType name="code"><xs:restriction base="xs:string"><xs:pattern value="[A-Z0-9]{1,6}"/></xs:restriction></xs:simpleType>
 <xs:simpleType name="money"><xs:restriction base="xs:decimal"><xs:fractionDigits value="2"/></xs:restriction></xs:simpleType>
 <xs:complexType name="currency"><xs:sequence>
  <xs:element name="foreign_currency_code" type="xs:string"/><xs:element name="foreign_amount" type="xs:decimal"/><xs:element name="foreign_exchange_rate" type="xs:decimal"/>
 </xs:sequence></xs:complexType>
 <xs:complexType name="account"><xs:sequence>
  <xs:element name="institution_name" type="xs:string"/><xs:element name="non_bank_institution" type="xs:boolean"/><xs:element name="account" type="xs:string"/>
 </xs:sequence></xs:complexType>
 <xs:complexType name="from"><xs:sequence>
  <xs:element name="from_funds_code" type="code"/><xs:element name="from_foreign_currency" type="currency"/><xs:element name="from_account" type="account"/><xs:element name="from_country" type="code"/>
 </xs:sequence></xs:complexType>
 <xs:complexType name="to"><xs:sequence>
  <xs:element name="to_funds_code" type="code"/><xs:element name="to_foreign_currency" type="currency"/><xs:element name="to_account" type="account"/><xs:element name="to_country" type="code"/>
 </xs:sequence></xs:complexType>
 <xs:element name="report"><xs:complexType><xs:sequence>
  <xs:element name="rentity_id" type="xs:positiveInteger"/><xs:element name="rentity_branch" type="xs:string" minOccurs="0"/><xs:element name="submission_code" type="code"/><xs:element name="report_code" type="code"/>
  <xs:element name="entity_reference" type="xs:string" minOccurs="0"/><xs:element name="submission_date" type="xs:dateTime"/><xs:element name="currency_code_local" type="code"/>
  <xs:element name="reporting_person"><xs:complexType><xs:sequence><xs:element name="first_name" type="xs:string"/><xs:element name="last_name" type="xs:string"/></xs:sequence></xs:complexType></xs:element>
  <xs:element name="location"><xs:complexType><xs:sequence><xs:element name="address_type" type="code"/><xs:element name="address" type="xs:string"/><xs:element name="city" type="xs:string"/><xs:element name="country_code" type="code"/></xs:sequence></xs:complexType></xs:element>
  <xs:element name="reason" type="xs:string"/><xs:element name="action" type="xs:string"/>
  <xs:element name="transaction" maxOccurs="unbounded"><xs:complexType><xs:sequence>
   <xs:element name="transactionnumber" type="xs:string"/><xs:element name="internal_ref_number" type="xs:string"/><xs:element name="transaction_location" type="xs:string"/><xs:element name="transaction_description" type="xs:string"/>
   <xs:element name="date_transaction" type="xs:dateTime"/><xs:element name="transmode_code" type="code"/><xs:element name="amount_local" type="money"/>
   <xs:element name="t_from" type="from"/><xs:choice><xs:element name="t_to" type="to"/><xs:element name="t_to_my_client" type="to"/></xs:choice><xs:element name="comments" type="xs:string" minOccurs="0"/>
  </xs:sequence></xs:complexType></xs:element>
  <xs:element name="report_indicators"><xs:complexType><xs:sequence><xs:element name="indicator" type="code" maxOccurs="unbounded"/></xs:sequence></xs:complexType></xs:element>
 </xs:sequence></xs:complexType></xs:element>
</xs:schema>`

// draft is what the tests read of a draft.
type draft struct {
	Person struct {
		Last string `xml:"last_name"`
	} `xml:"reporting_person"`
	Reason       string `xml:"reason"`
	Transactions []struct {
		Tx    string `xml:"internal_ref_number"`
		Local string `xml:"amount_local"`
		From  struct {
			Account string `xml:"from_account>account"`
		} `xml:"t_from"`
		To *side `xml:"t_to"`
		My *side `xml:"t_to_my_client"`
	} `xml:"transaction"`
	Indicators []string `xml:"report_indicators>indicator"`
}

type side struct {
	Holder  string `xml:"to_account>institution_name"`
	Account string `xml:"to_account>account"`
	Amount  string `xml:"to_foreign_currency>foreign_amount"`
	Unit    string `xml:"to_foreign_currency>foreign_currency_code"`
}

func reporter(t *testing.T, text string) export.Reporter {
	t.Helper()
	p, err := export.ReadReporter(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestGoAML reads a complete draft back: each deposit at a service once, with sender,
// receiver and its value; nothing is missing, and it is a draft.
func TestGoAML(t *testing.T) {
	r := build(t)
	p := reporter(t, complete)
	if missing := p.Missing(r); len(missing) != 0 {
		t.Errorf("missing %v of a complete reporter", missing)
	}
	text := files(t, "goaml", r, &export.Options{Reporter: p})["goaml-draft.xml"]
	var d draft
	if err := xml.Unmarshal(text, &d); err != nil {
		t.Fatal(err)
	}
	want := map[string]int{}
	for i := range r.Requests {
		for j := range r.Requests[i].Lines {
			for _, a := range r.Requests[i].Lines[j].Arrivals {
				want[a.Tx+" "+r.Requests[i].Lines[j].Address]++
			}
		}
	}
	got := map[string]int{}
	for _, x := range d.Transactions {
		got[x.Tx+" "+x.To.Account]++
		if x.From.Account == "" || x.My != nil || x.Local == "" {
			t.Errorf("transaction %+v", x)
		}
	}
	for key, n := range want {
		if got[key] != n {
			t.Errorf("%s stands %d times, want %d", key, got[key], n)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d deposits, want %d", len(got), len(want))
	}
	if d.Person.Last != "<b>Analyst</b>" || !slices.Equal(d.Indicators, []string{"VA01", "VA07"}) || !strings.HasPrefix(d.Reason, "DRAFT. ") || !strings.Contains(d.Reason, "attributed to lazarus-group by FBI (their judgement)") {
		t.Errorf("draft %+v", d.Reason)
	}
	if strings.Contains(string(text[200:]), "FILL IN") || !strings.Contains(string(text), "<!-- DRAFT") {
		t.Error("a complete draft has placeholders, or does not say what it is")
	}
}

// TestGoAMLOfOneService lists the deposits of who reports, as its clients'.
func TestGoAMLOfOneService(t *testing.T) {
	p := reporter(t, complete+"service: eXch\n")
	var d draft
	if err := xml.Unmarshal(files(t, "goaml", build(t), &export.Options{Reporter: p})["goaml-draft.xml"], &d); err != nil {
		t.Fatal(err)
	}
	for _, x := range d.Transactions {
		if x.My == nil || x.To != nil || x.My.Holder != "eXch" {
			t.Errorf("transaction %+v", x)
		}
	}
	if len(d.Transactions) < 10 {
		t.Errorf("%d deposits", len(d.Transactions))
	}
	p.Service = "nobody"
	list, err := export.GoAML.Files(build(t), &export.Options{Reporter: p})
	if err == nil {
		err = list[0].Write(&strings.Builder{})
	}
	if err == nil || !strings.Contains(err.Error(), "no stolen value reached nobody") {
		t.Errorf("a service that got nothing: %v", err)
	}
}

// TestGoAMLMissing names what an empty reporter has to fill in, and writes it so.
func TestGoAMLMissing(t *testing.T) {
	r := build(t)
	var p export.Reporter
	missing := p.Missing(r)
	for _, want := range []string{"rentity_id", "first_name", "city", "action", "indicators", "prices: eip155:1/slip44:60"} {
		if !slices.Contains(missing, want) {
			t.Errorf("%s is not said to be missing: %v", want, missing)
		}
	}
	text := string(files(t, "goaml", r, &export.Options{})["goaml-draft.xml"])
	for _, want := range []string{"<rentity_id>FILL IN: rentity_id</rentity_id>", "<last_name>FILL IN: last_name</last_name>", "<amount_local>FILL IN: value in local currency</amount_local>"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s", want)
		}
	}
}

// TestGoAMLAgainstSchema has xmllint check a complete draft, and one that is not.
func TestGoAMLAgainstSchema(t *testing.T) {
	if _, err := exec.LookPath("xmllint"); err != nil {
		t.Skip("no xmllint on this machine")
	}
	folder := t.TempDir()
	schema := filepath.Join(folder, "core.xsd")
	write := func(name string, text []byte) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	write("core.xsd", []byte(core))
	good := write("good.xml", files(t, "goaml", build(t), &export.Options{Reporter: reporter(t, complete)})["goaml-draft.xml"])
	if err := xsd.Validate(t.Context(), good, schema); err != nil {
		t.Errorf("a complete draft: %v", err)
	}
	bad := write("bad.xml", files(t, "goaml", build(t), &export.Options{})["goaml-draft.xml"])
	var invalid *xsd.InvalidError
	if err := xsd.Validate(t.Context(), bad, schema); !errors.As(err, &invalid) || !strings.Contains(invalid.Error(), "rentity_id") || invalid.More == 0 {
		t.Errorf("a draft with placeholders: %v", err)
	}
}

// TestLocalValue reckons values exactly, half to even.
func TestLocalValue(t *testing.T) {
	r := build(t)
	ether := "eip155:1/slip44:60"
	for _, c := range []struct{ amount, price, want string }{
		{"1000000000000000000", "2345.67", "2345.67"},
		{"1", "2345.67", "0.00"},
		{"500000000000000000", "0.01", "0.00"},  // half a cent, to the even
		{"1500000000000000000", "0.01", "0.02"}, // one and a half
		{"2500000000000000000", "0.01", "0.02"}, // two and a half
		{"2500000000000000001", "0.01", "0.03"},
		{"401346768858404671846374", "2345.678901", "941430647.70"},
	} {
		p := export.Reporter{Prices: map[string]string{ether: c.price}}
		if got, err := p.Local(c.amount, ether, r); err != nil || got != c.want {
			t.Errorf("%s at %s: %s, %v, want %s", c.amount, c.price, got, err, c.want)
		}
	}
	huge := strings.Repeat("9", 77)
	p := export.Reporter{Prices: map[string]string{ether: "99999999999999999999"}}
	if got, err := p.Local(huge, ether, r); err == nil {
		t.Errorf("%s was reckoned as %s", huge, got)
	}
}

// TestReporterFile refuses what a reporter's file cannot mean.
func TestReporterFile(t *testing.T) {
	for text, want := range map[string]string{
		"rentity: 7":                       "field rentity not found",
		"date_element: when":               "use submission_date or report_date",
		"prices: {a: \"-1\"}":              "want a positive decimal number",
		"prices: {a: \"0\"}":               "want a positive decimal number",
		"prices: {a: \"1.0000000000001\"}": "at most 12 digits",
		"[1, 2]":                           "cannot unmarshal",
		"rentity_id: \"1\"\nprices: {a: \"1.5e3\"}\n": "want a positive decimal number",
	} {
		if _, err := export.ReadReporter(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	if _, err := export.ReadReporter(strings.NewReader("")); err != nil {
		t.Errorf("an empty file: %v", err)
	}
}

// FuzzReporter reads any text as a reporter's file.
func FuzzReporter(f *testing.F) {
	f.Add(complete)
	f.Add("prices: {a: \"1.5\"}")
	f.Add("&a [*a]")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := export.ReadReporter(strings.NewReader(text))
		if err == nil && p.DateName != "" && p.DateName != "submission_date" && p.DateName != "report_date" {
			t.Errorf("took the date element %q", p.DateName)
		}
	})
}
