package farm

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// TestADoersOwnContext: that it ended says nothing about the worker.
func TestADoersOwnContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, doersOwnContext)
}

func doersOwnContext(t *testing.T) {
	q := Memory(silence)
	j := job(t, "a")
	j.Retries = 1
	submit(t, q, j)
	tries := 0
	run(t, worker(t, q, func(context.Context, *Task) error { tries++; return context.Canceled }))
	if s := state(t, q, j, Failed); tries != 2 || s.Error != context.Canceled.Error() {
		t.Errorf("%d tries, error %q", tries, s.Error)
	}
}

// TestRetriesWait: a retry follows after Pause, and five times that.
func TestRetriesWait(t *testing.T) {
	eachQueue(t, func(t *testing.T, q Queue) {
		j := job(t, "a")
		j.Retries = 2
		submit(t, q, j)
		var at []time.Time
		w := worker(t, q, func(context.Context, *Task) error {
			at = append(at, time.Now())
			return errors.New("not now")
		})
		w.Pause = silence / 4
		w.Ended = func(s Status) {
			if s.State == Queued && (s.After.Before(at[len(at)-1].Add(w.Pause)) || time.Until(s.After) > 5*w.Pause) {
				t.Errorf("it is tried again after %v", time.Until(s.After))
			}
		}
		run(t, w)
		if s := state(t, q, j, Failed); len(at) != 3 || at[1].Sub(at[0]) < w.Pause || at[2].Sub(at[1]) < 5*w.Pause || !s.After.IsZero() {
			t.Errorf("tried at %v; %+v", at, s)
		}
	})
}

// deaf is a store whose answer to one change is lost.
type deaf struct {
	store
	lose atomic.Bool
}

func (d *deaf) put(ctx context.Context, s *Status, revision uint64) (uint64, error) {
	n, err := d.store.put(ctx, s, revision)
	if d.lose.Swap(false) {
		return 0, &UnreachableError{"nats://nowhere", errors.New("the answer is lost")}
	}
	return n, err
}

// TestFinishIsRepeated: its answer was lost, and the job is done all the same.
func TestFinishIsRepeated(t *testing.T) {
	eachQueue(t, func(t *testing.T, q Queue) {
		d := &deaf{store: q.(*queue).store}
		q.(*queue).store = d
		j := job(t, "a")
		submit(t, q, j)
		w := worker(t, q, func(_ context.Context, task *Task) error {
			d.lose.Store(true)
			return paints(context.Background(), task)
		})
		w.Beat = time.Minute
		ended := 0
		w.Ended = func(s Status) {
			if ended++; s.State != Done {
				t.Errorf("it ended as %q", s.State)
			}
		}
		run(t, w)
		state(t, q, j, Done)
		if left, _ := os.ReadDir(filepath.Join(w.Dir, "jobs")); ended != 1 || len(left) != 0 {
			t.Errorf("told %d times, left %v", ended, left)
		}
		// Given back, and taken by another before the answer is asked for again.
		b := job(t, "b")
		submit(t, q, b)
		l := next(t, q)
		d.lose.Store(true)
		var gone *UnreachableError
		if err := l.Finish(t.Context(), Queued, nothing); !errors.As(err, &gone) {
			t.Fatalf("the answer was not lost: %v", err)
		}
		if err := l.Finish(t.Context(), Queued, nothing); err != nil {
			t.Errorf("given back again: %v", err)
		}
		other := next(t, q)
		if err := l.Finish(t.Context(), Queued, nothing); err != nil {
			t.Errorf("given back again, later: %v", err)
		}
		if err := other.Finish(t.Context(), Done, nothing); err != nil {
			t.Errorf("the other one: %v", err)
		}
		if err := l.Finish(t.Context(), Queued, nothing); !errors.Is(err, ErrLost) {
			t.Errorf("much later: %v", err)
		}
		none(t, q)
	})
}

// leaving is a store whose taker leaves just when something was fetched.
type leaving struct {
	store
	leave func()
}

func (s *leaving) take(ctx context.Context, class string, empty time.Duration) (message, error) {
	m, err := s.store.take(ctx, class, empty)
	s.leave()
	return m, err
}

