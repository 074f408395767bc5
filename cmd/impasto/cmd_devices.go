package main

import (
	"fmt"
	"runtime"

	"github.com/urfave/cli/v2"

	"github.com/impasto/impasto/internal/device"
	"github.com/impasto/impasto/internal/progress"
	"github.com/impasto/impasto/internal/selftest"
	"github.com/impasto/impasto/internal/ui"
)

func devicesCommand(s *session) *cli.Command {
	return command(&cli.Command{
		Name:     "devices",
		Category: categorySetup,
		Usage:    "list the devices that pictures can be painted on",
		Action:   func(*cli.Context) error { return devices(s) },
	})
}

// place is a device in the list: the name that --device takes, and its facts.
type place struct {
	Name         string `json:"name"`
	Text         string `json:"text"`
	Threads      int    `json:"threads,omitempty"`
	Architecture string `json:"architecture"`
	SIMD         string `json:"simd,omitempty"`
	Free         int64  `json:"free_bytes,omitempty"`
	Memory       int64  `json:"memory_bytes,omitempty"`
	Default      bool   `json:"default"`
}

// places lists all devices. If there is no CUDA device, the text says why.
func places() ([]place, string) {
	threads, free := runtime.GOMAXPROCS(0), device.FreeMemory()
	cpu := place{Name: "cpu", Threads: threads, Architecture: runtime.GOARCH, SIMD: selftest.SIMDLevel(), Free: free}
	cpu.Text = fmt.Sprintf("%s, %s, %s", ui.Count(threads, "thread"), runtime.GOARCH, cpu.SIMD)
	if free > 0 {
		cpu.Text += ", " + progress.Bytes(free) + " free"
	}
	list, why := device.ListCUDA()
	cpu.Default = len(list) == 0
	all := []place{cpu}
	for n, i := range list {
		sm := fmt.Sprintf("sm_%d%d", i.Major, i.Minor)
		all = append(all, place{Name: fmt.Sprintf("cuda:%d", n), Architecture: sm, Memory: i.Memory, Default: n == 0,
			Text: fmt.Sprintf("%s, %s, %s", i.Name, sm, progress.Bytes(i.Memory))})
	}
	return append(all, place{Name: "emu", Threads: threads, Architecture: "sm_80",
		Text: "a GPU in software, to prove the CUDA kernels without one; far slower than cpu"}), why
}

func devices(s *session) error {
	all, why := places()
	if s.json {
		return writeJSON(s.stdout, all)
	}
	for _, p := range all {
		mark := " "
		if p.Default {
			mark = "*"
		}
		fmt.Fprintf(s.stdout, "%s %-7s %s\n", mark, p.Name, p.Text)
	}
	if why != "" {
		fmt.Fprintf(s.stdout, "%9s cuda: %s\n", "", why)
	}
	return nil
}
