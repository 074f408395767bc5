package batch

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/impasto/impasto/internal/farm"
	"github.com/impasto/impasto/internal/ui"
)

// TestOverview: the progress of a batch is reported until its jobs have ended. Jobs that
// ended before are counted but not reported. Jobs of other batches are not counted.
func TestOverview(t *testing.T) {
	q := farm.Memory(time.Minute)
	defer q.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	submit := func(name, batch, class string) farm.Job {
		j := farm.Job{Name: name, Batch: batch, Class: class, Steps: [][]string{{"art", name}}}
		j.Identify()
		if _, err := q.Submit(ctx, j); err != nil {
			t.Fatal(err)
		}
		return j
	}
	before := submit("before", "mine", farm.ClassCPU)
	if err := q.Cancel(ctx, before.ID); err != nil {
		t.Fatal(err)
	}
	submit("other", "another", farm.ClassGPU)
	submit("one", "mine", farm.ClassCPU)
	submit("two", "mine", farm.ClassCPU)
	r := &recorder{}
	o := Overview{Reporter: r, Filter: farm.Filter{Batch: "mine"}}
	w := &farm.Worker{Queue: q, Doer: steps{"two": errors.New("no paint")}, Class: farm.ClassCPU, Dir: t.TempDir()}
	drain, ended := make(chan struct{}), make(chan error)
	begin := &begins{Queue: q, then: func() { go func() { ended <- w.Run(ctx, drain) }() }}
	if err := o.Run(ctx, begin); err != nil {
		t.Fatal(err)
	}
	close(drain)
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if b := o.totals(); b.Total != 3 || b.Done != 1 || b.Failed != 2 || b.Running != 0 || b.ETA != 0 || b.Fraction != 1 {
		t.Errorf("ended as %+v", b)
	}
	told := strings.Join(r.lines, "\n")
	for text, times := range map[string]int{`"one" done in`: 1, `"two" failed: no paint`: 1, `"before"`: 0, `"other"`: 0} {
		if strings.Count(told, text) != times {
			t.Errorf("%q was not told %d times:\n%s", text, times, told)
		}
	}
	if len(o.running) != 0 {
		t.Errorf("%d jobs are held", len(o.running))
	}
	if bad := ui.FaultsOf(o.Report()); bad[0].Exit != ui.ExitSomeFailed || bad[0].Message != "2 of 3 jobs failed" {
		t.Errorf("fault is %v", bad)
	}
}

// begins calls a function once the changes of a queue are watched and its jobs counted.
type begins struct {
	farm.Queue
	then func()
}

func (b *begins) Tally(ctx context.Context, f farm.Filter) (map[farm.State]int, error) {
	counts, err := b.Queue.Tally(ctx, f)
	if b.then != nil {
		b.then()
		b.then = nil
	}
	return counts, err
}

// TestOverviewOfNothing ends at once.
func TestOverviewOfNothing(t *testing.T) {
	q := farm.Memory(time.Minute)
	defer q.Close()
	o := Overview{Reporter: &recorder{}, Filter: farm.Filter{State: farm.Failed}}
	if err := errors.Join(o.Run(t.Context(), q), o.Report()); err != nil {
		t.Error(err)
	}
}
