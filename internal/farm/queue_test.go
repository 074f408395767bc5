package farm

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

const (
	// silence is how long a worker may be silent in tests of silent workers.
	silence = time.Second
	// calm is how long a worker may be silent in all other tests: longer than any machine
	// stands still.
	calm = time.Minute
)

// eachQueue runs a test on both kinds of queue: on the one in memory by a clock
// of the test's own, which moves on when everybody waits, so that no machine is
// too busy for it.
func eachQueue(t *testing.T, f func(t *testing.T, q Queue)) { eachQueueOf(t, calm, f) }

// eachQueueOf is eachQueue with queues whose workers may be silent for wait.
func eachQueueOf(t *testing.T, wait time.Duration, f func(t *testing.T, q Queue)) {
	t.Parallel()
	t.Run("memory", func(t *testing.T) { t.Parallel(); synctest.Test(t, func(t *testing.T) { f(t, Memory(wait)) }) })
	t.Run("nats", func(t *testing.T) { t.Parallel(); f(t, open(t, Options{Store: t.TempDir(), Wait: wait})) })
}

func open(t *testing.T, o Options) Queue {
	t.Helper()
	o.Wait = cmp.Or(o.Wait, calm)
	o.Patience = cmp.Or(o.Patience, calm)
	q, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { q.Close() })
	return q
}

// job is an order of one step that writes one file.
func job(t testing.TB, name string) Job {
	j := Job{Name: name, Batch: "b", Class: ClassCPU, Steps: [][]string{{"art", "--output=/far/" + name + ".png"}}, Outputs: []string{"/far/" + name + ".png"}}
	j.Identify()
	return j
}

func submit(t testing.TB, q Queue, jobs ...Job) {
	t.Helper()
	if n, err := q.Submit(context.Background(), jobs...); err != nil || n != len(jobs) {
		t.Fatalf("%d of %d jobs were added, %v", n, len(jobs), err)
	}
}

// next takes the next job.
func next(t testing.TB, q Queue) Lease {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*calm)
	defer cancel()
	l, err := q.Next(ctx, ClassCPU, "w", 0)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// none checks that there is nothing to take for a while.
func none(t testing.TB, q Queue) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*silence)
	defer cancel()
	if l, err := q.Next(ctx, ClassCPU, "w", 0); err == nil {
		t.Fatalf("job %s came again", l.Status().Job.Name)
	}
}

func state(t testing.TB, q Queue, j Job, want State) Status {
	t.Helper()
	s, err := q.Status(context.Background(), j.ID)
	if err != nil || s.State != want {
		t.Fatalf("job %s is %q (%s, %d deaths; %v), want %q", j.Name, s.State, s.Error, s.Deaths, err, want)
	}
	return s
}

// endsAs waits until a job has ended; a worker only has to look at the queue for that.
func endsAs(t *testing.T, q Queue, j Job, want State) Status {
	t.Helper()
	ctx, stop := context.WithCancel(soon(t))
	go func() {
		defer stop()
		for ctx.Err() == nil {
			if s, err := q.Status(ctx, j.ID); err != nil || s.State.Ended() {
				return
			}
			pause(ctx, silence/20)
		}
	}()
	if l, err := q.Next(ctx, ClassCPU, "w", 0); err == nil {
		t.Fatalf("job %s was taken", l.Status().Job.Name)
	}
	return state(t, q, j, want)
}

func nothing(*Status) {}

