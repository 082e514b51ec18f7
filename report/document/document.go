// Package document is the model of a case report, and its rendering as one HTML file:
// sections of sentences, tables and drawings. Every sentence and every row of a table says
// whether it is a fact, an inference or a judgement, and what it rests on; Render refuses
// a document in which one does not. All text is taken for hostile. The same document gives
// the same bytes.
package document

import "coldtrail/report/drawing"

// Mark says of what kind a sentence is. A sentence without one is refused.
type Mark uint8

// The marks.
const (
	Fact      Mark = iota + 1 // chain data, or what a named program did with it
	Inference                 // follows by a named rule or link, and may be wrong
	Judgement                 // what a named person or body says
)

// names are how marks are written out.
var names = map[Mark]string{Fact: "fact", Inference: "inference", Judgement: "judgement"}

// String is the mark in a word; nothing for none.
func (m Mark) String() string { return names[m] }

// Letter is the mark in print.
func (m Mark) Letter() string { return map[Mark]string{Fact: "F", Inference: "I", Judgement: "J"}[m] }

// Source is something that a sentence rests on: a transaction, a block, a claim, a rule.
type Source struct {
	Kind string // "transaction", "block", "claim", …
	ID   string
}

// Sentence is one sentence, with its mark and what it rests on. By names who judges, of a
// judgement.
type Sentence struct {
	Mark  Mark
	Text  string
	Rests []Source
	By    string
}

// Document is a report.
type Document struct {
	Title    string
	Subtitle string
	Kind     string // what kind of paper it is, over the title
	Facts    []Pair // the particulars under the title
	Sections []Section
	// Index says whether a list of all sources stands at the end.
	Index bool
}

// Pair is a particular: the name of a field and what stands in it, marked as any sentence.
type Pair struct {
	Name  string
	Value Sentence
}

// Section is a part under a heading. A section that is Alone begins a page when printed.
type Section struct {
	ID      string // a word, for links
	Heading string
	Alone   bool
	Blocks  []Block
}

// Block is one of its fields: a paragraph, a list, tiles, a table or a figure.
type Block struct {
	Heading   string // above it, where something stands here
	Paragraph []Sentence
	List      []Sentence
	Tiles     []Tile
	Table     *Table
	Figure    *Figure
	Code      *Sentence // set as it is, such as a command
}

// Tile is a figure that is to be seen first.
type Tile struct {
	Class string
	Name  string
	Value string
	Says  Sentence // what exactly the figure says
}

// Column is a column of a table. Class is how it is set: "" for text,
// "number", "time" or "code".
type Column struct {
	Title, Class string
}

// Row is a row of a table: a sentence in cells.
type Row struct {
	Mark  Mark
	Rests []Source
	By    string
	Cells []string
	Total bool // it adds up or closes what stands above
}

// Table is rows under a caption that says what they are.
type Table struct {
	Caption Sentence
	Columns []Column
	Rows    []Row
}

// Figure is a drawing with a caption that says what it shows.
type Figure struct {
	Caption Sentence
	Drawing drawing.Drawing
}
