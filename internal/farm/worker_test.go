package farm

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

func write(t testing.TB, path, text string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

// doer is a Doer that is a function.
type doer func(ctx context.Context, t *Task) error

func (f doer) Do(ctx context.Context, t *Task) error { return f(ctx, t) }

// output is the file that the first step writes.
func output(t *Task) string { return strings.TrimPrefix(t.Steps[0][1], "--output=") }

// paints writes the job's name.
func paints(_ context.Context, t *Task) error {
	return os.WriteFile(output(t), []byte(t.Job.Name), 0o666)
}

func worker(t testing.TB, q Queue, d doer) *Worker {
	return &Worker{Queue: q, Doer: d, Class: ClassCPU, Name: "w", Dir: t.TempDir(), Beat: silence / 8, Pause: time.Millisecond}
}

// run lets a worker work until every job of its queue has ended.
func run(t testing.TB, w *Worker) {
	t.Helper()
	drain, left, watched := make(chan struct{}), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(watched)
		for {
			list, err := w.Queue.List(context.Background(), Filter{})
			if err == nil && !slices.ContainsFunc(list, func(s Status) bool { return !s.State.Ended() }) {
				close(drain)
				return
			}
			select {
			case <-left:
				return
			case <-time.After(silence / 20):
			}
		}
	}()
	err := w.Run(context.Background(), drain)
	close(left)
	<-watched
	if err != nil {
		t.Error(err)
	}
}

// TestWorkerDoesJobs: inputs by path or by blob, results as blobs, nothing left behind.
func TestWorkerDoesJobs(t *testing.T) {
	eachQueue(t, func(t *testing.T, q Queue) {
		dir := t.TempDir()
		near, far := write(t, dir+"/near.txt", "near"), write(t, dir+"/far.txt", "far")
		j := Job{Name: "a", Class: ClassCPU, Outputs: []string{dir + "/out.txt"}, Inputs: map[string]string{},
			Steps: [][]string{{"join", "--output=" + dir + "/out.txt", "--first=" + near, far}}}
		for _, path := range []string{near, far} {
			sum, err := SumOf(path)
			if err != nil {
				t.Fatal(err)
			}
			j.Inputs[path] = sum
		}
		j.Identify()
		if n, err := Upload(t.Context(), q, []Job{j, j}); n != 2 || err != nil {
			t.Fatalf("uploaded %d, %v", n, err)
		}
		if err := os.Remove(far); err != nil {
			t.Fatal(err)
		}
		submit(t, q, j)
		w := worker(t, q, func(_ context.Context, task *Task) error {
			first := strings.TrimPrefix(task.Steps[0][2], "--first=")
			if first != near {
				t.Errorf("what is here is read from %q", first)
			}
			a, errA := os.ReadFile(first)
			b, errB := os.ReadFile(task.Steps[0][3])
			if filepath.Base(task.Steps[0][3]) != "far.txt" {
				t.Errorf("the fetched input is called %q", task.Steps[0][3])
			}
			task.Outcome = []byte(`{"loss":1}`)
			return errors.Join(errA, errB, os.WriteFile(output(task), append(a, b...), 0o666))
		})
		run(t, w)
		s := state(t, q, j, Done)
		if string(s.Outcome) != `{"loss":1}` || s.Fraction != 1 {
			t.Errorf("%+v", s)
		}
		if n, err := Collect(t.Context(), q, s, false); n != 1 || err != nil {
			t.Fatalf("collected %d, %v", n, err)
		}
		if got, _ := os.ReadFile(dir + "/out.txt"); string(got) != "nearfar" {
			t.Errorf("the result is %q", got)
		}
		if n, err := Collect(t.Context(), q, s, false); n != 0 || err != nil {
			t.Errorf("collected again: %d, %v", n, err)
		}
		write(t, dir+"/out.txt", "mine")
		var exists *ExistsError
		if _, err := Collect(t.Context(), q, s, false); !errors.As(err, &exists) {
			t.Errorf("another file is replaced: %v", err)
		}
		if n, err := Collect(t.Context(), q, s, true); n != 1 || err != nil {
			t.Errorf("and not when asked: %d, %v", n, err)
		}
		if left, _ := os.ReadDir(filepath.Join(w.Dir, "jobs")); len(left) != 0 {
			t.Errorf("left behind: %v", left)
		}
	})
}

