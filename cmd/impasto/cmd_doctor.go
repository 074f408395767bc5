package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/impasto/impasto/internal/device"
	"github.com/impasto/impasto/internal/film"
	"github.com/impasto/impasto/internal/preview"
	"github.com/impasto/impasto/internal/progress"
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
		Flags: append([]cli.Flag{
			textFlag("device", "", "", "NAME", "device to check: auto (all CUDA devices), cpu, cuda:N or emu (default: auto)"),
		}, commonFlags()...),
		Action: func(c *cli.Context) error { return doctor(s, flagText(c, "device")) },
	})
}

func doctor(s *session, on string) error {
	if err := device.Check(on); err != nil {
		return err
	}
	var all []selftest.Finding
	checks := []func(*session) []selftest.Finding{checkBuild, always(selftest.Processor), checkMemory, always(selftest.Operations), checkDriver, checkDevices(on), always(selftest.Weights), checkQueue, checkTerminal, checkPrograms}
	for _, check := range checks {
		all = append(all, check(s)...)
	}
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

// always is a check that does not depend on the session.
func always(check func() []selftest.Finding) func(*session) []selftest.Finding {
	return func(*session) []selftest.Finding { return check() }
}

func checkBuild(*session) []selftest.Finding {
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

// checkDevices tests the device called on, or with auto all CUDA devices.
func checkDevices(on string) func(*session) []selftest.Finding {
	return func(*session) (all []selftest.Finding) {
		names := []string{on}
		switch on {
		case "cpu":
			return nil
		case "", "auto":
			names = nil
			list, _ := device.ListCUDA()
			for n := range list {
				names = append(names, fmt.Sprintf("cuda:%d", n))
			}
		}
		for _, name := range names {
			for _, p := range device.Precisions(name) {
				d, err := device.OpenDriver(name, runtime.GOMAXPROCS(0))
				if err != nil {
					f := ui.FaultsOf(err)[0]
					all = append(all, selftest.Finding{State: selftest.Problem, What: "device", Text: name + ": " + f.Message, Fix: strings.Join(f.Try, "; ")})
					break
				}
				all = append(all, selftest.Device(name, d, p)...)
			}
		}
		return all
	}
}

func checkMemory(*session) []selftest.Finding {
	free := device.FreeMemory()
	f := selftest.Finding{State: selftest.OK, What: "memory", Text: progress.Bytes(free) + " free"}
	switch {
	case free == 0:
		f.State, f.Text = selftest.Note, "this system does not say how much is free"
	case free < 1e9:
		f.State, f.Fix = selftest.Note, "--size 256"
	}
	return []selftest.Finding{f}
}

func checkTerminal(s *session) []selftest.Finding {
	if !ui.IsTerminal(s.stderr) {
		return []selftest.Finding{{State: selftest.Note, What: "terminal", Text: "standard error is no terminal: plain progress, no previews"}}
	}
	p := preview.Detect(os.Getenv, preview.AsksSixel)
	f := selftest.Finding{State: selftest.OK, What: "terminal", Text: "previews by " + string(p)}
	if p == preview.None {
		f.State, f.Text, f.Fix = selftest.Note, "no previews: the terminal is not known to draw pictures", "--preview blocks"
	}
	return []selftest.Finding{f}
}

func checkPrograms(*session) []selftest.Finding {
	found := film.Find()
	switch {
	case found.OK():
		return []selftest.Finding{{State: selftest.OK, What: "ffmpeg", Text: found.FFmpeg}}
	case os.Getenv(film.Environment) != "":
		return []selftest.Finding{{State: selftest.Problem, What: "ffmpeg", Text: found.Missing(), Fix: found.Remedy()}}
	}
	return []selftest.Finding{{State: selftest.Note, What: "ffmpeg", Text: "is not there; frames of --frames stay single pictures"}}
}
