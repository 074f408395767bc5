package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/impasto/impasto/internal/bench"
	"github.com/impasto/impasto/internal/picture"
)

func benchCommand(s *session) *cli.Command {
	return command(&cli.Command{
		Name:     "bench",
		Category: categorySetup,
		Usage:    "measure how fast this machine paints",
		Description: "Times whole iterations and patch matching, beside the machine's own measured\n" +
			"peaks. Without flags it takes half a minute; --full measures everything at four\n" +
			"sizes. Keep a --json report and --compare a later one with it.",
		Flags: append([]cli.Flag{
			textFlag("work", "", "", "KINDS", "art, draft, matching, convolution, tiled, operations (default: first three)"),
			textFlag("size", "s", "", "PIXELS", "sides of the square picture (default: 256)"),
			textFlag("threads", "", "", "N", "processor threads (default: all)"),
			textFlag("seconds", "", "", "N", "time for each work (default: 2)"),
			&cli.BoolFlag{Name: "full", Usage: "all kinds at 256, 384, 512 and 1024 pixels"},
			textFlag("compare", "", "", "FILE", "say what changed since this JSON report"),
			textFlag("chart", "", "", "FILE.svg", "draw the results"),
		}, commonFlags()...),
		Action: func(c *cli.Context) error { return runBench(s, c) },
	})
}

func runBench(s *session, c *cli.Context) error {
	o := bench.Options{Sides: []int{256}, Works: []string{"art", "draft", "matching"}, Budget: 2 * time.Second, MinRuns: 3}
	if c.Bool("full") {
		o.Sides = []int{256, 384, 512, 1024}
		// A comparison that takes minutes for what matching does in seconds.
		o.Works = slices.DeleteFunc(slices.Clone(bench.Kinds), func(kind string) bool { return kind == "convolution" })
	}
	var bad faults
	said := func(name string) (string, bool) {
		if !c.IsSet(name) {
			return "", false
		}
		all := c.Generic(name).(*words).said
		return all[len(all)-1], true
	}
	if c.NArg() > 0 {
		bad.add(usageFault(fmt.Sprintf("bench takes no argument, got %q", c.Args().First()), "impasto bench --size 512"))
	}
	if text, ok := said("work"); ok {
		o.Works = strings.Split(text, ",")
		for _, k := range o.Works {
			if !slices.Contains(bench.Kinds, k) {
				bad.add(badValue("work", k, "kinds out of "+strings.Join(bench.Kinds, ", ")))
			}
		}
	}
	if text, ok := said("size"); ok {
		o.Sides = nil
		for _, t := range strings.Split(text, ",") {
			n, err := strconv.Atoi(t)
			if err != nil || n < 32 || n > 4096 {
				bad.add(badValue("size", t, "sides from 32 to 4096, such as 256,512"))
			}
			o.Sides = append(o.Sides, n)
		}
	}
	if text, ok := said("threads"); ok {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			bad.add(badValue("threads", text, "a number from 1"))
		}
		o.Threads = n
	}
	if text, ok := said("seconds"); ok {
		v, ok := parseNumber(text)
		if !ok || !(v >= 0 && v <= 3600) {
			bad.add(badValue("seconds", text, "a number from 0 to 3600"))
		} else {
			o.Budget = time.Duration(v * float64(time.Second))
		}
	}
	var old *bench.Report
	if path, ok := said("compare"); ok {
		var err error
		old, err = bench.Load(path)
		bad.add(err)
	}
	chart, draw := said("chart")
	if draw && !strings.HasSuffix(chart, ".svg") {
		bad.add(badValue("chart", chart, "a file name that ends in .svg"))
	}
	if len(bad) > 0 {
		return bad
	}
	if !s.quiet && !s.json {
		o.OnProgress = func(name string) { fmt.Fprintf(s.stderr, "measuring %s\n", name) }
	}
	ctx, signals := watchSignals()
	defer signals.stop()
	r, err := bench.Run(ctx, o)
	if err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	if draw {
		if err := picture.WriteFile(chart, r.Chart); err != nil {
			return err
		}
	}
	switch {
	case s.json:
		if err := writeJSON(s.stdout, r); err != nil {
			return err
		}
	default:
		if err := r.Write(s.stdout); err != nil {
			return err
		}
		if old != nil {
			fmt.Fprintln(s.stdout)
			if err := bench.WriteChanges(s.stdout, r.Compare(old)); err != nil {
				return err
			}
		}
	}
	if err != nil {
		return signals.fault("interrupted: the table holds what was measured until then")
	}
	return nil
}
