package policy

import (
	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"coldtrail/screen/exposure"
)

// factFields is everything that a rule can ask of a fact.
var factFields = []field[*view]{
	{"kind", cel.StringType, func(v *view) ref.Val { return kindValues[v.kind] }},
	{"direction", cel.StringType, func(v *view) ref.Val { return wayValues[wayOf(v.fact.Direction)] }},
	{"chain", cel.StringType, func(v *view) ref.Val { return words(v.fact.Chain) }},
	{"category", cel.StringType, func(v *view) ref.Val { return words(v.fact.Category) }},
	{"entity", cel.StringType, func(v *view) ref.Val { return words(v.fact.Entity) }},
	{"sanction", cel.BoolType, func(v *view) ref.Val { return types.Bool(v.fact.Sanction) }},
	{"authority", cel.StringType, func(v *view) ref.Val { return words(v.fact.Authority) }},
	{"confidence", cel.IntType, func(v *view) ref.Val { return types.Int(v.confidence) }},
	{"certainty_bp", cel.IntType, func(v *view) ref.Val { return types.Int(v.certainty) }},
	{"incident", cel.StringType, func(v *view) ref.Val { return words(v.fact.Incident) }},
	{"colour", cel.StringType, func(v *view) ref.Val { return words(v.fact.Colour) }},
	{"asset", cel.StringType, func(v *view) ref.Val { return words(string(v.fact.Asset)) }},
	{"amount", cel.StringType, func(v *view) ref.Val { return types.String(v.fact.Amount.Dec()) }},
	{"held", cel.StringType, func(v *view) ref.Val { return types.String(v.fact.Held.Dec()) }},
	{"origin", cel.StringType, func(v *view) ref.Val { return types.String(v.fact.Origin.Dec()) }},
	{"total", cel.StringType, func(v *view) ref.Val { return types.String(v.fact.Total.Dec()) }},
	{"holds", cel.BoolType, func(v *view) ref.Val { return types.Bool(!v.fact.Held.IsZero()) }},
	{"valued", cel.BoolType, func(v *view) ref.Val { return types.Bool(v.valued) }},
	{"cents", cel.IntType, func(v *view) ref.Val { return types.Int(v.cents) }},
	{"held_cents", cel.IntType, func(v *view) ref.Val { return types.Int(v.held) }},
	{"share_known", cel.BoolType, func(v *view) ref.Val { return types.Bool(v.shareKnown) }},
	{"share_bp", cel.IntType, func(v *view) ref.Val { return types.Int(v.share) }},
	{"unmeasured", cel.BoolType, func(v *view) ref.Val { return types.Bool(!v.valued && !v.shareKnown) }},
	{"hops", cel.IntType, func(v *view) ref.Val { return types.Int(v.fact.Hops) }},
	{"direct", cel.BoolType, func(v *view) ref.Val { return types.Bool(v.direct) }},
	{"material", cel.BoolType, func(v *view) ref.Val { return types.Bool(v.material) }},
	{"trifling", cel.BoolType, func(v *view) ref.Val { return types.Bool(v.trifling) }},
	{"from", cel.IntType, func(v *view) ref.Val { return types.Int(v.fact.From) }},
	{"to", cel.IntType, func(v *view) ref.Val { return types.Int(v.fact.To) }},
	{"learned", cel.IntType, func(v *view) ref.Val { return types.Int(v.fact.Learned) }},
	{"in_force", cel.BoolType, func(v *view) ref.Val { return types.Bool(v.state == inForce) }},
	{"later", cel.BoolType, func(v *view) ref.Val { return types.Bool(v.state == later) }},
	{"ended", cel.BoolType, func(v *view) ref.Val { return types.Bool(v.state == ended) }},
	{"severity", cel.IntType, func(v *view) ref.Val { return types.Int(v.graded.severity) }},
	{"score", cel.IntType, func(v *view) ref.Val { return types.Int(v.score) }},
	{"claim", cel.StringType, func(v *view) ref.Val { return words(v.fact.Claim) }},
	{"by", cel.StringType, func(v *view) ref.Val { return words(v.fact.By) }},
	{"source", cel.StringType, func(v *view) ref.Val { return words(v.fact.Source) }},
	{"rule", cel.StringType, func(v *view) ref.Val { return words(v.fact.Rule) }},
	{"about", cel.StringType, func(v *view) ref.Val { return words(v.fact.About) }},
}

