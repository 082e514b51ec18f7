package server

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"unsafe"

	"coldtrail/screen/exposure"
)

// screenOne answers one question. It is what stands in the way of every payment, so it
// allocates little and waits for nothing but the audit log.
func screenOne(x *exchange) {
	var q exposure.Question
	if err := ParseQuery(x.request.URL.RawQuery, &q); err != nil {
		x.fail(err)
		return
	}
	view := x.view()
	if view == nil {
		x.notLoaded()
		return
	}
	body := x.buffer()
	defer x.give(body)
	if q.At != 0 || q.Known != 0 {
		if !x.charge(ClassHistoric, 1) {
			return
		}
		text, err := x.historic(*body, &q)
		if err != nil {
			x.fail(err)
			return
		}
		*body = text
		x.age(x.basisOf(view.Basis()).moment(&q))
	} else {
		basis := x.basisOf(view.Basis())
		text, outcome := view.ScreenBytes(*body, &q)
		*body = withBasis(text, basis)
		x.metrics.verdict(outcome)
		x.age(basis.moment(&q))
	}
	x.record(bytesOf(x.request.URL.RawQuery), *body)
	*body = append(*body, '\n')
	x.send(http.StatusOK, typeJSON, *body)
}

// notLoaded answers before there is anything to answer from.
func (x *exchange) notLoaded() {
	x.problem(problemUnavailable, "the state of knowledge is still being loaded")
}

// withBasis puts the basis into a verdict that was written without it.
func withBasis(verdict []byte, basis *basisView) []byte {
	verdict = append(verdict[:len(verdict)-1], `,"basis":`...)
	return append(append(verdict, basis.json...), '}')
}

// historic appends the verdict of another time.
func (x *exchange) historic(dst []byte, q *exposure.Question) ([]byte, error) {
	ctx, cancel := x.within()
	defer cancel()
	verdict, err := x.parts.Screening.At(ctx, q)
	if err != nil {
		return dst, err
	}
	if verdict.Basis == nil {
		return dst, errors.New("the verdict of another time has no basis")
	}
	text, err := json.Marshal(&verdict)
	if err != nil {
		return dst, err
	}
	x.metrics.verdict(verdict.Outcome)
	return append(dst, text...), nil
}

// bytesOf reads a text as bytes without a copy. They must not be written to.
func bytesOf(text string) []byte { return unsafe.Slice(unsafe.StringData(text), len(text)) } //nolint:gosec // read only, for the audit log

// textOf reads bytes as a text without a copy. They must not change while it is used.
func textOf(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) } //nolint:gosec // the bytes outlive the text and are not written to

// batch is many questions that are answered together.
type batch struct {
	*exchange
	view     View
	basis    *basisView
	out      []byte
	historic int
	ages     ages
	outcomes [6]int
}

// begin begins a batch, or says false where it has answered. The caller ends it.
func (x *exchange) begin() (*batch, bool) {
	view := x.view()
	if view == nil {
		x.notLoaded()
		return nil, false
	}
	select {
	case x.batches <- struct{}{}:
	default:
		x.Header().Set("Retry-After", "1")
		x.problem(problemUnavailable, fmt.Sprintf("%d batches are being answered, and there is room for no more", cap(x.batches)))
		return nil, false
	}
	return &batch{exchange: x, view: view, basis: x.basisOf(view.Basis())}, true
}

// end gives back what a batch held.
func (b *batch) end() { <-b.batches }

// screenMany answers many questions, as JSON, or line by line where they come so.
func screenMany(x *exchange) {
	body, out := x.buffer(), x.buffer()
	defer x.give(body)
	defer x.give(out)
	contentType, ok := x.readBody(body, "application/json", "text/plain")
	if !ok {
		return
	}
	b, ok := x.begin() // only now: whoever sends slowly must not keep others from asking
	if !ok {
		return
	}
	defer b.end()
	b.out = *out
	kind := typeJSON
	var err error
	if contentType == "text/plain" {
		kind = typeLines
		err = b.lines(*body)
	} else {
		err = b.questions(*body)
	}
	*out = b.out
	switch {
	case errors.Is(err, errAnswered):
		return
	case errors.Is(err, errLarge) || errors.Is(err, errTooMany):
		x.problem(problemTooLarge, err.Error())
		return
	case err != nil:
		x.fail(err)
		return
	}
	b.finish()
	x.record(*body, *out)
	x.send(http.StatusOK, kind, *out)
}

var (
	// errAnswered says that the answer was given already.
	errAnswered = errors.New("answered")
	errLarge    = fmt.Errorf("the answer would have more than %d bytes; ask about fewer at once", maxReply)
)

