package gpu

import (
	"sync"
	"sync/atomic"
)

// task is one operation's work, divided into chunks whose bounds depend only on the
// shapes. Chunks may run in any order on any worker, so a chunk writes only what no
// other chunk reads or writes. Each operation has a struct that the backend keeps, so
// starting a task allocates nothing.
type task interface{ chunk(worker, i int) }

// workers runs tasks on a fixed set of goroutines, of which the caller is the
// first (worker 0).
type workers struct {
	n       int
	wake    chan struct{}
	task    task
	chunks  int64
	next    atomic.Int64
	running sync.WaitGroup
}

func newWorkers(n int) *workers {
	w := &workers{n: n, wake: make(chan struct{}, n)}
	for id := 1; id < n; id++ {
		go func() {
			for range w.wake {
				w.drain(id)
				w.running.Done()
			}
		}()
	}
	return w
}

// run calls t.chunk for 0..n-1 and returns when all are done.
func (w *workers) run(n int, t task) {
	if n <= 0 {
		return
	}
	helpers := min(w.n, n) - 1
	if helpers <= 0 {
		for i := range n {
			t.chunk(0, i)
		}
		return
	}
	w.task, w.chunks = t, int64(n)
	w.next.Store(0)
	w.running.Add(helpers)
	for range helpers {
		w.wake <- struct{}{}
	}
	w.drain(0)
	w.running.Wait()
	w.task = nil
}

func (w *workers) drain(id int) {
	for {
		i := w.next.Add(1) - 1
		if i >= w.chunks {
			return
		}
		w.task.chunk(id, int(i))
	}
}

func (w *workers) close() { close(w.wake) }
