package policy

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"sync"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/cost"
	"cel.dev/cel-go/common/env"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/overloads"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"

	"coldtrail/attribution/label"
)

// Bounds of evaluation. A rule over one fact has no loops, and its cost is bounded when
// it is read; one over all facts is stopped when it costs more.
const (
	maxText      = 4096 // bytes of a text that a rule may read
	maxFactCost  = 20_000
	maxFactsCost = 500_000
)

// The types that rules speak of.
var (
	factType     = cel.ObjectType("coldtrail.fact")
	questionType = cel.ObjectType("coldtrail.question")
	subjectType  = cel.ObjectType("coldtrail.subject")
	policyType   = cel.ObjectType("coldtrail.policy")
)

// record is one of our values as the language sees it.
type record struct {
	kind *cel.Type
	of   any
}

// ConvertToNative is refused: a record stays in its rule.
func (r *record) ConvertToNative(reflect.Type) (any, error) {
	return nil, errors.New("a record does not convert")
}

// ConvertToType is refused as well.
func (r *record) ConvertToType(ref.Type) ref.Val { return types.NewErr("a record does not convert") }

// Equal compares by identity.
func (r *record) Equal(other ref.Val) ref.Val { return types.Bool(ref.Val(r) == other) }

// Type is the record's type.
func (r *record) Type() ref.Type { return r.kind }

// Value is what the record stands for.
func (r *record) Value() any { return r.of }

// field is one thing that rules can ask of a T.
type field[T any] struct {
	name string
	kind *cel.Type
	get  func(T) ref.Val
}

// provider tells the language which fields our types have.
type provider struct {
	types.Provider
	fields map[string]map[string]*types.FieldType
}

// FindStructType knows our types and the language's own.
func (p *provider) FindStructType(name string) (*types.Type, bool) {
	if _, ok := p.fields[name]; ok {
		return types.NewTypeTypeWithParam(types.NewObjectType(name)), true
	}
	return p.Provider.FindStructType(name)
}

// FindStructFieldNames lists the fields of a type, in order.
func (p *provider) FindStructFieldNames(name string) ([]string, bool) {
	fields, ok := p.fields[name]
	if !ok {
		return p.Provider.FindStructFieldNames(name)
	}
	var list []string
	for f := range fields {
		list = append(list, f)
	}
	slices.Sort(list)
	return list, true
}

// FindStructFieldType finds one field of a type.
func (p *provider) FindStructFieldType(structType, fieldName string) (*types.FieldType, bool) {
	if fields, ok := p.fields[structType]; ok {
		f, ok := fields[fieldName]
		return f, ok
	}
	return p.Provider.FindStructFieldType(structType, fieldName)
}

// NewValue is refused: rules read facts, they make none.
func (p *provider) NewValue(string, map[string]ref.Val) ref.Val {
	return types.NewErr("rules cannot make values of this type")
}

// variables are the names that rules know.
var variables = []string{"fact", "facts", "question", "subject", "policy"}

// register makes fields known to the language.
func register[T any](p *provider, kind *cel.Type, fields []field[T]) {
	table := map[string]*types.FieldType{}
	for _, f := range fields {
		table[f.name] = &types.FieldType{
			Type:  f.kind,
			IsSet: func(any) bool { return true },
			GetFrom: func(target any) (any, error) {
				if of, ok := target.(T); ok {
					return f.get(of), nil
				}
				return nil, fmt.Errorf("no such field %s", f.name)
			},
		}
	}
	p.fields[kind.TypeName()] = table
}

// functions is the part of CEL's standard library that rules may use: logic, integers,
// comparison, texts and lists. Left out is what is not exact (doubles), what depends on
// the world (time zones), what grows (texts joined) and what runs away (patterns).
var functions = []*env.Function{
	function(operators.Conditional), function(operators.LogicalAnd), function(operators.LogicalOr), function(operators.LogicalNot),
	function(operators.NotStrictlyFalse), function(operators.Equals), function(operators.NotEquals),
	function(operators.Less, overloads.LessInt64, overloads.LessUint64, overloads.LessString),
	function(operators.LessEquals, overloads.LessEqualsInt64, overloads.LessEqualsUint64, overloads.LessEqualsString),
	function(operators.Greater, overloads.GreaterInt64, overloads.GreaterUint64, overloads.GreaterString),
	function(operators.GreaterEquals, overloads.GreaterEqualsInt64, overloads.GreaterEqualsUint64, overloads.GreaterEqualsString),
	function(operators.Add, overloads.AddInt64, overloads.AddUint64, overloads.AddList),
	function(operators.Subtract, overloads.SubtractInt64, overloads.SubtractUint64),
	function(operators.Multiply, overloads.MultiplyInt64, overloads.MultiplyUint64),
	function(operators.Divide, overloads.DivideInt64, overloads.DivideUint64),
	function(operators.Modulo, overloads.ModuloInt64, overloads.ModuloUint64),
	function(operators.Negate, overloads.NegateInt64),
	function(operators.In, overloads.InList),
	function(overloads.Size, overloads.SizeString, overloads.SizeStringInst, overloads.SizeList, overloads.SizeListInst),
	function(overloads.Contains), function(overloads.StartsWith), function(overloads.EndsWith),
}

