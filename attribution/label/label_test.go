package label_test

import (
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"coldtrail/attribution/label"
	"coldtrail/ledger"
)

// TestAddresses reads addresses of every form; the vectors are those of the networks'
// own specifications.
func TestAddresses(t *testing.T) {
	for _, c := range []struct{ network, address, want string }{
		{"BTC", "BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"},
		{"XBT", "1BgGZ9tcN4rm9KBzDn7KprQz87SZ26SAMH", "1BgGZ9tcN4rm9KBzDn7KprQz87SZ26SAMH"},
		{"ETH", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed"},
		{"ETH", "0x52908400098527886E0F7030069857D2E4169EE7", "0x52908400098527886e0f7030069857d2e4169ee7"},
		{"TRX", "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t", "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t"},
		{"tron", "41a614f803b6fd780986a42c78ec9c7f77e6ded13c", "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t"},
		{"USDT", "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t", "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t"},
		{"LTC", "LKDxGDJq5fF4FohAB8zJH24mDDNHDNtqsE", "LKDxGDJq5fF4FohAB8zJH24mDDNHDNtqsE"},
		{"LTC", "ltc1qw508d6qejxtdg4y5r3zarvary0c5xw7kgmn4n9", "ltc1qw508d6qejxtdg4y5r3zarvary0c5xw7kgmn4n9"},
		{"DOGE", "D596YFweJQuHY1BbjazZYmAbt8jJPbKehC", "D596YFweJQuHY1BbjazZYmAbt8jJPbKehC"},
		{"BCH", "bitcoincash:qpm2qsznhks23z7629mms6s4cwef74vcwvy22gdx6a", "bitcoincash:qpm2qsznhks23z7629mms6s4cwef74vcwvy22gdx6a"},
		{"XMR", "49HqitRzdnhYjgTEAhgGpCfsjdTeMbUTU6cyR4JV1R7k2Eej9rGT8JpFiYDa4tZM6RZiFrHmMzgSrhHEqpDYKBe5B2ufNsL", ""},
		{"XRP", "rrrrrrrrrrrrrrrrrrrrrhoLvTp", "rrrrrrrrrrrrrrrrrrrrrhoLvTp"},
		{"SOL", "So11111111111111111111111111111111111111112", "So11111111111111111111111111111111111111112"},
		{"EOS", "binancecleos", "binancecleos"},
	} {
		s, checked, err := label.ParseSubject(c.network, c.address)
		if c.want == "" {
			c.want = c.address
		}
		if err != nil || !checked || s.Address != c.want {
			t.Errorf("%s %s: %v %v %v", c.network, c.address, s, checked, err)
		}
	}
	for _, c := range []struct{ network, address, reason string }{
		{"BTC", "1BgGZ9tcN4rm9KBzDn7KprQz87SZ26SAMh", "is none of BTC"},
		{"BTC", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kemeawh", "is none of BTC"}, // bech32m for version 0
		{"BTC", "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t", "but is one of tron"},
		{"ETH", "1BgGZ9tcN4rm9KBzDn7KprQz87SZ26SAMH", "but is one of bitcoin"},
		{"BCH", "bitcoincash:qpm2qsznhks23z7629mms6s4cwef74vcwvy22gdx6b", "is none of BCH"},
		{"XMR", "884Bz8UH63aYsjVdkfWfScRYWZGGNbjFL7pztqvWNSrtYT4reFSwyvkCj9KEGUtheHh", "is none of XMR"}, // cut off
		{"ETH", "0x1234", "is none of ETH"},
		{"ETH", "", "printable characters"},
		{"ETH", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAеd", "printable characters"}, // a Cyrillic е
		{"", "x", "network is not known"},
	} {
		if s, _, err := label.ParseSubject(c.network, c.address); err == nil || !strings.Contains(err.Error(), c.reason) {
			t.Errorf("%s %q: %v %v, want %q", c.network, c.address, s, err, c.reason)
		}
	}
	var mismatch *label.MismatchError
	s, checked, err := label.ParseSubject("ETH", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD")
	if !errors.As(err, &mismatch) || checked || s.Address != "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed" {
		t.Errorf("a slip in the capitals: %v %v %v", s, checked, err)
	}
	if s, checked, err := label.ParseSubject("XMR", "5be5543ff73456ab9f2d207887e2af87322c651ea1a873c5b25b7ffae456c320"); err != nil || checked || s.Network != "monero" {
		t.Errorf("a public key in the place of an address: %v %v %v", s, checked, err)
	}
	if s, checked, err := label.ParseSubject("DOT", "12xtAYsRUrmbniiWQqJtECiBQrMn8AypQcXhnQAc6RB6XkLW"); err != nil || checked || s.Network != "ticker:DOT" {
		t.Errorf("a network that is not known: %v %v %v", s, checked, err)
	}
}

func FuzzParseSubject(f *testing.F) {
	f.Add("BCH", "bitcoincash:qpm2qsznhks23z7629mms6s4cwef74vcwvy22gdx6a")
	f.Add("XMR", "49HqitRzdnhYjgTEAhgGpCfsjdTeMbUTU6cyR4JV1R7k2Eej9rGT8JpFiYDa4tZM6RZiFrHmMzgSrhHEqpDYKBe5B2ufNsL")
	f.Add("AVAX", "X-avax1ju2khnvkex4u30rt5jm5x8jd3jdfhvawg7ed9x")
	f.Fuzz(func(t *testing.T, network, address string) {
		s, checked, err := label.ParseSubject(network, address)
		if err != nil || !checked {
			return
		}
		again, checked, err := label.ParseSubject(string(s.Network), s.Address)
		if err != nil || !checked || again != s {
			t.Errorf("%q %q: canonical %v reads as %v, %v", network, address, s, again, err)
		}
	})
}

func claim(by, text, actor, concept string, score uint8, learned int64) label.Claim { //nolint:revive // a row of a table
	return label.Claim{Subject: label.Subject{Network: "eip155:1", Address: "0x00"}, Label: text, Actor: actor, Concept: concept, By: by, Score: score, Learned: learned}
}

// TestAt asks what was known at one moment of what held at another.
func TestAt(t *testing.T) {
	listed := claim("OFAC", "Tornado Cash", "tornado", "mixing_service", 60, 100)
	listed.From = 90
	delisted := label.Claim{Subject: listed.Subject, By: "OFAC", Withdraws: listed.ID().String(), From: 200, Learned: 210}
	other := claim("a scan", "a contract", "", "defi", 20, 150)
	all := []label.Claim{delisted, other, listed}
	for _, c := range []struct {
		known, valid int64
		want         string
	}{
		{0, 0, "a contract"},
		{0, 150, "Tornado Cash, a contract"},
		{0, 80, "a contract"},
		{120, 0, "Tornado Cash"},
		{120, 85, ""},
		{205, 0, "Tornado Cash, a contract"}, // ended, and nobody knew it yet
		{210, 0, "a contract"},
		{210, 199, "Tornado Cash, a contract"},
		{210, 200, "a contract"},
	} {
		var got []string
		for _, x := range label.At(all, label.When{Known: c.known, Valid: c.valid}) {
			got = append(got, x.Label)
		}
		if text := strings.Join(got, ", "); text != c.want {
			t.Errorf("known %d, valid %d: %q, want %q", c.known, c.valid, text, c.want)
		}
	}
}

// TestConflicts: different actors and categories clash; a kind of the other does not.
func TestConflicts(t *testing.T) {
	claims := []label.Claim{
		claim("a", "x", "binance", "exchange", 50, 1), claim("b", "y", "kraken", "service", 50, 1), claim("c", "z", "", "miner", 50, 1), claim("d", "w", "", "", 50, 1),
	}
	var got []string
	for _, c := range label.Conflicts(claims) {
		got = append(got, c.A.By+c.B.By+" "+c.Over)
	}
	if want := []string{"ab actor", "ac category", "bc category"}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// TestCheck: what is too long, nobody's or not in the taxonomy is no claim.
func TestCheck(t *testing.T) {
	good := claim("a", "x", "", "exchange", 50, 1)
	if err := good.Check(); err != nil {
		t.Error(err)
	}
	for reason, spoil := range map[string]func(*label.Claim){
		"nobody says so": func(c *label.Claim) { c.By = "" }, "needs a label": func(c *label.Claim) { c.Label = "" },
		"not in the taxonomy": func(c *label.Claim) { c.Concept = "bank" }, "longer than": func(c *label.Claim) { c.Label = strings.Repeat("x", 5000) },
		"no UTF-8": func(c *label.Claim) { c.By = "\xff" }, "ends before": func(c *label.Claim) { c.From, c.Until = 5, 5 }, "above 100": func(c *label.Claim) { c.Score = 101 },
		"aliases": func(c *label.Claim) { c.Aliases = make([]string, 100) },
	} {
		bad := good
		if spoil(&bad); bad.Check() == nil || !strings.Contains(bad.Check().Error(), reason) {
			t.Errorf("%s: %v", reason, bad.Check())
		}
	}
}

// TestStops: where value passes into somebody's books the trace stops; contracts do not
// keep books.
func TestStops(t *testing.T) {
	for _, c := range []struct {
		label, concept string
		want           label.Stop
	}{
		{"Binance 14", "exchange", label.StopService},
		{"a hot wallet", "hot_wallet", label.StopService},
		{"Tornado", "mixing_service", label.StopMixer},
		{"eXch", "exchange", label.StopDark},
		{"FixedFloat", "service", label.StopDark},
		{"eXch", "miner", label.StopNone},
		{"SideShift.ai", "", label.StopDark},
		{"ChangeNOW.io", "exchange", label.StopDark},
		{"Uniswap", "defi_dex", label.StopNone},
		{"a miner", "miner", label.StopNone},
		{"", "", label.StopNone},
		{"any", "swap_service", label.StopDark},
	} {
		x := claim("a", c.label, "", c.concept, 50, 1)
		if got := x.StopOf(); got != c.want {
			t.Errorf("%s %s: %q, want %q", c.label, c.concept, got, c.want)
		}
	}
	if n := len(label.Concepts()); n < 92 || !label.Is("exchange", "service") || label.Is("service", "exchange") || label.Known("bank") {
		t.Errorf("the taxonomy has %d concepts", n)
	}
	if s := label.SubjectOf(ledger.Ethereum, "0xAB"); s.Address != "0xab" || s.Network != "eip155:1" {
		t.Error(s)
	}
}

// TestRevision: the order in which claims come makes no difference, any change does.
func TestRevision(t *testing.T) {
	var claims []label.Claim
	for i := range 50 {
		claims = append(claims, claim("a", strings.Repeat("x", i+1), "", "", 50, int64(i)))
	}
	sum := func(list []label.Claim) string {
		var r label.Revision
		for i := range list {
			r.Add(list[i].ID(), list[i].Learned)
		}
		return r.String()
	}
	want := sum(claims)
	rand.New(rand.NewPCG(1, 1)).Shuffle(len(claims), func(i, j int) { claims[i], claims[j] = claims[j], claims[i] })
	if got := sum(claims); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if claims[3].Learned++; sum(claims) == want || sum(claims[1:]) == want {
		t.Error("a change is not seen")
	}
	if got := sum(nil); got != "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" {
		t.Errorf("of nothing: %s", got)
	}
}

// TestRecord: what is written is read again, and nothing else is.
func TestRecord(t *testing.T) {
	full := label.Claim{
		Subject: label.Subject{Network: "eip155:1", Address: "0xab"}, Label: "ключ", Actor: "a", Concept: "exchange", Abuse: "scam", Confidence: "forensic", Score: 50,
		By: "x", Source: "y", Why: "z", From: -5, Until: 1 << 60, Stated: 3, Aliases: []string{"", "APT38"}, Jurisdictions: []string{"KP"}, Parent: "dprk", Withdraws: "00", Cluster: true, Unchecked: true,
		Learned: 7, File: "f", Line: 9,
	}
	for _, want := range []label.Claim{full, {}, claim("a", "x", "", "", 1, 2)} {
		record := want.Append(nil)
		got, err := label.Decode(record)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%v\n%s", err, diff)
		}
		for n := range record {
			if _, err := label.Decode(record[:n]); err == nil {
				t.Errorf("the first %d of %d bytes are taken for a claim", n, len(record))
			}
		}
		if _, err := label.Decode(append(record, 0)); err == nil {
			t.Error("a byte too many is not seen")
		}
	}
}

func FuzzDecode(f *testing.F) {
	c := claim("a", "x", "b", "exchange", 1, 2)
	f.Add(c.Append(nil))
	f.Fuzz(func(t *testing.T, record []byte) {
		c, err := label.Decode(record)
		if err != nil {
			return
		}
		again, err := label.Decode(c.Append(nil))
		if diff := cmp.Diff(c, again); err != nil || diff != "" {
			t.Errorf("%v\n%s", err, diff)
		}
	})
}

// TestWithdrawnClaimsKeepTheirNames: whoever asks for the time before a withdrawal is
// told of the claim that was made then, by its identifier; all claims ever come with their
// ends.
func TestWithdrawnClaimsKeepTheirNames(t *testing.T) {
	made := label.Claim{Subject: label.Subject{Network: "eip155:1", Address: "0x01"}, Label: "somebody", By: "a list", From: 10, Learned: 10}
	ended := label.Claim{Subject: made.Subject, By: "a list", Withdraws: made.ID().String(), From: 20, Learned: 21}
	claims := []label.Claim{made, ended}
	if list := label.At(claims, label.When{Valid: 15}); len(list) != 1 || list[0].ID() != made.ID() {
		t.Errorf("at 15: %+v", list)
	}
	if list := label.At(claims, label.When{Valid: 20}); len(list) != 0 {
		t.Errorf("at 20: %+v", list)
	}
	if list := label.Ever(claims, 0); len(list) != 1 || list[0].Until != 20 || list[0].Name != made.ID() {
		t.Errorf("ever: %+v", list)
	}
	if list := label.Ever(claims, 20); len(list) != 1 || list[0].Until != 0 {
		t.Errorf("before the end was learnt: %+v", list)
	}
}
