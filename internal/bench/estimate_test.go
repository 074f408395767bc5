package bench

import (
	"math"
	"testing"
	"time"

	"github.com/impasto/impasto/style"
)

func near(a, b float64) bool { return math.Abs(a-b) <= 1e-9*max(1, math.Abs(b)) }

func TestMedianAndRange(t *testing.T) {
	for _, c := range []struct {
		values []float64
		want   Range
	}{
		{nil, Range{}},
		{[]float64{7}, Range{7, 7, 7}},
		{[]float64{4, 1}, Range{1, 2.5, 4}},
		{[]float64{9, 1, 3}, Range{1, 3, 9}},
		{[]float64{8, 2, 4, 100}, Range{2, 6, 100}},
	} {
		if got := rangeOf(c.values); got != c.want {
			t.Errorf("%v: %+v, want %+v", c.values, got, c.want)
		}
	}
	if got := (Range{2, 4, 8}).inverse(3600); got != (Range{450, 900, 1800}) {
		t.Errorf("images an hour %+v", got)
	}
	if got := (Range{2, 4, 8}).Spread(); got != 1.5 {
		t.Errorf("spread %g", got)
	}
	if (Range{}).Spread() != 0 || (Range{}).inverse(1) != (Range{}) {
		t.Error("nothing measured has a spread")
	}
}

func steps(seconds ...float64) []step {
	var all []step
	for i, s := range seconds {
		all = append(all, step{Last: warmup + i + 1, Count: 1, Seconds: s})
	}
	return all
}

func TestEstimate(t *testing.T) {
	for _, c := range []struct {
		name            string
		spent           float64
		scales          []scaleTime
		whole, iterates float64
	}{
		// 5 of 100 iterations in 17 s: the 95 others at the median of 1, 2 and 9 s.
		{"median", 17, []scaleTime{{Planned: 100, Done: 5, Steps: steps(1, 9, 2)}}, 17 + 95*2, 100 * 2},
		// All were run: what was measured stands.
		{"all run", 11, []scaleTime{{Planned: 5, Done: 5, Steps: steps(2, 2, 2)}}, 11, 10},
		{"two scales", 25, []scaleTime{{Planned: 10, Done: 5, Steps: steps(1, 1, 1)}, {Planned: 20, Done: 5, Steps: steps(3, 3, 3)}},
			25 + 5*1 + 15*3, 10*1 + 20*3},
		// Ended early by itself after its warm-up: nothing to go by, nothing invented.
		{"nothing measured", 3, []scaleTime{{Planned: 10, Done: 2}}, 3, 0},
		// The iterations cannot have taken more than everything.
		{"noise", 5, []scaleTime{{Planned: 4, Done: 4, Steps: steps(2, 2)}}, 5, 5},
	} {
		whole, iterating := estimate(c.spent, c.scales)
		if !near(whole, c.whole) || !near(iterating, c.iterates) {
			t.Errorf("%s: %g and %g, want %g and %g", c.name, whole, iterating, c.whole, c.iterates)
		}
	}
}

// A run whose iterations take 1 s and 0.01 s for each pair in the history is
// put together from its first iterations as it would have gone.
func TestEstimateOfGrowingHistory(t *testing.T) {
	const planned, history, done, slope = 500, 100, 10, 0.01
	cost := func(i int) float64 { return 1 + slope*float64(min(i-1, history)) }
	s := scaleTime{Planned: planned, Done: done, Slope: slope, History: history}
	spent, want := 2.0, 2.0 // reading and writing
	for i := 1; i <= planned; i++ {
		want += cost(i)
		if i <= done {
			spent += cost(i)
		}
		if i > warmup && i <= done {
			s.Steps = append(s.Steps, step{Last: i, Count: 1, Seconds: cost(i)})
		}
	}
	if whole, _ := estimate(spent, []scaleTime{s}); !near(whole, want) {
		t.Errorf("%g s, want %g", whole, want)
	}
	s.Slope = 0
	if whole, _ := estimate(spent, []scaleTime{s}); whole > 0.8*want {
		t.Errorf("%g s without the slope: this test could not see it", whole)
	}
}

// Events that come for several iterations at once count with their mean, and
// those of the warm-up and of what lies between scales not at all.
func TestEvents(t *testing.T) {
	var p painting
	for _, e := range []struct {
		scale, iteration int
		seconds          float64
	}{{1, 1, 50}, {1, 2, 9}, {1, 4, 6}, {1, 5, 4}, {1, 5, 0.5}, {2, 1, 70}, {2, 3, 8}, {2, 7, 12}} {
		p.event(style.Event{Scale: e.scale, Iteration: e.iteration, Bytes: int64(10 * e.scale)}, e.seconds)
	}
	want := [][]step{{{4, 2, 3}, {5, 1, 4}}, {{7, 4, 3}}}
	for i, w := range want {
		if got := p.scales[i].Steps; len(got) != len(w) || got[0] != w[0] || got[len(w)-1] != w[len(w)-1] {
			t.Errorf("scale %d: %v, want %v", i+1, got, w)
		}
	}
	if p.done() != 12 || p.held != 20 {
		t.Errorf("%d iterations, %d bytes", p.done(), p.held)
	}
}

func TestOthers(t *testing.T) {
	before := processors{busy: 100, own: 10, count: 4}
	for _, c := range []struct {
		after processors
		want  float64
	}{
		{processors{busy: 120, own: 30, count: 4}, 0},   // all of it ours
		{processors{busy: 140, own: 30, count: 4}, 0.5}, // 20 s of 4 times 10
		{processors{busy: 110, own: 30, count: 4}, 0},   // ticks are coarse
		{processors{busy: 9000, own: 30, count: 4}, 1},  // never more than there is
		{processors{busy: 140, own: 30, count: 0}, 0},   // not known
	} {
		if got := c.after.others(before, 10*time.Second); !near(got, c.want) {
			t.Errorf("%+v: %g, want %g", c.after, got, c.want)
		}
	}
	if got := (processors{}).others(processors{}, time.Second); got != 0 {
		t.Errorf("%g where nothing is known", got)
	}
}
