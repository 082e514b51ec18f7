package job

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// The errors that callers can do something about.
var (
	// ErrNotFound says that there is no such job, or that it was forgotten.
	ErrNotFound = errors.New("there is no such job")
	// ErrNotDone says that a job has no result yet, or never will.
	ErrNotDone = errors.New("the job has no result")
	// ErrGone says that a result was dropped to make room for others.
	ErrGone = errors.New("the result was dropped to make room; start the job again")
	// ErrBusy says that too much is waiting already.
	ErrBusy = errors.New("too many jobs are waiting")
	// ErrCancelled says that somebody ended a job.
	ErrCancelled = errors.New("the job was cancelled")
	// errPanic says that the program is wrong.
	errPanic = errors.New("this is a mistake of the program")
)

// Options bound a runner. Zero is a default.
type Options struct {
	AtOnce      int // jobs that run at the same time; 2
	MostWaiting int // jobs that may wait; 64
	MostEnded   int // jobs that are remembered after their end; 200
	MostBytes   int // of all results; 512 MiB
	Now         func() time.Time
	// Failed is told of every job that failed.
	Failed func(Job, error)
}

// Work is something to be done. Do must stop soon after its context ends.
type Work struct {
	Kind, Title, Case, Method, By string
	AsOf                          int64
	Unit                          string // that progress is counted in
	// Key names what comes of it: work with the key of a job that has not ended is that job.
	Key string
	Do  func(ctx context.Context, progress Progress) (*File, error)
}

// Progress is told how many units are done, and of how many. Where less is done than
// before another stage has begun.
type Progress func(done, total uint64)

// Runner does work. It is safe for concurrent use.
type Runner struct {
	options Options
	series  string // tells its jobs from those before a restart

	turn    sync.Mutex
	number  int
	entries []*entry // oldest first
	waiting []*entry
	bytes   int           // of results
	wake    chan struct{} // there may be work
}

// entry is a job and what it does.
type entry struct {
	job    Job
	work   Work
	cancel context.CancelFunc // nil before it runs
	ended  chan struct{}
	err    error
	file   *File
	gone   bool // the file was dropped

	stage     time.Time // when the stage of work began that progress is told of
	stageDone uint64    // what was done then
}

// New makes a runner. Nothing is done before Run.
func New(o Options) *Runner {
	o.AtOnce, o.MostWaiting, o.MostEnded = cmp.Or(o.AtOnce, 2), cmp.Or(o.MostWaiting, 64), cmp.Or(o.MostEnded, 200)
	o.MostBytes = cmp.Or(o.MostBytes, 512<<20)
	return &Runner{options: o, series: fmt.Sprintf("%x", o.Now().UnixMilli()), wake: make(chan struct{}, o.AtOnce)}
}

// Run does work until the context ends, and returns when everything has stopped.
func (r *Runner) Run(ctx context.Context) error {
	var all sync.WaitGroup
	for range r.options.AtOnce {
		all.Go(func() {
			for ctx.Err() == nil {
				if e, inner := r.next(ctx); e != nil {
					r.do(inner, e)
					continue
				}
				select {
				case <-ctx.Done():
				case <-r.wake:
				}
			}
		})
	}
	all.Wait()
	return ctx.Err()
}

// Start lets work wait for its turn and gives its job, or the job that does it already.
func (r *Runner) Start(w Work) (Job, error) {
	r.turn.Lock()
	defer r.turn.Unlock()
	if i := slices.IndexFunc(r.entries, func(e *entry) bool { return e.work.Key == w.Key && !e.job.State.Ended() }); i >= 0 {
		return r.entries[i].job, nil
	}
	if len(r.waiting) >= r.options.MostWaiting {
		return Job{}, fmt.Errorf("%w: %d", ErrBusy, len(r.waiting))
	}
	r.number++
	e := &entry{work: w, ended: make(chan struct{}), job: Job{
		ID: fmt.Sprintf("%s-%d", r.series, r.number), Kind: w.Kind, Title: w.Title, Case: w.Case, Method: w.Method, AsOf: w.AsOf, By: w.By, Unit: w.Unit,
		State: Waiting, Created: r.options.Now().Unix(),
	}}
	r.entries, r.waiting = append(r.entries, e), append(r.waiting, e)
	select {
	case r.wake <- struct{}{}:
	default: // all are awake
	}
	return e.job, nil
}

