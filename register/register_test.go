package register_test

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"

	"coldtrail/ledger"
	"coldtrail/register"
)

func bundled(t *testing.T) *register.Register {
	t.Helper()
	text, err := os.ReadFile("../testdata/register/register.yaml")
	if err != nil {
		t.Fatal(err)
	}
	r, err := register.Parse("register.yaml", bytes.NewReader(text), nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestBundled: the founding table says what it is known for, and what contradicts it is
// there too.
func TestBundled(t *testing.T) {
	r := bundled(t)
	table, all := map[string]string{}, map[string]bool{}
	for i := range r.Stated {
		s := &r.Stated[i]
		if s.Asset != ledger.Bitcoin.Native() {
			continue
		}
		if s.Table == "march-2025" {
			table[s.Name] = s.Quantity
		}
		all[s.Name+" "+s.Quantity] = true
	}
	for name, want := range map[string]string{"United States": "198109", "United Kingdom": "61245", "North Korea (Lazarus)": "13562", "Bhutan": "10635", "El Salvador": "6117"} {
		if table[name] != want {
			t.Errorf("%s: %s, want %s", name, table[name], want)
		}
	}
	for _, row := range []string{"North Korea (Lazarus) 13518", "North Korea (Lazarus) 13441", "Bhutan 13029", "El Salvador 6118", "El Salvador 6089", "China 194000", "Ukraine 46351"} {
		if !all[row] {
			t.Errorf("%s is missing", row)
		}
	}
	ids := map[string]bool{}
	for i := range r.Incidents {
		ids[r.Incidents[i].ID] = true
	}
	for _, id := range []string{"bybit-2025", "dmm-2024", "coinex-2023", "stake-2023", "atomic-wallet-2023", "harmony-2022", "ronin-2022"} {
		if !ids[id] {
			t.Errorf("%s is missing", id)
		}
	}
}

// TestEverySourceIsUsed: a source that no row refers to is a leftover.
func TestEverySourceIsUsed(t *testing.T) {
	text, err := os.ReadFile("../testdata/register/register.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range bundled(t).Sources {
		if strings.Count(string(text), s.ID) < 2 {
			t.Errorf("%s is not used", s.ID)
		}
	}
}

const small = `sources:
- {id: s, by: x, title: y, date: 2025-01-02}
assets:
- {asset: "eip155:1/slip44:60", symbol: ETH, name: Ether, decimals: 18, kind: native, background: z, sources: [s]}
`

// TestRefused names the row and what is wrong with it.
func TestRefused(t *testing.T) {
	stated := func(fields string) string {
		return small + "stated:\n- {actor: a, name: A, asset: \"eip155:1/slip44:60\", quantity: \"1\", as_of: 2025-01-02, by: b, kind: attributed, sources: [s]" + fields + "}\n"
	}
	for text, want := range map[string]string{
		"": "r.yaml: YAML: EOF",
		"sources: [{id: s, by: x, title: y, date: soon}]":                     "r.yaml: source s: date \"soon\"",
		"sources: [{id: s, by: x, title: y, date: 2025}, {id: s}]":            "r.yaml: source s: s is defined twice",
		"sources: [{id: s, by: x, date: 2025}]":                               "r.yaml: source s: title is missing",
		"unknown: 1":                                                          "r.yaml: YAML: ",
		"a: &a [1]\nb: *a":                                                    "r.yaml: YAML: line 1: anchors",
		"title: x\n---\ntitle: y":                                             "r.yaml: YAML: want one document",
		strings.Replace(small, "sources: [s]}", "sources: []}", 1):            "r.yaml: asset eip155:1/slip44:60: no source",
		strings.Replace(small, "sources: [s]}", "sources: [q]}", 1):           "r.yaml: asset eip155:1/slip44:60: source \"q\" is not defined",
		strings.Replace(small, "eip155:1/slip44:60", "eip155:1/ERC20:X", 1):   "r.yaml: asset eip155:1/ERC20:X: asset ",
		strings.Replace(small, "decimals: 18", "decimals: 99", 1):             "r.yaml: asset eip155:1/slip44:60: 99 decimals",
		strings.Replace(small, "kind: native", "kind: coin", 1):               "r.yaml: asset eip155:1/slip44:60: kind \"coin\"",
		strings.Replace(stated(""), `"1"`, `"1.0000000000000000001"`, 1):      "r.yaml: statement of A: \"1.0000000000000000001\" is no quantity of ETH",
		strings.Replace(stated(""), `"1"`, `"-1"`, 1):                         "r.yaml: statement of A: ",
		strings.Replace(stated(""), "as_of: 2025-01-02", "as_of: 2025-01", 1): "r.yaml: statement of A: \"2025-01\" is no day",
		strings.Replace(stated(""), "kind: attributed", "kind: sure", 1):      "r.yaml: statement of A: kind \"sure\"",
		stated(", amount: 5"):                                                 "r.yaml: YAML: ",
		small + "prices:\n- {asset: \"eip155:1/slip44:60\", day: 2025-01-02, close: \"0\", market: m, sources: [s]}\n": "r.yaml: price of eip155:1/slip44:60: a price of 0",
		small + "incidents:\n- {id: i, title: t, date: 2025-01-02}\n":                                                  "r.yaml: incident i: no losses",
		small + "incidents:\n- {id: i, title: t, date: 2025-01-02, losses: [{sources: [s]}]}\n":                        "r.yaml: incident i: loss 1 says neither",
		small + "supplies:\n- {asset: \"eip155:1/slip44:60\", quantity: \"x\", as_of: 2025-01-02, sources: [s]}\n":     "r.yaml: supply of eip155:1/slip44:60: ",
	} {
		if _, err := register.Parse("r.yaml", strings.NewReader(text), nil); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q:\n%v, want %s", text, err, want)
		}
	}
	if _, err := register.Parse("r.yaml", strings.NewReader(stated("")), nil); err != nil {
		t.Error(err)
	}
}

// TestOnto: a file of one's own goes onto the bundled one, uses what is there, and may not
// define it again.
func TestOnto(t *testing.T) {
	base := bundled(t)
	own := "sources:\n- {id: desk, by: a desk, title: a memo, date: 2025-06-01}\nstated:\n- {actor: bhutan, name: Bhutan, asset: \"bip122:000000000019d6689c085ae165831e93/slip44:0\", quantity: \"1.5\", as_of: 2025-06-01, by: a desk, kind: estimated, sources: [desk]}\n"
	r, err := register.Parse("own.yaml", strings.NewReader(own), base)
	if err != nil || len(r.Stated) != len(base.Stated)+1 || r.Digest() == base.Digest() {
		t.Fatal(err)
	}
	if amount, err := r.Amount(ledger.Bitcoin.Native(), "1.5"); err != nil || amount.Dec() != "150000000" {
		t.Error(amount.Dec(), err)
	}
	if _, err := register.Parse("own.yaml", strings.NewReader("sources:\n- {id: yahoo-btc-usd, by: a, title: b, date: 2025}\n"), base); err == nil || !strings.Contains(err.Error(), "defined twice") {
		t.Error(err)
	}
}

// TestQuantity writes what Amount reads.
func TestQuantity(t *testing.T) {
	r := bundled(t)
	for _, text := range []string{"0", "1", "13562", "0.00000001", "20999999.9769", "4502.9"} {
		amount, err := r.Amount(ledger.Bitcoin.Native(), text)
		if got := register.Quantity(&amount, 8); err != nil || got != text {
			t.Errorf("%s is %s, %v", text, got, err)
		}
	}
}

// FuzzParse looks for panics.
func FuzzParse(f *testing.F) {
	f.Add(small)
	f.Add("sources: [{id: 1")
	f.Add("stated:\n- {actor: a, asset: unit/x, quantity: '1'}\n")
	f.Fuzz(func(t *testing.T, text string) {
		r, err := register.Parse("r.yaml", strings.NewReader(text), nil)
		if err == nil && r == nil {
			t.Fatal("nothing, and no error")
		}
	})
}

// TestStandsFor: what an asset is a form of is in the register, and a form of nothing.
func TestStandsFor(t *testing.T) {
	r := bundled(t)
	forms := map[string]string{}
	for i := range r.Assets {
		if a := &r.Assets[i]; a.Stands != "" {
			of, ok := r.Asset(a.Stands)
			if !ok {
				t.Fatalf("%s stands for %s, which is not there", a.Symbol, a.Stands)
			}
			forms[of.Symbol] += " " + a.Symbol
		}
	}
	if forms["BTC"] != " WBTC tBTC cbBTC" || forms["ETH"] != " WETH stETH mETH cmETH" {
		t.Errorf("the forms are %v", forms)
	}
	token := `- {asset: "eip155:1/erc20:0x00000000000000000000000000000000000000%s", symbol: T, name: t, decimals: 1, kind: token, background: z, stands_for: "eip155:1/%s", sources: [s]}` + "\n"
	for text, want := range map[string]string{
		fmt.Sprintf(token, "01", "slip44:60"):                                                                                "",
		fmt.Sprintf(token, "01", "erc20:0x0000000000000000000000000000000000000001"):                                         "a form of something itself",
		fmt.Sprintf(token, "01", "erc20:0x0000000000000000000000000000000000000002"):                                         "not in the register",
		fmt.Sprintf(token, "01", "nothing"):                                                                                  "want native",
		fmt.Sprintf(token, "01", "slip44:60") + fmt.Sprintf(token, "02", "erc20:0x0000000000000000000000000000000000000001"): "a form of something itself",
	} {
		_, err := register.Parse("x.yaml", strings.NewReader(small+text), nil)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}
