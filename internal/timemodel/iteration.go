package timemodel

import (
	"fmt"
	"slices"

	"github.com/impasto/impasto/gpu"
	"github.com/impasto/impasto/internal/bench"
	"github.com/impasto/impasto/vgg"
)

// Iteration is the launches of one iteration.
type Iteration struct {
	Name     string
	Side     int
	Launches []*Launch
	Moved    float64 // bytes that are filled and copied beside the kernels
}

// Art counts an iteration of art with VGG19 on a square picture, as bench.Art
// has it but with a step of L-BFGS, the optimiser that is used by default.
func Art(capability, side int, p gpu.Precision) (*Iteration, error) {
	network, err := vgg.Random(1, "relu5_1")
	if err != nil {
		return nil, err
	}
	s := NewSampler(capability, 4) // one is much like another
	b := gpu.NewDevice(s, gpu.DeviceOptions{Name: "sampler", Precision: p})
	defer b.Close()
	work, err := bench.Art(b, network, side)
	if err != nil {
		return nil, err
	}
	it := &Iteration{Name: work.Name + " " + p.String(), Side: side, Moved: float64(s.Filled + s.Copied)}
	adam := []string{"image_sums", "adam_judge", "adam_move"}
	it.Launches = slices.DeleteFunc(slices.Clone(s.Launches), func(l *Launch) bool { return slices.Contains(adam, l.Kernel) })
	image := gpu.Shape{H: side, W: side, C: 3}
	x, g := b.NewArray(image), b.NewArray(image)
	lbfgs := b.NewLBFGS(image, gpu.LBFGSOptions{LineSearch: true, History: history})
	b.Record(func() { lbfgs.Step(x, g) })
	it.Launches = append(it.Launches, s.Launches...)
	return it, b.Err()
}

// Matching counts the search for the most similar patches at a layer, on a
// canvas and in a painting of the same size.
func Matching(capability int, layer string, side int, p gpu.Precision) (*Iteration, error) {
	s := NewSampler(capability, 24) // diagonals have all lengths
	b := gpu.NewDevice(s, gpu.DeviceOptions{Name: "sampler", Precision: p})
	defer b.Close()
	work := bench.Matching(b, layer, side)
	b.Record(work.Run)
	return &Iteration{Name: work.Name + " " + p.String(), Side: side, Launches: s.Launches, Moved: float64(s.Filled + s.Copied)}, b.Err()
}

// Row is what a kernel takes in all its launches of an iteration on a machine,
// in seconds.
type Row struct {
	Kernel      string
	Launches    int
	Time, Floor float64
	Unit        string // what decides the time of its longest launch
}

// Rows adds the launches up by kernel, the longest first. The second result is
// the whole iteration, what is filled and copied included.
func (it *Iteration) Rows(m Machine) (rows []Row, total Row) {
	at, longest := map[string]int{}, map[string]float64{}
	for _, l := range it.Launches {
		i, ok := at[l.Kernel]
		if !ok {
			i = len(rows)
			at[l.Kernel], rows = i, append(rows, Row{Kernel: l.Kernel})
		}
		t, unit := m.Times(l).Longest()
		r := &rows[i]
		r.Launches++
		r.Time += t
		r.Floor += m.Floor(l.Work())
		if t > longest[l.Kernel] {
			longest[l.Kernel], r.Unit = t, unit
		}
	}
	slices.SortStableFunc(rows, func(a, b Row) int { return int(1e9 * (b.Time - a.Time)) })
	moved := it.Moved / m.DRAM
	total = Row{Kernel: fmt.Sprintf("%s %d px", it.Name, it.Side), Time: moved, Floor: moved}
	for _, r := range rows {
		total.Launches, total.Time, total.Floor = total.Launches+r.Launches, total.Time+r.Time, total.Floor+r.Floor
	}
	return rows, total
}
