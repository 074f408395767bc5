// Package doctor checks this machine: what it computes, its devices, weights, queue,
// terminal and programs. The checks of arithmetic are internal/selftest's.
package doctor

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"

	"github.com/impasto/impasto/internal/device"
	"github.com/impasto/impasto/internal/film"
	"github.com/impasto/impasto/internal/preview"
	"github.com/impasto/impasto/internal/progress"
	"github.com/impasto/impasto/internal/selftest"
	"github.com/impasto/impasto/internal/ui"
)

// Check makes all checks. on is the device to test, or auto for all CUDA devices.
// builtForCUDA says whether the program can use a driver. stderr is where previews go.
func Check(on string, builtForCUDA bool, stderr io.Writer) []selftest.Finding {
	return slices.Concat(selftest.Processor(), checkMemory(), selftest.Operations(), selftest.Half(), checkDriver(builtForCUDA), checkDevices(on),
		selftest.Weights(), checkQueue(), checkTerminal(stderr), checkPrograms())
}

// checkDriver reports what a card of this machine lacks if it cannot be used.
func checkDriver(builtForCUDA bool) []selftest.Finding {
	if runtime.GOOS != "linux" {
		return nil
	}
	list, _ := device.ListCUDA()
	return selftest.Driver(os.DirFS("/"), builtForCUDA, len(list))
}

// checkDevices tests the device called on, or with auto all CUDA devices.
func checkDevices(on string) (all []selftest.Finding) {
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

func checkMemory() []selftest.Finding {
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

func checkTerminal(stderr io.Writer) []selftest.Finding {
	if !ui.IsTerminal(stderr) {
		return []selftest.Finding{{State: selftest.Note, What: "terminal", Text: "standard error is no terminal: plain progress, no previews"}}
	}
	p := preview.Detect(os.Getenv, preview.AsksSixel)
	f := selftest.Finding{State: selftest.OK, What: "terminal", Text: "previews by " + string(p)}
	if p == preview.None {
		f.State, f.Text, f.Fix = selftest.Note, "no previews: the terminal is not known to draw pictures", "--preview blocks"
	}
	return []selftest.Finding{f}
}

func checkPrograms() []selftest.Finding {
	found := film.Find()
	switch {
	case found.OK():
		return []selftest.Finding{{State: selftest.OK, What: "ffmpeg", Text: found.FFmpeg}}
	case os.Getenv(film.Environment) != "":
		return []selftest.Finding{{State: selftest.Problem, What: "ffmpeg", Text: found.Missing(), Fix: found.Remedy()}}
	}
	return []selftest.Finding{{State: selftest.Note, What: "ffmpeg", Text: "is not there; frames of --frames stay single pictures"}}
}
