package taint

import (
	"cmp"
	"strings"
)

// Class is a colour together with its certainty, as a number of a Palette.
type Class uint32

// Clean is the absence of a colour.
const Clean Class = 1<<32 - 1

// Fact is the certainty, in basis points, of what follows from chain data alone.
const Fact = 10_000

// Paint is what a Class stands for.
type Paint struct {
	Colour string // "case/colour"
	// Score is the certainty in basis points: Fact, or less after inferences.
	Score uint32
	// By names the inferences a lot passed, in order, joined by "+"; empty for facts.
	By string
}

// Palette numbers the classes of one run. Numbers depend on the order of use;
// nothing that reaches a result does.
type Palette struct {
	paints []Paint
	number map[Paint]Class
}

// NewPalette makes an empty palette.
func NewPalette() *Palette { return &Palette{number: map[Paint]Class{}} }

// Class numbers a paint.
func (p *Palette) Class(paint Paint) Class {
	if c, ok := p.number[paint]; ok {
		return c
	}
	c := Class(len(p.paints))
	p.paints = append(p.paints, paint)
	p.number[paint] = c
	return c
}

// Paint is what the class stands for; the zero Paint for Clean.
func (p *Palette) Paint(c Class) Paint {
	if c == Clean {
		return Paint{}
	}
	return p.paints[c]
}

// Infer is the class after one more inference: certainties multiply, rounded
// down, and a lot that passed an inference is inferred for ever.
func (p *Palette) Infer(c Class, score uint32, by string) Class {
	if c == Clean {
		return Clean
	}
	paint := p.paints[c]
	paint.Score = uint32(uint64(paint.Score) * uint64(score) / Fact)
	if paint.By != "" {
		by = paint.By + "+" + by
	}
	paint.By = by
	return p.Class(paint)
}

// Compare orders classes by the bytes of their colour, then facts before
// inferences, higher scores first, then the names of the inferences. Clean is last.
func (p *Palette) Compare(a, b Class) int {
	if a == b {
		return 0
	}
	if a == Clean || b == Clean {
		return cmp.Compare(a, b)
	}
	x, y := &p.paints[a], &p.paints[b]
	return cmp.Or(strings.Compare(x.Colour, y.Colour), cmp.Compare(y.Score, x.Score), strings.Compare(x.By, y.By))
}
