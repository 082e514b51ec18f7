package main_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"coldtrail/attribution/behaviour"
	"coldtrail/attribution/cluster"
	"coldtrail/chain/bitcoin"
	"coldtrail/chain/evm"
	"coldtrail/internal/replay"
	"coldtrail/ledger"
	"coldtrail/store"
	"coldtrail/store/embedded"
)

// measured is what the bench says of the heuristics of attribution.
type measured struct {
	Rules []struct {
		Chain, Rules                      string
		Addresses, Links, Clusters, Pairs int
		RightLinks                        int            `json:"right_links"`
		RightPairs                        int            `json:"right_pairs"`
		OwnedPairs                        int            `json:"owned_pairs"`
		RightOfPeople                     int            `json:"right_pairs_of_people"`
		OwnedByPeople                     int            `json:"owned_pairs_of_people"`
		Mixed                             int            `json:"clusters_of_several"`
		Largest                           int            `json:"largest_wrong_cluster"`
		LargestOwners                     int            `json:"owners_in_it"`
		Wrong                             map[string]int `json:"wrong_links"`
	}
	Endings []struct {
		Chain, By        string
		Of, Found, Right int
	}
	CoinJoins []struct {
		On, Rule         string
		Of, Found, Right int
	}
	Patterns []struct {
		Pattern                  string
		Planted, Found, Findings int
		Alike                    int `json:"look_alikes"`
		AlikeFound               int `json:"look_alikes_found"`
		OfPlanted                int `json:"findings_of_planted"`
	}
	Peels []struct {
		Change                               string
		Steps, Chains, Planted, Found, Whole int
		Right                                int `json:"right_steps"`
		OfPlanted                            int `json:"chains_of_planted"`
		OfAlike                              int `json:"chains_of_look_alikes"`
	}
}

// measuredText is what one run printed, for all tests.
var (
	measuredLock sync.Mutex
	measuredText string
)

func measuredOnce(t *testing.T) *measured {
	t.Helper()
	measuredLock.Lock()
	defer measuredLock.Unlock()
	if measuredText == "" {
		measuredText = must(t, "bench", "--phase", "attribution", "--seed", "1", "--json")
	}
	return parse[*measured](t, measuredText)
}

// TestAttributionBounds: on planted owners no rule gets worse than it was.
func TestAttributionBounds(t *testing.T) {
	m := measuredOnce(t)
	bounds := map[string]struct {
		links, pairs, found int // per mille right, right, and of one owner's pairs found
		mixed, largest      int // at most
	}{
		"co-spend":        {links: 985, pairs: 980, found: 250, mixed: 95, largest: 100},
		"deposit-address": {links: 900, pairs: 810, found: 29, mixed: 3, largest: 140},
		"creator":         {links: 1000, pairs: 1000},
		"change:score":    {links: 980, pairs: 975, found: 4, mixed: 50, largest: 12},
		"change:one-time": {links: 945, pairs: 945, found: 4, mixed: 120, largest: 12},
	}
	perMille := func(part, of int) int { return 1000 * part / max(of, 1) }
	seen := map[string]bool{}
	for _, r := range m.Rules {
		b, ok := bounds[r.Rules]
		if !ok {
			continue
		}
		seen[r.Rules] = true
		if r.Links == 0 || perMille(r.RightLinks, r.Links) < b.links || perMille(r.RightPairs, r.Pairs) < b.pairs || perMille(r.RightPairs, r.OwnedPairs) < b.found || r.Mixed > b.mixed || r.Largest > b.largest {
			t.Errorf("%s: %+v, want at least %+v", r.Rules, r, b)
		}
		if r.RightPairs > r.Pairs || r.RightPairs > r.OwnedPairs || r.RightOfPeople > r.OwnedByPeople {
			t.Errorf("%s: more is right than there is: %+v", r.Rules, r)
		}
	}
	for _, family := range []ledger.Family{ledger.UTXO, ledger.Account} {
		for _, r := range cluster.Defaults(family) {
			if !seen[r.Name] {
				t.Errorf("%s is a default rule without a bound", r.Name)
			}
		}
	}
}

