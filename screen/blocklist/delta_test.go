package blocklist_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"coldtrail/screen/blocklist"
)

// deltaText leads from a list of the hack and the quoted entry to one of the hack and
// the sanction.
const deltaText = `{"added":1,"format":"coldtrail-blocklist-delta-1","from":{"basis":"sha256:ba51050000000000000000000000000000000000000000000000000000000000","content":"sha256:FROM","entries":2,"moment":"2025-02-22T00:00:00Z","revision":12},"removed":1,"to":{"basis":"sha256:ba51050000000000000000000000000000000000000000000000000000000000","content":"sha256:TO","entries":2,"moment":"2025-02-22T00:00:03Z","revision":15}}
{"address":"1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa","category":"scam","chain":"bip122:000000000019d6689c085ae165831e93","entity":"=1+1 \"\\\" Иван","op":"remove","reason":"reported","since":"","why":"corrected"}
{"address":"0x098B716B8Aaf21512996dC57EB0615e2383E2f96","category":"sanction","chain":"eip155:1","entity":"Lazarus Group","op":"add","reason":"sanctioned","since":"2022-04-14T00:00:00Z"}
`

func corrected(blocklist.Entry) string { return "corrected" }

func diff(tb testing.TB, from, to *blocklist.List) *blocklist.Delta {
	tb.Helper()
	d, err := blocklist.Diff(from, to, corrected)
	if err != nil {
		tb.Fatal(err)
	}
	return d
}

func exampleDelta(tb testing.TB) (from, to *blocklist.List, text string) {
	tb.Helper()
	from, to = list(tb, 12, hack, quoted), list(tb, 15, hack, sanction)
	bare := func(l *blocklist.List) string { return strings.TrimPrefix(l.Revision().Content.String(), "sha256:") }
	return from, to, strings.NewReplacer("FROM", bare(from), "TO", bare(to)).Replace(deltaText)
}

func TestADeltaIsWrittenInOneWay(t *testing.T) {
	from, to, want := exampleDelta(t)
	d := diff(t, from, to)
	if string(d.Encode()) != want {
		t.Fatalf("%s\nwant\n%s", d.Encode(), want)
	}
	read, err := blocklist.DecodeDelta([]byte(want))
	if err != nil {
		t.Fatal(err)
	}
	if read.From() != from.Revision() || read.To() != to.Revision() ||
		!slices.Equal(slices.Collect(read.Added()), []blocklist.Entry{sanction}) ||
		!slices.Equal(slices.Collect(read.Removed()), []blocklist.Removal{{Entry: quoted, Why: "corrected"}}) {
		t.Errorf("%+v", read)
	}
}

// someList draws lists of few different entries, so that two have some in common.
func someList(t *rapid.T, number uint64) *blocklist.List {
	entries := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) blocklist.Entry {
		return blocklist.Entry{
			Chain:    rapid.SampledFrom([]string{ethereum, bitcoin}).Draw(t, "chain"),
			Address:  rapid.SampledFrom([]string{"a", "b", "b-", "c"}).Draw(t, "address"),
			Category: rapid.SampledFrom([]string{"", "scam"}).Draw(t, "category"),
			Entity:   rapid.SampledFrom([]string{"", `"`, "é"}).Draw(t, "entity"),
			Reason:   "r",
			Since:    rapid.Int64Range(0, 1).Draw(t, "since"),
		}
	}), 0, 12).Draw(t, "entries")
	l, err := blocklist.New(number, moment+rapid.Int64Range(0, 9).Draw(t, "moment"), basis, entries)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestADeltaLeadsExactlyThere(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lists := []*blocklist.List{someList(t, 1), someList(t, 2), someList(t, 7)}
		var deltas []*blocklist.Delta
		for i := range 2 {
			d, err := blocklist.Diff(lists[i], lists[i+1], nil)
			if err != nil {
				t.Fatal(err)
			}
			deltas = append(deltas, d)
		}
		joined, err := blocklist.Join(deltas[0], deltas[1])
		if err != nil {
			t.Fatal(err)
		}
		whole, err := blocklist.Diff(lists[0], lists[2], nil)
		if err != nil || !bytes.Equal(joined.Encode(), whole.Encode()) {
			t.Fatalf("joined\n%s\nwant\n%s", joined.Encode(), whole.Encode())
		}
		for i, c := range []struct {
			delta    *blocklist.Delta
			from, to *blocklist.List
		}{{deltas[0], lists[0], lists[1]}, {deltas[1], lists[1], lists[2]}, {joined, lists[0], lists[2]}} {
			sent, err := blocklist.DecodeDelta(c.delta.Encode())
			if err != nil {
				t.Fatalf("delta %d: %v\n%s", i, err, c.delta.Encode())
			}
			got, err := sent.Apply(c.from)
			if err != nil || !bytes.Equal(got.Encode(), c.to.Encode()) {
				t.Fatalf("delta %d: %v", i, err)
			}
			before, after := map[blocklist.Entry]bool{}, map[blocklist.Entry]bool{} // the naive model: sets
			for e := range c.from.Entries() {
				before[e] = true
			}
			for e := range c.to.Entries() {
				after[e] = true
			}
			for e := range sent.Added() {
				if before[e] || !after[e] {
					t.Fatalf("%v is not new", e)
				}
			}
			for r := range sent.Removed() {
				if !before[r.Entry] || after[r.Entry] || r.Why != blocklist.Withdrawn {
					t.Fatalf("%v is not gone", r)
				}
			}
		}
	})
}