// questionValue is a question as rules see it.
type questionValue struct {
	question *exposure.Question
	record   record
	purpose  exposure.Purpose
	valued   bool
	cents    int64
	at, now  int64
}

var questionFields = []field[*questionValue]{
	{"purpose", cel.StringType, func(q *questionValue) ref.Val { return words(string(q.purpose)) }},
	{"asset", cel.StringType, func(q *questionValue) ref.Val { return words(string(q.question.Asset)) }},
	{"amount", cel.StringType, func(q *questionValue) ref.Val { return types.String(q.question.Amount.Dec()) }},
	{"valued", cel.BoolType, func(q *questionValue) ref.Val { return types.Bool(q.valued) }},
	{"cents", cel.IntType, func(q *questionValue) ref.Val { return types.Int(q.cents) }},
	{"at", cel.IntType, func(q *questionValue) ref.Val { return types.Int(q.at) }},
	{"now", cel.IntType, func(q *questionValue) ref.Val { return types.Int(q.now) }},
}

// subjectValue is a subject as rules see it.
type subjectValue struct {
	subject Subject
	record  record
	groups  uint32
	scores  Scores
	stale   bool
	age     int64
}

var subjectFields = []field[*subjectValue]{
	{"address", cel.StringType, func(s *subjectValue) ref.Val { return words(s.subject.Address) }},
	{"chain", cel.StringType, func(s *subjectValue) ref.Val { return words(s.subject.Chain) }},
	{"held", cel.BoolType, func(s *subjectValue) ref.Val { return types.Bool(s.subject.Held) }},
	{"stale", cel.BoolType, func(s *subjectValue) ref.Val { return types.Bool(s.stale) }},
	{"age_seconds", cel.IntType, func(s *subjectValue) ref.Val { return types.Int(s.age) }},
	{"score", cel.IntType, func(s *subjectValue) ref.Val { return types.Int(s.scores.Total) }},
	{"score_received", cel.IntType, func(s *subjectValue) ref.Val { return types.Int(s.scores.Received) }},
	{"score_sent", cel.IntType, func(s *subjectValue) ref.Val { return types.Int(s.scores.Sent) }},
	{"score_about", cel.IntType, func(s *subjectValue) ref.Val { return types.Int(s.scores.About) }},
}

// groupFields are the groups of a policy, as fields of subject.
func groupFields(groups []group) (list []field[*subjectValue]) {
	for i, g := range groups {
		list = append(list, field[*subjectValue]{g.Name, cel.BoolType, func(s *subjectValue) ref.Val {
			return types.Bool(s.groups&(1<<i) != 0)
		}})
	}
	return list
}

// numberFields are the numbers of a policy, as fields of policy.
func numberFields(named map[string]int64) (list []field[*Policy]) {
	for k, v := range named {
		list = append(list, field[*Policy]{k, cel.IntType, func(*Policy) ref.Val { return types.Int(v) }})
	}
	return list
}

var (
	kindValues = func() (list [kindCount]ref.Val) {
		for i, k := range kindNames {
			list[i] = types.String(k)
		}
		return list
	}()
	wayValues = [3]ref.Val{types.String(""), types.String(exposure.Received), types.String(exposure.Sent)}
)

// words is a text for a rule. One that is longer than a rule may read is an error, so
// that the cost of a rule stays what it was estimated to be.
func words(text string) ref.Val {
	if len(text) > maxText {
		return types.NewErr("a text of %d bytes, more than %d", len(text), maxText)
	}
	return types.String(text)
}
