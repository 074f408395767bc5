//go:build cuda && linux

package cu

import (
	"runtime"

	"github.com/impasto/impasto/cuda"
)

// graph is a recording that the driver has compiled.
type graph struct {
	driver *driver
	exec   executable
	closed bool
}

// Record returns what f queues as a graph.
func (d *driver) Record(f func() error) (cuda.Graph, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := d.call("record", false, func() error { return beginCapture(d.stream) }); err != nil {
		return nil, err
	}
	d.record = &recording{}
	err := f()
	broken := d.record.broken
	d.record = nil
	// The capture must always end, because otherwise the stream could not be used
	// again.
	g := &graph{driver: d}
	end := d.call("record", false, func() (err error) {
		g.exec, err = endCapture(d.stream)
		return err
	})
	for _, e := range []error{err, broken, end} {
		if e != nil {
			if end == nil {
				g.Close()
			}
			return nil, e
		}
	}
	d.calls.Records++
	return g, nil
}

func (g *graph) Launch() error {
	return g.driver.call("graph launch", false, func() error {
		if g.closed {
			return cuda.Errorf(cuda.InvalidValue, "graph launch", "graph was closed")
		}
		g.driver.calls.GraphLaunches++
		return g.exec.launch(g.driver.stream)
	})
}

// Close waits for launches of the graph that are still queued.
func (g *graph) Close() error {
	if g.closed || g.driver.lost != nil {
		return nil // closing the driver has freed it
	}
	return g.driver.call("close of a graph", false, func() error {
		g.closed = true
		g.driver.calls.GraphCloses++
		if err := g.driver.stream.Synchronize(); err != nil {
			return err
		}
		return g.exec.destroy()
	})
}
