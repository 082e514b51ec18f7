package screen

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"coldtrail/attribution/label"
	"coldtrail/ledger"
	"coldtrail/screen/exposure"
	"coldtrail/screen/index"
	"coldtrail/screen/policy"
	"coldtrail/store"
	"coldtrail/trace"
)

// Knowledge is one state of what is known. It never changes, and is safe for any number
// of readers.
type Knowledge struct {
	view      *index.View
	layers    []index.Layer
	policy    *policy.Policy
	basis     *exposure.Basis
	notations trace.Notations
	chains    []heldChain
	now       func() int64
	store     store.Store
	answers   *answers
}

// heldChain is a chain that the ledger holds, and when its source was last heard.
type heldChain struct {
	chain    ledger.Chain
	notation ledger.Notation
	seen     int64
}

// Assemble puts a state of knowledge together from layers made elsewhere. Of a store only
// transactions are asked, so that it may be nil where nobody asks for one.
func Assemble(s store.Store, options Options, basis *exposure.Basis, layers ...index.Layer) (*Knowledge, error) {
	view, err := index.NewView(layers...)
	if err != nil {
		return nil, err
	}
	k := &Knowledge{
		view: view, layers: layers, policy: options.Policy, basis: basis, notations: options.Notations, now: options.Now, store: s,
		answers: newAnswers(),
	}
	for id := range basis.Heads {
		chain := ledger.Chain(id)
		notation, err := options.Notations(chain)
		if err != nil {
			return nil, err
		}
		k.chains = append(k.chains, heldChain{chain, notation, heard(basis.Heads[id])})
	}
	slices.SortFunc(k.chains, func(a, b heldChain) int { return strings.Compare(string(a.chain), string(b.chain)) })
	return k, nil
}

// with is the same knowledge on another basis: only the age of its data differs.
func (k *Knowledge) with(basis *exposure.Basis) *Knowledge {
	next := *k
	next.basis, next.answers, next.chains = basis, newAnswers(), slices.Clone(k.chains)
	for i := range next.chains {
		next.chains[i].seen = heard(basis.Heads[string(next.chains[i].chain)])
	}
	return &next
}

// heard is when a chain's source was last heard: where it is not followed, as its newest
// block was made.
func heard(head exposure.Head) int64 {
	if head.Seen == 0 {
		return head.Time
	}
	return head.Seen
}

// Basis is what every verdict rests on.
func (k *Knowledge) Basis() *exposure.Basis { return k.basis }

// Policy is what decides.
func (k *Knowledge) Policy() *policy.Policy { return k.policy }

// Len is how many addresses the index has, one of two layers counted twice.
func (k *Knowledge) Len() (addresses int) {
	for _, l := range k.layers {
		addresses += l.Index.Len()
	}
	return addresses
}

// Bytes is the memory of the index.
func (k *Knowledge) Bytes() (bytes int) {
	for _, l := range k.layers {
		bytes += int(l.Index.Bytes()) + int(l.Sets.Bytes()) + 4*len(l.Groups)
	}
	return bytes
}

// Screen answers a question about an address, or about a transaction that the ledger
// holds. It writes over all of into; the verdict's slices may be shared with others and
// must not be written to.
func (k *Knowledge) Screen(q *exposure.Question, into *exposure.Verdict) {
	where := k.resolve(q)
	if where.tx {
		*into = k.transaction(q)
	} else {
		*into = k.decide(q, &where, k.facts(&where))
	}
	into.Basis = k.basis
}

func (k *Knowledge) decide(q *exposure.Question, where *target, facts []exposure.Fact) exposure.Verdict {
	v := k.policy.Decide(q, where.subject, facts, k.now())
	v.Subject, v.Chain, v.Purpose = where.subject.Address, where.subject.Chain, q.Purpose
	return v
}

// target is what a question is about.
type target struct {
	subject policy.Subject
	keys    []ledger.Address // where facts about it are filed
	chain   ledger.Chain     // that facts have to be of; empty for any
	tx      bool
}

