package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/impasto/impasto/internal/farm"
	"github.com/impasto/impasto/internal/manifest"
	"github.com/impasto/impasto/internal/ui"
)

func batchCommand(s *session) *cli.Command {
	return command(&cli.Command{
		Name:     "batch",
		Category: categoryFarm,
		Usage:    "paint many pictures from one file",
		Subcommands: []*cli.Command{
			batchCheckCommand(s),
			batchRunCommand(s),
			batchSubmitCommand(s),
		},
	})
}

// jobList is a manifest as jobs for the queue.
type jobList struct {
	name    string
	jobs    []farm.Job
	entries []manifest.Entry   // of the jobs, in the same order
	plans   []probed           // of the jobs: the last step's picture, the time of all
	seconds map[string]float64 // estimates by ID; 0 where nobody knows
	unmake  func()             // removes folders that were made for outputs and are empty
}

// batchFlag is what a flag means to a manifest; flags that are not here are
// texts or switches.
var batchFlags = map[string]manifest.Kind{
	"content": manifest.Input, "style": manifest.Input, "map": manifest.Input, "style-map": manifest.Input,
	"edit": manifest.Input, "protect": manifest.Input, "over": manifest.Input,
	"init": manifest.Named, "weights": manifest.Named, "to": manifest.Named,
	"output": manifest.Output, "report": manifest.Output,
}

// notInBatch are flags that speak of a terminal, of one render alone, or of
// files that are no results.
var notInBatch = []string{"dry-run", "progress", "progress-fd", "print-every", "preview", "config", "json", "quiet", "verbose", "y",
	"resume", "explain", "frames", "save-every", "keep-frames", "restart"}

// batchVocabulary is what the jobs of a manifest can be made of: the commands
// that paint and those that make maps.
func batchVocabulary(s *session) manifest.Vocabulary {
	v := manifest.Vocabulary{Commands: map[string]manifest.Command{}, Default: "art", Near: ui.Nearest,
		Plain: func(path string) bool { return strings.HasPrefix(path, samplePrefix) }}
	add := func(path string, c *cli.Command) {
		flags := map[string]manifest.Flag{}
		for _, f := range c.Flags {
			name := f.Names()[0]
			if contains(notInBatch, name) {
				continue
			}
			_, usage := placeholder(f.(cli.DocGenerationFlag).GetUsage())
			flag := manifest.Flag{Kind: batchFlags[name], Many: contains(manyTimes, name), Usage: usage}
			if !f.(cli.DocGenerationFlag).TakesValue() {
				flag.Kind = manifest.Switch
			}
			flags[name] = flag
		}
		v.Commands[path] = manifest.Command{Flags: flags, Inputs: true}
	}
	for _, c := range newApp(s).Commands {
		switch {
		case contains(paintCommands, c.Name):
			add(c.Name, c)
		case c.Name == "map":
			for _, sub := range c.Subcommands {
				add("map "+sub.Name, sub)
			}
		}
	}
	return v
}

// readBatch reads the manifest that a command line names, and finds out
// everything that can be wrong with its jobs before the first one starts.
func (s *session) readBatch(c *cli.Context) (*jobList, error) {
	name := "batch " + c.Command.Name
	if c.NArg() != 1 {
		return nil, ui.UsageFault(fmt.Sprintf("%s needs one manifest, got %d", name, c.NArg()), "impasto "+name+" jobs.yaml")
	}
	path := ui.Home(c.Args().First())
	data, err := s.readManifest(path)
	if err != nil {
		return nil, err
	}
	entries, err := manifest.Parse(path, data, batchVocabulary(s))
	if err != nil {
		return nil, manifestFaults(err)
	}
	b := &jobList{name: filepath.Base(path), seconds: map[string]float64{}}
	if path == ui.Stdout {
		b.name = "stdin"
	}
	o := newOrders(s, path, flagText(c, "class"))
	b.unmake = o.unmake
	for _, e := range entries {
		o.add(b, e)
	}
	o.bad = append(o.bad, o.crossings(b)...)
	if len(o.bad) == 0 && (flagText(c, "report") != "" || name == "batch run") {
		o.bad.Add(checkBatchReport(c, b))
	}
	if len(o.bad) > 0 {
		o.unmake()
		return nil, nothingStarted(o.faults())
	}
	return b, nil
}

func (s *session) readManifest(path string) (data []byte, err error) {
	if path == ui.Stdout {
		data, err = io.ReadAll(s.stdin)
	} else {
		data, err = os.ReadFile(path)
	}
	if errors.Is(err, os.ErrNotExist) {
		return nil, ui.NewFault(ui.ExitInput, "not_found", fmt.Sprintf("manifest %q does not exist", path))
	}
	if err != nil {
		return nil, ui.NewFault(ui.ExitInput, "unreadable", fmt.Sprintf("manifest %q cannot be read: %s", path, ui.Reason(err)))
	}
	return data, nil
}

// manifestFaults brings the faults of a file into the form that is told.
func manifestFaults(err error) error {
	var all manifest.Faults
	if !errors.As(err, &all) {
		return err
	}
	var bad ui.Faults
	for _, f := range all {
		bad.Add(f)
	}
	return nothingStarted(bad)
}

// nothingStarted adds how many faults there are.
func nothingStarted(bad ui.Faults) error {
	return append(bad, ui.NewFault(bad[0].Exit, "nothing_started", ui.Count(len(bad), "error")+", nothing started"))
}