// TestCoinJoinsKeepOwnersApart: without leaving coinjoins out co-spend makes one owner of
// hundreds; every coinjoin that a rule can see is seen, and nothing else.
func TestCoinJoinsKeepOwnersApart(t *testing.T) {
	m := measuredOnce(t)
	owners := map[string]int{}
	for _, r := range m.Rules {
		owners[r.Rules] = r.LargestOwners
		if r.Rules == "co-spend" {
			for _, protocol := range []string{"Whirlpool", "Wasabi 2", "JoinMarket"} {
				if r.Wrong[protocol] > 0 {
					t.Errorf("%d links rest on coinjoins of %s", r.Wrong[protocol], protocol)
				}
			}
		}
	}
	if owners["co-spend"] > 5 || owners["co-spend, coinjoins not left out"] < 100 {
		t.Errorf("the largest wrong clusters have %d owners, and %d with coinjoins", owners["co-spend"], owners["co-spend, coinjoins not left out"])
	}
	want := map[string][3]int{ // of, found, right
		"bybit all rules":         {22, 22, 22},
		"owners whirlpool":        {60, 60, 60},
		"owners whirlpool-segwit": {60, 60, 60},
		"owners wasabi2":          {12, 12, 12},
		"owners joinmarket":       {50, 43, 40},    // ten are of two people, and look like a Stonewall; three are payments
		"owners all rules":        {134, 114, 112}, // twelve more have no equal outputs; two are payments
	}
	for _, c := range m.CoinJoins {
		if w, ok := want[c.On+" "+c.Rule]; ok {
			delete(want, c.On+" "+c.Rule)
			if got := [3]int{c.Of, c.Found, c.Right}; got != w {
				t.Errorf("coinjoins of %s by %s: %v, want %v", c.On, c.Rule, got, w)
			}
		}
	}
	if len(want) > 0 {
		t.Errorf("not measured: %v", want)
	}
}

// TestPatternsFindWhatIsPlanted: all that was planted is found, and of what resembles it
// just what satisfies the definition too. Every pattern is measured.
func TestPatternsFindWhatIsPlanted(t *testing.T) {
	type demand struct{ planted, alike, alikeFound, findings int }
	demands := map[string]demand{ // findings are the most that there may be
		"fan-out": {12, 6, 6, 42}, "equal-amount-fan-out": {12, 6, 6, 24}, "fan-in": {12, 6, 6, 18}, "structuring": {12, 6, 0, 12},
		"pass-through": {12, 6, 0, 2_663}, "dormancy": {12, 6, 6, 18}, "dusting": {12, 6, 0, 12}, "dusted": {220, 220, 110, 330},
		"address-poisoning": {12, 6, 0, 12}, "gas-funding": {12, 6, 3, 2_206}, "gas-top-up": {12, 6, 3, 324}, "sweep": {12, 6, 0, 12},
		"hot-wallet": {2, 2, 0, 2}, "exchange-hopping": {12, 6, 0, 12}, "bridge-spraying": {12, 6, 2, 14}, "mixer-use": {12, 6, 6, 18},
		"commingling": {12, 6, 3, 27}, "commingled-transaction": {12, 6, 3, 30}, "layering": {12, 6, 2, 37}, "round-trip": {12, 6, 2, 14},
	}
	m := measuredOnce(t)
	for _, p := range m.Patterns {
		d, ok := demands[p.Pattern]
		delete(demands, p.Pattern)
		if !ok || p.Planted != d.planted || p.Found != d.planted || p.Alike != d.alike || p.AlikeFound != d.alikeFound {
			t.Errorf("%+v, want all of %d planted and %d of %d that look alike", p, d.planted, d.alikeFound, d.alike)
		}
		if p.Findings > d.findings || p.OfPlanted < p.Found || p.OfPlanted+p.AlikeFound > p.Findings {
			t.Errorf("%+v, want at most %d findings", p, d.findings)
		}
	}
	if len(demands) > 0 {
		t.Errorf("not measured: %v", demands)
	}
	if n := len(m.Patterns); n != len(behaviour.Patterns)-1 || len(m.Peels) == 0 { // peel chains are measured by their steps
		t.Errorf("%d of %d patterns were measured, peel chains in %d ways", n, len(behaviour.Patterns), len(m.Peels))
	}
	for _, p := range m.Peels {
		if 100*p.Right < 80*p.Steps || p.OfPlanted < 24 || p.Found < 9 {
			t.Errorf("peel chains: %+v", p)
		}
	}
}

