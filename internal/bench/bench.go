// Package bench measures how fast this machine paints: whole images by preset
// (throughput.go), and whole iterations, their operations and patch matching
// against the machine's own measured peaks (work.go). It may import style, vgg,
// gpu, gpu/simd, internal/progress, internal/report
// and internal/sample.
package bench

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"time"

	"github.com/impasto/impasto/gpu"
	"github.com/impasto/impasto/vgg"
)

// Options say what to measure.
type Options struct {
	Sides      []int           // of the picture
	Works      []string        // of Kinds
	Threads    int             // 0: one per processor Go may use
	Precisions []gpu.Precision // none: Single. Several are measured in turn
	Budget     time.Duration   // for each work, beside its first run
	MinRuns    int
	OnProgress func(name string)
}

// Kinds are the possible values of Options.Works.
var Kinds = []string{"art", "draft", "matching", "convolution", "tiled", "operations"}

// Result is the measurement of one work.
type Result struct {
	Name    string  `json:"name"`
	Group   string  `json:"group"`
	Side    int     `json:"side"`
	Format  string  `json:"precision"` // of features: "f32" or "bf16"
	Runs    int     `json:"runs"`
	Min     float64 `json:"min_s"`
	Median  float64 `json:"median_s"`
	Spread  float64 `json:"spread"` // interquartile range over the median
	Flops   float64 `json:"flops"`  // of the direct form, per second, at the median
	OfPeak  float64 `json:"of_peak"`
	OfBus   float64 `json:"of_bandwidth"`      // of what must be moved
	Allocs  float64 `json:"allocated_bytes"`   // per run, after the first
	PeakRSS int64   `json:"peak_memory_bytes"` // 0 where several precisions were measured in turn
}

// Version is the version of the report's JSON form. It grows when a reader of the
// previous form would misread a report, but not when fields are added.
const Version = 1

// Report is a machine and its results; docs/bench.md describes each field.
type Report struct {
	Version int      `json:"version"`
	Machine Machine  `json:"machine"`
	Results []Result `json:"results"`
	Images  []Image  `json:"images,omitempty"`
}

// Run measures what o asks for, the cheapest kinds first. If ctx is cancelled, it
// ends after the current run and returns the results so far.
func Run(ctx context.Context, o Options) (*Report, error) {
	if o.Threads <= 0 {
		o.Threads = runtime.GOMAXPROCS(0)
	}
	r := &Report{Version: Version, Results: []Result{}}
	var err error
	if r.Machine, err = Measure(o.Threads); err != nil {
		return nil, err
	}
	if slices.Contains(o.Precisions, gpu.Half) {
		if err := r.Machine.measureHalf(); err != nil {
			return nil, err
		}
	}
	for _, kind := range o.Works {
		for _, side := range o.Sides {
			if ctx.Err() != nil {
				return r, ctx.Err()
			}
			if err := r.measure(ctx, kind, side, o); err != nil {
				return r, err
			}
		}
	}
	return r, nil
}

// measure measures the works of one kind at one side, each in all precisions in turn.
func (r *Report) measure(ctx context.Context, kind string, side int, o Options) error {
	resetPeak()
	var all [][]*Work // by work and precision
	for _, p := range o.precisions() {
		works, err := prepare(kind, side, o.Threads, p)
		if err != nil {
			return err
		}
		for i, w := range works {
			if len(all) == i {
				all = append(all, nil)
			}
			all[i] = append(all[i], w)
		}
	}
	for _, works := range all {
		if o.OnProgress != nil {
			o.OnProgress(works[0].String())
		}
		r.Results = append(r.Results, r.Machine.time(ctx, works, o)...)
		for _, w := range works {
			if w.Close != nil {
				w.Close()
			}
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}

// prepare prepares the works of one kind at one side, on a backend of their own.
func prepare(kind string, side, threads int, p gpu.Precision) ([]*Work, error) {
	b := gpu.NewCPU(gpu.CPUOptions{Threads: threads, Precision: p})
	if err := b.Err(); err != nil {
		return nil, err
	}
	works, err := worksOn(b, kind, side, threads)
	if err != nil {
		return nil, err
	}
	for _, w := range works {
		w.Format = format(b)
	}
	return works, nil
}

func worksOn(b *gpu.CPU, kind string, side, threads int) ([]*Work, error) {
	switch kind {
	case "matching":
		return []*Work{Matching(b, "relu3_1", side), Matching(b, "relu4_1", side)}, nil
	case "convolution":
		return []*Work{Convolution(b, "relu3_1", side), Convolution(b, "relu4_1", side)}, nil
	case "draft":
		n, err := vgg.Mini()
		if err != nil {
			return nil, err
		}
		w, err := Art(b, n, side)
		return []*Work{w}, err
	}
	n, err := vgg.Random(1, "relu5_1")
	if err != nil {
		return nil, err
	}
	switch kind {
	case "art":
		w, err := Art(b, n, side)
		return []*Work{w}, err
	case "tiled":
		return Tiled(n, side, threads, b.Precision()), nil
	case "operations":
		return Operations(b, n, side), nil
	}
	return nil, fmt.Errorf("unknown work %q", kind)
}

// time runs works once to warm up, then in turn until each has had its budget.
func (m *Machine) time(ctx context.Context, works []*Work, o Options) []Result {
	all, allocated := make([][]float64, len(works)), make([]float64, len(works))
	for _, w := range works {
		w.Run()
	}
	budget := time.Duration(len(works)) * o.Budget
	for start := time.Now(); len(all[0]) < max(1, o.MinRuns) || time.Since(start) < budget; {
		for i, w := range works {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			t := time.Now()
			w.Run()
			took := time.Since(t).Seconds()
			runtime.ReadMemStats(&after)
			all[i] = append(all[i], took)
			allocated[i] += float64(after.TotalAlloc - before.TotalAlloc)
		}
		if ctx.Err() != nil {
			break
		}
	}
	var results []Result
	for i, w := range works {
		r := m.result(w, all[i])
		r.Allocs = allocated[i] / float64(len(all[i]))
		if len(works) == 1 {
			r.PeakRSS = PeakRSS()
		}
		results = append(results, r)
	}
	return results
}

// result returns what the seconds of the runs of a work say.
func (m *Machine) result(w *Work, seconds []float64) Result {
	slices.Sort(seconds)
	quantile := func(q float64) float64 { return seconds[int(q*float64(len(seconds)-1)+0.5)] }
	r := Result{Name: w.Name, Group: w.Group, Side: w.Side, Format: w.Format, Runs: len(seconds), Min: seconds[0], Median: quantile(0.5)}
	r.Spread = (quantile(0.75) - quantile(0.25)) / r.Median
	r.Flops = w.Flop / r.Median
	r.OfPeak = r.Flops / m.peakOf(w.Format)
	r.OfBus = w.Bytes / r.Median / m.Bandwidth
	return r
}
