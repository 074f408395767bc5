package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/impasto/impasto/internal/batch"
	"github.com/impasto/impasto/internal/manifest"
	"github.com/impasto/impasto/internal/progress"
	"github.com/impasto/impasto/internal/ui"
)

func batchCheckCommand(s *session) *cli.Command {
	return &cli.Command{
		Name:      "check",
		Usage:     "check the jobs of a manifest; estimate time, memory and cost",
		ArgsUsage: "MANIFEST",
		Description: "Reads the manifest and every picture, prepares every job and stops there.\n" +
			"-v lists the jobs; --json has one object for each and one for all.",
		Flags:  []cli.Flag{priceFlag("price of an hour of a machine: 1.20/h (default: the manifest's)")},
		Action: func(c *cli.Context) error { return batchCheck(s, c) },
	}
}

// checkedJob is a job of "batch check --json". Later versions only add fields.
type checkedJob struct {
	Type    string     `json:"type"` // "job"
	ID      string     `json:"id"`
	Name    string     `json:"name"`
	Line    int        `json:"line"`
	Class   string     `json:"class"`
	Steps   [][]string `json:"steps"`
	Outputs []string   `json:"outputs"`
	Width   int        `json:"width,omitempty"`
	Height  int        `json:"height,omitempty"`
	Seconds float64    `json:"seconds"` // planned; 0: not known
	Cost    float64    `json:"cost,omitempty"`
	Bytes   int64      `json:"peak_bytes"`
	Recipe  string     `json:"recipe,omitempty"`
}

func batchCheck(s *session, c *cli.Context) error {
	built, err := s.readBatch(c)
	if err != nil {
		return err
	}
	defer built.RemoveFolders()
	b := &built.Batch
	seconds, peak := 0.0, int64(0)
	unknown := 0 // jobs with steps that could not be prepared
	for i, j := range b.Jobs {
		p := b.Plans[i]
		seconds += p.Seconds
		peak = max(peak, p.PeakBytes)
		if p.Seconds == 0 {
			unknown++
		}
		switch {
		case s.json:
			err = writeJSON(s.stdout, checkedJob{"job", j.ID, j.Name, b.Entries[i].Line, j.Class, j.Steps, j.Outputs, p.W, p.H, p.Seconds, p.Seconds / 3600 * j.Price, p.PeakBytes, p.Recipe})
		case s.verbose > 0:
			err = s.printJob(b, i)
		}
		if err != nil {
			return err
		}
	}
	cost, _ := b.Cost()
	what := product(b.Entries) + ui.Count(len(b.Jobs), "job")
	if seconds > 0 {
		what += fmt.Sprintf(", ~%s on this device", progress.Seconds(seconds))
	}
	if cost > 0 {
		what += ", cost ~" + batch.MoneyText(cost)
		if b.Terms.Budget > 0 {
			what += " of " + batch.MoneyText(b.Terms.Budget)
		}
	}
	if peak > 0 {
		what += fmt.Sprintf(", %s peak", progress.Bytes(peak))
	}
	if unknown > 0 && unknown < len(b.Jobs) {
		what += fmt.Sprintf(" (%d of unknown time)", unknown)
	}
	return s.show(map[string]any{"type": "result", "batch": b.Name, "jobs": len(b.Jobs), "seconds": seconds, "cost": cost, "budget": b.Terms.Budget, "peak_bytes": peak}, what)
}

// printJob prints the name and the size of a job, and each step as it is typed.
func (s *session) printJob(b *batch.Batch, i int) error {
	p, head := b.Plans[i], b.Jobs[i].Name
	if p.W > 0 {
		head += fmt.Sprintf("  %dx%d  ~%s  %s", p.W, p.H, progress.Seconds(p.Seconds), progress.Bytes(p.PeakBytes))
	}
	if _, err := fmt.Fprintln(s.stdout, head); err != nil {
		return err
	}
	for _, step := range b.Jobs[i].Steps {
		if _, err := fmt.Fprintln(s.stdout, "  "+ui.ImpastoCommand(step)); err != nil {
			return err
		}
	}
	return nil
}

// product returns the factors of the number of jobs, "2 x 40 x 6 = ", if a single
// entry of the manifest is expanded without exclusions.
func product(entries []manifest.Entry) string {
	var keys []string
	choices := map[string]map[string]bool{}
	for _, e := range entries {
		if e.Line != entries[0].Line {
			return ""
		}
		for _, v := range e.Values {
			if choices[v.Key] == nil {
				choices[v.Key] = map[string]bool{}
				keys = append(keys, v.Key)
			}
			choices[v.Key][v.Text] = true
		}
	}
	total := 1
	var factors []string
	for _, k := range slices.Compact(keys) {
		total *= len(choices[k])
		factors = append(factors, fmt.Sprint(len(choices[k])))
	}
	if len(factors) < 2 || total != len(entries) {
		return ""
	}
	return strings.Join(factors, " x ") + " = "
}