// TestWorkerGoesOnFromACheckpoint: another worker, with nothing but the queue.
func TestWorkerGoesOnFromACheckpoint(t *testing.T) {
	eachQueue(t, func(t *testing.T, q Queue) {
		j := job(t, "a")
		submit(t, q, j)
		saved := make(chan struct{})
		first := worker(t, q, func(ctx context.Context, task *Task) error {
			write(t, output(task)+checkpointSuffix, "half")
			task.Checkpointed(output(task))
			write(t, output(task)+checkpointSuffix, "more")
			task.Checkpointed(output(task))
			close(saved)
			<-ctx.Done()
			return ctx.Err()
		})
		drain := make(chan struct{})
		go func() { <-saved; close(drain) }()
		if err := first.Run(t.Context(), drain); err != nil {
			t.Fatal(err)
		}
		s := state(t, q, j, Queued)
		if s.Attempts != 0 || s.Deaths != 0 || len(s.Checkpoints) != 1 {
			t.Fatalf("given back: %+v", s)
		}
		if sums, _ := q.Blobs().List(t.Context()); len(sums) != 1 {
			t.Errorf("the checkpoint before was kept: %v", sums)
		}
		run(t, worker(t, q, func(_ context.Context, task *Task) error {
			got, err := os.ReadFile(output(task) + checkpointSuffix)
			if string(got) != "more" || task.Attempt != 1 {
				t.Errorf("attempt %d finds %q, %v", task.Attempt, got, err)
			}
			return paints(context.Background(), task)
		}))
		if s := state(t, q, j, Done); len(s.Checkpoints) != 0 {
			t.Errorf("%+v", s)
		}
	})
}

// TestFailures: retries, poison, panics, missing results, timeouts.
func TestFailures(t *testing.T) {
	eachQueue(t, func(t *testing.T, q Queue) {
		var jobs []Job
		for _, name := range []string{"good", "passing", "poison", "always", "panics", "writes nothing", "slow", "input gone"} {
			j := job(t, name)
			j.Retries = 2
			switch name {
			case "slow":
				j.Timeout, j.Retries = silence/2, 0
			case "input gone":
				j.Inputs = map[string]string{"/no/such/file": strings.Repeat("0", 64)}
			}
			j.Identify()
			jobs = append(jobs, j)
		}
		submit(t, q, jobs...)
		var mu sync.Mutex
		tries := map[string]int{}
		run(t, worker(t, q, func(ctx context.Context, task *Task) error {
			mu.Lock()
			tries[task.Job.Name]++
			n := tries[task.Job.Name]
			mu.Unlock()
			if task.Attempt != n {
				t.Errorf("%s: attempt %d is called %d", task.Job.Name, n, task.Attempt)
			}
			switch task.Job.Name {
			case "passing":
				if n < 3 {
					return errors.New("not yet")
				}
			case "poison":
				return Permanent(errors.New("bad input"))
			case "always":
				return errors.New("again")
			case "panics":
				panic("oh")
			case "writes nothing":
				return nil
			case "slow":
				<-ctx.Done()
				return ctx.Err()
			}
			return paints(ctx, task)
		}))
		for i, want := range []struct {
			state State
			tries int
			error string
		}{
			{Done, 1, ""}, {Done, 3, ""}, {Failed, 1, "bad input"}, {Failed, 3, "again"}, {Failed, 3, "the program failed: oh"},
			{Failed, 1, `the steps did not write "/far/writes nothing.png"`}, {Failed, 1, errTimeout.Error()},
			{Failed, 0, `"/no/such/file" does not exist any more`},
		} {
			s := state(t, q, jobs[i], want.state)
			if tries[jobs[i].Name] != want.tries || s.Error != want.error {
				t.Errorf("%s: %d tries, error %q; want %d, %q", jobs[i].Name, tries[jobs[i].Name], s.Error, want.tries, want.error)
			}
		}
		none(t, q)
	})
}

func TestWorkerStopsACancelledJob(t *testing.T) {
	eachQueue(t, func(t *testing.T, q Queue) {
		j := job(t, "a")
		submit(t, q, j)
		run(t, worker(t, q, func(ctx context.Context, task *Task) error {
			if err := q.Cancel(t.Context(), j.ID); err != nil {
				t.Error(err)
			}
			<-ctx.Done()
			return ctx.Err()
		}))
		state(t, q, j, Cancelled)
	})
}

// noting is a queue that keeps the first lease it gave.
type noting struct {
	Queue
	first Lease
}

func (n *noting) Next(ctx context.Context, class, worker string, empty time.Duration) (Lease, error) {
	l, err := n.Queue.Next(ctx, class, worker, empty)
	if n.first == nil {
		n.first = l
	}
	return l, err
}

