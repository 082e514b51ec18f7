package view

import (
	"fmt"
	"slices"

	"coldtrail/trace"
)

// NewPath is the shortest way from a theft of a colour to a place (`at` of a disposition
// or a flow), as flows and as a graph of what of them leads on. The colour may be left
// out where the trace has one.
func NewPath(r *trace.Result, colour, at string) (*Path, error) {
	if colour == "" && len(r.Colours) != 1 {
		return nil, fmt.Errorf("%w: the trace has %d colours; say which", ErrSelection, len(r.Colours))
	}
	colours, err := coloursOf(r, colour)
	if err != nil {
		return nil, err
	}
	colour = colours[0].Colour
	flows, err := r.Path(colour, at)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNothing, err)
	}
	g, err := newGrower(r, &Selection{Colour: colour, Group: ByAddress}, nil)
	if err != nil {
		return nil, err
	}
	if err := g.grow(leading(flows, colour, at)); err != nil {
		return nil, err
	}
	p := &Path{Of: of(r), Colour: colour, At: at, Flows: flows}
	p.Graph, err = g.graph()
	return p, err
}

// leading leaves of every flow the ends that lead from the one before and to the one after.
func leading(flows []trace.Flow, colour, at string) []trace.Flow {
	type place struct{ at, asset string }
	list := slices.Clone(flows)
	wanted := map[place]bool{}
	for i := len(list) - 1; i >= 0; i-- {
		f := &list[i]
		f.To = slices.DeleteFunc(slices.Clone(f.To), func(e trace.FlowEnd) bool {
			end := i == len(list)-1 && e.At == at
			return e.Colour != colour || !end && !wanted[place{e.At, e.Asset}]
		})
		before := map[place]bool{}
		if i > 0 {
			for _, e := range list[i-1].To {
				before[place{e.At, e.Asset}] = before[place{e.At, e.Asset}] || e.Colour == colour
			}
		}
		f.From = slices.DeleteFunc(slices.Clone(f.From), func(e trace.FlowEnd) bool { return e.Colour != colour || !before[place{e.At, e.Asset}] })
		wanted = map[place]bool{}
		for _, e := range f.From {
			wanted[place{e.At, e.Asset}] = true
		}
	}
	return list
}
