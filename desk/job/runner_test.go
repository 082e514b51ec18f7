package job_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"coldtrail/desk/job"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// clock is a time that tests set.
type clock struct{ ms atomic.Int64 }

func (c *clock) now() time.Time { return time.UnixMilli(c.ms.Load()) }

// run starts a runner that ends with the test.
func run(t *testing.T, o job.Options) (*job.Runner, *clock) {
	t.Helper()
	c := &clock{}
	c.ms.Store(1_000_000)
	o.Now = c.now
	r := job.New(o)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = r.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	return r, c
}

// made is work that gives a text of so many bytes.
func made(key string, size int) job.Work {
	return job.Work{Key: key, Kind: "report", Do: func(context.Context, job.Progress) (*job.File, error) {
		return &job.File{Name: key, MediaType: "text/plain", Body: []byte(strings.Repeat("x", size))}, nil
	}}
}

func start(t *testing.T, r *job.Runner, w job.Work) string {
	t.Helper()
	j, err := r.Start(w)
	if err != nil {
		t.Fatal(err)
	}
	return j.ID
}

// ended waits for the end of a job.
func ended(t *testing.T, r *job.Runner, id string) (job.Job, error) {
	t.Helper()
	j, err := r.Wait(t.Context(), id, time.Minute)
	if !j.State.Ended() {
		t.Fatalf("%s has not ended: %+v %v", id, j, err)
	}
	return j, err
}

// TestProgress follows a job through two stages: rate and what is left are of the stage.
func TestProgress(t *testing.T) {
	r, c := run(t, job.Options{})
	told, goOn := make(chan struct{}), make(chan struct{})
	id := start(t, r, job.Work{Key: "a", Kind: "trace", Title: "T", Case: "c", Method: "fifo", AsOf: 9, By: "me", Unit: "blocks", Do: func(_ context.Context, p job.Progress) (*job.File, error) {
		for _, step := range []struct {
			at          int64
			done, total uint64
		}{{1_000_000, 0, 1000}, {1_002_000, 500, 1000}, {1_010_000, 10, 40}, {1_010_050, 11, 40}, {1_013_000, 16, 40}} {
			c.ms.Store(step.at)
			p(step.done, step.total)
			told <- struct{}{}
			<-goOn
		}
		return nil, nil //nolint:nilnil // a trace is no file
	}})
	want := []string{"0/1000 0/s nil", "500/1000 250/s 2", "10/40 0/s nil", "11/40 0/s nil", "16/40 2/s 12"}
	for _, want := range want {
		<-told
		j, err := r.Job(id)
		if err != nil {
			t.Fatal(err)
		}
		left := "nil"
		if j.ETA != nil {
			left = fmt.Sprint(*j.ETA)
		}
		if got := fmt.Sprintf("%d/%d %d/s %s", j.Done, j.Total, j.Rate, left); got != want || j.State != job.Running {
			t.Errorf("%s %s, want %s", j.State, got, want)
		}
		goOn <- struct{}{}
	}
	j, err := ended(t, r, id)
	if err != nil || j.State != job.Done || j.Done != 40 || j.ETA != nil || j.Result != nil || j.Created != 1000 || j.Started != 1000 || j.Ended != 1013 || j.By != "me" || j.AsOf != 9 {
		t.Errorf("ended as %+v, %v", j, err)
	}
	if _, err := r.Result(id); !errors.Is(err, job.ErrNotDone) {
		t.Errorf("the result of a job without a file: %v", err)
	}
}

// blocking is work that waits to be cancelled.
func blocking(key string, began chan<- string) job.Work {
	return job.Work{Key: key, Do: func(ctx context.Context, _ job.Progress) (*job.File, error) {
		began <- key
		<-ctx.Done()
		return nil, ctx.Err()
	}}
}

