package atom_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"coldtrail/holdings/atom"
)

func write(t *testing.T, f atom.Feed) string {
	t.Helper()
	var out bytes.Buffer
	if err := f.Write(&out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// TestFeed is a feed to the byte.
func TestFeed(t *testing.T) {
	got := write(t, atom.Feed{ID: "tag:coldtrail,2025:x", Title: "Events", Author: "Coldtrail", Entries: []atom.Entry{
		{ID: "tag:coldtrail,2025:a", Title: "A & <b>", Updated: 86400, Summary: "x", Links: []string{"https://example.org/?a=1&b=2"}},
		{ID: "tag:coldtrail,2025:b", Title: "B", Updated: 2 * 86400},
	}})
	want := `<?xml version="1.0" encoding="UTF-8"?>
<feed xmlns="http://www.w3.org/2005/Atom">
  <id>tag:coldtrail,2025:x</id>
  <title>Events</title>
  <updated>1970-01-03T00:00:00Z</updated>
  <author>
    <name>Coldtrail</name>
  </author>
  <entry>
    <id>tag:coldtrail,2025:b</id>
    <title>B</title>
    <updated>1970-01-03T00:00:00Z</updated>
  </entry>
  <entry>
    <id>tag:coldtrail,2025:a</id>
    <title>A &amp; &lt;b&gt;</title>
    <updated>1970-01-02T00:00:00Z</updated>
    <link rel="related" href="https://example.org/?a=1&amp;b=2"></link>
    <summary>x</summary>
  </entry>
</feed>
`
	if got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}

// TestAnyText: whatever events are called, the feed is XML that a reader takes, and the
// order in which they are given makes no difference.
func TestAnyText(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		f := atom.Feed{ID: "tag:x", Title: "t", Author: "a"}
		for i, title := range rapid.SliceOfN(rapid.StringN(1, 20, -1), 0, 5).Draw(rt, "titles") {
			f.Entries = append(f.Entries, atom.Entry{ID: "tag:" + string(rune('a'+i)), Title: title, Summary: string(rapid.SliceOf(rapid.Byte()).Draw(rt, "summary")), Updated: int64(rapid.IntRange(0, 3).Draw(rt, "time"))})
		}
		var out, again bytes.Buffer
		if err := f.Write(&out); err != nil {
			rt.Fatal(err)
		}
		decoder, entries := xml.NewDecoder(bytes.NewReader(out.Bytes())), 0
		for {
			token, err := decoder.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				rt.Fatalf("%v in %q", err, out.String())
			}
			if start, ok := token.(xml.StartElement); ok && start.Name.Local == "entry" {
				entries++
			}
		}
		for i, j := 0, len(f.Entries)-1; i < j; i, j = i+1, j-1 {
			f.Entries[i], f.Entries[j] = f.Entries[j], f.Entries[i]
		}
		if err := f.Write(&again); err != nil || entries != len(f.Entries) || out.String() != again.String() {
			rt.Fatalf("%d entries of %d; %v", entries, len(f.Entries), err)
		}
	})
}

// TestRefused: what RFC 4287 wants is there.
func TestRefused(t *testing.T) {
	for _, f := range []atom.Feed{
		{Title: "t", Author: "a"},
		{ID: "x", Author: "a"},
		{ID: "x", Title: "t"},
		{ID: "x", Title: "t", Author: "a", Entries: []atom.Entry{{ID: "e", Title: "a"}, {ID: "e", Title: "b"}}},
		{ID: "x", Title: "t", Author: "a", Entries: []atom.Entry{{ID: "e"}}},
	} {
		var out strings.Builder
		if err := f.Write(&out); err == nil || out.Len() > 0 {
			t.Errorf("%+v is written", f)
		}
	}
}