// soon bounds what used to wait for ever.
func soon(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// fallSilent makes the queue give a job to another worker, as when its worker has been
// silent for too long.
func fallSilent(t testing.TB, l Lease) {
	t.Helper()
	switch m := l.(*lease).m.(type) {
	case *natsMessage:
		if err := m.conn.Publish(m.reply, []byte("-NAK")); err != nil {
			t.Fatal(err)
		}
	default:
		if err := m.again(0); err != nil {
			t.Fatal(err)
		}
	}
}

func TestIdentify(t *testing.T) {
	base := Job{Class: ClassCPU, Steps: [][]string{{"art", "--content=/a.png", "/b.png"}}, Outputs: []string{"/o.png"},
		Inputs: map[string]string{"/a.png": "1", "/b.png": "2"}}
	same := Job{Name: "another name", Priority: 3, Class: ClassCPU, Steps: [][]string{{"art", "--content=/elsewhere/a.png", "/b2.png"}},
		Outputs: []string{"/o.png"}, Inputs: map[string]string{"/elsewhere/a.png": "1", "/b2.png": "2"}}
	base.Identify()
	same.Identify()
	if base.ID != same.ID || len(base.ID) != 16 {
		t.Errorf("the same order is %q and %q", base.ID, same.ID)
	}
	for name, other := range map[string]Job{
		"another input":  {Class: ClassCPU, Steps: base.Steps, Outputs: base.Outputs, Inputs: map[string]string{"/a.png": "3", "/b.png": "2"}},
		"another output": {Class: ClassCPU, Steps: base.Steps, Outputs: []string{"/p.png"}, Inputs: base.Inputs},
		"another class":  {Class: ClassGPU, Steps: base.Steps, Outputs: base.Outputs, Inputs: base.Inputs},
		"words joined":   {Class: ClassCPU, Steps: [][]string{{"art--content=/a.png", "/b.png"}}, Outputs: base.Outputs, Inputs: base.Inputs},
		"steps divided":  {Class: ClassCPU, Steps: [][]string{{"art"}, {"--content=/a.png", "/b.png"}}, Outputs: base.Outputs, Inputs: base.Inputs},
	} {
		if other.Identify(); other.ID == base.ID {
			t.Errorf("%s has the same ID", name)
		}
	}
}

func TestQueueLife(t *testing.T) {
	eachQueue(t, func(t *testing.T, q Queue) {
		ctx := t.Context()
		a, b := job(t, "a"), job(t, "b")
		b.Priority = 7
		submit(t, q, a, b)
		if n, err := q.Submit(ctx, a, b); n != 0 || err != nil {
			t.Fatalf("submitting again added %d, %v", n, err)
		}
		l := next(t, q)
		if l.Status().Job.Name != "b" {
			t.Fatalf("%s came before priority 7", l.Status().Job.Name)
		}
		if err := l.Update(ctx, func(s *Status) { s.Fraction, s.Text = 0.5, "half" }); err != nil {
			t.Fatal(err)
		}
		if s := state(t, q, b, Running); s.Fraction != 0.5 || s.Text != "half" || s.Worker != "w" {
			t.Errorf("%+v", s)
		}
		if err := l.Finish(ctx, Done, func(s *Status) { s.Results = map[string]string{"o": "1"} }); err != nil {
			t.Fatal(err)
		}
		if s := state(t, q, b, Done); s.Results["o"] != "1" || s.Ended.IsZero() || s.Lease != "" {
			t.Errorf("%+v", s)
		}
		l = next(t, q)
		if err := l.Finish(ctx, Queued, nothing); err != nil {
			t.Fatal(err)
		}
		if l = next(t, q); l.Status().Deaths != 0 || l.Status().Job.Name != "a" {
			t.Errorf("given back and taken again: %+v", l.Status())
		}
		if err := l.Finish(ctx, Failed, func(s *Status) { s.Error = "no" }); err != nil {
			t.Fatal(err)
		}
		none(t, q)
		list, err := q.List(ctx, Filter{Batch: "b"})
		if err != nil || len(list) != 2 || list[0].Job.Name != "a" || list[1].Job.Name != "b" {
			t.Fatalf("list %v, %v", list, err)
		}
		if list, _ := q.List(ctx, Filter{State: Failed}); len(list) != 1 || list[0].Error != "no" {
			t.Errorf("failed ones: %v", list)
		}
		if err := q.Retry(ctx, a.ID); err != nil {
			t.Fatal(err)
		}
		l = next(t, q)
		if s := l.Status(); s.Error != "" {
			t.Errorf("queued anew: %+v", s)
		}
		var ended *EndedError
		if err := q.Remove(ctx, a.ID); !errors.As(err, &ended) || ended.State != Running {
			t.Errorf("a running job is removed: %v", err)
		}
		if err := l.Finish(ctx, Done, nothing); err != nil {
			t.Fatal(err)
		}
		if err := q.Remove(ctx, a.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := q.Status(ctx, a.ID); !errors.Is(err, ErrUnknown) {
			t.Errorf("a removed job: %v", err)
		}
		if err := q.Cancel(ctx, b.ID); !errors.As(err, &ended) || ended.State != Done {
			t.Errorf("a done job is cancelled: %v", err)
		}
		submit(t, q, a) // a removed job comes again
		if err := next(t, q).Finish(ctx, Done, nothing); err != nil {
			t.Fatal(err)
		}
		none(t, q)
	})
}

// TestSilentWorkerLosesItsJob: the job goes to another, and what the first one
// says afterwards is refused.
func TestSilentWorkerLosesItsJob(t *testing.T) {
	eachQueueOf(t, silence, func(t *testing.T, q Queue) {
		ctx := t.Context()
		a := job(t, "a")
		submit(t, q, a)
		first := next(t, q)
		if err := first.Update(ctx, func(s *Status) { s.Checkpoints = map[string]string{"o": "c"} }); err != nil {
			t.Fatal(err)
		}
		second := next(t, q)
		if s := second.Status(); s.Deaths != 1 || s.Checkpoints["o"] != "c" {
			t.Fatalf("%+v", s)
		}
		if _, err := first.Extend(ctx); !errors.Is(err, ErrLost) {
			t.Errorf("the first extends: %v", err)
		}
		if err := first.Update(ctx, nothing); !errors.Is(err, ErrLost) {
			t.Errorf("the first updates: %v", err)
		}
		if err := first.Finish(ctx, Done, nothing); !errors.Is(err, ErrLost) {
			t.Errorf("the first finishes: %v", err)
		}
		if err := second.Finish(ctx, Done, nothing); err != nil {
			t.Fatal(err)
		}
		none(t, q)
		state(t, q, a, Done)
	})
}

// TestHeartbeatKeepsTheJob: another worker gets the job only after a silence that was long
// enough, as when the machine stood still.
func TestHeartbeatKeepsTheJob(t *testing.T) {
	eachQueueOf(t, silence, func(t *testing.T, q Queue) {
		submit(t, q, job(t, "a"))
		l, heard := next(t, q), time.Now()
		for begun := time.Now(); time.Since(begun) < 4*silence; {
			quiet, cancel := context.WithTimeout(t.Context(), silence/5)
			other, err := q.Next(quiet, ClassCPU, "w", 0)
			cancel()
			if err == nil {
				if silent := time.Since(heard); silent < silence {
					t.Fatalf("it was taken after %v", silent)
				}
				l = other
			}
			before := time.Now()
			switch _, err := l.Extend(t.Context()); {
			case errors.Is(err, ErrLost) && before.Sub(heard) >= silence: // to Next, which gave up then
				before = time.Now()
				l = next(t, q)
			case err != nil:
				t.Fatalf("extend: %v", err)
			}
			heard = before
		}
		if err := l.Finish(t.Context(), Done, nothing); err != nil {
			t.Fatal(err)
		}
	})
}

func TestCancel(t *testing.T) {
	eachQueueOf(t, silence, func(t *testing.T, q Queue) {
		ctx := t.Context()
		waits, runs := job(t, "waits"), job(t, "runs")
		runs.Priority = 1
		submit(t, q, waits, runs)
		l := next(t, q)
		for _, j := range []Job{waits, runs} {
			if err := q.Cancel(ctx, j.ID); err != nil {
				t.Fatal(err)
			}
		}
		state(t, q, waits, Cancelled)
		s, err := l.Extend(ctx)
		if err != nil || !s.Cancelling {
			t.Fatalf("the worker is not told: %+v, %v", s, err)
		}
		if err := l.Finish(ctx, Cancelled, nothing); err != nil {
			t.Fatal(err)
		}
		none(t, q)
		// One whose worker dies before it hears of it.
		again := job(t, "again")
		submit(t, q, again)
		next(t, q)
		if err := q.Cancel(ctx, again.ID); err != nil {
			t.Fatal(err)
		}
		endsAs(t, q, again, Cancelled)
	})
}

// TestAJobThatKillsItsWorkersFails: it must not go round for ever.
func TestAJobThatKillsItsWorkersFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, killsItsWorkers)
}