// TestClustersOfMadeChain: the chain that is made for measuring has the shape it should, is
// the same every time, and gives the same clusters in memory and in files.
func TestClustersOfMadeChain(t *testing.T) {
	type grown struct{ Inputs, Outputs, Transactions, Disk, Links uint64 }
	flags := []string{"bench", "--phase", "clusters-scale", "--inputs", "200000", "--keep", t.TempDir(), "--json"}
	inMemory, inFiles := parse[grown](t, must(t, flags...)), parse[grown](t, must(t, append(flags, "--in-files")...))
	if inFiles.Disk == 0 || inMemory.Disk != 0 {
		t.Errorf("%d bytes in files, %d in memory", inFiles.Disk, inMemory.Disk)
	}
	if inFiles.Disk = 0; inMemory != inFiles {
		t.Errorf("in memory %+v, in files %+v", inMemory, inFiles)
	}
	if in, out := 100*inMemory.Inputs/inMemory.Transactions, 100*inMemory.Outputs/inMemory.Transactions; in < 150 || in > 250 || out < 210 || out > 250 || inMemory.Links < 20_000 {
		t.Errorf("%+v: %d inputs and %d outputs to a hundred transactions", inMemory, in, out)
	}
}

// TestTruthOfOwners: every address of a replay has an owner.
func TestTruthOfOwners(t *testing.T) {
	for _, scenario := range []string{"bybit", "dmm", "owners"} {
		folder, _ := playInto(t, "--scenario", scenario, "--thin", "40", "--wallets", "300")
		text, err := os.ReadFile(filepath.Join(folder, "truth.json"))
		if err != nil {
			t.Fatal(err)
		}
		var truth struct{ Owners map[string]string }
		if err := json.Unmarshal(text, &truth); err != nil {
			t.Fatal(err)
		}
		if len(truth.Owners) < 500 || slices.Contains(slices.Collect(maps.Values(truth.Owners)), "") {
			t.Errorf("%s has %d owned addresses", scenario, len(truth.Owners))
		}
		for _, address := range unowned(t, filepath.Join(folder, "ledger"), truth.Owners) {
			t.Errorf("%s: nobody owns %s", scenario, address)
		}
	}
}

