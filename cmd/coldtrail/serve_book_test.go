package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"coldtrail/attribution/label"
	"coldtrail/casebook"
	"coldtrail/casebook/sqlite"
	"coldtrail/ledger"
	"coldtrail/notify"
	"coldtrail/screen"
	"coldtrail/screen/exposure"
	"coldtrail/screen/policy"
	"coldtrail/server"
	"coldtrail/taint"
	"coldtrail/trace"
)

// openTestBook makes a casebook in a file of its own.
func openTestBook(t *testing.T, options sqlite.Options) *casebook.SQL {
	t.Helper()
	book, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "casebook.db"), 1, options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := book.Close(); err != nil {
			t.Error(err)
		}
	})
	return book
}

// keyFor makes a key of a role.
func keyFor(t *testing.T, book *casebook.SQL, role server.Role) string {
	t.Helper()
	_, text, err := newBookKeys(book, randomSecret).AddKey(t.Context(), server.Key{Name: "a test", Role: role, CreatedBy: "local", Created: time.Now().Unix()})
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestKeysOverHTTP makes, uses and ends a key: of it only the digest is kept, and a key
// with a typing error is told from one that is not known.
func TestKeysOverHTTP(t *testing.T) {
	book := openTestBook(t, sqlite.Options{})
	admin := keyFor(t, book, server.Admin)
	d := serveParts(t, server.Options{KeysEvery: time.Hour}, server.Parts{Keys: newBookKeys(book, randomSecret)})
	made := decoded[struct{ ID, Secret, Name, Role string }](t, d.wants(201, "POST /v1/keys", admin, map[string]any{"name": "till 4", "role": "viewer"}))
	if !strings.HasPrefix(made.Secret, "ct_") || len(made.Secret) != 59 || !strings.HasPrefix(made.ID, "key-") || made.Name != "till 4" || made.Role != "viewer" {
		t.Errorf("made %+v", made)
	}
	d.wants(200, "GET /auth/session", made.Secret, nil, made.ID, "viewer")
	d.wants(403, "GET /v1/keys", made.Secret, nil)
	typo := []byte(made.Secret)
	if typo[20]++; typo[20] > 'z' || typo[20] == '8' {
		typo[20] = 'a'
	}
	d.wants(401, "GET /auth/session", string(typo), nil, "not of the form of a key")
	d.wants(401, "GET /auth/session", keyText(casebook.Secret{7}), nil, "the key is not known")
	if list := d.wants(200, "GET /v1/keys", admin, nil, made.ID, "till 4"); strings.Contains(list, made.Secret) {
		t.Error("the list of keys tells a key")
	}
	d.wants(204, "DELETE /v1/keys/"+made.ID, admin, nil)
	d.wants(401, "GET /auth/session", made.Secret, nil, "was revoked")
	d.wants(404, "DELETE /v1/keys/key-none", admin, nil)

	keys, err := book.Keys(t.Context())
	if err != nil || len(keys) != 2 {
		t.Fatalf("%+v, %v", keys, err)
	}
	secret, err := readKey(made.Secret)
	if err != nil {
		t.Fatal(err)
	}
	at := slices.IndexFunc(keys, func(k casebook.Key) bool { return k.ID == made.ID })
	if keys[at].Digest != secret.Digest() || keys[at].Revoked == 0 || !strings.HasPrefix(keys[at].RevokedBy, "key-") {
		t.Errorf("kept %+v", keys[at])
	}
}

// TestUsedKeys notes more uses than the casebook takes at once.
func TestUsedKeys(t *testing.T) {
	book := openTestBook(t, sqlite.Options{})
	secret := casebook.Secret{9}
	key, err := book.AddKey(t.Context(), secret, casebook.Key{Name: "one", Role: casebook.Viewer})
	if err != nil {
		t.Fatal(err)
	}
	last := map[string]int64{key.ID: 77}
	for i := range casebook.MaxBatch + 5 {
		last[fmt.Sprint("key-", i)] = 1
	}
	if err := newBookKeys(book, randomSecret).UsedKeys(t.Context(), last); err != nil {
		t.Fatal(err)
	}
	if got, err := book.Authenticate(t.Context(), secret, 80); err != nil || got.LastUsed != 77 {
		t.Errorf("%+v, %v", got, err)
	}
}

// TestAlertsOverHTTP filters alerts, and refuses filters that could only give none.
func TestAlertsOverHTTP(t *testing.T) {
	book := openTestBook(t, sqlite.Options{})
	alerts := newBookAlerts(book)
	if n, err := alerts.Newest(t.Context()); n != 0 || err != nil {
		t.Errorf("the newest of none is %d, %v", n, err)
	}
	raise := func(n int, kind casebook.AlertKind, level exposure.Level) {
		var list []casebook.Alert
		for i := range n {
			list = append(list, casebook.Alert{
				Kind: kind, Subject: bybitThief, Chain: "eip155:1", Level: level, Body: json.RawMessage(fmt.Sprintf(`{"n":%d}`, i)), Created: 5,
				Cause: casebook.Cause{Chain: "eip155:1", Height: 7, Block: "0x7"},
			})
		}
		if _, err := book.Raise(t.Context(), list); err != nil {
			t.Fatal(err)
		}
	}
	for want, n := int64(0), 1; n < 200; n *= 3 {
		raise(n, casebook.AlertKinds[n%3], []exposure.Level{exposure.High, exposure.Severe, exposure.Low, ""}[n%4])
		all, err := book.Alerts(t.Context(), casebook.AlertFilter{})
		if err != nil {
			t.Fatal(err)
		}
		want = int64(len(all))
		if got, err := alerts.Newest(t.Context()); got != want || err != nil {
			t.Errorf("the newest of %d is %d, %v", want, got, err)
		}
		if got, err := newBookAlerts(book).Newest(t.Context()); got != want || err != nil {
			t.Errorf("asked for the first time, the newest of %d is %d, %v", want, got, err)
		}
	}
	d := serveParts(t, server.Options{Open: true}, server.Parts{Alerts: alerts})
	d.wants(400, "GET /v1/alerts?kind=watch-hits", "", nil, "the kinds are verdict-changed, watch-hit")
	d.wants(400, "GET /v1/alerts?state=gone", "", nil, "neither standing nor withdrawn")
	found := decoded[struct{ Items []server.Alert }](t, d.wants(200, "GET /v1/alerts?limit=1&chain=ethereum&subject="+strings.ToLower(bybitThief), "", nil)).Items
	if len(found) != 1 || found[0].Subject != bybitThief || found[0].Cause == nil || found[0].Cause.Height != 7 || found[0].State != "standing" {
		t.Errorf("by another spelling of chain and address: %+v", found)
	}
	d.wants(200, "GET /v1/alerts/"+found[0].ID, "", nil, `"n":0`)
	d.wants(404, "GET /v1/alerts/none", "", nil)
}

// TestTargetsAndSubscriptions: the secret of a webhook is told once; a webhook that moves
// gets a second one, by which it can be checked at once; what could never match is kept
// as it would match.
func TestTargetsAndSubscriptions(t *testing.T) {
	book := openTestBook(t, sqlite.Options{})
	d := serveParts(t, server.Options{Open: true}, server.Parts{Subscriptions: newBookSubscriptions(book, randomText)})
	put := func(status int, address, kind string, parts ...string) string {
		t.Helper()
		text := d.wants(status, "PUT /v1/targets/desk", "", map[string]any{"name": "The desk", "kind": kind, "address": address}, parts...)
		return decoded[server.Target](t, text).Secret
	}
	first := put(200, "https://desk.example/hook", "webhook")
	if len(first) < 32 {
		t.Fatalf("the secret is %q", first)
	}
	if again := put(200, "https://desk.example/hook", "webhook"); again != "" {
		t.Error("the secret is told twice")
	}
	second := put(200, "https://desk.example/other", "webhook")
	targets, err := book.Targets(t.Context())
	if err != nil || len(targets) != 1 || second == "" || !slices.Equal(targets[0].Secrets, []string{second, first}) {
		t.Fatalf("kept %+v, %v", targets, err)
	}
	if notify.Sign(second, "1", nil) == notify.Sign(first, "1", nil) {
		t.Error("both secrets sign alike")
	}
	put(400, "desk.example/hook", "webhook", "a URL such as https://")
	put(400, "https://me:pw@desk.example/", "webhook", "without a password")
	put(400, "The desk <a@b.example>", "mail", "not a plain mail address")
	if text := d.wants(200, "GET /v1/targets", "", nil, "desk.example/other"); strings.Contains(text, first) || strings.Contains(text, second) {
		t.Error("the list of targets tells a secret")
	}

	sub := map[string]any{"name": "severe", "target": "desk", "kinds": []string{"watch-hit"}, "levels": []string{"severe"}, "chains": []string{"ethereum"}, "subjects": []string{strings.ToLower(bybitThief), "venue-1"}}
	d.wants(200, "PUT /v1/subscriptions/s1", "", sub)
	kept, err := book.Subscriptions(t.Context())
	if err != nil || len(kept) != 1 || !slices.Equal(kept[0].Chains, []string{"eip155:1"}) || !slices.Equal(kept[0].Subjects, []string{bybitThief, "venue-1"}) {
		t.Fatalf("kept %+v, %v", kept, err)
	}
	d.wants(400, "PUT /v1/subscriptions/s2", "", map[string]any{"target": "desk", "kinds": []string{"weather"}}, "weather")
	d.wants(404, "PUT /v1/subscriptions/s2", "", map[string]any{"target": "nobody"}, "target nobody")
	d.wants(200, "DELETE /v1/targets/desk", "", nil, `"ended":`)
	d.wants(400, "PUT /v1/subscriptions/s2", "", map[string]any{"target": "desk"}, "was given up")
	d.wants(200, "DELETE /v1/subscriptions/s1", "", nil, `"ended":`)
	if targets, err = book.Targets(t.Context()); err != nil || targets[0].Ended == 0 || len(targets[0].Secrets) != 2 {
		t.Errorf("after its end %+v, %v", targets, err)
	}
}

// TestCanonicalAddress writes addresses as verdicts do.
func TestCanonicalAddress(t *testing.T) {
	lower, genesis := strings.ToLower(bybitThief), "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"
	tests := []struct{ name, chain, address, wantChain, want, reason string }{
		{"an account of any chain", "", lower, "", bybitThief, ""},
		{"of one by its short name", "ethereum", lower, "eip155:1", bybitThief, ""},
		{"of one by a ticker", "ETH", lower, "eip155:1", bybitThief, ""},
		{"of a chain that nobody has named", "eip155:99", lower, "eip155:99", bybitThief, ""},
		{"bitcoin", "", genesis, "", genesis, ""},
		{"bitcoin in capitals", "bitcoin", "BC1QAR0SRRR7XFKVY5L643LYDNW9RE59GTZZWF5MDQ", "bip122:000000000019d6689c085ae165831e93", "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq", ""},
		{"a network that no ledger holds", "tron", "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t", "tron", "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t", ""},
		{"the same, told by its form", "", "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t", "tron", "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t", ""},
		{"of one of the networks of a token", "USDT", lower, "eip155:1", bybitThief, ""},
		{"litecoin", "litecoin", "LaMT348PWRnrqeeWArpwQPbuanpXDZGEUz", "bip122:12a765e31ffd4059bada1e25190f6e98", "LaMT348PWRnrqeeWArpwQPbuanpXDZGEUz", ""},
		{"an account of a network without such", "tron", lower, "", "", "is filed under tron"},
		{"a wrong checksum", "", strings.Replace(bybitThief, "F", "f", 1), "", "", "checksum"},
		{"of another chain", "ethereum", genesis, "", "", "40 hexadecimal digits"},
		{"nothing", "", "lazarus", "", "", "the form of 0 networks"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			chain, address, err := canonicalAddress(test.chain, test.address)
			if test.reason != "" {
				if !errors.Is(err, server.ErrInvalid) || !strings.Contains(err.Error(), test.reason) {
					t.Errorf("%q %q, %v", chain, address, err)
				}
				return
			}
			if chain != test.wantChain || address != test.want || err != nil {
				t.Errorf("%q %q, %v", chain, address, err)
			}
			if c, a, err := canonicalAddress(chain, address); c != chain || a != address || err != nil {
				t.Errorf("once more: %q %q, %v", c, a, err)
			}
		})
	}
}