func killsItsWorkers(t *testing.T) {
	q := Memory(silence)
	a := job(t, "a")
	submit(t, q, a)
	for range maxDeaths + 1 {
		next(t, q)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*silence)
	defer cancel()
	if l, err := q.Next(ctx, ClassCPU, "w", 0); err == nil {
		t.Fatalf("taken once more: %+v", l.Status())
	}
	if s := state(t, q, a, Failed); s.Error != fmt.Sprintf("its worker was lost %d times", maxDeaths+1) {
		t.Errorf("error %q", s.Error)
	}
}

// TestMessageToldTwice: a second message of a job that runs, is done or is gone
// does nothing.
func TestMessageToldTwice(t *testing.T) {
	eachQueue(t, func(t *testing.T, q Queue) {
		ctx := t.Context()
		a := job(t, "a")
		submit(t, q, a)
		l := next(t, q)
		again := l.Status()
		again.Ticket = "1" // what the server does not know to be the same
		for range 2 {
			if err := q.(*queue).publish(ctx, again); err != nil {
				t.Fatal(err)
			}
			quiet, cancel := context.WithTimeout(ctx, silence/2)
			if l, err := q.Next(quiet, ClassCPU, "thief", 0); err == nil {
				t.Fatalf("taken twice: %+v", l.Status())
			}
			cancel()
			if _, err := l.Extend(ctx); err != nil {
				t.Fatal(err)
			}
			again.Ticket += "1"
		}
		if err := l.Finish(ctx, Done, nothing); err != nil {
			t.Fatal(err)
		}
		again.Ticket += "1"
		if err := q.(*queue).publish(ctx, again); err != nil {
			t.Fatal(err)
		}
		none(t, q)
		state(t, q, a, Done)
	})
}