func TestDeltasThatDoNotFit(t *testing.T) {
	a, b, c := list(t, 1, hack), list(t, 2, hack, sanction), list(t, 3, quoted)
	_, err := blocklist.Diff(b, a, nil)
	refused(t, err, 0, "later revision")
	_, err = blocklist.Diff(a, a, nil)
	refused(t, err, 0, "later revision")
	_, err = blocklist.Diff(a, c, func(blocklist.Entry) string { return "no code" })
	refused(t, err, 0, "why")
	_, err = diff(t, a, b).Apply(c)
	refused(t, err, 0, "starts at revision 1")
	_, err = diff(t, a, b).Apply(list(t, 1, quoted)) // the same number, but other entries
	refused(t, err, 0, "starts at revision 1")
	_, err = blocklist.Join(diff(t, a, b), diff(t, a, b))
	refused(t, err, 0, "leads to revision 2")
}

// A publisher that lies in a delta is found out.
func TestDeltasThatAreNotTrue(t *testing.T) {
	from, to, text := exampleDelta(t)
	lines := strings.SplitAfter(text, "\n")
	for name, c := range map[string]struct{ text, words string }{
		"adds what is there":       {strings.Replace(lines[0], `"removed":1`, `"removed":0`, 1) + strings.NewReplacer(`"remove"`, `"add"`, `,"why":"corrected"`, "").Replace(lines[1]), "that is there"},
		"removes what is not":      {strings.Replace(lines[0], `"added":1`, `"added":0`, 1) + strings.NewReplacer(`"add"`, `"remove"`, `Z"}`, `Z","why":"x"}`).Replace(lines[2]), "that is not there"},
		"leaves something out":     {strings.Replace(lines[0], `"added":1`, `"added":0`, 1) + lines[1], "promises 2 entries"},
		"says something otherwise": {strings.Replace(text, "Lazarus", "Nazarus", 1), "promises 2 entries"},
	} {
		t.Run(name, func(t *testing.T) {
			d, err := blocklist.DecodeDelta([]byte(c.text))
			if err != nil {
				t.Fatalf("%v\n%s", err, c.text)
			}
			_, err = d.Apply(from)
			refused(t, err, 0, c.words)
		})
	}
	d, err := blocklist.DecodeDelta([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := d.Apply(from); err != nil || got.Revision() != to.Revision() {
		t.Errorf("the true one: %v", err)
	}

	twice := func(old, instead string) *blocklist.Delta { // leads from 15 on, and repeats the first
		changed := strings.NewReplacer(from.Revision().Content.String(), to.Revision().Content.String(), `00Z","revision":12`, `03Z","revision":15`, `03Z","revision":15`, `04Z","revision":16`).Replace(text)
		d, err := blocklist.DecodeDelta([]byte(strings.Replace(changed, old, instead, 1)))
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	_, err = blocklist.Join(d, twice("", ""))
	refused(t, err, 0, "both deltas remove")
	_, err = blocklist.Join(d, twice("reported", "other"))
	refused(t, err, 0, "both deltas add")
}

func TestDeltasThatAreRefused(t *testing.T) {
	_, _, text := exampleDelta(t)
	for name, c := range map[string]struct {
		old, new string
		line     int
		words    string
	}{
		"a list":            {"blocklist-delta-1", "blocklist-1", 1, "format"},
		"another operation": {`"remove"`, `"move"`, 2, "neither add nor remove"},
		"no why":            {`"corrected"`, `""`, 2, "why"},
		"why it is added":   {`Z"}` + "\n", `Z","why":"x"}` + "\n", 3, "canonical"},
		"a wrong count":     {`"added":1`, `"added":2`, 1, "2 added and 1 removed are announced, 1 and 1 follow"},
		"backwards":         {`"revision":15`, `"revision":11`, 1, "later revision"},
		"a format inside":   {`"moment"`, `"format":"coldtrail-blocklist-1","moment"`, 1, "canonical"},
		"no revision":       {`"to":{`, `"two":{`, 1, "to: basis"},
		"no chain":          {`"chain":"eip155:1"`, `"chain":""`, 3, "chain"},
		"spaces":            {`"op":"add"`, `"op": "add"`, 3, "canonical"},
		"cut off":           {"00:00Z\"}\n", "00:00Z\"}", 3, "ends within"},
	} {
		t.Run(name, func(t *testing.T) {
			changed := strings.Replace(text, c.old, c.new, 1)
			if changed == text {
				t.Fatal("nothing changed")
			}
			d, err := blocklist.DecodeDelta([]byte(changed))
			if d != nil {
				t.Error("a delta all the same")
			}
			refused(t, err, c.line, c.words)
		})
	}
	lines := strings.SplitAfter(text, "\n")
	_, err := blocklist.DecodeDelta([]byte(lines[0] + lines[2] + lines[1]))
	refused(t, err, 3, "not after the one before")
}

func FuzzDecodeDelta(f *testing.F) {
	from, to, text := exampleDelta(f)
	f.Add([]byte(text))
	f.Add(diff(f, from, list(f, 13)).Encode())
	f.Fuzz(func(t *testing.T, file []byte) {
		d, err := blocklist.DecodeDelta(file)
		if err != nil {
			var refusal *blocklist.Error
			if !errors.As(err, &refusal) || refusal.Line == 0 || d != nil {
				t.Fatalf("%v", err)
			}
			return
		}
		if !bytes.Equal(d.Encode(), file) {
			t.Fatalf("read\n%s\nwrote\n%s", file, d.Encode())
		}
		if got, err := d.Apply(from); err == nil && got.Revision() != d.To() {
			t.Fatalf("%+v", got.Revision())
		}
		if joined, err := blocklist.Join(diff(t, from, to), d); err == nil {
			if _, err := blocklist.DecodeDelta(joined.Encode()); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// BenchmarkFeed is of 100,000 entries, of which one in a hundred changes.
func BenchmarkFeed(b *testing.B) {
	entries := make([]blocklist.Entry, 101_000)
	for i := range entries {
		entries[i] = sanction
		entries[i].Address = fmt.Sprintf("0x%040x", i*7919)
	}
	from, to := list(b, 1, entries[:100_000]...), list(b, 2, entries[1_000:]...)
	file, delta := from.Encode(), diff(b, from, to)
	b.Run("new", func(b *testing.B) {
		for b.Loop() {
			list(b, 1, entries[:100_000]...)
		}
	})
	b.Run("encode", func(b *testing.B) {
		b.SetBytes(int64(len(file)))
		for b.Loop() {
			from.Encode()
		}
	})
	b.Run("decode", func(b *testing.B) {
		b.SetBytes(int64(len(file)))
		for b.Loop() {
			if _, err := blocklist.Decode(file); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("diff", func(b *testing.B) {
		for b.Loop() {
			diff(b, from, to)
		}
	})
	b.Run("apply", func(b *testing.B) {
		for b.Loop() {
			if _, err := delta.Apply(from); err != nil {
				b.Fatal(err)
			}
		}
	})
}