// facts are those about a target, in the order of policy.Normal.
func (k *Knowledge) facts(where *target) []exposure.Fact {
	var facts []exposure.Fact
	for i := range where.keys {
		facts = append(facts, k.withoutItself(k.view.Facts(nil, where.keys[i]), where.keys[i])...)
	}
	if len(facts) == 0 {
		return nil
	}
	if where.chain.Family() == ledger.UTXO && where.chain != "" { // one key has addresses on many chains of Bitcoin's family
		facts = slices.DeleteFunc(facts, func(f exposure.Fact) bool { return f.Chain != "" && f.Chain != string(where.chain) })
	}
	return policy.Normal(facts)
}

// resolve finds out what a question is about. The forms that guards ask for most come
// first: reading a text by every form there is takes long.
func (k *Knowledge) resolve(q *exposure.Question) target {
	text := q.Subject
	t := target{subject: policy.Subject{Address: text}}
	chain := ledger.Chain("")
	if q.Chain != "" {
		var err error
		if chain, err = ledger.ParseChain(q.Chain); err != nil {
			return k.foreign(q)
		}
	}
	if isTransaction(text) {
		t.tx, t.chain = true, chain
		return t
	}
	if strings.HasPrefix(text, "0x") || strings.HasPrefix(text, "0X") {
		return k.account(text, chain)
	}
	if chain == "" || chain.Family() == ledger.UTXO {
		if found, ok := k.output(text, chain); ok {
			return found
		}
	}
	return k.foreign(q)
}

// isTransaction says that a text has the form of a transaction's identifier.
func isTransaction(text string) bool {
	text = strings.TrimPrefix(text, "0x")
	return len(text) == 64 && strings.Trim(text, "0123456789abcdefABCDEF") == ""
}

// account is an address of account chains: one key holds it on all of them.
func (k *Knowledge) account(text string, chain ledger.Chain) target {
	t := target{subject: policy.Subject{Address: text, Chain: string(chain)}}
	notation, err := k.notations(ledger.Ethereum)
	if err == nil && (chain == "" || chain.Family() == ledger.Account) {
		var a ledger.Address
		if a, err = notation.ParseAddress(text); err == nil {
			t.keys, t.subject.Address = []ledger.Address{a}, notation.FormatAddress(a)
			t.subject.Held, t.subject.Seen = k.age(chain, ledger.Account)
			return t
		}
	}
	t.subject.NotAnAddress = true
	return t
}

// output is an address of a chain of Bitcoin's family.
func (k *Knowledge) output(text string, chain ledger.Chain) (target, bool) {
	candidates := k.chains
	switch {
	case chain != "":
		candidates = []heldChain{{chain: chain}}
	case !slices.ContainsFunc(k.chains, func(c heldChain) bool { return c.chain == ledger.Bitcoin }):
		candidates = append(slices.Clone(k.chains), heldChain{chain: ledger.Bitcoin})
	}
	for _, c := range candidates {
		if c.chain.Family() != ledger.UTXO {
			continue
		}
		notation := c.notation
		if notation == nil {
			var err error
			if notation, err = k.notations(c.chain); err != nil {
				continue
			}
		}
		a, err := notation.ParseAddress(text)
		if err != nil {
			continue
		}
		t := target{keys: []ledger.Address{a}, chain: c.chain, subject: policy.Subject{Address: notation.FormatAddress(a), Chain: string(c.chain)}}
		t.subject.Held, t.subject.Seen = k.age(c.chain, ledger.UTXO)
		return t, true
	}
	return target{}, false
}

// foreign is an address of a network that no ledger here can hold: only what people say
// of it is known.
func (k *Knowledge) foreign(q *exposure.Question) target {
	t := target{subject: policy.Subject{Address: q.Subject, Chain: q.Chain}}
	if q.Chain != "" {
		subject, _, err := label.ParseSubject(q.Chain, q.Subject)
		if err != nil {
			t.subject.NotAnAddress = true
			return t
		}
		t.subject.Address, t.subject.Chain = subject.Address, string(subject.Network)
		t.keys = []ledger.Address{keyOf(k.notations, subject)}
		return t
	}
	for _, network := range label.Guess(q.Subject) {
		subject, _, err := label.ParseSubject(string(network), q.Subject)
		if err == nil {
			t.keys = append(t.keys, keyOf(k.notations, subject))
		}
	}
	t.subject.NotAnAddress = len(t.keys) == 0
	return t
}