// TestTakerThatLeaves: the next one need not wait until the first is given up.
func TestTakerThatLeaves(t *testing.T) {
	t.Parallel()
	for name, q := range map[string]Queue{"memory": Memory(time.Hour), "nats": open(t, Options{Store: t.TempDir(), Wait: time.Hour})} {
		t.Run(name, func(t *testing.T) {
			submit(t, q, job(t, "a"))
			ctx, cancel := context.WithCancel(t.Context())
			own := q.(*queue).store
			q.(*queue).store = &leaving{own, cancel}
			if l, err := q.Next(ctx, ClassCPU, "w", 0); l != nil || !errors.Is(err, context.Canceled) {
				t.Fatalf("%v, %v", l, err)
			}
			q.(*queue).store = own
			if s := next(t, q).Status(); s.Deaths != 0 {
				t.Errorf("%+v", s)
			}
		})
	}
}

// TestLargeRecords: what a record may hold is known when the job comes, and kept to.
func TestLargeRecords(t *testing.T) {
	eachQueue(t, func(t *testing.T, q Queue) {
		ctx := t.Context()
		j := job(t, "a")
		j.Steps = append(j.Steps, []string{"art", strings.Repeat("x", 3<<19)})
		submit(t, q, j)
		l := next(t, q)
		if err := l.Finish(ctx, Failed, func(s *Status) {
			s.Error, s.Outcome = strings.Repeat("é", 9<<20), []byte(`"`+strings.Repeat("x", 9<<20)+`"`)
		}); err != nil {
			t.Fatal(err)
		}
		if s := state(t, q, j, Failed); len(s.Error) > maxText+4 || !strings.HasPrefix(s.Error, "éé") || s.Outcome != nil {
			t.Errorf("error of %d bytes, outcome of %d", len(s.Error), len(s.Outcome))
		}
		if err := q.Retry(ctx, j.ID); err != nil {
			t.Fatal(err)
		}
		if err := next(t, q).Finish(ctx, Done, func(s *Status) { s.Outcome = []byte("no JSON") }); err != nil {
			t.Errorf("an outcome that is no JSON: %v", err)
		}
		j = job(t, "b")
		for i := range 40000 { // 1.2 MB as outputs, but as much again twice with their sums
			j.Outputs = append(j.Outputs, fmt.Sprintf("/far/%020d.png", i))
		}
		if _, err := q.Submit(ctx, j); err == nil || !strings.Contains(err.Error(), "its record may take") {
			t.Errorf("a job of many outputs: %v", err)
		}
		if _, err := q.Status(ctx, j.ID); !errors.Is(err, ErrUnknown) {
			t.Errorf("it is there: %v", err)
		}
	})
}

// TestMessageThatWasLost: a job that runs for the record alone can be ended and
// queued anew.
func TestMessageThatWasLost(t *testing.T) {
	eachQueue(t, func(t *testing.T, q Queue) {
		ctx := t.Context()
		a := job(t, "a")
		submit(t, q, a)
		l := next(t, q)
		var ended *EndedError
		if err := q.Retry(ctx, a.ID); !errors.As(err, &ended) || ended.State != Running {
			t.Fatalf("a running job is queued anew: %v", err)
		}
		if err := l.(*lease).m.acknowledge(ctx); err != nil {
			t.Fatal(err)
		}
		none(t, q)
		if err := q.Retry(ctx, a.ID); err != nil {
			t.Fatal(err)
		}
		again := next(t, q)
		if err := l.Finish(ctx, Done, nothing); !errors.Is(err, ErrLost) {
			t.Errorf("the first one ends it: %v", err)
		}
		if err := again.(*lease).m.acknowledge(ctx); err != nil {
			t.Fatal(err)
		}
		if err := q.Cancel(ctx, a.ID); err != nil {
			t.Fatal(err)
		}
		state(t, q, a, Cancelled)
	})
}

// TestSharedCheckpoint: one that another job has as well is not deleted with
// the first one's.
func TestSharedCheckpoint(t *testing.T) {
	eachQueue(t, func(t *testing.T, q Queue) {
		a, b := job(t, "a"), job(t, "b")
		a.Priority = 1
		submit(t, q, a, b)
		save := func(task *Task, text string) {
			write(t, output(task)+checkpointSuffix, text)
			task.Checkpointed(output(task))
		}
		drain := make(chan struct{})
		if err := worker(t, q, func(ctx context.Context, task *Task) error {
			save(task, "half")
			close(drain)
			<-ctx.Done()
			return ctx.Err()
		}).Run(t.Context(), drain); err != nil {
			t.Fatal(err)
		}
		if err := q.Cancel(t.Context(), a.ID); err != nil { // it keeps its checkpoint
			t.Fatal(err)
		}
		run(t, worker(t, q, func(_ context.Context, task *Task) error {
			for i := range 8 {
				save(task, fmt.Sprint(i))
			}
			save(task, "half")
			save(task, "more")
			return paints(context.Background(), task)
		}))
		state(t, q, b, Done)
		for path, sum := range state(t, q, a, Cancelled).Checkpoints {
			if has, err := q.Blobs().Has(t.Context(), sum); !has || err != nil {
				t.Errorf("the checkpoint of %s is gone, %v", path, err)
			}
		}
		// It, and the result.
		if left, err := q.Blobs().List(t.Context()); len(left) != 2 || err != nil {
			t.Errorf("%d blobs are left, %v", len(left), err)
		}
	})
}

