package policy

import (
	"fmt"
	"slices"

	"gopkg.in/yaml.v3"

	"coldtrail/attribution/label"
	"coldtrail/screen/exposure"
)

// group is what a subject is said to be, such as a service that keeps many people's
// money, or a victim. Rules read it as subject.NAME.
type group struct {
	Name       string   `json:"name"`
	Categories []string `json:"categories"`
	Except     []string `json:"except,omitempty"`
	// Confidence is the least that a claim must state.
	Confidence uint8 `json:"confidence"`
	// Unless are the bits of earlier groups that void this one.
	Unless uint32 `json:"unless,omitempty"`
	// Value says how value that moved counts in the score of a member.
	Value valueMode `json:"value"`
}

// valueMode says how value that moved counts in a score.
type valueMode string

const (
	wholeValue valueMode = "whole" // direct exposure counts in full
	shareValue valueMode = "share" // only by its share: the money is many people's
	noValue    valueMode = "none"  // not at all
)

func (p *Policy) readGroups(n *yaml.Node) error {
	return pairs(n, "groups", maxGroups, func(key, value *yaml.Node) error {
		g := group{Value: wholeValue}
		if err := name(key, "groups", &g.Name); err != nil {
			return err
		}
		where := "groups." + g.Name
		err := object(value, where, keys{
			"categories": func(n *yaml.Node) error { return concepts(n, where+".categories", &g.Categories) },
			"except":     func(n *yaml.Node) error { return concepts(n, where+".except", &g.Except) },
			"confidence": func(n *yaml.Node) error { return small(n, where+".confidence", 100, &g.Confidence) },
			"unless":     func(n *yaml.Node) error { return p.groupBits(n, where+".unless", &g.Unless) },
			"value": func(n *yaml.Node) error {
				return word(n, where+".value", []valueMode{wholeValue, shareValue, noValue}, &g.Value)
			},
		})
		if err != nil {
			return err
		}
		if len(g.Categories) == 0 {
			return &Error{key.Line, where, "a group needs categories"}
		}
		if slices.ContainsFunc(subjectFields, func(f field[*subjectValue]) bool { return f.name == g.Name }) {
			return &Error{key.Line, where, "subject has a field of this name already"}
		}
		p.groups = append(p.groups, g)
		return nil
	})
}

// groupBits reads a list of names of groups.
func (p *Policy) groupBits(n *yaml.Node, where string, to *uint32) error {
	return list(n, where, maxGroups, func(_ int, n *yaml.Node) error {
		var w string
		if err := name(n, where, &w); err != nil {
			return err
		}
		i := slices.IndexFunc(p.groups, func(g group) bool { return g.Name == w })
		if i < 0 {
			return &Error{n.Line, where, fmt.Sprintf("no group %q comes before", w)}
		}
		*to |= 1 << i
		return nil
	})
}

func concepts(n *yaml.Node, where string, to *[]string) error {
	return list(n, where, maxConcepts, func(_ int, n *yaml.Node) error {
		var c string
		if err := concept(n, where, &c); err != nil {
			return err
		}
		*to = append(*to, c)
		return nil
	})
}

// names says whether a claim puts its subject into the group. What a claim does not
// state makes nobody milder: an unstated confidence is not enough for a group that asks
// for one.
func (g *group) names(f *exposure.Fact) bool {
	of := func(c string) bool { return label.Is(f.Category, c) || f.Sanction && label.Is("sanction", c) }
	return f.Confidence >= g.Confidence && slices.ContainsFunc(g.Categories, of) && !slices.ContainsFunc(g.Except, of)
}

// members works out to which groups a subject belongs, by the claims about itself that
// hold, and how value counts for it. Conclusions from other addresses put nobody into a
// group: the deposit addresses of an exchange's customers share an owner with its vaults.
func (p *Policy) members(views []view) (bits uint32, mode valueMode) {
	mode = wholeValue
	for i := range p.groups {
		g := &p.groups[i]
		if bits&g.Unless != 0 {
			continue
		}
		for j := range views {
			if v := &views[j]; v.fact.Kind == exposure.Labelled && v.state == inForce && g.names(v.fact) {
				bits |= 1 << i
				break
			}
		}
		if bits&(1<<i) != 0 && (g.Value == noValue || g.Value == shareValue && mode == wholeValue) {
			mode = g.Value
		}
	}
	return bits, mode
}
