package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/impasto/impasto/internal/bench"
	"github.com/impasto/impasto/internal/device"
	"github.com/impasto/impasto/internal/picture"
	"github.com/impasto/impasto/internal/settings"
	"github.com/impasto/impasto/internal/ui"
	"github.com/impasto/impasto/style"
)

// workThroughput is the name of the measurement of whole images, in addition to
// bench.Kinds.
const workThroughput = "throughput"

func benchCommand(s *session) *cli.Command {
	return command(&cli.Command{
		Name:      "bench",
		Category:  categorySetup,
		Usage:     "measure how fast this machine paints",
		ArgsUsage: "[report FILE.json...]",
		Description: "Times whole iterations and patch matching, beside the machine's own measured\n" +
			"peaks. Without flags it takes half a minute; --full measures everything at four\n" +
			"sizes. --work throughput times whole images by preset: 512 pixels and 500\n" +
			"iterations put together from a few, or with --full all run. Keep a --json report\n" +
			"and --compare a later one with it, or set several beside each other on a page:\n" +
			"bench report A.json B.json -o bench.html. --precision auto is half for throughput on\n" +
			"a GPU that has it, and otherwise single. The kinds are art, draft, matching,\n" +
			"convolution, tiled, operations and throughput.",
		Flags: []cli.Flag{
			textFlag("work", "", "", "KINDS", "kinds to measure, such as tiled,throughput (default: art,draft,matching)"),
			textFlag("size", "s", "", "PIXELS", "side of the square picture (default: 256; for throughput 512)"),
			textFlag("threads", "", "", "N", "CPU threads (default: all)"),
			textFlag("precision", "", "", "KIND", "precision: auto, single, half, or both in turn (default: auto)"),
			textFlag("seconds", "", "", "N", "time for each measurement, in seconds (default: 2)"),
			textFlag("presets", "", "", "NAMES", "presets whose throughput is measured (default: default,jj; with --full all)"),
			textFlag("iterations", "n", "", "N", "iterations of each image for throughput (default: 500; patches: 100 a scale)"),
			textFlag("sample", "", "", "N", "iterations of each scale that throughput measures (default: 8)"),
			textFlag("rounds", "", "", "N", "images of each preset for throughput (default: 5; with --full 3)"),
			textFlag("weights", "", "", "NAME", "network for throughput (default: random values, which take the same time)"),
			textFlag("device", "", "", "NAME", "device for throughput: auto, cpu, cuda, cuda:N or emu (default: auto)"),
			&cli.BoolFlag{Name: "full", Usage: "measure all kinds at 256, 384, 512 and 1024 px; all iterations of throughput"},
			textFlag("compare", "", "", "FILE", "earlier JSON report to compare with"),
			textFlag("chart", "", "", "FILE.svg", "file for a chart of the measurements"),
			textFlag("output", "o", "", "FILE", "file for the report: .html for a page with charts, or .json"),
		},
		Action: func(c *cli.Context) error {
			if c.Args().First() == "report" {
				return benchReport(s, c)
			}
			return runBench(s, c)
		},
	})
}

// benchOrder is a parsed command line of bench.
type benchOrder struct {
	works      bench.Options
	throughput *bench.ThroughputOptions // nil: none
	device     string
	precisions []device.Precision // of throughput
	old        *bench.Report      // to compare with; nil: none
	oldName    string
	chart      string
	output     string
}