// TestFetchedInputsAreBounded: those unused for longest go, not this job's.
func TestFetchedInputsAreBounded(t *testing.T) {
	t.Parallel()
	p := newPlace(t.TempDir(), t.TempDir(), job(t, "a"), &Sums{})
	age := time.Now()
	paths := map[string]string{}
	for i, name := range []string{"mine", "old", "young", "middle"} {
		path := write(t, filepath.Join(p.blobs, name, "f"), strings.Repeat("x", 1000))
		paths[name] = path
		used := age.Add(-time.Duration([]int{9, 8, 1, 4}[i]) * time.Hour)
		if err := os.Chtimes(path, used, used); err != nil {
			t.Fatal(err)
		}
	}
	p.pairs = append(p.pairs, "/far/f", paths["mine"])
	for _, step := range []struct {
		limit int64
		left  string
	}{{4000, "mine old young middle"}, {3999, "mine young middle"}, {2000, "mine young"}, {0, "mine"}} {
		if err := p.trim(step.limit); err != nil {
			t.Fatal(err)
		}
		for name, path := range paths {
			if _, err := os.Stat(path); (err == nil) != strings.Contains(step.left, name) {
				t.Errorf("within %d bytes, %s: %v", step.limit, name, err)
			}
		}
	}
	if left, _ := os.ReadDir(p.blobs); len(left) != 1 {
		t.Errorf("folders are left: %v", left)
	}
	p.blobs += "/none"
	if err := p.trim(0); err != nil {
		t.Errorf("where nothing was fetched: %v", err)
	}
}

// TestChunksOfAKilledPut are swept, those of files and of puts at work not.
func TestChunksOfAKilledPut(t *testing.T) {
	t.Parallel()
	ctx, q := t.Context(), open(t, Options{Store: t.TempDir()})
	js := q.(*queue).store.(*natsStore).js
	path := write(t, t.TempDir()+"/f", strings.Repeat("paint", 100000))
	sum, err := PutFile(ctx, q.Blobs(), path)
	if err != nil {
		t.Fatal(err)
	}
	j := job(t, "a")
	j.Inputs = map[string]string{"/x": sum}
	submit(t, q, j)
	const stray = "$O." + blobsName + ".C.stray"
	for range 3 {
		if _, err := js.Publish(ctx, stray, []byte("pai")); err != nil {
			t.Fatal(err)
		}
	}
	chunks := func() uint64 {
		stream, err := js.Stream(ctx, "OBJ_"+blobsName)
		if err != nil {
			t.Fatal(err)
		}
		info, err := stream.Info(ctx, jetstream.WithSubjectFilter(stray))
		if err != nil {
			t.Fatal(err)
		}
		return info.State.Subjects[stray]
	}
	for _, step := range []struct {
		now  time.Time
		left uint64
	}{{time.Now(), 3}, {time.Now().Add(2 * youth), 0}} {
		if _, err := sweep(ctx, q, step.now); err != nil {
			t.Fatal(err)
		}
		if n := chunks(); n != step.left {
			t.Errorf("%d stray chunks are left, want %d", n, step.left)
		}
	}
	if err := GetFile(ctx, q.Blobs(), sum, path+"2"); err != nil {
		t.Error(err)
	}
}