// age says whether a chain is held, and when its source was last heard. Without a chain it
// is any of the family, and the oldest of them.
func (k *Knowledge) age(chain ledger.Chain, family ledger.Family) (held bool, seen int64) {
	for i := range k.chains {
		c := &k.chains[i]
		if c.chain != chain && (chain != "" || c.chain.Family() != family) {
			continue
		}
		if !held || c.seen < seen {
			seen = c.seen
		}
		held = true
	}
	return held, seen
}

// answers are verdicts in print, without the subject, for as long as the same second
// lasts: what a policy says may depend on the age of the data.
type answers struct {
	// last is what was answered last about somebody of whom nothing is known: most are.
	last atomic.Pointer[answer]
	kept sync.Map // by answerKey, of those of whom something is
	size atomic.Int64
}

// maxAnswers bounds the answers that are kept.
const maxAnswers = 1 << 14

func (a *answers) find(key *answerKey) *answer {
	if key.sets == unknown {
		if last := a.last.Load(); last != nil && last.key == *key {
			return last
		}
		return nil
	}
	found, _ := a.kept.Load(*key)
	answer, _ := found.(*answer)
	return answer
}

func (a *answers) keep(key *answerKey, found *answer) {
	if found.key = *key; key.sets == unknown {
		a.last.Store(found)
		return
	}
	if a.size.Add(1) > maxAnswers {
		a.kept.Clear()
		a.size.Store(0)
	}
	a.kept.Store(*key, found)
}

// unknown are the sets of somebody of whom nothing is known.
var unknown = [mostLayers]uint32{index.Absent, index.Absent, index.Absent, index.Absent, index.Absent}

// mostLayers is how many layers a state has at most: what is said, what stolen value did,
// who dealt with whom, and two of who has whose owner.
const mostLayers = 5

type answerKey struct {
	chain   string
	purpose exposure.Purpose
	held    bool
	seen    int64
	sets    [mostLayers]uint32
}

type answer struct {
	key     answerKey
	at      int64
	rest    []byte // of the JSON, behind the subject
	outcome exposure.Outcome
}

func newAnswers() *answers { return &answers{} }

// ScreenBytes appends the verdict as JSON, without its basis, and says its outcome.
func (k *Knowledge) ScreenBytes(dst []byte, q *exposure.Question) ([]byte, exposure.Outcome) {
	where := k.resolve(q)
	if len(where.keys) != 1 || len(k.layers) > mostLayers || where.subject.NotAnAddress || !q.Amount.IsZero() || q.At != 0 || q.Known != 0 {
		return k.print(dst, q)
	}
	key := answerKey{chain: where.subject.Chain, purpose: q.Purpose, held: where.subject.Held, seen: where.subject.Seen}
	key.sets = unknown
	owned := false
	for i := range k.layers {
		if set, ok := k.layers[i].Find(where.keys[0]); ok {
			key.sets[i], owned = set, owned || k.layers[i].Groups != nil
		}
	}
	if owned && key.sets[0] != index.Absent { // of what its owner's set says, it is not told what is about itself
		return k.print(dst, q)
	}
	now := k.now()
	a := k.answers.find(&key)
	if a == nil || a.at != now {
		a = k.answer(q, &where, now)
		k.answers.keep(&key, a)
	}
	dst = append(dst, `{"subject":"`...)
	dst = append(dst, where.subject.Address...) // canonical: letters and digits
	return append(dst, a.rest...), a.outcome
}

func (k *Knowledge) answer(q *exposure.Question, where *target, now int64) *answer {
	v := k.decide(q, where, k.facts(where))
	v.Subject = ""
	text, outcome := render(&v)
	return &answer{at: now, rest: bytes.TrimPrefix(text, []byte(`{"subject":"`)), outcome: outcome}
}

func (k *Knowledge) print(dst []byte, q *exposure.Question) ([]byte, exposure.Outcome) {
	var v exposure.Verdict
	k.Screen(q, &v)
	v.Basis = nil
	text, outcome := render(&v)
	return append(dst, text...), outcome
}

// render writes a verdict as JSON without its basis. One that cannot be written is one
// that nobody can tell.
func render(v *exposure.Verdict) ([]byte, exposure.Outcome) {
	text, err := json.Marshal(v)
	if err != nil {
		return []byte(`{"subject":"","level":"unknown","outcome":"review","score":0,"reasons":[],"facts":[]}`), exposure.Review
	}
	return append(bytes.TrimSuffix(text, []byte(`,"basis":null}`)), '}'), v.Outcome
}
