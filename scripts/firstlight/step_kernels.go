package main

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/impasto/impasto/cuda"
	"github.com/impasto/impasto/gpu"
	"github.com/impasto/impasto/internal/bench"
	"github.com/impasto/impasto/internal/selftest"
	"github.com/impasto/impasto/internal/timemodel"
)

// kernelsAgainstProcessor is what the doctor does with a device, in each precision.
func kernelsAgainstProcessor(c *child) error {
	for _, o := range convForms() {
		driver, err := openDriver(0)
		if err != nil {
			return err
		}
		start := time.Now()
		for _, f := range selftest.WithOptions("cuda:0", driver, o) {
			c.find(result{What: formName(o) + " " + f.What, Bad: f.State == selftest.Problem, Text: f.Text, Head: f.What == "self-test"})
		}
		c.find(result{What: formName(o), Text: "loading the kernels and comparing them", Values: map[string]float64{"s": time.Since(start).Seconds()}})
	}
	return nil
}

// iterations times an iteration of art and sets it beside the floor.
func iterations(c *child) error {
	sides := []int{512, 1024}
	if c.toy {
		sides = []int{32}
	}
	for _, side := range sides {
		for _, o := range convForms() {
			err := c.withArt(side, o, func(b *gpu.Device, log *timemodel.Recorder, work *bench.Work) error {
				return c.iteration(side, o, b, log, work)
			})
			if err != nil {
				c.find(result{What: fmt.Sprintf("art %d px %s", side, formName(o)), Bad: true, Text: err.Error()})
			}
		}
	}
	return nil
}

func (c *child) iteration(side int, o gpu.DeviceOptions, b *gpu.Device, log *timemodel.Recorder, work *bench.Work) error {
	m := timemodel.Like(log.Info())
	floor := float64(log.Filled+log.Copied) / m.DRAM
	for _, l := range log.Launches {
		floor += m.Floor(l.Work())
	}
	times := c.repeat(work.Run, 10*time.Second)
	if err := b.Err(); err != nil {
		return err
	}
	ms, meter := 1e3*middle(times), peakBytes(log)
	c.find(result{What: fmt.Sprintf("art %d px %s", side, formName(o)), Head: true,
		Text: fmt.Sprintf("an iteration with Adam, %d kernels; floor of %s", len(log.Launches), m.Name),
		Values: map[string]float64{"ms": ms, "fastest ms": 1e3 * slices.Min(times), "floor ms": 1e3 * floor, "floors x": ms / (1e3 * floor),
			"tflops": work.Flop / middle(times) / 1e12, "device gb": meter / 1e9, "runs": float64(len(times))}})
	return nil
}

func peakBytes(d cuda.Driver) float64 {
	meter, ok := cuda.As[cuda.Meter](d)
	if !ok {
		return 0
	}
	return float64(meter.Calls().Peak)
}

// repeat times f until enough is known: at most so long, at least three times.
func (c *child) repeat(f func(), limit time.Duration) (seconds []float64) {
	most := 200
	if c.toy {
		most = 3
	}
	f() // the first run compiles and finds clocks at rest
	for start := time.Now(); len(seconds) < 3 || len(seconds) < most && time.Since(start) < limit/4; {
		from := time.Now()
		f()
		seconds = append(seconds, time.Since(from).Seconds())
	}
	return seconds
}

// middle is the median.
func middle(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	if len(v) == 0 {
		return math.NaN()
	}
	return v[len(v)/2]
}

// kernelTimes launches each kernel of an iteration again and again, with the
// arguments that it has there, and sets its time beside its floor.
func kernelTimes(c *child) error {
	side := 1024
	if c.toy {
		side = 32
	}
	for _, o := range convForms() {
		err := c.withArt(side, o, func(_ *gpu.Device, log *timemodel.Recorder, _ *bench.Work) error {
			return c.kernelTimes(side, o, log)
		})
		if err != nil {
			c.find(result{What: formName(o), Bad: true, Text: err.Error()})
		}
	}
	return nil
}

func (c *child) kernelTimes(side int, o gpu.DeviceOptions, log *timemodel.Recorder) (err error) {
	type row struct{ time, floor, launches float64 }
	m, rows, known := timemodel.Like(log.Info()), map[string]*row{}, map[string]float64{}
	for _, l := range slices.Clone(log.Launches) {
		key := l.Key()
		if _, ok := known[key]; !ok {
			if known[key], err = c.again(log.Driver, l); err != nil {
				return fmt.Errorf("%s: %w", l.Kernel, err)
			}
		}
		if rows[l.Kernel] == nil {
			rows[l.Kernel] = &row{}
		}
		r := rows[l.Kernel]
		r.time, r.floor, r.launches = r.time+known[key], r.floor+m.Floor(l.Work()), r.launches+1
	}
	total := row{}
	for _, r := range rows {
		total.time, total.floor, total.launches = total.time+r.time, total.floor+r.floor, total.launches+r.launches
	}
	names := slices.SortedFunc(maps.Keys(rows), func(a, b string) int { return cmp.Compare(rows[b].time, rows[a].time) })
	for i, name := range names {
		r := rows[name]
		values := map[string]float64{"ms": 1e3 * r.time, "share x": r.time / total.time, "launches": r.launches}
		if r.floor > 0 { // the model knows what the kernel has to do
			values["floor ms"], values["floors x"] = 1e3*r.floor, r.time/r.floor
		}
		c.find(result{What: fmt.Sprintf("%s %s", formName(o), name), Head: i < 3 && o.Stages == 0, Values: values})
	}
	c.find(result{What: fmt.Sprintf("%s, all kernels of art %d px", formName(o), side),
		Values: map[string]float64{"ms": 1e3 * total.time, "floor ms": 1e3 * total.floor, "floors x": total.time / total.floor, "launches": total.launches}})
	return nil
}

// again is the seconds that a launch takes: a graph of many, so that the host
// does not slow them down, over their number.
func (c *child) again(d cuda.Driver, l *timemodel.Launch) (float64, error) {
	many := 20
	if c.toy {
		many = 1
	}
	g, err := d.Record(func() error {
		for range many {
			if err := d.Launch(l.K, l.Grid, l.Block, l.Shared, l.Args); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	defer g.Close()
	var times []float64
	for range 3 {
		if err := d.Sync(); err != nil {
			return 0, err
		}
		start := time.Now()
		if err := g.Launch(); err != nil {
			return 0, err
		}
		if err := d.Sync(); err != nil {
			return 0, err
		}
		times = append(times, time.Since(start).Seconds()/float64(many))
		if c.toy {
			break
		}
	}
	return slices.Min(times), nil
}