// TestOnceEach: many workers, many jobs, each is taken by one.
func TestOnceEach(t *testing.T) {
	eachQueue(t, func(t *testing.T, q Queue) {
		var jobs []Job
		for i := range 60 {
			j := job(t, fmt.Sprintf("j%02d", i))
			j.Priority = i % 3
			jobs = append(jobs, j)
		}
		submit(t, q, jobs...)
		var mu sync.Mutex
		var taken []string
		var left atomic.Int64
		left.Store(int64(len(jobs)))
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for left.Add(-1) >= 0 {
					l := next(t, q)
					mu.Lock()
					taken = append(taken, l.Status().Job.Name)
					mu.Unlock()
					if err := l.Finish(t.Context(), Done, nothing); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		slices.Sort(taken)
		if len(slices.Compact(taken)) != len(jobs) {
			t.Errorf("%d jobs were taken, %d of them different", len(jobs), len(slices.Compact(taken)))
		}
	})
}

func TestWatch(t *testing.T) {
	eachQueue(t, func(t *testing.T, q Queue) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		a, b := job(t, "a"), job(t, "b")
		submit(t, q, a)
		changes, err := q.Watch(ctx, nil)
		if err != nil {
			t.Fatal(err)
		}
		if s := <-changes; s.Job.ID != "" {
			t.Errorf("first comes %+v", s)
		}
		submit(t, q, b)
		if s := <-changes; s.Job.Name != "b" || s.State != Queued {
			t.Errorf("the new one is %+v", s)
		}
		cancel()
		for range changes {
		}
	})
}

// TestWatchOnly: of the jobs that are named it tells how they stand and what changes,
// in groups and out of order, also of one that comes later; of others nothing.
func TestWatchOnly(t *testing.T) {
	eachQueue(t, func(t *testing.T, q Queue) {
		ctx, cancel := context.WithCancel(soon(t))
		defer cancel()
		ids := []string{}
		mine := map[int]Job{}
		for i := range 2*watchedTogether + 1 {
			j := job(t, fmt.Sprint("mine", i))
			ids = append(ids, j.ID)
			if i%watchedTogether == 0 {
				mine[i] = j
			}
		}
		late := mine[watchedTogether]
		other := job(t, "other")
		submit(t, q, mine[0], other, mine[2*watchedTogether])
		changes, err := q.Watch(ctx, ids)
		if err != nil {
			t.Fatal(err)
		}
		told := func() string { s := <-changes; return s.Job.Name + " " + string(s.State) }
		first := []string{told(), told()}
		slices.Sort(first)
		if end := told(); !slices.Equal(first, []string{"mine0 queued", "mine500 queued"}) || end != " " {
			t.Errorf("first come %q, %q", first, end)
		}
		if err := q.Cancel(ctx, other.ID); err != nil {
			t.Fatal(err)
		}
		submit(t, q, late)
		if got := told(); got != "mine250 queued" {
			t.Errorf("the one that comes later is %q", got)
		}
		if err := q.Cancel(ctx, mine[0].ID); err != nil {
			t.Fatal(err)
		}
		if got := told(); got != "mine0 cancelled" {
			t.Errorf("the change is %q", got)
		}
		cancel()
		for range changes {
		}
		none, err := q.Watch(soon(t), []string{})
		if err != nil {
			t.Fatal(err)
		}
		if s := <-none; s.Job.ID != "" {
			t.Errorf("of no jobs %q was told", s.Job.Name)
		}
	})
}

