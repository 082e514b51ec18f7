package evidence

import "fmt"

// State is how a check ended.
type State string

// The states.
const (
	OK    State = "ok"
	Wrong State = "wrong"
	// Unknown says that it could not be told.
	Unknown State = "unknown"
	// Open says that it was not looked at, as there was nothing to look at or to compare it
	// with. It decides nothing.
	Open State = "not checked"
)

// A Check is one thing that was looked at. File is the file that is wrong.
type Check struct {
	What   string `json:"what"`
	State  State  `json:"state"`
	File   string `json:"file,omitempty"`
	Detail string `json:"detail,omitempty"`
}

// A Fact is what the bundle proves.
type Fact struct {
	Chain string `json:"chain,omitempty"`
	What  string `json:"what"`
	Count int    `json:"count"`
}

// A Rest is what the bundle cannot prove, and whose word it is.
type Rest struct {
	Chain string `json:"chain,omitempty"`
	What  string `json:"what"`
	Count int    `json:"count"`
	On    string `json:"on"`
}

// Report is what the check of a bundle found.
type Report struct {
	State     State      `json:"state"`
	Statement *Statement `json:"statement,omitempty"`
	Checks    []Check    `json:"checks"`
	Proven    []Fact     `json:"proven"`
	Rests     []Rest     `json:"rests"`
	Decisions []Decision `json:"decisions,omitempty"`
}

func (r *Report) ok(what, format string, args ...any) {
	r.Checks = append(r.Checks, Check{What: what, State: OK, Detail: fmt.Sprintf(format, args...)})
}

func (r *Report) wrong(what, file, format string, args ...any) {
	r.Checks = append(r.Checks, Check{what, Wrong, file, fmt.Sprintf(format, args...)})
}

func (r *Report) unknown(what, format string, args ...any) {
	r.Checks = append(r.Checks, Check{What: what, State: Unknown, Detail: fmt.Sprintf(format, args...)})
}

func (r *Report) proven(chain, what string, count int) {
	if count > 0 {
		r.Proven = append(r.Proven, Fact{chain, what, count})
	}
}

func (r *Report) rests(chain, what string, count int, on string) {
	if count > 0 {
		r.Rests = append(r.Rests, Rest{chain, what, count, on})
	}
}

// Add adds a check.
func (r *Report) Add(c Check) {
	r.Checks = append(r.Checks, c)
	r.settle()
}

// settle sums the checks up: wrong where one is, else unknown where one is.
func (r *Report) settle() {
	r.State = OK
	for i := range r.Checks {
		switch r.Checks[i].State {
		case Wrong:
			r.State = Wrong
			return
		case Unknown:
			r.State = Unknown
		case OK, Open:
		}
	}
}
