package blocklist_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"coldtrail/screen/blocklist"
)

const (
	ethereum = "eip155:1"
	bitcoin  = "bip122:000000000019d6689c085ae165831e93"
	bridge   = "0x098B716B8Aaf21512996dC57EB0615e2383E2f96"
	satoshi  = "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"
	moment   = 1_740_182_400 // 2025-02-22T00:00:00Z
)

var (
	basis = blocklist.Digest{0xba, 0x51, 0x5}

	sanction = blocklist.Entry{Chain: ethereum, Address: bridge, Category: "sanction", Entity: "Lazarus Group", Reason: "sanctioned", Since: 1_649_894_400}
	hack     = blocklist.Entry{Chain: ethereum, Address: bridge, Category: "service_hack", Reason: "taint-direct", Since: 1_648_512_000}
	quoted   = blocklist.Entry{Chain: bitcoin, Address: satoshi, Category: "scam", Entity: `=1+1 "\" Иван`, Reason: "reported"}
)

// listText is a list as it has to be written; the digest of its lines was computed with
// another program.
const listText = `{"basis":"sha256:ba51050000000000000000000000000000000000000000000000000000000000","content":"sha256:f5c0d84b83e80d5168469729911be8ddbe86a89f0258eae5f47f11804f0fb330","entries":3,"format":"coldtrail-blocklist-1","moment":"2025-02-22T00:00:00Z","revision":12}
{"address":"1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa","category":"scam","chain":"bip122:000000000019d6689c085ae165831e93","entity":"=1+1 \"\\\" Иван","reason":"reported","since":""}
{"address":"0x098B716B8Aaf21512996dC57EB0615e2383E2f96","category":"sanction","chain":"eip155:1","entity":"Lazarus Group","reason":"sanctioned","since":"2022-04-14T00:00:00Z"}
{"address":"0x098B716B8Aaf21512996dC57EB0615e2383E2f96","category":"service_hack","chain":"eip155:1","entity":"","reason":"taint-direct","since":"2022-03-29T00:00:00Z"}
`

func list(tb testing.TB, number uint64, entries ...blocklist.Entry) *blocklist.List {
	tb.Helper()
	l, err := blocklist.New(number, moment+int64(number)-12, basis, entries)
	if err != nil {
		tb.Fatal(err)
	}
	return l
}

// refused wants an Error of a line whose reason holds some words.
func refused(t *testing.T, err error, line int, words string) {
	t.Helper()
	var refusal *blocklist.Error
	if !errors.As(err, &refusal) || refusal.Line != line || !strings.Contains(refusal.Reason, words) {
		t.Errorf("%v, want line %d, %s", err, line, words)
	}
}

func TestAListIsWrittenInOneWay(t *testing.T) {
	entries := []blocklist.Entry{hack, sanction, quoted, sanction}
	for range 10 {
		rand.Shuffle(len(entries), func(i, j int) { entries[i], entries[j] = entries[j], entries[i] })
		l := list(t, 12, entries...)
		if string(l.Encode()) != listText {
			t.Fatalf("%s\nwant\n%s", l.Encode(), listText)
		}
		if l.Len() != 3 || !slices.Equal(slices.Collect(l.Entries()), []blocklist.Entry{quoted, sanction, hack}) {
			t.Fatalf("%d entries", l.Len())
		}
	}
	l, err := blocklist.Decode([]byte(listText))
	if err != nil {
		t.Fatal(err)
	}
	if l.Revision() != list(t, 12, entries...).Revision() || string(l.Encode()) != listText {
		t.Errorf("%+v", l.Revision())
	}
}

func TestTheETagIsOfTheContent(t *testing.T) {
	one, later, other := list(t, 1, hack), list(t, 2, hack), list(t, 3, sanction)
	if one.ETag() != later.ETag() || one.ETag() == other.ETag() {
		t.Errorf("%s, %s, %s", one.ETag(), later.ETag(), other.ETag())
	}
	if want := `W/"sha256:f5c0d84b83e80d5168469729911be8ddbe86a89f0258eae5f47f11804f0fb330"`; list(t, 12, hack, sanction, quoted).ETag() != want {
		t.Errorf("%s", list(t, 12, hack, sanction, quoted).ETag())
	}
}

