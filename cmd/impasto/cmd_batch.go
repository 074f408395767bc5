package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"github.com/impasto/impasto/internal/farm"
	"github.com/impasto/impasto/internal/manifest"
	"github.com/impasto/impasto/internal/render"
	"github.com/impasto/impasto/internal/settings"
	"github.com/impasto/impasto/internal/ui"
	"github.com/impasto/impasto/style"
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
	plans   []render.Plan      // of the jobs: the last step's picture, the time of all
	seconds map[string]float64 // estimates by ID; 0 where nobody knows
	unmake  func()             // removes folders that were made for outputs and are empty
}

// mapFiles are the flags of map's commands that name files and are no settings.
var mapFiles = map[string]manifest.Kind{"over": manifest.Input, "to": manifest.Named}

// batchVocabulary is what the jobs of a manifest can be made of: the commands
// that paint and those that make maps.
func batchVocabulary() manifest.Vocabulary {
	v := manifest.Vocabulary{Commands: map[string]manifest.Command{}, Default: style.ModeArt, Near: ui.Nearest,
		Plain: func(path string) bool { _, isSample := render.CutSample(path); return isSample }}
	for _, name := range settings.Commands() {
		mode, _ := settings.CommandMode(name)
		flags := map[string]manifest.Flag{}
		for _, s := range settings.For(mode) {
			if s.InManifest() {
				flags[s.Name] = manifest.Flag{Kind: manifestKinds[s.Kind], Many: s.Repeats, Usage: s.HelpFor(mode)}
			}
		}
		v.Commands[name] = manifest.Command{Flags: flags, Inputs: true}
	}
	for _, sub := range mapCommand(&session{}).Subcommands {
		v.Commands["map "+sub.Name] = manifest.Command{Flags: mapVocabulary(sub), Inputs: true}
	}
	return v
}

// manifestKinds are the kinds of settings that a manifest tells apart; any other
// is text.
var manifestKinds = map[settings.Kind]manifest.Kind{
	settings.Switch: manifest.Switch, settings.File: manifest.Input, settings.FileOrWord: manifest.Named, settings.Output: manifest.Output,
}

// mapVocabulary is that of a command that makes maps.
func mapVocabulary(c *cli.Command) map[string]manifest.Flag {
	flags := map[string]manifest.Flag{}
	for _, f := range c.Flags {
		name := f.Names()[0]
		row, isSetting := settings.Find(name, "")
		kind, isFile := mapFiles[name]
		d := f.(cli.DocGenerationFlag)
		switch {
		case isFile:
		case isSetting && !row.InManifest():
			continue
		case !d.TakesValue():
			kind = manifest.Switch
		case isSetting:
			kind = manifestKinds[row.Kind]
		}
		_, usage := placeholder(d.GetUsage())
		flags[name] = manifest.Flag{Kind: kind, Usage: usage}
	}
	return flags
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
	entries, err := manifest.Parse(path, data, batchVocabulary())
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