func readBench(c *cli.Context) (o benchOrder, bad ui.Faults) {
	full := c.Bool("full")
	o.works = bench.Options{Sides: []int{256}, Works: []string{"art", "draft", "matching"}, Budget: 2 * time.Second, MinRuns: 3}
	if full {
		o.works.Sides = []int{256, 384, 512, 1024}
		// This comparison takes minutes for what matching does in seconds.
		o.works.Works = slices.DeleteFunc(slices.Clone(bench.Kinds), func(kind string) bool { return kind == "convolution" })
	}
	if c.NArg() > 0 {
		bad.Add(ui.UsageFault(fmt.Sprintf("bench takes no argument but \"report\", got %q", c.Args().First()), "impasto bench --size 512"))
	}
	kinds := append(slices.Clone(bench.Kinds), workThroughput)
	if text := flagText(c, "work"); c.IsSet("work") {
		o.works.Works = strings.Split(text, ",")
		for _, k := range o.works.Works {
			if !slices.Contains(kinds, k) {
				bad.Add(settings.BadValue("work", k, "kinds out of "+strings.Join(kinds, ", ")))
			}
		}
	}
	var sides []int
	if c.IsSet("size") {
		for _, t := range strings.Split(flagText(c, "size"), ",") {
			n, err := strconv.Atoi(t)
			if err != nil || n < 32 || n > 4096 {
				bad.Add(settings.BadValue("size", t, "sides from 32 to 4096, such as 256,512"))
			}
			sides = append(sides, n)
		}
		o.works.Sides = sides
	}
	o.works.Threads = benchNumber(c, "threads", 0, 1, &bad)
	if text := flagText(c, "seconds"); c.IsSet("seconds") {
		v, ok := settings.ParseNumber(text)
		if !ok || !(v >= 0 && v <= 3600) {
			bad.Add(settings.BadValue("seconds", text, "a number from 0 to 3600"))
		} else {
			o.works.Budget = time.Duration(v * float64(time.Second))
		}
	}
	if i := slices.Index(o.works.Works, workThroughput); i >= 0 {
		o.works.Works = slices.Delete(slices.Clone(o.works.Works), i, i+1)
		o.throughput = readThroughput(c, sides, full, &bad)
		o.device = flagText(c, "device")
		bad.Add(device.Check(o.device))
	} else if len(bad) == 0 { // a misspelt throughput is already among the faults
		for _, name := range []string{"presets", "iterations", "sample", "rounds", "weights", "device"} {
			if c.IsSet(name) {
				bad.Add(ui.UsageFault(fmt.Sprintf("--%s is for --work throughput", name), "--work throughput --"+name+" "+flagText(c, name)))
			}
		}
	}
	if len(bad) == 0 {
		bad.Add(readPrecision(c, &o))
	}
	if path := flagText(c, "compare"); c.IsSet("compare") {
		var err error
		o.old, err = bench.Load(path)
		o.oldName = ui.Stem(path)
		bad.Add(err)
	}
	if o.chart = flagText(c, "chart"); c.IsSet("chart") && !strings.HasSuffix(o.chart, ".svg") {
		bad.Add(settings.BadValue("chart", o.chart, "a file name that ends in .svg"))
	}
	if o.output = flagText(c, "output"); c.IsSet("output") && !strings.HasSuffix(o.output, ".html") && !strings.HasSuffix(o.output, ".json") {
		bad.Add(settings.BadValue("output", o.output, "a file name that ends in .html or .json"))
	}
	return o, bad
}

// readPrecision sets the precisions of works, which run on the processor, and those of
// throughput.
func readPrecision(c *cli.Context, o *benchOrder) error {
	kind := cmp.Or(flagText(c, "precision"), "auto")
	if kinds := []string{"auto", "single", "half", "both"}; !slices.Contains(kinds, kind) {
		return settings.BadValue("precision", kind, strings.Join(kinds, ", "))
	}
	var err error
	if len(o.works.Works) > 0 {
		o.works.Precisions, err = device.Measured(kind, "cpu")
	}
	if o.throughput == nil || err != nil {
		return err
	}
	o.precisions, err = device.Measured(kind, o.device)
	return err
}

func readThroughput(c *cli.Context, sides []int, full bool, bad *ui.Faults) *bench.ThroughputOptions {
	t := &bench.ThroughputOptions{Presets: []string{"default", "jj"}, Sides: sides, Weights: ui.Home(flagText(c, "weights"))}
	sample, rounds := 8, 5
	if full {
		t.Presets, sample, rounds = bench.ThroughputPresets(), 0, 3
	}
	if c.IsSet("presets") {
		t.Presets = strings.Split(flagText(c, "presets"), ",")
		for _, p := range t.Presets {
			if known := style.PresetNames(); !slices.Contains(known, p) {
				f := settings.BadValue("presets", p, "names out of "+strings.Join(known, ", "))
				f.Try = ui.Suggest("--presets ", p, known)
				bad.Add(f)
			}
		}
	}
	t.Iterations = benchNumber(c, "iterations", 0, 1, bad)
	t.Rounds = benchNumber(c, "rounds", rounds, 1, bad)
	if t.Sample = benchNumber(c, "sample", sample, 3, bad); full && c.IsSet("sample") {
		bad.Add(ui.UsageFault("--full runs all iterations and --sample a few", "impasto bench --sample --size 512"))
	}
	return t
}