// unowned lists addresses of a ledger that are in no list of owners. Outputs that only
// carry a long memo belong to nobody.
func unowned(t *testing.T, folder string, owners map[string]string) (list []string) {
	t.Helper()
	s, err := embedded.Open(t.Context(), folder, embedded.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	missing := map[string]bool{}
	met := func(text string) {
		if text != "" && owners[text] == "" && owners[strings.ToLower(text)] == "" {
			missing[text] = true
		}
	}
	for b, err := range s.Blocks(t.Context(), ledger.Ethereum, 0, 1<<62) {
		if err != nil {
			t.Fatal(err)
		}
		for i := range b.Txs {
			met(evm.Notation{}.FormatAddress(b.Txs[i].Fee.Payer))
			for _, m := range b.Txs[i].Transfers {
				met(evm.Notation{}.FormatAddress(m.From))
				met(evm.Notation{}.FormatAddress(m.To))
			}
		}
	}
	const memo = 294
	for run, err := range s.Owned(t.Context(), replay.Regtest, 0, 1<<62) {
		if err != nil {
			t.Fatal(err)
		}
		numbers := make([]store.OutputNumber, len(run.Values))
		for i := range numbers {
			numbers[i] = run.FirstOutput + store.OutputNumber(i)
		}
		outputs, err := s.Outputs(t.Context(), replay.Regtest, numbers)
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range outputs {
			if o.Value != memo {
				met(bitcoin.Notation{Network: bitcoin.Regtest}.FormatAddress(o.Address))
			}
		}
	}
	return slices.Sorted(maps.Keys(missing))
}

// TestAttributionDocuments holds the figures of the pages against a run.
func TestAttributionDocuments(t *testing.T) {
	for page, rows := range measuredRows(measuredOnce(t)) {
		text, err := os.ReadFile(filepath.Join("..", "..", "docs", "methods", page))
		if err != nil {
			t.Error(err)
			continue
		}
		for _, row := range rows {
			if !strings.Contains(string(text), row) {
				t.Errorf("docs/methods/%s lacks: %s", page, row)
			}
		}
	}
}

// measuredRows are the rows of the tables in docs/methods, by page.
func measuredRows(m *measured) map[string][]string {
	rows := map[string][]string{}
	pages := map[string]string{
		"co-spend": "co-spend.md", "change": "change.md", "deposit": "deposit-address.md", "gas": "gas-funder.md",
		"self": "self-authorisation.md", "creator": "creator.md",
	}
	for _, r := range m.Rules {
		first, _, _ := strings.Cut(r.Rules, "-")
		first, _, _ = strings.Cut(first, ":")
		first, _, _ = strings.Cut(first, ",")
		if first == "co" {
			first = "co-spend"
		}
		if strings.Contains(r.Rules, "change:") {
			first = "change"
		}
		var misled []string
		for _, what := range slices.Sorted(maps.Keys(r.Wrong)) {
			misled = append(misled, fmt.Sprintf("%s %s", what, grouped(r.Wrong[what])))
		}
		if len(misled) == 0 {
			misled = []string{"nothing"}
		}
		name := strings.ReplaceAll(r.Rules, "|", `\|`)
		rows[pages[first]] = append(rows[pages[first]],
			fmt.Sprintf("| %s | %s | %s | %s | %s | %s | %s | %d | %d of %d |", name, grouped(r.Links), share(r.RightLinks, r.Links), grouped(r.Pairs), share(r.RightPairs, r.Pairs),
				share(r.RightPairs, r.OwnedPairs), share(r.RightOfPeople, r.OwnedByPeople), r.Mixed, r.Largest, r.LargestOwners),
			fmt.Sprintf("| %s | %s |", name, strings.Join(misled, ", ")))
	}
	for _, e := range m.Endings {
		kind, _, _ := strings.Cut(e.Chain, ":")
		rows["deposit-address.md"] = append(rows["deposit-address.md"], fmt.Sprintf("| %s | %s | %s | %s | %s | %s | %s |", kind, e.By, grouped(e.Of), grouped(e.Found), grouped(e.Right), share(e.Right, e.Found), share(e.Right, e.Of)))
	}
	for _, c := range m.CoinJoins {
		if c.On != "mixes" { // whose page has its own test
			rows["coinjoin.md"] = append(rows["coinjoin.md"], fmt.Sprintf("| %s | %s | %d | %d | %d | %s | %s |", c.On, c.Rule, c.Of, c.Found, c.Right, share(c.Right, c.Found), share(c.Right, c.Of)))
		}
	}
	for _, p := range m.Patterns {
		rows["behaviour.md"] = append(rows["behaviour.md"], fmt.Sprintf("| %s | %d of %d | %d of %d | %s | %s |", p.Pattern, p.Found, p.Planted, p.AlikeFound, p.Alike, grouped(p.Findings), share(p.OfPlanted, p.Findings)))
	}
	for _, p := range m.Peels {
		rows["peel-chain.md"] = append(rows["peel-chain.md"], fmt.Sprintf("| %s | %s | %s | %d | %d | %d | %d | %d of %d |", p.Change, grouped(p.Steps), share(p.Right, p.Steps), p.Chains, p.OfPlanted, p.OfAlike, p.Whole, p.Found, p.Planted))
	}
	return rows
}

// share is a percentage with one decimal, rounded down.
func share(part, of int) string {
	if of == 0 {
		return "-"
	}
	n := 1000 * part / of
	return fmt.Sprintf("%d.%d %%", n/10, n%10)
}

// grouped is a number with commas.
func grouped(n int) string {
	text := strconv.Itoa(n)
	for at := len(text) - 3; at > 0; at -= 3 {
		text = text[:at] + "," + text[at:]
	}
	return text
}
