package document_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"coldtrail/report/document"
	"coldtrail/report/drawing"
)

var source = document.Source{Kind: "transaction", ID: "0xabc"}

func fact(text string) document.Sentence {
	return document.Sentence{Mark: document.Fact, Text: text, Rests: []document.Source{source}}
}

// whole is a document with one of everything, and a text of others in all of it.
func whole(text string) *document.Document {
	return &document.Document{
		Kind: text, Title: text, Subtitle: text, Index: true,
		Facts: []document.Pair{{Name: text, Value: document.Sentence{Mark: document.Judgement, Text: text, By: text}}},
		Sections: []document.Section{{ID: "one", Heading: text, Blocks: []document.Block{
			{Heading: text, Paragraph: []document.Sentence{fact(text)}},
			{List: []document.Sentence{fact(text)}},
			{Tiles: []document.Tile{{Class: "dark", Name: text, Value: text, Says: fact(text)}}},
			{Code: &document.Sentence{Mark: document.Inference, Text: text, Rests: []document.Source{{Kind: text, ID: text}}}},
			{Table: &document.Table{Caption: fact(text), Columns: []document.Column{{Title: text, Class: "code"}}, Rows: []document.Row{
				{Mark: document.Fact, Rests: []document.Source{source}, Cells: []string{text}},
			}}},
			{Figure: &document.Figure{Caption: fact(text), Drawing: drawing.Drawing{
				Width: 10, Height: 20, Title: text, Desc: text, Shapes: []drawing.Shape{{Path: "M0 0h1", Class: "bar", Tip: text}, {Text: text, X: 1, Y: 2, Anchor: "end", Class: "note"}},
			}}},
		}}},
	}
}

func render(t *testing.T, d *document.Document) string {
	t.Helper()
	var page bytes.Buffer
	if err := document.Render(&page, d); err != nil {
		t.Fatal(err)
	}
	return page.String()
}

// TestUnmarkedIsRefused takes the mark, or what it rests on, from one sentence after the
// other: none may be rendered.
func TestUnmarkedIsRefused(t *testing.T) {
	sentences := map[string]func(*document.Document) *document.Sentence{
		"particular": func(d *document.Document) *document.Sentence { return &d.Facts[0].Value },
		"paragraph":  func(d *document.Document) *document.Sentence { return &d.Sections[0].Blocks[0].Paragraph[0] },
		"list":       func(d *document.Document) *document.Sentence { return &d.Sections[0].Blocks[1].List[0] },
		"tile":       func(d *document.Document) *document.Sentence { return &d.Sections[0].Blocks[2].Tiles[0].Says },
		"code":       func(d *document.Document) *document.Sentence { return d.Sections[0].Blocks[3].Code },
		"table":      func(d *document.Document) *document.Sentence { return &d.Sections[0].Blocks[4].Table.Caption },
		"figure":     func(d *document.Document) *document.Sentence { return &d.Sections[0].Blocks[5].Figure.Caption },
	}
	spoil := map[string]struct {
		how    func(*document.Sentence)
		reason string
	}{
		"no mark":              {func(s *document.Sentence) { s.Mark = 0 }, "is not marked as fact, inference or judgement"},
		"a mark of no kind":    {func(s *document.Sentence) { s.Mark = 9 }, "is not marked as fact, inference or judgement"},
		"rests on nothing":     {func(s *document.Sentence) { s.Mark, s.Rests = document.Fact, nil }, "is marked as fact and rests on nothing"},
		"inferred of nothing":  {func(s *document.Sentence) { s.Mark, s.Rests = document.Inference, nil }, "is marked as inference and rests on nothing"},
		"judgement of nobody":  {func(s *document.Sentence) { s.Mark, s.By = document.Judgement, "" }, "is marked as judgement and nobody is named whose it is"},
		"source without an id": {func(s *document.Sentence) { s.Mark, s.Rests = document.Fact, []document.Source{{Kind: "block"}} }, "rests on a source without a kind or an identifier"},
		"says nothing":         {func(s *document.Sentence) { s.Text = "" }, "says nothing"},
	}
	for where, of := range sentences {
		for what, s := range spoil {
			d := whole("text")
			s.how(of(d))
			var page bytes.Buffer
			var refused *document.MarkError
			if err := document.Render(&page, d); !errors.As(err, &refused) || refused.Reason != s.reason {
				t.Errorf("%s, %s: got %v, want a MarkError that it %s", where, what, err, s.reason)
			}
			if page.Len() > 0 {
				t.Errorf("%s, %s: %d bytes were written", where, what, page.Len())
			}
		}
	}
}

// TestRowsAreMarked refuses rows without a mark, and rows that do not fit.
func TestRowsAreMarked(t *testing.T) {
	for reason, spoil := range map[string]func(*document.Row){
		"is not marked as fact, inference or judgement": func(r *document.Row) { r.Mark = 0 },
		"is marked as fact and rests on nothing":        func(r *document.Row) { r.Rests = nil },
		"has 2 cells under 1 columns":                   func(r *document.Row) { r.Cells = []string{"a", "b"} },
	} {
		d := whole("text")
		spoil(&d.Sections[0].Blocks[4].Table.Rows[0])
		var refused *document.MarkError
		if err := document.Render(&bytes.Buffer{}, d); !errors.As(err, &refused) || refused.Reason != reason || refused.Section != "text" {
			t.Errorf("got %v, want a MarkError that it %s", err, reason)
		}
	}
}