func TestTheEntriesOfOneAddress(t *testing.T) {
	l := list(t, 1, hack, sanction, quoted)
	for _, c := range []struct {
		chain, address string
		want           []blocklist.Entry
	}{
		{ethereum, bridge, []blocklist.Entry{sanction, hack}},
		{bitcoin, satoshi, []blocklist.Entry{quoted}},
		{"eip155:10", bridge, nil},
		{ethereum, strings.ToLower(bridge), nil},
	} {
		if got := l.Of(c.chain, c.address); !slices.Equal(got, c.want) {
			t.Errorf("%s on %s: %v", c.address, c.chain, got)
		}
	}
}

func TestWhatCannotBeListed(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*blocklist.Entry)
		words  string
	}{
		"no chain":                {func(e *blocklist.Entry) { e.Chain = "" }, "chain"},
		"no address":              {func(e *blocklist.Entry) { e.Address = "" }, "address"},
		"an address with a space": {func(e *blocklist.Entry) { e.Address = "0x 1" }, "address"},
		"an address of two lines": {func(e *blocklist.Entry) { e.Address = "0x1\n0x2" }, "address"},
		"a formula":               {func(e *blocklist.Entry) { e.Address = "=cmd()" }, "address"},
		"beginning with a sign":   {func(e *blocklist.Entry) { e.Address = "-1" }, "address"},
		"a long address":          {func(e *blocklist.Entry) { e.Address = strings.Repeat("a", 129) }, "address"},
		"other letters":           {func(e *blocklist.Entry) { e.Address = "0х1" }, "address"},
		"no reason":               {func(e *blocklist.Entry) { e.Reason = "" }, "reason"},
		"a sentence as reason":    {func(e *blocklist.Entry) { e.Reason = "it is bad" }, "reason"},
		"a sentence as category":  {func(e *blocklist.Entry) { e.Category = "very bad" }, "category"},
		"a name that turns text":  {func(e *blocklist.Entry) { e.Entity = "a\u202eb" }, "entity"},
		"a name of two lines":     {func(e *blocklist.Entry) { e.Entity = "a\u2028b" }, "entity"},
		"a name that is no text":  {func(e *blocklist.Entry) { e.Entity = "a\xff" }, "entity"},
		"a long name":             {func(e *blocklist.Entry) { e.Entity = strings.Repeat("a", 257) }, "entity"},
		"before the beginning":    {func(e *blocklist.Entry) { e.Since = -1 }, "moment"},
		"after the end":           {func(e *blocklist.Entry) { e.Since = 253402300800 }, "moment"},
	} {
		t.Run(name, func(t *testing.T) {
			e := sanction
			c.change(&e)
			_, err := blocklist.New(1, moment, basis, []blocklist.Entry{hack, e})
			refused(t, err, 0, "entry 1: "+c.words)
		})
	}
	for name, c := range map[string]struct {
		number uint64
		moment int64
		words  string
	}{
		"no number":     {0, moment, "revision 0"},
		"a high number": {1 << 53, moment, "revision 9007199254740992"},
		"no moment":     {1, 0, "moment 0"},
		"a late moment": {1, 253402300800, "moment 253402300800"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := blocklist.New(c.number, c.moment, basis, nil)
			refused(t, err, 0, c.words)
		})
	}
}

