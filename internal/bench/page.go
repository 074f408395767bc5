package bench

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/impasto/impasto/internal/progress"
	"github.com/impasto/impasto/internal/report"
)

// Named is a report with its name on a page: a file or a machine.
type Named struct {
	Name string
	*Report
}

// Page writes one HTML page that shows reports beside each other. All others are
// compared with the first.
func Page(w io.Writer, all []Named, program string) error {
	d := report.Document{Title: "How fast Impasto paints", Program: program}
	var names []string
	for _, r := range all {
		names = append(names, r.Name)
	}
	d.Lead = strings.Join(names, " · ")
	add := func(s *report.Section) {
		if s != nil {
			d.Sections = append(d.Sections, *s)
		}
	}
	works := imageWorks(all)
	if len(works) > 0 {
		s := imageBars(all, works, "Images an hour", "images an hour, one after another in one process; whiskers: all rounds",
			func(x Image) report.Bar { return rangeBar(x.Seconds.inverse(3600), 3600, x.Rounds) })
		for _, r := range all {
			for _, n := range r.notes() {
				s.Notes = append(s.Notes, prefixed(all, r.Name, n))
			}
		}
		add(s)
		add(imageBars(all, works, "Seconds an image", "seconds an image, reading and writing included; whiskers: all rounds",
			func(x Image) report.Bar { return rangeBar(x.Seconds, 0, x.Rounds) }))
		add(imageBars(all, works, "Iterations a second", "evaluations of losses and gradient a second",
			func(x Image) report.Bar { return report.Bar{Value: x.PerSecond, Text: digits(x.PerSecond)} }))
		add(memoryBars(all, works))
		add(imageTable(all))
		add(contents(works))
	}
	for _, r := range all[min(1, len(all)):] {
		add(changes(all[0], r))
		add(workChanges(all[0], r))
	}
	for _, r := range all {
		add(workTable(all, r))
	}
	add(machines(all))
	return report.WriteDocument(w, d)
}

// prefixed adds the name of its report to a note, if there are several reports.
func prefixed(all []Named, name, note string) string {
	if len(all) == 1 {
		return note
	}
	return name + ": " + note
}

// imageWorks returns the works of all reports, one image for each.
func imageWorks(all []Named) []Image {
	var works []Image
	for _, r := range all {
		for _, x := range r.Images {
			if !slices.ContainsFunc(works, func(y Image) bool { return x.key() == y.key() }) {
				works = append(works, x)
			}
		}
	}
	return works
}

// imageBars draws one value of each image, with a colour for each report.
func imageBars(all []Named, works []Image, title, label string, bar func(Image) report.Bar) *report.Section {
	chart := &report.Bars{Label: label}
	for _, r := range all {
		chart.Series = append(chart.Series, r.Name)
	}
	for _, work := range works {
		g := report.BarGroup{Name: work.label() + ", " + work.size()}
		for i, r := range all {
			for _, x := range r.Images {
				if x.key() == work.key() {
					v := bar(x)
					v.Series = i
					g.Bars = append(g.Bars, v)
				}
			}
		}
		chart.Groups = append(chart.Groups, g)
	}
	return &report.Section{Title: title, Bars: chart}
}

// rangeBar returns a bar of a range with the rounds as dots. If over > 0, it
// converts the seconds of the rounds to over/seconds, as in the range.
func rangeBar(r Range, over float64, rounds []float64) report.Bar {
	v := report.Bar{Value: r.Median, Text: digits(r.Median)}
	if len(rounds) < 2 {
		return v
	}
	v.Min, v.Max = r.Min, r.Max
	for _, x := range rounds {
		if over > 0 && x > 0 {
			x = over / x
		}
		if x >= r.Min && x <= r.Max {
			v.Points = append(v.Points, x)
		}
	}
	return v
}

// memoryBars draws the planned memory and the largest memory that was used.
func memoryBars(all []Named, works []Image) *report.Section {
	chart := &report.Bars{Label: "GB: planned, and the most the process held, with the weights of all presets, in the iterations that were run"}
	for _, r := range all {
		chart.Series = append(chart.Series, prefixed(all, r.Name, "planned"), prefixed(all, r.Name, "held at most"))
	}
	for _, work := range works {
		g := report.BarGroup{Name: work.label() + ", " + work.size()}
		for i, r := range all {
			for _, x := range r.Images {
				if x.key() != work.key() {
					continue
				}
				for j, n := range []int64{x.Planned, x.PeakRSS} {
					g.Bars = append(g.Bars, report.Bar{Series: 2*i + j, Value: float64(n) / 1e9, Text: progress.Bytes(n)})
				}
			}
		}
		chart.Groups = append(chart.Groups, g)
	}
	return &report.Section{Title: "Memory", Bars: chart}
}

