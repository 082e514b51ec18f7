package desk

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"sync"

	"coldtrail/ledger"
	"coldtrail/trace"
)

// made is a trace as it was made. It never changes.
type made struct {
	about   About // without Current
	caseOf  *trace.Case
	result  *trace.Result
	state   state
	issuers []Issuer

	origins func() []ledger.Amount // of the dispositions
	orders  [sorts]func() []uint32 // the dispositions by each sort, the least first
	frozen  func() []Freezable
	found   selections
}

func newMade(x *subject, c *trace.Case, r *trace.Result, over state, o *Options) *made {
	m := &made{
		about:  About{Case: x.id, Revision: x.revision, Method: x.method, AsOf: x.asOf, Made: o.Now().Unix(), Digest: r.Digest},
		caseOf: c, result: r, state: over, issuers: o.Issuers,
	}
	m.origins = sync.OnceValue(func() []ledger.Amount { return originsOf(r.Dispositions) })
	for i := range m.orders {
		m.orders[i] = sync.OnceValue(func() []uint32 { return orderOf(r.Dispositions, sort(i)) })
	}
	m.frozen = sync.OnceValue(m.freezable)
	return m
}

// rows is how much room it takes.
func (m *made) rows() int {
	r := m.result
	rows := len(r.Dispositions) + len(r.Crossings) + len(r.Swaps) + len(r.Candidates) + len(r.Anomalies)
	if r.FactOnly != nil {
		rows += len(r.FactOnly.Dispositions)
	}
	for i := range r.Flows() {
		f := &r.Flows()[i]
		rows += 1 + len(f.From) + len(f.To)
	}
	return rows
}

// Kept is a trace that is kept, as it stands when somebody asks. What it gives must not be
// written to.
type Kept struct {
	*made

	current bool
}

// Result is the answer, with its movements.
func (k *Kept) Result() *trace.Result { return k.result }

// Case is the case that was traced.
func (k *Kept) Case() *trace.Case { return k.caseOf }

// About says which trace it is.
func (k *Kept) About() About {
	about := k.about
	about.Current = k.current
	return about
}

// WriteTo writes the answer as `coldtrail trace --json` prints it.
func (k *Kept) WriteTo(w io.Writer) (int64, error) {
	counted := &counter{to: w}
	encoder := json.NewEncoder(counted)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(k.result)
	return counted.n, err
}

type counter struct {
	to io.Writer
	n  int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.to.Write(p)
	c.n += int64(n)
	return n, err
}

// parse reads the case file.
func (x *subject) parse() (*trace.Case, error) {
	c, err := trace.ParseCase(x.id, strings.NewReader(x.file.Text))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUntraceable, err)
	}
	return c, nil
}

// originsOf reads what dispositions stand for. They are the trace's own digits.
func originsOf(rows []trace.Disposition) []ledger.Amount {
	list := make([]ledger.Amount, len(rows))
	for i := range rows {
		list[i] = amountOf(rows[i].Origin)
	}
	return list
}

// amountOf reads digits that a trace wrote; nothing is 0.
func amountOf(digits string) ledger.Amount {
	a, err := ledger.ParseAmount(digits)
	if err != nil {
		return ledger.Amount{}
	}
	return a
}