// benchNumber returns the value of a flag that takes a whole number.
func benchNumber(c *cli.Context, name string, otherwise, least int, bad *ui.Faults) int {
	if !c.IsSet(name) {
		return otherwise
	}
	n, err := strconv.Atoi(flagText(c, name))
	if err != nil || n < least || n > 1_000_000 {
		bad.Add(settings.BadValue(name, flagText(c, name), fmt.Sprintf("a number from %d", least)))
	}
	return n
}

func runBench(s *session, c *cli.Context) error {
	o, bad := readBench(c)
	if len(bad) > 0 {
		return bad
	}
	o.works.OnProgress = func(name string) { s.note("measuring %s", name) }
	ctx, signals := ui.WatchSignals()
	defer signals.Stop()
	r, err := bench.Run(ctx, o.works)
	if err == nil && o.throughput != nil {
		err = throughput(ctx, s, r, o)
	}
	if err != nil && (!errors.Is(err, context.Canceled) || r == nil) {
		return err
	}
	b := thisBuild()
	r.Machine.Program, r.Machine.Commit = software(), b.Commit
	if b.Changed {
		r.Machine.Commit += ", changed"
	}
	if werr := writeBench(s, r, o); werr != nil {
		return werr
	}
	if err != nil {
		return signals.Fault("interrupted: the table holds what was measured until then")
	}
	return nil
}

// throughput measures whole images on the chosen device.
func throughput(ctx context.Context, s *session, r *bench.Report, o benchOrder) error {
	for _, p := range o.precisions {
		d, err := device.Open(o.device, o.works.Threads, p)
		if err != nil {
			return err
		}
		if p == device.Half {
			o.throughput.Check = device.CheckHalf
		}
		o.throughput.Backends = append(o.throughput.Backends, d.Backend)
		r.Machine.Device = &bench.Device{Name: d.Backend.Name()}
		if i := d.Info; i != nil {
			r.Machine.Device.Model, r.Machine.Device.Memory = i.Name, i.Memory
			r.Machine.Device.Architecture = fmt.Sprintf("sm_%d%d", i.Major, i.Minor)
		}
	}
	o.throughput.OnProgress = func(text string) { s.note("%s", text) }
	return r.Throughput(ctx, *o.throughput)
}

// writeBench writes the report in all requested forms.
func writeBench(s *session, r *bench.Report, o benchOrder) error {
	if o.chart != "" {
		if err := picture.WriteFile(o.chart, r.Chart); err != nil {
			return err
		}
	}
	switch {
	case strings.HasSuffix(o.output, ".json"):
		if err := picture.WriteFile(o.output, func(w io.Writer) error { return writeJSON(w, r) }); err != nil {
			return err
		}
	case o.output != "":
		all := []bench.Named{{Name: r.Machine.Label(), Report: r}}
		if o.old != nil {
			all = []bench.Named{{Name: o.oldName, Report: o.old}, {Name: "now", Report: r}}
		}
		if err := writeBenchPage(o.output, all); err != nil {
			return err
		}
	}
	if s.json {
		return writeJSON(s.stdout, r)
	}
	if err := errors.Join(r.Write(s.stdout), r.WritePrecisions(s.stdout)); err != nil || o.old == nil {
		return err
	}
	if len(r.Images) > 0 {
		fmt.Fprintln(s.stdout)
		if err := r.WriteImageChanges(s.stdout, o.old); err != nil {
			return err
		}
	}
	if len(r.Results) == 0 {
		return nil
	}
	fmt.Fprintln(s.stdout)
	return bench.WriteChanges(s.stdout, r.Compare(o.old))
}
