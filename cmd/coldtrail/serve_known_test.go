package main_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// knownStore holds the first blocks of Bitcoin, the bundled theft, and who is who.
func knownStore(t *testing.T) string {
	t.Helper()
	data := bybitStore(t)
	must(t, "--data", data, "ingest", "bitcoin", "--from", "blocks:"+realChain)
	must(t, "--data", data, "labels", "import", "--bundled")
	return data
}

// foundItem is what a search found.
type foundItem struct {
	Type, Chain, ID, Title, Detail string
	Held                           bool
}

type foundItems struct {
	Items    []foundItem
	Complete bool
}

func (s *served) search(q string) foundItems {
	s.t.Helper()
	code, text := s.get("/v1/search?q=" + url.QueryEscape(q))
	if code != http.StatusOK {
		s.t.Fatalf("%q: %d %s", q, code, text)
	}
	return parse[foundItems](s.t, text)
}

const (
	bitcoinMain = "bip122:000000000019d6689c085ae165831e93"
	firstPaid   = "f4184fc596403b9d638783cf57adfe4c75c605f6356fbc91338530e9831e9e16" // of block 170
	theftTx     = "0xb61413c495fdad6114a7aa863a00b2e3c28945979a10885b12b30316ea9f072c"
)

// TestServeSearch: whatever people write for a thing finds it, and what is not held says
// so.
func TestServeSearch(t *testing.T) {
	s := serve(t, "--data", knownStore(t), "serve", "--open")
	const thief = "0x47666Fab8bd0Ac7003bce3f5C3585383F09486E2"
	absent := "0x" + strings.Repeat("ab", 32)
	for _, test := range []struct {
		q    string
		want []foundItem // details are not compared where they are empty
	}{
		{thief, []foundItem{{"address", "eip155:1", thief, thief, "", true}}},
		{strings.ToLower(thief), []foundItem{{"address", "eip155:1", thief, thief, "", true}}},
		{"  " + strings.ToLower(thief)[2:], []foundItem{{"address", "eip155:1", thief, thief, "", true}}},
		{strings.Replace(thief, "F", "f", 1), []foundItem{{"address", "eip155:1", thief, thief, "its capitals are wrong, a digit may be too", true}}},
		{"0x00000000000000000000000000000000000000ff", []foundItem{{"address", "eip155:1", "0x00000000000000000000000000000000000000ff", "0x00000000000000000000000000000000000000ff", "the ledger holds nothing of it", false}}},
		{"1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", []foundItem{{"address", bitcoinMain, "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "", true}}},
		{"BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4", []foundItem{{"address", bitcoinMain, "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "the ledger holds nothing of it", false}}},
		{"TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t", []foundItem{{"address", "tron", "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t", "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t", "the ledger holds no block of tron", false}}},
		{theftTx, []foundItem{{"transaction", "eip155:1", theftTx, theftTx, "transaction of ethereum", true}}},
		{strings.ToUpper(theftTx[2:]), []foundItem{{"transaction", "eip155:1", theftTx, theftTx, "transaction of ethereum", true}}},
		{absent, []foundItem{{"transaction", "eip155:1", absent, absent, "the ledger does not hold it", false}}},
		{firstPaid, []foundItem{{"transaction", bitcoinMain, firstPaid, firstPaid, "transaction of bitcoin", true}}},
		{firstPaid + ":0", []foundItem{{"outpoint", bitcoinMain, firstPaid + ":0", firstPaid + ":0", "output of 1000000000 satoshi, unspent", true}}},
		{firstPaid + ":1", []foundItem{{"outpoint", bitcoinMain, firstPaid + ":1", firstPaid + ":1", "output of 4000000000 satoshi, spent", true}}},
		{firstPaid + ":2", []foundItem{{"outpoint", bitcoinMain, firstPaid + ":2", firstPaid + ":2", "the transaction has no such output", false}}},
		{firstPaid + ":-1", nil},
		{"ethereum 21895251", []foundItem{{"block", "eip155:1", "21895251", "block 21895251 of ethereum", "", true}}},
		{"#170", []foundItem{{"block", bitcoinMain, "170", "block 170 of bitcoin", "", true}}},
		{"14,131", []foundItem{{"block", bitcoinMain, "14131", "block 14131 of bitcoin", "", true}}},
		{"14132", nil},
		{"bitcoin 21895251", nil},
		{"00000000d1145790a8694403d4063f323d499e655c83426834d4ce2f8dd4a2ee", []foundItem{{"block", bitcoinMain, "170", "block 170 of bitcoin", "", true}}},
		{"hidden cobra", []foundItem{{"entity", "", "lazarus-group", "Lazarus Group", "belongs to reconnaissance-general-bureau < dprk", true}}},
		{"Bybit", []foundItem{{"incident", "", "bybit-2025", "Bybit cold wallet", "2025-02-21", true}}},
		{"WETH", []foundItem{{"asset", "eip155:1", weth, "WETH", "Wrapped Ether", true}}},
		{"zzz no such thing", nil},
		{"\u202f...'", nil},
	} {
		got := s.search(test.q)
		for i := range got.Items {
			if i < len(test.want) && test.want[i].Detail == "" {
				got.Items[i].Detail = ""
			}
		}
		if !slices.Equal(got.Items, test.want) || !got.Complete {
			t.Errorf("%q: %+v, want %+v", test.q, got, test.want)
		}
	}
	if got := s.search("btc"); len(got.Items) != 4 || got.Items[0].Title != "BTC" || got.Items[1].Title != "WBTC" {
		t.Errorf("what is equal comes first: %+v", got)
	}
	if code, text := s.get("/v1/search?limit=1&q=btc"); code != 200 || !strings.Contains(text, `"complete":false`) {
		t.Errorf("one of four: %d %s", code, text)
	}
	s.send("PUT", "/v1/cases/bybit-2025", map[string]any{"title": "The theft of February", "text": content(t, filepath.Join(bybit, "case.yaml"))})
	if got := s.search("theft of feb"); len(got.Items) != 1 || got.Items[0].Type != "case" || got.Items[0].ID != "bybit-2025" {
		t.Errorf("a case by its title: %+v", got)
	}
	if got := parse[struct{ Cases []string }](t, body(s, "/v1/incidents/bybit-2025")); !slices.Equal(got.Cases, []string{"bybit-2025"}) {
		t.Errorf("the theft's cases are %v", got.Cases)
	}
}

const weth = "eip155:1/erc20:0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2"

// TestServeBackground: assets, prices, thefts and actors, as the register has them.
func TestServeBackground(t *testing.T) {
	closes := filepath.Join(t.TempDir(), "closes.csv")
	write(t, closes, "date,close_usd\n2025-03-17,1900.00\n2025-03-18,1932.5\n")
	s := serve(t, "--data", knownStore(t), "serve", "--open", "--prices", "ethereum="+closes)

	type line struct {
		Symbol, Contract, Chain string
		Held                    bool
	}
	type priced struct {
		Asset, Symbol, Day, USD, By, As string
		Stale                           bool
	}
	type asset struct {
		line

		Freeze, Backing, Issuer string
		Stands                  string `json:"stands_for"`
		Forms                   []line
		Prices                  []priced
		Thefts                  []struct{ Incident, Quantity string }
		Sources                 []struct{ ID string }
		Unlisted                bool
	}
	one := func(id string) asset { return parse[asset](t, body(s, "/v1/assets/one?asset="+id)) }
	got := one(weth)
	if got.Symbol != "WETH" || got.Freeze != "nobody" || got.Stands != "eip155:1/slip44:60" || len(got.Forms) != 5 || !got.Held || len(got.Prices) != 1 || got.Prices[0].USD != "1932.50" || got.Prices[0].As != "eip155:1/slip44:60" || got.Prices[0].Day != "2025-03-18" {
		t.Errorf("WETH: %+v", got)
	}
	if got := one("eip155:1/erc20:0xdac17f958d2ee523a2206206994597c13d831ec7"); got.Issuer != "Tether" || got.Freeze != "its issuer" || len(got.Forms) != 0 || len(got.Prices) != 0 {
		t.Errorf("USDT: %+v", got)
	}
	if got := one("eip155:1/erc20:0xe6829d9a7ee3040e1276fa75293bde931859e8fa"); len(got.Thefts) != 1 || got.Thefts[0].Incident != "bybit-2025" || got.Thefts[0].Quantity != "15000" || len(got.Sources) != 2 {
		t.Errorf("cmETH: %+v", got)
	}
	if got := one("eip155:10/erc20:0x0000000000000000000000000000000000000001"); !got.Unlisted || got.Held || got.Contract != "0x0000000000000000000000000000000000000001" {
		t.Errorf("one that nobody lists: %+v", got)
	}
	all := parse[struct{ Items []line }](t, body(s, "/v1/assets"))
	printed := parse[struct{ Assets []struct{ Symbol string } }](t, must(t, "assets", "--json"))
	if len(all.Items) != len(printed.Assets) || len(all.Items) < 10 {
		t.Errorf("%d assets, the command prints %d", len(all.Items), len(printed.Assets))
	}

	prices := func(at string) (texts []string) {
		for _, p := range parse[struct{ Items []priced }](t, body(s, "/v1/prices?at="+at)).Items {
			texts = append(texts, fmt.Sprint(p.Symbol, " ", p.Day, " ", p.USD, " ", p.Stale))
		}
		return texts
	}
	if got, want := prices("2025-03-17"), []string{"BTC 2025-03-17 84075.69 false", "WETH 2025-03-17 1900.00 false", "ETH 2025-03-17 1900.00 false"}; !slices.Equal(got, want) {
		t.Errorf("prices of a day: %q, want %q", got, want)
	}
	if got, want := prices("2025-03-20"), []string{"BTC 2025-03-17 84075.69 true", "WETH 2025-03-18 1932.50 true", "ETH 2025-03-18 1932.50 true"}; !slices.Equal(got, want) {
		t.Errorf("some days on: %q, want %q", got, want)
	}
	if got := prices("2025-04-20"); len(got) != 0 {
		t.Errorf("a month on no price is carried: %q", got)
	}
	if got := prices(""); len(got) != 3 {
		t.Errorf("the newest: %q", got)
	}

	actor := parse[struct {
		ID                   string
		Names, Line, Members []string
		Incidents            []struct{ ID string }
		Claims               []struct{ By string }
		Jurisdictions        []string
	}](t, body(s, "/v1/entities/HIDDEN%20COBRA"))
	if actor.ID != "lazarus-group" || !slices.Equal(actor.Line, []string{"lazarus-group", "reconnaissance-general-bureau", "dprk"}) || !slices.Equal(actor.Members, []string{"andariel"}) || len(actor.Incidents) != 9 || actor.Incidents[0].ID != "bybit-2025" || !slices.Equal(actor.Jurisdictions, []string{"KP"}) || len(actor.Claims) == 0 {
		t.Errorf("the actor: %+v", actor)
	}
	theft := parse[struct {
		Incident struct{ Title string }
		Actors   []struct{ ID string }
		Assets   []struct{ Symbol string }
		Claims   []struct{ By, Actor string }
	}](t, body(s, "/v1/incidents/bybit-2025"))
	if theft.Incident.Title != "Bybit cold wallet" || len(theft.Actors) != 1 || theft.Actors[0].ID != "lazarus-group" || len(theft.Assets) != 4 || len(theft.Claims) != 1 || theft.Claims[0].By != "FBI" {
		t.Errorf("the theft: %+v", theft)
	}
	for path, want := range map[string]int{
		"/v1/entities/nobody-at-all": 404, "/v1/incidents/none": 404, "/v1/assets/one?asset=dogecoin/x": 404, "/v1/assets/one?asset=eip155:1/x": 400, "/v1/prices?at=2025-3-1": 400,
	} {
		if code, text := s.get(path); code != want || !strings.Contains(text, `"next"`) {
			t.Errorf("%s: %d %s, want %d", path, code, text, want)
		}
	}
	for _, path := range []string{
		"/v1/entities", "/v1/entities/dprk", "/v1/incidents/bybit-2025", "/v1/incidents/coinex-2023", "/v1/assets", "/v1/assets/one?asset=" + weth, "/v1/assets/one?asset=unit/bnb",
		"/v1/prices", "/v1/search?q=a", "/v1/status", "/v1/labels/lists", "/v1/addresses/bitcoin/1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa/cluster",
		"/v1/addresses/ethereum/" + bybitReceiver + "/behaviour", "/v1/txs/ethereum/" + theftTx + "/proof",
	} {
		if code, text := s.get(path); code != http.StatusOK || strings.Contains(text, "null") {
			t.Errorf("%s: %d, or a list is null: %s", path, code, text)
		}
	}
}

// TestServeOwners: clusters, conduct, status and proofs over HTTP are those of the
// commands.
func TestServeOwners(t *testing.T) {
	data := knownStore(t)
	const a, b, tx = "1LfjLrBDYyPbvGMiD9jURxyAupdYujsBdK", "1DNdPgBZRWjDj1JbVZQEYMv7jvqJF7R4Py", "4d6edbeb62735d45ff1565385a8b0045f066055c9425e21540ea7a8060f08bf2"
	labels := filepath.Join(t.TempDir(), "labels.csv")
	write(t, labels, "chain,address,label,actor,confidence,by\nbitcoin,"+a+",x,binance,service_data,a desk\nbitcoin,"+b+",y,kraken,service_data,b desk\nbitcoin,"+b+",z,binance,service_data,c desk\n")
	must(t, "labels", "import", labels, "--data", data)
	printed := map[string]string{
		"status": must(t, "--json", "--data", data, "status"), "cluster": must(t, "--json", "--data", data, "cluster", "show", a),
		"why": must(t, "--json", "--data", data, "cluster", "why", a, b), "behaviour": coldtrail(t, "--json", "--data", data, "behaviour", bybitReceiver).stdout,
	}
	s := serve(t, "--data", data, "serve", "--open")

	status := parse[map[string]any](t, body(s, "/v1/status"))
	for _, c := range status["chains"].([]any) {
		chain := c.(map[string]any)
		if chain["followed"] != false || chain["current"] != false {
			t.Errorf("nobody follows %v", chain)
		}
		delete(chain, "followed")
		delete(chain, "current")
	}
	if want := parse[map[string]any](t, printed["status"]); !reflect.DeepEqual(status, want) {
		t.Errorf("status %v\nwant %v", status, want)
	}

	type conflict struct {
		Over string
		A, B struct{ Label string }
	}
	type cluster struct {
		Root, Next    string
		Members       uint32
		Items, Actors []string
		Conflict      bool
		Cohesion      uint32 `json:"cohesion_bp"`
		Named         []struct {
			Address   string
			Labels    []struct{ Label string }
			Conflicts []conflict
		}
		Weak []struct{ Tx string }
		Why  *struct {
			To     string
			Joined bool
			Steps  []map[string]any
		}
	}
	want := parse[struct {
		First     string
		Addresses []string
		Actors    []string
		Cohesion  uint32 `json:"cohesion_bp"`
		Weak      []struct{ Tx string }
	}](t, printed["cluster"])
	got := parse[cluster](t, body(s, "/v1/addresses/bitcoin/"+a+"/cluster?to="+b))
	if got.Root != want.First || got.Members != 5 || !slices.Equal(got.Items, want.Addresses) || !slices.Equal(got.Actors, want.Actors) || !got.Conflict || got.Cohesion != want.Cohesion || len(got.Weak) != len(want.Weak) || got.Weak[0] != want.Weak[0] {
		t.Errorf("the cluster is %+v, want %+v", got, want)
	}
	if len(got.Named) != 2 || got.Named[0].Address != b || len(got.Named[0].Labels) != 2 || len(got.Named[0].Conflicts) != 1 || got.Named[0].Conflicts[0].Over != "actor" {
		t.Errorf("what labels say of it: %+v", got.Named)
	}
	steps := parse[struct{ Steps []map[string]any }](t, printed["why"]).Steps
	if got.Why == nil || !got.Why.Joined || got.Why.To != b || !reflect.DeepEqual(got.Why.Steps, steps) || steps[0]["tx"] != tx {
		t.Errorf("why: %+v, want %v", got.Why, steps)
	}
	if got := parse[cluster](t, body(s, "/v1/addresses/bitcoin/"+a+"/cluster?to=12cbQLTFMXRnSzktFkuoG3eHoMeFtpTu3S")); got.Why == nil || got.Why.Joined || len(got.Why.Steps) != 0 {
		t.Errorf("another's address: %+v", got.Why)
	}
	var walked []string
	for next := ""; ; {
		page := parse[cluster](t, body(s, "/v1/addresses/bitcoin/"+a+"/cluster?limit=2&cursor="+next))
		walked = append(walked, page.Items...)
		if next = page.Next; next == "" {
			break
		}
	}
	if !slices.Equal(walked, want.Addresses) {
		t.Errorf("page by page %v, want %v", walked, want.Addresses)
	}
	conflicts := parse[struct{ Items []conflict }](t, body(s, "/v1/addresses/bitcoin/"+b+"/conflicts")).Items
	if len(conflicts) != 1 || conflicts[0].Over != "actor" || conflicts[0].A.Label == conflicts[0].B.Label {
		t.Errorf("conflicts: %+v", conflicts)
	}

	conduct, commanded := parse[map[string]any](t, body(s, "/v1/addresses/ethereum/"+bybitReceiver+"/behaviour")), parse[map[string]any](t, printed["behaviour"])
	if !reflect.DeepEqual(conduct, commanded) || len(conduct["findings"].([]any)) < 2 {
		t.Errorf("conduct %v\nwant %v", conduct, commanded)
	}
	only := parse[struct{ Findings []struct{ Pattern string } }](t, body(s, "/v1/addresses/ethereum/"+bybitReceiver+"/behaviour?pattern=fan-out&owner=true"))
	if len(only.Findings) != 1 || only.Findings[0].Pattern != "fan-out" {
		t.Errorf("one pattern: %+v", only)
	}

	proof := parse[struct {
		Height, Index, Txs int
		Block, Provenance  string
		Merkle             *struct {
			Root   string
			Branch []string
		}
		Shown, Word []string
	}](t, body(s, "/v1/txs/bitcoin/"+firstPaid+"/proof"))
	if proof.Height != 170 || proof.Index != 1 || proof.Txs != 2 || proof.Provenance != "proven" || proof.Merkle == nil || climb(t, firstPaid, proof.Index, proof.Merkle.Branch) != proof.Merkle.Root {
		t.Errorf("the first payment: %+v", proof)
	}
	if root := "7dac2c5666815c17a3b36427de37bb9d2e2c5ccec3f8633eb91a4205cb4c10ff"; proof.Merkle.Root != root { // of the header of block 170
		t.Errorf("the root is %s", proof.Merkle.Root)
	}
	if text := body(s, "/v1/txs/ethereum/"+theftTx+"/proof"); !strings.Contains(text, `"provenance":"file"`) || !strings.Contains(text, "nothing of it could be checked") || strings.Contains(text, "merkle") {
		t.Errorf("an export proves nothing: %s", text)
	}
	for path, want := range map[string]int{
		"/v1/addresses/bitcoin/1BgGZ9tcN4rm9KBzDn7KprQz87SZ26SAMH/cluster": 404, "/v1/addresses/bitcoin/x/cluster": 400, "/v1/addresses/eip155:10/" + bybitReceiver + "/cluster": 404,
		"/v1/addresses/bitcoin/" + a + "/cluster?to=x": 400, "/v1/addresses/bitcoin/" + a + "/cluster?cursor=MTox": 200, "/v1/addresses/bitcoin/" + a + "/cluster?cursor=OTk5OTk5OTow": 400,
		"/v1/addresses/ethereum/" + bybitReceiver + "/behaviour?pattern=x": 400, "/v1/addresses/ethereum/0x00000000000000000000000000000000000000ff/behaviour": 404,
		"/v1/addresses/ethereum/0x12/conflicts": 400, "/v1/txs/bitcoin/" + strings.Repeat("0", 64) + "/proof": 404, "/v1/txs/bitcoin/12/proof": 400,
	} {
		if code, text := s.get(path); code != want {
			t.Errorf("%s: %d %s, want %d", path, code, text, want)
		}
	}
}

func content(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// climb is where a branch leads from a transaction, as BIP 37 has it.
func climb(t *testing.T, leaf string, index int, branch []string) string {
	t.Helper()
	at := wire(t, leaf)
	for _, text := range branch {
		pair := slices.Concat(at, wire(t, text))
		if index%2 == 1 {
			pair = slices.Concat(wire(t, text), at)
		}
		once := sha256.Sum256(pair)
		twice := sha256.Sum256(once[:])
		at, index = twice[:], index/2
	}
	slices.Reverse(at)
	return hex.EncodeToString(at)
}

func wire(t *testing.T, text string) []byte {
	t.Helper()
	raw, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	slices.Reverse(raw)
	return raw
}

// TestServeStatusOfNode: chains that are followed say so, and when their nodes were heard.
// Search answers over chains that grow. A node that nobody has ever heard is trouble.
func TestServeStatusOfNode(t *testing.T) {
	c, file := newChase(t)
	s := serve(t, c.follow(t.TempDir(), file, c.accounts.URL())...)
	s.wait("at both tips", func() bool { return c.atTips(s) })
	type chain struct {
		Chain, Trouble    string
		Followed, Current bool
		Height            uint64
		Heard             int64
	}
	accounts := func() (of chain) {
		for _, x := range parse[struct{ Chains []chain }](t, body(s, "/v1/status")).Chains {
			if !x.Followed {
				t.Errorf("%s is followed", x.Chain)
			}
			if x.Chain == string(c.accounts.Chain()) {
				of = x
			}
		}
		return of
	}
	s.wait("current", func() bool { x := accounts(); return x.Current && x.Trouble == "" })
	before := accounts()
	s.wait("heard again", func() bool { return accounts().Heard > before.Heard })
	next := c.accounts.Account("mule", c.serial+1)
	if got := s.search(next); len(got.Items) == 0 || got.Items[0].Held {
		t.Errorf("nobody has paid it yet: %+v", got)
	}
	c.step()
	s.wait("current again", func() bool { x := accounts(); return x.Current && x.Trouble == "" && x.Height > before.Height })
	if got := s.search(next); len(got.Items) == 0 || !got.Items[0].Held || got.Items[0].Type != "address" {
		t.Errorf("it was paid: %+v", got)
	}

	none := serve(t, "--data", t.TempDir(), "serve", "--open", "--follow", "bitcoin=rpc:http://127.0.0.1:1")
	none.wait("in trouble", func() bool {
		got := parse[struct{ Chains []chain }](t, body(none, "/v1/status")).Chains
		return len(got) == 1 && got[0].Followed && got[0].Trouble != "" && !got[0].Current && got[0].Heard == 0
	})
}
