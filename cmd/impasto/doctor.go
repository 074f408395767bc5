package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/impasto/impasto/gpu/simd"
	"github.com/impasto/impasto/internal/preview"
	"github.com/impasto/impasto/internal/progress"
	"github.com/impasto/impasto/internal/ui"
	"github.com/impasto/impasto/vgg"
)

// finding is one line of the doctor: "ok", a "note" that explains something,
// or a "problem" with a fix.
type finding struct {
	State string `json:"state"`
	What  string `json:"what"`
	Text  string `json:"text"`
	Fix   string `json:"fix,omitempty"`
}

func doctorCommand(s *session) *cli.Command {
	return command(&cli.Command{
		Name:     "doctor",
		Category: categorySetup,
		Usage:    "check device, operations, weights and terminal",
		Description: "Compares what this machine computes with plain arithmetic, and each CUDA\n" +
			"device's kernels with the processor. --device emu does so without a GPU.",
		Flags: append([]cli.Flag{
			textFlag("device", "", "", "NAME", "auto (all CUDA devices there are), cpu, cuda:N or emu (default: auto)"),
		}, commonFlags()...),
		Action: func(c *cli.Context) error { return doctor(s, flagText(c, "device")) },
	})
}

func doctor(s *session, on string) error {
	if err := checkDevice(on); err != nil {
		return err
	}
	var all []finding
	checks := []func(*session) []finding{checkBuild, checkProcessor, checkMemory, checkOperations, checkDevices(on), checkWeights, checkQueue, checkTerminal, checkPrograms}
	for _, check := range checks {
		all = append(all, check(s)...)
	}
	problems := 0
	for _, f := range all {
		if f.State == "problem" {
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
		return &ui.Fault{Code: "unhealthy", Exit: ui.ExitFailure, Message: ui.Count(problems, "problem"), Silent: s.json}
	}
	return nil
}

func checkBuild(*session) []finding {
	b := thisBuild()
	text := fmt.Sprintf("impasto %s, %s, %s", b.Version, b.Go, b.System)
	if b.Commit != "" {
		text += ", commit " + b.Commit
	}
	if len(b.Tags) > 0 {
		text += ", tags " + strings.Join(b.Tags, " ")
	}
	all := []finding{{State: "ok", What: "build", Text: text}}
	if _, why := listCUDA(); why != "" {
		all = append(all, finding{State: "note", What: "cuda", Text: why + "; pictures are painted on the CPU"})
	}
	return all
}

// checkDevices tests the device called on, or with auto all CUDA devices.
func checkDevices(on string) func(*session) []finding {
	return func(*session) (all []finding) {
		names := []string{on}
		switch on {
		case "cpu":
			return nil
		case "", "auto":
			names = nil
			list, _ := listCUDA()
			for n := range list {
				names = append(names, fmt.Sprintf("cuda:%d", n))
			}
		}
		for _, name := range names {
			all = append(all, checkDriver(name)...)
		}
		return all
	}
}

func checkProcessor(*session) []finding {
	k, err := simd.Best()
	if err != nil {
		return []finding{{State: "problem", What: "cpu", Text: err.Error(), Fix: "unset IMPASTO_SIMD"}}
	}
	f := finding{State: "ok", What: "cpu", Text: fmt.Sprintf("%s, %s", ui.Count(runtime.GOMAXPROCS(0), "thread"), k.Name)}
	if k == simd.All()[0] {
		f.State = "note"
		f.Text += ": no vector instructions are used, painting is slow"
	}
	return []finding{f}
}

// simdLevel names the vector instructions in use.
func simdLevel() string {
	k, err := simd.Best()
	if err != nil {
		return "unknown"
	}
	return k.Name
}

func checkMemory(*session) []finding {
	free := freeMemory()
	f := finding{State: "ok", What: "memory", Text: progress.Bytes(free) + " free"}
	switch {
	case free == 0:
		f.State, f.Text = "note", "this system does not say how much is free"
	case free < 1e9:
		f.State, f.Fix = "note", "--size 256"
	}
	return []finding{f}
}

func checkWeights(*session) []finding {
	store := vgg.DefaultStore()
	list, err := store.List()
	if err != nil {
		fault := ui.FaultsOf(err)[0]
		return []finding{{State: "problem", What: "weights", Text: fault.Message, Fix: strings.Join(fault.Try, "; ")}}
	}
	var all []finding
	for _, w := range list {
		f := finding{State: "ok", What: "weights", Text: fmt.Sprintf("%s to %s, sha256 %s...", w.Name, w.Last, w.SHA256[:12])}
		if err := store.Verify(context.Background(), w.Name); err != nil {
			fault := ui.FaultsOf(err)[0]
			f.State, f.Text, f.Fix = "problem", fault.Message, strings.Join(fault.Try, "; ")
		}
		all = append(all, f)
	}
	if len(list) == 0 {
		all = append(all, finding{State: "note", What: "weights", Text: "VGG-19 is not installed in " + store.Dir + "; mini is used", Fix: "impasto weights get vgg19"})
	}
	if n, err := vgg.Mini(); err != nil {
		all = append(all, finding{State: "problem", What: "weights", Text: err.Error()})
	} else {
		all = append(all, finding{State: "ok", What: "weights", Text: fmt.Sprintf("mini to %s, part of the program", n.Layers[len(n.Layers)-1].Tap())})
	}
	return all
}

func checkTerminal(s *session) []finding {
	if !ui.IsTerminal(s.stderr) {
		return []finding{{State: "note", What: "terminal", Text: "standard error is no terminal: plain progress, no previews"}}
	}
	p := preview.Detect(os.Getenv, preview.AsksSixel)
	f := finding{State: "ok", What: "terminal", Text: "previews by " + string(p)}
	if p == preview.None {
		f.State, f.Text, f.Fix = "note", "no previews: the terminal is not known to draw pictures", "--preview blocks"
	}
	return []finding{f}
}

func checkPrograms(*session) []finding {
	if path, err := exec.LookPath("ffmpeg"); err == nil {
		return []finding{{State: "ok", What: "ffmpeg", Text: path}}
	}
	return []finding{{State: "note", What: "ffmpeg", Text: "is not there; frames of --frames stay single pictures"}}
}
