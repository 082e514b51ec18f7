package policy

import (
	"cmp"
	"math"
	"slices"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"coldtrail/screen/exposure"
)

// Subject is what a question is about, as the caller found it.
type Subject struct {
	Address string `json:"address"`         // in its canonical form
	Chain   string `json:"chain,omitempty"` // CAIP-2
	// Held says that the chains the subject may be of are held: value that moved there
	// would have been seen.
	Held bool `json:"held"`
	// Seen is when the source was last heard to have nothing newer, of the chain of which
	// that is longest ago (Head.Seen, or Head.Time where a chain is not followed). Unix
	// seconds.
	Seen int64 `json:"seen"`
	// Stale says that the caller knows the data to be behind for another reason.
	Stale bool `json:"stale,omitempty"`
	// NotAnAddress says that the text is no address or transaction of any chain.
	NotAnAddress bool `json:"not_an_address,omitempty"`
}

// The codes of reasons that are not a rule's.
const (
	codeNoFacts      = "no-facts"
	codeNotHeld      = "chain-not-held"
	codeStale        = "stale"
	codeNotAnAddress = "not-an-address"
	codeDust         = "dust"
	codePoisoning    = "poisoning"
	codeNoRule       = "no-rule"
	codeRuleError    = "rule-error"
	codeAfter        = "after"
	codeUndefined    = "undefined"
	codeNoPrice      = "no-price"
)

// sentences are what the engine's own reasons say to people.
var sentences = map[string]string{
	codeNoFacts:      "Nothing is known of it, and its chain is held and current.",
	codeNotHeld:      "Its chain is not held, so nobody can tell what moved there.",
	codeStale:        "The data is too old for the moment asked for, so nobody can tell what happened since.",
	codeNotAnAddress: "It is no address and no transaction of any chain that is known here.",
	codeDust:         "So little came that nobody need have wanted it: shown, and never held against the receiver.",
	codePoisoning:    "A movement of nothing, as address poisoning makes them in anybody's name: shown, and never held against anybody.",
	codeNoRule:       "No rule of the policy speaks against what is known.",
	codeAfter:        "It moved after the moment asked for.",
	codeUndefined:    "A kind or category that this version does not know, so nobody can tell how grave it is.",
	codeNoPrice:      "The policy has no price for this asset: it is judged by its share and not by its worth.",
}

// Decide gives the verdict on a subject, except for its basis, which the caller knows.
// now is the present moment in Unix seconds; the question may ask for another.
//
// The verdict's facts are those given, as far as they had been learnt, in the order of
// Normal; where they are in that order already they are the caller's own. The outcome is
// the gravest that any reason gives, so that one more fact that speaks against a subject
// never makes it milder.
func (p *Policy) Decide(q *exposure.Question, subject Subject, facts []exposure.Fact, now int64) exposure.Verdict {
	s := p.scenes.Get().(*scene)
	defer s.release()
	s.observe(q, facts, now)
	s.consider(subject)
	return s.verdict()
}

// scene is one question while it is decided. It is what the rules' names resolve
// against.
type scene struct {
	policy   *Policy
	facts    []exposure.Fact
	views    []view
	mode     valueMode
	scores   Scores
	purpose  int
	question questionValue
	subject  subjectValue
	current  *view
	all      ref.Val
	spoken   []spoken
	tallies  tallies
	unknown  bool
	floor    exposure.Level
}

// spoken is a reason, and its place.
type spoken struct {
	exposure.Reason

	place int
}

func newScene(p *Policy) *scene {
	s := &scene{policy: p}
	s.question.record = record{questionType, &s.question}
	s.subject.record = record{subjectType, &s.subject}
	return s
}

// release gives the scene back, holding on to nobody's facts.
func (s *scene) release() {
	clear(s.views)
	clear(s.spoken)
	s.facts, s.views, s.spoken, s.all, s.current, s.question.question = nil, s.views[:0], s.spoken[:0], nil, nil, nil
	s.policy.scenes.Put(s)
}

// ResolveName finds what a rule names.
func (s *scene) ResolveName(name string) (any, bool) {
	switch name {
	case "fact":
		return &s.current.record, s.current != nil
	case "question":
		return &s.question.record, true
	case "subject":
		return &s.subject.record, true
	case "facts":
		return s.all, s.all != nil
	}
	return nil, false
}

// Parent is none.
func (s *scene) Parent() cel.Activation { return nil }

// together lists the facts that a rule of all together is about.
func (s *scene) together(r *rule) (list []ref.Val) {
	for i := range s.views {
		if v := &s.views[i]; r.sees(v) {
			list = append(list, &v.record)
		}
	}
	return list
}

// observe looks at the facts of a question and works out the scores.
func (s *scene) observe(q *exposure.Question, facts []exposure.Fact, now int64) {
	at := q.At
	if at == 0 {
		at = now
	}
	purpose := q.Purpose
	if purpose == exposure.AnyPurpose {
		purpose = anyPurpose
	}
	s.purpose, s.unknown, s.floor, s.scores = purposeNumber(purpose), false, exposure.None, Scores{}
	s.question.question, s.question.purpose, s.question.at, s.question.now = q, purposes[s.purpose], at, now
	s.question.valued, s.question.cents = false, 0
	if a, ok := s.policy.assets[string(q.Asset)]; ok && a.Price != unpriced {
		s.question.valued, s.question.cents = true, a.cents(&q.Amount)
	}
	s.facts = Normal(learnt(facts, q.Known))
	s.views = slices.Grow(s.views[:0], len(s.facts))[:len(s.facts)]
	for i := range s.views {
		v := &s.views[i]
		v.record = record{factType, v}
		s.policy.look(v, &s.facts[i], at)
	}
	s.subject.groups, s.mode = s.policy.members(s.views)
	s.weigh()
	s.subject.scores = s.scores
}

