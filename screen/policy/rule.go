package policy

import (
	"fmt"
	"slices"

	"cel.dev/cel-go/cel"
	"gopkg.in/yaml.v3"

	"coldtrail/screen/exposure"
)

// rule says what is to be done where something holds.
type rule struct {
	name, why string
	number    int
	line      int

	overall bool // speaks of all facts together, not of each
	kinds   uint8
	way     exposure.Direction // of value; empty for any
	mask    uint8              // purposes
	only    uint32             // groups: only their members
	except  uint32             // and none of these
	least   int64              // facts of the kinds, for a rule of all together
	since   int64
	until   int64

	when    string // in its normal spelling
	program cel.Program
	outcome [5]exposure.Outcome // by purpose
	level   exposure.Level      // the least; empty where the rule sets none
}

// reserved are the codes of reasons that the engine itself gives.
var reserved = []string{
	codeNoFacts, codeNotHeld, codeStale, codeNotAnAddress, codeDust, codePoisoning, codeNoRule, codeRuleError, codeAfter, codeUndefined, codeNoPrice,
}

// draft is a rule while it is read.
type draft struct {
	rule

	when     *yaml.Node
	outcomes map[exposure.Purpose]exposure.Outcome
	scope    scope
	standard exposure.Outcome
}

type scope string

const (
	factScope    scope = "fact"
	subjectScope scope = "subject"
)

func (p *Policy) readRules(n *yaml.Node) error {
	l, err := p.language()
	if err != nil {
		return &Error{n.Line, "rules", err.Error()}
	}
	err = list(n, "rules", maxRules, func(i int, n *yaml.Node) error {
		r, err := p.readRule(n, i, l)
		if err == nil && slices.ContainsFunc(p.rules, func(o *rule) bool { return o.name == r.name }) {
			err = &Error{n.Line, fmt.Sprintf("rules[%d].name", i), fmt.Sprintf("%q is the name of two rules", r.name)}
		}
		p.rules = append(p.rules, r)
		return err
	})
	if err != nil {
		return err
	}
	if k := p.numbers.idle(l.used); k != "" {
		return &Error{p.numbers.lines[k], "numbers." + k, "no rule reads this number"}
	}
	return nil
}

func (p *Policy) readRule(n *yaml.Node, number int, l *language) (*rule, error) {
	where := fmt.Sprintf("rules[%d]", number)
	at := func(key string) string { return where + "." + key }
	d := draft{scope: factScope}
	d.number, d.line, d.kinds, d.mask, d.least = number, n.Line, allKinds, 1<<len(purposes)-1, 1
	err := object(n, where, keys{
		"name":  func(n *yaml.Node) error { return name(n, at("name"), &d.name) },
		"scope": func(n *yaml.Node) error { return word(n, at("scope"), []scope{factScope, subjectScope}, &d.scope) },
		"kinds": func(n *yaml.Node) error { return bitsOf(n, at("kinds"), kindNames, &d.kinds) },
		"direction": func(n *yaml.Node) error {
			return word(n, at("direction"), []exposure.Direction{exposure.Received, exposure.Sent}, &d.way)
		},
		"purposes":    func(n *yaml.Node) error { return bitsOf(n, at("purposes"), purposes, &d.mask) },
		"only":        func(n *yaml.Node) error { return p.groupBits(n, at("only"), &d.only) },
		"except":      func(n *yaml.Node) error { return p.groupBits(n, at("except"), &d.except) },
		"least":       func(n *yaml.Node) error { return whole(n, at("least"), 1, maxText, &d.least) },
		"since":       func(n *yaml.Node) error { return moment(n, at("since"), &d.since) },
		"until":       func(n *yaml.Node) error { return moment(n, at("until"), &d.until) },
		"when":        func(n *yaml.Node) error { d.when = n; return text(n, at("when"), maxWhen, &d.rule.when) },
		"outcome":     func(n *yaml.Node) error { return outcome(n, at("outcome"), &d.standard) },
		"outcome_for": func(n *yaml.Node) error { return d.readOutcomes(n, at("outcome_for")) },
		"level": func(n *yaml.Node) error {
			return word(n, at("level"), []exposure.Level{exposure.Low, exposure.Medium, exposure.High, exposure.Severe}, &d.level)
		},
		"why": func(n *yaml.Node) error { return text(n, at("why"), maxWhy, &d.why) },
	})
	if err != nil {
		return nil, err
	}
	if err := d.check(where); err != nil {
		return nil, err
	}
	d.overall = d.scope == subjectScope
	for i, purpose := range purposes {
		d.outcome[i] = d.standard
		if o, ok := d.outcomes[purpose]; ok {
			d.outcome[i] = o
		}
	}
	r := d.rule
	if r.program, r.when, err = l.compile(r.when, d.scope); err != nil {
		return nil, &Error{d.when.Line, at("when"), err.Error()}
	}
	return &r, nil
}

func (d *draft) readOutcomes(n *yaml.Node, where string) error {
	d.outcomes = map[exposure.Purpose]exposure.Outcome{}
	return pairs(n, where, len(purposes), func(key, value *yaml.Node) error {
		var p exposure.Purpose
		var o exposure.Outcome
		if err := word(key, where, purposes, &p); err != nil {
			return err
		}
		if err := outcome(value, where, &o); err != nil {
			return err
		}
		d.outcomes[p] = o
		return nil
	})
}

func (d *draft) check(where string) error {
	fail := func(reason string) error { return &Error{d.line, where, reason} }
	switch {
	case d.name == "" || d.why == "" || d.when == nil || d.standard == "":
		return fail("a rule needs name, when, outcome and why")
	case slices.Contains(reserved, d.name):
		return fail(fmt.Sprintf("%q is a code of the engine's own", d.name))
	case d.scope == factScope && d.least != 1:
		return fail("least is for rules of scope subject")
	case d.until != 0 && d.until <= d.since:
		return fail("it ends before it begins")
	}
	for p := range d.outcomes {
		if d.mask&(1<<purposeNumber(p)) == 0 {
			return fail(fmt.Sprintf("an outcome for %s, to which the rule does not apply", p))
		}
	}
	return nil
}

// bitsOf reads a list of words as a set.
func bitsOf[T ~string](n *yaml.Node, where string, all []T, to *uint8) error {
	*to = 0
	err := list(n, where, len(all), func(_ int, n *yaml.Node) error {
		var w T
		err := word(n, where, all, &w)
		*to |= 1 << max(slices.Index(all, w), 0)
		return err
	})
	if err == nil && *to == 0 {
		err = &Error{n.Line, where, "an empty list: the rule would never apply"}
	}
	return err
}

// applies says whether a rule is one for a purpose, at a moment, of a subject in these
// groups.
func (r *rule) applies(purpose int, at int64, groups uint32) bool {
	return r.mask&(1<<purpose) != 0 && at >= r.since && (r.until == 0 || at < r.until) &&
		(r.only == 0 || r.only&groups != 0) && r.except&groups == 0
}

// sees says whether a fact is one that the rule is about.
func (r *rule) sees(v *view) bool {
	return v.aside == judged && r.kinds&(1<<v.kind) != 0 && (r.way == "" || r.way == v.fact.Direction)
}
