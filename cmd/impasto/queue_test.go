package main

import (
	"bytes"
	"context"
	"errors"
	"io"
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
		found, err := jobsNamed(list, strings.Fields(c.args))
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

func (r *recorder) Start(string, map[string]any)         {}
func (r *recorder) Update(b progress.Batch)              { r.last = b }
func (r *recorder) Job(message string, _ map[string]any) { r.lines = append(r.lines, message) }
func (r *recorder) Event(kind, message string, _ map[string]any) {
	r.lines = append(r.lines, kind+" "+message)
}
func (r *recorder) Result(string, map[string]any) {}
func (r *recorder) Close()                        {}

// steps is a Doer that fails the jobs it is told to.
type steps map[string]error

func (s steps) Do(_ context.Context, t *farm.Task) error { return s[t.Job.Name] }

func TestFollowEndsWithTheLastJobAndCollectsEachOnce(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	q := farm.Memory(time.Minute)
	defer q.Close()
	var jobs []farm.Job
	for _, name := range []string{"one", "two", "three"} {
		j := farm.Job{Name: name, Class: farm.ClassCPU, Steps: [][]string{{"art", name}}, Retries: 1}
		j.Identify()
		jobs = append(jobs, j)
	}
	e, err := enlist(ctx, q, jobs, false)
	if err != nil || e.submitted != 3 || e.String() != "3 jobs: 3 new" {
		t.Fatalf("enlisted %v, %v", e, err)
	}
	collected := map[string]int{}
	r := &recorder{}
	f := newFollow(r, e.list)
	f.collect = func(_ context.Context, st farm.Status) error {
		if collected[st.Job.Name]++; st.Job.Name == "three" {
			return errors.New("the disk is full")
		}
		return nil
	}
	w := &farm.Worker{Queue: q, Doer: steps{"two": errors.New("no paint")}, Class: farm.ClassCPU, Dir: t.TempDir()}
	drain, ended := make(chan struct{}), make(chan error)
	go func() { ended <- w.Run(ctx, drain) }()
	if err := f.run(ctx, q); err != nil {
		t.Fatal(err)
	}
	close(drain)
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if collected["one"] != 1 || collected["two"] != 0 || collected["three"] != 1 {
		t.Errorf("collected %v", collected)
	}
	b := f.batch()
	if b.Done != 1 || b.Failed != 2 || b.Total != 3 || b.ETA != 0 || b.Fraction != 1 {
		t.Errorf("ended as %+v", b)
	}
	told := strings.Join(r.lines, "\n")
	for _, want := range []string{`"one" done in`, `warning "two" is tried again after: no paint`, `"two" failed: no paint`, `"three" is done, but: the disk is full`} {
		if strings.Count(told, want) != 1 {
			t.Errorf("%q was not told once:\n%s", want, told)
		}
	}
	if bad := ui.FaultsOf(f.fault()); bad[0].Exit != ui.ExitSomeFailed || bad[0].Message != "2 of 3 jobs failed" {
		t.Errorf("fault is %v", bad)
	}

	// Again: what failed is queued anew, what is done is not.
	e, err = enlist(ctx, q, jobs, false)
	if err != nil || e.again != 1 || e.done != 2 {
		t.Errorf("enlisted again as %+v, %v", e, err)
	}
}

// TestJobsThatNobodyTakesAreToldOf: once in a while, and not when there are none.
func TestJobsThatNobodyTakesAreToldOf(t *testing.T) {
	r := &recorder{}
	f := newFollow(r, []farm.Status{stand("a", "waits", farm.Queued)})
	f.jobs["a"] = farm.Status{Job: farm.Job{ID: "a", Class: farm.ClassGPU}, State: farm.Queued}
	f.moved = time.Now().Add(-idleAfter)
	f.lookForWorkers(false)
	f.lookForWorkers(false)
	if len(r.lines) != 1 || !strings.Contains(r.lines[0], "no worker takes the jobs of class gpu that wait: impasto worker") {
		t.Errorf("told %q", r.lines)
	}
	f.jobs["b"] = stand("b", "runs", farm.Running)
	f.moved = time.Now().Add(-idleAfter)
	f.lookForWorkers(false)
	f.jobs = map[string]farm.Status{"a": stand("a", "over", farm.Failed)}
	f.lookForWorkers(false)
	if len(r.lines) != 1 {
		t.Errorf("told %q", r.lines)
	}
}

func TestTimeLeftGoesByWorkNotByCount(t *testing.T) {
	f := newFollow(&recorder{}, []farm.Status{stand("a", "small", farm.Done), stand("b", "large", farm.Running), stand("c", "old", farm.Done)})
	f.weights = map[string]float64{"a": 10, "b": 100, "c": 40}
	f.baseline = 40 // done before this run
	f.begun = time.Now().Add(-20 * time.Second)
	st := f.jobs["b"]
	st.Fraction = 0.3
	f.jobs["b"] = st
	b := f.batch() // 10 + 30 in 20 s, 70 are left: 35 s
	if math.Abs(b.ETA.Seconds()-35) > 1 || math.Abs(b.Fraction-80.0/150) > 1e-9 {
		t.Errorf("got %v and %v, want 35 s and %v", b.ETA, b.Fraction, 80.0/150)
	}
	f.coming = 3 // which are like those known: 70 + 3 * 50 are left
	if b := f.batch(); b.Total != 6 || math.Abs(b.ETA.Seconds()-110) > 2 || math.Abs(b.Fraction-80.0/300) > 1e-9 {
		t.Errorf("with three to come: %+v", b)
	}
	if b.Text != "large 30 %" {
		t.Errorf("running is told as %q", b.Text)
	}
}

func TestResultsAreMovedByTheirNames(t *testing.T) {
	st := stand("a", "x", farm.Done)
	st.Job.Outputs = []string{"/out/x.png", `C:\maps\x_sem.png`}
	st.Results = map[string]string{"/out/x.png": "1", `C:\maps\x_sem.png`: "2"}
	got, err := moved(st, "/here")
	if err != nil || got.Results[filepath.Join("/here", "x_sem.png")] != "2" || len(got.Job.Outputs) != 2 {
		t.Errorf("moved to %v, %v", got.Results, err)
	}
	st.Job.Outputs[1] = "/other/x.png"
	if _, err := moved(st, "/here"); err == nil {
		t.Error("two results of one name were moved into one folder")
	}
}

func TestStepEventsBecomeProgress(t *testing.T) {
	var got []event
	l := &eventLines{tell: func(e event) { got = append(got, e) }}
	for _, part := range []string{"{\"type\":\"progress\",\"scale\":2,\"sca", "les\":3,\"iter\":4,\"iters\":8}\nnot json\n{\"type\":", "\"warning\"}\n"} {
		if n, err := io.WriteString(l, part); err != nil || n != len(part) {
			t.Fatal(n, err)
		}
	}
	if len(got) != 2 || got[0] != (event{Type: "progress", Scale: 2, Scales: 3, Iter: 4, Iters: 8}) || got[1].Type != "warning" {
		t.Errorf("got %v", got)
	}
}

func TestOutputOfAStep(t *testing.T) {
	for words, want := range map[string]string{"art --output=a.png x": "a.png", "art -o b.png": "b.png", "art --output c.png": "c.png", "art -- --output=d.png": "", "art": "", "art -o": ""} {
		if got := outputOf(strings.Fields(words)); got != want {
			t.Errorf("%s: got %q, want %q", words, got, want)
		}
	}
}

func TestCommonFolder(t *testing.T) {
	job := func(paths ...string) farm.Job { return farm.Job{Outputs: paths} }
	for _, c := range []struct {
		want string
		jobs []farm.Job
	}{
		{"/a/b", []farm.Job{job("/a/b/x.png"), job("/a/b/c/y.png")}},
		{"/a", []farm.Job{job("/a/b/x.png"), job("/a/bc/y.png")}},
		{"/", []farm.Job{job("/a/x.png"), job("/b/y.png")}},
		{".", nil},
	} {
		if got := commonFolder(c.jobs); filepath.ToSlash(got) != c.want {
			t.Errorf("%v: got %q, want %q", c.jobs, got, c.want)
		}
	}
}

func TestShowTellsWhatAJobIs(t *testing.T) {
	var out bytes.Buffer
	st := stand("0123456789abcdef", "coast", farm.Failed)
	st.Job.Retries, st.Attempts, st.Error = 2, 3, "no paint\nat all"
	showJob(&session{stdout: &out}, st)
	for _, want := range []string{"job        0123456789abcdef  coast\n", "attempts   3 of 3\n", "error      no paint\n           at all\n", "step       impasto art 'a photo.jpg'\n"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in\n%s", want, out.String())
		}
	}
}