func function(name string, ids ...string) *env.Function {
	f := &env.Function{Name: name}
	for _, id := range ids {
		f.Overloads = append(f.Overloads, &env.Overload{ID: id})
	}
	return f
}

// language is the CEL in which a policy's rules are written.
type language struct {
	one, all *cel.Env // over one fact, over all
	inline   *cel.StaticOptimizer
	used     map[string]bool // numbers that rules read
}

// baseOptions are the options of every policy's language.
var baseOptions = sync.OnceValue(func() []cel.EnvOption {
	return []cel.EnvOption{
		cel.StdLib(cel.StdLibSubset(&env.LibrarySubset{IncludeFunctions: functions, DisableMacros: true})),
		cel.EnableMacroCallTracking(),
		cel.ParserRecursionLimit(60),
		cel.ParserExpressionSizeLimit(maxWhen),
		cel.ParserErrorRecoveryLimit(4),
		cel.ASTValidators(cel.ValidateHomogeneousAggregateLiterals(), cel.ValidateComprehensionNestingLimit(1)),
		cel.Variable("question", questionType), cel.Variable("subject", subjectType), cel.Variable("policy", policyType),
		cel.Function("is", cel.MemberOverload("fact_is", []*cel.Type{factType, cel.StringType}, cel.BoolType, cel.BinaryBinding(isA))),
	}
})

func (p *Policy) language() (*language, error) {
	registry, err := types.NewRegistry()
	if err != nil {
		return nil, err
	}
	types := &provider{Provider: registry, fields: map[string]map[string]*types.FieldType{}}
	register(types, factType, factFields)
	register(types, questionType, questionFields)
	register(types, subjectType, append(groupFields(p.groups), subjectFields...))
	register(types, policyType, numberFields(p.numbers.named))

	l := &language{used: map[string]bool{}}
	if l.inline, err = cel.NewStaticOptimizer(inliner{p.numbers.named}); err != nil {
		return nil, err
	}
	options := append([]cel.EnvOption{cel.CustomTypeProvider(types)}, baseOptions()...)
	l.one, err = cel.NewCustomEnv(append(options, cel.Variable("fact", factType))...)
	if err != nil {
		return nil, err
	}
	l.all, err = cel.NewCustomEnv(append(options,
		cel.Variable("facts", cel.ListType(factType)),
		cel.Macros(cel.AllMacro, cel.ExistsMacro, cel.ExistsOneMacro, cel.MapMacro, cel.MapFilterMacro, cel.FilterMacro),
		cel.Function("sum", cel.Overload("sum_ints", []*cel.Type{cel.ListType(cel.IntType)}, cel.IntType, cel.UnaryBinding(sum))),
	)...)
	return l, err
}

// inliner puts the policy's numbers into an expression, as they do not change while the
// policy stands.
type inliner struct{ named map[string]int64 }

// Optimize replaces every policy.NAME by its number.
func (in inliner) Optimize(ctx *cel.OptimizerContext, tree *ast.AST) *ast.AST {
	for _, e := range ast.MatchDescendants(ast.NavigateAST(tree), ast.KindMatcher(ast.SelectKind)) {
		if name, ok := numberOf(e); ok {
			ctx.UpdateExpr(e, ctx.NewLiteral(types.Int(in.named[name])))
		}
	}
	return tree
}

// numberOf is the number of the policy that an expression reads.
func numberOf(e ast.Expr) (name string, ok bool) {
	if e.Kind() != ast.SelectKind || e.AsSelect().Operand().Kind() != ast.IdentKind || e.AsSelect().Operand().AsIdent() != "policy" {
		return "", false
	}
	return e.AsSelect().FieldName(), true
}

// isA says whether a fact's category is a concept, or a kind of it.
func isA(fact, concept ref.Val) ref.Val {
	r, ok := fact.(*record)
	if !ok {
		return types.MaybeNoSuchOverloadErr(fact)
	}
	v, ok := r.of.(*view)
	text, isText := concept.(types.String)
	if !ok || !isText {
		return types.MaybeNoSuchOverloadErr(concept)
	}
	return types.Bool(label.Is(v.fact.Category, string(text)))
}

