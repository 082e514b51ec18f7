package report

import (
	"cmp"
	"fmt"
	"strings"

	"coldtrail/report/document"
	"coldtrail/trace"
)

// particulars are the fields under the title.
func (r *Report) particulars() (list []document.Pair) {
	add := func(name string, s document.Sentence) { list = append(list, document.Pair{Name: name, Value: s}) }
	for _, c := range r.Cases {
		source := document.Source{Kind: "case file", ID: document.Short(c.Name, maxName) + " " + r.Result.Basis.Cases}
		by := "the case file"
		if c.Date != "" {
			add("Date of the theft", judgement(by, document.Short(c.Date, maxName), source))
		}
		if a := c.AttributedTo; a.Actor != "" {
			text := fmt.Sprintf("%s, says %s", document.Short(a.Actor, maxName), document.Short(cmp.Or(a.By, "nobody named"), maxName))
			for _, more := range []struct{ word, text string }{{" in ", a.Source}, {" on ", a.Date}, {"; confidence ", a.Confidence}} {
				if more.text != "" {
					text += more.word + document.Short(more.text, maxName)
				}
			}
			add("Attributed to", judgement(document.Short(cmp.Or(a.By, by), maxName), text, source))
		} else {
			add("Attributed to", judgement(by, "Nobody: the case file names no one.", source))
		}
	}
	analyst := document.Short(r.Analyst(), maxName)
	for _, who := range []struct{ field, name, none string }{
		{"Made by", r.options.Analyst, "Nobody is named."}, {"Reviewed by", r.options.Reviewer, "Nobody yet."},
	} {
		if name := document.Short(who.name, maxName); name != "" {
			add(who.field, judgement(name, name))
		} else {
			add(who.field, fact(who.none, r.rule()))
		}
	}
	if r.options.Dated != "" {
		add("Dated", judgement(analyst, document.Short(r.options.Dated, maxName)))
	}
	add("Looked at", fact(r.looked()+".", r.heads()...))
	add("Rests on", fact(r.weakest(), r.answer()))
	return list
}

// looked says up to which block was looked.
func (r *Report) looked() string {
	var parts []string
	for _, chain := range r.chains() {
		parts = append(parts, fmt.Sprintf("%s up to block %s", r.network(chain), group(fmt.Sprint(r.Result.Basis.Heads[chain].Height))))
	}
	return strings.Join(parts, "; ")
}

// summary is the first section: an interval for each share of each stolen asset.
func (r *Report) summary() document.Section {
	s := document.Section{ID: "summary", Heading: "Summary"}
	if !r.conserves() {
		s.Blocks = []document.Block{{Paragraph: []document.Sentence{
			fact("The method "+r.Result.Method+" gives an upper bound for screening: its amounts overlap, so that no percentages are claimed.", r.rule()),
		}}}
		return s
	}
	for i := range r.Result.Colours {
		c := &r.Result.Colours[i]
		headlines, err := r.Headlines(c)
		if err != nil {
			continue // Build has read every amount
		}
		block := document.Block{Heading: r.Amount(c.Stolen, c.Asset) + " stolen (" + document.Short(c.Colour, maxName) + ")"}
		for _, share := range shares[:3] {
			h := headlines[share.share]
			block.Tiles = append(block.Tiles, document.Tile{Class: string(share.share), Name: share.name, Value: h.text(), Says: r.says(c, share.means, h)})
		}
		s.Blocks = append(s.Blocks, block)
	}
	s.Blocks = append(s.Blocks, document.Block{Table: r.intervals()}, document.Block{Paragraph: []document.Sentence{
		fact("No total over several stolen assets is given, because they have no common unit.", r.answer()),
		fact("Percentages are shares of what was stolen of one asset and are cut, not rounded, after the second digit.", r.rule()),
	}})
	return s
}

// shares are the parts of the headline in print, and what they mean.
var shares = []struct {
	share       Share
	name, means string
}{
	{Traceable, "Traceable", "held at known addresses, at services, or on its way between chains"},
	{Dark, "Dark", "in mixers, or at services through which it cannot be followed"},
	{Frozen, "Frozen or recovered", "frozen by an issuer or a service, or given back"},
	{Spent, "Fees, burned, cut off", "gone in fees, burned, or cut off by a limit"},
}

// says spells an interval out.
func (r *Report) says(c *trace.Colour, means string, h Headline) document.Sentence {
	if h.Strict == h.Possible {
		return fact("Facts alone: "+means+".", r.answer())
	}
	return inference(fmt.Sprintf("%s: %s by facts alone, %s with probable inferences, %s with possible ones.", strings.ToUpper(means[:1])+means[1:], percent(h.Strict), percent(h.Probable), percent(h.Possible)), r.inferences(c.Colour)...)
}

// inferences lists what the inferred part of a colour rests on.
func (r *Report) inferences(colour string) []document.Source {
	rests := []document.Source{r.answer()}
	seen := map[string]bool{}
	for i := range r.Result.Dispositions {
		d := &r.Result.Dispositions[i]
		if d.Colour == colour && d.Certainty < strict && !seen[d.By] {
			seen[d.By] = true
			_, more := r.marked(d.Certainty, d.By)
			rests = append(rests, more[1:]...)
		}
	}
	return rests
}

// intervals is the table of all shares.
func (r *Report) intervals() *document.Table {
	t := &document.Table{
		Caption: fact("Shares of what was stolen, as intervals: what facts alone place there, with probable inferences (certainty from 80 %), and with possible ones.", r.answer()),
		Columns: []document.Column{{Title: "Stolen"}, {Title: "Share"}, {Title: "Strict facts", Class: "number"}, {Title: "Plus probable", Class: "number"}, {Title: "Plus possible", Class: "number"}},
	}
	only := r.Result.FactOnly
	if only != nil {
		t.Columns = append(t.Columns, document.Column{Title: "No inference followed", Class: "number"})
	}
	for i := range r.Result.Colours {
		c := &r.Result.Colours[i]
		headlines, err := r.Headlines(c)
		if err != nil {
			continue
		}
		var alone map[Share]Headline
		if only != nil {
			alone, _ = r.shares(c, only.Dispositions) // as above
		}
		for _, share := range shares {
			h := headlines[share.share]
			row := document.Row{Mark: document.Fact, Rests: []document.Source{r.answer()}, Cells: []string{document.Short(c.Colour, maxName), share.name, percent(h.Strict), percent(h.Probable), percent(h.Possible)}}
			if h.Strict != h.Possible {
				row.Mark, row.Rests = document.Inference, r.inferences(c.Colour)
			}
			if only != nil {
				row.Cells = append(row.Cells, percent(alone[share.share].Possible))
			}
			t.Rows = append(t.Rows, row)
		}
	}
	return t
}
