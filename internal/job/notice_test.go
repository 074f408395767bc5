package job

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/impasto/impasto/internal/farm"
)

type doer func(context.Context, *farm.Task) error

func (d doer) Do(ctx context.Context, t *farm.Task) error { return d(ctx, t) }

// TestWorkerToldToGo: a worker whose machine goes in 30 s gives its job back with a
// checkpoint made since, and the next goes on from it to the same bytes. The notice is
// the cloud's, the queue that of a real server, the picture a real one.
func TestWorkerToldToGo(t *testing.T) {
	const notice = 30 * time.Second
	ctx, in := t.Context(), drawing(t)
	q, err := farm.Open(ctx, farm.Options{Store: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	runner := &Runner{Device: "cpu", Threads: 1, Env: NewEnv("test")}
	sum, err := farm.SumOf(in)
	if err != nil {
		t.Fatal(err)
	}
	submit := func(name string) farm.Job {
		out := filepath.Join(t.TempDir(), "x.png")
		j := farm.Job{Name: name, Class: farm.ClassCPU, Inputs: map[string]string{in: sum}, Outputs: []string{out}, Steps: [][]string{
			{"art", "--weights=mini", "--size=48", "--scales=1", "--iterations=40", "--checkpoint=1h", "--output=" + out, "--", in, in}}}
		j.Identify()
		if _, err := q.Submit(ctx, j); err != nil {
			t.Fatal(err)
		}
		return j
	}
	work := func(d farm.Doer, drain chan struct{}) {
		w := &farm.Worker{Queue: q, Doer: d, Class: farm.ClassCPU, Name: "w", Dir: t.TempDir(), Beat: 50 * time.Millisecond}
		if drain == nil { // until the job has ended
			drain = make(chan struct{})
			w.Ended = func(farm.Status) { close(drain) }
		}
		if err := w.Run(ctx, drain); err != nil {
			t.Fatal(err)
		}
	}
	picture := func(j farm.Job) string {
		s, err := q.Status(ctx, j.ID)
		if err != nil || s.State != farm.Done {
			t.Fatalf("%s is %s: %s, %v", j.Name, s.State, s.Error, err)
		}
		return s.Results[j.Outputs[0]]
	}
	whole := submit("whole")
	work(runner, nil)

	cloud := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"action": "terminate", "time": %q}`, time.Now().Add(notice).UTC().Format(time.RFC3339))
	}))
	defer cloud.Close()
	stopped := submit("stopped")
	drain := make(chan struct{})
	var told time.Time
	var once sync.Once
	work(doer(func(ctx context.Context, task *farm.Task) error {
		progress := task.Progress
		task.Progress = func(fraction float64, text string) {
			progress(fraction, text)
			if fraction > 0.2 {
				once.Do(func() {
					told = time.Now()
					if err := farm.Notice(ctx, cloud.URL, func(error) {}); err != nil {
						t.Error(err)
					}
					close(drain)
					<-ctx.Done() // the worker has heard of it
				})
			}
		}
		return runner.Do(ctx, task)
	}), drain)
	s, err := q.Status(ctx, stopped.ID)
	if err != nil {
		t.Fatal(err)
	}
	if s.State != farm.Queued || len(s.Checkpoints) != 1 || s.Saved.Before(told) || s.Attempts != 0 || s.Deaths != 0 {
		t.Fatalf("given back: %+v", s)
	}
	t.Logf("given back in %v, with a checkpoint %v old", time.Since(told), time.Since(s.Saved))
	resumed := false
	work(doer(func(ctx context.Context, task *farm.Task) error {
		for _, arg := range task.Steps[0] {
			if out, ok := strings.CutPrefix(arg, "--output="); ok {
				_, err := os.Stat(out + ".checkpoint")
				resumed = err == nil
			}
		}
		return runner.Do(ctx, task)
	}), nil)
	if !resumed {
		t.Error("the next worker had no checkpoint to go on from")
	}
	if a, b := picture(whole), picture(stopped); a != b || a == "" {
		t.Errorf("the picture is %s, that of an undisturbed run %s", b, a)
	}
}