// consider collects the reasons.
func (s *scene) consider(subject Subject) {
	s.subject.subject = subject
	s.subject.age = age(s.question.at, subject.Seen)
	most := s.policy.numbers.engine.maxAge
	s.subject.stale = subject.Stale || most != 0 && s.subject.age > most
	switch {
	case subject.NotAnAddress:
		s.cannotTell(codeNotAnAddress, -1)
	case !subject.Held:
		s.cannotTell(codeNotHeld, -1)
	case s.subject.stale:
		s.cannotTell(codeStale, -1)
	case len(s.facts) == 0:
		s.say(codeNoFacts, exposure.Allow, -1)
	}
	for i := range s.views {
		s.judge(i)
	}
	for _, r := range s.policy.overall {
		if list := s.together(r); int64(len(list)) >= r.least {
			s.all = types.NewRefValList(types.DefaultTypeAdapter, list)
			s.evaluate(r, -1)
		}
	}
	if len(s.spoken) == 0 {
		s.say(codeNoRule, exposure.Allow, -1)
	}
	for i := range s.views {
		if v := &s.views[i]; v.aside == judged && v.kind >= taintKind && !v.valued {
			s.say(codeNoPrice, exposure.Allow, i)
		}
	}
}

// judge asks the rules about one fact, or says why it is set aside.
func (s *scene) judge(i int) {
	v := &s.views[i]
	if v.aside != judged {
		s.setAside(v, i)
		return
	}
	s.current = v
	for _, r := range s.policy.byKind[v.kind] {
		if r.sees(v) {
			s.evaluate(r, i)
		}
	}
	s.current = nil
}

// age is how old data of a moment is at another, 0 and more.
func age(at, seen int64) int64 {
	switch {
	case seen >= at:
		return 0
	case seen < 0 && at > math.MaxInt64+seen:
		return math.MaxInt64
	}
	return at - seen
}

// setAside says why a fact is not judged.
func (s *scene) setAside(v *view, i int) {
	switch v.aside {
	case dust:
		s.say(codeDust, exposure.Allow, i)
	case poisoning:
		s.say(codePoisoning, exposure.Allow, i)
	case after:
		s.say(codeAfter, exposure.Allow, i)
	case foreign:
		s.cannotTell(codeUndefined, i)
	case judged:
	}
}

func (s *scene) say(code string, o exposure.Outcome, fact int) {
	s.spoken = append(s.spoken, spoken{exposure.Reason{Code: code, Outcome: o, Why: sentences[code], Fact: fact}, maxRules})
}

func (s *scene) cannotTell(code string, fact int) {
	s.unknown = true
	s.say(code, s.policy.unknown, fact)
}

// evaluate asks one rule. One that fails has told nothing: somebody has to look.
func (s *scene) evaluate(r *rule, fact int) {
	if !r.applies(s.purpose, s.question.at, s.subject.groups) {
		return
	}
	value, _, err := r.program.Eval(s)
	if value == types.False && err == nil {
		return
	}
	reason := exposure.Reason{Code: r.name, Outcome: r.outcome[s.purpose], Why: r.why, Fact: fact}
	if value == types.True && err == nil {
		if r.level != "" {
			s.floor = graver(s.floor, r.level)
		}
	} else {
		s.unknown = true
		reason.Code, reason.Outcome, reason.Why = codeRuleError, exposure.Review, "Rule "+r.name+" could not be evaluated: "+failure(err)+"."
	}
	s.spoken = append(s.spoken, spoken{reason, r.number})
}

func failure(err error) string {
	if err == nil {
		return "it gave no answer"
	}
	return clip(err.Error())
}

// verdict puts the answer together: the gravest outcome, the reasons from the gravest
// down.
func (s *scene) verdict() exposure.Verdict {
	slices.SortStableFunc(s.spoken, func(a, b spoken) int {
		if a.Outcome != b.Outcome {
			return cmp.Compare(slices.Index(exposure.Outcomes, b.Outcome), slices.Index(exposure.Outcomes, a.Outcome))
		}
		return cmp.Or(cmp.Compare(a.place, b.place), cmp.Compare(a.Fact, b.Fact))
	})
	reasons := make([]exposure.Reason, len(s.spoken))
	for i := range s.spoken {
		reasons[i] = s.spoken[i].Reason
	}
	level := graver(s.policy.levels.of(s.scores.Total), s.floor)
	if s.unknown {
		level = graver(level, exposure.Unknown)
	}
	facts := s.facts
	if facts == nil {
		facts = []exposure.Fact{}
	}
	return exposure.Verdict{
		Subject: s.subject.subject.Address, Chain: s.subject.subject.Chain, Purpose: s.question.question.Purpose,
		Level: level, Outcome: reasons[0].Outcome, Score: s.scores.Total, Reasons: reasons, Facts: facts,
	}
}