// TestTurns: as many run as may, the rest waits in order, equal work is one job, what is
// cancelled ends and lets the next run, and too much is refused.
func TestTurns(t *testing.T) {
	r, _ := run(t, job.Options{AtOnce: 1, MostWaiting: 2})
	began := make(chan string)
	first := start(t, r, blocking("a", began))
	if <-began != "a" {
		t.Fatal("another began")
	}
	second, third := start(t, r, blocking("b", began)), start(t, r, blocking("c", began))
	if again := start(t, r, blocking("b", began)); again != second {
		t.Errorf("equal work is the job %s, want %s", again, second)
	}
	if _, err := r.Start(blocking("d", began)); !errors.Is(err, job.ErrBusy) {
		t.Errorf("with two waiting: %v", err)
	}
	list, err := r.List("", 10)
	if err != nil || len(list) != 3 || list[0].ID != third || list[2].ID != first || list[2].State != job.Running || list[0].State != job.Waiting {
		t.Errorf("the list is %+v, %v", list, err)
	}
	if list, err = r.List(third, 1); err != nil || len(list) != 1 || list[0].ID != second {
		t.Errorf("after the newest is %+v, %v", list, err)
	}
	if _, err = r.List("none", 1); !errors.Is(err, job.ErrNotFound) {
		t.Errorf("after one that is none: %v", err)
	}
	if j, err := r.Wait(t.Context(), second, time.Nanosecond); err != nil || j.State != job.Waiting {
		t.Errorf("waiting shortly gives %+v, %v", j, err)
	}
	if j, err := r.End(second); err != nil || j.State != job.Cancelled {
		t.Errorf("cancelled is %+v, %v", j, err)
	}
	if j, err := r.End(first); err != nil || j.State != job.Cancelled || j.Error == "" {
		t.Errorf("cancelled is %+v, %v", j, err)
	}
	if key := <-began; key != "c" {
		t.Errorf("%s began after it", key)
	}
	if _, err := ended(t, r, first); !errors.Is(err, job.ErrCancelled) {
		t.Errorf("it ended with %v", err)
	}
	if _, err := r.End(first); err != nil {
		t.Error(err)
	}
	if _, err := r.Job(first); !errors.Is(err, job.ErrNotFound) {
		t.Errorf("ended twice it is still there: %v", err)
	}
}

// TestResults keeps results until they need room, and jobs until there are too many.
func TestResults(t *testing.T) {
	r, _ := run(t, job.Options{AtOnce: 1, MostBytes: 100, MostEnded: 3})
	var ids []string
	for i := range 5 {
		id := start(t, r, made(fmt.Sprint("file", i), 40))
		if _, err := ended(t, r, id); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	want := []error{job.ErrNotFound, job.ErrNotFound, job.ErrGone, nil, nil}
	for i, id := range ids {
		file, err := r.Result(id)
		if !errors.Is(err, want[i]) || err == nil && (len(file.Body) != 40 || file.Name != fmt.Sprint("file", i)) {
			t.Errorf("result %d is %q, %v, want %v", i, file.Name, err, want[i])
		}
	}
	big := start(t, r, made("big", 500))
	if j, err := ended(t, r, big); err != nil || j.Result == nil || j.Result.Bytes != 500 {
		t.Errorf("the newest result is %+v, %v", j, err)
	}
	if _, err := r.Result(big); err != nil {
		t.Errorf("the newest result was dropped: %v", err)
	}
	if _, err := r.Result(ids[4]); !errors.Is(err, job.ErrGone) {
		t.Errorf("the one before it: %v", err)
	}
}

// TestFailures: a job that fails says why, and one in which the program is wrong fails
// and nothing else.
func TestFailures(t *testing.T) {
	var failed atomic.Int64
	r, _ := run(t, job.Options{Failed: func(job.Job, error) { failed.Add(1) }})
	wrong := errors.New("the disk is on fire")
	id := start(t, r, job.Work{Key: "a", Do: func(context.Context, job.Progress) (*job.File, error) { return nil, wrong }})
	if j, err := ended(t, r, id); !errors.Is(err, wrong) || j.State != job.Failed || j.Error != wrong.Error() {
		t.Errorf("%+v %v", j, err)
	}
	id = start(t, r, job.Work{Key: "b", Do: func(context.Context, job.Progress) (*job.File, error) { panic("index out of range") }})
	if j, err := ended(t, r, id); err == nil || j.State != job.Failed || !strings.Contains(j.Error, "mistake of the program") {
		t.Errorf("%+v %v", j, err)
	}
	if id = start(t, r, made("c", 1)); failed.Load() != 2 {
		t.Errorf("told of %d failures", failed.Load())
	}
	if _, err := ended(t, r, id); err != nil {
		t.Error(err)
	}
}