// next takes what has waited longest, with a context that ends when it is cancelled.
func (r *Runner) next(ctx context.Context) (*entry, context.Context) {
	r.turn.Lock()
	defer r.turn.Unlock()
	if len(r.waiting) == 0 {
		return nil, ctx
	}
	e := r.waiting[0]
	r.waiting = r.waiting[1:]
	ctx, e.cancel = context.WithCancel(ctx)
	now := r.options.Now()
	e.job.State, e.job.Started, e.stage = Running, now.Unix(), now
	return e, ctx
}

// do does one job.
func (r *Runner) do(ctx context.Context, e *entry) {
	defer e.cancel()
	file, err := r.guarded(ctx, e)
	r.turn.Lock()
	defer r.turn.Unlock()
	if e.job.State.Ended() { // somebody cancelled it
		return
	}
	switch {
	case err == nil:
		e.file = file
		r.end(e, Done, nil)
	case ctx.Err() != nil:
		r.end(e, Cancelled, ErrCancelled)
	default:
		r.end(e, Failed, err)
		if r.options.Failed != nil {
			r.options.Failed(e.job, err)
		}
	}
}

// guarded does the work, and survives a mistake of the program.
func (r *Runner) guarded(ctx context.Context, e *entry) (file *File, err error) {
	defer func() {
		if what := recover(); what != nil {
			file, err = nil, fmt.Errorf("%w: %v", errPanic, what)
		}
	}()
	return e.work.Do(ctx, func(done, total uint64) { r.progress(e, done, total) })
}

// progress notes how far a job has come.
func (r *Runner) progress(e *entry, done, total uint64) {
	r.turn.Lock()
	defer r.turn.Unlock()
	if e.job.State != Running {
		return
	}
	now := r.options.Now()
	if done < e.job.Done || total != e.job.Total {
		e.stage, e.stageDone, e.job.Rate, e.job.ETA = now, done, 0, nil
	}
	e.job.Done, e.job.Total = done, total
	took := now.Sub(e.stage).Milliseconds()
	if took < 100 {
		return // too short to tell a rate by
	}
	e.job.Rate, e.job.ETA = (done-e.stageDone)*1000/uint64(took), nil
	if e.job.Rate > 0 && total >= done {
		left := (total - done + e.job.Rate - 1) / e.job.Rate
		e.job.ETA = &left
	}
}

// end ends a job. The turn is held.
func (r *Runner) end(e *entry, state State, err error) {
	e.job.State, e.job.Ended, e.job.ETA, e.err = state, r.options.Now().Unix(), nil, err
	if err != nil {
		e.job.Error = err.Error()
	}
	if state == Done && e.job.Total > 0 {
		e.job.Done = e.job.Total
	}
	if e.file != nil {
		e.job.Result = &Info{Name: e.file.Name, MediaType: e.file.MediaType, Bytes: len(e.file.Body)}
		r.bytes += len(e.file.Body)
	}
	close(e.ended)
	r.makeRoom(e)
}

// makeRoom drops old results and forgets old jobs, but not the newest.
func (r *Runner) makeRoom(newest *entry) {
	ended := 0
	for _, e := range r.entries {
		if e.job.State.Ended() {
			ended++
		}
		if r.bytes > r.options.MostBytes && e.file != nil && e != newest {
			r.drop(e)
			e.gone, e.job.Result = true, nil
		}
	}
	r.entries = slices.DeleteFunc(r.entries, func(e *entry) bool {
		if ended <= r.options.MostEnded || !e.job.State.Ended() || e == newest {
			return false
		}
		ended--
		r.drop(e)
		return true
	})
}

func (r *Runner) drop(e *entry) {
	if e.file != nil {
		r.bytes -= len(e.file.Body)
		e.file = nil
	}
}