func TestNamesThatOthersChose(t *testing.T) {
	for name, want := range map[string]string{
		"Lazarus Group":                "Lazarus Group",
		"a\nb\u202ec\xff":              "a\ufffdb\ufffdc\ufffd",
		strings.Repeat("Ж", 200):       strings.Repeat("Ж", 128),
		strings.Repeat("a", 255) + "Ж": strings.Repeat("a", 255),
		"":                             "",
	} {
		if got := blocklist.Printable(name); got != want {
			t.Errorf("%q became %q, want %q", name, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		e := sanction
		e.Entity = blocklist.Printable(string(rapid.SliceOf(rapid.Byte()).Draw(t, "name")))
		if _, err := blocklist.New(1, moment, basis, []blocklist.Entry{e}); err != nil {
			t.Fatal(err)
		}
	})
}

func TestListsThatAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		old, new string
		line     int
		words    string
	}{
		"another format":        {"blocklist-1", "blocklist-9", 1, `format is "coldtrail-blocklist-9"`},
		"spaces":                {`"entries":3`, `"entries": 3`, 1, "canonical"},
		"another order":         {`{"basis":"sha256:ba51050000000000000000000000000000000000000000000000000000000000",`, `{`, 1, "basis"},
		"a field more":          {`"reason":"sanctioned"`, `"reason":"sanctioned","more":1`, 3, "canonical"},
		"a field twice":         {`"reason":"sanctioned"`, `"reason":"x","reason":"sanctioned"`, 3, "canonical"},
		"other capitals":        {`"reason":"sanctioned"`, `"Reason":"sanctioned"`, 3, "canonical"},
		"an escape too many":    {"Иван", `\u0418ван`, 2, "canonical"},
		"another way of time":   {"2022-04-14T00:00:00Z", "2022-04-14T02:00:00+02:00", 3, "canonical"},
		"no time":               {"2022-04-14T00:00:00Z", "2022-04-31T00:00:00Z", 3, "since"},
		"a wrong count":         {`"entries":3`, `"entries":4`, 1, "4 entries are announced, 3 follow"},
		"no count":              {`"entries":3`, `"entries":-3`, 1, "entries"},
		"another content":       {"taint-direct", "taint-indirect", 1, "content is announced"},
		"an operation":          {`"reason":"sanctioned"`, `"op":"add","reason":"sanctioned"`, 3, "canonical"},
		"no JSON":               {`{"address":"1A1z`, `"address":"1A1z`, 2, "invalid"},
		"no reason":             {`"reason":"sanctioned"`, `"reason":""`, 3, "reason"},
		"an empty line":         {"\"since\":\"\"}\n", "\"since\":\"\"}\n\n", 3, "unexpected end"},
		"the end cut off":       {"2022-03-29T00:00:00Z\"}\n", "2022-03-29T00:00:00Z\"}", 4, "ends within a line"},
		"a digest in capitals":  {"sha256:ba51", "sha256:BA51", 1, "basis"},
		"a long line":           {"Lazarus Group", strings.Repeat("a", 3000), 3, "over 2048 bytes"},
		"a revision of nothing": {`"revision":12`, `"revision":0`, 1, "revision 0"},
		"no moment":             {"2025-02-22T00:00:00Z", "", 1, "moment 0"},
	} {
		t.Run(name, func(t *testing.T) {
			changed := strings.Replace(listText, c.old, c.new, 1)
			if changed == listText {
				t.Fatal("nothing changed")
			}
			l, err := blocklist.Decode([]byte(changed))
			if l != nil {
				t.Error("a list all the same")
			}
			refused(t, err, c.line, c.words)
		})
	}
	lines := strings.SplitAfter(listText, "\n")
	_, err := blocklist.Decode([]byte(lines[0] + lines[2] + lines[1] + lines[3]))
	refused(t, err, 3, "not after the one before")
	_, err = blocklist.Decode([]byte(lines[0] + lines[1] + lines[1] + lines[3]))
	refused(t, err, 3, "not after the one before")
	_, err = blocklist.Decode(nil)
	refused(t, err, 1, "ends within a line")
}

func TestForOtherPrograms(t *testing.T) {
	l := list(t, 12, hack, sanction, quoted)
	wantCSV := "chain,address,category,entity,reason,since\n" +
		bitcoin + "," + satoshi + ",scam,\"'=1+1 \"\"\\\"\" Иван\",reported,\n" +
		"eip155:1," + bridge + ",sanction,Lazarus Group,sanctioned,2022-04-14T00:00:00Z\n" +
		"eip155:1," + bridge + ",service_hack,,taint-direct,2022-03-29T00:00:00Z\n"
	if string(l.CSV()) != wantCSV {
		t.Errorf("%s\nwant\n%s", l.CSV(), wantCSV)
	}
	head := "# coldtrail-blocklist revision:12 moment:2025-02-22T00:00:00Z content:" + l.Revision().Content.String() + "\n"
	for chain, want := range map[string]string{
		"":          head + bridge + "\n" + satoshi + "\n",
		ethereum:    head + bridge + "\n",
		"eip155:10": head,
	} {
		if string(l.Text(chain)) != want {
			t.Errorf("%q: %s", chain, l.Text(chain))
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(listText))
	f.Add(list(f, 1).Encode())
	f.Add([]byte(strings.Replace(listText, "Иван", `\u0418`, 1)))
	f.Fuzz(func(t *testing.T, file []byte) {
		l, err := blocklist.Decode(file)
		if err != nil {
			var refusal *blocklist.Error
			if !errors.As(err, &refusal) || refusal.Line == 0 || l != nil {
				t.Fatalf("%v", err)
			}
			return
		}
		if !bytes.Equal(l.Encode(), file) {
			t.Fatalf("read\n%s\nwrote\n%s", file, l.Encode())
		}
		again, err := blocklist.New(l.Revision().Number, l.Revision().Moment, l.Revision().Basis, slices.Collect(l.Entries()))
		if err != nil || again.Revision() != l.Revision() {
			t.Fatalf("%v", err)
		}
	})
}