// TestWatchListsOverHTTP: members are found by the names that verdicts have for them.
func TestWatchListsOverHTTP(t *testing.T) {
	book := openTestBook(t, sqlite.Options{})
	d := serveParts(t, server.Options{Open: true}, server.Parts{WatchLists: newBookWatchLists(book)})
	d.wants(200, "PUT /v1/watchlists/march", "", map[string]any{"name": "Suspects of March"})
	members := "/v1/watchlists/march/members"
	add := []map[string]any{{"address": strings.ToLower(bybitThief), "note": "the thief"}, {"chain": "bitcoin", "address": "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"}}
	d.wants(200, "POST "+members, "", map[string]any{"add": add}, `"added":2`)
	d.wants(400, "POST "+members, "", map[string]any{"add": []map[string]any{{"address": "0x12"}}}, "40 hexadecimal digits")
	d.wants(404, "POST /v1/watchlists/april/members", "", map[string]any{"add": add})
	d.wants(404, "GET /v1/watchlists/april/members", "", nil, "there is no watch-list april")
	lists, err := book.WatchedBy(t.Context(), "eip155:10", bybitThief)
	if err != nil || len(lists) != 1 || lists[0].ID != "march" {
		t.Errorf("the thief on another chain is watched by %+v, %v", lists, err)
	}
	page := decoded[struct {
		Items []server.Member
		Next  string
	}](t, d.wants(200, "GET "+members+"?limit=1", "", nil))
	if len(page.Items) != 1 || page.Items[0].Address[0] != '0' || page.Items[0].Note != "the thief" || page.Items[0].By != "open" || page.Next == "" {
		t.Errorf("the first page: %+v", page)
	}
	d.wants(200, "GET "+members+"?limit=1&cursor="+page.Next, "", nil, `"chain":"bip122:000000000019d6689c085ae165831e93"`)
	d.wants(200, "POST "+members, "", map[string]any{"remove": []map[string]any{{"address": strings.ToUpper(bybitThief[2:])}, {"address": strings.ToLower(bybitThief)}}})
	left, err := book.Members(t.Context(), "march", casebook.Member{}, 0)
	if err != nil || len(left) != 1 || left[0].Address[0] != '1' {
		t.Errorf("left are %+v, %v", left, err)
	}
	d.wants(200, "DELETE /v1/watchlists/march", "", nil, `"ended":`)
}