// sum adds integers; what would be more than 2^63-1, or less than -2^63, is that.
func sum(list ref.Val) ref.Val {
	items, ok := list.(traits.Lister)
	if !ok {
		return types.MaybeNoSuchOverloadErr(list)
	}
	var total int64
	for it := items.Iterator(); it.HasNext() == types.True; {
		n, ok := it.Next().(types.Int)
		if !ok {
			return types.NewErr("sum of something that is no whole number")
		}
		switch x := int64(n); {
		case x > 0 && total > math.MaxInt64-x:
			total = math.MaxInt64
		case x < 0 && total < math.MinInt64-x:
			total = math.MinInt64
		default:
			total += x
		}
	}
	return types.Int(total)
}

// compile makes a program of a rule's expression, and its normal spelling.
func (l *language) compile(text string, of scope) (program cel.Program, normal string, err error) {
	e := l.one
	if of == subjectScope {
		e = l.all
	}
	tree, issues := e.Compile(text)
	if issues.Err() != nil {
		return nil, "", issueError(issues)
	}
	if !tree.OutputType().IsExactType(cel.BoolType) {
		return nil, "", fmt.Errorf("gives %s, want bool", tree.OutputType())
	}
	if err := l.check(tree); err != nil {
		return nil, "", err
	}
	if normal, err = cel.AstToString(tree); err != nil {
		return nil, "", err
	}
	inlined, issues := l.inline.Optimize(e, tree)
	if issues.Err() != nil {
		return nil, "", issueError(issues)
	}
	options := []cel.ProgramOption{cel.EvalOptions(cel.OptOptimize)}
	if of == subjectScope {
		options = append(options, cel.CostLimit(maxFactsCost))
	} else if estimate, err := e.EstimateCost(tree, sizes{}); err != nil || estimate.Max > maxFactCost {
		return nil, "", fmt.Errorf("may cost %d steps, more than %d", estimate.Max, maxFactCost)
	}
	program, err = e.Program(inlined, options...)
	return program, normal, err
}

func issueError(issues *cel.Issues) error {
	list := issues.Errors()
	if len(list) == 0 {
		return issues.Err()
	}
	return errors.New(list[0].Message)
}

// check refuses what the language could do but rules should not: anything that is not
// whole numbers, words, truth and lists of them, concepts that do not exist, and
// conversions of our values.
func (l *language) check(tree *cel.Ast) (err error) {
	native := tree.NativeRep()
	if list := strange(native); len(list) > 0 {
		return fmt.Errorf("speaks of %s; rules know whole numbers, texts, true and false, and lists of them", strings.Join(list, ", "))
	}
	var read, named int
	ast.PostOrderVisit(native.Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		switch {
		case err != nil:
		case e.Kind() == ast.StructKind:
			err = errors.New("rules cannot make values")
		case e.Kind() == ast.CallKind && e.AsCall().FunctionName() == "is":
			err = checkIs(e.AsCall())
		case e.Kind() == ast.ComprehensionKind && slices.Contains(variables, e.AsComprehension().IterVar()):
			err = fmt.Errorf("%s is the name of something else", e.AsComprehension().IterVar())
		case e.Kind() == ast.IdentKind && e.AsIdent() == "policy":
			read++
		}
		if name, ok := numberOf(e); ok {
			named++
			l.used[name] = true
		}
	}))
	if err == nil && read != named {
		err = errors.New("policy is no value of its own; want policy.NAME")
	}
	return err
}

// strangers are the kinds of value that rules may not speak of.
var strangers = []types.Kind{types.DoubleKind, types.BytesKind, types.MapKind, types.TimestampKind, types.DurationKind, types.DynKind, types.AnyKind}

// strange lists the types in an expression that rules may not speak of.
func strange(tree *ast.AST) (list []string) {
	for _, t := range tree.TypeMap() {
		if slices.Contains(strangers, t.Kind()) {
			list = append(list, t.String())
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

func checkIs(call ast.CallExpr) error {
	arg := call.Args()[len(call.Args())-1]
	if arg.Kind() != ast.LiteralKind {
		return errors.New("is() wants a category in quotes")
	}
	if c, ok := arg.AsLiteral().(types.String); !ok || !label.Known(string(c)) {
		return fmt.Errorf("category %q is not in the taxonomy", clip(fmt.Sprint(arg.AsLiteral().Value())))
	}
	return nil
}

// sizes bounds the texts that a rule reads.
type sizes struct{}

// EstimateSize bounds texts; records have no size.
func (sizes) EstimateSize(node cost.AstNode) *cost.SizeEstimate {
	if node.Type().Kind() == types.StringKind {
		return &cost.SizeEstimate{Min: 0, Max: maxText}
	}
	return nil
}

// EstimateCallCost knows the cost of our own functions: is walks up the taxonomy.
func (sizes) EstimateCallCost(function, _ string, _ *cost.AstNode, _ []cost.AstNode) *cost.CallEstimate {
	if function == "is" {
		return &cost.CallEstimate{CostEstimate: cost.Estimate{Min: 1, Max: 10}}
	}
	return nil
}
