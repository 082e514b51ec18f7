package job

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// List gives jobs from the newest on, after one where that is named.
func (r *Runner) List(after string, limit int) ([]Job, error) {
	r.turn.Lock()
	defer r.turn.Unlock()
	to := len(r.entries)
	if after != "" {
		if to = r.index(after); to < 0 {
			return nil, fmt.Errorf("%w: %s", ErrNotFound, after)
		}
	}
	var list []Job
	for i := to - 1; i >= 0 && len(list) < limit; i-- {
		list = append(list, r.entries[i].job)
	}
	return list, nil
}

func (r *Runner) index(id string) int {
	return slices.IndexFunc(r.entries, func(e *entry) bool { return e.job.ID == id })
}

// of finds a job. The turn is held.
func (r *Runner) of(id string) (*entry, error) {
	i := r.index(id)
	if i < 0 {
		return nil, fmt.Errorf("%w: %s", ErrNotFound, id)
	}
	return r.entries[i], nil
}

// Job says how a job stands.
func (r *Runner) Job(id string) (Job, error) {
	r.turn.Lock()
	defer r.turn.Unlock()
	e, err := r.of(id)
	if err != nil {
		return Job{}, err
	}
	return e.job, nil
}

// Result gives what a job made.
func (r *Runner) Result(id string) (File, error) {
	r.turn.Lock()
	defer r.turn.Unlock()
	e, err := r.of(id)
	switch {
	case err != nil:
		return File{}, err
	case e.gone:
		return File{}, ErrGone
	case e.file == nil:
		return File{}, fmt.Errorf("%w: its state is %s", ErrNotDone, e.job.State)
	}
	return *e.file, nil
}

// End cancels a job, and forgets one that has ended already.
func (r *Runner) End(id string) (Job, error) {
	r.turn.Lock()
	defer r.turn.Unlock()
	e, err := r.of(id)
	if err != nil {
		return Job{}, err
	}
	switch e.job.State {
	case Waiting:
		r.waiting = slices.DeleteFunc(r.waiting, func(other *entry) bool { return other == e })
		r.end(e, Cancelled, ErrCancelled)
	case Running:
		e.cancel()
		r.end(e, Cancelled, ErrCancelled)
	case Done, Failed, Cancelled:
		r.drop(e)
		i := r.index(id)
		r.entries = slices.Delete(r.entries, i, i+1)
	}
	return e.job, nil
}

// Wait waits until a job has ended, for at most so long, and gives it as it stands then.
// The error is that by which the job failed.
func (r *Runner) Wait(ctx context.Context, id string, most time.Duration) (Job, error) {
	r.turn.Lock()
	e, err := r.of(id)
	r.turn.Unlock()
	if err != nil {
		return Job{}, err
	}
	timer := time.NewTimer(most)
	defer timer.Stop()
	select {
	case <-e.ended:
	case <-timer.C:
	case <-ctx.Done():
		return Job{}, ctx.Err()
	}
	r.turn.Lock()
	defer r.turn.Unlock()
	return e.job, e.err
}