// TestWorkerThatSleptTooLong: its machine was suspended, or its clock jumped:
// the job went to another, and is done once, by that one.
func TestWorkerThatSleptTooLong(t *testing.T) {
	eachQueue(t, func(t *testing.T, q Queue) {
		j := job(t, "a")
		submit(t, q, j)
		asleep, woken, lost := make(chan struct{}), make(chan struct{}), make(chan error, 1)
		n := &noting{Queue: q}
		sleeper := worker(t, n, func(ctx context.Context, task *Task) error {
			close(asleep)
			<-woken
			<-ctx.Done()
			lost <- context.Cause(ctx)
			return paints(ctx, task)
		})
		drain, ended := make(chan struct{}), make(chan error, 1)
		go func() { ended <- sleeper.Run(t.Context(), drain) }()
		<-asleep
		fallSilent(t, n.first)
		other := worker(t, q, func(_ context.Context, task *Task) error {
			close(woken)
			return paints(context.Background(), task)
		})
		other.Name = "other"
		run(t, other)
		if err := <-lost; !errors.Is(err, ErrLost) {
			t.Errorf("the sleeper ended with %v", err)
		}
		close(drain)
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if s := state(t, q, j, Done); s.Worker != "other" {
			t.Errorf("done by %q", s.Worker)
		}
	})
}

// slowBlobs takes results only when it may.
type slowBlobs struct {
	Blobs
	may chan struct{}
}

func (b slowBlobs) Put(ctx context.Context, sum string, r io.Reader) error {
	select {
	case <-b.may:
	case <-ctx.Done():
		return ctx.Err()
	}
	return b.Blobs.Put(ctx, sum, r)
}

// TestNextBeginsWhileResultsAreStored: one job ahead and no more, the lease of
// the one that ends is kept up, and Run waits for the last one's results.
func TestNextBeginsWhileResultsAreStored(t *testing.T) {
	eachQueue(t, func(t *testing.T, q Queue) {
		jobs := []Job{job(t, "a"), job(t, "b"), job(t, "c")}
		for i := range jobs {
			jobs[i].Priority = MaxPriority - i
		}
		submit(t, q, jobs...)
		may := make(chan struct{})
		q.(*queue).blobs = slowBlobs{q.Blobs(), may}
		begun := make(chan string, len(jobs))
		w := worker(t, q, func(ctx context.Context, task *Task) error {
			begun <- task.Job.Name
			return paints(ctx, task)
		})
		w.Empty = silence / 4
		ended := make(chan error)
		go func() { ended <- w.Run(t.Context(), nil) }()
		if first, second := <-begun, <-begun; first != "a" || second != "b" {
			t.Fatalf("begun: %s, %s", first, second)
		}
		select {
		case name := <-begun:
			t.Fatalf("%s has begun while two are not stored", name)
		case <-time.After(2 * silence):
		}
		for i, j := range jobs[:2] {
			if s := state(t, q, j, Running); s.Deaths != 0 {
				t.Errorf("job %d: %+v", i, s)
			}
		}
		may <- struct{}{}
		if third := <-begun; third != "c" {
			t.Fatalf("then %s has begun", third)
		}
		state(t, q, jobs[0], Done)
		may <- struct{}{}
		select {
		case err := <-ended:
			t.Fatalf("the worker left with a result that is not stored: %v", err)
		case <-time.After(silence):
		}
		may <- struct{}{}
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
		for _, j := range jobs {
			state(t, q, j, Done)
		}
		if left, _ := os.ReadDir(filepath.Join(w.Dir, "jobs")); len(left) != 0 {
			t.Errorf("left behind: %v", left)
		}
	})
}

// TestDamagedBlobs: neither an input nor a result that is not what it should be
// is used.
func TestDamagedBlobs(t *testing.T) {
	q := Memory(silence)
	blobs := q.Blobs().(*memoryBlobs)
	ctx, dir := t.Context(), t.TempDir()
	sum, err := PutFile(ctx, blobs, write(t, dir+"/in", "good"))
	if err != nil {
		t.Fatal(err)
	}
	blobs.files[sum] = memoryFile{data: []byte("evil")}
	var damaged *DamagedError
	if err := GetFile(ctx, blobs, sum, dir+"/sub/out"); !errors.As(err, &damaged) {
		t.Errorf("a damaged blob is written: %v", err)
	}
	if left, _ := os.ReadDir(dir + "/sub"); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
	s := Status{State: Done, Job: Job{Outputs: []string{dir + "/result"}}, Results: map[string]string{dir + "/result": sum}}
	if n, err := CollectAt(ctx, q, s, false); n != 0 || !errors.As(err, &damaged) {
		t.Errorf("collected %d, %v", n, err)
	}
}