// TestEverySentenceShowsItsMark counts sentences and marks of a page.
func TestEverySentenceShowsItsMark(t *testing.T) {
	page := render(t, whole("text"))
	body := page[strings.Index(page, "</header>"):]
	for part, want := range map[string]int{
		`<span class="sentence">`: 5, // paragraph, list, tile, caption, figure
		`title="fact">F</span>`:   6, // and the row
		`title="inference">I`:     1, // the code
		`id="s`:                   2 + 1,
	} {
		if got := strings.Count(body, part); got != want {
			t.Errorf("%q stands %d times, want %d", part, got, want)
		}
	}
	if !strings.Contains(page, `title="judgement">J</span><span class="cites">text</span>`) {
		t.Error("the judgement does not name whose it is")
	}
}

// TestNumbersOfSources writes ranges, each source once.
func TestNumbersOfSources(t *testing.T) {
	d := whole("text")
	d.Sections[0].Blocks = []document.Block{{Paragraph: []document.Sentence{
		{Mark: document.Fact, Text: "a", Rests: []document.Source{{Kind: "block", ID: "1"}, {Kind: "block", ID: "2"}, {Kind: "block", ID: "3"}}},
		{Mark: document.Fact, Text: "b", Rests: []document.Source{{Kind: "block", ID: "3"}, {Kind: "block", ID: "1"}, {Kind: "block", ID: "4"}, {Kind: "block", ID: "3"}}},
	}}}
	page := render(t, d)
	for _, want := range []string{`<span class="cites">1–3</span>`, `<span class="cites">1, 3, 4</span>`, `<li id="s4"><span class="source">block</span> <code>4`} {
		if !strings.Contains(page, want) {
			t.Errorf("no %s in the page", want)
		}
	}
	if got := strings.Count(page, `<li id="s`); got != 4 {
		t.Errorf("%d sources are listed, want 4", got)
	}
}

// hostile are texts that try to be more than text.
var hostile = []string{
	`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `</style><style>*{display:none}</style>`, `</title><meta http-equiv="refresh" content="0;url=//evil">`,
	"\u202egnp.exe", "a\u2066b\u2069", "\x1b[31mred\x1b[0m", "\x00\x01", "\xff\xfe", "Z" + strings.Repeat("\u0301", 300), strings.Repeat("long", 5000), "{{.Title}}", "javascript:alert(1)", "\ufeff", "a\u200bb\u200fb", "<!--", "-->", "&lt;b&gt;",
}

// TestHostileText puts others' text everywhere: a page has no more markup than with a
// plain word, and no invisible characters.
func TestHostileText(t *testing.T) {
	for _, text := range hostile {
		sameMarkup(t, text)
	}
}

func sameMarkup(t *testing.T, text string) {
	t.Helper()
	page, plain := render(t, whole(text)), render(t, whole("word"))
	tags := regexp.MustCompile(`<[a-zA-Z/!][^>]*>`)
	strip := func(page string) string { // lines may be broken in long words, and numbers shift
		var kept []string
		for _, tag := range tags.FindAllString(page, -1) {
			if name, _, _ := strings.Cut(strings.Trim(tag, "<>/"), " "); name != "wbr" && !strings.HasPrefix(tag, "<li id=") {
				kept = append(kept, name)
			}
		}
		return strings.Join(kept, " ")
	}
	if got, want := strip(page), strip(plain); got != want {
		t.Errorf("%.60q changes the page:\n%s\nwant\n%s", text, got, want)
	}
	if !utf8.ValidString(page) {
		t.Errorf("%.60q makes a page that is not UTF-8", text)
	}
	for _, c := range page {
		if c != '\n' && !unicode.IsGraphic(c) || c == utf8.RuneError {
			t.Errorf("%.60q leaves the character %U in the page", text, c)
			break
		}
	}
}

// FuzzText renders any text everywhere in a document.
func FuzzText(f *testing.F) {
	for _, text := range hostile[:9] {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if text == "" || len(text) > 1<<12 {
			return
		}
		if strings.Contains(text, "\ufffd") && utf8.ValidString(text) {
			return // which is a character of its own
		}
		sameMarkup(t, text)
	})
}

// TestPlain spells out what is not text.
func TestPlain(t *testing.T) {
	for text, want := range map[string]string{
		"plain é 漢字":                "plain é 漢字",
		"a\u202eb":                  `a\u{202e}b`,
		"a\x00b":                    `a\u{0}b`,
		"a\xffb":                    `a\xffb`,
		"line\nnext":                "line next",
		"e\u0301\u0301\u0301":       "e\u0301\u0301\u0301",
		"e\u0301\u0301\u0301\u0301": "e\u0301\u0301\u0301" + `\u{301}`,
	} {
		if got := document.Plain(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
	if got, want := document.Short("abcdef", 3), "abc… (6 characters in all)"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestPolicy wants a page that loads nothing, and a policy that fits its style.
func TestPolicy(t *testing.T) {
	page := render(t, whole("text"))
	_, rest, _ := strings.Cut(page, "<style>")
	style, _, _ := strings.Cut(rest, "</style>")
	sum := sha256.Sum256([]byte(style))
	want := "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'"
	match := regexp.MustCompile(`Content-Security-Policy" content="([^"]*)"`).FindStringSubmatch(page)
	if match == nil || strings.NewReplacer("&#39;", "'", "&#43;", "+").Replace(match[1]) != want {
		t.Errorf("policy %q, want %q", match, want)
	}
	for _, never := range []string{"<script", "style=", "src=", "url(", "http://", "https://", "@import", "ZgotmplZ"} {
		if strings.Contains(page, never) {
			t.Errorf("the page has %q", never)
		}
	}
	if len(style) < 2000 {
		t.Errorf("the style has %d bytes", len(style))
	}
}

// TestSameBytes renders twice.
func TestSameBytes(t *testing.T) {
	first := render(t, whole("text"))
	if second := render(t, whole("text")); first != second {
		t.Error("two renderings differ")
	}
}
