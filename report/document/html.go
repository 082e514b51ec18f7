package document

import (
	"crypto/sha256"
	"encoding/base64"
	"html/template"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// policy lets a browser load nothing at all and use one style: the one with this digest.
func policy() string {
	sum := sha256.Sum256([]byte(style))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'"
}

// Render writes a document as one HTML file without scripts, or refuses it with a
// MarkError. Equal documents give equal bytes.
func Render(w io.Writer, d *Document) error {
	if err := d.Check(); err != nil {
		return err
	}
	n := &numbering{of: map[Source]int{}}
	page, err := template.New("page").Funcs(template.FuncMap{
		"plain":   Plain,
		"cite":    n.numbers,
		"sources": func() []Source { return n.list },
		"policy":  policy,
		"next":    func(i int) int { return i + 1 },
		"tight":   breakable,
		"viewbox": func(width, height int) string { return "0 0 " + strconv.Itoa(width) + " " + strconv.Itoa(height) },
	}).Parse(strings.Replace(pageTemplate, "STYLE", style, 1))
	if err != nil {
		return err
	}
	return page.Execute(w, d)
}

// breakable is a text in parts between which a line may be broken: identifiers are long.
func breakable(text string) (parts []string) {
	text = Plain(text)
	if utf8.RuneCountInString(text) <= oneLine {
		return []string{strings.ReplaceAll(text, " ", "\u00a0")}
	}
	const part = 16
	for word := range strings.SplitSeq(text, " ") {
		runes := []rune(word)
		for len(runes) > part+part/2 {
			parts, runes = append(parts, string(runes[:part])), runes[part:]
		}
		parts = append(parts, string(runes)+" ")
	}
	return parts
}

// oneLine is how long a cell may be that is never broken.
const oneLine = 20

// pageTemplate is the whole file. STYLE stands for the style, whose digest the policy names.
const pageTemplate = `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{{policy}}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="generator" content="Coldtrail">
<title>{{plain .Title}}</title>
<style>STYLE</style>
</head>
<body>
<main>
<header>
<p class="kind">{{plain .Kind}}</p>
<h1>{{plain .Title}}</h1>
{{with .Subtitle}}<p class="subtitle">{{plain .}}</p>
{{end}}{{if .Facts}}<dl class="particulars">
{{range .Facts}}<div><dt>{{plain .Name}}</dt><dd>{{template "sentence" .Value}}</dd></div>
{{end}}</dl>
{{end}}<aside class="legend" aria-label="How to read the marks">
<span><span class="mark fact">F</span> fact: chain data, or what a named program did with it</span>
<span><span class="mark inference">I</span> inference: follows by a named rule or link, and may be wrong</span>
<span><span class="mark judgement">J</span> judgement: what a named person or body says</span>
<span>Numbers beside a mark are the sources listed at the end.</span>
</aside>
</header>
{{if gt (len .Sections) 4}}<nav aria-label="Contents"><h2>Contents</h2><ol>
{{range .Sections}}<li><a href="#{{.ID}}">{{plain .Heading}}</a></li>
{{end}}</ol></nav>
{{end}}{{range $i, $section := .Sections}}<section id="{{.ID}}"{{if .Alone}} class="alone"{{end}}>
<h2><span class="count">{{next $i}}</span> {{plain .Heading}}</h2>
{{range .Blocks}}{{with .Heading}}<h3>{{plain .}}</h3>
{{end}}{{with .Tiles}}<div class="tiles">
{{range .}}<div class="tile {{.Class}}"><p class="name">{{plain .Name}}</p><p class="value">{{plain .Value}}</p><p class="says">{{template "sentence" .Says}}</p></div>
{{end}}</div>
{{end}}{{with .Paragraph}}<p>{{range $i, $s := .}}{{if $i}} {{end}}{{template "sentence" $s}}{{end}}</p>
{{end}}{{with .List}}<ul>
{{range .}}<li>{{template "sentence" .}}</li>
{{end}}</ul>
{{end}}{{with .Code}}<pre>{{plain .Text}}</pre><p class="after">{{template "mark" .}}</p>
{{end}}{{with .Figure}}{{template "figure" .}}{{end}}{{with .Table}}{{template "table" .}}{{end}}{{end}}</section>
{{end}}{{if .Index}}{{with sources}}<section id="sources" class="alone">
<h2>Sources</h2>
<ol class="sources">
{{range $i, $s := .}}<li id="s{{next $i}}"><span class="source">{{plain $s.Kind}}</span> <code>{{range tight $s.ID}}{{.}}<wbr>{{end}}</code></li>
{{end}}</ol>
</section>
{{end}}{{end}}</main>
</body>
</html>
{{define "mark"}}<span class="mark {{.Mark}}" title="{{.Mark}}">{{.Mark.Letter}}</span>{{with .By}}<span class="cites">{{plain .}}</span>{{end}}{{with cite .Rests}}<span class="cites">{{.}}</span>{{end}}{{end}}
{{define "sentence"}}<span class="sentence">{{plain .Text}}</span>&nbsp;{{template "mark" .}}{{end}}
{{define "figure"}}<figure>
<svg role="img" viewBox="{{viewbox .Drawing.Width .Drawing.Height}}" width="{{.Drawing.Width}}" height="{{.Drawing.Height}}">
<title>{{plain .Drawing.Title}}</title>
<desc>{{plain .Drawing.Desc}}</desc>
{{range .Drawing.Shapes}}{{if .Text}}<text x="{{.X}}" y="{{.Y}}" class="{{.Class}}" text-anchor="{{.Anchor}}">{{plain .Text}}</text>
{{else}}<path d="{{.Path}}" class="{{.Class}}">{{with .Tip}}<title>{{plain .}}</title>{{end}}</path>
{{end}}{{end}}</svg>
<figcaption>{{template "sentence" .Caption}}</figcaption>
</figure>
{{end}}
{{define "table"}}{{$columns := .Columns}}<table>
<caption>{{template "sentence" .Caption}}</caption>
<thead><tr>{{range .Columns}}<th scope="col"{{with .Class}} class="{{.}}"{{end}}>{{plain .Title}}</th>{{end}}<th scope="col" class="markcolumn"><span class="hidden">Mark</span></th></tr></thead>
<tbody>
{{range .Rows}}<tr{{if .Total}} class="total"{{end}}>{{range $i, $cell := .Cells}}{{with index $columns $i}}<td{{with .Class}} class="{{.}}"{{end}}>{{range tight $cell}}{{.}}<wbr>{{end}}</td>{{end}}{{end}}<td class="markcolumn">{{template "mark" .}}</td></tr>
{{end}}</tbody>
</table>
{{end}}`