// TestCasesOverHTTP: a case file is read before it is kept, who changed an old revision is
// told, and whoever waits for changes hears of those that there are.
func TestCasesOverHTTP(t *testing.T) {
	book := openTestBook(t, sqlite.Options{})
	heard := 0
	d := serveParts(t, server.Options{Open: true}, server.Parts{Cases: newBookCases(book, func() { heard++ })})
	text, err := os.ReadFile(filepath.Join(bybitFolder, "case.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	path := "/v1/cases/bybit-2025"
	put := func(status int, change map[string]any, parts ...string) string {
		t.Helper()
		return d.wants(status, "PUT "+path, "", change, parts...)
	}
	put(400, map[string]any{"text": strings.Replace(string(text), "    asset: native\n", "    aset: native\n", 1)}, "bybit-2025: ", "line 10", "aset")
	put(400, map[string]any{"text": "case: bybit-2025\ntheifs: []\n"}, "theifs")
	put(400, map[string]any{"title": "No text"}, "bybit-2025: ")
	d.wants(400, "PUT /v1/cases/another", "", map[string]any{"text": string(text)}, `it is the case file of \"bybit-2025\"`)
	if heard != 0 {
		t.Errorf("%d changes were heard of before there was one", heard)
	}
	opened := decoded[server.Case](t, put(200, map[string]any{"text": string(text)}))
	if opened.Title != "Bybit cold wallet theft" || opened.State != "open" || opened.Revision != 1 || opened.OpenedBy != "open" || heard != 1 {
		t.Errorf("opened %+v, heard of %d", opened, heard)
	}
	put(409, map[string]any{"text": string(text) + "\n# more\n"}, "the newest is 1")
	put(200, map[string]any{"text": string(text), "expect": 1})
	if heard != 1 {
		t.Error("a change that changes nothing was heard of")
	}
	closed := decoded[server.Case](t, put(200, map[string]any{"state": "closed", "expect": 1, "why": "all is found"}))
	if closed.State != "closed" || closed.Text != string(text) || closed.Title != opened.Title || closed.Revision != 2 || heard != 2 {
		t.Errorf("closed %+v, heard of %d", closed, heard)
	}
	d.wants(200, "GET /v1/cases?state=open", "", nil, `"items":[]`)
	d.wants(200, "GET /v1/cases?state=closed", "", nil, `"id":"bybit-2025"`)
	d.wants(400, "GET /v1/cases?state=shut", "", nil, "neither open nor closed")
	d.wants(404, "GET /v1/cases/none", "", nil)
	d.wants(404, "POST /v1/cases/none/notes", "", map[string]any{"text": "lost"})
	d.wants(404, "GET /v1/cases/none/notes", "", nil)
	d.wants(201, "POST "+path+"/notes", "", map[string]any{"text": "The exchange has confirmed."}, `"sequence":1`, `"by":"open"`)
	d.wants(200, "GET "+path+"/notes", "", nil, "The exchange has confirmed.")
}

// TestClosingACaseOfThePast: a case file that the program no longer reads can be closed.
func TestClosingACaseOfThePast(t *testing.T) {
	book := openTestBook(t, sqlite.Options{})
	if _, err := book.SaveCase(t.Context(), casebook.CaseChange{ID: "old", State: casebook.CaseOpen, Text: "was: understood\n", By: "k", At: 1}); err != nil {
		t.Fatal(err)
	}
	cases := newBookCases(book, nil)
	if _, err := cases.SaveCase(t.Context(), server.CaseChange{ID: "old", State: "open", Title: "x", By: "k", At: 2, Expect: 1}); !errors.Is(err, server.ErrInvalid) {
		t.Errorf("changed: %v", err)
	}
	if c, err := cases.SaveCase(t.Context(), server.CaseChange{ID: "old", State: "closed", By: "k", At: 2, Expect: 1}); err != nil || c.State != "closed" {
		t.Errorf("closed: %+v, %v", c, err)
	}
}

// TestFullBook: a disk that is full is told as that, without the words of the database.
func TestFullBook(t *testing.T) {
	book := openTestBook(t, sqlite.Options{MaxPages: 200})
	d := serveParts(t, server.Options{Open: true}, server.Parts{WatchLists: newBookWatchLists(book)})
	for i := range 1000 {
		status, text := d.ask("PUT", fmt.Sprintf("/v1/watchlists/l%d", i), "", map[string]any{"note": strings.Repeat("long ", 800)})
		if status == 200 {
			continue
		}
		if status != 507 || !strings.Contains(text, "no room left") || strings.Contains(text, "SQL") || strings.Contains(text, "casebook:") {
			t.Errorf("%d: %s", status, text)
		}
		d.wants(200, "GET /v1/watchlists/l0", "", nil)
		return
	}
	t.Error("the casebook was never full")
}

// thinPolicy refuses who holds stolen value, or only asks to look, as told.
func thinPolicy(version, outcome string) string {
	return `name: thin
version: "` + version + `"
severities: {sanction: 100, service_hack: 90}
numbers: {direct_min_cents: 10000, direct_min_share_bp: 100, floor_cents: 1000, floor_share_bp: 1, dust_cents: 1000, decay_bp: 8000, max_hops: 5, max_age_seconds: 900, owned_bp: 8000}
assets:
  eip155:1/slip44:60: {symbol: ETH, decimals: 18, price_cents: 200000, price_source: a test}
rules:
  - name: tainted
    kinds: [taint]
    purposes: [swap]
    when: "true"
    outcome: ` + outcome + `
    why: It received stolen value.
tests:
  - name: nothing is known
    expect: {outcome: allow, reasons: [no-facts]}
`
}

// bybitEngine knows what the bundled case says of the bundled export, and one label.
func bybitEngine(t *testing.T) *screen.Engine {
	t.Helper()
	s := bybitStore(t)
	claim := label.Claim{Subject: label.SubjectOf(ledger.Ethereum, "0x098b716b8aaf21512996dc57eb0615e2383e2f96"), Label: "Ronin exploiter", Abuse: "sanction", Confidence: "authority_data", Score: 100, By: "OFAC", Learned: 1}
	if _, err := s.AddClaims(t.Context(), []label.Claim{claim}); err != nil {
		t.Fatal(err)
	}
	method, err := taint.MethodNamed("fifo")
	if err != nil {
		t.Fatal(err)
	}
	e, err := screen.NewEngine(s, screen.Options{
		Notations: notations, Deposits: true, Now: func() int64 { return time.Now().Unix() }, Trace: trace.Options{Method: method, Once: true},
	})
	if err != nil {
		t.Fatal(err)
	}
	cases, err := readCases([]string{filepath.Join(bybitFolder, "case.yaml")})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Rebuild(t.Context(), cases, policy.Default()); err != nil {
		t.Fatal(err)
	}
	e.Heard(ledger.Ethereum, time.Now().Unix())
	return e
}

// TestPolicies tries, activates and replaces policies.
func TestPolicies(t *testing.T) {
	book, engine := openTestBook(t, sqlite.Options{}), bybitEngine(t)
	var heard []string
	policies := newBookPolicies(book, engine.Now, "", func(p *policy.Policy) { heard = append(heard, p.Version()) })
	d := serveParts(t, server.Options{Open: true}, server.Parts{Policies: policies})
	bundled := decoded[server.Policy](t, d.wants(200, "GET /v1/policy", "", nil))
	if bundled.Digest != policy.Default().Digest() || bundled.Text != policy.DefaultText || bundled.Activated != 0 {
		t.Errorf("before any: %+v", bundled)
	}
	one := thinPolicy("1", "refuse")
	checkDryRun(t, engine.Now(), one, decoded[server.DryRun](t, d.wants(200, "POST /v1/policy", "", map[string]any{"text": one})))
	same := decoded[server.DryRun](t, d.wants(200, "POST /v1/policy", "", map[string]any{"text": policy.DefaultText}))
	if same.Changed != 0 || same.Judged < 100 || len(same.Moves) != 0 {
		t.Errorf("the same policy: %+v", same)
	}
	failing := strings.Replace(one, "expect: {outcome: allow", "expect: {outcome: refuse", 1)
	for _, method := range []string{"POST", "PUT"} {
		d.wants(400, method+" /v1/policy", "", map[string]any{"text": failing, "reason": "x"}, "nothing is known", "outcome allow, want refuse")
		d.wants(400, method+" /v1/policy", "", map[string]any{"text": one + "surprise: 1\n", "reason": "x"}, "surprise")
		d.wants(409, method+" /v1/policy", "", map[string]any{"text": one, "reason": "x", "expect": "sha256:00"})
	}
	if len(heard) != 0 {
		t.Fatalf("heard of %v", heard)
	}
	active := decoded[server.Policy](t, d.wants(200, "PUT /v1/policy", "", map[string]any{"text": one, "reason": "a trial", "expect": bundled.Digest}))
	held := decoded[server.Policy](t, d.wants(200, "GET /v1/policy", "", nil))
	if active != held || held.Text != one || held.By != "open" || held.Reason != "a trial" || held.Activated == 0 || held.Name != "thin" {
		t.Errorf("activated %+v, held %+v", active, held)
	}
	d.wants(200, "PUT /v1/policy", "", map[string]any{"text": one, "reason": "sent twice"}, "a trial")
	d.wants(409, "PUT /v1/policy", "", map[string]any{"text": one + "# a remark\n", "reason": "x"}, "raise its version")
	d.wants(200, "PUT /v1/policy", "", map[string]any{"text": thinPolicy("2", "review"), "reason": "too hard"})
	d.wants(200, "PUT /v1/policy", "", map[string]any{"text": one, "reason": "back again"}, "back again")
	if !slices.Equal(heard, []string{"1", "2", "1"}) {
		t.Errorf("heard of %v", heard)
	}
	p, said, err := activePolicy(t.Context(), book)
	if err != nil || p.Version() != "1" || said.Reason != "back again" || said.Digest != p.Digest() {
		t.Errorf("at the next start: %v, %+v, %v", p, said, err)
	}

	file := newBookPolicies(book, engine.Now, thinPolicy("9", "review"), nil)
	if got, err := file.Policy(t.Context()); err != nil || got.Version != "9" {
		t.Errorf("with --policy: %+v, %v", got, err)
	}
	if _, err := file.Activate(t.Context(), server.Draft{Text: one, By: "k"}); !errors.Is(err, server.ErrInvalid) {
		t.Errorf("with --policy: %v", err)
	}
	early := newBookPolicies(book, func() *screen.Knowledge { return nil }, "", nil)
	if _, err := early.DryRun(t.Context(), server.Draft{Text: one}); !errors.Is(err, server.ErrUnavailable) {
		t.Errorf("before anything is known: %v", err)
	}
	ctx, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	if run, err := policies.DryRun(ctx, server.Draft{Text: one}); err != nil || run.Judged > triedAtOnce {
		t.Errorf("without time: %+v, %v", run, err)
	}
}

// checkDryRun decides everything once more, one by one.
func checkDryRun(t *testing.T, known *screen.Knowledge, text string, got server.DryRun) {
	t.Helper()
	after, err := policy.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	judged, changed := 0, map[string]bool{}
	for e := range known.Examples(exposure.AnyPurpose, nil) {
		judged++
		for _, purpose := range []exposure.Purpose{exposure.Deposit, exposure.Withdrawal, exposure.Swap, exposure.Refund} {
			e.Question.Purpose = purpose
			a := known.Policy().Decide(&e.Question, e.Subject, e.Facts, e.Now)
			b := after.Decide(&e.Question, e.Subject, e.Facts, e.Now)
			if a.Outcome != b.Outcome {
				changed[e.Subject.Address] = true
			}
		}
	}
	moves := 0
	for _, n := range got.Moves {
		moves += n
	}
	if got.Judged != judged || got.Changed != len(changed) || moves != got.Changed || got.Changed == 0 || got.Version != "1" || got.Digest != after.Digest() {
		t.Errorf("%d of %d change in %d moves, want %d of %d", got.Changed, got.Judged, moves, len(changed), judged)
	}
	shown := map[string]int{}
	for _, e := range got.Examples {
		shown[string(e.From)+">"+string(e.To)]++
		if !changed[e.Subject] || e.From == e.To || !strings.Contains(e.Reason, "was by ") {
			t.Errorf("%+v", e)
		}
	}
	for move, n := range got.Moves {
		if shown[move] != min(n, triedSamples) {
			t.Errorf("%d examples of %d moves %s", shown[move], n, move)
		}
	}
}
