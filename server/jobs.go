package server

import (
	"context"
	"mime"
	"net/http"
	"slices"
	"strconv"

	"coldtrail/desk/job"
)

// Jobs does long work.
type Jobs interface {
	// Jobs lists jobs from the newest on, after one where that is named.
	Jobs(ctx context.Context, after string, limit int) ([]job.Job, error)
	Job(ctx context.Context, id string) (job.Job, error)
	// StartJob begins work, or gives the job that does it already.
	StartJob(ctx context.Context, request JobRequest) (job.Job, error)
	// EndJob cancels a job, and forgets one that has ended.
	EndJob(ctx context.Context, id string) (job.Job, error)
	// JobResult gives what a job made. It is ErrConflict before it is done, and ErrGone
	// where it needed too much room to be kept.
	JobResult(ctx context.Context, id string) (job.File, error)
}

// JobRequest says what is to be done.
type JobRequest struct {
	Kind    string   `json:"kind"` // trace, evidence or report
	Case    string   `json:"case"`
	Method  string   `json:"method,omitempty"`
	AsOf    string   `json:"as_of,omitempty"`
	Formats []string `json:"formats,omitempty"` // of a report
	Analyst string   `json:"analyst,omitempty"`
	TLP     string   `json:"tlp,omitempty"`

	By string `json:"-"`
}

// jobKinds are what can be done.
var jobKinds = []string{"trace", "evidence", "report"}

// listJobs gives jobs from the newest on.
func listJobs(x *exchange) {
	after, limit, ok := x.paging()
	if !ok {
		return
	}
	ctx, cancel := x.within()
	defer cancel()
	list, err := x.parts.Jobs.Jobs(ctx, after, limit)
	if err != nil {
		x.fail(err)
		return
	}
	x.json(http.StatusOK, pageOf(list, limit, func(j *job.Job) string { return j.ID }))
}

// postJob begins long work.
func postJob(x *exchange) {
	var request JobRequest
	body, ok := decode(x, &request)
	if !ok {
		return
	}
	switch {
	case !slices.Contains(jobKinds, request.Kind):
		x.fail(invalid("the kind %.50q is none of trace, evidence and report", request.Kind))
		return
	case request.Case == "" || len(request.Case) > maxName || !isName(request.Case):
		x.fail(invalid("the case %.100q is no identifier", request.Case))
		return
	case request.Kind != "report" && (len(request.Formats) > 0 || request.Analyst != "" || request.TLP != ""):
		x.fail(invalid("formats, analyst and tlp are of reports"))
		return
	case len(request.Formats) > 20 || len(request.Analyst) > maxName:
		x.fail(invalid("there are more than 20 formats, or the analyst's name is longer than %d bytes", maxName))
		return
	}
	request.By = x.who.id
	ctx, cancel := x.within()
	defer cancel()
	started, err := x.parts.Jobs.StartJob(ctx, request)
	if err != nil {
		x.fail(err)
		return
	}
	x.Header().Set("Location", "/v1/jobs/"+started.ID)
	x.change(http.StatusAccepted, body, started)
}

// getJob says how far a job has come.
func getJob(x *exchange) {
	x.oneJob(x.parts.Jobs.Job)
}

// endJob cancels a job, or forgets it.
func endJob(x *exchange) {
	id, ok := x.pathID("id")
	if !ok {
		return
	}
	ctx, cancel := x.within()
	defer cancel()
	ended, err := x.parts.Jobs.EndJob(ctx, id)
	if err != nil {
		x.fail(err)
		return
	}
	x.change(http.StatusOK, nil, ended)
}

func (x *exchange) oneJob(ask func(context.Context, string) (job.Job, error)) {
	id, ok := x.pathID("id")
	if !ok {
		return
	}
	ctx, cancel := x.within()
	defer cancel()
	found, err := ask(ctx, id)
	if err != nil {
		x.fail(err)
		return
	}
	x.json(http.StatusOK, found)
}

// getJobResult sends what a job made, as a file and never as a page.
func getJobResult(x *exchange) {
	id, ok := x.pathID("id")
	if !ok {
		return
	}
	ctx, cancel := x.within()
	defer cancel()
	file, err := x.parts.Jobs.JobResult(ctx, id)
	if err != nil {
		x.fail(err)
		return
	}
	h := x.Header()
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": file.Name}))
	h.Set("Content-Length", strconv.Itoa(len(file.Body)))
	x.send(http.StatusOK, []string{file.MediaType}, file.Body)
}
