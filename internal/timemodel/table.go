package timemodel

import (
	"fmt"
	"io"
	"slices"
)

// Limit is how many times its floor the model may give a kernel, and an iteration.
const Limit = 1.5

// least is the share of an iteration's time below which a kernel is not held to
// the limit: it then runs for microseconds, which starting it takes too.
const least = 0.02

// exceptions are kernels that may pass the limit, and why.
var exceptions = map[string]string{
	"gram_partial":        "few blocks where the layer has few channels, since the pixels are split in 32 ranges whatever the device; each thread has 8x4 sums, so shared memory and instructions decide where floats have 128 lanes",
	"style_grad":          "each thread has 8x4 sums, so shared memory decides where floats have 128 lanes",
	"conv_first_bwd":      "3 of 4 lanes wait while a channel's gradient is gathered from shared memory",
	"conv_first_fwd_half": "27 products for each value it writes, on the lanes of floats: instructions decide where memory is fast",
	"gram_half_partial":   "few blocks where the layer has few channels, as gram_partial",
	"lbfgs_dots":          "its sums are float64, for which a T4 has a 32nd of the lanes and a GeForce a 64th",
}

// limits are higher than Limit for kernels that match patches, where these units of
// these devices decide, and why.
var limits = []struct {
	kernel, unit string
	capability   int // of the device, at least
	times        float64
	why          string
}{
	{"ncc_match3", "shared", 75, 3, "each thread has 8x4 sums, so shared memory decides where floats have 128 lanes"},
	{"ncc_match3", "fma", 75, 1.7, "a warp has 32x32 sums: of 128 columns, whose 126 patches take three strips, it computes 160"},
}

// limit is how many times its floor a kernel may take on m where a unit decides.
func limit(kernel, unit string, m Machine) float64 {
	for _, l := range limits {
		if l.kernel == kernel && l.unit == unit && m.Capability >= l.capability {
			return l.times
		}
	}
	return Limit
}

// Check returns a line for each kernel, and for the iteration, that the model
// finds slower than the limit on m. An iteration is held to the limit of the kernel
// that takes the most of it, where that has one of its own.
func (it *Iteration) Check(m Machine) (bad []string) {
	rows, total := it.Rows(m)
	most := limit(rows[0].Kernel, rows[0].Unit, m)
	for i, r := range append(rows, total) {
		allowed := most
		if i < len(rows) {
			allowed = limit(r.Kernel, r.Unit, m)
		}
		if r.Time < least*total.Time || r.Time <= allowed*r.Floor || exceptions[r.Kernel] != "" {
			continue
		}
		bad = append(bad, fmt.Sprintf("%s on %s: %.3f ms by the model (%s), %.2f times its floor, at most %g allowed", r.Kernel, m.Name, 1e3*r.Time, r.Unit, r.Time/r.Floor, allowed))
	}
	return bad
}

// Table writes, in Markdown, what the kernels of an iteration take on machines:
// milliseconds, the factor over the floor, and the unit that decides. Kernels
// below the share that is checked on all machines are added up.
func (it *Iteration) Table(w io.Writer, machines []Machine) {
	fmt.Fprint(w, "| kernel | launches |")
	for _, m := range machines {
		fmt.Fprintf(w, " %s |", m.Name)
	}
	fmt.Fprint(w, "\n| --- | ---: |")
	for range machines {
		fmt.Fprint(w, " --- |")
	}
	fmt.Fprintln(w)
	all, totals := make([]map[string]Row, len(machines)), make([]Row, len(machines))
	var order []string
	for i, m := range machines {
		rows, total := it.Rows(m)
		all[i], totals[i] = map[string]Row{}, total
		for _, r := range rows {
			all[i][r.Kernel] = r
			if r.Time >= least/2*total.Time && !slices.Contains(order, r.Kernel) {
				order = append(order, r.Kernel)
			}
		}
	}
	cell := func(r Row) string {
		text := fmt.Sprintf(" %.2f ms, %.2fx", 1e3*r.Time, r.Time/r.Floor)
		if r.Unit != "" {
			text += ", " + r.Unit
		}
		return text + " |"
	}
	rest := make([]Row, len(machines))
	copy(rest, totals)
	for _, k := range order {
		fmt.Fprintf(w, "| %s | %d |", k, all[0][k].Launches)
		for i := range machines {
			r := all[i][k]
			rest[i].Launches, rest[i].Time, rest[i].Floor = rest[i].Launches-r.Launches, rest[i].Time-r.Time, rest[i].Floor-r.Floor
			fmt.Fprint(w, cell(r))
		}
		fmt.Fprintln(w)
	}
	for _, last := range []struct {
		name string
		rows []Row
	}{{"all others, fills and copies", rest}, {"**" + totals[0].Kernel + "**", totals}} {
		if last.rows[0].Launches == 0 {
			continue
		}
		fmt.Fprintf(w, "| %s | %d |", last.name, last.rows[0].Launches)
		for _, r := range last.rows {
			fmt.Fprint(w, cell(r))
		}
		fmt.Fprintln(w)
	}
}
