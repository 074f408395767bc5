package cuda

import (
	"fmt"
	"io"
	"time"
)

// Debug wraps d so that every call is done before it returns, and is timed and
// written to w: one line with the call, its sizes, how long it took, and its
// error. Launches inside Record are kept, not run, and so not timed.
func Debug(d Driver, w io.Writer) Driver { return &debug{Driver: d, w: w, sizes: map[Ptr]int64{}} }

type debug struct {
	Driver
	w         io.Writer
	recording bool
	calls     Calls
	sizes     map[Ptr]int64 // of allocations
}

// Unwrap lets As find the powers of the driver behind.
func (d *debug) Unwrap() Driver { return d.Driver }

// Calls counts on any driver, also one that does not.
func (d *debug) Calls() Calls { return d.calls }

// do runs and reports one call. Queued calls are waited for, so that a fault is
// reported at the call that made it.
func (d *debug) do(queued bool, f func() error, format string, a ...any) error {
	start := time.Now()
	err := f()
	if err == nil && queued && !d.recording {
		err = d.Driver.Sync()
	}
	took := time.Since(start).Round(time.Microsecond).String()
	if d.recording {
		took = "recorded"
	}
	fmt.Fprintf(d.w, "%-9s %s", took, fmt.Sprintf(format, a...))
	if err != nil {
		fmt.Fprintf(d.w, ": %v", err)
	}
	fmt.Fprintln(d.w)
	return err
}

func (d *debug) Alloc(bytes int64) (p Ptr, err error) {
	err = d.do(false, func() error { p, err = d.Driver.Alloc(bytes); return err }, "alloc %d bytes", bytes)
	if err == nil {
		d.calls.Allocs++
		d.sizes[p] = bytes
		d.calls.Live += bytes
		d.calls.Peak = max(d.calls.Peak, d.calls.Live)
	}
	return p, err
}

func (d *debug) Free(p Ptr) error {
	err := d.do(false, func() error { return d.Driver.Free(p) }, "free %#x", uint64(p))
	if err == nil {
		d.calls.Frees++
		d.calls.Live -= d.sizes[p]
		delete(d.sizes, p)
	}
	return err
}

func (d *debug) Upload(dst Ptr, src []byte) error {
	d.calls.Uploads++
	d.calls.UploadBytes += int64(len(src))
	return d.do(false, func() error { return d.Driver.Upload(dst, src) }, "upload %d bytes to %#x", len(src), uint64(dst))
}

func (d *debug) Download(dst []byte, src Ptr) error {
	d.calls.Downloads++
	d.calls.DownloadBytes += int64(len(dst))
	return d.do(false, func() error { return d.Driver.Download(dst, src) }, "download %d bytes from %#x", len(dst), uint64(src))
}

func (d *debug) Copy(dst, src Ptr, bytes int64) error {
	d.calls.Copies++
	return d.do(true, func() error { return d.Driver.Copy(dst, src, bytes) }, "copy %d bytes from %#x to %#x", bytes, uint64(src), uint64(dst))
}

func (d *debug) Fill(dst Ptr, v uint32, words int64) error {
	d.calls.Fills++
	return d.do(true, func() error { return d.Driver.Fill(dst, v, words) }, "fill %d words at %#x with %#x", words, uint64(dst), v)
}

func (d *debug) Load(ptx string) (m Module, err error) {
	d.calls.Loads++
	err = d.do(false, func() error { m, err = d.Driver.Load(ptx); return err }, "load %d bytes of PTX", len(ptx))
	return m, err
}

func (d *debug) Launch(k Kernel, grid, block Dim3, shared int, args *Args) error {
	d.calls.Launches++
	return d.do(true, func() error { return d.Driver.Launch(k, grid, block, shared, args) },
		"launch %s grid %v block %v shared %d", k.Signature().Name, grid, block, shared)
}

func (d *debug) Record(f func() error) (g Graph, err error) {
	d.calls.Records++
	err = d.do(false, func() error {
		g, err = d.Driver.Record(func() error {
			d.recording = true
			defer func() { d.recording = false }()
			return f()
		})
		return err
	}, "record")
	if err != nil {
		return nil, err
	}
	return &debugGraph{Graph: g, d: d}, nil
}

func (d *debug) Sync() error {
	d.calls.Syncs++
	return d.do(false, d.Driver.Sync, "sync")
}

func (d *debug) Close() error { return d.do(false, d.Driver.Close, "close") }

type debugGraph struct {
	Graph
	d      *debug
	closed bool
}

func (g *debugGraph) Close() error {
	if !g.closed {
		g.closed = true
		g.d.calls.GraphCloses++
	}
	return g.Graph.Close()
}

func (g *debugGraph) Launch() error {
	g.d.calls.GraphLaunches++
	return g.d.do(true, g.Graph.Launch, "graph launch")
}