func TestBlobs(t *testing.T) {
	eachQueue(t, func(t *testing.T, q Queue) {
		ctx, b := t.Context(), q.Blobs()
		const text = "paint"
		const sum = "2a5c1f6ae8b9bdcdf9d4c9c9de8e30c9c2a3d4b8a5dcb6a2cbe6d27a7d1b1f22" // not its sum
		var damaged *DamagedError
		if err := b.Put(ctx, sum, strings.NewReader(text)); !errors.As(err, &damaged) {
			t.Errorf("a wrong sum is stored: %v", err)
		}
		if has, err := b.Has(ctx, sum); has || err != nil {
			t.Errorf("what was refused is there: %v, %v", has, err)
		}
		if _, err := b.Get(ctx, sum); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("a missing blob: %v", err)
		}
		path := write(t, t.TempDir()+"/f", strings.Repeat("paint", 100000))
		right, err := PutFile(ctx, b, path)
		if err != nil {
			t.Fatal(err)
		}
		r, err := b.Get(ctx, right)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(r); err != nil || len(got) != 500000 {
			t.Errorf("%d bytes, %v", len(got), err)
		}
		j := job(t, "a")
		j.Inputs = map[string]string{"/x": right}
		submit(t, q, j)
		other, err := PutFile(ctx, b, write(t, t.TempDir()+"/g", "unused"))
		if err != nil {
			t.Fatal(err)
		}
		stored := time.Now()
		for _, at := range []struct {
			now   time.Time
			swept int
		}{{stored, 0}, {stored.Add(youth / 2), 0}, {time.Now().Add(youth), 1}, {time.Now().Add(youth), 0}} {
			if n, err := sweep(ctx, q, at.now); n != at.swept || err != nil {
				t.Errorf("swept %d after %v, %v", n, at.now.Sub(stored), err)
			}
		}
		if left, err := b.List(ctx); err != nil || len(left) != 1 || left[0].Sum != right {
			t.Errorf("left %v, %v (unused %s)", left, err, other)
		}
	})
}

// TestBlobsOfUse: what a job is about to name is not swept: neither a file that
// was stored just now nor one that is old, and found there by its next user.
func TestBlobsOfUse(t *testing.T) {
	eachQueue(t, func(t *testing.T, q Queue) {
		ctx, b := t.Context(), q.Blobs()
		path := write(t, t.TempDir()+"/f", "paint")
		sum, err := PutFile(ctx, b, path)
		if err != nil {
			t.Fatal(err)
		}
		if n, err := Sweep(ctx, q); n != 0 || err != nil {
			t.Fatalf("swept %d, %v", n, err)
		}
		before, err := b.List(ctx)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Millisecond)
		if _, err := PutFile(ctx, b, path); err != nil {
			t.Fatal(err)
		}
		after, err := b.List(ctx)
		if err != nil || len(after) != 1 || !after[0].Stored.After(before[0].Stored) {
			t.Fatalf("stored at %v, found at %v, %v", before, after, err)
		}
		if n, err := sweep(ctx, q, before[0].Stored.Add(youth)); n != 0 || err != nil {
			t.Errorf("swept %d, %v", n, err)
		}
		if err := GetFile(ctx, b, sum, path+"2"); err != nil {
			t.Errorf("what was touched: %v", err)
		}
		if there, err := b.Touch(ctx, strings.Repeat("0", 64)); there || err != nil {
			t.Errorf("a missing blob is touched: %v, %v", there, err)
		}
	})
}

func TestBadJobsAreRefused(t *testing.T) {
	q := Memory(silence)
	good := job(t, "a")
	for want, spoil := range map[string]func(*Job){
		"not 16 hex digits":  func(j *Job) { j.ID = "*" },
		"neither cpu":        func(j *Job) { j.Class = "tpu" },
		"not from 0 to 9":    func(j *Job) { j.Priority = 10 },
		"it has no steps":    func(j *Job) { j.Steps = nil },
		"ID \"ZZZZZZZZZZZZZ": func(j *Job) { j.ID = strings.Repeat("Z", 16) },
	} {
		j := good
		spoil(&j)
		if _, err := q.Submit(t.Context(), j); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
