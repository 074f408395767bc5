package bench

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"text/tabwriter"
)

// Write prints a report as tables.
func (r *Report) Write(w io.Writer) error {
	m := r.Machine
	name := cmp.Or(m.Processor, m.OS+"/"+m.Arch)
	half := ""
	if m.HalfPeak > 0 {
		half = fmt.Sprintf(", in bfloat16 by %s %.0f GFLOP/s", m.HalfKernels, m.HalfPeak/1e9)
	}
	fmt.Fprintf(w, "%s, %d threads, %s kernels: peak %.0f GFLOP/s%s, memory %.1f GB/s\n", name, m.Threads, m.Kernels, m.Peak/1e9, half, m.Bandwidth/1e9)
	if len(r.Images) > 0 {
		if err := r.writeImages(w); err != nil {
			return err
		}
	}
	if len(r.Results) == 0 {
		return nil
	}
	fmt.Fprintln(w)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "work\tpx\truns\tmin ms\tmedian ms\tspread\tGFLOP/s\tof peak\tof memory\tallocated\tpeak MB\t")
	for _, x := range r.Results {
		fmt.Fprintf(t, "%s\t%d\t%d\t%.2f\t%.2f\t%.0f%%\t%s\t%s\t%s\t%.0f\t%s\t\n", x.label(), x.Side, x.Runs, x.Min*1e3, x.Median*1e3, x.Spread*100,
			orDash("%.0f", x.Flops/1e9), orDash("%.0f%%", x.OfPeak*100), orDash("%.0f%%", x.OfBus*100), x.Allocs, orDash("%.0f", float64(x.PeakRSS>>20)))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintln(w, "\nGFLOP/s counts the direct form; Winograd and shifted diagonals do with fewer, so the share of the peak may pass 100%.")
	return err
}

func orDash(format string, v float64) string {
	if v == 0 {
		return "-"
	}
	return fmt.Sprintf(format, v)
}

// Load reads a report that was written as JSON.
func Load(path string) (*Report, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var r Report
	if err := json.Unmarshal(bytes.TrimPrefix(b, []byte("\ufeff")), &r); err != nil {
		return nil, fmt.Errorf("%q is no report of impasto bench: %w", path, err)
	}
	if r.Version > Version { // early reports have no version
		return nil, fmt.Errorf("%q is a report of version %d, this program reads up to %d", path, r.Version, Version)
	}
	if len(r.Results)+len(r.Images) == 0 {
		return nil, fmt.Errorf("%q is no report of impasto bench: it has no results", path)
	}
	for _, x := range r.Images {
		if s := x.Seconds; !(s.Min > 0 && s.Min <= s.Median && s.Median <= s.Max) {
			return nil, fmt.Errorf("%q is no report of impasto bench: the seconds of %q are %g, %g, %g", path, x.Name, s.Min, s.Median, s.Max)
		}
	}
	r.addFormats()
	return &r, nil
}

// Change compares a result with an earlier one.
type Change struct {
	Old, New Result
	Ratio    float64 // old median over new: above 1 is faster
	Clear    bool    // larger than both spreads
}

// Compare pairs the results that both reports have, in the order of r.
func (r *Report) Compare(old *Report) []Change {
	var all []Change
	for _, x := range r.Results {
		i := slices.IndexFunc(old.Results, func(y Result) bool { return y.Name == x.Name && y.Side == x.Side && y.Format == x.Format })
		if i < 0 || x.Median <= 0 {
			continue
		}
		all = append(all, newChange(old.Results[i], x))
	}
	return all
}

func newChange(old, now Result) Change {
	c := Change{Old: old, New: now, Ratio: old.Median / now.Median}
	c.Clear = max(c.Ratio, 1/c.Ratio) > 1+max(now.Spread, old.Spread)
	return c
}

// WriteChanges prints a comparison as a table.
func WriteChanges(w io.Writer, all []Change) error { return writeChanges(w, all, "old", "new") }

// writeChanges is WriteChanges with the names of what is compared.
func writeChanges(w io.Writer, all []Change, old, now string) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(t, "work\tpx\t%s ms\t%s ms\tspeed\t\t\n", old, now)
	for _, c := range all {
		fmt.Fprintf(t, "%s\t%d\t%.2f\t%.2f\t%.2fx\t%s\t\n", c.New.label(), c.New.Side, c.Old.Median*1e3, c.New.Median*1e3, c.Ratio, c.verdict())
	}
	return t.Flush()
}

func (c Change) verdict() string {
	switch {
	case !c.Clear:
		return "within the spread"
	case c.Ratio < 1:
		return "slower"
	}
	return "faster"
}
