package batch

import (
	"bytes"
	"context"
	"errors"
	"math"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/impasto/impasto/internal/farm"
	"github.com/impasto/impasto/internal/progress"
	"github.com/impasto/impasto/internal/ui"
)

func stand(id, name string, state farm.State) farm.Status {
	return farm.Status{Job: farm.Job{ID: id, Name: name, Class: farm.ClassCPU, Steps: [][]string{{"art", "a photo.jpg"}}, Outputs: []string{"/out/" + name + ".png"}}, State: state}
}

func TestJobsAreNamedByIDItsBeginningOrName(t *testing.T) {
	list := []farm.Status{stand("aaaa000000000001", "coast", farm.Done), stand("aaaa000000000002", "sea", farm.Failed),
		stand("bbbb000000000003", "aaaa000000000001", farm.Queued), stand("cccc000000000004", "twice", farm.Queued), stand("dddd000000000005", "twice", farm.Queued)}
	for _, c := range []struct{ args, want, fault string }{
		{"coast", "aaaa000000000001", ""},
		{"aaaa000000000001", "aaaa000000000001", ""}, // an ID before another's name
		{"bbb sea", "bbbb000000000003 aaaa000000000002", ""},
		{"coast aaaa000000000001", "aaaa000000000001", ""}, // once
		{"bb", "", `there is no job "bb"`},                 // too short for a beginning
		{"aaaa", "", `"aaaa" means 2 jobs`},
		{"twice", "", `"twice" means 2 jobs`},
		{"coats nothing", "", `there is no job "coats" in the queue; there is no job "nothing"`},
	} {
		found, err := Find(list, strings.Fields(c.args))
		var got []string
		for _, st := range found {
			got = append(got, st.Job.ID)
		}
		if c.fault == "" && (err != nil || strings.Join(got, " ") != c.want) {
			t.Errorf("%s: got %v, %v, want %s", c.args, got, err, c.want)
		}
		if c.fault != "" && (err == nil || !strings.Contains(err.Error(), c.fault)) {
			t.Errorf("%s: got %v, want %q", c.args, err, c.fault)
		}
	}
}

// recorder keeps what a batch was told.
type recorder struct {
	lines []string
	last  progress.Batch
}

func (r *recorder) Update(s progress.State) { r.last = s.(progress.Batch) }
func (r *recorder) Event(kind, message string, _ map[string]any) {
	switch kind {
	case progress.Start, progress.Result:
	case progress.Job:
		r.lines = append(r.lines, message)
	default:
		r.lines = append(r.lines, kind+" "+message)
	}
}
func (r *recorder) Close() {}

// steps is a Doer that fails the jobs it is told to.
type steps map[string]error

func (s steps) Do(_ context.Context, t *farm.Task) error { return s[t.Job.Name] }

func TestFollowEndsWithTheLastJobAndCollectsEachOnce(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	q := farm.Memory(time.Minute)
	defer q.Close()
	var jobs []farm.Job
	for _, name := range []string{"one", "two", "three"} {
		j := farm.Job{Name: name, Class: farm.ClassCPU, Steps: [][]string{{"art", name}}, Retries: 1}
		j.Identify()
		jobs = append(jobs, j)
	}
	e, err := Submit(ctx, q, jobs, false)
	if err != nil || e.New != 3 || e.String() != "3 jobs: 3 new" {
		t.Fatalf("enlisted %v, %v", e, err)
	}
	collected := map[string]int{}
	r := &recorder{}
	f := Follow(r, e.Jobs)
	f.Collect = func(_ context.Context, st farm.Status) error {
		if collected[st.Job.Name]++; st.Job.Name == "three" {
			return errors.New("the disk is full")
		}
		return nil
	}
	w := &farm.Worker{Queue: q, Doer: steps{"two": errors.New("no paint")}, Class: farm.ClassCPU, Dir: t.TempDir()}
	drain, ended := make(chan struct{}), make(chan error)
	// The worker starts when Run knows how all jobs stood: what ended before is no news.
	calls := make(chan func(), 1)
	calls <- func() { go func() { ended <- w.Run(ctx, drain) }() }
	close(calls)
	f.Calls = calls
	if err := f.Run(ctx, q); err != nil {
		t.Fatal(err)
	}
	close(drain)
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if collected["one"] != 1 || collected["two"] != 0 || collected["three"] != 1 {
		t.Errorf("collected %v", collected)
	}
	b := f.Totals()
	if b.Done != 1 || b.Failed != 2 || b.Total != 3 || b.ETA != 0 || b.Fraction != 1 {
		t.Errorf("ended as %+v", b)
	}
	told := strings.Join(r.lines, "\n")
	for _, want := range []string{`"one" done in`, `warning "two" is tried again after: no paint`, `"two" failed: no paint`, `"three" is done, but: the disk is full`} {
		if strings.Count(told, want) != 1 {
			t.Errorf("%q was not told once:\n%s", want, told)
		}
	}
	if bad := ui.FaultsOf(f.Fault()); bad[0].Exit != ui.ExitSomeFailed || bad[0].Message != "2 of 3 jobs failed" {
		t.Errorf("fault is %v", bad)
	}

	// Again: what failed is queued anew, what is done is not.
	e, err = Submit(ctx, q, jobs, false)
	if err != nil || e.Again != 1 || e.DoneBefore != 2 {
		t.Errorf("enlisted again as %+v, %v", e, err)
	}
}

