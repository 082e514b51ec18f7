package cluster

import (
	"fmt"
	"strings"
)

// Named is a set of outputs that may be change, by one rule with a name.
type Named struct {
	Name, Title, Source string
	// Confidence, 0 to 100, is of the single member of the set.
	Confidence uint8

	find func(q *question) candidates
}

// Sets lists the rules that sets are put together from, sorted by name: those that
// decide by themselves, and one for each of Features.
var Sets = append([]*Named{Direct, Meiklejohn, OneTime, Score}, ofFeatures()...)

// loneFeature is the confidence in what one feature by itself says.
const loneFeature = 40

// ofFeatures makes a set of every feature: what it votes for, where it does, and else
// what it does not vote against. A feature that says nothing rules nothing out.
func ofFeatures() (list []*Named) {
	for _, f := range Features {
		list = append(list, &Named{
			Name: f.Name, Title: f.Title, Source: f.Source, Confidence: loneFeature,
			find: func(q *question) candidates { return q.at(loneFeature, q.left(f.votes(q))) },
		})
	}
	return list
}

// left is what votes leave.
func (q *question) left(votes []int8) []bool {
	least := int8(0)
	for i, v := range votes {
		if q.open[i] && v > 0 {
			least = 1
		}
	}
	set := make([]bool, len(votes))
	for i, v := range votes {
		set[i] = q.open[i] && v >= least
	}
	return set
}

// And keeps what both sets have, as sure as the surer of them is of it: both look at the
// same payment, and do not strengthen one another.
func And(a, b *Change) *Change {
	return join(a, b, '&', func(x, y uint8) uint8 {
		if x == 0 || y == 0 {
			return 0
		}
		return max(x, y)
	})
}

// Or keeps what either set has, as sure as the surer of them is of it.
func Or(a, b *Change) *Change {
	return join(a, b, '|', func(x, y uint8) uint8 { return max(x, y) })
}

// Unless keeps what the first set has and the second has not, as sure as the first.
func Unless(a, b *Change) *Change {
	return join(a, b, '~', func(x, y uint8) uint8 {
		if y > 0 {
			return 0
		}
		return x
	})
}

// join puts two sets together, output by output.
func join(a, b *Change, sign byte, both func(x, y uint8) uint8) *Change {
	find := func(q *question) candidates {
		x, y := a.find(q), b.find(q)
		for i := range x {
			x[i] = both(x[i], y[i])
		}
		return x
	}
	left, right := a.text, b.text
	if sign != '|' && a.sign == '|' {
		left = "(" + left + ")"
	}
	if sign != '|' && b.sign != 0 {
		right = "(" + right + ")"
	}
	return &Change{text: left + string(sign) + right, sign: sign, find: find}
}

const (
	maxSetText  = 200 // bytes
	maxSetDepth = 16  // brackets in brackets
)

// ParseChange reads a set of change rules as users type it:
//
//	set  = part { "|" part }
//	part = item { ( "&" | "~" ) item }
//	item = name | "(" set ")"
//
// "&" keeps what both have, "|" what either has, "~" what the left has and the right
// has not, from left to right; "&" and "~" bind before "|". Names are those of Sets;
// spaces mean nothing. The error says where the text goes wrong and what to do.
func ParseChange(text string) (*Change, error) {
	if len(text) > maxSetText {
		return nil, fmt.Errorf("change rules of %d bytes are too long; use at most %d", len(text), maxSetText)
	}
	p := setParser{text: text}
	c, err := p.set()
	if err == nil && p.next() != 0 {
		err = p.fail("put &, | or ~ before it")
	}
	if err != nil {
		return nil, err
	}
	return c, nil
}

// setParser reads a set.
type setParser struct {
	text  string
	at    int
	depth int
}

// next is the next byte that means something, or 0 at the end.
func (p *setParser) next() byte {
	for p.at < len(p.text) && p.text[p.at] == ' ' {
		p.at++
	}
	if p.at == len(p.text) {
		return 0
	}
	return p.text[p.at]
}

func (p *setParser) fail(advice string) error {
	if p.at >= len(p.text) {
		return fmt.Errorf("change rules %q end too early: %s", p.text, advice)
	}
	return fmt.Errorf("change rules %q go wrong at %q: %s", p.text, p.text[p.at:], advice)
}

func (p *setParser) set() (*Change, error) {
	left, err := p.part()
	for err == nil && p.next() == '|' {
		p.at++
		var right *Change
		if right, err = p.part(); err == nil {
			left = Or(left, right)
		}
	}
	return left, err
}

func (p *setParser) part() (*Change, error) {
	left, err := p.item()
	for err == nil {
		sign := p.next()
		if sign != '&' && sign != '~' {
			break
		}
		p.at++
		var right *Change
		if right, err = p.item(); err != nil {
			break
		}
		if sign == '&' {
			left = And(left, right)
		} else {
			left = Unless(left, right)
		}
	}
	return left, err
}

func (p *setParser) item() (*Change, error) {
	if p.next() == '(' {
		if p.depth++; p.depth > maxSetDepth {
			return nil, p.fail("use fewer brackets in brackets")
		}
		p.at++
		c, err := p.set()
		if err != nil {
			return nil, err
		}
		if p.next() != ')' {
			return nil, p.fail("close the bracket with )")
		}
		p.at++
		p.depth--
		return c, nil
	}
	rest := p.text[p.at:]
	name := rest
	if end := strings.IndexAny(rest, " &|~()"); end >= 0 {
		name = rest[:end]
	}
	names := make([]string, len(Sets))
	for i, n := range Sets {
		if n.Name == name {
			p.at += len(name)
			return &Change{text: n.Name, find: n.find}, nil
		}
		names[i] = n.Name
	}
	return nil, p.fail("put a bracket or one of " + strings.Join(names, ", "))
}