// TestDamagedBlobOfAServer: neither other content under a name nor a file that
// lacks a piece is taken for what it should be.
func TestDamagedBlobOfAServer(t *testing.T) {
	t.Parallel()
	ctx, q, dir := t.Context(), open(t, Options{Store: t.TempDir()}), t.TempDir()
	b := q.Blobs().(natsBlobs)
	sum, err := PutFile(ctx, b, write(t, dir+"/f", strings.Repeat("paint", 100000)))
	if err != nil {
		t.Fatal(err)
	}
	info, err := b.objects.GetInfo(ctx, sum)
	if err != nil {
		t.Fatal(err)
	}
	stream, err := b.js.Stream(ctx, "OBJ_"+blobsName)
	if err != nil {
		t.Fatal(err)
	}
	if err := stream.Purge(ctx, jetstream.WithPurgeSubject("$O."+blobsName+".C."+info.NUID), jetstream.WithPurgeKeep(2)); err != nil {
		t.Fatal(err)
	}
	if err := GetFile(ctx, b, sum, dir+"/sub/g"); err == nil {
		t.Error("a file that lacks a piece is written")
	}
	if _, err := b.objects.PutString(ctx, sum, "evil"); err != nil {
		t.Fatal(err)
	}
	var damaged *DamagedError
	if err := GetFile(ctx, b, sum, dir+"/sub/g"); !errors.As(err, &damaged) {
		t.Errorf("other content is written: %v", err)
	}
	if left, _ := os.ReadDir(dir + "/sub"); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

// full is a queue whose disk, or that of its worker, is full for a while.
type full struct {
	Queue
	put, get atomic.Bool
}

type fullBlobs struct {
	Blobs
	f *full
}

func (f *full) Blobs() Blobs { return fullBlobs{f.Queue.Blobs(), f} }

func (b fullBlobs) Put(ctx context.Context, sum string, r io.Reader) error {
	if b.f.put.Load() {
		return &os.PathError{Op: "write", Path: sum, Err: syscall.ENOSPC}
	}
	return b.Blobs.Put(ctx, sum, r)
}

func (b fullBlobs) Get(ctx context.Context, sum string) (io.ReadCloser, error) {
	r, err := b.Blobs.Get(ctx, sum)
	if err == nil && b.f.get.Load() {
		return io.NopCloser(io.MultiReader(io.LimitReader(r, 2), &fails{syscall.ENOSPC})), nil
	}
	return r, err
}

type fails struct{ err error }

func (f *fails) Read([]byte) (int, error) { return 0, f.err }

// TestDiskFull: the error says so, nothing is half there, and with room again
// the job is done.
func TestDiskFull(t *testing.T) {
	eachQueue(t, func(t *testing.T, q Queue) {
		dir := t.TempDir()
		f := &full{Queue: q}
		j := Job{Name: "a", Class: ClassCPU, Steps: [][]string{{"art", "--output=" + dir + "/out/o"}}, Outputs: []string{dir + "/out/o"}}
		j.Identify()
		submit(t, q, j)
		f.put.Store(true)
		w := worker(t, f, paints)
		run(t, w)
		if s := state(t, q, j, Failed); !strings.Contains(s.Error, syscall.ENOSPC.Error()) || s.Results != nil {
			t.Errorf("%+v", s)
		}
		if left, err := q.Blobs().List(t.Context()); len(left) != 0 || err != nil {
			t.Errorf("stored all the same: %v, %v", left, err)
		}
		f.put.Store(false)
		if err := q.Retry(t.Context(), j.ID); err != nil {
			t.Fatal(err)
		}
		run(t, w)
		s := state(t, q, j, Done)
		f.get.Store(true)
		if n, err := Collect(t.Context(), f, s, false); n != 0 || !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("collected %d, %v", n, err)
		}
		if left, _ := os.ReadDir(dir + "/out"); len(left) != 0 {
			t.Errorf("half written: %v", left)
		}
		f.get.Store(false)
		if n, err := Collect(t.Context(), f, s, false); n != 1 || err != nil {
			t.Errorf("with room again: %d, %v", n, err)
		}
	})
}

// TestDoerThatDoesNotStop: its job is another's after the time of grace.
func TestDoerThatDoesNotStop(t *testing.T) {
	eachQueue(t, func(t *testing.T, q Queue) {
		j := job(t, "a")
		submit(t, q, j)
		drain, release := make(chan struct{}), make(chan struct{})
		left := make(chan error, 1)
		w := worker(t, q, func(_ context.Context, task *Task) error {
			close(drain)
			<-release
			task.Progress(1, "late")
			task.Outcome = []byte("1")
			left <- paints(context.Background(), task)
			return nil
		})
		w.Grace = silence / 8
		if err := w.Run(t.Context(), drain); !errors.Is(err, errStuck) {
			t.Fatalf("the worker ends with %v", err)
		}
		if s := state(t, q, j, Queued); s.Attempts != 0 || s.Deaths != 0 {
			t.Errorf("%+v", s)
		}
		run(t, worker(t, q, paints))
		close(release)
		if err := <-left; err != nil {
			t.Error(err)
		}
		if s := state(t, q, j, Done); s.Text != "" || s.Outcome != nil {
			t.Errorf("%+v", s)
		}
	})
}