// TestJobsThatNobodyTakesAreToldOf: once in a while, and not when there are none.
func TestJobsThatNobodyTakesAreToldOf(t *testing.T) {
	r := &recorder{}
	f := Follow(r, []farm.Status{stand("a", "waits", farm.Queued)})
	f.Jobs["a"] = farm.Status{Job: farm.Job{ID: "a", Class: farm.ClassGPU}, State: farm.Queued}
	f.changedAt = time.Now().Add(-idleAfter)
	f.warnIdle(false)
	f.warnIdle(false)
	if len(r.lines) != 1 || !strings.Contains(r.lines[0], "no worker takes the jobs of class gpu that wait: impasto worker") {
		t.Errorf("told %q", r.lines)
	}
	f.Jobs["b"] = stand("b", "runs", farm.Running)
	f.changedAt = time.Now().Add(-idleAfter)
	f.warnIdle(false)
	f.Jobs = map[string]farm.Status{"a": stand("a", "over", farm.Failed)}
	f.warnIdle(false)
	if len(r.lines) != 1 {
		t.Errorf("told %q", r.lines)
	}
}

func TestTimeLeftGoesByWorkNotByCount(t *testing.T) {
	f := Follow(&recorder{}, []farm.Status{stand("a", "small", farm.Done), stand("b", "large", farm.Running), stand("c", "old", farm.Done)})
	f.Weights = map[string]float64{"a": 10, "b": 100, "c": 40}
	f.baseline = 40 // done before this run
	f.Begun = time.Now().Add(-20 * time.Second)
	st := f.Jobs["b"]
	st.Fraction = 0.3
	f.Jobs["b"] = st
	b := f.Totals() // 10 + 30 in 20 s, 70 are left: 35 s
	if math.Abs(b.ETA.Seconds()-35) > 1 || math.Abs(b.Fraction-80.0/150) > 1e-9 {
		t.Errorf("got %v and %v, want 35 s and %v", b.ETA, b.Fraction, 80.0/150)
	}
	f.Coming = 3 // which are like those known: 70 + 3 * 50 are left
	if b := f.Totals(); b.Total != 6 || math.Abs(b.ETA.Seconds()-110) > 2 || math.Abs(b.Fraction-80.0/300) > 1e-9 {
		t.Errorf("with three to come: %+v", b)
	}
	if b.Text != "large 30 %" {
		t.Errorf("running is told as %q", b.Text)
	}
}

func TestShowTellsWhatAJobIs(t *testing.T) {
	var out bytes.Buffer
	st := stand("0123456789abcdef", "coast", farm.Failed)
	st.Job.Retries, st.Attempts, st.Error = 2, 3, "no paint\nat all"
	WriteFacts(&out, st)
	for _, want := range []string{"job        0123456789abcdef  coast\n", "attempts   3 of 3\n", "error      no paint\n           at all\n", "step       impasto art 'a photo.jpg'\n"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in\n%s", want, out.String())
		}
	}
}

func TestResultsAreMovedByTheirNames(t *testing.T) {
	st := stand("a", "x", farm.Done)
	st.Job.Outputs = []string{"/out/x.png", `C:\maps\x_sem.png`}
	st.Results = map[string]string{"/out/x.png": "1", `C:\maps\x_sem.png`: "2"}
	got, err := MovedTo(st, "/here")
	if err != nil || got.Results[filepath.Join("/here", "x_sem.png")] != "2" || len(got.Job.Outputs) != 2 {
		t.Errorf("moved to %v, %v", got.Results, err)
	}
	st.Job.Outputs[1] = "/other/x.png"
	if _, err := MovedTo(st, "/here"); err == nil {
		t.Error("two results of one name were moved into one folder")
	}
}
