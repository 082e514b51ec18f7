// Package job does long work, a small number at a time and one after another: traces,
// bundles of evidence, reports. It says how far each has come, how fast it goes and what
// is left, ends what is not wanted any more, and keeps results until they are fetched or
// need room. A restart forgets everything.
package job

// State says how far a job has come.
type State string

// The states of a job.
const (
	Waiting   State = "waiting"
	Running   State = "running"
	Done      State = "done"
	Failed    State = "failed"
	Cancelled State = "cancelled"
)

// Job is long work as it stands now. Moments are Unix seconds.
type Job struct {
	ID     string `json:"id"`
	Kind   string `json:"kind"`
	Title  string `json:"title"`
	Case   string `json:"case,omitempty"`
	Method string `json:"method,omitempty"`
	AsOf   int64  `json:"as_of,omitempty"`
	State  State  `json:"state"`
	By     string `json:"by"`

	Created int64 `json:"created"`
	Started int64 `json:"started,omitempty"`
	Ended   int64 `json:"ended,omitempty"`

	// Done of Total units are done; a total of 0 is not known.
	Done  uint64 `json:"done"`
	Total uint64 `json:"total"`
	Unit  string `json:"unit"`
	// Rate is units a second, ETA the seconds that are left at this rate, where that can be
	// told.
	Rate uint64  `json:"rate"`
	ETA  *uint64 `json:"eta_seconds,omitempty"`

	Error  string `json:"error,omitempty"`
	Result *Info  `json:"result,omitempty"`
}

// Ended says whether nothing more will happen.
func (s State) Ended() bool { return s == Done || s == Failed || s == Cancelled }

// Info describes a result.
type Info struct {
	Name      string `json:"name"`
	MediaType string `json:"media_type"`
	Bytes     int    `json:"bytes"`
}

// File is a result.
type File struct {
	Name      string // of a file, without a folder
	MediaType string
	Body      []byte
}
