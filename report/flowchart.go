package report

import (
	"cmp"
	"fmt"
	"slices"

	"coldtrail/ledger"
	"coldtrail/report/document"
	"coldtrail/report/drawing"
	"coldtrail/trace"
)

// kindNames are the kinds of places in print, in the order in which they are drawn.
var kindNames = []struct{ kind, name string }{
	{"held", "Held"},
	{"service", "At a service"},
	{"in-transit", "Between chains"},
	{"frozen", "Frozen"},
	{"recovered", "Recovered"},
	{"mixer", "In a mixer"},
	{"dark", "Cannot be followed"},
	{"fee", "Fees"},
	{"burned", "Burned"},
	{"rounding", "Rounding"},
	{"truncated", "Cut off by a limit"},
}

func kindName(kind string) string {
	for _, k := range kindNames {
		if k.kind == kind {
			return k.name
		}
	}
	return kind
}

func kindOrder(kind string) int {
	return slices.IndexFunc(kindNames, func(k struct{ kind, name string }) bool { return k.kind == kind })
}

// flowChart draws where each stolen asset is.
func (r *Report) flowChart() document.Section {
	s := document.Section{ID: "flow", Heading: "Where the value went"}
	s.Blocks = append(s.Blocks, document.Block{Paragraph: []document.Sentence{
		fact("Each drawing follows one stolen asset: bands are as wide as the part of it that they stand for, and every column adds up to what was stolen, but that the thinnest bands are drawn wider than they are.", r.answer()),
		fact("Amounts in drawings are cut after two digits; the tables have all digits.", r.answer()),
	}})
	for i := range r.Result.Colours {
		c := &r.Result.Colours[i]
		if _, ok := r.Result.Summary[c.Colour]; !ok {
			continue // a method that does not conserve has no shares to draw
		}
		if figure := r.figureOf(c); figure != nil {
			s.Blocks = append(s.Blocks, document.Block{Figure: figure})
		}
	}
	return s
}

// chart gathers the bars and bands of one drawing.
type chart struct {
	nodes []drawing.Node
	sums  map[string]*ledger.Amount
	bands map[[2]string]*drawing.Band
}

// node adds a bar once.
func (c *chart) node(n drawing.Node) {
	if c.sums[n.Key] == nil {
		c.sums[n.Key] = new(ledger.Amount)
		c.nodes = append(c.nodes, n)
	}
}

// pass adds to the band between two bars.
func (c *chart) pass(from, to, class string, amount *ledger.Amount) {
	key := [2]string{from, to}
	if c.bands[key] == nil {
		c.bands[key] = &drawing.Band{From: from, To: to, Class: class}
	}
	c.bands[key].Amount.Add(&c.bands[key].Amount, amount)
	c.sums[to].Add(c.sums[to], amount)
}

// figureOf draws one colour: stolen, the chain and asset in which it is, how it ended, who
// has it.
func (r *Report) figureOf(c *trace.Colour) *document.Figure {
	total, err := parse(c.Stolen)
	if err != nil || total.IsZero() {
		return nil
	}
	d := &chart{sums: map[string]*ledger.Amount{}, bands: map[[2]string]*drawing.Band{}}
	d.node(drawing.Node{Key: "stolen", Label: "Stolen", Class: "stolen"})
	d.sums["stolen"].Set(&total)
	mine := r.of(c.Colour, func(*holder) bool { return true })
	names := nameable(mine)
	allFact := true
	for i := range mine {
		h := &mine[i]
		allFact = allFact && h.certainty >= strict
		where, kind := "where "+h.asset, "kind "+h.kind
		d.node(drawing.Node{Key: where, Label: r.symbol(h.asset) + " on " + r.network(h.chain), Class: "other", Column: 1})
		d.node(drawing.Node{Key: kind, Label: kindName(h.kind), Class: h.kind, Column: 2, Order: kindOrder(h.kind)})
		d.pass("stolen", where, "other", &h.origin)
		d.pass(where, kind, h.kind, &h.origin)
		if shareOf(h.kind) == Spent {
			continue
		}
		who := names[h.kind+" "+h.entity]
		key := "who " + h.kind + " " + who
		d.node(drawing.Node{Key: key, Label: who, Class: h.kind, Column: 3, Order: kindOrder(h.kind)})
		d.pass(kind, key, h.kind, &h.origin)
	}
	for i := range d.nodes {
		n := &d.nodes[i]
		sum := d.sums[n.Key]
		n.Note = fmt.Sprintf("%s (%s)", percent(basisPoints(sum, &total)), r.rough(sum.Dec(), c.Asset))
	}
	caption := fact("How "+document.Short(c.Colour, maxName)+" is divided now.", r.answer())
	if !allFact {
		caption = inference("How "+document.Short(c.Colour, maxName)+" is divided now, with what is inferred.", r.inferences(c.Colour)...)
	}
	bands := make([]drawing.Band, 0, len(d.bands))
	for _, b := range d.bands {
		b.Tip = r.rough(b.Amount.Dec(), c.Asset)
		bands = append(bands, *b)
	}
	slices.SortFunc(bands, func(a, b drawing.Band) int { return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To)) })
	title := "Flow chart of " + document.Short(c.Colour, maxName)
	return &document.Figure{Caption: caption, Drawing: drawing.FlowChart(&drawing.Chart{
		Title: title, Desc: r.describe(c, d), Headings: []string{"Stolen", "Where it is", "How it ended", "Who"}, Nodes: d.nodes, Bands: bands, Total: total,
	})}
}

// describe says in words what a drawing shows.
func (r *Report) describe(c *trace.Colour, d *chart) string {
	text := "From left to right: " + r.Amount(c.Stolen, c.Asset) + " stolen"
	for i := range d.nodes {
		if n := &d.nodes[i]; n.Column > 0 {
			text += "; " + n.Label + " " + n.Note
		}
	}
	return text + "."
}

// mostNames is how many names of a kind are drawn.
const mostNames = 5

// nameable says by which name holders are drawn: the largest of a kind by their own.
func nameable(mine []holder) map[string]string {
	sums := map[string]map[string]*ledger.Amount{}
	for i := range mine {
		h := &mine[i]
		if sums[h.kind] == nil {
			sums[h.kind] = map[string]*ledger.Amount{}
		}
		if sums[h.kind][h.entity] == nil {
			sums[h.kind][h.entity] = new(ledger.Amount)
		}
		sums[h.kind][h.entity].Add(sums[h.kind][h.entity], &h.origin)
	}
	names := map[string]string{}
	for kind, byName := range sums {
		list := make([]string, 0, len(byName))
		for name := range byName {
			list = append(list, name)
		}
		slices.SortFunc(list, func(a, b string) int { return cmp.Or(byName[b].Cmp(byName[a]), cmp.Compare(a, b)) })
		for i, name := range list {
			key := kind + " " + name
			switch {
			case name == "" && kind == "held":
				names[key] = "Unattributed addresses"
			case name == "":
				names[key] = "Not named"
			case i < mostNames || len(list) == mostNames+1:
				names[key] = document.Short(name, maxName)
			default:
				names[key] = count(len(list)-mostNames, "other", "others")
			}
		}
	}
	return names
}
