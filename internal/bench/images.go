package bench

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/impasto/impasto/internal/progress"
)

// busy is the share of the processors from which the use by other programs is
// reported.
const busy = 0.1

// enough is how many rounds a case needs before a difference counts as a change. At
// the same speed, the ranges of two times three rounds are disjoint by chance once
// in ten times, and those of two times five rounds once in 126 times.
const enough = 3

func (r *Report) writeImages(w io.Writer) error {
	fmt.Fprintf(w, "images painted on %s, weights %s\n\n", r.Machine.device(), orNone(r.Machine.Weights))
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "image\tpixels\titerations\trun\trounds\tseconds\tfrom\tto\tcpu s\tit/s\timages/h\tplanned\tpeak\t")
	for _, x := range r.Images {
		fmt.Fprintf(t, "%s\t%s\t%d\t%d\t%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t\n", x.label(), x.size(), x.Iterations, x.Measured, len(x.Rounds),
			digits(x.Seconds.Median), digits(x.Seconds.Min), digits(x.Seconds.Max), digits(x.Processor), digits(x.PerSecond), digits(x.PerHour),
			progress.Bytes(x.Planned), progress.Bytes(x.PeakRSS))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, n := range r.notes() {
		if _, err := fmt.Fprintln(w, "\n"+n); err != nil {
			return err
		}
	}
	return nil
}

// notes returns what a reader must know in addition to the figures.
func (r *Report) notes() []string {
	var all []string
	if i := slices.IndexFunc(r.Images, func(x Image) bool { return x.Extrapolated }); i >= 0 {
		x := r.Images[i]
		all = append(all, fmt.Sprintf("Extrapolated: %s of %s did not run all iterations (%d of %d for %s). The rest is put at the measured "+
			"iteration's time, for L-BFGS with the cost of a full history; --full runs them all.",
			count(extrapolated(r.Images), "image"), fmt.Sprint(len(r.Images)), x.Measured, x.Iterations, x.Name))
	}
	if others := r.others(); others > busy {
		all = append(all, fmt.Sprintf("Busy machine: other programs took %.0f %% of its processors meanwhile. The figures are not for quoting.", others*100))
	}
	return all
}

func extrapolated(all []Image) int {
	n := 0
	for _, x := range all {
		if x.Extrapolated {
			n++
		}
	}
	return n
}

// others returns the largest share of the processors that other programs used.
func (r *Report) others() float64 {
	most := 0.0
	for _, x := range r.Images {
		most = max(most, x.Others)
	}
	return most
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// digits writes a number with three significant digits, but at least its whole
// part.
func digits(v float64) string {
	switch {
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	case v >= 1:
		return fmt.Sprintf("%.2f", v)
	}
	return fmt.Sprintf("%.3g", v)
}

// ImageChange compares an image with an earlier one of the same work.
type ImageChange struct {
	Old, New Image
	Ratio    Range // old seconds over new: above 1 is faster; from the least to the most that the rounds allow
	Clear    bool  // enough rounds with disjoint ranges, on a machine that did nothing else
}

// CompareImages pairs the images that both reports have, in the order of r.
func (r *Report) CompareImages(old *Report) []ImageChange {
	var all []ImageChange
	for _, x := range r.Images {
		i := slices.IndexFunc(old.Images, func(y Image) bool { return y.key() == x.key() })
		if i < 0 {
			continue
		}
		all = append(all, newImageChange(old.Images[i], x))
	}
	return all
}

func newImageChange(y, x Image) ImageChange {
	c := ImageChange{Old: y, New: x, Ratio: Range{
		Min: y.Seconds.Min / x.Seconds.Max, Median: y.Seconds.Median / x.Seconds.Median, Max: y.Seconds.Max / x.Seconds.Min}}
	c.Clear = c.apart() && min(len(x.Rounds), len(y.Rounds)) >= enough && !c.busy()
	return c
}

// apart reports whether all rounds of one are faster than all rounds of the other.
func (c ImageChange) apart() bool { return c.Ratio.Min > 1 || c.Ratio.Max < 1 }

// busy reports whether other programs used too much of the processors in either.
func (c ImageChange) busy() bool { return max(c.Old.Others, c.New.Others) > busy }

// verdict describes a change in words.
func (c ImageChange) verdict() string {
	switch {
	case min(len(c.Old.Rounds), len(c.New.Rounds)) < enough:
		return fmt.Sprintf("fewer than %d rounds", enough)
	case !c.apart():
		return "within the spread"
	case c.busy():
		return "busy machine"
	case c.Ratio.Median < 1:
		return "slower"
	}
	return "faster"
}

// WriteImageChanges prints a comparison as a table, and the reasons why it may not
// compare only the programs.
func (r *Report) WriteImageChanges(w io.Writer, old *Report) error {
	if err := writeImageChanges(w, r.CompareImages(old), "old", "new"); err != nil {
		return err
	}
	for _, d := range differences(old.Machine, r.Machine) {
		if _, err := fmt.Fprintln(w, d); err != nil {
			return err
		}
	}
	return nil
}

func writeImageChanges(w io.Writer, all []ImageChange, old, now string) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(t, "image\tpixels\t%s s\t%s s\tspeed\tfrom\tto\t\t\n", old, now)
	for _, c := range all {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%.2fx\t%.2fx\t%.2fx\t%s\t\n", c.New.label(), c.New.size(), digits(c.Old.Seconds.Median), digits(c.New.Seconds.Median),
			c.Ratio.Median, c.Ratio.Min, c.Ratio.Max, c.verdict())
	}
	return t.Flush()
}

// differences lists the facts in which two machines differ, other than the program.
func differences(a, b Machine) []string {
	var all []string
	add := func(what string, x, y any) {
		if x != y {
			all = append(all, fmt.Sprintf("not the same %s: %v, then %v", what, orNone(x), orNone(y)))
		}
	}
	add("processor", a.Processor, b.Processor)
	add("number of threads", a.Threads, b.Threads)
	add("kernels", a.Kernels, b.Kernels)
	add("device", a.device(), b.device())
	add("weights", a.Weights, b.Weights)
	return all
}

func orNone(v any) any {
	if v == "" {
		return "unknown"
	}
	return v
}

// device names the device that images were painted on.
func (m Machine) device() string {
	if m.Device == nil {
		return "cpu"
	}
	return strings.TrimSpace(m.Device.Name + " " + m.Device.Model)
}