// finish counts and says how old the data is.
func (b *batch) finish() {
	for i, n := range b.outcomes {
		if n > 0 {
			b.metrics.verdicts[i].Add(float64(n))
		}
	}
	b.age(b.ages.moment())
}

// questions answers a JSON body.
func (b *batch) questions(body []byte) error {
	questions, err := ParseQuestions(body, make([]exposure.Question, 0, min(MaxQuestions, len(body)/60+1)))
	if err != nil {
		return err
	}
	for i := range questions {
		if questions[i].At != 0 || questions[i].Known != 0 {
			b.historic++
		}
	}
	switch {
	case b.historic > MaxHistoric:
		return invalid("%d questions are about another time, at most %d are taken", b.historic, MaxHistoric)
	case !b.pay(len(questions)-b.historic, b.historic):
		return errAnswered
	}
	b.out = append(append(append(b.out, `{"basis":`...), b.basis.json...), `,"verdicts":[`...)
	for i := range questions {
		if i > 0 {
			b.out = append(b.out, ',')
		}
		if err := b.answer(&questions[i]); err != nil {
			return err
		}
	}
	b.out = append(b.out, "]}\n"...)
	return nil
}

// pay counts the questions against the caller's rates.
func (b *batch) pay(now, historic int) bool {
	return (now == 0 || b.charge(ClassScreening, now)) && (historic == 0 || b.charge(ClassHistoric, historic))
}

// answer appends one verdict. One about another time has a basis of its own.
func (b *batch) answer(q *exposure.Question) error {
	if len(b.out) > maxReply {
		return errLarge
	}
	b.ages.add(b.basis.moment(q))
	if q.At != 0 || q.Known != 0 {
		var err error
		b.out, err = b.exchange.historic(b.out, q)
		return err
	}
	var outcome exposure.Outcome
	b.out, outcome = b.view.ScreenBytes(b.out, q)
	b.outcomes[outcomeNumber(outcome)]++
	return nil
}

// lines answers a text of subjects, one a line. The query says chain, purpose, asset and
// amount for all. The first line of the answer is the basis, and then comes a verdict for
// each line that is not empty, in order.
func (b *batch) lines(body []byte) error {
	var q exposure.Question
	if query := b.request.URL.RawQuery; query != "" {
		if err := ParseQuery("subject=x&"+query, &q); err != nil {
			return err
		}
		if q.At != 0 || q.Known != 0 {
			return invalid("questions about another time are asked as JSON")
		}
	}
	count := 0
	_ = EachLine(body, func(int, []byte) error { count++; return nil })
	if count > MaxQuestions {
		return errTooMany
	}
	if !b.pay(count, 0) {
		return errAnswered
	}
	b.out = append(append(append(b.out, `{"basis":`...), b.basis.json...), "}\n"...)
	return EachLine(body, func(number int, line []byte) error {
		q.Subject = textOf(line)
		if err := checkQuestion(&q); err != nil {
			return invalid("line %d: %s", number, strings.TrimPrefix(err.Error(), ErrInvalid.Error()+": "))
		}
		if err := b.answer(&q); err != nil {
			return err
		}
		b.out = append(b.out, '\n')
		return nil
	})
}

// getExposure gives the facts of an address without a verdict on them.
func getExposure(x *exchange) {
	chain, address, ok := x.pathAddress()
	if !ok {
		return
	}
	view := x.view()
	if view == nil {
		x.notLoaded()
		return
	}
	q := exposure.Question{Subject: address, Chain: string(chain)}
	if err := checkQuestion(&q); err != nil {
		x.fail(err)
		return
	}
	var v exposure.Verdict
	view.Screen(&q, &v)
	if notAddress(&v) {
		x.problem(problemInvalid, fmt.Sprintf("%.100q is no address of %s", address, chain))
		return
	}
	if err := x.parts.Screening.Explain(x.request.Context(), &v); err != nil {
		x.fail(err)
		return
	}
	basis := x.basisOf(view.Basis())
	x.age(basis.moment(&q))
	facts := v.Facts
	if facts == nil {
		facts = []exposure.Fact{}
	}
	x.change(http.StatusOK, bytesOf(x.request.URL.Path), exposureOf{v.Subject, v.Chain, v.Level, facts, view.Basis()})
}

// exposureOf is what is known of an address.
type exposureOf struct {
	Subject string          `json:"subject"`
	Chain   string          `json:"chain,omitempty"`
	Level   exposure.Level  `json:"level"`
	Facts   []exposure.Fact `json:"facts"`
	Basis   *exposure.Basis `json:"basis"`
}

// notAddress says whether a verdict is about no address at all.
func notAddress(v *exposure.Verdict) bool {
	for i := range v.Reasons {
		if v.Reasons[i].Code == "not-an-address" {
			return true
		}
	}
	return false
}
