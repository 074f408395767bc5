package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/impasto/impasto/internal/device"
	"github.com/impasto/impasto/internal/doctor"
	"github.com/impasto/impasto/internal/selftest"
	"github.com/impasto/impasto/internal/ui"
)

func doctorCommand(s *session) *cli.Command {
	return command(&cli.Command{
		Name:     "doctor",
		Category: categorySetup,
		Usage:    "check the device, its operations, the weights and the terminal",
		Description: "Compares what this machine computes with plain arithmetic, and each CUDA\n" +
			"device's kernels with the processor. --device emu does so without a GPU.",
		Flags: []cli.Flag{
			textFlag("device", "", "", "NAME", "device to check: auto (all CUDA devices), cpu, cuda:N or emu (default: auto)"),
		},
		Action: func(c *cli.Context) error { return runDoctor(s, flagText(c, "device")) },
	})
}

func runDoctor(s *session, on string) error {
	if err := device.Check(on); err != nil {
		return err
	}
	all := append(checkBuild(), doctor.Check(on, slices.Contains(thisBuild().Tags, "cuda"), s.stderr)...)
	problems := 0
	for _, f := range all {
		if f.State == selftest.Problem {
			problems++
		}
		if s.json {
			continue
		}
		fmt.Fprintf(s.stdout, "%-8s %-10s %s\n", f.State, f.What, f.Text)
		if f.Fix != "" {
			fmt.Fprintf(s.stdout, "%19s try: %s\n", "", f.Fix)
		}
	}
	if s.json {
		if err := writeJSON(s.stdout, all); err != nil {
			return err
		}
	}
	if problems > 0 {
		return &ui.Fault{Code: "unhealthy", Exit: ui.ExitFailure, Message: ui.Count(problems, selftest.Problem), Silent: s.json}
	}
	return nil
}

func checkBuild() []selftest.Finding {
	b := thisBuild()
	text := fmt.Sprintf("impasto %s, %s, %s", b.Version, b.Go, b.System)
	if b.Commit != "" {
		text += ", commit " + b.Commit
	}
	if len(b.Tags) > 0 {
		text += ", tags " + strings.Join(b.Tags, " ")
	}
	all := []selftest.Finding{{State: selftest.OK, What: "build", Text: text}}
	if _, why := device.ListCUDA(); why != "" {
		all = append(all, selftest.Finding{State: selftest.Note, What: "cuda", Text: why + "; pictures are painted on the CPU"})
	}
	return all
}
