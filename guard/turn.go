package guard

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// job is something to be done with a venue by whoever has the turn.
type job struct {
	run   func(ctx context.Context) error
	done  chan struct{}
	err   error
	wrote bool
}

const (
	// maxJobs bounds how many callers wait for one venue.
	maxJobs = 10_000
	// maxLines is how many lines are kept in one transaction before others have their turn.
	maxLines = 2_000
	// writeWait bounds how long the casebook may take to keep them.
	writeWait = time.Minute
)

// do does something with the venue and returns when what it made of the breaker is kept.
// Whoever comes while another has the turn waits in line, and the next who has it does
// the work of all and keeps it in one transaction.
func (v *venue) do(ctx context.Context, run func(ctx context.Context) error) error {
	j := &job{run: run, done: make(chan struct{})}
	if err := v.enqueue(j); err != nil {
		return err
	}
	for {
		select {
		case <-j.done:
			return j.err
		case v.turn <- struct{}{}:
			v.lead(ctx)
			<-v.turn
		case <-ctx.Done():
			if v.dequeue(j) {
				return ctx.Err()
			}
			<-j.done // somebody is at it
			return j.err
		}
	}
}

func (v *venue) enqueue(j *job) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	switch {
	case v.ended:
		return ErrClosed
	case len(v.jobs) >= maxJobs:
		return fmt.Errorf("%w: %d at venue %q", ErrBusy, len(v.jobs), v.id)
	}
	v.jobs = append(v.jobs, j)
	return nil
}

func (v *venue) dequeue(j *job) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	i := slices.Index(v.jobs, j)
	if i < 0 {
		return false
	}
	v.jobs = slices.Delete(v.jobs, i, i+1)
	return true
}

// take gives the first job that waits.
func (v *venue) take() *job {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.jobs) == 0 {
		return nil
	}
	j := v.jobs[0]
	v.jobs[0] = nil
	v.jobs = v.jobs[1:]
	return j
}

// lead does what waits. The work is everybody's and does not end with the caller whose
// turn it is.
func (v *venue) lead(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeWait)
	defer cancel()
	var done []*job
	for len(v.lines) < maxLines {
		j := v.take()
		if j == nil {
			break
		}
		done = append(done, j)
		v.work(ctx, j)
		v.blame(done)
	}
	_ = v.keep(ctx) // the failure is blamed on whose lines it had
	v.blame(done)
	for _, j := range done {
		close(j.done)
	}
}

// work does one job, and reads the log first where the state is not known.
func (v *venue) work(ctx context.Context, j *job) {
	if !v.loaded {
		if j.err = v.load(ctx); j.err != nil {
			v.loaded, v.lines = false, nil
			return
		}
	}
	before := v.number
	j.err = j.run(ctx)
	j.wrote = v.number != before
}

// blame makes the failure to keep lines that of everybody who wrote some. Who was kept
// nevertheless asks again and gets the same answer.
func (v *venue) blame(done []*job) {
	if v.failure == nil {
		return
	}
	for _, j := range done {
		if j.wrote {
			j.err = v.failure
		}
	}
	v.failure = nil
}