func imageTable(all []Named) *report.Section {
	t := &report.Table{Head: []string{"image", "pixels", "iterations", "run", "rounds", "seconds", "from", "to", "spread", "cpu s", "iteration ms", "overhead s",
		"it/s", "images/h", "planned", "held", "others"}}
	for _, r := range all {
		for _, x := range r.Images {
			t.Rows = append(t.Rows, []string{prefixed(all, r.Name, x.label()), x.size(), fmt.Sprint(x.Iterations), fmt.Sprint(x.Measured), fmt.Sprint(len(x.Rounds)),
				digits(x.Seconds.Median), digits(x.Seconds.Min), digits(x.Seconds.Max), fmt.Sprintf("%.0f %%", 100*x.Seconds.Spread()),
				digits(x.Processor), digits(1e3 * x.Iteration.Median), digits(x.Overhead), digits(x.PerSecond), digits(x.PerHour),
				progress.Bytes(x.Planned), progress.Bytes(x.PeakRSS), fmt.Sprintf("%.0f %%", 100*x.Others)})
		}
	}
	return &report.Section{Title: "Images", Table: t}
}

// contents describes each image.
func contents(works []Image) *report.Section {
	t := &report.Table{Head: []string{"image", "mode", "scales and their iterations", "history", "layers"}}
	for _, x := range works {
		var scales []string
		for _, s := range x.Scales {
			scales = append(scales, fmt.Sprintf("%dx%d: %d", s.W, s.H, s.Iterations))
		}
		t.Rows = append(t.Rows, []string{x.label(), string(x.Mode), strings.Join(scales, ", "), orDash("%.0f", float64(x.History)), x.Layers})
	}
	return &report.Section{Title: "What was painted", Table: t}
}

// changes compares the images of r with those of old.
func changes(old, r Named) *report.Section {
	all := r.CompareImages(old.Report)
	if len(all) == 0 {
		return nil
	}
	s := &report.Section{Title: r.Name + " against " + old.Name, Notes: differences(old.Machine, r.Machine)}
	s.Notes = append([]string{"Speed is old seconds over new: right of 1 is faster. A change counts only where the ranges of all rounds lie apart, on machines that did nothing else."}, s.Notes...)
	s.Bars = &report.Bars{Ratio: true, Label: "speed against " + old.Name + "; whiskers: the least and the most that the rounds allow"}
	s.Table = &report.Table{Head: []string{"image", "pixels", "old s", "new s", "speed", "from", "to", ""}}
	for _, c := range all {
		colour := 5
		if c.Clear {
			colour = 0
			if c.Ratio.Median < 1 {
				colour = 1
			}
		}
		s.Bars.Groups = append(s.Bars.Groups, report.BarGroup{Name: c.New.label() + ", " + c.New.size(), Bars: []report.Bar{{
			Series: colour, Value: c.Ratio.Median, Min: c.Ratio.Min, Max: c.Ratio.Max, Text: fmt.Sprintf("%.2fx, %s", c.Ratio.Median, c.verdict())}}})
		s.Table.Rows = append(s.Table.Rows, []string{c.New.label(), c.New.size(), digits(c.Old.Seconds.Median), digits(c.New.Seconds.Median),
			fmt.Sprintf("%.2fx", c.Ratio.Median), fmt.Sprintf("%.2fx", c.Ratio.Min), fmt.Sprintf("%.2fx", c.Ratio.Max), c.verdict()})
	}
	return s
}

// workChanges compares single works.
func workChanges(old, r Named) *report.Section {
	all := r.Compare(old.Report)
	if len(all) == 0 {
		return nil
	}
	t := &report.Table{Head: []string{"work", "pixels", "old ms", "new ms", "speed", ""}}
	for _, c := range all {
		t.Rows = append(t.Rows, []string{c.New.label(), fmt.Sprint(c.New.Side), digits(1e3 * c.Old.Median), digits(1e3 * c.New.Median), fmt.Sprintf("%.2fx", c.Ratio), c.verdict()})
	}
	return &report.Section{Title: "Works: " + r.Name + " against " + old.Name, Table: t}
}

// workTable lists the single works of a report, with their shares of the peaks as
// bars.
func workTable(all []Named, r Named) *report.Section {
	if len(r.Results) == 0 {
		return nil
	}
	s := &report.Section{Title: prefixed(all, r.Name, "works"), Bars: &report.Bars{Label: "GFLOP/s of the direct form"},
		Table: &report.Table{Head: []string{"work", "pixels", "runs", "min ms", "median ms", "spread", "GFLOP/s", "of peak", "of memory", "peak"}}}
	for _, x := range r.Results {
		s.Bars.Groups = append(s.Bars.Groups, report.BarGroup{Name: fmt.Sprintf("%s, %d px", x.label(), x.Side),
			Bars: []report.Bar{{Value: x.Flops / 1e9, Text: fmt.Sprintf("%.0f", x.Flops/1e9)}}})
		s.Table.Rows = append(s.Table.Rows, []string{x.label(), fmt.Sprint(x.Side), fmt.Sprint(x.Runs), digits(1e3 * x.Min), digits(1e3 * x.Median),
			fmt.Sprintf("%.0f %%", 100*x.Spread), orDash("%.0f", x.Flops/1e9), orDash("%.0f %%", 100*x.OfPeak), orDash("%.0f %%", 100*x.OfBus), cmp.Or(bytesOrNone(x.PeakRSS), "-")})
	}
	return s
}

// machines lists the facts of the machines, with a column for each report.
func machines(all []Named) *report.Section {
	t := &report.Table{Head: []string{""}}
	for _, r := range all {
		t.Head = append(t.Head, r.Name)
	}
	row := func(name string, value func(m Machine) string) {
		cells := []string{name}
		for _, r := range all {
			cells = append(cells, cmp.Or(value(r.Machine), "unknown"))
		}
		t.Rows = append(t.Rows, cells)
	}
	row("processor", func(m Machine) string { return m.Processor })
	row("cores", func(m Machine) string { return numberOrNone(m.Cores) })
	row("threads", func(m Machine) string { return numberOrNone(m.Threads) })
	row("vector kernels", func(m Machine) string { return m.Kernels })
	row("peak, measured", func(m Machine) string { return fmt.Sprintf("%.0f GFLOP/s", m.Peak/1e9) })
	if slices.ContainsFunc(all, func(r Named) bool { return r.Machine.HalfPeak > 0 }) {
		row("peak in bfloat16, measured", func(m Machine) string {
			if m.HalfPeak == 0 {
				return "-"
			}
			return fmt.Sprintf("%.0f GFLOP/s by %s", m.HalfPeak/1e9, m.HalfKernels)
		})
	}
	row("memory bandwidth, measured", func(m Machine) string { return fmt.Sprintf("%.1f GB/s", m.Bandwidth/1e9) })
	row("memory", func(m Machine) string { return bytesOrNone(m.Memory) })
	row("device", Machine.device)
	if slices.ContainsFunc(all, func(r Named) bool { return r.Machine.Device != nil && r.Machine.Device.Memory > 0 }) {
		row("device's architecture", func(m Machine) string { return m.ofDevice(func(d Device) string { return d.Architecture }) })
		row("device's memory", func(m Machine) string { return m.ofDevice(func(d Device) string { return bytesOrNone(d.Memory) }) })
	}
	row("weights", func(m Machine) string { return m.Weights })
	row("system", func(m Machine) string { return strings.TrimSpace(m.OS + "/" + m.Arch + " " + m.Release) })
	row("load before", func(m Machine) string { return fmt.Sprintf("%.2f", m.Load) })
	row("Go", func(m Machine) string { return m.Version })
	row("program", func(m Machine) string { return strings.TrimSpace(m.Program + " " + m.Commit) })
	row("date", func(m Machine) string { return m.Date })
	return &report.Section{Title: "Machines", Table: t}
}

func (m Machine) ofDevice(value func(Device) string) string {
	if m.Device == nil {
		return "-"
	}
	return value(*m.Device)
}

func numberOrNone(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprint(n)
}

func bytesOrNone(n int64) string {
	if n == 0 {
		return ""
	}
	return progress.Bytes(n)
}
